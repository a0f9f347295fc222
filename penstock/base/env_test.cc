// SPDX-License-Identifier: Apache-2.0
#include "penstock/base/env.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>

namespace penstock {
namespace {

/// Sets a variable for as long as it lives, and puts the old value back.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    const char* old = std::getenv(name);
    if (old != nullptr) old_ = old;
    had_ = old != nullptr;
    value == nullptr ? unsetenv(name) : setenv(name, value, 1);
  }
  ~Variable() { had_ ? setenv(name_, old_.c_str(), 1) : unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::string old_;
  bool had_;
};

bool warns_of(const std::string& text) {
  for (const std::string& warning : env_warnings()) {
    if (warning.find(text) != std::string::npos) return true;
  }
  return false;
}

TEST(Env, RowsAreNamedOnceAndExplained) {
  std::set<std::string> names;
  for (const EnvRow& row : env_rows()) {
    EXPECT_TRUE(std::string(row.name).starts_with("PENSTOCK_"));
    EXPECT_GT(std::string(row.meaning).size(), 8u) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
  }
  EXPECT_EQ(env_rows()[static_cast<std::size_t>(Env::kTHREADS)].name, std::string("PENSTOCK_THREADS"));
  EXPECT_EQ(env_rows()[static_cast<std::size_t>(Env::kDURABILITY)].name, std::string("PENSTOCK_DURABILITY"));
}

TEST(Env, UnsetAndEmptyAreNothing) {
  {
    const Variable unset("PENSTOCK_SCRATCH", nullptr);
    EXPECT_FALSE(env(Env::kSCRATCH).has_value());
  }
  {
    const Variable empty("PENSTOCK_SCRATCH", "");
    EXPECT_FALSE(env(Env::kSCRATCH).has_value());
  }
  const Variable set("PENSTOCK_SCRATCH", "/tmp/x y");
  EXPECT_EQ(env(Env::kSCRATCH), "/tmp/x y");
}

TEST(Env, WarnsOfUnknownNamesWithTheNearestRow) {
  {
    const Variable wrong("PENSTOCK_THREAD", "3");
    EXPECT_TRUE(warns_of("unknown environment variable PENSTOCK_THREAD; did you mean PENSTOCK_THREADS?"));
  }
  {
    const Variable far("PENSTOCK_QQQQQQQQQQQQQQQQQQQQQQQ", "1");
    EXPECT_TRUE(warns_of("unknown environment variable PENSTOCK_QQQQQQQQQQQQQQQQQQQQQQQ"));
    EXPECT_FALSE(warns_of("QQQ; did you mean"));
  }
  const Variable right("PENSTOCK_THREADS", "3");
  EXPECT_FALSE(warns_of("PENSTOCK_THREADS"));
}

}  // namespace
}  // namespace penstock
