/*-------------------------------------------------------------------------
 *
 * query_resolve.c
 *	  The second pass over a SOQL query: its clauses against the metadata.
 *
 * Which field may be filtered, grouped or sorted is decided by its properties in the
 * metadata, not by its type.  Rules: reference.md, 5.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_resolve.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "base/catalog.h"
#include "base/errors.h"
#include "call/query_int.h"

static int	add_column(QueryScope *scope, QueryExpr *expr);
static QueryRecord *new_record(QueryScope *scope, QueryRelation *relation);
static QueryRecord *parent_record(QueryScope *scope, QueryRecord *record,
								  QueryRelation *relation, int location);
static void add_value(QueryScope *scope, QueryRecord *record, const char *key,
					  QueryExpr *expr, const SoqlItem *item);
static void add_field(QueryScope *scope, const SoqlItem *item, QueryExpr *expr);
static bool names_ids(const SoqlCondition *condition);
static bool is_limited(const SoqlQuery *tree);
static void add_fields(QueryScope *scope, const SoqlQuery *tree, const SoqlItem *item);
static void add_typeof(QueryScope *scope, const SoqlItem *item);
static void add_children(QueryScope *scope, const SoqlItem *item, const SoqlQuery *parent);
static void add_aggregate_item(QueryScope *scope, const SoqlItem *item, int *nunnamed);
static bool is_grouped(QueryScope *scope, const QueryExpr *expr);
static void resolve_items(QueryScope *scope, const SoqlQuery *tree);
static void resolve_grouping(QueryScope *scope, const SoqlQuery *tree);
static void resolve_order(QueryScope *scope, const SoqlQuery *tree);
static bool is_viewed(const SObject *object);
static void resolve_scope(QueryScope *scope, const SoqlQuery *tree);
static void resolve_limits(QueryScope *scope, const SoqlQuery *tree);
static void check_aggregates(QueryScope *scope, const SoqlQuery *tree);

/*
 * The column of an expression; one that is selected already is not selected twice.
 */
static int
add_column(QueryScope *scope, QueryExpr *expr)
{
	ListCell   *cell;

	foreach(cell, scope->select->columns)
	{
		QueryExpr  *other = (QueryExpr *) lfirst(cell);

		if (expr->kind == EXPR_FIELD && other->kind == EXPR_FIELD &&
			other->relation == expr->relation && other->field == expr->field)
			return foreach_current_index(cell);
	}
	if (list_length(scope->select->columns) >= QUERY_MAX_VALUES)
		orch_query_malformed(scope->resolver, expr->location,
							 "A query selects at most %d values.", QUERY_MAX_VALUES);
	scope->select->columns = lappend(scope->select->columns, expr);
	return list_length(scope->select->columns) - 1;
}

/*
 * A record of a relation in the result.  Its id is read always: attributes have it, and a
 * parent without one is null.
 */
static QueryRecord *
new_record(QueryScope *scope, QueryRelation *relation)
{
	QueryRecord *record = palloc0(sizeof(QueryRecord));
	const SObjectField *field;

	record->relation = relation;
	record->id_column = -1;
	record->type_column = -1;
	if (relation == NULL)
		return record;
	field = orch_query_field(scope, relation, "Id", -1);
	record->id_column = add_column(scope, orch_query_field_expr(scope, relation, field, -1));
	if (strcmp(relation->object->name, "Name") == 0)
	{
		field = orch_query_field(scope, relation, "Type", -1);
		record->type_column = add_column(scope, orch_query_field_expr(scope, relation, field, -1));
	}
	return record;
}

/*
 * The record of a parent within the record that the query selects, made where a path first
 * leads to it.
 */
static QueryRecord *
parent_record(QueryScope *scope, QueryRecord *record, QueryRelation *relation, int location)
{
	QueryMember *member;
	ListCell   *cell;

	check_stack_depth();
	if (relation->child == NULL)
		return record;
	record = parent_record(scope, record, relation->child, location);
	foreach(cell, record->members)
	{
		member = (QueryMember *) lfirst(cell);
		if (member->kind == MEMBER_PARENT &&
			((QueryRecord *) linitial(member->records))->relation == relation)
			return (QueryRecord *) linitial(member->records);
		if (member->kind == MEMBER_TYPEOF &&
			strcmp(member->key, relation->reference->relationship) == 0)
			orch_query_malformed(scope->resolver, location,
								 "The relationship %s is selected by TYPEOF and by a path.",
								 member->key);
	}
	member = palloc0(sizeof(QueryMember));
	member->kind = MEMBER_PARENT;
	member->key = relation->reference->relationship;
	member->records = list_make1(new_record(scope, relation));
	record->members = lappend(record->members, member);
	return (QueryRecord *) linitial(member->records);
}

