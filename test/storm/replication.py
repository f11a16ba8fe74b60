#!/usr/bin/env python3
"""replication.py: a client that polls from one time to the next misses no change.

Six clients write runs in transactions of random length: there is up to 150 ms
between a write and its end, some are rolled back, some undo a savepoint; some
delete.  Beside them, for REPLICATION_SECONDS (8),

* one poller calls latest_date_covered() and then reads the records stamped before that time.
  Once a time was reported as covered, no record stamped before it may appear: neither a
  changed run, stage, step or work item, nor a tombstone.
* another poller does the same with clock_timestamp(), and must miss changes: otherwise the
  test would prove nothing.
* a third poller calls get_updated() and get_deleted() from one latestDateCovered to the next;
  in the end it must have collected every existing and every deleted record.

Expects a server in PGHOST, ..., and the extension in the database PGDATABASE.
REPLICATION_SEED (1) seeds the choices.  Prints TAP.
"""
import json
import os
import random
import sys
import threading
import time

from storm import Session

SECONDS = float(os.environ.get("REPLICATION_SECONDS", "8"))
SEED = int(os.environ.get("REPLICATION_SEED", "1"))
WRITERS = 6

PREPARE = """
SELECT orchestration.register_action('replication_screen', 'screen');
SELECT orchestration.deploy_orchestration('{"fullName": "Replicated", "label": "Replicated", "processType": "Orchestrator",
  "start": {"connector": {"targetReference": "S"}},
  "orchestratedStages": [{"name": "S", "label": "S", "exitConditionLogic": "and", "stageSteps": [
    {"name": "I", "label": "I", "actionType": "stepInteractive", "actionName": "replication_screen",
     "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "autoproc"}}]}]}]}'::jsonb);
SELECT orchestration.activate_orchestration('Replicated');
SELECT orchestration.start_orchestration('Replicated') FROM generate_series(1, 20);
CREATE VIEW stamped AS
SELECT 'run ' || id AS id, system_modstamp AS stamp FROM orchestration.flow_orchestration_instance
UNION ALL SELECT 'stage ' || id, system_modstamp FROM orchestration.flow_orchestration_stage_instance
UNION ALL SELECT 'step ' || id, system_modstamp FROM orchestration.flow_orchestration_step_instance
UNION ALL SELECT 'item ' || id, system_modstamp FROM orchestration.flow_orchestration_work_item
UNION ALL SELECT 'log ' || id, system_modstamp FROM orchestration.flow_orchestration_log
UNION ALL SELECT 'history ' || id, changed_at FROM orchestration.field_change
UNION ALL SELECT 'gone ' || id, deleted_at FROM orchestration.tombstone;
"""
SOME_RUN = ("(SELECT id FROM orchestration.run WHERE status IN ('InProgress', 'Suspended')"
            " ORDER BY random() LIMIT 1)")
WRITES = [
    "SELECT orchestration.start_orchestration('Replicated')",
    "SELECT orchestration.suspend_run(%s)" % SOME_RUN,
    "SELECT orchestration.resume_run(%s)" % SOME_RUN,
    "UPDATE orchestration.run SET interview_id = orchestration.new_id() WHERE id = %s" % SOME_RUN,
    "SELECT orchestration.cancel_run(%s)" % SOME_RUN,
    "SELECT orchestration.complete_work_item((SELECT id FROM orchestration.work_item"
    " WHERE status = 'Assigned' ORDER BY random() LIMIT 1))",
    "SELECT orchestration.purge_runs('0', 2)",
]


def writer(number, until, counts, lock):
    rng = random.Random(SEED * 100 + number)
    session = Session("read committed")
    while time.monotonic() < until:
        session.run("BEGIN")
        if rng.random() < 0.3:
            session.run("SELECT pg_sleep(%f)" % (rng.random() * 0.05))
        ok = True
        for _ in range(rng.randint(1, 3)):
            undone = rng.random() < 0.2
            session.run("SAVEPOINT s")
            state, _, _ = session.run(rng.choices(WRITES, [4, 3, 3, 4, 2, 2, 2])[0])
            if undone or state != "00000":
                session.run("ROLLBACK TO s")
            else:
                with lock:
                    counts["writes"] += 1
            if rng.random() < 0.6:
                session.run("SELECT pg_sleep(%f)" % (rng.random() * 0.15))
        session.run("COMMIT" if ok and rng.random() < 0.85 else "ROLLBACK")
    session.close()


