// SPDX-License-Identifier: MIT OR Apache-2.0
// What is read of known places is read again as it was, once written.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "registry/known_places.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace registry = plumb::registry;
  const auto places = registry::ParseKnownPlaces({reinterpret_cast<const char*>(data), size});
  std::string written;
  for (const registry::KnownPlace& place : places)
    written += place.repository + " " + place.manifest.ToString() + "\n";
  PLUMB_CHECK(registry::ParseKnownPlaces(written) == places);
  return 0;
}
