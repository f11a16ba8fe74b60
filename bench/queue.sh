#!/bin/bash
# queue.sh: the benchmark of asynchronous steps; prints tables in Markdown.
#
#   bench/queue.sh          (or: make bench)
#
# On a throwaway server.  Runs of 3 stages x 2 asynchronous steps are started, and workers that do
# no work complete their steps until all runs are Completed.  The comparison is the floor
# (queue_setup.sql): hand-written tables with the same row changes.  A worker is a client of pgbench
# that claims and completes, or does both in one call ("fused", which the floor does not have).
# The two sides run in turns; figures are medians of the turns, and the slowest turn.  WAL is the
# WAL of a turn, starts included.  Autovacuum is on and may analyze the queue at any time, mostly
# when it is empty.
#
#   BENCH_ROUNDS=10         turns of each
#   BENCH_WORKERS="1 4 16"
#   BENCH_PARTS="throughput open latency idle bulk ended"
#   BENCH_IDLE_RUNS=100000  runs that wait
#   BENCH_ENDED=10000000    ended steps
set -u -o pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
rounds=${BENCH_ROUNDS:-10}
workers=${BENCH_WORKERS:-1 4 16}
parts=${BENCH_PARTS:-throughput open latency idle bulk ended}
idle_runs=${BENCH_IDLE_RUNS:-100000}
ended=${BENCH_ENDED:-10000000}

if [ -z "${PGHOST:-}" ]; then
    export ORCH_SERVER_CONF="fsync = on
autovacuum = on
autovacuum_naptime = 1s
synchronous_commit = on
full_page_writes = on
shared_buffers = 1GB
max_wal_size = 16GB
checkpoint_timeout = 30min
max_connections = 60
shared_preload_libraries = 'orchestration'"
    exec "$top/test/throwaway.sh" "$top/bench/queue.sh"
fi

. "$top/bench/lib.sh.inc"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
db=orchestration_bench_queue
sql() { psql -X -q -At -v ON_ERROR_STOP=1 -d "$db" "$@"; }
has() { [[ " $parts " == *" $1 "* ]]; }

new_database() {
    psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $db (FORCE)" -c "CREATE DATABASE $db" 2>/dev/null
    sql -c 'CREATE EXTENSION orchestration' && sql -o /dev/null -f "$top/bench/queue_setup.sql" || exit 1
    history "${1:-off}"
}

# the floor writes no history, so history is off unless a part says otherwise
history() {
    local fields="'{Status,OwnerId}'" run="'{Status,OwnerId,CurrentStage,TriggeringRecordId,InterviewId}'"
    [ "$1" = on ] || { fields="'{}'"; run=$fields; }
    sql -o /dev/null -c "SELECT orchestration.set_history_tracking('FlowOrchestrationInstance', $run),
        orchestration.set_history_tracking('FlowOrchestrationStageInstance', $fields),
        orchestration.set_history_tracking('FlowOrchestrationStepInstance', $fields)"
}

# --------------------------------------------------------------- the workers
done="jsonb_build_object('step_id', step_id, 'lease_id', lease_id, 'outputs', '{\"done\": true}'::jsonb)"
for batch in 1 50; do
    cat >"$work/floor.$batch.sql" <<SQL
SELECT count(*) AS n, COALESCE(jsonb_agg($done), '[]') AS r FROM floor.claim('w', $batch) \gset
\if :n = 0
SELECT public.rest(true);
\else
SELECT count(*) FROM floor.complete(:r);
\endif
SQL
    cat >"$work/separate.$batch.sql" <<SQL
SELECT count(*) AS n, COALESCE(jsonb_agg($done), '[]') AS r FROM orchestration.claim_steps('w', '{bench}', $batch) \gset
\if :n = 0
SELECT public.rest(false);
\else
SELECT count(*) FROM orchestration.complete_steps(:r);
\endif
SQL
    cat >"$work/fused.$batch.sql" <<SQL
SELECT count(*) AS n, COALESCE(jsonb_agg($done) FILTER (WHERE accepted IS NULL), '[]') AS r
  FROM orchestration.complete_and_claim(:r, 'w', '{bench}', $batch) \gset
\if :n = 0
SELECT public.rest(false);
\endif
SQL
done

