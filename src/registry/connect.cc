// SPDX-License-Identifier: MIT OR Apache-2.0
#include "registry/connect.h"

#include <utility>

#include "oci/reference.h"
#include "registry/client_internal.h"
#include "registry/http_error_internal.h"
#include "registry/http_remote_internal.h"

namespace plumb::registry {
namespace {

Progress& ProgressOf(const Network& network) {
  static SilentProgress silent;
  return network.progress == nullptr ? silent : *network.progress;
}

}  // namespace

Result<std::unique_ptr<Repository>> ConnectRegistry(const Network& network,
                                                    const std::string& registry_host,
                                                    const std::string& repository,
                                                    const ConnectOptions& options) {
  PLUMB_RETURN_IF_ERROR(oci::CheckRepository(repository));
  PLUMB_TRY(auto client, RegistryClient::Make(network, registry_host, options));
  return std::unique_ptr<Repository>(
      std::make_unique<HttpRemote>(std::move(client), repository, ProgressOf(network)));
}

Status CheckLogin(const Network& network, const std::string& registry_host,
                  const Credential& credential, const ConnectOptions& options) {
  PLUMB_TRY(const auto client, RegistryClient::Make(network, registry_host, options));
  client->authenticator().UseCredential(credential);
  Progress& progress = ProgressOf(network);
  auto status = client->retrier().Run(progress, [&]() -> Status {
    host::HttpRequest request;
    request.url = client->UrlOf("").ToString();
    PLUMB_TRY(const host::HttpResponse response,
              client->Send(std::move(request), "", nullptr, progress));
    if (IsSuccess(response)) return Done{};
    return ErrorOf(response, registry_host);
  });
  // The hint would be to do what was just done.
  if (!status && status.error().kind == ErrorKind::kDenied) status.error().hint.clear();
  return status;
}

}  // namespace plumb::registry
