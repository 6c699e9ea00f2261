// SPDX-License-Identifier: MIT OR Apache-2.0
// A line of a partial blob's record that parses is written again as it was.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "store/partial_internal.h"
#include "store/recipe_internal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace store = plumb::store;
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto run = store::ParsePartialLine(line);
  if (!run) return 0;
  const std::string written = run->object  ? store::WritePartialLine(*run->object)
                              : run->block ? store::WritePartialLine(*run->block)
                                           : store::WritePartialLine(plumb::AsBytes(run->bytes));
  const auto again =
      store::ParsePartialLine(std::string_view(written).substr(0, written.size() - 1));
  PLUMB_CHECK(again && again->bytes == run->bytes);
  PLUMB_CHECK(again->object.has_value() == run->object.has_value());
  if (run->object) PLUMB_CHECK(again->object->place == run->object->place);
  PLUMB_CHECK(again->block.has_value() == run->block.has_value());
  if (!run->block) return 0;
  const store::BlockPlace& block = *run->block;
  PLUMB_CHECK(again->block->place == block.place && again->block->hash == block.hash);
  PLUMB_CHECK(again->block->index == block.index && block.place.raw_size <= store::kBlockSizeMax);
  return 0;
}
