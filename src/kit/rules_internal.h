// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_RULES_INTERNAL_H_
#define PLUMB_KIT_RULES_INTERNAL_H_

#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "blueprint/kitignore.h"
#include "host/files.h"

namespace plumb::kit {

// No .kitignore is longer; what people write fits a page.
inline constexpr std::uint64_t kKitignoreSizeMax = std::uint64_t{1} << 20;

// What an unpacked file is called, with a number behind it, until it is whole.
inline constexpr std::string_view kUnpackPrefix = ".plumb-unpack-";
bool IsUnpackName(std::string_view name);

// What of a context is never packed, by our rules (docs/format.md, "Layers"). Paths are
// relative to the context and cleaned.
class ContextRules {
 public:
  // `blueprint_path` is where the blueprint lies in the context, `reserved` one more path that is
  // never packed; or empty. kInvalid for a .kitignore that cannot be read.
  static Result<ContextRules> Load(host::Directory& context, std::string_view blueprint_path,
                                   const std::string& reserved);

  // Never packed, whatever .kitignore says; nor is anything beneath it.
  bool IsReserved(std::string_view path) const;
  // Whether it is reserved as a blueprint's name, and the blueprint lies elsewhere.
  bool IsOtherBlueprint(std::string_view path) const;
  // Reserved, or ignored by .kitignore.
  bool Ignores(std::string_view path) const;
  // Whether something beneath an ignored directory may be taken all the same.
  bool MayTakeBeneath(std::string_view path) const;

 private:
  explicit ContextRules(blueprint::IgnoreRules rules) : rules_(std::move(rules)) {}

  blueprint::IgnoreRules rules_;
  std::set<std::string, std::less<>> reserved_paths_;
  bool has_blueprint_ = false;  // the context
};

}  // namespace plumb::kit

#endif  // PLUMB_KIT_RULES_INTERNAL_H_
