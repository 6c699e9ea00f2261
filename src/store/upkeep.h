// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_UPKEEP_H_
#define PLUMB_STORE_UPKEEP_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/object_id.h"
#include "host/files.h"
#include "host/machine.h"
#include "store/store.h"

// What keeps a store in order: gc, fsck and du.
namespace plumb::store {

// What a kit needs besides its manifest.
struct KitNeeds {
  std::vector<Digest> blobs;  // its config and layers
  std::vector<Digest> bases;  // manifests of the kits that it cannot be unpacked without
};

// The store does not know manifests: who does tells what one needs, reading it from the store that
// is given. kCorrupt if it cannot be read.
using FindNeeds = std::function<Result<KitNeeds>(Store& store, const Digest& manifest)>;

inline constexpr std::int64_t kDayNs = std::int64_t{24} * 60 * 60 * 1'000'000'000;

enum class DryRun : std::uint8_t { kNo, kYes };

struct CollectRequest {
  FindNeeds find_needs;
  DryRun dry_run = DryRun::kNo;
  // How long a kit without a tag is kept behind its arrival, and behind the moment when a tag left
  // it. The latter is longer: whoever moved a tag by mistake may find that out late.
  std::int64_t keep_untagged_ns = 14 * kDayNs;
  std::int64_t keep_left_ns = 90 * kDayNs;
};

struct CollectReport {
  std::vector<Digest> kits;       // without tags for too long: they went
  std::uint64_t blobs = 0;        // that nothing needs
  std::uint64_t objects = 0;      // the same
  std::uint64_t packs = 0;        // that went, those written anew included
  std::uint64_t bytes_freed = 0;  // on the disk
  // Of adopted files that went and that somebody else has as well: nothing was freed by it.
  std::uint64_t bytes_shared = 0;
  std::uint64_t bytes_kept = 0;  // what packs take in the end, those of unfinished pulls included
  // Of those that stay: kits without a tag that are young and no base of others, and what only such
  // kits need.
  std::uint64_t untagged_kits = 0;
  std::uint64_t untagged_bytes = 0;
  // Whether something that nothing needs stays until the next gc, because somebody was at work
  // who began before this one.
  bool others_at_work = false;
};

enum class Depth : std::uint8_t {
  kStructure,  // everything that is named is there and says what it is
  kContent,    // and every byte is what it was
};

struct CheckRequest {
  FindNeeds find_needs;
  Depth depth = Depth::kStructure;
  unsigned threads = 1;
};

// Something that is not as it should be.
struct Damage {
  std::string what;           // "object '…' in pack '…' at byte 4096"
  std::string why;            // "its bytes are others"
  std::vector<Digest> blobs;  // that cannot be read because of it
  std::vector<Digest> kits;   // manifests of kits that are not whole because of it, bases included
};

struct CheckReport {
  std::vector<Damage> damages;
  // Packs that are not as they were written, but in which nothing is damaged that is nowhere else:
  // a gc writes them anew, or does without them.
  std::uint64_t worn_packs = 0;
  bool is_catalog_damaged = false;  // to build or pull again mends only what is in packs
  bool is_adopted_changed = false;  // a file that was linked: who has it imports it again
  std::uint64_t kits = 0;
  std::uint64_t blobs = 0;
  std::uint64_t objects = 0;
  std::uint64_t packs = 0;
  std::uint64_t bytes_read = 0;  // of objects and blobs, to hash them
};

struct MeasureRequest {
  FindNeeds find_needs;
  // Of a named one only what it sees is told of, as if there was nothing else: no overhead, nor
  // what lies in adopted files, which are the store's.
  Domain domain = Domain::Device();
};

// How tensors are written down.
enum class Tier : std::uint8_t {
  kFast,     // read and written at the speed of a disk, or nearly; what sessions write
  kArchive,  // as small as it gets, some times slower to read
};

struct OptimizeRequest {
  Tier tier = Tier::kFast;
};

struct OptimizeReport {
  std::uint64_t objects = 0;  // that were written anew
  std::uint64_t looked_at = 0;
  std::uint64_t bytes_before = 0;  // of those written anew; a gc gives them back
  std::uint64_t bytes_after = 0;
};

// What a part of a blob is kept as.
struct BlobPart {
  std::uint64_t offset = 0;  // in the blob
  std::uint64_t size = 0;
  std::optional<ObjectId> object;  // nothing: it stands in the recipe
  std::uint64_t object_offset = 0;
  std::uint64_t object_size = 0;
  std::uint64_t stored = 0;            // what the object takes
  std::vector<std::string> encodings;  // of it, or of its blocks, each once: "raw", "planes", …
};

// Sizes in bytes as they are on the disk, without what packs and catalog take for themselves.
struct KitUse {
  Digest manifest;
  std::uint64_t size = 0;    // of all its blobs, as they are when they are read
  std::uint64_t stored = 0;  // of all it needs
  std::uint64_t only = 0;    // of what nothing else needs: removing it with all its tags frees that
  std::uint64_t added = 0;   // of what no older kit needs: what it brought with it

