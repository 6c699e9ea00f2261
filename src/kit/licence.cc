// SPDX-License-Identifier: MIT OR Apache-2.0
#include <array>
#include <string>

#include "kit/draft.h"

namespace plumb::kit {
namespace {

// Words that only this licence has, of which all must be there; the special before the general.
struct Marks {
  std::string_view id;
  std::string_view first;
  std::string_view second;
};
constexpr std::array<Marks, 16> kMarks = {{
    {"AGPL-3.0", "gnu affero general public license", "version 3"},
    {"LGPL-3.0", "gnu lesser general public license", "version 3"},
    {"LGPL-2.1", "gnu lesser general public license", "version 2.1"},
    {"GPL-3.0", "gnu general public license", "version 3"},
    {"GPL-2.0", "gnu general public license", "version 2"},
    {"Apache-2.0", "apache license", "version 2.0"},
    {"MPL-2.0", "mozilla public license", "version 2.0"},
    {"BSL-1.0", "boost software license", "version 1.0"},
    {"CC-BY-NC-4.0", "attribution-noncommercial 4.0 international", ""},
    {"CC-BY-SA-4.0", "attribution-sharealike 4.0 international", ""},
    {"CC-BY-4.0", "attribution 4.0 international", ""},
    {"CC0-1.0", "cc0 1.0 universal", ""},
    {"BSD-3-Clause", "redistribution and use in source and binary forms", "endorse or promote"},
    {"BSD-2-Clause", "redistribution and use in source and binary forms", ""},
    {"MIT", "permission is hereby granted, free of charge", "without restriction"},
    {"Unlicense", "free and unencumbered software released into the public domain", ""},
}};

// In lower case, white space of any kind as one space: lines are broken anywhere.
std::string Flattened(std::string_view text) {
  std::string flat;
  for (const char c : text) {
    const bool is_space = c == ' ' || (c >= '\t' && c <= '\r');
    if (is_space && (flat.empty() || flat.back() == ' ')) continue;
    const bool is_upper = c >= 'A' && c <= 'Z';
    flat += is_space ? ' ' : is_upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return flat;
}

}  // namespace

std::string_view DetectLicense(std::string_view text) {
  const std::string flat = Flattened(text);
  for (const Marks& marks : kMarks) {
    if (flat.find(marks.first) != std::string::npos && flat.find(marks.second) != std::string::npos)
      return marks.id;
  }
  return {};
}

}  // namespace plumb::kit
