// SPDX-License-Identifier: MIT OR Apache-2.0
// TOML that is read is JSON of bounded depth, and each of its strings can be written again.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/text.h"
#include "base/toml.h"

namespace {

void CheckStrings(const plumb::Json& value, int depth) {
  using namespace plumb;
  PLUMB_CHECK(depth <= TomlLimits().depth_max);
  if (const std::string* text = value.IfString()) {
    PLUMB_CHECK(IsUtf8(*text));
    const auto again = ParseToml("a = " + TomlString(*text));
    PLUMB_CHECK(again && *again->Find("a") == value);
  }
  if (const auto* array = value.IfArray())
    for (const Json& item : *array)
      CheckStrings(item, depth + 1);
  if (const auto* object = value.IfObject())
    for (const auto& [name, item] : *object)
      CheckStrings(item, depth + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = plumb::ParseToml(std::string_view(reinterpret_cast<const char*>(data), size));
  if (parsed) {
    CheckStrings(*parsed, 0);
  } else {
    PLUMB_CHECK(!parsed.error().message.empty());
  }
  return 0;
}
