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
 * The third pass is in definition_element.c, with values, references and
 * conditions in definition_value.c and the graphs in definition_graph.c.
 *
 * Reads no table.  The definition is made in the caller's context, everything
 * else in the current one.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_compile.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "definition/definition_int.h"

#define MAX_SHOWN_PROBLEMS		100
#define MAX_MESSAGE_LENGTH		1000	/* bytes: there may be many */

const char *const orch_definition_name_kinds[] = {
	[NAME_STAGE] = "a stage",
	[NAME_STEP] = "a step",
	[NAME_DECISION] = "a decision",
	[NAME_OUTCOME] = "an outcome",
	[NAME_ASSIGNMENT] = "an assignment",
	[NAME_VARIABLE] = "a variable",
	[NAME_CONSTANT] = "a constant",
	[NAME_FORMULA] = "a formula",
	[NAME_TEMPLATE] = "a text template",
	[NAME_LOOKUP] = "a record lookup",
	[NAME_UNSUPPORTED] = "an unsupported element"
};

static const char *const definition_kinds[] = {
	[DEFINITION_ORCHESTRATOR] = "Orchestrator",
	[DEFINITION_APPROVAL] = "ApprovalWorkflow",
	[DEFINITION_EVALUATION] = "EvaluationFlow"
};

static HTAB *make_names(MemoryContext context);
static bool check_value_type(Compiler *c, const DocNode *node);
static void check_flow(Compiler *c, const DocNode *root);
static void declare_names(Compiler *c, const DocNode *root);
static char *declare_name(Compiler *c, const DocNode *node, NameKind kind,
						  int index);
static void check_evaluation(Compiler *c, const DocNode *root);

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
	p->message = pnstrdup(message,
						  pg_mbcliplen(message, strlen(message), MAX_MESSAGE_LENGTH));
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

	CHECK_FOR_INTERRUPTS();
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
orch_definition_problem(Compiler *c, ProblemSeverity severity,
						const DocNode *node, const char *reference,
						const char *format,...)
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

int
orch_definition_variable_index(const Definition *def, const char *name)
{
	NameEntry  *entry = orch_definition_find_name(def, name);

	return entry != NULL && entry->kind == NAME_VARIABLE ? entry->index : -1;
}

int
orch_definition_outcome_index(const Definition *def, const char *name)
{
	NameEntry  *entry = orch_definition_find_name(def, name);

	return entry != NULL && entry->kind == NAME_OUTCOME ? entry->index : -1;
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

/* ------------------------------------------------------- entry points */

Definition *
orch_definition_compile(const DocNode *root, MemoryContext context,
						ProblemList *problems)
{
	Compiler	c = {0};
	Definition *def = MemoryContextAllocZero(context, sizeof(Definition));
	const char *label;

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

	label = orch_definition_text(root, "label");
	def->label = MemoryContextStrdup(context, label != NULL ? label : "");

	orch_definition_compile_elements(&c, root);
	if (def->kind == DEFINITION_EVALUATION)
		check_evaluation(&c, root);
	qsort(problems->problems, problems->nproblems, sizeof(Problem),
		  compare_problems);
	return def;
}

/* --------------------------------------------------------- the structure */

/*
 * Hold a node and everything below it against the format table.
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
			if (child->index == 0)
				warning_at(c, child,
						   "unknown element \"%.*s\" is kept and has no effect",
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
					(child->index > 0 &&
					 orch_definition_word(child, "name") == NULL))
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

/* Is it that element, and something to look into? */
bool
orch_definition_is_named(const DocNode *node, const char *name)
{
	return node->element != NULL && strcmp(node->name, name) == 0;
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
				 "processType \"%s\" is not supported, only Orchestrator, ApprovalWorkflow and EvaluationFlow are",
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

/*
 * An evaluation flow answers with its one output.
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
		def->nassignments = def->nformulas = def->ntemplates = def->nlookups = 0;
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
		else if (orch_definition_is_named(child, "formulas"))
		{
			i = def->nformulas++;
			def->formulas[i].name = declare_name(c, child, NAME_FORMULA, i);
		}
		else if (orch_definition_is_named(child, "textTemplates"))
		{
			i = def->ntemplates++;
			def->templates[i].name = declare_name(c, child, NAME_TEMPLATE, i);
		}
		else if (orch_definition_is_named(child, "recordLookups"))
		{
			i = def->nlookups++;
			def->lookups[i].name = declare_name(c, child, NAME_LOOKUP, i);
		}
		else if (child->element != NULL &&
				 child->element->treatment == DOC_REFUSE &&
				 child->element->shape == SHAPE_OTHER &&
				 orch_definition_word(child, "name") != NULL)
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
