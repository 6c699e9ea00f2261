// SPDX-License-Identifier: MIT OR Apache-2.0
// A Modelfile of modctl that parses is printed as one that parses back to it.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "blueprint/modctl.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb::blueprint;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto modelfile = ParseModctl(bytes, "Modelfile");
  if (!modelfile) {
    PLUMB_CHECK(modelfile.error().message.starts_with("Modelfile:"));
    return 0;
  }
  const auto again = ParseModctl(PrintModctl(*modelfile), "Modelfile");
  PLUMB_CHECK(again && *again == *modelfile);
  PLUMB_CHECK(modelfile->commands.empty() || LooksLikeModctl(bytes));
  return 0;
}
