// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <memory>
#include <string>

#include "codec/block_codec.h"
#include "codec/kernels_internal.h"

namespace plumb::codec {
namespace {

Error Corrupt(const char* what) {
  return Error{ErrorKind::kCorrupt, std::string("damaged block of weights: ") + what};
}

// What is decoded before it becomes values, of one stripe. It stays in the cache.
struct Scratch {
  using Plane = std::array<std::uint8_t, kStripeSize + kSlack>;
  std::array<Plane, kFieldPlanesMax> planes;
  std::array<Plane, kLevelsMax>
      levels;  // what each says of the symbols that the one before left open
  std::array<std::byte, kStripeSize * sizeof(std::uint16_t)> values;
};

// Whether words of n symbols have nothing beyond the last: of each of `planes` words of 64 symbols.
bool PaddingIsZero(ByteSpan words, std::size_t n, std::size_t planes) {
  const std::size_t used = n % kWordSymbols;
  if (used == 0) return true;
  const std::byte* last = words.data() + words.size() - planes * kWordSize;
  for (std::size_t plane = 0; plane < planes; ++plane)
    if (LoadWord<std::uint64_t>(last + plane * kWordSize) >> used != 0) return false;
  return true;
}

class Decoder {
 public:
  Decoder(const Kernels& kernels, Method method, ByteSpan stored)
      : kernels_(kernels), method_(method), reader_(stored) {}

  Status Decode(MutableByteSpan raw);

 private:
  Status ReadModes();
  Status ReadField(const Field& field, std::span<const PlaneMode> modes);
  Result<const std::uint8_t*> ReadPiece(const PlaneMode& mode, std::size_t n,
                                        Scratch::Plane& plane);
  Status ReadBits(const PlaneMode& mode, std::size_t n, std::uint8_t* symbols);
  Status ReadWidth(unsigned width, std::uint8_t base, std::size_t n, std::uint8_t* symbols);
  Status ReadRanks(const PlaneMode& mode, std::size_t n, std::uint8_t* symbols);
  Result<ByteSpan> ReadLevel(std::size_t n, unsigned width);
  void Put(const Field& field, const std::uint8_t* const* planes, std::size_t begin, std::size_t n);

