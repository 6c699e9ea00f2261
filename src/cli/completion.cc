// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/completion.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "cli/args.h"
#include "cli/help.h"

namespace plumb::cli {
namespace {

// What the scripts are made of: each verb with all that may stand behind it.
struct Verb {
  std::vector<std::string> names;
  std::string summary;
  std::vector<Flag> flags;  // its own, then everyone's
  std::vector<Operand> operands;
};

std::vector<Verb> VerbsOf(const Commands& commands) {
  static GlobalOptions unused;
  std::vector<Verb> verbs;
  for (const std::unique_ptr<Command>& command : commands) {
    const VerbHelp& help = HelpOf(command->Name());
    Verb verb{
        {std::string(help.name)}, std::string(help.summary), command->Flags(), command->Operands()};
    if (!help.alias.empty()) verb.names.emplace_back(help.alias);
    for (Flag& flag : GlobalFlags(unused))
      verb.flags.push_back(std::move(flag));
    verbs.push_back(std::move(verb));
  }
  return verbs;
}

std::vector<std::string> AllNames(const std::vector<Verb>& verbs) {
  std::vector<std::string> names;
  for (const Verb& verb : verbs)
    names.insert(names.end(), verb.names.begin(), verb.names.end());
  return names;
}

std::string AllNames(const std::vector<Verb>& verbs, std::string_view separator) {
  return Join(AllNames(verbs), separator);
}

// What may stand where there is no verb yet: everyone's flags, and the verbs.
Verb BeforeTheVerb(const std::vector<Verb>& verbs, const std::string& name) {
  static std::string unused;
  Verb verb{{name}, {}, SharedFlags(), {}};
  verb.operands.push_back({"VERB", &unused, Presence::kOptional, Offer::kWord, AllNames(verbs)});
  return verb;
}

// In single quotes, as bash and zsh read it.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

// bash: what is offered is a call that fills `candidates`, or nothing; then bash itself offers
// files.
std::string BashOffer(Offer offer, const std::vector<std::string>& words) {
  if (offer == Offer::kReference) return "candidates=$(_plumb_references)";
  if (offer == Offer::kWord) return "candidates=" + Quoted(Join(words, " "));
  return ":";
}

std::string BashVerb(const Verb& verb) {
  std::string values;
  std::vector<std::string> names;
  for (const Flag& flag : verb.flags) {
    for (std::string& name : flag.Names())
      names.push_back(std::move(name));
    if (flag.IsSwitch()) continue;
    values +=
        "        " + Join(flag.Names(), "|") + ") " + BashOffer(flag.offer, flag.words) + " ;;\n";
  }
  std::string otherwise = ":";
  if (!verb.operands.empty()) {
    otherwise = BashOffer(verb.operands.front().offer, verb.operands.front().words);
  }
  return "    " + Join(verb.names, "|") + ")\n      flags=" + Quoted(Join(names, " ")) +
         "\n      case $previous in\n" + values + "        *) " + otherwise +
         " ;;\n      esac ;;\n";
}

std::string BashScript(const std::vector<Verb>& verbs) {
  std::string script = R"(# bash completion for plumb: source <(plumb completion bash)

_plumb_references() {
  local repository tags tag
  plumb list --quiet --format '{{.Repo}} {{.Tags}}' 2>/dev/null | while read -r repository tags; do
    tags=${tags#\[}
    for tag in ${tags%\]}; do
      echo "$repository:$tag"
    done
  done
}

_plumb() {
  # Not COMP_WORDS, which are cut at every ':' and '='.
  local line=${COMP_LINE:0:COMP_POINT}
  local word=${line##*[[:space:]]}
  local before=${line%"$word"} previous='' verb='' candidates='' flags='' each
  for each in $before; do
    previous=$each
    [[ -n $verb ]] && continue
    case $each in
      )" + AllNames(verbs, "|") +
                       R"() verb=$each ;;
    esac
  done
  if [[ $word == --*=* ]]; then
    previous=${word%%=*}
    word=${word#*=}
  fi
  case $verb in
)";
  script += BashVerb(BeforeTheVerb(verbs, "''"));
  for (const Verb& verb : verbs)
    script += BashVerb(verb);
  script += R"(  esac
  [[ $word == -* ]] && candidates=$flags
  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$word")
  # bash replaces only what stands behind the last ':'.
  if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"${word%:*}:"}")
  fi
}

complete -o default -F _plumb plumb
)";
  return script;
}

// Text between the brackets or behind the colons of a specification for zsh's _arguments.
std::string ZshText(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') plain += '\\';
    plain += c;
  }
  return plain;
}

std::string ZshOffer(Offer offer, const std::vector<std::string>& words) {
  switch (offer) {
    case Offer::kFile:
      return "_files";
    case Offer::kDirectory:
      return "_files -/";
    case Offer::kReference:
      return "_plumb_references";
    case Offer::kWord:
      return "(" + Join(words, " ") + ")";
    case Offer::kNothing:
      break;
  }
  return " ";
}

