// SPDX-License-Identifier: MIT OR Apache-2.0
#include "registry/kit_store.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/text.h"
#include "host/file_streams.h"
#include "registry/checked_sink_internal.h"
#include "registry/indexed_remote_internal.h"
#include "registry/kit_tags_internal.h"
#include "registry/layout_internal.h"

namespace plumb::registry {
namespace {

constexpr std::string_view kIndexSuffix = "-index.json";
constexpr std::string_view kTagsSuffix = "-tags.json";
// What kit calls the host of a kit that has none.
constexpr std::string_view kLocalHost = "localhost/";

// Blobs in a directory that is held open; no symlink in it is followed.
class StoreRemote final : public IndexedRemote {
 public:
  StoreRemote(std::string label, oci::Index index, std::shared_ptr<host::Directory> directory)
      : IndexedRemote(std::move(label), std::move(index)), directory_(std::move(directory)) {}

  Result<bool> HasBlob(const oci::Descriptor& blob) override {
    const auto state = directory_->State(BlobPath(blob.digest));
    if (!state && state.error().kind == ErrorKind::kNotFound) return false;
    if (!state) return state.error();
    return state->type == host::FileType::kRegular && state->size == blob.size;
  }

 protected:
  Status Fetch(const oci::Descriptor& blob, std::uint64_t offset, ByteSink& sink,
               Progress& progress) override {
    const auto file = directory_->Open(BlobPath(blob.digest), host::OpenHow::kRead);
    if (!file && file.error().kind == ErrorKind::kNotFound) return NotThere(blob);
    if (!file) return file.error();
    host::FileSource source(**file, offset);
    CheckedSink checked(blob, offset, Hashing::kNo, sink, progress);
    PLUMB_RETURN_IF_ERROR(CopyAll(source, checked));
    return checked.Finish();
  }

 private:
  const std::shared_ptr<host::Directory> directory_;
};

// The repository that an index is of, by the name of its file; nothing for other files.
std::optional<std::string> RepositoryOf(std::string_view file) {
  if (!file.ends_with(kIndexSuffix)) return std::nullopt;
  std::string text(file.substr(0, file.size() - kIndexSuffix.size()));
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  const auto name = DecodeBase64(text);
  if (!name) return std::nullopt;
  std::string repository = *name;
  if (repository.starts_with(kLocalHost)) repository.erase(0, kLocalHost.size());
  const auto reference = oci::Reference::Parse(repository);
  const bool is_name = reference && reference->Name() == repository;
  return is_name ? std::optional(repository) : std::nullopt;
}

// The index in that file, with the tags that are kept in another beside it.
Result<oci::Index> ReadIndex(host::Directory& directory, const std::string& file) {
  PLUMB_TRY(const std::string text, host::ReadFile(directory, file, oci::kManifestSizeMax));
  PLUMB_TRY(oci::Index index, oci::Index::Parse(text));
  const std::string stem = file.substr(0, file.size() - kIndexSuffix.size());
  const auto tags =
      host::ReadFile(directory, stem + std::string(kTagsSuffix), oci::kManifestSizeMax);
  if (!tags && tags.error().kind == ErrorKind::kNotFound) return index;
  if (!tags) return tags.error();
  return AddKitTags(index, *tags);
}

}  // namespace

Result<std::vector<KitRepository>> OpenKitStore(host::Files& files, const std::string& path) {
  PLUMB_TRY(auto opened, files.OpenDirectory(path, host::IfMissing::kFail));
  const std::shared_ptr<host::Directory> directory = std::move(opened);
  PLUMB_TRY(const auto entries, directory->List(""));
  std::vector<KitRepository> repositories;
  for (const host::DirectoryEntry& entry : entries) {
    auto name = RepositoryOf(entry.name);
    if (!name) continue;
    auto index = ReadIndex(*directory, entry.name);
    if (!index)
      return std::move(index).error().While("cannot read the index of '" + *name +
                                            "' in kit's store");
    auto remote = std::make_unique<StoreRemote>(*name, *index, directory);
    repositories.push_back(
        {*std::move(name), Layout{std::move(remote), *std::move(index), BlobOrder::kAny}});
  }
  if (repositories.empty())
    return Error{ErrorKind::kNotFound, "'" + path + "' is no store of kit with kits in it"};
  return repositories;
}

}  // namespace plumb::registry
