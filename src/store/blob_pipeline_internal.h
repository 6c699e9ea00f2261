// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_BLOB_PIPELINE_INTERNAL_H_
#define PLUMB_STORE_BLOB_PIPELINE_INTERNAL_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"
#include "host/machine.h"
#include "store/cutter_internal.h"
#include "store/object_saver_internal.h"
#include "store/partial_internal.h"
#include "store/piece_hasher_internal.h"
#include "store/recipe_internal.h"
#include "store/store.h"
#include "store/tensor_saver_internal.h"

namespace plumb::store {

// Blobs up to this size are kept whole, in the catalog and in a pack.
inline constexpr std::size_t kWholeBlobSizeMax = std::size_t{64} << 10;

// A blob that was taken in.
struct FinishedBlob {
  Digest digest;
  std::uint64_t size = 0;
  std::optional<Recipe> recipe;  // nothing: it is kept whole, and is `whole`
  std::string whole;
};

// Takes one blob. The caller fills pieces; the session's hasher hashes them in order (SHA-256), and
// a thread names them (BLAKE3) and writes those that are new: what bounds the whole is the slowest
// of reading, hashing and writing, not their sum. At most kPiecesInFlight pieces are in memory.
class BlobPipeline final : public BlobWriter {
 public:
  using Keep = std::function<Result<BlobInfo>(FinishedBlob)>;

  // What several blobs share, all of which must outlive it.
  struct Parts {
    PieceHasher& hasher;
    ObjectSaver& saver;
    host::Clock& clock;
    PartialBlob* partial = nullptr;  // where to note what is here of an expected blob
  };
  // `keep` is called by Finish().
  BlobPipeline(const BlobPlan& plan, const Parts& parts, Keep keep);
  ~BlobPipeline() override;

  Result<MutableByteSpan> Space() override;
  Status Filled(std::size_t size) override;
  Status Write(ByteSpan bytes) override;
  Result<std::uint64_t> TakeKept() override;
  void BeginFile() override;
  void EndFile() override;
  Result<WrittenBlob> Finish() override;

 private:
  struct Piece {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
    PieceRole role;
    int users = 0;  // the hasher, and the thread that saves: those not done with it

    ByteSpan view() const { return {bytes.get(), size}; }
  };
  Status TakePiece();
  void SubmitPiece();
  // What the piece being filled has of the file that was begun.
  ByteSpan BytesOfFile() const;
  void Start();
  void Stop();
  // What the thread does, until the end or a failure.
  void SaveAll();
  Status Save(const Piece& piece);
  Status FinishTensor();
  // One user is done with it.
  void Release(Piece& piece);
  Result<BlobInfo> FinishPieces();
  Result<BlobInfo> FinishWhole();
  // The disk may be slow: of an expected blob no more is taken then than it has taken.
  bool IsTooFarAhead() const;
  // The blob may be expected, and the connection slow: what came of a piece that is not whole yet
  // is noted now and then too.
  void NoteTailIfDue();
  void NoteTail();

  Cutter cutter_;
  const std::uint64_t expected_size_;
  PieceHasher& hasher_;
  ObjectSaver& saver_;
  host::Clock& clock_;
  PartialBlob* const partial_;  // may be null
  const Keep keep_;
  Piece* current_ = nullptr;  // being filled
  std::uint64_t size_ = 0;
  bool takes_kept_ = false;
  bool is_finished_ = false;
  std::size_t tail_noted_ = 0;  // bytes of the piece being filled
  std::int64_t tail_noted_ns_ = 0;
  // Of the thread, then of Finish().
  Recipe recipe_;
  std::unique_ptr<TensorSaver> tensor_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Piece>> pieces_;
  std::vector<Piece*> free_;
  std::deque<Piece*> to_save_;
  std::size_t unsaved_ = 0;  // those, and the one being saved
  std::int64_t unsaved_since_ns_ = 0;
  bool is_ended_ = false;
  std::optional<Error> failure_;
  std::thread thread_;
  std::deque<FileHash> files_;
  bool is_in_file_ = false;                  // the last of them
  std::size_t file_begin_{};                 // in the piece being filled
  std::vector<FilePart> parts_;              // of that piece
  std::unique_ptr<PieceHasher::Lane> lane_;  // last: it uses all these until it is gone
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_BLOB_PIPELINE_INTERNAL_H_
