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
constexpr std::size_t kPiecesAhead = 3;

Error Missing(std::string_view what) {
  return Error{ErrorKind::kCorrupt, std::string(what) + " is missing from the store"};
}

// A segment's bytes, checked.
struct Piece {
  std::vector<std::byte> object;  // if it is of one
  ByteSpan view;
};

class RecipeSource final : public ByteSource {
 public:
  RecipeSource(ObjectReader& objects, Recipe recipe, std::uint64_t offset)
      : objects_(objects), recipe_(std::move(recipe)) {
    skip_ = offset;
    while (next_ < recipe_.segments.size() && skip_ >= recipe_.segments[next_].size)
      skip_ -= recipe_.segments[next_++].size;
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
      const Segment& segment = recipe_.segments[next_];
      const bool is_object = segment.kind == SegmentKind::kObject;
      if (!is_object || !has_read_object_) {
        // Who only looks at the beginning shall not wait for what lies behind it.
        has_read_object_ = has_read_object_ || is_object;
        PLUMB_RETURN_IF_ERROR(Load(segment, current_));
        ++next_;
        Show();
        return true;
      }
      thread_ = std::thread([this] { ReadAhead(); });
    }
    return TakeFromThread();
  }

  Result<bool> TakeFromThread() {
    std::unique_lock lock(mutex_);
    if (!current_.object.empty()) spare_.push_back(std::move(current_.object));
    changed_.notify_all();
    changed_.wait(lock, [&] { return !ready_.empty() || failure_ || is_done_; });
    if (!ready_.empty()) {
      current_ = std::move(ready_.front());
      ready_.pop_front();
      changed_.notify_all();
      Show();
      return true;
    }
    if (failure_) return *failure_;
    return false;
  }

  void Show() {
    rest_ = current_.view.subspan(static_cast<std::size_t>(skip_));
    skip_ = 0;
  }

  // In the thread: reads what is left.
  void ReadAhead() {
    std::unique_lock lock(mutex_);
    for (std::size_t i = next_; i < recipe_.segments.size(); ++i) {
      changed_.wait(lock, [&] { return is_stopped_ || ready_.size() < kPiecesAhead; });
      if (is_stopped_) return;
      Piece piece;
      if (!spare_.empty()) {
        piece.object = std::move(spare_.back());
        spare_.pop_back();
      }
      lock.unlock();
      Status loaded = Load(recipe_.segments[i], piece);
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

  Status Load(const Segment& segment, Piece& piece) {
    const auto size = static_cast<std::size_t>(segment.size);
    const auto offset = static_cast<std::size_t>(segment.offset);
    if (segment.kind == SegmentKind::kLiteral) {
      piece.view = AsBytes(recipe_.literals).subspan(offset, size);
      return Done{};
    }
    PLUMB_RETURN_IF_ERROR(objects_.Read(segment.object, piece.object));
    if (piece.object.size() < offset + size)
      return Error{ErrorKind::kCorrupt, "an object is shorter than a recipe says"};
    piece.view = ByteSpan(piece.object).subspan(offset, size);
    return Done{};
  }

  ObjectReader& objects_;
  const Recipe recipe_;
  std::size_t next_ = 0;  // segment; of the thread once that runs
  std::uint64_t skip_ = 0;
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

Status ObjectReader::Read(const ObjectId& id, std::vector<std::byte>& out) {
  PLUMB_TRY(const auto found, catalog_.FindObject(id));
  if (!found) return Missing("object '" + id.ToHex() + "'");
  ObjectPlace place = *found;
  Status read = ReadFrom(place, id, out);
  if (!read && read.error().kind == ErrorKind::kCorrupt && listener_ != nullptr)
    listener_->OnDamage(id, place);
  return read;
}

Status ObjectReader::ReadFrom(ObjectPlace& place, const ObjectId& id, std::vector<std::byte>& out) {
  auto pack = Open(place.pack);
  if (pack) return ReadObject(**pack, place, id, out);
  if (pack.error().kind != ErrorKind::kNotFound) return std::move(pack).error();
  // A gc may have moved it and taken the pack away between the two.
  PLUMB_TRY(const auto moved, catalog_.FindObject(id));
  if (!moved) return Missing("object '" + id.ToHex() + "'");
  place = *moved;
  pack = Open(place.pack);
  if (pack) return ReadObject(**pack, place, id, out);
  if (pack.error().kind == ErrorKind::kNotFound)
    return Missing("pack '" + place.pack.ToString() + "'");
  return std::move(pack).error();
}

Result<std::shared_ptr<PackReader>> ObjectReader::Open(const PackName& name) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(open_.begin(), open_.end(),
                                  [&](const auto& entry) { return entry.first == name; });
  if (found != open_.end()) {
    std::rotate(found, found + 1, open_.end());
    return open_.back().second;
  }
  PLUMB_TRY(auto opened, packs_.Open(name));
  if (open_.size() == kOpenPacksMax) open_.erase(open_.begin());
  open_.emplace_back(name, std::move(opened));
  return open_.back().second;
}

std::unique_ptr<ByteSource> MakeRecipeSource(ObjectReader& objects, Recipe recipe,
                                             std::uint64_t offset) {
  PLUMB_CHECK(offset <= recipe.size);
  return std::make_unique<RecipeSource>(objects, std::move(recipe), offset);
}

}  // namespace plumb::store
