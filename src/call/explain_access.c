/*-------------------------------------------------------------------------
 *
 * explain_access.c
 *	  Calls that explain access: every grant to a user, the access to many records.
 *
 * A user can belong to a group by very many paths: two groups a layer, each in both groups
 * of the next, give 2^n paths over n layers.  So memberships are walked as a graph, each
 * once, and a group keeps the one path by which it was reached first.
 *
 * An approval is also visible to the assignees of all work items of its submission, and to
 * those who may answer for them.  Such a grant names the user for whom, and the assignee, but
 * no path between these.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/explain_access.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/system.h"
#include "base/uuid.h"
#include "call/caller.h"
#include "record/principal.h"

/* UserRecordAccess takes so many records at once (reference.md, 6.6). */
#define MAX_RECORDS 200

/* Columns of explain_access(); plan_grants and plan_reviews have more behind them. */
enum
{
	OBJECT, CAUSE, LEVEL, GRANTED_TO, SOURCE_ID, DETAIL, NUM_COLUMNS,
	PLACE = NUM_COLUMNS, GROUP_ID, BY_MEMBERSHIP, SUFFIX
};

/* A principal, or a group or queue that it belongs to. */
typedef struct MembershipNode
{
	pg_uuid_t	id;
	char	   *name;
	int			member;			/* the node by which it was reached; -1: the principal */
} MembershipNode;

typedef struct MembershipEntry
{
	pg_uuid_t	id;				/* key of the hash table */
	int			node;
} MembershipEntry;

typedef struct MembershipTree
{
	MembershipNode *nodes;		/* in the order in which they were reached */
	int			count;
	int			size;
	HTAB	   *by_id;
} MembershipTree;

/* A row of the result. */
typedef struct Grant
{
	Datum		values[NUM_COLUMNS];
	bool		nulls[NUM_COLUMNS];
	int			place;			/* of its cause in the order of the result */
	AccessLevel level;
	char	   *detail;
} Grant;

static StaticPlan plan_name = {
	"SELECT name FROM orchestration.principal WHERE id = $1", 1, {UUIDOID}
};

/* Groups of the members $1, in the order of the members. */
static StaticPlan plan_groups = {
	"SELECT f.place, g.id, g.name"
	"  FROM ROWS FROM (pg_catalog.unnest($1)) WITH ORDINALITY AS f (id, place)"
	"  JOIN orchestration.membership m ON m.member_id = f.id"
	"  JOIN orchestration.principal g ON g.id = m.group_id"
	" ORDER BY f.place, g.name COLLATE pg_catalog.\"C\", g.id",
	1, {UUIDARRAYOID}
};

/*
 * Grants that may give a user access to a record.  The user's principals are $7; $2 is the
 * object whose sharing it has.  The caller drops rules whose source group_id the owner does
 * not belong to, and grants by membership to principals that are not the user's; it appends
 * the paths to the details, and the suffixes.
 */