def poller(question, until, result):
    """The records that appear late: stamped before a time that was already covered."""
    session = Session("read committed")
    seen = {}
    covered = 0
    while time.monotonic() < until:
        state, message, lines = session.run("SELECT extract(epoch FROM %s) * 1000000" % question)
        if state != "00000":
            result["errors"].append(message)
            break
        now = int(float(lines[0]))
        state, message, lines = session.run(
            "SELECT id, (extract(epoch FROM stamp) * 1000000)::bigint FROM stamped"
            " WHERE stamp < to_timestamp(0) + %d * interval '1 microsecond'" % now)
        if state != "00000":
            result["errors"].append(message)
            break
        found = dict(line.split("\t") for line in lines)
        for record, stamp in found.items():
            if seen.get(record) != stamp and int(stamp) < covered:
                result["missed"].append("%s, stamped %d us before what was covered" % (record, covered - int(stamp)))
        seen.update(found)
        covered = max(covered, now)
        result["polls"] += 1
        result["seen"] = len(seen)
    session.close()


def client(until, result):
    """An application that goes on from latestDateCovered."""
    session = Session("read committed")
    updated, deleted = set(), set()
    start = {"get_updated": "now() - interval '1 day'", "get_deleted": "now() - interval '1 day'"}
    last = False
    while not last:
        last = time.monotonic() >= until + 1.5
        for call, ids in (("get_updated", updated), ("get_deleted", deleted)):
            state, message, lines = session.run("SELECT orchestration.%s('FlowOrchestrationInstance', %s, now() + interval '3 minutes')"
                                                % (call, start[call]))
            if state != "00000":
                result["errors"].append(message)
                last = True
                break
            answer = json.loads(lines[0])
            ids.update(answer["ids"] if call == "get_updated" else (r["id"] for r in answer["deletedRecords"]))
            start[call] = "'%s'" % answer["latestDateCovered"]
            result["polls"] += 1
        time.sleep(0.02)
    result["updated"], result["deleted"] = updated, deleted
    session.close()


def main():
    number = 0
    failed = False

    def ok(condition, text):
        nonlocal number, failed
        number += 1
        failed = failed or not condition
        print("%sok %d - %s" % ("" if condition else "not ", number, text))

    control = Session("read committed")
    for sql in PREPARE.split(";\n"):
        if sql.strip():
            state, message, _ = control.run(sql)
            if state != "00000":
                print("Bail out! %s %s" % (state, message))
                return 1
    counts = {"writes": 0}
    results = [{"missed": [], "errors": [], "polls": 0, "seen": 0} for _ in range(3)]
    lock = threading.Lock()
    until = time.monotonic() + SECONDS
    threads = [threading.Thread(target=writer, args=(n, until, counts, lock)) for n in range(WRITERS)]
    threads.append(threading.Thread(target=poller, args=("orchestration.latest_date_covered()", until, results[0])))
    threads.append(threading.Thread(target=poller, args=("clock_timestamp()", until, results[1])))
    threads.append(threading.Thread(target=client, args=(until, results[2])))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    covered, clock, app = results
    errors = covered["errors"] + clock["errors"] + app["errors"]
    ok(not errors, "errors of the pollers: %s" % (errors[:3] or "none"))
    ok(counts["writes"] > 100 and covered["polls"] > 20 and app["polls"] > 20,
       "%d writes, %d polls of %d records" % (counts["writes"], covered["polls"], covered["seen"]))
    for line in covered["missed"][:5]:
        print("# %s" % line)
    ok(not covered["missed"], "missed by a client that goes on from latest_date_covered(): %d" % len(covered["missed"]))
    ok(len(clock["missed"]) > 0, "missed by a client that goes on from clock_timestamp(): %d, so the test would notice" % len(clock["missed"]))
    _, _, lines = control.run("SELECT id FROM orchestration.run")
    there = set(lines)
    _, _, lines = control.run("SELECT id FROM orchestration.tombstone WHERE object = 'FlowOrchestrationInstance'")
    gone = set(lines)
    ok(len(gone) > 5 and gone == app.get("deleted"), "%d deleted runs, all of them reported by get_deleted()" % len(gone))
    ok(there <= app.get("updated", set()), "%d runs, all of them reported by get_updated()" % len(there))
    state, _, lines = control.run("SELECT invariant, object, detail FROM orchestration.verify()")
    for line in lines[:10]:
        print("# %s" % line)
    ok(state == "00000" and not lines, "verify() finds nothing")
    control.close()
    print("1..%d" % number)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
