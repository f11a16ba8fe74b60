#!/usr/bin/env python3
"""metadata.py: writes sql/parts/call/metadata.sql from test/contract/*.csv.

Run it after the contract has changed (test/check/tree.sh says when a part is old):

    python3 sql/gen/metadata.py >sql/parts/call/metadata.sql

describe_sobjects() needs three things that the csv files do not contain; this script
decides them: labels, made from the words of the API name unless the reference has
another; the names of child relationships; and the length of ids, 18 in the reference and
36 here, because ids are uuids.  It also writes the comments on the columns of the views.

The reference names no first version of User, Group, GroupMember and Name: objects.csv
has 20.0, the first version of the REST API.
"""
import csv
import os
import re


CONTRACT = os.path.join(os.path.dirname(__file__), "..", "..", "test", "contract")
ASSOCIATES = ("Feed", "History", "OwnerSharingRule", "Share")
# labels that the platform does not make from the API name
LABELS = {
    "FlowOrchestrationInstance": "Orchestration Run",
    "FlowOrchestrationStageInstance": "Orchestration Stage Run",
    "FlowOrchestrationStepInstance": "Orchestration Step Run",
    "FlowOrchestrationWorkItem": "Orchestration Work Item",
    "FlowOrchestrationLog": "Orchestration Run Log",
    "FlowOrchestration": "Orchestration",
    "FlowOrchestrationVersion": "Orchestration Version",
    "ApprovalSubmission": "Approval Submission",
    "ApprovalWorkItem": "Approval Work Item",
    "ApprovalSubmissionDetail": "Approval Submission Detail",
    "User": "User",
    "Group": "Group",
    "GroupMember": "Group Member",
    "Name": "Name",
}
FIELD_LABELS = {
    ("ApprovalSubmission", "DoesSendApprovalEmail"): "Send Approval Email",
    ("ApprovalSubmission", "FlowOrchestrationInstanceId"): "Orchestration Run ID",
    ("ApprovalWorkItem", "FlowOrchestrationWorkItemId"): "Orchestration Work Item ID",
    ("ApprovalSubmissionDetail", "ActionPerformedById"): "User ID",
    ("User", "Name"): "Full Name",
    ("User", "IsActive"): "Active",
    ("Group", "DoesIncludeBosses"): "Include Bosses",
    ("GroupMember", "UserOrGroupId"): "User/Group ID",
    ("Name", "IsActive"): "Active",
    ("FlowOrchestration", "ActiveVersionId"): "Orchestration Version ID",
    ("FlowOrchestration", "ApiName"): "API Name",
    ("FlowOrchestration", "Name"): "Orchestration Label",
    ("FlowOrchestrationVersion", "FlowOrchestrationId"): "Orchestration ID",
    ("FlowOrchestrationVersion", "Name"): "Orchestration Version Name",
    ("FlowOrchestrationVersion", "TriggerObjectOrEventLabel"):
        "Triggering Object or Platform Event Label",
}
VALUE_LABELS = {
    "OrchAutolnch": "Autolaunched No Trigger Orchestration",
    "OrchRecTrigAftSave": "Record-Triggered After Save Orchestration",
    "RecordAfterSave": "Record—Run After Save",
    "Draft": "Inactive",
    "AynchronousBackgroundStep": "Asynchronous Background Step",
}


