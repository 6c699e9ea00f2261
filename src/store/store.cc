// SPDX-License-Identifier: MIT OR Apache-2.0
#include "store/store.h"

#include <mutex>
#include <string>
#include <utility>

#include "store/blob_reader_internal.h"
#include "store/catalog.h"
#include "store/damage_notes_internal.h"
#include "store/files_record_internal.h"
#include "store/pack_store.h"
#include "store/session_internal.h"
#include "store/store_parts_internal.h"

namespace plumb::store {
namespace {

constexpr std::string_view kFormatFile = "format";
constexpr std::string_view kFormat = "plumb-store 1\n";
constexpr std::uint32_t kDirectoryMode = 0700;
constexpr std::uint64_t kFormatSizeMax = 4096;
constexpr std::uint64_t kOpenTimeoutMs = 30'000;

constexpr std::string_view kMendHint = "plumb fsck --repair FROM, or build or pull it again";

Error Damaged(const Digest& digest, std::string_view why, std::string_view hint = kMendHint) {
  return Error{ErrorKind::kCorrupt,
               "blob '" + digest.ToString() + "' is damaged: " + std::string(why),
               std::string(hint)};
}

// A small blob, held.
class WholeSource final : public ByteSource {
 public:
  WholeSource(std::string bytes, std::uint64_t offset)
      : bytes_(std::move(bytes)),
        source_(AsBytes(bytes_).subspan(static_cast<std::size_t>(offset))) {}
  Result<ByteSpan> Read(std::size_t size_max) override { return source_.Read(size_max); }

 private:
  const std::string bytes_;
  MemorySource source_;
};

// Says which blob it is that cannot be read, to the catalog too.
class NamedSource final : public ByteSource {
 public:
  NamedSource(DamageNotes& notes, const Digest& digest, std::unique_ptr<ByteSource> source)
      : notes_(notes), digest_(digest), source_(std::move(source)) {}
  Result<ByteSpan> Read(std::size_t size_max) override {
    auto piece = source_->Read(size_max);
    if (piece || piece.error().kind != ErrorKind::kCorrupt) return piece;
    notes_.NoteBlob(digest_);
    const Error& error = piece.error();
    return Damaged(digest_, error.message, error.hint.empty() ? kMendHint : error.hint);
  }

 private:
  DamageNotes& notes_;
  const Digest digest_;
  const std::unique_ptr<ByteSource> source_;
};

// The parts of a store, wired.
class EmbeddedStore final : public Store {
 public:
  EmbeddedStore(std::shared_ptr<const StoreParts> parts, host::Clock& clock,
                ReaderLeases reader_leases, const Domain& domain)
      : parts_(std::move(parts)),
        clock_(clock),
        domain_(domain),
        reader_leases_(reader_leases),
        notes_(*parts_->catalog),
        objects_(*parts_->catalog, *parts_->packs, &notes_) {}

  std::unique_ptr<Session> Begin() override {
    return std::make_unique<StoreSession>(
        parts_->leases->Take(),
        StoreSession::Parts{*parts_->catalog, *parts_->packs, *parts_->directory, *parts_->reserve,
                            clock_, domain_});
  }

  Result<std::optional<BlobInfo>> FindBlob(const Digest& digest) override {
    PLUMB_TRY(const auto record, parts_->catalog->FindBlob(domain_, digest));
    if (!record) return std::optional<BlobInfo>();
    return std::optional<BlobInfo>({digest, record->size, true, record->standing});
  }

  Result<std::unique_ptr<ByteSource>> OpenBlob(const Digest& digest,
                                               std::uint64_t offset) override {
    TakeReaderLease();
    PLUMB_TRY(auto record, parts_->catalog->FindBlob(domain_, digest));
    if (!record)
      return Error{ErrorKind::kNotFound, "blob '" + digest.ToString() + "' is not in the store"};
    // The catalog is not believed.
    const bool is_whole = record->form == BlobForm::kWhole;
    if (is_whole ? Sha256(AsBytes(record->bytes)) != digest
                 : Blake3(AsBytes(record->bytes)) != record->id) {
      notes_.NoteRow(*record);
      return Damaged(digest, is_whole ? "its bytes are others" : "its recipe is another");
    }
    const std::uint64_t size = is_whole ? record->bytes.size() : record->size;
    if (offset > size)
      return Error{ErrorKind::kInvalid, "blob '" + digest.ToString() + "' is shorter than that"};
    if (is_whole)
      return std::unique_ptr<ByteSource>(
          std::make_unique<WholeSource>(std::move(record->bytes), offset));
    PLUMB_TRY(Recipe recipe, Recipe::Parse(record->bytes));
    if (recipe.digest != digest || recipe.size != record->size)
      return Damaged(digest, "its recipe is of another blob");
    return std::unique_ptr<ByteSource>(std::make_unique<NamedSource>(
        notes_, digest, MakeRecipeSource(objects_, std::move(recipe), offset)));
  }

