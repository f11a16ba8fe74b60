/*-------------------------------------------------------------------------
 *
 * drop.c
 *	  DROP EXTENSION is refused while runs are open, unless it says CASCADE.
 *
 * The runs live in tables of the extension, which DROP EXTENSION deletes without a question:
 * PostgreSQL's RESTRICT asks only for objects outside the extension, such as the triggers of
 * registered tables.  An event trigger sees the command before it begins, with the word
 * RESTRICT or CASCADE in its parse tree.  DROP OWNED BY the extension's owner drops the
 * extension, too.  DROP SCHEMA, DROP TABLE and the like are refused by PostgreSQL for members of
 * an extension; DROP DATABASE fires no event trigger.
 *
 * With CASCADE no table is read, so that a damaged extension can be dropped.  Where the library
 * itself is missing, no function of it can be called, and a superuser sets
 * session_replication_role to replica, where this event trigger does not fire.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/drop.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/catalog.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_extension.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

#include "base/catalog.h"
#include "base/system.h"

static StaticPlan plan_open = {
	"SELECT pg_catalog.count(*),"
	"   pg_catalog.min(r.name COLLATE pg_catalog.\"C\")"
	"  FROM orchestration.run r WHERE r.id = ANY (ARRAY("
	"    SELECT o.run_id FROM orchestration_internal.open_run o"
	"     WHERE o.status IN ('InProgress', 'Suspended')))",
	0, {InvalidOid}
};

static bool drops_extension(Node *command, Oid owner);
static Oid	extension_owner(Oid extension);
static void refuse_open_runs(void);
static void refuse_counted(void);

PG_FUNCTION_INFO_V1(orchestration_drop_command);

/*
 * orchestration_internal.drop_command() returns event_trigger
 *
 * ddl_command_start of DROP EXTENSION and DROP OWNED: refuses the command if it would drop this
 * extension, does not say CASCADE, and runs are open.  Row security does not apply to the count:
 * the caller owns the extension, or PostgreSQL refuses the command.  Returns null.
 * Raises: 2BP01 when runs are open; 39P03 when not called as an event trigger.
 * Source: ours.
 */
Datum
orchestration_drop_command(PG_FUNCTION_ARGS)
{
	EventTriggerData *data = (EventTriggerData *) fcinfo->context;
	Oid			extension;
	Oid			owner;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as an event trigger",
						"drop_command")));
	extension = get_extension_oid("orchestration", true);
	owner = OidIsValid(extension) ? extension_owner(extension) : InvalidOid;
	/* PostgreSQL refuses the others; they must not learn how many runs are open */
	if (OidIsValid(owner) && has_privs_of_role(GetUserId(), owner) &&
		drops_extension(data->parsetree, owner))
		refuse_open_runs();
	PG_RETURN_NULL();
}

/*
 * Does the command drop this extension without CASCADE?
 */
static bool
drops_extension(Node *command, Oid owner)
{
	ListCell   *cell;

	if (IsA(command, DropStmt))
	{
		DropStmt   *drop = (DropStmt *) command;

		if (drop->removeType != OBJECT_EXTENSION || drop->behavior == DROP_CASCADE)
			return false;
		foreach(cell, drop->objects)
			if (strcmp(strVal(lfirst(cell)), "orchestration") == 0)
				return true;
	}
	else if (IsA(command, DropOwnedStmt))
	{
		DropOwnedStmt *drop = (DropOwnedStmt *) command;

		/* PostgreSQL refuses this for the role that initdb made */
		if (drop->behavior == DROP_CASCADE || IsPinnedObject(AuthIdRelationId, owner))
			return false;
		foreach(cell, drop->roles)
			if (get_rolespec_oid(lfirst_node(RoleSpec, cell), true) == owner)
				return true;
	}
	return false;
}

static Oid
extension_owner(Oid extension)
{
	Relation	catalog = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			owner = InvalidOid;

	ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(catalog, ExtensionOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		owner = ((Form_pg_extension) GETSTRUCT(tuple))->extowner;
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return owner;
}

/*
 * Raise an error if runs are open.  Runs that other sessions start are waited for: the lock is
 * the one that dropping the table takes.  The first look is without it, so that a refusal waits
 * for nobody.
 */
static void
refuse_open_runs(void)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		SystemContext saved;

		orch_system_connect(&saved);
		refuse_counted();
		LockRelationOid(orch_catalog_relation(RELATION_RUN), AccessExclusiveLock);
		refuse_counted();
		orch_system_finish(&saved);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		/* an object that the count needs is damaged or missing */
		if (error->hint == NULL &&
			ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_OPERATOR_INTERVENTION)
			error->hint = pstrdup("The extension's open runs could not be counted. DROP EXTENSION orchestration CASCADE drops it without counting.");
		FlushErrorState();
		ReThrowError(error);
	}
	PG_END_TRY();
}

static void
refuse_counted(void)
{
	int64		nopen;
	bool		isnull;
	HeapTuple	row;
	char	   *first;

	if (orch_plan_execute_latest(&plan_open, NULL, NULL, 0) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "open runs were not counted");
	row = SPI_tuptable->vals[0];
	nopen = DatumGetInt64(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
	if (nopen == 0)
		return;
	first = SPI_getvalue(row, SPI_tuptable->tupdesc, 2);
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg_plural("cannot drop extension orchestration because " INT64_FORMAT " run is open",
						   "cannot drop extension orchestration because " INT64_FORMAT " runs are open",
						   (unsigned long) nopen, nopen),
			 errdetail("One of them is %s. Dropping the extension deletes all runs, their logs, and all definitions.",
					   first),
			 errhint("End the runs, for example by orchestration.cancel_run(), or use CASCADE to delete them.")));
}
