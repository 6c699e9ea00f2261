// SPDX-License-Identifier: MIT OR Apache-2.0
#include "oci/media_types.h"

#include <gtest/gtest.h>

namespace plumb::oci {
namespace {

constexpr LayerType kTypes[] = {LayerType::kModel,   LayerType::kModelPart, LayerType::kCode,
                                LayerType::kDataset, LayerType::kDocs,      LayerType::kPrompt};
constexpr LayerEncoding kEncodings[] = {LayerEncoding::kTar,     LayerEncoding::kTarGzip,
                                        LayerEncoding::kTarZstd, LayerEncoding::kRaw,
                                        LayerEncoding::kRawGzip, LayerEncoding::kRawZstd};

TEST(MediaTypes, AreThoseOfTheSpecification) {
  EXPECT_EQ((LayerMediaType{LayerType::kModel, LayerEncoding::kTar}.ToString()),
            "application/vnd.kitops.modelkit.model.v1.tar");
  EXPECT_EQ((LayerMediaType{LayerType::kModelPart, LayerEncoding::kTarGzip}.ToString()),
            "application/vnd.kitops.modelkit.modelpart.v1.tar+gzip");
  EXPECT_EQ((LayerMediaType{LayerType::kCode, LayerEncoding::kTarZstd}.ToString()),
            "application/vnd.kitops.modelkit.code.v1.tar+zstd");
  EXPECT_EQ(LayerTypeName(LayerType::kDataset), "dataset");
  EXPECT_EQ(LayerTypeName(LayerType::kDocs), "docs");
}

TEST(MediaTypes, RoundTrip) {
  for (const LayerType type : kTypes) {
    for (const LayerEncoding encoding : kEncodings) {
      for (const KitFormat format : {KitFormat::kModelKit, KitFormat::kModelPack}) {
        const LayerMediaType media_type{type, encoding, format};
        const auto parsed = LayerMediaType::Parse(media_type.ToString(),
                                                  type == LayerType::kPrompt ? kPromptSubtype : "");
        const bool is_compressed_file = IsRaw(encoding) && encoding != LayerEncoding::kRaw;
        if (format == KitFormat::kModelPack && is_compressed_file) {
          EXPECT_FALSE(parsed) << media_type.ToString();  // model-spec has no name for it
          continue;
        }
        ASSERT_TRUE(parsed) << media_type.ToString();
        EXPECT_EQ(*parsed, media_type);
      }
    }
  }
}

TEST(MediaTypes, OfModelPacksAndBundles) {
  const auto shown = [](std::string_view text) {
    const auto parsed = LayerMediaType::Parse(text);
    return parsed ? std::string(LayerTypeName(parsed->type)) : parsed.error().message;
  };
  EXPECT_EQ(shown("application/vnd.cncf.model.weight.v1.raw"), "model");
  EXPECT_EQ(shown("application/vnd.cncf.model.weight.config.v1.tar+zstd"), "modelpart");
  EXPECT_EQ(shown("application/vnd.cncf.model.doc.v1.tar"), "docs");
  EXPECT_EQ(shown("application/vnd.cnai.model.weight.v1.tar"), "model");
  EXPECT_EQ(shown("application/vnd.kitops.modelkit.mcpb.v1.raw"), "mcpserver");
  EXPECT_EQ((LayerMediaType{LayerType::kModelPart, LayerEncoding::kRaw, KitFormat::kModelPack}
                 .ToString()),
            "application/vnd.cncf.model.weight.config.v1.raw");
  EXPECT_EQ((LayerMediaType{LayerType::kMcpServer, LayerEncoding::kRaw}.ToString()),
            "application/vnd.kitops.modelkit.mcpb.v1.raw");
}

TEST(MediaTypes, ASubtypeIsForCodeOnly) {
  const auto prompt =
      LayerMediaType::Parse("application/vnd.kitops.modelkit.code.v1.tar", "prompt");
  const auto docs = LayerMediaType::Parse("application/vnd.kitops.modelkit.docs.v1.tar", "prompt");
  const auto other = LayerMediaType::Parse("application/vnd.kitops.modelkit.code.v1.tar", "x");
  ASSERT_TRUE(prompt && docs && other);
  EXPECT_EQ(prompt->type, LayerType::kPrompt);
  EXPECT_EQ(docs->type, LayerType::kDocs);
  EXPECT_EQ(other->type, LayerType::kCode);
}

TEST(MediaTypes, ReadsTheOlderOnes) {
  const auto parsed = LayerMediaType::Parse("application/vnd.jozu.model.content.v1.tar+gzip");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, (LayerMediaType{LayerType::kModel, LayerEncoding::kTarGzip}));
  EXPECT_EQ(*FormatOfConfig(kJozuConfigMediaType), KitFormat::kModelKit);
  EXPECT_EQ(*FormatOfConfig(kModelKitConfigMediaType), KitFormat::kModelKit);
  EXPECT_EQ(*FormatOfConfig(kModelPackConfigMediaType), KitFormat::kModelPack);
  EXPECT_EQ(*FormatOfConfig(kCnaiConfigMediaType), KitFormat::kModelPack);
  for (const auto bad : {"application/vnd.oci.image.config.v1+json", ""})
    EXPECT_EQ(FormatOfConfig(bad).error().kind, ErrorKind::kUnsupported);
}

TEST(MediaTypes, RefusesAllOthersByName) {
  for (const auto bad :
       {"", "application/vnd.kitops.modelkit.model.v1.raw+",
        "application/vnd.kitops.modelkit.mcpb.v1.tar", "application/vnd.kitops.modelkit.v1.raw",
        "application/vnd.cncf.model.weight.v1.raw+gzip", "application/vnd.cncf.model..v1.raw",
        "application/vnd.cncf.model.weight.config.v2.raw", "application/vnd.jozu.model.v1.tar",
        "application/vnd.kitops.modelkit.model.v1.tar+", "application/vnd.kitops.modelkit..v1.tar",
        "application/vnd.kitops.modelkit.model.v1.tar+gzip ",
        "application/vnd.kitops.modelkit.model.v1.tar+gzip+zstd",
        "application/vnd.kitops.modelkit.model.v2.tar",
        "application/vnd.kitops.modelkit.MODEL.v1.tar", "xapplication/vnd.kitops.modelkit.tar",
        "application/vnd.oci.image.layer.v1.tar+gzip"}) {
    const auto parsed = LayerMediaType::Parse(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kUnsupported) << bad;
    EXPECT_NE(parsed.error().message.find(bad), std::string::npos) << parsed.error().message;
  }
}

TEST(MediaTypes, AHostileOneCannotMoveTheCursor) {
  EXPECT_EQ(LayerMediaType::Parse("x\x1b[2J").error().message.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace plumb::oci
