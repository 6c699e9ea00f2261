// SPDX-License-Identifier: MIT OR Apache-2.0
// How small and how fast src/codec makes blocks of weights, beside zstd, in the same run:
//
//     codec_bench [--mib 64] [FILE ELEMENT]...
//
// Without files: made-up weights as a language model has them. ELEMENT is bf16, f16, f32, f64,
// f8_e4m3, f8_e5m2, i8 or one of GGUF's, q4_0 to q6_k; a file is taken from its start (a header
// costs a block or two). Times are those of the thread, of each block by itself; what is printed is
// the median. Every block is compared after decoding.
#include <time.h>
#include <zstd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "codec/kernels_internal.h"

namespace {

using plumb::ByteSpan;
using plumb::codec::DecodeBlockWith;
using plumb::codec::Effort;
using plumb::codec::Element;
using plumb::codec::EncodeBlockWith;
using plumb::codec::Has;
using plumb::codec::Instructions;
using plumb::codec::kBlockSizeMax;
using plumb::codec::Kernels;
using plumb::codec::KernelsOf;
using plumb::codec::kInstructionsAll;
using plumb::codec::Method;
using plumb::codec::NameOf;
using plumb::codec::StoreWord;
using Data = std::vector<std::byte>;

constexpr std::pair<const char*, Element> kElements[] = {
    {"bf16", Element::kBf16},      {"f16", Element::kF16},   {"f32", Element::kF32},
    {"f64", Element::kF64},        {"i8", Element::kI8},     {"f8_e4m3", Element::kF8E4M3},
    {"f8_e5m2", Element::kF8E5M2}, {"q4_0", Element::kQ4_0}, {"q4_1", Element::kQ4_1},
    {"q5_0", Element::kQ5_0},      {"q5_1", Element::kQ5_1}, {"q8_0", Element::kQ8_0},
    {"q2_k", Element::kQ2K},       {"q3_k", Element::kQ3K},  {"q4_k", Element::kQ4K},
    {"q5_k", Element::kQ5K},       {"q6_k", Element::kQ6K}};

double Seconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double Median(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// One way to write a block: gives its bytes (nothing: the block as it is), and reads them again.
struct Way {
  std::string name;
  std::function<std::optional<Data>(ByteSpan)> encode;
  std::function<void(ByteSpan, Data&)> decode;
};

void Measure(const Data& data, const Way& way) {
  std::vector<double> encoding;
  std::vector<double> decoding;
  std::size_t stored_size = 0;
  Data decoded;
  for (std::size_t at = 0; at + kBlockSizeMax <= data.size(); at += kBlockSizeMax) {
    const ByteSpan raw = ByteSpan(data).subspan(at, kBlockSizeMax);
    const double began = Seconds();
    const auto stored = way.encode(raw);
    encoding.push_back(Seconds() - began);
    stored_size += stored ? stored->size() : raw.size();
    decoded.resize(raw.size());
    if (!stored) continue;
    const double begins = Seconds();
    way.decode(*stored, decoded);
    decoding.push_back(Seconds() - begins);
    PLUMB_CHECK(std::equal(raw.begin(), raw.end(), decoded.begin()));
  }
  const double gigabyte = static_cast<double>(kBlockSizeMax) / 1e9;
  std::printf(
      "  %-18s %6.2f %%  %6.2f", way.name.c_str(),
      100 * static_cast<double>(stored_size) / static_cast<double>(encoding.size() * kBlockSizeMax),
      gigabyte / Median(encoding));
  if (decoding.empty()) {
    std::printf("    (as it is)\n");
  } else {
    std::printf("  %6.2f GB/s\n", gigabyte / Median(decoding));
  }
}

Way Ours(Instructions instructions, Element element, Effort effort) {
  const Kernels& kernels = KernelsOf(instructions);
  const auto method = std::make_shared<Method>();
  return {std::string(NameOf(instructions)) + (effort == Effort::kFast ? " fast" : " archive"),
          [=, &kernels](ByteSpan raw) -> std::optional<Data> {
            auto encoded = EncodeBlockWith(kernels, raw, {.element = element}, effort);
            if (!encoded) return std::nullopt;
            *method = encoded->method;
            return std::move(encoded->bytes);
          },
          [=, &kernels](ByteSpan stored, Data& raw) {
            PLUMB_CHECK(DecodeBlockWith(kernels, *method, stored, raw).has_value());
          }};
}

Way Zstd(int level) {
  return {
      "zstd " + std::to_string(level),
      [level](ByteSpan raw) -> std::optional<Data> {
        Data stored(ZSTD_compressBound(raw.size()));
        stored.resize(ZSTD_compress(stored.data(), stored.size(), raw.data(), raw.size(), level));
        return stored;
      },
      [](ByteSpan stored, Data& raw) {
        ZSTD_decompress(raw.data(), raw.size(), stored.data(), stored.size());
      }};
}

void MeasureAll(const std::string& name, const Data& data, Element element) {
  std::printf("%s, %zu MiB:             encode  decode\n", name.c_str(), data.size() >> 20U);
  for (const Effort effort : {Effort::kFast, Effort::kArchive})
    for (const Instructions instructions : kInstructionsAll)
      if (Has(instructions)) Measure(data, Ours(instructions, element, effort));
  Measure(data, Zstd(1));
  Measure(data, Zstd(3));
}

// Tensors of 2048 x 1024, each with a width of its own, rows and columns with theirs, and tails of
// Student's t with six degrees of freedom.
std::vector<float> ModelWeights(std::size_t count) {
  constexpr std::size_t kColumns = 1024;
  constexpr std::size_t kRows = 2048;
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  std::student_t_distribution<float> tailed(6);
  std::uniform_real_distribution<float> uniform;
  std::vector<float> weights(count);
  std::vector<float> columns(kColumns);
  float tensor = 0;
  float row = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % (kRows * kColumns) == 0) {
      tensor = 0.01F * std::pow(5.0F, uniform(random));
      for (float& column : columns)
        column = std::exp(0.15F * normal(random));
    }
    if (i % kColumns == 0) row = tensor * std::exp(0.25F * normal(random));
    weights[i] = row * columns[i % kColumns] * tailed(random) * 0.8165F;
  }
  return weights;
}

