// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "store/sqlite_vfs_internal.h"

namespace plumb::store {
namespace {

// SQLite's lock bytes (its os.h); a database of that size leaves the page that holds them empty.
constexpr host::LockRange kPending = {0x40000000, 1};
constexpr host::LockRange kReserved = {0x40000001, 1};
constexpr host::LockRange kShared = {0x40000002, 510};

// A file without a name, which SQLite asks for when it must be able to undo a long statement.
class MemoryFile final : public host::File {
 public:
  Result<std::size_t> ReadAt(std::uint64_t offset, MutableByteSpan buffer) override {
    const std::size_t begin = std::min<std::uint64_t>(offset, bytes_.size());
    const std::size_t size = std::min(buffer.size(), bytes_.size() - begin);
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(begin), size, buffer.begin());
    return size;
  }
  Status WriteAt(std::uint64_t offset, ByteSpan bytes) override {
    const std::size_t end = static_cast<std::size_t>(offset) + bytes.size();
    if (bytes_.size() < end) bytes_.resize(end);
    std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(offset));
    return Done{};
  }
  Status Truncate(std::uint64_t size) override {
    bytes_.resize(static_cast<std::size_t>(size));
    return Done{};
  }
  void WillSync() override {}
  Status Sync() override { return Done{}; }
  Result<host::FileState> State() override {
    host::FileState state;
    state.type = host::FileType::kRegular;
    state.size = bytes_.size();
    return state;
  }
  Result<std::unique_ptr<host::FileLock>> Lock(host::LockKind /*kind*/,
                                               std::uint64_t /*timeout_ms*/,
                                               host::LockRange /*range*/) override {
    return Error{ErrorKind::kUnsupported, "a file of one connection is not locked"};
  }

 private:
  std::vector<std::byte> bytes_;
};

enum class NameNeeds : std::uint8_t { kNothing, kSync };

// A file that SQLite has open, with its locks. Every function gives a code of SQLite.
class OpenFile {
 public:
  OpenFile(SqliteVfs& vfs, std::unique_ptr<host::File> file, NameNeeds name_needs)
      : vfs_(vfs), file_(std::move(file)), name_needs_(name_needs) {}

  int Read(std::uint64_t offset, MutableByteSpan buffer) {
    const auto size = file_->ReadAt(offset, buffer);
    if (!size) return vfs_.Failed(size.error(), SQLITE_IOERR_READ);
    if (*size == buffer.size()) return SQLITE_OK;
    // SQLite counts on it.
    std::ranges::fill(buffer.subspan(*size), std::byte{0});
    return SQLITE_IOERR_SHORT_READ;
  }

  int Write(std::uint64_t offset, ByteSpan bytes) {
    return CodeOf(file_->WriteAt(offset, bytes), SQLITE_IOERR_WRITE);
  }
  int Truncate(std::uint64_t size) { return CodeOf(file_->Truncate(size), SQLITE_IOERR_TRUNCATE); }

  int Sync() {
    if (const int code = CodeOf(file_->Sync(), SQLITE_IOERR_FSYNC); code != SQLITE_OK) return code;
    if (name_needs_ == NameNeeds::kNothing) return SQLITE_OK;
    // A journal whose name the power takes away cannot undo anything. That it was there when it was
    // opened is no proof: who made it may have been killed before this line.
    const int code = CodeOf(vfs_.directory().Sync(""), SQLITE_IOERR_DIR_FSYNC);
    if (code == SQLITE_OK) name_needs_ = NameNeeds::kNothing;
    return code;
  }

  int Size(sqlite3_int64& size) {
    const auto state = file_->State();
    if (!state) return vfs_.Failed(state.error(), SQLITE_IOERR_FSTAT);
    size = static_cast<sqlite3_int64>(state->size);
    return SQLITE_OK;
  }

  // SQLite's protocol. Who reads holds `shared`, taken while nobody holds `pending` alone. Who
  // is going to write holds `reserved`; then `pending`, so that no new readers come; then `shared`
  // alone, once the last one has left.
  int Lock(int level) {
    if (level <= level_) return SQLITE_OK;
    switch (level) {
      case SQLITE_LOCK_SHARED:
        return LockShared();
      case SQLITE_LOCK_RESERVED:
        return Take(reserved_, host::LockKind::kExclusive, kReserved, level);
      default:
        return LockExclusive();
    }
  }

