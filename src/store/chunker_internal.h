// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_CHUNKER_INTERNAL_H_
#define PLUMB_STORE_CHUNKER_INTERNAL_H_

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace plumb::store {

inline constexpr std::size_t kChunkSizeMin = std::size_t{64} << 10;
inline constexpr std::size_t kChunkSizeMax = std::size_t{1} << 20;

// Cuts bytes where their content says so, so that what was inserted or taken out moves cuts only
// near by: FastCDC (Xia et al., USENIX ATC 2016), a Gear hash with normalised chunking, on average
// 256 KiB.
class Chunker {
 public:
  // How many bytes a chunk may still take.
  std::size_t Room() const { return kChunkSizeMax - size_; }

  struct Taken {
    std::size_t size = 0;
    bool is_cut = false;  // a chunk ends behind them
  };
  // The next bytes of the chunk, at most Room(): as many of them as belong to it.
  Taken Take(ByteSpan bytes);

  // The next byte begins a chunk.
  void Restart();

 private:
  std::size_t size_ = 0;  // of the present chunk
  std::uint64_t hash_ = 0;
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_CHUNKER_INTERNAL_H_
