// SPDX-License-Identifier: MIT OR Apache-2.0
#include "oci/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

namespace plumb::oci {
namespace {

using testing::HasSubstr;

std::string SomeDigest() { return "sha256:" + std::string(64, '1'); }
std::string SomeConfig() {
  return R"({"mediaType":"c","digest":")" + SomeDigest() + R"(","size":7})";
}

// A manifest with `config`, `layers` and further members, `more` (with its comma).
std::string Text(const std::string& config, const std::string& layers,
                 const std::string& more = "") {
  return R"({"schemaVersion":2,"config":)" + config + R"(,"layers":)" + layers + more + "}";
}

std::string WithSize(const std::string& size) {
  return Text(R"({"mediaType":"c","digest":")" + SomeDigest() + R"(","size":)" + size + "}", "[]");
}

// Why it is refused, with the kind in front if it is not kInvalid.
std::string Refusal(std::string_view text) {
  const auto manifest = Manifest::Parse(text);
  if (manifest) return "accepted";
  const Error& error = manifest.error();
  if (error.kind == ErrorKind::kInvalid) return error.message;
  if (error.kind == ErrorKind::kUnsupported) return "unsupported: " + error.message;
  if (error.kind == ErrorKind::kExhausted) return "exhausted: " + error.message;
  return "another kind: " + error.message;
}

Descriptor Layer(std::string media_type, char hex, std::uint64_t size) {
  return {std::move(media_type), *Digest::Parse("sha256:" + std::string(64, hex)), size};
}

TEST(Manifest, ReadsTheExampleOfTheSpecification) {
  const auto manifest = Manifest::Parse(R"({
    "schemaVersion": 2,
    "config": {
      "mediaType": "application/vnd.jozu.model.config.v1+json",
      "digest": "sha256:d5815835051dd97d800a03f641ed8162877920e734d3d705b698912602b8c763",
      "size": 301
    },
    "layers": [{
      "mediaType": "application/vnd.jozu.model.content.v1.tar+gzip",
      "digest": "sha256:3f907c1a03bf20f20355fe449e18ff3f9de2e49570ffb536f1a32f20c7179808",
      "size": 30327160,
      "annotations": {"b": "1", "a": "\u00e9"}
    }],
    "annotations": {"k": "v"},
    "subject": {
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "digest": "sha256:3f907c1a03bf20f20355fe449e18ff3f9de2e49570ffb536f1a32f20c7179808",
      "size": 7
    }
  })");
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->media_type, "");
  EXPECT_EQ(manifest->config.media_type, "application/vnd.jozu.model.config.v1+json");
  EXPECT_EQ(manifest->config.size, 301U);
  ASSERT_EQ(manifest->layers.size(), 1U);
  EXPECT_EQ(manifest->layers[0].digest.ToHex(),
            "3f907c1a03bf20f20355fe449e18ff3f9de2e49570ffb536f1a32f20c7179808");
  EXPECT_EQ(manifest->layers[0].annotations, (Annotations{{"b", "1"}, {"a", "\xc3\xa9"}}));
  EXPECT_EQ(manifest->annotations, (Annotations{{"k", "v"}}));
}

TEST(Manifest, ReadsItsTypes) {
  for (const std::string_view type : {kManifestMediaType, kDockerManifestMediaType}) {
    const auto manifest = Manifest::Parse(Text(
        SomeConfig(), "[]", R"(,"artifactType":"a/b","mediaType":")" + std::string(type) + "\""));
    ASSERT_TRUE(manifest) << manifest.error().message;
    EXPECT_EQ(manifest->media_type, type);
    EXPECT_EQ(manifest->artifact_type, "a/b");
  }
}

TEST(Manifest, NoLayersMayBeNull) {
  const auto manifest = Manifest::Parse(Text(SomeConfig(), "null", R"(,"annotations":null)"));
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_TRUE(manifest->layers.empty());
  EXPECT_THAT(Refusal(Text("null", "[]")), HasSubstr("the config of a manifest is not valid"));
}

TEST(Manifest, RefusesWhatIsNoManifestOfVersion2) {
  for (const auto bad : {"", "null", "[]", "2", "\"x\"", "{}", R"({"schemaVersion":2})",
                         R"({"schemaVersion":2,"layers":[]})", "{\"schemaVersion\":2"})
    EXPECT_THAT(Refusal(bad), testing::Not("accepted")) << bad;
  for (const auto version : {"1", "3", "\"2\"", "2.0", "null", "[2]"})
    EXPECT_THAT(Refusal(R"({"schemaVersion":)" + std::string(version) + R"(,"config":)" +
                        SomeConfig() + R"(,"layers":[]})"),
                HasSubstr("its schemaVersion is not 2"))
        << version;
  EXPECT_THAT(Refusal(R"({"schemaVersion":2,"config":)" + SomeConfig() + "}"),
              HasSubstr("it has no list of layers"));
}

