#!/usr/bin/python3
"""corpus.py: the smallest document with each element, enumeration value, operator and reference
of the format, in both notations.

    corpus.py           deploys and plays each and compares with expected.txt; prints TAP
    corpus.py --write   writes expected.txt and doc/elements.md instead

A document is played to the end of its run, or refused, or stored though it cannot be activated.
The elements come from document_format.c: one without a document here is a failure.  The two
notations must have the same problems and give the same stored document.

Expects a fresh database with the extension in PGDATABASE; needs only psql.

SPDX-License-Identifier: PostgreSQL
"""
import json
import os
import re
import sys

from document import FORMAT, HERE, LENGTHS, NAMESPACE, NIL, TOP, XSI, Tap, flow, quoted, run_sql

EXPECTED = os.path.join(HERE, "expected.txt")
PAGE = os.path.join(TOP, "doc", "elements.md")

# ------------------------------------------------------------ small documents

TEXT = {"stringValue": "x"}
YES = {"booleanValue": True}


def to(name):
    return {"targetReference": name}


def condition(left="P.Status", operator="EqualTo", right={"stringValue": "Completed"}):
    result = {"leftValueReference": left, "operator": operator}
    if right is not None:
        result["rightValue"] = right
    return result


def step(name="P", **more):
    return {"name": name, "label": name, "actionType": "stepBackground", "actionName": "Work",
            "entryConditionLogic": "and", **more}


def ask(name="P", **more):
    return step(name, actionType="stepInteractive", actionName="Ask",
                assignees=[{"assignee": {"stringValue": "ann@example.com"}, "assigneeType": "User"}], **more)


def stage(name="S", *steps, **more):
    return {"name": name, "label": name, "stageSteps": list(steps), **more}


def base(**more):
    return {"label": "Corpus", "processType": "Orchestrator", "start": {"connector": to("S")},
            "orchestratedStages": [stage("S", step())], **more}


def approval(doc):
    """The document as an approval process, with the inputs that belong to one."""
    doc.update(processType="ApprovalWorkflow", runInMode="SystemModeWithoutSharing",
               variables=[variable(n, "String", isInput=True) for n in ("recordId", "submitter", "submissionComments", "firstApprover")])
    return doc


def triggered(**more):
    """Its step updates no record: the start of a run by its own steps would be warned of."""
    doc = base(**{"orchestratedStages": [stage("S", ask())], **more})
    doc["start"].update({"object": "Corpus_Record", "recordTriggerType": "CreateAndUpdate",
                         "triggerType": "RecordAfterSave"})
    return doc


def variable(name, kind, **more):
    return {"name": name, "dataType": kind, "isCollection": False, "isInput": False, "isOutput": False, **more}


VARIABLES = [variable("v", "String", value={"stringValue": "abc"}), variable("n", "Number", value={"numberValue": 1}),
             variable("l", "String", isCollection=True), variable("m", "String", isCollection=True),
             variable("d", "Date", value={"dateValue": "2026-01-31"}),
             variable("p", "Multipicklist"), variable("r", "SObject", objectType="Corpus_Record")]


def decided(*conditions, doc=None, **more):
    """A decision before the stage; both ways lead to it."""
    doc = doc if doc is not None else base(variables=[dict(v) for v in VARIABLES])
    doc["start"]["connector"] = to("D")
    doc["decisions"] = [{"name": "D", "label": "D", "defaultConnector": to("S"), "rules": [
        {"name": "R", "label": "R", "conditionLogic": "and", "conditions": list(conditions) or [condition("v", right=TEXT)],
         "connector": to("S"), **more}]}]
    return doc


def assigned(target="n", operator="Add", value={"numberValue": 1}):
    doc = base(variables=[dict(v) for v in VARIABLES])
    doc["start"]["connector"] = to("A")
    doc["assignments"] = [{"name": "A", "label": "A", "connector": to("S"), "assignmentItems": [
        {"assignToReference": target, "operator": operator, "value": value}]}]
    return doc


def evaluation(**more):
    """An evaluation flow; a host asks it."""
    return {"label": "Corpus", "processType": "EvaluationFlow", "start": {"connector": to("Answer")},
            "variables": [variable("isOrchestrationConditionMet", "Boolean", isOutput=True)],
            "assignments": [{"name": "Answer", "label": "Answer", "assignmentItems": [
                {"assignToReference": "isOrchestrationConditionMet", "operator": "Assign", "value": YES}]}], **more}


def looked_up():
    doc = evaluation(recordLookups=[{"name": "L", "label": "L", "object": "Corpus_Record", "getFirstRecordOnly": True,
                                     "connector": to("Answer")}])
    doc["start"]["connector"] = to("L")
    doc["variables"] += [variable("r", "SObject", objectType="Corpus_Record"), variable("l", "String", isCollection=True)]
    return doc


def given(value):
    return base(variables=[dict(v) for v in VARIABLES],
                orchestratedStages=[stage("S", step(inputParameters=[{"name": "a", "value": value}]))])


# ------------------------------------------------- a document for each element
#
# BASES: where an element of a type stands: the document, and the object that gets it.

def first(doc, *path):
    for key in path:
        doc = doc[key]
    return doc


