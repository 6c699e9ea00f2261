// SPDX-License-Identifier: MIT OR Apache-2.0
#include "blueprint/kitfile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "blueprint/number_internal.h"

namespace plumb::blueprint {
namespace {

std::string Validation(const Kitfile& kitfile, KitRules rules = KitRules::kOurs,
                       ModelPath model_path = ModelPath::kFile) {
  const auto status = ValidateKitfile(kitfile, model_path, rules);
  return status ? "" : status.error().message;
}

Kitfile WithModel(const std::string& path, std::vector<ModelPart> parts = {}) {
  Kitfile kitfile;
  kitfile.manifest_version = "1.0.0";
  Model model;
  model.name = "m";
  model.path = path;
  model.parts = std::move(parts);
  kitfile.model = model;
  return kitfile;
}

TEST(Kitfile, CleansPathsAsGoDoes) {
  struct Case {
    std::string_view in, out;
  };
  constexpr Case kCases[] = {{"", "."},
                             {".", "."},
                             {"./", "."},
                             {"a/", "a"},
                             {"./a//b", "a/b"},
                             {"a/../b", "b"},
                             {"a/..", "."},
                             {"..", ".."},
                             {"../../a", "../../a"},
                             {"a/../../b", "../b"},
                             {"/", "/"},
                             {"//a", "/a"},
                             {"/../a", "/a"},
                             {"...", "..."},
                             {"a/./b/.", "a/b"},
                             {" a ", " a "},
                             {"a\\..", "a\\.."}};
  for (const Case& c : kCases)
    EXPECT_EQ(CleanPath(c.in), c.out) << c.in;
}

TEST(Kitfile, ValidationGathersAllProblemsSorted) {
  Kitfile kitfile =
      WithModel("./w", {{"p", "w/", "", "-bad", {}}, {"q", "x", "", std::string(65, 'a'), {}}});
  kitfile.code = {{"/x", "", "", {}}, {"w", "", "", {}}};
  kitfile.datasets = {{"d", "../up", "", "", {}, {}}, {"e", "a/../..", "", "", {}, {}}};
  kitfile.docs = {{"a/../x2", "", {}}, {"/../y", "", {}}};
  EXPECT_EQ(Validation(kitfile),
            "errors while validating Kitfile: "
            "\n  * absolute paths are not supported in a Kitfile (path /x in code layer 0)"
            "\n  * absolute paths are not supported in a Kitfile (path /y in docs layer 1)"
            "\n  * model m, modelpart p and code layer 1 use the same path w"
            "\n  * modelpart p has invalid type (must be alphanumeric with dots, dashes, and "
            "underscores)"
            "\n  * modelpart q type is too long (must be fewer than 64 characters)"
            "\n  * paths must stay within the context directory (path .. in dataset e)"
            "\n  * paths must stay within the context directory (path ../up in dataset d)");
}

TEST(Kitfile, ValidationAcceptsWhatIsRight) {
  std::vector<ModelPart> parts = {{"p", "long", "", std::string(64, 'a'), {}}};
  for (const std::string_view type : {"", "a", "tokenizer.v1", "_x-y.z", "0"})
    parts.push_back({"p", "part" + std::to_string(parts.size()), "", std::string(type), {}});
  Kitfile kitfile = WithModel("w", parts);
  kitfile.code = {{"", "", "", {}}};
  kitfile.docs = {{"..a", "", {}}, {"a..b/..c", "", {}}};
  EXPECT_EQ(Validation(kitfile), "");
  kitfile.docs.push_back({".", "", {}});
  EXPECT_EQ(
      Validation(kitfile),
      "errors while validating Kitfile: \n  * code layer 0 and docs layer 2 use the same path .");
}

TEST(Kitfile, AModelWithoutAPathOrOfAReferenceHasNoPathToCheck) {
  Kitfile kitfile = WithModel("");
  kitfile.code = {{".", "", "", {}}};
  EXPECT_EQ(Validation(kitfile), "");
  EXPECT_NE(Validation(kitfile, KitRules::kKit17), "");
  kitfile = WithModel("/a:b");
  EXPECT_NE(Validation(kitfile), "");
  EXPECT_EQ(Validation(kitfile, KitRules::kOurs, ModelPath::kReference), "");
}

TEST(Kitfile, DataElsewhereNeedsAnAddressAndAHash) {
  Kitfile kitfile;
  kitfile.datasets = {{"d", "", "", "", {}, {}, "s3://bucket/key", "sha256:00"}};
  EXPECT_EQ(Validation(kitfile), "");
  kitfile.datasets = {{"d", "", "", "", {}, {}, "s3://bucket/key", ""},
                      {"e", "x", "", "", {}, {}, "https://host/key", "sha256:00"}};
  EXPECT_EQ(Validation(kitfile),
            "errors while validating Kitfile: "
            "\n  * dataset d needs both remotePath and remoteHash, or neither"
            "\n  * dataset e has a remotePath that is not s3://…");
}

TEST(Kitfile, PromptsAndServersArePrintedAndHavePaths) {
  const std::string text =
      "manifestVersion: 1.0.0\nprompts:\n  - name: p\n    path: a.md\n    description: d\n"
      "mcpServers:\n  - name: s\n    path: s.mcpb\n";
  const auto kitfile = ParseKitfile(text, "Kitfile", KitRules::kOurs);
  ASSERT_TRUE(kitfile) << kitfile.error().message;
  EXPECT_EQ(PrintKitfile(*kitfile), text);
  EXPECT_EQ(*ParseConfig(WriteConfig(*kitfile)), *kitfile);
  Kitfile twice = *kitfile;
  twice.docs = {{"a.md", "", {}}};
  EXPECT_EQ(Validation(twice),
            "errors while validating Kitfile: "
            "\n  * docs layer 0 and prompt p use the same path a.md");
  twice = *kitfile;
  twice.mcp_servers.push_back({"s", "server", "", {}});
  twice.mcp_servers.push_back({"", "t.mcpb", "", {}});
  EXPECT_EQ(Validation(twice),
            "errors while validating Kitfile: "
            "\n  * mcpServer s has a path that does not end in .mcpb"
            "\n  * several mcpServers have the name s"
            "\n  * the mcpServer with path t.mcpb needs a name");
  // kit 1.7 knows none of these.
  EXPECT_FALSE(ParseKitfile(text, "Kitfile", KitRules::kKit17));
}

TEST(Kitfile, KitComparesPathsAsWritten) {
  Kitfile kitfile = WithModel("w");
  kitfile.code = {{"./w", "", "", {}}, {"../up", "", "", {}}};
  EXPECT_EQ(Validation(kitfile, KitRules::kKit17), "");
  kitfile.code.push_back({"w", "", "", {}});
  EXPECT_EQ(Validation(kitfile, KitRules::kKit17),
            "errors while validating Kitfile: \n  * model m and code layer 2 use the same path w");
}

TEST(Kitfile, ValidationEscapesWhatItNames) {
  Kitfile kitfile = WithModel("/\x1b[2J");
  EXPECT_THAT(Validation(kitfile), testing::HasSubstr("(path /\\x1b[2J in model m)"));
}

LayerDigests SomeLayer(char digest, char diff_id) {
  return {*Digest::Parse("sha256:" + std::string(64, digest)),
          *Digest::Parse("sha256:" + std::string(64, diff_id))};
}

Kitfile Whole() {
  Kitfile kitfile;
  kitfile.manifest_version = "1.0.0";
  kitfile.package = {"p<>&", "1", "d\xe2\x80\xa8", "MIT", {"a", "b"}};
  Model& model = kitfile.model.emplace();
  model = {"m", "./m/", "l", "f", "fo", "v", "d", {}, {}, {}};
  model.parts = {{"n", "p", "l", "t", SomeLayer('2', '3')}, {"", "p2", "", "", {}}};
  model.parameters = *ParseJson(R"({"z":[{"b":1,"a":null}],"B":"<","a":1e+21})");
  model.layer = SomeLayer('0', '1');
  kitfile.code = {{"c", "d", "l", SomeLayer('4', '5')}};
  kitfile.datasets = {{"n", "p", "d", "l", Json::Bool(false), SomeLayer('6', '7')}};
  kitfile.docs = {{"", "", {}}, {"p", "d", SomeLayer('8', '9')}};
  return kitfile;
}

std::string Ids(char digest, char diff_id) {
  return R"("digest":"sha256:)" + std::string(64, digest) + R"(","diffId":"sha256:)" +
         std::string(64, diff_id) + "\"";
}

TEST(Kitfile, ConfigHasTheBytesOfGo) {
  EXPECT_EQ(WriteConfig(Kitfile()), R"({"manifestVersion":"","package":{}})");
  EXPECT_EQ(WriteConfig(WithModel("")),
            R"({"manifestVersion":"1.0.0","package":{},"model":{"name":"m"}})");
  EXPECT_EQ(
      WriteConfig(Whole()),
      R"({"manifestVersion":"1.0.0","package":{"name":"p\u003c\u003e\u0026","version":"1",)"
      R"("description":"d\u2028","license":"MIT","authors":["a","b"]},)"
      R"("model":{"name":"m","path":"./m/","license":"l","framework":"f","format":"fo",)"
      R"("version":"v","description":"d","parts":[{"name":"n","path":"p","license":"l",)"
      R"("type":"t",)" +
          Ids('2', '3') +
          R"(},{"path":"p2"}],"parameters":{"B":"\u003c",)"
          R"("a":1e+21,"z":[{"a":null,"b":1}]},)" +
          Ids('0', '1') +
          R"(},)"
          R"("code":[{"path":"c","description":"d","license":"l",)" +
          Ids('4', '5') +
          R"(}],)"
          R"("datasets":[{"name":"n","path":"p","description":"d","license":"l","parameters":false,)" +
          Ids('6', '7') + R"(}],"docs":[{"path":""},{"path":"p","description":"d",)" +
          Ids('8', '9') + "}]}");
}

TEST(Kitfile, ConfigReadsBack) {
  const auto read = ParseConfig(WriteConfig(Whole()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(WriteConfig(*read), WriteConfig(Whole()));
  EXPECT_EQ(read->model.value_or(Model()).layer, SomeLayer('0', '1'));
  EXPECT_EQ(read->docs, Whole().docs);
}

TEST(Kitfile, ConfigsOfOtherToolsAreReadAndMistakesRefused) {
  const auto read = ParseConfig(
      R"({"manifestVersion":"2","package":null,"prompts":[{"path":"x"}],"model":{"path":"a","new":1,)"
      R"("digest":"sha256:)" +
      std::string(64, 'a') + R"("},"code":null})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->manifest_version, "2");
  const Model model = read->model.value_or(Model());
  EXPECT_EQ(model.path, "a");
  EXPECT_FALSE(model.layer);  // one digest alone is of no use
  for (const std::string_view bad :
       {"", "[]", "{", R"({"manifestVersion":1})", R"({"package":[]})", R"({"model":{"parts":{}}})",
        R"({"docs":[1]})", R"({"docs":[{"path":1}]})", R"({"code":[{"path":"a"},null]})",
        R"({"model":{"digest":"sha256:1","diffId":"sha256:2"}})", R"({"model":{},"model":{}})"}) {
    const auto config = ParseConfig(bad);
    ASSERT_FALSE(config) << bad;
    EXPECT_EQ(config.error().kind, ErrorKind::kInvalid) << bad;
  }
  const std::string deep = R"({"model":{"parameters":)" + std::string(100'000, '[');
  EXPECT_EQ(ParseConfig(deep).error().kind, ErrorKind::kExhausted);
}

// Text made of what means something to YAML.
rc::Gen<std::string> GenText() {
  const auto piece = rc::gen::elementOf(std::vector<std::string>{"a",
                                                                 "B",
                                                                 " ",
                                                                 "  ",
                                                                 "\n",
                                                                 "\n\n",
                                                                 "\t",
                                                                 "\r",
                                                                 ":",
                                                                 ": ",
                                                                 " #",
                                                                 "-",
                                                                 "- ",
                                                                 "?",
                                                                 "'",
                                                                 "\"",
                                                                 "\\",
                                                                 "1",
                                                                 "0x",
                                                                 "1.0",
                                                                 "1e3",
                                                                 "true",
                                                                 "null",
                                                                 "~",
                                                                 "yes",
                                                                 "<<",
                                                                 "2024-01-02",
                                                                 "{",
                                                                 "]",
                                                                 ",",
                                                                 "&",
                                                                 "*",
                                                                 "!",
                                                                 "|",
                                                                 ">",
                                                                 "%",
                                                                 "@",
                                                                 "`",
                                                                 "---",
                                                                 "...",
                                                                 "\xc3\xa9",
                                                                 "\xf0\x9f\x98\x80",
                                                                 "\xe2\x80\xa8",
                                                                 "\xc2\x85",
                                                                 "\xef\xbb\xbf",
                                                                 "\xc2\xa0",
                                                                 std::string(1, '\0'),
                                                                 "\x1b",
                                                                 "\x7f",
                                                                 std::string(600, 'x')});
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece), [](const auto& pieces) {
    std::string text;
    for (const std::string& next : pieces)
      text += next;
    return text;
  });
}

