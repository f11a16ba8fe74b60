#!/bin/bash
# run.sh: all tests, against the throwaway server of test/throwaway.sh.
#
#   test/throwaway.sh test/run.sh [KIND...]
#
# Kinds: checks, regress, isolation, pgtap, models, corpus, flows, tap, mutants, long.
# Without an argument all of them run, and long only if ORCH_LONG=1.
#
# Each kind prints its own output; what failed is shown.  The last line is
# "N passed, N failed" over all kinds: regress files, isolation specs, pgTAP and
# TAP assertions, checks and played files.  A kind that has files but ran no test
# counts as failed, and so does each file that should have run and did not.  What
# was skipped counts as neither.
#
# TAP, mutants and checks have servers of their own and run beside the other kinds, which
# share one.  A kind prints its output as a whole when it has ended.
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1
work=$ORCH_WORK/test
mkdir -p "$work"
pgxs=$(dirname "$("${PG_CONFIG:-pg_config}" --pgxs)")

head_line() {
    printf '\n== %s\n' "$1"
    start=$SECONDS
}

# count a kind: name, ok, not ok
count() {
    local name=$1 ok=$2 not_ok=$3
    if [ "$ok" -eq 0 ] && [ "$not_ok" -eq 0 ]; then
        echo "$name: no test ran"
        not_ok=1
    fi
    echo "$ok $not_ok" >>"$work/counts"
    printf '%s: %d passed, %d failed (%d s)\n' "$name" "$ok" "$not_ok" $((SECONDS - start))
}

# count TAP assertions in a file; a program that exited with an error is one more failure
count_tap() {
    local name=$1 file=$2 status=$3 ok not_ok
    ok=$(grep -E '^ok +[0-9-]' "$file" | grep -vciE '# *skip')
    not_ok=$(grep -E '^not ok +[0-9-]' "$file" | grep -vciE '# *todo')
    grep -iE '^ok .*# *skip|^1\.\.0' "$file"
    if [ "$status" -ne 0 ] && [ "$not_ok" -eq 0 ]; then
        not_ok=1
    fi
    if [ "$not_ok" -gt 0 ]; then
        grep -E '^not ok|^Dubious' -A 12 "$file" | grep -vE '^ok +[0-9-]' | head -n 100
        tail -n 20 "$file"
    fi
    count "$name" "$ok" "$not_ok"
}

# count the files that pg_regress or pg_isolation_regress ran: name, its output,
# its exit status, how many it should have run
count_regress() {
    local name=$1 log=$2 status=$3 files=$4 ok not_ok
    grep -E '^test .*FAILED|^not ok' "$log"
    ok=$(grep -cE '^test .* ok +[0-9]+ ms|^ok ' "$log")
    not_ok=$(grep -cE '^test .*FAILED|^not ok' "$log")
    [ "$not_ok" -gt 0 ] && [ -e regression.diffs ] && cat regression.diffs
    # it stops at once if an expected file is missing
    if [ $((ok + not_ok)) -lt "$files" ]; then
        tail -n 20 "$log"
        not_ok=$((files - ok))
    elif [ "$status" -ne 0 ] && [ "$not_ok" -eq 0 ]; then
        tail -n 20 "$log"
        not_ok=1
    fi
    count "$name" "$ok" "$not_ok"
}

new_database() {
    psql -qXc "DROP DATABASE IF EXISTS $1" -c "CREATE DATABASE $1" 2>/dev/null &&
        psql -qX -d "$1" -c 'CREATE EXTENSION orchestration'
}

