// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "kit/build.h"
#include "tests/workbench.h"

// docs/format.md, "Golden ModelKits": whoever follows the format gets these.
namespace plumb::kit {
namespace {

namespace fs = std::filesystem;

constexpr char kLockOfB[] =
    R"(# Written by plumb build; keep it in version control, beside the blueprint.
# Bases stay as they are here until plumb build --update.
version = 1

[blueprint]
size = 64
digest = "sha256:fc1136d255fee761932af9baa66a9fbf4f0cd46280efedfb4f9f369ebd9c1668"

[[base]]
reference = "a:v1"
size = 15607
digest = "sha256:511337783fac8092ac0308cf187489e86e7af5705bc3346166171afa1d59b74b"

[[input]]
path = "."
size = 19
digest = "sha256:1c75819d2ba4d9e0b2903936f5f7c7fc7926fd110779e993b7a9fa433c975700"
)";

class GoldenTest : public testing::Test {
 protected:
  void WriteA() {
    bench_.Write("model/weights.bin", "weights\n");
    bench_.Write("model/tok/vocab.txt", "a\nb\n");
    bench_.Write("src/run.sh", "echo\n");
    bench_.Write("src/lib.py", "x = 1\n");
    bench_.Write("README.md", "Read me\n");
    bench_.Write("src/notes.tmp", "not packed");
    bench_.Write(".kitignore", "**/*.tmp\n");
    fs::create_directory(bench_.Context("src/empty"));
    fs::permissions(bench_.Context("src/run.sh"), fs::perms(0755));
  }
  static constexpr char kA[] = R"(manifestVersion: 1.0.0
package:
  name: golden
  version: 0.1.0
  authors: [Ann, Bob <bob@example.org>]
model:
  name: m
  path: ./model/
  parts:
    - name: tok
      path: model/tok
      type: tokenizer
  parameters: {temperature: 0.70, context: 0x1000, stop: [é, "\u2028"]}
code:
  - path: src
datasets:
  - name: none
    path: src/empty
docs:
  - path: README.md
    description: a < b
)";

  void WriteD() {
    for (const char* name : {"hf/a.safetensors", "hf/b.safetensors", "hf/old.bin", "hf/config.json",
                             "hf/tokenizer.json", "hf/merges.txt", "hf/mmproj-x.safetensors",
                             "hf/README.md", "d-00001-of-00002.gguf", "d-00002-of-00002.gguf"})
      bench_.Write(name, std::string(name) + "\n");
    bench_.directory().Write("home/lora/adapter.safetensors", "adapter\n");
  }
  static constexpr char kD[] =
      "# A model\nfrom hf\nADAPTER ~/lora\nDRAFT d-00001-of-00002.gguf\n"
      "LICENSE apache-2.0\nTEMPLATE \"\"\"{{ .System }}\n{{ .Prompt }}\"\"\"\n"
      "SYSTEM Be <short>.\nPARAMETER stop [end]\nPARAMETER temperature 0.70\n"
      "MESSAGE user Hi\nMESSAGE assistant Hello\n";

  void WriteC() { bench_.Write("w.gguf", "GGUF weights\n"); }
  static constexpr char kC[] = "FROM ./w.gguf\n";

  void Expect(const Result<BuildReport>& built, const std::string& id) {
    ASSERT_TRUE(built) << built.error().message;
    EXPECT_EQ(built->id.ToString(), id);
  }
  static BuildOptions Tagged(const std::string& repository) {
    BuildOptions options;
    options.tags = {{repository, "v1"}};
    return options;
  }

  static BuildOptions Pack(LayerFormat layer_format) {
    BuildOptions options;
    options.format = oci::KitFormat::kModelPack;
    options.layer_format = layer_format;
    return options;
  }

  Workbench bench_;
};

TEST_F(GoldenTest, AnEntryOfEachType) {
  WriteA();
  Expect(bench_.BuildKitfile(kA),
         "sha256:511337783fac8092ac0308cf187489e86e7af5705bc3346166171afa1d59b74b");
}

