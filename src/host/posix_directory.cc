// SPDX-License-Identifier: MIT OR Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"
#include "host/posix_error_internal.h"
#include "host/posix_file_internal.h"

namespace plumb::host {
namespace {

constexpr std::uint64_t kResolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
constexpr std::uint64_t kResolveFollow = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;

// RESOLVE_BENEATH refuses ".." only where it would leave; we refuse it everywhere, and what
// would make two names of one file.
Status CheckRelative(std::string_view path) {
  if (path.empty()) return Done{};
  for (const std::string_view part : Split(path, '/')) {
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string_view::npos) {
      return Error{ErrorKind::kInvalid, "'" + Printable(path) + "' is no path beneath a directory"};
    }
  }
  return Done{};
}

// The system would take what is before a NUL for all of it.
Status CheckMachinePath(const std::string& path) {
  if (path.find('\0') == std::string::npos) return Done{};
  return Error{ErrorKind::kInvalid, "'" + Printable(path) + "' holds a NUL"};
}

struct ListDeleter {
  void operator()(DIR* list) const { static_cast<void>(::closedir(list)); }
};

FileType TypeOf(unsigned char type) {
  switch (type) {
    case DT_REG:
      return FileType::kRegular;
    case DT_DIR:
      return FileType::kDirectory;
    case DT_LNK:
      return FileType::kSymlink;
    default:
      return FileType::kOther;
  }
}

class PosixDirectory final : public Directory {
 public:
  PosixDirectory(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<std::unique_ptr<File>> Open(std::string_view path, OpenHow how,
                                     std::uint32_t mode) override {
    bool is_new = how == OpenHow::kCreateNew;
    PLUMB_TRY(Descriptor opened,
              how == OpenHow::kCreate ? OpenOrCreate(path, mode, is_new) : OpenAs(path, how, mode));
    struct stat info = {};
    if (::fstat(opened.number(), &info) != 0) return Problem(errno, "cannot look at", path);
    if (!S_ISREG(info.st_mode)) return NotRegular(path);
    if (mode != 0 && is_new && (info.st_mode & 07777U) != mode &&
        ::fchmod(opened.number(), mode) != 0) {
      return Problem(errno, "cannot set the mode of", path);
    }
    return MakePosixFile(std::move(opened), Shown(path));
  }

  Result<FileState> State(std::string_view path) override {
    PLUMB_TRY(const Descriptor opened, OpenBeneath(path, O_PATH | O_NOFOLLOW, 0, kResolve));
    struct stat info = {};
    if (::fstat(opened.number(), &info) != 0) return Problem(errno, "cannot look at", path);
    return StateOf(info);
  }

  Result<std::vector<DirectoryEntry>> List(std::string_view path) override {
    PLUMB_TRY(const Descriptor opened, OpenBeneath(path, O_RDONLY | O_DIRECTORY, 0, kResolve));
    const int owned_by_list = ::fcntl(opened.number(), F_DUPFD_CLOEXEC, 0);
    if (owned_by_list < 0) return Problem(errno, "cannot list", path);
    const std::unique_ptr<DIR, ListDeleter> list(::fdopendir(owned_by_list));
    PLUMB_CHECK(list != nullptr);
    std::vector<DirectoryEntry> entries;
    for (;;) {
      errno = 0;
      // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is ours alone.
      const dirent* entry = ::readdir(list.get());
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      entries.push_back({std::string(name), TypeOf(entry->d_type)});
      if (entry->d_type == DT_UNKNOWN) PLUMB_RETURN_IF_ERROR(FillType(path, entries.back()));
    }
    if (errno != 0) return Problem(errno, "cannot list", path);
    std::ranges::sort(entries, {}, &DirectoryEntry::name);
    return entries;
  }

  Status MakeDirectory(std::string_view path, std::uint32_t mode) override {
    PLUMB_TRY(const Place place, PlaceOf(path));
    if (::mkdirat(place.parent.number(), place.name.c_str(), mode == 0 ? 0777 : mode) != 0)
      return Problem(errno, "cannot make directory", path);
    if (mode == 0) return Done{};
    PLUMB_TRY(const Descriptor made, OpenBeneath(path, O_RDONLY | O_DIRECTORY, 0, kResolve));
    if (::fchmod(made.number(), mode) != 0) return Problem(errno, "cannot set the mode of", path);
    return Done{};
  }

  Status Rename(std::string_view source, std::string_view target, Overwrite overwrite) override {
    PLUMB_TRY(const Place from, PlaceOf(source));
    PLUMB_TRY(const Place to, PlaceOf(target));
    const unsigned flags = overwrite == Overwrite::kNo ? RENAME_NOREPLACE : 0;
    int moved = ::renameat2(from.parent.number(), from.name.c_str(), to.parent.number(),
                            to.name.c_str(), flags);
    // Some file systems (NFS) cannot: a second name that must be new, and then one less.
    if (moved != 0 && errno == EINVAL && overwrite == Overwrite::kNo) {
      moved =
          ::linkat(from.parent.number(), from.name.c_str(), to.parent.number(), to.name.c_str(), 0);
      if (moved == 0) moved = ::unlinkat(from.parent.number(), from.name.c_str(), 0);
    }
    if (moved == 0) return Done{};
    return Problem(errno, "cannot rename '" + Shown(source) + "' to", target);
  }

  Status Remove(std::string_view path) override {
    PLUMB_TRY(const Place place, PlaceOf(path));
    if (::unlinkat(place.parent.number(), place.name.c_str(), 0) == 0) return Done{};
    const int file_problem = errno;
    if (file_problem == EISDIR || file_problem == EPERM) {
      if (::unlinkat(place.parent.number(), place.name.c_str(), AT_REMOVEDIR) == 0) return Done{};
      if (errno != ENOTDIR) return Problem(errno, "cannot remove", path);
    }
    return Problem(file_problem, "cannot remove", path);
  }

  Status Sync(std::string_view path) override {
    PLUMB_TRY(const Descriptor opened, OpenBeneath(path, O_RDONLY | O_DIRECTORY, 0, kResolve));
    if (::fsync(opened.number()) != 0) return Problem(errno, "cannot sync", path);
    return Done{};
  }

 private:
  // Where a name is made or removed: the directory that holds it, and its last part.
  struct Place {
    Descriptor parent;
    std::string name;
  };

  Result<Place> PlaceOf(std::string_view path) {
    PLUMB_RETURN_IF_ERROR(CheckRelative(path));
    const std::size_t slash = path.rfind('/');
    const std::string_view parent = slash == std::string_view::npos ? "" : path.substr(0, slash);
    const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
    if (name.empty())
      return Error{ErrorKind::kInvalid, "'" + Shown("") + "' cannot be changed itself"};
    PLUMB_TRY(Descriptor opened, OpenBeneath(parent, O_PATH | O_DIRECTORY, 0, kResolve));
    return Place{std::move(opened), std::string(name)};
  }

  Result<Descriptor> OpenAs(std::string_view path, OpenHow how, std::uint32_t mode) {
    const bool reads_only = how == OpenHow::kRead || how == OpenHow::kReadFollow;
    int flags = O_NOCTTY | O_NONBLOCK;  // a pipe or a device must not hold us up
    flags |= reads_only ? O_RDONLY : O_RDWR;
    if (how != OpenHow::kCreateNew)
      return OpenBeneath(path, flags, 0, how == OpenHow::kReadFollow ? kResolveFollow : kResolve);
    return OpenBeneath(path, flags | O_CREAT | O_EXCL, mode == 0 ? 0666 : mode, kResolve);
  }

  // In two steps, so that it is known who made the file: another's keeps its mode.
  Result<Descriptor> OpenOrCreate(std::string_view path, std::uint32_t mode, bool& is_new) {
    for (;;) {
      auto opened = OpenAs(path, OpenHow::kReadWrite, mode);
      if (opened || opened.error().kind != ErrorKind::kNotFound) return opened;
      auto made = OpenAs(path, OpenHow::kCreateNew, mode);
      is_new = made.has_value();
      if (made || made.error().kind != ErrorKind::kConflict) return made;
    }
  }

  Result<Descriptor> OpenBeneath(std::string_view path, int flags, std::uint32_t mode,
                                 std::uint64_t resolve) {
    PLUMB_RETURN_IF_ERROR(CheckRelative(path));
    open_how how = {};
    how.flags = static_cast<__u64>(flags | O_CLOEXEC);
    how.mode = mode;
    how.resolve = resolve;
    const std::string name(path.empty() ? "." : path);
    for (;;) {
      const long opened =
          ::syscall(SYS_openat2, descriptor_.number(), name.c_str(), &how, sizeof how);
      if (opened >= 0) return Descriptor(static_cast<int>(opened));
      // What cannot be opened to be written (a directory), or at all (a socket).
      if (errno == EISDIR || errno == ENXIO || errno == ENODEV) return NotRegular(path);
      // EAGAIN: something was moved meanwhile, and the kernel could not be sure.
      if (errno != EINTR && errno != EAGAIN) return Problem(errno, "cannot open", path);
    }
  }

  Status FillType(std::string_view path, DirectoryEntry& entry) {
    const std::string inside = path.empty() ? entry.name : std::string(path) + "/" + entry.name;
    PLUMB_TRY(const FileState state, State(inside));
    entry.type = state.type;
    return Done{};
  }

  Error NotRegular(std::string_view path) const {
    return Error{ErrorKind::kDenied, "'" + Shown(path) + "' is not a regular file"};
  }
  // For messages only.
  std::string Shown(std::string_view path) const {
    if (path.empty()) return Printable(path_);
    if (path_ == ".") return Printable(path);
    return Printable(path_ + (path_.ends_with('/') ? "" : "/") + std::string(path));
  }
  Error Problem(int number, std::string_view doing, std::string_view path) const {
    return PosixError(number, doing, Shown(path));
  }

  Descriptor descriptor_;
  std::string path_;
};

class PosixFiles final : public Files {
 public:
  Result<std::unique_ptr<Directory>> OpenDirectory(const std::string& path, IfMissing if_missing,
                                                   std::uint32_t mode) override {
    PLUMB_RETURN_IF_ERROR(CheckMachinePath(path));
    const int opened = ::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (opened >= 0) {
      return std::unique_ptr<Directory>(std::make_unique<PosixDirectory>(Descriptor(opened), path));
    }
    if (errno != ENOENT || if_missing == IfMissing::kFail || path.empty()) {
      return PosixError(errno, "cannot open directory", path);
    }
    const PathParts parts = SplitPath(path);
    PLUMB_TRY(const auto parent, OpenDirectory(parts.directory, IfMissing::kCreate, mode));
    if (parts.name != "." && parts.name != "..") {
      // Somebody else may have made it meanwhile: then it is there, which is what was wanted.
      if (auto made = parent->MakeDirectory(parts.name, mode);
          !made && made.error().kind != ErrorKind::kConflict) {
        return std::move(made).error();
      }
      PLUMB_RETURN_IF_ERROR(parent->Sync(""));
    }
    return OpenDirectory(path, IfMissing::kFail, mode);
  }

  Result<FileState> State(const std::string& path) override {
    PLUMB_RETURN_IF_ERROR(CheckMachinePath(path));
    struct stat info = {};
    if (::stat(path.c_str(), &info) != 0) return PosixError(errno, "cannot open", path);
    return StateOf(info);
  }

  Result<std::string> Canonical(const std::string& path) override {
    PLUMB_RETURN_IF_ERROR(CheckMachinePath(path));
    char* const resolved = ::realpath(path.c_str(), nullptr);
    if (resolved == nullptr) return PosixError(errno, "cannot open", path);
    std::string canonical = resolved;
    std::free(resolved);
    return canonical;
  }
};

}  // namespace

std::unique_ptr<Files> MakeFiles() { return std::make_unique<PosixFiles>(); }

}  // namespace plumb::host
