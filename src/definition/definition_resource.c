/*-------------------------------------------------------------------------
 *
 * definition_resource.c
 *	  The elements of a definition that have values or change them: formulas, text
 *	  templates, record lookups, assignments.
 *
 * The third pass (definition_compile.c) begins with them, because conditions check the
 * types of values.  Variables and constants are in definition_default.c.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_resource.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "definition/definition_int.h"

static const struct
{
	const char *name;
	AssignOperator op;
	bool		collection;		/* applies to collections */
	bool		other;			/* applies to other variables */
}			assign_operators[] = {
	{"Assign", ASSIGN_SET, true, true},
	{"Add", ASSIGN_ADD, true, true},
	{"AddItem", ASSIGN_ADD_ITEM, true, false},
	{"AddAtStart", ASSIGN_ADD_AT_START, true, false},
	{"Subtract", ASSIGN_SUBTRACT, false, true},
	{"AssignCount", ASSIGN_COUNT, false, true},
	{"RemoveFirst", ASSIGN_REMOVE_FIRST, true, false},
	{"RemoveAll", ASSIGN_REMOVE_ALL, true, false},
	{"RemoveBeforeFirst", ASSIGN_REMOVE_BEFORE_FIRST, true, false},
	{"RemoveAfterFirst", ASSIGN_REMOVE_AFTER_FIRST, true, false},
	{"RemoveUncommon", ASSIGN_REMOVE_UNCOMMON, true, false},
	{"RemovePosition", ASSIGN_REMOVE_POSITION, true, false}
};

static void compile_formula_type(Compiler *c, const DocNode *node,
								 FormulaDef *formula);
static void compile_formula(Compiler *c, const DocNode *node,
							FormulaDef *formula);
static void compile_template(Compiler *c, const DocNode *node,
							 TemplateDef *template);
static void compile_lookup(Compiler *c, const DocNode *node, LookupDef *lookup);
static void compile_assignment(Compiler *c, const DocNode *node,
							   AssignmentDef *assignment);
static void compile_assign_item(Compiler *c, const DocNode *node,
								AssignItem *item);
static void check_assign_types(Compiler *c, const DocNode *node,
							   const AssignItem *item,
							   const VariableDef *variable);

void
orch_definition_compile_resources(Compiler *c, const DocNode *root)
{
	Definition *def = c->def;
	const DocNode *child;
	int			nformulas = 0;
	int			ntemplates = 0;
	int			nlookups = 0;
	int			nassignments = 0;

	/* types before values, because a value may be a reference to any of these */
	orch_definition_compile_variables(c, root);
	for (child = root->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "formulas"))
			compile_formula_type(c, child, &def->formulas[nformulas++]);
	nformulas = 0;
	orch_definition_compile_defaults(c, root);

	for (child = root->first_child; child != NULL; child = child->next)
	{
		CHECK_FOR_INTERRUPTS();
		if (orch_definition_is_named(child, "formulas"))
			compile_formula(c, child, &def->formulas[nformulas++]);
		else if (orch_definition_is_named(child, "textTemplates"))
			compile_template(c, child, &def->templates[ntemplates++]);
		else if (orch_definition_is_named(child, "recordLookups"))
			compile_lookup(c, child, &def->lookups[nlookups++]);
		else if (orch_definition_is_named(child, "assignments"))
			compile_assignment(c, child, &def->assignments[nassignments++]);
	}
	Assert(nformulas == def->nformulas &&
		   ntemplates == def->ntemplates && nlookups == def->nlookups &&
		   nassignments == def->nassignments);
}

/* ------------------------------------------- formulas, templates, lookups */

static void
compile_formula_type(Compiler *c, const DocNode *node, FormulaDef *formula)
{
	char	   *type = orch_definition_word(node, "dataType");
	const DocNode *scale = orch_document_child(node, "scale");

	CHECK_FOR_INTERRUPTS();
	formula->type = VARIABLE_NUMBER;
	formula->scale = -1;
	/* documented up to 17, but published files have 18 */
	(void) orch_definition_integer(c, scale, 0, 18, &formula->scale);
	if (type == NULL)
		return;
	if (!orch_condition_find_variable_type(type, &formula->type) ||
		formula->type == VARIABLE_RECORD)
		error_at(c, orch_document_child(node, "dataType"),
				 "dataType \"%s\" is not supported for a formula", type);
}

static void
compile_formula(Compiler *c, const DocNode *node, FormulaDef *formula)
{
	const char *text = orch_definition_text(node, "expression");
	const DocNode *text_node = orch_document_child(node, "expression");
	CompiledFormula compiled;
	ValueType	wanted = orch_condition_value_type(formula->type);

	if (text == NULL)
		return;					/* reported */
	c->references = &formula->references;
	orch_definition_compile_formula(c, text_node, text, USE_RUN, &compiled);
	c->references = NULL;
	formula->root = compiled.root;
	formula->nesting = compiled.nesting;
	if (compiled.type != VALUE_UNKNOWN && !orch_condition_alike(compiled.type, wanted))
		error_at(c, text_node, "the formula is not of data type %s",
				 orch_condition_variable_type_name(formula->type));
}

