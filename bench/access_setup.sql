-- access_setup.sql: :rows runs of 10,000 owners, and users who see few, many or all of them.
--
-- public.run_exists has the same runs, with the usual policy of other systems: EXISTS over share
-- rows, one for each record and grantee, and memberships.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
INSERT INTO orchestration.principal (kind, username, name) SELECT 'User', 'owner-' || i, 'Owner ' || i FROM generate_series(1, 10000) i;
SELECT orchestration.create_user('few', 'Few', 'bench_few') AS few, orchestration.create_user('half', 'Half', 'bench_half') AS half,
       orchestration.create_user('all', 'All', 'bench_all') AS all, orchestration.create_user('new', 'New', 'bench_new') AS new,
       orchestration.create_group('Two') AS two, orchestration.create_group('Half') AS half_group, orchestration.create_group('Everybody') AS everybody \gset
SELECT orchestration.update_user(:'all', view_all_data => true) \g /dev/null
CREATE TABLE public.owner AS SELECT id, substr(username, 7)::integer AS n FROM orchestration.principal WHERE username LIKE 'owner-%';
INSERT INTO orchestration.membership (group_id, member_id)
SELECT :'two'::uuid, id FROM public.owner WHERE n <= 2 UNION ALL SELECT :'half_group', id FROM public.owner WHERE n > 5000 UNION ALL SELECT :'everybody', id FROM public.owner;
SELECT orchestration.create_owner_sharing_rule('FlowOrchestrationInstance', :'two', :'few'), orchestration.create_owner_sharing_rule('FlowOrchestrationInstance', :'half_group', :'half') \g /dev/null
INSERT INTO orchestration.orchestration_definition (name) VALUES ('Bench_Access') RETURNING id AS orchestration \gset

-- as the engine would have written them, without running it
SET session_replication_role = replica;
INSERT INTO orchestration.run (owner_id, orchestration_id, status, ended_at, orchestration_name, orchestration_label, variables, created_at)
SELECT o.id, :'orchestration', (CASE i % 10 WHEN 0 THEN 'InProgress' ELSE 'Completed' END)::orchestration.run_status, CASE i % 10 WHEN 0 THEN NULL ELSE now() END,
       'Bench_Access', 'Bench access', '{"amount": 100, "what": "something"}', now() - i * interval '1 second'
  FROM generate_series(1, :rows) i JOIN public.owner o ON o.n = 1 + i % 10000;
INSERT INTO orchestration.share_grant (run_id, object, record_id, user_or_group_id, access_level)
SELECT id, 'FlowOrchestrationInstance', id, :'few', 'Read' FROM (SELECT r.id FROM orchestration.run r JOIN public.owner o ON o.id = r.owner_id WHERE o.n = 3 ORDER BY r.id LIMIT 100) x;
SET session_replication_role = origin;

CREATE TABLE public.run_exists AS SELECT * FROM orchestration.run;
ALTER TABLE public.run_exists ADD PRIMARY KEY (id);
CREATE INDEX ON public.run_exists (owner_id);
CREATE TABLE public.share_row (record_id uuid NOT NULL, grantee_id uuid NOT NULL, cause text NOT NULL);
INSERT INTO public.share_row SELECT id, owner_id, 'Owner' FROM orchestration.run;
INSERT INTO public.share_row SELECT r.id, :'few', 'Rule' FROM orchestration.run r JOIN public.owner o ON o.id = r.owner_id WHERE o.n <= 2;
INSERT INTO public.share_row SELECT record_id, user_or_group_id, 'Manual' FROM orchestration.share_grant;
CREATE INDEX ON public.share_row (record_id, grantee_id);
CREATE INDEX ON public.share_row (grantee_id, record_id);
CREATE TABLE public.member (principal_id uuid NOT NULL, user_id uuid NOT NULL, PRIMARY KEY (user_id, principal_id));
INSERT INTO public.member SELECT id, id FROM orchestration.principal WHERE kind = 'User' UNION ALL SELECT group_id, member_id FROM orchestration.membership;
ALTER TABLE public.run_exists ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON public.run_exists USING (EXISTS (SELECT FROM public.share_row s JOIN public.member m ON m.principal_id = s.grantee_id
    WHERE s.record_id = run_exists.id AND m.user_id = current_setting('bench.user_id')::uuid));
GRANT SELECT ON public.run_exists, public.share_row, public.member TO PUBLIC;
VACUUM (ANALYZE) orchestration.run;
VACUUM (ANALYZE) public.run_exists;
VACUUM (ANALYZE) public.share_row;
ANALYZE;
