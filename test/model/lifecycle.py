#!/usr/bin/python3
"""lifecycle.py: random operations on runs, against an independent model of the life cycle.

The class Run is the life cycle of contract/lifecycle.md in plain Python.  It was written from
that page, transitions.csv and neighbours.csv, not from the C code, because two descriptions
written independently seldom share a mistake.  Random operations are made on a database through
one psql and on the model, and their SQLSTATEs and results are compared.  After each operation
every run that it touched is compared in full: statuses, CurrentStage, work items, queue, pending
outcomes, log, effects of its actions; the other runs are compared in numbers.  Every 50
operations, and after each rollback, all runs are compared in full.

Where the contract leaves a choice the model follows the extension; such places are marked
"open:".

Environment: MODEL_SEED (printed), MODEL_OPS, and psql's variables (PGHOST, PGDATABASE, ...).
Expects a fresh database with the extension.  Prints TAP; needs only psql.

SPDX-License-Identifier: PostgreSQL
"""
import copy
import csv
import json
import os
import random
import subprocess
import sys

SEED = int(os.environ.get("MODEL_SEED", "20261120"))
OPS = int(os.environ.get("MODEL_OPS", "5000"))
RUNS = 50
MAX_ELEMENTS = 30               # orchestration.max_elements of the session

CONTRACT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "contract")
with open(os.path.join(CONTRACT, "transitions.csv"), encoding="utf-8") as f:
    TRANSITIONS = {(t["level"], t["from"], t["to"]): t["log_kind"] for t in csv.DictReader(f)}

STATUSES = {
    "run": ["Canceled", "Completed", "Error", "InProgress", "Suspended"],
    "stage": ["Completed", "Discontinued", "Error", "InProgress", "Suspended"],
    "step": ["Completed", "Discontinued", "Error", "InProgress", "NotStarted"],
    "work_item": ["Assigned", "Completed"],
}

# ------------------------------------------------------------ definitions
#
# For both database and model.  A step is (name, kind, the steps before it, its need); kinds: B
# a background function, F a queued function, W a worker (its topic), I an interactive step (its
# assignee).

DEFINITIONS = {
    # one after another, all kinds, a stage without steps
    "Seq": {"start": "A", "elements": {
        "A": ("stage", [("a1", "B", [], None), ("a2", "I", ["a1"], "ann"), ("a3", "F", ["a2"], None)], "B"),
        "B": ("stage", [("b1", "W", [], "Work"), ("b2", "I", [], "Line"), ("b3", "B", ["b1", "b2"], None),
                        ("b4", "F", ["b1"], None)], "E"),
        "E": ("stage", [], None)}},
    # back to an earlier stage, by an output and a counter in a variable
    "Loop": {"start": "L", "variables": {"n": ("Number", 0)}, "elements": {
        "L": ("stage", [("l0", "B", [], None), ("l1", "I", [], "Team"), ("l2", "B", ["l1"], None)], "Count"),
        "Count": ("assignment", "n", "Add", 1, "Again"),
        "Again": ("decision", [([("l1.Outputs.again", "EqualTo", True), ("n", "LessThan", 4)], "L")], "M"),
        "M": ("stage", [("m1", "B", [], None), ("m2", "W", ["m1"], "Work"), ("m3", "I", ["m1"], "bob")], None)}},
    # side by side
    "Par": {"start": "P", "elements": {
        "P": ("stage", [("p1", "W", [], "Work"), ("p2", "W", [], "Ship"), ("p3", "I", [], "ann"),
                        ("p4", "B", ["p1", "p3"], None), ("p5", "F", [], None), ("p6", "I", [], "Line")], "Was"),
        "Was": ("decision", [([("P.Status", "EqualTo", "Completed"), ("p3.Status", "EqualTo", "Completed")], "Q")], "R"),
        "Q": ("stage", [("q1", "I", [], "bob"), ("q2", "I", ["q1"], "Line"), ("q3", "B", [], None)], "R"),
        "R": ("stage", [("r1", "B", [], None)], None)}},
    # background steps before and after steps that wait; an assignee by reference
    "Own": {"start": "O", "variables": {"who": ("String", None)}, "elements": {
        "O": ("stage", [("o1", "B", [], None), ("o2", "I", [], "bob"), ("o3", "W", [], "Ship"),
                        ("o4", "B", ["o1"], None), ("o5", "B", [], None)], "Route"),
        "Route": ("decision", [([("o1.Outputs.route", "EqualTo", "X")], "X")], "Y"),
        "X": ("stage", [("x1", "B", [], None), ("x2", "I", ["x1"], "?who"), ("x3", "W", [], "Work")], None),
        "Y": ("stage", [("y1", "F", [], None), ("y2", "I", [], "?who")], None)}},
    # decisions that can fail: before the first stage, between two stages
    "Bad": {"start": "Gate", "variables": {"bad": ("SObject", None)}, "elements": {
        "Gate": ("decision", [([("bad.x", "GreaterThan", 1)], "V")], "V"),
        "V": ("stage", [("v1", "I", [], "ann"), ("v2", "B", ["v1"], None)], "Gate2"),
        "Gate2": ("decision", [([("v1.Outputs.x", "GreaterThan", 1)], "W")], None),
        "W": ("stage", [("w1", "W", [], "Work")], None)}},
    # a loop that may run without waiting
    "Spin": {"start": "S", "elements": {
        "S": ("stage", [("s1", "B", [], None)], "D"),
        "D": ("decision", [([("s1.Outputs.spin", "EqualTo", True)], "S")], "T"),
        "T": ("stage", [("t1", "I", [], "Line")], None)}},
}
TYPES = {"B": "BackgroundStep", "F": "AynchronousBackgroundStep", "W": "AynchronousBackgroundStep", "I": "InteractiveStep"}
PEOPLE = {"ann": "User", "bob": "User", "Line": "Queue", "Team": "Group"}
FUNCTIONS = [s[0] for d in DEFINITIONS.values() for e in d["elements"].values() if e[0] == "stage"
             for s in e[1] if s[1] in "BF"]
# behaviours of a function that the table control selects
MODES = ["fail", "fail", "scalar", "null", "suspend", "cancel", "suspend_fail", "finish"]


def named(who):
    return who + "@example.com" if PEOPLE.get(who, "User") == "User" else who


def document(name):
    """A definition in the JSON notation."""
    definition = DEFINITIONS[name]
    result = {"fullName": name, "label": name, "processType": "Orchestrator",
              "start": {"connector": {"targetReference": definition["start"]}},
              "orchestratedStages": [], "decisions": [], "assignments": [], "variables": []}

    def value(v):
        kind = "booleanValue" if isinstance(v, bool) else "numberValue" if isinstance(v, (int, float)) else "stringValue"
        return {kind: v}

    def connected(element, to, key="connector"):
        if to:
            element[key] = {"targetReference": to}
        return element

    def conditions(terms):
        return [{"leftValueReference": left, "operator": operator, "rightValue": value(right)}
                for left, operator, right in terms]

    for variable, (kind, default) in definition.get("variables", {}).items():
        result["variables"].append({"name": variable, "dataType": kind, "isInput": True, "isOutput": False, "isCollection": False})
        if default is not None:
            result["variables"][-1]["value"] = value(default)
    for element, (kind, *rest) in definition["elements"].items():
        if kind == "assignment":
            variable, operator, right, to = rest
            result["assignments"].append(connected({"name": element, "label": element, "assignmentItems": [
                {"assignToReference": variable, "operator": operator, "value": value(right)}]}, to))
        elif kind == "decision":
            rules, default = rest
            result["decisions"].append(connected({"name": element, "label": element, "rules": [
                connected({"name": "%s_%d" % (element, i), "label": "yes", "conditionLogic": "and", "conditions": conditions(terms)}, to)
                for i, (terms, to) in enumerate(rules)]}, default, "defaultConnector"))
        else:
            steps, to = rest
            result["orchestratedStages"].append(connected({"name": element, "label": element, "exitConditionLogic": "and",
                                                           "stageSteps": [step_document(*s) for s in steps]}, to))
    return json.dumps(result)


