/*-------------------------------------------------------------------------
 *
 * save.h
 *	  What became of each record of a call that writes.
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

typedef struct SaveResult
{
	SaveCall	call;
	MemoryContext context;		/* of what is here */
	char	   *id;				/* or NULL */
	bool		created;		/* upsert */
	const char *code;			/* status code; NULL: success */
	char	   *message;
	const char *field;			/* or NULL */
	/* what PostgreSQL said, where it said it */
	char	   *sqlstate;
	char	   *error;
	char	   *detail;
	char	   *hint;
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
	pg_uuid_t  *ids;			/* of the records so far */
	int			nids;
} SaveState;

extern void orch_save_set_id(SaveResult *result, const pg_uuid_t *id);
extern void orch_save_fail(SaveResult *result, const char *code, const char *field,
						   const char *fmt,...) pg_attribute_printf(4, 5);

/* save_record.c: false: the result says why not */
extern bool orch_save_parse(SaveState *state, JsonbValue *element,
							SaveRecord *record, SaveResult *result);

/* save_error.c */
extern bool orch_save_must_rethrow(int sqlstate);
extern void orch_save_map_error(SaveResult *result, const SObject *object,
								const ErrorData *edata);
extern void orch_save_put_result(JsonbParseState **state, const SaveResult *result);

#endif							/* ORCH_SAVE_H */
