// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tlog/note.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace plumb::tlog {
namespace {

constexpr std::string_view kLineStart = "\u2014 ";
constexpr std::size_t kKeyIdSize = 4;
constexpr std::size_t kKeyIdDigits = 2 * kKeyIdSize;
constexpr std::size_t kTimeSize = 8;
constexpr std::uint64_t kTimeMax = std::uint64_t{1} << 63U;  // below this (tlog-cosignature)
constexpr std::size_t kEd25519KeySize = 32;
constexpr std::size_t kMlDsa44KeySize = 1312;
constexpr std::size_t kVerifierKeySizeMax = 4096;

Error NotANote(const char* why) {
  return Error{ErrorKind::kInvalid, std::string("that is no signed note: ") + why};
}
Error NotAKey(std::string_view vkey, const char* why) {
  return Error{ErrorKind::kInvalid,
               "'" + Printable(vkey.substr(0, 160)) + "' is no key of notes: " + why,
               "a key is NAME+ID+KEY: C2SP signed-note, \"Verifier keys\""};
}

bool IsSpace(char32_t c) {
  return c == U' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
         c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

void AppendBigEndian(std::string& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i-- > 0;)
    out.push_back(static_cast<char>(value >> (8 * i) & 0xffU));
}
std::uint64_t BigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes)
    value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

std::uint32_t KeyIdOf(NoteKeyType type, std::string_view name, std::string_view key_bytes) {
  std::string named(name);
  named.push_back('\n');
  named.push_back(static_cast<char>(type));
  named.append(key_bytes);
  const Digest digest = Sha256(AsBytes(named));
  return static_cast<std::uint32_t>(BigEndian(AsText(digest.bytes).substr(0, kKeyIdSize)));
}

// What a witness signs (tlog-cosignature, "Ed25519 signed message").
std::string CosignedMessage(std::string_view text, std::uint64_t time) {
  return "cosignature/v1\ntime " + std::to_string(time) + "\n" + std::string(text);
}

std::string BytesOf(const Ed25519Key::Signature& signature) {
  return std::string(AsText(signature));
}

Result<NoteSignature> ParseLine(std::string_view line) {
  if (!line.starts_with(kLineStart)) return NotANote("a line of signatures is none");
  line.remove_prefix(kLineStart.size());
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return NotANote("a signature has no name");
  const std::string_view name = line.substr(0, space);
  if (!IsNoteKeyName(name)) return NotANote("a key cannot be called so");
  const auto bytes = DecodeBase64(line.substr(space + 1));
  if (!bytes || bytes->size() <= kKeyIdSize) return NotANote("a signature is not base64 of one");
  return NoteSignature{std::string(name),
                       static_cast<std::uint32_t>(BigEndian(bytes->substr(0, kKeyIdSize))),
                       bytes->substr(kKeyIdSize)};
}

Status CheckText(std::string_view text) {
  if (text.size() > kNoteSizeMax)
    return Error{ErrorKind::kExhausted, "a signed note is longer than 256 KiB"};
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; };
  if (std::ranges::any_of(text, is_control)) return NotANote("it has control characters");
  if (!IsUtf8(text)) return NotANote("it is not UTF-8");
  return Done{};
}

}  // namespace

bool IsNoteKeyName(std::string_view name) {
  if (name.empty()) return false;
  while (!name.empty()) {
    const auto c = TakeCodePoint(name);
    if (!c || *c < 0x20 || *c == U'+' || IsSpace(*c)) return false;
  }
  return true;
}

Result<std::vector<NoteSignature>> ParseSignatureLines(std::string_view lines) {
  PLUMB_RETURN_IF_ERROR(CheckText(lines));
  std::vector<NoteSignature> signatures;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    if (end == std::string_view::npos) return NotANote("its last line has no end");
    if (signatures.size() == kNoteSignaturesMax)
      return Error{ErrorKind::kExhausted, "a signed note has more than 64 signatures"};
    PLUMB_TRY(NoteSignature signature, ParseLine(lines.substr(0, end)));
    signatures.push_back(std::move(signature));
    lines.remove_prefix(end + 1);
  }
  return signatures;
}

Result<Note> Note::Parse(std::string_view text) {
  PLUMB_RETURN_IF_ERROR(CheckText(text));
  const std::size_t split = text.rfind("\n\n");
  if (split == std::string_view::npos) return NotANote("no line between text and signatures");
  Note note;
  note.text = text.substr(0, split + 1);
  PLUMB_TRY(note.signatures, ParseSignatureLines(text.substr(split + 2)));
  if (note.signatures.empty()) return NotANote("nobody signed it");
  return note;
}

std::string ToLine(const NoteSignature& signature) {
  std::string bytes;
  AppendBigEndian(bytes, signature.key_id, kKeyIdSize);
  bytes += signature.bytes;
  return std::string(kLineStart) + signature.name + " " + EncodeBase64(AsBytes(bytes)) + "\n";
}

std::string Note::ToString() const {
  PLUMB_CHECK(text.ends_with('\n'));
  std::string all = text + "\n";
  for (const NoteSignature& signature : signatures)
    all += ToLine(signature);
  return all;
}

VerifierKey::VerifierKey(NoteKeyType type, std::string name, std::string key_bytes)
    : type_(type),
      name_(std::move(name)),
      id_(KeyIdOf(type, name_, key_bytes)),
      key_bytes_(std::move(key_bytes)) {}

