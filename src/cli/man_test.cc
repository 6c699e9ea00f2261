// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/man.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/help.h"

namespace plumb::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Awkward final : public Command {
 public:
  std::string_view Name() const override { return "list"; }
  std::vector<Operand> Operands() override {
    return {{"NAME", &names_, Presence::kOptional}, {"LAST", &last_}};
  }
  std::vector<Flag> Flags() override {
    return {{"--odd", "WORD", "'quoted' first\n.SH no request, C:\\path, a-b ~ ^ `", &last_}};
  }
  Result<Answer> Run(Context& /*context*/) override { return Answer{}; }

 private:
  std::vector<std::string> names_;
  std::string last_;
};

TEST(ManTest, NothingThatIsSaidIsARequestOrAnEscape) {
  Awkward command;
  EXPECT_THAT(ManPage(command),
              HasSubstr("\n\\&\\(aqquoted\\(aq first\n"
                        "\\&.SH no request, C:\\epath, a\\-b \\(ti \\(ha \\(ga\n"));
}

TEST(ManTest, SynopsisSaysWhatMustStandAndHowOften) {
  Awkward command;
  EXPECT_THAT(ManPage(command), HasSubstr("\n\\fBplumb list\\fR [\\fINAME\\fR...] \\fILAST\\fR "
                                          "[\\fIflags\\fR]\n"));
}

TEST(ManTest, EachVerbHasAPageThatTheOverviewNames) {
  const std::string overview = ManOverview();
  for (const auto& command : AllCommands()) {
    const std::string name = "plumb\\-" + std::string(command->Name());
    const std::string page = ManPage(*command);
    EXPECT_THAT(page, StartsWith(".TH " + name + " 1 "));
    EXPECT_THAT(page, HasSubstr("\n.SH NAME\n" + name + " \\- "));
    EXPECT_THAT(page, Not(HasSubstr("\n\n"))) << "an empty line is a request";
    EXPECT_THAT(overview, HasSubstr("\\fB" + name + "\\fR(1)"));
  }
}

}  // namespace
}  // namespace plumb::cli
