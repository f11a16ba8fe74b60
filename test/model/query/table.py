r"""table.py: queries with the rows that they return, or the error.

CASES: (SOQL, SQL over the views of the schema oracle).  The columns of the SQL stand for the
items of SELECT; children and TYPEOF are arrays in json.  ERRORS: (SOQL, code, part of the
message).  @Run is FlowOrchestrationInstance, and so on.

SPDX-License-Identifier: PostgreSQL
"""
CASES = []
ERRORS = []


def where(source, table, pairs):
    """Conditions of WHERE in SOQL and in SQL."""
    for soql, sql in pairs:
        CASES.append(("SELECT Id FROM %s WHERE %s" % (source, soql), "SELECT id FROM %s WHERE %s" % (table, sql)))


def refuse(code, part, *queries):
    ERRORS.extend((q, code, part) for q in queries)


def refuse_where(code, part, *conditions):
    refuse(code, part, *("SELECT Id FROM @Run WHERE " + c for c in conditions))


# ------------------------------------------------------------ what people ask (query.md, 1)

CASES += [
    ("SELECT Status, COUNT(Id) FROM @Run GROUP BY Status", "SELECT status, count(*) FROM run GROUP BY status"),
    ("SELECT Id, Status, CurrentStage FROM @Run ORDER BY CreatedDate DESC LIMIT 1",
     "SELECT id, status, current_stage FROM run ORDER BY created_at DESC LIMIT 1"),
    ("SELECT Id FROM @Step WHERE OrchestrationInstanceId = '00000000-0000-7000-8000-000000000123'", "SELECT id FROM step WHERE false"),
    ("SELECT Id, Name, StepInstanceId, Status, Label, Description, AssigneeId, RelatedRecordId FROM @Item WHERE Label IN ('Approval', 'Other')",
     "SELECT id, name, step_run_id, status, label, description, assignee_id, related_record_id FROM item WHERE low(label) IN ('approval', 'other')"),
    ("SELECT Id, RelatedRecordId, CreatedDate, LastModifiedDate, LastModifiedById FROM @Item WHERE Label = 'Approval' AND Status = 'Completed'"
     " AND LastModifiedDate = LAST_N_DAYS:3000 AND RelatedRecordId != null ORDER BY LastModifiedDate, Id",
     "SELECT id, related_record_id, created_at, modified_at, auto(modified_by) FROM item WHERE low(label) = 'approval' AND status = 'Completed'"
     " AND modified_at >= date_trunc('day', now()) - interval '3000 days' AND modified_at <= now() AND related_record_id IS NOT NULL ORDER BY modified_at, id"),
    ("SELECT COUNT() FROM @Item WHERE Status = 'InProgress'", "SELECT 0"),
    ("SELECT Id, Name, Status, OrchestrationName, CurrentStage, TriggeringRecord FROM @Run WHERE TriggeringRecord = 'A-1' ORDER BY CreatedDate DESC LIMIT 1",
     "SELECT id, name, status, orchestration_name, current_stage, triggering_record_id FROM run WHERE triggering_record_id = 'A-1'"),
    ("SELECT ApiName FROM FlowOrchestration", "SELECT unnest('{Alpha,Beta,Gamma}'::text[])"),
]
refuse("MALFORMED_QUERY", "arithmetic", "SELECT AVG(LastModifiedDate - CreatedDate) d FROM @Item")
refuse("INVALID_FIELD", "No such column 'DueDate' on entity 'FlowOrchestrationWorkItem'", "SELECT DueDate FROM @Item")
refuse("INVALID_FIELD", "No such column 'AssignedToId'", "SELECT Id FROM @Item WHERE AssignedToId = 'x'")
refuse("INVALID_FIELD", "No such column 'Label' on entity 'FlowOrchestrationInstance'", "SELECT Label FROM @Run")

# ------------------------------------------------------------ conditions (5.2)

where("@Run", "run", [
    ("Status = 'InProgress'", "status = 'InProgress'"),
    ("status = 'inprogress'", "status = 'InProgress'"),
    ("STATUS = 'INPROGRESS'", "status = 'InProgress'"),
    ("Status != 'InProgress'", "status <> 'InProgress'"),
    ("Status <> 'InProgress'", "status <> 'InProgress'"),
    ("Status = 'Nonsense'", "false"),
    ("Status != 'Nonsense'", "true"),
    ("Status = ''", "false"),
    ("NOT Status = 'Nonsense'", "true"),
    ("Status IN ('Error', 'error', 'Nonsense')", "status = 'Error'"),
    ("Status IN ('Nonsense')", "false"),
    ("Status NOT IN ('Nonsense')", "true"),
    ("Status NOT IN ('Error', 'Canceled')", "status NOT IN ('Error', 'Canceled')"),
    ("Status LIKE '%PRO%'", "status = 'InProgress'"),
    ("Status LIKE 'Nonsense%'", "false"),
    ("(NOT Status LIKE 'C%')", "status NOT IN ('Canceled', 'Completed')"),
    ("toLabel(Status) LIKE 'in p%'", "status = 'InProgress'"), ("Status LIKE 'in p%'", "status = 'InProgress'"), ("Status LIKE 'in%'", "status = 'InProgress'"),
    ("toLabel(Status) = 'in progress'", "status = 'InProgress'"), ("Status = 'In Progress'", "status = 'InProgress'"),
    ("OrchestrationDeveloperName = 'alpha'", "low(orchestration_name) = 'alpha'"),
    ("OrchestrationDeveloperName != 'alpha'", "low(orchestration_name) IS DISTINCT FROM 'alpha'"),
    ("OrchestrationDeveloperName IN ('alpha', 'ÉCLAIR')", "low(orchestration_name) IN ('alpha', 'éclair')"),
    ("OrchestrationDeveloperName NOT IN ('alpha')", "low(orchestration_name) IS DISTINCT FROM 'alpha'"),
    ("OrchestrationDeveloperName IN ('alpha', null)", "orchestration_name IS NULL OR low(orchestration_name) = 'alpha'"),
    ("OrchestrationDeveloperName NOT IN ('alpha', null)", "low(orchestration_name) <> 'alpha'"),
    ("OrchestrationDeveloperName IN (null)", "orchestration_name IS NULL"),
    ("OrchestrationDeveloperName NOT IN (null)", "orchestration_name IS NOT NULL"),
    ("OrchestrationDeveloperName = null", "orchestration_name IS NULL"),
    ("OrchestrationDeveloperName != NULL", "orchestration_name IS NOT NULL"),
    ("OrchestrationDeveloperName = ''", "orchestration_name IS NULL OR orchestration_name = ''"),
    ("OrchestrationDeveloperName = 'O\\'Brien\\\\x'", "low(orchestration_name) = 'o''brien\\x'"),
    ("OrchestrationDeveloperName = 'o\\'BRIEN\\\\X'", "low(orchestration_name) = 'o''brien\\x'"),
    ("OrchestrationDeveloperName = 'two\\nlines'", "orchestration_name = E'two\\nlines'"),
    ("OrchestrationDeveloperName = 'two\nlines'", "orchestration_name = E'two\\nlines'"),
    ("OrchestrationDeveloperName = 'a\\\"b'", "orchestration_name = 'a\"b'"),
    ("OrchestrationDeveloperName = 'a\"b'", "orchestration_name = 'a\"b'"),
    ("OrchestrationDeveloperName = '\\u00c9clair'", "low(orchestration_name) = 'éclair'"),
    ("OrchestrationDeveloperName = '\\U00E9CLAIR'", "low(orchestration_name) = 'éclair'"),
    ("OrchestrationDeveloperName = 'eclair'", "false"),
    ("OrchestrationDeveloperName = 'x_y'", "orchestration_name = 'x_y'"),
    ("OrchestrationDeveloperName = 'Beta%Two'", "orchestration_name = 'Beta%Two'"),
    ("OrchestrationDeveloperName LIKE 'x_y'", "orchestration_name IN ('x_y', 'xzy')"),
    ("OrchestrationDeveloperName LIKE 'X\\_Y'", "orchestration_name = 'x_y'"),
    ("OrchestrationDeveloperName LIKE 'beta%two'", "orchestration_name = 'Beta%Two'"),
    ("OrchestrationDeveloperName LIKE '%\\%%'", "orchestration_name LIKE '%!%%' ESCAPE '!'"),
    ("OrchestrationDeveloperName LIKE 'alpha'", "low(orchestration_name) = 'alpha'"),
    ("OrchestrationDeveloperName LIKE 'Alpha%'", "low(orchestration_name) LIKE 'alpha%'"),
    ("OrchestrationDeveloperName LIKE '%'", "orchestration_name IS NOT NULL"),
    ("OrchestrationDeveloperName LIKE ''", "orchestration_name = ''"),
    ("OrchestrationDeveloperName LIKE '_____'", "length(orchestration_name) = 5"),
    ("OrchestrationDeveloperName LIKE '%\\\\x'", "orchestration_name LIKE '%!\\x' ESCAPE '!'"),
    ("OrchestrationDeveloperName LIKE 'two%lines'", "orchestration_name = E'two\\nlines'"),
    ("OrchestrationDeveloperName LIKE 'É%'", "low(orchestration_name) LIKE 'é%'"),
    ("OrchestrationDeveloperName LIKE 'é%R'", "low(orchestration_name) LIKE 'é%'"),
    ("(NOT OrchestrationDeveloperName LIKE 'alpha%')", "(low(orchestration_name) LIKE 'alpha%') IS NOT TRUE"),
    ("NOT (OrchestrationDeveloperName LIKE 'alpha%')", "(low(orchestration_name) LIKE 'alpha%') IS NOT TRUE"),
    ("OrchestrationDeveloperName > 'b'", "low(orchestration_name) > 'b' COLLATE \"en-x-icu\""),
    ("OrchestrationDeveloperName >= 'beta_one'", "low(orchestration_name) >= 'beta_one' COLLATE \"en-x-icu\""),
    ("OrchestrationDeveloperName < 'b'", "low(orchestration_name) < 'b' COLLATE \"en-x-icu\""),
    ("OrchestrationDeveloperName <= 'ALPHA'", "low(orchestration_name) <= 'alpha' COLLATE \"en-x-icu\""),
    ("NOT OrchestrationDeveloperName < 'b'", "(low(orchestration_name) < 'b' COLLATE \"en-x-icu\") IS NOT TRUE"),
    ("OrchestrationLabel = 'straße'", "orchestration_label = 'straße'"),
    ("OrchestrationLabel LIKE '100\\%'", "orchestration_label = '100%'"),
    ("OrchestrationName = 'Alpha'", "low(orchestration_name) = 'alpha'"),
    ("Name = 'or-00000007'", "name = 'OR-00000007'"),
    ("Name IN ('OR-00000001', 'OR-00000301', 'OR-00000899')", "name IN ('OR-00000001', 'OR-00000301', 'OR-00000899')"),
    ("Duration > 3600", "extract(epoch FROM COALESCE(ended_at, now()) - created_at)::numeric > 3601 OR floor(extract(epoch FROM COALESCE(ended_at, now()) - created_at)) > 3600"),
    ("Duration = 3600", "floor(extract(epoch FROM ended_at - created_at)) = 3600"),
    ("Duration != 3600", "floor(extract(epoch FROM COALESCE(ended_at, now()) - created_at)) <> 3600"),
    ("Duration IN (3600, 7200, 60.0, 1.5)", "ended_at IS NOT NULL AND floor(extract(epoch FROM ended_at - created_at)) IN (3600, 7200, 60)"),
    ("Duration < 3600.5 AND Status = 'Error'", "floor(extract(epoch FROM ended_at - created_at)) < 3600.5 AND status = 'Error'"),
    ("Duration >= 6e2 AND Status = 'Canceled'", "floor(extract(epoch FROM ended_at - created_at)) >= 600 AND status = 'Canceled'"),
    ("Duration > -1 AND Status = 'Error'", "status = 'Error'"),
    ("Duration > +.5 AND Status = 'Error'", "status = 'Error'"),
    ("Duration < 99999999999999999999", "true"),
    ("Duration = 1e300", "false"),
    ("IsDeleted = false", "true"),
    ("IsDeleted = true", "false"),
    ("IsDeleted != TRUE", "true"),
    ("IsDeleted = null", "true"),
    ("IsDeleted != null", "false"),
    ("IsDeleted IN (true, false)", "true"),
    ("IsDeleted IN (null)", "true"),
    ("IsDeleted NOT IN (true)", "true"),
    ("OwnerId = '00000000-0000-7000-8000-000000000001'", "owner_id = auto(NULL)"),
    ("OwnerId != '00000000-0000-7000-8000-000000000001'", "owner_id <> auto(NULL)"),
    ("OwnerId IN ('00000000-0000-7000-8000-000000000001')", "owner_id = auto(NULL)"),
    ("OwnerId = null", "false"),
    ("CreatedById = '00000000-0000-7000-8000-000000000001'", "created_by IS NULL"),
    ("LastModifiedById != '00000000-0000-7000-8000-000000000001'", "modified_by IS NOT NULL"),
    ("InterviewId = null", "interview_id IS NULL"),
    ("InterviewId != null", "interview_id IS NOT NULL"),
    ("InterviewId = '00000000-0000-7000-8000-0000000000F7'", "interview_id IS NOT NULL"),
    ("InterviewId != '00000000-0000-7000-8000-0000000000f7'", "interview_id IS NULL"),
    ("InterviewId NOT IN ('00000000-0000-7000-8000-0000000000f7')", "interview_id IS NULL"),
    ("InterviewId IN ('00000000-0000-7000-8000-0000000000f7', null)", "true"),
    ("TriggeringRecordId = 'A-1'", "triggering_record_id = 'A-1'"),
    ("TriggeringRecordId = 'a-1'", "triggering_record_id = 'a-1'"),
    ("TriggeringRecordId = 'no id at all'", "false"),
    ("TriggeringRecordId != 'A-1'", "triggering_record_id IS DISTINCT FROM 'A-1'"),
    ("TriggeringRecordId IN ('A-1', 'A-5', null)", "triggering_record_id IS NULL OR triggering_record_id IN ('A-1', 'A-5')"),
    ("TriggeringRecordId > 'a'", "triggering_record_id COLLATE \"C\" > 'a'"),
    ("CreatedDate > 2025-01-01T00:00:00Z", "created_at > '2025-01-01T00:00:00.000999Z'"),
    ("CreatedDate >= 2025-01-01T00:00:00+01:00", "created_at >= '2024-12-31T23:00:00Z'"),
    ("CreatedDate < 2025-01-01T00:00:00.000Z", "created_at < '2025-01-01'"),
    ("CreatedDate <= 2024-06-01T12:00:00-05:00", "created_at < '2024-06-01T17:00:00.001Z'"),
    ("CreatedDate > 1700-01-01T00:00:00Z AND CreatedDate < 4000-12-31T23:59:59Z", "true"),
    ("CreatedDate != null", "true"),
    ("NOT CreatedDate > 2025-01-01T00:00:00Z", "created_at < '2025-01-01T00:00:00.001Z'"),
    ("LastViewedDate = null", "NOT EXISTS (SELECT FROM orchestration.record_view v WHERE v.record_id = run.id AND viewed_at IS NOT NULL)"),
    ("LastReferencedDate != null", "EXISTS (SELECT FROM orchestration.record_view v WHERE v.record_id = run.id)"),
    ("LastViewedDate > 2024-01-01T00:00:00Z", "EXISTS (SELECT FROM orchestration.record_view v WHERE v.record_id = run.id AND viewed_at > '2024-01-01')"),
    ("NOT LastViewedDate > 2024-01-01T00:00:00Z", "NOT EXISTS (SELECT FROM orchestration.record_view v WHERE v.record_id = run.id AND viewed_at > '2024-01-01')"),
    ("(Status = 'Error' AND CurrentStage = 'review') OR Name = 'OR-00000004'", "status = 'Error' AND low(current_stage) = 'review' OR name = 'OR-00000004'"),
    ("Status = 'Error' AND (CurrentStage = 'review' OR CurrentStage = null)", "status = 'Error' AND (low(current_stage) = 'review' OR current_stage IS NULL)"),
    ("(NOT Status = 'Error') AND (NOT CurrentStage = 'review')", "status <> 'Error' AND low(current_stage) IS DISTINCT FROM 'review'"),
    ("NOT (Status = 'Error' OR CurrentStage = 'review')", "status <> 'Error' AND low(current_stage) IS DISTINCT FROM 'review'"),
    ("NOT (Status = 'Error' AND CurrentStage = 'review')", "status <> 'Error' OR low(current_stage) IS DISTINCT FROM 'review'"),
    ("NOT (NOT (CurrentStage = 'review'))", "low(current_stage) = 'review'"),
    ("((((Status = 'Error'))))", "status = 'Error'"),
    ("Status = 'Error' OR Status = 'Canceled' OR Status = 'Suspended'", "status IN ('Error', 'Canceled', 'Suspended')"),
])
where("@Step", "step", [
    ("StepType = 'AynchronousBackgroundStep'", "step_type = 'AynchronousBackgroundStep'"),
    ("StepType = 'interactivestep'", "step_type = 'InteractiveStep'"),
    ("StepType = 'AsynchronousBackgroundStep'", "step_type = 'AynchronousBackgroundStep'"),
    ("StepType IN ('asynchronous background step', 'x')", "step_type = 'AynchronousBackgroundStep'"),
    ("StepType LIKE '%background step'", "step_type IN ('BackgroundStep', 'AynchronousBackgroundStep')"),
    ("(NOT StepType LIKE 'asyn%')", "step_type <> 'AynchronousBackgroundStep'"),
    ("Description = null", "description IS NULL"),
    ("Description = ''", "description IS NULL OR description = ''"),
    ("Description != 'A long tale'", "low(description) IS DISTINCT FROM 'a long tale'"),
    ("Description LIKE '%LONG%'", "low(description) LIKE '%long%'"),
    ("Status = 'NotStarted' AND Name = 'SIGN'", "status = 'NotStarted' AND low(name) = 'sign'"),
])
where("@Stage", "stage", [
    ("Position = 2", "position = 2"), ("Position > 1", "position > 1"), ("Position IN (1, 2)", "true"), ("Position IN (3)", "false"),
    ("Position != 1.0", "position <> 1"), ("Position < 1.5", "position < 1.5"), ("Position = 2147483648", "false"),
    ("Label LIKE '50\\% off'", "label = '50% off'"), ("Label LIKE 'approve\\_%'", "label = 'Approve_it'"),
])
where("@Item", "item", [
    ("RelatedRecordId = 'A-30'", "related_record_id = 'A-30'"),
    ("RelatedRecordId != null", "related_record_id IS NOT NULL"), ("Label = null", "label IS NULL"), ("Label != 'approval'", "low(label) IS DISTINCT FROM 'approval'"),
    ("ElapsedTimeSinceCreationInSec = null", "status = 'Completed'"), ("ElapsedTimeSinceAsgntInSec > 100", "status <> 'Completed' AND assigned_at < now() - interval '100 seconds'"),
    ("NOT ElapsedTimeSinceAsgntInSec > 100", "(status <> 'Completed' AND assigned_at < now() - interval '100 seconds') IS NOT TRUE"),
])
where("@Log", "log", [
    ("Kind = 'StartStage'", "kind = 'StartStage'"), ("Kind LIKE 'start%'", "kind::text LIKE 'Start%'"), ("Timestamp > 2025-01-01T00:00:00Z", "logged_at >= '2025-01-01'"),
    ("Duration = null", "duration IS NULL"), ("Actor IN ('automated process', 'AUTOPROC')", "actor IS NULL"), ("AssigneeType = 'Queue'", "assignee_id = public.who('Line')"),
    ("AssigneeType != 'Queue'", "assignee_id IS DISTINCT FROM public.who('Line')"), ("Context = 'CTX'", "context = 'ctx'"),
])

