// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef PLUMB_BASE_RESULT_H_
#define PLUMB_BASE_RESULT_H_

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace plumb {

// What a caller can do about a failure. A kind earns its place only if some caller
// branches on it; everything else about a failure belongs in the message.
enum class ErrorKind : std::uint8_t {
  kNotFound,     // the thing named is not there; nothing is damaged
  kCorrupt,      // bytes are there and are not what they must be
  kInvalid,      // the request itself is wrong: a flag, a name, a malformed file
  kConflict,     // someone else changed it first; read again, then retry
  kDenied,       // we may not, or a signature or policy says no
  kUnavailable,  // the same call may work later; safe to retry
  kExhausted,    // a limit was reached: disk, quota, or one of our own maxima
  kUnsupported,  // a newer format or feature than this build knows
  kInterrupted,  // the person asked to stop; what was complete is kept
};

// Why something failed, in words fit for a person: lower case, no full stop, the subject
// in single quotes ("cannot open 'x': permission denied").
struct [[nodiscard]] Error {
  ErrorKind kind;
  std::string message;
  std::string hint = {};  // what to do about it, best as a command to run; may be empty

  // Says what we were doing, outermost first: "cannot pull 'm:1': cannot open 'x': ...".
  Error While(std::string_view doing) && {
    return Error{kind, std::string(doing) + ": " + std::move(message), std::move(hint)};
  }
};

// Returned by every function that can fail: a T, or the Error that says why not. It is
// tl::expected (std::expected before C++23), and three things more: ignoring one is a
// warning; `return Error{...};` needs no wrapper; and reading the value of a failure stops
// the program in release builds too, because it is a bug, not an error.
template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  using Expected = tl::expected<T, Error>;

 public:
  // Implicit, so that `return value;` and `return Error{...};` read as they should.
  // NOLINTBEGIN(google-explicit-constructor)
  Result(T value) : Expected(std::move(value)) {}
  Result(Error error) : Expected(tl::unexpect, std::move(error)) {}
  Result(Expected other) : Expected(std::move(other)) {}
  // NOLINTEND(google-explicit-constructor)

  T& operator*() & { return Checked().Expected::operator*(); }
  const T& operator*() const& { return Checked().Expected::operator*(); }
  T&& operator*() && { return std::move(Checked().Expected::operator*()); }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }

 private:
  Result& Checked() {
    PLUMB_CHECK(this->has_value());
    return *this;
  }
  const Result& Checked() const {
    PLUMB_CHECK(this->has_value());
    return *this;
  }
};

// For functions that only succeed or fail: return Done{} on success.
struct Done {};
using Status = Result<Done>;

}  // namespace plumb

// Evaluates `expression`; on failure returns its Error from the enclosing function, on
// success binds the value: PLUMB_TRY(auto reader, store.Open(digest));
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration cannot stand in parentheses.
#define PLUMB_TRY(binding, expression) PLUMB_TRY_AT_(binding, expression, __LINE__)
#define PLUMB_TRY_AT_(binding, expression, line) PLUMB_TRY_NAMED_(binding, expression, line)
#define PLUMB_TRY_NAMED_(binding, expression, line)                        \
  auto plumb_result_##line = (expression);                                 \
  if (!plumb_result_##line) return std::move(plumb_result_##line).error(); \
  binding = *std::move(plumb_result_##line)
// NOLINTEND(bugprone-macro-parentheses)

// The same for a call whose value is not wanted: PLUMB_RETURN_IF_ERROR(file->Sync());
#define PLUMB_RETURN_IF_ERROR(expression)                      \
  do {                                                         \
    auto plumb_status = (expression);                          \
    if (!plumb_status) return std::move(plumb_status).error(); \
  } while (false)

#endif  // PLUMB_BASE_RESULT_H_