static StaticPlan plan_grants = {
	"WITH acting AS ("
	"  SELECT p.* FROM orchestration.principal p"
	"   WHERE p.id = $1 AND p.kind = 'User' AND p.is_active)"
	" SELECT $8::orchestration.shared_object, x.cause,"
	"        x.access_level::orchestration.access_level, x.granted_to, x.source_id,"
	"        x.detail, x.place, x.group_id, x.by_membership, NULL::pg_catalog.text"
	" FROM ("
	"  SELECT 1 AS place, 'Modify All Data' AS cause, 'All' AS access_level,"
	"         a.id AS granted_to, NULL::pg_catalog.uuid AS source_id,"
	"         pg_catalog.format('permission of %s', a.name) AS detail,"
	"         NULL::pg_catalog.uuid AS group_id, false AS by_membership"
	"    FROM acting a WHERE a.modify_all_data"
	"  UNION ALL"
	"  SELECT 2, 'View All Data', 'Read', a.id, NULL,"
	"         pg_catalog.format('permission of %s', a.name), NULL, false"
	"    FROM acting a WHERE a.view_all_data"
	"  UNION ALL"
	"  SELECT 3, 'Default', CASE d.sharing_model WHEN 'Read' THEN 'Read' ELSE 'Edit' END,"
	"         a.id, NULL, pg_catalog.format('default access of %s', d.object), NULL, false"
	"    FROM acting a JOIN orchestration.default_access d"
	"      ON d.object = $2::orchestration.shared_object AND d.sharing_model <> 'Private'"
	"  UNION ALL"
	"  SELECT 4, 'Owner', 'All', a.id, a.id, pg_catalog.format('%s owns it', a.name),"
	"         NULL, false"
	"    FROM acting a WHERE a.id = $4"
	"  UNION ALL"
	"  SELECT 5, 'Rule', r.access_level::pg_catalog.text, r.user_or_group_id, r.id,"
	"         pg_catalog.format('rule \"%s\": %s', r.name,"
	"           COALESCE('orchestration ' || d.name || '; for ', 'owner ')),"
	"         r.group_id, true"
	"    FROM acting a CROSS JOIN pg_catalog.unnest($7) m (id)"
	"    JOIN orchestration.owner_sharing_rule r"
	"      ON r.user_or_group_id = m.id AND r.object = $2::orchestration.shared_object"
	"    LEFT JOIN orchestration.orchestration_definition d"
	"      ON d.id = r.orchestration_id AND d.id = $5"
	"   WHERE r.group_id IS NOT NULL OR d.id IS NOT NULL"
	"  UNION ALL"
	"  SELECT 6, 'Manual', g.access_level::pg_catalog.text, g.user_or_group_id, g.id,"
	"         'manual share for ', NULL, true"
	"    FROM acting a JOIN orchestration.share_grant g ON g.record_id = $3"
	"  UNION ALL"
	"  SELECT 7, 'Assignee', 'Read', $6, $6, 'assigned to ', NULL, true"
	"    FROM acting a WHERE $6 IS NOT NULL) x",
	8, {UUIDOID, TEXTOID, UUIDOID, UUIDOID, UUIDOID, UUIDOID, UUIDARRAYOID, TEXTOID}
};

/*
 * Grants by approvals of the run $1 to the active user $2, whose principals are $3: of the
 * work item $4 or, if that is null, of all of the submission.  below: the members of the
 * assignees; managed: the users below $2, none unless $6.
 */
static StaticPlan plan_reviews = {
	"WITH RECURSIVE item AS ("
	"  SELECT a.name, a.assigned_to FROM orchestration.submission_item a"
	"   WHERE a.run_id = $1 AND (a.work_item_id = $4 OR $4 IS NULL)),"
	" below (assignee, id) AS ("
	"  SELECT i.assigned_to, i.assigned_to FROM item i"
	"  UNION SELECT b.assignee, m.member_id FROM below b"
	"    JOIN orchestration.membership m ON m.group_id = b.id),"
	" managed (id) AS ("
	"  SELECT $2 WHERE $6"
	"  UNION SELECT p.id FROM managed u"
	"    JOIN orchestration.principal p ON p.manager_id = u.id),"
	" answers AS ("
	"  SELECT b.assignee, p.id, p.name, p.delegated_approver_id"
	"    FROM below b JOIN orchestration.principal p ON p.id = b.id"
	"   WHERE p.kind = 'User' AND p.is_active AND p.id <> $2)"
	" SELECT $5::orchestration.shared_object, x.cause, 'Read'::orchestration.access_level,"
	"        x.granted_to, x.source_id,"
	"        pg_catalog.format('%s: %s', i.name, x.detail), x.place, NULL::pg_catalog.uuid,"
	"        x.by_membership, x.suffix"
	"  FROM item i CROSS JOIN LATERAL ("
	/* that of a work item is among the other grants */
	"  SELECT 7 AS place, 'Assignee' AS cause, i.assigned_to AS granted_to,"
	"         i.assigned_to AS source_id, 'assigned to ' AS detail, true AS by_membership,"
	"         NULL::pg_catalog.text AS suffix"
	"   WHERE $4 IS NULL AND i.assigned_to = ANY ($3)"
	"  UNION ALL"
	"  SELECT 8, 'Delegate', u.delegated_approver_id, u.id, 'delegated to ', true,"
	"         pg_catalog.format(' by %s', u.name)"
	"    FROM answers u WHERE u.assignee = i.assigned_to AND u.delegated_approver_id = ANY ($3)"
	"  UNION ALL"
	"  SELECT 8, 'Delegate', d.delegated_to, d.id, 'delegated to ', true,"
	"         pg_catalog.format(' by %s', u.name)"
	"         || CASE WHEN d.end_date IS NULL THEN ''"
	"                 ELSE pg_catalog.format(' until %s', d.end_date) END"
	"    FROM answers u JOIN orchestration.approval_delegation d ON d.delegated_from = u.id"
	"   WHERE u.assignee = i.assigned_to AND d.delegated_to = ANY ($3)"
	"     AND (d.end_date IS NULL OR d.end_date > pg_catalog.clock_timestamp())"
	"  UNION ALL"
	"  SELECT 9, 'Manager', $2, u.id, pg_catalog.format('above %s', u.name), false, NULL"
	"    FROM answers u JOIN managed g ON g.id = u.id WHERE u.assignee = i.assigned_to) x",
	6, {UUIDOID, UUIDOID, UUIDARRAYOID, UUIDOID, TEXTOID, BOOLOID}
};