def step_document(name, kind, after, needs):
    step = {"name": name, "label": name, "entryConditionLogic": "and",
            "actionName": {"B": "Act", "F": "Act", "W": needs, "I": "Screen"}[kind],
            "actionType": "stepInteractive" if kind == "I" else "stepBackground",
            "requiresAsyncProcessing": kind in "FW",
            "entryConditions": [{"leftValueReference": a + ".Status", "operator": "EqualTo",
                                 "rightValue": {"stringValue": "Completed"}} for a in after]}
    if kind == "I":
        assignee = {"elementReference": needs[1:]} if needs[0] == "?" else {"stringValue": named(needs)}
        step["assignees"] = [{"assigneeType": PEOPLE.get(needs, "User"), "assignee": assignee}]
    else:
        step["inputParameters"] = [{"name": "step", "value": {"stringValue": name}},
                                   {"name": "run", "value": {"elementReference": "$Orchestration.Instance"}}]
    return step


# The action of background steps: records its effect, then behaves as control says.
ACT = """
CREATE FUNCTION public.act(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    run  uuid := $1->>'run';
    mode text := COALESCE((SELECT c.mode FROM public.control c WHERE c.step = $1->>'step'), 'ok');
BEGIN
    INSERT INTO public.effect (run_id, step) VALUES (run, $1->>'step');
    IF mode LIKE 'suspend%' THEN PERFORM orchestration.suspend_run(run); END IF;
    IF mode = 'cancel' THEN PERFORM orchestration.cancel_run(run); END IF;
    IF mode = 'finish' THEN
        PERFORM orchestration.complete_work_item(w.id, '{"x": 1}')
           FROM (SELECT id FROM orchestration.work_item WHERE run_id = run AND status = 'Assigned' ORDER BY id LIMIT 1) w;
    END IF;
    IF mode LIKE '%fail' THEN RAISE EXCEPTION 'told to fail' USING ERRCODE = 'P0042'; END IF;
    IF mode = 'scalar' THEN RETURN '5'; END IF;
    IF mode = 'null' THEN RETURN NULL; END IF;
    RETURN jsonb_build_object(mode, true, 'route', upper(mode));
END
$$
"""


# -------------------------------------------------------------- the model

class Refused(Exception):
    """The SQLSTATE that the operation ends with."""


def need(good, state):
    if not good:
        raise Refused(state)


class World:
    """The state that actions and assignees depend on."""

    def __init__(self):
        self.mode = {}          # function step -> mode, where it is not ok
        self.inactive = set()   # people


class Step:
    def __init__(self, name, kind, after, needs):
        self.name, self.kind, self.after, self.needs = name, kind, after, needs
        self.status = "NotStarted"
        self.attempt = 0
        self.pending = None     # (outcome, outputs or SQLSTATE)
        self.items = []         # of its work items: [assignee, status, (idempotency key, outputs), number in the run]
        self.queue = None       # ready, leased, expired, frozen
        self.lease = None       # of the claim that holds it
        self.claims = 0
        self.taken_lease = None     # of the claim whose outcome was applied
        self.outputs = {}
        self.id = None          # in the database

    @property
    def item(self):
        return self.items[-1] if self.items else None


class Stage:
    def __init__(self, name, position, steps):
        self.name, self.position, self.status = name, position, "InProgress"
        self.steps = [Step(*s) for s in steps]
        self.id = None


