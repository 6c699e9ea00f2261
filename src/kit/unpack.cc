// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/unpack.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "base/parallel.h"
#include "base/text.h"
#include "kit/entries_internal.h"
#include "kit/filter_internal.h"
#include "kit/kit_files_internal.h"
#include "kit/layer_reader_internal.h"
#include "kit/new_file_internal.h"
#include "kit/rules_internal.h"
#include "kit/target_names_internal.h"

namespace plumb::kit {
namespace {

constexpr std::size_t kReadSize = std::size_t{4} << 20;
constexpr std::uint32_t kPlainMode = 0644;
constexpr std::uint32_t kExecutableMode = 0755;
constexpr std::uint32_t kDirectoryMode = 0755;
constexpr std::uint32_t kExecutableBits = 0111;
// So many files of other unpackings into the same directory are passed over.
constexpr std::size_t kOthersMax = 10000;

// What the bases bring along, and then the ModelKit's own.
Result<std::vector<PackedEntry>> AllEntries(BaseResolver& resolver, const ModelKit& modelkit,
                                            const std::vector<Filter>& filters) {
  std::vector<ModelKit> bases;
  PLUMB_TRY(const auto base, BaseOf(modelkit));
  // Where nothing of them can be wanted they need not be to be had.
  const bool are_wanted = filters.empty() || std::ranges::any_of(filters, MayMatchModels);
  if (base && are_wanted) {
    PLUMB_TRY(bases, ResolveBases(*base, resolver));
  }
  return UnpackedEntries(bases, modelkit);
}

// Datasets that are elsewhere: what can be chosen, and cannot be unpacked.
void AddRemote(const blueprint::Kitfile& kitfile, std::vector<PackedEntry>& entries) {
  for (const blueprint::Dataset& dataset : kitfile.datasets) {
    if (dataset.remote_path.empty()) continue;
    PackedEntry entry;
    entry.media_type.type = oci::LayerType::kDataset;
    entry.name = dataset.name;
    entry.path = dataset.path;
    entry.remote_path = dataset.remote_path;
    entries.push_back(std::move(entry));
  }
}

// Takes them out again, and says so.
void LeaveRemote(std::vector<PackedEntry>& entries, Progress& progress) {
  std::erase_if(entries, [&](const PackedEntry& entry) {
    if (entry.remote_path.empty()) return false;
    progress.Warn("the dataset '" + Printable(entry.name.empty() ? entry.path : entry.name) +
                  "' is not fetched: it is at " + Printable(entry.remote_path));
    return true;
  });
}

// Two passes: the first looks at every name and makes nothing, the second writes. Both see the
// same bytes: the store checks them against the digest each time.
class Unpacker {
 public:
  Unpacker(store::Store& store, host::Directory& target, const UnpackOptions& options,
           Progress& progress)
      : store_(store),
        target_(target),
        options_(options),
        progress_(progress),
        names_(target, options.existing) {}

  Status Check(const std::vector<PackedEntry>& layers, bool with_kitfile) {
    if (with_kitfile) PLUMB_RETURN_IF_ERROR(names_.AddFile(std::string(kKitfileName)));
    sizes_.resize(layers.size());
    return RunParallel(options_.threads, layers.size(), [&](std::size_t i) {
      return VisitEntries(store_, layers[i], progress_, [&](const archive::TarEntry& entry) {
        sizes_[i] += entry.size;
        return CheckEntry(entry, layers[i]);
      });
    });
  }

  // If it fails, what this made is taken back, unless it may have taken the place of other files.
  Status Write(const std::vector<PackedEntry>& layers, const blueprint::Kitfile* kitfile) {
    Status written = RunParallel(options_.threads, layers.size(),
                                 [&](std::size_t i) { return WriteLayer(layers[i], sizes_[i]); });
    if (written && kitfile != nullptr) written = WriteKitfile(*kitfile);
    if (!written && options_.existing == Existing::kRefuse) TakeBack();
    return written;
  }

