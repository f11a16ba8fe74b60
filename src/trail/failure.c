/*-------------------------------------------------------------------------
 *
 * failure.c
 *	  What the log says about a failure.
 *
 * The error itself is stored with the run, the stage and the step, as a JSON object
 * (engine_fail.c).  The log has two documented texts: the comments say why, "SQLSTATE:
 * message", and the context says where, the name of the element.  The message comes from
 * a user's function.  It is cut before it is cleaned, so that its length costs nothing, and
 * becomes one line, so that it cannot look like further entries.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/trail/failure.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "base/text_form.h"
#include "evaluate/condition_value.h"
#include "trail/failure.h"

static char *member(Jsonb *error, const char *name);

void
orch_failure_describe(LogEntry *entry, Jsonb *error, const char *element)
{
	char	   *message = member(error, "message");
	char	   *sqlstate = member(error, "sqlstate");
	char	   *failed = member(error, "element");

	if (message != NULL)
		entry->comments = sqlstate == NULL ? message : psprintf("%s: %s", sqlstate, message);
	if (failed != NULL)
		entry->context = failed;
	else if (element != NULL)
		entry->context = pstrdup(element);
}

/*
 * A text of the error, in one line and no longer than the log keeps; NULL if the error has
 * none.  A user who owns the tables may have stored any JSON as the error.
 */
static char *
member(Jsonb *error, const char *name)
{
	JsonbValue *value;
	int			len;

	if (error == NULL || !JB_ROOT_IS_OBJECT(error))
		return NULL;
	value = orch_condition_field(&error->root, name);
	if (value == NULL || value->type != jbvString || value->val.string.len == 0)
		return NULL;
	len = pg_mbcharcliplen(value->val.string.val, value->val.string.len, LOG_MAX_COMMENTS);
	return orch_text_one_line(pnstrdup(value->val.string.val, len));
}