TEST(Manifest, RefusesWrongTypes) {
  EXPECT_THAT(Refusal(Text("[]", "[]")),
              HasSubstr("the config of a manifest is not valid: it is no object"));
  EXPECT_THAT(Refusal(Text(SomeConfig(), "{}")), HasSubstr("it has no list of layers"));
  EXPECT_THAT(Refusal(Text(SomeConfig(), "\"\"")), HasSubstr("it has no list of layers"));
  EXPECT_THAT(Refusal(Text(SomeConfig(), "[" + SomeConfig() + ",1]")),
              HasSubstr("layer 2 of a manifest is not valid: it is no object"));
  EXPECT_THAT(Refusal(Text(SomeConfig(), "[null]")),
              HasSubstr("layer 1 of a manifest is not valid: it is no object"));
  EXPECT_THAT(Refusal(Text("{}", "[]")),
              HasSubstr("the config of a manifest is not valid: it has no mediaType"));
  EXPECT_THAT(Refusal(Text(R"({"mediaType":1})", "[]")), HasSubstr("its mediaType is no text"));
  EXPECT_THAT(Refusal(Text(R"({"mediaType":"c","digest":1})", "[]")),
              HasSubstr("its digest is no text"));
  EXPECT_THAT(Refusal(Text(SomeConfig(), "[]", R"(,"annotations":[])")),
              HasSubstr("its annotations are no object"));
  EXPECT_THAT(Refusal(Text(SomeConfig(), "[]", R"(,"annotations":{"a":1})")),
              HasSubstr("an annotation is no text"));
  EXPECT_THAT(Refusal(Text(SomeConfig(), "[]", R"(,"artifactType":{})")),
              HasSubstr("its artifactType is no text"));
  EXPECT_THAT(Refusal(Text(SomeConfig(), "[]", R"(,"mediaType":2)")),
              HasSubstr("its mediaType is no text"));
}

TEST(Manifest, RefusesSizesThatAreNone) {
  for (const auto bad :
       {"-1", "1.5", "7.0", "1e3", "\"7\"", "null", "true", "[]", "4611686018427387905",
        "18446744073709551615", "18446744073709551616", "99999999999999999999999999999999"})
    EXPECT_THAT(Refusal(WithSize(bad)), HasSubstr("its size is no whole number")) << bad;
  EXPECT_THAT(Refusal(Text(R"({"mediaType":"c","digest":")" + SomeDigest() + "\"}", "[]")),
              HasSubstr("its size is no whole number"));
  const auto largest = Manifest::Parse(WithSize("4611686018427387904"));
  ASSERT_TRUE(largest) << largest.error().message;
  EXPECT_EQ(largest->config.size, std::uint64_t{1} << 62);
}

TEST(Manifest, SizesCannotBeAddedUpToOverflow) {
  const std::string large =
      R"({"mediaType":"c","digest":")" + SomeDigest() + R"(","size":4611686018427387900})";
  EXPECT_EQ(Refusal(Text(SomeConfig(), "[]")), "accepted");
  EXPECT_THAT(Refusal(Text(SomeConfig(), "[" + large + "]")),
              HasSubstr("add up to more than 2^62"));
  EXPECT_THAT(Refusal(Text(large, "[" + large + "," + large + "," + large + "]")),
              HasSubstr("add up to more than 2^62"));
}

TEST(Manifest, RefusesOtherDigests) {
  const auto with_digest = [](const std::string& digest) {
    return Text(R"({"mediaType":"c","digest":")" + digest + R"(","size":1})", "[]");
  };
  EXPECT_THAT(Refusal(with_digest("sha512:" + std::string(128, '0'))), HasSubstr("unsupported: "));
  EXPECT_THAT(Refusal(with_digest("blake3:" + std::string(64, '0'))), HasSubstr("unsupported: "));
  for (const std::string& bad :
       {std::string(), std::string("sha256:"), std::string("sha256:../../etc/passwd"),
        "sha256:" + std::string(63, '0'), "sha256:" + std::string(65, '0'),
        "sha256:" + std::string(64, 'A'), "SHA256:" + std::string(64, '0'), std::string(64, '0')})
    EXPECT_THAT(Refusal(with_digest(bad)), HasSubstr("the config of a manifest")) << bad;
}

