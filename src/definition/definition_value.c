/*-------------------------------------------------------------------------
 *
 * definition_value.c
 *	  Compiles values: literals, references, formulas.
 *
 * Part of the third pass (definition_compile.c); evaluate_conditions() and
 * evaluate_formula() compile with it, too.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_value.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "definition/definition_int.h"
#include "definition/definition_outside.h"

/* $System.OriginDateTime */
#define ORIGIN_DATETIME "1900-01-01T00:00:00Z"

/* What a FormulaResolver's arg points to. */
typedef struct FormulaPlace
{
	Compiler   *c;
	const DocNode *node;
	ReferenceUse use;
} FormulaPlace;

static Operand *make_literal(Compiler *c, JsonbValue *value, char *text);
static List *split_reference(Compiler *c, const DocNode *node, const char *text);
static void compile_record(Compiler *c, const DocNode *node, Operand *operand,
						   List *parts, ReferenceUse use);
static void compile_global(Compiler *c, const DocNode *node, Operand *operand,
						   List *parts, ReferenceUse use);
static bool compile_flow_global(Compiler *c, Operand *operand, ReferenceUse use);
static bool compile_known_global(Compiler *c, const DocNode *node, Operand *operand,
								 const char *first);
static void compile_named(Compiler *c, const DocNode *node, Operand *operand,
						  List *parts, ReferenceUse use);
static void compile_named_step(Compiler *c, const DocNode *node, Operand *operand,
							   List *parts);
static void compile_named_variable(Compiler *c, const DocNode *node,
								   Operand *operand, List *parts);
static bool has_value(const NameEntry *entry, ReferenceUse use);
static void note_prior(Compiler *c, ReferenceUse use);
static Operand *resolve_reference(FormulaResolver *resolver, const char *text);
static void report_problem(FormulaResolver *resolver, const char *message);

/* --------------------------------------------------------------- literals */

static Operand *
make_literal(Compiler *c, JsonbValue *value, char *text)
{
	Operand    *operand = MemoryContextAllocZero(c->context, sizeof(Operand));

	operand->kind = OPERAND_LITERAL;
	operand->text = text;
	if (value != NULL)
	{
		operand->literal = MemoryContextAlloc(c->context, sizeof(JsonbValue));
		*operand->literal = *value;
		operand->type = value->type == jbvNumeric ? VALUE_NUMBER :
			value->type == jbvBool ? VALUE_BOOLEAN : VALUE_TEXT;
	}
	return operand;
}

/*
 * The operand of an element that holds a value: a literal or a reference.  NULL if it
 * holds none.
 */
Operand *
orch_definition_compile_value(Compiler *c, const DocNode *node, ReferenceUse use)
{
	const DocNode *child;
	const DocNode *member = NULL;
	JsonbValue	v;
	Timestamp	timestamp;
	char	   *text;
	MemoryContext old;
	Operand    *result;
	bool		ok = true;

	if (node == NULL || node->kind != DOC_OBJECT)
		return NULL;
	for (child = node->first_child; child != NULL; child = child->next)
	{
		if (child->element == NULL || child->element->treatment != DOC_READ ||
			child->kind == DOC_NIL)
			continue;
		if (member != NULL)
		{
			if (child->element != member->element)	/* else reported */
				error_at(c, node, "\"%s\" has both \"%s\" and \"%s\"",
						 node->name, member->name, child->name);
			return NULL;
		}
		member = child;
	}
	if (member == NULL || member->text == NULL || member->kind == DOC_OBJECT)
		return NULL;

	if (orch_definition_is_named(member, "elementReference"))
	{
		text = orch_definition_word(node, "elementReference");
		if (text == NULL)
		{
			error_at(c, member, "\"elementReference\" is empty");
			return NULL;
		}
		return orch_definition_compile_reference(c, member, text, use);
	}

	old = MemoryContextSwitchTo(c->context);
	if (orch_definition_is_named(member, "numberValue"))
	{
		v.type = jbvNumeric;
		ok = orch_document_number(member->text, &v.val.numeric);
		text = pstrdup(member->text);
	}
	else if (orch_definition_is_named(member, "booleanValue"))
	{
		v.type = jbvBool;
		ok = orch_document_boolean(member->text, &v.val.boolean);
		text = ok && v.val.boolean ? "true" : "false";
	}
	else
	{
		v.type = jbvString;
		v.val.string.val = pstrdup(member->text);
		v.val.string.len = strlen(member->text);
		text = psprintf("\"%s\"", member->text);
	}
	MemoryContextSwitchTo(old);
	if (!ok)
		return NULL;			/* reported */

	result = make_literal(c, &v, text);
	if (orch_definition_is_named(member, "dateTimeValue") || orch_definition_is_named(member, "dateValue"))
	{
		if (!orch_condition_datetime(member->text, strlen(member->text),
									 &timestamp))
			error_at(c, member, "\"%.*s\" is not a date or date and time in ISO form",
					 pg_mbcliplen(member->text, strlen(member->text), 40),
					 member->text);
		result->is_datetime = true;
		result->type = orch_definition_is_named(member, "dateValue") ?
			VALUE_DATE : VALUE_DATETIME;
	}
	else if (orch_definition_is_named(member, "timeValue"))
		result->type = VALUE_TIME;
	return result;
}

