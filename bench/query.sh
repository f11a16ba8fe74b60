#!/bin/bash
# query.sh: the benchmark of query(); prints two tables in Markdown.
#
#   bench/query.sh          (or: make bench)
#
# On a throwaway server.  The compared statements run in turns; a figure is the median over the
# turns of the average latency that pgbench reports.  The second table has the rows that a query
# reads, for a user who sees the 300 oldest runs and for one who sees all.
#
#   BENCH_ROUNDS=5          turns of each
#   BENCH_RUNS=1000000      runs
set -u -o pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
rounds=${BENCH_ROUNDS:-5}
runs=${BENCH_RUNS:-1000000}

if [ -z "${PGHOST:-}" ]; then
    export ORCH_SERVER_CONF="shared_buffers = 2GB
max_wal_size = 16GB
checkpoint_timeout = 30min
autovacuum = off
jit = off"
    exec "$top/test/throwaway.sh" "$top/bench/query.sh"
fi

. "$top/bench/lib.sh.inc"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
db=orchestration_bench_query
sql() { psql -X -q -At -v ON_ERROR_STOP=1 -d "$db" "$@"; }
row() { printf '| %s | %s | %s | %s | %s |\n' "$@" >>"$work/table"; }

say 'loading'
psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $db" -c "CREATE DATABASE $db" 2>/dev/null
sql -c 'CREATE EXTENSION orchestration'
for role in few half all none; do
    sql -c "DROP ROLE IF EXISTS bench_$role" -c "CREATE ROLE bench_$role" 2>/dev/null
done
sql -v "rows=$runs" -f "$top/bench/query_setup.sql" >&2 || exit 1

# latency in ms of a script: role transactions file [mode]
latency() {
    PGOPTIONS="-c role=bench_$1 -c max_parallel_workers_per_gather=0" \
        pgbench -n -M "${4:-prepared}" -t "$2" -f "$3" "$db" >"$work/out" 2>"$work/err"
    grep -q 'number of failed transactions: 0 ' "$work/out" || { cat "$work/err" "$work/out" >&2; exit 1; }
    sed -n 's/^latency average = \([0-9.]*\) ms/\1/p' "$work/out"
}

# two scripts in turns, result in $a and $b: role transactions script1 script2 [mode of script2]
compare() {
    printf '%s\n' "$3" >"$work/a.sql"
    printf '%s\n' "$4" >"$work/b.sql"
    : >"$work/a" && : >"$work/b"
    for turn in warm $(seq "$rounds"); do
        for side in a b; do
            latency "$1" "$2" "$work/$side.sql" "$([ $side = a ] || echo "${5:-}")" >"$work/one" || exit 1
            [ "$turn" = warm ] || cat "$work/one" >>"$work/$side"
        done
    done
    a=$(median <"$work/a")
    b=$(median <"$work/b")
}

q() { printf "SELECT pg_catalog.length(orchestration.query('%s')::text);" "${1//\'/\'\'}"; }
by_hand() { printf 'SELECT pg_catalog.length(%s::text) FROM (%s) x;' "$1" "$2"; }

# ------------------------------------------------------------- a page
view=orchestration.flow_orchestration_instance
seven='Id, Name, Status, OwnerId, CreatedDate, SystemModstamp, OrchestrationDeveloperName'
columns='id, name, status, owner_id, created_date, system_modstamp, orchestration_developer_name'
build="json_build_object('Id', id, 'Name', name, 'Status', status, 'OwnerId', owner_id, 'CreatedDate', created_date, 'SystemModstamp', system_modstamp, 'OrchestrationDeveloperName', orchestration_developer_name)"
say 'a page'
for order in '' 'newest first'; do
    soql=${order:+ ORDER BY CreatedDate DESC}
    hand=${order:+ ORDER BY created_date DESC}
    compare all 30 "$(q "SELECT $seven FROM FlowOrchestrationInstance$soql LIMIT 2000")" \
        "$(by_hand "json_agg($build)" "SELECT $columns FROM $view$hand LIMIT 2000")"
    row "2,000 rows of seven fields${order:+, $order}" "json_agg(json_build_object()) of the same SELECT" "$a / $b ms" "$(calc '%.2f x' "$a / $b")" 'at most 1.2'
done

# ---------------------------------------------------- counts and groups
say 'counts'
for who in all few; do
    n=$([ $who = all ] && echo 4 || echo 300)
    compare $who $n "$(q 'SELECT COUNT() FROM FlowOrchestrationInstance')" \
        "SELECT pg_catalog.length(json_build_object('totalSize', count(*))::text) FROM $view;"
    row "COUNT(), a user who sees $who" 'SELECT count(*)' "$a / $b ms" "$(calc '%.2f x' "$a / $b")" 'at most 1.1'
    compare $who $n "$(q 'SELECT Status, COUNT(Id) FROM FlowOrchestrationInstance GROUP BY Status')" \
        "$(by_hand "json_agg(json_build_object('Status', status, 'expr0', n))" "SELECT status, count(id) AS n FROM $view GROUP BY status")"
    row "GROUP BY Status, a user who sees $who" 'the same SELECT' "$a / $b ms" "$(calc '%.2f x' "$a / $b")" 'at most 1.1'
