# SPDX-License-Identifier: Apache-2.0
#
# Puts the page into the library: sets page_source to a file in the build folder that defines find_asset() of
# src/assets.hpp. Included by libs/dashboard/CMakeLists.txt. uPlot, which draws the rates, comes through npm, as
# package-lock.json pins it; nothing is bundled, translated or run at build time.

find_program(SWITCHGEAR_NPM npm DOC "npm, which fetches what the dashboard's page takes from elsewhere")
if(NOT SWITCHGEAR_NPM)
  message(FATAL_ERROR
    "The dashboard's page needs npm, and there is none on the PATH. Install it (Debian: apt-get install npm), name it with "
    "-DSWITCHGEAR_NPM=/path/to/npm, or build without the dashboard (-DSWITCHGEAR_WITH_DASHBOARD=OFF).")
endif()

set(page_folder "${CMAKE_CURRENT_LIST_DIR}")
set(page_build "${CMAKE_CURRENT_BINARY_DIR}/page")
set(page_source "${page_build}/assets.cpp")
set(page_modules "${page_build}/node_modules/uplot")

add_custom_command(
  OUTPUT "${page_build}/uplot.stamp"
  BYPRODUCTS "${page_modules}/dist/uPlot.iife.min.js" "${page_modules}/dist/uPlot.min.css" "${page_modules}/LICENSE"
  COMMAND "${CMAKE_COMMAND}" -E copy "${page_folder}/package.json" "${page_folder}/package-lock.json" "${page_build}"
  COMMAND "${SWITCHGEAR_NPM}" ci --prefer-offline --ignore-scripts --no-audit --no-fund --loglevel=error
  COMMAND "${CMAKE_COMMAND}" -E touch "${page_build}/uplot.stamp"
  DEPENDS "${page_folder}/package.json" "${page_folder}/package-lock.json"
  WORKING_DIRECTORY "${page_build}"
  COMMENT "Fetching uPlot for the dashboard's page"
  VERBATIM)

# Path on the server, then the file: pairs.
set(page_pairs
  "/=${page_folder}/index.html"
  "/api/v1/openapi.json=${page_folder}/../api/openapi.json"
  "/assets/uplot.js=${page_modules}/dist/uPlot.iife.min.js"
  "/assets/uplot.css=${page_modules}/dist/uPlot.min.css"
  "/assets/uplot.license.txt=${page_modules}/LICENSE")
set(page_files "${page_folder}/index.html" "${page_folder}/../api/openapi.json")
file(GLOB page_parts CONFIGURE_DEPENDS "${page_folder}/*.js" "${page_folder}/*.css" "${page_folder}/*.svg")
foreach(file IN LISTS page_parts)
  get_filename_component(name "${file}" NAME)
  list(APPEND page_pairs "/assets/${name}=${file}")
  list(APPEND page_files "${file}")
endforeach()
file(MAKE_DIRECTORY "${page_build}")
list(JOIN page_pairs "\n" page_lines)
file(CONFIGURE OUTPUT "${page_build}/assets.txt" CONTENT "${page_lines}\n" @ONLY)

add_custom_command(
  OUTPUT "${page_source}"
  COMMAND "${CMAKE_COMMAND}" "-DLIST=${page_build}/assets.txt" "-DOUTPUT=${page_source}" -P "${page_folder}/write_assets.cmake"
  DEPENDS ${page_files} "${page_build}/uplot.stamp" "${page_build}/assets.txt" "${page_folder}/write_assets.cmake"
  COMMENT "Embedding the dashboard's page"
  VERBATIM)
set_source_files_properties("${page_source}" PROPERTIES INCLUDE_DIRECTORIES "${page_folder}/../src")