Json GenValue(int depth) {
  const int kind = *rc::gen::inRange(0, depth > 0 ? 7 : 5);
  if (kind == 0) return Json();
  if (kind == 1) return Json::Bool(*rc::gen::arbitrary<bool>());
  if (kind == 2) return Json::Int(*rc::gen::arbitrary<std::int64_t>());
  if (kind == 3) return Json::Digits(WriteFloat(*rc::gen::arbitrary<double>()));
  if (kind == 4) return Json::String(*GenText());
  const int count = *rc::gen::inRange(0, 4);
  Json::Array items;
  Json members = Json::MakeObject();
  for (int i = 0; i < count; ++i) {
    items.push_back(GenValue(depth - 1));
    members.Set(*GenText(), GenValue(depth - 1));
  }
  return kind == 5 ? Json::MakeArray(std::move(items)) : members;
}

TEST(Kitfile, PrintedKitfileReadsBackToTheSame) {
  EXPECT_TRUE(rc::check([] {
    Kitfile kitfile;
    kitfile.manifest_version = "1.0.0";
    kitfile.package = {*GenText(), *GenText(), *GenText(), *GenText(), {*GenText(), *GenText()}};
    Model& model = kitfile.model.emplace();
    model = {
        *GenText(), *GenText(), *GenText(), *GenText(),
        *GenText(), *GenText(), *GenText(), {{*GenText(), *GenText(), *GenText(), *GenText(), {}}},
        {},         {}};
    if (Json parameters = GenValue(3); !parameters.IsNull()) model.parameters = parameters;
    kitfile.code = {{*GenText(), *GenText(), *GenText(), {}}};
    kitfile.datasets = {{*GenText(), *GenText(), *GenText(), *GenText(), {}, {}}};
    kitfile.docs = {{*GenText(), *GenText(), {}}};
    // An entry of which nothing is known is no entry.
    if (kitfile.code[0].path.empty()) kitfile.code[0].path = "c";
    const std::string printed = PrintKitfile(kitfile);
    for (const KitRules rules : {KitRules::kOurs, KitRules::kKit17}) {
      const auto read = ParseKitfile(printed, "f", rules);
      RC_ASSERT(read.has_value());
      RC_ASSERT(WriteConfig(*read) == WriteConfig(kitfile));
    }
    const auto config = ParseConfig(WriteConfig(kitfile));
    RC_ASSERT(config.has_value());
    RC_ASSERT(WriteConfig(*config) == WriteConfig(kitfile));
  }));
}

