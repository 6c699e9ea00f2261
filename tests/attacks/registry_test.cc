// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "registry/connect.h"
#include "tests/fake_registry.h"

// A registry, a token service, or whoever sits between, that wants the login, the tokens, the
// memory or the patience of whoever asks it.
namespace plumb::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

using Scheme = ConnectOptions::Scheme;

constexpr char kHost[] = "registry.example.org";
const std::string kOrigin = "https://registry.example.org/";
const std::string kRepository = kOrigin + "v2/models/tiny/";
const std::string kTags = "GET " + kRepository + "tags/list";
const std::string kWeights = "the weights";

FakeAnswer Bearer(const std::string& realm, const std::string& more = "") {
  return {401, {{"WWW-Authenticate", "Bearer realm=\"" + realm + "\"" + more}}, {}};
}
FakeAnswer Redirect(const std::string& location, int status = 307) {
  return {status, {{"Location", location}}, {}};
}

class RegistryAttack : public testing::Test {
 protected:
  RegistryAttack() { world_.LogIn(kHost); }

  oci::Descriptor Weights() const {
    return {"application/x", Sha256(AsBytes(kWeights)), kWeights.size()};
  }
  std::string Blob() const { return "GET " + kRepository + "blobs/" + Weights().digest.ToString(); }
  Status FetchBlob() {
    sink_ = MemorySink(1 << 20);
    return remote_->FetchBlob(Weights(), 0, sink_, world_.progress);
  }
  Status PushBlob() {
    return remote_->PushBlob(
        Weights(),
        [](std::uint64_t) -> Result<std::unique_ptr<ByteSource>> {
          return std::unique_ptr<ByteSource>(std::make_unique<MemorySource>(AsBytes(kWeights)));
        },
        world_.progress);
  }
  // Makes the registry one that wants the login with every request.
  void OnKnown(const std::string& what, FakeAnswer answer) {
    world_.http.On(what, [answer](const Asked& asked) -> FakeAnswer {
      if (asked.Header("Authorization") == kBasic) return answer;
      return {401, {{"WWW-Authenticate", "Basic realm=x"}}, {}};
    });
  }

  FakeWorld world_;
  std::unique_ptr<Remote> remote_ = world_.Connect(kHost);
  MemorySink sink_ = MemorySink(0);
};

// Rule: a login goes to the registry's own host, or by https beneath its domain; else the realm is
// refused, not asked without it (CVE-2025-51471).
TEST_F(RegistryAttack, ARealmElsewhereGetsNoLogin) {
  const struct {
    std::string host;
    std::string realm;
  } cases[] = {
      {kHost, "https://evil.example.net/token"},
      {kHost, "https://registry.example.org.evil.net/token"},
      {kHost, "https://evilexample.org/token"},
      {kHost, "https://evil-registry.example.org.net/token"},
      {kHost, "https://registry.example.org@evil.net/token"},
      {kHost, "https://registry.example.org\\@evil.net/token"},
      {kHost, "https://evil.net#registry.example.org/token"},
      {kHost, "https://evil.net?registry.example.org/token"},
      {kHost, "//evil.net/token"},
      {kHost, "/token"},
      {kHost, "file:///etc/passwd"},
      // Its own host, but for all to read on the way.
      {kHost, "http://registry.example.org/token"},
      {kHost, "http://registry.example.org:443/token"},
      // Everybody may be beneath these.
      {"example.org", "https://evil.org/token"},
      {"example.co.uk", "https://evil.co.uk/token"},
      {"registry", "https://evil.registry/token"},
      {"localhost:5000", "https://evil.localhost/token"},
      // Addresses have no domain.
      {"10.0.0.1", "https://10.0.0.2/token"},
      {"10.0.0.1:5000", "https://evil.0.0.1/token"},
      {"[2001:db8::1]", "https://[2001:db8::2]/token"},
  };
  for (const auto& [host, realm] : cases) {
    FakeWorld world;
    world.LogIn(host);
    world.http.On("GET https://" + host + "/v2/models/tiny/tags/list", {Bearer(realm)});
    const auto tags = world.Connect(host)->ListTags();
    ASSERT_FALSE(tags) << realm;
    EXPECT_THAT(tags.error().kind, testing::AnyOf(ErrorKind::kDenied, ErrorKind::kInvalid))
        << realm;
    EXPECT_EQ(world.http.asked().size(), 1U) << realm;
  }
}