/*
 * Splits a text into its references, {!name}, and the texts between them.
 */
static void
compile_template(Compiler *c, const DocNode *node, TemplateDef *template)
{
	const char *text = orch_definition_text(node, "text");
	const DocNode *text_node = orch_document_child(node, "text");
	const char *p;
	int			n = 1;
	MemoryContext old;

	if (text == NULL)
		return;					/* reported */
	for (p = strstr(text, "{!"); p != NULL; p = strstr(p + 2, "{!"))
		n++;
	template->texts = MemoryContextAllocZero(c->context, sizeof(char *) * n);
	template->is_html = !orch_definition_boolean(node, "isViewedAsPlainText");
	c->references = &template->references;
	c->in_text = true;
	for (p = text;;)
	{
		const char *start = strstr(p, "{!");
		const char *end = start == NULL ? NULL : strchr(start, '}');
		const char *name;
		int			length;

		CHECK_FOR_INTERRUPTS();
		if (end == NULL)
			break;
		name = orch_document_trim(pnstrdup(start + 2, end - start - 2), &length);
		old = MemoryContextSwitchTo(c->context);
		template->texts[template->nparts++] = pnstrdup(p, start - p);
		MemoryContextSwitchTo(old);
		if (length == 0)
		{
			error_at(c, text_node, "the text has an empty reference");
			break;
		}
		(void) orch_definition_compile_reference(c, text_node, pnstrdup(name, length), USE_RUN);
		p = end + 1;
	}
	template->texts[template->nparts++] = MemoryContextStrdup(c->context, p);
	c->references = NULL;
	c->in_text = false;
}

static void
compile_lookup(Compiler *c, const DocNode *node, LookupDef *lookup)
{
	char	   *object = orch_definition_word(node, "object");
	char	   *field = orch_definition_word(node, "sortField");
	char	   *order = orch_definition_word(node, "sortOrder");
	char	   *target = orch_definition_word(node, "outputReference");
	const DocNode *limit = orch_document_child(node, "limit");
	int			rows;

	lookup->variable = -1;
	if (c->def->kind != DEFINITION_EVALUATION)
		error_at(c, node, "element \"recordLookups\" is not supported: only evaluation flows look records up");
	if (object != NULL)
		lookup->record_type = MemoryContextStrdup(c->context, object);
	lookup->filters = orch_definition_compile_condition_list(c, node, "filters",
															 "filterLogic",
															 USE_LOOKUP);
	lookup->first_only = orch_definition_boolean(node, "getFirstRecordOnly");
	lookup->assign_null = orch_definition_boolean(node, "assignNullValuesIfNoRecordsFound");
	if (field != NULL)
	{
		lookup->sort_field = MemoryContextStrdup(c->context, field);
		lookup->descending = order != NULL && strcmp(order, "Desc") == 0;
		if (order != NULL && strcmp(order, "Desc") != 0 && strcmp(order, "Asc") != 0)
			error_at(c, orch_document_child(node, "sortOrder"),
					 "sortOrder \"%s\" is not supported, only Asc and Desc are", order);
	}
	if (orch_definition_integer(c, limit, 1, PG_INT32_MAX, &rows))
		lookup->limit = rows;
	if (target != NULL)
	{
		NameEntry  *entry = orch_definition_find_name(c->def, target);

		if (entry == NULL || entry->kind != NAME_VARIABLE ||
			c->def->variables[entry->index].type != VARIABLE_RECORD)
			error_at(c, orch_document_child(node, "outputReference"),
					 "\"%s\" is no variable for records", target);
		else
		{
			/* the variable decides, whatever getFirstRecordOnly says */
			lookup->variable = entry->index;
			lookup->first_only = !c->def->variables[entry->index].is_collection;
		}
	}
	lookup->connector = orch_definition_compile_connector(c, node, "connector");
}

/* ------------------------------------------------------------ assignments */

static void
compile_assignment(Compiler *c, const DocNode *node, AssignmentDef *assignment)
{
	const DocNode *child;
	int			n = 0;

	for (child = node->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "assignmentItems"))
			n++;
	assignment->items = MemoryContextAllocZero(c->context,
											   sizeof(AssignItem) * Max(n, 1));
	for (child = node->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "assignmentItems"))
			compile_assign_item(c, child,
								&assignment->items[assignment->nitems++]);
	assignment->connector = orch_definition_compile_connector(c, node, "connector");
}

