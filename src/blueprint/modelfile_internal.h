// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BLUEPRINT_MODELFILE_INTERNAL_H_
#define PLUMB_BLUEPRINT_MODELFILE_INTERNAL_H_

#include <array>
#include <string_view>
#include <vector>

#include "blueprint/modelfile.h"

namespace plumb::blueprint {

// The command words, in lower case and in the order in which Ollama lists them.
inline constexpr std::array<std::string_view, 11> kCommandWords = {
    "from",     "license", "template",  "system",  "adapter", "draft",
    "renderer", "parser",  "parameter", "message", "requires"};

// The words of CNCF's modctl, whose Modelfile is another format of the same name; first those that
// name files.
inline constexpr std::array<std::string_view, 12> kModctlWords = {
    "config", "model",  "code",   "dataset",   "doc",       "name",
    "arch",   "family", "format", "paramsize", "precision", "quantization"};
inline constexpr std::size_t kModctlFileWordCount = 5;

// The first word of a text that is neither blank nor in a comment, in lower case.
std::string FirstWordOf(std::string_view bytes);

inline constexpr std::array<std::string_view, 3> kMessageRoles = {"system", "user", "assistant"};

inline bool IsBlank(char c) { return c == ' ' || c == '\t'; }
inline bool IsLineEnd(char c) { return c == '\n' || c == '\r'; }
inline bool IsAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool IsParameterNameChar(char c) {
  return IsAsciiLetter(c) || (c >= '0' && c <= '9') || c == '_';
}

// Whether a command of that name was a PARAMETER, and not one of the other commands.
bool IsParameterName(std::string_view name);

// The commands of a text, in either reading, whether or not there is a FROM among them: for
// the printers, which try how a single command reads.
using Commands = std::vector<ModelfileCommand>;
Result<Commands> ReadCommandsStrict(std::string_view text);
Result<Commands> ReadCommandsCompat(std::string_view text);

}  // namespace plumb::blueprint

#endif  // PLUMB_BLUEPRINT_MODELFILE_INTERNAL_H_
