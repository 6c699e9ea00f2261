// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "blueprint/kitfile.h"
#include "blueprint/modelfile.h"

namespace plumb::blueprint {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Result<Kitfile> Parse(std::string_view text) {
  return ParseKitfile(text, "Kitfile", KitRules::kOurs);
}

// The first line of what is wrong with a Kitfile, with the kind in front if it is not kInvalid.
std::string Refusal(std::string_view text, KitRules rules = KitRules::kOurs) {
  const auto kitfile = ParseKitfile(text, "Kitfile", rules);
  if (kitfile) return "accepted";
  const Error& error = kitfile.error();
  std::string line = error.message.substr(0, error.message.find('\n'));
  if (error.kind == ErrorKind::kUnsupported) return "unsupported: " + line;
  if (error.kind == ErrorKind::kExhausted) return "exhausted: " + line;
  return line;
}

std::string WithParameters(std::string_view yaml) {
  return "manifestVersion: 1.0.0\nmodel:\n  parameters:" + std::string(yaml);
}

// The config's JSON of `parameters: …`, or what is wrong with it.
std::string Parameters(std::string_view yaml) {
  const auto kitfile = Parse(WithParameters(yaml));
  if (!kitfile) return kitfile.error().message.substr(0, kitfile.error().message.find('\n'));
  const std::string config = WriteConfig(*kitfile);
  const std::string_view before =
      R"({"manifestVersion":"1.0.0","package":{},"model":{"parameters":)";
  if (!config.starts_with(before)) return "absent";
  return config.substr(before.size(), config.size() - before.size() - 2);
}

constexpr std::string_view kWhole = R"(manifestVersion: v1.0.0
package:
  name: p
  version: 1.10
  description: |
    two
    lines
  license: MIT
  authors: [a, "b <c>"]
model:
  name: m
  path: ./m.safetensors
  license: Apache-2.0
  framework: f
  format: safetensors
  version: 1.0
  description: yes
  parts:
    - {name: t, path: tokenizer.json, license: MIT, type: tokenizer.v1}
    - path: w2
  parameters: {b: 1.0, a: ["<"]}
code:
  - path: src
    description: d
    license: MIT
datasets:
  - name: d
    path: data.csv
    description: d
    license: CC0-1.0
    parameters: 3
docs:
  - path: README.md
    description: d
)";

TEST(KitfileParse, ReadsTheWholeSchema) {
  const auto kitfile = Parse(kWhole);
  ASSERT_TRUE(kitfile) << kitfile.error().message;
  Kitfile expected;
  expected.manifest_version = "v1.0.0";
  expected.package = {"p", "1.10", "two\nlines\n", "MIT", {"a", "b <c>"}};
  Model& model = expected.model.emplace();
  model.name = "m";
  model.path = "./m.safetensors";
  model.license = "Apache-2.0";
  model.framework = "f";
  model.format = "safetensors";
  model.version = "1.0";
  model.description = "yes";
  model.parts = {{"t", "tokenizer.json", "MIT", "tokenizer.v1", {}}, {"", "w2", "", "", {}}};
  model.parameters = *ParseJson(R"({"a":["<"],"b":1})");
  expected.code = {{"src", "d", "MIT", {}}};
  expected.datasets = {{"d", "data.csv", "d", "CC0-1.0", Json::Int(3), {}}};
  expected.docs = {{"README.md", "d", {}}};
  EXPECT_EQ(*kitfile, expected);
  EXPECT_EQ(Parse("\xef\xbb\xbf" + std::string(kWhole)), *kitfile);
}

TEST(KitfileParse, ReadsTheFormsOfManifestVersion) {
  for (const std::string_view good : {"1.0.0", "1.0", "v1.0.0", "'1.0.0'", "!!str 1.0"})
    EXPECT_TRUE(Parse("manifestVersion: " + std::string(good))) << good;
  EXPECT_EQ(Refusal("manifestVersion: 2.0.0"),
            "unsupported: Kitfile:1:18: manifestVersion '2.0.0' is not 1.0.0");
  EXPECT_EQ(Refusal("manifestVersion:"),
            "unsupported: Kitfile:1:17: manifestVersion '' is not 1.0.0");
  EXPECT_EQ(Refusal("package: {}"),
            "Kitfile:1:1: manifestVersion is missing: write 'manifestVersion: 1.0.0'");
  EXPECT_EQ(Refusal("manifestVersion: 7", KitRules::kKit17), "accepted");
  EXPECT_EQ(Refusal("package: {}", KitRules::kKit17), "accepted");
}

