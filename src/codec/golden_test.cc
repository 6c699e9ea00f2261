// SPDX-License-Identifier: MIT OR Apache-2.0
// tests/codec/golden.txt has blocks as each machine and each level must write them: name, encoding,
// raw size, SHA-256 of the raw bytes, stored bytes in hexadecimal. tests/codec/decode.py reads the
// same file, and sees to the SHA-256: so this test needs nobody's library, and runs anywhere
// (tools/arm).
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "codec/kernels_internal.h"
#include "codec/test_weights_internal.h"

namespace plumb::codec {
namespace {

struct Golden {
  const char* name;
  Element element;
  std::size_t size;
  std::uint32_t phase;
  Effort effort;
  bool skewed;  // most of its bytes made equal, so that entropy coding pays in so small a block
  bool written_no_more = false;  // by today's choices, but read for ever
};

constexpr Golden kGoldens[] = {
    {"bf16", Element::kBf16, 401, 0, Effort::kFast, false},
    {"f16", Element::kF16, 1200, 0, Effort::kFast, false},
    {"f32", Element::kF32, 602, 1, Effort::kFast, false},
    {"f64", Element::kF64, 1024, 0, Effort::kFast, true},
    {"f8_e4m3", Element::kF8E4M3, 500, 0, Effort::kFast, false},
    {"f8_e5m2", Element::kF8E5M2, 500, 0, Effort::kFast, false},
    {"bf16_entropy", Element::kBf16, 2500, 0, Effort::kArchive, true, true},
    {"bf16_archive", Element::kBf16, 24000, 0, Effort::kArchive, true},
    {"i8_entropy", Element::kI8, 1500, 0, Effort::kArchive, true, true},
    {"i8_low_bits", Element::kI8, 3000, 0, Effort::kArchive, false},
    {"i8_archive", Element::kI8, 5000, 0, Effort::kArchive, true},
    {"q4_k_entropy", Element::kQ4K, 5000, 99, Effort::kArchive, true, true},
    {"q4_k_archive", Element::kQ4K, 5000, 99, Effort::kArchive, true},
    {"q6_k", Element::kQ6K, 1100, 7, Effort::kFast, true},
};

std::vector<std::byte> RawOf(const Golden& golden) {
  TestWeights weights(42);
  std::vector<std::byte> raw = weights.Block(golden.element, golden.size, golden.phase);
  for (std::byte& byte : raw)
    if (golden.skewed && weights.Bits() % 16 != 0) byte = std::byte{0x3A};
  return raw;
}

// Encoding, raw size, and stored bytes in hexadecimal, by name.
struct Line {
  std::string method;
  std::string raw_size;
  std::string stored;
};
std::map<std::string, Line> ReadLines() {
  std::map<std::string, Line> lines;
  std::ifstream file("tests/codec/golden.txt");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string_view> parts = Split(line, ' ');
    if (parts.size() == 5)
      lines[std::string(parts[0])] = {std::string(parts[1]), std::string(parts[2]),
                                      std::string(parts[4])};
  }
  return lines;
}

TEST(Golden, BlocksAreWrittenAsEver) {
  std::map<std::string, Line> lines = ReadLines();
  for (const Golden& golden : kGoldens) {
    if (golden.written_no_more) continue;
    const Line& line = lines[golden.name];
    const std::vector<std::byte> raw = RawOf(golden);
    EXPECT_EQ(std::to_string(raw.size()), line.raw_size) << golden.name;
    for (const Instructions instructions : InstructionsHere()) {
      const auto encoded =
          EncodeBlockWith(KernelsOf(instructions), raw,
                          {.element = golden.element, .phase = golden.phase}, golden.effort);
      ASSERT_TRUE(encoded) << golden.name;
      EXPECT_EQ(std::to_string(static_cast<int>(encoded->method)), line.method) << golden.name;
      EXPECT_EQ(EncodeHex(encoded->bytes), line.stored) << golden.name;
    }
  }
}

TEST(Golden, BlocksAreReadForEver) {
  const std::map<std::string, Line> lines = ReadLines();
  EXPECT_EQ(lines.size(), std::size(kGoldens));
  for (const Golden& golden : kGoldens) {
    ASSERT_TRUE(lines.contains(golden.name));
    const Line& line = lines.at(golden.name);
    std::vector<std::byte> stored(line.stored.size() / 2);
    ASSERT_TRUE(DecodeHex(line.stored, stored));
    const auto method = line.method == "2" ? Method::kPlanes : Method::kEntropy;
    for (const Instructions instructions : InstructionsHere()) {
      std::vector<std::byte> raw(golden.size);
      ASSERT_TRUE(DecodeBlockWith(KernelsOf(instructions), method, stored, raw)) << golden.name;
      EXPECT_EQ(raw, RawOf(golden)) << golden.name;
    }
  }
}

}  // namespace
}  // namespace plumb::codec
