// SPDX-License-Identifier: MIT OR Apache-2.0
#include "host/files.h"

#include <array>

#include "base/text.h"
#include "host/machine.h"

namespace plumb::host {
namespace {

// Unlikely to be met by a file of anybody's; two writers at once must not meet either.
std::string TemporaryName(std::string_view path) {
  std::array<std::byte, 8> random = {};
  MakeEntropy()->Fill(random);
  return std::string(path) + ".new-" + EncodeHex(random);
}

}  // namespace

PathParts SplitPath(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/'))
    path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {".", std::string(path)};
  return {std::string(slash == 0 ? "/" : path.substr(0, slash)),
          std::string(path.substr(slash + 1))};
}

Result<std::string> ReadFile(Directory& directory, std::string_view path, std::uint64_t size_max) {
  PLUMB_TRY(const auto file, directory.Open(path, OpenHow::kRead));
  PLUMB_TRY(const FileState state, file->State());
  if (state.size > size_max) {
    return Error{ErrorKind::kExhausted,
                 "'" + Printable(path) + "' is longer than " + std::to_string(size_max) + " bytes"};
  }
  std::string text(static_cast<std::size_t>(state.size), '\0');
  PLUMB_TRY(const std::size_t size, file->ReadAt(0, std::as_writable_bytes(std::span(text))));
  text.resize(size);
  return text;
}

Status WriteFileDurably(Directory& directory, std::string_view path, std::string_view text,
                        std::uint32_t mode) {
  const std::string temporary = TemporaryName(path);
  const auto write = [&]() -> Status {
    PLUMB_TRY(const auto file, directory.Open(temporary, OpenHow::kCreateNew, mode));
    PLUMB_RETURN_IF_ERROR(file->WriteAt(0, AsBytes(text)));
    PLUMB_RETURN_IF_ERROR(file->Sync());
    return directory.Rename(temporary, path, Overwrite::kYes);
  };
  if (Status written = write(); !written) {
    static_cast<void>(directory.Remove(temporary));
    return written;
  }
  const std::size_t slash = path.rfind('/');
  return directory.Sync(slash == std::string_view::npos ? "" : path.substr(0, slash));
}

Result<std::string> ReadFile(Files& files, const std::string& path, std::uint64_t size_max) {
  const PathParts parts = SplitPath(path);
  PLUMB_TRY(const auto directory, files.OpenDirectory(parts.directory, IfMissing::kFail));
  return ReadFile(*directory, parts.name, size_max);
}

Status WriteFileDurably(Files& files, const std::string& path, std::string_view text,
                        std::uint32_t mode) {
  const PathParts parts = SplitPath(path);
  PLUMB_TRY(const auto directory, files.OpenDirectory(parts.directory, IfMissing::kFail));
  return WriteFileDurably(*directory, parts.name, text, mode);
}

Status SyncParents(Files& files, const std::string& path) {
  PLUMB_TRY(std::string above, files.Canonical(path));
  while (above != "/") {
    above = SplitPath(above).directory;
    PLUMB_TRY(const auto directory, files.OpenDirectory(above, IfMissing::kFail));
    const Status synced = directory->Sync("");
    if (!synced && synced.error().kind != ErrorKind::kDenied) return synced;
  }
  return Done{};
}

Status MakeDirectories(Directory& directory, std::string_view path, std::uint32_t mode) {
  for (std::size_t end = 0; end != std::string_view::npos && !path.empty();) {
    end = path.find('/', end == 0 ? 0 : end + 1);
    Status made = directory.MakeDirectory(path.substr(0, end), mode);
    if (made) continue;
    if (made.error().kind != ErrorKind::kConflict) return made;
    // What is no directory shows when one is made beneath it; of the last nothing is.
    if (end != std::string_view::npos) continue;
    PLUMB_TRY(const FileState state, directory.State(path));
    if (state.type == FileType::kSymlink)
      return Error{ErrorKind::kDenied, "'" + Printable(path) + "' is a symlink, not a directory"};
    if (state.type != FileType::kDirectory) return made;
  }
  return Done{};
}

}  // namespace plumb::host
