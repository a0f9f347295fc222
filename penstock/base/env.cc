// SPDX-License-Identifier: Apache-2.0
#include "penstock/base/env.h"

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "penstock/base/error.h"
#include "penstock/base/text.h"

extern char** environ;

namespace penstock {
namespace {

constexpr EnvRow kRows[] = {
#define PENSTOCK_ENV(name, meaning) {"PENSTOCK_" #name, meaning},
#include "penstock/base/env.def"
#undef PENSTOCK_ENV
};

}  // namespace

std::span<const EnvRow> env_rows() { return kRows; }

std::optional<std::string> env(Env which) {
  const char* value = std::getenv(kRows[static_cast<int>(which)].name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::vector<std::string> env_warnings() {
  std::vector<std::string> names;
  for (const EnvRow& row : kRows) names.emplace_back(row.name);
  std::vector<std::string> warnings;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!text.starts_with("PENSTOCK_")) continue;
    const std::string name(text.substr(0, text.find('=')));
    bool known = false;
    for (const std::string& each : names) known = known || each == name;
    if (known) continue;
    const std::string near = nearest(name, names);
    warnings.push_back(
        cat("unknown environment variable ", name, near.empty() ? "" : cat("; did you mean ", near, "?")));
  }
  return warnings;
}

}  // namespace penstock
