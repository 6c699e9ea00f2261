// SPDX-License-Identifier: MIT OR Apache-2.0
#include "registry/remote.h"

#include <utility>

namespace plumb::registry {

Result<std::string> FetchWholeBlob(Remote& remote, const oci::Descriptor& blob,
                                   Progress& progress) {
  if (blob.size > oci::kManifestSizeMax)
    return Error{ErrorKind::kExhausted,
                 "blob '" + blob.digest.ToString() + "' is longer than 4 MiB"};
  MemorySink whole(static_cast<std::size_t>(blob.size));
  PLUMB_RETURN_IF_ERROR(remote.FetchBlob(blob, 0, whole, progress));
  if (Sha256(AsBytes(whole.text())) != blob.digest)
    return Error{ErrorKind::kCorrupt,
                 "blob '" + blob.digest.ToString() + "' came with the bytes of another"};
  return std::move(whole).TakeText();
}

}  // namespace plumb::registry
