// SPDX-License-Identifier: MIT OR Apache-2.0
// How small and how fast src/codec makes blocks of weights, beside zstd, in the same run:
//
//     codec_bench [--tsv] [--mib 64] [FILE ELEMENT]...
//
// Without files: made-up weights as a language model has them. ELEMENT is bf16, f16, f32, f64,
// f8_e4m3, f8_e5m2, i8 or one of GGUF's, q4_0 to q6_k, and then the file is taken from its start,
// MiB by MiB; or it is "tensors": of a safetensors or GGUF file each tensor by itself, in blocks,
// as the store cuts it. Times of one core are those of the thread, of each block by itself; what is
// printed is the speed that half of the bytes reached. Those of all cores are of the clock, the
// median of some rounds over all blocks. Every block is compared after decoding. Levels of
// instructions that this machine lacks are named. With --tsv each row is "data, way, cores, size
// in %, encode, decode" (GB/s), without the plain level if there is another, for bench/codecs.py.
#include <zstd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "bench/floor.h"
#include "bench/made_up.h"
#include "bench/measure.h"
#include "codec/kernels_internal.h"
#include "weights/tensor_file.h"

namespace {

using plumb::ByteSpan;
using plumb::MutableByteSpan;
using plumb::bench::FloorOf;
using plumb::bench::Median;
using plumb::bench::ModelWeights;
using plumb::bench::Speeds;
using plumb::bench::ThreadSeconds;
using plumb::bench::ToBf16;
using plumb::bench::ToF16;
using plumb::bench::ToF8;
using plumb::bench::Verdict;
using plumb::bench::WallSeconds;
using plumb::codec::BestKernels;
using plumb::codec::BlockHint;
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
using plumb::codec::LayoutOf;
using plumb::codec::Method;
using plumb::codec::NameOf;
using plumb::codec::StoreWord;
using Data = std::vector<std::byte>;

constexpr std::pair<std::string_view, Element> kElements[] = {
    {"bf16", Element::kBf16},      {"f16", Element::kF16},   {"f32", Element::kF32},
    {"f64", Element::kF64},        {"i8", Element::kI8},     {"f8_e4m3", Element::kF8E4M3},
    {"f8_e5m2", Element::kF8E5M2}, {"q4_0", Element::kQ4_0}, {"q4_1", Element::kQ4_1},
    {"q5_0", Element::kQ5_0},      {"q5_1", Element::kQ5_1}, {"q8_0", Element::kQ8_0},
    {"q2_k", Element::kQ2K},       {"q3_k", Element::kQ3K},  {"q4_k", Element::kQ4K},
    {"q5_k", Element::kQ5K},       {"q6_k", Element::kQ6K}};

// What one core shall do, where the project has set itself a figure.
struct Figures {
  Element element;
  double size;                       // %, of the fast tier
  std::pair<double, double> avx512;  // GB/s, encode and decode
  std::pair<double, double> avx2;
};
constexpr Figures kFigures[] = {{Element::kBf16, 68, {3, 8}, {1.5, 3}},
                                {Element::kF32, 100, {2, 3}, {0, 0}}};
constexpr double kAboveFloor = 0.2;  // points, of the archive tier

// A small file is gone through until so much was measured.
constexpr std::size_t kMeasuredMin = std::size_t{64} << 20;
constexpr int kWallRounds = 5;  // bench/codecs.py has its own

bool prints_tsv = false;

struct Block {
  ByteSpan raw;
  BlockHint hint;
};
struct Input {
  std::string name;
  std::vector<Block> blocks;
  std::size_t size = 0;

