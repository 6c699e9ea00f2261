// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "registry/connect.h"
#include "tests/sim/faulty_files.h"
#include "tests/temporary_directory.h"

// A push into a layout on a disk that fails at each of its calls in turn: the tag means the old
// manifest or the new one, whatever has a blob's name is that blob, and the push can be repeated.
namespace plumb::registry {
namespace {

constexpr std::int64_t kNever = std::int64_t{1} << 40;

oci::Descriptor Describe(std::string_view bytes) {
  return {std::string(oci::kManifestMediaType), Sha256(AsBytes(bytes)), bytes.size()};
}

Status Push(host::Files& files, const std::string& path, const std::string& layer) {
  const auto remote = OpenLayout(files, path);
  SilentProgress silent;
  const auto open = [&](std::uint64_t) -> Result<std::unique_ptr<ByteSource>> {
    return std::unique_ptr<ByteSource>(std::make_unique<MemorySource>(AsBytes(layer)));
  };
  PLUMB_RETURN_IF_ERROR(remote->PushBlob(Describe(layer), open, silent));
  const std::string manifest = oci::WriteManifest(Describe(layer), {});
  return remote->PushManifest(Describe(manifest), manifest, "latest");
}

// The bytes that the tag leads to.
Result<std::string> Pull(host::Files& files, const std::string& path) {
  const auto remote = OpenLayout(files, path);
  PLUMB_TRY(const RemoteManifest fetched, remote->FetchManifest("latest", std::nullopt));
  PLUMB_TRY(const oci::Manifest manifest, oci::Manifest::Parse(fetched.bytes));
  MemorySink sink(1000);
  SilentProgress silent;
  PLUMB_RETURN_IF_ERROR(remote->FetchBlob(manifest.config, 0, sink, silent));
  return std::move(sink).TakeText();
}

// `before`: what is there when the disk begins to fail; empty for no layout.
void FailAtEachCall(const std::string& before, int failures_min) {
  int failures = 0;
  for (std::int64_t calls = 0;; ++calls) {
    const TemporaryDirectory temporary;
    const std::string path = temporary.path() + "/layout";
    host::Faults faults;
    host::FaultyFiles files(faults);
    faults.calls_left = kNever;
    if (!before.empty()) {
      ASSERT_TRUE(Push(files, path, before));
    }
    faults.calls_left = calls;
    const Status pushed = Push(files, path, "new");
    faults.calls_left = kNever;
    const auto pulled = Pull(files, path);
    if (pushed) {
      EXPECT_EQ(*pulled, "new");
      break;
    }
    ++failures;
    EXPECT_EQ(pushed.error().kind, ErrorKind::kExhausted) << pushed.error().message;
    if (pulled) {
      EXPECT_TRUE(*pulled == before || *pulled == "new") << calls;
    } else {
      EXPECT_TRUE(before.empty()) << calls << ": " << pulled.error().message;
      EXPECT_EQ(pulled.error().kind, ErrorKind::kNotFound) << calls;
    }
    const std::string blob = "layout/blobs/sha256/" + Describe("new").digest.ToHex();
    if (std::filesystem::exists(temporary.path() + "/" + blob)) {
      EXPECT_EQ(temporary.Read(blob), "new") << calls;
    }
    ASSERT_TRUE(Push(files, path, "new")) << calls;
    EXPECT_EQ(*Pull(files, path), "new") << calls;
  }
  EXPECT_GE(failures, failures_min);
}

// Blob, manifest and index: each is created, written, synced, renamed, and its name synced.
TEST(FaultyLayoutTest, ATagMeansTheOldOrTheNew) { FailAtEachCall("old", 15); }

// Before them directories, the first index and the marker.
TEST(FaultyLayoutTest, ANewLayoutIsMadeOrNot) { FailAtEachCall("", 25); }

}  // namespace
}  // namespace plumb::registry
