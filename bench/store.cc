// SPDX-License-Identifier: MIT OR Apache-2.0
// What a core takes into the store and gives back, beside what it cannot do without:
//
//     store_bench [--mib 1024] [--rounds 3] [--dtype bf16] [--dir /dev/shm]
//
// A file of made-up weights (bf16 or f32: matrices of 32 MiB, a vector behind each) is taken in as
// a layer and given back. Rows of "memory": from memory into packs in memory, and back. The others:
// through the store as commands use it; file and store lie in `--dir`, a disk in memory if there is
// one, so that this measures the program and the kernel, no disk. Each row is the median of the
// rounds, in which all take their turns; each turn is a process of its own, whose peak of memory is
// told. "A core": bytes by seconds of CPU, of all threads together, the kernel's share too;
// "clock": by the clock, with the threads that the store has. What was given back is
// compared with the file.
#include "store/store.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "archive/tar_writer.h"
#include "base/check.h"
#include "bench/made_up.h"
#include "bench/measure.h"
#include "bench/memory_packs.h"
#include "codec/block_codec.h"
#include "codec/kernels_internal.h"
#include "crypto/digest.h"
#include "crypto/hash_tree.h"
#include "store/blob_pipeline_internal.h"
#include "store/blob_reader_internal.h"
#include "store/cutter_internal.h"
#include "store/object_saver_internal.h"
#include "store/piece_hasher_internal.h"
#include "store/recipe_internal.h"
#include "store/store_parts_internal.h"
#include "store/tensor_saver_internal.h"

namespace plumb::bench {
namespace {

using codec::kBlockSizeMax;

constexpr std::size_t kMatrixSize = std::size_t{32} << 20;
constexpr std::size_t kVectorSize = std::size_t{8} << 10;
constexpr std::size_t kMemoryMaxMib = 512;
constexpr std::size_t kPartSize = std::size_t{64} << 20;  // of the file, for the parts

struct Options {
  std::size_t mib = 1024;
  int rounds = 3;
  std::string dtype = "bf16";
  std::string directory = "/dev/shm";
};

template <typename T>
T Must(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "store_bench: %s\n", result.error().message.c_str());
  std::_Exit(1);
}

// What a turn took. Plain bytes: it comes through a pipe.
struct Turn {
  double bytes = 0;
  double wall = 0;  // seconds
  double user = 0;
  double system = 0;
  double peak_mib = 0;
  Digest blob = {};
};

double Of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

// Times what a process does from here on.
class Stopwatch {
 public:
  Stopwatch() : wall_(WallSeconds()) { getrusage(RUSAGE_SELF, &usage_); }
  Turn Stop(std::uint64_t bytes) const {
    Turn turn;
    turn.wall = WallSeconds() - wall_;
    rusage now = {};
    getrusage(RUSAGE_SELF, &now);
    turn.user = Of(now.ru_utime) - Of(usage_.ru_utime);
    turn.system = Of(now.ru_stime) - Of(usage_.ru_stime);
    turn.peak_mib = static_cast<double>(now.ru_maxrss) / 1024;
    turn.bytes = static_cast<double>(bytes);
    return turn;
  }

 private:
  const double wall_;
  rusage usage_ = {};
};

// In a process of its own. A failure there ends this one.
Turn InChild(const std::function<Turn()>& work) {
  int ends[2] = {};
  PLUMB_CHECK(pipe(ends) == 0);
  std::fflush(stdout);
  const pid_t child = fork();
  PLUMB_CHECK(child >= 0);
  if (child == 0) {
    const Turn turn = work();
    std::_Exit(write(ends[1], &turn, sizeof turn) == sizeof turn ? 0 : 1);
  }
  close(ends[1]);
  Turn turn;
  const bool is_told = read(ends[0], &turn, sizeof turn) == sizeof turn;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!is_told || status != 0) std::exit(1);
  return turn;
}

// The file of weights, read from its start.
class Input {
 public:
  explicit Input(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    PLUMB_CHECK(fd_ >= 0);
    size_ = std::filesystem::file_size(path);
  }
  ~Input() { close(fd_); }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  std::uint64_t size() const { return size_; }
  std::uint64_t left() const { return size_ - at_; }
  // The next bytes, as many as there are and fit.
  ByteSpan Read(MutableByteSpan space) {
    const ssize_t got = read(fd_, space.data(), space.size());
    PLUMB_CHECK(got >= 0);
    at_ += static_cast<std::uint64_t>(got);
    return space.first(static_cast<std::size_t>(got));
  }

