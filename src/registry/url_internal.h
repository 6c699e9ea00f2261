// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_URL_INTERNAL_H_
#define PLUMB_REGISTRY_URL_INTERNAL_H_

#include <string>
#include <string_view>

#include "base/result.h"

namespace plumb::registry {

// An address of RFC 3986, as far as a registry needs one.
struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case, with its port unless that is the scheme's own
  std::string rest;    // path and query, from the first '/' on

  // kInvalid for anything else, user names and fragments included.
  static Result<Url> Parse(std::string_view text);
  // What a Location header means that came with this address: absolute or relative.
  Result<Url> Resolve(std::string_view location) const;

  std::string ToString() const { return scheme + "://" + host + rest; }
  std::string HostWithoutPort() const;
  // Whether both are answered by the same server, so that one may see what the other may.
  bool SharesOrigin(const Url& other) const { return scheme == other.scheme && host == other.host; }
  // With "name=value" at the end of its query.
  Url WithQuery(std::string_view name, std::string_view value) const;

  friend bool operator==(const Url&, const Url&) = default;
};

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_URL_INTERNAL_H_
