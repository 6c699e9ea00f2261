// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kit/gathered_files.h"

#include <algorithm>
#include <map>
#include <utility>

#include "archive/tar_reader.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "host/read_only.h"

namespace plumb::kit {
namespace {

constexpr std::uint32_t kDirectoryMode = 0755;
constexpr std::uint32_t kFileMode = 0644;

// By name; a directory is known by what is in it.
using Gathered = std::map<std::string, GatheredFile, std::less<>>;

Error Denied() { return Error{ErrorKind::kDenied, "gathered files cannot be written"}; }

Error NotThere(std::string_view path) {
  return Error{ErrorKind::kNotFound, "'" + Printable(path) + "' is not there"};
}

class TextFile final : public host::ReadOnlyFile {
 public:
  explicit TextFile(std::shared_ptr<const std::string> text) : text_(std::move(text)) {}

  Result<std::size_t> ReadAt(std::uint64_t offset, MutableByteSpan buffer) override {
    if (offset >= text_->size()) return std::size_t{0};
    const ByteSpan rest = AsBytes(*text_).subspan(static_cast<std::size_t>(offset));
    const std::size_t size = std::min(rest.size(), buffer.size());
    std::copy_n(rest.begin(), size, buffer.begin());
    return size;
  }

  // Equal states mean equal bytes, to a build: here they tell the text itself.
  Result<host::FileState> State() override {
    const Digest digest = Sha256(AsBytes(*text_));
    host::FileState state;
    state.type = host::FileType::kRegular;
    state.mode = kFileMode;
    state.size = text_->size();
    for (std::size_t i = 0; i < sizeof(state.inode); ++i) {
      state.device = state.device << 8U | static_cast<std::uint64_t>(digest.bytes.at(i));
      state.inode =
          state.inode << 8U | static_cast<std::uint64_t>(digest.bytes.at(i + sizeof(state.device)));
    }
    return state;
  }

 private:
  const std::shared_ptr<const std::string> text_;
};

// One text, under any name.
class TextDirectory final : public host::ReadOnlyDirectory {
 public:
  explicit TextDirectory(std::string text)
      : text_(std::make_shared<const std::string>(std::move(text))) {}

  Result<std::unique_ptr<host::File>> Open(std::string_view /*path*/, host::OpenHow /*how*/,
                                           std::uint32_t /*mode*/) override {
    return std::unique_ptr<host::File>(std::make_unique<TextFile>(text_));
  }
  Result<host::FileState> State(std::string_view /*path*/) override {
    return TextFile(text_).State();
  }
  Result<std::vector<host::DirectoryEntry>> List(std::string_view path) override {
    return NotThere(path);
  }

 private:
  const std::shared_ptr<const std::string> text_;
};

// A part of what was gathered, as a directory.
class GatheredDirectory final : public host::ReadOnlyDirectory {
 public:
  GatheredDirectory(std::shared_ptr<const Gathered> files, std::string prefix)
      : files_(std::move(files)), prefix_(std::move(prefix)) {}

  Result<std::unique_ptr<host::File>> Open(std::string_view path, host::OpenHow how,
                                           std::uint32_t /*mode*/) override {
    if (how != host::OpenHow::kRead && how != host::OpenHow::kReadFollow) return Denied();
    const auto found = files_->find(prefix_ + std::string(path));
    if (found == files_->end()) return NotThere(path);
    const GatheredFile& known = found->second;
    return known.directory->Open(known.path, known.how);
  }

  Result<host::FileState> State(std::string_view path) override {
    if (path.empty() || HasBeneath(path)) {
      host::FileState state;
      state.type = host::FileType::kDirectory;
      state.mode = kDirectoryMode;
      return state;
    }
    PLUMB_TRY(const auto file, Open(path, host::OpenHow::kRead, 0));
    return file->State();
  }

