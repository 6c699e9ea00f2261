// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/foreign_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "blueprint/kitfile.h"
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
    PutManifest(layers, Put("", "{}"));
  }
  void PutManifest(const std::vector<oci::Descriptor>& layers, oci::Descriptor config) {
    config.media_type = "application/vnd.docker.container.image.v1+json";
    temporary_.Write(kManifest, oci::WriteManifest(config, layers));
  }
  Result<ForeignModel> Read(std::string_view name = "tiny") {
    return ReadOllamaModel(*files_, temporary_.path() + "/models", *oci::OllamaName::Parse(name),
                           progress_);
  }
  static std::string ModelfileOf(const ForeignModel& model) { return TextOf(model, "Modelfile"); }
  static std::string TextOf(const ForeignModel& model, std::string_view name) {
    const auto directory = *model.files->OpenDirectory(kGatheredPath, host::IfMissing::kFail);
    return host::ReadFile(*directory, name, 1 << 20).value_or("nothing");
  }
  // What the Kitfile keeps of a command.
  static std::string ArgsOf(const ForeignModel& model, std::string_view name) {
    const auto kitfile =
        blueprint::ParseKitfile(model.blueprint.bytes, "Kitfile", blueprint::KitRules::kOurs);
    if (!kitfile || !kitfile->model->parameters) return "nothing";
    for (const Json& command : *kitfile->model->parameters->Find("modelfile")->IfArray())
      if (*command.Find("name")->IfString() == name) return *command.Find("args")->IfString();
    return "nothing";
  }
  const std::string kManifest = "models/manifests/registry.ollama.ai/library/tiny/latest";
  TemporaryDirectory temporary_;
  RecordingProgress progress_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
};

TEST_F(OllamaAttack, WithoutAnAttackItIsRead) {
  PutManifest({Put("model", "GGUF"), Put("params", R"({"stop":["a"],"num_ctx":1})")});
  const auto model = Read();
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_TRUE(BuildOf(*model));
  EXPECT_EQ(ModelfileOf(*model), "FROM ./model.gguf\nPARAMETER stop a\nPARAMETER num_ctx 1\n");
  EXPECT_TRUE(progress_.warnings.empty());
}

TEST_F(OllamaAttack, ItIsWhatABuildOfItsModelfileIs) {
  PutManifest({Put("adapter", "GGUA"), Put("license", "MIT"), Put("projector", "GGUP"),
               Put("model", "GGUF"), Put("draft", "GGUD"), Put("model", "GGU2"),
               Put("license", "more"), Put("params", R"({"stop":["a","b"]})")},
              Put("", R"({"parser":"p"})"));
  auto model = Read();
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(ModelfileOf(*model),
            "FROM ./model.gguf\nFROM ./mmproj.gguf\nFROM ./model-2.gguf\n"
            "ADAPTER ./adapter.gguf\nLICENSE MIT\nDRAFT ./draft.gguf\nLICENSE more\n"
            "PARAMETER stop a\nPARAMETER stop b\nPARSER p\n");
  const auto built = BuildOf(*model);
  ASSERT_TRUE(built) << built.error().message;
  model->blueprint = {BlueprintKind::kModelfile, "-", {}, ModelfileOf(*model)};
  EXPECT_EQ(BuildOf(*model)->id, built->id);
  PutManifest({Put("projector", "GGUP")});
  EXPECT_EQ(Read().error().kind, ErrorKind::kInvalid);
}

TEST_F(OllamaAttack, OnlyTagsKeepTheirCapitals) {
  PutManifest({Put("model", "GGUF")});
  temporary_.Write("models/manifests/h:1/Org/Tiny/Q4_K_M", temporary_.Read(kManifest));
  EXPECT_EQ(Read("h:1/Org/Tiny:Q4_K_M")->name, "h:1/org/tiny:Q4_K_M");
}