static void
compile_assign_item(Compiler *c, const DocNode *node, AssignItem *item)
{
	char	   *target = orch_definition_word(node, "assignToReference");
	char	   *op = orch_definition_word(node, "operator");
	const DocNode *target_node = orch_document_child(node, "assignToReference");
	const DocNode *op_node = orch_document_child(node, "operator");
	NameEntry  *entry;
	VariableDef *variable = NULL;
	int			i;

	CHECK_FOR_INTERRUPTS();
	item->value = orch_definition_compile_value(c,
												orch_document_child(node, "value"),
												USE_RUN);

	if (target != NULL)
	{
		char	   *name = pstrdup(target);
		char	   *dot = strchr(name, '.');

		if (dot != NULL)
			*dot = '\0';
		entry = orch_definition_find_name(c->def, name);
		if (entry != NULL && entry->kind == NAME_VARIABLE)
		{
			item->variable = entry->index;
			variable = &c->def->variables[entry->index];
			if (dot != NULL)
			{
				MemoryContext old = MemoryContextSwitchTo(c->context);
				char	   *field;

				if (variable->type != VARIABLE_RECORD || variable->is_collection)
					error_at(c, target_node,
							 "assigning to \"%s\" is not supported: variable \"%s\" is no record and has no fields",
							 target, name);
				for (field = dot + 1; field != NULL;)
				{
					char	   *next = strchr(field, '.');

					if (list_length(item->path) == MAX_NESTING)
					{
						error_at(c, target_node, "the path has more than %d fields",
								 MAX_NESTING);
						break;
					}

					item->path = lappend(item->path,
										 next != NULL ? pnstrdup(field, next - field) :
										 pstrdup(field));
					field = next != NULL ? next + 1 : NULL;
				}
				MemoryContextSwitchTo(old);
			}
		}
		else if (entry != NULL)
			error_at(c, target_node,
					 "\"%s\" cannot be assigned to: it is %s, not a variable",
					 target, orch_definition_name_kinds[entry->kind]);
		else if (*target == '$')
			error_at(c, target_node,
					 "assigning to \"%s\" is not supported, only to variables and their fields",
					 target);
		else
			error_at(c, target_node, "there is no variable \"%s\"", name);
	}

	if (op == NULL)
		return;
	for (i = 0; i < (int) lengthof(assign_operators); i++)
		if (strcmp(op, assign_operators[i].name) == 0)
			break;
	if (i == (int) lengthof(assign_operators))
	{
		error_at(c, op_node, "assignment operator \"%s\" is not supported", op);
		return;
	}
	item->op = assign_operators[i].op;
	if (variable == NULL || item->path != NIL)
		return;
	if (variable->is_collection ? !assign_operators[i].collection :
		!assign_operators[i].other)
		error_at(c, op_node,
				 "operator %s does not apply to variable \"%s\", which is %s", op, target,
				 variable->is_collection ? "a collection" : "no collection");
	else
		check_assign_types(c, node, item, variable);
}

/*
 * Checks an assignment as far as that is possible without executing it.
 */
static void
check_assign_types(Compiler *c, const DocNode *node, const AssignItem *item,
				   const VariableDef *variable)
{
	const DocNode *op = orch_document_child(node, "operator");
	ValueType	value = item->value == NULL ||
		(item->value->kind == OPERAND_LITERAL && item->value->literal == NULL) ?
		VALUE_UNKNOWN : item->value->type;
	bool		fits = true;

	if (variable->is_collection)
		return;
	switch (item->op)
	{
		case ASSIGN_COUNT:
			if (variable->type != VARIABLE_NUMBER)
				error_at(c, op, "operator AssignCount is not supported for variable \"%s\": it is not a number",
						 variable->name);
			return;
		case ASSIGN_ADD:
			if (variable->type == VARIABLE_BOOLEAN || variable->type == VARIABLE_RECORD ||
				variable->type == VARIABLE_TIME)
			{
				error_at(c, op, "operator Add is not supported for variable \"%s\": it is neither a number nor a text nor a date",
						 variable->name);
				return;
			}
			break;
		case ASSIGN_SUBTRACT:
			if (variable->type != VARIABLE_NUMBER && variable->type != VARIABLE_DATE &&
				variable->type != VARIABLE_DATETIME)
			{
				error_at(c, op, "operator Subtract is not supported for variable \"%s\": it is neither a number nor a date",
						 variable->name);
				return;
			}
			break;
		default:
			break;
	}
	if (value == VALUE_UNKNOWN)
		return;
	if (item->op == ASSIGN_SET)
		fits = orch_definition_type_fits(variable, value);
	else if (variable->type == VARIABLE_STRING)
		fits = value != VALUE_RECORD && value != VALUE_COLLECTION &&
			value != VALUE_NUMBER && value != VALUE_BOOLEAN;
	else
		fits = value == VALUE_NUMBER;	/* also days of a date */
	if (!fits)
		error_at(c, node, "the value of \"%s\" is not of the data type of variable \"%s\"",
				 item->value->text, variable->name);
}
