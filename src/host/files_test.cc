// SPDX-License-Identifier: MIT OR Apache-2.0
#include "host/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/temporary_directory.h"

namespace plumb::host {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

template <typename T>
std::optional<ErrorKind> KindOf(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error().kind;
}

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    // A file beside the directory, which nothing beneath may reach.
    temporary_.Write("outside/secret", "secret");
    temporary_.Write("inside/file", "text");
    temporary_.Write("inside/a/b/deep", "deep");
    directory_ = Open("inside");
  }
  std::unique_ptr<Directory> Open(const std::string& path) {
    return std::move(*files_->OpenDirectory(temporary_.path() + "/" + path, IfMissing::kFail));
  }
  void Link(const std::string& target, const std::string& name) const {
    fs::create_symlink(target, temporary_.path() + "/inside/" + name);
  }
  // What lies in the directory, in order.
  std::vector<std::string> Names(const std::string& path = "") {
    std::vector<std::string> names;
    const auto entries = directory_->List(path);
    for (const DirectoryEntry& entry : *entries)
      names.push_back(entry.name);
    return names;
  }
  std::uint32_t ModeOf(const std::string& path) { return directory_->State(path)->mode; }
  Result<std::string> Read(const std::string& path, OpenHow how = OpenHow::kRead) {
    PLUMB_TRY(const auto file, directory_->Open(path, how));
    std::string text(100, '\0');
    PLUMB_TRY(const std::size_t size, file->ReadAt(0, std::as_writable_bytes(std::span(text))));
    return text.substr(0, size);
  }

  TemporaryDirectory temporary_;
  std::unique_ptr<Files> files_ = MakeFiles();
  std::unique_ptr<Directory> directory_;
};

TEST_F(FilesTest, PathsAreNamesBeneath) {
  for (const std::string& bad :
       {std::string("../outside/secret"), temporary_.path() + "/outside/secret",
        std::string("a/.."), std::string("a/../file"), std::string("./file"), std::string("."),
        std::string(".."), std::string("/"), std::string("a//b"), std::string("a/"),
        std::string("file\0x", 6)}) {
    EXPECT_EQ(KindOf(directory_->Open(bad, OpenHow::kRead)), ErrorKind::kInvalid) << bad;
    EXPECT_EQ(KindOf(directory_->Open(bad, OpenHow::kReadFollow)), ErrorKind::kInvalid) << bad;
    EXPECT_EQ(KindOf(directory_->Open(bad, OpenHow::kCreate)), ErrorKind::kInvalid) << bad;
    EXPECT_EQ(KindOf(directory_->State(bad)), ErrorKind::kInvalid) << bad;
    EXPECT_EQ(KindOf(directory_->List(bad)), ErrorKind::kInvalid) << bad;
    EXPECT_EQ(KindOf(directory_->MakeDirectory(bad)), ErrorKind::kInvalid) << bad;
    EXPECT_EQ(KindOf(directory_->Rename("file", bad, Overwrite::kYes)), ErrorKind::kInvalid) << bad;
    EXPECT_EQ(KindOf(directory_->Rename(bad, "new", Overwrite::kYes)), ErrorKind::kInvalid) << bad;
    EXPECT_EQ(KindOf(directory_->Remove(bad)), ErrorKind::kInvalid) << bad;
    EXPECT_EQ(KindOf(directory_->Sync(bad)), ErrorKind::kInvalid) << bad;
  }
  // The directory itself can be looked at, and not be changed.
  EXPECT_EQ(directory_->State("")->type, FileType::kDirectory);
  EXPECT_TRUE(directory_->Sync(""));
  EXPECT_EQ(KindOf(directory_->Remove("")), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(directory_->MakeDirectory("")), ErrorKind::kInvalid);
  EXPECT_EQ(KindOf(directory_->Rename("", "x", Overwrite::kYes)), ErrorKind::kInvalid);
  EXPECT_THAT(Names(), ElementsAre("a", "file"));
}

