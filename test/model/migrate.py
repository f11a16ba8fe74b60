#!/usr/bin/python3
"""migrate.py: random runs are stopped half-way, migrated between two random versions, and played on.

An orchestration is a row of stages with steps, each a person's or a worker's, some after
another step of the stage.  A second version is made from the first at random: steps are
added, dropped, moved, change their kind, action or order; stages are dropped, added or lead
elsewhere; variables come and go.  Runs are played to a random place: steps completed or
failed, the run suspended, a step leased.

The model, written independently of the engine, says of each run whether it fits, and what it
does afterwards: migrate_runs() must agree in a dry run and in earnest, and each run then
takes the path of its version to the end.  verify() has no rows at any time.

Expects a server with the extension (test/throwaway.sh).  Prints TAP; the seed is the first line.
"""
import os
import random
import sys

import psycopg
from psycopg.types.json import Jsonb

ROUNDS = int(os.environ.get("ROUNDS", "40"))
RUNS = int(os.environ.get("RUNS", "6"))
SEED = int(os.environ.get("SEED", str(random.SystemRandom().randrange(1 << 31))))
number = failed = 0


def ok(condition, text):
    global number, failed
    number += 1
    failed += not condition
    print("%sok %d - %s" % ("" if condition else "not ", number, text), flush=True)


# ------------------------------------------------------------------ versions

def random_step(name, others, rng):
    """name, kind (P: a person, W: a worker), action, the step it waits for."""
    return {"name": name, "kind": rng.choice("PW"), "action": rng.choice("AB"),
            "after": rng.choice(others + [None, None]) if others else None}


def random_version(rng):
    version = []
    for i in range(rng.randint(2, 4)):
        steps = []
        for j in range(rng.randint(1, 3)):
            steps.append(random_step("T%d_%d" % (i, j), [s["name"] for s in steps], rng))
        version.append({"name": "S%d" % i, "steps": steps})
    return version, {"v%d" % i: rng.choice(["Number", "String"]) for i in range(rng.randint(0, 3))}


def changed_version(version, variables, rng):
    """A version that many runs of the first one fit."""
    version = [{"name": s["name"], "steps": [dict(t) for t in s["steps"]]} for s in version]
    for n in range(rng.randint(1, 4)):
        stage = rng.choice(version)
        step = rng.choice(stage["steps"]) if stage["steps"] else None
        change = rng.choice(["add", "add", "drop", "kind", "action", "action", "move", "stage", "new stage", "order"])
        if change == "add":
            stage["steps"].append(random_step("N%d" % n, [t["name"] for t in stage["steps"]], rng))
        elif change == "drop" and len(stage["steps"]) > 1:
            stage["steps"].remove(step)
        elif change == "kind" and step:
            step["kind"] = "W" if step["kind"] == "P" else "P"
        elif change == "action" and step:
            step["action"] = "B" if step["action"] == "A" else "A"
        elif change == "move" and step and len(stage["steps"]) > 1:
            stage["steps"].remove(step)
            step["after"] = None
            rng.choice(version)["steps"].append(step)
        elif change == "stage" and len(version) > 1:
            version.remove(stage)
        elif change == "new stage":
            version.insert(rng.randint(0, len(version)), {"name": "X%d" % n, "steps": [random_step("X%d_0" % n, [], rng)]})
        elif change == "order":
            rng.shuffle(version)
    for stage in version:                   # a step waits only for one of its stage, and in no circle
        before = []
        for step in stage["steps"]:
            if step["after"] not in before:
                step["after"] = None
            before.append(step["name"])
    variables = {name: kind for name, kind in variables.items() if rng.random() < 0.7}
    if rng.random() < 0.5:
        variables["w"] = "Number"
    return version, variables


def document(version, variables, label):
    def step(t):
        result = {"name": t["name"], "label": t["name"], "actionName": t["kind"] + t["action"],
                  "actionType": "stepInteractive" if t["kind"] == "P" else "stepBackground"}
        if t["kind"] == "P":
            result["assignees"] = [{"assigneeType": "User", "assignee": {"stringValue": "autoproc"}}]
        if t["after"]:
            result["entryConditions"] = [{"leftValueReference": t["after"] + ".Status", "operator": "EqualTo", "rightValue": {"stringValue": "Completed"}}]
        return result
    stages = []
    for i, s in enumerate(version):
        stage = {"name": s["name"], "label": s["name"], "stageSteps": [step(t) for t in s["steps"]]}
        if i + 1 < len(version):
            stage["connector"] = {"targetReference": version[i + 1]["name"]}
        stages.append(stage)
    return {"fullName": "Model", "label": label, "processType": "Orchestrator", "orchestratedStages": stages,
            "start": {"connector": {"targetReference": version[0]["name"]}},
            "variables": [{"name": name, "dataType": kind, "isInput": True,
                           "value": {"numberValue": 7} if kind == "Number" else {"stringValue": "seven"}} for name, kind in variables.items()]}


