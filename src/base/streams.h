// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BASE_STREAMS_H_
#define PLUMB_BASE_STREAMS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

// The two shapes in which long byte strings move between rooms. Nothing that can be as long
// as a model is ever held whole in memory.
namespace plumb {

// Gives bytes in order. Threads: one at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // The next bytes: at least one and at most `size_max` (which is > 0), or none at the end.
  // The view stays valid until the next call. After an error or the end, do not call again.
  virtual Result<ByteSpan> Read(std::size_t size_max) = 0;

  // Passes over the next `size` bytes; false if the end comes before. Reads them, unless the
  // source knows better.
  virtual Result<bool> Skip(std::uint64_t size);
};

// Takes bytes in order. Threads: one at a time. After an error, do not call again.
class ByteSink {
 public:
  virtual ~ByteSink() = default;

  // Takes all of `bytes`, or fails. The view is not used after the call returns.
  virtual Status Write(ByteSpan bytes) = 0;
};

// Reads from memory that outlives it.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(ByteSpan bytes) : rest_(bytes) {}
  Result<ByteSpan> Read(std::size_t size_max) override;

 private:
  ByteSpan rest_;
};

// Collects what is written; more than `size_max` bytes is kExhausted.
class MemorySink final : public ByteSink {
 public:
  explicit MemorySink(std::size_t size_max) : size_max_(size_max) {}
  Status Write(ByteSpan bytes) override;
  const std::string& text() const { return text_; }
  std::string TakeText() && { return std::move(text_); }

 private:
  std::size_t size_max_;
  std::string text_;
};

// Moves everything from one to the other.
Status CopyAll(ByteSource& source, ByteSink& sink);

// Everything the source has, which must be at most `size_max` bytes (else kExhausted).
Result<std::string> ReadAll(ByteSource& source, std::size_t size_max);

}  // namespace plumb

#endif  // PLUMB_BASE_STREAMS_H_
