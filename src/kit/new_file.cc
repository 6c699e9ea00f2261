// SPDX-License-Identifier: MIT OR Apache-2.0
#include <utility>

#include "kit/new_file_internal.h"

namespace plumb::kit {

Result<std::unique_ptr<NewFile>> NewFile::Create(host::Directory& directory,
                                                 const std::string& temporary, std::uint32_t mode) {
  PLUMB_TRY(host::LockedFile file, host::CreateLocked(directory, temporary, mode));
  return std::unique_ptr<NewFile>(new NewFile(directory, temporary, std::move(file)));
}

NewFile::~NewFile() {
  if (is_moved_) return;
  // What is left lies under a name that means nothing; there is nobody to tell.
  static_cast<void>(directory_.Remove(temporary_));
}

Status NewFile::Append(ByteSpan bytes) {
  PLUMB_RETURN_IF_ERROR(file_.file->WriteAt(size_, bytes));
  size_ += bytes.size();
  return Done{};
}

Status NewFile::MoveTo(const std::string& path, host::Overwrite overwrite) {
  PLUMB_RETURN_IF_ERROR(directory_.Rename(temporary_, path, overwrite));
  is_moved_ = true;
  return Done{};
}

}  // namespace plumb::kit
