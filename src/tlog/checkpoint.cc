// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tlog/checkpoint.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace plumb::tlog {
namespace {

Error NotACheckpoint(const char* why) {
  return Error{ErrorKind::kInvalid, std::string("that is no checkpoint: ") + why};
}

}  // namespace

Result<std::uint64_t> ParseTreeNumber(std::string_view text) {
  const auto number = ParseUint64(text);
  if (!number || *number > kTreeSizeMax || (text.size() > 1 && text.front() == '0'))
    return Error{ErrorKind::kInvalid,
                 "'" + Printable(text.substr(0, 40)) + "' is no size of a tree"};
  return *number;
}

Result<Digest> ParseTreeHash(std::string_view text) {
  Digest digest;
  const auto bytes = DecodeBase64(text);
  if (!bytes || bytes->size() != digest.bytes.size())
    return Error{ErrorKind::kInvalid,
                 "'" + Printable(text.substr(0, 80)) + "' is no hash in a tree"};
  std::ranges::copy(AsBytes(*bytes), digest.bytes.begin());
  return digest;
}

Result<Checkpoint> Checkpoint::Parse(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return NotACheckpoint("its last line has no end");
    if (end == 0) return NotACheckpoint("it has an empty line");
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  if (lines.size() < 3) return NotACheckpoint("it has no three lines");
  Checkpoint checkpoint;
  checkpoint.origin = lines[0];
  PLUMB_TRY(checkpoint.head.size, ParseTreeNumber(lines[1]));
  PLUMB_TRY(checkpoint.head.root, ParseTreeHash(lines[2]));
  checkpoint.extensions.assign(lines.begin() + 3, lines.end());
  return checkpoint;
}

std::string Checkpoint::ToString() const {
  std::string text =
      origin + "\n" + std::to_string(head.size) + "\n" + EncodeBase64(head.root.bytes) + "\n";
  for (const std::string& line : extensions)
    text += line + "\n";
  PLUMB_CHECK(Parse(text) == *this);
  return text;
}

}  // namespace plumb::tlog