Result<VerifierKey> VerifierKey::Parse(std::string_view vkey) {
  if (vkey.size() > kVerifierKeySizeMax) return NotAKey(vkey, "it is too long");
  const std::size_t first = vkey.find('+');
  if (first == std::string_view::npos || vkey.size() < first + 1 + kKeyIdDigits + 1 ||
      vkey[first + 1 + kKeyIdDigits] != '+')
    return NotAKey(vkey, "it has no three parts");
  const std::string_view name = vkey.substr(0, first);
  if (!IsNoteKeyName(name)) return NotAKey(vkey, "nothing can be called so");
  std::array<std::byte, kKeyIdSize> id = {};
  if (!DecodeHex(vkey.substr(first + 1, kKeyIdDigits), id)) return NotAKey(vkey, "its id is none");
  const auto bytes = DecodeBase64(vkey.substr(first + 1 + kKeyIdDigits + 1));
  if (!bytes || bytes->empty()) return NotAKey(vkey, "the key is not base64");

  const auto type = static_cast<NoteKeyType>(bytes->front());
  const bool is_ed25519 = type == NoteKeyType::kEd25519 || type == NoteKeyType::kCosignature;
  if (!is_ed25519 && type != NoteKeyType::kMlDsa44)
    return Error{ErrorKind::kUnsupported,
                 "the key of '" + Printable(name) + "' is of a type that is not known here"};
  if (bytes->size() != 1 + (is_ed25519 ? kEd25519KeySize : kMlDsa44KeySize))
    return NotAKey(vkey, "the key has another size");
  VerifierKey key(type, std::string(name), bytes->substr(1));
  if (key.id_ != BigEndian(AsText(id))) return NotAKey(vkey, "its id is another's");
  if (is_ed25519) {
    PLUMB_TRY(key.key_, PublicKey::FromEd25519(AsBytes(key.key_bytes_)));
  }
  return key;
}

VerifierKey VerifierKey::Of(NoteKeyType type, std::string name, const Ed25519Key& key) {
  PLUMB_CHECK(type != NoteKeyType::kMlDsa44 && IsNoteKeyName(name));
  VerifierKey made(type, std::move(name), std::string(AsText(key.public_bytes())));
  auto parsed = PublicKey::FromEd25519(key.public_bytes());
  PLUMB_CHECK(parsed);
  made.key_ = *std::move(parsed);
  return made;
}

std::string VerifierKey::ToString() const {
  std::string id;
  AppendBigEndian(id, id_, kKeyIdSize);
  return name_ + "+" + EncodeHex(AsBytes(id)) + "+" +
         EncodeBase64(AsBytes(static_cast<char>(type_) + key_bytes_));
}

Result<std::uint64_t> VerifierKey::Verify(std::string_view text, std::string_view signature) const {
  const auto by_this = [&](const Status& verified) -> Status {
    if (verified) return Done{};
    return Error{ErrorKind::kDenied, "the signature of '" + Printable(name_) + "' is none"};
  };
  if (type_ == NoteKeyType::kMlDsa44)
    return Error{ErrorKind::kUnsupported, "signatures by ML-DSA are not verified"};
  if (type_ == NoteKeyType::kEd25519) {
    PLUMB_RETURN_IF_ERROR(by_this(key_->VerifyEd25519(AsBytes(text), AsBytes(signature))));
    return 0U;
  }
  if (signature.size() < kTimeSize) return by_this(Error{ErrorKind::kDenied, ""}).error();
  const std::uint64_t time = BigEndian(signature.substr(0, kTimeSize));
  if (time >= kTimeMax) return by_this(Error{ErrorKind::kDenied, ""}).error();
  PLUMB_RETURN_IF_ERROR(by_this(key_->VerifyEd25519(AsBytes(CosignedMessage(text, time)),
                                                    AsBytes(signature.substr(kTimeSize)))));
  return time;
}

Result<std::vector<VerifiedSignature>> VerifySignatures(const Note& note,
                                                        std::span<const VerifierKey> keys) {
  std::vector<std::optional<std::uint64_t>> times(keys.size());
  for (const NoteSignature& signature : note.signatures) {
    // Keys may share name and id: one of them it must be.
    Status denied = Done{};
    bool is_verified = false;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!keys[i].IsOf(signature) || keys[i].type() == NoteKeyType::kMlDsa44) continue;
      const auto time = keys[i].Verify(note.text, signature.bytes);
      if (!time) {
        denied = time.error();
        continue;
      }
      is_verified = true;
      times[i] = std::max(times[i].value_or(0), *time);
    }
    if (!denied && !is_verified) return denied.error();
  }
  std::vector<VerifiedSignature> verified;
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (times[i]) verified.push_back({i, *times[i]});
  if (verified.empty()) return Error{ErrorKind::kDenied, "no key that is known here signed it"};
  return verified;
}

NoteSignature SignNote(const std::string& name, const Ed25519Key& key, std::string_view text) {
  const VerifierKey verifier = VerifierKey::Of(NoteKeyType::kEd25519, name, key);
  return {name, verifier.id(), BytesOf(key.Sign(AsBytes(text)))};
}

NoteSignature Cosign(const std::string& name, const Ed25519Key& key, std::string_view text,
                     std::uint64_t time) {
  PLUMB_CHECK(time < kTimeMax);
  const VerifierKey verifier = VerifierKey::Of(NoteKeyType::kCosignature, name, key);
  std::string bytes;
  AppendBigEndian(bytes, time, kTimeSize);
  bytes += BytesOf(key.Sign(AsBytes(CosignedMessage(text, time))));
  return {name, verifier.id(), std::move(bytes)};
}

}  // namespace plumb::tlog
