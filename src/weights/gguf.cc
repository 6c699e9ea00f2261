// SPDX-License-Identifier: MIT OR Apache-2.0
// The format: docs/gguf.md of ggml, "File Structure", versions 2 and 3, little-endian. What that
// leaves open and ggml's own reader (gguf.cpp) refuses is refused here, but for what harms nobody:
// tensors in another order than their data, and bytes between them.
#include <bit>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "weights/tensor_file_internal.h"

namespace plumb::weights {
namespace {

constexpr std::uint32_t kVersionMin = 2;
constexpr std::uint32_t kVersionMax = 3;
constexpr std::uint64_t kKeySizeMax = 65535;
constexpr std::uint64_t kTensorNameSizeMax = 64;
constexpr std::uint32_t kDimensionCountMax = 4;
constexpr std::uint64_t kAlignmentDefault = 32;
constexpr std::uint64_t kAlignmentMax = std::uint64_t{1} << 20;
constexpr std::string_view kAlignmentKey = "general.alignment";
// ggml takes no arrays of arrays; its specification does.
constexpr int kArrayDepthMax = 4;

enum class ValueType : std::uint8_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64,
};
constexpr std::string_view kTypeNames[] = {"u8",   "i8",  "u16", "i16", "u32", "i32", "f32",
                                           "bool", "str", "arr", "u64", "i64", "f64"};
constexpr std::uint64_t kTypeSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

// Reads on, and tells apart what is not there yet and what will never be.
class Cursor {
 public:
  Cursor(ByteSpan start, std::uint64_t file_size, std::uint64_t size_max)
      : start_(start), file_size_(file_size), size_max_(size_max) {}

  std::uint64_t position() const { return position_; }
  std::uint64_t left() const { return file_size_ - position_; }
  // Whether the last failure was only that `start` is too short.
  bool needs_more() const { return needs_more_; }

  Result<ByteSpan> Bytes(std::uint64_t size) {
    if (size > left())
      return Error{ErrorKind::kInvalid,
                   "the file is cut short, or its header says more than is there"};
    if (size > size_max_ - position_)
      return Error{ErrorKind::kExhausted,
                   "the header is longer than " + std::to_string(size_max_) + " bytes"};
    if (position_ + size > start_.size()) {
      needs_more_ = true;
      return Error{ErrorKind::kInvalid, "more of the file is needed"};
    }
    const ByteSpan bytes =
        start_.subspan(static_cast<std::size_t>(position_), static_cast<std::size_t>(size));
    position_ += size;
    return bytes;
  }

  Result<std::uint32_t> U32() {
    PLUMB_TRY(const ByteSpan bytes, Bytes(sizeof(std::uint32_t)));
    return *ByteReader(bytes).U32();
  }
  Result<std::uint64_t> U64() {
    PLUMB_TRY(const ByteSpan bytes, Bytes(sizeof(std::uint64_t)));
    return *ByteReader(bytes).U64();
  }
  // At most `size_max` bytes of UTF-8.
  Result<std::string> Text(std::uint64_t size_max, std::string_view what) {
    PLUMB_TRY(const std::uint64_t size, U64());
    if (size > size_max)
      return Error{ErrorKind::kInvalid,
                   std::string(what) + " is longer than " + std::to_string(size_max) + " bytes"};
    PLUMB_TRY(const ByteSpan bytes, Bytes(size));
    if (!IsUtf8(AsText(bytes)))
      return Error{ErrorKind::kInvalid, std::string(what) + " is no UTF-8"};
    return std::string(AsText(bytes));
  }

 private:
  const ByteSpan start_;
  const std::uint64_t file_size_;
  const std::uint64_t size_max_;
  std::uint64_t position_ = 0;
  bool needs_more_ = false;
};

template <typename Float>
std::string TextOf(Float value) {
  char text[64] = {};
  const auto end = std::to_chars(std::begin(text), std::end(text), value);
  return {text, end.ptr};
}

class GgufParser {
 public:
  GgufParser(ByteSpan start, std::uint64_t file_size, const HeaderLimits& limits)
      : file_size_(file_size), limits_(limits), cursor_(start, file_size, limits.size_max) {
    file_.format = TensorFormat::kGguf;
  }

  Result<std::optional<TensorFile>> Run() {
    const Status parsed = Parse();
    if (parsed) return std::optional(std::move(file_));
    if (cursor_.needs_more()) return std::optional<TensorFile>();
    return parsed.error();
  }

