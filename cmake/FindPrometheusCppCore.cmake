# SPDX-License-Identifier: Apache-2.0
#
# Finds the core library of prometheus-cpp alone and declares PrometheusCppCore::PrometheusCppCore: its own CMake package also asks
# for what its HTTP server and its pusher need. Installed with switchgear's own package, whose consumers look for it in the same
# way. Includes are written <prometheus/collectable.h>.
find_path(PrometheusCppCore_INCLUDE_DIR NAMES prometheus/collectable.h)
find_library(PrometheusCppCore_LIBRARY NAMES prometheus-cpp-core)
mark_as_advanced(PrometheusCppCore_INCLUDE_DIR PrometheusCppCore_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(PrometheusCppCore
  REQUIRED_VARS PrometheusCppCore_LIBRARY PrometheusCppCore_INCLUDE_DIR)

if(PrometheusCppCore_FOUND AND NOT TARGET PrometheusCppCore::PrometheusCppCore)
  add_library(PrometheusCppCore::PrometheusCppCore UNKNOWN IMPORTED)
  set_target_properties(PrometheusCppCore::PrometheusCppCore PROPERTIES
    IMPORTED_LOCATION "${PrometheusCppCore_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${PrometheusCppCore_INCLUDE_DIR}")
endif()
