/*-------------------------------------------------------------------------
 *
 * query_name.c
 *	  Names in a SOQL query: objects, relationships, paths and fields.
 *
 * A name that the caller may not read, or that is newer than the API version, does not
 * exist: the message is the same.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/query_name.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"

#include "base/errors.h"
#include "call/query_int.h"

/* An alias in FROM. */
typedef struct QueryAlias
{
	const char *name;
	QueryRelation *relation;
} QueryAlias;

/* Newer names of fields, which are understood in every version. */
static const struct
{
	const char *object;
	const char *name;
	const char *field;
}			newer_names[] = {
	{"FlowOrchestrationInstance", "OrchestrationName", "OrchestrationDeveloperName"},
	{"FlowOrchestrationInstance", "TriggeringRecord", "TriggeringRecordId"}
};

static QueryRelation *new_relation(QueryScope *scope, const SObject *object,
								   QueryRelation *child, const SObjectField *reference);
static QueryRelation *path_relation(QueryScope *scope, const List *names, int nnames,
									int location);
static QueryClass field_class(const SObjectField *field);

/*
 * The object of this name.  Raises OR401.
 */
const SObject *
orch_query_object(QueryResolver *resolver, const char *name, int location)
{
	const SObject *object = orch_sobject_find(name);

	if (object == NULL || object->since > resolver->version ||
		(object->calls & CALL_QUERY) == 0)
		orch_query_error(resolver->text, location, ERRCODE_ORCH_INVALID_TYPE, "INVALID_TYPE",
						 "sObject type '%s' is not supported.", name);
	return object;
}

static QueryRelation *
new_relation(QueryScope *scope, const SObject *object, QueryRelation *child,
			 const SObjectField *reference)
{
	QueryRelation *relation = palloc0(sizeof(QueryRelation));

	relation->number = scope->resolver->nrelations++;
	relation->object = object;
	relation->child = child;
	relation->reference = reference;
	relation->level = child == NULL ? 0 : child->level + 1;
	scope->select->relations = lappend(scope->select->relations, relation);
	return relation;
}

/*
 * The FROM list: the object, and aliases of its parents.
 */
QueryRelation *
orch_query_root(QueryScope *scope, const SoqlQuery *tree)
{
	ListCell   *cell;
	QueryRelation *root = NULL;

	foreach(cell, tree->from)
	{
		SoqlFrom   *from = (SoqlFrom *) lfirst(cell);
		QueryRelation *relation;
		ListCell   *other;

		if (root == NULL)
		{
			/* a child sub-query names a relationship, which the caller resolved */
			relation = root = new_relation(scope, scope->select->object, NULL, NULL);
			scope->select->root = root;
		}
		else
		{
			if (list_length(from->names) < 2 ||
				orch_query_prefix(scope, (char *) linitial(from->names)) == NULL)
				orch_query_malformed(scope->resolver, from->location,
									 "A further object in FROM must be a path from an alias of the first, as in FROM FlowOrchestrationStepInstance s, s.StageInstance g");
			relation = path_relation(scope, from->names, list_length(from->names),
									 from->location);
		}
		if (from->alias == NULL)
			continue;
		foreach(other, scope->aliases)
			if (pg_strcasecmp(((QueryAlias *) lfirst(other))->name, from->alias) == 0)
				orch_query_malformed(scope->resolver, from->alias_location,
									 "duplicate alias: %s", from->alias);
		{
			QueryAlias *alias = palloc(sizeof(QueryAlias));

			alias->name = from->alias;
			alias->relation = relation;
			scope->aliases = lappend(scope->aliases, alias);
		}
	}
	return root;
}

/*
 * The relation that the first name of a path means, or NULL: an alias, or the object.
 */
QueryRelation *
orch_query_prefix(QueryScope *scope, const char *name)
{
	ListCell   *cell;

	foreach(cell, scope->aliases)
	{
		QueryAlias *alias = (QueryAlias *) lfirst(cell);

		if (pg_strcasecmp(alias->name, name) == 0)
			return alias->relation;
	}
	if (pg_strcasecmp(scope->select->object->name, name) == 0)
		return scope->select->root;
	return NULL;
}

/*
 * The object that a reference leads to: Name if it may lead to several; NULL if it is not
 * one of the documented objects.
 */
const SObject *
orch_query_target(const SObjectField *reference)
{
	return orch_sobject_find(reference->nrefers_to > 1 ? "Name" :
							 reference->nrefers_to == 1 ? reference->refers_to[0] : "");
}

/*
 * The reference field of a relation that has this relationship name, or NULL.
 */
const SObjectField *
orch_query_reference(QueryScope *scope, QueryRelation *relation, const char *name)
{
	QueryResolver *resolver = scope->resolver;
	const SObject *object = relation->object;
	int			i;

	for (i = 0; i < object->nfields; i++)
	{
		const SObjectField *field = &object->fields[i];

		if (field->relationship != NULL && pg_strcasecmp(field->relationship, name) == 0 &&
			field->since <= resolver->version &&
			orch_sobject_readable(object, field, resolver->role))
			return field;
	}
	return NULL;
}

/*
 * The parent that a reference of a relation leads to, as a record of object.
 */
