// SPDX-License-Identifier: MIT OR Apache-2.0
// ModelKits made to harm who unpacks them. Each test names the rule that stops it, and shows that
// nothing was written: neither into the target nor beside it.
#include "kit/unpack.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/workbench.h"

namespace plumb::kit {
namespace {

namespace fs = std::filesystem;

// The fields of a header block.
constexpr std::size_t kSizeField = 124;
constexpr std::size_t kChecksumField = 148;
constexpr std::size_t kTypeField = 156;
constexpr std::size_t kLinkField = 157;

// Sets the checksum of a header block right again.
std::string Sealed(std::string block) {
  block.replace(kChecksumField, 8, 8, ' ');
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i)
    sum += static_cast<unsigned char>(block[i]);
  std::string digits(6, '0');
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, sum /= 8)
    *digit = static_cast<char>('0' + sum % 8);
  block.replace(kChecksumField, 8, digits + std::string("\0 ", 2));
  return block;
}

std::string TarOfType(const std::string& name, char type, const std::string& link = "") {
  std::string block = TarFile(name, "");
  block[kTypeField] = type;
  block.replace(kLinkField, link.size(), link);
  return Sealed(std::move(block));
}

std::string Archive(const std::string& entries) { return entries + archive::TarEnd(); }

class UnpackAttackTest : public testing::Test {
 protected:
  UnpackAttackTest() { bench_.directory().Write("outside/victim", "precious"); }

  // Unpacks a kit with these archives as code layers for `paths`.
  Result<UnpackReport> Unpack(const std::vector<std::string>& archives,
                              const std::vector<std::string>& paths = {"."}) {
    std::string code;
    std::vector<HandMadeLayer> layers;
    for (std::size_t i = 0; i < archives.size(); ++i) {
      code += std::string(i == 0 ? "" : ",") + R"({"path":")" + paths[i] + '"';
      const std::string digest = Sha256(AsBytes(archives[i])).ToString();
      if (with_digests_) code += R"(,"digest":")" + digest + R"(","diffId":")" + digest + '"';
      code += '}';
      layers.push_back({kCodeTar, archives[i]});
    }
    const Digest id =
        bench_.PutKit(R"({"manifestVersion":"1.0.0","package":{},"code":[)" + code + "]}", layers);
    return bench_.Unpack(id, options_);
  }

  void ExpectRefused(const std::vector<std::string>& archives,
                     const std::vector<std::string>& paths = {"."},
                     ErrorKind kind = ErrorKind::kDenied) {
    const std::vector<std::string> target = bench_.List();
    const std::vector<std::string> outside = bench_.List("outside");
    const auto unpacked = Unpack(archives, paths);
    ASSERT_FALSE(unpacked);
    EXPECT_EQ(unpacked.error().kind, kind) << unpacked.error().message;
    EXPECT_EQ(bench_.List(), target);
    EXPECT_EQ(bench_.List("outside"), outside);
    EXPECT_EQ(bench_.directory().Read("outside/victim"), "precious");
  }

  Workbench bench_;
  UnpackOptions options_;
  bool with_digests_ = true;  // kit before 0.5.0 wrote none
};

// What is put before the names of kit 0.4.0's archives comes from the config, which is as hostile.
TEST_F(UnpackAttackTest, APathAboveTheTargetLeadsNoOldNameThere) {
  with_digests_ = false;
  const std::string archive = Archive(TarFile("victim", "x"));
  ExpectRefused({archive}, {"../outside/victim"});
  ExpectRefused({archive}, {"a/../../outside/victim"});
  ExpectRefused({archive}, {bench_.path() + "/outside/victim"});
  ExpectRefused({Archive(TarFile("../outside/victim", "x"))}, {"a/victim"});
  ExpectRefused({Archive(TarFile(bench_.path() + "/outside/victim", "x"))}, {"a/victim"});
}

// The others show something only if an honest kit made the same way can be unpacked.
TEST_F(UnpackAttackTest, AnHonestOneIsUnpacked) {
  const auto unpacked = Unpack({Archive(TarDirectory("a") + TarFile("a/x", "1", 0755))});
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(bench_.ReadTarget("a/x"), "1");
}

// CheckEntryName: no part is "..".
TEST_F(UnpackAttackTest, NamesThatClimbOut) {
  for (const char* name : {"../outside/victim", "a/../../outside/new", "..", "a/..", "./../x"})
    ExpectRefused({Archive(TarFile("good", "1") + TarFile(name, "evil"))});
}