static void
add_value(QueryScope *scope, QueryRecord *record, const char *key, QueryExpr *expr,
		  const SoqlItem *item)
{
	QueryMember *member;
	ListCell   *cell;

	foreach(cell, record->members)
	{
		member = (QueryMember *) lfirst(cell);
		if (pg_strcasecmp(member->key, key) != 0)
			continue;
		if (item->alias != NULL)
			orch_query_malformed(scope->resolver, item->alias_location,
								 "duplicate alias: %s", item->alias);
		if (scope->select->aggregated && !orch_query_equal(member->expr, expr))
			orch_query_malformed(scope->resolver, item->location,
								 "duplicate alias: %s. Give one of the fields another alias.", key);
		orch_query_error(scope->resolver->text, item->location, ERRCODE_ORCH_INVALID_FIELD,
						 "INVALID_FIELD", "duplicate field selected: %s", key);
	}
	member = palloc0(sizeof(QueryMember));
	member->kind = MEMBER_VALUE;
	member->key = key;
	member->expr = expr;
	member->column = add_column(scope, expr);
	record->members = lappend(record->members, member);
}

/*
 * A field, or toLabel() or FORMAT() of one.
 */
static void
add_field(QueryScope *scope, const SoqlItem *item, QueryExpr *expr)
{
	QueryExpr  *field = expr->kind == EXPR_FORMAT ? expr->arg : expr;
	const char *key = item->alias;

	if (item->alias != NULL && item->expr->function == NULL)
		orch_query_malformed(scope->resolver, item->alias_location,
							 "only aggregate expressions use field aliasing");
	if (field->kind != EXPR_FIELD)
		orch_query_malformed(scope->resolver, item->location,
							 "The function %s is allowed in SELECT if it is in GROUP BY, too.",
							 item->expr->function);
	/* the key of a field is its name, of an alias of a newer name that one */
	if (key == NULL && item->expr->function == NULL && field->relation->child == NULL &&
		pg_strcasecmp((char *) llast(item->expr->names), field->field->name) != 0)
		key = (char *) llast(item->expr->names);
	if (key == NULL)
		key = field->field->name;
	add_value(scope, parent_record(scope, scope->select->record, field->relation,
									 item->location), key, expr, item);
}

/*
 * Does the comparison name records by their ids, of which there are few enough for FIELDS(ALL)?
 */
static bool
names_ids(const SoqlCondition *condition)
{
	return condition->kind == SOQL_COMPARE && condition->subquery == NULL &&
		(condition->op == SOQL_EQ || condition->op == SOQL_IN) &&
		list_length(condition->left->names) == 1 &&
		pg_strcasecmp((char *) linitial(condition->left->names), "Id") == 0 &&
		list_length(condition->literals) <= QUERY_MAX_ALL_FIELDS;
}

static bool
is_limited(const SoqlQuery *tree)
{
	ListCell   *cell;

	if (tree->limit >= 0 && tree->limit <= QUERY_MAX_ALL_FIELDS)
		return true;
	if (tree->where == NULL)
		return false;
	if (tree->where->kind == SOQL_AND)
		foreach(cell, tree->where->args)
			if (names_ids((SoqlCondition *) lfirst(cell)))
				return true;
	return names_ids(tree->where);
}

/*
 * FIELDS(ALL), FIELDS(STANDARD), FIELDS(CUSTOM).
 */
