// SPDX-License-Identifier: MIT OR Apache-2.0
// Files of weights made to harm who reads them. Each test names the rule that stops it, and the
// case where another reader had none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "kit/tensors.h"
#include "tests/weights_files.h"
#include "tests/workbench.h"
#include "weights/tensor_file.h"

namespace plumb::weights {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr std::uint32_t kF32 = 0;
constexpr std::uint32_t kU32 = 4;
constexpr std::uint32_t kString = 8;
constexpr std::uint32_t kArray = 9;
constexpr std::uint32_t kU64 = 10;

void ExpectRefused(const std::string& file, std::string_view words,
                   ErrorKind kind = ErrorKind::kInvalid) {
  const auto read = ReadTensorHeader(AsBytes(file), file.size());
  ASSERT_FALSE(read) << words;
  EXPECT_EQ(read.error().kind, kind) << read.error().message;
  EXPECT_THAT(read.error().message, HasSubstr(words));
}

// What is refused at once does not wait for a header that never ends: of a file of 1 TiB only the
// first bytes are given.
void ExpectRefusedEarly(const std::string& start, std::string_view words, ErrorKind kind) {
  const auto read = ReadTensorHeader(AsBytes(start), std::uint64_t{1} << 40);
  ASSERT_FALSE(read) << words;
  EXPECT_EQ(read.error().kind, kind) << read.error().message;
  EXPECT_THAT(read.error().message, HasSubstr(words));
}

std::string Tensor(std::string_view name, std::string_view shape, std::string_view offsets) {
  return "\"" + std::string(name) + R"(":{"dtype":"U8","shape":)" + std::string(shape) +
         ",\"data_offsets\":" + std::string(offsets) + "}";
}
std::string Tensors(const std::vector<std::string>& tensors, std::size_t data_size) {
  return Safetensors("{" + Join(tensors, ",") + "}", data_size);
}

// CheckTensors and the end of ReadSafetensorsHeader: every byte belongs to one tensor ("The byte
// buffer needs to be entirely indexed, and cannot contain holes", README of safetensors), so that
// no file is two: one for a loader, another for a scanner.
TEST(SafetensorsAttackTest, Holes) {
  ExpectRefused(Tensors({Tensor("a", "[4]", "[0,4]"), Tensor("b", "[4]", "[8,12]")}, 12),
                "belong to no tensor");
  ExpectRefused(Tensors({Tensor("a", "[4]", "[4,8]")}, 8), "belong to no tensor");
  ExpectRefused(Tensors({Tensor("a", "[4]", "[0,4]")}, 5), "belong to no tensor");
  ExpectRefused(Tensors({}, 1), "belong to no tensor");
}

// CheckTensors: none begins before the one in front ends.
TEST(SafetensorsAttackTest, Overlaps) {
  ExpectRefused(Tensors({Tensor("a", "[8]", "[0,8]"), Tensor("b", "[8]", "[4,12]")}, 12),
                "'b' overlaps");
  ExpectRefused(Tensors({Tensor("a", "[8]", "[0,8]"), Tensor("b", "[8]", "[0,8]")}, 8), "overlaps");
  ExpectRefused(Tensors({Tensor("a", "[8]", "[0,8]"), Tensor("b", "[2]", "[3,5]")}, 8),
                "'b' overlaps");
}

// FindTwin, BeginMember: what is said twice could be read either way ("Duplicate keys are
// disallowed"). Names are compared after their escapes.
TEST(SafetensorsAttackTest, DuplicateKeys) {
  ExpectRefused(Tensors({Tensor("a", "[4]", "[0,4]"), Tensor("a", "[4]", "[4,8]")}, 8),
                "two tensors are called 'a'");
  ExpectRefused(Tensors({Tensor("a", "[4]", "[0,4]"), Tensor("\\u0061", "[4]", "[4,8]")}, 8),
                "two tensors are called 'a'");
  ExpectRefused(
      Safetensors(R"({"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}})", 0),
      "twice");
  ExpectRefused(Safetensors(R"({"__metadata__":{"a":"1","a":"2"}})", 0), "two metadata entries");
  ExpectRefused(Safetensors(R"({"__metadata__":{},"__metadata__":{"a":"b"}})", 0), "twice");
}