TEST_F(FilesTest, NoSymlinkIsFollowed) {
  Link("../outside", "up");
  Link(temporary_.path() + "/outside", "absolute");
  Link("a", "near");
  Link("file", "name");
  Link("../outside/new", "dangling");
  for (const std::string link : {"up", "absolute", "near"}) {
    for (const std::string& path : {link + "/secret", link + "/b", link + "/new"}) {
      EXPECT_EQ(KindOf(directory_->Open(path, OpenHow::kRead)), ErrorKind::kDenied) << path;
      EXPECT_EQ(KindOf(directory_->Open(path, OpenHow::kCreate, 0644)), ErrorKind::kDenied) << path;
      EXPECT_EQ(KindOf(directory_->Open(path, OpenHow::kCreateNew)), ErrorKind::kDenied) << path;
      EXPECT_EQ(KindOf(directory_->State(path)), ErrorKind::kDenied) << path;
      EXPECT_EQ(KindOf(directory_->MakeDirectory(path)), ErrorKind::kDenied) << path;
      EXPECT_EQ(KindOf(directory_->Remove(path)), ErrorKind::kDenied) << path;
      EXPECT_EQ(KindOf(directory_->Rename("file", path, Overwrite::kYes)), ErrorKind::kDenied);
      EXPECT_EQ(KindOf(directory_->Rename(path, "new", Overwrite::kYes)), ErrorKind::kDenied);
    }
    EXPECT_EQ(KindOf(directory_->List(link)), ErrorKind::kDenied) << link;
    EXPECT_EQ(KindOf(directory_->Sync(link)), ErrorKind::kDenied) << link;
  }
  for (const std::string link : {"name", "dangling"}) {
    for (const OpenHow how : {OpenHow::kRead, OpenHow::kReadWrite, OpenHow::kCreate})
      EXPECT_EQ(KindOf(directory_->Open(link, how)), ErrorKind::kDenied) << link;
    EXPECT_EQ(KindOf(directory_->Open(link, OpenHow::kCreateNew)), ErrorKind::kConflict) << link;
    EXPECT_EQ(directory_->State(link)->type, FileType::kSymlink);
  }
  // A symlink is removed and replaced as itself.
  EXPECT_TRUE(directory_->Remove("up"));
  EXPECT_TRUE(directory_->Rename("file", "name", Overwrite::kYes));
  EXPECT_EQ(directory_->State("name")->type, FileType::kRegular);
  EXPECT_THAT(Names(), ElementsAre("a", "absolute", "dangling", "name", "near"));
  EXPECT_EQ(temporary_.Read("outside/secret"), "secret");
  EXPECT_FALSE(fs::exists(temporary_.path() + "/outside/new"));
}

TEST_F(FilesTest, FollowedSymlinksStayBeneath) {
  Link("a", "near");
  Link("b/deep", "a/down");
  Link("../file", "a/up");
  Link("../outside/secret", "out");
  Link("..", "parent");
  Link(temporary_.path() + "/inside/file", "absolute");
  Link("loop", "loop");
  EXPECT_EQ(*Read("near/b/deep", OpenHow::kReadFollow), "deep");
  EXPECT_EQ(*Read("near/down", OpenHow::kReadFollow), "deep");
  EXPECT_EQ(*Read("near/up", OpenHow::kReadFollow), "text");
  for (const std::string bad : {"out", "parent/outside/secret", "absolute", "loop", "near"})
    EXPECT_EQ(KindOf(Read(bad, OpenHow::kReadFollow)), ErrorKind::kDenied) << bad;
}

TEST_F(FilesTest, ADirectoryHeldOpenStaysItself) {
  const auto held = Open("inside/a");
  fs::rename(temporary_.path() + "/inside/a", temporary_.path() + "/moved");
  fs::create_directories(temporary_.path() + "/inside/a/b");
  EXPECT_TRUE(held->Open("b/new", OpenHow::kCreateNew));
  EXPECT_TRUE(fs::exists(temporary_.path() + "/moved/b/new"));
}

