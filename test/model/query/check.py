"""check.py: executes SOQL, checks the form of the result, and compares it with rows of SQL.

SPDX-License-Identifier: PostgreSQL
"""
import csv
import datetime
import decimal
import json
import os
import re
import uuid

import psycopg

from query.world import SHORT

CODES = {"INVALID_TYPE": "OR401", "INVALID_FIELD": "OR402", "NUMBER_OUTSIDE_VALID_RANGE": "OR404", "INVALID_BATCH_SIZE": "OR404",
         "EXCEEDED_ID_LIMIT": "OR404", "OPERATION_TOO_LARGE": "OR404", "MALFORMED_QUERY": "OR406",
         "INVALID_QUERY_FILTER_OPERATOR": "OR407", "INVALID_QUERY_LOCATOR": "OR408"}
CONTRACT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "contract")
with open(os.path.join(CONTRACT, "fields.csv"), encoding="utf-8") as f:
    FIELDS = list(csv.DictReader(f))
with open(os.path.join(CONTRACT, "objects.csv"), encoding="utf-8") as f:
    OBJECTS = list(csv.DictReader(f))
with open(os.path.join(CONTRACT, "picklists.csv"), encoding="utf-8") as f:
    PICKLISTS = list(csv.DictReader(f))
NAMES = {}          # object -> names of its fields and relationships
for row in FIELDS:
    NAMES.setdefault(row["object"], set()).update(x for x in (row["field"], row["relationship_name"]) if x)
for _name in NAMES:                 # what a polymorphic reference shows of any object
    NAMES[_name] |= {"IsActive", "Name", "Type", "Username"}
for _name in ("Instance", "StageInstance", "StepInstance"):
    NAMES["FlowOrchestration" + _name] |= {"FlowOrchestrationStageInstances", "FlowOrchestrationStepInstances", "FlowOrchestrationWorkItems",
                                           "FlowOrchestrationLogs", "Feeds", "Histories", "Shares"}
NAMES["FlowOrchestrationInstance"].add("ApprovalSubmissions")
NAMES["FlowOrchestrationWorkItem"].add("FlowOrchestrationWorkItems")
for _name in ("ApprovalSubmission", "ApprovalWorkItem", "FlowOrchestrationWorkItem"):
    NAMES[_name] |= {"ApprovalWorkItems", "ApprovalSubmissionDetails", "Histories", "Shares"}
NAMES["Group"].add("GroupMembers")
NEWER_NAMES = {"orchestrationname", "triggeringrecord"}


class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def ok(self, good, name, why=()):
        self.n += 1
        self.failed += not good
        print("%sok %d - %s" % ("" if good else "not ", self.n, re.sub(r"\s+", " ", name).replace("#", r"\#")[:160]), flush=True)
        for line in ([] if good else why):
            print("# " + str(line).replace("\n", "\n#   ")[:1500])

    def end(self):
        print("1..%d" % self.n)
        return 1 if self.failed else 0


def full(text):
    for short, name in SHORT.items():
        text = text.replace(short, name)
    return text


def run(session, soql, version=None, batch=None, deleted=False):
    """(result, None) or (None, error)"""
    try:
        row = session.execute("SELECT orchestration.query(%s, %s::numeric, %s, %s)::text", (full(soql), version, batch, deleted), prepare=False).fetchone()
        return load(row[0]), None
    except psycopg.Error as error:
        return None, error


def load(text):
    def pairs(items):
        assert len(dict(items)) == len(items), "a key stands twice: %s" % items
        return dict(items)
    return json.loads(text, object_pairs_hook=pairs)


# ------------------------------------------------------------ the form

def form(result, version="67.0", nested=False, top=None):
    """What is wrong with the form of a result, as a list."""
    wrong = []
    want = ["totalSize", "done", "records"] if result.get("done") else ["totalSize", "done", "nextRecordsUrl", "records"]
    if list(result) != want:
        wrong.append("keys are %s" % list(result))
    if not isinstance(result.get("records"), list):
        return wrong + ["records is no array"]
    if result["done"] and not nested and result["totalSize"] != len(result["records"]) and not top == "COUNT()":
        wrong.append("totalSize is %s, with %d records" % (result["totalSize"], len(result["records"])))
    for record in result["records"]:
        wrong += record_form(record, version)
        if wrong:
            break
    return wrong


