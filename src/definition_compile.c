/*-------------------------------------------------------------------------
 *
 * definition_compile.c
 *	  From a document to the compiled definition, with every problem found.
 *
 * Three passes.  The first holds the tree against the format table: what is
 * refused, unknown, missing, of the wrong type.  The second declares every
 * name.  The third compiles, with all names known, and never stops at an
 * error: what is wrong becomes a null operand or an end, and the list of
 * problems says so; a definition with errors is thrown away.
 *
 * Nothing here is more than linear in the document, apart from sorting: a
 * definition may have ten thousand steps, chained one after the other, so
 * names are hashed and graphs are walked without recursion.
 *
 * A reference that names nothing (files that were exported as drafts have
 * some) is compiled as null and noted as stale: it can be stored, but not
 * activated.
 *
 * Reads no table.  The definition is made in the caller's context, everything
 * else in the current one.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition_compile.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "catalog.h"
#include "compat.h"
#include "definition_int.h"
#include "errors.h"

#define MAX_NAME_LENGTH			255
#define MAX_LABEL_LENGTH		80
#define MAX_DESCRIPTION_LENGTH	32000
#define MAX_LOGIC_LENGTH		1000
#define MAX_SHOWN_PROBLEMS		100
#define MAX_SHOWN_CYCLE			10

typedef enum NameKind
{
	NAME_STAGE,
	NAME_STEP,
	NAME_DECISION,
	NAME_OUTCOME,
	NAME_ASSIGNMENT,
	NAME_VARIABLE,
	NAME_CONSTANT,
	NAME_UNSUPPORTED			/* an element that was refused */
} NameKind;

static const char *const name_kinds[] = {
	[NAME_STAGE] = "a stage",
	[NAME_STEP] = "a step",
	[NAME_DECISION] = "a decision",
	[NAME_OUTCOME] = "an outcome",
	[NAME_ASSIGNMENT] = "an assignment",
	[NAME_VARIABLE] = "a variable",
	[NAME_CONSTANT] = "a constant",
	[NAME_UNSUPPORTED] = "an unsupported element"
};

typedef struct NameEntry
{
	const char *name;			/* hash key, must be first */
	NameKind	kind;
	int			index;			/* into the definition's array of that kind */
} NameEntry;

typedef struct Compiler
{
	MemoryContext context;		/* of the definition */
	Definition *def;
	ProblemList *problems;
	Operand   **constants;		/* of variables[i] when it is a constant */
	bool		free_references;	/* any reference goes: resolved by text */
} Compiler;

/* Where a reference stands: decides what it may name. */
typedef enum ReferenceUse
{
	USE_RUN,					/* steps and decisions of a run */
	USE_FILTER,					/* start filters: there is no run yet */
	USE_DEFAULT					/* default values: the run is being made */
} ReferenceUse;

static const struct
{
	const char *name;
	ComparisonOperator op;
}			operators[] = {
	{"EqualTo", COMPARE_EQUAL_TO},
	{"NotEqualTo", COMPARE_NOT_EQUAL_TO},
	{"GreaterThan", COMPARE_GREATER_THAN},
	{"LessThan", COMPARE_LESS_THAN},
	{"GreaterThanOrEqualTo", COMPARE_GREATER_THAN_OR_EQUAL_TO},
	{"LessThanOrEqualTo", COMPARE_LESS_THAN_OR_EQUAL_TO},
	{"StartsWith", COMPARE_STARTS_WITH},
	{"EndsWith", COMPARE_ENDS_WITH},
	{"Contains", COMPARE_CONTAINS},
	{"IsNull", COMPARE_IS_NULL},
	{"IsChanged", COMPARE_IS_CHANGED}
};

static const struct
{
	const char *name;
	VariableType type;
}			variable_types[] = {
	{"String", VARIABLE_STRING},
	{"Number", VARIABLE_NUMBER},
	{"Boolean", VARIABLE_BOOLEAN},
	{"Date", VARIABLE_DATE},
	{"DateTime", VARIABLE_DATETIME},
	{"Time", VARIABLE_TIME},
	{"SObject", VARIABLE_RECORD},
	/* the names above are those that are shown */
	{"Picklist", VARIABLE_STRING},
	{"Multipicklist", VARIABLE_STRING},
	{"Currency", VARIABLE_NUMBER},
	{"Apex", VARIABLE_RECORD}
};

static const char *const assignee_kinds[] = {
	[ASSIGNEE_USER] = "User",
	[ASSIGNEE_GROUP] = "Group",
	[ASSIGNEE_QUEUE] = "Queue",
	[ASSIGNEE_RESOURCE] = "Resource"
};

static void problem(Compiler *c, ProblemSeverity severity, const DocNode *node,
					const char *reference, const char *format,...) pg_attribute_printf(5, 6);
static HTAB *make_names(MemoryContext context);
static NameEntry *find_name(const Definition *def, const char *name);
static void check_node(Compiler *c, const DocNode *node, DocShape shape);
static bool check_value_type(Compiler *c, const DocNode *node);
static const char *get_text(const DocNode *node, const char *name);
static char *get_word(const DocNode *node, const char *name);
static bool get_boolean(const DocNode *node, const char *name);
static bool is_named(const DocNode *node, const char *name);
static void check_flow(Compiler *c, const DocNode *root);
static void declare_names(Compiler *c, const DocNode *root);
static char *declare_name(Compiler *c, const DocNode *node, NameKind kind,
						  int index);
static void compile_start(Compiler *c, const DocNode *node);
static void compile_stage(Compiler *c, const DocNode *node, int index,
						  int *step_index);
static void compile_step(Compiler *c, const DocNode *node, StepDef *step,
						 int stage);
static void compile_entry_conditions(Compiler *c, const DocNode *node,
									 StepDef *step);
static void compile_inputs(Compiler *c, const DocNode *node, StepDef *step);
static void compile_assignee(Compiler *c, const DocNode *node, StepDef *step);
static void compile_decision(Compiler *c, const DocNode *node, int index,
							 int *outcome_index);
static void compile_assignment(Compiler *c, const DocNode *node,
							   AssignmentDef *assignment);
static void compile_assign_item(Compiler *c, const DocNode *node,
								AssignItem *item);
static void compile_variable(Compiler *c, const DocNode *node, int index);
static void compile_default(Compiler *c, const DocNode *value, VariableDef *var);
static ConditionSet *compile_conditions(Compiler *c, const DocNode *parent,
										const char *conditions,
										const char *logic, ReferenceUse use);
static void compile_condition(Compiler *c, const DocNode *node,
							  Requirement *requirement);
static void compile_filter(Compiler *c, const DocNode *node,
						   Requirement *requirement);
static bool compile_operator(Compiler *c, const DocNode *node, bool in_filter,
							 ComparisonOperator *op);
static void check_right_side(Compiler *c, const DocNode *node,
							 Requirement *requirement);
static LogicNode *compile_logic(Compiler *c, const DocNode *node,
								const char *text, int nconditions);
static Operand *compile_value(Compiler *c, const DocNode *node, ReferenceUse use);
static Operand *compile_reference(Compiler *c, const DocNode *node,
								  const char *text, ReferenceUse use);
static void compile_named_reference(Compiler *c, const DocNode *node,
									Operand *operand, List *parts,
									ReferenceUse use);
static Connector compile_connector(Compiler *c, const DocNode *parent,
								   const char *name);
static void check_entry_cycles(Compiler *c, const DocNode *root);
static void check_reachable(Compiler *c, const DocNode *root);

/* ------------------------------------------------------------- problems */

void
orch_definition_add_problem(ProblemList *list, ProblemSeverity severity,
							const char *place, int line, const char *message,
							const char *reference)
{
	Problem    *p;

	if (list->nproblems == list->allocated)
	{
		list->allocated = Max(list->allocated * 2, 16);
		list->problems = list->problems == NULL ?
			palloc(sizeof(Problem) * list->allocated) :
			repalloc_huge(list->problems, sizeof(Problem) * list->allocated);
	}
	p = &list->problems[list->nproblems++];
	p->number = list->nproblems;
	p->severity = severity;
	p->place = pstrdup(place);
	p->line = line;
	p->message = pstrdup(message);
	p->reference = reference != NULL ? pstrdup(reference) : NULL;
	if (severity == PROBLEM_ERROR)
		list->nerrors++;
	else if (severity == PROBLEM_STALE)
		list->nstale++;
	else
		list->nwarnings++;
}

/* qsort comparator: in the order of the source, else as they were found */
static int
compare_problems(const void *a, const void *b)
{
	const Problem *left = a;
	const Problem *right = b;

	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return left->number - right->number;
}

/*
 * The problems up to a severity for an error's detail: one a line, and how
 * many more there are.
 */
char *
orch_definition_problem_text(const ProblemList *list, ProblemSeverity up_to)
{
	StringInfoData result;
	int			shown = 0;
	int			left_out = 0;
	int			i;

	initStringInfo(&result);
	for (i = 0; i < list->nproblems; i++)
	{
		const Problem *p = &list->problems[i];

		if (p->severity > up_to)
			continue;
		if (shown == MAX_SHOWN_PROBLEMS)
		{
			left_out++;
			continue;
		}
		if (shown++ > 0)
			appendStringInfoChar(&result, '\n');
		if (p->line > 0)
			appendStringInfo(&result, "line %d: ", p->line);
		if (*p->place != '\0')
			appendStringInfo(&result, "%s: ", p->place);
		appendStringInfoString(&result, p->message);
	}
	if (left_out > 0)
		appendStringInfo(&result, "\n(and %d more)", left_out);
	return result.data;
}

