// SPDX-License-Identifier: MIT OR Apache-2.0
#include "registry/kit_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/temporary_directory.h"

// The store of kit, where others may write too.
namespace plumb::registry {
namespace {

class KitStoreAttack : public testing::Test {
 protected:
  KitStoreAttack() {
    oci::Index index;
    index.entries.push_back({kit_, ""});
    temporary_.Write(kStem + "-index.json", oci::WriteIndex(index));
  }

  void PutTags(const std::string& text) { temporary_.Write(kStem + "-tags.json", text); }
  static std::string Entry(const std::string& tag, const Digest& digest) {
    return '"' + tag + R"(":{"mediaType":"m","digest":")" + digest.ToString() + R"(","size":2})";
  }
  Result<std::vector<std::string>> Tags() {
    PLUMB_TRY(const auto repositories, OpenKitStore(*files_, temporary_.path()));
    std::vector<std::string> tags;
    for (const oci::IndexEntry& entry : repositories.front().layout.index.entries)
      tags.push_back(entry.tag);
    return tags;
  }

  const std::string kStem = "bG9jYWxob3N0L21pbmU=";  // localhost/mine
  const oci::Descriptor kit_ = {std::string(oci::kManifestMediaType), Sha256(AsBytes("{}")), 2};
  TemporaryDirectory temporary_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
};

TEST_F(KitStoreAttack, WithoutAnAttackTheTagsAreRead) {
  EXPECT_THAT(*Tags(), testing::ElementsAre(""));
  PutTags("{}");
  EXPECT_THAT(*Tags(), testing::ElementsAre(""));
  PutTags("{" + Entry("v2", kit_.digest) + "," + Entry("V1", kit_.digest) + "}");
  EXPECT_THAT(*Tags(), testing::ElementsAre("v2", "V1"));
  PutTags("{" + Entry(kit_.digest.ToString(), kit_.digest) + "}");
  EXPECT_THAT(*Tags(), testing::ElementsAre(""));
}

// Rule: a tag is one of the grammar of references, whoever wrote it.
TEST_F(KitStoreAttack, TagsThatAreNone) {
  const Digest other = Sha256(AsBytes("other"));
  for (const std::string& tag :
       {std::string(), std::string(".."), std::string("../v1"), std::string("a b"),
        std::string("a\\n"), std::string("\\u001b[2J"), std::string(129, 'a'), other.ToString()}) {
    PutTags("{" + Entry(tag, kit_.digest) + "}");
    EXPECT_EQ(Tags().error().kind, ErrorKind::kInvalid) << tag;
  }
}

TEST_F(KitStoreAttack, TextsThatAreNoListOfTags) {
  const std::string entry = Entry("v1", kit_.digest);
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("null"), std::string("{"),
        "{" + entry + "," + entry + "}", "{" + entry + "}x", std::string(R"({"v1":null})"),
        std::string(R"({"v1":{"digest":1}})"), std::string(R"({"v1":{"digest":"sha256:00"}})")}) {
    PutTags(text);
    EXPECT_EQ(Tags().error().kind, ErrorKind::kInvalid) << text;
  }
}

// Rule: what the index does not name is not there.
TEST_F(KitStoreAttack, ATagOfWhatIsNotInTheIndex) {
  PutTags("{" + Entry("v1", Sha256(AsBytes("other"))) + "}");
  const auto tags = Tags();
  ASSERT_FALSE(tags);
  EXPECT_EQ(tags.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(tags.error().message, testing::HasSubstr("'mine'"));
}

// Rule: there is a limit; a sparse file costs nothing to make. And no symlink is followed.
TEST_F(KitStoreAttack, AFileOfTagsThatIsNone) {
  PutTags("{}");
  const std::string path = temporary_.path() + "/" + kStem + "-tags.json";
  std::filesystem::resize_file(path, std::uintmax_t{1} << 40);
  EXPECT_EQ(Tags().error().kind, ErrorKind::kExhausted);
  std::filesystem::remove(path);
  std::filesystem::create_symlink("/etc/passwd", path);
  EXPECT_EQ(Tags().error().kind, ErrorKind::kDenied);
}

}  // namespace
}  // namespace plumb::registry
