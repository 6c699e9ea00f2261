// SPDX-License-Identifier: MIT OR Apache-2.0
#include "store/adopter.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "crypto/object_id.h"
#include "store/pack_store.h"
#include "store/recipe_internal.h"
#include "store/store_parts_internal.h"

namespace plumb::store {
namespace {

// Smaller files are not cut by themselves (docs/format.md, "Cuts").
constexpr std::uint64_t kAdoptedSizeMin = std::uint64_t{1} << 20;

class FileAdopter final : public Adopter {
 public:
  FileAdopter(host::Files& files, host::Links& links, host::Entropy& entropy,
              std::string packs_path, StoreParts parts)
      : files_(files),
        links_(links),
        entropy_(entropy),
        packs_path_(std::move(packs_path)),
        parts_(std::move(parts)),
        lease_(parts_.leases->Take()),
        buffer_(kPieceSizeMax) {}

  // Write order: the link and what it leads to, fsync, the directory, one transaction. A crash
  // before that leaves a link that nothing names, for the next gc.
  Result<std::uint64_t> Adopt(const std::string& path, AdoptHow how, Progress& progress) override {
    if (!lease_) return lease_.error();
    PLUMB_TRY(const host::FileState state, files_.State(path));
    if (state.type != host::FileType::kRegular)
      return Error{ErrorKind::kDenied, "'" + path + "' is no regular file"};
    if (state.size < kAdoptedSizeMin) return std::uint64_t{0};
    PackName name;
    entropy_.Fill(name.bytes);
    const std::string file = AdoptedFileName(name);
    // Symlinks of the person are followed, as everywhere; the link is to what they lead to.
    PLUMB_TRY(const std::string source, files_.Canonical(path));
    const std::string target = packs_path_ + "/" + file;
    PLUMB_RETURN_IF_ERROR(how == AdoptHow::kReflink ? links_.Reflink(source, target)
                                                    : links_.HardLink(source, target));
    const auto change = Look(name, file, progress);
    if (!change || change->objects.empty()) {
      Forget(file);
      if (!change) return change.error();
      return std::uint64_t{0};
    }
    const Status applied = parts_.catalog->Apply(*change);
    if (applied) return SizeOf(*change);
    // Only a refusal says that nothing was changed. After any other failure the catalog may name
    // the file all the same, once the disk is well again: it stays, as litter at worst.
    const ErrorKind kind = applied.error().kind;
    if (kind == ErrorKind::kInvalid || kind == ErrorKind::kConflict) Forget(file);
    return applied.error();
  }

 private:
  // Best effort: what stays is litter.
  void Forget(const std::string& file) { static_cast<void>(parts_.packs_directory->Remove(file)); }

  static std::uint64_t SizeOf(const CatalogChange& change) {
    std::uint64_t size = 0;
    for (const ObjectRecord& object : change.objects)
      size += object.place.raw_size;
    return size;
  }

  // What the file has that is new, durably. Without objects there is nothing.
  Result<CatalogChange> Look(const PackName& name, const std::string& file, Progress& progress) {
    PLUMB_TRY(const auto opened, parts_.packs_directory->Open(file, host::OpenHow::kRead));
    PLUMB_TRY(const host::FileState state, opened->State());
    const auto task = progress.Begin("looking at what is shared", state.size);
    CatalogChange change;
    for (std::uint64_t offset = 0; offset < state.size; offset += kPieceSizeMax) {
      if (progress.StopRequested()) return Interrupted();
      const std::uint64_t wanted = std::min<std::uint64_t>(kPieceSizeMax, state.size - offset);
      if (wanted <= kLiteralSizeMax) break;  // it is no object
      const auto piece = MutableByteSpan(buffer_).first(static_cast<std::size_t>(wanted));
      PLUMB_TRY(const std::size_t got, opened->ReadAt(offset, piece));
      if (got < wanted) return Error{ErrorKind::kConflict, "it changed while it was read"};
      const ObjectId id = Blake3(piece);
      task->Advance(wanted);
      PLUMB_TRY(const auto known, parts_.catalog->FindObject(id));
      if (known && known->standing == Standing::kGood) continue;
      change.objects.push_back({id, {name, offset, wanted, wanted, Encoding::kRaw}});
    }
    if (change.objects.empty()) return change;
    change.packs.push_back(name);
    PLUMB_RETURN_IF_ERROR(opened->Sync());
    PLUMB_RETURN_IF_ERROR(parts_.packs_directory->Sync(""));
    return change;
  }

  host::Files& files_;
  host::Links& links_;
  host::Entropy& entropy_;
  const std::string packs_path_;
  const StoreParts parts_;
  const Result<std::unique_ptr<Lease>> lease_;
  std::vector<std::byte> buffer_;
};

}  // namespace

Result<std::unique_ptr<Adopter>> OpenAdopter(host::Files& files, host::Links& links,
                                             host::Entropy& entropy, const std::string& path) {
  PLUMB_TRY(StoreParts parts, OpenStoreParts(files, entropy, path));
  return std::unique_ptr<Adopter>(
      std::make_unique<FileAdopter>(files, links, entropy, path + "/packs", std::move(parts)));
}

}  // namespace plumb::store