  int Unlock(int level) {
    if (level >= level_) return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED && level_ == SQLITE_LOCK_EXCLUSIVE) {
      if (Status shared = shared_->Convert(host::LockKind::kShared); !shared)
        return vfs_.Failed(std::move(shared).error(), SQLITE_IOERR_RDLOCK);
    }
    pending_.reset();
    reserved_.reset();
    if (level == SQLITE_LOCK_NONE) shared_.reset();
    level_ = level;
    return SQLITE_OK;
  }

  // Whether anybody is going to write.
  int CheckReserved(int& is_reserved) {
    is_reserved = 1;
    if (level_ >= SQLITE_LOCK_RESERVED) return SQLITE_OK;
    std::unique_ptr<host::FileLock> probe;
    const int code = Take(probe, host::LockKind::kShared, kReserved, level_);
    if (code == SQLITE_OK) is_reserved = 0;
    return code == SQLITE_BUSY ? SQLITE_OK : code;
  }

 private:
  int CodeOf(const Status& status, int code) {
    return status ? SQLITE_OK : vfs_.Failed(status.error(), code);
  }

  // At once, or SQLITE_BUSY. Waiting is SQLite's affair, which lets go of other locks meanwhile.
  int Take(std::unique_ptr<host::FileLock>& lock, host::LockKind kind, host::LockRange range,
           int level) {
    auto taken = file_->Lock(kind, 0, range);
    if (!taken) return RefusalOf(taken.error());
    lock = *std::move(taken);
    level_ = level;
    return SQLITE_OK;
  }

  int RefusalOf(const Error& error) {
    if (error.kind == ErrorKind::kUnavailable) return SQLITE_BUSY;
    return vfs_.Failed(error, SQLITE_IOERR_LOCK);
  }

  int LockShared() {
    std::unique_ptr<host::FileLock> gate;
    const int code = Take(gate, host::LockKind::kShared, kPending, level_);
    if (code != SQLITE_OK) return code;
    return Take(shared_, host::LockKind::kShared, kShared, SQLITE_LOCK_SHARED);
  }

  // Not all of it may succeed: then SQLite goes on with `pending`, or lets go of everything.
  int LockExclusive() {
    if (level_ < SQLITE_LOCK_PENDING) {
      const int code = Take(pending_, host::LockKind::kExclusive, kPending, SQLITE_LOCK_PENDING);
      if (code != SQLITE_OK) return code;
    }
    if (Status alone = shared_->Convert(host::LockKind::kExclusive); !alone)
      return RefusalOf(alone.error());
    level_ = SQLITE_LOCK_EXCLUSIVE;
    return SQLITE_OK;
  }

  SqliteVfs& vfs_;
  const std::unique_ptr<host::File> file_;
  NameNeeds name_needs_;
  std::unique_ptr<host::FileLock> shared_;
  std::unique_ptr<host::FileLock> reserved_;
  std::unique_ptr<host::FileLock> pending_;
  int level_ = SQLITE_LOCK_NONE;
};

// What SQLite allocates for a file; its own part comes first.
struct Slot {
  sqlite3_file base;
  OpenFile* file;
};

OpenFile& FileOf(sqlite3_file* slot) { return *reinterpret_cast<Slot*>(slot)->file; }
SqliteVfs& VfsOf(sqlite3_vfs* vfs) { return *static_cast<SqliteVfs*>(vfs->pAppData); }

int Close(sqlite3_file* slot) {
  delete std::exchange(reinterpret_cast<Slot*>(slot)->file, nullptr);
  return SQLITE_OK;
}
int Read(sqlite3_file* slot, void* buffer, int size, sqlite3_int64 offset) {
  return FileOf(slot).Read(static_cast<std::uint64_t>(offset),
                           {static_cast<std::byte*>(buffer), static_cast<std::size_t>(size)});
}
int Write(sqlite3_file* slot, const void* bytes, int size, sqlite3_int64 offset) {
  return FileOf(slot).Write(static_cast<std::uint64_t>(offset),
                            {static_cast<const std::byte*>(bytes), static_cast<std::size_t>(size)});
}
int Truncate(sqlite3_file* slot, sqlite3_int64 size) {
  return FileOf(slot).Truncate(static_cast<std::uint64_t>(size));
}
int Sync(sqlite3_file* slot, int /*flags*/) { return FileOf(slot).Sync(); }
int FileSize(sqlite3_file* slot, sqlite3_int64* size) { return FileOf(slot).Size(*size); }
int Lock(sqlite3_file* slot, int level) { return FileOf(slot).Lock(level); }
int Unlock(sqlite3_file* slot, int level) { return FileOf(slot).Unlock(level); }
int CheckReservedLock(sqlite3_file* slot, int* is_reserved) {
  return FileOf(slot).CheckReserved(*is_reserved);
}
int FileControl(sqlite3_file* /*slot*/, int /*operation*/, void* /*argument*/) {
  return SQLITE_NOTFOUND;  // nothing that needs an answer
}
int SectorSize(sqlite3_file* /*slot*/) { return 4096; }
// Nothing is promised: not that a write leaves its neighbours alone when the power goes, nor that
// a file grows only when its new bytes are there.
int DeviceCharacteristics(sqlite3_file* /*slot*/) { return 0; }

