-- Sharing by calls and views: the rights it needs, refused shares, the access it grants.
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on
-- names for the ids, which differ each time
CREATE FUNCTION public.named(uuid) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT COALESCE((SELECT name FROM orchestration.principal WHERE id = $1), (SELECT name FROM orchestration.run WHERE id = $1), 'some id') $$;
CREATE FUNCTION public.id_of(text) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT id FROM orchestration.principal WHERE name = $1 UNION ALL SELECT id FROM orchestration.run WHERE name = $1 $$;
-- messages without ids
CREATE FUNCTION public.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text;
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN regexp_replace(concat_ws(' | ', SQLSTATE, SQLERRM, NULLIF(d, ''), NULLIF(h, '')), '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g');
END $$;
CREATE ROLE regress_orch_ann;
CREATE ROLE regress_orch_bea;
CREATE ROLE regress_orch_cid;
CREATE ROLE regress_orch_adm;
CREATE ROLE regress_orch_out;
SELECT orchestration.create_user('share-ann', 'Ann S', 'regress_orch_ann') AS ann, orchestration.create_user('share-bea', 'Bea S', 'regress_orch_bea') AS bea,
       orchestration.create_user('share-cid', 'Cid S', 'regress_orch_cid') AS cid, orchestration.create_user('share-adm', 'Adm S', 'regress_orch_adm') AS adm,
       orchestration.create_group('S_Sellers', 'Sellers') AS sellers, orchestration.create_group('S_Readers', 'S Readers') AS readers, orchestration.create_group('S_Inner', 'Inner') AS inner, orchestration.create_queue('S_Desk', 'Desk') AS desk \gset
SELECT orchestration.update_user(:'adm', modify_all_data => true), orchestration.update_user(orchestration.new_id(), name => 'x');
SELECT orchestration.add_group_member(:'sellers', :'ann'), orchestration.add_group_member(:'readers', :'inner'), orchestration.add_group_member(:'inner', :'bea');
INSERT INTO orchestration.run (name, owner_id, status) VALUES ('R-ann', :'ann', 'InProgress'), ('R-auto', DEFAULT, 'InProgress'), ('R-cid', :'cid', 'InProgress');

-- memberships: which kinds can be members of which, and no circle
SELECT try(format('SELECT orchestration.add_group_member(%L, %L)', :'ann', :'bea'));
SELECT try(format('SELECT orchestration.add_group_member(%L, %L)', :'sellers', :'desk'));
SELECT try(format('SELECT orchestration.add_group_member(%L, %L)', :'inner', :'readers'));
SELECT try(format('SELECT orchestration.add_group_member(%L, %L)', :'inner', :'inner'));
SELECT try(format('SELECT orchestration.add_group_member(%L, orchestration.new_id())', :'inner'));
SELECT try('UPDATE orchestration.membership SET created_at = now()');
SELECT try('UPDATE orchestration.principal SET kind = ''Queue'' WHERE developer_name = ''S_Inner''');
SELECT named(group_id), named(user_or_group_id) FROM orchestration.group_member WHERE named(group_id) IN ('Sellers', 'S Readers', 'Inner') ORDER BY 1, 2;
SELECT name, type, developer_name FROM orchestration."group" WHERE developer_name LIKE 'S\_%' ORDER BY 1;

