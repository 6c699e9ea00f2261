// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "cli/render.h"

namespace plumb::cli {
namespace {

std::string ShapeText(const std::vector<std::uint64_t>& shape) {
  std::vector<std::string> dimensions;
  dimensions.reserve(shape.size());
  for (const std::uint64_t dimension : shape)
    dimensions.push_back(std::to_string(dimension));
  return "[" + Join(dimensions, ", ") + "]";
}

// Enough to tell objects apart, and to compare those of two kits.
std::string ShortId(const verbs::TensorKept& kept) {
  constexpr std::size_t kDigits = 12;
  return kept.object ? kept.object->ToHex().substr(0, kDigits) : "-";
}

std::string EncodingText(const verbs::TensorKept& kept) {
  return kept.object ? Join(kept.encodings, "+") : "-";
}

// No tensor is kept as a difference yet: each is its own base.
Json TensorJson(const weights::TensorPlace& tensor, const verbs::TensorKept& kept) {
  Json shape = Json::MakeArray();
  for (const std::uint64_t dimension : tensor.shape)
    shape.Add(Json::Uint(dimension));
  Json json = Json::MakeObject();
  json.Append("name", Json::String(tensor.name));
  json.Append("dtype", Json::String(weights::DtypeName(tensor.dtype)));
  json.Append("shape", std::move(shape));
  json.Append("offset", Json::Uint(tensor.offset));
  json.Append("bytes", Json::Uint(tensor.size));
  json.Append("object", kept.object ? Json::String(kept.object->ToHex()) : Json());
  if (kept.object) {
    json.Append("stored", Json::Uint(kept.stored));
    json.Append("encoding", Json::String(EncodingText(kept)));
  }
  json.Append("base", Json());
  return json;
}

}  // namespace

Answer Render(const verbs::TensorsReport& report) {
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "DTYPE", "SHAPE", "SIZE", "STORED", "ENCODING", "OBJECT", "FILE"}};
  std::uint64_t size = 0;
  Json files = Json::MakeArray();
  for (std::size_t i = 0; i < report.weights.files.size(); ++i) {
    const kit::WeightsFile& file = report.weights.files[i];
    Json tensors = Json::MakeArray();
    for (std::size_t t = 0; t < file.header.tensors.size(); ++t) {
      const weights::TensorPlace& tensor = file.header.tensors[t];
      const verbs::TensorKept& kept = report.kept[i][t];
      rows.push_back({Printable(tensor.name), std::string(weights::DtypeName(tensor.dtype)),
                      ShapeText(tensor.shape), FormatSize(tensor.size),
                      kept.object ? FormatSize(kept.stored) : "-", EncodingText(kept),
                      ShortId(kept), Printable(file.path)});
      size += tensor.size;
      tensors.Add(TensorJson(tensor, kept));
    }
    Json json = Json::MakeObject();
    json.Append("path", Json::String(file.path));
    json.Append("format", Json::String(weights::TensorFormatName(file.header.format)));
    json.Append("layer", Json::String(file.layer.ToString()));
    if (file.blob_offset) json.Append("layerOffset", Json::Uint(*file.blob_offset));
    json.Append("tensors", std::move(tensors));
    files.Add(std::move(json));
  }
  const std::size_t count = rows.size() - 1;
  const std::string sum =
      std::to_string(count) + (count == 1 ? " tensor, " : " tensors, ") + FormatSize(size);
  Json json = Json::MakeObject();
  json.Append("digest", Json::String(report.kit.ToString()));
  json.Append("files", std::move(files));
  return {Table(rows) + "\n" + sum + "\n", std::move(json)};
}

}  // namespace plumb::cli