static bool add_node(MembershipTree *tree, const pg_uuid_t *id, const char *name,
					 int member);
static ArrayType *node_ids(const MembershipTree *tree, int first, int n);
static void walk_memberships(const pg_uuid_t *principal_id, MembershipTree *tree);
static int	find_node(const MembershipTree *tree, const pg_uuid_t *id);
static void append_path(StringInfo buf, const MembershipTree *tree, int node);
static bool read_grant(HeapTuple tuple, TupleDesc desc, const MembershipTree *mine,
					   const MembershipTree *owning, Grant *grant);
static Grant *find_grants(const pg_uuid_t *user_id, const RecordAccess *record,
						  const MembershipTree *mine, const MembershipTree *owning,
						  int *ngrants);
static Grant *read_grants(Grant *grants, int *ngrants, const MembershipTree *mine,
						  const MembershipTree *owning);
static int	compare_grants(const void *a, const void *b);

/* ------------------------------------------------------------ memberships */

/*
 * Add a principal; false: the tree has it.
 */
static bool
add_node(MembershipTree *tree, const pg_uuid_t *id, const char *name, int member)
{
	MembershipEntry *entry;
	bool		found;

	entry = hash_search(tree->by_id, id, HASH_ENTER, &found);
	if (found)
		return false;
	if (tree->count == tree->size)
	{
		tree->size *= 2;
		tree->nodes = repalloc_huge(tree->nodes, (Size) tree->size * sizeof(MembershipNode));
	}
	entry->node = tree->count;
	tree->nodes[tree->count].id = *id;
	tree->nodes[tree->count].name = pstrdup(name);
	tree->nodes[tree->count].member = member;
	tree->count++;
	return true;
}

/*
 * The ids of n nodes, as an array.
 */
static ArrayType *
node_ids(const MembershipTree *tree, int first, int n)
{
	Datum	   *ids = palloc(Max(n, 1) * sizeof(Datum));
	int			i;

	for (i = 0; i < n; i++)
		ids[i] = UUIDPGetDatum(&tree->nodes[first + i].id);
	return construct_array(ids, n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR);
}

/*
 * Find a principal and all groups and queues that it belongs to, level by level: each
 * membership is read once.  The path to a group is one with the fewest memberships; among
 * those, the first in byte order of the names, read from the principal on.  Connected to
 * SPI, in system context.
 */
