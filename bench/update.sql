-- update.sql: the rows that part (b) of the benchmark updates, and the check in PL/pgSQL.
--
-- Schemas: orchestration (the extension), plain (the same tables without triggers),
-- row_triggers and set_triggers (the same rules in PL/pgSQL: usual row triggers, and triggers
-- with transition tables, set by set).
--
-- 200,000 runs without a version, with one stage each; and 20,000 runs of one stage
-- with ten steps each.

\set ON_ERROR_STOP on
SET client_min_messages = warning;

CALL public.bench_clone('plain');
CALL public.bench_clone('row_triggers');
CALL public.bench_clone('set_triggers');

-- The rules of the extension.
CREATE TABLE public.legal AS
    SELECT level, from_status, to_status, log_kind
      FROM orchestration.legal_transitions() WHERE from_status IS NOT NULL;
ALTER TABLE public.legal ADD PRIMARY KEY (level, from_status, to_status);
CREATE TABLE public.neighbour AS
    SELECT child, parent_status, child_status FROM orchestration.legal_neighbours();
ALTER TABLE public.neighbour ADD PRIMARY KEY (child, parent_status, child_status);
ANALYZE public.legal, public.neighbour;

-- ------------------------------------------------------- row by row

CREATE FUNCTION row_triggers.run_before() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id OR NEW.version_id IS DISTINCT FROM OLD.version_id THEN
        RAISE 'a key cannot be changed';
    END IF;
    IF NEW.status <> OLD.status AND NOT (CASE OLD.status
        WHEN 'InProgress' THEN NEW.status IN ('Suspended', 'Completed', 'Canceled', 'Error')
        WHEN 'Suspended' THEN NEW.status IN ('InProgress', 'Canceled')
        WHEN 'Error' THEN NEW.status = 'InProgress'
        ELSE false END) THEN
        RAISE 'run % cannot change from % to %', NEW.name, OLD.status, NEW.status;
    END IF;
    NEW.modified_at := now();
    NEW.ended_at := CASE WHEN NEW.status NOT IN ('InProgress', 'Suspended')
                         THEN clock_timestamp() END;
    RETURN NEW;
END $$;
CREATE FUNCTION row_triggers.run_after() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO row_triggers.run_log (run_id, kind, actor)
    VALUES (NEW.id, CASE NEW.status WHEN 'Suspended' THEN 'SuspendInstance'
                WHEN 'InProgress' THEN 'ResumeInstance' WHEN 'Canceled' THEN 'CancelInstance'
                WHEN 'Error' THEN 'FailInstance' ELSE 'EndInstance' END::orchestration.log_kind,
            current_user);
    IF NEW.status = 'Suspended' THEN
        UPDATE row_triggers.stage_run SET status = 'Suspended'
         WHERE run_id = NEW.id AND status = 'InProgress';
    ELSIF NEW.status IN ('Canceled', 'Error') THEN
        UPDATE row_triggers.stage_run SET status = 'Discontinued'
         WHERE run_id = NEW.id AND status IN ('InProgress', 'Suspended');
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION row_triggers.stage_before() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    run_status orchestration.run_status;
BEGIN
    IF NEW.id <> OLD.id OR NEW.run_id <> OLD.run_id THEN
        RAISE 'a key cannot be changed';
    END IF;
    IF NEW.status <> OLD.status THEN
        IF NOT (CASE OLD.status
            WHEN 'InProgress' THEN true
            WHEN 'Suspended' THEN NEW.status IN ('InProgress', 'Discontinued')
            WHEN 'Error' THEN NEW.status = 'InProgress'
            WHEN 'Completed' THEN NEW.status = 'Discontinued'
            ELSE false END) THEN
            RAISE 'stage % cannot change from % to %', NEW.name, OLD.status, NEW.status;
        END IF;
        SELECT status INTO STRICT run_status FROM row_triggers.run
         WHERE id = NEW.run_id FOR NO KEY UPDATE;
        IF NOT (CASE run_status
            WHEN 'InProgress' THEN NEW.status IN ('InProgress', 'Completed', 'Error')
            WHEN 'Suspended' THEN NEW.status IN ('Suspended', 'Completed', 'Error')
            WHEN 'Completed' THEN NEW.status IN ('Completed', 'Error')
            WHEN 'Canceled' THEN NEW.status IN ('Completed', 'Discontinued', 'Error')
            ELSE NEW.status <> 'Suspended' END) THEN
            RAISE 'stage % cannot be % in a run that is %', NEW.name, NEW.status, run_status;
        END IF;
    END IF;
    NEW.modified_at := now();
    NEW.ended_at := CASE WHEN NEW.status NOT IN ('InProgress', 'Suspended')
                         THEN clock_timestamp() END;
    RETURN NEW;
