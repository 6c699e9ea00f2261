// SPDX-License-Identifier: MIT OR Apache-2.0
// A record of files that parses is written again as it was.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "store/files_record_internal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace store = plumb::store;
  const std::string_view record(reinterpret_cast<const char*>(data), size);
  const auto key = store::KeyOfFilesRecord(plumb::AsBytes(record));
  if (const auto files = store::ParseFilesOfLayer(record)) {
    PLUMB_CHECK(key && key->kind == store::FilesKind::kLayer);
    PLUMB_CHECK(store::WriteFilesRecord({key->subject, *files}) == record);
  }
  if (const auto root = store::ParseFilesRoot(record)) {
    PLUMB_CHECK(key && key->kind == store::FilesKind::kKit);
    PLUMB_CHECK(store::WriteFilesRecord(key->subject, *root) == record);
  }
  return 0;
}
