// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_HOST_LINKS_H_
#define PLUMB_HOST_LINKS_H_

#include <memory>
#include <string>

#include "base/result.h"

namespace plumb::host {

// Second names for the bytes of a file that cost no space. Paths are of the machine; `source` is a
// regular file and no symlink (kDenied), `target` must not exist (kConflict). Durable once its
// directory was synced. kUnsupported: the file system cannot, or they are on two of them.
// Threads: any number at once.
class Links {
 public:
  virtual ~Links() = default;

  // A file of its own (mode 0600) that shares the blocks of `source` until one of them is written
  // to (ioctl_ficlone(2): xfs, btrfs, bcachefs).
  virtual Status Reflink(const std::string& source, const std::string& target) = 0;

  // The same file: who writes to one writes to both.
  virtual Status HardLink(const std::string& source, const std::string& target) = 0;
};

std::unique_ptr<Links> MakeLinks();

}  // namespace plumb::host

#endif  // PLUMB_HOST_LINKS_H_
