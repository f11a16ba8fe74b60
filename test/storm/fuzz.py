#!/usr/bin/env python3
"""fuzz.py: malformed, huge, deep and wrongly typed arguments.

Every function of the extension that takes jsonb, and the calls that take text[],
get FUZZ_CASES (2500) arguments made by mutating valid ones: other types, renamed and
repeated keys, nesting of 10,000 levels, strings of a megabyte, extreme numbers,
unknown ids, ids of another user's records, text that is no JSON.  Calls are made as a
superuser, as a user with all permissions, and as a user with few.  Allowed are errors that
doc/failures.md names, and PostgreSQL's own errors for input that is no value of the type.  Not allowed
are an internal error, a lost session, a refused call that changed a row, a result of another
length, an unknown status code, and a session that grows.

FUZZ_SEED (1) seeds the choices.  Expects a server in PGHOST, ..., and the extension
in the database PGDATABASE.  Prints TAP.
"""
import collections
import copy
import json
import os
import random
import subprocess
import sys

CASES = int(os.environ.get("FUZZ_CASES", "2500"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))

PREPARE = r"""
\set QUIET 1
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
CREATE TABLE public.fuzz_done (n integer, what text, sqlstate text, message text, problem text);
GRANT ALL ON public.fuzz_done TO PUBLIC;
CREATE ROLE fuzz_boss; CREATE ROLE fuzz_small;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA orchestration TO fuzz_boss;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_get_backend_memory_contexts() TO PUBLIC;
GRANT SELECT ON pg_catalog.pg_backend_memory_contexts TO PUBLIC;
SELECT orchestration.create_user('boss@example.com', role_name => 'fuzz_boss') AS boss, orchestration.create_user('small@example.com', role_name => 'fuzz_small') AS small,
       orchestration.create_group('Fuzz_Group') AS grp \gset
SELECT orchestration.update_user(:'boss', modify_all_data => true, view_all_data => true, manage_runs => true, manage_definitions => true, reassign_work_items => true) \g /dev/null
SELECT orchestration.register_action('fuzz_screen', 'screen'), orchestration.register_action('fuzz_worker', 'worker'), orchestration.register_action('fuzz_other', 'worker') \g /dev/null
SELECT orchestration.deploy_orchestration(:'definition'::jsonb), orchestration.activate_orchestration('Fuzz') \g /dev/null
SELECT orchestration.start_orchestration('Fuzz', owner_id => :'small') FROM generate_series(1, 20) \g /dev/null
SELECT orchestration.share_record(r.id, :'grp'), orchestration.post_to_feed(r.id, 'a post') FROM orchestration.run r LIMIT 5 \g /dev/null
SELECT orchestration.create_owner_sharing_rule('FlowOrchestrationInstance', :'grp', :'small') \g /dev/null
-- the result of a case, rolled back; a refused case must not change the state
CREATE FUNCTION public.fuzz_state() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$
    SELECT md5(concat((SELECT string_agg(r::text, '' ORDER BY id) FROM orchestration.run r), (SELECT string_agg(g::text, '' ORDER BY id) FROM orchestration.share_grant g),
                      (SELECT string_agg(w::text, '' ORDER BY id) FROM orchestration.work_item w), (SELECT string_agg(u::text, '' ORDER BY id) FROM orchestration.owner_sharing_rule u),
                      (SELECT string_agg(f::text, '' ORDER BY id) FROM orchestration.feed_item f), (SELECT string_agg(l::text, '') FROM orchestration.sobject_layout l))) $$;
CREATE FUNCTION public.fuzz(n integer, what text, call text, argument text, length integer, codes text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    before text := public.fuzz_state();
    result text;
    problem text;
    r jsonb;
    refused integer := 0;
BEGIN
    BEGIN
        EXECUTE call INTO result USING argument;
        IF length IS NOT NULL THEN
            IF jsonb_array_length(result::jsonb) <> length THEN
                problem := 'result of another length';
            END IF;
            FOR r IN SELECT jsonb_array_elements(result::jsonb) LOOP
                IF r->'success' = 'false' THEN
                    refused := refused + 1;
                    IF r->'errors'->0->>'statusCode' <> ALL (codes) OR r->'errors'->0->>'message' IS NULL THEN
                        problem := 'status code ' || COALESCE(r->'errors'->0->>'statusCode', 'null') || ': ' || (r->'errors'->0->>'message');
                    END IF;
                ELSIF r->'success' IS DISTINCT FROM 'true' AND what NOT LIKE 'retrieve%' THEN
                    problem := 'no result: ' || r;
                END IF;
            END LOOP;
            IF refused = length AND public.fuzz_state() <> before THEN
                problem := 'all was refused, and something changed';
            END IF;
        END IF;
        IF problem IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'ZZ000';
        END IF;
        INSERT INTO public.fuzz_done VALUES (n, what, '00000', left(argument, 200), problem);
    EXCEPTION WHEN OTHERS THEN
        INSERT INTO public.fuzz_done VALUES (n, what, SQLSTATE, left(SQLERRM, 200), CASE WHEN public.fuzz_state() <> before THEN 'refused, and something changed' END);
    END;
END $$;
"""

