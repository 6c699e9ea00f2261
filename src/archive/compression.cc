// SPDX-License-Identifier: MIT OR Apache-2.0
#include "archive/compression.h"

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace plumb::archive {
namespace {

constexpr std::size_t kBufferSize = std::size_t{256} << 10;
constexpr int kGzipWindowBits = 15 + 16;  // the largest window, in a gzip wrapper
constexpr int kMemoryLevel = 8;           // zlib's default
constexpr int kZstdWindowLogMax = 27;     // 128 MiB
constexpr unsigned char kUnknownSystem = 255;

Error Corrupt(std::string_view what) {
  return Error{ErrorKind::kCorrupt, "compressed data is damaged: " + std::string(what)};
}

class NoCompressor final : public Compressor {
 public:
  explicit NoCompressor(ByteSink& sink) : sink_(sink) {}
  Status Write(ByteSpan bytes) override { return sink_.Write(bytes); }
  Status Finish() override { return Done{}; }

 private:
  ByteSink& sink_;
};

class GzipCompressor final : public Compressor {
 public:
  GzipCompressor(int level, ByteSink& sink) : sink_(sink), buffer_(kBufferSize) {
    const int used = level == 0 ? Z_DEFAULT_COMPRESSION : level;
    PLUMB_CHECK(deflateInit2(&stream_, used, Z_DEFLATED, kGzipWindowBits, kMemoryLevel,
                             Z_DEFAULT_STRATEGY) == Z_OK);
    header_.os = kUnknownSystem;
    PLUMB_CHECK(deflateSetHeader(&stream_, &header_) == Z_OK);
  }
  ~GzipCompressor() override { deflateEnd(&stream_); }
  GzipCompressor(const GzipCompressor&) = delete;
  GzipCompressor& operator=(const GzipCompressor&) = delete;

  Status Write(ByteSpan bytes) override {
    while (!bytes.empty()) {
      const ByteSpan part = bytes.first(std::min(bytes.size(), kBufferSize));
      PLUMB_RETURN_IF_ERROR(Deflate(part, Z_NO_FLUSH));
      bytes = bytes.subspan(part.size());
    }
    return Done{};
  }
  Status Finish() override { return Deflate({}, Z_FINISH); }

 private:
  Status Deflate(ByteSpan bytes, int flush) {
    // zlib does not write here; its type only fails to say so.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    int code = Z_OK;
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      code = deflate(&stream_, flush);
      PLUMB_CHECK(code != Z_STREAM_ERROR);
      const std::size_t made = buffer_.size() - stream_.avail_out;
      if (made > 0) PLUMB_RETURN_IF_ERROR(sink_.Write(ByteSpan(buffer_).first(made)));
    } while (stream_.avail_in > 0 || (flush == Z_FINISH && code != Z_STREAM_END));
    return Done{};
  }

  ByteSink& sink_;
  z_stream stream_ = {};
  gz_header header_ = {};
  std::vector<std::byte> buffer_;
};

class ZstdCompressor final : public Compressor {
 public:
  ZstdCompressor(int level, ByteSink& sink)
      : sink_(sink), context_(ZSTD_createCCtx()), buffer_(ZSTD_CStreamOutSize()) {
    PLUMB_CHECK(context_ != nullptr);
    ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1);
  }
  ~ZstdCompressor() override { ZSTD_freeCCtx(context_); }
  ZstdCompressor(const ZstdCompressor&) = delete;
  ZstdCompressor& operator=(const ZstdCompressor&) = delete;

  Status Write(ByteSpan bytes) override {
    // An empty write would count as a beginning, and change the frame's header.
    return bytes.empty() ? Done{} : Compress(bytes, ZSTD_e_continue);
  }
  Status Finish() override { return Compress({}, ZSTD_e_end); }

 private:
  Status Compress(ByteSpan bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer input = {bytes.data(), bytes.size(), 0};
    std::size_t left = 0;
    do {
      ZSTD_outBuffer output = {buffer_.data(), buffer_.size(), 0};
      left = ZSTD_compressStream2(context_, &output, &input, directive);
      PLUMB_CHECK(ZSTD_isError(left) == 0);
      if (output.pos > 0) PLUMB_RETURN_IF_ERROR(sink_.Write(ByteSpan(buffer_).first(output.pos)));
    } while (input.pos < input.size || (directive == ZSTD_e_end && left > 0));
    return Done{};
  }

  ByteSink& sink_;
  ZSTD_CCtx* const context_;
  std::vector<std::byte> buffer_;
};

class NoDecompressor final : public ByteSource {
 public:
  explicit NoDecompressor(ByteSource& source) : source_(source) {}
  Result<ByteSpan> Read(std::size_t size_max) override { return source_.Read(size_max); }

 private:
  ByteSource& source_;
};

// What both formats share: compressed bytes come in pieces, plain ones go out of a buffer.
class Decompressor : public ByteSource {
 public:
  explicit Decompressor(ByteSource& source) : source_(source), buffer_(kBufferSize) {}

