/*-------------------------------------------------------------------------
 *
 * planning.c
 *	  What the planner is told of the extension's own tables.
 *
 * A session keeps plans for as long as it lives, and the planner makes each from
 * the statistics of one moment.  The queue is mostly empty when autovacuum
 * analyzes it, every table is when a database is new; a plan made then reads the
 * whole table, and goes on to do so when there are a million rows.  So plans of
 * the extension do not depend on statistics:
 *
 * - A kept plan, the check of a foreign key, or a statement in a function of the
 *	 extension's owner is planned for tables of a fixed, large size whose columns
 *	 have no statistics.  Every reasonable condition is then worth an index, and
 *	 large sets are worth a hash.  A kept plan depends only on its text; its
 *	 planner settings are fixed too.
 * - A statement of a user is planned with the statistics, as everywhere.  Only a
 *	 table that was analyzed while it had no rows but pages is not taken for
 *	 empty for ever after: PostgreSQL trusts the rows a page that it saw then.
 *
 * The plans of foreign keys are made by PostgreSQL; they are known by the security
 * context, which ri_triggers.c and system.c use and nothing else.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/planning.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/pathnodes.h"
#include "optimizer/plancat.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/resowner.h"
#include "utils/selfuncs.h"
#include "utils/syscache.h"

#include "planning.h"

/*
 * The size that a plan of ours is made for.  What matters is only that it is large:
 * reading the table costs much more than looking up one in 200 rows, which is what the
 * planner takes for a condition without statistics.
 */
#define ASSUMED_TUPLES			1000000.0
#define ASSUMED_PAGES			100000
#define ASSUMED_INDEX_PAGES		10000
#define ASSUMED_INDEX_HEIGHT	2

/* Rows a page that a table of ours has at least, unless most were deleted. */
#define LEAST_DENSITY			1.0

typedef struct PlannerSetting
{
	const char *name;
	const char *value;
} PlannerSetting;

/* The settings of a kept plan; those of the caller decide nothing. */
static const PlannerSetting settings[] = {
	{"enable_seqscan", "off"},
	{"enable_indexscan", "on"},
	{"enable_indexonlyscan", "on"},
	{"enable_nestloop", "on"},
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
static const char *const not_by_index[] = {
	"enable_hashjoin", "enable_mergejoin", "enable_bitmapscan"
};

static bool planning_kept = false;	/* a kept plan is being planned */

/* the schema of the extension, or InvalidOid where it is not installed */
static Oid	schema = InvalidOid;
static Oid	schema_owner = InvalidOid;
static bool schema_known = false;

static get_relation_info_hook_type next_relation_info = NULL;
static get_relation_stats_hook_type next_relation_stats = NULL;

static void assume_size(PlannerInfo *root, Oid relid, bool inhparent, RelOptInfo *rel);
static bool hide_statistics(PlannerInfo *root, RangeTblEntry *rte, AttrNumber attnum,
							VariableStatData *vardata);
static bool is_ours(Oid relid);
static bool is_ours_and_planned_for_us(Oid relid);
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
	get_relation_stats_hook = hide_statistics;
	CacheRegisterSyscacheCallback(NAMESPACEOID, forget_schema, (Datum) 0);
}

/*
 * The settings are in force only here, never while something is executed.  An
 * invalidation between here and the execution lets PostgreSQL plan it again without
 * them: what the planner is told of the tables then still decides for indexes.
 */
void
orch_planning_prepare(SPIPlanPtr plan, bool by_index)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));
	CachedPlan *planned;
	bool		outer = planning_kept;
	int			guc_level;
	int			i;

	if (source->is_valid && source->gplan != NULL && source->gplan->is_valid &&
		(!source->dependsOnRLS || source->rewriteRoleId == GetUserId()))
		return;

	guc_level = NewGUCNestLevel();
	for (i = 0; i < (int) lengthof(settings); i++)
		(void) set_config_option(settings[i].name, settings[i].value,
								 PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	for (i = 0; by_index && i < (int) lengthof(not_by_index); i++)
		(void) set_config_option(not_by_index[i], "off",
								 PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	planning_kept = true;
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

/*
 * get_relation_info_hook: sizes of our tables.
 */
static void
assume_size(PlannerInfo *root, Oid relid, bool inhparent, RelOptInfo *rel)
{
	ListCell   *cell;

	if (next_relation_info != NULL)
		next_relation_info(root, relid, inhparent, rel);
	if (is_ours_and_planned_for_us(relid))
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
	else if (rel->tuples < rel->pages * LEAST_DENSITY && is_ours(relid))
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
 * get_relation_stats_hook: true, the planner has none, for our tables in our plans.
 */
static bool
hide_statistics(PlannerInfo *root, RangeTblEntry *rte, AttrNumber attnum,
				VariableStatData *vardata)
{
	if (rte->rtekind == RTE_RELATION && is_ours_and_planned_for_us(rte->relid))
	{
		vardata->statsTuple = NULL;
		return true;
	}
	return next_relation_stats != NULL &&
		next_relation_stats(root, rte, attnum, vardata);
}

static bool
is_ours(Oid relid)
{
	if (relid < FirstNormalObjectId)
		return false;
	if (!schema_known)
		find_schema();
	return OidIsValid(schema) && get_rel_namespace(relid) == schema;
}

/*
 * Is the table one of ours, and the statement a kept one, a foreign key's, or in a
 * function that acts as the owner?
 */
static bool
is_ours_and_planned_for_us(Oid relid)
{
	Oid			user_id;
	int			sec_context;

	GetUserIdAndSecContext(&user_id, &sec_context);
	if (!planning_kept && (sec_context & SECURITY_LOCAL_USERID_CHANGE) == 0)
		return false;
	return is_ours(relid) &&
		(planning_kept || (sec_context & SECURITY_NOFORCE_RLS) != 0 ||
		 user_id == schema_owner);
}

/*
 * Not by catalog.c, which raises an error where the extension is not installed: the
 * library may be preloaded there, and a schema of that name may be somebody else's.
 */
static void
find_schema(void)
{
	HeapTuple	tuple;
	Oid			found;

	/* first: an invalidation that arrives meanwhile undoes it */
	schema_known = true;
	schema = schema_owner = InvalidOid;
	found = get_namespace_oid("orchestration", true);
	if (!OidIsValid(found) ||
		getExtensionOfObject(NamespaceRelationId, found) != get_extension_oid("orchestration", true))
		return;
	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(found));
	if (!HeapTupleIsValid(tuple))
		return;
	schema = found;
	schema_owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
}

static void
forget_schema(Datum arg, int cacheid, uint32 hashvalue)
{
	schema_known = false;
}
