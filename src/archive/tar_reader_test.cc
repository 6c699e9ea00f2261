// SPDX-License-Identifier: MIT OR Apache-2.0
#include "archive/tar_reader.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/tar_writer.h"

namespace plumb::archive {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr auto kFile = TarEntryType::kFile;
constexpr auto kDirectory = TarEntryType::kDirectory;

struct ReadEntry {
  TarEntry entry;
  std::string content;
  friend bool operator==(const ReadEntry&, const ReadEntry&) = default;
};

// Gives at most `step` bytes at a time, whatever is asked for.
class SlowSource final : public ByteSource {
 public:
  SlowSource(std::string_view text, std::size_t step) : memory_(AsBytes(text)), step_(step) {}
  Result<ByteSpan> Read(std::size_t size_max) override {
    return memory_.Read(std::min(size_max, step_));
  }

 private:
  MemorySource memory_;
  std::size_t step_;
};

Result<std::vector<ReadEntry>> ReadTar(std::string_view text, std::size_t step = 1 << 20) {
  SlowSource source(text, step);
  TarReader reader(source);
  std::vector<ReadEntry> entries;
  for (;;) {
    PLUMB_TRY(const auto entry, reader.Next());
    if (!entry) return entries;
    entries.push_back({*entry, ""});
    for (;;) {
      PLUMB_TRY(const ByteSpan bytes, reader.Read(1000));
      if (bytes.empty()) break;
      entries.back().content += AsText(bytes);
    }
  }
}

void ExpectError(std::string_view text, ErrorKind kind, std::string_view message = "") {
  const auto entries = ReadTar(text);
  ASSERT_FALSE(entries) << "read, but must not be: " << message;
  EXPECT_EQ(entries.error().kind, kind) << entries.error().message;
  EXPECT_NE(entries.error().message.find(message), std::string::npos) << entries.error().message;
}

// The fields of a header block that tests change.
struct Field {
  std::size_t offset;
  std::size_t size;
};
constexpr Field kName = {0, 100};
constexpr Field kMode = {100, 8};
constexpr Field kSize = {124, 12};
constexpr Field kChecksum = {148, 8};
constexpr Field kType = {156, 1};
constexpr Field kMagic = {257, 8};
constexpr Field kPrefix = {345, 155};

// A header block with some fields set, and a right checksum.
std::string Block(const std::vector<std::pair<Field, std::string_view>>& fields) {
  std::string block = TarHeader({"f", kFile, 0644, 0}).value();
  for (const auto& [field, text] : fields)
    block.replace(field.offset, field.size,
                  std::string(text) + std::string(field.size - text.size(), '\0'));
  block.replace(kChecksum.offset, kChecksum.size, kChecksum.size, ' ');
  unsigned sum = 0;
  for (const char c : block)
    sum += static_cast<unsigned char>(c);
  for (std::size_t i = 6; i > 0; --i, sum /= 8)
    block[kChecksum.offset + i - 1] = static_cast<char>('0' + sum % 8);
  block[kChecksum.offset + 6] = '\0';
  return block;
}

std::string Octal(std::size_t value) {
  std::string digits;
  for (; value > 0; value /= 8)
    digits.insert(digits.begin(), static_cast<char>('0' + value % 8));
  return digits;
}

std::string Padded(const std::string& text) {
  return text + std::string(TarPadding(text.size()), '\0');
}

// An entry of some type whose content is `text`: a pax header, a GNU long name, or a file.
std::string Entry(std::string_view type, const std::string& text,
                  const std::vector<std::pair<Field, std::string_view>>& fields = {}) {
  const std::string size = Octal(text.size());
  std::vector<std::pair<Field, std::string_view>> all = {{kType, type}, {kSize, size}};
  all.insert(all.end(), fields.begin(), fields.end());
  return Block(all) + Padded(text);
}
std::string Pax(const std::string& records) { return Entry("x", records); }

std::string TarOf(const std::vector<ReadEntry>& entries) {
  std::string text;
  for (const ReadEntry& entry : entries)
    text += TarHeader(entry.entry).value() + Padded(entry.content);
  return text + TarEnd();
}

std::vector<TarEntry> EntriesOf(const std::string& text) {
  std::vector<TarEntry> entries;
  const auto read = ReadTar(text + TarEnd());
  EXPECT_TRUE(read) << read.error().message;
  if (read)
    for (const ReadEntry& entry : *read)
      entries.push_back(entry.entry);
  return entries;
}

TEST(TarReader, ReadsWhatOthersWrite) {
  const std::string n100(100, 'n');
  const std::string long_name(300, 'l');
  const auto base256 = "\x80\0\0\0\0\0\0\0\0\0\0\x02"sv;
  const struct {
    std::string text;
    TarEntry entry;
  } cases[] = {
      {Block({}), {"f", kFile, 0644, 0}},
      {Block({{kName, n100}, {kPrefix, "p/q"}}), {"p/q/" + n100, kFile, 0644, 0}},
      // Neither GNU's nor the oldest header has a prefix.
      {Block({{kMagic, "ustar  "}, {kPrefix, "p"}}), {"f", kFile, 0644, 0}},
      {Block({{kMagic, ""}, {kPrefix, "p"}, {kType, ""}}), {"f", kFile, 0644, 0}},
      {Block({{kType, "7"}}), {"f", kFile, 0644, 0}},
      {Block({{kType, "5"}, {kName, "d/"}}), {"d", kDirectory, 0644, 0}},
      {Block({{kType, ""}, {kName, "d/"}}), {"d", kDirectory, 0644, 0}},
      {Block({{kType, "0"}, {kName, "d/"}}), {"d/", kFile, 0644, 0}},
      // Only permission bits are kept.
      {Block({{kMode, "0106755"}}), {"f", kFile, 0755, 0}},
      {Block({{kMode, "   755 "}}), {"f", kFile, 0755, 0}},
      {Block({{kSize, base256}}) + Padded("ab"), {"f", kFile, 0644, 2}},
      {Block({{kSize, "2          "}}) + Padded("ab"), {"f", kFile, 0644, 2}},
      {Pax("14 path=a/b/c\n") + Block({}), {"a/b/c", kFile, 0644, 0}},
      {Pax("10 size=2\n16 mtime=12.345\n8 x=\n=\n\n") + Block({}) + Padded("ab"),
       {"f", kFile, 0644, 2}},
      // The last of several records holds, in one header or in two.
      {Pax("9 path=a\n9 path=b\n") + Block({}), {"b", kFile, 0644, 0}},
      {Pax("9 path=a\n") + Pax("10 size=1\n") + Block({}) + Padded("x"), {"a", kFile, 0644, 1}},
      // Global headers say nothing that is used, a link target neither.
      {Entry("g", "9 path=g\n") + Block({}), {"f", kFile, 0644, 0}},
      {Entry("K", "target") + Block({}), {"f", kFile, 0644, 0}},
      {Entry("L", long_name + "\0"s) + Block({}), {long_name, kFile, 0644, 0}},
      {Entry("L", long_name + "/\0rest"s) + Block({{kType, "5"}}),
       {long_name, kDirectory, 0644, 0}},
  };
  for (const auto& [text, entry] : cases)
    EXPECT_EQ(EntriesOf(text), std::vector{entry}) << entry.name;
  // What a pax header says is of one entry only.
  EXPECT_EQ(EntriesOf(Pax("9 path=a\n") + Block({}) + Block({})).back().name, "f");
}

TEST(TarReader, GivesTheContentOrSkipsIt) {
  const std::vector<ReadEntry> entries = {{{"a", kFile, 0644, 3}, "abc"},
                                          {{"d", kDirectory, 0755, 0}, ""},
                                          {{"d/b", kFile, 0755, 512}, std::string(512, 'b')},
                                          {{"c", kFile, 0600, 1025}, std::string(1025, 'c')}};
  const std::string text = TarOf(entries);
  for (const std::size_t step : {1U, 7U, 512U, 100000U})
    EXPECT_EQ(*ReadTar(text, step), entries) << step;

  MemorySource source(AsBytes(text));
  TarReader reader(source);
  const auto next_name = [&reader] { return reader.Next().value().value_or(TarEntry()).name; };
  EXPECT_EQ(next_name(), "a");
  EXPECT_EQ(AsText(*reader.Read(2)), "ab");
  EXPECT_EQ(next_name(), "d");
  EXPECT_TRUE(reader.Read(1)->empty());
  EXPECT_EQ(next_name(), "d/b");
  EXPECT_EQ(next_name(), "c");
  EXPECT_EQ(*reader.Next(), std::nullopt);
  EXPECT_EQ(*reader.Next(), std::nullopt);
}

TEST(TarReader, RefusesAllButFilesAndDirectories) {
  for (const auto& [type, what] : {std::pair{"1"sv, "a hard link"sv},
                                   {"2"sv, "a symbolic link"sv},
                                   {"3"sv, "a device"sv},
                                   {"4"sv, "a device"sv},
                                   {"6"sv, "a pipe"sv},
                                   {"S"sv, "a sparse file"sv},
                                   {"V"sv, "of an unknown type"sv},
                                   {"D"sv, "of an unknown type"sv},
                                   {"8"sv, "of an unknown type"sv},
                                   {"\xff"sv, "of an unknown type"sv}}) {
    ExpectError(Block({{kType, type}, {kName, "evil\x1b"}}) + TarEnd(), ErrorKind::kDenied,
                "'evil\\x1b' is " + std::string(what));
  }
  for (const auto record : {"22 GNU.sparse.major=1\n", "21 GNU.sparse.size=9\n"})
    ExpectError(Pax(record + "13 path=evil\n"s) + Block({}) + TarEnd(), ErrorKind::kDenied,
                "'evil' is a sparse file");
}

TEST(TarReader, RefusesWhatIsDamaged) {
  std::string bad_sum = Block({});
  bad_sum[0] ^= 1;
  const struct {
    std::string text;
    std::string_view message;
  } cases[] = {
      {bad_sum, "checksum"},
      {std::string(512, 'x'), "checksum"},
      {Block({{kSize, "9"}}), "a size does not fit"},
      {Block({{kSize, "-1"}}), "a size does not fit"},
      {Block({{kSize, "1 1"}}), "a size does not fit"},
      {Block({{kSize, "\0001"sv}}), "a size does not fit"},  // 0 to some readers, 1 to others
      {Block({{kSize, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"sv}}), "does not fit"},
      {Block({{kSize, "\x80\0\0\1\0\0\0\0\0\0\0\0"sv}}), "does not fit"},  // 2^64
      {Block({{kSize, "\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"sv}}), "does not fit"},
      {Block({{kSize, "\x80\0\0\0\x40\0\0\0\0\0\0\1"sv}}), "does not fit"},  // 2^62 + 1
      {Block({{kMode, "9"}}), "a mode does not fit"},
      {Block({{kName, ""}}), "no name"},
      {Block({{kType, "5"}, {kSize, "1"}}) + Padded("x"), "a directory has a content"},
      {Pax("10 size=1\n") + Block({{kType, "5"}}) + Padded("x"), "a directory has a content"},
      {Pax("8 path=\n") + Block({}), "no name"},
      {Entry("L", "\0f"s) + Block({}), "no name"},
      {Pax("9 path=a\n"), "behind a pax header"},
      {Entry("L", "a"), "behind a pax header"},
      {Pax("28 size=9223372036854775808\n") + Block({}), "a size does not fit"},
      {Pax("30 size=184467440737095516160\n") + Block({}), "a size does not fit"},
      {Pax("11 size=-1\n") + Block({}), "a size does not fit"},
      {Pax("8 size=\n") + Block({}), "a size does not fit"},
  };
  for (const auto& [text, message] : cases)
    ExpectError(text + TarEnd(), ErrorKind::kCorrupt, message);
  for (const auto records :
       {"9 path=a", "8 path=a\n", "11 path=a\n", "9\tpath=a\n", "x path=a\n", " path=a\n",
        "0 path=a\n", "3 \n", "9 path_a\n", "-9 path=a\n", "+9 path=a\n", "9path=a\n",
        "18446744073709551625 path=a\n", "9 path=a\n\n", "9 path=a\nx", "2 ", "1"})
    ExpectError(Pax(records) + Block({}) + TarEnd(), ErrorKind::kCorrupt, "pax record");
}

TEST(TarReader, HasLimits) {
  EXPECT_EQ(EntriesOf(Pax("4106 path=" + std::string(4095, 'n') + "\n") + Block({})).size(), 1U);
  ExpectError(Entry("L", std::string(4097, 'n')) + Block({}) + TarEnd(), ErrorKind::kExhausted,
              "a name over 4096 bytes");
  const std::string mebibyte(std::size_t{1} << 20, 'n');
  for (const auto type : {"x", "g", "L", "K"}) {
    ExpectError(Entry(type, mebibyte + "n") + Block({}) + TarEnd(), ErrorKind::kExhausted,
                "over 1 MiB");
    // Refused by what it claims, before anything is read.
    ExpectError(Block({{kType, type}, {kSize, "77777777777"}}), ErrorKind::kExhausted);
  }
  EXPECT_EQ(EntriesOf(Entry("g", mebibyte) + Block({})).size(), 1U);
  // The largest size is no error of its own, and does not wrap.
  ExpectError(Block({{kSize, "\x80\0\0\0\x40\0\0\0\0\0\0\0"sv}}) + TarEnd(), ErrorKind::kCorrupt,
              "ends too early");
}

TEST(TarReader, RefusesAnArchiveCutAnywhere) {
  const std::string text =
      TarOf({{{"d", kDirectory, 0755, 0}, ""},
             {{std::string(200, 'n'), kFile, 0644, 600}, std::string(600, 'x')},
             {{"e", kFile, 0644, 0}, ""}});
  const std::size_t end = text.size() - TarEnd().size();
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto entries = ReadTar(std::string_view(text).substr(0, size));
    // One block of zeros is enough for an end.
    ASSERT_EQ(entries.has_value(), size >= end + kTarBlockSize) << size;
    ASSERT_TRUE(entries || entries.error().kind == ErrorKind::kCorrupt) << size;
  }
}

TEST(TarReader, OnlyZerosLieBehindTheEnd) {
  const std::string text = TarOf({{{"f", kFile, 0644, 0}, ""}});
  EXPECT_TRUE(ReadTar(text + std::string(20 * 512 + 1, '\0')));
  ExpectError(text + "x", ErrorKind::kCorrupt, "behind its end");
  ExpectError(text + std::string(3 << 20, '\0') + "x", ErrorKind::kCorrupt, "behind its end");
  ExpectError(Block({}) + std::string(512, '\0') + Block({}) + TarEnd(), ErrorKind::kCorrupt,
              "behind its end");
}

TEST(TarReader, FailuresOfTheSourceAreHandedOn) {
  class Failing final : public ByteSource {
    Result<ByteSpan> Read(std::size_t) override { return Error{ErrorKind::kUnavailable, "gone"}; }
  } source;
  EXPECT_EQ(TarReader(source).Next().error().message, "gone");
}

// Of any bytes, short or long, with or without places to split.
std::string AnyName() {
  std::string name;
  for (int parts = *rc::gen::inRange(0, 5); parts > 0; --parts)
    name += *rc::gen::container<std::string>(*rc::gen::inRange<std::size_t>(1, 20),
                                             rc::gen::elementOf("aé模."s)) +
            "/";
  return name + std::string(*rc::gen::inRange<std::size_t>(1, 300), 'n');
}

TEST(TarReader, WhatIsWrittenIsReadBack) {
  EXPECT_TRUE(rc::check([] {
    std::vector<ReadEntry> entries;
    for (int count = *rc::gen::inRange(0, 6); count > 0; --count) {
      ReadEntry next = {{AnyName(), kFile, *rc::gen::inRange<std::uint32_t>(0, 01000), 0}, ""};
      if (*rc::gen::arbitrary<bool>()) {
        next.entry.type = kDirectory;
      } else {
        const auto size = *rc::gen::inRange<std::size_t>(0, 1600);
        next.content.assign(size, *rc::gen::arbitrary<char>());
        next.entry.size = size;
      }
      entries.push_back(std::move(next));
    }
    const auto read = ReadTar(TarOf(entries), *rc::gen::inRange<std::size_t>(1, 2000));
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == entries);
  }));
}

TEST(TarReader, NoChangedByteDoesHarm) {
  const std::string text =
      TarOf({{{"d", kDirectory, 0755, 0}, ""},
             {{"é" + std::string(200, 'n'), kFile, 0644, 600}, std::string(600, 'x')}});
  EXPECT_TRUE(rc::check([&] {
    std::string changed = text;
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    changed[at] = static_cast<char>(changed[at] ^ *rc::gen::inRange(1, 256));
    const auto read = ReadTar(changed);
    if (!read) {
      RC_ASSERT(!read.error().message.empty());
      return;
    }
    // Only padding, content and pax records have no checksum.
    RC_ASSERT(read->size() == 2);
    RC_ASSERT(read->at(0).entry.name == "d");
    RC_ASSERT(read->at(1).entry.size == 600);
  }));
}

}  // namespace
}  // namespace plumb::archive
