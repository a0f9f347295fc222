// SPDX-License-Identifier: Apache-2.0
// Errors: one C++ class, one Python class and one exit status for each row of error.def.
#pragma once

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>

namespace penstock {

enum class ErrorCode : std::uint16_t {
#define PENSTOCK_ERROR(name, code, bases, status) k##name = code,
#include "penstock/base/error.def"
#undef PENSTOCK_ERROR
};

/// Base of everything Penstock throws on purpose. `sys_errno()` is 0 unless a system call failed.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& what, int sys_errno = 0)
      : std::runtime_error(what), code_(code), sys_errno_(sys_errno) {}
  ErrorCode code() const { return code_; }
  int sys_errno() const { return sys_errno_; }

 private:
  ErrorCode code_;
  int sys_errno_;
};

#define PENSTOCK_ERROR(name, code, bases, status)                                                             \
  class name : public Error {                                                                                 \
   public:                                                                                                    \
    explicit name(const std::string& what, int sys_errno = 0) : Error(ErrorCode::k##name, what, sys_errno) {} \
  };
#include "penstock/base/error.def"
#undef PENSTOCK_ERROR

/// Joins its arguments as text: `cat("axis ", axis, " of ", rank)`.
template <class... Parts>
std::string cat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// Throws InternalError when `holds` is false: a broken promise of our own, never a user's mistake.
#define PENSTOCK_CHECK(holds, ...)                                                                 \
  do {                                                                                             \
    if (!(holds)) {                                                                                \
      throw ::penstock::InternalError(                                                             \
          ::penstock::cat(__FILE__, ":", __LINE__, ": ", #holds __VA_OPT__(, ": ", __VA_ARGS__))); \
    }                                                                                              \
  } while (false)

}  // namespace penstock
