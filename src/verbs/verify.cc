// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/verify.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include "base/parallel.h"
#include "base/text.h"
#include "kit/rebuild.h"
#include "verbs/base_puller.h"
#include "verbs/kit_name.h"

namespace plumb::verbs {
namespace {

constexpr std::size_t kReadSize = std::size_t{4} << 20;

// Whether a failure tells of the thing looked at, and not of this machine or the person.
bool IsVerdict(const Error& error) {
  return error.kind == ErrorKind::kCorrupt || error.kind == ErrorKind::kNotFound ||
         error.kind == ErrorKind::kInvalid;
}

class Verifier {
 public:
  Verifier(store::Store& store, unsigned threads, Progress& progress)
      : store_(store), threads_(threads), progress_(progress) {}

  // Reads all that a manifest names, and the manifest.
  Result<Check> Digests(const Digest& id) {
    Check check{"digests", Verdict::kYes, {}};
    auto modelkit = kit::LoadModelKit(store_, id);
    if (!modelkit && !IsVerdict(modelkit.error())) return std::move(modelkit).error();
    if (!modelkit) return Check{"digests", Verdict::kNo, {modelkit.error().message}};
    // One pass over each blob, however many entries share it.
    std::vector<oci::Descriptor> blobs = modelkit->manifest.layers;
    blobs.push_back(modelkit->manifest.config);
    blobs.push_back({"", id, modelkit->manifest_bytes.size()});
    std::ranges::sort(blobs, {},
                      [](const auto& blob) { return std::pair(blob.digest, blob.size); });
    const auto same = [](const auto& a, const auto& b) {
      return a.digest == b.digest && a.size == b.size;
    };
    const auto twins = std::ranges::unique(blobs, same);
    blobs.erase(twins.begin(), twins.end());

    std::vector<std::string> problems(blobs.size());
    PLUMB_RETURN_IF_ERROR(RunParallel(threads_, blobs.size(), [&](std::size_t i) -> Status {
      Status read = CheckBlob(blobs[i]);
      if (read) return read;
      if (!IsVerdict(read.error())) return read;
      problems[i] = read.error().message;
      return Done{};
    }));
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < blobs.size(); ++i) {
      size += blobs[i].size;
      if (!problems[i].empty()) check.reasons.push_back(problems[i]);
    }
    if (const auto paired = kit::PairLayers(*modelkit); !paired)
      check.reasons.push_back(paired.error().message);
    if (!check.reasons.empty()) check.verdict = Verdict::kNo;
    if (check.reasons.empty())
      check.reasons.push_back(std::to_string(blobs.size()) + " blobs, " + FormatSize(size));
    return check;
  }

 private:
  Status CheckBlob(const oci::Descriptor& blob) {
    const auto task = progress_.Begin(blob.digest.ToString(), blob.size);
    PLUMB_TRY(const auto source, store_.OpenBlob(blob.digest, 0));
    Sha256Hasher hasher;
    std::uint64_t size = 0;
    for (ByteSpan bytes;; size += bytes.size()) {
      if (progress_.StopRequested()) return Interrupted();
      PLUMB_TRY(bytes, source->Read(kReadSize));
      if (bytes.empty()) break;
      hasher.Add(bytes);
      task->Advance(bytes.size());
    }
    if (size == blob.size && hasher.Finish() == blob.digest) return Done{};
    return Error{ErrorKind::kCorrupt,
                 "blob " + blob.digest.ToString() + " is not what its digest and size say"};
  }

  store::Store& store_;
  const unsigned threads_;
  Progress& progress_;
};

// What is told of the bases, each as the walk comes to it; the worst of them decides.
class BasesCheck final : public kit::BaseResolver {
 public:
  BasesCheck(store::Store& store, Verifier& verifier) : store_(store), verifier_(verifier) {}

  Result<Check> Run(const kit::ModelKit& modelkit) && {
    const Status walked = Walk(modelkit);
    if (!walked && !IsVerdict(walked.error())) return walked.error();
    if (!walked) {
      const bool is_absent = walked.error().kind == ErrorKind::kNotFound;
      Say(is_absent ? Verdict::kUnknown : Verdict::kNo, walked.error().message);
    }
    if (check_.reasons.empty()) check_.reasons.emplace_back("it stands alone");
    return std::move(check_);
  }

 private:
  void Say(Verdict verdict, const std::string& reason) {
    check_.reasons.push_back(reason);
    const auto rank = [](Verdict of) {
      return of == Verdict::kNo ? 3 : of == Verdict::kUnknown ? 2 : of == Verdict::kYes ? 1 : 0;
    };
    if (rank(verdict) > rank(check_.verdict)) check_.verdict = verdict;
  }

  Status Walk(const kit::ModelKit& modelkit) {
    PLUMB_TRY(const auto base, kit::BaseOf(modelkit));
    if (base) PLUMB_RETURN_IF_ERROR(kit::ResolveBases(*base, *this));
    return Done{};
  }

