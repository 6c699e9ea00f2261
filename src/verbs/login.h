// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_LOGIN_H_
#define PLUMB_VERBS_LOGIN_H_

#include <string>

#include "base/progress.h"
#include "base/result.h"
#include "verbs/place.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

struct LoginOptions {
  std::string registry;  // "host[:port]"
  std::string user;
  std::string secret;
  NetworkOptions network = {};
};

struct LoginReport {
  std::string registry;
  std::string user;
};

// Tries a credential and, if the registry takes it, keeps it in a file that only its owner
// can read. kDenied if the registry does not; nothing is kept then.
Result<LoginReport> Login(Workspace& workspace, const LoginOptions& options, Progress& progress);

struct LogoutOptions {
  std::string registry;
};

struct LogoutReport {
  std::string registry;
};

// Forgets the credential. kNotFound if there is none.
Result<LogoutReport> Logout(Workspace& workspace, const LogoutOptions& options);

// kInvalid if this is not "host[:port]".
Status CheckRegistryName(const std::string& registry);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_LOGIN_H_
