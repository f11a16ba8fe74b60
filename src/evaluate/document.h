/*-------------------------------------------------------------------------
 *
 * document.h
 *	  An orchestration document as a tree, from either notation.
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

#include "evaluate/document_format.h"

/*
 * How deep things may nest: parentheses, signs and functions of a formula, parentheses,
 * NOT and containers of conditions, elements of a document, fields of a path.  Functions
 * that walk them recurse.  The limit keeps the recursion far below max_stack_depth, even
 * at 100kB and with large stack frames; a document beyond it gets an error that names
 * the place.
 */
#define MAX_NESTING			100

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
	const DocElement *element;	/* NULL: the format has none of that name */
	DocKind		kind;
	bool		is_xml;
	bool		foreign;		/* XML: of a namespace that is not the flow's; its
								 * name is then {namespace}name */
	char	   *text;			/* of a leaf; text between an object's elements */
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

/*
 * Reads the XML notation.  Raises 2200M if the text is not one well-formed document,
 * OR201 for a document type declaration or too deep a nesting, 0A000 on a server
 * without libxml.  The compiler checks the contents.
 */
extern DocNode *orch_document_from_xml(xmltype *source);

/* Can this server read it? */
extern bool orch_document_reads_xml(void);

/* Reads the JSON notation of an object of this type; the compiler checks it. */
extern DocNode *orch_document_from_jsonb(Jsonb *source, DocShape shape);

/* The JSON notation of a document, without elements of foreign namespaces. */
extern Jsonb *orch_document_to_jsonb(const DocNode *root);

/* The first child of this name; NULL if there is none. */
extern DocNode *orch_document_child(const DocNode *node, const char *name);

/* Where a node is in its document, for messages. */
extern char *orch_document_place(const DocNode *node);

/*
 * Is a text longer than the format allows?  White space around it does not count.
 */
extern bool orch_document_is_too_long(const DocNode *node);

/* A text without white space around it: where it begins, and its length. */
extern const char *orch_document_trim(const char *text, int *length);

/*
 * Read a number (but no special value) or a boolean in the notation of XML Schema;
 * false if the text is not one.
 */
extern bool orch_document_number(const char *text, Numeric *result);
extern bool orch_document_boolean(const char *text, bool *result);

/* Is a number whole, and is it one of these or between them? */
extern bool orch_document_is_whole(Numeric number);
extern bool orch_document_is_within(Numeric number, int64 least, int64 most);

#endif							/* ORCH_DOCUMENT_H */