BASES = {
    "SHAPE_FLOW": (base, ()),
    "SHAPE_START": (triggered, ("start",)),
    "SHAPE_FILTER": (lambda: with_start(filters=[{"field": "status", "operator": "EqualTo", "value": {"stringValue": "Open"}}]),
                     ("start", "filters", 0)),
    "SHAPE_SCHEDULED_PATH": (lambda: two_stages(start={"connector": to("S"), "scheduledPaths": [
        {"pathType": "ApprovalRecall", "connector": to("T")}]}), ("start", "scheduledPaths", 0)),
    "SHAPE_STAGE": (base, ("orchestratedStages", 0)),
    "SHAPE_STEP": (base, ("orchestratedStages", 0, "stageSteps", 0)),
    "SHAPE_ASSIGNEE": (lambda: base(orchestratedStages=[stage("S", ask())]),
                       ("orchestratedStages", 0, "stageSteps", 0, "assignees", 0)),
    "SHAPE_PARAMETER": (lambda: given(dict(TEXT)), ("orchestratedStages", 0, "stageSteps", 0, "inputParameters", 0)),
    "SHAPE_CONDITION": (decided, ("decisions", 0, "rules", 0, "conditions", 0)),
    "SHAPE_CONNECTOR": (lambda: two_stages(), ("orchestratedStages", 0, "connector")),
    "SHAPE_DECISION": (decided, ("decisions", 0)),
    "SHAPE_RULE": (decided, ("decisions", 0, "rules", 0)),
    "SHAPE_ASSIGNMENT": (assigned, ("assignments", 0)),
    "SHAPE_ASSIGNMENT_ITEM": (assigned, ("assignments", 0, "assignmentItems", 0)),
    "SHAPE_VARIABLE": (lambda: base(variables=[{"name": "v", "dataType": "String"}]), ("variables", 0)),
    "SHAPE_CONSTANT": (lambda: base(constants=[{"name": "c", "dataType": "String", "value": dict(TEXT)}]), ("constants", 0)),
    "SHAPE_VALUE": (lambda: given({}), ("orchestratedStages", 0, "stageSteps", 0, "inputParameters", 0, "value")),
    "SHAPE_FORMULA": (lambda: base(formulas=[{"name": "F", "expression": "1 + 1"}]), ("formulas", 0)),
    "SHAPE_TEMPLATE": (lambda: base(textTemplates=[{"name": "H", "text": "Hello {!$User.Username}"}]), ("textTemplates", 0)),
    "SHAPE_LOOKUP": (looked_up, ("recordLookups", 0)),
    "SHAPE_OTHER": (lambda: base(actionCalls=[{}]), ("actionCalls", 0)),
}


def with_start(**more):
    doc = triggered()
    doc["start"].update(more)
    return doc


def two_stages(**more):
    return base(**{"orchestratedStages": [stage("S", step(), connector=to("T")), stage("T", step("Q"))], **more})


def record_start(value, element):
    return with_start(**{element: value})


# ELEMENTS: values of elements, or functions of (document, object) that put them where the
# document alone does not do
def put(**more):
    return lambda doc, node: node.update(more)


def second_stage(**more):
    def change(doc, node):
        node.update(more)
        doc["orchestratedStages"].append(stage("T", step("Q")))
    return change


def interactive(**more):
    return lambda doc, node: node.update(ask(**more))


def after_another(**more):
    def change(doc, node):
        doc["orchestratedStages"][0]["stageSteps"].insert(0, step("O"))
        node.update(more)
    return change


def nested(doc, node):
    node.clear()
    node.update({"conditionLogic": "or", "conditions": [condition("v", right=TEXT), condition("n", "GreaterThan", {"numberValue": 0})]})


FILTER = {"field": "status", "operator": "EqualTo", "value": {"stringValue": "Open"}}
DECIDE = {"exitActionName": "Decide", "exitActionType": "evaluationFlow"}
ENTER = {"entryActionName": "Decide", "entryActionType": "evaluationFlow"}
PARAMETER = [{"name": "a", "value": dict(TEXT)}]
NAMED = [{"name": "X"}]

ELEMENTS = {
    "Flow": {
        "decisions": lambda doc, node: node.update(decided()), "assignments": lambda doc, node: node.update(assigned()),
        "variables": VARIABLES, "constants": [{"name": "c", "dataType": "String", "value": TEXT}],
        "formulas": [{"name": "F", "expression": "1 + 1"}], "textTemplates": [{"name": "H", "text": "Hello"}],
        "recordLookups": lambda doc, node: (node.clear(), node.update(looked_up())), "fullName": "Corpus",
        "runInMode": "DefaultMode", "triggerOrder": 1, "apiVersion": 67,
        "startElementReference": lambda doc, node: (node.update(startElementReference="S"), node["start"].clear()),
    },
    "start": {
        "filterLogic": put(filterLogic="1", filters=[FILTER]), "filters": [FILTER],
        "filterFormula": '{!$Record.status} = "Open"', "doesRequireRecordChangedToMeetCriteria":
            put(doesRequireRecordChangedToMeetCriteria=True, filters=[FILTER]),
        "scheduledPaths": lambda doc, node: (node.update(scheduledPaths=[{"pathType": "ApprovalRecall", "connector": to("T")}]),
                                             doc["orchestratedStages"].append(stage("T", ask("Q")))),
    },
    "stage": {
        "connector": second_stage(connector=to("T")), "exitConditionLogic": "and", "exitConditions": [condition()],
        "exitActionName": "Decide", "exitActionType": put(**DECIDE), "exitActionInputParameters": put(exitActionInputParameters=PARAMETER, **DECIDE),
        "faultConnector": second_stage(faultConnector=to("T")),
    },
    "step": {
        "description": "x", "stepSubtype": "BackgroundStep", "requiresAsyncProcessing": put(requiresAsyncProcessing=True, actionName="Later"),
        "assignees": interactive(), "entryConditionLogic": after_another(entryConditionLogic="and", entryConditions=[condition("O.Status")]),
        "entryConditions": after_another(entryConditions=[condition("O.Status")]), "inputParameters": PARAMETER,
        "entryActionName": "Decide", "entryActionType": put(**ENTER), "entryActionInputParameters": put(entryActionInputParameters=PARAMETER, **ENTER),
        "exitConditionLogic": interactive(exitConditionLogic="and", exitConditions=[condition("P.Outputs.answer", right={"stringValue": "yes"})]),
        "exitConditions": interactive(exitConditions=[condition("P.Outputs.answer", right={"stringValue": "yes"})]),
        "exitActionName": interactive(exitActionName="Decide"), "exitActionType": interactive(**DECIDE),
        "exitActionInputParameters": interactive(exitActionInputParameters=PARAMETER, **DECIDE),
        "requiresMultiMemberApproval": lambda doc, node: (approval(doc), node.update(ask(), actionType="stepApproval", requiresMultiMemberApproval="true")),
        "canAssigneeEdit": interactive(canAssigneeEdit=True), "shouldLock": interactive(shouldLock=True),
        "runAsUser": lambda doc, node: node.update(ask(), **step(runAsUser=True)),
    },
    "condition": {"conditionLogic": nested, "conditions": nested},
    "rule": {"doesRequireRecordChangedToMeetCriteria": True},
    "variable": {"objectType": put(dataType="SObject", objectType="Corpus_Record"), "isCollection": True, "isInput": True, "isOutput": True, "value": TEXT},
    "value": {"stringValue": "x", "elementReference": "v", "booleanValue": True, "numberValue": 1.5,
              "dateTimeValue": "2026-01-31T10:00:00.000Z", "dateValue": "2026-01-31", "timeValue": "10:00:00.000Z"},
    "formula": {"dataType": "Number", "scale": 2},
    "record lookup": {
        "filterLogic": put(filterLogic="and", filters=[FILTER]), "filters": [FILTER], "sortField": "status",
        "sortOrder": put(sortField="status", sortOrder="Asc"), "limit": put(limit=5, getFirstRecordOnly=False), "outputReference": "r",
        "assignNullValuesIfNoRecordsFound": put(assignNullValuesIfNoRecordsFound=True, outputReference="r"),
    },
    "element": {"name": "X"},
}


