// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <memory>
#include <string>

#include "base/check.h"
#include "codec/block_codec.h"
#include "codec/kernels_internal.h"
#include "codec/plan_internal.h"

namespace plumb::codec {
namespace {

// A block must shrink to 98 % at least.
constexpr std::uint64_t kWorthwhileNumerator = 98;
constexpr std::uint64_t kWorthwhileDenominator = 100;

// The bytes that n symbols take at most as ranks: all of them escapes, with a bit at each level for
// each rank.
constexpr std::size_t RanksSizeMax(std::size_t n) {
  return n + n * kRankCount / 8 + kLevelsMax * 2 * kWordSize;
}

struct Scratch {
  using Plane = std::array<std::uint8_t, kStripeSize + kSlack>;
  std::array<Plane, kFieldPlanesMax> planes;
  Plane ranks;  // or low bits
  Plane escapes;
  std::array<std::byte, kStripeSize * sizeof(std::uint16_t)> values;
  std::array<std::byte, RanksSizeMax(kStripeSize)> piece;
};

class Encoder {
 public:
  Encoder(const Kernels& kernels, const Layout& layout, ByteSpan units)
      : kernels_(kernels), layout_(layout), units_(units), planes_(PlanesOf(layout)) {}

  // Chooses modes; whether a sample says that they save enough.
  bool Plan(Effort effort);
  // Entropy-codes those planes that are smaller for it than as they were planned.
  void Code();
  Encoded Encode(Element element, ByteSpan head, ByteSpan tail);

 private:
  struct PlannedPlane {
    PlaneMode mode;
    bool may_be_coded = false;
    std::vector<std::byte> stream;  // of mode kRans, without its size
  };

  std::size_t SymbolsOf(const Field& field) const {
    return units_.size() / layout_.unit_size * SymbolsPerUnit(field);
  }
  void Split(const Field& field, std::size_t begin, std::size_t n, std::uint8_t* const* planes);
  void SplitToScratch(const Field& field, std::size_t begin, std::size_t n);
  void CodeField(const Field& field, std::span<PlannedPlane> planes);
  void CodePlane(std::uint8_t* symbols, std::size_t n, const PlaneSize& planned,
                 PlannedPlane& plane);
  std::vector<std::byte> StreamOf(const std::uint8_t* symbols, std::size_t n,
                                  const Frequencies& frequencies);
  void PutDescriptor(const PlaneMode& mode);
  void PutField(const Field& field, std::span<const PlannedPlane> planes);
  void PutPiece(const PlaneMode& mode, const Scratch::Plane& plane, std::size_t n);
  void PutBits(std::uint8_t base, const std::uint8_t* symbols, std::size_t n);
  void PutWidth(unsigned width, std::uint8_t base, const std::uint8_t* symbols, std::size_t n);
  void PutRanks(const PlaneMode& mode, const std::uint8_t* symbols, std::size_t n);
  void Put(const void* bytes, std::size_t size) {
    const auto* begin = static_cast<const std::byte*>(bytes);
    out_.insert(out_.end(), begin, begin + size);
  }
  void PutU8(std::size_t value) { out_.push_back(static_cast<std::byte>(value)); }

