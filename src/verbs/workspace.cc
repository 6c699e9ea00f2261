// SPDX-License-Identifier: MIT OR Apache-2.0
#include "verbs/workspace.h"

#include <utility>

#include "verbs/config.h"

namespace plumb::verbs {
namespace {

Error WithHint(Error error) {
  const bool another_place_helps =
      error.kind == ErrorKind::kDenied || error.kind == ErrorKind::kNotFound;
  if (another_place_helps && error.hint.empty()) error.hint = "export PLUMB_HOME=DIRECTORY";
  return error;
}

}  // namespace

Result<std::string> Workspace::Home() const {
  if (auto home = machine_.environment.Get("PLUMB_HOME")) return *std::move(home);
  if (auto data = machine_.environment.Get("XDG_DATA_HOME")) return *data + "/plumb";
  auto person = machine_.environment.HomeDirectory();
  if (!person) {
    Error error = std::move(person).error().While("cannot tell where the store is");
    error.hint = "export PLUMB_HOME=DIRECTORY";
    return error;
  }
  return *person + "/.local/share/plumb";
}

Result<std::string> Workspace::StorePath() const {
  PLUMB_TRY(const std::string home, Home());
  return home + "/store";
}

Result<std::string> Workspace::SettingsPath() const {
  if (auto file = machine_.environment.Get("PLUMB_CONFIG")) return *std::move(file);
  if (auto config = machine_.environment.Get("XDG_CONFIG_HOME"))
    return *config + "/plumb/config.toml";
  auto person = machine_.environment.HomeDirectory();
  if (!person) {
    Error error = std::move(person).error().While("cannot tell where the settings are");
    error.hint = "export PLUMB_CONFIG=FILE";
    return error;
  }
  return *person + "/.config/plumb/config.toml";
}

Result<const verbs::Settings*> Workspace::Settings() {
  const std::scoped_lock lock(mutex_);
  if (!settings_) {
    const auto person = machine_.environment.HomeDirectory();
    const auto path = SettingsPath();
    // Who has no home has no settings.
    if (path) {
      PLUMB_TRY(settings_, LoadSettings(machine_, *path, person ? *person : std::string()));
    } else {
      settings_.emplace();
    }
  }
  return &*settings_;
}

Result<unsigned> Workspace::Threads() {
  if (threads_ > 0) return threads_;
  PLUMB_TRY(const verbs::Settings* const settings, Settings());
  return settings->threads > 0 ? settings->threads : machine_.environment.ProcessorCount();
}

Status Workspace::RequireStore() const {
  PLUMB_TRY(const std::string home, Home());
  const auto store = machine_.files.State(home + "/store");
  if (store || store.error().kind != ErrorKind::kNotFound) return Done{};
  const auto place = machine_.files.State(home);
  if (place && place->type != host::FileType::kDirectory) return Done{};
  return WithHint({ErrorKind::kNotFound, "there is no store in '" + home + "' yet"});
}

Result<store::Store*> Workspace::Store() {
  const std::scoped_lock lock(mutex_);
  if (!store_) {
    PLUMB_TRY(const std::string path, StorePath());
    auto store = store::OpenStore(machine_.files, machine_.clock, machine_.entropy, path);
    if (!store) return WithHint(std::move(store).error());
    store_ = *std::move(store);
  }
  return store_.get();
}

Result<store::Upkeep*> Workspace::Upkeep() {
  const std::scoped_lock lock(mutex_);
  if (!upkeep_) {
    PLUMB_TRY(const std::string path, StorePath());
    auto upkeep = store::OpenUpkeep(machine_.files, machine_.clock, machine_.entropy, path);
    if (!upkeep) return WithHint(std::move(upkeep).error());
    upkeep_ = *std::move(upkeep);
  }
  return upkeep_.get();
}

Result<kit::BaseResolver*> Workspace::Bases() {
  PLUMB_TRY(store::Store * store, Store());
  const std::scoped_lock lock(mutex_);
  if (!bases_) bases_ = kit::MakeStoreResolver(*store);
  return bases_.get();
}

std::vector<std::string> Workspace::CertificateDirectories() const {
  std::vector<std::string> directories;
  const auto person = machine_.environment.HomeDirectory();
  if (person) directories.push_back(*person + "/.docker/certs.d");
  directories.emplace_back("/etc/docker/certs.d");
  if (person) directories.push_back(*person + "/.config/containers/certs.d");
  directories.emplace_back("/etc/containers/certs.d");
  return directories;
}

Result<registry::Credentials*> Workspace::Credentials() {
  const std::scoped_lock lock(mutex_);
  if (!credentials_) {
    PLUMB_TRY(const std::string home, Home());
    std::string docker_path;
    if (auto config = machine_.environment.Get("DOCKER_CONFIG")) {
      docker_path = *config + "/config.json";
    } else if (auto person = machine_.environment.HomeDirectory()) {
      docker_path = *person + "/.docker/config.json";
    }
    credentials_ = registry::MakeCredentials(machine_.files, machine_.processes,
                                             home + "/credentials.json", docker_path);
  }
  return credentials_.get();
}

Result<registry::Uploads*> Workspace::Uploads() {
  const std::scoped_lock lock(mutex_);
  if (!uploads_) {
    PLUMB_TRY(const std::string home, Home());
    uploads_ = registry::MakeUploads(machine_.files, machine_.clock, home + "/uploads");
  }
  return uploads_.get();
}

Result<registry::KnownPlaces*> Workspace::KnownPlaces() {
  const std::scoped_lock lock(mutex_);
  if (!known_places_) {
    PLUMB_TRY(const std::string home, Home());
    known_places_ = registry::MakeKnownPlaces(machine_.files, home + "/places");
  }
  return known_places_.get();
}

Result<std::optional<std::string>> HomeWithin(const Workspace& workspace,
                                              const std::string& directory) {
  std::optional<std::string> within;
  PLUMB_TRY(const std::string path, workspace.Home());
  const auto home = workspace.machine().files.Canonical(path);
  if (!home) return within;
  const std::string prefix = directory == "/" ? directory : directory + "/";
  if (*home == directory) within.emplace();
  if (home->starts_with(prefix)) within = home->substr(prefix.size());
  return within;
}

}  // namespace plumb::verbs
