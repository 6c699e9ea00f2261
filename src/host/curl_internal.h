// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_HOST_CURL_INTERNAL_H_
#define PLUMB_HOST_CURL_INTERNAL_H_

#include <curl/curl.h>

#include "base/result.h"

namespace plumb::host {

// What we use of libcurl. Loaded with the first request, not with the program: it brings some
// thirty libraries along, and most of what a person does needs no network.
struct Curl {
  decltype(&curl_global_init) global_init = nullptr;
  decltype(&curl_easy_init) init = nullptr;
  decltype(&curl_easy_cleanup) cleanup = nullptr;
  decltype(&curl_easy_reset) reset = nullptr;
  decltype(&curl_easy_perform) perform = nullptr;
  decltype(&curl_easy_setopt) setopt = nullptr;
  decltype(&curl_easy_getinfo) getinfo = nullptr;
  decltype(&curl_easy_strerror) strerror = nullptr;
  decltype(&curl_slist_append) slist_append = nullptr;
  decltype(&curl_slist_free_all) slist_free_all = nullptr;

  // The same for all, never unloaded. kUnsupported if this machine has no libcurl.
  // Threads: any number at once.
  static Result<const Curl*> Load();
};

}  // namespace plumb::host

#endif  // PLUMB_HOST_CURL_INTERNAL_H_