  void Add(ByteSpan raw, const BlockHint& hint) {
    blocks.push_back({raw, hint});
    size += raw.size();
  }
};

struct Stored {
  Method method = Method::kPlanes;
  Data bytes;
};
// One way to write a block: gives its bytes (nothing: the block as it is), and reads them again.
struct Way {
  std::string name;
  std::function<std::optional<Stored>(const Block&)> encode;
  std::function<void(const Stored&, MutableByteSpan)> decode;
};

struct Row {
  double size = 0;  // %
  double encode = 0;
  double decode = 0;  // 0: nothing was encoded
};

void Print(const Input& input, const std::string& way, unsigned cores, const Row& row,
           const std::string& verdict = {}) {
  if (prints_tsv) {
    std::printf("%s\t%s\t%u\t%.3f\t%.3f\t%.3f\n", input.name.c_str(), way.c_str(), cores, row.size,
                row.encode, row.decode);
    return;
  }
  const std::string name = cores == 1 ? way : way + ", " + std::to_string(cores) + " cores";
  std::printf("  %-26s %6.2f %%  %6.2f", name.c_str(), row.size, row.encode);
  if (row.decode == 0) {
    std::printf("    (as it is)");
  } else {
    std::printf("  %6.2f GB/s", row.decode);
  }
  std::printf("  %s\n", verdict.c_str());
}

double Percent(double part, std::size_t whole) { return 100 * part / static_cast<double>(whole); }

Row MeasureCore(const Input& input, const Way& way) {
  Speeds encoding;
  Speeds decoding;
  Data decoded(kBlockSizeMax);
  std::size_t stored_size = 0;
  std::size_t measured = 0;
  do {
    stored_size = 0;
    for (const Block& block : input.blocks) {
      const double began = ThreadSeconds();
      const auto stored = way.encode(block);
      encoding.Add(block.raw.size(), ThreadSeconds() - began);
      stored_size += stored ? stored->bytes.size() : block.raw.size();
      if (!stored) continue;
      const auto out = MutableByteSpan(decoded).first(block.raw.size());
      const double begins = ThreadSeconds();
      way.decode(*stored, out);
      decoding.Add(block.raw.size(), ThreadSeconds() - begins);
      PLUMB_CHECK(std::equal(block.raw.begin(), block.raw.end(), out.begin()));
    }
    measured += input.size;
  } while (measured < kMeasuredMin);
  return {Percent(static_cast<double>(stored_size), input.size), encoding.Median(),
          decoding.empty() ? 0 : decoding.Median()};
}

// GB/s of the clock, of `work` on each block by so many threads; on each several times if they are
// few, so that the threads' beginning does not count.
double WallSpeed(const Input& input, unsigned cores, const std::function<void(std::size_t)>& work) {
  const std::size_t passes = kMeasuredMin / input.size + 1;
  const std::size_t end = passes * input.blocks.size();
  std::atomic<std::size_t> next = 0;
  // Who takes a block takes it on each pass: nobody else writes where it goes.
  const auto take_all = [&] {
    for (std::size_t i = next.fetch_add(passes); i < end; i = next.fetch_add(passes))
      for (std::size_t pass = 0; pass < passes; ++pass)
        work(i / passes);
  };
  const double began = WallSeconds();
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < cores; ++i)
    threads.emplace_back(take_all);
  take_all();
  for (std::thread& thread : threads)
    thread.join();
  return static_cast<double>(passes * input.size) / 1e9 / (WallSeconds() - began);
}

Row MeasureAllCores(const Input& input, const Way& way, unsigned cores) {
  std::vector<std::optional<Stored>> stored(input.blocks.size());
  std::vector<double> encoding;
  std::vector<double> decoding;
  double stored_size = 0;
  for (int round = 0; round < (prints_tsv ? 1 : kWallRounds); ++round) {
    encoding.push_back(
        WallSpeed(input, cores, [&](std::size_t i) { stored[i] = way.encode(input.blocks[i]); }));
    decoding.push_back(WallSpeed(input, cores, [&](std::size_t i) {
      thread_local Data decoded(kBlockSizeMax);
      if (stored[i])
        way.decode(*stored[i], MutableByteSpan(decoded).first(input.blocks[i].raw.size()));
    }));
  }
  for (std::size_t i = 0; i < stored.size(); ++i)
    stored_size +=
        static_cast<double>(stored[i] ? stored[i]->bytes.size() : input.blocks[i].raw.size());
  return {Percent(stored_size, input.size), Median(encoding),
          stored_size == static_cast<double>(input.size) ? 0 : Median(decoding)};
}

