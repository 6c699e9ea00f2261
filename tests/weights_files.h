// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TESTS_WEIGHTS_FILES_H_
#define PLUMB_TESTS_WEIGHTS_FILES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

// Files of weights made by hand, right and wrong ones.
namespace plumb::weights {

// A safetensors file of such a header, and so many bytes of data.
inline std::string Safetensors(std::string_view header, std::size_t data_size) {
  std::string file;
  AppendU64(file, header.size());
  file += header;
  return file + std::string(data_size, 'w');
}

// A GGUF file, from its parts.
class Gguf {
 public:
  explicit Gguf(std::uint32_t version = 3) : version_(version) {}

  Gguf& Metadata(std::string_view name, std::uint32_t type, std::string_view bytes) {
    Text(metadata_, name);
    AppendU32(metadata_, type);
    metadata_ += bytes;
    ++metadata_count_;
    return *this;
  }
  Gguf& Tensor(std::string_view name, const std::vector<std::uint64_t>& innermost_first,
               std::uint32_t type, std::uint64_t offset) {
    Text(tensors_, name);
    AppendU32(tensors_, static_cast<std::uint32_t>(innermost_first.size()));
    for (const std::uint64_t dimension : innermost_first)
      AppendU64(tensors_, dimension);
    AppendU32(tensors_, type);
    AppendU64(tensors_, offset);
    ++tensor_count_;
    return *this;
  }
  // What the header says of how many there are, whatever there is.
  Gguf& Claim(std::uint64_t tensor_count, std::uint64_t metadata_count) {
    tensor_count_ = tensor_count;
    metadata_count_ = metadata_count;
    return *this;
  }
  std::string File(std::size_t data_size, std::size_t alignment = 32) const {
    std::string file = "GGUF";
    AppendU32(file, version_);
    AppendU64(file, tensor_count_);
    AppendU64(file, metadata_count_);
    file += metadata_ + tensors_;
    file.resize((file.size() + alignment - 1) / alignment * alignment);
    return file + std::string(data_size, 'w');
  }

  static void Text(std::string& out, std::string_view text) {
    AppendU64(out, text.size());
    out += text;
  }

 private:
  const std::uint32_t version_;
  std::uint64_t tensor_count_ = 0;
  std::uint64_t metadata_count_ = 0;
  std::string metadata_;
  std::string tensors_;
};

// A value as GGUF has it.
template <typename T>
std::string Raw(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

inline std::string RawText(std::string_view text) {
  std::string out;
  Gguf::Text(out, text);
  return out;
}

}  // namespace plumb::weights

#endif  // PLUMB_TESTS_WEIGHTS_FILES_H_
