-- approval_access: who may see, answer, override, recall, cancel and reassign an approval.
--
-- A cast of callers (assignee, members, delegates of every kind, users above, submitter,
-- administrators, strangers) tries every call and reads every view, while the approval is
-- assigned to a user, a group and a queue.  The verdicts come from an oracle in plain SQL over
-- the tables, which uses no function of the extension.  Then random changes, each followed by
-- the same for some callers: -v seed=0.42 -v configurations=60.

\set QUIET 1
\if :{?seed}
\else
    \set seed 0.42
\endif
\if :{?configurations}
\else
    \set configurations 60
\endif
BEGIN;
SET search_path = public, pg_catalog;
SET LOCAL jit = off;
SELECT plan(48);
SELECT setseed(:seed);
CREATE ROLE regress_approval;
GRANT SET ON PARAMETER orchestration.user_id TO regress_approval;
-- not PUBLIC's; the guard refuses it to each caller
GRANT UPDATE (status) ON orchestration.flow_orchestration_work_item, orchestration.work_item TO regress_approval;
CREATE ROLE regress_approval_unmapped;

CREATE TEMP TABLE person (name text PRIMARY KEY, what text, id uuid);
INSERT INTO person (name, what) VALUES
    ('ann', 'assignee, member of group and queue'), ('mem', 'member'), ('nst', 'member of a nested group'),
    ('del', 'delegate'), ('dlg', 'delegate by group'), ('dln', 'delegate by nested group'), ('dlq', 'delegate by queue'),
    ('fut', 'delegate until tomorrow'), ('xpd', 'delegate whose delegation has ended'), ('ddl', 'delegate of a delegate'),
    ('dmm', 'delegate of a member'), ('din', 'delegate of an inactive user'), ('dix', 'inactive delegate'),
    ('mgr', 'manager'), ('mg2', 'manager of the manager'), ('mgd', 'delegate of the manager'),
    ('sub', 'submitter'), ('adm', 'approval administrator who sees nothing'), ('ads', 'approval administrator with the submission'),
    ('adr', 'approval administrator with the run'), ('ada', 'approval administrator who is assignee by group'), ('add', 'approval administrator who is delegate'),
    ('mod', 'Modify All Data'), ('viw', 'View All Data'), ('ras', 'Reassign, View All Data'), ('rss', 'Reassign with the submission'),
    ('mrn', 'Manage Runs with the run'), ('mrs', 'Manage Runs with the submission'), ('edr', 'Edit of the run'), ('shs', 'reader of the submission'), ('eds', 'Edit of the submission'),
    ('str', 'stranger'), ('ina', 'inactive member');
UPDATE person SET id = orchestration.create_user('approval-' || name, name);
CREATE TEMP TABLE place (name text PRIMARY KEY, kind text, id uuid);
INSERT INTO place SELECT n, CASE WHEN n IN ('Q', 'DQ') THEN 'Queue' ELSE 'Group' END FROM unnest('{G,Q,I,DG,DI,DQ}'::text[]) n;
UPDATE place SET id = CASE kind WHEN 'Queue' THEN orchestration.create_queue('approval_' || name, name) ELSE orchestration.create_group('approval_' || name, name) END;
CREATE TEMP VIEW who AS SELECT name, id, 'User' AS kind FROM person UNION ALL SELECT name, id, kind FROM place;
CREATE FUNCTION pg_temp.id(text) RETURNS uuid STABLE LANGUAGE sql AS $$ SELECT id FROM who WHERE name = $1 $$;

SELECT orchestration.add_group_member(pg_temp.id(split_part(x, '>', 1)), pg_temp.id(split_part(x, '>', 2)))
  FROM unnest('{G>ann,Q>ann,G>mem,Q>mem,G>I,Q>I,I>nst,G>ina,Q>ina,DG>dlg,DG>DI,DI>dln,DQ>dlq,G>ada,Q>ada}'::text[]) x;
UPDATE orchestration.principal p SET is_active = p.id NOT IN (pg_temp.id('ina'), pg_temp.id('dix')), approval_admin = p.id IN (SELECT id FROM person WHERE name IN ('adm', 'ads', 'adr', 'ada', 'add')),
       modify_all_data = p.id = pg_temp.id('mod'), view_all_data = p.id IN (pg_temp.id('viw'), pg_temp.id('ras')),
       reassign_work_items = p.id IN (pg_temp.id('ras'), pg_temp.id('rss')), manage_runs = p.id IN (pg_temp.id('mrn'), pg_temp.id('mrs'))
 WHERE p.id IN (SELECT id FROM person);
-- one delegated approver each; dated delegations for the rest
SELECT orchestration.set_delegated_approver(pg_temp.id(split_part(x, '>', 1)), pg_temp.id(split_part(x, '>', 2)))
  FROM unnest('{ann>del,del>ddl,mem>dmm,ina>din,mgr>mgd}'::text[]) x;
INSERT INTO orchestration.approval_delegation (delegated_from, delegated_to, end_date)
SELECT pg_temp.id('ann'), pg_temp.id(x.n), x.e FROM (VALUES ('DG', NULL), ('DQ', NULL), ('fut', now() + '1 day'), ('xpd', now() - '1 minute'::interval), ('dix', NULL), ('add', NULL)) x (n, e);
SELECT orchestration.set_manager(pg_temp.id('ann'), pg_temp.id('mgr')), orchestration.set_manager(pg_temp.id('mgr'), pg_temp.id('mg2'));

SELECT orchestration.register_action('Approval_Access', 'screen');
SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', 'Approval_Access', 'label', 'A', 'processType', 'ApprovalWorkflow', 'start', '{"connector": {"targetReference": "S"}}'::jsonb,
    'variables', (SELECT jsonb_agg(jsonb_build_object('name', n, 'dataType', 'String', 'isInput', true, 'isOutput', false, 'isCollection', false)) FROM unnest('{recordId,submitter,submissionComments,firstApprover}'::text[]) n),
    'orchestratedStages', '[{"name": "S", "label": "S", "exitConditionLogic": "and", "stageSteps": [{"name": "P", "label": "P", "actionName": "Approval_Access", "actionType": "stepApproval",
        "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "approval-ann"}}]}]}]'::jsonb), activate => true);
