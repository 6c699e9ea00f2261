// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "registry/url_internal.h"

namespace plumb::registry {
namespace {

constexpr std::size_t kSizeMax = 8192;
constexpr std::size_t kShownSizeMax = 256;
constexpr std::uint64_t kPortMax = 65535;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c);
}

bool IsUrlCharacter(char c) {
  return c > ' ' && c < 0x7F && std::string_view("\"<>\\^`{|}").find(c) == std::string_view::npos;
}

// Without the query, in which a secret may stand.
Error BadUrl(std::string_view text) {
  const std::string_view shown = text.substr(0, text.find('?')).substr(0, kShownSizeMax);
  return Error{ErrorKind::kInvalid, "'" + Printable(shown) + "' is no http address"};
}

// Where the port begins, its ':' included; the size if there is none.
std::size_t FindPort(std::string_view host) {
  const std::size_t literal_end = host.starts_with('[') ? host.find(']') : 0;
  if (literal_end == std::string_view::npos) return host.size();
  return std::min(host.find(':', literal_end), host.size());
}

bool IsHost(std::string_view host) {
  const std::string_view name = host.substr(0, FindPort(host));
  const std::string_view port = host.substr(name.size());
  const bool is_port = port.empty() || (port.size() <= 6 && IsDigit(port.back()) &&
                                        ParseUint64(port.substr(1)).value_or(0) - 1 < kPortMax);
  const bool is_literal = name.size() > 2 && name.starts_with('[') && name.ends_with(']');
  const std::string_view labels = is_literal ? name.substr(1, name.size() - 2) : name;
  return is_port && !labels.empty() && std::all_of(labels.begin(), labels.end(), [&](char c) {
           return IsLetterOrDigit(c) || c == '.' || (is_literal ? c == ':' : c == '-' || c == '_');
         });
}

// Whether `text` begins with a scheme ("http:"), rather than with a path in which a ':' stands.
bool HasScheme(std::string_view text) {
  const std::size_t end = text.find_first_of(":/?#");
  return end != std::string_view::npos && end > 0 && text[end] == ':';
}

}  // namespace

Result<Url> Url::Parse(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (text.size() > kSizeMax || colon == std::string_view::npos ||
      text.find('#') != std::string_view::npos ||
      !std::all_of(text.begin(), text.end(), IsUrlCharacter))
    return BadUrl(text);
  Url url;
  url.scheme = ToLowerAscii(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") return BadUrl(text);
  const std::string_view behind = text.substr(colon + 3);
  url.host = ToLowerAscii(behind.substr(0, behind.find_first_of("/?")));
  url.rest = behind.substr(url.host.size());
  if (!IsHost(url.host)) return BadUrl(text);
  const std::string_view own_port = url.scheme == "http" ? ":80" : ":443";
  if (url.host.substr(FindPort(url.host)) == own_port)
    url.host.resize(url.host.size() - own_port.size());
  if (!url.rest.starts_with('/')) url.rest.insert(0, "/");
  return url;
}

Result<Url> Url::Resolve(std::string_view location) const {
  const std::string origin = scheme + "://" + host;
  const std::string path = rest.substr(0, rest.find('?'));
  if (location.empty()) return BadUrl(location);
  if (HasScheme(location)) return Parse(location);
  if (location.starts_with("//")) return Parse(scheme + ":" + std::string(location));
  if (location.starts_with('/')) return Parse(origin + std::string(location));
  if (location.starts_with('?')) return Parse(origin + path + std::string(location));
  return Parse(origin + path.substr(0, path.rfind('/') + 1) + std::string(location));
}

std::string Url::HostWithoutPort() const { return host.substr(0, FindPort(host)); }

Url Url::WithQuery(std::string_view name, std::string_view value) const {
  Url url = *this;
  url.rest += rest.find('?') == std::string::npos ? '?' : '&';
  url.rest.append(name);
  url.rest += '=';
  for (const char c : value) {
    if (IsLetterOrDigit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      url.rest += c;
    } else {
      url.rest += "%" + EncodeHex(AsBytes(std::string_view(&c, 1)));
    }
  }
  return url;
}

}  // namespace plumb::registry
