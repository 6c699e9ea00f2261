// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/base_puller.h"

#include <optional>
#include <utility>

#include "kit/modelkit.h"
#include "oci/ollama.h"
#include "verbs/import_model.h"
#include "verbs/kit_name.h"
#include "verbs/pull.h"

namespace plumb::verbs {
namespace {

class BasePuller final : public kit::BaseResolver {
 public:
  BasePuller(Workspace& workspace, store::Store& store, kit::BaseResolver& here,
             BaseOptions options, Progress& progress)
      : workspace_(workspace),
        store_(store),
        here_(here),
        options_(std::move(options)),
        progress_(progress) {
    const bool is_known = !options_.host.empty() || options_.first == FirstWrittenBy::kOthers;
    if (is_known) named_host_ = options_.host;
  }

  Result<kit::ModelKit> Resolve(const oci::Reference& written) override {
    // Before it is looked for here: what is here may name the next host, and was made by others.
    if (!named_host_) named_host_ = written.host;
    PLUMB_TRY(const oci::Reference reference, Pinned(written));
    // Nothing that we build names a base so: kit 1.7 does.
    if (options_.parts == BaseParts::kAll && !reference.digest)
      progress_.Warn("the base '" + reference.ToString() +
                     "' is named by a tag, which may have moved since");
    const bool can_move = !reference.digest && !reference.host.empty();
    if (!can_move || options_.ask == AskRegistry::kIfMissing) {
      PLUMB_TRY(const bool is_here, IsHere(reference));
      if (is_here) return here_.Resolve(reference);
    }
    const bool names_one = !reference.tag.empty() || reference.digest;
    if (reference.host.empty() || !names_one) return NotHere(reference);
    auto base = options_.parts == BaseParts::kAll ? PullWhole(reference) : FetchConfig(reference);
    if (base || IsNamed(reference.host)) return base;
    return HowToReach(reference.host, std::move(base).error());
  }

 private:
  // Whoever writes FROM llama3.2 may mean what Ollama has.
  Error NotHere(const oci::Reference& reference) {
    Error error = kit::NoSuchBase(reference);
    if (!reference.host.empty() || reference.digest) return error;
    error.hint = "plumb list; what is not here yet: plumb pull, plumb import";
    const Machine& machine = workspace_.machine();
    const auto name = oci::OllamaName::Parse(reference.ToString());
    const auto path = OllamaStorePath(machine.environment, machine.files);
    if (name && path && machine.files.State(*path + "/" + name->ManifestPath()))
      error.hint = "plumb import ollama:" + reference.ToString();
    return error;
  }

  Result<oci::Reference> Pinned(const oci::Reference& written) {
    oci::Reference reference = written;
    const auto pin = options_.pins.find(written.ToString());
    if (pin == options_.pins.end()) {
      if (written.digest || options_.unpinned == Unpinned::kResolve) return reference;
      return Error{ErrorKind::kConflict,
                   "the base '" + written.ToString() + "' is not in the lock file",
                   "plumb build --lock"};
    }
    reference.digest = pin->second;
    PLUMB_TRY(const auto now, store_.FindRef({written.Name(), written.TagOrDefault()}));
    if (!written.digest && now && *now != pin->second)
      progress_.Note("'" + written.ToString() + "' stays at " + pin->second.ToString() +
                     ", as the lock file says; here it is " + now->ToString() + " (--update)");
    return reference;
  }

  // Of a kit whose config alone was fetched, the layers are missing.
  Result<bool> IsHere(const oci::Reference& reference) {
    if (reference.digest && options_.parts == BaseParts::kAll)
      return HasKit(store_, *reference.digest);
    if (reference.digest) {
      PLUMB_TRY(const auto manifest, store_.FindBlob(*reference.digest));
      return manifest && manifest->standing == store::Standing::kGood;
    }
    PLUMB_TRY(const auto id, store_.FindRef({reference.Name(), reference.TagOrDefault()}));
    return id.has_value();
  }

  Result<kit::ModelKit> PullWhole(const oci::Reference& reference) {
    progress_.Note("pulling the base '" + reference.ToString() + "', which is not in this store");
    PullOptions pull;
    pull.source = reference.ToString();
    pull.network = NetworkFor(reference.host);
    PLUMB_TRY(const PullReport pulled, Pull(workspace_, pull, progress_));
    return kit::LoadModelKit(store_, pulled.transfer.manifest);
  }

  Result<kit::ModelKit> FetchConfig(const oci::Reference& reference) {
    progress_.Note("asking '" + reference.host + "' for the base '" + reference.ToString() + "'");
    PLUMB_TRY(const auto remote,
              Connect(workspace_, PlaceName{reference}, NetworkFor(reference.host), progress_));
    PLUMB_TRY(kit::ModelKit base, FetchModelKit(*remote, reference, progress_));
    PLUMB_RETURN_IF_ERROR(CheckIsNamed(base, reference));
    // Kept, so that whoever has its digest (from a lock file) needs no network next time. It is no
    // kit of this store, because its layers are not here: `gc` may take it.
    const auto session = store_.Begin();
    PLUMB_RETURN_IF_ERROR(session->PutBlob(AsBytes(base.config_bytes)));
    PLUMB_RETURN_IF_ERROR(session->PutBlob(AsBytes(base.manifest_bytes)));
    PLUMB_RETURN_IF_ERROR(session->Commit());
    return base;
  }

  // What is built on a kit names that kit. The digest of an index would stand beside that of the
  // kit in it, and no lock file may say so.
  static Status CheckIsNamed(const kit::ModelKit& base, const oci::Reference& reference) {
    if (!reference.digest || base.id == *reference.digest) return Done{};
    return Error{ErrorKind::kInvalid,
                 "the base '" + reference.ToString() + "' is an index, and no kit",
                 "the kit in it: " + reference.Name() + "@" + base.id.ToString()};
  }

  bool IsNamed(const std::string& host) const { return host == named_host_; }

  // To give a flag, which is the advice for a registry that a person names, is of no help here.
  static Error HowToReach(const std::string& host, Error error) {
    std::string key;
    if (error.hint.find("--plain-http") != std::string::npos) key = "plain-http true";
    if (error.hint.find("--cert") != std::string::npos) key = "cert FILE";
    if (error.hint.empty() && error.kind == ErrorKind::kDenied) key = "ca-file FILE";
    if (!key.empty())
      error.hint = "a kit names '" + host + "', and flags are for what you name: plumb config" +
                   " registry." + host + "." + key;
    return error;
  }

  // A host that a stranger named gets nothing that was meant for another: no way around TLS, no
  // certificate of ours, nobody to trust.
  NetworkOptions NetworkFor(const std::string& host) const {
    if (IsNamed(host)) return options_.network;
    NetworkOptions network;
    network.concurrency = options_.network.concurrency;
    network.proxy = options_.network.proxy;
    return network;
  }

  Workspace& workspace_;
  store::Store& store_;
  kit::BaseResolver& here_;
  const BaseOptions options_;
  Progress& progress_;
  std::optional<std::string> named_host_;  // that the person named; empty: the name has none
};

}  // namespace

Result<std::unique_ptr<kit::BaseResolver>> MakeBasePuller(Workspace& workspace, BaseOptions options,
                                                          Progress& progress) {
  PLUMB_TRY(store::Store * store, workspace.Store());
  PLUMB_TRY(kit::BaseResolver * here, workspace.Bases());
  return std::unique_ptr<kit::BaseResolver>(
      std::make_unique<BasePuller>(workspace, *store, *here, std::move(options), progress));
}

}  // namespace plumb::verbs
