// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_REGISTRY_HTTP_ERROR_INTERNAL_H_
#define PLUMB_REGISTRY_HTTP_ERROR_INTERNAL_H_

#include <string>

#include "base/result.h"
#include "host/http.h"

namespace plumb::registry {

// What an answer means that is no success, with the reason that the registry gives, if any:
// "'HOST' answers 404 (NAME_UNKNOWN: repository name not known to registry)".
Error ErrorOf(const host::HttpResponse& response, const std::string& registry_host);

bool IsSuccess(const host::HttpResponse& response);

}  // namespace plumb::registry

#endif  // PLUMB_REGISTRY_HTTP_ERROR_INTERNAL_H_
