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
 * Values, references and conditions are in definition_value.c.
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
#define MAX_SHOWN_PROBLEMS		100
#define MAX_SHOWN_CYCLE			10

const char *const orch_definition_name_kinds[] = {
	[NAME_STAGE] = "a stage",
	[NAME_STEP] = "a step",
	[NAME_DECISION] = "a decision",
	[NAME_OUTCOME] = "an outcome",
	[NAME_ASSIGNMENT] = "an assignment",
	[NAME_VARIABLE] = "a variable",
	[NAME_CONSTANT] = "a constant",
	[NAME_UNSUPPORTED] = "an unsupported element"
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

static HTAB *make_names(MemoryContext context);
static bool check_value_type(Compiler *c, const DocNode *node);
static bool get_boolean(const DocNode *node, const char *name);
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

void
orch_definition_problem(Compiler *c, ProblemSeverity severity, const DocNode *node,
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

NameEntry *
orch_definition_find_name(const Definition *def, const char *name)
{
	return hash_search(def->names, &name, HASH_FIND, NULL);
}

int
orch_definition_stage_index(const Definition *def, const char *name)
{
	NameEntry  *entry = orch_definition_find_name(def, name);

	return entry != NULL && entry->kind == NAME_STAGE ? entry->index : -1;
}

int
orch_definition_step_index(const Definition *def, const char *name)
{
	NameEntry  *entry = orch_definition_find_name(def, name);

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
	orch_definition_check_structure(&c, root, SHAPE_FLOW);
	declare_names(&c, root);

	def->label = MemoryContextStrdup(context, orch_definition_text(root, "label") != NULL ?
									 orch_definition_text(root, "label") : "");

	/* variables first: their types matter to the rest; constants among them */
	for (child = root->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "constants"))
			compile_variable(&c, child, nvariables++);
	for (child = root->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "variables"))
			compile_variable(&c, child, nvariables++);

	for (child = root->first_child; child != NULL; child = child->next)
	{
		CHECK_FOR_INTERRUPTS();
		if (orch_definition_is_named(child, "orchestratedStages"))
			compile_stage(&c, child, nstages++, &nsteps);
		else if (orch_definition_is_named(child, "decisions"))
			compile_decision(&c, child, ndecisions++, &noutcomes);
		else if (orch_definition_is_named(child, "assignments"))
			compile_assignment(&c, child, &def->assignments[nassignments++]);
		else if (orch_definition_is_named(child, "start"))
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

/* --------------------------------------------------------- the structure */

/*
 * Hold a node and everything below it against the format table.
 */
void
orch_definition_check_structure(Compiler *c, const DocNode *node, DocShape shape)
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
					(child->index > 0 && orch_definition_word(child, "name") == NULL))
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
					element->type == DOC_TYPE_OBJECT &&
					element->shape != SHAPE_OTHER)
					orch_definition_check_structure(c, child, element->shape);
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
const char *
orch_definition_text(const DocNode *node, const char *name)
{
	const DocNode *child = orch_document_child(node, name);

	return child != NULL && child->kind == DOC_TEXT ? child->text : NULL;
}

/*
 * The same without white space around it: names, references, keywords.  NULL
 * also when nothing is left.
 */
