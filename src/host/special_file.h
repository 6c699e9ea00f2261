// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_HOST_SPECIAL_FILE_H_
#define PLUMB_HOST_SPECIAL_FILE_H_

#include <memory>
#include <string>

#include "base/result.h"
#include "base/streams.h"

namespace plumb::host {

// Opens a named pipe or a character device that is there, to write into it in order; symlinks are
// followed. Waits until a pipe has a reader. kInvalid for anything else, kInterrupted for a write
// to a pipe whose reader has gone, other kinds as in host/files.h.
Result<std::unique_ptr<ByteSink>> OpenSpecialFile(const std::string& path);

}  // namespace plumb::host

#endif  // PLUMB_HOST_SPECIAL_FILE_H_