  const Kernels& kernels_;
  Method method_;
  ByteReader reader_;
  Layout layout_ = {};
  MutableByteSpan units_;
  std::vector<PlaneMode> modes_;
  std::unique_ptr<Scratch> scratch_ = std::make_unique_for_overwrite<Scratch>();
  std::vector<std::unique_ptr<RansDecoder>> streams_;  // of the field, null for planes without
};

Status Decoder::Decode(MutableByteSpan raw) {
  if (raw.empty() || raw.size() > kBlockSizeMax) return Corrupt("its size");
  const auto version = reader_.U8();
  const auto element = reader_.U8();
  const auto head = reader_.U8();
  if (!head) return Corrupt("it ends early");
  // A newer kind is as good as damage to us: packs that hold any would say so among their features.
  if (*version != kFormatVersion) return Corrupt("its version");
  layout_ = LayoutOf(static_cast<Element>(*element));
  if (layout_.fields.empty()) return Corrupt("its element");
  if (*head >= layout_.unit_size || raw.size() < *head + layout_.unit_size)
    return Corrupt("where its units begin");
  const std::size_t tail = (raw.size() - *head) % layout_.unit_size;
  const auto head_bytes = reader_.Bytes(*head);
  const auto tail_bytes = reader_.Bytes(tail);
  if (!tail_bytes) return Corrupt("it ends early");
  std::copy(head_bytes->begin(), head_bytes->end(), raw.begin());
  std::copy(tail_bytes->begin(), tail_bytes->end(), raw.end() - static_cast<std::ptrdiff_t>(tail));
  units_ = raw.subspan(*head, raw.size() - *head - tail);

  PLUMB_RETURN_IF_ERROR(ReadModes());
  std::span<const PlaneMode> modes = modes_;
  for (const Field& field : layout_.fields) {
    PLUMB_RETURN_IF_ERROR(ReadField(field, modes.first(PlanesOf(field))));
    modes = modes.subspan(PlanesOf(field));
  }
  if (!reader_.AtEnd()) return Corrupt("something follows it");
  return Done{};
}

Status Decoder::ReadModes() {
  modes_.resize(PlanesOf(layout_));
  for (PlaneMode& mode : modes_) {
    const auto number = reader_.U8();
    if (!number) return Corrupt("it ends early");
    const auto last = method_ == Method::kEntropy ? Mode::kRans : Mode::kRanks;
    if (*number > static_cast<std::uint8_t>(last)) return Corrupt("how a plane is written");
    mode.mode = static_cast<Mode>(*number);
    if (mode.mode == Mode::kBits) {
      const auto base = reader_.U8();
      if (!base) return Corrupt("it ends early");
      mode.base = *base;
    }
    if (mode.mode == Mode::kRans) {
      const auto low_bits = reader_.U8();
      if (!low_bits || *low_bits > kLowBitsMax) return Corrupt("what of a plane is coded");
      mode.low_bits = *low_bits;
    }
    if (mode.mode == Mode::kRanks) {
      const auto narrow = reader_.U8();
      const auto symbols = reader_.Bytes(kRankCount);
      if (!symbols) return Corrupt("it ends early");
      if (!LevelsOf(*narrow)) return Corrupt("levels of ranks");
      mode.narrow = *narrow;
      std::memcpy(mode.symbols.data(), symbols->data(), kRankCount);
    }
  }
  return Done{};
}

Status Decoder::ReadField(const Field& field, std::span<const PlaneMode> modes) {
  streams_.clear();
  streams_.resize(modes.size());
  for (std::size_t plane = 0; plane < modes.size(); ++plane) {
    if (modes[plane].mode != Mode::kRans) continue;
    const auto size = reader_.U32();
    const auto stream = reader_.Bytes(size.value_or(0));
    if (!size || !stream) return Corrupt("it ends early");
    streams_[plane] = std::make_unique_for_overwrite<RansDecoder>();
    if (!OpenRans(*stream, *streams_[plane])) return Corrupt("a table of frequencies");
  }
  const std::size_t symbols = units_.size() / layout_.unit_size * SymbolsPerUnit(field);
  for (std::size_t begin = 0; begin < symbols; begin += kStripeSize) {
    const std::size_t n = std::min(kStripeSize, symbols - begin);
    std::array<const std::uint8_t*, kFieldPlanesMax> planes = {};
    for (std::size_t plane = 0; plane < modes.size(); ++plane) {
      Scratch::Plane& scratch = scratch_->planes[plane];
      if (streams_[plane] != nullptr && !kernels_.rans_decode(*streams_[plane], n, scratch.data()))
        return Corrupt("a stream ends early");
      PLUMB_TRY(planes[plane], ReadPiece(modes[plane], n, scratch));
    }
    Put(field, planes.data(), begin, n);
  }
  for (const auto& stream : streams_)
    if (stream != nullptr && !IsDone(*stream)) return Corrupt("a stream does not end as it should");
  return Done{};
}

// Where the symbols are: in the payload itself if they are there as they are, else in `plane`,
// which has the high bits already if those are in a stream.
Result<const std::uint8_t*> Decoder::ReadPiece(const PlaneMode& mode, std::size_t n,
                                               Scratch::Plane& plane) {
  switch (mode.mode) {
    case Mode::kRaw: {
      const auto bytes = reader_.Bytes(n);
      if (!bytes) return Corrupt("it ends early");
      return reinterpret_cast<const std::uint8_t*>(bytes->data());
    }
    case Mode::kBits:
      PLUMB_RETURN_IF_ERROR(ReadBits(mode, n, plane.data()));
      break;
    case Mode::kRanks:
      PLUMB_RETURN_IF_ERROR(ReadRanks(mode, n, plane.data()));
      break;
    case Mode::kRans: {
      if (!HasPieces(mode)) break;
      std::uint8_t* low = scratch_->levels.front().data();
      PLUMB_RETURN_IF_ERROR(ReadWidth(mode.low_bits, 0, n, low));
      AddLowBits(low, n, mode.low_bits, plane.data());
      break;
    }
  }
  return plane.data();
}

Status Decoder::ReadBits(const PlaneMode& mode, std::size_t n, std::uint8_t* symbols) {
  const auto width = reader_.U8();
  if (!width) return Corrupt("it ends early");
  if (*width != kWidthPerGroup) return ReadWidth(*width, mode.base, n, symbols);
  const std::size_t groups = (n + kGroupSize - 1) / kGroupSize;
  const auto widths = reader_.Bytes((groups + 1) / 2);
  if (!widths) return Corrupt("it ends early");
  if (groups % 2 != 0 && std::to_integer<unsigned>(widths->back()) >> 4U != 0)
    return Corrupt("a width too many");
  for (std::size_t group = 0; group < groups; ++group) {
    const unsigned pair = std::to_integer<unsigned>((*widths)[group / 2]);
    const std::size_t begin = group * kGroupSize;
    PLUMB_RETURN_IF_ERROR(ReadWidth(group % 2 == 0 ? pair & 0xFU : pair >> 4U, mode.base,
                                    std::min(kGroupSize, n - begin), symbols + begin));
  }
  return Done{};
}

// n symbols of one width.
Status Decoder::ReadWidth(unsigned width, std::uint8_t base, std::size_t n, std::uint8_t* symbols) {
  if (width > 8) return Corrupt("a width");
  if (width == 0) {
    std::memset(symbols, base, n);
    return Done{};
  }
  const auto stored = reader_.Bytes(width == 8 ? n : WordsFor(n) * width * kWordSize);
  if (!stored) return Corrupt("it ends early");
  if (width == 8) {
    std::memcpy(symbols, stored->data(), n);
    return Done{};
  }
  if (!PaddingIsZero(*stored, n, width)) return Corrupt("its padding");
  kernels_.unpack(stored->data(), n, base, width, symbols);
  return Done{};
}

// The words of a level of n symbols. Its padding is no code that needs the next level, so that
// these can be counted.
Result<ByteSpan> Decoder::ReadLevel(std::size_t n, unsigned width) {
  const auto words = reader_.Bytes(WordsFor(n) * width * kWordSize);
  if (!words) return Corrupt("it ends early");
  if (!PaddingIsZero(*words, n, width)) return Corrupt("its padding");
  return *words;
}

Status Decoder::ReadRanks(const PlaneMode& mode, std::size_t n, std::uint8_t* symbols) {
  const Levels levels = *LevelsOf(mode.narrow);
  std::array<ByteSpan, kLevelsMax> words;
  std::array<std::size_t, kLevelsMax + 1> sizes = {n};
  for (std::size_t k = 0; k < levels.count; ++k) {
    const unsigned width = levels.levels[k].width;
    PLUMB_TRY(words[k], ReadLevel(sizes[k], width));
    sizes[k + 1] = kernels_.count(words[k].data(), sizes[k], width);
  }
  const auto escapes = reader_.Bytes(sizes[levels.count]);
  if (!escapes) return Corrupt("it ends early");
  std::uint8_t* open = scratch_->levels[levels.count - 1].data();
  if (!escapes->empty()) std::memcpy(open, escapes->data(), escapes->size());
  for (std::size_t k = levels.count; k-- > 0;) {
    const Level& level = levels.levels[k];
    std::uint8_t* closed = k == 0 ? symbols : scratch_->levels[k - 1].data();
    kernels_.expand({level.width, mode.symbols.data() + level.first, words[k].data()}, sizes[k],
                    open, closed);
    open = closed;
  }
  return Done{};
}

// Symbols `begin` and the n - 1 behind it, of each plane of the field, into the units.
void Decoder::Put(const Field& field, const std::uint8_t* const* planes, std::size_t begin,
                  std::size_t n) {
  if (field.size == layout_.unit_size) {
    kernels_.merge(field.value, planes, n, units_.data() + begin * field.size);
    return;
  }
  kernels_.merge(field.value, planes, n, scratch_->values.data());
  const std::size_t per_unit = SymbolsPerUnit(field);
  std::byte* unit = units_.data() + begin / per_unit * layout_.unit_size + field.at;
  const std::byte* value = scratch_->values.data();
  for (std::size_t i = 0; i < n; i += per_unit) {
    std::memcpy(unit, value, field.size);
    unit += layout_.unit_size;
    value += field.size;
  }
}

}  // namespace

Status DecodeBlockWith(const Kernels& kernels, Method method, ByteSpan stored,
                       MutableByteSpan raw) {
  return Decoder(kernels, method, stored).Decode(raw);
}

Status DecodeBlock(Method method, ByteSpan stored, MutableByteSpan raw) {
  return DecodeBlockWith(BestKernels(), method, stored, raw);
}

}  // namespace plumb::codec