END $$;
CREATE FUNCTION row_triggers.stage_after() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO row_triggers.run_log (run_id, stage_run_id, kind)
    VALUES (NEW.run_id, NEW.id, CASE NEW.status WHEN 'Suspended' THEN 'SuspendStage'
                WHEN 'InProgress' THEN 'StartStage' WHEN 'Discontinued' THEN 'DiscontinueStage'
                WHEN 'Error' THEN 'FailStage' ELSE 'EndStage' END::orchestration.log_kind);
    RETURN NULL;
END $$;
CREATE FUNCTION row_triggers.step_before() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    run_status orchestration.run_status;
    stage_status orchestration.stage_status;
BEGIN
    IF NEW.id <> OLD.id OR NEW.run_id <> OLD.run_id OR NEW.stage_run_id <> OLD.stage_run_id THEN
        RAISE 'a key cannot be changed';
    END IF;
    IF NEW.status <> OLD.status THEN
        IF NOT (CASE OLD.status
            WHEN 'NotStarted' THEN NEW.status = 'InProgress'
            WHEN 'InProgress' THEN NEW.status IN ('Completed', 'Error', 'Discontinued')
            WHEN 'Completed' THEN NEW.status = 'Discontinued'
            WHEN 'Error' THEN NEW.status = 'InProgress'
            ELSE NEW.status IN ('InProgress', 'Completed', 'Error') END) THEN
            RAISE 'step % cannot change from % to %', NEW.name, OLD.status, NEW.status;
        END IF;
        SELECT status INTO STRICT run_status FROM row_triggers.run
         WHERE id = NEW.run_id FOR NO KEY UPDATE;
        SELECT status INTO STRICT stage_status FROM row_triggers.stage_run
         WHERE run_id = NEW.run_id AND id = NEW.stage_run_id;
        IF NEW.status IN ('InProgress', 'Completed')
           AND (run_status <> 'InProgress' OR stage_status <> 'InProgress') THEN
            RAISE 'step % cannot be % in a stage that is %', NEW.name, NEW.status, stage_status;
        END IF;
    END IF;
    NEW.modified_at := now();
    IF NEW.status NOT IN ('InProgress', 'NotStarted') THEN
        NEW.ended_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION row_triggers.step_after() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO row_triggers.run_log (run_id, step_run_id, kind, duration)
    VALUES (NEW.run_id, NEW.id, CASE NEW.status WHEN 'Completed' THEN 'EndStep'
                WHEN 'InProgress' THEN 'StartStep' WHEN 'Error' THEN 'FailStep'
                ELSE 'DiscontinueStep' END::orchestration.log_kind,
            extract(epoch FROM NEW.ended_at - NEW.started_at)::int);
    RETURN NULL;
END $$;
CREATE TRIGGER run_before BEFORE UPDATE ON row_triggers.run
    FOR EACH ROW EXECUTE FUNCTION row_triggers.run_before();
CREATE TRIGGER run_after AFTER UPDATE ON row_triggers.run
    FOR EACH ROW WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION row_triggers.run_after();
