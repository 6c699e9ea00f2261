// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "oci/media_types.h"
#include "registry/select.h"
#include "tests/fake_registry.h"

// An index in which somebody who means no good, or a broken registry, lists kits.
namespace plumb::registry {
namespace {

using testing::HasSubstr;

constexpr char kBase[] = "https://registry.example.org/v2/models/tiny/";
const std::string kManifestType(oci::kManifestMediaType);
const std::string kIndexType(oci::kIndexMediaType);

class IndexAttack : public testing::Test {
 protected:
  static std::string ManifestOf(const std::string& config_type, const std::string& more = "") {
    return R"({"schemaVersion":2,"config":{"mediaType":")" + config_type +
           R"(","digest":"sha256:)" + std::string(64, 'a') + R"(","size":2},"layers":[])" + more +
           "}";
  }
  static std::string Kit(const std::string& note) {
    return ManifestOf(std::string(oci::kModelKitConfigMediaType),
                      R"(,"annotations":{"note":")" + note + "\"}");
  }
  static std::string Entry(const std::string& bytes, const std::string& type = kManifestType,
                           std::uint64_t size_more = 0, const std::string& more = "") {
    return R"({"mediaType":")" + type + R"(","digest":")" + Sha256(AsBytes(bytes)).ToString() +
           R"(","size":)" + std::to_string(bytes.size() + size_more) + more + "}";
  }
  static std::string IndexOf(const std::string& entries) {
    return R"({"schemaVersion":2,"manifests":[)" + entries + "]}";
  }
  void ServeTag(const std::string& bytes, const std::string& type = kIndexType) {
    world_.http.On("GET " + std::string(kBase) + "manifests/v1",
                   {{200, {{"Content-Type", type}}, bytes}});
  }
  void Serve(const std::string& bytes, const std::string& type = kManifestType) {
    ServeAs(Sha256(AsBytes(bytes)), bytes, type);
  }
  void ServeAs(const Digest& digest, const std::string& bytes, const std::string& type) {
    world_.http.On("GET " + std::string(kBase) + "manifests/" + digest.ToString(),
                   {{200, {{"Content-Type", type}}, bytes}});
  }
  Result<RemoteManifest> Fetch(const std::string& platform = "") {
    Selection selection;
    selection.tag = "v1";
    selection.platform = platform;
    selection.is_wanted = [](const oci::Manifest& manifest) {
      return oci::FormatOfConfig(manifest.config.media_type).has_value();
    };
    return FetchSelected(*world_.Connect("registry.example.org"), selection);
  }
  ErrorKind KindOfFetch() {
    const auto fetched = Fetch();
    EXPECT_FALSE(fetched);
    return fetched ? ErrorKind::kInterrupted : fetched.error().kind;
  }

  FakeWorld world_;
};

TEST_F(IndexAttack, TheOneKitAmongImagesIsTaken) {
  const std::string image = ManifestOf("application/vnd.oci.image.config.v1+json");
  Serve(image);
  Serve(Kit("a"));
  ServeTag(IndexOf(Entry(image) + "," + Entry(Kit("a"))));
  const auto fetched = Fetch();
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_EQ(fetched->bytes, Kit("a"));
  ServeTag(IndexOf(Entry(Kit("a"))), std::string(oci::kDockerIndexMediaType));
  EXPECT_TRUE(Fetch());
}

// Rule: of several nobody but the person chooses.
TEST_F(IndexAttack, OfSeveralKitsNoneIsGuessed) {
  Serve(Kit("a"));
  Serve(Kit("b"));
  ServeTag(IndexOf(
      Entry(Kit("a"), kManifestType, 0, R"(,"platform":{"os":"linux","architecture":"arm64"})") +
      "," +
      Entry(Kit("b"), kManifestType, 0, R"(,"platform":{"os":"linux","architecture":"amd64"})")));
  const auto fetched = Fetch();
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().kind, ErrorKind::kInvalid);
  for (const std::string& kit : {Kit("a"), Kit("b")})
    EXPECT_THAT(fetched.error().message, HasSubstr(Sha256(AsBytes(kit)).ToString()));
  EXPECT_THAT(fetched.error().message, HasSubstr("linux/arm64"));
  EXPECT_EQ(Fetch("linux/amd64")->bytes, Kit("b"));
  EXPECT_EQ(Fetch("linux").error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(Fetch("linux/arm").error().kind, ErrorKind::kUnsupported);
}