static void
problem(Compiler *c, ProblemSeverity severity, const DocNode *node,
		const char *reference, const char *format,...)
{
	StringInfoData message;

	initStringInfo(&message);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&message, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}
	orch_definition_add_problem(c->problems, severity,
								orch_document_place(node), node->line,
								message.data, reference);
	pfree(message.data);
}

#define error_at(c, node, ...) \
	problem(c, PROBLEM_ERROR, node, NULL, __VA_ARGS__)
#define warning_at(c, node, ...) \
	problem(c, PROBLEM_WARNING, node, NULL, __VA_ARGS__)
#define stale_at(c, node, reference, ...) \
	problem(c, PROBLEM_STALE, node, reference, __VA_ARGS__)

/* ---------------------------------------------------------------- names */

static uint32
hash_name(const void *key, Size keysize)
{
	const char *name = *(const char *const *) key;

	return hash_bytes((const unsigned char *) name, strlen(name));
}

static int
match_names(const void *key1, const void *key2, Size keysize)
{
	return strcmp(*(const char *const *) key1, *(const char *const *) key2);
}

static HTAB *
make_names(MemoryContext context)
{
	HASHCTL		ctl;

	ctl.keysize = sizeof(const char *);
	ctl.entrysize = sizeof(NameEntry);
	ctl.hash = hash_name;
	ctl.match = match_names;
	ctl.hcxt = context;
	return hash_create("orchestration names", 64, &ctl,
					   HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

static NameEntry *
find_name(const Definition *def, const char *name)
{
	return hash_search(def->names, &name, HASH_FIND, NULL);
}

int
orch_definition_stage_index(const Definition *def, const char *name)
{
	NameEntry  *entry = find_name(def, name);

	return entry != NULL && entry->kind == NAME_STAGE ? entry->index : -1;
}

int
orch_definition_step_index(const Definition *def, const char *name)
{
	NameEntry  *entry = find_name(def, name);

	return entry != NULL && entry->kind == NAME_STEP ? entry->index : -1;
}

/*
 * Does the name obey the rules of API names: letters, digits and underscores,
 * a letter first, no underscore last and no two together?
 */
bool
orch_definition_is_api_name(const char *name)
{
	const char *p;

	if (!((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z')))
		return false;
	for (p = name; *p != '\0'; p++)
	{
		if (*p == '_')
		{
			if (p[1] == '_' || p[1] == '\0')
				return false;
		}
		else if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
				   (*p >= '0' && *p <= '9')))
			return false;
	}
	return true;
}

const char *
orch_definition_operator_name(ComparisonOperator op)
{
	int			i;

	for (i = 0; i < (int) lengthof(operators); i++)
		if (operators[i].op == op)
			return operators[i].name;
	elog(ERROR, "unexpected comparison operator %d", (int) op);
}

const char *
orch_definition_variable_type_name(VariableType type)
{
	int			i;

	for (i = 0; i < (int) lengthof(variable_types); i++)
		if (variable_types[i].type == type)
			return variable_types[i].name;
	elog(ERROR, "unexpected variable type %d", (int) type);
}

const char *
orch_definition_assignee_kind_name(AssigneeKind kind)
{
	return assignee_kinds[kind];
}

/* ------------------------------------------------------- entry points */

Definition *
orch_definition_compile(const DocNode *root, MemoryContext context,
						ProblemList *problems)
{
	Compiler	c = {0};
	Definition *def = MemoryContextAllocZero(context, sizeof(Definition));
	const DocNode *child;
	int			nstages = 0;
	int			nsteps = 0;
	int			ndecisions = 0;
	int			noutcomes = 0;
	int			nassignments = 0;
	int			nvariables = 0;

	c.context = context;
	c.def = def;
	c.problems = problems;
	def->context = context;
	def->names = make_names(context);

	check_flow(&c, root);
	if (root->kind != DOC_OBJECT || problems->nerrors > 0)
	{
		/* without a Flow nothing below makes sense */
		if (strcmp(root->name, "Flow") != 0 || root->kind != DOC_OBJECT)
			return def;
	}
	check_node(&c, root, SHAPE_FLOW);
	declare_names(&c, root);

	def->label = MemoryContextStrdup(context, get_text(root, "label") != NULL ?
									 get_text(root, "label") : "");

	/* variables first: their types matter to the rest; constants among them */
	for (child = root->first_child; child != NULL; child = child->next)
		if (is_named(child, "constants"))
			compile_variable(&c, child, nvariables++);
	for (child = root->first_child; child != NULL; child = child->next)
		if (is_named(child, "variables"))
			compile_variable(&c, child, nvariables++);

	for (child = root->first_child; child != NULL; child = child->next)
	{
		CHECK_FOR_INTERRUPTS();
		if (is_named(child, "orchestratedStages"))
			compile_stage(&c, child, nstages++, &nsteps);
		else if (is_named(child, "decisions"))
			compile_decision(&c, child, ndecisions++, &noutcomes);
		else if (is_named(child, "assignments"))
			compile_assignment(&c, child, &def->assignments[nassignments++]);
		else if (is_named(child, "start"))
			compile_start(&c, child);
	}
	Assert(nstages == def->nstages && nsteps == def->nsteps &&
		   ndecisions == def->ndecisions && noutcomes == def->noutcomes &&
		   nassignments == def->nassignments && nvariables == def->nvariables);

	check_entry_cycles(&c, root);
	if (problems->nerrors == 0)
		check_reachable(&c, root);
	qsort(problems->problems, problems->nproblems, sizeof(Problem),
		  compare_problems);
	return def;
}

/*
 * Compile {"conditionLogic": ..., "conditions": [...]} for itself: references
 * are not resolved, whoever evaluates goes by their text.
 */
ConditionSet *
orch_definition_compile_conditions(const DocNode *root, MemoryContext context,
								   ProblemList *problems)
{
	Compiler	c = {0};

	c.context = context;
	c.problems = problems;
	c.free_references = true;
	check_node(&c, root, SHAPE_CONDITIONS);
	return compile_conditions(&c, root, "conditions", "conditionLogic", USE_RUN);
}

/* --------------------------------------------------------- the structure */

/*
 * Hold a node and everything below it against the format table.
 */
static void
check_node(Compiler *c, const DocNode *node, DocShape shape)
{
	const DocElement *elements;
	int			nelements;
	const DocNode *child;
	uint64		seen = 0;
	int			i;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

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
			if (child->index == 0)
				warning_at(c, child, "unknown element \"%.*s\" is kept and has no effect",
						   pg_mbcliplen(child->name, strlen(child->name), 80),
						   child->name);
			continue;
		}
		ordinal = element - elements;
		if ((seen & (UINT64CONST(1) << ordinal)) != 0 && !element->repeated &&
			child->index == 1)
			error_at(c, child, "element \"%s\" occurs more than once",
					 element->name);
		if (child->kind != DOC_NIL)
			seen |= UINT64CONST(1) << ordinal;

		switch (element->treatment)
		{
			case DOC_KEEP:
				break;
			case DOC_REFUSE:
				/* of those without names the first speaks for all */
				if (child->kind == DOC_NIL ||
					(child->index > 0 && get_word(child, "name") == NULL))
					break;
				error_at(c, child, "element \"%s\" is not supported%s%s",
						 element->name, element->note != NULL ? ": " : "",
						 element->note != NULL ? element->note : "");
				break;
			case DOC_REFUSE_TRUE:
				if (check_value_type(c, child) && child->kind != DOC_NIL)
				{
					bool		value;

					if (orch_document_boolean(child->text, &value) && value)
						error_at(c, child, "\"%s\" is not supported%s%s",
								 element->name,
								 element->note != NULL ? ": " : "",
								 element->note != NULL ? element->note : "");
				}
				break;
			case DOC_READ:
				if (check_value_type(c, child) &&
					element->type == DOC_TYPE_OBJECT)
					check_node(c, child, element->shape);
				break;
		}
	}

	for (i = 0; i < nelements; i++)
		if (elements[i].required && (seen & (UINT64CONST(1) << i)) == 0)
			error_at(c, node, "element \"%s\" is missing", elements[i].name);
}

/*
 * Is a node of the type that the format gives its element?
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
		[DOC_TYPE_OBJECT] = "an object"
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
			case DOC_TYPE_BOOLEAN:
				if (node->kind == DOC_TEXT &&
					orch_document_boolean(node->text, &boolean))
					return true;
				error_at(c, node, "\"%s\" must be true or false", node->name);
				return false;
			case DOC_TYPE_NUMBER:
				if (node->kind == DOC_TEXT &&
					orch_document_number(node->text, &number))
					return true;
				error_at(c, node, "\"%s\" must be a number", node->name);
				return false;
		}
	}
	if ((type == DOC_TYPE_STRING && node->kind == DOC_TEXT) ||
		(type == DOC_TYPE_BOOLEAN && node->kind == DOC_BOOLEAN) ||
		(type == DOC_TYPE_NUMBER && node->kind == DOC_NUMBER) ||
		(type == DOC_TYPE_OBJECT && node->kind == DOC_OBJECT))
		return true;
	error_at(c, node, "\"%s\" must be %s, not %s", node->name,
			 type_names[type], kind_names[node->kind]);
	return false;
}

/*
 * The text of a child; NULL when there is none or it is no text.
 */
static const char *
get_text(const DocNode *node, const char *name)
{
	const DocNode *child = orch_document_child(node, name);

	return child != NULL && child->kind == DOC_TEXT ? child->text : NULL;
}

/*
 * The same without white space around it: names, references, keywords.  NULL
 * also when nothing is left.
 */
static char *
get_word(const DocNode *node, const char *name)
{
	const char *text = get_text(node, name);
	int			length;

	if (text == NULL)
		return NULL;
	while (isspace((unsigned char) *text))
		text++;
	length = strlen(text);
	while (length > 0 && isspace((unsigned char) text[length - 1]))
		length--;
	return length > 0 ? pnstrdup(text, length) : NULL;
}

static bool
get_boolean(const DocNode *node, const char *name)
{
	const DocNode *child = orch_document_child(node, name);
	bool		result;

	if (child == NULL || (child->kind != DOC_BOOLEAN && child->kind != DOC_TEXT))
		return false;
	return orch_document_boolean(child->text, &result) && result;
}

/* Is it that element, and something to look into? */
static bool
is_named(const DocNode *node, const char *name)
{
	return node->element != NULL && strcmp(node->name, name) == 0;
}

/*
 * Label or description: there when required, not too long.
 */
static char *
compile_label(Compiler *c, const DocNode *node, const char *name, int limit)
{
	const char *text = get_text(node, name);

	if (text == NULL)
		return NULL;
	if (pg_mbstrlen(text) > limit)
		error_at(c, orch_document_child(node, name),
				 "\"%s\" is longer than %d characters", name, limit);
	return MemoryContextStrdup(c->context, text);
}

static void
check_flow(Compiler *c, const DocNode *root)
{
	char	   *word;

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

	word = get_word(root, "processType");
	if (word != NULL && strcmp(word, "Orchestrator") != 0)
		error_at(c, orch_document_child(root, "processType"),
				 "processType \"%s\" is not supported, only Orchestrator is",
				 word);

	word = get_word(root, "runInMode");
	if (word != NULL && strcmp(word, "DefaultMode") != 0 &&
		strcmp(word, "SystemModeWithoutSharing") != 0)
		error_at(c, orch_document_child(root, "runInMode"),
				 "runInMode \"%s\" is not supported, only DefaultMode and SystemModeWithoutSharing are",
				 word);

	word = get_word(root, "fullName");
	if (word != NULL && (!orch_definition_is_api_name(word) ||
						 strlen(word) > MAX_API_NAME_LENGTH))
		error_at(c, orch_document_child(root, "fullName"),
				 "\"%s\" is not an API name of at most %d characters", word,
				 MAX_API_NAME_LENGTH);
}

/* ----------------------------------------------------------- declarations */

/*
 * Count and name everything, so that the arrays can be allocated and forward
 * references resolved.
 */
static void
declare_names(Compiler *c, const DocNode *root)
{
	Definition *def = c->def;
	const DocNode *child;
	const DocNode *inner;
	int			i = 0;

	for (child = root->first_child; child != NULL; child = child->next)
	{
		if (is_named(child, "orchestratedStages"))
		{
			def->nstages++;
			for (inner = child->first_child; inner != NULL; inner = inner->next)
				if (is_named(inner, "stageSteps"))
					def->nsteps++;
		}
		else if (is_named(child, "decisions"))
		{
			def->ndecisions++;
			for (inner = child->first_child; inner != NULL; inner = inner->next)
				if (is_named(inner, "rules"))
					def->noutcomes++;
		}
		else if (is_named(child, "assignments"))
			def->nassignments++;
		else if (is_named(child, "variables") || is_named(child, "constants"))
			def->nvariables++;
	}

#define ALLOCATE(count, type) \
	MemoryContextAllocExtended(c->context, sizeof(type) * Max(count, 1), \
							   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO)
	def->stages = ALLOCATE(def->nstages, StageDef);
	def->steps = ALLOCATE(def->nsteps, StepDef);
	def->decisions = ALLOCATE(def->ndecisions, DecisionDef);
	def->outcomes = ALLOCATE(def->noutcomes, OutcomeDef);
	def->assignments = ALLOCATE(def->nassignments, AssignmentDef);
	def->variables = ALLOCATE(def->nvariables, VariableDef);
	c->constants = palloc0(sizeof(Operand *) * Max(def->nvariables, 1));

	for (child = root->first_child; child != NULL; child = child->next)
		if (is_named(child, "constants"))
		{
			def->variables[i].name = declare_name(c, child, NAME_CONSTANT, i);
			i++;
		}
	for (child = root->first_child; child != NULL; child = child->next)
		if (is_named(child, "variables"))
		{
			def->variables[i].name = declare_name(c, child, NAME_VARIABLE, i);
			i++;
		}

	def->nstages = def->nsteps = def->ndecisions = def->noutcomes =
		def->nassignments = 0;
	for (child = root->first_child; child != NULL; child = child->next)
	{
		if (is_named(child, "orchestratedStages"))
		{
			i = def->nstages++;
			def->stages[i].name = declare_name(c, child, NAME_STAGE, i);
			for (inner = child->first_child; inner != NULL; inner = inner->next)
				if (is_named(inner, "stageSteps"))
				{
					int			step = def->nsteps++;

					def->steps[step].name = declare_name(c, inner, NAME_STEP,
														 step);
					def->steps[step].stage = i;
				}
		}
		else if (is_named(child, "decisions"))
		{
			i = def->ndecisions++;
			def->decisions[i].name = declare_name(c, child, NAME_DECISION, i);
			for (inner = child->first_child; inner != NULL; inner = inner->next)
				if (is_named(inner, "rules"))
				{
					int			outcome = def->noutcomes++;

					def->outcomes[outcome].name = declare_name(c, inner,
															   NAME_OUTCOME,
															   outcome);
				}
		}
		else if (is_named(child, "assignments"))
		{
			i = def->nassignments++;
			def->assignments[i].name = declare_name(c, child, NAME_ASSIGNMENT,
													i);
		}
		else if (child->element != NULL && child->element->treatment == DOC_REFUSE &&
				 child->element->shape == SHAPE_OTHER && get_word(child, "name") != NULL)
			(void) declare_name(c, child, NAME_UNSUPPORTED, 0);
	}
}

/*
 * Give an element its name; "" when it has none that can be used.
 */
static char *
declare_name(Compiler *c, const DocNode *node, NameKind kind, int index)
{
	const DocNode *name_node = orch_document_child(node, "name");
	char	   *word = get_word(node, "name");
	char	   *name;
	NameEntry  *entry;
	bool		found;

	CHECK_FOR_INTERRUPTS();
	if (word == NULL)
	{
		if (name_node != NULL && name_node->kind == DOC_TEXT)
			error_at(c, name_node, "\"name\" is empty");
		return MemoryContextStrdup(c->context, "");
	}
	if (kind != NAME_UNSUPPORTED)
	{
		if (strlen(word) > MAX_NAME_LENGTH)
			error_at(c, name_node, "\"name\" is longer than %d characters",
					 MAX_NAME_LENGTH);
		else if (!orch_definition_is_api_name(word))
			error_at(c, name_node,
					 "\"%s\" is not an API name: letters, digits and single underscores, a letter first",
					 word);
	}
	name = MemoryContextStrdup(c->context, word);
	entry = hash_search(c->def->names, &name, HASH_ENTER, &found);
	if (found)
	{
		error_at(c, name_node, "the name \"%.*s\" is already that of %s",
				 pg_mbcliplen(name, strlen(name), MAX_NAME_LENGTH), name,
				 name_kinds[entry->kind]);
		return name;
	}
	entry->kind = kind;
	entry->index = index;
	return name;
}

/* ------------------------------------------------------------- elements */

static void
compile_start(Compiler *c, const DocNode *node)
{
	Definition *def = c->def;
	char	   *object = get_word(node, "object");
	char	   *trigger_type = get_word(node, "triggerType");
	char	   *record_trigger = get_word(node, "recordTriggerType");
	const DocNode *filters = orch_document_child(node, "filters");
	const DocNode *order = orch_document_child(node->parent, "triggerOrder");

	def->start = compile_connector(c, node, "connector");
	def->only_when_changed = get_boolean(node, "doesRequireRecordChangedToMeetCriteria");

	if (trigger_type != NULL && strcmp(trigger_type, "RecordAfterSave") != 0 &&
		strcmp(trigger_type, "None") != 0)
		error_at(c, orch_document_child(node, "triggerType"),
				 "triggerType \"%s\" is not supported, only RecordAfterSave is",
				 trigger_type);
	else if (object != NULL && trigger_type == NULL)
		error_at(c, node, "element \"triggerType\" is missing: \"object\" needs it");
	if (object == NULL)
	{
		if (trigger_type != NULL && strcmp(trigger_type, "None") != 0)
			error_at(c, node, "element \"object\" is missing: \"triggerType\" needs it");
		if (record_trigger != NULL && strcmp(record_trigger, "None") != 0)
			error_at(c, node, "element \"object\" is missing: \"recordTriggerType\" needs it");
		if (filters != NULL)
			error_at(c, node, "element \"object\" is missing: \"filters\" need it");
		return;
	}

	def->record_type = MemoryContextStrdup(c->context, object);
	if (record_trigger == NULL)
		error_at(c, node, "element \"recordTriggerType\" is missing: \"object\" needs it");
	else if (strcmp(record_trigger, "Create") == 0)
		def->record_trigger = RECORD_TRIGGER_CREATE;
	else if (strcmp(record_trigger, "Update") == 0)
		def->record_trigger = RECORD_TRIGGER_UPDATE;
	else if (strcmp(record_trigger, "CreateAndUpdate") == 0)
		def->record_trigger = RECORD_TRIGGER_CREATE_AND_UPDATE;
	else
		error_at(c, orch_document_child(node, "recordTriggerType"),
				 "recordTriggerType \"%s\" is not supported, only Create, Update and CreateAndUpdate are",
				 record_trigger);
	if (order != NULL && (order->kind == DOC_TEXT || order->kind == DOC_NUMBER))
	{
		int			value = atoi(order->text);

		if (value < 1 || value > 2000)
			error_at(c, order, "\"triggerOrder\" must be from 1 to 2000");
		else
			def->trigger_order = value;
	}
	def->filters = compile_conditions(c, node, "filters", "filterLogic",
									  USE_FILTER);
}

static void
compile_stage(Compiler *c, const DocNode *node, int index, int *step_index)
{
	StageDef   *stage = &c->def->stages[index];
	const DocNode *child;

	stage->label = compile_label(c, node, "label", MAX_LABEL_LENGTH);
	if (stage->label == NULL)
	{
		stage->label = MemoryContextStrdup(c->context, stage->name);
		stage->label[pg_mbcharcliplen(stage->label, strlen(stage->label),
									  MAX_LABEL_LENGTH)] = '\0';
	}
	stage->connector = compile_connector(c, node, "connector");
	stage->first_step = *step_index;
	for (child = node->first_child; child != NULL; child = child->next)
		if (is_named(child, "stageSteps"))
			compile_step(c, child, &c->def->steps[(*step_index)++], index);
	stage->nsteps = *step_index - stage->first_step;
}

static void
compile_step(Compiler *c, const DocNode *node, StepDef *step, int stage)
{
	char	   *action_type = get_word(node, "actionType");
	char	   *action_name = get_word(node, "actionName");
	char	   *subtype = get_word(node, "stepSubtype");
	bool		async = get_boolean(node, "requiresAsyncProcessing");

	CHECK_FOR_INTERRUPTS();
	step->stage = stage;
	step->label = compile_label(c, node, "label", MAX_LABEL_LENGTH);
	if (step->label == NULL)
		step->label = MemoryContextStrdup(c->context, step->name);
	step->description = compile_label(c, node, "description",
									  MAX_DESCRIPTION_LENGTH);

	step->type = async ? STEP_TYPE_ASYNCHRONOUS : STEP_TYPE_BACKGROUND;
	if (action_type == NULL)
	{
		if (get_text(node, "actionType") != NULL)
			error_at(c, orch_document_child(node, "actionType"),
					 "\"actionType\" is empty");
	}
	else if (strcmp(action_type, "stepInteractive") == 0 ||
			 strcmp(action_type, "createWorkItem") == 0)
		step->type = STEP_TYPE_INTERACTIVE;
	else if (strcmp(action_type, "stepMuleSoft") == 0)
		step->type = STEP_TYPE_ASYNCHRONOUS;
	else if (strcmp(action_type, "stepBackground") != 0)
	{
		error_at(c, orch_document_child(node, "actionType"),
				 "actionType \"%s\" is not supported, only stepInteractive, stepBackground, stepMuleSoft and createWorkItem are",
				 action_type);
		subtype = NULL;			/* the same again */
	}

	if (subtype != NULL && strcmp(subtype, "InteractiveStep") != 0 &&
		strcmp(subtype, "BackgroundStep") != 0 &&
		strcmp(subtype, "MuleSoftStep") != 0)
		error_at(c, orch_document_child(node, "stepSubtype"),
				 "stepSubtype \"%s\" is not supported, only InteractiveStep, BackgroundStep and MuleSoftStep are",
				 subtype);

	if (action_name == NULL)
	{
		if (get_text(node, "actionName") != NULL)
			error_at(c, orch_document_child(node, "actionName"),
					 "\"actionName\" is empty");
		action_name = "";
	}
	else if (pg_mbstrlen(action_name) > MAX_NAME_LENGTH)
		error_at(c, orch_document_child(node, "actionName"),
				 "\"actionName\" is longer than %d characters",
				 MAX_NAME_LENGTH);
	step->action_name = MemoryContextStrdup(c->context, action_name);

	compile_entry_conditions(c, node, step);
	compile_inputs(c, node, step);

	/* what these say of background steps means nothing there */
	if (step->type == STEP_TYPE_INTERACTIVE)
	{
		const DocNode *exit = orch_document_child(node, "exitActionName");

		if (exit != NULL && exit->kind != DOC_NIL)
			error_at(c, exit, "element \"exitActionName\" is not supported: an interactive step completes when its assignee finished");
		exit = orch_document_child(node, "exitConditions");
		if (exit != NULL && exit->kind != DOC_NIL)
			error_at(c, exit, "element \"exitConditions\" is not supported: an interactive step completes when its assignee finished");
		compile_assignee(c, node, step);
	}
}

/* Is the logic "all of them", whatever it looks like? */
static bool
is_conjunction(const LogicNode *node)
{
	check_stack_depth();
	return node->kind == LOGIC_REQUIREMENT ||
		(node->kind == LOGIC_AND && is_conjunction(node->left) &&
		 is_conjunction(node->right));
}

/*
 * Entry conditions: none, or "<step of this stage>.Status EqualTo Completed",
 * all of them.
 */
static void
compile_entry_conditions(Compiler *c, const DocNode *node, StepDef *step)
{
	const DocNode *child;
	const char *logic = get_text(node, "entryConditionLogic");
	int			n = 0;

	for (child = node->first_child; child != NULL; child = child->next)
		if (is_named(child, "entryConditions") && child->kind != DOC_NIL)
			n++;
	if (n == 0)
		return;
	step->after = MemoryContextAlloc(c->context, sizeof(int) * n);

	if (logic != NULL && n > 0)
	{
		int			errors_before = c->problems->nerrors;
		const DocNode *logic_node = orch_document_child(node, "entryConditionLogic");
		LogicNode  *tree = compile_logic(c, logic_node, logic, n);

		if (tree != NULL && c->problems->nerrors == errors_before &&
			!is_conjunction(tree))
			error_at(c, logic_node,
					 "entryConditionLogic \"%s\" is not supported: a step starts with its stage or after all of the named steps",
					 logic);
	}

	for (child = node->first_child; child != NULL; child = child->next)
	{
		char	   *left;
		char	   *op;
		char	   *dot;
		const char *right;
		const DocNode *right_node;
		NameEntry  *entry;

		if (!is_named(child, "entryConditions") || child->kind != DOC_OBJECT)
			continue;
		left = get_word(child, "leftValueReference");
		op = get_word(child, "operator");
		if (left == NULL || op == NULL)
			continue;			/* reported */
		right_node = orch_document_child(child, "rightValue");
		right = right_node != NULL ? get_word(right_node, "stringValue") : NULL;
		dot = strchr(left, '.');
		if (dot == NULL || strcmp(dot, ".Status") != 0 || *left == '$' ||
			strcmp(op, "EqualTo") != 0 || right == NULL ||
			strcmp(right, "Completed") != 0)
		{
			error_at(c, child,
					 "entry condition on \"%s\" with operator %s is not supported, only \"<step>.Status EqualTo Completed\" is",
					 left, op);
			continue;
		}
		*dot = '\0';
		entry = find_name(c->def, left);
		if (entry == NULL)
		{
			*dot = '.';
			stale_at(c, child, left, "reference \"%s\" names nothing", left);
			continue;
		}
		if (entry->kind != NAME_STEP)
		{
			error_at(c, child,
					 "entry condition on \"%s\", which is %s: only steps of the same stage can be waited for",
					 left, name_kinds[entry->kind]);
			continue;
		}
		if (c->def->steps[entry->index].stage != step->stage)
		{
			error_at(c, child,
					 "entry condition on step \"%s\" of stage \"%s\": only steps of the same stage can be waited for",
					 left, c->def->stages[c->def->steps[entry->index].stage].name);
			continue;
		}
		step->after[step->nafter++] = entry->index;
	}
}

static int
compare_inputs(const void *a, const void *b)
{
	const DocNode *left = *(DocNode *const *) a;
	const DocNode *right = *(DocNode *const *) b;
	int			result = strcmp(get_text(left, "name"), get_text(right, "name"));

	return result != 0 ? result : left->index - right->index;
}

/*
 * Inputs of the step's action.  The reserved names are for the step itself:
 * ActionInput__RecordId is its context record, the others (of beta versions
 * and of e-mails) concern nothing here.
 */
static void
compile_inputs(Compiler *c, const DocNode *node, StepDef *step)
{
	const DocNode *child;
	const DocNode **named;
	int			n = 0;
	int			i;

	for (child = node->first_child; child != NULL; child = child->next)
		if (is_named(child, "inputParameters"))
			n++;
	if (n == 0)
		return;
	step->inputs = MemoryContextAllocExtended(c->context,
											  sizeof(InputParameter) * n,
											  MCXT_ALLOC_HUGE);
	named = palloc_extended(sizeof(DocNode *) * n, MCXT_ALLOC_HUGE);

	n = 0;
	for (child = node->first_child; child != NULL; child = child->next)
	{
		char	   *name;
		Operand    *value;

		if (!is_named(child, "inputParameters"))
			continue;
		name = get_word(child, "name");
		if (name == NULL)
		{
			if (get_text(child, "name") != NULL)
				error_at(c, child, "\"name\" is empty");
			continue;
		}
		named[n++] = child;
		value = compile_value(c, orch_document_child(child, "value"), USE_RUN);
		if (strcmp(name, AUTOMATIC_INPUT_PREFIX "RecordId") == 0)
			step->context_record = value;
		else if (strncmp(name, AUTOMATIC_INPUT_PREFIX,
						 strlen(AUTOMATIC_INPUT_PREFIX)) != 0)
		{
			InputParameter *input = &step->inputs[step->ninputs++];

			input->name = MemoryContextStrdup(c->context, name);
			input->value = value;
		}
	}

	qsort(named, n, sizeof(DocNode *), compare_inputs);
	for (i = 1; i < n; i++)
		if (strcmp(get_text(named[i - 1], "name"), get_text(named[i], "name")) == 0)
			error_at(c, named[i], "input parameter \"%s\" occurs more than once",
					 get_text(named[i], "name"));
	pfree(named);
}

/*
 * Who gets the work item: a user's name, the developer name of a group or
 * queue, or a reference that gives one.
 */
static void
compile_assignee(Compiler *c, const DocNode *node, StepDef *step)
{
	const DocNode *assignee = orch_document_child(node, "assignees");
	const DocNode *value;
	const DocNode *child;
	char	   *type;
	int			i;

	if (assignee == NULL || assignee->kind == DOC_NIL)
	{
		error_at(c, node, "element \"assignees\" is missing: an interactive step needs an assignee");
		return;
	}
	if (assignee->kind != DOC_OBJECT)
		return;					/* reported */
	for (child = assignee->next; child != NULL; child = child->next)
		if (is_named(child, "assignees"))
		{
			error_at(c, child, "more than one assignee");
			break;
		}

	type = get_word(assignee, "assigneeType");
	if (type == NULL)
		return;					/* reported */
	for (i = 0; i < (int) lengthof(assignee_kinds); i++)
		if (strcmp(type, assignee_kinds[i]) == 0)
			break;
	if (i == (int) lengthof(assignee_kinds))
	{
		error_at(c, orch_document_child(assignee, "assigneeType"),
				 "assigneeType \"%s\" is not supported, only User, Group, Queue and Resource are",
				 type);
		return;
	}
	step->assignee_kind = (AssigneeKind) i;

	value = orch_document_child(assignee, "assignee");
	step->assignee = compile_value(c, value, USE_RUN);
	if (step->assignee == NULL)
	{
		error_at(c, assignee, "element \"assignee\" is missing: an interactive step needs an assignee");
		return;
	}
	if (step->assignee->kind == OPERAND_LITERAL &&
		step->assignee->literal != NULL)
	{
		JsonbValue *literal = MemoryContextAlloc(c->context, sizeof(JsonbValue));

		/* a copy: it may be that of a constant */
		*literal = *step->assignee->literal;
		step->assignee->literal = literal;
		if (literal->type != jbvString)
			error_at(c, value, "an assignee must be text");
		else
		{
			/* real files have tabs after usernames */
			while (literal->val.string.len > 0 &&
				   isspace((unsigned char) *literal->val.string.val))
			{
				literal->val.string.val++;
				literal->val.string.len--;
			}
			while (literal->val.string.len > 0 &&
				   isspace((unsigned char) literal->val.string.val[literal->val.string.len - 1]))
				literal->val.string.len--;
			if (literal->val.string.len == 0)
				error_at(c, value, "the assignee is empty");
		}
		if (step->assignee_kind == ASSIGNEE_RESOURCE)
			error_at(c, assignee, "assigneeType \"Resource\" needs a reference");
	}
}

static void
compile_decision(Compiler *c, const DocNode *node, int index, int *outcome_index)
{
	DecisionDef *decision = &c->def->decisions[index];
	const DocNode *child;

	decision->default_connector = compile_connector(c, node, "defaultConnector");
	decision->first_outcome = *outcome_index;
	for (child = node->first_child; child != NULL; child = child->next)
	{
		OutcomeDef *outcome;

		if (!is_named(child, "rules"))
			continue;
		outcome = &c->def->outcomes[(*outcome_index)++];
		outcome->label = compile_label(c, child, "label", MAX_NAME_LENGTH);
		if (outcome->label == NULL)
			outcome->label = MemoryContextStrdup(c->context, outcome->name);
		outcome->decision = index;
		outcome->conditions = compile_conditions(c, child, "conditions",
												 "conditionLogic", USE_RUN);
		outcome->connector = compile_connector(c, child, "connector");
	}
	decision->noutcomes = *outcome_index - decision->first_outcome;
}

static void
compile_assignment(Compiler *c, const DocNode *node, AssignmentDef *assignment)
{
	const DocNode *child;
	int			n = 0;

	for (child = node->first_child; child != NULL; child = child->next)
		if (is_named(child, "assignmentItems"))
			n++;
	assignment->items = MemoryContextAllocZero(c->context,
											   sizeof(AssignItem) * Max(n, 1));
	for (child = node->first_child; child != NULL; child = child->next)
		if (is_named(child, "assignmentItems"))
			compile_assign_item(c, child,
								&assignment->items[assignment->nitems++]);
	assignment->connector = compile_connector(c, node, "connector");
}

static void
compile_assign_item(Compiler *c, const DocNode *node, AssignItem *item)
{
	char	   *target = get_word(node, "assignToReference");
	char	   *op = get_word(node, "operator");
	const DocNode *target_node = orch_document_child(node, "assignToReference");
	const DocNode *op_node = orch_document_child(node, "operator");
	NameEntry  *entry;
	VariableDef *variable = NULL;

	item->value = compile_value(c, orch_document_child(node, "value"), USE_RUN);

	if (target != NULL)
	{
		entry = find_name(c->def, target);
		if (entry != NULL && entry->kind == NAME_VARIABLE)
		{
			item->variable = entry->index;
			variable = &c->def->variables[entry->index];
		}
		else if (entry != NULL)
			error_at(c, target_node,
					 "\"%s\" cannot be assigned to: it is %s, not a variable",
					 target, name_kinds[entry->kind]);
		else if (strchr(target, '.') != NULL || *target == '$')
			error_at(c, target_node,
					 "assigning to \"%s\" is not supported, only to variables as a whole",
					 target);
		else
			error_at(c, target_node, "there is no variable \"%s\"", target);
	}

	if (op == NULL)
		return;
	if (strcmp(op, "Assign") == 0)
		item->op = ASSIGN_SET;
	else if (strcmp(op, "Add") == 0)
	{
		item->op = ASSIGN_ADD;
		if (variable != NULL && (variable->is_collection ||
								 (variable->type != VARIABLE_NUMBER &&
								  variable->type != VARIABLE_STRING)))
			error_at(c, op_node, "operator Add is not supported for variable \"%s\": it is neither a number nor a text",
					 target);
	}
	else if (strcmp(op, "Subtract") == 0)
	{
		item->op = ASSIGN_SUBTRACT;
		if (variable != NULL && (variable->is_collection ||
								 variable->type != VARIABLE_NUMBER))
			error_at(c, op_node, "operator Subtract is not supported for variable \"%s\": it is not a number",
					 target);
	}
	else
		error_at(c, op_node,
				 "assignment operator \"%s\" is not supported, only Assign, Add and Subtract are",
				 op);
}

static void
compile_variable(Compiler *c, const DocNode *node, int index)
{
	VariableDef *variable = &c->def->variables[index];
	const DocNode *value = orch_document_child(node, "value");
	char	   *type = get_word(node, "dataType");
	int			i;

	variable->is_constant = is_named(node, "constants");
	variable->is_collection = get_boolean(node, "isCollection");
	variable->is_input = get_boolean(node, "isInput");
	variable->is_output = get_boolean(node, "isOutput");
	if (type == NULL)
		return;					/* reported */
	for (i = 0; i < (int) lengthof(variable_types); i++)
		if (strcmp(type, variable_types[i].name) == 0)
			break;
	if (i == (int) lengthof(variable_types))
	{
		error_at(c, orch_document_child(node, "dataType"),
				 "dataType \"%s\" is not supported", type);
		return;
	}
	variable->type = variable_types[i].type;

	if (value == NULL || value->kind != DOC_OBJECT)
		return;
	compile_default(c, value, variable);
	if (variable->is_constant)
		c->constants[index] = variable->default_value;
}

/*
 * The default value of a variable or the value of a constant: a literal must
 * be of its type, or a text that reads as such.
 */
static void
compile_default(Compiler *c, const DocNode *value, VariableDef *variable)
{
	Operand    *operand = compile_value(c, value, USE_DEFAULT);
	JsonbValue *literal;
	Timestamp	timestamp;
	char	   *text;
	bool		fits = true;

	variable->default_value = operand;
	if (operand == NULL)
		return;
	if (operand->kind != OPERAND_LITERAL)
	{
		if (variable->is_constant)
			error_at(c, value, "the value of a constant must be a literal");
		return;
	}
	literal = operand->literal;
	if (literal == NULL)
		return;
	if (variable->is_collection)
	{
		error_at(c, value, "a collection cannot have a default value");
		return;
	}

	text = orch_condition_value_text(literal);
	switch (variable->type)
	{
		case VARIABLE_STRING:
			fits = literal->type == jbvString;
			break;
		case VARIABLE_NUMBER:
			if (literal->type == jbvString)
			{
				MemoryContext old = MemoryContextSwitchTo(c->context);
				Numeric		number;

				fits = orch_document_number(text, &number);
				MemoryContextSwitchTo(old);
				if (fits)
				{
					literal->type = jbvNumeric;
					literal->val.numeric = number;
				}
			}
			else
				fits = literal->type == jbvNumeric;
			break;
		case VARIABLE_BOOLEAN:
			if (literal->type == jbvString)
			{
				bool		boolean;

				fits = orch_document_boolean(text, &boolean);
				if (fits)
				{
					literal->type = jbvBool;
					literal->val.boolean = boolean;
				}
			}
			else
				fits = literal->type == jbvBool;
			break;
		case VARIABLE_DATE:
		case VARIABLE_DATETIME:
			fits = literal->type == jbvString &&
				orch_condition_datetime(text, strlen(text), &timestamp);
			operand->is_datetime = true;
			break;
		case VARIABLE_TIME:
			fits = literal->type == jbvString;
			break;
		case VARIABLE_RECORD:
			fits = false;
			break;
	}
	if (!fits)
		error_at(c, value, "the value \"%.*s\" is not of data type %s",
				 pg_mbcliplen(text, strlen(text), 80), text,
				 orch_definition_variable_type_name(variable->type));
}

/* ------------------------------------------------------------ conditions */

static ConditionSet *
compile_conditions(Compiler *c, const DocNode *parent, const char *conditions,
				   const char *logic, ReferenceUse use)
{
	ConditionSet *set = MemoryContextAllocZero(c->context, sizeof(ConditionSet));
	const DocNode *child;
	const char *text = get_text(parent, logic);

	for (child = parent->first_child; child != NULL; child = child->next)
		if (is_named(child, conditions) && child->kind != DOC_NIL)
			set->nrequirements++;
	if (set->nrequirements == 0)
		return set;
	set->requirements = MemoryContextAllocExtended(c->context,
												   sizeof(Requirement) * set->nrequirements,
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (text != NULL)
		set->logic = compile_logic(c, orch_document_child(parent, logic), text,
								   set->nrequirements);
	set->nrequirements = 0;
	for (child = parent->first_child; child != NULL; child = child->next)
	{
		Requirement *requirement;

		if (!is_named(child, conditions) || child->kind == DOC_NIL)
			continue;
		CHECK_FOR_INTERRUPTS();
		requirement = &set->requirements[set->nrequirements++];
		if (child->kind != DOC_OBJECT)
			continue;			/* reported */
		if (use == USE_FILTER)
			compile_filter(c, child, requirement);
		else
			compile_condition(c, child, requirement);
	}
	return set;
}

static void
compile_condition(Compiler *c, const DocNode *node, Requirement *requirement)
{
	char	   *left = get_word(node, "leftValueReference");

	if (left != NULL)
		requirement->left = compile_reference(c,
											  orch_document_child(node, "leftValueReference"),
											  left, USE_RUN);
	else if (get_text(node, "leftValueReference") != NULL)
		error_at(c, node, "\"leftValueReference\" is empty");
	requirement->right = compile_value(c, orch_document_child(node, "rightValue"),
									   USE_RUN);
	if (compile_operator(c, node, c->free_references, &requirement->op) &&
		requirement->left != NULL)
		check_right_side(c, node, requirement);
}

/* A start filter: its left side is a field of the record. */
static void
compile_filter(Compiler *c, const DocNode *node, Requirement *requirement)
{
	char	   *field = get_word(node, "field");
	MemoryContext old;

	if (field != NULL)
	{
		if (strpbrk(field, ".$ ") != NULL)
			error_at(c, orch_document_child(node, "field"),
					 "\"%s\" is not a field: filters look at fields of the record itself",
					 field);
		old = MemoryContextSwitchTo(c->context);
		requirement->left = palloc0(sizeof(Operand));
		requirement->left->kind = OPERAND_RECORD;
		requirement->left->path = list_make1(pstrdup(field));
		requirement->left->text = psprintf("$Record.%s", field);
		MemoryContextSwitchTo(old);
	}
	else if (get_text(node, "field") != NULL)
		error_at(c, node, "\"field\" is empty");
	requirement->right = compile_value(c, orch_document_child(node, "value"),
									   USE_FILTER);
	if (compile_operator(c, node, true, &requirement->op) &&
		requirement->left != NULL)
		check_right_side(c, node, requirement);
}

static bool
compile_operator(Compiler *c, const DocNode *node, bool in_filter,
				 ComparisonOperator *op)
{
	char	   *name = get_word(node, "operator");
	const DocNode *name_node = orch_document_child(node, "operator");
	int			i;

	if (name == NULL)
	{
		if (get_text(node, "operator") != NULL)
			error_at(c, name_node, "\"operator\" is empty");
		return false;
	}
	for (i = 0; i < (int) lengthof(operators); i++)
		if (strcmp(operators[i].name, name) == 0)
			break;
	if (i == (int) lengthof(operators))
	{
		error_at(c, name_node, "operator \"%s\" is not supported", name);
		return false;
	}
	*op = operators[i].op;
	if (*op == COMPARE_IS_CHANGED && !in_filter)
	{
		error_at(c, name_node, "operator \"IsChanged\" is not supported here, only in the filters of \"start\"");
		return false;
	}
	return true;
}

/*
 * What can be said of a comparison without running it.
 */
static void
check_right_side(Compiler *c, const DocNode *node, Requirement *requirement)
{
	const Operand *left = requirement->left;
	const Operand *right = requirement->right;
	JsonbValue *literal = right != NULL && right->kind == OPERAND_LITERAL ?
		right->literal : NULL;
	EnumType	type = left->kind == OPERAND_STAGE_STATUS ?
		ENUM_STAGE_STATUS : ENUM_STEP_STATUS;
	int			nlabels = left->kind == OPERAND_STAGE_STATUS ?
		STAGE_SUSPENDED + 1 : STEP_NOT_STARTED + 1;
	int			i;

	if (requirement->op == COMPARE_IS_CHANGED && left->kind != OPERAND_RECORD)
		error_at(c, node, "operator \"IsChanged\" needs a field of $Record on its left side");

	if (requirement->op == COMPARE_IS_NULL ||
		requirement->op == COMPARE_IS_CHANGED)
	{
		if (literal != NULL && literal->type != jbvBool)
		{
			char	   *text = orch_condition_value_text(literal);

			if (literal->type != jbvString ||
				(strcmp(text, "true") != 0 && strcmp(text, "false") != 0))
				error_at(c, node, "operator \"%s\" needs a boolean on its right side",
						 orch_definition_operator_name(requirement->op));
		}
		return;
	}
	if ((left->kind != OPERAND_STEP_STATUS &&
		 left->kind != OPERAND_STAGE_STATUS) || literal == NULL ||
		(requirement->op != COMPARE_EQUAL_TO &&
		 requirement->op != COMPARE_NOT_EQUAL_TO))
		return;
	if (literal->type != jbvString)
	{
		error_at(c, node, "\"%s\" is text and cannot be compared with %s",
				 left->text, orch_condition_value_text(literal));
		return;
	}
	for (i = 0; i < nlabels; i++)
	{
		const char *label = orch_catalog_label(type, i);

		if (literal->val.string.len == (int) strlen(label) &&
			memcmp(literal->val.string.val, label, strlen(label)) == 0)
			return;
	}
	warning_at(c, node, "\"%s\" is never \"%s\"", left->text,
			   orch_condition_value_text(literal));
}

/* ----------------------------------------------------------------- logic */

typedef struct LogicParser
{
	Compiler   *compiler;
	const DocNode *node;
	const char *p;
	int			nconditions;
	bool	   *used;
	bool		failed;			/* and reported */
} LogicParser;

static LogicNode *parse_or(LogicParser *parser);

static LogicNode *
make_logic(LogicParser *parser, LogicKind kind, LogicNode *left, LogicNode *right)
{
	LogicNode  *result = MemoryContextAllocZero(parser->compiler->context,
												sizeof(LogicNode));

	result->kind = kind;
	result->left = left;
	result->right = right;
	return result;
}

static void
logic_failed(LogicParser *parser, const char *expected)
{
	if (!parser->failed)
	{
		if (*parser->p == '\0')
			error_at(parser->compiler, parser->node,
					 "the logic ends where %s should be", expected);
		else
			error_at(parser->compiler, parser->node,
					 "the logic has \"%.*s\" where %s should be",
					 pg_mbcliplen(parser->p, strlen(parser->p), 20), parser->p,
					 expected);
	}
	parser->failed = true;
}

static void
skip_space(LogicParser *parser)
{
	while (isspace((unsigned char) *parser->p))
		parser->p++;
}

/* Take a word, in any case, if it comes next. */
static bool
accept_word(LogicParser *parser, const char *word)
{
	int			length = strlen(word);

	skip_space(parser);
	if (pg_strncasecmp(parser->p, word, length) != 0 ||
		isalpha((unsigned char) parser->p[length]) ||
		parser->p[length] == '_')
		return false;
	parser->p += length;
	return true;
}

static LogicNode *
parse_factor(LogicParser *parser)
{
	LogicNode  *result;

	check_stack_depth();
	if (accept_word(parser, "not"))
	{
		result = parse_factor(parser);
		return parser->failed ? NULL : make_logic(parser, LOGIC_NOT, result, NULL);
	}
	skip_space(parser);
	if (*parser->p == '(')
	{
		parser->p++;
		result = parse_or(parser);
		if (parser->failed)
			return NULL;
		skip_space(parser);
		if (*parser->p != ')')
		{
			logic_failed(parser, "\")\"");
			return NULL;
		}
		parser->p++;
		return result;
	}
	if (isdigit((unsigned char) *parser->p))
	{
		const char *start = parser->p;
		int			number = 0;

		for (; isdigit((unsigned char) *parser->p); parser->p++)
			number = Min(number * 10 + (*parser->p - '0'), 1000000);
		if (number < 1 || number > parser->nconditions)
		{
			if (!parser->failed)
				error_at(parser->compiler, parser->node,
						 "the logic names condition %.*s of %d",
						 (int) Min(parser->p - start, 20), start,
						 parser->nconditions);
			parser->failed = true;
			return NULL;
		}
		parser->used[number - 1] = true;
		result = make_logic(parser, LOGIC_REQUIREMENT, NULL, NULL);
		result->index = number - 1;
		return result;
	}
	logic_failed(parser, "a condition");
	return NULL;
}

static LogicNode *
parse_and(LogicParser *parser)
{
	LogicNode  *result = parse_factor(parser);

	while (!parser->failed && accept_word(parser, "and"))
	{
		LogicNode  *right = parse_factor(parser);

		if (!parser->failed)
			result = make_logic(parser, LOGIC_AND, result, right);
	}
	return result;
}

static LogicNode *
parse_or(LogicParser *parser)
{
	LogicNode  *result = parse_and(parser);

	while (!parser->failed && accept_word(parser, "or"))
	{
		LogicNode  *right = parse_and(parser);

		if (!parser->failed)
			result = make_logic(parser, LOGIC_OR, result, right);
	}
	return result;
}

/* Any of the conditions from first on: a balanced tree, so that it is flat. */
static LogicNode *
any_of(LogicParser *parser, int first, int n)
{
	LogicNode  *result;

	if (n == 1)
	{
		result = make_logic(parser, LOGIC_REQUIREMENT, NULL, NULL);
		result->index = first;
		return result;
	}
	return make_logic(parser, LOGIC_OR, any_of(parser, first, n / 2),
					  any_of(parser, first + n / 2, n - n / 2));
}

/*
 * The logic of conditions: "and", "or" or an expression like 1 AND (2 OR 3),
 * in any case and spacing.  NOT binds tighter than AND, AND tighter than OR.
 * NULL stands for all of them.
 */
static LogicNode *
compile_logic(Compiler *c, const DocNode *node, const char *text, int nconditions)
{
	LogicParser parser = {0};
	LogicNode  *result;
	int			i;

	parser.compiler = c;
	parser.node = node;
	parser.p = text;
	parser.nconditions = nconditions;

	if (accept_word(&parser, "and"))
	{
		skip_space(&parser);
		if (*parser.p == '\0')
			return NULL;
	}
	parser.p = text;
	if (accept_word(&parser, "or"))
	{
		skip_space(&parser);
		if (*parser.p == '\0')
			return any_of(&parser, 0, nconditions);
	}
	parser.p = text;
	if (accept_word(&parser, "formula"))
	{
		error_at(c, node, "condition logic \"formula\" is not supported");
		return NULL;
	}
	parser.p = text;
	if (pg_mbstrlen(text) > MAX_LOGIC_LENGTH)
	{
		error_at(c, node, "the logic is longer than %d characters",
				 MAX_LOGIC_LENGTH);
		return NULL;
	}

	parser.used = palloc0(sizeof(bool) * nconditions);
	result = parse_or(&parser);
	skip_space(&parser);
	if (!parser.failed && *parser.p != '\0')
		logic_failed(&parser, "AND or OR");
	if (parser.failed)
		return NULL;
	for (i = 0; i < nconditions; i++)
		if (!parser.used[i])
		{
			warning_at(c, node, "the logic does not use condition %d", i + 1);
			break;
		}
	pfree(parser.used);
	return result;
}

/* ---------------------------------------------------------------- values */

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
	}
	return operand;
}