 private:
  const int fd_;
  std::uint64_t size_ = 0;
  std::uint64_t at_ = 0;
};

class Bench {
 public:
  explicit Bench(const Options& options)
      : options_(options),
        directory_(options.directory + "/plumb-store-bench-" + std::to_string(getpid())),
        input_path_(directory_ + "/model.safetensors"),
        store_path_(directory_ + "/store"),
        matrices_(std::max<std::size_t>(options.mib * (1U << 20U) / kMatrixSize, 1)) {
    std::error_code error;
    if (!std::filesystem::create_directory(directory_, error)) {
      std::fprintf(stderr, "store_bench: cannot make '%s'\n", directory_.c_str());
      std::exit(1);
    }
  }
  ~Bench() { std::filesystem::remove_all(directory_); }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  void Run() {
    Say();
    InChild([this] { return MakeInput(); });
    for (int round = 0; round < options_.rounds; ++round)
      TakeTurns();
    InChild([this] { return Compare(); });
    PrintParts();
    PrintWhole();
    PrintRows();
  }

 private:
  struct Files {
    std::unique_ptr<host::Files> files = host::MakeFiles();
    std::unique_ptr<host::Clock> clock = host::MakeClock();
    std::unique_ptr<host::Entropy> entropy = host::MakeEntropy();
  };

  void Say() const {
    std::printf(
        "%zu matrices of 32 MiB and as many vectors of %s, in %s; %s, SHA-256 and BLAKE3 as "
        "this processor has them\n",
        matrices_, options_.dtype.c_str(), options_.directory.c_str(),
        codec::Has(codec::Instructions::kAvx512) ? "AVX-512"
        : codec::Has(codec::Instructions::kAvx2) ? "AVX2"
                                                 : "plain C++");
  }

  bool IsBf16() const { return options_.dtype == "bf16"; }
  Turn MakeInput() const;
  Turn TakeIn(store::Shape shape) const;
  enum class Measured { kStoreAlone, kLayerAndFile, kRestore };
  struct MemoryStore;
  Turn InMemory(Measured measured) const;
  std::vector<std::byte> ReadInput(std::uint64_t size) const;
  Turn GiveBack() const;
  Turn Compare() const;
  Turn CountRows() const;
  void TakeTurns();
  void MeasureParts();
  Turn Part(const std::function<void(std::size_t, ByteSpan)>& work) const;
  double CoreSpeed(const std::string& name) const {
    std::vector<double> speeds;
    for (const Turn& turn : turns_.at(name))
      speeds.push_back(turn.bytes / 1e9 / (turn.user + turn.system));
    return Median(speeds);
  }
  void Print(const std::string& name, double reference, const std::string& peer,
             double figure) const;
  void PrintParts() const;
  void PrintWhole() const;
  void PrintRows() const;
  void Empty() const {
    std::filesystem::remove_all(store_path_);
    std::filesystem::create_directory(store_path_);
  }

  const Options options_;
  const std::string directory_;
  const std::string input_path_;
  const std::string store_path_;
  const std::size_t matrices_;
  std::map<std::string, std::vector<Turn>> turns_;
  Digest blob_ = {};
};

void WriteAll(std::FILE* file, const void* bytes, std::size_t size) {
  PLUMB_CHECK(std::fwrite(bytes, 1, size, file) == size);
}

