// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <set>
#include <string_view>

#include "base/text.h"
#include "kit/draft_others_internal.h"
#include "kit/entries_internal.h"
#include "kit/modelfile_files_internal.h"

namespace plumb::kit {
namespace {

// So much of a licence is one; longer files are something else.
constexpr std::uint64_t kLicenceSizeMax = std::uint64_t{256} << 10;
// The key stands among the first of every GGUF that has it.
constexpr std::size_t kGgufStartSize = 4096;
// The key, the type of a text, the length of it, and the text.
constexpr std::string_view kAdapterMark("general.type\x08\0\0\0\x07\0\0\0\0\0\0\0adapter", 31);

constexpr std::array<std::string_view, 5> kSecretNames = {".env", ".netrc", ".aws", "id_rsa",
                                                          "id_ed25519"};
constexpr std::array<std::string_view, 2> kSecretStarts = {".env.", "credentials"};
constexpr std::string_view kSecretEnd = ".pem";

// A blueprint is none of what it describes.
constexpr std::array<std::string_view, 4> kBlueprintNames = {"Modelfile", "Kitfile", "kitfile",
                                                             ".kitfile"};

bool IsSecretName(std::string_view name) {
  return std::ranges::find(kSecretNames, name) != kSecretNames.end() ||
         std::ranges::any_of(kSecretStarts, [&](auto start) { return name.starts_with(start); }) ||
         name.ends_with(kSecretEnd);
}

bool IsInSeries(std::string_view path, std::string_view first) {
  const auto series = SeriesName::Parse(NameOf(first));
  const auto other = SeriesName::Parse(NameOf(path));
  return series && other && series->IsWith(*other) && DirectoryOf(path) == DirectoryOf(first);
}

// What the commands of a draft take: a file with its series, or of a directory what is a model's.
std::set<std::string, std::less<>> TakenBy(const blueprint::Modelfile& modelfile,
                                           const std::vector<std::string>& all) {
  std::set<std::string, std::less<>> taken;
  for (const blueprint::ModelfileCommand& command : modelfile.commands) {
    const std::string_view path =
        command.args == "." ? std::string_view() : std::string_view(command.args).substr(2);
    if (std::ranges::binary_search(all, path)) {
      std::ranges::copy_if(all, std::inserter(taken, taken.end()), [&](const std::string& other) {
        return other == path || IsInSeries(other, path);
      });
      continue;
    }
    std::vector<std::string> names;
    for (const std::string& other : all)
      if (DirectoryOf(other) == path) names.emplace_back(NameOf(other));
    const ModelFiles chosen = ChooseModelFiles(names);
    for (const auto* const list : {&chosen.weights, &chosen.others})
      for (const std::string& name : *list)
        taken.insert(path.empty() ? name : std::string(path) + "/" + name);
  }
  return taken;
}

void WarnOfOthers(const std::vector<std::string>& others, Progress& progress) {
  constexpr std::size_t kShownMax = 3;
  if (others.empty()) return;
  std::string list;
  for (std::size_t i = 0; i < std::min(others.size(), kShownMax); ++i)
    list += (i > 0 ? ", '" : "'") + Printable(others[i]) + "'";
  if (others.size() > kShownMax)
    list += " and " + std::to_string(others.size() - kShownMax) + " more";
  progress.Warn("not in the Modelfile: " + list + "; a Kitfile can have everything");
}

}  // namespace

bool IsAdapter(host::Directory& directory, const std::string& path) {
  const std::string lower = ToLowerAscii(path);
  if (!lower.ends_with(".gguf")) return false;
  if (NameOf(lower).find("lora") != std::string_view::npos) return true;
  const auto file = directory.Open(path, host::OpenHow::kRead);
  if (!file) return false;
  std::array<std::byte, kGgufStartSize> start = {};
  const auto size = (*file)->ReadAt(0, start);
  return size && AsText(ByteSpan(start).first(*size)).find(kAdapterMark) != std::string_view::npos;
}

void AddFilesBeside(host::Directory& directory, const FilesBeside& files,
                    blueprint::Modelfile& modelfile, Progress& progress) {
  for (const std::string& adapter : files.adapters)
    modelfile.commands.push_back({"adapter", "./" + adapter});
  auto taken = TakenBy(modelfile, files.all);
  for (const std::string& path : files.licences) {
    const auto text = host::ReadFile(directory, path, kLicenceSizeMax);
    if (!text) continue;
    const blueprint::ModelfileCommand licence = {"license", *text};
    if (!blueprint::PrintModelfile({{{"model", "."}, licence}})) continue;
    modelfile.commands.push_back(licence);
    taken.insert(path);
    break;
  }
  std::vector<std::string> others;
  std::ranges::copy_if(files.all, std::back_inserter(others), [&](const std::string& path) {
    return !taken.contains(path) &&
           std::ranges::find(kBlueprintNames, path) == kBlueprintNames.end();
  });
  WarnOfOthers(others, progress);
}

void WarnOfSecrets(const std::vector<std::string>& paths, Progress& progress) {
  for (const std::string& path : paths) {
    if (std::ranges::any_of(Split(path, '/'), IsSecretName))
      progress.Warn("'" + Printable(path) + "' goes into the kit; .kitignore leaves it out");
  }
}

}  // namespace plumb::kit
