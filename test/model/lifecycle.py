#!/usr/bin/python3
"""lifecycle.py: random operations on runs against an independent model.

The model is the class Run: the life cycle of contract/lifecycle.md and
transitions.csv in plain Python, written from those and not from the C code.
Random operations are made on the database through one psql, and on the model;
after each one the run that it touched is compared whole (statuses, work items,
queue, pending outcomes, log), from time to time all runs are, and at the end
verify() must be empty.

MODEL_SEED and MODEL_OPS set the seed and the number of operations; the seed is
printed, and a difference prints the operation that made it.  Prints TAP.
"""
import json
import os
import random
import subprocess
import sys

SEED = int(os.environ.get("MODEL_SEED", "20261120"))
OPS = int(os.environ.get("MODEL_OPS", "5000"))
RUNS = 50

# the definitions, for model and database alike: stage -> steps, where it leads
# step: (name, type, waits for)
DEFINITIONS = {
    "Seq": {
        "A": ([("a1", "B", []), ("a2", "I", ["a1"])], "B"),
        "B": ([("b1", "W", []), ("b2", "I", []), ("b3", "B", ["b1"])], None),
    },
    "Loop": {
        "L": ([("l1", "I", [])], "?again"),
        "M": ([("m1", "B", []), ("m2", "W", ["m1"])], None),
    },
    "Par": {
        "P": ([("p1", "W", []), ("p2", "W", []), ("p3", "I", []), ("p4", "B", ["p1", "p3"])], "Q"),
        "Q": ([("q1", "I", []), ("q2", "I", ["q1"])], "R"),
        "R": ([("r1", "B", [])], None),
    },
}
START = {"Seq": "A", "Loop": "L", "Par": "P"}
ASSIGNEE = {"a2": "ann", "b2": "Line", "l1": "Team", "p3": "ann", "q1": "bob", "q2": "Line"}
TYPES = {"B": "BackgroundStep", "I": "InteractiveStep", "W": "AynchronousBackgroundStep"}


class World:
    """What actions and assignees depend on."""

    failing = False             # background actions fail
    inactive = set()            # users


class Step:
    def __init__(self, name, kind, after):
        self.name, self.kind, self.after = name, kind, after
        self.status = "NotStarted"
        self.attempt = 0
        self.pending = None     # (outcome, outputs)
        self.items = []         # [assignee, status] of its work items
        self.queue = None       # "ready", "leased", "frozen"
        self.lease = None       # of the claim that holds it
        self.done_lease = None  # of the claim whose outcome was taken in
        self.outputs = {}


class Stage:
    def __init__(self, name, position, steps):
        self.name, self.position, self.status = name, position, "InProgress"
        self.steps = [Step(*s) for s in steps]


class Refused(Exception):
    pass