  Result<std::vector<host::DirectoryEntry>> List(std::string_view path) override {
    const std::string folder = prefix_ + std::string(path) + (path.empty() ? "" : "/");
    std::map<std::string, host::FileType> entries;
    for (auto at = files_->lower_bound(folder);
         at != files_->end() && at->first.starts_with(folder); ++at) {
      const std::string_view rest = std::string_view(at->first).substr(folder.size());
      const std::size_t slash = rest.find('/');
      entries.emplace(rest.substr(0, slash), slash == std::string_view::npos
                                                 ? host::FileType::kRegular
                                                 : host::FileType::kDirectory);
    }
    if (entries.empty() && !path.empty()) return NotThere(path);
    std::vector<host::DirectoryEntry> listed;
    listed.reserve(entries.size());
    for (auto& [name, type] : entries)
      listed.push_back({name, type});
    return listed;
  }

 private:
  bool HasBeneath(std::string_view path) const {
    const std::string folder = prefix_ + std::string(path) + "/";
    const auto first = files_->lower_bound(folder);
    return first != files_->end() && first->first.starts_with(folder);
  }

  const std::shared_ptr<const Gathered> files_;
  const std::string prefix_;  // with a slash at its end; empty for all of them
};

class GatheredMachine final : public host::Files {
 public:
  explicit GatheredMachine(Gathered files)
      : files_(std::make_shared<const Gathered>(std::move(files))) {}

  Result<std::unique_ptr<host::Directory>> OpenDirectory(const std::string& path,
                                                         host::IfMissing if_missing,
                                                         std::uint32_t /*mode*/) override {
    if (if_missing == host::IfMissing::kCreate) return Denied();
    PLUMB_TRY(const host::FileState state, State(path));
    if (state.type != host::FileType::kDirectory) return NotThere(path);
    PLUMB_TRY(std::string name, NameOf(path));
    if (!name.empty()) name += '/';
    return std::unique_ptr<host::Directory>(
        std::make_unique<GatheredDirectory>(files_, std::move(name)));
  }

  Result<host::FileState> State(const std::string& path) override {
    PLUMB_TRY(const std::string name, NameOf(path));
    return GatheredDirectory(files_, "").State(name);
  }

  Result<std::string> Canonical(const std::string& path) override {
    PLUMB_TRY(const std::string name, NameOf(path));
    PLUMB_TRY([[maybe_unused]] const host::FileState state, State(path));
    return std::string(kGatheredPath) + (name.empty() ? "" : "/" + name);
  }

 private:
  // The name of what this path of the machine means, without "." and "..".
  static Result<std::string> NameOf(std::string_view path) {
    std::vector<std::string> parts;
    for (const std::string_view part : Split(path, '/')) {
      if (part.empty() || part == ".") continue;
      if (part == "..") {
        if (!parts.empty()) parts.pop_back();
      } else {
        parts.emplace_back(part);
      }
    }
    if (parts.empty() || "/" + parts.front() != kGatheredPath) return NotThere(path);
    parts.erase(parts.begin());
    return Join(parts, "/");
  }

  const std::shared_ptr<const Gathered> files_;
};

}  // namespace

GatheredFile GatherText(const std::string& name, std::string text) {
  return {name, std::make_shared<TextDirectory>(std::move(text)), name};
}

Result<std::unique_ptr<host::Files>> GatherFiles(std::vector<GatheredFile> files) {
  Gathered gathered;
  for (GatheredFile& file : files) {
    PLUMB_TRY(const std::string name, archive::CheckEntryName(file.name));
    file.name = name;
    if (!gathered.emplace(name, std::move(file)).second)
      return Error{ErrorKind::kInvalid, "two files are called '" + Printable(name) + "'"};
  }
  for (const auto& [name, file] : gathered) {
    const auto beneath = gathered.lower_bound(name + "/");
    if (beneath != gathered.end() && beneath->first.starts_with(name + "/"))
      return Error{ErrorKind::kInvalid,
                   "'" + Printable(name) + "' is a file and a directory at once"};
  }
  return std::unique_ptr<host::Files>(std::make_unique<GatheredMachine>(std::move(gathered)));
}

}  // namespace plumb::kit
