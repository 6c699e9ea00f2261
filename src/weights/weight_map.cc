// SPDX-License-Identifier: MIT OR Apache-2.0
// {"metadata": {…}, "weight_map": {TENSOR: FILE, …}}
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "weights/tensor_index.h"

namespace plumb::weights {
namespace {

constexpr std::string_view kMapName = "weight_map";
constexpr std::string_view kSuffix = ".safetensors.index.json";
constexpr int kDepthMax = 16;  // two, and what others may put into "metadata"

Error NoMap(const std::string& why) {
  return Error{ErrorKind::kInvalid, "it is no index of shards: " + why};
}

// A name, not a path: an index speaks of the files beside it.
bool IsFileName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

class MapHandler final : public JsonHandler {
 public:
  Status OnOpenObject() override { return Open(name_ == kMapName); }
  Status OnOpenArray() override { return Open(false); }

  Status OnClose() override {
    --depth_;
    if (depth_ == 1) in_map_ = false;
    return Done{};
  }

  Status OnName(std::string_view name) override {
    if (depth_ == 1 || in_map_) name_ = name;
    return Done{};
  }

  Status OnValue(Json value) override {
    if (depth_ == 0) return NoMap("it is no object");
    if (depth_ == 1 && name_ == kMapName) return NoMap("its weight_map is none");
    if (!in_map_) return Done{};
    const std::string* const file = value.IfString();
    if (file == nullptr || !IsFileName(*file))
      return NoMap("tensor '" + Printable(name_) + "' is in no file beside it");
    if (map_.entries.size() == HeaderLimits().tensor_count_max)
      return Error{ErrorKind::kExhausted, "it names too many tensors"};
    const auto [found, is_new] = files_.try_emplace(*file, map_.files.size());
    if (is_new) map_.files.push_back(*file);
    map_.entries.push_back({std::move(name_), found->second});
    name_.clear();
    return Done{};
  }

  Result<WeightMap> Finish() && {
    if (!has_map_) return NoMap("it has no weight_map");
    std::ranges::sort(map_.entries, {}, &WeightMap::Entry::tensor);
    const auto twin = std::ranges::adjacent_find(map_.entries, std::ranges::equal_to(),
                                                 &WeightMap::Entry::tensor);
    if (twin != map_.entries.end())
      return NoMap("tensor '" + Printable(twin->tensor) + "' comes twice");
    return std::move(map_);
  }

 private:
  Status Open(bool is_map) {
    if (depth_ == 0 && is_map) is_map = false;  // no name was seen yet
    if (in_map_) return NoMap("tensor '" + Printable(name_) + "' is in no file beside it");
    if (depth_ == 1 && name_ == kMapName) {
      if (!is_map) return NoMap("its weight_map is none");
      if (std::exchange(has_map_, true)) return NoMap("it has two weight_maps");
      in_map_ = true;
    }
    ++depth_;
    return Done{};
  }

  WeightMap map_;
  std::map<std::string, std::size_t, std::less<>> files_;
  int depth_ = 0;
  bool has_map_ = false;
  bool in_map_ = false;
  std::string name_;  // of a member of the whole, or of the map
};

}  // namespace

bool IsNamedAsWeightMap(std::string_view path) { return ToLowerAscii(path).ends_with(kSuffix); }

Result<WeightMap> ReadWeightMap(ByteSpan json) {
  MapHandler handler;
  PLUMB_RETURN_IF_ERROR(ScanJson(AsText(json), handler, {kWeightMapSizeMax, kDepthMax}));
  return std::move(handler).Finish();
}

}  // namespace plumb::weights
