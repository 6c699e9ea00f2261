// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TLOG_LOG_H_
#define PLUMB_TLOG_LOG_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/ed25519_key.h"
#include "host/files.h"
#include "tlog/frontier.h"
#include "tlog/log_proof.h"
#include "tlog/note.h"

namespace plumb::tlog {

struct JournalBatch;

// Beneath the log's directory: what any server of files may serve.
inline constexpr std::string_view kLogPublicDirectory = "public";

// Who signs a log: its origin is the key's name.
struct LogSigner {
  std::string origin;
  Ed25519Key key;
};

// What a log is at one moment, durably.
struct LogState {
  TreeHead head;
  std::uint64_t mark = 0;  // the number of the last entry
  std::string checkpoint;  // the signed note; empty if nothing was ever appended
};

struct Appended {
  std::uint64_t first_index = 0;  // of the first of the entries that were to be appended
  LogState state;                 // covers them all
};

// An append-only log in a directory (docs/format.md, "Log").
//
// Promises, checked by tests/sim:
//   - What Append returns is durable, and no checkpoint leaves before it is: not as a result, and
//     not beneath public/.
//   - Entries are numbered by who appends, without gaps, and each is in the log once, however often
//     it comes: whoever stops at any point may just come again.
//   - Two checkpoints that it signed fit, whatever failed in between. One whose journal lost what
//     public/ shows says so (kCorrupt), and signs nothing. That all of its directory was put back
//     from an older copy it cannot see: who opens it compares State() with what he remembers.
//   - public/ follows the journal, also after a crash, when the log is opened next.
// Errors: as of host::Files. After kUnavailable by Append nobody knows whether it is durable: open
// the log anew, and append the same again.
// Threads: any number at once, of any number of processes. Who waits for others that append waits
// up to 30 s (kUnavailable).
class Log {
 public:
  // Makes the directory and a log without entries, if there is none; and whatever a crash left
  // undone. kDenied if the log there was signed by another key.
  static Result<std::unique_ptr<Log>> Open(host::Files& files, const std::string& path,
                                           LogSigner signer);

  // What it is now.
  Result<LogState> State();

  // Entries `first_number` and following, each of at most kEntrySizeMax bytes, at least one. Those
  // that the log has are not appended again, and are not looked at. One sync for all; none if it
  // has them all. kConflict if there is a gap between what it has and these.
  Result<Appended> Append(std::uint64_t first_number, const std::vector<std::string>& entries);

  // That an entry is in the log as it is now. kNotFound if it is not.
  Result<LogProof> Prove(std::uint64_t index);

 private:
  Log(std::unique_ptr<host::Directory> directory, std::unique_ptr<host::Directory> shown,
      LogSigner signer);

  Result<std::unique_ptr<host::FileLock>> Lock();
  // Under the lock: what other processes appended since.
  Status Refresh();
  Status Load();
  Status Continue(std::uint64_t from);
  Status Take(const JournalBatch& batch);
  Status CheckSigned(const std::string& checkpoint) const;
  Status CheckShown();
  Status Commit(const std::vector<std::string>& entries, std::size_t first);
  Status Show();
  Status BeginAnew();
  Status WriteShown(const std::string& path, std::string_view bytes);
  LogState Now() const;

  const std::unique_ptr<host::Directory> directory_;
  const std::unique_ptr<host::Directory> shown_;  // public/
  const LogSigner signer_;
  const VerifierKey verifier_;

  std::mutex mutex_;  // guards what is below
  std::unique_ptr<host::File> lock_file_;
  std::unique_ptr<host::File> journal_;
  std::uint64_t journal_inode_ = 0;
  std::uint64_t journal_size_ = 0;  // of what holds
  bool is_torn_ = false;            // there is more behind that
  bool is_broken_ = false;          // a sync failed
  Frontier frontier_;
  std::uint64_t mark_ = 0;
  std::string checkpoint_;
  std::vector<TileContent> full_;  // since the base
  std::size_t shown_count_ = 0;    // how many of these are beneath public/
};

}  // namespace plumb::tlog

#endif  // PLUMB_TLOG_LOG_H_
