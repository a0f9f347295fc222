# SPDX-License-Identifier: Apache-2.0
# The install tree of the C++ library (component "cpp"): the shared library, the public headers, the CMake package and
# the pkg-config file. Public are penstock/penstock.h and the array floor's headers, with whatever they include; nobody
# keeps a list. The floors of public headers export their symbols; all others stay hidden.
include(CMakePackageConfigHelpers)

# Adds to `out` the Penstock headers and tables that `header` (relative to the root) includes, and itself.
function(penstock_header_closure header out)
  set(closure ${${out}})
  if(NOT header IN_LIST closure)
    list(APPEND closure "${header}")
    file(STRINGS "${PROJECT_SOURCE_DIR}/${header}" lines REGEX "^[ \t]*#[ \t]*include[ \t]+[<\"]penstock/")
    # A changed #include changes the list.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${header}")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE ".*[<\"](penstock/[^>\"]+)[>\"].*" "\\1" included "${line}")
      penstock_header_closure("${included}" closure)
    endforeach()
  endif()
  set(${out} "${closure}" PARENT_SCOPE)
endfunction()

set(PENSTOCK_PUBLIC_HEADERS "")
penstock_header_closure(penstock/penstock.h PENSTOCK_PUBLIC_HEADERS)
list(TRANSFORM PENSTOCK_PUBLIC_HEADERS PREPEND "${PROJECT_SOURCE_DIR}/" OUTPUT_VARIABLE public_headers)
set(public_tables ${public_headers})
list(FILTER public_headers INCLUDE REGEX "\\.h$")
list(FILTER public_tables INCLUDE REGEX "\\.def$")
# Tables are installed beside the headers, but only headers compile alone.
target_sources(penstock
  PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${public_headers}
  PUBLIC FILE_SET tables TYPE HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${public_tables})
set_target_properties(penstock PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON INTERFACE_HEADER_SETS_TO_VERIFY HEADERS)

foreach(floor IN LISTS PENSTOCK_FLOORS)
  if(PENSTOCK_PUBLIC_HEADERS MATCHES "penstock/${floor}/")
    set_target_properties(penstock_${floor} PROPERTIES CXX_VISIBILITY_PRESET default VISIBILITY_INLINES_HIDDEN OFF)
  endif()
endforeach()

set(PENSTOCK_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/penstock")
install(TARGETS penstock EXPORT penstock-targets COMPONENT cpp
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILE_SET tables DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT penstock-targets NAMESPACE penstock:: DESTINATION "${PENSTOCK_CMAKE_DIR}" COMPONENT cpp)
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/penstock-config.cmake.in" penstock-config.cmake
  INSTALL_DESTINATION "${PENSTOCK_CMAKE_DIR}")
write_basic_package_version_file(penstock-config-version.cmake COMPATIBILITY SameMajorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/penstock-config.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/penstock-config-version.cmake"
  DESTINATION "${PENSTOCK_CMAKE_DIR}" COMPONENT cpp)

# The .pc file finds its prefix from where it lies, so the tree can be moved.
file(RELATIVE_PATH PENSTOCK_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" PENSTOCK_PC_PREFIX "${PENSTOCK_PC_PREFIX}")
configure_file("${CMAKE_CURRENT_LIST_DIR}/penstock.pc.in" penstock.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/penstock.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT cpp)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT cpp)
