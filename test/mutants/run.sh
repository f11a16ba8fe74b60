#!/bin/bash
# run.sh: builds of the extension without a lock, a snapshot or a condition that concurrency
# needs.  An isolation spec must notice each of them.
#
# A mutant is one substitution in a copy of the sources.  It must change the file, compile, and
# make one of its specs fail.  The unchanged copy is built and run in the same way first and must
# pass, so that only the substitution makes a mutant fail.
#
# Needs a server with the extension (test/throwaway.sh); the sessions of a mutant
# find it by the settings in ORCH_TEST_CONF with its folder.  Prints TAP.  With arguments:
# only the mutants whose names match one of them.
set -u
unset WERROR                    # mutants may leave a variable unused

top=$(cd "$(dirname "$0")/../.." && pwd)
if [ -z "${ORCH_WORK:-}" ] || [ -z "${ORCH_TEST_CONF:-}" ]; then
    echo "Bail out! run it by test/throwaway.sh"
    exit 1
fi
work=$ORCH_WORK/mutants
pgxs=$(dirname "$("${PG_CONFIG:-pg_config}" --pgxs)")
isolation=$pgxs/../../src/test/isolation/pg_isolation_regress
bindir=$("${PG_CONFIG:-pg_config}" --bindir)
number=0
status=0

rm -rf "$work"
mkdir -p "$work/out" "$work/src"
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
ln -s "$top/expected" "$work/out/expected"
cp -a "$top/Makefile" "$top/orchestration.control" "$top/src" "$top/sql" "$top/doc" "$work/src/"

say() {                         # ok|not ok, description
    number=$((number + 1))
    echo "$1 $number - $2"
    [ "$1" = ok ] || status=1
}

# build the copy and install it into $work/inst
build() {
    rm -rf "$work/inst"
    make -s -C "$work/src" with_llvm=no install DESTDIR="$work/inst" >"$work/build.log" 2>&1
}

# settings with which a session uses $work/inst
options=$(sed -nE "s|$ORCH_WORK/inst|$work/inst|g; s|^ *([a-z_]+) *= *'(.*)' *$|-c \1=\2|p" \
    <<<"$ORCH_TEST_CONF" | tr '\n' ' ')

