// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_UPLOADS_H_
#define PLUMB_REGISTRY_UPLOADS_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/digest.h"
#include "host/files.h"
#include "host/machine.h"

namespace plumb::registry {

// Which upload: of what, to where.
struct UploadName {
  std::string registry_host;
  std::string repository;
  Digest blob;
};

// Where one upload goes on, should this program end before it is done. All of it is best effort:
// what cannot be read or written costs bytes that are sent again.
// Threads: one at a time.
class UploadRecord {
 public:
  virtual ~UploadRecord() = default;
  // The address that was saved last, as it was; nobody has checked it.
  virtual std::optional<std::string> SavedSession() = 0;
  virtual void Save(const std::string& session) = 0;
  virtual void Erase() = 0;
};

// Keeps such records in a directory of this device. They may hold tokens: only its owner reads
// them. Format: docs/format.md, "Unfinished uploads". Threads: any number at once, of any
// processes.
class Uploads {
 public:
  virtual ~Uploads() = default;
  // Null if somebody is busy with this very upload.
  virtual std::unique_ptr<UploadRecord> Open(const UploadName& name) = 0;
};

// `directory` is made when there is something to keep. Both others must outlive it.
std::unique_ptr<Uploads> MakeUploads(host::Files& files, host::Clock& clock, std::string directory);

// The session in the text of a record; nothing if it is not one of this upload.
std::optional<std::string> ParseUploadRecord(std::string_view text, const UploadName& name);

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_UPLOADS_H_