template <typename Word>
void Append(Data& data, Word word) {
  const std::size_t size = data.size();
  data.resize(size + sizeof(word));
  StoreWord(word, data.data() + size);
}

std::uint16_t ToBf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16U & 1U)) >> 16U);
}
// Of small values, to the nearest or its neighbour.
std::uint16_t ToF16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value * 0x1p-112F) + 0x1000;
  return static_cast<std::uint16_t>((bits >> 16U & 0x8000U) | (bits >> 13U & 0x7FFFU));
}
std::uint8_t ToF8(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value * 0x1p-120F) + 0x80000;
  return static_cast<std::uint8_t>((bits >> 24U & 0x80U) | (bits >> 20U & 0x7FU));
}

// A row's largest number in units of `scale`.
float RowScale(const std::vector<float>& weights, std::size_t begin, std::size_t size,
               float scale) {
  float largest = 0;
  for (std::size_t i = begin; i < begin + size; ++i)
    largest = std::max(largest, std::fabs(weights[i]));
  return scale / largest;
}

void MeasureMadeUp(std::size_t size) {
  const std::vector<float> weights = ModelWeights(size / 2);
  Data bf16;
  Data f16;
  Data f32;
  Data f32_of_bf16;
  Data f8;
  Data i8;
  Data q8;
  Data q4;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    Append(bf16, ToBf16(weights[i]));
    Append(f16, ToF16(weights[i]));
    if (i < weights.size() / 2) {
      Append(f32, weights[i]);
      Append(f32_of_bf16, std::uint32_t{ToBf16(weights[i])} << 16U);
    }
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t row = i / 1024 * 1024;
    static float f8_scale = 0;
    static float i8_scale = 0;
    static float unit_scale = 0;
    if (i == row) {
      f8_scale = RowScale(weights, row, 1024, 448);
      i8_scale = RowScale(weights, row, 1024, 127);
    }
    if (i % 32 == 0) {
      unit_scale = RowScale(weights, i, 32, 127);
      Append(q8, ToF16(1 / unit_scale));
      Append(q4, ToF16(127 / unit_scale / 8));
      for (std::size_t k = 0; k < 16; ++k) {
        const auto quant = [&](float weight) {
          return static_cast<unsigned>(std::lrint(weight * unit_scale * 7 / 127)) + 8U;
        };
        Append(q4,
               static_cast<std::uint8_t>(quant(weights[i + k]) | quant(weights[i + 16 + k]) << 4U));
      }
    }
    Append(f8, ToF8(weights[i] * f8_scale));
    Append(i8, static_cast<std::uint8_t>(std::lrint(weights[i] * i8_scale)));
    Append(q8, static_cast<std::uint8_t>(std::lrint(weights[i] * unit_scale)));
  }
  MeasureAll("bf16", bf16, Element::kBf16);
  MeasureAll("f32", f32, Element::kF32);
  MeasureAll("f32, really bf16", f32_of_bf16, Element::kF32);
  MeasureAll("f16", f16, Element::kF16);
  MeasureAll("F8_E4M3", f8, Element::kF8E4M3);
  MeasureAll("I8, scaled by row", i8, Element::kI8);
  MeasureAll("Q8_0", q8, Element::kQ8_0);
  MeasureAll("Q4_0", q4, Element::kQ4_0);
}

Data ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const ByteSpan view = plumb::AsBytes(bytes);
  return {view.begin(), view.end()};
}

}  // namespace

int main(int count, char** arguments) {
  std::size_t mib = 64;
  int next = 1;
  if (count > 2 && std::strcmp(arguments[1], "--mib") == 0) {
    mib = static_cast<std::size_t>(std::stoul(arguments[2]));
    next = 3;
  }
  if (next == count) MeasureMadeUp(mib << 20U);
  for (; next + 1 < count; next += 2) {
    const auto* const found = std::find_if(
        std::begin(kElements), std::end(kElements),
        [&](const auto& element) { return std::strcmp(element.first, arguments[next + 1]) == 0; });
    const Data data = ReadFile(arguments[next]);
    if (found == std::end(kElements) || data.size() < kBlockSizeMax) {
      std::fprintf(stderr, "'%s': no element of that name, or less than a block\n",
                   arguments[next]);
      return 2;
    }
    MeasureAll(arguments[next], data, found->second);
  }
}
