-- membership_walk: what follows memberships reads each of them once, however many paths
-- there are.  16 layers of two groups, each in both groups of the next layer, give a user
-- 2^16 paths to the top.  Rows of membership that a call reads are counted, not its time.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SET client_min_messages = warning;
SELECT no_plan();

CREATE ROLE regress_walk_owner;
SELECT orchestration.create_user('walk.me@example.com', 'Me') AS me, orchestration.create_user('walk.owner@example.com', 'Owner', 'regress_walk_owner') AS owner \gset
CREATE TEMP TABLE layer AS SELECT n, side, orchestration.create_group(format('Walk_%s_%s', n, side), format('L%s%s', n, side)) AS id FROM generate_series(1, 16) n, unnest('{a,b}'::text[]) side;
SELECT count(orchestration.add_group_member(id, :'me')) FROM layer WHERE n = 1 \g /dev/null
SELECT count(orchestration.add_group_member(above.id, below.id)) FROM layer below JOIN layer above ON above.n = below.n + 1 \g /dev/null
-- the owner is in the same groups
SELECT count(orchestration.add_group_member(id, :'owner')) FROM layer WHERE n = 1 \g /dev/null
INSERT INTO orchestration.run (name, owner_id, status) VALUES ('Walk', :'owner', 'InProgress') RETURNING id AS run \gset
-- every group has a manual share and a rule; the source of each rule is the last group
SELECT count(orchestration.share_record(:'run', id, 'Read')), count(orchestration.create_owner_sharing_rule('FlowOrchestrationInstance', (SELECT id FROM layer WHERE n = 16 AND side = 'b'), id, 'Read', 'R')) FROM layer \g /dev/null

-- rows of membership that this transaction has read
CREATE FUNCTION pg_temp.rows_read() RETURNS bigint LANGUAGE sql AS $$
    SELECT pg_stat_get_xact_tuples_returned(c.oid) + pg_stat_get_xact_tuples_fetched(c.oid) + COALESCE((SELECT sum(pg_stat_get_xact_tuples_returned(i.indexrelid)) FROM pg_index i WHERE i.indrelid = c.oid), 0)
      FROM pg_class c WHERE c.oid = 'orchestration.membership'::regclass
$$;
CREATE FUNCTION pg_temp.cost(call text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := pg_temp.rows_read();
BEGIN
    EXECUTE call;
    RETURN pg_temp.rows_read() - before;
END
$$;
SELECT count(*) AS memberships, 6 * count(*) AS bound FROM orchestration.membership \gset

SELECT cmp_ok(pg_temp.cost(format('SELECT count(*) FROM orchestration.explain_access(%L, %L)', :'run', :'me')), '>=', :memberships::bigint, 'the rows that explain_access() reads are counted');
SELECT cmp_ok(pg_temp.cost(format('SELECT count(*) FROM orchestration.explain_access(%L, %L)', :'run', :'me')), '<=', :bound::bigint, 'explain_access() reads each membership a few times at most');
SELECT cmp_ok(pg_temp.cost(format('SELECT count(*) FROM orchestration_internal.rule_shares(''FlowOrchestrationInstance'', %L)', :'run')), '<=', :bound::bigint, 'so does rule_shares()');
SELECT cmp_ok(pg_temp.cost(format('SELECT count(*) FROM orchestration.user_record_access(ARRAY[%L::uuid], %L)', :'run', :'me')), '<=', :bound::bigint, 'so does user_record_access()');
SELECT cmp_ok(pg_temp.cost(format('SELECT orchestration.add_group_member(%L, %L)', (SELECT id FROM layer WHERE n = 16 AND side = 'a'), (SELECT id FROM layer WHERE n = 1 AND side = 'a'))), '<=', :bound::bigint, 'so does the search for a circle');
-- PostgreSQL may scan the table once a layer
SELECT cmp_ok(pg_temp.cost('SELECT count(*) FROM orchestration.stuck_runs()'), '<=', 16 * :bound::bigint, 'stuck_runs() reads them once a layer at most');
-- pairs of a group and a group above it
SELECT cmp_ok(pg_temp.cost('SELECT count(*) FROM orchestration.verify()'), '<=', 32 * :bound::bigint, 'verify() reads the memberships of each pair of groups at most');

-- one row a grant, with one path: the fewest memberships, then the first names
SELECT is((SELECT count(*) FROM orchestration.explain_access(:'run', :'me')), 64::bigint, 'one row for each grant');
SELECT is(detail, 'manual share for Me in ' || (SELECT string_agg(format('L%sa', n), ' in ' ORDER BY n) FROM generate_series(1, 15) n) || ' in L16b', 'a grant names one path: the first in the order of names')
  FROM orchestration.explain_access(:'run', :'me') WHERE cause = 'Manual' AND granted_to = (SELECT id FROM layer WHERE n = 16 AND side = 'b');
SELECT is(detail, 'manual share for Me in L1a in L16a', 'and with the fewest memberships: a shorter way')
  FROM orchestration.explain_access(:'run', :'me') WHERE cause = 'Manual' AND granted_to = (SELECT id FROM layer WHERE n = 16 AND side = 'a');
SELECT is(detail, 'rule "R": owner Owner in ' || (SELECT string_agg(format('L%sa', n), ' in ' ORDER BY n) FROM generate_series(1, 15) n) || ' in L16b; for Me in L1b', 'a rule names the path of the owner, too')
  FROM orchestration.explain_access(:'run', :'me') WHERE cause = 'Rule' AND granted_to = (SELECT id FROM layer WHERE n = 1 AND side = 'b');

SELECT orchestration.update_user(:'me', is_active => false) \g /dev/null
SELECT is_empty(format('SELECT * FROM orchestration.explain_access(%L, %L)', :'run', :'me'), 'an inactive user has no grants');

SELECT * FROM finish();
ROLLBACK;
