#!/bin/bash
# run.sh: draws run.svg, the picture of the README: the run of `make demo`.  See `make picture`.
set -u -o pipefail

here=$(cd "$(dirname "$0")" && pwd)
if ! log=$(doc/demo/play.sh 2>&1); then
    echo "$log" >&2
    exit 1
fi
psql -qXAt -v ON_ERROR_STOP=1 -d demo -o "$here/run.svg" \
    -c "SELECT orchestration.run_diagram(id, 'svg') FROM orchestration.run WHERE status = 'Completed'"
