// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "archive/tar_reader.h"
#include "base/text.h"

namespace plumb::archive {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

TEST(CheckEntryName, GivesThePathThatANameBecomes) {
  const std::string part(255, 'a');
  const std::string longest = Join(std::vector<std::string>(16, part), "/");  // 4095 bytes
  for (const auto& [name, path] : {std::pair{"a"s, "a"s},
                                   {"./a"s, "a"s},
                                   {"a/"s, "a"s},
                                   {"./a/b/"s, "a/b"s},
                                   {"..a/...b/c.."s, "..a/...b/c.."s},
                                   {".a"s, ".a"s},
                                   {"..."s, "..."s},
                                   {"a\\..\\b:c*"s, "a\\..\\b:c*"s},
                                   {" "s, " "s},
                                   {"模/é"s, "模/é"s},
                                   {"./" + longest + "/", longest}}) {
    const auto checked = CheckEntryName(name);
    ASSERT_TRUE(checked) << name;
    EXPECT_EQ(*checked, path);
  }
}

TEST(CheckEntryName, RefusesWhatLeadsElsewhereOrIsNoName) {
  const std::string part(255, 'a');
  const std::string long_name = Join(std::vector<std::string>(16, part), "/") + "/b";  // 4097
  for (const std::string_view bad : {""sv,
                                     "."sv,
                                     "./"sv,
                                     "./."sv,
                                     "././a"sv,
                                     "/"sv,
                                     "//"sv,
                                     "/a"sv,
                                     ".//a"sv,
                                     ".//etc/passwd"sv,
                                     ".."sv,
                                     "../a"sv,
                                     "./../a"sv,
                                     "a/.."sv,
                                     "a/../"sv,
                                     "a/../../b"sv,
                                     "a/./b"sv,
                                     "a/."sv,
                                     "a//b"sv,
                                     "a//"sv,
                                     "a\0b"sv,
                                     "\0"sv,
                                     "a/\0"sv,
                                     "\xff"sv,
                                     "a/\xc0\xaf/b"sv,
                                     "\xed\xa0\x80"sv,
                                     std::string_view(long_name)}) {
    const auto checked = CheckEntryName(bad);
    ASSERT_FALSE(checked) << bad;
    EXPECT_EQ(checked.error().kind, ErrorKind::kDenied) << bad;
  }
  EXPECT_FALSE(CheckEntryName(part + "a"));
  EXPECT_FALSE(CheckEntryName("x/" + part + "a/y"));
  EXPECT_EQ(CheckEntryName("../\x1b[2J").error().message,
            "the name '../\\x1b[2J' is refused: it leads elsewhere");
}

TEST(CheckEntryName, NothingAcceptedLeavesTheDirectory) {
  EXPECT_TRUE(rc::check([](const std::vector<std::string>& random) {
    const auto pick = rc::gen::elementOf(std::vector<std::string>{"a", ".", "..", "", "é", "\xff"});
    std::vector<std::string> parts = *rc::gen::container<std::vector<std::string>>(pick);
    parts.insert(parts.end(), random.begin(), random.end());
    const auto checked = CheckEntryName(Join(parts, "/"));
    if (!checked) return;
    for (const std::string_view part : Split(*checked, '/'))
      RC_ASSERT(!part.empty() && part != "." && part != ".." && IsUtf8(part));
    RC_ASSERT(checked->find('\0') == std::string::npos);
    RC_ASSERT(*CheckEntryName(*checked) == *checked);
  }));
}

TEST(NameFold, NamesThatSomeFileSystemTakesForOneAreOne) {
  const std::vector<std::vector<std::string_view>> classes = {
      {"README", "readme", "ReadMe"},
      {"é", "É", "e\u0301", "E\u0301"},
      {"ÅNGSTRÖM", "ångström", "\u212Bngstro\u0308m", "a\u030Angstro\u0308m"},
      {"KELVIN", "kelvin", "\u212Aelvin"},
      {"Straße", "STRASSE", "straSSe", "STRA\u1E9EE"},
      {"\u017Foft", "soft", "SOFT"},
      {"i\u0307", "\u0130"},
      {"ź", "Ź", "Z\u0301"},
      {"Ǆ", "ǅ", "ǆ"},
      {"ΆΣ", "άς", "\u1F71σ", "α\u0301Σ"},
      {"ϊ", "Ϊ", "ι\u0308", "Ι\u0308"},
      {"ᾳ", "ᾼ", "αι", "ΑΙ", "α\u0345"},
      {"Й", "й", "и\u0306", "И\u0306"},
      {"Ё", "ё", "е\u0308"},
      {"Ѐ", "ѐ", "е\u0300"},
      {"Ӂ", "ӂ"},
      // Marks in any order, if they do not stand over each other.
      {"ệ", "Ệ", "ê\u0323", "ẹ\u0302", "e\u0302\u0323", "E\u0323\u0302"},
      {"a\u0301\u0302"},
      {"a\u0302\u0301", "ấ"},
      {"模"},
      {"а"},  // Cyrillic
      {"a"},
      {"ı"},
      {"\xff", "\uFFFD"},
  };
  for (const auto& one : classes)
    for (const auto& other : classes)
      for (const std::string_view a : one)
        for (const std::string_view b : other)
          EXPECT_EQ(NameFold(a) == NameFold(b), &one == &other) << a << " " << b;
}

TEST(NameFold, FoldsAFoldedNameToItself) {
  std::string all;
  for (char32_t c = 1; c < 0x2200; ++c)
    AppendUtf8(all.append("x"), c);
  const std::string folded = NameFold(all);
  EXPECT_EQ(NameFold(folded), folded);
  EXPECT_TRUE(IsUtf8(folded));
}

}  // namespace
}  // namespace plumb::archive
