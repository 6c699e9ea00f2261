// SPDX-License-Identifier: MIT OR Apache-2.0
#include <utility>

#include "store/pack_merger_internal.h"

namespace plumb::store {

PackMerger::~PackMerger() {
  // Nobody was told of them. Best effort: what stays is litter.
  for (const PackName& name : change_.new_packs)
    static_cast<void>(packs_.Remove(name));
}

Result<ObjectPlace> PackMerger::Append(const FrameContent& content) {
  if (writer_ == nullptr) {
    PLUMB_TRY(auto pack, packs_.Create());
    writer_ = std::make_unique<FrameWriter>(std::move(pack));
  }
  PLUMB_TRY(const ObjectPlace place, writer_->Append(content));
  if (writer_->IsFull() && content.type != FrameType::kBlock) PLUMB_RETURN_IF_ERROR(EndPack());
  return place;
}

Result<UpkeepChange> PackMerger::Finish() {
  if (writer_ != nullptr) PLUMB_RETURN_IF_ERROR(EndPack());
  return std::exchange(change_, {});
}

Status PackMerger::EndPack() {
  PLUMB_RETURN_IF_ERROR(writer_->Finish());
  change_.new_packs.push_back(writer_->name());
  size_ += writer_->size() + kTrailerSize;
  writer_.reset();
  return Done{};
}

}  // namespace plumb::store