# --------------------------------------------------------------------- model

class Run:
    """What a run must look like."""

    def __init__(self, version, variables):
        self.version, self.values = version, {name: 7 if kind == "Number" else "seven" for name, kind in variables.items()}
        self.status, self.path = "InProgress", []
        self.enter(0)

    def enter(self, i):
        while i < len(self.version):
            self.stage = self.version[i]["name"]
            self.steps = {t["name"]: "NotStarted" for t in self.version[i]["steps"]}
            self.path.append(self.stage)
            if self.steps:
                self.start()
                return
            i += 1                              # an empty stage completes at once
        self.status, self.stage, self.steps = "Completed", None, {}

    def definition(self):
        return next(s for s in self.version if s["name"] == self.stage)

    def start(self):
        """Start what may start, and leave the stage if all steps of the version are done."""
        if self.status != "InProgress":
            return
        defined = self.definition()["steps"]
        for t in defined:
            if self.steps[t["name"]] == "NotStarted" and (t["after"] is None or self.steps[t["after"]] == "Completed"):
                self.steps[t["name"]] = "InProgress"
        if all(self.steps[t["name"]] == "Completed" for t in defined):
            self.enter([s["name"] for s in self.version].index(self.stage) + 1)

    def complete(self, step):
        self.steps[step] = "Completed"
        self.start()

    def fail(self, step):
        self.status = "Error"
        self.steps = {t: "Error" if t == step else "Discontinued" if s == "InProgress" else s for t, s in self.steps.items()}

    def resume(self):
        self.status = "InProgress"
        self.steps = {t: "InProgress" if s in ("Error", "Discontinued") else s for t, s in self.steps.items()}
        self.start()

    def fits(self, version):
        if self.status not in ("InProgress", "Suspended", "Error"):
            return False
        stage = next((s for s in version if s["name"] == self.stage), None)
        if stage is None:
            return False
        there = {t["name"]: t["kind"] for t in stage["steps"]}
        was = {t["name"]: t["kind"] for t in self.definition()["steps"]}
        return all(there.get(t) == was[t] for t, s in self.steps.items() if s not in ("NotStarted", "Completed"))

    def migrate(self, version, variables):
        self.version = version
        self.values = {name: self.values.get(name, 7 if kind == "Number" else "seven") for name, kind in variables.items()}
        for t in self.definition()["steps"]:
            self.steps.setdefault(t["name"], "NotStarted")
        self.start()


class World:
    def __init__(self, conn):
        self.conn = conn

    def one(self, sql, *args):
        return self.conn.execute(sql, args).fetchone()[0]

    def state(self, run):
        return self.conn.execute("""SELECT r.status::text, r.current_stage,
            (SELECT COALESCE(jsonb_object_agg(t.name, t.status), '{}') FROM orchestration.step_run t
              WHERE t.run_id = r.id AND t.stage_run_id = (SELECT s.id FROM orchestration.stage_run s WHERE s.run_id = r.id ORDER BY s.position DESC LIMIT 1)),
            (SELECT array_agg(s.name ORDER BY s.position) FROM orchestration.stage_run s WHERE s.run_id = r.id), COALESCE(r.variables, '{}')
            FROM orchestration.run r WHERE r.id = %s""", [run]).fetchone()

    def same(self, run, model):
        status, stage, steps, path, values = self.state(run)
        if model.status == "Completed":
            return (status, path) == ("Completed", model.path)
        return (status, stage, steps, path, values) == (model.status, model.stage, model.steps, model.path, model.values)

    def lease(self, run, step):
        """By a plain write: a claim takes the step of any run."""
        return self.one("""UPDATE orchestration.step_queue SET lease_id = orchestration.new_id(), worker = 'w', attempt = attempt + 1, claimed_at = now(),
            leased_until = now() + '1 hour' WHERE run_id = %s AND step_name = %s
            RETURNING jsonb_build_array(jsonb_build_object('step_id', step_run_id, 'lease_id', lease_id))""", run, step)

    def complete(self, run, model, step, lease=None):
        if next(t for t in model.definition()["steps"] if t["name"] == step)["kind"] == "P":
            self.conn.execute("""SELECT orchestration.complete_work_item(w.id) FROM orchestration.work_item w JOIN orchestration.step_run t
                ON t.run_id = w.run_id AND t.id = w.step_run_id WHERE w.run_id = %s AND t.name = %s AND w.status = 'Assigned'""", [run, step])
        else:
            results = lease or self.lease(run, step)
            answer = self.conn.execute("SELECT accepted, reason FROM orchestration.complete_steps(%s)", [Jsonb(results)]).fetchone()
            if answer != (True, None):
                raise AssertionError("complete_steps(): %s" % (answer,))
        model.complete(step)

    def fail(self, run, model, step):
        results = self.lease(run, step)
        results[0].update(message="no", retry=False)
        self.conn.execute("SELECT FROM orchestration.fail_steps(%s)", [Jsonb(results)])
        model.fail(step)