def record_form(record, version):
    wrong = []
    if not record or list(record)[0] != "attributes":
        return ["a record does not begin with attributes: %s" % record]
    kind = record["attributes"].get("type")
    if kind == "AggregateResult":
        if list(record["attributes"]) != ["type"]:
            wrong.append("attributes of an aggregate: %s" % record["attributes"])
        return wrong
    if list(record["attributes"]) != ["type", "url"]:
        wrong.append("attributes: %s" % record["attributes"])
    found = re.fullmatch(r"/services/data/v%s/sobjects/%s/([0-9a-f-]{36})" % (re.escape(version), kind), record["attributes"].get("url", ""))
    if not found or ("Id" in record and record["Id"] != found.group(1)):
        wrong.append("url: %s" % record["attributes"])
    for key, value in record.items():
        if key == "attributes":
            continue
        if isinstance(value, dict):
            wrong += form(value, version, True) if "records" in value else record_form(value, version)
            if value.get("records") == []:
                wrong.append("no children: not null, but an empty array")
        if isinstance(value, dict) and "records" in value:
            if not value["done"] or value["totalSize"] != len(value["records"]):
                wrong.append("totalSize of children")
        elif kind != "Name" and key not in NAMES.get(kind, ()) and key.lower() not in NEWER_NAMES and not re.fullmatch(r"[a-z][a-z0-9]*|.*Dates?", key):
            wrong.append("%s is no field of %s" % (key, kind))
    return wrong


# ------------------------------------------------------------ values

