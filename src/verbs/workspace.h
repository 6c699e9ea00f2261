// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_WORKSPACE_H_
#define PLUMB_VERBS_WORKSPACE_H_

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/files.h"
#include "host/http.h"
#include "host/links.h"
#include "host/machine.h"
#include "host/process.h"
#include "kit/base_resolver.h"
#include "registry/connect.h"
#include "registry/known_places.h"
#include "store/store.h"
#include "store/upkeep.h"
#include "verbs/settings.h"

namespace plumb::verbs {

// The machine, as main() found it.
struct Machine {
  host::Files& files;
  host::Clock& clock;
  host::Entropy& entropy;
  host::Environment& environment;
  host::Http& http;
  host::Processes& processes;
  host::Links& links;
};

// Everything a verb works with: it wires the rooms together and knows where a person's files
// are. Each part is opened when it is first asked for, so that a verb pays only for what it
// uses, and stays open until the workspace goes.
//
// Places: $PLUMB_HOME, else $XDG_DATA_HOME/plumb, else ~/.local/share/plumb; beneath it the
// store, our credentials, uploads that were not finished, and where kits were pushed to. Settings:
// $PLUMB_CONFIG, else $XDG_CONFIG_HOME/plumb/config.toml, else ~/.config/plumb/config.toml.
//
// Threads: any number at once.
class Workspace {
 public:
  // What `machine` refers to must outlive it. `threads` bounds the workers of every verb; 0: as the
  // settings say, else one for each processor.
  Workspace(const Machine& machine, unsigned threads) : machine_(machine), threads_(threads) {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  const Machine& machine() const { return machine_; }

  // kNotFound if the machine does not say whose files these are.
  Result<std::string> Home() const;
  Result<std::string> StorePath() const;  // as Home

  // Where certificates of registries may be, the first first: docker's places, then containers'.
  std::vector<std::string> CertificateDirectories() const;

  // kNotFound if the machine does not say whose they are. The file need not be there.
  Result<std::string> SettingsPath() const;

  Result<unsigned> Threads();

  // kNotFound if there is no store yet. For verbs that only read: a home that was mistyped is not
  // made by looking into it. What is there and is no store is left to Store() to tell.
  Status RequireStore() const;

  // The pointers below are never null and stay good as long as the workspace.
  //
  // Nothing is set if there is no file; but one that $PLUMB_CONFIG names must be there. Fails as
  // ReadSettingsFile and ParseSettings do, with its name.
  Result<const verbs::Settings*> Settings();
  Result<store::Store*> Store();
  Result<store::Upkeep*> Upkeep();
  Result<kit::BaseResolver*> Bases();
  Result<registry::Credentials*> Credentials();
  Result<registry::Uploads*> Uploads();
  Result<registry::KnownPlaces*> KnownPlaces();

 private:
  const Machine machine_;
  const unsigned threads_;

  std::mutex mutex_;
  std::optional<verbs::Settings> settings_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Upkeep> upkeep_;
  std::unique_ptr<kit::BaseResolver> bases_;
  std::unique_ptr<registry::Credentials> credentials_;
  std::unique_ptr<registry::Uploads> uploads_;
  std::unique_ptr<registry::KnownPlaces> known_places_;
};

// The path of the home in that directory, whose own path is without symlinks: empty if it is the
// directory itself. Nothing if it lies elsewhere, or is not made yet.
Result<std::optional<std::string>> HomeWithin(const Workspace& workspace,
                                              const std::string& directory);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_WORKSPACE_H_
