// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/foreign_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "kit/gathered_files.h"
#include "oci/manifest.h"
#include "tests/temporary_directory.h"
#include "tests/workbench.h"

// What other programs keep, in places where others may write too.
namespace plumb::kit {
namespace {

using testing::HasSubstr;

constexpr std::string_view kOllamaType = "application/vnd.ollama.image.";
constexpr std::string_view kCommit = "0123456789012345678901234567890123456789";

// What `import` does with a model.
Result<BuildReport> BuildOf(const ForeignModel& model) {
  Workbench bench;
  BuildOptions options;
  options.file_digests = model.digests;
  return bench.BuildIn(*model.files, kGatheredPath, model.blueprint, options);
}

class OllamaAttack : public testing::Test {
 protected:
  oci::Descriptor Put(const std::string& kind, const std::string& bytes) {
    const Digest digest = Sha256(AsBytes(bytes));
    temporary_.Write("models/blobs/sha256-" + digest.ToHex(), bytes);
    return {std::string(kOllamaType) + kind, digest, bytes.size()};
  }
  void PutManifest(const std::vector<oci::Descriptor>& layers) {
    const oci::Descriptor config = {"application/vnd.docker.container.image.v1+json",
                                    Sha256(AsBytes("{}")), 2};
    temporary_.Write(kManifest, oci::WriteManifest(config, layers));
  }
  Result<ForeignModel> Read() {
    return ReadOllamaModel(*files_, temporary_.path() + "/models", *oci::OllamaName::Parse("tiny"));
  }
  const std::string kManifest = "models/manifests/registry.ollama.ai/library/tiny/latest";
  TemporaryDirectory temporary_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
};

TEST_F(OllamaAttack, WithoutAnAttackItIsRead) {
  PutManifest({Put("model", "GGUF"), Put("params", R"({"stop":["a"],"num_ctx":1})")});
  const auto model = Read();
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_TRUE(BuildOf(*model));
  EXPECT_EQ(model->blueprint.bytes, "FROM ./model.gguf\nPARAMETER stop a\nPARAMETER num_ctx 1\n");
}

// Rule: no part of a name leaves the store.
TEST_F(OllamaAttack, NamesThatAreNoNames) {
  for (const char* name : {"", "..", "../x", "x/../y", "/x", "x:", "x:../y", "a/b/c/d", "x\n",
                           ".x:y", "a//b", "h:1/../m"})
    EXPECT_EQ(oci::OllamaName::Parse(name).error().kind, ErrorKind::kInvalid) << name;
  EXPECT_EQ(oci::OllamaName::Parse("h:1/n/m:t")->ManifestPath(), "manifests/h:1/n/m/t");
  EXPECT_EQ(oci::OllamaName::Parse("m")->ToString(), "m:latest");
}

// Rule: a blob is what it is called; of large ones that is known once they were read.
TEST_F(OllamaAttack, ABlobOfOtherBytes) {
  const oci::Descriptor layer = Put("model", "GGUF");
  PutManifest({layer});
  temporary_.Write("models/blobs/sha256-" + layer.digest.ToHex(), "GGUX");
  const auto model = Read();
  ASSERT_TRUE(model);
  const auto built = BuildOf(*model);
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().kind, ErrorKind::kCorrupt);
  EXPECT_THAT(built.error().message,
              HasSubstr("'model.gguf' is not the blob '" + layer.digest.ToString()));
}

TEST_F(OllamaAttack, ATextOfOtherBytes) {
  const oci::Descriptor layer = Put("system", "be kind");
  PutManifest({Put("model", "GGUF"), layer});
  temporary_.Write("models/blobs/sha256-" + layer.digest.ToHex(), "be evil");
  EXPECT_EQ(Read().error().kind, ErrorKind::kCorrupt);
}

TEST_F(OllamaAttack, ABlobThatIsASymlink) {
  const oci::Descriptor layer = Put("model", "GGUF");
  PutManifest({layer});
  const std::string path = temporary_.path() + "/models/blobs/sha256-" + layer.digest.ToHex();
  std::filesystem::remove(path);
  std::filesystem::create_symlink("/etc/passwd", path);
  EXPECT_EQ(Read().error().kind, ErrorKind::kDenied);
}

TEST_F(OllamaAttack, ABlobThatIsMissing) {
  const oci::Descriptor layer = Put("model", "GGUF");
  PutManifest({layer});
  std::filesystem::remove(temporary_.path() + "/models/blobs/sha256-" + layer.digest.ToHex());
  EXPECT_EQ(Read().error().kind, ErrorKind::kCorrupt);
}

// Rule: texts have a limit; a sparse file costs nothing to make.
TEST_F(OllamaAttack, ATextWithoutEnd) {
  const oci::Descriptor layer = Put("template", "{{ .Prompt }}");
  PutManifest({Put("model", "GGUF"), layer});
  std::filesystem::resize_file(temporary_.path() + "/models/blobs/sha256-" + layer.digest.ToHex(),
                               std::uintmax_t{1} << 40);
  EXPECT_EQ(Read().error().kind, ErrorKind::kExhausted);
}

// Rule: what cannot be told in a Modelfile is refused; nothing is slipped into it.
TEST_F(OllamaAttack, ParametersThatAreCommands) {
  for (const char* params :
       {R"({"stop\nSYSTEM x":1})", R"({"stop":{"a":1}})", "[1]", "{", R"({"":1})"}) {
    PutManifest({Put("model", "GGUF"), Put("params", params)});
    const auto model = Read();
    EXPECT_FALSE(model) << params << ": " << model->blueprint.bytes;
  }
}

class HuggingFaceAttack : public testing::Test {
 protected:
  HuggingFaceAttack() {
    temporary_.Write("models--o--n/refs/main", std::string(kCommit));
    temporary_.Write(kSnapshot + "/README.md", "read me");
    temporary_.Write("secret", "secret");
  }
  Result<ForeignModel> Read(std::string_view revision = "main") {
    return ReadHuggingFaceModel(*files_, temporary_.path() + "/models--o--n", revision, progress_);
  }
  void Link(const std::string& target) const {
    std::filesystem::create_symlink(target, temporary_.path() + "/" + kSnapshot + "/w.safetensors");
  }