# ------------------------------------------------------------ SELECT, ORDER BY, LIMIT, OFFSET (5.1, 5.6)

CASES += [
    ("select id, NAME, stAtus from flowORCHESTRATIONinstance", "SELECT id, name, status FROM run"),
    ("SELECT Status, Name, Id FROM @Run", "SELECT status, name, id FROM run"),
    ("SELECT\tId\nFROM\r\n@Run", "SELECT id FROM run"),
    ("SELECT @Run.Id, @Run.Name FROM @Run", "SELECT id, name FROM run"),
    ("SELECT r.Id, r.Owner.Name FROM @Run r", "SELECT r.id, p.name FROM run r JOIN person_or_group p ON p.id = r.owner_id"),
    ("SELECT r.Id FROM @Run AS r WHERE r.Status = 'Error'", "SELECT id FROM run WHERE status = 'Error'"),
    ("SELECT s.Id, s.StageInstance.Name FROM @Step s, s.StageInstance g WHERE g.Position = 1", "SELECT s.id, g.name FROM step s JOIN stage g ON g.id = s.stage_run_id WHERE g.position = 1"),
    ("SELECT i.Id FROM @Item i, i.StepInstance s, s.StageInstance AS g WHERE g.Position = 2 ORDER BY g.Name, s.Name, i.Name", "SELECT i.id FROM item i JOIN step s ON s.id = i.step_run_id JOIN stage g ON g.id = s.stage_run_id WHERE g.position = 2 ORDER BY low(g.name), low(s.name), i.name"),
    ("SELECT FIELDS(ALL) FROM Group WHERE Id = '00000000-0000-7000-8000-000000000001'", "SELECT 1 WHERE false"),
    ("SELECT FIELDS(ALL) FROM Group WHERE Name = 'x' AND Id IN ('00000000-0000-7000-8000-000000000001', null) LIMIT 300", "SELECT 1 WHERE false"),
    ("SELECT Id FROM @Run LIMIT 0", "SELECT id FROM run LIMIT 0"),
    ("SELECT Id FROM @Run ORDER BY Name LIMIT 5", "SELECT id FROM run ORDER BY name LIMIT 5"),
    ("SELECT Id FROM @Run ORDER BY Name LIMIT 5 OFFSET 3", "SELECT id FROM run ORDER BY name LIMIT 5 OFFSET 3"),
    ("SELECT Id FROM @Run ORDER BY Name OFFSET 890", "SELECT id FROM run ORDER BY name OFFSET 890"),
    ("SELECT Id FROM @Run ORDER BY Name OFFSET 2000", "SELECT id FROM run ORDER BY name OFFSET 2000"),
    ("SELECT Id FROM @Run ORDER BY Name OFFSET 0", "SELECT id FROM run ORDER BY name"),
    ("SELECT Id FROM @Run ORDER BY Name LIMIT 5000", "SELECT id FROM run ORDER BY name"),
    ("SELECT CurrentStage, Id FROM @Run ORDER BY CurrentStage, Id", "SELECT current_stage, id FROM run ORDER BY low(current_stage) COLLATE \"en-x-icu\" NULLS FIRST, id"),
    ("SELECT CurrentStage, Id FROM @Run ORDER BY CurrentStage DESC, Id", "SELECT current_stage, id FROM run ORDER BY low(current_stage) COLLATE \"en-x-icu\" DESC NULLS FIRST, id"),
    ("SELECT CurrentStage, Id FROM @Run ORDER BY CurrentStage NULLS LAST, Id", "SELECT current_stage, id FROM run ORDER BY low(current_stage) COLLATE \"en-x-icu\" NULLS LAST, id"),
    ("SELECT CurrentStage, Id FROM @Run ORDER BY CurrentStage DESC NULLS LAST, Id DESC", "SELECT current_stage, id FROM run ORDER BY low(current_stage) COLLATE \"en-x-icu\" DESC NULLS LAST, id DESC"),
    ("SELECT CurrentStage, Id FROM @Run ORDER BY CurrentStage ASC NULLS FIRST, Id ASC", "SELECT current_stage, id FROM run ORDER BY low(current_stage) COLLATE \"en-x-icu\" NULLS FIRST, id"),
    ("SELECT OrchestrationDeveloperName, Id FROM @Run ORDER BY OrchestrationDeveloperName, Id", "SELECT orchestration_name, id FROM run ORDER BY low(orchestration_name) COLLATE \"en-x-icu\" NULLS FIRST, id"),
    ("SELECT Status, Name FROM @Run ORDER BY Status, Name", "SELECT status, name FROM run ORDER BY status, name"),
    ("SELECT Status, Name FROM @Run ORDER BY Status DESC, Name DESC", "SELECT status, name FROM run ORDER BY status DESC, name DESC"),
    ("SELECT StepType, Id FROM @Step ORDER BY StepType, Id", "SELECT step_type, id FROM step ORDER BY step_type, id"),
    ("SELECT Kind, Id FROM @Log ORDER BY Kind, Id", "SELECT kind, id FROM log ORDER BY kind, id"),
    ("SELECT Id FROM @Run ORDER BY CreatedDate, Id", "SELECT id FROM run ORDER BY created_at, id"),
    ("SELECT Id FROM @Run ORDER BY InterviewId, TriggeringRecordId NULLS LAST, Name", "SELECT id FROM run ORDER BY interview_id NULLS FIRST, triggering_record_id COLLATE \"C\" NULLS LAST, name"),
    ("SELECT Id FROM @Run ORDER BY Owner.Name DESC, Name", "SELECT r.id FROM run r JOIN person_or_group p ON p.id = r.owner_id ORDER BY low(p.name) DESC, r.name"),
    ("SELECT Id FROM @Step ORDER BY StageInstance.Position, Id", "SELECT s.id FROM step s LEFT JOIN stage g ON g.id = s.stage_run_id ORDER BY g.position NULLS FIRST, s.id"),
    ("SELECT Type, Name FROM Group ORDER BY Type, Name", "SELECT CASE kind WHEN 'Queue' THEN 'Queue' ELSE 'Regular' END, name FROM person_or_group WHERE kind <> 'User' ORDER BY kind = 'Queue', low(name)"),
    ("SELECT UserType, Name FROM User ORDER BY UserType DESC, Name", "SELECT CASE username WHEN 'autoproc' THEN 'AutomatedProcess' ELSE 'Standard' END, name FROM person_or_group WHERE kind = 'User' ORDER BY username = 'autoproc' DESC, low(name)"),
    ("SELECT Id, CreatedDate, LastModifiedDate, SystemModstamp FROM @Run", "SELECT id, created_at, modified_at, modified_at FROM run"),
    ("SELECT Id, LastViewedDate, LastReferencedDate FROM @Run", "SELECT id, (SELECT max(viewed_at) FROM orchestration.record_view v WHERE v.record_id = run.id), (SELECT max(referenced_at) FROM orchestration.record_view v WHERE v.record_id = run.id) FROM run"),
    ("SELECT Id, ScreenFlow, ScreenFlowInputs FROM @Item", "SELECT id, screen_flow, screen_flow_inputs::text FROM item"),
    ("SELECT toLabel(Status), Id FROM @Run", "SELECT label(status), id FROM run"),
    ("SELECT toLabel(Status) s, Id FROM @Run", "SELECT label(status), id FROM run"),
    ("SELECT FORMAT(Position) p, Id FROM @Stage", "SELECT position::text, id FROM stage"),
    ("SELECT Id, FORMAT(CreatedDate) d, FORMAT(OrchestrationDeveloperName) n FROM @Run", "SELECT id, to_char(created_at, 'FMMM/FMDD/YYYY, FMHH12:MI AM'), orchestration_name FROM run"),
    ("SELECT Id, FORMAT(Duration) FROM @Log", "SELECT id, to_char(duration, 'FM9,999') FROM log"),
    ("SELECT Id, toLabel(Assignee.Type) FROM @Item", "SELECT i.id, p.kind FROM item i JOIN person_or_group p ON p.id = i.assignee_id"),
    ("SELECT Id FROM @Run USING SCOPE everything", "SELECT id FROM run"),
    ("SELECT Id FROM @Run USING SCOPE mine WHERE Status = 'Error'", "SELECT id FROM run WHERE owner_id = public.who(person()) AND status = 'Error'"),
    ("SELECT Id FROM @Run USING SCOPE MINE ORDER BY Name", "SELECT id FROM run WHERE owner_id = public.who(person()) ORDER BY name"),
    ("SELECT Id FROM @Run WITH USER_MODE", "SELECT id FROM run"),
    ("SELECT Id FROM @Run WHERE Status = 'Error' WITH SECURITY_ENFORCED ORDER BY Name LIMIT 9", "SELECT id FROM run WHERE status = 'Error' ORDER BY name LIMIT 9"),
    ("SELECT COUNT() FROM @Run", "SELECT count(*) FROM run"),
    ("SELECT count( ) FROM @Run WHERE Status = 'Error'", "SELECT count(*) FROM run WHERE status = 'Error'"),
    ("SELECT COUNT() FROM @Run LIMIT 7", "SELECT count(*) FROM (SELECT FROM run LIMIT 7) x"),
    ("SELECT COUNT() FROM @Run LIMIT 0", "SELECT 0"),
    ("SELECT COUNT() FROM @Run WHERE Owner.Name = 'sam'", "SELECT count(*) FROM run WHERE owner_id = public.who('sam')"),
    ("SELECT Id, IsActive, Name, Username, UserType FROM User", "SELECT id, is_active, name, username, CASE username WHEN 'autoproc' THEN 'AutomatedProcess' ELSE 'Standard' END FROM person_or_group WHERE kind = 'User'"),
    ("SELECT Id, DeveloperName, Name, Type, DoesIncludeBosses, RelatedId FROM Group", "SELECT id, developer_name, name, CASE kind WHEN 'Queue' THEN 'Queue' ELSE 'Regular' END, false, NULL FROM person_or_group WHERE kind <> 'User'"),
    ("SELECT Id, GroupId, UserOrGroupId FROM GroupMember", "SELECT id, group_id, member_id FROM member"),
    ("SELECT Id FROM User WHERE UserType = 'automated process'", "SELECT auto(NULL)"),
    ("SELECT Id FROM User WHERE UserType != 'Automated Process'", "SELECT id FROM person_or_group WHERE kind = 'User' AND id <> auto(NULL)"),
    ("SELECT Id FROM User WHERE toLabel(UserType) IN ('Automated Process', 'x')", "SELECT auto(NULL)"),
    ("SELECT Id FROM User WHERE toLabel(UserType) LIKE '%ed p%'", "SELECT auto(NULL)"),
    ("SELECT Id FROM User WHERE (NOT UserType LIKE '%ed p%')", "SELECT id FROM person_or_group WHERE kind = 'User' AND id <> auto(NULL)"),
    ("SELECT Id, Name FROM Group WHERE Type = 'queue'", "SELECT id, name FROM person_or_group WHERE kind = 'Queue'"),
    ("SELECT VersionNumber, Status, FlowOrchestration.ApiName FROM FlowOrchestrationVersion", "SELECT version, CASE d.active_version WHEN version THEN 'Active' ELSE 'Draft' END, d.name FROM orchestration.orchestration_version JOIN orchestration.orchestration_definition d ON d.id = orchestration_id"),
    ("SELECT Id, NewValue, OldValue, Field FROM @RunHistory", "SELECT id, new_value, old_value, field FROM change WHERE object = 'FlowOrchestrationInstance'"),
    ("SELECT Id, ParentId, Type, Title FROM @StageFeed", "SELECT id, record_id, type, title FROM feed WHERE object = 'FlowOrchestrationStageInstance'"),
    ("SELECT Id, ParentId, UserOrGroupId, AccessLevel FROM @RunShare WHERE RowCause = 'Manual'", "SELECT id, record_id, user_or_group_id, access_level FROM manual WHERE object = 'FlowOrchestrationInstance'"),
    ("SELECT ParentId, UserOrGroupId, AccessLevel FROM @StageShare WHERE RowCause = 'owner'", "SELECT id, owner_id, 'All' FROM stage"),
    ("SELECT Name, AccessLevel, DeveloperName FROM @RunOwnerSharingRule", "SELECT name, access_level, developer_name FROM orchestration.owner_sharing_rule WHERE object = 'FlowOrchestrationInstance' AND group_id IS NOT NULL AND person() IN ('vic', 'super')"),
]

