// SPDX-License-Identifier: Apache-2.0
// Environment variables: the rows of env.def and nothing else.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace penstock {

enum class Env : int {
#define PENSTOCK_ENV(name, meaning) k##name,
#include "penstock/base/env.def"
#undef PENSTOCK_ENV
};

struct EnvRow {
  const char* name;  // with the PENSTOCK_ prefix
  const char* meaning;
};

/// All rows, in the order of env.def.
std::span<const EnvRow> env_rows();

/// The variable's text; nothing when unset or empty.
std::optional<std::string> env(Env which);

/// One warning for each PENSTOCK_* name in the environment that is no row, with the nearest row's name.
std::vector<std::string> env_warnings();

}  // namespace penstock
