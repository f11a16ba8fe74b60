/*-------------------------------------------------------------------------
 *
 * definition_outside.h
 *	  Holds the references of a document against the database.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_outside.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_DEFINITION_OUTSIDE_H
#define ORCH_DEFINITION_OUTSIDE_H

#include "postgres.h"

#include "definition/definition_int.h"
#include "record/record_field.h"

typedef struct Outside
{
	char	   *record_type;	/* start.object, or NULL */
	bool		new_only;		/* records trigger it when they are created only */
	int			nsteps;
	const DocNode **steps;		/* in the order of Definition.steps */
	int			nlookups;
	const DocNode **lookups;
	struct HTAB *seen;			/* what was looked up so far */
} Outside;

extern void orch_definition_open_outside(Outside *outside, const DocNode *root);

/*
 * Reports a reference to something outside that is not there, and notes the type of its
 * values in the operand.  Does nothing if the compiler has no Outside.
 */
extern void orch_definition_look_outside(Compiler *c, const DocNode *node, Operand *operand);

/* What a path from a record of a type leads to; NULL if the type is not registered. */
extern const RecordField *orch_definition_outside_field(Outside *outside, const char *type,
														List *path);

#endif							/* ORCH_DEFINITION_OUTSIDE_H */
