# SPDX-License-Identifier: Apache-2.0
#
# The files of `switchgear demo`, for apps/switchgear/CMakeLists.txt. They need registry, http, buses, dashboard, nlohmann-json and
# CLI11.
set(SWITCHGEAR_DEMO_SOURCES
  demo/client.cpp
  demo/client_circuits.cpp
  demo/conductor.cpp
  demo/demo.cpp
  demo/process.cpp
  demo/readings.cpp
  demo/report.cpp
  demo/screen.cpp
  demo/tally.cpp
  demo/upstream.cpp)

# Each runs the built program; declared by switchgear_demo_tests(the program's target).
function(switchgear_demo_tests program)
  find_package(Threads REQUIRED)
  find_package(nlohmann_json REQUIRED)
  add_executable(demo_tests ${CMAKE_CURRENT_SOURCE_DIR}/demo/tests/demo_test.cpp
    ${CMAKE_CURRENT_SOURCE_DIR}/demo/tests/run_program.cpp)
  target_link_libraries(demo_tests PRIVATE GTest::gtest GTest::gmock GTest::gtest_main Threads::Threads
    nlohmann_json::nlohmann_json)
  target_compile_features(demo_tests PRIVATE cxx_std_20)
  target_compile_definitions(demo_tests PRIVATE SWITCHGEAR_PROGRAM="$<TARGET_FILE:${program}>")
  add_dependencies(demo_tests ${program})
  gtest_discover_tests(demo_tests DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300)
endfunction()
