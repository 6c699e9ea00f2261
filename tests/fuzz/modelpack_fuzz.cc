// SPDX-License-Identifier: MIT OR Apache-2.0
// The config of a ModelPack that is read is written as what reads back to the same members; and
// what a layer says of its file is read or refused.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "oci/media_types.h"
#include "oci/modelpack.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb::oci;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto file =
      ParseFileAnnotations({{std::string(kFileMetadataAnnotation), std::string(bytes)}});
  PLUMB_CHECK(!file || file->mode <= 0777);
  const auto config = ModelPackConfig::Parse(bytes);
  const auto older = ModelPackConfig::Parse(bytes, ModelPackNames::kCnai);
  PLUMB_CHECK(!config || older);
  if (older) PLUMB_CHECK(ModelPackConfig::Parse(WriteModelPackConfig(*older)));
  if (!config) return 0;
  const std::string written = WriteModelPackConfig(*config);
  const auto again = ModelPackConfig::Parse(written);
  PLUMB_CHECK(again && WriteModelPackConfig(*again) == written);
  PLUMB_CHECK(again->diff_ids == config->diff_ids &&
              again->Descriptor("name") == config->Descriptor("name"));
  return 0;
}
