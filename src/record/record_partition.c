/*-------------------------------------------------------------------------
 *
 * record_partition.c
 *	  Partitions of registered tables, and tables that are dropped.
 *
 * PostgreSQL creates row triggers on every partition that is created or attached, but no
 * statement triggers.  So TRUNCATE of a partition, DETACH and DROP TABLE remove records
 * without firing a trigger of their table.  Event triggers see these commands: they
 * create the trigger on TRUNCATE on new partitions, and clear the lookups to records
 * that were detached or dropped, as DELETE does.  A table that is dropped itself is no
 * longer registered.  They also see ENABLE TRIGGER ALL.
 *
 * No such command is refused: only the owner can execute them, who could drop the
 * triggers of the extension as well.  TRUNCATE is a privilege that can be granted; it
 * follows the same rules as DELETE (record_change.c).
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_partition.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/system.h"
#include "record/record.h"
#include "record/record_partition.h"

#define TRUNCATE_TRIGGER "orchestration_record_truncate"

/* Partitions below registered tables; foreign tables cannot have a trigger on TRUNCATE. */
#define PARTITIONS \
	" orchestration.record_type t" \
	" JOIN pg_catalog.pg_class c ON c.oid = t.relation AND c.relkind = 'p'," \
	" LATERAL pg_catalog.pg_partition_tree(t.relation) p" \
	" JOIN pg_catalog.pg_class l ON l.oid = p.relid AND l.relkind IN ('r', 'p')"

static StaticPlan plan_uncovered = {
	"SELECT 'CREATE TRIGGER " TRUNCATE_TRIGGER " AFTER TRUNCATE ON '"
	" || p.relid::pg_catalog.text"
	" || ' FOR EACH STATEMENT EXECUTE FUNCTION orchestration.record_change()'"
	" FROM " PARTITIONS
	" WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g"
	"   WHERE g.tgrelid = p.relid AND g.tgname = '" TRUNCATE_TRIGGER "')",
	0
};
static StaticPlan plan_overcovered = {
	"SELECT 'DROP TRIGGER " TRUNCATE_TRIGGER " ON '"
	" || g.tgrelid::pg_catalog.regclass::pg_catalog.text"
	" FROM pg_catalog.pg_trigger g"
	" WHERE g.tgname = '" TRUNCATE_TRIGGER "'"
	"   AND g.tgfoid = 'orchestration.record_change()'::pg_catalog.regprocedure"
	"   AND g.tgrelid NOT IN (SELECT t.relation FROM orchestration.record_type t)"
	"   AND g.tgrelid NOT IN (SELECT p.relid FROM " PARTITIONS ")",
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

/* Were registered tables or their partitions dropped?  They had the trigger. */
static StaticPlan plan_dropped = {
	"WITH dropped AS MATERIALIZED ("
	"  SELECT object_type, address_names FROM pg_catalog.pg_event_trigger_dropped_objects()"
	"   WHERE object_type IN ('table', 'trigger'))"
	" SELECT 1 FROM dropped g JOIN dropped t ON t.object_type = 'table'"
	"   AND t.address_names = g.address_names[1:2]"
	" WHERE g.object_type = 'trigger' AND g.address_names[3] = '" TRUNCATE_TRIGGER "'",
	0
};
static StaticPlan plan_gone = {
	"SELECT t.name FROM orchestration.record_type t"
	" WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.relation)",
	0
};
static StaticPlan plan_partitioned = {
	"SELECT t.name FROM orchestration.record_type t"
	" JOIN pg_catalog.pg_class c ON c.oid = t.relation WHERE c.relkind = 'p'",
	0
};
static StaticPlan plan_forget = {
	"DELETE FROM orchestration.record_type WHERE name = $1", 1, {TEXTOID}
};

/* ENABLE TRIGGER ALL makes every trigger fire on the origin only. */
static StaticPlan plan_not_always = {
	"SELECT pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I',"
	"   g.tgrelid::pg_catalog.regclass, g.tgname)"
	" FROM pg_catalog.pg_trigger g"
	" WHERE g.tgrelid = $1 AND g.tgenabled = 'O'"
	"   AND g.tgfoid = 'orchestration.invalidate_cache()'::pg_catalog.regprocedure",
	1, {OIDOID}
};

static void execute_all(StaticPlan *plan, Datum *values);
static List *type_names(StaticPlan *plan);
static void command_done(Node *command);
static void triggers_enabled(RangeVar *table);
static void tables_dropped(void);
static bool is_detach(AlterTableStmt *command);

Oid
orch_record_registered(Oid relation, bool is_partition, char **type, List **key_columns)
{
	ListCell   *cell;

	*type = orch_record_type_of(relation, key_columns);
	if (*type != NULL || !is_partition)
		return relation;
	foreach(cell, get_partition_ancestors(relation))
	{
		*type = orch_record_type_of(lfirst_oid(cell), key_columns);
		if (*type != NULL)
			return lfirst_oid(cell);
	}
	return InvalidOid;
}

/*
 * Execute the commands that a query returns.
 */
static void
execute_all(StaticPlan *plan, Datum *values)
{
	SPITupleTable *table;
	uint64		n;
	uint64		i;

	orch_plan_execute(plan, values, NULL, false, 0);
	table = SPI_tuptable;
	n = SPI_processed;
	for (i = 0; i < n; i++)
		if (SPI_execute(SPI_getvalue(table->vals[i], table->tupdesc, 1), false, 0) !=
			SPI_OK_UTILITY)
			elog(ERROR, "could not change the triggers of a table");
}

void
orch_record_cover_partitions(void)
{
	execute_all(&plan_uncovered, NULL);
}

void
orch_record_uncover(void)
{
	execute_all(&plan_overcovered, NULL);
}

void
orch_record_clear_dangling(const char *type)
{
	SystemContext saved;
	Datum		value = CStringGetTextDatum(type);

	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_dangling_runs, &value, NULL, 0);
	orch_plan_execute_latest(&plan_dangling_work_items, &value, NULL, 0);
	orch_system_finish(&saved);
}