/* ------------------------------------------------------------- references */

/*
 * The operand that a reference means, in the context of the definition; null, and
 * reported, if it means nothing.
 */
Operand *
orch_definition_compile_reference(Compiler *c, const DocNode *node, const char *text,
								  ReferenceUse use)
{
	MemoryContext old = MemoryContextSwitchTo(c->context);
	Operand    *operand = palloc0(sizeof(Operand));
	List	   *parts;
	const char *first;

	operand->kind = OPERAND_LITERAL;
	operand->text = pstrdup(text);
	if (c->references != NULL)
		*c->references = lappend(*c->references, operand);
	MemoryContextSwitchTo(old);

	parts = split_reference(c, node, text);
	if (parts == NIL)
		return operand;
	first = linitial(parts);
	if (strcmp(first, "$Record") == 0 || strcmp(first, "$Record__Prior") == 0)
		compile_record(c, node, operand, parts, use);
	else if (compile_known_global(c, node, operand, first))
		;
	else if (c->free_references)
	{
		/* the evaluator finds the value by the text of the reference */
		operand->kind = OPERAND_VARIABLE;
		operand->index = -1;
	}
	else if (*first == '$')
		compile_global(c, node, operand, parts, use);
	else
		compile_named(c, node, operand, parts, use);
	orch_definition_look_outside(c, node, operand);
	return operand;
}

/*
 * The names in a reference, which dots part; NIL, and reported, if it is not one.
 */
static List *
split_reference(Compiler *c, const DocNode *node, const char *text)
{
	List	   *parts = NIL;
	const char *start = text;

	for (;;)
	{
		const char *end = strchr(start, '.');
		int			length = end != NULL ? end - start : (int) strlen(start);
		MemoryContext old;

		if (list_length(parts) > MAX_NESTING)
		{
			error_at(c, node, "the reference has more than %d fields", MAX_NESTING);
			return NIL;
		}
		if (length == 0)
		{
			error_at(c, node, "\"%s\" is not a reference", text);
			return NIL;
		}
		old = MemoryContextSwitchTo(c->context);
		parts = lappend(parts, pnstrdup(start, length));
		MemoryContextSwitchTo(old);
		if (end == NULL)
			return parts;
		start = end + 1;
	}
}

/*
 * $Record or $Record__Prior, and fields of it.
 */
