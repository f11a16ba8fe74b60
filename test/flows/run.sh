#!/bin/bash
# run.sh: plays orchestration files and compares their paths with the snapshots in expected/;
# prints "ok" or "not ok" for each file.
#
#   test/flows/run.sh FILE...
#
# Runs inside test/throwaway.sh.  doc/demo/play.sh plays a file to Completed, or refuses it; then
# the snapshot names its unsupported elements.  A file without a snapshot must only be played.  The
# diagram of the run is checked and rendered, as SVG and by Graphviz.  The paths are left in
# $results.  An approval is then played in the other ways of approval.sql.
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
results=${results:-$(mktemp -d)}
mkdir -p "$results"

# an empty diagram is smaller
rendered() {
    [ "$(wc -c <"$1")" -gt 2000 ]
}

render() {
    local run
    run=$(psql -X -q -At -d demo -c 'SELECT id FROM orchestration.run ORDER BY id DESC LIMIT 1')
    [ -n "$run" ] || return 0
    psql -X -q -At -d demo -c "SELECT orchestration.run_diagram('$run', 'svg')" >"$results/$1.svg" &&
        /usr/bin/python3 "$top/test/check/diagram.py" "$results/$1.svg" &&
        rsvg-convert "$results/$1.svg" -o "$results/$1.svg.png" && rendered "$results/$1.svg.png" &&
        psql -X -q -At -d demo -c "SELECT orchestration.run_diagram('$run', 'dot')" >"$results/$1.dot" &&
        dot -Tpng "$results/$1.dot" -o "$results/$1.dot.png" && rendered "$results/$1.dot.png"
}

# an approval is played in further ways, see approval.sql
approval() {
    psql -X -q -d demo -v ON_ERROR_STOP=1 -At -f "$here/approval.sql"
}

psql -X -q -d postgres -c 'CREATE ROLE regress_flow_reviewer' 2>/dev/null
for file in "$@"; do
    name=$(basename "$file" .xml)
    expected=$here/expected/$name.path
    log=$results/$name.log
    found=$results/$name.path
    PGOPTIONS='-c jit=off' timeout 120 bash "$top/doc/demo/play.sh" "$file" >"$log" 2>&1
    status=$?
    if grep -q '^ERROR: *the definition has' "$log"; then
        sed -n 's/.*\(element "[^"]*" is not supported\).*/refused: \1/p' "$log" | LC_ALL=C sort -u >"$found"
        [ -s "$found" ] && status=0
    else
        psql -X -q -d demo -f "$here/path.sql" >"$found" 2>&1
        render "$name" >>"$log" 2>&1 || status=1
        if [ $status -eq 0 ] && grep -q '<processType>ApprovalWorkflow' "$file"; then
            approval >>"$log" 2>&1 || status=1
        fi
    fi
    if [ $status -ne 0 ]; then
        echo "not ok - $name"
        tail -n 30 "$log"
    elif [ ! -e "$expected" ]; then
        echo "ok - $name (no snapshot)"
    elif diff -u "$expected" "$found"; then
        echo "ok - $name"
    else
        echo "not ok - $name: another path"
    fi
done
psql -X -q -d postgres -c 'DROP DATABASE IF EXISTS demo' -c 'DROP ROLE regress_flow_reviewer' 2>/dev/null