-- an owner sees and shares own records; records of other owners do not exist for that owner
SET ROLE regress_orch_ann;
SELECT named(orchestration.acting_user_id());
SELECT name FROM orchestration.flow_orchestration_instance ORDER BY 1;
SELECT try(format('SELECT orchestration.share_record(%L, %L)', id_of('R-cid'), :'bea'));
SELECT try(format('SELECT orchestration.share_record(orchestration.acting_user_id(), %L)', :'bea'));
SELECT orchestration.share_record(id_of('R-ann'), :'bea') = orchestration.share_record(id_of('R-ann'), :'bea', 'Edit') AS same_row;
SELECT try(format('SELECT orchestration.share_record(%L, %L, ''All'')', id_of('R-ann'), :'bea'));
SELECT try(format('SELECT orchestration.share_record(%L, %L)', id_of('R-ann'), id_of('R-ann')));
SELECT try(format('SELECT orchestration.share_record(%L, NULL)', id_of('R-ann')));
SELECT try(format('SELECT orchestration.create_owner_sharing_rule(''FlowOrchestrationInstance'', %L, %L)', :'sellers', :'readers'));
SELECT try('SELECT orchestration.set_default_access(''FlowOrchestrationInstance'', ''Read'')');
SELECT try('SELECT orchestration.create_user(''x'')');
SELECT row_cause, access_level, named(user_or_group_id), named(last_modified_by_id) FROM orchestration.flow_orchestration_instance_share ORDER BY 1, 2;
-- through the view
INSERT INTO orchestration.flow_orchestration_instance_share (parent_id, user_or_group_id, access_level) VALUES (id_of('R-ann'), :'desk', 'Read') RETURNING row_cause, access_level, id IS NOT NULL;
UPDATE orchestration.flow_orchestration_instance_share SET access_level = 'Edit' WHERE user_or_group_id = :'desk' RETURNING access_level;
SELECT try('UPDATE orchestration.flow_orchestration_instance_share SET access_level = ''Edit'' WHERE row_cause = ''Owner''');
SELECT try('DELETE FROM orchestration.flow_orchestration_instance_share WHERE row_cause = ''Owner''');
SELECT try('UPDATE orchestration.flow_orchestration_instance_share SET parent_id = user_or_group_id');
SELECT try(format('INSERT INTO orchestration.flow_orchestration_instance_share (parent_id, user_or_group_id, access_level, row_cause) VALUES (%L, %L, ''Read'', ''Rule'')', id_of('R-ann'), :'desk'));
SELECT try(format('INSERT INTO orchestration.flow_orchestration_stage_instance_share (parent_id, user_or_group_id, access_level) VALUES (%L, %L, ''Read'')', id_of('R-ann'), :'desk'));
-- an existing share, and columns that are not stored
SELECT try(format('INSERT INTO orchestration.flow_orchestration_instance_share (parent_id, user_or_group_id, access_level) VALUES (%L, %L, ''Read'')', id_of('R-ann'), :'desk'));
SELECT try(format('INSERT INTO orchestration.flow_orchestration_instance_share (parent_id, user_or_group_id, access_level) VALUES (%L, %L, ''Read'') ON CONFLICT DO NOTHING', id_of('R-ann'), :'desk'));
RESET ROLE;
SELECT try(format('UPDATE orchestration.flow_orchestration_instance_share SET %s WHERE user_or_group_id = %L', x, :'desk'))
  FROM unnest('{id = parent_id,user_or_group_id = parent_id,row_cause = ''Rule'',is_deleted = true,last_modified_date = NULL}'::text[]) x;
SELECT try(format('INSERT INTO orchestration.flow_orchestration_instance_share (parent_id, user_or_group_id, access_level, is_deleted) VALUES (%L, %L, ''Read'', true)', id_of('R-ann'), :'cid'));
SET ROLE regress_orch_ann;
SELECT access_level, named(last_modified_by_id) FROM orchestration.flow_orchestration_instance_share WHERE user_or_group_id = :'desk';
SELECT r->'success' FROM jsonb_array_elements(orchestration.delete(ARRAY[(SELECT id::text FROM orchestration.flow_orchestration_instance_share WHERE user_or_group_id = :'desk')])) r;

-- no role may DELETE from a view unless an administrator grants it
RESET ROLE;
GRANT DELETE ON orchestration.flow_orchestration_instance_share TO regress_orch_ann;
SET ROLE regress_orch_ann;
INSERT INTO orchestration.flow_orchestration_instance_share (parent_id, user_or_group_id, access_level) VALUES (id_of('R-ann'), :'desk', 'Read');
SELECT try('DELETE FROM orchestration.flow_orchestration_instance_share WHERE row_cause = ''Owner''');
DELETE FROM orchestration.flow_orchestration_instance_share WHERE user_or_group_id = :'desk' RETURNING access_level;
RESET ROLE;
REVOKE DELETE ON orchestration.flow_orchestration_instance_share FROM regress_orch_ann;

-- Edit access does not include sharing
SET ROLE regress_orch_bea;
SELECT name, status FROM orchestration.flow_orchestration_instance;
UPDATE orchestration.flow_orchestration_instance SET status = 'Suspended' RETURNING name, status;
SELECT orchestration.resume_run(id_of('R-ann'));
SELECT try(format('SELECT orchestration.share_record(%L, %L)', id_of('R-ann'), :'cid'));
SELECT try(format('SELECT orchestration.explain_access(%L, %L)', id_of('R-ann'), :'cid'));
SELECT try('UPDATE orchestration.run SET owner_id = orchestration.acting_user_id()');
SELECT has_edit_access, has_all_access, max_access_level FROM orchestration.user_record_access(ARRAY[id_of('R-ann'), id_of('R-cid'), NULL]);

