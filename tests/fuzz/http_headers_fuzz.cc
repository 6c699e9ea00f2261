// SPDX-License-Identifier: MIT OR Apache-2.0
// What a registry says in headers: challenges, ranges, links and addresses. What is understood can
// be written down and is understood again; no address means another host than it names.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "registry/http_headers_internal.h"
#include "registry/url_internal.h"

namespace {

using plumb::registry::Challenge;
using plumb::registry::Url;

constexpr std::size_t kSizeMax = 8192;

std::string Written(const std::vector<Challenge>& challenges) {
  std::string text;
  for (const Challenge& challenge : challenges) {
    text += (text.empty() ? "" : ", ") + challenge.scheme;
    const char* separator = " ";
    for (const auto& [name, value] : challenge.parameters) {
      text += separator + name + "=\"";
      for (const char c : value)
        text += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
      text += '"';
      separator = ",";
    }
  }
  return text;
}

void CheckChallenges(std::string_view text) {
  const auto challenges = plumb::registry::ParseChallenges(text);
  if (!challenges) return;
  PLUMB_CHECK(challenges->size() <= 16);
  const std::string written = Written(*challenges);
  if (written.size() > kSizeMax) return;
  const auto again = plumb::registry::ParseChallenges(written);
  PLUMB_CHECK(again && again->size() == challenges->size());
  for (std::size_t i = 0; i < again->size(); ++i) {
    PLUMB_CHECK((*again)[i].scheme == (*challenges)[i].scheme);
    PLUMB_CHECK((*again)[i].parameters == (*challenges)[i].parameters);
    PLUMB_CHECK((*again)[i].parameters.size() <= 32);
  }
}

void CheckUrl(const Url& url) {
  PLUMB_CHECK(url.scheme == "http" || url.scheme == "https");
  PLUMB_CHECK(!url.host.empty() && url.rest.starts_with('/'));
  PLUMB_CHECK(url.host.find_first_of("@/\\?#% \r\n") == std::string::npos);
  PLUMB_CHECK(url.ToString().find_first_of("# \r\n\\") == std::string::npos);
  PLUMB_CHECK(url.host.starts_with(url.HostWithoutPort()));
  if (url.ToString().size() > kSizeMax) return;
  const auto again = Url::Parse(url.ToString());
  PLUMB_CHECK(again && *again == url);
}

void CheckAddresses(std::string_view text) {
  // "base\nlocation"; a base that is none is ours.
  const std::size_t end = text.find('\n');
  const auto parsed = Url::Parse(text.substr(0, end));
  const Url base =
      parsed ? *parsed : *Url::Parse("https://registry.example.org:5000/v2/a/blobs/uploads/?x=/y");
  CheckUrl(base);
  const std::string_view location = end == std::string_view::npos ? text : text.substr(end + 1);
  const auto resolved = base.Resolve(location);
  if (resolved) {
    CheckUrl(*resolved);
    const bool names_host = location.find("//") != std::string_view::npos;
    PLUMB_CHECK(names_host || resolved->SharesOrigin(base));
  }
  const Url longer = base.WithQuery("n", location);
  PLUMB_CHECK(longer.SharesOrigin(base));
  CheckUrl(longer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckChallenges(text);
  CheckAddresses(text);
  if (const auto range = plumb::registry::ParseContentRange(text))
    PLUMB_CHECK(!range->whole_size || range->start < *range->whole_size);
  if (const auto link = plumb::registry::ParseNextLink(text))
    PLUMB_CHECK(link->size() < text.size() && link->find('>') == std::string::npos);
  const auto seconds = plumb::registry::ParseRetryAfter(text, 784'111'777);
  PLUMB_CHECK(!seconds || size >= std::to_string(*seconds).size());
  const auto uploaded = plumb::registry::ParseUploadRange(text);
  PLUMB_CHECK(!uploaded || *uploaded > 0);
  const auto status = plumb::registry::CheckContentDigest(text, plumb::Sha256({}));
  PLUMB_CHECK(status || status.error().message.find('\n') == std::string::npos);
  return 0;
}
