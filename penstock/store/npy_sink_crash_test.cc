// SPDX-License-Identifier: Apache-2.0
// What a sink promises when things go wrong: failing calls, full disks, killed and forked processes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "penstock/base/error.h"
#include "penstock/base/file_faults.h"
#include "penstock/base/temporary_directory.h"
#include "penstock/memory/buffer.h"
#include "penstock/store/file_source.h"
#include "penstock/store/npy_sink.h"
#include "penstock/store/partial_file.h"

namespace penstock::store {
namespace {

/// 1 MiB of the byte `value`, aligned so that a sink writes part of it with O_DIRECT.
constexpr std::int64_t kBytes = (1 << 20) + 10;

void save(const std::string& path, char value, bool overwrite = true, Durability durability = Durability::kPower) {
  const memory::Buffer data = memory::Buffer::allocate(kBytes, "test");
  std::memset(data.data(), value, static_cast<std::size_t>(kBytes));
  NpySink sink(path, DType::k_uint8, {kBytes}, overwrite, durability);
  sink.write(0, data.data(), kBytes / 2);
  sink.write(kBytes / 2, data.data() + kBytes / 2, kBytes - kBytes / 2);
  sink.commit();
}

/// The byte that fills the file; -1 unless it is a whole file of one byte.
int value_in(const std::string& path) {
  const auto source = open_npy(path, true);
  const FileFormat& format = source->format();
  if (format.layout.shape != Dims{kBytes}) return -1;
  const ByteRange range = byte_range(format.layout, 1);
  const FileBytes bytes = source->read(range, ReadMode::kBuffered);
  for (std::int64_t i = 0; i < range.size(); ++i) {
    if (bytes.data[i] != bytes.data[0]) return -1;
  }
  return std::to_integer<int>(bytes.data[0]);
}

/// Where syncs cost nothing: hundreds of them are about the order of calls, not about the disk.
std::string fast_parent() { return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ""; }

/// Runs `body` in a forked child; its exit status.
int in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

std::vector<std::string> call_log;

/// Puts a logging wrapper before an entry of the table.
template <auto Entry, class... Arguments>
void log_as(const char* name) {
  static const char* const label = name;
  file_calls().*Entry = [](Arguments... arguments) {
    if (call_log.empty() || call_log.back() != label) call_log.emplace_back(label);
    return (system_file_calls().*Entry)(arguments...);
  };
}

void log_calls() {
  call_log.clear();
  log_as<&FileCalls::fallocate, int, int, off_t, off_t>("reserve");
  log_as<&FileCalls::pwrite, int, const void*, std::size_t, off_t>("write");
  log_as<&FileCalls::fdatasync, int>("sync data");
  log_as<&FileCalls::renameat2, int, const char*, int, const char*, unsigned>("rename");
  log_as<&FileCalls::fsync, int>("sync directory");
  log_as<&FileCalls::unlinkat, int, const char*, int>("unlink");
}

TEST(NpySinkOrder, PowerSyncsBeforeAndAfterTheRename) {
  const TemporaryDirectory directory;
  log_calls();
  save(directory.path("out.npy"), 'a');
  EXPECT_EQ(call_log, (std::vector<std::string>{"reserve", "write", "sync data", "rename", "sync directory"}));
  for (const Durability durability : {Durability::kNone, Durability::kProcess}) {
    log_calls();
    save(directory.path("out.npy"), 'b', true, durability);
    EXPECT_EQ(call_log, (std::vector<std::string>{"reserve", "write", "rename"}));
  }
  file_calls() = system_file_calls();
}

TEST(NpySinkFaults, AFailedWritePoisons) {
  const TemporaryDirectory directory;
  NpySink sink(directory.path("out.npy"), DType::k_uint8, {3}, false);
  {
    const FileFaults faults({.nth = 1, .error = ENOSPC}, &FileCalls::pwrite);
    EXPECT_THROW(sink.write(0, "abc", 3), NoSpaceError);
  }
  sink.write(0, "abc", 3);
  try {
    sink.commit();
    FAIL() << "committed";
  } catch (const FileError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("because of an earlier error"), std::string::npos) << text;
    EXPECT_NE(text.find("at byte 4096: cannot write 3 B: No space left"), std::string::npos) << text;
  }
}

TEST(NpySinkFaults, AFailedSyncIsFinal) {
  const TemporaryDirectory directory;
  const std::string path = directory.path("out.npy");
  save(path, 'o');
  for (const int error : {EIO, ENOSPC, EDQUOT}) {
    NpySink sink(path, DType::k_uint8, {3}, true);
    sink.write(0, "abc", 3);
    const FileFaults faults({.nth = 1, .error = error}, &FileCalls::fdatasync);
    EXPECT_THROW(sink.commit(), Error);
    EXPECT_THROW(sink.commit(), FileError) << "the second sync would succeed without the lost pages";
    EXPECT_EQ(faults.calls(), 1);
    sink.abort();
    EXPECT_EQ(value_in(path), 'o');
    EXPECT_EQ(directory.names().size(), 1u);
  }
}

TEST(NpySinkFaults, APartialFileIsNeverSyncedTwice) {
  const TemporaryDirectory directory;
  PartialFile file(directory.path("out.npy"), true, 4096);
  const FileFaults faults({.nth = 1, .error = EIO}, &FileCalls::fdatasync);
  EXPECT_THROW(file.publish(true), FileError);
  EXPECT_THROW(file.publish(true), FileError);
  EXPECT_EQ(faults.calls(), 1);
  file.discard();
  EXPECT_TRUE(directory.names().empty());
}

/// Every call of a whole life fails once, and from then on: the name holds the old or the new file, whole.
void fail_every_call(bool overwrite) {
  const TemporaryDirectory directory(fast_parent());
  const std::string path = directory.path("out.npy");
  std::int64_t last = 0;
  {
    if (overwrite) save(path, 'o');
    const FileFaults counter({});
    save(path, 'n', overwrite);
    last = counter.calls();
  }
  ASSERT_GT(last, 12);
  const int before = open_descriptors();
  int failures = 0;
  for (const int error : {EIO, ENOSPC, EINTR, EAGAIN, EMFILE, EROFS, EINVAL, EOPNOTSUPP}) {
    for (const bool sticky : {false, true}) {
      if (sticky && error != EIO && error != ENOSPC && error != EINTR) continue;
      for (std::int64_t n = 1; n <= last + 1; ++n) {
        std::filesystem::remove(path);
        if (overwrite) save(path, 'o', true, Durability::kNone);
        bool committed = false;
        {
          const FileFaults faults({.nth = n, .sticky = sticky, .error = error});
          try {
            save(path, 'n', overwrite);
            committed = true;
          } catch (const Error& failed) {
            ++failures;
            EXPECT_NE(std::string(failed.what()).find(path), std::string::npos) << failed.what();
            EXPECT_TRUE(failed.sys_errno() == error || failed.sys_errno() == 0) << failed.what();
          }
        }
        if (overwrite || committed || std::filesystem::exists(path)) {
          const int value = value_in(path);
          EXPECT_TRUE(value == 'n' || (value == 'o' && !committed))
              << value << " after call " << n << ": " << strerror(error);
        }
        // A sticky error denies the removal as well; stale_partials finds such a file later.
        if (!sticky) {
          for (const std::string& name : directory.names()) EXPECT_EQ(name, "out.npy") << n << ": " << strerror(error);
        }
        for (const std::string& name : directory.names()) std::filesystem::remove(directory.path(name));
      }
    }
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_GT(failures, 50);
}

TEST(NpySinkFaults, EveryFailingCallLeavesTheOldFileOrTheNew) { fail_every_call(true); }
TEST(NpySinkFaults, EveryFailingCallLeavesNoFileOrTheNew) { fail_every_call(false); }

TEST(NpySinkFullDisk, SaysSoAndKeepsTheOldFile) {
  const TemporaryDirectory directory;
  const std::string disk = directory.path("disk");
  std::filesystem::create_directory(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=3m") != 0)
    GTEST_SKIP() << "cannot mount a tmpfs: " << strerror(errno);
  const std::string path = disk + "/out.npy";
  save(path, 'o');
  for (std::int64_t extra = 0; extra <= 2 << 20; extra += 64 << 10) {
    const std::string filler(static_cast<std::size_t>(extra), 'f');
    std::ofstream(disk + "/filler", std::ios::binary) << filler;
    for (const bool reserving : {true, false}) {
      // Without reserving, the error comes from a write in the middle.
      if (!reserving) {
        file_calls().fallocate = [](int, int, off_t, off_t) {
          errno = EOPNOTSUPP;
          return -1;
        };
      }
      try {
        save(path, 'n');
        EXPECT_EQ(value_in(path), 'n');
        save(path, 'o');
      } catch (const NoSpaceError& error) {
        EXPECT_EQ(value_in(path), 'o');
        EXPECT_EQ(error.sys_errno(), ENOSPC);
        const char* const says = reserving ? "bytes) free" : "cannot write";
        EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
      }
      file_calls() = system_file_calls();
      int files = 0;
      for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(disk)) ++files;
      EXPECT_EQ(files, 2);
    }
  }
  EXPECT_THROW(save(path, 'n'), NoSpaceError) << "the last filler leaves no room";
  EXPECT_EQ(umount(disk.c_str()), 0);
}

TEST(NpySinkFullDisk, AFileSizeLimitIsAnErrorNotASignal) {
  const TemporaryDirectory directory;
  const std::string path = directory.path("out.npy");
  save(path, 'o');
  const int status = in_child([&] {
    signal(SIGXFSZ, SIG_DFL);  // would end the process
    const rlimit limit = {512 << 10, 512 << 10};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    try {
      save(path, 'n');
      return 2;
    } catch (const NoSpaceError& error) {
      return error.sys_errno() == EFBIG &&
                     std::string(error.what()).find("the file size limit is 524288") != std::string::npos
                 ? 0
                 : 3;
    }
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(value_in(path), 'o');
  EXPECT_EQ(directory.names().size(), 1u);
}

TEST(NpySinkFork, TheChildMayNeitherWriteNorCommitNorRemove) {
  const TemporaryDirectory directory;
  const std::string path = directory.path("out.npy");
  auto sink = std::make_unique<NpySink>(path, DType::k_uint8, Dims{3}, false);
  const auto refused = [](auto body) {
    try {
      body();
    } catch (const FileError& error) {
      return std::string(error.what()).find("which forked") != std::string::npos;
    }
    return false;
  };
  const int status = in_child([&] {
    if (!refused([&] { sink->write(0, "bad", 3); })) return 1;
    if (!refused([&] { sink->commit(); })) return 2;
    sink->abort();
    sink.reset();
    return directory.names().size() == 1 ? 0 : 3;
  });
  EXPECT_EQ(status, 0);
  sink->write(0, "abc", 3);
  sink->commit();
  EXPECT_EQ(directory.get("out.npy").substr(4096), "abc");
}

TEST(NpySinkKill, TheNameAlwaysHoldsAWholeFile) {
  const TemporaryDirectory directory(fast_parent());
  const std::string path = directory.path("out.npy");
  save(path, 0);
  std::mt19937 random(7);
  int progress = 0;
  int litter = 0;
  for (int round = 0; round < 200; ++round) {
    const int first = value_in(path);
    int acknowledged[2];
    ASSERT_EQ(pipe2(acknowledged, O_CLOEXEC), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (unsigned generation = static_cast<unsigned>(first) + 1;; ++generation) {
        save(path, static_cast<char>(generation), true, round % 2 == 0 ? Durability::kProcess : Durability::kPower);
        const auto byte = static_cast<unsigned char>(generation);
        if (::write(acknowledged[1], &byte, 1) != 1) _exit(1);
      }
    }
    close(acknowledged[1]);
    auto last = static_cast<unsigned char>(first);
    for (unsigned long wait_for = random() % 3; wait_for > 0 && ::read(acknowledged[0], &last, 1) == 1; --wait_for)
      ++progress;
    usleep(static_cast<useconds_t>(random() % 4000));
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer failed by itself";
    while (::read(acknowledged[0], &last, 1) == 1) ++progress;
    close(acknowledged[0]);
    const int value = value_in(path);
    ASSERT_GE(value, 0) << "torn";
    // The kill may come between the rename and the acknowledgement, but not before an acknowledged one.
    const auto ahead = static_cast<unsigned char>(value - last);
    ASSERT_LE(ahead, 1) << "an acknowledged generation is lost: " << value << " after " << static_cast<int>(last);
    for (const std::string& name : stale_partials(directory.path())) {
      ++litter;
      ASSERT_EQ(unlink(name.c_str()), 0);
    }
    ASSERT_EQ(directory.names(), std::set<std::string>{"out.npy"});
  }
  EXPECT_GT(progress, 100);
  EXPECT_GT(litter, 5) << "the kills never came while a file was written";
}

TEST(StalePartials, ListsWhatDeadProcessesLeft) {
  const TemporaryDirectory directory;
  const int status = in_child([&] {
    const auto* const lost = new NpySink(directory.path("dead.npy"), DType::k_uint8, {3}, false);
    return lost == nullptr ? 1 : 0;
  });
  ASSERT_EQ(status, 0);
  const std::string dead = directory.path(*directory.names().begin());
  const NpySink live(directory.path("live.npy"), DType::k_uint8, {3}, false);
  for (const std::string& name : directory.names()) {
    const timespec times[2] = {{0, UTIME_OMIT}, {std::time(nullptr) - 60, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, directory.path(name).c_str(), times, 0), 0);
  }
  for (const char* name :
       {"plain.npy", ".x.penstock-0-0123456789abcdef.partial", ".x.penstock--3-0123456789abcdef.partial",
        "x.penstock-999999999-0123456789abcdef.partial", ".x.penstock-999999999-0123456789abcde.partial",
        ".x.penstock-999999999-0123456789abcdeF.partial", ".x.penstock-999999999-0123456789abcdef.part",
        ".x.penstock-999999999.partial", ".penstock-.partial", ".x.partial"}) {
    directory.put(name, "x");
  }
  const std::string other = directory.put(".x.penstock-999999999-0123456789abcdef.partial", "x");
  EXPECT_EQ(stale_partials(directory.path()), (std::vector<std::string>{dead, other}));
  EXPECT_EQ(stale_partials(directory.path() + "/").size(), 2u);
  EXPECT_THROW(stale_partials(directory.path("missing")), FileError);
}

TEST(StalePartials, AnUnlockedFileOfALivingPidIsStaleOnceItIsOld) {
  const TemporaryDirectory directory;
  const std::string path = directory.put(".x.penstock-1-0123456789abcdef.partial", "x");
  EXPECT_TRUE(stale_partials(directory.path()).empty()) << "its writer may be about to lock it";
  const timespec times[2] = {{0, UTIME_OMIT}, {std::time(nullptr) - 60, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  EXPECT_EQ(stale_partials(directory.path()), std::vector<std::string>{path});
}

TEST(StalePartials, ALockedFileIsInUseWhateverItsPid) {
  const TemporaryDirectory directory;
  const std::string path = directory.put(".x.penstock-999999999-0123456789abcdef.partial", "x");
  const Fd writer(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(flock(writer.get(), LOCK_EX), 0);
  const timespec times[2] = {{0, UTIME_OMIT}, {std::time(nullptr) - 60, 0}};
  ASSERT_EQ(futimens(writer.get(), times), 0);
  EXPECT_TRUE(stale_partials(directory.path()).empty());
}

}  // namespace
}  // namespace penstock::store
