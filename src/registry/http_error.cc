// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/json.h"
#include "base/text.h"
#include "registry/http_error_internal.h"

namespace plumb::registry {
namespace {

constexpr std::size_t kReasonSizeMax = 256;

ErrorKind KindOf(int status) {
  switch (status) {
    case 401:
    case 403:
    case 407:
      return ErrorKind::kDenied;
    case 404:
      return ErrorKind::kNotFound;
    case 405:
    case 415:
    case 501:
      return ErrorKind::kUnsupported;
    case 408:
    case 429:
      return ErrorKind::kUnavailable;
    case 409:
      return ErrorKind::kConflict;
    case 413:
      return ErrorKind::kExhausted;
    default:
      return status >= 500 ? ErrorKind::kUnavailable : ErrorKind::kInvalid;
  }
}

// distribution-spec, "Error Codes": {"errors":[{"code":…,"message":…}]}. Empty if it is none.
std::string ReasonIn(const std::string& text) {
  const auto json = ParseJson(text);
  const Json* errors = json ? json->Find("errors") : nullptr;
  if (errors == nullptr || errors->IfArray() == nullptr || errors->IfArray()->empty()) return {};
  std::string reason;
  for (const char* name : {"code", "message"}) {
    const Json* member = errors->IfArray()->front().Find(name);
    const std::string* part = member == nullptr ? nullptr : member->IfString();
    if (part == nullptr || part->empty()) continue;
    if (!reason.empty()) reason += ": ";
    reason += *part;
  }
  return Printable(reason.substr(0, kReasonSizeMax));
}

}  // namespace

Error ErrorOf(const host::HttpResponse& response, const std::string& registry_host) {
  const std::string who =
      response.status == 407 ? "the proxy" : "'" + std::string(registry_host) + "'";
  Error error = {KindOf(response.status), who + " answers " + std::to_string(response.status)};
  const std::string reason = ReasonIn(response.text);
  if (!reason.empty()) error.message += " (" + reason + ")";
  // Said by a proxy on the way.
  if (response.status == 407) return error;
  if (error.kind == ErrorKind::kDenied) error.hint = "plumb login " + registry_host;
  return error;
}

bool IsSuccess(const host::HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
}

}  // namespace plumb::registry
