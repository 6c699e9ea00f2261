// SPDX-License-Identifier: MIT OR Apache-2.0
// What `--format cncf` and `--layer-format raw` build, and what of it comes back.
#include <gtest/gtest.h>

#include <filesystem>

#include "kit/build.h"
#include "kit/modelkit.h"
#include "tests/workbench.h"

namespace plumb::kit {
namespace {

namespace fs = std::filesystem;

constexpr char kKitfile[] = R"(manifestVersion: 1.0.0
package:
  name: all
  license: MIT
  authors: [Ann]
model:
  name: m
  path: ./model/
  license: Apache-2.0
  parts:
    - path: lora.bin
      type: adapter
    - path: notes
  parameters: {modelpack: {family: f, paramSize: 1b}}
code:
  - path: src
datasets:
  - name: far
    remotePath: s3://bucket/key
    remoteHash: abc
  - path: data.csv
docs:
  - path: README.md
    description: a < b
prompts:
  - path: prompt.md
)";

class FormatsTest : public testing::Test {
 protected:
  FormatsTest() {
    for (const char* name :
         {"model/w.safetensors", "model/config.json", "model/deep/w2.safetensors", "lora.bin",
          "notes", "src/run.sh", "data.csv", "README.md", "prompt.md"})
      bench_.Write(name, std::string(name) + "\n");
    bench_.Write("src/copy", "README.md\n");
    bench_.Write("src/nothing", "");
    fs::permissions(bench_.Context("src/run.sh"), fs::perms(0755));
  }

  static BuildOptions With(oci::KitFormat format, LayerFormat layer_format) {
    BuildOptions options;
    options.format = format;
    options.layer_format = layer_format;
    return options;
  }
  static BuildOptions RawPack() { return With(oci::KitFormat::kModelPack, LayerFormat::kRaw); }
  static BuildOptions RawKit() { return With(oci::KitFormat::kModelKit, LayerFormat::kRaw); }

  std::string Refusal(const std::string& kitfile, const BuildOptions& options) {
    const auto built = bench_.BuildKitfile(kitfile, options);
    if (built) return "built";
    EXPECT_EQ(built.error().kind, ErrorKind::kInvalid);
    return built.error().message;
  }

  // What is unpacked is what was packed, and builds to the same.
  void ExpectComesBack(const BuildOptions& options) {
    const auto built = bench_.BuildKitfile(kKitfile, options);
    ASSERT_TRUE(built) << built.error().message;
    const auto unpacked = bench_.Unpack(built->id);
    ASSERT_TRUE(unpacked) << unpacked.error().message;
    EXPECT_TRUE(bench_.progress().Warned("'far' is not fetched: it is at s3://bucket/key"));
    EXPECT_EQ(bench_.ReadTarget("model/deep/w2.safetensors"), "model/deep/w2.safetensors\n");
    EXPECT_EQ(bench_.ReadTarget("src/nothing"), "");
    EXPECT_EQ(bench_.ReadTarget("prompt.md"), "prompt.md\n");
    EXPECT_TRUE(fs::exists(bench_.Target("src/nothing")));
    EXPECT_EQ(fs::status(bench_.Target("src/run.sh")).permissions(), fs::perms(0755));
    const auto again = bench_.BuildFrom(
        "target", {BlueprintKind::kKitfile, "Kitfile", "Kitfile", bench_.ReadTarget("Kitfile")},
        options);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->id, built->id);
    fs::remove_all(bench_.Target(""));
    fs::create_directory(bench_.Target(""));
  }

  Workbench bench_;
};

TEST_F(FormatsTest, EveryFormatComesBack) {
  for (const auto format : {oci::KitFormat::kModelKit, oci::KitFormat::kModelPack})
    for (const auto layer_format : {LayerFormat::kTar, LayerFormat::kRaw})
      ExpectComesBack(With(format, layer_format));
}

TEST_F(FormatsTest, ARawLayerHasTheDigestOfItsFile) {
  const auto built = bench_.BuildKitfile(kKitfile, RawKit());
  ASSERT_TRUE(built) << built.error().message;
  ASSERT_EQ(built->layers.size(), 11U);
  EXPECT_EQ(built->layers[0].path, "model/config.json");
  EXPECT_EQ(built->layers[0].digest, Sha256(AsBytes("model/config.json\n")));
  const auto modelkit = LoadModelKit(bench_.store(), built->id);
  ASSERT_TRUE(modelkit) << modelkit.error().message;
  // Several layers: no digest of its own. One: it has one.
  EXPECT_FALSE(modelkit->kitfile.model->layer);
  EXPECT_TRUE(modelkit->kitfile.model->parts[0].layer);
  EXPECT_EQ(oci::FindAnnotation(modelkit->manifest.layers[0].annotations, oci::kFilePathAnnotation),
            "model/config.json");
  EXPECT_EQ(modelkit->manifest.layers.back().media_type,
            "application/vnd.kitops.modelkit.code.v1.raw");
  EXPECT_EQ(
      oci::FindAnnotation(modelkit->manifest.layers.back().annotations, oci::kSubtypeAnnotation),
      "prompt");
}