// Rule: by plain http a login stays on the very host, whatever the domain.
TEST_F(RegistryAttack, ARealmNamedWithoutEncryptionGetsNoLoginElsewhere) {
  for (const std::string realm :
       {"http://auth.example.org/token", "https://auth.example.org/token", "http://evil/token"}) {
    FakeWorld world;
    world.LogIn(kHost);
    world.http.On("GET http://registry.example.org/v2/models/tiny/tags/list", {Bearer(realm)});
    EXPECT_EQ(world.Connect(kHost, Scheme::kHttp)->ListTags().error().kind, ErrorKind::kDenied);
    EXPECT_EQ(world.http.asked().size(), 1U) << realm;
  }
}

// Rule: what is refused with a login is fine without: then there is nothing to steal.
TEST_F(RegistryAttack, WhoHasNoLoginMayAskAnyTokenServiceByHttps) {
  world_.credentials.known.clear();
  world_.http.On(kTags, [](const Asked& asked) {
    return asked.Header("Authorization") == "Bearer t" ? FakeAnswer{200, {}, R"({"tags":["v1"]})"}
                                                       : Bearer("https://auth.example.net/token");
  });
  world_.http.On("GET https://auth.example.net/token", {{200, {}, R"({"token":"t"})"}});
  EXPECT_TRUE(remote_->ListTags());
  EXPECT_EQ(world_.SecretsSentOutside(kOrigin), 0U);
}

// Rule: a token service's redirect is no token; nobody is told the login because of it.
TEST_F(RegistryAttack, ATokenServiceRedirectsNobody) {
  world_.http.On(kTags, {Bearer(kOrigin + "token")});
  for (const int status : {301, 302, 303, 307, 308}) {
    world_.http.On("GET " + kOrigin + "token", {Redirect("https://evil.net/token", status)});
    EXPECT_FALSE(remote_->ListTags()) << status;
  }
  EXPECT_EQ(world_.SecretsSentOutside(kOrigin), 0U);
}

// Rule: what authorises (Authorization, the client certificate) ends with the first step to another
// scheme, host or port, and does not come back.
TEST_F(RegistryAttack, RedirectsTakeNoSecretsAlong) {
  for (const std::string elsewhere :
       {"https://cdn.example.org/x", "https://registry.example.org:8443/x",
        "https://registry.example.org.evil.net/x", "https://evil.net/x"}) {
    for (const int status : {301, 302, 303, 307, 308}) {
      OnKnown(Blob(), Redirect(elsewhere, status));
      world_.http.On("GET " + elsewhere, {{200, {}, kWeights}});
      EXPECT_TRUE(FetchBlob()) << elsewhere << status;
      EXPECT_EQ(sink_.text(), kWeights);
    }
    // Who is asked for a login there has none; not even if he sends us back.
    world_.http.On("GET " + elsewhere, {{401, {{"WWW-Authenticate", "Basic realm=x"}}, {}}});
    EXPECT_EQ(FetchBlob().error().kind, ErrorKind::kDenied);
    world_.http.On("GET " + elsewhere, {Redirect(kOrigin + "back")});
    world_.http.On("GET " + kOrigin + "back", [](const Asked& asked) -> FakeAnswer {
      EXPECT_EQ(asked.Header("Authorization"), "");
      EXPECT_EQ(asked.client_certificate, "");
      return {200, {}, kWeights};
    });
    EXPECT_TRUE(FetchBlob());
  }
  EXPECT_EQ(world_.SecretsSentOutside(kOrigin), 0U);
  EXPECT_GT(world_.SecretsSentOutside("nowhere"), 0U);
}

// Rule: from https nothing leads to http; not a redirect, nor where an upload shall go on.
TEST_F(RegistryAttack, EncryptionIsNotTakenAway) {
  OnKnown(Blob(), Redirect("http://registry.example.org/x"));
  EXPECT_EQ(FetchBlob().error().kind, ErrorKind::kDenied);
  OnKnown(kTags, Redirect("http://evil.net/x"));
  EXPECT_EQ(remote_->ListTags().error().kind, ErrorKind::kDenied);
  OnKnown("POST " + kRepository + "blobs/uploads/",
          {202, {{"Location", "http://registry.example.org/upload"}}, {}});
  EXPECT_EQ(PushBlob().error().kind, ErrorKind::kDenied);
  for (const std::string& one : world_.http.Log())
    EXPECT_THAT(one, HasSubstr(" https://"));
}

