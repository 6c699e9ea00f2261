// SPDX-License-Identifier: MIT OR Apache-2.0
// A line that names a tile, and behind it a bundle of so many entries.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "tlog/tile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(bytes.find('\n'), bytes.size());
  const auto name = tlog::TileName::Parse(bytes.substr(0, line));
  if (!name) {
    PLUMB_CHECK(!name.error().message.empty());
    return 0;
  }
  PLUMB_CHECK(name->ToPath() == bytes.substr(0, line));
  const std::string_view bundle = bytes.substr(std::min(line + 1, size));
  const auto entries = tlog::ParseEntryBundle(AsBytes(bundle), name->width);
  if (!entries) return 0;
  std::string written;
  for (const ByteSpan entry : *entries)
    tlog::AppendEntry(written, entry);
  PLUMB_CHECK(written == bundle && entries->size() == name->width);
  return 0;
}
