// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

#include "store/recipe_internal.h"

namespace plumb::store {
namespace {

Recipe Sample() {
  Recipe recipe;
  recipe.digest = Sha256(AsBytes("sample"));
  recipe.AddLiteral(AsBytes("header"));
  recipe.AddObject(Blake3(AsBytes("weights")), 4'000'000);
  recipe.AddLiteral(AsBytes("end"));
  recipe.size = 6 + 4'000'000 + 3;
  return recipe;
}

TEST(RecipeTest, IsReadAsItWasWritten) {
  const Recipe recipe = Sample();
  const auto parsed = Recipe::Parse(recipe.ToBytes());
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(*parsed, recipe);
}

// The example of docs/format.md.
TEST(RecipeTest, HasTheBytesThatTheFormatGives) {
  Recipe recipe;
  recipe.size = 5;
  recipe.AddLiteral(AsBytes("plumb"));
  const std::string bytes = recipe.ToBytes();
  EXPECT_EQ(bytes, std::string("\x01\x05", 2) + std::string(32, '\0') +
                       std::string("\x01\x00\x05plumb", 8));
}

TEST(RecipeTest, EveryCutOffOneIsRefused) {
  const std::string bytes = Sample().ToBytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto parsed = Recipe::Parse(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(parsed) << size;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kCorrupt);
  }
  EXPECT_FALSE(Recipe::Parse(bytes + "x"));
}

TEST(RecipeTest, NewerOnesAreUnsupportedNotCorrupt) {
  std::string bytes = Sample().ToBytes();
  bytes[0] = 2;
  EXPECT_EQ(Recipe::Parse(bytes).error().kind, ErrorKind::kUnsupported);
}

TEST(RecipeTest, SizesThatDoNotAddUpAreRefused) {
  Recipe recipe = Sample();
  recipe.size += 1;
  EXPECT_EQ(Recipe::Parse(recipe.ToBytes()).error().kind, ErrorKind::kCorrupt);
}

TEST(RecipeTest, ARangeBeyondAnyObjectIsRefused) {
  Recipe recipe = Sample();
  recipe.segments[1].offset = kObjectSizeMax;
  EXPECT_EQ(Recipe::Parse(recipe.ToBytes()).error().kind, ErrorKind::kCorrupt);
}

TEST(RecipeTest, AnyBytesAreReadOrRefused) {
  EXPECT_TRUE(rc::check([](const std::string& noise) {
    const auto parsed = Recipe::Parse("\x01" + noise);
    if (parsed) RC_ASSERT(parsed->ToBytes() == "\x01" + noise);
  }));
}

}  // namespace
}  // namespace plumb::store
