// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_TLOG_NOTE_H_
#define PLUMB_TLOG_NOTE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/ed25519_key.h"
#include "crypto/public_key.h"

// Text that keys have signed (C2SP signed-note), and cosignatures of witnesses (C2SP
// tlog-cosignature).
// Trust: everything that is parsed may come from an enemy. Threads: any number at once.
namespace plumb::tlog {

// With the signatures. A checkpoint has some hundred bytes, a signature of ML-DSA five thousand.
inline constexpr std::size_t kNoteSizeMax = std::size_t{256} << 10;
inline constexpr std::size_t kNoteSignaturesMax = 64;  // each known one costs a verification

// What a signature is; the first byte of a key in its text form.
enum class NoteKeyType : std::uint8_t {
  kEd25519 = 0x01,      // of a log
  kCosignature = 0x04,  // of a witness: Ed25519, with a time
  kMlDsa44 = 0x06,      // known by name only: what it signed counts as by an unknown key
};

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  std::string bytes;

  friend bool operator==(const NoteSignature&, const NoteSignature&) = default;
};

struct Note {
  std::string text;  // to its last newline, which it must have
  std::vector<NoteSignature> signatures;

  // kInvalid unless it is one, with at least one signature; kExhausted over a limit above. Nothing
  // is verified. The text is kept as it came.
  static Result<Note> Parse(std::string_view text);
  std::string ToString() const;

  friend bool operator==(const Note&, const Note&) = default;
};
// A line of a note, with its newline: what witnesses answer with, too.
std::string ToLine(const NoteSignature& signature);
// All lines, of which there may be none. Errors as of Note::Parse.
Result<std::vector<NoteSignature>> ParseSignatureLines(std::string_view lines);

// Whether keys and witnesses may be called so: not empty, UTF-8, no spaces of Unicode, no control
// characters, no plus.
bool IsNoteKeyName(std::string_view name);

// A key that others sign notes with. Its text form is NAME+ID+KEY ("Verifier keys").
class VerifierKey {
 public:
  // kUnsupported for a type that is none of NoteKeyType, kInvalid for all else that is no key, also
  // if the id is not the one of name and key.
  static Result<VerifierKey> Parse(std::string_view vkey);
  // Requires a name that may be one. For kEd25519 and kCosignature.
  static VerifierKey Of(NoteKeyType type, std::string name, const Ed25519Key& key);
  std::string ToString() const;

  NoteKeyType type() const { return type_; }
  const std::string& name() const { return name_; }
  std::uint32_t id() const { return id_; }
  // As others write it, without the type.
  const std::string& key_bytes() const { return key_bytes_; }

  bool IsOf(const NoteSignature& signature) const {
    return signature.key_id == id_ && signature.name == name_;
  }
  // When it was signed, in seconds since 1970: 0 where signatures have no time. kDenied if it is
  // not this key's signature of `text`; kUnsupported for kMlDsa44.
  Result<std::uint64_t> Verify(std::string_view text, std::string_view signature) const;

 private:
  VerifierKey(NoteKeyType type, std::string name, std::string key_bytes);

  NoteKeyType type_;
  std::string name_;
  std::uint32_t id_;
  std::string key_bytes_;
  std::optional<PublicKey> key_;
};

struct VerifiedSignature {
  std::size_t key = 0;     // which one of those that were given
  std::uint64_t time = 0;  // as of VerifierKey::Verify

  friend bool operator==(const VerifiedSignature&, const VerifiedSignature&) = default;
};
// The signatures of these keys, in the order of keys, one each: the newest. Those of others are
// passed over. kDenied if one of these keys' does not verify, whatever else does, or if there is
// none.
Result<std::vector<VerifiedSignature>> VerifySignatures(const Note& note,
                                                        std::span<const VerifierKey> keys);

// A key of one's own. What it signs must be `text` of a note; of a cosignature it is a
// checkpoint's.
NoteSignature SignNote(const std::string& name, const Ed25519Key& key, std::string_view text);
NoteSignature Cosign(const std::string& name, const Ed25519Key& key, std::string_view text,
                     std::uint64_t time);

}  // namespace plumb::tlog

#endif  // PLUMB_TLOG_NOTE_H_
