// SPDX-License-Identifier: MIT OR Apache-2.0
#include "blueprint/lock_file.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <utility>

#include "base/text.h"
#include "base/toml.h"
#include "blueprint/kitfile.h"

namespace plumb::blueprint {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::string_view kRemark =
    "# Written by plumb build; keep it in version control, beside the blueprint.\n"
    "# Bases stay as they are here until plumb build --update.\n";

// Whether it leads to something beneath the context, in the one way to write that.
bool IsInputPath(std::string_view path) {
  return !path.empty() && path.find('\0') == std::string_view::npos && CleanPath(path) == path &&
         !path.starts_with('/') && path != ".." && !path.starts_with("../");
}

class Reader {
 public:
  explicit Reader(std::string_view file) : file_(Printable(file)) {}

  Result<LockFile> Read(const Json& document) const {
    const Json* version = document.Find("version");
    if (version == nullptr) return Wrong("'version' is missing");
    PLUMB_TRY(const std::uint64_t number, Number(*version, "version"));
    if (number != kVersion)
      return Error{ErrorKind::kUnsupported, file_ + ": a lock file of version " +
                                                std::to_string(number) + ", which is not known"};
    PLUMB_RETURN_IF_ERROR(CheckKeys(document, "", {"version", "blueprint", "base", "input"}));
    LockFile lock;
    const Json* blueprint = document.Find("blueprint");
    if (blueprint == nullptr || blueprint->IfObject() == nullptr)
      return Wrong("the table 'blueprint' is missing");
    PLUMB_RETURN_IF_ERROR(CheckKeys(*blueprint, "blueprint.", {"size", "digest"}));
    PLUMB_TRY(lock.blueprint, Content(*blueprint, "blueprint"));
    PLUMB_TRY(lock.bases, Items(document, "base", "reference", kLockedBasesMax));
    PLUMB_TRY(lock.inputs, Items(document, "input", "path", kLockedInputsMax));
    for (const LockedItem& base : lock.bases)
      PLUMB_RETURN_IF_ERROR(CheckReference(base));
    for (const LockedItem& input : lock.inputs)
      if (!IsInputPath(input.name))
        return Wrong("'" + Printable(input.name) + "' is no cleaned path beneath the context");
    return lock;
  }

 private:
  Error Wrong(const std::string& problem) const {
    return Error{ErrorKind::kInvalid, file_ + ": " + problem, "plumb build --update"};
  }

  Status CheckKeys(const Json& table, std::string_view prefix,
                   std::initializer_list<std::string_view> known) const {
    for (const auto& [key, value] : *table.IfObject())
      if (std::ranges::find(known, key) == known.end())
        return Wrong("unknown key '" + std::string(prefix) + Printable(key) + "'");
    return Done{};
  }

  Result<std::uint64_t> Number(const Json& value, const std::string& key) const {
    const auto number = value.ToUint64();
    if (!number) return Wrong("'" + key + "' is no number");
    return *number;
  }

  Result<std::string> Text(const Json& table, const std::string& where,
                           std::string_view key) const {
    const Json* value = table.Find(key);
    const std::string* text = value == nullptr ? nullptr : value->IfString();
    if (text == nullptr) return Wrong("'" + where + "." + std::string(key) + "' must be a string");
    return *text;
  }

  Result<LockedContent> Content(const Json& table, const std::string& where) const {
    LockedContent content;
    const Json* size = table.Find("size");
    if (size == nullptr) return Wrong("'" + where + ".size' is missing");
    PLUMB_TRY(content.size, Number(*size, where + ".size"));
    PLUMB_TRY(const std::string digest, Text(table, where, "digest"));
    const auto parsed = Digest::Parse(digest);
    if (!parsed) return Wrong("'" + where + ".digest' is no digest");
    content.digest = *parsed;
    return content;
  }