// Rule: only http addresses are followed, at most five times.
TEST_F(RegistryAttack, RedirectsLeadNowhereStrangeAndEnd) {
  for (const std::string location : {"", "file:///etc/passwd", "gopher://evil/", "//",
                                     "https://a@b/", "/\r\nX: y", "https://[/"}) {
    OnKnown(Blob(), Redirect(location));
    EXPECT_EQ(FetchBlob().error().kind, ErrorKind::kInvalid) << location;
    OnKnown("POST " + kRepository + "blobs/uploads/", {202, {{"Location", location}}, {}});
    EXPECT_EQ(PushBlob().error().kind, ErrorKind::kInvalid) << location;
  }
  OnKnown(Blob(), Redirect(Blob().substr(4)));
  const std::size_t before = world_.http.asked().size();
  EXPECT_EQ(FetchBlob().error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(world_.http.asked().size() - before, 6U);
}

// Rule: we ask for the scope that we need, and escape what a registry says; so it cannot have us
// fetch it a token to somebody else's repository.
TEST_F(RegistryAttack, AChallengeCannotWidenItsScope) {
  world_.http.On(
      kTags, {Bearer(kOrigin + "token?a=b", R"(,scope="repository:other/private:pull,push",)"
                                            R"(service="s&scope=repository:other/private:push")")});
  world_.http.On("GET " + kOrigin + "token", {{404}});
  EXPECT_FALSE(remote_->ListTags());
  EXPECT_EQ(world_.http.asked().back().url,
            kOrigin +
                "token?a=b&service=s%26scope%3drepository%3aother%2fprivate%3apush&"
                "scope=repository%3amodels%2ftiny%3apull");
}

// Rule: a token is visible ASCII, or none, so that no header can be smuggled in with it.
TEST_F(RegistryAttack, ATokenCannotBringHeadersAlong) {
  world_.http.On(kTags, {Bearer(kOrigin + "token")});
  for (const std::string token : {R"(t\r\nX-Evil: y)", R"(t\nHost: evil)", R"(t\u0000)", R"(t u)",
                                  R"(t\u00e9)", R"(\ud83d\ude00)", ""}) {
    world_.http.On("GET " + kOrigin + "token", {{200, {}, R"({"token":")" + token + "\"}"}});
    EXPECT_FALSE(remote_->ListTags()) << token;
  }
  for (const Asked& asked : world_.http.asked())
    EXPECT_THAT(asked.Header("Authorization"), testing::AnyOf("", kBasic));
}

// Rule: what is shown names hosts and what they say, never what proves who we are.
TEST_F(RegistryAttack, ErrorsTellNoSecrets) {
  const std::string token = "eyJhbGciOi.token";
  world_.http.On("GET " + kOrigin + "token", {{200, {}, R"({"token":")" + token + "\"}"}});
  const FakeAnswer answers[] = {
      NoAnswer(),
      {403},
      {500},
      {200, {}, "{"},
      Redirect("https://cdn.example.net/x?sig=signature"),
      Redirect("http://cdn.example.net/x?sig=signature"),
      Redirect("ftp://cdn.example.net/x?sig=signature"),
  };
  world_.http.On("GET https://cdn.example.net/x", {{403}});
  for (const FakeAnswer& answer : answers) {
    world_.http.On(kTags, [&](const Asked& asked) {
      return asked.Header("Authorization") == "Bearer " + token ? answer
                                                                : Bearer(kOrigin + "token");
    });
    const auto tags = remote_->ListTags();
    ASSERT_FALSE(tags);
    std::string shown = tags.error().message + tags.error().hint;
    for (const std::string& warning : world_.progress.warnings)
      shown += warning;
    for (const std::string& secret :
         {token, std::string("secret"), std::string(kBasic).substr(6), std::string("signature")})
      EXPECT_THAT(shown, Not(HasSubstr(secret)));
  }
}