std::string ZshVerb(const Verb& verb) {
  std::string text = "    " + Join(verb.names, "|") + ")\n      _arguments -s";
  for (const Flag& flag : verb.flags) {
    for (const std::string& name : flag.Names()) {
      std::string specification = "*" + name + "[" + ZshText(flag.help) + "]";
      if (!flag.IsSwitch()) {
        specification += ":" + ZshText(flag.value) + ":" + ZshOffer(flag.offer, flag.words);
      }
      text += " \\\n        " + Quoted(specification);
    }
  }
  if (!verb.operands.empty()) {
    const Operand& operand = verb.operands.front();
    text += " \\\n        " +
            Quoted("*:" + ZshText(operand.name) + ":" + ZshOffer(operand.offer, operand.words));
  }
  return text + " ;;\n";
}

std::string ZshScript(const std::vector<Verb>& verbs) {
  std::string script = R"(#compdef plumb
# zsh completion for plumb: plumb completion zsh > "${fpath[1]}/_plumb"

_plumb_references() {
  local repository tags tag
  local -a references
  plumb list --quiet --format '{{.Repo}} {{.Tags}}' 2>/dev/null | while read -r repository tags; do
    tags=${${tags#\[}%\]}
    for tag in ${=tags}; do
      references+=("$repository:$tag")
    done
  done
  compadd -a references
}

_plumb() {
  local verb='' each
  local -a verbs
  for each in "${(@)words[2,CURRENT-1]}"; do
    case $each in
      )" + AllNames(verbs, "|") +
                       R"() verb=$each; break ;;
    esac
  done
  case $verb in
    '')
)";
  for (const Flag& flag : SharedFlags()) {
    if (flag.offer != Offer::kWord) continue;
    script += "      if [[ ${words[CURRENT-1]} == " + flag.Names().back() +
              " ]]; then\n        compadd " + Join(flag.words, " ") + "; return\n      fi\n";
  }
  script += R"(      verbs=()";
  for (const Verb& verb : verbs) {
    for (const std::string& name : verb.names)
      script += "\n        " + Quoted(name + ":" + verb.summary);
  }
  script += "\n      )\n      _describe verb verbs ;;\n";
  for (const Verb& verb : verbs)
    script += ZshVerb(verb);
  return script + R"(  esac
}

if [[ ${funcstack[1]} == _plumb ]]; then
  _plumb "$@"
else
  compdef _plumb plumb
fi
)";
}

// In single quotes, as fish reads it.
std::string FishQuoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

std::string FishOffer(Offer offer, const std::vector<std::string>& words) {
  switch (offer) {
    case Offer::kFile:
      return " -F";
    case Offer::kDirectory:
      return " -a '(__fish_complete_directories)'";
    case Offer::kReference:
      return " -a '(__plumb_references)'";
    case Offer::kWord:
      return " -a " + FishQuoted(Join(words, " "));
    case Offer::kNothing:
      break;
  }
  return "";
}

std::string FishFlag(const Flag& flag) {
  std::string text;
  for (const std::string& name : flag.Names())
    text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  if (!flag.IsSwitch()) {
    text += (flag.offer == Offer::kFile ? " -r" : " -x") + FishOffer(flag.offer, flag.words);
  }
  return text + " -d " + FishQuoted(flag.help) + "\n";
}

std::string FishVerb(const Verb& verb) {
  const std::string here =
      "complete -c plumb -n '__fish_seen_subcommand_from " + Join(verb.names, " ") + "'";
  std::string text;
  for (const std::string& name : verb.names) {
    text += "complete -c plumb -n __fish_use_subcommand -a " + name + " -d " +
            FishQuoted(verb.summary) + "\n";
  }
  for (const Flag& flag : verb.flags)
    text += here + FishFlag(flag);
  if (!verb.operands.empty()) {
    const Operand& operand = verb.operands.front();
    text += here + FishOffer(operand.offer, operand.words) + "\n";
  }
  return text;
}

std::string FishScript(const std::vector<Verb>& verbs) {
  std::string script = R"(# fish completion for plumb: plumb completion fish | source

function __plumb_references
    plumb list --quiet --format '{{.Repo}} {{.Tags}}' 2>/dev/null | while read -l repository tags
        for tag in (string split -n ' ' -- (string trim -c '[]' -- $tags))
            echo $repository:$tag
        end
    end
end

complete -c plumb -f
)";
  for (const Flag& flag : SharedFlags())
    script += "complete -c plumb -n __fish_use_subcommand" + FishFlag(flag);
  for (const Verb& verb : verbs)
    script += FishVerb(verb);
  return script;
}

}  // namespace

Result<std::string> CompletionScript(std::string_view shell, const Commands& commands) {
  const std::vector<Verb> verbs = VerbsOf(commands);
  if (shell == "bash") return BashScript(verbs);
  if (shell == "zsh") return ZshScript(verbs);
  if (shell == "fish") return FishScript(verbs);
  return Error{ErrorKind::kInvalid,
               "no completion for the shell '" + Printable(shell) + "': bash, zsh or fish",
               "plumb completion bash"};
}

}  // namespace plumb::cli
