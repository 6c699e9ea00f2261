// SPDX-License-Identifier: MIT OR Apache-2.0
#include "weights/tensor_index.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "base/text.h"

namespace plumb::weights {
namespace {

// Who has more to mend looks at the files, not at a list.
constexpr std::uint64_t kFaultCountMax = 8;

std::string Quoted(std::string_view name) { return "'" + Printable(name) + "'"; }

// The first faults, and a count of the others: a hostile index could have a million.
class Faults {
 public:
  bool IsFull() const { return texts_.size() >= kFaultCountMax; }
  void Add(std::string text) {
    if (IsFull()) {
      ++more_;
    } else {
      texts_.push_back(std::move(text));
    }
  }
  void AddUnsaid(std::uint64_t count) { more_ += count; }
  std::vector<std::string> Take() && {
    if (more_ != 0) texts_.push_back("and " + std::to_string(more_) + " more");
    return std::move(texts_);
  }

 private:
  std::vector<std::string> texts_;
  std::uint64_t more_ = 0;
};

// "DIR/w-00002-of-00003.gguf".
struct SeriesName {
  std::string_view prefix;  // "DIR/w-"
  std::string_view count_text;
  std::string_view suffix;  // ".gguf"
  std::uint64_t number = 0;
  std::uint64_t count = 0;

  std::string PathOf(std::uint64_t shard) const {
    std::string digits = std::to_string(shard);
    digits.insert(0, count_text.size() - std::min(digits.size(), count_text.size()), '0');
    return std::string(prefix) + digits + "-of-" + std::string(count_text) + std::string(suffix);
  }
};

std::optional<SeriesName> SeriesNameOf(std::string_view path) {
  constexpr std::string_view kOf = "-of-";
  constexpr std::size_t kDigitsMax = 9;
  const std::size_t dot = path.rfind('.');
  const std::size_t of = path.rfind(kOf);
  if (dot == std::string_view::npos || of == std::string_view::npos || of > dot)
    return std::nullopt;
  SeriesName name;
  name.count_text = path.substr(of + kOf.size(), dot - of - kOf.size());
  name.suffix = path.substr(dot);
  const std::size_t width = name.count_text.size();
  if (width == 0 || width > kDigitsMax || of < width + 1 || path[of - width - 1] != '-')
    return std::nullopt;
  name.prefix = path.substr(0, of - width);
  const auto number = ParseUint64(path.substr(of - width, width));
  const auto count = ParseUint64(name.count_text);
  if (!number || !count || *number == 0 || *number > *count) return std::nullopt;
  name.number = *number;
  name.count = *count;
  return name;
}

// What a GGUF file says of the series it belongs to.
struct Split {
  std::uint64_t number = 0;  // from 0 on
  std::uint64_t count = 1;
  std::optional<std::uint64_t> tensor_count;  // of all shards
};

Split SplitOf(const TensorFile& header) {
  Split split;
  for (const MetadataEntry& entry : header.metadata) {
    const auto number = ParseUint64(entry.text);
    if (!number || header.format != TensorFormat::kGguf) continue;
    if (entry.name == "split.no") split.number = *number;
    if (entry.name == "split.count") split.count = *number;
    if (entry.name == "split.tensors.count") split.tensor_count = number;
  }
  return split;
}

// Makes one set.
class SetBuilder {
 public:
  SetBuilder(std::span<const ShardFile> files, std::string_view path) : files_(files) {
    set_.path = path;
  }

  Faults& faults() { return faults_; }
  void AddFile(std::size_t file) { set_.files.push_back(file); }
  // A file that an index names is not in this set; what it should hold is not asked for.
  void LackFile() { is_whole_ = false; }

  void SortFiles() {
    std::ranges::sort(set_.files, {}, [&](std::size_t file) { return files_[file].path; });
  }

  // What GGUF's headers say must fit what the names say: nothing, of a file by itself.
  void CheckSplits(const std::optional<SeriesName>& series) {
    std::uint64_t tensor_count = 0;
    std::optional<std::uint64_t> tensor_count_expected;
    for (const std::size_t file : set_.files) {
      const TensorFile* const header = files_[file].header;
      if (header == nullptr) {
        is_whole_ = false;
        continue;
      }
      const Split split = SplitOf(*header);
      tensor_count += header->tensors.size();
      if (!tensor_count_expected) tensor_count_expected = split.tensor_count;
      CheckSplit(file, split, series);
    }
    if (is_whole_ && tensor_count_expected && *tensor_count_expected != tensor_count)
      faults_.Add(Quoted(set_.path) + " says that there are " +
                  std::to_string(*tensor_count_expected) + " tensors, and there are " +
                  std::to_string(tensor_count));
  }

