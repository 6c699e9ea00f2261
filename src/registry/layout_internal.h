// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_LAYOUT_INTERNAL_H_
#define PLUMB_REGISTRY_LAYOUT_INTERNAL_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/digest.h"

// Where things lie in an image layout (image-spec, image-layout.md), be it a directory or a tar.
namespace plumb::registry {

inline constexpr std::string_view kIndexFile = "index.json";
inline constexpr std::string_view kMarkerFile = "oci-layout";
inline constexpr std::string_view kAlgorithms = "blobs";
inline constexpr std::string_view kBlobs = "blobs/sha256";
inline constexpr std::uint64_t kMarkerSizeMax = 4096;

inline std::string BlobPath(const Digest& digest) {
  return std::string(kBlobs) + "/" + digest.ToHex();
}

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_LAYOUT_INTERNAL_H_
