// SPDX-License-Identifier: MIT OR Apache-2.0
#include <yaml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/text.h"
#include "blueprint/yaml_internal.h"

namespace plumb::blueprint {
namespace {

constexpr std::size_t kTagPrefixSizeMax = 256;
constexpr std::size_t kTagLinesMax = 100;

std::string Text(const yaml_char_t* text) {
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

// "!!int" for "tag:yaml.org,2002:int"; "" for the tag "!", which says nothing.
std::string ShortTag(const yaml_char_t* written) {
  constexpr std::string_view kPrefix = "tag:yaml.org,2002:";
  std::string tag = Text(written);
  if (tag.starts_with(kPrefix)) return "!!" + tag.substr(kPrefix.size());
  if (tag == "!") tag.clear();
  return tag;
}

std::string ScalarTag(const yaml_event_t& event, std::string_view text) {
  std::string tag = ShortTag(event.data.scalar.tag);
  if (!tag.empty()) return tag;
  if (event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return std::string(kTagString);
  if (text == "<<") return std::string(kTagMerge);
  const Result<YamlScalar> resolved = ResolveScalar("", text);
  PLUMB_CHECK(resolved.has_value());
  return std::string(resolved->tag);
}

class Event {
 public:
  Event() = default;
  ~Event() { yaml_event_delete(&event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  yaml_event_t* Get() { return &event_; }
  const yaml_event_t* operator->() const { return &event_; }
  const yaml_event_t& operator*() const { return event_; }

 private:
  yaml_event_t event_ = {};
};

// Byte offsets of positions that are mostly asked for in ascending order: then it is one walk
// through the text.
class Offsets {
 public:
  explicit Offsets(std::string_view text) : text_(text) {}

  std::size_t At(std::size_t code_points) {
    if (code_points < code_points_) offset_ = code_points_ = 0;
    offset_ += ByteOffset(text_.substr(offset_), code_points - code_points_);
    code_points_ = code_points;
    return offset_;
  }

 private:
  std::string_view text_;
  std::size_t code_points_ = 0;
  std::size_t offset_ = 0;
};

class TreeBuilder {
 public:
  // `input` is the source's text, in which `colon` may stand for some of its colons.
  TreeBuilder(const Source& source, YamlDialect dialect, std::string_view input, char32_t colon)
      : source_(source), dialect_(dialect), offsets_(source.Text()) {
    AppendUtf8(colon_, colon);
    PLUMB_CHECK(yaml_parser_initialize(&parser_) == 1);
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(input.data()),
                                 input.size());
  }
  ~TreeBuilder() { yaml_parser_delete(&parser_); }
  TreeBuilder(const TreeBuilder&) = delete;
  TreeBuilder& operator=(const TreeBuilder&) = delete;

  // Where libyaml stopped at a ':' that yaml.v3 takes for a part of a text, in code points.
  std::optional<std::size_t> refused_colon() const { return refused_colon_; }

  Result<YamlDocument> Build() {
    PLUMB_RETURN_IF_ERROR(Expect(YAML_STREAM_START_EVENT));
    Event start;
    PLUMB_RETURN_IF_ERROR(Next(start));
    if (start->type == YAML_STREAM_END_EVENT) return source_.ErrorAt(0, "nothing is written here");
    const yaml_version_directive_t* version = start->data.document_start.version_directive;
    PLUMB_RETURN_IF_ERROR(CheckTagPrefixes(*start));
    if (dialect_ == YamlDialect::kYamlV3 && version != nullptr && version->minor != 1)
      return source_.ErrorAt(0, "YAML of a version other than 1.1");
    PLUMB_RETURN_IF_ERROR(ReadNodes());
    Event end;
    PLUMB_RETURN_IF_ERROR(Next(end));
    PLUMB_CHECK(end->type == YAML_DOCUMENT_END_EVENT);
    PLUMB_RETURN_IF_ERROR(dialect_ == YamlDialect::kYaml12
                              ? CheckIsLast()
                              : CheckYamlV3Ahead(end->data.document_end.implicit != 0));
    return std::move(document_);
  }

 private:
  Error ErrorAt(std::size_t position, std::string_view problem,
                ErrorKind kind = ErrorKind::kInvalid) const {
    return source_.ErrorAt(ByteOffset(source_.Text(), position), problem, kind);
  }

  Status Next(Event& event) {
    if (yaml_parser_parse(&parser_, event.Get()) == 1) return Done{};
    return ParserError();
  }

  Error ParserError() {
    PLUMB_CHECK(parser_.error != YAML_MEMORY_ERROR);
    const std::string problem = parser_.problem == nullptr ? "not YAML" : parser_.problem;
    if (problem == "found unexpected ':'") refused_colon_ = parser_.problem_mark.index;
    if (parser_.error == YAML_READER_ERROR)
      return source_.ErrorAt(std::min(parser_.problem_offset, source_.Text().size()), problem);
    const std::string context =
        parser_.context == nullptr ? "" : " " + std::string(parser_.context);
    return ErrorAt(parser_.problem_mark.index, problem + context);
  }

  Status Expect(yaml_event_type_t type) {
    Event event;
    PLUMB_RETURN_IF_ERROR(Next(event));
    PLUMB_CHECK(event->type == type);
    return Done{};
  }

  // libyaml writes the prefix out for each tag that uses it.
  Status CheckTagPrefixes(const yaml_event_t& start) const {
    const auto& directives = start.data.document_start.tag_directives;
    for (const yaml_tag_directive_t* tag = directives.start; tag != directives.end; ++tag)
      if (Text(tag->prefix).size() > kTagPrefixSizeMax)
        return source_.ErrorAt(0, "a %TAG with a prefix of more than 256 bytes",
                               ErrorKind::kExhausted);
    return Done{};
  }

  // The root and all beneath it.
  Status ReadNodes() {
    do {
      Event event;
      PLUMB_RETURN_IF_ERROR(Next(event));
      if (event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT) {
        open_.pop_back();
        if (flow_depth_ > 0) --flow_depth_;
        continue;
      }
      PLUMB_RETURN_IF_ERROR(Add(*event));
    } while (!open_.empty());
    return Done{};
  }

  Status Add(const yaml_event_t& event) {
    const std::size_t id = document_.nodes.size();
    const std::size_t position = event.start_mark.index;
    if (id == kYamlNodesMax)
      return ErrorAt(position, "more than 100000 values", ErrorKind::kExhausted);
    YamlNode node;
    node.position = position;
    const yaml_char_t* anchor = nullptr;
    switch (event.type) {
      case YAML_SCALAR_EVENT:
        anchor = event.data.scalar.anchor;
        node.text.assign(reinterpret_cast<const char*>(event.data.scalar.value),
                         event.data.scalar.length);
        if (dialect_ == YamlDialect::kYamlV3) {
          PLUMB_RETURN_IF_ERROR(CheckYamlV3Scalar(event));
          // Only there are colons replaced; an escape in quotes may mean the same character.
          if (event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE) RestoreColons(node.text);
        }
        node.tag = ScalarTag(event, node.text);
        break;
      case YAML_SEQUENCE_START_EVENT:
        anchor = event.data.sequence_start.anchor;
        node.kind = YamlKind::kSequence;
        if (event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE) ++flow_depth_;
        node.tag = ShortTag(event.data.sequence_start.tag);
        break;
      case YAML_MAPPING_START_EVENT:
        anchor = event.data.mapping_start.anchor;
        node.kind = YamlKind::kMapping;
        if (event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE) ++flow_depth_;
        node.tag = ShortTag(event.data.mapping_start.tag);
        break;
      default:
        PLUMB_CHECK(event.type == YAML_ALIAS_EVENT);
        node.kind = YamlKind::kAlias;
        node.text = Text(event.data.alias.anchor);
        const auto found = anchors_.find(node.text);
        if (found == anchors_.end())
          return ErrorAt(position, "no anchor '&" + Printable(node.text) + "' before this");
        node.target = found->second;
    }
    if (anchor != nullptr) anchors_[Text(anchor)] = id;
    if (!open_.empty()) document_.nodes[open_.back()].children.push_back(id);
    const bool opens = node.kind == YamlKind::kSequence || node.kind == YamlKind::kMapping;
    document_.nodes.push_back(std::move(node));
    if (!opens) return Done{};
    if (open_.size() == kYamlDepthMax)
      return ErrorAt(position, "more than 64 levels deep", ErrorKind::kExhausted);
    open_.push_back(id);
    return Done{};
  }

  Status CheckIsLast() {
    Event end;
    PLUMB_RETURN_IF_ERROR(Next(end));
    if (end->type == YAML_STREAM_END_EVENT) return Done{};
    return ErrorAt(end->start_mark.index, "a second YAML document begins here");
  }

  // yaml.v3 does not look at further documents, but has scanned two tokens more than it needs.
  Status CheckYamlV3Ahead(bool next_token_is_the_end) {
    const int token_count = next_token_is_the_end ? 3 : 2;
    bool is_over = false;
    for (int i = 0; i < token_count && !is_over; ++i) {
      yaml_token_t token;
      if (yaml_parser_scan(&parser_, &token) != 1) return ParserError();
      is_over = token.type == YAML_STREAM_END_TOKEN || token.type == YAML_NO_TOKEN;
      yaml_token_delete(&token);
    }
    return Done{};
  }

  void RestoreColons(std::string& text) const {
    for (std::size_t at = 0; (at = text.find(colon_, at)) != std::string::npos; ++at)
      text.replace(at, colon_.size(), ":");
  }

  // Where yaml.v3, made of an older libyaml, does not read what libyaml does.
  Status CheckYamlV3Scalar(const yaml_event_t& event) {
    const std::size_t begin = offsets_.At(event.start_mark.index);
    const std::size_t end = offsets_.At(event.end_mark.index);
    const std::string_view text = source_.Text();
    const bool is_plain_in_flow =
        event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && flow_depth_ > 0;
    const bool is_quoted = event.data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    if (event.data.scalar.tag != nullptr && TagEndsAtComma(text.substr(begin)))
      return source_.ErrorAt(begin, "a ',' right behind a tag belongs to it, for kit 1.7");
    for (std::size_t i = begin; i < end; ++i) {
      const bool escapes = is_quoted && text[i] == '\\';
      if (escapes) ++i;
      if (escapes && text[i] == '/') return source_.ErrorAt(i - 1, "'\\/' is no escape to kit 1.7");
      if (is_plain_in_flow && text[i] == '?')
        return source_.ErrorAt(i, "kit 1.7 reads no '?' in {} and [] but in quotes");
    }
    return Done{};
  }

  // Of a text that begins with a tag, or with an anchor and a tag.
  static bool TagEndsAtComma(std::string_view text) {
    if (text.starts_with('&')) {
      text.remove_prefix(std::min(text.find_first_of(" \t\r\n"), text.size()));
      text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    }
    const std::size_t end = text.find_first_of(" \t\r\n,");
    return text.starts_with('!') && !text.starts_with("!<") && end != std::string_view::npos &&
           text[end] == ',';
  }

  const Source& source_;
  const YamlDialect dialect_;
  std::string colon_;
  std::optional<std::size_t> refused_colon_;
  Offsets offsets_;
  std::size_t flow_depth_ = 0;  // of { and [ around
  yaml_parser_t parser_ = {};
  YamlDocument document_;
  std::vector<std::size_t> open_;  // the sequences and mappings that have not ended
  std::map<std::string, std::size_t> anchors_;
};

// libyaml passes over a byte order mark at the beginning of any line, and then takes the line
// to be indented by it.
Status CheckNoInnerMark(const Source& source) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  const std::string_view text = source.Text();
  for (std::size_t at = text.find(kMark); at != std::string_view::npos;
       at = text.find(kMark, at + 1)) {
    if (at == 0 || text[at - 1] == '\n' || text[at - 1] == '\r')
      return source.ErrorAt(at, "a byte order mark after the beginning of the file");
  }
  return Done{};
}

// libyaml compares each %TAG with all before it.
Status CheckTagLines(const Source& source) {
  constexpr std::string_view kTag = "%TAG";
  const std::string_view text = source.Text();
  std::size_t count = 0;
  for (std::size_t at = text.find(kTag); at != std::string_view::npos;
       at = text.find(kTag, at + 1)) {
    const bool begins_line = at == 0 || text[at - 1] == '\n' || text[at - 1] == '\r';
    if (begins_line && ++count > kTagLinesMax)
      return source.ErrorAt(at, "more than 100 lines that begin with %TAG", ErrorKind::kExhausted);
  }
  return Done{};
}

// So many texts of one file may have a ':' before one of ",[]{}".
constexpr int kHiddenColonsMax = 64;

char32_t FirstPrivateNotIn(std::string_view text) {
  for (char32_t c = 0xE000;; ++c) {
    std::string utf8;
    AppendUtf8(utf8, c);
    if (text.find(utf8) == std::string_view::npos) return c;
  }
}

// In {} and [], "a:" before one of ",[]{}" is a text to yaml.v3 and an error to libyaml: there,
// another character stands for the colon while libyaml reads.
Result<YamlDocument> ParseYamlV3(const Source& source) {
  const char32_t colon = FirstPrivateNotIn(source.Text());
  std::string replacement;
  AppendUtf8(replacement, colon);
  std::string input(source.Text());
  for (int i = 0;; ++i) {
    TreeBuilder builder(source, YamlDialect::kYamlV3, input, colon);
    Result<YamlDocument> document = builder.Build();
    const std::optional<std::size_t> refused_colon = builder.refused_colon();
    if (document || !refused_colon || i == kHiddenColonsMax) return document;
    input.replace(ByteOffset(input, *refused_colon), 1, replacement);
  }
}

}  // namespace

std::size_t ByteOffset(std::string_view text, std::size_t code_points) {
  std::size_t offset = 0;
  for (; offset < text.size(); ++offset) {
    const bool begins = (static_cast<unsigned char>(text[offset]) & 0xc0) != 0x80;
    if (begins && code_points-- == 0) break;
  }
  return offset;
}

Result<YamlDocument> ParseYaml(const Source& source, YamlDialect dialect) {
  PLUMB_RETURN_IF_ERROR(CheckNoInnerMark(source));
  PLUMB_RETURN_IF_ERROR(CheckTagLines(source));
  if (dialect == YamlDialect::kYamlV3) return ParseYamlV3(source);
  return TreeBuilder(source, dialect, source.Text(), 0).Build();
}

}  // namespace plumb::blueprint
