-- history.sql: existing runs beside which parts of the benchmark measure: :runs imported runs of
-- :orchestration, Completed, of three stages and six steps, with their 20 log entries unless
-- :without_log is set.
--
-- Loaded with the triggers off, as in a restore.  Ids increase, like those of runs that started
-- one after another.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET session_replication_role = replica;
SET synchronous_commit = off;

INSERT INTO orchestration.run (id, status, version_id, orchestration_name,
                               orchestration_label, ended_at)
    SELECT orchestration.new_id(), 'Completed',
           (SELECT v.id FROM orchestration.orchestration_version v
              JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id
             WHERE d.name = :'orchestration'),
           :'orchestration', 'Bench', now()
      FROM generate_series(1, :runs);
INSERT INTO orchestration.stage_run (run_id, id, name, label, position, status, ended_at)
    SELECT r.id, orchestration.new_id(), 'Stage_' || g, 'Stage ' || g, g, 'Completed', now()
      FROM orchestration.run r, generate_series(1, 3) g;
INSERT INTO orchestration.step_run (run_id, id, stage_run_id, step_type, name, label,
                                    status, attempt, started_at, ended_at)
    SELECT s.run_id, orchestration.new_id(), s.id, 'BackgroundStep',
           'Step_' || s.position || '_' || t, 'Step ' || s.position || '.' || t,
           'Completed', 1, now(), now()
      FROM orchestration.stage_run s, generate_series(1, 2) t;
\if :{?without_log}
\else
INSERT INTO orchestration.run_log (run_id, kind)
    SELECT id, 'StartInstance' FROM orchestration.run;
INSERT INTO orchestration.run_log (run_id, kind, stage_run_id)
    SELECT run_id, k, id FROM orchestration.stage_run,
           unnest('{StartStage,EndStage}'::orchestration.log_kind[]) k;
INSERT INTO orchestration.run_log (run_id, kind, step_run_id)
    SELECT run_id, k, id FROM orchestration.step_run,
           unnest('{StartStep,EndStep}'::orchestration.log_kind[]) k;
INSERT INTO orchestration.run_log (run_id, kind, duration)
    SELECT id, 'EndInstance', 0 FROM orchestration.run;
\endif
VACUUM (ANALYZE);
