"""rights.py: privileges of columns and changes of sharing, also for queries that the session keeps.

SPDX-License-Identifier: PostgreSQL
"""
from query import check, world

HIDDEN = [      # queries that need CurrentStage of a run
    "SELECT CurrentStage FROM @Run", "SELECT Id FROM @Run WHERE CurrentStage = 'x'", "SELECT Id FROM @Run WHERE CurrentStage = null", "SELECT Id FROM @Run ORDER BY CurrentStage",
    "SELECT OrchestrationInstance.CurrentStage FROM @Stage", "SELECT Id FROM @Step WHERE StageInstance.OrchestrationInstance.CurrentStage = 'x'",
    "SELECT Id FROM @Stage ORDER BY OrchestrationInstance.CurrentStage", "SELECT CurrentStage, COUNT(Id) FROM @Run GROUP BY CurrentStage", "SELECT MAX(CurrentStage) FROM @Run",
    "SELECT COUNT() FROM @Run WHERE CurrentStage LIKE '%'", "SELECT toLabel(CurrentStage) FROM @Run", "SELECT Status FROM @Run GROUP BY Status HAVING MIN(CurrentStage) = 'x'",
    "SELECT Id FROM @Stage WHERE OrchestrationInstanceId IN (SELECT Id FROM @Run WHERE CurrentStage = 'x')", "SELECT r.CurrentStage FROM @Run r",
    "SELECT Name, (SELECT OrchestrationInstance.CurrentStage FROM FlowOrchestrationStageInstances) FROM @Run",
]


def columns(admin, view, without):
    """Leaves out one column; returns what undoes it."""
    names = [r[0] for r in admin.execute("SELECT attname FROM pg_attribute WHERE attrelid = ('orchestration.' || %s)::regclass AND attnum > 0", (view,))]
    admin.execute("REVOKE SELECT ON orchestration.%s FROM PUBLIC" % view)
    admin.execute("GRANT SELECT (%s) ON orchestration.%s TO PUBLIC" % (", ".join('"%s"' % n for n in names if n != without), view))


def restore(admin, view):
    admin.execute("DO $$DECLARE c name; BEGIN FOR c IN SELECT attname FROM pg_attribute WHERE attrelid = 'orchestration.%s'::regclass AND attnum > 0 LOOP"
                  " EXECUTE format('REVOKE SELECT (%%I) ON orchestration.%s FROM PUBLIC', c); END LOOP; END$$" % (view, view))
    admin.execute("GRANT SELECT ON orchestration.%s TO PUBLIC" % view)


