// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_CONNECT_H_
#define PLUMB_REGISTRY_CONNECT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "host/files.h"
#include "host/http.h"
#include "host/machine.h"
#include "host/process.h"
#include "oci/reference.h"
#include "registry/remote.h"
#include "registry/uploads.h"

namespace plumb::registry {

struct Credential {
  std::string user;
  std::string secret;
  // Instead of both: what a token service gives tokens for (docker's "identitytoken").
  std::string identity_token = {};
};

// Who we are, to which registry. Our own file (0600, the format of docker's config.json) is
// written by `login`; docker's is read after it and never written. If either names a credential
// helper ("credHelpers", "credsStore"), that is asked, and given what `login` is to keep: then our
// file only says which it was.
// Threads: any number at once.
class Credentials {
 public:
  virtual ~Credentials() = default;
  // For a registry "host[:port]"; nothing means anonymous. kUnsupported if there is no login, but
  // docker's file names a helper that is not on this machine: then too one may go on without.
  virtual Result<std::optional<Credential>> Find(std::string_view registry) = 0;
  virtual Status Save(std::string_view registry, const Credential& credential) = 0;
  // False if there was none.
  virtual Result<bool> Erase(std::string_view registry) = 0;
};

// `own_path` is ours; `docker_path` may not exist.
std::unique_ptr<Credentials> MakeCredentials(host::Files& files, host::Processes& processes,
                                             std::string own_path, std::string docker_path);

// Whom to trust beside those whom this machine trusts, and who we are.
struct Certificates {
  std::string authorities = {};         // PEM text
  std::string client_certificate = {};  // PEM files; empty: none
  std::string client_key = {};
};

// What is in the first of the directories that has "HOST[:PORT]": as docker's and containers'
// certs.d, all of *.crt are authorities, and NAME.cert with NAME.key is who we are. Nothing if none
// has it. kInvalid for a NAME.cert or NAME.key without the other.
Result<Certificates> FindCertificates(host::Files& files,
                                      const std::vector<std::string>& directories,
                                      const std::string& registry_host);

// The text of a PEM file with at least one certificate; kInvalid if there is none in it.
Result<std::string> ReadAuthorities(host::Files& files, const std::string& path);

struct ConnectOptions {
  enum class Scheme : std::uint8_t { kHttps, kHttp } scheme = Scheme::kHttps;
  host::TlsVerify tls_verify = host::TlsVerify::kYes;
  // A larger blob is sent in pieces of the other size, so that a break does not cost all of it.
  std::uint64_t upload_whole_max = std::uint64_t{100} << 20;
  std::uint64_t upload_piece_size = std::uint64_t{16} << 20;  // > 0
  Certificates certificates = {};
  // As host::HttpRequest has them.
  std::string proxy = {};
  std::string default_proxy = {};
};

// What the rooms below need to talk to a registry; all of it must outlive the Remote.
struct Network {
  host::Http& http;
  host::Clock& clock;
  host::Entropy& entropy;
  Credentials& credentials;
  // Asked whether to stop by calls that are given none; null: nobody is there to say so.
  Progress* progress = nullptr;
  // Where unfinished uploads are remembered; null: nowhere.
  Uploads* uploads = nullptr;
};

// A repository of a registry. Nothing is sent yet. kInvalid if host or repository break the
// grammar.
//
// Credentials are only ever sent to the registry itself, and to a token service on its host or,
// both by https, beneath its domain; never along a redirect to another host.
Result<std::unique_ptr<Repository>> ConnectRegistry(const Network& network,
                                                    const std::string& registry_host,
                                                    const std::string& repository,
                                                    const ConnectOptions& options);

// Tries a credential against GET /v2/ of a registry: kDenied if it is refused. One that asks for
// no login takes any.
Status CheckLogin(const Network& network, const std::string& registry_host,
                  const Credential& credential, const ConnectOptions& options);

// A layout directory. For reading it must exist (kNotFound); for writing it is made.
std::unique_ptr<Repository> OpenLayout(host::Files& files, const std::string& path);

// "oci:DIR[:TAG]" or "oci:DIR@sha256:HEX" taken apart. The part behind the last ':' is a tag if it
// is one and holds no '/'.
struct LayoutName {
  std::string directory;
  std::string tag;  // may be empty
  std::optional<Digest> digest = std::nullopt;
};
std::optional<LayoutName> ParseLayoutName(std::string_view text);

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_CONNECT_H_
