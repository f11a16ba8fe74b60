#!/usr/bin/python3
"""soql_fuzz.py: texts that are no queries, and queries that are too much.

Mutations of the queries of query/table.py, random tokens, and texts at the limits are sent to
query(), as a user.  The answer is a result or a documented error, whose message shows no SQL of
ours; never an internal error, never the stack's depth, and the server stays.  The slowest can be
canceled.  Thereafter verify() finds nothing, and the session has not grown.

Environment: FUZZ_SEED (printed), FUZZ_QUERIES, FUZZ_SECONDS (the mutations end after that time).
Expects a fresh database with the extension.  Prints TAP.

SPDX-License-Identifier: PostgreSQL
"""
import collections
import os
import random
import re
import sys
import threading
import time

import psycopg

from query import check, table, world

SEED = int(os.environ.get("FUZZ_SEED", "20261127"))
QUERIES = int(os.environ.get("FUZZ_QUERIES", "8000"))
SECONDS = float(os.environ.get("FUZZ_SECONDS", "40"))

SETUP = """
SELECT orchestration.register_action('Screen', 'screen');
SELECT orchestration.create_user('fuzz@example.com', 'Fuzz', 'soql_fuzz');
SELECT orchestration.deploy_orchestration('{"label": "Alpha", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
  "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "P", "label": "P", "actionName": "Screen", "actionType": "stepInteractive",
  "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "fuzz@example.com"}}]}]}]}'::jsonb, 'Alpha');
SELECT orchestration.activate_orchestration('Alpha');
UPDATE orchestration.principal SET view_all_data = true WHERE role_name = 'soql_fuzz';
SELECT orchestration.start_orchestration('Alpha') FROM generate_series(1, 25);
INSERT INTO orchestration.run (name, status, ended_at) SELECT 'Done ' || n, 'Completed', now() FROM generate_series(1, 1500) n;
"""
TOKENS = """SELECT FROM WHERE AND OR NOT IN LIKE NULL TRUE FALSE ORDER BY GROUP HAVING LIMIT OFFSET ROLLUP CUBE GROUPING TYPEOF WHEN THEN ELSE END USING SCOPE WITH FOR VIEW
REFERENCE UPDATE ALL ROWS AS ASC DESC NULLS FIRST LAST COUNT() COUNT( MAX( FORMAT( toLabel( FIELDS(ALL) CALENDAR_YEAR( convertTimezone( ( ) , . = != <> < > <= >= : ; ' " \\ % * + - / -- /* */ ? @ # $ ` ~ ^ & | { } [ ]
Id Name Status Owner Owner.Name CreatedDate Duration r r.Id 'x' '\\' '\\u0041' '\\ud83d' '%' 0 1 -1 1.5 1e400 99999999999999999999999999999999 .5 5. 0x10 2024-01-01 2024-01-01T00:00:00Z 2024-99-99 0000-00-00 9999-12-31T23:59:60Z
TODAY LAST_N_DAYS:3 LAST_N_DAYS:99999999999 NEXT_N_YEARS:2147483647 N_FISCAL_QUARTERS_AGO:2147483647 LAST_N_WEEKS:2147483648 USD5 :bind é ß 日本 \u00a0 \u202e \U0001f600 \x01 \x7f
orchestration.run pg_class pg_sleep(9) ;DROP $1 x0.id FlowOrchestrationInstance FlowOrchestrationStageInstances FlowOrchestrationWorkItem User Group""".split()


