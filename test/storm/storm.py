#!/usr/bin/env python3
"""storm.py: clients with random calls on the same runs.

Eight clients, at all isolation levels, each over a session of psql, for
STORM_SECONDS (15): starts, work items, workers, functions, suspend, resume,
cancel, plain UPDATEs of run.status, deletion of records, update(), posts, comments,
likes, delete(), views, purges.  No call may end with an internal error, an error that the README
does not name, or a deadlock, and verify() must be empty afterwards.  STORM_SEED (1) seeds the
choices; the conflicts between the clients depend on the scheduling.

Expects a server in PGHOST, ..., and the extension in the database PGDATABASE.
Prints TAP.
"""
import collections
import json
import os
import random
import subprocess
import sys
import threading
import time

SECONDS = float(os.environ.get("STORM_SECONDS", "15"))
SEED = int(os.environ.get("STORM_SEED", "1"))
LEVELS = ["read committed"] * 4 + ["repeatable read"] * 2 + ["serializable"] * 2
OPEN_RUNS = 50

PREPARE = """
CREATE TABLE storm_record (id integer PRIMARY KEY, note text);
INSERT INTO storm_record SELECT n FROM generate_series(1, 100000) n;
SELECT orchestration.register_record_type('Storm_Record', 'storm_record');
CREATE FUNCTION storm_act(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    IF random() < 0.05 THEN
        RAISE EXCEPTION 'the action failed';
    END IF;
    RETURN '{"done": true}';
END$$;
SELECT orchestration.register_action('storm_act', 'function', 'storm_act(jsonb)');
SELECT orchestration.register_action('storm_worker', 'worker');
SELECT orchestration.register_action('storm_screen', 'screen');
SELECT orchestration.create_user('one@example.com'), orchestration.create_user('two@example.com');
"""


def step(name, action, after=None):
    document = {"name": name, "label": name, "actionName": action,
                "actionType": "stepInteractive" if action == "storm_screen" else "stepBackground",
                "requiresAsyncProcessing": name.startswith("Async")}
    if action == "storm_screen":
        document["assignees"] = [{"assigneeType": "User", "assignee": {"stringValue": "one@example.com"}}]
        document["inputParameters"] = [{"name": "ActionInput__RecordId",
                                        "value": {"elementReference": "$Record.Id"}}]
    if after:
        document["entryConditions"] = [{"leftValueReference": after + ".Status", "operator": "EqualTo",
                                        "rightValue": {"stringValue": "Completed"}}]
    return document


DEFINITION = {
    "label": "Storm", "processType": "Orchestrator",
    "start": {"connector": {"targetReference": "S1"}, "object": "Storm_Record",
              "triggerType": "RecordAfterSave", "recordTriggerType": "Create",
              "filters": [{"field": "note", "operator": "EqualTo", "value": {"stringValue": "never"}}]},
    "orchestratedStages": [
        {"name": "S1", "label": "S1", "connector": {"targetReference": "S2"}, "stageSteps": [
            step("Screen1", "storm_screen"), step("AsyncWorker1", "storm_worker"),
            step("AsyncAct1", "storm_act"), step("Act1", "storm_act", "Screen1")]},
        {"name": "S2", "label": "S2", "stageSteps": [
            step("Screen2", "storm_screen"), step("Screen3", "storm_screen"),
            step("AsyncWorker2", "storm_worker", "Screen2")]}]}

SOME_RUN = ("(SELECT id FROM (SELECT id FROM orchestration.run ORDER BY id DESC LIMIT %d) r"
            " ORDER BY random() LIMIT 1)" % OPEN_RUNS)
SOME_ITEM = ("(SELECT id FROM (SELECT id, status FROM orchestration.work_item ORDER BY id DESC LIMIT 100) w"
             " ORDER BY status, random() LIMIT 1)")    # an Assigned one if any
SOME_POST = ("(SELECT id FROM (SELECT id FROM orchestration.feed_item ORDER BY created_at DESC LIMIT 20) f"
             " ORDER BY random() LIMIT 1)")
