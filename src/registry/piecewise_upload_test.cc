// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "oci/manifest.h"
#include "registry/connect.h"
#include "registry/piecewise_upload_internal.h"
#include "tests/fake_registry.h"
#include "tests/temporary_directory.h"

// Sending a blob in pieces, to registries that keep sessions, lose them, or lie about them.
namespace plumb::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kOrigin = "https://registry.example.org";
const std::string kUploads = kOrigin + "/v2/models/tiny/blobs/uploads/";

// A registry that takes uploads; its faults are in `on_patch` and `on_get`.
class UploadRegistry {
 public:
  explicit UploadRegistry(FakeHttp& http) : http_(http) {
    http.On("POST " + kUploads, [this](const Asked&) {
      ++posts;
      bytes.clear();
      return Answer(NewLocation());
    });
  }

  // Each address is good for one request only, as on docker-registry.
  std::string NewLocation() {
    const std::string path = "/v2/models/tiny/blobs/uploads/s" + std::to_string(++addresses_);
    const std::string newest = kOrigin + path;
    for (const char* method : {"PATCH", "GET", "PUT"}) {
      http_.On(std::string(method) + " " + newest, [this, method, newest](const Asked& asked) {
        if (newest != newest_) return FakeAnswer{404};
        const std::string name = method;
        return name == "PATCH" ? Patch(asked) : name == "GET" ? Get() : Put(asked);
      });
    }
    newest_ = newest;
    return path;
  }
  FakeAnswer Answer(const std::string& location) const {
    FakeAnswer answer = {202, {{"Location", location}, {"Range", Range()}}, {}};
    if (!min_length.empty()) answer.headers.emplace_back("OCI-Chunk-Min-Length", min_length);
    return answer;
  }
  std::string Range() const { return "0-" + std::to_string(bytes.empty() ? 0 : bytes.size() - 1); }

  std::string bytes;
  std::string min_length;
  int posts = 0;
  std::vector<std::string> ranges;  // of pieces
  std::function<std::optional<FakeAnswer>(const Asked&)> on_patch;
  std::function<std::optional<FakeAnswer>()> on_get;
  std::function<std::optional<FakeAnswer>()> on_put;

 private:
  FakeAnswer Patch(const Asked& asked) {
    ranges.push_back(asked.Header("Content-Range"));
    if (on_patch)
      if (auto answer = on_patch(asked)) return *answer;
    if (!ranges.back().starts_with(std::to_string(bytes.size()) + "-"))
      return {416, {{"Range", Range()}}, {}};
    bytes += asked.body;
    return Answer(NewLocation());
  }
  FakeAnswer Get() {
    if (on_get)
      if (auto answer = on_get()) return *answer;
    FakeAnswer answer = Answer(NewLocation());
    answer.status = 204;
    return answer;
  }
  FakeAnswer Put(const Asked& asked) {
    if (on_put)
      if (auto answer = on_put()) return *answer;
    const std::string digest = Sha256(AsBytes(bytes)).ToHex();
    return {asked.url.ends_with(digest) ? 201 : 400, {}, {}};
  }

  FakeHttp& http_;
  int addresses_ = 0;
  std::string newest_;
};

class PiecewiseUploadTest : public testing::Test {
 protected:
  PiecewiseUploadTest() { Connect(); }

  void Connect() {
    ConnectOptions options;
    options.upload_whole_max = 10;
    options.upload_piece_size = 100;
    options.certificates.client_certificate = "me.pem";
    Network network = world_.network();
    network.uploads = uploads_.get();
    remote_ = *ConnectRegistry(network, "registry.example.org", "models/tiny", options);
  }
  Status Push() {
    opened_.clear();
    return remote_->PushBlob(
        blob_,
        [&](std::uint64_t offset) -> Result<std::unique_ptr<ByteSource>> {
          opened_.push_back(offset);
          return std::unique_ptr<ByteSource>(
              std::make_unique<MemorySource>(AsBytes(bytes_).subspan(offset)));
        },
        world_.progress);
  }
  std::string RecordPath() const {
    return "uploads/" +
           Sha256(AsBytes("registry.example.org\nmodels/tiny\n" + blob_.digest.ToString() + "\n"))
               .ToHex();
  }
  bool HasRecord() const { return std::filesystem::exists(temporary_.path() + "/" + RecordPath()); }
  // The same, and all others are stopped: Ctrl-C.
  void StopAfter(std::size_t pieces) {
    registry_.on_patch = [this, pieces](const Asked&) -> std::optional<FakeAnswer> {
      world_.progress.is_stopped = registry_.ranges.size() == pieces;
      return std::nullopt;
    };
  }

