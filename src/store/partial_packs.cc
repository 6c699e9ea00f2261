// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string>

#include "base/text.h"
#include "store/partial_internal.h"
#include "store/partial_packs_internal.h"

namespace plumb::store {
namespace {

bool IsWordCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

std::set<PackName> PackNamesIn(std::string_view text) {
  std::set<PackName> names;
  while (!text.empty()) {
    const auto end =
        static_cast<std::size_t>(std::ranges::find_if_not(text, IsWordCharacter) - text.begin());
    PackName name;
    if (end == 2 * name.bytes.size() && DecodeHex(text.substr(0, end), name.bytes))
      names.insert(name);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return names;
}

Result<std::set<PackName>> PartialPacks(host::Directory& directory, std::int64_t since_ns) {
  std::set<PackName> names;
  auto listed = directory.List(kPartialDirectory);
  if (!listed && listed.error().kind == ErrorKind::kNotFound) return names;
  PLUMB_TRY(const auto entries, std::move(listed));
  for (const host::DirectoryEntry& entry : entries) {
    if (entry.type != host::FileType::kRegular) continue;
    const std::string path = std::string(kPartialDirectory) + "/" + entry.name;
    const auto state = directory.State(path);
    // Its transfer has just ended, one way or the other.
    if (!state && state.error().kind == ErrorKind::kNotFound) continue;
    if (!state) return state.error();
    if (state->modified_ns < since_ns || state->size > kPartialRecordSizeMax) continue;
    auto text = host::ReadFile(directory, path, kPartialRecordSizeMax);
    if (!text && text.error().kind == ErrorKind::kNotFound) continue;
    if (!text) return std::move(text).error();
    names.merge(PackNamesIn(*text));
  }
  return names;
}

void RemoveOldPartials(host::Directory& directory, std::int64_t since_ns) {
  const auto entries = directory.List(kPartialDirectory);
  if (!entries) return;
  for (const host::DirectoryEntry& entry : *entries) {
    const std::string path = std::string(kPartialDirectory) + "/" + entry.name;
    const auto state = directory.State(path);
    if (!state || state->type != host::FileType::kRegular || state->modified_ns >= since_ns)
      continue;
    const auto file = directory.Open(path, host::OpenHow::kReadWrite);
    if (!file) continue;
    if (const auto lock = (*file)->Lock(host::LockKind::kExclusive, 0); lock)
      static_cast<void>(directory.Remove(path));
  }
}

}  // namespace plumb::store
