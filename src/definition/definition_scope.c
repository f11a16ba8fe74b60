/*-------------------------------------------------------------------------
 *
 * definition_scope.c
 *	  What the files of the compiler share: problems, names, and the reading of
 *	  elements.
 *
 * Every pass reports problems here and looks names up here.  This file calls no pass, so
 * that no pass depends on another.
 *
 * Names are hashed: a definition may have ten thousand steps.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_scope.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "definition/definition_int.h"

#define MAX_SHOWN_PROBLEMS		100
#define MAX_MESSAGE_LENGTH		1000	/* in bytes: there may be many messages */

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

/*
 * Reports a problem of an element; reference: see Problem.
 */
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

void
orch_definition_sort_problems(ProblemList *list)
{
	qsort(list->problems, list->nproblems, sizeof(Problem), compare_problems);
}

/*
 * The problems up to a severity, for the detail of an error: one a line, and how many
 * more there are.
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

/*
 * The table of a definition's names, in its context.
 */
HTAB *
orch_definition_make_names(MemoryContext context)
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

/*
 * Reads an element's name and enters it into the table of names.  Returns "" if the
 * element has no usable name.
 */
char *
orch_definition_declare_name(Compiler *c, const DocNode *node, NameKind kind, int index)
{
	const DocNode *name_node = orch_document_child(node, "name");
	char	   *word = orch_definition_word(node, "name");
	char	   *name;
	NameEntry  *entry;
	bool		found;

	CHECK_FOR_INTERRUPTS();
	if (word == NULL)
		return MemoryContextStrdup(c->context, ""); /* reported */
	if (kind != NAME_UNSUPPORTED && !orch_definition_is_api_name(word))
		error_at(c, name_node,
				 "\"%.*s\" is not an API name: letters, digits and single underscores, a letter first",
				 pg_mbcliplen(word, strlen(word), MAX_API_NAME_LENGTH), word);
	name = MemoryContextStrdup(c->context, word);
	entry = hash_search(c->def->names, &name, HASH_ENTER, &found);
	if (found)
	{
		error_at(c, name_node, "the name \"%.*s\" is already that of %s",
				 pg_mbcliplen(name, strlen(name), MAX_API_NAME_LENGTH), name,
				 orch_definition_name_kinds[entry->kind]);
		return name;
	}
	entry->kind = kind;
	entry->index = index;
	entry->visit = -1;
	return name;
}

/*
 * Does a name follow the rules of API names?  Letters, digits and underscores, a
 * letter first, no underscore last and no two together.
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

/*
 * Where a connector leads; ELEMENT_END if the element has none.
 */
Connector
orch_definition_compile_connector(Compiler *c, const DocNode *parent, const char *name)
{
	Connector	end = {ELEMENT_END, 0};
	const DocNode *node = orch_document_child(parent, name);

	if (node == NULL || node->kind == DOC_NIL)
		return end;
	return orch_definition_compile_target(c, node, "targetReference");
}

/*
 * The element that a child names, as the end of a connector.
 */
Connector
orch_definition_compile_target(Compiler *c, const DocNode *parent, const char *name)
{
	Connector	result = {ELEMENT_END, 0};
	const DocNode *node;
	char	   *target = orch_definition_word(parent, name);
	NameEntry  *entry;

	if (target == NULL)
		return result;			/* reported */
	node = orch_document_child(parent, name);
	entry = orch_definition_find_name(c->def, target);
	if (entry == NULL)
	{
		error_at(c, node, "the connector leads to \"%.*s\", which does not exist",
				 pg_mbcliplen(target, strlen(target), MAX_API_NAME_LENGTH), target);
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
		case NAME_LOOKUP:
			result.kind = ELEMENT_LOOKUP;
			break;
		case NAME_UNSUPPORTED:
			break;				/* the element itself was refused */
		default:
			error_at(c, node, "the connector leads to \"%s\", which is %s",
					 target, orch_definition_name_kinds[entry->kind]);
	}
	return result;
}

/* ------------------------------------------------------------- elements */

/* Is a node this element of the format? */
bool
orch_definition_is_named(const DocNode *node, const char *name)
{
	return node->element != NULL && strcmp(node->name, name) == 0;
}

/*
 * The text of a child; NULL if there is no such child, or it is not text.
 */
const char *
orch_definition_text(const DocNode *node, const char *name)
{
	const DocNode *child = orch_document_child(node, name);

	return child != NULL && child->kind == DOC_TEXT ? child->text : NULL;
}

/*
 * The same without white space around it, for names, references and keywords.  NULL also
 * for a text of white space alone.
 */
char *
orch_definition_word(const DocNode *node, const char *name)
{
	const char *text = orch_definition_text(node, name);
	int			length;

	if (text == NULL)
		return NULL;
	text = orch_document_trim(text, &length);
	return length > 0 ? pnstrdup(text, length) : NULL;
}

/* The value of a boolean element; false if it is absent. */
bool
orch_definition_boolean(const DocNode *node, const char *name)
{
	const DocNode *child = orch_document_child(node, name);
	bool		result;

	if (child == NULL ||
		(child->kind != DOC_BOOLEAN && child->kind != DOC_TEXT))
		return false;
	return orch_document_boolean(child->text, &result) && result;
}

/*
 * Reads a whole number in a range, also where it is the numberValue of an object.  Returns
 * false if the element is absent or no such number.  A number out of range is reported
 * here; other values have been reported by the check of the document's structure.
 */
bool
orch_definition_integer(Compiler *c, const DocNode *node, int least, int most, int *value)
{
	Numeric		number;

	if (node != NULL && node->kind == DOC_OBJECT)
	{
		const DocNode *child = orch_document_child(node, "numberValue");

		if (child == NULL)
			error_at(c, node, "\"%s\" must be a number", node->name);
		node = child;
	}
	if (node == NULL || node->text == NULL ||
		(node->kind != DOC_NUMBER && !(node->kind == DOC_TEXT && node->is_xml)))
		return false;
	if (orch_document_number(node->text, &number))
	{
		if (orch_document_is_whole(number) && orch_document_is_within(number, least, most))
		{
			*value = DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(number)));
			return true;
		}
	}
	else if (node->kind == DOC_TEXT)
		return false;
	error_at(c, node, "\"%s\" must be a whole number from %d to %d", node->name, least, most);
	return false;
}
