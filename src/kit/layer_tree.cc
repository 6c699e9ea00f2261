// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "kit/entries_internal.h"
#include "kit/layer_tree_internal.h"
#include "kit/target_names_internal.h"

namespace plumb::kit {
namespace {

// Layers of a build are read once each. Others may make a rebuild jump about: so many times, and
// it would read for ever.
constexpr std::size_t kOpenedMax = 64;
constexpr std::uint32_t kDirectoryMode = 0755;

Error NothingAt(std::string_view path) {
  return Error{ErrorKind::kNotFound, "no layer holds '" + Printable(path) + "'"};
}

class LayerFile final : public host::ReadOnlyFile {
 public:
  LayerFile(LayerCursor& layer, std::size_t entry, const host::FileState& state)
      : layer_(layer), entry_(entry), state_(state) {}

  Result<std::size_t> ReadAt(std::uint64_t offset, MutableByteSpan buffer) override {
    if (offset >= state_.size || buffer.empty()) return std::size_t{0};
    return layer_.ReadAt(entry_, offset, buffer);
  }
  Result<host::FileState> State() override { return state_; }

 private:
  LayerCursor& layer_;
  const std::size_t entry_;
  const host::FileState state_;
};

}  // namespace

Status LayerCursor::MoveTo(std::size_t entry, std::uint64_t offset) {
  const bool is_behind =
      next_entry_ > entry + 1 || (next_entry_ == entry + 1 && position_ > offset);
  if (!files_ || is_behind) {
    if (++times_opened_ > kOpenedMax)
      return InLayer(Error{ErrorKind::kExhausted, "its files are not in the order of a build"},
                     layer_);
    PLUMB_TRY(files_, LayerFiles::Open(store_, layer_));
    next_entry_ = 0;
  }
  while (next_entry_ <= entry) {
    PLUMB_TRY(const auto next, files_->Next());
    if (!next) return InLayer(Error{ErrorKind::kCorrupt, "it ends early"}, layer_);
    ++next_entry_;
    position_ = 0;
  }
  while (position_ < offset) {
    PLUMB_TRY(const ByteSpan skipped, files_->Read(static_cast<std::size_t>(std::min<std::uint64_t>(
                                          offset - position_, std::uint64_t{1} << 20))));
    if (skipped.empty()) break;
    position_ += skipped.size();
  }
  return Done{};
}

Result<std::size_t> LayerCursor::ReadAt(std::size_t entry, std::uint64_t offset,
                                        MutableByteSpan buffer) {
  const std::lock_guard lock(mutex_);
  PLUMB_RETURN_IF_ERROR(MoveTo(entry, offset));
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    auto bytes = files_->Read(buffer.size() - filled);
    if (!bytes) return InLayer(std::move(bytes).error(), layer_);
    if (bytes->empty()) break;
    std::memcpy(buffer.data() + filled, bytes->data(), bytes->size());
    filled += bytes->size();
    position_ += bytes->size();
  }
  return filled;
}

LayerTree::LayerTree() {
  Node root;
  root.state = {host::FileType::kDirectory, kDirectoryMode};
  nodes_.emplace("", std::move(root));
}

Result<std::unique_ptr<LayerTree>> LayerTree::Make(store::Store& store,
                                                   const std::vector<PackedEntry>& layers,
                                                   Progress& progress) {
  std::unique_ptr<LayerTree> tree(new LayerTree());
  for (const PackedEntry& packed : layers) {
    LayerCursor& layer = *tree->layers_.emplace_back(std::make_unique<LayerCursor>(store, packed));
    std::size_t index = 0;
    PLUMB_RETURN_IF_ERROR(VisitEntries(
        store, packed, progress,
        [&](const archive::TarEntry& entry) { return tree->Add(entry, packed, layer, index++); }));
  }
  return tree;
}

