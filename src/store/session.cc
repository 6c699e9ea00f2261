// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string>
#include <utility>

#include "store/files_record_internal.h"
#include "store/records_internal.h"
#include "store/session_internal.h"

namespace plumb::store {
namespace {

bool IsRefusal(ErrorKind kind) {
  return kind == ErrorKind::kInvalid || kind == ErrorKind::kConflict;
}

}  // namespace

StoreSession::~StoreSession() {
  for (const auto& partial : partials_)
    for (const PackName& pack : partial->NamedPacks())
      saver_.Leave(pack);
}

Result<std::unique_ptr<BlobWriter>> StoreSession::CreateBlob(const BlobPlan& plan) {
  if (!lease_) return lease_.error();
  // Before the disk can be full of what this writes.
  std::call_once(has_reserve_, [&] { parts_.reserve.Fill(); });
  BlobPipeline::Parts parts = {hasher_, saver_, clock_};
  if (!plan.expected) {
    return std::unique_ptr<BlobWriter>(std::make_unique<BlobPipeline>(
        plan, parts, [this](FinishedBlob blob) { return Keep(std::move(blob)); }));
  }
  parts.partial = OpenPartial(*plan.expected);
  const auto keep = [this, expected = *plan.expected, partial = parts.partial](FinishedBlob blob) {
    return KeepExpected(expected, partial, std::move(blob));
  };
  return std::unique_ptr<BlobWriter>(std::make_unique<BlobPipeline>(plan, parts, keep));
}

PartialBlob* StoreSession::OpenPartial(const Digest& blob) {
  const std::lock_guard lock(mutex_);
  for (const auto& partial : partials_)
    if (partial->blob() == blob && !partial->is_forgotten()) return nullptr;
  partials_.push_back(std::make_unique<PartialBlob>(
      PartialBlob::Parts{parts_.directory, parts_.packs, parts_.clock, parts_.domain}, blob));
  return partials_.back().get();
}

Result<BlobInfo> StoreSession::KeepExpected(const Digest& expected, PartialBlob* partial,
                                            FinishedBlob blob) {
  if (blob.digest == expected) return Keep(std::move(blob));
  // To take any of it again would end the same way.
  if (partial != nullptr) partial->Forget();
  return Error{ErrorKind::kCorrupt, "blob '" + expected.ToString() + "' came with other bytes: '" +
                                        blob.digest.ToString() + "' of " +
                                        std::to_string(blob.size)};
}

Result<BlobInfo> StoreSession::PutBlob(ByteSpan bytes) {
  PLUMB_TRY(const auto writer, CreateBlob(Shape::kOpaque));
  PLUMB_RETURN_IF_ERROR(writer->Write(bytes));
  PLUMB_TRY(const WrittenBlob written, writer->Finish());
  const BlobInfo& info = written;
  return info;
}

Result<BlobInfo> StoreSession::Keep(FinishedBlob blob) {
  BlobInfo info = {blob.digest, blob.size, true};
  {
    const std::lock_guard lock(mutex_);
    if (blobs_.contains(blob.digest)) return info;
  }
  PLUMB_TRY(const auto known, catalog_.FindBlob(parts_.domain, blob.digest));
  if (known && known->standing == Standing::kGood) return info;

  const BlobForm form = blob.recipe ? BlobForm::kRecipe : BlobForm::kWhole;
  std::string bytes = blob.recipe ? blob.recipe->ToBytes() : std::move(blob.whole);
  if (bytes.size() > kRecipeSizeMax)
    return Error{ErrorKind::kExhausted, "a layer holds too many small files for one recipe"};
  PLUMB_TRY(const ObjectId id,
            saver_.SaveRecord(blob.recipe ? FrameType::kRecipe : FrameType::kBlob, bytes));

  const std::lock_guard lock(mutex_);
  info.was_known = !blobs_.insert(blob.digest).second;
  if (!info.was_known)
    change_.blobs.push_back({blob.digest, blob.size, form, id, std::move(bytes)});
  return info;
}

void StoreSession::AddKit(NewKit kit) {
  const auto tell = [&](const FilesKey& key, std::string record) {
    if (record.size() <= kRecipeSizeMax)
      files_.push_back({key, Blake3(AsBytes(record)), std::move(record)});
  };
  for (const FilesOfLayer& layer : kit.layer_files)
    tell({FilesKind::kLayer, layer.layer}, WriteFilesRecord(layer));
  if (kit.files_root)
    tell({FilesKind::kKit, kit.manifest}, WriteFilesRecord(kit.manifest, *kit.files_root));
  change_.added_kits.push_back({kit.manifest, std::move(kit.needs)});
}

void StoreSession::MoveRef(RefMove move) { change_.moves.push_back(std::move(move)); }

void StoreSession::RemoveKit(const Digest& manifest) { change_.removed_kits.push_back(manifest); }

void StoreSession::RememberLayer(const LayerKey& key, const LayerRecord& record) {
  change_.layers.push_back({key, record});
}

Status StoreSession::Commit() {
  if (!lease_) return lease_.error();
  PLUMB_TRY(const bool is_news, DropNoNews());
  if (!is_news) {
    // There already, but whoever put it there may have been stopped before it was durable.
    PLUMB_RETURN_IF_ERROR(catalog_.Apply({}));
    ForgetPartials();
    return Done{};
  }
  change_.now_ns = clock_.NowNs();
  PLUMB_RETURN_IF_ERROR(SaveRecords());
  // Durable first, then named (docs/format.md, "Write order").
  PLUMB_TRY(change_.objects, saver_.Finish());
  change_.packs = saver_.packs();
  Status applied = catalog_.Apply(change_);
  // Only a refusal says that nothing was changed. After any other failure the catalog may name
  // the packs all the same, once the disk is well again: they stay, as litter at worst.
  if (applied || !IsRefusal(applied.error().kind)) saver_.Keep();
  if (!applied) return applied;
  ForgetPartials();
  parts_.reserve.Fill();
  return applied;
}

// The catalog names what they name.
void StoreSession::ForgetPartials() {
  for (const auto& partial : partials_)
    partial->Forget();
}

Result<bool> StoreSession::DropNoNews() {
  std::vector<RefMove> moves;
  for (RefMove& move : change_.moves) {
    PLUMB_TRY(const auto present, catalog_.FindRef(parts_.domain, move.name));
    if (present != move.manifest || (move.expected && present != move.expected))
      moves.push_back(std::move(move));
  }
  change_.moves = std::move(moves);
  std::vector<LayerMemory> layers;
  for (const LayerMemory& layer : change_.layers) {
    PLUMB_TRY(const auto present, catalog_.FindLayer(parts_.domain, layer.key));
    if (present != layer.record) layers.push_back(layer);
  }
  change_.layers = std::move(layers);
  PLUMB_RETURN_IF_ERROR(FindNewFiles());
  PLUMB_TRY(const bool has_new_kit, HasNewKit());
  if (has_new_kit || !change_.blobs.empty() || !change_.moves.empty() ||
      !change_.removed_kits.empty() || !change_.files.empty())
    // Kits stay in the change even if they are there: they may be removed until it is applied.
    return true;
  change_.added_kits.clear();
  return !change_.layers.empty();
}

Status StoreSession::FindNewFiles() {
  for (FilesRecord& record : files_) {
    PLUMB_TRY(const auto known, parts_.catalog.FindFiles(parts_.domain, record.key));
    // Two kits of one session may share a layer.
    const bool is_told =
        std::ranges::find(change_.files, record.key, &FilesRecord::key) != change_.files.end();
    if (!known && !is_told) change_.files.push_back(std::move(record));
  }
  return Done{};
}

Result<bool> StoreSession::HasNewKit() {
  if (change_.added_kits.empty()) return false;
  PLUMB_TRY(const std::vector<Kit> kits, catalog_.ListKits(parts_.domain));
  PLUMB_TRY(const std::vector<Ref> refs, catalog_.ListRefs(parts_.domain));
  const std::int64_t renewed_before_ns = clock_.NowNs() - kKitsRenewedAfterNs;
  return std::ranges::any_of(change_.added_kits, [&](const KitChange& added) {
    const auto kit = std::ranges::find(kits, added.manifest, &Kit::manifest);
    if (kit == kits.end() || !kit->is_own) return true;
    const bool is_tagged = std::ranges::find(refs, added.manifest, &Ref::manifest) != refs.end();
    return !is_tagged && kit->added_ns < renewed_before_ns;
  });
}

Status StoreSession::SaveRecords() {
  PLUMB_RETURN_IF_ERROR(parts_.domain.IsDevice() ? SaveDeviceRecords() : SaveHeldRecords());
  for (const RefMove& move : change_.moves) {
    const MoveEvent event = {move.name, move.manifest, move.message, change_.now_ns};
    PLUMB_RETURN_IF_ERROR(saver_.SaveRecord(FrameType::kRefMove, ToRecord(event)));
  }
  return Done{};
}

Status StoreSession::SaveHeldRecords() {
  const auto save = [&](HeldAction action, const Digest& digest, std::int64_t time_ns) {
    return saver_.SaveRecord(FrameType::kHeld,
                             ToRecord(HeldEvent{action, digest, time_ns, parts_.domain}));
  };
  for (const BlobRecord& blob : change_.blobs)
    PLUMB_RETURN_IF_ERROR(save(HeldAction::kBlob, blob.digest, 0));
  for (const KitChange& kit : change_.added_kits)
    PLUMB_RETURN_IF_ERROR(save(HeldAction::kKitAdded, kit.manifest, change_.now_ns));
  for (const Digest& kit : change_.removed_kits)
    PLUMB_RETURN_IF_ERROR(save(HeldAction::kKitRemoved, kit, change_.now_ns));
  return Done{};
}

Status StoreSession::SaveDeviceRecords() {
  const auto save_kit = [&](KitAction action, const Digest& manifest) {
    return saver_.SaveRecord(FrameType::kKit, ToRecord(KitEvent{action, manifest, change_.now_ns}));
  };
  for (const KitChange& kit : change_.added_kits)
    PLUMB_RETURN_IF_ERROR(save_kit(KitAction::kAdded, kit.manifest));
  for (const FilesRecord& record : change_.files)
    PLUMB_RETURN_IF_ERROR(saver_.SaveRecord(FrameType::kFiles, record.bytes));
  for (const Digest& kit : change_.removed_kits)
    PLUMB_RETURN_IF_ERROR(save_kit(KitAction::kRemoved, kit));
  return Done{};
}

}  // namespace plumb::store
