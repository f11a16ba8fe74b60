/*-------------------------------------------------------------------------
 *
 * definition_outside.c
 *	  Holds the references of a document against the database: fields of records, global
 *	  variables, fields of users, outputs of actions.
 *
 * When a document is compiled to be activated, the compiler hands over every reference.
 * So each problem has its line and place, and the compiler's own checks of types know the
 * types of columns: they need not be made twice.
 *
 * What is not there, and what would be of the wrong type in every run, is an error.  What
 * is blank in a run, as the platform has it, is a warning.
 *
 * A date in a column is a text in JSON (condition.c), so operators on texts apply to it,
 * and formulas may treat it as either: there its type counts as not known.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_outside.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "base/catalog.h"
#include "base/system.h"
#include "definition/definition_outside.h"
#include "record/action.h"

static StaticPlan global_plan = {
	"SELECT value FROM orchestration.global_value WHERE name = $1", 1, {TEXTOID}
};

/* A field of a record type, or a global variable. */
typedef struct LookedUp
{
	const char *key;			/* hash key, must be first: type and path, one a
								 * line; or name */
	bool		found;			/* registered, or set */
	RecordField field;
	Jsonb	   *value;			/* of a global variable */
} LookedUp;

static const char *type_of_record(const Outside *outside, const DocNode *node);
static void look_at_record(Compiler *c, const DocNode *node, Operand *operand,
						   const char *type);
static void look_at_user(Compiler *c, const DocNode *node, Operand *operand);
static void look_at_global(Compiler *c, const DocNode *node, const Operand *operand);
static void look_at_output(Compiler *c, const DocNode *node, Operand *operand);
static ValueType type_here(Compiler *c, const DocNode *node, ValueType type);

static uint32
hash_key(const void *key, Size keysize)
{
	const char *text = *(const char *const *) key;

	return hash_bytes((const unsigned char *) text, strlen(text));
}

static int
match_keys(const void *key1, const void *key2, Size keysize)
{
	return strcmp(*(const char *const *) key1, *(const char *const *) key2);
}

