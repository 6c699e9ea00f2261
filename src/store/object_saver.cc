// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string>
#include <utility>

#include "store/object_saver_internal.h"
#include "store/payload_internal.h"
#include "store/recipe_internal.h"

namespace plumb::store {
namespace {

Error NotWritten() {
  return Error{ErrorKind::kUnavailable, "a part of this was not written: nothing was changed"};
}

}  // namespace

ObjectSaver::~ObjectSaver() {
  // Best effort: what stays is litter, and what is lost comes again.
  for (const auto& writer : idle_)
    if (left_.contains(writer->name())) [[maybe_unused]]
      const Status finished = writer->Finish();
  for (const PackName& name : unwanted_)
    if (!left_.contains(name)) [[maybe_unused]]
      const Status removed = packs_.Remove(name);
}

Result<ObjectRecord> ObjectSaver::SaveObject(ByteSpan raw, const PieceRole& role) {
  PLUMB_CHECK(!raw.empty() && raw.size() <= kBlockSizeMax);
  const ObjectId id = Blake3(raw);
  if (!Claim(id)) return AwaitClaimed(id);
  auto place = SaveClaimed(id, raw, role);
  const std::lock_guard lock(mutex_);
  if (place) {
    claimed_[id] = *place;
  } else {
    has_failed_ = true;
  }
  placed_.notify_all();
  if (!place) return std::move(place).error();
  return ObjectRecord{id, *place};
}

Result<ObjectRecord> ObjectSaver::AwaitClaimed(const ObjectId& id) {
  std::unique_lock lock(mutex_);
  placed_.wait(lock, [&] { return has_failed_ || claimed_[id].has_value(); });
  if (claimed_[id]) return ObjectRecord{id, *claimed_[id]};
  return NotWritten();
}

void ObjectSaver::Offer(const ObjectRecord& object) {
  const std::lock_guard lock(mutex_);
  offered_.insert_or_assign(object.id, object.place);
}

Result<std::vector<ObjectRecord>> ObjectSaver::FindTwins(std::uint64_t start, std::uint64_t size) {
  std::vector<ObjectRecord> twins;
  {
    const std::lock_guard lock(mutex_);
    const auto [begin, end] = trees_.equal_range(start);
    for (auto own = begin; own != end; ++own)
      if (own->second.tree->size == size) twins.push_back(own->second.object);
    for (const auto& [id, place] : offered_)
      if (place.raw_size == size && place.start == start) twins.push_back({id, place});
  }
  PLUMB_TRY(const auto known, starts_.FindByStart(domain_, start, size));
  twins.insert(twins.end(), known.begin(), known.end());
  return twins;
}

Result<std::shared_ptr<const ObjectTree>> ObjectSaver::TreeOf(const ObjectRecord& object) {
  {
    const std::lock_guard lock(mutex_);
    const auto [begin, end] = trees_.equal_range(object.place.start);
    for (auto own = begin; own != end; ++own)
      if (own->second.object.id == object.id) return own->second.tree;
  }
  auto pack = packs_.Open(object.place.pack);
  auto tree = pack ? ReadTree(**pack, object.id, object.place) : Result<ObjectTree>(pack.error());
  if (tree) return std::make_shared<const ObjectTree>(*std::move(tree));
  const ErrorKind kind = tree.error().kind;
  // What is damaged or gone is as good as none: it comes anew.
  if (kind == ErrorKind::kCorrupt || kind == ErrorKind::kNotFound)
    return std::shared_ptr<const ObjectTree>();
  return std::move(tree).error();
}

Result<ObjectRecord> ObjectSaver::FindAgain(const ObjectId& id) {
  PLUMB_TRY(const auto place, catalog_.FindObject(domain_, id));
  if (place) return ObjectRecord{id, *place};
  return Error{ErrorKind::kCorrupt, "object '" + id.ToHex() + "' is missing from the store"};
}

Result<ObjectRecord> ObjectSaver::SaveTree(const ObjectRecord& object,
                                           std::shared_ptr<const ObjectTree> tree) {
  // Another may have written the same meanwhile: then this is litter.
  PLUMB_TRY(const auto known, catalog_.FindObject(domain_, object.id));
  if (known && known->standing == Standing::kGood) return ObjectRecord{object.id, *known};
  const std::lock_guard lock(mutex_);
  const auto [claimed, is_new] = claimed_.emplace(object.id, object.place);
  if (!is_new) return ObjectRecord{object.id, *claimed->second};
  objects_.push_back(object);
  trees_.emplace(object.place.start, OwnTree{object, std::move(tree)});
  return object;
}

void ObjectSaver::Leave(const PackName& pack) {
  const std::lock_guard lock(mutex_);
  left_.insert(pack);
}

void ObjectSaver::TakeKnown(const ObjectRecord& object) {
  static_cast<void>(TakeOffered(object.id));
}

std::optional<ObjectPlace> ObjectSaver::TakeOffered(const ObjectId& id) {
  const std::lock_guard lock(mutex_);
  const auto offered = offered_.extract(id);
  if (offered.empty()) return std::nullopt;
  adopted_.insert(offered.mapped().pack);
  objects_.push_back({id, offered.mapped()});
  return offered.mapped();
}

Result<ObjectId> ObjectSaver::SaveRecord(FrameType type, std::string_view record) {
  const ByteSpan bytes = AsBytes(record);
  const ObjectId id = Blake3(bytes);
  PLUMB_TRY([[maybe_unused]] const ObjectPlace place,
            Write({type, id, bytes.size(), Encoding::kRaw, bytes}));
  return id;
}

// Whether the caller is the one who must write it.
bool ObjectSaver::Claim(const ObjectId& id) {
  const std::lock_guard lock(mutex_);
  return claimed_.emplace(id, std::nullopt).second;
}

Result<ObjectPlace> ObjectSaver::SaveClaimed(const ObjectId& id, ByteSpan raw,
                                             const PieceRole& role) {
  PLUMB_TRY(const auto known, catalog_.FindObject(domain_, id));
  if (known && known->standing == Standing::kGood) return *known;
  if (const auto offered = TakeOffered(id)) return *offered;
  PLUMB_TRY(const Payload payload, EncodePayload(raw, role));
  const FrameContent content = {FrameType::kObject, id, raw.size(), payload.encoding,
                                payload.stored};
  PLUMB_TRY(const ObjectPlace place, Write(content));
  const std::lock_guard lock(mutex_);
  objects_.push_back({id, place});
  return place;
}

Result<ObjectPlace> ObjectSaver::Write(const FrameContent& content) {
  PLUMB_TRY(auto writer, TakeWriter());
  PLUMB_TRY(const ObjectPlace place, Append(writer, content));
  PLUMB_RETURN_IF_ERROR(GiveBack(std::move(writer)));
  return place;
}

Result<ObjectPlace> ObjectSaver::Append(std::unique_ptr<FrameWriter>& writer,
                                        const FrameContent& content) {
  auto place = writer->Append(content);
  if (place) return place;
  writer.reset();
  Fail();
  return place;
}

void ObjectSaver::Fail() {
  const std::lock_guard lock(mutex_);
  has_failed_ = true;
  placed_.notify_all();
}

Result<std::unique_ptr<FrameWriter>> ObjectSaver::TakeWriter() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto writer = std::move(idle_.back());
      idle_.pop_back();
      return writer;
    }
  }
  PLUMB_TRY(auto pack, packs_.Create());
  return std::make_unique<FrameWriter>(std::move(pack));
}

