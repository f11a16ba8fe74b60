-- mistake: one mistake at a time in a whole document, with the message and place of each.
-- test/corpus/mistake.py makes the mistakes that follow from the format; here are those that
-- need a sense of the document.
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;

CREATE TABLE pg_temp.base (xml text);
INSERT INTO pg_temp.base VALUES ($$<?xml version="1.0" encoding="UTF-8"?>
<Flow xmlns="http://soap.sforce.com/2006/04/metadata" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
    <assignments>
        <name>Count</name>
        <label>Count</label>
        <assignmentItems>
            <assignToReference>tries</assignToReference>
            <operator>Add</operator>
            <value><numberValue>1.0</numberValue></value>
        </assignmentItems>
        <connector><targetReference>Review</targetReference></connector>
    </assignments>
    <decisions>
        <name>Again</name>
        <label>Again?</label>
        <defaultConnector><targetReference>Close</targetReference></defaultConnector>
        <rules>
            <name>Yes</name>
            <conditionLogic>1 AND 2</conditionLogic>
            <conditions>
                <leftValueReference>Approve.Outputs.decision</leftValueReference>
                <operator>EqualTo</operator>
                <rightValue><stringValue>no</stringValue></rightValue>
            </conditions>
            <conditions>
                <leftValueReference>tries</leftValueReference>
                <operator>LessThan</operator>
                <rightValue><numberValue>3.0</numberValue></rightValue>
            </conditions>
            <connector><isGoTo>true</isGoTo><targetReference>Count</targetReference></connector>
            <label>Yes</label>
        </rules>
    </decisions>
    <label>Purchase</label>
    <orchestratedStages>
        <name>Close</name>
        <label>Close</label>
        <stageSteps>
            <name>Archive</name>
            <actionName>archive</actionName>
            <actionType>stepBackground</actionType>
            <entryConditionLogic>and</entryConditionLogic>
            <label>Archive</label>
        </stageSteps>
    </orchestratedStages>
    <orchestratedStages>
        <name>Review</name>
        <label>Review</label>
        <connector><targetReference>Again</targetReference></connector>
        <exitConditionLogic>and</exitConditionLogic>
        <stageSteps>
            <name>Prepare</name>
            <actionName>prepare</actionName>
            <actionType>stepBackground</actionType>
            <entryConditionLogic>and</entryConditionLogic>
            <inputParameters>
                <name>amount</name>
                <value><elementReference>$Record.Amount</elementReference></value>
            </inputParameters>
            <label>Prepare</label>
        </stageSteps>
        <stageSteps>
            <name>Approve</name>
            <actionName>approve</actionName>
            <actionType>stepInteractive</actionType>
            <assignees>
                <assignee><stringValue>ada@example.com</stringValue></assignee>
                <assigneeType>User</assigneeType>
            </assignees>
            <entryConditionLogic>and</entryConditionLogic>
            <entryConditions>
                <leftValueReference>Prepare.Status</leftValueReference>
                <operator>EqualTo</operator>
                <rightValue><stringValue>Completed</stringValue></rightValue>
            </entryConditions>
            <label>Approve</label>
        </stageSteps>
    </orchestratedStages>
    <processType>Orchestrator</processType>
    <start>
        <connector><targetReference>Review</targetReference></connector>
        <filterLogic>and</filterLogic>
        <filters>
            <field>Status</field>
            <operator>EqualTo</operator>
            <value><stringValue>Open</stringValue></value>
        </filters>
        <object>Purchase</object>
        <recordTriggerType>Update</recordTriggerType>
        <triggerType>RecordAfterSave</triggerType>
    </start>
    <variables>
        <name>tries</name>
        <dataType>Number</dataType>
        <isInput>false</isInput>
        <value><numberValue>0.0</numberValue></value>
    </variables>
</Flow>$$);

