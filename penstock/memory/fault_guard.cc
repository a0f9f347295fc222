// SPDX-License-Identifier: Apache-2.0
#include "penstock/memory/fault_guard.h"

#include <ucontext.h>

#include <csetjmp>
#include <csignal>

namespace penstock::memory {
namespace {

struct Frame {
  sigjmp_buf place;
  Frame* outer;
};

// initial-exec: the handler may read it on a thread that never entered a guard, where a lazily made TLS block would
// have to be allocated inside the handler.
constinit thread_local Frame* innermost __attribute__((tls_model("initial-exec"))) = nullptr;

struct sigaction previous;

/// What would have happened without our handler.
void chain(int number, siginfo_t* info, void* context) {
  if ((previous.sa_flags & SA_SIGINFO) != 0 && previous.sa_sigaction != nullptr) {
    previous.sa_sigaction(number, info, context);
    return;
  }
  const bool sent = info->si_code <= 0;  // by kill() and friends, not by a fault
  if (previous.sa_handler == SIG_IGN && sent) return;
  if (previous.sa_handler != SIG_IGN && previous.sa_handler != SIG_DFL) {
    previous.sa_handler(number);
    return;
  }
  // The faulting instruction runs again on return and meets the default action; a sent signal has to be sent again.
  std::signal(number, SIG_DFL);
  if (sent) std::raise(number);
}

void on_bus_error(int number, siginfo_t* info, void* context) {
  // BUS_ADRERR alone means "no such page in the file"; a poisoned memory cell or a misaligned access is no truncation.
  Frame* const frame = innermost;
  if (frame != nullptr && info->si_code == BUS_ADRERR) {
    // The mask of the interrupted code, whatever handlers stand between the kernel and this one: the jump leaves it.
    pthread_sigmask(SIG_SETMASK, &static_cast<const ucontext_t*>(context)->uc_sigmask, nullptr);
    siglongjmp(frame->place, 1);
  }
  chain(number, info, context);
}

bool install() {
  sigaction(SIGBUS, nullptr, &previous);
  struct sigaction ours = {};
  ours.sa_sigaction = on_bus_error;
  // SA_NODEFER: a fault inside an earlier handler that is called from here still meets a handler.
  ours.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
  sigemptyset(&ours.sa_mask);
  return sigaction(SIGBUS, &ours, nullptr) == 0;
}

}  // namespace

bool guarded(void (*body)(void* context), void* context) {
  [[maybe_unused]] static const bool installed = install();
  Frame frame;
  frame.outer = innermost;
  if (sigsetjmp(frame.place, 0) != 0) {
    innermost = frame.outer;
    return false;
  }
  innermost = &frame;
  try {
    body(context);
  } catch (...) {
    innermost = frame.outer;  // against the contract, but no reason to leave a dead frame behind
    throw;
  }
  innermost = frame.outer;
  return true;
}

}  // namespace penstock::memory
