// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "blueprint/kitfile.h"
#include "kit/foreign_model.h"
#include "kit/gathered_files.h"
#include "kit/modelfile_files_internal.h"

namespace plumb::kit {
namespace {

// What the safetensors library accepts.
constexpr std::uint64_t kHeaderSizeMax = 100'000'000;
// More than any model has that was seen; what is longer is taken unread.
constexpr std::size_t kReadHeaderSizeMax = std::size_t{16} << 20;
constexpr std::uint64_t kLengthSize = 8;

// Where the last tensor ends, behind the header; kInvalid if the header is none.
Result<std::uint64_t> EndOfTensors(std::string_view header) {
  JsonLimits limits;
  limits.size_max = kReadHeaderSizeMax;
  PLUMB_TRY(const Json json, ParseJson(header, limits));
  const auto malformed = [](std::string_view name) {
    return Error{ErrorKind::kInvalid, "tensor '" + Printable(name) + "' has no data_offsets"};
  };
  if (json.IfObject() == nullptr) return Error{ErrorKind::kInvalid, "it is no object"};
  std::uint64_t end = 0;
  for (const auto& [name, tensor] : *json.IfObject()) {
    if (name == "__metadata__") continue;
    const Json* const offsets = tensor.Find("data_offsets");
    if (offsets == nullptr || offsets->IfArray() == nullptr || offsets->IfArray()->size() != 2)
      return malformed(name);
    const auto last = offsets->IfArray()->back().ToUint64();
    if (!last) return malformed(name);
    end = std::max(end, *last);
  }
  return end;
}

Status CheckSafetensors(host::File& file, std::uint64_t header_size, std::uint64_t size) {
  if (header_size > kReadHeaderSizeMax) return Done{};
  std::string header(static_cast<std::size_t>(header_size), '\0');
  PLUMB_TRY(const std::size_t read,
            file.ReadAt(kLengthSize, std::as_writable_bytes(std::span(header))));
  header.resize(read);
  auto end = EndOfTensors(header);
  if (!end) return std::move(end).error().While("its safetensors header cannot be read");
  const std::uint64_t is_there = size - kLengthSize - header_size;
  if (is_there == *end) return Done{};
  return Error{ErrorKind::kInvalid, "it has " + std::to_string(is_there) +
                                        " bytes of tensors, and " + std::to_string(*end) +
                                        " by its header" +
                                        (is_there < *end ? ": it is cut off" : "")};
}

// "gguf" or "safetensors", by the first bytes and the size; empty if it is neither.
Result<std::string_view> FormatOfFile(host::File& file) {
  std::array<std::byte, kLengthSize + 1> start = {};
  PLUMB_TRY(const std::size_t size, file.ReadAt(0, start));
  const std::string_view text = AsText(ByteSpan(start).first(size));
  if (text.starts_with("GGUF")) return std::string_view("gguf");
  if (size < start.size() || text.back() != '{') return std::string_view();
  std::uint64_t header = 0;
  for (std::size_t i = kLengthSize; i > 0; --i)
    header = header << 8U | static_cast<std::uint64_t>(start.at(i - 1));
  PLUMB_TRY(const host::FileState state, file.State());
  if (header < 2 || header > kHeaderSizeMax || header > state.size - kLengthSize)
    return std::string_view();
  PLUMB_RETURN_IF_ERROR(CheckSafetensors(file, header, state.size));
  return std::string_view("safetensors");
}

// A file that is neither of the formats: what its name says that it should be is what is wrong.
Error NoModel(std::string_view name) {
  const std::string lower = ToLowerAscii(name);
  const std::string subject = "'" + Printable(name) + "' ";
  if (lower.ends_with(".gguf"))
    return Error{ErrorKind::kInvalid, subject + "is no GGUF: it does not begin with that word"};
  if (lower.ends_with(".safetensors")) {
    return Error{ErrorKind::kInvalid,
                 subject +
                     "is no safetensors file: it does not begin with a header, whole and "
                     "with its length before it"};
  }
  return Error{ErrorKind::kUnsupported, subject + "is neither GGUF nor safetensors"};
}

Result<std::string_view> FormatOfNamed(host::Directory& directory, const std::string& name) {
  PLUMB_TRY(const auto file, directory.Open(name, host::OpenHow::kReadFollow));
  PLUMB_TRY(const host::FileState state, file->State());
  if (state.type != host::FileType::kRegular) return NoModel(name);
  auto format = FormatOfFile(*file);
  if (!format && format.error().kind == ErrorKind::kInvalid)
    return std::move(format).error().While("'" + Printable(name) + "' is damaged");
  if (format && format->empty()) return NoModel(name);
  return format;
}

}  // namespace

Result<ForeignModel> ReadModelFile(host::Files& files, const std::string& path) {
  const host::PathParts parts = host::SplitPath(path);
  PLUMB_TRY(auto opened, files.OpenDirectory(parts.directory, host::IfMissing::kFail));
  const std::shared_ptr<host::Directory> directory = std::move(opened);
  PLUMB_TRY(const std::string_view format, FormatOfNamed(*directory, parts.name));
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
      PLUMB_RETURN_IF_ERROR(FormatOfNamed(*directory, name));
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
