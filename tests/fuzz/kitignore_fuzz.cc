// SPDX-License-Identifier: MIT OR Apache-2.0
// The first line is a path, the rest a .kitignore. A file that is not ignored beneath a directory
// that is must be reachable.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "blueprint/kitfile.h"
#include "blueprint/kitignore.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb::blueprint;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(bytes.find('\n'), size);
  const std::string path = CleanPath(bytes.substr(0, end));
  PLUMB_CHECK(CleanPath(path) == path);
  const auto rules = IgnoreRules::Parse(bytes.substr(std::min(end + 1, size)));
  if (!rules) return 0;
  if (path.starts_with('/') || rules->Ignores(path)) return 0;
  for (std::size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string directory = path.substr(0, slash);
    PLUMB_CHECK(!rules->Ignores(directory) || rules->MayExceptBeneath(directory));
  }
  return 0;
}
