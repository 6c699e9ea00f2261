// SPDX-License-Identifier: MIT OR Apache-2.0
// A Kitfile that parses is printed as YAML that parses back to it, and its config reads back as it;
// what our rules accept means the same by kit's.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "blueprint/kitfile.h"
#include "blueprint/modelfile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb::blueprint;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const KitRules rules : {KitRules::kOurs, KitRules::kKit17}) {
    const auto kitfile = ParseKitfile(bytes, "Kitfile", rules);
    if (!kitfile) {
      PLUMB_CHECK(kitfile.error().message.starts_with("Kitfile:"));
      continue;
    }
    const std::string config = WriteConfig(*kitfile);
    // kit 1.7 takes !!binary values that are no text, which cannot be printed.
    if (config.find("\\ufffd") != std::string::npos) continue;
    const auto again = ParseKitfile(PrintKitfile(*kitfile), "Kitfile", rules);
    PLUMB_CHECK(again && *again == *kitfile);
    PLUMB_CHECK(config.find_first_of("<>&") == std::string::npos);
    const auto read = ParseConfig(config);
    PLUMB_CHECK(read && WriteConfig(*read) == config);
    if (rules == KitRules::kOurs && bytes.find("%YAML") == std::string_view::npos) {
      const auto as_kit = ParseKitfile(bytes, "Kitfile", KitRules::kKit17);
      // kit 1.7 refuses some of what we take, but makes nothing else of the rest.
      PLUMB_CHECK(!as_kit || *as_kit == *kitfile);
    }
    const auto status = ValidateKitfile(*kitfile, ModelPath::kFile, rules);
    PLUMB_CHECK(status || !status.error().message.empty());
  }
  return 0;
}
