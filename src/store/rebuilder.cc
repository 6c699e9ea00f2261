// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <utility>

#include "store/catalog_maker_internal.h"
#include "store/rebuild.h"
#include "store/recipe_internal.h"
#include "store/salvage_internal.h"
#include "store/store_parts_internal.h"

namespace plumb::store {
namespace {

// Whoever has the store open ends soon, or not at all.
constexpr std::uint64_t kLockTimeoutMs = 2'000;
constexpr std::size_t kCopySize = std::size_t{1} << 20;
constexpr std::int64_t kSecondNs = 1'000'000'000;

constexpr std::string_view kNewCatalog = "catalog.sqlite.new";
constexpr std::string_view kOldCatalog = "catalog.sqlite.old";
constexpr std::string_view kJournal = "-journal";
constexpr std::string_view kLog = "-wal";
constexpr std::string_view kLogIndex = "-shm";

std::string Beside(std::string_view file, std::string_view suffix) {
  return std::string(file) + std::string(suffix);
}

// 0 also if it is not there.
Result<std::uint64_t> SizeOf(host::Directory& directory, const std::string& file) {
  const auto state = directory.State(file);
  if (!state && state.error().kind == ErrorKind::kNotFound) return std::uint64_t{0};
  if (!state) return state.error();
  return state->size;
}

Status RemoveIfThere(host::Directory& directory, const std::string& file) {
  Status removed = directory.Remove(file);
  if (!removed && removed.error().kind == ErrorKind::kNotFound) return Done{};
  return removed;
}

Status CopyFile(host::Directory& directory, const std::string& source, const std::string& target) {
  PLUMB_TRY(const auto from, directory.Open(source, host::OpenHow::kRead));
  PLUMB_TRY(const auto to, directory.Open(target, host::OpenHow::kCreate, 0600));
  PLUMB_RETURN_IF_ERROR(to->Truncate(0));
  std::vector<std::byte> buffer(kCopySize);
  for (std::uint64_t at = 0;;) {
    PLUMB_TRY(const std::size_t size, from->ReadAt(at, buffer));
    if (size == 0) break;
    PLUMB_RETURN_IF_ERROR(to->WriteAt(at, ByteSpan(buffer).first(size)));
    at += size;
  }
  return to->Sync();
}

// An old catalog that can be read has nothing in its journal after this.
void Settle(host::Directory& directory, host::File& lock_file) {
  [[maybe_unused]] const auto opened =
      OpenSqliteCatalog(directory, std::string(kCatalogFile), lock_file,
                        [] { return Status(Error{ErrorKind::kCorrupt, "it is none"}); });
}

// Whether there was anything to keep. Durable on return.
Result<bool> KeepOld(host::Directory& directory) {
  for (const std::string_view suffix : {std::string_view(), kJournal, kLog})
    PLUMB_RETURN_IF_ERROR(RemoveIfThere(directory, Beside(kOldCatalog, suffix)));
  bool is_kept = false;
  for (const std::string_view suffix : {std::string_view(), kJournal, kLog}) {
    const std::string file = Beside(kCatalogFile, suffix);
    PLUMB_TRY(const std::uint64_t size, SizeOf(directory, file));
    if (size == 0) continue;
    PLUMB_RETURN_IF_ERROR(CopyFile(directory, file, Beside(kOldCatalog, suffix)));
    is_kept = true;
  }
  PLUMB_RETURN_IF_ERROR(directory.Sync(""));
  return is_kept;
}

class Rebuilder {
 public:
  Rebuilder(const RebuildPlace& place, const RebuildRequest& request, Progress& progress)
      : place_(place), request_(request), progress_(progress) {}

  Result<RebuildReport> Run();

 private:
  Status Lock();
  Status CheckNobodyIsHere();
  Status Make(const Salvage& salvage);
  Status Fill(CatalogMaker& maker, const Salvage& salvage);
  // The best of what was found of one blob.
  Result<BlobRecord> ReadBlobRecord(const Digest& digest, const Salvage& salvage);
  // Takes away kits that are not whole and that nobody names.
  Status Prune(std::unique_ptr<KeptCatalog> catalog);
  Result<bool> IsWhole(Store& store, const Digest& kit, const Inventory& inventory);
  // To the new catalog they hold nothing, or less than there is: a gc would take them.
  Status KeepUnread(const std::vector<PackName>& packs);
  Status PutInPlace();

