// SPDX-License-Identifier: MIT OR Apache-2.0
// Proofs that come with a file. What is accepted has one spelling, and shows nothing that a log did
// not sign.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "tlog/log_proof.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb::tlog;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto proof = LogProof::Parse(text);
  if (!proof) {
    PLUMB_CHECK(!proof.error().message.empty());
    return 0;
  }
  PLUMB_CHECK(proof->ToString() == text);
  PLUMB_CHECK(proof->inclusion.size() <= kProofHashesMax);
  const auto nobody = Policy::Parse("quorum none\n");
  PLUMB_CHECK(nobody && !VerifyLogProof(*proof, EmptyRoot(), *nobody));
  return 0;
}
