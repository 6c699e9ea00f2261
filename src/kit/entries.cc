// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/entries_internal.h"

namespace plumb::kit {

std::vector<EntryView> EntriesOf(blueprint::Kitfile& kitfile, ModelLayer model_layer) {
  using oci::LayerType;
  std::vector<EntryView> entries;
  if (kitfile.model) {
    blueprint::Model& model = *kitfile.model;
    if (model_layer == ModelLayer::kYes)
      entries.push_back(
          {LayerType::kModel, "model " + model.name, model.name, model.path, {}, &model.layer});
    for (blueprint::ModelPart& part : model.parts)
      entries.push_back({LayerType::kModelPart, "modelpart " + part.name, part.name, part.path,
                         part.type, &part.layer});
  }
  for (blueprint::Code& code : kitfile.code)
    entries.push_back({LayerType::kCode,
                       "code layer " + std::to_string(&code - kitfile.code.data()),
                       {},
                       code.path,
                       {},
                       &code.layer});
  for (blueprint::Dataset& dataset : kitfile.datasets) {
    if (!dataset.remote_path.empty()) continue;  // it stays where it is
    entries.push_back({LayerType::kDataset,
                       "dataset " + dataset.name,
                       dataset.name,
                       dataset.path,
                       {},
                       &dataset.layer});
  }
  for (blueprint::Docs& docs : kitfile.docs)
    entries.push_back({LayerType::kDocs,
                       "docs layer " + std::to_string(&docs - kitfile.docs.data()),
                       {},
                       docs.path,
                       {},
                       &docs.layer});
  for (blueprint::Prompt& prompt : kitfile.prompts)
    entries.push_back(
        {LayerType::kPrompt, "prompt " + prompt.name, prompt.name, prompt.path, {}, &prompt.layer});
  for (blueprint::McpServer& server : kitfile.mcp_servers)
    entries.push_back({LayerType::kMcpServer,
                       "mcpServer " + server.name,
                       server.name,
                       server.path,
                       {},
                       &server.layer});
  return entries;
}

bool IsAtOrBeneath(std::string_view path, std::string_view directory) {
  if (directory == "." || path == directory) return true;
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

std::string_view DirectoryOf(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view NameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string JoinPath(std::string_view directory, std::string_view name) {
  if (directory.empty()) return std::string(name);
  return std::string(directory) + "/" + std::string(name);
}

}  // namespace plumb::kit