static void
add_fields(QueryScope *scope, const SoqlQuery *tree, const SoqlItem *item)
{
	QueryResolver *resolver = scope->resolver;
	QueryRelation *root = scope->select->root;
	bool		all = pg_strcasecmp(item->fields, "ALL") == 0;
	bool		custom = pg_strcasecmp(item->fields, "CUSTOM") == 0;
	int			i;

	if (!all && !custom && pg_strcasecmp(item->fields, "STANDARD") != 0)
		orch_query_malformed(resolver, item->location,
							 "FIELDS has one of the arguments ALL, CUSTOM and STANDARD.");
	if (resolver->version < 510)
		orch_query_malformed(resolver, item->location,
							 "FIELDS is available in API version 51.0 and later.");
	if ((all || custom) && !is_limited(tree))
		orch_query_malformed(resolver, item->location,
							 "The SOQL FIELDS function must have a LIMIT of at most %d",
							 QUERY_MAX_ALL_FIELDS);
	if (custom && list_length(tree->items) == 1)
		orch_query_malformed(resolver, item->location,
							 "The object %s has no custom fields.", root->object->name);
	for (i = 0; !custom && i < root->object->nfields; i++)
	{
		const SObjectField *field = &root->object->fields[i];

		if (field->since > resolver->version)
			continue;
		if (orch_sobject_readable(root->object, field, resolver->role))
			add_value(scope, scope->select->record, field->name,
					  orch_query_field_expr(scope, root, field, item->location), item);
		else
			resolver->hidden = lappend(resolver->hidden,
									   orch_query_hidden_expr(root, field));
	}
}

/*
 * TYPEOF: one record for each type, of which at most one is not null.
 */
static void
add_typeof(QueryScope *scope, const SoqlItem *item)
{
	QueryResolver *resolver = scope->resolver;
	QueryRelation *child = scope->select->root;
	const SObjectField *reference = NULL;
	QueryMember *member = palloc0(sizeof(QueryMember));
	const char *name = (char *) llast(item->expr->names);
	ListCell   *cell;

	if (list_length(item->expr->names) == 1 ||
		(list_length(item->expr->names) == 2 &&
		 orch_query_prefix(scope, (char *) linitial(item->expr->names)) == child))
		reference = orch_query_reference(scope, child, name);
	else
		orch_query_malformed(resolver, item->expr->location,
							 "TYPEOF takes a relationship of %s itself, without a path.",
							 child->object->name);
	if (reference == NULL)
		orch_query_error(resolver->text, item->expr->location, ERRCODE_ORCH_INVALID_FIELD,
						 "INVALID_FIELD", "Didn't understand relationship '%s' in field path",
						 name);
	if (reference->nrefers_to < 2)
		orch_query_malformed(resolver, item->expr->location,
							 "TYPEOF needs a relationship that can lead to several objects; %s leads to %s.",
							 reference->relationship,
							 reference->nrefers_to == 1 ? reference->refers_to[0] : "none");
	foreach(cell, scope->select->record->members)
		if (pg_strcasecmp(((QueryMember *) lfirst(cell))->key, reference->relationship) == 0)
			orch_query_malformed(resolver, item->location,
								 "The relationship %s is selected more than once.",
								 reference->relationship);
	member->kind = MEMBER_TYPEOF;
	member->key = reference->relationship;
	foreach(cell, item->whens)
	{
		SoqlWhen   *when = (SoqlWhen *) lfirst(cell);
		const SObject *object = when->type == NULL ? orch_query_target(reference) :
			orch_query_object(resolver, when->type, when->location);
		QueryRelation *relation;
		QueryRecord *record;
		ListCell   *field;
		int			i;

		for (i = 0; when->type != NULL && i < reference->nrefers_to; i++)
			if (strcmp(reference->refers_to[i], object->name) == 0)
				break;
		if (when->type != NULL && i == reference->nrefers_to)
			orch_query_error(resolver->text, when->location, ERRCODE_ORCH_INVALID_TYPE,
							 "INVALID_TYPE", "The relationship %s does not lead to %s.",
							 reference->relationship, object->name);
		relation = orch_query_parent(scope, child, reference, object, when->location);
		foreach(field, member->records)
			if (((QueryRecord *) lfirst(field))->relation == relation)
				orch_query_malformed(resolver, when->location, "duplicate type: %s",
									 object->name);
		record = new_record(scope, relation);
		foreach(field, when->fields)
		{
			SoqlExpr   *path = (SoqlExpr *) lfirst(field);
			SoqlItem	one;

			if (path->function != NULL || list_length(path->names) != 1)
				orch_query_malformed(resolver, path->location,
									 "TYPEOF selects fields of the object, without functions or paths.");
			memset(&one, 0, sizeof(one));
			one.location = path->location;
			add_value(scope, record, orch_query_field(scope, relation,
													  (char *) linitial(path->names),
													  path->location)->name,
					  orch_query_field_expr(scope, relation,
											orch_query_field(scope, relation,
															 (char *) linitial(path->names),
															 path->location), path->location),
					  &one);
		}
		member->records = lappend(member->records, record);
	}
	scope->select->record->members = lappend(scope->select->record->members, member);
}