  friend bool operator==(const KitUse&, const KitUse&) = default;
};

struct MeasureReport {
  std::vector<KitUse> kits;    // oldest first
  std::uint64_t shared = 0;    // needed by several kits, counted once
  std::uint64_t needed = 0;    // shared, and the sum of what only one needs
  std::uint64_t unneeded = 0;  // what a gc would take away now if it took no kit
  // What it leaves because an unfinished pull may go on with it.
  std::uint64_t unfinished = 0;
  // Headers, footers, padding, records, the catalog, the reserve, and what is not worth taking.
  std::uint64_t overhead = 0;
  std::uint64_t on_disk = 0;  // the sum of the four
  // Of that, in adopted files: the same bytes as those of somebody else's, while that has them.
  std::uint64_t adopted = 0;
};

// Promises, checked by tests/conformance, tests/sim and tests/scripts:
//   - Any number may run, next to any number of builds, pulls, removes and readers.
//   - Nothing goes that a kit needs which is tagged, is young, or comes while it runs.
//   - Stopped or killed anywhere, it leaves a whole store.
// Trust: as of Store. A store whose kits cannot be read is not collected (kCorrupt).
// Threads: any number at once.
class Upkeep {
 public:
  virtual ~Upkeep() = default;

  // Takes away what nothing needs. kUnavailable if another one, or a check, keeps this one
  // waiting for over 30 s; kInterrupted: what it did until then stays done.
  // On a full disk it uses the room that is kept for that; kExhausted: that was not enough.
  virtual Result<CollectReport> Collect(const CollectRequest& request, Progress& progress) = 0;

  // Looks for damage. What is damaged is remembered: the next build or pull of the same content
  // writes it again.
  virtual Result<CheckReport> Check(const CheckRequest& request, Progress& progress) = 0;

  // Gives up the room that is kept for the day when the disk is full, for somebody who is going to
  // remove something; whether there was any. Who commits next, or collects, makes it again.
  virtual Result<bool> GiveRoom() = 0;

  // Tells what takes how much.
  virtual Result<MeasureReport> Measure(const MeasureRequest& request, Progress& progress) = 0;

  // Writes tensors anew where that makes them smaller, and reads each back before its old bytes
  // count as needless. kInterrupted: what it did until then stays done.
  virtual Result<OptimizeReport> Optimize(const OptimizeRequest& request, Progress& progress) = 0;

  // What a blob is made of, in order. kNotFound if there is none.
  virtual Result<std::vector<BlobPart>> Describe(const Digest& blob) = 0;
};

// Of the store in `path`. Errors as of OpenStore. Everything given must outlive it.
Result<std::unique_ptr<Upkeep>> OpenUpkeep(host::Files& files, host::Clock& clock,
                                           host::Entropy& entropy, const std::string& path);

}  // namespace plumb::store

#endif  // PLUMB_STORE_UPKEEP_H_
