// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "store/records_internal.h"
#include "store/store.h"
#include "store/upkeep.h"
#include "tests/noise.h"
#include "tests/store_kits.h"
#include "tests/temporary_directory.h"

// Somebody with a repository of his own in a shared store, who knows or guesses what others have:
// names of their blobs, of their kits and tags. Whatever he asks or writes is answered as if that
// was nowhere (docs/format.md, "Domains").
namespace plumb::store {
namespace {

const Domain kVictim = *Domain::Parse("victim/model");
const Domain kEnemy = *Domain::Parse("enemy/model");

class GuessingDomain : public testing::Test {
 protected:
  GuessingDomain() {
    const auto session = victim_->Begin();
    const auto writer = *session->CreateBlob(Shape::kOpaque);
    EXPECT_TRUE(writer->Write(AsBytes(secret_)));
    layer_ = (*writer->Finish()).digest;
    kit_ = (*session->PutBlob(AsBytes(ManifestOf({secret_})))).digest;
    NewKit kit = {kit_, {layer_}, Sha256(AsBytes("root"))};
    kit.layer_files = {{layer_, {{"secret", layer_}}}};
    session->AddKit(std::move(kit));
    session->MoveRef({{kVictim.name(), "v1"}, kit_, ""});
    session->RememberLayer(LayerKey(), {layer_, secret_.size(), layer_});
    EXPECT_TRUE(session->Commit());
  }

  std::unique_ptr<Store> Open(const Domain& domain) {
    return *OpenStore(*files_, *clock_, *entropy_, temporary_.path() + "/store", domain);
  }

  // How the enemy's session ends.
  std::optional<ErrorKind> Commit(const std::function<void(Session&)>& fill) {
    const auto session = enemy_->Begin();
    fill(*session);
    const Status committed = session->Commit();
    return committed ? std::nullopt : std::optional(committed.error().kind);
  }

