// SPDX-License-Identifier: Apache-2.0
#include "penstock/base/fork.h"

#include <sys/wait.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace penstock {
namespace {

TEST(Fork, EachChildHasTheNextGeneration) {
  const int own = fork_generation();
  const pid_t child = fork();
  if (child == 0) {
    const int in_child = fork_generation();
    const pid_t grandchild = fork();
    if (grandchild == 0) _exit(fork_generation() == in_child + 1 ? 0 : 1);
    int status = 1;
    waitpid(grandchild, &status, 0);
    _exit(status == 0 && in_child == own + 1 ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(fork_generation(), own);
}

}  // namespace
}  // namespace penstock
