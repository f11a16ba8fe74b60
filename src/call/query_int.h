/*-------------------------------------------------------------------------
 *
 * query_int.h
 *	  What the passes over a SOQL query share.
 *
 * A query goes through four passes: query_parse.y makes a tree of its text
 * (query_tree.h), query_resolve.c and query_condition.c look up its names and check its
 * rules (structures below), query_write.c writes it as SQL, query_result.c executes that
 * and writes the records.  query.c keeps what the first three made.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_int.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_QUERY_INT_H
#define ORCH_QUERY_INT_H

#include "postgres.h"

#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "call/query_tree.h"
#include "record/sobject.h"

/* reference.md, 4.6, 5.5 and 5.6 */
#define QUERY_BATCH			2000
#define QUERY_LEAST_BATCH	200
#define QUERY_MAX_LENGTH	100000	/* characters */
#define QUERY_MAX_OFFSET	2000
#define QUERY_MAX_PARENTS	55
#define QUERY_MAX_LEVELS	5
#define QUERY_MAX_CHILDREN	20
#define QUERY_MAX_SEMI_JOINS	2
#define QUERY_MAX_ALL_FIELDS	200

/* ours: what PostgreSQL's limits of columns and of its stack leave room for */
#define QUERY_MAX_VALUES	1600
#define QUERY_MAX_DEPTH		1000

/* How values of an expression are compared. */
typedef enum QueryClass
{
	CLASS_ID,					/* uuid */
	CLASS_EXACT,				/* text with case: ids of records of users */
	CLASS_TEXT,					/* text without case */
	CLASS_PICKLIST,				/* enum */
	CLASS_BOOLEAN,
	CLASS_TIME,					/* timestamptz */
	CLASS_DATE,					/* date */
	CLASS_NUMBER				/* int4, int8, numeric, float8 */
} QueryClass;

/*
 * The object of a query, or a parent that a path of it reaches.
 */
typedef struct QueryRelation
{
	int			number;			/* alias in SQL: x<number> */
	const SObject *object;
	struct QueryRelation *child;	/* NULL for the object of the query */
	const SObjectField *reference;	/* of child, which leads here */
	int			level;			/* 0 for the object */
} QueryRelation;

typedef enum QueryExprKind
{
	EXPR_FIELD,
	EXPR_COUNT_ALL,				/* COUNT() */
	EXPR_AGGREGATE,
	EXPR_DATE,					/* CALENDAR_YEAR(...) and the like */
	EXPR_GROUPING,
	EXPR_FORMAT
} QueryExprKind;

typedef enum QueryAggregate
{
	AGGREGATE_AVG,
	AGGREGATE_COUNT,
	AGGREGATE_COUNT_DISTINCT,
	AGGREGATE_MAX,
	AGGREGATE_MIN,
	AGGREGATE_SUM
} QueryAggregate;

typedef enum QueryDateFunction
{
	DATE_CALENDAR_MONTH,
	DATE_CALENDAR_QUARTER,
	DATE_CALENDAR_YEAR,
	DATE_DAY_IN_MONTH,
	DATE_DAY_IN_WEEK,
	DATE_DAY_IN_YEAR,
	DATE_DAY_ONLY,
	DATE_FISCAL_MONTH,
	DATE_FISCAL_QUARTER,
	DATE_FISCAL_YEAR,
	DATE_HOUR_IN_DAY,
	DATE_WEEK_IN_MONTH,
	DATE_WEEK_IN_YEAR
} QueryDateFunction;

typedef struct QueryExpr
{
	QueryExprKind kind;
	int			location;
	QueryClass	class;
	Oid			type;			/* of the value in SQL */
	/* EXPR_FIELD */
	QueryRelation *relation;
	const SObjectField *field;
	bool		to_label;		/* toLabel() */
	/* functions */
	QueryAggregate aggregate;
	QueryDateFunction date;
	bool		local;			/* convertTimezone() */
	struct QueryExpr *arg;
	const char *name;			/* as the message names it */
} QueryExpr;

/*
 * A value that is bound when the statement is executed.
 */
typedef enum QueryParamKind
{
	PARAM_VALUE,
	PARAM_RANGE_START,			/* of a date literal, */
	PARAM_RANGE_END,			/* and the first moment after it */
	PARAM_IDS,					/* records, or parents whose children are asked */
	PARAM_FIRST_TIME,			/* between which the ids were made */
	PARAM_LAST_TIME,
	PARAM_LIMIT,
	PARAM_FISCAL_MONTHS			/* from a month to that of the fiscal year */
} QueryParamKind;

/* As the last unit of a date literal: its range ends now. */
#define QUERY_UNTIL_NOW	PG_INT32_MAX

typedef struct QueryParam
{
	QueryParamKind kind;
	Oid			type;
	Datum		value;			/* PARAM_VALUE */
	int			unit;			/* date literals: QueryDateUnit */
	int64		first;			/* units from the current one */
	int64		last;
} QueryParam;