// ReadSafetensorsHeader: HeaderLimits::size_max, before any of it is asked for. (The reference
// implementation has the same limit, since its audit of 2023.)
TEST(SafetensorsAttackTest, GiantHeaders) {
  std::string start;
  AppendU64(start, 100'000'001);
  ExpectRefusedEarly(start + "{", "longer than 100000000", ErrorKind::kExhausted);
  std::string whole;
  AppendU64(whole, UINT64_MAX);
  ExpectRefusedEarly(whole + "{", "neither", ErrorKind::kInvalid);
  std::string beyond;
  AppendU64(beyond, 64);
  ExpectRefused(beyond + "{}", "neither");
}

// kDepthMax: a stack has an end.
TEST(SafetensorsAttackTest, DeepJson) {
  ExpectRefused(Safetensors("{\"a\":" + std::string(1U << 20U, '['), 0), "not described");
  ExpectRefused(Safetensors(R"({"a":{"shape":)" + std::string(1U << 20U, '['), 0), "nested",
                ErrorKind::kExhausted);
}

// HeaderLimits: what says little many times takes more memory than it has bytes.
TEST(SafetensorsAttackTest, ManyTensors) {
  const std::string file = Tensors(
      {Tensor("a", "[0]", "[0,0]"), Tensor("b", "[0]", "[0,0]"), Tensor("c", "[0]", "[0,0]")}, 0);
  EXPECT_TRUE(ReadTensorHeader(AsBytes(file), file.size(), {.tensor_count_max = 3}));
  const auto read = ReadTensorHeader(AsBytes(file), file.size(), {.tensor_count_max = 2});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kExhausted);
  ExpectRefused(Tensors({R"("a":{"dtype":"U8","shape":[)" + std::string(200, '1') + "]}"}, 0),
                "not described");
  std::string shape = "[1";
  for (int i = 0; i < 64; ++i)
    shape += ",1";
  ExpectRefused(Tensors({Tensor("a", shape + "]", "[0,1]")}, 1), "more than 64 dimensions",
                ErrorKind::kExhausted);
}

// CheckedMultiply in ElementCount and SizeOf: a size that wraps would be small.
TEST(SafetensorsAttackTest, ShapesThatWrap) {
  ExpectRefused(Tensors({Tensor("a", "[4294967296,4294967296]", "[0,0]")}, 0), "another size");
  ExpectRefused(Tensors({Tensor("a", "[9223372036854775809,2]", "[0,2]")}, 2), "another size");
}

// CheckTensors, CheckedAdd.
TEST(SafetensorsAttackTest, OffsetsOutside) {
  ExpectRefused(Tensors({Tensor("a", "[8]", "[0,8]")}, 7), "beyond the end");
  ExpectRefused(Tensors({Tensor("a", "[8]", "[18446744073709551600,18446744073709551608]")}, 8),
                "beyond");
  ExpectRefused(Tensors({Tensor("a", "[8]", "[8,0]")}, 8), "not described");
}

// CheckTensors: Ollama read what a header promised from beyond the end of the file, and of its heap
// (CVE-2026-7482).
TEST(GgufAttackTest, OffsetsOutside) {
  ExpectRefused(Gguf().Tensor("a", {1U << 20U}, kF32, 0).File(64), "beyond the end");
  ExpectRefused(Gguf().Tensor("a", {16}, kF32, 1U << 20U).File(64), "beyond the end");
  ExpectRefused(Gguf().Tensor("a", {16}, kF32, UINT64_MAX - 31).File(64), "beyond the end");
}

// CheckTensors: one tensor's bytes are nobody else's, nor the header's.
TEST(GgufAttackTest, Overlaps) {
  ExpectRefused(Gguf().Tensor("a", {16}, kF32, 0).Tensor("b", {1}, kF32, 32).File(64),
                "'b' overlaps");
  ExpectRefused(Gguf().Tensor("a", {16}, kF32, 0).Tensor("b", {16}, kF32, 0).File(64), "overlaps");
}