def mutate(rng, text):
    tokens = re.findall(r"'(?:\\.|[^'\\])*'|[\w.]+|\s+|.", text, re.S)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        i = rng.randrange(len(tokens) or 1)
        kind = rng.randrange(10)
        if not tokens:
            tokens = [rng.choice(TOKENS)]
        elif kind == 0:
            del tokens[i]
        elif kind == 1:
            tokens.insert(i, tokens[i])
        elif kind == 2:
            j = rng.randrange(len(tokens))
            tokens[i], tokens[j] = tokens[j], tokens[i]
        elif kind == 3:
            tokens[i] = tokens[i].swapcase()
        elif kind in (4, 5):
            tokens.insert(i, " %s " % rng.choice(TOKENS))
        elif kind == 6:
            tokens[i] = rng.choice(TOKENS)
        elif kind == 7:
            tokens = tokens[:i]
        elif kind == 8:
            tokens[i] = tokens[i][:rng.randrange(len(tokens[i]) + 1)] + chr(rng.choice([1, 9, 39, 92, 0xe9, 0x2028, 0x1f600, rng.randrange(1, 0xd800)])) + tokens[i][1:]
        else:
            tokens[i:i] = tokens[rng.randrange(len(tokens)):][:rng.randrange(6)]
    return "".join(tokens).replace("\0", "")


FUNCTIONS = ["COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG", "toLabel", "FORMAT", "GROUPING", "CALENDAR_YEAR", "DAY_ONLY", "HOUR_IN_DAY", "WEEK_IN_YEAR", "FISCAL_QUARTER"]
IDS = ["'00000000-0000-7000-8000-000000000001'", "null"]
STRINGS = ["'x'", "''", "'%'", "'Error'", "'é'", "null", "'\\n'", "'Alpha'"]
NUMBERS = ["0", "-1.5", "1e3", "99999999999999999999", "2147483648", "9223372036854775808", "null", "1e-300"]
TIMES = ["2024-01-01T00:00:00Z", "1970-01-01T00:00:00.123456+14:00", "TODAY", "LAST_N_DAYS:3", "THIS_FISCAL_YEAR", "NEXT_N_QUARTERS:9", "null", "4000-12-31T23:59:59-14:00"]
VALUES = {"id": IDS, "reference": IDS, "boolean": ["true", "FALSE", "null"], "dateTime": TIMES, "int": NUMBERS, "long": NUMBERS, "number": NUMBERS, "date": ["2024-01-01", "null"]}
ANY_VALUE = sorted({v for values in VALUES.values() for v in values} | set(STRINGS))
FIELDS = {}
for _row in check.FIELDS:
    FIELDS.setdefault(_row["object"], []).append(_row)
CHILDREN = {kind: {"Feeds": kind + "Feed", "Histories": kind + "History", "Shares": kind + "Share"} for kind in (world.RUN, world.STAGE, world.STEP)}
CHILDREN[world.RUN].update({"FlowOrchestrationStageInstances": world.STAGE, "FlowOrchestrationStepInstances": world.STEP, "FlowOrchestrationLogs": world.LOG})
CHILDREN[world.STAGE]["FlowOrchestrationStepInstances"] = world.STEP
CHILDREN[world.STEP]["FlowOrchestrationWorkItems"] = world.ITEM
CHILDREN["Group"] = {"GroupMembers": "GroupMember"}
CHILDREN["FlowOrchestration"] = {"FlowOrchestrationVersions": "FlowOrchestrationVersion"}


