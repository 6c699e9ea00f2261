// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/tensors.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/text.h"
#include "kit/layer_reader_internal.h"
#include "kit/target_names_internal.h"

namespace plumb::kit {
namespace {

// Holds the header of most adapters; each time it does not, twice as much is read.
constexpr std::size_t kStartSize = std::size_t{64} << 10;
// Beyond this it grows by as much: twice a large header would be memory for nothing.
constexpr std::size_t kGrowthMax = std::size_t{16} << 20;
// So often there is an ear for Ctrl-C.
constexpr std::size_t kReadSize = std::size_t{1} << 20;

bool IsNamedAsWeights(std::string_view path) {
  const std::string name = ToLowerAscii(path);
  return name.ends_with(".safetensors") || name.ends_with(".gguf");
}

bool HoldsWeights(const PackedEntry& layer) {
  const bool is_model = layer.media_type.type == oci::LayerType::kModel ||
                        layer.media_type.type == oci::LayerType::kModelPart;
  return is_model && layer.remote_path.empty();
}

class WeightsLister {
 public:
  WeightsLister(store::Store& store, Progress& progress) : store_(store), progress_(progress) {}

  Status Add(const PackedEntry& layer) {
    PLUMB_TRY(const auto files, LayerFiles::Open(store_, layer));
    task_ = progress_.Begin("tensors of " + layer.path, 0);
    for (;;) {
      if (progress_.StopRequested()) return Interrupted();
      PLUMB_TRY(const auto entry, files->Next());
      if (!entry) return Done{};
      if (entry->type == archive::TarEntryType::kDirectory) continue;
      PLUMB_TRY(std::string path, PlaceOf(*entry, layer));
      if (weights::IsNamedAsWeightMap(path)) {
        PLUMB_RETURN_IF_ERROR(AddMap(*files, std::move(path)));
      } else if (IsNamedAsWeights(path)) {
        PLUMB_TRY(const std::uint64_t size, FileSize(*entry, layer));
        WeightsFile file = {std::move(path), {}, layer.layer.digest, files->blob_offset()};
        PLUMB_RETURN_IF_ERROR(AddFile(*files, size, std::move(file)));
      }
      if (oci::IsRaw(layer.media_type.encoding)) return Done{};
      // What Next() would pass over, but with an ear for Ctrl-C: it must be decompressed.
      if (!files->blob_offset()) PLUMB_RETURN_IF_ERROR(ReadToEnd(*files));
    }
  }

  Weights Take() && { return std::move(found_); }

 private:
  Status AddFile(LayerFiles& files, std::uint64_t size, WeightsFile file) {
    std::vector<std::byte> start;
    for (std::size_t wanted = kStartSize;; wanted += std::min(wanted, kGrowthMax)) {
      PLUMB_TRY(const bool is_all, Grow(files, start, wanted));
      auto header = weights::ReadTensorHeader(start, size);
      if (header && !*header && !is_all) continue;
      if (header && *header) {
        file.header = **std::move(header);
        found_.files.push_back(std::move(file));
      } else {
        progress_.Warn("the tensors of '" + Printable(file.path) +
                       "' are not known: " + (header ? "it is cut short" : header.error().message));
        found_.unread.push_back(std::move(file.path));
      }
      return Done{};
    }
  }

  Status AddMap(LayerFiles& files, std::string path) {
    std::vector<std::byte> json;
    PLUMB_TRY([[maybe_unused]] const bool is_all,
              Grow(files, json, weights::kWeightMapSizeMax + 1));
    auto map = weights::ReadWeightMap(json);
    if (map) {
      found_.maps.push_back({std::move(path), *std::move(map)});
    } else {
      progress_.Warn("'" + Printable(path) + "' is passed over: " + map.error().message);
    }
    return Done{};
  }

  // Reads on until there are so many bytes; true if there are no more.
  static Result<bool> Grow(LayerFiles& files, std::vector<std::byte>& start, std::size_t wanted) {
    while (start.size() < wanted) {
      PLUMB_TRY(const ByteSpan bytes, files.Read(wanted - start.size()));
      if (bytes.empty()) return true;
      start.insert(start.end(), bytes.begin(), bytes.end());
    }
    return false;
  }

  // Of a compressed raw layer that does not say how long its file is, the bytes are counted.
  Result<std::uint64_t> FileSize(const archive::TarEntry& entry, const PackedEntry& layer) {
    const bool is_plain = layer.media_type.encoding == oci::LayerEncoding::kRaw;
    if (!oci::IsRaw(layer.media_type.encoding) || is_plain || layer.file.size) return entry.size;
    PLUMB_TRY(const auto files, LayerFiles::Open(store_, layer));
    PLUMB_TRY([[maybe_unused]] const auto file, files->Next());
    return ReadToEnd(*files);
  }

  // The rest of a file; how long it was.
  Result<std::uint64_t> ReadToEnd(LayerFiles& files) {
    for (std::uint64_t size = 0;;) {
      if (progress_.StopRequested()) return Interrupted();
      PLUMB_TRY(const ByteSpan bytes, files.Read(kReadSize));
      if (bytes.empty()) return size;
      size += bytes.size();
      task_->Advance(bytes.size());
    }
  }

  store::Store& store_;
  Progress& progress_;
  std::unique_ptr<ProgressTask> task_;  // of this layer
  Weights found_;
};

}  // namespace

Result<Weights> ListWeights(store::Store& store, const ModelKit& modelkit, Progress& progress) {
  PLUMB_TRY(const std::vector<PackedEntry> layers, PairLayers(modelkit));
  WeightsLister lister(store, progress);
  for (const PackedEntry& layer : layers)
    if (HoldsWeights(layer)) PLUMB_RETURN_IF_ERROR(lister.Add(layer));
  return std::move(lister).Take();
}

void WarnOfFaults(const Weights& weights, Progress& progress) {
  std::vector<weights::ShardFile> files;
  files.reserve(weights.files.size() + weights.unread.size());
  for (const WeightsFile& file : weights.files)
    files.push_back({file.path, &file.header});
  for (const std::string& path : weights.unread)
    files.push_back({path, nullptr});
  std::vector<weights::WeightMapFile> maps;
  maps.reserve(weights.maps.size());
  for (const WeightMapFile& file : weights.maps)
    maps.push_back({file.path, &file.map});
  for (const weights::TensorSet& set : weights::IndexTensors(files, maps))
    for (const std::string& fault : set.faults)
      progress.Warn("'" + Printable(set.path) + "': " + fault);
}

}  // namespace plumb::kit
