// SPDX-License-Identifier: MIT OR Apache-2.0
#include "weights/tensor_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace plumb::weights {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Files and indexes, as a kit may have them.
class Collection {
 public:
  Collection& Add(std::string path, const std::vector<std::string>& tensors,
                  TensorFormat format = TensorFormat::kSafetensors) {
    TensorFile header;
    header.format = format;
    for (const std::string& name : tensors)
      header.tensors.push_back({name});
    return Keep(std::move(path), std::move(header));
  }
  Collection& AddSplit(std::string path, const std::vector<std::string>& tensors,
                       const std::vector<std::string>& number_count_tensors) {
    TensorFile header;
    header.format = TensorFormat::kGguf;
    for (const std::string& name : tensors)
      header.tensors.push_back({name});
    header.metadata = {{"split.no", "u16", number_count_tensors[0]},
                       {"split.count", "u16", number_count_tensors[1]},
                       {"split.tensors.count", "i32", number_count_tensors[2]}};
    return Keep(std::move(path), std::move(header));
  }
  Collection& AddUnreadable(std::string path) {
    paths_.push_back(std::move(path));
    files_.push_back({paths_.back(), nullptr});
    return *this;
  }
  Collection& AddMap(std::string path, std::string_view json) {
    auto map = ReadWeightMap(AsBytes(json));
    EXPECT_TRUE(map) << map.error().message;
    paths_.push_back(std::move(path));
    indexes_.push_back(*std::move(map));
    maps_.push_back({paths_.back(), &indexes_.back()});
    return *this;
  }

  std::vector<TensorSet> Sets() const { return IndexTensors(files_, maps_); }
  TensorSet OnlySet() const {
    std::vector<TensorSet> sets = Sets();
    EXPECT_EQ(sets.size(), 1U);
    return std::move(sets.front());
  }

 private:
  Collection& Keep(std::string path, TensorFile header) {
    paths_.push_back(std::move(path));
    headers_.push_back(std::move(header));
    files_.push_back({paths_.back(), &headers_.back()});
    return *this;
  }

  std::deque<std::string> paths_;
  std::deque<TensorFile> headers_;
  std::deque<WeightMap> indexes_;
  std::vector<ShardFile> files_;
  std::vector<WeightMapFile> maps_;
};

std::vector<std::pair<std::string, std::size_t>> NamesOf(const TensorSet& set) {
  std::vector<std::pair<std::string, std::size_t>> names;
  for (const IndexedTensor& tensor : set.tensors)
    names.emplace_back(tensor.place->name, tensor.file);
  return names;
}

using Tensor = std::pair<std::string, std::size_t>;

TEST(WeightMapTest, SaysWhichFileHasWhich) {
  const auto map = ReadWeightMap(AsBytes(
      R"({"metadata":{"total_size":1.5e9,"x":[{"weight_map":{"no":1}}]},)"
      R"("weight_map":{"b":"w-2.safetensors","a":"w-1.safetensors","c":"w-2.safetensors"},"y":[]})"));
  ASSERT_TRUE(map) << map.error().message;
  EXPECT_THAT(map->files, ElementsAre("w-2.safetensors", "w-1.safetensors"));
  EXPECT_THAT(map->entries, ElementsAre(WeightMap::Entry{"a", 1}, WeightMap::Entry{"b", 0},
                                        WeightMap::Entry{"c", 0}));
}

TEST(WeightMapTest, IsKnownByItsName) {
  EXPECT_TRUE(IsNamedAsWeightMap("m/model.safetensors.index.json"));
  EXPECT_FALSE(IsNamedAsWeightMap("m/config.json"));
}

