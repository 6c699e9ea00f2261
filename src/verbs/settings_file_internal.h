// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_SETTINGS_FILE_INTERNAL_H_
#define PLUMB_VERBS_SETTINGS_FILE_INTERNAL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "host/files.h"

namespace plumb::verbs {

// The file of settings, which a person may have written: in place of it there may be a symlink to
// where they keep such files, and that stays one.
class SettingsFile {
 public:
  // Nothing need be there; /dev/null is the way to have no settings wherever they are. kDenied for
  // anything else that is no regular file.
  static Result<SettingsFile> Find(host::Files& files, std::string path);

  const std::string& path() const { return path_; }  // as it was given
  bool exists() const { return exists_; }

  // "" if there is none. kDenied if anybody may write it, as whoever can do so chooses whom is
  // trusted; kExhausted over kSettingsSizeMax.
  Result<std::string> Read() const;

  // Makes the directory, and keeps other processes of ours from writing.
  Result<std::unique_ptr<host::FileLock>> Lock();
  // Atomic and durable. The permissions stay; those of a new file are its owner's only.
  Status Write(std::string_view text) const;

 private:
  SettingsFile(host::Files& files, std::string path) : files_(&files), path_(std::move(path)) {}

  host::Files* files_;
  std::string path_;
  host::PathParts parts_ = {};  // where it really is
  bool exists_ = false;
  bool is_nothing_ = false;
  std::unique_ptr<host::File> lock_file_ = nullptr;
};

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_SETTINGS_FILE_INTERNAL_H_
