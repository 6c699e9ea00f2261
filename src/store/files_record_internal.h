// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_FILES_RECORD_INTERNAL_H_
#define PLUMB_STORE_FILES_RECORD_INTERNAL_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "store/catalog.h"
#include "store/store.h"

// What a frame of type 8 holds: docs/format.md, "Packs".
namespace plumb::store {

std::string WriteFilesRecord(const FilesOfLayer& layer);
std::string WriteFilesRecord(const Digest& kit, const Digest& files_root);

// What a record is of, whatever else it says; nothing for one that is none, or of a kind that is
// not known.
std::optional<FilesKey> KeyOfFilesRecord(ByteSpan record);
// Nothing for a record of another kind, or one that breaks the format.
std::optional<std::vector<FileOfLayer>> ParseFilesOfLayer(std::string_view record);
std::optional<Digest> ParseFilesRoot(std::string_view record);

}  // namespace plumb::store

#endif  // PLUMB_STORE_FILES_RECORD_INTERNAL_H_
