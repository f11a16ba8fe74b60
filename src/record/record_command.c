/*-------------------------------------------------------------------------
 *
 * record_command.c
 *	  Commands of users that concern registered tables, seen by event triggers.
 *
 * Commands create, attach and detach partitions and children, rename tables and columns, and
 * drop them, without firing a trigger of the table.  Event triggers see them: they keep the
 * triggers of registered tables complete (record_partition.c), and the names of record types
 * right (record_follow.c).  They also see ENABLE TRIGGER ALL.
 *
 * No such command is refused, and none fails because of this: the work is done in a
 * subtransaction, whose error becomes a warning.  Only the owner can execute these commands,
 * who could drop the triggers of the extension as well.  Event triggers run for every
 * command with their tags, so a command that cannot concern a registered table is recognised
 * by its parse tree, without a query.
 *
 * Event triggers do not see everything: they can be disabled, and do not run on a standby or
 * in single-user mode.  What they missed is found at the next use (record.c).
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_command.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/subtransaction.h"
#include "base/system.h"
#include "record/record.h"
#include "record/record_follow.h"
#include "record/record_name.h"
#include "record/record_partition.h"

/* ENABLE TRIGGER ALL makes every trigger fire on the origin only. */
static StaticPlan plan_not_always = {
	"SELECT pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I',"
	"   g.tgrelid::pg_catalog.regclass, g.tgname)"
	" FROM pg_catalog.pg_trigger g"
	" WHERE g.tgrelid = $1 AND g.tgenabled = 'O'"
	"   AND g.tgfoid = 'orchestration_internal.invalidate_cache()'::pg_catalog.regprocedure",
	1, {OIDOID}
};

/* Runs that were loaded while the triggers of run were disabled. */
static StaticPlan plan_rebuild_open_runs = {
	"SELECT orchestration.rebuild_open_runs() WHERE $1 = 'orchestration.run'::pg_catalog.regclass",
	1, {OIDOID}
};

static bool concerns(Node *command);
static void protected(Node *command, Oid user);
static void command_done(Node *command, Oid table, Oid user);
static void table_altered(AlterTableStmt *command, Oid table);
static void triggers_enabled(Oid table);
static void detached(Oid parent);
static void left_parent(Oid child);

PG_FUNCTION_INFO_V1(orchestration_record_command);

/*
 * orchestration_internal.record_command() returns event_trigger
 *
 * ddl_command_end and sql_drop: keeps the triggers of registered tables complete, lets record
 * types follow their tables, clears lookups to records that vanished with a partition, and
 * warns of what definitions read and no longer exists.  Returns null.
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
	/* the extension's own script */
	if (creating_extension &&
		CurrentExtensionObject == get_extension_oid("orchestration", true))
		PG_RETURN_NULL();
	if (strcmp(data->event, "sql_drop") == 0)
		protected(NULL, GetUserId());
	else if (concerns(data->parsetree))
		protected(data->parsetree, GetUserId());
	PG_RETURN_NULL();
}

/*
 * Can a command that ended concern a registered table?
 */
static bool
concerns(Node *command)
{
	ListCell   *cell;

	switch (nodeTag(command))
	{
		case T_CreateSchemaStmt:
			return true;
		case T_CreateStmt:
			return ((CreateStmt *) command)->inhRelations != NIL;
		case T_AlterObjectSchemaStmt:
			return ((AlterObjectSchemaStmt *) command)->objectType == OBJECT_TABLE ||
				((AlterObjectSchemaStmt *) command)->objectType == OBJECT_EXTENSION;
		case T_RenameStmt:
			{
				RenameStmt *rename = (RenameStmt *) command;

				/* ALTER INDEX renames tables, too */
				return rename->renameType == OBJECT_TABLE ||
					rename->renameType == OBJECT_INDEX ||
					rename->renameType == OBJECT_SCHEMA ||
					(rename->renameType == OBJECT_COLUMN &&
					 rename->relationType == OBJECT_TABLE);
			}
		case T_AlterTableStmt:
			if (((AlterTableStmt *) command)->objtype != OBJECT_TABLE)
				return false;
			foreach(cell, ((AlterTableStmt *) command)->cmds)
			{
				switch (lfirst_node(AlterTableCmd, cell)->subtype)
				{
					case AT_EnableTrig:
					case AT_EnableTrigAll:
					case AT_EnableTrigUser:
					case AT_AttachPartition:
					case AT_DetachPartition:
					case AT_DetachPartitionFinalize:
					case AT_AddInherit:
					case AT_DropInherit:
					case AT_AlterColumnType:
						return true;
					default:
						break;
				}
			}
			return false;
		default:
			return false;
	}
}

