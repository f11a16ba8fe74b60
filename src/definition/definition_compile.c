/*-------------------------------------------------------------------------
 *
 * definition_compile.c
 *	  Compiles a document into a definition, and finds all its problems.
 *
 * The compiler has three passes:
 *
 *	1. The structure: compares the tree with the format (document_format.c), and reports
 *	   elements that are refused, unknown, missing or of the wrong type.
 *	2. The names: enters every name, so that elements may refer to each other in any
 *	   order.
 *	3. The elements.  It never stops at an error: it reports the problem, compiles a
 *	   wrong value as null and a wrong connector as the end of the path, and goes on.  A
 *	   definition with errors is thrown away.
 *
 * The third pass is in definition_element.c; its parts are in definition_resource.c,
 * definition_condition.c, definition_logic.c and definition_value.c, and the checks of
 * the graphs in definition_graph.c.  definition_scope.c has what all passes use.
 *
 * A definition may have ten thousand steps, each after another.  So nothing here takes
 * more than linear time, apart from sorting: names are hashed and graphs are walked
 * without recursion.
 *
 * A reference that names nothing is compiled as null and reported as stale: the version
 * can be stored, but not activated.  Files that were exported as drafts have such
 * references.
 *
 * The compiler reads no table, except for activation, where definition_outside.c holds
 * references against the database.  The definition is made in the caller's memory context,
 * everything else in the current one.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_compile.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "definition/definition_int.h"

static const char *const definition_kinds[] = {
	[DEFINITION_ORCHESTRATOR] = "Orchestrator",
	[DEFINITION_APPROVAL] = "ApprovalWorkflow",
	[DEFINITION_EVALUATION] = "EvaluationFlow"
};

static void check_element(Compiler *c, const DocNode *node);
static void check_unknown(Compiler *c, const DocNode *node);
static void check_foreign(Compiler *c, const DocNode *node);
static bool is_flag(const DocNode *node);
static bool is_true(Compiler *c, const DocNode *node);
static bool check_value_type(Compiler *c, const DocNode *node);
static void check_flow(Compiler *c, const DocNode *root);
static void count_elements(Definition *def, const DocNode *root);
static int	count_children(const DocNode *node, const char *name);
static void allocate_elements(Compiler *c);
static void declare_names(Compiler *c, const DocNode *root);
static void declare_stage(Compiler *c, const DocNode *node);
static void declare_decision(Compiler *c, const DocNode *node);
static char *declare_label(Compiler *c, const DocNode *node, const char *name);
static void check_evaluation(Compiler *c, const DocNode *root);

/* ------------------------------------------------------- entry points */

Definition *
orch_definition_compile(const DocNode *root, MemoryContext context,
						ProblemList *problems)
{
	return orch_definition_compile_outside(root, context, problems, NULL);
}

Definition *
orch_definition_compile_outside(const DocNode *root, MemoryContext context,
								ProblemList *problems, struct Outside *outside)
{
	Compiler	c = {0};
	Definition *def = MemoryContextAllocZero(context, sizeof(Definition));
	const char *label;

	c.context = context;
	c.def = def;
	c.problems = problems;
	c.outside = outside;
	def->context = context;
	def->names = orch_definition_make_names(context);

	check_flow(&c, root);
	if (root->kind != DOC_OBJECT || problems->nerrors > 0)
	{
		/* without a Flow nothing below it can be checked */
		if (strcmp(root->name, "Flow") != 0 || root->kind != DOC_OBJECT)
			return def;
	}
	orch_definition_check_structure(&c, root, SHAPE_FLOW);
	declare_names(&c, root);

	label = orch_definition_text(root, "label");
	def->label = MemoryContextStrdup(context, label != NULL ? label : "");

	orch_definition_compile_elements(&c, root);
	if (def->kind == DEFINITION_EVALUATION)
		check_evaluation(&c, root);
	orch_definition_sort_problems(problems);
	return def;
}

/* --------------------------------------------------------- the structure */

/*
 * The first pass: compares a node and everything below it with the format.
 */
