// SPDX-License-Identifier: MIT OR Apache-2.0
#include <utility>

#include "archive/tar_reader.h"
#include "base/text.h"
#include "blueprint/kitfile.h"
#include "kit/entries_internal.h"
#include "kit/target_names_internal.h"

namespace plumb::kit {
namespace {

std::string Quoted(std::string_view name) { return "'" + Printable(name) + "'"; }

// kit before 0.5.0 named what an archive holds from above the entry's path, not from the context:
// "w.bin" for "models/w.bin". Its configs have no digests, and by that kit itself tells them.
bool IsNamedFromAbove(const PackedEntry& layer) {
  return layer.media_type.format == oci::KitFormat::kModelKit &&
         !oci::IsRaw(layer.media_type.encoding) && !layer.diff_id;
}

}  // namespace

Result<std::string> PlaceOf(const archive::TarEntry& entry, const PackedEntry& layer) {
  PLUMB_TRY(std::string place, archive::CheckEntryName(entry.name));
  const std::string path = blueprint::CleanPath(layer.path);
  if (IsNamedFromAbove(layer) && !DirectoryOf(path).empty()) {
    PLUMB_TRY(place, archive::CheckEntryName(JoinPath(DirectoryOf(path), place)));
  }
  const bool is_above =
      entry.type == archive::TarEntryType::kDirectory && IsAtOrBeneath(path, place);
  if (!IsAtOrBeneath(place, path) && !is_above)
    return Error{ErrorKind::kDenied,
                 "the name " + Quoted(place) + " is refused: its layer is for " + Quoted(path)};
  return place;
}

Status TargetNames::AddFile(const std::string& place) {
  PLUMB_RETURN_IF_ERROR(AddDirectory(std::string(DirectoryOf(place))));
  PLUMB_TRY(const bool is_new, Claim(place, Kind::kFile));
  if (!is_new)
    return Error{ErrorKind::kDenied, "the name " + Quoted(place) + " is refused: it comes twice"};
  const auto state = target_.State(place);
  if (!state && state.error().kind == ErrorKind::kNotFound) return Done{};
  if (!state) return state.error();
  if (state->type == host::FileType::kDirectory)
    return Error{ErrorKind::kConflict, Quoted(place) + " is a directory, where a file must go"};
  if (existing_ == Existing::kRefuse)
    return Error{ErrorKind::kConflict, Quoted(place) + " is there already",
                 "say that it may be overwritten"};
  return Done{};
}

Status TargetNames::AddDirectory(const std::string& place) {
  if (place.empty()) return Done{};
  PLUMB_TRY(const bool is_new, Claim(place, Kind::kDirectory));
  if (!is_new) return Done{};
  PLUMB_RETURN_IF_ERROR(AddDirectory(std::string(DirectoryOf(place))));
  const auto state = target_.State(place);
  if (!state && state.error().kind == ErrorKind::kNotFound) return Done{};
  if (!state) return state.error();
  if (state->type == host::FileType::kSymlink)
    return Error{ErrorKind::kDenied,
                 Quoted(place) + " is a symlink; nothing is written through one"};
  if (state->type != host::FileType::kDirectory)
    return Error{ErrorKind::kConflict, Quoted(place) + " is a file, where a directory must go"};
  return Done{};
}

bool TargetNames::Holds(const std::string& place) const {
  const std::lock_guard lock(mutex_);
  return names_.contains(archive::NameFold(place));
}

Result<bool> TargetNames::Claim(const std::string& place, Kind kind) {
  std::string fold = archive::NameFold(place);
  const std::lock_guard lock(mutex_);
  const auto [found, is_new] = names_.try_emplace(std::move(fold), Name{place, kind});
  const Name& name = found->second;
  if (name.place != place)
    return Error{ErrorKind::kDenied, "the names " + Quoted(name.place) + " and " + Quoted(place) +
                                         " are refused: they are one on some machines"};
  if (name.kind != kind)
    return Error{ErrorKind::kDenied,
                 "the name " + Quoted(place) + " is refused: it is a file and a directory"};
  if (!is_new) return false;
  name_bytes_ += place.size();
  if (names_.size() > kTargetNameCountMax || name_bytes_ > kTargetNameBytesMax)
    return Error{ErrorKind::kExhausted, "more than " + std::to_string(kTargetNameCountMax) +
                                            " files, or " + FormatSize(kTargetNameBytesMax) +
                                            " of names, cannot be unpacked at once"};
  return true;
}

}  // namespace plumb::kit
