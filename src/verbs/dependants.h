// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_DEPENDANTS_H_
#define PLUMB_VERBS_DEPENDANTS_H_

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"
#include "store/store.h"

namespace plumb::verbs {

// Which kits of a store are based on which, as it was when this was read.
// Threads: any number at once.
class Dependants {
 public:
  // Reads every kit. One that is too damaged to say what it is based on counts as based on nothing:
  // it cannot be unpacked in any case.
  static Result<Dependants> Read(store::Store& store);

  // Those that name it as their base, not those that are based on these.
  const std::vector<Digest>& Of(const Digest& base) const;

 private:
  std::map<Digest, std::vector<Digest>> of_;
};

// For a sentence: the first tag of each, or its digest; of many some.
std::string NamesOf(const std::vector<Digest>& kits, const std::vector<store::Ref>& refs);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_DEPENDANTS_H_
