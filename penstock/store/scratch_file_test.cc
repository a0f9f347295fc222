// SPDX-License-Identifier: Apache-2.0
#include "penstock/store/scratch_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "penstock/base/error.h"
#include "penstock/base/file_faults.h"
#include "penstock/base/temporary_directory.h"

namespace penstock::store {
namespace {

std::string read_all(const Fd& fd, std::int64_t bytes) {
  std::string text(static_cast<std::size_t>(bytes), '\0');
  EXPECT_EQ(read_fully(fd.get(), text.data(), bytes, 0, "scratch"), bytes);
  return text;
}

void roundtrip(const TemporaryDirectory& directory) {
  ScratchFile file(directory.path(), 1 << 20);
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));  // nothing to be left behind
  EXPECT_EQ(file.name(), "scratch file in " + directory.path());
  const std::string part(1000, 'x');
  file.write(4000, part.data(), 1000);
  std::memcpy(file.mapped() + 900000, "mapped", 6);
  file.drop_mapped();
  const std::string text = read_all(file.finish(), 1 << 20);
  EXPECT_EQ(text.substr(4000, 1000), part);
  EXPECT_EQ(text.substr(900000, 6), "mapped");
}

TEST(ScratchFile, KeepsWhatIsWrittenAndHasNoName) {
  const TemporaryDirectory directory;
  roundtrip(directory);
}

TEST(ScratchFile, WorksWhereNamelessFilesAreUnknown) {
  for (const int error : {EOPNOTSUPP, EISDIR, EINVAL}) {
    const TemporaryDirectory directory;
    const FileFaults faults({1, false, error}, &FileCalls::openat);
    roundtrip(directory);
  }
}

TEST(ScratchFile, ReservesItsSpaceOrSaysHowToGoOn) {
  const TemporaryDirectory directory;
  const FileFaults faults({1, true, ENOSPC}, &FileCalls::fallocate);
  try {
    const ScratchFile file(directory.path(), 5 << 20);
    FAIL() << "no error";
  } catch (const NoSpaceError& error) {
    EXPECT_NE(std::string(error.what()).find("PENSTOCK_SCRATCH"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("5242880"), std::string::npos) << error.what();
  }
}

TEST(ScratchFile, MissingDirectoriesAndFailingDisksAreErrors) {
  const TemporaryDirectory directory;
  EXPECT_THROW(ScratchFile(directory.path("nowhere"), 100), FileError);
  ScratchFile file(directory.path(), 100);
  {
    const FileFaults faults({1, true, EIO}, &FileCalls::pwrite);
    EXPECT_THROW(file.write(0, "x", 1), FileError);
  }
  const FileFaults faults({1, true, EIO}, &FileCalls::fdatasync);
  EXPECT_THROW(file.finish(), FileError);
}

TEST(ScratchFile, DirectoryIsTheSettingThenTheOutputsThenTheSystems) {
  unsetenv("PENSTOCK_SCRATCH");
  EXPECT_EQ(scratch_directory("/data/out.npy"), "/data");
  EXPECT_EQ(scratch_directory("out.npy"), ".");
  EXPECT_EQ(scratch_directory("/out.npy"), "/");
  setenv("TMPDIR", "/somewhere", 1);
  EXPECT_EQ(scratch_directory(""), "/somewhere");
  unsetenv("TMPDIR");
  EXPECT_EQ(scratch_directory(""), access("/var/tmp", W_OK | X_OK) == 0 ? "/var/tmp" : "/tmp");
  setenv("PENSTOCK_SCRATCH", "/fast", 1);
  EXPECT_EQ(scratch_directory("/data/out.npy"), "/fast");
  unsetenv("PENSTOCK_SCRATCH");
}

}  // namespace
}  // namespace penstock::store