class Generator:
    """Queries that the grammar takes.  Most choices fit the contract, and some are left to chance."""

    def __init__(self, rng):
        self.rng = rng

    def sane(self):
        return self.rng.random() < 0.97

    def path(self, source, needs="", kinds=()):
        """A path to a field with this property, and the field's type."""
        names = []
        for _ in range(50):
            row = self.rng.choice(FIELDS[source])
            if row["relationship_name"] and len(names) < 5 and self.rng.random() < 0.3:
                targets = [x.strip() for x in row["refers_to"].split(",")]
                target = targets[0] if len(targets) == 1 else "Name"
                if target in FIELDS:
                    names.append(row["relationship_name"])
                    source = target
            elif (needs in row["properties"] and (not kinds or row["type"] in kinds)) or not self.sane():
                break
        return ".".join(names + [row["field"]]), row["type"]

    def function(self, source, aggregate):
        """A call of a function, and the type of its value."""
        rng = self.rng
        if not self.sane():
            return "%s(%s)" % (rng.choice(FUNCTIONS), self.path(source)[0]), "number"
        if aggregate:
            name = rng.choice(["COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG"])
            path, kind = self.path(source, kinds=("int", "long") if name in ("SUM", "AVG") else ())
            return "%s(%s)" % (name, path), kind if name in ("MIN", "MAX") else "number"
        name = rng.choice(["CALENDAR_YEAR", "DAY_ONLY", "HOUR_IN_DAY", "WEEK_IN_YEAR", "FISCAL_QUARTER", "DAY_IN_WEEK", "WEEK_IN_MONTH", "FISCAL_YEAR"])
        path = self.path(source, "Filter", ("dateTime",))[0]
        return "%s(%s)" % (name, rng.choice(["%s", "convertTimezone(%s)"]) % path), "date" if name == "DAY_ONLY" else "number"

    def value(self, kind):
        return self.rng.choice(VALUES.get(kind, STRINGS) if self.sane() else ANY_VALUE)

    def condition(self, source, depth=0, lefts=None):
        rng, kind = self.rng, self.rng.random()
        if depth < 4 and kind < 0.3:
            return "(%s)" % rng.choice([" AND ", " OR "]).join(self.condition(source, depth + 1, lefts) for _ in range(rng.randint(2, 4)))
        if depth < 4 and kind < 0.4:
            return "(NOT %s)" % self.condition(source, depth + 1, lefts)
        if lefts:
            left, type_ = rng.choice(lefts)
        elif rng.random() < 0.1:
            left, type_ = self.function(source, False)
        else:
            left, type_ = self.path(source, "Filter")
        if kind < 0.5:
            return "%s %s (%s)" % (left, rng.choice(["IN", "NOT IN"]), ", ".join(self.value(type_) for _ in range(rng.randint(1, 4))))
        if kind < 0.55 and depth == 0 and not lefts:
            inner = rng.choice(list(FIELDS))
            return "Id %s (SELECT %s FROM %s%s)" % (rng.choice(["IN", "NOT IN"]), rng.choice([r["field"] for r in FIELDS[inner] if r["type"] in ("id", "reference")]), inner,
                                                    " WHERE " + self.condition(inner, 3) if rng.random() < 0.5 else "")
        operator = rng.choice(["=", "!=", "<", ">", "<=", ">=", "LIKE"])
        value = self.value(type_)
        if self.sane() and (operator == "LIKE" and type_ not in ("string", "picklist") or type_ == "boolean" or value == "null"):
            operator = rng.choice(["=", "!="])
        return "%s %s %s" % (left, operator, value)

    def query(self, depth=0, source=None, relationship=None):
        rng = self.rng
        source = source or rng.choice(list(FIELDS))
        group = rng.random() < 0.35 and not depth
        keys, lefts, text = [], [], ""
        if group:
            keys = [self.function(source, False) if rng.random() < 0.3 else self.path(source, "Group") for _ in range(rng.randint(1, 3))]
            aggregates = [self.function(source, True) for _ in range(rng.randint(1, 4))]
            lefts = keys + aggregates
            items = [i for i, _ in rng.sample(lefts, rng.randint(1, len(lefts)))]
        else:
            items = [self.path(source)[0] for _ in range(rng.randint(1, 5))]
            if rng.random() < 0.1:
                items.append("%s(%s) f" % (rng.choice(["toLabel", "FORMAT"]), self.path(source, kinds=("picklist", "string"))[0]))
            while depth < 4 and source in CHILDREN and rng.random() < 0.35:
                name = rng.choice(list(CHILDREN[source]))
                items.append("(%s)" % self.query(depth + 1, CHILDREN[source][name], name))
            if rng.random() < 0.04:
                items = ["FIELDS(%s)" % rng.choice(["ALL", "STANDARD", "CUSTOM"])]
            elif rng.random() < 0.05:
                items = ["COUNT()"]
            elif rng.random() < 0.05 and source == world.ITEM:
                items = ["TYPEOF Assignee WHEN User THEN Username, Id WHEN Group THEN DeveloperName%s END" % rng.choice(["", " ELSE Name"])]
        text = "SELECT %s FROM %s" % (", ".join(dict.fromkeys(items)), relationship or source)
        text += rng.choice([""] * 20 + [" USING SCOPE mine", " USING SCOPE everything"]) if not depth else ""
        if rng.random() < 0.6:
            text += " WHERE " + self.condition(source)
        text += rng.choice([""] * 20 + [" WITH USER_MODE"])
        if group:
            kind = rng.choice(["%s", "%s", "%s", "ROLLUP(%s)", "CUBE(%s)"])
            text += " GROUP BY " + kind % ", ".join(k for k, _ in keys)
            if rng.random() < 0.5:
                text += " HAVING " + self.condition(source, 2, lefts)
        if rng.random() < 0.5 and "COUNT()" not in text:
            order = [rng.choice(lefts)[0] if group else self.path(source, "Sort")[0] for _ in range(rng.randint(1, 3))]
            text += " ORDER BY " + ", ".join("%s%s%s" % (o, rng.choice(["", " ASC", " DESC"]), rng.choice(["", " NULLS FIRST", " NULLS LAST"])) for o in order)
        if rng.random() < 0.3 or "FIELDS(" in text:
            text += " LIMIT %d" % rng.choice([0, 1, 2, 200])
        if rng.random() < 0.05 and not depth:
            text += " OFFSET %d" % rng.choice([0, 1, 2000, 2001])
        return text + (rng.choice([""] * 30 + [" FOR VIEW", " FOR REFERENCE"]) if not depth else "")


