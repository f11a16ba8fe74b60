#!/usr/bin/python3
"""approval.py: random operations on approvals, against an independent model of submissions.

The class Run is an approval as issue, transitions.csv and neighbours.csv have it, in plain
Python: a run with its stages and steps, its submission, its approval work items and the details
of what was done.  Random approvals (stages, approval steps for users, a group and a queue,
background steps that may fail, fault paths, recall paths) are deployed; random operations are
made on a database through one psql, as users and as the owner of the tables, and on the model.
After each operation SQLSTATE, result and the whole run are compared; after each rollback and
every 100 operations all runs are.

Environment: MODEL_SEED (printed), MODEL_OPS, and psql's variables (PGHOST, PGDATABASE, ...).
Expects a fresh database with the extension.  Prints TAP; needs only psql.

SPDX-License-Identifier: PostgreSQL
"""
import copy
import json
import os
import random
import sys

from lifecycle import Difference, Psql, Refused, need

SEED = int(os.environ.get("MODEL_SEED", "20261127"))
OPS = int(os.environ.get("MODEL_OPS", "4000"))
RUNS = 30
DEFINITIONS = 12

MEMBERS = {"Team": ["ann", "bob"], "Desk": ["bob", "cid"]}
PEOPLE = ["ann", "bob", "cid", "sue", "adm", "out"]
ASSIGNEES = {"ann": "User", "bob": "User", "cid": "User", "Team": "Group", "Desk": "Queue"}
ROLE = "regress_approval_model_"
OPEN, ENDED = ("InProgress", "Suspended"), ("Completed", "Canceled", "Error")
TRANSITIONS = {("InProgress", "Suspended"), ("InProgress", "Canceled"), ("InProgress", "Error"), ("InProgress", "Completed"),
               ("Suspended", "InProgress"), ("Suspended", "Canceled"), ("Error", "InProgress")}
DECISIONS = {"Approve": "Approved", "Reject": "Rejected"}


# ------------------------------------------------------------ definitions

def make_definition(rng, number):
    """{stage: (steps, next, fault, exit)}; a step is (name, assignee or None, the steps before it)."""
    stages, names = {}, ["S%d" % (i + 1) for i in range(rng.randint(1, 3))]
    repair, back = rng.random() < 0.5, rng.random() < 0.6

    def steps(stage, approvals, functions):
        result = []
        for i in range(approvals):
            before = [result[-1][0]] if result and rng.random() < 0.3 else []
            result.append(("%s_a%d" % (stage, i), rng.choice(list(ASSIGNEES)), before))
        for i in range(functions):
            before = [rng.choice(result)[0]] if result and rng.random() < 0.8 else []
            result.append(("%s_f%d" % (stage, i), None, before))
        return result

    for i, name in enumerate(names):
        its = steps(name, rng.randint(0 if number % 6 == 5 else 1, 3), rng.randint(0, 1))
        later = names[i + 1:] + (["Repair"] if repair else [])
        first = [s[0] for s in its if s[1] and not s[2]]
        stages[name] = (its, names[i + 1] if i + 1 < len(names) else None,
                        rng.choice(later) if later and rng.random() < 0.5 else None,
                        rng.choice(first) if first and rng.random() < 0.25 else None)
    if repair:
        stages["Repair"] = (steps("Repair", rng.randint(0, 1), 0), None, None, None)
    if back:
        stages["Back"] = (steps("Back", rng.choice([0, 1, 1, 2]), rng.randint(0, 1)), "Last", rng.choice([None, "Last"]), None)
        stages["Last"] = (steps("Last", rng.choice([0, 0, 1]), 0), None, None, None)
    return {"name": "Model_%d" % number, "start": names[0], "recall": "Back" if back else None, "stages": stages}


