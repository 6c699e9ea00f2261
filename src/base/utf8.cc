// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/text.h"

namespace plumb {
namespace {

// What the lead byte of a sequence says: how long it is, and between which bounds its second
// byte must lie (the rest lie in 80..BF). Unicode 15, table 3-7.
struct Lead {
  std::size_t length;
  unsigned second_min;
  unsigned second_max;
};

std::optional<Lead> LeadOf(unsigned byte) {
  if (byte < 0x80) return Lead{1, 0, 0};
  if (byte < 0xc2) return std::nullopt;
  if (byte < 0xe0) return Lead{2, 0x80, 0xbf};
  if (byte == 0xe0) return Lead{3, 0xa0, 0xbf};
  if (byte == 0xed) return Lead{3, 0x80, 0x9f};
  if (byte < 0xf0) return Lead{3, 0x80, 0xbf};
  if (byte == 0xf0) return Lead{4, 0x90, 0xbf};
  if (byte < 0xf4) return Lead{4, 0x80, 0xbf};
  if (byte == 0xf4) return Lead{4, 0x80, 0x8f};
  return std::nullopt;
}

unsigned ByteAt(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

// Marks that reorder or hide text: bidirectional controls, zero-width characters, tags.
bool IsDeceptive(char32_t c) {
  return c == 0x61c || (c >= 0xe0000 && c < 0xe0080) || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff || c == 0xad;
}

}  // namespace

std::optional<char32_t> TakeCodePoint(std::string_view& text) {
  const unsigned first = ByteAt(text, 0);
  const auto lead = LeadOf(first);
  if (!lead || lead->length == 1) {
    text.remove_prefix(1);
    if (!lead) return std::nullopt;
    return first;
  }
  char32_t code_point = first & (0x7fU >> lead->length);
  for (std::size_t i = 1; i < lead->length; ++i) {
    const unsigned min = i == 1 ? lead->second_min : 0x80;
    const unsigned max = i == 1 ? lead->second_max : 0xbf;
    if (i >= text.size() || ByteAt(text, i) < min || ByteAt(text, i) > max) {
      text.remove_prefix(i);
      return std::nullopt;
    }
    code_point = code_point << 6 | (ByteAt(text, i) & 0x3fU);
  }
  text.remove_prefix(lead->length);
  return code_point;
}

void AppendUtf8(std::string& out, char32_t code_point) {
  const auto add = [&out](char32_t byte) { out += static_cast<char>(byte); };
  if (code_point < 0x80) return add(code_point);
  if (code_point < 0x800) {
    add(0xc0 | code_point >> 6);
  } else {
    if (code_point < 0x10000) {
      add(0xe0 | code_point >> 12);
    } else {
      add(0xf0 | code_point >> 18);
      add(0x80 | (code_point >> 12 & 0x3f));
    }
    add(0x80 | (code_point >> 6 & 0x3f));
  }
  add(0x80 | (code_point & 0x3f));
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    if (!TakeCodePoint(text)) return false;
  }
  return true;
}

std::string Printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::string_view before = text;
    const auto code_point = TakeCodePoint(text);
    const std::string_view taken = before.substr(0, before.size() - text.size());
    const bool control =
        code_point && (*code_point < 0x20 || (*code_point >= 0x7f && *code_point < 0xa0));
    if (code_point && !control && !IsDeceptive(*code_point)) {
      shown += taken;
      continue;
    }
    for (const char c : taken) {
      shown += "\\x";
      shown += EncodeHex(AsBytes({&c, 1}));
    }
  }
  return shown;
}

}  // namespace plumb
