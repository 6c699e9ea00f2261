// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TESTS_ZOT_LIKE_REGISTRY_H_
#define PLUMB_TESTS_ZOT_LIKE_REGISTRY_H_

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "oci/manifest.h"
#include "tests/http_server.h"

namespace plumb {

// In what a registry may differ from zot and still be one.
struct RegistryQuirks {
  // Of blobs by GET: "http://other-host", where they are asked for instead.
  std::string blobs_elsewhere = {};
  // In place of a manifest's media type; "-": none at all.
  std::optional<std::string> manifest_type = std::nullopt;
  bool tells_digests = true;
  bool closes_connections = false;
  std::string chunk_min_length = {};
  std::size_t tags_per_page = 2;
  // Beginning with that piece, counted from 1, one after another is cut off in the middle.
  std::size_t cut_piece = 0;
  std::size_t cut_count = 1;
  // That many requests are answered with 429 and that Retry-After.
  int busy_count = 0;
  std::string retry_after = {};
  // Who does not send this is asked to log in, the way that is called Basic.
  std::string authorization = {};
};

// A registry on 127.0.0.1 that does what zot 2.1 was seen to do, where that is allowed and others
// do otherwise: addresses without a host; no Accept-Ranges, though ranges work; a mount is never
// done, and leaves an upload that waits; an upload whose connection breaks is forgotten; 416 says
// how far it is; 415 for what is no manifest it knows, 413 over 4 MiB; it keeps lists of referrers
// and filters them. Blobs belong to a repository.
class ZotLikeRegistry {
 public:
  using Request = TestHttpServer::Request;
  using Answer = TestHttpServer::Answer;

  explicit ZotLikeRegistry(RegistryQuirks quirks = {}) : quirks_(std::move(quirks)) {}

  std::string host() const { return server_.Host(); }
  std::vector<Request> Requests() { return server_.Requests(); }
  // Upload sessions that were begun and neither completed nor cancelled.
  std::size_t OpenUploads() {
    const std::lock_guard lock(mutex_);
    return uploads_.size();
  }
  // How many requests of that method have `part` in their target.
  std::size_t Count(std::string_view method, std::string_view part) {
    std::size_t count = 0;
    for (const Request& request : server_.Requests())
      if (request.method == method && request.target.find(part) != std::string::npos) ++count;
    return count;
  }

 private:
  struct Manifest {
    std::string type;
    std::string bytes;
  };
  struct Repository {
    std::map<std::string, std::string> blobs;
    std::map<std::string, Manifest> manifests;
    std::map<std::string, std::string> tags;
  };
  // A request's target taken apart: /v2/NAME/KIND/REST?QUERY.
  struct Target {
    std::string name;
    std::string kind;
    std::string rest;
    std::map<std::string, std::string> query;
  };