  Result<std::optional<Digest>> FindRef(const RefName& name) override {
    return parts_->catalog->FindRef(domain_, name);
  }
  Result<std::vector<Ref>> ListRefs() override { return parts_->catalog->ListRefs(domain_); }
  Result<std::vector<Kit>> ListKits() override { return parts_->catalog->ListKits(domain_); }
  Result<std::optional<LayerRecord>> FindLayer(const LayerKey& key) override {
    return parts_->catalog->FindLayer(domain_, key);
  }

  Result<std::optional<std::vector<FileOfLayer>>> FindFilesOfLayer(const Digest& layer) override {
    PLUMB_TRY(const auto record, parts_->catalog->FindFiles(domain_, {FilesKind::kLayer, layer}));
    return record ? ParseFilesOfLayer(*record) : std::nullopt;
  }
  Result<std::optional<Digest>> FindFilesRoot(const Digest& kit) override {
    PLUMB_TRY(const auto record, parts_->catalog->FindFiles(domain_, {FilesKind::kKit, kit}));
    return record ? ParseFilesRoot(*record) : std::nullopt;
  }

 private:
  // So that what is being read is not collected before it is read to its end. Who cannot have one
  // (a full disk, say) reads without: at worst he finds that a kit which somebody removed is gone.
  void TakeReaderLease() {
    const std::lock_guard lock(mutex_);
    if (reader_lease_ || reader_leases_ == ReaderLeases::kNone) return;
    if (auto lease = parts_->leases->Take()) reader_lease_ = *std::move(lease);
  }

