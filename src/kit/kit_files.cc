// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/kit_files.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/parallel.h"
#include "kit/base_resolver.h"
#include "kit/entries_internal.h"
#include "kit/kit_files_internal.h"
#include "kit/layer_reader_internal.h"
#include "kit/rules_internal.h"
#include "kit/target_names_internal.h"

namespace plumb::kit {
namespace {

constexpr std::size_t kReadSize = std::size_t{4} << 20;

// Its digest is that of its file.
bool IsItsFile(const PackedEntry& layer) {
  return layer.media_type.encoding == oci::LayerEncoding::kRaw;
}

Result<std::vector<store::FileOfLayer>> ReadFiles(store::Store& store, const PackedEntry& layer,
                                                  Progress& progress) {
  const auto task = progress.Begin(
      "files of " + std::string(oci::LayerTypeName(layer.media_type.type)) + " layer " + layer.path,
      layer.layer.size);
  PLUMB_TRY(const auto content, LayerFiles::Open(store, layer));
  std::vector<store::FileOfLayer> files;
  for (;;) {
    PLUMB_TRY(const auto entry, content->Next());
    if (!entry) return files;
    if (entry->type != archive::TarEntryType::kFile) continue;
    Sha256Hasher hasher;
    for (;;) {
      if (progress.StopRequested()) return Interrupted();
      PLUMB_TRY(const ByteSpan bytes, content->Read(kReadSize));
      if (bytes.empty()) break;
      hasher.Add(bytes);
      task->Advance(bytes.size());
    }
    files.push_back({oci::IsRaw(layer.media_type.encoding) ? "" : entry->name, hasher.Finish()});
  }
}

// Whether its base is the same for ever, if it has one.
Result<bool> HasPinnedBase(const ModelKit& modelkit) {
  PLUMB_TRY(const auto base, BaseOf(modelkit));
  return !base || base->digest.has_value();
}

// Nothing if some base is not here, or if its name may mean another one tomorrow.
Result<std::optional<std::vector<ModelKit>>> BasesForEver(store::Store& store,
                                                          const ModelKit& modelkit) {
  std::optional<std::vector<ModelKit>> bases(std::in_place);
  PLUMB_TRY(const auto base, BaseOf(modelkit));
  if (base) {
    PLUMB_TRY(*bases, ResolveBases(*base, *MakeStoreResolver(store)));
  }
  PLUMB_TRY(bool are_pinned, HasPinnedBase(modelkit));
  for (const ModelKit& each : *bases) {
    PLUMB_TRY(const bool is_pinned, HasPinnedBase(each));
    are_pinned = are_pinned && is_pinned;
  }
  if (!are_pinned) bases.reset();
  return bases;
}

// What says of a kit that it has no files root, and not that nobody can tell.
bool IsAboutTheKit(ErrorKind kind) {
  return kind == ErrorKind::kNotFound || kind == ErrorKind::kInvalid ||
         kind == ErrorKind::kDenied || kind == ErrorKind::kExhausted;
}

Result<std::optional<Digest>> DeriveFilesRoot(store::Store& store, const ModelKit& modelkit) {
  PLUMB_TRY(const auto bases, BasesForEver(store, modelkit));
  if (!bases) return std::optional<Digest>();
  PLUMB_TRY(const auto layers, UnpackedEntries(*bases, modelkit));
  KitFiles files(store);
  PLUMB_TRY(const auto unknown, files.FindUnknown(layers));
  if (!unknown.empty()) return std::optional<Digest>();
  PLUMB_TRY(const FileList list, files.List(layers, modelkit.kitfile));
  return std::optional<Digest>(list.Root());
}

}  // namespace

Result<std::vector<PackedEntry>> UnpackedEntries(const std::vector<ModelKit>& bases,
                                                 const ModelKit& modelkit) {
  std::vector<PackedEntry> all;
  for (auto next = bases.rbegin(); next != bases.rend(); ++next) {
    PLUMB_TRY(std::vector<PackedEntry> entries, PairLayers(*next));
    std::ranges::copy_if(entries, std::back_inserter(all), [](const PackedEntry& entry) {
      const oci::LayerType type = entry.media_type.type;
      return (type == oci::LayerType::kModel || type == oci::LayerType::kModelPart) &&
             entry.part_type != kModelfilePartType;
    });
  }
  PLUMB_TRY(std::vector<PackedEntry> own, PairLayers(modelkit));
  std::ranges::move(own, std::back_inserter(all));
  return all;
}

void KitFiles::Tell(store::FilesOfLayer layer) {
  news_.insert(layer.layer);
  layers_.insert_or_assign(layer.layer, std::move(layer.files));
}

Result<std::vector<PackedEntry>> KitFiles::FindUnknown(const std::vector<PackedEntry>& layers) {
  std::vector<PackedEntry> unknown;
  std::set<Digest> asked;
  for (const PackedEntry& layer : layers) {
    const Digest& digest = layer.layer.digest;
    if (IsItsFile(layer) || layers_.contains(digest) || !asked.insert(digest).second) continue;
    PLUMB_TRY(auto files, store_.FindFilesOfLayer(digest));
    if (files) {
      layers_.emplace(digest, *std::move(files));
    } else {
      unknown.push_back(layer);
    }
  }
  return unknown;
}

Status KitFiles::Read(const std::vector<PackedEntry>& unknown, unsigned threads,
                      Progress& progress) {
  std::vector<std::vector<store::FileOfLayer>> found(unknown.size());
  PLUMB_RETURN_IF_ERROR(RunParallel(threads, unknown.size(), [&](std::size_t i) -> Status {
    PLUMB_TRY(found[i], ReadFiles(store_, unknown[i], progress));
    return Done{};
  }));
  for (std::size_t i = 0; i < unknown.size(); ++i)
    Tell({unknown[i].layer.digest, std::move(found[i])});
  return Done{};
}

Result<FileList> KitFiles::List(const std::vector<PackedEntry>& layers,
                                const blueprint::Kitfile& kitfile) const {
  std::vector<ListedFile> listed = {
      {std::string(kKitfileName), Sha256(AsBytes(blueprint::PrintKitfile(kitfile)))}};
  const auto list = [&](const std::string& name, const Digest& digest,
                        const PackedEntry& layer) -> Status {
    PLUMB_TRY(std::string place, PlaceOf({name, archive::TarEntryType::kFile, 0, 0}, layer));
    listed.push_back({std::move(place), digest});
    return Done{};
  };
  for (const PackedEntry& layer : layers) {
    if (IsItsFile(layer)) {
      PLUMB_RETURN_IF_ERROR(list(layer.file.path, layer.layer.digest, layer));
      continue;
    }
    const bool is_raw = oci::IsRaw(layer.media_type.encoding);
    for (const store::FileOfLayer& file : layers_.at(layer.layer.digest))
      PLUMB_RETURN_IF_ERROR(list(is_raw ? layer.file.path : file.name, file.digest, layer));
  }
  return FileList::Make(std::move(listed));
}

std::vector<store::FilesOfLayer> KitFiles::News() const {
  std::vector<store::FilesOfLayer> news;
  news.reserve(news_.size());
  for (const Digest& layer : news_)
    news.push_back({layer, layers_.at(layer)});
  return news;
}

Result<std::optional<Digest>> FindFilesRoot(store::Store& store, const ModelKit& modelkit) {
  PLUMB_TRY(const auto recorded, store.FindFilesRoot(modelkit.id));
  if (recorded) return recorded;
  auto derived = DeriveFilesRoot(store, modelkit);
  if (!derived && IsAboutTheKit(derived.error().kind)) return std::optional<Digest>();
  return derived;
}

}  // namespace plumb::kit
