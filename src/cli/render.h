// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_CLI_RENDER_H_
#define PLUMB_CLI_RENDER_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/command.h"
#include "verbs/build.h"
#include "verbs/config.h"
#include "verbs/diff.h"
#include "verbs/du.h"
#include "verbs/export.h"
#include "verbs/fsck.h"
#include "verbs/gc.h"
#include "verbs/import.h"
#include "verbs/init.h"
#include "verbs/inspect.h"
#include "verbs/list.h"
#include "verbs/optimize.h"
#include "verbs/pull.h"
#include "verbs/push.h"
#include "verbs/remove.h"
#include "verbs/repair.h"
#include "verbs/show.h"
#include "verbs/tag.h"
#include "verbs/unpack.h"

// What is printed of reports and errors. Lines that `kit` prints too are worded as it words
// them; names that came from outside are made printable.
namespace plumb::cli {

// What is printed when such work begins; the answer says how it ended.
std::string BeginningOf(const verbs::UnpackReport& report);
std::string BeginningOf(const verbs::PushReport& report);
std::string BeginningOf(const verbs::PullReport& report);

Answer Render(const verbs::BuildReport& report);
Answer Render(const verbs::UnpackReport& report);
Answer Render(const verbs::InspectReport& report);
Answer Render(const verbs::TagReport& report);
Answer Render(const std::vector<verbs::RemoveReport>& reports);
Answer Render(const verbs::PushReport& report);
Answer Render(const verbs::PullReport& report);
Answer Render(const verbs::DiffReport& report);
Answer Render(const verbs::TensorsReport& report);
Answer Render(const verbs::InitReport& report);
Answer Render(const verbs::ExportReport& report);
Answer Render(const verbs::ImportReport& report);
Answer Render(const verbs::GcReport& report);
Answer Render(const verbs::OptimizeReport& report);
Answer Render(const verbs::FsckReport& report);
Answer Render(const verbs::RepairReport& report);
Answer Render(const verbs::DuReport& report);
Answer Render(const verbs::ConfigReport& report);
Answer Render(const verbs::Setting& setting);

// `format`: "table", "json" or a template. kInvalid if it is none.
Result<Answer> Render(const verbs::ListReport& report, std::string_view format);

// Columns, three spaces apart; the last one is not padded.
std::string Table(const std::vector<std::vector<std::string>>& rows);

// JSON as it is printed: indented, with a line end.
std::string PrintedJson(const Json& value);

// "error: …" and "hint: …", a line each. A message of several lines keeps them.
std::string ErrorText(const Error& error);
// {"kind","message","hint"} in one line.
std::string ErrorJson(const Error& error);

// Text of any origin for a screen: Printable(), but lines and tabs stay.
std::string PrintableLines(std::string_view text);

}  // namespace plumb::cli

#endif  // PLUMB_CLI_RENDER_H_
