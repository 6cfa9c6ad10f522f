# SPDX-License-Identifier: Apache-2.0
#
# switchgear_component(NAME core
#   SOURCES src/a.cpp …          the compiled files, each named
#   USES core config             other components, all below this one
#   FINDS "CURL" "…"             find_package arguments a consumer has to repeat, one string each
#   LINKS CURL::libcurl          imported targets, part of the public link interface
#   PKGCONFIG libcurl            the same for pkg-config: modules the component needs when it is linked (the property
#                                SWITCHGEAR_NAME_PC_PRIVATE, set before, says the same)
#   TESTS tests/a_test.cpp …)    unit tests, built when SWITCHGEAR_BUILD_TESTS is on
#
# declares the target switchgear_NAME with the alias switchgear::NAME, its tests and its installation. All
# components are declared by this one function, so they all look alike and removing one is deleting its folder.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set_property(GLOBAL PROPERTY SWITCHGEAR_COMPONENTS "")

if(SWITCHGEAR_BUILD_TESTS OR SWITCHGEAR_BUILD_FUZZERS)
  enable_testing()
endif()
if(SWITCHGEAR_BUILD_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
  # Compiled once for all test programs.
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/test_headers.cpp" CONTENT "")
  add_library(switchgear_test_headers OBJECT "${PROJECT_BINARY_DIR}/test_headers.cpp")
  target_compile_features(switchgear_test_headers PUBLIC cxx_std_20)
  set_target_properties(switchgear_test_headers PROPERTIES CXX_EXTENSIONS OFF)
  target_link_libraries(switchgear_test_headers PRIVATE GTest::gtest GTest::gmock)
  target_precompile_headers(switchgear_test_headers PRIVATE <gtest/gtest.h> <gmock/gmock.h> <string> <vector>)
endif()

function(switchgear_component)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;USES;FINDS;LINKS;PKGCONFIG;TESTS")
  set(target switchgear_${arg_NAME})

  add_library(${target} STATIC ${arg_SOURCES})
  add_library(switchgear::${arg_NAME} ALIAS ${target})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${arg_NAME} POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF)
  foreach(used IN LISTS arg_USES)
    target_link_libraries(${target} PUBLIC switchgear::${used})
  endforeach()
  foreach(find IN LISTS arg_FINDS)
    separate_arguments(find_arguments UNIX_COMMAND "${find}")
    find_package(${find_arguments} REQUIRED)
  endforeach()
  target_link_libraries(${target} PUBLIC ${arg_LINKS})

  if(SWITCHGEAR_INSTALL)
    switchgear_install_component(${target} ${arg_NAME})
    get_property(modules GLOBAL PROPERTY SWITCHGEAR_${arg_NAME}_PC_PRIVATE)
    switchgear_write_pkgconfig(${arg_NAME} "${arg_USES}" "${arg_PKGCONFIG};${modules}")
  endif()
  set_property(GLOBAL APPEND PROPERTY SWITCHGEAR_COMPONENTS ${arg_NAME})
  set_property(GLOBAL PROPERTY SWITCHGEAR_${arg_NAME}_USES "${arg_USES}")
  set_property(GLOBAL PROPERTY SWITCHGEAR_${arg_NAME}_FINDS "${arg_FINDS}")

  if(SWITCHGEAR_BUILD_TESTS AND arg_TESTS)
    switchgear_test(NAME ${arg_NAME}_tests SOURCES ${arg_TESTS} USES ${arg_NAME})
  endif()
endfunction()

function(switchgear_install_component target name)
  install(TARGETS ${target} EXPORT switchgear_${name}_targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${name})
  install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT ${name})
  install(EXPORT switchgear_${name}_targets NAMESPACE switchgear::
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/switchgear COMPONENT ${name})
endfunction()

# switchgear_test(NAME x_tests SOURCES … USES components… LINKS targets… [NEEDS_EXCEPTIONS])
#
# declares one test program, every case known to CTest. NEEDS_EXCEPTIONS leaves it out of the build that proves that the
# core lives without exceptions and type information (RapidCheck, for one, needs both).
function(switchgear_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "NEEDS_EXCEPTIONS" "NAME" "SOURCES;USES;LINKS")
  if(arg_NEEDS_EXCEPTIONS AND SWITCHGEAR_TESTS_WITHOUT_EXCEPTIONS)
    return()
  endif()
  add_executable(${arg_NAME} ${arg_SOURCES})
  foreach(used IN LISTS arg_USES)
    target_link_libraries(${arg_NAME} PRIVATE switchgear::${used})
  endforeach()
  target_link_libraries(${arg_NAME} PRIVATE ${arg_LINKS} GTest::gtest GTest::gmock GTest::gtest_main)
  # By name, because the core's tests are declared before the component testing is.
  target_link_libraries(${arg_NAME} PRIVATE $<TARGET_NAME_IF_EXISTS:switchgear_testing>)
  set_target_properties(${arg_NAME} PROPERTIES CXX_EXTENSIONS OFF)
  if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=[a-z,-]*undefined")
    target_compile_definitions(${arg_NAME} PRIVATE SWITCHGEAR_TEST_UNDER_UBSAN)  # for tests that it cannot live with
  endif()
  target_precompile_headers(${arg_NAME} REUSE_FROM switchgear_test_headers)
  gtest_discover_tests(${arg_NAME} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300)
