// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_VERBS_VERIFY_H_
#define PLUMB_VERBS_VERIFY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "verbs/place.h"
#include "verbs/workspace.h"

namespace plumb::verbs {

enum class BuildAgain : std::uint8_t { kNo, kYes };

struct VerifyOptions {
  std::string kit;
  BuildAgain build_again = BuildAgain::kNo;
  NetworkOptions network = {};  // for bases that are not here, if it is built again
};

// What came of looking at one thing. kAbsent: there is nothing of the kind to look at. kUnknown: it
// could not be looked at, and nothing speaks against it.
enum class Verdict : std::uint8_t { kYes, kNo, kAbsent, kUnknown };

struct Check {
  std::string name;  // "digests", "bases", "rebuild"
  Verdict verdict = Verdict::kUnknown;
  std::vector<std::string> reasons;  // at least one
  // Of a check that was asked for and is kUnknown: what stood in its way.
  std::optional<ErrorKind> obstacle = std::nullopt;
};

struct VerifyReport {
  Digest id;
  std::vector<Check> checks;

  // The first that is kNo, or null.
  const Check* Failure() const;
  // The first with an obstacle, or null.
  const Check* Unanswered() const;
};

// Looks at a kit of this store, and says of each thing what was found (docs/threat-model.md):
// every blob is read and hashed; each base is, if it is here; with kYes the kit is built again
// from its own files (kit::Rebuild), and its id compared. What it finds wanting is in the report
// and no failure; kNotFound if there is no such kit.
Result<VerifyReport> Verify(Workspace& workspace, const VerifyOptions& options, Progress& progress);

}  // namespace plumb::verbs

#endif  // PLUMB_VERBS_VERIFY_H_
