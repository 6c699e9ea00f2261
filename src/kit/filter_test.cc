// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include "kit/filter_internal.h"

namespace plumb::kit {
namespace {

PackedEntry Entry(oci::LayerType type, std::string name, std::string path) {
  return {{type, oci::LayerEncoding::kTar}, {}, {}, std::move(name), std::move(path)};
}

std::vector<PackedEntry> Entries() {
  using oci::LayerType;
  return {Entry(LayerType::kModel, "m", "./weights/"),
          Entry(LayerType::kModelPart, "", "tok.json"),
          Entry(LayerType::kCode, "", "src"),
          Entry(LayerType::kDataset, "train", "data/train"),
          Entry(LayerType::kDocs, "", "docs/a.md"),
          Entry(LayerType::kDocs, "", "docs/b.md")};
}

// The paths of what the filters choose.
std::vector<std::string> Chosen(const std::vector<std::string>& texts) {
  std::vector<Filter> filters;
  for (const std::string& text : texts)
    filters.push_back(*Filter::Parse(text));
  const auto chosen = ChooseEntries(Entries(), filters);
  if (!chosen) return {chosen.error().message};
  std::vector<std::string> paths;
  for (const PackedEntry& entry : *chosen)
    paths.push_back(entry.path);
  return paths;
}

using Paths = std::vector<std::string>;

TEST(FilterTest, ReadsTypesAndNames) {
  const auto filter = Filter::Parse("model,datasets:a,b:c");
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->types, (Paths{"model", "datasets"}));
  EXPECT_EQ(filter->names, (Paths{"a", "b:c"}));
  EXPECT_TRUE(Filter::Parse("prompts,mcpservers,docs,code,kitfile"));
}

TEST(FilterTest, RefusesUnknownTypesAndEmptyNames) {
  for (const char* text : {"", "models", "model,", "Model", ":x", "model:", "model:a,,b"}) {
    const auto filter = Filter::Parse(text);
    ASSERT_FALSE(filter) << text;
    EXPECT_EQ(filter.error().kind, ErrorKind::kInvalid);
  }
}

TEST(FilterTest, WithoutFiltersChoosesEverything) { EXPECT_EQ(Chosen({}).size(), 6U); }

TEST(FilterTest, PartsBelongToTheModel) {
  EXPECT_EQ(Chosen({"model"}), (Paths{"./weights/", "tok.json"}));
}

TEST(FilterTest, MatchesNamesPathsCleanedPathsAndGlobs) {
  EXPECT_EQ(Chosen({"model:m"}), (Paths{"./weights/"}));
  EXPECT_EQ(Chosen({"model:./weights/"}), (Paths{"./weights/"}));
  EXPECT_EQ(Chosen({"model:weights"}), (Paths{"./weights/"}));
  EXPECT_EQ(Chosen({"docs:docs/*.md"}), (Paths{"docs/a.md", "docs/b.md"}));
  EXPECT_EQ(Chosen({"docs:**/b.md"}), (Paths{"docs/b.md"}));
  EXPECT_EQ(Chosen({"datasets:tr*n"}), (Paths{"data/train"}));
  EXPECT_EQ(Chosen({"docs,code:src,docs/a.md"}), (Paths{"src", "docs/a.md"}));
}

TEST(FilterTest, SeveralFiltersAddUp) {
  EXPECT_EQ(Chosen({"code", "docs:docs/b.md"}), (Paths{"src", "docs/b.md"}));
}

TEST(FilterTest, OneThatMatchesNothingSaysWhatThereIs) {
  const auto chosen = ChooseEntries(Entries(), {{{"code"}, {}}, {{"docs"}, {"c.md"}}});
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(chosen.error().message,
            "filter 'docs:c.md' matches nothing; there is kitfile, model:./weights/, "
            "model:tok.json, code:src, datasets:data/train, docs:docs/a.md, docs:docs/b.md");
}

TEST(FilterTest, TheKitfileIsAlwaysThere) {
  EXPECT_EQ(Chosen({"kitfile"}), Paths{});
  EXPECT_TRUE(MatchesKitfile({{"code", "kitfile"}, {}}));
  EXPECT_FALSE(MatchesKitfile({{"code"}, {}}));
}

TEST(GlobTest, Matches) {
  const std::vector<std::pair<const char*, const char*>> matches = {{"", ""},
                                                                    {"a", "a"},
                                                                    {"*", ""},
                                                                    {"*", "abc"},
                                                                    {"a*c", "abbc"},
                                                                    {"a*b*c", "axbxbc"},
                                                                    {"?", "a"},
                                                                    {"**", "a/b/c"},
                                                                    {"a/**/c", "a/b/c"},
                                                                    {"**.md", "a/b.md"},
                                                                    {"*/x*/y", "a/xx/y"},
                                                                    {"**a*b", "x/aa/axb"},
                                                                    {"a**c*e", "a/b/c/cde"}};
  for (const auto& [pattern, text] : matches)
    EXPECT_TRUE(MatchesGlob(pattern, text)) << pattern << " " << text;
}

TEST(GlobTest, DoesNotMatch) {
  const std::vector<std::pair<const char*, const char*>> differ = {
      {"", "a"},      {"a", ""},        {"*", "a/b"},    {"?", "/"}, {"a*", "a/b"},
      {"a*c", "abb"}, {"a/*", "a/b/c"}, {"**/c", "a/b"}, {"?", ""},  {"*b", "a/b"}};
  for (const auto& [pattern, text] : differ)
    EXPECT_FALSE(MatchesGlob(pattern, text)) << pattern << " " << text;
}

TEST(GlobTest, ManyStarsAreNotSlow) {
  std::string pattern;
  for (int i = 0; i < 200; ++i)
    pattern += "*a";
  EXPECT_FALSE(MatchesGlob(pattern + "b", std::string(4000, 'a')));
}

}  // namespace
}  // namespace plumb::kit
