// SPDX-License-Identifier: MIT OR Apache-2.0
#include <string>
#include <utility>

#include "base/text.h"
#include "cli/render.h"

namespace plumb::cli {
namespace {

Json Text(std::string_view value) { return Json::String(value); }

Json Digests(const std::vector<Digest>& digests) {
  Json array = Json::MakeArray();
  for (const Digest& digest : digests)
    array.Add(Text(digest.ToString()));
  return array;
}

Json Texts(const std::vector<std::string>& values) {
  Json array = Json::MakeArray();
  for (const std::string& value : values)
    array.Add(Text(value));
  return array;
}

std::string Count(std::uint64_t count, std::string_view thing) {
  return std::to_string(count) + " " + std::string(thing) + (count == 1 ? "" : "s");
}

Json SuffererJson(const verbs::FsckReport::Sufferer& sufferer) {
  Json json = Json::MakeObject();
  json.Append("kit", Text(sufferer.kit));
  json.Append("digest", Text(sufferer.digest.ToString()));
  json.Append("layers", Texts(sufferer.layers));
  return json;
}

Json DamageJson(const verbs::FsckReport::Line& line) {
  Json json = Json::MakeObject();
  json.Append("what", Text(line.what));
  json.Append("why", Text(line.why));
  json.Append("blobs", Digests(line.blobs));
  Json needed_by = Json::MakeArray();
  for (const verbs::FsckReport::Sufferer& sufferer : line.needed_by)
    needed_by.Add(SuffererJson(sufferer));
  json.Append("neededBy", std::move(needed_by));
  return json;
}

std::string DamageText(const verbs::FsckReport::Line& line) {
  std::string text = "Damaged: " + Printable(line.what) + ": " + Printable(line.why) + "\n";
  for (const verbs::FsckReport::Sufferer& sufferer : line.needed_by) {
    text += "  needed by " + Printable(sufferer.kit);
    if (!sufferer.layers.empty()) text += " (" + Printable(Join(sufferer.layers, ", ")) + ")";
    text += "\n";
  }
  const bool is_needless = line.needed_by.empty() && !line.blobs.empty();
  if (is_needless) text += "  no kit needs it\n";
  return text;
}

std::string RebuildText(const store::RebuildReport& rebuilt) {
  std::string text;
  for (const store::Damage& damage : rebuilt.damages)
    text += "Left out: " + Printable(damage.what) + ": " + Printable(damage.why) + "\n";
  for (const Digest& kit : rebuilt.kits_left_out)
    text += "Left out: kit '" + kit.ToString() + "': it has no tag, and is not whole\n";
  text += "Made the catalog again: " + Count(rebuilt.kits, "kit") + ", " +
          Count(rebuilt.refs, "tag") + ", " + Count(rebuilt.blobs, "blob") + ", " +
          Count(rebuilt.objects, "object") + " from " + Count(rebuilt.packs, "pack") + "; read " +
          FormatSize(rebuilt.bytes_read) + "\n";
  for (const std::string& pack : rebuilt.kept_packs)
    text += "What could not be read stays in '" + Printable(pack) + "': to be removed by hand\n";
  if (!rebuilt.old_catalog.empty())
    text += "What was in its place is '" + rebuilt.old_catalog + "' now\n";
  return text;
}

Json RebuildJson(const store::RebuildReport& rebuilt) {
  Json left_out = Json::MakeArray();
  for (const store::Damage& damage : rebuilt.damages)
    left_out.Add(Json::MakeObject().Set("what", Text(damage.what)).Set("why", Text(damage.why)));
  Json json = Json::MakeObject();
  json.Append("leftOut", std::move(left_out));
  json.Append("kitsLeftOut", Digests(rebuilt.kits_left_out));
  Json kept = Json::MakeArray();
  for (const std::string& pack : rebuilt.kept_packs)
    kept.Add(Text(pack));
  json.Append("keptPacks", std::move(kept));
  json.Append("kits", Json::Uint(rebuilt.kits));
  json.Append("tags", Json::Uint(rebuilt.refs));
  json.Append("moves", Json::Uint(rebuilt.moves));
  json.Append("blobs", Json::Uint(rebuilt.blobs));
  json.Append("objects", Json::Uint(rebuilt.objects));
  json.Append("packs", Json::Uint(rebuilt.packs));
  json.Append("bytesRead", Json::Uint(rebuilt.bytes_read));
  json.Append("oldCatalog", rebuilt.old_catalog.empty() ? Json() : Text(rebuilt.old_catalog));
  return json;
}

std::string ValueText(const Json& value) {
  const std::string* const text = value.IfString();
  return text != nullptr ? *text : WriteJson(value, JsonStyle::kCompact);
}

}  // namespace

Answer Render(const verbs::GcReport& report) {
  const store::CollectReport& collected = report.collected;
  const bool is_dry = report.dry_run == store::DryRun::kYes;
  std::string text;
  for (const Digest& kit : collected.kits)
    text += (is_dry ? "Would remove " : "Removed ") + kit.ToString() + "\n";
  text += (is_dry ? "Would free " : "Freed ") + FormatSize(collected.bytes_freed) + ": " +
          Count(collected.kits.size(), "kit") + ", " + Count(collected.blobs, "blob") + ", " +
          Count(collected.objects, "object") + ", " + Count(collected.packs, "pack") + "; " +
          FormatSize(collected.bytes_kept) + (is_dry ? " would stay\n" : " stay\n");
  if (collected.bytes_shared > 0)
    text += FormatSize(collected.bytes_shared) + " in files of other programs " +
            (is_dry ? "would go from here and stay" : "went from here and stay") + " with them\n";
  if (collected.untagged_kits > 0)
    text += Count(collected.untagged_kits, "kit") + " without a tag " +
            (collected.untagged_kits == 1 ? "stays" : "stay") + " for now, with " +
            FormatSize(collected.untagged_bytes) +
            " that nothing else needs: plumb gc --keep-untagged 0\n";
  if (collected.others_at_work)
    text += "Others are at work here: what they may need stays until the next gc\n";

  Json json = Json::MakeObject();
  json.Append("dryRun", Json::Bool(is_dry));
  json.Append("kits", Digests(collected.kits));
  json.Append("blobs", Json::Uint(collected.blobs));
  json.Append("objects", Json::Uint(collected.objects));
  json.Append("packs", Json::Uint(collected.packs));
  json.Append("bytesFreed", Json::Uint(collected.bytes_freed));
  json.Append("bytesShared", Json::Uint(collected.bytes_shared));
  json.Append("bytesKept", Json::Uint(collected.bytes_kept));
  json.Append("untaggedKits", Json::Uint(collected.untagged_kits));
  json.Append("untaggedBytes", Json::Uint(collected.untagged_bytes));
  json.Append("othersAtWork", Json::Bool(collected.others_at_work));
  return {std::move(text), std::move(json)};
}

Answer Render(const verbs::FsckReport& report) {
  const store::CheckReport& checked = report.checked;
  std::string text = report.rebuilt ? RebuildText(*report.rebuilt) : "";
  Json damages = Json::MakeArray();
  for (const verbs::FsckReport::Line& line : report.damages) {
    text += DamageText(line);
    damages.Add(DamageJson(line));
  }
  text += "Checked " + Count(checked.kits, "kit") + ", " + Count(checked.blobs, "blob") + ", " +
          Count(checked.objects, "object") + ", " + Count(checked.packs, "pack");
  if (checked.bytes_read > 0) text += "; read " + FormatSize(checked.bytes_read);
  text += "\n";

  Json json = Json::MakeObject();
  json.Append("damages", std::move(damages));
  json.Append("kits", Json::Uint(checked.kits));
  json.Append("blobs", Json::Uint(checked.blobs));
  json.Append("objects", Json::Uint(checked.objects));
  json.Append("packs", Json::Uint(checked.packs));
  json.Append("bytesRead", Json::Uint(checked.bytes_read));
  if (report.rebuilt) json.Append("rebuilt", RebuildJson(*report.rebuilt));
  Answer answer{std::move(text), std::move(json)};
  const std::uint64_t lost = report.rebuilt ? report.rebuilt->records_lost : 0;
  answer.is_wanting = !report.damages.empty() || lost > 0;
  if (!report.damages.empty()) {
    answer.failure =
        Error{ErrorKind::kCorrupt,
              "the store is damaged in " + Count(report.damages.size(), "place"), report.hint};
  } else if (lost > 0) {
    answer.failure = Error{ErrorKind::kCorrupt, "what was left out may have told of kits and tags",
                           "plumb list, to see whether one is missing"};
  }
  return answer;
}

Answer Render(const verbs::RepairReport& report) {
  std::string text;
  Json failures = Json::MakeArray();
  for (const Digest& blob : report.mended)
    text += "Mended: blob '" + blob.ToString() + "'\n";
  for (const verbs::RepairReport::Failure& failure : report.failures) {
    text += "Not mended: blob '" + failure.blob.ToString() + "': " + Printable(failure.why) + "\n";
    Json json = Json::MakeObject();
    json.Append("blob", Text(failure.blob.ToString()));
    json.Append("why", Text(failure.why));
    failures.Add(std::move(json));
  }
  if (report.bytes_moved > 0)
    text +=
        "Fetched " + FormatSize(report.bytes_moved) + " from " + Printable(report.source) + "\n";
  Answer answer = Render(report.left);
  answer.text = text + answer.text;
  answer.json.Append("source", Text(report.source));
  answer.json.Append("mended", Digests(report.mended));
  answer.json.Append("notMended", std::move(failures));
  answer.json.Append("bytesMoved", Json::Uint(report.bytes_moved));
  return answer;
}

Answer Render(const verbs::OptimizeReport& report) {
  const store::OptimizeReport& optimized = report.optimized;
  std::string text;
  if (optimized.objects == 0) {
    text = "Nothing would become smaller\n";
  } else {
    text = Count(optimized.objects, "tensor") +
           " written anew: " + FormatSize(optimized.bytes_before) + " became " +
           FormatSize(optimized.bytes_after) + "; 'plumb gc' gives the difference back\n";
  }
  Json json = Json::MakeObject();
  json.Append("tier", Text(report.tier == store::Tier::kArchive ? "archive" : "fast"));
  json.Append("lookedAt", Json::Uint(optimized.looked_at));
  json.Append("tensors", Json::Uint(optimized.objects));
  json.Append("bytesBefore", Json::Uint(optimized.bytes_before));
  json.Append("bytesAfter", Json::Uint(optimized.bytes_after));
  return {std::move(text), std::move(json)};
}

Answer Render(const verbs::DuReport& report) {
  std::vector<std::vector<std::string>> rows = {{"SIZE", "STORED", "ADDED", "ONLY", "KIT"}};
  Json kits = Json::MakeArray();
  for (const verbs::DuReport::Row& row : report.rows) {
    const store::KitUse& use = row.use;
    const std::string name = row.tags.empty() ? use.manifest.ToString() : Join(row.tags, ", ");
    rows.push_back({FormatSize(use.size), FormatSize(use.stored), FormatSize(use.added),
                    FormatSize(use.only), Printable(name)});
    Json json = Json::MakeObject();
    json.Append("digest", Text(use.manifest.ToString()));
    json.Append("tags", Texts(row.tags));
    json.Append("size", Json::Uint(use.size));
    json.Append("stored", Json::Uint(use.stored));
    json.Append("added", Json::Uint(use.added));
    json.Append("only", Json::Uint(use.only));
    json.Append("shared", Json::Uint(use.stored - use.only));
    kits.Add(std::move(json));
  }
  const store::MeasureReport& measured = report.measured;
  std::string text = Table(rows);
  std::vector<std::vector<std::string>> sums = {
      {"needed", FormatSize(measured.needed)},
      {"  by one kit only", FormatSize(measured.needed - measured.shared)},
      {"  by several", FormatSize(measured.shared)},
      {"garbage", FormatSize(measured.unneeded)}};
  if (measured.unfinished > 0)
    sums.push_back({"kept for unfinished pulls", FormatSize(measured.unfinished)});
  sums.push_back({"bookkeeping", FormatSize(measured.overhead)});
  sums.push_back({"on disk", FormatSize(measured.on_disk)});
  if (measured.adopted > 0) sums.push_back({"  in files of others", FormatSize(measured.adopted)});
  text += "\n" + Table(sums);
  Json json = Json::MakeObject();
  json.Append("kits", std::move(kits));
  json.Append("needed", Json::Uint(measured.needed));
  json.Append("shared", Json::Uint(measured.shared));
  json.Append("garbage", Json::Uint(measured.unneeded));
  json.Append("unfinished", Json::Uint(measured.unfinished));
  json.Append("bookkeeping", Json::Uint(measured.overhead));
  json.Append("onDisk", Json::Uint(measured.on_disk));
  json.Append("adopted", Json::Uint(measured.adopted));
  return {std::move(text), std::move(json)};
}

Answer Render(const verbs::ConfigReport& report) {
  std::string text = "# " + Printable(report.file) + (report.exists ? "\n" : ": not there yet\n");
  Json settings = Json::MakeObject();
  for (const verbs::Setting& setting : report.settings) {
    text += Printable(setting.key) + " = " + Printable(ValueText(setting.value)) + "\n";
    settings.Append(setting.key, setting.value);
  }
  Json json = Json::MakeObject();
  json.Append("file", Text(report.file));
  json.Append("exists", Json::Bool(report.exists));
  json.Append("settings", std::move(settings));
  return {std::move(text), std::move(json)};
}

Answer Render(const verbs::Setting& setting) {
  Json json = Json::MakeObject();
  json.Append("key", Text(setting.key));
  json.Append("value", setting.value);
  return {ValueText(setting.value) + "\n", std::move(json)};
}

}  // namespace plumb::cli