static void
compile_record(Compiler *c, const DocNode *node, Operand *operand, List *parts,
			   ReferenceUse use)
{
	bool		prior = strcmp(linitial(parts), "$Record__Prior") == 0;
	ListCell   *cell;

	operand->kind = prior ? OPERAND_RECORD_PRIOR : OPERAND_RECORD;
	if (prior)
		note_prior(c, use);
	operand->type = list_length(parts) == 1 ? VALUE_RECORD : VALUE_UNKNOWN;
	operand->path = list_delete_first(parts);

	/* Owner:User: cuts off the type in a polymorphic relationship */
	foreach(cell, operand->path)
	{
		char	   *colon = strchr(lfirst(cell), ':');

		if (colon != NULL && colon != (char *) lfirst(cell))
			*colon = '\0';
	}
}

/* $Record__Prior is read at this place. */
static void
note_prior(Compiler *c, ReferenceUse use)
{
	if (use == USE_FILTER)
		c->filters_look_back = true;
	else
		c->reads_prior = true;
}

/*
 * A global variable other than the record.
 */
static void
compile_global(Compiler *c, const DocNode *node, Operand *operand, List *parts,
			   ReferenceUse use)
{
	const char *first = linitial(parts);

	if (strcmp(first, "$User") == 0)
	{
		if (list_length(parts) < 2)
			error_at(c, node, "reference \"%s\" is not supported: $User is followed by a field",
					 operand->text);
		operand->kind = OPERAND_USER;
		operand->path = list_delete_first(parts);
	}
	else if (strcmp(first, "$Flow") == 0 || strcmp(first, "$Orchestration") == 0 ||
			 list_length(parts) < 2)
	{
		if (!compile_flow_global(c, operand, use))
			error_at(c, node, "reference \"%s\" is not supported%s", operand->text,
					 use == USE_FILTER ? " here" : "");
	}
	else
	{
		/* $Organization, $Label and others: set_global() gives their values */
		operand->kind = OPERAND_GLOBAL;
		operand->path = list_delete_first(parts);
	}
}

/*
 * Globals whose value is the same everywhere are literals; false for any other reference.
 * Source: Salesforce Help, "Global Constants Flow Orchestration Resource", and "Global
 * Variables Flow Orchestration Resource" for $System.
 */
static bool
compile_known_global(Compiler *c, const DocNode *node, Operand *operand, const char *first)
{
	JsonbValue *literal;

	if (strcmp(first, "$GlobalConstant") != 0 &&
		strcmp(operand->text, "$System.OriginDateTime") != 0)
		return false;
	literal = MemoryContextAllocZero(c->context, sizeof(JsonbValue));
	if (strcmp(operand->text, "$GlobalConstant.True") == 0 ||
		strcmp(operand->text, "$GlobalConstant.False") == 0)
	{
		literal->type = jbvBool;
		literal->val.boolean = strcmp(operand->text, "$GlobalConstant.True") == 0;
		operand->type = VALUE_BOOLEAN;
	}
	else if (strcmp(operand->text, "$GlobalConstant.EmptyString") == 0)
	{
		literal->type = jbvString;
		literal->val.string.val = MemoryContextStrdup(c->context, "");
		operand->type = VALUE_TEXT;
	}
	else if (*first == '$' && first[1] == 'S')
	{
		literal->type = jbvString;
		literal->val.string.val = MemoryContextStrdup(c->context, ORIGIN_DATETIME);
		literal->val.string.len = strlen(ORIGIN_DATETIME);
		operand->type = VALUE_DATETIME;
		operand->is_datetime = true;
	}
	else
	{
		error_at(c, node, "reference \"%s\" is not supported: the global constants are EmptyString, True and False",
				 operand->text);
		return true;
	}
	operand->literal = literal;
	return true;
}

/*
 * $Flow and $Orchestration; false if there is none of that name, or none in this use.
 */