def document(definition):
    def to(key, target):
        return {key: {"targetReference": target}} if target else {}

    def condition(step):
        return {"leftValueReference": step + ".Status", "operator": "EqualTo", "rightValue": {"stringValue": "Completed"}}

    def step(name, assignee, before):
        result = {"name": name, "label": name, "entryConditionLogic": "and", "entryConditions": [condition(b) for b in before]}
        if assignee is None:
            result.update(actionName="Act", actionType="stepBackground", requiresAsyncProcessing=False, inputParameters=[
                {"name": "step", "value": {"stringValue": definition["name"] + "." + name}}])
        else:
            result.update(actionName="Screen", actionType="stepApproval", stepSubtype="ApprovalStep", assignees=[
                {"assigneeType": ASSIGNEES[assignee], "assignee": {"stringValue": named(assignee)}}])
        return result

    stages = []
    for name, (steps, following, fault, first) in definition["stages"].items():
        stages.append({"name": name, "label": name, "exitConditionLogic": "and", "stageSteps": [step(*s) for s in steps],
                       **to("connector", following), **to("faultConnector", fault)})
        if first:
            stages[-1]["exitConditions"] = [condition(first)]
    start = to("connector", definition["start"])
    if definition["recall"]:
        start["scheduledPaths"] = [{"pathType": "ApprovalRecall", **to("connector", definition["recall"])}]
    return json.dumps({
        "fullName": definition["name"], "label": definition["name"], "processType": "ApprovalWorkflow",
        "runInMode": "SystemModeWithoutSharing", "start": start, "orchestratedStages": stages,
        "variables": [{"name": n, "dataType": "String", "isInput": True, "isOutput": False, "isCollection": False}
                      for n in ("recordId", "submitter", "submissionComments", "firstApprover")]})


def named(who):
    return who if who in MEMBERS else who + "@approval-model.example"


# -------------------------------------------------------------- the model

class Step:
    def __init__(self, name, assignee, before):
        self.name, self.assignee, self.before = name, assignee, before
        self.status, self.pending, self.item = "NotStarted", False, None    # its latest item


class Item:
    """A work item and its approval work item."""

    def __init__(self, step, assignee):
        self.step, self.assignee, self.status = step, assignee, "Assigned"
        self.reviewer = self.comments = self.claimed_from = None


class Stage:
    def __init__(self, name, steps):
        self.name, self.status, self.steps = name, "InProgress", [Step(*s) for s in steps]


