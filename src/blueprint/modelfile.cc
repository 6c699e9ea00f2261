// SPDX-License-Identifier: MIT OR Apache-2.0
#include "blueprint/modelfile.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "blueprint/modelfile_internal.h"
#include "blueprint/source_internal.h"

namespace plumb::blueprint {
namespace {

template <std::size_t kSize>
bool Contains(const std::array<std::string_view, kSize>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

template <std::size_t kSize>
std::string DidYouMean(const std::array<std::string_view, kSize>& words, std::string_view word,
                       bool upper_case) {
  std::vector<std::string> candidates(words.begin(), words.end());
  std::optional<std::string> nearest = Nearest(ToLowerAscii(word), candidates);
  if (!nearest) return "";
  if (upper_case)
    for (char& c : *nearest)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return ", did you mean '" + *nearest + "'?";
}

std::string CodePointName(char32_t code_point) {
  std::string bytes;
  for (int shift = 16; shift >= 0; shift -= 8)
    bytes += static_cast<char>(code_point >> shift & 0xff);
  std::string digits = EncodeHex(AsBytes(bytes));
  digits.erase(0, code_point > 0xfffff ? 0 : code_point > 0xffff ? 1 : 2);
  for (char& c : digits)
    if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
  return "U+" + digits;
}

// Reads line by line. Accepts less than Ollama: exactly the files of which Ollama's reading
// is what is written, so that a file means the same to both.
class StrictReader : CommandScanner {
 public:
  // From words and values alike.
  explicit StrictReader(const Source& source)
      : CommandScanner(source, ", which Ollama would drop silently") {}

  Result<Commands> Read() {
    return ReadAll([this](bool is_first) { return ReadCommand(is_first); });
  }

 private:
  Result<ModelfileCommand> ReadCommand(bool is_first) {
    const std::size_t begin = at_;
    const std::string_view written = TakeWord();
    const std::string word = ToLowerAscii(written);
    if (!Contains(kCommandWords, word)) return UnknownCommand(begin, written, is_first);
    if (AtLineEnd()) return source_.ErrorAt(at_, std::string(written) + " has no value");
    ++at_;
    ModelfileCommand command;
    command.name = word == "from" ? "model" : word;
    std::string role;
    if (word == "parameter") {
      PLUMB_TRY(command.name, ReadParameterName());
    } else if (word == "message") {
      PLUMB_TRY(role, ReadRole());
    }
    PLUMB_TRY(command.args, ReadValue(Trim(Slice(begin, at_))));
    if (word == "from" && command.args.empty()) return source_.ErrorAt(begin, "FROM names nothing");
    if (!role.empty()) command.args.insert(0, role + ": ");
    return command;
  }

  Error UnknownCommand(std::size_t begin, std::string_view word, bool is_first) const {
    if (is_first && Contains(kModctlWords, ToLowerAscii(word)))
      return source_.ErrorAt(
          begin,
          "'" + std::string(word) + "' is a command of modctl's Modelfile, which is another format",
          ErrorKind::kUnsupported);
    return source_.ErrorAt(
        begin, "unknown command '" + Printable(word) + "'" + DidYouMean(kCommandWords, word, true));
  }

  Result<std::string> ReadParameterName() {
    const std::size_t begin = at_;
    if (AtLineEnd()) return source_.ErrorAt(at_, "PARAMETER has no name");
    if (IsBlank(text_[at_]))
      return source_.ErrorAt(
          at_, "more than one blank after PARAMETER, which Ollama reads as an empty name");
    const std::string_view name = TakeWord();
    const auto bad = std::find_if_not(name.begin(), name.end(), IsParameterNameChar);
    if (bad != name.end())
      return source_.ErrorAt(begin + static_cast<std::size_t>(bad - name.begin()),
                             "the name of a parameter has only letters, digits and '_'");
    if (!IsParameterName(name))
      return source_.ErrorAt(
          begin, "parameter '" + std::string(name) + "', which Ollama would take for the command");
    return std::string(name);
  }

  Result<std::string> ReadRole() {
    const std::size_t begin = at_;
    if (AtLineEnd()) return source_.ErrorAt(at_, "MESSAGE has no role");
    if (IsBlank(text_[at_]))
      return source_.ErrorAt(
          at_, "more than one blank after MESSAGE, which Ollama reads as an empty role");
    const std::string_view role = TakeWord();
    if (!Contains(kMessageRoles, role))
      return source_.ErrorAt(begin, "the role of a message is 'system', 'user' or 'assistant'" +
                                        DidYouMean(kMessageRoles, role, false));
    return std::string(role);
  }

  // `what` has the value, for messages.
  Result<std::string> ReadValue(std::string_view what) {
    const std::size_t before = at_;
    SkipBlanks();
    if (AtLineEnd())
      return source_.ErrorAt(before, std::string(what) + R"( has no value; an empty one is "")");
    for (const std::string_view quote : {"\"\"\"", "\""})
      if (text_.substr(at_).starts_with(quote)) return ReadQuoted(quote);
    const std::size_t begin = at_;
    at_ = LineEnd(at_);
    const std::string_view value = Trim(Slice(begin, at_));
    PLUMB_RETURN_IF_ERROR(CheckForComment(begin, value));
    return std::string(value);
  }

  // To Ollama a '#' in a value is part of it. Whoever writes one where a comment could be
  // must say with quotes that it is none.
  Status CheckForComment(std::size_t begin, std::string_view value) const {
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i] != '#') continue;
      const bool after_value = i > 0 && IsBlank(value[i - 1]);
      const bool instead_of_value = i == 0 && (value.size() == 1 || IsBlank(value[1]));
      if (after_value || instead_of_value)
        return source_.ErrorAt(begin + i,
                               "'#' begins no comment here but is part of the value; write the "
                               "value in double quotes if that is meant");
    }
    return Done{};
  }