static bool
compile_flow_global(Compiler *c, Operand *operand, ReferenceUse use)
{
	static const struct
	{
		const char *text;
		OperandKind kind;
		ValueType	type;
		bool		in_run;		/* a run alone has it */
	}			globals[] = {
		{"$Flow.CurrentDateTime", OPERAND_CURRENT_DATETIME, VALUE_DATETIME, false},
		{"$Flow.InterviewStartTime", OPERAND_START_TIME, VALUE_DATETIME, false},
		{"$Flow.CurrentDate", OPERAND_CURRENT_DATE, VALUE_DATE, false},
		{"$Flow.InterviewGuid", OPERAND_INTERVIEW_GUID, VALUE_TEXT, true},
		{"$Flow.FaultMessage", OPERAND_FAULT_MESSAGE, VALUE_TEXT, true},
		{"$Flow.CurrentRecord", OPERAND_RECORD, VALUE_UNKNOWN, true},
		{"$Orchestration.Instance", OPERAND_RUN_ID, VALUE_TEXT, true},
		{"$Orchestration.InstanceId", OPERAND_RUN_ID, VALUE_TEXT, true}
	};
	int			i;

	for (i = 0; i < (int) lengthof(globals); i++)
		if (strcmp(operand->text, globals[i].text) == 0)
			break;
	if (i == (int) lengthof(globals) || (globals[i].in_run && use == USE_FILTER))
		return false;
	operand->kind = globals[i].kind;
	operand->type = globals[i].type;
	operand->is_datetime = orch_condition_is_date(operand->type);
	if (operand->kind == OPERAND_RECORD)
	{
		/* its value is the record's id */
		MemoryContext old = MemoryContextSwitchTo(c->context);

		operand->path = list_make1(pstrdup("Id"));
		MemoryContextSwitchTo(old);
	}
	return true;
}

/*
 * A reference that begins with the name of an element of the definition.
 */
static void
compile_named(Compiler *c, const DocNode *node, Operand *operand, List *parts,
			  ReferenceUse use)
{
	int			nparts = list_length(parts);
	const NameEntry *entry = orch_definition_find_name(c->def, linitial(parts));
	const Operand *constant;

	if (entry == NULL && c->in_text)
	{
		warning_at(c, node, "reference \"%s\" names nothing and leaves nothing in the text",
				   operand->text);
		return;
	}
	if (entry == NULL)
	{
		stale_at(c, node, operand->text, "reference \"%s\" names nothing, so the version cannot be activated",
				 operand->text);
		return;
	}
	if (!has_value(entry, use))
	{
		error_at(c, node, "reference \"%s\" is %s, which has no value yet when a run starts",
				 operand->text, orch_definition_name_kinds[entry->kind]);
		return;
	}
	if (nparts != 1 &&
		(entry->kind == NAME_OUTCOME || entry->kind == NAME_CONSTANT ||
		 entry->kind == NAME_FORMULA || entry->kind == NAME_TEMPLATE))
		error_at(c, node, "reference \"%s\" is not supported: %s has no fields",
				 operand->text, orch_definition_name_kinds[entry->kind]);

	operand->index = entry->index;
	switch (entry->kind)
	{
		case NAME_STAGE:
			if (nparts != 2 || strcmp(lsecond(parts), "Status") != 0)
				error_at(c, node, "reference \"%s\" is not supported: of a stage only its Status can be read",
						 operand->text);
			operand->kind = OPERAND_STAGE_STATUS;
			operand->type = VALUE_TEXT;
			break;
		case NAME_STEP:
			compile_named_step(c, node, operand, parts);
			break;
		case NAME_OUTCOME:
			operand->kind = OPERAND_OUTCOME;
			operand->type = VALUE_BOOLEAN;
			break;
		case NAME_CONSTANT:
			constant = c->constants[entry->index];
			if (constant != NULL && constant->kind != OPERAND_LITERAL)
			{
				/* its value is a reference, evaluated when a run starts */
				if (use == USE_FILTER)
					error_at(c, node, "reference \"%s\" is a constant whose value is a reference, which has no value yet when a run starts",
							 operand->text);
				compile_named_variable(c, node, operand, parts);
				break;
			}
			operand->kind = OPERAND_LITERAL;
			if (constant != NULL)
			{
				operand->literal = constant->literal;
				operand->is_datetime = constant->is_datetime;
				operand->type = constant->type;
			}
			break;
		case NAME_VARIABLE:
			compile_named_variable(c, node, operand, parts);
			break;
		case NAME_FORMULA:
			operand->kind = OPERAND_FORMULA;
			operand->type = orch_condition_value_type(c->def->formulas[entry->index].type);
			operand->is_datetime = orch_condition_is_date(operand->type);
			break;
		case NAME_TEMPLATE:
			operand->kind = OPERAND_TEMPLATE;
			operand->type = VALUE_TEXT;
			break;
		case NAME_LOOKUP:
			operand->kind = OPERAND_LOOKUP;
			operand->path = list_delete_first(parts);
			break;
		case NAME_DECISION:
		case NAME_ASSIGNMENT:
			error_at(c, node, "reference \"%s\" is not supported: %s has no value",
					 operand->text, orch_definition_name_kinds[entry->kind]);
			break;
		case NAME_UNSUPPORTED:
			break;				/* the element itself was refused */
	}
}