/*
 * A value: literal or reference; NULL where there is none.
 */
static Operand *
compile_value(Compiler *c, const DocNode *node, ReferenceUse use)
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
			error_at(c, node, "\"%s\" has both \"%s\" and \"%s\"", node->name,
					 member->name, child->name);
			return NULL;
		}
		member = child;
	}
	if (member == NULL || member->text == NULL || member->kind == DOC_OBJECT)
		return NULL;

	if (is_named(member, "elementReference"))
	{
		text = get_word(node, "elementReference");
		if (text == NULL)
		{
			error_at(c, member, "\"elementReference\" is empty");
			return NULL;
		}
		return compile_reference(c, member, text, use);
	}

	old = MemoryContextSwitchTo(c->context);
	if (is_named(member, "numberValue"))
	{
		v.type = jbvNumeric;
		ok = orch_document_number(member->text, &v.val.numeric);
		text = pstrdup(member->text);
	}
	else if (is_named(member, "booleanValue"))
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
	if (is_named(member, "dateTimeValue") || is_named(member, "dateValue"))
	{
		if (!orch_condition_datetime(member->text, strlen(member->text),
									 &timestamp))
			error_at(c, member, "\"%.*s\" is not a date or date and time in ISO form",
					 pg_mbcliplen(member->text, strlen(member->text), 40),
					 member->text);
		result->is_datetime = true;
	}
	return result;
}

