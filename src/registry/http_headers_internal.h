// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_HTTP_HEADERS_INTERNAL_H_
#define PLUMB_REGISTRY_HTTP_HEADERS_INTERNAL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

// What registries say in headers, and addresses. All of it is an enemy's until checked.
namespace plumb::registry {

// One challenge of WWW-Authenticate (RFC 9110, section 11.6.1).
struct Challenge {
  std::string scheme;  // lower case: "basic", "bearer"
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case

  // Empty if there is none of that name.
  std::string Parameter(std::string_view name) const;
};

// All challenges of one header. kInvalid if it is malformed, kExhausted over 8 KiB.
Result<std::vector<Challenge>> ParseChallenges(std::string_view header);

// "bytes 5-9/10" (RFC 9110, section 14.4): where the part begins.
std::optional<std::uint64_t> ParseContentRangeStart(std::string_view header);

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // with its port, lower case
  std::string rest;    // path and query, from the first '/' on

  // kInvalid for anything else, user names and fragments included.
  static Result<Url> Parse(std::string_view text);
  // What a Location header means, absolute or relative to this.
  Result<Url> Resolve(std::string_view location) const;
  std::string ToString() const { return scheme + "://" + host + rest; }

  friend bool operator==(const Url&, const Url&) = default;
};

// `text` as a value in a query.
std::string EncodeQueryValue(std::string_view text);

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_HTTP_HEADERS_INTERNAL_H_