/*
 * (SELECT ... FROM Children).
 */
static void
add_children(QueryScope *scope, const SoqlItem *item, const SoqlQuery *parent)
{
	QueryResolver *resolver = scope->resolver;
	const SObject *object = scope->select->object;
	const SoqlQuery *tree = item->subquery;
	SoqlFrom   *from = (SoqlFrom *) linitial(tree->from);
	const char *name = (char *) llast(from->names);
	const SObject *child = NULL;
	QuerySelect *select;
	QueryScope	inner;
	QueryMember *member;
	ListCell   *cell;
	int			i;

	check_stack_depth();
	if (list_length(from->names) > 1 &&
		orch_query_prefix(scope, (char *) linitial(from->names)) != scope->select->root)
		orch_query_malformed(resolver, from->location,
							 "Before a child relationship, FROM takes the outer object or its alias only, not '%s'.",
							 (char *) linitial(from->names));
	if (scope->select->aggregated)
		orch_query_malformed(resolver, item->location,
							 "A sub-query is not allowed beside aggregates.");
	for (i = 0; i < object->nchildren; i++)
		if (pg_strcasecmp(object->children[i].relationship, name) == 0 &&
			object->children[i].since <= resolver->version)
		{
			child = orch_sobject_find(object->children[i].object);
			break;
		}
	if (child == NULL)
		orch_query_error(resolver->text, from->location, ERRCODE_ORCH_INVALID_TYPE,
						 "INVALID_TYPE",
						 "Didn't understand relationship '%s' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.",
						 name);
	if (scope->depth + 1 >= (resolver->version >= 580 ? QUERY_MAX_LEVELS : 2))
		orch_query_malformed(resolver, item->location,
							 "Sub-queries have at most %d levels in this API version.",
							 resolver->version >= 580 ? QUERY_MAX_LEVELS : 2);
	if (++resolver->nchildren > QUERY_MAX_CHILDREN)
		orch_query_malformed(resolver, item->location, "A query has at most %d sub-queries.",
							 QUERY_MAX_CHILDREN);
	if (tree->scope != NULL)
		orch_query_malformed(resolver, tree->scope_location,
							 "USING SCOPE is not allowed in a sub-query.");
	if (tree->mark != SOQL_FOR_NOTHING)
		orch_query_malformed(resolver, tree->mark_location,
							 "FOR is not allowed in a sub-query.");
	if (tree->offset >= 0 && parent->limit != 1)
		orch_query_malformed(resolver, tree->offset_location,
							 "OFFSET is allowed in a sub-query if the outer query has LIMIT 1.");
	select = palloc0(sizeof(QuerySelect));
	select->object = child;
	select->relationship = object->children[i].relationship;
	memset(&inner, 0, sizeof(inner));
	inner.resolver = resolver;
	inner.select = select;
	inner.depth = scope->depth + 1;
	orch_query_root(&inner, tree);
	select->parent_field = orch_query_field(&inner, select->root, object->children[i].field,
											from->location);
	check_aggregates(&inner, tree);
	if (select->aggregated)
		orch_query_malformed(resolver, item->location,
							 "Aggregates and GROUP BY are not allowed in a sub-query.");
	add_column(&inner, orch_query_field_expr(&inner, select->root, select->parent_field, -1));
	select->record = new_record(&inner, select->root);
	resolve_items(&inner, tree);
	if (tree->where != NULL)
		select->where = orch_query_where(&inner, tree->where, false);
	resolve_order(&inner, tree);
	resolve_limits(&inner, tree);

	foreach(cell, scope->select->record->members)
		if (pg_strcasecmp(((QueryMember *) lfirst(cell))->key, select->relationship) == 0)
			orch_query_malformed(resolver, item->location,
								 "The relationship %s is selected more than once.",
								 select->relationship);
	member = palloc0(sizeof(QueryMember));
	member->kind = MEMBER_CHILDREN;
	member->key = select->relationship;
	member->children = select;
	member->child_number = list_length(scope->select->children);
	scope->select->children = lappend(scope->select->children, select);
	scope->select->record->members = lappend(scope->select->record->members, member);
}