 private:
  Status Parse() {
    PLUMB_TRY([[maybe_unused]] const ByteSpan magic, cursor_.Bytes(kGgufMagic.size()));
    PLUMB_TRY(const std::uint32_t version, cursor_.U32());
    if (version < kVersionMin || version > kVersionMax) {
      const bool is_big_endian = (version & 0xFFFFU) == 0;
      return Error{ErrorKind::kUnsupported, is_big_endian
                                                ? "a big-endian GGUF file"
                                                : "GGUF of version " + std::to_string(version)};
    }
    PLUMB_TRY(const std::uint64_t tensor_count, cursor_.U64());
    PLUMB_TRY(const std::uint64_t metadata_count, cursor_.U64());
    if (tensor_count > limits_.tensor_count_max)
      return TooMany("tensors", limits_.tensor_count_max);
    if (metadata_count > limits_.metadata_count_max)
      return TooMany("metadata entries", limits_.metadata_count_max);
    for (std::uint64_t i = 0; i < metadata_count; ++i)
      PLUMB_RETURN_IF_ERROR(AddMetadata());
    for (std::uint64_t i = 0; i < tensor_count; ++i)
      PLUMB_RETURN_IF_ERROR(AddTensor());
    return EndHeader();
  }

  Status AddMetadata() {
    PLUMB_TRY(std::string name, cursor_.Text(kKeySizeMax, "the name of a metadata entry"));
    PLUMB_TRY(const ValueType type, Type());
    MetadataEntry entry = {std::move(name), std::string(kTypeNames[Index(type)]), {}};
    if (type == ValueType::kArray) {
      PLUMB_TRY(entry.type, SkipArray(1));
    } else if (type == ValueType::kString) {
      PLUMB_TRY(entry.text, cursor_.Text(UINT64_MAX, "the text of a metadata entry"));
    } else {
      PLUMB_TRY(entry.text, Scalar(type));
    }
    if (entry.name == kAlignmentKey) PLUMB_RETURN_IF_ERROR(SetAlignment(entry, type));
    file_.metadata.push_back(std::move(entry));
    return Done{};
  }

  static std::size_t Index(ValueType type) { return static_cast<std::size_t>(type); }

  Result<ValueType> Type() {
    PLUMB_TRY(const std::uint32_t number, cursor_.U32());
    if (number >= std::size(kTypeNames))
      return Error{ErrorKind::kUnsupported,
                   "metadata of the unknown type " + std::to_string(number)};
    return static_cast<ValueType>(number);
  }

