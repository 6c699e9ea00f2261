// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>

#include "base/text.h"
#include "blueprint/modelfile.h"
#include "blueprint/modelfile_internal.h"

namespace plumb::blueprint {
namespace {

using Reader = Result<Commands> (*)(std::string_view);

// A command without its quotes: what comes before the value, and the value.
struct Spelling {
  std::string head;
  std::string_view value;
};

Spelling Spell(const ModelfileCommand& command) {
  if (command.name == "model") return {"FROM ", command.args};
  if (IsParameterName(command.name)) return {"PARAMETER " + command.name + " ", command.args};
  std::string word = command.name;
  for (char& c : word)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (command.name != "message") return {word + " ", command.args};
  const std::string_view args = command.args;
  const std::size_t colon = std::min(args.find(": "), args.size());
  return {word + " " + std::string(args.substr(0, colon)) + " ",
          args.substr(std::min(colon + 2, args.size()))};
}

// The quotes Ollama's own printer would choose, which is not always right.
std::string_view OllamaQuote(const ModelfileCommand& command, std::string_view value) {
  if (command.name == "model") return "";
  const bool needed =
      value.find('\n') != std::string_view::npos || value.starts_with(' ') || value.ends_with(' ');
  if (!needed) return "";
  return value.find('"') == std::string_view::npos ? "\"" : "\"\"\"";
}

std::string Write(const Spelling& spelling, std::string_view quote) {
  std::string text = spelling.head;
  text.append(quote).append(spelling.value).append(quote);
  return text + "\n";
}

// The first of the spellings that reads back to the command itself. A command's text ends
// with its line, so what reads back alone does so among others.
Result<std::string> FirstThatReadsBack(const ModelfileCommand& command,
                                       std::array<std::string_view, 3> quotes, Reader reader) {
  const Spelling spelling = Spell(command);
  if (IsUtf8(command.args)) {
    for (const std::string_view quote : quotes) {
      std::string text = Write(spelling, quote);
      const Result<Commands> back = reader(text);
      if (back && back->size() == 1 && back->front() == command) return text;
    }
  }
  return Error{ErrorKind::kInvalid, "no spelling of a Modelfile can say the " +
                                        Printable(command.name) + " command '" +
                                        Printable(command.args) + "'"};
}

Status CheckHasModel(const Modelfile& modelfile) {
  for (const ModelfileCommand& command : modelfile.commands)
    if (command.name == "model") return Done{};
  return Error{ErrorKind::kInvalid, "a Modelfile needs a FROM command"};
}

}  // namespace

Result<std::string> PrintModelfile(const Modelfile& modelfile) {
  PLUMB_RETURN_IF_ERROR(CheckHasModel(modelfile));
  std::string printed;
  for (const ModelfileCommand& command : modelfile.commands) {
    const bool several_lines = command.args.find_first_of("\r\n") != std::string::npos;
    const std::array<std::string_view, 3> quotes =
        several_lines ? std::array<std::string_view, 3>{"\"\"\"", "\"", ""}
                      : std::array<std::string_view, 3>{"", "\"", "\"\"\""};
    PLUMB_TRY(const std::string text, FirstThatReadsBack(command, quotes, ReadCommandsStrict));
    printed += text;
  }
  return printed;
}

Result<std::string> PrintModelfileCompat(const Modelfile& modelfile) {
  PLUMB_RETURN_IF_ERROR(CheckHasModel(modelfile));
  std::string printed;
  for (const ModelfileCommand& command : modelfile.commands) {
    const std::string_view first = OllamaQuote(command, Spell(command).value);
    const std::string_view second = first == "\"" ? "\"\"\"" : "\"";
    const std::string_view third = first.empty() ? "\"\"\"" : "";
    PLUMB_TRY(const std::string text,
              FirstThatReadsBack(command, {first, second, third}, ReadCommandsCompat));
    printed += text;
  }
  return printed;
}

Result<Json> ModelfileToJson(const Modelfile& modelfile, std::string_view text) {
  Json::Array commands;
  for (const ModelfileCommand& command : modelfile.commands) {
    if (!IsUtf8(command.name) || !IsUtf8(command.args))
      return Error{ErrorKind::kInvalid,
                   "command '" + Printable(command.name) + "' is not UTF-8 text"};
    commands.push_back(Json::MakeObject(
        {{"name", Json::String(command.name)}, {"args", Json::String(command.args)}}));
  }
  if (!IsUtf8(text)) return Error{ErrorKind::kInvalid, "the Modelfile is not UTF-8 text"};
  return Json::MakeObject({{"kind", Json::String("modelfile")},
                           {"commands", Json::MakeArray(std::move(commands))},
                           {"text", Json::String(text)}});
}

}  // namespace plumb::blueprint
