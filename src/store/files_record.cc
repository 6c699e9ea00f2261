// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>

#include "store/files_record_internal.h"
#include "store/recipe_internal.h"

namespace plumb::store {
namespace {

// Of a file: the length of its name, and its digest.
constexpr std::uint64_t kFileSizeMin = 33;

void AppendKey(std::string& record, const FilesKey& key) {
  record.push_back(static_cast<char>(key.kind));
  record.append(AsText(key.subject.bytes));
}

bool TakeDigest(ByteReader& reader, Digest& digest) {
  const auto bytes = reader.Bytes(digest.bytes.size());
  if (bytes) std::ranges::copy(*bytes, digest.bytes.begin());
  return bytes.has_value();
}

std::optional<FilesKey> TakeKey(ByteReader& reader) {
  FilesKey key;
  const auto kind = reader.U8();
  if (!kind || !TakeDigest(reader, key.subject)) return std::nullopt;
  key.kind = static_cast<FilesKind>(*kind);
  if (key.kind != FilesKind::kLayer && key.kind != FilesKind::kKit) return std::nullopt;
  return key;
}

}  // namespace

std::string WriteFilesRecord(const FilesOfLayer& layer) {
  std::string record;
  AppendKey(record, {FilesKind::kLayer, layer.layer});
  AppendVarint(record, layer.files.size());
  for (const FileOfLayer& file : layer.files) {
    AppendVarint(record, file.name.size());
    record.append(file.name).append(AsText(file.digest.bytes));
  }
  return record;
}

std::string WriteFilesRecord(const Digest& kit, const Digest& files_root) {
  std::string record;
  AppendKey(record, {FilesKind::kKit, kit});
  return record.append(AsText(files_root.bytes));
}

std::optional<FilesKey> KeyOfFilesRecord(ByteSpan record) {
  ByteReader reader(record);
  return TakeKey(reader);
}

std::optional<std::vector<FileOfLayer>> ParseFilesOfLayer(std::string_view record) {
  if (record.size() > kRecipeSizeMax) return std::nullopt;
  ByteReader reader(AsBytes(record));
  const auto key = TakeKey(reader);
  const auto count = reader.Varint();
  // Before anything is allocated: what is there bounds it.
  if (!key || key->kind != FilesKind::kLayer || !count ||
      *count > reader.rest().size() / kFileSizeMin)
    return std::nullopt;
  std::vector<FileOfLayer> files(static_cast<std::size_t>(*count));
  for (FileOfLayer& file : files) {
    const auto size = reader.Varint();
    const auto name = size ? reader.Bytes(*size) : std::nullopt;
    if (!name || !TakeDigest(reader, file.digest)) return std::nullopt;
    file.name = AsText(*name);
  }
  if (!reader.AtEnd()) return std::nullopt;
  return files;
}

std::optional<Digest> ParseFilesRoot(std::string_view record) {
  ByteReader reader(AsBytes(record));
  const auto key = TakeKey(reader);
  Digest root;
  if (!key || key->kind != FilesKind::kKit || !TakeDigest(reader, root) || !reader.AtEnd())
    return std::nullopt;
  return root;
}

}  // namespace plumb::store
