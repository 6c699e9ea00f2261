// SPDX-License-Identifier: MIT OR Apache-2.0
#include "blueprint/modctl.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/text.h"
#include "blueprint/modelfile_internal.h"
#include "blueprint/source_internal.h"

namespace plumb::blueprint {
namespace {

bool Contains(std::span<const std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// Those that name files, and may come more than once.
bool NamesFiles(std::string_view word) {
  return Contains(std::span(kModctlWords).first(kModctlFileWordCount), word);
}

std::string ToUpperAscii(std::string_view text) {
  std::string upper(text);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return upper;
}

class ModctlReader : CommandScanner {
 public:
  explicit ModctlReader(const Source& source) : CommandScanner(source, "") {}

  Result<Commands> Read() {
    return ReadAll([this](bool) { return ReadCommand(); });
  }

 private:
  Result<ModelfileCommand> ReadCommand() {
    const std::size_t begin = at_;
    const std::string written(TakeWord());
    ModelfileCommand command;
    command.name = ToLowerAscii(written);
    if (!Contains(kModctlWords, command.name)) return UnknownCommand(begin, written);
    if (!NamesFiles(command.name) && !seen_.insert(command.name).second)
      return source_.ErrorAt(begin, "a second " + written);
    // modctl looks for a space, and finds no command before a tab.
    if (!AtLineEnd() && text_[at_] == '\t')
      return source_.ErrorAt(at_, "a tab after " + written + ", where modctl wants a space");
    SkipBlanks();
    if (AtLineEnd()) return source_.ErrorAt(at_, written + " has no value");
    const std::size_t value = at_;
    PLUMB_TRY(command.args, ReadValue());
    if (command.args.empty()) return source_.ErrorAt(value, written + " has an empty value");
    SkipBlanks();
    if (!AtLineEnd())
      return source_.ErrorAt(at_, "a second value; write a value with blanks in double quotes");
    return command;
  }

  Error UnknownCommand(std::size_t begin, std::string_view word) const {
    const std::string lower = ToLowerAscii(word);
    std::string problem = "unknown command '" + Printable(word) + "'";
    if (Contains(kCommandWords, lower)) {
      problem += ": it is of Ollama's Modelfile, and this one is of modctl";
    } else {
      const std::vector<std::string> known(kModctlWords.begin(), kModctlWords.end());
      if (const auto nearest = Nearest(lower, known))
        problem += ", did you mean '" + ToUpperAscii(*nearest) + "'?";
    }
    return source_.ErrorAt(begin, problem);
  }

  // Quotes may begin and end anywhere in a value; a backslash takes the next character as it is.
  Result<std::string> ReadValue() {
    std::string value;
    std::optional<std::size_t> open;
    for (; !AtLineEnd(); ++at_) {
      const char c = text_[at_];
      if (c == '\\') {
        ++at_;
        if (AtLineEnd()) return source_.ErrorAt(at_ - 1, "a backslash before the end of the line");
        value += text_[at_];
      } else if (c == '"') {
        open = open ? std::nullopt : std::optional(at_);
      } else if (IsBlank(c) && !open) {
        break;
      } else {
        value += c;
      }
    }
    if (open) return source_.ErrorAt(*open, "unclosed quote");
    return value;
  }

  std::set<std::string> seen_;
};

std::string Quoted(const std::string& value) {
  if (value.find_first_of(" \t\"\\") == std::string::npos) return value;
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

bool LooksLikeModctl(std::string_view bytes) { return Contains(kModctlWords, FirstWordOf(bytes)); }

Result<ModctlModelfile> ParseModctl(std::string_view bytes, std::string_view file) {
  if (bytes.size() > kBlueprintSizeMax)
    return Error{ErrorKind::kExhausted, "'" + Printable(file) + "' is larger than 16 MiB"};
  const DecodedText decoded = DecodeText(bytes);
  const Source source(decoded.utf8, file);
  if (decoded.first_replaced)
    return source.ErrorAt(*decoded.first_replaced, "bytes that are not UTF-8 text");
  PLUMB_TRY(Commands commands, ModctlReader(source).Read());
  return ModctlModelfile{std::move(commands)};
}

std::string PrintModctl(const ModctlModelfile& modelfile) {
  std::string text;
  for (const ModelfileCommand& command : modelfile.commands)
    text += ToUpperAscii(command.name) + " " + Quoted(command.args) + "\n";
  return text;
}

Json ModctlToJson(const ModctlModelfile& modelfile, std::string_view text) {
  Json::Array commands;
  for (const ModelfileCommand& command : modelfile.commands)
    commands.push_back(Json::MakeObject(
        {{"name", Json::String(command.name)}, {"args", Json::String(command.args)}}));
  return Json::MakeObject({{"kind", Json::String("modelfile")},
                           {"dialect", Json::String("modctl")},
                           {"commands", Json::MakeArray(std::move(commands))},
                           {"text", Json::String(text)}});
}

}  // namespace plumb::blueprint
