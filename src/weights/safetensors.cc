// SPDX-License-Identifier: MIT OR Apache-2.0
// The format: README of safetensors, "Format". Eight bytes of length, a JSON object, the data.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "weights/tensor_file_internal.h"

namespace plumb::weights {
namespace {

constexpr std::uint64_t kLengthSize = 8;
constexpr std::string_view kMetadataName = "__metadata__";
constexpr std::size_t kDimensionCountMax = 64;  // as torch has it
constexpr int kDepthMax = 3;                    // {tensor: {member: [number]}}

// Makes tensors of the JSON as it is read: kept as values, a header could take forty times its
// size.
class HeaderHandler final : public JsonHandler {
 public:
  HeaderHandler(TensorFile& file, const HeaderLimits& limits) : file_(file), limits_(limits) {}

  Status OnOpenObject() override {
    if (depth_ > 0 && (depth_ != 1 || is_array_)) return Unexpected();
    ++depth_;
    if (depth_ == 2 && !in_metadata_) {
      if (file_.tensors.size() == limits_.tensor_count_max)
        return TooMany("tensors", limits_.tensor_count_max);
      seen_ = {};
      begin_ = end_ = std::nullopt;
      file_.tensors.push_back({name_});
    }
    return Done{};
  }

  Status OnOpenArray() override {
    const bool is_expected =
        depth_ == 2 && !in_metadata_ && (member_ == Member::kShape || member_ == Member::kOffsets);
    if (!is_expected) return Unexpected();
    ++depth_;
    is_array_ = true;
    return Done{};
  }

  Status OnClose() override {
    --depth_;
    if (is_array_) {
      is_array_ = false;
      return Done{};
    }
    if (depth_ != 1) return Done{};
    if (std::exchange(in_metadata_, false)) return Done{};
    return EndTensor();
  }

  Status OnName(std::string_view name) override {
    if (depth_ == 1) {
      name_ = name;
      in_metadata_ = name == kMetadataName;
      if (in_metadata_ && std::exchange(has_metadata_, true)) return Twice();
      return Done{};
    }
    if (in_metadata_) {
      if (file_.metadata.size() == limits_.metadata_count_max)
        return TooMany("metadata entries", limits_.metadata_count_max);
      file_.metadata.push_back({std::string(name), "str", {}});
      return Done{};
    }
    return BeginMember(name);
  }

  Status OnValue(Json value) override {
    if (depth_ == 2 && in_metadata_ && value.IfString() != nullptr) {
      file_.metadata.back().text = *value.IfString();
      return Done{};
    }
    if (depth_ == 2 && !in_metadata_ && member_ == Member::kDtype && value.IfString() != nullptr)
      return SetDtype(*value.IfString());
    if (depth_ == 3) {
      const auto number = value.ToUint64();
      if (number) return AddNumber(*number);
    }
    return Unexpected();
  }

 private:
  enum class Member : std::uint8_t { kDtype, kShape, kOffsets };

  Error Unexpected() const {
    return Error{ErrorKind::kInvalid,
                 depth_ == 0 ? std::string("the header is no JSON object")
                             : "'" + Printable(name_) + "' is not described as a tensor is"};
  }
  Error Twice() const {
    return Error{ErrorKind::kInvalid, "'" + Printable(name_) + "' says one thing twice"};
  }

  Status BeginMember(std::string_view name) {
    constexpr std::string_view kNames[] = {"dtype", "shape", "data_offsets"};
    const auto* const found = std::ranges::find(kNames, name);
    if (found == std::end(kNames)) return Unexpected();
    const auto index = static_cast<std::size_t>(found - std::begin(kNames));
    member_ = static_cast<Member>(index);
    if (std::exchange(seen_[index], true)) return Twice();
    return Done{};
  }