def plain(value):
    """A value of SQL as json shows it."""
    if isinstance(value, datetime.datetime):
        value = value.astimezone(datetime.timezone.utc)
        return "%s.%03d+0000" % (value.strftime("%Y-%m-%dT%H:%M:%S"), value.microsecond // 1000)
    if isinstance(value, (datetime.date, uuid.UUID)):
        return str(value)
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def split_items(soql):
    """The items of the SELECT list: (path or key, kind)"""
    text = re.sub(r"'(\\.|[^'\\])*'", "''", soql)
    body = re.match(r"\s*SELECT\s+(.*)", text, re.I | re.S).group(1)
    depth, start, items = 0, 0, []
    for i, c in enumerate(body):
        depth += (c == "(") - (c == ")")
        if not body[i - 1:i].isalnum():
            depth += bool(re.match(r"TYPEOF\b", body[i:], re.I)) - bool(re.match(r"END\b", body[i:], re.I))
        if depth == 0 and c == ",":
            items.append(body[start:i])
            start = i + 1
        elif depth == 0 and re.match(r"\sFROM\s", body[i:], re.I):
            items.append(body[start:i])
            break
    keys, unnamed = [], 0
    for item in (x.strip() for x in items):
        if item.startswith("("):
            inner = re.sub(r"\((?:[^()]|\([^()]*\))*\)", "", item[1:-1])
            keys.append((re.search(r"\bFROM\s+(?:\w+\.)?(\w+)", inner, re.I).group(1), "children"))
        elif re.match(r"TYPEOF\b", item, re.I):
            keys.append((item.split()[1], "typeof"))
        elif "(" in item:
            alias = re.search(r"\)\s*(\w+)$", item)
            named = re.match(r"(toLabel|FORMAT)\(\s*([\w.]+)\s*\)$", item, re.I)
            if alias:
                keys.append((alias.group(1), "value"))
            elif named:
                keys.append((named.group(2), "value"))
            else:
                keys.append(("expr%d" % unnamed, "value"))
                unnamed += 1
        else:
            keys.append((item.split()[-1], "value"))
    return keys


def get(record, key):
    if record is None:
        return None
    for name in record:
        if name.lower() == key.lower():
            return record[name]
    raise KeyError("%s is missing; there are %s" % (key, list(record)))


def flat(value):
    """Children and records of TYPEOF: values only, nested ones in the same way."""
    if isinstance(value, dict) and "records" in value:
        return [flat(r) for r in value["records"]]
    if isinstance(value, dict):
        return [flat(v) for k, v in value.items() if k != "attributes"]
    return value


def values(record, keys, aggregate, prefixes=()):
    row = []
    for key, kind in keys:
        path = key.split(".")
        if aggregate:
            path = path[-1:]
        elif path[0].lower() in prefixes:
            path = path[1:]
        value = record
        for name in path:
            value = get(value, name)
        if kind == "typeof" and value is not None:
            value = [value["attributes"]["type"]] + flat(value)
        row.append(flat(value) if kind == "children" else value)
    return row


def order_of_keys(record, keys, aggregate, prefixes):
    """Keys in the order of SELECT."""
    want = []
    for key, _ in keys:
        path = key.split(".")
        path = path[-1:] if aggregate else path[1:] if path[0].lower() in prefixes else path
        if path[0].lower() not in want:
            want.append(path[0].lower())
    return [k.lower() for k in record if k != "attributes"] == want


def same(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return isinstance(a, (int, float)) and isinstance(b, (int, float)) and abs(a - b) <= 1e-9 * max(1, abs(a), abs(b))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def compare(result, soql, expected):
    """What differs between a result and the expected rows; SOQL gives keys and whether the order counts."""
    soql = full(soql)
    keys = split_items(soql)
    if len(keys) == 1 and re.match(r"\s*SELECT\s+COUNT\(\s*\)\s", soql, re.I):
        wrong = form(result, top="COUNT()")
        if result["records"] != [] or result["totalSize"] != expected[0][0]:
            wrong.append("COUNT() is %s, expected %s" % (result["totalSize"], expected[0][0]))
        return wrong
    wrong = form(result)
    aggregate = bool(result["records"]) and result["records"][0]["attributes"]["type"] == "AggregateResult"
    source = re.search(r"\sFROM\s+(\w+)(?:\s+(?:AS\s+)?(?!WHERE|ORDER|GROUP|LIMIT|USING|WITH|OFFSET|FOR|HAVING)(\w+))?", re.sub(r"\(.*\)", "", soql, flags=re.S), re.I)
    prefixes = [x.lower() for x in source.groups() if x] if source else []
    if wrong:
        return wrong
    if "FIELDS(" not in soql.upper():
        for record in result["records"]:
            if not order_of_keys(record, keys, aggregate, prefixes):
                return ["keys are %s" % list(record)]
        try:
            found = [values(r, keys, aggregate, prefixes) for r in result["records"]]
        except KeyError as error:
            return [str(error)]
    else:
        found = [[v for k, v in r.items() if k != "attributes"] for r in result["records"]]
    expected = [[plain(v) for v in row] for row in expected]
    outer, inner = re.sub(r"'(\\.|[^'\\])*'", "''", soql), ""
    while outer != inner:
        inner, outer = outer, re.sub(r"\([^()]*\)", "", outer)
    if not re.search(r"\bORDER\s+BY\b", outer, re.I):
        found.sort(key=lambda row: json.dumps(row, sort_keys=True))
        expected.sort(key=lambda row: json.dumps(row, sort_keys=True))
    if len(found) != len(expected):
        return ["%d records, expected %d" % (len(found), len(expected)), "found: %s" % found[:3], "expected: %s" % expected[:3]]
    for i, (a, b) in enumerate(zip(found, expected)):
        if not same(a, b):
            return ["record %d differs" % i, "found: %s" % a, "expected: %s" % b]
    return []


def error_form(error, code, part=""):
    """What is wrong with an error: its SQLSTATE, its first word, the place, a part of the message."""
    if error is None:
        return ["no error"]
    message = error.diag.message_primary or ""
    wrong = []
    if error.sqlstate != CODES[code] or not message.startswith(code + ":"):
        wrong.append("%s %s, expected %s %s" % (error.sqlstate, message, CODES[code], code))
    if part.lower() not in message.lower():
        wrong.append("the message lacks %r: %s" % (part, message))
    if "orchestration." in message or re.search(r"\bx\d+\.", message):
        wrong.append("the message shows our SQL: " + message)
    if "\n" in message and not re.fullmatch(r"\w+: \n[^\n]*\n *\^\nERROR at Row:\d+:Column:\d+\n.*", message, re.S):
        wrong.append("the form of the message: " + message)
    return wrong