def test(tap, admin, sessions):
    sam = sessions["sam"]
    before = [check.run(sam, soql) for soql in HIDDEN]
    everything, error = check.run(sam, "SELECT FIELDS(ALL) FROM @Run ORDER BY Name LIMIT 1")
    tap.ok(not any(e for _, e in before), "queries with the field", [e for _, e in before if e])
    columns(admin, "flow_orchestration_instance", "current_stage")
    for soql in HIDDEN:
        result, error = check.run(sam, soql)
        wrong = check.error_form(error, "INVALID_FIELD", "No such column 'CurrentStage' on entity 'FlowOrchestrationInstance'")
        tap.ok(not wrong, "without the privilege: " + soql, wrong)
    result, error = check.run(sam, "SELECT FIELDS(ALL) FROM @Run ORDER BY Name LIMIT 1")
    tap.ok(error is None and list(result["records"][0]) == [k for k in everything["records"][0] if k != "CurrentStage"], "FIELDS(ALL) leaves it out", [error or list(result["records"][0])])
    result, error = check.run(sam, "SELECT FIELDS(STANDARD) FROM @Run LIMIT 1")
    tap.ok(error is None and "CurrentStage" not in result["records"][0], "FIELDS(STANDARD), too", [error])
    result, error = check.run(sam, "SELECT Id, Name FROM @Run")
    tap.ok(error is None and result["totalSize"] > 0, "other fields can be queried", [error])
    result, error = check.run(sam, "SELECT Id, Name FROM @Run WHERE Status != 'Error'", deleted=True)
    tap.ok(error is None and result["totalSize"] > 0, "also with deleted records", [error])
    result, error = check.run(sam, "SELECT COUNT() FROM @Run", deleted=True)
    tap.ok(error is None and result["totalSize"] > 0, "which can be counted", [error])
    result, error = check.run(sessions["super"], HIDDEN[0])
    tap.ok(error is None, "by a superuser this one, too", [error])
    result, error = check.run(sam, "SELECT CurrentStages FROM @Run")
    tap.ok("No such column 'CurrentStages' on entity 'FlowOrchestrationInstance'" in str(error), "the message is that of a field that does not exist", [error])
    restore(admin, "flow_orchestration_instance")
    after = [check.run(sam, soql) for soql in HIDDEN]
    tap.ok([r for r, _ in after] == [r for r, _ in before], "with the privilege again, as before", [e for _, e in after if e])
    result, error = check.run(sam, "SELECT FIELDS(ALL) FROM @Run ORDER BY Name LIMIT 1")
    tap.ok(error is None and list(result["records"][0]) == list(everything["records"][0]), "FIELDS(ALL) has it again", [error or list(result["records"][0])])
    # a page that was begun with the privilege
    first, _ = check.run(sam, "SELECT Id, CurrentStage FROM @Run ORDER BY Name", batch=200)
    columns(admin, "flow_orchestration_instance", "current_stage")
    try:
        sam.execute("SELECT orchestration.query_more(%s)", (first["nextRecordsUrl"],))
        error = None
    except Exception as e:
        error = e
    tap.ok(not check.error_form(error, "INVALID_FIELD", "No such column 'CurrentStage'"), "query_more() without the privilege", [error])
    restore(admin, "flow_orchestration_instance")
    # a reference that a path goes by
    columns(admin, "flow_orchestration_instance", "owner_id")
    for soql in ("SELECT Owner.Name FROM @Run", "SELECT Id FROM @Run WHERE Owner.Name = 'x'", "SELECT Id FROM @Run ORDER BY Owner.Name"):
        result, error = check.run(sam, soql)
        tap.ok(not check.error_form(error, "INVALID_FIELD", "Didn't understand relationship 'Owner'"), "a path over a hidden reference: " + soql, [error])
    result, error = check.run(sam, "SELECT Id FROM @Run USING SCOPE mine")
    tap.ok(not check.error_form(error, "INVALID_FIELD", "No such column 'OwnerId'"), "USING SCOPE mine without OwnerId", [error])
    restore(admin, "flow_orchestration_instance")
    # no privilege on the Id
    columns(admin, "flow_orchestration_stage_instance", "id")
    for soql in ("SELECT Id FROM @Stage", "SELECT Name FROM @Stage", "SELECT COUNT() FROM @Stage", "SELECT COUNT(Name) FROM @Stage", "SELECT Id, StageInstance.Name FROM @Step",
                 "SELECT Id, (SELECT Name FROM FlowOrchestrationStageInstances) FROM @Run", "SELECT FIELDS(STANDARD) FROM @Stage"):
        result, error = check.run(sam, soql)
        tap.ok(error is None or not check.error_form(error, "INVALID_FIELD", "No such column 'Id'"), "without the privilege on Id: " + soql, [error])
    restore(admin, "flow_orchestration_stage_instance")
    # a kept query sees changes of sharing at once
    soql = "SELECT COUNT() FROM @Step"
    counted = check.run(sessions["nil"], soql)[0]["totalSize"]
    admin.execute("SELECT orchestration.set_default_access('FlowOrchestrationStepInstance', 'Read')")
    total = admin.execute("SELECT count(*) FROM orchestration.step_run").fetchone()[0]
    tap.ok(counted == 0 and check.run(sessions["nil"], soql)[0]["totalSize"] == total, "a default of Read shows all steps to Nil")
    world.see(admin)
    seen = admin.execute("SELECT count(*) FROM oracle.seen WHERE person = 'nil'").fetchone()[0]
    tap.ok(seen == total, "so says the oracle")
    admin.execute("SELECT orchestration.set_default_access('FlowOrchestrationStepInstance', 'Private')")
    tap.ok(check.run(sessions["nil"], soql)[0]["totalSize"] == 0, "and Private none")
    # roles without a user
    try:
        sessions["nil"].execute("RESET ROLE")
        admin.execute("UPDATE orchestration.principal SET is_active = false WHERE role_name = 'soql_nil'")
        sessions["nil"].execute("SET ROLE soql_nil")
        sessions["nil"].execute("SELECT orchestration.query('SELECT Id FROM User')")
        state = None
    except Exception as e:
        state = e.sqlstate
    tap.ok(state == "42501", "an inactive user", [state])
