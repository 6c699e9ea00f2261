// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_STORE_H_
#define PLUMB_STORE_STORE_H_

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/streams.h"
#include "crypto/digest.h"
#include "host/files.h"
#include "host/machine.h"
#include "store/domain.h"

// Where a device keeps everything: blobs named by their SHA-256, and refs that name kits.
// Beneath, blobs are recipes over objects (docs/format.md, "Store"), so that bytes which two
// blobs share are kept once. Callers above this line never see an object, a pack or a file.
namespace plumb::store {

// Under what a kit is filed: "host/repository" or "repository", and a tag. oci/ has checked
// both before they come here.
struct RefName {
  std::string repository;
  std::string tag;

  std::string ToString() const { return repository + ":" + tag; }
  friend auto operator<=>(const RefName&, const RefName&) = default;
};

// A ref that shall point elsewhere.
struct RefMove {
  RefName name;
  std::optional<Digest> manifest;  // nothing: the ref goes
  std::string message;             // why
  // Where it must point until then, else the whole session fails with kConflict; nothing: anywhere.
  std::optional<Digest> expected = {};
};

struct Ref {
  RefName name;
  Digest manifest;
  friend bool operator==(const Ref&, const Ref&) = default;
};

// Whether what the catalog knows of an object or a blob may be relied upon. What stands otherwise
// than well is written again by the next session that needs it.
enum class Standing : std::uint8_t {
  kGood,
  kUnneeded,  // a gc found that nothing needs it: it goes with this gc or a later one
  kDamaged,   // a check found that its bytes are not what they should be
};

struct BlobInfo {
  Digest digest;
  std::uint64_t size = 0;
  // Whether the store had the whole blob before it was written this time.
  bool was_known = false;
  // Who reads need not care; who builds on it writes it again, unless it is good.
  Standing standing = Standing::kGood;
};

// A blob that was written just now.
struct WrittenBlob : BlobInfo {
  // Of the files within it that were wanted as well, in the order in which they came.
  std::vector<Digest> files = {};
};

// What a build remembers of a layer, so that it need not read the files again.
struct LayerRecord {
  Digest blob;             // the layer as it is in the manifest
  std::uint64_t size = 0;  // of that blob
  Digest diff_id;          // of the uncompressed layer

  friend bool operator==(const LayerRecord&, const LayerRecord&) = default;
};

// What is known of the inputs of a layer, hashed: kit/ makes it of names, modes, inodes,
// sizes and times. Equal keys promise equal layers.
struct LayerKey {
  std::array<std::byte, 32> bytes = {};
  friend auto operator<=>(const LayerKey&, const LayerKey&) = default;
};

// A file in a layer, and its SHA-256.
struct FileOfLayer {
  std::string name;  // as in the archive; empty: the one file of a raw layer that is compressed
  Digest digest;

  friend bool operator==(const FileOfLayer&, const FileOfLayer&) = default;
};

// All the files in a layer, in the order in which they are in it.
struct FilesOfLayer {
  Digest layer;  // the blob
  std::vector<FileOfLayer> files;
};

// A blob that is a manifest, and what comes with it.
struct NewKit {
  Digest manifest;
  std::vector<Digest> needs;  // blobs: its config and layers, and manifests of bases that are here
  // docs/format.md, "Files"; if it is known. One that was recorded before stays.
  std::optional<Digest> files_root = {};
  // What was found out of layers, of its own and of its bases. Those of one that is too long for a
  // record are not kept.
  std::vector<FilesOfLayer> layer_files = {};
};

// How a blob's bytes are laid out, so that equal parts of blobs fall on equal cuts. A wrong
// one costs ratio, never correctness.
enum class Shape : std::uint8_t { kTar, kOpaque };

// What is known of a blob before its bytes come.
struct BlobPlan {
  BlobPlan(Shape blob_shape) : shape(blob_shape) {}  // NOLINT(google-explicit-constructor)

  Shape shape;
  // Its name, if somebody else gave it: then what a command that ends too early has of it is kept,
  // and taken up by the next (BlobWriter::TakeKept).
  std::optional<Digest> expected = {};
  // 0: nobody knows; then the tensors of an opaque one are not found.
  std::uint64_t expected_size = 0;
};

// Takes one blob, piece by piece. Hashing and writing go on in the background; a failure
// there is returned by a later call. Dropping a writer without Finish() discards the blob
// (what was written is litter). Threads: one at a time.
class BlobWriter : public ByteSink {
 public:
  // Room in which the next bytes may be put directly, to save a copy: at least one byte,
  // never beyond the next cut. Filled(size) takes the first `size` of them.
  virtual Result<MutableByteSpan> Space() = 0;
  virtual Status Filled(std::size_t size) = 0;

  // Takes, as if it had been written, the next of what is here of an expected blob since an earlier
  // command; how many bytes that was. 0: there is no more, and the rest must be written. What is
  // taken is checked (BLAKE3), but only Finish() tells whether it belongs to the blob. To be called
  // before anything is written, until it gives 0; not calling it at all is no error.
  virtual Result<std::uint64_t> TakeKept() = 0;

