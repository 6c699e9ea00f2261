// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TESTS_FAKE_REGISTRY_H_
#define PLUMB_TESTS_FAKE_REGISTRY_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "host/http.h"
#include "host/machine.h"
#include "registry/connect.h"

// Registries, token services and whoever else answers, without a network: what they are asked is
// kept, what they answer stands in the test. Here because a registry on the real loopback can
// have neither several host names nor https.
namespace plumb::registry {

// What somebody was asked.
struct Asked {
  std::string method;
  std::string url;
  std::vector<host::HttpHeader> headers;
  std::string client_certificate;
  host::TlsVerify tls_verify = host::TlsVerify::kYes;
  std::string body;

  std::string Header(std::string_view name) const {
    const host::HttpResponse as_headers = {0, headers, {}};
    return std::string(as_headers.Header(name).value_or(""));
  }
};

struct FakeAnswer {
  int status = 200;
  std::vector<host::HttpHeader> headers = {};
  std::string body = {};
  // After so many bytes of the body the connection breaks.
  std::optional<std::size_t> breaks_after = std::nullopt;
};

// As if nobody listened.
inline FakeAnswer NoAnswer() { return {0}; }

// Behaves as host/http.h says. Threads: any number at once.
class FakeHttp final : public host::Http {
 public:
  using Answering = std::function<FakeAnswer(const Asked&)>;

  // `what` is "GET https://host/path", with the query if that matters. The answers are given in
  // turn, the last one from then on.
  void On(const std::string& what, std::vector<FakeAnswer> answers) {
    auto next = std::make_shared<std::atomic<std::size_t>>(0);
    On(what, [answers = std::move(answers), next](const Asked&) {
      return answers.at(std::min((*next)++, answers.size() - 1));
    });
  }
  void On(const std::string& what, Answering answering) {
    answering_.insert_or_assign(what, std::move(answering));
  }

  Result<host::HttpResponse> Send(const host::HttpRequest& request,
                                  const std::function<bool()>& stop) override {
    if (stop && stop()) return Interrupted();
    Asked now = {request.method,     request.url,  request.headers, request.client_certificate,
                 request.tls_verify, std::string()};
    PLUMB_RETURN_IF_ERROR(TakeBody(request, now.body));
    const FakeAnswer answer = AnswerTo(now);
    if (answer.status == 0) return Error{ErrorKind::kUnavailable, "nobody answers"};
    host::HttpResponse response = {answer.status, answer.headers, {}};
    if (!answer.body.empty() && !response.Header("Transfer-Encoding") &&
        !response.Header("Content-Length"))
      response.headers.emplace_back("Content-Length", std::to_string(answer.body.size()));
    if (request.before_body)
      PLUMB_RETURN_IF_ERROR(request.before_body(response.status, response.headers));
    if (request.method == "HEAD") return response;
    const std::string_view body =
        std::string_view(answer.body).substr(0, answer.breaks_after.value_or(std::string::npos));
    const bool is_success = answer.status >= 200 && answer.status < 300;
    if (is_success && request.sink != nullptr) {
      PLUMB_RETURN_IF_ERROR(GiveBody(body, *request.sink));
    } else {
      response.text = body.substr(0, std::size_t{64} << 10);
    }
    if (answer.breaks_after) return Error{ErrorKind::kUnavailable, "the connection broke"};
    return response;
  }

  std::vector<Asked> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  // "GET https://host/path" of each request, in order.
  std::vector<std::string> Log() const {
    std::vector<std::string> log;
    for (const Asked& one : asked())
      log.push_back(one.method + " " + one.url);
    return log;
  }

 private:
  FakeAnswer AnswerTo(const Asked& now) {
    const std::string what = now.method + " " + now.url;
    Answering answering;
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(now);
      auto found = answering_.find(what);
      if (found == answering_.end()) found = answering_.find(what.substr(0, what.find('?')));
      if (found != answering_.end()) answering = found->second;
    }
    // Without the lock: an answer may ask something itself.
    if (answering) return answering(now);
    ADD_FAILURE() << "nobody expects " << what;
    return {418};
  }

  static Status TakeBody(const host::HttpRequest& request, std::string& body) {
    while (request.body != nullptr && body.size() < request.body_size) {
      PLUMB_TRY(const ByteSpan bytes,
                request.body->Read(static_cast<std::size_t>(request.body_size) - body.size()));
      if (bytes.empty())
        return Error{ErrorKind::kCorrupt, "what is to be sent is shorter than announced"};
      body += AsText(bytes);
    }
    return Done{};
  }