static void
walk_memberships(const pg_uuid_t *principal_id, MembershipTree *tree)
{
	HASHCTL		info;
	Datum		value = UUIDPGetDatum(principal_id);
	int			first = 0;

	info.keysize = sizeof(pg_uuid_t);
	info.entrysize = sizeof(MembershipEntry);
	info.hcxt = CurrentMemoryContext;
	tree->by_id = hash_create("orchestration memberships", 64, &info,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	tree->size = 64;
	tree->count = 0;
	tree->nodes = palloc(tree->size * sizeof(MembershipNode));

	orch_plan_execute_latest(&plan_name, &value, NULL, 1);
	if (SPI_processed == 0)
		return;
	(void) add_node(tree, principal_id,
					SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1), -1);
	while (first < tree->count)
	{
		int			level = tree->count - first;
		SPITupleTable *found;
		uint64		nfound;
		uint64		i;

		value = PointerGetDatum(node_ids(tree, first, level));
		orch_plan_execute_latest(&plan_groups, &value, NULL, 0);
		found = SPI_tuptable;
		nfound = SPI_processed;
		for (i = 0; i < nfound; i++)
		{
			HeapTuple	tuple = found->vals[i];
			bool		isnull;
			int64		place = DatumGetInt64(SPI_getbinval(tuple, found->tupdesc, 1, &isnull));
			Datum		group = SPI_getbinval(tuple, found->tupdesc, 2, &isnull);

			CHECK_FOR_INTERRUPTS();
			(void) add_node(tree, DatumGetUUIDP(group),
							SPI_getvalue(tuple, found->tupdesc, 3),
							first + (int) place - 1);
		}
		SPI_freetuptable(found);
		pfree(DatumGetPointer(value));
		first += level;
	}
}

/*
 * The node of a principal, -1 if it is not in the tree.
 */
static int
find_node(const MembershipTree *tree, const pg_uuid_t *id)
{
	MembershipEntry *entry = hash_search(tree->by_id, id, HASH_FIND, NULL);

	return entry == NULL ? -1 : entry->node;
}

/*
 * Append how the principal of a tree belongs to a node: alice in Approvers in Finance.
 */
static void
append_path(StringInfo buf, const MembershipTree *tree, int node)
{
	int		   *path;
	int			length = 0;
	int			i;

	for (i = node; i >= 0; i = tree->nodes[i].member)
		length++;
	path = palloc(length * sizeof(int));
	for (i = node; i >= 0; i = tree->nodes[i].member)
		path[--length] = i;
	for (i = 0;; i++)
	{
		CHECK_FOR_INTERRUPTS();
		appendStringInfoString(buf, tree->nodes[path[i]].name);
		if (path[i] == node)
			break;
		appendStringInfoString(buf, " in ");
	}
	pfree(path);
}

/* ------------------------------------------------------------- explanations */

/*
 * Read a row of plan_grants or plan_reviews; false: it gives the user nothing.
 */
static bool
read_grant(HeapTuple tuple, TupleDesc desc, const MembershipTree *mine,
		   const MembershipTree *owning, Grant *grant)
{
	StringInfoData detail;
	bool		isnull;
	Datum		value;
	int			i;

	for (i = 0; i < NUM_COLUMNS; i++)
		grant->values[i] = SPI_getbinval(tuple, desc, i + 1, &grant->nulls[i]);
	grant->place = DatumGetInt32(SPI_getbinval(tuple, desc, PLACE + 1, &isnull));
	grant->level = (AccessLevel) (ACCESS_READ +
								  orch_catalog_label_value(ENUM_ACCESS_LEVEL,
														   DatumGetObjectId(grant->values[LEVEL])));
	initStringInfo(&detail);
	appendStringInfoString(&detail, TextDatumGetCString(grant->values[DETAIL]));
	value = SPI_getbinval(tuple, desc, GROUP_ID + 1, &isnull);
	if (!isnull)
	{
		int			node = find_node(owning, DatumGetUUIDP(value));

		if (node < 0)
			return false;
		append_path(&detail, owning, node);
		appendStringInfoString(&detail, "; for ");
	}
	if (DatumGetBool(SPI_getbinval(tuple, desc, BY_MEMBERSHIP + 1, &isnull)))
	{
		int			node = find_node(mine, DatumGetUUIDP(grant->values[GRANTED_TO]));

		if (node < 0)
			return false;
		append_path(&detail, mine, node);
	}
	value = SPI_getbinval(tuple, desc, SUFFIX + 1, &isnull);
	if (!isnull)
		appendStringInfoString(&detail, TextDatumGetCString(value));
	grant->detail = detail.data;
	return true;
}