endfunction()

# switchgear_fuzzer(NAME dotenv SOURCES … USES components… LINKS targets…)
#
# declares the libFuzzer program fuzz_NAME with the seeds in corpus/NAME, and a test that lets it look for something new
# for SWITCHGEAR_FUZZ_SECONDS. What it finds stays in the build folder, crashes/NAME-….
set(SWITCHGEAR_FUZZ_SECONDS 10 CACHE STRING "How long the test of one fuzzer runs, in seconds")
function(switchgear_fuzzer)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;USES;LINKS")
  set(target fuzz_${arg_NAME})
  set(seeds "${CMAKE_CURRENT_SOURCE_DIR}/corpus/${arg_NAME}")
  if(NOT IS_DIRECTORY "${seeds}")
    message(FATAL_ERROR "The fuzzer ${arg_NAME} has no seeds: put some inputs into ${seeds}.")
  endif()
  add_executable(${target} ${arg_SOURCES})
  foreach(used IN LISTS arg_USES)
    target_link_libraries(${target} PRIVATE switchgear::${used})
  endforeach()
  target_link_libraries(${target} PRIVATE ${arg_LINKS})
  target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  set(found "${PROJECT_BINARY_DIR}/corpus/${arg_NAME}")
  file(MAKE_DIRECTORY "${found}" "${PROJECT_BINARY_DIR}/crashes")
  add_test(NAME fuzz.${arg_NAME} COMMAND ${target} -max_total_time=${SWITCHGEAR_FUZZ_SECONDS} -timeout=10
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix=${PROJECT_BINARY_DIR}/crashes/${arg_NAME}-
    "${found}" "${seeds}")
  set_tests_properties(fuzz.${arg_NAME} PROPERTIES TIMEOUT 300)
endfunction()

# Static libraries hand on what they need: Requires, not Requires.private, so that plain --libs is enough to link.
function(switchgear_write_pkgconfig name uses modules)
  set(SWITCHGEAR_PC_NAME ${name})
  list(TRANSFORM uses PREPEND "switchgear-")
  list(APPEND uses ${modules})
  list(REMOVE_ITEM uses "")
  list(JOIN uses ", " SWITCHGEAR_PC_REQUIRES)
  file(RELATIVE_PATH SWITCHGEAR_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  string(REGEX REPLACE "/$" "" SWITCHGEAR_PC_PREFIX "${SWITCHGEAR_PC_PREFIX}")
  configure_file(${PROJECT_SOURCE_DIR}/cmake/switchgear.pc.in
    ${PROJECT_BINARY_DIR}/pkgconfig/switchgear-${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/pkgconfig/switchgear-${name}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT ${name})
endfunction()

# Writes switchgearConfig.cmake: find_package(switchgear COMPONENTS a b) finds only what a and b need.
function(switchgear_install_package)
  get_property(components GLOBAL PROPERTY SWITCHGEAR_COMPONENTS)
  set(SWITCHGEAR_CONFIG_BODY "")
  foreach(name IN LISTS components)
    get_property(uses GLOBAL PROPERTY SWITCHGEAR_${name}_USES)
    get_property(finds GLOBAL PROPERTY SWITCHGEAR_${name}_FINDS)
    string(APPEND SWITCHGEAR_CONFIG_BODY "set(_switchgear_${name}_uses ${uses})\nmacro(_switchgear_find_${name})\n")
    foreach(find IN LISTS finds)
      string(APPEND SWITCHGEAR_CONFIG_BODY "  find_dependency(${find})\n")
    endforeach()
    string(APPEND SWITCHGEAR_CONFIG_BODY "endmacro()\n")
  endforeach()
  set(dir ${CMAKE_INSTALL_LIBDIR}/cmake/switchgear)
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/switchgearConfig.cmake.in
    ${PROJECT_BINARY_DIR}/switchgearConfig.cmake INSTALL_DESTINATION ${dir})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/switchgearConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/switchgearConfig.cmake ${PROJECT_BINARY_DIR}/switchgearConfigVersion.cmake
    DESTINATION ${dir} COMPONENT core)
endfunction()
