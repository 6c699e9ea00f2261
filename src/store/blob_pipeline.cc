// SPDX-License-Identifier: MIT OR Apache-2.0
#include <algorithm>
#include <cstring>
#include <utility>

#include "store/blob_pipeline_internal.h"

namespace plumb::store {
namespace {

constexpr std::size_t kPiecesInFlight = 16;
// What may have to come again after a kill: what comes in so long, or so much.
constexpr std::int64_t kLagMaxNs = 100'000'000;
constexpr std::size_t kTailSizeMin = std::size_t{64} << 10;

}  // namespace

BlobPipeline::BlobPipeline(const BlobPlan& plan, const Parts& parts, Keep keep)
    : cutter_(plan.shape, plan.expected_size),
      expected_size_(plan.expected_size),
      hasher_(parts.hasher),
      saver_(parts.saver),
      clock_(parts.clock),
      partial_(parts.partial),
      keep_(std::move(keep)) {}

BlobPipeline::~BlobPipeline() {
  if (partial_ == nullptr) {
    const std::lock_guard lock(mutex_);
    to_save_.clear();
  }
  Stop();
  const bool may_note = partial_ != nullptr && !takes_kept_ && !is_finished_ && !failure_;
  if (may_note && current_ != nullptr && current_->size - tail_noted_ >= kTailSizeMin) NoteTail();
}

Result<MutableByteSpan> BlobPipeline::Space() {
  PLUMB_RETURN_IF_ERROR(TakePiece());
  return MutableByteSpan(current_->bytes.get() + current_->size, cutter_.Stretch());
}

Status BlobPipeline::Filled(std::size_t size) {
  PLUMB_CHECK(current_ != nullptr && size > 0 && size <= kBlockSizeMax - current_->size);
  ByteSpan filled = {current_->bytes.get() + current_->size, size};
  while (true) {
    current_->role = cutter_.role();
    const auto [taken, is_cut] = cutter_.Take(filled);
    current_->size += taken;
    size_ += taken;
    filled = filled.subspan(taken);
    if (!is_cut) break;
    SubmitPiece();
    if (filled.empty()) return Done{};
    // What stands behind the cut begins the next piece. The one before is only read from now on.
    PLUMB_RETURN_IF_ERROR(TakePiece());
    std::memmove(current_->bytes.get(), filled.data(), filled.size());
    filled = {current_->bytes.get(), filled.size()};
  }
  if (partial_ != nullptr && !takes_kept_) NoteTailIfDue();
  return Done{};
}

void BlobPipeline::NoteTailIfDue() {
  if (current_->size - tail_noted_ < kTailSizeMin) return;
  const std::int64_t now_ns = clock_.MonotonicNs();
  if (now_ns - tail_noted_ns_ < kLagMaxNs) return;
  {
    // It has its place behind the last piece.
    const std::lock_guard lock(mutex_);
    if (unsaved_ > 0) return;
  }
  tail_noted_ns_ = now_ns;
  NoteTail();
}

void BlobPipeline::NoteTail() {
  partial_->NoteTail(current_->view().subspan(tail_noted_));
  tail_noted_ = current_->size;
}

Result<std::uint64_t> BlobPipeline::TakeKept() {
  if (partial_ == nullptr) return std::uint64_t{0};
  const auto kept = partial_->TakeKept(expected_size_ - std::min(expected_size_, size_));
  takes_kept_ = kept.has_value();
  if (!kept) return std::uint64_t{0};
  if (kept->object) saver_.Offer(*kept->object);
  const std::uint64_t size = kept->bytes.size();
  PLUMB_RETURN_IF_ERROR(Write(kept->bytes));
  return size;
}

void BlobPipeline::BeginFile() {
  PLUMB_CHECK(!is_in_file_);
  files_.emplace_back();
  is_in_file_ = true;
  file_begin_ = current_ != nullptr ? current_->size : 0;
}

void BlobPipeline::EndFile() {
  PLUMB_CHECK(is_in_file_);
  parts_.push_back({&files_.back(), BytesOfFile(), true});
  is_in_file_ = false;
}

ByteSpan BlobPipeline::BytesOfFile() const {
  return current_ != nullptr ? current_->view().subspan(file_begin_) : ByteSpan();
}

Status BlobPipeline::Write(ByteSpan bytes) {
  while (!bytes.empty()) {
    PLUMB_TRY(const MutableByteSpan space, Space());
    const ByteSpan part = bytes.first(std::min(space.size(), bytes.size()));
    std::copy(part.begin(), part.end(), space.begin());
    PLUMB_RETURN_IF_ERROR(Filled(part.size()));
    bytes = bytes.subspan(part.size());
  }
  return Done{};
}

Result<WrittenBlob> BlobPipeline::Finish() {
  PLUMB_CHECK(!is_in_file_);
  is_finished_ = true;
  const bool is_small = !lane_ && size_ <= kWholeBlobSizeMax;
  PLUMB_TRY(const BlobInfo info, is_small ? FinishWhole() : FinishPieces());
  WrittenBlob written = {info};
  for (const FileHash& file : files_)
    written.files.push_back(file.digest);
  return written;
}

Result<BlobInfo> BlobPipeline::FinishPieces() {
  if (current_ != nullptr && current_->size > 0) SubmitPiece();
  Stop();
  if (failure_) return *failure_;
  if (tensor_ != nullptr) PLUMB_RETURN_IF_ERROR(FinishTensor());
  recipe_.digest = lane_->Finish();
  // Files that ended where a piece does.
  Sha256Hasher nothing;
  HashPiece(nothing, {}, parts_);
  recipe_.size = size_;
  return keep_({recipe_.digest, size_, std::move(recipe_), {}});
}

Result<BlobInfo> BlobPipeline::FinishWhole() {
  const ByteSpan bytes = current_ != nullptr ? current_->view() : ByteSpan();
  Sha256Hasher hasher;
  HashPiece(hasher, bytes, parts_);
  return keep_({hasher.Finish(), size_, std::nullopt, std::string(AsText(bytes))});
}

Status BlobPipeline::TakePiece() {
  if (current_ != nullptr) return Done{};
  std::unique_lock lock(mutex_);
  if (free_.empty() && pieces_.size() < kPiecesInFlight) {
    pieces_.push_back(std::make_unique<Piece>());
    // Not make_unique: the bytes are written before they are read, and need no zeros.
    pieces_.back()->bytes.reset(new std::byte[kBlockSizeMax]);
    free_.push_back(pieces_.back().get());
  }
  if (partial_ != nullptr && IsTooFarAhead())
    changed_.wait(lock, [&] { return failure_ || unsaved_ == 0; });
  changed_.wait(lock, [&] { return failure_ || !free_.empty(); });
  if (failure_) return *failure_;
  current_ = free_.back();
  free_.pop_back();
  current_->size = 0;
  tail_noted_ns_ = partial_ != nullptr ? clock_.MonotonicNs() : 0;
  return Done{};
}

bool BlobPipeline::IsTooFarAhead() const {
  return unsaved_ > 0 && clock_.MonotonicNs() - unsaved_since_ns_ > kLagMaxNs;
}

void BlobPipeline::SubmitPiece() {
  if (!lane_) Start();
  if (is_in_file_) {
    parts_.push_back({&files_.back(), BytesOfFile(), false});
    file_begin_ = 0;
  }
  Piece* const piece = std::exchange(current_, nullptr);
  tail_noted_ = 0;
  {
    const std::lock_guard lock(mutex_);
    piece->users = 2;
    if (unsaved_++ == 0 && partial_ != nullptr) unsaved_since_ns_ = clock_.MonotonicNs();
    to_save_.push_back(piece);
  }
  changed_.notify_all();
  lane_->Add(piece->view(), std::exchange(parts_, {}), [this, piece] { Release(*piece); });
}

void BlobPipeline::Release(Piece& piece) {
  const std::lock_guard lock(mutex_);
  if (--piece.users == 0) free_.push_back(&piece);
  changed_.notify_all();
}

void BlobPipeline::Start() {
  lane_ = hasher_.Open();
  thread_ = std::thread([this] { SaveAll(); });
}

void BlobPipeline::Stop() {
  {
    const std::lock_guard lock(mutex_);
    is_ended_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void BlobPipeline::SaveAll() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return failure_ || is_ended_ || !to_save_.empty(); });
    if (failure_ || to_save_.empty()) return;
    Piece* const piece = to_save_.front();
    to_save_.pop_front();
    lock.unlock();
    Status status = Save(*piece);
    Release(*piece);
    lock.lock();
    --unsaved_;
    if (!status) failure_ = std::move(status).error();
    changed_.notify_all();
  }
}