/*
 * Resolve a reference.  The path and text of the result are in the context of
 * the definition.
 */
static Operand *
compile_reference(Compiler *c, const DocNode *node, const char *text,
				  ReferenceUse use)
{
	Operand    *operand;
	List	   *parts = NIL;
	MemoryContext old = MemoryContextSwitchTo(c->context);
	const char *start = text;
	const char *first;
	int			nparts;

	operand = palloc0(sizeof(Operand));
	operand->kind = OPERAND_LITERAL;
	operand->text = pstrdup(text);
	for (;;)
	{
		const char *end = strchr(start, '.');
		int			length = end != NULL ? end - start : (int) strlen(start);

		parts = lappend(parts, pnstrdup(start, length));
		if (length == 0)
		{
			MemoryContextSwitchTo(old);
			error_at(c, node, "\"%s\" is not a reference", text);
			return operand;
		}
		if (end == NULL)
			break;
		start = end + 1;
	}
	MemoryContextSwitchTo(old);
	first = linitial(parts);
	nparts = list_length(parts);

	if (strcmp(first, "$Record") == 0 || strcmp(first, "$Record__Prior") == 0)
	{
		ListCell   *cell;

		operand->kind = OPERAND_RECORD;
		if (strcmp(first, "$Record__Prior") == 0)
		{
			operand->kind = OPERAND_RECORD_PRIOR;
			if (use != USE_FILTER && !c->free_references)
				error_at(c, node, "reference \"%s\" is not supported: $Record__Prior is known only in the filters of \"start\"",
						 text);
		}
		operand->path = list_delete_first(parts);
		/* Owner:User: the type in a polymorphic relationship is no part of it */
		foreach(cell, operand->path)
		{
			char	   *colon = strchr(lfirst(cell), ':');

			if (colon != NULL && colon != (char *) lfirst(cell))
				*colon = '\0';
		}
		return operand;
	}
	if (c->free_references)
	{
		/* resolved by its text */
		operand->kind = OPERAND_VARIABLE;
		operand->index = -1;
		return operand;
	}
	if (*first != '$')
	{
		compile_named_reference(c, node, operand, parts, use);
		return operand;
	}

	if (strcmp(first, "$User") == 0)
	{
		operand->kind = OPERAND_USER;
		operand->path = list_delete_first(parts);
		if (nparts != 2)
			error_at(c, node, "reference \"%s\" is not supported: $User is followed by one field",
					 text);
	}
	else if (strcmp(text, "$Flow.CurrentDateTime") == 0)
	{
		operand->kind = OPERAND_CURRENT_DATETIME;
		operand->is_datetime = true;
	}
	else if (strcmp(text, "$Flow.InterviewGuid") == 0 && use == USE_RUN)
		operand->kind = OPERAND_INTERVIEW_GUID;
	else if (strcmp(text, "$Orchestration.Instance") == 0 && use == USE_RUN)
		operand->kind = OPERAND_RUN_ID;
	else
		error_at(c, node, "reference \"%s\" is not supported%s", text,
				 use == USE_RUN ? "" : " here");
	return operand;
}