Status LayerTree::Add(const archive::TarEntry& entry, const PackedEntry& packed, LayerCursor& layer,
                      std::size_t index) {
  PLUMB_TRY(const std::string path, PlaceOf(entry, packed));
  if (path.empty() || path == ".") return Done{};
  Node node;
  node.state.mode = entry.mode;
  node.state.inode = nodes_.size();
  if (entry.type == archive::TarEntryType::kDirectory) {
    node.state.type = host::FileType::kDirectory;
  } else {
    node.state.type = host::FileType::kRegular;
    node.state.size = entry.size;
    node.layer = &layer;
    node.entry = index;
  }
  return AddNode(path, std::move(node));
}

Status LayerTree::AddNode(const std::string& path, Node node) {
  if (const auto there = nodes_.find(path); there != nodes_.end()) {
    Node& first = there->second;
    if (first.state.type == node.state.type) {
      if (first.is_implied && !node.is_implied) first.state.mode = node.state.mode;
      first.is_implied = first.is_implied && node.is_implied;
      return Done{};
    }
    return Error{ErrorKind::kInvalid,
                 "'" + Printable(path) + "' is a file in one layer, a directory in another"};
  }
  name_bytes_ += path.size();
  if (nodes_.size() > kTargetNameCountMax || name_bytes_ > kTargetNameBytesMax)
    return Error{ErrorKind::kExhausted, "more files than can be unpacked"};
  const std::string above(DirectoryOf(path));
  if (!nodes_.contains(above)) {
    Node directory;
    directory.state = {host::FileType::kDirectory, kDirectoryMode};
    directory.is_implied = true;
    PLUMB_RETURN_IF_ERROR(AddNode(above, std::move(directory)));
  }
  Node& parent = nodes_.find(above)->second;
  if (parent.state.type != host::FileType::kDirectory)
    return Error{ErrorKind::kInvalid, "'" + Printable(above) + "' is a file, and holds another"};
  parent.children.emplace(NameOf(path), node.state.type);
  nodes_.emplace(path, std::move(node));
  return Done{};
}

std::set<std::string, std::less<>> LayerTree::ImpliedDirectories() const {
  std::set<std::string, std::less<>> implied;
  for (const auto& [path, node] : nodes_)
    if (node.is_implied) implied.insert(path);
  return implied;
}

Result<LayerTree::Node*> LayerTree::Find(std::string_view path) {
  const auto found = nodes_.find(path == "." ? std::string_view() : path);
  if (found == nodes_.end()) return NothingAt(path);
  return &found->second;
}

Result<std::unique_ptr<host::File>> LayerTree::Open(std::string_view path, host::OpenHow how,
                                                    std::uint32_t /*mode*/) {
  if (how != host::OpenHow::kRead && how != host::OpenHow::kReadFollow) return host::CannotChange();
  PLUMB_TRY(Node * node, Find(path));
  if (node->layer == nullptr)
    return Error{ErrorKind::kDenied, "'" + Printable(path) + "' is a directory"};
  return std::unique_ptr<host::File>(
      std::make_unique<LayerFile>(*node->layer, node->entry, node->state));
}

Result<host::FileState> LayerTree::State(std::string_view path) {
  PLUMB_TRY(const Node* node, Find(path));
  return node->state;
}

Result<std::vector<host::DirectoryEntry>> LayerTree::List(std::string_view path) {
  PLUMB_TRY(const Node* node, Find(path));
  if (node->layer != nullptr) return NothingAt(path);
  std::vector<host::DirectoryEntry> entries;
  entries.reserve(node->children.size());
  for (const auto& [name, type] : node->children)
    entries.push_back({name, type});
  return entries;
}

Result<std::unique_ptr<host::Directory>> LayerTreeFiles::OpenDirectory(
    const std::string& path, host::IfMissing /*if_missing*/, std::uint32_t /*mode*/) {
  return NothingAt(path);
}

Result<host::FileState> LayerTreeFiles::State(const std::string& path) {
  if (path == path_) return tree_.State("");
  if (!path.starts_with(path_ + "/")) return NothingAt(path);
  return tree_.State(std::string_view(path).substr(path_.size() + 1));
}

Result<std::string> LayerTreeFiles::Canonical(const std::string& path) {
  PLUMB_RETURN_IF_ERROR(State(path));
  return path;
}

}  // namespace plumb::kit
