// SPDX-License-Identifier: MIT OR Apache-2.0
// A lock file that is read is printed as one that reads back to it, and does not differ from
// itself.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "blueprint/lock_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb::blueprint;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto lock = ParseLockFile(bytes, "Kitfile.lock");
  if (!lock) {
    PLUMB_CHECK(lock.error().message.starts_with("Kitfile.lock: "));
    return 0;
  }
  const std::string printed = PrintLockFile(*lock);
  const auto again = ParseLockFile(printed, "Kitfile.lock");
  PLUMB_CHECK(again && *again == *lock && PrintLockFile(*again) == printed);
  PLUMB_CHECK(DifferencesFrom(*lock, *again).empty());
  PLUMB_CHECK(lock->Pins().size() == lock->bases.size());
  for (const LockedItem& input : lock->inputs)
    PLUMB_CHECK(!input.name.starts_with('/') && !input.name.starts_with(".."));
  return 0;
}