-- rules
SET ROLE regress_orch_adm;
SELECT orchestration.create_owner_sharing_rule('FlowOrchestrationInstance', :'sellers', :'readers', 'Read', developer_name => 'Sales_Read') AS rule \gset
SELECT orchestration.create_owner_sharing_rule('FlowOrchestrationInstance', :'sellers', :'readers', 'Edit', 'Again') = :'rule' AS same_rule;
SELECT try(format('SELECT orchestration.create_owner_sharing_rule(''FlowOrchestrationInstance'', %L, %L)', :'ann', :'readers'));
SELECT try(format('SELECT orchestration.create_owner_sharing_rule(''FlowOrchestrationInstance'', %L, %L, ''All'')', :'sellers', :'readers'));
SELECT try(format('SELECT orchestration.create_owner_sharing_rule(''FlowOrchestrationInstance'', %L, %L, developer_name => ''1x'')', :'sellers', :'bea'));
SELECT try(format('SELECT orchestration.create_orchestration_sharing_rule(''Nothing'', %L)', :'readers'));
SELECT name, access_level, named(group_id), named(user_or_group_id) FROM orchestration.flow_orchestration_instance_owner_sharing_rule;
UPDATE orchestration.flow_orchestration_instance_owner_sharing_rule SET access_level = 'Read', description = 'of the sellers' RETURNING name, access_level;
SELECT try(format('UPDATE orchestration.flow_orchestration_instance_owner_sharing_rule SET group_id = %L', :'readers'));
SELECT try(format('INSERT INTO orchestration.flow_orchestration_instance_owner_sharing_rule (access_level, group_id, user_or_group_id, name) VALUES (''Edit'', %L, %L, ''x'')', :'sellers', :'readers'));
INSERT INTO orchestration.flow_orchestration_step_instance_owner_sharing_rule (access_level, group_id, user_or_group_id, name) VALUES ('Read', :'sellers', :'bea', 'steps') RETURNING name;
SELECT r->'success' FROM jsonb_array_elements(orchestration.delete((SELECT array_agg(id::text) FROM orchestration.flow_orchestration_step_instance_owner_sharing_rule))) r;
SELECT object, cause, access_level, named(granted_to), detail FROM orchestration.explain_access(id_of('R-ann'), :'bea');
SELECT object, cause, access_level, named(granted_to), detail FROM orchestration.explain_access(id_of('R-ann'), :'ann');
SELECT object, cause, access_level, named(granted_to), detail FROM orchestration.explain_access(id_of('R-ann'), :'adm');
SELECT object, cause, access_level, named(granted_to), detail FROM orchestration.explain_access(id_of('R-ann'), :'cid');
SELECT row_cause, access_level, named(user_or_group_id) FROM orchestration.flow_orchestration_instance_share WHERE parent_id = id_of('R-ann') ORDER BY 1, 2;

-- a new owner: manual shares are deleted, and the rule does not apply to the new owner
RESET ROLE;
UPDATE orchestration.run SET owner_id = :'cid' WHERE name = 'R-ann';
SELECT row_cause, access_level, named(user_or_group_id) FROM orchestration.flow_orchestration_instance_share WHERE parent_id = id_of('R-ann') ORDER BY 1, 2;

-- default access
SET ROLE regress_orch_adm;
-- null in the views
SELECT try(format('INSERT INTO orchestration.flow_orchestration_instance_share (parent_id, user_or_group_id, access_level) VALUES (%L, %L, %L)', p, u, l))
  FROM (VALUES (1, NULL, :'bea', 'Read'), (2, id_of('R-ann')::text, NULL, 'Read'), (3, id_of('R-ann')::text, :'bea', NULL)) x (n, p, u, l) ORDER BY n;
SELECT try(format('INSERT INTO orchestration.flow_orchestration_instance_owner_sharing_rule (access_level, group_id, user_or_group_id, name) VALUES (%L, %L, %L, %L)', l, g, u, name))
  FROM (VALUES (1, NULL, :'sellers', :'bea', 'x'), (2, 'Read', NULL, :'bea', 'x'), (3, 'Read', :'sellers', NULL, 'x'), (4, 'Read', :'sellers', :'bea', NULL)) x (n, l, g, u, name) ORDER BY n;