def wrong_answer(soql, result, error):
    """None, or what is wrong."""
    if error is None:
        problems = check.form(result, top="COUNT()")
        return "; ".join(str(p) for p in problems) or None
    if error.sqlstate == "57014":
        return None
    message = error.diag.message_primary or str(error)
    word = message.split(":")[0]
    problems = []
    if check.CODES.get(word) != error.sqlstate:
        problems.append("%s %s" % (error.sqlstate, message[:300]))
    if re.search(r"\borchestration\.\w", message) and "orchestration." not in soql or re.search(r"\bx\d+\.", message) and "x0." not in soql:
        problems.append("the message shows our SQL: %s" % message[:300])
    if len(message) > 2000:
        problems.append("a message of %d characters: %s" % (len(message), message[:100]))
    return "; ".join(problems) or None


def filled(start, item, end, length, joiner=""):
    """start, as many items as fit, end, and spaces: exactly so many characters."""
    n = (length - len(start) - len(end) + len(joiner)) // (len(item) + len(joiner))
    text = start + joiner.join([item] * n) + end
    return text + " " * (length - len(text))


def nested(n, opening, inner, closing):
    return opening * n + inner + closing * n


RUN = "SELECT Id FROM FlowOrchestrationInstance WHERE "
STAGE = "SELECT Id FROM FlowOrchestrationStageInstance WHERE "
# name, text, code or None (a result) or "" (either)
LIMITS = [
    ("100,000 characters", filled(RUN + "Name IN (", "'x'", ")", 100000, ","), None),
    ("100,001 characters", filled(RUN + "Name IN (", "'x'", ")", 100001, ","), "MALFORMED_QUERY"),
    ("100,000 characters, not ASCII", RUN + "Name = 'x'" + " OR Name = '%s'" % ("é" * 4000) * 24, None),
    ("100,001 characters, not ASCII", "é" * 100001, "MALFORMED_QUERY"),
    ("100,000 spaces", " " * 100000, "MALFORMED_QUERY"),
    ("100,000 quotes", "'" * 100000, "MALFORMED_QUERY"),
    ("a name of 99,000 characters", "SELECT %s FROM FlowOrchestrationInstance" % ("x" * 99000), "INVALID_FIELD"),
    ("an object of 99,000 characters", "SELECT Id FROM %s" % ("x" * 99000), "INVALID_TYPE"),
    ("an alias of 99,000 characters", "SELECT COUNT(Id) %s FROM FlowOrchestrationInstance" % ("x" * 90000), ""),
    ("a path of 49,000 names", "SELECT %sId FROM FlowOrchestrationInstance" % ("a." * 49000), "INVALID_FIELD"),
    ("a relationship of 99,000 characters", "SELECT Id, (SELECT Id FROM %s) FROM FlowOrchestrationInstance" % ("x" * 99000), "INVALID_TYPE"),
    ("an id of 4,000 characters", RUN + "Id = '%s'" % ("x" * 4000), "INVALID_QUERY_FILTER_OPERATOR"),
    ("a function of 90,000 characters", "SELECT %s(Id) FROM FlowOrchestrationInstance" % ("x" * 90000), "MALFORMED_QUERY"),
    ("a scope of 90,000 characters", "SELECT Id FROM FlowOrchestrationInstance USING SCOPE %s" % ("x" * 90000), "MALFORMED_QUERY"),
    ("7,100 terms of OR", STAGE + " OR ".join(["Position=1"] * 7100), None),
    ("8,000 terms of AND", STAGE + "\nAND ".join(["Id=null"] * 8000), None),
    ("7,700 terms of AND and OR", STAGE + "(Id=null)AND" * 4000 + "(Id=null%s)" % (" OR Id=null" * 3700), None),
    ("4,700 terms with two parameters", RUN + "OR ".join(["CreatedDate=TODAY "] * 4700), None),
    ("6,000 terms of HAVING", "SELECT Status FROM FlowOrchestrationInstance GROUP BY Status HAVING " + " OR ".join(["MAX(Id)='x'"] * 6000), None),
    ("an IN list of 10,000 strings", RUN + "Name IN (%s)" % ",".join("'%d'" % n for n in range(10000)), None),
    ("an IN list of 10,000 numbers", STAGE + "Position IN (%s)" % ",".join(str(n) for n in range(10000)), None),
    ("an IN list of 2,500 ids", RUN + "Id NOT IN (%s)" % ",".join("'00000000-0000-7000-8000-%012d'" % n for n in range(2500)), None),
    ("an IN list of 10,000 picklist values", RUN + "Status IN (%s)" % ",".join(["'Error'"] * 10000), None),
    ("an IN list of 10,000 nulls", RUN + "Name IN (%s)" % ",".join(["null"] * 10000), None),
    ("an IN list of 4,000 times", RUN + "CreatedDate IN (%s)" % ",".join("2024-01-01T00:00:%02dZ" % (n % 60) for n in range(4000)), None),
    ("an IN list of 10,000 Booleans", RUN + "IsDeleted IN (%s)" % ",".join(["true"] * 10000), None),
    ("5,000 parentheses", RUN + nested(5000, "(", "Name = 'x'", ")"), None),
    ("49,000 parentheses", RUN + nested(49000, "(", "Name = 'x'", ")"), ""),
    ("99,000 opening parentheses", RUN + "(" * 99000, "MALFORMED_QUERY"),
    ("10,000 NOT", RUN + nested(10000, "NOT (", "Name = 'x'", ")"), None),
    ("9,999 NOT", RUN + nested(9999, "(NOT ", "Name = 'x'", ")"), None),
    ("5,000 AND within each other", RUN + nested(5000, "(Id = null AND ", "Name = 'x'", ")"), None),
    ("5,000 OR within each other", RUN + nested(5000, "(Id = null OR ", "Name = 'x'", ")"), None),
    ("900 AND and OR in turn", RUN + nested(450, "(Id = null AND (Name = 'y' OR ", "Name = 'x'", "))"), None),
    ("900 AND and NOT in turn", RUN + nested(450, "(Id != null AND (NOT (Name = 'y' AND ", "Name = 'x'", ")))"), None),
    ("7,000 AND and OR in turn", RUN + nested(3300, "(Id=null AND (Id=null OR ", "Id=null", "))"), ""),
    ("4,000 AND and NOT in turn", RUN + nested(4000, "(Id=null AND (NOT ", "Id=null", "))"), ""),
    ("1,000 aggregates", "SELECT %s FROM FlowOrchestrationInstance" % ",".join(["COUNT(Id)"] * 1000), None),
    ("1,000 aggregates with aliases", "SELECT %s FROM FlowOrchestrationInstance" % ",".join("MAX(Name) a%d" % n for n in range(1000)), None),
    ("9,000 aggregates", "SELECT %s FROM FlowOrchestrationInstance" % ",".join(["COUNT(Id)"] * 9000), "MALFORMED_QUERY"),
    ("1,000 times the same field", "SELECT %s FROM FlowOrchestrationInstance" % ",".join(["Id"] * 1000), "INVALID_FIELD"),
    ("9,000 keys of ORDER BY", "SELECT Id FROM FlowOrchestrationInstance ORDER BY %s" % ",".join(["Name"] * 9000), ""),
    ("1,000 keys of ORDER BY", "SELECT Id FROM FlowOrchestrationInstance ORDER BY %s" % ",".join(["Name DESC"] * 1000), None),
    ("9,000 keys of GROUP BY", "SELECT Status FROM FlowOrchestrationInstance GROUP BY %s" % ",".join(["Status"] * 9000), ""),
    ("500 keys of GROUP BY", "SELECT Status FROM FlowOrchestrationInstance GROUP BY %s" % ",".join(["Status", "CALENDAR_YEAR(CreatedDate)"] * 250), None),
    ("1,500 aggregates and 9,000 keys", "SELECT %s FROM FlowOrchestrationInstance GROUP BY Status ORDER BY %s" % (",".join(["COUNT(Id)"] * 1500), ",".join(["COUNT(Id)"] * 7000)), ""),
    ("10,000 functions within each other", "SELECT %s FROM FlowOrchestrationInstance" % nested(10000, "COUNT(", "Id", ")"), "MALFORMED_QUERY"),
    ("11,500 FORMAT", "SELECT %s FROM FlowOrchestrationInstance" % nested(11500, "FORMAT(", "Id", ")"), "MALFORMED_QUERY"),
    ("33,000 functions of one letter", "SELECT %s FROM FlowOrchestrationInstance" % nested(33000, "a(", "Id", ")"), "MALFORMED_QUERY"),
    ("5,000 functions in WHERE", RUN + nested(5000, "toLabel(", "Id", ")") + " = 'x'", "MALFORMED_QUERY"),
    ("3,000 sub-queries within each other", nested(3000, "SELECT Id, (", "SELECT Id", " FROM Feeds)") + " FROM FlowOrchestrationInstance", ""),
    ("1,500 semi-joins within each other", nested(1500, "SELECT Id FROM User WHERE Id IN (", "SELECT OwnerId FROM FlowOrchestrationInstance", ")"), "MALFORMED_QUERY"),
    ("1,000 semi-joins", "SELECT Id FROM User WHERE " + " AND ".join(["Id IN (SELECT OwnerId FROM FlowOrchestrationInstance)"] * 1000), "MALFORMED_QUERY"),
    ("1,000 sub-queries", "SELECT Id, %s FROM FlowOrchestrationInstance" % ",".join(["(SELECT Id FROM Feeds)"] * 1000), "MALFORMED_QUERY"),
    ("1,000 WHEN", "SELECT TYPEOF Assignee %s END FROM FlowOrchestrationWorkItem" % ("WHEN User THEN Name " * 1000), "MALFORMED_QUERY"),
    ("2,000 aliases in FROM", "SELECT r.Id FROM FlowOrchestrationInstance r%s" % "".join(", r.Owner a%d" % n for n in range(2000)), None),
    ("5,000 clauses", "SELECT Id FROM FlowOrchestrationInstance" + " LIMIT 1" * 5000, "MALFORMED_QUERY"),
    ("a number of 399 digits", "SELECT Id FROM FlowOrchestrationLog WHERE Duration > " + "9" * 399, None),
    ("a number of 99,000 digits", "SELECT Id FROM FlowOrchestrationLog WHERE Duration > " + "9" * 99000, "MALFORMED_QUERY"),
    ("the largest LIMIT", "SELECT Id FROM FlowOrchestrationInstance LIMIT 2147483647", None),
    ("a LIMIT of 30 digits", "SELECT Id FROM FlowOrchestrationInstance LIMIT " + "9" * 30, None),
    ("far dates", RUN + " AND ".join("CreatedDate != %s:2147483647" % w for w in ("LAST_N_YEARS", "NEXT_N_YEARS", "N_YEARS_AGO", "LAST_N_DAYS", "NEXT_N_DAYS", "N_DAYS_AGO", "NEXT_N_FISCAL_QUARTERS", "LAST_N_WEEKS", "NEXT_N_MONTHS")), None),
]
# takes seconds unless it is canceled
SLOW = [
    RUN + " OR ".join("Name LIKE '%%a%%b%%c%%%05d'" % n for n in range(2400)),
    "SELECT Id, (SELECT Id FROM Shares) FROM FlowOrchestrationInstance WHERE " + " OR ".join("Name LIKE '%%é%%%05d'" % n for n in range(2000)),
    "SELECT COUNT() FROM FlowOrchestrationInstance WHERE " + " OR ".join("(NOT Name LIKE '%%%%%%%%x%04d')" % n for n in range(2000)),
]


