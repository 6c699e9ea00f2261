// SPDX-License-Identifier: MIT OR Apache-2.0
#include "store/adopter.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "crypto/object_id.h"
#include "store/pack_store.h"
#include "store/recipe_internal.h"
#include "store/store_parts_internal.h"

namespace plumb::store {
namespace {

// Hashes the pieces of a file that are objects, several at a time.
class PieceNamer {
 public:
  PieceNamer(host::File& file, std::uint64_t size, Progress& progress, ProgressTask& task)
      : file_(file), size_(size), progress_(progress), task_(task) {}

  // Of each piece, from the first on.
  Result<std::vector<ObjectId>> Run(unsigned threads) {
    std::size_t count = static_cast<std::size_t>((size_ + kPieceSizeMax - 1) / kPieceSizeMax);
    if (count > 0 && PieceSize(count - 1) <= kLiteralSizeMax) --count;  // it is no object
    ids_.resize(count);
    PLUMB_RETURN_IF_ERROR(RunParallel(threads, count, [this](std::size_t i) { return Name(i); }));
    return std::move(ids_);
  }

  std::uint64_t PieceSize(std::size_t index) const {
    return std::min<std::uint64_t>(kPieceSizeMax, size_ - index * kPieceSizeMax);
  }

 private:
  using Buffer = std::vector<std::byte>;

  Status Name(std::size_t index) {
    if (progress_.StopRequested()) return Interrupted();
    Buffer buffer = TakeBuffer();
    const auto piece = MutableByteSpan(buffer).first(static_cast<std::size_t>(PieceSize(index)));
    PLUMB_TRY(const std::size_t got, file_.ReadAt(index * kPieceSizeMax, piece));
    if (got < piece.size()) return Error{ErrorKind::kConflict, "it changed while it was read"};
    ids_[index] = Blake3(piece);
    task_.Advance(piece.size());
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(buffer));
    return Done{};
  }

  Buffer TakeBuffer() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return Buffer(kPieceSizeMax);
    Buffer buffer = std::move(idle_.back());
    idle_.pop_back();
    return buffer;
  }

  host::File& file_;
  const std::uint64_t size_;
  Progress& progress_;
  ProgressTask& task_;
  std::vector<ObjectId> ids_;
  std::mutex mutex_;
  std::vector<Buffer> idle_;  // as many as there are threads
};

class FileAdopter final : public Adopter {
 public:
  FileAdopter(host::Files& files, host::Links& links, host::Entropy& entropy,
              std::string packs_path, StoreParts parts, unsigned threads)
      : files_(files),
        links_(links),
        entropy_(entropy),
        packs_path_(std::move(packs_path)),
        parts_(std::move(parts)),
        threads_(threads),
        lease_(parts_.leases->Take()) {}

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
    PieceNamer namer(*opened, state.size, progress, *task);
    PLUMB_TRY(const std::vector<ObjectId> ids, namer.Run(threads_));
    CatalogChange change;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      PLUMB_TRY(const auto known, parts_.catalog->FindObject(ids[i]));
      if (known && known->standing == Standing::kGood) continue;
      const std::uint64_t length = namer.PieceSize(i);
      change.objects.push_back({ids[i], {name, i * kPieceSizeMax, length, length, Encoding::kRaw}});
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
  const unsigned threads_;
  const Result<std::unique_ptr<Lease>> lease_;
};

}  // namespace

Result<std::unique_ptr<Adopter>> OpenAdopter(host::Files& files, host::Links& links,
                                             host::Entropy& entropy, const std::string& path,
                                             unsigned threads) {
  PLUMB_TRY(StoreParts parts, OpenStoreParts(files, entropy, path));
  return std::unique_ptr<Adopter>(std::make_unique<FileAdopter>(
      files, links, entropy, path + "/packs", std::move(parts), threads));
}

}  // namespace plumb::store