# ------------------------------------------------------------ aggregates and grouping (5.4)

CASES += [
    ("SELECT COUNT(Id) FROM @Run", "SELECT count(*) FROM run"),
    ("SELECT COUNT(Id), COUNT(CurrentStage), COUNT(InterviewId) FROM @Run", "SELECT count(*), count(current_stage), count(interview_id) FROM run"),
    ("SELECT COUNT_DISTINCT(CurrentStage) n FROM @Run", "SELECT count(DISTINCT low(current_stage)) FROM run"),
    ("SELECT COUNT_DISTINCT(Status), COUNT_DISTINCT(OwnerId), COUNT_DISTINCT(TriggeringRecordId) FROM @Run", "SELECT count(DISTINCT status), count(DISTINCT owner_id), count(DISTINCT triggering_record_id) FROM run"),
    ("SELECT MIN(Name), MAX(Name), MIN(CreatedDate), MAX(CreatedDate) FROM @Run", "SELECT min(name), max(name), min(created_at), max(created_at) FROM run"),
    ("SELECT MIN(Status), MAX(Status) FROM @Run", "SELECT min(status), max(status) FROM run"),
    ("SELECT MAX(StepType) FROM @Step", "SELECT max(step_type) FROM step"),
    ("SELECT MAX(Type) FROM Group", "SELECT 'Queue'"),
    ("SELECT MIN(Id) FROM @Run", "SELECT min(id::text) FROM run"),
    ("SELECT SUM(Position), AVG(Position), MIN(Position), MAX(Position) FROM @Stage", "SELECT sum(position), avg(position)::float8, min(position), max(position) FROM stage"),
    ("SELECT AVG(Duration) a, COUNT(Duration) FROM @Log", "SELECT avg(duration)::float8, count(duration) FROM log"),
    ("SELECT SUM(Duration) FROM @Log WHERE Kind = 'FailStep'", "SELECT NULL"),
    ("SELECT COUNT(Id) FROM @Run WHERE Name = 'none'", "SELECT 0"),
    ("SELECT MAX(LastViewedDate) FROM @Run", "SELECT max(viewed_at) FROM orchestration.record_view WHERE record_id IN (SELECT id FROM run)"),
    ("SELECT FORMAT(COUNT(Id)) n FROM @Run", "SELECT count(*)::text FROM run"),
    ("SELECT Status FROM @Run GROUP BY Status", "SELECT DISTINCT status FROM run"),
    ("SELECT CurrentStage, COUNT(Id) n FROM @Run WHERE CurrentStage != 'review' GROUP BY CurrentStage", "SELECT current_stage, count(*) FROM run WHERE low(current_stage) IS DISTINCT FROM 'review' GROUP BY 1"),
    ("SELECT Status, COUNT(Id) n, MAX(Name) FROM @Run GROUP BY Status ORDER BY COUNT(Id) DESC, Status", "SELECT status, count(*), max(name) FROM run GROUP BY 1 ORDER BY 2 DESC, 1"),
    ("SELECT Status, COUNT(Id) FROM @Run GROUP BY Status ORDER BY Status DESC LIMIT 2", "SELECT status, count(*) FROM run GROUP BY 1 ORDER BY 1 DESC LIMIT 2"),
    ("SELECT Status, COUNT(Id) FROM @Run GROUP BY Status ORDER BY Status LIMIT 2 OFFSET 1", "SELECT status, count(*) FROM run GROUP BY 1 ORDER BY 1 LIMIT 2 OFFSET 1"),
    ("SELECT r.Status, COUNT(r.Id) FROM @Run r WHERE r.Name > 'OR-00000100' GROUP BY r.Status ORDER BY COUNT(r.Id) DESC, r.Status", "SELECT status, count(*) FROM run WHERE name > 'OR-00000100' GROUP BY 1 ORDER BY 2 DESC, 1"),
    ("SELECT StageInstance.Label, StageInstance.Status, COUNT(Id) n FROM @Step GROUP BY StageInstance.Label, StageInstance.Status HAVING COUNT(Id) > 3", "SELECT g.label, g.status, count(*) FROM step s LEFT JOIN stage g ON g.id = s.stage_run_id GROUP BY 1, 2 HAVING count(*) > 3"),
    ("SELECT Status s, InterviewId, COUNT(Id) FROM @Run GROUP BY Status, InterviewId", "SELECT status, interview_id, count(*) FROM run GROUP BY 1, 2"),
    ("SELECT Status, COUNT(Id) FROM @Run GROUP BY Status HAVING COUNT(Id) > 60", "SELECT status, count(*) FROM run GROUP BY 1 HAVING count(*) > 60"),
    ("SELECT Status FROM @Run GROUP BY Status HAVING COUNT(Id) > 5 AND Status LIKE 'C%'", "SELECT status FROM run WHERE status IN ('Canceled', 'Completed') GROUP BY 1 HAVING count(*) > 5"),
    ("SELECT COUNT(Id) n FROM @Run GROUP BY CurrentStage HAVING CurrentStage LIKE 'r%' OR (NOT CurrentStage LIKE '%')", "SELECT count(*) FROM run WHERE current_stage IS NULL OR low(current_stage) = 'review' GROUP BY low(current_stage)"),
    ("SELECT COUNT(Id) n FROM @Run WHERE %s GROUP BY FISCAL_YEAR(CreatedDate) HAVING FISCAL_YEAR(CreatedDate) > 2023 ORDER BY FISCAL_YEAR(CreatedDate)" % " AND ".join("Name != 'x%d'" % n for n in range(30)),
     "SELECT count(*) FROM run WHERE extract(year FROM created_at) > 2023 GROUP BY extract(year FROM created_at) ORDER BY extract(year FROM created_at)"),
    ("SELECT DAY_IN_WEEK(CreatedDate) d, WEEK_IN_YEAR(CreatedDate) w, COUNT(Id) n FROM @Run GROUP BY DAY_IN_WEEK(CreatedDate), WEEK_IN_YEAR(CreatedDate) HAVING DAY_IN_WEEK(CreatedDate) IN (1, 2.0) AND WEEK_IN_YEAR(CreatedDate) != 2.5 AND DAY_IN_WEEK(CreatedDate) < 99999999999999999999",
     "SELECT 1 + extract(dow FROM created_at)::integer, 1 + (extract(doy FROM created_at)::integer - 1) / 7, count(*) FROM run WHERE extract(dow FROM created_at) < 2 GROUP BY 1, 2"),
    ("SELECT Status FROM @Run GROUP BY Status HAVING Status IN ('error', 'Suspended')", "SELECT status FROM run WHERE status IN ('Error', 'Suspended') GROUP BY 1"),
    ("SELECT Status FROM @Run GROUP BY Status HAVING MIN(Name) < 'OR-00000003' OR (NOT MAX(CreatedDate) > 2026-01-01T00:00:00Z)", "SELECT status FROM run GROUP BY 1 HAVING min(name) < 'OR-00000003' OR (max(created_at) > '2026-01-01T00:00:00.001Z') IS NOT TRUE"),
    ("SELECT Position, AVG(Position) FROM @Stage GROUP BY Position HAVING AVG(Position) >= 1.5", "SELECT position, avg(position)::float8 FROM stage WHERE position = 2 GROUP BY 1"),
    ("SELECT Position FROM @Stage GROUP BY Position HAVING SUM(Position) > 5 ORDER BY SUM(Position) DESC NULLS LAST", "SELECT position FROM stage GROUP BY 1 HAVING sum(position) > 5 ORDER BY sum(position) DESC"),
    ("SELECT Owner.Name, COUNT(Id) FROM @Run GROUP BY Owner.Name", "SELECT p.name, count(*) FROM run r JOIN person_or_group p ON p.id = r.owner_id GROUP BY 1"),
    ("SELECT OwnerId, COUNT(Id) FROM @Run GROUP BY OwnerId", "SELECT owner_id, count(*) FROM run GROUP BY 1"),
    ("SELECT toLabel(Status), COUNT(Id) n FROM @Run GROUP BY Status", "SELECT label(status), count(*) FROM run GROUP BY 1"),
    ("SELECT Status, COUNT(Id) n FROM @Run GROUP BY ROLLUP(Status)", "SELECT status, count(*) FROM run GROUP BY ROLLUP(status)"),
    ("SELECT Status, InterviewId, COUNT(Id) n, GROUPING(Status) g, GROUPING(InterviewId) h FROM @Run GROUP BY ROLLUP(Status, InterviewId)", "SELECT status, interview_id, count(*), grouping(status), grouping(interview_id) FROM run GROUP BY ROLLUP(status, interview_id)"),
    ("SELECT Status, InterviewId, IsDeleted, COUNT(Id) FROM @Run GROUP BY CUBE(Status, InterviewId, IsDeleted)", "SELECT status, interview_id, d, count(*) FROM run, (SELECT false AS d) d GROUP BY CUBE(status, interview_id, d)"),
    ("SELECT Status, COUNT(Id) FROM @Run GROUP BY CUBE(Status) HAVING GROUPING(Status) = 1", "SELECT NULL, count(*) FROM run"),
    ("SELECT Status, COUNT(Id) FROM @Run GROUP BY ROLLUP(Status) ORDER BY GROUPING(Status), Status DESC", "SELECT status, count(*) FROM run GROUP BY ROLLUP(status) ORDER BY grouping(status), status DESC"),
    ("SELECT CurrentStage, GROUPING(CurrentStage) FROM @Run WHERE CurrentStage IN (null, 'Approve') GROUP BY ROLLUP(CurrentStage)", "SELECT current_stage, grouping(current_stage) FROM run WHERE current_stage IS NULL OR current_stage = 'Approve' GROUP BY ROLLUP(current_stage)"),
    ("SELECT CALENDAR_YEAR(CreatedDate), COUNT(Id) FROM @Run GROUP BY CALENDAR_YEAR(CreatedDate)", "SELECT extract(year FROM created_at)::integer, count(*) FROM run GROUP BY 1"),
    ("SELECT CALENDAR_YEAR(CreatedDate) y, CALENDAR_MONTH(CreatedDate) m, COUNT(Id) FROM @Run GROUP BY CALENDAR_YEAR(CreatedDate), CALENDAR_MONTH(CreatedDate) ORDER BY CALENDAR_YEAR(CreatedDate), CALENDAR_MONTH(CreatedDate)", "SELECT extract(year FROM created_at)::integer, extract(month FROM created_at)::integer, count(*) FROM run GROUP BY 1, 2 ORDER BY 1, 2"),
    ("SELECT DAY_ONLY(CreatedDate) d, COUNT(Id) FROM @Stage GROUP BY DAY_ONLY(CreatedDate) HAVING COUNT(Id) > 1", "SELECT created_at::date, count(*) FROM stage GROUP BY 1 HAVING count(*) > 1"),
    ("SELECT HOUR_IN_DAY(CreatedDate) FROM @Run GROUP BY HOUR_IN_DAY(CreatedDate) HAVING HOUR_IN_DAY(CreatedDate) > 20", "SELECT DISTINCT extract(hour FROM created_at)::integer FROM run WHERE extract(hour FROM created_at) > 20"),
    ("SELECT UserType, COUNT(Id) FROM User GROUP BY UserType", "SELECT CASE username WHEN 'autoproc' THEN 'AutomatedProcess' ELSE 'Standard' END, count(*) FROM person_or_group WHERE kind = 'User' GROUP BY 1"),
]