  const std::string kSnapshot = "models--o--n/snapshots/" + std::string(kCommit);
  TemporaryDirectory temporary_;
  SilentProgress progress_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
};

TEST_F(HuggingFaceAttack, WithoutAnAttackItIsRead) {
  const auto model = Read();
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->name, "o/n");
}

TEST_F(HuggingFaceAttack, ABlobOfOtherBytes) {
  const Digest digest = Sha256(AsBytes(std::string("weights")));
  Link("../../blobs/" + digest.ToHex());
  temporary_.Write("models--o--n/blobs/" + digest.ToHex(), "weights");
  EXPECT_TRUE(BuildOf(*Read()));
  temporary_.Write("models--o--n/blobs/" + digest.ToHex(), "heavier");
  EXPECT_EQ(BuildOf(*Read()).error().kind, ErrorKind::kCorrupt);
}

// Rule: a symlink is followed within the model's own directory, and never out of it.
TEST_F(HuggingFaceAttack, ASymlinkThatLeavesTheCache) {
  Link("../../../secret");
  EXPECT_EQ(Read().error().kind, ErrorKind::kDenied);
}

TEST_F(HuggingFaceAttack, ASymlinkThatIsAbsolute) {
  Link(temporary_.path() + "/secret");
  EXPECT_EQ(Read().error().kind, ErrorKind::kDenied);
}

TEST_F(HuggingFaceAttack, ASymlinkToNothing) {
  Link("../../blobs/nothing");
  EXPECT_EQ(Read().error().kind, ErrorKind::kCorrupt);
}

