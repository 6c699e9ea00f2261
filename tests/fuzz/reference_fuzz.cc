// SPDX-License-Identifier: MIT OR Apache-2.0
// A reference that parses is printed as text that parses to the same, and stays within its limits.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "oci/reference.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using plumb::oci::Reference;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto reference = Reference::Parse(text)) {
    const auto again = Reference::Parse(reference->ToString());
    PLUMB_CHECK(again && *again == *reference);
    PLUMB_CHECK(reference->Name().size() <= 255);
    PLUMB_CHECK(plumb::oci::CheckRepository(reference->repository));
    PLUMB_CHECK(plumb::oci::CheckTag(reference->TagOrDefault()));
  }
  if (const auto references = Reference::ParseTags(text)) {
    for (const Reference& reference : *references)
      PLUMB_CHECK(reference.Name() == references->front().Name() && !reference.tag.empty());
  }
  return 0;
}
