// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/text.h"
#include "kit/modelkit.h"
#include "store/sqlite_internal.h"
#include "tests/sim/world.h"
#include "verbs/build.h"
#include "verbs/export.h"
#include "verbs/fsck.h"
#include "verbs/gc.h"
#include "verbs/import.h"
#include "verbs/optimize.h"
#include "verbs/pull.h"
#include "verbs/push.h"
#include "verbs/remove.h"
#include "verbs/tag.h"

// The power goes after each call of each operation in turn, or that call fails, or the disk is
// full from there on. Whatever is then on the disk: it opens, all that is named is whole, what was
// acknowledged is there, the rest is as before the operation or as after it, and the operation
// can be done again.
namespace plumb::sim {
namespace {

using host::Fault;
using host::SimulatedDisk;
using host::Survival;

using Step = std::function<Status(World&)>;

// Whether the store can be looked at on a full disk. Not if that has to make a catalog first.
enum class Opens : std::uint8_t { kWithoutRoom, kWithRoom };

// Whether refs and kits are others afterwards, or only how bytes are kept.
enum class Changes : std::uint8_t { kContents, kEncodings };

// A new one needs a line in Operations().
struct Operation {
  std::string name;
  std::vector<Step> before;  // what is there already, acknowledged and durable
  Step run;
  Opens opens = Opens::kWithoutRoom;
  Changes changes = Changes::kContents;
};

std::ostream& operator<<(std::ostream& out, const Operation& operation) {
  return out << operation.name;
}

constexpr const char* kKitfile =
    "manifestVersion: 1.0.0\nmodel: {path: w.bin}\ndocs: [{path: r.md}]\n";
const Shelves kShelves = {{"/shelf", "/target"}, {"/bundle.tar"}};
const std::string kBundle = kShelves.bundles[0];

template <typename T>
Status Only(const Result<T>& result) {
  if (result) return Done{};
  return result.error();
}

// Large enough to be an object in a pack, and not only a row of the catalog.
std::string Weights(char seed) {
  std::string weights(std::size_t{70} << 10, '\0');
  SeededEntropy(seed).Fill(std::as_writable_bytes(std::span(weights)));
  return weights;
}

Status WriteModel(World& world, char seed) {
  PLUMB_RETURN_IF_ERROR(world.Write("/model/Kitfile", kKitfile));
  PLUMB_RETURN_IF_ERROR(world.Write("/model/r.md", "Read me\n"));
  return world.Write("/model/w.bin", Weights(seed));
}

// The same with a tensor of several blocks, and an equally large one that never changes.
Step Tensors(char seed) {
  return [=](World& world) -> Status {
    PLUMB_RETURN_IF_ERROR(WriteModel(world, seed));
    PLUMB_RETURN_IF_ERROR(world.Write("/model/w.bin", TensorFile(seed)));
    PLUMB_RETURN_IF_ERROR(world.Write("/model/x.bin", TensorFile('x')));
    return world.Write("/model/Kitfile", std::string(kKitfile) + "datasets: [{path: x.bin}]\n");
  };
}

// With a second file of the same size that never changes.
Step WideFiles(char seed) {
  return [=](World& world) -> Status {
    PLUMB_RETURN_IF_ERROR(WriteModel(world, seed));
    PLUMB_RETURN_IF_ERROR(world.Write("/model/x.bin", Weights('x')));
    return world.Write("/model/Kitfile", std::string(kKitfile) + "datasets: [{path: x.bin}]\n");
  };
}

Step Files(char seed) {
  return [=](World& world) { return WriteModel(world, seed); };
}

Step Build(const std::string& tag) {
  return [=](World& world) {
    verbs::BuildOptions options;
    options.directory = "/model";
    if (!tag.empty()) options.tags = {tag};
    return Only(verbs::Build(world.workspace(), options, world.progress()));
  };
}

Step Push(const std::string& source, const std::string& target) {
  return [=](World& world) {
    return Only(verbs::Push(world.workspace(), {source, target}, world.progress()));
  };
}

Step Pull(const std::string& source, const std::string& name) {
  return [=](World& world) {
    return Only(verbs::Pull(world.workspace(), {source, name}, world.progress()));
  };
}

Step Tag(const std::string& source, const std::string& target) {
  return [=](World& world) { return Only(verbs::Tag(world.workspace(), {source, target})); };
}

Step Remove(const std::string& name, verbs::RemoveForce force) {
  return [=](World& world) {
    verbs::RemoveOptions options;
    options.name = name;
    options.force = force;
    return Only(verbs::Remove(world.workspace(), options, world.progress()));
  };
}

Step Import(const std::string& source) {
  return [=](World& world) {
    verbs::ImportOptions options;
    options.source = source;
    return Only(verbs::Import(world.workspace(), std::move(options), world.progress()));
  };
}

const std::string kModelFile = "/hub/w.safetensors";

// Somebody else's, and large enough to be used where it lies.
Status ModelFile(World& world) { return world.Write(kModelFile, TensorFile('m')); }

Status NoSharedBlocks(World& world) {
  world.disk().ShareNoBlocks();
  return Done{};
}

Status ImportFile(World& world) {
  verbs::ImportOptions options;
  options.source = kModelFile;
  options.name = "w:v1";
  options.link_files = verbs::LinkFiles::kYes;
  return Only(verbs::Import(world.workspace(), std::move(options), world.progress()));
}

Step Export(const std::string& name) {
  return [=](World& world) {
    verbs::ExportOptions options;
    options.kits = {name};
    options.file = kBundle;
    options.overwrite = host::Overwrite::kYes;
    return Only(verbs::Export(world.workspace(), options, world.progress()));
  };
}

Status Gc(World& world) {
  verbs::GcOptions options;
  options.keep_untagged = "0";
  return Only(verbs::Gc(world.workspace(), options, world.progress()));
}

// Somebody brings the same kit into his repository.
Status Share(World& world) {
  PLUMB_TRY(store::Store * own, world.workspace().Store());
  PLUMB_TRY(const auto id, own->FindRef({"m", "v1"}));
  if (!id) return Error{ErrorKind::kNotFound, "there is no kit to share"};
  PLUMB_TRY(const kit::ModelKit modelkit, kit::LoadModelKit(*own, *id));
  PLUMB_TRY(const auto shared, world.OpenShared());
  const auto session = shared->Begin();
  store::NewKit kit = {*id, {}};
  std::vector<oci::Descriptor> blobs = modelkit.manifest.layers;
  blobs.push_back(modelkit.manifest.config);
  for (const oci::Descriptor& blob : blobs) {
    PLUMB_TRY(const std::string bytes, store::ReadBlob(*own, blob.digest, blob.size));
    PLUMB_TRY(const auto writer, session->CreateBlob(store::Shape::kTar));
    PLUMB_RETURN_IF_ERROR(writer->Write(AsBytes(bytes)));
    PLUMB_TRY(const store::WrittenBlob written, writer->Finish());
    kit.needs.push_back(written.digest);
  }
  PLUMB_TRY(const std::string manifest, store::ReadBlob(*own, *id, std::uint64_t{1} << 20));
  PLUMB_RETURN_IF_ERROR(Only(session->PutBlob(AsBytes(manifest))));
  session->AddKit(std::move(kit));
  session->MoveRef({{SharedDomain().name(), "v1"}, *id, "share"});
  return session->Commit();
}

Status Optimize(World& world) {
  return Only(verbs::Optimize(world.workspace(), {store::Tier::kArchive}, world.progress()));
}

// As plumb kept it before 2026-12: with a write-ahead log, and in that a tag of its own.
Status MakeOldCatalog(World& world) {
  PLUMB_TRY(const auto directory,
            world.disk().OpenDirectory("/person/plumb/store", host::IfMissing::kFail, 0));
  PLUMB_TRY(const auto connection, store::SqliteConnection::Open(*directory, "catalog.sqlite", 0));
  PLUMB_RETURN_IF_ERROR(connection->Execute(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
      "INSERT INTO refs SELECT repository, 'log', manifest FROM refs WHERE tag = 'v1'"));
  // Else the log would be folded back now.
  world.disk().FailAt(0, Fault::kPowerCut);
  return Done{};
}

// Somebody else's store, for a kit that comes from outside.
Step Elsewhere(const Step& step) {
  return [=](World& world) {
    World other(world.disk(), "/other/plumb");
    return step(other);
  };
}

std::vector<Operation> Operations() {
  const std::vector<Step> built = {Files('a'), Build("m:v1")};
  const std::vector<Step> changed = {Files('a'), Build("m:v1"), Files('b')};
  const std::vector<Step> two = {Files('a'), Build("m:v1"), Files('b'), Build("m:v2")};
  const std::vector<Step> shelved = {Files('c'), Elsewhere(Build("c:v1")),
                                     Elsewhere(Push("c:v1", "oci:/shelf:v1")), Files('a'),
                                     Build("m:v1")};
  const std::vector<Step> shelved_tensors = {Tensors('c'), Elsewhere(Build("c:v1")),
                                             Elsewhere(Push("c:v1", "oci:/shelf:v1")), Files('a'),
                                             Build("m:v1")};
  const std::vector<Step> bundled = {Files('c'), Elsewhere(Build("c:v1")),
                                     Elsewhere(Export("c:v1")), Files('a'), Build("m:v1")};
  const std::vector<Step> pushed = {Files('a'), Build("m:v1"), Files('b'), Build("m:v2"),
                                    Push("m:v1", "oci:/target:x")};
  return {
      {"FirstBuild", {Files('a')}, Build("m:v1"), Opens::kWithRoom},
      {"BuildOfAChangedFile", changed, Build("m:v1")},
      {"BuildOfATensor", {Files('a'), Build("m:v1"), Tensors('b')}, Build("m:v1")},
      {"BuildUntagged", changed, Build("")},
      {"Pull", shelved, Pull("oci:/shelf:v1", "p:v1")},
      {"PullOfATensor", shelved_tensors, Pull("oci:/shelf:v1", "p:v1")},
      {"PullThatMovesATag", shelved, Pull("oci:/shelf:v1", "m:v1")},
      {"ImportOfALayout", shelved, Import("oci:/shelf")},
      {"ImportOfABundle", bundled, Import(kBundle)},
      {"ImportByReflink", {Files('a'), Build("m:v1"), ModelFile}, ImportFile},
      {"ImportByLink", {Files('a'), Build("m:v1"), ModelFile, NoSharedBlocks}, ImportFile},
      {"ExportToANewFile", built, Export("m:v1")},
      {"ExportOverAFile",
       {Files('a'), Build("m:v1"), Export("m:v1"), Files('b'), Build("m:v2")},
       Export("m:v2")},
      {"PushToANewLayout", built, Push("m:v1", "oci:/target:x")},
      {"PushThatMovesATag", pushed, Push("m:v2", "oci:/target:x")},
      {"TagAnew", built, Tag("m:v1", "m:latest")},
      {"TagMoves", two, Tag("m:v1", "m:v2")},
      {"TagInAnOldCatalog",
       {Files('a'), Build("m:v1"), MakeOldCatalog},
       Tag("m:log", "m:latest"),
       Opens::kWithRoom},
      {"RemoveATag", two, Remove("m:v2", verbs::RemoveForce::kNo)},
      {"Gc",
       {Files('a'), Build("m:v1"), Files('b'), Build("m:v2"),
        Remove("m:v2", verbs::RemoveForce::kNo)},
       Gc},
      // Half of the first pack is still needed: it is written anew.
      {"GcThatCopies",
       {WideFiles('a'), Build("m:v1"), WideFiles('b'), Build("m:v2"),
        Remove("m:v1", verbs::RemoveForce::kNo)},
       Gc},
      {"GcThatCopiesATensor",
       {Tensors('a'), Build("m:v1"), Tensors('b'), Build("m:v2"),
        Remove("m:v1", verbs::RemoveForce::kNo)},
       Gc},
      {"Optimize",
       {Tensors('a'), Build("m:v1")},
       Optimize,
       Opens::kWithoutRoom,
       Changes::kEncodings},
      {"Share", {Tensors('a'), Build("m:v1")}, Share},
      // The device's own goes, and the second copy of what is shared.
      {"GcOfWhatIsShared",
       {Tensors('a'), Build("m:v1"), Share, Tensors('b'), Build("m:v2"),
        Remove("m:v2", verbs::RemoveForce::kNo)},
       Gc},
      {"RemoveAKit", two, Remove("m:v2", verbs::RemoveForce::kYes)},
  };
}

Status Run(const Step& step, SimulatedDisk& disk) {
  World world(disk);
  return step(world);
}

struct Remains {
  Survival survival;
  std::uint64_t seed;
};
constexpr Remains kRemains[] = {
    {Survival::kSynced, 0}, {Survival::kAll, 0}, {Survival::kTorn, 1}, {Survival::kTorn, 2}};

enum class State : std::uint8_t { kWrong, kOld, kNew };

// One operation on disks that fail, and all that went against the promises.
class Simulation {
 public:
  explicit Simulation(const Operation& operation, const std::string& forgotten = {})
      : operation_(operation) {
    SimulatedDisk disk;
    for (const Step& step : operation.before) {
      const Status done = Run(step, disk);
      EXPECT_TRUE(done) << done.error().message;
    }
    // What is there before is there for good.
    start_ = disk.AfterPowerCut(Survival::kSynced);
    before_ = Found(*start_->AfterPowerCut(Survival::kAll), "before");
    const auto whole = start_->AfterPowerCut(Survival::kAll);
    const Status done = Run(operation.run, *whole);
    EXPECT_TRUE(done) << done.error().message;
    after_ = Found(*whole->AfterPowerCut(Survival::kSynced), "after");
    EXPECT_EQ(before_ == after_, operation.changes == Changes::kEncodings);
    if (!forgotten.empty()) start_->Forget(forgotten);
  }

