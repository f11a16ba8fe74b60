/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  The one place that knows versions of PostgreSQL: 15 to 18.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/compat.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_COMPAT_H
#define ORCH_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "orchestration needs PostgreSQL 15 to 18"
#endif

/* 18 lets a module state its name and version */
#if PG_VERSION_NUM >= 180000
#define ORCH_COMPAT_MODULE_MAGIC \
	PG_MODULE_MAGIC_EXT(.name = "orchestration", .version = ORCHESTRATION_VERSION)
#else
#define ORCH_COMPAT_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/* 16 moved the varlena macros to a header of their own */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 16 added onlySummarizing */
#if PG_VERSION_NUM >= 160000
#define orch_compat_insert_index_tuples(rri, slot, estate) \
	ExecInsertIndexTuples(rri, slot, estate, false, false, NULL, NIL, false)
#else
#define orch_compat_insert_index_tuples(rri, slot, estate) \
	ExecInsertIndexTuples(rri, slot, estate, false, false, NULL, NIL)
#endif

/* 16 tells summarizing indexes apart when a row moved */
#if PG_VERSION_NUM >= 160000
#include "access/tableam.h"
typedef TU_UpdateIndexes OrchCompatUpdateIndexes;
#define orch_compat_update_index_tuples(rri, slot, estate, update_indexes) \
	((update_indexes) == TU_None ? NIL : \
	 ExecInsertIndexTuples(rri, slot, estate, true, false, NULL, NIL, \
						   (update_indexes) == TU_Summarizing))
#else
typedef bool OrchCompatUpdateIndexes;
#define orch_compat_update_index_tuples(rri, slot, estate, update_indexes) \
	((update_indexes) ? \
	 ExecInsertIndexTuples(rri, slot, estate, true, false, NULL, NIL) : NIL)
#endif

/* 16 replaced pg_proc_aclcheck() and its like */
#if PG_VERSION_NUM >= 160000
#define orch_compat_proc_aclcheck(oid, role) \
	object_aclcheck(ProcedureRelationId, oid, role, ACL_EXECUTE)
#else
#define orch_compat_proc_aclcheck(oid, role) \
	pg_proc_aclcheck(oid, role, ACL_EXECUTE)
#endif

/* 16 renamed pg_class_ownercheck() and its like */
#if PG_VERSION_NUM >= 160000
#define orch_compat_class_ownercheck(oid, role) \
	object_ownercheck(RelationRelationId, oid, role)
#else
#define orch_compat_class_ownercheck(oid, role) \
	pg_class_ownercheck(oid, role)
#endif

/* 16 added the error context */
#if PG_VERSION_NUM >= 160000
#define orch_compat_qualified_name(text) stringToQualifiedNameList(text, NULL)
#else
#define orch_compat_qualified_name(text) stringToQualifiedNameList(text)
#endif

/* 16 keeps the settings in a hash table, and exports the look-up */
#include "utils/guc.h"
#include "utils/guc_tables.h"
#if PG_VERSION_NUM >= 160000
#define orch_compat_find_setting(name) find_option(name, false, true, 0)
#else
static inline struct config_generic *
orch_compat_find_setting(const char *name)
{
	struct config_generic **settings = get_guc_variables();
	int			i;

	for (i = 0; i < GetNumConfigOptions(); i++)
		if (strcmp(settings[i]->name, name) == 0)
			return settings[i];
	return NULL;
}
#endif

/* 18 makes uuids of version 7 itself */
#if PG_VERSION_NUM >= 180000
#include "utils/fmgrprotos.h"
#define ORCH_COMPAT_UUIDV7() DirectFunctionCall1(uuidv7, (Datum) 0)
#endif

/* 17 numbers processes */
#if PG_VERSION_NUM >= 170000
#define orch_compat_vxid_proc(vxid) ProcNumberGetProc((vxid).procNumber)
#define orch_compat_proc_lxid(proc) ((proc)->vxid.lxid)
#else
#define orch_compat_vxid_proc(vxid) BackendIdGetProc((vxid).backendId)
#define orch_compat_proc_lxid(proc) ((proc)->lxid)
#endif

/* 18 added the instrumentation */
#if PG_VERSION_NUM >= 180000
#define orch_compat_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, NULL, nkeys, 0)
#else
#define orch_compat_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, nkeys, 0)
#endif

/* 16 lets the actions of the JSON parser return errors; 17 lets the caller allocate its lexer */
#include "common/jsonapi.h"
#include "utils/jsonfuncs.h"
#if PG_VERSION_NUM >= 160000
typedef JsonParseErrorType OrchCompatJsonResult;
#define ORCH_COMPAT_JSON_SUCCESS JSON_SUCCESS
#else
typedef void OrchCompatJsonResult;
#define ORCH_COMPAT_JSON_SUCCESS
#endif
#if PG_VERSION_NUM >= 170000
#define orch_compat_json_lexer(text) makeJsonLexContext(NULL, text, true)
#else
#define orch_compat_json_lexer(text) makeJsonLexContext(text, true)
#endif

/* 18 replaced it by pg_noreturn, which stands in another place */
#ifndef pg_attribute_noreturn
#define pg_attribute_noreturn() __attribute__((noreturn))
#endif

#endif							/* ORCH_COMPAT_H */
