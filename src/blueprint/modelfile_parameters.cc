// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "blueprint/modelfile.h"
#include "blueprint/modelfile_internal.h"
#include "blueprint/number_internal.h"

namespace plumb::blueprint {
namespace {

enum class ParameterType : std::uint8_t { kInteger, kFloat, kBool, kText, kDeprecated };

struct Parameter {
  std::string_view name;
  ParameterType type;
};

constexpr Parameter kParameters[] = {
    {"num_keep", ParameterType::kInteger},
    {"seed", ParameterType::kInteger},
    {"num_predict", ParameterType::kInteger},
    {"top_k", ParameterType::kInteger},
    {"repeat_last_n", ParameterType::kInteger},
    {"num_ctx", ParameterType::kInteger},
    {"num_batch", ParameterType::kInteger},
    {"num_gpu", ParameterType::kInteger},
    {"main_gpu", ParameterType::kInteger},
    {"num_thread", ParameterType::kInteger},
    {"draft_num_predict", ParameterType::kInteger},
    {"top_p", ParameterType::kFloat},
    {"min_p", ParameterType::kFloat},
    {"typical_p", ParameterType::kFloat},
    {"temperature", ParameterType::kFloat},
    {"repeat_penalty", ParameterType::kFloat},
    {"presence_penalty", ParameterType::kFloat},
    {"frequency_penalty", ParameterType::kFloat},
    {"use_mmap", ParameterType::kBool},
    {"stop", ParameterType::kText},
    {"penalize_newline", ParameterType::kDeprecated},
    {"low_vram", ParameterType::kDeprecated},
    {"f16_kv", ParameterType::kDeprecated},
    {"logits_all", ParameterType::kDeprecated},
    {"vocab_only", ParameterType::kDeprecated},
    {"use_mlock", ParameterType::kDeprecated},
    {"mirostat", ParameterType::kDeprecated},
    {"mirostat_tau", ParameterType::kDeprecated},
    {"mirostat_eta", ParameterType::kDeprecated},
};

const Parameter* FindParameter(std::string_view name) {
  const auto* found = std::find_if(std::begin(kParameters), std::end(kParameters),
                                   [name](const Parameter& p) { return p.name == name; });
  return found == std::end(kParameters) ? nullptr : found;
}

bool FitsFloat32(std::string_view text) {
  const std::optional<double> value = ParseFloat(text);
  return value && (!std::isfinite(*value) || std::isfinite(static_cast<float>(*value)));
}

// What is wrong with a value, or nothing.
std::string_view Mismatch(ParameterType type, std::string_view value) {
  if (type == ParameterType::kInteger && !ParseInt(value, 10)) return "is not an integer";
  if (type == ParameterType::kFloat && !FitsFloat32(value)) return "is not a number";
  if (type == ParameterType::kBool && !ParseBool(value)) return "is neither true nor false";
  return "";
}

std::string Located(const ModelfileCommand& command, std::string_view file,
                    std::string_view problem) {
  std::string text = Printable(file);
  if (command.line > 0)
    text += ":" + std::to_string(command.line) + ":" + std::to_string(command.column);
  return text + ": " + std::string(problem);
}

Error UnknownParameter(const ModelfileCommand& command, std::string_view file) {
  std::vector<std::string> names;
  for (const Parameter& parameter : kParameters)
    names.emplace_back(parameter.name);
  std::string problem = "unknown parameter '" + Printable(command.name) + "'";
  if (const auto nearest = Nearest(command.name, names))
    problem += ", did you mean '" + *nearest + "'?";
  return {ErrorKind::kInvalid, Located(command, file, problem)};
}

}  // namespace

Status CheckParameters(Modelfile& modelfile, std::string_view file) {
  for (const ModelfileCommand& command : modelfile.commands) {
    if (!IsParameterName(command.name)) continue;
    const Parameter* parameter = FindParameter(command.name);
    if (parameter == nullptr) return UnknownParameter(command, file);
    const std::string subject = "parameter '" + command.name + "'";
    if (parameter->type == ParameterType::kDeprecated) {
      modelfile.warnings.push_back(Located(command, file, subject + " is deprecated"));
      continue;
    }
    if (const std::string_view mismatch = Mismatch(parameter->type, command.args);
        !mismatch.empty())
      return Error{ErrorKind::kInvalid, Located(command, file,
                                                subject + ": '" + Printable(command.args) + "' " +
                                                    std::string(mismatch))};
  }
  return Done{};
}

}  // namespace plumb::blueprint
