// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "registry/connect.h"
#include "tests/temporary_directory.h"

namespace plumb::registry {
namespace {

using testing::HasSubstr;

constexpr char kOne[] = "-----BEGIN CERTIFICATE-----\none\n-----END CERTIFICATE-----\n";
constexpr char kTwo[] = "-----BEGIN CERTIFICATE-----\ntwo\n-----END CERTIFICATE-----\n";

class CertificatesTest : public testing::Test {
 protected:
  Result<Certificates> Find(const std::string& host) {
    return FindCertificates(*files_, {path_ + "/first", path_ + "/second"}, host);
  }

  TemporaryDirectory temporary_;
  const std::string path_ = temporary_.path();
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
};

TEST_F(CertificatesTest, WithoutADirectoryThereAreNone) {
  const auto found = Find("host:5000");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->authorities + found->client_certificate + found->client_key, "");
}

TEST_F(CertificatesTest, AllAuthoritiesAndOneClientAreTaken) {
  temporary_.Write("first/host:5000/b.crt", kTwo);
  temporary_.Write("first/host:5000/a.crt", kOne);
  temporary_.Write("first/host:5000/me.cert", "certificate");
  temporary_.Write("first/host:5000/me.key", "key");
  temporary_.Write("first/host:5000/readme", "");
  temporary_.Write("second/host:5000/c.crt", "not looked at");
  const auto found = Find("host:5000");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->authorities, std::string(kOne) + "\n" + kTwo + "\n");
  EXPECT_EQ(found->client_certificate, path_ + "/first/host:5000/me.cert");
  EXPECT_EQ(found->client_key, path_ + "/first/host:5000/me.key");
  EXPECT_EQ(Find("host")->authorities, "");
}

TEST_F(CertificatesTest, ThePlacesComeInOrder) {
  temporary_.Write("second/host/ca.crt", kTwo);
  EXPECT_THAT(Find("host")->authorities, HasSubstr("two"));
}

TEST_F(CertificatesTest, HalfAnIdentityIsAnError) {
  temporary_.Write("first/a/me.cert", "certificate");
  EXPECT_EQ(Find("a").error().kind, ErrorKind::kInvalid);
  temporary_.Write("first/b/me.key", "key");
  temporary_.Write("first/b/other.cert", "certificate");
  EXPECT_EQ(Find("b").error().kind, ErrorKind::kInvalid);
}

TEST_F(CertificatesTest, AnAuthorityIsACertificateInPem) {
  temporary_.Write("first/host/ca.crt", "\x30\x82 in DER");
  const auto found = Find("host");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(found.error().message, HasSubstr("ca.crt"));
  EXPECT_EQ(ReadAuthorities(*files_, path_ + "/none").error().kind, ErrorKind::kNotFound);
  temporary_.Write("large.pem", std::string((std::size_t{1} << 20) + 1, '\n'));
  EXPECT_EQ(ReadAuthorities(*files_, path_ + "/large.pem").error().kind, ErrorKind::kExhausted);
}

TEST_F(CertificatesTest, ADirectoryWithoutEndIsRefused) {
  for (int i = 0; i < 101; ++i)
    temporary_.Write("first/host/" + std::to_string(i), "");
  EXPECT_EQ(Find("host").error().kind, ErrorKind::kExhausted);
}

}  // namespace
}  // namespace plumb::registry
