#!/bin/bash
# run.sh: the benchmark; prints a table in Markdown.
#
#   bench/run.sh            (or: make bench)
#
# With PGHOST set it works in databases of its own on that server, which must have
# the extension installed and is best a throwaway one (it runs CHECKPOINT, and
# switches autovacuum off while it counts WAL).  Otherwise it starts one by
# test/throwaway.sh, with the settings below.
#
# Figures are ratios: the two sides run alternately, in short turns, and the median of the turns
# counts, so that noise of the machine affects both.
#
#   BENCH_ROUNDS=5          turns of each
#   BENCH_SECONDS=3         length of a turn of pgbench
#   BENCH_ROWS=200000       (b): rows updated in one statement
#   BENCH_HISTORY=1000000   (c): existing runs; 0 leaves (c) out
set -u -o pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
rounds=${BENCH_ROUNDS:-5}
seconds=${BENCH_SECONDS:-3}
rows=${BENCH_ROWS:-200000}
history=${BENCH_HISTORY:-1000000}

if [ -z "${PGHOST:-}" ]; then
    export ORCH_SERVER_CONF="fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 1GB
max_wal_size = 16GB
checkpoint_timeout = 30min"
    exec "$top/test/throwaway.sh" "$top/bench/run.sh"
fi

. "$top/bench/lib.sh.inc"
work=$(mktemp -d)
databases=(orchestration_bench orchestration_bench_wal orchestration_bench_update
    orchestration_bench_small orchestration_bench_big)
sql() { psql -X -q -At -v ON_ERROR_STOP=1 "$@"; }
clean() {
    sql -d postgres -c 'ALTER SYSTEM RESET autovacuum' -c 'SELECT pg_reload_conf()'
    for database in "${databases[@]}"; do
        sql -d postgres -c "DROP DATABASE IF EXISTS $database (FORCE)"
    done
    rm -rf "$work"
} >/dev/null 2>&1
trap clean EXIT
trap 'exit 130' INT TERM HUP

new_database() {
    sql -d postgres -c "DROP DATABASE IF EXISTS $1 (FORCE)" -c "CREATE DATABASE $1" 2>/dev/null &&
        sql -d "$1" -c 'CREATE EXTENSION orchestration' &&
        sql -d "$1" -o /dev/null -f "$top/bench/setup.sql" && history_tracking "$1" off
}

# the floor writes no history, so history is off unless a part says otherwise
history_tracking() {
    local fields="'{Status,OwnerId}'" run="'{Status,OwnerId,CurrentStage,TriggeringRecordId,InterviewId}'"
    [ "$2" = on ] || { fields="'{}'"; run=$fields; }
    sql -d "$1" -o /dev/null -c "SELECT orchestration.set_history_tracking('FlowOrchestrationInstance', $run),
        orchestration.set_history_tracking('FlowOrchestrationStageInstance', $fields),
        orchestration.set_history_tracking('FlowOrchestrationStepInstance', $fields)"
}


# transactions a second of one turn: database script clients [seconds]
turn() {
    pgbench -n -M prepared -c "$3" -j "$(($3 > 2 ? 2 : $3))" -T "${4:-$seconds}" \
        -f "$2" "$1" 2>"$work/pgbench.err" >"$work/pgbench.out"
    if [ $? -ne 0 ] || ! grep -q 'number of failed transactions: 0 ' "$work/pgbench.out"; then
        cat "$work/pgbench.err" "$work/pgbench.out" >&2
        return 1
    fi
    sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$work/pgbench.out"
}

# the two sides in turns, result in $a and $b (tps): clients db1 script1 db2 script2.
# $before: statements executed in a side's database before its turn
before=
compare() {
    : >"$work/a" && : >"$work/b"
    turn "$2" "$3" "$1" 1 >/dev/null && turn "$4" "$5" "$1" 1 >/dev/null || exit 1
    for _ in $(seq "$rounds"); do
        [ -z "$before" ] || sql -d "$2" -c "$before"
        turn "$2" "$3" "$1" >>"$work/a" || exit 1
        [ -z "$before" ] || sql -d "$4" -c "$before"
        turn "$4" "$5" "$1" >>"$work/b" || exit 1
    done
    a=$(median <"$work/a")
    b=$(median <"$work/b")
}

row() { printf '| %s | %s | %s | %s | %s |\n' "$@" >>"$work/table"; }

