// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/man.h"

#include <string_view>
#include <vector>

#include "base/text.h"
#include "cli/help.h"
#include "verbs/version.h"

namespace plumb::cli {
namespace {

// Text as troff prints it again: nothing in it is a request or an escape, and what people copy
// (hyphens, quotes) stays ASCII.
std::string Escaped(std::string_view text) {
  std::string escaped;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) escaped += "\\&";
    line_begins = c == '\n';
    switch (c) {
      case '\\':
        escaped += "\\e";
        break;
      case '-':
        escaped += "\\-";
        break;
      case '\'':
        escaped += "\\(aq";
        break;
      case '`':
        escaped += "\\(ga";
        break;
      case '^':
        escaped += "\\(ha";
        break;
      case '~':
        escaped += "\\(ti";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string Bold(std::string_view text) { return "\\fB" + Escaped(text) + "\\fR"; }
std::string Italic(std::string_view text) { return "\\fI" + Escaped(text) + "\\fR"; }

std::string Heading(std::string_view title) { return ".SH " + std::string(title) + "\n"; }

// The line at the top and the section that `apropos` reads.
std::string Opening(std::string_view page, std::string_view summary) {
  return ".TH " + Escaped(page) + " 1 \"\" \"Plumb " + std::string(verbs::kVersion) +
         "\" \"Plumb\"\n" + Heading("NAME") + Escaped(page) + " \\- " + Escaped(summary) + "\n";
}

std::string Item(const std::string& term, std::string_view meaning) {
  return ".TP\n" + term + "\n" + Escaped(meaning) + "\n";
}

// What is said in `text`, whose paragraphs are separated by empty lines.
std::string Paragraphs(std::string_view text) {
  std::string paragraphs;
  for (const std::string_view line : Split(Trim(text), '\n'))
    paragraphs += line.empty() ? ".PP\n" : Escaped(line) + "\n";
  return paragraphs;
}

std::string FlagItems(const std::vector<Flag>& flags) {
  std::string items;
  for (const Flag& flag : flags) {
    std::vector<std::string> names;
    for (const std::string& name : flag.Names())
      names.push_back(Bold(name));
    if (!flag.IsSwitch()) names.back() += " " + Italic(flag.value);
    items += Item(Join(names, ", "), flag.help);
  }
  return items;
}

std::string Synopsis(Command& command) {
  std::string line = Bold("plumb " + std::string(command.Name()));
  for (const Operand& operand : command.Operands()) {
    const std::string name = Italic(operand.name) + (operand.IsList() ? "..." : "");
    line += operand.presence == Presence::kRequired ? " " + name : " [" + name + "]";
  }
  return line + " [" + Italic("flags") + "]\n";
}

std::string ExampleItems(const VerbHelp& help) {
  std::string items;
  for (const Example& example : help.examples) {
    if (!items.empty()) items += ".PP\n";
    items += Escaped(example.purpose) + ":\n.PP\n.RS 4\n.nf\n" + Escaped(example.command) +
             "\n.fi\n.RE\n";
  }
  return items;
}

std::string ExitCodeItems(const std::vector<int>& codes) {
  std::string items;
  for (const int code : codes)
    items += Item(Bold(std::to_string(code)), MeaningOf(code));
  return items;
}

std::string Reference(std::string_view page) { return Bold(page) + "(1)"; }

}  // namespace

std::string ManOverview() {
  std::string text = Opening("plumb", "version control for model weights");
  text += Heading("SYNOPSIS") + Bold("plumb") + " " + Italic("VERB") + " [" + Italic("REFERENCE") +
          "] [" + Italic("flags") + "]\n";
  text += Heading("DESCRIPTION") + Paragraphs(About()) + Heading("VERBS");
  std::vector<std::string> pages;
  for (const VerbHelp& help : AllHelp()) {
    text += Item(Bold(NamesOf(help)), help.summary);
    pages.push_back(Reference("plumb-" + std::string(help.name)));
  }
  text += Heading("OPTIONS") + FlagItems(SharedFlags()) + Heading("ENVIRONMENT");
  for (const Variable& variable : Variables())
    text += Item(Bold(variable.name), variable.meaning);
  text += Heading("EXIT STATUS");
  for (const ExitCode& code : ExitCodes())
    text += Item(Bold(std::to_string(code.code)), code.meaning);
  return text + Heading("SEE ALSO") + Join(pages, ",\n") + "\n";
}

std::string ManPage(Command& command) {
  const VerbHelp& help = HelpOf(command.Name());
  std::string text = Opening("plumb-" + std::string(help.name), help.summary);
  text += Heading("SYNOPSIS") + Synopsis(command);
  if (!help.alias.empty()) {
    text += ".PP\nAlso called: " + Bold("plumb " + std::string(help.alias)) + "\n";
  }
  text += Heading("DESCRIPTION") + Paragraphs(help.description);
  text += Heading("OPTIONS") + FlagItems(command.Flags());
  text += ".SS Flags of every verb\n" + FlagItems(SharedFlags());
  text += Heading("EXIT STATUS") + ExitCodeItems(ExitCodesOf(help));
  if (!help.examples.empty()) text += Heading("EXAMPLES") + ExampleItems(help);
  return text + Heading("SEE ALSO") + Reference("plumb") + "\n";
}

}  // namespace plumb::cli
