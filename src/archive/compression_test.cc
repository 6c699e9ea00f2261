// SPDX-License-Identifier: MIT OR Apache-2.0
#include "archive/compression.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace plumb::archive {
namespace {

using namespace std::string_view_literals;

constexpr auto kAll = {Compression::kNone, Compression::kGzip, Compression::kZstd};
constexpr auto kReal = {Compression::kGzip, Compression::kZstd};
constexpr std::size_t kSizeMax = std::size_t{64} << 20;

// Compresses `text`, which is handed over in pieces of `step` bytes.
std::string Compress(Compression compression, std::string_view text, int level = 0,
                     std::size_t step = std::string_view::npos) {
  MemorySink sink(kSizeMax);
  const auto compressor = MakeCompressor(compression, level, sink);
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, step);
    EXPECT_TRUE(compressor->Write(AsBytes(piece)));
    text.remove_prefix(piece.size());
  }
  EXPECT_TRUE(compressor->Finish());
  return std::move(sink).TakeText();
}

// Gives at most `step` bytes at a time.
class SlowSource final : public ByteSource {
 public:
  SlowSource(std::string_view text, std::size_t step) : memory_(AsBytes(text)), step_(step) {}
  Result<ByteSpan> Read(std::size_t size_max) override {
    return memory_.Read(std::min(size_max, step_));
  }

 private:
  MemorySource memory_;
  std::size_t step_;
};

Result<std::string> Decompress(Compression compression, std::string_view text,
                               std::size_t step = std::string_view::npos) {
  SlowSource source(text, step);
  return ReadAll(*MakeDecompressor(compression, source), kSizeMax);
}

void ExpectCorrupt(Compression compression, std::string_view text, std::string_view what) {
  const auto plain = Decompress(compression, text);
  ASSERT_FALSE(plain) << what;
  EXPECT_EQ(plain.error().kind, ErrorKind::kCorrupt) << what << ": " << plain.error().message;
}

// Text that shrinks, but not to nothing.
std::string SomeText(std::size_t size) {
  std::string text;
  for (std::uint32_t state = 1; text.size() < size; state = state * 1664525 + 1013904223)
    text += static_cast<char>('a' + (state >> 28));
  return text;
}

TEST(Compression, RoundTripsInAnyPieces) {
  const std::string large = SomeText(3'000'000);
  const std::string zeros(5'000'000, '\0');
  for (const Compression compression : kAll) {
    for (const std::string& text : {std::string(), std::string("x"), large, zeros}) {
      const std::string packed = Compress(compression, text);
      for (const std::size_t step : {std::size_t{4093}, std::string_view::npos}) {
        const auto plain = Decompress(compression, packed, step);
        ASSERT_TRUE(plain) << plain.error().message;
        EXPECT_EQ(*plain == text, true) << text.size();
      }
      const bool shrinks = compression != Compression::kNone && text.size() > 1;
      EXPECT_EQ(packed.size() < text.size() * 3 / 4, shrinks);
    }
    EXPECT_TRUE(rc::check([&](const std::string& text) {
      RC_ASSERT(*Decompress(compression, Compress(compression, text), 1) == text);
    }));
  }
}

TEST(Compression, TheSameBytesInGiveTheSameBytesOut) {
  const std::string text = SomeText(1'000'000) + std::string(500'000, '\0') + SomeText(700'000);
  for (const Compression compression : kReal) {
    for (const int level : {0, 1, 9}) {
      const std::string whole = Compress(compression, text, level);
      for (const std::size_t step : {1000U, 65536U, 1048576U})
        EXPECT_EQ(Compress(compression, text, level, step) == whole, true) << level << " " << step;
    }
    MemorySink sink(100);
    const auto compressor = MakeCompressor(compression, 0, sink);
    EXPECT_TRUE(compressor->Write({}));
    EXPECT_TRUE(compressor->Finish());
    EXPECT_EQ(sink.text(), Compress(compression, ""));
  }
}

TEST(Compression, GzipHeadersTellNothing) {
  const std::string packed = Compress(Compression::kGzip, "x");
  EXPECT_EQ(packed.substr(0, 10), "\x1f\x8b\x08\0\0\0\0\0\0\xff"sv);
  EXPECT_EQ(packed.substr(packed.size() - 4), "\1\0\0\0"sv);
  EXPECT_EQ(Compress(Compression::kGzip, "x", 9)[8], '\2');
  EXPECT_EQ(Compress(Compression::kGzip, "x", 1)[8], '\4');
}

TEST(Compression, ConcatenatedStreamsAreReadAsOne) {
  const auto skipped = "\x5f\x2a\x4d\x18\3\0\0\0abc"sv;  // a frame of zstd that has no content
  for (const Compression compression : kReal) {
    std::string packed =
        Compress(compression, "one ") + Compress(compression, "") + Compress(compression, "two");
    if (compression == Compression::kZstd)
      packed = std::string(skipped) + packed + std::string(skipped);
    for (const std::size_t step : {std::size_t{1}, std::string_view::npos})
      EXPECT_EQ(*Decompress(compression, packed, step), "one two");
  }
}

