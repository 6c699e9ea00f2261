// SPDX-License-Identifier: MIT OR Apache-2.0
// An index that is read names each tensor once, in a file that it names; put together with files
// that hold half of the tensors, each is in one set once.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/check.h"
#include "weights/tensor_index.h"

namespace {

namespace weights = plumb::weights;

void CheckSets(const weights::WeightMap& map) {
  std::vector<weights::TensorFile> headers(map.files.size());
  for (std::size_t i = 0; i < map.entries.size(); i += 2)
    headers[map.entries[i].file].tensors.push_back({map.entries[i].tensor});
  std::vector<weights::ShardFile> files;
  for (std::size_t i = 0; i < map.files.size(); ++i)
    files.push_back({map.files[i], i % 3 == 2 ? nullptr : &headers[i]});
  const weights::WeightMapFile index = {"model.safetensors.index.json", &map};
  std::size_t file_count = 0;
  for (const weights::TensorSet& set : weights::IndexTensors(files, {&index, 1})) {
    file_count += set.files.size();
    PLUMB_CHECK(std::ranges::is_sorted(
        set.tensors, std::ranges::less(),
        [](const weights::IndexedTensor& tensor) { return tensor.place->name; }));
    for (const weights::IndexedTensor& tensor : set.tensors)
      PLUMB_CHECK(set.Find(tensor.place->name) == &tensor);
  }
  PLUMB_CHECK(file_count == files.size());
  // Without the index, names alone decide.
  file_count = 0;
  for (const weights::TensorSet& set : weights::IndexTensors(files, {}))
    file_count += set.files.size();
  PLUMB_CHECK(file_count == files.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto map = weights::ReadWeightMap(std::as_bytes(std::span(data, size)));
  if (!map) return 0;
  for (std::size_t i = 0; i < map->entries.size(); ++i) {
    PLUMB_CHECK(map->entries[i].file < map->files.size());
    PLUMB_CHECK(i == 0 || map->entries[i - 1].tensor < map->entries[i].tensor);
  }
  CheckSets(*map);
  return 0;
}
