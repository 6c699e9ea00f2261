// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_FILE_LIST_H_
#define PLUMB_KIT_FILE_LIST_H_

#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"

namespace plumb::kit {

struct ListedFile {
  std::string name;  // relative to the root, with '/' between its parts
  Digest digest;

  friend bool operator==(const ListedFile&, const ListedFile&) = default;
};

// The regular files of a directory as OpenSSF Model Signing 1.0 lists them, each once, in the order
// of the code points of their names, and the one digest that stands for all of them.
//
// Promises: the same files give the same root, in whatever order they were found.
// Trust: names come from kits that others made: those that `unpack` refuses are refused here.
// Format: docs/format.md, "Files".
class FileList {
 public:
  // kInvalid: a name that comes twice, or that no file beneath a directory has on every machine.
  // kExhausted: more than `unpack` makes.
  static Result<FileList> Make(std::vector<ListedFile> files);

  const std::vector<ListedFile>& files() const { return files_; }
  // SHA-256 over the digests, as bytes, in the order of the list. Of no files, that of nothing.
  Digest Root() const;

 private:
  explicit FileList(std::vector<ListedFile> files) : files_(std::move(files)) {}

  std::vector<ListedFile> files_;
};

}  // namespace plumb::kit

#endif  // PLUMB_KIT_FILE_LIST_H_