// Each tensor is some of the same made-up weights, from another place on and by another factor: no
// two have a block in common.
Turn Bench::MakeInput() const {
  const std::size_t width = IsBf16() ? 2 : 4;
  const std::vector<float> weights = ModelWeights(kMatrixSize / width);
  const std::string dtype = IsBf16() ? "BF16" : "F32";
  std::string header = "{";
  std::size_t offset = 0;
  const auto add = [&](const std::string& name, const std::string& shape, std::size_t size) {
    header += (offset == 0 ? "\"" : ",\"") + name + R"(":{"dtype":")" + dtype + R"(","shape":)" +
              shape + R"(,"data_offsets":[)" + std::to_string(offset) + "," +
              std::to_string(offset + size) + "]}";
    offset += size;
  };
  const std::string rows = std::to_string(kMatrixSize / width / 4096);
  for (std::size_t i = 0; i < matrices_; ++i) {
    add("w" + std::to_string(i), "[" + rows + ",4096]", kMatrixSize);
    add("n" + std::to_string(i), "[" + std::to_string(kVectorSize / width) + "]", kVectorSize);
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  std::FILE* const file = std::fopen(input_path_.c_str(), "wb");
  PLUMB_CHECK(file != nullptr);
  const std::uint64_t header_size = header.size();
  WriteAll(file, &header_size, sizeof header_size);
  WriteAll(file, header.data(), header.size());
  std::vector<std::uint16_t> shorts(weights.size());
  std::vector<float> scaled(weights.size());
  for (std::size_t i = 0; i < matrices_; ++i) {
    for (std::size_t k = 0; k < weights.size(); ++k) {
      scaled[k] = weights[(k + i * 4099) % weights.size()] * (1 + 0.0137F * static_cast<float>(i));
      shorts[k] = ToBf16(scaled[k]);
    }
    const void* const data = IsBf16() ? static_cast<const void*>(shorts.data()) : scaled.data();
    WriteAll(file, data, kMatrixSize);
    WriteAll(file, data, kVectorSize);
  }
  PLUMB_CHECK(std::fclose(file) == 0);
  return {};
}

std::uint64_t ReadAll(ByteSource& source) {
  std::uint64_t size = 0;
  while (true) {
    const ByteSpan piece = Must(source.Read(kBlockSizeMax));
    if (piece.empty()) return size;
    size += piece.size();
  }
}

void CompareWith(ByteSpan expected, ByteSource& source) {
  while (!expected.empty()) {
    const ByteSpan piece = Must(source.Read(expected.size()));
    PLUMB_CHECK(!piece.empty() && std::equal(piece.begin(), piece.end(), expected.begin()));
    expected = expected.subspan(piece.size());
  }
  PLUMB_CHECK(Must(source.Read(1)).empty());
}

// Fills the blob's own room.
void WriteFile(store::BlobWriter& writer, std::uint64_t size,
               const std::function<std::size_t(MutableByteSpan)>& fill) {
  while (size > 0) {
    const MutableByteSpan space = Must(writer.Space());
    const std::size_t filled =
        fill(space.first(static_cast<std::size_t>(std::min<std::uint64_t>(space.size(), size))));
    Must(writer.Filled(filled));
    size -= filled;
  }
}

// A layer that is a tar with one file in it, of which the digest is wanted too. `fill` fills all
// of the room it is given, which is never more than is left of the file.
void WriteTar(store::BlobWriter& writer, std::uint64_t size,
              const std::function<std::size_t(MutableByteSpan)>& fill) {
  const auto write = [&](const std::string& text) { Must(writer.Write(AsBytes(text))); };
  write(Must(archive::TarHeader({"model.safetensors", archive::TarEntryType::kFile, 0644, size})));
  writer.BeginFile();
  WriteFile(writer, size, fill);
  writer.EndFile();
  write(std::string(static_cast<std::size_t>(archive::TarPadding(size)), '\0') + archive::TarEnd());
}

// As a build does: a layer that is the file alone, or a tar with it.
Turn Bench::TakeIn(store::Shape shape) const {
  Files files;
  const auto store =
      Must(store::OpenStore(*files.files, *files.clock, *files.entropy, store_path_));
  Input input(input_path_);
  const auto fill = [&](MutableByteSpan space) { return input.Read(space).size(); };
  const Stopwatch stopwatch;
  const auto session = store->Begin();
  store::BlobPlan plan = shape;
  if (shape == store::Shape::kOpaque) plan.expected_size = input.size();
  const auto writer = Must(session->CreateBlob(plan));
  if (shape == store::Shape::kTar) {
    WriteTar(*writer, input.size(), fill);
  } else {
    WriteFile(*writer, input.size(), fill);
  }
  const store::WrittenBlob written = Must(writer->Finish());
  Must(session->Commit());
  Turn turn = stopwatch.Stop(input.size());
  turn.blob = written.digest;
  return turn;
}

// A store whose packs are in memory. Its catalog is a file, written once.
struct Bench::MemoryStore {
  MemoryStore(const std::string& path, std::uint64_t size_max)
      : parts(Must(store::OpenStoreParts(*files.files, *files.entropy, path))),
        packs(size_max),
        saver(*parts.catalog, packs, store::Domain::Device()) {}

  void Commit() {
    store::CatalogChange change;
    change.objects = Must(saver.Finish());
    change.packs = saver.packs();
    Must(parts.catalog->Apply(change));
    saver.Keep();
  }

  Files files;
  store::StoreParts parts;
  MemoryPacks packs;
  store::ObjectSaver saver;
};

// What a pipeline does with pieces, without SHA-256 and on one thread: cuts, BLAKE3, codec, frames.
store::Recipe SavePieces(ByteSpan input, store::ObjectSaver& saver) {
  store::Recipe recipe;
  recipe.size = input.size();
  store::Cutter cutter(store::Shape::kOpaque, input.size());
  std::unique_ptr<store::TensorSaver> tensor;
  const auto save = [&](ByteSpan piece, const store::PieceRole& role) {
    if (role.IsBlock()) {
      if (role.offset == 0) tensor = std::make_unique<store::TensorSaver>(saver, role);
      Must(tensor->Add(piece));
      if (role.offset + piece.size() < role.tensor_size) return;
      recipe.AddObject(Must(tensor->Finish()).id, role.tensor_size);
    } else if (role.tensor_size == 0 && piece.size() <= store::kLiteralSizeMax) {
      recipe.AddLiteral(piece);
    } else {
      recipe.AddObject(Must(saver.SaveObject(piece, role)).id, piece.size());
    }
  };
  std::size_t begin = 0;
  for (std::size_t at = 0; at < input.size();) {
    const store::PieceRole role = cutter.role();
    const auto [taken, is_cut] =
        cutter.Take(input.subspan(at, std::min(cutter.Stretch(), input.size() - at)));
    at += taken;
    if (!is_cut && at < input.size()) continue;
    save(input.subspan(begin, at - begin), role);
    begin = at;
  }
  return recipe;
}

// The pipeline itself, as TakeIn has it of a tar.
void PipeIn(ByteSpan input, const store::BlobPipeline::Parts& parts) {
  store::BlobPipeline pipeline(store::Shape::kTar, parts, [](const store::FinishedBlob& blob) {
    return Result<store::BlobInfo>(store::BlobInfo{blob.digest, blob.size});
  });
  WriteTar(pipeline, input.size(), [&](MutableByteSpan space) {
    std::copy_n(input.begin(), space.size(), space.begin());
    input = input.subspan(space.size());
    return space.size();
  });
  Must(pipeline.Finish());
}

Turn Bench::InMemory(Measured measured) const {
  const std::vector<std::byte> data = ReadInput(std::filesystem::file_size(input_path_));
  MemoryStore memory(store_path_, data.size());
  std::optional<Stopwatch> stopwatch(std::in_place);
  store::Recipe recipe;
  if (measured == Measured::kLayerAndFile) {
    store::PieceHasher hasher;
    PipeIn(data, {hasher, memory.saver, *memory.files.clock});
  } else {
    recipe = SavePieces(data, memory.saver);
  }
  memory.Commit();
  if (measured != Measured::kRestore) return stopwatch->Stop(data.size());

  stopwatch.emplace();
  store::ObjectReader reader(*memory.parts.catalog, memory.packs);
  const std::uint64_t size = ReadAll(*store::MakeRecipeSource(reader, recipe, 0));
  const Turn turn = stopwatch->Stop(size);
  CompareWith(data, *store::MakeRecipeSource(reader, recipe, 0));
  return turn;
}

Turn Bench::GiveBack() const {
  Files files;
  const auto store =
      Must(store::OpenStore(*files.files, *files.clock, *files.entropy, store_path_));
  const Stopwatch stopwatch;
  return stopwatch.Stop(ReadAll(*Must(store->OpenBlob(blob_, 0))));
}

// Of the raw layer, that it is the file.
Turn Bench::Compare() const {
  Files files;
  const auto store =
      Must(store::OpenStore(*files.files, *files.clock, *files.entropy, store_path_));
  CompareWith(ReadInput(std::filesystem::file_size(input_path_)), *Must(store->OpenBlob(blob_, 0)));
  return {};
}

// The beginning of the file, in memory.
std::vector<std::byte> Bench::ReadInput(std::uint64_t size) const {
  Input input(input_path_);
  std::vector<std::byte> data(static_cast<std::size_t>(size));
  for (std::size_t at = 0; at < data.size();)
    at += input.Read(MutableByteSpan(data).subspan(at)).size();
  return data;
}

// Rows of objects in the catalog: as `bytes` those of tensors, by their sizes, as `wall` all.
Turn Bench::CountRows() const {
  Files files;
  const auto parts = Must(store::OpenStoreParts(*files.files, *files.entropy, store_path_));
  Turn turn;
  store::CatalogVisitor visitor;
  visitor.on_object = [&](const store::ObjectRecord& object) -> Status {
    const std::uint64_t size = object.place.raw_size;
    turn.bytes += size == kMatrixSize || size == kVectorSize ? 1 : 0;
    turn.wall += 1;
    turn.user += static_cast<double>(object.place.TotalSize());
    return Done{};
  };
  Must(parts.catalog->Visit(visitor));
  return turn;
}

// `work` on each MiB of the beginning of the file, of which there is a copy in memory.
Turn Bench::Part(const std::function<void(std::size_t, ByteSpan)>& work) const {
  return InChild([&] {
    const std::uint64_t size = std::min<std::uint64_t>(kPartSize, matrices_ * kMatrixSize);
    const std::vector<std::byte> data = ReadInput(size / kBlockSizeMax * kBlockSizeMax);
    const Stopwatch stopwatch;
    for (std::size_t at = 0; at < data.size(); at += kBlockSizeMax)
      work(at / kBlockSizeMax, ByteSpan(data).subspan(at, kBlockSizeMax));
    return stopwatch.Stop(data.size());
  });
}

void Bench::MeasureParts() {
  std::vector<std::byte> copy(kBlockSizeMax);
  turns_["memcpy"].push_back(Part(
      [&](std::size_t, ByteSpan block) { std::memcpy(copy.data(), block.data(), block.size()); }));
  turns_["SHA-256"].push_back(Part([](std::size_t, ByteSpan block) { Sha256(block); }));
  turns_["SHA-256 twice"].push_back(Part([](std::size_t, ByteSpan block) {
    Sha256Hasher layer;
    Sha256Hasher file;
    Sha256Hasher::AddTogether(layer, block, file, block);
  }));
  turns_["BLAKE3"].push_back(Part([](std::size_t i, ByteSpan block) { HashGroup(block, i); }));
  const codec::BlockHint hint = {.element =
                                     IsBf16() ? codec::Element::kBf16 : codec::Element::kF32};
  turns_["encode"].push_back(Part([&](std::size_t, ByteSpan block) {
    PLUMB_CHECK(codec::EncodeBlock(block, hint, codec::Effort::kFast).has_value());
  }));
  std::optional<codec::Encoded> encoded;
  turns_["decode"].push_back(Part([&](std::size_t, ByteSpan block) {
    if (!encoded) encoded = codec::EncodeBlock(block, hint, codec::Effort::kFast);
    PLUMB_CHECK(codec::DecodeBlock(encoded->method, encoded->bytes, copy).has_value());
  }));
  const int fd = open((directory_ + "/part").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const auto offset = [](std::size_t i) { return static_cast<off_t>(i * kBlockSizeMax); };
  turns_["write"].push_back(Part([&](std::size_t i, ByteSpan block) {
    PLUMB_CHECK(pwrite(fd, block.data(), block.size(), offset(i)) >= 0);
  }));
  turns_["read"].push_back(Part([&](std::size_t i, ByteSpan) {
    PLUMB_CHECK(pread(fd, copy.data(), copy.size(), offset(i)) >= 0);
  }));
  close(fd);
  unlink((directory_ + "/part").c_str());
}

void Bench::TakeTurns() {
  MeasureParts();
  const auto in_memory = [&](const std::string& name, Measured measured) {
    Empty();
    turns_["memory: " + name].push_back(InChild([&] { return InMemory(measured); }));
  };
  in_memory("BLAKE3", Measured::kStoreAlone);
  in_memory("+ SHA-256", Measured::kLayerAndFile);
  in_memory("restore", Measured::kRestore);
  Empty();
  turns_["layer and file"].push_back(InChild([this] { return TakeIn(store::Shape::kTar); }));
  Empty();
  turns_["layer"].push_back(InChild([this] { return TakeIn(store::Shape::kOpaque); }));
  blob_ = turns_["layer"].back().blob;
  turns_["restore"].push_back(InChild([this] { return GiveBack(); }));
}

void Bench::PrintParts() const {
  std::printf("parts, one core, GB/s:\n");
  const std::pair<const char*, const char*> names[] = {
      {"memcpy", "memcpy, a MiB at a time"},
      {"SHA-256", "SHA-256, OpenSSL, one stream"},
      {"SHA-256 twice", "SHA-256, two streams of the same bytes together"},
      {"BLAKE3", "BLAKE3, groups of the tree"},
      {"encode", "codec, encode fast"},
      {"decode", "codec, decode"},
      {"write", "write to the directory (raw size)"},
      {"read", "read from the directory (raw size)"}};
  for (const auto& [name, text] : names)
    std::printf("  %-50s %6.2f\n", text, CoreSpeed(name));
}

void Bench::Print(const std::string& name, double reference, const std::string& peer,
                  double figure) const {
  const std::vector<Turn>& turns = turns_.at(name);
  std::vector<double> wall;
  std::vector<double> system;
  std::vector<double> peak;
  for (const Turn& turn : turns) {
    wall.push_back(turn.bytes / 1e9 / turn.wall);
    system.push_back(turn.system / (turn.user + turn.system));
    peak.push_back(turn.peak_mib);
  }
  const double core = CoreSpeed(name);
  std::printf("  %-18s %6.2f  %6.2f   %3.0f %%", name.c_str(), core, Median(wall),
              100 * Median(system));
  // Of those in memory the peak is that of the weights and packs.
  const bool is_in_memory = name.starts_with("memory");
  if (is_in_memory) {
    std::printf("      ");
  } else {
    std::printf("  %4.0f", Median(peak));
  }
  std::printf("  %5.2f x %s", core / reference, peer.c_str());
  if (figure > 0) std::printf(", >= %.1f: %s", figure, Verdict(core >= figure).c_str());
  if (!is_in_memory)
    std::printf(", <= %zu MiB: %s", kMemoryMaxMib, Verdict(Median(peak) <= kMemoryMaxMib).c_str());
  std::printf("\n");
}

void Bench::PrintWhole() const {
  const double sha256 = CoreSpeed("SHA-256");
  const double blake3 = CoreSpeed("BLAKE3");
  std::printf("whole, GB/s:          a core   clock  kernel   MiB  beside\n");
  Print("memory: BLAKE3", blake3, "BLAKE3 alone", 1.9);
  Print("memory: + SHA-256", sha256 / 2, "SHA-256 of layer and file", 0.6);
  Print("memory: restore", blake3, "BLAKE3 alone", 3);
  Print("layer", sha256, "SHA-256 alone", 0);
  Print("layer and file", sha256 / 2, "SHA-256 of layer and file", 0);
  Print("restore", blake3, "BLAKE3 alone", 0);
}

void Bench::PrintRows() const {
  const Turn rows = InChild([this] { return CountRows(); });
  const auto tensors = static_cast<double>(2 * matrices_);
  std::printf("catalog: %.0f rows of objects, %.0f of them of the %.0f tensors: 1 a tensor: %s\n",
              rows.wall, rows.bytes, tensors, Verdict(rows.bytes == tensors).c_str());
  std::printf("kept: %.2f %% of the file\n",
              100 * rows.user / static_cast<double>(std::filesystem::file_size(input_path_)));
}

}  // namespace
}  // namespace plumb::bench

int main(int count, char** arguments) {
  plumb::bench::Options options;
  if (!std::filesystem::is_directory(options.directory))
    options.directory = std::filesystem::temp_directory_path();
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string name = arguments[i];
    const std::string value = arguments[i + 1];
    if (name == "--mib") options.mib = std::stoul(value);
    if (name == "--rounds") options.rounds = std::stoi(value);
    if (name == "--dtype") options.dtype = value;
    if (name == "--dir") options.directory = value;
  }
  if (count % 2 == 0 || options.rounds < 1 || (options.dtype != "bf16" && options.dtype != "f32")) {
    std::fprintf(stderr,
                 "usage: store_bench [--mib N] [--rounds N] [--dtype bf16|f32] [--dir D]\n");
    return 2;
  }
  // Static: what it has in the folder goes at exit too, where a turn that failed leads.
  static plumb::bench::Bench bench(options);
  bench.Run();
}
