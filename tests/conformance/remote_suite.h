// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TESTS_CONFORMANCE_REMOTE_SUITE_H_
#define PLUMB_TESTS_CONFORMANCE_REMOTE_SUITE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "oci/media_types.h"
#include "registry/remote.h"

// What every Remote must do. An implementation instantiates it with a function that makes an
// empty repository: see layout_remote_test.cc.
namespace plumb::registry {

struct RemoteFixture {
  virtual ~RemoteFixture() = default;
  virtual Remote& remote() = 0;
  // As another process would see it.
  virtual std::unique_ptr<Remote> Reopened() = 0;
};
using MakeRemoteFixture = std::function<std::unique_ptr<RemoteFixture>()>;

// Adds up what is reported, and stops on demand.
class CountingProgress final : public Progress {
 public:
  std::unique_ptr<ProgressTask> Begin(std::string_view /*name*/,
                                      std::uint64_t bytes_expected) override {
    expected += bytes_expected;
    return std::make_unique<Task>(*this);
  }
  void Warn(std::string_view /*text*/) override {}
  void Note(std::string_view /*text*/) override {}
  bool StopRequested() const override { return is_stopped; }

  std::atomic<std::uint64_t> expected = 0;
  std::atomic<std::uint64_t> done = 0;
  std::atomic<bool> is_stopped = false;

 private:
  class Task final : public ProgressTask {
   public:
    explicit Task(CountingProgress& progress) : progress_(progress) {}
    void Advance(std::uint64_t bytes) override { progress_.done += bytes; }

   private:
    CountingProgress& progress_;
  };
};

// Fails at the first byte, as a full disk would.
class FullSink final : public ByteSink {
 public:
  Status Write(ByteSpan /*bytes*/) override {
    return Error{ErrorKind::kExhausted, "the sink is full"};
  }
};

// The bytes from an offset on, as a store gives them.
class TextSource final : public ByteSource {
 public:
  TextSource(std::string text, std::uint64_t offset)
      : text_(std::move(text)), source_(AsBytes(text_).subspan(static_cast<std::size_t>(offset))) {}
  Result<ByteSpan> Read(std::size_t size_max) override { return source_.Read(size_max); }

 private:
  const std::string text_;
  MemorySource source_;
};

inline oci::Descriptor Describe(std::string_view bytes) {
  return {"application/vnd.kitops.modelkit.model.v1.tar", Sha256(AsBytes(bytes)), bytes.size()};
}
inline Remote::OpenBlob Opening(const std::string& bytes) {
  return [bytes](std::uint64_t offset) -> Result<std::unique_ptr<ByteSource>> {
    return std::unique_ptr<ByteSource>(std::make_unique<TextSource>(bytes, offset));
  };
}

class RemoteSuite : public testing::TestWithParam<MakeRemoteFixture> {
 protected:
  RemoteSuite() : fixture_(GetParam()()) {}

  Remote& remote() { return fixture_->remote(); }

  Status Push(const std::string& bytes) {
    return remote().PushBlob(Describe(bytes), Opening(bytes), progress_);
  }
  static Result<std::string> Fetch(Remote& remote, const oci::Descriptor& blob,
                                   std::uint64_t offset = 0) {
    MemorySink sink(std::size_t{64} << 20);
    SilentProgress silent;
    PLUMB_RETURN_IF_ERROR(remote.FetchBlob(blob, offset, sink, silent));
    return std::move(sink).TakeText();
  }
  // A manifest with one layer, all of it pushed but the manifest itself.
  std::string ManifestOf(const std::string& layer) {
    const std::string config = R"({"manifestVersion":"1.0.0"})";
    EXPECT_TRUE(Push(layer));
    EXPECT_TRUE(Push(config));
    oci::Descriptor described = Describe(config);
    described.media_type = oci::kModelKitConfigMediaType;
    return oci::WriteManifest(described, {Describe(layer)});
  }
  static oci::Descriptor DescribeManifest(std::string_view bytes) {
    return {std::string(oci::kManifestMediaType), Sha256(AsBytes(bytes)), bytes.size()};
  }
  Status PushManifest(const std::string& bytes, std::string_view tag) {
    return remote().PushManifest(DescribeManifest(bytes), bytes, tag);
  }

  std::unique_ptr<RemoteFixture> fixture_;
  CountingProgress progress_;
};

}  // namespace plumb::registry

#endif  // PLUMB_TESTS_CONFORMANCE_REMOTE_SUITE_H_
