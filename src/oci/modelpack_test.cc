// SPDX-License-Identifier: MIT OR Apache-2.0
#include "oci/modelpack.h"

#include <gtest/gtest.h>

#include "oci/media_types.h"

namespace plumb::oci {
namespace {

const std::string kDiffId = "sha256:" + std::string(64, '1');
const std::string kModelFs = R"("modelfs":{"type":"layers","diffIds":[")" + kDiffId + R"("]})";

std::string Config(const std::string& descriptor, const std::string& technical = "") {
  return R"({"descriptor":{)" + descriptor + R"(},"config":{)" + technical + "}," + kModelFs + "}";
}

// The example of model-spec, docs/config.md, with every member there is.
TEST(ModelPackConfigTest, ReadsAllOfTheSpecificationAndWritesItInItsOrder) {
  const auto config = ModelPackConfig::Parse(Config(
      R"("createdAt":"2025-01-01T00:00:00Z","title":"T","authors":["xyz@xyz.com"],"vendor":"X",)"
      R"("family":"xyz3","name":"xyz-3-8B","version":"3.1","description":"d","docURL":"u",)"
      R"("sourceURL":"s","datasetsURL":["a"],"revision":"1","licenses":["Apache-2.0"])",
      R"("architecture":"transformer","format":"pt","paramSize":"8b","precision":"float16",)"
      R"("quantization":"gptq","capabilities":{"languages":["en","zh"],"inputTypes":["text"],)"
      R"("outputTypes":["text","image"],"knowledgeCutoff":"2024-05-21T00:00:00.5+01:00",)"
      R"("reasoning":true,"toolUsage":false,"reward":false,"embedding":true})"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->Descriptor("family"), "xyz3");
  EXPECT_EQ(config->Technical("paramSize"), "8b");
  EXPECT_EQ(config->Technical("capabilities"), "");
  ASSERT_EQ(config->diff_ids.size(), 1U);
  EXPECT_EQ(WriteModelPackConfig(*config),
            R"({"descriptor":{"createdAt":"2025-01-01T00:00:00Z","authors":["xyz@xyz.com"],)"
            R"("family":"xyz3","name":"xyz-3-8B","docURL":"u","sourceURL":"s","datasetsURL":["a"],)"
            R"("version":"3.1","revision":"1","vendor":"X","licenses":["Apache-2.0"],"title":"T",)"
            R"("description":"d"},)" +
                kModelFs +
                R"(,"config":{"architecture":"transformer","format":"pt","paramSize":"8b",)"
                R"("precision":"float16","quantization":"gptq","capabilities":{)"
                R"("inputTypes":["text"],"outputTypes":["text","image"],)"
                R"("knowledgeCutoff":"2024-05-21T00:00:00.5+01:00","reasoning":true,)"
                R"("toolUsage":false,"embedding":true,"reward":false,"languages":["en","zh"]}}})");
}

// To the byte what Go writes of the types of model-spec 0.0.1, 0.0.3 and 0.0.6.
TEST(ModelPackConfigTest, ReadsTheNamesOfTheCnaiDays) {
  const std::string model_fs = R"("modelfs":{"type":"layers","diff_ids":[")" + kDiffId + R"("]})";
  const std::string descriptor =
      R"({"descriptor":{"createdAt":"2025-03-01T08:00:00.5+08:00","name":"m"},)" + model_fs +
      R"(,"config":)";
  const auto read = [](const std::string& bytes) {
    return ModelPackConfig::Parse(bytes, ModelPackNames::kCnai);
  };
  const auto first = read(descriptor + R"({"parameterSize":8000000000,"puantization":"gptq"}})");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->diff_ids, std::vector{*Digest::Parse(kDiffId)});
  EXPECT_EQ(first->Technical("paramSize"), "8000000000");
  EXPECT_EQ(first->Technical("quantization"), "gptq");
  const auto third = read(descriptor + R"({"paramSize":"8b","puantization":"awq"}})");
  ASSERT_TRUE(third) << third.error().message;
  EXPECT_EQ(third->Technical("quantization"), "awq");
  const auto sixth = read(descriptor + R"({"capabilities":{"input_types":["text"],)"
                                       R"("output_types":["embedding"],)"
                                       R"("knowledge_cutoff":"2024-05-21T00:00:00Z",)"
                                       R"("reasoning":true,"tool_usage":false}}})");
  ASSERT_TRUE(sixth) << sixth.error().message;
  EXPECT_EQ(WriteJson(*sixth->technical.Find("capabilities"), JsonStyle::kCompact),
            R"({"inputTypes":["text"],"outputTypes":["embedding"],)"
            R"("knowledgeCutoff":"2024-05-21T00:00:00Z","reasoning":true,"toolUsage":false})");
  // Those of today were read there, too.
  EXPECT_TRUE(read(Config("", R"("quantization":"gptq")")));

  for (const std::string& bad :
       {descriptor + R"({"parameterSize":"8b","paramSize":"8b"}})",
        descriptor + R"({"parameterSize":true}})",
        R"({"descriptor":{},"modelfs":{"type":"layers","diffIds":[")" + kDiffId +
            R"("],"diff_ids":[")" + kDiffId + R"("]},"config":{}})"})
    EXPECT_EQ(read(bad).error().kind, ErrorKind::kInvalid) << bad;
  // The media type decides: of later ones no older name is taken.
  const auto today = ModelPackConfig::Parse(descriptor + "{}}");
  ASSERT_FALSE(today);
  EXPECT_EQ(today.error().kind, ErrorKind::kInvalid);
}

