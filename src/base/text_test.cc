// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>

namespace plumb {
namespace {

using namespace std::string_view_literals;

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_EQ(Split("a,b,,", ','), (std::vector{"a"sv, "b"sv, ""sv, ""sv}));
  EXPECT_EQ(Split("", ','), std::vector{""sv});
}

TEST(Text, JoinIsTheReverseOfSplit) {
  EXPECT_EQ(Join({}, ","), "");
  EXPECT_EQ(Join(std::vector<std::string>{"", "a", ""}, ", "), ", a, ");
}

TEST(Text, WhiteSpaceAndCaseAreAsciiOnly) {
  EXPECT_EQ(Trim(" \t\r\n\v\fa b \n"), "a b");
  EXPECT_EQ(Trim(" \n"), "");
  EXPECT_EQ(Trim("\u00a0a"), "\u00a0a");
  EXPECT_EQ(ToLowerAscii("AZ[@É\xff"), "az[@É\xff");
  EXPECT_TRUE(EqualsIgnoreCaseAscii("Content-TYPE", "content-type"));
  EXPECT_FALSE(EqualsIgnoreCaseAscii("a", "ab"));
  EXPECT_FALSE(EqualsIgnoreCaseAscii("É", "é"));
  EXPECT_FALSE(EqualsIgnoreCaseAscii("@", "`"));
}

TEST(Text, NumbersAreDigitsOnly) {
  EXPECT_EQ(ParseUint64("18446744073709551615"), 18446744073709551615U);
  for (const auto bad : {"", "+1", "-1", " 1", "1 ", "0x1", "18446744073709551616"})
    EXPECT_EQ(ParseUint64(bad), std::nullopt) << bad;
}

TEST(Text, HexIsLowerCaseAndOfTheRightLength) {
  std::array<std::byte, 2> out = {};
  EXPECT_TRUE(DecodeHex("0aff", out));
  EXPECT_EQ(EncodeHex(out), "0aff");
  for (const auto bad : {"0AFF", "0a", "0aff0", "0aff00", "0xff", "zzzz"})
    EXPECT_FALSE(DecodeHex(bad, out)) << bad;
}

TEST(Text, Base64RoundTripsAndHasOneSpelling) {
  EXPECT_TRUE(rc::check([](const std::string& bytes) {
    RC_ASSERT(*DecodeBase64(EncodeBase64(AsBytes(bytes))) == bytes);
  }));
  // RFC 4648, section 10.
  for (const auto& [plain, text] : {std::pair{""sv, ""sv},
                                    {"f"sv, "Zg=="sv},
                                    {"fo"sv, "Zm8="sv},
                                    {"foo"sv, "Zm9v"sv},
                                    {"foob"sv, "Zm9vYg=="sv},
                                    {"fooba"sv, "Zm9vYmE="sv},
                                    {"foobar"sv, "Zm9vYmFy"sv}})
    EXPECT_EQ(EncodeBase64(AsBytes(plain)), text);
  EXPECT_EQ(EncodeBase64(AsBytes("\xfb\xff\xfe")), "+//+");
  for (const auto bad : {"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "Zg==Zg==", "Zm 9", "=m9v", "Zm9_",
                         "Zm9v\n", "Zm9vZg==Zm9v", "Zg=a", "===="})
    EXPECT_FALSE(DecodeBase64(bad)) << bad;
}

TEST(Text, Utf8IsWellFormedOnly) {
  EXPECT_TRUE(IsUtf8("aé模😀\U0010ffff"));
  for (const auto bad : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                         "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe6\xa8"})
    EXPECT_FALSE(IsUtf8(bad));
}

