// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_CUTTER_INTERNAL_H_
#define PLUMB_STORE_CUTTER_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "store/chunker_internal.h"
#include "store/store.h"
#include "weights/dtype.h"
#include "weights/header_scanner.h"

namespace plumb::store {

// What a piece is. A tensor comes in blocks of kBlockSizeMax, the last one shorter.
struct PieceRole {
  std::uint64_t tensor_size = 0;  // 0: it is of no tensor
  std::uint64_t offset = 0;       // in the tensor
  weights::Dtype dtype = weights::Dtype::kU8;
  std::uint64_t row_size = 0;  // bytes of the innermost dimension

  // Whether it is a block of an object, not one by itself.
  bool IsBlock() const;
  // The same of another block.
  PieceRole At(std::uint64_t other_offset) const {
    PieceRole other = *this;
    other.offset = other_offset;
    return other;
  }

  friend bool operator==(const PieceRole&, const PieceRole&) = default;
};

// Says where a blob is best cut, as its bytes come: docs/format.md, "Cuts". It follows a tar
// header by header, and a file of weights tensor by tensor; what it does not know it cuts where the
// content says. What it says never decides whether a blob is right.
class Cutter {
 public:
  // `size` of the blob; 0 if nobody knows.
  Cutter(Shape shape, std::uint64_t size);

  // How many of the coming bytes may be taken at once: at least one, and at most what a piece
  // takes.
  std::size_t Stretch() const;

  // The next bytes, at most Stretch() of them: as many as belong to the present piece are taken.
  Chunker::Taken Take(ByteSpan bytes);

  // What the present piece is, or after a cut the next.
  const PieceRole& role() const { return role_; }

 private:
  enum class State : std::uint8_t {
    kTarHeader,
    kPaxRecords,
    kPadding,  // of pax records, or of a file
    kScan,     // the beginning of a file that may be one of weights
    kGap,      // before a tensor
    kTensor,
    kRest,  // of a file
    kEndless,
  };
  struct Range {
    std::uint64_t offset = 0;  // in the file
    PieceRole role;
  };

  // These begin what comes next, and tell whether a piece must end before it.
  bool EndStretch();
  bool EndTarHeader();
  bool EndPaxRecords();
  bool EnterTarHeader();
  bool EnterPadding(std::uint64_t size);
  bool EnterFile(std::uint64_t size, std::uint64_t padding);
  bool GoOnScanning();
  bool GoOnInFile();
  bool EndFile();
  bool GiveUp();

  void Enter(State state, std::uint64_t size);
  void EnterInFile(State state, std::uint64_t size);
  // The last one first; none if the header is not sound.
  std::vector<Range> FindTensors(const std::string& header) const;

  const Shape shape_;
  State state_ = State::kEndless;
  std::uint64_t left_ = 0;  // of the state
  PieceRole role_;
  Chunker chunker_;
  std::string collected_;       // of a tar header or of pax records
  std::uint64_t pax_size_ = 0;  // of the coming entry, if a pax record says so
  std::uint64_t file_size_ = 0;
  std::uint64_t file_left_ = 0;  // behind the present stretch
  std::uint64_t file_padding_ = 0;
  std::optional<weights::HeaderScanner> scanner_;
  std::vector<Range> tensors_;  // to come, the next one last
  std::size_t block_size_ = 0;  // of the present block of a tensor
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_CUTTER_INTERNAL_H_
