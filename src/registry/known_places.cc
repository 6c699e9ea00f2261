// SPDX-License-Identifier: MIT OR Apache-2.0
#include "registry/known_places.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "oci/reference.h"

namespace plumb::registry {
namespace {

constexpr std::size_t kPlaceCountMax = 256;
constexpr std::size_t kTextSizeMax = std::size_t{128} << 10;
constexpr std::uint32_t kDirectoryMode = 0700;
constexpr std::uint32_t kFileMode = 0600;

std::string Written(const std::vector<KnownPlace>& places) {
  std::string text;
  for (const KnownPlace& place : places)
    text += place.repository + " " + place.manifest.ToString() + "\n";
  return text;
}

class FilePlaces final : public KnownPlaces {
 public:
  FilePlaces(host::Files& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  std::vector<KnownPlace> Of(const std::string& registry_host) override {
    std::vector<KnownPlace> places = Read(registry_host);
    std::ranges::reverse(places);
    return places;
  }

  void Remember(const std::string& registry_host, const KnownPlace& place) override {
    std::vector<KnownPlace> places = Read(registry_host);
    // Nothing is written for what is known: a push of nothing new stays one of nothing at all.
    if (std::ranges::find(places, place) != places.end()) return;
    places.push_back(place);
    while (places.size() > kPlaceCountMax || Written(places).size() > kTextSizeMax)
      places.erase(places.begin());
    const auto directory =
        files_.OpenDirectory(directory_, host::IfMissing::kCreate, kDirectoryMode);
    if (!directory) return;
    [[maybe_unused]] const Status written =
        host::WriteFileDurably(**directory, FileOf(registry_host), Written(places), kFileMode);
  }

 private:
  static std::string FileOf(const std::string& registry_host) {
    return Sha256(AsBytes(registry_host + "\n")).ToHex();
  }
  std::vector<KnownPlace> Read(const std::string& registry_host) {
    const auto directory = files_.OpenDirectory(directory_, host::IfMissing::kFail);
    if (!directory) return {};
    const auto text = host::ReadFile(**directory, FileOf(registry_host), kTextSizeMax);
    return text ? ParseKnownPlaces(*text) : std::vector<KnownPlace>();
  }

  host::Files& files_;
  const std::string directory_;
};

}  // namespace

std::vector<KnownPlace> ParseKnownPlaces(std::string_view text) {
  std::vector<KnownPlace> places;
  if (text.size() > kTextSizeMax) return places;
  for (const std::string_view line : Split(text, '\n')) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || places.size() == kPlaceCountMax) continue;
    const auto manifest = Digest::Parse(line.substr(space + 1));
    if (!manifest || !oci::CheckRepository(line.substr(0, space))) continue;
    KnownPlace place = {std::string(line.substr(0, space)), *manifest};
    if (std::ranges::find(places, place) == places.end()) places.push_back(std::move(place));
  }
  return places;
}

std::unique_ptr<KnownPlaces> MakeKnownPlaces(host::Files& files, std::string directory) {
  return std::make_unique<FilePlaces>(files, std::move(directory));
}

}  // namespace plumb::registry
