/*-------------------------------------------------------------------------
 *
 * record_partition.c
 *	  The triggers of registered tables, their partitions and their children.
 *
 * PostgreSQL creates row triggers on every partition that is created or attached, but no
 * statement triggers, and no trigger at all on a table that inherits from another.  So the
 * extension creates the trigger on TRUNCATE on partitions, and all triggers on tables that
 * inherit: their rows are records, too.  A child that is registered itself keeps its own.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_partition.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "base/system.h"
#include "record/record.h"
#include "record/record_int.h"
#include "record/record_name.h"
#include "record/record_partition.h"

#define TRUNCATE_TRIGGER "orchestration_record_truncate"

/* The triggers of a table; the argument of the second is its mark (record_name.c). */
#define TRIGGERS \
	"'CREATE OR REPLACE TRIGGER orchestration_record_change" \
	" AFTER INSERT OR UPDATE OR DELETE ON %1$s" \
	" FOR EACH ROW EXECUTE FUNCTION orchestration_internal.record_change();" \
	"CREATE OR REPLACE TRIGGER orchestration_record_changes" \
	" AFTER INSERT OR UPDATE ON %1$s" \
	" FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.record_changes(%2$L);" \
	"CREATE OR REPLACE TRIGGER " TRUNCATE_TRIGGER \
	" AFTER TRUNCATE ON %1$s" \
	" FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.record_change()'"

static StaticPlan plan_triggers = {
	"SELECT pg_catalog.format(" TRIGGERS ", $1::pg_catalog.regclass, $2)",
	2, {OIDOID, TEXTOID}
};
static StaticPlan plan_drop = {
	"SELECT pg_catalog.format('DROP TRIGGER %I ON %s', g.tgname, g.tgrelid::pg_catalog.regclass)"
	" FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid"
	" JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'orchestration_internal'"
	" WHERE g.tgrelid = $1 AND g.tgparentid = 0 AND p.proname IN ('record_change', 'record_changes')",
	1, {OIDOID}
};

/* Partitions below registered tables; foreign tables cannot have a trigger on TRUNCATE. */
static StaticPlan plan_uncovered = {
	"SELECT 'CREATE TRIGGER " TRUNCATE_TRIGGER " AFTER TRUNCATE ON '"
	" || p.relid::pg_catalog.text"
	" || ' FOR EACH STATEMENT EXECUTE FUNCTION orchestration_internal.record_change()'"
	" FROM orchestration.record_type t"
	" JOIN pg_catalog.pg_class c ON c.oid = orchestration_internal.record_type_table(t.name) AND c.relkind = 'p',"
	" LATERAL pg_catalog.pg_partition_tree(c.oid) p"
	" JOIN pg_catalog.pg_class l ON l.oid = p.relid AND l.relkind IN ('r', 'p')"
	" WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g"
	"   WHERE g.tgrelid = p.relid AND g.tgname = '" TRUNCATE_TRIGGER "')",
	0
};

/* Children of registered tables; temporary ones are seen by one session only. */
static StaticPlan plan_uncovered_children = {
	"WITH RECURSIVE child (type, oid) AS ("
	" SELECT t.name, i.inhrelid FROM orchestration.record_type t"
	"   JOIN pg_catalog.pg_class c ON c.oid = orchestration_internal.record_type_table(t.name)"
	"     AND c.relkind = 'r' AND c.relhassubclass"
	"   JOIN pg_catalog.pg_inherits i ON i.inhparent = c.oid"
	" UNION SELECT child.type, i.inhrelid FROM child"
	"   JOIN pg_catalog.pg_inherits i ON i.inhparent = child.oid)"
	" SELECT pg_catalog.format(" TRIGGERS ", c.oid::pg_catalog.regclass, child.type)"
	" FROM child JOIN pg_catalog.pg_class c ON c.oid = child.oid"
	" WHERE c.relkind = 'r' AND c.relpersistence <> 't'"
	"   AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g"
	"     WHERE g.tgrelid = c.oid AND g.tgfoid = " RECORD_MARK_FUNCTION ")",
	0
};

