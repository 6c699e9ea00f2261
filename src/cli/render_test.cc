// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/render.h"

#include <gtest/gtest.h>

namespace plumb::cli {
namespace {

Digest DigestOf(unsigned value) {
  Digest digest;
  digest.bytes.fill(static_cast<std::byte>(value));
  return digest;
}

std::string Hex(char digit) { return "sha256:" + std::string(64, digit); }

TEST(RenderBuild, SaysWhatKitSays) {
  verbs::BuildReport report;
  report.built.id = DigestOf(0x11);
  report.built.config = DigestOf(0x22);
  report.built.layers = {{oci::LayerType::kModel, "w.bin", DigestOf(0x33), 7, false},
                         {oci::LayerType::kModelPart, "t.json", DigestOf(0x44), 8, true}};
  report.tags = {"m:v1"};
  EXPECT_EQ(Render(report).text, "Saved model layer: " + Hex('3') +
                                     "\n"
                                     "Already saved modelpart layer: " +
                                     Hex('4') + "\nSaved configuration: " + Hex('2') +
                                     "\nSaved manifest to storage: " + Hex('1') +
                                     "\nModel saved: " + Hex('1') + "\n");
  report.built.config_was_known = true;
  report.built.manifest_was_known = true;
  report.built.layers.clear();
  EXPECT_EQ(Render(report).text, "Configuration already exists in storage: " + Hex('2') +
                                     "\nManifest already exists in storage: " + Hex('1') +
                                     "\nModel saved: " + Hex('1') + "\n");
  EXPECT_EQ(WriteJson(Render(report).json, JsonStyle::kCompact),
            R"({"digest":")" + Hex('1') + R"(","tags":["m:v1"],"config":")" + Hex('2') +
                R"(","layers":[],"alreadySaved":true})");
}

TEST(RenderUnpack, TellsOfTheKitfileFirst) {
  verbs::UnpackReport report;
  report.directory = "/out";
  report.unpacked.entries = {{"model", "m", "./w.bin"},  {"modelpart", "p", "p.bin"},
                             {"code", "ignored", "src"}, {"dataset", "d", "d.csv"},
                             {"docs", "", "README.md"},  {"config", "", "Kitfile"}};
  EXPECT_EQ(BeginningOf(report) + Render(report).text,
            "Unpacking to /out\n"
            "Unpacking config to /out/Kitfile\n"
            "Unpacking model m to ./w.bin\n"
            "Unpacking model part p to p.bin\n"
            "Unpacking code to src\n"
            "Unpacking dataset d to d.csv\n"
            "Unpacking docs to README.md\n");
}

// Names of tensors are strangers' text; a scalar has no dimensions; what is compressed lies
// nowhere.
TEST(RenderTensors, OneLineEach) {
  verbs::TensorsReport report;
  report.kit = DigestOf(0x11);
  kit::WeightsFile file;
  file.path = "w.gguf";
  file.header.format = weights::TensorFormat::kGguf;
  file.header.tensors = {{"\x1b[2Ja", weights::Dtype::kQ4K, {3, 256}, 64, 432},
                         {"s", weights::Dtype::kF32, {}, 512, 4}};
  file.layer = DigestOf(0x22);
  report.weights.files = {file};
  report.kept = {{{Blake3(AsBytes("x")), 300, {"planes", "raw"}}, {}}};
  const std::string object = Blake3(AsBytes("x")).ToHex();
  EXPECT_EQ(
      Render(report).text,
      "NAME       DTYPE   SHAPE      SIZE    STORED   ENCODING     OBJECT         FILE\n"
      "\\x1b[2Ja   Q4_K    [3, 256]   432 B   300 B    planes+raw   " +
          object.substr(0, 12) +
          "   w.gguf\n"
          "s          F32     []         4 B     -        -            -              w.gguf\n"
          "\n2 tensors, 436 B\n");
  const std::string json = WriteJson(Render(report).json, JsonStyle::kCompact);
  EXPECT_EQ(json, R"({"digest":")" + Hex('1') +
                      R"(","files":[{"path":"w.gguf","format":"gguf","layer":")" + Hex('2') +
                      R"(","tensors":[{"name":"\u001b[2Ja","dtype":"Q4_K","shape":[3,256],)" +
                      R"("offset":64,"bytes":432,"object":")" + object +
                      R"(","stored":300,"encoding":"planes+raw","base":null},)" +
                      R"({"name":"s","dtype":"F32","shape":[],)" +
                      R"("offset":512,"bytes":4,"object":null,"base":null}]}]})");
  report.weights.files[0].blob_offset = 512;
  EXPECT_NE(WriteJson(Render(report).json, JsonStyle::kCompact).find(R"(,"layerOffset":512,)"),
            std::string::npos);
}

TEST(RenderTag, TellsWhereTheTagPointed) {
  verbs::TagReport report{"m:v1", "m:v2", DigestOf(0x11), std::nullopt};
  EXPECT_EQ(Render(report).text, "Modelkit m:v1 tagged as m:v2\n");
  report.previous = DigestOf(0x22);
  EXPECT_EQ(Render(report).text, "Modelkit m:v1 tagged as m:v2\n");
}

TEST(RenderRemove, TellsTagsFromKits) {
  using Kind = verbs::RemoveReport::Line::Kind;
  const std::vector<verbs::RemoveReport> reports = {
      {{{Kind::kUntagged, "m:v2", DigestOf(0x11)}, {Kind::kNamed, "m:v1", DigestOf(0x11)}}},
      {{{Kind::kKit, Hex('2'), DigestOf(0x22)}}}};
  EXPECT_EQ(Render(reports).text,
            "Untagged m:v2\nRemoved m:v1 (digest " + Hex('1') + ")\nRemoved " + Hex('2') + "\n");
}

