// SPDX-License-Identifier: MIT OR Apache-2.0
#include <string>
#include <vector>

#include "cli/run.h"
#include "host/files.h"
#include "host/http.h"
#include "host/links.h"
#include "host/machine.h"
#include "host/process.h"
#include "host/terminal.h"
#include "verbs/version.h"

int main(int argument_count, char** arguments) {
  plumb::host::OccupyStandardStreams();
  plumb::host::CatchStopSignals();
  const auto files = plumb::host::MakeFiles();
  const auto clock = plumb::host::MakeClock();
  const auto entropy = plumb::host::MakeEntropy();
  const auto environment = plumb::host::MakeEnvironment();
  const auto http = plumb::host::MakeHttp("plumb/" + std::string(plumb::verbs::kVersion));
  const auto processes = plumb::host::MakeProcesses();
  const auto terminal = plumb::host::MakeTerminal();
  const auto links = plumb::host::MakeLinks();
  const plumb::verbs::Machine machine{*files, *clock,     *entropy, *environment,
                                      *http,  *processes, *links};
  std::vector<std::string> words(arguments, arguments + argument_count);
  if (!words.empty()) words.erase(words.begin());
  return plumb::cli::Run(machine, *terminal, words);
}