def connect():
    session = psycopg.connect(autocommit=True)
    session.execute("SET client_min_messages = warning")
    session.execute("SET ROLE soql_fuzz")
    session.execute("SET statement_timeout = '60s'")
    return session


def mutations(tap, session, rng):
    texts = [check.full(c[0]) for c in table.CASES] + [check.full(c[0]) for c in table.ERRORS if len(c[0]) < 2000]
    counts, wrong, n = collections.Counter(), [], 0
    generator = Generator(rng)
    end = time.monotonic() + SECONDS
    while n < QUERIES and time.monotonic() < end and len(wrong) < 10:
        n += 1
        chance = rng.random()
        if chance < 0.4:
            soql = generator.query()
        elif chance < 0.5:
            soql = "SELECT " * (rng.random() < 0.7) + " ".join(rng.choice(TOKENS) for _ in range(rng.randint(1, 30)))
        else:
            soql = mutate(rng, rng.choice(texts))
        result, error = check.run(session, soql, deleted=rng.random() < 0.1, version=rng.choice([None, None, None, 30, 55, 60.0]))
        counts[error.sqlstate if error else "a result"] += 1
        if error is not None and session.closed:
            wrong.append("%r: the session was lost: %s" % (soql, error))
            break
        # the version in attributes is not always the newest
        problem = wrong_answer(soql, {"totalSize": 0, "done": True, "records": []} if error is None else None, error)
        if problem:
            wrong.append("%r: %s" % (soql, problem))
    print("# %d queries: %s" % (n, ", ".join("%s %d" % c for c in counts.most_common())))
    tap.ok(not wrong, "mutations and random tokens: documented errors only", wrong)
    tap.ok(counts["a result"] > n / 50 and counts["OR406"] > n / 10 and counts["OR402"] and counts["OR401"] and counts["OR407"], "the mutations reach results and all usual errors", [counts])


