/*-------------------------------------------------------------------------
 *
 * planning.c
 *	  The planner's view of the extension's own tables.
 *
 * A session keeps plans as long as it lives, and the planner makes each from the
 * statistics of one moment.  The queue is mostly empty when autovacuum analyzes it, and
 * every table of a new database is.  A plan made then reads the whole table, and still
 * does when the table has a million rows.  So plans of the extension do not depend on
 * statistics:
 *
 * - Kept plans and checks of foreign keys are planned for tables of a fixed, large size
 *	 and columns of fixed statistics, so that every condition uses its index.  A kept
 *	 plan depends only on its text: its planner settings are fixed, too.
 * - Users' statements are planned with the statistics.  One exception: PostgreSQL keeps
 *	 the density (rows per page) that ANALYZE saw, so it would take a table that had
 *	 pages and no rows then for empty for ever.  LEAST_DENSITY corrects that.
 *
 * PostgreSQL makes the plans of foreign keys.  They are recognized by the security
 * context SECURITY_NOFORCE_RLS, which only ri_triggers.c and system.c use.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/planning.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/pathnodes.h"
#include "optimizer/plancat.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#include "base/planning.h"

/* The sizes that plans are made for: a large table with ten rows for each id. */
#define ASSUMED_TUPLES			1000000.0
#define ASSUMED_PAGES			100000
#define ASSUMED_INDEX_PAGES		10000
#define ASSUMED_INDEX_HEIGHT	2
#define ASSUMED_DISTINCT		(-0.1)	/* of ids */
#define ASSUMED_STATUSES		4	/* of enums */
#define ASSUMED_WIDTH			16

/* Rows per page that a table of the extension has at least, unless most were deleted. */
#define LEAST_DENSITY			1.0

typedef struct PlannerSetting
{
	const char *name;
	const char *value;
} PlannerSetting;

/* The settings for planning a kept plan, instead of the caller's. */
static const PlannerSetting settings[] = {
	{"enable_seqscan", "off"},
	{"enable_indexscan", "on"},
	{"enable_indexonlyscan", "on"},
	{"enable_nestloop", "on"},
	{"enable_hashjoin", "on"},
	{"enable_mergejoin", "on"},
	{"enable_memoize", "off"},
	{"jit", "off"},
	{"seq_page_cost", "1"},
	{"random_page_cost", "4"},
	{"cpu_tuple_cost", "0.01"},
	{"cpu_index_tuple_cost", "0.005"},
	{"cpu_operator_cost", "0.0025"},
	{"effective_cache_size", "4GB"},
	{"from_collapse_limit", "8"},
	{"join_collapse_limit", "8"}
};

/*
 * For users who see few rows, instead of their own.  An entry of an index costs as much as
 * the page of its row: the policies bound both, and another index is read only where it has
 * fewer entries than the user sees rows.
 */
static const PlannerSetting by_index[] = {
	{"enable_seqscan", "off"},
	{"random_page_cost", "1"},
	{"cpu_index_tuple_cost", "1"}
};

static bool planning_kept = false;	/* a kept plan is being planned */

/* the schema of the extension, or InvalidOid where it is not installed */
static Oid	schema = InvalidOid;
static bool schema_known = false;

static get_relation_info_hook_type next_relation_info = NULL;
static get_relation_stats_hook_type next_relation_stats = NULL;

static bool has_plan(SPIPlanPtr plan);
static void plan_with(SPIPlanPtr plan, const PlannerSetting *with, int n,
					  const char *bitmaps, bool for_us);
static void assume_size(PlannerInfo *root, Oid relid, bool inhparent, RelOptInfo *rel);
static bool assume_statistics(PlannerInfo *root, RangeTblEntry *rte, AttrNumber attnum,
							  VariableStatData *vardata);
static bool is_own(Oid relid);
static bool planned_for_us(Oid relid);
static HeapTuple assumed_statistics(Oid type);
static HeapTuple make_statistics(float4 distinct);
static void keep_statistics(HeapTuple tuple);
static void find_schema(void);
static void forget_schema(Datum arg, int cacheid, uint32 hashvalue);

/*
 * Installs the hooks; called once, by _PG_init().
 */
void
orch_planning_init(void)
{
	next_relation_info = get_relation_info_hook;
	get_relation_info_hook = assume_size;
	next_relation_stats = get_relation_stats_hook;
	get_relation_stats_hook = assume_statistics;
	CacheRegisterSyscacheCallback(NAMESPACEOID, forget_schema, (Datum) 0);
}

/*
 * Does the statement have a generic plan that is still valid?
 */
static bool
has_plan(SPIPlanPtr plan)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));

	return source->is_valid && source->gplan != NULL && source->gplan->is_valid &&
		(!source->dependsOnRLS || source->rewriteRoleId == GetUserId());
}

/*
 * Plan a statement with these settings; for_us: for assumed sizes and statistics, too.
 *
 * The settings are in force only here, never while a statement is executed.  If the plan
 * is invalidated between here and its execution, PostgreSQL plans it again without them;
 * the sizes and statistics assumed below still make it use the indexes.
 */