// CheckEntryName: names are relative.
TEST_F(UnpackAttackTest, AbsoluteNames) {
  ExpectRefused({Archive(TarFile(bench_.path() + "/outside/victim", "evil"))});
  ExpectRefused({Archive(TarFile("/x", "evil"))});
  ExpectRefused({Archive(TarFile("//x", "evil"))});
}

// CheckEntryName: "." , empty parts and what is not UTF-8 name no file.
TEST_F(UnpackAttackTest, NamesThatAreNone) {
  for (const char* name : {"a//b", "a/./b", ".", "a\xff"})
    ExpectRefused({Archive(TarFile(name, "evil"))});
}

// TarReader: links are no entries of a layer.
TEST_F(UnpackAttackTest, LinksInTheArchive) {
  const std::string outside = bench_.path() + "/outside";
  ASSERT_LT(outside.size(), 100U);
  ExpectRefused({Archive(TarOfType("link", '2', outside) + TarFile("link/victim", "evil"))});
  ExpectRefused({Archive(TarOfType("link", '2', "../outside/victim"))});
  ExpectRefused({Archive(TarOfType("link", '1', "../outside/victim") + TarFile("link", "evil"))});
}

// TarReader: nor are devices, pipes, and types nobody knows.
TEST_F(UnpackAttackTest, DevicesAndPipes) {
  for (const char type : {'3', '4', '6', 'S', 'Z'})
    ExpectRefused({Archive(TarFile("good", "1") + TarOfType("thing", type))});
}

// The whole of every layer is looked at before anything is written.
TEST_F(UnpackAttackTest, TheBadNameIsInTheLastLayer) {
  ExpectRefused({Archive(TarFile("a", "1")), Archive(TarFile("b/../../x", "evil"))}, {"a", "b"});
}

// TargetNames: a symlink where a directory is needed is refused.
TEST_F(UnpackAttackTest, ASymlinkLiesInTheTarget) {
  for (const Existing existing : {Existing::kRefuse, Existing::kOverwrite, Existing::kIgnore}) {
    options_.existing = existing;
    fs::create_directory_symlink(bench_.path() + "/outside", bench_.Target("dir"));
    ExpectRefused({Archive(TarFile("good", "1") + TarFile("dir/victim", "evil"))});
    ExpectRefused({Archive(TarDirectory("dir"))});
    ExpectRefused({Archive(TarFile("dir/deeper/new", "evil"))});
    fs::remove(bench_.Target("dir"));
  }
}

// host::Directory: where a file goes, a symlink is replaced and never followed.
TEST_F(UnpackAttackTest, ASymlinkLiesWhereAFileGoes) {
  fs::create_symlink(bench_.path() + "/outside/victim", bench_.Target("x"));
  ExpectRefused({Archive(TarFile("x", "evil"))}, {"."}, ErrorKind::kConflict);
  options_.existing = Existing::kOverwrite;
  ASSERT_TRUE(Unpack({Archive(TarFile("x", "new"))}));
  EXPECT_FALSE(fs::is_symlink(bench_.Target("x")));
  EXPECT_EQ(bench_.ReadTarget("x"), "new");
  EXPECT_EQ(bench_.directory().Read("outside/victim"), "precious");
}

// host::Directory: every path is resolved beneath the target, without symlinks, each time. Here a
// directory becomes a symlink behind the back of the check.
TEST_F(UnpackAttackTest, ADirectoryBecomesASymlinkMeanwhile) {
  fs::create_directory(bench_.Target("dir"));
  bench_.progress().on_begin = [&] {
    fs::remove(bench_.Target("dir"));
    fs::create_directory_symlink(bench_.path() + "/outside", bench_.Target("dir"));
  };
  options_.existing = Existing::kOverwrite;
  const auto unpacked = Unpack({Archive(TarFile("dir/victim", "evil"))});
  ASSERT_FALSE(unpacked);
  EXPECT_EQ(unpacked.error().kind, ErrorKind::kDenied) << unpacked.error().message;
  EXPECT_EQ(bench_.directory().Read("outside/victim"), "precious");
  EXPECT_EQ(bench_.List("outside"), std::vector<std::string>{"victim"});
}

// NameFold: names that some file system takes for one are refused, in one layer and across all.
TEST_F(UnpackAttackTest, NamesThatCollide) {
  const std::vector<std::pair<const char*, const char*>> pairs = {
      {"w.bin", "W.BIN"}, {"caf\u00e9", "cafe\u0301"}, {"\u00c9", "\u00e9"}, {"dir/a", "DIR/b"}};
  for (const auto& [one, other] : pairs) {
    ExpectRefused({Archive(TarFile(one, "1") + TarFile(other, "evil"))});
    ExpectRefused({Archive(TarFile(one, "1")), Archive(TarFile(other, "evil"))}, {".", "."});
  }
}

