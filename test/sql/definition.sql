-- Definitions: deploying, checking, activating.
\pset format unaligned
\pset tuples_only on
-- whatever earlier files left
DO $$
DECLARE
    d text;
BEGIN
    FOR d IN SELECT name FROM orchestration.orchestration_definition LOOP
        PERFORM orchestration.deactivate_orchestration(d), orchestration.delete_orchestration(d);
    END LOOP;
END
$$;

CREATE FUNCTION pg_temp.deploy(stages text, rest text DEFAULT '', label text DEFAULT 'T')
    RETURNS integer LANGUAGE sql AS $$
    SELECT orchestration.deploy_orchestration(format(
'<Flow xmlns="http://soap.sforce.com/2006/04/metadata" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<label>%s</label>
<processType>Orchestrator</processType>
%s
%s
</Flow>', label, stages, rest)::xml)
$$;

--
-- A definition of everything, in XML
--
SELECT orchestration.deploy_orchestration($$<?xml version="1.0" encoding="UTF-8"?>
<Flow xmlns="http://soap.sforce.com/2006/04/metadata" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
    <apiVersion>62.0</apiVersion>
    <assignments>
        <name>Count</name>
        <label>Count</label>
        <assignmentItems>
            <assignToReference>attempts</assignToReference>
            <operator>Add</operator>
            <value><numberValue>1.0</numberValue></value>
        </assignmentItems>
        <connector><targetReference>Approve</targetReference></connector>
    </assignments>
    <constants>
        <name>Limit</name>
        <dataType>Number</dataType>
        <value><numberValue>3</numberValue></value>
    </constants>
    <decisions>
        <name>Approved</name>
        <label>Approved?</label>
        <defaultConnectorLabel>No</defaultConnectorLabel>
        <rules>
            <name>Yes</name>
            <conditionLogic>1 AND (2 OR not 3)</conditionLogic>
            <conditions>
                <leftValueReference>Decide.Outputs.decision</leftValueReference>
                <operator>EqualTo</operator>
                <rightValue><stringValue>yes</stringValue></rightValue>
            </conditions>
            <conditions>
                <leftValueReference>$Record.Amount</leftValueReference>
                <operator>LessThan</operator>
                <rightValue><elementReference>Limit</elementReference></rightValue>
            </conditions>
            <conditions>
                <leftValueReference>Approve.Status</leftValueReference>
                <operator>EqualTo</operator>
                <rightValue><stringValue>Completed</stringValue></rightValue>
            </conditions>
            <label>Yes</label>
        </rules>
        <rules>
            <name>Again</name>
            <conditionLogic>and</conditionLogic>
            <conditions>
                <leftValueReference>attempts</leftValueReference>
                <operator>LessThan</operator>
                <rightValue><elementReference>Limit</elementReference></rightValue>
            </conditions>
            <connector><isGoTo>true</isGoTo><targetReference>Count</targetReference></connector>
            <label>Again</label>
        </rules>
    </decisions>
    <environments>Default</environments>
    <interviewLabel>Case approval {!$Flow.CurrentDateTime}</interviewLabel>
    <label>Case approval &amp; more</label>
    <orchestratedStages>
        <name>Approve</name>
        <label>Approve</label>
        <connector><targetReference>Approved</targetReference></connector>
        <exitConditionLogic>and</exitConditionLogic>
        <stageSteps>
            <name>Prepare</name>
            <actionName>prepare</actionName>
            <actionType>stepBackground</actionType>
            <entryConditionLogic>and</entryConditionLogic>
            <inputParameters>
                <name>case</name>
                <value><elementReference>$Record</elementReference></value>
            </inputParameters>
            <inputParameters><name>nothing</name><value xsi:nil="true"/></inputParameters>
            <label>Prepare</label>
            <requiresAsyncProcessing>false</requiresAsyncProcessing>
        </stageSteps>
        <stageSteps>
            <name>Decide</name>
            <actionName>decide</actionName>
            <actionType>stepInteractive</actionType>
            <assignees>
                <assignee><stringValue>ada@example.com	</stringValue></assignee>
                <assigneeType>User</assigneeType>
            </assignees>
            <entryConditionLogic>and</entryConditionLogic>
            <entryConditions>
                <leftValueReference>Prepare.Status</leftValueReference>
                <operator>EqualTo</operator>
                <rightValue><stringValue>Completed</stringValue></rightValue>
            </entryConditions>
            <inputParameters>
                <name>ActionInput__RecordId</name>
                <value><elementReference>$Record.Id</elementReference></value>
            </inputParameters>
            <label>Decide</label>
        </stageSteps>
    </orchestratedStages>
    <processType>Orchestrator</processType>
    <start>
        <connector><targetReference>Approve</targetReference></connector>
        <filterLogic>1 or 2</filterLogic>
        <filters>
            <field>Status</field>
            <operator>EqualTo</operator>
            <value><stringValue>New</stringValue></value>
        </filters>
        <filters>
            <field>Amount</field>
            <operator>IsChanged</operator>
            <value><booleanValue>true</booleanValue></value>
        </filters>
        <object>Regress_Case</object>
        <recordTriggerType>CreateAndUpdate</recordTriggerType>
        <triggerType>RecordAfterSave</triggerType>
    </start>
    <status>Active</status>
    <variables>
        <name>attempts</name>
        <dataType>Number</dataType>
        <isCollection>false</isCollection>
        <isInput>true</isInput>
        <isOutput>false</isOutput>
        <scale>0</scale>
        <value><numberValue>0.0</numberValue></value>
    </variables>
</Flow>$$::xml);

SELECT d.name, d.active_version, v.version, v.label, v.process_type, v.record_type_name, v.record_trigger_type
  FROM orchestration.orchestration_version v
  JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id;

-- its JSON notation: booleans, numbers, arrays
SELECT document -> 'apiVersion', document -> 'variables', document #> '{orchestratedStages,0,stageSteps,0,inputParameters}'
  FROM orchestration.orchestration_version;

-- the JSON notation gives the same definition
SELECT orchestration.deploy_orchestration(document, 'From_JSON') FROM orchestration.orchestration_version;
SELECT count(DISTINCT document), count(source_xml) FROM orchestration.orchestration_version;

-- what the definition needs
SELECT * FROM orchestration.orchestration_references('Case_approval_more');

-- it cannot be activated before all of it exists: one error names everything
SELECT orchestration.activate_orchestration('Case_approval_more');

CREATE TABLE regress_case (id integer PRIMARY KEY, status text, amount numeric);
CREATE FUNCTION regress_prepare(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT orchestration.register_record_type('Regress_Case', 'regress_case');
SELECT orchestration.register_action('prepare', 'screen');
SELECT orchestration.register_action('decide', 'worker');
SELECT orchestration.create_user('ada@example.com') IS NOT NULL;
UPDATE orchestration.principal SET is_active = false WHERE username = 'ada@example.com';
SELECT orchestration.activate_orchestration('Case_approval_more');

SELECT orchestration.unregister_action('prepare'), orchestration.unregister_action('decide');
SELECT orchestration.register_action('prepare', 'function', 'regress_prepare(jsonb)'), orchestration.register_action('decide', 'screen');
UPDATE orchestration.principal SET is_active = true WHERE username = 'ada@example.com';
SELECT orchestration.activate_orchestration('Case_approval_more');
SELECT kind, name, resolved FROM orchestration.orchestration_references('Case_approval_more');

-- another version takes its place; deactivation; names and versions that do not exist
SELECT orchestration.deploy_orchestration(document, 'Case_approval_more')
  FROM orchestration.orchestration_version LIMIT 1;
SELECT active_version FROM orchestration.orchestration_definition WHERE name = 'Case_approval_more';
SELECT orchestration.activate_orchestration('Case_approval_more', 2);
SELECT orchestration.activate_orchestration('Case_approval_more', 1);
SELECT orchestration.activate_orchestration('Case_approval_more', 3);
SELECT active_version FROM orchestration.orchestration_definition WHERE name = 'Case_approval_more';
SELECT orchestration.deactivate_orchestration('Case_approval_more');
SELECT orchestration.deactivate_orchestration('Case_approval_more');
SELECT active_version FROM orchestration.orchestration_definition WHERE name = 'Case_approval_more';
SELECT orchestration.activate_orchestration('Nothing');
SELECT orchestration.deactivate_orchestration('Nothing');
SELECT orchestration.orchestration_references('Nothing');
SELECT orchestration.orchestration_references('Case_approval_more', 9);

--
-- Versions never change
--
UPDATE orchestration.orchestration_version SET label = 'other';
DELETE FROM orchestration.orchestration_version;
TRUNCATE orchestration.orchestration_version;
UPDATE orchestration.orchestration_definition SET name = 'Other';
DELETE FROM orchestration.orchestration_definition;
TRUNCATE orchestration.orchestration_definition CASCADE;

--
-- Names
--
SELECT pg_temp.deploy('', label => '1 to 1: (ask)');
SELECT pg_temp.deploy('', '<fullName> Full_Name </fullName>');
SELECT name FROM orchestration.orchestration_definition ORDER BY created_at;
SELECT pg_temp.deploy('', label => '???');
SELECT pg_temp.deploy('', '<fullName>Full  Name</fullName>');
SELECT orchestration.deploy_orchestration('{"label": "x", "processType": "Orchestrator"}'::jsonb, 'a__b');
SELECT orchestration.deploy_orchestration('{"label": "x", "processType": "Orchestrator"}'::jsonb, repeat('a', 81));

-- a definition without a stage can be stored, not activated
SELECT orchestration.activate_orchestration('Full_Name');

-- at most 50 versions
DO $$
BEGIN
    FOR i IN 1..50 LOOP
        PERFORM orchestration.deploy_orchestration(jsonb_build_object('fullName', 'Many', 'label', i::text, 'processType', 'Orchestrator'));
    END LOOP;
END
$$;
SELECT orchestration.deploy_orchestration('{"fullName": "Many", "label": "51", "processType": "Orchestrator"}'::jsonb);

--
-- Documents that are not orchestrations
--
\set VERBOSITY terse
SELECT orchestration.deploy_orchestration('<Flow/><Flow/>'::xml);
SELECT orchestration.deploy_orchestration('text'::xml);
\set VERBOSITY default
SELECT orchestration.deploy_orchestration('<Floh/>'::xml);
SELECT orchestration.deploy_orchestration('<Flow/>'::xml);
SELECT orchestration.deploy_orchestration('<Flow xmlns="urn:other"/>'::xml);
SELECT orchestration.deploy_orchestration('[]'::jsonb);
SELECT orchestration.deploy_orchestration('"Flow"'::jsonb);
SELECT orchestration.deploy_orchestration('null'::jsonb);
SELECT orchestration.deploy_orchestration('{}'::jsonb);
SELECT orchestration.deploy_orchestration(NULL::jsonb);
SELECT orchestration.deploy_orchestration(NULL::xml, 'x');
SELECT orchestration.validate_orchestration(NULL::xml);
SELECT orchestration.validate_orchestration(NULL::jsonb);
SELECT orchestration.activate_orchestration(NULL);
SELECT orchestration.deactivate_orchestration(NULL);
SELECT orchestration.orchestration_references(NULL);

-- document types; the xml type itself may refuse them
SELECT orchestration.deploy_orchestration('<?xml version="1.0"?><!-- > --> <!DOCTYPE Flow SYSTEM "file:///etc/passwd"> <Flow/>'::xml);
SELECT orchestration.deploy_orchestration('<!DOCTYPE Flow [<!ENTITY a "a"><!ENTITY b "&a;&a;">]><Flow><label>&b;</label></Flow>'::xml);
CREATE FUNCTION pg_temp.refused(document text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orchestration.validate_orchestration(document::xml);
    RETURN 'accepted';
EXCEPTION WHEN sqlstate 'OR201' OR invalid_xml_content OR invalid_xml_document THEN
    RETURN 'refused';
END
$$;
-- an external entity, a billion laughs, broken XML
SELECT pg_temp.refused('<!DOCTYPE Flow [<!ENTITY x SYSTEM "file:///etc/passwd">]><Flow><label>&x;</label></Flow>'),
       pg_temp.refused('<!DOCTYPE Flow [<!ENTITY a0 "ha">'
           || (SELECT string_agg(format('<!ENTITY a%s "%s">', i, repeat('&a' || i - 1 || ';', 10)), '') FROM generate_series(1, 9) i)
           || ']><Flow><label>&a9;</label></Flow>'),
       pg_temp.refused('<Flow><label>&amp;&lt;&#65;<![CDATA[<x>]]></label></Flow>'),
       pg_temp.refused('<Flow><label>&unknown;</label></Flow>'),
       pg_temp.refused('<Flow><label></Flow>'),
       pg_temp.refused('<Flow><label>'),
       pg_temp.refused('');

-- JSON of the wrong types
SELECT * FROM orchestration.validate_orchestration('{
    "label": 5, "processType": ["Orchestrator"], "start": [{}, {}],
    "orchestratedStages": {"name": "S", "stageSteps": [1, [2], null,
        {"name": "P", "label": {"x": 1}, "actionType": "stepBackground", "actionName": true,
         "requiresAsyncProcessing": "true", "inputParameters": [{"name": "a", "value": {"numberValue": "1", "stringValue": "1"}}]}]},
    "variables": [{"name": "v", "dataType": "String", "value": "x"}],
    "triggerOrder": 0, "new": {"deep": [[[]]]}}'::jsonb);

-- depth
SELECT orchestration.deploy_orchestration(format('{"label": "Deep", "processType": "Orchestrator", "unknown": %s0%s}',
    repeat('[', 5000), repeat(']', 5000))::jsonb);
SELECT * FROM orchestration.validate_orchestration(('<Flow><label>x</label><processType>Orchestrator</processType>'
    || repeat('<x>', 100) || repeat('</x>', 100) || '</Flow>')::xml);

--
-- Refused elements, by name and place
--
SELECT orchestration.register_action('a', 'function', 'regress_prepare(jsonb)');
CREATE FUNCTION pg_temp.step(inner_xml text, name text DEFAULT 'P', type text DEFAULT 'stepBackground')
    RETURNS text LANGUAGE sql AS $$
    SELECT format('<stageSteps><name>%s</name><label>P</label><actionName>a</actionName><actionType>%s</actionType>%s</stageSteps>',
                  name, type, inner_xml)
$$;
CREATE FUNCTION pg_temp.stage(inner_xml text, name text DEFAULT 'S')
    RETURNS text LANGUAGE sql AS $$
    SELECT format('<orchestratedStages><name>%s</name><label>S</label>%s</orchestratedStages>', name, inner_xml)
$$;
CREATE FUNCTION pg_temp.condition(element text, lhs text, op text, rhs text)
    RETURNS text LANGUAGE sql AS $$
    SELECT format('<%1$s><leftValueReference>%2$s</leftValueReference><operator>%3$s</operator><rightValue>%4$s</rightValue></%1$s>',
                  element, lhs, op, rhs)
$$;
CREATE FUNCTION pg_temp.rule(conditions text, logic text DEFAULT 'and', name text DEFAULT 'R')
    RETURNS text LANGUAGE sql AS $$
    SELECT format('<decisions><name>D%1$s</name><rules><name>%1$s</name><label>R</label><conditionLogic>%2$s</conditionLogic>%3$s</rules></decisions>',
                  name, logic, conditions)
$$;
CREATE FUNCTION pg_temp.check(body text)
    RETURNS TABLE (severity text, line integer, place text, message text)
    LANGUAGE sql AS $$
    SELECT v.severity, v.line, v.place, v.message
      FROM orchestration.validate_orchestration(format(
'<Flow><label>T</label><processType>Orchestrator</processType>%s
</Flow>', body)::xml) v
$$;

SELECT * FROM orchestration.validate_orchestration('{"label": "x", "processType": "ApprovalWorkflow", "runInMode": "SystemModeWithSharing", "isAdditionalPermissionRequiredToRun": true}'::jsonb);
SELECT message FROM pg_temp.check((SELECT string_agg(format('<%1$s><name>N_%1$s</name></%1$s>', e), E'\n') FROM unnest('{formulas,textTemplates,actionCalls,apexPluginCalls,choices,collectionProcessors,customErrors,dynamicChoiceSets,loops,recordCreates,recordDeletes,recordLookups,recordRollbacks,recordUpdates,screens,stages,steps,subflows,transforms,waits}'::text[]) e));
SELECT line, place, message FROM pg_temp.check('<startElementReference>S</startElementReference>
<start><filterFormula>1</filterFormula>
<scheduledPaths><name>x</name></scheduledPaths>
<schedule><frequency>Daily</frequency></schedule>
<flowRunAsUser>x</flowRunAsUser>
<object>O</object><recordTriggerType>Delete</recordTriggerType><triggerType>RecordBeforeDelete</triggerType></start>');
SELECT line, place, message FROM pg_temp.check(pg_temp.stage('
<exitActionName>x</exitActionName>
<exitConditions><leftValueReference>x</leftValueReference><operator>EqualTo</operator></exitConditions>
<faultConnector><targetReference>S</targetReference></faultConnector>'));
SELECT line, place, message FROM pg_temp.check(pg_temp.stage(pg_temp.step('
<entryActionName>x</entryActionName>
<outputParameters><name>x</name></outputParameters>
<runAsUser>true</runAsUser>
<shouldLock>true</shouldLock>
<requiresMultiMemberApproval>true</requiresMultiMemberApproval>
<stepSubtype>AgxBackgroundStep</stepSubtype>
<canAssigneeEdit>maybe</canAssigneeEdit>')));
SELECT message FROM pg_temp.check(pg_temp.stage(pg_temp.step('', type => 'stepApproval') || pg_temp.step('', 'Q', 'flow')));

-- exit conditions have no effect on background steps
SELECT place, message FROM pg_temp.check(pg_temp.stage(
    pg_temp.step('<exitActionName>x</exitActionName><exitConditions/>', 'B')
    || pg_temp.step('<exitActionName>x</exitActionName><exitConditions><conditionType>ExitCondition</conditionType></exitConditions>
<assignees><assignee><stringValue>x</stringValue></assignee><assigneeType>Queue</assigneeType></assignees>', 'I', 'stepInteractive')));

-- values and false members of the same elements are fine; unknown elements are kept
SELECT * FROM pg_temp.check('<start><connector><targetReference>S</targetReference></connector></start>'
    || pg_temp.stage(pg_temp.step('<runAsUser>false</runAsUser><shouldLock>0</shouldLock><locationX>1</locationX>
<inputParameters><name>ActionInput__Assignee</name></inputParameters>
<newElement>1</newElement><newElement>2</newElement>')));

-- required elements, lengths, duplicate elements, text in the wrong place
SELECT * FROM pg_temp.check('
<orchestratedStages>stray<stageSteps><label>x</label></stageSteps></orchestratedStages>
<decisions><name>D</name><rules/></decisions>
<constants><name>c</name></constants>
<status/>');
SELECT message FROM pg_temp.check(pg_temp.stage(pg_temp.step('<description>' || repeat('x', 32001) || '</description><label>' || repeat('x', 81) || '</label>', repeat('x', 256))));
SELECT message FROM orchestration.validate_orchestration(('<Flow><label>T</label><label>U</label><processType>Orchestrator</processType>' || pg_temp.stage('<label>' || repeat('x', 81) || '</label>') || '</Flow>')::xml);

-- names
SELECT place, message FROM pg_temp.check(pg_temp.stage(pg_temp.step('', 'A b') || pg_temp.step('', 'S') || pg_temp.step('', '_a') || pg_temp.step('', '')));

-- connectors
SELECT place, message FROM pg_temp.check('<start><connector><targetReference>P</targetReference></connector></start>'
    || pg_temp.stage('<connector><targetReference>Nowhere</targetReference></connector>' || pg_temp.step('')) || pg_temp.stage('<connector/>', 'S2'));
SELECT * FROM pg_temp.check('<start><connector><targetReference>S</targetReference></connector></start>' || pg_temp.stage('') || pg_temp.stage('', 'Island'));

-- entry conditions: steps of the same stage, in no circle
SELECT place, message FROM pg_temp.check(
    pg_temp.stage(pg_temp.step('', 'Elsewhere'))
    || pg_temp.stage(
        pg_temp.step(pg_temp.condition('entryConditions', 'Elsewhere.Status', 'EqualTo', '<stringValue>Completed</stringValue>'), 'A')
        || pg_temp.step(pg_temp.condition('entryConditions', 'S.Status', 'EqualTo', '<stringValue>Completed</stringValue>'), 'B')
        || pg_temp.step(pg_temp.condition('entryConditions', 'A.Outputs.x', 'EqualTo', '<stringValue>Completed</stringValue>'), 'C')
        || pg_temp.step(pg_temp.condition('entryConditions', 'A.Status', 'NotEqualTo', '<stringValue>Completed</stringValue>'), 'E')
        || pg_temp.step('<entryConditionLogic>1 OR 2</entryConditionLogic>'
            || pg_temp.condition('entryConditions', 'A.Status', 'EqualTo', '<stringValue>Completed</stringValue>')
            || pg_temp.condition('entryConditions', 'B.Status', 'EqualTo', '<stringValue>Completed</stringValue>'), 'F')
        || pg_temp.step('<entryConditionLogic>(2 and 1)</entryConditionLogic>'
            || pg_temp.condition('entryConditions', 'A.Status', 'EqualTo', '<stringValue>Completed</stringValue>')
            || pg_temp.condition('entryConditions', 'B.Status', 'EqualTo', '<stringValue>Completed</stringValue>'), 'G')
        || pg_temp.step(pg_temp.condition('entryConditions', '43b39932-ea5b.Status', 'EqualTo', '<stringValue>Completed</stringValue>'), 'H'), 'T'));
SELECT severity, place, message FROM pg_temp.check('<start><connector><targetReference>S</targetReference></connector></start>' || pg_temp.stage(
    pg_temp.step(pg_temp.condition('entryConditions', 'Own.Status', 'EqualTo', '<stringValue>Completed</stringValue>'), 'Own')
    || pg_temp.step(pg_temp.condition('entryConditions', 'C.Status', 'EqualTo', '<stringValue>Completed</stringValue>'), 'A')
    || pg_temp.step(pg_temp.condition('entryConditions', 'A.Status', 'EqualTo', '<stringValue>Completed</stringValue>'), 'B')
    || pg_temp.step(pg_temp.condition('entryConditions', 'B.Status', 'EqualTo', '<stringValue>Completed</stringValue>'), 'C')
    || pg_temp.step(pg_temp.condition('entryConditions', 'C.Status', 'EqualTo', '<stringValue>Completed</stringValue>'), 'After_the_circle')));

-- a stale reference can be stored, not activated
SELECT pg_temp.deploy(pg_temp.stage(
    pg_temp.step(pg_temp.condition('entryConditions', '43b39932-ea5b.Status', 'EqualTo', '<stringValue>Completed</stringValue>'))),
    '<start><connector><targetReference>S</targetReference></connector></start>', 'Stale');
SELECT * FROM orchestration.orchestration_references('Stale');
SELECT orchestration.activate_orchestration('Stale');

-- assignees
SELECT place, message FROM pg_temp.check(pg_temp.stage(
    pg_temp.step('', 'A', 'stepInteractive')
    || pg_temp.step('<assignees><assigneeType>User</assigneeType></assignees>', 'B', 'stepInteractive')
    || pg_temp.step('<assignees><assignee><stringValue> </stringValue></assignee><assigneeType>Invalid</assigneeType></assignees>', 'C', 'stepInteractive')
    || pg_temp.step('<assignees><assignee><stringValue> </stringValue></assignee><assigneeType>User</assigneeType></assignees>', 'D', 'stepInteractive')
    || pg_temp.step('<assignees><assignee><stringValue>x</stringValue></assignee><assigneeType>Resource</assigneeType></assignees>', 'E', 'createWorkItem')
    || pg_temp.step('<assignees><assignee><numberValue>1</numberValue></assignee><assigneeType>Group</assigneeType></assignees>', 'F', 'stepInteractive')
    || pg_temp.step('<assignees><assignee><elementReference>$Record.Owner:User.Manager.Username</elementReference></assignee><assigneeType>User</assigneeType></assignees>', 'G', 'stepInteractive')
    || pg_temp.step(repeat('<assignees><assignee><stringValue>x</stringValue></assignee><assigneeType>User</assigneeType></assignees>', 2), 'H', 'stepInteractive')));

-- references
SELECT place, message FROM pg_temp.check(
    '<variables><name>v</name><dataType>String</dataType></variables><variables><name>r</name><dataType>SObject</dataType></variables>'
    || '<constants><name>c</name><dataType>Date</dataType><value><dateValue>2026-02-28</dateValue></value></constants>'
    || pg_temp.rule(pg_temp.condition('conditions', 'v', 'EqualTo', '<stringValue>x</stringValue>'))
    || pg_temp.stage(pg_temp.step((SELECT string_agg(format('<inputParameters><name>i%s</name><value><elementReference>%s</elementReference></value></inputParameters>', n, r), '')
       FROM unnest(ARRAY['v', 'r.Manager.Name', 'c', 'R', 'P.Status', 'S.Status', 'P.Outputs.201.X', '$Record', '$Record.A.B', '$User.Username', '$Flow.InterviewGuid', '$Flow.CurrentDateTime', '$Orchestration.Instance',
                         'v.x', 'c.x', 'R.x', 'P', 'S', 'P.Outputs', 'S.Outputs.x', 'DR', '$User', '$User.a.b', '$Flow.CurrentDate', '$Api.x', '$Record__Prior.x', 'a..b', '.', 'nothing']) WITH ORDINALITY u (r, n)))));

-- values
SELECT place, message FROM pg_temp.check(pg_temp.stage(pg_temp.step((SELECT string_agg(format('<inputParameters><name>i%s</name><value>%s</value></inputParameters>', n, v), '')
       FROM unnest(ARRAY['', '<numberValue>-1.5e3</numberValue>', '<numberValue>1x</numberValue>', '<numberValue>1e9999</numberValue>', '<booleanValue>yes</booleanValue>',
                         '<dateTimeValue>2026-02-28T10:00:00.000Z</dateTimeValue>', '<dateTimeValue>now</dateTimeValue>', '<dateValue>2026-02-29</dateValue>', '<stringValue>a</stringValue><stringValue>b</stringValue>',
                         '<stringValue>a</stringValue><numberValue>1</numberValue>', '<formulaExpression>1</formulaExpression>', 'text']) WITH ORDINALITY u (v, n)))));
SELECT place, message FROM pg_temp.check(pg_temp.stage(pg_temp.step('<inputParameters><name>x</name></inputParameters><inputParameters><name>x</name></inputParameters>')));

-- conditions and their logic
SELECT place, message FROM pg_temp.check((SELECT string_agg(pg_temp.rule(
       pg_temp.condition('conditions', 'S.Status', 'EqualTo', '<stringValue>Completed</stringValue>')
       || pg_temp.condition('conditions', 'S.Status', 'NotEqualTo', '<stringValue>Error</stringValue>'), logic, 'R' || n), '')
       FROM unnest(ARRAY['AND', ' Or ', '1 AND 2', '1AND(NOT 2)', 'not(1or 2)', '1', '3 AND 1', '0 OR 1 or 2', '1 2', '(1 AND 2', '1 AND 2)', '1 XOR 2', 'AND 1', '', 'formula', '1 AND 99999999999999999999',
                         '1 AND 2' || repeat(' ', 1000), '1 AND 2' || repeat(' OR 2', 200)]) WITH ORDINALITY u (logic, n)) || pg_temp.stage(''))
    WHERE message NOT LIKE 'no path%';
SELECT severity, message FROM pg_temp.check(pg_temp.rule(
       pg_temp.condition('conditions', 'S.Status', 'EqualTo', '<stringValue>True</stringValue>'))
    || pg_temp.stage('') || '<start><connector><targetReference>DR</targetReference></connector></start>');
SELECT place, message FROM pg_temp.check((SELECT string_agg(pg_temp.rule(c, 'and', 'R' || n), '')
       FROM unnest(ARRAY[pg_temp.condition('conditions', 'S.Status', 'EqualTo', '<booleanValue>true</booleanValue>'),
                         pg_temp.condition('conditions', 'S.Status', 'None', '<stringValue>x</stringValue>'),
                         pg_temp.condition('conditions', 'S.Status', 'In', '<stringValue>x</stringValue>'),
                         pg_temp.condition('conditions', '$Record.A', 'IsChanged', '<booleanValue>true</booleanValue>'),
                         pg_temp.condition('conditions', '$Record.A', 'IsNull', '<stringValue>x</stringValue>'),
                         '<conditions><conditionType>Container</conditionType><conditionLogic>or</conditionLogic><conditions/></conditions>',
                         '']) WITH ORDINALITY u (c, n)) || pg_temp.stage(''));

-- start filters
SELECT place, message FROM pg_temp.check('<variables><name>v</name><dataType>String</dataType></variables><start><object>O</object><triggerType>RecordAfterSave</triggerType><recordTriggerType>Update</recordTriggerType>
<filters><field>A.B</field><operator>EqualTo</operator></filters>
<filters><field>A</field><operator>NotIn</operator></filters>
<filters><field>A</field><operator>EqualTo</operator><value><elementReference>v</elementReference></value></filters>
<filters><field>A</field><operator>EqualTo</operator><value><elementReference>$Record__Prior.A</elementReference></value></filters>
<filters><field>A</field><operator>IsChanged</operator><value><numberValue>1</numberValue></value></filters></start>');
SELECT place, message FROM pg_temp.check('<start><filters><field>A</field><operator>EqualTo</operator></filters></start>');
SELECT place, message FROM pg_temp.check('<start><object>A</object></start>');
SELECT place, message FROM pg_temp.check('<start><triggerType>RecordAfterSave</triggerType></start>');

-- variables and assignments
SELECT place, message FROM pg_temp.check((SELECT string_agg(format('<variables><name>v%s</name><dataType>%s</dataType><value>%s</value></variables>', n, split_part(v, '|', 1), split_part(v, '|', 2)), '')
       FROM unnest(ARRAY['Number|<stringValue>12</stringValue>', 'Number|<stringValue>twelve</stringValue>', 'Boolean|<stringValue>true</stringValue>', 'Boolean|<numberValue>1</numberValue>', 'String|<numberValue>1</numberValue>',
                         'Date|<stringValue>2026-01-01</stringValue>', 'Date|<stringValue>tomorrow</stringValue>', 'SObject|<stringValue>x</stringValue>', 'Blob|', 'String|<elementReference>v1</elementReference>',
                         'DateTime|<elementReference>$Flow.CurrentDateTime</elementReference>']) WITH ORDINALITY u (v, n))
    || '<constants><name>c</name><dataType>String</dataType><value><elementReference>$User.Username</elementReference></value></constants>');
SELECT place, message FROM pg_temp.check('<variables><name>n</name><dataType>Number</dataType></variables><variables><name>s</name><dataType>String</dataType></variables><variables><name>b</name><dataType>Boolean</dataType></variables>
<constants><name>c</name><dataType>String</dataType><value><stringValue>x</stringValue></value></constants><assignments><name>A</name>'
    || (SELECT string_agg(format('<assignmentItems><assignToReference>%s</assignToReference><operator>%s</operator><value><numberValue>1</numberValue></value></assignmentItems>', split_part(v, ' ', 1), split_part(v, ' ', 2)), '')
       FROM unnest(ARRAY['n Add', 'n Subtract', 's Add', 's Subtract', 'b Assign', 'b Add', 'c Assign', 'x Assign', 's.x Assign', '$Record.x Assign', 'n RemoveAll', 'A Assign']) v)
    || '</assignments>');

-- types beside types: what compares, and what does not
SELECT place, message FROM pg_temp.check('<start><connector><targetReference>S</targetReference></connector></start>' || pg_temp.stage(pg_temp.step('')) ||
    (SELECT string_agg(format('<variables><name>%s</name><dataType>%s</dataType><isCollection>%s</isCollection></variables>', v[1], v[2], v[3]), '')
       FROM (VALUES ('{s,String,false}'::text[]), ('{n,Number,false}'), ('{b,Boolean,false}'), ('{d,Date,false}'), ('{t,Time,false}'), ('{l,String,true}')) x (v)) ||
    '<constants><name>Noon</name><dataType>Time</dataType><value><timeValue>12:00:00.000Z</timeValue></value></constants>' ||
    pg_temp.rule((SELECT string_agg(pg_temp.condition('conditions', v[1], v[2], v[3]), E'\n') FROM (VALUES
        ('{s,EqualTo,<elementReference>n</elementReference>}'::text[]), ('{n,LessThan,<stringValue>1</stringValue>}'), ('{b,GreaterThan,<elementReference>b</elementReference>}'),
        ('{b,EqualTo,<stringValue>yes</stringValue>}'), ('{b,EqualTo,<stringValue>true</stringValue>}'), ('{d,GreaterThan,<elementReference>s</elementReference>}'),
        ('{d,EqualTo,<elementReference>n</elementReference>}'), ('{t,LessThan,<elementReference>Noon</elementReference>}'), ('{t,EqualTo,<elementReference>b</elementReference>}'),
        ('{l,EqualTo,<elementReference>l</elementReference>}'), ('{l,Contains,<elementReference>n</elementReference>}'), ('{n,Contains,<elementReference>s</elementReference>}'),
        ('{s,StartsWith,<elementReference>d</elementReference>}'), ('{s,In,<elementReference>n</elementReference>}'), ('{s,NotIn,<elementReference>l</elementReference>}'),
        ('{s,IsEmpty,<stringValue>perhaps</stringValue>}'), ('{l,IsEmpty,<stringValue>true</stringValue>}'), ('{s,IsChanged,<booleanValue>true</booleanValue>}'),
        ('{P.Status,EqualTo,<numberValue>1</numberValue>}'), ('{n,WasVisited,<booleanValue>true</booleanValue>}'), ('{nothing,HasError,<booleanValue>true</booleanValue>}'),
        ('{P,HasError,<booleanValue>true</booleanValue>}'), ('{n,WasSelected,<booleanValue>true</booleanValue>}'), ('{n," ",<numberValue>1</numberValue>}'),
        ('{s.x,EqualTo,<stringValue>x</stringValue>}'), ('{$Flow.Nothing,EqualTo,<stringValue>x</stringValue>}'), ('{$User.Manager.Name,EqualTo,<stringValue>x</stringValue>}'),
        ('{s,EqualTo,<elementReference> </elementReference>}')) x (v))));
-- conditions that contain others, and conditions that are not finished
SELECT place, message FROM pg_temp.check(pg_temp.stage('') || pg_temp.rule('<conditions><leftValueReference>S.Status</leftValueReference>' || pg_temp.condition('conditions', 'S.Status', 'EqualTo', '<stringValue>Completed</stringValue>') || '</conditions>
    <conditions><operator>EqualTo</operator><rightValue><stringValue>x</stringValue></rightValue></conditions>
    <conditions><leftValueReference>S.Status</leftValueReference><rightValue><stringValue>x</stringValue></rightValue></conditions>
    <conditions><leftValueReference>S.Status</leftValueReference><operator>None</operator></conditions>'));
-- start: triggers, filters
SELECT n, place, message
  FROM unnest(ARRAY[
    '{"object": "O", "recordTriggerType": "Update", "triggerType": "RecordAfterSave", "filters": [{"field": "A", "operator": "EqualTo", "value": {"stringValue": "x"}}], "filterFormula": "TRUE"}',
    '{"object": "O", "recordTriggerType": "Update", "triggerType": "RecordAfterSave", "filters": [{"field": " ", "operator": "EqualTo"}, {"field": "A.B", "operator": "EqualTo"}, {"field": "A", "operator": "WasVisited"}, {"field": "A", "operator": " "}]}',
    '{"object": "O", "recordTriggerType": "Update", "triggerType": "RecordAfterSave", "filterFormula": "1 + 1"}',
    '{"object": "O", "recordTriggerType": "Update"}', '{"object": "O", "triggerType": "RecordAfterSave"}', '{"recordTriggerType": "Update"}', '{"triggerType": "RecordAfterSave"}', '{"connector": {"targetReference": " "}}',
    '{"scheduledPaths": [{"pathType": "ApprovalRecall"}, {"pathType": "ApprovalRecall"}, {"pathType": "Daily"}, {}]}']) WITH ORDINALITY x (s, n),
       orchestration.validate_orchestration(format('{"label": "T", "processType": "Orchestrator", "start": %s}', s)::jsonb) WITH ORDINALITY v (severity, place, line, message, k) ORDER BY n, k;
-- triggerOrder: a number from 1 to 2000; without an object it is of no consequence
SELECT o, (SELECT string_agg(message, '; ') FROM orchestration.validate_orchestration(format('{"label": "T", "processType": "Orchestrator", "triggerOrder": %s, "start": {"object": "O", "recordTriggerType": "Update", "triggerType": "RecordAfterSave"}}', o)::jsonb))
  FROM unnest('{1,2000,0,2001,-1,1.5,"\"7\"",true,"null",99999999999}'::text[]) o;
SELECT place, message FROM pg_temp.check('<triggerOrder>5</triggerOrder>');
-- steps
SELECT place, message FROM orchestration.validate_orchestration(jsonb_build_object('label', 'T', 'processType', 'Orchestrator', 'orchestratedStages', jsonb_build_array(jsonb_build_object('name', 'S', 'label', 'S',
    'stageSteps', (SELECT jsonb_agg(jsonb_build_object('name', 'P' || n, 'label', 'P', 'actionType', 'stepBackground', 'actionName', 'a') || s ORDER BY n) FROM unnest(ARRAY[
        '{"actionType": " "}', '{"actionType": "stepFancy", "stepSubtype": "FancyStep"}', '{"stepSubtype": "FancyStep"}', '{"actionType": "stepMuleSoft", "stepSubtype": "MuleSoftStep"}', '{"actionName": " "}',
        jsonb_build_object('actionName', repeat('a', 300)), jsonb_build_object('label', repeat('l', 300)),
        '{"runAsUser": true, "assignees": [{"assigneeType": "Queue", "assignee": {"stringValue": "q"}}]}', '{"runAsUser": true}',
        '{"actionType": "stepInteractive", "assignees": [{"assigneeType": "Robot", "assignee": {"stringValue": "q"}}]}', '{"actionType": "stepInteractive", "assignees": [{"assigneeType": "Invalid"}]}',
        '{"actionType": "stepInteractive", "assignees": [{"assignee": {"stringValue": "q"}}]}', '{"actionType": "stepInteractive", "assignees": [5]}', '{"actionType": "stepInteractive", "assignees": [{"assigneeType": "User"}]}',
        '{"actionType": "stepInteractive", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "q"}}, {"assigneeType": "User", "assignee": {"stringValue": "r"}}]}',
        '{"entryActionName": " "}', '{"entryActionName": "e", "entryActionType": "apex"}', jsonb_build_object('entryActionName', repeat('e', 300)),
        '{"inputParameters": [{"name": " "}, {"value": {"stringValue": "x"}}, {"name": "a"}, {"name": "a"}]}']::jsonb[]) WITH ORDINALITY x (s, n))))));
-- variables and constants
SELECT place, message FROM orchestration.validate_orchestration('{"label": "T", "processType": "Orchestrator", "variables": [
    {"name": "a", "dataType": "String", "isCollection": true, "value": {"stringValue": "x"}}, {"name": "b", "dataType": "Time", "value": {"numberValue": 1}}, {"name": "c", "dataType": "SObject", "value": {"stringValue": "x"}},
    {"name": "d", "dataType": "Boolean", "value": {"stringValue": "true"}}, {"name": "e", "dataType": "Boolean", "value": {"numberValue": 1}}, {"name": "f", "dataType": "Number", "value": {"stringValue": "x"}},
    {"name": "g", "dataType": "Date", "value": {"elementReference": "$Record.Day"}}, {"name": "h", "dataType": "Number", "value": {"booleanValue": true}}],
    "constants": [{"name": "k", "dataType": "Date", "value": {"elementReference": "$Flow.CurrentDate"}}]}'::jsonb);
-- assignments
SELECT place, message FROM orchestration.validate_orchestration(jsonb_build_object('label', 'T', 'processType', 'Orchestrator',
    'variables', (SELECT jsonb_agg(jsonb_build_object('name', v[1], 'dataType', v[2], 'isCollection', v[1] = 'l')) FROM (VALUES ('{s,String}'::text[]), ('{n,Number}'), ('{d,Date}'), ('{r,SObject}'), ('{l,String}')) x (v)),
    'textTemplates', '[{"name": "T", "text": "{!  s }, {! }"}]'::jsonb, 'formulas', '[{"name": "F", "dataType": "Number", "expression": "1"}]'::jsonb,
    'assignments', jsonb_build_array(jsonb_build_object('name', 'A', 'label', 'A', 'assignmentItems', (SELECT jsonb_agg(jsonb_build_object('assignToReference', i[1], 'operator', i[2], 'value', i[3]::jsonb)) FROM (VALUES
        ('{n,AssignCount,"{\"elementReference\": \"l\"}"}'::text[]), ('{s,AssignCount,"{\"elementReference\": \"l\"}"}'), ('{r,Add,"{\"elementReference\": \"r\"}"}'), ('{r,Assign,"{\"elementReference\": \"s\"}"}'),
        ('{d,Assign,"{\"numberValue\": 1}"}'), ('{d,Add,"{\"stringValue\": \"x\"}"}'), ('{s,Assign,"{\"elementReference\": \"r\"}"}'), ('{n,Assign,"{\"elementReference\": \"F.x\"}"}'),
        ('{s,Assign,"{\"elementReference\": \"T.x\"}"}'), ('{n,Multiply,"{\"numberValue\": 1}"}'), ('{s,Assign,"{\"elementReference\": \"A\"}"}')) x (i))))));
-- evaluation flows: lookups
SELECT place, message FROM orchestration.validate_orchestration('{"label": "T", "processType": "EvaluationFlow", "start": {"object": "O", "recordTriggerType": "Update", "triggerType": "RecordAfterSave"},
    "variables": [{"name": "r", "dataType": "SObject"}, {"name": "s", "dataType": "String"}],
    "recordLookups": [{"name": "L", "label": "L", "object": "O", "filters": [{"field": "A", "operator": "IsChanged"}], "outputReference": "r"}, {"name": "M", "label": "M", "object": "O", "getFirstRecordOnly": true, "outputReference": "s", "sortField": "A", "sortOrder": "Up", "limit": 0},
        {"name": "N", "label": "N", "object": "O", "getFirstRecordOnly": true, "outputReference": "r", "sortField": "A", "sortOrder": "Desc", "limit": 5}]}'::jsonb);

-- many errors: the first hundred, and how many more
DO $$
DECLARE
    detail text;
BEGIN
    PERFORM pg_temp.deploy((SELECT string_agg(pg_temp.stage('', 'S' || i || '_'), '') FROM generate_series(1, 250) i));
EXCEPTION WHEN sqlstate 'OR201' THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RAISE NOTICE '% lines, the last %', array_length(string_to_array(detail, E'\n'), 1), substring(detail FROM '[^\n]*$');
END
$$;

-- ten thousand steps, each waiting for the step before it; then in a circle
CREATE FUNCTION pg_temp.chain(n integer, first_after integer) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('label', 'Chain', 'processType', 'Orchestrator',
        'start', '{"connector": {"targetReference": "S"}}'::jsonb,
        'orchestratedStages', jsonb_build_array(jsonb_build_object('name', 'S', 'stageSteps',
            (SELECT jsonb_agg(jsonb_build_object('name', 'P' || i, 'label', 'x', 'actionName', 'a', 'actionType', 'stepBackground',
                 'entryConditions', CASE WHEN i > 1 OR first_after IS NOT NULL THEN jsonb_build_array(jsonb_build_object(
                     'leftValueReference', 'P' || CASE WHEN i > 1 THEN i - 1 ELSE first_after END || '.Status', 'operator', 'EqualTo',
                     'rightValue', '{"stringValue": "Completed"}'::jsonb)) ELSE '[]' END))
               FROM generate_series(1, n) i))))
$$;
SELECT orchestration.deploy_orchestration(pg_temp.chain(10000, NULL));
SELECT orchestration.activate_orchestration('Chain');
SELECT * FROM orchestration.validate_orchestration(pg_temp.chain(10000, 10000));

SELECT orchestration.unregister_record_type('Regress_Case');
DROP TABLE regress_case;
DROP FUNCTION regress_prepare;
