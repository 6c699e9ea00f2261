// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_DOMAIN_H_
#define PLUMB_STORE_DOMAIN_H_

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace plumb::store {

// As long as a name of a repository may be (OCI distribution-spec).
inline constexpr std::size_t kDomainNameMax = 255;

// Who may see what of a store. Bytes are shared by all who have them; that somebody else has them
// shows in nothing (docs/format.md, "Domains").
// Trust: whoever opens a store for a domain has made sure that the caller may read there.
class Domain {
 public:
  // The one domain of a person's own device, who sees all that is in the store: it is his disk.
  static const Domain& Device() {
    static const Domain device{std::string()};
    return device;
  }
  // What somebody else keeps in this store, in a registry: a repository's. It sees what was added
  // in it, and only refs of the repository of its name. 1 to kDomainNameMax bytes of ASCII without
  // spaces and control characters; kInvalid otherwise.
  static Result<Domain> Parse(std::string_view name);

  bool IsDevice() const { return name_.empty(); }
  const std::string& name() const { return name_; }  // empty: the device's

  friend auto operator<=>(const Domain&, const Domain&) = default;

 private:
  explicit Domain(std::string name) : name_(std::move(name)) {}

  std::string name_;
};

}  // namespace plumb::store

#endif  // PLUMB_STORE_DOMAIN_H_
