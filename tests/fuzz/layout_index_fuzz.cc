// SPDX-License-Identifier: MIT OR Apache-2.0
// An index that parses loses nothing when it is written again.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "oci/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace oci = plumb::oci;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto index = oci::Index::Parse(bytes)) {
    const std::string written = oci::WriteIndex(*index);
    const auto again = oci::Index::Parse(written);
    PLUMB_CHECK(again && again->entries.size() == index->entries.size());
    PLUMB_CHECK(oci::WriteIndex(*again) == written);
  }
  const auto status = oci::CheckLayoutMarker(bytes);
  PLUMB_CHECK(status || !status.error().message.empty());
  return 0;
}
