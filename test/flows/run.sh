#!/bin/bash
# run.sh: plays orchestration files and holds their paths against the snapshots in
# expected/; prints "ok" or "not ok" a file.
#
#   test/flows/run.sh FILE...
#
# Runs inside test/throwaway.sh.  A file is played to Completed by doc/demo/play.sh,
# or refused, and then the snapshot names what of it is not supported.  A file
# without a snapshot only has to be played.  What was found is left in $results.
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
results=${results:-$(mktemp -d)}
mkdir -p "$results"

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