/* Tables that are neither marked nor partitions of a marked table. */
static StaticPlan plan_overcovered = {
	"SELECT 'DROP TRIGGER " TRUNCATE_TRIGGER " ON '"
	" || g.tgrelid::pg_catalog.regclass::pg_catalog.text"
	" FROM pg_catalog.pg_trigger g"
	" WHERE g.tgname = '" TRUNCATE_TRIGGER "'"
	"   AND g.tgfoid = 'orchestration_internal.record_change()'::pg_catalog.regprocedure"
	"   AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger m"
	"     WHERE m.tgrelid = g.tgrelid AND m.tgfoid = " RECORD_MARK_FUNCTION ")"
	"   AND NOT EXISTS (SELECT FROM pg_catalog.pg_partition_ancestors(g.tgrelid) a"
	"     JOIN pg_catalog.pg_trigger m ON m.tgrelid = a.relid AND m.tgfoid = " RECORD_MARK_FUNCTION ")",
	0
};
static StaticPlan plan_dangling_runs = {
	"UPDATE orchestration.run SET triggering_record_id = NULL,"
	" triggering_record_type = NULL"
	" WHERE triggering_record_type = $1 AND triggering_record_id IS NOT NULL"
	"   AND NOT orchestration.record_exists(triggering_record_type, triggering_record_id)",
	1, {TEXTOID}
};
static StaticPlan plan_dangling_work_items = {
	"UPDATE orchestration.work_item SET related_record_id = NULL,"
	" related_record_type = NULL"
	" WHERE related_record_type = $1 AND related_record_id IS NOT NULL"
	"   AND NOT orchestration.record_exists(related_record_type, related_record_id)",
	1, {TEXTOID}
};

Oid
orch_record_registered(Oid relation, bool is_partition, char **type, List **key_columns)
{
	Oid			table = relation;
	ListCell   *cell;

	*type = orch_record_type_of(relation, &table, key_columns);
	if (*type != NULL || !is_partition)
		return table;
	foreach(cell, get_partition_ancestors(relation))
	{
		*type = orch_record_type_of(lfirst_oid(cell), &table, key_columns);
		if (*type != NULL)
			return table;
	}
	return InvalidOid;
}

void
orch_record_execute_all(StaticPlan *plan, Datum *values)
{
	SPITupleTable *table;
	uint64		n;
	uint64		i;

	orch_plan_execute_latest(plan, values, NULL, 0);
	table = SPI_tuptable;
	n = SPI_processed;
	for (i = 0; i < n; i++)
		if (SPI_execute(SPI_getvalue(table->vals[i], table->tupdesc, 1), false, 0) !=
			SPI_OK_UTILITY)
			elog(ERROR, "could not change the triggers of a table");
}

void
orch_record_create_triggers(const char *type, Oid relation)
{
	Datum		values[2];

	values[0] = ObjectIdGetDatum(relation);
	values[1] = CStringGetTextDatum(type);
	orch_record_execute_all(&plan_triggers, values);
}

void
orch_record_drop_triggers(const char *type, Oid keep)
{
	ListCell   *cell;

	foreach(cell, orch_record_marked(type))
	{
		Datum		value = ObjectIdGetDatum(lfirst_oid(cell));

		if (OidIsValid(keep) &&
			(lfirst_oid(cell) == keep || orch_record_inherits(lfirst_oid(cell), keep)))
			continue;
		orch_record_execute_all(&plan_drop, &value);
	}
}

void
orch_record_cover(void)
{
	orch_record_execute_all(&plan_uncovered, NULL);
	orch_record_execute_all(&plan_uncovered_children, NULL);
}

void
orch_record_uncover(void)
{
	orch_record_execute_all(&plan_overcovered, NULL);
}

void
orch_record_clear_dangling(const char *type)
{
	SystemContext saved;
	Datum		value = CStringGetTextDatum(type);

	orch_system_connect(&saved);
	/* without a table, every lookup dangles, and all of them are kept */
	if (orch_record_find(type, true) != NULL)
	{
		orch_plan_execute_latest(&plan_dangling_runs, &value, NULL, 0);
		orch_plan_execute_latest(&plan_dangling_work_items, &value, NULL, 0);
	}
	orch_system_finish(&saved);
}
