// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TESTS_WORKBENCH_H_
#define PLUMB_TESTS_WORKBENCH_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "archive/tar_writer.h"
#include "host/machine.h"
#include "kit/base_resolver.h"
#include "kit/build.h"
#include "kit/modelkit.h"
#include "kit/unpack.h"
#include "oci/manifest.h"
#include "oci/modelpack.h"
#include "store/store.h"
#include "tests/temporary_directory.h"

namespace plumb {

// Keeps what it is told, and may do something when a piece of work begins.
class RecordingProgress final : public Progress {
 public:
  std::unique_ptr<ProgressTask> Begin(std::string_view name, std::uint64_t /*expected*/) override {
    const std::lock_guard lock(mutex_);
    begun.emplace_back(name);
    if (on_begin) on_begin();
    return std::make_unique<Task>(*this);
  }
  void Warn(std::string_view text) override {
    const std::lock_guard lock(mutex_);
    warnings.emplace_back(text);
  }
  void Note(std::string_view /*text*/) override {}
  bool StopRequested() const override { return stop; }

  bool Warned(std::string_view part) const {
    return std::ranges::any_of(warnings, [&](const std::string& warning) {
      return warning.find(part) != std::string::npos;
    });
  }

  std::vector<std::string> begun;
  std::vector<std::string> warnings;
  std::function<void()> on_begin;
  std::function<void()> on_advance;
  std::atomic<bool> stop = false;

 private:
  class Task final : public ProgressTask {
   public:
    explicit Task(RecordingProgress& progress) : progress_(progress) {}
    void Advance(std::uint64_t /*bytes*/) override {
      if (progress_.on_advance) progress_.on_advance();
    }

   private:
    RecordingProgress& progress_;
  };

  std::mutex mutex_;
};

// A home directory of the test's choice, and nothing else.
class HomeOnly final : public host::Environment {
 public:
  explicit HomeOnly(std::string home) : home_(std::move(home)) {}
  std::optional<std::string> Get(const std::string& /*name*/) override { return std::nullopt; }
  Result<std::string> HomeDirectory() override { return home_; }
  std::string WorkingDirectory() override { return home_; }
  unsigned ProcessorCount() override { return 2; }

 private:
  std::string home_;
};

// A layer as an enemy or another tool might have made it.
struct HandMadeLayer {
  std::string media_type;
  std::string bytes;
  oci::Annotations annotations = {};
};

// A real store, and directories to build from and unpack to: context/, home/ and target/.
class Workbench {
 public:
  Workbench() : environment_(path() + "/home") {
    for (const char* name : {"context", "home", "target"})
      std::filesystem::create_directory(path() + "/" + name);
    auto opened = store::OpenStore(*files_, *clock_, *entropy_, path() + "/store");
    EXPECT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
    bases_ = kit::MakeStoreResolver(*store_);
  }

  const std::string& path() const { return directory_.path(); }
  const TemporaryDirectory& directory() const { return directory_; }
  store::Store& store() { return *store_; }
  kit::BaseResolver& bases() { return *bases_; }
  RecordingProgress& progress() { return progress_; }
  host::Files& files() { return *files_; }

  // Writes a file of the context.
  void Write(const std::string& name, const std::string& text) const {
    directory_.Write("context/" + name, text);
  }
  std::filesystem::path Context(const std::string& name) const {
    return path() + "/context/" + name;
  }
  std::filesystem::path Target(const std::string& name) const { return path() + "/target/" + name; }
  std::string ReadTarget(const std::string& name) const {
    return directory_.Read("target/" + name);
  }

  // Everything in a directory of the workbench, in order: "name", with "/" behind directories.
  std::vector<std::string> List(const std::string& name = "target") const {
    std::vector<std::string> names;
    const std::filesystem::path root = path() + "/" + name;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
      names.push_back(entry.path().lexically_relative(root).string() +
                      (entry.is_directory() ? "/" : ""));
    std::ranges::sort(names);
    return names;
  }

