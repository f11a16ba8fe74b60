/*-------------------------------------------------------------------------
 *
 * errors.h
 *	  SQLSTATEs of the extension: class OR, one header, grouped.
 *
 * PostgreSQL's own codes are used where they fit (null_value_not_allowed,
 * invalid_parameter_value and others); the codes here are for errors that only this
 * extension has.  The README has the same list.
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
#define ERRCODE_ORCH_ILLEGAL_STATUS_CHANGE	MAKE_SQLSTATE('O','R','0','0','1')
#define ERRCODE_ORCH_ILLEGAL_NEIGHBOUR		MAKE_SQLSTATE('O','R','0','0','2')
#define ERRCODE_ORCH_SECOND_OPEN_STAGE		MAKE_SQLSTATE('O','R','0','0','3')
#define ERRCODE_ORCH_NOT_RECOVERABLE		MAKE_SQLSTATE('O','R','0','0','4')
#define ERRCODE_ORCH_IMMUTABLE				MAKE_SQLSTATE('O','R','0','0','5')
#define ERRCODE_ORCH_CIRCULAR_DEPENDENCY	MAKE_SQLSTATE('O','R','0','0','6')
#define ERRCODE_ORCH_RECORD_LOCKED			MAKE_SQLSTATE('O','R','0','0','7')

/* OR1xx: records and lookups */
#define ERRCODE_ORCH_RECORD_NOT_FOUND		MAKE_SQLSTATE('O','R','1','0','1')
#define ERRCODE_ORCH_UNKNOWN_RECORD_TYPE	MAKE_SQLSTATE('O','R','1','0','2')
#define ERRCODE_ORCH_UNKNOWN_PRINCIPAL		MAKE_SQLSTATE('O','R','1','0','3')

/* OR2xx: definitions and actions */
#define ERRCODE_ORCH_INVALID_DEFINITION		MAKE_SQLSTATE('O','R','2','0','1')
#define ERRCODE_ORCH_UNKNOWN_ORCHESTRATION	MAKE_SQLSTATE('O','R','2','0','2')
#define ERRCODE_ORCH_NOT_ACTIVE				MAKE_SQLSTATE('O','R','2','0','3')
#define ERRCODE_ORCH_CANNOT_ACTIVATE		MAKE_SQLSTATE('O','R','2','0','4')
#define ERRCODE_ORCH_UNKNOWN_ACTION			MAKE_SQLSTATE('O','R','2','0','5')
#define ERRCODE_ORCH_CANNOT_MIGRATE			MAKE_SQLSTATE('O','R','2','0','6')

/* OR3xx: the engine */
#define ERRCODE_ORCH_CANNOT_EVALUATE		MAKE_SQLSTATE('O','R','3','0','1')
#define ERRCODE_ORCH_WORK_ITEM_DONE			MAKE_SQLSTATE('O','R','3','0','2')
#define ERRCODE_ORCH_LEASE_LOST				MAKE_SQLSTATE('O','R','3','0','3')
#define ERRCODE_ORCH_ENDLESS_LOOP			MAKE_SQLSTATE('O','R','3','0','4')
#define ERRCODE_ORCH_ACTION_FAILED			MAKE_SQLSTATE('O','R','3','0','5')
#define ERRCODE_ORCH_INVALID_INPUT			MAKE_SQLSTATE('O','R','3','0','6')
#define ERRCODE_ORCH_CHAIN_TOO_LONG			MAKE_SQLSTATE('O','R','3','0','8')
#define ERRCODE_ORCH_KEY_USED				MAKE_SQLSTATE('O','R','3','0','9')

/* OR4xx: the documented calls; the message begins with the documented code */
#define ERRCODE_ORCH_INVALID_TYPE			MAKE_SQLSTATE('O','R','4','0','1')
#define ERRCODE_ORCH_INVALID_FIELD			MAKE_SQLSTATE('O','R','4','0','2')
#define ERRCODE_ORCH_INVALID_OPERATION		MAKE_SQLSTATE('O','R','4','0','3')
#define ERRCODE_ORCH_LIMIT_EXCEEDED			MAKE_SQLSTATE('O','R','4','0','4')
#define ERRCODE_ORCH_REPLICATION_DATE		MAKE_SQLSTATE('O','R','4','0','5')
#define ERRCODE_ORCH_MALFORMED_QUERY		MAKE_SQLSTATE('O','R','4','0','6')
#define ERRCODE_ORCH_FILTER_OPERATOR		MAKE_SQLSTATE('O','R','4','0','7')
#define ERRCODE_ORCH_QUERY_LOCATOR			MAKE_SQLSTATE('O','R','4','0','8')

/*
 * errors.c: in ereport(), which table an error concerns; and for one of the extension, which
 * of its columns (NULL: none) or constraints.  The call of errmsg() says the same in words; these are
 * for programs, and for \errverbose.
 */
extern int	orch_error_table(Oid relid);
extern int	orch_error_column(OrchRelation relation, const char *column);
extern int	orch_error_constraint(OrchRelation relation, const char *constraint);

#endif							/* ORCH_ERRORS_H */
