// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "host/links.h"
#include "host/process.h"
#include "kit/modelkit.h"
#include "tests/noise.h"
#include "tests/workbench.h"
#include "verbs/build.h"
#include "verbs/fsck.h"
#include "verbs/import.h"
#include "verbs/push.h"
#include "verbs/repair.h"
#include "verbs/tag.h"

// A disk that decays: one bit anywhere in the store's files. It is found and named, never given out
// as a kit's bytes, and mended from a layout that has the kits.
namespace plumb::verbs {
namespace {

namespace fs = std::filesystem;

// What a program finds in the home of a test.
class Process {
 public:
  explicit Process(const std::string& home)
      : environment_(home),
        workspace_({*files_, *clock_, *entropy_, environment_, *http_, *processes_, *links_}, 2) {}
  Workspace& workspace() { return workspace_; }
  RecordingProgress& progress() { return progress_; }

 private:
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  HomeOnly environment_;
  std::unique_ptr<host::Http> http_ = host::MakeHttp("plumb-test");
  std::unique_ptr<host::Processes> processes_ = host::MakeProcesses();
  std::unique_ptr<host::Links> links_ = host::MakeLinks();
  RecordingProgress progress_;
  Workspace workspace_;
};

// Of the file that is adopted.
constexpr std::uint64_t kHeaderSizeMax = 100;

class BitFlipTest : public testing::Test {
 protected:
  BitFlipTest() {
    temporary_.Write("model/w.bin", Noise(70'000, 1));
    temporary_.Write("model/x.bin", std::string(std::size_t{5} << 20, 'x'));
    temporary_.Write("model/README.md", "Read me");
    temporary_.Write("model/Kitfile",
                     "manifestVersion: 1.0.0\nmodel: {path: w.bin}\ndatasets: [{path: x.bin}]\n"
                     "docs: [{path: README.md}]\n");
    Process process(Home());
    BuildOptions build;
    build.directory = temporary_.path() + "/model";
    build.tags = {"m:v1"};
    EXPECT_TRUE(Build(process.workspace(), build, process.progress()));
    EXPECT_TRUE(Tag(process.workspace(), {"m:v1", "m:latest"}));
    ImportSafetensors(process);
    for (const char* name : {"m:v1", "w:v1"})
      EXPECT_TRUE(Push(process.workspace(), {name, Shelf() + ":" + std::string(name).substr(0, 1)},
                       process.progress()));
    refs_ = *(*process.workspace().Store())->ListRefs();
  }

  std::string Home() const { return temporary_.path() + "/person"; }
  std::string StorePath() const { return Home() + "/.local/share/plumb/store"; }
  std::string Shelf() const { return "oci:" + temporary_.path() + "/shelf"; }

  // Which is used where it lies.
  void ImportSafetensors(Process& process) {
    const std::string bytes = Noise(std::size_t{1} << 20, 2);
    std::string header = R"({"w":{"dtype":"U8","shape":[)" + std::to_string(bytes.size()) +
                         R"(],"data_offsets":[0,)" + std::to_string(bytes.size()) + "]}}";
    std::string file;
    AppendU64(file, header.size());
    temporary_.Write("hub/w.safetensors", file + header + bytes);
    ImportOptions import;
    import.source = temporary_.path() + "/hub/w.safetensors";
    import.name = "w:v1";
    import.link_files = LinkFiles::kYes;
    EXPECT_TRUE(Import(process.workspace(), std::move(import), process.progress()));
  }

  // One bit, in a store that is whole otherwise.
  void Flip(const std::string& file, std::uint64_t bit) {
    fs::remove_all(StorePath());
    fs::copy(temporary_.path() + "/kept", StorePath(), fs::copy_options::recursive);
    std::fstream stream(StorePath() + "/" + file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(bit / 8));
    const int byte = stream.get();
    stream.seekp(static_cast<std::streamoff>(bit / 8));
    stream.put(static_cast<char>(byte ^ (1 << (bit % 8))));
    ASSERT_TRUE(stream.good());
  }

  // All blobs of all kits: right, or not given.
  void ExpectNoLies() {
    Process process(Home());
    const auto store = process.workspace().Store();
    if (!store) return;
    for (const store::Ref& ref : refs_) {
      const auto kit = kit::LoadModelKit(**store, ref.manifest);
      if (!kit) continue;
      for (const oci::Descriptor& layer : kit->manifest.layers) {
        const auto bytes = store::ReadBlob(**store, layer.digest, std::size_t{16} << 20);
        EXPECT_TRUE(!bytes || Sha256(AsBytes(*bytes)) == layer.digest);
      }
    }
  }

  // Behind a repair.
  void ExpectWhole() {
    Process process(Home());
    const auto checked = Fsck(process.workspace(), {store::Depth::kContent}, process.progress());
    ASSERT_TRUE(checked) << checked.error().message;
    for (const FsckReport::Line& line : checked->damages)
      ADD_FAILURE() << line.what << ": " << line.why;
    EXPECT_EQ(*(*process.workspace().Store())->ListRefs(), refs_);
    for (const store::Ref& ref : refs_)
      EXPECT_TRUE(kit::LoadModelKit(**process.workspace().Store(), ref.manifest));
  }

  Result<RepairReport> RepairFromShelf(RebuildCatalog rebuild = RebuildCatalog::kNo) {
    Process process(Home());
    RepairOptions options;
    options.source = Shelf();
    options.rebuild = rebuild;
    return Repair(process.workspace(), options, process.progress());
  }

  // Whether a check in depth has anything to say, and the name of the pack with it.
  static bool IsFound(const std::string& home, const std::string& pack) {
    Process process(home);
    const auto checked = Fsck(process.workspace(), {store::Depth::kContent}, process.progress());
    if (!checked) return checked.error().kind == ErrorKind::kCorrupt;
    if (!checked->damages.empty()) return true;
    return process.progress().Warned(pack);
  }

  std::vector<std::string> PackFiles() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(temporary_.path() + "/kept/packs"))
      files.push_back("packs/" + entry.path().filename().string());
    std::ranges::sort(files, {}, [&](const std::string& file) {
      return fs::file_size(temporary_.path() + "/kept/" + file);
    });
    return files;
  }

