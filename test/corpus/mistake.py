#!/usr/bin/python3
"""mistake.py: documents with one mistake each, made from whole documents by rule.

Every element of three documents that together have every element that the compiler reads is
dropped, doubled, renamed, emptied, made too long, given a value of another type or enumeration,
led nowhere, or put where it does not belong.  Each mistake must be reported at its place and,
in XML, on its line; with an error, deploy_orchestration() must raise OR201.

Expects a fresh database with the extension in PGDATABASE; prints TAP; needs only psql.

SPDX-License-Identifier: PostgreSQL
"""
import json
import re

from document import FORMAT, Node, Tap, flow, quoted, run_sql

TEXT = {"stringValue": "x"}
YES = {"booleanValue": True}


def condition(left, operator="EqualTo", right=None):
    return {"leftValueReference": left, "operator": operator, "rightValue": right or {"stringValue": "Completed"}}


USER = {"assignee": {"stringValue": "ann@example.com"}, "assigneeType": "User"}
PARAMETER = {"name": "a", "value": {"elementReference": "Limit"}}

EVERYTHING = {
    "fullName": "Everything", "label": "Everything", "processType": "Orchestrator", "runInMode": "DefaultMode", "triggerOrder": 5,
    "start": {
        "object": "Case", "recordTriggerType": "Update", "triggerType": "RecordAfterSave", "filterLogic": "1 AND 2",
        "filters": [{"field": "status", "operator": "EqualTo", "value": {"stringValue": "Open"}},
                    {"field": "amount", "operator": "GreaterThan", "value": {"numberValue": 1}}],
        "doesRequireRecordChangedToMeetCriteria": True, "connector": {"targetReference": "Gate"},
        "scheduledPaths": [{"pathType": "ApprovalRecall", "connector": {"targetReference": "Recalled"}}]},
    "orchestratedStages": [
        {"name": "First", "label": "First", "connector": {"targetReference": "Count"}, "faultConnector": {"targetReference": "Failed"},
         "exitConditionLogic": "1 OR 2", "exitConditions": [condition("Decide.Status"), condition("Later.Outputs.sum", "GreaterThan", {"numberValue": 1})],
         "stageSteps": [
             {"name": "Prepare", "label": "Prepare", "actionType": "stepBackground", "actionName": "prepare", "stepSubtype": "BackgroundStep",
              "requiresAsyncProcessing": False, "entryConditionLogic": "and", "inputParameters": [PARAMETER, {"name": "b", "value": {"elementReference": "Greeting"}}]},
             {"name": "Decide", "label": "Decide", "description": "decides", "actionType": "stepInteractive", "actionName": "decide", "assignees": [USER],
              "entryConditionLogic": "and", "entryConditions": [condition("Prepare.Status")], "exitConditionLogic": "and",
              "exitConditions": [condition("Decide.Outputs.done", right={"stringValue": "yes"})], "canAssigneeEdit": True, "shouldLock": True},
             {"name": "Act", "label": "Act", "actionType": "stepBackground", "actionName": "act", "runAsUser": True, "assignees": [USER],
              "entryConditionLogic": "and", "entryActionName": "Ready", "entryActionType": "evaluationFlow", "entryActionInputParameters": [PARAMETER]},
             {"name": "Later", "label": "Later", "actionType": "stepMuleSoft", "actionName": "later", "entryConditionLogic": "and"},
             {"name": "Last", "label": "Last", "actionType": "stepInteractive", "actionName": "decide", "assignees": [USER], "entryConditionLogic": "and",
              "exitActionName": "Ready", "exitActionType": "evaluationFlow", "exitActionInputParameters": [PARAMETER]}]},
        {"name": "Second", "label": "Second", "exitActionName": "Ready", "exitActionType": "evaluationFlow", "exitActionInputParameters": [PARAMETER]},
        {"name": "Failed", "label": "Failed"}, {"name": "Recalled", "label": "Recalled"}],
    "decisions": [{"name": "Gate", "label": "Gate", "defaultConnector": {"targetReference": "Second"}, "rules": [
        {"name": "Large", "label": "Large", "conditionLogic": "1 AND 2", "doesRequireRecordChangedToMeetCriteria": True, "connector": {"targetReference": "First"},
         "conditions": [condition("tries", "LessThan", {"elementReference": "Limit"}),
                        {"conditionLogic": "or", "conditions": [condition("Sum", "GreaterThan", {"numberValue": 1}), condition("word", right=TEXT)]}]}]}],
    "assignments": [{"name": "Count", "label": "Count", "connector": {"targetReference": "Second"},
                     "assignmentItems": [{"assignToReference": "tries", "operator": "Add", "value": {"numberValue": 1}}]}],
    "variables": [{"name": "tries", "dataType": "Number", "isCollection": False, "isInput": True, "isOutput": False, "value": {"numberValue": 0}},
                  {"name": "word", "dataType": "String", "isCollection": False, "isInput": False, "isOutput": False},
                  {"name": "done", "dataType": "Boolean", "isCollection": False, "isInput": False, "isOutput": False, "value": YES}],
    "constants": [{"name": "Limit", "dataType": "Number", "value": {"numberValue": 3}},
                  {"name": "Day", "dataType": "Date", "value": {"dateValue": "2026-01-31"}},
                  {"name": "Noon", "dataType": "Time", "value": {"timeValue": "12:00:00.000Z"}},
                  {"name": "Moment", "dataType": "DateTime", "value": {"dateTimeValue": "2026-01-31T10:00:00.000Z"}}],
    "formulas": [{"name": "Sum", "dataType": "Number", "scale": 2, "expression": "{!tries} + 1"}],
    "textTemplates": [{"name": "Greeting", "text": "Hello {!word}"}],
}