Way Ours(Instructions instructions, Effort effort) {
  const Kernels& kernels = KernelsOf(instructions);
  return {NameOf(instructions) + std::string(effort == Effort::kFast ? " fast" : " archive"),
          [=, &kernels](const Block& block) -> std::optional<Stored> {
            auto encoded = EncodeBlockWith(kernels, block.raw, block.hint, effort);
            if (!encoded) return std::nullopt;
            return Stored{encoded->method, std::move(encoded->bytes)};
          },
          [&kernels](const Stored& stored, MutableByteSpan raw) {
            PLUMB_CHECK(DecodeBlockWith(kernels, stored.method, stored.bytes, raw).has_value());
          }};
}

Way Zstd(int level) {
  return {"zstd " + std::to_string(level),
          [level](const Block& block) -> std::optional<Stored> {
            Stored stored;
            stored.bytes.resize(ZSTD_compressBound(block.raw.size()));
            stored.bytes.resize(ZSTD_compress(stored.bytes.data(), stored.bytes.size(),
                                              block.raw.data(), block.raw.size(), level));
            return stored;
          },
          [](const Stored& stored, MutableByteSpan raw) {
            ZSTD_decompress(raw.data(), raw.size(), stored.bytes.data(), stored.bytes.size());
          }};
}

double FloorPercent(const Input& input) {
  double bytes = 0;
  for (const Block& block : input.blocks)
    bytes += FloorOf(block.raw, block.hint.element, block.hint.phase);
  return Percent(bytes, input.size);
}

// Whether a row of one core is as the project wants it; nothing where it wants nothing.
std::string VerdictOn(const Input& input, Instructions instructions, Effort effort, const Row& row,
                      double floor) {
  if (effort == Effort::kArchive) {
    char text[64];
    std::snprintf(text, sizeof text, "floor %+.2f: ", row.size - floor);
    return text + Verdict(row.size <= floor + kAboveFloor);
  }
  const Element element = input.blocks.front().hint.element;
  for (const Figures& figures : kFigures) {
    if (figures.element != element) continue;
    std::pair<double, double> speeds = {0, 0};
    if (instructions == Instructions::kAvx512) speeds = figures.avx512;
    if (instructions == Instructions::kAvx2) speeds = figures.avx2;
    const auto [encode, decode] = speeds;
    if (encode == 0) continue;
    char text[64];
    std::snprintf(text, sizeof text, ">= %.1f / %.1f, <= %.0f %%: ", encode, decode, figures.size);
    return text + Verdict(row.encode >= encode && row.decode >= decode && row.size <= figures.size);
  }
  return {};
}

bool HasMore() { return &BestKernels() != &KernelsOf(Instructions::kPlain); }

void MeasureAll(const Input& input) {
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const double floor = FloorPercent(input);
  if (!prints_tsv)
    std::printf("%s, %.1f MiB, %zu blocks:%*sencode  decode\n", input.name.c_str(),
                static_cast<double>(input.size) / (1U << 20U), input.blocks.size(), 6, "");
  if (prints_tsv) {
    Print(input, "order-0 floor", 1, {floor, 0, 0});
  } else {
    std::printf("  %-26s %6.2f %%\n", "order-0 floor", floor);
  }
  for (const Effort effort : {Effort::kFast, Effort::kArchive}) {
    for (const Instructions instructions : kInstructionsAll) {
      // The plain level is what the others are checked against: no figure, and slow.
      if (!Has(instructions) || (prints_tsv && instructions == Instructions::kPlain && HasMore()))
        continue;
      const Way way = Ours(instructions, effort);
      const Row row = MeasureCore(input, way);
      Print(input, way.name, 1, row, VerdictOn(input, instructions, effort, row, floor));
      if (cores > 1 && instructions != Instructions::kPlain)
        Print(input, way.name, cores, MeasureAllCores(input, way, cores));
    }
  }
  for (const int level : {1, 3}) {
    const Way way = Zstd(level);
    Print(input, way.name, 1, MeasureCore(input, way));
    if (cores > 1) Print(input, way.name, cores, MeasureAllCores(input, way, cores));
  }
}

Input Whole(const std::string& name, const Data& data, Element element) {
  Input input = {name, {}, 0};
  for (std::size_t at = 0; at + kBlockSizeMax <= data.size(); at += kBlockSizeMax)
    input.Add(ByteSpan(data).subspan(at, kBlockSizeMax), {.element = element});
  return input;
}