void
orch_definition_check_structure(Compiler *c, const DocNode *node,
								DocShape shape)
{
	const DocElement *elements;
	int			nelements;
	const DocNode *child;
	uint64		seen = 0;
	int			i;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (node->depth > MAX_NESTING)
	{
		error_at(c, node, "elements are nested more than %d deep", MAX_NESTING);
		return;
	}

	elements = orch_document_elements(shape, &nelements);
	Assert(nelements <= 64);

	if (node->kind == DOC_OBJECT && node->text != NULL)
	{
		const char *p = node->text;

		while (isspace((unsigned char) *p))
			p++;
		if (*p != '\0')
			error_at(c, node, "text \"%.*s\" between elements",
					 pg_mbcliplen(p, strlen(p), 40), p);
	}

	for (child = node->first_child; child != NULL; child = child->next)
	{
		const DocElement *element = child->element;
		int			ordinal;

		if (element == NULL)
		{
			check_unknown(c, child);
			continue;
		}
		ordinal = element - elements;
		if ((seen & (UINT64CONST(1) << ordinal)) != 0 && !element->repeated &&
			element->treatment == DOC_READ && child->index == 1)
			error_at(c, child, "element \"%s\" occurs more than once",
					 element->name);
		if (child->kind != DOC_NIL)
		{
			seen |= UINT64CONST(1) << ordinal;
			check_element(c, child);
		}
		else if (element->repeated && element->treatment == DOC_READ)
			orch_definition_check_structure(c, child, element->shape);
	}

	for (i = 0; i < nelements; i++)
		if (elements[i].required && (seen & (UINT64CONST(1) << i)) == 0)
			error_at(c, node, "element \"%s\" is missing", elements[i].name);
}

/*
 * Checks an element of the format.
 */
static void
check_element(Compiler *c, const DocNode *node)
{
	const DocElement *element = node->element;
	const char *colon = element->note != NULL ? ": " : "";
	const char *note = element->note != NULL ? element->note : "";

	check_stack_depth();
	if (element->filled && node->kind == DOC_TEXT &&
		orch_definition_word(node->parent, element->name) == NULL)
		error_at(c, node, "\"%s\" is empty", element->name);
	if (orch_document_is_too_long(node))
		error_at(c, node, "\"%s\" is longer than %d characters", element->name,
				 element->max_length);

	switch (element->treatment)
	{
		case DOC_KEEP:
			break;
		case DOC_WARN:
			if (node->index == 0)
				warning_at(c, node, "\"%s\" is kept and has no effect%s%s",
						   element->name, colon, note);
			break;
		case DOC_WARN_TRUE:
			if (is_true(c, node))
				warning_at(c, node, "\"%s\" is kept and has no effect%s%s",
						   element->name, colon, note);
			break;
		case DOC_REFUSE:
			/* of elements without names, only the first is reported */
			if (node->index == 0 || orch_definition_word(node, "name") != NULL)
				error_at(c, node, "element \"%s\" is not supported%s%s",
						 element->name, colon, note);
			break;
		case DOC_REFUSE_TRUE:
			if (is_true(c, node))
				error_at(c, node, "\"%s\" is not supported%s%s",
						 element->name, colon, note);
			break;
		case DOC_READ:
			if (!check_value_type(c, node))
				break;
			if (element->type == DOC_TYPE_OBJECT || node->kind == DOC_OBJECT)
				orch_definition_check_structure(c, node, element->shape);
			else
				check_foreign(c, node);
			break;
	}
}

/*
 * Warns of an element that the format does not have here.  It is an error if the format
 * has it elsewhere, so that no step or condition is lost unnoticed.
 */
static void
check_unknown(Compiler *c, const DocNode *node)
{
	int			length = pg_mbcliplen(node->name, strlen(node->name), 80);
	DocShape	owner = orch_document_owner(node->name);

	if (node->index > 0 || node->kind == DOC_NIL)
		return;
	if (owner != SHAPE_NONE)
		error_at(c, node, "element \"%s\" does not belong here, but in a %s",
				 node->name, orch_document_shape_name(owner));
	else if (node->foreign)
		warning_at(c, node, "element \"%.*s\" is not in the flow's XML namespace and is ignored",
				   length, node->name);
	else
		warning_at(c, node, "unknown element \"%.*s\" is kept and has no effect",
				   length, node->name);
}

/*
 * Warns of elements of foreign namespaces in a text.
 */
static void
check_foreign(Compiler *c, const DocNode *node)
{
	const DocNode *child;

	for (child = node->first_child; child != NULL; child = child->next)
		if (child->foreign)
			check_unknown(c, child);
}

