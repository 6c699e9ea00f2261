// SPDX-License-Identifier: MIT OR Apache-2.0
#include "blueprint/kitfile.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "base/text.h"

namespace plumb::blueprint {
namespace {

constexpr std::size_t kPartTypeSizeMax = 64;

bool IsWordChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool IsPartType(std::string_view type) {
  const auto belongs = [](char c) { return IsWordChar(c) || c == '.' || c == '-'; };
  return !type.empty() && IsWordChar(type.front()) &&
         std::all_of(type.begin(), type.end(), belongs);
}

// Gathers problems in kit's words, and who uses which path.
class Validator {
 public:
  explicit Validator(KitRules rules) : rules_(rules) {}

  void AddPath(std::string_view path, const std::string& owner) {
    const bool as_written = rules_ == KitRules::kKit17;
    std::string key = as_written ? std::string(path) : CleanPath(path);
    if (key.empty()) key = ".";
    owners_[key].push_back(owner);
  }

  void CheckPartType(const ModelPart& part) {
    if (part.type.empty()) return;
    const std::string subject = "modelpart " + part.name;
    if (!IsPartType(part.type))
      problems_.push_back(
          subject + " has invalid type (must be alphanumeric with dots, dashes, and underscores)");
    if (part.type.size() > kPartTypeSizeMax)
      problems_.push_back(subject + " type is too long (must be fewer than 64 characters)");
  }

  void CheckRemote(const Dataset& dataset) {
    const std::string subject = "dataset " + dataset.name;
    if (!dataset.remote_path.empty() && !dataset.remote_path.starts_with("s3://"))
      problems_.push_back(subject + " has a remotePath that is not s3://…");
    if (dataset.remote_path.empty() != dataset.remote_hash.empty())
      problems_.push_back(subject + " needs both remotePath and remoteHash, or neither");
  }

  // As KitOps 1.15 has it: a bundle is found by its name.
  void CheckServers(const std::vector<McpServer>& servers) {
    std::set<std::string> names;
    for (const McpServer& server : servers) {
      if (server.name.empty()) {
        problems_.push_back("the mcpServer with path " + server.path + " needs a name");
      } else if (!names.insert(server.name).second) {
        problems_.push_back("several mcpServers have the name " + server.name);
      }
      if (!server.path.ends_with(".mcpb"))
        problems_.push_back("mcpServer " + server.name + " has a path that does not end in .mcpb");
    }
  }

  Status Finish() {
    for (const auto& [path, owners] : owners_)
      CheckPath(path, owners);
    if (problems_.empty()) return Done{};
    std::sort(problems_.begin(), problems_.end());
    std::string message = "errors while validating Kitfile: ";
    for (const std::string& problem : problems_)
      message += "\n  * " + Printable(problem);
    return Error{ErrorKind::kInvalid, message};
  }

 private:
  void CheckPath(const std::string& path, const std::vector<std::string>& owners) {
    if (owners.size() > 1) {
      const auto others = std::span(owners).first(owners.size() - 1);
      problems_.push_back(Join(others, ", ") + " and " + owners.back() + " use the same path " +
                          path);
    }
    const std::string place = " (path " + path + " in " + owners.front() + ")";
    if (path.starts_with('/'))
      problems_.push_back("absolute paths are not supported in a Kitfile" + place);
    if (rules_ == KitRules::kOurs && (path == ".." || path.starts_with("../")))
      problems_.push_back("paths must stay within the context directory" + place);
  }

  KitRules rules_;
  std::map<std::string, std::vector<std::string>> owners_;
  std::vector<std::string> problems_;
};

}  // namespace

std::string CleanPath(std::string_view path) {
  const bool rooted = path.starts_with('/');
  std::vector<std::string> parts;
  for (const std::string_view part : Split(path, '/')) {
    if (part.empty() || part == ".") continue;
    const bool leaves = part == "..";
    const bool below = !parts.empty() && parts.back() != "..";
    if (leaves && below) {
      parts.pop_back();
    } else if (!leaves || !rooted) {
      parts.emplace_back(part);
    }
  }
  if (parts.empty()) return rooted ? "/" : ".";
  return (rooted ? "/" : "") + Join(parts, "/");
}

Status ValidateKitfile(const Kitfile& kitfile, ModelPath model_path, KitRules rules) {
  Validator validator(rules);
  if (kitfile.model) {
    // Without a path there is no layer; kit takes it for the whole context all the same.
    const bool has_path = model_path == ModelPath::kFile && !kitfile.model->path.empty();
    if (has_path || rules == KitRules::kKit17)
      validator.AddPath(kitfile.model->path, "model " + kitfile.model->name);
    for (const ModelPart& part : kitfile.model->parts) {
      validator.AddPath(part.path, "modelpart " + part.name);
      validator.CheckPartType(part);
    }
  }
  for (const Dataset& dataset : kitfile.datasets) {
    validator.CheckRemote(dataset);
    // What is only elsewhere has no path here.
    if (!dataset.path.empty() || dataset.remote_path.empty())
      validator.AddPath(dataset.path, "dataset " + dataset.name);
  }
  for (std::size_t i = 0; i < kitfile.code.size(); ++i)
    validator.AddPath(kitfile.code[i].path, "code layer " + std::to_string(i));
  for (std::size_t i = 0; i < kitfile.docs.size(); ++i)
    validator.AddPath(kitfile.docs[i].path, "docs layer " + std::to_string(i));
  for (const Prompt& prompt : kitfile.prompts)
    validator.AddPath(prompt.path, "prompt " + prompt.name);
  for (const McpServer& server : kitfile.mcp_servers)
    validator.AddPath(server.path, "mcpServer " + server.name);
  validator.CheckServers(kitfile.mcp_servers);
  return validator.Finish();
}

}  // namespace plumb::blueprint
