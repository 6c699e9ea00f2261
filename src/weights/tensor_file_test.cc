// SPDX-License-Identifier: MIT OR Apache-2.0
#include "weights/tensor_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "tests/weights_files.h"

namespace plumb::weights {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Result<std::optional<TensorFile>> ReadAll(std::string_view file, const HeaderLimits& limits = {}) {
  return ReadTensorHeader(AsBytes(file), file.size(), limits);
}

TensorFile Read(std::string_view file) {
  auto read = ReadAll(file);
  EXPECT_TRUE(read) << read.error().message;
  EXPECT_TRUE(read && *read);
  return read && *read ? **std::move(read) : TensorFile();
}

Error Refused(std::string_view file, const HeaderLimits& limits = {}) {
  const auto read = ReadAll(file, limits);
  EXPECT_FALSE(read);
  return read ? Error{ErrorKind::kInvalid, ""} : read.error();
}

constexpr std::string_view kTwo = R"({"b":{"dtype":"BF16","shape":[2,3],"data_offsets":[8,20]},)"
                                  R"("__metadata__":{"format":"pt"},)"
                                  R"("a":{"data_offsets":[0,8],"dtype":"F32","shape":[2]}}  )";

TEST(SafetensorsTest, GivesTensorsInTheOrderOfTheirData) {
  const std::string bytes = Safetensors(kTwo, 20);
  const TensorFile file = Read(bytes);
  const std::uint64_t data = bytes.size() - 20;
  EXPECT_EQ(file.format, TensorFormat::kSafetensors);
  EXPECT_EQ(file.header_size, data);
  EXPECT_THAT(file.tensors, ElementsAre(TensorPlace{"a", Dtype::kF32, {2}, data, 8},
                                        TensorPlace{"b", Dtype::kBf16, {2, 3}, data + 8, 12}));
  EXPECT_THAT(file.metadata, ElementsAre(MetadataEntry{"format", "str", "pt"}));
}

TEST(SafetensorsTest, TakesScalarsEmptyTensorsAndSmallElements) {
  const TensorFile file = Read(
      Safetensors(R"({"s":{"dtype":"U8","shape":[],"data_offsets":[0,1]},)"
                  R"("q":{"dtype":"F4","shape":[3,2],"data_offsets":[1,4]},)"
                  R"("e":{"dtype":"F64","shape":[0,18446744073709551615],"data_offsets":[1,1]}})",
                  4));
  ASSERT_EQ(file.tensors.size(), 3U);
  // An empty one overlaps nothing, wherever it is written.
  EXPECT_EQ(file.tensors[0].size, 1U);
  EXPECT_EQ(file.tensors[1].name, "e");
  EXPECT_EQ(file.tensors[1].size, 0U);
  EXPECT_EQ(file.tensors[2].size, 3U);
}

TEST(SafetensorsTest, AFileWithoutTensorsIsOne) {
  EXPECT_THAT(Read(Safetensors("{}", 0)).tensors, IsEmpty());
}

struct BadCase {
  std::string name;
  std::string file;
  ErrorKind kind;
  std::string words;
};
std::ostream& operator<<(std::ostream& out, const BadCase& bad) { return out << bad.name; }

class BadFileTest : public testing::TestWithParam<BadCase> {};

TEST_P(BadFileTest, IsRefusedByName) {
  const Error error = Refused(GetParam().file);
  EXPECT_EQ(error.kind, GetParam().kind) << error.message;
  EXPECT_THAT(error.message, HasSubstr(GetParam().words));
}

std::string OneTensor(std::string_view members, std::size_t data_size = 8) {
  return Safetensors("{\"a\":{" + std::string(members) + "}}", data_size);
}

std::vector<BadCase> BadSafetensors() {
  constexpr auto kInvalid = ErrorKind::kInvalid;
  const std::string overlap = R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},)"
                              R"("b":{"dtype":"U8","shape":[8],"data_offsets":[4,12]}})";
  return {
      {"Hole",
       Safetensors(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                   R"("b":{"dtype":"U8","shape":[4],"data_offsets":[6,10]}})",
                   10),
       kInvalid, "at 1"},
      {"HoleInFront", OneTensor(R"("dtype":"U8","shape":[4],"data_offsets":[4,8])"), kInvalid,
       "belong to no tensor"},
      {"MoreBehind", OneTensor(R"("dtype":"U8","shape":[4],"data_offsets":[0,4])"), kInvalid,
       "belong to no tensor"},
      {"Overlap", Safetensors(overlap, 12), kInvalid, "'b' overlaps"},
      {"BeyondTheEnd", OneTensor(R"("dtype":"U8","shape":[9],"data_offsets":[0,9])"), kInvalid,
       "beyond the end"},
      {"OffsetThatWraps",
       OneTensor(
           R"("dtype":"U8","shape":[8],"data_offsets":[18446744073709551600,18446744073709551608])"),
       kInvalid, "beyond the end"},
      {"Backwards", OneTensor(R"("dtype":"U8","shape":[8],"data_offsets":[8,0])"), kInvalid, "'a'"},
      {"OtherSize", OneTensor(R"("dtype":"F32","shape":[8],"data_offsets":[0,8])"), kInvalid,
       "another size"},
      {"ShapeThatWraps",
       OneTensor(R"("dtype":"F32","shape":[4294967296,4294967296,2],"data_offsets":[0,8])"),
       kInvalid, "another size"},
      {"NoWholeBytes", OneTensor(R"("dtype":"F4","shape":[15],"data_offsets":[0,8])"), kInvalid,
       "another size"},
      {"TwoNames",
       Safetensors(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                   R"("\u0061":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
                   8),
       kInvalid, "two tensors are called 'a'"},
      {"TwoShapes", OneTensor(R"("dtype":"U8","shape":[8],"shape":[8],"data_offsets":[0,8])"),
       kInvalid, "twice"},
      {"TwoMetadata", Safetensors(R"({"__metadata__":{},"__metadata__":{}})", 0), kInvalid,
       "twice"},
      {"TwoMetadataNames", Safetensors(R"({"__metadata__":{"a":"1","a":"2"}})", 0), kInvalid,
       "two metadata entries"},
      {"MetadataOfNumbers", Safetensors(R"({"__metadata__":{"a":1}})", 0), kInvalid, "described"},
      {"MetadataWithObjects", Safetensors(R"({"__metadata__":{"a":{}}})", 0), kInvalid,
       "described"},
      {"NoShape", OneTensor(R"("dtype":"U8","data_offsets":[0,8])"), kInvalid, "described"},
      {"ThreeOffsets", OneTensor(R"("dtype":"U8","shape":[8],"data_offsets":[0,8,8])"), kInvalid,
       "described"},
      {"NegativeShape", OneTensor(R"("dtype":"U8","shape":[-8],"data_offsets":[0,8])"), kInvalid,
       "described"},
      {"FractionOfABytes", OneTensor(R"("dtype":"U8","shape":[8.0],"data_offsets":[0,8])"),
       kInvalid, "described"},
      {"StrangeMember", OneTensor(R"("dtype":"U8","shape":[8],"data_offsets":[0,8],"x":1)"),
       kInvalid, "described"},
      {"ArrayForATensor", Safetensors(R"({"a":[1]})", 0), kInvalid, "described"},
      {"UnknownType", OneTensor(R"("dtype":"U128","shape":[8],"data_offsets":[0,8])"),
       ErrorKind::kUnsupported, "'U128'"},
      {"Nested", OneTensor(R"("dtype":"U8","shape":[[8]],"data_offsets":[0,8])"),
       ErrorKind::kExhausted, "nested"},
      {"Array", Safetensors("[]", 0), kInvalid, "neither"},
      {"SpaceInFront", Safetensors(" {}", 0), kInvalid, "neither"},
      {"TwoValues", Safetensors("{}{}", 0), kInvalid, "malformed"},
      {"CutShort", Safetensors(kTwo, 20).substr(0, 60), kInvalid, "neither"},
      {"HugeLength", std::string("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10), kInvalid, "neither"},
      {"Empty", "", kInvalid, "neither"},
      {"SomethingElse", "PK\x03\x04 this is a zip archive", kInvalid, "neither"},
  };
}
INSTANTIATE_TEST_SUITE_P(Safetensors, BadFileTest, testing::ValuesIn(BadSafetensors()),
                         [](const auto& test) { return test.param.name; });

TEST(GgufTest, GivesTensorsOutermostDimensionFirst) {
  const std::string bytes = Gguf()
                                .Metadata("general.name", 8, RawText("tiny"))
                                .Tensor("w", {64, 2}, 2, 64)  // Q4_0: 4 blocks of 18
                                .Tensor("n", {16}, 0, 0)      // F32
                                .File(64 + 72);
  const TensorFile file = Read(bytes);
  const std::uint64_t data = bytes.size() - 136;
  EXPECT_EQ(file.format, TensorFormat::kGguf);
  EXPECT_EQ(file.header_size, data);
  EXPECT_THAT(file.tensors, ElementsAre(TensorPlace{"n", Dtype::kF32, {16}, data, 64},
                                        TensorPlace{"w", Dtype::kQ4_0, {2, 64}, data + 64, 72}));
  EXPECT_THAT(file.metadata, ElementsAre(MetadataEntry{"general.name", "str", "tiny"}));
}

TEST(GgufTest, WritesValuesAsText) {
  std::string array = Raw(std::uint32_t{8}) + Raw(std::uint64_t{2}) + RawText("a") + RawText("bc");
  std::string nested = Raw(std::uint32_t{9}) + Raw(std::uint64_t{1}) + Raw(std::uint32_t{0}) +
                       Raw(std::uint64_t{3}) + "abc";
  const TensorFile file = Read(Gguf(2)
                                   .Metadata("u8", 0, "\xff")
                                   .Metadata("i8", 1, "\xff")
                                   .Metadata("u16", 2, Raw(std::uint16_t{65535}))
                                   .Metadata("i16", 3, Raw(std::int16_t{-2}))
                                   .Metadata("u32", 4, Raw(std::uint32_t{7}))
                                   .Metadata("i32", 5, Raw(std::int32_t{-7}))
                                   .Metadata("f32", 6, Raw(0.1F))
                                   .Metadata("bool", 7, "\x01")
                                   .Metadata("arr", 9, array)
                                   .Metadata("arr2", 9, nested)
                                   .Metadata("u64", 10, Raw(UINT64_MAX))
                                   .Metadata("i64", 11, Raw(INT64_MIN))
                                   .Metadata("f64", 12, Raw(1e300))
                                   .File(0));
  std::vector<std::string> texts;
  for (const MetadataEntry& entry : file.metadata)
    texts.push_back(entry.type + "=" + entry.text);
  EXPECT_THAT(texts,
              ElementsAre("u8=255", "i8=-1", "u16=65535", "i16=-2", "u32=7", "i32=-7", "f32=0.1",
                          "bool=true", "arr[str,2]=", "arr[arr,1]=", "u64=18446744073709551615",
                          "i64=-9223372036854775808", "f64=1e+300"));
}

TEST(GgufTest, TheAlignmentIsTheFiles) {
  const std::string bytes = Gguf()
                                .Metadata("general.alignment", 4, Raw(std::uint32_t{128}))
                                .Tensor("a", {1}, 0, 0)
                                .Tensor("b", {1}, 0, 128)
                                .File(132, 128);
  EXPECT_EQ(Read(bytes).header_size, bytes.size() - 132);
}

std::vector<BadCase> BadGguf() {
  constexpr auto kInvalid = ErrorKind::kInvalid;
  const auto alignment = [](std::uint32_t type, std::string_view bytes) {
    return Gguf().Metadata("general.alignment", type, bytes).Tensor("a", {1}, 0, 0).File(4);
  };
  const std::string deep = Raw(std::uint32_t{9}) + Raw(std::uint64_t{1});
  return {
      {"Version1", Gguf(1).File(0), ErrorKind::kUnsupported, "version 1"},
      {"Version4", Gguf(4).File(0), ErrorKind::kUnsupported, "version 4"},
      {"BigEndian", Gguf(0x03000000).File(0), ErrorKind::kUnsupported, "big-endian"},
      {"TensorsThatAreNotThere", Gguf().Claim(1000, 0).File(0), kInvalid, "cut short"},
      {"MetadataThatIsNotThere", Gguf().Claim(0, 1000).File(0), kInvalid, "cut short"},
      {"TooManyTensors", Gguf().Claim(UINT64_MAX, 0).File(0), ErrorKind::kExhausted, "tensors"},
      {"TooMuchMetadata", Gguf().Claim(0, UINT64_MAX).File(0), ErrorKind::kExhausted, "metadata"},
      {"HugeText", Gguf().Metadata("a", 8, Raw(UINT64_MAX)).File(64), kInvalid, "cut short"},
      {"HugeArray",
       Gguf().Metadata("a", 9, Raw(std::uint32_t{8}) + Raw(std::uint64_t{1} << 61U)).File(64),
       kInvalid, "more than the file"},
      {"ArrayThatWraps",
       Gguf().Metadata("a", 9, Raw(std::uint32_t{10}) + Raw(std::uint64_t{1} << 61U)).File(64),
       kInvalid, "more than the file"},
      {"DeepArray", Gguf().Metadata("a", 9, deep + deep + deep + deep + deep).File(64),
       ErrorKind::kUnsupported, "arrays within"},
      {"UnknownValue", Gguf().Metadata("a", 13, "").File(64), ErrorKind::kUnsupported, "13"},
      {"NoTruth", Gguf().Metadata("a", 7, "\x02").File(0), kInvalid, "truth"},
      {"NoUtf8", Gguf().Metadata("a\xff", 0, "a").File(0), kInvalid, "UTF-8"},
      {"TwoKeys", Gguf().Metadata("a", 0, "a").Metadata("a", 0, "b").File(0), kInvalid, "'a'"},
      {"TwoTensors", Gguf().Tensor("a", {1}, 0, 0).Tensor("a", {1}, 0, 32).File(36), kInvalid,
       "'a'"},
      {"Overlap", Gguf().Tensor("a", {16}, 0, 0).Tensor("b", {1}, 0, 32).File(64), kInvalid,
       "'b' overlaps"},
      {"BeyondTheEnd", Gguf().Tensor("a", {16}, 0, 0).File(63), kInvalid, "beyond the end"},
      {"OffsetThatWraps", Gguf().Tensor("a", {16}, 0, UINT64_MAX - 31).File(64), kInvalid,
       "beyond the end"},
      {"NotAligned", Gguf().Tensor("a", {1}, 0, 4).File(64), kInvalid, "not aligned"},
      {"NoWholeBlocks", Gguf().Tensor("a", {16, 2}, 2, 0).File(64), kInvalid, "shape"},
      {"ShapeThatWraps", Gguf().Tensor("a", {1ULL << 32U, 1ULL << 32U, 2}, 0, 0).File(64), kInvalid,
       "shape"},
      {"FiveDimensions", Gguf().Tensor("a", {1, 1, 1, 1, 1}, 0, 0).File(64), kInvalid, "5 dim"},
      {"LongTensorName", Gguf().Tensor(std::string(65, 'a'), {1}, 0, 0).File(64), kInvalid,
       "longer"},
      {"UnknownElements", Gguf().Tensor("a", {1}, 4, 0).File(64), ErrorKind::kUnsupported,
       "type 4"},
      {"AlignmentOfZero", alignment(4, Raw(std::uint32_t{0})), kInvalid, "power of two"},
      {"AlignmentOf24", alignment(4, Raw(std::uint32_t{24})), kInvalid, "power of two"},
      {"HugeAlignment", alignment(4, Raw(std::uint32_t{1U << 31U})), kInvalid, "power of two"},
      {"AlignmentOfAnotherType", alignment(10, Raw(std::uint64_t{32})), kInvalid, "power of two"},
      {"AlignmentAsText", alignment(8, RawText("32")), kInvalid, "power of two"},
  };
}
INSTANTIATE_TEST_SUITE_P(Gguf, BadFileTest, testing::ValuesIn(BadGguf()),
                         [](const auto& test) { return test.param.name; });

std::string ExampleGguf() {
  std::ifstream in("examples/tinylm/base-f16.gguf", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(TensorHeaderTest, ReadsARealFile) {
  const std::string bytes = ExampleGguf();
  const TensorFile file = Read(bytes);
  EXPECT_EQ(file.tensors.size(), 39U);
  std::uint64_t size = 0;
  for (const TensorPlace& tensor : file.tensors)
    size += tensor.size;
  EXPECT_LE(file.header_size + size, bytes.size());
}

// Of a file, the first bytes are enough; fewer are asked for more of, never taken for an error.
TEST(TensorHeaderTest, AsksForMoreUntilTheHeaderIsThere) {
  const std::vector<std::string> files = {
      Safetensors(kTwo, 20),
      Gguf().Metadata("general.name", 8, RawText("tiny")).Tensor("n", {16}, 0, 0).File(64)};
  for (const std::string& file : files) {
    const TensorFile whole = Read(file);
    bool is_there = false;
    for (std::size_t size = 0; size <= file.size(); ++size) {
      const auto read = ReadTensorHeader(AsBytes(file).first(size), file.size());
      ASSERT_TRUE(read) << size << ": " << read.error().message;
      EXPECT_TRUE(*read || !is_there) << size;
      is_there = read->has_value();
      if (!is_there) continue;
      EXPECT_EQ(**read, whole);
    }
    EXPECT_TRUE(is_there);
  }
}

TEST(TensorHeaderTest, HasLimits) {
  const std::string safetensors = Safetensors(kTwo, 20);
  const std::string gguf =
      Gguf().Metadata("a", 8, RawText(std::string(100, 'a'))).Tensor("n", {16}, 0, 0).File(64);
  for (const std::string& file : {safetensors, gguf}) {
    EXPECT_EQ(Refused(file, {.size_max = 64}).kind, ErrorKind::kExhausted);
    EXPECT_EQ(Refused(file, {.tensor_count_max = 0}).kind, ErrorKind::kExhausted);
    EXPECT_EQ(Refused(file, {.metadata_count_max = 0}).kind, ErrorKind::kExhausted);
  }
}

// What is read of anything holds what TensorFile promises.
TEST(TensorHeaderTest, WhatIsReadHoldsOfAnyBytes) {
  const std::string real = ExampleGguf().substr(0, 16384);
  const std::vector<std::string> files = {
      Safetensors(kTwo, 20), real,
      Gguf().Metadata("a", 8, RawText("b")).Tensor("n", {16}, 0, 0).File(64)};
  rc::check([&] {
    std::string file = *rc::gen::elementOf(files);
    const auto changes = *rc::gen::inRange(1, 4);
    for (int i = 0; i < changes; ++i)
      file[*rc::gen::inRange<std::size_t>(0, file.size())] = *rc::gen::arbitrary<char>();
    const std::uint64_t file_size = file.size() + *rc::gen::inRange<std::uint64_t>(0, 1U << 22U);
    const auto read = ReadTensorHeader(AsBytes(file), file_size);
    if (!read || !*read) return;
    std::uint64_t end = (*read)->header_size;
    for (const TensorPlace& tensor : (*read)->tensors) {
      RC_ASSERT(tensor.offset >= end);
      end = tensor.offset + tensor.size;
      RC_ASSERT(end <= file_size);
    }
  });
}

TEST(DtypeTest, NamesAndSizes) {
  EXPECT_EQ(DtypeOfSafetensors("BF16"), Dtype::kBf16);
  EXPECT_EQ(DtypeOfSafetensors("Q4_0"), std::nullopt);
  EXPECT_EQ(DtypeOfGguf(30), Dtype::kBf16);
  EXPECT_EQ(DtypeOfGguf(4), std::nullopt);
  EXPECT_EQ(DtypeOfGguf(UINT32_MAX), std::nullopt);
  EXPECT_EQ(SizeOf(Dtype::kQ6K, 512), 420U);
  EXPECT_EQ(SizeOf(Dtype::kQ6K, 511), std::nullopt);
  EXPECT_EQ(SizeOf(Dtype::kF64, UINT64_MAX), std::nullopt);
}

}  // namespace
}  // namespace plumb::weights