typedef enum QueryTestKind
{
	TEST_AND,
	TEST_OR,
	TEST_NOT,
	TEST_CONSTANT,
	TEST_NULL,					/* IS NULL */
	TEST_EQUAL,
	TEST_ANY,					/* = ANY (array) */
	TEST_LESS,
	TEST_GREATER,
	TEST_LESS_EQUAL,
	TEST_GREATER_EQUAL,
	TEST_RANGE,					/* start <= x < end */
	TEST_LIKE,
	TEST_SEMI_JOIN,
	TEST_ANTI_JOIN
} QueryTestKind;

typedef struct QueryTest
{
	QueryTestKind kind;
	List	   *args;			/* AND, OR, NOT */
	bool		constant;
	QueryExpr  *left;
	QueryParam *param;
	QueryParam *end;			/* RANGE */
	bool		as_numeric;		/* the literal is no integer: compare as numeric */
	struct QuerySelect *inner;	/* joins */
	QueryExpr  *inner_column;
} QueryTest;

typedef enum QueryMemberKind
{
	MEMBER_VALUE,
	MEMBER_PARENT,
	MEMBER_TYPEOF,
	MEMBER_CHILDREN
} QueryMemberKind;

typedef struct QueryMember
{
	QueryMemberKind kind;
	const char *key;
	int			column;			/* VALUE: of the row, from 0 */
	QueryExpr  *expr;			/* VALUE */
	List	   *records;		/* PARENT: one QueryRecord *; TYPEOF: one a type */
	struct QuerySelect *children;
	int			child_number;
} QueryMember;

/*
 * A record in the result.
 */
typedef struct QueryRecord
{
	QueryRelation *relation;	/* NULL: AggregateResult */
	int			id_column;
	int			type_column;	/* of a polymorphic parent; -1: its type is known */
	List	   *members;		/* of QueryMember * */
} QueryRecord;

typedef struct QueryOrder
{
	QueryExpr  *expr;
	bool		descending;
	bool		nulls_first;
} QueryOrder;

/* What is selected from a SELECT's rows. */
typedef enum QueryVariant
{
	VARIANT_ROWS,				/* the columns, up to PARAM_LIMIT rows */
	VARIANT_IDS,				/* the ids of all rows, up to PARAM_LIMIT */
	VARIANT_BY_ID,				/* the columns of the records in PARAM_IDS */
	VARIANT_CHILDREN,			/* parent and columns of the children of PARAM_IDS */
	NUM_VARIANTS
} QueryVariant;

/*
 * A statement in SQL, and its plans.
 */
typedef struct QueryStatement
{
	char	   *sql;			/* NULL: not written yet */
	int			nparams;
	QueryParam **params;
	List	   *plans;			/* of QueryPlan *, the newest first */
} QueryStatement;

/*
 * A plan for certain values of the parameters, and for users who see as much; see
 * query_plan.c.
 */
typedef struct QueryPlan
{
	const QueryStatement *statement;
	uint32		extents;		/* of the user; access_extent.h */
	Datum	   *values;			/* of the parameters that are constants */
	bool	   *nulls;
	SPIPlanPtr	plan;
} QueryPlan;

/*
 * One SELECT: of the query, of a child relationship, or within IN.
 */
typedef struct QuerySelect
{
	const SObject *object;
	QueryRelation *root;
	List	   *relations;		/* of QueryRelation *, each after its child */
	List	   *columns;		/* of QueryExpr * */
	List	   *fields;			/* of SObjectField *: of the object, that the SQL reads */
	QueryRecord *record;
	bool		aggregated;
	bool		count_only;		/* SELECT COUNT() */
	SoqlGrouping grouping;
	List	   *group;			/* of QueryExpr * */
	QueryTest  *where;
	QueryTest  *having;
	List	   *order;			/* of QueryOrder * */
	bool		mine;			/* USING SCOPE mine */
	bool		include_deleted;
	int64		limit;			/* -1: none */
	int64		offset;
	SoqlFor		mark;
	List	   *children;		/* of QuerySelect * */
	/* children */
	const SObjectField *parent_field;	/* leads to the parent */
	const char *relationship;
	QueryStatement statements[NUM_VARIANTS];
	QueryStatement enclosed[NUM_VARIANTS];	/* the same with a barrier; query_write.c */
} QuerySelect;

/*
 * A query that is ready to be executed.
 */
typedef struct ReadyQuery
{
	MemoryContext context;		/* holds all of it */
	char	   *text;
	int			version;		/* of the API, times ten */
	bool		include_deleted;
	uint64		generation;		/* of the metadata */
	bool		kept;			/* else its last user frees it */
	int			in_use;
	List	   *used;			/* of QueryExpr *: fields, whose privileges are checked */
	List	   *hidden;			/* likewise: fields that FIELDS() left out for lack of them */
	QuerySelect *select;
} ReadyQuery;

