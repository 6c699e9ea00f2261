// SPDX-License-Identifier: MIT OR Apache-2.0
#include "archive/tar_reader.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace plumb::archive {
namespace {

constexpr std::size_t kNameSizeMax = 4096;
constexpr std::uint64_t kExtendedSizeMax = std::uint64_t{1} << 20;
// So large that adding padding cannot wrap.
constexpr std::uint64_t kSizeMax = std::uint64_t{1} << 62;
constexpr std::size_t kEndReadSize = std::size_t{1} << 20;
constexpr std::uint32_t kPermissions = 0777;

Error Corrupt(std::string_view what) {
  return Error{ErrorKind::kCorrupt, "a tar archive is damaged: " + std::string(what)};
}

std::string_view FieldOf(std::string_view block, std::size_t offset, std::size_t size) {
  return block.substr(offset, size);
}

// Up to the first NUL.
std::string TextOf(std::string_view field) {
  return std::string(field.substr(0, std::min(field.find('\0'), field.size())));
}

// Octal digits, blanks before them and blanks or NULs behind, or GNU's base-256 (first byte 0x80).
std::optional<std::uint64_t> NumberOf(std::string_view field) {
  std::uint64_t value = 0;
  if (static_cast<unsigned char>(field[0]) >= 0x80) {
    if (static_cast<unsigned char>(field[0]) != 0x80) return std::nullopt;  // negative, or huge
    for (const char c : field.substr(1)) {
      if (value >> 55U != 0) return std::nullopt;
      value = value << 8U | static_cast<unsigned char>(c);
    }
    return value;
  }
  while (field.starts_with(' '))
    field.remove_prefix(1);
  while (field.ends_with(' ') || field.ends_with('\0'))
    field.remove_suffix(1);
  for (const char c : field) {
    if (c < '0' || c > '7' || value >> 60U != 0) return std::nullopt;
    value = value << 3U | static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

bool IsZeros(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
}

bool HasChecksum(std::string_view block) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < block.size(); ++i)
    sum += i >= 148 && i < 156 ? std::uint64_t{' '} : static_cast<unsigned char>(block[i]);
  return NumberOf(FieldOf(block, 148, 8)) == sum;
}

std::string NameOf(std::string_view block) {
  std::string name = TextOf(FieldOf(block, 0, 100));
  const bool is_ustar = FieldOf(block, 257, 6) == std::string_view("ustar\0", 6);
  const std::string prefix = is_ustar ? TextOf(FieldOf(block, 345, 155)) : std::string();
  return prefix.empty() ? name : prefix + "/" + name;
}

// Why an entry of another type is not taken.
std::string_view TypeName(char type) {
  switch (type) {
    case '1':
      return "a hard link";
    case '2':
      return "a symbolic link";
    case '3':
    case '4':
      return "a device";
    case '6':
      return "a pipe";
    case 'S':
      return "a sparse file";
    default:
      return "of an unknown type";
  }
}

}  // namespace

Result<std::string> TarReader::ReadExactly(std::uint64_t size) {
  std::string text;
  while (text.size() < size) {
    PLUMB_TRY(const ByteSpan bytes, source_.Read(static_cast<std::size_t>(size - text.size())));
    if (bytes.empty()) return Corrupt("it ends too early");
    text.append(AsText(bytes));
  }
  return text;
}

// The content of a pax header or a GNU long name, and the padding behind it.
Result<std::string> TarReader::ReadExtended(std::uint64_t size) {
  if (size > kExtendedSizeMax)
    return Error{ErrorKind::kExhausted, "a tar archive has a header over 1 MiB"};
  PLUMB_TRY(std::string text, ReadExactly(size));
  PLUMB_RETURN_IF_ERROR(Skip(TarPadding(size)));
  return text;
}

namespace {

// pax records: "LENGTH KEY=VALUE\n". Calls `take` with each.
template <typename Take>
Status ReadPaxRecords(std::string_view records, const Take& take) {
  while (!records.empty()) {
    const std::size_t space = records.find(' ');
    if (space == std::string_view::npos) return Corrupt("a pax record is malformed");
    const auto length = ParseUint64(records.substr(0, space));
    if (!length || *length < space + 3 || *length > records.size())
      return Corrupt("a pax record is malformed");
    const auto size = static_cast<std::size_t>(*length);
    const std::string_view record = records.substr(space + 1, size - space - 2);
    const std::size_t equals = record.find('=');
    if (records[size - 1] != '\n' || equals == std::string_view::npos)
      return Corrupt("a pax record is malformed");
    PLUMB_RETURN_IF_ERROR(take(record.substr(0, equals), record.substr(equals + 1)));
    records.remove_prefix(size);
  }
  return Done{};
}

}  // namespace

