#!/bin/bash
# overview.sh: the benchmark of what monitoring reads; prints a table in Markdown.
#
#   bench/overview.sh       (or: make bench)
#
# On a throwaway server, two databases: one has runs that are open (in progress, in Error),
# the other has the same and BENCH_ENDED runs that are Completed or Canceled.  The databases
# are asked in turns, in sessions that stay open; figures are medians.  The last row reads every
# run, as the comparison; in sessions of its own, because it leaves cold caches behind.
#
#   BENCH_ROUNDS=51         turns of each
#   BENCH_OPEN=200          open runs
#   BENCH_ENDED=1000000     ended runs
set -u -o pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
rounds=${BENCH_ROUNDS:-51}
open=${BENCH_OPEN:-200}
ended=${BENCH_ENDED:-1000000}

if [ -z "${PGHOST:-}" ]; then
    export ORCH_SERVER_CONF="shared_buffers = 1GB
max_wal_size = 16GB
autovacuum = off
shared_preload_libraries = 'orchestration'"
    exec "$top/test/throwaway.sh" "$top/bench/overview.sh"
fi

. "$top/bench/lib.sh.inc"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for size in small big; do
    say "database $size"
    db=orchestration_bench_overview_$size
    psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $db (FORCE)" -c "CREATE DATABASE $db" 2>/dev/null
    psql -X -q -d "$db" -v ON_ERROR_STOP=1 -o /dev/null -v open="$open" -v ended="$([ $size = small ] && echo 0 || echo "$ended")" <<'SQL' || exit 1
CREATE EXTENSION orchestration;
SELECT orchestration.register_action('form', 'screen'), orchestration.create_user('bench', 'Bench');
SELECT orchestration.deploy_orchestration('{"label": "Waits", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
    "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "T", "label": "T", "actionName": "form", "actionType": "stepInteractive",
        "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "bench"}}]}]}]}'::jsonb, 'Waits'),
    orchestration.activate_orchestration('Waits');
SET session_replication_role = replica;
SET synchronous_commit = off;
INSERT INTO orchestration.run (id, status, orchestration_id, orchestration_name, created_at, ended_at)
SELECT orchestration.new_id(), CASE i % 10 WHEN 0 THEN 'Canceled' ELSE 'Completed' END::orchestration.run_status, d.id, d.name,
       now() - i * interval '1 second', now() FROM generate_series(1, :ended) i, orchestration.orchestration_definition d;
-- each had a work item
INSERT INTO orchestration.work_item (run_id, id, owner_id, assignee_id, step_run_id, status, completed_at)
SELECT r.id, orchestration.new_id(), r.owner_id, r.owner_id, orchestration.new_id(), 'Completed', now() FROM orchestration.run r;
RESET session_replication_role;
SELECT count(orchestration.start_orchestration('Waits')) FROM generate_series(1, :open);
SELECT count(orchestration.fail_work_item(w.id, 'no')) FROM (SELECT id FROM orchestration.work_item WHERE status = 'Assigned' ORDER BY id LIMIT :open / 10) w;
VACUUM ANALYZE;
SQL
done

queries=("SELECT * FROM orchestration.run_overview"
    "SELECT * FROM orchestration.engine_stats()"
    "SELECT * FROM orchestration.engine_runs()"
    "SELECT * FROM orchestration.engine_queue()"
    "SELECT * FROM orchestration.open_runs LIMIT 50"
    "SELECT count(*) FROM orchestration.open_runs")
comparison="SELECT * FROM orchestration.run_outcomes"

# turns of queries in the database: how many, database, queries; "query ms" a line
turns() {
    local i size=$2 count=$1
    shift 2
    for i in $(seq "$count"); do
        printf '%s;\n' "$@"
    done | psql -X -q -o /dev/null -d "orchestration_bench_overview_$size" -c '\timing on' -f - | awk -v n=$# '/^Time/ { print (c++ % n) + 1, $2 }'
}
for block in $(seq "$(((rounds + 9) / 10))"); do
    for size in small big; do
        # the first turn of a session fills its caches
        turns 11 $size "${queries[@]}" | awk -v n=${#queries[@]} 'NR > n' >>"$work/$size"
    done
done

queries+=("$comparison")
for size in small big; do
    turns 4 $size "$comparison" | awk -v n=${#queries[@]} 'NR > 1 { print n, $2 }' >>"$work/$size"
done

echo "PostgreSQL $(psql -X -At -d postgres -c 'SHOW server_version'), $(nproc) CPUs; medians of $(((rounds + 9) / 10 * 10)) turns; $open open runs, a tenth of them in Error; beside $ended ended runs with a work item each, and beside none."
echo
echo '| Query | ms beside none | ms beside ended runs | ratio |'
echo '|---|---|---|---|'
for i in "${!queries[@]}"; do
    a=$(awk -v q=$((i + 1)) '$1 == q { print $2 }' "$work/small" | median)
    b=$(awk -v q=$((i + 1)) '$1 == q { print $2 }' "$work/big" | median)
    echo "| \`${queries[$i]}\` | $(calc %.2f "$a") | $(calc %.2f "$b") | $(calc '%.2f x' "$b / $a") |"
done
for size in small big; do
    echo "verify() of the open runs, database $size: $(psql -X -At -d "orchestration_bench_overview_$size" -c "SELECT count(*) FROM orchestration.verify() WHERE invariant = 'open run is listed'") rows."
done
