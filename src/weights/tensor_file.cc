// SPDX-License-Identifier: MIT OR Apache-2.0
#include "weights/tensor_file.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "weights/tensor_file_internal.h"

namespace plumb::weights {
namespace {

// By offset; where several begin, the empty ones first, which overlap nothing; then as written.
void SortByPlace(std::vector<TensorPlace>& tensors) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(
      order, {}, [&](std::size_t i) { return std::tuple(tensors[i].offset, tensors[i].size, i); });
  std::vector<TensorPlace> sorted;
  sorted.reserve(tensors.size());
  for (const std::size_t i : order)
    sorted.push_back(std::move(tensors[i]));
  tensors = std::move(sorted);
}

// Of anything that has names.
template <typename Named>
const std::string* FindTwin(const std::vector<Named>& named) {
  std::vector<const std::string*> names;
  names.reserve(named.size());
  for (const Named& one : named)
    names.push_back(&one.name);
  const auto by_text = [](const std::string* a, const std::string* b) { return *a < *b; };
  std::ranges::sort(names, by_text);
  const auto same = [](const std::string* a, const std::string* b) { return *a == *b; };
  const auto twin = std::ranges::adjacent_find(names, same);
  return twin == names.end() ? nullptr : *twin;
}

}  // namespace

std::string_view TensorFormatName(TensorFormat format) {
  return format == TensorFormat::kGguf ? "gguf" : "safetensors";
}

std::optional<std::uint64_t> ElementCount(const std::vector<std::uint64_t>& shape) {
  // Before the others are multiplied, which may be too large by themselves.
  if (std::ranges::find(shape, std::uint64_t{0}) != shape.end()) return 0;
  std::optional<std::uint64_t> count = 1;
  for (const std::uint64_t dimension : shape) {
    count = CheckedMultiply(*count, dimension);
    if (!count) break;
  }
  return count;
}

Status CheckTensors(TensorFile& file, std::uint64_t file_size) {
  SortByPlace(file.tensors);
  std::uint64_t end = file.header_size;
  for (const TensorPlace& tensor : file.tensors) {
    const std::optional<std::uint64_t> tensor_end = CheckedAdd(tensor.offset, tensor.size);
    if (!tensor_end || *tensor_end > file_size)
      return Error{ErrorKind::kInvalid,
                   "tensor '" + Printable(tensor.name) + "' lies beyond the end of the file"};
    if (tensor.offset < end)
      return Error{ErrorKind::kInvalid,
                   "tensor '" + Printable(tensor.name) + "' overlaps what lies before it"};
    end = *tensor_end;
  }
  if (const std::string* twin = FindTwin(file.tensors))
    return Error{ErrorKind::kInvalid, "two tensors are called '" + Printable(*twin) + "'"};
  if (const std::string* twin = FindTwin(file.metadata))
    return Error{ErrorKind::kInvalid, "two metadata entries are called '" + Printable(*twin) + "'"};
  return Done{};
}

Error TooMany(std::string_view what, std::uint64_t count_max) {
  return Error{ErrorKind::kExhausted,
               "there are more than " + std::to_string(count_max) + " " + std::string(what)};
}

Result<std::optional<TensorFile>> ReadTensorHeader(ByteSpan start, std::uint64_t file_size,
                                                   const HeaderLimits& limits) {
  const std::string_view magic = AsText(start).substr(0, kGgufMagic.size());
  if (magic.size() < kGgufMagic.size() && start.size() < file_size)
    return std::optional<TensorFile>();
  if (magic == kGgufMagic) return ReadGgufHeader(start, file_size, limits);
  return ReadSafetensorsHeader(start, file_size, limits);
}

}  // namespace plumb::weights
