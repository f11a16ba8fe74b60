/*-------------------------------------------------------------------------
 *
 * document.c
 *	  Reads orchestration documents: flow metadata in XML, or the same
 *	  structure in JSON.
 *
 * Both become one tree of DocNodes, so that everything after this file knows one
 * notation.  What the format has is in document_format.c.  An element that the format
 * does not have is kept with the document; the compiler reports it.
 *
 * In XML the root is in the metadata namespace or in none.  An element of the document
 * is the flow's if it is in the namespace of the root, whatever its prefix.  All others
 * are foreign: nothing is read in them, and the compiler reports them.
 *
 * Anybody may have written the XML: no network, no document type declaration (and so
 * no entities of the document's own), no element nested more than MAX_NESTING deep.
 * libxml's limits on depth and size stay on, and the libxml document is freed after an
 * error, too (as in contrib/xml2).
 *
 * The tree lives in the memory context that was current; it holds no pointer into
 * libxml's memory.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/document.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "base/errors.h"
#include "evaluate/condition_value.h"
#include "evaluate/document.h"

/*
 * A server without libxml has the type xml, but none of these functions.  Weak symbols
 * let it load the library all the same, and documents in JSON work there.
 */
#pragma weak pg_xml_init
#pragma weak pg_xml_done
#pragma weak pg_xml_error_occurred
#pragma weak xml_ereport

#define METADATA_NAMESPACE	"http://soap.sforce.com/2006/04/metadata"
#define XSI_NAMESPACE		"http://www.w3.org/2001/XMLSchema-instance"

#define MAX_NUMBER_LENGTH	100
#define MAX_NUMBER_EXPONENT	308

static void refuse_doctype(const char *source);
static DocNode *make_node(DocNode *parent, const char *name, DocShape shape);
static void fill_from_xml(DocNode *node, xmlNodePtr xml, DocShape shape,
						  const xmlNode *root);
static bool same_namespace(const xmlNode *a, const xmlNode *b);
static char *xml_name(const xmlNode *xml);
static char *xml_text(xmlNodePtr xml);
static bool xml_is_nil(xmlNodePtr xml);
static char *xml_to_server(const xmlChar *text);
static void fill_from_jsonb(DocNode *node, JsonbValue *value, DocShape shape);
static void number_children(DocNode *node, DocShape shape);
static JsonbValue *push_node(JsonbParseState **state, const DocNode *node,
							 JsonbIteratorToken token);
static int	compare_nodes(const void *a, const void *b);

bool
orch_document_reads_xml(void)
{
	return pg_xml_init != NULL;
}

DocNode *
orch_document_from_xml(xmltype *source)
{
	char	   *string = text_to_cstring((text *) source);
	char	   *utf8;
	DocNode    *root = NULL;
	PgXmlErrorContext *errcxt;
	volatile xmlDocPtr doc = NULL;

	if (!orch_document_reads_xml())
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("flow metadata in XML cannot be read by this server"),
				 errdetail("The server was built without libxml."),
				 errhint("Use the JSON notation, or a server built with --with-libxml.")));
	refuse_doctype(string);

	/* like xml.c: the text is in the server encoding, whatever it declares */
	utf8 = pg_server_to_any(string, strlen(string), PG_UTF8);

	errcxt = pg_xml_init(PG_XML_STRICTNESS_ALL);
	PG_TRY();
	{
		xmlNodePtr	xml;

		doc = xmlReadMemory(utf8, strlen(utf8), NULL, "UTF-8",
							XML_PARSE_NONET | XML_PARSE_BIG_LINES);
		if (doc == NULL || pg_xml_error_occurred(errcxt))
			xml_ereport(errcxt, ERROR, ERRCODE_INVALID_XML_DOCUMENT,
						"could not parse XML document");
		if (xmlGetIntSubset(doc) != NULL)
			elog(ERROR, "document type declaration was not recognized");
		xml = xmlDocGetRootElement(doc);
		if (xml == NULL)
			xml_ereport(errcxt, ERROR, ERRCODE_INVALID_XML_DOCUMENT,
						"could not parse XML document");
		root = make_node(NULL, xml->ns != NULL &&
						 strcmp((const char *) xml->ns->href, METADATA_NAMESPACE) != 0 ?
						 xml_name(xml) : xml_to_server(xml->name), SHAPE_NONE);
		fill_from_xml(root, xml, SHAPE_FLOW, xml);
	}
	PG_CATCH();
	{
		if (doc != NULL)
			xmlFreeDoc(doc);
		pg_xml_done(errcxt, true);
		PG_RE_THROW();
	}
	PG_END_TRY();

	xmlFreeDoc(doc);
	pg_xml_done(errcxt, false);
	return root;
}