  std::uint64_t files() const { return files_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  Status WriteKitfile(const blueprint::Kitfile& kitfile) {
    const std::string text = blueprint::PrintKitfile(kitfile);
    MemorySource source(AsBytes(text));
    return WriteFile(std::string(kKitfileName), kPlainMode, [&] { return source.Read(kReadSize); });
  }

  // Best effort: what cannot be removed stays, whole.
  void TakeBack() {
    for (const std::string& place : made_)
      static_cast<void>(target_.Remove(place));
  }

  Status CheckEntry(const archive::TarEntry& entry, const PackedEntry& layer) {
    PLUMB_TRY(const std::string place, PlaceOf(entry, layer));
    if (entry.type == archive::TarEntryType::kDirectory) return names_.AddDirectory(place);
    return names_.AddFile(place);
  }

  Status WriteLayer(const PackedEntry& layer, std::uint64_t size) {
    const auto task = progress_.Begin(
        std::string(oci::LayerTypeName(layer.media_type.type)) + " layer " + layer.path, size);
    PLUMB_TRY(const auto content, LayerFiles::Open(store_, layer));
    std::string made;  // the directory that was made last
    for (;;) {
      PLUMB_TRY(const auto entry, content->Next());
      if (!entry) return Done{};
      PLUMB_TRY(const std::string place, PlaceOf(*entry, layer));
      const bool is_file = entry->type == archive::TarEntryType::kFile;
      std::string directory = is_file ? std::string(DirectoryOf(place)) : place;
      if (directory != made) {
        PLUMB_RETURN_IF_ERROR(host::MakeDirectories(target_, directory, kDirectoryMode));
        made = std::move(directory);
      }
      if (!is_file) continue;
      const bool is_executable = (entry->mode & kExecutableBits) != 0;
      PLUMB_RETURN_IF_ERROR(
          WriteFile(place, is_executable ? kExecutableMode : kPlainMode, [&]() -> Result<ByteSpan> {
            PLUMB_TRY(const ByteSpan bytes, content->Read(kReadSize));
            task->Advance(bytes.size());
            return bytes;
          }));
    }
  }

  // `read` gives the content, piece by piece, and at its end nothing.
  template <typename Read>
  Status WriteFile(const std::string& place, std::uint32_t mode, const Read& read) {
    if (options_.existing == Existing::kIgnore && target_.State(place)) return Done{};
    PLUMB_TRY(const auto file, CreateBeside(place, mode));
    std::uint64_t size = 0;
    for (ByteSpan bytes;; size += bytes.size()) {
      if (progress_.StopRequested()) return Interrupted();
      PLUMB_TRY(bytes, read());
      if (bytes.empty()) break;
      PLUMB_RETURN_IF_ERROR(file->Append(bytes));
    }
    const bool may_replace = options_.existing == Existing::kOverwrite;
    PLUMB_RETURN_IF_ERROR(
        file->MoveTo(place, may_replace ? host::Overwrite::kYes : host::Overwrite::kNo));
    ++files_;
    bytes_ += size;
    const std::lock_guard lock(made_mutex_);
    made_.push_back(place);
    return Done{};
  }

  Result<std::unique_ptr<NewFile>> CreateBeside(const std::string& place, std::uint32_t mode) {
    const std::string directory(DirectoryOf(place));
    Sweep(directory);
    for (std::size_t tries = 0;; ++tries) {
      const std::string temporary =
          JoinPath(directory, std::string(kUnpackPrefix) + std::to_string(next_temporary_++));
      if (names_.Holds(temporary)) continue;
      auto file = NewFile::Create(target_, temporary, mode);
      const bool is_taken = !file && file.error().kind == ErrorKind::kConflict;
      if (!is_taken || tries == kOthersMax) return file;
    }
  }

  // Takes away what an unpacking that was killed left in a directory, before the first file is made
  // in it. A file of the kit that has such a name stays.
  void Sweep(const std::string& directory) {
    const std::lock_guard lock(swept_mutex_);
    if (!swept_.insert(directory).second) return;
    host::RemoveLeftovers(target_, directory, [&](std::string_view name) {
      return IsUnpackName(name) && !names_.Holds(JoinPath(directory, name));
    });
  }

  store::Store& store_;
  host::Directory& target_;
  const UnpackOptions& options_;
  Progress& progress_;
  TargetNames names_;
  std::vector<std::uint64_t> sizes_;  // of the files of each layer
  std::atomic<std::uint64_t> next_temporary_ = 0;
  std::mutex swept_mutex_;
  std::set<std::string> swept_;
  std::mutex made_mutex_;
  std::vector<std::string> made_;
  std::atomic<std::uint64_t> files_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
};

}  // namespace

Result<UnpackReport> Unpack(const UnpackContext& context, const ModelKit& modelkit,
                            const UnpackOptions& options, Progress& progress) {
  PLUMB_TRY(std::vector<PackedEntry> layers, AllEntries(context.bases, modelkit, options.filters));
  AddRemote(modelkit.kitfile, layers);
  PLUMB_TRY(layers, ChooseEntries(std::move(layers), options.filters));
  LeaveRemote(layers, progress);
  const bool with_kitfile =
      options.filters.empty() || std::ranges::any_of(options.filters, MatchesKitfile);

  Unpacker unpacker(context.store, context.target, options, progress);
  PLUMB_RETURN_IF_ERROR(unpacker.Check(layers, with_kitfile));
  PLUMB_RETURN_IF_ERROR(unpacker.Write(layers, with_kitfile ? &modelkit.kitfile : nullptr));

  UnpackReport report;
  report.id = modelkit.id;
  for (PackedEntry& layer : layers) {
    UnpackedEntry entry = {std::string(oci::LayerTypeName(layer.media_type.type)),
                           std::move(layer.name), std::move(layer.path)};
    // Of an entry of several raw layers it is said once.
    const bool is_same = !report.entries.empty() && report.entries.back() == entry;
    if (!is_same) report.entries.push_back(std::move(entry));
  }
  if (with_kitfile) report.entries.push_back({"config", {}, std::string(kKitfileName)});
  report.files = unpacker.files();
  report.bytes = unpacker.bytes();
  return report;
}

}  // namespace plumb::kit
