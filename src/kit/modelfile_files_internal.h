// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_MODELFILE_FILES_INTERNAL_H_
#define PLUMB_KIT_MODELFILE_FILES_INTERNAL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the names of a model's files say (docs/format.md, "From a Modelfile"). Pure.
namespace plumb::kit {

// "STEM-00002-of-00003.EXT"
struct SeriesName {
  std::string stem;
  std::string extension;  // with its dot
  std::uint32_t index = 0;
  std::uint32_t count = 0;

  static std::optional<SeriesName> Parse(std::string_view name);
  std::string At(std::uint32_t other_index) const;
  // Whether both are of one series.
  bool IsWith(const SeriesName& other) const;
};

// More files than any series has.
inline constexpr std::uint32_t kSeriesCountMax = 99999;

// What of a directory's files a command that names it takes: weights, then the others.
struct ModelFiles {
  std::vector<std::string> weights;
  std::vector<std::string> others;
};
// `names` are in byte order and stay so.
ModelFiles ChooseModelFiles(const std::vector<std::string>& names);

// For `model.format`; empty if the name does not say.
std::string_view FormatOf(std::string_view name);

// A projector's name, by llama.cpp's custom.
bool IsProjectorName(std::string_view name);

// "tokenizer" or "config".
std::string_view OtherPartType(std::string_view name);

// The SPDX identifier that a LICENSE is, as SPDX spells it; empty if it is a licence's text.
std::string_view SpdxIdentifier(std::string_view license);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_MODELFILE_FILES_INTERNAL_H_
