#!/bin/bash
# calls.sh: the benchmark of the documented calls and of history; prints a table in
# Markdown.
#
#   bench/calls.sh          (or: make bench)
#
# On a throwaway server.  The compared scripts run in turns, on one connection each; a figure is
# the median over the turns of the average latency that pgbench reports.
#
#   BENCH_ROUNDS=5          turns of each
#   BENCH_RUNS=1000000      runs
#   BENCH_BULK=100000       runs updated in one statement
set -u -o pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
rounds=${BENCH_ROUNDS:-5}
runs=${BENCH_RUNS:-1000000}
bulk=${BENCH_BULK:-100000}

if [ -z "${PGHOST:-}" ]; then
    export ORCH_SERVER_CONF="shared_buffers = 2GB
max_wal_size = 16GB
checkpoint_timeout = 30min
autovacuum = off
jit = off"
    exec "$top/test/throwaway.sh" "$top/bench/calls.sh"
fi

. "$top/bench/lib.sh.inc"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
db=orchestration_bench_calls
sql() { psql -X -q -At -v ON_ERROR_STOP=1 -d "$db" "$@"; }
row() { printf '| %s | %s | %s | %s | %s |\n' "$@" >>"$work/table"; }

say 'loading'
psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $db" -c "CREATE DATABASE $db" 2>/dev/null
sql -c 'CREATE EXTENSION orchestration'
sql -v "rows=$runs" -f "$top/bench/calls_setup.sql" >&2 || exit 1

# latency in ms of a script: transactions file
latency() {
    pgbench -n -M prepared -t "$1" -f "$2" "$db" >"$work/out" 2>"$work/err"
    grep -q 'number of failed transactions: 0 ' "$work/out" || { cat "$work/err" "$work/out" >&2; exit 1; }
    sed -n 's/^latency average = \([0-9.]*\) ms/\1/p' "$work/out"
}

# two scripts in turns, result in $a and $b: transactions script1 script2, before1 before2
compare() {
    printf '%s\n' "$2" >"$work/a.sql"
    printf '%s\n' "$3" >"$work/b.sql"
    : >"$work/a" && : >"$work/b"
    for turn in warm $(seq "$rounds"); do
        [ -z "${4:-}" ] || sql -o /dev/null -c "$4" -c 'VACUUM orchestration.run'
        latency "$1" "$work/a.sql" >"$work/one"
        [ "$turn" = warm ] || cat "$work/one" >>"$work/a"
        [ -z "${5:-}" ] || sql -o /dev/null -c "$5" -c 'VACUUM orchestration.run'
        latency "$1" "$work/b.sql" >"$work/one"
        [ "$turn" = warm ] || cat "$work/one" >>"$work/b"
    done
    a=$(median <"$work/a")
    b=$(median <"$work/b")
}

# ----------------------------------------------------------- get_updated
say '(m) get_updated'
sql -c "UPDATE orchestration.run SET interview_id = orchestration.new_id() WHERE id IN (SELECT id FROM public.changed)" -c 'VACUUM ANALYZE orchestration.run'
sql -c "INSERT INTO public.plain SELECT * FROM orchestration.run" -c 'CREATE INDEX ON public.plain (modified_at)' -c 'VACUUM ANALYZE public.plain'
window="date_trunc('minute', now()) - interval '30 minutes', date_trunc('minute', now()) + interval '2 minutes'"
compare 200 "SELECT pg_column_size(orchestration.get_updated('FlowOrchestrationInstance', $window));" \
    "SELECT pg_column_size(jsonb_agg(id)) FROM public.plain WHERE modified_at >= date_trunc('minute', now()) - interval '30 minutes' AND modified_at <= date_trunc('minute', now()) + interval '2 minutes';"
found=$(sql -c "SELECT jsonb_array_length(orchestration.get_updated('FlowOrchestrationInstance', $window)->'ids')")
row "get_updated() over $runs runs, $found changed" "a copy of the table with an index on modified_at: jsonb_agg(id)" "$a ms" "$b ms" "$(calc %.2f "$a / $b")"

# --------------------------------------------------------------- history
on="SELECT orchestration.set_history_tracking('FlowOrchestrationInstance', '{Status,OwnerId,CurrentStage,TriggeringRecordId,InterviewId}')"
off="SELECT orchestration.set_history_tracking('FlowOrchestrationInstance', '{}')"
say '(i) history, one row'
one="UPDATE orchestration.run SET status = CASE status WHEN 'InProgress' THEN 'Suspended' ELSE 'InProgress' END::orchestration.run_status WHERE id = (SELECT id FROM public.one);"
insert="INSERT INTO public.field_change (run_id, record_id, object, field, old_value, new_value) SELECT id, id, 'FlowOrchestrationInstance', 'Status', 'InProgress', 'Suspended' FROM"
compare 2000 "$one" "WITH u AS (${one%;} RETURNING id) $insert u;" "$on" "$off"
row "history on: a status update of one run" "the update without, and a plain INSERT of the row" "$a ms" "$b ms" "$(calc %.2f "$a / $b")"
say "(j) history, $bulk rows"
many="UPDATE orchestration.run SET status = CASE status WHEN 'InProgress' THEN 'Suspended' ELSE 'InProgress' END::orchestration.run_status WHERE orchestration_name = 'Bulk' AND id IN (SELECT id FROM public.bulk LIMIT $bulk);"
compare 2 "$many" "WITH u AS (${many%;} RETURNING id) $insert u;" "$on" "$off"
row "history on: $bulk runs in one statement" "the update without, and one plain INSERT of the rows" "$a ms" "$b ms" "$(calc %.2f "$a / $b")"
sql -c "$on" -o /dev/null

# ----------------------------------------------------------- the calls
say '(k) describe'
all="ARRAY(SELECT name FROM orchestration.sobject)"
compare 500 "SELECT pg_column_size(orchestration.describe_sobjects($all));" "SELECT pg_column_size($all);"
row "describe_sobjects() of all objects, warm" "the query for their names alone" "$a ms" "$b ms" ""
say '(l) retrieve'
fields="'{$(sql -c "SELECT string_agg(name, ',') FROM orchestration.sobject_field WHERE object = 'FlowOrchestrationInstance'")}'"
compare 30 "SELECT pg_column_size(orchestration.retrieve($fields, 'FlowOrchestrationInstance', texts)) FROM public.ids;" \
    "SELECT pg_column_size(json_agg(row_to_json(x))) FROM orchestration.flow_orchestration_instance x WHERE x.id = ANY ((SELECT ids FROM public.ids)::uuid[]);"
row "retrieve() of 2,000 runs, all fields" "SELECT json_agg(row_to_json()) of them" "$a ms" "$b ms" "$(calc %.2f "$a / $b")"
compare 30 "SELECT pg_column_size(orchestration.retrieve('{Id,Name,Status,OwnerId,CreatedDate,SystemModstamp,Duration}', 'FlowOrchestrationInstance', texts)) FROM public.ids;" \
    "SELECT pg_column_size(json_agg(json_build_object('Id', id, 'Name', name, 'Status', status, 'OwnerId', owner_id, 'CreatedDate', created_date, 'SystemModstamp', system_modstamp, 'Duration', duration))) FROM orchestration.flow_orchestration_instance x WHERE x.id = ANY ((SELECT ids FROM public.ids)::uuid[]);"
row "retrieve() of 2,000 runs, seven fields" "SELECT json_agg(json_build_object()) of them" "$a ms" "$b ms" "$(calc %.2f "$a / $b")"
cat <<E2
| what | compared with | ours | theirs | ratio |
|---|---|---|---|---|
$(cat "$work/table")
E2