# one turn: kind batch workers runs; "runs/s WAL-bytes commits fsyncs" of a run
turn() {
    local kind=$1 batch=$2 clients=$3 runs=$4 schema=orchestration before
    [ "$kind" != floor ] || schema=floor
    sql -c 'VACUUM orchestration.step_queue' -c 'VACUUM floor.ready' -c 'SELECT pg_stat_force_next_flush()' -o /dev/null
    before=$(sql -F ' ' -c "SELECT pg_current_wal_insert_lsn(), w.wal_sync, d.xact_commit FROM pg_stat_wal w, pg_stat_database d WHERE d.datname = '$db'")
    if [ "$kind" = floor ]; then
        sql -o /dev/null -c "SELECT floor.start($runs)"
    else
        sql -o /dev/null -c "SELECT orchestration.start_orchestration('Bench') FROM generate_series(1, $runs)"
    fi
    begin=$(sql -c 'SELECT clock_timestamp()')
    pgbench -n -M prepared -c "$clients" -j "$((clients > 2 ? 2 : clients))" -D 'r=[]' -t 1000000000 \
        -f "$work/$kind.$batch.sql" "$db" >"$work/out" 2>&1
    # every client ends with the exception of rest(), and nothing else
    if [ "$(grep -c 'ERROR:  done' "$work/out")" -ne "$clients" ] || grep 'ERROR:' "$work/out" | grep -qv 'ERROR:  done'; then
        cat "$work/out" >&2
        exit 1
    fi
    # the backends have reported their commits
    while [ "$(sql -c "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench'")" != 0 ]; do sleep 0.05; done
    set -- $before
    sql -F ' ' -c "SELECT round($runs / extract(epoch FROM (SELECT max(ended_at) FROM $schema.run WHERE ended_at >= '$begin') - '$begin'), 1),
        round(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$1') / $runs), round((d.xact_commit - $3)::numeric / $runs, 2), round((w.wal_sync - $2)::numeric / $runs, 2)
        FROM pg_stat_wal w, pg_stat_database d WHERE d.datname = '$db'"
}

# the kinds in turns: batch workers runs kinds...; medians, and the fewest runs/s, in
# $work/<kind>.<batch>.<workers>
compare() {
    local batch=$1 clients=$2 runs=$3 kind
    shift 3
    for kind; do : >"$work/turns.$kind"; done
    for round in warm $(seq "$rounds"); do
        for kind; do
            turn "$kind" "$batch" "$clients" "$runs" >"$work/turn" || exit 1
            [ "$round" = warm ] || cat "$work/turn" >>"$work/turns.$kind"
        done
    done
    for kind; do
        {
            for column in 1 2 3 4; do
                awk "{ print \$$column }" "$work/turns.$kind" | median
            done
            awk '{ print $1 }' "$work/turns.$kind" | sort -n | head -1
        } | xargs >"$work/$kind.$batch.$clients"
    done
}

echo "PostgreSQL $(psql -X -At -d postgres -c 'SHOW server_version'), $(nproc) CPUs, fsync, synchronous_commit and full_page_writes on; medians of $rounds turns."

# ---------------------------------------------------------------- throughput
if has throughput; then
    new_database
    echo
    echo '| Steps a call | Workers | | runs/s | slowest turn | steps/s | of the floor | WAL bytes a run | commits a run | fsyncs a run |'
    echo '|---|---|---|---|---|---|---|---|---|---|'
    for batch in 1 50; do
        for clients in $workers; do
            say "$batch steps a call, $clients workers"
            runs=$((batch == 1 ? (clients == 1 ? 150 : 600) : 4000))
            compare "$batch" "$clients" "$runs" floor separate fused
            read -r floor _ <"$work/floor.$batch.$clients"
            for kind in floor separate fused; do
                read -r tps wal commits fsyncs slowest <"$work/$kind.$batch.$clients"
                echo "| $batch | $clients | $kind | $(calc %.0f "$tps") | $(calc %.0f "$slowest") | $(calc %.0f "$tps * 6") | $(calc '%.2f x' "$tps / $floor") | $wal | $commits | $fsyncs |"
            done
        done
    done
    history on
    compare 1 4 600 fused
    read -r _ wal _ <"$work/fused.1.4"
    compare 50 4 4000 fused
    read -r _ wal_batch _ <"$work/fused.50.4"
    echo
    echo "With history: $wal bytes of WAL a run one step a call, $wal_batch with 50."
    echo "After it verify() returns $(sql -c 'SELECT count(*) FROM orchestration.verify()') rows."
fi

# ------------------------------------------------- a transaction held open
if has open; then
    say 'a transaction held open'
    new_database
    : >"$work/open.with" && : >"$work/open.without"
    for round in warm $(seq "$rounds"); do
        for how in without with; do
            if [ $how = with ]; then
                # pg_sleep() keeps the snapshot; the transaction has an id, too
                psql -X -q -d "$db" -c 'BEGIN ISOLATION LEVEL REPEATABLE READ' -c 'CREATE TEMP TABLE x ()' \
                    -c 'SELECT count(*) FROM orchestration.run' -c 'SELECT pg_sleep(600)' >/dev/null 2>&1 &
                holder=$!
                while [ "$(sql -c "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND backend_xmin IS NOT NULL AND pid <> pg_backend_pid()")" = 0 ]; do sleep 0.05; done
            fi
            turn fused 50 4 12000 >"$work/turn" || exit 1
            [ "$round" = warm ] || awk '{ print $1 }' "$work/turn" >>"$work/open.$how"
            if [ $how = with ]; then
                sql -o /dev/null -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()"
                wait "$holder" 2>/dev/null
            fi
        done
    done
    a=$(median <"$work/open.with")
    b=$(median <"$work/open.without")
    slowest=$(sort -n "$work/open.with" "$work/open.without" | head -1)
    echo
    echo "12,000 runs, 50 steps a call, 4 workers: $(calc %.0f "$b") runs/s; with a transaction held open elsewhere for the whole time $(calc %.0f "$a") runs/s, $(calc '%.0f %%' "100 - 100 * $a / $b") less; the slowest turn $(calc %.0f "$slowest") runs/s."
fi

# ------------------------------------------------------------------- latency
if has latency; then
    say latency
    new_database
    echo
    PGDATABASE=$db /usr/bin/python3 "$top/bench/latency.py"
fi

# ---------------------------------------------------------------------- idle
if has idle; then
    say "$idle_runs runs wait"
    new_database
    sql -o /dev/null -c "SELECT count(orchestration.start_orchestration('Waits')) FROM generate_series(1, $idle_runs)"
    sql -c 'VACUUM ANALYZE' -c CHECKPOINT
    sql -o /dev/null -c 'SELECT orchestration.start_background_worker()'
    # a worker that waits, like the example
    PYTHONPATH=$top/examples/python PYTHONDONTWRITEBYTECODE=1 PGDATABASE=$db POLL=5 /usr/bin/python3 "$top/examples/python/examples/worker.py" bench >/dev/null &
    example=$!
    sleep 15
    size="SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'orchestration'::regnamespace"
    before=$(sql -c "$size")
    pids=$(sql -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'orchestration worker' OR (query LIKE '%listen_for_steps%' AND pid <> pg_backend_pid())")
    ticks() { for pid in $pids; do awk '{ print $14 + $15 }' "/proc/$pid/stat"; done | awk '{ s += $1 } END { print s }'; }
    t=$(ticks)
    lsn=$(sql -c 'SELECT pg_current_wal_insert_lsn()')
    sleep 60
    used=$(($(ticks) - t))
    kill "$example"
    echo
    echo "With $idle_runs runs that wait, the background worker and a polling worker together use $(calc '%.2f %%' "$used / $(getconf CLK_TCK) / 60 * 100") of a CPU over a minute ($(echo "$pids" | wc -l) processes); the tables grow by $(($(sql -c "$size") - before)) bytes, WAL by $(sql -c "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$lsn')") bytes."
fi

# ---------------------------------------------------------------------- bulk
if has bulk; then
    say 'bulk start'
    new_database
    : >"$work/bulk.set" && : >"$work/bulk.one" && : >"$work/bulk.floor"
    timed() { sql -c '\timing on' -c "$1" | awk '/^Time/ { print $2 }'; }
    for n in $(seq "$rounds"); do
        timed "INSERT INTO demand SELECT i, i FROM generate_series($n * 100000, $n * 100000 + 9999) i" >>"$work/bulk.set"
        timed "SELECT count(orchestration.start_orchestration('Bench')) FROM generate_series(1, 10000)" >>"$work/bulk.one"
        timed "SELECT floor.start(10000)" >>"$work/bulk.floor"
    done
    echo
    echo "10,000 rows inserted by one statement start 10,000 runs in $(median <"$work/bulk.set") ms; by one call each it takes $(median <"$work/bulk.one") ms; the floor takes $(median <"$work/bulk.floor") ms."
fi

# ------------------------------------------------------------ beside ended steps
if has ended; then
    say "beside $ended ended steps"
    for size in small big; do
        db=orchestration_bench_queue_$size
        new_database
        sql -o /dev/null -v runs="$([ $size = small ] && echo 1667 || echo $((ended / 6)))" \
            -v orchestration=Bench -v without_log=1 -f "$top/bench/history.sql" || exit 1
        sql -c CHECKPOINT
    done
    : >"$work/ended.small" && : >"$work/ended.big"
    for round in warm $(seq "$rounds"); do
        for size in small big; do
            db=orchestration_bench_queue_$size
            turn fused 1 1 300 >"$work/turn" || exit 1
            [ "$round" = warm ] || awk '{ print $1 }' "$work/turn" >>"$work/ended.$size"
        done
    done
    a=$(median <"$work/ended.big")
    b=$(median <"$work/ended.small")
    echo
    echo "One step a call, one worker: beside $ended ended steps $(calc %.0f "$a * 6") steps/s, beside 10,000 $(calc %.0f "$b * 6"): one costs $(calc '%.2f x' "$b / $a") the time."
fi