CREATE TRIGGER stage_before BEFORE UPDATE ON row_triggers.stage_run
    FOR EACH ROW EXECUTE FUNCTION row_triggers.stage_before();
CREATE TRIGGER stage_after AFTER UPDATE ON row_triggers.stage_run
    FOR EACH ROW WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION row_triggers.stage_after();
CREATE TRIGGER step_before BEFORE UPDATE ON row_triggers.step_run
    FOR EACH ROW EXECUTE FUNCTION row_triggers.step_before();
CREATE TRIGGER step_after AFTER UPDATE ON row_triggers.step_run
    FOR EACH ROW WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION row_triggers.step_after();

-- ------------------------------------------------------- set by set
-- A row trigger fills the columns that follow from a change, because only a row trigger can.  All
-- other checks and writes are made for the whole statement, from its transition tables.

CREATE FUNCTION set_triggers.fill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.modified_at := now();
    IF NEW.status <> OLD.status AND NEW.status::text NOT IN ('InProgress', 'Suspended', 'NotStarted') THEN
        NEW.ended_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION set_triggers.run_after() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows n FULL JOIN old_rows o USING (id)
                LEFT JOIN public.legal l ON l.level = 'run'
                 AND l.from_status = o.status::text AND l.to_status = n.status::text
               WHERE n.status IS NULL OR o.status IS NULL
                  OR n.version_id IS DISTINCT FROM o.version_id
                  OR (n.status <> o.status AND l.level IS NULL)) THEN
        RAISE 'a run cannot change so';
    END IF;
    INSERT INTO set_triggers.run_log (run_id, kind, actor)
    SELECT n.id, l.log_kind::orchestration.log_kind, current_user
      FROM new_rows n JOIN old_rows o USING (id)
      JOIN public.legal l ON l.level = 'run'
       AND l.from_status = o.status::text AND l.to_status = n.status::text
     WHERE n.status <> o.status;
    UPDATE set_triggers.stage_run s
       SET status = CASE n.status WHEN 'Suspended' THEN 'Suspended'
                                  ELSE 'Discontinued' END::orchestration.stage_status
      FROM new_rows n
     WHERE n.status IN ('Suspended', 'Canceled', 'Error')
       AND s.run_id = n.id AND s.status IN ('InProgress', 'Suspended');
    RETURN NULL;
END $$;
CREATE FUNCTION set_triggers.stage_after() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM set_triggers.run WHERE id IN (SELECT run_id FROM new_rows)
      ORDER BY id FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM new_rows n FULL JOIN old_rows o USING (run_id, id)
                LEFT JOIN public.legal l ON l.level = 'stage'
                 AND l.from_status = o.status::text AND l.to_status = n.status::text
                LEFT JOIN set_triggers.run r ON r.id = n.run_id
                LEFT JOIN public.neighbour b ON b.child = 'stage'
                 AND b.parent_status = r.status::text AND b.child_status = n.status::text
               WHERE n.status IS NULL OR o.status IS NULL
                  OR (n.status <> o.status AND (l.level IS NULL OR b.child IS NULL))) THEN
        RAISE 'a stage cannot change so';
    END IF;
    INSERT INTO set_triggers.run_log (run_id, stage_run_id, kind)
    SELECT n.run_id, n.id, l.log_kind::orchestration.log_kind
      FROM new_rows n JOIN old_rows o USING (run_id, id)
      JOIN public.legal l ON l.level = 'stage'
       AND l.from_status = o.status::text AND l.to_status = n.status::text
     WHERE n.status <> o.status;
    RETURN NULL;
