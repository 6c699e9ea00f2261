// SPDX-License-Identifier: MIT OR Apache-2.0
// Policies: which logs and witnesses are believed. No two have one name or one key.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/check.h"
#include "tlog/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb::tlog;
  const auto policy = Policy::Parse({reinterpret_cast<const char*>(data), size});
  if (!policy) {
    PLUMB_CHECK(!policy.error().message.empty());
    return 0;
  }
  std::set<std::string> keys;
  for (const Policy::Log& log : policy->logs())
    PLUMB_CHECK(keys.insert(log.key.key_bytes()).second);
  keys.clear();
  std::set<std::string> names;
  for (const Policy::Witness& witness : policy->witnesses())
    PLUMB_CHECK(keys.insert(witness.key.key_bytes()).second && names.insert(witness.name).second);
  const std::string text = Checkpoint{"log.example/one", {0, EmptyRoot()}}.ToString();
  PLUMB_CHECK(!policy->Judge({text, {{"log.example/one", 0, "nobody's"}}}));
  return 0;
}