# ------------------------------------------------------------ dates (5.3)

PARTS = {"CALENDAR_MONTH": "extract(month FROM %s)", "CALENDAR_QUARTER": "extract(quarter FROM %s)", "CALENDAR_YEAR": "extract(year FROM %s)",
         "DAY_IN_MONTH": "extract(day FROM %s)", "DAY_IN_WEEK": "1 + extract(dow FROM %s)", "DAY_IN_YEAR": "extract(doy FROM %s)",
         "FISCAL_MONTH": "extract(month FROM %s)", "FISCAL_QUARTER": "extract(quarter FROM %s)", "FISCAL_YEAR": "extract(year FROM %s)",
         "HOUR_IN_DAY": "extract(hour FROM %s)", "WEEK_IN_MONTH": "1 + floor((extract(day FROM %s) - 1) / 7)", "WEEK_IN_YEAR": "1 + floor((extract(doy FROM %s) - 1) / 7)"}
for function, part in PARTS.items():
    CASES.append(("SELECT %s(CreatedDate) x, COUNT(Id) FROM @Run GROUP BY %s(CreatedDate)" % (function, function),
                  "SELECT (%s)::integer, count(*) FROM run GROUP BY 1" % (part % "created_at")))
    where("@Run", "run", [("%s(CreatedDate) = 2" % function, (part % "created_at") + " = 2"),
                          ("%s(LastModifiedDate) > 5 AND %s(LastModifiedDate) <= 11" % (function, function.lower()), "(%s) > 5 AND (%s) <= 11" % ((part % "modified_at",) * 2)),
                          ("NOT %s(LastViewedDate) IN (1, 2, 3)" % function, "(SELECT (%s) IN (1, 2, 3) FROM (SELECT max(viewed_at) AS v FROM orchestration.record_view w WHERE w.record_id = run.id) x) IS NOT TRUE" % (part % "x.v"))])
where("@Run", "run", [
    ("DAY_ONLY(CreatedDate) = 2024-02-05", "created_at::date = '2024-02-05'"), ("DAY_ONLY(CreatedDate) < 2024-02-05", "created_at::date < '2024-02-05'"),
    ("DAY_ONLY(CreatedDate) != 2024-02-05", "created_at::date <> '2024-02-05'"), ("DAY_ONLY(CreatedDate) >= 2024-02-29", "created_at::date >= '2024-02-29'"),
    ("DAY_ONLY(CreatedDate) IN (2024-02-05, 2024-02-07)", "created_at::date IN ('2024-02-05', '2024-02-07')"), ("DAY_ONLY(LastViewedDate) = null", "NOT EXISTS (SELECT FROM orchestration.record_view v WHERE v.record_id = run.id AND viewed_at IS NOT NULL)"),
])

# ------------------------------------------------------------ relationships (5.5)