SELECT orchestration.start_orchestration('Approval_Access', inputs => '{"submitter": "approval-sub"}') AS run \gset
SELECT w.id AS item, a.id AS aitem, s.id AS submission FROM orchestration.work_item w JOIN orchestration.submission_item a ON a.run_id = w.run_id JOIN orchestration.submission s ON s.run_id = w.run_id WHERE w.run_id = :'run' \gset
-- a grantee and assignee who is not in the cast
CREATE TEMP TABLE target AS SELECT orchestration.create_user('approval-target') AS id;
CREATE TEMP TABLE rec AS SELECT :'run'::uuid AS run, :'item'::uuid AS item, :'aitem'::uuid AS aitem, :'submission'::uuid AS submission;
SELECT is((SELECT submitted_by || ' ' || owner_id FROM orchestration.submission WHERE run_id = :'run'), pg_temp.id('sub') || ' ' || pg_temp.id('sub'), 'the submitter owns the submission');
INSERT INTO orchestration.share_grant (run_id, object, record_id, user_or_group_id, access_level)
SELECT :'run', x.o::orchestration.shared_object, x.r::uuid, pg_temp.id(x.n), x.l::orchestration.access_level
  FROM (VALUES ('ApprovalSubmission', :'submission', 'ads', 'Read'), ('ApprovalSubmission', :'submission', 'rss', 'Read'), ('ApprovalSubmission', :'submission', 'mrs', 'Read'),
               ('ApprovalSubmission', :'submission', 'shs', 'Read'), ('ApprovalSubmission', :'submission', 'eds', 'Edit'),
               ('FlowOrchestrationInstance', :'run', 'adr', 'Read'), ('FlowOrchestrationInstance', :'run', 'mrn', 'Read'), ('FlowOrchestrationInstance', :'run', 'edr', 'Edit')) x (o, r, n, l);

-- a detail and history, to be read
UPDATE orchestration.work_item SET assignee_id = pg_temp.id('str') WHERE id = :'item';
INSERT INTO orchestration.field_change (run_id, object, record_id, field) VALUES (:'run', 'ApprovalSubmission', :'submission', 'created'), (:'run', 'ApprovalWorkItem', :'aitem', 'created');

-- the oracle: for every user, what the tables say
CREATE FUNCTION pg_temp.oracle(managed boolean, OUT name text, OUT active boolean, OUT own boolean, OUT delegate boolean, OUT manager boolean,
    OUT run_level integer, OUT item_level integer, OUT submission_level integer, OUT admin boolean, OUT modify_all boolean, OUT reassigns boolean, OUT moves boolean, OUT submitter boolean) RETURNS SETOF record LANGUAGE sql AS $$
    WITH RECURSIVE inside (g, m) AS (
        SELECT group_id, member_id FROM orchestration.membership
        UNION SELECT i.g, x.member_id FROM inside i JOIN orchestration.membership x ON x.group_id = i.m),
    covers (p, u) AS (SELECT id, id FROM person UNION SELECT g, m FROM inside),
    below (boss, u) AS (
        SELECT p.manager_id, p.id FROM orchestration.principal p WHERE p.manager_id IS NOT NULL
        UNION SELECT b.boss, p.id FROM below b JOIN orchestration.principal p ON p.manager_id = b.u),
    names (u, d) AS (
        SELECT p.id, p.delegated_approver_id FROM orchestration.principal p WHERE p.delegated_approver_id IS NOT NULL
        UNION SELECT d.delegated_from, d.delegated_to FROM orchestration.approval_delegation d WHERE d.end_date IS NULL OR d.end_date > clock_timestamp()),
    answerer (u) AS (      -- users who may answer as assignee
        SELECT c.u FROM covers c JOIN orchestration.principal p ON p.id = c.u AND p.is_active
         WHERE c.p = (SELECT w.assignee_id FROM orchestration.work_item w JOIN rec r ON r.item = w.id)),
    x AS (SELECT p.*, n.name AS short,
               EXISTS (SELECT FROM answerer a WHERE a.u = p.id) AS own,
               EXISTS (SELECT FROM answerer a JOIN names d ON d.u = a.u JOIN covers c ON c.p = d.d WHERE c.u = p.id) AS delegate,
               managed AND EXISTS (SELECT FROM answerer a JOIN below b ON b.u = a.u WHERE b.boss = p.id) AS manager
          FROM orchestration.principal p JOIN person n ON n.id = p.id),
    level AS (SELECT x.id, o.object, GREATEST(
            CASE WHEN x.modify_all_data THEN 3 WHEN x.view_all_data THEN 1 ELSE 0 END,
            CASE WHEN x.id = o.owner_id THEN 3 END,
            (SELECT CASE d.sharing_model WHEN 'Read' THEN 1 WHEN 'ReadWrite' THEN 2 END FROM orchestration.default_access d WHERE d.object::text = o.object),
            (SELECT max(CASE g.access_level WHEN 'Read' THEN 1 ELSE 2 END) FROM orchestration.share_grant g WHERE g.record_id = o.id AND (g.user_or_group_id, x.id) IN (SELECT c.p, c.u FROM covers c)),
            (SELECT max(CASE s.access_level WHEN 'Read' THEN 1 ELSE 2 END) FROM orchestration.owner_sharing_rule s WHERE s.object::text = o.object AND (s.user_or_group_id, x.id) IN (SELECT c.p, c.u FROM covers c)
                AND (s.orchestration_id = o.orchestration_id OR (s.group_id, o.owner_id) IN (SELECT i.g, i.m FROM inside i))),
            CASE WHEN o.object <> 'FlowOrchestrationInstance' AND (x.own OR x.delegate OR x.manager) THEN 1 END) AS level
        FROM x CROSS JOIN (SELECT 'FlowOrchestrationInstance' AS object, r.id, r.owner_id, r.orchestration_id FROM orchestration.run r JOIN rec c ON c.run = r.id
            UNION ALL SELECT 'FlowOrchestrationWorkItem', w.id, w.owner_id, w.orchestration_id FROM orchestration.work_item w JOIN rec c ON c.item = w.id
            UNION ALL SELECT 'ApprovalSubmission', s.id, s.owner_id, s.orchestration_id FROM orchestration.submission s JOIN rec c ON c.submission = s.id) o)
    SELECT x.short, x.is_active, x.own, x.delegate, x.manager,
           (SELECT l.level FROM level l WHERE l.id = x.id AND l.object = 'FlowOrchestrationInstance'),
           (SELECT l.level FROM level l WHERE l.id = x.id AND l.object = 'FlowOrchestrationWorkItem'),
           (SELECT l.level FROM level l WHERE l.id = x.id AND l.object = 'ApprovalSubmission'),
           x.approval_admin OR x.modify_all_data, x.modify_all_data, x.reassign_work_items OR x.modify_all_data, x.manage_runs OR x.modify_all_data,
           x.id = (SELECT s.submitted_by FROM orchestration.submission s JOIN rec c ON c.submission = s.id)
      FROM x