  // In pieces that end where nobody expects it.
  static Status GiveBody(std::string_view body, ByteSink& sink) {
    constexpr std::size_t kPieceSize = 30'011;
    for (; !body.empty(); body.remove_prefix(std::min(kPieceSize, body.size())))
      PLUMB_RETURN_IF_ERROR(sink.Write(AsBytes(body.substr(0, kPieceSize))));
    return Done{};
  }

  mutable std::mutex mutex_;
  std::map<std::string, Answering> answering_;
  std::vector<Asked> asked_;
};

// Time passes only while somebody sleeps.
class FakeClock final : public host::Clock {
 public:
  std::int64_t NowNs() override { return now_ns_; }
  std::int64_t MonotonicNs() override { return now_ns_; }
  void SleepMs(std::uint64_t duration_ms) override {
    Pass(duration_ms);
    slept_ms += duration_ms;
    longest_sleep_ms = std::max(longest_sleep_ms, duration_ms);
    if (on_sleep) on_sleep();
  }
  void Pass(std::uint64_t duration_ms) {
    now_ns_ += static_cast<std::int64_t>(duration_ms) * 1'000'000;
  }

  std::uint64_t slept_ms = 0;
  std::uint64_t longest_sleep_ms = 0;
  std::function<void()> on_sleep;

 private:
  std::int64_t now_ns_ = 1'000'000'000;
};

class FakeEntropy final : public host::Entropy {
 public:
  void Fill(MutableByteSpan out) override { std::ranges::fill(out, std::byte{next}); }
  std::uint8_t next = 0;
};

class FakeCredentials final : public Credentials {
 public:
  Result<std::optional<Credential>> Find(std::string_view registry) override {
    const auto found = known.find(std::string(registry));
    return found == known.end() ? std::optional<Credential>() : std::optional(found->second);
  }
  Status Save(std::string_view registry, const Credential& credential) override {
    known.insert_or_assign(std::string(registry), credential);
    return Done{};
  }
  Result<bool> Erase(std::string_view registry) override {
    return known.erase(std::string(registry)) != 0;
  }

  std::map<std::string, Credential> known;
};

// Keeps warnings, and stops on demand.
class WarnedProgress final : public Progress {
 public:
  std::unique_ptr<ProgressTask> Begin(std::string_view name, std::uint64_t expected) override {
    return SilentProgress().Begin(name, expected);
  }
  void Warn(std::string_view text) override { warnings.emplace_back(text); }
  void Note(std::string_view /*text*/) override {}
  bool StopRequested() const override { return is_stopped; }

  std::vector<std::string> warnings;
  bool is_stopped = false;
};

// "me", whose password is "secret", as a header says it.
inline constexpr char kBasic[] = "Basic bWU6c2VjcmV0";

// A world with one registry in it, and whoever the test adds.
class FakeWorld {
 public:
  Network network() { return {http, clock, entropy, credentials, &progress}; }
  void LogIn(const std::string& registry) { credentials.known[registry] = {"me", "secret"}; }

  std::unique_ptr<Repository> Connect(
      const std::string& host, ConnectOptions::Scheme scheme = ConnectOptions::Scheme::kHttps) {
    ConnectOptions options;
    options.scheme = scheme;
    options.certificates.client_certificate = "me.pem";
    auto remote = ConnectRegistry(network(), host, "models/tiny", options);
    EXPECT_TRUE(remote) << remote.error().message;
    return *std::move(remote);
  }

  // How often anything that authorises was sent elsewhere than to the addresses that begin so.
  std::size_t SecretsSentOutside(const std::string& prefix) const {
    const std::vector<Asked> all = http.asked();
    return static_cast<std::size_t>(std::ranges::count_if(all, [&](const Asked& one) {
      return !one.url.starts_with(prefix) &&
             (!one.Header("Authorization").empty() || !one.client_certificate.empty());
    }));
  }

  FakeHttp http;
  FakeClock clock;
  FakeEntropy entropy;
  FakeCredentials credentials;
  WarnedProgress progress;
};

}  // namespace plumb::registry

#endif  // PLUMB_TESTS_FAKE_REGISTRY_H_
