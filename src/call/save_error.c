/*-------------------------------------------------------------------------
 *
 * save_error.c
 *	  From SQLSTATEs to the status codes of the documented calls.
 *
 * The table below is in doc/failures.md, too.  An SQLSTATE without a row becomes
 * UNKNOWN_EXCEPTION with PostgreSQL's message.  extendedErrorDetails has PostgreSQL's
 * message in any case.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/save_error.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "base/errors.h"
#include "call/save.h"

/* Bytes of a value that a message quotes. */
#define MAX_QUOTED	80

typedef struct ErrorRow
{
	int			sqlstate;
	const char *code;
	const char *message;		/* NULL: PostgreSQL's */
	const char *field;			/* or NULL */
} ErrorRow;

static SaveError *new_error(SaveResult *result, const char *code);
static void put_error(JsonbParseState **state, const SaveError *error);

static const ErrorRow rows[] = {
	{ERRCODE_ORCH_ILLEGAL_STATUS_CHANGE, "STATE_TRANSITION_NOT_ALLOWED", NULL, "Status"},
	{ERRCODE_ORCH_ILLEGAL_NEIGHBOUR, "STATE_TRANSITION_NOT_ALLOWED", NULL, "Status"},
	{ERRCODE_ORCH_SECOND_OPEN_STAGE, "STATE_TRANSITION_NOT_ALLOWED", NULL, "Status"},
	{ERRCODE_ORCH_NOT_RECOVERABLE, "STATE_TRANSITION_NOT_ALLOWED", NULL, "Status"},
	{ERRCODE_ORCH_IMMUTABLE, "INVALID_FIELD_FOR_INSERT_UPDATE", NULL, NULL},
	{ERRCODE_ORCH_WORK_ITEM_DONE, "STATE_TRANSITION_NOT_ALLOWED", NULL, NULL},
	{ERRCODE_ORCH_RECORD_NOT_FOUND, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", NULL},
	{ERRCODE_ORCH_UNKNOWN_RECORD_TYPE, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", NULL},
	{ERRCODE_ORCH_UNKNOWN_PRINCIPAL, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", NULL},
	{ERRCODE_ORCH_INVALID_FIELD, "INVALID_FIELD", NULL, NULL},
	{ERRCODE_ORCH_INVALID_TYPE, "INVALID_TYPE", NULL, NULL},
	{ERRCODE_ORCH_INVALID_OPERATION, "INVALID_TYPE_FOR_OPERATION", NULL, NULL},
	{ERRCODE_INSUFFICIENT_PRIVILEGE, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", NULL},
	{ERRCODE_NOT_NULL_VIOLATION, "REQUIRED_FIELD_MISSING", NULL, NULL},
	{ERRCODE_NULL_VALUE_NOT_ALLOWED, "REQUIRED_FIELD_MISSING", NULL, NULL},
	{ERRCODE_UNIQUE_VIOLATION, "DUPLICATE_VALUE", NULL, NULL},
	{ERRCODE_FOREIGN_KEY_VIOLATION, "FIELD_INTEGRITY_EXCEPTION", NULL, NULL},
	{ERRCODE_CHECK_VIOLATION, "FIELD_INTEGRITY_EXCEPTION", NULL, NULL},
	{ERRCODE_STRING_DATA_RIGHT_TRUNCATION, "STRING_TOO_LONG", NULL, NULL},
	{ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "NUMBER_OUTSIDE_VALID_RANGE", NULL, NULL},
	{ERRCODE_INVALID_TEXT_REPRESENTATION, "INVALID_TYPE_ON_FIELD_IN_RECORD", NULL, NULL},
	{ERRCODE_INVALID_PARAMETER_VALUE, "FIELD_INTEGRITY_EXCEPTION", NULL, NULL},
	{ERRCODE_LOCK_NOT_AVAILABLE, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", NULL},
	{ERRCODE_T_R_DEADLOCK_DETECTED, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", NULL},
	{ERRCODE_RAISE_EXCEPTION, "FIELD_CUSTOM_VALIDATION_EXCEPTION", NULL, NULL}
};

/*
 * Add an error to a result.  Call in the result's memory context.
 */
static SaveError *
new_error(SaveResult *result, const char *code)
{
	SaveError  *error = palloc0(sizeof(SaveError));

	error->code = code;
	result->errors = lappend(result->errors, error);
	return error;
}

/*
 * Fail a record without an error of PostgreSQL.  A record may fail for several reasons.
 * field: or NULL.
 */
void
orch_save_fail(SaveResult *result, const char *code, const char *field,
			   const char *fmt,...)
{
	MemoryContext old = MemoryContextSwitchTo(result->context);
	SaveError  *error = new_error(result, code);
	StringInfoData buf;

	initStringInfo(&buf);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, fmt);
		needed = appendStringInfoVA(&buf, fmt, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&buf, needed);
	}
	error->message = buf.data;
	if (field != NULL)
		error->fields = list_make1(unconstify(char *, field));
	MemoryContextSwitchTo(old);
}

/*
 * Fail a record for all these fields at once; the message lists their names between
 * before and after.
 */
void
orch_save_fail_fields(SaveResult *result, const char *code, List *fields,
					  const char *before, const char *after)
{
	MemoryContext old = MemoryContextSwitchTo(result->context);
	SaveError  *error = new_error(result, code);
	StringInfoData buf;
	ListCell   *cell;

	initStringInfo(&buf);
	appendStringInfoString(&buf, before);
	foreach(cell, fields)
		appendStringInfo(&buf, "%s%s", foreach_current_index(cell) > 0 ? ", " : "",
						 (const char *) lfirst(cell));
	appendStringInfoString(&buf, after);
	error->message = buf.data;
	error->fields = list_copy(fields);
	MemoryContextSwitchTo(old);
}

void
orch_save_malformed_id(SaveResult *result, const char *text)
{
	orch_save_fail(result, "MALFORMED_ID", "Id", "Id: id value of incorrect type: %s",
				   orch_save_clipped(text));
}

/*
 * A value as messages quote it: at most MAX_QUOTED bytes, whole characters.
 */
char *
orch_save_clipped(const char *text)
{
	return pnstrdup(text, pg_mbcliplen(text, strlen(text), MAX_QUOTED));
}

/*
 * Errors that end the whole call and not only one record: the statement was canceled, the
 * server is in trouble, or the transaction must be tried again.
 */
bool
orch_save_must_rethrow(int sqlstate)
{
	int			category = ERRCODE_TO_CATEGORY(sqlstate);

	return sqlstate == ERRCODE_T_R_SERIALIZATION_FAILURE ||
		sqlstate == ERRCODE_QUERY_CANCELED ||
		(category == ERRCODE_OPERATOR_INTERVENTION && sqlstate != ERRCODE_LOCK_NOT_AVAILABLE) ||
		category == ERRCODE_INSUFFICIENT_RESOURCES ||
		category == ERRCODE_SYSTEM_ERROR ||
		category == ERRCODE_INTERNAL_ERROR;
}

/*
 * Fail a record with PostgreSQL's error.  object: of the record, or NULL.
 */
void
orch_save_map_error(SaveResult *result, const SObject *object, const ErrorData *edata)
{
	SaveError  *error;
	const char *field = result->field;
	int			i;

	for (i = 0; i < (int) lengthof(rows); i++)
		if (rows[i].sqlstate == edata->sqlerrcode)
			break;
	if (i == (int) lengthof(rows))
		orch_save_fail(result, "UNKNOWN_EXCEPTION", field, "%s", edata->message);
	else if (edata->sqlerrcode == ERRCODE_ORCH_RECORD_NOT_FOUND && field != NULL &&
			 strcmp(field, "TriggeringRecordId") == 0)
		orch_save_fail(result, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", field,
					   "insufficient access rights on cross-reference id");
	/* an access level that cannot be granted: reference.md, 3.3 and 3.4 */
	else if (rows[i].sqlstate == ERRCODE_INVALID_PARAMETER_VALUE && object != NULL &&
			 (object->associate == ASSOCIATE_SHARE || object->associate == ASSOCIATE_RULE) &&
			 strncmp(edata->message, "access level", strlen("access level")) == 0)
		orch_save_fail(result, "INVALID_ACCESS_LEVEL", "AccessLevel", "%s", edata->message);
	else
		orch_save_fail(result, rows[i].code, rows[i].field != NULL ? rows[i].field : field,
					   "%s", rows[i].message != NULL ? rows[i].message : edata->message);
	error = llast(result->errors);
	error->sqlstate = pstrdup(unpack_sql_state(edata->sqlerrcode));
	error->error = edata->message;
	error->detail = edata->detail;
	error->hint = edata->hint;
}

/*
 * An element of "errors".
 */
static void
put_error(JsonbParseState **state, const SaveError *error)
{
	ListCell   *cell;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	orch_json_key(state, "extendedErrorDetails");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	if (error->sqlstate != NULL)
	{
		pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		orch_json_put_text(state, "detail", error->detail);
		orch_json_put_text(state, "extendedErrorCode", error->sqlstate);
		orch_json_put_text(state, "hint", error->hint);
		orch_json_put_text(state, "message", error->error);
		pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	orch_json_key(state, "fields");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, error->fields)
		orch_json_text(state, WJB_ELEM, lfirst(cell));
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	orch_json_put_text(state, "message", error->message);
	orch_json_put_text(state, "statusCode", error->code);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/*
 * A result as the reference has it: SaveResult, UpsertResult or DeleteResult.
 */
void
orch_save_put_result(JsonbParseState **state, const SaveResult *result)
{
	ListCell   *cell;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	if (result->call == SAVE_UPSERT)
		orch_json_put_bool(state, "created", result->errors == NIL && result->created);
	orch_json_key(state, "errors");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, result->errors)
		put_error(state, lfirst(cell));
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	orch_json_put_text(state, "id", result->id);
	orch_json_put_bool(state, "success", result->errors == NIL);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}