def sample(row):
    """A value of an element that has no behaviour."""
    if row.repeated:
        return ["x"] if row.type == "string" else [{"name": "x"}]
    return {"string": "x", "boolean": True, "number": 1, "object": {}}[row.type]


def element_cases():
    """(what, document) for each element of the format; None for one that has no document."""
    for shape, (title, rows) in FORMAT.items():
        if shape == "SHAPE_CONDITIONS":
            continue            # the argument of a function: CONDITIONS
        for name, row in rows.items():
            what = "%s.%s" % (title, name)
            if shape not in BASES:
                yield what, None
                continue
            make, path = BASES[shape]
            doc = make()
            node = first(doc, *path)
            given_value = ELEMENTS.get(title, {}).get(name)
            if callable(given_value):
                given_value(doc, node)
            elif given_value is not None:
                node[name] = given_value
            elif name not in node:
                if row.treatment == "read":
                    yield what, None
                    continue
                node[name] = sample(row)
            yield what, doc


# ------------------------------------------------------ values of enumerations

def changed(make, path, name):
    def one(value):
        doc = make()
        first(doc, *path)[name] = value
        return doc
    return one


def of_base(shape, name):
    return changed(BASES[shape][0], BASES[shape][1], name)


def of_step(name):
    """A step of a kind that fits the value."""
    def one(value):
        if value in ("stepInteractive", "stepApproval", "createWorkItem", "InteractiveStep", "ApprovalStep"):
            doc = base(orchestratedStages=[stage("S", ask())])
            if value in ("stepApproval", "ApprovalStep"):
                approval(doc)["orchestratedStages"][0]["stageSteps"][0]["actionType"] = "stepApproval"
        else:
            doc = base()
            if value in ("stepMuleSoft", "MuleSoftStep"):
                doc["orchestratedStages"][0]["stageSteps"][0].update(actionType="stepMuleSoft", actionName="Later")
        doc["orchestratedStages"][0]["stageSteps"][0][name] = value
        return doc
    return one


def of_assignee(value):
    doc = BASES["SHAPE_ASSIGNEE"][0]()
    names = {"User": "ann@example.com", "Group": "Team", "Queue": "Line", "Resource": "Team"}
    doc["orchestratedStages"][0]["stageSteps"][0]["assignees"] = [
        {"assignee": {"stringValue": names.get(value, "x")}, "assigneeType": value}]
    return doc


COMPARED = {"GreaterThan": ("n", {"numberValue": 0}), "LessThan": ("n", {"numberValue": 9}),
            "GreaterThanOrEqualTo": ("n", {"numberValue": 1}), "LessThanOrEqualTo": ("n", {"numberValue": 1}),
            "StartsWith": ("v", {"stringValue": "a"}), "EndsWith": ("v", {"stringValue": "c"}), "Contains": ("v", {"stringValue": "b"}),
            "In": ("v", {"elementReference": "l"}), "NotIn": ("v", {"elementReference": "l"}), "IsEmpty": ("l", YES),
            "WasVisited": ("S", YES), "HasError": ("P", YES), "IsNull": ("v", YES), "IsBlank": ("v", YES), "WasSet": ("v", YES),
            "WasSelected": ("v", YES), "IsChanged": ("$Record.status", YES), "None": ("v", TEXT)}


def of_condition(operator):
    left, right = COMPARED.get(operator, ("v", TEXT))
    return decided(condition(left, operator, right), doc=triggered(variables=VARIABLES))


def of_filter(make, path, collection=TEXT):
    def one(operator):
        field, right = {"GreaterThan": ("amount", {"numberValue": 0}), "LessThan": ("amount", {"numberValue": 9}),
                        "GreaterThanOrEqualTo": ("amount", {"numberValue": 0}), "LessThanOrEqualTo": ("amount", {"numberValue": 9}),
                        "NotEqualTo": ("status", {"stringValue": "Closed"}), "IsNull": ("note", YES), "IsChanged": ("status", YES),
                        "StartsWith": ("status", {"stringValue": "O"}), "EndsWith": ("status", {"stringValue": "n"}),
                        "Contains": ("status", {"stringValue": "pe"}), "In": ("status", collection),
                        "NotIn": ("status", collection)}.get(operator, ("status", {"stringValue": "Open"}))
        doc = make()
        first(doc, *path)["filters"] = [{"field": field, "operator": operator, "value": right}]
        return doc
    return one