class Run:
    """One run, as the contract defines it."""

    def __init__(self, definition, world, inputs):
        self.definition, self.world = definition, world
        self.path = DEFINITIONS[definition]["elements"]
        self.variables = {k: v[1] for k, v in DEFINITIONS[definition].get("variables", {}).items()}
        self.variables.update(inputs)
        self.status, self.current = "InProgress", None
        self.recoverable = self.error = None
        self.old = False        # failed more than 14 days ago
        self.stages = []
        self.log = []           # [kind, position of its stage, step, assignee]
        self.nitems = 0
        self.effects = []       # steps whose action took effect
        self.next = DEFINITIONS[definition]["start"]
        self.entries = 0
        self.id = None

    def note(self, kind, stage=None, step=None, who=None):
        self.log.append([kind, stage.position if stage else None, step.name if step else None, who])

    # ---- the engine

    @property
    def stage(self):
        return self.stages[-1] if self.stages else None

    def open_stage(self):
        s = self.stage
        return s if s and s.status in ("InProgress", "Suspended") else None

    def begin_run(self):
        self.note("StartInstance")
        self.advance()

    def advance(self):
        """Exit condition, entry conditions, again until nothing changes."""
        self.entries = 0
        while self.status == "InProgress":
            stage = self.open_stage()
            if stage is None:
                self.follow()
            elif all(s.status == "Completed" for s in stage.steps):
                stage.status = "Completed"
                self.note("EndStage", stage)
                self.next = self.path[stage.name][2]
            elif not self.start_one(stage):
                break
        self.rest()

    def rest(self):
        """CurrentStage: the open stage whenever the run comes to rest."""
        if self.status == "Completed":
            self.current = None
        elif self.stages:
            self.current = self.stage.name

    def follow(self):
        """One element of the path."""
        if self.next is None:
            self.status = "Completed"
            self.note("EndInstance")
            return
        self.entries += 1
        if self.entries > MAX_ELEMENTS:
            self.fail_outside("OR304")
            return
        kind, *rest = self.path[self.next]
        if kind == "assignment":
            variable, _, right, to = rest
            self.variables[variable] += right
            self.next = to
        elif kind == "decision":
            rules, default = rest
            try:
                self.next = next((to for terms, to in rules if all(self.holds(*t) for t in terms)), default)
            except Refused as e:
                self.fail_outside(str(e))
        else:
            self.enter(self.next)

    def read(self, reference):
        """A reference of a condition: it means the latest record of that name."""
        parts = reference.split(".")
        if parts[0] in self.variables:
            return self.variables[parts[0]]
        for stage in reversed(self.stages):
            if stage.name == parts[0]:
                return stage.status
            for step in stage.steps:
                if step.name == parts[0]:
                    if parts[1] == "Status":
                        return step.status
                    return step.outputs.get(parts[2]) if step.status == "Completed" else None
        return None

    def holds(self, left, operator, right):
        value = self.read(left)
        if value is None:
            return False
        if operator == "EqualTo":
            return value == right and isinstance(value, bool) == isinstance(right, bool)
        need(isinstance(value, (int, float)), "OR301")
        return value < right if operator == "LessThan" else value > right

    def enter(self, name):
        """All steps at once: InProgress unless they wait for other steps."""
        stage = Stage(name, len(self.stages) + 1, self.path[name][1])
        self.stages.append(stage)
        self.note("StartStage", stage)
        first = [s for s in stage.steps if not s.after]
        for s in first:
            s.status, s.attempt = "InProgress", 1
            self.note("StartStep", stage, s)
        for s in first:
            if s.status == "InProgress":        # goes on also when one of them suspends the run
                self.begin(stage, s)

    def start_one(self, stage):
        by_name = {s.name: s for s in stage.steps}
        for s in stage.steps:
            if s.status == "NotStarted" and all(by_name[a].status == "Completed" for a in s.after):
                self.start(stage, s)
                return True
        return False

    def start(self, stage, step):
        step.status = "InProgress"
        step.attempt += 1
        step.pending = None
        self.note("StartStep", stage, step)
        self.begin(stage, step)

    def begin(self, stage, step):
        if step.kind == "B":
            self.outcome(stage, step, *self.act(stage, step))
        elif step.kind in "FW":
            if step.queue is None:
                step.claims = 0
            step.queue, step.lease = "ready", None
        else:
            who = step.needs
            if who[0] == "?":
                who = (self.variables[who[1:]] or "").replace("@example.com", "")
            if who not in PEOPLE or PEOPLE[who] != PEOPLE.get(step.needs, "User") or who in self.world.inactive:
                self.outcome(stage, step, False, "OR103")
            else:
                self.nitems += 1
                step.items.append([who, "Assigned", None, self.nitems])
                self.note("StartWorkItem", stage, step, who)

    def act(self, stage, step):
        """The result of the function: (done, outputs or SQLSTATE)."""
        mode = self.world.mode.get(step.name, "ok")
        if mode.endswith("fail"):
            return False, "P0042"
        if mode == "scalar":
            return False, "OR306"   # its writes are undone
        self.effects.append(step.name)
        if mode == "suspend":
            self.suspend()
        elif mode == "cancel":
            if self.status in ("InProgress", "Suspended", "Canceled"):
                self.cancel()
        elif mode == "finish":
            open_items = [(s.item[3], g, s) for g in self.stages for s in g.steps if s.item and s.item[1] == "Assigned"]
            if open_items:
                _, its_stage, its_step = min(open_items, key=lambda x: x[0])
                self.complete_item(its_stage, its_step, its_step.item, {"x": 1}, None)
        return True, {} if mode == "null" else {mode: True, "route": mode.upper()}

    def outcome(self, stage, step, done, what):
        """An action has ended: its outcome is applied, kept while the run is stopped, or too late."""
        if self.status == "InProgress" and step.status == "InProgress":
            if done:
                self.complete_step(stage, step, what)
            else:
                self.fail_step(stage, step, what)
        elif self.status in ("Suspended", "Error"):
            step.pending = ("Completed" if done else "Error", what)

    def complete_step(self, stage, step, outputs):
        step.status, step.outputs, step.pending = "Completed", outputs, None
        self.note("EndStep", stage, step)

    def fail_step(self, stage, step, state):
        step.status, step.pending = "Error", None
        self.note("FailStep", stage, step)
        self.fail_stage(stage, state)

    def fail_stage(self, stage, state):
        stage.status = "Error"
        self.note("FailStage", stage)
        self.fail_run(True, state)
        self.discontinue(stage)

    def fail_run(self, recoverable, state):
        self.status, self.recoverable, self.error, self.old = "Error", recoverable, state, False
        self.note("FailInstance")

    def fail_outside(self, state, recoverable=False):
        """The open stage, or else the last one completed, is Discontinued."""
        self.fail_run(recoverable, state)
        stage = self.stage
        if stage and stage.status in ("InProgress", "Completed"):
            stage.status = "Discontinued"
            self.note("DiscontinueStage", stage)
            self.discontinue(stage)

    def discontinue(self, stage, keep=None):
        """The InProgress steps of a stage that ended, and their work items."""
        for s in stage.steps:
            if s.status == "InProgress" and s is not keep:
                s.status = "Discontinued"
                self.note("DiscontinueStep", stage, s)
                self.close(stage, s, self.status == "Error")

    def close(self, stage, step, stopped=False):
        """The step need not be done any more; its holder may still finish it while the run is in Error."""
        if step.item and step.item[1] == "Assigned":
            step.item[1] = "Completed"
            self.note("EndWorkItem", stage, step, step.item[0])
        step.queue = "frozen" if stopped and step.queue in ("leased", "expired", "frozen") else None

    # ---- users and workers

    def suspend(self):
        if self.status == "Suspended":
            return False
        need(self.status == "InProgress", "OR001")
        self.status = "Suspended"
        self.note("SuspendInstance")
        if self.open_stage():
            self.stage.status = "Suspended"
            self.note("SuspendStage", self.stage)
        return True

    def cancel(self):
        if self.status == "Canceled":
            return False
        need(self.status in ("InProgress", "Suspended"), "OR001")
        stage = self.open_stage()
        self.status = "Canceled"
        self.note("CancelInstance")
        if stage:
            stage.status = "Discontinued"
            self.note("DiscontinueStage", stage)
            self.discontinue(stage)
        return True

    def resume(self):
        if self.status == "InProgress":
            return self.status
        need(self.status in ("Suspended", "Error"), "OR001")
        if self.status == "Error":
            need(self.recoverable and not self.old, "OR004")
        self.status = "InProgress"
        self.note("ResumeInstance")
        stage = self.stage
        if stage and stage.status in ("Suspended", "Error"):
            stage.status = "InProgress"
            self.note("StartStage", stage)
        # pending outcomes first, as after a suspension
        for s in stage.steps if stage else []:
            if s.status in ("InProgress", "Discontinued") and s.pending and self.status == "InProgress":
                outcome, what = s.pending
                if outcome == "Completed":
                    self.close(stage, s)
                    self.complete_step(stage, s, what)
                else:
                    self.close(stage, s)
                    self.fail_step(stage, s, what)
        # then the other steps, also when one of them suspends the run again
        for s in stage.steps if stage else []:
            if s.status in ("Error", "Discontinued") and self.status in ("InProgress", "Suspended"):
                self.start(stage, s)
        self.advance()
        return self.status

    def complete_item(self, stage, step, item, outputs, key):
        if item[1] == "Completed":
            need(key is not None and item[2] is not None and item[2][0] == key, "OR302")
            need(item[2][1] == outputs, "OR309")
            return False
        item[1], item[2] = "Completed", (key, outputs)
        self.note("EndWorkItem", stage, step, item[0])
        self.outcome(stage, step, True, outputs)
        self.advance()
        return True

    def fail_item(self, stage, step, item):
        need(item[1] == "Assigned", "OR302")
        if self.status == "Error":
            return False
        need(self.status == "InProgress", "OR001")      # open: while Suspended
        self.fail_run(True, "OR305")
        self.discontinue(stage, keep=step)
        return True

    def reassign(self, stage, step, item, who, by_hand=False):
        # a plain UPDATE that changes nothing is no reassignment
        need((by_hand and item[0] == who) or (who in PEOPLE and who not in self.world.inactive), "OR103")
        need(item[1] == "Assigned", "OR302")
        if item[0] == who:
            return False
        item[0] = who
        self.note("ReassignWorkItem", stage, step, who)
        return True

    def worker_outcome(self, stage, step, lease, done, what):
        told = step.pending[0] if step.pending else step.status
        if step.taken_lease == lease and told == ("Completed" if done else "Error"):
            return True
        if step.queue not in ("leased", "expired", "frozen") or step.lease != lease:
            return False
        step.queue, step.lease, step.taken_lease = None, None, lease
        self.outcome(stage, step, done, what)
        self.advance()
        return True

    def run_function(self, stage, step):
        step.queue = None
        self.outcome(stage, step, *self.act(stage, step))
        self.advance()

    # ---- UPDATE ... SET status by the owner of the tables

    def write(self, level, stage, step, item, to):
        """The effect of a plain UPDATE."""
        old = {"run": self.status, "stage": stage and stage.status, "step": step and step.status,
               "work_item": item and item[1]}[level]
        if old == to:
            return
        if level == "work_item" and to == "Assigned" and step.item[1] == "Assigned":
            raise Refused("23505")      # open: a second Assigned item of a step, before the verdict on the change
        need((level, old, to) in TRANSITIONS, "OR001")
        getattr(self, "write_" + level)(stage, step, item, old, to)

    def write_run(self, _stage, _step, _item, old, to):
        if to == "Suspended":
            self.suspend()
        elif to == "Canceled":
            self.cancel()
        elif to == "InProgress":
            self.resume()
        elif to == "Error":
            self.fail_outside(None, None)       # open: it is unknown whether it can be resumed, so it cannot be
        else:
            need(not self.open_stage(), "OR002")

    def write_stage(self, stage, _step, _item, old, to):
        if self.status == "InProgress" and old == "InProgress" and to == "Completed":
            stage.status = "Completed"
            self.note("EndStage", stage)
            self.discontinue(stage)
            self.next = self.path[stage.name][2]
            self.advance()
        elif self.status == "InProgress" and old == "InProgress" and to == "Error":
            self.fail_stage(stage, None)
        else:
            raise Refused("OR002")

    def write_step(self, stage, step, _item, old, to):
        if self.status == "InProgress" and old == "InProgress" and to == "Completed":
            step.status = "Completed"
            self.note("EndStep", stage, step)
            self.close(stage, step)
            self.advance()
        elif self.status == "InProgress" and old == "InProgress" and to == "Error":
            self.close(stage, step)
            self.fail_step(stage, step, None)
        elif self.status == "InProgress" and stage.status == "InProgress" and old == "NotStarted" and to == "InProgress":
            self.start(stage, step)     # open: by hand before its entry condition is met
            self.advance()
        elif self.status == "Error" and old == "InProgress" and to == "Discontinued":
            step.status = "Discontinued"
            self.note("DiscontinueStep", stage, step)
            self.close(stage, step, True)
        elif old == "Completed" and to == "Discontinued" and (stage.status == "Completed" or self.status == "Error"):
            step.status = "Discontinued"
            self.note("DiscontinueStep", stage, step)
        else:
            raise Refused("OR002")

    def write_work_item(self, stage, step, item, _old, to):
        if to == "Completed":
            self.complete_item(stage, step, item, {}, None)

    # ---- the state, as the database shows it

    def state(self):
        return {
            "status": self.status, "current": self.current,
            "n": self.variables.get("n", 0),
            "error": [self.recoverable, self.error] if self.status == "Error" else None,
            "stages": [[g.name, g.position, g.status] for g in self.stages],
            "steps": {"%d.%s" % (g.position, s.name): [
                s.status, TYPES[s.kind], s.attempt, s.pending and s.pending[0], [i[:2] for i in s.items], s.queue]
                for g in self.stages for s in g.steps},
            "log": by_entity(self.log),
            "effects": sorted(self.effects),
        }


