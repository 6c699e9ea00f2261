// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_GATHERED_FILES_H_
#define PLUMB_KIT_GATHERED_FILES_H_

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/files.h"

namespace plumb::kit {

// A file of this machine, and what it is called where it is gathered.
struct GatheredFile {
  std::string name;  // "a/b.bin"
  std::shared_ptr<host::Directory> directory;
  std::string path;                          // beneath it
  host::OpenHow how = host::OpenHow::kRead;  // or kReadFollow
};

// Files from anywhere that look as if they lay in one directory, so that `Build` and drafts can
// take what other programs keep in their own ways. Nothing is copied, nothing but these files can
// be seen, and nothing can be written (kDenied). Threads: any number at once.
inline constexpr char kGatheredPath[] = "/gathered";  // the directory, by its path
// A file that lies nowhere: it is this text.
GatheredFile GatherText(const std::string& name, std::string text);
// kInvalid for names that collide or cannot be names of an archive.
Result<std::unique_ptr<host::Files>> GatherFiles(std::vector<GatheredFile> files);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_GATHERED_FILES_H_