  static std::string Decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
      std::array<std::byte, 1> byte = {};
      const bool is_escape = text[i] == '%' && DecodeHex(text.substr(i + 1, 2), byte);
      decoded += is_escape ? static_cast<char>(byte[0]) : text[i];
      if (is_escape) i += 2;
    }
    return decoded;
  }

  static std::optional<Target> TakeApart(std::string_view text) {
    Target target;
    const std::size_t mark = text.find('?');
    if (mark != std::string_view::npos) {
      for (const std::string_view pair : Split(text.substr(mark + 1), '&')) {
        const std::size_t equals = pair.find('=');
        if (equals != std::string_view::npos)
          target.query[Decoded(pair.substr(0, equals))] = Decoded(pair.substr(equals + 1));
      }
      text = text.substr(0, mark);
    }
    if (!text.starts_with("/v2/")) return std::nullopt;
    text.remove_prefix(4);
    for (const std::string_view kind :
         {"blobs/uploads", "blobs", "manifests", "tags", "referrers"}) {
      const std::string middle = "/" + std::string(kind) + "/";
      const std::size_t at = text.find(middle);
      if (at == std::string_view::npos) continue;
      target.name = text.substr(0, at);
      target.kind = kind;
      target.rest = text.substr(at + middle.size());
      return target;
    }
    return std::nullopt;
  }

  static Answer Refusal(int status, const std::string& code) {
    return {status, {}, R"({"errors":[{"code":")" + code + R"(","message":"as zot says it"}]})"};
  }
  static std::string DigestOf(const std::string& bytes) {
    return Sha256(AsBytes(bytes)).ToString();
  }

  Answer Handle(const Request& request) {
    const std::lock_guard lock(mutex_);
    if (!quirks_.authorization.empty() &&
        request.Header("Authorization").value_or("") != quirks_.authorization) {
      Answer refusal = Refusal(401, "UNAUTHORIZED");
      refusal.headers = {{"WWW-Authenticate", R"(Basic realm="zot")"}};
      return refusal;
    }
    if (quirks_.busy_count > 0) {
      --quirks_.busy_count;
      Answer busy = Refusal(429, "TOOMANYREQUESTS");
      busy.headers = {{"Retry-After", quirks_.retry_after}};
      return busy;
    }
    const auto target = TakeApart(request.target);
    if (!target) return Refusal(404, "NAME_UNKNOWN");
    Answer answer = HandleKind(request, *target);
    if (!quirks_.tells_digests)
      std::erase_if(answer.headers,
                    [](const auto& header) { return header.first == "Docker-Content-Digest"; });
    if (quirks_.closes_connections && answer.then == TestHttpServer::Then::kKeep) {
      answer.headers.emplace_back("Connection", "close");
      answer.then = TestHttpServer::Then::kClose;
    }
    return answer;
  }

  Answer HandleKind(const Request& request, const Target& target) {
    if (target.kind == "blobs/uploads") return HandleUpload(request, target);
    if (target.kind == "blobs") return GiveBlob(request, target);
    if (target.kind == "tags") return GiveTags(target);
    if (target.kind == "referrers") return GiveReferrers(target);
    return request.method == "PUT" ? TakeManifest(request, target) : GiveManifest(target);
  }

  Answer GiveBlob(const Request& request, const Target& target) {
    const auto& blobs = repositories_[target.name].blobs;
    const auto found = blobs.find(target.rest);
    if (found == blobs.end()) return Refusal(404, "BLOB_UNKNOWN");
    const std::string& bytes = found->second;
    Answer answer = {
        200,
        {{"Content-Type", "application/octet-stream"}, {"Docker-Content-Digest", target.rest}},
        bytes};
    if (request.method == "HEAD") {
      answer.headers.emplace_back("Accept-Ranges", "bytes");
      return answer;
    }
    if (!quirks_.blobs_elsewhere.empty())
      return {307, {{"Location", quirks_.blobs_elsewhere + request.target}}, {}};
    const std::string range = request.Header("Range").value_or("");
    if (!range.starts_with("bytes=") || !range.ends_with("-")) return answer;
    const auto start = ParseUint64(std::string_view(range).substr(6, range.size() - 7)).value_or(0);
    if (start >= bytes.size()) return {416, {}, {}};
    answer.status = 206;
    answer.headers.emplace_back("Content-Range", "bytes " + std::to_string(start) + "-" +
                                                     std::to_string(bytes.size() - 1) + "/" +
                                                     std::to_string(bytes.size()));
    answer.body = bytes.substr(start);
    return answer;
  }

  Answer UploadAnswer(int status, const std::string& name, const std::string& id) const {
    const std::size_t size = uploads_.at(id).size();
    Answer answer = {status,
                     {{"Location", "/v2/" + name + "/blobs/uploads/" + id},
                      {"Range", "0-" + std::to_string(size == 0 ? 0 : size - 1)}},
                     {}};
    if (!quirks_.chunk_min_length.empty())
      answer.headers.emplace_back("OCI-Chunk-Min-Length", quirks_.chunk_min_length);
    return answer;
  }

  Answer HandleUpload(const Request& request, const Target& target) {
    if (request.method == "POST") {
      const std::string id = "session-" + std::to_string(++upload_count_);
      uploads_[id];
      return UploadAnswer(202, target.name, id);
    }
    const auto upload = uploads_.find(target.rest);
    if (upload == uploads_.end()) return Refusal(404, "BLOB_UPLOAD_UNKNOWN");
    if (request.method == "DELETE") {
      uploads_.erase(upload);
      return {204, {}, {}};
    }
    if (request.method == "GET") return UploadAnswer(204, target.name, target.rest);
    if (request.method == "PATCH") return TakePiece(request, target, upload->second);
    return Complete(request, target, upload->second);
  }

  Answer TakePiece(const Request& request, const Target& target, std::string& upload) {
    ++pieces_;
    const bool is_cut =
        quirks_.cut_piece != 0 && pieces_ >= quirks_.cut_piece && quirks_.cut_count > 0;
    if (is_cut) {
      --quirks_.cut_count;
      uploads_.erase(target.rest);
      Answer cut;
      cut.raw = "HTTP/1.1 2";
      cut.then = TestHttpServer::Then::kClose;
      return cut;
    }
    const std::string range = request.Header("Content-Range").value_or("");
    if (!range.starts_with(std::to_string(upload.size()) + "-"))
      return UploadAnswer(416, target.name, target.rest);
    upload += request.body;
    return UploadAnswer(202, target.name, target.rest);
  }

  Answer Complete(const Request& request, const Target& target, std::string& upload) {
    upload += request.body;
    const std::string digest = DigestOf(upload);
    const auto asked = target.query.find("digest");
    if (asked == target.query.end() || asked->second != digest)
      return Refusal(400, "DIGEST_INVALID");
    repositories_[target.name].blobs[digest] = std::move(upload);
    uploads_.erase(target.rest);
    return {201,
            {{"Location", "/v2/" + target.name + "/blobs/" + digest},
             {"Docker-Content-Digest", digest}},
            {}};
  }

  Answer GiveManifest(const Target& target) {
    Repository& repository = repositories_[target.name];
    const auto tag = repository.tags.find(target.rest);
    const std::string digest = tag == repository.tags.end() ? target.rest : tag->second;
    const auto found = repository.manifests.find(digest);
    if (found == repository.manifests.end()) return Refusal(404, "MANIFEST_UNKNOWN");
    Answer answer = {200, {{"Docker-Content-Digest", digest}}, found->second.bytes};
    const std::string type = quirks_.manifest_type.value_or(found->second.type);
    if (type != "-") answer.headers.emplace_back("Content-Type", type);
    return answer;
  }

  Answer TakeManifest(const Request& request, const Target& target) {
    const std::string type = request.Header("Content-Type").value_or("");
    if (type != oci::kManifestMediaType && type != oci::kIndexMediaType)
      return Refusal(415, "MANIFEST_INVALID");
    if (request.body.size() > oci::kManifestSizeMax) return Refusal(413, "SIZE_INVALID");
    Repository& repository = repositories_[target.name];
    const auto manifest = oci::Manifest::Parse(request.body);
    if (manifest) {
      bool is_whole = repository.blobs.contains(manifest->config.digest.ToString());
      for (const oci::Descriptor& layer : manifest->layers)
        is_whole = is_whole && repository.blobs.contains(layer.digest.ToString());
      if (!is_whole) return Refusal(404, "MANIFEST_BLOB_UNKNOWN");
    }
    const std::string digest = DigestOf(request.body);
    repository.manifests[digest] = {type, request.body};
    if (!target.rest.starts_with("sha256:")) repository.tags[target.rest] = digest;
    Answer answer = {201,
                     {{"Location", "/v2/" + target.name + "/manifests/" + digest},
                      {"Docker-Content-Digest", digest}},
                     {}};
    if (manifest && manifest->subject)
      answer.headers.emplace_back("OCI-Subject", manifest->subject->digest.ToString());
    return answer;
  }

  Answer GiveReferrers(const Target& target) {
    const auto filter = target.query.find("artifactType");
    Json list = Json::MakeArray();
    for (const auto& [digest, manifest] : repositories_[target.name].manifests) {
      const auto parsed = oci::Manifest::Parse(manifest.bytes);
      if (!parsed || !parsed->subject || parsed->subject->digest.ToString() != target.rest)
        continue;
      const std::string& type =
          parsed->artifact_type.empty() ? parsed->config.media_type : parsed->artifact_type;
      if (filter != target.query.end() && filter->second != type) continue;
      oci::Descriptor descriptor = {manifest.type, *Digest::Parse(digest), manifest.bytes.size()};
      descriptor.annotations = parsed->annotations;
      Json entry = oci::DescriptorToJson(descriptor);
      entry.Set("artifactType", Json::String(type));
      list.Add(std::move(entry));
    }
    Json index = Json::MakeObject();
    index.Append("schemaVersion", Json::Uint(2));
    index.Append("mediaType", Json::String(oci::kIndexMediaType));
    index.Append("manifests", std::move(list));
    Answer answer = {200,
                     {{"Content-Type", std::string(oci::kIndexMediaType)}},
                     WriteJson(index, JsonStyle::kCompact)};
    if (filter != target.query.end())
      answer.headers.emplace_back("OCI-Filters-Applied", "artifactType");
    return answer;
  }

  Answer GiveTags(const Target& target) {
    const auto found = repositories_.find(target.name);
    if (found == repositories_.end()) return Refusal(404, "NAME_UNKNOWN");
    const auto& tags = found->second.tags;
    const auto last = target.query.find("last");
    auto tag = last == target.query.end() ? tags.begin() : tags.upper_bound(last->second);
    Json names = Json::MakeArray();
    std::string shown;
    for (std::size_t i = 0; i < quirks_.tags_per_page && tag != tags.end(); ++i, ++tag) {
      shown = tag->first;
      names.Add(Json::String(shown));
    }
    Json page = Json::MakeObject();
    page.Append("name", Json::String(target.name));
    page.Append("tags", std::move(names));
    Answer answer = {
        200, {{"Content-Type", "application/json"}}, WriteJson(page, JsonStyle::kCompact)};
    if (tag != tags.end())
      answer.headers.emplace_back(
          "Link", "</v2/" + target.name + "/tags/list?n=" + std::to_string(quirks_.tags_per_page) +
                      "&last=" + shown + R"(>; rel="next")");
    return answer;
  }

  std::mutex mutex_;
  RegistryQuirks quirks_;
  std::map<std::string, Repository> repositories_;
  std::map<std::string, std::string> uploads_;
  std::size_t upload_count_ = 0;
  std::size_t pieces_ = 0;
  TestHttpServer server_{[this](const Request& request) { return Handle(request); }};
};

}  // namespace plumb

#endif  // PLUMB_TESTS_ZOT_LIKE_REGISTRY_H_
