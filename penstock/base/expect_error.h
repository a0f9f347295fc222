// SPDX-License-Identifier: Apache-2.0
// For tests: what an error is and says. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "penstock/base/error.h"

namespace penstock {

/// The class and text of the error that `body` throws; code 0 for none.
template <class Body>
std::pair<ErrorCode, std::string> error_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {ErrorCode{}, "no error"};
}

/// Expects the statements to throw an error of ErrorCode::k`name` whose text contains `says`.
#define EXPECT_ERROR(name, says, ...)                                       \
  do {                                                                      \
    const auto found = ::penstock::error_of([&] { __VA_ARGS__; });          \
    EXPECT_EQ(found.first, ::penstock::ErrorCode::k##name) << found.second; \
    EXPECT_NE(found.second.find(says), std::string::npos) << found.second;  \
  } while (false)

}  // namespace penstock