def by_entity(log):
    """The milestones of each record, in their order."""
    result = {}
    for kind, position, step, who in log:
        level = next(x for x in ("WorkItem", "Step", "Stage", "Instance") if kind.endswith(x))
        result.setdefault("%s %s %s" % (level, position, step), []).append([kind, who] if who else kind)
    return result


# ----------------------------------------------------------- the database

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
                raise SystemExit("Bail out! the server or psql went away (seed %d) after: %s" % (SEED, sql))
            line = line.rstrip("\n")
            if line == "\x1e":
                return rows, state
            if line.startswith(("ERROR:  ", "FATAL:  ")):
                state = line[8:].strip()
            elif not line.startswith(("WARNING:", "NOTICE:")):
                rows.append(line.split("\x1f"))

    def one(self, sql):
        rows, state = self.run(sql)
        if state:
            raise SystemExit("Bail out! %s for %s" % (state, sql))
        return rows[0][0] if rows else None


# The runs as Run.state() shows them, and the ids of their stages and steps.
STATE = """
SELECT jsonb_build_object(
  'id', r.id, 'status', r.status, 'current', r.current_stage, 'n', COALESCE((r.variables->>'n')::integer, 0),
  'error', CASE WHEN r.status = 'Error' THEN jsonb_build_array(r.error_recoverable, r.error->>'sqlstate') END,
  'stages', COALESCE((SELECT jsonb_agg(jsonb_build_array(s.name, s.position, s.status) ORDER BY s.position)
                        FROM orchestration.stage_run s WHERE s.run_id = r.id), '[]'),
  'stage_ids', (SELECT jsonb_object_agg(s.position, s.id) FROM orchestration.stage_run s WHERE s.run_id = r.id),
  'step_ids', (SELECT jsonb_object_agg(g.position || '.' || t.name, t.id)
                 FROM orchestration.step_run t JOIN orchestration.stage_run g ON g.run_id = t.run_id AND g.id = t.stage_run_id
                WHERE t.run_id = r.id),
  'steps', COALESCE((SELECT jsonb_object_agg(g.position || '.' || t.name,
                jsonb_build_array(t.status, t.step_type, t.attempt, t.pending->>'outcome', COALESCE(w.items, '[]'), q.state))
       FROM orchestration.step_run t
       JOIN orchestration.stage_run g ON g.run_id = t.run_id AND g.id = t.stage_run_id
       LEFT JOIN (SELECT w.step_run_id, jsonb_agg(jsonb_build_array(COALESCE(split_part(p.username, '@', 1), p.developer_name), w.status) ORDER BY w.id) AS items
                    FROM orchestration.work_item w JOIN orchestration.principal p ON p.id = w.assignee_id
                   WHERE w.run_id = r.id GROUP BY w.step_run_id) w ON w.step_run_id = t.id
       LEFT JOIN (SELECT q.step_run_id, CASE WHEN q.available_at = 'infinity' THEN 'frozen' WHEN q.lease_id IS NULL THEN 'ready'
                                             WHEN q.leased_until > clock_timestamp() THEN 'leased' ELSE 'expired' END AS state
                    FROM orchestration.step_queue q WHERE q.run_id = r.id) q ON q.step_run_id = t.id
      WHERE t.run_id = r.id), '{}'),
  'log', COALESCE((SELECT jsonb_agg(jsonb_build_array(l.kind, g.position, t.name,
                                  CASE WHEN l.kind::text LIKE '%%WorkItem' THEN COALESCE(split_part(p.username, '@', 1), p.developer_name) END) ORDER BY l.number)
       FROM orchestration.run_log l
       LEFT JOIN orchestration.step_run t ON t.run_id = l.run_id AND t.id = l.step_run_id
       LEFT JOIN orchestration.stage_run g ON g.run_id = l.run_id AND g.id = COALESCE(l.stage_run_id, t.stage_run_id)
       LEFT JOIN orchestration.principal p ON p.id = l.assignee_id
      WHERE l.run_id = r.id), '[]'),
  'effects', COALESCE((SELECT jsonb_agg(e.step) FROM public.effect e WHERE e.run_id = r.id), '[]'))
FROM orchestration.run r
"""
# Counts over all runs.
NUMBERS = """
SELECT (SELECT jsonb_object_agg(status, n) FROM (SELECT status, count(*) AS n FROM orchestration.run GROUP BY 1) x),
       (SELECT jsonb_object_agg(status, n) FROM (SELECT status, count(*) AS n FROM orchestration.stage_run GROUP BY 1) x),
       (SELECT jsonb_object_agg(status, n) FROM (SELECT status, count(*) AS n FROM orchestration.step_run GROUP BY 1) x),
       (SELECT jsonb_object_agg(status, n) FROM (SELECT status, count(*) AS n FROM orchestration.work_item GROUP BY 1) x),
       (SELECT count(*) FROM orchestration.step_queue),
       (SELECT count(*) FROM orchestration.run_log)
"""


