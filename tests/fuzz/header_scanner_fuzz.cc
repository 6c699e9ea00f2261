// SPDX-License-Identifier: MIT OR Apache-2.0
// Of a header that is sound the scanner asks for all and for nothing behind it, however the bytes
// come.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "base/check.h"
#include "weights/header_scanner.h"
#include "weights/tensor_file.h"

namespace {

using plumb::ByteSpan;
using plumb::weights::HeaderScanner;

// What it took, and whether it came to an end.
struct Scanned {
  std::string header;
  std::size_t taken = 0;
  bool is_over = false;
};

Scanned Scan(ByteSpan bytes, std::uint64_t header_size_max, std::uint64_t step) {
  HeaderScanner scanner;
  Scanned scanned;
  while (scanner.Needs() > 0 && scanned.taken < bytes.size()) {
    PLUMB_CHECK(scanner.Needs() <= header_size_max - scanned.taken);
    const auto size = static_cast<std::size_t>(
        std::min<std::uint64_t>({scanner.Needs(), bytes.size() - scanned.taken, step}));
    scanner.Take(bytes.subspan(scanned.taken, size));
    scanned.taken += size;
  }
  scanned.is_over = scanner.Needs() == 0;
  scanned.header = std::move(scanner).TakeHeader();
  return scanned;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace weights = plumb::weights;
  const ByteSpan bytes = std::as_bytes(std::span(data, size));
  constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();
  const auto read = weights::ReadTensorHeader(bytes, size);
  const bool is_sound = read && *read && (*read)->header_size <= weights::kScannedHeaderSizeMax;
  const Scanned scanned = Scan(bytes, is_sound ? (*read)->header_size : kAll, kAll);
  const Scanned slowly = Scan(bytes, is_sound ? (*read)->header_size : kAll, 1);
  PLUMB_CHECK(scanned.is_over == slowly.is_over);
  if (scanned.is_over) PLUMB_CHECK(scanned.header == slowly.header);
  PLUMB_CHECK(scanned.header.empty() || scanned.header.size() == scanned.taken);
  if (!is_sound) return 0;
  PLUMB_CHECK(scanned.is_over && scanned.header.size() <= (*read)->header_size);
  const auto again = weights::ReadTensorHeader(plumb::AsBytes(scanned.header), size);
  PLUMB_CHECK(again && *again && **again == **read);
  return 0;
}