BY_FORMULA = {
    "label": "By formula", "processType": "ApprovalWorkflow",
    "start": {"object": "Case", "recordTriggerType": "Create", "triggerType": "RecordAfterSave", "filterFormula": "{!$Record.amount} > 1",
              "connector": {"targetReference": "Only"}},
    "orchestratedStages": [{"name": "Only", "label": "Only", "stageSteps": [
        {"name": "Approve", "label": "Approve", "actionType": "stepApproval", "actionName": "approve", "assignees": [USER], "entryConditionLogic": "and",
         "requiresMultiMemberApproval": "true"}]}],
}

EVALUATION = {
    "label": "Evaluation", "processType": "EvaluationFlow", "startElementReference": "Find",
    "variables": [{"name": "isOrchestrationConditionMet", "dataType": "Boolean", "isOutput": True}, {"name": "found", "dataType": "SObject", "objectType": "Case"}],
    "recordLookups": [{"name": "Find", "label": "Find", "object": "Case", "filterLogic": "and", "filters": [
        {"field": "status", "operator": "EqualTo", "value": TEXT}], "getFirstRecordOnly": True, "sortField": "amount", "sortOrder": "Desc", "limit": 5,
                       "outputReference": "found", "assignNullValuesIfNoRecordsFound": True, "connector": {"targetReference": "Answer"}}],
    "assignments": [{"name": "Answer", "label": "Answer", "assignmentItems": [
        {"assignToReference": "isOrchestrationConditionMet", "operator": "Assign", "value": YES}]}],
}

DOCUMENTS = [flow(EVERYTHING), flow(BY_FORMULA), flow(EVALUATION)]

# types whose elements have names of their own
NAMED = {"SHAPE_STAGE", "SHAPE_STEP", "SHAPE_DECISION", "SHAPE_RULE", "SHAPE_ASSIGNMENT", "SHAPE_VARIABLE", "SHAPE_CONSTANT", "SHAPE_FORMULA",
         "SHAPE_TEMPLATE", "SHAPE_LOOKUP"}
ENUMERATIONS = {"processType", "runInMode", "recordTriggerType", "triggerType", "pathType", "actionType", "assigneeType", "operator", "dataType",
                "sortOrder", "exitActionType", "entryActionType"}
CONNECTORS = {"targetReference", "startElementReference"}
REFERENCES = {"elementReference", "leftValueReference", "assignToReference", "outputReference"}


class Mistake:
    """A document with a mistake, and what must be said: [(severity, node or place, message)]."""

    def __init__(self, what, root, wanted, notation="xml", edit=None):
        self.what = what
        self.wanted = wanted
        self.xml = root.xml()   # notes the lines
        self.expected = [(severity, node.place(), node.line if notation == "xml" else None, message)
                         for severity, node, message in wanted]
        if edit is not None:
            self.xml = edit(self.xml)
        self.json = json.dumps(root.json()) if notation == "json" else None


def twin(root, node):
    """The node of a copy of the document that stands where this one does."""
    other = root.copy()
    for mine, copied in zip(root.walk(), other.walk()):
        if mine is node:
            return other, copied
    raise AssertionError(node.name)


def title(node):
    return "%s.%s" % (FORMAT[node.parent.shape][0], node.name) if node.parent is not None else "Flow"


def refers(node, name):
    """Does a text refer to an element of that name?"""
    if node.name in CONNECTORS:
        return node.value == name
    if node.name in REFERENCES:
        return node.value.split(".")[0] == name
    return node.name in ("expression", "text") and re.search(r"\{!%s\b" % name, node.value) is not None


def after(node, copied):
    """Puts a node after another."""
    copied.parent = node.parent
    node.parent.value.insert([c is node for c in node.parent.value].index(True) + 1, copied)


