// SPDX-License-Identifier: MIT OR Apache-2.0
#include "archive/tar_writer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace plumb::archive {
namespace {

constexpr std::size_t kNameSizeMax = 4096;
// Fields of a ustar block: offset and size (POSIX.1-2017, pax, "ustar Interchange Format").
struct Field {
  std::size_t offset;
  std::size_t size;
};
constexpr Field kName = {0, 100};
constexpr Field kMode = {100, 8};
constexpr Field kUser = {108, 8};
constexpr Field kGroup = {116, 8};
constexpr Field kSize = {124, 12};
constexpr Field kModified = {136, 12};
constexpr Field kChecksum = {148, 8};
constexpr Field kMagic = {257, 8};
constexpr Field kDeviceMajor = {329, 8};
constexpr Field kDeviceMinor = {337, 8};
constexpr Field kPrefix = {345, 155};
constexpr std::size_t kTypeOffset = 156;
constexpr std::uint64_t kOctalSizeMax = 077777777777;  // eleven digits
constexpr std::uint64_t kUserId = 1000;

class Block {
 public:
  void Put(Field field, std::string_view text) {
    std::copy_n(text.begin(), std::min(text.size(), field.size), bytes_.begin() + field.offset);
  }
  // Octal digits that fill the field, and a NUL.
  void PutOctal(Field field, std::uint64_t value) {
    std::string digits(field.size - 1, '0');
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, value >>= 3U)
      *digit = static_cast<char>('0' + (value & 7U));
    Put(field, digits);
  }
  void PutType(char type) { bytes_[kTypeOffset] = type; }

  // With the sum of its bytes, taken as if its own field were blank.
  std::string Sealed() {
    Put(kChecksum, "        ");
    std::uint64_t sum = 0;
    for (const char c : bytes_)
      sum += static_cast<unsigned char>(c);
    PutOctal({kChecksum.offset, 7}, sum);
    bytes_[kChecksum.offset + 6] = '\0';
    return {bytes_.begin(), bytes_.end()};
  }

 private:
  std::array<char, kTarBlockSize> bytes_ = {};
};

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Where a name that is too long is divided: as late as the prefix has room.
std::optional<std::size_t> SplitAt(std::string_view name) {
  const std::size_t end = std::min(name.size() - (name.ends_with('/') ? 1 : 0), kPrefix.size + 1);
  const std::size_t slash = name.substr(0, end).rfind('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  const std::size_t rest = name.size() - slash - 1;
  if (rest == 0 || rest > kName.size) return std::nullopt;
  return slash;
}

// "19 size=8589934592\n": the length counts its own digits.
std::string PaxRecord(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;  // ' ', '=' and '\n'
  std::size_t length = rest;
  while (rest + std::to_string(length).size() != length)
    length = rest + std::to_string(length).size();
  return std::to_string(length) + " " + std::string(key) + "=" + std::string(value) + "\n";
}

// The name of a pax header: "dir/PaxHeaders.0/base", what is not ASCII left out, cut to fit.
std::string PaxHeaderName(std::string_view name) {
  if (name.ends_with('/')) name.remove_suffix(1);
  const std::size_t slash = name.rfind('/');
  std::string path;
  if (slash != std::string_view::npos) path = std::string(name.substr(0, slash)) + "/";
  path += "PaxHeaders.0/";
  path += slash == std::string_view::npos ? name : name.substr(slash + 1);
  std::erase_if(path, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  path.resize(std::min(path.size(), kName.size));
  while (path.ends_with('/'))
    path.pop_back();
  return path;
}

std::string PaxHeader(std::string_view name, const std::string& records) {
  Block block;
  block.Put(kName, PaxHeaderName(name));
  block.PutOctal(kMode, 0);
  block.PutOctal(kUser, 0);
  block.PutOctal(kGroup, 0);
  block.PutOctal(kSize, records.size());
  block.PutOctal(kModified, 0);
  block.PutType('x');
  block.Put(kMagic, std::string_view("ustar\00000", 8));
  const std::string padding(TarPadding(records.size()), '\0');
  return block.Sealed() + records + padding;
}

// What is left of a name in a block whose pax header holds all of it. It must not end with a
// slash: old readers would take that for a directory. Go ends such a name before its last slashes,
// but lets the last byte of the field stand if there were several; we do the same.
std::string AsciiPart(std::string_view name) {
  std::string part(name);
  std::erase_if(part, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  if (part.size() <= kName.size) return part;
  part.resize(kName.size);
  if (part.ends_with('/')) {
    const std::size_t last = part.substr(0, kName.size - 1).find_last_not_of('/');
    part[last == std::string::npos ? 0 : last + 1] = '\0';
  }
  return part;
}

}  // namespace

Result<std::string> TarHeader(const TarEntry& entry) {
  if (entry.name.empty() || entry.name.find('\0') != std::string::npos)
    return Error{ErrorKind::kInvalid, "a name in an archive must not be empty or hold a NUL"};
  if (entry.name.size() > kNameSizeMax)
    return Error{ErrorKind::kInvalid, "a name in an archive is longer than 4096 bytes"};
  const bool is_file = entry.type == TarEntryType::kFile;
  const std::string_view name = entry.name;

  Block block;
  const bool fits = name.size() <= kName.size && IsAscii(name);
  const bool is_long = entry.size > kOctalSizeMax;
  const auto split = fits || is_long || !IsAscii(name) ? std::nullopt : SplitAt(name);
  std::string records;  // in order of their keys
  if (fits) {
    block.Put(kName, name);
  } else if (split) {
    block.Put(kPrefix, name.substr(0, *split));
    block.Put(kName, name.substr(*split + 1));
  } else {
    records += PaxRecord("path", name);
    block.Put(kName, AsciiPart(name));
  }
  if (is_long) records += PaxRecord("size", std::to_string(entry.size));

  block.PutOctal(kMode, entry.mode);
  block.PutOctal(kUser, kUserId);
  block.PutOctal(kGroup, 0);
  block.PutOctal(kSize, is_long ? 0 : entry.size);
  block.PutOctal(kModified, 0);
  block.PutType(is_file ? '0' : '5');
  block.Put(kMagic, std::string_view("ustar\00000", 8));
  block.PutOctal(kDeviceMajor, 0);
  block.PutOctal(kDeviceMinor, 0);
  return (records.empty() ? "" : PaxHeader(name, records)) + block.Sealed();
}

std::uint64_t TarPadding(std::uint64_t size) {
  return (kTarBlockSize - size % kTarBlockSize) % kTarBlockSize;
}

std::string TarEnd() { return std::string(2 * kTarBlockSize, '\0'); }

}  // namespace plumb::archive