CASES += [
    ("SELECT Id, Owner.Id, Owner.Name, CreatedBy.Username, Status FROM @Run WHERE Name > 'OR-00000100'", "SELECT r.id, o.id, o.name, c.username, r.status FROM run r JOIN person_or_group o ON o.id = r.owner_id JOIN person_or_group c ON c.id = auto(r.created_by) WHERE r.name > 'OR-00000100'"),
    ("SELECT Id, StageInstance.Name, StageInstance.OrchestrationInstance.Name, OrchestrationInstance.Status FROM @Step", "SELECT s.id, g.name, r2.name, r.status FROM step s LEFT JOIN stage g ON g.id = s.stage_run_id LEFT JOIN run r2 ON r2.id = g.run_id LEFT JOIN run r ON r.id = s.run_id"),
    ("SELECT Id, StepInstance.StageInstance.OrchestrationInstance.Owner.Name FROM @Item", "SELECT i.id, p.name FROM item i LEFT JOIN step s ON s.id = i.step_run_id LEFT JOIN stage g ON g.id = s.stage_run_id LEFT JOIN run r ON r.id = g.run_id LEFT JOIN person_or_group p ON p.id = r.owner_id"),
    ("SELECT Id FROM @Item WHERE StepInstance.StageInstance.OrchestrationInstance.Owner.Name = 'Sam'", "SELECT i.id FROM item i JOIN step s ON s.id = i.step_run_id JOIN stage g ON g.id = s.stage_run_id JOIN run r ON r.id = g.run_id WHERE r.owner_id = public.who('sam')"),
    ("SELECT Id FROM @Step WHERE StageInstance.OrchestrationInstance.Name = null", "SELECT s.id FROM step s LEFT JOIN stage g ON g.id = s.stage_run_id LEFT JOIN run r ON r.id = g.run_id WHERE r.id IS NULL"),
    ("SELECT Id FROM @Step WHERE StageInstance.Position != 1", "SELECT s.id FROM step s LEFT JOIN stage g ON g.id = s.stage_run_id WHERE g.position IS DISTINCT FROM 1"),
    ("SELECT Id FROM @Step WHERE Name = 'Count' OR StageInstance.Position = 1", "SELECT s.id FROM step s LEFT JOIN stage g ON g.id = s.stage_run_id WHERE s.name = 'Count' OR g.position = 1"),
    ("SELECT VersionNumber, FlowOrchestration.ActiveVersion.FlowOrchestration.ActiveVersion.FlowOrchestration.ApiName FROM FlowOrchestrationVersion", "SELECT version, CASE WHEN d.active_version IS NOT NULL THEN d.name END FROM orchestration.orchestration_version v JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id"),
    ("SELECT Id, Assignee.Name, Assignee.Type FROM @Item", "SELECT i.id, p.name, p.kind FROM item i JOIN person_or_group p ON p.id = i.assignee_id"),
    ("SELECT Id FROM @Item WHERE Assignee.Type = 'queue'", "SELECT i.id FROM item i JOIN person_or_group p ON p.id = i.assignee_id WHERE p.kind = 'Queue'"),
    ("SELECT Id FROM @Item WHERE Assignee.Type IN ('User', 'Group') AND Assignee.Name LIKE '%a%'", "SELECT i.id FROM item i JOIN person_or_group p ON p.id = i.assignee_id WHERE p.kind <> 'Queue' AND low(p.name) LIKE '%a%'"),
    ("SELECT Assignee.Type, COUNT(Id) FROM @Item GROUP BY Assignee.Type", "SELECT p.kind, count(*) FROM item i JOIN person_or_group p ON p.id = i.assignee_id GROUP BY 1"),
    ("SELECT Id FROM @Item WHERE Assignee.IsActive = false", "SELECT i.id FROM item i JOIN person_or_group p ON p.id = i.assignee_id WHERE p.kind <> 'User'"),
    ("SELECT Id FROM @Item WHERE Assignee.IsActive = true", "SELECT i.id FROM item i JOIN person_or_group p ON p.id = i.assignee_id WHERE p.kind = 'User'"),
    ("SELECT Id FROM @Item WHERE Assignee.IsActive != true", "SELECT i.id FROM item i JOIN person_or_group p ON p.id = i.assignee_id WHERE p.kind <> 'User'"),
    ("SELECT Id FROM @Item WHERE Assignee.IsActive = null", "SELECT i.id FROM item i JOIN person_or_group p ON p.id = i.assignee_id WHERE p.kind <> 'User'"),
    ("SELECT Id FROM @Item WHERE Assignee.IsActive != null", "SELECT i.id FROM item i JOIN person_or_group p ON p.id = i.assignee_id WHERE p.kind = 'User'"),
    ("SELECT Id FROM @Item WHERE Assignee.IsActive IN (false)", "SELECT i.id FROM item i JOIN person_or_group p ON p.id = i.assignee_id WHERE p.kind <> 'User'"),
    ("SELECT Id FROM @Item WHERE Assignee.IsActive NOT IN (false)", "SELECT i.id FROM item i JOIN person_or_group p ON p.id = i.assignee_id WHERE p.kind = 'User'"),
    ("SELECT Id FROM @Item WHERE Assignee.IsActive IN (true, null)", "SELECT id FROM item"),
    ("SELECT Id FROM @Item WHERE Assignee.IsActive NOT IN (null)", "SELECT i.id FROM item i JOIN person_or_group p ON p.id = i.assignee_id WHERE p.kind = 'User'"),
    ("SELECT Id, TriggeringRecord.Name FROM @Run", "SELECT r.id, p.name FROM run r LEFT JOIN person_or_group p ON p.id::text = r.triggering_record_id"),
    ("SELECT TYPEOF Assignee WHEN User THEN Username, IsActive WHEN Group THEN DeveloperName END, Id FROM @Item", "SELECT CASE kind WHEN 'User' THEN json_build_array('User', p.username, p.is_active) ELSE json_build_array('Group', p.developer_name) END, i.id FROM item i JOIN person_or_group p ON p.id = i.assignee_id"),
    ("SELECT Id, TYPEOF Assignee WHEN Group THEN Name END FROM @Item", "SELECT i.id, CASE WHEN kind <> 'User' THEN json_build_array('Group', p.name) END FROM item i JOIN person_or_group p ON p.id = i.assignee_id"),
    ("SELECT Id, TYPEOF Assignee WHEN User THEN Username ELSE Name, Type END FROM @Item", "SELECT i.id, CASE WHEN kind = 'User' THEN json_build_array('User', p.username) ELSE json_build_array('Group', p.name, p.kind) END FROM item i JOIN person_or_group p ON p.id = i.assignee_id"),
    ("SELECT o.Id, (SELECT g.Id, g.Name FROM o.FlowOrchestrationStageInstances g ORDER BY g.Position) FROM @Run o", "SELECT r.id, (SELECT json_agg(json_build_array(g.id, g.name) ORDER BY g.position) FROM stage g WHERE g.run_id = r.id) FROM run r"),
    ("SELECT Id, (SELECT Id FROM FlowOrchestrationInstance.FlowOrchestrationStageInstances WHERE Position = 2) FROM @Run ORDER BY Name LIMIT 10", "SELECT r.id, (SELECT json_agg(json_build_array(g.id)) FROM stage g WHERE g.run_id = r.id AND position = 2) FROM run r ORDER BY name LIMIT 10"),
    ("SELECT Id, (SELECT Id, Name FROM FlowOrchestrationStageInstances ORDER BY Position) FROM @Run", "SELECT r.id, (SELECT json_agg(json_build_array(g.id, g.name) ORDER BY g.position) FROM stage g WHERE g.run_id = r.id) FROM run r"),
    ("SELECT Id, (SELECT Name FROM FlowOrchestrationStageInstances ORDER BY Position DESC LIMIT 1) FROM @Run WHERE Status = 'Error'", "SELECT r.id, (SELECT json_build_array(json_build_array(g.name)) FROM stage g WHERE g.run_id = r.id ORDER BY position DESC LIMIT 1) FROM run r WHERE status = 'Error'"),
    ("SELECT Id, (SELECT Id FROM FlowOrchestrationStageInstances WHERE Position = 2) FROM @Run ORDER BY Name LIMIT 10", "SELECT r.id, (SELECT json_agg(json_build_array(g.id)) FROM stage g WHERE g.run_id = r.id AND position = 2) FROM run r ORDER BY name LIMIT 10"),
    ("SELECT Name, (SELECT Name FROM FlowOrchestrationStageInstances LIMIT 0) FROM @Run ORDER BY Name LIMIT 20", "SELECT name, NULL FROM run ORDER BY name LIMIT 20"),
    ("SELECT Id, (SELECT Id, (SELECT Id, (SELECT Name FROM FlowOrchestrationWorkItems ORDER BY Name) FROM FlowOrchestrationStepInstances ORDER BY Id) FROM FlowOrchestrationStageInstances ORDER BY Id) FROM @Run",
     "SELECT r.id, (SELECT json_agg(json_build_array(g.id, (SELECT json_agg(json_build_array(s.id, (SELECT json_agg(json_build_array(i.name) ORDER BY i.name) FROM item i WHERE i.step_run_id = s.id)) ORDER BY s.id) FROM step s WHERE s.stage_run_id = g.id)) ORDER BY g.id) FROM stage g WHERE g.run_id = r.id) FROM run r"),
    ("SELECT Id, (SELECT Id FROM FlowOrchestrationStageInstances ORDER BY Id), (SELECT Name FROM FlowOrchestrationStepInstances ORDER BY Id), (SELECT Kind FROM FlowOrchestrationLogs ORDER BY Id) FROM @Run ORDER BY Name",
     "SELECT r.id, (SELECT json_agg(json_build_array(g.id) ORDER BY g.id) FROM stage g WHERE g.run_id = r.id), (SELECT json_agg(json_build_array(s.name) ORDER BY s.id) FROM step s WHERE s.run_id = r.id), (SELECT json_agg(json_build_array(l.kind) ORDER BY l.id) FROM log l WHERE l.run_id = r.id) FROM run r ORDER BY name"),
    ("SELECT Id, (SELECT Id FROM Histories ORDER BY CreatedDate), (SELECT Title FROM Feeds ORDER BY Title) FROM @Run", "SELECT r.id, (SELECT json_agg(json_build_array(c.id) ORDER BY c.changed_at) FROM change c WHERE c.record_id = r.id), (SELECT json_agg(json_build_array(f.title) ORDER BY f.title) FROM feed f WHERE f.record_id = r.id) FROM run r"),
    ("SELECT Id, (SELECT Id FROM FlowOrchestrationStageInstances ORDER BY Position LIMIT 1 OFFSET 1) FROM @Run WHERE Name = 'OR-00000003' LIMIT 1", "SELECT r.id, (SELECT json_build_array(json_build_array(g.id)) FROM stage g WHERE g.run_id = r.id AND g.position = 2) FROM run r WHERE name = 'OR-00000003'"),
    ("SELECT Name, (SELECT UserOrGroupId FROM GroupMembers ORDER BY UserOrGroupId) FROM Group", "SELECT name, (SELECT json_agg(json_build_array(m.member_id) ORDER BY m.member_id) FROM member m WHERE m.group_id = p.id) FROM person_or_group p WHERE kind <> 'User'"),
    ("SELECT Id FROM @Run WHERE Id IN (SELECT OrchestrationInstanceId FROM @Stage WHERE Status = 'Error')", "SELECT id FROM run WHERE id IN (SELECT run_id FROM stage WHERE status = 'Error')"),
    ("SELECT Id FROM @Run WHERE Id NOT IN (SELECT OrchestrationInstanceId FROM @Stage)", "SELECT id FROM run WHERE id NOT IN (SELECT run_id FROM stage)"),
    ("SELECT Id FROM @Run WHERE OwnerId NOT IN (SELECT UserOrGroupId FROM GroupMember)", "SELECT id FROM run WHERE owner_id NOT IN (SELECT member_id FROM member)"),
    ("SELECT Id FROM User WHERE Id NOT IN (SELECT InterviewId FROM @Run)", "SELECT id FROM person_or_group WHERE kind = 'User'"),
    ("SELECT Id FROM User WHERE Id IN (SELECT TriggeringRecordId FROM @Run)", "SELECT id FROM person_or_group WHERE id::text IN (SELECT triggering_record_id FROM run)"),
    ("SELECT Id FROM User WHERE Id NOT IN (SELECT TriggeringRecordId FROM @Run)", "SELECT id FROM person_or_group WHERE kind = 'User' AND NOT EXISTS (SELECT FROM run WHERE triggering_record_id = person_or_group.id::text)"),
    ("SELECT Id FROM @Run WHERE TriggeringRecordId NOT IN (SELECT Id FROM User)", "SELECT id FROM run WHERE NOT EXISTS (SELECT FROM person_or_group p WHERE p.id::text = triggering_record_id)"),
    ("SELECT Id FROM @Run WHERE InterviewId NOT IN (SELECT Id FROM User)", "SELECT id FROM run"),
    ("SELECT Id FROM @Run WHERE Status = 'Error' AND Id IN (SELECT OrchestrationInstanceId FROM @Step WHERE StageInstance.Position = 1) AND OwnerId NOT IN (SELECT Id FROM User WHERE Name = 'Sam')", "SELECT id FROM run WHERE status = 'Error' AND id IN (SELECT s.run_id FROM step s JOIN stage g ON g.id = s.stage_run_id WHERE g.position = 1) AND owner_id <> public.who('sam')"),
    ("SELECT COUNT() FROM @Run WHERE Id IN (SELECT OrchestrationInstanceId FROM @Log WHERE Kind = 'EndStage')", "SELECT count(*) FROM run WHERE id IN (SELECT run_id FROM log WHERE kind = 'EndStage')"),
]

# ------------------------------------------------------------ approvals

