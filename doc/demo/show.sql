-- show.sql: the run as a tree, its log, one refused update, and verify().

\pset footer off
\pset border 1
\echo
\echo 'The run:'
\echo
\pset format unaligned
\t on
CREATE FUNCTION demo.took(interval) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN $1 < '10 seconds' THEN round(extract(epoch FROM $1) * 1000) || ' ms'
                ELSE round(extract(epoch FROM $1)) || ' s' END
$$;
SELECT rtrim(line) FROM (
    SELECT 0 AS position, NULL::uuid AS id,
           rpad(name || '  ' || orchestration_label, 42) || rpad('', 14) || rpad(status::text, 12)
           || lpad(demo.took(COALESCE(ended_at, clock_timestamp()) - created_at), 8) AS line
      FROM orchestration.run
    UNION ALL
    SELECT s.position, NULL,
           rpad('  ' || s.position || '. ' || s.label, 42) || rpad('', 14) || rpad(s.status::text, 12)
           || lpad(demo.took(s.ended_at - s.created_at), 8)
      FROM orchestration.stage_run s
    UNION ALL
    SELECT s.position, t.id,
           rpad('       ' || t.label, 42)
           || rpad(CASE t.step_type WHEN 'InteractiveStep' THEN 'interactive'
                                    WHEN 'BackgroundStep' THEN 'background'
                                    ELSE 'asynchronous' END, 14)
           || rpad(t.status::text, 12) || COALESCE(lpad(demo.took(t.ended_at - t.started_at), 8), '')
           || COALESCE((SELECT '  ' || demo.called(w.completed_by) FROM orchestration.work_item w
                         WHERE w.run_id = t.run_id AND w.step_run_id = t.id AND w.completed_by IS NOT NULL), '')
      FROM orchestration.step_run t
      JOIN orchestration.stage_run s ON s.run_id = t.run_id AND s.id = t.stage_run_id
) x ORDER BY position, id NULLS FIRST;
-- of an approval
SELECT line FROM (
    SELECT b.run_id, NULL::uuid AS id,
           E'\nIts submission:\n\n' || rpad(b.name || '  ' || COALESCE(b.related_record_type || ' ' || b.related_record_id, ''), 56) || b.status AS line
      FROM orchestration.submission b
    UNION ALL
    SELECT a.run_id, a.id,
           rtrim(rpad('  ' || a.name || '  ' || COALESCE(a.condition_name, ''), 42) || rpad('for ' || p.name, 14) || rpad(a.status::text, 12)
                 || COALESCE('"' || a.comments || '"', ''))
      FROM orchestration.submission_item a JOIN orchestration.principal p ON p.id = a.assigned_to
) x ORDER BY run_id, id NULLS FIRST;
SELECT E'\nWhy it is in Error:\n\n  ' || (error->>'message') || COALESCE(E'\n  ' || (error->>'detail'), '')
       || COALESCE(E'\n  at ' || (error->>'element'), '')
  FROM orchestration.run WHERE error IS NOT NULL AND status = 'Error';
\t off
\pset format aligned
\echo
\echo 'Its log:'
\echo
SELECT to_char("timestamp", 'HH24:MI:SS.MS') AS at, kind, stage_name AS stage, step_name AS step,
       assignee, actor, comments
  FROM orchestration.flow_orchestration_log ORDER BY name;
\echo 'An illegal update, refused whoever writes:'
\echo
\echo '  UPDATE orchestration.run SET status = ''InProgress'' WHERE status = ''Completed'';'
UPDATE orchestration.run SET status = 'InProgress' WHERE status = 'Completed';
\echo
\echo 'verify() finds every violated invariant:'
\echo
\pset footer on
SELECT * FROM orchestration.verify();