TEST_F(FormatsTest, AModelPackSaysWhatItsLayersAre) {
  const auto built = bench_.BuildKitfile(kKitfile, RawPack());
  ASSERT_TRUE(built) << built.error().message;
  const auto modelkit = LoadModelKit(bench_.store(), built->id);
  ASSERT_TRUE(modelkit) << modelkit.error().message;
  EXPECT_EQ(modelkit->manifest.artifact_type, oci::kModelPackArtifactType);
  std::string types;
  for (const oci::Descriptor& layer : modelkit->manifest.layers)
    types += layer.media_type.substr(std::string("application/vnd.cncf.model.").size()) + " ";
  EXPECT_EQ(types,
            "weight.config.v1.raw weight.v1.raw weight.v1.raw weight.v1.raw weight.config.v1.raw "
            "code.v1.raw code.v1.raw code.v1.raw dataset.v1.raw doc.v1.raw code.v1.raw ");
  const auto config = oci::ModelPackConfig::Parse(modelkit->config_bytes);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->Descriptor("name"), "all");
  EXPECT_EQ(config->Descriptor("family"), "f");
  EXPECT_EQ(config->Technical("paramSize"), "1b");
  EXPECT_EQ(config->descriptor.Find("createdAt"), nullptr);
  EXPECT_EQ(WriteJson(*config->descriptor.Find("licenses"), JsonStyle::kCompact),
            R"(["Apache-2.0","MIT"])");
}

TEST_F(FormatsTest, WhatAFormatCannotHold) {
  bench_.Write("x.mcpb", "PK");
  bench_.Write("dir.mcpb/file", "");
  EXPECT_EQ(Refusal("manifestVersion: 1.0.0\n", RawPack()),
            "a ModelPack has at least one layer; this blueprint names no file");
  EXPECT_EQ(Refusal("manifestVersion: 1.0.0\nmcpServers: [{name: x, path: x.mcpb}]\n", RawPack()),
            "a ModelPack has no place for mcpServers");
  EXPECT_EQ(Refusal("manifestVersion: 1.0.0\nmcpServers: [{name: x, path: dir.mcpb}]\n", {}),
            "path 'dir.mcpb' of mcpServer x is no file: it must be a bundle");
  fs::create_directory(bench_.Context("empty"));
  EXPECT_EQ(Refusal("manifestVersion: 1.0.0\ncode: [{path: empty}]\n", RawKit()),
            "path 'empty' of code layer 0 holds no file, and a raw layer is one");
  EXPECT_EQ(Refusal("manifestVersion: 1.0.0\ndocs: [{path: notes}]\n"
                    "model: {parameters: {modelpack: {family: 1}}}\n",
                    RawPack()),
            "model.parameters.modelpack: the config of a ModelPack is not valid: its 'family' is "
            "not what model-spec wants there");
  // What is not known must not be lost without a word.
  for (const char* unknown : {"parmSize: 1b", "capabilities: {wings: true}"})
    EXPECT_NE(Refusal("manifestVersion: 1.0.0\ndocs: [{path: notes}]\n"
                      "model: {parameters: {modelpack: {" +
                          std::string(unknown) + "}}}\n",
                      RawPack())
                  .find("which model-spec does not know"),
              std::string::npos)
        << unknown;
  EXPECT_EQ(Refusal("manifestVersion: 1.0.0\ndocs: [{path: notes}]\n"
                    "model: {parameters: {modelpack: 7b}}\n",
                    RawPack()),
            "model.parameters.modelpack: the config of a ModelPack is not valid: it is no object");
  BuildOptions options = RawKit();
  options.compression = archive::Compression::kGzip;
  EXPECT_EQ(Refusal(kKitfile, options), "raw layers are not compressed");
  options = RawPack();
  options.rules = blueprint::KitRules::kKit17;
  EXPECT_EQ(Refusal(kKitfile, options), "kit 1.7 knows neither ModelPacks nor raw layers");
}

TEST_F(FormatsTest, AModelPackHasNoBase) {
  BuildOptions tagged;
  tagged.tags = {{"b", "v1"}};
  ASSERT_TRUE(bench_.BuildKitfile("manifestVersion: 1.0.0\nmodel: {path: model}\n", tagged));
  EXPECT_EQ(
      Refusal("manifestVersion: 1.0.0\nmodel: {path: 'b:v1'}\ndocs: [{path: notes}]\n", RawPack()),
      "a ModelPack cannot stand on another kit: who reads it would miss the model");
}

