#!/usr/bin/python3
"""latest.py: in REPEATABLE READ and SERIALIZABLE a call answers from the latest state, or fails with 40001.

One session takes its snapshot.  Another session creates or changes the record that the call
names (a run, a step, a work item, a definition, ...), and commits.  Then the first session
calls.  The answer in READ COMMITTED is correct; in the other two levels the answer must be the
same, or a serialization failure, never an answer from the old state.

Every callable function of the extension is listed: with a case; or under READS, if it reads
the snapshot of its transaction as any SELECT does; or under NOT_HERE, with the reason.  A
function that is not listed fails the test.

Expects a server with the extension (test/throwaway.sh).  Prints TAP.
"""
import re
import sys
import uuid

import psycopg
from psycopg.types.json import Jsonb

READS = """interval_in_range time_in_range acting_principal_ids acting_user_id assignee_visible completes_by_condition describe_layout
describe_global describe_sobjects shared_counters guard_judges engine_stats engine_runs engine_queue check_reader evaluate_conditions evaluate_formula
is_user legal_neighbours legal_transitions minute_of my_work_items new_id orchestration_diagram orchestration_references
orchestration_setup_script orchestration_visible owner_visible record_exists record_key record_shared record_visible retrieve rule_shares
run_diagram run_id run_report orchestration_report run_tree run_timeline sees_sharing shared_record_ids needs_attention attention_items
duration_text error_text lasted one_line resumable_until resume_window step_person
system_modstamp unestimated manages_definitions validate_orchestration verify version_problem visible_orchestration_ids visible_owner_ids
record_type_problem record_type_problems record_type_table version_missing_fields
waits_for_record query explain_soql approval_visible submission_reviewed reviewed_principal_ids reviewed_submission_ids""".split()
NOT_HERE = {
    "rebuild_open_runs": "about all runs, under a lock: test/sql/open_run.sql",
    "listen_for_work": "a wake-up: nothing is decided; the transaction's end is what counts",
    "listen_for_messages": "likewise",
    "start_background_worker": "about processes",
    "stop_background_worker": "about processes",
    "advance_sequences": "the latest, under locks: test/pgtap/replica.sql",
    "set_default_access": "of the objects, which are always there",
    "set_feed_tracking": "likewise",
    "set_history_tracking": "likewise",
    "set_layout": "likewise",
    "create_group": "makes a name, which is unique",
    "create_queue": "likewise",
    "create_user": "likewise",
    "register_record_type": "likewise",
    "latest_date_covered": "the horizon of stamps: test/specs/replicate_race.spec",
    "get_updated": "likewise",
    "get_deleted": "likewise",
    "query_more": "a locator is found by the latest snapshot, its records are read as by query()",
}