class Run:
    def __init__(self, definition, world, submitter, comments):
        self.definition, self.world = definition, world
        self.submitter, self.comments = submitter, comments
        self.status, self.submission = "InProgress", "InProgress"
        self.recoverable = None
        self.stages, self.items, self.details = [], [], []
        self.next = definition["start"]
        self.id = None

    # ---- the engine

    def open_stage(self):
        stage = self.stages[-1] if self.stages else None
        return stage if stage and stage.status in OPEN else None

    def set_status(self, status):
        """The submission follows, unless it was recalled."""
        self.status = status
        if self.submission != "Recalled":
            rejected = any(i.status == "Rejected" for i in self.items)
            self.submission = {"Completed": "Rejected" if rejected else "Approved", "Error": "Errored"}.get(status, status)

    def advance(self):
        while self.status == "InProgress":
            stage = self.open_stage()
            if stage is None:
                if self.next is None:
                    # the end of a recall path is that of a canceled run
                    self.set_status("Canceled" if self.submission == "Recalled" else "Completed")
                    return
                self.enter(self.next)
                continue
            first = self.definition["stages"][stage.name][3]
            if all(s.status == "Completed" for s in stage.steps if s.name == first or not first):
                self.complete_stage(stage)
                continue
            by_name = {s.name: s for s in stage.steps}
            ready = [s for s in stage.steps if s.status == "NotStarted" and all(by_name[b].status == "Completed" for b in s.before)]
            if not ready:
                return
            self.begin(stage, ready[0])

    def complete_stage(self, stage):
        stage.status = "Completed"
        self.next = self.definition["stages"][stage.name][1]
        self.discontinue(stage, "Withdrawn")

    def enter(self, name):
        stage = Stage(name, self.definition["stages"][name][0])
        self.stages.append(stage)
        first = [s for s in stage.steps if not s.before]
        for s in first:
            s.status = "InProgress"
        for s in first:
            if s.status == "InProgress":
                self.begin(stage, s)

    def begin(self, stage, step):
        step.status, step.pending = "InProgress", False
        if step.assignee is not None:
            step.item = Item(step, step.assignee)
            self.items.append(step.item)
        elif self.definition["name"] + "." + step.name in self.world["failing"]:
            step.status, stage.status = "Error", "Error"
            fault = self.definition["stages"][stage.name][2]
            if fault:
                self.next = fault
            else:
                self.recoverable = True
                self.set_status("Error")
            self.discontinue(stage, "Errored")
        else:
            step.status = "Completed"

    def discontinue(self, stage, item_status, keep=None):
        for s in stage.steps:
            if s.status == "InProgress" and s is not keep:
                s.status = "Discontinued"
                if s.item and s.item.status == "Assigned":
                    s.item.status = item_status

    def told(self, action, role, performer=None, item=None, comments=None, channel="InvocableAction"):
        self.details.append([action, role, channel, performer, None if item is None else self.items.index(item), comments])

    # ---- users

    def review(self, item, decision, comments, who, role, channel="InvocableAction"):
        need(item.status == "Assigned", "OR302")
        need((decision or "").lower() in ("approve", "reject"), "OR306")
        item.status = DECISIONS[decision.capitalize()]
        item.reviewer, item.comments = who, comments
        self.told("Override" if role == "Admin" else "Review", role, who, item, None, channel)
        if self.status == "InProgress":
            item.step.status = "Completed"
            self.advance()
        else:
            item.step.pending = True
        return self.submission

    def complete(self, item, decision, comments, who, role):
        self.review(item, decision, comments, who, role, "ScreenFlow")
        return True

    def fail_item(self, item):
        need(item.status == "Assigned", "OR302")
        if self.status == "Error":
            return False
        need(self.status == "InProgress", "OR001")
        self.recoverable = True
        self.set_status("Error")
        self.discontinue(self.stages[-1], "Errored", item.step)
        return True

    def reassign(self, item, to, who, role, comments):
        need(item.status == "Assigned", "OR302")
        if item.assignee == to:
            return False
        self.told("Reassign", role, who, item, comments)
        item.assignee, item.claimed_from = to, None
        return True

    def claim(self, item, who):
        was = item.assignee
        if self.reassign(item, who, who, "Assignee", None):
            item.claimed_from = was
            return True
        return False

    def release(self, item, who):
        need(item.status == "Assigned", "OR302")
        if item.claimed_from is None:
            return False
        return self.reassign(item, item.claimed_from, who, "Assignee", None)

    def recall(self, who, role, comments):
        if self.submission == "Recalled":
            return False
        need(self.status in OPEN, "OR001")
        self.submission = "Recalled"
        self.told("Recall", role, who, None, comments)
        for item in self.items:
            if item.status == "Assigned":
                item.status = "Recalled"
        stage = self.open_stage()
        if stage:
            stage.status = "Discontinued"
            self.discontinue(stage, None)
            if self.definition["recall"]:
                for s in stage.steps:
                    s.pending = False
        if not self.definition["recall"]:
            self.status = "Canceled"
        else:
            self.status = "InProgress"
            self.next = self.definition["recall"]
            self.advance()
        return True

    def cancel(self, who, comments):
        if self.status == "Canceled":
            return False
        need(self.status in OPEN, "OR001")
        stage = self.open_stage()
        self.set_status("Canceled")
        self.told("Cancel", "Admin", who, None, comments)
        if stage:
            stage.status = "Discontinued"
            self.discontinue(stage, "Canceled")
        return True

    def suspend(self):
        if self.status == "Suspended":
            return False
        need(self.status == "InProgress", "OR001")
        self.set_status("Suspended")
        if self.open_stage():
            self.open_stage().status = "Suspended"
        return True

    def resume(self):
        if self.status == "InProgress":
            return False
        need(self.status in ("Suspended", "Error"), "OR001")
        if self.status == "Error":
            need(self.world["resume"] and self.recoverable, "OR004")
        self.set_status("InProgress")
        stage = self.stages[-1] if self.stages else None
        if stage and stage.status in ("Suspended", "Error"):
            stage.status = "InProgress"
        for s in stage.steps if stage else []:
            if s.pending:
                s.pending, s.status = False, "Completed"
        for s in stage.steps if stage else []:
            if s.status in ("Error", "Discontinued") and stage.status == "InProgress" and self.status == "InProgress":
                self.begin(stage, s)
        self.advance()
        return True

    def write(self, to):
        """UPDATE of the status by the owner of the tables."""
        if self.status == to:
            return
        need((self.status, to) in TRANSITIONS, "OR001")
        if to == "Suspended":
            self.suspend()
        elif to == "InProgress":
            self.resume()
        elif to == "Canceled":
            self.cancel(None, None)
        elif to == "Completed":
            need(not self.open_stage(), "OR002")
        else:
            self.recoverable = False
            self.set_status("Error")
            stage = self.stages[-1] if self.stages else None
            if stage and stage.status in ("InProgress", "Completed"):
                stage.status = "Discontinued"
                self.discontinue(stage, "Errored")

    def state(self):
        return {"status": self.status, "submission": [self.submission, self.submitter, self.comments],
                "stages": [[g.name, g.status] for g in self.stages],
                "steps": [{s.name: [s.status, s.pending] for s in g.steps} for g in self.stages],
                "items": [[i.step.name, i.assignee, i.status, i.reviewer, i.comments,
                           "Assigned" if i.status == "Assigned" else "Completed"] for i in self.items],
                "details": self.details}