TEST(KitfileParse, RefusesWhatItDoesNotKnow) {
  struct Case {
    std::string_view in, message;
  };
  constexpr Case kCases[] = {
      {"modle:\n  path: x", "Kitfile:2:1: unknown key 'modle' in a Kitfile, did you mean 'model'?"},
      {"package:\n  nam: x", "Kitfile:3:3: unknown key 'nam' in package, did you mean 'name'?"},
      {"model:\n  path: x\n  colour: red", "Kitfile:4:3: unknown key 'colour' in model"},
      {"model:\n  digest: x", "Kitfile:3:3: unknown key 'digest' in model"},
      {"model: {parts: [{path: x, size: 1}]}", "Kitfile:2:27: unknown key 'size' in a part"},
      {"code:\n- path: x\n  name: y", "Kitfile:4:3: unknown key 'name' in a code entry"},
      {"datasets:\n- path: x\n  url: y", "Kitfile:4:3: unknown key 'url' in a dataset"},
      {"docs:\n- path: x\n  license: y", "Kitfile:4:3: unknown key 'license' in a docs entry"},
      {"prompts: [{text: x}]", "Kitfile:2:12: unknown key 'text' in a prompt"},
      {"mcpServers: [{url: x}]", "Kitfile:2:15: unknown key 'url' in an MCP server"},
      {"package: {name: a, name: b}", "Kitfile:2:20: key 'name' for a second time"},
      {"package:\n  name: a\n  \"name\": b", "Kitfile:4:3: key 'name' for a second time"},
      {"package: {? [a] : b}", "Kitfile:2:13: a key must be text"},
      {"~: x", "Kitfile:2:1: a key is empty"},
      {"package: x", "Kitfile:2:10: package must be a mapping"},
      {"model: [x]", "Kitfile:2:8: model must be a mapping"},
      {"code: x", "Kitfile:2:7: code must be a list"},
      {"code: {path: x}", "Kitfile:2:7: code must be a list"},
      {"code:\n- x", "Kitfile:3:3: a code entry must be a mapping"},
      {"code:\n-\n- path: x", "Kitfile:3:2: an entry of code is empty"},
      {"package:\n  name: [x]", "Kitfile:3:9: 'name' must be text"},
      {"package: {authors: [{a: b}]}", "Kitfile:2:21: 'authors' must be text"},
      {"--- \na: b", "Kitfile:2:1: a second YAML document begins here"},
      {"...\nx: [", "Kitfile:3:1: did not find expected <document start>"},
  };
  for (const Case& c : kCases)
    EXPECT_EQ(Refusal("manifestVersion: 1.0.0\n" + std::string(c.in)), c.message) << c.in;
}

TEST(KitfileParse, ShowsTheLineWithACaret) {
  const auto kitfile = Parse("manifestVersion: 1.0.0\npackage: {\xc3\xa9: 1}\n");
  ASSERT_FALSE(kitfile);
  EXPECT_EQ(
      kitfile.error().message,
      "Kitfile:2:11: unknown key '\xc3\xa9' in package\n  package: {\xc3\xa9: 1}\n            ^");
}

TEST(KitfileParse, RefusesWhatIsNotYaml) {
  EXPECT_EQ(Refusal(""), "Kitfile:1:1: nothing is written here");
  EXPECT_EQ(Refusal("# only\n"), "Kitfile:1:1: nothing is written here");
  EXPECT_EQ(Refusal("manifestVersion: 1.0.0\nmodel: {a"),
            "Kitfile:2:10: did not find expected ',' or '}' while parsing a flow mapping");
  EXPECT_EQ(Refusal("a: b\n\tc: d"),
            "Kitfile:2:1: found a tab character that violates indentation while scanning a plain "
            "scalar");
  EXPECT_EQ(Refusal("a: \xff"), "Kitfile:1:4: bytes that are not UTF-8 text");
  EXPECT_EQ(Refusal("a: \x01"), "Kitfile:1:4: control characters are not allowed");
  EXPECT_EQ(Refusal("manifestVersion: *x"), "Kitfile:1:18: no anchor '&x' before this");
  EXPECT_EQ(Refusal("a: 1\n\xef\xbb\xbf"
                    "b: 2"),
            "Kitfile:2:1: a byte order mark after the beginning of the file");
}