where("@Submission", "submission", [
    ("Status = 'InProgress'", "status = 'InProgress'"), ("Status IN ('approved', 'Rejected')", "status IN ('Approved', 'Rejected')"), ("Status = 'in progress'", "status = 'InProgress'"),
    ("Status NOT IN ('InProgress', 'Suspended')", "status NOT IN ('InProgress', 'Suspended')"), ("Status LIKE 'Re%'", "status IN ('Recalled', 'Rejected')"), ("Status = 'Pending'", "false"),
    ("RelatedRecordId = 'A-10'", "related_record_id = 'A-10'"), ("RelatedRecordId IN ('A-10', 'a-12', null)", "related_record_id IS NULL OR related_record_id IN ('A-10', 'a-12')"),
    ("RelatedRecordId = null AND Status != 'Approved'", "related_record_id IS NULL AND status <> 'Approved'"), ("RelatedRecordObjectName = 'thing'", "related_record_type = 'Thing'"),
    ("RelatedRecordObjectName != 'Thing'", "related_record_type IS NULL"), ("DoesSendApprovalEmail = false", "NOT sends_email"), ("DoesSendApprovalEmail != null", "sends_email"), ("DoesSendApprovalEmail = null", "NOT sends_email"),
    ("Name = 'as-000000010'", "name = 'AS-000000010'"), ("Name LIKE 'as-0000001%'", "name LIKE 'AS-0000001%'"), ("SubmittedBy.Username = 'SAM@example.com'", "submitted_by = public.who('sam')"),
    ("OwnerId != '00000000-0000-7000-8000-000000000001'", "owner_id <> auto(NULL)"), ("LastViewedDate != null", "EXISTS (SELECT FROM orchestration.record_view v WHERE v.record_id = submission.id AND viewed_at IS NOT NULL)"),
    ("CreatedDate >= 2024-06-01T00:00:00Z AND CreatedDate < 2025-01-01T00:00:00Z", "created_at >= '2024-06-01' AND created_at < '2025-01-01'"),
    ("FlowOrchestrationInstance.Status = 'Error'", "run_id IN (SELECT id FROM run WHERE status = 'Error')"), ("FlowOrchestrationInstance.Name = null", "run_id NOT IN (SELECT id FROM run)"),
    ("FlowOrchestrationInstanceId IN (SELECT Id FROM @Run WHERE Status = 'Suspended')", "run_id IN (SELECT id FROM run WHERE status = 'Suspended')"),
    ("Id IN (SELECT ApprovalSubmissionId FROM @Decision WHERE Status = 'Assigned')", "id IN (SELECT submission_id FROM decision WHERE status = 'Assigned')"),
    ("Id NOT IN (SELECT ApprovalSubmissionId FROM @Detail WHERE ActionName = 'Recall')", "id NOT IN (SELECT submission_id FROM detail WHERE action = 'Recall')"),
    ("Id IN (SELECT ApprovalSubmissionId FROM ApprovalSubmissionHistory WHERE Field = 'Status')", "id IN (SELECT record_id FROM change WHERE object = 'ApprovalSubmission' AND field = 'Status')"),
])
where("@Decision", "decision", [
    ("Status = 'Assigned'", "status = 'Assigned'"), ("Status IN ('Withdrawn', 'Canceled', 'Errored', 'Recalled')", "status IN ('Withdrawn', 'Canceled', 'Errored', 'Recalled')"),
    ("ReviewedById = null", "reviewed_by IS NULL"), ("ReviewedDate != null", "status IN ('Approved', 'Rejected')"), ("ReviewedBy.Name = 'sam'", "reviewed_by = public.who('sam')"),
    ("ReviewedBy.Name != 'sam'", "reviewed_by IS DISTINCT FROM public.who('sam')"), ("ReviewedDate > 2025-01-01T00:00:00Z", "reviewed_at >= '2025-01-01T00:00:00.001Z'"),
    ("AssignedTo.Type = 'Queue'", "assigned_to = public.who('Line')"), ("AssignedTo.Name IN ('team', 'elsewhere')", "assigned_to IN (public.who('Team'), public.who('Elsewhere'))"),
    ("AssignedTo.IsActive = true", "assigned_to IN (SELECT id FROM person_or_group WHERE kind = 'User')"), ("AssignedToId IN (SELECT Id FROM User WHERE IsActive = true)", "assigned_to IN (SELECT id FROM person_or_group WHERE kind = 'User' AND is_active)"),
    ("AssignedToId IN (SELECT GroupId FROM GroupMember)", "assigned_to IN (SELECT group_id FROM member)"), ("ApprovalConditionName = 'approval'", "low(condition_name) = 'approval'"), ("ApprovalConditionName = null", "condition_name IS NULL"),
    ("ApprovalSubmission.RelatedRecordId = 'A-10' AND Status = 'Assigned'", "status = 'Assigned' AND related_record_id = 'A-10'"), ("ApprovalSubmission.Status = 'Rejected'", "submission_id IN (SELECT id FROM submission WHERE status = 'Rejected')"),
    ("ApprovalSubmission.SubmittedBy.Name LIKE 'pat%'", "submission_id IN (SELECT id FROM submission WHERE submitted_by = public.who('pat'))"),
    ("FlowOrchestrationWorkItem.Status = 'Completed'", "work_item_id IN (SELECT id FROM item WHERE status = 'Completed')"), ("FlowOrchestrationWorkItem.StepInstance.Status = 'Error'", "work_item_id IN (SELECT i.id FROM item i JOIN step s ON s.id = i.step_run_id WHERE s.status = 'Error')"),
    ("Name LIKE 'AWI-00000001%'", "name LIKE 'AWI-00000001%'"), ("RelatedRecordObjectName = 'Thing' AND RelatedRecordId = null", "related_record_type = 'Thing' AND related_record_id IS NULL"),
])
where("@Item", "item", [("ParentWorkItemId = null", "parent_id IS NULL"), ("ParentWorkItem.Assignee.Name = 'line'", "parent_id IN (SELECT id FROM item WHERE assignee_id = public.who('Line'))")])
CASES += [
    ("SELECT Id, ParentWorkItemId, ParentWorkItem.Name, ParentWorkItem.StepInstance.Name FROM @Item", "SELECT i.id, i.parent_id, p.name, s.name FROM item i LEFT JOIN item p ON p.id = i.parent_id LEFT JOIN step s ON s.id = p.step_run_id"),
    ("SELECT Name, (SELECT Name, Status FROM FlowOrchestrationWorkItems ORDER BY Name) FROM @Item ORDER BY Name", "SELECT i.name, (SELECT json_agg(json_build_array(m.name, m.status) ORDER BY m.name) FROM item m WHERE m.parent_id = i.id) FROM item i ORDER BY i.name"),
    ("SELECT Name, FlowOrchestrationWorkItem.ParentWorkItem.Assignee.Name FROM @Decision", "SELECT a.name, g.name FROM decision a LEFT JOIN item i ON i.id = a.work_item_id LEFT JOIN item p ON p.id = i.parent_id LEFT JOIN person_or_group g ON g.id = p.assignee_id"),
]
where("@Detail", "detail", [
    ("ActionName = 'Recall'", "action = 'Recall'"), ("ActionName IN ('review', 'Override')", "action IN ('Review', 'Override')"), ("ActionPerformerRole != 'Admin'", "performer_role <> 'Admin'"), ("ActionChannelName = 'invocable action'", "channel = 'InvocableAction'"),
    ("ActionChannelName LIKE 'S%'", "channel IN ('ScreenFlow', 'Slack', 'System')"), ("ActionContext LIKE 'Reassigned from%'", "context IS NOT NULL"), ("ActionContext = null", "context IS NULL"), ("ActionPerformedById = null", "performed_by IS NULL"),
    ("ActionPerformedBy.Name = 'Sam'", "performed_by = public.who('sam')"), ("CreatedBy.Username = 'autoproc'", "performed_by IS NULL"), ("ApprovalWorkItemId = null", "submission_item_id IS NULL"), ("ApprovalWorkItem.Status = 'Approved'", "submission_item_id IN (SELECT id FROM decision WHERE status = 'Approved')"),
    ("ApprovalSubmission.Status = 'Recalled' AND ActionName = 'Recall'", "action = 'Recall' AND submission_id IN (SELECT id FROM submission WHERE status = 'Recalled')"),
])
CASES += [
    ("SELECT Name, Status, SubmittedBy.Name, Comments, RelatedRecordId, FlowOrchestrationInstance.Name FROM @Submission", "SELECT s.name, s.status, p.name, s.comments, s.related_record_id, r.name FROM submission s JOIN person_or_group p ON p.id = s.submitted_by LEFT JOIN run r ON r.id = s.run_id"),
    ("SELECT Id, RelatedRecord.Name, Owner.Name, Owner.Type FROM @Submission", "SELECT s.id, p.name, o.name, o.kind FROM submission s LEFT JOIN person_or_group p ON p.id::text = s.related_record_id JOIN person_or_group o ON o.id = s.owner_id"),
    ("SELECT Id, TYPEOF RelatedRecord WHEN FlowOrchestrationInstance THEN Name END FROM @Submission", "SELECT id, NULL FROM submission"),
    ("SELECT Name, (SELECT Name, Status, AssignedTo.Name, ReviewedBy.Name, Comments FROM ApprovalWorkItems ORDER BY Name) FROM @Submission ORDER BY Name",
     "SELECT s.name, (SELECT json_agg(json_build_array(a.name, a.status, json_build_array(p.name), CASE WHEN v.id IS NOT NULL THEN json_build_array(v.name) END, a.comments) ORDER BY a.name) FROM decision a JOIN person_or_group p ON p.id = a.assigned_to LEFT JOIN person_or_group v ON v.id = a.reviewed_by WHERE a.submission_id = s.id) FROM submission s ORDER BY s.name"),
    ("SELECT Name, (SELECT Id FROM ApprovalWorkItems WHERE Status = 'Assigned' ORDER BY Id), (SELECT ActionName, ActionPerformerRole, Comments FROM ApprovalSubmissionDetails ORDER BY Name) FROM @Submission WHERE Status IN ('InProgress', 'Recalled') ORDER BY Name",
     "SELECT s.name, (SELECT json_agg(json_build_array(a.id) ORDER BY a.id) FROM decision a WHERE a.submission_id = s.id AND a.status = 'Assigned'), (SELECT json_agg(json_build_array(d.action, d.performer_role, d.comments) ORDER BY d.name) FROM detail d WHERE d.submission_id = s.id) FROM submission s WHERE status IN ('InProgress', 'Recalled') ORDER BY s.name"),
    ("SELECT Name, (SELECT Status, Name FROM ApprovalSubmissions) FROM @Run ORDER BY Name", "SELECT r.name, (SELECT json_agg(json_build_array(s.status, s.name)) FROM submission s WHERE s.run_id = r.id) FROM run r ORDER BY r.name"),
    ("SELECT Name, (SELECT Name, (SELECT Name FROM ApprovalWorkItems ORDER BY Name) FROM ApprovalSubmissions) FROM @Run WHERE Status = 'Error' ORDER BY Name",
     "SELECT r.name, (SELECT json_agg(json_build_array(s.name, (SELECT json_agg(json_build_array(a.name) ORDER BY a.name) FROM decision a WHERE a.submission_id = s.id))) FROM submission s WHERE s.run_id = r.id) FROM run r WHERE r.status = 'Error' ORDER BY r.name"),
    ("SELECT Name, (SELECT Name, Status FROM ApprovalWorkItems) FROM @Item ORDER BY Name", "SELECT i.name, (SELECT json_agg(json_build_array(a.name, a.status)) FROM decision a WHERE a.work_item_id = i.id) FROM item i ORDER BY i.name"),
    ("SELECT Name, (SELECT Name FROM ApprovalSubmissionDetails ORDER BY Name), (SELECT Field FROM Histories) FROM @Decision ORDER BY Name", "SELECT a.name, (SELECT json_agg(json_build_array(d.name) ORDER BY d.name) FROM detail d WHERE d.submission_item_id = a.id), (SELECT json_agg(json_build_array(c.field)) FROM change c WHERE c.record_id = a.id) FROM decision a ORDER BY a.name"),
    ("SELECT Name, (SELECT Field, OldValue, NewValue FROM Histories) FROM @Submission ORDER BY Name", "SELECT s.name, (SELECT json_agg(json_build_array(c.field, c.old_value, c.new_value)) FROM change c WHERE c.record_id = s.id) FROM submission s ORDER BY s.name"),
    ("SELECT Id, AssignedTo.Name, AssignedTo.Type, ReviewedBy.Username, ApprovalSubmission.Name, ApprovalSubmission.FlowOrchestrationInstance.OrchestrationLabel FROM @Decision",
     "SELECT a.id, p.name, p.kind, v.username, s.name, r.orchestration_label FROM decision a JOIN person_or_group p ON p.id = a.assigned_to LEFT JOIN person_or_group v ON v.id = a.reviewed_by JOIN submission s ON s.id = a.submission_id LEFT JOIN run r ON r.id = s.run_id"),
    ("SELECT TYPEOF AssignedTo WHEN User THEN Username WHEN Group THEN DeveloperName, Type END, Id FROM @Decision", "SELECT CASE p.kind WHEN 'User' THEN json_build_array('User', p.username) ELSE json_build_array('Group', p.developer_name, CASE p.kind WHEN 'Queue' THEN 'Queue' ELSE 'Regular' END) END, a.id FROM decision a JOIN person_or_group p ON p.id = a.assigned_to"),
    ("SELECT ApprovalSubmission.Name, ApprovalWorkItem.Name, ActionName, ActionPerformedBy.Name, CreatedDate FROM @Detail ORDER BY CreatedDate DESC, Name", "SELECT s.name, a.name, d.action, p.name, d.created_at FROM detail d JOIN submission s ON s.id = d.submission_id LEFT JOIN decision a ON a.id = d.submission_item_id LEFT JOIN person_or_group p ON p.id = d.performed_by ORDER BY d.created_at DESC, d.name"),
    ("SELECT Status, COUNT(Id) n FROM @Submission GROUP BY Status ORDER BY COUNT(Id) DESC, Status", "SELECT status, count(*) FROM submission GROUP BY 1 ORDER BY 2 DESC, 1"),
    ("SELECT AssignedToId, COUNT(Id) n, MIN(CreatedDate) FROM @Decision WHERE Status = 'Assigned' GROUP BY AssignedToId", "SELECT assigned_to, count(*), min(created_at) FROM decision WHERE status = 'Assigned' GROUP BY 1"),
    ("SELECT AssignedTo.Name, Status, COUNT(Id) n FROM @Decision GROUP BY AssignedTo.Name, Status HAVING COUNT(Id) > 1", "SELECT p.name, a.status, count(*) FROM decision a JOIN person_or_group p ON p.id = a.assigned_to GROUP BY 1, 2 HAVING count(*) > 1"),
    ("SELECT ActionName, ActionPerformerRole, COUNT(Id) n FROM @Detail GROUP BY ROLLUP(ActionName, ActionPerformerRole)", "SELECT action, performer_role, count(*) FROM detail GROUP BY ROLLUP(action, performer_role)"),
    ("SELECT CALENDAR_YEAR(ReviewedDate) y, CALENDAR_MONTH(ReviewedDate) m, Status, COUNT(Id) n FROM @Decision WHERE ReviewedDate != null GROUP BY CALENDAR_YEAR(ReviewedDate), CALENDAR_MONTH(ReviewedDate), Status",
     "SELECT extract(year FROM reviewed_at)::integer, extract(month FROM reviewed_at)::integer, status, count(*) FROM decision WHERE reviewed_at IS NOT NULL GROUP BY 1, 2, 3"),
    ("SELECT toLabel(Status), Name FROM @Submission", "SELECT label(status), name FROM submission"),
    ("SELECT Status, Name FROM @Decision ORDER BY Status, Name", "SELECT status, name FROM decision ORDER BY status, name"),
    ("SELECT Id FROM @Submission USING SCOPE mine", "SELECT id FROM submission WHERE owner_id = public.who(person())"),
    ("SELECT COUNT() FROM @Decision WHERE Status = 'Assigned' AND ApprovalSubmission.Status = 'InProgress'", "SELECT count(*) FROM decision WHERE status = 'Assigned' AND submission_id IN (SELECT id FROM submission WHERE status = 'InProgress')"),
    ("SELECT ParentId, UserOrGroupId, AccessLevel FROM ApprovalSubmissionShare WHERE RowCause = 'Manual'", "SELECT record_id, user_or_group_id, access_level FROM manual WHERE object = 'ApprovalSubmission'"),
    ("SELECT ParentId, UserOrGroupId, AccessLevel FROM ApprovalSubmissionShare WHERE RowCause = 'Owner'", "SELECT id, owner_id, 'All' FROM submission"),
    ("SELECT Id, ApprovalWorkItem.Name, Field, NewValue FROM ApprovalWorkItemHistory", "SELECT c.id, a.name, c.field, c.new_value FROM change c JOIN decision a ON a.id = c.record_id"),
]
refuse("INVALID_FIELD", "No such column 'OwnerId' on entity 'ApprovalWorkItem'", "SELECT OwnerId FROM @Decision", "SELECT Id FROM @Decision WHERE OwnerId = null")
refuse("INVALID_FIELD", "No such column", "SELECT ApprovalChainName FROM @Decision", "SELECT IsAutoReviewed, SmartApprovalBasisWorkItemId FROM @Decision", "SELECT SubmittedDate FROM @Submission", "SELECT Id FROM @Submission WHERE TargetObjectId = null")
refuse("INVALID_FIELD", "Didn't understand relationship", "SELECT Actor.Name FROM @Decision", "SELECT RelatedRecord.Owner.Name FROM @Submission", "SELECT ApprovalSubmission.ApprovalWorkItems.Name FROM @Decision")
refuse("INVALID_FIELD", "can not be filtered", "SELECT Id FROM @Submission WHERE Comments = 'Please'", "SELECT Id FROM @Decision WHERE Comments LIKE '%no%'", "SELECT Id FROM @Detail WHERE Comments != null")
refuse("INVALID_TYPE", "Didn't understand relationship", "SELECT Id, (SELECT Id FROM ApprovalWorkItem) FROM @Submission", "SELECT Id, (SELECT Id FROM ApprovalSubmissionDetails) FROM @Run", "SELECT Id, (SELECT Id FROM Shares) FROM @Decision")
refuse("MALFORMED_QUERY", "", "SELECT Id FROM @Decision USING SCOPE mine", "SELECT Name, COUNT(Id) FROM @Submission GROUP BY Name", "SELECT Id FROM @Submission ORDER BY Comments")

