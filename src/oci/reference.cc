// SPDX-License-Identifier: MIT OR Apache-2.0
#include "oci/reference.h"

#include <algorithm>
#include <utility>

#include "base/shell_word.h"
#include "base/text.h"

namespace plumb::oci {
namespace {

constexpr std::size_t kNameSizeMax = 255;
constexpr std::size_t kTagSizeMax = 128;
constexpr std::size_t kReferenceSizeMax = 1024;
constexpr std::size_t kDnsNameSizeMax = 253;
constexpr std::uint64_t kPortMax = 65535;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }

Error Invalid(std::string_view what, std::string_view text, std::string_view why) {
  return Error{ErrorKind::kInvalid, std::string(what) + " '" + Printable(text.substr(0, 256)) +
                                        "' is not valid: " + std::string(why)};
}

bool IsDnsLabel(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return IsDigit(c) || IsLower(c) || IsUpper(c) || c == '-'; });
}

Status CheckHost(std::string_view host) {
  const std::size_t colon = host.find(':');
  const std::string_view name = host.substr(0, colon);
  const auto labels = Split(name, '.');
  if (name.size() > kDnsNameSizeMax || !std::all_of(labels.begin(), labels.end(), IsDnsLabel))
    return Invalid("host", host, "its name must be letters, digits, '-' and '.'");
  if (colon == std::string_view::npos) return Done{};
  const auto port = ParseUint64(host.substr(colon + 1));
  if (!port || *port == 0 || *port > kPortMax)
    return Invalid("host", host, "a port is a number from 1 to 65535");
  return Done{};
}

// Lower-case letters and digits, with one '.', one or two '_', or any number of '-' between.
bool IsComponent(std::string_view text) {
  bool may_end = false;
  for (std::size_t i = 0; i < text.size();) {
    if (IsDigit(text[i]) || IsLower(text[i])) {
      may_end = true;
      ++i;
      continue;
    }
    if (!may_end) return false;  // at the start, or behind another separator
    may_end = false;
    if (text[i] == '-') {
      while (i < text.size() && text[i] == '-')
        ++i;
    } else if (text.substr(i, 2) == "__") {
      i += 2;
    } else if (text[i] == '_' || text[i] == '.') {
      ++i;
    } else {
      return false;
    }
  }
  return may_end;
}

bool IsHost(std::string_view first_component) {
  return first_component == "localhost" ||
         first_component.find_first_of(".:") != std::string_view::npos;
}

Error IsALayout(std::string_view text) {
  const std::string_view place = text.substr(text.find(':') + 1);
  if (place.empty() || place.front() == ':' || place.front() == '@') {
    Error error = Invalid("place", text, "it names no directory");
    error.hint = "a layout is oci:DIRECTORY:TAG";
    return error;
  }
  Error error = Invalid("reference", text, "a layout directory cannot stand here");
  error.hint = "plumb pull " + ShellWord(text) + " NAME:TAG";
  return error;
}

// Takes "host/" off the front of a name, if it has one.
std::string TakeHost(std::string_view& name) {
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos || !IsHost(name.substr(0, slash))) return {};
  std::string host = ToLowerAscii(name.substr(0, slash));
  name.remove_prefix(slash + 1);
  return host;
}

}  // namespace

Status CheckRepository(std::string_view repository) {
  if (repository.size() > kNameSizeMax) return Invalid("repository", repository, "it is too long");
  const auto components = Split(repository, '/');
  if (std::all_of(components.begin(), components.end(), IsComponent)) return Done{};
  const std::string lower = ToLowerAscii(repository);
  const auto lower_components = Split(lower, '/');
  if (std::all_of(lower_components.begin(), lower_components.end(), IsComponent))
    return Invalid("repository", repository, "it must be lower case");
  const std::string rule =
      "its parts are lower-case letters and digits with '.', '_', '__' or '-' between";
  const bool has_space = repository.find(' ') != std::string_view::npos;
  return Invalid("repository", repository, has_space ? "it has a space in it; " + rule : rule);
}

Status CheckTag(std::string_view tag) {
  if (tag.empty()) return Invalid("tag", tag, "it is empty");
  if (tag.size() > kTagSizeMax) return Invalid("tag", tag, "it is longer than 128 characters");
  const auto is_allowed = [](char c) {
    return IsDigit(c) || IsLower(c) || IsUpper(c) || c == '_' || c == '.' || c == '-';
  };
  if (tag.front() == '.' || tag.front() == '-' || !std::all_of(tag.begin(), tag.end(), is_allowed))
    return Invalid("tag", tag,
                   "it is letters, digits, '_', '.' and '-', and must not begin with '.' or '-'");
  return Done{};
}

Result<Reference> Reference::Parse(std::string_view text) {
  if (text.empty()) return Error{ErrorKind::kInvalid, "a reference must not be empty"};
  if (text.size() > kReferenceSizeMax) return Invalid("reference", text, "it is too long");
  if (text.find("://") != std::string_view::npos)
    return Invalid("reference", text, "it is HOST/REPOSITORY:TAG, without http:// or the like");
  if (text.starts_with("oci:")) return IsALayout(text);
  if (text.starts_with('/') || text.starts_with('.'))
    return Invalid("reference", text, "a path is no name of a kit; a layout directory is oci:PATH");
  Reference reference;
  std::string_view name = text;
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    name = text.substr(0, at);
    PLUMB_TRY(reference.digest, Digest::Parse(text.substr(at + 1)));
  }
  const std::size_t slash = name.rfind('/');
  const std::size_t colon = name.rfind(':');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    PLUMB_RETURN_IF_ERROR(CheckTag(name.substr(colon + 1)));
    reference.tag = name.substr(colon + 1);
    name = name.substr(0, colon);
  }
  if (name.size() > kNameSizeMax) return Invalid("reference", text, "its name is too long");
  reference.host = TakeHost(name);
  if (!reference.host.empty()) PLUMB_RETURN_IF_ERROR(CheckHost(reference.host));
  PLUMB_RETURN_IF_ERROR(CheckRepository(name));
  reference.repository = name;
  return reference;
}

Result<std::vector<Reference>> Reference::ParseTags(std::string_view text) {
  const auto parts = Split(text, ',');
  PLUMB_TRY(Reference reference, Parse(parts.front()));
  if (reference.digest)
    return Invalid("reference", text, "a digest is computed, it cannot be chosen");
  reference.tag = reference.TagOrDefault();
  std::vector<Reference> references = {reference};
  for (std::size_t i = 1; i < parts.size(); ++i) {
    PLUMB_RETURN_IF_ERROR(CheckTag(parts[i]));
    reference.tag = parts[i];
    if (std::find(references.begin(), references.end(), reference) == references.end())
      references.push_back(reference);
  }
  return references;
}

std::string Reference::Name() const { return host.empty() ? repository : host + "/" + repository; }

std::string Reference::ToString() const {
  std::string text = Name();
  if (!tag.empty()) text += ":" + tag;
  if (digest) text += "@" + digest->ToString();
  return text;
}

std::string Reference::TagOrDefault() const { return tag.empty() ? std::string(kDefaultTag) : tag; }

}  // namespace plumb::oci