SETUP = """
CREATE EXTENSION orchestration;
SELECT orchestration.register_action('Screen', 'screen'), orchestration.register_action('Work', 'worker');
CREATE FUNCTION act(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT ''{}''::jsonb';
SELECT orchestration.register_action('Act', 'function', 'act(jsonb)');
CREATE TABLE demand (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
SELECT orchestration.register_record_type('Demand', 'demand');
CREATE SEQUENCE number;
CREATE FUNCTION document(start jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_build_object('label', 'L', 'processType', 'Orchestrator', 'start', $1 || '{"connector": {"targetReference": "S"}}', 'orchestratedStages', '[
  {"name": "S", "label": "S", "stageSteps": [
    {"name": "Person", "label": "P", "actionName": "Screen", "actionType": "stepInteractive",
     "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "autoproc"}}]},
    {"name": "Work", "label": "W", "actionName": "Work", "actionType": "stepBackground", "requiresAsyncProcessing": true},
    {"name": "Act", "label": "A", "actionName": "Act", "actionType": "stepBackground", "requiresAsyncProcessing": true}]}]'::jsonb) $$;
SELECT orchestration.deploy_orchestration(document(), 'Run'), orchestration.activate_orchestration('Run');
SELECT orchestration.deploy_orchestration(document('{"object": "Demand", "triggerType": "RecordAfterSave", "recordTriggerType": "Update"}'), 'About'), orchestration.activate_orchestration('About');
-- a record is created and used in two statements: a function for each
CREATE FUNCTION run() RETURNS uuid LANGUAGE sql AS 'SELECT orchestration.start_orchestration(''Run'')';
CREATE FUNCTION item() RETURNS uuid LANGUAGE plpgsql AS $$DECLARE r uuid := run(); BEGIN RETURN (SELECT w.id FROM orchestration.work_item w WHERE w.run_id = r); END$$;
CREATE FUNCTION lease() RETURNS jsonb LANGUAGE plpgsql AS $$DECLARE r uuid := run(); c record; BEGIN
    -- by a plain write: a claim takes any step
    UPDATE orchestration.step_queue SET lease_id = orchestration.new_id(), worker = 'w', attempt = 1, claimed_at = now(), leased_until = now() + '1 hour'
     WHERE run_id = r AND topic = 'Work' RETURNING step_run_id, lease_id INTO c;
    RETURN jsonb_build_array(jsonb_build_object('step_id', c.step_run_id, 'lease_id', c.lease_id)); END$$;
CREATE FUNCTION ready() RETURNS text LANGUAGE plpgsql AS $$DECLARE n text := unique_name('topic'); BEGIN
    PERFORM orchestration.register_action(n, 'worker', topic => n);
    PERFORM orchestration.deploy_orchestration(replace(document()::text, '"actionName": "Work"', format('"actionName": "%s"', n))::jsonb, n), orchestration.activate_orchestration(n);
    PERFORM orchestration.start_orchestration(n); RETURN n; END$$;
CREATE FUNCTION moved(call text) RETURNS uuid LANGUAGE plpgsql AS $$DECLARE r uuid := run(); BEGIN EXECUTE format('SELECT orchestration.%s(%L)', call, r); RETURN r; END$$;
CREATE FUNCTION failed() RETURNS uuid LANGUAGE plpgsql AS $$DECLARE i uuid := item(); BEGIN PERFORM orchestration.fail_work_item(i, 'no'); RETURN (SELECT w.run_id FROM orchestration.work_item w WHERE w.id = i); END$$;
SELECT orchestration.deploy_orchestration(document() || '{"processType": "ApprovalWorkflow", "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [
    {"name": "Decide", "label": "D", "actionName": "Screen", "actionType": "stepApproval", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "autoproc"}}]}]}]}', 'Approval'),
       orchestration.activate_orchestration('Approval');
CREATE FUNCTION approval() RETURNS uuid LANGUAGE sql AS 'SELECT orchestration.start_orchestration(''Approval'')';
CREATE FUNCTION message() RETURNS uuid LANGUAGE plpgsql AS $$DECLARE r uuid := approval(); BEGIN RETURN (SELECT m.id FROM orchestration.message m WHERE m.run_id = r); END$$;
CREATE FUNCTION decision() RETURNS uuid LANGUAGE plpgsql AS $$DECLARE r uuid := approval(); BEGIN RETURN (SELECT w.id FROM orchestration.work_item w WHERE w.run_id = r); END$$;
CREATE FUNCTION unique_name(start text) RETURNS text LANGUAGE sql AS 'SELECT $1 || nextval(''number'')';
CREATE FUNCTION person() RETURNS uuid LANGUAGE plpgsql AS $$DECLARE n text := unique_name('person'); BEGIN RETURN orchestration.create_user(n || '@x', n, n); END$$;
CREATE FUNCTION gang() RETURNS uuid LANGUAGE sql AS 'SELECT orchestration.create_group(unique_name(''gang''), ''G'')';
CREATE FUNCTION post() RETURNS uuid LANGUAGE sql AS 'SELECT orchestration.post_to_feed(run(), ''hello'')';
CREATE FUNCTION definition(active boolean) RETURNS text LANGUAGE plpgsql AS $$DECLARE n text := unique_name('D'); BEGIN
    PERFORM orchestration.deploy_orchestration(document(), n);
    IF active THEN PERFORM orchestration.activate_orchestration(n); END IF; RETURN n; END$$;
SELECT orchestration.deploy_orchestration(document() || '{"label": "two"}', 'Run');
CREATE FUNCTION two_versions(runs integer DEFAULT 0) RETURNS text LANGUAGE plpgsql AS $$DECLARE n text := definition(true); BEGIN
    PERFORM orchestration.start_orchestration(n) FROM generate_series(1, runs);
    PERFORM orchestration.deploy_orchestration(document() || '{"label": "two"}', n), orchestration.activate_orchestration(n); RETURN n; END$$;
CREATE FUNCTION action() RETURNS text LANGUAGE plpgsql AS $$DECLARE n text := unique_name('action'); BEGIN PERFORM orchestration.register_action(n, 'worker'); RETURN n; END$$;
CREATE FUNCTION record_type() RETURNS text LANGUAGE plpgsql AS $$DECLARE n text := unique_name('type'); BEGIN
    EXECUTE format('CREATE TABLE %I (id bigint PRIMARY KEY)', n); PERFORM orchestration.register_record_type(n, n::regclass); RETURN n; END$$;
CREATE FUNCTION demand() RETURNS text LANGUAGE sql AS 'INSERT INTO demand (note) VALUES (''x'') RETURNING id::text';
CREATE FUNCTION waiting() RETURNS text LANGUAGE plpgsql AS $$DECLARE d text := demand(); BEGIN PERFORM orchestration.start_orchestration('About', d); RETURN d; END$$;
"""

