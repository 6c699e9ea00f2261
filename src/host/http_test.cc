// SPDX-License-Identifier: MIT OR Apache-2.0
#include "host/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/http_server.h"

namespace plumb::host {
namespace {

using testing::HasSubstr;
using testing::Not;
using Answer = TestHttpServer::Answer;
using Request = TestHttpServer::Request;
using Then = TestHttpServer::Then;

constexpr std::size_t kTextSizeMax = 65536;

class HttpTest : public testing::Test {
 protected:
  // From now on the server answers so.
  void AnswerWith(Answer answer) {
    server_ = std::make_unique<TestHttpServer>([answer](const Request&) { return answer; });
    request_.url = server_->Url("/path?query=1");
  }
  Result<HttpResponse> Send() {
    return http_->Send(request_, [this] { return stop_.load(); });
  }
  Error FailureOfSend() {
    auto response = Send();
    EXPECT_FALSE(response);
    return response ? Error{} : response.error();
  }

  std::unique_ptr<Http> http_ = MakeHttp("plumb/test");
  std::unique_ptr<TestHttpServer> server_;
  HttpRequest request_;
  MemorySink sink_{1 << 24};
  std::atomic<bool> stop_ = false;
};

TEST_F(HttpTest, HandsBackStatusHeadersAndBody) {
  AnswerWith({418, {{"X-One", "1"}, {"x-two", " a: b "}, {"X-ONE", "2"}}, "short and stout"});
  request_.headers = {{"Accept", "a/b"}, {"Accept", "c/d"}};
  const auto response = Send();
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 418);
  EXPECT_EQ(response->text, "short and stout");
  EXPECT_EQ(response->Header("x-one"), "1");
  EXPECT_EQ(response->Header("X-TWO"), "a: b");
  EXPECT_EQ(response->Header("x-three"), std::nullopt);
  ASSERT_EQ(response->headers.size(), 4U);
  EXPECT_EQ(response->headers[2], HttpHeader("X-ONE", "2"));

