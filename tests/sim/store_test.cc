// SPDX-License-Identifier: MIT OR Apache-2.0
#include "store/store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/sim/faulty_files.h"
#include "tests/temporary_directory.h"

// The store on a disk that fails at each of its calls in turn: what a session adds is there whole,
// or not at all, what was there before stays, and the store goes on afterwards.
namespace plumb::store {
namespace {

constexpr std::int64_t kNever = std::int64_t{1} << 40;

std::string Weights(char seed) {
  std::string weights;
  std::uint64_t state = static_cast<unsigned char>(seed);
  while (weights.size() < (std::size_t{9} << 20)) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    weights.append(reinterpret_cast<const char*>(&state), sizeof state);
  }
  return weights;
}

Result<Digest> AddKit(Store& store, const std::string& weights, const RefName& name) {
  const auto session = store.Begin();
  PLUMB_TRY(const auto writer, session->CreateBlob(Shape::kOpaque));
  PLUMB_RETURN_IF_ERROR(writer->Write(AsBytes(weights)));
  PLUMB_TRY(const BlobInfo layer, writer->Finish());
  PLUMB_TRY(const BlobInfo manifest, session->PutBlob(AsBytes("manifest of " + name.ToString())));
  session->AddKit(manifest.digest, {layer.digest});
  session->MoveRef({name, manifest.digest, ""});
  PLUMB_RETURN_IF_ERROR(session->Commit());
  return layer.digest;
}

// As a pull does: the blob's name is known beforehand, and what is here of it is taken up.
Result<Digest> AddExpected(Store& store, const std::string& weights) {
  BlobPlan plan = Shape::kOpaque;
  plan.expected = Sha256(AsBytes(weights));
  plan.expected_size = weights.size();
  const auto session = store.Begin();
  PLUMB_TRY(const auto writer, session->CreateBlob(plan));
  std::uint64_t kept = 0;
  while (true) {
    PLUMB_TRY(const std::uint64_t size, writer->TakeKept());
    if (size == 0) break;
    kept += size;
  }
  PLUMB_RETURN_IF_ERROR(writer->Write(AsBytes(weights).subspan(kept)));
  PLUMB_TRY(const BlobInfo layer, writer->Finish());
  PLUMB_RETURN_IF_ERROR(session->Commit());
  return layer.digest;
}

bool IsWhole(Store& store, const std::string& weights) {
  const auto read = ReadBlob(store, Sha256(AsBytes(weights)), weights.size());
  return read && *read == weights;
}

TEST(FaultyDiskTest, EveryFailureLeavesTheStoreAsItWas) {
  const std::string first = Weights('a');
  const std::string second = Weights('b');
  const auto clock = host::MakeClock();
  const auto entropy = host::MakeEntropy();
  const RefName first_name = {"m", "v1"};
  const RefName second_name = {"m", "v2"};
  int failures = 0;
  for (std::int64_t calls = 0;; ++calls) {
    const TemporaryDirectory temporary;
    const std::string path = temporary.path() + "/store";
    host::Faults faults;
    host::FaultyFiles files(faults);
    faults.calls_left = kNever;
    {
      const auto store = *OpenStore(files, *clock, *entropy, path);
      ASSERT_TRUE(AddKit(*store, first, first_name));
      faults.calls_left = calls;
      const auto added = AddKit(*store, second, second_name);
      if (added) break;
      ++failures;
      EXPECT_EQ(added.error().kind, ErrorKind::kExhausted) << added.error().message;
    }
    faults.calls_left = kNever;
    const auto store = *OpenStore(files, *clock, *entropy, path);
    EXPECT_TRUE(IsWhole(*store, first)) << calls;
    EXPECT_EQ(*store->FindRef(second_name), std::nullopt) << calls;
    EXPECT_EQ(*store->FindBlob(Sha256(AsBytes(second))), std::nullopt) << calls;
    // And what failed can be done again.
    ASSERT_TRUE(AddKit(*store, second, second_name)) << calls;
    EXPECT_TRUE(IsWhole(*store, second)) << calls;
  }
  // Creating a pack, its frames, its end, two syncs: fewer would mean that nothing was tried.
  EXPECT_GT(failures, 10);
}

TEST(FaultyDiskTest, AnExpectedBlobGoesOnAfterEveryFailure) {
  const std::string weights = Weights('c');
  const auto clock = host::MakeClock();
  const auto entropy = host::MakeEntropy();
  int failures = 0;
  // Not at each call, to save time: seven and the number of calls for a piece have no divisor in
  // common.
  for (std::int64_t calls = 4;; calls += 7) {
    const TemporaryDirectory temporary;
    const std::string path = temporary.path() + "/store";
    host::Faults faults;
    host::FaultyFiles files(faults);
    faults.calls_left = kNever;
    {
      const auto store = *OpenStore(files, *clock, *entropy, path);
      faults.calls_left = calls;
      if (AddExpected(*store, weights)) break;
      ++failures;
    }
    faults.calls_left = kNever;
    const auto store = *OpenStore(files, *clock, *entropy, path);
    EXPECT_EQ(*store->FindBlob(Sha256(AsBytes(weights))), std::nullopt) << calls;
    const auto added = AddExpected(*store, weights);
    ASSERT_TRUE(added) << calls << added.error().message;
    EXPECT_TRUE(IsWhole(*store, weights)) << calls;
  }
  EXPECT_GT(failures, 2);
}

}  // namespace
}  // namespace plumb::store