/*
 * A reference that begins with a name of the definition's own.
 */
static void
compile_named_reference(Compiler *c, const DocNode *node, Operand *operand,
						List *parts, ReferenceUse use)
{
	const char *first = linitial(parts);
	int			nparts = list_length(parts);
	const char *second = nparts > 1 ? lsecond(parts) : NULL;
	NameEntry  *entry = find_name(c->def, first);
	const VariableDef *variable;
	const Operand *constant;

	if (entry == NULL)
	{
		stale_at(c, node, operand->text, "reference \"%s\" names nothing",
				 operand->text);
		return;
	}
	if (use != USE_RUN && entry->kind != NAME_CONSTANT &&
		entry->kind != NAME_UNSUPPORTED)
	{
		error_at(c, node, "reference \"%s\" is %s, which has no value yet when a run starts",
				 operand->text, name_kinds[entry->kind]);
		return;
	}

	operand->index = entry->index;
	switch (entry->kind)
	{
		case NAME_STAGE:
			if (nparts != 2 || strcmp(second, "Status") != 0)
				error_at(c, node, "reference \"%s\" is not supported: of a stage only its Status can be read",
						 operand->text);
			operand->kind = OPERAND_STAGE_STATUS;
			break;
		case NAME_STEP:
			if (nparts == 2 && strcmp(second, "Status") == 0)
				operand->kind = OPERAND_STEP_STATUS;
			else if (nparts > 2 && strcmp(second, "Outputs") == 0)
			{
				operand->kind = OPERAND_STEP_OUTPUT;
				operand->path = list_delete_first(list_delete_first(parts));
			}
			else
				error_at(c, node, "reference \"%s\" is not supported: of a step only its Status and Outputs.<name> can be read",
						 operand->text);
			break;
		case NAME_OUTCOME:
			if (nparts != 1)
				error_at(c, node, "reference \"%s\" is not supported: an outcome has no fields",
						 operand->text);
			operand->kind = OPERAND_OUTCOME;
			break;
		case NAME_CONSTANT:
			constant = c->constants[entry->index];
			if (nparts != 1)
				error_at(c, node, "reference \"%s\" is not supported: a constant has no fields",
						 operand->text);
			operand->kind = OPERAND_LITERAL;
			if (constant != NULL)
			{
				operand->literal = constant->literal;
				operand->is_datetime = constant->is_datetime;
			}
			break;
		case NAME_VARIABLE:
			variable = &c->def->variables[entry->index];
			operand->kind = OPERAND_VARIABLE;
			operand->path = list_delete_first(parts);
			if (nparts > 1 && variable->type != VARIABLE_RECORD)
				error_at(c, node, "reference \"%s\" is not supported: variable \"%s\" is no record and has no fields",
						 operand->text, first);
			operand->is_datetime = nparts == 1 &&
				(variable->type == VARIABLE_DATE ||
				 variable->type == VARIABLE_DATETIME);
			break;
		case NAME_DECISION:
		case NAME_ASSIGNMENT:
			error_at(c, node, "reference \"%s\" is not supported: %s has no value",
					 operand->text, name_kinds[entry->kind]);
			break;
		case NAME_UNSUPPORTED:
			break;				/* the element itself was refused */
	}
}

