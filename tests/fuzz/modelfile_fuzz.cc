// SPDX-License-Identifier: MIT OR Apache-2.0
// What the strict reading accepts Ollama's reading takes for the same commands; what either gives
// is printed as text that parses back to it.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "blueprint/modelfile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb::blueprint;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto compat = ParseModelfileCompat(bytes);
  if (compat) {
    const auto printed = PrintModelfileCompat(*compat);
    PLUMB_CHECK(printed.has_value());
    const auto again = ParseModelfileCompat(*printed);
    PLUMB_CHECK(again && *again == *compat);
    PLUMB_CHECK(ModelfileToJson(*compat, *printed).has_value());
    if (const auto strictly = PrintModelfile(*compat)) {
      const auto strict_again = ParseModelfile(*strictly, "Modelfile");
      PLUMB_CHECK(strict_again && *strict_again == *compat);
    }
  }
  auto strict = ParseModelfile(bytes, "Modelfile");
  if (!strict) {
    PLUMB_CHECK(strict.error().message.starts_with("Modelfile:"));
    PLUMB_CHECK(strict.error().message.ends_with("^"));
    return 0;
  }
  PLUMB_CHECK(compat && *compat == *strict);
  PLUMB_CHECK(LooksLikeModelfile(bytes));
  const auto printed = PrintModelfile(*strict);
  PLUMB_CHECK(printed.has_value());
  for (const auto& again : {ParseModelfile(*printed, "Modelfile"), ParseModelfileCompat(*printed)})
    PLUMB_CHECK(again && *again == *strict);
  const auto status = CheckParameters(*strict, "Modelfile");
  PLUMB_CHECK(status || status.error().message.starts_with("Modelfile:"));
  return 0;
}