# ----------------------------------------------------------- the database

WHO = "CASE WHEN {0}.kind = 'User' THEN split_part({0}.username, '@', 1) ELSE {0}.developer_name END"
STATE = """
SELECT jsonb_build_object('id', r.id, 'status', r.status,
  'submission', (SELECT jsonb_build_array(b.status, %s, b.comments)
                   FROM orchestration.submission b JOIN orchestration.principal p ON p.id = b.submitted_by WHERE b.run_id = r.id),
  'stages', COALESCE((SELECT jsonb_agg(jsonb_build_array(s.name, s.status) ORDER BY s.position) FROM orchestration.stage_run s WHERE s.run_id = r.id), '[]'),
  'steps', COALESCE((SELECT jsonb_agg(COALESCE((SELECT jsonb_object_agg(t.name, jsonb_build_array(t.status, t.pending IS NOT NULL))
                                         FROM orchestration.step_run t WHERE t.run_id = s.run_id AND t.stage_run_id = s.id), '{}') ORDER BY s.position)
              FROM orchestration.stage_run s WHERE s.run_id = r.id), '[]'),
  'items', COALESCE((SELECT jsonb_agg(jsonb_build_array(t.name, %s, a.status, %s, a.comments, w.status) ORDER BY a.id)
              FROM orchestration.submission_item a JOIN orchestration.principal p ON p.id = a.assigned_to LEFT JOIN orchestration.principal q ON q.id = a.reviewed_by
              JOIN orchestration.work_item w ON w.run_id = a.run_id AND w.id = a.work_item_id JOIN orchestration.step_run t ON t.run_id = w.run_id AND t.id = w.step_run_id
             WHERE a.run_id = r.id), '[]'),
  'item_ids', (SELECT jsonb_agg(jsonb_build_array(a.work_item_id, a.id) ORDER BY a.id) FROM orchestration.submission_item a WHERE a.run_id = r.id),
  'details', COALESCE((SELECT jsonb_agg(jsonb_build_array(d.action, d.performer_role, d.channel, %s,
                  (SELECT count(*) FROM orchestration.submission_item a WHERE a.run_id = d.run_id AND a.id < d.submission_item_id AND d.submission_item_id IS NOT NULL), d.comments,
                  d.submission_item_id IS NOT NULL) ORDER BY d.id)
              FROM orchestration.submission_detail d LEFT JOIN orchestration.principal p ON p.id = d.performed_by WHERE d.run_id = r.id), '[]'))
FROM orchestration.run r""" % (WHO.format("p"), WHO.format("p"), WHO.format("q"), WHO.format("p"))


def quoted(text):
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