// The answers of yaml.v3 and json.Marshal.
struct ScalarCase {
  std::string_view yaml, json;
};
constexpr ScalarCase kScalarCases[] = {
    {"1", "1"},
    {"-0", "0"},
    {"+1", "1"},
    {"1_000", "1000"},
    {"1__0_", "10"},
    {"_1", "\"_1\""},
    {"1.0", "1"},
    {"-0.0", "-0"},
    {"1.50", "1.5"},
    {".5", "0.5"},
    {"5.", "5"},
    {"1e3", "1000"},
    {"1e20", "100000000000000000000"},
    {"1e21", "1e+21"},
    {"0.000001", "0.000001"},
    {"1e-7", "1e-7"},
    {"5e-324", "5e-324"},
    {"1e-400", "0"},
    {"1e400", "\"1e400\""},
    {"0.1", "0.1"},
    {"123456789.123456789", "123456789.12345679"},
    {"0x1F", "31"},
    {"0X1f", "31"},
    {"-0x1f", "-31"},
    {"0x", "\"0x\""},
    {"0x1p4", "\"0x1p4\""},
    {"0o17", "15"},
    {"0O17", "15"},
    {"-0o7", "-7"},
    {"017", "15"},
    {"018", "18"},
    {"00", "0"},
    {"0b101", "5"},
    {"-0b11", "-3"},
    {"0b-1", "-1"},
    {"0b2", "\"0b2\""},
    {"9223372036854775807", "9223372036854775807"},
    {"9223372036854775808", "9223372036854775808"},
    {"18446744073709551615", "18446744073709551615"},
    {"18446744073709551616", "18446744073709552000"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"-9223372036854775809", "-9223372036854776000"},
    {"1:30", "\"1:30\""},
    {"1.2.3", "\"1.2.3\""},
    {"true", "true"},
    {"False", "false"},
    {"tRue", "\"tRue\""},
    {"yes", "\"yes\""},
    {"no", "\"no\""},
    {"on", "\"on\""},
    {"Y", "\"Y\""},
    {"~", "absent"},
    {"", "absent"},
    {"Null", "absent"},
    {"nUll", "\"nUll\""},
    {"[~, null,  ]", "[null,null]"},
    {"inf", "\"inf\""},
    {"2024-01-02", "\"2024-01-02T00:00:00Z\""},
    {"2024-1-2", "\"2024-01-02T00:00:00Z\""},
    {"2024-01-02 3:4:5.60", "\"2024-01-02T03:04:05.6Z\""},
    {"2024-01-02T03:04:05+01:30", "\"2024-01-02T03:04:05+01:30\""},
    {"2024-01-02T03:04:05", "\"2024-01-02T03:04:05\""},
    {"2023-02-29", "\"2023-02-29\""},
    {"2024-02-29", "\"2024-02-29T00:00:00Z\""},
    {"'2024-01-02'", "\"2024-01-02\""},
    {"\"1\"", "\"1\""},
    {"'it''s'", "\"it's\""},
    {"!!str 1", "\"1\""},
    {"!!int \"1\"", "1"},
    {"!!float 1", "1"},
    {"!!binary aGk=", "\"hi\""},
    {"!mine 1", "\"1\""},
    {"! 1", "1"},
    {"\"<&>\\u2028\\x41\\U0001F600\"",
     "\"\\u003c\\u0026\\u003e\\u2028"
     "A\xf0\x9f\x98\x80\""},
    {"{b: 1, a: {d: 1, c: 2}}", "{\"a\":{\"c\":2,\"d\":1},\"b\":1}"},
    {"{a b: c, \"1\": d, Z: e}", "{\"1\":\"d\",\"Z\":\"e\",\"a b\":\"c\"}"},
    {"{}", "{}"},
    {"[]", "[]"},
    {"[a: b]", "[{\"a\":\"b\"}]"},
    {"[&a {x: 1}, *a, {<<: *a, y: 2}, {<<: [{x: 3}, *a], z: 4}, {x: 5, <<: *a}]",
     "[{\"x\":1},{\"x\":1},{\"x\":1,\"y\":2},{\"x\":3,\"z\":4},{\"x\":5}]"},
    {"{\"<<\": 1}", "{\"\\u003c\\u003c\":1}"},
    {"\n    |\n     a\n      b\n\n     c\n", "\"a\\n b\\n\\nc\\n\""},
    {"\n    >-\n     a\n     b\n\n     c\n", "\"a b\\nc\""},
    {"\n    |+\n     a\n\n", "\"a\\n\\n\""},
    {"\n  - a\n  -\n    - b\n", "[\"a\",[\"b\"]]"},
    {"a\n   b", "\"a b\""},
    {"a # c", "\"a\""},
    {"a#c", "\"a#c\""},
    {".inf", "Kitfile:3:15: '.inf' has no form in JSON"},
    {"[1, -.INF]", "Kitfile:3:19: '-.INF' has no form in JSON"},
    {".nan", "Kitfile:3:15: '.nan' has no form in JSON"},
    {"{1: a}", "Kitfile:3:16: this key is not text; write it in double quotes"},
    {"{true: a}", "Kitfile:3:16: this key is not text; write it in double quotes"},
    {"{? [a] : b}", "Kitfile:3:18: this key is not text; write it in double quotes"},
    {"{a: 1, a: 2}", "Kitfile:3:22: key 'a' for a second time"},
    {"{<<: 1}", "Kitfile:3:20: '<<' merges mappings only"},
    {"!!int x", "Kitfile:3:15: 'x' cannot be read as !!int"},
    {"!!binary _", "Kitfile:3:15: a !!binary value that is not base64"},
    {"!!binary /w==", "Kitfile:3:15: a !!binary value that is not text"},
    {"&a [*a]", "Kitfile:3:19: anchor '&a' contains itself"},
    {"&a {b: {<<: *a}}", "Kitfile:3:27: anchor '&a' contains itself"},
};

