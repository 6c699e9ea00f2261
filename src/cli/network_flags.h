// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CLI_NETWORK_FLAGS_H_
#define PLUMB_CLI_NETWORK_FLAGS_H_

#include <optional>
#include <vector>

#include "cli/command.h"
#include "verbs/place.h"

namespace plumb::cli {

// The flags of every verb that reaches registries.
class NetworkFlags {
 public:
  void AddTo(std::vector<Flag>& flags) {
    flags.push_back({"--plain-http", "", "Reach the registry without TLS", &plain_http_});
    flags.push_back(
        {"--tls-verify", "", "Check certificates; --tls-verify=false does not", &tls_verify_});
    flags.push_back({"--ca-file", "FILE", "Trust the certificate authorities in this PEM file too",
                     &options_.authorities_file, Offer::kFile});
    flags.push_back({"--cert", "FILE", "Show the registry this client certificate (PEM)",
                     &options_.client_certificate, Offer::kFile});
    flags.push_back(
        {"--key", "FILE", "The private key of --cert (PEM)", &options_.client_key, Offer::kFile});
    flags.push_back({"--proxy", "URL", "Reach the registry through this proxy", &options_.proxy});
  }
  // Of those that move several blobs.
  void AddWithConcurrencyTo(std::vector<Flag>& flags) {
    AddTo(flags);
    flags.push_back(
        {"--concurrency", "N", "Move at most N blobs at once; default: 5", &options_.concurrency});
  }

  // kInvalid for flags that contradict each other.
  Result<verbs::NetworkOptions> Options() const {
    verbs::NetworkOptions options = options_;
    if (plain_http_)
      options.plain_http = *plain_http_ ? verbs::PlainHttp::kYes : verbs::PlainHttp::kNo;
    if (tls_verify_)
      options.tls_verify = *tls_verify_ ? host::TlsVerify::kYes : host::TlsVerify::kNo;
    PLUMB_RETURN_IF_ERROR(verbs::CheckNetworkOptions(options));
    return options;
  }

 private:
  std::optional<bool> plain_http_;
  std::optional<bool> tls_verify_;
  verbs::NetworkOptions options_;
};

}  // namespace plumb::cli

#endif  // PLUMB_CLI_NETWORK_FLAGS_H_
