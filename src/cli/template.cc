// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/template.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"

namespace plumb::cli {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";

std::string Unescape(std::string_view text) {
  constexpr std::string_view kWritten = "tn\\\"";
  constexpr std::string_view kMeant = "\t\n\\\"";
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t which = text[i] == '\\' && i + 1 < text.size() ? kWritten.find(text[i + 1])
                                                                     : std::string_view::npos;
    plain += which == std::string_view::npos ? text[i] : kMeant[which];
    if (which != std::string_view::npos) ++i;
  }
  return plain;
}

Error UnknownField(std::string_view written, const std::vector<std::string_view>& names) {
  std::string hint = "one of";
  for (const std::string_view name : names)
    hint += " {{." + std::string(name) + "}}";
  return Error{ErrorKind::kInvalid,
               "the template has '{{" + Printable(written) + "}}', which is no field",
               std::move(hint)};
}

}  // namespace

Result<Template> Template::Parse(std::string_view text,
                                 const std::vector<std::string_view>& names) {
  Template parsed;
  for (;;) {
    const std::size_t open = text.find(kOpen);
    Part part{Unescape(text.substr(0, open)), {}};
    if (open == std::string_view::npos) {
      parsed.parts_.push_back(std::move(part));
      break;
    }
    text.remove_prefix(open + kOpen.size());
    const std::size_t close = text.find(kClose);
    if (close == std::string_view::npos) {
      return Error{ErrorKind::kInvalid, "a '{{' of the template has no '}}'"};
    }
    const std::string_view written = text.substr(0, close);
    std::string_view name = Trim(written);
    const bool is_field = name.starts_with('.');
    if (is_field) name.remove_prefix(1);
    const auto known = std::ranges::find(names, name);
    if (!is_field || known == names.end()) return UnknownField(written, names);
    part.field = *known;
    parsed.parts_.push_back(std::move(part));
    text.remove_prefix(close + kClose.size());
  }
  if (!parsed.parts_.back().text.ends_with('\n')) parsed.parts_.back().text += '\n';
  return parsed;
}

std::string Template::Fill(const Fields& fields) const {
  std::string line;
  for (const Part& part : parts_) {
    line += part.text;
    if (part.field.empty()) continue;
    const auto found = std::ranges::find(fields, part.field, &Fields::value_type::first);
    PLUMB_CHECK(found != fields.end());
    line += found->second;
  }
  return line;
}

}  // namespace plumb::cli
