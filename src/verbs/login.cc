// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/login.h"

#include "oci/reference.h"
#include "registry/connect.h"

namespace plumb::verbs {

Status CheckRegistryName(const std::string& registry) {
  const auto reference = oci::Reference::Parse(registry + "/repository");
  if (reference && reference->host == registry) return Done{};
  return Error{ErrorKind::kInvalid, "'" + registry + "' is not the name of a registry",
               "write host or host:port, as in registry.example.com"};
}

Result<LoginReport> Login(Workspace& workspace, const LoginOptions& options, Progress& progress) {
  PLUMB_RETURN_IF_ERROR(CheckRegistryName(options.registry));
  const Machine& machine = workspace.machine();
  PLUMB_TRY(registry::Credentials * credentials, workspace.Credentials());
  const registry::Network network{machine.http, machine.clock, machine.entropy, *credentials,
                                  &progress};
  const registry::Credential credential{options.user, options.secret};
  PLUMB_TRY(const auto connect, ConnectOptionsFor(workspace, options.registry, options.network));
  if (auto status = registry::CheckLogin(network, options.registry, credential, connect); !status) {
    return std::move(status).error().While("cannot log in to '" + options.registry + "'");
  }
  PLUMB_RETURN_IF_ERROR(credentials->Save(options.registry, credential));
  return LoginReport{options.registry, options.user};
}

Result<LogoutReport> Logout(Workspace& workspace, const LogoutOptions& options) {
  PLUMB_RETURN_IF_ERROR(CheckRegistryName(options.registry));
  PLUMB_TRY(registry::Credentials * credentials, workspace.Credentials());
  PLUMB_TRY(const bool erased, credentials->Erase(options.registry));
  if (!erased) {
    return Error{ErrorKind::kNotFound, "not logged in to '" + options.registry + "'"};
  }
  return LogoutReport{options.registry};
}

}  // namespace plumb::verbs
