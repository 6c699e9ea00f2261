// SPDX-License-Identifier: MIT OR Apache-2.0
#include <utility>

#include "store/payload_internal.h"
#include "store/recipe_internal.h"
#include "store/tensor_saver_internal.h"

namespace plumb::store {
namespace {

// What came was compared with it and let go.
Error TwinIsDamaged() {
  return Error{ErrorKind::kCorrupt, "what the store has of this tensor is damaged",
               "plumb fsck --full, then the same again"};
}

}  // namespace

TensorSaver::~TensorSaver() {
  if (writer_ != nullptr) [[maybe_unused]]
    const Status given = saver_.GiveBack(std::move(writer_));
}

Result<BlockPlace> TensorSaver::Add(ByteSpan block) {
  const std::size_t index = tree_.blocks.size();
  PLUMB_CHECK(tree_.size == index * kBlockSizeMax);
  tree_.blocks.push_back({HashGroup(block, index)});
  tree_.size += block.size();
  if (index == 0) {
    // Alone it would have no tree, and another name than as a part of more.
    first_.assign(block.begin(), block.end());
    PLUMB_RETURN_IF_ERROR(FindTwin());
  } else {
    first_.clear();
  }
  if (twin_ && IsAsTwin()) return twin_->tree->PlaceOf(index, twin_->record.place.pack);
  if (twin_) PLUMB_RETURN_IF_ERROR(Part(index));
  PLUMB_RETURN_IF_ERROR(Write(index, block));
  BlockPlace place = tree_.PlaceOf(index, writer_->name());
  place.is_new = true;
  return place;
}

Status TensorSaver::FindTwin() {
  PLUMB_TRY(const auto found, saver_.FindTwins(tree_.Start(), role_.tensor_size));
  for (const ObjectRecord& record : found) {
    PLUMB_TRY(auto tree, saver_.TreeOf(record));
    if (tree == nullptr || tree->blocks.front().hash != tree_.blocks.front().hash) continue;
    twin_ = Twin{record, std::move(tree)};
    break;
  }
  return Done{};
}

bool TensorSaver::IsAsTwin() const {
  const std::size_t index = tree_.blocks.size() - 1;
  const ObjectTree& twin = *twin_->tree;
  return index < twin.blocks.size() && twin.blocks[index].hash == tree_.blocks[index].hash;
}

Status TensorSaver::Part(std::size_t same) {
  Twin twin = *std::exchange(twin_, std::nullopt);
  auto pack = saver_.OpenPack(twin.tree->adopted.value_or(twin.record.place.pack));
  if (!pack && pack.error().kind == ErrorKind::kNotFound) {
    // A gc wrote it anew elsewhere.
    PLUMB_TRY(twin.record, saver_.FindAgain(twin.record.id));
    PLUMB_TRY(twin.tree, saver_.TreeOf(twin.record));
    if (twin.tree == nullptr) return TwinIsDamaged();
    pack = saver_.OpenPack(twin.tree->adopted.value_or(twin.record.place.pack));
  }
  if (!pack) return std::move(pack).error();
  std::vector<std::byte> raw;
  for (std::size_t i = 0; i < same; ++i) {
    const Status read = ReadBlock(**pack, twin.tree->PlaceOf(i, twin.record.place.pack), raw);
    if (!read && read.error().kind == ErrorKind::kCorrupt) return TwinIsDamaged();
    PLUMB_RETURN_IF_ERROR(read);
    PLUMB_RETURN_IF_ERROR(Write(i, raw));
  }
  return Done{};
}

Status TensorSaver::Write(std::size_t index, ByteSpan raw) {
  PLUMB_TRY(const Payload payload, EncodePayload(raw, role_.At(index * kBlockSizeMax)));
  if (writer_ == nullptr) {
    PLUMB_TRY(writer_, saver_.TakeWriter());
  }
  TreeBlock& block = tree_.blocks[index];
  FrameContent frame = {
      FrameType::kBlock, {block.hash.bytes}, raw.size(), payload.encoding, payload.stored};
  frame.block = static_cast<std::uint32_t>(index);
  PLUMB_TRY(const ObjectPlace place, saver_.Append(writer_, frame));
  block.encoding = place.encoding;
  block.stored_size = static_cast<std::uint32_t>(place.stored_size);
  block.offset = place.offset;
  return Done{};
}

Result<ObjectRecord> TensorSaver::Finish() {
  PLUMB_CHECK(!tree_.blocks.empty());
  if (!first_.empty()) return saver_.SaveObject(first_, role_.At(0));
  if (twin_ && twin_->tree->size == tree_.size) {
    saver_.TakeKnown(twin_->record);
    return twin_->record;
  }
  // It ends where the twin goes on.
  if (twin_) PLUMB_RETURN_IF_ERROR(Part(tree_.blocks.size()));
  const ObjectId id = tree_.Root();
  const std::string bytes = tree_.ToBytes();
  PLUMB_TRY(const ObjectPlace place, saver_.Append(writer_, {FrameType::kTree, id, bytes.size(),
                                                             Encoding::kRaw, AsBytes(bytes)}));
  const ObjectRecord object = {id, tree_.PlaceFor(place)};
  PLUMB_RETURN_IF_ERROR(saver_.GiveBack(std::move(writer_)));
  return saver_.SaveTree(object, std::make_shared<ObjectTree>(std::move(tree_)));
}

}  // namespace plumb::store
