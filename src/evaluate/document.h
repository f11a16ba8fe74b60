/*-------------------------------------------------------------------------
 *
 * document.h
 *	  An orchestration document as a tree, whichever notation it came in.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/document.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_DOCUMENT_H
#define ORCH_DOCUMENT_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/xml.h"

/* The complex types of the metadata format, as far as they matter here. */
typedef enum DocShape
{
	SHAPE_NONE,					/* not looked into */
	SHAPE_FLOW,
	SHAPE_START,
	SHAPE_FILTER,
	SHAPE_STAGE,
	SHAPE_STEP,
	SHAPE_ASSIGNEE,
	SHAPE_PARAMETER,
	SHAPE_CONDITION,
	SHAPE_CONNECTOR,
	SHAPE_DECISION,
	SHAPE_RULE,
	SHAPE_ASSIGNMENT,
	SHAPE_ASSIGNMENT_ITEM,
	SHAPE_VARIABLE,
	SHAPE_CONSTANT,
	SHAPE_VALUE,
	SHAPE_FORMULA,
	SHAPE_TEMPLATE,
	SHAPE_LOOKUP,
	SHAPE_SCHEDULED_PATH,
	SHAPE_OTHER,				/* an unsupported element: only its name */
	SHAPE_CONDITIONS,			/* argument of evaluate_conditions() */
	SHAPE_LAST = SHAPE_CONDITIONS
} DocShape;

typedef enum DocType
{
	DOC_TYPE_STRING,
	DOC_TYPE_BOOLEAN,
	DOC_TYPE_NUMBER,
	DOC_TYPE_OBJECT
} DocType;

/* What the compiler does with an element. */
/*
 * How deep something may nest: parentheses, signs and functions of a formula,
 * parentheses, NOT and containers of conditions, elements of a document, fields
 * of a path.  What walks such a thing recurses, so this keeps it far below
 * max_stack_depth, also where that is 100kB or a frame is large, and whoever wrote
 * the document gets an error that names the place.
 */
#define MAX_NESTING			100

typedef enum DocTreatment
{
	DOC_READ,					/* reads it */
	DOC_KEEP,					/* keeps it: it carries no behaviour */
	DOC_REFUSE,					/* refuses it: not supported */
	DOC_REFUSE_TRUE				/* refuses it when it is true */
} DocTreatment;

/* One row of the format table in document.c. */
typedef struct DocElement
{
	const char *name;
	DocType		type;
	DocTreatment treatment;
	bool		repeated;		/* an array in JSON */
	bool		required;
	DocShape	shape;			/* DOC_TYPE_OBJECT */
	const char *note;			/* why it is refused, or NULL */
} DocElement;

typedef enum DocKind
{
	DOC_NIL,					/* xsi:nil, or JSON null */
	DOC_TEXT,					/* XML leaf, or JSON string */
	DOC_NUMBER,					/* JSON only */
	DOC_BOOLEAN,				/* JSON only */
	DOC_OBJECT,
	DOC_ARRAY					/* JSON only: an array where none can be */
} DocKind;

typedef struct DocNode
{
	const char *name;
	const DocElement *element;	/* NULL: not in the format table */
	DocKind		kind;
	bool		is_xml;
	char	   *text;			/* of a leaf; stray text of an XML object */
	int			depth;			/* of the root: 0 */
	int			line;			/* of the source; 0: JSON */
	int			index;			/* among siblings of its name, 0-based */
	int			nchildren;
	struct DocNode *parent;
	struct DocNode *name_child; /* the first child "name", or NULL */
	struct DocNode *first_child;
	struct DocNode *last_child;
	struct DocNode *next;		/* sibling */
} DocNode;

extern const DocElement *orch_document_elements(DocShape shape, int *nelements);
extern const DocElement *orch_document_element(DocShape shape, const char *name);

extern DocNode *orch_document_from_xml(xmltype *source);
extern DocNode *orch_document_from_jsonb(Jsonb *source, DocShape shape);
extern Jsonb *orch_document_to_jsonb(const DocNode *root);

extern DocNode *orch_document_child(const DocNode *node, const char *name);
extern char *orch_document_place(const DocNode *node);
extern bool orch_document_number(const char *text, Numeric *result);
extern bool orch_document_boolean(const char *text, bool *result);

#endif							/* ORCH_DOCUMENT_H */