def of_assignment(operator):
    target, value = {"AddAtStart": ("l", TEXT), "AddItem": ("l", TEXT), "AssignCount": ("n", {"elementReference": "l"}),
                     "RemoveAfterFirst": ("l", TEXT), "RemoveAll": ("l", TEXT), "RemoveBeforeFirst": ("l", TEXT), "RemoveFirst": ("l", TEXT),
                     "RemovePosition": ("l", {"numberValue": 1}), "RemoveUncommon": ("l", {"elementReference": "m"})}.get(
                         operator, ("n", {"numberValue": 1}))
    doc = assigned(target, operator, value)
    if operator == "RemovePosition":
        doc["assignments"][0]["assignmentItems"].insert(0, {"assignToReference": "l", "operator": "Add", "value": TEXT})
    return doc


TYPES = ["Apex", "Boolean", "Currency", "Date", "DateTime", "Multipicklist", "Number", "Picklist", "SObject", "String", "Time"]
LITERALS = {"Boolean": YES, "Currency": {"numberValue": 1.5}, "Date": {"dateValue": "2026-01-31"},
            "DateTime": {"dateTimeValue": "2026-01-31T10:00:00.000Z"}, "Number": {"numberValue": 2}, "Time": {"timeValue": "10:00:00.000Z"}}
EXPRESSIONS = {"Boolean": "TRUE", "Date": "DATE(2026, 1, 31)", "DateTime": "NOW()", "String": '"x"', "Time": 'TIMEVALUE("10:00:00.000")'}


def of_variable(kind):
    value = {} if kind in ("SObject", "Apex", "Picklist", "Multipicklist") else {"value": LITERALS.get(kind, TEXT)}
    return base(variables=[variable("v", kind, **value)])


CONDITION_OPERATORS = ["None", "EqualTo", "NotEqualTo", "GreaterThan", "LessThan", "GreaterThanOrEqualTo", "LessThanOrEqualTo", "StartsWith",
                       "EndsWith", "Contains", "IsNull", "IsChanged", "WasSet", "WasSelected", "WasVisited", "In", "NotIn", "IsBlank", "IsEmpty",
                       "HasError"]
FILTER_OPERATORS = ["EqualTo", "NotEqualTo", "GreaterThan", "LessThan", "GreaterThanOrEqualTo", "LessThanOrEqualTo", "StartsWith", "EndsWith",
                    "Contains", "IsNull", "IsChanged", "In", "NotIn"]
LOGICS = ["and", "or", "And", "OR", "1 AND 2", "(1 OR 2) AND NOT 2", "1 or(2)", "formula", "3 AND 1", "1 XOR 2"]