/* A boolean, or a text that says true or false; a blank text says nothing. */
static bool
is_flag(const DocNode *node)
{
	bool		value;
	int			length;

	return node->kind == DOC_BOOLEAN ||
		(node->kind == DOC_TEXT &&
		 (*orch_document_trim(node->text, &length) == '\0' ||
		  orch_document_boolean(node->text, &value)));
}

/* Is a boolean element true?  If it is no boolean, that is reported. */
static bool
is_true(Compiler *c, const DocNode *node)
{
	bool		value;

	return check_value_type(c, node) &&
		orch_document_boolean(node->text, &value) && value;
}

/*
 * Has a node the type that the format gives its element?  If not, that is reported.
 */
static bool
check_value_type(Compiler *c, const DocNode *node)
{
	static const char *const kind_names[] = {
		[DOC_NIL] = "null",
		[DOC_TEXT] = "text",
		[DOC_NUMBER] = "a number",
		[DOC_BOOLEAN] = "a boolean",
		[DOC_OBJECT] = "an object",
		[DOC_ARRAY] = "an array"
	};
	static const char *const type_names[] = {
		[DOC_TYPE_STRING] = "text",
		[DOC_TYPE_BOOLEAN] = "a boolean",
		[DOC_TYPE_NUMBER] = "a number",
		[DOC_TYPE_OBJECT] = "an object",
		[DOC_TYPE_NUMBER_OR_VALUE] = "a number",
		[DOC_TYPE_TEXT_OR_BOOLEAN] = "true or false"
	};
	DocType		type = node->element->type;
	Numeric		number;
	bool		boolean;

	if (node->kind == DOC_NIL)
		return true;
	if (node->is_xml)
	{
		const char *p = node->text;

		switch (type)
		{
			case DOC_TYPE_OBJECT:
				while (p != NULL && isspace((unsigned char) *p))
					p++;
				if (node->kind == DOC_OBJECT || p == NULL || *p == '\0')
					return true;
				error_at(c, node, "expected elements in \"%s\", found text",
						 node->name);
				return false;
			case DOC_TYPE_STRING:
				if (node->kind == DOC_TEXT)
					return true;
				error_at(c, node, "expected text in \"%s\", found elements",
						 node->name);
				return false;
			case DOC_TYPE_TEXT_OR_BOOLEAN:
				if (is_flag(node))
					return true;
				error_at(c, node, "\"%s\" must be true or false", node->name);
				return false;
			case DOC_TYPE_BOOLEAN:
				if (node->kind == DOC_TEXT &&
					orch_document_boolean(node->text, &boolean))
					return true;
				error_at(c, node, "\"%s\" must be true or false", node->name);
				return false;
			case DOC_TYPE_NUMBER_OR_VALUE:
				if (node->kind == DOC_OBJECT)
					return true;
				/* FALLTHROUGH */
			case DOC_TYPE_NUMBER:
				if (node->kind == DOC_TEXT &&
					orch_document_number(node->text, &number))
					return true;
				error_at(c, node, "\"%s\" must be a number", node->name);
				return false;
		}
	}
	if ((type == DOC_TYPE_STRING && node->kind == DOC_TEXT) ||
		(type == DOC_TYPE_TEXT_OR_BOOLEAN && is_flag(node)) ||
		(type == DOC_TYPE_BOOLEAN && node->kind == DOC_BOOLEAN) ||
		((type == DOC_TYPE_NUMBER || type == DOC_TYPE_NUMBER_OR_VALUE) &&
		 node->kind == DOC_NUMBER) ||
		(type == DOC_TYPE_NUMBER_OR_VALUE && node->kind == DOC_OBJECT) ||
		(type == DOC_TYPE_OBJECT && node->kind == DOC_OBJECT))
		return true;
	error_at(c, node, "\"%s\" must be %s, not %s", node->name,
			 type_names[type], kind_names[node->kind]);
	return false;
}

const char *
orch_definition_kind_name(DefinitionKind kind)
{
	return definition_kinds[kind];
}