// Rule: a login that was refused is not sent again by itself: an account could be locked by it.
TEST_F(RegistryAttack, ARegistryThatAlwaysRefusesIsNotAskedForEver) {
  world_.http.On(kTags, {{401, {{"WWW-Authenticate", "Basic realm=x"}}, {}}});
  EXPECT_EQ(remote_->ListTags().error().kind, ErrorKind::kDenied);
  EXPECT_EQ(world_.http.asked().size(), 2U);
  world_.http.On(kTags, {Bearer(kOrigin + "token")});
  world_.http.On("GET " + kOrigin + "token", {{200, {}, R"({"token":"t"})"}});
  EXPECT_EQ(remote_->ListTags().error().kind, ErrorKind::kDenied);
  EXPECT_EQ(world_.http.asked().size(), 2U + 3U);
}

// Rule: a blob has as many bytes as its descriptor says; the first one more ends it.
TEST_F(RegistryAttack, ABlobThatDoesNotEndIsEnded) {
  const FakeAnswer endless = {200, {{"Transfer-Encoding", "chunked"}}, std::string(16 << 20, 'x')};
  world_.http.On(Blob(), {endless});
  EXPECT_EQ(FetchBlob().error().kind, ErrorKind::kCorrupt);
  EXPECT_LE(sink_.text().size(), kWeights.size());
  EXPECT_EQ(world_.http.asked().size(), 1U);
}

// Rule: a connection that brings next to nothing each time counts as broken.
TEST_F(RegistryAttack, ADripOfBytesEnds) {
  const std::string drop = "x";
  std::size_t sent = 0;
  oci::Descriptor large = Weights();
  large.size = std::uint64_t{1} << 40;
  world_.http.On(Blob(), [&](const Asked&) -> FakeAnswer {
    const std::string at = std::to_string(sent++);
    return {sent == 1 ? 200 : 206,
            {{"Transfer-Encoding", "chunked"}, {"Content-Range", "bytes " + at + "-" + at + "/*"}},
            drop};
  });
  EXPECT_EQ(remote_->FetchBlob(large, 0, sink_ = MemorySink(100), world_.progress).error().kind,
            ErrorKind::kUnavailable);
  EXPECT_EQ(sent, 5U);
}

// Rule: a list of tags has an end, and goes on where it began.
TEST_F(RegistryAttack, AListThatDoesNotEndIsEnded) {
  int pages = 0;
  world_.http.On(kTags, [&](const Asked&) -> FakeAnswer {
    const std::string next = "<list?last=" + std::to_string(++pages) + ">; rel=next";
    return {200, {{"Link", next}}, R"({"tags":["v1"]})"};
  });
  EXPECT_EQ(remote_->ListTags().error().kind, ErrorKind::kExhausted);
  EXPECT_LE(pages, 1000);
  for (const std::string next :
       {"https://evil.net/v2/models/tiny/tags/list", "//evil.net/", "http://registry.example.org/",
        "https://registry.example.org:8443/", "file:///etc/passwd"}) {
    world_.http.On(kTags, {{200, {{"Link", "<" + next + ">; rel=next"}}, R"({"tags":["v1"]})"}});
    EXPECT_EQ(remote_->ListTags().error().kind, ErrorKind::kInvalid) << next;
  }
  std::string huge = R"({"tags":[")" + std::string(5 << 20, 'v') + R"("]})";
  world_.http.On(kTags, {{200, {}, huge}});
  EXPECT_EQ(remote_->ListTags().error().kind, ErrorKind::kExhausted);
  world_.http.On(kTags, {{200, {}, std::string(100'000, '[')}});
  EXPECT_FALSE(remote_->ListTags());
}

// Rule: a registry cannot choose where a manifest or blob lies; a name is checked, a digest is
// 32 bytes, before either becomes part of an address (CVE-2024-37032).
TEST_F(RegistryAttack, NamesDoNotLeaveTheirRepository) {
  for (const std::string repository :
       {"", "..", "a/../b", "/a", "a//b", "a/", "a?b", "a#b", "a%2f..", "A", "a b", "a\r\nb"})
    EXPECT_FALSE(ConnectRegistry(world_.network(), kHost, repository, {})) << repository;
  for (const std::string tag : {"../../other/manifests/v1", "v1?x", "v1#x", "%2e%2e", "v1\r\nX: y"})
    EXPECT_FALSE(remote_->FetchManifest(tag, std::nullopt)) << tag;
  EXPECT_TRUE(world_.http.asked().empty());
}

}  // namespace
}  // namespace plumb::registry
