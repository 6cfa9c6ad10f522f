# SPDX-License-Identifier: Apache-2.0
#
# The files of `switchgear demo`, for apps/switchgear/CMakeLists.txt. They need registry, http, buses, dashboard, fleet,
# nlohmann-json and CLI11.
set(SWITCHGEAR_DEMO_SOURCES
  demo/client.cpp
  demo/client_circuits.cpp
  demo/conductor.cpp
  demo/demo.cpp
  demo/fleet/client.cpp
  demo/fleet/client_settings.cpp
  demo/fleet/conductor.cpp
  demo/fleet/crew.cpp
  demo/fleet/histogram.cpp
  demo/fleet/latency.cpp
  demo/fleet/network.cpp
  demo/fleet/overlap.cpp
  demo/fleet/plan.cpp
  demo/fleet/record.cpp
  demo/fleet/report.cpp
  demo/fleet/run.cpp
  demo/fleet/sabotage.cpp
  demo/fleet/store.cpp
  demo/fleet/upstream.cpp
  demo/http_server.cpp
  demo/process.cpp
  demo/readings.cpp
  demo/report.cpp
  demo/screen.cpp
  demo/tally.cpp
  demo/upstream.cpp)

# Declared by switchgear_demo_tests(the program's target). Those of demo_test.cpp and fleet_test.cpp run the built program.
function(switchgear_demo_tests program)
  find_package(Threads REQUIRED)
  find_package(nlohmann_json REQUIRED)
  set(tested histogram.cpp network.cpp overlap.cpp plan.cpp record.cpp store.cpp ../process.cpp ../screen.cpp ../tally.cpp)
  list(TRANSFORM tested PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/demo/fleet/)
  set(tests demo_test.cpp fleet_statistics_test.cpp fleet_store_test.cpp fleet_test.cpp run_program.cpp)
  list(TRANSFORM tests PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/demo/tests/)
  add_executable(demo_tests ${tests} ${tested})
  target_link_libraries(demo_tests PRIVATE GTest::gtest GTest::gmock GTest::gtest_main Threads::Threads
    switchgear::core switchgear::redis nlohmann_json::nlohmann_json)
  set_target_properties(demo_tests PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_features(demo_tests PRIVATE cxx_std_20)
  target_compile_definitions(demo_tests PRIVATE SWITCHGEAR_PROGRAM="$<TARGET_FILE:${program}>")
  add_dependencies(demo_tests ${program})
  gtest_discover_tests(demo_tests DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300)
endfunction()