# Source: Metadata API 67, Flow; flow-metadata of published files
VALUES = [
    ("Flow.processType", ["Orchestrator", "ApprovalWorkflow", "EvaluationFlow", "ManagedContentAuthoringWorkflow", "AgxOrchestrationFlow",
                          "AutoLaunchedFlow", "Flow"],
     lambda value: evaluation() if value == "EvaluationFlow" else approval(base()) if value == "ApprovalWorkflow" else base(processType=value)),
    ("Flow.status", ["Active", "Draft", "Obsolete", "InvalidDraft", "UnderReview"], of_base("SHAPE_FLOW", "status")),
    ("Flow.environments", ["Default", "Slack", "Offline"], of_base("SHAPE_FLOW", "environments")),
    ("Flow.runInMode", ["DefaultMode", "SystemModeWithSharing", "SystemModeWithoutSharing", "Other"], of_base("SHAPE_FLOW", "runInMode")),
    ("Flow.apiVersion", [52, 57, 58, 67, 99], of_base("SHAPE_FLOW", "apiVersion")),
    ("start.triggerType", ["RecordAfterSave", "RecordBeforeSave", "RecordBeforeDelete", "Scheduled", "PlatformEvent", "DataCloudDataChange",
                           "AutomationEvent", "Segment", "EventDrivenJourney", "Capability", "Activation"], of_base("SHAPE_START", "triggerType")),
    ("start.triggerType (by call)", ["None"], changed(base, ("start",), "triggerType")),
    ("start.recordTriggerType", ["Create", "Update", "CreateAndUpdate", "Delete", "None"], of_base("SHAPE_START", "recordTriggerType")),
    ("start.filterLogic", LOGICS, lambda value: with_start(filterLogic=value, filters=[FILTER, {
        "field": "amount", "operator": "GreaterThan", "value": {"numberValue": 100 if "NOT" in value else 0}}])),
    ("filter.operator (of start)", FILTER_OPERATORS, of_filter(triggered, ("start",))),
    ("filter.operator (of a record lookup)", FILTER_OPERATORS, of_filter(looked_up, ("recordLookups", 0), {"elementReference": "l"})),
    ("scheduled path.pathType", ["ApprovalRecall", "AsyncAfterCommit"], of_base("SHAPE_SCHEDULED_PATH", "pathType")),
    ("stage.exitActionType", ["evaluationFlow", "EvaluationFlow", "flow", "apex"],
     lambda value: base(orchestratedStages=[stage("S", step(), exitActionName="Decide", exitActionType=value)])),
    ("step.actionType", ["stepBackground", "stepInteractive", "stepMuleSoft", "stepApproval", "createWorkItem", "flow", "apex"], of_step("actionType")),
    ("step.stepSubtype", ["BackgroundStep", "InteractiveStep", "MuleSoftStep", "ApprovalStep", "ManagedContentRoleInteractiveStep",
                          "ManagedContentVariantSetLockBackgroundStep", "ManagedContentVariantSetReadyBackgroundStep",
                          "ManagedContentVariantAutoPublishBackgroundStep", "ManagedContentVariantAutoUnpublishBackgroundStep",
                          "AgxBackgroundStep", "AgxInteractiveStep"], of_step("stepSubtype")),
    ("step.entryConditionLogic", LOGICS, lambda value: base(orchestratedStages=[stage("S", step("O"), step("N"), step(
        entryConditionLogic=value, entryConditions=[condition("O.Status"), condition("N.Status", "EqualTo", {"stringValue": "Error"})]))])
        if "NOT" in value or value in ("or", "OR", "1 or(2)") else base(orchestratedStages=[stage("S", step("O"), step("N"), step(
            entryConditionLogic=value, entryConditions=[condition("O.Status"), condition("N.Status")]))])),
    ("assignee.assigneeType", ["User", "Group", "Queue", "Resource", "Invalid", "invalid", "Robot"], of_assignee),
    ("parameter.name", ["ActionInput__RecordId", "ActionInput__CustomEmailSubject", "ActionInput__CustomEmailBody", "ActionInput__ApprovalChainName",
                        "ActionInput__CanUseSmartApproval", "ActionInput__CanUseRuleBasedAutoApprovals", "ActionInput__ApprovalSkipConditions",
                        "ActionInput__ApprovalOverrideDecision", "ActionInput__RequiredMultiMemberApprovalPercentage", "ActionInput__Assignee",
                        "ActionInput__OrchInstanceId", "ActionInput__StepInstanceId"],
     lambda value: base(orchestratedStages=[stage("S", ask(inputParameters=[{"name": value}]))])),
    ("condition.operator", CONDITION_OPERATORS, of_condition),
    ("condition.conditionType", ["EntryCondition", "ExitCondition", "Container"], of_base("SHAPE_CONDITION", "conditionType")),
    ("condition.aggregationOperator", ["Count"], of_base("SHAPE_CONDITION", "aggregationOperator")),
    ("rule.conditionLogic", LOGICS, lambda value: decided(condition("v", right=TEXT), condition("n", "GreaterThan", {"numberValue": 0}),
                                                          conditionLogic=value)),
    ("assignment item.operator", ["Assign", "Add", "Subtract", "AddItem", "AddAtStart", "AssignCount", "RemoveFirst", "RemoveAll",
                                  "RemoveBeforeFirst", "RemoveAfterFirst", "RemoveUncommon", "RemovePosition"], of_assignment),
    ("variable.dataType", TYPES, of_variable),
    ("constant.dataType", TYPES, lambda kind: base(constants=[{"name": "c", "dataType": kind, "value": LITERALS.get(kind, TEXT)}])),
    ("formula.dataType", TYPES, lambda kind: base(formulas=[{"name": "F", "dataType": kind, "expression": EXPRESSIONS.get(kind, "1")}])),
    ("record lookup.sortOrder", ["Asc", "Desc", "Up"],
     lambda value: (lambda doc: (doc["recordLookups"][0].update(sortField="status", sortOrder=value), doc)[1])(looked_up())),
    ("record lookup.limit (API version 63)", [{"numberValue": 5}, {"elementReference": "r"}],
     lambda value: (lambda doc: (doc["recordLookups"][0].update(limit=value, getFirstRecordOnly=False), doc)[1])(looked_up())),
]

# what a value may refer to
REFERENCES = ["$Record", "$Record.status", "$Record.parent.status", "$Record__Prior.status", "$User.Username", "$User.Id", "$Flow.CurrentDate",
              "$Flow.CurrentDateTime", "$Flow.CurrentRecord", "$Flow.FaultMessage", "$Flow.InterviewGuid", "$Flow.InterviewStartTime",
              "$Orchestration.Instance", "$GlobalConstant.EmptyString", "$GlobalConstant.True", "$GlobalConstant.False", "$Api.Session_ID",
              "$Label.Hello", "$Organization.Name", "$Permission.Any", "$Profile.Name", "$Setup.Any__c.Name__c", "$System.OriginDateTime",
              "$UserRole.Name", "O.Status", "O.Outputs.a", "O.Outputs", "S.Status", "R", "D", "v", "r", "r.status", "l", "c", "F", "H", "Nothing"]


def referring(reference):
    doc = decided(doc=triggered(variables=VARIABLES, constants=[{"name": "c", "dataType": "String", "value": TEXT}],
                                formulas=[{"name": "F", "expression": "1 + 1"}], textTemplates=[{"name": "H", "text": "Hello {!v}"}]))
    doc["orchestratedStages"] = [stage("S", step("O", inputParameters=PARAMETER), step("P", entryConditions=[condition("O.Status")], inputParameters=[
        {"name": "a", "value": {"elementReference": reference}}]))]
    doc["start"]["filters"] = [{"field": "status", "operator": "IsChanged", "value": YES}]
    return doc


# -------------------------------------------------------------- XML alone

def xml_of(doc):
    return flow(doc).xml()