DEFINITION = {
    "fullName": "Fuzz", "label": "Fuzz", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
    "variables": [{"name": "amount", "dataType": "Number", "isInput": True, "isOutput": False, "isCollection": False}],
    "decisions": [{"name": "D", "label": "D", "defaultConnectorLabel": "no", "rules": [
        {"name": "R", "label": "R", "conditionLogic": "1 AND (2 OR 1)", "conditions": [
            {"leftValueReference": "amount", "operator": "GreaterThan", "rightValue": {"numberValue": 5}},
            {"leftValueReference": "amount", "operator": "IsNull", "rightValue": {"booleanValue": False}}]}]}],
    "orchestratedStages": [{"name": "S", "label": "S", "exitConditionLogic": "and", "connector": {"targetReference": "D"}, "stageSteps": [
        {"name": "I", "label": "I", "actionType": "stepInteractive", "actionName": "fuzz_screen", "entryConditionLogic": "and",
         "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "small@example.com"}}],
         "inputParameters": [{"name": "x", "value": {"elementReference": "amount"}}]},
        {"name": "W", "label": "W", "actionType": "stepBackground", "requiresAsyncProcessing": True, "actionName": "fuzz_worker", "entryConditionLogic": "and"}]}]}

# src/call/save_error.c, src/call/save.c, src/call/save_record.c
CODES = ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "DUPLICATE_EXTERNAL_ID", "DUPLICATE_VALUE", "ENTITY_IS_DELETED", "FIELD_CUSTOM_VALIDATION_EXCEPTION",
         "FIELD_INTEGRITY_EXCEPTION", "INACTIVE_OWNER_OR_USER", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "INSUFFICIENT_ACCESS_OR_READONLY",
         "INVALID_ACCESS_LEVEL", "INVALID_CROSS_REFERENCE_KEY", "INVALID_EMPTY_KEY_OWNER", "INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE",
         "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "INVALID_TYPE", "INVALID_TYPE_FOR_OPERATION", "INVALID_TYPE_ON_FIELD_IN_RECORD", "MALFORMED_ID",
         "MISSING_ARGUMENT", "REQUIRED_FIELD_MISSING", "STATE_TRANSITION_NOT_ALLOWED", "STRING_TOO_LONG"]
# 22: not a value of the type; 42501: missing right; 54001: nested deeper than PostgreSQL's own
# parsers allow; OR: doc/failures.md
ALLOWED = ("00000", "ZZ000", "22004", "22023", "22P02", "22P05", "22021", "22003", "22030", "42501", "54001", "54000", "21000", "23505", "OR")


def mutate(rng, value, ids, depth=0):
    """The value with a mutation in one place."""
    junk = [None, True, False, 0, -1, 1.5, 1e300, 10 ** 60, "", " ", "x", "é☃\u2028", "\n\t", "null", "x" * 1000, [], {}, [[]], [None], {"a": None},
            rng.choice(ids), rng.choice(ids).upper(), "00000000-0000-0000-0000-000000000000", "'; DROP TABLE x; --", "$1", "{!x}", [1, "2", {"3": []}]]
    roll = rng.random()
    if isinstance(value, dict) and value and roll < 0.85:
        key = rng.choice(list(value))
        how = rng.random()
        value = dict(value)
        if how < 0.6:
            value[key] = mutate(rng, value[key], ids, depth + 1)
        elif how < 0.75:
            value[rng.choice(["Nonsense", key.lower(), key + " ", "Id", "attributes", "fieldsToNull", "type", "", "é"])] = value.pop(key)
        elif how < 0.9:
            del value[key]
        else:
            value[rng.choice(["Status", "OwnerId", "fieldsToNull", "Name", "AccessLevel", "x" * 300])] = rng.choice(junk)
        return value
    if isinstance(value, list) and value and roll < 0.85:
        place = rng.randrange(len(value))
        how = rng.random()
        value = list(value)
        if how < 0.7:
            value[place] = mutate(rng, value[place], ids, depth + 1)
        elif how < 0.8 and len(value) < 20:
            value = value * rng.choice([2, 13, 70])
        elif how < 0.9:
            del value[place]
        else:
            value.insert(place, rng.choice(junk))
        return value
    return rng.choice(junk)


