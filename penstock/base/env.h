// SPDX-License-Identifier: Apache-2.0
// Environment variables: the rows of env.def and nothing else.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "penstock/base/error.h"

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

/// What `read` makes of the variable's text; nothing when unset or empty. An ArgumentError of `read` names the
/// variable.
template <class Read>
auto env_value(Env which, Read read) -> std::optional<std::decay_t<decltype(read(std::string()))>> {
  const std::optional<std::string> text = env(which);
  if (!text) return std::nullopt;
  try {
    return read(*text);
  } catch (const ArgumentError& error) {
    throw ArgumentError(cat(env_rows()[static_cast<std::size_t>(which)].name, ": ", error.what()));
  }
}

/// One warning for each PENSTOCK_* name in the environment that is no row, with the nearest row's name.
std::vector<std::string> env_warnings();

}  // namespace penstock