// CheckedMultiply: sums over sizes that wrapped made llama.cpp allocate too little (CVE-2025-53630,
// CVE-2026-27940).
TEST(GgufAttackTest, ShapesThatWrap) {
  constexpr std::uint64_t k2To62 = std::uint64_t{1} << 62;
  ExpectRefused(Gguf().Tensor("a", {k2To62}, kF32, 0).File(64), "shape");
  ExpectRefused(Gguf().Tensor("a", {1ULL << 32U, 1ULL << 32U}, kF32, 0).File(64), "shape");
  ExpectRefused(Gguf().Tensor("a", {UINT64_MAX}, kF32, 0).File(64), "shape");
  // Two that are as large as can be, and lie in order.
  ExpectRefused(
      Gguf().Tensor("a", {k2To62 - 8}, 24, 0).Tensor("b", {k2To62 - 8}, 24, k2To62).File(64),
      "beyond the end");
}

// kDimensionCountMax: there is room for four (llama.cpp, CVE-2024-21802).
TEST(GgufAttackTest, ManyDimensions) {
  ExpectRefused(Gguf().Tensor("a", {1, 1, 1, 1, 1}, kF32, 0).File(64), "5 dimensions");
  std::string file = Gguf().Tensor("a", {}, kF32, 0).File(64);
  const std::size_t dimensions = 4 + 4 + 8 + 8 + 8 + 1;  // of magic, version, counts and the name
  file.replace(dimensions, 4, Raw(UINT32_MAX));
  ExpectRefused(file, "4294967295 dimensions");
}

// HeaderLimits, and no count allocates (llama.cpp, CVE-2024-21836 of tensors, CVE-2024-23605 of
// metadata).
TEST(GgufAttackTest, Counts) {
  ExpectRefused(Gguf().Claim(std::uint64_t{1} << 61U, 0).File(64), "more than 1048576 tensors",
                ErrorKind::kExhausted);
  ExpectRefused(Gguf().Claim(0, std::uint64_t{1} << 61U).File(64), "more than 65536 metadata",
                ErrorKind::kExhausted);
  ExpectRefused(Gguf().Claim(1U << 20U, 1U << 16U).File(0), "cut short");
}

// Cursor::Bytes: no length is believed before its bytes are there (llama.cpp, CVE-2024-23496).
TEST(GgufAttackTest, Strings) {
  for (const std::uint64_t size : {std::uint64_t{65}, std::uint64_t{1} << 40U, UINT64_MAX}) {
    ExpectRefused(Gguf().Metadata("a", kString, Raw(size)).File(0), "cut short");
    const std::string file =
        "GGUF" + Raw(std::uint32_t{3}) + Raw(std::uint64_t{1}) + Raw(std::uint64_t{0}) + Raw(size);
    ExpectRefused(file, "longer than 64");  // the name of a tensor
  }
  // In a file that is long enough, the header's limit holds.
  ExpectRefusedEarly(Gguf().Metadata("a", kString, Raw(std::uint64_t{1} << 30U)).File(0),
                     "longer than 100000000", ErrorKind::kExhausted);
}

