// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_PARTIAL_INTERNAL_H_
#define PLUMB_STORE_PARTIAL_INTERNAL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "host/files.h"
#include "host/machine.h"
#include "store/catalog.h"
#include "store/pack_index_internal.h"
#include "store/pack_store.h"
#include "store/tree_internal.h"

// What an unfinished command has of a blob: docs/format.md, "Partial blobs".
namespace plumb::store {

inline constexpr std::string_view kPartialDirectory = "partial";
inline constexpr std::size_t kPartialRecordSizeMax = std::size_t{64} << 20;
// Since its last change: then a gc takes the record, and what only the record names.
inline constexpr std::int64_t kPartialKeptNs = std::int64_t{14} * 24 * 60 * 60 * 1'000'000'000;

// The next bytes of a blob: an object, a block of one that is not whole yet, or themselves.
struct PartialRun {
  std::optional<ObjectRecord> object = {};
  std::optional<BlockPlace> block = {};
  std::string bytes = {};
};

// Without the line feed. Nothing for anything but what the format allows.
std::optional<PartialRun> ParsePartialLine(std::string_view line);
std::string WritePartialLine(const ObjectRecord& object);
std::string WritePartialLine(const BlockPlace& block);
std::string WritePartialLine(ByteSpan bytes);

// The record of one blob. All of it is best effort: a record that cannot be read or written costs
// bytes that come again, never the blob.
// Threads: one at a time for TakeKept and NoteTail, another for the rest.
class PartialBlob {
 public:
  struct Parts {
    host::Directory& directory;  // the store's
    PackStore& packs;
    host::Clock& clock;
    const Domain& domain;  // of who receives it; nobody else takes it up
  };
  // Locks and reads what an earlier command left; from then on no gc takes its packs away. The
  // parts must outlive this.
  PartialBlob(const Parts& parts, const Digest& blob);
  // What was noted is durable, unless the disk fails.
  ~PartialBlob();
  PartialBlob(const PartialBlob&) = delete;
  PartialBlob& operator=(const PartialBlob&) = delete;

  // The next run that was kept, read and checked, at most `size_max` bytes; valid until the next
  // call. Nothing at the end, and from the first on that is damaged. An object with a tree comes
  // block by block, and is told with the first.
  struct Kept {
    std::optional<ObjectRecord> object;
    ByteSpan bytes;
  };
  std::optional<Kept> TakeKept(std::uint64_t size_max);

  // A piece was saved: it comes behind those noted before, and takes the place of the tail.
  // The blocks of an object come before it, and are forgotten with it.
  void Note(const PartialRun& run);
  // More of the piece behind the last one noted, which is not whole yet. Not while runs that were
  // kept are still being noted again.
  void NoteTail(ByteSpan bytes);

  // The record goes; nothing is noted any more.
  void Forget();

  const Digest& blob() const { return blob_; }
  bool is_forgotten() const;
  // The packs of what was noted here; none once it is forgotten.
  std::set<PackName> NamedPacks() const;

 private:
  // A line that was read.
  struct Line {
    PartialRun run;
    std::size_t end = 0;  // in the file
  };
  void ReadKept();
  bool AddKept(PartialRun run, std::size_t end);
  std::optional<ByteSpan> ReadRun(PartialRun& run);
  std::optional<ByteSpan> ReadBlockOf(ObjectRecord& object);
  // Whether the frame is one that a check and a gc find, too.
  bool HasFrame(PackReader& pack, const FrameContent& wanted, const ObjectPlace& place);
  bool MakeFile();
  // Whether the next kept line says the same as `run`.
  bool IsKept(const PartialRun& run);
  void NotePack(const PartialRun& run);
  void NotePiece(const std::string& line);
  // Writes at `end_`, and lets nothing stand behind it.
  void WriteLine(std::string_view line);
  void MakeDurable();

  host::Directory& store_;
  PackStore& packs_;
  host::Clock& clock_;
  const Digest blob_;
  const std::string path_;
  std::vector<Line> kept_;
  std::size_t taken_ = 0;                  // of them, by TakeKept
  std::vector<std::byte> object_bytes_;    // of the one taken last
  std::optional<ObjectTree> tree_;         // of the object that is being taken
  std::size_t blocks_taken_{};             // of that
  std::map<PackName, PackIndex> indexes_;  // of packs that lines name

  mutable std::mutex mutex_;  // guards what follows
  std::unique_ptr<host::File> file_;
  std::unique_ptr<host::FileLock> lock_;  // before the file is closed, this goes
  bool is_given_up_ = false;
  bool is_forgotten_ = false;
  std::size_t noted_kept_ = 0;  // lines of `kept_` that were noted again, and stand as they are
  std::size_t end_ = 0;         // of the pieces noted
  std::size_t tail_end_ = 0;    // of the tail behind them
  std::size_t file_size_ = 0;   // at most
  std::set<PackName> named_;
  std::set<PackName> unsynced_;  // packs, since the last time
  std::size_t unsynced_pieces_ = 0;
  bool is_name_durable_ = false;
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_PARTIAL_INTERNAL_H_