TEST_F(FilesTest, OnlyRegularFilesOpen) {
  const std::string inside = temporary_.path() + "/inside/";
  ASSERT_EQ(::mkfifo((inside + "pipe").c_str(), 0600), 0);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  (inside + "socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  for (const std::string path : {"pipe", "socket", "a", ""}) {
    // Nobody is at the other end of the pipe: none of these may wait.
    for (const OpenHow how :
         {OpenHow::kRead, OpenHow::kReadFollow, OpenHow::kReadWrite, OpenHow::kCreate}) {
      const auto opened = directory_->Open(path, how);
      EXPECT_EQ(KindOf(opened), ErrorKind::kDenied) << path;
      EXPECT_THAT(opened.error().message, testing::EndsWith("is not a regular file"));
    }
  }
  EXPECT_EQ(KindOf(directory_->Open("a", OpenHow::kCreateNew)), ErrorKind::kConflict);
  EXPECT_EQ(directory_->State("pipe")->type, FileType::kOther);
  EXPECT_EQ(directory_->State("socket")->type, FileType::kOther);
  ::close(listener);
}

TEST_F(FilesTest, ErrorsAreOfTheKindThatIsPromised) {
  EXPECT_EQ(KindOf(directory_->Open("none", OpenHow::kRead)), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(directory_->Open("none", OpenHow::kReadWrite)), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(directory_->Open("none/x", OpenHow::kCreate)), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(directory_->Open("file/x", OpenHow::kRead)), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(directory_->Open("file/x", OpenHow::kCreate)), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(directory_->Open("file", OpenHow::kCreateNew)), ErrorKind::kConflict);
  EXPECT_EQ(KindOf(directory_->State("none")), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(directory_->List("none")), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(directory_->List("file")), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(directory_->MakeDirectory("file")), ErrorKind::kConflict);
  EXPECT_EQ(KindOf(directory_->MakeDirectory("a")), ErrorKind::kConflict);
  EXPECT_EQ(KindOf(directory_->MakeDirectory("none/x")), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(directory_->Remove("none")), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(directory_->Remove("a")), ErrorKind::kConflict);
  EXPECT_EQ(KindOf(directory_->Open(std::string(256, 'n'), OpenHow::kCreate)), ErrorKind::kInvalid);
  EXPECT_EQ(directory_->Open("none\x1b", OpenHow::kRead).error().message,
            "cannot open '" + temporary_.path() + "/inside/none\\x1b': no such file or directory");

  const auto read_only = std::move(*directory_->Open("file", OpenHow::kRead));
  EXPECT_FALSE(read_only->WriteAt(0, AsBytes("x")));
  EXPECT_EQ(*Read("file"), "text");
}

TEST_F(FilesTest, MachinePaths) {
  const std::string inside = temporary_.path() + "/inside";
  Link("a", "near");
  EXPECT_EQ(files_->State(inside + "/near")->type, FileType::kDirectory);
  EXPECT_EQ(*files_->Canonical(inside + "/near/../a/./b"), *files_->Canonical(inside) + "/a/b");
  EXPECT_TRUE(files_->OpenDirectory(inside + "/near/b", IfMissing::kFail));
  const std::string nul = inside + std::string("\0/x", 3);
  for (const std::string& path : {inside + "/none", inside + "/file/x", std::string(), nul}) {
    const auto kind = path == nul ? ErrorKind::kInvalid : ErrorKind::kNotFound;
    EXPECT_EQ(KindOf(files_->State(path)), kind) << path;
    EXPECT_EQ(KindOf(files_->Canonical(path)), kind) << path;
    EXPECT_EQ(KindOf(files_->OpenDirectory(path, IfMissing::kFail)), kind) << path;
  }
  for (const std::string path : {"/new/er/est", "/new/dot/.", "/new/up/../down", "/new/slash/"}) {
    EXPECT_TRUE(files_->OpenDirectory(inside + path, IfMissing::kCreate, 0700)) << path;
    EXPECT_TRUE(files_->OpenDirectory(inside + path, IfMissing::kCreate, 0755)) << path;
  }
  EXPECT_THAT(Names("new"), ElementsAre("dot", "down", "er", "slash", "up"));
  EXPECT_EQ(ModeOf("new"), 0700U);
  EXPECT_EQ(ModeOf("new/er/est"), 0700U);
  EXPECT_EQ(KindOf(files_->OpenDirectory(inside + "/file", IfMissing::kCreate)),
            ErrorKind::kNotFound);
}