  Result<kit::ModelKit> Resolve(const oci::Reference& reference) override {
    const std::string name = reference.ToString();
    if (!reference.digest)
      Say(Verdict::kUnknown, name + " is named by a tag, which may point elsewhere tomorrow");
    const auto id = FindKit(store_, KitName(reference));
    if (!id && id.error().kind == ErrorKind::kNotFound)
      return Error{ErrorKind::kNotFound, name + " is not in this store", {}};
    if (!id) return id.error();
    PLUMB_TRY(const Check digests, verifier_.Digests(*id));
    const std::string reasons = name + ": " + Join(digests.reasons, "; ");
    if (digests.verdict != Verdict::kYes) return Error{ErrorKind::kCorrupt, reasons, {}};
    Say(digests.verdict, reasons);
    return kit::LoadModelKit(store_, *id);
  }

  store::Store& store_;
  Verifier& verifier_;
  Check check_{"bases", Verdict::kAbsent, {}};
};

constexpr std::size_t kVersionShownMax = 32;

// Remembers that a base could not be had, which says nothing about the kit that wants it.
class WatchedBases final : public kit::BaseResolver {
 public:
  explicit WatchedBases(kit::BaseResolver& bases) : bases_(bases) {}
  Result<kit::ModelKit> Resolve(const oci::Reference& reference) override {
    auto base = bases_.Resolve(reference);
    has_failed_ = has_failed_ || !base;
    return base;
  }
  bool has_failed() const { return has_failed_; }

 private:
  kit::BaseResolver& bases_;
  bool has_failed_ = false;
};

// Its blobs were read before: rights that are wanting now are those that its layers want.
bool IsOfTheKit(const Error& error) {
  return error.kind == ErrorKind::kCorrupt || error.kind == ErrorKind::kInvalid ||
         error.kind == ErrorKind::kDenied;
}

Result<Check> BuildItAgain(Workspace& workspace, const kit::ModelKit& modelkit, const KitName& name,
                           const NetworkOptions& network, Progress& progress) {
  PLUMB_TRY(store::Store * store, workspace.Store());
  BaseOptions base_options;
  base_options.parts = BaseParts::kConfig;
  base_options.network = network;
  base_options.host = name.reference().host;
  PLUMB_TRY(const auto bases, MakeBasePuller(workspace, std::move(base_options), progress));
  const Machine& machine = workspace.machine();
  WatchedBases watched(*bases);
  PLUMB_TRY(const unsigned threads, workspace.Threads());
  const kit::RebuildContext context{*store, watched, machine.clock, machine.environment, threads};
  const auto rebuilt = kit::Rebuild(context, modelkit, progress);
  if (!rebuilt) {
    const Error& error = rebuilt.error();
    if (error.kind == ErrorKind::kInterrupted) return error;
    const std::string reason = "it cannot be built again: " + error.message;
    if (IsOfTheKit(error) && !watched.has_failed()) return Check{"rebuild", Verdict::kNo, {reason}};
    // That it cannot be built here and now says nothing about what it is.
    Check unknown{"rebuild", Verdict::kUnknown, {reason}, error.kind};
    if (watched.has_failed() && !error.hint.empty()) unknown.reasons.push_back(error.hint);
    return unknown;
  }
  if (rebuilt->differences.empty())
    return Check{"rebuild", Verdict::kYes, {"building again gives the same ModelKitID"}};
  if (!rebuilt->other_kit.empty())
    return Check{"rebuild",
                 Verdict::kUnknown,
                 {"kit " + Printable(rebuilt->other_kit.substr(0, kVersionShownMax)) +
                  " made it, and only kit 1.7.0 is followed"},
                 ErrorKind::kUnsupported};
  Check check{"rebuild", Verdict::kNo, rebuilt->differences};
  check.reasons.insert(check.reasons.begin(),
                       rebuilt->is_same_content ? "the same content, but " + rebuilt->id.ToString()
                                                : "building again gives " + rebuilt->id.ToString());
  return check;
}

}  // namespace

const Check* VerifyReport::Failure() const {
  const auto failed = std::ranges::find(checks, Verdict::kNo, &Check::verdict);
  return failed == checks.end() ? nullptr : &*failed;
}

const Check* VerifyReport::Unanswered() const {
  const auto open =
      std::ranges::find_if(checks, [](const Check& check) { return check.obstacle.has_value(); });
  return open == checks.end() ? nullptr : &*open;
}

Result<VerifyReport> Verify(Workspace& workspace, const VerifyOptions& options,
                            Progress& progress) {
  PLUMB_RETURN_IF_ERROR(workspace.RequireStore());
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_TRY(const KitName name, NameHere(*store, options.kit));
  VerifyReport report;
  auto id = FindKit(*store, name);
  if (!id) {
    Error error = std::move(id).error();
    if (error.kind == ErrorKind::kNotFound && !name.reference().host.empty())
      error.hint = "plumb pull " + name.ToString();
    return error;
  }
  report.id = *id;
  PLUMB_TRY(const unsigned threads, workspace.Threads());
  Verifier verifier(*store, threads, progress);
  PLUMB_TRY(report.checks.emplace_back(), verifier.Digests(*id));
  // What is damaged says nothing that could be looked at.
  if (report.Failure() != nullptr) return report;
  PLUMB_TRY(const kit::ModelKit modelkit, kit::LoadModelKit(*store, *id));
  PLUMB_TRY(report.checks.emplace_back(), BasesCheck(*store, verifier).Run(modelkit));
  if (options.build_again == BuildAgain::kYes) {
    PLUMB_TRY(report.checks.emplace_back(),
              BuildItAgain(workspace, modelkit, name, options.network, progress));
  }
  return report;
}

}  // namespace plumb::verbs
