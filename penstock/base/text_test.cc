// SPDX-License-Identifier: Apache-2.0
#include "penstock/base/text.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "penstock/base/error.h"

namespace penstock {
namespace {

TEST(Text, SizesReadAsPeopleWriteThem) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(512), "512 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1024), "1 KiB");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(std::int64_t{3} << 30), "3 GiB");
  EXPECT_EQ(bytes_text(INT64_MAX), "8 EiB");
  EXPECT_EQ(bytes_text(-2048), "-2 KiB");
}

TEST(Text, ParsesSizes) {
  const std::int64_t kib = 1024;
  const struct {
    const char* text;
    std::int64_t bytes;
  } kRows[] = {
      {"0", 0},
      {"1048576", 1 << 20},
      {"512B", 512},
      {"64k", 64 * kib},
      {"64K", 64 * kib},
      {"64KiB", 64 * kib},
      {"64ki", 64 * kib},
      {"64KB", 64'000},
      {"500MB", 500'000'000},
      {"2GiB", 2 * kib * kib * kib},
      {"1.5 GB", 1'500'000'000},
      {"0.5k", 512},
      {"1e3", 1000},
      {"50%", 500},
      {"12.5%", 125},
      {"100%", 1000},
      {" 8 MiB ", 8 << 20},
      {"1T", kib * kib * kib * kib},
      {"4EiB", std::int64_t{1} << 62},
  };
  for (const auto& row : kRows) EXPECT_EQ(parse_bytes(row.text, 1000), row.bytes) << row.text;
}

TEST(Text, RefusesWhatIsNoSizeAndNamesIt) {
  for (const char* text :
       {"", " ", "x", "MB", "-1", "-1KB", "12XB", "5%%", "5% of", "1e300", "8EiB", "nan", "inf", "1KiBB", "0x10"}) {
    try {
      parse_bytes(text, 1000);
      ADD_FAILURE() << "accepted '" << text << "'";
    } catch (const ArgumentError& error) {
      EXPECT_NE(std::string(error.what()).find("'" + std::string(text) + "'"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("512MiB"), std::string::npos) << "no way out: " << error.what();
    }
  }
}

TEST(Text, FindsTheNearestName) {
  const std::vector<std::string> names = {"float32", "float64", "int32", "uint8"};
  EXPECT_EQ(nearest("flaot32", names), "float32");
  EXPECT_EQ(nearest("float6", names), "float64");
  EXPECT_EQ(nearest("int33", names), "int32");
  EXPECT_EQ(nearest("complex", names), "");
  EXPECT_EQ(nearest("", names), "");
  EXPECT_EQ(nearest("uint8", names), "uint8");
  EXPECT_EQ(nearest("float32", {}), "");
}

RC_GTEST_PROP(TextProperty, WholeSizesComeBack, ()) {
  const auto bytes = *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 53);
  RC_ASSERT(parse_bytes(std::to_string(bytes), 0) == bytes);
  RC_ASSERT(parse_bytes(std::to_string(bytes) + " B", 0) == bytes);
}

RC_GTEST_PROP(TextProperty, TextOfASizeIsNearIt, ()) {
  const auto bytes = *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 61);
  const auto back = static_cast<double>(parse_bytes(bytes_text(bytes), 0));
  RC_ASSERT(std::abs(back - static_cast<double>(bytes)) <= 0.051 * static_cast<double>(bytes));
}

RC_GTEST_PROP(TextProperty, ParsingNeverDoesAnythingButParseOrThrow, (const std::string& text)) {
  try {
    const std::int64_t bytes = parse_bytes(text, 1000);
    RC_ASSERT(bytes >= 0 && bytes <= (std::int64_t{1} << 62));
  } catch (const ArgumentError&) {
  }
}

}  // namespace
}  // namespace penstock
