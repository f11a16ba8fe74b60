#!/bin/bash
# access.sh: the benchmark of access; prints a table in Markdown.
#
#   bench/access.sh         (or: make bench)
#
# On a throwaway server.  The compared queries run in turns, on one connection each; a figure is
# the median over the turns of the average latency that pgbench reports.
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
    exec "$top/test/throwaway.sh" "$top/bench/access.sh"
fi

. "$top/bench/lib.sh.inc"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
db=orchestration_bench_access
sql() { psql -X -q -At -v ON_ERROR_STOP=1 -d "$db" "$@"; }
row() { printf '| %s | %s | %s | %s | %s |\n' "$@" >>"$work/table"; }

say 'loading'
psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $db" -c "CREATE DATABASE $db" 2>/dev/null
sql -c 'CREATE EXTENSION orchestration'
for role in few half all new; do
    sql -c "DROP ROLE IF EXISTS bench_$role" -c "CREATE ROLE bench_$role" 2>/dev/null
done
sql -c 'DROP ROLE IF EXISTS bench_web' -c 'CREATE ROLE bench_web' 2>/dev/null
sql -v "rows=$runs" -f "$top/bench/access_setup.sql" >&2 || exit 1
sql -c 'GRANT SET ON PARAMETER orchestration.user_id TO bench_web'

# latency in ms of a query: options mode transactions query
latency() {
    printf '%s;\n' "$4" >"$work/query.sql"
    PGOPTIONS=$1 pgbench -n -M "$2" -t "$3" -f "$work/query.sql" "$db" >"$work/out" 2>"$work/err"
    grep -q 'number of failed transactions: 0 ' "$work/out" || { cat "$work/err" "$work/out" >&2; exit 1; }
    sed -n 's/^latency average = \([0-9.]*\) ms/\1/p' "$work/out"
}

# two queries in turns, result in $a and $b: mode transactions options1 query1 options2 query2
compare() {
    : >"$work/a" && : >"$work/b"
    latency "$3" "$1" 2 "$4" >/dev/null
    latency "$5" "$1" 2 "$6" >/dev/null
    for _ in $(seq "$rounds"); do
        latency "$3" "$1" "$2" "$4" >>"$work/a"
        latency "$5" "$1" "$2" "$6" >>"$work/b"
    done
    a=$(median <"$work/a")
    b=$(median <"$work/b")
}

# --------------------------------------------------------------- few
say '(d) 300 of them'
few=$(sql -c "SELECT id FROM orchestration.principal WHERE username = 'few'")
owners=$(sql -c "SELECT string_agg(quote_literal(id), ',') FROM (SELECT id FROM public.owner WHERE n <= 2 UNION ALL SELECT '$few') x")
shares=$(sql -c "SELECT string_agg(quote_literal(record_id), ',') FROM orchestration.share_grant")
one=$(sql -c 'SELECT record_id FROM orchestration.share_grant ORDER BY 1 LIMIT 1')
filter="(owner_id IN ($owners) OR id IN ($shares))"
sees=$(sql -c 'SET ROLE bench_few' -c 'SELECT count(*) FROM orchestration.run')
by_hand=$(sql -c "SELECT count(*) FROM orchestration.run WHERE $filter")
exists=$(PGOPTIONS="-c role=bench_few -c bench.user_id=$few" sql -c 'SELECT count(*) FROM public.run_exists')
if [ "$sees" != "$by_hand" ] || [ "$sees" != "$exists" ]; then
    say "not the same rows: $sees, $by_hand by hand, $exists by EXISTS"
    exit 1