QueryRelation *
orch_query_parent(QueryScope *scope, QueryRelation *child, const SObjectField *reference,
				  const SObject *object, int location)
{
	QueryRelation *parent;
	ListCell   *cell;

	foreach(cell, scope->select->relations)
	{
		QueryRelation *relation = (QueryRelation *) lfirst(cell);

		if (relation->child == child && relation->reference == reference &&
			relation->object == object)
			return relation;
	}
	if (child->level >= QUERY_MAX_LEVELS)
		orch_query_malformed(scope->resolver, location,
							 "A path has at most %d relationships.", QUERY_MAX_LEVELS);
	if (++scope->resolver->nparents > QUERY_MAX_PARENTS)
		orch_query_malformed(scope->resolver, location,
							 "A query has at most %d relationships to parents.",
							 QUERY_MAX_PARENTS);
	/* the join reads the reference and the id */
	(void) orch_query_field_expr(scope, child, reference, location);
	parent = new_relation(scope, object, child, reference);
	(void) orch_query_field_expr(scope, parent,
								 orch_query_field(scope, parent, "Id", location), location);
	return parent;
}

/*
 * The relation that the first nnames names lead to.
 */
static QueryRelation *
path_relation(QueryScope *scope, const List *names, int nnames, int location)
{
	QueryRelation *relation = nnames == 0 ? NULL :
		orch_query_prefix(scope, (char *) linitial(names));
	int			i = relation == NULL ? 0 : 1;

	if (relation == NULL)
		relation = scope->select->root;
	for (; i < nnames; i++)
	{
		const char *name = (char *) list_nth(names, i);
		const SObjectField *reference = orch_query_reference(scope, relation, name);
		const SObject *target = reference == NULL ? NULL : orch_query_target(reference);

		if (target == NULL || target->since > scope->resolver->version)
			orch_query_error(scope->resolver->text, location, ERRCODE_ORCH_INVALID_FIELD,
							 "INVALID_FIELD",
							 "Didn't understand relationship '%s' in field path. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names.",
							 name);
		relation = orch_query_parent(scope, relation, reference, target, location);
	}
	return relation;
}

/*
 * A field of a relation by its name.  Raises OR402.
 */
const SObjectField *
orch_query_field(QueryScope *scope, QueryRelation *relation, const char *name, int location)
{
	QueryResolver *resolver = scope->resolver;
	const SObject *object = relation->object;
	const SObjectField *field = orch_sobject_field(object, name);
	int			i;

	for (i = 0; field == NULL && i < (int) lengthof(newer_names); i++)
		if (strcmp(object->name, newer_names[i].object) == 0 &&
			pg_strcasecmp(name, newer_names[i].name) == 0)
			field = orch_sobject_field(object, newer_names[i].field);
	if (field == NULL || field->since > resolver->version ||
		!orch_sobject_readable(object, field, resolver->role))
		orch_query_error(resolver->text, location, ERRCODE_ORCH_INVALID_FIELD, "INVALID_FIELD",
						 "No such column '%s' on entity '%s'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.",
						 name, object->name);
	return field;
}

/*
 * By the type of the column in SQL: a reference to a record of a user is a text.
 */
static QueryClass
field_class(const SObjectField *field)
{
	switch (field->sql_type)
	{
		case UUIDOID:
			return CLASS_ID;
		case BOOLOID:
			return CLASS_BOOLEAN;
		case TIMESTAMPTZOID:
			return CLASS_TIME;
		case INT4OID:
		case INT8OID:
			return CLASS_NUMBER;
		default:
			if (field->type == FIELD_REFERENCE || field->type == FIELD_ID)
				return CLASS_EXACT;
			return type_is_enum(field->sql_type) ? CLASS_PICKLIST : CLASS_TEXT;
	}
}

QueryExpr *
orch_query_field_expr(QueryScope *scope, QueryRelation *relation, const SObjectField *field,
					  int location)
{
	QueryExpr  *expr = palloc0(sizeof(QueryExpr));

	expr->kind = EXPR_FIELD;
	expr->location = location;
	expr->class = field_class(field);
	expr->type = field->sql_type;
	expr->relation = relation;
	expr->field = field;
	expr->name = field->name;
	scope->resolver->used = lappend(scope->resolver->used, expr);
	if (relation->child == NULL)
		scope->select->fields = list_append_unique_ptr(scope->select->fields, (void *) field);
	return expr;
}

/*
 * A field that FIELDS() leaves out because the caller may not read it.
 */
QueryExpr *
orch_query_hidden_expr(QueryRelation *relation, const SObjectField *field)
{
	QueryExpr  *expr = palloc0(sizeof(QueryExpr));

	expr->kind = EXPR_FIELD;
	expr->relation = relation;
	expr->field = field;
	return expr;
}

/*
 * The field at the end of a path.
 */
QueryExpr *
orch_query_path_expr(QueryScope *scope, const SoqlExpr *path)
{
	int			nnames = list_length(path->names);
	const char *name = (char *) llast(path->names);
	QueryRelation *relation = path_relation(scope, path->names, nnames - 1, path->location);

	return orch_query_field_expr(scope, relation,
								 orch_query_field(scope, relation, name, path->location),
								 path->location);
}