/*
 * Every grant of access to the record.  Connected to SPI, in system context.
 */
static Grant *
find_grants(const pg_uuid_t *user_id, const RecordAccess *record,
			const MembershipTree *mine, const MembershipTree *owning, int *ngrants)
{
	Datum		values[8];
	char		nulls[8] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
	Datum		mine_ids = PointerGetDatum(node_ids(mine, 0, mine->count));
	Datum		label = CStringGetTextDatum(orch_catalog_label(ENUM_SHARED_OBJECT,
															   record->object));
	Grant	   *grants = NULL;

	values[0] = UUIDPGetDatum(user_id);
	values[1] = record->object != OBJECT_APPROVAL_WORK_ITEM ? label :
		CStringGetTextDatum(orch_catalog_label(ENUM_SHARED_OBJECT,
											   OBJECT_APPROVAL_SUBMISSION));
	values[2] = UUIDPGetDatum(&record->share_id);
	values[3] = UUIDPGetDatum(&record->owner_id);
	values[4] = UUIDPGetDatum(&record->orchestration_id);
	if (!record->has_orchestration)
		nulls[4] = 'n';
	values[5] = UUIDPGetDatum(&record->assignee_id);
	if (record->object != OBJECT_WORK_ITEM)
		nulls[5] = 'n';
	values[6] = mine_ids;
	values[7] = label;
	orch_plan_execute_latest(&plan_grants, values, nulls, 0);
	*ngrants = 0;
	grants = read_grants(grants, ngrants, mine, owning);
	if (!record->is_approval || record->object == OBJECT_RUN)
		return grants;

	memset(nulls, ' ', sizeof(nulls));
	values[0] = UUIDPGetDatum(&record->run_id);
	values[1] = UUIDPGetDatum(user_id);
	values[2] = mine_ids;
	values[3] = UUIDPGetDatum(&record->id);
	if (record->object != OBJECT_WORK_ITEM)
		nulls[3] = 'n';
	values[4] = label;
	values[5] = BoolGetDatum(orch_managers_review);
	orch_plan_execute_latest(&plan_reviews, values, nulls, 0);
	return read_grants(grants, ngrants, mine, owning);
}

/*
 * Append what the last query found.
 */
static Grant *
read_grants(Grant *grants, int *ngrants, const MembershipTree *mine,
			const MembershipTree *owning)
{
	Size		size = Max(*ngrants + SPI_processed, 1) * sizeof(Grant);
	uint64		i;

	grants = grants == NULL ? palloc_extended(size, MCXT_ALLOC_HUGE) :
		repalloc_huge(grants, size);
	for (i = 0; i < SPI_processed; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (read_grant(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, mine, owning,
					   &grants[*ngrants]))
			(*ngrants)++;
	}
	return grants;
}

/*
 * By cause, then Read before Edit, then by detail.
 */
static int
compare_grants(const void *a, const void *b)
{
	const Grant *left = a;
	const Grant *right = b;
	int			result;

	if (left->place != right->place)
		return left->place < right->place ? -1 : 1;
	if (left->level != right->level)
		return left->level < right->level ? -1 : 1;
	result = strcmp(left->detail, right->detail);
	if (result == 0 && !left->nulls[SOURCE_ID])
		result = memcmp(DatumGetUUIDP(left->values[SOURCE_ID]),
						DatumGetUUIDP(right->values[SOURCE_ID]), UUID_LEN);
	return result;
}

PG_FUNCTION_INFO_V1(orchestration_explain_access);

/*
 * orchestration.explain_access(record_id uuid, user_id uuid,
 *		OUT object orchestration.shared_object, OUT cause text,
 *		OUT access_level orchestration.access_level, OUT granted_to uuid,
 *		OUT source_id uuid, OUT detail text) returns setof record
 *
 * Returns every grant that gives the user access to the record; no row if the user has no
 * access, for example because the user is not active.  The detail of a grant names one
 * path to it, as walk_memberships() finds it.
 * Raises: 22004 for null, OR101 for a record that does not exist or that the caller does
 * not see, 42501 without All access to it, OR103 for an unknown user.
 * Source: reference.md, 6.1.
 */
