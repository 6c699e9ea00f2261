// SPDX-License-Identifier: MIT OR Apache-2.0
// Writes blocks for the second decoder (decode.py) into a directory: NAME.raw, NAME.planes,
// NAME.entropy. Each has planes of more than a stripe, a head and a tail.
#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "base/check.h"
#include "codec/test_weights_internal.h"

namespace {

using plumb::codec::BlockHint;
using plumb::codec::Effort;
using plumb::codec::Element;
using plumb::codec::EncodeBlock;
using plumb::codec::Field;
using plumb::codec::kElements;
using plumb::codec::Layout;
using plumb::codec::LayoutOf;
using plumb::codec::Method;
using plumb::codec::SymbolsPerUnit;
using plumb::codec::TestWeights;
using Block = std::vector<std::byte>;

void Write(const std::string& path, const Block& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  PLUMB_CHECK(file.good());
}

void WriteBoth(const std::string& path, const Block& raw, const BlockHint& hint) {
  Write(path + ".raw", raw);
  for (const Effort effort : {Effort::kFast, Effort::kArchive}) {
    const auto encoded = EncodeBlock(raw, hint, effort);
    if (encoded)
      Write(path + (encoded->method == Method::kPlanes ? ".planes" : ".entropy"), encoded->bytes);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::string directory = std::string(arguments[1]) + "/";
  for (const Element element : kElements) {
    const Layout layout = LayoutOf(element);
    const std::size_t phase = layout.unit_size / 2;
    TestWeights weights(static_cast<std::uint32_t>(element));
    std::size_t units = 0;
    for (const Field& field : layout.fields)
      units = std::max(units, SymbolsPerUnit(field));
    const std::size_t size = 17'000 / units * layout.unit_size + phase + (layout.unit_size - 1) / 2;
    const BlockHint hint = {.element = element, .phase = static_cast<std::uint32_t>(phase)};
    const std::string name = directory + std::to_string(static_cast<int>(element));
    Block raw = weights.Block(element, size, phase);
    WriteBoth(name + "-weights", raw, hint);
    // Widths by the group, and symbols without a code: zeros by turns with noise.
    for (std::size_t i = 0; i < raw.size(); ++i)
      if (i / 1000 % 8 != 0) raw[i] = std::byte{0};
    WriteBoth(name + "-sparse", raw, hint);
    Block lengthened(phase + layout.unit_size * 131, std::byte{0x3C});
    lengthened[phase] = std::byte{0x3D};
    WriteBoth(name + "-constant", lengthened, hint);
  }
}