TEST(Manifest, RefusesDuplicateMembers) {
  EXPECT_THAT(Refusal(Text(SomeConfig(), "[]", R"(,"layers":null)")),
              HasSubstr("duplicate member"));
  EXPECT_THAT(Refusal(Text(R"({"mediaType":"c","digest":"x","size":1,"size":2})", "[]")),
              HasSubstr("duplicate member 'size'"));
}

TEST(Manifest, RefusesMembersThatSomeReadersTakeForOthers) {
  EXPECT_THAT(Refusal(Text(SomeConfig(), "[]", R"(,"Layers":[])")),
              HasSubstr("'Layers' can be mistaken for 'layers'"));
  EXPECT_THAT(Refusal(Text(SomeConfig(), "[]", R"(,"MANIFESTS":[])")),
              HasSubstr("can be mistaken"));
  EXPECT_THAT(Refusal(Text(SomeConfig(), "[]", R"(,"layer\u017f":[])")),
              HasSubstr("can be mistaken"));
  std::string config = SomeConfig();
  config.insert(1, R"("Size":1,)");
  EXPECT_THAT(Refusal(Text(config, "[]")), HasSubstr("'Size' can be mistaken for 'size'"));
  EXPECT_EQ(Refusal(Text(SomeConfig(), "[]", R"(,"layers2":[],"\u212a":1)")), "accepted");
}

TEST(Manifest, AnIndexIsNoManifest) {
  const std::string index = R"({"schemaVersion":2,"manifests":[]})";
  EXPECT_THAT(Refusal(index), HasSubstr("unsupported: "));
  for (const std::string_view type :
       {kIndexMediaType,
        std::string_view("application/vnd.docker.distribution.manifest.list.v2+json")}) {
    EXPECT_THAT(
        Refusal(R"({"schemaVersion":2,"manifests":[],"mediaType":")" + std::string(type) + "\"}"),
        HasSubstr("unsupported: "));
  }
}

TEST(Manifest, RefusesWhatCouldBeReadAsTwoThings) {
  EXPECT_THAT(Refusal(Text(SomeConfig(), "[]", R"(,"manifests":[])")),
              HasSubstr("a manifest and an index at once"));
  EXPECT_THAT(Refusal(Text(SomeConfig(), "[]", R"(,"manifests":null)")),
              HasSubstr("a manifest and an index at once"));
  EXPECT_THAT(Refusal(R"({"schemaVersion":2,"layers":[],"manifests":[]})"),
              HasSubstr("a manifest and an index at once"));
  const auto as = [](std::string_view type) {
    return R"(,"mediaType":")" + std::string(type) + "\"";
  };
  EXPECT_THAT(Refusal(Text(SomeConfig(), "[]", as(kIndexMediaType))),
              HasSubstr("it says that it is a"));
  EXPECT_THAT(Refusal(Text(SomeConfig(), "[]", as("text/html"))),
              HasSubstr("it says that it is a 'text/html'"));
  EXPECT_THAT(Refusal(R"({"schemaVersion":2,"manifests":[])" + as(kManifestMediaType) + "}"),
              HasSubstr("it says that it is a"));
  EXPECT_THAT(Refusal(R"({"schemaVersion":2,"manifests":[])" + as("text/html") + "}"),
              HasSubstr("it says that it is a"));
}

TEST(Manifest, HasLimits) {
  const std::string shortest = R"({"mediaType":"c","digest":")" + SomeDigest() + R"(","size":1})";
  const auto layers = [&](std::size_t count) {
    std::string list = "[";
    for (std::size_t i = 0; i < count; ++i)
      list += (i == 0 ? "" : ",") + shortest;
    return Text(SomeConfig(), list + "]");
  };
  const auto most = Manifest::Parse(layers(kLayerCountMax));
  ASSERT_TRUE(most) << most.error().message;
  EXPECT_EQ(most->layers.size(), kLayerCountMax);
  EXPECT_THAT(Refusal(layers(kLayerCountMax + 1)), HasSubstr("exhausted: "));

  const std::string small = Text(SomeConfig(), "[]");
  EXPECT_EQ(Refusal(small + std::string(kManifestSizeMax - small.size(), ' ')), "accepted");
  EXPECT_THAT(Refusal(small + std::string(kManifestSizeMax - small.size() + 1, ' ')),
              HasSubstr("exhausted: "));
  EXPECT_THAT(Refusal(Text(SomeConfig(), std::string(5000, '[') + std::string(5000, ']'))),
              HasSubstr("exhausted: "));
}