TEST_F(FilesTest, ModesDoNotDependOnTheUmask) {
  const mode_t before = ::umask(0077);
  EXPECT_TRUE(directory_->Open("exact", OpenHow::kCreateNew, 0664));
  EXPECT_TRUE(directory_->Open("created", OpenHow::kCreate, 0666));
  EXPECT_TRUE(directory_->MakeDirectory("directory", 0775));
  EXPECT_TRUE(directory_->Open("by_umask", OpenHow::kCreateNew));
  EXPECT_TRUE(directory_->MakeDirectory("directory_by_umask"));
  EXPECT_TRUE(WriteFileDurably(*directory_, "durable", "x", 0644));
  ::umask(before);
  EXPECT_EQ(ModeOf("exact"), 0664U);
  EXPECT_EQ(ModeOf("created"), 0666U);
  EXPECT_EQ(ModeOf("directory"), 0775U);
  EXPECT_EQ(ModeOf("by_umask"), 0600U);
  EXPECT_EQ(ModeOf("directory_by_umask"), 0700U);
  EXPECT_EQ(ModeOf("durable"), 0644U);
  // What is there keeps its mode, also if it is empty.
  EXPECT_TRUE(directory_->Open("created", OpenHow::kCreate, 0600));
  EXPECT_EQ(ModeOf("created"), 0666U);
}

TEST_F(FilesTest, FilesAreReadAndWrittenAnywhere) {
  const auto file = std::move(*directory_->Open("new", OpenHow::kCreateNew));
  EXPECT_TRUE(file->WriteAt(3, AsBytes("def")));
  EXPECT_TRUE(file->WriteAt(0, AsBytes("abc")));
  EXPECT_TRUE(file->Sync());
  EXPECT_EQ(*Read("new"), "abcdef");
  EXPECT_TRUE(file->Truncate(4));
  EXPECT_EQ(file->State()->size, 4U);
  std::string buffer(10, '.');
  EXPECT_EQ(*file->ReadAt(1, std::as_writable_bytes(std::span(buffer))), 3U);
  EXPECT_EQ(buffer, "bcd.......");
  EXPECT_EQ(*file->ReadAt(100, std::as_writable_bytes(std::span(buffer))), 0U);
  EXPECT_FALSE(file->ReadAt(~std::uint64_t{0}, std::as_writable_bytes(std::span(buffer))));
  EXPECT_EQ(*file->State(), *directory_->State("new"));
  EXPECT_TRUE(directory_->Open("new", OpenHow::kCreate));
  EXPECT_EQ(*Read("new"), "abcd");
}

TEST_F(FilesTest, ListsInByteOrder) {
  for (const std::string name : {"b", "B", "é", "a-", "\xff", "_", "10", "9"})
    temporary_.Write("inside/a/b/" + name, "");
  EXPECT_THAT(Names("a/b"), ElementsAre("10", "9", "B", "_", "a-", "b", "deep", "é", "\xff"));
  Link("file", "link");
  const std::vector<DirectoryEntry> entries = *directory_->List("");
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].type, FileType::kDirectory);
  EXPECT_EQ(entries[1].type, FileType::kRegular);
  EXPECT_EQ(entries[2].type, FileType::kSymlink);
}

TEST_F(FilesTest, RenameReplacesOnlyIfItMay) {
  temporary_.Write("inside/other", "other");
  EXPECT_EQ(KindOf(directory_->Rename("other", "file", Overwrite::kNo)), ErrorKind::kConflict);
  EXPECT_EQ(*Read("file"), "text");
  EXPECT_EQ(*Read("other"), "other");
  EXPECT_TRUE(directory_->Rename("other", "file", Overwrite::kYes));
  EXPECT_EQ(*Read("file"), "other");
  EXPECT_TRUE(directory_->Rename("file", "a/moved", Overwrite::kNo));
  EXPECT_EQ(*Read("a/moved"), "other");
  EXPECT_EQ(KindOf(directory_->Rename("a/moved", "a/b", Overwrite::kYes)), ErrorKind::kConflict);
  EXPECT_EQ(KindOf(directory_->Rename("none", "x", Overwrite::kYes)), ErrorKind::kNotFound);
  EXPECT_TRUE(directory_->MakeDirectory("full"));
  EXPECT_EQ(KindOf(directory_->Rename("full", "a", Overwrite::kYes)), ErrorKind::kConflict);
  EXPECT_EQ(KindOf(directory_->Rename("a", "full", Overwrite::kNo)), ErrorKind::kConflict);
  EXPECT_TRUE(directory_->Rename("a", "full", Overwrite::kYes));
  EXPECT_THAT(Names(), ElementsAre("full"));
  EXPECT_TRUE(directory_->Remove("full/moved"));
  EXPECT_TRUE(directory_->Remove("full/b/deep"));
  EXPECT_TRUE(directory_->Remove("full/b"));
  EXPECT_TRUE(Names("full").empty());
}