  Result<kit::BuildReport> BuildFrom(const std::string& directory,
                                     const kit::BlueprintText& blueprint,
                                     const kit::BuildOptions& options = {}) {
    return BuildIn(*files_, path() + "/" + directory, blueprint, options);
  }
  // Of files that need not be this machine's.
  Result<kit::BuildReport> BuildIn(host::Files& files, const std::string& directory,
                                   const kit::BlueprintText& blueprint,
                                   const kit::BuildOptions& options) {
    PLUMB_TRY(const auto opened, files.OpenDirectory(directory, host::IfMissing::kFail));
    const kit::BuildContext context = {files,        *opened, directory, *clock_,
                                       environment_, *store_, *bases_};
    return kit::Build(context, blueprint, options, progress_);
  }
  Result<kit::BuildReport> BuildKitfile(const std::string& text,
                                        const kit::BuildOptions& options = {}) {
    return BuildFrom("context", {kit::BlueprintKind::kKitfile, "Kitfile", "Kitfile", text},
                     options);
  }
  Result<kit::BuildReport> BuildModelfile(const std::string& text,
                                          const kit::BuildOptions& options = {}) {
    return BuildFrom("context", {kit::BlueprintKind::kModelfile, "Modelfile", "Modelfile", text},
                     options);
  }

  Result<kit::UnpackReport> Unpack(const Digest& id, const kit::UnpackOptions& options = {}) {
    PLUMB_TRY(const kit::ModelKit modelkit, kit::LoadModelKit(*store_, id));
    PLUMB_TRY(const auto target, files_->OpenDirectory(path() + "/target", host::IfMissing::kFail));
    return kit::Unpack({*store_, *bases_, *target}, modelkit, options, progress_);
  }

  Digest PutBlob(const std::string& bytes, store::Shape shape = store::Shape::kTar) {
    const auto session = store_->Begin();
    const auto writer = *session->CreateBlob(shape);
    EXPECT_TRUE(writer->Write(AsBytes(bytes)));
    const store::BlobInfo info = *writer->Finish();
    EXPECT_TRUE(session->Commit());
    return info.digest;
  }

  // A ModelKit of such a config and layers, whatever they are.
  Digest PutKit(const std::string& config, const std::vector<HandMadeLayer>& layers) {
    std::vector<oci::Descriptor> descriptors;
    for (const HandMadeLayer& layer : layers)
      descriptors.push_back(
          {layer.media_type, PutBlob(layer.bytes), layer.bytes.size(), layer.annotations});
    const oci::Descriptor named = {std::string(oci::kModelKitConfigMediaType), PutBlob(config),
                                   config.size()};
    return PutBlob(oci::WriteManifest(named, descriptors));
  }

  // A ModelPack as another tool might have made it; without `diff_ids`, those of its layers.
  Digest PutModelPack(const std::vector<HandMadeLayer>& layers, std::vector<Digest> diff_ids = {},
                      oci::ModelPackConfig config = {}) {
    Json list = Json::MakeArray();
    const bool is_honest = diff_ids.empty();
    for (const HandMadeLayer& layer : layers) {
      const Digest digest = PutBlob(layer.bytes);
      list.Add(
          oci::DescriptorToJson({layer.media_type, digest, layer.bytes.size(), layer.annotations}));
      if (is_honest) diff_ids.push_back(digest);
    }
    config.diff_ids = std::move(diff_ids);
    const std::string bytes = oci::WriteModelPackConfig(config);
    Json json = Json::MakeObject();
    json.Append("schemaVersion", Json::Uint(2));
    json.Append("mediaType", Json::String(oci::kManifestMediaType));
    json.Append("artifactType", Json::String(oci::kModelPackArtifactType));
    json.Append("config", oci::DescriptorToJson({std::string(oci::kModelPackConfigMediaType),
                                                 PutBlob(bytes), bytes.size()}));
    json.Append("layers", std::move(list));
    return PutBlob(WriteJson(json, JsonStyle::kCompact));
  }

 private:
  TemporaryDirectory directory_;
  HomeOnly environment_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<kit::BaseResolver> bases_;
  RecordingProgress progress_;
};

inline constexpr char kModelTar[] = "application/vnd.kitops.modelkit.model.v1.tar";
inline constexpr char kCodeTar[] = "application/vnd.kitops.modelkit.code.v1.tar";

// One entry of a hand-made archive, and its content.
inline std::string TarFile(const std::string& name, const std::string& text,
                           std::uint32_t mode = 0644) {
  const auto header = archive::TarHeader({name, archive::TarEntryType::kFile, mode, text.size()});
  EXPECT_TRUE(header);
  return *header + text + std::string(archive::TarPadding(text.size()), '\0');
}
inline std::string TarDirectory(const std::string& name) {
  const auto header = archive::TarHeader({name, archive::TarEntryType::kDirectory, 0755, 0});
  EXPECT_TRUE(header);
  return *header;
}

}  // namespace plumb

#endif  // PLUMB_TESTS_WORKBENCH_H_
