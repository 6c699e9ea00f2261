// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/object_id.h"
#include "tlog/journal_internal.h"
#include "tlog/note.h"

namespace plumb::tlog {
namespace {

constexpr std::string_view kMagic = "PLJ1";
constexpr std::size_t kHeaderSize = 16;
constexpr std::size_t kCheckSize = 32;

enum class Kind : std::uint8_t { kBase = 1, kBatch = 2 };

Error Damaged(const char* what) {
  return Error{ErrorKind::kCorrupt, std::string("the journal of the log is damaged: ") + what};
}

std::string Seal(Kind kind, std::string_view payload) {
  PLUMB_CHECK(payload.size() <= kJournalPayloadMax);
  std::string record(kMagic);
  record.push_back(static_cast<char>(kind));
  record.append(3, '\0');
  AppendU64(record, payload.size());
  record += payload;
  record += AsText(Blake3(AsBytes(record)).bytes);
  return record;
}

struct Record {
  Kind kind;
  std::string_view payload;
  std::size_t size;  // of the whole record
};
// Nothing if the bytes do not begin with a record that is whole.
std::optional<Record> ReadRecord(std::string_view bytes) {
  if (bytes.size() < kHeaderSize + kCheckSize || !bytes.starts_with(kMagic)) return std::nullopt;
  ByteReader reader(AsBytes(bytes.substr(kMagic.size())));
  const auto kind = reader.U8();
  const bool is_plain = reader.U8() == 0 && reader.U16() == 0;
  const auto size = reader.U64();
  if (!size || *size > std::min(kJournalPayloadMax, bytes.size() - kHeaderSize - kCheckSize))
    return std::nullopt;
  const std::string_view covered = bytes.substr(0, kHeaderSize + *size);
  const ObjectId check = Blake3(AsBytes(covered));
  if (bytes.substr(covered.size(), kCheckSize) != AsText(check.bytes) || !is_plain)
    return std::nullopt;
  return Record{static_cast<Kind>(*kind), covered.substr(kHeaderSize), covered.size() + kCheckSize};
}

void AppendText(std::string& out, std::string_view text) {
  AppendVarint(out, text.size());
  out += text;
}
std::optional<std::string> ReadText(ByteReader& reader, std::size_t size_max) {
  const auto size = reader.Varint();
  if (!size || *size > size_max) return std::nullopt;
  const auto bytes = reader.Bytes(*size);
  if (!bytes) return std::nullopt;
  return std::string(AsText(*bytes));
}

Result<JournalBase> ParseBase(std::string_view payload) {
  const Error damaged = Damaged("what it begins with cannot be");
  ByteReader reader(AsBytes(payload));
  JournalBase base;
  const auto size = reader.U64();
  const auto mark = reader.U64();
  auto checkpoint = ReadText(reader, kNoteSizeMax);
  if (!size || !mark || !checkpoint || *mark < *size) return damaged;
  std::vector<std::vector<Digest>> levels;
  for (unsigned level = 0; TileHashCount(*size, level) > 0; ++level) {
    levels.emplace_back(static_cast<std::size_t>(TileHashCount(*size, level) % kTileWidth));
    for (Digest& hash : levels.back()) {
      const auto bytes = reader.Bytes(kHashSize);
      if (!bytes) return damaged;
      std::ranges::copy(*bytes, hash.bytes.begin());
    }
  }
  std::vector<std::string> entries;
  for (std::uint64_t i = 0; i < *size % kTileWidth; ++i) {
    auto entry = ReadText(reader, kEntrySizeMax);
    if (!entry) return damaged;
    entries.push_back(*std::move(entry));
  }
  auto frontier = Frontier::Make(*size, std::move(levels), std::move(entries));
  if (!frontier || !reader.AtEnd()) return damaged;
  return JournalBase{*mark, *std::move(checkpoint), *std::move(frontier)};
}

Result<JournalBatch> ParseBatch(std::string_view payload) {
  const Error damaged = Damaged("a batch in it cannot be");
  ByteReader reader(AsBytes(payload));
  JournalBatch batch;
  const auto size = reader.U64();
  const auto mark = reader.U64();
  const auto count = reader.Varint();
  // Each entry takes a byte at least: this bounds what is allocated by what is there.
  if (!size || !mark || !count || *count == 0 || *count > payload.size()) return damaged;
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto entry = ReadText(reader, kEntrySizeMax);
    if (!entry) return damaged;
    batch.entries.push_back(*std::move(entry));
  }
  auto checkpoint = ReadText(reader, kNoteSizeMax);
  if (!checkpoint || !reader.AtEnd()) return damaged;
  batch.old_size = *size;
  batch.mark = *mark;
  batch.checkpoint = *std::move(checkpoint);
  return batch;
}

}  // namespace

std::string WriteRecord(const JournalBase& base) {
  std::string payload;
  AppendU64(payload, base.frontier.size());
  AppendU64(payload, base.mark);
  AppendText(payload, base.checkpoint);
  for (const std::vector<Digest>& level : base.frontier.levels())
    for (const Digest& hash : level)
      payload += AsText(hash.bytes);
  for (const std::string& entry : base.frontier.entries())
    AppendText(payload, entry);
  return Seal(Kind::kBase, payload);
}

std::string WriteRecord(const JournalBatch& batch) {
  PLUMB_CHECK(!batch.entries.empty());
  std::string payload;
  AppendU64(payload, batch.old_size);
  AppendU64(payload, batch.mark);
  AppendVarint(payload, batch.entries.size());
  for (const std::string& entry : batch.entries)
    AppendText(payload, entry);
  AppendText(payload, batch.checkpoint);
  return Seal(Kind::kBatch, payload);
}

Result<JournalTail> ReadBatches(std::string_view bytes) {
  JournalTail tail;
  while (const auto record = ReadRecord(bytes.substr(tail.size))) {
    if (record->kind != Kind::kBatch) return Damaged("it has a record of another kind");
    PLUMB_TRY(JournalBatch batch, ParseBatch(record->payload));
    tail.batches.push_back(std::move(batch));
    tail.size += record->size;
  }
  return tail;
}

Result<JournalContent> ReadJournal(std::string_view bytes) {
  const auto first = ReadRecord(bytes);
  if (!first || first->kind != Kind::kBase) return Damaged("its beginning is not whole");
  JournalContent content;
  PLUMB_TRY(content.base, ParseBase(first->payload));
  PLUMB_TRY(JournalTail tail, ReadBatches(bytes.substr(first->size)));
  content.batches = std::move(tail.batches);
  content.size = first->size + tail.size;
  return content;
}

}  // namespace plumb::tlog