def limits(tap, session):
    for name, soql, code in LIMITS:
        result, error = check.run(session, soql)
        problem = wrong_answer(soql, result, error)
        if problem is None and code is None and error is not None:
            problem = str(error)[:300]
        if problem is None and code and (error is None or not str(error).startswith(code)):
            problem = str(error)[:300] if error else "a result"
        tap.ok(problem is None, name, [problem])
        if session.closed:
            session = connect()
    return session


def cancel(tap, session):
    for soql in SLOW + [text for name, text, _ in LIMITS if name.startswith(("8,000", "an IN list of 10,000 s", "900", "4,700"))]:
        session.execute("SET statement_timeout = '50ms'")
        start = time.monotonic()
        result, error = check.run(session, soql)
        took = time.monotonic() - start
        tap.ok(wrong_answer(soql, result, error) is None and took < 10, "statement_timeout: %s..." % soql[:60], ["%.1f s: %s" % (took, str(error)[:200])])
        session.execute("SET statement_timeout = '60s'")
    canceled = []
    with psycopg.connect(autocommit=True) as other:
        process = session.info.backend_pid
        thread = threading.Thread(target=lambda: canceled.append(check.run(session, SLOW[0])[1]))
        thread.start()
        time.sleep(0.3)
        start = time.monotonic()
        other.execute("SELECT pg_cancel_backend(%s)", (process,))
        thread.join()
        took = time.monotonic() - start
    tap.ok(took < 10 and (canceled[0] is None or canceled[0].sqlstate == "57014"), "pg_cancel_backend()", ["%.1f s" % took, canceled])


