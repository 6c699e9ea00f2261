// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "kit/rules_internal.h"

namespace plumb::kit {
namespace {

constexpr std::array<std::string_view, 6> kReservedAtRoot = {
    "Kitfile", "kitfile", ".kitfile", ".kitignore", "Kitfile.lock", "Modelfile.lock"};

// What version control, Plumb and operating systems leave about.
constexpr std::array<std::string_view, 12> kReservedAnywhere = {
    ".git",     ".plumb",     ".DS_Store", ".AppleDouble", ".LSOverride", ".Spotlight-V100",
    ".Trashes", ".fseventsd", "Thumbs.db", "ehthumbs.db",  "Desktop.ini", "desktop.ini"};

}  // namespace

bool IsUnpackName(std::string_view name) {
  return name.starts_with(kUnpackPrefix) && ParseUint64(name.substr(kUnpackPrefix.size()));
}

Result<ContextRules> ContextRules::Load(host::Directory& context, std::string_view blueprint_path,
                                        const std::string& reserved) {
  Result<std::string> text = host::ReadFile(context, ".kitignore", kKitignoreSizeMax);
  if (!text && text.error().kind != ErrorKind::kNotFound) return std::move(text).error();
  PLUMB_TRY(auto ignore, blueprint::IgnoreRules::Parse(text ? *text : std::string()));
  ContextRules rules(std::move(ignore));
  rules.reserved_paths_.insert(kReservedAtRoot.begin(), kReservedAtRoot.end());
  if (!reserved.empty()) rules.reserved_paths_.insert(reserved);
  if (!blueprint_path.empty()) {
    rules.has_blueprint_ = true;
    rules.reserved_paths_.emplace(blueprint_path);
    rules.reserved_paths_.insert(std::string(blueprint_path) + ".lock");
  }
  return rules;
}

bool ContextRules::IsReserved(std::string_view path) const {
  if (reserved_paths_.contains(path)) return true;
  return std::ranges::any_of(Split(path, '/'), [](std::string_view name) {
    return IsUnpackName(name) ||
           std::ranges::find(kReservedAnywhere, name) != kReservedAnywhere.end();
  });
}

bool ContextRules::IsOtherBlueprint(std::string_view path) const {
  // .kitignore is heeded.
  return !has_blueprint_ && path != ".kitignore" && reserved_paths_.contains(path);
}

bool ContextRules::Ignores(std::string_view path) const {
  return IsReserved(path) || rules_.Ignores(path);
}

bool ContextRules::MayTakeBeneath(std::string_view path) const {
  return !IsReserved(path) && rules_.MayExceptBeneath(path);
}

}  // namespace plumb::kit
