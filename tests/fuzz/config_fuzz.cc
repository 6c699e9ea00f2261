// SPDX-License-Identifier: MIT OR Apache-2.0
// A config that is read loses nothing that is known of it when it is written again, and is a
// Kitfile that prints as one.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "blueprint/kitfile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb::blueprint;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto kitfile = ParseConfig(bytes);
  if (!kitfile) return 0;
  const std::string config = WriteConfig(*kitfile);
  const auto again = ParseConfig(config);
  PLUMB_CHECK(again && WriteConfig(*again) == config);
  // kit's rules take any manifestVersion, but know nothing of these.
  bool is_newer = !kitfile->prompts.empty() || !kitfile->mcp_servers.empty();
  for (const Dataset& dataset : kitfile->datasets)
    is_newer = is_newer || !dataset.remote_path.empty() || !dataset.remote_hash.empty();
  if (is_newer) return 0;
  // Numbers may be spelled otherwise than YAML's reader spells them.
  const auto printed = ParseKitfile(PrintKitfile(*kitfile), "Kitfile", KitRules::kKit17);
  PLUMB_CHECK(printed && printed->package == kitfile->package &&
              printed->docs.size() == kitfile->docs.size());
  const auto reprinted = ParseKitfile(PrintKitfile(*printed), "Kitfile", KitRules::kKit17);
  PLUMB_CHECK(reprinted && *reprinted == *printed);
  return 0;
}
