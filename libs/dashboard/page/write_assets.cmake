# SPDX-License-Identifier: Apache-2.0
#
# cmake -DLIST=assets.txt -DOUTPUT=assets.cpp -P write_assets.cmake
# Writes the files that LIST names, one `PATH=FILE` a line, as a table of C++ with find_asset() of src/assets.hpp. Bytes are
# written as string literals of hexadecimal escapes: compilers read those many times quicker than lists of numbers.

set(type_html "text/html; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_svg "image/svg+xml")
set(type_json "application/json")
set(type_txt "text/plain; charset=utf-8")

file(STRINGS "${LIST}" lines)
set(rows "")
foreach(line IN LISTS lines)
  string(REGEX MATCH "^([^=]+)=(.+)$" matched "${line}")
  set(path "${CMAKE_MATCH_1}")
  set(file "${CMAKE_MATCH_2}")
  if(NOT EXISTS "${file}")
    message(FATAL_ERROR "The dashboard's page needs ${file}, and it is missing. If it belongs to uPlot, delete the folder "
      "node_modules beside ${LIST} and build again.")
  endif()
  string(REGEX MATCH "[^.]+$" extension "${file}")
  if(extension MATCHES "/LICENSE$")
    set(extension txt)
  endif()
  if(NOT DEFINED type_${extension})
    message(FATAL_ERROR "write_assets.cmake knows no content type for ${file}; add one for .${extension}.")
  endif()

  file(SHA256 "${file}" hash)
  string(SUBSTRING "${hash}" 0 24 hash)
  file(SIZE "${file}" size)
  file(READ "${file}" bytes HEX)
  string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
  set(byte "....")  # one escape
  string(REPEAT "${byte}" 30 row)
  string(REGEX REPLACE "(${row})" "\\1\"\n    \"" bytes "${bytes}")
  string(APPEND rows "  {\"${path}\", \"${type_${extension}}\", {\n    \"${bytes}\", ${size}}, R\"(\"${hash}\")\"},\n")
endforeach()

file(WRITE "${OUTPUT}.new" "// SPDX-License-Identifier: Apache-2.0
// Written by write_assets.cmake: change the files of libs/dashboard/page instead.
#include \"assets.hpp\"

#pragma GCC diagnostic ignored \"-Woverlength-strings\"

namespace switchgear::inline v1::detail {
namespace {

constexpr asset assets[] = {
${rows}};

}  // namespace

const asset* find_asset(std::string_view path) noexcept {
  for (const asset& a : assets)
    if (a.path == path) return &a;
  return nullptr;
}

}  // namespace switchgear::inline v1::detail
")
file(RENAME "${OUTPUT}.new" "${OUTPUT}")
