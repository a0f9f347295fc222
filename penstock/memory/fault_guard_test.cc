// SPDX-License-Identifier: Apache-2.0
#include "penstock/memory/fault_guard.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

#include "penstock/base/file.h"
#include "penstock/base/machine.h"

namespace penstock::memory {
namespace {

/// `pages` mapped pages of 7s, the file behind them cut to one page.
class CutMapping {
 public:
  explicit CutMapping(std::int64_t pages = 4) : bytes_(static_cast<std::size_t>(pages * page_size())) {
    const Fd fd(memfd_create("penstock-guard", MFD_CLOEXEC));
    const std::vector<char> sevens(bytes_, 7);
    EXPECT_EQ(pwrite(fd.get(), sevens.data(), bytes_, 0), static_cast<ssize_t>(bytes_));
    data_ = static_cast<char*>(mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, fd.get(), 0));
    EXPECT_NE(static_cast<void*>(data_), MAP_FAILED);
    EXPECT_EQ(ftruncate(fd.get(), page_size()), 0);
  }
  ~CutMapping() { munmap(data_, bytes_); }
  CutMapping(const CutMapping&) = delete;
  CutMapping& operator=(const CutMapping&) = delete;

  volatile const char* present() const { return data_; }
  volatile const char* missing() const { return data_ + page_size(); }

 private:
  std::size_t bytes_;
  char* data_;
};

struct Load {
  volatile const char* from;
  int value = -1;
};

void load(void* context) {
  auto* const each = static_cast<Load*>(context);
  each->value = *each->from;
}

TEST(FaultGuard, PresentPagesAreRead) {
  const CutMapping mapping;
  Load present{mapping.present()};
  EXPECT_TRUE(guarded(load, &present));
  EXPECT_EQ(present.value, 7);
}

TEST(FaultGuard, AMissingPageIsAReturnValue) {
  const CutMapping mapping;
  for (int i = 0; i < 1000; ++i) {
    Load missing{mapping.missing()};
    ASSERT_FALSE(guarded(load, &missing));
    ASSERT_EQ(missing.value, -1);
  }
  Load present{mapping.present()};
  EXPECT_TRUE(guarded(load, &present)) << "the guard works again after a fault";
}

struct Nested {
  const CutMapping* mapping;
  bool inner = true;
  int after = -1;
  bool fault_outside = false;
};

void nest(void* context) {
  auto* const each = static_cast<Nested*>(context);
  Load missing{each->mapping->missing()};
  each->inner = guarded(load, &missing);
  each->after = *each->mapping->present();
  if (each->fault_outside) each->after = *each->mapping->missing();
}

TEST(FaultGuard, NestedGuardsCatchTheirOwn) {
  const CutMapping mapping;
  Nested inner_only{&mapping};
  EXPECT_TRUE(guarded(nest, &inner_only));
  EXPECT_FALSE(inner_only.inner);
  EXPECT_EQ(inner_only.after, 7);
  Nested both{&mapping, true, -1, true};
  EXPECT_FALSE(guarded(nest, &both));
  EXPECT_FALSE(both.inner);
  EXPECT_EQ(both.after, 7) << "what the outer body did before its own fault stays";
}

struct sigaction behind;  // our handler, for the one in front of it

TEST(FaultGuard, AHandlerInFrontMayPassFaultsOn) {
  const CutMapping mapping;
  Load present{mapping.present()};
  ASSERT_TRUE(guarded(load, &present));  // our handler is installed
  struct sigaction front = {};
  front.sa_flags = SA_SIGINFO;  // the signal is blocked while it runs
  front.sa_sigaction = [](int number, siginfo_t* info, void* context) { behind.sa_sigaction(number, info, context); };
  ASSERT_EQ(sigaction(SIGBUS, &front, &behind), 0);
  for (int i = 0; i < 3; ++i) {
    Load missing{mapping.missing()};
    EXPECT_FALSE(guarded(load, &missing));
  }
  ASSERT_EQ(sigaction(SIGBUS, &behind, nullptr), 0);
}

TEST(FaultGuard, EightThreadsFaultAtOnce) {
  const CutMapping mapping;
  std::atomic<int> caught{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        Load missing{mapping.missing()};
        if (!guarded(load, &missing)) ++caught;
        Load present{mapping.present()};
        if (!guarded(load, &present) || present.value != 7) caught = -1'000'000;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(caught, 8000);
}

TEST(FaultGuard, TheSignalMaskStaysAsItWas) {
  const CutMapping mapping;
  sigset_t before;
  sigset_t after;
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &before), 0);
  Load missing{mapping.missing()};
  ASSERT_FALSE(guarded(load, &missing));
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &after), 0);
  for (int number = 1; number < NSIG; ++number) EXPECT_EQ(sigismember(&before, number), sigismember(&after, number));
}

TEST(FaultGuardDeathTest, AnEscapingExceptionLeavesNoGuardBehind) {
  EXPECT_THROW(guarded([](void*) { throw std::runtime_error("against the contract"); }, nullptr), std::runtime_error);
  const CutMapping mapping;
  EXPECT_DEATH(static_cast<void>(*mapping.missing()), "") << "no guard is active, so the fault is fatal";
}

bool ended_by_sigbus(int status) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return status != 0;  // the sanitizer's handler is the earlier one: it reports and exits
#else
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS;
#endif
}

TEST(FaultGuardDeathTest, AFaultOutsideEndsTheProcessBySigbus) {
  const CutMapping mapping;
  Load present{mapping.present()};
  ASSERT_TRUE(guarded(load, &present));  // the handler is installed
  EXPECT_EXIT(static_cast<void>(*mapping.missing()), ended_by_sigbus, "");
}

TEST(FaultGuardDeathTest, ASentSignalIsNoFault) {
  const auto raise_inside = [] { guarded([](void*) { std::raise(SIGBUS); }, nullptr); };
  EXPECT_EXIT(raise_inside(), ended_by_sigbus, "");
}

/// In a fresh process: another handler first, then ours, then a fault outside any guard.
void chain_to(void (*handler)(int, siginfo_t*, void*), bool fault_inside) {
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, nullptr);
  const CutMapping mapping;
  Load missing{mapping.missing()};
  if (guarded(load, &missing)) _exit(1);  // must be caught by the guard, not by the handler
  if (fault_inside) _exit(7);
  missing.value = *mapping.missing();
  _exit(2);
}

TEST(FaultGuardDeathTest, FaultsOutsideGoToTheEarlierHandler) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";  // a new process, in which no guard was entered yet
  const auto exit_with_42 = [](int, siginfo_t*, void*) { _exit(42); };
  EXPECT_EXIT(chain_to(exit_with_42, false), ::testing::ExitedWithCode(42), "");
  EXPECT_EXIT(chain_to(exit_with_42, true), ::testing::ExitedWithCode(7), "");
}

TEST(FaultGuardDeathTest, AnIgnoredSignalStaysIgnoredWhenSent) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto body = [] {
    std::signal(SIGBUS, SIG_IGN);
    guarded([](void*) {}, nullptr);
    std::raise(SIGBUS);
    _exit(9);
  };
  EXPECT_EXIT(body(), ::testing::ExitedWithCode(9), "");
}

}  // namespace
}  // namespace penstock::memory