static void
plan_with(SPIPlanPtr plan, const PlannerSetting *with, int n, const char *bitmaps, bool for_us)
{
	CachedPlan *planned;
	bool		outer = planning_kept;
	int			guc_level;
	int			i;

	if (has_plan(plan))
		return;

	guc_level = NewGUCNestLevel();
	for (i = 0; i < n; i++)
		(void) set_config_option(with[i].name, with[i].value, PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	if (bitmaps != NULL)
		(void) set_config_option("enable_bitmapscan", bitmaps, PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	planning_kept = outer || for_us;
	PG_TRY();
	{
		planned = SPI_plan_get_cached_plan(plan);
	}
	PG_FINALLY();
	{
		planning_kept = outer;
	}
	PG_END_TRY();
	if (planned != NULL)
		ReleaseCachedPlan(planned, CurrentResourceOwner);
	AtEOXact_GUC(true, guc_level);
}

void
orch_planning_prepare(SPIPlanPtr plan, bool bitmaps)
{
	plan_with(plan, settings, lengthof(settings), bitmaps ? "on" : "off", true);
}

void
orch_planning_by_index(SPIPlanPtr plan)
{
	plan_with(plan, by_index, lengthof(by_index), NULL, false);
}

/*
 * get_relation_info_hook: the sizes of the extension's tables.
 */
static void
assume_size(PlannerInfo *root, Oid relid, bool inhparent, RelOptInfo *rel)
{
	ListCell   *cell;

	if (next_relation_info != NULL)
		next_relation_info(root, relid, inhparent, rel);
	if (planned_for_us(relid))
	{
		rel->pages = ASSUMED_PAGES;
		rel->tuples = ASSUMED_TUPLES;
		rel->allvisfrac = 0;
		rel->statlist = NIL;
		foreach(cell, rel->indexlist)
		{
			IndexOptInfo *index = lfirst(cell);

			index->pages = ASSUMED_INDEX_PAGES;
			index->tuples = ASSUMED_TUPLES;
			index->tree_height = ASSUMED_INDEX_HEIGHT;
		}
	}
	else if (rel->tuples < rel->pages * LEAST_DENSITY && is_own(relid))
	{
		rel->tuples = rel->pages * LEAST_DENSITY;
		foreach(cell, rel->indexlist)
		{
			IndexOptInfo *index = lfirst(cell);

			if (index->indpred == NIL)
				index->tuples = rel->tuples;
		}
	}
}

/*
 * get_relation_stats_hook: the statistics of the extension's columns.  Returns true if
 * the planner is to use these.
 */
static bool
assume_statistics(PlannerInfo *root, RangeTblEntry *rte, AttrNumber attnum,
				  VariableStatData *vardata)
{
	if (rte->rtekind != RTE_RELATION || !planned_for_us(rte->relid))
		return next_relation_stats != NULL &&
			next_relation_stats(root, rte, attnum, vardata);
	vardata->statsTuple = assumed_statistics(get_atttype(rte->relid, attnum));
	vardata->freefunc = keep_statistics;
	vardata->acl_ok = true;
	return true;
}

/* Is the table in the schema of the extension? */
static bool
is_own(Oid relid)
{
	if (relid < FirstNormalObjectId)
		return false;
	if (!schema_known)
		find_schema();
	return OidIsValid(schema) && get_rel_namespace(relid) == schema;
}

/*
 * Is the table the extension's, and the statement a kept plan or a check of a foreign key?
 */
static bool
planned_for_us(Oid relid)
{
	Oid			user_id;
	int			sec_context;

	GetUserIdAndSecContext(&user_id, &sec_context);
	return (planning_kept || (sec_context & SECURITY_NOFORCE_RLS) != 0) && is_own(relid);
}

/*
 * Rows of pg_statistic for columns of ids and of enums, kept for the session; NULL for
 * other types.
 */
static HeapTuple
assumed_statistics(Oid type)
{
	static HeapTuple of_ids = NULL;
	static HeapTuple of_statuses = NULL;

	if (of_ids == NULL)
		of_ids = make_statistics(ASSUMED_DISTINCT);
	if (of_statuses == NULL)
		of_statuses = make_statistics(ASSUMED_STATUSES);
	return type == UUIDOID ? of_ids : type_is_enum(type) ? of_statuses : NULL;
}

static HeapTuple
make_statistics(float4 distinct)
{
	Relation	relation = table_open(StatisticRelationId, AccessShareLock);
	Datum		values[Natts_pg_statistic];
	bool		nulls[Natts_pg_statistic];
	MemoryContext old;
	HeapTuple	made;
	int			i;

	memset(values, 0, sizeof(values));
	memset(nulls, false, sizeof(nulls));
	values[Anum_pg_statistic_stawidth - 1] = Int32GetDatum(ASSUMED_WIDTH);
	values[Anum_pg_statistic_stadistinct - 1] = Float4GetDatum(distinct);
	for (i = 0; i < STATISTIC_NUM_SLOTS; i++)
		nulls[Anum_pg_statistic_stanumbers1 - 1 + i] =
			nulls[Anum_pg_statistic_stavalues1 - 1 + i] = true;
	old = MemoryContextSwitchTo(TopMemoryContext);
	made = heap_form_tuple(RelationGetDescr(relation), values, nulls);
	MemoryContextSwitchTo(old);
	table_close(relation, AccessShareLock);
	return made;
}

/* VariableStatData.freefunc: nothing is freed. */
static void
keep_statistics(HeapTuple tuple)
{
}

/*
 * catalog.c does not serve here, because it raises an error if the extension is not
 * installed.  The library may be preloaded there, and a schema of that name need not be
 * the extension's.
 */
static void
find_schema(void)
{
	Oid			extension;
	Oid			found;

	/* set first, because an invalidation that arrives meanwhile resets it */
	schema_known = true;
	schema = InvalidOid;
	PG_TRY();
	{
		extension = get_extension_oid("orchestration", true);
		found = get_namespace_oid("orchestration", true);
		if (OidIsValid(extension) && OidIsValid(found) &&
			getExtensionOfObject(NamespaceRelationId, found) == extension)
			schema = found;
	}
	PG_CATCH();
	{
		schema_known = false;
		PG_RE_THROW();
	}
	PG_END_TRY();
}

static void
forget_schema(Datum arg, int cacheid, uint32 hashvalue)
{
	schema_known = false;
}
