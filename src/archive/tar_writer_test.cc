// SPDX-License-Identifier: MIT OR Apache-2.0
#include "archive/tar_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "crypto/digest.h"

namespace plumb::archive {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kEightGiB = std::uint64_t{8} << 30;

std::string HeaderOf(std::string name, std::uint64_t size = 0,
                     TarEntryType type = TarEntryType::kFile) {
  return TarHeader({std::move(name), type, 0644, size}).value();
}

// Fields of the last block of a header, up to their first NUL.
std::string FieldOf(const std::string& header, std::size_t offset, std::size_t size) {
  const std::string field = header.substr(header.size() - 512 + offset, size);
  return field.substr(0, field.find('\0'));
}
std::string NameOf(const std::string& header) { return FieldOf(header, 0, 100); }
std::string PrefixOf(const std::string& header) { return FieldOf(header, 345, 155); }

std::string FileOf(const std::string& name, const std::string& text) {
  return HeaderOf(name, text.size()) + text + std::string(TarPadding(text.size()), '\0');
}
std::string DirectoryOf(const std::string& name) {
  return TarHeader({name, TarEntryType::kDirectory, 0755, 0}).value();
}

// docs/format.md, "Layers".
TEST(TarWriter, GoldenLayers) {
  const struct {
    std::string archive;
    std::size_t size;
    std::string_view sha256;
  } cases[] = {
      {"", 1024, "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"},
      {FileOf("test-file.txt", "testing: test-file.txt"), 2048,
       "6113dc0196babc14ea7df88a18e47175ae7e77471cbcb56ff970f6a89b1e21cb"},
      {DirectoryOf("test-dir") +
           FileOf("test-dir/test-subfile.txt", "testing: test-dir/test-subfile.txt"),
       2560, "6f52a94a0d62d71535e7596c1e3eeb31aaacd563f9b8bc98f83624da16917b0f"},
      {DirectoryOf("model") + FileOf("model/my-model.bin", "testing: ./model/my-model.bin"), 2560,
       "4ce780974b1587b97d7e75bc39d9b45ed062afbaeb28b38d982139a183169c32"},
      {DirectoryOf("code") + FileOf("code/my-code.py", "testing: ./code/my-code.py"), 2560,
       "ecad50eb0c0d444307ad97a1ec9c5ebcd3f35be05512797443e93de929d74439"}};
  for (const auto& golden : cases) {
    const std::string archive = golden.archive + TarEnd();
    EXPECT_EQ(archive.size(), golden.size);
    EXPECT_EQ(Sha256(AsBytes(archive)).ToHex(), golden.sha256);
  }
}

TEST(TarWriter, GoldenLayerOfEightGiB) {
  Sha256Hasher hasher;
  hasher.Add(AsBytes(HeaderOf("w.bin", kEightGiB)));
  const std::string zeros(std::size_t{1} << 20, '\0');
  for (std::uint64_t done = 0; done < kEightGiB; done += zeros.size())
    hasher.Add(AsBytes(zeros));
  hasher.Add(AsBytes(TarEnd()));
  EXPECT_EQ(hasher.Finish().ToHex(),
            "c69ac37a781952d801c422d8f07b6202c5c2d4381652dbaf81ed2f9a80a648f1");
}

TEST(TarWriter, EveryByteOfABlock) {
  const std::string block = TarHeader({"d/f", TarEntryType::kFile, 04755, 01234567}).value();
  std::string expected = "d/f";
  expected.resize(100);
  expected +=
      "0004755\0"
      "0001750\0"
      "0000000\0"
      "00001234567\0"
      "00000000000\0"sv;
  expected +=
      "007646\0 "
      "0"sv;
  expected.resize(257);
  expected +=
      "ustar\0"
      "00"sv;
  expected.resize(329);
  expected +=
      "0000000\0"
      "0000000\0"sv;
  expected.resize(512);
  EXPECT_EQ(block, expected);
  EXPECT_EQ(FieldOf(DirectoryOf("d"), 156, 1), "5");
}

TEST(TarWriter, NamesThatFitOrSplitNeedNoPax) {
  const std::string p155(155, 'p');
  const std::string n100(100, 'n');
  const struct {
    std::string name;
    std::string prefix;
    std::string rest;
  } cases[] = {{n100, "", n100},
               {"d/" + std::string(98, 'n'), "", "d/" + std::string(98, 'n')},
               {"d/" + std::string(99, 'n'), "d", std::string(99, 'n')},  // 101 bytes
               {"d/" + n100, "d", n100},
               {"a/b/" + n100, "a/b", n100},     // as late as there is room
               {p155 + "/" + n100, p155, n100},  // 256 bytes, the longest
               {std::string(77, 'p') + "/" + std::string(77, 'q'), std::string(77, 'p'),
                std::string(77, 'q')},  // 155 bytes
               {p155 + "/b/c", p155, "b/c"}};
  for (const auto& entry : cases) {
    const std::string header = HeaderOf(entry.name);
    EXPECT_EQ(header.size(), 512U) << entry.name;
    EXPECT_EQ(PrefixOf(header), entry.prefix) << entry.name;
    EXPECT_EQ(NameOf(header), entry.rest) << entry.name;
  }
}

TEST(TarWriter, OtherNamesAndSizesNeedPax) {
  const std::string n101(101, 'n');
  const std::string p156(156, 'p');
  const std::string long_dir = std::string(90, 'd') + "/" + std::string(9, 'e') + "/f";
  const struct {
    std::string name;
    std::uint64_t size;
    std::string pax_name;
    std::string records;
    std::string short_name;
  } cases[] = {
      {n101, 1, "PaxHeaders.0/" + std::string(87, 'n'), "111 path=" + n101 + "\n",
       std::string(100, 'n')},
      {p156 + "/n", 1, std::string(100, 'p'), "168 path=" + p156 + "/n\n", std::string(100, 'p')},
      {"a/" + n101, 1, "a/PaxHeaders.0/" + std::string(85, 'n'), "113 path=a/" + n101 + "\n",
       "a/" + std::string(98, 'n')},
      {"/" + n101.substr(1), 1, "/PaxHeaders.0/" + std::string(86, 'n'),
       "111 path=/" + n101.substr(1) + "\n", "/" + std::string(99, 'n')},
      {"modèle/é", 1, "modle/PaxHeaders.0", "19 path=modèle/é\n", "modle/"},
      {"é", 1, "PaxHeaders.0", "11 path=é\n", ""},
      {"w.bin", kEightGiB, "PaxHeaders.0/w.bin", "19 size=8589934592\n", "w.bin"},
      // A size that needs pax takes along a name that would split; the records are sorted.
      {long_dir, kEightGiB, std::string(90, 'd') + "/" + std::string(9, 'e'),
       "112 path=" + long_dir + "\n19 size=8589934592\n", std::string(90, 'd') + "/" + "eeeeeeeee"},
      // The block's name ends before slashes, but what lies behind the first of them stands.
      {std::string(97, 'a') + "é/é/é/x", 1, std::string(97, 'a'),
       "117 path=" + std::string(97, 'a') + "é/é/é/x\n", std::string(97, 'a')},
  };
  for (const auto& entry : cases) {
    const std::string header = HeaderOf(entry.name, entry.size);
    ASSERT_EQ(header.size(), 512 + 512 + entry.records.size() + TarPadding(entry.records.size()))
        << entry.name;
    const std::string pax = header.substr(0, 512);
    EXPECT_EQ(NameOf(pax), entry.pax_name) << entry.name;
    EXPECT_EQ(pax[156], 'x');
    EXPECT_EQ(pax.substr(100, 24),
              "0000000\0"
              "0000000\0"
              "0000000\0"sv);              // mode, uid, gid
    EXPECT_EQ(FieldOf(pax, 329, 16), "");  // devices
    EXPECT_EQ(header.substr(512, entry.records.size()), entry.records);
    EXPECT_EQ(NameOf(header), entry.short_name) << entry.name;
    EXPECT_EQ(PrefixOf(header), "");
    EXPECT_EQ(FieldOf(header, 124, 12), entry.size == kEightGiB ? "00000000000" : "00000000001");
  }
  EXPECT_EQ(HeaderOf(std::string(97, 'a') + "é/é/é/x").substr(1024 + 97, 3), "\0//"sv);
  EXPECT_EQ(FieldOf(HeaderOf("w.bin", kEightGiB - 1), 124, 12), "77777777777");
  EXPECT_EQ(HeaderOf("w.bin", kEightGiB - 1).size(), 512U);
}

TEST(TarWriter, ADirectoryWithALongLastPartNeedsPaxAndItsChildrenDoNot) {
  const std::string directory = "a/" + std::string(101, 'd');
  EXPECT_EQ(HeaderOf(directory, 0, TarEntryType::kDirectory).size(), 1536U);
  EXPECT_EQ(HeaderOf(directory + "/f").size(), 512U);
}

TEST(TarWriter, RefusesWhatIsNoName) {
  for (const std::string& bad : {std::string(), std::string("a\0b", 3), std::string(4097, 'a')}) {
    const auto header = TarHeader({bad});
    ASSERT_FALSE(header);
    EXPECT_EQ(header.error().kind, ErrorKind::kInvalid);
  }
  EXPECT_TRUE(TarHeader({std::string(4096, 'a')}));
}

TEST(TarWriter, PaddingFillsTheBlock) {
  EXPECT_EQ(TarPadding(0), 0U);
  EXPECT_EQ(TarPadding(1), 511U);
  EXPECT_EQ(TarPadding(512), 0U);
  EXPECT_EQ(TarPadding(513), 511U);
  EXPECT_EQ(TarPadding(~std::uint64_t{0}), 1U);
}

}  // namespace
}  // namespace plumb::archive