Status BlobPipeline::Save(const Piece& piece) {
  const ByteSpan bytes = piece.view();
  const PieceRole& role = piece.role;
  if (role.IsBlock()) {
    if (role.offset == 0) tensor_ = std::make_unique<TensorSaver>(saver_, role);
    PLUMB_TRY(const BlockPlace block, tensor_->Add(bytes));
    if (partial_ != nullptr) partial_->Note({{}, block});
    return role.offset + bytes.size() == role.tensor_size ? FinishTensor() : Done{};
  }
  if (role.tensor_size == 0 && bytes.size() <= kLiteralSizeMax) {
    recipe_.AddLiteral(bytes);
    if (partial_ != nullptr) partial_->Note({{}, {}, std::string(AsText(bytes))});
    return Done{};
  }
  PLUMB_TRY(const ObjectRecord object, saver_.SaveObject(bytes, role));
  recipe_.AddObject(object.id, bytes.size());
  if (partial_ != nullptr) partial_->Note({object});
  return Done{};
}

Status BlobPipeline::FinishTensor() {
  const auto tensor = std::exchange(tensor_, nullptr);
  PLUMB_TRY(const ObjectRecord object, tensor->Finish());
  recipe_.AddObject(object.id, object.place.raw_size);
  if (partial_ != nullptr) partial_->Note({object});
  return Done{};
}

}  // namespace plumb::store