def text_of(rng, value):
    """As text: mostly JSON, sometimes malformed, too large or too deep."""
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5)
    roll = rng.random()
    if roll < 0.03:
        return text[:rng.randrange(len(text) + 1)]
    if roll < 0.05:
        return "[" * 10000 + "]" * 10000
    if roll < 0.06:
        return '{"a":' * 5000 + "1" + "}" * 5000
    if roll < 0.08:
        return text.replace("x", "x" * 1000000, 1) if "x" in text else '["%s"]' % ("y" * 1000000)
    if roll < 0.10:
        return text.replace("1", rng.choice(["1e131071", "-1e-16383", "NaN", "0x1", "\\u0000", "01"]), 1)
    if roll < 0.11:
        return text.replace('"', "'", 1)
    return text


def main():
    rng = random.Random(SEED)

    def psql(script, variables=()):
        return subprocess.run(["psql", "-XAtq", "-F", "\t"] + [x for v in variables for x in ("-v", v)], input=script,
                              capture_output=True, text=True)

    setup = psql(PREPARE, ["definition=" + json.dumps(DEFINITION)])
    if setup.returncode != 0:
        print("Bail out! %s" % setup.stderr)
        return 1

    def column(query):
        return psql(query).stdout.split()

    runs = column("SELECT id FROM orchestration.run ORDER BY id")
    shares = column("SELECT id FROM orchestration.share_grant")
    rules = column("SELECT id FROM orchestration.owner_sharing_rule")
    posts = column("SELECT id FROM orchestration.feed_item")
    items = column("SELECT id FROM orchestration.work_item")
    steps = column("SELECT id FROM orchestration.step_run")
    people = column("SELECT id FROM orchestration.principal")
    ids = runs + shares + rules + posts + items + steps + people

    def record(object, **fields):
        return dict({"attributes": {"type": object}}, **fields)

    def records(kind):
        choices = {
            "update": [lambda: record("FlowOrchestrationInstance", Id=rng.choice(runs), Status=rng.choice(["Suspended", "InProgress", "Canceled"]), InterviewId=rng.choice(ids)),
                       lambda: record("FlowOrchestrationInstance", Id=rng.choice(runs), fieldsToNull=["InterviewId"]),
                       lambda: record("FlowOrchestrationWorkItem", Id=rng.choice(items), AssigneeId=rng.choice(people), OwnerId=rng.choice(people)),
                       lambda: record("FlowOrchestrationInstanceShare", Id=rng.choice(shares), AccessLevel=rng.choice(["Read", "Edit"])),
                       lambda: record("FlowOrchestrationInstanceOwnerSharingRule", Id=rng.choice(rules), Name="Rule x", Description="1")],
            "create": [lambda: record("FlowOrchestrationInstanceShare", ParentId=rng.choice(runs), UserOrGroupId=rng.choice(people), AccessLevel="Read"),
                       lambda: record("FlowOrchestrationStepInstanceOwnerSharingRule", Name="Rule x", GroupId=rng.choice(people), UserOrGroupId=rng.choice(people),
                                      AccessLevel="Edit", DeveloperName="Rule_1")]}
        choices["upsert"] = choices["update"][3:] + choices["create"]
        return [rng.choice(choices[kind])() for _ in range(rng.choice([1, 1, 2, 5]))]

    layout = {"sections": [{"heading": "x", "columns": 1, "fields": ["Name", "Status"]}], "relatedLists": [{"name": "Shares", "columns": ["AccessLevel"]}]}
    context = {"amount": 1, "text": "x"}
    # function: (the call, a generator of valid arguments, whether it takes records)
    functions = {
        "update": ("SELECT orchestration.update($1::jsonb, %s)" % "%(bool)s", lambda: records("update"), True),
        "create": ("SELECT orchestration.create($1::jsonb, %(bool)s)", lambda: records("create"), True),
        "upsert": ("SELECT orchestration.upsert('%(field)s', $1::jsonb, %(bool)s)", lambda: records("upsert"), True),
        "set_layout": ("SELECT orchestration.set_layout('FlowOrchestrationInstance', $1::jsonb)", lambda: layout, False),
        "deploy_orchestration": ("SELECT orchestration.deploy_orchestration($1::jsonb)", lambda: DEFINITION, False),
        "validate_orchestration": ("SELECT count(*) FROM orchestration.validate_orchestration($1::jsonb)", lambda: DEFINITION, False),
        "start_orchestration": ("SELECT orchestration.start_orchestration('Fuzz', NULL, $1::jsonb)", lambda: {"amount": 1}, False),
        "complete_work_item": ("SELECT orchestration.complete_work_item('%(item)s', $1::jsonb)", lambda: {"selectedAction": "x", "Comments": "x"}, False),
        "complete_steps": ("SELECT count(*) FROM orchestration.complete_steps($1::jsonb)", lambda: [{"step_id": rng.choice(steps), "lease_id": rng.choice(ids), "outputs": {"a": 1}}], False),
        "fail_steps": ("SELECT count(*) FROM orchestration.fail_steps($1::jsonb)", lambda: [{"step_id": rng.choice(steps), "lease_id": rng.choice(ids), "message": "x"}], False),
        "evaluate_conditions": ("SELECT orchestration.evaluate_conditions($1::jsonb, '{\"amount\": 1}')",
                                lambda: {"conditionLogic": "1 OR 2", "conditions": DEFINITION["decisions"][0]["rules"][0]["conditions"]}, False),
        "evaluate_formula": ("SELECT orchestration.evaluate_formula('IF({!amount} > 1, {!text} & \"x\", TEXT({!amount}))', $1::jsonb)", lambda: context, False),
        "error_text": ("SELECT orchestration_internal.error_text($1::jsonb, 1333)", lambda: {"sqlstate": "P0001", "message": "it failed"}, False),
        "set_action_contract": ("SELECT orchestration.set_action_contract('fuzz_other', $1::jsonb, $1::jsonb)", lambda: {"a": {"dataType": "String", "isRequired": False}}, False),
        "dry_run": ("SELECT count(*) FROM orchestration.dry_run('Fuzz', NULL, $1::jsonb, $1::jsonb)", lambda: {"amount": 1}, False),
        "set_global": ("SELECT orchestration.set_global('$Fuzz', $1::jsonb)", lambda: {"Name": "x"}, False),
        "extend_leases": ("SELECT count(*) FROM orchestration.extend_leases($1::jsonb)", lambda: [{"step_id": rng.choice(steps), "lease_id": rng.choice(ids)}], False),
        "complete_and_claim": ("SELECT count(*) FROM orchestration.complete_and_claim($1::jsonb, 'w', '{fuzz}')", lambda: [{"step_id": rng.choice(steps), "lease_id": rng.choice(ids), "outputs": {"a": 1}}], False),
    }
    arrays = {
        "retrieve": ("SELECT orchestration.retrieve('{Id,Status}', 'FlowOrchestrationInstance', $1::text[])", lambda: rng.sample(ids, 5), True),
        "retrieve fields": ("SELECT orchestration.retrieve($1::text[], 'FlowOrchestrationInstance', '{}')", lambda: ["Id", "Name"], False),
        "delete": ("SELECT orchestration.delete($1::text[], %(bool)s)", lambda: rng.sample(ids, 5), True),
        "describe_sobjects": ("SELECT length(orchestration.describe_sobjects($1::text[])::text)", lambda: ["FlowOrchestrationInstance"], False),
        "set_history_tracking": ("SELECT orchestration.set_history_tracking('FlowOrchestrationInstance', $1::text[])", lambda: ["Status"], False),
    }
    number = 0
    failed = False

    def ok(condition, text):
        nonlocal number, failed
        number += 1
        failed = failed or not condition
        print("%sok %d - %s" % ("" if condition else "not ", number, text))

    known = set(column("SELECT DISTINCT p.proname FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'"
                       " JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'orchestration' WHERE 'jsonb'::regtype = ANY (p.proargtypes::oid[])"))
    ok(known == set(functions), "all functions with jsonb arguments: %s" % ", ".join(sorted(known ^ set(functions)) or ["as known"]))

    def array_text(value):
        def element(x):
            return "NULL" if x is None else '"%s"' % str(x).replace("\\", "\\\\").replace('"', '\\"')
        if not isinstance(value, list):
            return str(value)
        return "{%s}" % ",".join(element(x) for x in value)

    def dollar(text):
        return "$fuzz$%s$fuzz$" % text.replace("$fuzz$", "")

    scripts = [["\\set QUIET 1\nSET client_min_messages = error;\n"] for _ in range(3)]
    growth = "SELECT 'memory ' || sum(total_bytes) FROM pg_backend_memory_contexts;\n"
    names = list(functions) * 2 + list(arrays) + ["update"] * 8 + ["create", "upsert"] * 3
    for n in range(CASES):
        name = names[n % len(names)]
        call, valid, lengthy = functions.get(name) or arrays[name]
        value = copy.deepcopy(valid())
        for _ in range(rng.choice([0, 1, 1, 2, 4])):
            value = mutate(rng, value, ids)
        text = text_of(rng, value) if name in functions else array_text(value)
        try:
            parsed = json.loads(text) if name in functions else value
            length = str(len(parsed)) if lengthy and isinstance(parsed, list) else "NULL"
        except (ValueError, RecursionError):
            length = "NULL"
        call = call % {"bool": rng.choice(["true", "false"]), "field": rng.choice(["Id", "Name", "Nonsense"]), "item": rng.choice(items)}
        if "%s" in call:
            call = call % rng.choice(["true", "false"])
        who = n % 3
        scripts[who].append("SELECT public.fuzz(%d, %s, %s, %s, %s, '{%s}') \\g /dev/null\n" % (
            n, dollar(name), dollar(call), dollar(text), length, ",".join(CODES)))
        if n // 3 == CASES // 6:
            scripts[who].append(growth)
    sizes = []
    lost = []
    for who, script in zip(["", "SET ROLE fuzz_boss;\n", "SET ROLE fuzz_small;\n"], scripts):
        done = psql(who + "".join(script) + growth + "SELECT 'end';\n")
        sizes.append([int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("memory ")])
        if "end" not in done.stdout.splitlines():
            lost.append(done.stderr[-300:])
        for line in done.stderr.splitlines()[:3]:
            print("# %s" % line[:200])
    ok(not lost, "sessions lost: %s" % (lost or "none"))

    rows = [line.split("\t") for line in psql("SELECT what, sqlstate, count(*) FROM public.fuzz_done GROUP BY 1, 2 ORDER BY 1, 2").stdout.splitlines()]
    per = collections.defaultdict(list)
    for what, state, count in rows:
        per[what].append("%s %s" % ("done" if state == "ZZ000" else state, count))
    for what in sorted(per):
        print("# %-22s %s" % (what, "  ".join(per[what])))
    total = sum(int(count) for _, _, count in rows)
    ok(total >= CASES * 0.97, "%d of %d cases were executed" % (total, CASES))
    others = sorted({state for _, state, _ in rows if not state.startswith(ALLOWED)})
    for state in others:
        print("# " + psql("SELECT n, what, sqlstate, message FROM public.fuzz_done WHERE sqlstate = '%s' LIMIT 3" % state).stdout.replace("\n", "\n# "))
    ok(not others, "unexpected errors: %s" % (", ".join(others) or "none"))
    problems = psql("SELECT n, what, sqlstate, problem, message FROM public.fuzz_done WHERE problem IS NOT NULL LIMIT 10").stdout.strip()
    for line in problems.splitlines():
        print("# %s" % line[:300])
    ok(not problems, "results are as documented, refused calls changed no row")
    successes = [s for _, s, _ in rows if s == "ZZ000"]
    ok(len(successes) == len(functions) + len(arrays), "every function also succeeded")
    for first, *rest in (s for s in sizes if len(s) > 1):
        print("# memory of a session: %d kB half way, %d kB at the end" % (first // 1024, rest[-1] // 1024))
    ok(sizes[0] and all(s[-1] - s[0] < 8 * 1024 * 1024 for s in sizes if len(s) > 1), "the sessions do not grow")
    left = psql("SELECT invariant, object, detail FROM orchestration.verify()").stdout
    for line in left.splitlines()[:5]:
        print("# %s" % line)
    ok(not left, "verify() finds nothing")
    psql("DROP OWNED BY fuzz_boss, fuzz_small; DROP ROLE fuzz_boss, fuzz_small")
    print("1..%d" % number)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
