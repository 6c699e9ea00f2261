// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_HOST_POSIX_FILE_INTERNAL_H_
#define PLUMB_HOST_POSIX_FILE_INTERNAL_H_

#include <sys/stat.h>

#include <memory>
#include <string>

#include "host/files.h"

namespace plumb::host {

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;

  int number() const { return number_; }

 private:
  int number_;
};

FileState StateOf(const struct stat& info);

// `path` is only for messages.
std::unique_ptr<File> MakePosixFile(Descriptor descriptor, std::string path);

}  // namespace plumb::host

#endif  // PLUMB_HOST_POSIX_FILE_INTERNAL_H_
