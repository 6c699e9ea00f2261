// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BLUEPRINT_MODCTL_H_
#define PLUMB_BLUEPRINT_MODCTL_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "blueprint/modelfile.h"

// The Modelfile of CNCF's modctl: another format of the same name, which shares no command with
// Ollama's (docs/format.md, "From a Modelfile of modctl").
namespace plumb::blueprint {

// Commands are named by their word in lower case: "config", "model", "code", "dataset", "doc",
// which name files by path or pattern and may come again, and "name", "arch", "family", "format",
// "paramsize", "precision", "quantization", which may not.
struct ModctlModelfile {
  std::vector<ModelfileCommand> commands;  // in file order

  friend bool operator==(const ModctlModelfile&, const ModctlModelfile&) = default;
};

// Whether this text reads as one: its first command word is one of modctl's.
bool LooksLikeModctl(std::string_view bytes);

// kInvalid with "file:line:column: problem", the line and a caret; kExhausted over 16 MiB. Takes
// what modctl takes, but for what modctl drops or takes for something else silently: words that
// only begin like a command, a backslash before the end of a line.
Result<ModctlModelfile> ParseModctl(std::string_view bytes, std::string_view file);

// Text that ParseModctl reads back to the same commands.
std::string PrintModctl(const ModctlModelfile& modelfile);

// {"kind":"modelfile","dialect":"modctl","commands":[{"name":…,"args":…}],"text":…}
Json ModctlToJson(const ModctlModelfile& modelfile, std::string_view text);

}  // namespace plumb::blueprint

#endif  // PLUMB_BLUEPRINT_MODCTL_H_
