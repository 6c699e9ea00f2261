// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_CUTTER_INTERNAL_H_
#define PLUMB_STORE_CUTTER_INTERNAL_H_

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "store/store.h"

namespace plumb::store {

// Says where a blob is best cut, as its bytes come: docs/format.md, "Cuts". It follows a tar
// header by header so that the contents of large files fall on cuts of their own; on bytes
// that are no tar it gives up and cuts nowhere. What it says never decides whether a blob is right.
class Cutter {
 public:
  explicit Cutter(Shape shape);

  // How many of the coming bytes may be taken at once: at least one.
  std::uint64_t Stretch() const { return left_; }

  // The next `bytes` came, at most Stretch() of them. True: the piece ends behind them.
  bool Take(ByteSpan bytes);

 private:
  enum class State : std::uint8_t { kHeader, kPaxRecords, kContent, kRun, kOpaque };

  bool TakeHeader();
  void TakePaxRecords();
  bool EndContentPiece();
  // The rest of an entry that is not cut: content, and padding to a whole block.
  void EnterRun(std::uint64_t size);
  void EnterContentPiece();
  void EnterHeader();
  void GiveUp();

  State state_;
  std::uint64_t left_;              // of what is being taken
  std::uint64_t content_left_ = 0;  // of a large file, behind the present piece
  std::uint64_t content_padding_ = 0;
  std::uint64_t pax_size_ = 0;  // of the coming entry, if a pax record says so
  std::string collected_;       // of a header or of pax records
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_CUTTER_INTERNAL_H_
