// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_KIT_PLAN_INTERNAL_H_
#define PLUMB_KIT_PLAN_INTERNAL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "archive/tar_writer.h"
#include "base/progress.h"
#include "base/result.h"
#include "blueprint/kitfile.h"
#include "host/files.h"
#include "kit/build.h"
#include "kit/entries_internal.h"
#include "oci/media_types.h"
#include "store/store.h"

// What a build is going to pack, settled before anything is read or written.
namespace plumb::kit {

// Where the content of a file comes from.
struct Content {
  host::Directory* directory = nullptr;  // null: generated, and all of it is in `bytes`
  std::string path;                      // in that directory
  host::FileState state;                 // as it was when the plan was made
  std::string bytes;
};

struct PlannedEntry {
  archive::TarEntry tar;
  Content content;  // of a file
};

// One layer: its archive's entries, in order; or if it is raw, its one file.
class PlannedLayer {
 public:
  explicit PlannedLayer(const EntryView& entry)
      : type(entry.type), label(entry.label), path(entry.path), part_type(entry.part_type) {}

  oci::LayerType type;
  std::string label;      // "docs layer 0"
  std::string path;       // as written in the Kitfile
  std::string part_type;  // of a model part
  LayerFormat format = LayerFormat::kTar;
  std::size_t entry_index = 0;  // which of EntriesOf it belongs to

  // Where the file of a raw layer goes.
  const PlannedEntry& file() const { return entries_.front(); }

  // Each also adds the directories above that the layer does not have yet.
  void AddDirectory(const std::string& name);
  void AddFile(const std::string& name, Content content);
  // As it is, with what is above it left out.
  void AddEntry(PlannedEntry entry) { entries_.push_back(std::move(entry)); }

  const std::vector<PlannedEntry>& entries() const { return entries_; }
  bool HoldsFiles() const;
  PlannedLayer WithoutEntries() const;

 private:
  std::vector<PlannedEntry> entries_;
  std::unordered_set<std::string> directories_;
};

struct BuildPlan {
  blueprint::Kitfile kitfile;  // as it will stand in the config, but without digests
  ModelLayer model_layer = ModelLayer::kNo;
  std::optional<oci::Reference> base;  // as the blueprint has it
  std::vector<ModelKit> bases;         // nearest first
  // In the order of EntriesOf(kitfile, model_layer): one archive or several raw layers for each.
  std::vector<PlannedLayer> layers;
  // Those outside the context that entries point to.
  std::vector<std::unique_ptr<host::Directory>> directories;
};

// What every step of planning is given.
struct PlanRequest {
  const BuildContext& context;
  const BlueprintText& blueprint;
  const BuildOptions& options;
  Progress& progress;
};

// A blueprint that was read, its bases found: files are still to be looked for.
struct ReadBlueprint {
  blueprint::Kitfile kitfile;
  ModelLayer model_layer = ModelLayer::kYes;
  std::optional<oci::Reference> base;  // as it is written
  std::vector<ModelKit> bases;         // nearest first
  // Entries, by cleaned path, whose one file is not to be looked for in the context.
  std::map<std::string, Content> provided;
  std::vector<std::unique_ptr<host::Directory>> directories;
};

// By our rules, and by those of kit 1.7.0.
Result<BuildPlan> PlanBuild(const PlanRequest& request);
Result<std::vector<PlannedLayer>> PlanLayers(const PlanRequest& request, ReadBlueprint& blueprint);
Result<std::vector<PlannedLayer>> PlanKit17Layers(const PlanRequest& request,
                                                  ReadBlueprint& blueprint);

// Resolves the bases that `reference`, the path of the model, leads to.
Status AddBase(const oci::Reference& reference, const PlanRequest& request, ReadBlueprint& read);
// All entries of the bases in one Kitfile, nearest first; its model is that of the deepest.
blueprint::Kitfile MergeBases(const std::vector<ModelKit>& bases);
// What the bases bring along when a ModelKit is unpacked: models and parts.
std::vector<EntryView> InheritedEntries(std::vector<ModelKit>& bases);

Result<ReadBlueprint> ReadKitfileBlueprint(const PlanRequest& request);
Result<ReadBlueprint> ReadModelfileBlueprint(const PlanRequest& request);
Result<ReadBlueprint> ReadModctlBlueprint(const PlanRequest& request);
// By the rules of kit 1.7.
Error NoModelfiles();
// The part under which a Modelfile is packed with what it names, and a warning if the context holds
// another file of that name.
blueprint::ModelPart ModelfilePart();
void WarnOfOtherModelfile(const PlanRequest& request);

// Equal keys promise equal layers: everything that decides the bytes, and for the content of
// files, the state that changes whenever the content does.
store::LayerKey KeyOf(const PlannedLayer& layer, const BuildOptions& options);

// Whether some file may have changed since without its state telling: it was changed within the
// clock's grain of `read_ns` (when reading began), or after.
bool IsRacy(const PlannedLayer& layer, std::int64_t read_ns);

}  // namespace plumb::kit

#endif  // PLUMB_KIT_PLAN_INTERNAL_H_