static Connector
compile_connector(Compiler *c, const DocNode *parent, const char *name)
{
	Connector	result = {ELEMENT_END, 0};
	const DocNode *node = orch_document_child(parent, name);
	char	   *target;
	NameEntry  *entry;

	if (node == NULL || node->kind == DOC_NIL)
		return result;
	target = get_word(node, "targetReference");
	if (target == NULL)
	{
		if (get_text(node, "targetReference") != NULL)
			error_at(c, node, "\"targetReference\" is empty");
		return result;			/* otherwise reported */
	}
	node = orch_document_child(node, "targetReference");
	entry = find_name(c->def, target);
	if (entry == NULL)
	{
		error_at(c, node, "the connector leads to \"%s\", which does not exist",
				 target);
		return result;
	}
	result.index = entry->index;
	switch (entry->kind)
	{
		case NAME_STAGE:
			result.kind = ELEMENT_STAGE;
			break;
		case NAME_DECISION:
			result.kind = ELEMENT_DECISION;
			break;
		case NAME_ASSIGNMENT:
			result.kind = ELEMENT_ASSIGNMENT;
			break;
		case NAME_UNSUPPORTED:
			break;				/* the element itself was refused */
		default:
			error_at(c, node, "the connector leads to \"%s\", which is %s",
					 target, name_kinds[entry->kind]);
	}
	return result;
}

