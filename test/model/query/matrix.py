"""matrix.py: queries of SOQL that are generated, from the contract and from lists of values.

SPDX-License-Identifier: PostgreSQL
"""
import collections
import datetime
import random
import json
import re
import zoneinfo

from query import check, world
from query.check import FIELDS, OBJECTS

BY_OBJECT = collections.OrderedDict()
for _row in FIELDS:
    BY_OBJECT.setdefault(_row["object"], []).append(_row)
SINCE = {o["object"]: float(o["since"]) for o in OBJECTS}
QUERYABLE = [o["object"] for o in OBJECTS if "query" in o["calls"].split()]


def view(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def since(field):
    return max(float(field["since"] or 0), SINCE[field["object"]])


def test(tap, admin, sessions):
    logic(tap, admin, sessions)
    literals(tap, admin, sessions["super"])
    functions(tap, admin, sessions["super"])
    properties(tap, sessions["nil"])
    aggregates(tap, sessions["nil"])
    having(tap, sessions)
    objects(tap, sessions)
    versions(tap, sessions["nil"])


# ------------------------------------------------------------ two truth values (query.md, 3.3)

def fold(value):
    return value.lower() if isinstance(value, str) else value


def time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def milliseconds(value):
    return value and value.replace(microsecond=value.microsecond // 1000 * 1000)


def like(pattern):
    return re.compile("".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern), re.I | re.S)


# path; object; SQL of (id, value); values in SOQL and in Python; how the value is compared; operators
EQUAL, ORDERED = ["=", "!=", "<>", "IN", "NOT IN"], ["<", "<=", ">", ">="]
LOGIC = [
    ("CurrentStage", "@Run", "SELECT id, current_stage FROM run", [("'review'", "review"), ("'APPROVE'", "approve"), ("'none'", "none")], fold, EQUAL + ORDERED + ["LIKE"]),
    ("OrchestrationLabel", "@Run", "SELECT id, orchestration_label FROM run", [("'two'", "two"), ("'100%'", "100%")], fold, EQUAL + ["LIKE"]),
    ("InterviewId", "@Run", "SELECT id, interview_id::text FROM run", [("'00000000-0000-7000-8000-0000000000f7'", "00000000-0000-7000-8000-0000000000f7"), ("'00000000-0000-7000-8000-0000000000f8'", "x")], str, EQUAL),
    ("TriggeringRecordId", "@Run", "SELECT id, triggering_record_id FROM run", [("'A-1'", "A-1"), ("'a-2'", "a-2")], str, EQUAL + ORDERED),
    ("LastViewedDate", "@Run", "SELECT id, (SELECT max(viewed_at) FROM orchestration.record_view v WHERE v.record_id = run.id) FROM run",
     [("2024-06-01T00:00:00Z", time("2024-06-01T00:00:00Z")), ("2025-01-01T12:00:00+02:00", time("2025-01-01T10:00:00Z"))], milliseconds, EQUAL + ORDERED),
    ("CreatedDate", "@Run", "SELECT id, created_at FROM run", [("2024-06-01T00:00:00Z", time("2024-06-01T00:00:00Z"))], milliseconds, EQUAL + ORDERED),
    ("Status", "@Run", "SELECT id, status::text FROM run", [("'ERROR'", "Error"), ("'Nonsense'", "Nonsense")], str, EQUAL),
    ("AssigneeType", "@Log", "SELECT l.id, p.kind::text FROM log l LEFT JOIN person_or_group p ON p.id = l.assignee_id", [("'queue'", "Queue"), ("'Group'", "Group")], str, EQUAL),
    ("Duration", "@Log", "SELECT id, duration FROM log", [("100", 100), ("99.5", 99.5), ("0", 0), ("1e9", 1e9)], float, EQUAL + ORDERED),
    ("Position", "@Stage", "SELECT id, position FROM stage", [("1", 1), ("1.5", 1.5), ("-3", -3)], float, EQUAL + ORDERED),
    ("StageInstance.Position", "@Step", "SELECT s.id, g.position FROM step s LEFT JOIN stage g ON g.id = s.stage_run_id", [("1", 1), ("2", 2)], float, EQUAL + ORDERED),
    ("StageInstance.Label", "@Step", "SELECT s.id, g.label FROM step s LEFT JOIN stage g ON g.id = s.stage_run_id", [("'approve_it'", "approve_it"), ("'%t'", "%t")], fold, EQUAL + ["LIKE"]),
    ("StageInstance.OrchestrationInstance.Status", "@Step", "SELECT s.id, r.status::text FROM step s LEFT JOIN stage g ON g.id = s.stage_run_id LEFT JOIN run r ON r.id = g.run_id", [("'Error'", "Error")], str, EQUAL),
    ("StageInstance.OrchestrationInstance.CreatedDate", "@Step", "SELECT s.id, r.created_at FROM step s LEFT JOIN stage g ON g.id = s.stage_run_id LEFT JOIN run r ON r.id = g.run_id", [("2024-06-01T00:00:00Z", time("2024-06-01T00:00:00Z"))], milliseconds, EQUAL + ORDERED),
    ("Assignee.IsActive", "@Item", "SELECT i.id, CASE WHEN p.kind = 'User' THEN p.is_active END FROM item i JOIN person_or_group p ON p.id = i.assignee_id", [("true", True), ("FALSE", False)], bool, EQUAL),
    ("IsDeleted", "@Run", "SELECT id, false FROM run", [("true", True), ("FALSE", False)], bool, EQUAL),
    ("CALENDAR_YEAR(LastViewedDate)", "@Run", "SELECT id, (SELECT extract(year FROM max(viewed_at)) FROM orchestration.record_view v WHERE v.record_id = run.id) FROM run", [("2024", 2024), ("2024.5", 2024.5)], float, EQUAL + ORDERED),
]


def truth(value, operator, literal, kind):
    """SOQL's comparison in Python; literal None: null."""
    if kind is bool:                # a Boolean null counts as false
        value, literal = bool(value), [bool(x) for x in literal] if isinstance(literal, list) else bool(literal)
    if operator in ("IN", "NOT IN"):
        return (value in literal) == (operator == "IN")
    if operator in ("=", "!=", "<>"):
        return (value == literal) == (operator == "=")
    if value is None:
        return False
    if operator == "LIKE":
        return bool(like(literal).fullmatch(value))
    return {"<": value < literal, "<=": value <= literal, ">": value > literal, ">=": value >= literal}[operator]


def logic(tap, admin, sessions):
    for person in ("sam", "super"):
        admin.execute("SELECT set_config('oracle.person', %s, false)", (person,))
        for path, source, sql, literals_, kind, operators in LOGIC:
            compared = kind if kind is not bool else lambda v: v
            rows = [(str(i), v if v is None else compared(v)) for i, v in admin.execute(sql)]
            wrong, n = [], 0
            for operator in operators:
                choices = [(text, value) for text, value in literals_]
                if operator in ("IN", "NOT IN"):
                    choices = [("(%s)" % t, [v]) for t, v in choices] + [("(null)", [None]), ("(%s)" % ", ".join(t for t, _ in choices), [v for _, v in choices]),
                                                                         ("(%s, null)" % choices[0][0], [choices[0][1], None])]
                elif operator in ("=", "!=", "<>"):
                    choices.append(("null", None))
                for text, value in choices:
                    for template, negated in (("%s", False), ("NOT %s", True), ("(NOT (%s))", True), ("NOT (NOT %s)", False), ("NOT (%s OR Id = null)", True)):
                        condition = template % ("%s %s %s" % (path, operator, text))
                        expected = sorted(i for i, v in rows if truth(v, operator, value, kind) != negated)
                        result, error = check.run(sessions[person], "SELECT Id FROM %s WHERE %s" % (source, condition))
                        found = error or sorted(r["Id"] for r in result["records"])
                        n += 1
                        if found != expected:
                            wrong.append("%s: %s, expected %d records" % (condition, error or "%d records" % len(found), len(expected)))
            tap.ok(not wrong, "as %s: operator, NOT and null with %s (%d conditions)" % (person, path, n), wrong[:10])


# ------------------------------------------------------------ date literals (5.3)

ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "America/Havana", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Auckland"]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
UNITS = ["WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR"]


def month_of(year, month):
    return datetime.date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def unit_start(unit, today, offset, first_weekday, fiscal):
    """The first day of the unit that is offset units away from today's."""
    if unit == "DAY":
        return today + datetime.timedelta(days=offset)
    if unit == "WEEK":
        return today - datetime.timedelta(days=(today.weekday() - first_weekday) % 7) + datetime.timedelta(weeks=offset)
    if unit == "MONTH":
        return month_of(today.year, today.month + offset)
    first = fiscal if unit.startswith("FISCAL") else 1
    months = 3 if unit.endswith("QUARTER") else 12
    since_start = (today.month - first) % 12 % months
    return month_of(today.year, today.month - since_start + offset * months)


def all_literals(rng):
    """(text, unit, first, last); last None: until now"""
    for name, first, last in (("YESTERDAY", -1, -1), ("TODAY", 0, 0), ("TOMORROW", 1, 1), ("LAST_90_DAYS", -90, None), ("NEXT_90_DAYS", 1, 90)):
        yield name, "DAY", first, last
    for unit in UNITS:
        for name, offset in (("LAST", -1), ("THIS", 0), ("NEXT", 1)):
            yield "%s_%s" % (name, unit), unit, offset, offset
    for unit in ["DAY"] + UNITS:
        for n in {0, 1, rng.randint(2, 50)}:
            yield "LAST_N_%sS:%d" % (unit, n), unit, -n, None if unit == "DAY" else -1
            yield "NEXT_N_%sS:%d" % (unit, n), unit, 1, n
            yield "N_%sS_AGO:%d" % (unit, n), unit, -n, -n


def midnight(day, zone):
    """The first moment of a day: where midnight does not exist, the first that does."""
    # in a gap Python takes the offset before it, which is the end of the gap; of two midnights it takes the first
    return datetime.datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(datetime.timezone.utc)


def literals(tap, admin, session):
    rng = random.Random(7)
    admin.execute("SET session_replication_role = replica")
    admin.execute("SET synchronous_commit = off")
    names = ["OR-00000%03d" % n for n in range(891, 899)]
    saved = admin.execute("SELECT name, created_at FROM orchestration.run WHERE name = ANY(%s)", (names,)).fetchall()
    listed = "(%s)" % ", ".join("'%s'" % n for n in names)
    for number, zone_name in enumerate(ZONES):
        zone, weekday, fiscal = zoneinfo.ZoneInfo(zone_name), (number * 3 + 6) % 7, 1 + number * 5 % 12
        session.execute("SELECT set_config('TimeZone', %s, false), set_config('orchestration.first_day_of_week', %s, false), set_config('orchestration.fiscal_year_start', %s, false)",
                        (zone_name, WEEKDAYS[weekday], str(fiscal)))
        wrong, n = [], 0
        choices = list(all_literals(rng))
        today = datetime.datetime.now(zone).date()
        # the days on which the clocks change
        for days in range(1, 800):
            day = today - datetime.timedelta(days=days)
            if midnight(day + datetime.timedelta(days=1), zone) - midnight(day, zone) != datetime.timedelta(days=1):
                choices.append(("N_DAYS_AGO:%d" % days, "DAY", -days, -days))
        for text, unit, first, last in choices:
            for attempt in range(3):
                now = admin.execute("SELECT now()").fetchone()[0].astimezone(zone)
                start = midnight(unit_start(unit, now.date(), first, weekday, fiscal), zone)
                end = midnight(unit_start(unit, now.date(), last + 1, weekday, fiscal), zone) if last is not None else None
                tick = datetime.timedelta(microseconds=1)
                inside = datetime.timedelta(hours=1)
                if end is None:
                    # the day may be younger than that, and the queries take place a little after now
                    inside = min(inside, (now - start) / 2)
                times = [start - tick, start, start + inside, start - datetime.timedelta(hours=1)]
                times += [end - tick, end, end - datetime.timedelta(hours=1), end + datetime.timedelta(hours=1)] if end else \
                    [now, now + datetime.timedelta(hours=1), now - datetime.timedelta(seconds=1), now + datetime.timedelta(days=400)]
                admin.execute("UPDATE orchestration.run r SET created_at = t.at FROM unnest(%s::text[], %s::timestamptz[]) t (name, at) WHERE r.name = t.name", (names, times))
                end = end or now + datetime.timedelta(minutes=30)
                operators = ["="] + rng.sample(["<", ">", "<=", ">=", "!="], 1 if number else 5)
                found = {o: check.run(session, "SELECT Name FROM @Run WHERE Name IN %s AND CreatedDate %s %s" % (listed, o, text.lower() if number % 2 else text)) for o in operators}
                if admin.execute("SELECT now()").fetchone()[0].astimezone(zone).date() == now.date():
                    break
            for operator, (result, error) in found.items():
                n += 1
                test_ = {"=": lambda t: start <= t < end, "!=": lambda t: not start <= t < end, "<": lambda t: t < start, ">": lambda t: t >= end,
                         "<=": lambda t: t < end, ">=": lambda t: t >= start}[operator]
                expected = sorted(name for name, t in zip(names, times) if test_(t))
                got = error or sorted(r["Name"] for r in result["records"])
                if got != expected:
                    wrong.append("%s %s: %s, expected %s" % (operator, text, got, expected))
                    wrong.append("  start %s, end %s, times %s" % (start, end, [str(t) for t in times]))
        tap.ok(not wrong, "date literals in %s, weeks from %s, fiscal years from month %d (%d queries)" % (zone_name, WEEKDAYS[weekday], fiscal, n), wrong[:10])
    for name, at in saved:
        admin.execute("UPDATE orchestration.run SET created_at = %s WHERE name = %s", (at, name))
    admin.execute("RESET session_replication_role")
    session.execute("SET TimeZone = 'UTC'")
    session.execute("RESET orchestration.first_day_of_week")
    session.execute("RESET orchestration.fiscal_year_start")


# ------------------------------------------------------------ date functions

def fiscal_date(t, start):
    """The same day, so many months on that the fiscal year becomes a calendar year."""
    month = t.month - 1 + (13 - start) % 12
    return t.year + month // 12, month % 12 + 1


PARTS = {
    "CALENDAR_MONTH": lambda t, f: t.month, "CALENDAR_QUARTER": lambda t, f: (t.month + 2) // 3, "CALENDAR_YEAR": lambda t, f: t.year,
    "DAY_IN_MONTH": lambda t, f: t.day, "DAY_IN_WEEK": lambda t, f: t.isoweekday() % 7 + 1, "DAY_IN_YEAR": lambda t, f: t.timetuple().tm_yday,
    "DAY_ONLY": lambda t, f: str(t.date()), "FISCAL_MONTH": lambda t, f: fiscal_date(t, f)[1], "FISCAL_QUARTER": lambda t, f: (fiscal_date(t, f)[1] + 2) // 3,
    "FISCAL_YEAR": lambda t, f: fiscal_date(t, f)[0], "HOUR_IN_DAY": lambda t, f: t.hour, "WEEK_IN_MONTH": lambda t, f: (t.day - 1) // 7 + 1,
    "WEEK_IN_YEAR": lambda t, f: (t.timetuple().tm_yday - 1) // 7 + 1}


def functions(tap, admin, session):
    times = [row[0] for row in admin.execute("SELECT created_at FROM orchestration.run")]
    for zone_name, fiscal in (("UTC", 1), ("America/New_York", 4), ("Pacific/Auckland", 10), ("Asia/Kolkata", 12)):
        session.execute("SELECT set_config('TimeZone', %s, false), set_config('orchestration.fiscal_year_start', %s, false)", (zone_name, str(fiscal)))
        wrong = []
        for name, part in PARTS.items():
            for argument, zone in (("CreatedDate", datetime.timezone.utc), ("convertTimezone(CreatedDate)", zoneinfo.ZoneInfo(zone_name))):
                call = "%s(%s)" % (name, argument)
                expected = collections.Counter(part(t.astimezone(zone), fiscal) for t in times)
                result, error = check.run(session, "SELECT %s x, COUNT(Id) n FROM @Run GROUP BY %s" % (call, call))
                found = error or {r["x"]: r["n"] for r in result["records"]}
                if found != expected:
                    wrong.append("%s: %s, expected %s" % (call, found, expected))
        tap.ok(not wrong, "date functions, and convertTimezone, in %s, fiscal years from month %d" % (zone_name, fiscal), wrong)
    session.execute("SET TimeZone = 'UTC'")
    session.execute("RESET orchestration.fiscal_year_start")


# ------------------------------------------------------------ properties of fields

def properties(tap, session):
    """Filter, Sort and Group allow, and only they."""
    for name in QUERYABLE:
        wrong = []
        for field in BY_OBJECT[name]:
            has = [p.strip() for p in field["properties"].split(",")]
            for clause, needed, code in (("SELECT COUNT() FROM %s WHERE %s = null", "Filter", "INVALID_FIELD"),
                                         ("SELECT COUNT() FROM %s WHERE %s NOT IN (null)", "Filter", "INVALID_FIELD"),
                                         ("SELECT %s FROM %s ORDER BY %s DESC NULLS LAST", "Sort", "MALFORMED_QUERY"),
                                         ("SELECT %s, COUNT(Id) n FROM %s GROUP BY %s", "Group", "MALFORMED_QUERY"),
                                         ("SELECT %s, COUNT(Id) n FROM %s GROUP BY ROLLUP(%s)", "Group", "MALFORMED_QUERY")):
                soql = clause % ((name, field["field"]) if clause.count("%s") == 2 else (field["field"], name, field["field"]))
                result, error = check.run(session, soql)
                if needed in has:
                    wrong += ["%s: %s" % (soql, error)] if error else []
                else:
                    wrong += ["%s: %s" % (soql, w) for w in check.error_form(error, code, "can not be")]
        tap.ok(not wrong, "Filter, Sort and Group of %s" % name, wrong[:10])


def aggregates(tap, session):
    """Which aggregate takes which type: reference.md, 5.4."""
    for name in QUERYABLE:
        wrong = []
        for field in BY_OBJECT[name]:
            kind = field["type"].lower()
            numeric = kind in ("int", "long", "double")
            other = kind not in ("boolean", "anytype") and not (kind == "textarea" and int(field["length"]) > 255)
            for aggregate in ("COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "avg"):
                soql = "SELECT %s(%s) FROM %s" % (aggregate, field["field"], name)
                result, error = check.run(session, soql)
                if numeric if aggregate in ("SUM", "avg") else other:
                    wrong += ["%s: %s" % (soql, error)] if error else check.form(result)
                else:
                    wrong += ["%s: %s" % (soql, w) for w in check.error_form(error, "MALFORMED_QUERY", "aggregate")]
        tap.ok(not wrong, "aggregates of the fields of %s" % name, wrong[:10])


def having(tap, sessions):
    """HAVING of a field that is grouped, against WHERE; as a person who sees few records, and as one who sees all."""
    for name in QUERYABLE:
        wrong = []
        for field in BY_OBJECT[name]:
            has = [p.strip() for p in field["properties"].split(",")]
            if "Group" not in has or "Filter" not in has:
                continue
            for person in ("sam", "vic"):
                records = check.run(sessions[person], "SELECT %s FROM %s WHERE %s != null LIMIT 1" % (field["field"], name, field["field"]))[0]["records"]
                value = records[0][field["field"]] if records else "00000000-0000-7000-8000-000000000001" if field["type"] in ("id", "reference") else None
                literal = "'%s'" % re.sub(r"([\\'])", r"\\\1", value) if isinstance(value, str) else json.dumps(value)
                for condition in ["= null", "!= null"] + (["= " + literal, "IN (%s)" % literal, "!= " + literal] if value is not None else []):
                    form = "SELECT %s, COUNT(Id) n FROM %s%%s GROUP BY %s%%s" % (field["field"], name, field["field"])
                    test = "%s %s" % (field["field"], condition)
                    found, error = check.run(sessions[person], form % ("", " HAVING " + test))
                    expected, _ = check.run(sessions[person], form % (" WHERE " + test, ""))
                    if error:
                        wrong.append("as %s: HAVING %s: %s" % (person, test, error))
                    # durations grow meanwhile
                    elif field["type"] not in ("int", "long", "double") and sorted(map(json.dumps, found["records"])) != sorted(map(json.dumps, expected["records"])):
                        wrong.append("as %s: HAVING %s: %s, expected %s" % (person, test, found["records"][:3], expected["records"][:3]))
        tap.ok(not wrong, "HAVING of the fields of %s" % name, wrong[:10])


# ------------------------------------------------------------ all fields

def objects(tap, sessions):
    """SELECT of all fields, FIELDS(ALL) and FIELDS(STANDARD) against the view, in one statement: durations grow."""
    for name in QUERYABLE:
        fields = BY_OBJECT[name]
        columns = []
        for field in fields:
            column = 'v."%s"' % field["column"]
            if field["type"] == "dateTime":
                column = "to_char(date_trunc('milliseconds', %s AT TIME ZONE 'UTC'), 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"+0000\"')" % column
            elif field["field"] == "ScreenFlowInputs":
                column += "::text"
            columns.append(column)
        names = [f["field"] for f in fields]
        for person in ("sam", "vic", "nil", "super"):
            wrong = []
            listed = "SELECT %s FROM %s" % (", ".join(names), name)
            for soql, limit in ((listed, ""), ("SELECT FIELDS(STANDARD) FROM %s" % name, ""), ("SELECT FIELDS(ALL) FROM %s LIMIT 200" % name, None)):
                if person != "sam" and soql != listed:
                    continue
                result, expected = sessions[person].execute(
                    "SELECT orchestration.query(%%s)::text, (SELECT json_agg(json_build_array(v.id, json_build_array(%s))) FROM orchestration.\"%s\" v)" % (", ".join(columns), view(name)), (soql,)).fetchone()
                result = check.load(result)
                expected = {i: row for i, row in expected or []}
                wrong += check.form(result)[:3]
                if limit is not None and result["totalSize"] != len(expected) or len(result["records"]) != min(len(expected), 200 if limit is None else 2000):
                    wrong.append("%s: %d records, expected %d" % (soql, result["totalSize"], len(expected)))
                for record in result["records"]:
                    if list(record) != ["attributes"] + names:
                        wrong.append("keys: %s" % list(record))
                    elif not check.same(list(record.values())[1:], expected[record["Id"]]):
                        wrong += ["found: %s" % list(record.values())[1:], "expected: %s" % expected[record["Id"]]]
                    if wrong:
                        break
            tap.ok(not wrong, "as %s: all fields of %s" % (person, name), wrong[:10])


def versions(tap, session):
    """Fields and objects that are newer than the version do not exist in it."""
    for name in QUERYABLE:
        wrong = []
        for version in sorted({since(f) for f in BY_OBJECT[name]} | {20.0, 51.0, 67.0}):
            for offset in (0, -1):
                v = version + offset
                result, error = check.run(session, "SELECT Id FROM %s" % name, v)
                if v < SINCE[name]:
                    wrong += ["%s in %s: %s" % (name, v, w) for w in check.error_form(error, "INVALID_TYPE", "is not supported")]
                    continue
                wrong += ["%s in %s: %s" % (name, v, error)] if error else check.form(result, str(v))
                for field in BY_OBJECT[name]:
                    if since(field) in (version, v):
                        result, error = check.run(session, "SELECT %s FROM %s" % (field["field"], name), v)
                        if v >= since(field):
                            wrong += ["%s in %s: %s" % (field["field"], v, error)] if error else []
                        else:
                            wrong += ["%s in %s: %s" % (field["field"], v, w) for w in check.error_form(error, "INVALID_FIELD", "No such column '%s'" % field["field"])]
        tap.ok(not wrong, "API versions of %s" % name, wrong[:10])
    result, error = check.run(session, "SELECT FIELDS(STANDARD) FROM @Run", 51.0)
    tap.ok(error is not None and error.sqlstate == "OR401", "FIELDS of an object that is newer than the version")
    result, error = check.run(session, "SELECT FIELDS(STANDARD) FROM User", 50.0)
    tap.ok(not check.error_form(error, "MALFORMED_QUERY", "51.0"), "FIELDS is newer than version 50.0", [error])
    for text in ("'NaN'", "'Infinity'", "'-Infinity'", "1e10", "-1e10"):
        try:
            session.execute("SELECT orchestration.query('SELECT Id FROM User', %s::numeric)" % text)
            state = None
        except Exception as e:
            state = e.sqlstate
        tap.ok(state in ("22023", "22003", "OR401"), "an API version that is none: %s" % text, [state])