void
orch_definition_open_outside(Outside *outside, const DocNode *root)
{
	const DocNode *start = orch_document_child(root, "start");
	const DocNode *node;
	const DocNode *step;
	HASHCTL		ctl;
	char	   *trigger;

	memset(outside, 0, sizeof(*outside));
	if (start != NULL && start->kind == DOC_OBJECT)
	{
		outside->record_type = orch_definition_word(start, "object");
		trigger = orch_definition_word(start, "recordTriggerType");
		outside->new_only = trigger != NULL && strcmp(trigger, "Create") == 0;
	}
	for (node = root->first_child; node != NULL; node = node->next)
	{
		outside->nlookups += orch_definition_is_named(node, "recordLookups");
		if (orch_definition_is_named(node, "orchestratedStages"))
			for (step = node->first_child; step != NULL; step = step->next)
				outside->nsteps += orch_definition_is_named(step, "stageSteps");
	}
	outside->steps = palloc_extended(sizeof(DocNode *) * Max(outside->nsteps, 1),
									 MCXT_ALLOC_HUGE);
	outside->lookups = palloc_extended(sizeof(DocNode *) * Max(outside->nlookups, 1),
									   MCXT_ALLOC_HUGE);
	outside->nsteps = outside->nlookups = 0;
	for (node = root->first_child; node != NULL; node = node->next)
	{
		if (orch_definition_is_named(node, "recordLookups"))
			outside->lookups[outside->nlookups++] = node;
		if (orch_definition_is_named(node, "orchestratedStages"))
			for (step = node->first_child; step != NULL; step = step->next)
				if (orch_definition_is_named(step, "stageSteps"))
					outside->steps[outside->nsteps++] = step;
	}
	ctl.keysize = sizeof(const char *);
	ctl.entrysize = sizeof(LookedUp);
	ctl.hash = hash_key;
	ctl.match = match_keys;
	ctl.hcxt = CurrentMemoryContext;
	outside->seen = hash_create("orchestration outside", 64, &ctl,
								HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

void
orch_definition_look_outside(Compiler *c, const DocNode *node, Operand *operand)
{
	MemoryContext old = CurrentMemoryContext;
	const DocNode *lookup;
	char	   *type;

	if (c->outside == NULL)
		return;
	switch (operand->kind)
	{
		case OPERAND_RECORD_PRIOR:
			if (c->outside->new_only)
				warning_at(c, node, "reference \"%s\" is always null: only new records start a run",
						   operand->text);
			/* FALLTHROUGH */
		case OPERAND_RECORD:
			look_at_record(c, node, operand, type_of_record(c->outside, node));
			break;
		case OPERAND_LOOKUP:
			lookup = c->outside->lookups[operand->index];
			type = orch_definition_word(lookup, "object");
			if (orch_definition_boolean(lookup, "getFirstRecordOnly"))
				look_at_record(c, node, operand, type);
			break;
		case OPERAND_USER:
			look_at_user(c, node, operand);
			break;
		case OPERAND_GLOBAL:
			look_at_global(c, node, operand);
			break;
		case OPERAND_STEP_OUTPUT:
			look_at_output(c, node, operand);
			break;
		default:
			break;
	}
	MemoryContextSwitchTo(old); /* a query leaves that of SPI */
}

/* The record type whose field a filter, or a reference to the record, names; or NULL. */
static const char *
type_of_record(const Outside *outside, const DocNode *node)
{
	const DocNode *filter = node->parent;

	if (orch_definition_is_named(node, "field") && filter != NULL && filter->parent != NULL &&
		orch_definition_is_named(filter->parent, "recordLookups"))
		return orch_definition_word(filter->parent, "object");
	return outside->record_type;
}

const RecordField *
orch_definition_outside_field(Outside *outside, const char *type, List *path)
{
	StringInfoData key;
	LookedUp *entry;
	ListCell   *cell;
	bool		known;

	initStringInfo(&key);
	appendStringInfoString(&key, type);
	foreach(cell, path)
		appendStringInfo(&key, "\n%s", (char *) lfirst(cell));
	entry = hash_search(outside->seen, &key.data, HASH_ENTER, &known);
	if (!known)
	{
		CHECK_FOR_INTERRUPTS();
		entry->found = false;	/* in case of an error */
		entry->found = orch_record_field(type, path, &entry->field);
	}
	else
		pfree(key.data);
	return entry->found ? &entry->field : NULL;
}

/*
 * A field of a record, or of a record that it is related to.  That a record type is not
 * registered is reported where the definition names it.
 */
static void
look_at_record(Compiler *c, const DocNode *node, Operand *operand, const char *type)
{
	const RecordField *field;
	char	   *problem;

	if (type == NULL || operand->path == NIL)
		return;
	field = orch_definition_outside_field(c->outside, type, operand->path);
	if (field == NULL)
		return;
	if (field->missing == NULL)
	{
		operand->type = type_here(c, node, field->type);
		return;
	}
	if (field->no_relationship)
		problem = psprintf("\"%s\" is not a relationship: table %s has no foreign key from a column of that name",
						   field->missing, field->table);
	else
		problem = psprintf("\"%s\" is not a field: table %s has no column of that name",
						   field->missing, field->table);
	if (orch_definition_is_named(node, "field"))
		error_at(c, node, "%s", problem);
	else if (c->in_text)
		warning_at(c, node, "reference \"%s\" leaves nothing in the text: %s",
				   operand->text, problem);
	else
		error_at(c, node, "reference \"%s\": %s", operand->text, problem);
}

static void
look_at_user(Compiler *c, const DocNode *node, Operand *operand)
{
	RecordField field;

	orch_record_field_of_table(orch_catalog_relation(RELATION_PRINCIPAL), NIL, operand->path,
							   &field);
	if (field.missing == NULL)
		operand->type = type_here(c, node, field.type);
	else
		warning_at(c, node, "reference \"%s\" is always null: a user has no field \"%s\"",
				   operand->text, field.missing);
}

/*
 * A global variable whose value set_global() gives.
 */
static void
look_at_global(Compiler *c, const DocNode *node, const Operand *operand)
{
	char	   *name = pnstrdup(operand->text, strcspn(operand->text, "."));
	LookedUp   *entry;
	JsonbValue	value;
	bool		known;

	entry = hash_search(c->outside->seen, &name, HASH_ENTER, &known);
	if (!known)
	{
		Datum		argument = CStringGetTextDatum(name);
		bool		isnull;

		entry->found = false;
		(void) orch_plan_execute_latest(&global_plan, &argument, NULL, 1);
		if (SPI_processed > 0)
		{
			entry->value = DatumGetJsonbPCopy(SPI_getbinval(SPI_tuptable->vals[0],
															SPI_tuptable->tupdesc, 1, &isnull));
			entry->found = true;
		}
	}
	if (!entry->found)
	{
		warning_at(c, node, "reference \"%s\" is blank: %s is not set, orchestration.set_global() sets it",
				   operand->text, name);
		return;
	}
	value.type = jbvBinary;
	value.val.binary.data = &entry->value->root;
	value.val.binary.len = VARSIZE(entry->value) - VARHDRSZ;
	if (orch_condition_value_at(&value, operand->path) == NULL)
		warning_at(c, node, "reference \"%s\" is blank: the value of %s has no such field",
				   operand->text, name);
}

/*
 * An output of a step, by the description of its action (set_action_contract()).
 */
static void
look_at_output(Compiler *c, const DocNode *node, Operand *operand)
{
	const char *name = orch_definition_word(c->outside->steps[operand->index], "actionName");
	const Action *action = name == NULL ? NULL : orch_action_find(name);
	char	   *type;

	if (action == NULL || action->outputs == NULL || operand->path == NIL)
		return;
	type = orch_action_member_type(action->outputs, linitial(operand->path));
	if (type == NULL)
		error_at(c, node, "reference \"%s\": action \"%s\" has no output \"%s\"", operand->text,
				 name, (char *) linitial(operand->path));
	else if (list_length(operand->path) == 1)
		operand->type = type_here(c, node, orch_action_value_type(type));
}

/*
 * The type that a value from outside has at a place: dates and times are texts there,
 * see the head of this file.
 */
static ValueType
type_here(Compiler *c, const DocNode *node, ValueType type)
{
	const DocNode *condition = node->parent;
	char	   *name;
	ComparisonOperator op;

	if (!orch_condition_is_time(type))
		return type;
	if (c->references != NULL)
		return VALUE_UNKNOWN;	/* in a formula */
	if (orch_definition_is_named(node, "elementReference") && condition != NULL)
		condition = condition->parent;
	name = condition == NULL ? NULL : orch_definition_word(condition, "operator");
	if (name != NULL && orch_condition_find_operator(name, &op) &&
		(op == COMPARE_STARTS_WITH || op == COMPARE_ENDS_WITH || op == COMPARE_CONTAINS))
		return VALUE_TEXT;
	return type;
}
