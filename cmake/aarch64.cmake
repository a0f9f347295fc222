# SPDX-License-Identifier: Apache-2.0
# Cross-compiles for arm64 with Debian's g++-aarch64-linux-gnu; libraries come from build/sysroot
# (tools/arm64_sysroot.sh), tests run under qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

if(NOT PENSTOCK_SYSROOT)
  set(PENSTOCK_SYSROOT "${CMAKE_CURRENT_LIST_DIR}/../build/sysroot")
endif()
get_filename_component(PENSTOCK_SYSROOT "${PENSTOCK_SYSROOT}" ABSOLUTE)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PENSTOCK_SYSROOT)
set(CMAKE_FIND_ROOT_PATH "${PENSTOCK_SYSROOT}/usr" /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_DIR} "")
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${PENSTOCK_SYSROOT}")
set(ENV{PKG_CONFIG_LIBDIR}
  "${PENSTOCK_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${PENSTOCK_SYSROOT}/usr/share/pkgconfig")
# The cross compiler knows the multi-arch folder of its own tree only.
set(CMAKE_CXX_FLAGS_INIT "-isystem ${PENSTOCK_SYSROOT}/usr/include/aarch64-linux-gnu")
# Libraries that our libraries need are not on the link line; the linker looks for them here.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,-rpath-link,${PENSTOCK_SYSROOT}/usr/lib/aarch64-linux-gnu")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "${CMAKE_EXE_LINKER_FLAGS_INIT}")
set(CMAKE_CROSSCOMPILING_EMULATOR
  "qemu-aarch64;-L;/usr/aarch64-linux-gnu;-E;LD_LIBRARY_PATH=${PENSTOCK_SYSROOT}/usr/lib/aarch64-linux-gnu")
