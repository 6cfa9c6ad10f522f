# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What ./run, ./test and ./bench share. Sourced by them, with `root` set to the top of the repository.
# Everything said here goes to standard error: standard output belongs to the program that is run.
: "${root:?set it to the top of the repository before sourcing this file}"

# The Debian packages each command needs, no more. --no-install-recommends is used, so each is named.
packages_to_run=(g++ cmake ninja-build nlohmann-json3-dev libtomlplusplus-dev libcli11-dev libspdlog-dev
  libcurl4-openssl-dev libboost1.81-dev libhiredis-dev librdkafka-dev libpq-dev prometheus-cpp-dev
  liblua5.1-0-dev)
# The page takes a library from npm. Where npm did not come as Debian's package, its packages would only be in the way.
command -v npm >/dev/null || packages_to_run+=(nodejs npm)
packages_to_bench=("${packages_to_run[@]}" libbenchmark-dev redis-server)
# shellcheck disable=SC2034 # used by ./test
packages_to_test=("${packages_to_bench[@]}" libgtest-dev libgmock-dev librapidcheck-dev ccache pkg-config
  postgresql-15 chromium prometheus doxygen curl jq clang lld llvm libclang-rt-14-dev
  spin iproute2)

say() { printf '%s\n' "$*" >&2; }

die() {
  say "$(basename "$0"): $*"
  exit 1
}

# missing_packages NAME…: those that are not installed, one a line. Asks dpkg only, which takes milliseconds.
missing_packages() {
  local installed
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p') || true
  printf '%s\n' "$@" | grep -vxF -f <(printf '%s\n' "$installed" | grep .) || true
}

# need_packages NAME…: installs what is missing, as root or through sudo, without a question.
need_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "This is not a Debian system, so nothing is installed. Needed are the equivalents of: $*"
    return 0
  fi
  local missing=() as_root=()
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      as_root=(sudo -n)
    elif command -v sudo >/dev/null && [ -t 0 ] && [ -z "${CI:-}" ]; then
      as_root=(sudo)
    else
      die "these Debian packages are missing and there is neither root nor sudo to install them: ${missing[*]}
Install them with: apt-get install --no-install-recommends ${missing[*]}"
    fi
  fi
  say "Installing Debian packages: ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300
    -o Acquire::Retries=3)
  "${apt[@]}" update </dev/null >&2 || say "apt-get update failed; trying with the package lists that are here"
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >&2 ||
    die "the packages above could not be installed"
}

use_compiler_cache() {
  command -v ccache >/dev/null || return 0
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
  # Precompiled headers are cached only with these, see the ccache manual.
  export CCACHE_SLOPPINESS=pch_defines,time_macros
  # Another checkout of the same sources finds what this one has compiled, and so does another build folder with the same flags.
  export CCACHE_BASEDIR="$root"
  export CCACHE_NOHASHDIR=1
  if [ -z "${HOME:-}" ] && [ -z "${CCACHE_DIR:-}" ]; then
    export CCACHE_DIR="$root/build/ccache"
  fi
}

# configure PRESET [CMAKE ARGS]: runs cmake when the presets, the arguments or the place of the sources changed since
# the last time; changes of CMake files are noticed by ninja. Leaves the build folder in `build_folder`.
configure() {
  local preset=$1
  shift
  build_folder="$root/build/$preset"
  [ "$preset" != bench ] || build_folder="$root/build/release"
  # A stamp for each preset: bench only adds to what release configured in the same folder.
  local stamp="$build_folder/.configured-$preset" wanted
  wanted=$(printf '%s\n' "$root" "$@" && cksum <"$root/CMakePresets.json")
  if [ -f "$build_folder/build.ninja" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    return 0
  fi
  local fresh=()
  if [ -f "$build_folder/CMakeCache.txt" ] &&
    ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$build_folder/CMakeCache.txt"; then
    fresh=(--fresh) # the repository was moved or copied with its build folder
  fi
  say "Configuring $preset"
  rm -f "$stamp"
  [ "${#fresh[@]}" -eq 0 ] || rm -f "$build_folder"/.configured-*
  (cd "$root" && cmake "${fresh[@]}" --preset "$preset" "$@" >&2) || return 1
  printf '%s\n' "$wanted" >"$stamp"
}

# build PRESET [CMAKE ARGS]: configures and builds; says nothing when there is nothing to do. Two builds of the same
# folder at the same time wait for each other.
build() {
  mkdir -p "$root/build"
  (
    if command -v flock >/dev/null; then
      flock -n 9 || { say "Waiting for another build to end"; flock 9; }
    fi
    configure "$@" || exit 1
    if [ "$(ninja -C "$build_folder" -n 2>/dev/null | tail -n 1)" != "ninja: no work to do." ]; then
      say "Building $1"
      ninja -C "$build_folder" 9>&- >&2 || exit 1
    fi
  ) 9>"$root/build/.lock"
}