/*
 * Raises OR201 if the document has a document type declaration, which can only stand
 * before the root element, after comments and processing instructions.  This runs before
 * libxml reads the text, so that libxml never declares an entity of the document.
 */
static void
refuse_doctype(const char *source)
{
	const char *p = source;

	if (strncmp(p, "\xEF\xBB\xBF", 3) == 0)	/* byte order mark */
		p += 3;
	for (;;)
	{
		const char *end;

		while (*p != '\0' && isspace((unsigned char) *p))
			p++;
		if (strncmp(p, "<?", 2) == 0)
			end = strstr(p, "?>");
		else if (strncmp(p, "<!--", 4) == 0)
			end = strstr(p + 4, "-->");
		else
			break;
		if (end == NULL)
			return;				/* libxml will complain */
		p = strchr(end, '>') + 1;
	}
	if (strncmp(p, "<!", 2) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_DEFINITION),
				 errmsg("an orchestration document must not have a document type declaration"),
				 errhint("Remove the DOCTYPE; entities are not expanded and files are not read.")));
}

static DocNode *
make_node(DocNode *parent, const char *name, DocShape shape)
{
	DocNode    *node = palloc0(sizeof(DocNode));

	node->element = orch_document_element(shape, name);
	node->name = node->element != NULL ? node->element->name : name;
	if (parent != NULL)
	{
		node->parent = parent;
		node->depth = parent->depth + 1;
		if (parent->name_child == NULL && strcmp(node->name, "name") == 0)
			parent->name_child = node;
		if (parent->last_child == NULL)
			parent->first_child = node;
		else
			parent->last_child->next = node;
		parent->last_child = node;
		parent->nchildren++;
	}
	return node;
}

/*
 * Fills in a node from its XML element; shape: its type, SHAPE_NONE if the format has
 * none; root: the document's root element.
 */
static void
fill_from_xml(DocNode *node, xmlNodePtr xml, DocShape shape, const xmlNode *root)
{
	xmlNodePtr	child;
	DocNode    *child_node;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	node->is_xml = true;
	node->line = (int) xmlGetLineNo(xml);
	if (node->depth > MAX_NESTING)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_DEFINITION),
				 errmsg("line %d: element \"%.*s\" is nested more than %d deep", node->line,
						pg_mbcliplen(node->name, strlen(node->name), 80), node->name,
						MAX_NESTING)));
	if (xml_is_nil(xml))
	{
		node->kind = DOC_NIL;
		return;
	}
	node->text = xml_text(xml);
	node->kind = DOC_TEXT;
	for (child = xml->children; child != NULL; child = child->next)
	{
		if (child->type != XML_ELEMENT_NODE)
			continue;
		CHECK_FOR_INTERRUPTS();
		if (same_namespace(child, root))
		{
			node->kind = DOC_OBJECT;
			(void) make_node(node, xml_to_server(child->name), shape);
		}
		else
		{
			child_node = make_node(node, xml_name(child), SHAPE_NONE);
			child_node->is_xml = true;
			child_node->foreign = true;
			child_node->kind = DOC_TEXT;
			child_node->text = "";
			child_node->line = (int) xmlGetLineNo(child);
		}
	}

	if (node->nchildren == 0)
		return;

	number_children(node, shape);
	child_node = node->first_child;
	for (child = xml->children; child != NULL; child = child->next)
	{
		if (child->type != XML_ELEMENT_NODE)
			continue;
		if (!child_node->foreign)
			fill_from_xml(child_node, child,
						  child_node->element != NULL ?
						  child_node->element->shape : SHAPE_NONE, root);
		child_node = child_node->next;
	}
}

/* Are two elements in the same namespace, or both in none? */
static bool
same_namespace(const xmlNode *a, const xmlNode *b)
{
	if (a->ns == NULL || b->ns == NULL)
		return a->ns == b->ns;
	return a->ns == b->ns || xmlStrEqual(a->ns->href, b->ns->href);
}

