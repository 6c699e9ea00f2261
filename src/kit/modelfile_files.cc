// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>

#include "base/text.h"
#include "kit/modelfile_files_internal.h"

namespace plumb::kit {
namespace {

constexpr std::size_t kSeriesDigits = 5;

std::string FiveDigits(std::uint32_t number) {
  const std::string digits = std::to_string(number);
  return std::string(kSeriesDigits - std::min(kSeriesDigits, digits.size()), '0') + digits;
}

bool IsOneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

bool IsOtherFile(std::string_view name) {
  return name.ends_with(".json") || name.starts_with("tokenizer") || name.ends_with(".tiktoken") ||
         name.ends_with(".jinja") ||
         IsOneOf(name, {"vocab.txt", "merges.txt", "spiece.model", "sentencepiece.bpe.model"});
}

// Identifiers of the SPDX License List 3.24 under which models, data and code are published.
// Frozen: adding one changes ModelKitIDs.
constexpr std::string_view kSpdxIdentifiers =
    "0BSD AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-2.0 BSD-2-Clause "
    "BSD-3-Clause BSD-3-Clause-Clear BSL-1.0 C-UDA-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 "
    "CC-BY-4.0 CC-BY-NC-2.0 CC-BY-NC-3.0 CC-BY-NC-4.0 CC-BY-NC-ND-3.0 CC-BY-NC-ND-4.0 "
    "CC-BY-NC-SA-2.0 CC-BY-NC-SA-3.0 CC-BY-NC-SA-4.0 CC-BY-ND-4.0 CC-BY-SA-3.0 "
    "CC-BY-SA-4.0 CC-PDDC CC0-1.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 "
    "CDLA-Sharing-1.0 ECL-2.0 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 GFDL-1.3-or-later "
    "GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later ISC LGPL-2.1-only "
    "LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later MIT MIT-0 MPL-2.0 MS-PL NCSA "
    "ODC-By-1.0 ODbL-1.0 OFL-1.1 OSL-3.0 PDDL-1.0 Unlicense Zlib";

}  // namespace

std::optional<SeriesName> SeriesName::Parse(std::string_view name) {
  constexpr std::string_view kBetween = "-of-";
  const std::size_t dot = name.rfind('.');
  const std::size_t tail = 1 + kSeriesDigits + kBetween.size() + kSeriesDigits;
  if (dot == std::string_view::npos || dot < tail) return std::nullopt;
  const std::string_view numbers = name.substr(dot - tail, tail);
  const std::string_view count = numbers.substr(tail - kSeriesDigits);
  if (!numbers.starts_with('-') || numbers.substr(1 + kSeriesDigits, kBetween.size()) != kBetween)
    return std::nullopt;
  const auto index_value = ParseUint64(numbers.substr(1, kSeriesDigits));
  const auto count_value = ParseUint64(count);
  if (!index_value || !count_value || *count_value > kSeriesCountMax) return std::nullopt;
  if (*index_value < 1 || *index_value > *count_value) return std::nullopt;
  return SeriesName{std::string(name.substr(0, dot - tail)), std::string(name.substr(dot)),
                    static_cast<std::uint32_t>(*index_value),
                    static_cast<std::uint32_t>(*count_value)};
}

std::string SeriesName::At(std::uint32_t other_index) const {
  return stem + "-" + FiveDigits(other_index) + "-of-" + FiveDigits(count) + extension;
}

bool SeriesName::IsWith(const SeriesName& other) const {
  return stem == other.stem && count == other.count && extension == other.extension;
}

ModelFiles ChooseModelFiles(const std::vector<std::string>& names) {
  ModelFiles files;
  const auto take_weights = [&](std::initializer_list<std::string_view> extensions) {
    if (!files.weights.empty()) return;
    std::ranges::copy_if(names, std::back_inserter(files.weights), [&](std::string_view name) {
      return std::ranges::any_of(
          extensions, [&](std::string_view extension) { return name.ends_with(extension); });
    });
  };
  take_weights({".safetensors"});
  take_weights({".bin", ".pth"});
  take_weights({".gguf"});
  std::ranges::copy_if(names, std::back_inserter(files.others), [&](const std::string& name) {
    return IsOtherFile(name) && std::ranges::find(files.weights, name) == files.weights.end();
  });
  return files;
}

std::string_view FormatOf(std::string_view name) {
  if (name.ends_with(".safetensors")) return "safetensors";
  if (name.ends_with(".gguf")) return "gguf";
  if (name.ends_with(".bin") || name.ends_with(".pth") || name.ends_with(".pt")) return "pytorch";
  return {};
}

bool IsProjectorName(std::string_view name) { return name.starts_with("mmproj"); }

std::string_view OtherPartType(std::string_view name) {
  const bool is_tokenizer =
      name.starts_with("tokenizer") || !name.ends_with(".json") ||
      IsOneOf(name, {"vocab.json", "added_tokens.json", "special_tokens_map.json"});
  return is_tokenizer ? "tokenizer" : "config";
}

std::string_view SpdxIdentifier(std::string_view license) {
  for (const std::string_view identifier : Split(kSpdxIdentifiers, ' '))
    if (EqualsIgnoreCaseAscii(identifier, Trim(license))) return identifier;
  return {};
}

}  // namespace plumb::kit
