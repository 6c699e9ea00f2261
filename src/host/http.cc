// SPDX-License-Identifier: MIT OR Apache-2.0
#include "host/http.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>

#include "base/text.h"
#include "host/curl_internal.h"

namespace plumb::host {
namespace {

constexpr std::size_t kTextSizeMax = std::size_t{64} << 10;
constexpr std::size_t kHeadersSizeMax = std::size_t{256} << 10;
constexpr long kReceiveBufferSize = 512L << 10;
constexpr long kSendBufferSize = 2L << 20;
constexpr long kConnectTimeoutMs = 30'000;
constexpr long kStallTimeoutS = 60;
constexpr std::size_t kIdleHandlesMax = 16;
constexpr const char* kCertificateHint = "if it wants a client certificate: --cert FILE --key FILE";

ErrorKind KindOf(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
      return ErrorKind::kInvalid;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return ErrorKind::kDenied;
    default:
      return ErrorKind::kUnavailable;
  }
}

// "https://user:secret@host/path?token=…" as it may be shown: nothing secret.
std::string ShownUrl(std::string_view url) {
  url = url.substr(0, url.find('?'));
  const std::size_t scheme = url.find("://");
  const std::size_t start = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t at = url.substr(0, url.find('/', start)).rfind('@');
  std::string shown(url.substr(0, start));
  shown += url.substr(at == std::string_view::npos ? start : at + 1);
  return Printable(shown);
}

// OpenSSL's words for the other side's refusal of our certificate (RFC 8446, section 6.2), which
// come when the handshake has already succeeded for us.
bool IsAlertOfCertificate(std::string_view why) {
  return why.find("alert certificate") != std::string_view::npos ||
         why.find("alert bad certificate") != std::string_view::npos ||
         why.find("alert unsupported certificate") != std::string_view::npos ||
         why.find("alert unknown ca") != std::string_view::npos;
}

// Whether the address is of this machine itself, which no proxy can reach.
bool IsLoopback(std::string_view url) {
  std::string_view host = url.substr(url.find("://") + 3);
  host = host.substr(0, host.find_first_of("/?"));
  if (host.starts_with('[')) return host.starts_with("[::1]");
  host = host.substr(0, host.find(':'));
  return EqualsIgnoreCaseAscii(host, "localhost") || host.ends_with(".localhost") ||
         (host.starts_with("127.") &&
          host.find_first_not_of("0123456789.") == std::string_view::npos);
}

bool IsProxy(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://") ||
         text.starts_with("socks5://") || text.starts_with("socks5h://");
}

// Whether the environment names a proxy for the address, where curl looks.
bool EnvironmentHasProxy(std::string_view url) {
  const auto is_set = [](const char* name) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody in this program calls setenv.
    const char* const value = std::getenv(name);
    return value != nullptr && *value != '\0';
  };
  // HTTP_PROXY is not asked: it may be the header "Proxy" of a request to a CGI program.
  const bool is_of_scheme = url.starts_with("https://")
                                ? is_set("https_proxy") || is_set("HTTPS_PROXY")
                                : is_set("http_proxy");
  return is_of_scheme || is_set("all_proxy") || is_set("ALL_PROXY");
}

// curl's list of headers, owned.
class HeaderList {
 public:
  explicit HeaderList(const Curl& curl) : curl_(curl) {}
  ~HeaderList() { curl_.slist_free_all(list_); }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;

  void Add(const std::string& line) {
    curl_slist* longer = curl_.slist_append(list_, line.c_str());
    PLUMB_CHECK(longer != nullptr);
    list_ = longer;
  }
  curl_slist* list() const { return list_; }

 private:
  const Curl& curl_;
  curl_slist* list_ = nullptr;
};

// One request on its way, as curl's callbacks see it. They are called by perform, in
// the thread of Send().
class Exchange {
 public:
  Exchange(const Curl& curl, CURL* handle, const HttpRequest& request,
           const std::function<bool()>& stop)
      : curl_(curl),
        handle_(handle),
        request_(request),
        stop_(stop),
        headers_(curl),
        body_left_(request.body_size) {}