  const TemporaryDirectory temporary_;
  FakeWorld world_;
  UploadRegistry registry_{world_.http};
  const std::unique_ptr<host::Files> files_ = host::MakeFiles();
  const std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  const std::unique_ptr<Uploads> uploads_ =
      MakeUploads(*files_, *clock_, temporary_.path() + "/uploads");
  const std::string bytes_ = std::string(100, 'a') + std::string(100, 'b') + std::string(50, 'c');
  const oci::Descriptor blob_ = {"application/x", Sha256(AsBytes(bytes_)), bytes_.size()};
  std::unique_ptr<Remote> remote_;
  std::vector<std::uint64_t> opened_;
};

TEST_F(PiecewiseUploadTest, PiecesGoToTheNewestAddressFromOneReader) {
  const Status pushed = Push();
  ASSERT_TRUE(pushed) << pushed.error().message;
  EXPECT_EQ(registry_.bytes, bytes_);
  EXPECT_THAT(registry_.ranges, ElementsAre("0-99", "100-199", "200-249"));
  EXPECT_THAT(opened_, ElementsAre(0));
  EXPECT_FALSE(HasRecord());
}

TEST_F(PiecewiseUploadTest, ARegistryMayWantLongerPieces) {
  registry_.min_length = "120";
  ASSERT_TRUE(Push());
  EXPECT_THAT(registry_.ranges, ElementsAre("0-119", "120-239", "240-249"));
  registry_.ranges.clear();
  registry_.min_length = "18446744073709551615";
  ASSERT_TRUE(Push());
  EXPECT_THAT(registry_.ranges, ElementsAre("0-249"));
}

TEST_F(PiecewiseUploadTest, AfterCtrlCTheNextGoesOnBehindTheLastPiece) {
  StopAfter(2);
  EXPECT_EQ(Push().error().kind, ErrorKind::kInterrupted);
  EXPECT_THAT(registry_.bytes, SizeIs(200)) << "a piece that was begun is finished";
  ASSERT_TRUE(HasRecord());
  const auto state = *files_->State(temporary_.path() + "/" + RecordPath());
  EXPECT_EQ(state.mode, 0600U);
  world_.progress.is_stopped = false;
  Connect();
  ASSERT_TRUE(Push());
  EXPECT_EQ(registry_.bytes, bytes_);
  EXPECT_THAT(registry_.ranges, ElementsAre("0-99", "100-199", "200-249"));
  EXPECT_EQ(registry_.posts, 1);
  EXPECT_FALSE(HasRecord());
}

TEST_F(PiecewiseUploadTest, AfterABreakTheRegistryIsAskedHowFarItIs) {
  registry_.on_patch = [&](const Asked& asked) -> std::optional<FakeAnswer> {
    if (registry_.ranges.size() != 2) return std::nullopt;
    registry_.bytes += asked.body.substr(0, 30);
    return NoAnswer();
  };
  ASSERT_TRUE(Push());
  EXPECT_EQ(registry_.bytes, bytes_);
  EXPECT_THAT(registry_.ranges, ElementsAre("0-99", "100-199", "130-229", "230-249"));
  EXPECT_THAT(opened_, ElementsAre(0, 130));
}

TEST_F(PiecewiseUploadTest, ASessionThatIsGoneIsBegunAnew) {
  for (const int status : {400, 404, 410}) {
    registry_.posts = 0;
    registry_.ranges.clear();
    registry_.on_patch = [&, status](const Asked&) -> std::optional<FakeAnswer> {
      if (registry_.ranges.size() == 2) return FakeAnswer{status};
      return std::nullopt;
    };
    ASSERT_TRUE(Push()) << status;
    EXPECT_EQ(registry_.bytes, bytes_) << status;
    EXPECT_EQ(registry_.posts, 2) << status;
  }
  // And after a restart.
  StopAfter(registry_.ranges.size() + 1);
  EXPECT_FALSE(Push());
  world_.progress.is_stopped = false;
  registry_.on_patch = nullptr;
  for (const int status : {404, 400, 500}) {
    registry_.posts = 0;
    registry_.on_get = [status] { return FakeAnswer{status}; };
    Connect();
    ASSERT_TRUE(Push()) << status;
    EXPECT_EQ(registry_.bytes, bytes_) << status;
  }
}