/* State of the passes that look up names. */
typedef struct QueryResolver
{
	const char *text;
	int			version;
	bool		include_deleted;
	Oid			role;
	int			nrelations;		/* in the whole query */
	int			nparents;
	int			nchildren;
	List	   *used;
	List	   *hidden;
} QueryResolver;

typedef struct QueryScope
{
	QueryResolver *resolver;
	QuerySelect *select;
	List	   *aliases;		/* of QueryAlias * */
	int			nsemi_joins;
	int			depth;			/* of child sub-queries */
	bool		inner;			/* within IN */
} QueryScope;

/* query_resolve.c */
extern QuerySelect *orch_query_resolve(QueryResolver *resolver, const SoqlQuery *tree);

/* query_name.c */
extern const SObject *orch_query_object(QueryResolver *resolver, const char *name, int location);
extern QueryRelation *orch_query_prefix(QueryScope *scope, const char *name);
extern QueryRelation *orch_query_root(QueryScope *scope, const SoqlQuery *tree);
extern QueryRelation *orch_query_parent(QueryScope *scope, QueryRelation *child,
										const SObjectField *reference, const SObject *object,
										int location);
extern const SObjectField *orch_query_reference(QueryScope *scope, QueryRelation *relation,
												const char *name);
extern const SObjectField *orch_query_field(QueryScope *scope, QueryRelation *relation,
											const char *name, int location);
extern QueryExpr *orch_query_field_expr(QueryScope *scope, QueryRelation *relation,
										const SObjectField *field, int location);
extern QueryExpr *orch_query_hidden_expr(QueryRelation *relation, const SObjectField *field);
extern QueryExpr *orch_query_path_expr(QueryScope *scope, const SoqlExpr *path);
extern const SObject *orch_query_target(const SObjectField *reference);

/* query_function.c */
extern QueryExpr *orch_query_expr(QueryScope *scope, const SoqlExpr *expr);
extern bool orch_query_has_aggregate(const SoqlExpr *expr);
extern bool orch_query_equal(const QueryExpr *a, const QueryExpr *b);
extern char *orch_query_name(const SoqlExpr *expr);

/* query_condition.c */
extern QueryTest *orch_query_where(QueryScope *scope, const SoqlCondition *condition,
								   bool having);

/* query_date.c */
extern void orch_query_date_init(void);
extern bool orch_query_date_literal(const SoqlLiteral *literal, QueryParam *start,
									QueryParam *end);
extern Datum orch_query_date_bound(const QueryParam *param);
extern int	orch_query_fiscal_months(void);

/* query_write.c */
extern QueryStatement *orch_query_write(QuerySelect *select, QueryVariant variant,
										bool enclosed, MemoryContext context);

/* query_plan.c */
extern QueryStatement *orch_query_statement(ReadyQuery *query, QuerySelect *select,
											QueryVariant variant);
extern SPIPlanPtr orch_query_prepare(ReadyQuery *query, QuerySelect *select, QueryVariant variant,
									 int64 limit, const pg_uuid_t *ids, int nids,
									 ParamListInfo *params);
extern void orch_query_free_plans(QuerySelect *select);

/* query_result.c */
typedef struct QueryRows QueryRows;

extern QueryRows *orch_query_execute(ReadyQuery *query, QuerySelect *select, QueryVariant variant,
									 int64 limit, const pg_uuid_t *ids, int nids);
extern uint64 orch_query_count_rows(const QueryRows *rows);
extern void orch_query_cut_rows(QueryRows *rows, uint64 n);
extern Datum orch_query_datum(const QueryRows *rows, uint64 row, int column);
extern const pg_uuid_t *orch_query_row_id(const QueryRows *rows, uint64 row);
extern void orch_query_append_records(StringInfo out, QueryRows *rows, const uint64 *order,
									  uint64 norder);

/* query_locator.c */

/* A page of a result, as query_locator keeps it. */
typedef struct QueryPage
{
	pg_uuid_t	locator;
	char	   *text;
	int			version;
	bool		include_deleted;
	int64		total;
	int			batch;
	int64		first;			/* of the page, from 0 in the whole result */
	int			nids;
	pg_uuid_t  *ids;
} QueryPage;

extern int64 orch_query_keep(ReadyQuery *query, int batch, const QueryRows *shown,
							 pg_uuid_t *locator);
extern void orch_query_find_page(const char *locator, QueryPage *page);
extern char *orch_query_locator_text(const pg_uuid_t *locator, int64 first);

#define orch_query_malformed(resolver, location, ...) \
	orch_query_error((resolver)->text, location, ERRCODE_ORCH_MALFORMED_QUERY, \
					 "MALFORMED_QUERY", __VA_ARGS__)

#endif							/* ORCH_QUERY_INT_H */
