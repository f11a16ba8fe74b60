/*-------------------------------------------------------------------------
 *
 * definition_int.h
 *	  The compiler of definitions, and the list of problems that it finds.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_int.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_DEFINITION_INT_H
#define ORCH_DEFINITION_INT_H

#include "postgres.h"

#include "commands/trigger.h"
#include "datatype/timestamp.h"
#include "fmgr.h"

#include "base/compat.h"
#include "definition/definition.h"
#include "evaluate/document.h"
#include "evaluate/formula_compile.h"

#define MAX_API_NAME_LENGTH	80
#define MAX_LABEL_LENGTH	80

/*
 * How deep a formula may nest, together with the formulas and text templates that it
 * refers to.  Its evaluation recurses as deep.
 */
#define MAX_FORMULA_DEPTH	200
#define AUTOMATIC_INPUT_PREFIX "ActionInput__"

typedef enum ProblemSeverity
{
	PROBLEM_ERROR,
	PROBLEM_STALE,				/* deploys with a warning, cannot be activated */
	PROBLEM_WARNING
} ProblemSeverity;

typedef struct Problem
{
	ProblemSeverity severity;
	int			number;			/* in the order in which they were found */
	char	   *place;			/* in the document; empty: the whole of it */
	int			line;			/* 0: not known */
	char	   *message;
	char	   *reference;		/* PROBLEM_STALE: the reference that names
								 * nothing */
} Problem;

typedef struct ProblemList
{
	int			nproblems;
	int			allocated;
	int			nerrors;		/* of each severity */
	int			nstale;
	int			nwarnings;
	Problem    *problems;
} ProblemList;

/* definition.c */
extern void orch_definition_check_call(FunctionCallInfo fcinfo, int argno,
									   const char *name);
extern void orch_definition_unknown(const char *name) pg_attribute_noreturn();
extern bool orch_definition_find_version(const char *name, bool any,
										 int32 version, pg_uuid_t *id,
										 int32 *found);
extern Definition *orch_definition_compile_version(const pg_uuid_t *version_id,
												   MemoryContext context,
												   ProblemList *problems);

/* definition_hold.c */
extern void orch_definition_lock_versions(const pg_uuid_t *orchestration_id);

/* definition_version.c */
extern bool orch_definition_find_identical(const pg_uuid_t *id, Datum xml,
										   Jsonb *document, int32 *version);
extern int32 orch_definition_next_version(const pg_uuid_t *id, const char *name);
extern bool orch_definition_deletes(TriggerData *trigdata);
extern const Definition *orch_definition_migration_target(const char *name, bool active,
														  int32 version, bool lock);

/*
 * definition_activation.c
 *
 * The first two report the problems of a document, or of a version, as they are at its
 * activation.  The third raises OR204 if a version cannot be activated, and tells by a NOTICE of warnings that
 * its deployment did not find.  Callers are in system context and connected to SPI.
 */
extern void orch_definition_check_document(const DocNode *root, MemoryContext context,
										   ProblemList *problems);
extern void orch_definition_check_version(const pg_uuid_t *version_id, MemoryContext context,
										  ProblemList *problems);
extern void orch_definition_require_activation(const pg_uuid_t *version_id,
											   const char *name, int32 version);

/*
 * definition_compile.c
 *
 * Compile a document into a definition in context; with errors among the
 * problems the result is not to be used.  version_id, name and version are the
 * caller's to fill in.  With outside, references are held against the database.
 */
struct Outside;

extern Definition *orch_definition_compile(const DocNode *root,
										   MemoryContext context,
										   ProblemList *problems);
extern Definition *orch_definition_compile_outside(const DocNode *root,
												   MemoryContext context,
												   ProblemList *problems,
												   struct Outside *outside);
extern const char *orch_definition_kind_name(DefinitionKind kind);

/* definition_scope.c */
extern void orch_definition_add_problem(ProblemList *list,
										ProblemSeverity severity,
										const char *place, int line,
										const char *message,
										const char *reference);
extern char *orch_definition_problem_text(const ProblemList *list,
										  ProblemSeverity up_to);
extern bool orch_definition_is_api_name(const char *name);

