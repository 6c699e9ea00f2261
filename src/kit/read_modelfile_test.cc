// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>

#include "kit/build.h"
#include "kit/modelfile_files_internal.h"
#include "tests/workbench.h"

// docs/format.md, "From a Modelfile".
namespace plumb::kit {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class ReadModelfileTest : public testing::Test {
 protected:
  // The Kitfile of what was built, as "type path" lines of its entries.
  Names Build(const std::string& modelfile, const BuildOptions& options = {}) {
    const auto built = bench_.BuildModelfile(modelfile, options);
    if (!built) return {built.error().message};
    id_ = built->id;
    modelkit_ = *LoadModelKit(bench_.store(), id_);
    Names names;
    const auto entries = *PairLayers(modelkit_);
    for (const PackedEntry& entry : entries) {
      const std::string type(oci::LayerTypeName(entry.media_type.type));
      names.push_back((entry.part_type.empty() ? type : entry.part_type) + " " + entry.path);
    }
    return names;
  }
  Error Failure(const std::string& modelfile) {
    const auto built = bench_.BuildModelfile(modelfile);
    EXPECT_FALSE(built) << modelfile;
    return built ? Error{ErrorKind::kUnsupported, ""} : built.error();
  }
  std::string UnpackedModelfile() {
    EXPECT_TRUE(bench_.Unpack(id_));
    return bench_.ReadTarget("Modelfile");
  }