def mistakes_of(root, node):
    """The mistakes that can be made with one element."""
    row = node.element
    what = title(node)
    if row.required:
        other, copied = twin(root, node)
        parent = copied.parent
        parent.value = [c for c in parent.value if c.name != node.name]
        yield Mistake("%s is dropped" % what, other, [("ERROR", parent, 'element "%s" is missing' % node.name)])
    if not row.repeated:
        other, copied = twin(root, node)
        second = copied.copy()
        after(copied, second)
        yield Mistake("%s is there twice" % what, other, [("ERROR", second, 'element "%s" occurs more than once' % node.name)])
    if node.shape in NAMED:
        other, copied = twin(root, node)
        second = copied.copy()
        after(copied, second)
        yield Mistake("%s: two of a name" % what, other, [("ERROR", second.child("name"), 'the name "%s" is already that of ' % node.child("name").value)])
    if node.shape == "SHAPE_PARAMETER":
        other, copied = twin(root, node)
        second = copied.copy()
        after(copied, second)
        yield Mistake("%s: two of a name" % what, other, [("ERROR", second, 'input parameter "%s" occurs more than once' % node.child("name").value)])
    yield from wrong_types(root, node, row, what)
    if isinstance(node.value, list):
        other, copied = twin(root, node)
        yield Mistake("%s has an unknown element" % what, other, [("WARNING", extra(copied, "newElement", "1"), 'unknown element "newElement" is kept and has no effect')])
        other, copied = twin(root, node)
        yield Mistake("%s has text between elements" % what, other, [("ERROR", copied, 'text "stray')],
                      edit=lambda xml, n=copied: "\n".join(line + "stray" if i + 1 == n.line else line for i, line in enumerate(xml.split("\n"))))
        if node.name not in FORMAT["SHAPE_FLOW"][1]:
            other, copied = twin(root, node)
            moved = copied.copy()
            moved.parent = other
            moved.element = None
            other.value.append(moved)
            owners = [(name, rows[node.name]) for name, rows in FORMAT.values() if node.name in rows]
            lost = len(owners) == 1 and owners[0][1].repeated and owners[0][1].treatment == "read"
            yield Mistake("%s at the root" % what, other, [(
                ("ERROR", moved, 'element "%s" does not belong here, but in a %s' % (node.name, owners[0][0])) if lost else
                ("WARNING", moved, 'unknown element "%s" is kept and has no effect' % node.name))])
    elif isinstance(node.value, str):
        yield from wrong_texts(root, node, row, what)


def extra(parent, name, value):
    node = Node(name, value, parent=parent)
    parent.value.append(node)
    return node


def changed(root, node, value):
    other, copied = twin(root, node)
    copied.value = value
    return other, copied


def wrong_types(root, node, row, what):
    """Values of other types, in XML and in JSON."""
    if row.type == "object":
        other, copied = changed(root, node, "stray")
        yield Mistake("%s is a text" % what, other, [("ERROR", copied, 'expected elements in "%s", found text' % node.name)])
    elif row.type == "string":
        other, copied = twin(root, node)
        copied.value = [Node("stray", "x", parent=copied)]
        yield Mistake("%s has elements" % what, other, [("ERROR", copied, 'expected text in "%s", found elements' % node.name)])
    elif row.type in ("boolean", "text or boolean"):
        other, copied = changed(root, node, "maybe")
        yield Mistake("%s is no boolean" % what, other, [("ERROR", copied, '"%s" must be true or false' % node.name)])
    else:
        other, copied = changed(root, node, "many")
        yield Mistake("%s is no number" % what, other, [("ERROR", copied, '"%s" must be a number' % node.name)])
    wrong = {"object": 5, "string": 5, "boolean": "true", "number": "5", "text or boolean": 5}[row.type]
    other, copied = changed(root, node, wrong)
    kind = {"object": "an object", "string": "text", "boolean": "a boolean", "number": "a number", "text or boolean": "true or false"}[row.type]
    yield Mistake("%s in JSON is %s" % (what, json.dumps(wrong)), other, [(
        "ERROR", copied, '"%s" must be %s, not %s' % (node.name, kind, "a number" if wrong == 5 else "text"))], "json")


