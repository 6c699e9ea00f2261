// SPDX-License-Identifier: MIT OR Apache-2.0
// Which registries are asked for bases, and how; and that an answer is never mistaken for another.
#include "verbs/base_puller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "oci/manifest.h"
#include "tests/fake_registry.h"
#include "tests/temporary_directory.h"
#include "tests/workbench.h"

namespace plumb::verbs {
namespace {

using registry::FakeAnswer;
using testing::HasSubstr;
using testing::IsEmpty;

// A kit without layers, whose model's path is `base`.
struct FakeKit {
  explicit FakeKit(const std::string& base)
      : config(R"({"manifestVersion":"1.0.0","package":{},"model":{"path":")" + base + R"("}})"),
        manifest(oci::WriteManifest(
            {std::string(oci::kModelKitConfigMediaType), Sha256(AsBytes(config)), config.size()},
            {})),
        id(Sha256(AsBytes(manifest))) {}
  std::string config;
  std::string manifest;
  Digest id;
};

class BasePullerTest : public testing::Test {
 protected:
  void Serve(const std::string& origin, const std::string& name, const std::string& tag,
             const FakeKit& kit) {
    const std::string base = "GET " + origin + "/v2/" + name;
    const FakeAnswer manifest{
        200, {{"Content-Type", std::string(oci::kManifestMediaType)}}, kit.manifest};
    http_.On(base + "/manifests/" + tag, {manifest});
    http_.On(base + "/manifests/" + kit.id.ToString(), {manifest});
    http_.On(base + "/blobs/" + Sha256(AsBytes(kit.config)).ToString(), {{200, {}, kit.config}});
  }

  std::unique_ptr<kit::BaseResolver> Make(BaseOptions options = {}) {
    options.parts = BaseParts::kConfig;
    auto made = MakeBasePuller(workspace_, std::move(options), progress_);
    EXPECT_TRUE(made) << made.error().message;
    return *std::move(made);
  }

  static oci::Reference Name(const std::string& text) { return *oci::Reference::Parse(text); }

  TemporaryDirectory directory_;
  registry::FakeHttp http_;
  registry::FakeClock clock_;
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  HomeOnly environment_{directory_.path()};
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Processes> processes_ = host::MakeProcesses();
  std::unique_ptr<host::Links> links_ = host::MakeLinks();
  Workspace workspace_{{*files_, clock_, *entropy_, environment_, http_, *processes_, *links_}, 2};
  SilentProgress progress_;
};

constexpr char kHost[] = "https://one.example.org";

TEST_F(BasePullerTest, WhatIsFetchedIsKeptAndNotAskedForAgain) {
  const FakeKit base("");
  Serve(kHost, "team/base", "v1", base);
  const auto first = Make()->Resolve(Name("one.example.org/team/base:v1"));
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->id, base.id);
  const std::size_t asked = http_.Log().size();
  const auto second = Make()->Resolve(Name("one.example.org/team/base@" + base.id.ToString()));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->id, base.id);
  EXPECT_EQ(http_.Log().size(), asked);
  // It is no kit of this store: its layers are not here.
  EXPECT_THAT(*(*workspace_.Store())->ListKits(), IsEmpty());
}

TEST_F(BasePullerTest, ThatItIsNotThereIsNotTheSameAsNoAnswer) {
  http_.On("GET https://one.example.org/v2/team/base/manifests/v1", {{404}});
  http_.On("GET https://two.example.org/v2/team/base/manifests/v1", {registry::NoAnswer()});
  http_.On("GET https://three.example.org/v2/team/base/manifests/v1", {{403}});
  EXPECT_EQ(Make()->Resolve(Name("one.example.org/team/base:v1")).error().kind,
            ErrorKind::kNotFound);
  EXPECT_EQ(Make()->Resolve(Name("two.example.org/team/base:v1")).error().kind,
            ErrorKind::kUnavailable);
  EXPECT_EQ(Make()->Resolve(Name("three.example.org/team/base:v1")).error().kind,
            ErrorKind::kDenied);
}

TEST_F(BasePullerTest, ANameWithoutATagOrAHostAsksNobody) {
  for (const char* name : {"model.d/weights.bin", "one.example.org/team/base", "base:v1"})
    EXPECT_EQ(Make()->Resolve(Name(name)).error().kind, ErrorKind::kNotFound) << name;
  EXPECT_THAT(http_.Log(), IsEmpty());
}

