// SPDX-License-Identifier: MIT OR Apache-2.0
#include "weights/dequantise.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "weights/dequantise_internal.h"

namespace plumb::weights {
namespace {

static_assert(std::numeric_limits<float>::is_iec559 && std::numeric_limits<double>::is_iec559);

const std::uint8_t* Unsigned(ByteSpan bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

template <typename Integer>
Integer LittleEndianAt(const std::uint8_t* bytes) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i)
    value = static_cast<Integer>(value | static_cast<Integer>(Integer{bytes[i]} << 8U * i));
  return value;
}

// `Bits` is an unsigned integer as wide as an element; `convert` makes a float of it.
template <typename Bits, typename Convert>
void FromBits(ByteSpan bytes, std::span<float> out, const Convert& convert) {
  const std::uint8_t* const from = Unsigned(bytes);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = convert(LittleEndianAt<Bits>(from + i * sizeof(Bits)));
}

// Integers: the standard leaves the rounding to the machine, which is set to nearest.
template <typename Bits, typename Number>
void FromIntegers(ByteSpan bytes, std::span<float> out) {
  FromBits<Bits>(bytes, out,
                 [](Bits bits) { return static_cast<float>(static_cast<Number>(bits)); });
}

// Floats of 8 bits: sign, exponent, fraction. What their highest bits mean is all that differs.
enum class Specials : std::uint8_t {
  kIeee,    // infinities and NaNs
  kOneNan,  // no infinity; all ones is NaN ("FN")
  kNoZero,  // neither; what would be the negative zero is NaN ("FNUZ")
};
struct SmallFloat {
  unsigned fraction_bits;
  int bias;
  Specials specials;
};

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

constexpr float PowerOfTwo(int exponent) {
  float power = 1;
  for (; exponent > 0; --exponent)
    power *= 2;
  for (; exponent < 0; ++exponent)
    power /= 2;
  return power;
}

constexpr float FloatOf(unsigned bits, SmallFloat format) {
  const unsigned magnitude = bits & 0x7FU;
  const bool is_negative = bits != magnitude;
  const unsigned fraction_count = 1U << format.fraction_bits;
  const unsigned exponent = magnitude / fraction_count;
  const unsigned fraction = magnitude % fraction_count;
  const unsigned exponent_max = 0x7FU / fraction_count;
  if (format.specials == Specials::kNoZero && bits == 0x80U) return kNan;
  if (format.specials == Specials::kOneNan && magnitude == 0x7FU) return kNan;
  if (format.specials == Specials::kIeee && exponent == exponent_max) {
    if (fraction != 0) return kNan;
    return is_negative ? -kInfinity : kInfinity;
  }
  // Without the hidden bit, the exponent is that of the smallest normal number.
  const unsigned digits = exponent == 0 ? fraction : fraction_count + fraction;
  const int scale = (exponent == 0 ? 1 : static_cast<int>(exponent)) - format.bias -
                    static_cast<int>(format.fraction_bits);
  const float value = static_cast<float>(digits) * PowerOfTwo(scale);
  return is_negative ? -value : value;
}

constexpr std::array<float, 256> TableOf(SmallFloat format) {
  std::array<float, 256> table = {};
  for (unsigned bits = 0; bits < table.size(); ++bits)
    table[bits] = FloatOf(bits, format);
  return table;
}
constexpr std::array<float, 256> kE4M3 = TableOf({3, 7, Specials::kOneNan});
constexpr std::array<float, 256> kE5M2 = TableOf({2, 15, Specials::kIeee});
constexpr std::array<float, 256> kE4M3Fnuz = TableOf({3, 8, Specials::kNoZero});
constexpr std::array<float, 256> kE5M2Fnuz = TableOf({2, 16, Specials::kNoZero});

// A power of two, without sign or fraction.
float FloatOfE8M0(std::uint8_t exponent) {
  if (exponent == 0xFFU) return kNan;
  const std::uint32_t bits = exponent == 0 ? 0x00400000U : std::uint32_t{exponent} << 23U;
  return std::bit_cast<float>(bits);
}

void FromTable(ByteSpan bytes, std::span<float> out, const std::array<float, 256>& table) {
  FromBits<std::uint8_t>(bytes, out, [&](std::uint8_t bits) { return table[bits]; });
}

// False if the type is none of these.
bool FromSmallFloats(Dtype dtype, ByteSpan bytes, std::span<float> out) {
  switch (dtype) {
    case Dtype::kF8E4M3:
      FromTable(bytes, out, kE4M3);
      return true;
    case Dtype::kF8E5M2:
      FromTable(bytes, out, kE5M2);
      return true;
    case Dtype::kF8E4M3Fnuz:
      FromTable(bytes, out, kE4M3Fnuz);
      return true;
    case Dtype::kF8E5M2Fnuz:
      FromTable(bytes, out, kE5M2Fnuz);
      return true;
    case Dtype::kF8E8M0:
      FromBits<std::uint8_t>(bytes, out, FloatOfE8M0);
      return true;
    default:
      return false;
  }
}

bool FromFloats(Dtype dtype, ByteSpan bytes, std::span<float> out) {
  switch (dtype) {
    case Dtype::kF16:
      FromBits<std::uint16_t>(bytes, out, [](std::uint16_t bits) { return FloatOfHalf(bits); });
      return true;
    case Dtype::kBf16:
      FromBits<std::uint16_t>(bytes, out, [](std::uint16_t bits) {
        return std::bit_cast<float>(std::uint32_t{bits} << 16U);
      });
      return true;
    case Dtype::kF32:
      FromBits<std::uint32_t>(bytes, out,
                              [](std::uint32_t bits) { return std::bit_cast<float>(bits); });
      return true;
    case Dtype::kF64:
      FromBits<std::uint64_t>(bytes, out, [](std::uint64_t bits) {
        return static_cast<float>(std::bit_cast<double>(bits));
      });
      return true;
    default:
      return false;
  }
}

bool FromIntegers(Dtype dtype, ByteSpan bytes, std::span<float> out) {
  switch (dtype) {
    case Dtype::kBool:
      FromBits<std::uint8_t>(bytes, out, [](std::uint8_t bits) { return bits == 0 ? 0.0F : 1.0F; });
      return true;
    case Dtype::kU8:
      FromIntegers<std::uint8_t, std::uint8_t>(bytes, out);
      return true;
    case Dtype::kI8:
      FromIntegers<std::uint8_t, std::int8_t>(bytes, out);
      return true;
    case Dtype::kU16:
      FromIntegers<std::uint16_t, std::uint16_t>(bytes, out);
      return true;
    case Dtype::kI16:
      FromIntegers<std::uint16_t, std::int16_t>(bytes, out);
      return true;
    case Dtype::kU32:
      FromIntegers<std::uint32_t, std::uint32_t>(bytes, out);
      return true;
    case Dtype::kI32:
      FromIntegers<std::uint32_t, std::int32_t>(bytes, out);
      return true;
    case Dtype::kU64:
      FromIntegers<std::uint64_t, std::uint64_t>(bytes, out);
      return true;
    case Dtype::kI64:
      FromIntegers<std::uint64_t, std::int64_t>(bytes, out);
      return true;
    default:
      return false;
  }
}

bool FromBlocks(Dtype dtype, ByteSpan bytes, std::span<float> out) {
  const BlockDecoder decode = BlockDecoderOf(dtype);
  if (decode == nullptr) return false;
  const DtypeUnit unit = UnitOf(dtype);
  const std::uint8_t* block = Unsigned(bytes);
  for (; !out.empty(); out = out.subspan(unit.elements)) {
    decode(block, out.data());
    block += unit.bytes;
  }
  return true;
}

bool Convert(Dtype dtype, ByteSpan bytes, std::span<float> out) {
  return FromFloats(dtype, bytes, out) || FromSmallFloats(dtype, bytes, out) ||
         FromIntegers(dtype, bytes, out) || FromBlocks(dtype, bytes, out);
}

}  // namespace

bool HasFloats(Dtype dtype) { return Convert(dtype, {}, {}); }

Status ToFloats(Dtype dtype, ByteSpan bytes, std::span<float> out) {
  if (SizeOf(dtype, out.size()) != bytes.size())
    return Error{ErrorKind::kInvalid, std::to_string(bytes.size()) + " bytes are not " +
                                          std::to_string(out.size()) + " elements of " +
                                          std::string(DtypeName(dtype))};
  if (!Convert(dtype, bytes, out))
    return Error{ErrorKind::kUnsupported,
                 "elements of " + std::string(DtypeName(dtype)) + " cannot be made floats"};
  return Done{};
}

}  // namespace plumb::weights
