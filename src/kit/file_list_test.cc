// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/file_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace plumb::kit {
namespace {

ListedFile File(const std::string& name, const std::string& content) {
  return {name, Sha256(AsBytes(content))};
}

std::vector<std::string> NamesOf(const FileList& list) {
  std::vector<std::string> names;
  for (const ListedFile& file : list.files())
    names.push_back(file.name);
  return names;
}

// The example of docs/format.md, "Files".
TEST(FileListTest, TheExampleOfTheFormat) {
  std::vector<ListedFile> files = {File("sub/z.txt", "z\n"), File("Kitfile", "kit\n"),
                                   File("sub.txt", "s\n"), File("sub-a/q.txt", "q\n")};
  do {
    const auto list = FileList::Make(files);
    ASSERT_TRUE(list) << list.error().message;
    EXPECT_EQ(NamesOf(*list),
              (std::vector<std::string>{"Kitfile", "sub-a/q.txt", "sub.txt", "sub/z.txt"}));
    EXPECT_EQ(list->Root().ToHex(),
              "05634a140fd11b96eb85664ffb2e472e05144b58c49e930872c8f027139565b5");
  } while (std::ranges::next_permutation(files, {}, &ListedFile::name).found);
}

TEST(FileListTest, OfOneFileAndOfNone) {
  EXPECT_EQ(FileList::Make({})->Root(), Sha256({}));
  const ListedFile one = File("w.bin", "weights\n");
  EXPECT_EQ(FileList::Make({one})->Root(), Sha256(one.digest.bytes));
}

TEST(FileListTest, NamesAreInTheOrderOfTheirCodePoints) {
  // U+FF61 comes before U+1F600, whose UTF-16 begins with a smaller unit; bytes over 0x7F come
  // last.
  const auto list = FileList::Make({File("\xF0\x9F\x98\x80", ""), File("\xEF\xBD\xA1", ""),
                                    File("\xC3\xA9", ""), File("z", ""), File("Z", "")});
  ASSERT_TRUE(list);
  EXPECT_EQ(NamesOf(*list),
            (std::vector<std::string>{"Z", "z", "\xC3\xA9", "\xEF\xBD\xA1", "\xF0\x9F\x98\x80"}));
}

TEST(FileListTest, WhatNoDirectoryHoldsIsRefused) {
  for (const std::string name : {"", ".", "..", "a/../b", "./a", "/a", "a/", "a//b", "a\xFF"}) {
    const auto list = FileList::Make({File("b", ""), File(name, "")});
    ASSERT_FALSE(list) << name;
    EXPECT_EQ(list.error().kind, ErrorKind::kInvalid) << name;
  }
  EXPECT_EQ(FileList::Make({File("a", ""), File("b", ""), File("a", "")}).error().message,
            "the file 'a' cannot be listed: it comes twice");
  // Not beside each other in the list.
  EXPECT_EQ(FileList::Make({File("a", ""), File("a-b", ""), File("a/b/c", "")}).error().message,
            "the file 'a/b/c' cannot be listed: a directory above it is a file");
}

TEST(FileListTest, ThereIsNoMoreThanUnpackMakes) {
  const std::string directory = std::string(255, 'd') + "/" + std::string(255, 'd') + "/";
  std::vector<ListedFile> files;
  for (std::size_t i = 0; i < (std::size_t{64} << 20) / 512; ++i)
    files.push_back({directory + std::to_string(i), {}});
  EXPECT_EQ(FileList::Make(files).error().kind, ErrorKind::kExhausted);
  files.resize(1000);
  EXPECT_TRUE(FileList::Make(files));
}

}  // namespace
}  // namespace plumb::kit
