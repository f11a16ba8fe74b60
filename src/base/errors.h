/*-------------------------------------------------------------------------
 *
 * errors.h
 *	  SQLSTATEs of the extension: class OR, one header, grouped.
 *
 * PostgreSQL's own codes are used where they fit (null_value_not_allowed,
 * invalid_parameter_value and others); the codes here are for errors that only this
 * extension has.  The comment above a code is its meaning in doc/reference/errors.md.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/errors.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ERRORS_H
#define ORCH_ERRORS_H

#include "postgres.h"

#include "utils/elog.h"

#include "base/catalog.h"

/* OR0xx: the status machine */
/* illegal change of status; the detail has the legal ones */
#define ERRCODE_ORCH_ILLEGAL_STATUS_CHANGE	MAKE_SQLSTATE('O','R','0','0','1')
/* a row cannot stand beside its parent in that status */
#define ERRCODE_ORCH_ILLEGAL_NEIGHBOUR		MAKE_SQLSTATE('O','R','0','0','2')
/* a second open stage in a run */
#define ERRCODE_ORCH_SECOND_OPEN_STAGE		MAKE_SQLSTATE('O','R','0','0','3')
/*
 * the failed run cannot be resumed: not recoverable, an approval, or older than
 * orchestration.resume_window
 */
#define ERRCODE_ORCH_NOT_RECOVERABLE		MAKE_SQLSTATE('O','R','0','0','4')
/* a key, a version or a row that must stay */
#define ERRCODE_ORCH_IMMUTABLE				MAKE_SQLSTATE('O','R','0','0','5')
/* principals that would contain or manage each other */
#define ERRCODE_ORCH_CIRCULAR_DEPENDENCY	MAKE_SQLSTATE('O','R','0','0','6')
/* the record is locked for an approval */
#define ERRCODE_ORCH_RECORD_LOCKED			MAKE_SQLSTATE('O','R','0','0','7')

/* OR1xx: records and lookups */
/* no such run, work item or record, or the caller may not see it */
#define ERRCODE_ORCH_RECORD_NOT_FOUND		MAKE_SQLSTATE('O','R','1','0','1')
/* the record type is not registered, or has lost its table */
#define ERRCODE_ORCH_UNKNOWN_RECORD_TYPE	MAKE_SQLSTATE('O','R','1','0','2')
/* no such user, group or queue, or an inactive one */
#define ERRCODE_ORCH_UNKNOWN_PRINCIPAL		MAKE_SQLSTATE('O','R','1','0','3')

/* OR2xx: definitions and actions */
/* invalid definition; the detail has every error */
#define ERRCODE_ORCH_INVALID_DEFINITION		MAKE_SQLSTATE('O','R','2','0','1')
/* no such orchestration */
#define ERRCODE_ORCH_UNKNOWN_ORCHESTRATION	MAKE_SQLSTATE('O','R','2','0','2')
/* no version of the orchestration is active */
#define ERRCODE_ORCH_NOT_ACTIVE				MAKE_SQLSTATE('O','R','2','0','3')
/* the version cannot be activated; the detail has everything that is missing, with line and place */
#define ERRCODE_ORCH_CANNOT_ACTIVATE		MAKE_SQLSTATE('O','R','2','0','4')
/* the action is not registered */
#define ERRCODE_ORCH_UNKNOWN_ACTION			MAKE_SQLSTATE('O','R','2','0','5')
/* the run does not fit the version; the detail has every reason */
#define ERRCODE_ORCH_CANNOT_MIGRATE			MAKE_SQLSTATE('O','R','2','0','6')

/* OR3xx: the engine */
/* a condition, input or assignment cannot be computed */
#define ERRCODE_ORCH_CANNOT_EVALUATE		MAKE_SQLSTATE('O','R','3','0','1')
/* the work item is completed already */
#define ERRCODE_ORCH_WORK_ITEM_DONE			MAKE_SQLSTATE('O','R','3','0','2')
/* the lease was lost */
#define ERRCODE_ORCH_LEASE_LOST				MAKE_SQLSTATE('O','R','3','0','3')
/* an endless loop of connectors (orchestration.max_elements) */
#define ERRCODE_ORCH_ENDLESS_LOOP			MAKE_SQLSTATE('O','R','3','0','4')
/* an action or a screen reported a failure */
#define ERRCODE_ORCH_ACTION_FAILED			MAKE_SQLSTATE('O','R','3','0','5')
/* a decision that is neither Approve nor Reject; inputs or results of the wrong shape */
#define ERRCODE_ORCH_INVALID_INPUT			MAKE_SQLSTATE('O','R','3','0','6')
/* a chain of runs that start each other is too long (orchestration.max_chain_depth) */
#define ERRCODE_ORCH_CHAIN_TOO_LONG			MAKE_SQLSTATE('O','R','3','0','8')
/* an idempotency key was used with another request */
#define ERRCODE_ORCH_KEY_USED				MAKE_SQLSTATE('O','R','3','0','9')

/* OR4xx: the documented calls; the message begins with the documented code */
/* a documented call: no such object */
#define ERRCODE_ORCH_INVALID_TYPE			MAKE_SQLSTATE('O','R','4','0','1')
/* a documented call: no such field */
#define ERRCODE_ORCH_INVALID_FIELD			MAKE_SQLSTATE('O','R','4','0','2')
/* a documented call: the object does not have the call */
#define ERRCODE_ORCH_INVALID_OPERATION		MAKE_SQLSTATE('O','R','4','0','3')
/* a documented call: more ids, records, types or fields than it takes */
#define ERRCODE_ORCH_LIMIT_EXCEEDED			MAKE_SQLSTATE('O','R','4','0','4')
/* a documented call: a window of time that cannot be answered */
#define ERRCODE_ORCH_REPLICATION_DATE		MAKE_SQLSTATE('O','R','4','0','5')
/* query(): a malformed query */
#define ERRCODE_ORCH_MALFORMED_QUERY		MAKE_SQLSTATE('O','R','4','0','6')
/* query(): an operator or an id that does not fit its field */
#define ERRCODE_ORCH_FILTER_OPERATOR		MAKE_SQLSTATE('O','R','4','0','7')
/* query(): a locator that is malformed, expired or another user's */
#define ERRCODE_ORCH_QUERY_LOCATOR			MAKE_SQLSTATE('O','R','4','0','8')

/*
 * errors.c: in ereport(), which table an error concerns; and for one of the extension, which
 * of its columns (NULL: none) or constraints.  The call of errmsg() says the same in words;
 * these are for programs, and for \errverbose.
 */
extern int	orch_error_table(Oid relid);
extern int	orch_error_column(OrchRelation relation, const char *column);
extern int	orch_error_constraint(OrchRelation relation, const char *constraint);

#endif							/* ORCH_ERRORS_H */
