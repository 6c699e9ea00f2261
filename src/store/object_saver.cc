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

}  // namespace

ObjectSaver::~ObjectSaver() {
  // Best effort: what stays is litter.
  for (const PackName& name : unwanted_) [[maybe_unused]]
    const Status removed = packs_.Remove(name);
}

Result<ObjectId> ObjectSaver::SaveObject(ByteSpan raw) {
  PLUMB_CHECK(!raw.empty() && raw.size() <= kPieceSizeMax);
  const ObjectId id = Blake3(raw);
  if (!Claim(id)) return id;
  Status saved = SaveClaimed(id, raw);
  if (saved) return id;
  const std::lock_guard lock(mutex_);
  has_failed_ = true;
  return std::move(saved).error();
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
  return claimed_.insert(id).second;
}

Status ObjectSaver::SaveClaimed(const ObjectId& id, ByteSpan raw) {
  PLUMB_TRY(const auto known, catalog_.FindObject(id));
  if (known && known->standing == Standing::kGood) return Done{};
  PLUMB_TRY(const std::string shrunk, ShrunkIfWorthwhile(raw));
  FrameContent content = {FrameType::kObject, id, raw.size(), Encoding::kRaw, raw};
  if (!shrunk.empty()) {
    content.encoding = Encoding::kZstd;
    content.stored = AsBytes(shrunk);
  }
  PLUMB_TRY(const ObjectPlace place, Write(content));
  const std::lock_guard lock(mutex_);
  objects_.push_back({id, place});
  return Done{};
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
  if (has_failed_)
    return Error{ErrorKind::kUnavailable, "a part of this was not written: nothing was changed"};
  for (const auto& writer : std::exchange(idle_, {})) {
    PLUMB_RETURN_IF_ERROR(writer->Finish());
    unwanted_.push_back(writer->name());
  }
  return std::move(objects_);
}

}  // namespace plumb::store