def read(name):
    with open(os.path.join(CONTRACT, name), newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def quote(value):
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def array(values):
    return "'{" + ",".join('"%s"' % v if re.search(r"[ ,]", v) else v for v in values) + "}'"


def label(name):
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.sub(r"\bId\b", "ID", words).replace("Asgnt", "Assignment")


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def identifier(name):
    return '"%s"' % name if name in ("group", "timestamp", "user") else name


def values(rows):
    return ",\n".join("    (" + ", ".join(row) + ")" for row in rows) + ";"


objects = read("objects.csv")
fields = read("fields.csv")
picklists = read("picklists.csv")
with open(os.path.join(CONTRACT, "triggering-record-targets.txt"), encoding="utf-8") as file:
    targets = file.read().split()

since = {row["object"]: row["since"] for row in objects}
names = list(since)


def associate(name):
    """The parent of an associated object and the kind of association."""
    for kind in ASSOCIATES:
        if name.endswith(kind) and name[:-len(kind)] in since:
            return name[:-len(kind)], kind
    return None, None


def object_label(name):
    parent, kind = associate(name)
    return object_label(parent) + " " + label(kind) if parent else LABELS[name]


def plural(text):
    return re.sub(r"y$", "ie", text) + "s"


def length(row):
    return "36" if row["type"] in ("id", "reference") else row["length"]


def relationship(row):
    """The name of the child relationship of a reference; None: it has none.

    The lookups to users and to the active version have no name in the reference either."""
    if row["refers_to"] == "User" or row["field"] == "ActiveVersionId":
        return None
    _, kind = associate(row["object"])
    if kind is None:
        return row["object"] + "s"
    return {"Feed": "Feeds", "History": "Histories", "Share": "Shares"}.get(kind)


rows = []
for position, row in enumerate(objects, 1):
    parent, kind = associate(row["object"])
    text = object_label(row["object"])
    rows.append([quote(row["object"]), str(position), quote(snake(row["object"])), quote(text),
                 quote(plural(text)), array(row["calls"].split()), row["since"],
                 quote(parent), quote(kind)])
print("""-- metadata: generated by sql/gen/metadata.py from test/contract/*.csv; do not edit.

INSERT INTO orchestration.sobject
    (name, position, view_name, label, label_plural, calls, since, parent, associate) VALUES""")
print(values(rows))

rows = []
relationships = []
position = {}
for row in fields:
    name = row["object"]
    position[name] = position.get(name, 0) + 1
    refers_to = row["refers_to"]
    if refers_to == "(triggering-record-targets.txt)":
        refers_to = targets
    else:
        refers_to = [x.strip() for x in refers_to.split(",") if x.strip()]
    properties = [x.strip() for x in row["properties"].split(",")]
    rows.append([quote(name), str(position[name]), quote(row["field"]), quote(row["column"]),
                 quote(FIELD_LABELS.get((name, row["field"])) or label(row["field"])),
                 quote(row["type"]), length(row) or "0",
                 array(properties), max(row["since"] or since[name], since[name], key=float),
                 quote(row["relationship_name"] or None), array(refers_to)])
    if len(refers_to) == 1 and refers_to[0] in since and relationship(row):
        relationships.append([quote(refers_to[0]), quote(name), quote(row["field"]),
                              quote(relationship(row)), "true"])
print("""
INSERT INTO orchestration.sobject_field
    (object, position, name, column_name, label, type, length, properties, since,
     relationship_name, refers_to) VALUES""")
print(values(rows))

rows = [[quote(row["object"]), quote(row["field"]), row["order"], quote(row["value"]),
         quote(VALUE_LABELS.get(row["value"]) or label(row["value"])),
         quote(row["meaning"] or None)] for row in picklists]
print("""
INSERT INTO orchestration.sobject_picklist_value
    (object, field, position, value, label, meaning) VALUES""")
print(values(rows))

print("""
INSERT INTO orchestration.sobject_child_relationship
    (object, child_object, field, relationship_name, cascade_delete) VALUES""")
print(values(relationships))

# comments on the columns of the views
print()
for row in fields:
    text = "%s: %s%s; %s" % (row["field"], row["type"], "(%s)" % length(row) if length(row) else "",
                             row["properties"])
    if row["note"]:
        text += ". " + row["note"]
    print("COMMENT ON COLUMN orchestration.%s.%s IS %s;" % (
        identifier(snake(row["object"])), identifier(row["column"]), quote(text)))