/* The name of an element with its namespace. */
static char *
xml_name(const xmlNode *xml)
{
	return psprintf("{%s}%s", xml->ns != NULL ? xml_to_server(xml->ns->href) : "",
					xml_to_server(xml->name));
}

/*
 * The text directly in an element.  It has no entity references: without a document type
 * only the predefined entities exist, and libxml resolves them.
 */
static char *
xml_text(xmlNodePtr xml)
{
	StringInfoData result;
	xmlNodePtr	child;

	initStringInfo(&result);
	for (child = xml->children; child != NULL; child = child->next)
		if ((child->type == XML_TEXT_NODE ||
			 child->type == XML_CDATA_SECTION_NODE) && child->content != NULL)
			appendStringInfoString(&result, (const char *) child->content);
	return pg_any_to_server(result.data, result.len, PG_UTF8);
}

static bool
xml_is_nil(xmlNodePtr xml)
{
	xmlAttrPtr	attr;
	bool		result;

	for (attr = xml->properties; attr != NULL; attr = attr->next)
		if (attr->ns != NULL && attr->children != NULL &&
			attr->children->content != NULL &&
			strcmp((const char *) attr->name, "nil") == 0 &&
			strcmp((const char *) attr->ns->href, XSI_NAMESPACE) == 0)
			return orch_document_boolean((const char *) attr->children->content,
										 &result) && result;
	return false;
}

/* A copy in the server encoding, outside libxml's memory. */
static char *
xml_to_server(const xmlChar *text)
{
	char	   *copy = pstrdup((const char *) text);

	return pg_any_to_server(copy, strlen(copy), PG_UTF8);
}

DocNode *
orch_document_from_jsonb(Jsonb *source, DocShape shape)
{
	DocNode    *root = make_node(NULL, orch_document_shape_name(shape), SHAPE_NONE);

	fill_from_jsonb(root, orch_condition_jsonb_value(source), shape);
	return root;
}

/*
 * Fills in a node from its JSON value.  Nothing is read in objects that the format does
 * not have; the document keeps them as they are.
 */
static void
fill_from_jsonb(DocNode *node, JsonbValue *value, DocShape shape)
{
	JsonbIterator *it;
	JsonbValue	v;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	switch (value->type)
	{
		case jbvNull:
			node->kind = DOC_NIL;
			return;
		case jbvString:
			node->kind = DOC_TEXT;
			node->text = pnstrdup(value->val.string.val, value->val.string.len);
			return;
		case jbvNumeric:
			node->kind = DOC_NUMBER;
			node->text = DatumGetCString(DirectFunctionCall1(numeric_out,
															 NumericGetDatum(value->val.numeric)));
			return;
		case jbvBool:
			node->kind = DOC_BOOLEAN;
			node->text = value->val.boolean ? "true" : "false";
			return;
		case jbvBinary:
			break;
		default:
			elog(ERROR, "unexpected type %d of jsonb value", (int) value->type);
	}

	if (JsonContainerIsArray(value->val.binary.data))
	{
		node->kind = DOC_ARRAY;
		return;
	}
	node->kind = DOC_OBJECT;
	/* the compiler, which knows the place, reports what is too deep */
	if (shape == SHAPE_NONE || node->depth > MAX_NESTING)
		return;

	it = JsonbIteratorInit(value->val.binary.data);
	(void) JsonbIteratorNext(&it, &v, true);	/* WJB_BEGIN_OBJECT */
	while (JsonbIteratorNext(&it, &v, true) == WJB_KEY)
	{
		char	   *key = pnstrdup(v.val.string.val, v.val.string.len);
		const DocElement *element = orch_document_element(shape, key);
		DocShape	child_shape = element != NULL ? element->shape : SHAPE_NONE;

		(void) JsonbIteratorNext(&it, &v, true);	/* WJB_VALUE */
		if (v.type == jbvBinary && JsonContainerIsArray(v.val.binary.data))
		{
			JsonbIterator *array_it = JsonbIteratorInit(v.val.binary.data);
			JsonbValue	item;

			(void) JsonbIteratorNext(&array_it, &item, true);	/* WJB_BEGIN_ARRAY */
			while (JsonbIteratorNext(&array_it, &item, true) == WJB_ELEM)
				fill_from_jsonb(make_node(node, key, shape), &item, child_shape);
		}
		else
			fill_from_jsonb(make_node(node, key, shape), &v, child_shape);
	}
	number_children(node, shape);
}

