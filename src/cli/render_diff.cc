// SPDX-License-Identifier: MIT OR Apache-2.0
#include <cstdint>
#include <optional>
#include <utility>

#include "base/text.h"
#include "cli/render.h"

namespace plumb::cli {
namespace {

using Layers = std::vector<verbs::DiffLayer>;

std::uint64_t SizeOf(const Layers& layers) {
  std::uint64_t size = 0;
  for (const verbs::DiffLayer& layer : layers)
    size += layer.size;
  return size;
}

// "Shared layers: 2 (1.0 MiB)", and a row for each.
std::string LayersText(const std::string& title, const Layers& layers) {
  std::string text =
      title + ": " + std::to_string(layers.size()) + " (" + FormatSize(SizeOf(layers)) + ")\n";
  std::vector<std::vector<std::string>> rows;
  for (const verbs::DiffLayer& layer : layers) {
    rows.push_back({"  " + Printable(layer.type), FormatSize(layer.size), layer.digest.ToString(),
                    Printable(layer.path)});
  }
  return text + Table(rows);
}

std::string FieldText(const verbs::DiffField& field) {
  const auto shown = [](const Json& value) { return WriteJson(value, JsonStyle::kCompact); };
  const std::string path = Printable(field.path);
  if (field.before && field.after)
    return "  ~ " + path + ": " + shown(*field.before) + " -> " + shown(*field.after) + "\n";
  if (field.after) return "  + " + path + ": " + shown(*field.after) + "\n";
  return "  - " + path + ": " + (field.before ? shown(*field.before) : "null") + "\n";
}

Json KitJson(const std::string& name, const Digest& digest) {
  Json json = Json::MakeObject();
  json.Append("name", Json::String(name));
  json.Append("digest", Json::String(digest.ToString()));
  return json;
}

Json LayersJson(const Layers& layers) {
  Json array = Json::MakeArray();
  for (const verbs::DiffLayer& layer : layers) {
    Json row = Json::MakeObject();
    row.Append("type", Json::String(layer.type));
    row.Append("path", Json::String(layer.path));
    row.Append("digest", Json::String(layer.digest.ToString()));
    row.Append("size", Json::Uint(layer.size));
    array.Add(std::move(row));
  }
  return array;
}

Json ReportJson(const verbs::DiffReport& report) {
  Json fields = Json::MakeArray();
  for (const verbs::DiffField& field : report.fields) {
    Json row = Json::MakeObject();
    row.Append("path", Json::String(field.path));
    if (field.before) row.Append("before", *field.before);
    if (field.after) row.Append("after", *field.after);
    fields.Add(std::move(row));
  }
  Json json = Json::MakeObject();
  json.Append("before", KitJson(report.before_name, report.before));
  json.Append("after", KitJson(report.after_name, report.after));
  json.Append("sameConfig", Json::Bool(report.same_config));
  json.Append("sameAnnotations", Json::Bool(report.same_annotations));
  json.Append("shared", LayersJson(report.shared));
  json.Append("onlyBefore", LayersJson(report.only_before));
  json.Append("onlyAfter", LayersJson(report.only_after));
  json.Append("fields", std::move(fields));
  return json;
}

}  // namespace

Answer Render(const verbs::DiffReport& report) {
  const std::string before = Printable(report.before_name);
  const std::string after = Printable(report.after_name);
  std::string text = "Comparing " + before + " (" + report.before.ToString() + ")\n     with " +
                     after + " (" + report.after.ToString() + ")\n";
  if (report.before == report.after) {
    text += "They are the same ModelKit\n";
    return {std::move(text), ReportJson(report)};
  }
  text += report.same_config ? "Configs are identical\n" : "Configs differ\n";
  text += report.same_annotations ? "Annotations are identical\n" : "Annotations differ\n";
  if (!report.fields.empty()) text += "Kitfile:\n";
  for (const verbs::DiffField& field : report.fields)
    text += FieldText(field);
  text += LayersText("Shared layers", report.shared);
  text += LayersText("Layers only in " + before, report.only_before);
  text += LayersText("Layers only in " + after, report.only_after);
  return {std::move(text), ReportJson(report)};
}

}  // namespace plumb::cli
