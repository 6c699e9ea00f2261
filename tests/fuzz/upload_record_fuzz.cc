// SPDX-License-Identifier: MIT OR Apache-2.0
// A record of an upload gives an address of one line, or nothing.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "registry/uploads.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const plumb::registry::UploadName name = {"registry.example.org", "m", plumb::Digest()};
  const auto session = plumb::registry::ParseUploadRecord(text, name);
  if (!session) return 0;
  PLUMB_CHECK(!session->empty() && session->find_first_of(" \r\n") == std::string::npos);
  PLUMB_CHECK(text.find(*session) != std::string_view::npos);
  return 0;
}