// Rule: a revision is a name of git's, and what it names a commit.
TEST_F(HuggingFaceAttack, RevisionsThatAreNone) {
  for (const char* revision : {"", "..", "../refs/main", "a//b", "/main"})
    EXPECT_EQ(Read(revision).error().kind, ErrorKind::kInvalid) << revision;
  for (const char* commit : {"../../..", "../..", "..", ".", "", ".hidden", "a/b", "a\nb", "a b"}) {
    temporary_.Write("models--o--n/refs/main", commit);
    EXPECT_EQ(Read().error().kind, ErrorKind::kCorrupt) << commit;
  }
  temporary_.Write("models--o--n/refs/main", std::string(129, 'a'));
  EXPECT_EQ(Read().error().kind, ErrorKind::kCorrupt);
  temporary_.Write("models--o--n/refs/main", std::string(1000, 'a'));
  EXPECT_EQ(Read().error().kind, ErrorKind::kExhausted);
}

// Rule: so is one that is not a ref but a snapshot; which one is meant is never guessed.
TEST_F(HuggingFaceAttack, SnapshotsWithoutARef) {
  std::filesystem::remove(temporary_.path() + "/models--o--n/refs/main");
  EXPECT_TRUE(Read());
  EXPECT_TRUE(Read(kCommit));
  EXPECT_EQ(Read("0123").error().kind, ErrorKind::kNotFound);
  temporary_.Write("models--o--n/snapshots/.hidden/README.md", "read me");
  EXPECT_TRUE(Read());
  EXPECT_EQ(Read(".hidden").error().kind, ErrorKind::kNotFound);
  temporary_.Write("models--o--n/snapshots/v1.0_a-b/README.md", "read me");
  EXPECT_TRUE(Read("v1.0_a-b"));
  EXPECT_EQ(Read().error().kind, ErrorKind::kNotFound);
}

// Rule: only directories are models, wherever links lead.
TEST_F(HuggingFaceAttack, ThingsInACacheThatAreNoModels) {
  temporary_.Write("models--file", "");
  temporary_.Write("datasets--o--n/refs/main", std::string(kCommit));
  temporary_.Write("models--/refs/main", std::string(kCommit));
  temporary_.Write("models--a/refs/main", std::string(kCommit));
  std::filesystem::create_directory_symlink("models--o--n", temporary_.path() + "/models--link");
  EXPECT_THAT(*ListHuggingFaceModels(*files_, temporary_.path()),
              testing::ElementsAre("models--a", "models--o--n"));
}

// Rule: nobody sees more than was gathered, and nobody writes there.
TEST(GatheredFilesAttack, PathsThatLeadElsewhere) {
  const TemporaryDirectory temporary;
  temporary.Write("w.bin", "weights");
  const auto files = host::MakeFiles();
  const std::shared_ptr<host::Directory> directory =
      *files->OpenDirectory(temporary.path(), host::IfMissing::kFail);
  const auto gathered = *GatherFiles({{"a/w.bin", directory, "w.bin"}});
  for (const char* path : {"/etc/passwd", "/", "/gathered/../etc/passwd", "/gathered/w.bin"})
    EXPECT_EQ(gathered->State(path).error().kind, ErrorKind::kNotFound) << path;
  EXPECT_EQ(gathered->State("/gathered/a/../a/w.bin")->size, 7U);
  const auto root = *gathered->OpenDirectory(kGatheredPath, host::IfMissing::kFail);
  EXPECT_EQ(root->Remove("a/w.bin").error().kind, ErrorKind::kDenied);
  EXPECT_EQ(root->Open("x", host::OpenHow::kCreateNew, 0).error().kind, ErrorKind::kDenied);
  EXPECT_EQ(GatherFiles({{"../x", directory, "w.bin"}}).error().kind, ErrorKind::kDenied);
  EXPECT_EQ(GatherFiles({{"x", directory, "w.bin"}, {"x/y", directory, "w.bin"}}).error().kind,
            ErrorKind::kInvalid);
}

}  // namespace
}  // namespace plumb::kit
