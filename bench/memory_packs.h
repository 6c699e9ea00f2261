// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BENCH_MEMORY_PACKS_H_
#define PLUMB_BENCH_MEMORY_PACKS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "base/check.h"
#include "store/frame_internal.h"
#include "store/pack_store.h"

namespace plumb::bench {

// Packs in memory that was touched before: what is measured with them is the store, neither a disk
// nor the kernel's first look at each page. Threads: one writes; then any number read.
class MemoryPacks final : public store::PackStore {
 public:
  // Enough for so many bytes of frames.
  explicit MemoryPacks(std::uint64_t size_max)
      : arena_(static_cast<std::size_t>((size_max / store::kPackSizeMax + 2) * kSlotSize)) {}

  Result<std::unique_ptr<store::PackWriter>> Create() override {
    PLUMB_CHECK((packs_.size() + 1) * kSlotSize <= arena_.size());
    packs_.push_back({arena_.data() + packs_.size() * kSlotSize, 0});
    return std::unique_ptr<store::PackWriter>(
        std::make_unique<Writer>(packs_.back(), NameOf(packs_.size() - 1)));
  }
  Status MakeDurable(const store::PackName&) override { return Done{}; }
  Result<std::unique_ptr<store::PackReader>> Open(const store::PackName& name) override {
    const auto index = static_cast<std::size_t>(name.bytes[0]);
    if (index >= packs_.size()) return Error{ErrorKind::kNotFound, "there is no such pack"};
    return std::unique_ptr<store::PackReader>(std::make_unique<Reader>(packs_[index]));
  }
  Result<std::vector<store::PackName>> List() override {
    std::vector<store::PackName> names;
    for (std::size_t i = 0; i < packs_.size(); ++i)
      names.push_back(NameOf(i));
    return names;
  }
  Status Remove(const store::PackName&) override { return Done{}; }

 private:
  // A pack is closed behind kPackSizeMax, and the tensor that is being written.
  static constexpr std::size_t kSlotSize =
      static_cast<std::size_t>(store::kPackSizeMax) + (std::size_t{64} << 20);

  struct Pack {
    std::byte* bytes;
    std::size_t size;
  };
  class Writer final : public store::PackWriter {
   public:
    Writer(Pack& pack, const store::PackName& name) : pack_(pack), name_(name) {}
    const store::PackName& name() const override { return name_; }
    Status Append(std::span<const ByteSpan> parts) override {
      for (const ByteSpan part : parts) {
        PLUMB_CHECK(part.size() <= kSlotSize - pack_.size);
        std::copy(part.begin(), part.end(), pack_.bytes + pack_.size);
        pack_.size += part.size();
      }
      return Done{};
    }
    Status Finish() override { return Done{}; }

   private:
    Pack& pack_;
    const store::PackName name_;
  };
  class Reader final : public store::PackReader {
   public:
    explicit Reader(const Pack& pack) : pack_(pack) {}
    store::PackKind kind() const override { return store::PackKind::kFrames; }
    Result<std::uint64_t> Size() override { return std::uint64_t{pack_.size}; }
    Result<bool> IsShared() override { return false; }
    Status ReadAt(std::uint64_t offset, MutableByteSpan buffer) override {
      if (offset > pack_.size || buffer.size() > pack_.size - offset)
        return Error{ErrorKind::kCorrupt, "a pack ends before"};
      std::copy_n(pack_.bytes + offset, buffer.size(), buffer.begin());
      return Done{};
    }

   private:
    const Pack pack_;
  };

  static store::PackName NameOf(std::size_t index) {
    store::PackName name;
    name.bytes[0] = static_cast<std::byte>(index);
    return name;
  }

  std::vector<std::byte> arena_;
  std::deque<Pack> packs_;  // writers refer to them
};

}  // namespace plumb::bench

#endif  // PLUMB_BENCH_MEMORY_PACKS_H_