  const std::shared_ptr<const StoreParts> parts_;
  host::Clock& clock_;
  const Domain domain_;
  const ReaderLeases reader_leases_;
  std::mutex mutex_;
  std::unique_ptr<Lease> reader_lease_;
  DamageNotes notes_;
  ObjectReader objects_;
};

Status CheckFormat(host::Files& files, host::Directory& directory, const std::string& path) {
  auto format = host::ReadFile(directory, kFormatFile, kFormatSizeMax);
  if (!format && format.error().kind == ErrorKind::kNotFound) {
    // Before anything is kept here: whoever made the directory may have been stopped at that.
    PLUMB_RETURN_IF_ERROR(host::SyncParents(files, path));
    // Here from the beginning, so that a full disk can be checked.
    PLUMB_TRY([[maybe_unused]] const auto gc_lock,
              directory.Open("gc.lock", host::OpenHow::kCreate, 0600));
    // The first of those who make a store at once decides; all write the same.
    return host::WriteFileDurably(directory, kFormatFile, kFormat, 0600);
  }
  if (!format) return std::move(format).error();
  if (*format == kFormat) return Done{};
  return Error{ErrorKind::kUnsupported, "this store was written by a newer plumb, or is no store",
               "install the newest plumb, or choose another home with PLUMB_HOME"};
}

Status MakeDirectoryIfMissing(host::Directory& directory, std::string_view path) {
  Status made = directory.MakeDirectory(path, kDirectoryMode);
  if (!made && made.error().kind == ErrorKind::kConflict) return Done{};
  PLUMB_RETURN_IF_ERROR(made);
  return directory.Sync("");
}

Result<bool> HasCatalog(host::Directory& directory) {
  const auto state = directory.State(kCatalogFile);
  if (!state && state.error().kind == ErrorKind::kNotFound) return false;
  if (!state) return state.error();
  return state->size > 0;
}

// There is no pack before there is a catalog (docs/format.md, "Write order"): where packs lie
// without one it was lost, and to make it anew would call all that is in them needless.
Status CheckHasNoPacks(PackStore& packs) {
  PLUMB_TRY(const auto names, packs.List());
  if (names.empty()) return Done{};
  return Error{ErrorKind::kCorrupt, "the catalog of this store is gone: nothing was changed",
               std::string(kCatalogDamagedHint)};
}

// Before SQLite makes the file.
Status CheckCatalogIsNotLost(host::Directory& directory, PackStore& packs) {
  PLUMB_TRY(const bool has_catalog, HasCatalog(directory));
  if (has_catalog) return Done{};
  Status checked = CheckHasNoPacks(packs);
  if (checked) return checked;
  // Somebody may have made it, and written a pack, since the first look.
  PLUMB_TRY(const bool has_it_now, HasCatalog(directory));
  if (has_it_now) return Done{};
  return checked;
}

Status TakeOpenLock(StoreParts& parts, const OpenLock& lock) {
  const bool is_shared = lock.kind == host::LockKind::kShared;
  PLUMB_TRY(parts.format_file,
            parts.directory->Open(kFormatFile,
                                  is_shared ? host::OpenHow::kRead : host::OpenHow::kReadWrite));
  auto taken = parts.format_file->Lock(lock.kind, lock.timeout_ms);
  if (!taken && taken.error().kind == ErrorKind::kUnavailable)
    return Error{ErrorKind::kUnavailable,
                 is_shared ? "the catalog of this store is being made again"
                           : "another plumb has this store open: its catalog cannot be made again",
                 is_shared ? "wait until that is done" : "end it, or wait for it"};
  PLUMB_TRY(parts.open_lock, std::move(taken));
  return Done{};
}

}  // namespace

Result<StoreParts> OpenStoreFiles(host::Files& files, host::Entropy& entropy,
                                  const std::string& path, const OpenLock& lock) {
  StoreParts parts;
  PLUMB_TRY(parts.directory, files.OpenDirectory(path, host::IfMissing::kCreate, kDirectoryMode));
  host::Directory& directory = *parts.directory;
  PLUMB_RETURN_IF_ERROR(CheckFormat(files, directory, path));
  PLUMB_RETURN_IF_ERROR(TakeOpenLock(parts, lock));
  PLUMB_RETURN_IF_ERROR(MakeDirectoryIfMissing(directory, "packs"));
  PLUMB_RETURN_IF_ERROR(MakeDirectoryIfMissing(directory, "leases"));
  PLUMB_TRY(parts.packs_directory, files.OpenDirectory(path + "/packs", host::IfMissing::kFail));
  PLUMB_TRY(parts.leases_directory, files.OpenDirectory(path + "/leases", host::IfMissing::kFail));
  PLUMB_TRY(parts.lock_file, directory.Open("catalog.lock", host::OpenHow::kCreate, 0600));
  parts.packs = MakeFilePackStore(*parts.packs_directory, entropy);
  return parts;
}

Result<StoreParts> OpenStoreParts(host::Files& files, host::Entropy& entropy,
                                  const std::string& path) {
  PLUMB_TRY(StoreParts parts,
            OpenStoreFiles(files, entropy, path, {host::LockKind::kShared, kOpenTimeoutMs}));
  host::Directory& directory = *parts.directory;
  PLUMB_RETURN_IF_ERROR(CheckCatalogIsNotLost(directory, *parts.packs));
  PLUMB_TRY(parts.catalog, OpenSqliteCatalog(directory, std::string(kCatalogFile), *parts.lock_file,
                                             [&] { return CheckHasNoPacks(*parts.packs); }));
  parts.leases = std::make_unique<Leases>(*parts.leases_directory, entropy, *parts.catalog);
  parts.reserve = std::make_unique<Reserve>(directory, entropy);
  return parts;
}

std::unique_ptr<Store> MakeStore(std::shared_ptr<const StoreParts> parts, host::Clock& clock,
                                 ReaderLeases reader_leases, const Domain& domain) {
  return std::make_unique<EmbeddedStore>(std::move(parts), clock, reader_leases, domain);
}

Result<std::unique_ptr<Store>> OpenStore(host::Files& files, host::Clock& clock,
                                         host::Entropy& entropy, const std::string& path,
                                         const Domain& domain) {
  auto parts = OpenStoreParts(files, entropy, path);
  if (!parts) return std::move(parts).error().While("cannot open the store '" + path + "'");
  return MakeStore(std::make_shared<StoreParts>(*std::move(parts)), clock, ReaderLeases::kTake,
                   domain);
}

Result<std::string> ReadBlob(Store& store, const Digest& digest, std::uint64_t size_max) {
  PLUMB_TRY(const auto source, store.OpenBlob(digest, 0));
  return ReadAll(*source, static_cast<std::size_t>(size_max));
}

}  // namespace plumb::store