$$;

-- calls: what they need to see, which right, which verdict if they work
CREATE TEMP TABLE call (name text PRIMARY KEY, statement text, sees text, may text);
INSERT INTO call VALUES
    ('review', 'SELECT orchestration.review_approval(%2$L, ''Approve'')', 'item or submission', 'answer'),
    ('review by approval work item', 'SELECT orchestration.review_approval(%3$L, ''Reject'', ''no'')', 'submission', 'answer'),
    ('complete_work_item', 'SELECT orchestration.complete_work_item(%2$L, ''{"approvalDecision": "Approve"}'')', 'item or submission', 'answer'),
    ('complete by view', 'UPDATE orchestration.flow_orchestration_work_item SET status = ''Completed'' WHERE id = %2$L', 'row of item', 'decision'),
    ('fail_work_item', 'SELECT orchestration.fail_work_item(%2$L, ''x'')', 'item or submission', 'answer'),
    ('override', 'SELECT orchestration.override_approval(%2$L, ''Reject'')', 'item or submission', 'admin'),
    ('override by approval work item', 'SELECT orchestration.override_approval(%3$L, ''Reject'')', 'submission', 'admin'),
    ('recall', 'SELECT orchestration.recall_run(%1$L, ''back'')', 'run or submission', 'recall'),
    ('recall by submission', 'SELECT orchestration.recall_run(%4$L)', 'submission', 'recall'),
    ('cancel', 'SELECT orchestration.cancel_run(%1$L, ''stop'')', 'run or submission', 'cancel'),
    ('cancel by view', 'UPDATE orchestration.flow_orchestration_instance SET status = ''Canceled'' WHERE id = %1$L', 'row of run', 'cancel'),
    ('suspend', 'SELECT orchestration.suspend_run(%1$L)', 'run', 'move'),
    ('reassign', 'SELECT orchestration.reassign_work_item(%2$L, %5$L)', 'item or submission', 'reassign'),
    ('claim', 'SELECT orchestration.claim_work_item(%2$L)', 'item', 'claim'),
    ('release', 'SELECT orchestration.release_work_item(%2$L)', 'item', 'hold'),
    ('set_due_date', 'SELECT orchestration.set_due_date(%2$L, now() + ''1 day'')', 'item', 'hold'),
    ('explain_access', 'SELECT count(*) FROM orchestration.explain_access(%4$L, %5$L)', 'submission', 'All of submission'),
    ('share_record', 'SELECT orchestration.share_record(%4$L, %5$L, ''Edit'')', 'submission', 'All of submission'),
    ('share view', 'INSERT INTO orchestration.approval_submission_share (parent_id, user_or_group_id, access_level) VALUES (%4$L, %5$L, ''Edit'')', 'submission', 'All of submission'),
    ('share_record of an item', 'SELECT orchestration.share_record(%3$L, %5$L, ''Edit'')', 'submission', 'never All of submission'),
    ('change_owner', 'SELECT orchestration.change_owner(%4$L, %5$L)', 'submission', 'never All of submission'),
    ('change_owner of an item', 'SELECT orchestration.change_owner(%3$L, %5$L)', 'submission', 'never All of submission'),
    ('read work item', 'SELECT 1 FROM orchestration.flow_orchestration_work_item WHERE id = %2$L', 'row of item', NULL),
    ('read work item, no index', 'SELECT count(*) FROM orchestration.flow_orchestration_work_item WHERE (id::text) = %2$L HAVING count(*) > 0', 'row of item', NULL),
    ('read submission', 'SELECT 1 FROM orchestration.approval_submission WHERE id = %4$L', 'row of submission', NULL),
    ('read approval work item', 'SELECT 1 FROM orchestration.approval_work_item WHERE id = %3$L', 'row of submission', NULL),
    ('read details', 'SELECT 1 FROM orchestration.approval_submission_detail WHERE approval_submission_id = %4$L LIMIT 1', 'row of submission', NULL),
    ('read history', 'SELECT 1 FROM orchestration.approval_submission_history WHERE approval_submission_id = %4$L LIMIT 1', 'row of submission', NULL),
    ('read history of an item', 'SELECT 1 FROM orchestration.approval_work_item_history WHERE approval_work_item_id = %3$L LIMIT 1', 'row of submission', NULL),
    ('read shares', 'SELECT 1 FROM orchestration.approval_submission_share WHERE parent_id = %4$L LIMIT 1', 'row of submission', NULL),
    ('retrieve', 'SELECT 1 FROM orchestration.query(''SELECT Id FROM ApprovalSubmission WHERE Id = ''''%4$s'''''') q WHERE q::text LIKE ''%%%4$s%%''', 'row of submission', NULL),
    ('read run', 'SELECT 1 FROM orchestration.flow_orchestration_instance WHERE id = %1$L', 'row of run', NULL),
    ('inbox', 'SELECT 1 FROM orchestration.my_work_items(1000) WHERE id = %2$L', 'row of inbox', NULL);

