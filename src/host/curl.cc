// SPDX-License-Identifier: MIT OR Apache-2.0
#include <dlfcn.h>

#include "host/curl_internal.h"

namespace plumb::host {
namespace {

constexpr const char* kLibrary = "libcurl.so.4";  // the ABI of 7.16 and later, 8 included

template <typename Function>
bool Find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

bool FindAll(void* library, Curl& curl) {
  return Find(library, "curl_global_init", curl.global_init) &&
         Find(library, "curl_easy_init", curl.init) &&
         Find(library, "curl_easy_cleanup", curl.cleanup) &&
         Find(library, "curl_easy_reset", curl.reset) &&
         Find(library, "curl_easy_perform", curl.perform) &&
         Find(library, "curl_easy_setopt", curl.setopt) &&
         Find(library, "curl_easy_getinfo", curl.getinfo) &&
         Find(library, "curl_easy_strerror", curl.strerror) &&
         Find(library, "curl_slist_append", curl.slist_append) &&
         Find(library, "curl_slist_free_all", curl.slist_free_all);
}

Result<Curl> LoadOnce() {
  Curl curl;
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr || !FindAll(library, curl) ||
      curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return Error{ErrorKind::kUnsupported,
                 "cannot speak HTTP: '" + std::string(kLibrary) + "' cannot be loaded",
                 "apt install libcurl4"};
  }
  return curl;
}

}  // namespace

Result<const Curl*> Curl::Load() {
  static const Result<Curl> loaded = LoadOnce();
  if (!loaded) return loaded.error();
  return &*loaded;
}

}  // namespace plumb::host