TEST(ModelPackConfigTest, RefusesWhatTheSchemaRefuses) {
  const std::string capable = R"("capabilities":{)";
  for (const std::string& bad : std::vector<std::string>{
           "[]",
           "{}",
           R"({"descriptor":{},"config":{}})",
           R"({"descriptor":{},"config":{},"modelfs":{"type":"layers","diffIds":[]}})",
           R"({"descriptor":{},"config":{},"modelfs":{"type":"layers"}})",
           R"({"descriptor":{},"config":{},"modelfs":{"type":"x","diffIds":[")" + kDiffId +
               R"("]}})",
           R"({"descriptor":{},"config":{},"modelfs":{"type":"layers","diffIds":[1]}})",
           R"({"descriptor":{},"config":{},"modelfs":{"type":"layers","x":1,"diffIds":[")" +
               kDiffId + R"("]}})",
           R"({"descriptor":{},"config":{},"more":1,)" + kModelFs + "}",
           R"({"descriptor":{},"config":[],)" + kModelFs + "}",
           Config(R"("Name":"x")"),
           Config(R"("name":"")"),
           Config(R"("name":1)"),
           Config(R"("authors":"x")"),
           Config(R"("authors":[1])"),
           Config(R"("createdAt":"yesterday")"),
           Config(R"("createdAt":"2025-01-01T00:00:00")"),
           Config(R"("createdAt":"2025-01-01T00:00:00.Z")"),
           Config(R"("createdAt":"2025-01-01T00:00:00+0100")"),
           Config(R"("createdAt":"9999-99-99T99:99:99Z")"),
           Config(R"("createdAt":"2025-00-01T00:00:00Z")"),
           Config(R"("createdAt":"2025-02-29T00:00:00Z")"),
           Config(R"("createdAt":"2025-01-01T24:00:00Z")"),
           Config(R"("createdAt":"2025-01-01T00:60:00Z")"),
           Config(R"("createdAt":"2025-01-01T00:00:00+24:00")"),
           Config(R"("createdAt":"2025-01-01T00:00:00+01:60")"),
           Config("", R"("layers":1)"),
           Config("", R"("format":null)"),
           Config("", capable + R"("inputTypes":["smell"]})"),
           Config("", capable + R"("languages":["eng"]})"),
           Config("", capable + R"("reasoning":"yes"})"),
           Config("", capable + R"("wings":true})"),
       }) {
    const auto config = ModelPackConfig::Parse(bad);
    ASSERT_FALSE(config) << bad;
    EXPECT_EQ(config.error().kind, ErrorKind::kInvalid) << bad << config.error().message;
  }
  const auto other = ModelPackConfig::Parse(
      R"({"descriptor":{},"config":{},"modelfs":{"type":"layers","diffIds":["sha512:)" +
      std::string(128, '1') + R"("]}})");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kUnsupported) << other.error().message;
}

TEST(ModelPackConfigTest, TakesTheDaysThereAre) {
  for (const char* good :
       {"2024-02-29T23:59:59Z", "2000-02-29T00:00:00Z", "2025-12-31T00:00:00.123456789-23:59"})
    EXPECT_TRUE(ModelPackConfig::Parse(Config(R"("createdAt":")" + std::string(good) + '"')))
        << good;
}

TEST(ModelPackConfigTest, HasLimits) {
  const auto large =
      ModelPackConfig::Parse(Config(R"("title":")" + std::string(5 << 20, 'x') + '"'));
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().kind, ErrorKind::kExhausted);
}

TEST(ModelPackManifest, SaysWhatItIs) {
  const Descriptor config = {"c", *Digest::Parse(kDiffId), 1};
  EXPECT_EQ(
      WriteModelPackManifest(config, {}, "{<}"),
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
      R"("artifactType":"application/vnd.cncf.model.manifest.v1+json","config":{"mediaType":"c",)"
      R"("digest":")" +
          kDiffId + R"(","size":1},"layers":[],"annotations":{"plumb.kitfile":"{\u003c}"}})");
}

TEST(FileAnnotationsTest, AreThoseOfModctl) {
  const Annotations written = WriteFileAnnotations("a/b.sh", 0755, 7);
  ASSERT_EQ(written.size(), 2U);
  EXPECT_EQ(written[0].second, R"({"name":"b.sh","mode":493,"uid":0,"gid":0,"size":7,)"
                               R"("mtime":"1970-01-01T00:00:00Z","typeflag":0})");
  const auto read = ParseFileAnnotations(written);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->path, "a/b.sh");
  EXPECT_EQ(read->mode, 0755U);
  EXPECT_EQ(read->size, 7U);
  const auto older = ParseFileAnnotations({{"org.cnai.model.filepath", "x"}});
  ASSERT_TRUE(older);
  EXPECT_EQ(older->path, "x");
  EXPECT_EQ(older->size, std::nullopt);
}

TEST(FileAnnotationsTest, RefusesWhatIsNone) {
  const std::string key(kFileMetadataAnnotation);
  for (const char* bad :
       {"x", "[]", R"({"mode":-1})", R"({"size":"7"})", R"({"mode":1,"mode":2})"}) {
    const auto read = ParseFileAnnotations({{key, bad}});
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().kind, ErrorKind::kInvalid);
  }
  const std::string large = R"({"name":")" + std::string(1 << 16, 'x') + R"("})";
  EXPECT_EQ(ParseFileAnnotations({{key, large}}).error().kind, ErrorKind::kExhausted);
  // Setuid and its like never come out of an annotation.
  EXPECT_EQ(ParseFileAnnotations({{key, R"({"mode":2541})"}})->mode, 0755U);
}

}  // namespace
}  // namespace plumb::oci