fi
for query in 'list|SELECT id, name, status, owner_id FROM TABLE WHERE FILTER' \
    'count|SELECT count(*) FROM TABLE WHERE FILTER' \
    'newest 50|SELECT id, name FROM TABLE WHERE FILTER ORDER BY created_at DESC LIMIT 50' \
    "by status|SELECT id, name FROM TABLE WHERE FILTER AND status = 'InProgress'" \
    "one by id|SELECT id, name FROM TABLE WHERE FILTER AND id = '$one'"; do
    name=${query%%|*}
    text=${query#*|}
    ours=${text//TABLE/orchestration.run}
    hand=${ours//FILTER/$filter}
    ours=${ours//FILTER/true}
    usual=${text//TABLE/public.run_exists}
    usual=${usual//FILTER/true}
    times=$(latency "-c role=bench_few -c bench.user_id=$few" prepared 5 "$usual")
    times=$(calc %.2f "$times")
    for mode in prepared simple; do
        compare $mode 800 '-c role=bench_few' "$ours" '' "$hand"
        row "(d) $sees of $runs runs visible, $name, $mode" "$a ms" "$b ms filter by hand" \
            "$(calc '%.2f x' "$a / $b")" 'at most 1.2'
        [ $mode = simple ] ||
            row "(d) the same" "$a ms" "$times ms policy with EXISTS" "$(calc '%.0f x faster' "$times / $a")" \
                "$([ "$name" = 'one by id' ] || echo 'at least 100')"
    done
done

# --------------------------------------------------------- all, half
say '(e) all, (f) half of them'
count='SELECT count(*) FROM orchestration.run'
all=$(sql -c "SELECT id FROM orchestration.principal WHERE username = 'all'")
half_filter="owner_id IN (SELECT member_id FROM orchestration.membership m JOIN orchestration.principal p ON p.id = m.group_id WHERE p.developer_name = 'Half')"
half_array="owner_id = ANY ('{$(sql -c 'SELECT string_agg(id::text, $$,$$) FROM public.owner WHERE n > 5000')}')"
for parallel in 0 2; do
    settings="-c max_parallel_workers_per_gather=$parallel"
    how=$([ $parallel -eq 0 ] && echo 'one process' || echo 'parallel')
    compare prepared 8 "$settings -c role=bench_all" "$count" "$settings" "$count"
    row "(e) View All Data by role, full count, $how" "$a ms" "$b ms without row security" "$(calc '%.2f x' "$a / $b")" 'at most 1.15'
    compare prepared 8 "$settings -c orchestration.user_id=$all -c role=bench_web" "$count" "$settings" "$count"
    row "(e) View All Data by orchestration.user_id, full count, $how" "$a ms" "$b ms without row security" "$(calc '%.2f x' "$a / $b")" ''
    for what in 'count(*)' 'count(current_stage)'; do
        text="SELECT $what FROM orchestration.run"
        compare prepared 8 "$settings -c role=bench_half" "$text" "$settings" "$text"
        row "(f) half visible, $what, $how" "$a ms" "$b ms without row security" "$(calc '%.2f x' "$a / $b")" 'at most 1.3'
        compare prepared 8 "$settings -c role=bench_half" "$text" "$settings" "$text WHERE $half_array"
        row "(f) the same" "$a ms" "$b ms filter by hand, an array of 5,000" "$(calc '%.2f x' "$a / $b")" 'at most 1.3'
        compare prepared 8 "$settings -c role=bench_half" "$text" "$settings" "$text WHERE $half_filter"
        row "(f) the same" "$a ms" "$b ms filter by hand, a sub-select" "$(calc '%.2f x' "$a / $b")" 'at most 1.3'
    done
done

# ------------------------------------------------------------ changes
say '(g) changes'
# ms of a statement, ms of the next query in another session that stays open, and WAL: name,
# statement, expected
change() {
    local ms wal look
    wal=$(sql -c 'SELECT pg_current_wal_insert_lsn()')
    ms=$(sql -c '\timing on' -c "$2" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | head -1)
    wal=$(sql -c "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$wal')")
    {
        echo "SELECT count(*) FROM (SELECT 1 FROM orchestration.run LIMIT 1) x;"
        echo '\echo looked'
    } >&"${reader[1]}"
    look=
    while read -r line <&"${reader[0]}"; do
        [ "$line" = looked ] && break
        case $line in Time:*) look=$(sed 's/Time: \([0-9.]*\) ms.*/\1/' <<<"$line") ;; *) seen=$line ;; esac
    done
    [ "$seen" = "$3" ] || { say "$1: the other session sees $seen"; exit 1; }
    row "(g) $1, $runs runs" "$ms ms, next look of another session $look ms" "$wal bytes WAL, no row of run written" '' 'constant, milliseconds'
}
coproc reader { psql -X -q -At -d "$db" -c 'SET ROLE bench_new' -c 'SET enable_indexonlyscan = off' -f - 2>&1; }
printf '%s\n' 'SET ROLE bench_new;' '\timing on' 'SELECT count(*) FROM (SELECT 1 FROM orchestration.run LIMIT 1) x;' '\echo looked' >&"${reader[1]}"
while read -r line <&"${reader[0]}" && [ "$line" != looked ]; do :; done
p() { echo "(SELECT id FROM orchestration.principal WHERE username = '$1' OR developer_name = '$1')"; }
change 'rule for an orchestration' "SELECT orchestration.create_orchestration_sharing_rule('Bench_Access', $(p new))" 1
change 'and its removal' 'SELECT orchestration.delete_sharing_rule(id) FROM orchestration.owner_sharing_rule WHERE orchestration_id IS NOT NULL' 0
change 'rule for a group of all owners' "SELECT orchestration.create_owner_sharing_rule('FlowOrchestrationInstance', $(p Everybody), $(p Two))" 0
change 'membership of the group that it is for' "SELECT orchestration.add_group_member($(p Two), $(p new))" 1
change 'and its removal' "SELECT orchestration.remove_group_member($(p Two), $(p new))" 0
change 'default access' "SELECT orchestration.set_default_access('FlowOrchestrationInstance', 'Read')" 1
change 'and its removal' "SELECT orchestration.set_default_access('FlowOrchestrationInstance', 'Private')" 0
echo '\q' >&"${reader[1]}"

# -------------------------------------------------------- first query
say '(h) first query of a session'
sql >/dev/null <<'SQL'
SET client_min_messages = warning;
INSERT INTO orchestration.principal (kind, username, name) SELECT 'User', 'many-' || i, 'Many ' || i FROM generate_series(1, 80000) i;
INSERT INTO orchestration.principal (kind, developer_name, name) SELECT 'Group', 'many_' || i, 'Group ' || i FROM generate_series(1, 10000) i;
CREATE TABLE public.many_group AS SELECT id, substr(developer_name, 6)::integer AS n FROM orchestration.principal WHERE developer_name ~ '^many_\d';
INSERT INTO orchestration.membership (group_id, member_id) SELECT g.id, p.id FROM public.many_group g, orchestration.principal p WHERE g.n <= 1000 AND p.username = 'new';
INSERT INTO orchestration.membership (group_id, member_id) SELECT g.id, o.id FROM public.many_group g JOIN public.owner o ON g.n = 1001 + o.n % 1000;
INSERT INTO orchestration.owner_sharing_rule (object, access_level, user_or_group_id, group_id, name)
SELECT (enum_range(NULL::orchestration.shared_object))[1 + i % 4], 'Read', t.id, s.id, 'rule'
  FROM generate_series(0, 9999) i JOIN public.many_group t ON t.n = 1 + i % 1000 JOIN public.many_group s ON s.n = 1001 + (i * 7 + i / 1000) % 1000;
VACUUM ANALYZE orchestration.principal; VACUUM ANALYZE orchestration.membership; VACUUM ANALYZE orchestration.owner_sharing_rule;
SQL
# first and second time in a fresh session, in ms, on the server: role
first() {
    sql -c "SET ROLE $1" -c 'SELECT orchestration.acting_user_id()' -c "DO \$\$ BEGIN EXECUTE 'SELECT 1'; END \$\$" -c "
        SELECT clock_timestamp() AS a, orchestration_internal.owner_visible('FlowOrchestrationInstance', '00000000-0000-7000-8000-000000000001'), clock_timestamp() AS b" |
        tail -1 | awk -F'|' '{ print $1 "|" $3 }' | while IFS='|' read -r x y; do sql -c "SELECT extract(epoch FROM timestamptz '$y' - timestamptz '$x') * 1000"; done
}
: >"$work/first" && : >"$work/none"
for _ in $(seq 9); do
    first bench_new >>"$work/first"
    first bench_half >>"$work/none"
done
row '(h) cache filled: 1,000 groups, 10,000 rules, 10,000 owners in them, 100,000 principals' "$(calc '%.1f ms' "$(median <"$work/first")")" "$(calc '%.1f ms' "$(median <"$work/none")") one rule, 5,000 owners" '' 'under 20 ms'
compare prepared 3000 '-c role=bench_new' "SELECT orchestration_internal.owner_visible('FlowOrchestrationInstance', '00000000-0000-7000-8000-000000000001')" \
    '-c role=bench_new' "SELECT pg_catalog.uuid_eq('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000001')"
row '(h) afterwards, a query that asks the policy once' "$a ms" "$b ms a query that compares two uuids" "$(calc '%.2f x' "$a / $b")" ''

echo "PostgreSQL $(sql -c 'SHOW server_version'), $(nproc) CPUs, $runs runs with 10,000 owners; medians of $rounds turns."
echo
echo '| What | Extension | Against | Ratio | Aim |'
echo '|---|---|---|---|---|'
cat "$work/table"