TEST_F(FormatsTest, AModelPackCanBeABase) {
  BuildOptions options = RawPack();
  options.tags = {{"pack", "v1"}};
  ASSERT_TRUE(bench_.BuildKitfile("manifestVersion: 1.0.0\nmodel: {path: model}\n", options));
  fs::remove_all(bench_.Context("model"));
  const auto built = bench_.BuildKitfile(
      "manifestVersion: 1.0.0\nmodel: {path: 'pack:v1'}\ndocs: [{path: notes}]\n", RawKit());
  ASSERT_TRUE(built) << built.error().message;
  const auto unpacked = bench_.Unpack(built->id);
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(bench_.List(), (std::vector<std::string>{"Kitfile", "model/", "model/config.json",
                                                     "model/deep/", "model/deep/w2.safetensors",
                                                     "model/w.safetensors", "notes"}));
}

// The Kitfile stands in the manifest, which registries take up to 4 MiB.
TEST_F(FormatsTest, AKitfileTooLargeForAManifest) {
  const std::string kitfile = "manifestVersion: 1.0.0\ndocs: [{path: notes, description: " +
                              std::string(std::size_t{5} << 20, 'x') + "}]\n";
  const auto built = bench_.BuildKitfile(kitfile, RawPack());
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().kind, ErrorKind::kExhausted) << built.error().message;
  EXPECT_TRUE(bench_.BuildKitfile(kitfile, RawKit()));
}

TEST_F(FormatsTest, EmptyDirectoriesAreMissedAloud) {
  fs::create_directories(bench_.Context("src/empty"));
  ASSERT_TRUE(bench_.BuildKitfile(kKitfile, RawKit()));
  EXPECT_TRUE(bench_.progress().Warned("the empty directory 'src/empty' is not kept"));
  EXPECT_FALSE(bench_.progress().Warned("the empty directory 'src' "));
}

TEST_F(FormatsTest, ABundleIsRawInAKitOfArchives) {
  bench_.Write("fs.mcpb", "PK");
  BuildOptions options;
  options.compression = archive::Compression::kGzip;
  const auto built = bench_.BuildKitfile(
      "manifestVersion: 1.0.0\nmcpServers: [{name: fs, path: ./fs.mcpb}]\n"
      "docs: [{path: notes}]\n",
      options);
  ASSERT_TRUE(built) << built.error().message;
  const auto modelkit = LoadModelKit(bench_.store(), built->id);
  ASSERT_TRUE(modelkit);
  EXPECT_EQ(modelkit->manifest.layers[0].media_type,
            "application/vnd.kitops.modelkit.docs.v1.tar+gzip");
  EXPECT_EQ(modelkit->manifest.layers[1].media_type, "application/vnd.kitops.modelkit.mcpb.v1.raw");
  EXPECT_EQ(modelkit->manifest.layers[1].digest, Sha256(AsBytes("PK")));
  UnpackOptions unpack;
  unpack.filters = {*Filter::Parse("mcpservers:fs")};
  ASSERT_TRUE(bench_.Unpack(built->id, unpack));
  EXPECT_EQ(bench_.List(), std::vector<std::string>{"fs.mcpb"});
}

TEST_F(FormatsTest, AFileIsNotReadAgainInEitherFormat) {
  ASSERT_TRUE(bench_.BuildKitfile(kKitfile, RawKit()));
  const auto again = bench_.BuildKitfile(kKitfile, RawPack());
  ASSERT_TRUE(again);
  for (const BuiltLayer& layer : again->layers)
    EXPECT_TRUE(layer.was_known) << layer.path;
}

TEST_F(FormatsTest, OfModctlTheFileOfThatNameIsPackedOnce) {
  const std::string text = "MODEL lora.bin\nCODE Modelfile\nDOC Model*\n";
  bench_.Write("Modelfile", text);
  const auto built = bench_.BuildModelfile(text);
  ASSERT_TRUE(built) << built.error().message;
  EXPECT_EQ(built->layers.size(), 2U);
  const auto unpacked = bench_.Unpack(built->id);
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(bench_.List(), (std::vector<std::string>{"Kitfile", "Modelfile", "lora.bin"}));
}

TEST_F(FormatsTest, OfModctlWhatIsWrongIsSaidWithItsLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"NAME x\nMODEL absent.bin\n", "Modelfile:2:1: 'absent.bin' does not exist"},
      {"MODEL model\n", "Modelfile:1:1: 'model' is a directory, and modctl takes files only"},
      {"DOC *\n", "Modelfile:1:1: 'model' is a directory, and modctl takes files only"},
      {"MODEL ../x\n", "Modelfile:1:1: the path leaves the context"},
      {"MODEL /x\n", "Modelfile:1:1: the path must be relative"},
      {"CODE notes\nDOC note*\n", "Modelfile:2:1: 'notes' is named as code already"},
      {"DOC [\n", "Modelfile:1:1: '[' is no pattern"},
  };
  for (const auto& [text, problem] : cases) {
    const auto built = bench_.BuildModelfile(text);
    ASSERT_FALSE(built) << text;
    EXPECT_EQ(built.error().message, problem);
  }
  ASSERT_TRUE(bench_.BuildModelfile("MODEL lora.bin\nCODE *.rs\n"));
  EXPECT_TRUE(bench_.progress().Warned("Modelfile:2: '*.rs' matches no file"));
}

}  // namespace
}  // namespace plumb::kit
