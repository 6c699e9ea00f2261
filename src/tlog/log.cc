// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tlog/log.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "tlog/checkpoint.h"
#include "tlog/journal_internal.h"

namespace plumb::tlog {
namespace {

constexpr std::string_view kJournal = "journal";
constexpr std::string_view kLock = "lock";
constexpr std::string_view kCheckpoint = "checkpoint";
constexpr std::string_view kNewCheckpoint = "checkpoint.new";
constexpr std::uint64_t kLockTimeoutMs = 30'000;
constexpr std::uint32_t kDirectoryMode = 0700;
constexpr std::uint32_t kFileMode = 0600;
// So much is read whenever the log is opened. Writing it anew costs several syncs.
constexpr std::uint64_t kJournalSizeMax = std::uint64_t{256} << 10;
// A batch is written at once, and read at once.
constexpr std::uint64_t kBatchSizeMax = kJournalPayloadMax - (std::uint64_t{1} << 20);

Error LostEntries() {
  return Error{ErrorKind::kCorrupt,
               "the log lost entries that others may have seen: its journal is older than the "
               "checkpoint beside it",
               "put the newer journal back, if there is one: nothing is appended to this one"};
}

std::string_view ParentOf(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

Result<std::string> ReadFrom(host::File& file, std::uint64_t offset) {
  PLUMB_TRY(const host::FileState state, file.State());
  constexpr std::uint64_t kReadMax = 2 * kJournalPayloadMax;
  if (state.size < offset || state.size - offset > kReadMax)
    return Error{ErrorKind::kCorrupt, "the journal of the log has a size that it cannot have"};
  std::string bytes(static_cast<std::size_t>(state.size - offset), '\0');
  PLUMB_TRY(const std::size_t size,
            file.ReadAt(offset, std::as_writable_bytes(std::span(bytes.data(), bytes.size()))));
  bytes.resize(size);
  return bytes;
}

// Beneath public/, for proofs.
class ShownTiles : public TileReader {
 public:
  explicit ShownTiles(host::Directory& directory) : directory_(&directory) {}
  Result<std::string> ReadTile(const TileName& name) override {
    auto bytes = host::ReadFile(*directory_, name.ToPath(), kBundleSizeMax);
    if (bytes || bytes.error().kind != ErrorKind::kNotFound) return bytes;
    return Error{ErrorKind::kCorrupt, "the log lacks '" + name.ToPath() + "'"};
  }

 private:
  host::Directory* directory_;
};

}  // namespace

Log::Log(std::unique_ptr<host::Directory> directory, std::unique_ptr<host::Directory> shown,
         LogSigner signer)
    : directory_(std::move(directory)),
      shown_(std::move(shown)),
      signer_(std::move(signer)),
      verifier_(VerifierKey::Of(NoteKeyType::kEd25519, signer_.origin, signer_.key)) {}

Result<std::unique_ptr<Log>> Log::Open(host::Files& files, const std::string& path,
                                       LogSigner signer) {
  PLUMB_TRY(auto directory, files.OpenDirectory(path, host::IfMissing::kCreate, kDirectoryMode));
  const std::string shown_path = path + "/" + std::string(kLogPublicDirectory);
  PLUMB_TRY(auto shown, files.OpenDirectory(shown_path, host::IfMissing::kCreate, kDirectoryMode));
  // Who made them may have ended before their names were durable.
  if (!directory->State(kJournal)) PLUMB_RETURN_IF_ERROR(host::SyncParents(files, shown_path));
  std::unique_ptr<Log> log(new Log(std::move(directory), std::move(shown), std::move(signer)));
  PLUMB_TRY([[maybe_unused]] const LogState state, log->State());
  return log;
}

Result<std::unique_ptr<host::FileLock>> Log::Lock() {
  if (is_broken_)
    return Error{ErrorKind::kUnavailable, "the log's journal could not be made durable",
                 "look at the disk; the log goes on when it is opened next"};
  if (!lock_file_) {
    PLUMB_TRY(lock_file_, directory_->Open(kLock, host::OpenHow::kCreate, kFileMode));
  }
  auto lock = lock_file_->Lock(host::LockKind::kExclusive, kLockTimeoutMs);
  if (!lock) return std::move(lock).error().While("cannot open the log");
  if (Status refreshed = Refresh(); !refreshed) return std::move(refreshed).error();
  return lock;
}

Status Log::Refresh() {
  const auto named = directory_->State(kJournal);
  if (!named && named.error().kind != ErrorKind::kNotFound) return named.error();
  if (!named && journal_) return LostEntries();
  if (!named) {
    // A crash while a log was made leaves none, and had shown nothing.
    const auto shown = shown_->State(kCheckpoint);
    if (shown) return LostEntries();
    if (shown.error().kind != ErrorKind::kNotFound) return shown.error();
    PLUMB_RETURN_IF_ERROR(
        host::WriteFileDurably(*directory_, kJournal, WriteRecord(JournalBase{}), kFileMode));
    return Load();
  }
  if (!journal_ || named->inode != journal_inode_) return Load();
  if (named->size != journal_size_) return Continue(journal_size_);
  return Done{};
}

Status Log::Load() {
  PLUMB_TRY(journal_, directory_->Open(kJournal, host::OpenHow::kReadWrite));
  PLUMB_TRY(const host::FileState state, journal_->State());
  journal_inode_ = state.inode;
  PLUMB_TRY(const std::string bytes, ReadFrom(*journal_, 0));
  PLUMB_TRY(JournalContent content, ReadJournal(bytes));
  frontier_ = std::move(content.base.frontier);
  mark_ = content.base.mark;
  checkpoint_ = std::move(content.base.checkpoint);
  full_.clear();
  shown_count_ = 0;
  for (const JournalBatch& batch : content.batches)
    PLUMB_RETURN_IF_ERROR(Take(batch));
  journal_size_ = content.size;
  is_torn_ = content.size < bytes.size();
  // Who began it may have ended before its name was durable.
  if (content.batches.empty()) PLUMB_RETURN_IF_ERROR(directory_->Sync(""));
  PLUMB_RETURN_IF_ERROR(CheckSigned(checkpoint_));
  return CheckShown();
}

Status Log::Continue(std::uint64_t from) {
  PLUMB_TRY(const std::string bytes, ReadFrom(*journal_, from));
  PLUMB_TRY(const JournalTail tail, ReadBatches(bytes));
  for (const JournalBatch& batch : tail.batches)
    PLUMB_RETURN_IF_ERROR(Take(batch));
  journal_size_ = from + tail.size;
  is_torn_ = tail.size < bytes.size();
  if (tail.batches.empty()) return Done{};
  PLUMB_RETURN_IF_ERROR(CheckSigned(checkpoint_));
  return CheckShown();
}

Status Log::Take(const JournalBatch& batch) {
  if (batch.old_size != frontier_.size() || batch.mark - mark_ != batch.entries.size())
    return Error{ErrorKind::kCorrupt, "a batch in the log's journal does not go on from the last"};
  for (const std::string& entry : batch.entries)
    frontier_.Append(entry, full_);
  mark_ = batch.mark;
  checkpoint_ = batch.checkpoint;
  return Done{};
}

// Of the last checkpoint: its root covers all that came before.
Status Log::CheckSigned(const std::string& checkpoint) const {
  if (checkpoint.empty() && frontier_.size() == 0) return Done{};
  const auto note = Note::Parse(checkpoint);
  const auto parsed = note ? Checkpoint::Parse(note->text) : note.error();
  if (!parsed || parsed->head != frontier_.Head())
    return Error{ErrorKind::kCorrupt, "the log's journal has a checkpoint of other entries"};
  if (parsed->origin != signer_.origin || !VerifySignatures(*note, {&verifier_, 1}))
    return Error{
        ErrorKind::kDenied,
        "the log there is not that of this key: its origin is '" + Printable(parsed->origin) + "'",
        "the keystore was changed, or the log is another device's"};
  return Done{};
}

// What is beneath public/ was durable in the journal when it was written. If it is not the same as
// the journal says now, a process ended before it could show what it had appended, or the journal
// is an older one.
Status Log::CheckShown() {
  if (checkpoint_.empty() && frontier_.size() == 0) {
    const auto shown = shown_->State(kCheckpoint);
    if (shown) return LostEntries();
    return shown.error().kind == ErrorKind::kNotFound ? Status(Done{}) : shown.error();
  }
  const auto shown = host::ReadFile(*shown_, kCheckpoint, kNoteSizeMax);
  if (!shown && shown.error().kind != ErrorKind::kNotFound) return shown.error();
  if (shown && *shown == checkpoint_) return Show();
  const auto note = shown ? Note::Parse(*shown) : shown.error();
  const auto parsed = note ? Checkpoint::Parse(note->text) : note.error();
  if (parsed && VerifySignatures(*note, {&verifier_, 1})) {
    const TreeHead head = frontier_.Head();
    if (parsed->head.size > head.size || (parsed->head.size == head.size && parsed->head != head))
      return LostEntries();
  }
  // Who wrote the last batch may have ended before it was durable, or because it could not be made
  // so: then to sync it again would say nothing (what a sync has lost, the next one does not miss).
  PLUMB_RETURN_IF_ERROR(BeginAnew());
  return Show();
}

Result<LogState> Log::State() {
  const std::lock_guard guard(mutex_);
  PLUMB_TRY(const auto lock, Lock());
  return Now();
}

LogState Log::Now() const { return {frontier_.Head(), mark_, checkpoint_}; }

Result<Appended> Log::Append(std::uint64_t first_number, const std::vector<std::string>& entries) {
  PLUMB_CHECK(first_number > 0 && !entries.empty());
  std::uint64_t size = 0;
  for (const std::string& entry : entries) {
    PLUMB_CHECK(entry.size() <= kEntrySizeMax);
    size += entry.size();
  }
  if (size > kBatchSizeMax)
    return Error{ErrorKind::kExhausted, "too much is to be appended to the log at once"};
  const std::lock_guard guard(mutex_);
  PLUMB_TRY(const auto lock, Lock());
  if (first_number > mark_ + 1)
    return Error{ErrorKind::kConflict,
                 "the log lacks entries before number " + std::to_string(first_number) +
                     ": the last one that it has is " + std::to_string(mark_)};
  // Number and index go side by side: neither has gaps.
  const std::uint64_t before = mark_ - (first_number - 1);  // how many of these it has, or more
  const std::uint64_t size_before = frontier_.size();
  if (before > size_before)
    return Error{ErrorKind::kConflict, "entry " + std::to_string(first_number) +
                                           " was appended to a log before this one"};
  if (before < entries.size())
    PLUMB_RETURN_IF_ERROR(Commit(entries, static_cast<std::size_t>(before)));
  return Appended{size_before - before, Now()};
}

// Crash order: the batch and its checkpoint become durable together, by one sync of the journal's
// end. Until then nothing but the journal was touched, and a torn end of that is no batch. After it
// the checkpoint may be known to anybody; what is shown follows, and is made again when the log is
// opened next if it does not come to that.
Status Log::Commit(const std::vector<std::string>& entries, std::size_t first) {
  JournalBatch batch = {frontier_.size(), mark_ + (entries.size() - first), {}, {}};
  batch.entries.assign(entries.begin() + static_cast<std::ptrdiff_t>(first), entries.end());
  Frontier grown = frontier_;
  std::vector<TileContent> full;
  for (const std::string& entry : batch.entries)
    grown.Append(entry, full);
  if (grown.size() > kTreeSizeMax) return Error{ErrorKind::kExhausted, "the log is full"};
  const std::string text = Checkpoint{signer_.origin, grown.Head()}.ToString();
  batch.checkpoint = Note{text, {SignNote(signer_.origin, signer_.key, text)}}.ToString();
  const std::string record = WriteRecord(batch);

  // From here on only success says what the journal is.
  is_broken_ = true;
  if (is_torn_) PLUMB_RETURN_IF_ERROR(journal_->Truncate(journal_size_));
  if (Status written = journal_->WriteAt(journal_size_, AsBytes(record)); !written) {
    // Nothing was synced: a full disk must not end the log. What is there is a torn end.
    is_torn_ = true;
    is_broken_ = false;
    return written;
  }
  PLUMB_RETURN_IF_ERROR(journal_->Sync());
  is_broken_ = false;
  is_torn_ = false;
  journal_size_ += record.size();
  frontier_ = std::move(grown);
  mark_ = batch.mark;
  checkpoint_ = std::move(batch.checkpoint);
  for (TileContent& tile : full)
    full_.push_back(std::move(tile));
  // It is appended, whatever becomes of the rest: that is made good when the log is opened next.
  const bool is_long = journal_size_ > kJournalSizeMax;
  if (!Show() || (is_long && !BeginAnew())) journal_inode_ = 0;
  return Done{};
}

Status Log::WriteShown(const std::string& path, std::string_view bytes) {
  const auto there = host::ReadFile(*shown_, path, bytes.size());
  if (there && *there == bytes) return Done{};
  PLUMB_RETURN_IF_ERROR(host::MakeDirectories(*shown_, ParentOf(path), kDirectoryMode));
  PLUMB_TRY(const auto file, shown_->Open(path, host::OpenHow::kCreate, kFileMode));
  PLUMB_RETURN_IF_ERROR(file->WriteAt(0, AsBytes(bytes)));
  return file->Truncate(bytes.size());
}

Status Log::Show() {
  for (; shown_count_ < full_.size(); ++shown_count_) {
    const TileContent& tile = full_[shown_count_];
    PLUMB_RETURN_IF_ERROR(WriteShown(tile.name.ToPath(), tile.bytes));
    // What it was while it was not full.
    const std::string partial = tile.name.ToPath() + ".p";
    const auto names = shown_->List(partial);
    if (!names) continue;
    for (const host::DirectoryEntry& entry : *names)
      PLUMB_RETURN_IF_ERROR(shown_->Remove(partial + "/" + entry.name));
    PLUMB_RETURN_IF_ERROR(shown_->Remove(partial));
  }
  for (const TileContent& tile : frontier_.PartialTiles())
    PLUMB_RETURN_IF_ERROR(WriteShown(tile.name.ToPath(), tile.bytes));
  PLUMB_RETURN_IF_ERROR(WriteShown(std::string(kNewCheckpoint), checkpoint_));
  return shown_->Rename(kNewCheckpoint, kCheckpoint, host::Overwrite::kYes);
}

// The old journal is what full tiles can be made from, until they are durable themselves, names
// included; what is not full is in the new one. All is written to new files, so that nothing
// depends on what became of an earlier sync.
Status Log::BeginAnew() {
  for (const TileContent& tile : full_) {
    std::string path = tile.name.ToPath();
    PLUMB_RETURN_IF_ERROR(host::MakeDirectories(*shown_, ParentOf(path), kDirectoryMode));
    PLUMB_RETURN_IF_ERROR(host::WriteFileDurably(*shown_, path, tile.bytes, kFileMode));
    while (!path.empty()) {
      path = ParentOf(path);
      PLUMB_RETURN_IF_ERROR(shown_->Sync(path));
    }
  }
  const std::string record = WriteRecord(JournalBase{mark_, checkpoint_, frontier_});
  // If its name is not durable, the next append would be lost with it.
  is_broken_ = true;
  PLUMB_RETURN_IF_ERROR(host::WriteFileDurably(*directory_, kJournal, record, kFileMode));
  is_broken_ = false;
  PLUMB_TRY(journal_, directory_->Open(kJournal, host::OpenHow::kReadWrite));
  PLUMB_TRY(const host::FileState state, journal_->State());
  journal_inode_ = state.inode;
  journal_size_ = record.size();
  is_torn_ = false;
  full_.clear();
  shown_count_ = 0;
  return Done{};
}

Result<LogProof> Log::Prove(std::uint64_t index) {
  const std::lock_guard guard(mutex_);
  PLUMB_TRY(const auto lock, Lock());
  const TreeHead head = frontier_.Head();
  if (index >= head.size)
    return Error{ErrorKind::kNotFound, "the log has no entry " + std::to_string(index)};
  ShownTiles tiles(*shown_);
  TileNodes nodes(tiles, head.size);
  LogProof proof;
  proof.index = index;
  PLUMB_TRY(proof.inclusion, ProveInclusion(nodes, index, head.size));
  PLUMB_TRY(proof.checkpoint, Note::Parse(checkpoint_));
  PLUMB_TRY(const Digest leaf, nodes.ReadNode(0, index));
  // One's own tiles are believed no more than others'.
  if (Status shown = VerifyInclusion(proof.inclusion, leaf, index, head); !shown)
    return Error{ErrorKind::kCorrupt, "the tiles of the log are damaged: " + shown.error().message};
  return proof;
}

}  // namespace plumb::tlog
