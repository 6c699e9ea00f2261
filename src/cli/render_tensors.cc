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

Json TensorJson(const weights::TensorPlace& tensor) {
  Json shape = Json::MakeArray();
  for (const std::uint64_t dimension : tensor.shape)
    shape.Add(Json::Uint(dimension));
  Json json = Json::MakeObject();
  json.Append("name", Json::String(tensor.name));
  json.Append("dtype", Json::String(weights::DtypeName(tensor.dtype)));
  json.Append("shape", std::move(shape));
  json.Append("offset", Json::Uint(tensor.offset));
  json.Append("bytes", Json::Uint(tensor.size));
  return json;
}

}  // namespace

Answer Render(const verbs::TensorsReport& report) {
  std::vector<std::vector<std::string>> rows = {{"NAME", "DTYPE", "SHAPE", "SIZE", "FILE"}};
  std::uint64_t size = 0;
  Json files = Json::MakeArray();
  for (const kit::WeightsFile& file : report.weights.files) {
    Json tensors = Json::MakeArray();
    for (const weights::TensorPlace& tensor : file.header.tensors) {
      rows.push_back({Printable(tensor.name), std::string(weights::DtypeName(tensor.dtype)),
                      ShapeText(tensor.shape), FormatSize(tensor.size), Printable(file.path)});
      size += tensor.size;
      tensors.Add(TensorJson(tensor));
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
