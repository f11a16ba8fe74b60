/*-------------------------------------------------------------------------
 *
 * definition_text.c
 *	  Orchestration documents that are given as text.
 *
 * Drivers pass a document as text or without a type, and the parser then chooses the
 * functions with a parameter of type text.  The first character tells the notations apart:
 * JSON begins with {, XML with <.  White space and a byte order mark before it do not count,
 * and do not change the numbers of lines in messages.
 *
 * Text is also the only form of JSON in which a member that occurs twice can be seen: jsonb
 * keeps the last one.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_text.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/errors.h"
#include "definition/definition_int.h"

#define BYTE_ORDER_MARK		"\xEF\xBB\xBF"
#define MAX_SHOWN_START		20

/* An object or array of the text, and where it is in the one around it. */
typedef struct TextContainer
{
	struct TextContainer *parent;	/* NULL: the document */
	bool		is_array;
	int			number;			/* in the order of their beginnings */
	const char *key;			/* in an object */
	int			index;			/* in an array */
	const char *current_key;	/* of the member that is being read */
	int			current_index;
} TextContainer;

/* A member of an object. */
typedef struct TextMember
{
	TextContainer *object;
	const char *key;
	int			line;
	int			order;
} TextMember;

typedef struct MemberList
{
	JsonLexContext *lexer;
	TextContainer *current;
	int			ncontainers;
	TextMember *	members;
	int			nmembers;
	int			allocated;
} MemberList;

static void refuse_text(const char *start) pg_attribute_noreturn();
static const char *skip_space(const char *text, int *newlines);
static char *xml_text(const char *start, int newlines);
static void find_twice(const char *json, ProblemList *problems);
static void begin_container(MemberList *list, bool is_array);
static OrchCompatJsonResult object_begins(void *state);
static OrchCompatJsonResult array_begins(void *state);
static OrchCompatJsonResult container_ends(void *state);
static OrchCompatJsonResult member_begins(void *state, char *key, bool isnull);
static OrchCompatJsonResult element_begins(void *state, bool isnull);
static int	compare_members(const void *a, const void *b);
static char *place_of(const TextMember *member);

void
orch_definition_read_text(const text *source, TextDocument *result)
{
	char	   *string = text_to_cstring(source);
	int			newlines;
	const char *start = skip_space(string, &newlines);
	char	   *p;

	memset(result, 0, sizeof(TextDocument));
	if (*start == '<')
	{
		result->xml = PointerGetDatum(cstring_to_text(xml_text(start, newlines)));
		result->root = orch_document_from_xml((xmltype *) DatumGetPointer(result->xml));
	}
	else if (*start == '{')
	{
		/* without the mark, which JSON does not have */
		for (p = string; p < start; p++)
			if (!isspace((unsigned char) *p))
				*p = ' ';
		result->json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(string)));
		result->root = orch_document_from_jsonb(result->json, SHAPE_FLOW);
		find_twice(string, &result->problems);
	}
	else
		refuse_text(start);
}

static void
refuse_text(const char *start)
{
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_INVALID_DEFINITION),
			 errmsg("an orchestration document is XML, which begins with \"<\", or JSON, which begins with \"{\""),
			 *start == '\0' ? errdetail("The text is empty.") :
			 errdetail("The text begins with \"%.*s\".",
					   pg_mbcliplen(start, strlen(start), MAX_SHOWN_START), start),
			 errhint("Pass the contents of the file, not its name.")));
}

