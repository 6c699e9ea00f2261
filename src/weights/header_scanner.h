// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_WEIGHTS_HEADER_SCANNER_H_
#define PLUMB_WEIGHTS_HEADER_SCANNER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace plumb::weights {

// Longer headers are not followed.
inline constexpr std::size_t kScannedHeaderSizeMax = std::size_t{32} << 20;

// Finds where the header of a safetensors or GGUF file ends, as its bytes come, and never asks for
// one beyond: what follows is the first tensor. What it finds is a guess: ReadTensorHeader judges
// what was collected. Memory: the header, at most kScannedHeaderSizeMax.
// Threads: one at a time.
class HeaderScanner {
 public:
  // How many more bytes belong to the header at least; 0: no more do, or it is none.
  std::uint64_t Needs() const { return needs_; }
  // The next bytes, at most Needs() of them.
  void Take(ByteSpan bytes);

  // All that came, once nothing more is needed; empty if it is no header.
  std::string TakeHeader() && { return std::move(header_); }

 private:
  // Goes on by what is there, one text, entry or tensor after the other; false if the next is not
  // all there, or there is none.
  bool Advance();
  bool Start();
  bool TakeEntry();
  bool TakeTensor();
  // Takes `size` bytes once all of them are there; else they are what is wanted.
  bool TakeWhole(std::uint64_t size);
  // The number in `size` bytes at `offset` behind `at_`, of which all is wanted.
  bool Read(std::uint64_t offset, std::size_t size, std::uint64_t& number);
  bool GiveUp();

  std::string header_;
  std::size_t at_ = 0;      // what comes next in it
  std::uint64_t want_ = 9;  // bytes of that
  std::uint64_t needs_ = 9;
  bool has_begun_ = false;
  bool is_over_ = false;
  // Of GGUF: what is left, the present one with them.
  std::uint64_t entries_left_ = 0;
  std::uint64_t tensors_left_ = 0;
  std::uint64_t texts_left_ = 0;  // of an array
};

}  // namespace plumb::weights

#endif  // PLUMB_WEIGHTS_HEADER_SCANNER_H_
