// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TESTS_HTTP_SERVER_H_
#define PLUMB_TESTS_HTTP_SERVER_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/text.h"

namespace plumb {

// An HTTP/1.1 server on 127.0.0.1 that answers as a test says, honestly or not, and remembers what
// it was asked. Each connection has a thread; the handler is called by one at a time.
class TestHttpServer {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  struct Request {
    std::string method;
    std::string target;  // "/v2/?a=b"
    Headers headers;
    std::string body;

    std::optional<std::string> Header(std::string_view name) const {
      for (const auto& [candidate, value] : headers)
        if (EqualsIgnoreCaseAscii(candidate, name)) return value;
      return std::nullopt;
    }
  };

  enum class Then : std::uint8_t {
    kKeep,        // wait for the next request
    kClose,       // close without having said so
    kStall,       // say nothing more, until the client goes away
    kRepeatBody,  // send the body again and again, until the client goes away
  };

  struct Answer {
    int status = 200;
    Headers headers = {};  // Content-Length is added, unless it is one of them
    std::string body = {};
    std::string raw = {};  // if not empty, sent in place of all of the above
    Then then = Then::kKeep;
  };

  using Handler = std::function<Answer(const Request&)>;

  explicit TestHttpServer(Handler handler) : handler_(std::move(handler)) {
    // For whoever runs tests behind a proxy.
    // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread of this server is.
    ::setenv("no_proxy", "127.0.0.1", 1);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, any, size), 0);
    EXPECT_EQ(::listen(listener_, 64), 0);
    EXPECT_EQ(::getsockname(listener_, any, &size), 0);
    port_ = ::ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }

  // Ends every connection.
  ~TestHttpServer() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
      for (const int connection : connections_)
        ::shutdown(connection, SHUT_RDWR);
    }
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& thread : threads_)
      thread.join();
    for (const int connection : connections_)
      ::close(connection);
    ::close(listener_);
  }
  TestHttpServer(const TestHttpServer&) = delete;
  TestHttpServer& operator=(const TestHttpServer&) = delete;

  // "127.0.0.1:4711", and "http://127.0.0.1:4711/target".
  std::string Host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string Url(const std::string& target = "/") const { return "http://" + Host() + target; }

  // What was asked so far, in order of arrival.
  std::vector<Request> Requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  std::size_t ConnectionCount() {
    const std::lock_guard lock(mutex_);
    return connections_.size();
  }

 private:
  void Accept() {
    for (;;) {
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      const std::lock_guard lock(mutex_);
      if (connection >= 0) connections_.push_back(connection);
      if (is_over_ || connection < 0) return;
      threads_.emplace_back([this, connection] {
        Serve(connection);
        ::shutdown(connection, SHUT_RDWR);
      });
    }
  }

  void Serve(int connection) {
    std::string received;
    while (auto request = ReadRequest(connection, received)) {
      Answer answer;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(*request);
        answer = handler_(*request);
      }
      const bool has_body = request->method != "HEAD" && answer.raw.empty();
      if (!SendAll(connection, answer.raw.empty() ? HeadOf(answer) : answer.raw)) return;
      if (has_body && !SendAll(connection, answer.body)) return;
      while (answer.then == Then::kRepeatBody && SendAll(connection, answer.body)) {
      }
      while (answer.then == Then::kStall && Receive(connection, received)) {
      }
      if (answer.then != Then::kKeep) return;
    }
  }

  static std::string HeadOf(const Answer& answer) {
    std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " as the test says\r\n";
    bool has_length = answer.status == 204 || answer.then == Then::kRepeatBody;
    for (const auto& [name, value] : answer.headers) {
      head.append(name).append(": ").append(value).append("\r\n");
      has_length = has_length || EqualsIgnoreCaseAscii(name, "Content-Length");
    }
    if (!has_length) head += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
    return head + "\r\n";
  }

  static std::optional<Request> ReadRequest(int connection, std::string& received) {
    std::size_t end = 0;
    while ((end = received.find("\r\n\r\n")) == std::string::npos)
      if (!Receive(connection, received)) return std::nullopt;
    Request request;
    const std::string head = received.substr(0, end);
    received.erase(0, end + 4);
    const auto lines = Split(head, '\n');
    const auto words = Split(Trim(lines[0]), ' ');
    request.method = words[0];
    request.target = words.size() > 1 ? words[1] : "";
    for (std::size_t i = 1; i < lines.size(); ++i) {
      const std::size_t colon = lines[i].find(':');
      if (colon == std::string_view::npos) continue;
      request.headers.emplace_back(Trim(lines[i].substr(0, colon)),
                                   Trim(lines[i].substr(colon + 1)));
    }
    const auto size = ParseUint64(request.Header("Content-Length").value_or("0")).value_or(0);
    while (received.size() < size)
      if (!Receive(connection, received)) return std::nullopt;
    request.body = received.substr(0, size);
    received.erase(0, size);
    return request;
  }

  static bool Receive(int connection, std::string& received) {
    char buffer[65536];
    const ssize_t got = ::recv(connection, buffer, sizeof buffer, 0);
    if (got > 0) received.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }

  static bool SendAll(int connection, std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  const Handler handler_;
  int listener_ = -1;
  unsigned port_ = 0;
  std::mutex mutex_;
  bool is_over_ = false;
  std::vector<int> connections_;  // closed only at the end, so that no number is used twice
  std::vector<Request> requests_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace plumb

#endif  // PLUMB_TESTS_HTTP_SERVER_H_
