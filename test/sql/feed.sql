-- Feed: posts, comments, likes, counts, and the rights to see and delete them.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SET TimeZone = 'UTC';
CREATE ROLE regress_orch_poster;
CREATE ROLE regress_orch_reader;
CREATE ROLE regress_orch_boss;
SELECT pg_temp.person('poster@example.com', 'Poster', 'regress_orch_poster'), pg_temp.person('feed.reader@example.com', 'Feed Reader', 'regress_orch_reader'), pg_temp.person('feed.boss@example.com', 'Boss', 'regress_orch_boss');
SELECT orchestration.update_user(id, modify_all_data => true) FROM orchestration.principal WHERE username = 'feed.boss@example.com';
INSERT INTO orchestration.run (name, status, owner_id) SELECT 'F-' || n, 'InProgress', id FROM orchestration.principal, generate_series(1, 2) n WHERE username = 'poster@example.com';
INSERT INTO orchestration.stage_run (run_id, name, label, position, status) SELECT id, 'S', 'S', 1, 'InProgress' FROM orchestration.run WHERE name = 'F-1';
SELECT id AS run FROM orchestration.run WHERE name = 'F-1' \gset
SELECT id AS run2 FROM orchestration.run WHERE name = 'F-2' \gset
SELECT id AS stage FROM orchestration.stage_run WHERE run_id = :'run' \gset
SELECT orchestration.share_record(:'run', id) IS NOT NULL FROM orchestration.principal WHERE username = 'feed.reader@example.com';
CREATE FUNCTION pg_temp.feed() RETURNS SETOF text LANGUAGE sql AS $$
    SELECT concat_ws(' | ', f.type, COALESCE(f.body, '-'), f.link_url, f.title, f.visibility, f.is_rich_text, f.comment_count || ' comments', f.like_count || ' likes', p.name)
      FROM orchestration.flow_orchestration_instance_feed f JOIN orchestration."user" p ON p.id = f.inserted_by_id ORDER BY f.id $$;
SET ROLE regress_orch_poster;
SELECT orchestration.post_to_feed(:'run', 'Ready?') AS post \gset
SELECT orchestration.post_to_feed(:'run', NULL, 'https://example.com/a?b=1', 'The offer', 'InternalUsers') IS NOT NULL;
SELECT orchestration.post_to_feed(:'run', '<b>Yes</b>', is_rich_text => true) IS NOT NULL, orchestration.post_to_feed(:'run2', 'Not shared') IS NOT NULL;
SELECT pg_temp.feed();
-- a user with Read takes part; records that the user does not see do not exist for the call
SET ROLE regress_orch_reader;
SELECT pg_temp.feed();
SELECT orchestration.comment_on_feed_item(:'post', 'Almost') AS comment \gset
SELECT orchestration.like_feed_item(:'post'), orchestration.like_feed_item(:'post');
SELECT orchestration.post_to_feed(:'run', 'I may post too') IS NOT NULL;
SELECT pg_temp.try(format('SELECT orchestration.post_to_feed(%L, ''x'')', :'run2'));
SELECT pg_temp.try(format('SELECT orchestration.post_to_feed(%L, ''x'')', :'stage'));
RESET ROLE;
SELECT id AS hidden FROM orchestration.feed_item WHERE body = 'Not shared' \gset
SET ROLE regress_orch_reader;
SELECT pg_temp.try(format('SELECT orchestration.comment_on_feed_item(%L, ''x'')', :'hidden'));
SELECT pg_temp.try(format('SELECT orchestration.like_feed_item(%L)', :'hidden'));
SELECT pg_temp.try(format('SELECT orchestration.unlike_feed_item(%L)', :'hidden'));
SELECT count(*) FROM orchestration.feed_item WHERE id = :'hidden';
SELECT body, count(*) OVER () FROM orchestration.feed_comment;
-- a user can delete own posts and comments, not those of other users
SELECT r->'errors'->0->>'statusCode', pg_temp.masked(r->'errors'->0->>'message'), pg_temp.masked((r->'errors'->0->'extendedErrorDetails'->0)::text)
  FROM jsonb_array_elements(orchestration.delete(ARRAY[:'post'])) r;
SELECT r->'success' FROM jsonb_array_elements(orchestration.delete((SELECT array_agg(id::text) FROM orchestration.feed_item WHERE body = 'I may post too'))) r;
SELECT pg_temp.try(format('DELETE FROM orchestration.%I', t)) FROM unnest('{feed_item,feed_comment,flow_orchestration_instance_feed}'::text[]) t;
SELECT orchestration.unlike_feed_item(:'post'), orchestration.unlike_feed_item(:'post');
SET ROLE regress_orch_poster;
SELECT orchestration.like_feed_item(:'post');
SELECT pg_temp.try(format('SELECT orchestration.delete_feed_comment(%L)', :'comment'));
SELECT orchestration.comment_on_feed_item(:'post', 'My own') AS own \gset
SELECT pg_temp.feed();
SELECT orchestration.delete_feed_comment(:'own'), orchestration.delete_feed_comment(:'own');
SET ROLE regress_orch_boss;
SELECT orchestration.delete_feed_comment(:'comment');
SELECT pg_temp.feed();
SELECT r->'success' FROM jsonb_array_elements(orchestration.delete(ARRAY[:'post', :'hidden', :'post'])) r;
SELECT count(*) FROM orchestration.feed_like;
-- plain writes to the feed are refused
SELECT pg_temp.try('UPDATE orchestration.flow_orchestration_instance_feed SET body = ''x''');
SELECT pg_temp.try('INSERT INTO orchestration.flow_orchestration_instance_feed (body) VALUES (''x'')');
SELECT pg_temp.try('UPDATE orchestration.feed_item SET like_count = 100');
RESET ROLE;
-- refused
SELECT pg_temp.try(format('SELECT orchestration.post_to_feed(%L%s)', :'run', x)) FROM unnest(ARRAY['', ', ''''', ', '' ''', ', NULL, ''javascript:alert(1)''', ', NULL, ''''', ', ''x'', visibility => NULL', ', repeat(''x'', 10001)', ', ''x'', title => repeat(''x'', 256)',
    ', NULL, ''http://'' || repeat(''x'', 1000)']) x;
SELECT pg_temp.try('SELECT orchestration.post_to_feed(NULL, ''x'')');
SELECT pg_temp.try('SELECT orchestration.comment_on_feed_item(orchestration.new_id(), ''x'')');
SELECT pg_temp.try('SELECT orchestration.comment_on_feed_item(orchestration.new_id(), '''')');
SELECT orchestration.delete_feed_comment(orchestration.new_id());
SELECT * FROM orchestration.verify();
SELECT pg_temp.clean_up();
SELECT count(*) FROM orchestration.feed_item;
SELECT orchestration.update_user(id, role_name => '') FROM orchestration.principal WHERE role_name IN ('regress_orch_poster', 'regress_orch_reader', 'regress_orch_boss');
DROP ROLE regress_orch_poster; DROP ROLE regress_orch_reader; DROP ROLE regress_orch_boss;