def notations():
    plain = xml_of(base())
    nil = base()
    nil["description"] = NIL
    nil["orchestratedStages"][0]["connector"] = NIL
    nil["orchestratedStages"][0]["stageSteps"][0]["inputParameters"] = [{"name": "a", "value": NIL}]
    foreign = "<x:%s xmlns:x='urn:x'><name>S</name><label>other</label></x:%s>"
    yield "no namespace", plain.replace(' xmlns="%s"' % NAMESPACE, "")
    yield "a prefix", plain.replace("<", "<f:").replace("<f:/", "</f:").replace("xmlns=", "xmlns:f=")
    yield "another default namespace", plain.replace(NAMESPACE, "urn:x")
    yield "another version of the namespace", plain.replace("2006/04", "2008/01")
    yield "xsi:nil", xml_of(nil)
    yield "xsi:nil by another prefix", xml_of(nil).replace("xsi:", "i:").replace("xmlns:xsi", "xmlns:i")
    yield "xsi:nil with white space", xml_of(nil).replace('xsi:nil="true"', "xsi:nil=' 1 '")
    yield "nil without a namespace", xml_of(base(label=NIL)).replace("xsi:nil", "nil")
    yield "nil of another namespace", xml_of(base(label=NIL)).replace(XSI, "urn:x")
    yield "a required element is nil", xml_of(base(label=NIL))
    yield "a foreign element at the root", plain.replace("</Flow>", foreign % ("orchestratedStages", "orchestratedStages") + "</Flow>")
    yield "a foreign element before its namesake", plain.replace("  <label>", foreign % ("label", "label") + "<label>", 1)
    yield "a foreign element in a text", plain.replace("<label>Corpus<", "<label>Cor<x:b xmlns:x='urn:x'>p</x:b>pus<")
    yield "a foreign element in a step", plain.replace("<actionName>", foreign % ("actionName", "actionName") + "<actionName>")
    yield "a foreign element for a required one", plain.replace("<actionName>Work</actionName>", foreign % ("actionName", "actionName"))
    yield "an element of no namespace", plain.replace("<label>Corpus", '<label xmlns="">Corpus')
    yield "a foreign attribute", plain.replace("<label>", "<label x:lang='en' xmlns:x='urn:x'>")
    yield "comments, CDATA, character references", plain.replace("<label>Corpus", "<!-- a --><label>C<!-- b -->or<![CDATA[p]]>&#117;s")
    yield "a processing instruction", "<?xml version='1.0' encoding='UTF-8'?><?builder x?>" + plain
    yield "a byte order mark", "\ufeff" + plain
    yield "white space around words", plain.replace(">Orchestrator<", ">\n Orchestrator\n<").replace(">stepBackground<", "> stepBackground\t<")
    yield "an unknown element", plain.replace("</Flow>", "<newElement>1</newElement></Flow>")
    yield "unknown elements in elements", plain.replace("<actionName>", "<newElement><name>P</name><deep><deeper/></deep></newElement><actionName>")
    yield "text between elements", plain.replace("<start>", "stray<start>")


# ----------------------------------------------------------------- lengths

def length_cases():
    """(what, length, document with one character too many, with the most, place)"""
    for shape, (title, rows) in FORMAT.items():
        if shape not in BASES or shape == "SHAPE_OTHER":
            continue
        for name, row in rows.items():
            if not row.length or row.treatment == "refuse":
                continue
            docs = []
            for length in (row.length + 1, row.length):
                make, path = BASES[shape]
                doc = make()
                first(doc, *path)[name] = ["x" * length] if row.repeated else "x" * length
                docs.append(doc)
            yield "%s.%s" % (title, name), row.length, docs


# ------------------------------------------------------------- the database