TEST(Kitfile, IsPrintedForPeople) {
  Kitfile kitfile = Whole();
  kitfile.package = {"p", "1.0", "two\nlines\n", "yes", {"A B", "c: d"}};
  EXPECT_EQ(PrintKitfile(kitfile), R"(manifestVersion: 1.0.0
package:
  name: p
  version: "1.0"
  description: |
    two
    lines
  license: "yes"
  authors: [A B, 'c: d']
model:
  name: m
  path: ./m/
  license: l
  framework: f
  format: fo
  version: v
  description: d
  parts:
    - name: "n"
      path: p
      license: l
      type: t
    - path: p2
  parameters:
    B: <
    a: 1e+21
    z:
      - a: null
        b: 1
code:
  - path: c
    description: d
    license: l
datasets:
  - name: "n"
    path: p
    description: d
    license: l
    parameters: false
docs:
  - path: ""
  - path: p
    description: d
)");
  EXPECT_EQ(PrintKitfile(WithModel("w")), "manifestVersion: 1.0.0\nmodel:\n  name: m\n  path: w\n");
}

// What kit 1.7 writes of the same, character for character.
TEST(Kitfile, IsPrintedInTheStylesOfKit) {
  Kitfile kitfile;
  kitfile.manifest_version = "1.0.0";
  kitfile.package.authors = {"Ann", "B: c", "x, y", "[z]", "yes", "1", ""};
  kitfile.model.emplace().parameters = *ParseJson(R"({"<<":"<<","on":1,"x: y":2})");
  kitfile.code = {{"- x", "trail ", "line one\nline two", {}},
                  {"x:", "x\ty", "it's", {}},
                  {"-x", "a:b", "?x", {}},
                  {"? x", "#x", "é \x01", {}},
                  {"1:30", "a\rb", "\U0001F600", {}},
                  {"'q'", "a \nb", "a\n\n", {}},
                  {"%x", " x", "=", {}}};
  EXPECT_EQ(PrintKitfile(kitfile), R"(manifestVersion: 1.0.0
package:
  authors: [Ann, 'B: c', 'x, y', '[z]', "yes", "1", ""]
model:
  parameters:
    "<<": <<
    "on": 1
    'x: y': 2
code:
  - path: '- x'
    description: 'trail '
    license: |-
      line one
      line two
  - path: 'x:'
    description: "x\ty"
    license: it's
  - path: -x
    description: a:b
    license: ?x
  - path: '? x'
    description: '#x'
    license: "é \x01"
  - path: "1:30"
    description: "a\rb"
    license: "\U0001F600"
  - path: '''q'''
    description: "a \nb"
    license: |+
      a

  - path: '%x'
    description: ' x'
    license: =
)");
  const auto read = ParseKitfile(PrintKitfile(kitfile), "Kitfile", KitRules::kKit17);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, kitfile);
}

// kit, which is in Go, would take each for the member that it looks like.
TEST(ConfigTest, MembersThatGoTakesForOthersAreRefused) {
  const std::string begin = R"({"manifestVersion":"1.0.0",)";
  for (const char* bad : {R"("package":{},"Model":{"path":"evil"}})", R"("package":{"NAME":"x"}})",
                          R"("package":{},"model":{"path":"w","Path":"evil"}})",
                          R"("package":{},"model":{"path":"w","par\u0074\u017f":[]}})",
                          R"("package":{},"code":[{"path":"a","DiffId":"x"}]})"}) {
    const auto kitfile = ParseConfig(begin + bad);
    ASSERT_FALSE(kitfile) << bad;
    EXPECT_EQ(kitfile.error().kind, ErrorKind::kInvalid);
  }
  EXPECT_TRUE(ParseConfig(begin + R"("package":{},"more":1,"model":{"parameters":{"Path":1}}})"));
}

}  // namespace
}  // namespace plumb::blueprint