  const RebuildPlace& place_;
  const RebuildRequest& request_;
  Progress& progress_;
  StoreParts parts_;  // without a catalog
  std::unique_ptr<host::File> gc_file_;
  std::unique_ptr<host::FileLock> gc_lock_;
  RebuildReport report_;
};

Result<RebuildReport> Rebuilder::Run() {
  PLUMB_RETURN_IF_ERROR(Lock());
  auto salvaged = SalvagePacks(*parts_.packs, *parts_.packs_directory, request_.threads, progress_);
  if (!salvaged) return std::move(salvaged).error();
  Salvage& salvage = *salvaged;
  report_.damages = std::move(salvage.damages);
  report_.records_lost = salvage.records_lost;
  report_.packs = salvage.packs.size();
  report_.blobs = salvage.blobs.size();
  report_.bytes_read = salvage.bytes_read;
  Status made = Make(salvage);
  if (!made && made.error().kind == ErrorKind::kExhausted) {
    PLUMB_TRY(const bool has_room, Reserve(*parts_.directory, place_.entropy).GiveBack());
    if (has_room) made = Make(salvage);
  }
  if (made) made = KeepUnread(salvage.unread_packs);
  if (made) made = PutInPlace();
  if (!made) RemoveUnfinishedCatalog(*parts_.directory);
  if (!made) return std::move(made).error();
  return std::move(report_);
}

Status Rebuilder::KeepUnread(const std::vector<PackName>& packs) {
  for (const PackName& pack : packs) {
    const std::string path = place_.path + "/packs/" + pack.ToString();
    const Status linked = place_.links.HardLink(path + ".pack", path + ".unread");
    const bool is_there = !linked && linked.error().kind == ErrorKind::kConflict;
    if (linked || is_there) {
      report_.kept_packs.push_back(path + ".unread");
    } else if (linked.error().kind != ErrorKind::kNotFound) {  // an adopted file has no such name
      progress_.Warn("copy '" + path + ".pack' before the next gc: it holds what cannot be read, " +
                     "and could not be kept under a second name: " + linked.error().message);
    }
  }
  return packs.empty() ? Status(Done{}) : parts_.packs_directory->Sync("");
}

// docs/format.md, "Making the catalog again".
Status Rebuilder::Lock() {
  PLUMB_RETURN_IF_ERROR(place_.files.OpenDirectory(place_.path, host::IfMissing::kFail));
  PLUMB_TRY(parts_, OpenStoreFiles(place_.files, place_.entropy, place_.path,
                                   {host::LockKind::kExclusive, kLockTimeoutMs}));
  PLUMB_TRY(gc_file_, parts_.directory->Open("gc.lock", host::OpenHow::kCreate, 0600));
  auto lock = gc_file_->Lock(host::LockKind::kExclusive, kLockTimeoutMs);
  if (!lock && lock.error().kind == ErrorKind::kUnavailable)
    return Error{ErrorKind::kUnavailable, "a gc or fsck is at work in this store"};
  PLUMB_TRY(gc_lock_, std::move(lock));
  return CheckNobodyIsHere();
}

// Those of versions that do not lock `format`.
Status Rebuilder::CheckNobodyIsHere() {
  PLUMB_TRY(const auto oldest, OldestLease(*parts_.leases_directory));
  if (!oldest) return Done{};
  return Error{ErrorKind::kUnavailable,
               "another plumb is at work in this store: its catalog cannot be made again",
               "end it, or wait for it"};
}

Status Rebuilder::Make(const Salvage& salvage) {
  host::Directory& directory = *parts_.directory;
  for (const std::string_view suffix : {std::string_view(), kJournal})
    PLUMB_RETURN_IF_ERROR(RemoveIfThere(directory, Beside(kNewCatalog, suffix)));
  // As every new catalog is made.
  PLUMB_RETURN_IF_ERROR(OpenSqliteCatalog(directory, std::string(kNewCatalog), *parts_.lock_file));
  {
    PLUMB_TRY(const auto maker, CatalogMaker::Begin(directory, std::string(kNewCatalog)));
    PLUMB_RETURN_IF_ERROR(Fill(*maker, salvage));
  }
  PLUMB_TRY(auto catalog,
            OpenSqliteCatalog(directory, std::string(kNewCatalog), *parts_.lock_file));
  return Prune(std::move(catalog));
}

Status NoteObjects(const BlobRecord& blob, std::unordered_set<ObjectId, HashOfHash>& objects) {
  if (blob.form != BlobForm::kRecipe) return Done{};
  PLUMB_TRY(const Recipe recipe, Recipe::Parse(blob.bytes));
  for (const Segment& segment : recipe.segments)
    if (segment.kind == SegmentKind::kObject) objects.insert(segment.object);
  return Done{};
}

// Which domains see a blob.
using Holders = std::unordered_map<Digest, std::set<Domain>, HashOfHash>;

Holders HoldersOf(const Salvage& salvage) {
  Holders holders;
  for (const HeldEvent& event : salvage.held)
    if (event.action == HeldAction::kBlob) holders[event.digest].insert(event.domain);
  return holders;
}

// And the objects that it is made of.
Status AddHoldings(CatalogMaker& maker, const BlobRecord& blob, const std::set<Domain>& domains,
                   const Salvage& salvage) {
  std::unordered_set<ObjectId, HashOfHash> objects;
  PLUMB_RETURN_IF_ERROR(NoteObjects(blob, objects));
  for (const Domain& domain : domains) {
    PLUMB_RETURN_IF_ERROR(
        maker.AddHolding({{domain, HoldingKind::kBlob, blob.digest.bytes}, blob.bytes.size()}));
    for (const ObjectId& id : objects) {
      const auto found = salvage.objects.find(id);
      if (found == salvage.objects.end()) continue;
      PLUMB_RETURN_IF_ERROR(maker.AddHolding(
          {{domain, HoldingKind::kObject, id.bytes}, found->second.place.TotalSize()}));
    }
  }
  return Done{};
}

Status Rebuilder::Fill(CatalogMaker& maker, const Salvage& salvage) {
  for (const PackName& pack : salvage.packs)
    PLUMB_RETURN_IF_ERROR(maker.AddPack(pack));
  // In order, which is quick, and makes one run like the next.
  std::vector<Digest> blobs;
  blobs.reserve(salvage.blobs.size());
  for (const auto& [digest, found] : salvage.blobs)
    blobs.push_back(digest);
  std::ranges::sort(blobs);
  std::unordered_set<ObjectId, HashOfHash> needed;
  const Holders holders = HoldersOf(salvage);
  for (const Digest& digest : blobs) {
    if (progress_.StopRequested()) return Interrupted();
    PLUMB_TRY(const BlobRecord blob, ReadBlobRecord(digest, salvage));
    PLUMB_RETURN_IF_ERROR(maker.AddBlob(blob));
    PLUMB_RETURN_IF_ERROR(NoteObjects(blob, needed));
    if (const auto domains = holders.find(digest); domains != holders.end())
      PLUMB_RETURN_IF_ERROR(AddHoldings(maker, blob, domains->second, salvage));
  }
  std::vector<ObjectRecord> objects;
  objects.reserve(salvage.objects.size());
  for (const auto& [id, found] : salvage.objects)
    // An adopted file may be cut in more than one way.
    if (found.source != Source::kAdoptedFile || needed.contains(id))
      objects.push_back({id, found.place});
  std::ranges::sort(objects, {}, &ObjectRecord::id);
  for (const ObjectRecord& object : objects)
    PLUMB_RETURN_IF_ERROR(maker.AddObject(object));
  report_.objects = objects.size();
  for (const FilesRecord& record : salvage.files)
    if (salvage.blobs.contains(record.key.subject)) PLUMB_RETURN_IF_ERROR(maker.AddFiles(record));
  const History history = Replay(salvage.kits, salvage.moves, salvage.held);
  report_.kits = history.kits.size();
  report_.refs = history.refs.size();
  report_.moves = history.moves.size();
  PLUMB_RETURN_IF_ERROR(maker.AddHistory(history));
  // More than any lease has: nobody sweeps once a second.
  return maker.Finish(
      static_cast<Epoch>(std::max<std::int64_t>(1, place_.clock.NowNs() / kSecondNs)));
}

// Whether all that a recipe names is there, as long as it says.
bool HasObjects(const Recipe& recipe, const Salvage& salvage) {
  return std::ranges::all_of(recipe.segments, [&](const Segment& segment) {
    if (segment.kind != SegmentKind::kObject) return true;
    const auto found = salvage.objects.find(segment.object);
    if (found == salvage.objects.end()) return false;
    const std::uint64_t size = found->second.place.raw_size;
    return segment.offset <= size && segment.size <= size - segment.offset;
  });
}

Result<BlobRecord> Rebuilder::ReadBlobRecord(const Digest& digest, const Salvage& salvage) {
  BlobRecord best;
  std::vector<std::byte> bytes;
  for (const FoundBlob& found : salvage.blobs.at(digest)) {
    PLUMB_TRY(const auto pack, parts_.packs->Open(found.pack));
    PLUMB_TRY(const FrameContent content, ReadFrame(*pack, found.frame, bytes));
    BlobRecord blob = {digest, content.raw_size, BlobForm::kWhole, found.frame.id,
                       std::string(AsText(content.stored))};
    if (found.frame.type == FrameType::kRecipe) {
      PLUMB_TRY(const Recipe recipe, Recipe::Parse(blob.bytes));
      blob.form = BlobForm::kRecipe;
      blob.size = recipe.size;
      if (!HasObjects(recipe, salvage)) blob.standing = Standing::kDamaged;
    }
    if (blob.standing == Standing::kGood) return blob;
    best = std::move(blob);
  }
  return best;
}

Result<bool> Rebuilder::IsWhole(Store& store, const Digest& kit, const Inventory& inventory) {
  const auto needs = request_.find_needs(store, kit);
  if (!needs && needs.error().kind == ErrorKind::kCorrupt) return false;
  if (!needs) return needs.error();
  return std::ranges::all_of(needs->blobs, [&](const Digest& blob) {
    const auto found = inventory.blobs.find(blob);
    return found != inventory.blobs.end() && found->second.standing == Standing::kGood;
  });
}

Status Rebuilder::Prune(std::unique_ptr<KeptCatalog> catalog) {
  PLUMB_TRY(const Inventory inventory, TakeInventory(*catalog));
  KeptCatalog& rows = *catalog;
  auto parts = std::make_shared<StoreParts>();
  parts->packs = MakeFilePackStore(*parts_.packs_directory, place_.entropy);
  parts->catalog = std::move(catalog);
  const auto store = MakeStore(parts, place_.clock, ReaderLeases::kNone);
  std::vector<Digest> kept;
  kept.reserve(inventory.refs.size() + inventory.kits.size());
  for (const Ref& ref : inventory.refs)
    kept.push_back(ref.manifest);
  for (const Kit& kit : inventory.kits) {
    if (progress_.StopRequested()) return Interrupted();
    PLUMB_TRY(const bool is_whole, IsWhole(*store, kit.manifest, inventory));
    if (is_whole) kept.push_back(kit.manifest);
  }
  std::set<Digest> stay(kept.begin(), kept.end());
  NeedsCache needs(request_.find_needs, *store);
  for (const Digest& kit : kept) {
    const auto bases = needs.BasesOf(kit, inventory);
    if (bases) stay.insert(bases->begin(), bases->end());
    // One that cannot be read names none.
    if (!bases && bases.error().kind != ErrorKind::kCorrupt) return bases.error();
  }
  CatalogChange change;
  for (const Kit& kit : inventory.kits)
    if (!stay.contains(kit.manifest)) change.removed_kits.push_back(kit.manifest);
  report_.kits -= change.removed_kits.size();
  report_.kits_left_out = change.removed_kits;
  return rows.Apply(change);
}

// A crash at any point leaves the old catalog or the new one: the new one is whole and durable
// before, and one rename puts it there. What the old one needs besides its file goes before that,
// because SQLite would take it for the new one's; an old catalog that could be read did not need
// it any more (Settle), and one that could not is no worse without.
Status Rebuilder::PutInPlace() {
  host::Directory& directory = *parts_.directory;
  PLUMB_TRY(const bool is_kept, KeepOld(directory));
  if (is_kept) report_.old_catalog = place_.path + "/" + std::string(kOldCatalog);
  Settle(directory, *parts_.lock_file);
  PLUMB_TRY(const auto lock, parts_.lock_file->Lock(host::LockKind::kExclusive, kLockTimeoutMs));
  PLUMB_RETURN_IF_ERROR(CheckNobodyIsHere());
  PLUMB_RETURN_IF_ERROR(RemoveIfThere(directory, Beside(kNewCatalog, kJournal)));
  for (const std::string_view suffix : {kJournal, kLog, kLogIndex})
    PLUMB_RETURN_IF_ERROR(RemoveIfThere(directory, Beside(kCatalogFile, suffix)));
  PLUMB_RETURN_IF_ERROR(directory.Sync(""));
  PLUMB_RETURN_IF_ERROR(directory.Rename(kNewCatalog, kCatalogFile, host::Overwrite::kYes));
  return directory.Sync("");
}

}  // namespace

Result<RebuildReport> RebuildCatalog(const RebuildPlace& place, const RebuildRequest& request,
                                     Progress& progress) {
  auto rebuilt = Rebuilder(place, request, progress).Run();
  if (!rebuilt)
    return std::move(rebuilt).error().While("cannot make the catalog of '" + place.path +
                                            "' again");
  return rebuilt;
}

void RemoveUnfinishedCatalog(host::Directory& directory) {
  for (const std::string_view suffix : {std::string_view(), kJournal}) [[maybe_unused]]
    const Status removed = directory.Remove(Beside(kNewCatalog, suffix));
}

}  // namespace plumb::store
