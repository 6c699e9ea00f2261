// SPDX-License-Identifier: MIT OR Apache-2.0
// A manifest of Ollama's, all of whose blobs are the text behind the first line. Whatever becomes
// of it is a Kitfile and a Modelfile that read back, and name no file but those of the store.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/check.h"
#include "blueprint/kitfile.h"
#include "blueprint/modelfile.h"
#include "host/read_only.h"
#include "kit/foreign_model.h"
#include "kit/gathered_files.h"

namespace plumb {
namespace {

// For blobs that are no config: its digest may stand in a manifest too.
constexpr std::string_view kEmptyConfig = "{}";

class MemoryFile final : public host::ReadOnlyFile {
 public:
  explicit MemoryFile(std::string text) : text_(std::move(text)) {}
  Result<std::size_t> ReadAt(std::uint64_t offset, MutableByteSpan buffer) override {
    if (offset >= text_.size()) return std::size_t{0};
    const auto rest = AsBytes(text_).subspan(static_cast<std::size_t>(offset));
    const std::size_t size = std::min(rest.size(), buffer.size());
    std::copy_n(rest.begin(), size, buffer.begin());
    return size;
  }
  Result<host::FileState> State() override {
    host::FileState state;
    state.type = host::FileType::kRegular;
    state.size = text_.size();
    return state;
  }

 private:
  const std::string text_;
};

struct Store {
  std::string manifest;
  std::string blob;
};

class MemoryStore final : public host::ReadOnlyDirectory {
 public:
  explicit MemoryStore(Store store) : store_(std::move(store)) {}
  Result<std::unique_ptr<host::File>> Open(std::string_view path, host::OpenHow /*how*/,
                                           std::uint32_t /*mode*/) override {
    // Nothing else may be asked for.
    PLUMB_CHECK(path.starts_with("manifests/h/n/m/t") || path.starts_with("blobs/sha256-"));
    if (path.ends_with(Sha256(AsBytes(kEmptyConfig)).ToHex()))
      return std::unique_ptr<host::File>(std::make_unique<MemoryFile>(std::string(kEmptyConfig)));
    return std::unique_ptr<host::File>(std::make_unique<MemoryFile>(
        path.starts_with("manifests/") ? store_.manifest : store_.blob));
  }
  Result<host::FileState> State(std::string_view path) override {
    PLUMB_TRY(const auto file, Open(path, host::OpenHow::kRead, 0));
    return file->State();
  }
  Result<std::vector<host::DirectoryEntry>> List(std::string_view /*path*/) override {
    return host::CannotChange();
  }

 private:
  const Store store_;
};

class MemoryMachine final : public host::Files {
 public:
  explicit MemoryMachine(Store store) : store_(std::move(store)) {}
  Result<std::unique_ptr<host::Directory>> OpenDirectory(const std::string& /*path*/,
                                                         host::IfMissing /*if_missing*/,
                                                         std::uint32_t /*mode*/) override {
    return std::unique_ptr<host::Directory>(std::make_unique<MemoryStore>(store_));
  }
  Result<host::FileState> State(const std::string& /*path*/) override {
    return host::CannotChange();
  }
  Result<std::string> Canonical(const std::string& path) override { return path; }

 private:
  const Store store_;
};

}  // namespace
}  // namespace plumb

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(bytes.find('\n'), bytes.size());
  if (const auto name = oci::OllamaName::Parse(bytes.substr(0, line)))
    PLUMB_CHECK(oci::OllamaName::Parse(name->ToString()) == *name);
  const std::string blob(bytes.substr(std::min(line + 1, bytes.size())));
  // The digest of the blob cannot be found by chance: '$' stands for it.
  std::string manifest(bytes.substr(0, line));
  const std::string digest = Sha256(AsBytes(blob)).ToString();
  for (std::size_t at = manifest.find('$'); at != std::string::npos;
       at = manifest.find('$', at + 71))
    manifest.replace(at, 1, digest);
  MemoryMachine machine({manifest, blob});
  SilentProgress silent;
  const auto model =
      kit::ReadOllamaModel(machine, "store", *oci::OllamaName::Parse("h/n/m:t"), silent);
  if (!model) {
    PLUMB_CHECK(!model.error().message.empty());
    return 0;
  }
  const auto kitfile =
      blueprint::ParseKitfile(model->blueprint.bytes, "Kitfile", blueprint::KitRules::kOurs);
  PLUMB_CHECK(kitfile.has_value());
  PLUMB_CHECK(kitfile->model->path == "model.gguf");
  const auto directory = model->files->OpenDirectory(kit::kGatheredPath, host::IfMissing::kFail);
  PLUMB_CHECK(directory.has_value());
  const auto text = host::ReadFile(**directory, "Modelfile", std::uint64_t{1} << 30);
  PLUMB_CHECK(text.has_value());
  const auto read = blueprint::ParseModelfile(*text, "Modelfile");
  PLUMB_CHECK(read.has_value());
  for (const blueprint::ModelfileCommand& command : read->commands)
    PLUMB_CHECK(command.name != "model" || command.args.starts_with("./"));
  return 0;
}
