// SPDX-License-Identifier: MIT OR Apache-2.0
#include "registry/uploads.h"

#include <algorithm>
#include <utility>

namespace plumb::registry {
namespace {

constexpr std::uint32_t kDirectoryMode = 0700;
constexpr std::uint32_t kFileMode = 0600;
constexpr std::size_t kRecordSizeMax = std::size_t{16} << 10;
constexpr std::int64_t kAgeMaxNs = std::int64_t{14} * 24 * 3600 * 1'000'000'000;

std::string HeadOf(const UploadName& name) {
  return "plumb-upload 1\nregistry " + name.registry_host + "\nrepository " + name.repository +
         "\nblob " + name.blob.ToString() + "\nsession ";
}

std::string FileOf(const UploadName& name) {
  return Sha256(AsBytes(name.registry_host + "\n" + name.repository + "\n" + name.blob.ToString() +
                        "\n"))
      .ToHex();
}

class FileRecord final : public UploadRecord {
 public:
  FileRecord(host::Files& files, std::string directory, UploadName name)
      : files_(files), directory_path_(std::move(directory)), name_(std::move(name)) {}

  // Locks the record if there is one. False if somebody else has it.
  bool Take() {
    auto directory = files_.OpenDirectory(directory_path_, host::IfMissing::kFail);
    if (!directory) return true;
    directory_ = *std::move(directory);
    auto file = directory_->Open(FileOf(name_), host::OpenHow::kReadWrite);
    if (!file) return true;
    return Lock(*std::move(file));
  }

  std::optional<std::string> SavedSession() override {
    if (file_ == nullptr) return std::nullopt;
    std::string text(kRecordSizeMax, '\0');
    const auto size = file_->ReadAt(0, std::as_writable_bytes(std::span(text)));
    if (!size) return std::nullopt;
    return ParseUploadRecord(std::string_view(text).substr(0, *size), name_);
  }

  void Save(const std::string& session) override {
    const std::string text = HeadOf(name_) + session + "\n";
    if (text.size() > kRecordSizeMax || !MakeFile()) return;
    // Whole at every moment: what is left of a longer one stands behind the end.
    if (file_->WriteAt(0, AsBytes(text))) [[maybe_unused]]
      const Status cut = file_->Truncate(text.size());
  }

  void Erase() override {
    if (file_ == nullptr) return;
    // One that stays is found to be of no use.
    [[maybe_unused]] const Status removed = directory_->Remove(FileOf(name_));
    lock_.reset();
    file_.reset();
  }

 private:
  bool MakeFile() {
    if (file_ != nullptr) return true;
    auto directory =
        files_.OpenDirectory(directory_path_, host::IfMissing::kCreate, kDirectoryMode);
    if (!directory) return false;
    directory_ = *std::move(directory);
    auto file = directory_->Open(FileOf(name_), host::OpenHow::kCreateNew, kFileMode);
    return file && Lock(*std::move(file));
  }

  bool Lock(std::unique_ptr<host::File> file) {
    auto lock = file->Lock(host::LockKind::kExclusive, 0);
    if (!lock) return false;
    file_ = std::move(file);
    lock_ = *std::move(lock);
    return true;
  }

  host::Files& files_;
  const std::string directory_path_;
  const UploadName name_;
  std::unique_ptr<host::Directory> directory_;
  std::unique_ptr<host::File> file_;
  std::unique_ptr<host::FileLock> lock_;
};

class FileUploads final : public Uploads {
 public:
  FileUploads(host::Files& files, host::Clock& clock, std::string directory)
      : files_(files), clock_(clock), directory_(std::move(directory)) {}

  std::unique_ptr<UploadRecord> Open(const UploadName& name) override {
    RemoveOld();
    auto record = std::make_unique<FileRecord>(files_, directory_, name);
    if (!record->Take()) return nullptr;
    return record;
  }

 private:
  // No registry keeps a session that long.
  void RemoveOld() {
    const auto directory = files_.OpenDirectory(directory_, host::IfMissing::kFail);
    if (!directory) return;
    const auto entries = (*directory)->List("");
    if (!entries) return;
    for (const host::DirectoryEntry& entry : *entries) {
      const auto state = (*directory)->State(entry.name);
      if (state && state->modified_ns < clock_.NowNs() - kAgeMaxNs) [[maybe_unused]]
        const Status removed = (*directory)->Remove(entry.name);
    }
  }

  host::Files& files_;
  host::Clock& clock_;
  const std::string directory_;
};

}  // namespace

std::optional<std::string> ParseUploadRecord(std::string_view text, const UploadName& name) {
  const std::string head = HeadOf(name);
  if (text.size() > kRecordSizeMax || !text.starts_with(head)) return std::nullopt;
  const std::string_view rest = text.substr(head.size());
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  const std::string_view session = rest.substr(0, end);
  const bool is_ascii = std::ranges::all_of(session, [](char c) { return c > ' ' && c < 0x7F; });
  return is_ascii ? std::optional<std::string>(session) : std::nullopt;
}

std::unique_ptr<Uploads> MakeUploads(host::Files& files, host::Clock& clock,
                                     std::string directory) {
  return std::make_unique<FileUploads>(files, clock, std::move(directory));
}

}  // namespace plumb::registry