// Rule: an entry is what the index says of it: digest, size, type.
TEST_F(IndexAttack, AnEntryThatIsAnotherIsCorrupt) {
  Serve(Kit("a"));
  ServeTag(IndexOf(Entry(Kit("a"), kManifestType, 1)));
  EXPECT_EQ(KindOfFetch(), ErrorKind::kCorrupt);
  ServeTag(IndexOf(Entry(Kit("a"), std::string(oci::kDockerManifestMediaType))));
  EXPECT_EQ(KindOfFetch(), ErrorKind::kCorrupt);
  ServeTag(IndexOf(Entry(Kit("a"))));
  ServeAs(Sha256(AsBytes(Kit("a"))), Kit("b"), kManifestType);
  EXPECT_EQ(KindOfFetch(), ErrorKind::kCorrupt);
  // An entry whose manifest is not there is damage, not absence.
  world_.http.On("GET " + std::string(kBase) + "manifests/" + Sha256(AsBytes(Kit("a"))).ToString(),
                 {{404}});
  EXPECT_EQ(KindOfFetch(), ErrorKind::kCorrupt);
}

// Rule: what cannot be held here is passed over, and named if nothing else is there.
TEST_F(IndexAttack, AnEntryOfAnotherAlgorithmIsInNobodysWay) {
  const std::string other = R"({"mediaType":")" + kManifestType + R"(","digest":"sha512:)" +
                            std::string(128, '0') +
                            R"(","size":5,"platform":{"os":"linux","architecture":"arm64"}})";
  Serve(Kit("a"));
  ServeTag(IndexOf(other + "," + Entry(Kit("a"))));
  const auto fetched = Fetch();
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_EQ(fetched->bytes, Kit("a"));
  ServeTag(IndexOf(other));
  for (const std::string platform : {"", "linux/arm64"}) {
    const auto refused = Fetch(platform);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kUnsupported);
    EXPECT_THAT(refused.error().message, HasSubstr("sha512:000"));
  }
  // A manifest whose layers are of another algorithm.
  std::string strange = Kit("b");
  strange.replace(strange.find("sha256:"), 7 + 64, "sha512:" + std::string(128, 'a'));
  Serve(strange);
  ServeTag(IndexOf(Entry(strange) + "," + Entry(Kit("a"))));
  EXPECT_EQ(Fetch()->bytes, Kit("a"));
  ServeTag(IndexOf(Entry(strange)));
  const auto refused = Fetch();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("sha512:aaa"));
}

// Rule: one document is one thing. What calls itself an index and is a manifest, or the other way
// round, or both at once, is neither.
TEST_F(IndexAttack, ADocumentIsNotTwoThings) {
  Serve(Kit("a"));
  const std::string index = IndexOf(Entry(Kit("a")));
  ServeTag(Kit("a"));
  EXPECT_EQ(KindOfFetch(), ErrorKind::kInvalid);
  ServeTag(Kit("a").substr(0, Kit("a").size() - 1) + R"(,"manifests":[)" + Entry(Kit("a")) + "]}");
  EXPECT_EQ(KindOfFetch(), ErrorKind::kInvalid);
  // An index that an index calls a manifest.
  Serve(index);
  ServeTag(IndexOf(Entry(index)));
  EXPECT_EQ(KindOfFetch(), ErrorKind::kUnsupported);
}

// Rule: an index is followed once: what it leads to has an end.
TEST_F(IndexAttack, NestedIndexesAreNotFollowed) {
  const std::string inner = IndexOf(Entry(Kit("a")));
  ServeTag(IndexOf(Entry(inner, kIndexType)));
  const auto fetched = Fetch();
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(fetched.error().message, HasSubstr(kIndexType));
  EXPECT_EQ(world_.http.asked().size(), 1U);
}

// Rule: at most 32 manifests are fetched for one name.
TEST_F(IndexAttack, ManyEntriesAreNotFetched) {
  std::string entries = Entry(Kit("0"));
  for (int i = 1; i < 33; ++i)
    entries += "," + Entry(Kit(std::to_string(i)));
  ServeTag(IndexOf(entries));
  EXPECT_EQ(KindOfFetch(), ErrorKind::kExhausted);
  EXPECT_EQ(world_.http.asked().size(), 1U);
}

// Rule: what an index says of its entries is printed as text, never as terminal controls.
TEST_F(IndexAttack, TypesAndPlatformsAreShownHarmlessly) {
  const std::string image = ManifestOf("application/vnd.oci.image.config.v1+json");
  Serve(image);
  ServeTag(IndexOf(Entry(image, kManifestType, 0,
                         R"(,"artifactType":"\u001b[2J)" + std::string(5000, 'x') +
                             R"(","platform":{"os":"\u001b]0;","architecture":7})")));
  const auto fetched = Fetch();
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().message.find('\x1b'), std::string::npos);
  EXPECT_LT(fetched.error().message.size(), 1000U);
}

}  // namespace
}  // namespace plumb::registry