-- verdicts: ok, none (no row), or an SQLSTATE; for answers also what the detail says
CREATE FUNCTION pg_temp.verdicts(managed boolean) RETURNS TABLE (person text, call text, verdict text) LANGUAGE sql AS $$
    SELECT o.name, c.name, CASE
        WHEN c.name = 'retrieve' AND NOT o.active THEN '42501'
        WHEN c.sees LIKE 'row of %' AND c.may IS NULL THEN CASE WHEN o.active AND v.sees THEN 'ok' ELSE 'none' END
        WHEN NOT o.active AND c.sees LIKE 'row of %' THEN 'none'
        WHEN NOT o.active THEN '42501'
        WHEN NOT v.sees THEN CASE WHEN c.sees LIKE 'row of %' THEN 'none' ELSE 'OR101' END
        WHEN c.may = 'answer' AND o.own THEN CASE WHEN c.name = 'fail_work_item' THEN 'ok' ELSE 'ok Review Assignee' END
        WHEN c.may = 'answer' AND (o.delegate OR o.manager) THEN CASE WHEN c.name = 'fail_work_item' THEN 'ok' ELSE 'ok Review Delegate' END
        WHEN c.may = 'answer' AND o.admin THEN CASE WHEN c.name = 'fail_work_item' THEN 'ok' ELSE 'ok Override Admin' END
        WHEN c.may = 'decision' AND (o.own OR o.delegate OR o.manager OR o.admin) THEN 'OR306'
        WHEN c.may = 'admin' AND o.admin THEN 'ok Override Admin'
        WHEN c.may = 'recall' AND o.submitter THEN 'ok Recall Submitter'
        WHEN c.may = 'recall' AND o.admin THEN 'ok Recall Admin'
        WHEN c.may = 'cancel' AND (o.admin OR o.run_level >= 2 OR (o.run_level = 1 AND o.moves)) THEN 'ok Cancel Admin'
        WHEN c.may = 'move' AND (o.run_level >= 2 OR o.moves) THEN 'ok'
        WHEN c.may = 'reassign' AND (o.admin OR (o.item_level >= 1 AND o.reassigns)) THEN 'ok'
        WHEN c.may = 'claim' AND (o.own OR o.modify_all) THEN CASE WHEN a.kind <> 'User' OR o.own THEN 'ok' ELSE '55000' END
        WHEN c.may = 'hold' AND (o.own OR o.modify_all) THEN 'ok'
        WHEN c.may = 'All of submission' AND o.submission_level = 3 THEN 'ok'
        WHEN c.may = 'never All of submission' AND o.submission_level = 3 THEN 'OR403'
        ELSE '42501' END
      FROM pg_temp.oracle(managed) o CROSS JOIN call c
     CROSS JOIN (SELECT p.kind FROM orchestration.work_item w JOIN rec r ON r.item = w.id JOIN orchestration.principal p ON p.id = w.assignee_id) a
     CROSS JOIN LATERAL (SELECT CASE replace(c.sees, 'row of ', '')
            WHEN 'item' THEN o.item_level > 0 WHEN 'submission' THEN o.submission_level > 0 WHEN 'run' THEN o.run_level > 0
            WHEN 'item or submission' THEN o.item_level > 0 OR o.submission_level > 0 WHEN 'run or submission' THEN o.run_level > 0 OR o.submission_level > 0
            WHEN 'inbox' THEN o.own OR o.delegate END AS sees) v
$$;

-- tries a statement as a user and undoes it
CREATE FUNCTION pg_temp.try(statement text, user_id uuid, role name DEFAULT 'regress_approval') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    n integer;
    details bigint := (SELECT count(*) FROM orchestration.submission_detail);
    detail text;
BEGIN
    PERFORM set_config('orchestration.user_id', COALESCE(user_id::text, ''), true), set_config('role', role, true);
    EXECUTE statement;
    GET DIAGNOSTICS n = ROW_COUNT;
    SET LOCAL ROLE NONE;
    SELECT d.action || ' ' || d.performer_role INTO detail FROM orchestration.submission_detail d
     WHERE d.performed_by IS NOT DISTINCT FROM try.user_id AND d.action <> 'Reassign' ORDER BY d.name DESC LIMIT 1;
    IF (SELECT count(*) FROM orchestration.submission_detail) = details OR detail IS NULL THEN
        detail := '';
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = CASE n WHEN 0 THEN 'none' ELSE rtrim('ok ' || detail) END;
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'ZZ000' THEN SQLERRM ELSE SQLSTATE END;
END $$;
CREATE FUNCTION pg_temp.assign(who text) RETURNS void LANGUAGE sql AS $$
    UPDATE orchestration.work_item SET assignee_id = pg_temp.id(who), claimed_from = NULL WHERE id = (SELECT item FROM rec) AND assignee_id <> pg_temp.id(who)
$$;