TEST_F(BasePullerTest, AnotherKitThanItsDigestSaysIsCorrupt) {
  const FakeKit base("");
  const FakeKit evil("evil:v1");
  http_.On("GET https://one.example.org/v2/team/base/manifests/" + base.id.ToString(),
           {{200, {{"Content-Type", std::string(oci::kManifestMediaType)}}, evil.manifest}});
  const auto resolved = Make()->Resolve(Name("one.example.org/team/base@" + base.id.ToString()));
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().kind, ErrorKind::kCorrupt);
}

TEST_F(BasePullerTest, APinDecidesWhateverTheTagMeansNow) {
  const FakeKit before("");
  const FakeKit now("moved:v1");
  Serve(kHost, "team/base", "v1", now);
  Serve(kHost, "team/base", "v0", before);
  BaseOptions options;
  options.pins = {{"one.example.org/team/base:v1", before.id}};
  const auto resolved = Make(options)->Resolve(Name("one.example.org/team/base:v1"));
  ASSERT_TRUE(resolved) << resolved.error().message;
  EXPECT_EQ(resolved->id, before.id);
}

TEST_F(BasePullerTest, WhereAllMustBePinnedATagThatIsNotAsksNobody) {
  BaseOptions options;
  options.unpinned = Unpinned::kRefuse;
  const auto refused = Make(options)->Resolve(Name("one.example.org/team/base:v1"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_THAT(http_.Log(), IsEmpty());
}

// A base names the next one. That it may be asked without TLS was not said of that one's host.
TEST_F(BasePullerTest, OnlyTheHostInOnesOwnBlueprintIsAskedWithoutTls) {
  const FakeKit deepest("");
  const FakeKit middle("two.example.org/x/deep@" + deepest.id.ToString());
  Serve("http://one.example.org", "team/base", "v1", middle);
  Serve("https://two.example.org", "x/deep", "v1", deepest);
  BaseOptions options;
  options.first = FirstWrittenBy::kPerson;
  options.network.plain_http = PlainHttp::kYes;
  const auto resolver = Make(options);
  const auto bases = kit::ResolveBases(Name("one.example.org/team/base:v1"), *resolver);
  ASSERT_TRUE(bases) << bases.error().message;
  EXPECT_EQ(bases->size(), 2U);
  for (const std::string& line : http_.Log())
    EXPECT_TRUE(line.starts_with("GET http://one.") || line.starts_with("GET https://two."))
        << line;
}

// Whoever made the kit that the person named chose the host of its base.
TEST_F(BasePullerTest, WhatIsMeantForOneHostIsForNoOther) {
  const FakeKit base("");
  Serve("https://two.example.org", "x/deep", "v1", base);
  directory_.Write("cert.pem", "");
  BaseOptions options;
  options.host = "one.example.org:5000";
  options.network.plain_http = PlainHttp::kYes;
  ASSERT_TRUE(Make(options)->Resolve(Name("two.example.org/x/deep:v1")));
  options.network.plain_http = PlainHttp::kNo;
  options.network.client_certificate = directory_.path() + "/cert.pem";
  options.network.client_key = options.network.client_certificate;
  // It is not even read.
  options.network.authorities_file = directory_.path() + "/missing.pem";
  ASSERT_TRUE(Make(options)->Resolve(Name("two.example.org/x/deep:v1")));
  for (const registry::Asked& asked : http_.asked()) {
    EXPECT_THAT(asked.url, testing::StartsWith("https://two."));
    EXPECT_THAT(asked.client_certificate, IsEmpty());
  }
}

// "plumb unpack m:v1": the first host that is asked is one that the kit's author wrote.
TEST_F(BasePullerTest, WhereNoHostWasNamedNothingIsMeantForOne) {
  const FakeKit base("");
  Serve("https://evil.example.org", "x/deep", "v1", base);
  directory_.Write("cert.pem", "");
  BaseOptions options;
  options.network.plain_http = PlainHttp::kYes;
  options.network.tls_verify = host::TlsVerify::kNo;
  ASSERT_TRUE(Make(options)->Resolve(Name("evil.example.org/x/deep:v1")));
  options.network.plain_http = std::nullopt;
  options.network.client_certificate = directory_.path() + "/cert.pem";
  options.network.client_key = options.network.client_certificate;
  options.network.authorities_file = directory_.path() + "/missing.pem";
  ASSERT_TRUE(Make(options)->Resolve(Name("evil.example.org/x/deep:v1")));
  ASSERT_FALSE(http_.asked().empty());
  for (const registry::Asked& asked : http_.asked()) {
    EXPECT_THAT(asked.url, testing::StartsWith("https://evil."));
    EXPECT_EQ(asked.tls_verify, host::TlsVerify::kYes);
    EXPECT_THAT(asked.client_certificate, IsEmpty());
  }
}

TEST_F(BasePullerTest, HowToReachAHostThatAKitNamesIsSaidInTheSettings) {
  http_.On("GET https://lan:5000/v2/team/base/manifests/v1", {registry::NoAnswer()});
  BaseOptions options;
  options.network.plain_http = PlainHttp::kYes;
  const auto unreachable = Make(options)->Resolve(Name("lan:5000/team/base:v1"));
  ASSERT_FALSE(unreachable);
  EXPECT_THAT(unreachable.error().hint,
              HasSubstr("plumb config registry.lan:5000.plain-http true"));
  // Of a host that the person names, the flag.
  options.network.plain_http = std::nullopt;
  options.host = "lan:5000";
  EXPECT_THAT(Make(options)->Resolve(Name("lan:5000/team/base:v1")).error().hint,
              HasSubstr("--plain-http"));
}

TEST_F(BasePullerTest, AFirstBaseThatIsHereIsTheOneThatWasNamed) {
  const FakeKit deepest("");
  const FakeKit middle("two.example.org/x/deep@" + deepest.id.ToString());
  Serve("http://one.example.org", "team/base", "v1", middle);
  Serve("https://two.example.org", "x/deep", "v1", deepest);
  BaseOptions options;
  options.first = FirstWrittenBy::kPerson;
  options.network.plain_http = PlainHttp::kYes;
  ASSERT_TRUE(Make(options)->Resolve(Name("one.example.org/team/base:v1")));
  const auto resolver = Make(options);
  const auto bases =
      kit::ResolveBases(Name("one.example.org/team/base@" + middle.id.ToString()), *resolver);
  ASSERT_TRUE(bases) << bases.error().message;
  EXPECT_THAT(http_.Log().back(), testing::StartsWith("GET https://two."));
}

TEST_F(BasePullerTest, TheDigestOfAnIndexIsNoBase) {
  const FakeKit base("");
  Serve(kHost, "team/base", "v1", base);
  const std::string index = R"({"schemaVersion":2,"mediaType":")" +
                            std::string(oci::kIndexMediaType) + R"(","manifests":[{"mediaType":")" +
                            std::string(oci::kManifestMediaType) + R"(","digest":")" +
                            base.id.ToString() + R"(","size":)" +
                            std::to_string(base.manifest.size()) +
                            // Nobody can ask for this one, and it harms no other.
                            R"(},{"mediaType":")" + std::string(oci::kManifestMediaType) +
                            R"(","digest":"sha512:)" + std::string(128, '0') + R"(","size":5}]})";
  const std::string digest = Sha256(AsBytes(index)).ToString();
  http_.On("GET https://one.example.org/v2/team/base/manifests/" + digest,
           {{200, {{"Content-Type", std::string(oci::kIndexMediaType)}}, index}});
  const auto resolved = Make()->Resolve(Name("one.example.org/team/base@" + digest));
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(resolved.error().hint, HasSubstr("one.example.org/team/base@" + base.id.ToString()));
}

// Each kit may name the next: an endless chain ends.
TEST_F(BasePullerTest, AnEndlessChainEnds) {
  for (int i = 0; i < 20; ++i)
    Serve(kHost, "c", "v" + std::to_string(i),
          FakeKit("one.example.org/c:v" + std::to_string(i + 1)));
  const auto resolver = Make();
  const auto bases = kit::ResolveBases(Name("one.example.org/c:v0"), *resolver);
  ASSERT_FALSE(bases);
  EXPECT_EQ(bases.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(bases.error().message, HasSubstr("reached maximum number of model references"));
  EXPECT_EQ(http_.Log().size(), 2 * kit::kBaseDepthMax);
}

}  // namespace
}  // namespace plumb::verbs