  Status SetDtype(const std::string& name) {
    const std::optional<Dtype> dtype = DtypeOfSafetensors(name);
    if (!dtype)
      return Error{ErrorKind::kUnsupported, "tensor '" + Printable(name_) +
                                                "' has elements of the unknown type '" +
                                                Printable(name) + "'"};
    file_.tensors.back().dtype = *dtype;
    return Done{};
  }

  Status AddNumber(std::uint64_t number) {
    if (member_ == Member::kShape) {
      std::vector<std::uint64_t>& shape = file_.tensors.back().shape;
      if (shape.size() == kDimensionCountMax) return TooMany("dimensions", kDimensionCountMax);
      shape.push_back(number);
      return Done{};
    }
    if (end_) return Unexpected();
    (begin_ ? end_ : begin_) = number;
    return Done{};
  }

  Status EndTensor() {
    TensorPlace& tensor = file_.tensors.back();
    if (std::ranges::find(seen_, false) != seen_.end() || !end_ || *end_ < *begin_)
      return Unexpected();
    const std::optional<std::uint64_t> count = ElementCount(tensor.shape);
    const auto size = count ? SizeOf(tensor.dtype, *count) : std::nullopt;
    if (size != *end_ - *begin_)
      return Error{ErrorKind::kInvalid,
                   "tensor '" + Printable(name_) + "' has another size than its type and shape"};
    tensor.offset = *begin_;  // from where the data begins
    tensor.size = *size;
    return Done{};
  }

  TensorFile& file_;
  const HeaderLimits& limits_;
  int depth_ = 0;
  bool is_array_ = false;
  bool has_metadata_ = false;
  bool in_metadata_ = false;
  std::string name_;
  Member member_ = Member::kDtype;
  std::array<bool, 3> seen_ = {};
  std::optional<std::uint64_t> begin_;
  std::optional<std::uint64_t> end_;
};

Error NoTensors() {
  return Error{ErrorKind::kInvalid, "it is neither a safetensors nor a GGUF file"};
}

}  // namespace

Result<std::optional<TensorFile>> ReadSafetensorsHeader(ByteSpan start, std::uint64_t file_size,
                                                        const HeaderLimits& limits) {
  if (file_size <= kLengthSize) return NoTensors();
  ByteReader reader(start);
  const std::optional<std::uint64_t> length = reader.U64();
  if (!length) return std::optional<TensorFile>();
  if (*length < 2 || *length > file_size - kLengthSize) return NoTensors();
  if (!reader.rest().empty() && AsText(reader.rest()).front() != '{') return NoTensors();
  if (*length > limits.size_max)
    return Error{ErrorKind::kExhausted,
                 "the header is longer than " + std::to_string(limits.size_max) + " bytes"};
  const std::optional<ByteSpan> header = reader.Bytes(*length);
  if (!header) return std::optional<TensorFile>();

  TensorFile file;
  file.header_size = kLengthSize + *length;
  HeaderHandler handler(file, limits);
  PLUMB_RETURN_IF_ERROR(ScanJson(AsText(*header), handler, {header->size(), kDepthMax}));
  for (TensorPlace& tensor : file.tensors) {
    // Only a length of the file, and a number below it, were added until now.
    const auto offset = CheckedAdd(file.header_size, tensor.offset);
    if (!offset)
      return Error{ErrorKind::kInvalid,
                   "tensor '" + Printable(tensor.name) + "' lies beyond the end of the file"};
    tensor.offset = *offset;
  }
  PLUMB_RETURN_IF_ERROR(CheckTensors(file, file_size));
  // What no tensor describes could be anything: another file, for another reader.
  std::uint64_t end = file.header_size;
  for (const TensorPlace& tensor : file.tensors) {
    if (tensor.offset != end) break;
    end += tensor.size;
  }
  if (end != file_size)
    return Error{ErrorKind::kInvalid,
                 "at " + std::to_string(end) + " there are bytes that belong to no tensor"};
  return std::optional(std::move(file));
}

}  // namespace plumb::weights
