// SPDX-License-Identifier: MIT OR Apache-2.0
// Signed notes and the checkpoints in them. What is accepted has one spelling.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "tlog/checkpoint.h"
#include "tlog/note.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace plumb::tlog;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto key = VerifierKey::Parse(text)) {
    PLUMB_CHECK(key->ToString() == text);
    PLUMB_CHECK(IsNoteKeyName(key->name()));
    PLUMB_CHECK(!key->Verify("text\n", text));
  }
  const auto note = Note::Parse(text);
  if (!note) {
    PLUMB_CHECK(!note.error().message.empty());
    return 0;
  }
  PLUMB_CHECK(note->ToString() == text);
  PLUMB_CHECK(!note->signatures.empty() && note->signatures.size() <= kNoteSignaturesMax);
  if (const auto checkpoint = Checkpoint::Parse(note->text)) {
    PLUMB_CHECK(checkpoint->ToString() == note->text);
    PLUMB_CHECK(checkpoint->head.size <= kTreeSizeMax);
  }
  return 0;
}
