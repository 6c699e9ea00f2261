// SPDX-License-Identifier: MIT OR Apache-2.0
#include <optional>
#include <string>
#include <string_view>

#include "archive/tar_reader.h"
#include "base/text.h"

namespace plumb::archive {
namespace {

constexpr std::size_t kNameSizeMax = 4096;
constexpr std::size_t kPartSizeMax = 255;

Error Refused(std::string_view name, std::string_view why) {
  return Error{ErrorKind::kDenied,
               "the name '" + Printable(name) + "' is refused: " + std::string(why)};
}

// Letters with a mark, as base letter and mark; U+00C0 to U+017F, 0 where there is none. A
// mark is an index into kMarks.
constexpr char32_t kMarks[] = {0,     0x300, 0x301, 0x302, 0x303, 0x308, 0x30A,
                               0x327, 0x304, 0x306, 0x328, 0x307, 0x30C, 0x30B};
struct Decomposed {
  char32_t letter;
  char base;
  unsigned mark;
};
// Lower case only: names are lower-cased first.
constexpr Decomposed kDecomposed[] = {
    {0xE0, 'a', 1},  {0xE1, 'a', 2},   {0xE2, 'a', 3},   {0xE3, 'a', 4},   {0xE4, 'a', 5},
    {0xE5, 'a', 6},  {0xE7, 'c', 7},   {0xE8, 'e', 1},   {0xE9, 'e', 2},   {0xEA, 'e', 3},
    {0xEB, 'e', 5},  {0xEC, 'i', 1},   {0xED, 'i', 2},   {0xEE, 'i', 3},   {0xEF, 'i', 5},
    {0xF1, 'n', 4},  {0xF2, 'o', 1},   {0xF3, 'o', 2},   {0xF4, 'o', 3},   {0xF5, 'o', 4},
    {0xF6, 'o', 5},  {0xF9, 'u', 1},   {0xFA, 'u', 2},   {0xFB, 'u', 3},   {0xFC, 'u', 5},
    {0xFD, 'y', 2},  {0xFF, 'y', 5},   {0x101, 'a', 8},  {0x103, 'a', 9},  {0x105, 'a', 10},
    {0x107, 'c', 2}, {0x109, 'c', 3},  {0x10B, 'c', 11}, {0x10D, 'c', 12}, {0x10F, 'd', 12},
    {0x113, 'e', 8}, {0x115, 'e', 9},  {0x117, 'e', 11}, {0x119, 'e', 10}, {0x11B, 'e', 12},
    {0x11D, 'g', 3}, {0x11F, 'g', 9},  {0x121, 'g', 11}, {0x123, 'g', 7},  {0x125, 'h', 3},
    {0x129, 'i', 4}, {0x12B, 'i', 8},  {0x12D, 'i', 9},  {0x12F, 'i', 10}, {0x135, 'j', 3},
    {0x137, 'k', 7}, {0x13A, 'l', 2},  {0x13C, 'l', 7},  {0x13E, 'l', 12}, {0x144, 'n', 2},
    {0x146, 'n', 7}, {0x148, 'n', 12}, {0x14D, 'o', 8},  {0x14F, 'o', 9},  {0x151, 'o', 13},
    {0x155, 'r', 2}, {0x157, 'r', 7},  {0x159, 'r', 12}, {0x15B, 's', 2},  {0x15D, 's', 3},
    {0x15F, 's', 7}, {0x161, 's', 12}, {0x163, 't', 7},  {0x165, 't', 12}, {0x169, 'u', 4},
    {0x16B, 'u', 8}, {0x16D, 'u', 9},  {0x16F, 'u', 6},  {0x171, 'u', 13}, {0x173, 'u', 10},
    {0x175, 'w', 3}, {0x177, 'y', 3},  {0x17A, 'z', 2},  {0x17C, 'z', 11}, {0x17E, 'z', 12}};

// Simple lower case of Latin, Greek and Cyrillic letters.
char32_t Lower(char32_t c) {
  if (c >= 'A' && c <= 'Z') return c + 32;
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 32;
  if (c == 0x130) return 'i';
  if (c == 0x178) return 0xFF;
  const bool is_even_pair = (c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177);
  if (is_even_pair && c % 2 == 0) return c + 1;
  const bool is_odd_pair = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
  if (is_odd_pair && c % 2 == 1) return c + 1;
  if (c >= 0x391 && c <= 0x3AB && c != 0x3A2) return c + 32;
  if (c == 0x3C2) return 0x3C3;  // final sigma
  if (c >= 0x410 && c <= 0x42F) return c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  return c;
}

}  // namespace

Result<std::string> CheckEntryName(std::string_view name) {
  const std::string_view whole = name;
  if (name.starts_with("./")) name.remove_prefix(2);
  if (name.ends_with('/')) name.remove_suffix(1);
  if (name.empty()) return Refused(whole, "it is empty");
  if (name.size() > kNameSizeMax) return Refused(whole.substr(0, 64), "it is too long");
  if (name.starts_with('/')) return Refused(whole, "it is absolute");
  if (name.find('\0') != std::string_view::npos) return Refused(whole, "it holds a NUL");
  if (!IsUtf8(name)) return Refused(whole, "it is not UTF-8");
  for (const std::string_view part : Split(name, '/')) {
    if (part.empty()) return Refused(whole, "a part of it is empty");
    if (part == "." || part == "..") return Refused(whole, "it leads elsewhere");
    if (part.size() > kPartSizeMax) return Refused(whole.substr(0, 64), "a part is too long");
  }
  return std::string(name);
}

std::string NameFold(std::string_view name) {
  std::string folded;
  while (!name.empty()) {
    const auto taken = TakeCodePoint(name);
    const char32_t letter = Lower(taken.value_or(0xFFFD));
    const Decomposed* found = nullptr;
    for (const Decomposed& entry : kDecomposed)
      if (entry.letter == letter) found = &entry;
    if (found != nullptr) {
      folded.push_back(found->base);
      AppendUtf8(folded, kMarks[found->mark]);
    } else {
      AppendUtf8(folded, letter);
    }
  }
  return folded;
}

}  // namespace plumb::archive
