// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_LAYER_TREE_INTERNAL_H_
#define PLUMB_KIT_LAYER_TREE_INTERNAL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "archive/tar_reader.h"
#include "base/progress.h"
#include "host/read_only.h"
#include "kit/layer_reader_internal.h"
#include "kit/modelkit.h"

namespace plumb::kit {

// A layer that is read file by file, front to back, and from its beginning again if an earlier
// file is asked for: a build asks for files in the order in which it packed them. Threads: any
// number at once, one after the other.
class LayerCursor {
 public:
  LayerCursor(store::Store& store, PackedEntry layer) : store_(store), layer_(std::move(layer)) {}

  // What the `entry`-th entry of the layer holds from `offset` on; 0 at its end.
  Result<std::size_t> ReadAt(std::size_t entry, std::uint64_t offset, MutableByteSpan buffer);

 private:
  Status MoveTo(std::size_t entry, std::uint64_t offset);

  store::Store& store_;
  const PackedEntry layer_;
  std::mutex mutex_;
  std::unique_ptr<LayerFiles> files_;
  std::size_t next_entry_ = 0;  // of the layer; the one before it is being read
  std::uint64_t position_ = 0;  // in the content of that one
  std::size_t times_opened_ = 0;
};

// What a ModelKit's own layers unpack to, as a directory that is nowhere: reading a file reads the
// layer it is in, out of the store. Nothing can be changed in it (kDenied). Of a file that several
// layers hold, the first counts.
class LayerTree final : public host::ReadOnlyDirectory {
 public:
  // kDenied for a name that `unpack` refuses, kExhausted for more than it takes, kInvalid if one
  // name is a file and a directory; and what reading the layers' headers gives.
  static Result<std::unique_ptr<LayerTree>> Make(store::Store& store,
                                                 const std::vector<PackedEntry>& layers,
                                                 Progress& progress);

  // Directories that are no entry of any layer: they are there for what they hold.
  std::set<std::string, std::less<>> ImpliedDirectories() const;

  Result<std::unique_ptr<host::File>> Open(std::string_view path, host::OpenHow how,
                                           std::uint32_t mode) override;
  Result<host::FileState> State(std::string_view path) override;
  Result<std::vector<host::DirectoryEntry>> List(std::string_view path) override;

 private:
  struct Node {
    host::FileState state;
    LayerCursor* layer = nullptr;  // of a file
    std::size_t entry = 0;
    bool is_implied = false;                                           // of a directory
    std::map<std::string, host::FileType, std::less<>> children = {};  // of a directory
  };

  LayerTree();
  Status Add(const archive::TarEntry& entry, const PackedEntry& packed, LayerCursor& layer,
             std::size_t index);
  Status AddNode(const std::string& path, Node node);
  Result<Node*> Find(std::string_view path);

  std::vector<std::unique_ptr<LayerCursor>> layers_;
  std::map<std::string, Node, std::less<>> nodes_;  // by path; "" is the root
  std::uint64_t name_bytes_ = 0;
};

// A machine that has nothing but a LayerTree, at `path`. Both must outlive it.
class LayerTreeFiles final : public host::Files {
 public:
  LayerTreeFiles(LayerTree& tree, std::string path) : tree_(tree), path_(std::move(path)) {}

  Result<std::unique_ptr<host::Directory>> OpenDirectory(const std::string& path,
                                                         host::IfMissing if_missing,
                                                         std::uint32_t mode) override;
  Result<host::FileState> State(const std::string& path) override;
  Result<std::string> Canonical(const std::string& path) override;

 private:
  LayerTree& tree_;
  const std::string path_;
};

}  // namespace plumb::kit

#endif  // PLUMB_KIT_LAYER_TREE_INTERNAL_H_