  // `map` is null if no index names them; `files_of_map` is for each of its files where it is.
  TensorSet Finish(const WeightMap* map,
                   std::span<const std::optional<std::size_t>> files_of_map) && {
    const std::vector<IndexedTensor> all = AllTensors();
    auto entry = map == nullptr ? nullptr : map->entries.data();
    const auto* const entry_end = map == nullptr ? nullptr : entry + map->entries.size();
    for (std::size_t begin = 0, end = 0; begin < all.size(); begin = end) {
      const std::string& name = all[begin].place->name;
      while (end < all.size() && all[end].place->name == name)
        ++end;
      const std::span<const IndexedTensor> twins = std::span(all).subspan(begin, end - begin);
      for (; entry != entry_end && entry->tensor < name; ++entry)
        AddAbsent(*entry, files_of_map);
      std::optional<std::size_t> wanted;
      if (entry != entry_end && entry->tensor == name) {
        wanted = files_of_map[entry->file];
        CheckPlace(*entry, *map, twins, wanted);
        ++entry;
      } else if (map != nullptr) {
        faults_.Add("tensor " + Quoted(name) + " of " + PathOf(twins.front()) +
                    " is not in the index");
      }
      Choose(twins, wanted);
    }
    for (; entry != entry_end; ++entry)
      AddAbsent(*entry, files_of_map);
    set_.faults = std::move(faults_).Take();
    return std::move(set_);
  }

 private:
  std::string PathOf(const IndexedTensor& tensor) const { return Quoted(files_[tensor.file].path); }

  void CheckSplit(std::size_t file, const Split& split, const std::optional<SeriesName>& series) {
    const std::uint64_t number = series ? SeriesNameOf(files_[file].path)->number - 1 : 0;
    const std::uint64_t count = series ? series->count : 1;
    // Those that no tool split need not say anything, whatever they are called.
    const bool is_silent = split.count == 1 && split.number == 0;
    if (is_silent || (split.number == number && split.count == count)) return;
    is_whole_ = false;
    faults_.Add(Quoted(files_[file].path) + " says that it is shard " +
                std::to_string(split.number) + ", from 0 on, of " + std::to_string(split.count));
  }

  // By name; of one name in the order of files.
  std::vector<IndexedTensor> AllTensors() const {
    std::vector<std::tuple<std::string_view, std::size_t, const TensorPlace*>> sorted;
    for (std::size_t rank = 0; rank < set_.files.size(); ++rank) {
      const TensorFile* const header = files_[set_.files[rank]].header;
      if (header == nullptr) continue;
      for (const TensorPlace& place : header->tensors)
        sorted.emplace_back(place.name, rank, &place);
    }
    std::ranges::sort(sorted);
    std::vector<IndexedTensor> all;
    all.reserve(sorted.size());
    for (const auto& [name, rank, place] : sorted)
      all.push_back({place, set_.files[rank]});
    return all;
  }

  void CheckPlace(const WeightMap::Entry& entry, const WeightMap& map,
                  std::span<const IndexedTensor> twins, const std::optional<std::size_t>& wanted) {
    const auto is_there = [&](const IndexedTensor& one) { return one.file == wanted; };
    if (std::ranges::any_of(twins, is_there)) return;
    faults_.Add("tensor " + Quoted(entry.tensor) + " is in " + PathOf(twins.front()) +
                ", and not in " + Quoted(map.files[entry.file]) + " as the index says");
  }

  // The index names a tensor that no file has. A file that is not there is a fault of its own.
  void AddAbsent(const WeightMap::Entry& entry,
                 std::span<const std::optional<std::size_t>> files_of_map) {
    const std::optional<std::size_t> file = files_of_map[entry.file];
    if (file && files_[*file].header != nullptr)
      faults_.Add("tensor " + Quoted(entry.tensor) + " is not in " + Quoted(files_[*file].path) +
                  " as the index says");
  }

  void Choose(std::span<const IndexedTensor> twins, const std::optional<std::size_t>& wanted) {
    if (twins.size() > 1)
      faults_.Add("tensor " + Quoted(twins[0].place->name) + " is in " + PathOf(twins[0]) +
                  " and in " + PathOf(twins[1]));
    const auto chosen =
        std::ranges::find_if(twins, [&](const IndexedTensor& one) { return one.file == wanted; });
    set_.tensors.push_back(chosen == twins.end() ? twins.front() : *chosen);
  }