TEST(Text, IllFormedPartsAreTakenMaximally) {
  std::string_view text =
      "\xe6\xa8"
      "a";
  EXPECT_EQ(TakeCodePoint(text), std::nullopt);
  EXPECT_EQ(text, "a");
  const struct {
    std::string_view text;
    std::size_t parts;
  } cases[] = {{"\xf0\x9f\x98", 1}, {"\xf0\x9f\x98\xf0\x9f\x98", 2},
               {"\xed\xa0\x80", 3}, {"\xf4\x90\x80\x80", 4},
               {"\xc2\xc2", 2},     {"\xc0\x80", 2}};
  for (auto [rest, parts] : cases) {
    for (std::size_t i = 0; i < parts; ++i)
      EXPECT_EQ(TakeCodePoint(rest), std::nullopt);
    EXPECT_EQ(rest, "");
  }
}

TEST(Text, CodePointsRoundTrip) {
  for (char32_t c = 0; c < 0x110000; c += 13) {
    if (c >= 0xd800 && c < 0xe000) continue;
    std::string text;
    AppendUtf8(text, c);
    std::string_view rest = text;
    ASSERT_EQ(TakeCodePoint(rest), c);
    ASSERT_TRUE(rest.empty());
  }
}

TEST(Text, PrintableHidesWhatCouldDeceive) {
  EXPECT_EQ(Printable("modèle"), "modèle");
  EXPECT_EQ(Printable("a\x1b[2Jb\n"), "a\\x1b[2Jb\\x0a");
  EXPECT_EQ(Printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // right-to-left override
  EXPECT_EQ(Printable("\u061c\u200b\ufeff"), "\\xd8\\x9c\\xe2\\x80\\x8b\\xef\\xbb\\xbf");
  EXPECT_EQ(Printable("\u0085\x7f"), "\\xc2\\x85\\x7f");
  EXPECT_EQ(Printable("\U000e0041"), "\\xf3\\xa0\\x81\\x81");  // a tag, which nothing shows
  EXPECT_EQ(Printable("\xff"), "\\xff");
  EXPECT_EQ(Printable("\0"sv), "\\x00");
}

TEST(Text, NearestFindsASlipAndNotAnotherWord) {
  const std::vector<std::string> verbs = {"build", "push", "pull", "unpack"};
  EXPECT_EQ(Nearest("biuld", verbs), "build");
  EXPECT_EQ(Nearest("unpak", verbs), "unpack");
  EXPECT_EQ(Nearest("serve", verbs), std::nullopt);
  EXPECT_EQ(Nearest("PUSH", verbs), "push");
  EXPECT_EQ(Nearest("pus", verbs), "push");
  EXPECT_EQ(Nearest("pulls", verbs), "pull");
  EXPECT_EQ(Nearest("xy", verbs), std::nullopt);
  EXPECT_EQ(Nearest("push", {}), std::nullopt);
  // Of two that are as near the first, of two the nearer.
  EXPECT_EQ(Nearest("pusl", std::vector<std::string>{"push", "pull"}), "push");
  EXPECT_EQ(Nearest("unpackk", std::vector<std::string>{"unpac", "unpack"}), "unpack");
}

TEST(Text, SizesAreRoundedDownToOneDecimal) {
  EXPECT_EQ(FormatSize(0), "0 B");
  EXPECT_EQ(FormatSize(1023), "1023 B");
  EXPECT_EQ(FormatSize(1024), "1.0 KiB");
  EXPECT_EQ(FormatSize(1126), "1.0 KiB");
  EXPECT_EQ(FormatSize(1127), "1.1 KiB");
  EXPECT_EQ(FormatSize(1536), "1.5 KiB");
  EXPECT_EQ(FormatSize(1 << 20), "1.0 MiB");
  EXPECT_EQ(FormatSize(8589937152), "8.0 GiB");
  EXPECT_EQ(FormatSize(std::uint64_t{1} << 40), "1.0 TiB");
  EXPECT_EQ(FormatSize(std::uint64_t{1} << 50), "1.0 PiB");
  EXPECT_EQ(FormatSize(1024 * 1024 - 1), "1023.9 KiB");
  EXPECT_EQ(FormatSize(std::uint64_t{5} << 30), "5.0 GiB");
  EXPECT_EQ(FormatSize(~std::uint64_t{0}), "16383.9 PiB");
}

}  // namespace
}  // namespace plumb
