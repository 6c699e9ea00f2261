// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string>
#include <utility>

#include "archive/compression.h"
#include "base/streams.h"
#include "store/object_saver_internal.h"
#include "store/recipe_internal.h"

namespace plumb::store {
namespace {

constexpr std::size_t kSampleSize = std::size_t{64} << 10;
constexpr int kZstdLevel = 3;

// The bytes as zstd, or nothing if that does not save two fifths.
Result<std::string> Shrunk(ByteSpan raw) {
  MemorySink sink(raw.size() + kSampleSize);
  const auto compressor = archive::MakeCompressor(archive::Compression::kZstd, kZstdLevel, sink);
  PLUMB_RETURN_IF_ERROR(compressor->Write(raw));
  PLUMB_RETURN_IF_ERROR(compressor->Finish());
  if (sink.text().size() > raw.size() / 5 * 3) return std::string();
  return std::move(sink).TakeText();
}

// Weights do not shrink: a sample from the middle tells, for a hundredth of the time.
Result<std::string> ShrunkIfWorthwhile(ByteSpan raw) {
  if (raw.size() > kSampleSize) {
    PLUMB_TRY(const std::string sample,
              Shrunk(raw.subspan((raw.size() - kSampleSize) / 2, kSampleSize)));
    if (sample.empty()) return std::string();
  }
  return Shrunk(raw);
}

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

Result<ObjectRecord> ObjectSaver::SaveObject(ByteSpan raw) {
  PLUMB_CHECK(!raw.empty() && raw.size() <= kPieceSizeMax);
  const ObjectId id = Blake3(raw);
  if (!Claim(id)) return AwaitClaimed(id);
  auto place = SaveClaimed(id, raw);
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

void ObjectSaver::Leave(const PackName& pack) {
  const std::lock_guard lock(mutex_);
  left_.insert(pack);
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

Result<ObjectPlace> ObjectSaver::SaveClaimed(const ObjectId& id, ByteSpan raw) {
  PLUMB_TRY(const auto known, catalog_.FindObject(id));
  if (known && known->standing == Standing::kGood) return *known;
  if (const auto offered = TakeOffered(id)) return *offered;
  PLUMB_TRY(const std::string shrunk, ShrunkIfWorthwhile(raw));
  FrameContent content = {FrameType::kObject, id, raw.size(), Encoding::kRaw, raw};
  if (!shrunk.empty()) {
    content.encoding = Encoding::kZstd;
    content.stored = AsBytes(shrunk);
  }
  PLUMB_TRY(const ObjectPlace place, Write(content));
  const std::lock_guard lock(mutex_);
  objects_.push_back({id, place});
  return place;
}

Result<ObjectPlace> ObjectSaver::Write(const FrameContent& content) {
  PLUMB_TRY(auto writer, TakeWriter());
  PLUMB_TRY(const ObjectPlace place, writer->Append(content));
  PLUMB_RETURN_IF_ERROR(GiveBack(std::move(writer)));
  return place;
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
    PLUMB_RETURN_IF_ERROR(writer->Finish());
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