  const Kernels& kernels_;
  const Layout layout_;
  const ByteSpan units_;
  std::vector<PlannedPlane> planes_;
  std::vector<std::byte> out_;
  std::unique_ptr<Scratch> scratch_ = std::make_unique_for_overwrite<Scratch>();
};

// Symbols `begin` and the n - 1 behind it of each plane of the field.
void Encoder::Split(const Field& field, std::size_t begin, std::size_t n,
                    std::uint8_t* const* planes) {
  const std::size_t per_unit = SymbolsPerUnit(field);
  const std::byte* unit = units_.data() + begin / per_unit * layout_.unit_size + field.at;
  if (field.size == layout_.unit_size) return kernels_.split(field.value, unit, n, planes);
  std::byte* value = scratch_->values.data();
  for (std::size_t i = 0; i < n; i += per_unit) {
    std::memcpy(value, unit, field.size);
    unit += layout_.unit_size;
    value += field.size;
  }
  kernels_.split(field.value, scratch_->values.data(), n, planes);
}

void Encoder::SplitToScratch(const Field& field, std::size_t begin, std::size_t n) {
  std::array<std::uint8_t*, kFieldPlanesMax> planes;
  for (std::size_t plane = 0; plane < planes.size(); ++plane)
    planes[plane] = scratch_->planes[plane].data();
  Split(field, begin, n, planes.data());
}

bool Encoder::Plan(Effort effort) {
  std::uint64_t bits = 0;
  std::uint64_t raw_bits = 0;
  std::size_t done = 0;  // planes of the fields before
  for (const Field& field : layout_.fields) {
    std::array<PlaneSample, kFieldPlanesMax> samples;
    const std::size_t planes = PlanesOf(field);
    const std::size_t symbols = SymbolsOf(field);
    for (std::size_t begin = 0; begin < symbols; begin += kStripeSize) {
      const std::size_t n = std::min(kSampleSize, symbols - begin);
      SplitToScratch(field, begin, n);
      for (std::size_t plane = 0; plane < planes; ++plane)
        samples[plane].Add(scratch_->planes[plane].data(), n);
    }
    for (std::size_t plane = 0; plane < planes; ++plane) {
      const auto plan = samples[plane].Choose(symbols, effort);
      planes_[done + plane] = {plan.mode, plan.may_be_coded, {}};
      bits += plan.bits;
    }
    raw_bits += std::uint64_t{8} * field.size * (units_.size() / layout_.unit_size);
    done += planes;
  }
  return bits * kWorthwhileDenominator <= raw_bits * kWorthwhileNumerator;
}

void Encoder::Code() {
  std::span<PlannedPlane> planes = planes_;
  for (const Field& field : layout_.fields) {
    CodeField(field, planes.first(PlanesOf(field)));
    planes = planes.subspan(PlanesOf(field));
  }
}

// A stream is coded from its end, so all of a plane is needed at once.
void Encoder::CodeField(const Field& field, std::span<PlannedPlane> planes) {
  const std::size_t symbols = SymbolsOf(field);
  const std::size_t room = symbols + kSlack;
  std::vector<std::size_t> coded;
  std::vector<PlaneSize> sizes;
  std::array<std::uint8_t*, kFieldPlanesMax> targets;
  for (std::size_t i = 0; i < targets.size(); ++i)
    targets[i] = scratch_->planes[i].data();
  for (std::size_t i = 0; i < planes.size(); ++i) {
    if (!planes[i].may_be_coded) continue;
    coded.push_back(i);
    sizes.emplace_back(planes[i].mode);
  }
  if (coded.empty()) return;
  const auto whole = std::make_unique_for_overwrite<std::uint8_t[]>(coded.size() * room);
  for (std::size_t begin = 0; begin < symbols; begin += kStripeSize) {
    const std::size_t n = std::min(kStripeSize, symbols - begin);
    for (std::size_t i = 0; i < coded.size(); ++i)
      targets[coded[i]] = whole.get() + i * room + begin;
    Split(field, begin, n, targets.data());
    for (std::size_t i = 0; i < coded.size(); ++i)
      sizes[i].AddStripe(targets[coded[i]], n);
  }
  for (std::size_t i = 0; i < coded.size(); ++i)
    CodePlane(whole.get() + i * room, symbols, sizes[i], planes[coded[i]]);
}

// Takes the symbols apart where they are.
void Encoder::CodePlane(std::uint8_t* symbols, std::size_t n, const PlaneSize& planned,
                        PlannedPlane& plane) {
  const auto plan = PlanEntropy(planned.histogram(), n, n);
  if (!plan || !IsWorthCoding(plan->bits / 8, planned.bytes(), n)) return;
  const PlaneMode mode = {.mode = Mode::kRans, .low_bits = plan->low_bits};
  if (mode.low_bits > 0) TakeHighBits(symbols, n, mode.low_bits, symbols);
  std::vector<std::byte> stream =
      StreamOf(symbols, n, *Normalise(WithoutLowBits(planned.histogram(), mode.low_bits)));
  // The plan is an estimate; the block must not become larger than the fast tier's.
  if (DescriptorSize(mode) + kRansLengthSize + stream.size() + SizeOfWidth(mode.low_bits, n) >=
      planned.bytes())
    return;
  plane.mode = mode;
  plane.stream = std::move(stream);
}

std::vector<std::byte> Encoder::StreamOf(const std::uint8_t* symbols, std::size_t n,
                                         const Frequencies& frequencies) {
  RansEncoder encoder;
  Prepare(frequencies, encoder);
  // A symbol gives a word at most.
  const std::size_t words_max = n * sizeof(std::uint16_t) + kSlack;
  const auto words = std::make_unique_for_overwrite<std::byte[]>(words_max);
  RansStates states;
  states.fill(kStateMin);
  const std::byte* end = words.get() + words_max;
  const std::byte* begin =
      kernels_.rans_encode(encoder, symbols, n, states, words.get() + words_max);

  std::string table;
  AppendTable(frequencies, table);
  std::vector<std::byte> stream;
  stream.reserve(table.size() + kRansStatesSize + static_cast<std::size_t>(end - begin));
  const ByteSpan head = AsBytes(table);
  stream.insert(stream.end(), head.begin(), head.end());
  const auto* state_bytes = reinterpret_cast<const std::byte*>(states.data());
  stream.insert(stream.end(), state_bytes, state_bytes + kRansStatesSize);
  stream.insert(stream.end(), begin, end);
  return stream;
}

Encoded Encoder::Encode(Element element, ByteSpan head, ByteSpan tail) {
  out_.reserve(units_.size());
  PutU8(kFormatVersion);
  PutU8(static_cast<std::size_t>(element));
  PutU8(head.size());
  Put(head.data(), head.size());
  Put(tail.data(), tail.size());
  auto method = Method::kPlanes;
  for (const PlannedPlane& plane : planes_) {
    PutDescriptor(plane.mode);
    if (plane.mode.mode == Mode::kRans) method = Method::kEntropy;
  }
  std::span<const PlannedPlane> planes = planes_;
  for (const Field& field : layout_.fields) {
    PutField(field, planes.first(PlanesOf(field)));
    planes = planes.subspan(PlanesOf(field));
  }
  return {method, std::move(out_)};
}

void Encoder::PutDescriptor(const PlaneMode& mode) {
  PutU8(static_cast<std::size_t>(mode.mode));
  if (mode.mode == Mode::kBits) PutU8(mode.base);
  if (mode.mode == Mode::kRans) PutU8(mode.low_bits);
  if (mode.mode != Mode::kRanks) return;
  PutU8(mode.narrow);
  Put(mode.symbols.data(), mode.symbols.size());
}

void Encoder::PutField(const Field& field, std::span<const PlannedPlane> planes) {
  for (const PlannedPlane& plane : planes) {
    if (plane.mode.mode != Mode::kRans) continue;
    const auto size = static_cast<std::uint32_t>(plane.stream.size());
    static_assert(sizeof(size) == kRansLengthSize);
    Put(&size, sizeof(size));
    Put(plane.stream.data(), plane.stream.size());
  }
  if (std::none_of(planes.begin(), planes.end(),
                   [](const PlannedPlane& plane) { return HasPieces(plane.mode); }))
    return;
  const std::size_t symbols = SymbolsOf(field);
  for (std::size_t begin = 0; begin < symbols; begin += kStripeSize) {
    const std::size_t n = std::min(kStripeSize, symbols - begin);
    SplitToScratch(field, begin, n);
    for (std::size_t plane = 0; plane < planes.size(); ++plane)
      PutPiece(planes[plane].mode, scratch_->planes[plane], n);
  }
}

void Encoder::PutPiece(const PlaneMode& mode, const Scratch::Plane& plane, std::size_t n) {
  switch (mode.mode) {
    case Mode::kRaw:
      return Put(plane.data(), n);
    case Mode::kBits:
      return PutBits(mode.base, plane.data(), n);
    case Mode::kRanks:
      return PutRanks(mode, plane.data(), n);
    case Mode::kRans:
      if (!HasPieces(mode)) return;
      TakeLowBits(plane.data(), n, mode.low_bits, scratch_->ranks.data());
      return PutWidth(mode.low_bits, 0, scratch_->ranks.data(), n);
  }
}

void Encoder::PutBits(std::uint8_t base, const std::uint8_t* symbols, std::size_t n) {
  const std::size_t groups = (n + kGroupSize - 1) / kGroupSize;
  const auto [widths, all_equal] = WidthsOf(symbols, n, base);
  if (all_equal) {
    PutU8(widths[0]);
    return PutWidth(widths[0], base, symbols, n);
  }
  PutU8(kWidthPerGroup);
  for (std::size_t group = 0; group < groups; group += 2)
    PutU8(widths[group] | std::size_t{widths[group + 1]} << 4U);
  for (std::size_t group = 0; group < groups; ++group) {
    const std::size_t begin = group * kGroupSize;
    PutWidth(widths[group], base, symbols + begin, std::min(kGroupSize, n - begin));
  }
}

void Encoder::PutWidth(unsigned width, std::uint8_t base, const std::uint8_t* symbols,
                       std::size_t n) {
  if (width == 0) return;
  if (width == 8) return Put(symbols, n);
  kernels_.pack(symbols, n, base, width, scratch_->piece.data());
  Put(scratch_->piece.data(), SizeOfWidth(width, n));
}

void Encoder::PutRanks(const PlaneMode& mode, const std::uint8_t* symbols, std::size_t n) {
  std::uint8_t* ranks = scratch_->ranks.data();
  const std::size_t escapes =
      kernels_.rank(symbols, n, mode.symbols, ranks, scratch_->escapes.data());
  std::byte* end = scratch_->piece.data();
  const Levels levels = *LevelsOf(mode.narrow);
  for (std::size_t k = 0; k < levels.count; ++k) {
    const unsigned width = levels.levels[k].width;
    const std::size_t left = kernels_.reduce(ranks, n, width, end, ranks);
    end += WordsFor(n) * width * kWordSize;
    n = left;
  }
  PLUMB_CHECK(n == escapes);
  std::memcpy(end, scratch_->escapes.data(), escapes);
  end += escapes;
  Put(scratch_->piece.data(), static_cast<std::size_t>(end - scratch_->piece.data()));
}

}  // namespace

std::optional<Encoded> EncodeBlockWith(const Kernels& kernels, ByteSpan raw, const BlockHint& hint,
                                       Effort effort) {
  PLUMB_CHECK(raw.size() <= kBlockSizeMax);
  const Layout layout = LayoutOf(hint.element);
  if (layout.fields.empty() || hint.phase >= layout.unit_size ||
      raw.size() < hint.phase + layout.unit_size)
    return std::nullopt;
  const ByteSpan rest = raw.subspan(hint.phase);
  const std::size_t tail = rest.size() % layout.unit_size;
  Encoder encoder(kernels, layout, rest.first(rest.size() - tail));
  if (!encoder.Plan(effort)) return std::nullopt;
  encoder.Code();
  Encoded encoded = encoder.Encode(hint.element, raw.first(hint.phase), rest.last(tail));
  if (encoded.bytes.size() * kWorthwhileDenominator > raw.size() * kWorthwhileNumerator)
    return std::nullopt;
  return encoded;
}

std::optional<Encoded> EncodeBlock(ByteSpan raw, const BlockHint& hint, Effort effort) {
  return EncodeBlockWith(BestKernels(), raw, hint, effort);
}

}  // namespace plumb::codec
