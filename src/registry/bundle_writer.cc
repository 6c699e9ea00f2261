// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "archive/tar_writer.h"
#include "registry/bundle.h"
#include "registry/checked_sink_internal.h"
#include "registry/layout_internal.h"

namespace plumb::registry {
namespace {

constexpr std::uint32_t kFileMode = 0644;
constexpr std::uint32_t kDirectoryMode = 0755;
constexpr archive::TarEntryType kFile = archive::TarEntryType::kFile;
constexpr archive::TarEntryType kDirectory = archive::TarEntryType::kDirectory;

class BundleWriter {
 public:
  BundleWriter(store::Store& store, ByteSink& sink, Progress& progress)
      : store_(store), sink_(sink), progress_(progress) {}

  // `kits` in the order of the index.
  Result<BundleReport> Write(const std::vector<BundleKit>& kits) {
    oci::Index index;
    for (const BundleKit& kit : kits) {
      PLUMB_TRY(oci::Descriptor descriptor, Load(kit.manifest));
      index.entries.push_back({std::move(descriptor), kit.name});
    }
    PLUMB_RETURN_IF_ERROR(WriteFile(kMarkerFile, oci::WriteLayoutMarker()));
    PLUMB_RETURN_IF_ERROR(WriteFile(kIndexFile, oci::WriteIndex(index)));
    for (const std::string_view directory : {kAlgorithms, kBlobs})
      PLUMB_RETURN_IF_ERROR(WriteHeader({std::string(directory), kDirectory, kDirectoryMode, 0}));
    for (const oci::IndexEntry& entry : index.entries)
      PLUMB_RETURN_IF_ERROR(WriteBlob(entry.descriptor));
    for (const oci::IndexEntry& entry : index.entries)
      PLUMB_RETURN_IF_ERROR(WriteBlob(manifests_.at(entry.descriptor.digest).config));
    for (const oci::IndexEntry& entry : index.entries) {
      for (const oci::Descriptor& layer : manifests_.at(entry.descriptor.digest).layers)
        PLUMB_RETURN_IF_ERROR(WriteBlob(layer));
    }
    PLUMB_RETURN_IF_ERROR(WriteText(archive::TarEnd()));
    return report_;
  }

 private:
  // The manifest, and what the index says of it.
  Result<oci::Descriptor> Load(const Digest& id) {
    PLUMB_TRY(const std::string bytes, store::ReadBlob(store_, id, oci::kManifestSizeMax));
    PLUMB_TRY(oci::Manifest manifest, oci::Manifest::Parse(bytes));
    oci::Descriptor descriptor = {manifest.media_type, id, bytes.size()};
    if (descriptor.media_type.empty()) descriptor.media_type = oci::kManifestMediaType;
    manifests_.emplace(id, std::move(manifest));
    return descriptor;
  }

  Status WriteText(std::string_view text) {
    report_.bytes += text.size();
    return sink_.Write(AsBytes(text));
  }

  Status WriteHeader(const archive::TarEntry& entry) {
    PLUMB_TRY(const std::string header, archive::TarHeader(entry));
    return WriteText(header);
  }

  Status WritePadding(std::uint64_t size) {
    return WriteText(std::string(static_cast<std::size_t>(archive::TarPadding(size)), '\0'));
  }

  Status WriteFile(std::string_view name, std::string_view text) {
    PLUMB_RETURN_IF_ERROR(WriteHeader({std::string(name), kFile, kFileMode, text.size()}));
    PLUMB_RETURN_IF_ERROR(WriteText(text));
    return WritePadding(text.size());
  }

  Status WriteBlob(const oci::Descriptor& blob) {
    if (!written_.insert(blob.digest).second) return Done{};
    PLUMB_TRY(const auto source, store_.OpenBlob(blob.digest, 0));
    PLUMB_RETURN_IF_ERROR(WriteHeader({BlobPath(blob.digest), kFile, kFileMode, blob.size}));
    // The store has compared the bytes with what it knows of them; that the manifest says the
    // same of their number is compared here.
    CheckedSink checked(blob, 0, Hashing::kNo, sink_, progress_);
    PLUMB_RETURN_IF_ERROR(CopyAll(*source, checked));
    PLUMB_RETURN_IF_ERROR(checked.Finish());
    report_.bytes += blob.size;
    return WritePadding(blob.size);
  }

  store::Store& store_;
  ByteSink& sink_;
  Progress& progress_;
  std::map<Digest, oci::Manifest> manifests_;
  std::set<Digest> written_;
  BundleReport report_;
};

}  // namespace

Result<BundleReport> WriteBundle(store::Store& store, std::vector<BundleKit> kits, ByteSink& sink,
                                 Progress& progress) {
  const auto key = [](const BundleKit& kit) { return std::tie(kit.name, kit.manifest); };
  const auto is_before = [&](const auto& a, const auto& b) { return key(a) < key(b); };
  const auto is_same = [&](const auto& a, const auto& b) { return key(a) == key(b); };
  std::ranges::sort(kits, is_before);
  kits.erase(std::unique(kits.begin(), kits.end(), is_same), kits.end());
  std::set<Digest> named;
  for (const BundleKit& kit : kits)
    if (!kit.name.empty()) named.insert(kit.manifest);
  std::erase_if(
      kits, [&](const BundleKit& kit) { return kit.name.empty() && named.contains(kit.manifest); });
  for (std::size_t i = 1; i < kits.size(); ++i) {
    if (kits[i].name.empty() || kits[i].name != kits[i - 1].name) continue;
    return Error{ErrorKind::kConflict, "two kits cannot both be called '" + kits[i].name + "'"};
  }
  return BundleWriter(store, sink, progress).Write(kits);
}

}  // namespace plumb::registry
