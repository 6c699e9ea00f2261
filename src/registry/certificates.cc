// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "registry/connect.h"

namespace plumb::registry {
namespace {

constexpr std::uint64_t kFileSizeMax = std::uint64_t{1} << 20;  // a whole machine's take 250 KiB
constexpr std::size_t kFileCountMax = 100;
constexpr std::string_view kPemBegin = "-----BEGIN CERTIFICATE-----";

// "NAME" of "NAME.suffix"; empty for any other.
std::string StemOf(const std::string& name, std::string_view suffix) {
  return name.size() > suffix.size() && name.ends_with(suffix)
             ? name.substr(0, name.size() - suffix.size())
             : std::string();
}

std::string Beneath(const std::string& directory, const std::string& name) {
  return directory + "/" + name;
}

}  // namespace

Result<std::string> ReadAuthorities(host::Files& files, const std::string& path) {
  PLUMB_TRY(const std::string canonical, files.Canonical(path));
  PLUMB_TRY(std::string text, host::ReadFile(files, canonical, kFileSizeMax));
  if (text.find(kPemBegin) != std::string::npos) return text;
  return Error{ErrorKind::kInvalid, "'" + path + "' holds no certificate in PEM"};
}

Result<Certificates> FindCertificates(host::Files& files,
                                      const std::vector<std::string>& directories,
                                      const std::string& registry_host) {
  Certificates found;
  for (const std::string& parent : directories) {
    const std::string path = Beneath(parent, registry_host);
    const auto directory = files.OpenDirectory(path, host::IfMissing::kFail);
    if (!directory && directory.error().kind == ErrorKind::kNotFound) continue;
    if (!directory) return directory.error();
    PLUMB_TRY(auto entries, (*directory)->List(""));
    if (entries.size() > kFileCountMax)
      return Error{ErrorKind::kExhausted, "'" + path + "' holds more than 100 files"};
    std::ranges::sort(entries, {}, &host::DirectoryEntry::name);
    const auto has = [&](const std::string& name) {
      return std::ranges::find(entries, name, &host::DirectoryEntry::name) != entries.end();
    };
    for (const host::DirectoryEntry& entry : entries) {
      if (!StemOf(entry.name, ".crt").empty()) {
        PLUMB_TRY(const std::string text, ReadAuthorities(files, Beneath(path, entry.name)));
        found.authorities += text + "\n";
      }
      const std::string stem = StemOf(entry.name, ".cert");
      const std::string key_stem = StemOf(entry.name, ".key");
      const bool is_alone =
          (!stem.empty() && !has(stem + ".key")) || (!key_stem.empty() && !has(key_stem + ".cert"));
      if (is_alone)
        return Error{ErrorKind::kInvalid, "'" + path + "/" + entry.name + "' is without its " +
                                              (stem.empty() ? "certificate" : "key")};
      if (stem.empty() || !found.client_certificate.empty()) continue;
      found.client_certificate = Beneath(path, entry.name);
      found.client_key = Beneath(path, stem + ".key");
    }
    return found;
  }
  return found;
}

}  // namespace plumb::registry
