// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/streams.h"
#include "registry/connect.h"
#include "tests/docker_registry.h"
#include "tests/fake_registry.h"
#include "tests/temporary_directory.h"
#include "tests/zot_like_registry.h"

// What every Referrers must do, on a registry that keeps no list of its own, on one that does, and
// on a layout. Registries that keep one badly are in tests/attacks/referrers_test.cc.
namespace plumb::registry {
namespace {

struct Place {
  virtual ~Place() = default;
  // As another process would see it.
  virtual std::unique_ptr<Repository> Open() = 0;
};

template <typename Registry>
struct RegistryPlace final : Place {
  std::unique_ptr<Repository> Open() override {
    ConnectOptions options;
    options.scheme = ConnectOptions::Scheme::kHttp;
    auto connected = ConnectRegistry({*http, *clock, *entropy, credentials}, registry.host(),
                                     "models/tiny", options);
    EXPECT_TRUE(connected) << connected.error().message;
    return *std::move(connected);
  }

  Registry registry;
  std::unique_ptr<host::Http> http = host::MakeHttp("plumb-test");
  std::unique_ptr<host::Clock> clock = host::MakeClock();
  std::unique_ptr<host::Entropy> entropy = host::MakeEntropy();
  FakeCredentials credentials;
};

struct LayoutPlace final : Place {
  std::unique_ptr<Repository> Open() override {
    return OpenLayout(*files, temporary.path() + "/layout");
  }

  TemporaryDirectory temporary;
  std::unique_ptr<host::Files> files = host::MakeFiles();
};

class ReferrersSuite : public testing::TestWithParam<std::function<std::unique_ptr<Place>()>> {
 protected:
  static oci::Descriptor Describe(const std::string& bytes,
                                  std::string_view type = oci::kManifestMediaType) {
    return {std::string(type), Sha256(AsBytes(bytes)), bytes.size()};
  }
  static std::string ManifestOf(const std::string& more) {
    return R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
           WriteJson(oci::DescriptorToJson(Describe("{}", kConfigType)), JsonStyle::kCompact) +
           R"(,"layers":[])" + more + "}";
  }
  static std::string About(const oci::Descriptor& subject, const std::string& type,
                           const std::string& note) {
    return ManifestOf(R"(,"artifactType":")" + type + R"(","subject":)" +
                      WriteJson(oci::DescriptorToJson(subject), JsonStyle::kCompact) +
                      R"(,"annotations":{"note":")" + note + "\"}");
  }
  void SetUp() override {
    SilentProgress silent;
    const std::string config = "{}";
    const auto open = [&](std::uint64_t) -> Result<std::unique_ptr<ByteSource>> {
      return std::unique_ptr<ByteSource>(std::make_unique<MemorySource>(AsBytes(config)));
    };
    ASSERT_TRUE(repository_->PushBlob(Describe(config, kConfigType), open, silent));
    ASSERT_TRUE(repository_->PushManifest(kit_, kit_bytes_, "v1"));
  }
  void Push(const std::string& bytes) {
    const Status pushed = repository_->PushReferrer(Describe(bytes), bytes);
    ASSERT_TRUE(pushed) << pushed.error().message;
  }
  // "type note" of each, as another process sees them.
  std::vector<std::string> List(std::string_view type = "") {
    const auto found = place_->Open()->ListReferrers(kit_.digest, type);
    EXPECT_TRUE(found) << found.error().message;
    std::vector<std::string> texts;
    for (const Referrer& referrer : *found)
      texts.push_back(referrer.artifact_type + " " + referrer.descriptor.annotations.at(0).second);
    return texts;
  }

  static constexpr char kConfigType[] = "application/vnd.example.config";
  std::unique_ptr<Place> place_ = GetParam()();
  std::unique_ptr<Repository> repository_ = place_->Open();
  const std::string kit_bytes_ = ManifestOf("");
  const oci::Descriptor kit_ = Describe(kit_bytes_);
};

TEST_P(ReferrersSuite, WithoutAnyTheListIsEmpty) {
  EXPECT_EQ(List(), std::vector<std::string>());
  EXPECT_TRUE(repository_->ListReferrers(Sha256(AsBytes("nothing")), "")->empty());
}

TEST_P(ReferrersSuite, WhatIsPushedIsListedOnce) {
  Push(About(kit_, "a/one", "1"));
  Push(About(kit_, "a/two", "2"));
  Push(About(kit_, "a/one", "3"));
  Push(About(kit_, "a/two", "2"));
  EXPECT_THAT(List(), testing::UnorderedElementsAre("a/one 1", "a/two 2", "a/one 3"));
  EXPECT_THAT(List("a/two"), testing::ElementsAre("a/two 2"));
  EXPECT_THAT(List("a"), testing::ElementsAre());
  const auto read = repository_->FetchManifest("", Describe(About(kit_, "a/one", "1")).digest);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->bytes, About(kit_, "a/one", "1"));
}

TEST_P(ReferrersSuite, ReferrersHaveReferrers) {
  const std::string first = About(kit_, "a/one", "1");
  Push(first);
  Push(About(Describe(first), "a/two", "2"));
  EXPECT_THAT(List(), testing::ElementsAre("a/one 1"));
  EXPECT_EQ(repository_->ListReferrers(Describe(first).digest, "")->size(), 1U);
}

TEST_P(ReferrersSuite, OfWhatIsNotThereYetToo) {
  const oci::Descriptor later = Describe("a manifest that comes later");
  Push(About(later, "a/one", "1"));
  EXPECT_EQ(repository_->ListReferrers(later.digest, "")->size(), 1U);
}

TEST_P(ReferrersSuite, ListsAreNoTagsOfKits) {
  Push(About(kit_, "a/one", "1"));
  EXPECT_THAT(*repository_->ListTags(), testing::ElementsAre("v1"));
}

TEST_P(ReferrersSuite, WhatHasNoSubjectIsNone) {
  EXPECT_EQ(repository_->PushReferrer(kit_, kit_bytes_).error().kind, ErrorKind::kInvalid);
  const std::string bytes = About(kit_, "a/one", "1");
  EXPECT_EQ(repository_->PushReferrer(Describe("other bytes"), bytes).error().kind,
            ErrorKind::kInvalid);
  EXPECT_EQ(List(), std::vector<std::string>());
}

TEST_P(ReferrersSuite, OneAfterAnotherLosesNone) {
  for (int i = 0; i < 20; ++i)
    Push(About(kit_, "a/one", std::to_string(i)));
  EXPECT_EQ(List().size(), 20U);
}

INSTANTIATE_TEST_SUITE_P(DockerRegistry, ReferrersSuite, testing::Values([] {
                           return std::unique_ptr<Place>(new RegistryPlace<DockerRegistry>);
                         }));
INSTANTIATE_TEST_SUITE_P(ZotLike, ReferrersSuite, testing::Values([] {
                           return std::unique_ptr<Place>(new RegistryPlace<ZotLikeRegistry>);
                         }));
INSTANTIATE_TEST_SUITE_P(Layout, ReferrersSuite,
                         testing::Values([] { return std::unique_ptr<Place>(new LayoutPlace); }));

}  // namespace
}  // namespace plumb::registry