done

# ------------------------------------------------------------- one row
say 'one row'
id=$(sql -c 'SELECT id FROM public.owned ORDER BY i DESC LIMIT 1')
for who in all few; do
    one="SELECT json_build_object('Id', id, 'Status', status, 'CurrentStage', current_stage) FROM $view WHERE id = '$id';"
    compare $who 4000 "SELECT orchestration.query('SELECT Id, Status, CurrentStage FROM FlowOrchestrationInstance WHERE Id = ''$id''');" "$one"
    row "one row by Id, repeated text, a user who sees $who" 'PREPAREd SELECT json_build_object()' "$a / $b ms" "$(calc '%.2f x' "$a / $b"), $(calc '%+.3f ms' "$a - $b")" 'at most 1.5, +0.05 ms'
    # a text that the session has not seen: another LIMIT
    new="\\set n random(3000, 1000000000)
SELECT orchestration.query('SELECT Id, Status, CurrentStage FROM FlowOrchestrationInstance WHERE Id = ''$id'' LIMIT ' || :n);"
    compare $who 1000 "$new" "$one"
    row "the same, a new text each time, a user who sees $who" 'the same' "$a / $b ms" "$(calc '%+.3f ms' "$a - $b")" 'at most +0.3 ms'
    compare $who 1000 "$new" "$one" simple
    row "the same, a new text each time, a user who sees $who" 'the same, parsed and planned each time' "$a / $b ms" "$(calc '%+.3f ms' "$a - $b")" ''
done

# ------------------------------------------------------------- a long IN
say 'a long IN'
in_list() { sql -c "SELECT 'SELECT Id FROM FlowOrchestrationInstance WHERE Name IN (' || string_agg(quote_literal('OR-' || lpad(i::text, 8, '0')), ',') || ')' FROM generate_series(1, $1) i"; }
compare all 20 "$(q "$(in_list 6990)")" "$(q "$(in_list 3495)")"
row 'IN with 100,000 characters, 6,990 names' 'with 50,000 characters' "$a / $b ms" "$(calc '%.2f x' "$a / $b")" 'about 2'

# ----------------------------------------------------------------- pages
say 'pages'
page="SELECT $seven FROM FlowOrchestrationInstance"
start=$(date +%s%N)
locator=$(PGOPTIONS='-c role=bench_all' sql -c "SELECT orchestration.query('$page')->>'nextRecordsUrl'")
keep=$((($(date +%s%N) - start) / 1000000))
size=$(sql -c "SELECT pg_size_pretty(pg_total_relation_size('orchestration.query_locator_page'))")
compare all 30 "SELECT pg_catalog.length(orchestration.query_more('$locator')::text);" "$(q "$page LIMIT 2000")"
row "page 2 of $runs records" 'page 1 alone, LIMIT 2000' "$a / $b ms" "$(calc '%.2f x' "$a / $b")" ''
compare all 1 "SELECT pg_catalog.length(orchestration.query_more('$locator')::text);" "$(q "$page")"
row "page 2 of $runs records" 'page 1, which keeps the ids' "$a / $b ms" "$(calc '%.2f x' "$a / $b")" 'at most 1'
row "the ids of $runs records kept" '' "$keep ms" "$size, unlogged" ''

# ----------------------------------------------------------------- reads
say 'rows read'
sql -v "rows=$runs" -f "$top/bench/query_texts.sql" -o /dev/null || exit 1
for who in few all; do
    PGOPTIONS="-c role=bench_$who -c max_parallel_workers_per_gather=0" \
        sql -c "SELECT r.read || ' for ' || r.returned FROM public.texts t, public.reads(t.executed) r ORDER BY t.n" >"$work/$who" || exit 1
done
sql -c 'SELECT soql FROM public.texts ORDER BY n' >"$work/texts"

echo "PostgreSQL $(sql -c 'SHOW server_version'), $(nproc) CPUs, $runs runs with 10,000 owners; medians of $rounds turns, one process."
echo
echo '| query() | Against | Both | Ratio | Aim |'
echo '|---|---|---|---|---|'
cat "$work/table"
echo
echo '| Query | Rows read for rows returned, of a user who sees 300 | who sees all |'
echo '|---|---|---|'
paste -d'|' "$work/texts" "$work/few" "$work/all" | sed 's/^/| /; s/|/ | /2g; s/$/ |/'
