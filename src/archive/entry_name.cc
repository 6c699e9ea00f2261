// SPDX-License-Identifier: MIT OR Apache-2.0
#include <string>
#include <string_view>

#include "archive/tar_reader.h"
#include "base/text.h"

namespace plumb::archive {
namespace {

constexpr std::size_t kNameSizeMax = 4096;
constexpr std::size_t kPartSizeMax = 255;

Error Refused(std::string_view name, std::string_view why) {
  return Error{ErrorKind::kDenied,
               "the name '" + Printable(name) + "' is refused: " + std::string(why)};
}

}  // namespace

Result<std::string> CheckEntryName(std::string_view name) {
  const std::string_view whole = name;
  if (name.starts_with("./")) name.remove_prefix(2);
  if (name.ends_with('/')) name.remove_suffix(1);
  if (name.empty()) return Refused(whole, "it is empty");
  if (name.size() > kNameSizeMax) return Refused(whole.substr(0, 64), "it is too long");
  if (name.starts_with('/')) return Refused(whole, "it is absolute");
  if (name.find('\0') != std::string_view::npos) return Refused(whole, "it holds a NUL");
  if (!IsUtf8(name)) return Refused(whole, "it is not UTF-8");
  for (const std::string_view part : Split(name, '/')) {
    if (part.empty()) return Refused(whole, "a part of it is empty");
    if (part == "." || part == "..") return Refused(whole, "it leads elsewhere");
    if (part.size() > kPartSizeMax) return Refused(whole.substr(0, 64), "a part is too long");
  }
  return std::string(name);
}

}  // namespace plumb::archive
