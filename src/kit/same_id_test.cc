// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kit/build.h"
#include "tests/workbench.h"

// A ModelKit that is unpacked and built again, from other files that hold the same, is the same.
namespace plumb::kit {
namespace {

namespace fs = std::filesystem;

struct File {
  std::string text;
  bool is_executable = false;
};
// By path; without a file: an empty directory.
using Files = std::map<std::string, std::optional<File>>;

constexpr std::array<const char*, 12> kNames = {
    "a", "b", "a.b", "a b", "a-", "é", "..a", "n..n", "model", "model-card", "data.tmp", ".hid"};

std::string Path() {
  std::string path = *rc::gen::elementOf(kNames);
  const int deeper = *rc::gen::inRange(0, 4);
  for (int i = 0; i < deeper; ++i)
    path += std::string("/") + *rc::gen::elementOf(kNames);
  return path;
}

bool IsBeneath(const std::string& path, const std::string& directory) {
  return path.starts_with(directory + "/");
}

Files SomeFiles() {
  Files files;
  const int count = *rc::gen::inRange(1, 12);
  for (int i = 0; i < count; ++i) {
    const std::string path = Path();
    const bool fits = std::ranges::none_of(files, [&](const auto& other) {
      return other.first == path || IsBeneath(path, other.first) || IsBeneath(other.first, path);
    });
    if (!fits) continue;
    files[path].reset();
    if (*rc::gen::inRange(0, 6) == 0) continue;
    const auto size = static_cast<std::size_t>(*rc::gen::element(0, 1, 511, 512, 513, 70'000));
    files[path] = File{std::string(size, *rc::gen::inRange('a', 'e')), *rc::gen::arbitrary<bool>()};
  }
  return files;
}

std::string Quoted(const std::string& text) { return "\"" + text + "\""; }

// Some entries, of paths that are there or lie above some that are, in one of many spellings.
std::string SomeKitfile(const Files& files) {
  std::vector<std::string> paths = {"."};
  for (const auto& [path, file] : files)
    for (std::size_t end = 0; end != std::string::npos;) {
      end = path.find('/', end + 1);
      paths.push_back(path.substr(0, end));
    }
  std::ranges::sort(paths);
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  std::map<std::string, std::vector<std::string>> lists;
  for (const std::string& path : paths) {
    if (*rc::gen::inRange(0, 3) != 0) continue;
    const std::string spelled = *rc::gen::element<std::string>("", "./", "x/../") + path +
                                *rc::gen::element<std::string>("", "/", "//", "/.");
    const bool is_file = files.contains(path) && files.at(path);
    lists[*rc::gen::element<std::string>("code", "datasets", "docs")].push_back(
        Quoted(is_file ? path : spelled));
  }
  std::string text = "manifestVersion: 1.0.0\n";
  for (const auto& [type, entries] : lists) {
    text += type + ":\n";
    for (const std::string& path : entries)
      text += "  - path: " + path + "\n";
  }
  return text;
}

void Write(const Workbench& bench, const Files& files, bool backwards) {
  std::vector<std::string> paths;
  for (const auto& [path, file] : files)
    paths.push_back(path);
  if (backwards) std::ranges::reverse(paths);
  for (const std::string& path : paths) {
    if (const auto& file = files.at(path)) {
      bench.Write(path, file->text);
      fs::permissions(bench.Context(path), fs::perms(file->is_executable ? 0755 : 0644));
    } else {
      fs::create_directories(bench.Context(path));
    }
  }
}

void BuildUnpackAndBuildAgain() {
  const Files files = SomeFiles();
  const std::string kitfile = SomeKitfile(files);
  RC_LOG(kitfile);
  Workbench bench;
  Write(bench, files, false);
  if (*rc::gen::inRange(0, 2) == 0) bench.Write(".kitignore", "**/*.tmp\n!a/data.tmp\n");
  const auto built = bench.BuildKitfile(kitfile);
  if (!built) {  // the only paths that cannot be packed are those that are ignored
    RC_ASSERT(built.error().kind == ErrorKind::kInvalid);
    RC_ASSERT(built.error().message.find("is ignored") != std::string::npos);
    RC_DISCARD("an ignored path");
  }
  const auto unpacked = bench.Unpack(built->id);
  RC_ASSERT(unpacked.has_value());
  const auto again = bench.BuildFrom(
      "target", {BlueprintKind::kKitfile, "Kitfile", "Kitfile", bench.ReadTarget("Kitfile")});
  RC_ASSERT(again.has_value());
  RC_ASSERT(again->id == built->id);

  // Another machine: another umask, order, place and number of threads.
  Workbench other;
  const mode_t before = umask(*rc::gen::element<mode_t>(0, 027, 077));
  Write(other, files, true);
  umask(before);
  if (fs::exists(bench.Context(".kitignore")))
    fs::copy_file(bench.Context(".kitignore"), other.Context(".kitignore"));
  for (const auto& [path, file] : files)
    if (file && file->is_executable)
      fs::permissions(other.Context(path), fs::perms(*rc::gen::element(0711, 0550, 0777)));
  BuildOptions options;
  options.threads = *rc::gen::element(1U, 4U);
  const auto elsewhere = other.BuildKitfile(kitfile, options);
  RC_ASSERT(elsewhere.has_value());
  RC_ASSERT(elsewhere->id == built->id);
}

TEST(SameIdTest, BuiltUnpackedAndBuiltAgain) {
  // Each syncs three builds to the disk; ask for more by this variable.
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs yet.
  setenv("RC_PARAMS", "max_success=12", 0);
  EXPECT_TRUE(rc::check(BuildUnpackAndBuildAgain));
}

}  // namespace
}  // namespace plumb::kit