MEMORY = "SELECT count(*), coalesce(sum(total_bytes), 0)::float FROM pg_backend_memory_contexts WHERE name IN ('orchestration query', 'CachedPlanSource', 'CachedPlanQuery', 'CachedPlan')"


def memory(tap, session):
    """After 10,000 different queries, also within one transaction."""
    session.execute("RESET ROLE")
    many = "SELECT count(orchestration.explain_soql('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''' || n || '''')) FROM generate_series(%s, %s) n"
    run = "SELECT count(orchestration.query('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''' || n || '''')) FROM generate_series(%s, %s) n"
    session.execute(many % (1, 200))
    session.execute(run % (1, 200))
    contexts, size = session.execute(MEMORY).fetchone()
    session.execute(many % (1000, 11000))
    session.execute(run % (11000, 11500))
    session.execute("BEGIN")
    for i in range(4):
        session.execute(run % (20000 + i * 500, 20500 + i * 500))
    inside = session.execute(MEMORY).fetchone()
    session.execute("COMMIT")
    after = session.execute(MEMORY).fetchone()
    tap.ok(after[0] <= contexts + 20 and after[1] <= size * 1.5 + 1000000, "the session keeps as much after 10,000 queries as after 200", [(contexts, size), after])
    tap.ok(inside[0] <= contexts + 20 and inside[1] <= size * 1.5 + 1000000, "also within a transaction", [(contexts, size), inside])
    session.execute("SET ROLE soql_fuzz")


def main():
    print("# FUZZ_SEED=%d FUZZ_QUERIES=%d FUZZ_SECONDS=%g" % (SEED, QUERIES, SECONDS))
    tap = check.Tap()
    admin = world.connect()
    admin.execute("DO $$BEGIN IF to_regrole('soql_fuzz') IS NULL THEN CREATE ROLE soql_fuzz; END IF; END$$")
    admin.execute(SETUP)
    session = connect()
    mutations(tap, session, random.Random(SEED))
    if session.closed:
        session = connect()
    session = limits(tap, session)
    cancel(tap, session)
    memory(tap, session)
    found = admin.execute("SELECT * FROM orchestration.verify()").fetchall()
    tap.ok(not found, "verify() finds nothing", found[:5])
    session.close()
    admin.execute("DROP OWNED BY soql_fuzz")
    admin.execute("DROP ROLE soql_fuzz")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
