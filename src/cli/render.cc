// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/render.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "cli/template.h"
#include "oci/media_types.h"

namespace plumb::cli {
namespace {

constexpr std::string_view kNone = "<none>";

Json Text(std::string_view value) { return Json::String(value); }
Json Name(const Digest& digest) { return Json::String(digest.ToString()); }

Json Texts(const std::vector<std::string>& values) {
  Json array = Json::MakeArray();
  for (const std::string& value : values)
    array.Add(Text(value));
  return array;
}

std::size_t ColumnsOf(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string OrNone(std::string_view text) { return Printable(text.empty() ? kNone : text); }

// The entry types of kit's lines.
std::string UnpackedLine(const std::string& directory, const kit::UnpackedEntry& entry) {
  if (entry.type == "config") return "config to " + Printable(directory + "/" + entry.path);
  std::string line = entry.type == "modelpart" ? "model part" : entry.type;
  const bool kind_has_names = entry.type != "code" && entry.type != "docs";
  if (kind_has_names && !entry.name.empty()) line += " " + Printable(entry.name);
  return line + " to " + Printable(entry.path);
}

Json TransferJson(const registry::TransferReport& transfer) {
  Json json = Json::MakeObject();
  json.Append("digest", Name(transfer.manifest));
  json.Append("bytesMoved", Json::Uint(transfer.bytes_moved));
  json.Append("bytesPresent", Json::Uint(transfer.bytes_present));
  json.Append("bytesMounted", Json::Uint(transfer.bytes_mounted));
  return json;
}

Fields FieldsOf(const verbs::ListedKit& kit) {
  return {{"Repo", OrNone(kit.repository)},
          {"Digest", kit.digest.ToString()},
          {"Tags", "[" + Printable(Join(kit.tags, " ")) + "]"},
          {"ModelName", OrNone(kit.name)},
          {"Size", FormatSize(kit.size)},
          {"Author", OrNone(kit.author)}};
}

Json ListJson(const verbs::ListReport& report) {
  Json array = Json::MakeArray();
  for (const verbs::ListedKit& kit : report.kits) {
    const auto or_none = [](std::string_view text) { return Text(text.empty() ? kNone : text); };
    Json row = Json::MakeObject();
    row.Append("repo", or_none(kit.repository));
    row.Append("digest", Name(kit.digest));
    row.Append("tags", Texts(kit.tags));
    row.Append("modelName", or_none(kit.name));
    row.Append("size", Text(FormatSize(kit.size)));
    row.Append("author", or_none(kit.author));
    array.Add(std::move(row));
  }
  return array;
}

std::string ListTable(const verbs::ListReport& report) {
  std::vector<std::vector<std::string>> rows = {
      {"REPOSITORY", "TAG", "MAINTAINER", "NAME", "SIZE", "DIGEST"}};
  for (const verbs::ListedKit& kit : report.kits) {
    std::vector<std::string> tags = kit.tags;
    if (tags.empty()) tags.emplace_back(kNone);
    for (const std::string& tag : tags) {
      rows.push_back({OrNone(kit.repository), Printable(tag), OrNone(kit.author), OrNone(kit.name),
                      FormatSize(kit.size), kit.digest.ToString()});
    }
  }
  return Table(rows);
}

std::string_view KindName(ErrorKind kind) {
  constexpr std::array<std::string_view, 9> kNames = {"not_found", "corrupt",     "invalid",
                                                      "conflict",  "denied",      "unavailable",
                                                      "exhausted", "unsupported", "interrupted"};
  return kNames.at(static_cast<std::size_t>(kind));
}

}  // namespace

Answer Render(const verbs::BuildReport& report) {
  const kit::BuildReport& built = report.built;
  std::string text;
  Json layers = Json::MakeArray();
  for (const kit::BuiltLayer& layer : built.layers) {
    const std::string_view type = oci::LayerTypeName(layer.type);
    text += (layer.was_known ? "Already saved " : "Saved ") + std::string(type) +
            " layer: " + layer.digest.ToString() + "\n";
    Json row = Json::MakeObject();
    row.Append("type", Text(type));
    row.Append("path", Text(layer.path));
    row.Append("digest", Name(layer.digest));
    row.Append("size", Json::Uint(layer.size));
    row.Append("alreadySaved", Json::Bool(layer.was_known));
    layers.Add(std::move(row));
  }
  text += (built.config_was_known ? "Configuration already exists in storage: "
                                  : "Saved configuration: ") +
          built.config.ToString() + "\n";
  text += (built.manifest_was_known ? "Manifest already exists in storage: "
                                    : "Saved manifest to storage: ") +
          built.id.ToString() + "\n";
  const std::string result = "Model saved: " + built.id.ToString() + "\n";
  text += result;

  Json json = Json::MakeObject();
  json.Append("digest", Name(built.id));
  json.Append("tags", Texts(report.tags));
  json.Append("config", Name(built.config));
  json.Append("layers", std::move(layers));
  json.Append("alreadySaved", Json::Bool(built.manifest_was_known));
  if (!report.lock_file.empty()) json.Append("lockFile", Text(report.lock_file));
  return {std::move(text), std::move(json), result};
}

std::string BeginningOf(const verbs::UnpackReport& report) {
  return "Unpacking to " + Printable(report.directory) + "\n";
}

std::string BeginningOf(const verbs::PushReport& report) {
  std::string text = "Pushing " + Printable(report.source);
  if (report.target != report.source) text += " to " + Printable(report.target);
  return text + "\n";
}

std::string BeginningOf(const verbs::PullReport& report) {
  return "Pulling " + Printable(report.source) + "\n";
}

Answer Render(const verbs::UnpackReport& report) {
  std::string text;
  std::string others;
  Json entries = Json::MakeArray();
  for (const kit::UnpackedEntry& entry : report.unpacked.entries) {
    // kit tells of the Kitfile first.
    std::string& lines = entry.type == "config" ? text : others;
    lines += "Unpacking " + UnpackedLine(report.directory, entry) + "\n";
    Json row = Json::MakeObject();
    row.Append("type", Text(entry.type));
    row.Append("name", Text(entry.name));
    row.Append("path", Text(entry.path));
    entries.Add(std::move(row));
  }
  Json json = Json::MakeObject();
  json.Append("digest", Name(report.unpacked.id));
  json.Append("directory", Text(report.directory));
  json.Append("files", Json::Uint(report.unpacked.files));
  json.Append("bytes", Json::Uint(report.unpacked.bytes));
  json.Append("entries", std::move(entries));
  return {text + others, std::move(json), ""};
}

Answer Render(const verbs::InspectReport& report) {
  Json json = Json::MakeObject();
  json.Append("digest", Name(report.digest));
  if (report.files_root) json.Append("filesRoot", Name(*report.files_root));
  json.Append("cliVersion", Text(report.cli_version));
  json.Append("kitfile", report.kitfile);
  json.Append("manifest", report.manifest);
  if (report.referrers) {
    Json referrers = Json::MakeArray();
    for (const auto& referrer : *report.referrers) {
      Json one = Json::MakeObject();
      one.Append("digest", Name(referrer.descriptor.digest));
      one.Append("artifactType", Text(referrer.artifact_type));
      one.Append("size", Json::Uint(referrer.descriptor.size));
      referrers.Add(std::move(one));
    }
    json.Append("referrers", std::move(referrers));
  }
  if (!report.config.IsNull()) json.Append("config", report.config);
  std::string text = PrintedJson(json);
  return {std::move(text), std::move(json)};
}

Answer Render(const verbs::TagReport& report) {
  std::string text =
      "Modelkit " + Printable(report.source) + " tagged as " + Printable(report.target) + "\n";
  Json json = Json::MakeObject();
  json.Append("source", Text(report.source));
  json.Append("target", Text(report.target));
  json.Append("digest", Name(report.digest));
  json.Append("previous", report.previous ? Name(*report.previous) : Json());
  return {std::move(text), std::move(json)};
}

Answer Render(const std::vector<verbs::RemoveReport>& reports) {
  using Kind = verbs::RemoveReport::Line::Kind;
  std::string text;
  Json json = Json::MakeArray();
  for (const verbs::RemoveReport& report : reports) {
    for (const verbs::RemoveReport::Line& line : report.lines) {
      const bool untagged = line.kind == Kind::kUntagged;
      const bool spared = line.kind == Kind::kSpared;
      text += (untagged ? "Untagged " : spared ? "Kept " : "Removed ") + Printable(line.name);
      if (line.kind == Kind::kNamed) text += " (digest " + line.digest.ToString() + ")";
      if (spared) text += " (base of " + Printable(line.needed_by) + ")";
      text += "\n";
      Json row = Json::MakeObject();
      row.Append("action", Text(untagged ? "untagged" : spared ? "kept" : "removed"));
      row.Append("name", Text(line.name));
      row.Append("digest", Name(line.digest));
      json.Add(std::move(row));
    }
  }
  return {std::move(text), std::move(json)};
}

Answer Render(const verbs::PushReport& report) {
  Json json = TransferJson(report.transfer);
  json.Append("source", Text(report.source));
  json.Append("target", Text(report.target));
  return {"Pushed " + report.transfer.manifest.ToString() + "\n", std::move(json)};
}

Answer Render(const verbs::PullReport& report) {
  Json json = TransferJson(report.transfer);
  json.Append("source", Text(report.source));
  json.Append("name", Text(report.name));
  return {"Pulled " + report.transfer.manifest.ToString() + "\n", std::move(json)};
}

Result<Answer> Render(const verbs::ListReport& report, std::string_view format) {
  Answer answer{{}, ListJson(report)};
  if (format == "table" || format.empty()) {
    answer.text = ListTable(report);
  } else if (format == "json") {
    answer.text = PrintedJson(answer.json);
  } else if (format.find("{{") == std::string_view::npos) {
    return Error{ErrorKind::kInvalid, "unknown format '" + Printable(format) + "'",
                 "table, json, or a template such as '{{.Repo}}\\t{{.Digest}}'"};
  } else {
    std::vector<std::string_view> names;
    for (const auto& [name, value] : FieldsOf({}))
      names.push_back(name);
    PLUMB_TRY(const Template line, Template::Parse(format, names));
    for (const verbs::ListedKit& kit : report.kits)
      answer.text += line.Fill(FieldsOf(kit));
  }
  return answer;
}

std::string Table(const std::vector<std::vector<std::string>>& rows) {
  constexpr std::size_t kGap = 3;
  std::vector<std::size_t> widths;
  for (const std::vector<std::string>& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], ColumnsOf(row[i]));
  }
  std::string text;
  for (const std::vector<std::string>& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] + kGap - ColumnsOf(row[i]), ' ');
    }
    text += "\n";
  }
  return text;
}

std::string PrintedJson(const Json& value) { return WriteJson(value, JsonStyle::kIndented) + "\n"; }

std::string ErrorText(const Error& error) {
  std::string text = "error: " + PrintableLines(error.message) + "\n";
  if (!error.hint.empty()) text += "hint: " + PrintableLines(error.hint) + "\n";
  return text;
}

std::string ErrorJson(const Error& error) {
  Json json = Json::MakeObject();
  json.Append("kind", Text(KindName(error.kind)));
  json.Append("message", Text(error.message));
  json.Append("hint", Text(error.hint));
  return WriteJson(json, JsonStyle::kCompact) + "\n";
}

std::string PrintableLines(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\n\t"), text.size());
    shown += Printable(text.substr(0, end));
    if (end < text.size()) shown += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return shown;
}

}  // namespace plumb::cli