# run specs with the library, after race.spec, which makes the schema they use; those
# that fail are in $failed; false when none was run
run_specs() {
    PGOPTIONS=$options timeout $((90 + 30 * $#)) \
        "$isolation" --inputdir="$top/test" --outputdir="$work/out" \
        --bindir="$bindir" --load-extension=orchestration \
        --dbname=mutants race "$@" >"$work/run.log" 2>&1
    hung=$(($? == 124))
    failed=$(sed -nE 's/^test +([a-z_]+) .*FAILED.*/\1/p; s/^not ok [0-9]+ +- +([a-z_]+).*/\1/p' \
        "$work/run.log" | tr '\n' ' ')
    grep -qE '^(test|ok|not ok)' "$work/run.log"
}

# mutant NAME FILE SUBSTITUTION SPEC...
mutant() {
    local name=$1 file=src/src/$2 substitution=$3
    shift 3
    if [ ${#only[@]} -gt 0 ]; then
        local wanted=0 pattern
        for pattern in "${only[@]}"; do
            [[ $name == *$pattern* ]] && wanted=1
        done
        [ $wanted -eq 1 ] || return
    fi
    cp -p "$work/$file" "$work/original"
    sed -E -i "$substitution" "$work/$file"
    if cmp -s "$work/$file" "$work/original"; then
        say 'not ok' "mutant \"$name\": the substitution no longer changes ${file#src/}"
    elif ! build; then
        say 'not ok' "mutant \"$name\" does not compile"
        sed 's/^/# /' "$work/build.log"
    elif ! run_specs "$@"; then
        say 'not ok' "mutant \"$name\": no spec was run"
        sed 's/^/# /' "$work/run.log"
    elif [ $hung -eq 1 ]; then
        say 'not ok' "mutant \"$name\" hangs: no result"
    elif [ -z "$failed" ]; then
        say 'not ok' "mutant \"$name\" survived: $*"
    else
        say ok "mutant \"$name\" killed by spec ${failed% }"
        # did an invariant break, or did only a message or a wait change?
        for spec in $failed; do
            awk -v spec="$spec" '/NOTICE:  verify\(\): [1-9]/ { n++ }
                /^ERROR: +(step .* is not in progress|deadlock)/ { e++ }
                END { printf "# %s: %d outcomes that verify() refuses, %d internal errors or deadlocks\n", spec, n, e }' \
                "$work/out/results/$spec.out"
        done
    fi
    cp "$work/original" "$work/$file"   # newer than its object, so it is built again
}

only=("$@")
failed= hung=0
specs=()
for spec in "$top"/test/specs/*.spec; do
    [ "$(basename "$spec")" = race.spec ] || specs+=("$(basename "$spec" .spec)")
done
if build && run_specs "${specs[@]}" && [ -z "$failed" ] && [ $hung -eq 0 ]; then
    say ok "unchanged: all of ${#specs[@]} specs pass"
else
    say 'not ok' "unchanged: specs that fail: $failed"
    [ -z "$failed" ] && cat "$work/build.log" "$work/run.log" 2>/dev/null | sed 's/^/# /'
fi

mutant 'lock: runs are read without a lock' base/lock.c \
    's/ FOR NO KEY UPDATE//' child_race queue_race
mutant 'lock: runs are locked FOR KEY SHARE, as a foreign key does' base/lock.c \
    's/ FOR NO KEY UPDATE/ FOR KEY SHARE/' child_race
mutant 'lock: a run is read without a lock' base/lock.c \
    's/ FOR " mode/"/' work_item_race rights_race
mutant 'guard: parents are read with the snapshot of the transaction' guard/guard_check.c \
    's/orch_plan_execute_latest\(plan, values, NULL, 0\)/orch_plan_execute(plan, values, NULL, true, 0)/' child_race
mutant 'guard: open stages are counted with the snapshot of the transaction' guard/guard_check.c \
    's/orch_plan_execute_latest\(&plan_second_open, &value, NULL, 1\)/orch_plan_execute(\&plan_second_open, \&value, NULL, false, 1)/' child_race
mutant 'guard: stages of a completed run are read with the snapshot of the transaction' guard/guard_check.c \
    's/orch_plan_execute_latest\(&plan_not_beside_completed, &value, NULL, 1\)/orch_plan_execute(\&plan_not_beside_completed, \&value, NULL, false, 1)/' child_race
mutant 'system: the snapshot of the transaction everywhere' base/system.c \
    's/if \(!IsolationUsesXactSnapshot\(\)\)/if (true)/' child_race work_item_race
mutant 'system: the latest snapshot without crosscheck' base/system.c \
    's/crosscheck = GetTransactionSnapshot\(\);/crosscheck = InvalidSnapshot;/' record_race run_race
mutant 'engine: the stage and steps of a run are read with the snapshot of the transaction' engine/engine_state.c \
    's/orch_plan_execute_latest\((one \? &plan_load_(stage|steps_of) : &plan_load_(stages|steps)), values, NULL, 0\)/orch_plan_execute(\1, values, NULL, false, 0)/' work_item_race
mutant 'work item: the run is locked FOR KEY SHARE' work/work_item_call.c \
    's/(orch_lock_run\(&item->run_id, RUN_LOCK_)MOVE/\1KEEP/' work_item_race
mutant 'work item: the item is read with the snapshot of the transaction' work/work_item_call.c \
    's/orch_plan_execute_latest\(&plan_read, values, NULL, 1\)/orch_plan_execute(\&plan_read, values, NULL, false, 1)/' work_item_race
mutant 'recall: the run is not locked' work/approval.c \
    's/\(void\) orch_lock_run\(&run_id, RUN_LOCK_MOVE\);//' approval_race
mutant 'recall: the run is locked FOR KEY SHARE' work/approval.c \
    's/(orch_lock_run\(&run_id, RUN_LOCK_)MOVE/\1KEEP/' approval_race
mutant 'review: the run is locked FOR KEY SHARE' work/work_item_call.c \
    's/(orch_lock_run\(&item->run_id, RUN_LOCK_)MOVE/\1KEEP/' approval_race
mutant 'queue: results of many runs are applied without locks on the runs' engine/engine_state.c \
    '/plan_load_runs = /,/};/s/ FOR NO KEY UPDATE//' batch_race
mutant 'queue: claims wait for each other' work/queue_claim.c \
    '/plan_claim = /,/RETURNING/s/ SKIP LOCKED//' queue_race
mutant 'queue: claims without a lock' work/queue_claim.c \
    '/plan_claim = /,/RETURNING/s/ FOR UPDATE SKIP LOCKED//' queue_race
mutant 'queue: the lease is not checked again' work/queue_result.c \
    's/ AND lease_id = \$3 RETURNING/ AND $3 IS NOT NULL RETURNING/;s/ AND q.lease_id = u.lease_id"$/"/' queue_race
mutant 'condition: the record may change while a run that waits for it starts' engine/engine_start.c \
    '/id = orch_record_lock/s/def->waits_for_record\);/false);/' condition_race
mutant 'condition: waiting runs are searched with the snapshot of the statement' work/record_change.c \
    's/orch_plan_execute_latest\(&plan_waiting, values, NULL, 0\)/orch_plan_execute(\&plan_waiting, values, NULL, true, 0)/' condition_race
mutant 'variable: its record may change while it is bound' engine/engine_record.c \
    's/(orch_record_try_lock\(type, key, reader, )true\)/\1false)/' variable_race
mutant 'inbox: the item is read before the run is locked' work/work_item_call.c \
    's/(orch_lock_run\(&item->run_id, RUN_LOCK_)MOVE/\1KEEP/' inbox_race
mutant 'record: it is read without a lock' record/record.c \
    's/ FOR KEY SHARE OF t//' record_race
mutant 'record: lookups are cleared with the snapshot of the transaction' record/record_reference.c \
    's/orch_plan_execute_latest\(&(plan_clear_runs|plan_clear_work_items), values, nulls, 0\)/orch_plan_execute(\&\1, values, nulls, false, 0)/' record_race
mutant 'start: the key is searched, not claimed' engine/engine_write.c \
    's/" WHERE idempotency_key IS NOT NULL DO NOTHING"/" WHERE idempotency_key IS NOT NULL DO UPDATE SET idempotency_key = NULL"/' start_race
mutant 'deploy: versions are numbered without a lock' definition/definition_deploy.c \
    's/ WHERE name = \$1 FOR NO KEY UPDATE/ WHERE name = $1/' start_race
mutant 'access: pending invalidations are not received' access/access_int.h \
    's/^\tAcceptInvalidationMessages\(\);//' new_enemy
mutant 'access: sharing is read with the snapshot of the statement' access/access.c \
    's/GetCatalogSnapshot\(orch_catalog_relation\([A-Z_]+\)\)/GetActiveSnapshot()/' share_revoke
mutant 'access: changes of shares invalidate nothing' base/catalog.c \
    's/^\t\torch_catalog_share_generation\+\+;//' share_revoke
mutant 'membership: circles are searched without a lock' record/principal.c \
    's/ FOR NO KEY UPDATE//' membership_cycle
mutant 'share: without a lock on the run' call/caller.c \
    's/(orch_lock_run\(&record->run_id, RUN_LOCK_)MOVE/\1KEEP/' rights_race
mutant 'share: the right is not checked again under the lock' call/caller.c \
    '/orch_lock_run\(&record->run_id, RUN_LOCK_MOVE/{n;s/.*//}' rights_race
mutant 'run: the right is not checked again under the lock' work/run.c \
    '/orch_lock_run\(run_id, RUN_LOCK_MOVE/{n;s/.*//}' rights_race
mutant 'work item: the right is not checked again under the lock' work/work_item_call.c \
    '/^\trequire\(role, id\);/{N;/tuple = /s/^\trequire\(role, id\);//}' rights_race
mutant 'stamp: writers take no lock' base/stamp.c \
    's/\(void\) LockAcquire\(&tag, ShareLock, false, false\);//' replicate_race
mutant 'stamp: the time at which the transaction began' base/stamp.c \
    's/stamp = Max\(GetCurrentTimestamp\(\), before\)/stamp = GetCurrentTransactionStartTimestamp()/; s/#include "fmgr.h"/#include "fmgr.h"\n#include "access\/xact.h"/' replicate_race
mutant 'stamp: the lock ends with the subtransaction' base/stamp.c \
    's/CurrentResourceOwner = TopTransactionResourceOwner;//' replicate_race
mutant 'replicate: changes are read with the snapshot of the transaction' call/replicate.c \
    's/GetLatestSnapshot\(\)/GetActiveSnapshot()/' replicate_race
mutant 'tombstone: purges wait for each other' call/tombstone.c \
    's/(ORDER BY r.modified_minute LIMIT \$2 FOR UPDATE) SKIP LOCKED/\1/' purge_race
mutant 'record_view: a viewer waits for another session of the same viewer' call/record_view.c \
    's/LockAcquire\(&tag, ExclusiveLock, false, true\)/LockAcquire(\&tag, ExclusiveLock, false, false)/' view_race
mutant 'feed: the item is not locked' call/feed.c \
    '/plan_item = /,/};/s/ FOR KEY SHARE//' feed_race

echo "1..$number"
exit $status
