// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/tensors.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "base/text.h"
#include "kit/layer_reader_internal.h"

namespace plumb::kit {
namespace {

// Holds the header of most adapters; each time it does not, twice as much is read.
constexpr std::size_t kStartSize = std::size_t{64} << 10;
// All sizes that matter are below what a header may have.
constexpr std::size_t kGrowthMax = std::size_t{16} << 20;

bool IsNamedAsWeights(std::string_view path) {
  const std::string name = ToLowerAscii(path);
  return name.ends_with(".safetensors") || name.ends_with(".gguf");
}

class WeightsLister {
 public:
  WeightsLister(store::Store& store, Progress& progress) : store_(store), progress_(progress) {}

  Status Add(const PackedEntry& layer) {
    if (!layer.remote_path.empty()) return Done{};
    PLUMB_TRY(const auto files, LayerFiles::Open(store_, layer));
    for (;;) {
      if (progress_.StopRequested()) return Interrupted();
      PLUMB_TRY(const auto entry, files->Next());
      if (!entry) return Done{};
      if (entry->type == archive::TarEntryType::kFile && IsNamedAsWeights(entry->name))
        PLUMB_RETURN_IF_ERROR(AddFile(*files, *entry));
    }
  }

  std::vector<WeightsFile> Take() && { return std::move(found_); }

 private:
  Status AddFile(LayerFiles& files, const archive::TarEntry& entry) {
    std::vector<std::byte> start;
    for (std::size_t wanted = kStartSize;; wanted += std::min(wanted, kGrowthMax)) {
      PLUMB_TRY(const bool is_all, Grow(files, start, wanted));
      auto header = weights::ReadTensorHeader(start, entry.size);
      if (header && !*header && !is_all) continue;
      if (header && *header) {
        found_.push_back({entry.name, **std::move(header)});
      } else {
        progress_.Warn("the tensors of '" + Printable(entry.name) +
                       "' are not known: " + (header ? "it is cut short" : header.error().message));
      }
      return Done{};
    }
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

  store::Store& store_;
  Progress& progress_;
  std::vector<WeightsFile> found_;
};

}  // namespace

Result<std::vector<WeightsFile>> ListWeights(store::Store& store, const ModelKit& modelkit,
                                             Progress& progress) {
  PLUMB_TRY(const std::vector<PackedEntry> layers, PairLayers(modelkit));
  WeightsLister lister(store, progress);
  for (const PackedEntry& layer : layers) {
    const bool is_model = layer.media_type.type == oci::LayerType::kModel ||
                          layer.media_type.type == oci::LayerType::kModelPart;
    if (is_model) PLUMB_RETURN_IF_ERROR(lister.Add(layer));
  }
  return std::move(lister).Take();
}

}  // namespace plumb::kit
