#!/bin/bash
# policies.sh: the suites on access fail if the policies are missing.
#
# In a scratch database each case weakens the installed extension.  The attack suite and the
# oracle, with fewer configurations, must then report failed assertions; an abort is not enough.
# Unchanged they must pass.
. test/check/lib.sh.inc

# suites STATEMENT: how many assertions fail in a database changed by it
suites() {
    local file
    PGOPTIONS="-c client_min_messages=warning" psql -qX -d template1 -c 'DROP DATABASE IF EXISTS policy_db' -c 'CREATE DATABASE policy_db' || return 1
    psql -qX -d policy_db -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION orchestration' -c 'CREATE EXTENSION pgtap' -c "$1" >/dev/null || return 1
    for file in attack access_oracle; do
        psql -qXAt -d policy_db -v ON_ERROR_STOP=1 -v configurations=200 -f test/pgtap/$file.sql 2>&1
    done | grep -c '^not ok'
    psql -qX -d template1 -c 'DROP DATABASE policy_db'
}

pass_with() {
    [ "$(suites "$1")" = 0 ]
}

fail_with() {
    local failed
    failed=$(suites "$1")
    echo "$failed assertions failed"
    [ "$failed" -gt 0 ]
}

check 'the suites on access pass' pass_with 'SELECT 1'
check 'they fail without the policies of runs' fail_with \
    'ALTER TABLE orchestration.run DISABLE ROW LEVEL SECURITY'
check 'they fail when all policies are replaced by one that allows everything' fail_with \
    "DO \$\$ DECLARE p record; BEGIN
        FOR p IN SELECT polrelid::regclass AS t, polname FROM pg_policy LOOP EXECUTE format('DROP POLICY %I ON %s', p.polname, p.t); END LOOP;
        FOR p IN SELECT DISTINCT c.oid::regclass AS t FROM pg_class c WHERE relnamespace = 'orchestration'::regnamespace AND relkind = 'r' LOOP EXECUTE format('CREATE POLICY x ON %s USING (true)', p.t); END LOOP;
     END \$\$"
check 'they fail when all policies are dropped' fail_with \
    "DO \$\$ DECLARE p record; BEGIN
        FOR p IN SELECT polrelid::regclass AS t, polname FROM pg_policy LOOP EXECUTE format('DROP POLICY %I ON %s', p.polname, p.t); END LOOP;
     END \$\$"
check 'they fail without one arm of one policy' fail_with \
    "ALTER POLICY step_run_select ON orchestration.step_run USING (
        orchestration_internal.owner_visible('FlowOrchestrationStepInstance', owner_id) OR orchestration_internal.record_shared('FlowOrchestrationStepInstance', id))"
check 'they fail when every user reads the log' fail_with \
    'ALTER POLICY run_log_select ON orchestration.run_log USING (true)'
check 'they fail when a view is read as its owner' fail_with \
    'ALTER VIEW orchestration.flow_orchestration_work_item RESET (security_invoker)'
check 'they fail when rules are ignored' fail_with \
    'ALTER TABLE orchestration.owner_sharing_rule DISABLE TRIGGER owner_sharing_rule_invalidate_cache'
check 'they fail when every user reads history' fail_with \
    'ALTER POLICY field_change_select ON orchestration.field_change USING (true)'
check 'they fail when every user reads feeds' fail_with \
    'ALTER POLICY feed_item_select ON orchestration.feed_item USING (true)'
check 'they fail when every user reads tombstones' fail_with \
    'ALTER POLICY tombstone_select ON orchestration.tombstone USING (true)'