# ------------------------------------------------------------ errors (query.md, 4; reference.md, 5)

refuse("INVALID_TYPE", "sObject type 'Nothing' is not supported", "SELECT Id FROM Nothing", "SELECT COUNT() FROM Nothing",
       "SELECT Id FROM @Run WHERE Id IN (SELECT Id FROM Nothing)")
refuse("INVALID_TYPE", "not supported", "SELECT Id FROM Name", "SELECT Id FROM flow_orchestration_instance", "SELECT Id FROM pg_class",
       "SELECT Id FROM FlowInterview", "SELECT Id FROM run")
refuse("INVALID_TYPE", "Didn't understand relationship 'Children'", "SELECT Id, (SELECT Id FROM Children) FROM @Run")
refuse("INVALID_TYPE", "Didn't understand relationship 'FlowOrchestrationStageInstance'", "SELECT Id, (SELECT Id FROM @Stage) FROM @Run")
refuse("INVALID_TYPE", "", "SELECT TYPEOF Assignee WHEN Nothing THEN Id END FROM @Item", "SELECT TYPEOF Assignee WHEN @Run THEN Id END FROM @Item")
refuse("INVALID_FIELD", "No such column 'Nothing' on entity 'FlowOrchestrationInstance'", "SELECT Nothing FROM @Run",
       "SELECT Id FROM @Run WHERE Nothing = 1", "SELECT Id FROM @Run ORDER BY Nothing", "SELECT COUNT(Nothing) FROM @Run",
       "SELECT Id FROM @Run WHERE Name = 'x' OR Nothing = 1", "SELECT Id FROM @Stage WHERE Id IN (SELECT Nothing FROM @Run)",
       "SELECT COUNT(Id) FROM @Run GROUP BY Nothing", "SELECT Id FROM @Stage WHERE OrchestrationInstance.Nothing = 1", "SELECT toLabel(Nothing) FROM @Run")
refuse("INVALID_FIELD", "No such column", "SELECT created_date FROM @Run", "SELECT Owner FROM @Run", "SELECT Owner.Nothing FROM @Run", "SELECT xmin FROM @Run",
       "SELECT variables FROM @Run", "SELECT Id, (SELECT Nothing FROM FlowOrchestrationStageInstances) FROM @Run", "SELECT Assignee.DeveloperName FROM @Item",
       "SELECT tableoid FROM @Run", "SELECT TYPEOF Assignee WHEN User THEN Nothing END FROM @Item")
refuse("INVALID_FIELD", "Didn't understand relationship 'Nothing' in field path", "SELECT Nothing.Name FROM @Run", "SELECT Owner.Nothing.Name FROM @Run",
       "SELECT Id FROM @Run WHERE Nothing.Name = 'x'", "SELECT Id FROM @Run ORDER BY Nothing.Name")
refuse("INVALID_FIELD", "Didn't understand relationship", "SELECT OwnerId.Name FROM @Run", "SELECT Interview.Name FROM @Run", "SELECT Assignee.Owner.Name FROM @Item",
       "SELECT TYPEOF Nothing WHEN User THEN Id END FROM @Run")
refuse("INVALID_FIELD", "duplicate field selected: Id", "SELECT Id, Id FROM @Run", "SELECT Id, iD FROM @Run", "SELECT Id, Name, @Run.Id FROM @Run", "SELECT r.Id, Id FROM @Run r")
refuse("INVALID_FIELD", "duplicate field selected", "SELECT Owner.Name, Owner.Name FROM @Run", "SELECT Id, FIELDS(STANDARD) FROM @Run", "SELECT Status, Status FROM @Run GROUP BY Status")
refuse_where("INVALID_FIELD", "must be of type", "Status = 1", "Status = true", "Name = 5", "Name = TODAY", "Name IN ('a', 5)", "OwnerId = 5", "OwnerId = true",
             "Duration = '5'", "Duration = true", "Duration IN (1, 'x')", "IsDeleted = 'true'", "IsDeleted = 0", "CreatedDate = 'x'", "CreatedDate = 5", "CreatedDate > 2024-01-01",
             "CreatedDate = '2024-01-01T00:00:00Z'", "TriggeringRecordId = 5", "Name LIKE 5", "CALENDAR_YEAR(CreatedDate) = TODAY", "CALENDAR_YEAR(CreatedDate) = '2024'",
             "DAY_ONLY(CreatedDate) = TODAY", "DAY_ONLY(CreatedDate) = 2024-01-01T00:00:00Z", "CreatedDate IN (TODAY, 5)", "Name = 2024-01-01")
refuse("INVALID_FIELD", "can not be filtered", "SELECT Id FROM @Item WHERE ScreenFlowInputs = null", "SELECT Id FROM @RunFeed WHERE Body = 'x'", "SELECT Id FROM @RunFeed WHERE Title LIKE 'x'", "SELECT Id FROM @RunFeed WHERE InsertedById = null",
       "SELECT Id FROM @RunHistory WHERE NewValue = 'x'", "SELECT Id FROM @Run WHERE Id IN (SELECT ParentId FROM @RunFeed WHERE Body = 'x')")
refuse("MALFORMED_QUERY", "can not be sorted", "SELECT Id FROM @RunShare ORDER BY Id", "SELECT Id FROM @RunHistory ORDER BY Id", "SELECT Id FROM @RunFeed ORDER BY Id")
refuse("MALFORMED_QUERY", "can not be grouped", "SELECT CreatedDate FROM @Run GROUP BY CreatedDate", "SELECT Name, COUNT(Id) FROM @Run GROUP BY Name", "SELECT Id FROM @RunShare GROUP BY Id",
       "SELECT toLabel(Status) FROM @Run GROUP BY toLabel(Status)", "SELECT COUNT(Id) FROM @Run GROUP BY COUNT(Id)", "SELECT COUNT(Id) FROM @Run GROUP BY ROLLUP(CreatedDate)")
refuse_where("INVALID_QUERY_FILTER_OPERATOR", "invalid ID", "Id = 'x'", "Id IN ('x')", "Id NOT IN ('00000000-0000-7000-8000-000000000001', 'y')", "OwnerId = ''", "OwnerId != 'sam'",
             "Owner.Id = 'x'", "Id = '00000000-0000-7000-8000-00000000000'", "Id = '00000000-0000-7000-8000-0000000000011'", "Id = '00000000-0000-7000-8000-00000000000g'", "Id > 'x'")
refuse_where("INVALID_QUERY_FILTER_OPERATOR", "invalid operator", "Id LIKE '0%'", "OwnerId LIKE '%'", "IsDeleted > false", "IsDeleted LIKE 'x'", "IsDeleted < true", "CreatedDate LIKE '2024%'", "Duration LIKE '1'",
             "Name > null", "Name LIKE null", "CreatedDate < null", "TriggeringRecordId LIKE 'A%'", "CALENDAR_YEAR(CreatedDate) LIKE '2'")
refuse("NUMBER_OUTSIDE_VALID_RANGE", "2000", "SELECT Id FROM @Run OFFSET 2001", "SELECT Id FROM @Run LIMIT 1 OFFSET 2147483647", "SELECT COUNT() FROM @Run OFFSET 2001")
refuse_where("MALFORMED_QUERY", "AND and OR are mixed", "Name = 'a' AND Name = 'b' OR Name = 'c'", "(Name = 'a' OR Name = 'b' AND Name = 'c')")
refuse_where("MALFORMED_QUERY", "NOT", "NOT Name = 'a' AND Name = 'b'", "Name = 'a' OR NOT Name = 'b'", "NOT NOT Name = 'a'", "Name NOT LIKE 'x'", "Name IS NOT NULL")
refuse_where("MALFORMED_QUERY", "bind variables", "Name = :x", "Id IN :ids")
refuse_where("MALFORMED_QUERY", "", "", "Name", "Name =", "= 'x'", "Name = 'x", "Name = \"x\"", "Name = CurrentStage", "Duration + 1 = 2", "Name = 'a\\xb'", "Name = '100\\%'", "Name IN ('a\\_b')",
             "CreatedDate = 2024-13-01T00:00:00Z", "CreatedDate = 2023-02-29T00:00:00Z", "CreatedDate > 1699-12-31T00:00:00Z", "CreatedDate > 4001-01-01T00:00:00Z", "CreatedDate = 2024-01-01T24:00:00Z",
             "CreatedDate = 2024-01-01T00:00:00", "CreatedDate = TODAYS", "CreatedDate = LAST_N_DAYS", "CreatedDate = LAST_N_DAYS:-1", "CreatedDate = LAST_N_DAYS:x", "CreatedDate = TODAY:1", "CreatedDate = LAST_N_DAYS:1.5",
             "CreatedDate = N_FORTNIGHTS_AGO:1", "Name INCLUDES ('a')", "Name EXCLUDES ('a')", "DISTANCE(Name, GEOLOCATION(1, 2), 'mi') < 5", "Duration > USD5000", "FORMULA('x') = 1", "Name IN ()", "Name IN 'x'",
             "COUNT(Id) > 1", "MAX(Name) = 'x'", "FORMAT(Name) = 'x'", "convertTimezone(CreatedDate) = TODAY", "Name = 'x' Name = 'y'", "Name = 'x';", "Name = 'x' -- y", "Name == 'x'", "Name = nonsense", "NONSENSE(Name) = 'x'",
             "toLabel(CreatedDate) = 'x'", "CALENDAR_YEAR(Name) = 1", "CALENDAR_YEAR(CreatedDate, Name) = 1", "CALENDAR_YEAR() = 1", "HOUR_IN_DAY(convertTimezone(Name)) = 1", "Name = '\\u0000'", "Name = '%s'" % ("x" * 4001))
