// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/file_list.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string_view>
#include <utility>

#include "archive/tar_reader.h"
#include "base/text.h"
#include "kit/entries_internal.h"
#include "kit/target_names_internal.h"

namespace plumb::kit {
namespace {

Error Refused(std::string_view name, std::string_view why) {
  return Error{ErrorKind::kInvalid,
               "the file '" + Printable(name) + "' cannot be listed: " + std::string(why)};
}

// Whether some directory above a file is itself a file of the list, which is sorted.
bool IsBeneathAFile(const ListedFile& file, const std::vector<ListedFile>& files) {
  for (std::string_view above = DirectoryOf(file.name); !above.empty(); above = DirectoryOf(above))
    if (std::ranges::binary_search(files, above, std::less<>(), &ListedFile::name)) return true;
  return false;
}

}  // namespace

Result<FileList> FileList::Make(std::vector<ListedFile> files) {
  std::size_t name_bytes = 0;
  for (const ListedFile& file : files) {
    const auto checked = archive::CheckEntryName(file.name);
    if (!checked || *checked != file.name) return Refused(file.name, "its name is not a plain one");
    name_bytes += file.name.size();
  }
  if (files.size() > kTargetNameCountMax || name_bytes > kTargetNameBytesMax)
    return Error{ErrorKind::kExhausted, "more files than can be unpacked"};
  // Bytes of UTF-8 are in the order of code points.
  std::ranges::sort(files, {}, &ListedFile::name);
  const auto twice = std::ranges::adjacent_find(files, {}, &ListedFile::name);
  if (twice != files.end()) return Refused(twice->name, "it comes twice");
  const auto lost = std::ranges::find_if(
      files, [&](const ListedFile& file) { return IsBeneathAFile(file, files); });
  if (lost != files.end()) return Refused(lost->name, "a directory above it is a file");
  return FileList(std::move(files));
}

Digest FileList::Root() const {
  Sha256Hasher hasher;
  for (const ListedFile& file : files_)
    hasher.Add(file.digest.bytes);
  return hasher.Finish();
}

}  // namespace plumb::kit
