// SPDX-License-Identifier: MIT OR Apache-2.0
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "registry/connect.h"
#include "tests/conformance/remote_suite.h"
#include "tests/fake_registry.h"
#include "tests/temporary_directory.h"
#include "tests/workbench.h"
#include "tests/zot_like_registry.h"
#include "verbs/build.h"
#include "verbs/inspect.h"
#include "verbs/list.h"
#include "verbs/pull.h"
#include "verbs/push.h"
#include "verbs/unpack.h"

// A registry on the real loopback that does as zot does, and others with quirks of their own.
namespace plumb::registry {
namespace {

struct ZotLikeFixture final : RemoteFixture {
  explicit ZotLikeFixture(RegistryQuirks quirks = {}, std::uint64_t piece = 400)
      : registry(std::move(quirks)), piece_size(piece) {}

  Remote& remote() override { return *first; }
  std::unique_ptr<Remote> Reopened() override { return Connect(); }

  // Blobs over two pieces go in pieces.
  std::unique_ptr<Repository> Connect(Uploads* uploads = nullptr) {
    ConnectOptions options;
    options.scheme = ConnectOptions::Scheme::kHttp;
    options.upload_whole_max = 2 * piece_size;
    options.upload_piece_size = piece_size;
    Network network = {*http, clock, *entropy, credentials};
    network.uploads = uploads;
    auto connected = ConnectRegistry(network, registry.host(), "models/tiny", options);
    EXPECT_TRUE(connected) << connected.error().message;
    return *std::move(connected);
  }

