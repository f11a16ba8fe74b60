-- verify: every invariant of the records as a query that finds its violations.
--
-- This judges independently of the guard (src/guard/guard_check.c), so it repeats its
-- rules on purpose.
--
-- verify() runs as its owner: a role with EXECUTE sees all violations.  It reads all
-- rows, so tables are joined by hash or merge: with old statistics the planner would
-- choose nested loops and read one table for each row of another.

CREATE TYPE orchestration.violation AS (
    invariant text,
    object text,
    run_id uuid,
    id uuid,
    detail text);
COMMENT ON TYPE orchestration.violation IS
    'A violated invariant, of verify()';

CREATE FUNCTION orchestration.verify()
    RETURNS SETOF orchestration.violation
    LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET enable_nestloop = off SET jit = off
AS $$
    WITH log_of_run AS MATERIALIZED (
        SELECT g.run_id,
               count(*) FILTER (WHERE g.kind = 'StartInstance') AS started,
               count(*) FILTER (WHERE g.kind = 'EndInstance') AS ended,
               count(*) FILTER (WHERE g.kind = 'CancelInstance') AS canceled,
               count(*) FILTER (WHERE g.kind IN ('FailInstance', 'SuspendInstance')) AS stopped,
               count(*) FILTER (WHERE g.kind = 'ResumeInstance') AS resumed,
               count(DISTINCT g.stage_run_id) FILTER (WHERE g.kind = 'StartStage') AS stages_started,
               count(*) FILTER (WHERE g.kind = 'EndStage') AS stages_ended,
               count(DISTINCT g.step_run_id) FILTER (WHERE g.kind = 'StartStep') AS steps_started,
               count(DISTINCT g.step_run_id) FILTER (WHERE g.kind = 'EndStep') AS steps_ended
          FROM orchestration.run_log g
         GROUP BY g.run_id),
    -- none of their lookups leads anywhere: one row says so
    lost AS MATERIALIZED (
        SELECT t.name FROM orchestration.record_type t
         WHERE orchestration_internal.record_type_problem(t.name) IS NOT NULL)
    -- contract/neighbours.csv
    SELECT 'stage beside run', 'stage', s.run_id, s.id,
           format('stage %s in run %s', s.status, r.status)
      FROM orchestration.stage_run s
      JOIN orchestration.run r ON r.id = s.run_id
     WHERE NOT EXISTS (SELECT FROM orchestration.legal_neighbours() n
                        WHERE n.child = 'stage' AND n.parent_status = r.status::text
                          AND n.child_status = s.status::text)
    UNION ALL
    SELECT 'step beside stage', 'step', t.run_id, t.id,
           format('step %s in stage %s in run %s', t.status, s.status, r.status)
      FROM orchestration.step_run t
      JOIN orchestration.stage_run s ON s.run_id = t.run_id AND s.id = t.stage_run_id
      JOIN orchestration.run r ON r.id = t.run_id
     WHERE NOT EXISTS (SELECT FROM orchestration.legal_neighbours() n
                        WHERE n.child = 'step' AND n.parent_status = s.status::text
                          AND n.child_status = t.status::text)
        OR (s.status = 'InProgress' AND t.status = 'Discontinued' AND r.status <> 'Error')
    UNION ALL
    SELECT 'work item beside step', 'work item', w.run_id, w.id,
           format('work item %s of %s %s', w.status, t.step_type, t.status)
      FROM orchestration.work_item w
      JOIN orchestration.step_run t ON t.run_id = w.run_id AND t.id = w.step_run_id
     WHERE t.step_type <> 'InteractiveStep'
        OR NOT EXISTS (SELECT FROM orchestration.legal_neighbours() n
                        WHERE n.child = 'work_item' AND n.parent_status = t.status::text
                          AND n.child_status = w.status::text)
    UNION ALL
    SELECT 'recalled run', 'stage', s.run_id, s.id, format('stage %s in run %s', s.status, r.status)
      FROM orchestration.stage_run s
      JOIN orchestration.run r ON r.id = s.run_id
     WHERE s.status = 'Discontinued' AND r.status IN ('InProgress', 'Suspended')
       AND NOT EXISTS (SELECT FROM orchestration.submission b
                        WHERE b.run_id = r.id AND b.status = 'Recalled')
    UNION ALL
    SELECT 'submission beside run', 'approval submission', b.run_id, b.id,
           format('submission %s of run %s', b.status, r.status)
      FROM orchestration.submission b
      JOIN orchestration.run r ON r.id = b.run_id
     WHERE NOT r.is_approval
        OR NOT EXISTS (SELECT FROM orchestration.legal_neighbours() n
                        WHERE n.child = 'approval_submission' AND n.parent_status = r.status::text
                          AND n.child_status = b.status::text)
    UNION ALL
    SELECT 'approval has a submission', 'run', r.id, r.id, r.name
      FROM orchestration.run r
     WHERE r.is_approval
       AND NOT EXISTS (SELECT FROM orchestration.submission b WHERE b.run_id = r.id)
    UNION ALL
    SELECT 'rejected by a work item', 'approval submission', b.run_id, b.id, b.status::text
      FROM orchestration.submission b
     WHERE b.status IN ('Approved', 'Rejected')
       AND (b.status = 'Rejected') IS DISTINCT FROM
           EXISTS (SELECT FROM orchestration.submission_item a
                    WHERE a.run_id = b.run_id AND a.status = 'Rejected')
    UNION ALL
    SELECT 'approval work item beside submission', 'approval work item', a.run_id, a.id,
           format('approval work item %s of submission %s', a.status, b.status)
      FROM orchestration.submission_item a
      JOIN orchestration.submission b ON b.run_id = a.run_id AND b.id = a.submission_id
     WHERE a.owner_id IS DISTINCT FROM b.owner_id
        OR a.orchestration_id IS DISTINCT FROM b.orchestration_id
        OR NOT EXISTS (SELECT FROM orchestration.legal_neighbours() n
                        WHERE n.child = 'approval_work_item' AND n.parent_status = b.status::text
                          AND n.child_status = a.status::text)
    UNION ALL
    SELECT 'detail beside submission', 'approval submission detail', d.run_id, d.id, NULL
      FROM orchestration.submission_detail d
      JOIN orchestration.submission b ON b.run_id = d.run_id AND b.id = d.submission_id
     WHERE d.owner_id IS DISTINCT FROM b.owner_id
        OR d.orchestration_id IS DISTINCT FROM b.orchestration_id
    UNION ALL
    SELECT 'approval work item beside work item', 'approval work item', a.run_id, a.id,
           format('approval work item %s of work item %s', a.status, w.status)
      FROM orchestration.submission_item a
      JOIN orchestration.work_item w ON w.run_id = a.run_id AND w.id = a.work_item_id
     WHERE NOT w.is_approval OR (a.status = 'Assigned') <> (w.status = 'Assigned')
        OR (a.status = 'Assigned' AND a.assigned_to <> w.assignee_id)
    UNION ALL
    SELECT 'approval has an approval work item', 'work item', w.run_id, w.id, w.name
      FROM orchestration.work_item w
     WHERE w.is_approval
       AND NOT EXISTS (SELECT FROM orchestration.submission_item a
                        WHERE a.run_id = w.run_id AND a.work_item_id = w.id)
    -- unanimous approvals: a parent is open as long as a member is, and one rejection closes all
    UNION ALL
    SELECT 'parent work item beside members', 'work item', w.run_id, w.id,
           format('%s, %s members, %s Assigned, %s rejected', w.status, m.members, m.assigned, m.rejected)
      FROM orchestration.work_item w
      JOIN (SELECT w.run_id, w.id, count(v.id) AS members,
                   count(DISTINCT v.assignee_id) AS users,
                   count(*) FILTER (WHERE v.status = 'Assigned') AS assigned,
                   count(*) FILTER (WHERE a.status = 'Rejected') AS rejected
              FROM orchestration.work_item w
              LEFT JOIN orchestration.work_item v ON v.run_id = w.run_id AND v.parent_id = w.id
              LEFT JOIN orchestration.submission_item a ON a.run_id = v.run_id AND a.work_item_id = v.id
             WHERE w.is_parent
             GROUP BY w.run_id, w.id) m ON m.run_id = w.run_id AND m.id = w.id
     WHERE m.members = 0 OR m.users < m.members
        OR (w.status = 'Assigned') <> (m.assigned > 0)
        OR (m.assigned > 0 AND m.rejected > 0)
        OR m.rejected > 1
    UNION ALL
    SELECT 'member of a unanimous approval', 'work item', v.run_id, v.id, v.name
      FROM orchestration.work_item v
      LEFT JOIN orchestration.work_item w ON w.run_id = v.run_id AND w.id = v.parent_id
      LEFT JOIN orchestration.principal p ON p.id = v.assignee_id
     WHERE v.parent_id IS NOT NULL
       AND (w.is_parent AND w.step_run_id = v.step_run_id AND p.kind = 'User') IS NOT TRUE
    -- foreign keys are triggers: a DELETE while they were disabled left these rows
    UNION ALL
    SELECT 'parent exists', x.object, x.run_id, x.id, NULL
      FROM (SELECT 'stage' AS object, s.run_id, s.id FROM orchestration.stage_run s
             WHERE NOT EXISTS (SELECT FROM orchestration.run r WHERE r.id = s.run_id)
            UNION ALL
            SELECT 'step', t.run_id, t.id FROM orchestration.step_run t
             WHERE NOT EXISTS (SELECT FROM orchestration.stage_run s
                                WHERE s.run_id = t.run_id AND s.id = t.stage_run_id)
            UNION ALL
            SELECT 'work item', w.run_id, w.id FROM orchestration.work_item w
             WHERE NOT EXISTS (SELECT FROM orchestration.step_run t
                                WHERE t.run_id = w.run_id AND t.id = w.step_run_id)
            UNION ALL
            SELECT 'queued step', q.run_id, q.step_run_id FROM orchestration.step_queue q
             WHERE NOT EXISTS (SELECT FROM orchestration.step_run t
                                WHERE t.run_id = q.run_id AND t.id = q.step_run_id)
            UNION ALL
            SELECT 'approval submission', b.run_id, b.id FROM orchestration.submission b
             WHERE NOT EXISTS (SELECT FROM orchestration.run r WHERE r.id = b.run_id)
            UNION ALL
            SELECT 'approval work item', a.run_id, a.id FROM orchestration.submission_item a
             WHERE NOT EXISTS (SELECT FROM orchestration.submission b
                                WHERE b.run_id = a.run_id AND b.id = a.submission_id)
                OR NOT EXISTS (SELECT FROM orchestration.work_item w
                                WHERE w.run_id = a.run_id AND w.id = a.work_item_id)
            UNION ALL
            SELECT 'approval submission detail', d.run_id, d.id FROM orchestration.submission_detail d
             WHERE NOT EXISTS (SELECT FROM orchestration.submission b
                                WHERE b.run_id = d.run_id AND b.id = d.submission_id)
            UNION ALL
            SELECT 'message', m.run_id, m.id FROM orchestration.message m
             WHERE NOT EXISTS (SELECT FROM orchestration.run r WHERE r.id = m.run_id)
                OR m.work_item_id IS NOT NULL
               AND NOT EXISTS (SELECT FROM orchestration.work_item w
                                WHERE w.run_id = m.run_id AND w.id = m.work_item_id)
            UNION ALL
            SELECT 'message of a step', m.run_id, m.step_run_id FROM orchestration.step_message m
             WHERE NOT EXISTS (SELECT FROM orchestration.step_run t
                                WHERE t.run_id = m.run_id AND t.id = m.step_run_id)
            UNION ALL
            SELECT 'reminder', e.run_id, e.work_item_id FROM orchestration.reminder e
             WHERE NOT EXISTS (SELECT FROM orchestration.work_item w
                                WHERE w.run_id = e.run_id AND w.id = e.work_item_id)
            UNION ALL
            SELECT 'log', l.run_id, NULL::uuid FROM log_of_run l
             WHERE NOT EXISTS (SELECT FROM orchestration.run r WHERE r.id = l.run_id)) x
    -- contract/lifecycle.md, "Structure"
    UNION ALL
    SELECT 'one open stage', 'run', s.run_id, s.run_id,
           format('%s open stages', count(*))
      FROM orchestration.stage_run s
     WHERE s.status IN ('InProgress', 'Suspended')
     GROUP BY s.run_id HAVING count(*) > 1
    UNION ALL
    SELECT 'positions of stages', 'run', s.run_id, s.run_id,
           format('%s stages, positions %s to %s', count(*), min(s.position), max(s.position))
      FROM orchestration.stage_run s
      JOIN orchestration.run r ON r.id = s.run_id
     GROUP BY s.run_id, r.version_id
    HAVING count(DISTINCT s.position) <> count(*)
        OR (r.version_id IS NOT NULL AND max(s.position) <> count(*))
    -- a run that the engine moves is always in a stage, and something can move it on
    UNION ALL
    SELECT 'run in progress has an open stage', 'run', r.id, r.id, r.name
      FROM orchestration.run r
     WHERE r.status = 'InProgress' AND r.version_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM orchestration.stage_run s
                        WHERE s.run_id = r.id AND s.status = 'InProgress')
    UNION ALL
    SELECT 'current stage', 'run', r.id, r.id,
           format('current_stage %s, open stage %s', r.current_stage, s.name)
      FROM orchestration.run r
      JOIN orchestration.stage_run s
        ON s.run_id = r.id AND s.status IN ('InProgress', 'Suspended')
     WHERE r.version_id IS NOT NULL AND r.current_stage IS DISTINCT FROM s.name
    UNION ALL
    SELECT 'stage whose steps are done completes', 'stage', s.run_id, s.id, s.name
      FROM orchestration.stage_run s
      JOIN orchestration.run r ON r.id = s.run_id
     WHERE s.status = 'InProgress' AND r.status = 'InProgress' AND r.version_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM orchestration.step_run t
                        WHERE t.run_id = s.run_id AND t.stage_run_id = s.id
                          AND t.status <> 'Completed')
       AND NOT orchestration_internal.completes_by_condition(r.version_id, s.name)
    UNION ALL
    SELECT 'step in progress waits for somebody', 'step', t.run_id, t.id,
           format('%s %s', t.step_type, t.name)
      FROM orchestration.step_run t
      JOIN orchestration.run r ON r.id = t.run_id
     WHERE t.status = 'InProgress' AND t.pending IS NULL
       AND r.status IN ('InProgress', 'Suspended') AND r.version_id IS NOT NULL
       AND CASE t.step_type
               WHEN 'InteractiveStep' THEN
                   NOT EXISTS (SELECT FROM orchestration.work_item w
                                WHERE w.run_id = t.run_id AND w.step_run_id = t.id
                                  AND w.status = 'Assigned')
                   AND NOT orchestration_internal.completes_by_condition(r.version_id, t.name)
               WHEN 'AynchronousBackgroundStep' THEN
                   NOT EXISTS (SELECT FROM orchestration.step_queue q
                                WHERE q.run_id = t.run_id AND q.step_run_id = t.id)
               ELSE true
           END
    UNION ALL
    SELECT 'queued step can be worked on', 'step', q.run_id, q.step_run_id,
           format('%s %s in run %s', t.step_type, t.status, r.status)
      FROM orchestration.step_queue q
      JOIN orchestration.step_run t ON t.run_id = q.run_id AND t.id = q.step_run_id
      JOIN orchestration.run r ON r.id = q.run_id
     WHERE t.step_type <> 'AynchronousBackgroundStep'
        OR NOT (t.status = 'InProgress'
                OR (t.status = 'Discontinued' AND r.status = 'Error'))
    UNION ALL
    SELECT 'pending outcome waits for its run', 'step', t.run_id, t.id,
           format('step %s in run %s', t.status, r.status)
      FROM orchestration.step_run t
      JOIN orchestration.run r ON r.id = t.run_id
     WHERE t.pending IS NOT NULL AND r.status = 'InProgress'
    -- log against state; imported runs have no StartInstance
    UNION ALL
    SELECT 'log against run', 'run', l.run_id, l.run_id,
           format('run %s, log: %s started, %s ended, %s canceled, %s stopped, %s resumed',
                  r.status, l.started, l.ended, l.canceled, l.stopped, l.resumed)
      FROM log_of_run l
      JOIN orchestration.run r ON r.id = l.run_id
     WHERE l.started = 1
       AND (l.ended <> (r.status = 'Completed')::integer
            OR l.canceled <> (r.status = 'Canceled')::integer
            OR (r.status <> 'Canceled'
                AND l.stopped - l.resumed <> (r.status IN ('Error', 'Suspended'))::integer)
            OR l.stopped - l.resumed NOT IN (0, 1))
    UNION ALL
    SELECT 'log against stages', 'run', l.run_id, l.run_id,
           format('%s stages, %s StartStage without a resume, %s EndStage of %s Completed',
                  c.stages, l.stages_started, l.stages_ended, c.completed)
      FROM log_of_run l
      JOIN (SELECT s.run_id, count(*) AS stages,
                   count(*) FILTER (WHERE s.status = 'Completed') AS completed
              FROM orchestration.stage_run s
             GROUP BY s.run_id) c ON c.run_id = l.run_id
     WHERE l.started = 1 AND (l.stages_started <> c.stages OR l.stages_ended < c.completed)
    UNION ALL
    SELECT 'log against steps', 'run', l.run_id, l.run_id,
           format('%s steps started, %s StartStep, %s EndStep of %s Completed',
                  c.started, l.steps_started, l.steps_ended, c.completed)
      FROM log_of_run l
      JOIN (SELECT t.run_id, count(t.started_at) AS started,
                   count(*) FILTER (WHERE t.status = 'Completed') AS completed
              FROM orchestration.step_run t
             GROUP BY t.run_id) c ON c.run_id = l.run_id
     WHERE l.started = 1 AND (l.steps_started < c.started OR l.steps_ended < c.completed)
    -- the log of a run that entered its first stage has its start too
    UNION ALL
    SELECT 'log against run', 'run', g.run_id, g.run_id, 'StartStage, but no StartInstance'
      FROM orchestration.run_log g
      JOIN orchestration.stage_run s ON s.run_id = g.run_id AND s.id = g.stage_run_id AND s.position = 1
      JOIN log_of_run l ON l.run_id = g.run_id
     WHERE g.kind = 'StartStage' AND l.started = 0
    -- references that have no foreign key
    UNION ALL
    SELECT 'version exists', 'run', r.id, r.id, r.version_id::text
      FROM orchestration.run r
     WHERE r.version_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM orchestration.orchestration_version v
                        WHERE v.id = r.version_id)
    UNION ALL
    SELECT 'owner exists', x.object, x.run_id, x.id, x.owner_id::text
      FROM (SELECT 'run' AS object, r.id AS run_id, r.id, r.owner_id FROM orchestration.run r
            UNION ALL
            SELECT 'stage', s.run_id, s.id, s.owner_id FROM orchestration.stage_run s
            UNION ALL
            SELECT 'step', t.run_id, t.id, t.owner_id FROM orchestration.step_run t
            UNION ALL
            SELECT 'work item', w.run_id, w.id, w.owner_id FROM orchestration.work_item w
            UNION ALL
            SELECT 'approval submission', b.run_id, b.id, b.owner_id FROM orchestration.submission b) x
     WHERE NOT EXISTS (SELECT FROM orchestration.principal p WHERE p.id = x.owner_id)
    UNION ALL
    SELECT 'active version exists', 'orchestration', NULL, d.id,
           format('%s version %s', d.name, d.active_version)
      FROM orchestration.orchestration_definition d
     WHERE d.active_version IS NOT NULL
       AND NOT EXISTS (SELECT FROM orchestration.orchestration_version v
                        WHERE v.orchestration_id = d.id AND v.version = d.active_version)
    UNION ALL
    SELECT 'record exists', 'run', r.id, r.id,
           format('%s %s', r.triggering_record_type, r.triggering_record_id)
      FROM orchestration.run r
     WHERE r.triggering_record_id IS NOT NULL
       AND r.triggering_record_type NOT IN (SELECT name FROM lost)
       AND orchestration.record_key(r.triggering_record_type, r.triggering_record_id)
           IS DISTINCT FROM r.triggering_record_id
    UNION ALL
    SELECT 'record exists', 'work item', w.run_id, w.id,
           format('%s %s', w.related_record_type, w.related_record_id)
      FROM orchestration.work_item w
     WHERE w.related_record_id IS NOT NULL
       AND w.related_record_type NOT IN (SELECT name FROM lost)
       AND orchestration.record_key(w.related_record_type, w.related_record_id)
           IS DISTINCT FROM w.related_record_id
    -- sharing
    UNION ALL
    SELECT 'orchestration of its version', 'run', r.id, r.id, r.orchestration_id::text
      FROM orchestration.run r
      LEFT JOIN orchestration.orchestration_version v ON v.id = r.version_id
     WHERE r.version_id IS NOT NULL AND r.orchestration_id IS DISTINCT FROM v.orchestration_id
    UNION ALL
    SELECT 'orchestration of its run', x.object, x.run_id, x.id, x.orchestration_id::text
      FROM (SELECT 'stage' AS object, s.run_id, s.id, s.orchestration_id FROM orchestration.stage_run s
            UNION ALL
            SELECT 'step', t.run_id, t.id, t.orchestration_id FROM orchestration.step_run t
            UNION ALL
            SELECT 'work item', w.run_id, w.id, w.orchestration_id FROM orchestration.work_item w
            UNION ALL
            SELECT 'approval submission', b.run_id, b.id, b.orchestration_id FROM orchestration.submission b) x
      JOIN orchestration.run r ON r.id = x.run_id
     WHERE x.orchestration_id IS DISTINCT FROM r.orchestration_id
    UNION ALL
    SELECT 'share of a record', 'share', g.run_id, g.id, format('%s %s', g.object, g.record_id)
      FROM orchestration.share_grant g
     WHERE NOT EXISTS (SELECT FROM orchestration.run r
                        WHERE g.object = 'FlowOrchestrationInstance'
                          AND r.id = g.record_id AND r.id = g.run_id)
       AND NOT EXISTS (SELECT FROM orchestration.stage_run s
                        WHERE g.object = 'FlowOrchestrationStageInstance'
                          AND s.id = g.record_id AND s.run_id = g.run_id)
       AND NOT EXISTS (SELECT FROM orchestration.step_run t
                        WHERE g.object = 'FlowOrchestrationStepInstance'
                          AND t.id = g.record_id AND t.run_id = g.run_id)
       AND NOT EXISTS (SELECT FROM orchestration.work_item w
                        WHERE g.object = 'FlowOrchestrationWorkItem'
                          AND w.id = g.record_id AND w.run_id = g.run_id)
       AND NOT EXISTS (SELECT FROM orchestration.submission b
                        WHERE g.object = 'ApprovalSubmission'
                          AND b.id = g.record_id AND b.run_id = g.run_id)
    UNION ALL
    SELECT 'grantee exists', x.object, x.run_id, x.id, x.user_or_group_id::text
      FROM (SELECT 'share' AS object, g.run_id, g.id, g.user_or_group_id FROM orchestration.share_grant g
            UNION ALL
            SELECT 'rule', NULL, u.id, u.user_or_group_id FROM orchestration.owner_sharing_rule u) x
     WHERE NOT EXISTS (SELECT FROM orchestration.principal p WHERE p.id = x.user_or_group_id)
    UNION ALL
    SELECT 'source of a rule exists', 'rule', NULL, u.id,
           COALESCE(u.group_id, u.orchestration_id)::text
      FROM orchestration.owner_sharing_rule u
     WHERE NOT EXISTS (SELECT FROM orchestration.principal p
                        WHERE p.id = u.group_id AND p.kind <> 'User')
       AND NOT EXISTS (SELECT FROM orchestration.orchestration_definition d
                        WHERE d.id = u.orchestration_id)
    UNION ALL
    SELECT 'kinds of a membership', 'membership', NULL, m.member_id, format('in %s', m.group_id)
      FROM orchestration.membership m
      LEFT JOIN orchestration.principal g ON g.id = m.group_id
      LEFT JOIN orchestration.principal p ON p.id = m.member_id
     WHERE (g.kind <> 'User' AND p.kind <> 'Queue' AND p.kind = m.member_kind) IS NOT TRUE
    UNION ALL
    SELECT 'no group in itself', 'membership', NULL, x.id, NULL
      FROM (WITH RECURSIVE above (id, group_id) AS (
                SELECT m.member_id, m.group_id FROM orchestration.membership m
                 WHERE m.member_kind = 'Group'
                UNION
                SELECT a.id, m.group_id FROM above a
                  JOIN orchestration.membership m ON m.member_id = a.group_id)
            SELECT a.id FROM above a WHERE a.id = a.group_id) x
    -- rows that belong to records without a foreign key to them
    UNION ALL
    SELECT 'record exists', x.kind, x.run_id, x.id, format('%s %s', x.object, x.record_id)
      FROM (SELECT 'history' AS kind, c.run_id, c.id, c.object, c.record_id FROM orchestration.field_change c
            UNION ALL
            SELECT 'feed item', f.run_id, f.id, f.object, f.record_id FROM orchestration.feed_item f
            UNION ALL
            SELECT 'view of a record', v.run_id, v.user_id, v.object, v.record_id FROM orchestration.record_view v) x
     WHERE NOT EXISTS (SELECT FROM orchestration.run r
                        WHERE x.object = 'FlowOrchestrationInstance'
                          AND r.id = x.record_id AND r.id = x.run_id)
       AND NOT EXISTS (SELECT FROM orchestration.stage_run s
                        WHERE x.object = 'FlowOrchestrationStageInstance'
                          AND s.id = x.record_id AND s.run_id = x.run_id)
       AND NOT EXISTS (SELECT FROM orchestration.step_run t
                        WHERE x.object = 'FlowOrchestrationStepInstance'
                          AND t.id = x.record_id AND t.run_id = x.run_id)
       AND NOT EXISTS (SELECT FROM orchestration.work_item w
                        WHERE x.object = 'FlowOrchestrationWorkItem'
                          AND w.id = x.record_id AND w.run_id = x.run_id)
       AND NOT EXISTS (SELECT FROM orchestration.submission b
                        WHERE x.object = 'ApprovalSubmission'
                          AND b.id = x.record_id AND b.run_id = x.run_id)
       AND NOT EXISTS (SELECT FROM orchestration.submission_item a
                        WHERE x.object = 'ApprovalWorkItem'
                          AND a.id = x.record_id AND a.run_id = x.run_id)
    UNION ALL
    SELECT 'record of a feed item', x.kind, x.run_id, x.id, NULL
      FROM (SELECT 'comment' AS kind, c.run_id, c.id, c.feed_item_id, c.object, c.record_id FROM orchestration.feed_comment c
            UNION ALL
            SELECT 'like', l.run_id, l.user_id, l.feed_item_id, l.object, l.record_id FROM orchestration.feed_like l
            UNION ALL
            SELECT 'tracked change', h.run_id, h.feed_item_id, h.feed_item_id, h.object, h.record_id FROM orchestration.feed_tracked_change h) x
     WHERE NOT EXISTS (SELECT FROM orchestration.feed_item f
                        WHERE f.run_id = x.run_id AND f.id = x.feed_item_id
                          AND f.object = x.object AND f.record_id = x.record_id)
    UNION ALL
    SELECT 'counts of a feed item', 'feed item', f.run_id, f.id,
           format('%s comments, %s likes', f.comment_count, f.like_count)
      FROM orchestration.feed_item f
     WHERE f.comment_count <> (SELECT count(*) FROM orchestration.feed_comment c
                                WHERE c.run_id = f.run_id AND c.feed_item_id = f.id)
        OR f.like_count <> (SELECT count(*) FROM orchestration.feed_like l
                             WHERE l.run_id = f.run_id AND l.feed_item_id = f.id)
    -- without its triggers, changes of a registered table start no runs
    UNION ALL
    SELECT 'triggers of a record type', 'record type', NULL, NULL, format('%s %s', t.name, c.oid::regclass)
      FROM orchestration.record_type t
     CROSS JOIN LATERAL (SELECT orchestration_internal.record_type_table(t.name) AS oid) c
     WHERE c.oid IS NOT NULL
       AND (SELECT count(*) FROM pg_catalog.pg_trigger g
             WHERE g.tgrelid = c.oid AND g.tgenabled <> 'D'
               AND g.tgfoid IN ('orchestration_internal.record_change()'::pg_catalog.regprocedure,
                                'orchestration_internal.record_changes()'::pg_catalog.regprocedure)) < 3
    -- tables of users change
    UNION ALL
    SELECT CASE WHEN p.orchestration IS NULL THEN 'record type without a table'
                ELSE 'fields that an orchestration reads' END,
           CASE WHEN p.orchestration IS NULL THEN 'record type' ELSE 'orchestration' END,
           NULL, NULL, p.problem
      FROM orchestration.record_type_problems() p
      JOIN orchestration.record_type t ON t.name = p.record_type
    -- open_run is maintained by triggers of run; rebuild_open_runs() mends it
    UNION ALL
    SELECT 'open run is listed', 'run', COALESCE(r.id, o.run_id), COALESCE(r.id, o.run_id),
           CASE WHEN r.id IS NULL THEN 'open_run has a run that is not open'
                WHEN o.run_id IS NULL THEN format('open_run does not have run %s, which is %s', r.name, r.status)
                ELSE format('open_run says %s of run %s, which is %s', o.status, r.name, r.status) END
      FROM (SELECT * FROM orchestration.run WHERE status NOT IN ('Completed', 'Canceled')) r
      FULL JOIN orchestration_internal.open_run o ON o.run_id = r.id AND o.created_at = r.created_at
     WHERE r.id IS NULL OR o.run_id IS NULL OR o.status <> r.status
        OR o.orchestration_id IS DISTINCT FROM r.orchestration_id
    -- without these triggers, sessions of a replica would keep old rows in memory
    UNION ALL
    SELECT 'caches are dropped for replicated rows', 'trigger', NULL, NULL, format('%s on %s', g.tgname, g.tgrelid::regclass)
      FROM pg_catalog.pg_trigger g
     WHERE g.tgfoid = 'orchestration_internal.invalidate_cache()'::pg_catalog.regprocedure AND g.tgenabled <> 'A'
    -- a record with a tombstone no longer exists
    UNION ALL
    SELECT 'tombstone of what is there', t.object, t.run_id, t.id, NULL
      FROM orchestration.tombstone t
      JOIN (SELECT r.id FROM orchestration.run r
            UNION ALL SELECT s.id FROM orchestration.stage_run s
            UNION ALL SELECT p.id FROM orchestration.step_run p
            UNION ALL SELECT w.id FROM orchestration.work_item w
            UNION ALL SELECT b.id FROM orchestration.submission b
            UNION ALL SELECT a.id FROM orchestration.submission_item a
            UNION ALL SELECT d.id FROM orchestration.submission_detail d
            UNION ALL SELECT f.id FROM orchestration.feed_item f
            UNION ALL SELECT c.id FROM orchestration.field_change c
            UNION ALL SELECT u.id FROM orchestration.owner_sharing_rule u) x ON x.id = t.id
$$;
COMMENT ON FUNCTION orchestration.verify() IS
    'Returns one row per violated invariant of the records; no rows: the records are consistent';
