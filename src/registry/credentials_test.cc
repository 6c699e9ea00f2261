// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/text.h"
#include "registry/connect.h"
#include "tests/temporary_directory.h"

namespace plumb::registry {
namespace {

using testing::HasSubstr;

class CredentialsTest : public testing::Test {
 protected:
  // "user:secret", or nothing.
  static std::string Found(const Result<std::optional<Credential>>& credential) {
    if (!credential) return "error: " + credential.error().message;
    const std::optional<Credential>& found = *credential;
    return found ? found->user + ":" + found->secret : "";
  }
  std::string Find(std::string_view registry) { return Found(credentials_->Find(registry)); }

  void WriteDocker(const std::string& auths) {
    temporary_.Write("docker.json", R"({"auths":)" + auths + "}");
  }
  static std::string Entry(const std::string& key, std::string_view user_and_secret) {
    return "\"" + key + R"(":{"auth":")" + EncodeBase64(AsBytes(user_and_secret)) + "\"}";
  }
  std::unique_ptr<Credentials> Make() {
    return MakeCredentials(*files_, *processes_, temporary_.path() + "/own/config.json",
                           temporary_.path() + "/docker.json");
  }

  TemporaryDirectory temporary_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Processes> processes_ = host::MakeProcesses();
  std::unique_ptr<Credentials> credentials_ = Make();
};

TEST_F(CredentialsTest, WithoutFilesEverybodyIsAnonymous) {
  EXPECT_EQ(Find("host"), "");
  EXPECT_FALSE(*credentials_->Erase("host"));
  EXPECT_FALSE(std::filesystem::exists(temporary_.path() + "/own"));
}

TEST_F(CredentialsTest, WhatIsSavedIsFoundUntilItIsErased) {
  ASSERT_TRUE(credentials_->Save("host:5000", {"me", "se:cret"}));
  ASSERT_TRUE(credentials_->Save("other", {"you", ""}));
  EXPECT_EQ(Found(Make()->Find("host:5000")), "me:se:cret");
  EXPECT_EQ(Find("other"), "you:");
  EXPECT_EQ(Find("host"), "");
  EXPECT_EQ(Find("host:500"), "");
  ASSERT_TRUE(credentials_->Save("host:5000", {"me", "newer"}));
  EXPECT_EQ(Find("host:5000"), "me:newer");
  EXPECT_TRUE(*credentials_->Erase("host:5000"));
  EXPECT_FALSE(*credentials_->Erase("host:5000"));
  EXPECT_EQ(Find("host:5000"), "");
  EXPECT_EQ(Find("other"), "you:");
}

TEST_F(CredentialsTest, OnlyTheOwnerMayReadThem) {
  ASSERT_TRUE(credentials_->Save("host", {"me", "secret"}));
  using std::filesystem::perms;
  for (const char* name : {"/own/config.json", "/own/config.json.lock"}) {
    const auto mode = std::filesystem::status(temporary_.path() + name).permissions();
    EXPECT_EQ(mode, perms::owner_read | perms::owner_write) << name;
  }
  EXPECT_EQ(std::filesystem::status(temporary_.path() + "/own").permissions(), perms::owner_all);
}

TEST_F(CredentialsTest, AFileThatAllCouldReadIsClosed) {
  temporary_.Write("own/config.json", "{}");
  std::filesystem::permissions(temporary_.path() + "/own/config.json", std::filesystem::perms::all);
  ASSERT_TRUE(credentials_->Save("host", {"me", "secret"}));
  EXPECT_EQ(std::filesystem::status(temporary_.path() + "/own/config.json").permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(CredentialsTest, OursComesBeforeDockers) {
  WriteDocker("{" + Entry("host", "docker:1") + "," + Entry("other", "docker:2") + "}");
  ASSERT_TRUE(credentials_->Save("host", {"me", "secret"}));
  EXPECT_EQ(Find("host"), "me:secret");
  EXPECT_EQ(Find("other"), "docker:2");
}

TEST_F(CredentialsTest, DockersFileIsNeverWritten) {
  WriteDocker("{" + Entry("host", "docker:1") + "}");
  const std::string before = temporary_.Read("docker.json");
  EXPECT_FALSE(*credentials_->Erase("host"));
  ASSERT_TRUE(credentials_->Save("host", {"me", "secret"}));
  ASSERT_TRUE(*credentials_->Erase("host"));
  EXPECT_EQ(temporary_.Read("docker.json"), before);
  EXPECT_EQ(Find("host"), "docker:1");
}

TEST_F(CredentialsTest, DockersFileMayBeASymlink) {
  temporary_.Write("dotfiles/docker.json", R"({"auths":{)" + Entry("host", "docker:1") + "}}");
  std::filesystem::create_symlink("dotfiles/docker.json", temporary_.path() + "/docker.json");
  EXPECT_EQ(Find("host"), "docker:1");
}

TEST_F(CredentialsTest, DockerHubHasManyNames) {
  WriteDocker("{" + Entry("https://index.docker.io/v1/", "docker:1") + "}");
  for (const char* name : {"docker.io", "index.docker.io", "registry-1.docker.io"})
    EXPECT_EQ(Find(name), "docker:1") << name;
  EXPECT_EQ(Find("evil.docker.io"), "");
  ASSERT_TRUE(credentials_->Save("docker.io", {"me", "secret"}));
  EXPECT_THAT(temporary_.Read("own/config.json"), HasSubstr("https://index.docker.io/v1/"));
  EXPECT_EQ(Find("registry-1.docker.io"), "me:secret");
  EXPECT_TRUE(*credentials_->Erase("index.docker.io"));
}

TEST_F(CredentialsTest, OldKeysAreAddresses) {
  WriteDocker("{" + Entry("https://host:5000/v1/", "docker:1") + "," + Entry("Upper", "docker:2") +
              "," + Entry("http://plain", "docker:3") + "," +
              Entry("scoped/repository", "docker:4") + "," +
              Entry("https://evil/https://victim", "docker:5") + "}");
  EXPECT_EQ(Find("host:5000"), "docker:1");
  EXPECT_EQ(Find("upper"), "docker:2");
  EXPECT_EQ(Find("plain"), "docker:3");
  // What is for one repository is for no other.
  EXPECT_EQ(Find("scoped"), "");
  EXPECT_EQ(Find("victim"), "");
}

TEST_F(CredentialsTest, TheKeyWrittenAsTheRegistryWins) {
  WriteDocker("{" + Entry("https://host", "docker:1") + "," + Entry("host", "docker:2") + "}");
  EXPECT_EQ(Find("host"), "docker:2");
}

TEST_F(CredentialsTest, EntriesWithoutAPasswordAreNone) {
  WriteDocker(R"({"a":{},"b":{"auth":""},"d":{"identitytoken":7},"e":null})");
  for (const char* name : {"a", "b", "d", "e"})
    EXPECT_EQ(Find(name), "") << name;
}

TEST_F(CredentialsTest, AnIdentityTokenStandsInForAPassword) {
  WriteDocker(R"({"host":{"auth":"bWU6","identitytoken":"t"}})");
  const auto found = credentials_->Find("host");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->identity_token, "t");
  EXPECT_EQ((*found)->user + (*found)->secret, "");
}

// "docker-credential-NAME" as programs of this machine, each a script for the shell.
class HelperTest : public CredentialsTest {
 protected:
  class Programs final : public host::Processes {
   public:
    Result<host::ProcessResult> Run(const host::ProcessRequest& request) override {
      asked.push_back(request.command[0] + " " + request.command[1] + " < " + request.input);
      const auto script = scripts.find(request.command[0]);
      if (script == scripts.end()) return Error{ErrorKind::kNotFound, "no such program"};
      host::ProcessRequest shell = request;
      shell.command = {"sh", "-c", script->second, "sh", request.command[1]};
      return host::MakeProcesses()->Run(shell);
    }
    std::map<std::string, std::string> scripts;
    std::vector<std::string> asked;
  };

  HelperTest() {
    credentials_ = MakeCredentials(*files_, programs_, temporary_.path() + "/own/config.json",
                                   temporary_.path() + "/docker.json");
    programs_.scripts["docker-credential-all"] =
        R"(cat >/dev/null; echo '{"ServerURL":"x","Username":"all","Secret":"1"}')";
    programs_.scripts["docker-credential-one"] =
        R"(cat >/dev/null; echo '{"ServerURL":"x","Username":"one","Secret":"2"}')";
    programs_.scripts["docker-credential-none"] =
        "cat >/dev/null; echo credentials not found in native keychain; exit 1";
    programs_.scripts["docker-credential-broken"] = "cat >/dev/null; echo 'no session'; exit 1";
  }

  Programs programs_;
};

TEST_F(HelperTest, TheHelperOfARegistryComesBeforeTheOneOfAll) {
  temporary_.Write("docker.json", R"({"credsStore":"all","credHelpers":{"host:5000":"one"}})");
  EXPECT_EQ(Find("host:5000"), "one:2");
  EXPECT_EQ(Find("host"), "all:1");
  EXPECT_EQ(Find("docker.io"), "all:1");
  EXPECT_EQ(programs_.asked.back(), "docker-credential-all get < https://index.docker.io/v1/");
}

TEST_F(HelperTest, WhatAHelperHasNotMayBeInTheFile) {
  temporary_.Write("docker.json",
                   R"({"credsStore":"none","auths":{)" + Entry("host", "me:3") + "}}");
  EXPECT_EQ(Find("host"), "me:3");
  EXPECT_EQ(Find("other"), "");
}

TEST_F(HelperTest, AHelperThatFailsIsNoAnonymity) {
  for (const auto& [name, kind] :
       {std::pair("broken", ErrorKind::kDenied), {"gone", ErrorKind::kUnsupported}}) {
    temporary_.Write("docker.json", R"({"credsStore":")" + std::string(name) + "\"}");
    const auto found = credentials_->Find("host");
    ASSERT_FALSE(found) << name;
    EXPECT_EQ(found.error().kind, kind);
    EXPECT_EQ(found.error().hint, "plumb login host");
  }
  // Nobody may pass over one that ours names.
  temporary_.Write("own/config.json", R"({"credsStore":"gone"})");
  EXPECT_EQ(credentials_->Find("host").error().kind, ErrorKind::kDenied);
}

TEST_F(HelperTest, WhatDockersMissingHelperKeepsMayBeInItsFile) {
  temporary_.Write("docker.json",
                   R"({"credsStore":"gone","auths":{)" + Entry("host", "me:3") + "}}");
  EXPECT_EQ(Find("host"), "me:3");
  EXPECT_EQ(credentials_->Find("other").error().kind, ErrorKind::kUnsupported);
}

TEST_F(HelperTest, TheHelperKeepsWhatALoginGives) {
  programs_.scripts["docker-credential-all"] =
      "if [ $1 = get ]; then echo '{\"Username\":\"me\",\"Secret\":\"s\"}'; fi";
  temporary_.Write("docker.json", R"({"credsStore":"all"})");
  ASSERT_TRUE(credentials_->Save("host", {"me", "hidden"}));
  EXPECT_EQ(
      programs_.asked.back(),
      R"(docker-credential-all store < {"ServerURL":"host","Username":"me","Secret":"hidden"})");
  EXPECT_THAT(temporary_.Read("own/config.json"), testing::Not(HasSubstr("hidden")));
  EXPECT_EQ(Find("host"), "me:s");
  EXPECT_TRUE(*credentials_->Erase("host"));
  EXPECT_EQ(programs_.asked.back(), "docker-credential-all erase < host");
  // What docker has of its own stays docker's.
  programs_.asked.clear();
  EXPECT_FALSE(*credentials_->Erase("host"));
  EXPECT_TRUE(programs_.asked.empty());
}

TEST_F(HelperTest, WithoutAHelperTheFileKeepsIt) {
  temporary_.Write("docker.json", R"({"credsStore":"gone"})");
  ASSERT_TRUE(credentials_->Save("host", {"me", "secret"}));
  EXPECT_EQ(Find("host"), "me:secret");
  // But one that is there and fails keeps nothing, and neither do we.
  temporary_.Write("docker.json", R"({"credsStore":"broken"})");
  EXPECT_EQ(credentials_->Save("other", {"me", "secret"}).error().kind, ErrorKind::kDenied);
  EXPECT_EQ(Find("host"), "me:secret");
  // Unless ours says that no helper is wanted.
  temporary_.Write("own/config.json", R"({"credsStore":""})");
  ASSERT_TRUE(credentials_->Save("other", {"me", "4"}));
  EXPECT_EQ(Find("other"), "me:4");
}

TEST_F(HelperTest, AnIdentityTokenIsNoPassword) {
  programs_.scripts["docker-credential-all"] =
      R"(cat >/dev/null; echo '{"Username":"<token>","Secret":"hidden"}')";
  temporary_.Write("docker.json", R"({"credsStore":"all"})");
  const auto found = credentials_->Find("host");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->identity_token, "hidden");
  EXPECT_EQ((*found)->user + (*found)->secret, "");
}

TEST_F(CredentialsTest, WhateverElseIsInOurFileStays) {
  temporary_.Write("own/config.json",
                   R"({"proxies":{"default":{}},"auths":{"a":{"auth":"eDp5","email":"z"}}})");
  ASSERT_TRUE(credentials_->Save("host", {"me", "secret"}));
  const std::string text = temporary_.Read("own/config.json");
  EXPECT_THAT(text, HasSubstr("\"proxies\""));
  EXPECT_THAT(text, HasSubstr("\"email\""));
  EXPECT_EQ(Find("a"), "x:y");
}

TEST_F(CredentialsTest, AMalformedFileIsNamedAndKept) {
  for (const std::string text : {"", "{", "[]", R"({"auths":[]})", R"({"auths":{},"auths":{}})"}) {
    temporary_.Write("own/config.json", text);
    const auto found = credentials_->Find("host");
    ASSERT_FALSE(found) << text;
    EXPECT_EQ(found.error().kind, ErrorKind::kInvalid) << text;
    EXPECT_THAT(found.error().message, HasSubstr("own/config.json"));
    EXPECT_FALSE(credentials_->Save("host", {"me", "secret"}));
    EXPECT_EQ(temporary_.Read("own/config.json"), text);
  }
}

TEST_F(CredentialsTest, AMalformedCredentialIsNamedWithoutItsSecret) {
  for (const std::string auth : {"%%%%", "bm9jb2xvbg=="}) {
    WriteDocker(R"({"host":{"auth":")" + auth + "\"}}");
    const auto found = credentials_->Find("host");
    ASSERT_FALSE(found) << auth;
    EXPECT_EQ(found.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(found.error().hint, "plumb login host");
    EXPECT_THAT(found.error().message, testing::Not(HasSubstr(auth)));
    EXPECT_EQ(Find("other"), "");
  }
}

TEST_F(CredentialsTest, AFileMayBeOneMebibyte) {
  const std::string pad((std::size_t{1} << 20) - 20, ' ');
  temporary_.Write("docker.json", "{" + pad + "}");
  EXPECT_EQ(Find("host"), "");
  temporary_.Write("docker.json", "{" + pad + std::string(20, ' ') + "}");
  EXPECT_EQ(credentials_->Find("host").error().kind, ErrorKind::kExhausted);
}

TEST_F(CredentialsTest, WhatCouldNotBeReadAgainIsNotSaved) {
  ASSERT_TRUE(credentials_->Save("host", {"me", "secret"}));
  EXPECT_EQ(credentials_->Save("other", {"me", std::string(800'000, 's')}).error().kind,
            ErrorKind::kExhausted);
  EXPECT_EQ(credentials_->Save("other", {"m:e", "secret"}).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(credentials_->Save("other", {"", "secret"}).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(Find("host"), "me:secret");
  EXPECT_EQ(Find("other"), "");
}

TEST_F(CredentialsTest, LoginsAtOnceLoseNothing) {
  constexpr int kPersons = 8;
  std::vector<std::thread> threads;
  threads.reserve(kPersons);
  for (int i = 0; i < kPersons; ++i)
    threads.emplace_back([&, i] {
      EXPECT_TRUE(Make()->Save("host" + std::to_string(i), {"me", std::to_string(i)}));
    });
  for (std::thread& thread : threads)
    thread.join();
  for (int i = 0; i < kPersons; ++i)
    EXPECT_EQ(Find("host" + std::to_string(i)), "me:" + std::to_string(i));
}

}  // namespace
}  // namespace plumb::registry