static void
check_flow(Compiler *c, const DocNode *root)
{
	char	   *word;
	int			i = 0;

	if (strcmp(root->name, "Flow") != 0)
	{
		error_at(c, root, "the root element is \"%.*s\", not \"Flow\"",
				 pg_mbcliplen(root->name, strlen(root->name), 80), root->name);
		return;
	}
	if (root->kind != DOC_OBJECT)
	{
		error_at(c, root, root->is_xml ? "the root element is empty" :
				 "the document is not an object");
		return;
	}

	word = orch_definition_word(root, "processType");
	for (i = 0; word != NULL && i < (int) lengthof(definition_kinds); i++)
		if (strcmp(word, definition_kinds[i]) == 0)
			break;
	if (i < (int) lengthof(definition_kinds))
		c->def->kind = (DefinitionKind) i;
	else
		error_at(c, orch_document_child(root, "processType"),
				 "processType \"%.*s\" is not supported, only Orchestrator, ApprovalWorkflow and EvaluationFlow are",
				 pg_mbcliplen(word, strlen(word), 80), word);

	word = orch_definition_word(root, "runInMode");
	if (word != NULL && strcmp(word, "SystemModeWithSharing") == 0)
		warning_at(c, orch_document_child(root, "runInMode"),
				   "runInMode \"%s\" is kept and has no effect: an action runs with the rights of its function's owner",
				   word);
	else if (word != NULL && strcmp(word, "DefaultMode") != 0 &&
			 strcmp(word, "SystemModeWithoutSharing") != 0)
		error_at(c, orch_document_child(root, "runInMode"),
				 "runInMode \"%.*s\" is not supported, only DefaultMode, SystemModeWithSharing and SystemModeWithoutSharing are",
				 pg_mbcliplen(word, strlen(word), 80), word);

	word = orch_definition_word(root, "fullName");
	if (word != NULL && !orch_definition_is_api_name(word))
		error_at(c, orch_document_child(root, "fullName"),
				 "\"%.*s\" is not an API name: letters, digits and single underscores, a letter first",
				 pg_mbcliplen(word, strlen(word), 80), word);
}

/*
 * An evaluation flow must have the output variable with its answer.
 */
static void
check_evaluation(Compiler *c, const DocNode *root)
{
	NameEntry  *entry = orch_definition_find_name(c->def, CONDITION_OUTPUT);
	const VariableDef *variable = entry != NULL && entry->kind == NAME_VARIABLE ?
		&c->def->variables[entry->index] : NULL;

	if (variable == NULL || variable->type != VARIABLE_BOOLEAN ||
		variable->is_collection || !variable->is_output)
		error_at(c, root, "an evaluation flow needs the Boolean output variable " CONDITION_OUTPUT);
}

/* ----------------------------------------------------------- declarations */

/*
 * Counts the elements of each kind, so that the arrays of the definition can be
 * allocated.
 */
static void
count_elements(Definition *def, const DocNode *root)
{
	const DocNode *child;

	for (child = root->first_child; child != NULL; child = child->next)
	{
		if (orch_definition_is_named(child, "orchestratedStages"))
		{
			def->nstages++;
			def->nsteps += count_children(child, "stageSteps");
		}
		else if (orch_definition_is_named(child, "decisions"))
		{
			def->ndecisions++;
			def->noutcomes += count_children(child, "rules");
		}
		else if (orch_definition_is_named(child, "assignments"))
			def->nassignments++;
		else if (orch_definition_is_named(child, "formulas"))
			def->nformulas++;
		else if (orch_definition_is_named(child, "textTemplates"))
			def->ntemplates++;
		else if (orch_definition_is_named(child, "recordLookups"))
			def->nlookups++;
		else if (orch_definition_is_named(child, "variables") ||
				 orch_definition_is_named(child, "constants"))
			def->nvariables++;
	}
}

static int
count_children(const DocNode *node, const char *name)
{
	const DocNode *child;
	int			n = 0;

	for (child = node->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, name))
			n++;
	return n;
}

/*
 * Allocates the arrays of the definition, and sets all counts but that of the
 * variables back to 0.
 */
static void
allocate_elements(Compiler *c)
{
	Definition *def = c->def;

#define ALLOCATE(count, type) \
	MemoryContextAllocExtended(c->context, sizeof(type) * Max(count, 1), \
							   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO)
	def->stages = ALLOCATE(def->nstages, StageDef);
	def->steps = ALLOCATE(def->nsteps, StepDef);
	def->decisions = ALLOCATE(def->ndecisions, DecisionDef);
	def->outcomes = ALLOCATE(def->noutcomes, OutcomeDef);
	def->assignments = ALLOCATE(def->nassignments, AssignmentDef);
	def->variables = ALLOCATE(def->nvariables, VariableDef);
	def->formulas = ALLOCATE(def->nformulas, FormulaDef);
	def->templates = ALLOCATE(def->ntemplates, TemplateDef);
	def->lookups = ALLOCATE(def->nlookups, LookupDef);
#undef ALLOCATE
	c->constants = palloc0(sizeof(Operand *) * Max(def->nvariables, 1));
	def->nstages = def->nsteps = def->ndecisions = def->noutcomes =
		def->nassignments = def->nformulas = def->ntemplates = def->nlookups = 0;
}

