// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TESTS_SIM_FAULTY_FILES_H_
#define PLUMB_TESTS_SIM_FAULTY_FILES_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/files.h"

// A disk that fails. In front of the real one stands a counter of the calls that change something;
// the one with a chosen number, and all after it, fail: as on a full disk, or as if the process
// had ended there.
namespace plumb::host {

struct Faults {
  std::atomic<std::int64_t> calls_left = 0;  // before the first that fails
  ErrorKind kind = ErrorKind::kExhausted;

  Status Next() {
    if (--calls_left >= 0) return Done{};
    return Error{kind, "the disk is full (simulated)"};
  }
};

class FaultyFile final : public File {
 public:
  FaultyFile(Faults& faults, std::unique_ptr<File> file)
      : faults_(faults), file_(std::move(file)) {}

  Result<std::size_t> ReadAt(std::uint64_t offset, MutableByteSpan buffer) override {
    return file_->ReadAt(offset, buffer);
  }
  Status WriteAt(std::uint64_t offset, ByteSpan bytes) override {
    if (Status status = faults_.Next(); !status) {
      // What a full disk does: some of it is there.
      [[maybe_unused]] const Status part = file_->WriteAt(offset, bytes.first(bytes.size() / 2));
      return status;
    }
    return file_->WriteAt(offset, bytes);
  }
  void WillSync() override { file_->WillSync(); }
  Status Truncate(std::uint64_t size) override {
    PLUMB_RETURN_IF_ERROR(faults_.Next());
    return file_->Truncate(size);
  }
  Status Sync() override {
    PLUMB_RETURN_IF_ERROR(faults_.Next());
    return file_->Sync();
  }
  Result<FileState> State() override { return file_->State(); }
  Result<std::unique_ptr<FileLock>> Lock(LockKind kind, std::uint64_t timeout_ms,
                                         LockRange range) override {
    return file_->Lock(kind, timeout_ms, range);
  }

 private:
  Faults& faults_;
  const std::unique_ptr<File> file_;
};

class FaultyDirectory final : public Directory {
 public:
  FaultyDirectory(Faults& faults, std::unique_ptr<Directory> directory)
      : faults_(faults), directory_(std::move(directory)) {}

  Result<std::unique_ptr<File>> Open(std::string_view path, OpenHow how,
                                     std::uint32_t mode) override {
    if (how == OpenHow::kCreate || how == OpenHow::kCreateNew)
      PLUMB_RETURN_IF_ERROR(faults_.Next());
    PLUMB_TRY(auto file, directory_->Open(path, how, mode));
    return std::unique_ptr<File>(std::make_unique<FaultyFile>(faults_, std::move(file)));
  }
  Result<FileState> State(std::string_view path) override { return directory_->State(path); }
  Result<std::vector<DirectoryEntry>> List(std::string_view path) override {
    return directory_->List(path);
  }
  Status MakeDirectory(std::string_view path, std::uint32_t mode) override {
    PLUMB_RETURN_IF_ERROR(faults_.Next());
    return directory_->MakeDirectory(path, mode);
  }
  Status Rename(std::string_view source, std::string_view target, Overwrite overwrite) override {
    PLUMB_RETURN_IF_ERROR(faults_.Next());
    return directory_->Rename(source, target, overwrite);
  }
  Status Remove(std::string_view path) override { return directory_->Remove(path); }
  Status Sync(std::string_view path) override {
    PLUMB_RETURN_IF_ERROR(faults_.Next());
    return directory_->Sync(path);
  }

 private:
  Faults& faults_;
  const std::unique_ptr<Directory> directory_;
};

class FaultyFiles final : public Files {
 public:
  explicit FaultyFiles(Faults& faults) : faults_(faults), files_(MakeFiles()) {}

  Result<std::unique_ptr<Directory>> OpenDirectory(const std::string& path, IfMissing if_missing,
                                                   std::uint32_t mode) override {
    PLUMB_TRY(auto directory, files_->OpenDirectory(path, if_missing, mode));
    return std::unique_ptr<Directory>(
        std::make_unique<FaultyDirectory>(faults_, std::move(directory)));
  }
  Result<FileState> State(const std::string& path) override { return files_->State(path); }
  Result<std::string> Canonical(const std::string& path) override {
    return files_->Canonical(path);
  }

 private:
  Faults& faults_;
  const std::unique_ptr<Files> files_;
};

}  // namespace plumb::host

#endif  // PLUMB_TESTS_SIM_FAULTY_FILES_H_
