// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "archive/tar_writer.h"
#include "store/cutter_internal.h"
#include "store/recipe_internal.h"

namespace plumb::store {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

struct CutPiece {
  std::uint64_t size = 0;
  PieceRole role = {};
  friend bool operator==(const CutPiece&, const CutPiece&) = default;
};

// The pieces into which a blob is cut if its bytes come `step` at a time.
std::vector<CutPiece> Cut(const std::string& blob, Shape shape, std::size_t step,
                          std::uint64_t told_size = 0) {
  Cutter cutter(shape, told_size);
  std::vector<CutPiece> pieces;
  CutPiece piece;
  for (std::size_t i = 0; i < blob.size();) {
    piece.role = cutter.role();
    const std::size_t size = std::min({step, blob.size() - i, cutter.Stretch()});
    const auto [taken, is_cut] = cutter.Take(AsBytes(blob).subspan(i, size));
    i += taken;
    piece.size += taken;
    if (is_cut) pieces.push_back(std::exchange(piece, {}));
  }
  if (piece.size > 0) pieces.push_back(piece);
  return pieces;
}

std::vector<std::uint64_t> SizesOf(const std::vector<CutPiece>& pieces) {
  std::vector<std::uint64_t> sizes;
  for (const CutPiece& piece : pieces)
    sizes.push_back(piece.size);
  return sizes;
}

// Without what is of no tensor.
std::vector<CutPiece> TensorsOf(std::vector<CutPiece> pieces) {
  std::erase_if(pieces, [](const CutPiece& piece) { return piece.role.tensor_size == 0; });
  return pieces;
}

std::string Entry(const std::string& name, const std::string& content) {
  return *archive::TarHeader({name, archive::TarEntryType::kFile, 0644, content.size()}) + content +
         std::string(static_cast<std::size_t>(archive::TarPadding(content.size())), '\0');
}
std::string Entry(const std::string& name, std::size_t size) {
  return Entry(name, std::string(size, 'w'));
}

// A float16 tensor of 2.5 MiB, one of 600 bytes, and one that is not worth a piece.
std::string Safetensors() {
  const std::string header =
      R"({"a":{"dtype":"F16","shape":[1280,1024],"data_offsets":[0,2621440]},)"
      R"("b":{"dtype":"F32","shape":[150],"data_offsets":[2621440,2622040]},)"
      R"("c":{"dtype":"F32","shape":[1],"data_offsets":[2622040,2622044]}})";
  std::string file;
  AppendU64(file, header.size());
  return file + header + std::string(2621440, 'a') + std::string(600, 'b') + "cccc";
}

void AppendGgufText(std::string& file, std::string_view text) {
  AppendU64(file, text.size());
  file += text;
}

// The same first tensor, behind a vocabulary.
std::string Gguf() {
  std::string file = "GGUF";
  AppendU32(file, 3);
  AppendU64(file, 1);
  AppendU64(file, 2);
  AppendGgufText(file, "general.architecture");
  AppendU32(file, 8);
  AppendGgufText(file, "llama");
  AppendGgufText(file, "tokenizer.ggml.tokens");
  AppendU32(file, 9);
  AppendU32(file, 8);
  AppendU64(file, 5000);
  for (int i = 0; i < 5000; ++i)
    AppendGgufText(file, "token" + std::to_string(i));
  AppendGgufText(file, "a");
  AppendU32(file, 2);
  AppendU64(file, 1024);
  AppendU64(file, 1280);
  AppendU32(file, 1);  // F16
  AppendU64(file, 0);
  file.resize((file.size() + 31) / 32 * 32);
  return file + std::string(2621440, 'a');
}

const std::vector<CutPiece> kFirstTensor = {
    {kMiB, {2621440, 0, weights::Dtype::kF16, 2048}},
    {kMiB, {2621440, kMiB, weights::Dtype::kF16, 2048}},
    {kMiB / 2, {2621440, 2 * kMiB, weights::Dtype::kF16, 2048}},
};

TEST(CutterTest, TensorsFallOnTheSameCutsInEveryFile) {
  std::vector<CutPiece> both = kFirstTensor;
  both.push_back({600, {600, 0, weights::Dtype::kF32, 600}});
  const std::string file = Safetensors();
  EXPECT_EQ(TensorsOf(Cut(file, Shape::kOpaque, kMiB, file.size())), both);
  EXPECT_EQ(TensorsOf(Cut(Entry("small", 700) + Entry("m.safetensors", file) + archive::TarEnd(),
                          Shape::kTar, kMiB)),
            both);
  const std::string gguf = Gguf();
  EXPECT_EQ(TensorsOf(Cut(gguf, Shape::kOpaque, kMiB, gguf.size())), kFirstTensor);
  EXPECT_EQ(TensorsOf(Cut(Entry("m.gguf", gguf) + archive::TarEnd(), Shape::kTar, 999)),
            kFirstTensor);
}

TEST(CutterTest, DoesNotDependOnHowTheBytesCome) {
  const std::string tar = Entry("small", 700) + Entry("w.bin", 5 * kMiB + 12345) +
                          Entry("m.safetensors", Safetensors()) + Entry("other", 100) +
                          Entry("m.gguf", Gguf()) + Entry("v.bin", 2 * kMiB) + archive::TarEnd();
  const auto whole = Cut(tar, Shape::kTar, tar.size());
  EXPECT_EQ(Cut(tar, Shape::kTar, 1000), whole);
  EXPECT_EQ(Cut(tar, Shape::kTar, 7), whole);
  std::uint64_t total = 0;
  for (const CutPiece& piece : whole) {
    EXPECT_LE(piece.size, kBlockSizeMax);
    total += piece.size;
  }
  EXPECT_EQ(total, tar.size());
}

TEST(CutterTest, EqualFilesFallOnEqualCutsWhateverLiesAround) {
  const std::string weights = Entry("w.bin", 5 * kMiB);
  const auto alone = SizesOf(Cut(weights + archive::TarEnd(), Shape::kTar, 1 << 16));
  const auto behind =
      SizesOf(Cut(Entry("notes", 3000) + weights + archive::TarEnd(), Shape::kTar, 1 << 16));
  ASSERT_EQ(alone.size(), behind.size());
  EXPECT_TRUE(std::equal(alone.begin() + 1, alone.end(), behind.begin() + 1));
  const std::string raw(5 * kMiB, 'w');
  EXPECT_EQ(SizesOf(Cut(raw, Shape::kOpaque, kMiB, raw.size())),
            std::vector<std::uint64_t>(alone.begin() + 1, alone.end() - 1));
}

TEST(CutterTest, FollowsASizeThatOnlyAPaxRecordTells) {
  // Over 8 GiB: the octal field is 0. Only the headers and the first pieces are looked at.
  const std::string header =
      *archive::TarHeader({"w.bin", archive::TarEntryType::kFile, 0644, std::uint64_t{9} << 30});
  const std::string tar = header + std::string(2 * kMiB, 'w');
  EXPECT_EQ(SizesOf(Cut(tar, Shape::kTar, 1 << 20)),
            (std::vector<std::uint64_t>{header.size(), kMiB, kMiB}));
}

// What a header says is a guess: of one that is cut short, lies or is none, all bytes come all the
// same, in pieces that are not too long.
TEST(CutterTest, AHeaderThatLiesCostsNoBytes) {
  std::vector<std::string> files = {
      Safetensors().substr(0, 2'000'000), Gguf().substr(0, 70'000), Gguf().substr(0, 40),
      std::string("GGUF") + std::string(60, 'x'), std::string(8, '\xff') + "{"};
  for (const std::size_t at : {8U, 30U, 60U, 90U, 100U, 140U}) {
    files.push_back(Safetensors());
    files.back()[at] = '9';
    files.push_back(Gguf());
    files.back()[at] = '\x7f';
  }
  for (const std::string& file : files) {
    for (const std::string& blob : {file, Entry("f", file) + Entry("g", 10) + archive::TarEnd()}) {
      for (const Shape shape : {Shape::kTar, Shape::kOpaque}) {
        std::uint64_t total = 0;
        for (const CutPiece& piece : Cut(blob, shape, 100'000, blob.size())) {
          EXPECT_LE(piece.size, kBlockSizeMax);
          total += piece.size;
        }
        EXPECT_EQ(total, blob.size());
      }
    }
  }
}

}  // namespace
}  // namespace plumb::store
