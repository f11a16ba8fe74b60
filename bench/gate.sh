#!/bin/bash
# gate.sh: the cost of the gate before users' code (src/record/gate.c) for a synchronous action.
#
# A run of ten background steps, each with an empty function, is started repeatedly by this build
# and by a copy of it that only changes the user around the function: without the
# security-restricted operation, the search for cursors and temporary objects, and the restored
# settings.  The two builds take turns, and the order within a turn changes.  Prints the processor
# time of a run, medians over the turns, and their ratio.
#
#   BENCH_TURNS=40 bench/gate.sh
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
if [ -z "${PGHOST:-}" ]; then
    ORCH_SERVER_CONF='autovacuum = off
jit = off' exec "$top/test/throwaway.sh" "$top/bench/gate.sh"
fi
. "$top/bench/lib.sh.inc"
turns=${BENCH_TURNS:-40}
work=$(mktemp -d "$ORCH_WORK/gate.XXXXXX")
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
db=orchestration_bench_gate

cp -a "$top/Makefile" "$top/orchestration.control" "$top/src" "$top/sql" "$top/doc" "$work/"
sed -i -e '/sec_context |= SECURITY_RESTRICTED_OPERATION;/s/|=.*/|= 0;/' \
    -e 's/^\(\t*\)close_cursors(gate->subid);/\1(void) close_cursors;/' \
    -e 's/^\(\t*\)refuse_temporary_objects();/\1(void) refuse_temporary_objects;/' \
    -e 's/AtEOXact_GUC(false, gate->guc_level)/AtEOXact_GUC(true, gate->guc_level)/' "$work/src/record/gate.c"
cmp -s "$top/src/record/gate.c" "$work/src/record/gate.c" && { say 'the copy is not different'; exit 1; }
make -s -C "$work" >/dev/null

PGOPTIONS='-c client_min_messages=warning' psql -qX -d postgres -c "DROP DATABASE IF EXISTS $db" -c "CREATE DATABASE $db"
psql -qXAt -v ON_ERROR_STOP=1 -d $db >/dev/null <<'SQL'
CREATE EXTENSION orchestration;
CREATE FUNCTION nothing(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RETURN '{"a": 1}'; END $$;
SELECT orchestration.register_action('Nothing', 'function', 'nothing(jsonb)');
SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', 'Ten', 'label', 'Ten', 'processType', 'Orchestrator',
    'start', '{"connector": {"targetReference": "S"}}'::jsonb,
    'orchestratedStages', jsonb_build_array(jsonb_build_object('name', 'S', 'label', 'S', 'stageSteps',
        (SELECT jsonb_agg(jsonb_build_object('name', 'B' || i, 'label', 'B', 'actionType', 'stepBackground', 'actionName', 'Nothing'))
           FROM generate_series(1, 10) i)))));
SELECT orchestration.activate_orchestration('Ten');
SQL
# processor time of the backend, in nanoseconds, without other processes
cat >"$work/turn.sql" <<'SQL'
SELECT count(orchestration.start_orchestration('Ten')) FROM generate_series(1, 50) \g /dev/null
SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1) AS begin \gset
SELECT count(orchestration.start_orchestration('Ten')) FROM generate_series(1, 150) \g /dev/null
SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint - :begin;
SQL
with() { psql -qXAt -d $db -f "$work/turn.sql"; }
without() { PGOPTIONS="-c dynamic_library_path=$work" with; }

for ((i = 0; i < turns; i++)); do
    if ((i % 2)); then b=$(without) a=$(with); else a=$(with) b=$(without); fi
    echo "$a" >>"$work/with"
    echo "$b" >>"$work/without"
done
[ "$(psql -qX -d $db -At -c "SELECT count(*) FROM orchestration.verify()")" = 0 ]
psql -qX -d postgres -c "DROP DATABASE $db"
a=$(median <"$work/with") b=$(median <"$work/without")
printf '| a run of ten synchronous actions | with the gate %.0f us, without %.0f us | %.3f | medians of %d turns |\n' \
    "$(calc '%.1f' "$a / 150000")" "$(calc '%.1f' "$b / 150000")" "$(calc '%.4f' "$a / $b")" "$turns"