  TemporaryDirectory temporary_;
  std::unique_ptr<host::Files> files_ = host::MakeFiles();
  std::unique_ptr<host::Clock> clock_ = host::MakeClock();
  std::unique_ptr<host::Entropy> entropy_ = host::MakeEntropy();
  const std::string secret_ = Noise(3 << 20, 1);
  std::unique_ptr<Store> victim_ = Open(kVictim);
  std::unique_ptr<Store> enemy_ = Open(kEnemy);
  Digest layer_;
  Digest kit_;
};

TEST_F(GuessingDomain, FindsNothing) {
  EXPECT_EQ(*enemy_->FindBlob(layer_), std::nullopt);
  EXPECT_EQ(enemy_->OpenBlob(layer_, 0).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(enemy_->OpenBlob(layer_, 0).error().message,
            "blob '" + layer_.ToString() + "' is not in the store");
  EXPECT_EQ(*enemy_->FindRef({kVictim.name(), "v1"}), std::nullopt);
  EXPECT_TRUE(enemy_->ListRefs()->empty());
  EXPECT_TRUE(enemy_->ListKits()->empty());
  EXPECT_EQ(*enemy_->FindLayer(LayerKey()), std::nullopt);
  EXPECT_EQ(*enemy_->FindFilesOfLayer(layer_), std::nullopt);
  EXPECT_EQ(*enemy_->FindFilesRoot(kit_), std::nullopt);
  // It is all there.
  EXPECT_TRUE(*victim_->FindFilesOfLayer(layer_));
  EXPECT_TRUE(*victim_->FindLayer(LayerKey()));
}

TEST_F(GuessingDomain, NeedsWhatIsNowhere) {
  const Digest nowhere = Sha256(AsBytes("nowhere"));
  const auto needing = [&](const Digest& blob) {
    return Commit([&](Session& session) {
      const Digest manifest = (*session.PutBlob(AsBytes("manifest"))).digest;
      session.AddKit({manifest, {blob}});
    });
  };
  EXPECT_EQ(needing(layer_), ErrorKind::kInvalid);
  EXPECT_EQ(needing(nowhere), ErrorKind::kInvalid);
  const auto adding = [&](const Digest& kit) {
    return Commit([&](Session& session) { session.AddKit({kit, {}}); });
  };
  EXPECT_EQ(adding(kit_), ErrorKind::kInvalid);
  EXPECT_EQ(adding(nowhere), ErrorKind::kInvalid);
  const auto tagging = [&](const Digest& kit) {
    return Commit([&](Session& session) { session.MoveRef({{kEnemy.name(), "v1"}, kit, ""}); });
  };
  EXPECT_EQ(tagging(kit_), ErrorKind::kConflict);
  EXPECT_EQ(tagging(nowhere), ErrorKind::kConflict);
  EXPECT_TRUE(enemy_->ListKits()->empty());
}

TEST_F(GuessingDomain, TakesNothingAway) {
  {
    const auto session = enemy_->Begin();
    session->RemoveKit(kit_);
    EXPECT_TRUE(session->Commit());
  }
  // Its tags are not there for him to move; not to where they are nor away.
  const auto moving = [&](const std::optional<Digest>& kit) {
    return Commit([&](Session& session) {
      const Digest own = (*session.PutBlob(AsBytes("own"))).digest;
      session.AddKit({own, {}});
      session.MoveRef({{kVictim.name(), "v1"}, kit ? own : kit, ""});
    });
  };
  EXPECT_EQ(moving(layer_), ErrorKind::kInvalid);
  EXPECT_EQ(*victim_->FindRef({kVictim.name(), "v1"}), kit_);
  EXPECT_EQ(*ReadBlob(*Open(kVictim), layer_, secret_.size()), secret_);
}

// What he says of bytes that both have is believed by nobody else.
TEST_F(GuessingDomain, PlantsNothing) {
  const auto session = enemy_->Begin();
  const auto writer = *session->CreateBlob(Shape::kOpaque);
  ASSERT_TRUE(writer->Write(AsBytes(secret_)));
  const WrittenBlob written = *writer->Finish();
  EXPECT_FALSE(written.was_known);
  const Digest manifest = (*session->PutBlob(AsBytes(ManifestOf({secret_})))).digest;
  EXPECT_EQ(manifest, kit_);
  NewKit kit = {manifest, {layer_}, Sha256(AsBytes("false"))};
  kit.layer_files = {{layer_, {{"false", kit_}}}};
  session->AddKit(std::move(kit));
  session->RememberLayer(LayerKey(), {manifest, 1, manifest});
  ASSERT_TRUE(session->Commit());
  const auto victim = Open(kVictim);
  EXPECT_EQ((*victim->FindLayer(LayerKey()))->blob, layer_);
  EXPECT_EQ((**victim->FindFilesOfLayer(layer_))[0].name, "secret");
  EXPECT_EQ(*victim->FindFilesRoot(kit_), Sha256(AsBytes("root")));
  const auto device = Open(Domain::Device());
  EXPECT_EQ(*device->FindLayer(LayerKey()), std::nullopt);
  EXPECT_EQ(*device->FindFilesRoot(kit_), std::nullopt);
}

// Somebody who may write into the store's directory makes a record say more than a name: it is
// none, and nobody sees more by it.
TEST_F(GuessingDomain, HasNoNameThatIsAnothers) {
  for (const std::string& name :
       {std::string(), std::string(256, 'a'), std::string("victim/model\n"),
        std::string("victim/model\0", 13), std::string(" victim/model")}) {
    EXPECT_FALSE(Domain::Parse(name));
    std::string record = ToRecord(HeldEvent{HeldAction::kBlob, layer_, 0, kEnemy});
    record.resize(record.size() - kEnemy.name().size() - 1);
    AppendVarint(record, name.size());
    EXPECT_EQ(ParseHeldRecord(AsBytes(record + name)), std::nullopt);
  }
}

}  // namespace
}  // namespace plumb::store
