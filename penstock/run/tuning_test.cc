// SPDX-License-Identifier: Apache-2.0
#include "penstock/run/tuning.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "penstock/base/expect_error.h"
#include "penstock/run/runner.h"
#include "penstock/run/settings.h"

namespace penstock::run {
namespace {

std::int64_t row_of(const std::vector<std::pair<std::string, std::int64_t>>& rows, const std::string& name) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.first == name; });
  return found == rows.end() ? -1 : found->second;
}

/// A threshold as long as the object lives.
class Tuned {
 public:
  Tuned(std::string name, std::int64_t bytes) : name_(std::move(name)), before_(row_of(tuned_rows(), name_)) {
    set_tuned(name_, bytes);
  }
  ~Tuned() { set_tuned(name_, before_); }
  Tuned(const Tuned&) = delete;
  Tuned& operator=(const Tuned&) = delete;

 private:
  std::string name_;
  std::int64_t before_;
};

TEST(TuningDefaults, FollowTheCaches) {
  const TunedMachine small_last{false, 1 << 20, 32 << 20};
  EXPECT_EQ(row_of(default_rows(small_last), "stream_arithmetic"), 24 << 20);
  const TunedMachine server{true, 1280 << 10, 48 << 20};
  EXPECT_EQ(row_of(default_rows(server), "stream_arithmetic"), 2560 << 10);
  EXPECT_EQ(row_of(default_rows(server), "stream_maths"), 36 << 20);
  const TunedMachine desktop{true, 256 << 10, 8 << 20};
  EXPECT_EQ(row_of(default_rows(desktop), "stream_arithmetic"), 6 << 20);
}

TEST(TuningFile, IsReadAsWritten) {
  const auto rows = parse_tuning("{\n \"machine\": \"m\",\n \"awake_copy\": 7,\n \"stream_maths\": 9\n}\n", "m");
  EXPECT_EQ(rows, (std::vector<std::pair<std::string, std::int64_t>>{{"awake_copy", 7}, {"stream_maths", 9}}));
}

TEST(TuningFile, AnythingElseIsRefused) {
  const std::string good = "{\"machine\": \"m\", \"awake_copy\": 7}";
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_THROW(parse_tuning(good.substr(0, n), "m"), Error) << n;
  for (const char* bad : {"", "[]", "null", "{\"machine\": 3}", "{\"machine\": \"m\", \"no_row\": 7}",
                          "{\"machine\": \"m\", \"awake_copy\": -7}", "{\"machine\": \"m\", \"awake_copy\": \"7\"}",
                          "{\"machine\": \"m\"} {}", "{\"machine\" \"m\"}", "{,}",
                          "{\"machine\": \"m\", \"awake_copy\": 99999999999999999999}"}) {
    EXPECT_THROW(parse_tuning(bad, "m"), Error) << bad;
  }
  EXPECT_THROW(parse_tuning(good, "another"), ArgumentError);
}

TEST(Tuning, NamesAndBytesAreChecked) {
  EXPECT_THROW(set_tuned("awake", 1), ArgumentError);
  EXPECT_THROW(set_tuned("awake_copy", -1), ArgumentError);
  const Tuned set("awake_copy", 12345);
  EXPECT_EQ(tuned(Tuning::k_awake_copy), 12345);
}

TEST(Tuning, SleepingThreadsAreWokenForMore) {
  const Tuned awake("awake_maths", 1000);
  const Tuned asleep("asleep_maths", 50'000);
  EXPECT_EQ(workers_for(999, 4, OpClass::kMaths), 1);
  EXPECT_EQ(workers_for(50'000, 4, OpClass::kMaths), 4);
  EXPECT_EQ(workers_for(50'000, 1, OpClass::kMaths), 1);
  // Asked often enough, one is the second of a row.
  while (workers_for(1000, 4, OpClass::kMaths) != 4) {
  }
}

TEST(Tuning, StoresGoAroundTheCachesFromTheThresholdOn) {
  const Tuned set("stream_arithmetic", 1000);
  EXPECT_FALSE(streams_stores(1000, OpClass::kArithmetic));
  EXPECT_TRUE(streams_stores(1001, OpClass::kArithmetic));
  EXPECT_FALSE(streams_stores(std::int64_t{1} << 60, OpClass::kReduction));
}

TEST(Chunks, LeaveEachWorkerSeveral) {
  const Program plain;  // no instructions: a copy
  EXPECT_EQ(chunk_of(plain, 1 << 30, 2), kChunk);
  EXPECT_EQ(chunk_of(plain, 100'000, 2), 8192);
  EXPECT_EQ(chunk_of(plain, 1, 2), 4096);
}

}  // namespace
}  // namespace penstock::run
