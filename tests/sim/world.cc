// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/sim/world.h"

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

#include "kit/modelkit.h"
#include "registry/bundle.h"
#include "registry/connect.h"
#include "store/store.h"
#include "verbs/fsck.h"

namespace plumb::sim {
namespace {

constexpr std::uint64_t kBlobSizeMax = std::uint64_t{16} << 20;

Error Wrong(const std::string& what) { return Error{ErrorKind::kCorrupt, what}; }

// Together with its bytes, which are hashed: what fsck does with --full.
Status CheckBlob(store::Store& store, const Digest& digest) {
  PLUMB_TRY(const std::string bytes, store::ReadBlob(store, digest, kBlobSizeMax));
  if (Sha256(AsBytes(bytes)) == digest) return Done{};
  return Wrong("blob '" + digest.ToString() + "' has other bytes");
}

Status CheckKit(store::Store& store, const Digest& id) {
  PLUMB_TRY(const kit::ModelKit modelkit, kit::LoadModelKit(store, id));
  PLUMB_RETURN_IF_ERROR(CheckBlob(store, modelkit.manifest.config.digest));
  for (const oci::Descriptor& layer : modelkit.manifest.layers)
    PLUMB_RETURN_IF_ERROR(CheckBlob(store, layer.digest));
  return Done{};
}

Status InspectKits(store::Store& store, const std::string& whose, Contents& contents) {
  PLUMB_TRY(const auto kits, store.ListKits());
  for (const store::Kit& kit : kits) {
    contents[whose + kit.manifest.ToString()] = "kit";
    PLUMB_RETURN_IF_ERROR(CheckKit(store, kit.manifest));
  }
  PLUMB_TRY(const auto refs, store.ListRefs());
  for (const store::Ref& ref : refs) {
    contents[whose + ref.name.ToString()] = ref.manifest.ToString();
    if (!contents.contains(whose + ref.manifest.ToString()))
      return Wrong("'" + ref.name.ToString() + "' points at nothing");
  }
  return Done{};
}

Status InspectStore(World& world, Contents& contents) {
  PLUMB_TRY(store::Store * store, world.workspace().Store());
  PLUMB_RETURN_IF_ERROR(InspectKits(*store, "", contents));
  // A named domain, if it has anything.
  const std::string& name = SharedDomain().name();
  PLUMB_TRY(const auto refs, store->ListRefs());
  const bool is_shared =
      std::ranges::any_of(refs, [&](const store::Ref& ref) { return ref.name.repository == name; });
  if (!is_shared) return Done{};
  PLUMB_TRY(const auto shared, world.OpenShared());
  return InspectKits(*shared, "in " + name + ": ", contents);
}

// Nothing that fsck calls damage, hashing everything.
Status CheckStore(verbs::Workspace& workspace, Progress& progress) {
  PLUMB_TRY(const verbs::FsckReport report,
            verbs::Fsck(workspace, {store::Depth::kContent}, progress));
  for (const verbs::FsckReport::Line& line : report.damages)
    return Wrong(line.what + ": " + line.why);
  return Done{};
}

Status CheckNames(host::Files& files, const std::string& path) {
  PLUMB_TRY(const auto blobs, files.OpenDirectory(path + "/blobs/sha256", host::IfMissing::kFail));
  PLUMB_TRY(const auto entries, blobs->List(""));
  for (const host::DirectoryEntry& entry : entries) {
    const auto digest = Digest::Parse("sha256:" + entry.name);
    if (!digest) continue;  // not finished, and not called one
    PLUMB_TRY(const std::string bytes, host::ReadFile(*blobs, entry.name, kBlobSizeMax));
    if (Sha256(AsBytes(bytes)) != *digest)
      return Wrong("'" + path + "' calls something '" + entry.name + "'");
  }
  return Done{};
}

Status InspectTag(registry::Remote& remote, const std::string& path, const std::string& tag,
                  Contents& contents) {
  SilentProgress silent;
  PLUMB_TRY(const auto fetched, remote.FetchManifest(tag, std::nullopt));
  contents[path + ":" + tag] = fetched.descriptor.digest.ToString();
  PLUMB_TRY(const auto manifest, oci::Manifest::Parse(fetched.bytes));
  std::vector<oci::Descriptor> blobs = manifest.layers;
  blobs.push_back(manifest.config);
  for (const oci::Descriptor& blob : blobs)
    PLUMB_RETURN_IF_ERROR(registry::FetchWholeBlob(remote, blob, silent));
  return Done{};
}

// There whole, or not at all.
Status InspectBundle(host::Files& files, const std::string& path, Contents& contents) {
  const host::PathParts parts = host::SplitPath(path);
  PLUMB_TRY(const auto directory, files.OpenDirectory(parts.directory, host::IfMissing::kFail));
  auto file = directory->Open(parts.name, host::OpenHow::kRead);
  if (!file && file.error().kind == ErrorKind::kNotFound) return Done{};
  if (!file) return file.error();
  SilentProgress silent;
  PLUMB_TRY(const registry::Layout layout, registry::OpenBundle(*std::move(file), path, silent));
  for (const oci::IndexEntry& entry : layout.index.entries)
    PLUMB_RETURN_IF_ERROR(InspectTag(*layout.remote, path, entry.tag, contents));
  return Done{};
}

Status InspectLayout(host::Files& files, const std::string& path, Contents& contents) {
  const auto layout = registry::OpenLayout(files, path);
  const auto tags = layout->ListTags();
  if (!tags && tags.error().kind == ErrorKind::kNotFound) return Done{};
  if (!tags) return tags.error();
  for (const std::string& tag : *tags)
    PLUMB_RETURN_IF_ERROR(InspectTag(*layout, path, tag, contents));
  return CheckNames(files, path);
}

}  // namespace

void SeededEntropy::Fill(MutableByteSpan out) {
  const std::lock_guard lock(mutex_);
  for (std::byte& byte : out) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<std::byte>(state_ >> 56);
  }
}

