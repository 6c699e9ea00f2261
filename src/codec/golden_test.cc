// SPDX-License-Identifier: MIT OR Apache-2.0
// tests/codec/golden.txt has blocks as each machine and each level must write them: name, encoding,
// raw size, SHA-256 of the raw bytes, stored bytes in hexadecimal. tests/codec/decode.py reads the
// same file.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "codec/kernels_internal.h"
#include "codec/test_weights_internal.h"
#include "crypto/digest.h"

namespace plumb::codec {
namespace {

struct Golden {
  const char* name;
  Element element;
  std::size_t size;
  std::uint32_t phase;
  Effort effort;
  bool skewed;  // most of its bytes made equal, so that entropy coding pays in so small a block
};

constexpr Golden kGoldens[] = {
    {"bf16", Element::kBf16, 401, 0, Effort::kFast, false},
    {"f16", Element::kF16, 1200, 0, Effort::kFast, false},
    {"f32", Element::kF32, 602, 1, Effort::kFast, false},
    {"f64", Element::kF64, 1024, 0, Effort::kFast, true},
    {"f8_e4m3", Element::kF8E4M3, 500, 0, Effort::kFast, false},
    {"f8_e5m2", Element::kF8E5M2, 500, 0, Effort::kFast, false},
    {"bf16_entropy", Element::kBf16, 2500, 0, Effort::kArchive, true},
    {"i8_entropy", Element::kI8, 1500, 0, Effort::kArchive, true},
    {"q4_k_entropy", Element::kQ4K, 5000, 99, Effort::kArchive, true},
    {"q6_k", Element::kQ6K, 1100, 7, Effort::kFast, true},
};

std::vector<std::byte> RawOf(const Golden& golden) {
  TestWeights weights(42);
  std::vector<std::byte> raw = weights.Block(golden.element, golden.size, golden.phase);
  for (std::byte& byte : raw)
    if (golden.skewed && weights.Bits() % 16 != 0) byte = std::byte{0x3A};
  return raw;
}

std::string LineOf(const Golden& golden, const std::vector<std::byte>& raw,
                   const Kernels& kernels) {
  const auto encoded = EncodeBlockWith(
      kernels, raw, {.element = golden.element, .phase = golden.phase}, golden.effort);
  if (!encoded) return std::string(golden.name) + ": nothing";
  return std::string(golden.name) + " " + std::to_string(static_cast<int>(encoded->method)) + " " +
         std::to_string(raw.size()) + " " + Sha256(raw).ToHex() + " " + EncodeHex(encoded->bytes);
}

TEST(Golden, BlocksAreWrittenAsEver) {
  std::map<std::string, std::string> lines;
  std::ifstream file("tests/codec/golden.txt");
  for (std::string line; std::getline(file, line);)
    lines[line.substr(0, line.find(' '))] = line;
  for (const Golden& golden : kGoldens) {
    const std::vector<std::byte> raw = RawOf(golden);
    for (const Instructions instructions : InstructionsHere())
      EXPECT_EQ(LineOf(golden, raw, KernelsOf(instructions)), lines[golden.name]);
  }
}

TEST(Golden, BlocksAreReadForEver) {
  std::ifstream file("tests/codec/golden.txt");
  int blocks = 0;
  for (std::string line; std::getline(file, line); ++blocks) {
    const std::vector<std::string_view> parts = Split(line, ' ');
    ASSERT_EQ(parts.size(), 5U);
    std::vector<std::byte> stored(parts[4].size() / 2);
    ASSERT_TRUE(DecodeHex(parts[4], stored));
    for (const Instructions instructions : InstructionsHere()) {
      std::vector<std::byte> raw(std::stoul(std::string(parts[2])));
      const auto method = parts[1] == "2" ? Method::kPlanes : Method::kEntropy;
      ASSERT_TRUE(DecodeBlockWith(KernelsOf(instructions), method, stored, raw)) << parts[0];
      EXPECT_EQ(Sha256(raw).ToHex(), parts[3]) << parts[0];
    }
  }
  EXPECT_GE(blocks, 10);
}

}  // namespace
}  // namespace plumb::codec
