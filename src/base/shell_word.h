// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BASE_SHELL_WORD_H_
#define PLUMB_BASE_SHELL_WORD_H_

#include <string>
#include <string_view>

namespace plumb {

// As one word of a command that a person may copy into a shell: in single quotes if it needs them.
std::string ShellWord(std::string_view text);

}  // namespace plumb

#endif  // PLUMB_BASE_SHELL_WORD_H_