class Test:
    def __init__(self):
        self.rng = random.Random(SEED)
        self.db = Psql()
        self.world = {"failing": set(), "resume": False}
        self.definitions = [make_definition(self.rng, n) for n in range(DEFINITIONS)]
        self.runs, self.ids = {}, {}        # ids: of work item and approval work item, by run
        self.people = {}
        self.counts, self.refusals, self.seen = {}, {}, set()
        self.history, self.number = [], 0
        self.in_transaction = False
        self.tests = self.failed = 0

    def ok(self, good, name):
        self.tests += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.tests, name), flush=True)

    def do(self, sql, model, run_id, who=None):
        """Both sides, as a user or as the owner (None); compare result, SQLSTATE, run."""
        self.history.append((self.number, "%s: %s" % (who, sql), run_id))
        if who:
            self.db.one("SET ROLE " + ROLE + who)
        if self.in_transaction:
            self.db.one("SAVEPOINT operation")
        rows, state = self.db.run(sql)
        if self.in_transaction:
            self.db.one("ROLLBACK TO operation" if state else "RELEASE operation")
        if who:
            self.db.one("RESET ROLE")
        try:
            value, refused = model(), None
        except Refused as e:
            value, refused = None, str(e)
            self.refusals[refused] = self.refusals.get(refused, 0) + 1
        got = rows[0][0] if rows and not state else None
        want = ("f", "t")[value] if isinstance(value, bool) else value
        if state != refused or (want is not None and got != want):
            self.differ("SQLSTATE %s, result %s" % (state, got), "SQLSTATE %s, result %s" % (refused, want), run_id)
        if run_id in self.runs:
            self.compare([run_id])

    def differ(self, got, want, run_id):
        past = "".join("\n#   %d %s" % (n, sql[:300]) for n, sql, r in [h for h in self.history if h[2] == run_id][-25:])
        definition = self.runs[run_id].definition if run_id in self.runs else None
        raise Difference("run %s\n#   got      %s\n#   expected %s\n#   of %s%s" % (run_id, got, want, json.dumps(definition), past))

    def compare(self, ids=None):
        where = "" if ids is None else " WHERE r.id IN (%s)" % ", ".join(quoted(i) for i in ids)
        found = {}
        for row in self.db.run(STATE + where)[0]:
            got = json.loads(row[0])
            found[got.pop("id")] = got
        want_ids = sorted(self.runs if ids is None else ids)
        if sorted(found) != want_ids:
            self.differ("runs %s" % sorted(found), want_ids, want_ids[0] if want_ids else None)
        for i, got in found.items():
            self.ids[i] = got.pop("item_ids") or []
            got["details"] = [[*d[:4], d[4] if d[6] else None, d[5]] for d in got["details"]]
            want = json.loads(json.dumps(self.runs[i].state()))
            if got != want:
                self.differ(json.dumps({k: got[k] for k in want if got[k] != want[k]}),
                            json.dumps({k: want[k] for k in want if got[k] != want[k]}), i)
            self.seen.add("submission " + want["submission"][0])
            self.seen.update("item " + x[2] for x in want["items"])

    # ---- choices

    def pick(self, *statuses):
        ids = [i for i, r in self.runs.items() if not statuses or r.status in statuses]
        return self.rng.choice(ids) if ids else None

    def item(self, assigned=0.9):
        found = [(i, n) for i, r in self.runs.items() for n, x in enumerate(r.items)
                 if (x.status == "Assigned") == (self.rng.random() < assigned)]
        if not found:
            return None
        run_id, n = self.rng.choice(found)
        return run_id, self.runs[run_id].items[n], self.ids[run_id][n]

    def comments(self):
        return self.rng.choice([None, "fine", "it's late", "ö" * 40])

    def reviewer(self, item):
        """One who may answer, and as what."""
        if self.rng.random() < 0.2:
            return None, "Admin"
        return self.rng.choice(MEMBERS.get(item.assignee, [item.assignee])), "Assignee"

    # ---- operations

    WEIGHTS = {"review": 30, "complete": 12, "override": 4, "wrong": 5, "outsider": 3, "reassign": 4, "update_assignee": 2,
               "claim": 6, "release": 5, "recall": 7, "cancel": 3, "suspend": 6, "resume": 9, "write": 5, "fail_item": 2,
               "control": 5, "setting": 2, "delete": 3, "purge": 1, "transaction": 3, "forbidden": 3}

    def operation(self):
        if len(self.runs) < RUNS and self.rng.random() < 0.4:
            name = "start"
        else:
            name = self.rng.choices(list(self.WEIGHTS), list(self.WEIGHTS.values()))[0]
        if self.in_transaction and name in ("transaction", "setting"):
            return False
        if getattr(self, "do_" + name)() is False:
            return False
        self.counts[name] = self.counts.get(name, 0) + 1
        return True

    def do_start(self):
        definition = self.rng.choice(self.definitions)
        comments = self.comments()
        run = Run(definition, self.world, "sue", comments)
        inputs = {"submitter": named("sue")}
        if comments is not None:
            inputs["submissionComments"] = comments
        sql = "SELECT orchestration.start_orchestration('%s', inputs => %s)" % (definition["name"], quoted(json.dumps(inputs)))
        run.id = self.db.one(sql)
        self.runs[run.id] = run
        self.history.append((self.number, sql, run.id))
        run.advance()
        self.compare([run.id])

    def decision(self):
        word = self.rng.choice(["Approve", "Approve", "Reject"])
        return self.rng.choice([word, word, word.upper(), word.lower(), word.swapcase()])

    def do_review(self):
        found = self.item()
        if not found:
            return False
        run_id, item, ids = found
        (who, role), decision, comments = self.reviewer(item), self.decision(), self.comments()
        self.do("SELECT orchestration.review_approval('%s', %s, %s)" % (self.rng.choice(ids), quoted(decision), quoted(comments)),
                lambda: self.runs[run_id].review(item, decision, comments, who, role), run_id, who)

    def do_complete(self):
        found = self.item()
        if not found:
            return False
        run_id, item, ids = found
        (who, role), decision, comments = self.reviewer(item), self.decision(), self.comments()
        outputs = {self.rng.choice(["approvalDecision", "selectedAction"]): decision, "n": 1}
        if comments is not None:
            outputs[self.rng.choice(["approvalComments", "specifiedComments"])] = comments
        self.do("SELECT orchestration.complete_work_item('%s', %s)" % (ids[0], quoted(json.dumps(outputs))),
                lambda: self.runs[run_id].complete(item, decision, comments, who, role), run_id, who)

    def do_override(self):
        found = self.item()
        if not found:
            return False
        run_id, item, ids = found
        decision, comments = self.decision(), self.comments()
        self.do("SELECT orchestration.override_approval('%s', %s, %s)" % (self.rng.choice(ids), quoted(decision), quoted(comments)),
                lambda: self.runs[run_id].review(item, decision, comments, "adm", "Admin"), run_id, "adm")

    def do_wrong(self):
        """No decision: it is refused, and nothing changes."""
        found = self.item(1)
        if not found:
            return False
        run_id, item, ids = found
        who, role = self.reviewer(item)
        decision = self.rng.choice([None, "", "Maybe", "approved", "Rejected", " Approve"])
        sql = self.rng.choice(["SELECT orchestration.review_approval('%s', %s, 'x')" % (ids[1], quoted(decision)),
                               "SELECT orchestration.complete_work_item('%s', %s)" % (ids[0], quoted(json.dumps({"approvalDecision": decision}))),
                               "SELECT orchestration.complete_work_item('%s')" % ids[0]])
        self.do(sql, lambda: self.runs[run_id].review(item, None, None, who, role), run_id, who)
        self.do(self.rng.choice(["UPDATE orchestration.work_item SET status = 'Completed' WHERE id = '%s'",
                                 "UPDATE orchestration.flow_orchestration_work_item SET status = 'Completed' WHERE id = '%s'"]) % ids[0],
                lambda: self.runs[run_id].review(item, None, None, None, None), run_id)

    def do_outsider(self):
        """Nobody sees what does not concern him."""
        found = self.item()
        if not found:
            return False
        run_id, _, ids = found
        sql = self.rng.choice(["review_approval('%s', 'Approve')" % ids[1], "complete_work_item('%s')" % ids[0], "override_approval('%s', 'Reject')" % ids[0],
                               "recall_run('%s')" % run_id, "cancel_run('%s')" % run_id, "claim_work_item('%s')" % ids[0]])
        self.do("SELECT orchestration." + sql, self.refuse("OR101"), run_id, "out")

    @staticmethod
    def refuse(state):
        def model():
            raise Refused(state)
        return model

    def do_reassign(self):
        found = self.item()
        if not found:
            return False
        run_id, item, ids = found
        to, comments = self.rng.choice(list(ASSIGNEES)), self.comments()
        self.do("SELECT orchestration.reassign_work_item('%s', '%s', %s)" % (ids[0], self.people[to], quoted(comments)),
                lambda: self.runs[run_id].reassign(item, to, None, "Admin", comments), run_id)

    def do_update_assignee(self):
        found = self.item(1)
        if not found:
            return False
        run_id, item, ids = found
        to = self.rng.choice(list(ASSIGNEES))

        def model():
            self.runs[run_id].reassign(item, to, None, "Admin", None)
        self.do("UPDATE orchestration.%s SET assignee_id = '%s' WHERE id = '%s'"
                % (self.rng.choice(["work_item", "flow_orchestration_work_item"]), self.people[to], ids[0]),
                model, run_id)

    def do_claim(self):
        found = self.item()
        if not found:
            return False
        run_id, item, ids = found
        who = self.rng.choice(MEMBERS.get(item.assignee, [item.assignee]))
        self.do("SELECT orchestration.claim_work_item('%s')" % ids[0], lambda: self.runs[run_id].claim(item, who) if item.status == "Assigned"
                else self.refuse("OR302")(), run_id, who)

    def do_release(self):
        found = [(i, n) for i, r in self.runs.items() for n, x in enumerate(r.items) if x.status == "Assigned" and x.assignee not in MEMBERS
                 and (x.claimed_from or self.rng.random() < 0.1)]
        if not found:
            return False
        run_id, n = self.rng.choice(found)
        item = self.runs[run_id].items[n]
        self.do("SELECT orchestration.release_work_item('%s')" % self.ids[run_id][n][0],
                lambda: self.runs[run_id].release(item, item.assignee), run_id, item.assignee)

    def do_recall(self):
        run_id = self.pick(*OPEN) if self.rng.random() < 0.85 else self.pick()
        if not run_id:
            return False
        who, comments = self.rng.choice(["sue", "sue", "adm", None]), self.comments()
        which = quoted(run_id) if who is None or self.rng.random() < 0.5 else None
        if which is None:
            which = quoted(self.db.one("SELECT id FROM orchestration.submission WHERE run_id = '%s'" % run_id))
        self.do("SELECT orchestration.recall_run(%s, %s)" % (which, quoted(comments)),
                lambda: self.runs[run_id].recall(who, "Submitter" if who == "sue" else "Admin", comments), run_id, who)

    def do_cancel(self):
        run_id, comments = self.pick(), self.comments()
        if not run_id:
            return False
        self.do("SELECT orchestration.cancel_run('%s', %s)" % (run_id, quoted(comments)), lambda: self.runs[run_id].cancel(None, comments), run_id)

    def do_suspend(self):
        run_id = self.pick("InProgress") if self.rng.random() < 0.8 else self.pick()
        if not run_id:
            return False
        self.do("SELECT orchestration.suspend_run('%s')" % run_id, lambda: self.runs[run_id].suspend(), run_id)

    def do_resume(self):
        run_id = self.pick("Suspended", "Error") if self.rng.random() < 0.9 else self.pick()
        if not run_id:
            return False
        self.do("SELECT orchestration.resume_run('%s')" % run_id, lambda: self.runs[run_id].resume(), run_id)

    def do_write(self):
        run_id = self.pick()
        to = self.rng.choice(["Suspended", "InProgress", "Canceled", "Completed", "Error"])
        if not run_id or (to == "Error" and self.rng.random() < 0.6):
            return False
        self.do("UPDATE orchestration.%s SET status = '%s' WHERE id = '%s'" % (self.rng.choice(["run", "flow_orchestration_instance"]), to, run_id),
                lambda: self.runs[run_id].write(to), run_id)

    def do_fail_item(self):
        found = self.item()
        if not found:
            return False
        run_id, item, ids = found
        run = self.runs[run_id]
        if run.stages and run.definition["stages"][run.stages[-1].name][2]:
            return False        # with a fault path the run goes on
        who, _ = self.reviewer(item)
        self.do("SELECT orchestration.fail_work_item('%s', 'the screen broke')" % ids[0], lambda: run.fail_item(item), run_id, who)

    def do_control(self):
        """Background steps fail, or fail no longer."""
        steps = [d["name"] + "." + s[0] for d in self.definitions for g in d["stages"].values() for s in g[0] if s[1] is None]
        step = self.rng.choice(steps)
        if step in self.world["failing"]:
            self.world["failing"].discard(step)
            self.db.one("DELETE FROM failing WHERE step = '%s'" % step)
        else:
            self.world["failing"].add(step)
            self.db.one("INSERT INTO failing VALUES ('%s')" % step)

    def do_setting(self):
        self.world["resume"] = not self.world["resume"]
        self.db.one("SET orchestration.resume_approvals = %s" % ("on" if self.world["resume"] else "off"))

    def do_delete(self):
        run_id = self.pick()
        if not run_id:
            return False

        def model():
            need(self.runs[run_id].status in ENDED, "OR005")
            del self.runs[run_id]
        self.do("DELETE FROM orchestration.run WHERE id = '%s'" % run_id, model, run_id)

    def do_purge(self):
        ended = [i for i, r in self.runs.items() if r.status in ("Completed", "Canceled", "Error")]
        if len(self.runs) < RUNS // 2:
            return False

        def model():
            for i in ended:
                del self.runs[i]
            return str(len(ended))
        self.do("SELECT orchestration.purge_runs('0', 1000)", model, None)
        self.compare()

    def do_forbidden(self):
        """Nobody writes the tables of approvals, not even their owner."""
        found = self.item(0.5)
        if not found:
            return False
        run_id, _, ids = found
        sql, state = self.rng.choice([
            ("UPDATE orchestration.submission SET status = 'Approved' WHERE run_id = '%s'" % run_id, "OR005"),
            ("UPDATE orchestration.submission_item SET assigned_to = owner_id WHERE id = '%s'" % ids[1], "OR005"),
            ("DELETE FROM orchestration.submission_item WHERE id = '%s'" % ids[1], "OR005"),
            ("DELETE FROM orchestration.submission WHERE run_id = '%s'" % run_id, "OR005")])
        who = self.rng.choice([None, "adm"])
        self.do(sql, self.refuse("42501" if who else state), run_id, who)

    def do_transaction(self):
        saved = copy.deepcopy((self.world, self.runs))
        done, kind = len(self.history), self.rng.choice(["COMMIT", "ROLLBACK"])
        self.db.one("BEGIN")
        self.in_transaction = True
        for _ in range(self.rng.randint(1, 5)):
            self.operation()
        self.in_transaction = False
        self.db.one(kind)
        if kind == "ROLLBACK":
            del self.history[done:]
            self.world, self.runs = saved
        self.compare()

    # ---- the whole test

    def setup(self):
        self.db.one("SET client_min_messages = error")
        for who in PEOPLE:
            self.db.run("DROP ROLE IF EXISTS %s%s" % (ROLE, who))
            self.db.one("CREATE ROLE %s%s" % (ROLE, who))
            self.db.one("GRANT USAGE ON SCHEMA orchestration TO %s%s" % (ROLE, who))
            self.people[who] = self.db.one("SELECT orchestration.create_user('%s', '%s', '%s%s')" % (named(who), who, ROLE, who))
        self.db.one("SELECT orchestration.update_user('%s', approval_admin => true, view_all_data => true)" % self.people["adm"])
        self.people["Team"] = self.db.one("SELECT orchestration.create_group('Team')")
        self.people["Desk"] = self.db.one("SELECT orchestration.create_queue('Desk')")
        for group, members in MEMBERS.items():
            for who in members:
                self.db.one("SELECT orchestration.add_group_member('%s', '%s')" % (self.people[group], self.people[who]))
        self.db.one("CREATE TABLE public.failing (step text PRIMARY KEY)")
        self.db.one("CREATE FUNCTION public.act(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN "
                    "IF EXISTS (SELECT FROM public.failing f WHERE f.step = input->>'step') THEN RAISE EXCEPTION 'told to fail'; END IF; RETURN '{}'; END $$")
        self.db.one("SELECT orchestration.register_action('Act', 'function', 'public.act(jsonb)'), orchestration.register_action('Screen', 'screen')")
        for definition in self.definitions:
            self.db.one("SELECT orchestration.deploy_orchestration($d$%s$d$::jsonb)" % document(definition))
            self.db.one("SELECT orchestration.activate_orchestration('%s')" % definition["name"])

    def main(self):
        print("# MODEL_SEED=%d MODEL_OPS=%d" % (SEED, OPS))
        self.setup()
        for n in range(1, OPS + 1):
            self.number = n
            try:
                while not self.operation():
                    pass
                if n % 100 == 0:
                    self.compare()
            except Difference as e:
                self.ok(False, "database and model agree after operation %d" % n)
                print("# operation %d, MODEL_SEED=%d: %s" % (n, SEED, e))
                break
            if n % 500 == 0:
                self.ok(True, "database and model agree after each of %d operations" % n)
        if self.in_transaction:
            self.db.run("ROLLBACK")
        self.db.run("RESET ROLE")
        rows, state = self.db.run("SELECT * FROM orchestration.verify()")
        self.ok(not rows and state is None, "verify() finds nothing")
        for row in rows[:10]:
            print("# " + " | ".join(row))
        wanted = ["submission " + s for s in ("InProgress", "Approved", "Rejected", "Canceled", "Recalled", "Errored", "Suspended")]
        wanted += ["item " + s for s in ("Assigned", "Approved", "Rejected", "Canceled", "Recalled", "Withdrawn", "Errored")]
        missing = [s for s in wanted if s not in self.seen] + [k for k in [*self.WEIGHTS, "start"] if k not in self.counts]
        missing += [s for s in ("OR001", "OR002", "OR004", "OR005", "OR101", "OR302", "OR306", "42501") if s not in self.refusals]
        if not self.failed and OPS >= 4000:
            self.ok(not missing, "every status, operation and refusal occurred%s" % (": not " + ", ".join(missing) if missing else ""))
        print("# %s" % ", ".join("%s %d" % x for x in sorted(self.counts.items())))
        print("# refused: %s" % ", ".join("%s %d" % x for x in sorted(self.refusals.items())))
        self.db.run("UPDATE orchestration.principal SET role_name = NULL WHERE role_name::text LIKE '%s%%'" % ROLE.replace("_", "\\_"))
        for who in PEOPLE:
            self.db.run("DROP OWNED BY %s%s" % (ROLE, who))
            self.db.run("DROP ROLE %s%s" % (ROLE, who))
        print("1..%d" % self.tests)
        return 1 if self.failed else 0


if __name__ == "__main__":
    sys.exit(Test().main())
