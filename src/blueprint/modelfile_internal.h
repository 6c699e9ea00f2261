// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BLUEPRINT_MODELFILE_INTERNAL_H_
#define PLUMB_BLUEPRINT_MODELFILE_INTERNAL_H_

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "blueprint/modelfile.h"
#include "blueprint/source_internal.h"

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

// Where a reader of commands is in its text: the lines and words that both Modelfiles share.
class CommandScanner {
 protected:
  // `unprintable` is what there is to say of characters that cannot be printed: they are refused.
  CommandScanner(const Source& source, std::string_view unprintable)
      : source_(source), text_(source.Text()), unprintable_(unprintable) {}

  // All commands, each read by `read_command` with at_ at its word.
  template <typename ReadCommand>
  Result<Commands> ReadAll(const ReadCommand& read_command) {
    Commands commands;
    while (SkipToCommand()) {
      const SourcePosition position = source_.At(at_);
      PLUMB_RETURN_IF_ERROR(CheckLine(at_));
      PLUMB_TRY(ModelfileCommand command, read_command(commands.empty()));
      command.line = position.line;
      command.column = position.column;
      commands.push_back(std::move(command));
    }
    return commands;
  }

  std::size_t LineEnd(std::size_t from) const {
    return std::min(text_.find_first_of("\r\n", from), text_.size());
  }
  bool AtLineEnd() const { return at_ == text_.size() || IsLineEnd(text_[at_]); }
  std::string_view Slice(std::size_t begin, std::size_t end) const {
    return text_.substr(begin, end - begin);
  }
  void SkipBlanks() {
    while (at_ < text_.size() && IsBlank(text_[at_]))
      ++at_;
  }
  // Up to a blank or the end of the line.
  std::string_view TakeWord();
  Status CheckLine(std::size_t begin) const;

  const Source& source_;
  std::string_view text_;
  std::size_t at_ = 0;

 private:
  bool SkipToCommand();

  std::string_view unprintable_;
};

}  // namespace plumb::blueprint

#endif  // PLUMB_BLUEPRINT_MODELFILE_INTERNAL_H_
