# SPDX-License-Identifier: Apache-2.0
#
# Finds Lua 5.1, the language of the scripts of Redis, which brings no CMake package in Debian 12, and declares RedisLua::RedisLua.
# (CMake's own FindLua51 declares no target.) Installed with switchgear's own package, whose consumers look for it in the same
# way. Includes are written <lua.hpp>.
find_path(RedisLua_INCLUDE_DIR NAMES lua.hpp PATH_SUFFIXES lua5.1 lua51 lua-5.1)
find_library(RedisLua_LIBRARY NAMES lua5.1 lua51 lua-5.1)
mark_as_advanced(RedisLua_INCLUDE_DIR RedisLua_LIBRARY)

if(RedisLua_INCLUDE_DIR)
  file(STRINGS "${RedisLua_INCLUDE_DIR}/lua.h" RedisLua_line REGEX "^#define[ \t]+LUA_RELEASE[ \t]+\"Lua [0-9.]+\"")
  string(REGEX REPLACE "^.*Lua ([0-9.]+).*$" "\\1" RedisLua_VERSION "${RedisLua_line}")
  unset(RedisLua_line)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(RedisLua
  REQUIRED_VARS RedisLua_LIBRARY RedisLua_INCLUDE_DIR VERSION_VAR RedisLua_VERSION)

if(RedisLua_FOUND AND NOT TARGET RedisLua::RedisLua)
  add_library(RedisLua::RedisLua UNKNOWN IMPORTED)
  set_target_properties(RedisLua::RedisLua PROPERTIES
    IMPORTED_LOCATION "${RedisLua_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${RedisLua_INCLUDE_DIR}")
endif()
