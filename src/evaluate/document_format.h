/*-------------------------------------------------------------------------
 *
 * document_format.h
 *	  The format of orchestration documents, as tables.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/document_format.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_DOCUMENT_FORMAT_H
#define ORCH_DOCUMENT_FORMAT_H

#include "postgres.h"

/* The complex types of the metadata format that the extension reads. */
typedef enum DocShape
{
	SHAPE_NONE,					/* nothing below it is read */
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
	DOC_TYPE_OBJECT,
	DOC_TYPE_NUMBER_OR_VALUE,	/* a number, from API version 63 on an object */
	DOC_TYPE_TEXT_OR_BOOLEAN	/* the text "true" or "false", or a boolean */
} DocType;

/* What the compiler does with an element. */
typedef enum DocTreatment
{
	DOC_READ,					/* reads it */
	DOC_KEEP,					/* keeps it: it carries no behaviour */
	DOC_WARN,					/* keeps it, and warns that its meaning is lost */
	DOC_WARN_TRUE,				/* the same when it is true */
	DOC_REFUSE,					/* refuses it: not supported */
	DOC_REFUSE_TRUE				/* refuses it when it is true */
} DocTreatment;

/* An element of a complex type. */
typedef struct DocElement
{
	const char *name;
	DocType		type;
	DocTreatment treatment;
	bool		repeated;		/* an array in JSON */
	bool		required;
	bool		filled;			/* a text that must not be blank */
	DocShape	shape;			/* DOC_TYPE_OBJECT, DOC_TYPE_NUMBER_OR_VALUE */
	int			max_length;		/* of a text, in characters; 0: any */
	const char *note;			/* why it is refused, what is lost, or what to
								 * use; NULL */
} DocElement;

/* The elements of a type. */
extern const DocElement *orch_document_elements(DocShape shape, int *nelements);

/* An element of a type by its name; NULL if the type has none of that name. */
extern const DocElement *orch_document_element(DocShape shape, const char *name);

/*
 * The type in which an element of this name must stand, because it is repeated and no
 * other type has one of that name; SHAPE_NONE if there is no such type.
 */
extern DocShape orch_document_owner(const char *name);

/* The name of a type, which is that of its root element. */
extern const char *orch_document_shape_name(DocShape shape);

#endif							/* ORCH_DOCUMENT_FORMAT_H */
