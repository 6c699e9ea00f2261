// SPDX-License-Identifier: MIT OR Apache-2.0
#include <array>
#include <utility>

#include "base/text.h"
#include "blueprint/kitfile.h"
#include "kit/foreign_model.h"
#include "kit/gathered_files.h"
#include "kit/modelfile_files_internal.h"

namespace plumb::kit {
namespace {

// What the safetensors library accepts.
constexpr std::uint64_t kHeaderSizeMax = 100'000'000;

// "gguf" or "safetensors", by the first bytes and the size; empty if it is neither.
Result<std::string_view> FormatOfFile(host::File& file) {
  std::array<std::byte, 9> start = {};
  PLUMB_TRY(const std::size_t size, file.ReadAt(0, start));
  const std::string_view text = AsText(ByteSpan(start).first(size));
  if (text.starts_with("GGUF")) return std::string_view("gguf");
  if (size < start.size() || text.back() != '{') return std::string_view();
  std::uint64_t header = 0;
  for (std::size_t i = 8; i > 0; --i)
    header = header << 8U | static_cast<std::uint64_t>(start.at(i - 1));
  PLUMB_TRY(const host::FileState state, file.State());
  const bool fits = header >= 2 && header <= kHeaderSizeMax && header <= state.size - 8;
  return fits ? std::string_view("safetensors") : std::string_view();
}

}  // namespace

Result<ForeignModel> ReadModelFile(host::Files& files, const std::string& path) {
  const host::PathParts parts = host::SplitPath(path);
  PLUMB_TRY(auto opened, files.OpenDirectory(parts.directory, host::IfMissing::kFail));
  const std::shared_ptr<host::Directory> directory = std::move(opened);
  PLUMB_TRY(const auto file, directory->Open(parts.name, host::OpenHow::kReadFollow));
  PLUMB_TRY(const std::string_view format, FormatOfFile(*file));
  if (format.empty())
    return Error{ErrorKind::kUnsupported, "'" + path + "' is neither GGUF nor safetensors"};

  std::vector<std::string> names = {parts.name};
  const auto series = SeriesName::Parse(parts.name);
  if (series && series->index == 1)
    for (std::uint32_t index = 2; index <= series->count; ++index)
      names.push_back(series->At(index));
  blueprint::Kitfile kitfile;
  kitfile.manifest_version = blueprint::kManifestVersion;
  kitfile.package.name = parts.name.substr(0, parts.name.rfind('.'));
  blueprint::Model& model = kitfile.model.emplace();
  model.name = kitfile.package.name;
  model.path = parts.name;
  model.format = format;
  std::vector<GatheredFile> gathered;
  for (const std::string& name : names) {
    if (name != parts.name) {
      const auto state = directory->State(name);
      if (!state && state.error().kind == ErrorKind::kNotFound) {
        return Error{ErrorKind::kInvalid, "'" + Printable(name) +
                                              "' is missing, which belongs to '" +
                                              Printable(parts.name) + "'"};
      }
      if (!state) return state.error();
      blueprint::ModelPart part;
      part.path = name;
      model.parts.push_back(std::move(part));
    }
    gathered.push_back({name, directory, name, host::OpenHow::kReadFollow});
  }
  ForeignModel found;
  for (const std::string& name : names)
    found.paths.push_back(parts.directory + "/" + name);
  PLUMB_TRY(found.files, GatherFiles(std::move(gathered)));
  found.name = ToLowerAscii(kitfile.package.name);
  found.blueprint = {BlueprintKind::kKitfile, "-", {}, blueprint::PrintKitfile(kitfile)};
  return found;
}

}  // namespace plumb::kit