// Version 1 of the methods: without shared memory and without mapping.
constexpr sqlite3_io_methods kMethods = {
    .iVersion = 1,
    .xClose = Close,
    .xRead = Read,
    .xWrite = Write,
    .xTruncate = Truncate,
    .xSync = Sync,
    .xFileSize = FileSize,
    .xLock = Lock,
    .xUnlock = Unlock,
    .xCheckReservedLock = CheckReservedLock,
    .xFileControl = FileControl,
    .xSectorSize = SectorSize,
    .xDeviceCharacteristics = DeviceCharacteristics,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

Result<std::unique_ptr<host::File>> OpenFor(host::Directory& directory, const char* name,
                                            int flags) {
  if (name == nullptr) return std::unique_ptr<host::File>(std::make_unique<MemoryFile>());
  host::OpenHow how = host::OpenHow::kRead;
  if ((flags & SQLITE_OPEN_READWRITE) != 0) how = host::OpenHow::kReadWrite;
  if ((flags & SQLITE_OPEN_CREATE) != 0) how = host::OpenHow::kCreate;
  return directory.Open(name, how, 0600);
}

int Open(sqlite3_vfs* self, const char* name, sqlite3_file* slot, int flags, int* flags_out) {
  slot->pMethods = nullptr;  // until it is open; SQLite closes what has methods
  SqliteVfs& vfs = VfsOf(self);
  auto opened = OpenFor(vfs.directory(), name, flags);
  if (!opened) return vfs.Failed(std::move(opened).error(), SQLITE_CANTOPEN);
  const bool undoes = (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)) != 0;
  reinterpret_cast<Slot*>(slot)->file =
      new OpenFile(vfs, *std::move(opened), undoes ? NameNeeds::kSync : NameNeeds::kNothing);
  slot->pMethods = &kMethods;
  if (flags_out != nullptr) *flags_out = flags;
  return SQLITE_OK;
}

// Durable whatever is asked for: a journal that came back would undo what was acknowledged.
int Delete(sqlite3_vfs* self, const char* name, int /*sync_directory*/) {
  SqliteVfs& vfs = VfsOf(self);
  if (Status removed = vfs.directory().Remove(name); !removed) {
    const bool is_absent = removed.error().kind == ErrorKind::kNotFound;
    if (is_absent) return SQLITE_IOERR_DELETE_NOENT;
    return vfs.Failed(std::move(removed).error(), SQLITE_IOERR_DELETE);
  }
  if (Status synced = vfs.directory().Sync(""); !synced)
    return vfs.Failed(std::move(synced).error(), SQLITE_IOERR_DIR_FSYNC);
  return SQLITE_OK;
}

// An empty file counts as none, as with SQLite's own: that is how a journal rests.
int Access(sqlite3_vfs* self, const char* name, int /*what*/, int* is_there) {
  SqliteVfs& vfs = VfsOf(self);
  *is_there = 0;
  const auto state = vfs.directory().State(name);
  if (state) {
    *is_there = state->size > 0 ? 1 : 0;
  } else if (state.error().kind != ErrorKind::kNotFound) {
    return vfs.Failed(state.error(), SQLITE_IOERR_ACCESS);
  }
  return SQLITE_OK;
}

int FullPathname(sqlite3_vfs* /*self*/, const char* name, int size_max, char* out) {
  const std::string_view text = name;
  if (text.size() >= static_cast<std::size_t>(size_max)) return SQLITE_CANTOPEN;
  std::memcpy(out, name, text.size() + 1);
  return SQLITE_OK;
}

// What has nothing to do with the disk is SQLite's own.
sqlite3_vfs& Default() { return *sqlite3_vfs_find(nullptr); }
int Randomness(sqlite3_vfs* /*self*/, int size, char* out) {
  return Default().xRandomness(&Default(), size, out);
}
int Sleep(sqlite3_vfs* /*self*/, int duration_us) {
  return Default().xSleep(&Default(), duration_us);
}
int CurrentTime(sqlite3_vfs* /*self*/, double* days) {
  return Default().xCurrentTime(&Default(), days);
}
int GetLastError(sqlite3_vfs* /*self*/, int /*size*/, char* /*text*/) { return 0; }

}  // namespace

SqliteVfs::SqliteVfs(host::Directory& directory) : directory_(directory) {
  // Names of VFSs are global to the process.
  std::array<unsigned char, 16> random = {};
  sqlite3_initialize();
  sqlite3_randomness(static_cast<int>(random.size()), random.data());
  name_ = "plumb-" + EncodeHex(std::as_bytes(std::span(random)));
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(Slot);
  vfs_.mxPathname = 512;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = Open;
  vfs_.xDelete = Delete;
  vfs_.xAccess = Access;
  vfs_.xFullPathname = FullPathname;
  vfs_.xRandomness = Randomness;
  vfs_.xSleep = Sleep;
  vfs_.xCurrentTime = CurrentTime;
  vfs_.xGetLastError = GetLastError;
}

int SqliteVfs::OpenDatabase(const std::string& name, sqlite3** handle) {
  // By name is the only way to hand it over. A connection keeps the pointer.
  if (const int code = sqlite3_vfs_register(&vfs_, 0); code != SQLITE_OK) return code;
  const int code = sqlite3_open_v2(
      name.c_str(), handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      vfs_.zName);
  sqlite3_vfs_unregister(&vfs_);
  return code;
}

int SqliteVfs::Failed(Error error, int code) {
  const bool is_full = error.kind == ErrorKind::kExhausted;
  error_ = std::move(error);
  return is_full ? SQLITE_FULL : code;
}

}  // namespace plumb::store