-- what it needs
CREATE TABLE public.purchase (id integer PRIMARY KEY, status text, amount numeric);
SELECT orchestration.register_record_type('Purchase', 'purchase');
CREATE FUNCTION public.purchase_archive(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT orchestration.register_action('archive', 'function', 'purchase_archive(jsonb)'), orchestration.register_action('prepare', 'function', 'purchase_archive(jsonb)'),
       orchestration.register_action('approve', 'screen');
SELECT orchestration.create_user('ada@example.com') IS NOT NULL WHERE NOT EXISTS (SELECT FROM orchestration.principal WHERE username = 'ada@example.com');

-- the document with a text replaced, where it occurs first: SQLSTATE and detail of deploying it,
-- else its warnings; nothing stays deployed
CREATE FUNCTION pg_temp.mistake(original text, mistaken text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    source text := (SELECT xml FROM pg_temp.base);
    at integer := strpos(source, original);
    detail text;
BEGIN
    IF at = 0 THEN
        RAISE 'the document has no %', original;
    END IF;
    source := overlay(source PLACING mistaken FROM at FOR length(original));
    PERFORM orchestration.deploy_orchestration(source::xml, 'Purchase');
    RAISE EXCEPTION USING ERRCODE = 'OR999';
EXCEPTION
    WHEN SQLSTATE 'OR201' THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
        RETURN SQLSTATE || ' ' || detail;
    WHEN SQLSTATE 'OR999' THEN
        RETURN COALESCE((SELECT string_agg(severity || ' line ' || line || ': ' || CASE place WHEN '' THEN '' ELSE place || ': ' END || message, E'\n')
                           FROM orchestration.validate_orchestration(source::xml)
                          WHERE message NOT LIKE 'it can start itself%'), 'deployed');
END
$$;

SELECT what || E'\n' || pg_temp.mistake(original, mistaken) FROM (VALUES
    -- the base
    ('nothing', 'Purchase', 'Purchase'),
    -- renamed
    ('a stage is renamed', '<name>Close', '<name>Closed'),
    ('a decision is renamed', '<name>Again', '<name>Once_more'),
    ('an assignment is renamed', '<name>Count', '<name>Counted'),
    ('a step is renamed', '<name>Prepare', '<name>Prepared'),
    ('a step with outputs is renamed', '<name>Approve', '<name>Approved'),
    ('a variable is renamed', '<name>tries', '<name>attempts'),
    -- dropped
    ('the variable is dropped', substring((SELECT xml FROM pg_temp.base) FROM '    <variables>.*</variables>\n'), ''),
    ('the decision is dropped', substring((SELECT xml FROM pg_temp.base) FROM '    <decisions>.*</decisions>\n'), ''),
    ('the assignees are dropped', substring((SELECT xml FROM pg_temp.base) FROM '            <assignees>.*</assignees>\n'), ''),
    ('the start is dropped', substring((SELECT xml FROM pg_temp.base) FROM '    <start>.*</start>\n'), ''),
    ('the connector of the start is dropped', E'        <connector><targetReference>Review</targetReference></connector>\n        <filterLogic>', '        <filterLogic>'),
    ('the object is dropped', '<object>Purchase</object>', ''),
    ('the trigger is dropped', '<triggerType>RecordAfterSave</triggerType>', ''),
    ('the kind of change is dropped', '<recordTriggerType>Update</recordTriggerType>', ''),
    ('the operator is dropped', '<operator>LessThan</operator>', ''),
    ('the left side is dropped', '<leftValueReference>tries</leftValueReference>', ''),
    ('the right side is dropped', '<rightValue><numberValue>3.0</numberValue></rightValue>', ''),
    -- retyped
    ('a number becomes a text', '<numberValue>0.0</numberValue>', '<stringValue>none</stringValue>'),
    ('a number becomes a word', '<numberValue>3.0</numberValue>', '<numberValue>three</numberValue>'),
    ('the variable becomes a text', '<dataType>Number', '<dataType>String'),
    ('an assignee becomes a number', '<assignee><stringValue>ada@example.com</stringValue>', '<assignee><numberValue>7</numberValue>'),
    ('a value becomes two', '<numberValue>3.0</numberValue>', '<numberValue>3.0</numberValue><stringValue>3</stringValue>'),
    ('a value becomes a text', '<value><stringValue>Open</stringValue></value>', '<value>Open</value>'),
    -- duplicate
    ('two labels', '<label>Purchase</label>', '<label>Purchase</label><label>Order</label>'),
    ('two stages of a name', '<name>Review', '<name>Close'),
    ('a step has the name of a stage', '<name>Archive', '<name>Review'),
    ('a variable has the name of a step', '<name>tries', '<name>Archive'),
    ('two parameters of a name', '</inputParameters>', '</inputParameters><inputParameters><name>amount</name></inputParameters>'),
    ('two assignees', '</assignees>', '</assignees><assignees><assignee><stringValue>bob@example.com</stringValue></assignee><assigneeType>User</assigneeType></assignees>'),
    -- circles
    ('a step waits for itself', 'Prepare.Status', 'Approve.Status'),
    ('two steps wait for each other', E'<entryConditionLogic>and</entryConditionLogic>\n            <inputParameters>', '<entryConditionLogic>and</entryConditionLogic><entryConditions><leftValueReference>Approve.Status</leftValueReference><operator>EqualTo</operator><rightValue><stringValue>Completed</stringValue></rightValue></entryConditions><inputParameters>'),
    ('a stage follows itself', '<connector><targetReference>Again', '<connector><targetReference>Review'),
    -- dangling
    ('a connector leads nowhere', '<connector><targetReference>Again', '<connector><targetReference>Nowhere'),
    ('the start leads nowhere', E'<connector><targetReference>Review</targetReference></connector>\n        <filterLogic>', E'<connector><targetReference>Nowhere</targetReference></connector>\n        <filterLogic>'),
    ('a connector leads to a step', '<connector><targetReference>Again', '<connector><targetReference>Archive'),
    ('a connector leads to a rule', '<connector><targetReference>Again', '<connector><targetReference>Yes'),
    ('a connector leads to a variable', '<connector><targetReference>Again', '<connector><targetReference>tries'),
    ('a stage is an island', '<defaultConnector><targetReference>Close</targetReference></defaultConnector>', ''),
    ('a condition names nothing', '<leftValueReference>tries', '<leftValueReference>trials'),
    ('a value names nothing', '$Record.Amount', 'Amount'),
    ('the logic names a condition too many', '1 AND 2', '1 AND 3'),
    ('the logic leaves a condition out', '1 AND 2', '1'),
    -- empty
    ('an empty name', '<name>Close', '<name>'),
    ('an empty label', '<label>Purchase', '<label>'),
    ('an empty reference', '$Record.Amount', ''),
    ('an empty connector', '<connector><targetReference>Again</targetReference></connector>', '<connector/>'),
    ('an empty rule', substring((SELECT xml FROM pg_temp.base) FROM '<rules>.*</rules>'), '<rules/>'),
    ('an empty assignee', 'ada@example.com', ' '),
    ('an empty flow', substring((SELECT xml FROM pg_temp.base) FROM '<Flow.*</Flow>'), '<Flow xmlns="http://soap.sforce.com/2006/04/metadata"/>'),
    -- values of enumerations
    ('an unknown kind of process', 'Orchestrator', 'Orchestra'),
    ('a small letter too many', 'Orchestrator', 'orchestrator'),
    ('an unknown kind of step', 'stepInteractive', 'stepInteractiv'),
    ('an unknown operator', 'LessThan', 'LesserThan'),
    ('an unknown operator of an assignment', '<operator>Add', '<operator>Multiply'),
    ('an unknown data type', '<dataType>Number', '<dataType>Integer'),
    ('an unknown kind of assignee', '<assigneeType>User', '<assigneeType>Person'),
    ('an unknown kind of change', '<recordTriggerType>Update', '<recordTriggerType>Change'),
    ('a status that no step has', '<stringValue>Completed', '<stringValue>Done'),
    -- in the wrong place
    ('a step at the root', '<variables>', '<stageSteps><name>Lost</name></stageSteps><variables>'),
    ('a stage in a stage', '<exitConditionLogic>', '<orchestratedStages><name>Inner</name></orchestratedStages><exitConditionLogic>'),
    ('an assignee without its element', '<assignee><stringValue>ada@example.com</stringValue></assignee>', '<stringValue>ada@example.com</stringValue>'),
    ('an element of the builder''s next version', '<variables>', '<futureElements><name>Future</name></futureElements><variables>'),
    ('an element of an ordinary flow', '<variables>', '<screens><name>Form</name></screens><variables>'),
    ('an element of a foreign namespace', '<variables>', '<x:variables xmlns:x="urn:x"><x:name>tries</x:name></x:variables><variables>'),
    ('text between elements', '<variables>', 'and <variables>'),
    ('another namespace', 'http://soap.sforce.com/2006/04/metadata', 'http://soap.sforce.com/2006/08/apex')
    ) m (what, original, mistaken);

-- not well-formed: the type xml itself refuses the text
\set VERBOSITY sqlstate
SELECT pg_temp.mistake('</decisions>', '');
SELECT pg_temp.mistake('<entryConditions>', '<entryConditions><condition>');
SELECT orchestration.unregister_action(name) FROM unnest('{archive,prepare,approve}'::text[]) name;
SELECT orchestration.unregister_record_type('Purchase');
DROP TABLE public.purchase;
DROP FUNCTION public.purchase_archive(jsonb);