/* Can an element be read where the reference stands?  In a run, all can. */
static bool
has_value(const NameEntry *entry, ReferenceUse use)
{
	return use != USE_FILTER || entry->kind == NAME_CONSTANT ||
		entry->kind == NAME_UNSUPPORTED || entry->kind == NAME_FORMULA ||
		entry->kind == NAME_TEMPLATE;
}

static void
compile_named_step(Compiler *c, const DocNode *node, Operand *operand, List *parts)
{
	int			nparts = list_length(parts);
	const char *second = nparts > 1 ? lsecond(parts) : "";

	if (nparts == 2 && strcmp(second, "Status") == 0)
	{
		operand->kind = OPERAND_STEP_STATUS;
		operand->type = VALUE_TEXT;
	}
	else if (nparts > 2 && strcmp(second, "Outputs") == 0)
	{
		operand->kind = OPERAND_STEP_OUTPUT;
		operand->path = list_delete_first(list_delete_first(parts));
	}
	else
		error_at(c, node, "reference \"%s\" is not supported: of a step only its Status and Outputs.<name> can be read",
				 operand->text);
}

static void
compile_named_variable(Compiler *c, const DocNode *node, Operand *operand,
					   List *parts)
{
	const VariableDef *variable = &c->def->variables[operand->index];

	operand->kind = OPERAND_VARIABLE;
	if (list_length(parts) == 1)
	{
		operand->type = variable->is_collection ? VALUE_COLLECTION :
			orch_condition_value_type(variable->type);
		operand->is_datetime = variable->type == VARIABLE_DATE ||
			variable->type == VARIABLE_DATETIME;
	}
	else if (variable->type != VARIABLE_RECORD)
		error_at(c, node, "reference \"%s\" is not supported: variable \"%s\" is no record and has no fields",
				 operand->text, (char *) linitial(parts));
	operand->path = list_delete_first(parts);
}

/* --------------------------------------------------------------- formulas */

/*
 * Compiles a formula of an element; root is NULL if it has errors, which are reported.
 */
void
orch_definition_compile_formula(Compiler *c, const DocNode *node, const char *text,
								ReferenceUse use, CompiledFormula *formula)
{
	FormulaPlace place = {c, node, use};
	FormulaResolver resolver = {resolve_reference, report_problem, &place};

	(void) orch_formula_compile(&resolver, c->context, text, formula);
	if (formula->reads_prior)
		note_prior(c, use);
}

/* FormulaResolver.reference() */
static Operand *
resolve_reference(FormulaResolver *resolver, const char *text)
{
	FormulaPlace *place = resolver->arg;

	return orch_definition_compile_reference(place->c, place->node, text, place->use);
}

/* FormulaResolver.problem() */
static void
report_problem(FormulaResolver *resolver, const char *message)
{
	FormulaPlace *place = resolver->arg;

	error_at(place->c, place->node, "%s", message);
}
