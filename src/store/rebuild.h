// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_STORE_REBUILD_H_
#define PLUMB_STORE_REBUILD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "host/files.h"
#include "host/links.h"
#include "host/machine.h"
#include "store/upkeep.h"

// For a store whose catalog is lost or damaged.
namespace plumb::store {

// What it names in `damages` was left out; who suffers from that is found by a check afterwards.
struct RebuildReport {
  std::vector<Damage> damages;
  // How many of those may have told of kits or refs: of others a check tells whether they are
  // missed.
  std::uint64_t records_lost = 0;
  std::uint64_t kits = 0;
  std::uint64_t refs = 0;
  std::uint64_t moves = 0;  // of refs
  std::uint64_t blobs = 0;
  std::uint64_t objects = 0;
  std::uint64_t packs = 0;
  std::uint64_t bytes_read = 0;
  // Kits that no ref names, and that are not whole: they were about to go, or are damaged.
  std::vector<Digest> kits_left_out;
  std::string old_catalog;  // the path where it is now; empty: there was nothing in it
  // Second names of packs of which something was left out: no gc takes these.
  std::vector<std::string> kept_packs;
};

struct RebuildRequest {
  FindNeeds find_needs;
  unsigned threads = 1;  // each takes 8 MiB
};

// Where the store is, and what it works with.
struct RebuildPlace {
  host::Files& files;
  host::Links& links;
  host::Clock& clock;
  host::Entropy& entropy;
  std::string path;
};

// Makes the catalog of the store again from its packs, whatever has become of the old one
// (docs/format.md, "Making the catalog again"): kits, refs with their moves, blobs and objects.
// Every byte is read and hashed. Memory: about 150 bytes an object.
//
// A crash, or any failure, leaves the old catalog or the new one in its place, and no third.
// kNotFound if there is no store; kUnavailable if anybody else has it open, or a pack cannot be
// read (which says nothing of its bytes); kUnsupported if a newer Plumb wrote a pack.
// Trust: as of Store: packs are as an enemy's.
Result<RebuildReport> RebuildCatalog(const RebuildPlace& place, const RebuildRequest& request,
                                     Progress& progress);

// Takes away what a rebuild that was stopped has left; only under gc.lock, exclusively.
void RemoveUnfinishedCatalog(host::Directory& directory);

}  // namespace plumb::store

#endif  // PLUMB_STORE_REBUILD_H_