TEST(Compression, RefusesWhatIsCutAnywhere) {
  const std::string text = SomeText(3000);
  for (const Compression compression : kReal) {
    const std::string packed = Compress(compression, text);
    for (std::size_t size = 0; size < packed.size(); ++size) {
      ExpectCorrupt(compression, std::string_view(packed).substr(0, size), "cut");
      if (size > 0)
        ExpectCorrupt(compression, packed + packed.substr(0, size), "second stream cut");
    }
  }
}

TEST(Compression, RefusesAnyChangedByteOfItsContent) {
  const std::string text = SomeText(2000);
  for (const Compression compression : kReal) {
    const std::string packed = Compress(compression, text);
    for (std::size_t at = 0; at < packed.size(); ++at) {
      std::string changed = packed;
      changed[at] = static_cast<char>(changed[at] ^ 0x10);
      const auto plain = Decompress(compression, changed);
      // Time, flags and system of a gzip header are nobody's content.
      EXPECT_TRUE(!plain || *plain == text) << at;
      if (at + 4 >= packed.size()) ExpectCorrupt(compression, changed, "checksum or length");
    }
  }
}

TEST(Compression, RefusesGarbageBehindTheEnd) {
  for (const Compression compression : kReal) {
    const std::string packed = Compress(compression, "text");
    for (const std::string_view garbage :
         {"x"sv, "\0"sv, "\x1f"sv, "\x28"sv, "\x50"sv, "garbage garbage"sv})
      ExpectCorrupt(compression, packed + std::string(garbage), garbage);
    const auto other = compression == Compression::kGzip ? Compression::kZstd : Compression::kGzip;
    ExpectCorrupt(compression, packed + Compress(other, "text"), "of the other kind");
    ExpectCorrupt(compression, "text that was never packed", "no stream");
  }
  // Only RFC 1952, not a zlib or raw stream.
  ExpectCorrupt(Compression::kGzip, "\x78\x9c\x4b\x04\0\0\x62\0\x62"sv, "zlib");
  // Frames from before RFC 8878, which libzstd may read.
  for (const char version : {'\x22', '\x23', '\x24', '\x25', '\x26', '\x27', '\x1e'}) {
    const auto old =
        Decompress(Compression::kZstd, version + std::string("\xb5\x2f\xfd\0\0\0\0\0"sv));
    ASSERT_FALSE(old);
    EXPECT_EQ(old.error().message, "compressed data is damaged: it is no zstd stream");
  }
}

TEST(Compression, RefusesAWindowOver128MiB) {
  // Frame header: magic, no single segment, window descriptor (exponent 17 is 128 MiB), one raw
  // block.
  const auto frame = [](unsigned exponent, unsigned mantissa) {
    std::string text("\x28\xb5\x2f\xfd\0"sv);
    text += static_cast<char>(exponent << 3U | mantissa);
    return text + std::string("\x19\0\0abc"sv);
  };
  EXPECT_EQ(*Decompress(Compression::kZstd, frame(17, 0)), "abc");
  for (const auto& large : {frame(17, 1), frame(18, 0), frame(31, 7)}) {
    const auto plain = Decompress(Compression::kZstd, large);
    ASSERT_FALSE(plain);
    EXPECT_EQ(plain.error().kind, ErrorKind::kExhausted) << plain.error().message;
  }
  // A single segment's window is its size.
  const auto single = Decompress(Compression::kZstd, "\x28\xb5\x2f\xfd\xe0\0\0\0\0\1\0\0\0"sv);
  ASSERT_FALSE(single);
  EXPECT_EQ(single.error().kind, ErrorKind::kExhausted) << single.error().message;
}

TEST(Compression, ABombIsReadInPieces) {
  const std::string packed = Compress(Compression::kZstd, std::string(50'000'000, '\0'));
  EXPECT_LT(packed.size(), 10'000U);
  MemorySource source(AsBytes(packed));
  const auto decompressor = MakeDecompressor(Compression::kZstd, source);
  EXPECT_EQ(ReadAll(*decompressor, 1'000'000).error().kind, ErrorKind::kExhausted);
}

TEST(Compression, FailuresOfTheOtherSideAreHandedOn) {
  class Failing final : public ByteSource {
    Result<ByteSpan> Read(std::size_t) override { return Error{ErrorKind::kUnavailable, "gone"}; }
  } source;
  for (const Compression compression : kAll) {
    EXPECT_EQ(MakeDecompressor(compression, source)->Read(1).error().message, "gone");
    MemorySink sink(5);
    const auto compressor = MakeCompressor(compression, 0, sink);
    const bool is_full =
        !compressor->Write(AsBytes("twenty-six random letters")) || !compressor->Finish();
    EXPECT_TRUE(is_full);
  }
}

}  // namespace
}  // namespace plumb::archive
