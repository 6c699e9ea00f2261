// SPDX-License-Identifier: MIT OR Apache-2.0
#include "store/adopter.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "crypto/object_id.h"
#include "store/file_pieces_internal.h"
#include "store/frame_internal.h"
#include "store/pack_store.h"
#include "store/recipe_internal.h"
#include "store/store_parts_internal.h"
#include "store/tree_internal.h"

namespace plumb::store {
namespace {

Error Changed() { return Error{ErrorKind::kConflict, "it changed while it was read"}; }

Status ReadWhole(host::File& file, std::uint64_t offset, MutableByteSpan bytes) {
  PLUMB_TRY(const std::size_t got, file.ReadAt(offset, bytes));
  if (got < bytes.size()) return Changed();
  return Done{};
}

// Hashes the pieces of a file that are objects, several at a time.
class PieceNamer {
 public:
  PieceNamer(host::File& file, std::vector<FilePiece>& pieces, Progress& progress,
             ProgressTask& task)
      : file_(file), pieces_(pieces), progress_(progress), task_(task) {}

  Status Run(unsigned threads) {
    return RunParallel(threads, pieces_.size(), [this](std::size_t i) { return Name(pieces_[i]); });
  }

 private:
  using Buffer = std::vector<std::byte>;

  Status Name(FilePiece& piece) {
    if (progress_.StopRequested()) return Interrupted();
    task_.Advance(piece.size);
    if (piece.IsLiteral()) return Done{};
    Buffer buffer = TakeBuffer();
    const auto bytes = MutableByteSpan(buffer).first(piece.size);
    PLUMB_RETURN_IF_ERROR(ReadWhole(file_, piece.offset, bytes));
    piece.Hash(bytes);
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(buffer));
    return Done{};
  }

  Buffer TakeBuffer() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return Buffer(kBlockSizeMax);
    Buffer buffer = std::move(idle_.back());
    idle_.pop_back();
    return buffer;
  }

  host::File& file_;
  std::vector<FilePiece>& pieces_;
  Progress& progress_;
  ProgressTask& task_;
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
    CatalogChange change;
    const Status looked = Look(name, file, progress, change);
    if (!looked || change.objects.empty()) {
      Forget(change, file);
      if (!looked) return looked.error();
      return std::uint64_t{0};
    }
    const Status applied = parts_.catalog->Apply(change);
    if (applied) return SizeOf(change);
    // Only a refusal says that nothing was changed. After any other failure the catalog may name
    // the file all the same, once the disk is well again: it stays, as litter at worst.
    const ErrorKind kind = applied.error().kind;
    if (kind == ErrorKind::kInvalid || kind == ErrorKind::kConflict) Forget(change, file);
    return applied.error();
  }

 private:
  // Best effort: what stays is litter.
  void Forget(const CatalogChange& change, const std::string& file) {
    static_cast<void>(parts_.packs_directory->Remove(file));
    for (const PackName& pack : change.packs)
      static_cast<void>(parts_.packs->Remove(pack));
  }

  static std::uint64_t SizeOf(const CatalogChange& change) {
    std::uint64_t size = 0;
    for (const ObjectRecord& object : change.objects)
      size += object.place.raw_size;
    return size;
  }

  // What the file has that is new, durably. Without objects there is nothing.
  Status Look(const PackName& name, const std::string& file, Progress& progress,
              CatalogChange& change) {
    PLUMB_TRY(const auto opened, parts_.packs_directory->Open(file, host::OpenHow::kRead));
    PLUMB_TRY(const host::FileState state, opened->State());
    const auto task = progress.Begin("looking at what is shared", state.size);
    const auto read = [&](std::uint64_t offset, MutableByteSpan bytes) -> Status {
      if (progress.StopRequested()) return Interrupted();
      return ReadWhole(*opened, offset, bytes);
    };
    PLUMB_TRY(std::vector<FilePiece> pieces, CutFile(read, state.size));
    PLUMB_RETURN_IF_ERROR(PieceNamer(*opened, pieces, progress, *task).Run(threads_));
    std::unique_ptr<FrameWriter> trees;
    for (std::size_t i = 0; i < pieces.size();) {
      if (pieces[i].role.IsBlock()) {
        PLUMB_RETURN_IF_ERROR(AddTree(name, pieces, i, trees, change));
        continue;
      }
      const FilePiece& piece = pieces[i++];
      if (piece.IsLiteral()) continue;
      PLUMB_TRY(const bool is_known, IsKnown(piece.hash));
      if (!is_known)
        change.objects.push_back(
            {piece.hash, {name, piece.offset, piece.size, piece.size, Encoding::kRaw}});
    }
    if (change.objects.empty()) return Done{};
    if (trees != nullptr) {
      change.packs.push_back(trees->name());
      PLUMB_RETURN_IF_ERROR(trees->Finish());
    }
    change.packs.push_back(name);
    PLUMB_RETURN_IF_ERROR(opened->Sync());
    return parts_.packs_directory->Sync("");
  }

  Result<bool> IsKnown(const ObjectId& id) {
    PLUMB_TRY(const auto known, parts_.catalog->FindObject(Domain::Device(), id));
    return known && known->standing == Standing::kGood;
  }

  // Of the tensor whose first block is the piece `next`, which is moved behind its last.
  Status AddTree(const PackName& file, const std::vector<FilePiece>& pieces, std::size_t& next,
                 std::unique_ptr<FrameWriter>& trees, CatalogChange& change) {
    const std::uint64_t offset = pieces[next].offset;
    ObjectTree tree;
    tree.adopted = file;
    do {
      const FilePiece& piece = pieces[next++];
      TreeBlock& block = tree.blocks.emplace_back();
      block.hash.bytes = piece.hash.bytes;
      block.stored_size = static_cast<std::uint32_t>(piece.size);
      block.offset = offset + tree.size;
      tree.size += piece.size;
    } while (next < pieces.size() && pieces[next].role.IsBlock() && pieces[next].role.offset > 0);
    // The file was cut short since its header was believed.
    if (tree.blocks.size() < 2) return Changed();
    const ObjectId id = tree.Root();
    PLUMB_TRY(const bool is_known, IsKnown(id));
    if (is_known) return Done{};
    if (trees == nullptr) {
      PLUMB_TRY(auto pack, parts_.packs->Create());
      trees = std::make_unique<FrameWriter>(std::move(pack));
    }
    const std::string bytes = tree.ToBytes();
    PLUMB_TRY(const ObjectPlace place,
              trees->Append({FrameType::kTree, id, bytes.size(), Encoding::kRaw, AsBytes(bytes)}));
    change.objects.push_back({id, tree.PlaceFor(place)});
    return Done{};
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