TEST_F(PiecewiseUploadTest, ABusyRegistryKeepsItsSession) {
  for (const int status : {429, 503}) {
    registry_.posts = 0;
    registry_.ranges.clear();
    registry_.on_patch = [&, status](const Asked&) -> std::optional<FakeAnswer> {
      const std::size_t count = registry_.ranges.size();
      if (count >= 2 && count <= 5) return FakeAnswer{status};
      return std::nullopt;
    };
    ASSERT_TRUE(Push()) << status;
    EXPECT_EQ(registry_.bytes, bytes_) << status;
    EXPECT_EQ(registry_.posts, 1) << status;
  }
}

TEST_F(PiecewiseUploadTest, ButNotForEver) {
  registry_.on_patch = [](const Asked&) { return FakeAnswer{404}; };
  const Status pushed = Push();
  ASSERT_FALSE(pushed);
  EXPECT_THAT(pushed.error().message, HasSubstr("begun anew too often"));
  EXPECT_EQ(registry_.posts, 3);
  EXPECT_FALSE(HasRecord());
}

TEST_F(PiecewiseUploadTest, WhatIsRefusedIsNotSentAgain) {
  for (const auto& [status, kind] :
       {std::pair{403, ErrorKind::kDenied}, {413, ErrorKind::kExhausted}}) {
    registry_.ranges.clear();
    registry_.on_patch = [answer = status](const Asked&) { return FakeAnswer{answer}; };
    EXPECT_EQ(Push().error().kind, kind);
    EXPECT_THAT(registry_.ranges, SizeIs(1));
  }
}

TEST_F(PiecewiseUploadTest, WhoTakesNoPiecesGetsTheWhole) {
  registry_.on_patch = [](const Asked&) { return FakeAnswer{405}; };
  registry_.on_put = [] { return FakeAnswer{201}; };
  ASSERT_TRUE(Push());
  EXPECT_EQ(world_.http.asked().back().body, bytes_);
  EXPECT_FALSE(HasRecord());
}

TEST_F(PiecewiseUploadTest, WhatCameAfterAllIsNotSentAgain) {
  world_.http.On("HEAD " + kOrigin + "/v2/models/tiny/blobs/" + blob_.digest.ToString(), {{200}});
  registry_.on_put = [] { return NoAnswer(); };
  ASSERT_TRUE(Push());
  EXPECT_EQ(registry_.posts, 1);
  EXPECT_FALSE(HasRecord());
}

TEST_F(PiecewiseUploadTest, SomeHostsGetWholeBlobsOnly) {
  for (const std::string_view host : {"ghcr.io", "europe-docker.pkg.dev", "gcr.io", "eu.gcr.io:443",
                                      "1.dkr.ecr.eu-west-1.amazonaws.com"})
    EXPECT_TRUE(BreaksOnPieces(host)) << host;
  for (const std::string_view host : {"registry.example.org", "ghcr.io.example.org", "localhost"})
    EXPECT_FALSE(BreaksOnPieces(host)) << host;
}

TEST_F(PiecewiseUploadTest, TwoWhoSendTheSameDoNotShareASession) {
  StopAfter(1);
  EXPECT_FALSE(Push());
  world_.progress.is_stopped = false;
  registry_.on_patch = nullptr;
  const auto other = MakeUploads(*files_, *clock_, temporary_.path() + "/uploads");
  const auto taken = other->Open({"registry.example.org", "models/tiny", blob_.digest});
  ASSERT_NE(taken, nullptr);
  ASSERT_TRUE(taken->SavedSession());
  ASSERT_TRUE(Push());
  EXPECT_EQ(registry_.posts, 2);
  EXPECT_TRUE(HasRecord()) << "it is the other's";
}