# call: the record created meanwhile, or (created before, changed meanwhile); the call; its effect.  Parameters are the created records
RUN, ITEM, LEASE = "SELECT run()", "SELECT item()", "SELECT lease()"
APPROVAL, DECISION = "SELECT approval()", "SELECT decision()"
DECIDED = (DECISION, "SELECT orchestration.review_approval(%s, 'Approve')")
TAKEN_BACK = (DECISION, "SELECT orchestration.recall_run(run_id) FROM orchestration.work_item WHERE id = %s")
CANCELED = (RUN, "SELECT orchestration.cancel_run(%s)")
SUSPENDED = (RUN, "SELECT orchestration.suspend_run(%s)")
DONE = (ITEM, "SELECT orchestration.complete_work_item(%s)")
LOST = (LEASE, "UPDATE orchestration.step_queue SET lease_id = orchestration.new_id() WHERE lease_id = (%s->0->>'lease_id')::uuid")
STOPPED = (LEASE, "SELECT orchestration.cancel_run(run_id) FROM orchestration.step_queue WHERE lease_id = (%s->0->>'lease_id')::uuid")
CASES = [
    ("cancel_run", RUN), ("cancel_run", CANCELED), ("cancel_run", SUSPENDED),
    ("suspend_run", RUN), ("suspend_run", CANCELED), ("suspend_run", SUSPENDED),
    ("resume_run", "SELECT moved('suspend_run')"), ("resume_run", SUSPENDED), ("resume_run", CANCELED), ("resume_run", RUN),
    ("retry_failed_runs", "SELECT failed()", "array_agg(f.status) FROM orchestration.retry_failed_runs('Run', max_runs => 10000) f WHERE f.run_id = %s"),
    ("retry_failed_runs", ("SELECT failed()", "SELECT orchestration.resume_run(%s)"), "array_agg(f.status) FROM orchestration.retry_failed_runs('Run', max_runs => 10000) f WHERE f.run_id = %s"),
    ("reevaluate_run", RUN), ("reevaluate_run", SUSPENDED),
    ("recall_run", RUN), ("recall_run", SUSPENDED), ("recall_run", APPROVAL), ("recall_run", (APPROVAL, "SELECT orchestration.cancel_run(%s)")),
    ("recall_run", (APPROVAL, "SELECT orchestration.suspend_run(%s)")), ("recall_run", (APPROVAL, "SELECT orchestration.recall_run(%s)")),
    ("review_approval", DECISION, "orchestration.review_approval(%s, 'Approve')"), ("review_approval", DECIDED, "orchestration.review_approval(%s, 'Approve')"),
    ("review_approval", TAKEN_BACK, "orchestration.review_approval(%s, 'Reject')"),
    ("override_approval", DECISION, "orchestration.override_approval(%s, 'Approve')"), ("override_approval", DECIDED, "orchestration.override_approval(%s, 'Approve')"),
    ("override_approval", TAKEN_BACK, "orchestration.override_approval(%s, 'Reject')"),
    ("complete_work_item", DECIDED, "orchestration.complete_work_item(%s, '{\"approvalDecision\": \"Reject\"}')"),
    ("complete_work_item", TAKEN_BACK, "orchestration.complete_work_item(%s, '{\"approvalDecision\": \"Reject\"}')"),
    ("reassign_work_item", DECIDED, "orchestration.reassign_work_item(%s, PERSON)"),
    ("next_messages", "SELECT message()", "count(*) FROM orchestration.next_messages(10000) m WHERE m.id = %s"),
    ("message_sent", "SELECT message()", "orchestration.message_sent(ARRAY[%s::uuid])"), ("message_sent", ("SELECT message()", "SELECT orchestration.message_sent(ARRAY[%s::uuid])"), "orchestration.message_sent(ARRAY[%s::uuid])"),
    ("message_failed", "SELECT message()", "orchestration.message_failed(%s, 'no')"), ("message_failed", ("SELECT message()", "SELECT orchestration.message_sent(ARRAY[%s::uuid])"), "orchestration.message_failed(%s, 'no')"),
    ("remind_assignees", DECISION, "orchestration.remind_assignees('0', 10000) > 0 FROM (SELECT %s::text) x"),
    ("create_approval_delegation", "SELECT person()", "orchestration.create_approval_delegation(PERSON, %s) IS NOT NULL"),
    ("create_approval_delegation", "SELECT person()", "orchestration.create_approval_delegation(%s, PERSON) IS NOT NULL"),
    ("create_approval_delegation", ("SELECT person()", "SELECT orchestration.create_approval_delegation(PERSON, %s)"), "orchestration.create_approval_delegation(PERSON, %s) IS NOT NULL"),
    ("delete_approval_delegation", "SELECT orchestration.create_approval_delegation(PERSON, person())"),
    ("set_delegated_approver", "SELECT person()", "orchestration.set_delegated_approver(PERSON, %s)"), ("set_delegated_approver", "SELECT person()", "orchestration.set_delegated_approver(%s, PERSON)"),
    ("set_manager", "SELECT person()", "orchestration.set_manager(PERSON, %s)"), ("set_manager", "SELECT person()", "orchestration.set_manager(%s, PERSON)"),
    ("post_to_feed", RUN, "orchestration.post_to_feed(%s, 'hello')"),
    ("view_record", RUN), ("reference_record", RUN),
    ("change_owner", RUN, "orchestration.change_owner(%s, (SELECT id FROM orchestration.principal WHERE kind = 'User' ORDER BY id LIMIT 1))"),
    ("change_owner", "SELECT person()", "orchestration.change_owner(OLD_RUN, %s)"),
    ("explain_access", RUN, "array_agg(e) FROM orchestration.explain_access(%s, (SELECT id FROM orchestration.principal WHERE kind = 'User' ORDER BY id LIMIT 1)) e"),
    ("explain_access", "SELECT person()", "array_agg(e) FROM orchestration.explain_access(OLD_RUN, %s) e"),
    ("user_record_access", RUN, "array_agg(a) FROM orchestration.user_record_access(ARRAY[%s]) a"),
    ("user_record_access", "SELECT person()", "array_agg(a) FROM orchestration.user_record_access(ARRAY[OLD_RUN], %s) a"),
    ("complete_work_item", ITEM), ("complete_work_item", DONE),
    ("fail_work_item", ITEM, "orchestration.fail_work_item(%s, 'no')"), ("fail_work_item", DONE, "orchestration.fail_work_item(%s, 'no')"),
    ("claim_work_item", ITEM), ("claim_work_item", DONE), ("release_work_item", ITEM), ("release_work_item", DONE),
    ("set_due_date", ITEM, "orchestration.set_due_date(%s, '2030-01-01')"), ("set_due_date", DONE, "orchestration.set_due_date(%s, '2030-01-01')"),
    ("unlock_record", "SELECT demand()", "orchestration.unlock_record('Demand', %s)"),
    ("reassign_work_item", ITEM, "orchestration.reassign_work_item(%s, PERSON)"), ("reassign_work_item", DONE, "orchestration.reassign_work_item(%s, PERSON)"),
    ("reassign_work_item", "SELECT person()", "orchestration.reassign_work_item(OLD_ITEM, %s)"),
    ("reassign_work_item", ("SELECT person()", "SELECT orchestration.update_user(%s, is_active => false)"), "orchestration.reassign_work_item(OLD_ITEM, %s)"),
    ("complete_steps", LEASE, "array_agg(c) FROM orchestration.complete_steps(%s) c"),
    ("complete_steps", LOST, "array_agg(c) FROM orchestration.complete_steps(%s) c"),
    ("complete_steps", STOPPED, "array_agg(c) FROM orchestration.complete_steps(%s) c"),
    ("fail_steps", LEASE, "array_agg(c) FROM orchestration.fail_steps(jsonb_set(%s, '{0,message}', '\"no\"')) c"),
    ("fail_steps", LOST, "array_agg(c) FROM orchestration.fail_steps(jsonb_set(%s, '{0,message}', '\"no\"')) c"),
    ("extend_leases", LEASE, "array_agg(c) FROM orchestration.extend_leases(%s, '2 hours') c"),
    ("extend_leases", LOST, "array_agg(c) FROM orchestration.extend_leases(%s, '2 hours') c"),
    ("extend_leases", STOPPED, "array_agg(c) FROM orchestration.extend_leases(%s, '2 hours') c"),
    ("claim_steps", "SELECT ready()", "count(*) FROM orchestration.claim_steps('w', ARRAY[%s], 5, '1 hour')"),
    ("claim_steps", ("SELECT ready()", "SELECT count(*)::text FROM orchestration.claim_steps('v', ARRAY[%s], 5, '1 hour')"), "count(*) FROM orchestration.claim_steps('w', ARRAY[%s], 5, '1 hour')"),
    ("complete_and_claim", "SELECT ready()", "count(*) FROM orchestration.complete_and_claim('[]', 'w', ARRAY[%s], 5, '1 hour')"),
    ("listen_for_steps", "SELECT ready()", "max_wait = '0' FROM orchestration.listen_for_steps(ARRAY[%s], pg_backend_pid()) LIMIT 1"),
    ("create_owner_sharing_rule", "SELECT gang()", "orchestration.create_owner_sharing_rule('FlowOrchestrationInstance', %s, %s, 'Read') IS NOT NULL"),
    ("create_orchestration_sharing_rule", "SELECT definition(true)", "array_length(ARRAY(SELECT orchestration.create_orchestration_sharing_rule(%s, GANG, 'Read')::text), 1)"),
    ("create_orchestration_sharing_rule", "SELECT gang()", "array_length(ARRAY(SELECT orchestration.create_orchestration_sharing_rule('Run', %s, 'Read')::text), 1)"),
    ("delete_sharing_rule", "SELECT orchestration.create_owner_sharing_rule('FlowOrchestrationInstance', gang(), gang(), 'Read')"),
    ("share_record", RUN, "orchestration.share_record(%s, GANG, 'Read') IS NOT NULL"),
    ("share_record", "SELECT gang()", "orchestration.share_record(OLD_RUN, %s, 'Read') IS NOT NULL"),
    ("unshare_record", ("SELECT gang()", "SELECT orchestration.share_record(OLD_RUN, %s, 'Read')"), "orchestration.unshare_record(OLD_RUN, %s)"),
    ("add_group_member", "SELECT gang()", "orchestration.add_group_member(%s, PERSON)"),
    ("add_group_member", "SELECT person()", "orchestration.add_group_member(GANG, %s)"),
    ("add_group_member", ("SELECT gang()", "SELECT orchestration.add_group_member(%s, PERSON)"), "orchestration.add_group_member(%s, PERSON)"),
    ("remove_group_member", ("SELECT gang()", "SELECT orchestration.add_group_member(%s, PERSON)"), "orchestration.remove_group_member(%s, PERSON)",
     "SELECT count(*) FROM orchestration.membership WHERE group_id = %s"),
    ("update_user", "SELECT person()", "orchestration.update_user(%s, name => 'N')"),
    ("comment_on_feed_item", "SELECT post()", "orchestration.comment_on_feed_item(%s, 'yes')"),
    ("like_feed_item", "SELECT post()"), ("like_feed_item", ("SELECT post()", "SELECT orchestration.like_feed_item(%s)")),
    ("unlike_feed_item", ("SELECT post()", "SELECT orchestration.like_feed_item(%s)")),
    ("delete_feed_comment", "SELECT orchestration.comment_on_feed_item(post(), 'yes')"),
    ("activate_orchestration", "SELECT definition(false)"), ("activate_orchestration", ("SELECT definition(false)", "SELECT orchestration.activate_orchestration(%s)")),
    ("activate_orchestration", ("SELECT definition(true)", "SELECT orchestration.deploy_orchestration(document() || '{\"label\": \"two\"}', %s)")),
    ("deactivate_orchestration", "SELECT definition(true)"),
    ("deactivate_orchestration", ("SELECT definition(false)", "SELECT orchestration.activate_orchestration(%s)")),
    ("deploy_orchestration", "SELECT definition(true)", "orchestration.deploy_orchestration(document(), %s)"),
    ("deploy_orchestration", ("SELECT definition(true)", "SELECT orchestration.deploy_orchestration(document() || '{\"label\": \"two\"}', %s)"), "orchestration.deploy_orchestration(document() || '{\"label\": \"two\"}', %s)"),
    ("delete_orchestration_version", "SELECT two_versions()", "orchestration.delete_orchestration_version(%s, 1) IS NULL"),
    ("delete_orchestration_version", ("SELECT two_versions()", "SELECT orchestration.activate_orchestration(%s, 1)"), "orchestration.delete_orchestration_version(%s, 1) IS NULL"),
    ("delete_orchestration_version", ("SELECT two_versions(1)", "SELECT orchestration.migrate_runs(%s, 1, 2, false)::text"), "orchestration.delete_orchestration_version(%s, 1) IS NULL"),
    ("delete_orchestration", "SELECT definition(false)", "orchestration.delete_orchestration(%s) IS NULL"),
    ("delete_orchestration", ("SELECT definition(true)", "SELECT orchestration.deactivate_orchestration(%s)"), "orchestration.delete_orchestration(%s) IS NULL"),
    ("migrate_run", RUN, "orchestration.migrate_run(%s, 2)"), ("migrate_run", CANCELED, "orchestration.migrate_run(%s, 2)"), ("migrate_run", SUSPENDED, "orchestration.migrate_run(%s, 2)"),
    ("migrate_run", (RUN, "SELECT orchestration.migrate_run(%s, 2)"), "orchestration.migrate_run(%s, 2)"),
    ("migrate_runs", "SELECT two_versions(2)", "array_agg(m.migrated) FROM orchestration.migrate_runs(%s, 1, 2, false) m"),
    ("migrate_runs", "SELECT two_versions(2)", "array_agg(m.version) FROM orchestration.migrate_runs(%s) m"),
    ("migrate_runs", ("SELECT two_versions(2)", "SELECT orchestration.cancel_run(r.id)::text FROM orchestration.run r WHERE r.orchestration_name = %s"), "array_agg(m.version) FROM orchestration.migrate_runs(%s, 1, 2, false) m"),
    ("start_orchestration", "SELECT definition(true)", "orchestration.start_orchestration(%s)"),
    ("start_orchestration", ("SELECT definition(true)", "SELECT orchestration.deactivate_orchestration(%s)"), "orchestration.start_orchestration(%s)"),
    ("start_orchestration", ("SELECT unique_name('key')", "SELECT orchestration.start_orchestration('Run', idempotency_key => %s)"), "orchestration.start_orchestration('Run', idempotency_key => %s)"),
    ("start_orchestration", "SELECT demand()", "orchestration.start_orchestration('About', %s)"),
    ("start_orchestration", "SELECT demand()", "orchestration.start_orchestration('Run', %s)"),
    ("start_orchestration", "SELECT person()", "orchestration.start_orchestration('Run', owner_id => %s)"),
    ("dry_run", "SELECT definition(true)", "array_agg(d) FROM orchestration.dry_run(%s) d"),
    ("dry_run", "SELECT demand()", "array_agg(d) FROM orchestration.dry_run('About', %s) d"),
    ("register_action", "SELECT action()", "orchestration.register_action(%s, 'screen')"),
    ("set_action_contract", "SELECT action()", "orchestration.set_action_contract(%s)"),
    ("allow_run_as_user", "SELECT action()", "orchestration.allow_run_as_user(%s)"),
    ("set_retry_policy", "SELECT action()", "orchestration.set_retry_policy(%s, 2)"),
    ("unregister_action", "SELECT action()"),
    ("unregister_record_type", "SELECT record_type()"),
    ("set_global", ("SELECT '$' || unique_name('G')", "SELECT orchestration.set_global(%s, '{\"a\": 1}')"), "orchestration.set_global(%s, NULL)",
     "SELECT count(*) FROM orchestration.global_value WHERE name = %s"),
    ("set_global", ("SELECT '$' || unique_name('G')", "SELECT orchestration.set_global(%s, '{\"a\": 1}')"), "orchestration.set_global(%s, '{\"a\": 2}')"),
    ("update", RUN, "orchestration.update(jsonb_build_array(jsonb_build_object('type', 'FlowOrchestrationInstance', 'Id', %s, 'Status', 'Canceled')), false)"),
    ("update", CANCELED, "orchestration.update(jsonb_build_array(jsonb_build_object('type', 'FlowOrchestrationInstance', 'Id', %s, 'Status', 'Suspended')), false)"),
    ("create", RUN, "orchestration.create(jsonb_build_array(jsonb_build_object('type', 'FlowOrchestrationInstanceShare', 'ParentId', %s, 'UserOrGroupId', GANG, 'AccessLevel', 'Read')), false)"),
    ("upsert", RUN, "orchestration.upsert('Id', jsonb_build_array(jsonb_build_object('type', 'FlowOrchestrationInstance', 'Id', %s, 'Status', 'Canceled')), false)"),
    ("delete", "SELECT moved('cancel_run')", "orchestration.delete(ARRAY[%s::text], false)"),
    ("delete", (RUN, "SELECT orchestration.cancel_run(%s)"), "orchestration.delete(ARRAY[%s::text], false)"),
    ("purge_runs", "SELECT moved('cancel_run')", "orchestration.purge_runs('0', 1) FROM (SELECT %s::text) x"),
    ("remove_expired", RUN, "array_agg(e) FROM orchestration.remove_expired() e, (SELECT %s::text) x"),
    # last, because it removes the others
    ("run_queued_steps", RUN, "orchestration.run_queued_steps(1) FROM (SELECT %s::text) x"),
]

LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
problems = 0
total = 0


def ok(condition, name, why=()):
    global problems, total
    total += 1
    problems += not condition
    print("%sok %d - %s" % ("" if condition else "not ", total, name), flush=True)
    for line in () if condition else why:
        print("# %s" % (line,), flush=True)


def plain(text):
    """Replaces the values that differ from record to record."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "ID", str(text))
    text = re.sub(r"\d{4}-\d\d-\d\d[ T][\d:.]+([+-]\d\d(:\d\d)?|Z)?|datetime\.datetime\([^)]*\)\)?", "TIME", text)
    return re.sub(r"\d+", "N", text) if re.search(r"[A-Za-z]-?\d", text) else text


def answer(session, call, made):
    """Inside an open transaction, and until its commit."""
    try:
        result = plain(session.execute("SELECT " + call, made).fetchone()[0])
        session.execute("COMMIT")
        return result
    except psycopg.Error as error:
        session.execute("ROLLBACK")
        return "40001" if error.sqlstate == "40001" else "%s: %s" % (error.sqlstate, plain(error.diag.message_primary))


def main():
    with psycopg.connect(autocommit=True) as conn:
        conn.execute("DROP DATABASE IF EXISTS latest")
        conn.execute("CREATE DATABASE latest")
    first = psycopg.connect(dbname="latest", autocommit=True)
    second = psycopg.connect(dbname="latest", autocommit=True)
    second.execute(SETUP)
    old = {"OLD_RUN": "SELECT run()", "OLD_ITEM": "SELECT item()", "GANG": "SELECT gang()", "PERSON": "SELECT person()"}
    old = {name: "'%s'::uuid" % second.execute(sql).fetchone()[0] for name, sql in old.items()}

    def fill(sql):
        for name, value in old.items():
            sql = sql.replace(name, value)
        return sql

    schemas = dict(second.execute(
        "SELECT proname, pronamespace::regnamespace::text FROM pg_proc"
        " WHERE pronamespace IN ('orchestration'::regnamespace, 'orchestration_internal'::regnamespace)").fetchall())
    for case in CASES:
        name, about = case[:2]
        call = fill(case[2] if len(case) > 2 else "%s.%s(%%s)" % (schemas[name], name))
        before, meanwhile = (about[0], about[1]) if isinstance(about, tuple) else (None, about)
        answers = []
        for level in LEVELS:
            if name == "run_queued_steps":
                second.execute("SELECT orchestration.cancel_run(id) FROM orchestration.run WHERE status IN ('InProgress', 'Suspended')")
            if before:
                made = second.execute(fill(before)).fetchone()[0]
            first.execute("BEGIN ISOLATION LEVEL %s" % level)
            first.execute("SELECT count(*) FROM orchestration.run")
            if before:
                second.execute(fill(meanwhile), [parameter(made)] * meanwhile.count("%s"))
            else:
                made = second.execute(fill(meanwhile)).fetchone()[0]
            answers.append(answer(first, call, [parameter(made)] * call.count("%s")))
            if len(case) > 3 and answers[-1] != "40001":
                answers[-1] += ", and then %s" % second.execute(case[3], [made]).fetchone()
        right = answers[0]
        ok(all(a in (right, "40001") or "UNABLE_TO_LOCK_ROW" in a for a in answers[1:]),
           "%s, %s" % (name, "made meanwhile: " + meanwhile if not before else "%s, meanwhile %s" % (before, meanwhile)),
           ["%s: %s" % pair for pair in zip(LEVELS, answers)])
        if before or not isinstance(made, uuid.UUID) or "%s::text" in call:
            continue
        # a record that never existed must not be reported as a conflict, because a retry does not help
        answers = []
        for level in LEVELS:
            first.execute("BEGIN ISOLATION LEVEL %s" % level)
            answers.append(answer(first, call, [uuid.uuid4()] * call.count("%s")))
        ok(answers[0] == answers[1] == answers[2], "%s, no such record: %s" % (name, call),
           ["%s: %s" % pair for pair in zip(LEVELS, answers)])

    calls = {row[0] for row in second.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace IN ('orchestration'::regnamespace, 'orchestration_internal'::regnamespace) AND prokind = 'f'"
        " AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) AND proname !~ '_support$'")}
    known = {case[0] for case in CASES} | set(READS) | set(NOT_HERE)
    ok(calls == known, "every function is listed", ["%s" % name for name in sorted(calls ^ known)])
    found = second.execute("SELECT * FROM orchestration.verify()").fetchall()
    ok(not found, "verify() finds nothing", found[:5])
    print("1..%d" % total)
    return 1 if problems else 0


def parameter(value):
    return Jsonb(value) if isinstance(value, (dict, list)) else value


if __name__ == "__main__":
    sys.exit(main())
