// SPDX-License-Identifier: MIT OR Apache-2.0
// What is read as a manifest is no index, and is the same when it is written by us.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "oci/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace oci = plumb::oci;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto manifest = oci::Manifest::Parse(bytes);
  if (!manifest) return 0;
  PLUMB_CHECK(!oci::Index::Parse(bytes));
  for (const auto& write : {oci::WriteManifest, oci::WriteKit17Manifest}) {
    const auto again = oci::Manifest::Parse(write(manifest->config, manifest->layers));
    PLUMB_CHECK(again && again->config == manifest->config && again->layers == manifest->layers);
  }
  return 0;
}