Datum
orchestration_explain_access(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			role = GetUserId();
	RecordAccess record;
	Principal	principal;
	SystemContext saved;
	MembershipTree mine;
	MembershipTree owning;
	Grant	   *grants;
	int			ngrants;
	int			i;

	orch_require_arguments(fcinfo, 0, 2, "record_id and user_id");
	orch_caller_require_all(role, ANY_OBJECT, PG_GETARG_UUID_P(0), &record,
							"see the sharing of");
	orch_principal_require_user(PG_GETARG_UUID_P(1), &principal);

	InitMaterializedSRF(fcinfo, 0);
	if (!principal.is_active)
		return (Datum) 0;
	orch_system_connect(&saved);
	walk_memberships(&principal.id, &mine);
	walk_memberships(&record.owner_id, &owning);
	grants = find_grants(&principal.id, &record, &mine, &owning, &ngrants);
	if (ngrants > 1)
		qsort(grants, ngrants, sizeof(Grant), compare_grants);
	for (i = 0; i < ngrants; i++)
	{
		grants[i].values[DETAIL] = CStringGetTextDatum(grants[i].detail);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, grants[i].values,
							 grants[i].nulls);
	}
	orch_system_finish(&saved);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(orchestration_user_record_access);

/*
 * orchestration.user_record_access(record_ids uuid[], user_id uuid,
 *		OUT record_id uuid, OUT user_id uuid, OUT has_read_access boolean,
 *		OUT has_edit_access boolean, OUT has_delete_access boolean,
 *		OUT has_transfer_access boolean, OUT has_all_access boolean,
 *		OUT max_access_level text) returns setof record
 *
 * Returns the access of a user (null: the caller) to up to 200 records, in the order of the
 * ids and without records that the caller cannot read.  max_access_level is None, Read, Edit
 * or All; All includes delete and transfer.
 * Raises: 22004 for null ids, 42501 for a role that acts as no active user, OR103 for an
 * unknown user, 22023 for more than 200 ids.
 * Source: reference.md, 6.6.
 */
Datum
orchestration_user_record_access(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"None", "Read", "Edit", "All"};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			role = GetUserId();
	AccessSet  *caller;
	bool		is_other = !PG_ARGISNULL(1);
	bool		is_user = is_other;
	pg_uuid_t	user_id;
	Datum	   *ids;
	bool	   *id_nulls;
	int			nids;
	int			i;

	orch_require_arguments(fcinfo, 0, 1, "record_ids");
	caller = orch_access_require_user(role);
	if (is_other)
	{
		Principal	principal;

		user_id = *PG_GETARG_UUID_P(1);
		orch_principal_require_user(&user_id, &principal);
	}
	else if (caller->is_user)
	{
		is_user = true;
		user_id = caller->user_id;
	}

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), UUIDOID, UUID_LEN, false,
					  TYPALIGN_CHAR, &ids, &id_nulls, &nids);
	if (nids > MAX_RECORDS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("access to %d records was asked for", nids),
				 errdetail("At most %d at once.", MAX_RECORDS)));

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < nids; i++)
	{
		RecordAccess record;
		AccessLevel level;
		Datum		values[8];
		bool		nulls[8] = {false};

		if (id_nulls[i])
			continue;
		level = orch_caller_level(role, ANY_OBJECT, DatumGetUUIDP(ids[i]), &record);
		if (level == ACCESS_NONE)
			continue;
		if (is_other)
			level = orch_access_level(orch_access_of_user(&user_id), &record);
		values[0] = ids[i];
		values[1] = UUIDPGetDatum(&user_id);
		nulls[1] = !is_user;
		values[2] = BoolGetDatum(level >= ACCESS_READ);
		values[3] = BoolGetDatum(level >= ACCESS_EDIT);
		values[4] = values[5] = values[6] = BoolGetDatum(level >= ACCESS_ALL);
		values[7] = CStringGetTextDatum(names[level]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
