// SPDX-License-Identifier: MIT OR Apache-2.0
#include <utility>

#include "base/text.h"
#include "cli/render.h"

namespace plumb::cli {
namespace {

Json Name(const Digest& digest) { return Json::String(digest.ToString()); }

std::string NameAndDigest(const std::string& name, const Digest& digest) {
  return name.empty() ? digest.ToString() : Printable(name) + " (digest " + digest.ToString() + ")";
}

template <typename Kits>
Json KitsJson(const Kits& kits) {
  Json array = Json::MakeArray();
  for (const auto& kit : kits) {
    Json row = Json::MakeObject();
    row.Append("name", kit.name.empty() ? Json() : Json::String(kit.name));
    row.Append("digest", Name(kit.digest));
    array.Add(std::move(row));
  }
  return array;
}

}  // namespace

Answer Render(const verbs::InitReport& report) {
  Json json = Json::MakeObject();
  json.Append("file", report.file.empty() ? Json() : Json::String(report.file));
  json.Append("text", Json::String(report.text));
  if (report.file.empty()) return {report.text, std::move(json)};
  return {"Wrote " + Printable(report.file) + "\n", std::move(json)};
}

Answer Render(const verbs::ExportReport& report) {
  std::string text;
  for (const verbs::ExportedKit& kit : report.kits)
    text += "Exported " + NameAndDigest(kit.name, kit.digest) + "\n";
  for (const verbs::ExportedKit& kit : report.bases)
    text += "Exported its base " + kit.digest.ToString() + "\n";
  text += "Wrote " + FormatSize(report.bytes) + " to " + Printable(report.file) + "\n";
  Json json = Json::MakeObject();
  json.Append("file", Json::String(report.file));
  json.Append("bytes", Json::Uint(report.bytes));
  json.Append("kits", KitsJson(report.kits));
  json.Append("bases", KitsJson(report.bases));
  return {std::move(text), std::move(json)};
}

Answer Render(const verbs::ImportReport& report) {
  std::string text;
  for (const verbs::ImportedKit& kit : report.kits)
    text += "Imported " + NameAndDigest(kit.name, kit.digest) + "\n";
  Json json = Json::MakeObject();
  json.Append("source", Json::String(report.source));
  json.Append("kits", KitsJson(report.kits));
  json.Append("bytesMoved", Json::Uint(report.bytes_moved));
  json.Append("bytesPresent", Json::Uint(report.bytes_present));
  json.Append("bytesAdopted", Json::Uint(report.bytes_adopted));
  return {std::move(text), std::move(json)};
}

}  // namespace plumb::cli