def wrong_texts(root, node, row, what):
    other, copied = changed(root, node, " ")
    if row.filled:
        yield Mistake("%s is empty" % what, other, [("ERROR", copied, '"%s" is empty' % node.name)])
    elif node.name in REFERENCES - {"outputReference"} or node.name in ("operator", "conditionLogic", "expression", "dateValue", "dateTimeValue"):
        yield Mistake("%s is empty" % what, other, [("ERROR", copied.parent if node.name == "leftValueReference" else copied, "")])
    if 0 < row.length < 100000:
        other, copied = changed(root, node, "x" * (row.length + 1))
        yield Mistake("%s is too long" % what, other, [("ERROR", copied, '"%s" is longer than %d characters' % (node.name, row.length))])
    if node.name in ENUMERATIONS:
        other, copied = changed(root, node, "Wrong")
        # of a path without a type the path is named
        yield Mistake("%s is none of its values" % what, other, [("ERROR", copied.parent if node.name == "pathType" else copied, "")])
    if node.name in CONNECTORS:
        other, copied = changed(root, node, "Nowhere")
        yield Mistake("%s leads nowhere" % what, other, [("ERROR", copied, 'the connector leads to "Nowhere", which does not exist')])
    elif node.name in ("elementReference", "leftValueReference"):
        other, copied = changed(root, node, "Nowhere")
        yield Mistake("%s names nothing" % what, other, [("ACTIVATION ERROR", copied, 'reference "Nowhere" names nothing')])
    elif node.name in REFERENCES:
        other, copied = changed(root, node, "Nowhere")
        yield Mistake("%s names nothing" % what, other, [("ERROR", copied, "")])
    if node.name == "name" and node.parent.shape in NAMED and node.value != "isOrchestrationConditionMet":
        other, copied = changed(root, node, "Renamed")
        wanted = [("", n, "") for n in other.walk() if isinstance(n.value, str) and n is not copied and refers(n, node.value)]
        if wanted:
            yield Mistake('%s "%s" is renamed' % (what, node.value), other, wanted)
        other, copied = changed(root, node, "not a name")
        yield Mistake("%s is no API name" % what, other, [("ERROR", copied, '"not a name" is not an API name')])


TRY = r"""
SET client_min_messages = warning;
CREATE SCHEMA mistake;
-- what the documents need to be activated
CREATE TABLE mistake.record (id integer PRIMARY KEY, status text, amount numeric);
SELECT orchestration.register_record_type('Case', 'mistake.record');
CREATE FUNCTION mistake.act(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT orchestration.register_action('prepare', 'function', 'mistake.act(jsonb)'), orchestration.register_action('act', 'function', 'mistake.act(jsonb)'),
       orchestration.register_action('Ready', 'function', 'mistake.act(jsonb)'), orchestration.register_action('decide', 'screen'),
       orchestration.register_action('approve', 'screen'), orchestration.register_action('later', 'worker'), orchestration.allow_run_as_user('act'),
       orchestration.create_user('ann@example.com', 'Ann', current_user) \g /dev/null
-- the problems of a document, and the SQLSTATE of its deployment
CREATE FUNCTION mistake.try(source xml, document jsonb) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    found json;
BEGIN
    IF document IS NULL THEN
        SELECT json_agg(json_build_array(severity, place, line, message)) INTO found FROM orchestration.validate_orchestration(source);
        PERFORM orchestration.deploy_orchestration(source, 'Mistake');
    ELSE
        SELECT json_agg(json_build_array(severity, place, line, message)) INTO found FROM orchestration.validate_orchestration(document);
        PERFORM orchestration.deploy_orchestration(document, 'Mistake');
    END IF;
    RAISE EXCEPTION 'undone' USING ERRCODE = '00001';
EXCEPTION WHEN OTHERS THEN
    RETURN json_build_array(SQLSTATE, COALESCE(found, '[]'::json));
END
$$;
"""


def main():
    tap = Tap()
    made = [Mistake("document %d as it is" % i, root, []) for i, root in enumerate(DOCUMENTS)]
    seen = set()
    for root in DOCUMENTS:
        for node in list(root.walk())[1:]:
            seen.add((node.parent.shape, node.name))
            if node.element.treatment == "read":
                made += mistakes_of(root, node)
    for shape, (name, rows) in FORMAT.items():
        if shape not in ("SHAPE_OTHER", "SHAPE_CONDITIONS"):
            missing = [row.name for row in rows.values() if row.treatment == "read" and (shape, row.name) not in seen]
            tap.ok(not missing, "every element of a %s is mistaken" % name, missing)
    answers = run_sql(TRY + "\n".join("SELECT mistake.try(%s, %s);" % (
        "NULL" if m.json else quoted(m.xml) + "::xml", quoted(m.json) + "::jsonb" if m.json else "NULL") for m in made))
    for mistake, (state, found) in zip(made, answers):
        has_error = any(severity == "ERROR" for severity, _, _, _ in found)
        good = state == ("OR201" if has_error else "00001")
        if not mistake.expected:
            good = good and not found
        for severity, place, line, message in mistake.expected:
            good = good and any(s in (severity, severity or s) and p == place and (n == line or line is None) and m.startswith(message)
                                for s, p, n, m in found)
        tap.ok(good, mistake.what, "expected: %s" % mistake.expected, "found: %s %s" % (state, found), mistake.json or mistake.xml if not good else "")
    tap.finish()


main()