  const std::span<const ShardFile> files_;
  TensorSet set_;
  Faults faults_;
  bool is_whole_ = true;  // no shard is missing, and none could not be read
};

// Puts files into sets, each once.
class Grouping {
 public:
  explicit Grouping(std::span<const ShardFile> files) : files_(files), is_taken_(files.size()) {
    for (std::size_t i = 0; i < files.size(); ++i)
      by_path_.try_emplace(files[i].path, i);
  }

  void AddMap(const WeightMapFile& index) {
    const WeightMap& map = *index.map;
    const std::string directory(index.path.substr(0, index.path.rfind('/') + 1));
    SetBuilder builder(files_, index.path);
    std::vector<std::optional<std::size_t>> files_of_map(map.files.size());
    for (std::size_t i = 0; i < map.files.size(); ++i) {
      const auto found = by_path_.find(directory + map.files[i]);
      if (found == by_path_.end()) {
        builder.faults().Add("shard " + Quoted(directory + map.files[i]) + " is missing");
      } else if (is_taken_[found->second]) {
        builder.faults().Add("shard " + Quoted(found->first) + " is in another index too");
      } else {
        is_taken_[found->second] = true;
        files_of_map[i] = found->second;
        builder.AddFile(found->second);
      }
    }
    builder.SortFiles();
    sets_.push_back(std::move(builder).Finish(&map, files_of_map));
  }

  // Those that no index names.
  void AddOthers() {
    std::map<std::tuple<std::string_view, std::string_view, std::string_view>,
             std::vector<std::pair<SeriesName, std::size_t>>>
        series;
    for (const auto& [path, file] : by_path_) {
      const auto name = SeriesNameOf(path);
      if (is_taken_[file] || !name) continue;
      is_taken_[file] = true;
      series[{name->prefix, name->count_text, name->suffix}].emplace_back(*name, file);
    }
    for (const auto& [key, shards] : series)
      AddSeries(shards);
    for (std::size_t file = 0; file < files_.size(); ++file) {
      if (is_taken_[file]) continue;
      SetBuilder builder(files_, files_[file].path);
      builder.AddFile(file);
      builder.CheckSplits(std::nullopt);
      sets_.push_back(std::move(builder).Finish(nullptr, {}));
    }
  }

  std::vector<TensorSet> Take() && { return std::move(sets_); }

 private:
  // In order of paths, which is that of their numbers: all are equally long.
  void AddSeries(const std::vector<std::pair<SeriesName, std::size_t>>& shards) {
    const SeriesName& first = shards.front().first;
    SetBuilder builder(files_, files_[shards.front().second].path);
    std::uint64_t next = 1;
    for (const auto& [name, file] : shards) {
      AddMissing(builder, first, next, name.number);
      next = name.number + 1;
      builder.AddFile(file);
    }
    AddMissing(builder, first, next, first.count + 1);
    builder.CheckSplits(first);
    sets_.push_back(std::move(builder).Finish(nullptr, {}));
  }

  // Of a series of 999999999 shards all but one may be.
  static void AddMissing(SetBuilder& builder, const SeriesName& name, std::uint64_t begin,
                         std::uint64_t end) {
    if (begin < end) builder.LackFile();
    for (; begin < end && !builder.faults().IsFull(); ++begin)
      builder.faults().Add("shard " + Quoted(name.PathOf(begin)) + " is missing");
    builder.faults().AddUnsaid(end - begin);
  }

  const std::span<const ShardFile> files_;
  std::vector<bool> is_taken_;
  std::map<std::string_view, std::size_t> by_path_;
  std::vector<TensorSet> sets_;
};

}  // namespace

const IndexedTensor* TensorSet::Find(std::string_view name) const {
  const auto name_of = [](const IndexedTensor& tensor) -> std::string_view {
    return tensor.place->name;
  };
  const auto found = std::ranges::lower_bound(tensors, name, {}, name_of);
  return found == tensors.end() || found->place->name != name ? nullptr : &*found;
}

std::vector<TensorSet> IndexTensors(std::span<const ShardFile> files,
                                    std::span<const WeightMapFile> maps) {
  Grouping grouping(files);
  for (const WeightMapFile& map : maps)
    grouping.AddMap(map);
  grouping.AddOthers();
  return std::move(grouping).Take();
}

}  // namespace plumb::weights
