// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BASE_CHECK_H_
#define PLUMB_BASE_CHECK_H_

namespace plumb {

// Prints where a broken invariant was seen, then aborts. Never returns.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace plumb

// States what must be true if this program is right. Stays on in release builds: a crash
// loses one command, going on may lose a repository. Never use it on input: a file, a
// flag or a peer can be wrong without us being wrong, and that is an Error.
#define PLUMB_CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::plumb::CheckFailed(#condition, __FILE__, __LINE__))

#endif  // PLUMB_BASE_CHECK_H_
