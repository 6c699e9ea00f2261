// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/text.h"
#include "registry/connect.h"
#include "tests/fake_registry.h"
#include "tests/temporary_directory.h"

// A config.json of docker's that was damaged, or written by somebody who means no good: it came
// with a container, an archive of dotfiles, or a repository.
namespace plumb::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kHost[] = "registry.example.org";

class CredentialsAttack : public testing::Test {
 protected:
  Result<std::optional<Credential>> FindIn(const std::string& text) {
    directory_.Write("docker/config.json", text);
    return credentials_->Find(kHost);
  }
  static std::string Entry(const std::string& key, std::string_view auth) {
    return R"({"auths":{")" + key + R"(":{"auth":")" + EncodeBase64(AsBytes(auth)) + "\"}}}";
  }

  TemporaryDirectory directory_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Processes> processes_ = host::MakeProcesses();
  std::unique_ptr<Credentials> credentials_ =
      MakeCredentials(*files_, *processes_, directory_.path() + "/own/config.json",
                      directory_.path() + "/docker/config.json");
};

// Rule: what breaks the grammar of JSON, or has two meanings, is an error that names the file; it
// is never taken for "no login".
TEST_F(CredentialsAttack, AMalformedFileIsNoAnonymity) {
  const std::string entry = R"("registry.example.org":{"auth":"bWU6c2VjcmV0"})";
  for (const std::string& text : {
           std::string(100'000, '['),
           R"({"auths":)" + std::string(1000, '{'),
           R"({"auths":{)" + entry + "," + entry + "}}",
           R"({"auths":{)" + entry + R"(},"auths":{}})",
           R"({"auths":{)" + entry + "}} x",
           std::string("\xEF\xBB\xBF{}"),
           std::string("{\"\xFF\":1}"),
           std::string("\xFF\xFE{\0}\0", 6),
           std::string(R"({"auths":{"registry.example.org":{"auth":"bWU6c2VjcmV0",}}})"),
           std::string(R"({"auths":[{"registry.example.org":{}}]})"),
           std::string(R"({"auths":"registry.example.org"})"),
           std::string(4096, '\0'),
       }) {
    const auto found = FindIn(text);
    ASSERT_FALSE(found) << text.substr(0, 80);
    EXPECT_EQ(found.error().kind,
              text.starts_with("[[") ? ErrorKind::kExhausted : ErrorKind::kInvalid)
        << text.substr(0, 80);
    EXPECT_THAT(found.error().message, HasSubstr("docker/config.json"));
    EXPECT_THAT(found.error().message, Not(HasSubstr("bWU6c2VjcmV0")));
    EXPECT_LT(found.error().message.size(), 1000U);
  }
}

// Rule: a login belongs to the host that it is kept under, to the letter; what only looks like it
// is another.
TEST_F(CredentialsAttack, NoOtherKeyIsTheRegistrys) {
  for (const std::string key : {"",
                                "example.org",
                                "org",
                                "*",
                                "*.example.org",
                                "registry.example.org:443",
                                "registry.example.org.",
                                "registry.example.org.evil.net",
                                "evil-registry.example.org",
                                "registry.example.org/models",
                                "https://registry.example.org:5000",
                                "https://https://registry.example.org",
                                "https://me@registry.example.org",
                                "https://evil.net/registry.example.org",
                                "ftp://registry.example.org",
                                "registry.example.org ",
                                " registry.example.org",
                                "registry.example.org\\u0000",
                                "registry.example.org\\n",
                                "registry\\u2024example.org"}) {
    const auto found = FindIn(Entry(key, "me:secret"));
    ASSERT_TRUE(found) << key << found.error().message;
    EXPECT_EQ(*found, std::nullopt) << key;
  }
}

// Rule: an entry of another shape is none, or is called malformed; it is never guessed.
TEST_F(CredentialsAttack, EntriesOfAnotherShapeAreNone) {
  for (const std::string entry :
       {"null", "7", "[]", "\"bWU6c2VjcmV0\"", "{}", R"({"auth":null})", R"({"auth":7})",
        R"({"auth":["bWU6c2VjcmV0"]})", R"({"auth":{"auth":"bWU6c2VjcmV0"}})",
        R"({"AUTH":"bWU6c2VjcmV0"})", R"({"auth":""})"}) {
    const auto found = FindIn(R"({"auths":{"registry.example.org":)" + entry + "}}");
    ASSERT_TRUE(found) << entry;
    EXPECT_EQ(*found, std::nullopt) << entry;
  }
  for (const std::string auth : {"bWU6c2VjcmV0\\n", "bWU6c2VjcmV", "bWU6=c2VjcmV0",
                                 "bWU6-_==", "bWU6 c2VjcmV0", "====", "bWU="}) {
    const auto found = FindIn(R"({"auths":{"registry.example.org":{"auth":")" + auth + "\"}}}");
    ASSERT_FALSE(found) << auth;
    EXPECT_EQ(found.error().kind, ErrorKind::kInvalid) << auth;
  }
}

// Rule: a login is sent as base64 of what it is, whatever that is: no header can hide in it.
TEST_F(CredentialsAttack, ALoginCannotBringHeadersAlong) {
  const std::string hostile("me:secret\r\nX-Evil: y\0\xFF", 23);
  directory_.Write("docker/config.json", Entry(kHost, hostile));
  FakeWorld world;
  world.http.On("GET https://registry.example.org/v2/models/tiny/tags/list",
                {{401, {{"WWW-Authenticate", "Basic realm=x"}}, {}}, {200, {}, "{}"}});
  Network network = world.network();
  const Network with_file = {network.http, network.clock, network.entropy, *credentials_};
  EXPECT_TRUE((*ConnectRegistry(with_file, kHost, "models/tiny", {}))->ListTags());
  EXPECT_EQ(world.http.asked().back().Header("Authorization"),
            "Basic " + EncodeBase64(AsBytes(hostile)));
}

// Says that it was run.
class AnyProgram final : public host::Processes {
 public:
  Result<host::ProcessResult> Run(const host::ProcessRequest& request) override {
    run.push_back(request.command[0]);
    return host::ProcessResult{0, answer, ""};
  }
  std::vector<std::string> run;
  std::string answer = R"({"Username":"me","Secret":"secret"})";
};

// Rule: a configuration names a helper, never a program: nothing is run but "docker-credential-…",
// found along $PATH, without a shell.
TEST_F(CredentialsAttack, AHelpersNameIsNoCommand) {
  AnyProgram program;
  const auto credentials =
      MakeCredentials(*files_, program, "", directory_.path() + "/docker/config.json");
  for (const std::string name : {"../evil", "/bin/sh", "a/b", "a b", "x;reboot", "$(reboot)",
                                 "a\\n", "\\u0000", "..\\\\evil", "\xC3\xA9", "a=b"}) {
    for (const std::string& config :
         {R"({"credsStore":")" + name + "\"}",
          R"({"credHelpers":{"registry.example.org":")" + name + "\"}}"}) {
      directory_.Write("docker/config.json", config);
      EXPECT_EQ(credentials->Find(kHost).error().kind, ErrorKind::kInvalid) << config;
    }
  }
  EXPECT_TRUE(program.run.empty());
  for (const std::string shape : {"7", "null", "[\"x\"]", "{}"}) {
    directory_.Write("docker/config.json", R"({"credsStore":)" + shape + "}");
    EXPECT_EQ(*credentials->Find(kHost), std::nullopt) << shape;
  }
  EXPECT_TRUE(program.run.empty());
  directory_.Write("docker/config.json", R"({"credsStore":"good-1.x"})");
  EXPECT_TRUE(credentials->Find(kHost));
  EXPECT_EQ(program.run, std::vector<std::string>{"docker-credential-good-1.x"});
}

