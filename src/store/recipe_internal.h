// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_RECIPE_INTERNAL_H_
#define PLUMB_STORE_RECIPE_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/object_id.h"

// How a blob is put together from objects: docs/format.md, "Recipes".
namespace plumb::store {

// An object that is longer lies in several frames, each of a block of this size.
inline constexpr std::size_t kBlockSizeMax = std::size_t{1} << 20;
inline constexpr std::uint64_t kObjectSizeMax = std::uint64_t{1} << 40;
// What one frame holds of an object at most: stores of before 2026-12 had no blocks.
inline constexpr std::size_t kFramedObjectSizeMax = std::size_t{4} << 20;
// A piece of at most this size costs less in the recipe than as an object; a tensor is worth more,
// as others may have it too.
inline constexpr std::size_t kLiteralSizeMax = 4096;
inline constexpr std::size_t kTensorSizeMin = 512;
inline constexpr std::size_t kRecipeSizeMax = std::size_t{64} << 20;

enum class SegmentKind : std::uint8_t { kLiteral = 0, kObject = 1 };

struct Segment {
  SegmentKind kind = SegmentKind::kLiteral;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;  // of a literal in `literals` of its recipe, else in the object
  ObjectId object;

  friend bool operator==(const Segment&, const Segment&) = default;
};

struct Recipe {
  std::uint64_t size = 0;
  Digest digest;
  std::vector<Segment> segments;
  std::string literals;  // of all segments, one behind the other

  // Each `size` is at least 1.
  void AddLiteral(ByteSpan bytes);
  void AddObject(const ObjectId& object, std::uint64_t size);

  // kCorrupt for anything but what the format allows; kUnsupported for a newer one.
  static Result<Recipe> Parse(std::string_view bytes);
  std::string ToBytes() const;

  friend bool operator==(const Recipe&, const Recipe&) = default;
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_RECIPE_INTERNAL_H_
