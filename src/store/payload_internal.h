// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_PAYLOAD_INTERNAL_H_
#define PLUMB_STORE_PAYLOAD_INTERNAL_H_

#include <cstddef>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "store/catalog.h"
#include "store/cutter_internal.h"
#include "store/upkeep.h"

// How the bytes of an object or of a block are written down: docs/format.md, "Encodings".
namespace plumb::store {

// Bytes as a frame has them.
struct Payload {
  Encoding encoding = Encoding::kRaw;
  ByteSpan stored;  // what was given, or `buffer`
  std::vector<std::byte> buffer = {};
};

// In whatever form saves enough: a sample decides what is tried. `raw` must outlive what is
// returned.
Result<Payload> EncodePayload(ByteSpan raw, const PieceRole& role, Tier tier = Tier::kFast);

// Fills all of `raw`. kCorrupt if that is not what `stored` holds, exactly. Not of a tree.
Status DecodePayload(Encoding encoding, ByteSpan stored, MutableByteSpan raw);

}  // namespace plumb::store

#endif  // PLUMB_STORE_PAYLOAD_INTERNAL_H_
