# SPDX-License-Identifier: Apache-2.0
#
# The tests of the core above its machine. They stand on the manual clock, so they are built with the component testing,
# which switchgear_test() links.
if(SWITCHGEAR_BUILD_TESTS AND SWITCHGEAR_WITH_TESTING)
  switchgear_test(NAME core_shell_tests
    SOURCES
      tests/any_breaker_test.cpp
      tests/call_result_test.cpp
      tests/call_timeout_test.cpp
      tests/circuit_breaker_test.cpp
      tests/classifier_test.cpp
      tests/clock_test.cpp
      tests/correlation_test.cpp
      tests/errors_test.cpp
      tests/event_hub_test.cpp
      tests/event_test.cpp
      tests/history_test.cpp
      tests/lanes_test.cpp
      tests/operators_test.cpp
      tests/owning_test.cpp
      tests/permit_test.cpp
      tests/reconfigure_test.cpp
      tests/restore_test.cpp
      tests/saved_state_test.cpp
      tests/shared_home_test.cpp
      tests/snapshot_test.cpp
      tests/threads_test.cpp
    USES core)

  # On its own, because it replaces the global operator new, which the thread sanitizer keeps for itself.
  if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize=[a-z,-]*thread")
    switchgear_test(NAME core_zero_allocation_tests
      SOURCES tests/zero_allocation_test.cpp tests/support/counted_new.cpp USES core)
  endif()
endif()
