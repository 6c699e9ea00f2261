// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_ENTRIES_INTERNAL_H_
#define PLUMB_KIT_ENTRIES_INTERNAL_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blueprint/kitfile.h"
#include "oci/media_types.h"

namespace plumb::kit {

// One thing a Kitfile lists, whatever its type. Points into the Kitfile it was made of.
struct EntryView {
  oci::LayerType type = oci::LayerType::kModel;
  std::string label;  // "code layer 0": as kit's messages name it
  std::string_view name;
  std::string_view path;
  std::string_view part_type;
  std::optional<blueprint::LayerDigests>* layer = nullptr;
};

// Whether the model itself has a layer: not if it has no path or names a base.
enum class ModelLayer : std::uint8_t { kNo, kYes };

// What has layers, in their order (docs/format.md, "ModelKit"): not datasets that are elsewhere.
std::vector<EntryView> EntriesOf(blueprint::Kitfile& kitfile, ModelLayer model_layer);

// The part of a Modelfile-built ModelKit that is the Modelfile. It belongs to its ModelKit
// alone: those built on it do not inherit it.
inline constexpr std::string_view kModelfilePartType = "modelfile";

// Whether `path` is `directory` or lies beneath it, part by part; both cleaned.
bool IsAtOrBeneath(std::string_view path, std::string_view directory);

// "a/b/c" is in "a/b", "c" in "".
std::string_view DirectoryOf(std::string_view path);
std::string_view NameOf(std::string_view path);
// "a" and "b" are "a/b"; "" and "b" are "b".
std::string JoinPath(std::string_view directory, std::string_view name);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_ENTRIES_INTERNAL_H_
