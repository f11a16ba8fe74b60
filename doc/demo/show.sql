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
-- as wide as the longest label
WITH line (position, id, label, kind, status, took, actor) AS (
    SELECT 0, NULL::uuid, name || '  ' || orchestration_label, '', status::text,
           demo.took(COALESCE(ended_at, clock_timestamp()) - created_at), NULL
      FROM orchestration.run
    UNION ALL
    SELECT s.position, NULL, '  ' || s.position || '. ' || s.label, '', s.status::text,
           demo.took(s.ended_at - s.created_at), NULL
      FROM orchestration.stage_run s
    UNION ALL
    SELECT s.position, t.id, '       ' || t.label,
           CASE t.step_type WHEN 'InteractiveStep' THEN 'interactive'
                            WHEN 'BackgroundStep' THEN 'background'
                            ELSE 'asynchronous' END,
           t.status::text, demo.took(t.ended_at - t.started_at),
           (SELECT '  ' || demo.called(w.completed_by) FROM orchestration.work_item w
             WHERE w.run_id = t.run_id AND w.step_run_id = t.id AND w.completed_by IS NOT NULL)
      FROM orchestration.step_run t
      JOIN orchestration.stage_run s ON s.run_id = t.run_id AND s.id = t.stage_run_id
)
SELECT rtrim(format('%s%s%s%s%s', rpad(label, (SELECT greatest(42, max(length(label)) + 2) FROM line)::integer),
                    rpad(kind, 14), rpad(status, 12), lpad(COALESCE(took, ''), 8), actor))
  FROM line ORDER BY position, id NULLS FIRST;
-- of an approval
SELECT line FROM (
    SELECT b.run_id, NULL::uuid AS id,
           E'\nIts submission:\n\n' || format('%-56s', b.name || '  ' || COALESCE(b.related_record_type || ' ' || b.related_record_id, '')) || b.status AS line
      FROM orchestration.submission b
    UNION ALL
    SELECT a.run_id, a.id,
           rtrim(format('%-42s%-14s%-12s', '  ' || a.name || '  ' || COALESCE(a.condition_name, ''), 'for ' || p.name || ' ', a.status)
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
