#!/bin/bash
# kill.sh: test/storm/kill.py, 200 kills.
KILLS=${KILLS:-200} KILL_SEED=${KILL_SEED:-2} exec /usr/bin/python3 "$(dirname "$0")/../storm/kill.py"
