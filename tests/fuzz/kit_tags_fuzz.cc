// SPDX-License-Identifier: MIT OR Apache-2.0
// The tags of a repository in kit's store, behind the line of its index. Nothing of the index is
// lost, and every entry has a name that a kit can have here.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "oci/reference.h"
#include "registry/kit_tags_internal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(bytes.find('\n'), bytes.size());
  const auto index = oci::Index::Parse(bytes.substr(0, line));
  if (!index) return 0;
  const auto tagged = registry::AddKitTags(*index, bytes.substr(std::min(line + 1, bytes.size())));
  if (!tagged) {
    PLUMB_CHECK(!tagged.error().message.empty());
    return 0;
  }
  PLUMB_CHECK(tagged->entries.size() >= index->entries.size());
  for (const oci::IndexEntry& entry : index->entries)
    PLUMB_CHECK(std::ranges::any_of(tagged->entries, [&](const oci::IndexEntry& other) {
      return other.descriptor == entry.descriptor;
    }));
  for (const oci::IndexEntry& entry : tagged->entries) {
    const bool was_there = std::ranges::any_of(
        index->entries, [&](const oci::IndexEntry& other) { return other.tag == entry.tag; });
    PLUMB_CHECK(was_there || oci::CheckTag(entry.tag));
  }
  return 0;
}