class Run:
    """One run as the contract has it."""

    def __init__(self, definition, world):
        self.definition, self.world = definition, world
        self.status = "InProgress"
        self.stages = []
        self.current = None
        self.recoverable = None
        self.old = False        # failed more than 14 days ago
        self.log = ["StartInstance"]
        self.next = START[definition]
        self.advance()

    # ---- what the engine does

    @property
    def stage(self):
        return self.stages[-1] if self.stages else None

    def open_stage(self):
        s = self.stage
        return s if s and s.status in ("InProgress", "Suspended") else None

    def advance(self):
        while self.status == "InProgress":
            stage = self.open_stage()
            if stage is None:
                if self.next is None:
                    self.status, self.current = "Completed", None
                    self.log.append("EndInstance")
                    return
                self.enter(self.next)
                continue
            if all(s.status == "Completed" for s in stage.steps):
                self.end_stage(stage)
                continue
            if not self.start_ready(stage):
                break
        if self.status == "InProgress":
            self.current = self.stage.name

    def enter(self, name):
        steps, _ = DEFINITIONS[self.definition][name]
        stage = Stage(name, len(self.stages) + 1, steps)
        self.stages.append(stage)
        self.log.append("StartStage")
        for s in stage.steps:
            if not s.after:
                s.status = "InProgress"
                s.attempt = 1
                self.log.append("StartStep")
        for s in stage.steps:
            if s.status == "InProgress" and self.status == "InProgress":
                self.begin(stage, s)

    def end_stage(self, stage):
        stage.status = "Completed"
        self.log.append("EndStage")
        self.discontinue(stage)
        self.next = self.leads_to(stage)

    def leads_to(self, stage):
        to = DEFINITIONS[self.definition][stage.name][1]
        if to == "?again":
            done = [s for s in stage.steps if s.name == "l1" and s.status == "Completed"]
            again = done and done[0].outputs.get("again") is True
            return "L" if again else "M"
        return to

    def start_ready(self, stage):
        found = False
        by_name = {s.name: s for s in stage.steps}
        for s in stage.steps:
            if self.status != "InProgress":
                break
            if s.status == "NotStarted" and all(by_name[a].status == "Completed" for a in s.after):
                self.start(stage, s)
                found = True
        return found

    def start(self, stage, step):
        step.status = "InProgress"
        step.attempt += 1
        step.pending = None
        self.log.append("StartStep")
        self.begin(stage, step)

    def begin(self, stage, step):
        if step.kind == "B":
            if self.world.failing:
                self.fail_step(stage, step)
            else:
                self.complete_step(step, {"done": True})
        elif step.kind == "W":
            step.queue, step.lease = "ready", None
        else:
            who = ASSIGNEE[step.name]
            if who in self.world.inactive:
                self.fail_step(stage, step)
            else:
                step.items.append([who, "Assigned"])
                self.log.append("StartWorkItem")

    def complete_step(self, step, outputs):
        step.status, step.outputs, step.pending = "Completed", outputs, None
        self.log.append("EndStep")

    def fail_step(self, stage, step):
        step.status, step.pending = "Error", None
        self.log.append("FailStep")
        stage.status = "Error"
        self.log.append("FailStage")
        self.discontinue(stage)
        self.fail_run(True)

    def fail_run(self, recoverable):
        self.status, self.recoverable, self.old = "Error", recoverable, False
        self.current = self.stage.name if self.stage else None
        self.log.append("FailInstance")

    def discontinue(self, stage, keep=None):
        """Its InProgress steps and their work items end with a stage."""
        for s in stage.steps:
            if s.status == "InProgress" and s is not keep:
                s.status = "Discontinued"
                self.log.append("DiscontinueStep")
                self.close_items(s)
                if s.queue == "ready" or stage.status == "Completed" or self.status == "Canceled":
                    s.queue = None
                elif s.queue == "leased":
                    s.queue = "frozen"

    def close_items(self, step):
        for item in step.items:
            if item[1] == "Assigned":
                item[1] = "Completed"
                self.log.append("EndWorkItem")

    # ---- what people and workers do

    def need(self, ok, state):
        if not ok:
            raise Refused(state)

    def suspend(self):
        if self.status == "Suspended":
            return False
        self.need(self.status == "InProgress", "OR001")
        self.status = "Suspended"
        self.log.append("SuspendInstance")
        if self.open_stage():
            self.open_stage().status = "Suspended"
            self.log.append("SuspendStage")
        return True

    def cancel(self):
        if self.status == "Canceled":
            return False
        self.need(self.status in ("InProgress", "Suspended"), "OR001")
        stage = self.open_stage()
        self.status = "Canceled"
        self.log.append("CancelInstance")
        if stage:
            stage.status = "Discontinued"
            self.log.append("DiscontinueStage")
            self.discontinue(stage)
        return True

    def resume(self):
        if self.status == "InProgress":
            return False
        self.need(self.status in ("Suspended", "Error"), "OR001")
        if self.status == "Error":
            self.need(self.recoverable and not self.old, "OR004")
        self.status = "InProgress"
        self.log.append("ResumeInstance")
        stage = self.stage
        if stage.status in ("Suspended", "Error"):
            stage.status = "InProgress"
            self.log.append("StartStage")
        # what is pending is taken in first, then the others begin again
        for s in stage.steps:
            if self.status == "InProgress" and s.status in ("InProgress", "Discontinued") and s.pending:
                outcome, outputs = s.pending
                if outcome == "Completed":
                    self.complete_step(s, outputs)
                else:
                    self.fail_step(stage, s)
        for s in stage.steps:
            if self.status == "InProgress" and s.status in ("Error", "Discontinued"):
                self.start(stage, s)
        self.advance()
        return True

    def take_outcome(self, step, ok, outputs):
        """A step ended outside the engine."""
        if self.status == "InProgress" and step.status == "InProgress":
            if ok:
                self.complete_step(step, outputs)
            else:
                self.fail_step(self.stage, step)
            self.advance()
        else:
            step.pending = ("Completed", outputs) if ok else ("Error", None)

    def complete_item(self, step, outputs):
        self.need(step.items[-1][1] == "Assigned", "OR302")
        step.items[-1][1] = "Completed"
        self.log.append("EndWorkItem")
        self.take_outcome(step, True, outputs)
        return True

    def fail_item(self, step):
        self.need(step.items[-1][1] == "Assigned", "OR302")
        if self.status == "Error":
            return False
        self.need(self.status == "InProgress", "OR001")
        self.fail_run(True)
        self.discontinue(self.stage, keep=step)
        return True

    def reassign(self, step, who):
        self.need(step.items[-1][1] == "Assigned", "OR302")
        if step.items[-1][0] == who:
            return False
        step.items[-1][0] = who
        self.log.append("ReassignWorkItem")
        return True

    def worker_outcome(self, step, lease, ok, outputs):
        if step.done_lease == lease:
            return True
        if step.queue not in ("leased", "frozen") or step.lease != lease:
            return False
        step.queue, step.lease, step.done_lease = None, None, lease
        self.take_outcome(step, ok, outputs)
        return True

    def hand_step(self, step, status):
        """UPDATE step_run SET status by the owner."""
        self.need(self.status == "InProgress", "OR002")
        if status == "Completed":
            step.status = "Completed"
            self.log.append("EndStep")
            self.close_items(step)
            step.queue = None
            self.advance()
        else:
            self.close_items(step)
            step.queue = None
            self.fail_step(self.stage, step)

    def hand_stage(self):
        """UPDATE stage_run SET status = 'Completed' by the owner."""
        self.end_stage(self.stage)
        self.advance()

    # ---- as the database shows it

    def state(self):
        return {
            "status": self.status,
            "current": self.current,
            "stages": [[s.name, s.position, s.status] for s in self.stages],
            "steps": sorted(
                [g.position, s.name, s.status, TYPES[s.kind], s.attempt, s.pending[0] if s.pending else None,
                 [list(i) for i in s.items], s.queue]
                for g in self.stages for s in g.steps),
            "log": sorted(self.log),
        }