WORLD = r"""
SET client_min_messages = warning;
CREATE SCHEMA corpus;
CREATE TABLE corpus.record (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, status text, amount numeric, note text, parent integer REFERENCES corpus.record);
SELECT orchestration.register_record_type('Corpus_Record', 'corpus.record');
CREATE FUNCTION corpus.work(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION corpus.decide(jsonb) RETURNS jsonb LANGUAGE sql AS $$SELECT '{"isOrchestrationConditionMet": true}'::jsonb$$;
SELECT orchestration.register_action('Work', 'function', 'corpus.work(jsonb)'), orchestration.register_action('Decide', 'function', 'corpus.decide(jsonb)'),
       orchestration.register_action('Ask', 'screen'), orchestration.register_action('Later', 'worker'), orchestration.allow_run_as_user('Work');
SELECT orchestration.add_group_member(g, u) FROM orchestration.create_user('ann@example.com', 'Ann', current_user) u,
       LATERAL (VALUES (orchestration.create_group('Team')), (orchestration.create_queue('Line'))) x (g);

-- all problems of a severity, in one order for both notations
CREATE FUNCTION corpus.problems(xml, jsonb, text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(message || CASE place WHEN '' THEN '' ELSE ' (at ' || place || ')' END, '; ' ORDER BY place COLLATE "C", message COLLATE "C")
      FROM (SELECT * FROM orchestration.validate_orchestration($1) WHERE $1 IS NOT NULL
            UNION ALL SELECT * FROM orchestration.validate_orchestration($2) WHERE $2 IS NOT NULL) p WHERE severity = $3
$$;

-- every item and asynchronous step of the runs of an orchestration
CREATE FUNCTION corpus.play(orch text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    item uuid;
    claim record;
BEGIN
    FOR i IN 1..20 LOOP
        SELECT w.id INTO item FROM orchestration.work_item w JOIN orchestration.run r ON r.id = w.run_id
         WHERE r.orchestration_name = orch AND r.status = 'InProgress' AND w.status = 'Assigned' AND NOT w.is_parent LIMIT 1;
        IF FOUND THEN
            PERFORM orchestration.complete_work_item(item, '{"answer": "yes", "approvalDecision": "Approve"}');
            CONTINUE;
        END IF;
        SELECT * INTO claim FROM orchestration.claim_steps('corpus', '{Later}', 1) LIMIT 1;
        EXIT WHEN NOT FOUND;
        PERFORM orchestration.complete_steps(jsonb_build_array(jsonb_build_object('step_id', claim.step_id, 'lease_id', claim.lease_id, 'outputs', '{}'::jsonb)));
    END LOOP;
    RETURN COALESCE((SELECT string_agg(DISTINCT status || COALESCE(': ' || (error->>'message'), ''), ', ')
                       FROM orchestration.run WHERE orchestration_name = orch), 'no run');
END
$$;

-- the way of a document: how it ends, and what is said of it
CREATE FUNCTION corpus.try(number integer, source xml, document jsonb) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    orch text := 'C' || number;
    errors text;
    warnings text;
    said text;
    outcome text;
    record_id integer;
BEGIN
    errors := corpus.problems(source, NULL, 'ERROR');
    warnings := corpus.problems(source, NULL, 'WARNING');
    IF document IS NOT NULL AND (corpus.problems(NULL, document, 'ERROR'), corpus.problems(NULL, document, 'WARNING'), corpus.problems(NULL, document, 'ACTIVATION ERROR'))
        IS DISTINCT FROM (errors, warnings, corpus.problems(source, NULL, 'ACTIVATION ERROR')) THEN
        RETURN ARRAY['FAILED', 'the notations differ: ' || COALESCE(errors, warnings, '-') || ' | '
                     || COALESCE(corpus.problems(NULL, document, 'ERROR'), corpus.problems(NULL, document, 'WARNING'), '-')];
    END IF;
    BEGIN
        PERFORM orchestration.deploy_orchestration(source, orch);
    EXCEPTION WHEN SQLSTATE 'OR201' THEN
        RETURN CASE WHEN errors IS NULL THEN ARRAY['FAILED', 'refused though it is valid: ' || SQLERRM] ELSE ARRAY['refused', errors] END;
    END;
    IF errors IS NOT NULL THEN
        RETURN ARRAY['FAILED', 'deployed though it is not valid: ' || errors];
    END IF;
    IF document IS NOT NULL THEN
        PERFORM orchestration.deploy_orchestration(document, orch);
        IF (SELECT count(DISTINCT v.document) FROM orchestration.orchestration_version v JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id
             WHERE d.name = orch) <> 1 THEN
            RETURN ARRAY['FAILED', 'the stored documents differ'];
        END IF;
    END IF;
    BEGIN
        PERFORM orchestration.activate_orchestration(orch);
    EXCEPTION WHEN SQLSTATE 'OR204' THEN
        GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL;
        RETURN ARRAY['stored', COALESCE(corpus.problems(source, NULL, 'ACTIVATION ERROR'), 'validate_orchestration() does not say: ' || said)];
    END;
    IF document->>'processType' = 'EvaluationFlow' THEN
        PERFORM orchestration.deploy_orchestration(jsonb_build_object('label', 'Host', 'processType', 'Orchestrator', 'start', '{"connector": {"targetReference": "S"}}'::jsonb,
            'orchestratedStages', jsonb_build_array(jsonb_build_object('name', 'S', 'label', 'S', 'exitActionName', orch))), orch || '_Host');
        orch := orch || '_Host';
        PERFORM orchestration.activate_orchestration(orch);
    END IF;
    IF xpath_exists('//*[local-name() = "object" and local-name(..) = "start"]', source) THEN
        INSERT INTO corpus.record (status, amount) VALUES ('New', 0) RETURNING id INTO record_id;
        UPDATE corpus.record SET status = 'Open', amount = 1 WHERE id = record_id;
    ELSE
        PERFORM orchestration.start_orchestration(orch);
    END IF;
    outcome := corpus.play(orch);
    PERFORM orchestration.deactivate_orchestration(orch);
    IF outcome <> 'Completed' THEN
        RETURN ARRAY['FAILED', outcome];
    END IF;
    RETURN ARRAY[CASE WHEN warnings IS NULL THEN 'played' ELSE 'warned' END, warnings];
EXCEPTION WHEN OTHERS THEN
    RETURN ARRAY['FAILED', SQLSTATE || ': ' || SQLERRM];
END
$$;
"""


def all_cases():
    """(section, what, XML, JSON, treatment); no XML: the element has no document"""
    for what, doc in element_cases():
        title, name = what.split(".")
        row = next(rows[name] for _, (t, rows) in FORMAT.items() if t == title and name in rows)
        yield "elements", what, None if doc is None else xml_of(doc), None if doc is None else json.dumps(flow(doc).json()), row.treatment
    for what, values, make in VALUES:
        for value in values:
            doc = make(value)
            yield "values", "%s = %s" % (what, json.dumps(value) if isinstance(value, dict) else value), xml_of(doc), json.dumps(flow(doc).json()), ""
    for reference in REFERENCES:
        doc = referring(reference)
        yield "references", reference, xml_of(doc), json.dumps(flow(doc).json()), ""
    for what, xml in notations():
        yield "notations", what, xml, None, ""


def outcomes(cases):
    script = [WORLD]
    for number, (_, _, xml, document, _) in enumerate(cases):
        if xml is not None:
            script.append("SELECT json_build_array(%d, corpus.try(%d, %s::xml, %s));" % (
                number, number, quoted(xml), "NULL" if document is None else quoted(document) + "::jsonb"))
    answers = dict(run_sql("\n".join(script)))
    for number, (section, what, xml, _, treatment) in enumerate(cases):
        outcome, said = ("FAILED", "there is no document with it") if xml is None else answers[number]
        if outcome == "played" and treatment == "keep":
            outcome = "kept"
        yield section, what, outcome, said or ""


def check_lengths(tap):
    cases = list(length_cases())
    script = ["SET client_min_messages = warning;"]
    for number, (what, _, docs) in enumerate(cases):
        name = what.split(".")[1]
        for doc in docs:
            script.append("SELECT json_build_array(%d, array_agg(message) FILTER (WHERE severity = 'ERROR' AND message ~ %s)) "
                          "FROM orchestration.validate_orchestration(%s::xml);" % (
                              number, quoted('^"%s" is longer than ' % name), quoted(xml_of(doc))))
    answers = run_sql("\n".join(script))
    for number, (what, length, _) in enumerate(cases):
        long, fits = [said for n, said in answers if n == number]
        tap.ok(long == ['"%s" is longer than %d characters' % (what.split(".")[1], length)] and fits is None,
               "%s has at most %d characters" % (what, length), long, fits)