TEST_F(PiecewiseUploadTest, OldRecordsGo) {
  temporary_.Write("uploads/old", "x");
  std::filesystem::last_write_time(
      temporary_.path() + "/uploads/old",
      std::filesystem::file_time_type::clock::now() - std::chrono::hours(15 * 24));
  temporary_.Write("uploads/new", "x");
  ASSERT_TRUE(Push());
  EXPECT_FALSE(std::filesystem::exists(temporary_.path() + "/uploads/old"));
  EXPECT_TRUE(std::filesystem::exists(temporary_.path() + "/uploads/new"));
}

// The rest are attacks: a registry, or who changed a record.

TEST_F(PiecewiseUploadTest, AnOffsetThatCannotBeIsNotBelieved) {
  for (const std::string range :
       {"0-250", "0-18446744073709551615", "5-9", "nonsense", "", "0-199"}) {
    registry_.posts = 0;
    registry_.ranges.clear();
    registry_.on_patch = [&](const Asked&) -> std::optional<FakeAnswer> {
      if (registry_.ranges.size() == 1) return NoAnswer();
      return std::nullopt;
    };
    registry_.on_get = [&] {
      return FakeAnswer{204, {{"Location", registry_.NewLocation()}, {"Range", range}}, {}};
    };
    ASSERT_TRUE(Push()) << range;
    EXPECT_EQ(registry_.bytes, bytes_) << range;
    EXPECT_EQ(registry_.posts, 2) << range;
  }
}

TEST_F(PiecewiseUploadTest, ALieThatCouldBeIsFoundOutAtTheEnd) {
  registry_.on_patch = [&](const Asked&) -> std::optional<FakeAnswer> {
    if (registry_.ranges.size() == 1) return NoAnswer();
    if (registry_.ranges.size() == 2) registry_.bytes = std::string(50, '?');
    return std::nullopt;
  };
  registry_.on_get = [&] {
    return FakeAnswer{204, {{"Location", registry_.NewLocation()}, {"Range", "0-49"}}, {}};
  };
  ASSERT_TRUE(Push());
  EXPECT_EQ(registry_.bytes, bytes_);
  EXPECT_EQ(registry_.posts, 2);
}

TEST_F(PiecewiseUploadTest, WhoAlwaysDisagreesEndsThePush) {
  registry_.on_patch = [](const Asked&) { return FakeAnswer{416, {{"Range", "0-0"}}, {}}; };
  ASSERT_FALSE(Push());
  EXPECT_LE(registry_.ranges.size(), 20U);
  EXPECT_EQ(registry_.posts, 3);
}

TEST_F(PiecewiseUploadTest, ASavedSessionElsewhereLearnsNothingOfUs) {
  world_.LogIn("registry.example.org");
  const std::string head =
      "plumb-upload 1\nregistry registry.example.org\nrepository models/tiny\nblob " +
      blob_.digest.ToString() + "\nsession ";
  world_.http.On("GET https://evil.example.net/s", {{404}});
  temporary_.Write(RecordPath(), head + "https://evil.example.net/s\n");
  ASSERT_TRUE(Push());
  EXPECT_EQ(world_.SecretsSentOutside(kOrigin + "/"), 0U);
  EXPECT_THAT(world_.http.Log().front(), HasSubstr("evil"));
  // By http nobody is asked, and of records that are odd nothing is believed.
  for (const std::string& record :
       {head + "http://registry.example.org/s\n", head + "http://evil.example.net/s\n", head,
        head + "https://evil.example.net/s", head + "file:///etc/passwd\n",
        head + "https://evil.example.net/ s\n", head + "https://evil.example.net/\x1B\n",
        "plumb-upload 2" + head.substr(14) + "https://evil.example.net/s\n",
        head.substr(0, 20) + "x" + head.substr(20) + "https://evil.example.net/s\n"}) {
    temporary_.Write(RecordPath(), record);
    const std::size_t before = world_.http.asked().size();
    ASSERT_TRUE(Push()) << record;
    EXPECT_THAT(world_.http.Log().at(before), HasSubstr("POST " + kUploads)) << record;
  }
}

TEST_F(PiecewiseUploadTest, ASessionIsNotFollowedOutOfEncryption) {
  registry_.on_patch = [](const Asked&) {
    return FakeAnswer{202, {{"Location", "http://registry.example.org/s"}, {"Range", "0-99"}}, {}};
  };
  EXPECT_EQ(Push().error().kind, ErrorKind::kDenied);
  EXPECT_THAT(registry_.bytes, IsEmpty());
}

}  // namespace
}  // namespace plumb::registry