  // A quoted value ends with the first line that ends with the quote.
  Result<std::string> ReadQuoted(std::string_view quote) {
    const std::size_t open = at_;
    const std::size_t begin = open + quote.size();
    std::size_t line_begin = begin;
    for (;;) {
      const std::size_t line_end = LineEnd(line_begin);
      const std::string_view line = Slice(line_begin, line_end);
      const std::string_view trimmed = line.substr(0, line.find_last_not_of(" \t") + 1);
      at_ = line_end;
      if (trimmed.ends_with(quote))
        return std::string(Slice(begin, line_begin + trimmed.size() - quote.size()));
      if (const std::size_t inner = trimmed.find(quote); inner != std::string_view::npos)
        return source_.ErrorAt(line_begin + inner + quote.size(),
                               "text after the closing " + std::string(quote) +
                                   ", which does not close there for Ollama");
      if (line_end == text_.size())
        return source_.ErrorAt(open, "unclosed quote: no line ends with " + std::string(quote));
      line_begin = line_end + 1;
      PLUMB_RETURN_IF_ERROR(CheckLine(line_begin));
    }
  }
};

}  // namespace

bool CommandScanner::SkipToCommand() {
  while (at_ < text_.size()) {
    if (text_[at_] == '#') {
      at_ = LineEnd(at_);
    } else if (IsBlank(text_[at_]) || IsLineEnd(text_[at_])) {
      ++at_;
    } else {
      return true;
    }
  }
  return false;
}

std::string_view CommandScanner::TakeWord() {
  const std::size_t begin = at_;
  while (!AtLineEnd() && !IsBlank(text_[at_]))
    ++at_;
  return Slice(begin, at_);
}

Status CommandScanner::CheckLine(std::size_t begin) const {
  std::string_view rest = Slice(begin, LineEnd(begin));
  while (!rest.empty()) {
    const auto offset = static_cast<std::size_t>(rest.data() - text_.data());
    const std::optional<char32_t> code_point = TakeCodePoint(rest);
    PLUMB_CHECK(code_point.has_value());
    if (*code_point != '\t' && !IsPrintable(*code_point))
      return source_.ErrorAt(offset, "unprintable character " + CodePointName(*code_point) +
                                         std::string(unprintable_));
  }
  return Done{};
}

bool IsParameterName(std::string_view name) {
  return name == "from" || name == "parameter" ||
         (name != "model" && !Contains(kCommandWords, name));
}

Result<Commands> ReadCommandsStrict(std::string_view text) {
  const Source source(text, "");
  return StrictReader(source).Read();
}

Result<Modelfile> ParseModelfile(std::string_view bytes, std::string_view file) {
  if (bytes.size() > kBlueprintSizeMax)
    return Error{ErrorKind::kExhausted, "'" + Printable(file) + "' is larger than 16 MiB"};
  const DecodedText decoded = DecodeText(bytes);
  const Source source(decoded.utf8, file);
  if (decoded.first_replaced)
    return source.ErrorAt(*decoded.first_replaced, "bytes that are not UTF-8 text");
  PLUMB_TRY(Commands commands, StrictReader(source).Read());
  const auto names_model = [](const ModelfileCommand& c) { return c.name == "model"; };
  if (std::none_of(commands.begin(), commands.end(), names_model))
    return source.ErrorAt(0, "no FROM in this file, so there is no model");
  return Modelfile{std::move(commands), {}};
}

std::string FirstWordOf(std::string_view bytes) {
  const std::string text = DecodeText(bytes.substr(0, kBlueprintSizeMax)).utf8;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(" \t\r\n", at)) != std::string::npos && text[at] == '#')
    at = std::min(text.find_first_of("\r\n", at), text.size());
  if (at == std::string::npos) return {};
  const std::size_t end = std::min(text.find_first_of(" \t\r\n", at), text.size());
  return ToLowerAscii(std::string_view(text).substr(at, end - at));
}

bool LooksLikeModelfile(std::string_view bytes) {
  const std::string word = FirstWordOf(bytes);
  return Contains(kCommandWords, word) || Contains(kModctlWords, word);
}

}  // namespace plumb::blueprint
