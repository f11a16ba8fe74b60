-- path.sql: the path of the last run in the demo's database, in the form of a snapshot: stages
-- and steps by their place in the document, without its texts.

\pset format unaligned
\t on
WITH last AS (
    SELECT r.id, r.status, v.document
      FROM orchestration.run r JOIN orchestration.orchestration_version v ON v.id = r.version_id
     ORDER BY r.id DESC LIMIT 1
), stage AS (
    SELECT s.*, n AS place, d AS node
      FROM last, jsonb_array_elements(document->'orchestratedStages') WITH ORDINALITY u (d, n),
           orchestration.stage_run s
     WHERE s.run_id = last.id AND s.name = d->>'name'
), step AS (
    SELECT t.stage_run_id, n, t.step_type, t.status,
           (SELECT count(*) FROM orchestration.work_item w WHERE w.run_id = t.run_id AND w.step_run_id = t.id) AS items
      FROM stage, jsonb_array_elements(node->'stageSteps') WITH ORDINALITY u (d, n), orchestration.step_run t
     WHERE t.run_id = stage.run_id AND t.stage_run_id = stage.id AND t.name = d->>'name'
)
SELECT line FROM (
    SELECT 0 AS position, 'run ' || status || (SELECT CASE count(*) WHEN 1 THEN '' ELSE ', the ' || count(*) || 'th' END FROM orchestration.run) AS line
      FROM last
    UNION ALL
    SELECT position, position || '. stage ' || place || ' ' || status
           || COALESCE(': ' || (SELECT string_agg(n || ' ' || CASE step_type WHEN 'InteractiveStep' THEN 'interactive'
                                    WHEN 'BackgroundStep' THEN 'background' ELSE 'asynchronous' END || ' ' || status
                                    || CASE WHEN items > 1 THEN ' (' || items || ' work items)' ELSE '' END, ', ' ORDER BY n)
                                  FROM step WHERE stage_run_id = stage.id), '')
      FROM stage) x ORDER BY position;
