// SPDX-License-Identifier: MIT OR Apache-2.0
#include "oci/media_types.h"

#include <gtest/gtest.h>

namespace plumb::oci {
namespace {

constexpr LayerType kTypes[] = {LayerType::kModel, LayerType::kModelPart, LayerType::kCode,
                                LayerType::kDataset, LayerType::kDocs};
constexpr LayerEncoding kEncodings[] = {LayerEncoding::kTar, LayerEncoding::kTarGzip,
                                        LayerEncoding::kTarZstd};

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
      const LayerMediaType media_type{type, encoding};
      const auto parsed = LayerMediaType::Parse(media_type.ToString());
      ASSERT_TRUE(parsed) << media_type.ToString();
      EXPECT_EQ(*parsed, media_type);
    }
  }
}

TEST(MediaTypes, ReadsTheOlderOnes) {
  const auto parsed = LayerMediaType::Parse("application/vnd.jozu.model.content.v1.tar+gzip");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, (LayerMediaType{LayerType::kModel, LayerEncoding::kTarGzip}));
  EXPECT_TRUE(IsModelKitConfig("application/vnd.jozu.model.config.v1+json"));
  EXPECT_TRUE(IsModelKitConfig("application/vnd.kitops.modelkit.config.v1+json"));
  EXPECT_FALSE(IsModelKitConfig("application/vnd.oci.image.config.v1+json"));
  EXPECT_FALSE(IsModelKitConfig(""));
}

TEST(MediaTypes, RefusesAllOthersByName) {
  for (const auto bad :
       {"", "application/vnd.kitops.modelkit.model.v1.raw",
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
