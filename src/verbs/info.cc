// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/info.h"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "blueprint/kitfile.h"

namespace plumb::verbs {
namespace {

// Names of a Kitfile that may be asked for although this one leaves them empty, with what
// "empty" is printed as.
struct EmptyField {
  std::string_view name;
  std::string_view yaml;
};
constexpr std::array<EmptyField, 20> kEmptyFields = {
    {{"manifestVersion", "\n"}, {"package.name", "\n"},
     {"package.version", "\n"}, {"package.description", "\n"},
     {"package.license", "\n"}, {"package.authors", "[]\n"},
     {"model", "null\n"},       {"model.name", "\n"},
     {"model.path", "\n"},      {"model.license", "\n"},
     {"model.framework", "\n"}, {"model.format", "\n"},
     {"model.version", "\n"},   {"model.description", "\n"},
     {"model.parts", "[]\n"},   {"code", "[]\n"},
     {"datasets", "[]\n"},      {"docs", "[]\n"},
     {"prompts", "[]\n"},       {"mcpServers", "[]\n"}}};

Result<InfoReport> Filtered(const Json& kitfile, std::string_view filter) {
  const std::string_view path = filter.starts_with('.') ? filter.substr(1) : filter;
  const Json* value = &kitfile;
  for (const std::string_view name : Split(path, '.')) {
    if (value != nullptr) value = value->Find(name);
  }
  if (value != nullptr) {
    const std::string* text = value->IfString();
    return InfoReport{*value, text != nullptr ? *text + "\n" : blueprint::WriteYaml(*value)};
  }
  for (const EmptyField& field : kEmptyFields) {
    if (field.name == path) return InfoReport{Json(), std::string(field.yaml)};
  }
  return Error{ErrorKind::kInvalid, "a Kitfile has no '" + std::string(filter) + "'",
               "write it as in the Kitfile: --filter .model.path"};
}

}  // namespace

Result<InfoReport> Info(Workspace& workspace, const InfoOptions& options, Progress& progress) {
  PLUMB_TRY(const kit::ModelKit modelkit, ReadKit(workspace, options.kit, progress));
  const blueprint::Kitfile plain = WithoutDigests(modelkit.kitfile);
  const Json kitfile = blueprint::KitfileToJson(plain);
  if (!options.filter.empty()) return Filtered(kitfile, options.filter);
  return InfoReport{kitfile, blueprint::PrintKitfile(plain)};
}

}  // namespace plumb::verbs
