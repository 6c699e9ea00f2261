// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/full_disk.h"

#include <string>
#include <utility>

namespace plumb::verbs {
namespace {

// kExhausted is also one of our own limits, or too many open files: only the words of the system
// (ENOSPC, EDQUOT) tell them apart.
bool IsOfFullDisk(const Error& error) {
  return error.kind == ErrorKind::kExhausted &&
         (error.message.find("no space left on device") != std::string::npos ||
          error.message.find("disk quota exceeded") != std::string::npos);
}

}  // namespace

Error WithSpaceHint(const Workspace& workspace, Error error) {
  if (!IsOfFullDisk(error) || !error.hint.empty()) return error;
  const auto home = workspace.Home();
  // Messages name the file that could not be written.
  const bool is_of_store = home && error.message.find("'" + *home + "/") != std::string::npos;
  if (is_of_store) error.hint = "make room on that disk; plumb gc gives back what no kit needs";
  return error;
}

}  // namespace plumb::verbs
