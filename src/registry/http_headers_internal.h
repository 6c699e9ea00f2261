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
#include "crypto/digest.h"
#include "host/http.h"

// What registries say in headers. All of it is an enemy's until checked.
namespace plumb::registry {

// The values of all headers of that name as one list (RFC 9110, section 5.3); empty if there is
// none.
std::string AllOf(const host::HttpResponse& response, std::string_view name);

// One challenge of WWW-Authenticate (RFC 9110, section 11.6.1).
struct Challenge {
  std::string scheme;                                           // lower case: "basic", "bearer"
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case, no two alike

  // Empty if there is none of that name.
  std::string Parameter(std::string_view name) const;
};

// All challenges of such a list, at most 16 with 32 parameters each. kInvalid if it is malformed,
// kExhausted over a limit or over 8 KiB.
Result<std::vector<Challenge>> ParseChallenges(std::string_view header);

// Content-Range "bytes 5-9/10" (RFC 9110, section 14.4).
struct ContentRange {
  std::uint64_t start = 0;
  std::optional<std::uint64_t> whole_size;  // nothing for "bytes 5-9/*"
};
std::optional<ContentRange> ParseContentRange(std::string_view header);

// Retry-After (RFC 9110, section 10.2.3) in seconds from now, which is given in seconds since 1970;
// a date that has passed is 0. Of dates only the one form that is not obsolete (IMF-fixdate).
std::optional<std::uint64_t> ParseRetryAfter(std::string_view header, std::int64_t now_s);

// Range of an upload session, "0-99" (distribution-spec; some write "bytes=0-99"): how many bytes
// that are. Nothing for one that does not begin at 0.
std::optional<std::uint64_t> ParseUploadRange(std::string_view header);

// Link "<address>; rel="next"" (RFC 8288): the address of the next page, not yet resolved.
std::optional<std::string> ParseNextLink(std::string_view header);

// kCorrupt if a Docker-Content-Digest names another content than `actual`. A digest of an algorithm
// that we do not know is no contradiction.
Status CheckContentDigest(std::optional<std::string_view> header, const Digest& actual);

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_HTTP_HEADERS_INTERNAL_H_