  // Returns how many calls the operation makes.
  std::int64_t CutThePower() {
    for (std::int64_t call = 0;; ++call) {
      const auto disk = start_->AfterPowerCut(Survival::kAll);
      disk->FailAt(call, Fault::kPowerCut);
      const Status done = Run(operation_.run, *disk);
      if (!disk->HasFailed()) return call;
      for (const Remains& remains : kRemains) {
        const auto seed = remains.seed + 10 * static_cast<std::uint64_t>(call);
        const std::string where = "power cut at call " + std::to_string(call) + ", survival " +
                                  std::to_string(static_cast<int>(remains.survival)) + ", seed " +
                                  std::to_string(seed);
        const auto found = disk->AfterPowerCut(remains.survival, seed);
        // Many cuts leave the same: all between two syncs, for one. What was found there once is
        // found there again.
        const auto [seen, is_new] = seen_.try_emplace(found->Fingerprint());
        if (is_new) seen->second = Found(*found, where);
        const State state = CompareTo(seen->second, done.has_value(), where);
        if (is_new && state != State::kWrong) CheckAgain(*found, state, where);
      }
    }
  }

  std::int64_t Fail(Fault fault, ErrorKind kind) {
    // Each of the first calls, then fewer, of those that read: most are pages of the catalog.
    const std::int64_t growth = fault == Fault::kNotRead ? 32 : std::numeric_limits<int>::max();
    std::map<ObjectId, Contents> seen;  // as in CutThePower; most reads that fail change nothing
    for (std::int64_t call = 0;; call += 1 + call / growth) {
      const auto disk = start_->AfterPowerCut(Survival::kAll);
      disk->FailAt(call, fault);
      const Status done = Run(operation_.run, *disk);
      if (!disk->HasFailed()) return call;
      const std::string where = "failure at call " + std::to_string(call);
      if (!done && done.error().kind != kind) Violation(where, "says: " + done.error().message);
      // Also while there is no room: who has a full disk must be able to look at it.
      if (operation_.opens == Opens::kWithRoom) disk->Heal();
      const auto [known, is_new] = seen.try_emplace(disk->Fingerprint());
      if (is_new) known->second = Found(*disk, where);
      const State state = CompareTo(known->second, done.has_value(), where);
      disk->Heal();
      if (is_new && state != State::kWrong && CheckAgain(*disk, state, where))
        CheckNew(*disk->AfterPowerCut(Survival::kSynced), where + ", then a power cut");
    }
  }