  Result<ByteSpan> Read(std::size_t size_max) final {
    while (plain_.empty()) {
      if (input_.empty() && !is_ended_) {
        PLUMB_TRY(input_, source_.Read(kBufferSize));
        is_ended_ = input_.empty();
      }
      if (is_ended_ && !holds_output_) {
        if (is_within_) return Corrupt("it ends too early");
        return ByteSpan();
      }
      PLUMB_RETURN_IF_ERROR(Decode());
    }
    const ByteSpan given = plain_.first(std::min(size_max, plain_.size()));
    plain_ = plain_.subspan(given.size());
    return given;
  }

 protected:
  // Takes from input_ and sets plain_, is_within_ and holds_output_.
  virtual Status Decode() = 0;

  ByteSource& source_;
  std::vector<std::byte> buffer_;
  ByteSpan input_;
  ByteSpan plain_;
  bool is_within_ = true;      // a member or frame; an empty stream is cut short, too
  bool holds_output_ = false;  // more may come without more input

 private:
  bool is_ended_ = false;
};

class GzipDecompressor final : public Decompressor {
 public:
  explicit GzipDecompressor(ByteSource& source) : Decompressor(source) {
    PLUMB_CHECK(inflateInit2(&stream_, kGzipWindowBits) == Z_OK);
  }
  ~GzipDecompressor() override { inflateEnd(&stream_); }
  GzipDecompressor(const GzipDecompressor&) = delete;
  GzipDecompressor& operator=(const GzipDecompressor&) = delete;

 protected:
  Status Decode() override {
    if (!is_within_) {
      // The next member.
      PLUMB_CHECK(inflateReset(&stream_) == Z_OK);
      is_within_ = true;
    }
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(input_.data()));
    stream_.avail_in = static_cast<uInt>(input_.size());
    stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_out = static_cast<uInt>(buffer_.size());
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
      return Corrupt(stream_.msg != nullptr ? stream_.msg : "it is no gzip stream");
    input_ = input_.last(stream_.avail_in);
    plain_ = ByteSpan(buffer_).first(buffer_.size() - stream_.avail_out);
    is_within_ = code != Z_STREAM_END;
    holds_output_ = is_within_ && stream_.avail_out == 0;
    return Done{};
  }

 private:
  z_stream stream_ = {};
};

class ZstdDecompressor final : public Decompressor {
 public:
  explicit ZstdDecompressor(ByteSource& source)
      : Decompressor(source), context_(ZSTD_createDCtx()) {
    PLUMB_CHECK(context_ != nullptr);
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kZstdWindowLogMax);
  }
  ~ZstdDecompressor() override { ZSTD_freeDCtx(context_); }
  ZstdDecompressor(const ZstdDecompressor&) = delete;
  ZstdDecompressor& operator=(const ZstdDecompressor&) = delete;

 protected:
  Status Decode() override {
    // libzstd also reads what came before RFC 8878, with decoders that nobody looks after.
    if (at_start_ && !input_.empty() && !BeginsFrame(input_[0]))
      return Corrupt("it is no zstd stream");
    ZSTD_inBuffer input = {input_.data(), input_.size(), 0};
    ZSTD_outBuffer output = {buffer_.data(), buffer_.size(), 0};
    const std::size_t left = ZSTD_decompressStream(context_, &output, &input);
    if (ZSTD_isError(left) != 0) {
      if (ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge)
        return Error{ErrorKind::kExhausted, "compressed data needs a window over 128 MiB"};
      return Corrupt(ZSTD_getErrorName(left));
    }
    input_ = input_.subspan(input.pos);
    plain_ = ByteSpan(buffer_).first(output.pos);
    is_within_ = left != 0;
    at_start_ = left == 0;
    holds_output_ = left != 0 && output.pos == output.size;
    return Done{};
  }

 private:
  // The first byte of the two magic numbers: of a frame, and of one that is skipped.
  static bool BeginsFrame(std::byte first) {
    return first == std::byte{0x28} || (first & std::byte{0xF0}) == std::byte{0x50};
  }

  ZSTD_DCtx* const context_;
  bool at_start_ = true;
};

}  // namespace

std::unique_ptr<Compressor> MakeCompressor(Compression compression, int level, ByteSink& sink) {
  switch (compression) {
    case Compression::kGzip:
      return std::make_unique<GzipCompressor>(level, sink);
    case Compression::kZstd:
      return std::make_unique<ZstdCompressor>(level, sink);
    case Compression::kNone:
      break;
  }
  return std::make_unique<NoCompressor>(sink);
}

std::unique_ptr<ByteSource> MakeDecompressor(Compression compression, ByteSource& source) {
  switch (compression) {
    case Compression::kGzip:
      return std::make_unique<GzipDecompressor>(source);
    case Compression::kZstd:
      return std::make_unique<ZstdDecompressor>(source);
    case Compression::kNone:
      break;
  }
  return std::make_unique<NoDecompressor>(source);
}

}  // namespace plumb::archive