/* The first character that counts, and how many lines end before it. */
static const char *
skip_space(const char *text, int *newlines)
{
	*newlines = 0;
	for (;;)
	{
		if (isspace((unsigned char) *text))
			*newlines += *text++ == '\n';
		else if (GetDatabaseEncoding() == PG_UTF8 &&
				 strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
			text += strlen(BYTE_ORDER_MARK);
		else
			return text;
	}
}

/*
 * The XML as libxml and the type xml take it: nothing may stand before an XML declaration.
 * The lines that ended before it end behind it, so that all elements keep theirs.
 */
static char *
xml_text(const char *start, int newlines)
{
	const char *end = strncmp(start, "<?xml", 5) == 0 ? strstr(start, "?>") : NULL;
	StringInfoData result;

	if (newlines == 0)
		return unconstify(char *, start);
	initStringInfo(&result);
	if (end != NULL)
	{
		appendBinaryStringInfo(&result, start, end + 2 - start);
		start = end + 2;
	}
	while (newlines-- > 0)
		appendStringInfoChar(&result, '\n');
	appendStringInfoString(&result, start);
	return result.data;
}

/* ------------------------------------------------------- members given twice */

/*
 * Reports the members that occur more than once in an object.  The text is valid JSON.
 */
static void
find_twice(const char *json, ProblemList *problems)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "orchestration JSON members",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	MemberList	list = {0};
	JsonSemAction actions = {0};
	int			i;

	list.lexer = orch_compat_json_lexer(cstring_to_text(json));
	actions.semstate = &list;
	actions.object_start = object_begins;
	actions.object_end = container_ends;
	actions.array_start = array_begins;
	actions.array_end = container_ends;
	actions.object_field_start = member_begins;
	actions.array_element_start = element_begins;
	if (pg_parse_json(list.lexer, &actions) != JSON_SUCCESS)
		elog(ERROR, "JSON that was read before cannot be read again");
	if (list.nmembers > 1)
		qsort(list.members, list.nmembers, sizeof(TextMember), compare_members);
	for (i = 1; i < list.nmembers; i++)
	{
		const TextMember *member = &list.members[i];
		char	   *place;

		if (member->object != member[-1].object || strcmp(member->key, member[-1].key) != 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		place = place_of(member);
		MemoryContextSwitchTo(old);
		orch_definition_add_problem(problems, PROBLEM_ERROR, place, member->line,
									psprintf("member \"%.*s\" occurs more than once",
											 pg_mbcliplen(member->key, strlen(member->key),
														  MAX_LABEL_LENGTH), member->key),
									NULL);
		MemoryContextSwitchTo(context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

static void
begin_container(MemberList *list, bool is_array)
{
	TextContainer *container = palloc0(sizeof(TextContainer));

	CHECK_FOR_INTERRUPTS();
	container->parent = list->current;
	container->is_array = is_array;
	container->number = list->ncontainers++;
	container->current_index = -1;
	if (list->current != NULL)
	{
		container->key = list->current->current_key;
		container->index = list->current->current_index;
	}
	list->current = container;
}

static OrchCompatJsonResult
object_begins(void *state)
{
	begin_container(state, false);
	return ORCH_COMPAT_JSON_SUCCESS;
}

static OrchCompatJsonResult
array_begins(void *state)
{
	begin_container(state, true);
	return ORCH_COMPAT_JSON_SUCCESS;
}

static OrchCompatJsonResult
container_ends(void *state)
{
	MemberList *list = state;

	list->current = list->current->parent;
	return ORCH_COMPAT_JSON_SUCCESS;
}

static OrchCompatJsonResult
member_begins(void *state, char *key, bool isnull)
{
	MemberList *list = state;
	TextMember *	member;

	if (list->nmembers == list->allocated)
	{
		list->allocated = Max(list->allocated * 2, 256);
		list->members = list->members == NULL ?
			palloc(sizeof(TextMember) * list->allocated) :
			repalloc_huge(list->members, sizeof(TextMember) * list->allocated);
	}
	member = &list->members[list->nmembers];
	member->object = list->current;
	member->key = key;
	member->line = list->lexer->line_number;
	member->order = list->nmembers++;
	list->current->current_key = key;
	return ORCH_COMPAT_JSON_SUCCESS;
}

static OrchCompatJsonResult
element_begins(void *state, bool isnull)
{
	((MemberList *) state)->current->current_index++;
	return ORCH_COMPAT_JSON_SUCCESS;
}

/* qsort comparator: by object, key and order in the text */
static int
compare_members(const void *a, const void *b)
{
	const TextMember *left = a;
	const TextMember *right = b;
	int			result;

	CHECK_FOR_INTERRUPTS();
	if (left->object != right->object)
		return left->object->number < right->object->number ? -1 : 1;
	result = strcmp(left->key, right->key);
	return result != 0 ? result : left->order - right->order;
}

/*
 * Where a member is: orchestratedStages[2].stageSteps[0].label.
 */
static char *
place_of(const TextMember *member)
{
	StringInfoData result;
	const TextContainer *container;
	List	   *path = NIL;
	ListCell   *cell;

	for (container = member->object; container != NULL; container = container->parent)
		path = lcons(unconstify(TextContainer *, container), path);
	initStringInfo(&result);
	foreach(cell, path)
	{
		container = lfirst(cell);
		CHECK_FOR_INTERRUPTS();
		if (container->parent == NULL)
			continue;
		if (container->parent->is_array)
			appendStringInfo(&result, "[%d]", container->index);
		else
			appendStringInfo(&result, "%s%s", result.len > 0 ? "." : "", container->key);
	}
	appendStringInfo(&result, "%s%s", result.len > 0 ? "." : "", member->key);
	return pnstrdup(result.data, pg_mbcliplen(result.data, result.len, 1000));
}