class Psql:
    """One psql session; a statement returns (rows of the last result, SQLSTATE)."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["psql", "-XqAt", "-F", "\x1f", "-v", "ON_ERROR_STOP=0", "-v", "VERBOSITY=sqlstate"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)

    def run(self, sql):
        self.process.stdin.write(sql + ";\n\\echo \x1e\n")
        self.process.stdin.flush()
        rows, state = [], None
        while True:
            line = self.process.stdout.readline()
            if line == "":
                raise SystemExit("Bail out! the server or psql went away after: " + sql)
            line = line.rstrip("\n")
            if line == "\x1e":
                return rows, state
            if line.startswith("ERROR:  ") or line.startswith("FATAL:  "):
                state = line[8:].strip()
            elif line.startswith("WARNING:") or line.startswith("NOTICE:"):
                pass
            else:
                rows.append(line.split("\x1f"))

    def one(self, sql):
        rows, state = self.run(sql)
        if state:
            raise SystemExit("Bail out! %s for %s" % (state, sql))
        return rows[0][0] if rows else None


STATE = """
SELECT jsonb_build_object(
  'status', r.status, 'current', r.current_stage,
  'stages', COALESCE((SELECT jsonb_agg(jsonb_build_array(s.name, s.position, s.status) ORDER BY s.position)
                        FROM orchestration.stage_run s WHERE s.run_id = r.id), '[]'),
  'steps', COALESCE((SELECT jsonb_agg(jsonb_build_array(g.position, t.name, t.status, t.step_type, t.attempt, t.pending->>'outcome',
        COALESCE((SELECT jsonb_agg(jsonb_build_array(COALESCE(split_part(p.username, '@', 1), p.developer_name), w.status) ORDER BY w.id)
                    FROM orchestration.work_item w JOIN orchestration.principal p ON p.id = w.assignee_id
                   WHERE w.run_id = r.id AND w.step_run_id = t.id), '[]'),
        (SELECT CASE WHEN q.available_at = 'infinity' THEN 'frozen' WHEN q.lease_id IS NOT NULL AND q.available_at > clock_timestamp() THEN 'leased'
                     WHEN q.lease_id IS NOT NULL THEN 'expired' ELSE 'ready' END
           FROM orchestration.step_queue q WHERE q.run_id = r.id AND q.step_run_id = t.id)))
     FROM orchestration.step_run t JOIN orchestration.stage_run g ON g.run_id = t.run_id AND g.id = t.stage_run_id
    WHERE t.run_id = r.id), '[]'),
  'log', COALESCE((SELECT jsonb_agg(l.kind) FROM orchestration.run_log l WHERE l.run_id = r.id), '[]'))