  const Request asked = server_->Requests().at(0);
  EXPECT_EQ(asked.method + " " + asked.target, "GET /path?query=1");
  EXPECT_EQ(asked.Header("User-Agent"), "plumb/test");
  EXPECT_EQ(asked.Header("Accept-Encoding"), std::nullopt);  // a digest is of the bytes as they are
  EXPECT_EQ(asked.body, "");
  EXPECT_THAT(asked.headers, testing::Contains(HttpHeader("Accept", "a/b")));
  EXPECT_THAT(asked.headers, testing::Contains(HttpHeader("Accept", "c/d")));
}

TEST_F(HttpTest, OnlyASuccessReachesTheSink) {
  const std::string body(3'000'000, 'b');
  request_.sink = &sink_;
  AnswerWith({206, {}, body});
  EXPECT_EQ(Send()->text, "");
  EXPECT_EQ(sink_.text() == body, true);
  for (const int status : {300, 404, 500}) {
    AnswerWith({status, {}, "no"});
    EXPECT_EQ(Send()->text, "no") << status;
  }
  EXPECT_EQ(sink_.text().size(), body.size());
}

TEST_F(HttpTest, OfOtherBodiesTheBeginningIsKept) {
  for (const int status : {200, 404}) {
    for (const std::size_t size :
         {kTextSizeMax - 1, kTextSizeMax, kTextSizeMax + 1, 4 * kTextSizeMax}) {
      AnswerWith({status, {}, std::string(size, 'x')});
      const auto response = Send();
      ASSERT_TRUE(response) << response.error().message;
      EXPECT_EQ(response->status, status);
      EXPECT_EQ(response->text.size(), std::min(size, kTextSizeMax));
    }
    // One that never ends is not waited for.
    AnswerWith({status, {}, std::string(1000, 'x'), "", Then::kRepeatBody});
    EXPECT_EQ(Send()->text.size(), kTextSizeMax);
  }
}

TEST_F(HttpTest, BeforeBodyIsAskedOnceAndBeforeTheSink) {
  request_.sink = &sink_;
  int asked = 0;
  request_.before_body = [&](int status, const std::vector<HttpHeader>& headers) -> Status {
    ++asked;
    EXPECT_EQ(status, 200 + (headers[0].second == "none" ? 4 : 0));
    EXPECT_EQ(sink_.text(), "");
    return Done{};
  };
  AnswerWith({204, {{"Body", "none"}}});
  EXPECT_TRUE(Send());
  EXPECT_EQ(asked, 1);
  request_.method = "HEAD";
  AnswerWith({200, {{"Body", "some"}, {"Content-Length", "1000"}}});
  EXPECT_EQ(Send()->Header("content-length"), "1000");
  EXPECT_EQ(asked, 2);
  request_.method = "GET";
  AnswerWith({200, {{"Body", "some"}}, std::string(3'000'000, 'x')});
  EXPECT_TRUE(Send());
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(sink_.text().size(), 3'000'000U);
}

TEST_F(HttpTest, AnErrorOfBeforeBodyOrTheSinkEndsTheTransfer) {
  request_.sink = &sink_;
  request_.before_body = [](int, const std::vector<HttpHeader>&) -> Status {
    return Error{ErrorKind::kCorrupt, "not this"};
  };
  AnswerWith({200, {}, "x", "", Then::kRepeatBody});
  EXPECT_EQ(FailureOfSend().message, "not this");
  AnswerWith({204});
  EXPECT_EQ(FailureOfSend().message, "not this");
  EXPECT_EQ(sink_.text(), "");

  request_.before_body = nullptr;
  MemorySink small(100'000);
  request_.sink = &small;
  AnswerWith({200, {}, std::string(1000, 'x'), "", Then::kRepeatBody});
  EXPECT_EQ(FailureOfSend().kind, ErrorKind::kExhausted);
}

TEST_F(HttpTest, StopGivesATransferUp) {
  AnswerWith({200, {{"Content-Length", "10"}}, "x", "", Then::kStall});
  const auto stop_once_asked = [this] { return !server_->Requests().empty(); };
  const auto response = http_->Send(request_, stop_once_asked);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kInterrupted);
  stop_ = true;
  EXPECT_EQ(FailureOfSend().kind, ErrorKind::kInterrupted);
}

TEST_F(HttpTest, WhatBreaksOffIsUnavailable) {
  bool was_announced = false;
  request_.before_body = [&](int, const std::vector<HttpHeader>&) -> Status {
    was_announced = true;
    return Done{};
  };
  for (const std::string raw :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n1234",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n"}) {
    was_announced = false;
    AnswerWith({.raw = raw, .then = Then::kClose});
    const Error error = FailureOfSend();
    EXPECT_EQ(error.kind, ErrorKind::kUnavailable) << raw;
    EXPECT_THAT(error.message, HasSubstr("broke off")) << raw;
    EXPECT_EQ(was_announced, raw.ends_with("4") || raw.ends_with("4\r\n")) << raw;
  }
  for (const std::string raw : {"SSH-2.0-server\r\n", "HTTP/1.1", "HTTP/1.1 2"}) {
    AnswerWith({.raw = raw, .then = Then::kClose});
    EXPECT_EQ(FailureOfSend().kind, ErrorKind::kUnavailable) << raw;
  }
  AnswerWith({});
  const std::string url = server_->Url();
  server_.reset();
  request_.url = url;
  const Error error = FailureOfSend();
  EXPECT_EQ(error.kind, ErrorKind::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("cannot reach '" + url + "'"));
}

TEST_F(HttpTest, RedirectsAreHandedBack) {
  AnswerWith({307, {{"Location", "http://127.0.0.1:1/elsewhere"}}});
  const auto response = Send();
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 307);
  EXPECT_EQ(response->Header("location"), "http://127.0.0.1:1/elsewhere");
  EXPECT_EQ(server_->Requests().size(), 1U);
}

