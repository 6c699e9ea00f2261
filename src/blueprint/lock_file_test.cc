// SPDX-License-Identifier: MIT OR Apache-2.0
#include "blueprint/lock_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/text.h"

namespace plumb::blueprint {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Digest Of(const std::string& text) { return Sha256(AsBytes(text)); }

LockFile Example() {
  LockFile lock;
  lock.blueprint = {65, Of("Kitfile")};
  lock.bases = {{"host:5000/a:v1", {100, Of("a")}}, {"b@" + Of("b").ToString(), {7, Of("b")}}};
  lock.inputs = {{"model/w \"1\".bin", {1, Of("w")}}, {".", {0, Of("")}}};
  return lock;
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

Error Refused(const std::string& text) {
  const auto lock = ParseLockFile(text, "Kitfile.lock");
  EXPECT_FALSE(lock) << text;
  return lock ? Error{ErrorKind::kInterrupted, {}} : lock.error();
}

TEST(LockFileTest, IsPrintedAsTheFormatSays) {
  LockFile lock = Example();
  lock.bases.resize(1);
  lock.inputs.resize(1);
  EXPECT_EQ(PrintLockFile(lock),
            "# Written by plumb build; keep it in version control, beside the blueprint.\n"
            "# Bases stay as they are here until plumb build --update.\n"
            "version = 1\n"
            "\n"
            "[blueprint]\n"
            "size = 65\n"
            "digest = \"" +
                Of("Kitfile").ToString() +
                "\"\n"
                "\n"
                "[[base]]\n"
                "reference = \"host:5000/a:v1\"\n"
                "size = 100\n"
                "digest = \"" +
                Of("a").ToString() +
                "\"\n"
                "\n"
                "[[input]]\n"
                "path = \"model/w \\\"1\\\".bin\"\n"
                "size = 1\n"
                "digest = \"" +
                Of("w").ToString() + "\"\n");
}

TEST(LockFileTest, ReadsBackWhatIsPrinted) {
  for (const LockFile& lock : {Example(), LockFile{{0, Of("")}, {}, {}}}) {
    const auto read = ParseLockFile(PrintLockFile(lock), "Kitfile.lock");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, lock);
  }
  EXPECT_THAT(Example().Pins(), ElementsAre(testing::Pair(HasSubstr("b@"), Of("b")),
                                            testing::Pair("host:5000/a:v1", Of("a"))));
}

TEST(LockFileTest, RefusesWhatIsNoLockFile) {
  const std::string good = PrintLockFile(Example());
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"version = 1\n", ""},
           {"version = 1", "version = \"1\""},
           {"version = 1", "version = 1\ncolour = 1"},
           {"size = 65", "size = -1"},
           {"size = 65", "size = 65\npath = 'x'"},
           {"size = 65\n", ""},
           {"digest", "digests"},
           {"sha256:", "sha512:"},
           {"sha256:", "SHA256:"},
           {"[[base]]", "[base]"},
           {"[[input]]", "[[inputs]]"},
           {"reference = ", "path = "},
           {"host:5000/a:v1", ""},
           {"[blueprint]", "[[blueprint]]"},
           {"path = \".\"", "path = 1"},
       }) {
    const Error error = Refused(Replaced(good, from, to));
    EXPECT_EQ(error.kind, ErrorKind::kInvalid) << from << to;
    EXPECT_TRUE(error.message.starts_with("Kitfile.lock: ")) << error.message;
    EXPECT_EQ(error.hint, "plumb build --update");
  }
  EXPECT_EQ(Refused("<<<<<<< ours\n" + good).kind, ErrorKind::kInvalid);
  EXPECT_EQ(Refused("").kind, ErrorKind::kInvalid);
}

TEST(LockFileTest, ANewerVersionIsUnsupportedWhateverElseItHas) {
  EXPECT_EQ(Refused("version = 2\ncolour = 'red'\n").kind, ErrorKind::kUnsupported);
}

TEST(LockFileTest, NoNameStandsThereTwice) {
  LockFile lock = Example();
  lock.bases[1] = {lock.bases[0].name, {7, Of("evil")}};
  EXPECT_THAT(Refused(PrintLockFile(lock)).message, HasSubstr("stands there twice"));
  lock = Example();
  lock.inputs[1].name = lock.inputs[0].name;
  EXPECT_THAT(Refused(PrintLockFile(lock)).message, HasSubstr("stands there twice"));
  const std::string good = PrintLockFile(Example());
  EXPECT_EQ(Refused(Replaced(good, "size = 65", "size = 65\nsize = 66")).kind, ErrorKind::kInvalid);
}

TEST(LockFileTest, ADigestInTheBlueprintCannotBeMadeToMeanAnother) {
  LockFile lock = Example();
  lock.bases[1].content.digest = Of("evil");
  EXPECT_THAT(Refused(PrintLockFile(lock)).message, HasSubstr("another digest"));
}

TEST(LockFileTest, PathsStayInTheContext) {
  for (const char* path : {"", "/etc/passwd", "..", "../x", "a/../../x", "a/./b", "a/", "./a"}) {
    LockFile lock = Example();
    lock.inputs[0].name = path;
    EXPECT_THAT(Refused(PrintLockFile(lock)).message, HasSubstr("no cleaned path")) << path;
  }
  LockFile lock = Example();
  lock.inputs[0].name = "..a/b..";
  EXPECT_TRUE(ParseLockFile(PrintLockFile(lock), "f"));
}

TEST(LockFileTest, HasLimits) {
  EXPECT_EQ(Refused(std::string(kLockFileSizeMax + 1, '\n')).kind, ErrorKind::kExhausted);
  LockFile lock = Example();
  for (std::size_t i = lock.bases.size(); i <= kLockedBasesMax; ++i)
    lock.bases.push_back({"c:" + std::to_string(i), {1, Of("c")}});
  EXPECT_EQ(Refused(PrintLockFile(lock)).kind, ErrorKind::kExhausted);
  lock = Example();
  for (std::size_t i = lock.inputs.size(); i < kLockedInputsMax; ++i)
    lock.inputs.push_back({"c/" + std::to_string(i), {1, Of("c")}});
  EXPECT_TRUE(ParseLockFile(PrintLockFile(lock), "f"));
  lock.inputs.push_back({"one more", {1, Of("c")}});
  EXPECT_EQ(Refused(PrintLockFile(lock)).kind, ErrorKind::kExhausted);
}

TEST(LockFileTest, DifferencesAreTold) {
  const LockFile lock = Example();
  EXPECT_TRUE(DifferencesFrom(lock, lock).empty());
  LockFile built = lock;
  built.blueprint.digest = Of("another");
  built.bases[0].content.digest = Of("moved");
  built.inputs[0].content.size = 2;
  built.inputs[1].name = "new";
  EXPECT_THAT(DifferencesFrom(lock, built),
              ElementsAre(HasSubstr("the blueprint was sha256:"),
                          HasSubstr("base 'host:5000/a:v1' was " + Of("a").ToString()),
                          HasSubstr("1 bytes, and is"), "input 'new' is not in the lock file",
                          "input '.' is not there any more"));
  built = lock;
  std::swap(built.inputs[0], built.inputs[1]);
  EXPECT_THAT(DifferencesFrom(lock, built), ElementsAre("the order of inputs is another"));
}

}  // namespace
}  // namespace plumb::blueprint
