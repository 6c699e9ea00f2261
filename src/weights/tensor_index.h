// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_WEIGHTS_TENSOR_INDEX_H_
#define PLUMB_WEIGHTS_TENSOR_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "weights/tensor_file.h"

// A model is often kept in several files, its shards. Which tensor lies in which of them is said by
// a file beside them ("model.safetensors.index.json", as Hugging Face's transformers writes it), or
// by their names and headers alone ("w-00001-of-00003.gguf", as llama-gguf-split writes them).
namespace plumb::weights {

// What an index file says: in which file each tensor is.
struct WeightMap {
  struct Entry {
    std::string tensor;
    std::size_t file = 0;  // of `files`

    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::vector<std::string> files;  // names in the directory of the index, each once
  std::vector<Entry> entries;      // by tensor, each once

  friend bool operator==(const WeightMap&, const WeightMap&) = default;
};

// The largest that is known has 16 MB.
inline constexpr std::size_t kWeightMapSizeMax = std::size_t{64} << 20;

// Whether a file is called as an index file is.
bool IsNamedAsWeightMap(std::string_view path);

// Reads an index file, whole; what else it says is passed over.
//
// Trust: the bytes are an enemy's; memory is a small multiple of them. kInvalid: it is no such
// JSON, names a tensor twice, or a file that is not beside it; kExhausted: over kWeightMapSizeMax,
// or more tensors than HeaderLimits has.
Result<WeightMap> ReadWeightMap(ByteSpan json);

// A file that may be a shard. What it points to must outlive what is made of it.
struct ShardFile {
  std::string_view path;
  const TensorFile* header = nullptr;  // null: it is there, and could not be read
};
struct WeightMapFile {
  std::string_view path;
  const WeightMap* map = nullptr;
};

// Where a tensor is: in a file (of those given), which says the rest.
struct IndexedTensor {
  const TensorPlace* place = nullptr;
  std::size_t file = 0;

  friend bool operator==(const IndexedTensor&, const IndexedTensor&) = default;
};

// The tensors of one model, whatever number of files they are in.
//
// Promises: each file given is in one set only; each name is in `tensors` once. If several files
// have a tensor, it is that of the file which the index names, else of the first.
struct TensorSet {
  std::string path;                    // of its index; without one, of its first file
  std::vector<std::size_t> files;      // of those given, in the order of shards
  std::vector<IndexedTensor> tensors;  // by name
  // In words, what does not fit: a shard that is missing, a tensor that two shards have, or none.
  // Of many the first ones, and how many more there are.
  std::vector<std::string> faults;

  // Null if there is none of that name.
  const IndexedTensor* Find(std::string_view name) const;
};

// Puts files together into sets: first those that an index names, then those whose names say that
// they are shards of one series, and each other file by itself. Paths are told apart byte by byte.
//
// Trust: the headers and maps are an enemy's; time and memory are those of sorting them.
std::vector<TensorSet> IndexTensors(std::span<const ShardFile> files,
                                    std::span<const WeightMapFile> maps);

}  // namespace plumb::weights

#endif  // PLUMB_WEIGHTS_TENSOR_INDEX_H_