  ZotLikeRegistry registry;
  const std::uint64_t piece_size;
  std::unique_ptr<host::Http> http = host::MakeHttp("plumb-test");
  FakeClock clock;
  std::unique_ptr<host::Entropy> entropy = host::MakeEntropy();
  FakeCredentials credentials;
  std::unique_ptr<Repository> first = Connect();
};

constexpr std::uint64_t kSuitePieceSize = 200'000;

// As zot is, and with all at once that registries leave out.
INSTANTIATE_TEST_SUITE_P(ZotLike, RemoteSuite, testing::Values([] {
                           return std::unique_ptr<RemoteFixture>(
                               new ZotLikeFixture({}, kSuitePieceSize));
                         }));
INSTANTIATE_TEST_SUITE_P(Laconic, RemoteSuite, testing::Values([] {
                           RegistryQuirks quirks;
                           quirks.manifest_type = "-";
                           quirks.tells_digests = false;
                           quirks.closes_connections = true;
                           return std::unique_ptr<RemoteFixture>(
                               new ZotLikeFixture(quirks, kSuitePieceSize));
                         }));
INSTANTIATE_TEST_SUITE_P(Verbose, RemoteSuite, testing::Values([] {
                           RegistryQuirks quirks;
                           quirks.manifest_type =
                               std::string(oci::kManifestMediaType) + " ; charset=utf-8";
                           quirks.chunk_min_length = "300000";
                           quirks.tags_per_page = 1;
                           return std::unique_ptr<RemoteFixture>(
                               new ZotLikeFixture(quirks, kSuitePieceSize));
                         }));

const std::string kBlob = std::string(1500, 'a') + std::string(1500, 'b') + "c";

std::string Fetched(Remote& remote, const std::string& blob, std::uint64_t offset = 0) {
  SilentProgress silent;
  MemorySink sink(std::size_t{1} << 20);
  const Status fetched = remote.FetchBlob(Describe(blob), offset, sink, silent);
  EXPECT_TRUE(fetched) << fetched.error().message;
  return std::move(sink).TakeText();
}

TEST(ZotLikeTest, AMountThatIsNotDoneLeavesNoUpload) {
  ZotLikeFixture zot;
  const auto mounted = zot.remote().MountBlob(Describe(kBlob), "models/base");
  ASSERT_TRUE(mounted) << mounted.error().message;
  EXPECT_FALSE(*mounted);
  EXPECT_EQ(zot.registry.Count("POST", "mount="), 1U);
  EXPECT_EQ(zot.registry.OpenUploads(), 0U);
}

TEST(ZotLikeTest, RangesAreAskedForThoughNobodyOffersThem) {
  ZotLikeFixture zot;
  SilentProgress silent;
  ASSERT_TRUE(zot.remote().PushBlob(Describe(kBlob), Opening(kBlob), silent));
  EXPECT_EQ(Fetched(zot.remote(), kBlob, 1499), kBlob.substr(1499));
  EXPECT_EQ(zot.registry.Requests().back().Header("Range"), "bytes=1499-");
}

TEST(ZotLikeTest, AnUploadThatIsForgottenWithItsConnectionIsBegunAnew) {
  RegistryQuirks quirks;
  quirks.cut_piece = 3;
  ZotLikeFixture zot(quirks);
  SilentProgress silent;
  const Status pushed = zot.remote().PushBlob(Describe(kBlob), Opening(kBlob), silent);
  ASSERT_TRUE(pushed) << pushed.error().message;
  EXPECT_EQ(Fetched(zot.remote(), kBlob), kBlob);
  EXPECT_EQ(zot.registry.Count("POST", "uploads"), 2U);
  EXPECT_EQ(zot.registry.OpenUploads(), 0U);
}

TEST(ZotLikeTest, WhereEveryConnectionBreaksAPushEnds) {
  RegistryQuirks quirks;
  quirks.cut_piece = 1;
  quirks.cut_count = 1000;
  ZotLikeFixture zot(quirks);
  SilentProgress silent;
  const Status pushed = zot.remote().PushBlob(Describe(kBlob), Opening(kBlob), silent);
  ASSERT_FALSE(pushed);
  EXPECT_LT(zot.registry.Requests().size(), 40U);
}

// Ctrl-C comes between two pieces: zot keeps the upload then.
TEST(ZotLikeTest, AnUploadThatWasStoppedGoesOnInTheNextProcess) {
  ZotLikeFixture zot;
  const TemporaryDirectory temporary;
  const auto files = host::MakeFiles();
  const auto uploads = MakeUploads(*files, zot.clock, temporary.path() + "/uploads");
  CountingProgress progress;
  const auto stopping = [&](std::uint64_t offset) -> Result<std::unique_ptr<ByteSource>> {
    progress.is_stopped = true;
    return std::unique_ptr<ByteSource>(std::make_unique<TextSource>(kBlob, offset));
  };
  EXPECT_EQ(zot.Connect(uploads.get())->PushBlob(Describe(kBlob), stopping, progress).error().kind,
            ErrorKind::kInterrupted);
  ASSERT_EQ(zot.registry.OpenUploads(), 1U);
  SilentProgress silent;
  const Status pushed =
      zot.Connect(uploads.get())->PushBlob(Describe(kBlob), Opening(kBlob), silent);
  ASSERT_TRUE(pushed) << pushed.error().message;
  EXPECT_EQ(Fetched(zot.remote(), kBlob), kBlob);
  EXPECT_EQ(zot.registry.Count("POST", "uploads"), 1U);
  EXPECT_EQ(zot.registry.Count("PATCH", "uploads"), 8U);  // none of them twice
}

TEST(ZotLikeTest, PiecesAreAsLongAsItWantsThem) {
  RegistryQuirks quirks;
  quirks.chunk_min_length = "1600";
  ZotLikeFixture zot(quirks);
  SilentProgress silent;
  ASSERT_TRUE(zot.remote().PushBlob(Describe(kBlob), Opening(kBlob), silent));
  EXPECT_EQ(zot.registry.Count("PATCH", "uploads"), 2U);
}

TEST(ZotLikeTest, WhatItDoesNotTakeIsToldApart) {
  ZotLikeFixture zot;
  const std::string odd = R"({"schemaVersion":2})";
  const oci::Descriptor described = {"application/vnd.odd+json", Sha256(AsBytes(odd)), odd.size()};
  EXPECT_EQ(zot.remote().PushManifest(described, odd, "v1").error().kind, ErrorKind::kUnsupported);
  const std::string longer(oci::kManifestSizeMax + 1, ' ');
  const oci::Descriptor large = {std::string(oci::kManifestMediaType), Sha256(AsBytes(longer)),
                                 longer.size()};
  EXPECT_EQ(zot.remote().PushManifest(large, longer, "v1").error().kind, ErrorKind::kExhausted);
}

TEST(ZotLikeTest, ABlobElsewhereIsFetchedThereWithoutALogin) {
  TestHttpServer elsewhere([](const TestHttpServer::Request& request) -> TestHttpServer::Answer {
    const bool is_rest = request.Header("Range") == "bytes=1-";
    if (!is_rest) return {200, {}, kBlob};
    const std::string size = std::to_string(kBlob.size());
    return {206,
            {{"Content-Range", "bytes 1-" + std::to_string(kBlob.size() - 1) + "/" + size}},
            kBlob.substr(1)};
  });
  RegistryQuirks quirks;
  quirks.blobs_elsewhere = elsewhere.Url("");
  quirks.authorization = kBasic;
  ZotLikeFixture zot(quirks);
  zot.credentials.known[zot.registry.host()] = {"me", "secret"};
  SilentProgress silent;
  ASSERT_TRUE(zot.remote().PushBlob(Describe(kBlob), Opening(kBlob), silent));
  EXPECT_EQ(Fetched(zot.remote(), kBlob), kBlob);
  EXPECT_EQ(Fetched(zot.remote(), kBlob, 1), kBlob.substr(1));
  EXPECT_EQ(zot.registry.Requests().back().Header("Authorization"), kBasic);
  ASSERT_EQ(elsewhere.Requests().size(), 2U);
  for (const TestHttpServer::Request& request : elsewhere.Requests())
    EXPECT_EQ(request.Header("Authorization"), std::nullopt);
}

TEST(ZotLikeTest, WhoIsTooBusyIsAskedAgainAtTheTimeItSays) {
  RegistryQuirks quirks;
  quirks.busy_count = 2;
  quirks.retry_after = "Thu, 01 Jan 1970 00:01:01 GMT";  // the clock begins at one second
  ZotLikeFixture zot(quirks);
  const auto has = zot.remote().HasBlob(Describe(kBlob));
  ASSERT_TRUE(has) << has.error().message;
  EXPECT_FALSE(*has);
  EXPECT_GE(zot.clock.slept_ms, 60'000U);
  EXPECT_LT(zot.clock.slept_ms, 70'000U);
}

// The verbs, with the real client.
class ZotLikeVerbsTest : public testing::TestWithParam<RegistryQuirks> {
 protected:
  struct Person {
    TemporaryDirectory home;
    std::unique_ptr<host::Files> files = host::MakeFiles();
    std::unique_ptr<host::Clock> clock = host::MakeClock();
    std::unique_ptr<host::Entropy> entropy = host::MakeEntropy();
    std::unique_ptr<host::Http> http = host::MakeHttp("plumb-test");
    std::unique_ptr<host::Processes> processes = host::MakeProcesses();
    std::unique_ptr<host::Links> links = host::MakeLinks();
    HomeOnly environment{home.path()};
    verbs::Workspace workspace{{*files, *clock, *entropy, environment, *http, *processes, *links},
                               2};
  };

  ZotLikeVerbsTest() { network_.plain_http = verbs::PlainHttp::kYes; }
  void Build(Person& person, const std::string& text) {
    person.home.Write("kit/w.bin", text);
    person.home.Write("kit/Kitfile", "manifestVersion: 1.0.0\nmodel: {path: w.bin}\n");
    verbs::BuildOptions build;
    build.directory = person.home.path() + "/kit";
    build.tags = {"kit:" + text.substr(0, 2)};
    const auto built = verbs::Build(person.workspace, build, silent_);
    ASSERT_TRUE(built) << built.error().message;
    verbs::PushOptions push;
    push.source = build.tags[0];
    push.target = zot_.host() + "/team/" + push.source;
    push.network = network_;
    const auto pushed = verbs::Push(person.workspace, push, silent_);
    ASSERT_TRUE(pushed) << pushed.error().message;
  }

  SilentProgress silent_;
  verbs::NetworkOptions network_;
  ZotLikeRegistry zot_{GetParam()};
  Person author_;
  Person reader_;
};

TEST_P(ZotLikeVerbsTest, AKitGoesThereAndComesBack) {
  for (const std::string text : {"v1 weights", "v2 weights", "v3 weights"})
    ASSERT_NO_FATAL_FAILURE(Build(author_, text));

  verbs::ListOptions list;
  list.repository = zot_.host() + "/team/kit";
  list.network = network_;
  const auto listed = verbs::List(reader_.workspace, list, silent_);
  ASSERT_TRUE(listed) << listed.error().message;
  std::vector<std::string> tags;
  for (const verbs::ListedKit& kit : listed->kits)
    tags.insert(tags.end(), kit.tags.begin(), kit.tags.end());
  EXPECT_THAT(tags, testing::UnorderedElementsAre("v1", "v2", "v3"));

  verbs::InspectOptions inspect;
  inspect.kit.name = list.repository + ":v2";
  inspect.kit.where = verbs::Where::kElsewhere;
  inspect.kit.network = network_;
  inspect.with_referrers = verbs::WithReferrers::kYes;
  const auto inspected = verbs::Inspect(reader_.workspace, inspect, silent_);
  ASSERT_TRUE(inspected) << inspected.error().message;
  ASSERT_TRUE(inspected->referrers.has_value());
  EXPECT_THAT(*inspected->referrers, testing::IsEmpty());

  verbs::UnpackOptions unpack;
  unpack.kit = inspect.kit.name;
  unpack.directory = reader_.home.path() + "/out";
  unpack.network = network_;
  const auto unpacked = verbs::Unpack(reader_.workspace, unpack, silent_);
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  EXPECT_EQ(reader_.home.Read("out/w.bin"), "v2 weights");
  EXPECT_EQ(zot_.OpenUploads(), 0U);
}

INSTANTIATE_TEST_SUITE_P(ZotLike, ZotLikeVerbsTest, testing::Values(RegistryQuirks()));
INSTANTIATE_TEST_SUITE_P(Laconic, ZotLikeVerbsTest, testing::Values([] {
                           RegistryQuirks quirks;
                           quirks.manifest_type = "-";
                           quirks.tells_digests = false;
                           quirks.closes_connections = true;
                           return quirks;
                         }()));

}  // namespace
}  // namespace plumb::registry
