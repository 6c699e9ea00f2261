// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/import_model.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace plumb::verbs {
namespace {

constexpr char kOwn[] = "/home/me/.ollama/models";
constexpr char kService[] = "/usr/share/ollama/.ollama/models";

class Variables final : public host::Environment {
 public:
  std::optional<std::string> Get(const std::string& name) override {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }
  Result<std::string> HomeDirectory() override { return std::string("/home/me"); }
  std::string WorkingDirectory() override { return "/"; }
  unsigned ProcessorCount() override { return 1; }

  std::map<std::string, std::string> values;
};

// A machine of which only some paths are there.
class Places final : public host::Files {
 public:
  explicit Places(std::set<std::string> there) : there_(std::move(there)) {}
  Result<std::unique_ptr<host::Directory>> OpenDirectory(const std::string& path,
                                                         host::IfMissing /*if_missing*/,
                                                         std::uint32_t /*mode*/) override {
    return NotThere(path);
  }
  Result<host::FileState> State(const std::string& path) override {
    if (there_.contains(path)) return host::FileState{};
    return NotThere(path);
  }
  Result<std::string> Canonical(const std::string& path) override { return path; }

 private:
  static Error NotThere(const std::string& path) { return Error{ErrorKind::kNotFound, path}; }

  const std::set<std::string> there_;
};

std::string PathIf(std::set<std::string> there) {
  Variables variables;
  Places places(std::move(there));
  return *OllamaStorePath(variables, places);
}

TEST(OllamaStorePathTest, IsThatOfTheServiceIfOnlyThatIsThere) {
  EXPECT_EQ(PathIf({kOwn}), kOwn);
  EXPECT_EQ(PathIf({kOwn, kService}), kOwn);
  EXPECT_EQ(PathIf({kService}), kService);
  EXPECT_EQ(PathIf({}), kOwn);
}

TEST(OllamaStorePathTest, IsWhatTheVariableSays) {
  Variables variables;
  variables.values["OLLAMA_MODELS"] = "/models";
  Places places({kOwn, kService});
  EXPECT_EQ(*OllamaStorePath(variables, places), "/models");
}

}  // namespace
}  // namespace plumb::verbs
