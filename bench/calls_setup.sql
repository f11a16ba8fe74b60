-- calls_setup: the data of bench/calls.sh: :rows runs, loaded past the triggers.
INSERT INTO orchestration.orchestration_definition (name) VALUES ('Bulk');
SET session_replication_role = replica;
INSERT INTO orchestration.run (id, name, status, orchestration_name, orchestration_label, variables, created_at, modified_at)
SELECT orchestration.new_id(), 'B-' || n, 'InProgress', CASE WHEN n <= 100000 THEN 'Bulk' ELSE 'Other' END, 'Bench', '{"amount": 100, "what": "something"}',
       now() - interval '40 days' - n * interval '1 second', now() - interval '40 days' - n * interval '1 second'
  FROM generate_series(1, :rows) n;
RESET session_replication_role;
CREATE TABLE public.one AS SELECT id FROM orchestration.run WHERE name = 'B-200000';
CREATE TABLE public.bulk AS SELECT id FROM orchestration.run WHERE orchestration_name = 'Bulk';
CREATE TABLE public.changed AS SELECT id FROM orchestration.run WHERE name LIKE 'B-30%' LIMIT 1000;
CREATE TABLE public.ids AS SELECT array_agg(id) AS ids, array_agg(id::text) AS texts FROM (SELECT id FROM orchestration.run WHERE name LIKE 'B-4%' LIMIT 2000) x;
CREATE TABLE public.plain (LIKE orchestration.run);
-- the table of history, written by hand: the same columns, defaults and indexes
CREATE TABLE public.field_change (LIKE orchestration.field_change INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES);
CREATE INDEX ON public.field_change (record_id) WHERE object <> 'FlowOrchestrationInstance';
VACUUM (ANALYZE);
