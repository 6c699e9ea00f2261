// SPDX-License-Identifier: MIT OR Apache-2.0
// What is read from a tar, by whatever writer, is the same when it is written by us and read again;
// and a name that passes is a path beneath a directory.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "archive/tar_reader.h"
#include "archive/tar_writer.h"
#include "base/check.h"
#include "base/text.h"

namespace {

using plumb::ByteSpan;
using plumb::Result;
namespace archive = plumb::archive;

using Entries = std::vector<std::pair<archive::TarEntry, std::string>>;

Result<Entries> ReadTar(std::string_view text) {
  plumb::MemorySource source(plumb::AsBytes(text));
  archive::TarReader reader(source);
  Entries entries;
  for (;;) {
    PLUMB_TRY(auto entry, reader.Next());
    if (!entry) return entries;
    PLUMB_CHECK(!entry->name.empty() && entry->name.size() <= 4096 && entry->mode <= 0777);
    entries.emplace_back(*std::move(entry), "");
    for (;;) {
      PLUMB_TRY(const ByteSpan bytes, reader.Read(4096));
      if (bytes.empty()) break;
      entries.back().second += plumb::AsText(bytes);
    }
    PLUMB_CHECK(entries.back().second.size() == entries.back().first.size);
  }
}

void CheckName(const std::string& name) {
  const auto path = archive::CheckEntryName(name);
  if (!path) return;
  PLUMB_CHECK(!path->starts_with('/') && plumb::IsUtf8(*path));
  for (const std::string_view part : plumb::Split(*path, '/'))
    PLUMB_CHECK(!part.empty() && part != "." && part != "..");
  const std::string fold = archive::NameFold(*path);
  PLUMB_CHECK(archive::NameFold(fold) == fold);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto entries = ReadTar({reinterpret_cast<const char*>(data), size});
  if (!entries) return 0;
  std::string written;
  Entries kept;
  for (const auto& [entry, content] : *entries) {
    CheckName(entry.name);
    const auto header = archive::TarHeader(entry);
    // Only a NUL, which a pax header may hold, cannot be written.
    PLUMB_CHECK(header.has_value() == (entry.name.find('\0') == std::string::npos));
    if (!header) continue;
    written += *header + content + std::string(archive::TarPadding(entry.size), '\0');
    kept.emplace_back(entry, content);
  }
  const auto again = ReadTar(written + archive::TarEnd());
  PLUMB_CHECK(again && *again == kept);
  return 0;
}