END $$;
CREATE FUNCTION set_triggers.step_after() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM set_triggers.run WHERE id IN (SELECT run_id FROM new_rows)
      ORDER BY id FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM new_rows n FULL JOIN old_rows o USING (run_id, id)
                LEFT JOIN public.legal l ON l.level = 'step'
                 AND l.from_status = o.status::text AND l.to_status = n.status::text
                LEFT JOIN set_triggers.run r ON r.id = n.run_id
                LEFT JOIN set_triggers.stage_run g ON g.run_id = n.run_id AND g.id = n.stage_run_id
               WHERE n.status IS NULL OR o.status IS NULL OR n.stage_run_id <> o.stage_run_id
                  OR (n.status <> o.status AND (l.level IS NULL
                      OR (n.status IN ('InProgress', 'Completed')
                          AND (r.status <> 'InProgress' OR g.status <> 'InProgress'))))) THEN
        RAISE 'a step cannot change so';
    END IF;
    INSERT INTO set_triggers.run_log (run_id, step_run_id, kind, duration)
    SELECT n.run_id, n.id, l.log_kind::orchestration.log_kind,
           extract(epoch FROM n.ended_at - n.started_at)::int
      FROM new_rows n JOIN old_rows o USING (run_id, id)
      JOIN public.legal l ON l.level = 'step'
       AND l.from_status = o.status::text AND l.to_status = n.status::text
     WHERE n.status <> o.status;
    RETURN NULL;
END $$;
CREATE TRIGGER fill BEFORE UPDATE ON set_triggers.run
    FOR EACH ROW EXECUTE FUNCTION set_triggers.fill();
CREATE TRIGGER run_after AFTER UPDATE ON set_triggers.run
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION set_triggers.run_after();
CREATE TRIGGER fill BEFORE UPDATE ON set_triggers.stage_run
    FOR EACH ROW EXECUTE FUNCTION set_triggers.fill();
CREATE TRIGGER stage_after AFTER UPDATE ON set_triggers.stage_run
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION set_triggers.stage_after();
CREATE TRIGGER fill BEFORE UPDATE ON set_triggers.step_run
    FOR EACH ROW EXECUTE FUNCTION set_triggers.fill();
CREATE TRIGGER step_after AFTER UPDATE ON set_triggers.step_run
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION set_triggers.step_after();

-- --------------------------------------------------------------- the rows

SET session_replication_role = replica;
CREATE TEMPORARY TABLE r AS
    SELECT orchestration.new_id() AS run, orchestration.new_id() AS stage, n
      FROM generate_series(1, :runs * 11 / 10) n;

INSERT INTO plain.run (id, status, orchestration_name)
    SELECT run, 'InProgress', CASE WHEN n > :runs THEN 'Steps' ELSE 'Cascade' END FROM r ORDER BY n;
INSERT INTO plain.stage_run (run_id, id, name, label, position, status)
    SELECT run, stage, 'Stage', CASE WHEN n > :runs THEN 'Steps' ELSE 'Cascade' END, 1, 'InProgress' FROM r ORDER BY n;
INSERT INTO plain.step_run (run_id, id, stage_run_id, step_type, name, label, status,
                            attempt, started_at)
    SELECT run, orchestration.new_id(), stage, 'BackgroundStep', 'Step_' || s, 'Step', 'InProgress',
           1, now()
      FROM r, generate_series(1, 10) s WHERE n > :runs ORDER BY n, s;
DO $$
DECLARE
    s text;
    t text;
    k text;
    c text;
BEGIN
    FOREACH s IN ARRAY ARRAY['orchestration', 'row_triggers', 'set_triggers'] LOOP
        FOR t, k IN VALUES ('run', 'id'), ('stage_run', 'run_id'), ('step_run', 'run_id, id') LOOP
            -- all columns except generated ones
            SELECT string_agg(quote_ident(attname), ', ') INTO c FROM pg_attribute
             WHERE attrelid = ('orchestration.' || t)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
            EXECUTE format('INSERT INTO %I.%I (%s) SELECT %3$s FROM plain.%2$I ORDER BY %4$s', s, t, c, k);
        END LOOP;
    END LOOP;
END $$;
VACUUM (ANALYZE, FREEZE);
