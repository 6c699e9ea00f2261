// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/progress.h"

namespace plumb {
namespace {

class SilentTask final : public ProgressTask {
 public:
  void Advance(std::uint64_t /*bytes*/) override {}
};

}  // namespace

std::unique_ptr<ProgressTask> SilentProgress::Begin(std::string_view /*name*/,
                                                    std::uint64_t /*bytes_expected*/) {
  return std::make_unique<SilentTask>();
}
void SilentProgress::Warn(std::string_view /*text*/) {}
void SilentProgress::Note(std::string_view /*text*/) {}

Error Interrupted() { return Error{ErrorKind::kInterrupted, "stopped on request"}; }

}  // namespace plumb
