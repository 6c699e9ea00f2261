// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tlog/tile.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace plumb::tlog {
namespace {

constexpr std::string_view kTile = "tile/";
constexpr std::string_view kEntries = "entries";
constexpr std::string_view kPartial = ".p/";
constexpr unsigned kTileLevelMax = 63;
// One way from a leaf to the root of the largest tree, and a little.
constexpr std::size_t kTilesKept = 16;

Error NotATile(std::string_view path) {
  return Error{ErrorKind::kInvalid, "'" + Printable(path.substr(0, 160)) + "' is no tile of a log"};
}

// A number as it is written without zeros in front.
std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return ParseUint64(text);
}

// Three digits a part, all but the last behind an x; the first not all zeros, if there are more.
std::optional<std::uint64_t> ParseIndex(std::string_view text) {
  std::string digits;
  while (true) {
    const std::size_t end = text.find('/');
    const bool is_last = end == std::string_view::npos;
    std::string_view part = text.substr(0, end);
    if (!is_last && !part.starts_with('x')) return std::nullopt;
    if (!is_last) part.remove_prefix(1);
    if (part.size() != 3 || (digits.empty() && !is_last && part == "000")) return std::nullopt;
    digits += part;
    if (is_last) break;
    text.remove_prefix(end + 1);
  }
  return ParseUint64(digits);
}

std::string IndexPath(std::uint64_t index) {
  std::string path;
  for (bool is_last = true; is_last || index > 0; is_last = false, index /= 1000) {
    const std::string digits = std::to_string(index % 1000);
    if (!is_last) path.insert(0, 1, '/');
    path.insert(0, digits);
    path.insert(0, 3 - digits.size(), '0');
    if (!is_last) path.insert(0, 1, 'x');
  }
  return path;
}

// The hash over `hashes`, of which there are a power of two.
Digest FoldHashes(std::string_view hashes) {
  if (hashes.size() == kHashSize) {
    Digest digest;
    std::ranges::copy(AsBytes(hashes), digest.bytes.begin());
    return digest;
  }
  const std::size_t half = hashes.size() / 2;
  return NodeHash(FoldHashes(hashes.substr(0, half)), FoldHashes(hashes.substr(half)));
}

}  // namespace

Result<TileName> TileName::Parse(std::string_view path) {
  std::string_view rest = path;
  if (!rest.starts_with(kTile)) return NotATile(path);
  rest.remove_prefix(kTile.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return NotATile(path);
  TileName name;
  const std::string_view level = rest.substr(0, slash);
  if (level == kEntries) {
    name.kind = TileKind::kEntries;
  } else {
    const auto number = ParseNumber(level);
    if (!number || *number > kTileLevelMax) return NotATile(path);
    name.level = static_cast<unsigned>(*number);
  }
  rest.remove_prefix(slash + 1);
  if (const std::size_t partial = rest.find(kPartial); partial != std::string_view::npos) {
    const auto width = ParseNumber(rest.substr(partial + kPartial.size()));
    if (!width || *width == 0 || *width >= kTileWidth) return NotATile(path);
    name.width = static_cast<std::size_t>(*width);
    rest = rest.substr(0, partial);
  }
  const auto index = ParseIndex(rest);
  if (!index) return NotATile(path);
  name.index = *index;
  return name;
}

std::string TileName::ToPath() const {
  PLUMB_CHECK(width > 0 && width <= kTileWidth);
  std::string path(kTile);
  path += kind == TileKind::kEntries ? std::string(kEntries) : std::to_string(level);
  path += "/" + IndexPath(index);
  if (width < kTileWidth) path += std::string(kPartial) + std::to_string(width);
  return path;
}

std::uint64_t TileHashCount(std::uint64_t size, unsigned level) {
  const unsigned shift = level * kTileHeight;
  return shift >= 64 ? 0 : size >> shift;
}

std::vector<TileName> NewTiles(std::uint64_t old_size, std::uint64_t new_size) {
  PLUMB_CHECK(old_size <= new_size);
  std::vector<TileName> names;
  for (unsigned level = 0; TileHashCount(new_size, level) > 0; ++level) {
    const std::uint64_t old_count = TileHashCount(old_size, level);
    const std::uint64_t count = TileHashCount(new_size, level);
    for (std::uint64_t at = old_count / kTileWidth * kTileWidth; old_count < count && at < count;
         at += kTileWidth) {
      const auto width = static_cast<std::size_t>(std::min<std::uint64_t>(count - at, kTileWidth));
      names.push_back({TileKind::kHashes, level, at / kTileWidth, width});
      if (level == 0) names.push_back({TileKind::kEntries, 0, at / kTileWidth, width});
    }
  }
  return names;
}

Result<std::vector<ByteSpan>> ParseEntryBundle(ByteSpan bundle, std::size_t count) {
  const Error invalid = {ErrorKind::kInvalid,
                         "that is no bundle of " + std::to_string(count) + " entries of a log"};
  std::vector<ByteSpan> entries;
  while (!bundle.empty()) {
    if (entries.size() == count || bundle.size() < 2) return invalid;
    const std::size_t size =
        std::to_integer<std::size_t>(bundle[0]) << 8U | std::to_integer<std::size_t>(bundle[1]);
    if (size > bundle.size() - 2) return invalid;
    entries.push_back(bundle.subspan(2, size));
    bundle = bundle.subspan(2 + size);
  }
  if (entries.size() != count) return invalid;
  return entries;
}

void AppendEntry(std::string& bundle, ByteSpan entry) {
  PLUMB_CHECK(entry.size() <= kEntrySizeMax);
  bundle.push_back(static_cast<char>(entry.size() >> 8U));
  bundle.push_back(static_cast<char>(entry.size() & 0xffU));
  bundle += AsText(entry);
}

Result<const std::string*> TileNodes::Find(const TileName& name) {
  const auto kept = std::ranges::find(kept_, name, &Kept::name);
  if (kept != kept_.end()) return &kept->bytes;
  PLUMB_TRY(std::string bytes, tiles_->ReadTile(name));
  if (bytes.size() != name.width * kHashSize)
    return Error{ErrorKind::kCorrupt, "'" + name.ToPath() + "' has another size than such a tile"};
  if (kept_.size() == kTilesKept) kept_.erase(kept_.begin());
  kept_.push_back({name, std::move(bytes)});
  return &kept_.back().bytes;
}

Result<Digest> TileNodes::ReadNode(unsigned level, std::uint64_t index) {
  const std::uint64_t count = level < 64 ? size_ >> level : 0;
  if (index >= count) return Error{ErrorKind::kNotFound, "no such node in a tree of that size"};
  const unsigned tile_level = level / kTileHeight;
  const unsigned above = level % kTileHeight;  // that many levels over the tile's own hashes
  const std::uint64_t first = index << above;
  const std::uint64_t tile = first / kTileWidth;
  const std::uint64_t width =
      std::min<std::uint64_t>(TileHashCount(size_, tile_level) - tile * kTileWidth, kTileWidth);
  PLUMB_TRY(const std::string* const bytes,
            Find({TileKind::kHashes, tile_level, tile, static_cast<std::size_t>(width)}));
  const auto at = static_cast<std::size_t>(first % kTileWidth);
  return FoldHashes(
      std::string_view(*bytes).substr(at * kHashSize, (std::size_t{1} << above) * kHashSize));
}

}  // namespace plumb::tlog