  void Keep() {
    fs::remove(StorePath() + "/reserve");  // nobody reads it
    fs::rename(StorePath(), temporary_.path() + "/kept");
  }

  TemporaryDirectory temporary_;
  std::vector<store::Ref> refs_;
};

TEST_F(BitFlipTest, InAnyPackIsFoundNamedNeverReadAndMended) {
  Keep();
  std::mt19937_64 random(7);
  for (const std::string& file : PackFiles()) {
    const std::uint64_t size = fs::file_size(temporary_.path() + "/kept/" + file);
    // Each part of its beginning and its end, and places between.
    std::vector<std::uint64_t> places = {3, 20, 60, 70, 90, 100, 140, 190};
    for (const std::uint64_t from_end : {2U, 10U, 20U, 30U, 40U, 60U, 100U, 170U})
      places.push_back(size - from_end);
    for (int i = 0; i < 8; ++i)
      places.push_back(random() % size);
    for (const std::uint64_t place : places) {
      if (place >= size) continue;
      // The header of an adopted file stands in a recipe: what becomes of it there nobody reads.
      if (file.ends_with(".file") && place < kHeaderSizeMax) continue;
      SCOPED_TRACE(file + " of " + std::to_string(size) + " at " + std::to_string(place));
      Flip(file, 8 * place + random() % 8);
      const std::string name = fs::path(file).stem().string();
      EXPECT_TRUE(IsFound(Home(), name));
      ExpectNoLies();
      const auto repaired = RepairFromShelf();
      ASSERT_TRUE(repaired) << repaired.error().message;
      EXPECT_TRUE(repaired->failures.empty());
      ExpectWhole();
      // And packs alone say all of it, again.
      Process process(Home());
      const auto again = Fsck(process.workspace(), {store::Depth::kStructure, RebuildCatalog::kYes},
                              process.progress());
      ASSERT_TRUE(again) << again.error().message;
      EXPECT_TRUE(again->damages.empty());
      EXPECT_EQ(*(*process.workspace().Store())->ListRefs(), refs_);
    }
  }
}

// SQLite has no checksums: what is flipped in a row, or where there is none, may be seen by nobody.
// It is never a kit's bytes, and packs say what was there.
TEST_F(BitFlipTest, InTheCatalogIsNeverReadAndMendedFromThePacks) {
  Keep();
  std::mt19937_64 random(8);
  const std::uint64_t size = fs::file_size(temporary_.path() + "/kept/catalog.sqlite");
  std::vector<std::uint64_t> places = {0, 17, 19, 24, 28, 60, 100, 105};
  for (int i = 0; i < 40; ++i)
    places.push_back(random() % size);
  for (const std::uint64_t place : places) {
    SCOPED_TRACE("catalog at " + std::to_string(place));
    Flip("catalog.sqlite", 8 * place + random() % 8);
    ExpectNoLies();
    const auto repaired = RepairFromShelf(RebuildCatalog::kYes);
    ASSERT_TRUE(repaired) << repaired.error().message;
    EXPECT_TRUE(repaired->mended.empty());
    ExpectWhole();
  }
}

// It cannot be told from a newer version's: nothing is read, nothing is changed.
TEST_F(BitFlipTest, InTheFormatFileIsRefused) {
  Keep();
  for (std::uint64_t bit = 0; bit < 14 * 8; bit += 5) {
    Flip("format", bit);
    Process process(Home());
    EXPECT_EQ(process.workspace().Store().error().kind, ErrorKind::kUnsupported);
  }
}

}  // namespace
}  // namespace plumb::verbs
