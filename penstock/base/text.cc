// SPDX-License-Identifier: Apache-2.0
#include "penstock/base/text.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "penstock/base/error.h"

namespace penstock {

std::string bytes_text(std::int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  while (std::abs(value) >= 1024.0 && unit < 6) {
    value /= 1024.0;
    ++unit;
  }
  char text[48];
  const bool whole = unit == 0 || value == std::floor(value);
  std::snprintf(text, sizeof text, whole ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

namespace {

/// The factor of a size's suffix ("" is 1); 0 when it is none.
double unit_factor(std::string_view suffix) {
  if (suffix.empty() || suffix == "b") return 1;
  static constexpr std::string_view kLetters = "kmgtpe";
  const std::size_t power = kLetters.find(suffix[0]);
  if (power == std::string_view::npos) return 0;
  const std::string_view rest = suffix.substr(1);
  if (rest == "b") return std::pow(1000.0, static_cast<double>(power + 1));
  if (rest.empty() || rest == "ib" || rest == "i") return std::pow(1024.0, static_cast<double>(power + 1));
  return 0;
}

}  // namespace

std::int64_t parse_bytes(std::string_view text, std::int64_t whole) {
  std::string lower;
  for (const char c : text) {
    if (c != ' ') lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  double number = 0;
  const char* end = lower.data() + lower.size();
  const auto [rest, status] = std::from_chars(lower.data(), end, number);
  const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
  const double factor = suffix == "%" ? static_cast<double>(whole) / 100.0 : unit_factor(suffix);
  const double bytes = number * factor;
  if (status != std::errc() || factor == 0 || !(bytes >= 0) || bytes > 0x1p62) {
    throw ArgumentError(cat("'", text, "' is not a size; write it like 512MiB, 2GiB, 1.5GB or 50%"));
  }
  return static_cast<std::int64_t>(bytes);
}

std::int64_t parse_count(std::string_view text) {
  std::int64_t value = -1;
  const char* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc() || rest != end || value < 0)
    throw ArgumentError(cat("'", text, "' is not a whole number of at least 0"));
  return value;
}

std::string nearest(std::string_view name, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = name.size() / 3 + 1;
  for (const std::string& candidate : candidates) {
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= name.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j < row.size(); ++j) {
        const std::size_t replaced = diagonal + (name[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

}  // namespace penstock