TEST_F(HttpTest, InterimAnswersLeaveNothingBehind) {
  AnswerWith({.raw = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"});
  const auto response = Send();
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->Header("Link"), std::nullopt);
  EXPECT_EQ(response->text, "ok");
}

TEST_F(HttpTest, HeadersHaveALimit) {
  TestHttpServer::Headers headers(200, {"X-Filler", std::string(1000, 'x')});
  AnswerWith({200, headers, "ok"});
  EXPECT_EQ(Send()->headers.size(), 201U);
  headers.resize(300, headers[0]);
  AnswerWith({200, headers, "ok"});
  EXPECT_EQ(FailureOfSend().kind, ErrorKind::kExhausted);
}

TEST_F(HttpTest, SendsExactlyTheBodyThatWasAnnounced) {
  std::string text(5'000'000, 'a');
  text += "the end";
  const std::string more = text + " and more that is not sent";
  AnswerWith({201});
  for (const std::string method : {"PUT", "POST", "PATCH"}) {
    MemorySource source(AsBytes(more));
    request_.method = method;
    request_.body = &source;
    request_.body_size = text.size();
    EXPECT_EQ(Send()->status, 201);
    const Request asked = server_->Requests().back();
    EXPECT_EQ(asked.method, method);
    EXPECT_EQ(asked.body == text, true) << asked.body.size();
    EXPECT_EQ(asked.Header("Content-Length"), std::to_string(text.size()));
    EXPECT_EQ(asked.Header("Expect"), std::nullopt);
    EXPECT_EQ(asked.Header("Transfer-Encoding"), std::nullopt);
  }
}

TEST_F(HttpTest, WithoutABodyItsLengthIsSaidToBeNothing) {
  AnswerWith({201});
  for (const std::string method : {"PUT", "POST", "PATCH"}) {
    request_.method = method;
    EXPECT_TRUE(Send());
    EXPECT_EQ(server_->Requests().back().method, method);
    EXPECT_EQ(server_->Requests().back().Header("Content-Length"), "0") << method;
  }
  request_.method = "DELETE";
  EXPECT_TRUE(Send());
  EXPECT_EQ(server_->Requests().back().method, "DELETE");
}

TEST_F(HttpTest, ABodyThatFailsEndsTheTransfer) {
  AnswerWith({201});
  request_.method = "PUT";
  MemorySource source(AsBytes("short"));
  request_.body = &source;
  request_.body_size = 100;
  EXPECT_EQ(FailureOfSend().kind, ErrorKind::kCorrupt);
  class Failing final : public ByteSource {
    Result<ByteSpan> Read(std::size_t) override {
      return Error{ErrorKind::kDenied, "not readable"};
    }
  } failing;
  request_.body = &failing;
  EXPECT_EQ(FailureOfSend().message, "not readable");
  EXPECT_TRUE(server_->Requests().empty());  // neither arrived as a whole
}

TEST_F(HttpTest, RefusesWhatIsNoRequest) {
  AnswerWith({});
  for (const auto& [name, value] : {HttpHeader("A", "b\r\nInjected: c"), HttpHeader("A\nB", "c"),
                                    HttpHeader("A", std::string("b\0c", 3))}) {
    request_.headers = {{name, value}};
    EXPECT_EQ(FailureOfSend().kind, ErrorKind::kInvalid);
  }
  request_.headers = {};
  for (const std::string url : {"", "file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1", "HTTPS",
                                "http://", "http://127.0.0.1:99999/", "http://a b/"}) {
    request_.url = url;
    EXPECT_EQ(FailureOfSend().kind, ErrorKind::kInvalid) << url;
  }
  EXPECT_TRUE(server_->Requests().empty());
}

TEST_F(HttpTest, MessagesTellNoSecret) {
  AnswerWith({.raw = "garbage", .then = Then::kClose});
  request_.url = "http://user:secret@" + server_->Host() + "/a?token=secret";
  const std::string message = FailureOfSend().message;
  EXPECT_THAT(message, HasSubstr("'http://" + server_->Host() + "/a'"));
  EXPECT_THAT(message, Not(HasSubstr("secret")));
  request_.url = "ftp://user:secret@host/a\x1b?token=secret";
  EXPECT_EQ(FailureOfSend().message, "'ftp://host/a\\x1b' is no http address");
}

TEST_F(HttpTest, AProxyIsAskedForWhatIsElsewhere) {
  AnswerWith({200, {}, "through"});
  request_.url = "http://registry.example.org/v2/";
  request_.proxy = "http://me:hidden@" + server_->Host();
  const auto response = Send();
  ASSERT_TRUE(response) << response.error().message;
  const Request asked = server_->Requests().at(0);
  EXPECT_EQ(asked.target, "http://registry.example.org/v2/");
  EXPECT_EQ(asked.Header("Proxy-Authorization"), "Basic bWU6aGlkZGVu");
}

TEST_F(HttpTest, AProxyOfTheEnvironmentIsNotAskedForThisMachine) {
  AnswerWith({200, {}, "direct"});
  // NOLINTBEGIN(concurrency-mt-unsafe): nobody else reads the environment here.
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  ::unsetenv("no_proxy");
  EXPECT_TRUE(Send());
  const std::string elsewhere = request_.url;
  request_.url = "http://registry.example.org/";
  EXPECT_EQ(FailureOfSend().kind, ErrorKind::kUnavailable);
  // Who asks for a proxy gets it, for this machine too.
  request_.url = elsewhere;
  request_.proxy = "http://127.0.0.1:1";
  EXPECT_EQ(FailureOfSend().kind, ErrorKind::kUnavailable);
  ::unsetenv("http_proxy");
  // NOLINTEND(concurrency-mt-unsafe)
}

TEST_F(HttpTest, AProxyThatRefusesIsNamedWithoutItsPassword) {
  AnswerWith({407, {{"Proxy-Authenticate", "Basic realm=x"}}, ""});
  request_.url = "https://registry.example.org/";
  request_.proxy = "http://me:hidden@" + server_->Host();
  const Error refused = FailureOfSend();
  EXPECT_EQ(refused.kind, ErrorKind::kDenied);
  EXPECT_THAT(refused.message, HasSubstr("the proxy answers 407"));
  EXPECT_THAT(refused.message, Not(HasSubstr("hidden")));
  for (const char* proxy :
       {"http://me:hidden@", "ftp://me:hidden@127.0.0.1:1", "me:hidden@127.0.0.1",
        "http://me:hidden@127.0.0.1:99999", "http://me:hidden@[::1"}) {
    request_.proxy = proxy;
    EXPECT_THAT(FailureOfSend().message, Not(HasSubstr("hidden"))) << proxy;
  }
}

TEST_F(HttpTest, AuthoritiesAreCertificates) {
  AnswerWith({200, {}, ""});
  request_.url = "https://" + server_->Host() + "/";
  request_.certificate_authorities = "no certificate at all";
  EXPECT_FALSE(Send());
}

TEST_F(HttpTest, ConnectionsAreKeptAndReplacedWhenTheyDied) {
  AnswerWith({200, {}, "ok"});
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(Send()->text, "ok");
  EXPECT_EQ(server_->ConnectionCount(), 1U);
  AnswerWith({200, {}, "ok", "", Then::kClose});
  for (int i = 0; i < 3; ++i) {
    const auto response = Send();
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->text, "ok");
  }
  EXPECT_EQ(server_->ConnectionCount(), 3U);
}

TEST_F(HttpTest, ManyThreadsMaySend) {
  server_ = std::make_unique<TestHttpServer>(
      [](const Request& request) { return Answer{200, {}, request.target}; });
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 20; ++k) {
        const std::string target = "/" + std::to_string(i) + "/" + std::to_string(k);
        HttpRequest request;
        request.url = server_->Url(target);
        const auto response = http_->Send(request, nullptr);
        if (response && response->text == target) ++right;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(right, 160);
  EXPECT_LE(server_->ConnectionCount(), 8U);
}

}  // namespace
}  // namespace plumb::host