class Difference(Exception):
    """The database differs from the model."""


class Test:
    def __init__(self):
        self.rng = random.Random(SEED)
        self.db = Psql()
        self.world = World()
        self.runs = {}          # id -> Run
        self.keys = {}          # (orchestration, idempotency key) -> id of the run, inputs
        self.counts = {}
        self.refusals = {}      # SQLSTATE -> how many calls
        self.errors = {}        # SQLSTATE -> how many times a run was seen in Error by it
        self.in_transaction = False
        self.history = []       # (operation, statement, runs)
        self.number = 0
        self.tests = 0
        self.failed = 0

    # ---- TAP

    def ok(self, good, name):
        self.tests += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.tests, name), flush=True)
        return good

    # ---- both sides

    def do(self, name, sql, model, touched=(), returns=True):
        """Make an operation on both sides; compare result, SQLSTATE and the runs that it touches."""
        self.history.append((self.number, sql, touched))
        if self.in_transaction:
            self.db.one("SAVEPOINT operation")
        rows, state = self.db.run(sql)
        if self.in_transaction:
            self.db.one("ROLLBACK TO operation" if state else "RELEASE operation")
        try:
            value, refused = model(), None
        except Refused as e:
            value, refused = None, str(e)
        if refused:
            self.refusals[refused] = self.refusals.get(refused, 0) + 1
        self.check(name, state == refused, "SQLSTATE %s" % state, "%s for %s" % (refused, sql), touched)
        if returns and refused is None and value is not None:
            got = [r[0] for r in rows]
            want = [("f", "t")[v] if isinstance(v, bool) else str(v) for v in (value if isinstance(value, list) else [value])]
            self.check(name, got == want, got, "%s for %s" % (want, sql), touched)
        self.compare(name, [i for i in touched if i in self.runs], sql)
        return rows

    def check(self, name, good, got, want, runs=()):
        if not good:
            raise Difference("%s\n#   got      %s\n#   expected %s%s" % (name, got, want, self.past(runs)))

    def past(self, runs):
        """The latest operations on these runs, to explain a difference."""
        return "".join("\n#   %d: %s" % (x[0], x[1][:400]) for x in [x for x in self.history if set(runs) & set(x[2])][-20:])

    def compare(self, name, ids=None, sql=""):
        """Compares these runs, or all, in full; and all of them in numbers."""
        everything = ids is None
        if everything or ids:
            where = "" if everything else " WHERE r.id IN (%s)" % ", ".join("'%s'" % i for i in ids)
            rows, _ = self.db.run(STATE.replace("%%", "%") + where)
            found = {}
            for row in rows:
                got = json.loads(row[0])
                found[got.pop("id")] = got
            want_ids = sorted(self.runs if everything else ids)
            self.check(name, sorted(found) == want_ids, "runs %s" % sorted(found), want_ids)
            for i, got in found.items():
                self.compare_run(name, i, got, sql)
        got = [json.loads(v) if v else {} for v in self.db.run(NUMBERS)[0][0]]
        want = self.numbers()
        self.check(name + ": in numbers (runs, stages, steps, work items, queue, log)", got == want, got, "%s for %s" % (want, sql))

    def compare_run(self, name, run_id, got, sql):
        run = self.runs[run_id]
        stage_ids, step_ids = got.pop("stage_ids") or {}, got.pop("step_ids") or {}
        got["log"] = by_entity(got["log"])
        got["effects"].sort()
        want = json.loads(json.dumps(run.state()))
        if want["error"] and want["error"][1] is None:      # by a plain write: no error is known
            want["error"][1] = got["error"] and got["error"][1]
        if want["error"] and want["error"][1]:
            self.errors[want["error"][1]] = self.errors.get(want["error"][1], 0) + 1
        different = [k for k in want if got[k] != want[k]]
        if different:
            def only(mine, other):
                if isinstance(mine, dict) and isinstance(other, dict):
                    return {k: v for k, v in mine.items() if other.get(k) != v}
                return mine
            raise Difference("%s of run %s (%s)\n#   by       %s\n#   got      %s\n#   expected %s%s" % (
                name, run_id, run.definition, sql,
                json.dumps({k: only(got[k], want[k]) for k in different}),
                json.dumps({k: only(want[k], got[k]) for k in different}), self.past([run_id])))
        for g in run.stages:
            g.id = stage_ids[str(g.position)]
            for s in g.steps:
                s.id = step_ids["%d.%s" % (g.position, s.name)]

    def numbers(self):
        def count(values):
            result = {}
            for v in values:
                result[v] = result.get(v, 0) + 1
            return result
        runs = self.runs.values()
        stages = [g for r in runs for g in r.stages]
        steps = [s for g in stages for s in g.steps]
        return [count(r.status for r in runs), count(g.status for g in stages), count(s.status for s in steps),
                count(i[1] for s in steps for i in s.items), sum(s.queue is not None for s in steps),
                sum(len(r.log) for r in runs)]

    # ---- choices

    def pick(self, *statuses):
        ids = [i for i, r in self.runs.items() if not statuses or r.status in statuses]
        return self.rng.choice(ids) if ids else None

    def steps(self, condition):
        """One (run id, stage, step), or None."""
        found = [(i, g, s) for i, r in self.runs.items() for g in r.stages for s in g.steps if condition(r, g, s)]
        return self.rng.choice(found) if found else None

    def item_id(self, run_id, step, number=-1):
        rows, _ = self.db.run("SELECT w.id FROM orchestration.work_item w WHERE w.run_id = '%s' AND w.step_run_id = '%s' "
                              "ORDER BY w.id" % (run_id, step.id))
        return rows[number][0]

    # ---- operations

    WEIGHTS = {
        "complete_item": 16, "claim": 9, "worker": 16, "functions": 3, "suspend": 4, "cancel": 2, "resume": 9,
        "update_run": 5, "write": 12, "completed_item": 3, "fail_item": 3, "reassign": 3, "reassign_sql": 2,
        "control": 5, "active": 2, "age": 2, "transaction": 3, "delete": 3, "expire": 3, "results": 3,
        "repeated_start": 2, "unknown": 2, "lost": 2, "delete_child": 1,
    }

    def operation(self):
        names = list(self.WEIGHTS)
        if len(self.runs) < RUNS and self.rng.random() < 0.5:
            name = "start"
        else:
            name = self.rng.choices(names, [self.WEIGHTS[n] for n in names])[0]
        if name == "transaction" and self.in_transaction:
            return False
        if getattr(self, "do_" + name)() is False:
            return False        # no record for the operation
        self.counts[name] = self.counts.get(name, 0) + 1
        return True

    def do_start(self):
        definition = self.rng.choice(list(DEFINITIONS))
        if self.world.mode.get("s1") == "spin" and self.rng.random() < 0.4:
            definition = "Spin"
        key = "k%d" % self.rng.randrange(300) if self.rng.random() < 0.4 else None
        if (definition, key) in self.keys:
            return self.do_repeated_start()
        inputs = {}
        if definition == "Own":
            inputs["who"] = self.rng.choice(["ann", "bob", "bob", "ann", "nobody", "Line"]) + "@example.com"
        if definition == "Bad" and self.rng.random() < 0.2:
            inputs["bad"] = {"x": {"y": 1}}
        run = Run(definition, self.world, inputs)
        name = "start_orchestration"
        sql = "SELECT orchestration.start_orchestration('%s', inputs => '%s', idempotency_key => %s)" % (
            definition, json.dumps(inputs), "'%s'" % key if key else "NULL")
        rows = self.db.run(sql)
        self.check(name, rows[1] is None, rows[1], "a run by " + sql)
        run.id = rows[0][0][0]
        self.runs[run.id] = run
        if key:
            self.keys[definition, key] = run.id, inputs
        self.history.append((self.number, sql, [run.id]))
        run.begin_run()
        self.compare(name, [run.id], sql)

    def do_repeated_start(self):
        if not self.keys:
            return False
        (definition, key), (run_id, inputs) = self.rng.choice(list(self.keys.items()))
        given = inputs if self.rng.random() < 0.7 else {**inputs, "other": 1}

        def model():
            need(given == inputs, "OR309")
            return run_id
        self.do("start_orchestration with the same key",
                "SELECT orchestration.start_orchestration('%s', inputs => '%s', idempotency_key => '%s')" % (definition, json.dumps(given), key),
                model, [run_id])

    def do_complete_item(self):
        found = self.steps(lambda r, g, s: s.item and s.item[1] == "Assigned")
        if not found:
            return False
        run_id, stage, step = found
        run = self.runs[run_id]
        outputs = {"again": self.rng.random() < 0.5, "x": self.rng.choice([0, 2, 2, {"y": 1}])}
        key = "once" if self.rng.random() < 0.5 else None
        sql = "SELECT orchestration.complete_work_item('%s', '%s', %s)" % (
            self.item_id(run_id, step), json.dumps(outputs), "'once'" if key else "NULL")
        item = step.item
        self.do("complete_work_item", sql, lambda: run.complete_item(stage, step, item, outputs, key), [run_id])
        if self.rng.random() < 0.2:
            self.do("complete_work_item again", sql, lambda: run.complete_item(stage, step, item, outputs, key), [run_id])

    def do_completed_item(self):
        found = self.steps(lambda r, g, s: any(i[1] == "Completed" for i in s.items))
        if not found:
            return False
        run_id, stage, step = found
        number = self.rng.choice([n for n, i in enumerate(step.items) if i[1] == "Completed"])
        item, item_id, run = step.items[number], self.item_id(run_id, step, number), self.runs[run_id]
        key = self.rng.choice([None, "once", "other"])
        what = self.rng.random()
        if what < 0.6:
            self.do("complete_work_item of a Completed one",
                    "SELECT orchestration.complete_work_item('%s', NULL, %s)" % (item_id, "'%s'" % key if key else "NULL"),
                    lambda: run.complete_item(stage, step, item, {}, key), [run_id])
        elif what < 0.8:
            self.do("fail_work_item of a Completed one", "SELECT orchestration.fail_work_item('%s', 'late')" % item_id,
                    lambda: run.fail_item(stage, step, item), [run_id])
        else:
            self.do("reassign_work_item of a Completed one", "SELECT orchestration.reassign_work_item('%s', %s)"
                    % (item_id, self.principal("Team")), lambda: run.reassign(stage, step, item, "Team"), [run_id])

    def do_fail_item(self):
        found = self.steps(lambda r, g, s: s.item and s.item[1] == "Assigned")
        if not found:
            return False
        run_id, stage, step = found
        self.do("fail_work_item", "SELECT orchestration.fail_work_item('%s', 'broken')" % self.item_id(run_id, step),
                lambda: self.runs[run_id].fail_item(stage, step, step.item), [run_id])

    def principal(self, who):
        return "(SELECT id FROM orchestration.principal WHERE '%s' IN (username, developer_name))" % named(who)

    def do_reassign(self):
        found = self.steps(lambda r, g, s: s.item and s.item[1] == "Assigned")
        if not found:
            return False
        run_id, stage, step = found
        who = self.rng.choice(list(PEOPLE) + ["nobody"])
        principal = self.principal(who) if who in PEOPLE else "orchestration.new_id()"
        self.do("reassign_work_item", "SELECT orchestration.reassign_work_item('%s', %s)" % (self.item_id(run_id, step), principal),
                lambda: self.runs[run_id].reassign(stage, step, step.item, who), [run_id])

    def do_reassign_sql(self):
        found = self.steps(lambda r, g, s: s.item and s.item[1] == "Assigned")
        if not found:
            return False
        run_id, stage, step = found
        who = self.rng.choice(list(PEOPLE))
        self.do("UPDATE of an assignee", "UPDATE orchestration.work_item SET assignee_id = %s WHERE id = '%s'"
                % (self.principal(who), self.item_id(run_id, step)),
                lambda: self.runs[run_id].reassign(stage, step, step.item, who, True), [run_id], returns=False)

    def do_claim(self):
        topics = self.rng.choice([["Work"], ["Ship"], ["Work", "Ship"], ["Other"]])
        most = self.rng.randint(1, 4)
        self.claim(topics, most)

    def claim(self, topics, most):
        free = [(i, g, s) for i, r in self.runs.items() for g in r.stages for s in g.steps
                if s.kind == "W" and s.needs in topics and s.queue in ("ready", "expired")]
        rows, state = self.db.run("SELECT c.run_id, c.step_id, c.lease_id, c.topic, c.attempt FROM orchestration.claim_steps('w', '{%s}', %d, '1 hour') c"
                                  % (",".join(topics), most))
        self.check("claim_steps", state is None and len(rows) == min(most, len(free)), "%s, %d steps" % (state, len(rows)),
                   "%d of %s" % (min(most, len(free)), topics))
        for run_id, step_id, lease, topic, attempt in rows:
            found = [s for i, g, s in free if i == run_id and s.id == step_id and s.needs == topic]
            self.check("claim_steps", found, "step %s of run %s" % (step_id, run_id), "a ready step")
            step = found[0]
            step.claims += 1
            self.check("claim_steps", lease != step.lease and int(attempt) == step.claims, "attempt %s, lease %s" % (attempt, lease),
                       "attempt %d, a new lease" % step.claims)
            step.queue, step.lease = "leased", lease
        self.history.append((self.number, "claim of " + str(rows), [r[0] for r in rows]))
        self.compare("claim_steps", sorted({r[0] for r in rows}))

    def do_expire(self):
        """A lease ends: its outcome still counts until another worker claims the step."""
        found = self.steps(lambda r, g, s: s.queue == "leased")
        if not found:
            return False
        run_id, _, step = found

        def model():
            step.queue = "expired"
        self.do("a lease ends", "UPDATE orchestration.step_queue SET leased_until = now() - interval '1 second' "
                "WHERE run_id = '%s' AND step_run_id = '%s'" % (run_id, step.id), model, [run_id])

    def do_lost(self):
        """A lease ends, another worker claims the step, then the first one reports."""
        found = self.steps(lambda r, g, s: s.queue in ("leased", "expired"))
        if not found:
            return False
        run_id, stage, step = found
        before = step.lease
        self.db.one("UPDATE orchestration.step_queue SET leased_until = now() - interval '1 second', available_at = now() - interval '1 year' "
                    "WHERE run_id = '%s' AND step_run_id = '%s'" % (run_id, step.id))
        step.queue = "expired"
        for _ in range(100):
            if step.lease != before:
                break
            self.claim([step.needs], 1)
        self.check("claim_steps", step.lease != before, "no new claim", "a claim of the oldest step")
        self.results([(run_id, stage, step, before, self.rng.random() < 0.7)])

    def do_worker(self):
        found = self.steps(lambda r, g, s: s.queue in ("leased", "expired", "frozen")) if self.rng.random() < 0.9 else None
        found = found or self.steps(lambda r, g, s: s.taken_lease)
        if not found:
            return self.do_claim()
        run_id, stage, step = found
        self.results([(run_id, stage, step, step.lease or step.taken_lease, self.rng.random() < 0.85)])

    def do_results(self):
        """Several outcomes in one call: of any runs, some of them twice or with a wrong lease."""
        found = []
        for _ in range(self.rng.randint(2, 6)):
            one = self.steps(lambda r, g, s: s.queue in ("leased", "expired", "frozen") or s.taken_lease)
            if one:
                lease = one[2].lease or one[2].taken_lease
                found.append((*one, lease if self.rng.random() < 0.9 else "00000000-0000-7000-8000-00000000dead", None))
        if not found:
            return False
        done = self.rng.random() < 0.8
        self.results([(*x[:4], done) for x in found])

    def results(self, them):
        results = []
        for run_id, stage, step, lease, done in them:
            result = {"step_id": step.id, "lease_id": lease}
            result.update({"outputs": {"n": 1}} if done else {"message": "could not"})
            results.append(result)
        done = them[0][4]
        name = "complete_steps" if done else "fail_steps"

        def model():
            return [self.runs[run_id].worker_outcome(stage, step, lease, done, {"n": 1} if done else "OR305")
                    for run_id, stage, step, lease, _ in them]
        self.do(name, "SELECT accepted FROM orchestration.%s('%s')" % (name, json.dumps(results)), model, sorted({x[0] for x in them}))

    def do_functions(self):
        """All queued functions in the database."""
        ran = []

        def model():
            todo = [(r, g, s) for r in self.runs.values() for g in r.stages for s in g.steps if s.kind == "F" and s.queue == "ready"]
            while todo:
                for run, stage, step in todo:
                    if step.queue == "ready":
                        run.run_function(stage, step)
                        ran.append(run.id)
                todo = [(r, g, s) for r in self.runs.values() for g in r.stages for s in g.steps if s.kind == "F" and s.queue == "ready"]
            return len(ran)
        before = [r.id for r in self.runs.values() for g in r.stages for s in g.steps if s.kind == "F" and s.queue == "ready"]
        self.do("run_queued_steps", "SELECT orchestration.run_queued_steps(1000)", model, sorted(set(before)))

    def move(self, name, run_id):
        self.do(name + "_run", "SELECT orchestration.%s_run('%s')" % (name, run_id), lambda: getattr(self.runs[run_id], name)(), [run_id])

    def do_suspend(self):
        run_id = self.pick("InProgress") if self.rng.random() < 0.7 else self.pick()
        return self.move("suspend", run_id) if run_id else False

    def do_cancel(self):
        run_id = self.pick()
        return self.move("cancel", run_id) if run_id else False

    def do_resume(self):
        run_id = self.pick("Suspended", "Error") if self.rng.random() < 0.9 else self.pick()
        return self.move("resume", run_id) if run_id else False

    def do_update_run(self):
        """UPDATE of several runs in one statement, as the view shows them or in the table."""
        ids = [i for i in (self.pick("InProgress", "Suspended", "Error") for _ in range(self.rng.randint(1, 3))) if i]
        ids = sorted(set(ids))
        if not ids:
            return False
        to = self.rng.choice(["Suspended", "InProgress", "InProgress", "Canceled"])
        saved = copy.deepcopy([self.runs[i] for i in ids])

        def model():
            try:
                for i in ids:
                    self.runs[i].write("run", None, None, None, to)
            except Refused:
                for i, r in zip(ids, saved):
                    r.world = self.world
                    self.runs[i] = r
                raise
        self.do("UPDATE of %d runs to %s" % (len(ids), to), "UPDATE orchestration.%s SET status = '%s' WHERE id IN (%s)"
                % (self.rng.choice(["run", "flow_orchestration_instance"]), to, ", ".join("'%s'" % i for i in ids)), model, ids)

    def do_write(self):
        """UPDATE ... SET status of any row to any status: most are refused."""
        level = self.rng.choice(["run", "stage", "step", "step", "work_item"])
        if level == "run":
            run_id, stage, step = self.pick(), None, None
        else:
            found = self.steps(lambda r, g, s: level != "work_item" or s.items)
            if level != "work_item" and self.rng.random() < 0.5:
                found = self.steps(lambda r, g, s: g is r.stage and r.status in ("InProgress", "Suspended", "Error")) or found
            run_id, stage, step = found or (None, None, None)
        if not run_id:
            return False
        run, item = self.runs[run_id], None
        to = self.rng.choice(STATUSES[level])
        if level == "run" and to == "Error" and run.status == "InProgress" and self.rng.random() < 0.7:
            return False        # it is final: not too often
        row = {"run": run_id, "stage": stage and stage.id, "step": step and step.id, "work_item": None}[level]
        if level == "work_item":
            number = self.rng.randrange(len(step.items))
            item, row = step.items[number], self.item_id(run_id, step, number)
        table = {"run": "run", "stage": "stage_run", "step": "step_run", "work_item": "work_item"}[level]
        self.do("UPDATE of a %s to %s" % (level, to), "UPDATE orchestration.%s SET status = '%s' WHERE id = '%s'" % (table, to, row),
                lambda: run.write(level, stage, step, item, to), [run_id])

    def do_control(self):
        """Sets the behaviour of a function."""
        step = self.rng.choice(FUNCTIONS + ["s1", "s1"])
        if self.rng.random() < 0.7:
            self.world.mode.clear()
        mode = self.rng.choice(MODES)
        if step == "s1":
            mode = self.rng.choice(["spin", "spin", mode])
        if step == "o1":
            mode = self.rng.choice(["x", "x", mode])
        self.world.mode[step] = mode
        self.db.one("DELETE FROM control")
        for s, m in self.world.mode.items():
            self.db.one("INSERT INTO control VALUES ('%s', '%s')" % (s, m))

    def do_active(self):
        who = self.rng.choice(["ann", "bob", "Team"])
        if who in self.world.inactive or self.rng.random() < 0.5:
            self.world.inactive.discard(who)
        else:
            self.world.inactive.add(who)
        self.db.one("UPDATE orchestration.principal SET is_active = %s WHERE '%s' IN (username, developer_name)"
                    % (who not in self.world.inactive, named(who)))

    def do_age(self):
        """Moves a failure to more or less than 14 days ago."""
        run_id = self.pick("Error")
        if not run_id:
            return False
        run, old = self.runs[run_id], self.rng.random() < 0.4

        def model():
            run.old = old
        self.do("UPDATE of ended_at", "UPDATE orchestration.run SET ended_at = now() - interval '%s' WHERE id = '%s'"
                % ("14 days 1 minute" if old else "13 days 23 hours", run_id), model, [run_id])
        self.move("resume", run_id)

    def do_delete(self):
        run_id = self.pick()
        if not run_id or len(self.runs) < RUNS * 2 // 3:
            return False

        def model():
            need(self.runs[run_id].status in ("Completed", "Canceled", "Error"), "OR005")
            del self.runs[run_id]
            for k in [k for k, v in self.keys.items() if v[0] == run_id]:
                del self.keys[k]
        self.do("DELETE of a run", "DELETE FROM orchestration.run WHERE id = '%s'" % run_id, model, [run_id])

    def do_delete_child(self):
        found = self.steps(lambda r, g, s: True)
        if not found:
            return False
        run_id, stage, step = found

        def model():
            raise Refused("OR005")
        self.do("DELETE of a stage or step", self.rng.choice([
            "DELETE FROM orchestration.stage_run WHERE id = '%s'" % stage.id,
            "DELETE FROM orchestration.step_run WHERE id = '%s'" % step.id]), model, [run_id])

    def do_unknown(self):
        """Unknown names and arguments of the wrong shape."""
        call, state = self.rng.choice([
            ("suspend_run(orchestration.new_id())", "OR101"), ("resume_run(orchestration.new_id())", "OR101"),
            ("cancel_run(orchestration.new_id())", "OR101"), ("cancel_run(NULL)", "22004"),
            ("complete_work_item(orchestration.new_id())", "OR101"), ("fail_work_item(orchestration.new_id(), 'x')", "OR101"),
            ("reassign_work_item(orchestration.new_id(), %s)" % self.principal("Line"), "OR101"),
            ("start_orchestration('Nothing')", "OR202"), ("start_orchestration('Idle')", "OR203"),
            ("start_orchestration('Loop', inputs => '5')", "OR306"), ("start_orchestration('Loop', inputs => '{\"n\": \"x\"}')", "OR306"),
            ("complete_steps('{}')", "OR306"), ("fail_steps('5')", "OR306")])

        def model():
            raise Refused(state)
        self.do("a call that is refused", "SELECT orchestration." + call, model)
        self.do("a result of nothing", "SELECT accepted FROM orchestration.complete_steps('[{\"step_id\": \"%s\", \"lease_id\": \"%s\"}]')"
                % (("00000000-0000-7000-8000-00000000dead",) * 2), lambda: [False])

    def do_transaction(self):
        """Several operations in one transaction or savepoint, committed or rolled back."""
        saved, done = copy.deepcopy((self.world, self.runs, self.keys)), len(self.history)
        kind = self.rng.choice(["COMMIT", "ROLLBACK", "ROLLBACK TO outer_one"])
        self.db.one("BEGIN")
        self.db.one("SAVEPOINT outer_one")
        self.in_transaction = True
        for _ in range(self.rng.randint(1, 5)):
            self.operation()
        self.in_transaction = False
        self.db.one(kind)
        if kind != "COMMIT":
            del self.history[done:]
            self.world, self.runs, self.keys = saved
        if kind == "ROLLBACK TO outer_one":
            self.operation_after_rollback()
            self.db.one("COMMIT")
        self.compare("all runs after " + kind)

    def operation_after_rollback(self):
        self.in_transaction = True
        self.operation()
        self.in_transaction = False

    # ---- the whole test

    def setup(self):
        self.db.one("SET client_min_messages = warning")
        self.db.one("SET orchestration.max_elements = %d" % MAX_ELEMENTS)
        for sql in ("CREATE TABLE public.control (step text PRIMARY KEY, mode text NOT NULL)",
                    "CREATE TABLE public.effect (run_id uuid NOT NULL, step text NOT NULL)",
                    "CREATE INDEX ON public.effect (run_id)",
                    ACT,
                    "SELECT orchestration.register_action('Act', 'function', 'public.act(jsonb)'), "
                    "orchestration.register_action('Work', 'worker'), orchestration.register_action('Ship', 'worker'), "
                    "orchestration.register_action('Screen', 'screen')",
                    "SELECT orchestration.create_user('ann@example.com'), orchestration.create_user('bob@example.com'), "
                    "orchestration.create_queue('Line'), orchestration.create_group('Team')",
                    "SELECT orchestration.deploy_orchestration($d$%s$d$::jsonb, 'Idle')" % document("Seq").replace('"Seq"', '"Idle"')):
            self.db.one(sql)
        for name in DEFINITIONS:
            self.db.one("SELECT orchestration.deploy_orchestration($d$%s$d$::jsonb)" % document(name))
            self.db.one("SELECT orchestration.activate_orchestration('%s')" % name)

    def main(self):
        print("# MODEL_SEED=%d MODEL_OPS=%d" % (SEED, OPS))
        self.setup()
        for n in range(1, OPS + 1):
            self.number = n
            try:
                while not self.operation():
                    pass
                if n % 50 == 0:
                    self.compare("all runs")
            except Difference as e:
                self.ok(False, "database and model agree after operation %d" % n)
                print("# operation %d, MODEL_SEED=%d: %s" % (n, SEED, e))
                break
            if n % 500 == 0:
                self.ok(True, "database and model agree after each of %d operations" % n)
        if self.in_transaction:
            self.db.run("ROLLBACK")
        rows, state = self.db.run("SELECT * FROM orchestration.verify()")
        self.ok(not rows and state is None, "verify() finds nothing")
        for row in rows[:10]:
            print("# " + " | ".join(row))
        missing = [k for k in [*self.WEIGHTS, "start"] if k not in self.counts]
        missing += [k for k in ("OR001", "OR002", "OR004", "OR005", "OR101", "OR103", "OR302", "OR306") if k not in self.refusals]
        missing += [k for k in ("P0042", "OR103", "OR301", "OR304", "OR305") if k not in self.errors]
        if not self.failed and OPS >= 5000:
            self.ok(not missing, "every kind of operation, refusal and failure occurred%s" % (": not " + ", ".join(missing) if missing else ""))
        print("# %s" % ", ".join("%s %d" % x for x in sorted(self.counts.items())))
        print("# refused: %s" % ", ".join("%s %d" % x for x in sorted(self.refusals.items())))
        print("# failed by: %s" % ", ".join("%s %d" % x for x in sorted(self.errors.items())))
        print("1..%d" % self.tests)
        return 1 if self.failed else 0


if __name__ == "__main__":
    sys.exit(Test().main())