  Result<HttpResponse> Perform() {
    PLUMB_RETURN_IF_ERROR(Prepare());
    const CURLcode code = curl_.perform(handle_);
    if (failure_) return *std::move(failure_);
    if (was_cut_) return std::move(response_);
    if (code == CURLE_OK) PLUMB_RETURN_IF_ERROR(AnnounceBody());
    if (code == CURLE_OK) return std::move(response_);
    std::string why = error_text_[0] != '\0' ? error_text_ : curl_.strerror(code);
    // The address of a proxy that curl does not understand, with its password.
    if (why.find('@') != std::string::npos) why = curl_.strerror(code);
    if (auto error = ProxyError()) return *std::move(error);
    if (IsAlertOfCertificate(why))
      return Error{
          ErrorKind::kDenied,
          "'" + ShownUrl(request_.url) + "' wants another client certificate: " + Printable(why),
          kCertificateHint};
    // OpenSSL's words for an answer in plain HTTP: trying again would not help.
    if (code == CURLE_SSL_CONNECT_ERROR && why.find("wrong version number") != std::string::npos)
      return Error{ErrorKind::kUnsupported, "'" + ShownUrl(request_.url) + "' speaks no TLS"};
    if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT)
      return Error{KindOf(code), "cannot reach '" + ShownUrl(request_.url) + "': " + Printable(why),
                   "is the name right, and does it run?"};
    Error error = {KindOf(code),
                   "no answer from '" + ShownUrl(request_.url) + "': " + Printable(why)};
    // With TLS 1.3 a server may drop who shows it no certificate without a word that arrives.
    if (response_.status == 0 && HadHandshake()) error.hint = kCertificateHint;
    if (response_.status != 0)
      error.message = "the answer of '" + ShownUrl(request_.url) + "' broke off: " + Printable(why);
    return error;
  }

 private:
  bool HadHandshake() {
    curl_off_t duration = 0;
    curl_.getinfo(handle_, CURLINFO_APPCONNECT_TIME_T, &duration);
    return duration > 0;
  }

  // If a proxy was asked for a connection and refused it.
  std::optional<Error> ProxyError() {
    long status = 0;
    curl_.getinfo(handle_, CURLINFO_HTTP_CONNECTCODE, &status);
    if (status < 400) return std::nullopt;
    const bool wants_login = status == 407;
    return Error{wants_login ? ErrorKind::kDenied : ErrorKind::kUnavailable,
                 "cannot reach '" + ShownUrl(request_.url) + "': the proxy answers " +
                     std::to_string(status),
                 wants_login ? "name who you are: http://USER:PASSWORD@PROXY:PORT" : ""};
  }

  template <typename Value>
  void Set(CURLoption option, Value value) {
    // Fails only for options that the library was built without, which the callers can do without.
    curl_.setopt(handle_, option, value);
  }

  Status Prepare() {
    curl_.reset(handle_);
    if (!request_.url.starts_with("http://") && !request_.url.starts_with("https://"))
      return Error{ErrorKind::kInvalid, "'" + ShownUrl(request_.url) + "' is no http address"};
    const bool is_none = !request_.proxy.empty() && !IsProxy(request_.proxy);
    if (is_none || (!request_.default_proxy.empty() && !IsProxy(request_.default_proxy)))
      return Error{ErrorKind::kInvalid, "the proxy's address is none: write http://HOST:PORT"};
    for (const auto& [name, value] : request_.headers)
      if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
        return Error{ErrorKind::kInvalid,
                     "the header '" + Printable(name) + "' holds a line break"};
    Set(CURLOPT_URL, request_.url.c_str());
    Set(CURLOPT_PROTOCOLS_STR, "http,https");
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_FOLLOWLOCATION, 0L);
    Set(CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
    Set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    Set(CURLOPT_LOW_SPEED_TIME, kStallTimeoutS);
    Set(CURLOPT_BUFFERSIZE, kReceiveBufferSize);
    Set(CURLOPT_UPLOAD_BUFFERSIZE, kSendBufferSize);
    Set(CURLOPT_TCP_KEEPALIVE, 1L);
    Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    Set(CURLOPT_ERRORBUFFER, error_text_);
    PrepareTls();
    PrepareProxy();
    PrepareBody();
    PrepareHeaders();
    Set(CURLOPT_HEADERFUNCTION, &OnHeader);
    Set(CURLOPT_HEADERDATA, this);
    Set(CURLOPT_WRITEFUNCTION, &OnBody);
    Set(CURLOPT_WRITEDATA, this);
    Set(CURLOPT_NOPROGRESS, 0L);
    Set(CURLOPT_XFERINFOFUNCTION, &OnProgress);
    Set(CURLOPT_XFERINFODATA, this);
    return Done{};
  }

  void PrepareTls() {
    const bool verifies = request_.tls_verify == TlsVerify::kYes;
    Set(CURLOPT_SSL_VERIFYPEER, verifies ? 1L : 0L);
    Set(CURLOPT_SSL_VERIFYHOST, verifies ? 2L : 0L);
    if (!request_.client_certificate.empty())
      Set(CURLOPT_SSLCERT, request_.client_certificate.c_str());
    if (!request_.client_key.empty()) Set(CURLOPT_SSLKEY, request_.client_key.c_str());
    // Else OpenSSL would ask whoever sits at the terminal.
    Set(CURLOPT_KEYPASSWD, "");
    if (request_.certificate_authorities.empty()) return;
    // In the place of the machine's file, but its directory (CURLOPT_CAPATH) stays.
    std::string authorities = request_.certificate_authorities;
    curl_blob blob = {authorities.data(), authorities.size(), CURL_BLOB_COPY};
    Set(CURLOPT_CAINFO_BLOB, &blob);
  }

  void PrepareProxy() {
    Set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (!request_.proxy.empty()) {
      Set(CURLOPT_PROXY, request_.proxy.c_str());
      Set(CURLOPT_NOPROXY, "");
    } else if (IsLoopback(request_.url)) {
      Set(CURLOPT_PROXY, "");
    } else if (!request_.default_proxy.empty() && !EnvironmentHasProxy(request_.url)) {
      Set(CURLOPT_PROXY, request_.default_proxy.c_str());
    }
  }

  void PrepareBody() {
    if (request_.method == "HEAD") {
      Set(CURLOPT_NOBODY, 1L);
      return;
    }
    const bool sends = request_.method != "GET" && request_.method != "DELETE";
    if (sends || request_.body != nullptr) {
      Set(CURLOPT_UPLOAD, 1L);
      Set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body_size));
      Set(CURLOPT_READFUNCTION, &OnSend);
      Set(CURLOPT_READDATA, this);
      Set(CURLOPT_SEEKFUNCTION, &OnSeek);
      Set(CURLOPT_SEEKDATA, this);
    }
    Set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }

  void PrepareHeaders() {
    for (const auto& [name, value] : request_.headers)
      headers_.Add(std::string(name).append(": ").append(value));
    headers_.Add("Expect:");  // never ask first: registries answer late or not at all
    Set(CURLOPT_HTTPHEADER, headers_.list());
  }

  static std::size_t OnHeader(char* data, std::size_t unit, std::size_t count, void* self) {
    return static_cast<Exchange*>(self)->TakeHeader({data, unit * count}) ? unit * count : 0;
  }
  static std::size_t OnBody(char* data, std::size_t unit, std::size_t count, void* self) {
    return static_cast<Exchange*>(self)->TakeBody({data, unit * count}) ? unit * count : 0;
  }
  static std::size_t OnSend(char* data, std::size_t unit, std::size_t count, void* self) {
    return static_cast<Exchange*>(self)->GiveBody(
        std::as_writable_bytes(std::span(data, unit * count)));
  }
  static int OnSeek(void* self, curl_off_t offset, int origin) {
    // curl sends again on a fresh connection if a kept one had died: only possible as long as
    // nothing was taken from the source.
    const auto* exchange = static_cast<const Exchange*>(self);
    const bool is_start = origin == SEEK_SET && offset == 0;
    return is_start && exchange->body_left_ == exchange->request_.body_size ? CURL_SEEKFUNC_OK
                                                                            : CURL_SEEKFUNC_FAIL;
  }
  static int OnProgress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Exchange*>(self)->WasStopped() ? 1 : 0;
  }

  bool Fail(Error error) {
    if (!failure_) failure_ = std::move(error);
    return false;
  }

  bool WasStopped() {
    if (!stop_ || !stop_()) return false;
    Fail({ErrorKind::kInterrupted, "interrupted"});
    return true;
  }

  bool TakeHeader(std::string_view line) {
    headers_size_ += line.size();
    if (headers_size_ > kHeadersSizeMax)
      return Fail({ErrorKind::kExhausted,
                   "'" + ShownUrl(request_.url) + "' answers with over 256 KiB of headers"});
    if (line.starts_with("HTTP/")) {
      // Of this answer, or of one before it (100 Continue, a proxy's).
      response_ = {};
      long status = 0;
      curl_.getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
      response_.status = static_cast<int>(status);
      return true;
    }
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos)
      response_.headers.emplace_back(Trim(line.substr(0, colon)), Trim(line.substr(colon + 1)));
    return true;
  }

  // Before the first byte of a body, and for an answer without one.
  Status AnnounceBody() {
    if (was_announced_) return Done{};
    was_announced_ = true;
    if (request_.before_body) return request_.before_body(response_.status, response_.headers);
    return Done{};
  }

  bool TakeBody(std::string_view bytes) {
    if (Status status = AnnounceBody(); !status) return Fail(std::move(status).error());
    const bool is_success = response_.status >= 200 && response_.status < 300;
    if (is_success && request_.sink != nullptr) {
      if (Status status = request_.sink->Write(AsBytes(bytes)); !status)
        return Fail(std::move(status).error());
      return true;
    }
    response_.text += bytes.substr(0, kTextSizeMax - response_.text.size());
    // Nobody waits for the rest, which may have no end.
    was_cut_ = response_.text.size() == kTextSizeMax;
    return !was_cut_;
  }

  std::size_t GiveBody(MutableByteSpan out) {
    if (request_.body == nullptr || body_left_ == 0) return 0;
    std::size_t filled = 0;
    while (filled < out.size() && body_left_ > 0) {
      const auto wanted =
          static_cast<std::size_t>(std::min<std::uint64_t>(out.size() - filled, body_left_));
      auto bytes = request_.body->Read(wanted);
      if (!bytes || bytes->empty()) {
        Fail(bytes ? Error{ErrorKind::kCorrupt, "what is to be sent is shorter than announced"}
                   : std::move(bytes).error());
        return CURL_READFUNC_ABORT;
      }
      std::copy(bytes->begin(), bytes->end(), out.begin() + static_cast<std::ptrdiff_t>(filled));
      filled += bytes->size();
      body_left_ -= bytes->size();
    }
    return filled;
  }

  const Curl& curl_;
  CURL* const handle_;
  const HttpRequest& request_;
  const std::function<bool()>& stop_;
  HeaderList headers_;
  HttpResponse response_;
  std::uint64_t body_left_;
  std::size_t headers_size_ = 0;
  bool was_announced_ = false;
  bool was_cut_ = false;
  std::optional<Error> failure_;
  char error_text_[CURL_ERROR_SIZE] = {};
};

