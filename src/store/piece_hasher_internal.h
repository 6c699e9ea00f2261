// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_PIECE_HASHER_INTERNAL_H_
#define PLUMB_STORE_PIECE_HASHER_INTERNAL_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "crypto/digest.h"

namespace plumb::store {

// A file within a blob that is hashed as well. Its digest is there once its last part was hashed.
struct FileHash {
  std::unique_ptr<Sha256Hasher> hasher = std::make_unique<Sha256Hasher>();  // until then
  Digest digest = {};
};

// What a piece of a blob has of such a file.
struct FilePart {
  FileHash* file = nullptr;
  ByteSpan bytes = {};
  bool is_last = false;
};

// Hashes a piece of a blob, and its parts with it.
void HashPiece(Sha256Hasher& blob, ByteSpan piece, std::span<const FilePart> parts);

// Hashes the pieces of several blobs (SHA-256) in the background, those of one blob in order. One
// thread serves two blobs, and hashes a piece of each together: that costs little more than one. So
// does what a piece has of a file, together with the piece.
// Threads: any number at once. Must outlive its lanes.
class PieceHasher {
 public:
  // A blob. Threads: one at a time.
  class Lane {
   public:
    explicit Lane(PieceHasher& owner) : owner_(owner) {}
    // What was not hashed by now is not hashed at all.
    ~Lane();
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    // The parts lie in the piece, one behind the other. `done` is called, by another thread, once
    // the piece is not needed any more.
    void Add(ByteSpan piece, std::vector<FilePart> parts, std::function<void()> done);
    // Waits for all pieces. Call once; nothing may be added after.
    Digest Finish();

   private:
    friend class PieceHasher;
    struct Job {
      ByteSpan piece;
      std::vector<FilePart> parts;
      std::function<void()> done;
    };

    PieceHasher& owner_;
    Sha256Hasher hasher_;  // of the thread that is busy with it, then of Finish()
    // Guarded by the owner's mutex.
    std::deque<Job> jobs_;
    bool is_busy_ = false;
    bool is_ended_ = false;
    bool has_parts_ = false;
  };

  PieceHasher() = default;
  ~PieceHasher();
  PieceHasher(const PieceHasher&) = delete;
  PieceHasher& operator=(const PieceHasher&) = delete;

  std::unique_ptr<Lane> Open();

 private:
  void Work();
  void HireIfNeeded();
  // One or two lanes whose next pieces shall be hashed now; none if it is better to wait.
  std::vector<Lane*> Choose() const;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Lane*> lanes_;  // in the order in which they wait
  std::vector<std::thread> workers_;
  bool is_stopped_ = false;
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_PIECE_HASHER_INTERNAL_H_