/* ------------------------------------------------------------- the graph */

/*
 * Steps that wait for each other in a circle never start, and keep their
 * stage open for ever.  A depth-first walk with a stack of its own.
 */
static void
check_entry_cycles(Compiler *c, const DocNode *root)
{
	enum
	{
		UNSEEN, ON_PATH, DONE
	};
	Definition *def = c->def;
	const DocNode *stage_node;
	const DocNode **nodes;
	char	   *state;
	int		   *path;			/* steps, from the one begun with */
	int		   *edge;			/* next after[] of each of them */
	int			i = 0;

	if (def->nsteps == 0)
		return;
	nodes = palloc_extended(sizeof(DocNode *) * def->nsteps, MCXT_ALLOC_HUGE);
	state = palloc0(def->nsteps);
	path = palloc_extended(sizeof(int) * def->nsteps, MCXT_ALLOC_HUGE);
	edge = palloc_extended(sizeof(int) * def->nsteps, MCXT_ALLOC_HUGE);
	for (stage_node = root->first_child; stage_node != NULL;
		 stage_node = stage_node->next)
	{
		const DocNode *node;

		if (!is_named(stage_node, "orchestratedStages"))
			continue;
		for (node = stage_node->first_child; node != NULL; node = node->next)
			if (is_named(node, "stageSteps"))
				nodes[i++] = node;
	}

	for (i = 0; i < def->nsteps; i++)
	{
		int			depth = 0;

		if (state[i] != UNSEEN)
			continue;
		path[0] = i;
		edge[0] = 0;
		state[i] = ON_PATH;
		while (depth >= 0)
		{
			StepDef    *step = &def->steps[path[depth]];
			int			next;

			CHECK_FOR_INTERRUPTS();
			if (edge[depth] == step->nafter)
			{
				state[path[depth--]] = DONE;
				continue;
			}
			next = step->after[edge[depth]++];
			if (state[next] == UNSEEN)
			{
				depth++;
				path[depth] = next;
				edge[depth] = 0;
				state[next] = ON_PATH;
			}
			else if (state[next] == ON_PATH)
			{
				StringInfoData text;
				int			first = depth;
				int			j;

				while (path[first] != next)
					first--;
				initStringInfo(&text);
				for (j = first; j <= depth && j < first + MAX_SHOWN_CYCLE; j++)
					appendStringInfo(&text, "\"%s\" after ",
									 def->steps[path[j]].name);
				if (j <= depth)
					appendStringInfoString(&text, "... after ");
				appendStringInfo(&text, "\"%s\"", def->steps[next].name);
				error_at(c, nodes[next],
						 "circular entry conditions: step %s", text.data);
				pfree(text.data);
			}
		}
	}
	pfree(nodes);
	pfree(state);
	pfree(path);
	pfree(edge);
}

