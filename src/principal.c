/*-------------------------------------------------------------------------
 *
 * principal.c
 *	  Users, groups and queues: who a role is, whom an assignee names.
 *
 * The user of a role is asked for with every write and therefore kept a
 * session, until the principal table changes.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/principal.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "catalog.h"
#include "principal.h"
#include "system.h"

const pg_uuid_t orch_automated_process = {{
		0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1
}};

/* The role asked for last. */
static struct
{
	uint64		generation;		/* 0: nothing kept */
	Oid			role;
	bool		found;
	Principal	principal;		/* name in TopMemoryContext */
}			kept;

static StaticPlan plan_by_role = {
	"SELECT id, kind, is_active, name FROM orchestration.principal"
	" WHERE role_name = $1 AND is_active",
	1, {NAMEOID}
};
static StaticPlan plan_by_username = {
	"SELECT id, kind, is_active, name FROM orchestration.principal"
	" WHERE username = $1",
	1, {TEXTOID}
};
static StaticPlan plan_by_developer_name = {
	"SELECT id, kind, is_active, name FROM orchestration.principal"
	" WHERE kind = $2::text::orchestration.principal_kind AND developer_name = $1",
	2, {TEXTOID, TEXTOID}
};
static StaticPlan plan_by_id = {
	"SELECT id, kind, is_active, name FROM orchestration.principal WHERE id = $1",
	1, {UUIDOID}
};

static bool fetch(StaticPlan *plan, Datum *values, Principal *result);

const Principal *
orch_principal_of_role(Oid role)
{
	uint64		generation = orch_catalog_generation();
	NameData	name;
	char	   *role_name;
	Datum		value;
	Principal	principal;
	bool		found;

	if (kept.generation == generation && kept.role == role)
		return kept.found ? &kept.principal : NULL;

	role_name = GetUserNameFromId(role, true);
	if (role_name == NULL)
		return NULL;
	namestrcpy(&name, role_name);
	value = NameGetDatum(&name);
	found = fetch(&plan_by_role, &value, &principal);

	if (kept.principal.name != NULL)
		pfree(kept.principal.name);
	kept.generation = 0;
	kept.principal.name = NULL;
	if (found)
	{
		char	   *copy = MemoryContextStrdup(TopMemoryContext, principal.name);

		kept.principal = principal;
		kept.principal.name = copy;
	}
	kept.role = role;
	kept.found = found;
	kept.generation = generation;
	return found ? &kept.principal : NULL;
}

char *
orch_principal_role_label(Oid role)
{
	const Principal *principal = orch_principal_of_role(role);

	return pstrdup(principal != NULL ? principal->name :
				   GetUserNameFromId(role, false));
}

bool
orch_principal_find(PrincipalKind kind, const char *name, Principal *result)
{
	Datum		values[2];

	values[0] = CStringGetTextDatum(name);
	if (kind == PRINCIPAL_USER)
		return fetch(&plan_by_username, values, result);
	values[1] = CStringGetTextDatum(orch_catalog_label(ENUM_PRINCIPAL_KIND, kind));
	return fetch(&plan_by_developer_name, values, result);
}

bool
orch_principal_get(const pg_uuid_t *id, Principal *result)
{
	Datum		value = UUIDPGetDatum(id);

	return fetch(&plan_by_id, &value, result);
}

/*
 * Run one of the plans in system context; the name is palloc'd in the caller's
 * context.
 */
static bool
fetch(StaticPlan *plan, Datum *values, Principal *result)
{
	MemoryContext caller = CurrentMemoryContext;
	SystemContext saved;
	bool		found;

	orch_system_enter(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	orch_plan_execute(plan, values, NULL, false, 1);
	found = SPI_processed > 0;
	if (found)
	{
		HeapTuple	tuple = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;

		result->id = *DatumGetUUIDP(SPI_getbinval(tuple, desc, 1, &isnull));
		result->kind = (PrincipalKind)
			orch_catalog_label_value(ENUM_PRINCIPAL_KIND,
									 DatumGetObjectId(SPI_getbinval(tuple, desc, 2, &isnull)));
		result->is_active = DatumGetBool(SPI_getbinval(tuple, desc, 3, &isnull));
		result->name = MemoryContextStrdup(caller,
										   SPI_getvalue(tuple, desc, 4));
	}
	SPI_finish();
	orch_system_leave(&saved);
	return found;
}