TEST_F(OllamaAttack, ItsConfigHasCommandsToo) {
  PutManifest({Put("model", "GGUF"), Put("system", "be kind")},
              Put("", R"({"renderer":"qwen3","parser":"p","requires":"0.5.0","os":"linux"})"));
  EXPECT_EQ(ModelfileOf(*Read()),
            "FROM ./model.gguf\nSYSTEM be kind\nRENDERER qwen3\nPARSER p\nREQUIRES 0.5.0\n");
  PutManifest({Put("model", "GGUF")}, Put("", R"({"renderer":"","parser":null})"));
  EXPECT_EQ(ModelfileOf(*Read()), "FROM ./model.gguf\n");
}

// Rule: what a config says is as much from outside as the rest.
TEST_F(OllamaAttack, ConfigsThatAreNone) {
  for (const char* config : {"", "[]", R"({"renderer":1})", R"({"parser":"a","parser":"b"})"}) {
    PutManifest({Put("model", "GGUF")}, Put("", config));
    EXPECT_EQ(Read().error().kind, ErrorKind::kInvalid) << config;
  }
  const oci::Descriptor config = Put("", R"({"renderer":"x"})");
  PutManifest({Put("model", "GGUF")}, config);
  const std::string path = "models/blobs/sha256-" + config.digest.ToHex();
  temporary_.Write(path, R"({"renderer":"y"})");
  EXPECT_EQ(Read().error().kind, ErrorKind::kCorrupt);
  std::filesystem::resize_file(temporary_.path() + "/" + path, std::uintmax_t{1} << 40);
  EXPECT_EQ(Read().error().kind, ErrorKind::kExhausted);
  // Layers are what a model is made of; without its config it lacks what is warned of.
  std::filesystem::remove(temporary_.path() + "/" + path);
  EXPECT_EQ(ModelfileOf(*Read()), "FROM ./model.gguf\n");
  EXPECT_THAT(progress_.warnings, testing::Contains(HasSubstr("its config is not")));
}

// Rule: nothing that text can be is lost, and nobody is told less than was there.
TEST_F(OllamaAttack, TextsThatNoModelfileCanSay) {
  const std::string licence =
      "a\fb\xc2\xa0"
      "c\xff";
  const std::string system = "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb \x01";
  PutManifest({Put("model", "GGUF"), Put("license", licence), Put("system", system),
               Put("template", "\xff"), Put("params", R"({"rope_frequency_base":1000000})"),
               Put("messages", R"([{"role":"tool","content":"x"}])")});
  const auto model = Read();
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(ModelfileOf(*model), "FROM ./model.gguf\n");
  EXPECT_EQ(TextOf(*model, "LICENSE"), licence);
  EXPECT_EQ(ArgsOf(*model, "system"), system);
  EXPECT_EQ(ArgsOf(*model, "rope_frequency_base"), "1000000");
  EXPECT_EQ(ArgsOf(*model, "message"), "tool: x");
  EXPECT_EQ(ArgsOf(*model, "template"), "nothing");
  ASSERT_EQ(progress_.warnings.size(), 2U);
  EXPECT_THAT(progress_.warnings[0], HasSubstr("license, message, rope_frequency_base, system"));
  EXPECT_THAT(progress_.warnings[1], HasSubstr("left out, because it is no text: template"));
  const auto built = BuildOf(*model);
  EXPECT_TRUE(built) << built.error().message;
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
       {R"({"stop\nSYSTEM x":1})", R"({"stop":{"a":1}})", "[1]", "{", R"({"":1})",
        R"({"system":"x"})", R"({"model":"/etc/passwd"})", R"({"stop":null})"}) {
    PutManifest({Put("model", "GGUF"), Put("params", params)});
    const auto model = Read();
    EXPECT_FALSE(model) << params << ": " << ModelfileOf(*model);
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
  EXPECT_EQ(model->name, "o/n:latest");
}

TEST_F(HuggingFaceAttack, ARevisionIsTheTag) {
  EXPECT_EQ(Read(kCommit)->name, "o/n:012345678901");
  for (const char* revision : {"v2.0", "pr/1", "a+b"})
    temporary_.Write("models--o--n/refs/" + std::string(revision), std::string(kCommit));
  EXPECT_EQ(Read("v2.0")->name, "o/n:v2.0");
  EXPECT_EQ(Read("pr/1")->name, "o/n:pr-1");
  EXPECT_EQ(Read("a+b")->name, "");
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