TEST(RenderPush, NamesTheTargetIfItIsAnother) {
  verbs::PushReport report;
  report.source = report.target = "h.io/m:v1";
  report.transfer.manifest = DigestOf(0x11);
  EXPECT_EQ(BeginningOf(report) + Render(report).text,
            "Pushing h.io/m:v1\nPushed " + Hex('1') + "\n");
  report.source = "m:v1";
  EXPECT_EQ(BeginningOf(report) + Render(report).text,
            "Pushing m:v1 to h.io/m:v1\nPushed " + Hex('1') + "\n");
}

TEST(RenderPull, SaysWhatKitSays) {
  verbs::PullReport report;
  report.source = "h.io/m:v1";
  report.transfer.manifest = DigestOf(0x11);
  EXPECT_EQ(BeginningOf(report) + Render(report).text,
            "Pulling h.io/m:v1\nPulled " + Hex('1') + "\n");
}

verbs::ListReport TwoKits() {
  verbs::ListReport report;
  report.kits.push_back({"", DigestOf(0x11), {}, "", "", 12});
  report.kits.push_back({"team/demo", DigestOf(0x22), {"v1", "v2"}, "Größe", "Ann", 106496});
  return report;
}

TEST(RenderList, IsTheTableOfKit) {
  const auto answer = Render(TwoKits(), "table");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->text,
            "REPOSITORY   TAG      MAINTAINER   NAME     SIZE        DIGEST\n"
            "<none>       <none>   <none>       <none>   12 B        " +
                Hex('1') +
                "\n"
                "team/demo    v1       Ann          Größe    104.0 KiB   " +
                Hex('2') +
                "\n"
                "team/demo    v2       Ann          Größe    104.0 KiB   " +
                Hex('2') + "\n");
}

TEST(RenderList, OfNothingIsTheHeader) {
  EXPECT_EQ(Render(verbs::ListReport(), "table")->text,
            "REPOSITORY   TAG   MAINTAINER   NAME   SIZE   DIGEST\n");
  EXPECT_EQ(Render(verbs::ListReport(), "json")->text, "[]\n");
  EXPECT_EQ(Render(verbs::ListReport(), "{{.Repo}}")->text, "");
}

TEST(RenderList, HasTheJsonOfKit) {
  const auto answer = Render(TwoKits(), "json");
  ASSERT_TRUE(answer);
  const auto parsed = ParseJson(answer->text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(WriteJson(parsed->IfArray()->at(1), JsonStyle::kCompact),
            R"({"repo":"team/demo","digest":")" + Hex('2') +
                R"(","tags":["v1","v2"],"modelName":"Größe","size":"104.0 KiB","author":"Ann"})");
}

TEST(RenderList, FillsTemplates) {
  EXPECT_EQ(
      Render(TwoKits(), R"({{.Repo}}\t{{.Tags}}\t{{.ModelName}}\t{{.Size}}\t{{.Author}})")->text,
      "<none>\t[]\t<none>\t12 B\t<none>\n"
      "team/demo\t[v1 v2]\tGröße\t104.0 KiB\tAnn\n");
  const auto refused = Render(verbs::ListReport(), "{{.Nope}}");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalid);
  EXPECT_NE(refused.error().hint.find("{{.ModelName}}"), std::string::npos);
}

TEST(RenderList, NamesCannotSteerATerminal) {
  verbs::ListReport report;
  report.kits.push_back({"a", DigestOf(0x11), {"v1"}, "x\x1b[2Jy\nz", "\xff", 0});
  for (const std::string_view format : {"table", "{{.ModelName}} {{.Author}}"}) {
    const auto answer = Render(report, format);
    ASSERT_TRUE(answer);
    EXPECT_NE(answer->text.find("x\\x1b[2Jy\\x0az"), std::string::npos) << answer->text;
    EXPECT_NE(answer->text.find("\\xff"), std::string::npos) << answer->text;
  }
}

TEST(RenderError, HasAHintOnlyIfThereIsOne) {
  EXPECT_EQ(ErrorText({ErrorKind::kInvalid, "no"}), "error: no\n");
  EXPECT_EQ(ErrorText({ErrorKind::kInvalid, "f:1:2: no\n  x\n  ^", "plumb help"}),
            "error: f:1:2: no\n  x\n  ^\nhint: plumb help\n");
  EXPECT_EQ(ErrorText({ErrorKind::kInvalid, "\x1b]0;title\a"}), "error: \\x1b]0;title\\x07\n");
}

TEST(RenderError, IsOneObjectInJson) {
  EXPECT_EQ(ErrorJson({ErrorKind::kNotFound, "no 'x'\n", "look"}),
            R"({"kind":"not_found","message":"no 'x'\n","hint":"look"})"
            "\n");
  EXPECT_EQ(ErrorJson({ErrorKind::kInterrupted, "x"}),
            R"({"kind":"interrupted","message":"x","hint":""})"
            "\n");
}

TEST(PrintableLines, KeepsLinesAndTabs) {
  EXPECT_EQ(PrintableLines("a\tb\r\n\n\x1bz\n"), "a\tb\\x0d\n\n\\x1bz\n");
  EXPECT_EQ(PrintableLines(""), "");
}

TEST(Table, PadsAllButTheLastColumn) {
  EXPECT_EQ(Table({{"a", "bb", "c"}, {"ddd", "e", "ff"}}), "a     bb   c\nddd   e    ff\n");
  EXPECT_EQ(Table({}), "");
}

}  // namespace
}  // namespace plumb::cli