char *
orch_definition_word(const DocNode *node, const char *name)
{
	const char *text = orch_definition_text(node, name);
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
bool
orch_definition_is_named(const DocNode *node, const char *name)
{
	return node->element != NULL && strcmp(node->name, name) == 0;
}

/*
 * Label or description: there when required, not too long.
 */
static char *
compile_label(Compiler *c, const DocNode *node, const char *name, int limit)
{
	const char *text = orch_definition_text(node, name);

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

	word = orch_definition_word(root, "processType");
	if (word != NULL && strcmp(word, "Orchestrator") != 0)
		error_at(c, orch_document_child(root, "processType"),
				 "processType \"%s\" is not supported, only Orchestrator is",
				 word);

	word = orch_definition_word(root, "runInMode");
	if (word != NULL && strcmp(word, "DefaultMode") != 0 &&
		strcmp(word, "SystemModeWithoutSharing") != 0)
		error_at(c, orch_document_child(root, "runInMode"),
				 "runInMode \"%s\" is not supported, only DefaultMode and SystemModeWithoutSharing are",
				 word);

	word = orch_definition_word(root, "fullName");
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
		if (orch_definition_is_named(child, "orchestratedStages"))
		{
			def->nstages++;
			for (inner = child->first_child; inner != NULL; inner = inner->next)
				if (orch_definition_is_named(inner, "stageSteps"))
					def->nsteps++;
		}
		else if (orch_definition_is_named(child, "decisions"))
		{
			def->ndecisions++;
			for (inner = child->first_child; inner != NULL; inner = inner->next)
				if (orch_definition_is_named(inner, "rules"))
					def->noutcomes++;
		}
		else if (orch_definition_is_named(child, "assignments"))
			def->nassignments++;
		else if (orch_definition_is_named(child, "variables") || orch_definition_is_named(child, "constants"))
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
		if (orch_definition_is_named(child, "constants"))
		{
			def->variables[i].name = declare_name(c, child, NAME_CONSTANT, i);
			i++;
		}
	for (child = root->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "variables"))
		{
			def->variables[i].name = declare_name(c, child, NAME_VARIABLE, i);
			i++;
		}

	def->nstages = def->nsteps = def->ndecisions = def->noutcomes =
		def->nassignments = 0;
	for (child = root->first_child; child != NULL; child = child->next)
	{
		if (orch_definition_is_named(child, "orchestratedStages"))
		{
			i = def->nstages++;
			def->stages[i].name = declare_name(c, child, NAME_STAGE, i);
			for (inner = child->first_child; inner != NULL; inner = inner->next)
				if (orch_definition_is_named(inner, "stageSteps"))
				{
					int			step = def->nsteps++;

					def->steps[step].name = declare_name(c, inner, NAME_STEP,
														 step);
					def->steps[step].stage = i;
				}
		}
		else if (orch_definition_is_named(child, "decisions"))
		{
			i = def->ndecisions++;
			def->decisions[i].name = declare_name(c, child, NAME_DECISION, i);
			for (inner = child->first_child; inner != NULL; inner = inner->next)
				if (orch_definition_is_named(inner, "rules"))
				{
					int			outcome = def->noutcomes++;

					def->outcomes[outcome].name = declare_name(c, inner,
															   NAME_OUTCOME,
															   outcome);
				}
		}
		else if (orch_definition_is_named(child, "assignments"))
		{
			i = def->nassignments++;
			def->assignments[i].name = declare_name(c, child, NAME_ASSIGNMENT,
													i);
		}
		else if (child->element != NULL && child->element->treatment == DOC_REFUSE &&
				 child->element->shape == SHAPE_OTHER && orch_definition_word(child, "name") != NULL)
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
	char	   *word = orch_definition_word(node, "name");
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
				 orch_definition_name_kinds[entry->kind]);
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
	char	   *object = orch_definition_word(node, "object");
	char	   *trigger_type = orch_definition_word(node, "triggerType");
	char	   *record_trigger = orch_definition_word(node, "recordTriggerType");
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
	def->filters = orch_definition_compile_condition_list(c, node, "filters", "filterLogic",
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
		if (orch_definition_is_named(child, "stageSteps"))
			compile_step(c, child, &c->def->steps[(*step_index)++], index);
	stage->nsteps = *step_index - stage->first_step;
}

static void
compile_step(Compiler *c, const DocNode *node, StepDef *step, int stage)
{
	char	   *action_type = orch_definition_word(node, "actionType");
	char	   *action_name = orch_definition_word(node, "actionName");
	char	   *subtype = orch_definition_word(node, "stepSubtype");
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
		if (orch_definition_text(node, "actionType") != NULL)
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
		if (orch_definition_text(node, "actionName") != NULL)
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
	const char *logic = orch_definition_text(node, "entryConditionLogic");
	int			n = 0;

	for (child = node->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "entryConditions") && child->kind != DOC_NIL)
			n++;
	if (n == 0)
		return;
	step->after = MemoryContextAlloc(c->context, sizeof(int) * n);

	if (logic != NULL && n > 0)
	{
		int			errors_before = c->problems->nerrors;
		const DocNode *logic_node = orch_document_child(node, "entryConditionLogic");
		LogicNode  *tree = orch_definition_compile_logic(c, logic_node, logic, n);

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

		if (!orch_definition_is_named(child, "entryConditions") || child->kind != DOC_OBJECT)
			continue;
		left = orch_definition_word(child, "leftValueReference");
		op = orch_definition_word(child, "operator");
		if (left == NULL || op == NULL)
			continue;			/* reported */
		right_node = orch_document_child(child, "rightValue");
		right = right_node != NULL ? orch_definition_word(right_node, "stringValue") : NULL;
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
		entry = orch_definition_find_name(c->def, left);
		if (entry == NULL)
		{
			*dot = '.';
			stale_at(c, child, left, "reference \"%s\" names nothing, so the version cannot be activated", left);
			continue;
		}
		if (entry->kind != NAME_STEP)
		{
			error_at(c, child,
					 "entry condition on \"%s\", which is %s: only steps of the same stage can be waited for",
					 left, orch_definition_name_kinds[entry->kind]);
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
	int			result = strcmp(orch_definition_text(left, "name"), orch_definition_text(right, "name"));

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
		if (orch_definition_is_named(child, "inputParameters"))
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

		if (!orch_definition_is_named(child, "inputParameters"))
			continue;
		name = orch_definition_word(child, "name");
		if (name == NULL)
		{
			if (orch_definition_text(child, "name") != NULL)
				error_at(c, child, "\"name\" is empty");
			continue;
		}
		named[n++] = child;
		value = orch_definition_compile_value(c, orch_document_child(child, "value"), USE_RUN);
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
		if (strcmp(orch_definition_text(named[i - 1], "name"), orch_definition_text(named[i], "name")) == 0)
			error_at(c, named[i], "input parameter \"%s\" occurs more than once",
					 orch_definition_text(named[i], "name"));
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
		if (orch_definition_is_named(child, "assignees"))
		{
			error_at(c, child, "more than one assignee");
			break;
		}

	type = orch_definition_word(assignee, "assigneeType");
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
	step->assignee = orch_definition_compile_value(c, value, USE_RUN);
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

		if (!orch_definition_is_named(child, "rules"))
			continue;
		outcome = &c->def->outcomes[(*outcome_index)++];
		outcome->label = compile_label(c, child, "label", MAX_NAME_LENGTH);
		if (outcome->label == NULL)
			outcome->label = MemoryContextStrdup(c->context, outcome->name);
		outcome->decision = index;
		outcome->conditions = orch_definition_compile_condition_list(c, child, "conditions",
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
		if (orch_definition_is_named(child, "assignmentItems"))
			n++;
	assignment->items = MemoryContextAllocZero(c->context,
											   sizeof(AssignItem) * Max(n, 1));
	for (child = node->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "assignmentItems"))
			compile_assign_item(c, child,
								&assignment->items[assignment->nitems++]);
	assignment->connector = compile_connector(c, node, "connector");
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

	item->value = orch_definition_compile_value(c, orch_document_child(node, "value"), USE_RUN);

	if (target != NULL)
	{
		entry = orch_definition_find_name(c->def, target);
		if (entry != NULL && entry->kind == NAME_VARIABLE)
		{
			item->variable = entry->index;
			variable = &c->def->variables[entry->index];
		}
		else if (entry != NULL)
			error_at(c, target_node,
					 "\"%s\" cannot be assigned to: it is %s, not a variable",
					 target, orch_definition_name_kinds[entry->kind]);
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
	char	   *type = orch_definition_word(node, "dataType");
	int			i;

	variable->is_constant = orch_definition_is_named(node, "constants");
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
	Operand    *operand = orch_definition_compile_value(c, value, USE_DEFAULT);
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

static Connector
compile_connector(Compiler *c, const DocNode *parent, const char *name)
{
	Connector	result = {ELEMENT_END, 0};
	const DocNode *node = orch_document_child(parent, name);
	char	   *target;
	NameEntry  *entry;

	if (node == NULL || node->kind == DOC_NIL)
		return result;
	target = orch_definition_word(node, "targetReference");
	if (target == NULL)
	{
		if (orch_definition_text(node, "targetReference") != NULL)
			error_at(c, node, "\"targetReference\" is empty");
		return result;			/* otherwise reported */
	}
	node = orch_document_child(node, "targetReference");
	entry = orch_definition_find_name(c->def, target);
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
					 target, orch_definition_name_kinds[entry->kind]);
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

		if (!orch_definition_is_named(stage_node, "orchestratedStages"))
			continue;
		for (node = stage_node->first_child; node != NULL; node = node->next)
			if (orch_definition_is_named(node, "stageSteps"))
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

		if (orch_definition_is_named(node, "orchestratedStages"))
			position = nstages++;
		else if (orch_definition_is_named(node, "decisions"))
			position = def->nstages + ndecisions++;
		else if (orch_definition_is_named(node, "assignments"))
			position = def->nstages + def->ndecisions + nassignments++;
		if (position >= 0 && !seen[position])
			warning_at(c, node, "no path from the start leads here");
	}
	pfree(seen);
	pfree(todo);
}