  Result<std::string> Scalar(ValueType type) {
    PLUMB_TRY(const ByteSpan bytes, cursor_.Bytes(kTypeSizes[Index(type)]));
    std::uint64_t bits = 0;
    for (std::size_t i = bytes.size(); i-- > 0;)
      bits = bits << 8U | std::to_integer<std::uint64_t>(bytes[i]);
    switch (type) {
      case ValueType::kI8:
        return std::to_string(static_cast<std::int8_t>(bits));
      case ValueType::kI16:
        return std::to_string(static_cast<std::int16_t>(bits));
      case ValueType::kI32:
        return std::to_string(static_cast<std::int32_t>(bits));
      case ValueType::kI64:
        return std::to_string(static_cast<std::int64_t>(bits));
      case ValueType::kF32:
        return TextOf(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
      case ValueType::kF64:
        return TextOf(std::bit_cast<double>(bits));
      case ValueType::kBool:
        if (bits > 1) return Error{ErrorKind::kInvalid, "a truth value is neither 0 nor 1"};
        return std::string(bits == 1 ? "true" : "false");
      default:
        return std::to_string(bits);
    }
  }

  // Gives what it is: "arr[str,32000]".
  Result<std::string> SkipArray(int depth) {
    PLUMB_TRY(const ValueType type, Type());
    PLUMB_TRY(const std::uint64_t count, cursor_.U64());
    std::string what =
        "arr[" + std::string(kTypeNames[Index(type)]) + "," + std::to_string(count) + "]";
    if (type == ValueType::kArray) {
      if (depth == kArrayDepthMax)
        return Error{ErrorKind::kUnsupported, "arrays within arrays within arrays"};
      for (std::uint64_t i = 0; i < count; ++i) {
        PLUMB_TRY([[maybe_unused]] const std::string inner, SkipArray(depth + 1));
      }
      return what;
    }
    if (type == ValueType::kString) {
      // Each has a length at least: a count that cannot be is refused before it is walked.
      if (count > cursor_.left() / sizeof(std::uint64_t)) return TooMuch();
      for (std::uint64_t i = 0; i < count; ++i) {
        PLUMB_TRY(const std::uint64_t size, cursor_.U64());
        PLUMB_TRY([[maybe_unused]] const ByteSpan text, cursor_.Bytes(size));
      }
      return what;
    }
    const std::optional<std::uint64_t> size = CheckedMultiply(count, kTypeSizes[Index(type)]);
    if (!size) return TooMuch();
    PLUMB_TRY([[maybe_unused]] const ByteSpan items, cursor_.Bytes(*size));
    return what;
  }

  static Error TooMuch() {
    return Error{ErrorKind::kInvalid, "an array says it holds more than the file does"};
  }

  Status SetAlignment(const MetadataEntry& entry, ValueType type) {
    const std::optional<std::uint64_t> alignment = ParseUint64(entry.text);
    if (type != ValueType::kU32 || !alignment || !std::has_single_bit(*alignment) ||
        *alignment > kAlignmentMax)
      return Error{ErrorKind::kInvalid,
                   "general.alignment is no power of two up to " + std::to_string(kAlignmentMax)};
    alignment_ = *alignment;
    return Done{};
  }

  Status AddTensor() {
    TensorPlace tensor;
    PLUMB_TRY(tensor.name, cursor_.Text(kTensorNameSizeMax, "the name of a tensor"));
    PLUMB_TRY(const std::uint32_t dimension_count, cursor_.U32());
    if (dimension_count > kDimensionCountMax)
      return Error{ErrorKind::kInvalid, "tensor '" + Printable(tensor.name) + "' has " +
                                            std::to_string(dimension_count) + " dimensions"};
    // Innermost first, there.
    tensor.shape.resize(dimension_count);
    for (std::size_t i = dimension_count; i-- > 0;) {
      PLUMB_TRY(tensor.shape[i], cursor_.U64());
    }
    PLUMB_TRY(const std::uint32_t type, cursor_.U32());
    const std::optional<Dtype> dtype = DtypeOfGguf(type);
    if (!dtype)
      return Error{ErrorKind::kUnsupported, "tensor '" + Printable(tensor.name) +
                                                "' has elements of the unknown type " +
                                                std::to_string(type)};
    tensor.dtype = *dtype;
    const std::uint64_t row = tensor.shape.empty() ? 1 : tensor.shape.back();
    const std::optional<std::uint64_t> count = ElementCount(tensor.shape);
    const auto size = count ? SizeOf(*dtype, *count) : std::nullopt;
    if (!size || row % UnitOf(*dtype).elements != 0)
      return Error{ErrorKind::kInvalid,
                   "tensor '" + Printable(tensor.name) + "' has a shape that its type cannot have"};
    tensor.size = *size;
    PLUMB_TRY(tensor.offset, cursor_.U64());  // from where the data begins
    file_.tensors.push_back(std::move(tensor));
    return Done{};
  }

  Status EndHeader() {
    file_.header_size = cursor_.position();
    if (file_.tensors.empty()) return CheckTensors(file_, file_size_);
    file_.header_size = (file_.header_size + alignment_ - 1) / alignment_ * alignment_;
    for (TensorPlace& tensor : file_.tensors) {
      if (tensor.offset % alignment_ != 0)
        return Error{ErrorKind::kInvalid, "tensor '" + Printable(tensor.name) + "' is not aligned"};
      const auto offset = CheckedAdd(file_.header_size, tensor.offset);
      if (!offset)
        return Error{ErrorKind::kInvalid,
                     "tensor '" + Printable(tensor.name) + "' lies beyond the end of the file"};
      tensor.offset = *offset;
    }
    return CheckTensors(file_, file_size_);
  }

  const std::uint64_t file_size_;
  const HeaderLimits& limits_;
  Cursor cursor_;
  TensorFile file_;
  std::uint64_t alignment_ = kAlignmentDefault;
};

}  // namespace

Result<std::optional<TensorFile>> ReadGgufHeader(ByteSpan start, std::uint64_t file_size,
                                                 const HeaderLimits& limits) {
  return GgufParser(start, file_size, limits).Run();
}

}  // namespace plumb::weights
