// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "oci/manifest.h"
#include "oci/media_types.h"
#include "tests/fake_registry.h"
#include "tests/temporary_directory.h"
#include "tests/workbench.h"
#include "verbs/unpack.h"
#include "verbs/verify.h"

// A kit whose base somebody who means no good has put where he listens: whoever unpacks the kit
// asks him, with what was meant for another.
namespace plumb::verbs {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class BaseAttack : public testing::Test {
 protected:
  BaseAttack() {
    const std::string config =
        R"({"manifestVersion":"1.0.0","package":{},"model":{"path":"evil.example.org/x@sha256:)" +
        std::string(64, 'e') + "\"}}";
    const std::string manifest = oci::WriteManifest(
        {std::string(oci::kModelKitConfigMediaType), Sha256(AsBytes(config)), config.size()}, {});
    const auto session = (*workspace_.Store())->Begin();
    const Digest needed = session->PutBlob(AsBytes(config))->digest;
    id_ = session->PutBlob(AsBytes(manifest))->digest;
    session->AddKit({id_, {needed}});
    for (const char* repository : {"m", "good.example.org/m"})
      session->MoveRef({{repository, "v1"}, id_, "test"});
    EXPECT_TRUE(session->Commit());
    for (const char* scheme : {"http", "https"})
      http_.On(std::string("GET ") + scheme +
                   "://evil.example.org/v2/x/manifests/sha256:" + std::string(64, 'e'),
               {registry::NoAnswer()});
    // All that a person may say on the command line, of which some exclude others.
    flags_.resize(2);
    flags_[0].plain_http = PlainHttp::kYes;
    flags_[1].tls_verify = host::TlsVerify::kNo;
    flags_[1].client_certificate = flags_[1].client_key = directory_.path() + "/missing.pem";
    flags_[1].authorities_file = directory_.path() + "/missing-too.pem";
  }

  // That he was asked, and got nothing that was not his.
  void ExpectNothingGiven() {
    EXPECT_FALSE(http_.asked().empty());
    for (const registry::Asked& asked : http_.asked()) {
      EXPECT_THAT(asked.url, StartsWith("https://evil.example.org/"));
      EXPECT_EQ(asked.tls_verify, host::TlsVerify::kYes);
      EXPECT_THAT(asked.client_certificate, IsEmpty());
      EXPECT_THAT(asked.Header("Authorization"), IsEmpty());
    }
  }

  TemporaryDirectory directory_;
  registry::FakeHttp http_;
  registry::FakeClock clock_;
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  HomeOnly environment_{directory_.path()};
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Processes> processes_ = host::MakeProcesses();
  std::unique_ptr<host::Links> links_ = host::MakeLinks();
  Workspace workspace_{{*files_, clock_, *entropy_, environment_, http_, *processes_, *links_}, 2};
  SilentProgress silent_;
  std::vector<NetworkOptions> flags_;
  Digest id_;
};

// Rule: flags are for the host that the person named, and for none if they named none.
TEST_F(BaseAttack, UnpackingGivesTheBasesHostNoFlag) {
  for (const NetworkOptions& flags : flags_) {
    for (const std::string& kit :
         {std::string("m:v1"), std::string("good.example.org/m:v1"), "m@" + id_.ToString()}) {
      UnpackOptions unpack;
      unpack.kit = kit;
      unpack.directory = directory_.path() + "/out";
      unpack.network = flags;
      const auto unpacked = Unpack(workspace_, unpack, silent_);
      ASSERT_FALSE(unpacked);
      EXPECT_EQ(unpacked.error().kind, ErrorKind::kUnavailable) << unpacked.error().message;
      EXPECT_THAT(unpacked.error().hint, HasSubstr("registry.evil.example.org.plain-http"));
      ExpectNothingGiven();
    }
  }
}

TEST_F(BaseAttack, BuildingAgainGivesTheBasesHostNoFlag) {
  for (const NetworkOptions& flags : flags_) {
    for (const std::string kit : {"m:v1", "good.example.org/m:v1"}) {
      VerifyOptions verify;
      verify.kit = kit;
      verify.build_again = BuildAgain::kYes;
      verify.network = flags;
      const auto verified = Verify(workspace_, verify, silent_);
      ASSERT_TRUE(verified) << verified.error().message;
      ASSERT_NE(verified->Unanswered(), nullptr);
      EXPECT_EQ(verified->Unanswered()->obstacle, ErrorKind::kUnavailable);
      EXPECT_THAT(verified->Unanswered()->reasons.back(),
                  HasSubstr("registry.evil.example.org.plain-http"));
      ExpectNothingGiven();
    }
  }
}

}  // namespace
}  // namespace plumb::verbs