Result<std::optional<TarEntry>> TarReader::Next() {
  PLUMB_RETURN_IF_ERROR(Skip(content_left_ + padding_left_));
  content_left_ = padding_left_ = 0;
  Extended extended;
  while (!ended_) {
    PLUMB_TRY(const std::string block, ReadExactly(kTarBlockSize));
    if (IsZeros(block)) {
      if (extended.path || extended.size || extended.is_sparse)
        return Corrupt("it ends behind a pax header");
      PLUMB_RETURN_IF_ERROR(ReadToEnd());
      break;
    }
    if (!HasChecksum(block)) return Corrupt("a header has a wrong checksum");
    const auto size = NumberOf(FieldOf(block, 124, 12));
    if (!size || *size > kSizeMax) return Corrupt("a size does not fit");
    const char type = block[156];
    if (type == 'x') {
      PLUMB_TRY(const std::string records, ReadExtended(*size));
      PLUMB_RETURN_IF_ERROR(
          ReadPaxRecords(records, [&](std::string_view key, std::string_view value) -> Status {
            if (key == "path") extended.path = std::string(value);
            if (key.starts_with("GNU.sparse.")) extended.is_sparse = true;
            if (key != "size") return Done{};
            extended.size = ParseUint64(value);
            if (!extended.size || *extended.size > kSizeMax) return Corrupt("a size does not fit");
            return Done{};
          }));
    } else if (type == 'L') {
      PLUMB_TRY(const std::string name, ReadExtended(*size));
      extended.path = TextOf(name);
    } else if (type == 'g' || type == 'K') {
      // Of all entries (time, comment), or a link's target: nothing that we use.
      PLUMB_TRY([[maybe_unused]] const std::string dropped, ReadExtended(*size));
    } else {
      return MakeEntry(block, *size, std::move(extended));
    }
  }
  return std::optional<TarEntry>();
}

Result<std::optional<TarEntry>> TarReader::MakeEntry(std::string_view block, std::uint64_t size,
                                                     Extended extended) {
  const char type = block[156];
  TarEntry entry;
  entry.name = extended.path ? *std::move(extended.path) : NameOf(block);
  if (entry.name.size() > kNameSizeMax)
    return Error{ErrorKind::kExhausted, "an archive holds a name over 4096 bytes"};
  if (entry.name.empty()) return Corrupt("an entry has no name");
  const auto mode = NumberOf(FieldOf(block, 100, 8));
  if (!mode) return Corrupt("a mode does not fit");
  entry.mode = static_cast<std::uint32_t>(*mode) & kPermissions;

  const bool is_plain = type == '0' || type == '\0' || type == '7';
  if ((!is_plain && type != '5') || extended.is_sparse)
    return Error{ErrorKind::kDenied, "'" + Printable(entry.name) + "' is " +
                                         std::string(TypeName(extended.is_sparse ? 'S' : type)) +
                                         ", which is refused"};
  // Before POSIX a directory was a file whose name ends with a slash.
  const bool is_directory = type == '5' || (type == '\0' && entry.name.ends_with('/'));
  entry.type = is_directory ? TarEntryType::kDirectory : TarEntryType::kFile;
  entry.size = extended.size.value_or(size);
  if (is_directory) {
    if (entry.size != 0) return Corrupt("a directory has a content");
    while (entry.name.size() > 1 && entry.name.ends_with('/'))
      entry.name.pop_back();
  }
  content_left_ = entry.size;
  padding_left_ = TarPadding(entry.size);
  return std::optional<TarEntry>(std::move(entry));
}

Result<ByteSpan> TarReader::Read(std::size_t size_max) {
  if (content_left_ == 0) return ByteSpan();
  const std::uint64_t wanted = std::min<std::uint64_t>(size_max, content_left_);
  PLUMB_TRY(const ByteSpan bytes, source_.Read(static_cast<std::size_t>(wanted)));
  if (bytes.empty()) return Corrupt("it ends too early");
  content_left_ -= bytes.size();
  return bytes;
}

Status TarReader::Skip(std::uint64_t size) {
  PLUMB_TRY(const bool is_there, source_.Skip(size));
  if (!is_there) return Corrupt("it ends too early");
  return Done{};
}

// Behind the first block of zeros there may only be zeros: what else lies there was not
// looked at by anybody, and yet has part in the digest.
Status TarReader::ReadToEnd() {
  ended_ = true;
  while (true) {
    PLUMB_TRY(const ByteSpan bytes, source_.Read(kEndReadSize));
    if (bytes.empty()) return Done{};
    if (!IsZeros(AsText(bytes))) return Corrupt("something lies behind its end");
  }
}

}  // namespace plumb::archive