SELECT try('UPDATE orchestration.flow_orchestration_instance_owner_sharing_rule SET name = NULL');
SELECT try('UPDATE orchestration.flow_orchestration_instance_owner_sharing_rule SET access_level = NULL');
SELECT name, access_level, named(group_id), named(user_or_group_id) FROM orchestration.flow_orchestration_instance_owner_sharing_rule ORDER BY 1;
SELECT r->'success' FROM jsonb_array_elements(orchestration.delete((SELECT array_agg(id::text) FROM orchestration.flow_orchestration_instance_owner_sharing_rule WHERE user_or_group_id = :'bea'))) r;
-- a rule for what an orchestration makes: of all kinds, or of chosen ones
SELECT orchestration.deploy_orchestration('{"fullName": "S_Shared", "label": "S_Shared", "processType": "Orchestrator"}'::jsonb);
SELECT count(orchestration.delete_sharing_rule(r)) FROM orchestration.create_orchestration_sharing_rule('S_Shared', :'readers') r;
RESET ROLE;
CREATE FUNCTION public.chosen() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER AS $$
    SELECT concat_ws(' ', r.object, r.access_level, named(r.user_or_group_id)) FROM orchestration.owner_sharing_rule r WHERE r.orchestration_id IS NOT NULL ORDER BY r.object $$;
SET ROLE regress_orch_adm;
SELECT count(*) FROM orchestration.create_orchestration_sharing_rule('S_Shared', :'bea', 'Edit', '{FlowOrchestrationWorkItem,FlowOrchestrationInstance}');
SELECT chosen();
-- the same again is the same rule
SELECT count(*) FROM orchestration.create_orchestration_sharing_rule('S_Shared', :'bea', 'Read', '{FlowOrchestrationWorkItem}');
SELECT chosen();
SELECT count(*) FROM orchestration.create_orchestration_sharing_rule('S_Shared', :'bea', 'Read', '{}');
SELECT try(format('SELECT orchestration.create_orchestration_sharing_rule(''S_Shared'', %L, %s)', :'bea', x)) FROM unnest(ARRAY['''Read'', ''{FlowOrchestrationInstance,NULL}''', '''All''', 'NULL', '''Read'', NULL']) x;
SELECT try(format('SELECT orchestration.create_orchestration_sharing_rule(''S_Shared'', %L)', md5('nobody')::uuid));
SELECT chosen();
RESET ROLE;
SELECT count(orchestration.delete_sharing_rule(id)) FROM orchestration.owner_sharing_rule WHERE orchestration_id IS NOT NULL;
SET ROLE regress_orch_adm;
SELECT orchestration.set_default_access('FlowOrchestrationInstance', 'Read');
SELECT try(format('SELECT orchestration.share_record(%L, %L)', id_of('R-cid'), :'bea'));
SET ROLE regress_orch_ann;
SELECT count(*) FROM orchestration.flow_orchestration_instance WHERE name LIKE 'R-%';
SELECT try('UPDATE orchestration.flow_orchestration_instance SET status = ''Canceled'' WHERE name = ''R-cid''');
SET ROLE regress_orch_adm;
SELECT orchestration.set_default_access('FlowOrchestrationInstance', 'Private'), orchestration.delete_sharing_rule(:'rule'), orchestration.delete_sharing_rule(:'rule');

-- a role without a user
SET ROLE regress_orch_out;
SELECT orchestration.acting_user_id() IS NULL, (SELECT count(*) FROM orchestration.run), (SELECT count(*) FROM orchestration."user");
SELECT try(format('SELECT orchestration.share_record(%L, %L)', id_of('R-cid'), :'bea'));
SELECT try(format('SELECT orchestration.user_record_access(ARRAY[%L::uuid])', id_of('R-cid')));
-- an inactive user
RESET ROLE;
SELECT orchestration.update_user(:'cid', is_active => false);
SET ROLE regress_orch_cid;
SELECT orchestration.acting_user_id() IS NULL, (SELECT count(*) FROM orchestration.run);
RESET ROLE;
SELECT * FROM orchestration.verify();

UPDATE orchestration.run SET status = 'Canceled' WHERE name LIKE 'R-%';
DELETE FROM orchestration.run WHERE name LIKE 'R-%';
UPDATE orchestration.principal SET role_name = NULL WHERE role_name LIKE 'regress%';
DROP FUNCTION named(uuid), id_of(text), try(text), chosen();
DROP ROLE regress_orch_ann, regress_orch_bea, regress_orch_cid, regress_orch_adm, regress_orch_out;
