// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BLUEPRINT_MODELFILE_H_
#define PLUMB_BLUEPRINT_MODELFILE_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace plumb::blueprint {

// What it is called where nobody says otherwise, and in a ModelKit.
inline constexpr std::string_view kModelfileName = "Modelfile";

// One command of a Modelfile, in Ollama's words: `name` is "model" for FROM, the
// parameter's own name for PARAMETER, else the command's word in lower case. The args of a
// message are "role: content".
struct ModelfileCommand {
  std::string name;
  std::string args;
  int line = 0;    // where it begins, from 1; 0 if it was not read from a file
  int column = 0;  // in code points, from 1

  // Positions do not count: they do not survive printing.
  friend bool operator==(const ModelfileCommand& a, const ModelfileCommand& b) {
    return a.name == b.name && a.args == b.args;
  }
};

struct Modelfile {
  std::vector<ModelfileCommand> commands;  // in file order
  std::vector<std::string> warnings = {};  // "file:line:column: …", for people

  friend bool operator==(const Modelfile& a, const Modelfile& b) {
    return a.commands == b.commands;
  }
};

inline constexpr std::size_t kBlueprintSizeMax = std::size_t{16} << 20;

// The strict, lossless reading: nothing is dropped, and what Ollama would silently
// misunderstand is kInvalid with "file:line:column: problem", the line and a caret under it.
// `file` is only for those messages. Does not look at parameter types: CheckParameters does.
Result<Modelfile> ParseModelfile(std::string_view bytes, std::string_view file);

// Ollama's own reading, bug for bug (docs/format.md, "Modelfile"). The error message is
// Ollama's.
Result<Modelfile> ParseModelfileCompat(std::string_view bytes);

// Text that ParseModelfile reads back to the same commands. kInvalid, naming the command,
// for the few that no spelling can express (a value with both `"""` and a line that ends in
// `"`, for instance).
Result<std::string> PrintModelfile(const Modelfile& modelfile);

// The same for `--compat`: text that ParseModelfileCompat reads back to the same commands; Ollama's
// own spelling wherever that is so.
Result<std::string> PrintModelfileCompat(const Modelfile& modelfile);

// What Ollama's `create` demands of PARAMETERs: known names, values of their type. Unknown
// names and bad values are kInvalid with position; deprecated ones become warnings.
Status CheckParameters(Modelfile& modelfile, std::string_view file);

// {"kind":"modelfile","commands":[{"name":…,"args":…}],"text":…}
Result<Json> ModelfileToJson(const Modelfile& modelfile, std::string_view text);

// Whether this text reads as a Modelfile, Ollama's or modctl's: its first command word is one.
bool LooksLikeModelfile(std::string_view bytes);

}  // namespace plumb::blueprint

#endif  // PLUMB_BLUEPRINT_MODELFILE_H_