  const std::vector<std::string>& violations() const { return violations_; }

 private:
  Contents Found(SimulatedDisk& disk, const std::string& where) {
    auto contents = Inspect(disk, kShelves);
    if (contents) return *std::move(contents);
    Violation(where, contents.error().message);
    return {{"damaged", where}};
  }

  State CompareTo(const Contents& contents, bool is_acknowledged, const std::string& where) {
    if (contents == after_) return State::kNew;
    if (contents == before_ && !is_acknowledged) return State::kOld;
    Violation(where, contents == before_ ? "what was acknowledged is gone"
                                         : "it is neither as before nor as after");
    return State::kWrong;
  }

  bool CheckNew(SimulatedDisk& disk, const std::string& where) {
    return Found(disk, where) == after_ || Violation(where, "what was acknowledged is gone");
  }

  // Whether it is acknowledged now.
  bool CheckAgain(SimulatedDisk& disk, State state, const std::string& where) {
    const Status again = Run(operation_.run, disk);
    // What was removed cannot be removed again; such an answer acknowledges nothing.
    const bool is_gone =
        !again && state == State::kNew && again.error().kind == ErrorKind::kNotFound;
    if (!again && !is_gone) return Violation(where, "not again: " + again.error().message);
    return CheckNew(disk, where + ", done again") && !is_gone;
  }