/*
 * Numbers the children of a node among their siblings of the same name; children that the
 * format does not have are numbered while they follow each other.
 */
static void
number_children(DocNode *node, DocShape shape)
{
	int			nelements;
	const DocElement *elements = orch_document_elements(shape, &nelements);
	int		   *counts = palloc0(sizeof(int) * Max(nelements, 1));
	DocNode    *child;
	DocNode    *previous = NULL;

	for (child = node->first_child; child != NULL; child = child->next)
	{
		if (child->element != NULL)
			child->index = counts[child->element - elements]++;
		else if (previous != NULL && strcmp(previous->name, child->name) == 0)
			child->index = previous->index + 1;
		previous = child;
	}
	pfree(counts);
}

/*
 * Elements that the format repeats become arrays, and so does any other element that
 * occurs more than once.
 */
Jsonb *
orch_document_to_jsonb(const DocNode *root)
{
	JsonbParseState *state = NULL;

	return JsonbValueToJsonb(push_node(&state, root, WJB_VALUE));
}

static JsonbValue *
push_node(JsonbParseState **state, const DocNode *node, JsonbIteratorToken token)
{
	JsonbValue	v;
	const DocNode **children;
	DocNode    *child;
	int			length;
	int			n = 0;
	int			i = 0;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	/* an element that has elements, but none here */
	if (node->kind != DOC_OBJECT &&
		!(node->kind == DOC_TEXT && node->element != NULL &&
		  node->element->type == DOC_TYPE_OBJECT &&
		  *orch_document_trim(node->text, &length) == '\0'))
	{
		v.type = jbvString;
		if (node->kind == DOC_NIL)
			v.type = jbvNull;
		else if (node->element != NULL &&
				 node->element->type == DOC_TYPE_BOOLEAN &&
				 orch_document_boolean(node->text, &v.val.boolean))
			v.type = jbvBool;
		else if (node->element != NULL &&
				 (node->element->type == DOC_TYPE_NUMBER ||
				  node->element->type == DOC_TYPE_NUMBER_OR_VALUE) &&
				 orch_document_number(node->text, &v.val.numeric))
			v.type = jbvNumeric;
		else
		{
			v.val.string.val = node->text;
			v.val.string.len = strlen(node->text);
		}
		return pushJsonbValue(state, token, &v);
	}

	children = palloc(sizeof(DocNode *) * Max(node->nchildren, 1));
	for (child = node->first_child; child != NULL; child = child->next)
		if (!child->foreign)
			children[n++] = child;
	qsort(children, n, sizeof(DocNode *), compare_nodes);

	(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	while (i < n)
	{
		int			end = i + 1;

		while (end < n &&
			   strcmp(children[end]->name, children[i]->name) == 0)
			end++;
		v.type = jbvString;
		v.val.string.val = unconstify(char *, children[i]->name);
		v.val.string.len = strlen(children[i]->name);
		(void) pushJsonbValue(state, WJB_KEY, &v);
		if (end - i > 1 ||
			(children[i]->element != NULL && children[i]->element->repeated))
		{
			(void) pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
			for (; i < end; i++)
				(void) push_node(state, children[i], WJB_ELEM);
			(void) pushJsonbValue(state, WJB_END_ARRAY, NULL);
		}
		else
			(void) push_node(state, children[i], WJB_VALUE);
		i = end;
	}
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* qsort comparator: by name, then in the order of the document */
static int
compare_nodes(const void *a, const void *b)
{
	const DocNode *left = *(DocNode *const *) a;
	const DocNode *right = *(DocNode *const *) b;
	int			result;

	CHECK_FOR_INTERRUPTS();
	result = strcmp(left->name, right->name);
	if (result != 0)
		return result;
	if (left->index != right->index)
		return left->index < right->index ? -1 : 1;
	return left->line < right->line ? -1 : left->line > right->line;
}

DocNode *
orch_document_child(const DocNode *node, const char *name)
{
	DocNode    *child;

	for (child = node->first_child; child != NULL; child = child->next)
		if (strcmp(child->name, name) == 0)
			return child;
	return NULL;
}

/*
 * The innermost element with a name shows it: orchestratedStages[2].stageSteps[0]
 * "Create_Deadline".entryConditions[0].
 */
char *
orch_document_place(const DocNode *node)
{
	StringInfoData result;
	const DocNode *n;
	const DocNode *named = NULL;
	List	   *path = NIL;
	ListCell   *cell;

	for (n = node; n != NULL && n->parent != NULL; n = n->parent)
	{
		path = lcons(unconstify(DocNode *, n), path);
		if (named == NULL && n->element != NULL && n->element->repeated &&
			(n->parent->parent == NULL ||
			 (n->element->shape != SHAPE_PARAMETER &&
			  n->element->shape != SHAPE_OTHER)) &&
			n->name_child != NULL && n->name_child->kind == DOC_TEXT)
			named = n;
	}

	initStringInfo(&result);
	foreach(cell, path)
	{
		n = lfirst(cell);
		if (result.len > 0)
			appendStringInfoChar(&result, '.');
		appendStringInfoString(&result, n->name);
		if (n->element != NULL ? n->element->repeated : n->index > 0)
			appendStringInfo(&result, "[%d]", n->index);
		if (n == named)
		{
			char	   *name = n->name_child->text;

			appendStringInfo(&result, " \"%.*s\"",
							 pg_mbcliplen(name, strlen(name), 80), name);
		}
	}
	list_free(path);
	return result.data;
}

const char *
orch_document_trim(const char *text, int *length)
{
	while (isspace((unsigned char) *text))
		text++;
	*length = strlen(text);
	while (*length > 0 && isspace((unsigned char) text[*length - 1]))
		(*length)--;
	return text;
}

bool
orch_document_is_too_long(const DocNode *node)
{
	const char *text;
	int			length;

	if (node->kind != DOC_TEXT || node->element == NULL ||
		node->element->max_length == 0)
		return false;
	text = orch_document_trim(node->text, &length);
	/* a character has at least one byte */
	return length > node->element->max_length &&
		pg_mbstrlen_with_len(text, length) > node->element->max_length;
}

bool
orch_document_number(const char *text, Numeric *result)
{
	const char *p;
	char	   *copy;
	int			digits = 0;
	int			length;

	text = orch_document_trim(text, &length);
	p = text;
	if (*p == '+' || *p == '-')
		p++;
	for (; isdigit((unsigned char) *p); p++)
		digits++;
	if (*p == '.')
		for (p++; isdigit((unsigned char) *p); p++)
			digits++;
	if (digits == 0 || digits > MAX_NUMBER_LENGTH)
		return false;
	if (*p == 'e' || *p == 'E')
	{
		int			exponent = 0;
		int			exponent_digits = 0;

		p++;
		if (*p == '+' || *p == '-')
			p++;
		for (; isdigit((unsigned char) *p); p++)
		{
			exponent = Min(exponent * 10 + (*p - '0'), MAX_NUMBER_EXPONENT + 1);
			exponent_digits++;
		}
		if (exponent_digits == 0 || exponent > MAX_NUMBER_EXPONENT)
			return false;
	}
	if (p != text + length)
		return false;

	copy = pnstrdup(text, length);
	*result = DatumGetNumeric(DirectFunctionCall3(numeric_in,
												  CStringGetDatum(copy),
												  ObjectIdGetDatum(InvalidOid),
												  Int32GetDatum(-1)));
	pfree(copy);
	return true;
}

bool
orch_document_is_whole(Numeric number)
{
	Datum		whole = DirectFunctionCall2(numeric_trunc, NumericGetDatum(number),
											Int32GetDatum(0));

	return DatumGetBool(DirectFunctionCall2(numeric_eq, whole, NumericGetDatum(number)));
}

bool
orch_document_is_within(Numeric number, int64 least, int64 most)
{
	return DatumGetBool(DirectFunctionCall2(numeric_ge, NumericGetDatum(number),
											NumericGetDatum(int64_to_numeric(least)))) &&
		DatumGetBool(DirectFunctionCall2(numeric_le, NumericGetDatum(number),
										 NumericGetDatum(int64_to_numeric(most))));
}

bool
orch_document_boolean(const char *text, bool *result)
{
	int			length;

	text = orch_document_trim(text, &length);
	if ((length == 4 && strncmp(text, "true", 4) == 0) ||
		(length == 1 && *text == '1'))
		*result = true;
	else if ((length == 5 && strncmp(text, "false", 5) == 0) ||
			 (length == 1 && *text == '0'))
		*result = false;
	else
		return false;
	return true;
}