/*
 * The second pass: enters every name, so that elements may refer to each other in any
 * order.
 */
static void
declare_names(Compiler *c, const DocNode *root)
{
	Definition *def = c->def;
	const DocNode *child;
	int			i = 0;

	count_elements(def, root);
	allocate_elements(c);

	/* constants before variables, as in the third pass */
	for (child = root->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "constants"))
		{
			def->variables[i].name =
				orch_definition_declare_name(c, child, NAME_CONSTANT, i);
			i++;
		}
	for (child = root->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "variables"))
		{
			def->variables[i].name =
				orch_definition_declare_name(c, child, NAME_VARIABLE, i);
			i++;
		}

	for (child = root->first_child; child != NULL; child = child->next)
	{
		if (orch_definition_is_named(child, "orchestratedStages"))
			declare_stage(c, child);
		else if (orch_definition_is_named(child, "decisions"))
			declare_decision(c, child);
		else if (orch_definition_is_named(child, "assignments"))
		{
			i = def->nassignments++;
			def->assignments[i].name =
				orch_definition_declare_name(c, child, NAME_ASSIGNMENT, i);
			def->assignments[i].label = declare_label(c, child, def->assignments[i].name);
		}
		else if (orch_definition_is_named(child, "formulas"))
		{
			i = def->nformulas++;
			def->formulas[i].name =
				orch_definition_declare_name(c, child, NAME_FORMULA, i);
		}
		else if (orch_definition_is_named(child, "textTemplates"))
		{
			i = def->ntemplates++;
			def->templates[i].name =
				orch_definition_declare_name(c, child, NAME_TEMPLATE, i);
		}
		else if (orch_definition_is_named(child, "recordLookups"))
		{
			i = def->nlookups++;
			def->lookups[i].name =
				orch_definition_declare_name(c, child, NAME_LOOKUP, i);
			def->lookups[i].label = declare_label(c, child, def->lookups[i].name);
		}
		else if (child->element != NULL &&
				 child->element->treatment == DOC_REFUSE &&
				 child->element->shape == SHAPE_OTHER &&
				 orch_definition_word(child, "name") != NULL)
			(void) orch_definition_declare_name(c, child, NAME_UNSUPPORTED, 0);
	}
}

/* A stage and its steps. */
static void
declare_stage(Compiler *c, const DocNode *node)
{
	Definition *def = c->def;
	int			stage = def->nstages++;
	const DocNode *child;

	def->stages[stage].name = orch_definition_declare_name(c, node, NAME_STAGE, stage);
	for (child = node->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "stageSteps"))
		{
			int			step = def->nsteps++;

			def->steps[step].name =
				orch_definition_declare_name(c, child, NAME_STEP, step);
			def->steps[step].stage = stage;
		}
}

/* A decision and its outcomes. */
static void
declare_decision(Compiler *c, const DocNode *node)
{
	Definition *def = c->def;
	int			decision = def->ndecisions++;
	const DocNode *child;
	const char *label;

	def->decisions[decision].name =
		orch_definition_declare_name(c, node, NAME_DECISION, decision);
	def->decisions[decision].label =
		declare_label(c, node, def->decisions[decision].name);
	label = orch_definition_text(node, "defaultConnectorLabel");
	if (label != NULL)
		def->decisions[decision].default_label = MemoryContextStrdup(c->context, label);
	for (child = node->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "rules"))
		{
			int			outcome = def->noutcomes++;

			def->outcomes[outcome].name =
				orch_definition_declare_name(c, child, NAME_OUTCOME, outcome);
		}
}

/* The label of an element that only diagrams show; its name if it has none. */
static char *
declare_label(Compiler *c, const DocNode *node, const char *name)
{
	const char *text = orch_definition_text(node, "label");

	return MemoryContextStrdup(c->context, text != NULL && text[0] != '\0' ? text : name);
}