// Rule: what a helper prints is believed only if it is a login; no message repeats any of it.
TEST_F(CredentialsAttack, WhatAHelperPrintsIsChecked) {
  AnyProgram program;
  const auto credentials =
      MakeCredentials(*files_, program, "", directory_.path() + "/docker/config.json");
  directory_.Write("docker/config.json", R"({"credsStore":"x"})");
  for (const std::string answer :
       {"", "secret", "[\"secret\"]", R"({"Secret":"secret","Secret":"s"})",
        R"({"Username":"me","Secret":"secret")"}) {
    program.answer = answer;
    const auto found = credentials->Find(kHost);
    ASSERT_FALSE(found) << answer;
    EXPECT_EQ(found.error().kind, ErrorKind::kDenied);
    EXPECT_THAT(found.error().message, Not(HasSubstr("secret")));
  }
  program.answer = R"({"Username":7,"Secret":["secret"]})";
  EXPECT_EQ(*credentials->Find(kHost), std::nullopt);
}

// Rule: only a regular file is read, and no more than 1 MiB of it: nothing holds us up.
TEST_F(CredentialsAttack, WhatIsNoFileIsNotRead) {
  std::filesystem::create_directories(directory_.path() + "/docker");
  const std::string path = directory_.path() + "/docker/config.json";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(credentials_->Find(kHost));
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  EXPECT_FALSE(credentials_->Find(kHost));
  std::filesystem::remove(path);
  std::filesystem::create_symlink("/dev/zero", path);
  EXPECT_FALSE(credentials_->Find(kHost));
  std::filesystem::remove(path);
  std::filesystem::create_symlink("config.json", path);
  EXPECT_FALSE(credentials_->Find(kHost));
  std::filesystem::remove(path);
  EXPECT_EQ(FindIn(std::string((1 << 20) + 1, ' ')).error().kind, ErrorKind::kExhausted);
}

}  // namespace
}  // namespace plumb::registry
