// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <optional>
#include <string>
#include <thread>

#include "store/blob_reader_internal.h"

namespace plumb::store {
namespace {

constexpr std::size_t kOpenPacksMax = 16;
constexpr std::size_t kPiecesAhead = 8;

Error Missing(std::string_view what) {
  return Error{ErrorKind::kCorrupt, std::string(what) + " is missing from the store"};
}

// Bytes of a segment, checked.
struct Piece {
  std::vector<std::byte> block;  // if they are of an object
  ByteSpan view;
};

class RecipeSource final : public ByteSource {
 public:
  RecipeSource(ObjectReader& objects, Recipe recipe, std::uint64_t offset)
      : objects_(objects), recipe_(std::move(recipe)) {
    at_ = offset;
    while (next_ < recipe_.segments.size() && at_ >= recipe_.segments[next_].size)
      at_ -= recipe_.segments[next_++].size;
  }

  ~RecipeSource() override {
    {
      const std::lock_guard lock(mutex_);
      is_stopped_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  Result<ByteSpan> Read(std::size_t size_max) override {
    if (rest_.empty()) {
      PLUMB_TRY(const bool is_there, NextPiece());
      if (!is_there) return ByteSpan();
    }
    const ByteSpan given = rest_.first(std::min(size_max, rest_.size()));
    rest_ = rest_.subspan(given.size());
    return given;
  }

 private:
  Result<bool> NextPiece() {
    if (!thread_.joinable()) {
      if (next_ == recipe_.segments.size()) return false;
      const bool is_object = recipe_.segments[next_].kind == SegmentKind::kObject;
      if (!is_object || !has_read_object_) {
        // Who only looks at the beginning shall not wait for what lies behind it.
        has_read_object_ = has_read_object_ || is_object;
        PLUMB_RETURN_IF_ERROR(Load(current_));
        rest_ = current_.view;
        return true;
      }
      thread_ = std::thread([this] { ReadAhead(); });
    }
    return TakeFromThread();
  }

  Result<bool> TakeFromThread() {
    std::unique_lock lock(mutex_);
    if (!current_.block.empty()) spare_.push_back(std::move(current_.block));
    changed_.notify_all();
    changed_.wait(lock, [&] { return !ready_.empty() || failure_ || is_done_; });
    if (!ready_.empty()) {
      current_ = std::move(ready_.front());
      ready_.pop_front();
      changed_.notify_all();
      rest_ = current_.view;
      return true;
    }
    if (failure_) return *failure_;
    return false;
  }

  // In the thread: reads what is left.
  void ReadAhead() {
    std::unique_lock lock(mutex_);
    while (next_ < recipe_.segments.size()) {
      changed_.wait(lock, [&] { return is_stopped_ || ready_.size() < kPiecesAhead; });
      if (is_stopped_) return;
      Piece piece;
      if (!spare_.empty()) {
        piece.block = std::move(spare_.back());
        spare_.pop_back();
      }
      lock.unlock();
      Status loaded = Load(piece);
      lock.lock();
      if (!loaded) {
        failure_ = std::move(loaded).error();
        break;
      }
      ready_.push_back(std::move(piece));
      changed_.notify_all();
    }
    is_done_ = true;
    changed_.notify_all();
  }

  // What comes next: a literal, or what a segment has of a block.
  Status Load(Piece& piece) {
    const Segment& segment = recipe_.segments[next_];
    const std::uint64_t left = segment.size - at_;
    const std::uint64_t offset = segment.offset + at_;
    if (segment.kind == SegmentKind::kLiteral) {
      piece.view = AsBytes(recipe_.literals)
                       .subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(left));
    } else {
      PLUMB_RETURN_IF_ERROR(LoadBlock(segment, offset, left, piece));
    }
    at_ += piece.view.size();
    if (at_ < segment.size) return Done{};
    at_ = 0;
    ++next_;
    return Done{};
  }

  Status LoadBlock(const Segment& segment, std::uint64_t offset, std::uint64_t left, Piece& piece) {
    if (!object_ || object_->id != segment.object) {
      PLUMB_TRY(object_, objects_.Find(segment.object));
    }
    const std::uint64_t size = object_->size();
    if (offset >= size || size - offset < left)
      return Error{ErrorKind::kCorrupt, "an object is shorter than a recipe says"};
    const std::uint64_t in_block = offset % object_->block_size();
    PLUMB_RETURN_IF_ERROR(
        objects_.ReadBlock(*object_, offset / object_->block_size(), piece.block));
    const std::uint64_t there = piece.block.size() - in_block;
    piece.view = ByteSpan(piece.block)
                     .subspan(static_cast<std::size_t>(in_block),
                              static_cast<std::size_t>(std::min(there, left)));
    return Done{};
  }

  ObjectReader& objects_;
  const Recipe recipe_;
  // Of the thread once that runs: the present segment, where in it, and its object.
  std::size_t next_ = 0;
  std::uint64_t at_ = 0;
  std::optional<ObjectReader::Object> object_;
  bool has_read_object_ = false;
  Piece current_;
  ByteSpan rest_;

  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Piece> ready_;
  std::vector<std::vector<std::byte>> spare_;
  std::optional<Error> failure_;
  bool is_done_ = false;
  bool is_stopped_ = false;
};

}  // namespace

Result<ObjectReader::Object> ObjectReader::Find(const ObjectId& id) {
  auto object = Look(id);
  if (object || object.error().kind != ErrorKind::kNotFound) return object;
  // A gc may have moved it and taken the pack away between the two.
  object = Look(id);
  if (object || object.error().kind != ErrorKind::kNotFound) return object;
  return Error{ErrorKind::kCorrupt, object.error().message};
}

// kNotFound if its pack is not there.
Result<ObjectReader::Object> ObjectReader::Look(const ObjectId& id) {
  // Whoever may read a blob may read what it is made of, whoever brought that.
  PLUMB_TRY(const auto found, catalog_.FindObject(Domain::Device(), id));
  if (!found) return Missing("object '" + id.ToHex() + "'");
  Object object = {id, *found, nullptr};
  if (object.place.encoding != Encoding::kTree) return object;
  PLUMB_TRY(const auto pack, Open(object.place.pack));
  auto tree = ReadTree(*pack, id, object.place);
  if (!tree) return TellOf(object, tree.error()).error();
  object.tree = std::make_shared<const ObjectTree>(*std::move(tree));
  return object;
}

Status ObjectReader::ReadBlock(Object& object, std::uint64_t index, std::vector<std::byte>& out) {
  Status read = Read(object, index, out);
  if (read || read.error().kind != ErrorKind::kNotFound) return read;
  PLUMB_TRY(object, Find(object.id));
  read = Read(object, index, out);
  if (read || read.error().kind != ErrorKind::kNotFound) return read;
  return Error{ErrorKind::kCorrupt, read.error().message};
}

// kNotFound if its pack is not there.
Status ObjectReader::Read(const Object& object, std::uint64_t index, std::vector<std::byte>& out) {
  const bool is_adopted = object.tree != nullptr && object.tree->adopted;
  PLUMB_TRY(const auto pack, Open(is_adopted ? *object.tree->adopted : object.place.pack));
  // Nobody keeps a pack for such a tree.
  if (is_adopted && pack->kind() != PackKind::kAdopted)
    return TellOf(object, Error{ErrorKind::kCorrupt, "a tree names a pack as its file"});
  return TellOf(object,
                object.tree == nullptr
                    ? ReadObject(*pack, object.place, object.id, out)
                    : store::ReadBlock(*pack, object.tree->PlaceOf(index, object.place.pack), out));
}

// The listener too, if it is damage.
Status ObjectReader::TellOf(const Object& object, Status status) {
  if (!status && status.error().kind == ErrorKind::kCorrupt && listener_ != nullptr)
    listener_->OnDamage(object.id, object.place);
  return status;
}

Result<std::shared_ptr<PackReader>> ObjectReader::Open(const PackName& name) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(open_.begin(), open_.end(),
                                  [&](const auto& entry) { return entry.first == name; });
  if (found != open_.end()) {
    std::rotate(found, found + 1, open_.end());
    return open_.back().second;
  }
  auto opened = packs_.Open(name);
  if (!opened && opened.error().kind == ErrorKind::kNotFound)
    return Error{ErrorKind::kNotFound, "pack '" + name.ToString() + "' is missing from the store"};
  if (!opened) return std::move(opened).error();
  if (open_.size() == kOpenPacksMax) open_.erase(open_.begin());
  open_.emplace_back(name, *std::move(opened));
  return open_.back().second;
}

std::unique_ptr<ByteSource> MakeRecipeSource(ObjectReader& objects, Recipe recipe,
                                             std::uint64_t offset) {
  PLUMB_CHECK(offset <= recipe.size);
  return std::make_unique<RecipeSource>(objects, std::move(recipe), offset);
}

}  // namespace plumb::store