# ------------------------------------------------------------------- (a)
say '(a) a whole run'
db=orchestration_bench
new_database $db || exit 1
version=$(sql -d $db -c "SELECT v.id FROM orchestration.orchestration_version v
    JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id
    WHERE d.name = 'Background'")
echo "SELECT orchestration.start_orchestration('Background');" >"$work/extension.sql"
echo "SELECT hand.start_run('$version');" >"$work/hand.sql"

# both sides wrote the same
sql -d $db -o /dev/null -f "$work/extension.sql" -f "$work/hand.sql"
for schema in orchestration hand; do
    sql -d $db -c "SELECT (SELECT string_agg(status::text, ',') FROM $schema.run),
        (SELECT string_agg(name || status || (ended_at IS NOT NULL), ',' ORDER BY id) FROM $schema.stage_run),
        (SELECT string_agg(name || status || step_type || attempt || (ended_at IS NOT NULL)
                           || (started_at IS NOT NULL), ',' ORDER BY id) FROM $schema.step_run),
        (SELECT string_agg(kind::text || COALESCE(duration, -1) || (stage_run_id IS NOT NULL)
                           || (step_run_id IS NOT NULL), ',' ORDER BY number) FROM $schema.run_log)" \
        >"$work/wrote.$schema"
done
if ! diff "$work/wrote.orchestration" "$work/wrote.hand" >&2; then
    say 'the hand-written SQL does not write what the extension writes'
    exit 1
fi

for clients in 1 16; do
    compare $clients $db "$work/extension.sql" $db "$work/hand.sql"
    row "(a) run of 3 stages x 2 background steps, $clients client$([ $clients -eq 1 ] || echo s)" \
        "$(calc '%.0f runs/s' "$a")" "$(calc '%.0f runs/s' "$b") by hand" \
        "$(calc '%.2f x the time' "$b / $a")" "at most 1.3 (2)"
done
history_tracking $db on
compare 1 $db "$work/extension.sql" $db "$work/hand.sql"
row "(a) the same with history, which by hand has none, 1 client" \
    "$(calc '%.0f runs/s' "$a")" "$(calc '%.0f runs/s' "$b") by hand" \
    "$(calc '%.2f x the time' "$b / $a")" ""

# a database of its own, without vacuum: new rows go to new pages, and there are no full page
# images of old pages
sql -d postgres -c 'ALTER SYSTEM SET autovacuum = off' -c 'SELECT pg_reload_conf()' >/dev/null
db=orchestration_bench_wal
new_database $db || exit 1
cp "$work/extension.sql" "$work/history.sql"
for side in extension hand history; do
    [ $side != history ] || history_tracking $db on
    pgbench -n -M prepared -t 200 -f "$work/$side.sql" $db >/dev/null 2>&1 || exit 1
    sql -d $db -c 'CHECKPOINT'
    pgbench -n -M prepared -t 200 -f "$work/$side.sql" $db >/dev/null 2>&1 || exit 1
    lsn=$(sql -d $db -c 'SELECT pg_current_wal_insert_lsn()')
    pgbench -n -M prepared -t 2000 -f "$work/$side.sql" $db >/dev/null 2>&1 || exit 1
    sql -d $db -c "SELECT round(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$lsn') / 2000)" >"$work/wal.$side"
done
sql -d postgres -c 'ALTER SYSTEM RESET autovacuum' -c 'SELECT pg_reload_conf()' >/dev/null
a=$(cat "$work/wal.extension")
b=$(cat "$work/wal.hand")
row '(a) WAL of a run, log included' "$a bytes" "$b bytes by hand" \
    "$(calc '%.2f x' "$a / $b")" 'under 8 kB'
row '(a) the same with history' "$(cat "$work/wal.history") bytes" "$b bytes by hand, without" \
    "$(calc '%.2f x' "$(cat "$work/wal.history") / $b")" 'under 12 kB'
hot=$(sql -d $db -c "SELECT pg_stat_force_next_flush()" -c "SELECT round(100.0 * sum(n_tup_hot_upd) / sum(n_tup_upd), 1)
    FROM pg_stat_user_tables WHERE schemaname = 'orchestration'
      AND relname IN ('run', 'stage_run', 'step_run')" | tail -n 1)
row '(a) updates that stay on their page (HOT)' "$hot %" '' '' '100 %'

# ------------------------------------------------------------------- (b)
say "(b) $rows status updates in one statement"
db=orchestration_bench_update
new_database $db || exit 1
sql -d $db -o /dev/null -v runs="$rows" -f "$top/bench/update.sql" || exit 1

# milliseconds of an update: kind schema.  Rolled back and vacuumed afterwards.
update() {
    local statements
    case $1 in
        cascade)
            statements="UPDATE $2.run SET status = 'Suspended' WHERE orchestration_name = 'Cascade';"
            [ "$2" = plain ] && statements="$statements
                UPDATE $2.stage_run SET status = 'Suspended' WHERE label = 'Cascade';" ;;
        step)
            statements="UPDATE $2.step_run SET status = 'Completed';" ;;
    esac
    sql -d $db >"$work/update.out" <<SQL || exit 1
BEGIN;
\\timing on
$statements
\\timing off
ROLLBACK;
SQL
    awk '/^Time/ { t += $2 } END { print t }' "$work/update.out"
    sql -d $db -c 'VACUUM'
}

