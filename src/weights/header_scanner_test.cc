// SPDX-License-Identifier: MIT OR Apache-2.0
#include "weights/header_scanner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace plumb::weights {
namespace {

void AppendText(std::string& header, std::string_view text) {
  AppendU64(header, text.size());
  header += text;
}

std::string GgufHeader(int tokens) {
  std::string header = "GGUF";
  AppendU32(header, 3);
  AppendU64(header, 2);
  AppendU64(header, 4);
  AppendText(header, "name");
  AppendU32(header, 8);
  AppendText(header, "value");
  AppendText(header, "tokens");
  AppendU32(header, 9);
  AppendU32(header, 8);
  AppendU64(header, static_cast<std::uint64_t>(tokens));
  for (int i = 0; i < tokens; ++i)
    AppendText(header, std::string(static_cast<std::size_t>(i % 11), 't'));
  AppendText(header, "scores");
  AppendU32(header, 9);
  AppendU32(header, 6);
  AppendU64(header, 3);
  header += std::string(12, 's');
  AppendText(header, "count");
  AppendU32(header, 4);
  AppendU32(header, 7);
  for (const std::string_view name : {"first", "second.weight"}) {
    AppendText(header, name);
    AppendU32(header, 2);
    header += std::string(16, '\1');
    AppendU32(header, 0);
    AppendU64(header, 0);
  }
  return header;
}

// What a scanner takes for the header of `file`, fed `step` bytes at a time at most.
std::string Scan(const std::string& file, std::size_t step) {
  HeaderScanner scanner;
  std::size_t at = 0;
  while (scanner.Needs() > 0 && at < file.size()) {
    const std::size_t size =
        std::min({step, file.size() - at, static_cast<std::size_t>(scanner.Needs())});
    scanner.Take(AsBytes(file).subspan(at, size));
    at += size;
  }
  return std::move(scanner).TakeHeader();
}

TEST(HeaderScanner, FindsTheEndOfGgufAndNeverReadsBeyond) {
  for (const int tokens : {0, 1, 5000}) {
    const std::string header = GgufHeader(tokens);
    const std::string file = header + std::string(100, 'd');
    for (const std::size_t step : {std::size_t{1}, std::size_t{13}, file.size()})
      EXPECT_EQ(Scan(file, step), header) << tokens << " " << step;
  }
}

TEST(HeaderScanner, FindsTheEndOfSafetensors) {
  std::string file;
  AppendText(file, R"({"a":1}  )");
  const std::string header = file;
  file += "data";
  EXPECT_EQ(Scan(file, 1), header);
  EXPECT_EQ(Scan(file, 100), header);
}

TEST(HeaderScanner, GivesUpOnWhatIsNone) {
  EXPECT_EQ(Scan("some other file, which is longer", 100), "");
  EXPECT_EQ(Scan(std::string(100, '\0'), 100), "");
  EXPECT_EQ(Scan(std::string(100, '\xff'), 100), "");
}

// A count or a length that the rest of the file cannot hold is not waited for.
TEST(HeaderScanner, GivesUpOnCountsThatCannotBe) {
  const std::string header = GgufHeader(3);
  for (std::size_t at = 8; at + 8 <= header.size(); ++at) {
    std::string file = header + std::string(1000, 'd');
    for (std::size_t i = 0; i < 8; ++i)
      file[at + i] = '\x7f';
    EXPECT_LE(Scan(file, 50).size(), file.size());
  }
}

}  // namespace
}  // namespace plumb::weights
