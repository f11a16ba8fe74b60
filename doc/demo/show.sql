-- show.sql: the run as a tree, its log, one refused update, and verify().

\pset footer off
\pset border 1
\echo
\echo 'The run:'
\echo
\pset format unaligned
\t on
SELECT t.line FROM orchestration.run r, orchestration.run_tree(r.id) t ORDER BY r.id;
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
