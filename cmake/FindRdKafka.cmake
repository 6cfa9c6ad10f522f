# SPDX-License-Identifier: Apache-2.0
#
# Finds librdkafka, which brings no CMake package in Debian 12, and declares RdKafka::rdkafka, as librdkafka's own package does.
# Installed with switchgear's own package, whose consumers look for it in the same way. Includes are written
# <librdkafka/rdkafka.h>.
find_path(RdKafka_INCLUDE_DIR NAMES librdkafka/rdkafka.h)
find_library(RdKafka_LIBRARY NAMES rdkafka)
mark_as_advanced(RdKafka_INCLUDE_DIR RdKafka_LIBRARY)

if(RdKafka_INCLUDE_DIR)
  # 0xMMmmrrpp, two hexadecimal digits each
  file(STRINGS "${RdKafka_INCLUDE_DIR}/librdkafka/rdkafka.h" RdKafka_line REGEX "^#define RD_KAFKA_VERSION +0x[0-9a-fA-F]+")
  string(REGEX REPLACE "^.*0x(..)(..)(..).*$" "0x\\1;0x\\2;0x\\3" RdKafka_VERSION "${RdKafka_line}")
  list(TRANSFORM RdKafka_VERSION REPLACE "^0x0?" "0x")
  set(RdKafka_parts "")
  foreach(RdKafka_part IN LISTS RdKafka_VERSION)
    math(EXPR RdKafka_part "${RdKafka_part}")
    list(APPEND RdKafka_parts ${RdKafka_part})
  endforeach()
  list(JOIN RdKafka_parts "." RdKafka_VERSION)
  unset(RdKafka_line)
  unset(RdKafka_parts)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(RdKafka
  REQUIRED_VARS RdKafka_LIBRARY RdKafka_INCLUDE_DIR VERSION_VAR RdKafka_VERSION)

if(RdKafka_FOUND AND NOT TARGET RdKafka::rdkafka)
  add_library(RdKafka::rdkafka UNKNOWN IMPORTED)
  set_target_properties(RdKafka::rdkafka PROPERTIES
    IMPORTED_LOCATION "${RdKafka_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${RdKafka_INCLUDE_DIR}")
endif()
