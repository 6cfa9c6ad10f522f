#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A script that copies something every night, and stops hammering a host that is down: `switchgear exec` before the command, and
# one more exit status to look at. The circuit lives in a file, so it outlasts the script and is shared by all that use its name.
set -u
switchgear=${SWITCHGEAR:-switchgear}

# So that trying this out leaves nothing behind; a script of yours does without these lines.
SWITCHGEAR_STATE_DIR=$(mktemp -d) || exit 1
export SWITCHGEAR_STATE_DIR
trap 'rm -rf "$SWITCHGEAR_STATE_DIR"' EXIT

# Three failures in a row open the circuit for ten minutes. Exit status 2 (bad arguments) is our own fault and says nothing about
# the host.
guarded() {
  "$switchgear" exec --name backup --failure-threshold 3 --open-duration 10m --ignore-exit 2 --timeout 1h -- "$@"
}

copy() { # COMMAND…: in earnest this would be: guarded rsync -a /data backup.example.org:/
  guarded "$@"
  case $? in
    0) echo "copied" ;;
    2) echo "not copied: bad arguments" ;;
    75) echo "not tried: the host was down a moment ago" ;; # why, and when to come back, is on standard error
    *) echo "not copied" ;;
  esac
}

copy true
copy sh -c 'exit 2'
for night in 1 2 3 4 5; do
  echo "night $night"
  copy false
done

# Whoever knows that the host is back need not wait.
"$switchgear" reset backup --reason "disk replaced" >/dev/null
copy true