// TargetNames: the Kitfile is the config's, whatever its case.
TEST_F(UnpackAttackTest, ALayerBringsAKitfile) {
  ExpectRefused({Archive(TarFile("Kitfile", "evil"))});
  ExpectRefused({Archive(TarFile("kitfile", "evil"))});
}

// TargetNames: a file comes once. The second would replace what was already looked at.
TEST_F(UnpackAttackTest, AFileComesTwice) {
  ExpectRefused({Archive(TarFile("x", "1") + TarFile("x", "evil"))});
  ExpectRefused({Archive(TarFile("x", "1")), Archive(TarFile("x", "1"))}, {".", "x"});
}

// TargetNames: nothing is a file and a directory.
TEST_F(UnpackAttackTest, AFileIsUsedAsADirectory) {
  ExpectRefused({Archive(TarFile("x", "1") + TarFile("x/y", "evil"))});
  ExpectRefused({Archive(TarFile("x/y", "1") + TarFile("x", "evil"))});
  ExpectRefused({Archive(TarFile("x", "1") + TarDirectory("x"))});
  bench_.directory().Write("target/there", "a file");
  ExpectRefused({Archive(TarFile("there/y", "evil"))}, {"."}, ErrorKind::kConflict);
}

// PlaceOf: a layer writes at or beneath the path that the Kitfile gives it.
TEST_F(UnpackAttackTest, NamesBesideTheEntrysPath) {
  for (const char* name : {"src", "src/x", "src/lib2/x", "src/li", "other", "a/src/lib/x"})
    ExpectRefused({Archive(TarFile(name, "evil"))}, {"src/lib"});
  ExpectRefused({Archive(TarDirectory("src/other"))}, {"src/lib"});
  ExpectRefused({Archive(TarFile("x", "evil"))}, {".."});
  ExpectRefused({Archive(TarFile("x", "evil"))}, {"../outside"});
  ExpectRefused({Archive(TarFile("x", "evil"))}, {"/"});
  EXPECT_TRUE(Unpack({Archive(TarDirectory("src") + TarFile("src/lib/x", "1"))}, {"src/lib"}));
}

// TarReader and VisitEntries: a size that goes beyond the layer is damage.
TEST_F(UnpackAttackTest, SizesBeyondTheLayer) {
  for (const char* digits : {"00000003000", "77777777777", "00400000000"}) {
    std::string block = TarFile("x", "");
    block.replace(kSizeField, 11, digits);
    ExpectRefused({Archive(Sealed(block))}, {"."}, ErrorKind::kCorrupt);
  }
  // GNU's binary sizes: 2^62, 2^63 and "negative".
  for (const char first : {'\x40', '\x80', '\xff'}) {
    std::string block = TarFile("x", "");
    block.replace(kSizeField, 12, std::string("\x80\0\0\0", 4) + first + std::string(7, '\0'));
    ExpectRefused({Archive(Sealed(block))}, {"."}, ErrorKind::kCorrupt);
  }
}

// TarReader: an archive ends with zeros, and has nothing behind them that only others would read.
TEST_F(UnpackAttackTest, SomethingBehindTheEnd) {
  ExpectRefused({Archive(TarFile("x", "1")) + TarFile("../y", "evil") + archive::TarEnd()}, {"."},
                ErrorKind::kCorrupt);
}

// WriteLayer: no bit beyond 0755 is taken from an archive.
TEST_F(UnpackAttackTest, SetuidAndWritableByAll) {
  ASSERT_TRUE(Unpack({Archive(TarFile("a", "1", 06777) + TarFile("b", "1", 0666))}));
  EXPECT_EQ(fs::status(bench_.Target("a")).permissions(), fs::perms(0755));
  EXPECT_EQ(fs::status(bench_.Target("b")).permissions(), fs::perms(0644));
}

// CreateBeside: the name of a file on its way is never one that the kit makes itself.
TEST_F(UnpackAttackTest, NamesOfFilesOnTheirWay) {
  std::string entries;
  for (int i = 0; i < 8; ++i)
    entries += TarFile(".plumb-unpack-" + std::to_string(i), std::to_string(i));
  const auto unpacked = Unpack({Archive(entries)});
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(bench_.ReadTarget(".plumb-unpack-" + std::to_string(i)), std::to_string(i));
}

}  // namespace
}  // namespace plumb::kit