// SkipArray: a count is compared with what the file has left before anything is walked or
// multiplied, strings included (llama.cpp, CVE-2024-21825).
TEST(GgufAttackTest, Arrays) {
  for (const std::uint64_t count : {std::uint64_t{1} << 40U, std::uint64_t{1} << 61U, UINT64_MAX}) {
    for (const std::uint32_t type : {kString, kU64, kF32})
      ExpectRefused(Gguf().Metadata("a", kArray, Raw(type) + Raw(count)).File(64), "");
  }
  const std::string one = Raw(kArray) + Raw(std::uint64_t{1});
  std::string deep;
  for (int i = 0; i < 100'000; ++i)
    deep += one;
  ExpectRefused(Gguf().Metadata("a", kArray, deep).File(64), "arrays within",
                ErrorKind::kUnsupported);
  // Of empty ones each has its type and its length.
  const std::string empty(std::size_t{1} << 16U, '\0');
  ExpectRefused(
      Gguf().Metadata("a", kArray, Raw(kArray) + Raw(std::uint64_t{1} << 61U) + empty).File(0),
      "cut short");
}

// SetAlignment: zero divides, others than powers of two do not round, huge ones wrap.
TEST(GgufAttackTest, Alignment) {
  for (const std::uint32_t alignment : {0U, 1U << 31U, 24U, UINT32_MAX})
    ExpectRefused(Gguf()
                      .Metadata("general.alignment", kU32, Raw(alignment))
                      .Tensor("a", {1}, kF32, 0)
                      .File(64),
                  "power of two");
  ExpectRefused(Gguf()
                    .Metadata("general.alignment", kString, RawText("32"))
                    .Tensor("a", {1}, kF32, 0)
                    .File(64),
                "power of two");
  ExpectRefused(Gguf().Tensor("a", {1}, kF32, 4).File(64), "not aligned");
}

// FindTwin. Two alignments would be two files.
TEST(GgufAttackTest, DuplicateKeys) {
  ExpectRefused(Gguf().Tensor("a", {1}, kF32, 0).Tensor("a", {1}, kF32, 32).File(64),
                "two tensors are called 'a'");
  ExpectRefused(Gguf()
                    .Metadata("general.alignment", kU32, Raw(std::uint32_t{32}))
                    .Metadata("general.alignment", kU32, Raw(std::uint32_t{64}))
                    .File(64),
                "two metadata entries");
}

// Cursor: a file of nothing but its magic made Ollama fall (CVE-2024-39720). Nor does any other
// beginning of a file pass for a whole one.
TEST(GgufAttackTest, FilesThatEnd) {
  ExpectRefused("GGUF", "cut short");
  const std::string whole =
      Gguf().Metadata("a", kString, RawText("text")).Tensor("a", {16}, kF32, 0).File(64);
  for (std::size_t size = 4; size < whole.size(); ++size)
    EXPECT_FALSE(ReadTensorHeader(AsBytes(whole).first(size), size)) << size;
}

// A row holds whole blocks: half of one would be read from its neighbour.
TEST(GgufAttackTest, BlocksThatAreNotWhole) {
  ExpectRefused(Gguf().Tensor("a", {31}, 2, 0).File(64), "shape");
  ExpectRefused(Gguf().Tensor("a", {16, 2}, 2, 0).File(64), "shape");
}

// ListWeights: a hostile file in a kit hides no other, and its name is shown as it may be.
TEST(WeightsAttackTest, AHostileFileIsLeftOut) {
  Workbench bench;
  const std::string good = Tensors({Tensor("a", "[4]", "[0,4]")}, 4);
  const std::string evil = Gguf().Tensor("a", {1U << 20U}, kF32, 0).File(64);
  const Digest id =
      bench.PutModelPack({{"application/vnd.cncf.model.weight.v1.raw",
                           evil,
                           {{std::string(oci::kFilePathAnnotation), "\x1b[2J.gguf"}}},
                          {"application/vnd.cncf.model.weight.v1.raw",
                           good,
                           {{std::string(oci::kFilePathAnnotation), "w.safetensors"}}}});
  const kit::ModelKit modelkit = *kit::LoadModelKit(bench.store(), id);
  const auto weights = kit::ListWeights(bench.store(), modelkit, bench.progress());
  ASSERT_TRUE(weights) << weights.error().message;
  ASSERT_THAT(weights->files, SizeIs(1));
  EXPECT_EQ(weights->files[0].path, "w.safetensors");
  EXPECT_THAT(weights->unread, ElementsAre("\x1b[2J.gguf"));
  EXPECT_THAT(
      bench.progress().warnings,
      ElementsAre("the tensors of '\\x1b[2J.gguf' are not known: tensor 'a' lies beyond the "
                  "end of the file"));
}

// ReadWeightMap, IsFileName: an index speaks of the files beside it, and of no others.
TEST(WeightsAttackTest, AnIndexThatClimbsOut) {
  for (const char* path :
       {"../w.safetensors", "/etc/passwd", "a/b", "..", ".", "", "a\\\\b", "a\\u0000b"}) {
    const std::string json = R"({"weight_map":{"t":")" + std::string(path) + "\"}}";
    const auto map = ReadWeightMap(AsBytes(json));
    ASSERT_FALSE(map) << path;
    EXPECT_EQ(map.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(map.error().message, HasSubstr("no file beside it"));
  }
}

}  // namespace
}  // namespace plumb::weights
