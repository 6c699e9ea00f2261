// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/text.h"
#include "blueprint/kitfile.h"
#include "kit/filter_internal.h"

namespace plumb::kit {
namespace {

constexpr std::string_view kKitfileType = "kitfile";
constexpr std::array<std::string_view, 7> kTypes = {kKitfileType, "model",   "datasets",  "code",
                                                    "docs",       "prompts", "mcpservers"};

// As many as a person reads in one message.
constexpr std::size_t kEntriesShown = 10;

std::string_view FilterTypeOf(oci::LayerType type) {
  switch (type) {
    case oci::LayerType::kModel:
    case oci::LayerType::kModelPart:
      return "model";
    case oci::LayerType::kCode:
      return "code";
    case oci::LayerType::kDataset:
      return "datasets";
    case oci::LayerType::kPrompt:
      return "prompts";
    case oci::LayerType::kMcpServer:
      return "mcpservers";
    case oci::LayerType::kDocs:
      break;
  }
  return "docs";
}

Error Malformed(std::string_view text, const std::string& why) {
  return Error{ErrorKind::kInvalid, "filter '" + Printable(text) + "' " + why,
               "plumb unpack REFERENCE --filter 'TYPE[,TYPE][:NAME-OR-PATH,...]'"};
}

bool HasType(const Filter& filter, std::string_view type) {
  return std::ranges::find(filter.types, type) != filter.types.end();
}

bool MatchesName(std::string_view wanted, const PackedEntry& entry) {
  if (wanted == entry.path || (!entry.name.empty() && wanted == entry.name)) return true;
  const std::string path = blueprint::CleanPath(entry.path);
  const std::string pattern = blueprint::CleanPath(wanted);
  if (MatchesGlob(pattern, path)) return true;
  // One file of an entry that has a layer for each.
  if (!entry.file.path.empty() && MatchesGlob(pattern, blueprint::CleanPath(entry.file.path)))
    return true;
  return !entry.name.empty() && MatchesGlob(wanted, entry.name);
}

std::string ToText(const Filter& filter) {
  std::string text = Join(filter.types, ",");
  if (!filter.names.empty()) text += ":" + Join(filter.names, ",");
  return text;
}

Error NothingMatches(const Filter& filter, const std::vector<PackedEntry>& entries) {
  std::string there(kKitfileType);
  for (std::size_t i = 0; i < std::min(entries.size(), kEntriesShown); ++i) {
    there += ", " + std::string(FilterTypeOf(entries[i].media_type.type)) + ":" +
             Printable(entries[i].path);
  }
  if (entries.size() > kEntriesShown)
    there += " and " + std::to_string(entries.size() - kEntriesShown) + " more";
  return Error{ErrorKind::kInvalid,
               "filter '" + Printable(ToText(filter)) + "' matches nothing; there is " + there};
}

}  // namespace

Result<Filter> Filter::Parse(std::string_view text) {
  Filter filter;
  const std::size_t colon = text.find(':');
  for (const std::string_view type : Split(text.substr(0, colon), ',')) {
    if (std::ranges::find(kTypes, type) == kTypes.end()) {
      const std::vector<std::string> known(kTypes.begin(), kTypes.end());
      return Malformed(
          text, "has the type '" + Printable(type) + "', which is none of " + Join(known, ", "));
    }
    filter.types.emplace_back(type);
  }
  if (colon == std::string_view::npos) return filter;
  for (const std::string_view name : Split(text.substr(colon + 1), ',')) {
    if (name.empty()) return Malformed(text, "has an empty name");
    filter.names.emplace_back(name);
  }
  return filter;
}

bool Matches(const Filter& filter, const PackedEntry& entry) {
  if (!HasType(filter, FilterTypeOf(entry.media_type.type))) return false;
  return filter.names.empty() || std::ranges::any_of(filter.names, [&](const std::string& name) {
           return MatchesName(name, entry);
         });
}

bool MatchesKitfile(const Filter& filter) { return HasType(filter, kKitfileType); }

bool MayMatchModels(const Filter& filter) {
  return HasType(filter, FilterTypeOf(oci::LayerType::kModel));
}

Result<std::vector<PackedEntry>> ChooseEntries(std::vector<PackedEntry> entries,
                                               const std::vector<Filter>& filters) {
  if (filters.empty()) return entries;
  for (const Filter& filter : filters) {
    const bool matches = std::ranges::any_of(
        entries, [&](const PackedEntry& entry) { return Matches(filter, entry); });
    if (!matches && !MatchesKitfile(filter)) return NothingMatches(filter, entries);
  }
  std::erase_if(entries, [&](const PackedEntry& entry) {
    return std::ranges::none_of(filters,
                                [&](const Filter& filter) { return Matches(filter, entry); });
  });
  return entries;
}

bool MatchesGlob(std::string_view pattern, std::string_view text) {
  // Where to go on if what follows a star does not fit: with the star one longer. Only the last
  // "*" since the last "**", and that, need be remembered.
  struct Star {
    std::size_t pattern_rest = std::string_view::npos;
    std::size_t text_rest = 0;
  };
  Star one;
  Star any;
  std::size_t p = 0;
  std::size_t t = 0;
  while (t < text.size() || p < pattern.size()) {
    if (pattern.substr(p).starts_with("**")) {
      p += 2;
      any = {p, t};
      one = {};
    } else if (p < pattern.size() && pattern[p] == '*') {
      one = {++p, t};
    } else if (p < pattern.size() && t < text.size() &&
               (pattern[p] == text[t] || (pattern[p] == '?' && text[t] != '/'))) {
      ++p;
      ++t;
    } else if (one.pattern_rest != std::string_view::npos && one.text_rest < text.size() &&
               text[one.text_rest] != '/') {
      p = one.pattern_rest;
      t = ++one.text_rest;
    } else if (any.pattern_rest != std::string_view::npos && any.text_rest < text.size()) {
      p = any.pattern_rest;
      t = ++any.text_rest;
      one = {};
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace plumb::kit
