// SPDX-License-Identifier: MIT OR Apache-2.0
#include <yaml.h>

#include <map>
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

class TreeBuilder {
 public:
  explicit TreeBuilder(const Source& source) : source_(source) {
    PLUMB_CHECK(yaml_parser_initialize(&parser_) == 1);
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_,
                                 reinterpret_cast<const unsigned char*>(source.Text().data()),
                                 source.Text().size());
  }
  ~TreeBuilder() { yaml_parser_delete(&parser_); }
  TreeBuilder(const TreeBuilder&) = delete;
  TreeBuilder& operator=(const TreeBuilder&) = delete;

  Result<YamlDocument> Build(YamlDialect dialect) {
    PLUMB_RETURN_IF_ERROR(Expect(YAML_STREAM_START_EVENT));
    Event start;
    PLUMB_RETURN_IF_ERROR(Next(start));
    if (start->type == YAML_STREAM_END_EVENT) return source_.ErrorAt(0, "nothing is written here");
    const yaml_version_directive_t* version = start->data.document_start.version_directive;
    PLUMB_RETURN_IF_ERROR(CheckTagPrefixes(*start));
    if (dialect == YamlDialect::kYamlV3 && version != nullptr && version->minor != 1)
      return source_.ErrorAt(0, "YAML of a version other than 1.1");
    PLUMB_RETURN_IF_ERROR(ReadNodes());
    PLUMB_RETURN_IF_ERROR(Expect(YAML_DOCUMENT_END_EVENT));
    if (dialect == YamlDialect::kYaml12) {
      Event end;
      PLUMB_RETURN_IF_ERROR(Next(end));
      if (end->type != YAML_STREAM_END_EVENT)
        return ErrorAt(end->start_mark.index, "a second YAML document begins here");
    }
    return std::move(document_);
  }

 private:
  Error ErrorAt(std::size_t position, std::string_view problem,
                ErrorKind kind = ErrorKind::kInvalid) const {
    return source_.ErrorAt(ByteOffset(source_.Text(), position), problem, kind);
  }

  Status Next(Event& event) {
    if (yaml_parser_parse(&parser_, event.Get()) == 1) return Done{};
    PLUMB_CHECK(parser_.error != YAML_MEMORY_ERROR);
    const std::string problem = parser_.problem == nullptr ? "not YAML" : parser_.problem;
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
        node.tag = ScalarTag(event, node.text);
        break;
      case YAML_SEQUENCE_START_EVENT:
        anchor = event.data.sequence_start.anchor;
        node.kind = YamlKind::kSequence;
        node.tag = ShortTag(event.data.sequence_start.tag);
        break;
      case YAML_MAPPING_START_EVENT:
        anchor = event.data.mapping_start.anchor;
        node.kind = YamlKind::kMapping;
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

  const Source& source_;
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
  return TreeBuilder(source).Build(dialect);
}

}  // namespace plumb::blueprint