checks() {
    head_line checks
    # shellcheck disable=SC2016
    test/throwaway.sh bash -c '
        createdb check_db && psql -qX -d check_db -c "CREATE EXTENSION orchestration" || exit 1
        export PGDATABASE=check_db
        status=0
        for check in test/check/*.sh; do
            bash "$check" || status=1
        done
        exit $status' >"$work/checks.tap" 2>&1
    count_tap checks "$work/checks.tap" $?
}

regress() {
    head_line regress
    rm -f regression.diffs
    make -s installcheck ISOLATION= REGRESS_DB=regression >"$work/regress.log" 2>&1
    count_regress regress "$work/regress.log" $? "$(compgen -G 'test/sql/*.sql' | wc -l)"
}

isolation() {
    head_line isolation
    rm -f regression.diffs
    make -s installcheck REGRESS= >"$work/isolation.log" 2>&1
    count_regress isolation "$work/isolation.log" $? "$(compgen -G 'test/specs/*.spec' | wc -l)"
}

# on a server of their own: their specs would wait for sessions of other tests
mutants() {
    head_line mutants
    test/throwaway.sh test/mutants/run.sh >"$work/mutants.tap" 2>&1
    count_tap mutants "$work/mutants.tap" $?
}

pgtap() {
    local script
    head_line pgTAP
    new_database pgtap_db
    psql -qX -d pgtap_db -c 'CREATE EXTENSION pgtap'
    rm -rf "$work/pgtap"
    mkdir -p "$work/pgtap"
    cp test/pgtap/*.sql test/pgtap/*.inc "$work/pgtap/"
    for script in test/pgtap/*.sh; do
        [ -e "$script" ] && bash "$script" >"$work/pgtap/$(basename "$script" .sh).generated.sql"
    done
    pg_prove --verbose -d pgtap_db "$work"/pgtap/*.sql >"$work/pgtap.tap" 2>&1
    count_tap pgTAP "$work/pgtap.tap" $?
}

tap() {
    local tap=$ORCH_WORK/tap
    head_line TAP
    mkdir -p "$tap" && cp -r examples doc "$tap"
    cp -r test/t/. "$tap/"
    [ "$(id -u)" -eq 0 ] && chown -R postgres: "$tap"
    # shellcheck disable=SC2086
    (
        cd "$tap" || exit 1
        $ORCH_AS env -u PGHOST -u PGPORT -u PGUSER -u PGDATABASE \
            PATH="$PATH" TESTDIR="$tap" TESTDATADIR="$tap/tmp_check" \
            TESTLOGDIR="$tap/tmp_check/log" PGPORT=65432 \
            ORCH_TEST_CONF="$ORCH_TEST_CONF" \
            PG_REGRESS="$pgxs/../../src/test/regress/pg_regress" \
            prove --verbose -j2 -I "$pgxs/../../src/test/perl" ./*.pl
    ) >"$work/tap.tap" 2>&1
    count_tap TAP "$work/tap.tap" $?
}

models() {
    local model name
    for model in test/model/*.py test/storm/*.py; do
        name=$(basename "$model" .py)
        head_line "$name"
        new_database "${name}_db"
        PGDATABASE=${name}_db PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$model" >"$work/$name.tap" 2>&1
        count_tap "$name" "$work/$name.tap" $?
    done
}

# a document for each element, and one for each mistake
corpus() {
    local part name
    for part in corpus mistake; do
        name=corpus_$part
        head_line "$name"
        new_database "${name}_db"
        PGDATABASE=${name}_db PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 test/corpus/$part.py >"$work/$name.tap" 2>&1
        count_tap "$name" "$work/$name.tap" $?
    done
}

flows() {
    local files=(doc/demo/*.flow-meta.xml "$work/Large.flow-meta.xml") flows=${FLOWS:-../shared/flows} ok
    head_line 'orchestration files, each played to Completed, beside its snapshot'
    if [ -d "$flows" ]; then
        files+=("$flows"/*.xml)
    else
        echo "no folder $flows: only the project's own examples are played"
    fi
    bash test/flows/large.sh >"$work/Large.flow-meta.xml"
    results=$work/flows test/flows/run.sh "${files[@]}" >"$work/flows.log" 2>&1
    ok=$(grep -c '^ok - ' "$work/flows.log")
    grep -v '^ok - ' "$work/flows.log"
    count flows "$ok" $((${#files[@]} - ok))
}

# kinds that take longer
long() {
    local long
    for long in test/long/*.sh; do
        head_line "$(basename "$long" .sh)"
        bash "$long" >"$work/long.tap" 2>&1
        count_tap "$(basename "$long" .sh)" "$work/long.tap" $?
    done
}

# run kinds one after another; the output of each is printed as a whole
lane() {
    local kind
    for kind; do
        "$kind" >"$work/$kind.out" 2>&1
        flock "$work/lock" cat "$work/$kind.out"
    done
}

: >"$work/counts"
: >"$work/lock"
kinds=("$@")
if [ $# -eq 0 ]; then
    kinds=(tap mutants checks regress isolation pgtap models corpus flows)
    [ "${ORCH_LONG:-0}" = 1 ] && kinds+=(long)
fi
beside=()
after=()
for kind in "${kinds[@]}"; do
    case $kind in
        tap | mutants | checks) beside+=("$kind") ;;
        regress | isolation | pgtap | models | corpus | flows | long) after+=("$kind") ;;
        *)
            echo "no kind of tests: $kind" >&2
            exit 1
            ;;
    esac
done
lane "${beside[@]}" &
lane "${after[@]}"
wait

# a kind that broke off has not counted itself
for kind in "${kinds[@]}"; do
    tail -n 1 "$work/$kind.out" | grep -q ' passed, ' && continue
    echo "$kind: aborted"
    echo "0 1" >>"$work/counts"
done
read -r passed failed < <(awk '{ ok += $1; bad += $2 } END { print ok + 0, bad + 0 }' "$work/counts")
if grep -qE 'PANIC|was terminated by signal' "$ORCH_WORK/server.log"; then
    failed=$((failed + 1))
    grep -E 'PANIC|was terminated by signal' -A 3 "$ORCH_WORK/server.log" | head -n 20
fi
printf '\n%d passed, %d failed\n' $passed $failed
[ $failed -eq 0 ]
