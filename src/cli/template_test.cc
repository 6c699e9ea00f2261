// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/template.h"

#include <gtest/gtest.h>

namespace plumb::cli {
namespace {

std::vector<std::string_view> Names() { return {"Repo", "Size"}; }

std::string Filled(std::string_view text) {
  const auto parsed = Template::Parse(text, Names());
  return parsed ? parsed->Fill({{"Repo", "team/demo"}, {"Size", "1.0 KiB"}})
                : "error: " + parsed.error().message;
}

TEST(Template, FillsInFields) {
  EXPECT_EQ(Filled("{{.Repo}}"), "team/demo\n");
  EXPECT_EQ(Filled("<{{ .Repo }}|{{.Size}}>"), "<team/demo|1.0 KiB>\n");
  EXPECT_EQ(Filled("{{.Repo}}{{.Repo}}"), "team/demoteam/demo\n");
}

TEST(Template, ReadsEscapes) {
  EXPECT_EQ(Filled(R"({{.Repo}}\t{{.Size}})"), "team/demo\t1.0 KiB\n");
  EXPECT_EQ(Filled(R"(a\nb\\n\x\)"), "a\nb\\n\\x\\\n");
}

TEST(Template, EndsEachLineOnce) {
  EXPECT_EQ(Filled(R"({{.Repo}}\n)"), "team/demo\n");
  EXPECT_EQ(Filled("{{.Repo}}\n"), "team/demo\n");
  EXPECT_EQ(Filled(""), "\n");
}

TEST(Template, ValuesAreNotReadAgain) {
  const auto parsed = Template::Parse("{{.Repo}}", Names());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->Fill({{"Repo", R"({{.Size}}\t)"}, {"Size", ""}}), "{{.Size}}\\t\n");
}

TEST(Template, RefusesWhatIsNoField) {
  for (const std::string_view text :
       {"{{.Nope}}", "{{Repo}}", "{{.}}", "{{}}", "{{range .Repo}}", "{{- .Repo}}", "{{.repo}}"}) {
    const auto parsed = Template::Parse(text, Names());
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(parsed.error().hint, "one of {{.Repo}} {{.Size}}");
  }
}

TEST(Template, RefusesAnOpenBrace) {
  const auto parsed = Template::Parse("a {{.Repo", Names());
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message, "a '{{' of the template has no '}}'");
}

}  // namespace
}  // namespace plumb::cli
