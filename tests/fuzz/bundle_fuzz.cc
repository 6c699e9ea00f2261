// SPDX-License-Identifier: MIT OR Apache-2.0
// A bundle from anywhere, as a stream: whatever it holds is given as its digest says, or not at
// all.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/check.h"
#include "registry/bundle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using plumb::AsBytes;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  plumb::SilentProgress silent;
  const auto layout = plumb::registry::OpenBundle(
      std::make_unique<plumb::MemorySource>(AsBytes(bytes)), "input", silent);
  if (!layout) {
    PLUMB_CHECK(!layout.error().message.empty());
    return 0;
  }
  for (const plumb::oci::IndexEntry& entry : layout->index.entries) {
    static_cast<void>(plumb::registry::NameOf(entry));
    const auto manifest = layout->remote->FetchManifest("", entry.descriptor.digest);
    if (!manifest) continue;
    PLUMB_CHECK(plumb::Sha256(AsBytes(manifest->bytes)) == entry.descriptor.digest);
    const auto parsed = plumb::oci::Manifest::Parse(manifest->bytes);
    if (!parsed) continue;
    const auto config = plumb::registry::FetchWholeBlob(*layout->remote, parsed->config, silent);
    PLUMB_CHECK(!config || plumb::Sha256(AsBytes(*config)) == parsed->config.digest);
  }
  return 0;
}
