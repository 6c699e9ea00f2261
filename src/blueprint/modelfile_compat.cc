// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <optional>

#include "base/text.h"
#include "blueprint/modelfile.h"
#include "blueprint/modelfile_internal.h"
#include "blueprint/source_internal.h"

// Ollama's reading of a Modelfile, with what it silently drops and joins. Established by
// running its parser; nothing here is a choice of ours.
namespace plumb::blueprint {
namespace {

// Where a file ends too soon, and, with what was read of it, where a name has a wrong character.
constexpr std::string_view kUnexpectedEnd = "unexpected EOF";

Error EndsTooSoon() { return {ErrorKind::kInvalid, std::string(kUnexpectedEnd)}; }
Error BreaksOff(std::string_view name) {
  return {ErrorKind::kInvalid, std::string(kUnexpectedEnd) + ": " + std::string(name)};
}

bool IsBlankRune(char32_t c) { return c == ' ' || c == '\t'; }
bool IsLineEndRune(char32_t c) { return c == '\n' || c == '\r'; }

// What a value of these characters is once its quotes are off, or nothing if a quote is
// still open. Quotes count only at both ends; nothing is an escape.
std::optional<std::string_view> Unquote(std::string_view text) {
  for (const std::string_view quote : {"\"\"\"", "\""}) {
    if (!text.starts_with(quote)) continue;
    if (text.size() < 2 * quote.size() || !text.ends_with(quote)) return std::nullopt;
    return text.substr(quote.size(), text.size() - 2 * quote.size());
  }
  return text;
}

class CompatReader {
 public:
  explicit CompatReader(std::string_view text) : source_(text, ""), rest_(text) {}

  Result<Commands> Read() {
    Commands commands;
    while (SkipToCommand()) {
      const SourcePosition at = source_.At(source_.Text().size() - rest_.size());
      PLUMB_TRY(ModelfileCommand command, ReadCommand());
      command.line = at.line;
      command.column = at.column;
      commands.push_back(std::move(command));
    }
    return commands;
  }

 private:
  std::optional<char32_t> Take() {
    if (rest_.empty()) return std::nullopt;
    const std::optional<char32_t> rune = TakeCodePoint(rest_);
    PLUMB_CHECK(rune.has_value());
    if (IsLineEndRune(*rune)) ++line_;
    return rune;
  }

  Error ErrorHere(std::string_view problem) const {
    return {ErrorKind::kInvalid, "(line " + std::to_string(line_) + "): " + std::string(problem)};
  }
  Error NoSuchCommand() const {
    return ErrorHere(
        "command must be one of \"from\", \"license\", \"template\", \"system\", \"adapter\", "
        "\"draft\", \"renderer\", \"parser\", \"parameter\", \"message\", or \"requires\"");
  }

  // Past white space and comments; false at the end.
  bool SkipToCommand() {
    while (!rest_.empty()) {
      const char next = rest_.front();
      if (next == '#') {
        for (auto rune = Take(); rune && !IsLineEndRune(*rune);)
          rune = Take();
      } else if (IsBlank(next) || IsLineEnd(next)) {
        Take();
      } else {
        return true;
      }
    }
    return false;
  }

  Result<ModelfileCommand> ReadCommand() {
    PLUMB_TRY(std::string word, ReadCommandWord());
    ModelfileCommand command;
    std::string role;
    if (word == "from") {
      command.name = "model";
    } else if (word == "parameter") {
      PLUMB_TRY(command.name, ReadWord(IsParameterNameChar));
    } else {
      command.name = word;
    }
    if (word == "message") {
      PLUMB_TRY(role, ReadWord(IsAsciiLetter));
      if (std::find(kMessageRoles.begin(), kMessageRoles.end(), role) == kMessageRoles.end())
        return ErrorHere(R"(message role must be one of "system", "user", or "assistant")");
      role += ": ";
    }
    PLUMB_TRY(const std::string value, ReadValue());
    command.args = role + value;
    return command;
  }

  // In lower case. The first character may be any, and is not there if it cannot be printed.
  Result<std::string> ReadCommandWord() {
    std::string word;
    const char32_t first = Take().value_or(0);
    if (IsPrintable(first)) AppendUtf8(word, first);
    for (;;) {
      const auto rune = Take();
      if (!rune) return EndsTooSoon();
      if (IsBlankRune(*rune)) break;
      if (*rune >= 0x80 || !IsAsciiLetter(static_cast<char>(*rune))) return NoSuchCommand();
      word += static_cast<char>(*rune);
    }
    word = ToLowerAscii(word);
    if (std::find(kCommandWords.begin(), kCommandWords.end(), word) == kCommandWords.end())
      return NoSuchCommand();
    return word;
  }

  // The name of a parameter or the role of a message, and the blank after it.
  Result<std::string> ReadWord(bool (*belongs)(char)) {
    std::string word;
    for (;;) {
      const auto rune = Take();
      if (!rune) return EndsTooSoon();
      if (IsBlankRune(*rune)) return word;
      if (*rune >= 0x80 || !belongs(static_cast<char>(*rune))) return BreaksOff(word);
      word += static_cast<char>(*rune);
    }
  }

  Result<std::string> ReadValue() {
    std::string value;     // without blanks at its beginning
    std::size_t size = 0;  // up to where something other than white space was seen
    for (;;) {
      const auto rune = Take();
      if (!rune || IsLineEndRune(*rune)) {
        if (const auto text = Unquote(std::string_view(value).substr(0, size)))
          return std::string(*text);
        if (!rune) return EndsTooSoon();
        AppendUtf8(value, *rune);
      } else if (IsBlankRune(*rune)) {
        if (!value.empty()) AppendUtf8(value, *rune);
      } else if (IsPrintable(*rune)) {
        AppendUtf8(value, *rune);
        size = value.size();
      }
    }
  }

  Source source_;
  std::string_view rest_;
  int line_ = 1;  // as Ollama counts: CR and LF are a line each
};

bool NamesModel(const ModelfileCommand& command) { return command.name == "model"; }

}  // namespace

Result<Commands> ReadCommandsCompat(std::string_view text) { return CompatReader(text).Read(); }

Result<Modelfile> ParseModelfileCompat(std::string_view bytes) {
  if (bytes.size() > kBlueprintSizeMax)
    return Error{ErrorKind::kExhausted, "Modelfile is larger than 16 MiB"};
  const DecodedText decoded = DecodeText(bytes);
  PLUMB_TRY(Commands commands, ReadCommandsCompat(decoded.utf8));
  if (std::none_of(commands.begin(), commands.end(), NamesModel))
    return Error{ErrorKind::kInvalid, "no FROM line"};
  return Modelfile{std::move(commands), {}};
}

}  // namespace plumb::blueprint