ANY_ITEM = SOME_ITEM.replace("status, random()", "random()")


class Session:
    """One psql; run() returns (sqlstate, message, lines)."""

    def __init__(self, level):
        environment = dict(os.environ, PGOPTIONS="-c default_transaction_isolation=%s"
                           % level.replace(" ", "\\ "))
        self.psql = subprocess.Popen(["psql", "-XAtq", "-F", "\t"], stdin=subprocess.PIPE, env=environment,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)

    def run(self, sql):
        self.psql.stdin.write(sql.rstrip().rstrip(";") + ";\n\\echo =END= :SQLSTATE\n")
        self.psql.stdin.flush()
        lines = []
        while True:
            line = self.psql.stdout.readline()
            if line == "":
                return "08006", "the session was lost", lines
            if line.startswith("=END= "):
                errors = [text for text in lines if "ERROR:" in text]
                return line.split()[1], (errors or [""])[0].strip(), lines
            lines.append(line.rstrip("\n"))

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


def client(number, level, until, counts, messages, lock):
    rng = random.Random(SEED * 1000 + number)
    session = Session(level)
    claimed = []

    def call(kind, sql):
        state, message, lines = session.run(sql)
        with lock:
            counts[kind][state] += 1
            messages[state].add(message)
        return lines if state == "00000" else []

    while time.monotonic() < until:
        kind = rng.choices(
            ["start", "complete item", "reassign item", "fail item", "claim", "results", "functions",
             "suspend", "resume", "cancel", "update", "delete record", "update()", "post", "comment",
             "like", "delete()", "view", "purge"],
            [8, 20, 4, 1, 8, 12, 6, 6, 12, 1, 3, 2, 4, 3, 4, 4, 1, 4, 1])[0]
        if kind == "start":
            call(kind, "SELECT orchestration.start_orchestration('Storm', %s%s)"
                       " WHERE (SELECT count(*) FROM (SELECT status FROM orchestration.run ORDER BY id DESC LIMIT 200) r"
                       " WHERE status NOT IN ('Completed', 'Canceled')) < %d"
                 % ("'%d'" % rng.randint(1, 100000) if rng.random() < 0.7 else "NULL",
                    ", NULL, 'key %d'" % rng.randint(1, 2000) if rng.random() < 0.5 else "", OPEN_RUNS))
        elif kind == "complete item":
            call(kind, "SELECT orchestration.complete_work_item(%s)"
                 % (SOME_ITEM if rng.random() < 0.7 else ANY_ITEM))
        elif kind == "reassign item":
            call(kind, "SELECT orchestration.reassign_work_item(%s,"
                       " (SELECT id FROM orchestration.principal WHERE username = '%s@example.com'))"
                 % (SOME_ITEM, rng.choice(["one", "two"])))
        elif kind == "fail item":
            call(kind, "SELECT orchestration.fail_work_item(%s, 'the screen failed')" % SOME_ITEM)
        elif kind == "claim":
            lease = rng.choice(["'5 minutes'", "'20 milliseconds'"])
            for line in call(kind, "SELECT step_id, lease_id FROM orchestration.claim_steps('w%d',"
                                   " ARRAY['storm_worker'], %d, %s)" % (number, rng.randint(1, 5), lease)):
                if "\t" in line:
                    claimed.append(line.split("\t"))
        elif kind == "results" and claimed:
            rng.shuffle(claimed)
            some, claimed = claimed[:3], claimed[3:]
            results = [{"step_id": s, "lease_id": l, "message": "the worker failed"} for s, l in some]
            call(kind, "SELECT * FROM orchestration.%s_steps('%s')"
                 % ("fail" if rng.random() < 0.15 else "complete", json.dumps(results)))
        elif kind == "functions":
            call(kind, "SELECT orchestration.run_queued_steps(%d)" % rng.randint(1, 5))
        elif kind in ("suspend", "resume", "cancel"):
            call(kind, "SELECT orchestration.%s_run(%s)" % (kind, SOME_RUN))
        elif kind == "update":
            call(kind, "UPDATE orchestration.run SET status = '%s' WHERE id = %s"
                 % (rng.choice(["InProgress", "Suspended", "Error", "Completed", "Canceled"]), SOME_RUN))
        elif kind == "delete record":
            call(kind, "DELETE FROM storm_record WHERE id = (SELECT triggering_record_id::integer"
                       " FROM orchestration.run WHERE id = %s)" % SOME_RUN)
        elif kind == "update()":
            call(kind, "SELECT orchestration.update((SELECT jsonb_agg(jsonb_build_object('attributes', '{\"type\": \"FlowOrchestrationInstance\"}'::jsonb,"
                       " 'Id', id, 'Status', '%s')) FROM (SELECT id FROM orchestration.run ORDER BY id DESC LIMIT 3) r))"
                 % rng.choice(["InProgress", "Suspended"]))
        elif kind == "post":
            call(kind, "SELECT orchestration.post_to_feed(%s, 'a post')" % SOME_RUN)
        elif kind == "comment":
            call(kind, "SELECT orchestration.comment_on_feed_item(id, 'a comment') FROM (SELECT %s AS id) x WHERE id IS NOT NULL" % SOME_POST)
        elif kind == "like":
            call(kind, "SELECT orchestration.%slike_feed_item(id) FROM (SELECT %s AS id) x WHERE id IS NOT NULL"
                 % (rng.choice(["", "", "un"]), SOME_POST))
        elif kind == "delete()":
            call(kind, "SELECT orchestration.delete(ARRAY(SELECT id::text FROM orchestration.feed_item ORDER BY random() LIMIT 1))")
        elif kind == "view":
            call(kind, "SELECT orchestration.view_record(%s)" % SOME_RUN)
        elif kind == "purge":
            call(kind, "SELECT orchestration.purge_runs('1 second', 2)")
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
    for sql in [PREPARE, "SELECT orchestration.deploy_orchestration('%s'::jsonb, 'Storm')" % json.dumps(DEFINITION),
                "SELECT orchestration.activate_orchestration('Storm')",
                "SELECT orchestration.start_orchestration('Storm') FROM generate_series(1, 5)"]:
        state, message, _ = control.run(sql)
        if state != "00000":
            print("Bail out! %s %s" % (state, message))
            return 1

    counts = collections.defaultdict(collections.Counter)
    messages = collections.defaultdict(set)
    lock = threading.Lock()
    until = time.monotonic() + SECONDS
    clients = [threading.Thread(target=client, args=(n, level, until, counts, messages, lock))
               for n, level in enumerate(LEVELS)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()

    total = collections.Counter()
    for kind in sorted(counts):
        total.update(counts[kind])
        print("# %-14s %s" % (kind, "  ".join("%s %d" % item for item in sorted(counts[kind].items()))))
    known = {"00000", "40001", "40P01"}
    others = sorted(s for s in total if s not in known and not s.startswith(("OR0", "OR1", "OR3")))
    for state in others + (["40P01"] if total["40P01"] else []):
        for message in sorted(messages[state])[:5]:
            print("# %s %s" % (state, message))
    ok(total["00000"] >= 100, "calls succeeded: %d of %d" % (total["00000"], sum(total.values())))
    ok(all(counts[kind]["00000"] > 0 for kind in counts) and len(counts) == 19, "calls of every kind succeeded")
    ok(total["40P01"] == 0, "deadlocks: %d" % total["40P01"])
    ok(not others, "unexpected errors: %s" % (", ".join(others) or "none"))
    _, _, lines = control.run("SELECT status, count(*) FROM orchestration.run GROUP BY 1 ORDER BY 1")
    print("# runs: %s" % "  ".join(line.replace("\t", " ") for line in lines))
    state, _, lines = control.run("SELECT invariant, object, detail FROM orchestration.verify()")
    for line in lines[:10]:
        print("# %s" % line)
    ok(state == "00000" and not lines, "verify() finds nothing")
    control.close()
    print("1..%d" % number)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