template <typename Word>
void Append(Data& data, Word word) {
  const std::size_t size = data.size();
  data.resize(size + sizeof(word));
  StoreWord(word, data.data() + size);
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
  MeasureAll(Whole("bf16", bf16, Element::kBf16));
  MeasureAll(Whole("f32", f32, Element::kF32));
  MeasureAll(Whole("f32, really bf16", f32_of_bf16, Element::kF32));
  MeasureAll(Whole("f16", f16, Element::kF16));
  MeasureAll(Whole("F8_E4M3", f8, Element::kF8E4M3));
  MeasureAll(Whole("I8, scaled by row", i8, Element::kI8));
  MeasureAll(Whole("Q8_0", q8, Element::kQ8_0));
  MeasureAll(Whole("Q4_0", q4, Element::kQ4_0));
}

Data ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const ByteSpan view = plumb::AsBytes(bytes);
  return {view.begin(), view.end()};
}

const Element* FindElement(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kElements), std::end(kElements),
                   [&](const auto& element) { return element.first == name; });
  return found == std::end(kElements) ? nullptr : &found->second;
}

// What no element is known for stays kBytes.
Element ElementOf(plumb::weights::Dtype dtype) {
  std::string name(plumb::weights::DtypeName(dtype));
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  const Element* const element = FindElement(name);
  return element != nullptr ? *element : Element::kBytes;
}

// Each tensor in blocks, as the store cuts it: units are counted from the beginning of the tensor.
std::optional<Input> Tensors(const std::string& name, const Data& data) {
  const auto read = plumb::weights::ReadTensorHeader(data, data.size());
  if (!read || !*read) return std::nullopt;
  Input input = {name, {}, 0};
  for (const plumb::weights::TensorPlace& tensor : (*read)->tensors) {
    const ByteSpan bytes = ByteSpan(data).subspan(static_cast<std::size_t>(tensor.offset),
                                                  static_cast<std::size_t>(tensor.size));
    const Element element = ElementOf(tensor.dtype);
    const std::size_t unit = std::max<std::size_t>(LayoutOf(element).unit_size, 1);
    for (std::size_t at = 0; at < bytes.size(); at += kBlockSizeMax)
      input.Add(
          bytes.subspan(at, std::min(kBlockSizeMax, bytes.size() - at)),
          {.element = element, .phase = static_cast<std::uint32_t>((unit - at % unit) % unit)});
  }
  // The largest first: what the file is of.
  std::sort(input.blocks.begin(), input.blocks.end(),
            [](const Block& a, const Block& b) { return a.raw.size() > b.raw.size(); });
  return input;
}

int MeasureFile(const std::string& path, const std::string& element) {
  const Data data = ReadFile(path);
  std::optional<Input> input;
  if (element == "tensors") {
    input = Tensors(path, data);
  } else if (const Element* const found = FindElement(element)) {
    input = Whole(path, data, *found);
  }
  if (!input || input->blocks.empty()) {
    std::fprintf(stderr, "'%s': no element '%s', or no whole block of it\n", path.c_str(),
                 element.c_str());
    return 2;
  }
  MeasureAll(*input);
  return 0;
}

void SayLevels() {
  std::string levels;
  for (const Instructions instructions : kInstructionsAll)
    levels += std::string(" ") + NameOf(instructions) +
              (Has(instructions) ? "" : " (NOT on this machine)");
  std::printf(
      "levels of instructions:%s; floor: bytes of the entropy of each plane (exponents; "
      "signs with mantissas)\n",
      levels.c_str());
}

}  // namespace

int main(int count, char** arguments) {
  std::size_t mib = 64;
  int next = 1;
  if (next < count && std::strcmp(arguments[next], "--tsv") == 0) {
    prints_tsv = true;
    ++next;
  }
  if (next + 1 < count && std::strcmp(arguments[next], "--mib") == 0) {
    mib = static_cast<std::size_t>(std::stoul(arguments[next + 1]));
    next += 2;
  }
  if (!prints_tsv) SayLevels();
  if (next == count) MeasureMadeUp(mib << 20U);
  for (; next + 1 < count; next += 2)
    if (const int code = MeasureFile(arguments[next], arguments[next + 1]); code != 0) return code;
}