static bool
is_grouped(QueryScope *scope, const QueryExpr *expr)
{
	ListCell   *cell;
	QueryExpr	plain = *expr;

	plain.to_label = false;
	foreach(cell, scope->select->group)
		if (orch_query_equal((QueryExpr *) lfirst(cell), &plain))
			return true;
	return false;
}

/*
 * An item of a query with aggregates: an aggregate, or an expression of GROUP BY.
 */
static void
add_aggregate_item(QueryScope *scope, const SoqlItem *item, int *nunnamed)
{
	QueryExpr  *expr = orch_query_expr(scope, item->expr);
	QueryExpr  *inner = expr->kind == EXPR_FORMAT ? expr->arg : expr;
	const char *key = item->alias;

	if (inner->kind == EXPR_COUNT_ALL)
		orch_query_malformed(scope->resolver, item->location,
							 "COUNT() must be the only item of SELECT; use COUNT(Id).");
	if (inner->kind == EXPR_GROUPING)
	{
		if (scope->select->grouping != SOQL_GROUP_ROLLUP &&
			scope->select->grouping != SOQL_GROUP_CUBE)
			orch_query_malformed(scope->resolver, item->location,
								 "GROUPING is allowed with GROUP BY ROLLUP and GROUP BY CUBE only.");
		if (!is_grouped(scope, inner->arg))
			orch_query_malformed(scope->resolver, item->location,
								 "The argument of GROUPING must be in GROUP BY: %s",
								 inner->arg->name);
	}
	else if (inner->kind != EXPR_AGGREGATE && !is_grouped(scope, inner))
		orch_query_malformed(scope->resolver, item->location,
							 "Field must be grouped or aggregated: %s",
							 orch_query_name(item->expr));
	if (key == NULL && inner->kind == EXPR_FIELD)
		key = inner->field->name;
	else if (key == NULL)
		key = psprintf("expr%d", (*nunnamed)++);
	add_value(scope, scope->select->record, key, expr, item);
}

static void
resolve_items(QueryScope *scope, const SoqlQuery *tree)
{
	ListCell   *cell;
	int			nunnamed = 0;

	foreach(cell, tree->items)
	{
		SoqlItem   *item = (SoqlItem *) lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (scope->select->aggregated && item->kind == SOQL_ITEM_EXPR)
			add_aggregate_item(scope, item, &nunnamed);
		else if (scope->select->aggregated && item->kind == SOQL_ITEM_FIELDS)
			orch_query_malformed(scope->resolver, item->location,
								 "Field must be grouped or aggregated: FIELDS(%s)", item->fields);
		else if (scope->select->aggregated && item->kind == SOQL_ITEM_TYPEOF)
			orch_query_malformed(scope->resolver, item->location,
								 "TYPEOF is not allowed beside aggregates or GROUP BY.");
		else if (item->kind == SOQL_ITEM_EXPR)
			add_field(scope, item, orch_query_expr(scope, item->expr));
		else if (item->kind == SOQL_ITEM_FIELDS)
			add_fields(scope, tree, item);
		else if (item->kind == SOQL_ITEM_TYPEOF)
			add_typeof(scope, item);
		else
			add_children(scope, item, tree);
	}
}

/*
 * Is it a query with aggregates, and is it COUNT() alone?
 */