TEST_F(GoldenTest, AKitfileWithABase) {
  WriteA();
  ASSERT_TRUE(bench_.BuildKitfile(kA, Tagged("a")));
  fs::remove_all(bench_.Context("model"));
  bench_.Write("src/run.sh", "echo\n");
  fs::permissions(bench_.Context("src/run.sh"), fs::perms(0644));
  const auto built =
      bench_.BuildKitfile("manifestVersion: v1.0.0\nmodel: {path: 'a:v1'}\ncode: [{path: .}]\n");
  Expect(built, "sha256:f304f4e7277c4f2d9f01888940f1434908a8d4c3e11f265a9c9ef216542992c5");
  // docs/format.md, "Lock file".
  EXPECT_EQ(blueprint::PrintLockFile(built->lock), kLockOfB);
}

TEST_F(GoldenTest, AModelfileOfOneFile) {
  WriteC();
  Expect(bench_.BuildModelfile(kC),
         "sha256:d28dea7d841089d8d798a6c958e9a4ea78e7236d7167b899039e2283a9ed731f");
}

TEST_F(GoldenTest, AModelfileOfDirectoriesAndSeries) {
  WriteD();
  Expect(bench_.BuildModelfile(kD),
         "sha256:d4b7863f79eb552ce02a568e519f78a0bb980309f93c19667b0a67fb3776e080");
}

TEST_F(GoldenTest, AModelfileWithABase) {
  WriteC();
  ASSERT_TRUE(bench_.BuildModelfile(kC, Tagged("c")));
  fs::remove(bench_.Context("w.gguf"));
  bench_.Write("adapter.gguf", "adapter\n");
  Expect(
      bench_.BuildModelfile("FROM c:v1\nADAPTER adapter.gguf\nLICENSE My licence.\nLICENSE MIT\n"),
      "sha256:8260611d4df0fcadb0292340d2592d48909e6359cffc55237303680692943715");
}

TEST_F(GoldenTest, AModelPackOfAModelfile) {
  WriteD();
  Expect(bench_.BuildModelfile(kD, Pack(LayerFormat::kRaw)),
         "sha256:935bb94819bce599ce64dbb8c3e39673020b7ea05c4973f0baf097cc596386e8");
}

TEST_F(GoldenTest, AModelPackOfArchives) {
  WriteA();
  Expect(bench_.BuildKitfile(kA, Pack(LayerFormat::kTar)),
         "sha256:320d970eff7e650a5929cc426a716e2a1221a3490a43e17bf1f914ebe2ef42ae");
}

TEST_F(GoldenTest, AModelfileOfModctl) {
  for (const char* name : {"m-1.safetensors", "m-2.safetensors", "config.json", "run me.py",
                           "data/x.csv", "README.md"})
    bench_.Write(name, std::string(name) + "\n");
  const std::string text =
      "# tiny\nNAME tiny\narch transformer\nPARAMSIZE 1b\nFORMAT safetensors\n"
      "MODEL m-*.safetensors\nCONFIG *.json\nCODE \"run me.py\"\nDATASET data/[a-z].csv\n"
      "DOC README.md\n";
  Expect(bench_.BuildModelfile(text),
         "sha256:bbe65e5f9b7f938768f74271950a83c5ba64ef38f649d82bc7722d770a1c938e");
  Expect(bench_.BuildModelfile(text, Pack(LayerFormat::kRaw)),
         "sha256:de85220c421178d9751e5d7b27968ad873274dcea99025ae990af2e4c76e2986");
}

TEST_F(GoldenTest, WhatOnlyNewerKitOpsKnow) {
  for (const char* name : {"p/one.md", "p/two.md", "fs.mcpb"})
    bench_.Write(name, std::string(name) + "\n");
  BuildOptions options;
  options.layer_format = LayerFormat::kRaw;
  Expect(bench_.BuildKitfile(
             "manifestVersion: 1.0.0\n"
             "datasets: [{name: far, remotePath: 's3://bucket/key', remoteHash: abc}]\n"
             "prompts: [{name: p, path: p}]\nmcpServers: [{name: fs, path: fs.mcpb}]\n",
             options),
         "sha256:4b5661be782f358f6085c028f82a978f8c1158a246cb457e4ad06d73858c678a");
}

}  // namespace
}  // namespace plumb::kit