refuse("MALFORMED_QUERY", "", "", "SELECT", "SELECT Id", "SELECT FROM @Run", "SELECT * FROM @Run", "SELECT Id, FROM @Run", "SELECT Id Name Status FROM @Run", "SELECT Id FROM", "SELECT Id FROM @Run @Stage x",
       "SELECT Id FROM @Run, @Stage", "SELECT Id FROM @Run LIMIT -1", "SELECT Id FROM @Run LIMIT 1.5", "SELECT Id FROM @Run LIMIT x", "SELECT Id FROM @Run LIMIT 1 LIMIT 2", "SELECT Id FROM @Run OFFSET 1 LIMIT 1",
       "SELECT Id FROM @Run FOR UPDATE", "SELECT Id FROM @Run FOR VIEW FOR REFERENCE", "SELECT Id FROM @Run ALL ROWS", "SELECT Id FROM @Run UPDATE TRACKING", "SELECT Id FROM @Run UPDATE VIEWSTAT",
       "SELECT Id FROM @Run WITH DATA CATEGORY x AT y", "SELECT Id FROM @Run WITH SYSTEM_MODE", "SELECT Id FROM @Run USING SCOPE team", "SELECT Id FROM @Run USING SCOPE nonsense", "SELECT Id FROM @Log USING SCOPE mine",
       "SELECT Name n FROM @Run", "SELECT Id FROM @Run limit", "SELECT Id FROM @Run where", "SELECT r.Id FROM @Run r r2", "SELECT Id FROM @Run r, r.Owner r", "SELECT COUNT() n FROM @Run", "SELECT COUNT(), Id FROM @Run",
       "SELECT COUNT() FROM @Run ORDER BY Name", "SELECT COUNT(), COUNT(Id) FROM @Run", "SELECT COUNT(Id) FROM @Run LIMIT 1", "SELECT COUNT(Id) FROM @Run OFFSET 1", "SELECT MAX(Name) FROM @Run LIMIT 5", "SELECT AVG() FROM @Run",
       "SELECT COUNT(Id, Name) FROM @Run", "SELECT COUNT(COUNT(Id)) FROM @Run", "SELECT Status, COUNT() FROM @Run GROUP BY Status", "SELECT COUNT_DISTINCT() FROM @Run", "SELECT NONSENSE(Id) FROM @Run",
       "SELECT convertCurrency(Duration) FROM @Run", "SELECT convertTimezone(CreatedDate) FROM @Run", "SELECT CALENDAR_YEAR(CreatedDate) FROM @Run", "SELECT FORMAT() FROM @Run", "SELECT FORMAT(CALENDAR_YEAR(CreatedDate)) FROM @Run",
       "SELECT COUNT(Id) n, COUNT(Name) n FROM @Run", "SELECT Status, COUNT(Id) Status FROM @Run GROUP BY Status", "SELECT COUNT(Id) FROM @Run HAVING COUNT(Id) > 1",
       "SELECT Status FROM @Run GROUP BY Status HAVING COUNT() > 1", "SELECT Status FROM @Run GROUP BY Status HAVING Id IN (SELECT OrchestrationInstanceId FROM @Stage)",
       "SELECT Status FROM @Run GROUP BY ROLLUP(Status), OwnerId", "SELECT Status FROM @Run GROUP BY ROLLUP(Status, OwnerId, InterviewId, CurrentStage)", "SELECT Status FROM @Run GROUP BY CUBE(Status, OwnerId, InterviewId, CurrentStage)",
       "SELECT GROUPING(Status) FROM @Run GROUP BY Status", "SELECT GROUPING(OwnerId) FROM @Run GROUP BY ROLLUP(Status)", "SELECT GROUPING(Status) FROM @Run", "SELECT Status FROM @Run GROUP BY Status ORDER BY GROUPING(Status)",
       "SELECT Id FROM @Run ORDER BY COUNT(Id)", "SELECT Id FROM @Run ORDER BY toLabel(Status)", "SELECT Id FROM @Run ORDER BY CALENDAR_YEAR(CreatedDate)", "SELECT Id FROM @Run ORDER BY FORMAT(Duration)", "SELECT Status FROM @Run GROUP BY Status ORDER BY COUNT()",
       "SELECT Status FROM @Run GROUP BY", "SELECT Id FROM @Run ORDER BY", "SELECT Id FROM @Run ORDER Name", "SELECT Id FROM @Run ORDER BY Name NULLS", "SELECT Id FROM @Run ORDER BY Name DESC ASC",
       "SELECT FIELDS(ALL) FROM @Run", "SELECT FIELDS(ALL) FROM @Run LIMIT 201", "SELECT FIELDS(ALL) FROM @Run WHERE Id = null OR Id = null", "SELECT FIELDS(ALL) FROM @Run WHERE Id != null", "SELECT FIELDS(ALL) FROM @Run WHERE Id IN (%s)" % ", ".join(["null"] * 201), "SELECT FIELDS(ALL) FROM @Step WHERE StageInstanceId = null",
       "SELECT FIELDS(CUSTOM) FROM @Run LIMIT 200", "SELECT FIELDS(NONSENSE) FROM @Run", "SELECT FIELDS(STANDARD) FROM @Run GROUP BY Status", "SELECT FIELDS(STANDARD), COUNT(Id) FROM @Run",
       "SELECT Id FROM @Run WHERE FIELDS(ALL) = 1", "SELECT Id, TYPEOF Owner WHEN User THEN Name END FROM @Run", "SELECT TYPEOF Assignee WHEN User THEN Name END, Assignee.Name FROM @Item", "SELECT Assignee.Name, TYPEOF Assignee WHEN User THEN Name END FROM @Item",
       "SELECT TYPEOF Assignee WHEN User THEN Name WHEN User THEN Id END FROM @Item", "SELECT TYPEOF Assignee END FROM @Item", "SELECT TYPEOF Assignee WHEN User THEN Name END, COUNT(Id) FROM @Item", "SELECT TYPEOF Assignee WHEN User THEN Name END FROM @Item GROUP BY Status",
       "SELECT TYPEOF Assignee WHEN User THEN COUNT(Id) END FROM @Item", "SELECT Id FROM @Step WHERE Id IN (SELECT TYPEOF Assignee WHEN User THEN Id END FROM @Item)",
       "SELECT COUNT(Id), (SELECT Id FROM FlowOrchestrationStageInstances) FROM @Run", "SELECT Id, (SELECT COUNT(Id) FROM FlowOrchestrationStageInstances) FROM @Run", "SELECT Id, (SELECT COUNT() FROM FlowOrchestrationStageInstances) FROM @Run",
       "SELECT Id, (SELECT Status FROM FlowOrchestrationStageInstances GROUP BY Status) FROM @Run", "SELECT Id, (SELECT Id FROM FlowOrchestrationStageInstances), (SELECT Name FROM FlowOrchestrationStageInstances) FROM @Run",
       "SELECT Id, (SELECT Id FROM FlowOrchestrationStageInstances USING SCOPE mine) FROM @Run", "SELECT Id, (SELECT Id FROM FlowOrchestrationStageInstances OFFSET 1) FROM @Run", "SELECT Id, (SELECT Id FROM FlowOrchestrationStageInstances FOR VIEW) FROM @Run",
       "SELECT (SELECT Id FROM FlowOrchestrationStageInstances FROM @Run")
refuse("MALFORMED_QUERY", "outer object or its alias", "SELECT Id, (SELECT Id FROM z.FlowOrchestrationStageInstances) FROM @Run o", "SELECT Id, (SELECT Id FROM p.FlowOrchestrationStageInstances) FROM @Run o, o.Owner p")
refuse("MALFORMED_QUERY", "without dots", "SELECT Id FROM o.@Run o", "SELECT Id FROM @Run o WHERE Id IN (SELECT OrchestrationInstanceId FROM o.@Stage)", "SELECT Id, (SELECT Id FROM o.p.FlowOrchestrationStageInstances) FROM @Run o")
refuse("MALFORMED_QUERY", "without a path", "SELECT TYPEOF StepInstance.Assignee WHEN User THEN Id END FROM @Item")
refuse("MALFORMED_QUERY", "duplicate alias: Name", "SELECT StageInstance.Name, Name FROM @Step GROUP BY StageInstance.Name, Name")
refuse("MALFORMED_QUERY", "grouped or aggregated", "SELECT Status, Name FROM @Run GROUP BY Status", "SELECT Id, COUNT(Name) FROM @Run", "SELECT Status FROM @Run GROUP BY Status ORDER BY Name", "SELECT Status FROM @Run GROUP BY Status HAVING Name = 'x'",
       "SELECT CALENDAR_YEAR(CreatedDate) FROM @Run GROUP BY CALENDAR_MONTH(CreatedDate)", "SELECT COUNT(Id) FROM @Run ORDER BY Name")
refuse("MALFORMED_QUERY", "aggregate", "SELECT SUM(Name) FROM @Run", "SELECT AVG(CreatedDate) FROM @Run", "SELECT SUM(Status) FROM @Run", "SELECT AVG(Id) FROM @Run", "SELECT MAX(IsDeleted) FROM @Run", "SELECT COUNT(IsDeleted) FROM @Run",
       "SELECT COUNT_DISTINCT(IsDeleted) FROM @Run", "SELECT MIN(NewValue) FROM @RunHistory", "SELECT MAX(Body) FROM @RunFeed")
refuse_where("MALFORMED_QUERY", "semi", "Id IN (SELECT OrchestrationInstanceId FROM @Stage) OR Name = 'x'", "NOT Id IN (SELECT OrchestrationInstanceId FROM @Stage)", "(NOT Id IN (SELECT OrchestrationInstanceId FROM @Stage))",
             "Name IN (SELECT Name FROM @Stage)", "Status IN (SELECT Id FROM @Stage)", "Owner.Id IN (SELECT Id FROM User)", "Id IN (SELECT Name FROM @Stage)", "Id IN (SELECT Id, Name FROM @Stage)", "Id IN (SELECT COUNT() FROM @Stage)",
             "Id IN (SELECT MAX(Id) FROM @Stage)", "Id IN (SELECT OrchestrationInstance.Id FROM @Stage)", "Id IN (SELECT OrchestrationInstanceId FROM @Stage LIMIT 1)", "Id IN (SELECT OrchestrationInstanceId FROM @Stage ORDER BY Id)",
             "Id IN (SELECT OrchestrationInstanceId FROM @Stage WHERE Id IN (SELECT StageInstanceId FROM @Step))",
             "Id IN (SELECT OrchestrationInstanceId FROM @Stage) AND Id IN (SELECT OrchestrationInstanceId FROM @Step) AND Id IN (SELECT OrchestrationInstanceId FROM @Log)",
             "Id IN (SELECT OrchestrationInstanceId FROM @Stage GROUP BY OrchestrationInstanceId)")
refuse_where("MALFORMED_QUERY", "same object", "Id IN (SELECT Id FROM @Run)", "OwnerId IN (SELECT OwnerId FROM @Run)")
refuse("MALFORMED_QUERY", "5", "SELECT FlowOrchestration.ActiveVersion.FlowOrchestration.ActiveVersion.FlowOrchestration.ActiveVersion.Id FROM FlowOrchestrationVersion")
refuse("MALFORMED_QUERY", "FOR VIEW", "SELECT Id FROM @RunHistory FOR VIEW", "SELECT Status FROM @Run GROUP BY Status FOR VIEW", "SELECT COUNT() FROM @Run FOR VIEW", "SELECT Id FROM @Log FOR VIEW", "SELECT Id FROM User FOR VIEW",
       "SELECT Id FROM Group FOR REFERENCE", "SELECT Id FROM FlowOrchestration FOR VIEW")

# names that are longer than @Run
for cases in (CASES, ERRORS):
    for i, case in enumerate(cases):
        query = case[0]
        for kind in ("Feed", "History", "Share", "OwnerSharingRule"):
            query = query.replace("@Run" + kind, "FlowOrchestrationInstance" + kind).replace("@Stage" + kind, "FlowOrchestrationStageInstance" + kind)
        cases[i] = (query,) + case[1:]