std::string TensorFile(char seed) {
  constexpr std::size_t kSmall = 6000;
  constexpr std::size_t kLarge = (std::size_t{1} << 20) + 8192;
  std::string data(kSmall + kLarge, '\0');
  SeededEntropy(seed).Fill(std::as_writable_bytes(std::span(data)));
  // Of like size, but not all of the same: planes make it smaller, entropy smaller still.
  for (std::size_t i = kSmall + 1; i < data.size(); i += 2)
    data[i] = static_cast<char>(0x38 + std::popcount(static_cast<unsigned char>(data[i])));
  std::string header = R"({"v":{"dtype":"U8","shape":[)" + std::to_string(kSmall) +
                       R"(],"data_offsets":[0,)" + std::to_string(kSmall) +
                       R"(]},"w":{"dtype":"BF16","shape":[)" + std::to_string(kLarge / 2) +
                       R"(],"data_offsets":[)" + std::to_string(kSmall) + "," +
                       std::to_string(kSmall + kLarge) + "]}}";
  std::string file;
  AppendU64(file, header.size());
  return file + header + data;
}

World::World(host::SimulatedDisk& disk, const std::string& home)
    : disk_(disk),
      clock_(disk),
      entropy_(disk.now_ns()),
      environment_(home),
      http_(host::MakeHttp("plumb-test")),
      processes_(host::MakeProcesses()),
      links_(disk),
      workspace_({disk, clock_, entropy_, environment_, *http_, *processes_, links_}, 1) {}

const store::Domain& SharedDomain() {
  static const store::Domain domain = *store::Domain::Parse("shared/m");
  return domain;
}

Result<std::unique_ptr<store::Store>> World::OpenShared() {
  return store::OpenStore(disk_, clock_, entropy_, *environment_.HomeDirectory() + "/store",
                          SharedDomain());
}

Status World::Write(const std::string& path, std::string_view text) {
  const host::PathParts parts = host::SplitPath(path);
  PLUMB_TRY(const auto directory,
            disk_.OpenDirectory(parts.directory, host::IfMissing::kCreate, 0));
  return host::WriteFileDurably(*directory, parts.name, text, 0644);
}

Result<Contents> Inspect(host::SimulatedDisk& disk, const Shelves& shelves) {
  World world(disk);
  Contents contents;
  PLUMB_RETURN_IF_ERROR(InspectStore(world, contents));
  PLUMB_RETURN_IF_ERROR(CheckStore(world.workspace(), world.progress()));
  for (const std::string& path : shelves.layouts)
    PLUMB_RETURN_IF_ERROR(InspectLayout(disk, path, contents));
  for (const std::string& path : shelves.bundles)
    PLUMB_RETURN_IF_ERROR(InspectBundle(disk, path, contents));
  return contents;
}

}  // namespace plumb::sim