  Workbench bench_;
  Digest id_;
  ModelKit modelkit_;
};

TEST_F(ReadModelfileTest, AFileIsTheModel) {
  bench_.Write("w.gguf", "weights");
  EXPECT_EQ(Build("FROM ./w.gguf\n"), (Names{"model w.gguf", "modelfile Modelfile"}));
  EXPECT_EQ(modelkit_.kitfile.model->format, "gguf");
  EXPECT_EQ(UnpackedModelfile(), "FROM ./w.gguf\n");
}

TEST_F(ReadModelfileTest, PartsGetTheirTypes) {
  for (const char* name :
       {"w-00001-of-00002.gguf", "w-00002-of-00002.gguf", "mmproj.gguf", "a.gguf", "d.gguf"})
    bench_.Write(name, name);
  EXPECT_EQ(
      Build("FROM w-00001-of-00002.gguf\nFROM mmproj.gguf\nADAPTER a.gguf\nDRAFT d.gguf\n"),
      (Names{"model w-00001-of-00002.gguf", "shard w-00002-of-00002.gguf", "projector mmproj.gguf",
             "adapter a.gguf", "draft d.gguf", "modelfile Modelfile"}));
}

TEST_F(ReadModelfileTest, AMissingShardIsInvalid) {
  bench_.Write("w-00001-of-00002.gguf", "1");
  const Error error = Failure("FROM w-00001-of-00002.gguf\n");
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_NE(error.message.find("w-00002-of-00002.gguf"), std::string::npos) << error.message;
}

TEST_F(ReadModelfileTest, ADirectoryStandsForItsWeightsAndWhatBelongsToThem) {
  for (const char* name : {"hf/b.safetensors", "hf/a.safetensors", "hf/old.bin", "hf/config.json",
                           "hf/tokenizer.model", "hf/vocab.json", "hf/notes.txt", "hf/sub/x.json"})
    bench_.Write(name, name);
  EXPECT_EQ(Build("FROM hf\n"), (Names{"model hf/a.safetensors", "shard hf/b.safetensors",
                                       "config hf/config.json", "tokenizer hf/tokenizer.model",
                                       "tokenizer hf/vocab.json", "modelfile Modelfile"}));
  EXPECT_EQ(UnpackedModelfile(), "FROM ./hf\n");
  EXPECT_TRUE(bench_.progress().warnings.empty() ||
              bench_.progress().Warned("no entry of the blueprint names it"));
}

// docs/format.md, "Files of a command" and "Entries".
TEST_F(ReadModelfileTest, ADirectoryGivesWhatItsNamesSay) {
  struct Case {
    Names files;
    std::string modelfile;
    Names entries;  // without the Modelfile
    std::string format;
  };
  const std::vector<Case> cases = {
      {{"b.pth", "a.bin", "c.gguf"}, "FROM .", {"model a.bin", "shard b.pth"}, "pytorch"},
      {{"b.gguf", "a.txt"}, "FROM .", {"model b.gguf"}, "gguf"},
      {{"mmproj.gguf", "w.gguf"}, "FROM .", {"model w.gguf", "projector mmproj.gguf"}, "gguf"},
      {{"mmproj.gguf"}, "FROM .", {"model mmproj.gguf"}, "gguf"},
      {{"x"}, "FROM x", {"model x"}, ""},
      {{"x.pt"}, "FROM x.pt", {"model x.pt"}, "pytorch"},
      {{"w.bin", "added_tokens.json", "generation_config.json", "merges.txt", "spiece.model",
        "special_tokens_map.json", "t.tiktoken", "tokenizer_config.json", "vocab.txt", "chat.jinja",
        "sentencepiece.bpe.model", "other.model"},
       "FROM .",
       {"model w.bin", "tokenizer added_tokens.json", "tokenizer chat.jinja",
        "config generation_config.json", "tokenizer merges.txt",
        "tokenizer sentencepiece.bpe.model", "tokenizer special_tokens_map.json",
        "tokenizer spiece.model", "tokenizer t.tiktoken", "tokenizer tokenizer_config.json",
        "tokenizer vocab.txt"},
       "pytorch"},
      // What a command names by itself is not taken by a directory, wherever it stands.
      {{"d/a.gguf", "d/b.gguf"},
       "FROM d\nADAPTER d/a.gguf",
       {"model d/b.gguf", "adapter d/a.gguf"},
       "gguf"},
      // The first of two directories; files of the second are not of the model's FROM.
      {{"d/a.gguf", "e/b.gguf"}, "FROM d\nFROM e\nADAPTER d/../e", {}, ""},
      {{"d/a.gguf", "e/b.gguf", "e/config.json"},
       "FROM d\nFROM e",
       {"model d/a.gguf", "projector e/b.gguf", "config e/config.json"},
       "gguf"},
      // A series is one model, however its files are named.
      {{"w-00001-of-00002.gguf", "w-00002-of-00002.gguf"},
       "FROM w-00002-of-00002.gguf\nFROM w-00001-of-00002.gguf",
       {"model w-00002-of-00002.gguf", "shard w-00001-of-00002.gguf"},
       "gguf"},
  };
  for (const Case& c : cases) {
    fs::remove_all(bench_.Context(""));
    for (const std::string& file : c.files)
      bench_.Write(file, file);
    const Names entries = Build(c.modelfile + "\n");
    if (c.entries.empty()) {
      EXPECT_EQ(entries.size(), 1U) << c.modelfile;  // a message
      continue;
    }
    Names expected = c.entries;
    expected.emplace_back("modelfile Modelfile");
    EXPECT_EQ(entries, expected) << c.modelfile;
    EXPECT_EQ(modelkit_.kitfile.model->format, c.format) << c.modelfile;
  }
}

TEST_F(ReadModelfileTest, WhatIsIgnoredIsTakenByNoCommand) {
  for (const char* name : {"d/a.gguf", "d/b.gguf", "w.gguf"})
    bench_.Write(name, name);
  bench_.Write(".kitignore", "d/a.gguf\nw.gguf\n");
  EXPECT_EQ(Build("FROM d\n"), (Names{"model d/b.gguf", "modelfile Modelfile"}));
  EXPECT_EQ(Failure("FROM w.gguf\n").kind, ErrorKind::kInvalid);
}

TEST_F(ReadModelfileTest, TheContextItselfIsADirectoryToo) {
  bench_.Write("a.safetensors", "a");
  EXPECT_EQ(Build("FROM .\n"), (Names{"model a.safetensors", "modelfile Modelfile"}));
  EXPECT_EQ(UnpackedModelfile(), "FROM .\n");
}

TEST_F(ReadModelfileTest, ADirectoryWithoutWeightsIsInvalid) {
  bench_.Write("hf/config.json", "{}");
  EXPECT_EQ(Failure("FROM hf\n").kind, ErrorKind::kInvalid);
}

TEST_F(ReadModelfileTest, WhatLiesOutsideEntersTheRoot) {
  bench_.directory().Write("home/models/w.gguf", "w");
  bench_.directory().Write("elsewhere/hf/a.safetensors", "a");
  EXPECT_EQ(Build("FROM ~/models/w.gguf\n"), (Names{"model w.gguf", "modelfile Modelfile"}));
  EXPECT_EQ(Build("FROM " + bench_.path() + "/elsewhere/hf\n"),
            (Names{"model hf/a.safetensors", "modelfile Modelfile"}));
  EXPECT_EQ(Build("FROM ../elsewhere/hf/a.safetensors\n"),
            (Names{"model a.safetensors", "modelfile Modelfile"}));
}

TEST_F(ReadModelfileTest, ACollisionInTheRootIsInvalid) {
  bench_.directory().Write("home/w.gguf", "outside");
  bench_.Write("w.gguf", "inside");
  EXPECT_EQ(Failure("FROM ~/w.gguf\n").kind, ErrorKind::kInvalid);
  bench_.directory().Write("home/Modelfile", "x");
  EXPECT_EQ(Failure("FROM ~/Modelfile\n").kind, ErrorKind::kInvalid);
}

TEST_F(ReadModelfileTest, ADirectoryNamedAsAGeneratedFileIsInvalid) {
  bench_.Write("Modelfile/w.gguf", "w");
  bench_.Write("LICENSE/w.gguf", "w");
  for (const char* text : {"FROM ./Modelfile\n", "FROM ./LICENSE\nLICENSE MIT\n"}) {
    const auto built =
        bench_.BuildFrom("context", {BlueprintKind::kModelfile, "my.modelfile", "", text});
    ASSERT_FALSE(built) << text;
    EXPECT_EQ(built.error().kind, ErrorKind::kInvalid);
  }
  bench_.directory().Write("home/LICENSE/w.gguf", "w");
  fs::remove_all(bench_.Context("LICENSE"));
  EXPECT_EQ(Failure("FROM ~/LICENSE\nLICENSE MIT\n").kind, ErrorKind::kInvalid);
}

TEST_F(ReadModelfileTest, OneFileTwiceIsInvalid) {
  bench_.Write("w.gguf", "w");
  EXPECT_EQ(Failure("FROM w.gguf\nADAPTER ./w.gguf\n").kind, ErrorKind::kInvalid);
}

TEST_F(ReadModelfileTest, LicensesBecomeDocs) {
  bench_.Write("w.gguf", "w");
  EXPECT_EQ(Build("FROM w.gguf\nLICENSE mit\n"),
            (Names{"model w.gguf", "modelfile Modelfile", "docs LICENSE"}));
  EXPECT_EQ(modelkit_.kitfile.package.license, "MIT");
  EXPECT_EQ(Build("FROM w.gguf\nLICENSE MIT\nLICENSE MIT\n"),
            (Names{"model w.gguf", "modelfile Modelfile", "docs LICENSE", "docs LICENSE.2"}));
  EXPECT_EQ(modelkit_.kitfile.package.license, "");

  bench_.Write("LICENSE", "mit");
  EXPECT_EQ(Build("FROM w.gguf\nLICENSE mit\n").size(), 3U);
  bench_.Write("LICENSE", "another text");
  EXPECT_EQ(Failure("FROM w.gguf\nLICENSE mit\n").kind, ErrorKind::kInvalid);
}

TEST_F(ReadModelfileTest, TheRestBecomesParameters) {
  bench_.Write("w.gguf", "w");
  Build(
      "FROM w.gguf\nTEMPLATE {{ .Prompt }}\nPARAMETER stop a\nPARAMETER stop b\n"
      "PARAMETER temperature 0.70\nMESSAGE user hi\n");
  ASSERT_TRUE(modelkit_.kitfile.model->parameters);
  EXPECT_EQ(
      WriteJson(*modelkit_.kitfile.model->parameters, JsonStyle::kCompact),
      R"({"modelfile":[{"args":"{{ .Prompt }}","name":"template"},{"args":"a","name":"stop"},)"
      R"({"args":"b","name":"stop"},{"args":"0.70","name":"temperature"},)"
      R"({"args":"user: hi","name":"message"}]})");
}

TEST_F(ReadModelfileTest, AReferenceIsPinned) {
  bench_.Write("w.gguf", "w");
  BuildOptions options;
  options.tags = {{"base", "v1"}};
  Build("FROM w.gguf\n", options);
  const std::string pinned = "base@" + id_.ToString();
  fs::remove(bench_.Context("w.gguf"));
  EXPECT_EQ(Build("FROM base:v1\nSYSTEM be short\n"), Names{"modelfile Modelfile"});
  EXPECT_EQ(modelkit_.kitfile.model->path, pinned);
  EXPECT_EQ(UnpackedModelfile(), "FROM " + pinned + "\nSYSTEM be short\n");
}

TEST_F(ReadModelfileTest, WhatDoesNotExistIsSaidWithItsLine) {
  bench_.Write("w.gguf", "w");
  const Error error = Failure("FROM w.gguf\n\nADAPTER ./absent\n");
  EXPECT_EQ(error.kind, ErrorKind::kInvalid);
  EXPECT_TRUE(error.message.starts_with("Modelfile:3:1: ")) << error.message;
}

TEST_F(ReadModelfileTest, Kit17ReadsNone) {
  bench_.Write("w.gguf", "w");
  BuildOptions options;
  options.rules = blueprint::KitRules::kKit17;
  const auto built = bench_.BuildModelfile("FROM w.gguf\n", options);
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().kind, ErrorKind::kInvalid);
}

TEST(SeriesNameTest, ReadsAndWritesNames) {
  const auto series = SeriesName::Parse("w-00002-of-00010.gguf");
  ASSERT_TRUE(series);
  EXPECT_EQ(series->stem, "w");
  EXPECT_EQ(series->index, 2U);
  EXPECT_EQ(series->count, 10U);
  EXPECT_EQ(series->At(10), "w-00010-of-00010.gguf");
  for (const char* name :
       {"", "w.gguf", "w-1-of-2.gguf", "w-00003-of-00002.gguf", "w-00000-of-00002.gguf",
        "w-00001-of-100000.gguf", "w-00001_of-00002.gguf", "w-0000x-of-00002.gguf", "-of-.gguf"})
    EXPECT_FALSE(SeriesName::Parse(name)) << name;
}

TEST(SpdxIdentifierTest, IsSpelledAsSpdxSpellsIt) {
  EXPECT_EQ(SpdxIdentifier(" apache-2.0\n"), "Apache-2.0");
  EXPECT_EQ(SpdxIdentifier("Apache License"), "");
}

}  // namespace
}  // namespace plumb::kit