static void
check_aggregates(QueryScope *scope, const SoqlQuery *tree)
{
	SoqlItem   *first = (SoqlItem *) linitial(tree->items);
	ListCell   *cell;

	scope->select->aggregated = tree->grouping != SOQL_GROUP_NONE;
	foreach(cell, tree->items)
	{
		SoqlItem   *item = (SoqlItem *) lfirst(cell);

		if (item->kind == SOQL_ITEM_EXPR && orch_query_has_aggregate(item->expr))
			scope->select->aggregated = true;
	}
	scope->select->count_only = list_length(tree->items) == 1 &&
		first->kind == SOQL_ITEM_EXPR && first->expr->function != NULL &&
		first->expr->args == NIL && pg_strcasecmp(first->expr->function, "COUNT") == 0 &&
		tree->grouping == SOQL_GROUP_NONE;
	if (scope->select->count_only && first->alias != NULL)
		orch_query_malformed(scope->resolver, first->alias_location, "COUNT() has no alias.");
	if (scope->select->count_only && tree->order != NIL)
		orch_query_malformed(scope->resolver, tree->order_location,
							 "ORDER BY is not allowed with COUNT().");
	if (scope->select->aggregated && !scope->select->count_only &&
		tree->grouping == SOQL_GROUP_NONE && (tree->limit >= 0 || tree->offset >= 0))
		orch_query_malformed(scope->resolver,
							 tree->limit >= 0 ? tree->limit_location : tree->offset_location,
							 "LIMIT and OFFSET are not allowed with aggregates without GROUP BY.");
	if (tree->having != NULL && tree->grouping == SOQL_GROUP_NONE)
		orch_query_malformed(scope->resolver, tree->having->location,
							 "HAVING needs GROUP BY.");
}

static void
resolve_grouping(QueryScope *scope, const SoqlQuery *tree)
{
	QueryResolver *resolver = scope->resolver;
	ListCell   *cell;

	scope->select->grouping = tree->grouping;
	if ((tree->grouping == SOQL_GROUP_ROLLUP || tree->grouping == SOQL_GROUP_CUBE) &&
		list_length(tree->group) > 3)
		orch_query_malformed(resolver, tree->group_location,
							 "ROLLUP and CUBE have at most three fields.");
	foreach(cell, tree->group)
	{
		SoqlExpr   *item = (SoqlExpr *) lfirst(cell);
		QueryExpr  *expr = orch_query_expr(scope, item);

		if (expr->kind != EXPR_DATE &&
			(expr->kind != EXPR_FIELD || expr->to_label ||
			 (expr->field->properties & FIELD_GROUP) == 0))
			orch_query_malformed(resolver, item->location,
								 "field '%s' can not be grouped in a query call",
								 orch_query_name(item));
		if (list_length(scope->select->group) >= QUERY_MAX_VALUES / 2)
			orch_query_malformed(resolver, item->location,
								 "A query groups by at most %d values.", QUERY_MAX_VALUES / 2);
		scope->select->group = lappend(scope->select->group, expr);
	}
}

static void
resolve_order(QueryScope *scope, const SoqlQuery *tree)
{
	QueryResolver *resolver = scope->resolver;
	ListCell   *cell;

	foreach(cell, tree->order)
	{
		SoqlOrder  *item = (SoqlOrder *) lfirst(cell);
		QueryExpr  *expr = orch_query_expr(scope, item->expr);
		QueryOrder *order = palloc0(sizeof(QueryOrder));

		if (expr->to_label || expr->kind == EXPR_FORMAT)
			orch_query_malformed(resolver, expr->location,
								 "The function %s is not allowed in ORDER BY.",
								 item->expr->function);
		if (scope->select->aggregated)
		{
			if (expr->kind == EXPR_GROUPING)
			{
				if (!is_grouped(scope, expr->arg) || scope->select->grouping == SOQL_GROUP_PLAIN)
					orch_query_malformed(resolver, expr->location,
										 "GROUPING is allowed for a field of GROUP BY ROLLUP or GROUP BY CUBE.");
			}
			else if (expr->kind == EXPR_COUNT_ALL)
				orch_query_malformed(resolver, expr->location,
									 "COUNT() is not allowed in ORDER BY; use COUNT(Id).");
			else if (expr->kind != EXPR_AGGREGATE && !is_grouped(scope, expr))
				orch_query_malformed(resolver, expr->location,
									 "Ordered field must be grouped or aggregated: %s",
									 orch_query_name(item->expr));
		}
		else if (expr->kind != EXPR_FIELD)
			orch_query_malformed(resolver, expr->location,
								 "The function %s is not allowed in ORDER BY without GROUP BY.",
								 item->expr->function);
		if (expr->kind == EXPR_FIELD && (expr->field->properties & FIELD_SORT) == 0)
			orch_query_malformed(resolver, expr->location,
								 "field '%s' can not be sorted in a query call",
								 orch_query_name(item->expr));
		if (list_length(scope->select->columns) + list_length(scope->select->order) >=
			QUERY_MAX_VALUES)
			orch_query_malformed(resolver, expr->location,
								 "A query selects and sorts at most %d values.",
								 QUERY_MAX_VALUES);
		order->expr = expr;
		order->descending = item->descending;
		order->nulls_first = item->nulls_given ? item->nulls_first : true;
		scope->select->order = lappend(scope->select->order, order);
	}
}