  bool Violation(const std::string& where, const std::string& what) {
    violations_.push_back(where + ": " + what);
    return false;
  }

  const Operation operation_;
  std::unique_ptr<SimulatedDisk> start_;
  Contents before_;
  Contents after_;
  std::map<ObjectId, Contents> seen_;  // by what power cuts leave
  std::vector<std::string> violations_;
};

class PowerCutTest : public testing::TestWithParam<Operation> {};

TEST_P(PowerCutTest, LeavesTheOldOrTheNew) {
  Simulation simulation(GetParam());
  const std::int64_t calls = simulation.CutThePower();
  EXPECT_GE(calls, 10);  // fewer would mean that nothing was tried
  RecordProperty("calls", std::to_string(calls));
  EXPECT_EQ(Join(simulation.violations(), "\n"), "");
}

TEST_P(PowerCutTest, SoDoesACallThatFails) {
  Simulation simulation(GetParam());
  EXPECT_GE(simulation.Fail(Fault::kIoError, ErrorKind::kUnavailable), 10);
  EXPECT_EQ(Join(simulation.violations(), "\n"), "");
}

TEST_P(PowerCutTest, SoDoesACallThatCannotRead) {
  Simulation simulation(GetParam());
  EXPECT_GE(simulation.Fail(Fault::kNotRead, ErrorKind::kUnavailable), 10);
  EXPECT_EQ(Join(simulation.violations(), "\n"), "");
}

TEST_P(PowerCutTest, SoDoesAFullDisk) {
  Simulation simulation(GetParam());
  EXPECT_GE(simulation.Fail(Fault::kFull, ErrorKind::kExhausted), 10);
  EXPECT_GE(simulation.Fail(Fault::kFullOnce, ErrorKind::kExhausted), 10);
  EXPECT_EQ(Join(simulation.violations(), "\n"), "");
}

INSTANTIATE_TEST_SUITE_P(Verbs, PowerCutTest, testing::ValuesIn(Operations()),
                         [](const auto& operation) { return operation.param.name; });

// What could not be read is not what is damaged.
TEST(ReadFaultTest, ACheckThatCannotReadBlamesNobody) {
  SimulatedDisk start;
  for (const Step& step : {Files('a'), Build("m:v1"), Step(ModelFile), Step(ImportFile)})
    ASSERT_TRUE(sim::Run(step, start));
  std::int64_t call = 0;
  for (bool has_failed = true; has_failed; call += 1 + call / 64) {
    const auto disk = start.AfterPowerCut(Survival::kAll);
    disk->FailAt(call, Fault::kNotRead);
    const auto contents = Inspect(*disk, kShelves);
    has_failed = disk->HasFailed();
    if (!contents) {
      EXPECT_EQ(contents.error().kind, ErrorKind::kUnavailable) << contents.error().message;
    }
    disk->Heal();
    // What was noted would be believed: nothing is read.
    World world(*disk);
    const auto checked =
        verbs::Fsck(world.workspace(), {store::Depth::kStructure}, world.progress());
    ASSERT_TRUE(checked) << call << ": " << checked.error().message;
    for (const auto& damage : checked->damages)
      ADD_FAILURE() << call << ": " << damage.what << ": " << damage.why;
  }
  EXPECT_GT(call, 100);
}

// Else an operation would be tried that does nothing.
TEST(PowerCutNoticesTest, ThatThereIsSomethingToOptimize) {
  SimulatedDisk disk;
  for (const Step& step : {Tensors('a'), Build("m:v1")})
    ASSERT_TRUE(sim::Run(step, disk));
  World world(disk);
  const auto report = verbs::Optimize(world.workspace(), {store::Tier::kArchive}, world.progress());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_GT(report->optimized.objects, 0U);
}

// Else no pull would be tried that goes on behind a block.
TEST(PowerCutNoticesTest, ThatBlocksOfATensorAreKept) {
  SimulatedDisk disk;
  for (const Step& step :
       {Tensors('c'), Elsewhere(Build("c:v1")), Elsewhere(Push("c:v1", "oci:/shelf:v1"))})
    ASSERT_TRUE(sim::Run(step, disk));
  const Step pull = Pull("oci:/shelf:v1", "p:v1");
  int kept = 0;
  for (std::int64_t call = 0;; call += 1 + call / 16) {
    const auto cut = disk.AfterPowerCut(Survival::kAll);
    cut->FailAt(call, Fault::kPowerCut);
    const Status done = sim::Run(pull, *cut);
    if (!cut->HasFailed()) break;
    const auto found = cut->AfterPowerCut(Survival::kAll);
    const auto store = found->OpenDirectory("/person/plumb/store", host::IfMissing::kFail, 0);
    const auto records = store ? (*store)->List("partial") : store.error();
    if (!records) continue;
    for (const host::DirectoryEntry& entry : *records) {
      const auto record = host::ReadFile(**store, "partial/" + entry.name, std::size_t{1} << 20);
      if (record && record->find("\nblock ") != std::string::npos) ++kept;
    }
  }
  EXPECT_GT(kept, 3);
}

// Else nothing of it would be tried above.
TEST(PowerCutNoticesTest, ThatModelsAreAdopted) {
  for (const Step& how : {Step(NoSharedBlocks), Files('a')}) {
    SimulatedDisk disk;
    for (const Step& step : {Step(ModelFile), how, Step(ImportFile)})
      ASSERT_TRUE(sim::Run(step, disk));
    const auto packs = *disk.OpenDirectory("/person/plumb/store/packs", host::IfMissing::kFail, 0);
    EXPECT_TRUE(std::ranges::any_of(*packs->List(""), [](const host::DirectoryEntry& entry) {
      return entry.name.ends_with(".file");
    }));
  }
}

// The simulation notices what it is for. Each of these is a sync that the write order needs.
TEST(PowerCutNoticesTest, APackThatIsNotSynced) {
  Simulation simulation(Operations()[1], ".pack");
  simulation.CutThePower();
  EXPECT_NE(Join(simulation.violations(), "\n"), "");
}

TEST(PowerCutNoticesTest, AJournalThatIsNotSynced) {
  Simulation simulation(Operations()[1], "-journal");
  simulation.CutThePower();
  EXPECT_NE(Join(simulation.violations(), "\n"), "");
}

TEST(PowerCutNoticesTest, ACatalogThatIsNotSynced) {
  Simulation simulation(Operations()[1], ".sqlite");
  simulation.CutThePower();
  EXPECT_NE(Join(simulation.violations(), "\n"), "");
}

}  // namespace
}  // namespace plumb::sim
