// SPDX-License-Identifier: MIT OR Apache-2.0
#include <span>
#include <utility>

#include "verbs/settings.h"
#include "verbs/settings_file_internal.h"

namespace plumb::verbs {
namespace {

constexpr std::uint64_t kLockTimeoutMs = 10'000;
constexpr std::uint32_t kFileMode = 0600;  // a proxy may have a password
constexpr std::uint32_t kDirectoryMode = 0700;
// A person's own group may write: where each has one of their own, that is how files are made.
constexpr std::uint32_t kOthersMayWrite = 0002;
constexpr std::uint32_t kPermissions = 0777;
constexpr std::string_view kNothing = "/dev/null";

}  // namespace

Result<SettingsFile> SettingsFile::Find(host::Files& files, std::string path) {
  SettingsFile file(files, std::move(path));
  file.parts_ = host::SplitPath(file.path_);
  auto real = files.Canonical(file.path_);
  if (real) {
    file.parts_ = host::SplitPath(*real);
    file.exists_ = true;
    PLUMB_TRY(const host::FileState state, files.State(*real));
    file.is_nothing_ = *real == kNothing;
    if (state.type == host::FileType::kRegular || file.is_nothing_) return file;
    return Error{ErrorKind::kDenied, "'" + file.path_ + "' is not read: it is no regular file"};
  }
  if (real.error().kind != ErrorKind::kNotFound) return std::move(real).error();
  // A symlink to what is not there was to be one to settings. (Anything else came just now.)
  const auto directory = files.OpenDirectory(file.parts_.directory, host::IfMissing::kFail);
  if (!directory) return file;
  const auto state = (*directory)->State(file.parts_.name);
  if (state && state->type == host::FileType::kSymlink) return std::move(real).error();
  return file;
}

Result<std::string> SettingsFile::Read() const {
  if (!exists_ || is_nothing_) return std::string();
  PLUMB_TRY(const auto directory, files_->OpenDirectory(parts_.directory, host::IfMissing::kFail));
  PLUMB_TRY(const auto file, directory->Open(parts_.name, host::OpenHow::kRead));
  PLUMB_TRY(const host::FileState state, file->State());
  if ((state.mode & kOthersMayWrite) != 0)
    return Error{ErrorKind::kDenied, "'" + path_ + "' is not read: anybody may write it",
                 "chmod o-w " + path_};
  if (state.size > kSettingsSizeMax)
    return Error{ErrorKind::kExhausted, "'" + path_ + "' is longer than 64 KiB"};
  std::string text(state.size, '\0');
  PLUMB_TRY(const std::size_t size,
            file->ReadAt(0, std::as_writable_bytes(std::span(text.data(), text.size()))));
  text.resize(size);
  return text;
}

Result<std::unique_ptr<host::FileLock>> SettingsFile::Lock() {
  if (is_nothing_)
    return Error{ErrorKind::kInvalid, "'" + path_ + "' keeps no settings",
                 "export PLUMB_CONFIG=FILE"};
  PLUMB_TRY(const auto directory,
            files_->OpenDirectory(parts_.directory, host::IfMissing::kCreate, kDirectoryMode));
  PLUMB_TRY(lock_file_, directory->Open(parts_.name + ".lock", host::OpenHow::kCreate, kFileMode));
  auto lock = lock_file_->Lock(host::LockKind::kExclusive, kLockTimeoutMs);
  if (!lock) return std::move(lock).error().While("cannot write '" + path_ + "'");
  // Who had it may have made the file.
  const auto real = files_->Canonical(parts_.directory + "/" + parts_.name);
  exists_ = real.has_value();
  return lock;
}

Status SettingsFile::Write(std::string_view text) const {
  PLUMB_TRY(const auto directory, files_->OpenDirectory(parts_.directory, host::IfMissing::kFail));
  std::uint32_t mode = kFileMode;
  if (exists_) {
    PLUMB_TRY(const host::FileState state, directory->State(parts_.name));
    mode = state.mode & kPermissions;
  }
  return host::WriteFileDurably(*directory, parts_.name, text, mode);
}

}  // namespace plumb::verbs