  Result<std::vector<LockedItem>> Items(const Json& document, const std::string& kind,
                                        std::string_view name_key, std::size_t count_max) const {
    std::vector<LockedItem> items;
    const Json* value = document.Find(kind);
    if (value == nullptr) return items;
    if (value->IfArray() == nullptr)
      return Wrong("'" + kind + "' must be written [[" + kind + "]]");
    if (value->IfArray()->size() > count_max)
      return Error{ErrorKind::kExhausted,
                   file_ + ": over " + std::to_string(count_max) + " tables [[" + kind + "]]"};
    std::set<std::string> names;
    for (const Json& table : *value->IfArray()) {
      if (table.IfObject() == nullptr)
        return Wrong("'" + kind + "' must be written [[" + kind + "]]");
      PLUMB_RETURN_IF_ERROR(CheckKeys(table, kind + ".", {name_key, "size", "digest"}));
      LockedItem item;
      PLUMB_TRY(item.name, Text(table, kind, name_key));
      PLUMB_TRY(item.content, Content(table, kind));
      if (!names.insert(item.name).second)
        return Wrong("'" + Printable(item.name) + "' stands there twice");
      items.push_back(std::move(item));
    }
    return items;
  }

  // A digest in the blueprint cannot be made to mean another.
  Status CheckReference(const LockedItem& base) const {
    if (base.name.empty()) return Wrong("a base without a reference");
    const std::size_t at = base.name.find('@');
    if (at == std::string::npos || base.name.substr(at + 1) == base.content.digest.ToString())
      return Done{};
    return Wrong("'" + Printable(base.name) + "' has another digest than the one beside it");
  }

  const std::string file_;
};

void AppendContent(std::string& out, const LockedContent& content) {
  out += "size = " + std::to_string(content.size) + "\n";
  out += "digest = " + TomlString(content.digest.ToString()) + "\n";
}

void AppendItems(std::string& out, std::string_view kind, std::string_view name_key,
                 const std::vector<LockedItem>& items) {
  for (const LockedItem& item : items) {
    out += "\n[[" + std::string(kind) + "]]\n";
    out += std::string(name_key) + " = " + TomlString(item.name) + "\n";
    AppendContent(out, item.content);
  }
}

void Compare(const std::string& kind, const std::vector<LockedItem>& locked,
             const std::vector<LockedItem>& built, std::vector<std::string>& differences) {
  std::map<std::string_view, const LockedItem*> by_name;
  for (const LockedItem& item : locked)
    by_name.emplace(item.name, &item);
  for (const LockedItem& item : built) {
    const std::string subject = kind + " '" + Printable(item.name) + "'";
    const auto known = by_name.find(item.name);
    if (known == by_name.end()) {
      differences.push_back(subject + " is not in the lock file");
      continue;
    }
    const LockedContent& before = known->second->content;
    if (before != item.content)
      differences.push_back(subject + " was " + before.digest.ToString() + ", " +
                            std::to_string(before.size) + " bytes, and is " +
                            item.content.digest.ToString() + ", " +
                            std::to_string(item.content.size) + " bytes");
    by_name.erase(known);
  }
  for (const LockedItem& item : locked)
    if (by_name.contains(item.name))
      differences.push_back(kind + " '" + Printable(item.name) + "' is not there any more");
  const auto name = [](const LockedItem& item) -> const std::string& { return item.name; };
  if (differences.empty() && !std::ranges::equal(locked, built, {}, name, name))
    differences.push_back("the order of " + kind + "s is another");
}

}  // namespace

std::map<std::string, Digest> LockFile::Pins() const {
  std::map<std::string, Digest> pins;
  for (const LockedItem& base : bases)
    pins.emplace(base.name, base.content.digest);
  return pins;
}

Result<LockFile> ParseLockFile(std::string_view bytes, std::string_view file) {
  TomlLimits limits;
  limits.size_max = kLockFileSizeMax;
  auto document = ParseToml(bytes, limits);
  if (!document) {
    Error error = std::move(document).error().While(Printable(file));
    error.hint = "plumb build --update";
    return error;
  }
  return Reader(file).Read(*document);
}

std::string PrintLockFile(const LockFile& lock) {
  std::string out(kRemark);
  out += "version = " + std::to_string(kVersion) + "\n\n[blueprint]\n";
  AppendContent(out, lock.blueprint);
  AppendItems(out, "base", "reference", lock.bases);
  AppendItems(out, "input", "path", lock.inputs);
  return out;
}

std::vector<std::string> DifferencesFrom(const LockFile& lock, const LockFile& built) {
  std::vector<std::string> differences;
  Compare("base", lock.bases, built.bases, differences);
  Compare("input", lock.inputs, built.inputs, differences);
  if (lock.blueprint != built.blueprint)
    differences.insert(differences.begin(), "the blueprint was " +
                                                lock.blueprint.digest.ToString() + " and is " +
                                                built.blueprint.digest.ToString());
  return differences;
}

}  // namespace plumb::blueprint