/*
 * Note elements that no path from the start leads to.
 */
static void
check_reachable(Compiler *c, const DocNode *root)
{
	Definition *def = c->def;
	int			total = def->nstages + def->ndecisions + def->nassignments;
	const DocNode *node;
	bool	   *seen;
	Connector  *todo;
	int			ntodo = 0;
	int			nstages = 0;
	int			ndecisions = 0;
	int			nassignments = 0;

	if (total == 0)
		return;
	if (def->start.kind == ELEMENT_END)
	{
		warning_at(c, root, "nothing is reached: \"start\" has no connector");
		return;
	}

	/* every element once, and every connector of it */
	seen = palloc0(total);
	todo = palloc_extended(sizeof(Connector) *
						   (total * 2 + def->noutcomes + 1), MCXT_ALLOC_HUGE);
	todo[ntodo++] = def->start;
	while (ntodo > 0)
	{
		Connector	at = todo[--ntodo];
		int			position = at.index;
		int			i;

		CHECK_FOR_INTERRUPTS();
		if (at.kind == ELEMENT_END)
			continue;
		if (at.kind == ELEMENT_DECISION)
			position += def->nstages;
		else if (at.kind == ELEMENT_ASSIGNMENT)
			position += def->nstages + def->ndecisions;
		if (seen[position])
			continue;
		seen[position] = true;
		switch (at.kind)
		{
			case ELEMENT_STAGE:
				todo[ntodo++] = def->stages[at.index].connector;
				break;
			case ELEMENT_ASSIGNMENT:
				todo[ntodo++] = def->assignments[at.index].connector;
				break;
			case ELEMENT_DECISION:
				todo[ntodo++] = def->decisions[at.index].default_connector;
				for (i = 0; i < def->decisions[at.index].noutcomes; i++)
					todo[ntodo++] = def->outcomes[def->decisions[at.index].first_outcome + i].connector;
				break;
			case ELEMENT_END:
				break;
		}
	}

	for (node = root->first_child; node != NULL; node = node->next)
	{
		int			position = -1;

		if (is_named(node, "orchestratedStages"))
			position = nstages++;
		else if (is_named(node, "decisions"))
			position = def->nstages + ndecisions++;
		else if (is_named(node, "assignments"))
			position = def->nstages + def->ndecisions + nassignments++;
		if (position >= 0 && !seen[position])
			warning_at(c, node, "no path from the start leads here");
	}
	pfree(seen);
	pfree(todo);
}