def play(world, rng):
    conn = world.conn
    first, first_variables = random_version(rng)
    second, second_variables = changed_version(first, first_variables, rng)
    for version, variables, label in ((first, first_variables, "one"), (second, second_variables, "two")):
        conn.execute("SELECT orchestration.deploy_orchestration(%s)", [Jsonb(document(version, variables, label))])
    conn.execute("SELECT orchestration.activate_orchestration('Model', 1)")
    runs, leases = {}, {}
    for _ in range(RUNS):
        run = world.one("SELECT orchestration.start_orchestration('Model')")
        model = runs[run] = Run(first, first_variables)
        for _ in range(rng.randint(0, 5)):
            open_steps = sorted(t for t, s in model.steps.items() if s == "InProgress")
            if model.status == "InProgress" and open_steps:
                world.complete(run, model, rng.choice(open_steps))
        workers = sorted(t for t, s in model.steps.items() if s == "InProgress"
                         and next(d for d in model.definition()["steps"] if d["name"] == t)["kind"] == "W") if model.status == "InProgress" else []
        end = rng.choice(["", "", "fail", "suspend", "lease"])
        if end == "fail" and workers:
            world.fail(run, model, rng.choice(workers))
        elif end == "suspend" and model.status == "InProgress":
            conn.execute("SELECT orchestration.suspend_run(%s)", [run])
            model.status = "Suspended"
        elif end == "lease" and workers:
            step = rng.choice(workers)
            leases[run] = (step, world.lease(run, step))
    wrong = [run for run, model in runs.items() if not world.same(run, model)]
    ok(not wrong, "%d runs are half-way" % len(runs))

    fitting = {run for run, model in runs.items() if model.fits(second)}
    listed = {run for run, model in runs.items() if model.status != "Completed"}
    dry = {r[0]: r[1] for r in conn.execute("SELECT run_id, problems FROM orchestration.migrate_runs('Model', 1, 2)")}
    ok(set(dry) == listed and {run for run in dry if dry[run] is None} == fitting, "%d of %d fit, says the dry run" % (len(fitting), len(listed)))
    ok(not [run for run, model in runs.items() if not world.same(run, model)], "which changes nothing")
    done = {r[0] for r in conn.execute("SELECT run_id FROM orchestration.migrate_runs('Model', 1, 2, false) WHERE migrated")}
    ok(done == fitting, "these are migrated")
    for run in fitting:
        runs[run].migrate(second, second_variables)
    wrong = ["%s is not %s" % (world.state(run), vars(model)) for run, model in runs.items() if not world.same(run, model)]
    ok(not wrong, "and are as the model says %s" % "; ".join(wrong))
    ok(not conn.execute("SELECT * FROM orchestration.verify()").fetchall(), "verify() has no rows")

    for run, model in runs.items():
        if model.status == "Suspended":
            conn.execute("SELECT orchestration.resume_run(%s)", [run])
            model.status = "InProgress"
            model.start()
        elif model.status == "Error":
            conn.execute("SELECT orchestration.resume_run(%s)", [run])
            model.resume()
        for _ in range(100):
            open_steps = sorted(t for t, s in model.steps.items() if s == "InProgress")
            if model.status != "InProgress" or not open_steps:
                break
            step = leases[run][0] if run in leases and leases[run][0] in open_steps else rng.choice(open_steps)
            world.complete(run, model, step, leases.pop(run)[1] if run in leases and leases[run][0] == step else None)
    wrong = ["%s is not %s" % (world.state(run), vars(model)) for run, model in runs.items() if not world.same(run, model)]
    ok(not wrong, "each takes the path of its version to the end %s" % "; ".join(wrong))
    ok(all(model.status == "Completed" for model in runs.values()), "and is Completed")
    ok(not conn.execute("SELECT * FROM orchestration.verify()").fetchall(), "verify() has no rows afterwards")
    conn.execute("DELETE FROM orchestration.run")
    conn.execute("SELECT orchestration.deactivate_orchestration('Model'), orchestration.delete_orchestration('Model')")


def main():
    print("# SEED=%d" % SEED)
    rng = random.Random(SEED)
    with psycopg.connect(autocommit=True) as conn:
        conn.execute("SET client_min_messages = warning")
        conn.execute("""SELECT orchestration.register_action('PA', 'screen'), orchestration.register_action('PB', 'screen'),
            orchestration.register_action('WA', 'worker'), orchestration.register_action('WB', 'worker', topic => 'other')""")
        world = World(conn)
        for _ in range(ROUNDS):
            play(world, rng)
    print("1..%d" % number)
    sys.exit(failed > 0)


main()