/*
 * definition_text.c
 *
 * A document that is given as text.  orch_definition_read_text() raises 2200M or 22P02 if the
 * text is neither XML nor JSON that is well-formed, OR201 if it is neither of them at all.
 */
typedef struct TextDocument
{
	DocNode    *root;
	Datum		xml;			/* XML: of type xml; 0: JSON */
	Jsonb	   *json;			/* JSON, else NULL */
	ProblemList problems;		/* members that occur more than once */
} TextDocument;

extern void orch_definition_read_text(const text *source, TextDocument *result);

/* definition_element.c */
extern const char *orch_definition_assignee_kind_name(AssigneeKind kind);

/* definition_type.c */
typedef enum ReadKind
{
	READ_RECORD,				/* a field of a record */
	READ_OUTPUT					/* an output of an action */
} ReadKind;

/* A value outside that a definition reads. */
typedef struct ReadValue
{
	ReadKind	kind;
	const char *owner;			/* the record type, or the action */
	List	   *path;			/* of char *: relationships and field, or output
								 * and fields in it */
	ValueType	type;			/* as far as the places tell where it is read */
	JsonbValue *example;		/* that a condition wants, or NULL */
	const char *used_by;		/* the element that reads it first */
} ReadValue;

/* Those of a definition, once each: a list of ReadValue *. */
extern List *orch_definition_reads(const Definition *def);

/* ---------------------------------- for the files of the compiler only */

typedef enum NameKind
{
	NAME_STAGE,
	NAME_STEP,
	NAME_DECISION,
	NAME_OUTCOME,
	NAME_ASSIGNMENT,
	NAME_VARIABLE,
	NAME_CONSTANT,
	NAME_FORMULA,
	NAME_TEMPLATE,
	NAME_LOOKUP,
	NAME_UNSUPPORTED			/* an element that the compiler refuses */
} NameKind;

typedef struct NameEntry
{
	const char *name;			/* hash key, must be first */
	NameKind	kind;
	int			index;			/* into the definition's array of that kind */
	int			visit;			/* into the definition's visits, -1: not there */
} NameEntry;

typedef struct Compiler
{
	MemoryContext context;		/* of the definition */
	Definition *def;
	ProblemList *problems;
	Operand   **constants;		/* of variables[i] when it is a constant; NULL:
								 * null */
	bool		free_references;	/* accept every reference but $Record as a
									 * text that the caller gives a value */
	bool		reads_prior;	/* $Record__Prior is read after the start */
	bool		filters_look_back;	/* or by a filter of the start */
	bool		in_text;		/* in a text template */
	List	  **references;		/* collects the references of a formula or text
								 * template; or NULL */
	int			nesting;		/* of the conditions at this place */
	struct Outside *outside;	/* to hold references against the database;
								 * or NULL */
} Compiler;

/* Where a reference stands, which decides what it may name. */
typedef enum ReferenceUse
{
	USE_RUN,					/* steps and decisions of a run */
	USE_FILTER,					/* filters of the start: there is no run yet */
	USE_LOOKUP,					/* filters of record lookups */
	USE_DEFAULT					/* default values: the run is being created */
} ReferenceUse;

/* definition_scope.c */
extern const char *const orch_definition_name_kinds[];

extern void orch_definition_problem(Compiler *c, ProblemSeverity severity,
									const DocNode *node, const char *reference,
									const char *format,...)
			pg_attribute_printf(5, 6);
extern void orch_definition_sort_problems(ProblemList *list);

extern struct HTAB *orch_definition_make_names(MemoryContext context);
extern NameEntry *orch_definition_find_name(const Definition *def,
											const char *name);
extern char *orch_definition_declare_name(Compiler *c, const DocNode *node,
										  NameKind kind, int index);
extern Connector orch_definition_compile_connector(Compiler *c, const DocNode *parent,
												   const char *name);

extern Connector orch_definition_compile_target(Compiler *c, const DocNode *parent,
												const char *name);

