// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_CREDENTIAL_HELPER_INTERNAL_H_
#define PLUMB_REGISTRY_CREDENTIAL_HELPER_INTERNAL_H_

#include <optional>
#include <string>

#include "base/result.h"
#include "host/process.h"
#include "registry/connect.h"

namespace plumb::registry {

// A program "docker-credential-NAME" that keeps logins somewhere safe (a keyring, a vault), as
// docker's configuration names it: protocol of docker-credential-helpers.
//
// Trust: the program is one of this machine, found along $PATH; the name is a file's, and can name
// no other program.
class CredentialHelper {
 public:
  // kInvalid for a name that is none: empty, or with anything but letters, digits, '.', '_', '-'.
  static Result<CredentialHelper> Make(host::Processes& processes, const std::string& name);

  // `server` is what the login is kept under: a host, or an address. Nothing if it knows none.
  // kUnsupported if the program is not there, kUnavailable if it fails; the message says why.
  Result<std::optional<Credential>> Get(const std::string& server) const;
  Status Store(const std::string& server, const Credential& credential) const;
  // False if there was none.
  Result<bool> Erase(const std::string& server) const;

 private:
  CredentialHelper(host::Processes& processes, std::string program)
      : processes_(&processes), program_(std::move(program)) {}

  // What it prints; nothing if it says that it has no such login.
  Result<std::optional<std::string>> Ask(const char* action, const std::string& input) const;

  host::Processes* processes_;
  std::string program_;
};

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_CREDENTIAL_HELPER_INTERNAL_H_