Status ObjectSaver::GiveBack(std::unique_ptr<FrameWriter> writer) {
  if (writer->IsFull()) {
    Status finished = writer->Finish();
    if (!finished) Fail();
    if (!finished) return finished;
    const std::lock_guard lock(mutex_);
    unwanted_.push_back(writer->name());
    return Done{};
  }
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(writer));
  return Done{};
}

Result<std::vector<ObjectRecord>> ObjectSaver::Finish() {
  const std::lock_guard lock(mutex_);
  if (has_failed_) return NotWritten();
  for (const auto& writer : std::exchange(idle_, {})) {
    PLUMB_RETURN_IF_ERROR(writer->Finish());
    unwanted_.push_back(writer->name());
  }
  // Those who wrote these may have ended before anything was durable.
  for (const PackName& name : adopted_) {
    Status durable = packs_.MakeDurable(name);
    if (!durable && durable.error().kind == ErrorKind::kNotFound)
      return Error{ErrorKind::kConflict,
                   "pack '" + name.ToString() + "' was taken away meanwhile: nothing was changed",
                   "run it again"};
    PLUMB_RETURN_IF_ERROR(durable);
  }
  return std::move(objects_);
}

std::vector<PackName> ObjectSaver::packs() const {
  std::vector<PackName> packs = unwanted_;
  packs.insert(packs.end(), adopted_.begin(), adopted_.end());
  return packs;
}

}  // namespace plumb::store
