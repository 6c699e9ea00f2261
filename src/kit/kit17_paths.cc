// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "blueprint/kitfile.h"
#include "blueprint/kitignore.h"
#include "kit/kit17_internal.h"

namespace plumb::kit {
namespace {

bool IsAsciiAlnum(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// What Go's url package takes for a host with an optional port.
bool IsGoHost(std::string_view host) {
  constexpr std::string_view kMarks = "-_.~!$&'()*+,;=:<>\"";
  const bool spelled = std::ranges::all_of(host, [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || IsAsciiAlnum(byte) || kMarks.find(c) != std::string_view::npos;
  });
  const std::size_t colon = host.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? "" : host.substr(colon + 1);
  return spelled && std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<oci::Reference> ParseKit17Reference(std::string_view path) {
  if (path.find_first_of(":@") == std::string_view::npos) return std::nullopt;
  if (Result<Digest> digest = Digest::Parse(path)) return oci::Reference{{}, "_", {}, *digest};

  oci::Reference reference;
  std::string_view rest = Split(path, ',').front();  // a list of tags: the first counts
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    const std::string_view host = rest.substr(0, slash);
    if (host.find_first_of(":.") != std::string_view::npos) {
      if (!IsGoHost(host)) return std::nullopt;
      reference.host = host;
      rest.remove_prefix(slash + 1);
    }
  }
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    Result<Digest> digest = Digest::Parse(rest.substr(at + 1));
    if (!digest) return std::nullopt;
    reference.digest = *digest;
    rest = rest.substr(0, at);
    rest = rest.substr(0, rest.find(':'));
  } else if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
    reference.tag = rest.substr(colon + 1);
    if (!oci::CheckTag(reference.tag)) return std::nullopt;
    rest = rest.substr(0, colon);
  }
  reference.repository = rest;
  if (!oci::CheckRepository(rest)) return std::nullopt;
  return reference;
}

std::string CleanKit17Path(std::string_view path) {
  return blueprint::CleanPath(blueprint::TrimGoSpace(path));
}

namespace {

// What is left of `target` once it is reached from `base` by going up and then down; whether
// going up is needed at all.
struct Way {
  bool goes_up = false;
  std::string_view down;
};

// Go's filepath.Rel, of cleaned relative paths.
Way WayFrom(std::string_view base, std::string_view target) {
  if (base == target) return {};
  if (base == ".") return {false, target};
  if (target == ".") return {true, {}};
  std::size_t common = 0;  // how far the parts agree
  for (std::size_t i = 0;; ++i) {
    const bool base_ends = i == base.size() || base[i] == '/';
    const bool target_ends = i == target.size() || target[i] == '/';
    if (base_ends && target_ends) common = i;
    if (i == base.size() || i == target.size() || base[i] != target[i]) break;
  }
  std::string_view down = target.substr(common);
  if (down.starts_with('/')) down.remove_prefix(1);
  return {common != base.size(), down};
}

}  // namespace

bool InOneKit17Tree(std::string_view a, std::string_view b) {
  const auto is_outside = [](std::string_view path) {
    return path == ".." || path.starts_with("../");
  };
  if (is_outside(a) || is_outside(b)) return false;
  const auto has_dots = [](Way way) {
    return way.goes_up || way.down.find("..") != std::string_view::npos;
  };
  return !has_dots(WayFrom(a, b)) || !has_dots(WayFrom(b, a));
}

}  // namespace plumb::kit
