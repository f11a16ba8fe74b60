#!/bin/bash
# lease.sh: test/storm/lease.py, 500 kills.
KILLS=${KILLS:-500} KILL_SEED=${KILL_SEED:-3} exec /usr/bin/python3 "$(dirname "$0")/../storm/lease.py"