TEST(WeightMapTest, WhatIsNoneIsRefused) {
  const std::pair<const char*, const char*> kCases[] = {
      {"", "malformed"},
      {"[]", "no weight_map"},
      {"1", "no object"},
      {R"({"metadata":{}})", "no weight_map"},
      {R"({"metadata":{"weight_map":{"a":"b"}}})", "no weight_map"},
      {R"({"weight_map":1})", "weight_map is none"},
      {R"({"weight_map":[]})", "weight_map is none"},
      {R"({"weight_map":{},"weight_map":{}})", "two weight_maps"},
      {R"({"weight_map":{"a":1}})", "'a' is in no file"},
      {R"({"weight_map":{"a":{}}})", "'a' is in no file"},
      {R"({"weight_map":{"a":["x"]}})", "'a' is in no file"},
      {R"({"weight_map":{"a":"x","\u0061":"y"}})", "'a' comes twice"},
  };
  for (const auto& [json, words] : kCases) {
    const auto map = ReadWeightMap(AsBytes(json));
    ASSERT_FALSE(map) << json;
    EXPECT_EQ(map.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(map.error().message, HasSubstr(words)) << json;
  }
}

TEST(TensorIndexTest, AFileIsASetByItself) {
  Collection files;
  files.Add("b.safetensors", {"y", "x"}).Add("a.gguf", {"x"}, TensorFormat::kGguf);
  const std::vector<TensorSet> sets = files.Sets();
  ASSERT_EQ(sets.size(), 2U);
  EXPECT_EQ(sets[0].path, "b.safetensors");
  EXPECT_THAT(NamesOf(sets[0]), ElementsAre(Tensor("x", 0), Tensor("y", 0)));
  EXPECT_THAT(NamesOf(sets[1]), ElementsAre(Tensor("x", 1)));
  EXPECT_THAT(sets[0].faults, IsEmpty());
  EXPECT_THAT(sets[1].faults, IsEmpty());
  ASSERT_NE(sets[0].Find("y"), nullptr);
  EXPECT_EQ(sets[0].Find("y")->place->name, "y");
  EXPECT_EQ(sets[0].Find("xy"), nullptr);
  EXPECT_EQ(sets[0].Find("z"), nullptr);
}

TEST(TensorIndexTest, AnIndexMakesOneOfSeveral) {
  Collection files;
  files.Add("m/w-2.safetensors", {"c", "b"})
      .Add("m/w-1.safetensors", {"a"})
      .Add("w-1.safetensors", {"a"})
      .AddMap(
          "m/model.safetensors.index.json",
          R"({"weight_map":{"a":"w-1.safetensors","b":"w-2.safetensors","c":"w-2.safetensors"}})");
  const std::vector<TensorSet> sets = files.Sets();
  ASSERT_EQ(sets.size(), 2U);
  EXPECT_EQ(sets[0].path, "m/model.safetensors.index.json");
  EXPECT_THAT(sets[0].files, ElementsAre(1, 0));
  EXPECT_THAT(NamesOf(sets[0]), ElementsAre(Tensor("a", 1), Tensor("b", 0), Tensor("c", 0)));
  EXPECT_THAT(sets[0].faults, IsEmpty());
  EXPECT_THAT(sets[1].files, ElementsAre(2));
}

TEST(TensorIndexTest, WhatAnIndexGetsWrongIsNamed) {
  Collection files;
  files.Add("1.safetensors", {"a", "b", "both"})
      .Add("2.safetensors", {"both", "new"})
      .AddUnreadable("3.safetensors")
      .AddMap(
          "model.safetensors.index.json",
          R"({"weight_map":{"a":"1.safetensors","b":"2.safetensors","both":"2.safetensors",)"
          R"("absent":"1.safetensors","d":"3.safetensors","z":"4.safetensors","z2":"2.safetensors"}})");
  const TensorSet set = files.OnlySet();
  EXPECT_THAT(
      set.faults,
      ElementsAre("shard '4.safetensors' is missing",
                  "tensor 'absent' is not in '1.safetensors' as the index says",
                  "tensor 'b' is in '1.safetensors', and not in '2.safetensors' as the index says",
                  "tensor 'both' is in '1.safetensors' and in '2.safetensors'",
                  "tensor 'new' of '2.safetensors' is not in the index",
                  "tensor 'z2' is not in '2.safetensors' as the index says"));
  EXPECT_THAT(NamesOf(set),
              ElementsAre(Tensor("a", 0), Tensor("b", 0), Tensor("both", 1), Tensor("new", 1)));
}

TEST(TensorIndexTest, TwoIndexesDoNotShareAFile) {
  Collection files;
  files.Add("w.safetensors", {"a"})
      .AddMap("a.safetensors.index.json", R"({"weight_map":{"a":"w.safetensors"}})")
      .AddMap("b.safetensors.index.json", R"({"weight_map":{"a":"w.safetensors"}})");
  const std::vector<TensorSet> sets = files.Sets();
  ASSERT_EQ(sets.size(), 2U);
  EXPECT_THAT(sets[0].faults, IsEmpty());
  EXPECT_THAT(sets[1].faults, ElementsAre("shard 'w.safetensors' is in another index too"));
  EXPECT_THAT(sets[1].tensors, IsEmpty());
}

TEST(TensorIndexTest, NamesSayWhatASeriesIs) {
  Collection files;
  files.Add("m/w-00002-of-00002.safetensors", {"b"})
      .Add("m/w-00001-of-00002.safetensors", {"a"})
      .Add("m/w-00001-of-00001.safetensors", {"c"})
      .Add("n/w-00001-of-00002.gguf", {"d"}, TensorFormat::kGguf);
  const std::vector<TensorSet> sets = files.Sets();
  ASSERT_EQ(sets.size(), 3U);
  EXPECT_THAT(sets[0].files, ElementsAre(2));
  EXPECT_THAT(sets[1].files, ElementsAre(1, 0));
  EXPECT_THAT(NamesOf(sets[1]), ElementsAre(Tensor("a", 1), Tensor("b", 0)));
  EXPECT_THAT(sets[1].faults, IsEmpty());
  EXPECT_THAT(sets[2].faults, ElementsAre("shard 'n/w-00002-of-00002.gguf' is missing"));
}

TEST(TensorIndexTest, NamesThatAreNoSeries) {
  for (const char* name : {"w-00000-of-00002.gguf", "w-00003-of-00002.gguf", "w-1-of-00002.gguf",
                           "w00001-of-00002.gguf", "w-00001-of-.gguf", "w-0000a-of-00002.gguf",
                           "w-00001-of-00002", "-of-2.gguf", "w-1234567890-of-1234567890.gguf"}) {
    Collection files;
    EXPECT_THAT(files.Add(name, {"a"}).OnlySet().faults, IsEmpty()) << name;
  }
}

TEST(TensorIndexTest, GgufSaysWhatItsSeriesIs) {
  Collection files;
  files.AddSplit("w-1-of-2.gguf", {}, {"0", "2", "2"})
      .AddSplit("w-2-of-2.gguf", {"a", "b"}, {"1", "2", "2"});
  EXPECT_THAT(files.OnlySet().faults, IsEmpty());
}

TEST(TensorIndexTest, WhatGgufSaysOtherwiseIsNamed) {
  Collection fewer;
  fewer.AddSplit("w-1-of-2.gguf", {"a"}, {"0", "2", "3"})
      .AddSplit("w-2-of-2.gguf", {"b"}, {"1", "2", "3"});
  EXPECT_THAT(fewer.OnlySet().faults,
              ElementsAre("'w-1-of-2.gguf' says that there are 3 tensors, and there are 2"));
  Collection renamed;
  renamed.AddSplit("w-1-of-2.gguf", {"a"}, {"1", "2", "2"})
      .AddSplit("w-2-of-2.gguf", {"b"}, {"1", "3", "2"});
  EXPECT_THAT(renamed.OnlySet().faults,
              ElementsAre("'w-1-of-2.gguf' says that it is shard 1, from 0 on, of 2",
                          "'w-2-of-2.gguf' says that it is shard 1, from 0 on, of 3"));
  Collection alone;
  alone.AddSplit("w.gguf", {"a"}, {"0", "2", "2"});
  EXPECT_THAT(alone.OnlySet().faults,
              ElementsAre("'w.gguf' says that it is shard 0, from 0 on, of 2"));
  // Where a shard is missing, or could not be read, it is known why the sum is another.
  Collection missing;
  missing.AddSplit("w-1-of-2.gguf", {"a"}, {"0", "2", "2"}).AddUnreadable("w-2-of-2.gguf");
  EXPECT_THAT(missing.OnlySet().faults, IsEmpty());
}

TEST(TensorIndexTest, TwoShardsWithOneTensor) {
  Collection files;
  files.Add("w-1-of-2.gguf", {"a"}, TensorFormat::kGguf)
      .Add("w-2-of-2.gguf", {"a"}, TensorFormat::kGguf);
  const TensorSet set = files.OnlySet();
  EXPECT_THAT(set.faults, ElementsAre("tensor 'a' is in 'w-1-of-2.gguf' and in 'w-2-of-2.gguf'"));
  EXPECT_THAT(NamesOf(set), ElementsAre(Tensor("a", 0)));
}

TEST(TensorIndexTest, APathThatComesTwiceIsTwoFiles) {
  Collection files;
  files.Add("w.gguf", {"a"}).Add("w.gguf", {"a"});
  EXPECT_EQ(files.Sets().size(), 2U);
}

// A hostile name makes neither a long list nor a long wait.
TEST(TensorIndexTest, OfManyFaultsTheFirstAreSaid) {
  Collection files;
  const TensorSet set = files.Add("w-000000002-of-999999999.gguf", {"a"}).OnlySet();
  ASSERT_EQ(set.faults.size(), 9U);
  EXPECT_EQ(set.faults[1], "shard 'w-000000003-of-999999999.gguf' is missing");
  EXPECT_EQ(set.faults[8], "and 999999990 more");
}

}  // namespace
}  // namespace plumb::weights
