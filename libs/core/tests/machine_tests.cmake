# SPDX-License-Identifier: Apache-2.0
#
# The proof of the machine: what others got wrong, real threads, every interleaving, and the plain reference.

switchgear_test(NAME machine_traps SOURCES tests/machine_traps_test.cpp USES core)
switchgear_test(NAME machine_outside SOURCES tests/machine_outside_test.cpp USES core)
switchgear_test(NAME machine_stress SOURCES tests/machine_stress_test.cpp USES core)

# The explorer's threads are fibers on one real thread: the thread sanitizer has nothing to see there and cannot follow
# swapcontext, the address sanitizer makes minutes of it. Both see the machine in the other tests. Some cases have a
# million executions, so they are compiled with optimisation whatever the build type.
if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize=")
  switchgear_test(NAME machine_interleavings
    SOURCES
      tests/support/explorer.cpp
      tests/explorer_test.cpp
      tests/machine_interleavings_test.cpp
      tests/machine_interleavings_operators_test.cpp
      tests/machine_interleavings_outside_test.cpp
      tests/machine_interleavings_stopped_test.cpp
      tests/machine_interleavings_windows_test.cpp
    USES core)
  target_compile_options(machine_interleavings PRIVATE -O2)
  # Other options than the precompiled headers of the tests were compiled with.
  set_target_properties(machine_interleavings PROPERTIES DISABLE_PRECOMPILE_HEADERS ON)
endif()

if(NOT SWITCHGEAR_TESTS_WITHOUT_EXCEPTIONS)
  find_package(rapidcheck REQUIRED)
  switchgear_test(NAME machine_properties SOURCES tests/machine_properties_test.cpp USES core LINKS rapidcheck
    NEEDS_EXCEPTIONS)
endif()