TEST(Manifest, ErrorsAreSafeToShow) {
  EXPECT_EQ(Refusal(Text(SomeConfig(), "[]", R"(,"mediaType":"\u001b[2J")")).find('\x1b'),
            std::string::npos);
  EXPECT_EQ(Refusal(Text(SomeConfig(), "[]", R"(,"annotations":{"\u001b":1})")).find('\x1b'),
            std::string::npos);
}

TEST(Manifest, WritesItsBytes) {
  const std::vector<Descriptor> layers = {
      Layer("application/vnd.kitops.modelkit.model.v1.tar+gzip", '2', 1024),
      Layer("application/vnd.kitops.modelkit.docs.v1.tar", '3', 0)};
  const Descriptor config = Layer("application/vnd.kitops.modelkit.config.v1+json", '1', 42);
  EXPECT_EQ(WriteManifest(config, layers),
            R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
            R"("config":{"mediaType":"application/vnd.kitops.modelkit.config.v1+json","digest":)"
            R"("sha256:1111111111111111111111111111111111111111111111111111111111111111",)"
            R"("size":42},"layers":[)"
            R"({"mediaType":"application/vnd.kitops.modelkit.model.v1.tar+gzip","digest":)"
            R"("sha256:2222222222222222222222222222222222222222222222222222222222222222",)"
            R"("size":1024},)"
            R"({"mediaType":"application/vnd.kitops.modelkit.docs.v1.tar","digest":)"
            R"("sha256:3333333333333333333333333333333333333333333333333333333333333333",)"
            R"("size":0}]})");
  EXPECT_THAT(WriteManifest(config, {}), HasSubstr(R"("layers":[]})"));
  EXPECT_THAT(WriteKit17Manifest(config, {}), HasSubstr(R"("layers":null,"annotations":{)"));
}

// The manifest of a ModelKit that kit 1.7.0 built, with the digest it gave.
TEST(Manifest, WritesTheBytesOfKit17) {
  const auto descriptor = [](const std::string& type, std::string_view hex, std::uint64_t size) {
    return Descriptor{"application/vnd.kitops.modelkit." + type,
                      *Digest::Parse("sha256:" + std::string(hex)), size};
  };
  const std::string bytes = WriteKit17Manifest(
      descriptor("config.v1+json",
                 "c02dee79e1d4724d55fba3e14a5d9acfedc69e95100e4cb6e6912f41350abe01", 1070),
      {descriptor("model.v1.tar",
                  "4ce780974b1587b97d7e75bc39d9b45ed062afbaeb28b38d982139a183169c32", 2560),
       descriptor("code.v1.tar", "ecad50eb0c0d444307ad97a1ec9c5ebcd3f35be05512797443e93de929d74439",
                  2560),
       descriptor("dataset.v1.tar",
                  "6f52a94a0d62d71535e7596c1e3eeb31aaacd563f9b8bc98f83624da16917b0f", 2560),
       descriptor("dataset.v1.tar",
                  "33ec1157987bac430c49cc730727f7ffa587f8a44e46295ba86f8311767932cf", 1536),
       descriptor("docs.v1.tar", "6113dc0196babc14ea7df88a18e47175ae7e77471cbcb56ff970f6a89b1e21cb",
                  2048)});
  EXPECT_EQ(Sha256(AsBytes(bytes)).ToHex(),
            "c09c81a7ef28475549da66b8227241018215654fdf3c229c593369c78d762303");
}

TEST(Manifest, WrittenManifestsParseBack) {
  EXPECT_TRUE(rc::check([] {
    const auto any_descriptor = [] {
      Descriptor descriptor;
      descriptor.media_type = "x/" + *rc::gen::string<std::string>();
      // Bytes of random strings may be no UTF-8, which no JSON can hold.
      std::ranges::replace_if(descriptor.media_type, [](char c) { return (c & 0x80) != 0; }, '+');
      std::ranges::generate(descriptor.digest.bytes,
                            [] { return std::byte{*rc::gen::arbitrary<std::uint8_t>()}; });
      descriptor.size = *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 50);
      if (*rc::gen::arbitrary<bool>()) descriptor.annotations = {{"b", "<&>"}, {"a", ""}};
      return descriptor;
    };
    const Descriptor config = any_descriptor();
    std::vector<Descriptor> layers;
    for (int count = *rc::gen::inRange(0, 5); count > 0; --count)
      layers.push_back(any_descriptor());
    for (const auto& write : {WriteManifest, WriteKit17Manifest}) {
      const auto manifest = Manifest::Parse(write(config, layers));
      RC_ASSERT(manifest.has_value());
      RC_ASSERT(manifest->config == config);
      RC_ASSERT(manifest->layers == layers);
    }
  }));
}

}  // namespace
}  // namespace plumb::oci
