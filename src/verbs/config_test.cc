// SPDX-License-Identifier: MIT OR Apache-2.0
// The file of settings on the disk, and what counts more than what.
#include "verbs/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/fake_registry.h"
#include "tests/temporary_directory.h"
#include "tests/workbench.h"
#include "verbs/gc.h"
#include "verbs/place.h"

namespace plumb::verbs {
namespace {

using registry::ConnectOptions;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr char kFile[] = ".config/plumb/config.toml";

class Variables final : public host::Environment {
 public:
  explicit Variables(std::string home) : home_(std::move(home)) {}
  std::optional<std::string> Get(const std::string& name) override {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }
  Result<std::string> HomeDirectory() override {
    if (!has_home) return Error{ErrorKind::kNotFound, "nobody's"};
    return home_;
  }
  std::string WorkingDirectory() override { return home_; }
  unsigned ProcessorCount() override { return 3; }

  std::map<std::string, std::string> values;
  bool has_home = true;

 private:
  const std::string home_;
};

class ConfigTest : public testing::Test {
 protected:
  std::string PathOf(const std::string& name) const { return directory_.path() + "/" + name; }
  // As of a command of its own: settings are read once by each.
  std::unique_ptr<Workspace> NewWorkspace(unsigned threads = 0) {
    return std::make_unique<Workspace>(Machine{*files_, world_.clock, world_.entropy, environment_,
                                               world_.http, *processes_, *links_},
                                       threads);
  }
  Status Set(const std::string& key, const std::string& value) {
    return WriteSetting(*NewWorkspace(), key, value).map([](const Setting&) { return Done{}; });
  }
  ConnectOptions Connecting(const std::string& host, const NetworkOptions& options = {}) {
    const auto connect = ConnectOptionsFor(*NewWorkspace(), host, options);
    EXPECT_TRUE(connect) << connect.error().message;
    return connect ? *connect : ConnectOptions();
  }
  Error LoadError() {
    const auto settings = NewWorkspace()->Settings();
    EXPECT_FALSE(settings);
    return settings ? Error{ErrorKind::kInterrupted, ""} : settings.error();
  }

