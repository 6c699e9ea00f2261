// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/full_disk.h"

#include <gtest/gtest.h>

#include "tests/fake_registry.h"

namespace plumb::verbs {
namespace {

class AtHome final : public host::Environment {
 public:
  std::optional<std::string> Get(const std::string& name) override {
    return name == "PLUMB_HOME" ? std::optional<std::string>("/data/plumb") : std::nullopt;
  }
  Result<std::string> HomeDirectory() override { return std::string("/home/me"); }
  std::string WorkingDirectory() override { return "/home/me"; }
  unsigned ProcessorCount() override { return 1; }
};

std::string HintFor(ErrorKind kind, const std::string& message) {
  registry::FakeWorld world;
  AtHome environment;
  const auto files = host::MakeFiles();
  const auto processes = host::MakeProcesses();
  const auto links = host::MakeLinks();
  const Workspace workspace(
      Machine{*files, world.clock, world.entropy, environment, world.http, *processes, *links}, 1);
  return WithSpaceHint(workspace, {kind, message}).hint;
}

TEST(FullDisk, OfTheStoreIsHelpedByGc) {
  for (const char* why : {"no space left on device", "disk quota exceeded"}) {
    EXPECT_EQ(HintFor(ErrorKind::kExhausted,
                      std::string("cannot write '/data/plumb/store/packs/a.pack': ") + why),
              "make room on that disk; plumb gc gives back what no kit needs");
    EXPECT_EQ(HintFor(ErrorKind::kExhausted, std::string("cannot write '/data/out/w': ") + why),
              "");
  }
}

TEST(FullDisk, IsNotEveryLimit) {
  const std::string doing = "cannot open '/data/plumb/store/packs/a.pack': ";
  EXPECT_EQ(HintFor(ErrorKind::kExhausted, doing + "too many open files"), "");
  EXPECT_EQ(HintFor(ErrorKind::kUnavailable, doing + "no space left on device"), "");
}

}  // namespace
}  // namespace plumb::verbs
