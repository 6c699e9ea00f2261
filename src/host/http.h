// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_HOST_HTTP_H_
#define PLUMB_HOST_HTTP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/streams.h"

// An HTTP/1.1 and HTTP/2 client. It moves bytes and knows nothing of registries: redirects
// are handed back, never followed, so that whoever sent a credential decides who else gets it.
namespace plumb::host {

using HttpHeader = std::pair<std::string, std::string>;

enum class TlsVerify : std::uint8_t { kYes, kNo };

struct HttpRequest {
  std::string method = "GET";
  std::string url;  // http:// or https://
  std::vector<HttpHeader> headers = {};

  // What is sent: exactly `body_size` bytes of `body`. No body if null.
  ByteSource* body = nullptr;
  std::uint64_t body_size = 0;

  // Where the body of a 2xx answer goes. Without a sink, and for every other status, its
  // first 64 KiB are kept in HttpResponse::text, and no more is waited for.
  ByteSink* sink = nullptr;
  // If set, asked once when the status and headers of the answer are known, before any of
  // the body reaches the sink; an Error from it ends the transfer.
  std::function<Status(int status, const std::vector<HttpHeader>& headers)> before_body = nullptr;

  TlsVerify tls_verify = TlsVerify::kYes;
  // PEM files by machine path; empty means none. A key that wants a passphrase is kDenied.
  std::string client_certificate = {};
  std::string client_key = {};
  // PEM text of those who are trusted beside those of this machine.
  std::string certificate_authorities = {};
  // "http://[user:password@]host:port", or https, socks5, socks5h: used for whatever is asked.
  // Empty: as $http_proxy, $https_proxy, $all_proxy and $no_proxy say, but never for this machine
  // itself.
  std::string proxy = {};
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers;  // in the order received, names as received
  std::string text;                 // the beginning of a body that went to no sink

  // The value of the first header of that name (case-insensitive).
  std::optional<std::string_view> Header(std::string_view name) const;
};

// Threads: Send may be called from any number at once; connections are kept and shared.
class Http {
 public:
  virtual ~Http() = default;

  // Sends and waits for the whole answer. Any HTTP status is a success here. No connection,
  // a broken one, a timeout (nothing received or accepted for 60 s): kUnavailable. A
  // certificate that does not verify, or a proxy that wants another login: kDenied. Plain HTTP
  // where TLS was expected: kUnsupported. No message holds a password of a proxy. Headers of over
  // 256 KiB: kExhausted. `stop` is asked about once a second, and more often while bytes move; once
  // it says yes the transfer is given up with kInterrupted. An Error from body, sink or before_body
  // ends the transfer and is returned.
  virtual Result<HttpResponse> Send(const HttpRequest& request,
                                    const std::function<bool()>& stop) = 0;
};

std::unique_ptr<Http> MakeHttp(std::string user_agent);

}  // namespace plumb::host

#endif  // PLUMB_HOST_HTTP_H_