class CurlHttp final : public Http {
 public:
  explicit CurlHttp(std::string user_agent) : user_agent_(std::move(user_agent)) {}
  ~CurlHttp() override {
    for (CURL* handle : idle_)
      curl_->cleanup(handle);
  }
  CurlHttp(const CurlHttp&) = delete;
  CurlHttp& operator=(const CurlHttp&) = delete;

  Result<HttpResponse> Send(const HttpRequest& request,
                            const std::function<bool()>& stop) override {
    HttpRequest sent = request;
    sent.headers.emplace_back("User-Agent", user_agent_);
    PLUMB_TRY(const Curl* const curl, Curl::Load());
    CURL* const handle = Take(*curl);
    auto response = Exchange(*curl, handle, sent, stop).Perform();
    GiveBack(handle);
    return response;
  }

 private:
  // A handle keeps its connection: what was used last is most likely still connected.
  CURL* Take(const Curl& curl) {
    {
      const std::lock_guard lock(mutex_);
      curl_ = &curl;
      if (!idle_.empty()) {
        CURL* const handle = idle_.back();
        idle_.pop_back();
        return handle;
      }
    }
    CURL* const handle = curl.init();
    PLUMB_CHECK(handle != nullptr);
    return handle;
  }

  void GiveBack(CURL* handle) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kIdleHandlesMax) {
      idle_.push_back(handle);
    } else {
      curl_->cleanup(handle);
    }
  }

  const std::string user_agent_;
  std::mutex mutex_;
  const Curl* curl_ = nullptr;  // once something was sent
  std::vector<CURL*> idle_;
};

}  // namespace

std::optional<std::string_view> HttpResponse::Header(std::string_view name) const {
  for (const auto& [candidate, value] : headers)
    if (EqualsIgnoreCaseAscii(candidate, name)) return value;
  return std::nullopt;
}

std::unique_ptr<Http> MakeHttp(std::string user_agent) {
  return std::make_unique<CurlHttp>(std::move(user_agent));
}

}  // namespace plumb::host
