// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_KIT_STORE_H_
#define PLUMB_REGISTRY_KIT_STORE_H_

#include <string>
#include <vector>

#include "base/result.h"
#include "host/files.h"
#include "registry/bundle.h"

// The store of KitOps' `kit`: blobs as in an OCI layout, and for each repository an index in a file
// BASE64URL(repository)-index.json beside them, and its tags in BASE64URL(repository)-tags.json.
namespace plumb::registry {

struct KitRepository {
  std::string name;  // "host/repository"; of kits that are only local, "repository"
  Layout layout;
};

// `path` is $KITOPS_HOME/storage. kNotFound if there is no such directory, or no repository in it;
// else errors and limits as OpenLayoutToRead.
Result<std::vector<KitRepository>> OpenKitStore(host::Files& files, const std::string& path);

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_KIT_STORE_H_
