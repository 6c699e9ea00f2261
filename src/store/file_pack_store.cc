// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "store/pack_store.h"

namespace plumb::store {
namespace {

constexpr std::string_view kSuffix = ".pack";
constexpr std::string_view kAdoptedSuffix = ".file";

std::string FileOf(const PackName& name) { return name.ToString() + std::string(kSuffix); }

std::optional<PackName> NameOf(std::string_view file) {
  PackName name;
  if (!file.ends_with(kSuffix) && !file.ends_with(kAdoptedSuffix)) return std::nullopt;
  file = file.substr(0, file.rfind('.'));
  if (!DecodeHex(file, name.bytes)) return std::nullopt;
  return name;
}

class FilePackWriter final : public PackWriter {
 public:
  FilePackWriter(host::Directory& directory, const PackName& name, std::unique_ptr<host::File> file)
      : directory_(directory), name_(name), file_(std::move(file)) {
    file_->WillSync();
  }

  ~FilePackWriter() override {
    // Nobody refers to it: what cannot be removed now is litter.
    if (!is_finished_) [[maybe_unused]]
      const Status removed = directory_.Remove(FileOf(name_));
  }

  const PackName& name() const override { return name_; }

  Status Append(std::span<const ByteSpan> parts) override {
    for (const ByteSpan part : parts) {
      PLUMB_RETURN_IF_ERROR(file_->WriteAt(size_, part));
      size_ += part.size();
    }
    return Done{};
  }

  Status Finish() override {
    PLUMB_RETURN_IF_ERROR(file_->Sync());
    PLUMB_RETURN_IF_ERROR(directory_.Sync(""));
    is_finished_ = true;
    return Done{};
  }

 private:
  host::Directory& directory_;
  const PackName name_;
  const std::unique_ptr<host::File> file_;
  std::uint64_t size_ = 0;
  bool is_finished_ = false;
};

class FilePackReader final : public PackReader {
 public:
  FilePackReader(const PackName& name, PackKind kind, std::unique_ptr<host::File> file)
      : name_(name), kind_(kind), file_(std::move(file)) {}

  PackKind kind() const override { return kind_; }

  Result<std::uint64_t> Size() override {
    PLUMB_TRY(const host::FileState state, file_->State());
    return state.size;
  }

  Result<bool> IsShared() override {
    PLUMB_TRY(const host::FileState state, file_->State());
    return state.names > 1;
  }

  Status ReadAt(std::uint64_t offset, MutableByteSpan buffer) override {
    PLUMB_TRY(const std::size_t size, file_->ReadAt(offset, buffer));
    if (size == buffer.size()) return Done{};
    return Error{ErrorKind::kCorrupt, "pack '" + name_.ToString() + "' is cut short"};
  }

 private:
  const PackName name_;
  const PackKind kind_;
  const std::unique_ptr<host::File> file_;
};

class FilePackStore final : public PackStore {
 public:
  FilePackStore(host::Directory& directory, host::Entropy& entropy)
      : directory_(directory), entropy_(entropy) {}

  Result<std::unique_ptr<PackWriter>> Create() override {
    PackName name;
    entropy_.Fill(name.bytes);
    PLUMB_TRY(auto file, directory_.Open(FileOf(name), host::OpenHow::kCreateNew));
    return std::unique_ptr<PackWriter>(
        std::make_unique<FilePackWriter>(directory_, name, std::move(file)));
  }

  Status MakeDurable(const PackName& name) override {
    PLUMB_TRY(const auto file, directory_.Open(FileOf(name), host::OpenHow::kReadWrite));
    PLUMB_RETURN_IF_ERROR(file->Sync());
    return directory_.Sync("");
  }

  Result<std::unique_ptr<PackReader>> Open(const PackName& name) override {
    PackKind kind = PackKind::kFrames;
    auto file = directory_.Open(FileOf(name), host::OpenHow::kRead);
    if (!file && file.error().kind == ErrorKind::kNotFound) {
      kind = PackKind::kAdopted;
      file = directory_.Open(AdoptedFileName(name), host::OpenHow::kRead);
    }
    if (!file) return std::move(file).error();
    return std::unique_ptr<PackReader>(
        std::make_unique<FilePackReader>(name, kind, *std::move(file)));
  }

  Result<std::vector<PackName>> List() override {
    PLUMB_TRY(const auto entries, directory_.List(""));
    std::vector<PackName> names;
    for (const host::DirectoryEntry& entry : entries)
      if (const auto name = NameOf(entry.name)) names.push_back(*name);
    std::sort(names.begin(), names.end());
    return names;
  }

  Status Remove(const PackName& name) override {
    for (const std::string& file : {FileOf(name), AdoptedFileName(name)}) {
      Status removed = directory_.Remove(file);
      if (!removed && removed.error().kind != ErrorKind::kNotFound) return removed;
    }
    return Done{};
  }

 private:
  host::Directory& directory_;
  host::Entropy& entropy_;
};

}  // namespace

std::string AdoptedFileName(const PackName& name) {
  return name.ToString() + std::string(kAdoptedSuffix);
}

std::string PackName::ToString() const { return EncodeHex(bytes); }

std::unique_ptr<PackStore> MakeFilePackStore(host::Directory& directory, host::Entropy& entropy) {
  return std::make_unique<FilePackStore>(directory, entropy);
}

}  // namespace plumb::store