FROM orchestration.run r WHERE r.id = '%s'
"""


def document(name):
    stages, decisions = [], []
    for stage, (steps, to) in DEFINITIONS[name].items():
        s = {"name": stage, "label": stage, "exitConditionLogic": "and", "stageSteps": []}
        for step, kind, after in steps:
            t = {"name": step, "label": step, "entryConditionLogic": "and",
                 "actionName": {"B": "Act", "W": "Work", "I": "Screen"}[kind],
                 "actionType": "stepInteractive" if kind == "I" else "stepBackground",
                 "requiresAsyncProcessing": kind == "W",
                 "entryConditions": [{"leftValueReference": a + ".Status", "operator": "EqualTo",
                                      "rightValue": {"stringValue": "Completed"}} for a in after]}
            if kind == "I":
                who = ASSIGNEE[step]
                t["assignees"] = [{"assigneeType": {"Line": "Queue", "Team": "Group"}.get(who, "User"),
                                   "assignee": {"stringValue": who if who in ("Line", "Team") else who + "@example.com"}}]
            s["stageSteps"].append(t)
        if to == "?again":
            s["connector"] = {"targetReference": "Again"}
            decisions.append({"name": "Again", "label": "Again?", "defaultConnector": {"targetReference": "M"},
                              "rules": [{"name": "Yes", "label": "Yes", "conditionLogic": "and",
                                         "conditions": [{"leftValueReference": "l1.Outputs.again", "operator": "EqualTo",
                                                         "rightValue": {"booleanValue": True}}],
                                         "connector": {"targetReference": "L"}}]})
        elif to:
            s["connector"] = {"targetReference": to}
        stages.append(s)
    return json.dumps({"fullName": name, "label": name, "processType": "Orchestrator",
                       "start": {"connector": {"targetReference": START[name]}},
                       "orchestratedStages": stages, "decisions": decisions})


class Test:
    def __init__(self):
        self.rng = random.Random(SEED)
        self.db = Psql()
        self.world = World()
        self.runs = {}          # id -> Run
        self.keys = {}          # idempotency key -> id
        self.counts = {}
        self.tests = 0
        self.failed = 0

    def ok(self, good, name):
        self.tests += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.tests, name), flush=True)

    def setup(self):
        self.db.run("SET client_min_messages = warning")
        for sql in ("CREATE TABLE control (failing boolean)", "INSERT INTO control VALUES (false)",
                    "CREATE FUNCTION act(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN "
                    "IF (SELECT failing FROM public.control) THEN RAISE EXCEPTION 'told to fail'; END IF; "
                    "RETURN '{\"done\": true}'; END $$",
                    "SELECT orchestration.register_action('Act', 'function', 'act(jsonb)'), "
                    "orchestration.register_action('Work', 'worker'), orchestration.register_action('Screen', 'screen')",
                    "SELECT orchestration.create_user('ann@example.com'), orchestration.create_user('bob@example.com'), "
                    "orchestration.create_queue('Line'), orchestration.create_group('Team')"):
            self.db.one(sql)
        for name in DEFINITIONS:
            self.db.one("SELECT orchestration.deploy_orchestration($d$%s$d$::jsonb)" % document(name))
            self.db.one("SELECT orchestration.activate_orchestration('%s')" % name)

    # ---- an operation is (what it is called, the run, sql, what the model does, how to check the result)

    def pick(self, *statuses):
        ids = [i for i, r in self.runs.items() if not statuses or r.status in statuses]
        return self.rng.choice(ids) if ids else None

    def steps(self, condition):
        return [(i, g, s) for i, r in self.runs.items() for g in r.stages for s in g.steps if condition(r, g, s)]

    def step_id(self, run_id, stage, step):
        return self.db.one(
            "SELECT t.id FROM orchestration.step_run t JOIN orchestration.stage_run g ON g.run_id = t.run_id AND g.id = t.stage_run_id "
            "WHERE t.run_id = '%s' AND g.position = %d AND t.name = '%s'" % (run_id, stage.position, step.name))

    def item_id(self, run_id, stage, step):
        return self.db.one("SELECT w.id FROM orchestration.work_item w WHERE w.run_id = '%s' AND w.step_run_id = '%s' "
                           "ORDER BY w.id DESC LIMIT 1" % (run_id, self.step_id(run_id, stage, step)))

    def expect(self, name, run_id, sql, model, result=None):
        """Do it on both sides; returns what went wrong, or None."""
        rows, state = self.db.run(sql)
        try:
            value = model()
            refused = None
        except Refused as e:
            value, refused = None, str(e)
        if state != refused:
            return "%s: SQLSTATE %s, expected %s: %s" % (name, state, refused, sql)
        if refused is None and isinstance(value, bool):
            got = rows[0][0] if rows else None
            if got != ("t" if value else "f"):
                return "%s: returned %s, expected %s: %s" % (name, got, value, sql)
        return self.compare(name, run_id)

    def compare(self, name, run_id):
        if run_id not in self.runs:
            return None
        got = json.loads(self.db.one(STATE % run_id) or "null")
        if got is None:
            return "%s: run %s is gone" % (name, run_id)
        got["steps"].sort()
        got["log"].sort()
        want = json.loads(json.dumps(self.runs[run_id].state()))
        if got == want:
            return None
        return "%s of run %s (%s):\n#  got  %s\n#  want %s" % (
            name, run_id, self.runs[run_id].definition,
            json.dumps({k: v for k, v in got.items() if want[k] != v}),
            json.dumps({k: v for k, v in want.items() if got[k] != v}))

    def operation(self):
        rng, db = self.rng, self.db
        kinds = ["complete_item"] * 8 + ["claim"] * 4 + ["worker"] * 8 + ["suspend", "cancel"] + ["resume"] * 6 + [
            "move_sql"] * 3 + ["illegal", "fail_item", "reassign", "toggle_failing", "toggle_active", "old",
                               "rolled_back", "delete", "hand_step", "hand_stage", "expire", "repeat_start", "done_item"]
        kind = "start" if len(self.runs) < RUNS and rng.random() < 0.5 else rng.choice(kinds)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return getattr(self, "do_" + kind)()

    def do_start(self):
        name = self.rng.choice(list(DEFINITIONS))
        key = "k%d" % len(self.keys) if self.rng.random() < 0.3 else None
        run_id = self.db.one("SELECT orchestration.start_orchestration('%s', idempotency_key => %s)" % (
            name, "'%s'" % key if key else "NULL"))
        self.runs[run_id] = Run(name, self.world)
        if key:
            self.keys[key] = (run_id, name)
        return self.compare("start", run_id)

    def do_repeat_start(self):
        live = [(k, v) for k, v in self.keys.items() if v[0] in self.runs]
        if not live:
            return None
        key, (run_id, name) = self.rng.choice(live)
        again = self.db.one("SELECT orchestration.start_orchestration('%s', idempotency_key => '%s')" % (name, key))
        if again != run_id:
            return "the same idempotency key started %s, not %s" % (again, run_id)
        return self.compare("repeated start", run_id)

    def do_complete_item(self):
        todo = self.steps(lambda r, g, s: s.items and s.items[-1][1] == "Assigned")
        if not todo:
            return None
        run_id, stage, step = self.rng.choice(todo)
        outputs = {"again": self.rng.random() < 0.4}
        item = self.item_id(run_id, stage, step)
        sql = "SELECT orchestration.complete_work_item('%s', '%s', 'once')" % (item, json.dumps(outputs))
        wrong = self.expect("complete_work_item", run_id, sql, lambda: self.runs[run_id].complete_item(step, outputs))
        if wrong is None and self.rng.random() < 0.2:
            wrong = self.expect("the same complete_work_item", run_id, sql, lambda: False)
        return wrong

    def do_done_item(self):
        done = self.steps(lambda r, g, s: s.items and s.items[-1][1] == "Completed")
        if not done:
            return None
        run_id, stage, step = self.rng.choice(done)
        return self.expect("complete_work_item of a Completed one", run_id,
                           "SELECT orchestration.complete_work_item('%s')" % self.item_id(run_id, stage, step),
                           lambda: self.runs[run_id].complete_item(step, {}))

    def do_fail_item(self):
        todo = self.steps(lambda r, g, s: s.items)
        if not todo:
            return None
        run_id, stage, step = self.rng.choice(todo)
        return self.expect("fail_work_item", run_id,
                           "SELECT orchestration.fail_work_item('%s', 'broken')" % self.item_id(run_id, stage, step),
                           lambda: self.runs[run_id].fail_item(step))

    def do_reassign(self):
        todo = self.steps(lambda r, g, s: s.items)
        if not todo:
            return None
        run_id, stage, step = self.rng.choice(todo)
        who = self.rng.choice(["Line", "Team"])
        return self.expect("reassign_work_item", run_id,
                           "SELECT orchestration.reassign_work_item('%s', (SELECT id FROM orchestration.principal WHERE developer_name = '%s'))"
                           % (self.item_id(run_id, stage, step), who),
                           lambda: self.runs[run_id].reassign(step, who))

    def do_claim(self):
        n = self.rng.randint(1, 5)
        rows, state = self.db.run("SELECT c.run_id, c.step_name, g.position, c.lease_id "
                                  "FROM orchestration.claim_steps('w', '{Work}', %d, '1 hour') c "
                                  "JOIN orchestration.step_run t ON t.id = c.step_id "
                                  "JOIN orchestration.stage_run g ON g.run_id = t.run_id AND g.id = t.stage_run_id" % n)
        ready = self.steps(lambda r, g, s: s.queue == "ready")
        if state or len(rows) != min(n, len(ready)):
            return "claim_steps: %s, %d rows, expected %d" % (state, len(rows), min(n, len(ready)))
        for run_id, name, position, lease in rows:
            found = [s for i, g, s in ready if i == run_id and g.position == int(position) and s.name == name]
            if not found:
                return "claim_steps handed out %s of run %s, which is not ready" % (name, run_id)
            found[0].queue, found[0].lease = "leased", lease
        for row in rows:
            wrong = self.compare("claim_steps", row[0])
            if wrong:
                return wrong
        return None

    def do_expire(self):
        """Leases run out: the steps can be claimed again, and the old lease is lost then."""
        leased = self.steps(lambda r, g, s: s.queue == "leased")
        if not leased:
            return None
        run_id, stage, step = self.rng.choice(leased)
        self.db.one("UPDATE orchestration.step_queue SET available_at = now() - interval '1 second' WHERE step_run_id = '%s'"
                    % self.step_id(run_id, stage, step))
        before = step.lease
        step.queue = "ready"
        wrong = None
        while wrong is None and step.queue == "ready":
            wrong = self.do_claim()
        if wrong or step.lease == before:
            return wrong or "a second claim has the lease of the first"
        return self.worker(run_id, stage, step, before, True, lost=True)

    def do_worker(self):
        leased = self.steps(lambda r, g, s: s.queue in ("leased", "frozen") or s.done_lease)
        if not leased:
            return self.do_claim()
        run_id, stage, step = self.rng.choice(leased)
        lease = step.lease or step.done_lease
        return self.worker(run_id, stage, step, lease, self.rng.random() < 0.8)

    def worker(self, run_id, stage, step, lease, ok, lost=False):
        result = {"step_id": self.step_id(run_id, stage, step), "lease_id": lease}
        result.update({"outputs": {"n": 1}} if ok else {"message": "could not"})
        sql = "SELECT accepted FROM orchestration.%s('%s')" % ("complete_steps" if ok else "fail_steps", json.dumps([result]))
        return self.expect("lost lease" if lost else sql.split(".")[1][:14], run_id, sql,
                           lambda: self.runs[run_id].worker_outcome(step, lease, ok, {"n": 1}))

    def move(self, name, run_id):
        return self.expect(name, run_id, "SELECT orchestration.%s_run('%s')" % (name, run_id),
                           lambda: getattr(self.runs[run_id], name)())

    def do_suspend(self):
        return self.move("suspend", self.pick()) if self.runs else None

    def do_cancel(self):
        return self.move("cancel", self.pick()) if self.runs else None

    def do_resume(self):
        run_id = self.pick("Suspended", "Error") or self.pick()
        return self.move("resume", run_id) if run_id else None

    def do_move_sql(self):
        run_id = self.pick("InProgress", "Suspended", "Error")
        if not run_id:
            return None
        name, status = self.rng.choice([("suspend", "Suspended"), ("resume", "InProgress"), ("resume", "InProgress"), ("cancel", "Canceled")])

        def model():
            getattr(self.runs[run_id], name)()
        return self.expect("UPDATE to " + status, run_id,
                           "UPDATE orchestration.run SET status = '%s' WHERE id = '%s'" % (status, run_id), model)

    def do_illegal(self):
        run_id = self.pick()
        if not run_id:
            return None
        run = self.runs[run_id]
        status = self.rng.choice(["Completed", "Error", "InProgress"])

        def model():
            if status == run.status:
                return
            if status == "Error" and run.status == "InProgress":
                # outside a stage: the open stage is discontinued
                stage = run.open_stage()
                run.status, run.recoverable = "Error", None
                run.log.append("FailInstance")
                stage.status = "Discontinued"
                run.log.append("DiscontinueStage")
                run.discontinue(stage)
            elif status == "InProgress" and run.status in ("Suspended", "Error"):
                run.resume()
            elif status == "Completed" and run.status == "InProgress":
                raise Refused("OR002")
            else:
                raise Refused("OR001")
        if status == "Error" and self.rng.random() < 0.8:
            return None
        return self.expect("UPDATE to " + status, run_id,
                           "UPDATE orchestration.run SET status = '%s' WHERE id = '%s'" % (status, run_id), model)

    def do_toggle_failing(self):
        self.world.failing = not self.world.failing and self.rng.random() < 0.5
        self.db.one("UPDATE control SET failing = %s" % self.world.failing)

    def do_toggle_active(self):
        who = self.rng.choice(["ann", "bob"])
        if who in self.world.inactive or self.rng.random() < 0.5:
            self.world.inactive.discard(who)
        else:
            self.world.inactive.add(who)
        self.db.one("UPDATE orchestration.principal SET is_active = %s WHERE username = '%s@example.com'"
                    % (who not in self.world.inactive, who))

    def do_old(self):
        run_id = self.pick("Error")
        if not run_id or self.rng.random() < 0.7:
            return None
        self.db.one("UPDATE orchestration.run SET ended_at = now() - interval '15 days' WHERE id = '%s'" % run_id)
        self.runs[run_id].old = True
        return self.move("resume", run_id)

    def do_rolled_back(self):
        """Whatever happens in a savepoint that is rolled back did not happen."""
        run_id = self.pick("InProgress", "Suspended")
        if not run_id:
            return None
        self.db.run("BEGIN")
        self.db.run("SAVEPOINT s")
        for _ in range(2):
            self.db.run("SELECT orchestration.%s_run('%s')" % (self.rng.choice(["suspend", "cancel", "resume"]), run_id))
        self.db.run("SELECT orchestration.start_orchestration('Par')")
        self.db.run("ROLLBACK TO s")
        self.db.run("COMMIT")
        return self.compare("rollback to savepoint", run_id)

    def do_delete(self):
        run_id = self.pick()
        if not run_id or (len(self.runs) < RUNS // 2):
            return None
        run = self.runs[run_id]
        gone = run.status in ("Completed", "Canceled", "Error")

        def model():
            if not gone:
                raise Refused("OR005")
        if gone:
            self.runs.pop(run_id)
        wrong = self.expect("DELETE", run_id, "DELETE FROM orchestration.run WHERE id = '%s'" % run_id, model)
        if wrong is None and gone and self.db.one(
                "SELECT count(*) FROM orchestration.step_run WHERE run_id = '%s'" % run_id) != "0":
            wrong = "steps of a deleted run are left"
        return wrong

    def do_hand_step(self):
        todo = self.steps(lambda r, g, s: s.status == "InProgress" and g is r.stage
                          and r.status in ("InProgress", "Suspended") and s.pending is None)
        if not todo:
            return None
        run_id, stage, step = self.rng.choice(todo)
        status = self.rng.choice(["Completed", "Error"])
        return self.expect("UPDATE of a step to " + status, run_id,
                           "UPDATE orchestration.step_run SET status = '%s' WHERE run_id = '%s' AND id = '%s'"
                           % (status, run_id, self.step_id(run_id, stage, step)),
                           lambda: self.runs[run_id].hand_step(step, status))

    def do_hand_stage(self):
        run_id = self.pick("InProgress")
        if not run_id:
            return None
        return self.expect("UPDATE of a stage to Completed", run_id,
                           "UPDATE orchestration.stage_run SET status = 'Completed' WHERE run_id = '%s' AND status = 'InProgress'" % run_id,
                           lambda: self.runs[run_id].hand_stage())

    def main(self):
        print("# seed %d, %d operations" % (SEED, OPS))
        self.setup()
        for n in range(1, OPS + 1):
            wrong = self.operation()
            if wrong:
                print("# operation %d, seed %d: %s" % (n, SEED, wrong))
                self.ok(False, "database and model agree after operation %d" % n)
                break
            if n % 500 == 0:
                bad = [w for w in (self.compare("all runs", i) for i in self.runs) if w]
                self.ok(not bad, "database and model agree after %d operations" % n)
                if bad:
                    print("# " + bad[0])
                    break
        rows, state = self.db.run("SELECT * FROM orchestration.verify()")
        self.ok(not rows and state is None, "verify() finds nothing")
        for row in rows[:10]:
            print("# " + " | ".join(row))
        done = sorted(k for k in self.counts)
        self.ok(OPS < 2000 or len(done) >= 20, "every kind of operation was made: %s"
                % ", ".join("%s %d" % (k, self.counts[k]) for k in done))
        print("1..%d" % self.tests)
        return 1 if self.failed else 0


if __name__ == "__main__":
    sys.exit(Test().main())