extern bool orch_definition_is_named(const DocNode *node, const char *name);
extern const char *orch_definition_text(const DocNode *node, const char *name);
extern char *orch_definition_word(const DocNode *node, const char *name);
extern bool orch_definition_boolean(const DocNode *node, const char *name);
extern bool orch_definition_integer(Compiler *c, const DocNode *node, int least, int most,
									int *value);

/* definition_compile.c */
extern void orch_definition_check_structure(Compiler *c, const DocNode *node,
											DocShape shape);

/* definition_element.c */
extern void orch_definition_compile_elements(Compiler *c, const DocNode *root);

/* definition_resource.c */
extern void orch_definition_compile_resources(Compiler *c, const DocNode *root);

/* definition_default.c */
extern void orch_definition_compile_variables(Compiler *c, const DocNode *root);
extern void orch_definition_compile_defaults(Compiler *c, const DocNode *root);
extern void orch_definition_order_defaults(Compiler *c, const DocNode *root);
extern bool orch_definition_type_fits(const VariableDef *variable, ValueType type);

/*
 * definition_walk.c
 *
 * next: the nth node that a node leads to, WALK_NONE if that edge leads to no node,
 * WALK_END after the last.  circle: the last node of the path leads to one that is on it.
 * leave: all that the node leads to has been walked; or NULL.
 */
#define WALK_NONE	(-1)
#define WALK_END	(-2)

typedef struct GraphWalk
{
	int			nnodes;
	int			(*next) (struct GraphWalk *walk, int node, int n);
	void		(*circle) (struct GraphWalk *walk, const int *path, int depth, int node);
	void		(*leave) (struct GraphWalk *walk, int node);
	void	   *arg;			/* for all of them */
	bool		stopped;		/* a callback ended the walk */
} GraphWalk;

extern void orch_definition_walk_graph(GraphWalk *walk);

/* definition_graph.c */
extern void orch_definition_note_record_readers(Definition *def);

typedef void (*OperandVisitor) (const Operand *operand, const char *used_by, void *arg);

extern void orch_definition_walk(const Definition *def, OperandVisitor visit, void *arg);
extern void orch_definition_walk_set(const ConditionSet *set, OperandVisitor visit,
									 const char *used_by, void *arg);

/* Is an operand, which may be NULL, one that the caller looks for? */
typedef bool (*OperandTest) (const Definition *def, const Operand *operand, void *arg);

extern bool orch_definition_stage_reads(const Definition *def, const StageDef *stage,
										OperandTest test, void *arg);
extern void orch_definition_check_formulas(Compiler *c, const DocNode *root);
extern void orch_definition_check_entry_cycles(Compiler *c,
											   const DocNode *root);
extern void orch_definition_check_reachable(Compiler *c, const DocNode *root);
extern void orch_definition_check_loops(Compiler *c, const DocNode *root);

/* definition_never.c: conditions that never hold, or always, or fail for some values */
extern void orch_definition_check_conditions(Compiler *c, const DocNode *root);

/* definition_condition.c */
extern ConditionSet *orch_definition_compile_condition_list(Compiler *c,
															const DocNode *parent,
															const char *conditions,
															const char *logic,
															ReferenceUse use);

/* definition_logic.c */
extern LogicNode *orch_definition_compile_logic(Compiler *c,
												const DocNode *node,
												const char *text,
												int nconditions,
												int *deepest);

/* definition_value.c */
extern Operand *orch_definition_compile_value(Compiler *c, const DocNode *node,
											  ReferenceUse use);
extern Operand *orch_definition_compile_reference(Compiler *c, const DocNode *node,
												  const char *text, ReferenceUse use);
extern void orch_definition_compile_formula(Compiler *c, const DocNode *node,
											const char *text, ReferenceUse use,
											CompiledFormula *formula);

#define error_at(c, node, ...) \
	orch_definition_problem(c, PROBLEM_ERROR, node, NULL, __VA_ARGS__)
#define warning_at(c, node, ...) \
	orch_definition_problem(c, PROBLEM_WARNING, node, NULL, __VA_ARGS__)
#define stale_at(c, node, reference, ...) \
	orch_definition_problem(c, PROBLEM_STALE, node, reference, __VA_ARGS__)

#endif							/* ORCH_DEFINITION_INT_H */