/* The names of record types that a query returns. */
static List *
type_names(StaticPlan *plan)
{
	List	   *names = NIL;
	uint64		i;

	orch_plan_execute(plan, NULL, NULL, false, 0);
	for (i = 0; i < SPI_processed; i++)
		names = lappend(names, SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1));
	return names;
}

PG_FUNCTION_INFO_V1(orchestration_record_command);

/*
 * orchestration.record_command() returns event_trigger
 *
 * ddl_command_end and sql_drop: gives partitions of registered tables their trigger, and
 * clears lookups to records that vanished with their table.  Returns null.
 * Raises: 39P03 when not called as an event trigger.
 * Source: ours.
 */
Datum
orchestration_record_command(PG_FUNCTION_ARGS)
{
	EventTriggerData *data = (EventTriggerData *) fcinfo->context;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as an event trigger",
						"record_command")));
	if (strcmp(data->event, "sql_drop") == 0)
		tables_dropped();
	else
		command_done(data->parsetree);
	PG_RETURN_NULL();
}

/*
 * A command ended that may have created, attached or detached partitions.
 */
static void
command_done(Node *command)
{
	bool		detached = false;
	char	   *type = NULL;
	SystemContext saved;

	if (IsA(command, CreateStmt))
	{
		if (((CreateStmt *) command)->partbound == NULL)
			return;
	}
	else if (IsA(command, AlterTableStmt))
	{
		AlterTableStmt *alter = (AlterTableStmt *) command;
		ListCell   *cell;

		foreach(cell, alter->cmds)
		{
			AlterTableCmd *part = lfirst(cell);

			if (part->subtype == AT_EnableTrig || part->subtype == AT_EnableTrigAll ||
				part->subtype == AT_EnableTrigUser)
			{
				triggers_enabled(alter->relation);
				return;
			}
		}
		detached = is_detach(alter);
		if (detached)
		{
			/* as the caller named it */
			Oid			parent = RangeVarGetRelid(alter->relation, NoLock, true);

			if (OidIsValid(parent))
				(void) orch_record_registered(parent, get_rel_relispartition(parent), &type,
											  NULL);
			if (type == NULL)
				return;
		}
		else if (linitial_node(AlterTableCmd, alter->cmds)->subtype != AT_AttachPartition)
			return;
	}
	else if (!IsA(command, CreateSchemaStmt))
		return;

	orch_system_connect(&saved);
	if (detached)
	{
		orch_record_uncover();
		orch_record_clear_dangling(type);
	}
	else
		orch_record_cover_partitions();
	orch_system_finish(&saved);
}

/*
 * Triggers of a table were enabled, as a restore with --disable-triggers does at its
 * end: triggers of the extension that must fire ALWAYS get that back.
 */
static void
triggers_enabled(RangeVar *table)
{
	SystemContext saved;
	Datum		value = ObjectIdGetDatum(RangeVarGetRelid(table, NoLock, true));

	orch_system_connect(&saved);
	execute_all(&plan_not_always, &value);
	orch_system_finish(&saved);
}

/* DETACH PARTITION is the only action of its command. */
static bool
is_detach(AlterTableStmt *command)
{
	AlterTableCmd *first = (AlterTableCmd *) linitial(command->cmds);

	return first->subtype == AT_DetachPartition ||
		first->subtype == AT_DetachPartitionFinalize;
}

/*
 * A command dropped tables.
 */
static void
tables_dropped(void)
{
	SystemContext saved;
	List	   *gone;
	List	   *partitioned;
	ListCell   *cell;

	orch_system_connect(&saved);
	orch_plan_execute(&plan_dropped, NULL, NULL, false, 1);
	if (SPI_processed > 0)
	{
		gone = type_names(&plan_gone);
		partitioned = type_names(&plan_partitioned);
		foreach(cell, gone)
		{
			Datum		value = CStringGetTextDatum((char *) lfirst(cell));

			orch_plan_execute(&plan_forget, &value, NULL, false, 0);
			orch_record_clear_lookups(lfirst(cell));
		}
		foreach(cell, partitioned)
			orch_record_clear_dangling(lfirst(cell));
	}
	orch_system_finish(&saved);
}