def check_conditions(tap):
    """Elements of the argument of evaluate_conditions()."""
    document = {"conditionLogic": "1", "conditions": [condition("v", right=TEXT)]}
    for name in FORMAT["SHAPE_CONDITIONS"][1]:
        tap.ok(name in document, "conditions.%s has a document" % name)
    answer = run_sql("SELECT json_build_array(orchestration.evaluate_conditions(%s, '{\"v\": \"x\"}'));" % quoted(json.dumps(document)))
    tap.ok(answer == [[True]], "evaluate_conditions() reads them", answer)


# ------------------------------------------------------------------ the page

def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", "; ")


def shown(outcome, said):
    said = re.sub(r" \(at [^)]*\)", "", said)
    return {"played": "played", "kept": "kept, without effect", "warned": "kept, with a warning: ", "refused": "refused: ",
            "stored": "stored, not activated: "}.get(outcome, outcome + ": ") + cell(said)


INTRODUCTION = """# Elements of a document

Made by `test/corpus/corpus.py --write`; a test holds the page to what the extension does.

What becomes of each element, enumeration value and reference of the format, tried with the
smallest document that has it:

* **played**: it is read, and a run with it completes.
* **kept**: it is stored with the document and has no effect. It concerns the platform, its
  builder or its debugger alone. Where a meaning is lost, `validate_orchestration()` has a warning.
* **refused**: `deploy_orchestration()` raises OR201 with this message. The element would change
  what a run does, and the engine does not have it.
* **stored, not activated**: the document can be deployed; `activate_orchestration()` raises OR204.

Elements that are not listed, such as those of newer versions, are kept with a warning. A repeated
element that stands in the wrong place, such as a step outside of a stage, is refused.

In XML the root is in the namespace `%s` or in none. An
element is the flow's if it is in the namespace of the root, by any prefix or by default. All others
are foreign: they are ignored with a warning, and stay in `source_xml`. `xsi:nil` is the attribute
`nil` of the namespace `%s`, by any prefix; a nil element
counts as absent.

## Lengths

A text may have this many characters; white space around it does not count.

| texts | characters | source |
|---|---|---|
"""
SOURCES = {
    "LENGTH_NAME": ("names of flows and elements", "published files: many names end at 80"),
    "LENGTH_LABEL": ("labels; a run shows the first 80 of a stage's or step's", "object reference: FlowOrchestrationInstance.OrchestrationLabel; Label of stages and steps"),
    "LENGTH_ACTION": ("names of called flows", "object reference: names have 255"),
    "LENGTH_LOGIC": ("logic of conditions and filters", "Metadata API, Flow, FlowRule"),
    "LENGTH_FORMULA": ("formulas", "Apex Reference, Formula Evaluation"),
    "LENGTH_STEP_DESCRIPTION": ("descriptions of steps", "object reference: FlowOrchestrationStepInstance.Description"),
    "LENGTH_DESCRIPTION": ("other descriptions", "jongpie/NebulaLogger, pull request 200"),
    "LENGTH_WORD": ("values of enumerations, names of types and fields, dates", "ours"),
    "LENGTH_INTERVIEW_LABEL": ("interviewLabel", "ours"),
    "LENGTH_REFERENCE": ("references", "ours"),
    "LENGTH_TEXT": ("texts of values and of text templates", "ours: as many as a text template may make"),
}


def page(results):
    lines = (INTRODUCTION % (NAMESPACE, XSI)).splitlines()
    for name, length in LENGTHS.items():
        what, source = SOURCES[name]
        lines.append("| %s | %s | %s |" % (what, format(length, ","), source))
    by_what = {what: (outcome, said) for section, what, outcome, said in results if section == "elements"}
    for shape, (title, rows) in FORMAT.items():
        if shape in ("SHAPE_OTHER", "SHAPE_CONDITIONS"):
            continue
        lines += ["", "## " + title[0].upper() + title[1:], "", "| element | type | what becomes of it |", "|---|---|---|"]
        for name, row in rows.items():
            kind = ("text, %s" % format(row.length, ",") if row.type == "string" and row.length else
                    "text" if row.type == "string" else row.type) + ("[]" if row.repeated else "") + (", required" if row.required else "")
            lines.append("| `%s` | %s | %s |" % (name, kind, shown(*by_what["%s.%s" % (title, name)])))
    for section, title, head in (("values", "Values", "value"), ("references", "References", "reference"), ("notations", "XML", "document")):
        lines += ["", "## " + title, "", "| %s | what becomes of it |" % head, "|---|---|"]
        for _, what, outcome, said in (r for r in results if r[0] == section):
            lines.append("| %s | %s |" % (cell(what) if section == "notations" else "`%s`" % what, shown(outcome, said)))
    return "\n".join(lines) + "\n"


def main():
    results = list(outcomes(list(all_cases())))
    lines = ["\t".join([section, what, outcome, said.replace("\n", "; ")]) for section, what, outcome, said in results]
    if sys.argv[1:] == ["--write"]:
        with open(EXPECTED, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        with open(PAGE, "w", encoding="utf-8") as f:
            f.write(page(results))
        for line in lines:
            if "\tFAILED\t" in line:
                print(line)
        return
    tap = Tap()
    with open(EXPECTED, encoding="utf-8") as f:
        expected = f.read().splitlines()
    wanted = {tuple(line.split("\t")[:2]): line for line in expected}
    for line in lines:
        key = tuple(line.split("\t")[:2])
        tap.ok(line == wanted.pop(key, None) and "\tFAILED\t" not in line, "%s: %s" % key, line)
    tap.ok(not wanted, "expected.txt has no case that is gone", *wanted.values())
    with open(PAGE, encoding="utf-8") as f:
        tap.ok(f.read() == page(results), "doc/elements.md is what corpus.py --write makes")
    check_lengths(tap)
    check_conditions(tap)
    tap.finish()


main()