TEST_F(FilesTest, LocksOfTwoOpensExclude) {
  const auto open = [&] { return std::move(*directory_->Open("file", OpenHow::kReadWrite)); };
  auto one = open();
  const auto other = open();
  auto lock = std::move(*one->Lock(LockKind::kExclusive, 0));
  EXPECT_EQ(KindOf(other->Lock(LockKind::kExclusive, 0)), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf(other->Lock(LockKind::kShared, 2)), ErrorKind::kUnavailable);
  // It is held until it is destroyed, and not only as long as the file is open.
  one.reset();
  EXPECT_EQ(KindOf(other->Lock(LockKind::kExclusive, 0)), ErrorKind::kUnavailable);
  lock.reset();
  {
    const auto shared = other->Lock(LockKind::kShared, 0);
    EXPECT_TRUE(shared);
    one = open();
    EXPECT_TRUE(one->Lock(LockKind::kShared, 0));
    EXPECT_EQ(KindOf(one->Lock(LockKind::kExclusive, 0)), ErrorKind::kUnavailable);
  }
  lock = std::move(*one->Lock(LockKind::kExclusive, 0));
  std::atomic<bool> is_released = false;
  std::thread waiting([&] {
    EXPECT_TRUE(other->Lock(LockKind::kExclusive, 60'000));
    EXPECT_TRUE(is_released);
  });
  is_released = true;
  lock.reset();
  waiting.join();
}

TEST_F(FilesTest, LocksOfDistinctRangesStandSideBySide) {
  const auto one = std::move(*directory_->Open("file", OpenHow::kReadWrite));
  const auto other = std::move(*directory_->Open("file", OpenHow::kReadWrite));
  constexpr LockRange kFirst = {std::uint64_t{1} << 30, 1};
  constexpr LockRange kSecond = {(std::uint64_t{1} << 30) + 1, 510};
  auto first = std::move(*one->Lock(LockKind::kExclusive, 0, kFirst));
  auto second = std::move(*one->Lock(LockKind::kShared, 0, kSecond));
  EXPECT_EQ(KindOf(other->Lock(LockKind::kShared, 0, kFirst)), ErrorKind::kUnavailable);
  EXPECT_EQ(KindOf(other->Lock(LockKind::kShared, 0)), ErrorKind::kUnavailable);
  auto reader = std::move(*other->Lock(LockKind::kShared, 0, kSecond));
  // What cannot be converted is what it was.
  EXPECT_EQ(KindOf(second->Convert(LockKind::kExclusive)), ErrorKind::kUnavailable);
  reader.reset();
  EXPECT_EQ(KindOf(other->Lock(LockKind::kExclusive, 0, kSecond)), ErrorKind::kUnavailable);
  EXPECT_TRUE(second->Convert(LockKind::kExclusive));
  EXPECT_EQ(KindOf(other->Lock(LockKind::kShared, 0, kSecond)), ErrorKind::kUnavailable);
  EXPECT_TRUE(second->Convert(LockKind::kShared));
  EXPECT_TRUE(other->Lock(LockKind::kShared, 0, kSecond));
  // One that goes takes no other with it.
  first.reset();
  EXPECT_TRUE(other->Lock(LockKind::kExclusive, 0, kFirst));
  EXPECT_EQ(KindOf(other->Lock(LockKind::kExclusive, 0, kSecond)), ErrorKind::kUnavailable);
}

TEST_F(FilesTest, SmallFilesAreReadWhole) {
  EXPECT_EQ(*ReadFile(*directory_, "file", 4), "text");
  EXPECT_EQ(KindOf(ReadFile(*directory_, "file", 3)), ErrorKind::kExhausted);
  EXPECT_EQ(KindOf(ReadFile(*directory_, "none", 3)), ErrorKind::kNotFound);
  EXPECT_EQ(*ReadFile(*files_, temporary_.path() + "/inside/a/b/deep", 100), "deep");
  EXPECT_EQ(KindOf(ReadFile(*files_, temporary_.path() + "/none/x", 1)), ErrorKind::kNotFound);
}

TEST_F(FilesTest, AReaderSeesTheOldContentOrTheNew) {
  const std::string old_text(100'000, 'o');
  const std::string new_text(200'000, 'n');
  ASSERT_TRUE(WriteFileDurably(*directory_, "shared", old_text, 0600));
  std::atomic<bool> is_over = false;
  std::atomic<int> torn = 0;
  std::thread reader([&] {
    do {
      const auto text = ReadFile(*directory_, "shared", 1'000'000);
      if (!text || (*text != old_text && *text != new_text)) ++torn;
    } while (!is_over);
  });
  for (int i = 0; i < 20; ++i)
    EXPECT_TRUE(WriteFileDurably(*directory_, "shared", i % 2 == 0 ? new_text : old_text, 0600));
  is_over = true;
  reader.join();
  EXPECT_EQ(torn, 0);
  EXPECT_THAT(Names(), ElementsAre("a", "file", "shared"));
}

TEST_F(FilesTest, AFailedWriteLeavesWhatWasThereAndNothingElse) {
  EXPECT_EQ(KindOf(WriteFileDurably(*directory_, "a", "x", 0644)), ErrorKind::kConflict);
  EXPECT_EQ(KindOf(WriteFileDurably(*directory_, "none/x", "x", 0644)), ErrorKind::kNotFound);
  EXPECT_THAT(Names(), ElementsAre("a", "file"));
  // A symlink is replaced, not followed.
  Link("../outside/secret", "link");
  EXPECT_TRUE(WriteFileDurably(*files_, temporary_.path() + "/inside/link", "mine", 0644));
  EXPECT_EQ(*Read("link"), "mine");
  EXPECT_EQ(temporary_.Read("outside/secret"), "secret");
  EXPECT_TRUE(WriteFileDurably(*directory_, "a/b/deep", "", 0644));
  EXPECT_EQ(*Read("a/b/deep"), "");
}

TEST_F(FilesTest, DirectoriesAreMadeWithTheirParents) {
  EXPECT_TRUE(MakeDirectories(*directory_, "x/y/z", 0700));
  EXPECT_TRUE(MakeDirectories(*directory_, "x/y/z", 0755));
  EXPECT_TRUE(MakeDirectories(*directory_, "a/new"));
  EXPECT_TRUE(MakeDirectories(*directory_, ""));
  EXPECT_EQ(ModeOf("x"), 0700U);
  EXPECT_EQ(ModeOf("x/y/z"), 0700U);
  Link("a", "near");
  EXPECT_EQ(KindOf(MakeDirectories(*directory_, "file")), ErrorKind::kConflict);
  EXPECT_EQ(KindOf(MakeDirectories(*directory_, "near")), ErrorKind::kDenied);
  EXPECT_EQ(KindOf(MakeDirectories(*directory_, "file/x")), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(MakeDirectories(*directory_, "near/x")), ErrorKind::kDenied);
  EXPECT_EQ(KindOf(MakeDirectories(*directory_, "x/../y")), ErrorKind::kInvalid);
}

TEST(SplitPath, GivesDirectoryAndName) {
  const struct {
    std::string path;
    std::string directory;
    std::string name;
  } cases[] = {{"a/b/c", "a/b", "c"}, {"c", ".", "c"},   {"/c", "/", "c"},   {"/a/c", "/a", "c"},
               {"a/c/", "a", "c"},    {"a//", ".", "a"}, {"../c", "..", "c"}};
  for (const auto& [path, directory, name] : cases) {
    EXPECT_EQ(SplitPath(path).directory, directory) << path;
    EXPECT_EQ(SplitPath(path).name, name) << path;
  }
}

}  // namespace
}  // namespace plumb::host
