/*-------------------------------------------------------------------------
 *
 * save.h
 *	  The records of a call that writes, and the result of each.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/save.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_SAVE_H
#define ORCH_SAVE_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "record/sobject.h"

typedef enum SaveCall
{
	SAVE_CREATE,
	SAVE_UPDATE,
	SAVE_UPSERT,
	SAVE_DELETE
} SaveCall;

/* A fault of a record. */
typedef struct SaveError
{
	const char *code;			/* status code */
	char	   *message;
	List	   *fields;			/* names */
	/* of PostgreSQL's error, or NULL */
	char	   *sqlstate;
	char	   *error;
	char	   *detail;
	char	   *hint;
} SaveError;

typedef struct SaveResult
{
	SaveCall	call;
	MemoryContext context;		/* of the id and of the errors */
	char	   *id;				/* or NULL */
	bool		created;		/* by an upsert */
	List	   *errors;			/* of SaveError; NIL: success */
	const char *field;			/* that is being written, or NULL */
} SaveResult;

#define SAVE_MAX_FIELDS 32

/* One record to be written. */
typedef struct SaveRecord
{
	const SObject *object;
	bool		has_id;
	pg_uuid_t	id;
	int			nfields;
	const SObjectField *fields[SAVE_MAX_FIELDS];
	char	   *values[SAVE_MAX_FIELDS]; /* NULL: null */
} SaveRecord;

typedef struct SaveState
{
	SaveCall	call;
	const char *external_id;	/* upsert: the field */
	int			nrecords;
	SaveResult *results;
	bool		failed;			/* one of them, at least */
	pg_uuid_t  *ids;			/* of the records updated so far */
	int			nids;
} SaveState;

/* save_record.c */
extern JsonbValue *orch_save_member(const JsonbValue *value, const char *key);
extern JsonbValue *orch_save_field_member(const JsonbValue *record, const char *name);
extern char *orch_save_string(const JsonbValue *value);
extern void orch_save_set_id(SaveResult *result, const pg_uuid_t *id);
extern bool orch_save_parse(SaveState *state, JsonbValue *element,
							SaveRecord *record, SaveResult *result);

/* save_error.c */
extern void orch_save_fail(SaveResult *result, const char *code, const char *field,
						   const char *fmt,...) pg_attribute_printf(4, 5);
extern void orch_save_fail_fields(SaveResult *result, const char *code, List *fields,
								  const char *before, const char *after);
extern void orch_save_malformed_id(SaveResult *result, const char *text);
extern char *orch_save_clipped(const char *text);
extern bool orch_save_must_rethrow(int sqlstate);
extern void orch_save_map_error(SaveResult *result, const SObject *object,
								const ErrorData *edata);
extern void orch_save_put_result(JsonbParseState **state, const SaveResult *result);

#endif							/* ORCH_SAVE_H */
