# SPDX-License-Identifier: Apache-2.0
# Compiler settings of every target. Each departure from the defaults has its reason here.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

# A repeated compile costs a copy where ccache is installed.
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(PENSTOCK_CCACHE ccache)
  if(PENSTOCK_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${PENSTOCK_CCACHE}")
  endif()
endif()

add_library(penstock_flags INTERFACE)
target_include_directories(penstock_flags INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(penstock_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  # g++ 12 reports overlapping copies inside std::string's operator+ where there are none.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # A fused kernel rounds where the separate operations round: no contraction to FMA, ever.
  -ffp-contract=off
  # Neither flag changes a result; both let loops with comparisons, floor and sqrt vectorise.
  -fno-trapping-math -fno-math-errno)
if(PENSTOCK_WERROR)
  target_compile_options(penstock_flags INTERFACE -Werror)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # SSE4.2 is the lowest CPU Penstock runs on; wider targets are chosen at run time. A target whose property
  # PENSTOCK_MARCH names another level takes that one: a second -march after this one would lose against it.
  set(march "$<TARGET_PROPERTY:PENSTOCK_MARCH>")
  target_compile_options(penstock_flags INTERFACE "-march=$<IF:$<BOOL:${march}>,${march},x86-64-v2>")
endif()
if(PENSTOCK_SANITIZE)
  target_compile_options(penstock_flags INTERFACE
    -fsanitize=${PENSTOCK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(penstock_flags INTERFACE -fsanitize=${PENSTOCK_SANITIZE})
endif()
if(PENSTOCK_COVERAGE)
  # Threads count too.
  target_compile_options(penstock_flags INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(penstock_flags INTERFACE --coverage)
endif()
