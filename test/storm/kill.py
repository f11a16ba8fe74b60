#!/usr/bin/env python3
"""kill.py: repeated kill -9 under load; no step is lost or executed twice.

A server of its own, with the background worker preloaded.  Five clients start runs
(by a call and by rows of a table), execute steps, finish work items, suspend and resume;
the background worker executes functions.  KILLS (8) times, at a random moment, one of these is
killed: a client's backend, the background worker, the whole server.  When the server is back the
load is drained, and then

* every run has ended: none is stuck;
* every step of a Completed run has had its effect exactly once: an effect is a row that
  is written in the transaction that completes the step;
* every commit acknowledged to a client is in the database;
* verify() is empty.

KILL_LEASES: functions outlive the lease of their action and catch the cancel, a trigger
on a table of the extension releases the locks of the background worker, two workers are
started by hand, and sessions execute functions, too.  The effects must be the same.

Each kill after which all of that holds is one ok.  KILL_SEED (1) seeds the choices.
Expects what test/throwaway.sh exports.  Prints TAP.
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import psycopg
from psycopg.types.json import Jsonb

KILLS = int(os.environ.get("KILLS", "8"))
SEED = int(os.environ.get("KILL_SEED", "1"))
LEASES = bool(os.environ.get("KILL_LEASES"))
DRAIN = 60                                      # seconds
AS = os.environ["ORCH_AS"].split()
FOLDER = os.path.join(os.environ["ORCH_WORK"], "leases" if LEASES else "kill")
PORT = "54332" if LEASES else "54331"
CONNECT = dict(host=FOLDER, port=PORT, user="postgres", dbname="postgres", autocommit=True)

CONFIGURATION = """
%s
listen_addresses = ''
unix_socket_directories = '%s'
port = %s
fsync = off
restart_after_crash = on
log_min_messages = warning
""" + ("""
max_worker_processes = 20
orchestration.max_lost_leases = 1000000
orchestration.worker_naptime = '50ms'
""" if LEASES else """
shared_preload_libraries = 'orchestration'
orchestration.worker_databases = 'postgres'
orchestration.worker_naptime = '1s'
""")

PREPARE = """
CREATE EXTENSION orchestration;
CREATE TABLE effect (run uuid, step text);
CREATE TABLE demand (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
CREATE FUNCTION act(inputs jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.effect VALUES ((inputs->>'run')::uuid, inputs->>'step');
    PERFORM pg_sleep(random() * 0.004);
    RETURN '{}';
END$$;
SELECT orchestration.register_action('act', 'function', 'act(jsonb)'),
       orchestration.register_action('screen', 'screen'), orchestration.register_action('work', 'worker');
SELECT orchestration.set_retry_policy('act', 5, '10 milliseconds'), orchestration.set_retry_policy('work', 5, '10 milliseconds');
SELECT orchestration.register_record_type('Demand', 'demand');
"""
# one attempt of two outlives its lease
PREPARE_LEASES = """
CREATE OR REPLACE FUNCTION act(inputs jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    until timestamptz := clock_timestamp() + random() * interval '60 milliseconds';
BEGIN
    INSERT INTO public.effect VALUES ((inputs->>'run')::uuid, inputs->>'step');
    WHILE clock_timestamp() < until LOOP
        BEGIN
            PERFORM pg_sleep(extract(epoch FROM until - clock_timestamp()));
        EXCEPTION WHEN query_canceled THEN
            NULL;
        END;
    END LOOP;
    RETURN '{}';
END$$;
SELECT orchestration.set_retry_policy('act', 1000000, '10 milliseconds', 1, timeout => '30 milliseconds');
CREATE FUNCTION unlock() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_unlock_all(); RETURN NULL; END';
CREATE TRIGGER unlock AFTER UPDATE ON orchestration.step_queue FOR EACH STATEMENT EXECUTE FUNCTION unlock();
"""
STATE = """
SELECT (SELECT count(*) FROM orchestration.run WHERE status IN ('InProgress', 'Suspended')),
       (SELECT count(*) FROM orchestration.run WHERE status = 'Error'),
       (SELECT count(*) FROM orchestration.step_queue)"""
# steps of Completed runs whose number of effects is not one
WRONG = """
SELECT r.name, t.name, t.status, (SELECT count(*) FROM effect e WHERE e.run = r.id AND e.step = t.name)
  FROM orchestration.run r JOIN orchestration.step_run t ON t.run_id = r.id
 WHERE r.status <> 'Completed' OR t.status <> 'Completed'
    OR (SELECT count(*) FROM effect e WHERE e.run = r.id AND e.step = t.name) <> 1"""

problems = []
total = 0


def ok(condition, name, *why):
    global total
    total += 1
    print("%sok %d - %s" % ("" if condition else "not ", total, name), flush=True)
    if not condition:
        problems.append(name)
        for line in why:
            print("# %s" % (line,), flush=True)


def start_server():
    """Starts the server as a child and reaps it: while it is a zombie no other one starts."""
    with open(FOLDER + "/log", "a") as log:
        return subprocess.Popen(AS + ["postgres", "-D", FOLDER + "/data"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)


def step(name, action, asynchronous):
    return {"name": name, "label": name, "actionName": action,
            "actionType": "stepInteractive" if action == "screen" else "stepBackground",
            "requiresAsyncProcessing": asynchronous,
            **({"assignees": [{"assigneeType": "User", "assignee": {"stringValue": "autoproc"}}]} if action == "screen" else {}),
            "inputParameters": [{"name": "run", "value": {"elementReference": "$Orchestration.Instance"}},
                                {"name": "step", "value": {"stringValue": name}}]}


def definition(name, start):
    return {"fullName": name, "label": name, "processType": "Orchestrator",
            "start": {**start, "connector": {"targetReference": "One"}},
            "orchestratedStages": [
                {"name": "One", "label": "One", "connector": {"targetReference": "Two"},
                 "stageSteps": [step("Queued", "act", True), step("Work", "work", True), step("Person", "screen", False)]},
                {"name": "Two", "label": "Two",
                 "stageSteps": [step("Called", "act", False), step("Again", "work", True)]}]}


class Load:
    """The clients; each has a connection and gets a new one when that is lost."""

    def __init__(self):
        self.going = True
        self.starting = False
        self.told = []                          # acknowledged commits
        self.errors = []
        self.threads = [threading.Thread(target=self.client, args=(work,))
                        for work in (self.start, self.work, self.work, self.person, self.manage)
                        + ((self.functions, self.functions, self.workers) if LEASES else ())]
        for thread in self.threads:
            thread.start()

    def client(self, work):
        rng = random.Random(SEED * 10 + len(self.told))
        while self.going:
            try:
                with psycopg.connect(**CONNECT) as conn:
                    while self.going:
                        if not work(conn, rng):
                            time.sleep(0.005)
            except psycopg.OperationalError as error:
                # the connection is lost, or the server has not started yet; other errors count
                if error.sqlstate and not error.sqlstate.startswith(("57P", "08")):
                    self.errors.append("%s: %s" % (error.sqlstate, error))
                time.sleep(0.01)
            except psycopg.Error as error:
                self.errors.append("%s: %s" % (error.sqlstate, error))
                time.sleep(0.01)

    def start(self, conn, rng):
        if not self.starting:
            return False
        if rng.random() < 0.5:
            rows = conn.execute("SELECT orchestration.start_orchestration('Kill')").fetchall()
        else:
            count = rng.randint(1, 5)
            rows = conn.execute(
                "WITH new AS (INSERT INTO demand (note) SELECT 'x' FROM generate_series(1, %s) RETURNING id)"
                " SELECT id FROM new", (count,)).fetchall()
        self.told += [("start", row[0]) for row in rows]
        time.sleep(0.002)
        return True

    def work(self, conn, rng):
        rows = conn.execute("SELECT step_id, lease_id, inputs FROM orchestration.claim_steps('w', '{work}', %s, '1 second')",
                            (rng.randint(1, 10),)).fetchall()
        if rows:
            done = conn.execute(
                "WITH done AS (SELECT c.step_id FROM orchestration.complete_steps(%s) c WHERE c.accepted)"
                " INSERT INTO effect SELECT (i->>'run')::uuid, i->>'step' FROM done"
                " JOIN jsonb_array_elements(%s) x ON (x->>'step_id')::uuid = done.step_id"
                " CROSS JOIN LATERAL (SELECT x->'inputs') y (i) RETURNING run, step",
                (Jsonb([{"step_id": str(r[0]), "lease_id": str(r[1]), "outputs": {}} for r in rows]),
                 Jsonb([{"step_id": str(r[0]), "inputs": r[2]} for r in rows]))).fetchall()
            self.told += [("effect", run, name) for run, name in done]
        return bool(rows)

    def person(self, conn, rng):
        rows = conn.execute("SELECT id, screen_flow_inputs FROM orchestration.work_item WHERE status = 'Assigned' LIMIT 20").fetchall()
        for item, inputs in rows:
            with conn.transaction():
                conn.execute("SELECT orchestration.complete_work_item(%s)", (item,))
                conn.execute("INSERT INTO effect VALUES (%s, %s)", (inputs["run"], inputs["step"]))
            self.told.append(("effect", inputs["run"], inputs["step"]))
        return bool(rows)

    def functions(self, conn, rng):
        conn.execute("SET statement_timeout = '10s'; SELECT orchestration.run_queued_steps(%d)" % rng.randint(1, 3))
        return False

    def workers(self, conn, rng):
        count = conn.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'orchestration worker'").fetchone()[0]
        if count < 2:
            try:
                conn.execute("SELECT orchestration.start_background_worker()")
            except psycopg.Error as error:
                if error.sqlstate != "53000":   # they are about to be restarted
                    raise
        time.sleep(0.1)
        return False

    def manage(self, conn, rng):
        if self.starting and rng.random() < 0.2:
            try:
                conn.execute("SELECT orchestration.suspend_run(id) FROM orchestration.run"
                             " WHERE status = 'InProgress' ORDER BY random() LIMIT 1")
            except psycopg.Error as error:
                if error.sqlstate != "OR001":   # it has ended meanwhile
                    raise
        else:
            conn.execute("SELECT orchestration.resume_run(id) FROM orchestration.run WHERE status = 'Suspended' LIMIT 5")
        return False


def connect():
    until = time.monotonic() + DRAIN
    while True:
        try:
            return psycopg.connect(**CONNECT)
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def children(pid):
    out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(p) for p in out.split()]


def is_alive(pid):
    """A zombie does not count: it has left the shared memory, and may never be reaped."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill_server(postgres):
    """The postmaster and all its children; another one is started."""
    with open(FOLDER + "/data/postmaster.pid") as file:
        postmaster = int(file.readline())
    # a stopped postmaster starts no further child, which would hold the shared memory
    os.kill(postmaster, signal.SIGSTOP)
    victims = children(postmaster) + [postmaster]
    for victim in victims:
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            pass
    while any(map(is_alive, victims)):
        time.sleep(0.002)
    # runuser stops with its child
    os.kill(postgres.pid, signal.SIGCONT)
    postgres.wait()
    return start_server()


def kill(rng, postgres):
    """Kills a process; returns its name and the server."""
    who = rng.choice(["client backend", "orchestration worker", "server"])
    try:
        with connect() as conn:
            pids = [pid for pid, in conn.execute(
                "SELECT pid FROM pg_stat_activity WHERE backend_type = %s AND pid <> pg_backend_pid()", (who,))]
    except psycopg.OperationalError:
        pids = []
    if pids:
        os.kill(rng.choice(pids), signal.SIGKILL)
        return who, postgres
    return "server", kill_server(postgres)


def drain(conn, until):
    while True:
        state = conn.execute(STATE).fetchone()
        if state[0] == 0 or time.monotonic() > until:
            return state
        time.sleep(0.05)


def check(conn, state, load):
    """The number of runs, and the faults found."""
    why = list(load.errors[:5])
    if any(state):
        why.append("%d runs go on, %d are in Error, %d steps queued" % state)
        why += conn.execute("SELECT * FROM orchestration.stuck_runs('10 seconds') LIMIT 5").fetchall()
    why += conn.execute(WRONG + " LIMIT 5").fetchall()
    why += conn.execute("SELECT * FROM orchestration.verify() LIMIT 5").fetchall()
    started = {str(run) for run, in conn.execute("SELECT id FROM orchestration.run")}
    demanded = {record for record, in conn.execute("SELECT id FROM demand d WHERE EXISTS"
                                                   " (SELECT FROM orchestration.run r WHERE r.triggering_record_id = d.id::text)")}
    effects = {(str(run), name) for run, name in conn.execute("SELECT run, step FROM effect")}
    for told in load.told:
        if told[0] == "effect":
            there = (str(told[1]), told[2]) in effects
        else:
            there = told[1] in demanded if isinstance(told[1], int) else str(told[1]) in started
        if not there:
            why.append(("committed and not there",) + told)
    return len(started), why[:20]


def main():
    rng = random.Random(SEED)
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.mkdir(FOLDER)
    if AS:
        shutil.chown(FOLDER, "postgres", "postgres")
    subprocess.run(AS + ["initdb", "-D", FOLDER + "/data", "-U", "postgres", "-A", "trust", "--no-locale", "-E", "UTF8", "-N"],
                   check=True, stdout=subprocess.DEVNULL)
    with open(FOLDER + "/data/postgresql.conf", "a") as file:
        file.write(CONFIGURATION % (os.environ["ORCH_TEST_CONF"], FOLDER, PORT))
    postgres = start_server()
    load = None
    try:
        with connect() as conn:
            conn.execute(PREPARE)
            if LEASES:
                conn.execute(PREPARE_LEASES)
            for document in (definition("Kill", {}), definition("Kill_Record", {
                    "object": "Demand", "recordTriggerType": "Create", "triggerType": "RecordAfterSave"})):
                conn.execute("SELECT orchestration.deploy_orchestration(%s), orchestration.activate_orchestration(%s)",
                             (Jsonb(document), document["fullName"]))
        load = Load()
        runs = 0
        for number in range(1, KILLS + 1):
            load.starting = True
            # a busy machine needs longer for as much
            busy = time.monotonic() + DRAIN
            while sum(kind == "start" for kind, *_ in list(load.told)) < 15 and time.monotonic() < busy:
                time.sleep(0.01)
            time.sleep(0.05 + rng.random() * 0.4)
            who, postgres = kill(rng, postgres)
            time.sleep(rng.random() * 0.1)
            load.starting = False
            time.sleep(0.02)
            # the server may not have noticed yet
            until = time.monotonic() + DRAIN
            while True:
                try:
                    with connect() as conn:
                        state = drain(conn, until)
                        started, why = check(conn, state, load)
                        break
                except psycopg.OperationalError:
                    if time.monotonic() > until:
                        raise
            runs += started
            ok(not why, "kill %d: %s; %d runs, %d commits acknowledged" % (number, who, started, len(load.told)), *why)
            load.told = []
            load.errors = []
            with connect() as conn:
                conn.execute("DELETE FROM orchestration.run; TRUNCATE effect; DELETE FROM demand")
        ok(runs >= KILLS * 10, "there was a load: %d runs" % runs)
    except psycopg.OperationalError:
        print("# " + subprocess.run(["tail", "-n", "20", FOLDER + "/log"], capture_output=True, text=True).stdout.replace("\n", "\n# "))
        raise
    finally:
        if load:
            load.going = False
            for thread in load.threads:
                thread.join()
        subprocess.run(AS + ["pg_ctl", "-D", FOLDER + "/data", "-m", "immediate", "stop"], stdout=subprocess.DEVNULL)
        postgres.wait()
    print("1..%d" % total)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
