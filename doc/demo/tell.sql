-- tell.sql: the players of the demo: who completes what waits, and the teller.

CREATE SCHEMA demo;
CREATE TABLE demo.told (number bigint NOT NULL);
INSERT INTO demo.told VALUES (0);
CREATE TABLE demo.answer (step_name text, nth integer, outputs jsonb);

-- the name of a user by username
CREATE FUNCTION demo.called(actor text) RETURNS text LANGUAGE sql AS $$
    SELECT COALESCE((SELECT p.name FROM orchestration.principal p WHERE p.username = actor), actor)
$$;

-- tells the milestones that are new
CREATE PROCEDURE demo.tell() LANGUAGE plpgsql AS $$
DECLARE
    entry record;
BEGIN
    FOR entry IN SELECT g.number, l.* FROM orchestration.run_log g
                   JOIN orchestration.flow_orchestration_log l ON l.name = 'OL-' || lpad(g.number::text, 8, '0')
                  WHERE g.number > (SELECT number FROM demo.told) ORDER BY g.number LOOP
        RAISE NOTICE '%', rtrim(format('  %-16s %-44s %s', entry.kind,
            COALESCE(entry.stage_name || COALESCE(' / ' || entry.step_name, ''), entry.orchestration_name),
            CASE WHEN entry.kind = 'StartWorkItem' THEN 'for ' || entry.assignee
                 WHEN entry.kind = 'EndWorkItem' THEN 'by ' || demo.called(entry.actor)
                      || COALESCE(': "' || entry.comments || '"', '') END));
        UPDATE demo.told SET number = entry.number;
    END LOOP;
END
$$;

-- what a step answers the nth time
CREATE FUNCTION demo.answer(step text, run uuid) RETURNS jsonb LANGUAGE sql AS $$
    SELECT COALESCE(
        (SELECT a.outputs FROM demo.answer a
          WHERE a.step_name = step
            AND a.nth <= (SELECT count(*) FROM orchestration.step_run s WHERE s.run_id = run AND s.name = step)
          ORDER BY a.nth DESC LIMIT 1),
        '{"selectedAction": "Approve", "specifiedComments": "Looks good"}')
$$;

-- what else could lead the run on; prepare.sql knows more
CREATE FUNCTION demo.unstick(run uuid) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;

-- every user completes the waiting items, one per transaction
CREATE PROCEDURE demo.play() LANGUAGE plpgsql AS $$
DECLARE
    item record;
    claim record;
    who name;
BEGIN
    LOOP
        SELECT w.id, w.run_id, s.name, w.assignee_id INTO item
          FROM orchestration.work_item w
          JOIN orchestration.step_run s ON s.run_id = w.run_id AND s.id = w.step_run_id
          JOIN orchestration.run r ON r.id = w.run_id
         WHERE w.status = 'Assigned' AND r.status = 'InProgress'
         ORDER BY w.created_at, w.id LIMIT 1;
        IF FOUND THEN
            -- the session acts as the assignee, or as a member of the assigned group or queue
            UPDATE orchestration.principal SET role_name = NULL WHERE role_name IS NOT NULL;
            UPDATE orchestration.principal SET role_name = current_user
             WHERE id = (SELECT p.id FROM orchestration.principal p
                          WHERE p.kind = 'User'
                            AND (p.id = item.assignee_id
                                 OR p.id IN (SELECT m.member_id FROM orchestration.membership m
                                              WHERE m.group_id = item.assignee_id))
                          LIMIT 1);
            PERFORM orchestration.complete_work_item(item.id, demo.answer(item.name, item.run_id));
            CALL demo.tell();
            COMMIT;
            CONTINUE;
        END IF;
        SELECT * INTO claim FROM orchestration.claim_steps('demo worker',
            ARRAY(SELECT topic FROM orchestration.action WHERE topic IS NOT NULL), 1) LIMIT 1;
        IF NOT FOUND THEN
            EXIT WHEN NOT EXISTS (SELECT FROM orchestration.run r WHERE r.status = 'InProgress' AND demo.unstick(r.id));
            CALL demo.tell();
            COMMIT;
            CONTINUE;
        END IF;
        RAISE NOTICE '%', format('  %-16s %s', '(worker)', 'claimed ' || claim.step_name || ' ' || claim.inputs::text);
        PERFORM orchestration.complete_steps(jsonb_build_array(jsonb_build_object(
            'step_id', claim.step_id, 'lease_id', claim.lease_id,
            'outputs', demo.answer(claim.step_name, claim.run_id))));
        CALL demo.tell();
        COMMIT;
    END LOOP;
END
$$;
