// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "archive/tar_reader.h"
#include "base/text.h"

namespace plumb::archive {
namespace {

// Letters first, first + step … last, whose folded form is `distance` further on.
struct Run {
  char32_t first;
  char32_t last;
  char32_t step;
  int distance;
};
constexpr Run kRuns[] = {
    {0xC0, 0xD6, 1, 32},     {0xD8, 0xDE, 1, 32},     {0x100, 0x12E, 2, 1},
    {0x132, 0x136, 2, 1},    {0x139, 0x147, 2, 1},    {0x14A, 0x176, 2, 1},
    {0x179, 0x17D, 2, 1},    {0x1A0, 0x1A4, 2, 1},    {0x1CB, 0x1DB, 2, 1},
    {0x1DE, 0x1EE, 2, 1},    {0x1F8, 0x21E, 2, 1},    {0x222, 0x232, 2, 1},
    {0x246, 0x24E, 2, 1},    {0x388, 0x38A, 1, 37},   {0x391, 0x3A1, 1, 32},
    {0x3A3, 0x3AB, 1, 32},   {0x3D8, 0x3EE, 2, 1},    {0x3FD, 0x3FF, 1, -130},
    {0x400, 0x40F, 1, 80},   {0x410, 0x42F, 1, 32},   {0x460, 0x480, 2, 1},
    {0x48A, 0x4BE, 2, 1},    {0x4C1, 0x4CD, 2, 1},    {0x4D0, 0x52E, 2, 1},
    {0x1E00, 0x1E94, 2, 1},  {0x1EA0, 0x1EFE, 2, 1},  {0x1F08, 0x1F0F, 1, -8},
    {0x1F18, 0x1F1D, 1, -8}, {0x1F28, 0x1F2F, 1, -8}, {0x1F38, 0x1F3F, 1, -8},
    {0x1F48, 0x1F4D, 1, -8}, {0x1F59, 0x1F5F, 2, -8}, {0x1F68, 0x1F6F, 1, -8},
    {0x1F88, 0x1F8F, 1, -8}, {0x1F98, 0x1F9F, 1, -8}, {0x1FA8, 0x1FAF, 1, -8},
};
// The others: a letter, then its folded form.
constexpr std::u16string_view kPairs =
    u"µμŸÿſsƁɓƂƃƄƅƆɔƇƈƉɖƊɗƋƌƎǝƏəƐɛƑƒƓɠƔɣƖɩƗɨƘƙƜɯƝɲƟɵƦʀƧƨƩʃƬƭƮʈƯưƱʊƲʋƳƴƵƶƷʒƸƹƼƽ"
    u"ǄǆǅǆǇǉǈǉǊǌǱǳǲǳǴǵǶƕǷƿȠƞȺⱥȻȼȽƚȾⱦɁɂɃƀɄʉɅʌ\u0340\u0300\u0341\u0301\u0343\u0313ͰͱͲͳ\u0374ʹͶͷ\u037E"
    u"\u003BͿϳΆά\u0387\u00B7ΌόΎύΏώςσϏϗϐβ"
    u"ϑθϕφϖπϰκϱρϴθϵεϷϸϹϲϺϻӀӏẛṡẞß\u1F71ά\u1F73έ\u1F75ή\u1F77ί\u1F79ό\u1F7Bύ\u1F7DώᾸᾰᾹᾱᾺὰ\u1FBBάᾼᾳ"
    u"\u1FBEιῈὲ\u1FC9έῊὴ\u1FCBήῌῃ\u1FD3ΐῘῐῙῑῚὶ\u1FDBί"
    u"\u1FE3ΰῨῠῩῡῪὺ\u1FEBύῬῥ\u1FEE\u0385\u1FEF\u0060Ὸὸ\u1FF9όῺὼ\u1FFBώῼῳ\u1FFD\u00B4\u2126ω\u212Ak"
    u"\u212Bå";
// Letters with a mark: the letter, then the one without it, which may have others.
struct Marked {
  char32_t mark;
  std::u16string_view pairs;
};
constexpr Marked kMarked[] = {
    {0x300,
     u"àaèeìiòoùuǜüǹnѐеѝиḕēṑōẁwầâằăềêồôờơừưỳyἂἀἃἁἒἐἓἑἢἠἣἡἲἰἳἱὂὀὃὁὒὐὓὑὢὠὣὡὰαὲεὴη"
     u"ὶιὸοὺυὼωῒϊῢϋ"},
    {0x301,
     u"áaéeíióoúuýyćcĺlńnŕrśsźzǘüǵgǻåǽæǿø\u0344\u0308ΐϊάαέεήηίιΰϋόούυώωϓϒѓгќкḉçḗēḯïḱkḿmṍõ"
     u"ṓōṕpṹũẃwấâắăếêốôớơứưἄἀἅἁἔἐἕἑἤἠἥἡἴἰἵἱὄὀὅὁὔὐὕὑὤὠὥὡ"},
    {0x302, u"âaêeîiôoûuĉcĝgĥhĵjŝsŵwŷyẑzậạệẹộọ"},
    {0x303, u"ãañnõoĩiũuṽvẫâẵăẽeễêỗôỡơữưỹy"},
    {0x304, u"āaēeīiōoūuǖüǟäǡȧǣæǭǫȫöȭõȱȯȳyӣиӯуḡgḹḷṝṛᾱαῑιῡυ"},
    {0x306, u"ăaĕeğgĭiŏoŭuйиўуӂжӑаӗеḝȩặạᾰαῐιῠυ"},
    {0x307, u"ċcėeġgżzȧaȯoḃbḋdḟfḣhṁmṅnṗpṙrṡsṥśṧšṩṣṫtẇwẋxẏyİi"},
    {0x308, u"äaëeïiöoüuÿyϊιϋυϔϒёеїіӓаӛәӝжӟзӥиӧоӫөӭэӱуӵчӹыḧhṏõṻūẅwẍxẗt"},
    {0x309, u"ảaẩâẳăẻeểêỉiỏoổôởơủuửưỷy"},
    {0x30A, u"åaůuẘwẙy"},
    {0x30B, u"őoűuӳу"},
    {0x30C, u"čcďděeľlňnřršsťtžzǎaǐiǒoǔuǚüǧgǩkǯʒǰjȟh"},
    {0x30F, u"ȁaȅeȉiȍoȑrȕuѷѵ"},
    {0x311, u"ȃaȇeȋiȏoȓrȗu"},
    {0x313, u"ἀαἐεἠηἰιὀοὐυὠωῤρ"},
    {0x314, u"ἁαἑεἡηἱιὁοὑυὡωῥρ"},
    {0x31B, u"ơoưu"},
    {0x323, u"ḅbḍdḥhḳkḷlṃmṇnṛrṣsṭtṿvẉwẓzạaẹeịiọoợơụuựưỵy"},
    {0x324, u"ṳu"},
    {0x325, u"ḁa"},
    {0x326, u"șsțt"},
    {0x327, u"çcģgķkļlņnŗrşsţtȩeḑdḩh"},
    {0x328, u"ąaęeįiųuǫo"},
    {0x32D, u"ḓdḙeḽlṋnṱtṷu"},
    {0x32E, u"ḫh"},
    {0x330, u"ḛeḭiṵu"},
    {0x331, u"ḇbḏdḵkḻlṉnṟrṯtẕzẖh"},
    {0x342, u"ἆἀἇἁἦἠἧἡἶἰἷἱὖὐὗὑὦὠὧὡᾶαῆηῖιῗϊῦυῧϋῶω"},
    {0x345, u"ᾀἀᾁἁᾂἂᾃἃᾄἄᾅἅᾆἆᾇἇᾐἠᾑἡᾒἢᾓἣᾔἤᾕἥᾖἦᾗἧᾠὠᾡὡᾢὢᾣὣᾤὤᾥὥᾦὦᾧὧᾲὰᾳαᾴάᾷᾶῂὴῃηῄήῇῆῲὼῳωῴώῷῶ"},
};
// The order in which marks on one letter are written (canonical combining class), from each
// up to the next.
struct MarkClass {
  char32_t first;
  int order;
};
constexpr MarkClass kMarkClasses[] = {{0x300, 230}, {0x315, 232}, {0x316, 220}, {0x31A, 232},
                                      {0x31B, 216}, {0x31C, 220}, {0x321, 202}, {0x323, 220},
                                      {0x327, 202}, {0x329, 220}, {0x334, 1},   {0x339, 220},
                                      {0x33D, 230}, {0x345, 240}, {0x346, 0}};
constexpr char32_t kIotaBelow = 0x345;
constexpr char32_t kIota = 0x3B9;
constexpr char32_t kSharpS = 0xDF;

int OrderOf(char32_t c) {
  int order = 0;
  for (const MarkClass& from : kMarkClasses)
    if (c >= from.first) order = from.order;
  return order;
}

char32_t SecondOf(std::u16string_view pairs, char32_t first) {
  for (std::size_t i = 0; i < pairs.size(); i += 2)
    if (pairs[i] == first) return pairs[i + 1];
  return 0;
}

char32_t Folded(char32_t c) {
  for (const Run& run : kRuns)
    if (c >= run.first && c <= run.last && (c - run.first) % run.step == 0)
      return static_cast<char32_t>(static_cast<int>(c) + run.distance);
  const char32_t found = SecondOf(kPairs, c);
  return found == 0 ? c : found;
}

// Appends the letter that `c` folds to, and its marks.
void AppendFolded(std::u32string& out, char32_t c) {
  if (c < 0x80) {
    out += c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    return;
  }
  char32_t letter = Folded(c);
  if (letter == kSharpS) {
    out += U"ss";
    return;
  }
  std::u32string marks;  // the outermost first
  for (const Marked* found = kMarked; found != std::end(kMarked);) {
    const char32_t bare = SecondOf(found->pairs, letter);
    if (bare == 0) {
      ++found;
      continue;
    }
    letter = bare;
    marks += found->mark;
    found = kMarked;
  }
  out += letter;
  out.append(marks.rbegin(), marks.rend());
}

// By their order, and equal ones as they stand.
void SortMarks(std::span<char32_t> marks) {
  constexpr std::uint64_t kCodePointMask = 0xFFFFFF;
  std::vector<std::uint64_t> keys;
  keys.reserve(marks.size());
  for (std::size_t i = 0; i < marks.size(); ++i)
    keys.push_back(static_cast<std::uint64_t>(OrderOf(marks[i])) << 56U | i << 24U | marks[i]);
  std::ranges::sort(keys);
  for (std::size_t i = 0; i < marks.size(); ++i)
    marks[i] = static_cast<char32_t>(keys[i] & kCodePointMask);
}

}  // namespace

std::string NameFold(std::string_view name) {
  std::u32string letters;
  while (!name.empty())
    AppendFolded(letters, TakeCodePoint(name).value_or(0xFFFD));
  for (auto mark = letters.begin(); mark != letters.end();) {
    const auto is_no_mark = [](char32_t c) { return OrderOf(c) == 0; };
    const auto end = std::find_if(mark, letters.end(), is_no_mark);
    SortMarks({mark, end});
    mark = end == letters.end() ? end : end + 1;
  }
  std::string folded;
  for (const char32_t c : letters)
    AppendUtf8(folded, c == kIotaBelow ? kIota : c);
  return folded;
}

}  // namespace plumb::archive
