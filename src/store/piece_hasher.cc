// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "store/piece_hasher_internal.h"

namespace plumb::store {
namespace {

constexpr std::size_t kStreamsTogether = 2;

}  // namespace

void HashPiece(Sha256Hasher& blob, ByteSpan piece, std::span<const FilePart> parts) {
  const std::byte* at = piece.data();
  for (const FilePart& part : parts) {
    if (!part.bytes.empty()) {
      blob.Add({at, part.bytes.data()});
      Sha256Hasher::AddTogether(blob, part.bytes, *part.file->hasher, part.bytes);
      at = part.bytes.data() + part.bytes.size();
    }
    if (!part.is_last) continue;
    part.file->digest = part.file->hasher->Finish();
    part.file->hasher.reset();
  }
  blob.Add({at, piece.data() + piece.size()});
}

PieceHasher::~PieceHasher() {
  {
    const std::lock_guard lock(mutex_);
    PLUMB_CHECK(lanes_.empty());
    is_stopped_ = true;
  }
  changed_.notify_all();
  for (std::thread& worker : workers_)
    worker.join();
}

std::unique_ptr<PieceHasher::Lane> PieceHasher::Open() {
  auto lane = std::make_unique<Lane>(*this);
  const std::lock_guard lock(mutex_);
  lanes_.push_back(lane.get());
  HireIfNeeded();
  return lane;
}

void PieceHasher::HireIfNeeded() {
  std::size_t streams = lanes_.size();
  for (const Lane* lane : lanes_)
    if (lane->has_parts_) ++streams;
  if (workers_.size() * kStreamsTogether < streams) workers_.emplace_back([this] { Work(); });
}

PieceHasher::Lane::~Lane() {
  std::unique_lock lock(owner_.mutex_);
  jobs_.clear();
  owner_.changed_.wait(lock, [&] { return !is_busy_; });
  owner_.lanes_.remove(this);
  lock.unlock();
  // Who waited for a piece of this one waits no longer.
  owner_.changed_.notify_all();
}

void PieceHasher::Lane::Add(ByteSpan piece, std::vector<FilePart> parts,
                            std::function<void()> done) {
  {
    const std::lock_guard lock(owner_.mutex_);
    PLUMB_CHECK(!is_ended_);
    const bool has_parts = !parts.empty();
    jobs_.push_back({piece, std::move(parts), std::move(done)});
    if (has_parts && !has_parts_) {
      has_parts_ = true;
      owner_.HireIfNeeded();
    }
  }
  owner_.changed_.notify_all();
}

Digest PieceHasher::Lane::Finish() {
  std::unique_lock lock(owner_.mutex_);
  is_ended_ = true;
  owner_.changed_.notify_all();
  owner_.changed_.wait(lock, [&] { return jobs_.empty() && !is_busy_; });
  return hasher_.Finish();
}

std::vector<PieceHasher::Lane*> PieceHasher::Choose() const {
  std::vector<Lane*> ready;
  bool has_partner = false;  // another one that may have a piece soon
  for (Lane* lane : lanes_) {
    if (!lane->is_busy_ && !lane->jobs_.empty()) {
      // It is two streams by itself.
      if (!lane->jobs_.front().parts.empty()) return {lane};
      ready.push_back(lane);
      if (ready.size() == kStreamsTogether) return ready;
    } else if (!lane->is_ended_) {
      has_partner = true;
    }
  }
  if (ready.empty() || !has_partner) return ready;
  // One piece can wait for a partner, because its blob goes on until there is a second. Two shall
  // not: they may be all the room that the blob has.
  const Lane& lane = *ready.front();
  if (lane.is_ended_ || lane.jobs_.size() > 1) return ready;
  return {};
}

void PieceHasher::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    const std::vector<Lane*> chosen = Choose();
    if (chosen.empty()) {
      if (is_stopped_) return;
      changed_.wait(lock);
      continue;
    }
    std::vector<Lane::Job> jobs;
    for (Lane* lane : chosen) {
      lane->is_busy_ = true;
      jobs.push_back(std::move(lane->jobs_.front()));
      lane->jobs_.pop_front();
      lanes_.remove(lane);
      lanes_.push_back(lane);
    }
    lock.unlock();
    if (chosen.size() == 1) {
      HashPiece(chosen[0]->hasher_, jobs[0].piece, jobs[0].parts);
    } else {
      Sha256Hasher::AddTogether(chosen[0]->hasher_, jobs[0].piece, chosen[1]->hasher_,
                                jobs[1].piece);
    }
    for (const Lane::Job& job : jobs)
      job.done();
    lock.lock();
    for (Lane* lane : chosen)
      lane->is_busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace plumb::store