for kind in cascade step; do
    rm -f "$work"/time.*
    for _ in $(seq $((rounds > 3 ? 3 : rounds))); do
        for schema in plain orchestration row_triggers set_triggers; do
            update $kind $schema >>"$work/time.$schema" || exit 1
        done
    done
    plain=$(median <"$work/time.plain")
    own=$(calc '%f' "$(median <"$work/time.orchestration") - $plain")
    by_row=$(calc '%f' "$(median <"$work/time.row_triggers") - $plain")
    by_set=$(calc '%f' "$(median <"$work/time.set_triggers") - $plain")
    if [ $kind = cascade ]; then
        what="runs InProgress to Suspended, each with its stage"
    else
        what="steps InProgress to Completed, ten in each stage"
    fi
    row "(b) $rows $what: time over the same update without triggers ($(calc '%.2f s' "$plain / 1000"))" \
        "$(calc '%.2f s' "$own / 1000")" "$(calc '%.2f s' "$by_row / 1000") PL/pgSQL, row triggers" \
        "$(calc '%.2f x less' "$by_row / $own")" 'at least 2 x less'
    row "(b) the same" "$(calc '%.2f s' "$own / 1000")" \
        "$(calc '%.2f s' "$by_set / 1000") PL/pgSQL, transition tables" \
        "$(calc '%.2f x less' "$by_set / $own")" ''
done

# ------------------------------------------------------------------- (c)
if [ "$history" -gt 0 ]; then
    say "(c) beside $history runs"
    cat >"$work/people.sql" <<'SQL'
SELECT orchestration.start_orchestration('People') AS run \gset
SELECT id AS item FROM orchestration.work_item WHERE run_id = :run \gset
SELECT orchestration.complete_work_item(:item);
SQL
    {
        echo "SELECT orchestration.start_orchestration('Worker');"
        for _ in 1 2 3; do
            echo "SELECT orchestration.complete_steps(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('step_id', step_id, 'lease_id', lease_id))) FROM orchestration.claim_steps('bench', '{remote}', 2);"
        done
    } >"$work/worker.sql"
    for database in small big; do
        new_database orchestration_bench_$database || exit 1
        sql -d orchestration_bench_$database -o /dev/null \
            -v runs="$([ $database = small ] && echo 1000 || echo "$history")" \
            -v orchestration=Background -f "$top/bench/history.sql" || exit 1
    done
    # both sides start from the same state: autovacuum would reach one side before the other, and
    # its result depends on the queue at that time
    sql -d postgres -c 'ALTER SYSTEM SET autovacuum = off' -c 'SELECT pg_reload_conf()' -c CHECKPOINT >/dev/null
    before='VACUUM orchestration.step_queue'
    # people.sql's own query is planned while there is no work item yet
    export PGOPTIONS='-c enable_seqscan=off'
    for kind in extension people worker; do
        compare 1 orchestration_bench_big "$work/$kind.sql" orchestration_bench_small "$work/$kind.sql"
        case $kind in
            extension) what='a run as in (a)' ;;
            people) what='a run with one work item, completed' ;;
            worker) what="a run as in (a) by a worker: claim_steps(), complete_steps() of two" ;;
        esac
        row "(c) $what, beside $history runs" "$(calc '%.0f runs/s' "$a")" \
            "$(calc '%.0f runs/s' "$b") beside 1000" \
            "$(calc '%.2f x the time' "$b / $a")" 'at most 1.1'
    done
    unset PGOPTIONS
    for database in small big; do
        open=$(sql -d orchestration_bench_$database -c \
            "SELECT count(*) FROM orchestration.run WHERE status <> 'Completed'")
        [ "$open" -eq 0 ] || { say "$open runs of $database did not complete"; exit 1; }
    done
fi

# ----------------------------------------------------------------- table
echo "PostgreSQL $(sql -d postgres -c 'SHOW server_version'), $(nproc) CPUs, $(sql -d postgres -c "SELECT string_agg(name || ' ' || current_setting(name), ', ' ORDER BY name) FROM pg_settings
    WHERE name IN ('shared_buffers', 'fsync', 'synchronous_commit', 'full_page_writes', 'max_wal_size')"); medians of $rounds turns of $seconds s each."
echo
echo '| What | Extension | Against | Ratio | Aim |'
echo '|---|---|---|---|---|'
cat "$work/table"