CREATE TEMP TABLE tried (round text, person text, call text, expected text, got text);
CREATE FUNCTION pg_temp.round(label text, who text[], managed boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('orchestration.managers_review', managed::text, true);
    INSERT INTO tried
    SELECT label, v.person, v.call, v.verdict, pg_temp.try(format(c.statement, r.run, r.item, r.aitem, r.submission, (SELECT id FROM target)), pg_temp.id(v.person))
      FROM pg_temp.verdicts(managed) v JOIN call c ON c.name = v.call CROSS JOIN rec r
     WHERE v.person = ANY (who);
END $$;
CREATE FUNCTION pg_temp.wrong(label text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(', ', round, person, call, 'expected ' || expected, 'got ' || got), E'\n') FROM (SELECT * FROM tried WHERE round LIKE label AND expected <> got LIMIT 25) t
$$;

SELECT pg_temp.assign(a), pg_temp.round(a || CASE WHEN m THEN ' managed' ELSE '' END, (SELECT array_agg(name) FROM person), m)
  FROM unnest('{ann,G,Q}'::text[]) a, unnest('{false,true}'::boolean[]) m;
SELECT is(pg_temp.wrong(a || '%'), NULL, format('assigned to %s: every caller and call as the tables say', a)) FROM unnest('{ann,G,Q}'::text[]) a;
SELECT cmp_ok((SELECT count(*) FROM tried), '=', (SELECT 6 * (SELECT count(*) FROM person) * count(*) FROM call), 'every cell was tried');
-- the cast is what it is called: with the verdicts alone an empty world would pass
SELECT is((SELECT string_agg(person || ' ' || got, ', ' ORDER BY person) FROM tried WHERE round = 'Q' AND call = 'review' AND got LIKE 'ok%'),
    'ada ok Review Assignee, add ok Review Delegate, ads ok Override Admin, ann ok Review Assignee, del ok Review Delegate, dlg ok Review Delegate, dln ok Review Delegate, dlq ok Review Delegate, dmm ok Review Delegate, fut ok Review Delegate, mem ok Review Assignee, mod ok Override Admin, nst ok Review Assignee',
    'who may answer what a queue has');
SELECT is((SELECT string_agg(person, ', ' ORDER BY person) FROM tried t WHERE round = 'Q managed' AND call = 'review' AND got LIKE 'ok%'
    AND NOT EXISTS (SELECT FROM tried o WHERE o.round = 'Q' AND o.call = 'review' AND o.person = t.person AND o.got LIKE 'ok%')), 'mg2, mgr', 'and those above, with managers_review');
SELECT is((SELECT string_agg(DISTINCT got, ', ' ORDER BY got) FROM tried WHERE call = 'recall' AND person = 'sub'), 'ok Recall Submitter', 'the submitter recalls');
SELECT is((SELECT string_agg(DISTINCT got, ', ' ORDER BY got) FROM tried WHERE call = 'read run' AND person = 'sub'), 'none', 'without seeing the run');
SELECT is((SELECT string_agg(DISTINCT got, ', ' ORDER BY got) FROM tried WHERE person = 'str'), 'OR101, none', 'for a stranger there is no approval');
SELECT is((SELECT string_agg(DISTINCT got, ', ' ORDER BY got) FROM tried WHERE person = 'xpd'), 'OR101, none', 'nor for a delegate whose delegation has ended');

-- a role without a user
SELECT is((SELECT string_agg(DISTINCT pg_temp.try(format(c.statement, r.run, r.item, r.aitem, r.submission, (SELECT id FROM target)), NULL, 'regress_approval_unmapped'), ', ') FROM call c, rec r WHERE c.may IS NOT NULL AND c.name NOT LIKE '% by view'),
    '42501', 'a role that acts as no user may call nothing');
SELECT is((SELECT string_agg(DISTINCT pg_temp.try(format(c.statement, r.run, r.item, r.aitem, r.submission, (SELECT id FROM target)), NULL, 'regress_approval_unmapped'), ', ') FROM call c, rec r WHERE c.may IS NULL AND c.name <> 'retrieve'),
    'none', 'and sees nothing');

-- explain_access() and user_record_access() agree with the oracle
CREATE FUNCTION pg_temp.explained(managed boolean) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', o.name, x.object, 'level', x.level, 'user_record_access', u.level, 'explain_access', e.level), E'\n')
      FROM pg_temp.oracle(managed) o CROSS JOIN rec r
     CROSS JOIN LATERAL (VALUES ('run', r.run, o.run_level), ('item', r.item, o.item_level), ('submission', r.submission, o.submission_level), ('aitem', r.aitem, o.submission_level)) x (object, id, level)
      LEFT JOIN LATERAL (SELECT array_position('{None,Read,Edit,All}', a.max_access_level) - 1 AS level FROM orchestration.user_record_access(ARRAY[x.id], pg_temp.id(o.name)) a) u ON true
      LEFT JOIN LATERAL (SELECT COALESCE(max(CASE a.access_level WHEN 'Read' THEN 1 WHEN 'Edit' THEN 2 ELSE 3 END), 0) AS level FROM orchestration.explain_access(x.id, pg_temp.id(o.name)) a) e ON true
     WHERE (CASE WHEN o.active THEN x.level ELSE 0 END) IS DISTINCT FROM u.level OR u.level IS DISTINCT FROM e.level
$$;
SET LOCAL orchestration.managers_review = on;
SELECT is(pg_temp.explained(true), NULL, 'access is explained');
SELECT pg_temp.assign('G');
SELECT is(pg_temp.explained(true), NULL, 'also of what a group has');
SELECT is((SELECT string_agg(cause || ': ' || regexp_replace(detail, 'AWI-\d+', 'AWI'), '; ' ORDER BY cause, detail) FROM orchestration.explain_access(:'submission', pg_temp.id('dln'))),
    'Delegate: AWI: delegated to dln in DI in DG by ann', 'a delegation is explained by its path');
SELECT is((SELECT string_agg(cause || ': ' || regexp_replace(detail, 'AWI-\d+', 'AWI'), '; ' ORDER BY cause, detail) FROM orchestration.explain_access(:'item', pg_temp.id('mg2'))),
    'Manager: AWI: above ann', 'and the place above');
SET LOCAL orchestration.managers_review = off;
SELECT is((SELECT count(*) FROM orchestration.explain_access(:'item', pg_temp.id('mg2'))), 0::bigint, 'which is nothing without the setting');

INSERT INTO orchestration.share_grant (run_id, object, record_id, user_or_group_id, access_level) VALUES (:'run', 'FlowOrchestrationWorkItem', :'item', pg_temp.id('adm'), 'Read');
SELECT is(pg_temp.try(format(statement, NULL, :'item', NULL, NULL, NULL), pg_temp.id('adm')), 'OR306', 'an administrator who sees the work item learns that a decision is missing') FROM call WHERE name = 'complete by view';
DELETE FROM orchestration.share_grant WHERE user_or_group_id = pg_temp.id('adm');

-- random changes
CREATE FUNCTION pg_temp.change() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    a uuid := (SELECT id FROM person ORDER BY random() LIMIT 1);
    b uuid := (SELECT id FROM who ORDER BY random() LIMIT 1);
    g uuid := (SELECT id FROM place ORDER BY random() LIMIT 1);
    object text;
    dice integer := floor(random() * 9);
BEGIN
    IF dice = 0 THEN
        DELETE FROM orchestration.membership WHERE group_id = g AND member_id = a;
        IF NOT FOUND THEN
            INSERT INTO orchestration.membership (group_id, member_id) VALUES (g, a);
        END IF;
    ELSIF dice = 1 THEN
        UPDATE orchestration.principal SET delegated_approver_id = CASE WHEN random() < 0.7 THEN NULLIF(b, a) END WHERE id = a;
    ELSIF dice = 2 THEN
        DELETE FROM orchestration.approval_delegation WHERE delegated_from = a AND delegated_to = b;
        IF NOT FOUND AND a <> b THEN
            INSERT INTO orchestration.approval_delegation (delegated_from, delegated_to, end_date)
            VALUES (a, b, CASE floor(random() * 3) WHEN 0 THEN clock_timestamp() - '1 minute'::interval WHEN 1 THEN clock_timestamp() + '1 hour' END);
        END IF;
    ELSIF dice = 3 THEN         -- circles, too
        UPDATE orchestration.principal SET manager_id = (SELECT id FROM person WHERE id <> a ORDER BY random() LIMIT 1) WHERE id = a;
    ELSIF dice = 4 THEN
        UPDATE orchestration.principal SET approval_admin = random() < 0.3, view_all_data = random() < 0.1, modify_all_data = random() < 0.05,
               reassign_work_items = random() < 0.3, manage_runs = random() < 0.3 WHERE id = a;
    ELSIF dice = 5 THEN
        UPDATE orchestration.principal SET is_active = random() < 0.8 WHERE id = a AND id <> pg_temp.id('str');
    ELSIF dice = 6 THEN
        object := (ARRAY['ApprovalSubmission', 'FlowOrchestrationInstance', 'FlowOrchestrationWorkItem'])[1 + floor(random() * 3)];
        IF random() < 0.3 THEN
            INSERT INTO orchestration.default_access VALUES (object::orchestration.shared_object, (ARRAY['Private', 'Private', 'Read'])[1 + floor(random() * 3)]::orchestration.sharing_model)
            ON CONFLICT ON CONSTRAINT default_access_pkey DO UPDATE SET sharing_model = EXCLUDED.sharing_model;
        ELSE
            DELETE FROM orchestration.share_grant WHERE user_or_group_id = b;
            INSERT INTO orchestration.share_grant (run_id, object, record_id, user_or_group_id, access_level)
            SELECT run, object::orchestration.shared_object, CASE object WHEN 'ApprovalSubmission' THEN submission WHEN 'FlowOrchestrationInstance' THEN run ELSE item END, b, CASE WHEN random() < 0.6 THEN 'Read' ELSE 'Edit' END::orchestration.access_level FROM rec WHERE random() < 0.6;
        END IF;
    ELSIF dice = 7 THEN
        DELETE FROM orchestration.owner_sharing_rule;
        INSERT INTO orchestration.owner_sharing_rule (object, access_level, user_or_group_id, group_id, name)
        SELECT 'ApprovalSubmission', CASE WHEN random() < 0.6 THEN 'Read' ELSE 'Edit' END::orchestration.access_level, b, g, 'r' WHERE random() < 0.8;
    ELSE
        UPDATE orchestration.work_item SET assignee_id = (SELECT p.id FROM orchestration.principal p JOIN who USING (id) WHERE p.is_active ORDER BY random() LIMIT 1) WHERE id = (SELECT item FROM rec);
    END IF;
END $$;
SELECT set_config('approval_access.configurations', :'configurations', true);
CREATE TEMP TABLE explained (configuration integer, difference text);
DO $$
BEGIN
    FOR i IN 1 .. current_setting('approval_access.configurations')::integer LOOP
        PERFORM pg_temp.change() FROM generate_series(1, 8);
        PERFORM pg_temp.round('random ' || i, ARRAY(SELECT name FROM person ORDER BY random() LIMIT 4), i % 2 = 0);
        INSERT INTO explained SELECT i, pg_temp.explained(i % 2 = 0) WHERE i % 10 = 0;
    END LOOP;
END $$;
SELECT is(pg_temp.wrong('random%'), NULL, format('%s random configurations: every caller and call as the tables say', :configurations));
SELECT is((SELECT string_agg(configuration || ': ' || difference, E'\n') FROM explained), NULL, 'and access is explained');
SELECT is((SELECT string_agg(DISTINCT expected, ', ' ORDER BY expected) FROM tried WHERE round LIKE 'random%'),
    (SELECT string_agg(DISTINCT expected, ', ' ORDER BY expected) FROM tried), 'all verdicts were met');

-- revoked in an open session: the next statement knows
SELECT orchestration.create_user('approval-open', 'open') AS open, orchestration.create_user('approval-boss', 'boss') AS boss, orchestration.create_user('approval-clerk', 'clerk') AS clerk \gset
UPDATE orchestration.default_access SET sharing_model = 'Private';
UPDATE orchestration.work_item SET assignee_id = :'clerk' WHERE id = :'item';
PREPARE sees AS SELECT (SELECT count(*) FROM orchestration.flow_orchestration_work_item WHERE id = :'item') || ' ' || (SELECT count(*) FROM orchestration.approval_submission WHERE id = :'submission') || ' ' || (SELECT count(*) FROM orchestration.my_work_items() WHERE id = :'item');
CREATE FUNCTION pg_temp.sees(who uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    PERFORM set_config('orchestration.user_id', who::text, true), set_config('role', 'regress_approval', true);
    EXECUTE 'EXECUTE sees' INTO result;
    SET LOCAL ROLE NONE;
    SET LOCAL orchestration.user_id = '';
    RETURN result;
END $$;
SELECT is(pg_temp.sees(:'open'), '0 0 0', 'no delegate yet');
SELECT orchestration.set_delegated_approver(:'clerk', :'open');
SELECT is(pg_temp.sees(:'open'), '1 1 1', 'delegate');
SELECT orchestration.set_delegated_approver(:'clerk', NULL);
SELECT is(pg_temp.sees(:'open'), '0 0 0', 'revoked');
SELECT orchestration.create_approval_delegation(:'clerk', :'open', clock_timestamp() + '1 second') AS delegation \gset
SELECT is(pg_temp.sees(:'open'), '1 1 1', 'delegate for a second');
SELECT pg_sleep(1.1);
SELECT is(pg_temp.sees(:'open'), '0 0 0', 'the delegation has ended, without any change');
SELECT is(orchestration.create_approval_delegation(:'clerk', :'open'), :'delegation'::uuid, 'a second call renews it');
SELECT is(pg_temp.sees(:'open'), '1 1 1', 'delegate again');
SELECT orchestration.delete_approval_delegation(:'delegation'), orchestration.set_manager(:'clerk', :'boss');
SET LOCAL orchestration.managers_review = on;
SELECT is(pg_temp.sees(:'open') || ', ' || pg_temp.sees(:'boss'), '0 0 0, 1 1 0', 'deleted; the manager sees it, outside the inbox');
SET LOCAL orchestration.managers_review = off;
SELECT is(pg_temp.sees(:'boss'), '0 0 0', 'not without the setting');

-- also in the middle of a statement that asks about one record again and again
SET LOCAL orchestration.user_id = :'boss';
SELECT is((SELECT string_agg(CASE WHEN set_config('orchestration.managers_review', (n % 2 = 0)::text, true) IS NOT NULL THEN CASE f WHEN 'submission' THEN orchestration_internal.submission_reviewed(:'submission')::text
    ELSE orchestration_internal.record_visible('ApprovalSubmission', :'submission')::text END END, ' ' ORDER BY n) FROM (SELECT f, n FROM generate_series(1, 4) n) x), 'false true false true', format('the setting counts at once for %s', f))
  FROM unnest('{submission,record}'::text[]) f;
SET LOCAL orchestration.user_id = '';
SET LOCAL orchestration.managers_review = off;

-- who may delegate whose approvals
CREATE FUNCTION pg_temp.may(who uuid, call text) RETURNS text LANGUAGE sql AS $$ SELECT pg_temp.try('SELECT orchestration.' || call, who) $$;
UPDATE orchestration.principal SET approval_admin = id = :'boss' WHERE id IN (:'open', :'boss', :'clerk');
SELECT is((SELECT string_agg(pg_temp.may(w, c), ' ' ORDER BY n, m) FROM unnest(ARRAY[:'clerk', :'open', :'boss']::uuid[]) WITH ORDINALITY u (w, n),
    unnest(ARRAY[format('set_delegated_approver(%L, %L)', :'clerk', :'open'), format('create_approval_delegation(%L, %L)', :'clerk', :'open'), format('set_manager(%L, %L)', :'clerk', :'open')]) WITH ORDINALITY s (c, m)),
    'ok ok 42501 42501 42501 42501 ok ok 42501', 'users delegate their own approvals, an administrator all; managers are nobody''s call');
SELECT is((SELECT string_agg(pg_temp.may(:'clerk', c), ' ' ORDER BY m) FROM unnest(ARRAY[format('set_delegated_approver(%L, %1$L)', :'clerk'), format('create_approval_delegation(%L, %1$L)', :'clerk'),
    format('create_approval_delegation(%L, %L)', :'clerk', gen_random_uuid()), format('create_approval_delegation(%L, %L, ''2020-01-01'')', :'clerk', :'open'), format('create_approval_delegation(%L, %L, ''infinity'')', :'clerk', :'open'),
    format('create_approval_delegation(%L, %L, NULL, repeat(''x'', 32001))', :'clerk', :'open'), format('set_delegated_approver(NULL, %L)', :'open')]) WITH ORDINALITY s (c, m)),
    'OR006 OR006 OR103 22023 22008 22001 22004', 'what cannot be delegated is refused');
SELECT throws_ok(format('SELECT orchestration.set_manager(%L, %L)', :'boss', :'clerk'), 'OR006', '"clerk" cannot be the manager of "boss", who is above "clerk"', 'managers form no circle');

-- an error names what the caller named, not what belongs to it
CREATE FUNCTION pg_temp.message(statement text, user_id uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text;
    detail text;
BEGIN
    PERFORM set_config('orchestration.user_id', user_id::text, true), set_config('role', 'regress_approval', true);
    EXECUTE statement;
    RAISE EXCEPTION 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN SQLERRM || detail;
END $$;
UPDATE orchestration.principal SET is_active = true, approval_admin = false, view_all_data = false, modify_all_data = id = pg_temp.id('mod'), manage_runs = false, reassign_work_items = false WHERE id IN (SELECT id FROM person);
DELETE FROM orchestration.share_grant;
DELETE FROM orchestration.owner_sharing_rule;
SELECT is((SELECT string_agg(replace(pg_temp.message(format(c.statement, i, i, i, i, t.id), :'open'), i::text, '<id>'), ', ' ORDER BY n, c.name) FROM call c, target t, unnest(ARRAY[:'submission', gen_random_uuid()]::uuid[]) WITH ORDINALITY x (i, n) WHERE c.name LIKE '%by submission'),
    'run <id> does not exist, run <id> does not exist', 'a submission that the caller does not see is like none');
SELECT is((SELECT string_agg(replace(pg_temp.message(format(c.statement, i, i, i, i, t.id), :'open'), i::text, '<id>'), ', ' ORDER BY n, c.name) FROM call c, target t, unnest(ARRAY[:'aitem', gen_random_uuid()]::uuid[]) WITH ORDINALITY x (i, n) WHERE c.name LIKE '%by approval work item'),
    'work item <id> does not exist, work item <id> does not exist, work item <id> does not exist, work item <id> does not exist', 'so is an approval work item');
UPDATE orchestration.work_item SET assignee_id = pg_temp.id('G') WHERE id = :'item';
DELETE FROM orchestration.membership WHERE member_id = pg_temp.id('shs');
INSERT INTO orchestration.share_grant (run_id, object, record_id, user_or_group_id, access_level) VALUES (:'run', 'ApprovalSubmission', :'submission', pg_temp.id('shs'), 'Read');
DELETE FROM orchestration.approval_delegation;
UPDATE orchestration.principal SET delegated_approver_id = NULL, manager_id = NULL WHERE id IN (SELECT id FROM person);
SELECT is((SELECT string_agg(regexp_replace(pg_temp.message(format(c.statement, r.run, r.item, r.aitem, r.submission, t.id), pg_temp.id('shs')), '[0-9a-f-]{36}', '<id>'), E'\n' ORDER BY c.name) FROM call c, rec r, target t WHERE c.name IN ('review', 'override', 'recall', 'cancel', 'reassign')),
    'user "shs" may not change the status of run <id>It needs Edit access to the run, or the permission Manage Orchestration Runs or Approval Admin.
user "shs" may not override work item <id>It needs the permission Approval Admin.
user "shs" may not reassign work item <id>It needs the permission Reassign Orchestration Work Items or Approval Admin.
user "shs" may not recall run <id>It needs to be the submitter, or the permission Approval Admin.
user "shs" may not finish work item <id>It needs an assignment to the user or to one of the user''s groups or queues, a delegation by the assignee or a member of it, with orchestration.managers_review also a place above one of these, or the permission Approval Admin.',
    'one that the caller sees is refused with what is needed');
SELECT is(pg_temp.may(pg_temp.id('shs'), format('set_delegated_approver(%L, %L)', pg_temp.id('ann'), pg_temp.id('shs'))), '42501', 'nobody becomes a delegate by asking');

-- sharing: that of the submission
SELECT is((SELECT string_agg(pg_temp.may(pg_temp.id('mod'), format(c, o)), ' ' ORDER BY o, n) FROM unnest('{ApprovalSubmission,ApprovalWorkItem}'::text[]) o,
    unnest(ARRAY['set_default_access(%L, ''Read'')', 'create_owner_sharing_rule(%L, ''' || pg_temp.id('G') || ''', ''' || pg_temp.id('str') || ''')',
                 'create_orchestration_sharing_rule(''Approval_Access'', ''' || pg_temp.id('str') || ''', ''Read'', ARRAY[%L]::orchestration.shared_object[])']) WITH ORDINALITY x (c, n)),
    'ok ok ok OR403 OR403 OR403', 'approval work items have no sharing of their own');
SELECT is(pg_temp.sees(pg_temp.id('str')), '0 0 0', 'not shared');
SELECT orchestration.create_orchestration_sharing_rule('Approval_Access', pg_temp.id('str'), 'Read', '{ApprovalSubmission}');
SELECT is(pg_temp.sees(pg_temp.id('str')), '0 1 0', 'a rule shows the submission, not the work item');
SELECT is(pg_temp.explained(false), NULL, 'and is explained');

-- assignment gives no access to the record
CREATE TABLE approval_access_doc (id integer PRIMARY KEY);
INSERT INTO approval_access_doc VALUES (1);
SELECT orchestration.register_record_type('Approval_Access_Doc', 'approval_access_doc');
SELECT orchestration.add_group_member(pg_temp.id('G'), :'open');
SELECT orchestration.start_orchestration('Approval_Access', '1', '{"submitter": "approval-sub"}') AS about \gset
UPDATE orchestration.work_item SET assignee_id = :'open' WHERE run_id = :'about';
SELECT is(pg_temp.try('SELECT 1 FROM approval_access_doc', :'open') || ' ' || pg_temp.try(format('SELECT 1 FROM orchestration.my_work_items() WHERE run_id = %L', :'about'), :'open') || ' ' || (SELECT triggering_record_id FROM orchestration.run WHERE id = :'about'), '42501 ok 1', 'an assignee need not see the record');

-- an index finds the approvals that one may answer for another user
SELECT orchestration.set_delegated_approver(:'clerk', :'open');
UPDATE orchestration.work_item SET assignee_id = :'clerk' WHERE id = :'item';
CREATE FUNCTION pg_temp.plan_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    result text := '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
        result := result || line || E'\n';
    END LOOP;
    RETURN result;
END $$;
SET LOCAL enable_seqscan = off;
SELECT set_config('orchestration.user_id', :'open', true);
SET LOCAL ROLE regress_approval;
SELECT pg_temp.plan_of('SELECT id FROM orchestration.work_item') AS found \gset
SELECT string_agg(pg_temp.plan_of('SELECT id FROM orchestration.' || t), '') AS found_submissions FROM unnest('{submission,submission_item,submission_detail}'::text[]) t \gset
RESET ROLE;
RESET orchestration.user_id;
RESET enable_seqscan;
SELECT ok(:'found' ~ 'Bitmap Index Scan on work_item_assignee_idx\s+Index Cond: \(assignee_id = ANY \(orchestration_internal.reviewed_principal_ids\(\)\)\)', 'an index finds the approvals that one may answer for another user');
SELECT is((SELECT count(*) FROM regexp_matches(:'found_submissions', 'Index Cond: \(\w+ = ANY \(orchestration_internal.reviewed_submission_ids\(\)\)\)', 'g')), 3::bigint, 'and the submissions about which the caller was asked');

-- a tombstone is for those who saw the record
SELECT orchestration.set_delegated_approver(pg_temp.id('ann'), pg_temp.id('del'));
UPDATE orchestration.work_item SET assignee_id = pg_temp.id('G') WHERE id = :'item';
UPDATE orchestration.run SET status = 'Canceled' WHERE id = :'run';
CREATE TEMP TABLE saw AS SELECT o.name, (o.item_level > 0)::integer || ' ' || (o.submission_level > 0)::integer || ' ' || (o.submission_level > 0)::integer AS expected, NULL::text AS got FROM pg_temp.oracle(false) o;
DELETE FROM orchestration.run WHERE id = :'run';
CREATE FUNCTION pg_temp.sees_tombstones(who uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    PERFORM set_config('orchestration.user_id', who::text, true), set_config('role', 'regress_approval', true);
    SELECT string_agg((SELECT count(*) FROM orchestration.tombstone t WHERE t.id = x.id)::text, ' ' ORDER BY n) INTO result FROM rec r, unnest(ARRAY[r.item, r.submission, r.aitem]) WITH ORDINALITY x (id, n);
    SET LOCAL ROLE NONE;
    SET LOCAL orchestration.user_id = '';
    RETURN result;
END $$;
GRANT SELECT ON rec TO regress_approval;
UPDATE saw SET got = pg_temp.sees_tombstones(pg_temp.id(name));
SELECT is((SELECT string_agg(name || ' expected ' || expected || ', got ' || got, E'\n') FROM saw WHERE expected <> got), NULL, 'a tombstone is seen by those who saw the record');
SELECT finish();
ROLLBACK;
