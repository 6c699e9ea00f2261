// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <optional>

#include "store/recipe_internal.h"

namespace plumb::store {
namespace {

constexpr std::uint8_t kVersion = 1;
// Of a segment: kind, length and one byte.
constexpr std::uint64_t kSegmentSizeMin = 3;

Error Malformed() { return Error{ErrorKind::kCorrupt, "a recipe is malformed"}; }

template <std::size_t size>
bool TakeHash(ByteReader& reader, std::array<std::byte, size>& out) {
  const auto bytes = reader.Bytes(size);
  if (!bytes) return false;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return true;
}

Status TakeSegment(ByteReader& reader, Recipe& recipe) {
  const auto kind = reader.U8();
  const auto size = reader.Varint();
  if (!kind || !size || *size == 0) return Malformed();
  if (*kind == static_cast<std::uint8_t>(SegmentKind::kLiteral)) {
    const auto bytes = reader.Bytes(*size);
    if (!bytes) return Malformed();
    recipe.AddLiteral(*bytes);
    return Done{};
  }
  if (*kind != static_cast<std::uint8_t>(SegmentKind::kObject))
    return Error{ErrorKind::kUnsupported, "a recipe was written by a newer plumb"};
  Segment segment = {SegmentKind::kObject, *size, 0, {}};
  if (!TakeHash(reader, segment.object.bytes)) return Malformed();
  const auto offset = reader.Varint();
  if (!offset || *size > kObjectSizeMax || *offset > kObjectSizeMax - *size) return Malformed();
  segment.offset = *offset;
  recipe.segments.push_back(segment);
  return Done{};
}

}  // namespace

void Recipe::AddLiteral(ByteSpan bytes) {
  segments.push_back({SegmentKind::kLiteral, bytes.size(), literals.size(), {}});
  literals.append(AsText(bytes));
}

void Recipe::AddObject(const ObjectId& object, std::uint64_t object_size) {
  segments.push_back({SegmentKind::kObject, object_size, 0, object});
}

Result<Recipe> Recipe::Parse(std::string_view bytes) {
  if (bytes.size() > kRecipeSizeMax) return Malformed();
  ByteReader reader(AsBytes(bytes));
  const auto version = reader.U8();
  if (version && *version != kVersion)
    return Error{ErrorKind::kUnsupported, "a recipe was written by a newer plumb"};
  Recipe recipe;
  const auto size = reader.Varint();
  if (!size || !TakeHash(reader, recipe.digest.bytes)) return Malformed();
  recipe.size = *size;
  const auto count = reader.Varint();
  if (!count || *count > reader.rest().size() / kSegmentSizeMin) return Malformed();

  std::uint64_t total = 0;
  recipe.segments.reserve(static_cast<std::size_t>(*count));
  for (std::uint64_t i = 0; i < *count; ++i) {
    PLUMB_RETURN_IF_ERROR(TakeSegment(reader, recipe));
    const auto sum = CheckedAdd(total, recipe.segments.back().size);
    if (!sum) return Malformed();
    total = *sum;
  }
  if (!reader.AtEnd() || total != recipe.size) return Malformed();
  return recipe;
}

std::string Recipe::ToBytes() const {
  std::string bytes;
  bytes.push_back(static_cast<char>(kVersion));
  AppendVarint(bytes, size);
  bytes.append(AsText(digest.bytes));
  AppendVarint(bytes, segments.size());
  for (const Segment& segment : segments) {
    bytes.push_back(static_cast<char>(segment.kind));
    AppendVarint(bytes, segment.size);
    if (segment.kind == SegmentKind::kLiteral) {
      bytes.append(literals, static_cast<std::size_t>(segment.offset),
                   static_cast<std::size_t>(segment.size));
    } else {
      bytes.append(AsText(segment.object.bytes));
      AppendVarint(bytes, segment.offset);
    }
  }
  return bytes;
}

}  // namespace plumb::store