TEST(KitfileParse, SeesScalarsAsGoDoes) {
  for (const ScalarCase& c : kScalarCases)
    EXPECT_EQ(Parameters(" " + std::string(c.yaml)), c.json) << c.yaml;
}

TEST(KitfileParse, HasLimits) {
  EXPECT_EQ(Refusal("a: " + std::string(kBlueprintSizeMax, 'x')),
            "exhausted: 'Kitfile' is larger than 16 MiB");
  const auto nested = [](std::size_t depth) {
    return WithParameters(" " + std::string(depth, '[') + std::string(depth, ']'));
  };
  EXPECT_EQ(Refusal(nested(62)), "accepted");
  EXPECT_EQ(Refusal(nested(63)), "exhausted: Kitfile:3:77: more than 64 levels deep");
  EXPECT_THAT(Refusal(nested(1'000'000)), StartsWith("exhausted: Kitfile:3:77"));
  std::string dashes = "\n  ";
  for (int i = 0; i < 100'000; ++i)
    dashes += "- ";
  EXPECT_THAT(Parameters(dashes), HasSubstr("more than 64 levels deep"));
  std::string items;
  for (int i = 0; i < 100'000; ++i)
    items += "1,";
  EXPECT_THAT(Refusal(WithParameters(" [" + items + "]")), HasSubstr("more than 100000 values"));
}

TEST(KitfileParse, HasLimitsOnWhatAliasesStandFor) {
  std::string bomb = "\n  - &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  std::string deep = "\n  - &a0 [x]\n";
  std::string used = "*a0";
  for (int i = 1; i < 70; ++i) {
    const std::string begin = "  - &a" + std::to_string(i) + " [";
    bomb.append(begin).append(Join(std::vector<std::string>(3, used), ",")).append("]\n");
    deep.append(begin).append(used).append("]\n");
    used = "*a" + std::to_string(i);
  }
  EXPECT_THAT(Parameters(deep), HasSubstr("more than 64 levels deep"));
  EXPECT_THAT(Parameters(bomb), HasSubstr("more than 100000 values"));
  std::string long_text = "\n  - &a " + std::string(1 << 20, 'x') + "\n";
  for (int i = 0; i < 40; ++i)
    long_text += "  - *a\n";
  EXPECT_THAT(Parameters(long_text), HasSubstr("more than 32 MiB of text after aliases"));
}

TEST(KitfileParse, HasLimitsOnTagDirectives) {
  EXPECT_EQ(Refusal("%TAG !e! " + std::string(257, 'x') + "\n---\nmanifestVersion: 1.0.0"),
            "exhausted: Kitfile:1:1: a %TAG with a prefix of more than 256 bytes");
  std::string many;
  for (int i = 0; i < 101; ++i)
    many += "%TAG !" + std::to_string(i) + "! x\n";
  EXPECT_EQ(Refusal(many + "---\nmanifestVersion: 1.0.0"),
            "exhausted: Kitfile:101:1: more than 100 lines that begin with %TAG");
  EXPECT_EQ(Refusal("%TAG ! tag:yaml.org,2002:\n---\nmanifestVersion: !str 1.0"), "accepted");
}

}  // namespace
}  // namespace plumb::blueprint