/*
 * Do what a command (NULL: one that dropped something) demands.  An error must not undo it:
 * what could not be done is found at the next use, and by verify().
 */
static void
protected(Node *command, Oid user)
{
	Subtransaction sub;
	ErrorData  *volatile error = NULL;

	orch_subtransaction_begin(&sub);
	PG_TRY();
	{
		SystemContext saved;
		Oid			table = InvalidOid;

		/* as the user named it: the system context has another search_path */
		if (command != NULL && IsA(command, AlterTableStmt))
			table = RangeVarGetRelid(((AlterTableStmt *) command)->relation, NoLock, true);
		orch_system_connect(&saved);
		if (command == NULL)
			orch_record_dropped();
		else
			command_done(command, table, user);
		orch_system_finish(&saved);
		orch_subtransaction_commit(&sub);
	}
	PG_CATCH();
	{
		error = orch_subtransaction_catch(&sub);
	}
	PG_END_TRY();
	if (error == NULL)
		return;
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
		ReThrowError(error);
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("record types could not follow this command: %s", error->message),
			 errhint("Call orchestration.register_record_type() for the table again; orchestration.verify() finds what is wrong.")));
}

static void
command_done(Node *command, Oid table, Oid user)
{
	switch (nodeTag(command))
	{
		case T_AlterTableStmt:
			table_altered((AlterTableStmt *) command, table);
			break;
		case T_AlterObjectSchemaStmt:
			orch_record_follow(((AlterObjectSchemaStmt *) command)->objectType ==
							   OBJECT_EXTENSION, user);
			break;
		case T_RenameStmt:
			{
				RenameStmt *rename = (RenameStmt *) command;

				if (rename->renameType == OBJECT_COLUMN)
					orch_record_follow_column(rename->subname, rename->newname);
				else
					orch_record_follow(rename->renameType == OBJECT_SCHEMA, user);
				break;
			}
		default:
			orch_record_cover();
	}
}

static void
table_altered(AlterTableStmt *command, Oid table)
{
	ListCell   *cell;

	foreach(cell, command->cmds)
	{
		AlterTableCmd *part = lfirst_node(AlterTableCmd, cell);

		CHECK_FOR_INTERRUPTS();
		switch (part->subtype)
		{
			case AT_EnableTrig:
			case AT_EnableTrigAll:
			case AT_EnableTrigUser:
				triggers_enabled(table);
				break;
			case AT_AttachPartition:
			case AT_AddInherit:
				orch_record_cover();
				break;
			case AT_DetachPartition:
			case AT_DetachPartitionFinalize:
				detached(table);
				break;
			case AT_DropInherit:
				left_parent(table);
				break;
			case AT_AlterColumnType:
				orch_record_column_changed(part->name);
				break;
			default:
				break;
		}
	}
}

/*
 * Triggers of a table were enabled, as a restore with --disable-triggers does at its
 * end: triggers of the extension that must fire ALWAYS get that back, and open runs that
 * came without triggers are found.
 */
static void
triggers_enabled(Oid table)
{
	Datum		value = ObjectIdGetDatum(table);

	orch_record_execute_all(&plan_not_always, &value);
	orch_plan_execute(&plan_rebuild_open_runs, &value, NULL, false, 0);
}

/*
 * A partition was detached: its rows are no longer records.
 */
static void
detached(Oid parent)
{
	char	   *type = NULL;

	if (OidIsValid(parent))
		(void) orch_record_registered(parent, get_rel_relispartition(parent), &type,
									  NULL);
	if (type == NULL)
		return;
	orch_record_uncover();
	orch_record_clear_dangling(type);
}

/*
 * A table no longer inherits from another: likewise, if that was registered.
 */
static void
left_parent(Oid child)
{
	const char *mark = OidIsValid(child) ? orch_record_mark(child) : NULL;
	char	   *type;

	if (mark == NULL)
		return;
	type = pstrdup(mark);
	if (orch_record_type_of(child, NULL, NULL) != NULL)
		return;
	orch_record_drop_triggers(type, orch_record_table_of(type));
	orch_record_clear_dangling(type);
}