  // What is written between the two is a file within the blob, whose SHA-256 is wanted as well: it
  // is hashed together with the blob, which costs little more than the blob alone, and told by
  // Finish(). It may begin and end anywhere, and be empty. One at a time; each that was begun must
  // be ended before Finish().
  virtual void BeginFile() = 0;
  virtual void EndFile() = 0;

  // Ends the blob and tells its name. It is visible to others once the session commits. kCorrupt
  // if another was expected: nothing of it is kept then.
  virtual Result<WrittenBlob> Finish() = 0;
};

// What one command adds. All of it becomes visible at once, in Commit(), or not at all.
//
// Write order (docs/format.md, "Write order"): pack bytes, fsync, one catalog transaction.
// A crash before the transaction leaves litter that nothing refers to, but for what is kept of
// expected blobs.
// Threads: CreateBlob, PutBlob and their writers from any number at once; the rest from one.
class Session {
 public:
  virtual ~Session() = default;

  virtual Result<std::unique_ptr<BlobWriter>> CreateBlob(const BlobPlan& plan) = 0;
  // A small blob, whole: a config or a manifest.
  virtual Result<BlobInfo> PutBlob(ByteSpan bytes) = 0;

  // Records a kit, which `list` shows even untagged. What it needs must be in the store or in this
  // session: kInvalid at Commit otherwise.
  virtual void AddKit(NewKit kit) = 0;

  // Points a ref at a kit, or away from everything. Appended to the record of moves, unless the
  // ref points there already.
  virtual void MoveRef(RefMove move) = 0;

  // Takes a kit away; its bytes go at the next `gc`.
  virtual void RemoveKit(const Digest& manifest) = 0;

  virtual void RememberLayer(const LayerKey& key, const LayerRecord& record) = 0;

  // Makes everything durable and visible, in that order. With nothing new to say, nothing
  // is written at all. kConflict: a kit that a ref was moved to is not there any more, or
  // a ref was not where it was expected.
  // Call once.
  virtual Status Commit() = 0;
};

struct Kit {
  Digest manifest;
  std::int64_t added_ns = 0;  // wall clock when it came here
  bool is_own = true;         // else the device only sees what named domains have
  friend auto operator<=>(const Kit&, const Kit&) = default;
};

// What builds found out of files, so that nobody need read them again. It comes and goes with the
// blobs that it is of; what is damaged counts as absent. Threads: any number at once.
class KnownFiles {
 public:
  virtual ~KnownFiles() = default;
  virtual Result<std::optional<std::vector<FileOfLayer>>> FindFilesOfLayer(const Digest& layer) = 0;
  virtual Result<std::optional<Digest>> FindFilesRoot(const Digest& kit) = 0;
};

// Promises, checked by tests/conformance and tests/sim:
//   - Nobody chooses a name: it is computed here, from the bytes that were written.
//   - Never wrong: a reader fails with kCorrupt sooner than deliver other bytes. Damage is
//     never reported as kNotFound.
//   - All or nothing: what a session adds is absent until Commit() returns Done, and there
//     ever after, crashes included.
//   - Any number of processes may use one store at once.
//   - It is opened for one domain, and knows of nothing else that lies there.
//
// Trust: a disk, a copy or an editor that changed the files beneath can make calls fail, but not
// make them lie. Who has the rights of their owner, and forges packs and catalog alike, is the
// owner: against him there are signatures.
// Threads: any number at once.
class Store : public KnownFiles {
 public:
  virtual std::unique_ptr<Session> Begin() = 0;

  // Nothing if the store does not have it. However it stands: what is damaged is not absent, and
  // what nobody needs any more is read to its end by who began before.
  virtual Result<std::optional<BlobInfo>> FindBlob(const Digest& digest) = 0;
  // The blob from `offset` on. Each piece is verified (BLAKE3) before any of it is given out,
  // some pieces ahead, in the background. kNotFound if there is no such blob; kCorrupt, naming
  // the blob, if its bytes are damaged.
  virtual Result<std::unique_ptr<ByteSource>> OpenBlob(const Digest& digest,
                                                       std::uint64_t offset) = 0;

  virtual Result<std::optional<Digest>> FindRef(const RefName& name) = 0;
  virtual Result<std::vector<Ref>> ListRefs() = 0;  // in order of names
  virtual Result<std::vector<Kit>> ListKits() = 0;  // tagged or not, oldest first
  virtual Result<std::optional<LayerRecord>> FindLayer(const LayerKey& key) = 0;
};

// Opens the store in `path`, which is made (mode 0700) if it is missing, for `domain`. kUnsupported
// if it was written by a newer Plumb; kUnavailable if others keep it locked for over 30 s; kCorrupt
// if its catalog is damaged, or gone while there are packs: then nothing is changed. Everything
// given must outlive the store.
Result<std::unique_ptr<Store>> OpenStore(host::Files& files, host::Clock& clock,
                                         host::Entropy& entropy, const std::string& path,
                                         const Domain& domain = Domain::Device());

// A small blob, whole. kExhausted if it is longer than `size_max`.
Result<std::string> ReadBlob(Store& store, const Digest& digest, std::uint64_t size_max);

}  // namespace plumb::store

#endif  // PLUMB_STORE_STORE_H_
