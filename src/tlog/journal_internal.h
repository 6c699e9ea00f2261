// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TLOG_JOURNAL_INTERNAL_H_
#define PLUMB_TLOG_JOURNAL_INTERNAL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tlog/frontier.h"

// The records of a journal: docs/format.md, "Log". Pure.
namespace plumb::tlog {

inline constexpr std::size_t kJournalPayloadMax = std::size_t{128} << 20;

// What a log was when its journal was written anew.
struct JournalBase {
  std::uint64_t mark = 0;
  std::string checkpoint;  // a signed note; empty if nothing was ever appended
  Frontier frontier;
};
struct JournalBatch {
  std::uint64_t old_size = 0;
  std::uint64_t mark = 0;
  std::vector<std::string> entries;
  std::string checkpoint;
};

std::string WriteRecord(const JournalBase& base);
std::string WriteRecord(const JournalBatch& batch);

struct JournalContent {
  JournalBase base;
  std::vector<JournalBatch> batches;
  std::size_t size = 0;  // of what holds; behind it there is at most a torn end
};
// kCorrupt if its beginning is no base, or a record that is whole says what cannot be.
Result<JournalContent> ReadJournal(std::string_view bytes);

// The batches at the front of some bytes that continue a journal. Errors as of ReadJournal.
struct JournalTail {
  std::vector<JournalBatch> batches;
  std::size_t size = 0;
};
Result<JournalTail> ReadBatches(std::string_view bytes);

}  // namespace plumb::tlog

#endif  // PLUMB_TLOG_JOURNAL_INTERNAL_H_