static void
resolve_scope(QueryScope *scope, const SoqlQuery *tree)
{
	if (tree->scope == NULL || pg_strcasecmp(tree->scope, "everything") == 0)
		return;
	if (pg_strcasecmp(tree->scope, "mine") != 0 ||
		orch_sobject_field(scope->select->object, "OwnerId") == NULL)
		orch_query_malformed(scope->resolver, tree->scope_location,
							 "The scope %s is not supported for %s; see supportedScopes of describe_sobjects().",
							 tree->scope, scope->select->object->name);
	(void) orch_query_field_expr(scope, scope->select->root,
								 orch_query_field(scope, scope->select->root, "OwnerId",
												  tree->scope_location), -1);
	scope->select->mine = true;
}

static void
resolve_limits(QueryScope *scope, const SoqlQuery *tree)
{
	scope->select->limit = tree->limit;
	scope->select->offset = tree->offset;
	if (tree->offset > QUERY_MAX_OFFSET)
		orch_query_error(scope->resolver->text, tree->offset_location,
						 ERRCODE_ORCH_LIMIT_EXCEEDED, "NUMBER_OUTSIDE_VALID_RANGE",
						 "Maximum SOQL offset allowed is %d", QUERY_MAX_OFFSET);
}

/*
 * Does view_record() take the object's records?
 */
static bool
is_viewed(const SObject *object)
{
	int			i;

	for (i = 0; i <= OBJECT_LAST; i++)
		if (strcmp(orch_catalog_label(ENUM_SHARED_OBJECT, i), object->name) == 0)
			return true;
	return false;
}

/*
 * The whole query.
 */
QuerySelect *
orch_query_resolve(QueryResolver *resolver, const SoqlQuery *tree)
{
	SoqlFrom   *from = (SoqlFrom *) linitial(tree->from);
	QuerySelect *select = palloc0(sizeof(QuerySelect));
	QueryScope	scope;

	memset(&scope, 0, sizeof(scope));
	scope.resolver = resolver;
	scope.select = select;
	if (list_length(from->names) != 1)
		orch_query_error(resolver->text, from->location, ERRCODE_ORCH_INVALID_TYPE,
						 "INVALID_TYPE", "sObject type '%s' is not supported.",
						 (char *) linitial(from->names));
	select->object = orch_query_object(resolver, (char *) linitial(from->names),
									   from->location);
	select->include_deleted = resolver->include_deleted;
	orch_query_root(&scope, tree);
	check_aggregates(&scope, tree);
	resolve_grouping(&scope, tree);
	select->record = new_record(&scope, select->aggregated ? NULL : select->root);
	if (!select->count_only)
		resolve_items(&scope, tree);
	if (tree->where != NULL)
		select->where = orch_query_where(&scope, tree->where, false);
	if (tree->having != NULL)
		select->having = orch_query_where(&scope, tree->having, true);
	resolve_order(&scope, tree);
	resolve_scope(&scope, tree);
	resolve_limits(&scope, tree);
	select->mark = tree->mark;
	if (tree->mark != SOQL_FOR_NOTHING &&
		(select->aggregated || !is_viewed(select->object)))
		orch_query_malformed(resolver, tree->mark_location,
							 "FOR VIEW and FOR REFERENCE are not allowed %s.",
							 select->aggregated ? "with aggregates" : "for this object");
	return select;
}