  TemporaryDirectory directory_;
  registry::FakeWorld world_;
  Variables environment_{directory_.path()};
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Processes> processes_ = host::MakeProcesses();
  std::unique_ptr<host::Links> links_ = host::MakeLinks();
};

TEST_F(ConfigTest, ASettingIsKeptReadAndTakenAway) {
  ASSERT_TRUE(Set("threads", "4"));
  ASSERT_TRUE(Set("registry.localhost:5000.plain-http", "true"));
  EXPECT_EQ(directory_.Read(kFile),
            "threads = 4\n\n[registry.\"localhost:5000\"]\nplain-http = true\n");
  EXPECT_EQ(fs::status(PathOf(kFile)).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(ReadSetting(*NewWorkspace(), "threads")->value, Json::Uint(4));
  EXPECT_EQ(ReadSetting(*NewWorkspace(), "proxy").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(ReadSetting(*NewWorkspace(), "thread").error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(UnsetSetting(*NewWorkspace(), "threads"));
  EXPECT_EQ(UnsetSetting(*NewWorkspace(), "threads").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(UnsetSetting(*NewWorkspace(), "thread").error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(ListSettings(*NewWorkspace())->settings.size(), 1U);
}

TEST_F(ConfigTest, WhatIsNotSetMakesNoFile) {
  EXPECT_FALSE(UnsetSetting(*NewWorkspace(), "threads"));
  EXPECT_FALSE(Set("threads", "many"));
  EXPECT_FALSE(ListSettings(*NewWorkspace())->exists);
  EXPECT_FALSE(fs::exists(PathOf(".config")));
}

TEST_F(ConfigTest, SeveralAtOnceLoseNothing) {
  std::vector<std::jthread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const Status set =
          Set("registry.localhost:" + std::to_string(5000 + i) + ".plain-http", "true");
      EXPECT_TRUE(set) << set.error().message;
    });
  }
  threads.clear();
  EXPECT_EQ((*NewWorkspace()->Settings())->registries.size(), 8U);
}

TEST_F(ConfigTest, ASymlinkAndThePermissionsStay) {
  directory_.Write("dotfiles/plumb.toml", "# mine\nthreads = 1\n");
  fs::permissions(PathOf("dotfiles/plumb.toml"), fs::perms(0640));
  fs::create_directories(PathOf(".config/plumb"));
  fs::create_symlink("../../dotfiles/plumb.toml", PathOf(kFile));
  ASSERT_TRUE(Set("threads", "2"));
  EXPECT_TRUE(fs::is_symlink(PathOf(kFile)));
  EXPECT_EQ(directory_.Read("dotfiles/plumb.toml"), "# mine\nthreads = 2\n");
  EXPECT_EQ(fs::status(PathOf("dotfiles/plumb.toml")).permissions(), fs::perms(0640));
  // Not the same as no settings.
  fs::remove(PathOf("dotfiles/plumb.toml"));
  EXPECT_EQ(LoadError().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(Set("threads", "2"));
}

TEST_F(ConfigTest, WhatAnybodyMayWriteIsNotBelieved) {
  directory_.Write(kFile, "threads = 1\n");
  fs::permissions(PathOf(kFile), fs::perms(0664));
  EXPECT_TRUE(NewWorkspace()->Settings());
  fs::permissions(PathOf(kFile), fs::perms(0666));
  EXPECT_EQ(LoadError().kind, ErrorKind::kDenied);
  EXPECT_THAT(LoadError().hint, HasSubstr("chmod o-w"));
  EXPECT_EQ(Set("threads", "2").error().kind, ErrorKind::kDenied);
  EXPECT_EQ(directory_.Read(kFile), "threads = 1\n");
}

TEST_F(ConfigTest, WhatCannotBeReadIsNeverPassedOver) {
  fs::create_directories(PathOf(kFile));
  EXPECT_EQ(LoadError().kind, ErrorKind::kDenied);
  fs::remove(PathOf(kFile));
  directory_.Write(kFile, std::string(kSettingsSizeMax + 1, '#'));
  EXPECT_EQ(LoadError().kind, ErrorKind::kExhausted);
  directory_.Write(kFile, "\nthread = 1\n");
  EXPECT_EQ(LoadError().message, "'" + PathOf(kFile) + "': line 2: unknown key 'thread'");
  EXPECT_FALSE(ConnectOptionsFor(*NewWorkspace(), "localhost", {}));
  EXPECT_FALSE(ListSettings(*NewWorkspace()));
  EXPECT_FALSE(ReadSetting(*NewWorkspace(), "threads"));
  // It can be mended.
  EXPECT_TRUE(Set("threads", "4"));
  EXPECT_TRUE(UnsetSetting(*NewWorkspace(), "thread"));
  EXPECT_EQ(*NewWorkspace()->Threads(), 4U);
}

TEST_F(ConfigTest, TheEnvironmentSaysWhereTheyAre) {
  environment_.values["XDG_CONFIG_HOME"] = PathOf("xdg");
  ASSERT_TRUE(Set("threads", "4"));
  EXPECT_EQ(directory_.Read("xdg/plumb/config.toml"), "threads = 4\n");
  environment_.values["PLUMB_CONFIG"] = PathOf("own.toml");
  EXPECT_EQ(LoadError().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(Set("threads", "5"));
  EXPECT_EQ(directory_.Read("own.toml"), "threads = 5\n");
  EXPECT_EQ(*NewWorkspace()->Threads(), 5U);
  environment_.values["PLUMB_CONFIG"] = "/dev/null";
  EXPECT_EQ(*NewWorkspace()->Threads(), 3U);
  EXPECT_EQ(ListSettings(*NewWorkspace())->settings.size(), 0U);
  EXPECT_EQ(Set("threads", "4").error().kind, ErrorKind::kInvalid);
  environment_.values.clear();
  environment_.has_home = false;
  EXPECT_EQ(*NewWorkspace()->Threads(), 3U);
  EXPECT_EQ(Set("threads", "4").error().kind, ErrorKind::kNotFound);
}

TEST_F(ConfigTest, AFlagCountsMoreThanASetting) {
  EXPECT_EQ(*NewWorkspace()->Threads(), 3U);
  EXPECT_EQ(*ConcurrencyFor(*NewWorkspace(), {}), 5U);
  directory_.Write(kFile, "threads = 4\nconcurrency = 9\ngc.keep-untagged = '1h'\n");
  EXPECT_EQ(*NewWorkspace()->Threads(), 4U);
  EXPECT_EQ(*NewWorkspace(2)->Threads(), 2U);
  EXPECT_EQ(*ConcurrencyFor(*NewWorkspace(), {}), 9U);
  NetworkOptions options;
  options.concurrency = 1;
  EXPECT_EQ(*ConcurrencyFor(*NewWorkspace(), options), 1U);
}

TEST_F(ConfigTest, SettingsOfARegistryAreForItOnly) {
  directory_.Write("ca.pem", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n");
  directory_.Write(kFile,
                   "proxy = 'http://all:1'\n"
                   "[registry.'a.example:5000']\nplain-http = true\nproxy = 'http://one:1'\n"
                   "[registry.'b.example']\ntls-verify = false\nca-file = '~/ca.pem'\n"
                   "cert = '/me.crt'\nkey = '/me.key'\n");
  ConnectOptions connect = Connecting("a.example:5000");
  EXPECT_EQ(connect.scheme, ConnectOptions::Scheme::kHttp);
  EXPECT_EQ(connect.default_proxy, "http://one:1");
  EXPECT_EQ(connect.proxy, "");
  connect = Connecting("b.example");
  EXPECT_EQ(connect.scheme, ConnectOptions::Scheme::kHttps);
  EXPECT_EQ(connect.tls_verify, host::TlsVerify::kNo);
  EXPECT_THAT(connect.certificates.authorities, HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_EQ(connect.certificates.client_certificate, "/me.crt");
  EXPECT_EQ(connect.certificates.client_key, "/me.key");
  EXPECT_EQ(connect.default_proxy, "http://all:1");
  for (const std::string other : {"a.example", "b.example:443", "c.example", "x.b.example"}) {
    connect = Connecting(other);
    EXPECT_EQ(connect.scheme, ConnectOptions::Scheme::kHttps) << other;
    EXPECT_EQ(connect.tls_verify, host::TlsVerify::kYes) << other;
    EXPECT_EQ(connect.certificates.authorities, "") << other;
    EXPECT_EQ(connect.certificates.client_key, "") << other;
  }
}

TEST_F(ConfigTest, FlagsOfARegistryCountMoreThanItsSettings) {
  directory_.Write(kFile,
                   "[registry.'a.example']\nplain-http = true\n"
                   "[registry.'b.example']\ntls-verify = false\ncert = '/me.crt'\nkey = '/me.key'\n"
                   "[registry.'c.example']\ncert = '/me.crt'\n");
  NetworkOptions options;
  options.plain_http = PlainHttp::kNo;
  options.tls_verify = host::TlsVerify::kYes;
  options.proxy = "http://flag:1";
  options.client_certificate = "/flag.crt";
  options.client_key = "/flag.key";
  EXPECT_EQ(Connecting("a.example", options).scheme, ConnectOptions::Scheme::kHttps);
  const ConnectOptions connect = Connecting("b.example", options);
  EXPECT_EQ(connect.tls_verify, host::TlsVerify::kYes);
  EXPECT_EQ(connect.proxy, "http://flag:1");
  EXPECT_EQ(connect.certificates.client_certificate, "/flag.crt");
  EXPECT_EQ(connect.certificates.client_key, "/flag.key");
  // Half of an identity, whoever says it, is none.
  options.client_key.clear();
  EXPECT_EQ(ConnectOptionsFor(*NewWorkspace(), "b.example", options).error().kind,
            ErrorKind::kInvalid);
  EXPECT_THAT(ConnectOptionsFor(*NewWorkspace(), "c.example", {}).error().message,
              HasSubstr("'registry.c.example.key'"));
}

// Silently unused, they would let somebody believe that the registry had been checked.
TEST_F(ConfigTest, FilesForTlsAreRefusedBesidePlainHttp) {
  directory_.Write(kFile,
                   "[registry.'plain.example']\nplain-http = true\nca-file = '/missing'\n"
                   "cert = '/me.crt'\nkey = '/me.key'\n");
  NetworkOptions authorities;
  authorities.authorities_file = "/ca.pem";
  NetworkOptions identity;
  identity.client_certificate = "/me.crt";
  identity.client_key = "/me.key";
  for (NetworkOptions options : {authorities, identity}) {
    // By the settings, and by a flag.
    const auto set = ConnectOptionsFor(*NewWorkspace(), "plain.example", options);
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(set.error().message, HasSubstr("'registry.plain.example.plain-http' is set"));
    EXPECT_TRUE(CheckNetworkOptions(options));
    options.plain_http = PlainHttp::kYes;
    const Status checked = CheckNetworkOptions(options);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(ConnectOptionsFor(*NewWorkspace(), "a.example", options).error().message,
              checked.error().message);
    options.plain_http = PlainHttp::kNo;
    EXPECT_TRUE(CheckNetworkOptions(options));
  }
  // Those that are set wait for the day on which it speaks TLS.
  EXPECT_EQ(Connecting("plain.example").scheme, ConnectOptions::Scheme::kHttp);
}

TEST_F(ConfigTest, AListShowsNoPassword) {
  for (const auto& [proxy, shown] :
       std::map<std::string, std::string>{{"http://me:hidden@proxy:1", "http://me:…@proxy:1"},
                                          {"http://me:hid@den@proxy", "http://me:…@proxy"},
                                          {"http://me@proxy:1", "http://me@proxy:1"},
                                          {"http://proxy:1", "http://proxy:1"}}) {
    ASSERT_TRUE(Set("proxy", proxy));
    EXPECT_EQ(ListSettings(*NewWorkspace())->settings.at(0).value, Json::String(shown));
    EXPECT_EQ(ReadSetting(*NewWorkspace(), "proxy")->value, Json::String(proxy));
  }
}

}  // namespace
}  // namespace plumb::verbs
