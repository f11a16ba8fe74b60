/*-------------------------------------------------------------------------
 *
 * definition_default.c
 *	  Variables and constants: their types, and the values that they begin with.
 *
 * The value of a constant is a literal, another constant, or any other reference.  A
 * literal is compiled into the places that read the constant.  A reference is evaluated
 * when a run starts, as the default of a variable is, and the value then stays.
 *
 * A default may be any reference.  It is evaluated once, when a run starts; what has no
 * value then, such as an output of a step, is null.  The platform's documentation says of
 * formulas alone that they are computed where they are used.  A default that reads other
 * variables is evaluated after their defaults: orch_definition_order_defaults() makes that
 * order.  Variables whose defaults read each other in a circle begin with null where the
 * circle closes.
 *
 * The same walk notes which variables are read, and which stages wait for the records of
 * SObject variables.  A variable that nothing reads cannot fail a run.
 *
 * The graph of formulas, text templates and defaults is walked without recursion, each
 * edge once.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/definition/definition_default.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "definition/definition_int.h"

/* From this version on SObject variables are read again whenever a run goes on. */
#define REFRESH_API_VERSION	58

/* The nodes of the graph: variables, then formulas, then text templates. */
typedef struct DefaultGraph
{
	Compiler   *c;
	const DocNode **nodes;		/* of the variables */
	int			total;
	bool	   *read;			/* something reads it */
	bool	   *refreshes;		/* it is a variable that refreshes, or computed
								 * from one */
	int		   *todo;			/* read, but not looked into yet */
	int			ntodo;
} DefaultGraph;

static void compile_variable(Compiler *c, const DocNode *node, VariableDef *variable);
static void compile_api_version(Compiler *c, const DocNode *root);
static void compile_constants(Compiler *c, const DocNode *root);
static int	constant_target(Compiler *c, const DocNode *node);
static void compile_default(Compiler *c, const DocNode *node, VariableDef *variable);
static void check_literal(Compiler *c, const DocNode *value, VariableDef *variable);
static void check_reference(Compiler *c, const DocNode *value,
							const VariableDef *variable);
static bool literal_fits(Compiler *c, VariableType type, JsonbValue *literal);
static int	node_of(const Definition *def, const Operand *operand);
static const Operand *nth_reference(const Definition *def, int node, int n);
static void mark_read(DefaultGraph *graph, const Operand *operand);
static void visit_operand(const Operand *operand, const char *used_by, void *arg);
static void find_readers(DefaultGraph *graph);
static void look_into_read(DefaultGraph *graph);
static void order_defaults(DefaultGraph *graph);
static void leave_node(GraphWalk *walk, int node);
static void report_circle(GraphWalk *walk, const int *path, int depth, int node);

/* ------------------------------------------------------------------- types */

/*
 * The data types of all variables and constants.
 */
void
orch_definition_compile_variables(Compiler *c, const DocNode *root)
{
	static const char *const kinds[] = {"constants", "variables"};
	const DocNode *child;
	int			n = 0;
	int			i;

	compile_api_version(c, root);
	/* constants first, as their names were declared */
	for (i = 0; i < (int) lengthof(kinds); i++)
		for (child = root->first_child; child != NULL; child = child->next)
			if (orch_definition_is_named(child, kinds[i]))
				compile_variable(c, child, &c->def->variables[n++]);
	Assert(n == c->def->nvariables);
}

static void
compile_variable(Compiler *c, const DocNode *node, VariableDef *variable)
{
	char	   *type = orch_definition_word(node, "dataType");
	char	   *object = orch_definition_word(node, "objectType");

	CHECK_FOR_INTERRUPTS();
	variable->is_constant = orch_definition_is_named(node, "constants");
	variable->is_stored = !variable->is_constant;
	variable->is_collection = orch_definition_boolean(node, "isCollection");
	variable->is_input = orch_definition_boolean(node, "isInput");
	variable->is_output = orch_definition_boolean(node, "isOutput");
	if (type == NULL)
		return;					/* reported */
	if (!orch_condition_find_variable_type(type, &variable->type))
		error_at(c, orch_document_child(node, "dataType"),
				 "dataType \"%s\" is not supported", type);
	else if (variable->type == VARIABLE_RECORD && object != NULL)
		variable->object_type = MemoryContextStrdup(c->context, object);
}

/*
 * The version of the platform for which the definition was written, such as 60.0.
 */
static void
compile_api_version(Compiler *c, const DocNode *root)
{
	const DocNode *node = orch_document_child(root, "apiVersion");
	Numeric		number;
	Datum		whole;

	if (node == NULL || node->text == NULL || node->kind == DOC_NIL)
		return;
	if (!orch_document_number(node->text, &number))
	{
		warning_at(c, node, "apiVersion \"%.*s\" is not a number and has no effect",
				   pg_mbcliplen(node->text, strlen(node->text), 80), node->text);
		return;
	}
	whole = DirectFunctionCall2(numeric_trunc, NumericGetDatum(number), Int32GetDatum(0));
	if (DatumGetBool(DirectFunctionCall2(numeric_gt, whole,
										 NumericGetDatum(int64_to_numeric(0)))) &&
		DatumGetBool(DirectFunctionCall2(numeric_lt, whole,
										 NumericGetDatum(int64_to_numeric(PG_INT32_MAX)))))
		c->def->api_version = DatumGetInt32(DirectFunctionCall1(numeric_int4, whole));
}

/*
 * Can a variable that is no collection hold values of a type?  A text takes the text of a
 * number, boolean or date.  An SObject variable takes the id of a record, too.
 * Source: Salesforce Help, "Flow Operators in Assignment Elements".
 */
bool
orch_definition_type_fits(const VariableDef *variable, ValueType type)
{
	if (type == VALUE_UNKNOWN)
		return true;
	switch (variable->type)
	{
		case VARIABLE_NUMBER:
			return type == VALUE_NUMBER;
		case VARIABLE_BOOLEAN:
			return type == VALUE_BOOLEAN;
		case VARIABLE_RECORD:
			return type == VALUE_RECORD ||
				(variable->object_type != NULL && (type == VALUE_TEXT || type == VALUE_NUMBER));
		case VARIABLE_DATE:
		case VARIABLE_DATETIME:
			return orch_condition_is_date(type) || type == VALUE_TEXT;
		case VARIABLE_TIME:
			return type == VALUE_TIME || type == VALUE_TEXT;
		case VARIABLE_STRING:
			return type != VALUE_RECORD && type != VALUE_COLLECTION;
	}
	return false;
}

/* ------------------------------------------------------------------ values */

/*
 * The values of constants, and the defaults of variables.
 */
void
orch_definition_compile_defaults(Compiler *c, const DocNode *root)
{
	const DocNode *child;
	int			n = 0;

	compile_constants(c, root);
	for (child = root->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "constants"))
			n++;
	for (child = root->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "variables"))
			compile_default(c, child, &c->def->variables[n++]);
	Assert(n == c->def->nvariables);
}

/*
 * Each constant after the one that it refers to.
 */
static void
compile_constants(Compiler *c, const DocNode *root)
{
	enum
	{
		UNSEEN, ON_PATH, DONE
	};
	int			total = Max(c->def->nvariables, 1);
	const DocNode **nodes = palloc_extended(sizeof(DocNode *) * total, MCXT_ALLOC_HUGE);
	char	   *state = palloc_extended(total, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int		   *path = palloc_extended(sizeof(int) * total, MCXT_ALLOC_HUGE);
	const DocNode *child;
	int			n = 0;
	int			i;

	for (child = root->first_child; child != NULL; child = child->next)
		if (orch_definition_is_named(child, "constants"))
			nodes[n++] = child;
	for (i = 0; i < n; i++)
	{
		int			depth = 0;
		int			at = i;

		if (state[i] != UNSEEN)
			continue;
		for (;;)
		{
			CHECK_FOR_INTERRUPTS();
			path[depth++] = at;
			state[at] = ON_PATH;
			at = constant_target(c, nodes[at]);
			if (at < 0 || state[at] != UNSEEN)
				break;
		}
		if (at >= 0 && state[at] == ON_PATH)
		{
			warning_at(c, nodes[path[depth - 1]],
					   "the value of constant \"%s\" depends on itself, so it is null",
					   c->def->variables[path[depth - 1]].name);
			state[path[--depth]] = DONE;
		}
		while (depth > 0)
		{
			VariableDef *variable = &c->def->variables[path[--depth]];

			compile_default(c, nodes[path[depth]], variable);
			c->constants[path[depth]] = variable->default_value;
			state[path[depth]] = DONE;
		}
	}
	pfree(nodes);
	pfree(state);
	pfree(path);
}

/* The constant that a constant's value is a reference to, -1: none. */
static int
constant_target(Compiler *c, const DocNode *node)
{
	const DocNode *value = orch_document_child(node, "value");
	char	   *reference = value == NULL || value->kind != DOC_OBJECT ? NULL :
		orch_definition_word(value, "elementReference");
	const NameEntry *entry = reference == NULL ? NULL :
		orch_definition_find_name(c->def, reference);

	return entry != NULL && entry->kind == NAME_CONSTANT ? entry->index : -1;
}

static void
compile_default(Compiler *c, const DocNode *node, VariableDef *variable)
{
	const DocNode *value = orch_document_child(node, "value");
	Operand    *operand;

	CHECK_FOR_INTERRUPTS();
	if (value == NULL || value->kind != DOC_OBJECT)
		return;					/* null */
	operand = orch_definition_compile_value(c, value, USE_DEFAULT);
	variable->default_value = operand;
	if (operand == NULL)
		return;
	if (operand->kind != OPERAND_LITERAL)
	{
		variable->is_stored = true;
		check_reference(c, value, variable);
	}
	else if (operand->literal != NULL)
		check_literal(c, value, variable);
}

/*
 * A literal must have the data type, or be a text that reads as a value of it; it is
 * converted.
 */
static void
check_literal(Compiler *c, const DocNode *value, VariableDef *variable)
{
	Operand    *operand = variable->default_value;
	JsonbValue *literal = MemoryContextAlloc(c->context, sizeof(JsonbValue));
	char	   *text;

	if (variable->is_collection)
	{
		error_at(c, value, "a collection cannot have a default value");
		return;
	}
	/* a copy, because the literal may belong to a constant of another data type */
	*literal = *operand->literal;
	operand->literal = literal;
	if (variable->type == VARIABLE_STRING && literal->type != jbvString &&
		orch_document_child(value, "elementReference") != NULL)
	{
		literal->val.string.val =
			MemoryContextStrdup(c->context, orch_condition_value_text(operand->literal));
		literal->val.string.len = strlen(literal->val.string.val);
		literal->type = jbvString;
	}
	operand->type = orch_condition_value_type(variable->type);
	operand->is_datetime = variable->type == VARIABLE_DATE ||
		variable->type == VARIABLE_DATETIME;
	if (literal_fits(c, variable->type, literal))
		return;
	text = orch_condition_value_text(literal);
	error_at(c, value, "the value \"%.*s\" is not of data type %s",
			 pg_mbcliplen(text, strlen(text), 80), text,
			 orch_condition_variable_type_name(variable->type));
}

static bool
literal_fits(Compiler *c, VariableType type, JsonbValue *literal)
{
	char	   *text = orch_condition_value_text(literal);
	Timestamp	timestamp;
	bool		fits = false;
	MemoryContext old;

	switch (type)
	{
		case VARIABLE_STRING:
			return literal->type == jbvString;
		case VARIABLE_NUMBER:
			if (literal->type != jbvString)
				return literal->type == jbvNumeric;
			old = MemoryContextSwitchTo(c->context);
			fits = orch_document_number(text, &literal->val.numeric);
			MemoryContextSwitchTo(old);
			if (fits)
				literal->type = jbvNumeric;
			else
				literal->val.string.val = text;
			return fits;
		case VARIABLE_BOOLEAN:
			if (literal->type == jbvString)
			{
				bool		boolean;

				if (!orch_document_boolean(text, &boolean))
					return false;
				literal->type = jbvBool;
				literal->val.boolean = boolean;
			}
			return literal->type == jbvBool;
		case VARIABLE_DATE:
		case VARIABLE_DATETIME:
			return literal->type == jbvString &&
				orch_condition_datetime(text, strlen(text), &timestamp);
		case VARIABLE_TIME:
			return literal->type == jbvString;
		case VARIABLE_RECORD:
			return false;
	}
	return false;
}

/*
 * A reference must have the data type, as far as that is known, and should have a value
 * when a run starts.
 */
static void
check_reference(Compiler *c, const DocNode *value, const VariableDef *variable)
{
	const Operand *operand = variable->default_value;
	const char *what = variable->is_constant ? "constant" : "variable";
	bool		fits = variable->is_collection ?
		operand->type == VALUE_UNKNOWN || operand->type == VALUE_COLLECTION :
		orch_definition_type_fits(variable, operand->type);

	if (!fits)
		error_at(c, value, "the value of \"%s\" is not of the data type of %s \"%s\"",
				 operand->text, what, variable->name);
	if (operand->kind == OPERAND_STEP_OUTPUT || operand->kind == OPERAND_STEP_STATUS ||
		operand->kind == OPERAND_STAGE_STATUS)
		warning_at(c, value, "\"%s\" has no value yet when a run starts, so %s \"%s\" begins with null",
				   operand->text, what, variable->name);
}

/* ------------------------------------------- what reads which variables */

/* The node that an operand reads, -1: none. */
static int
node_of(const Definition *def, const Operand *operand)
{
	if (operand == NULL)
		return WALK_NONE;
	switch (operand->kind)
	{
		case OPERAND_VARIABLE:
			return operand->index;
		case OPERAND_FORMULA:
			return def->nvariables + operand->index;
		case OPERAND_TEMPLATE:
			return def->nvariables + def->nformulas + operand->index;
		default:
			return WALK_NONE;
	}
}

/* What a node reads, one operand after another; NULL after the last. */
static const Operand *
nth_reference(const Definition *def, int node, int n)
{
	const List *references;

	if (node < def->nvariables)
		return n == 0 ? def->variables[node].default_value : NULL;
	node -= def->nvariables;
	references = node < def->nformulas ? def->formulas[node].references :
		def->templates[node - def->nformulas].references;
	return n < list_length(references) ? list_nth(references, n) : NULL;
}

static void
mark_node(DefaultGraph *graph, int node)
{
	if (node == WALK_NONE || graph->read[node])
		return;
	graph->read[node] = true;
	graph->todo[graph->ntodo++] = node;
}

static void
mark_read(DefaultGraph *graph, const Operand *operand)
{
	mark_node(graph, node_of(graph->c->def, operand));
}

/* OperandVisitor */
static void
visit_read(const Operand *operand, const char *used_by, void *arg)
{
	mark_read(arg, operand);
}

/* OperandVisitor: whatever an element reads that is not itself a formula or text template */
static void
visit_operand(const Operand *operand, const char *used_by, void *arg)
{
	DefaultGraph *graph = arg;
	const NameEntry *entry = orch_definition_find_name(graph->c->def, used_by);

	if (entry == NULL || (entry->kind != NAME_FORMULA && entry->kind != NAME_TEMPLATE))
		mark_read(graph, operand);
}

/* Look into everything that is read and was not looked into. */
static void
look_into_read(DefaultGraph *graph)
{
	while (graph->ntodo > 0)
	{
		int			node = graph->todo[--graph->ntodo];
		const Operand *operand;
		int			n;

		for (n = 0; (operand = nth_reference(graph->c->def, node, n)) != NULL; n++)
		{
			CHECK_FOR_INTERRUPTS();
			mark_read(graph, operand);
		}
	}
}

/*
 * Notes the variables that are read, by the filters of the start first.
 */
static void
find_readers(DefaultGraph *graph)
{
	Definition *def = graph->c->def;
	const ListCell *cell;
	int			i;
	int			j;

	foreach(cell, def->filter_references)
		mark_read(graph, lfirst(cell));
	orch_definition_walk_set(def->filters, visit_read, NULL, graph);
	look_into_read(graph);
	for (i = 0; i < def->nvariables; i++)
		def->filters_read_variables |= graph->read[i];

	orch_definition_walk(def, visit_operand, graph);
	for (i = 0; i < def->nlookups; i++)
		orch_definition_walk_set(def->lookups[i].filters, visit_read, NULL, graph);
	for (i = 0; i < def->nassignments; i++)
		for (j = 0; j < def->assignments[i].nitems; j++)
		{
			const AssignItem *item = &def->assignments[i].items[j];

			/* the others read the value that they change */
			if (item->op != ASSIGN_SET || item->path != NIL)
				mark_node(graph, item->variable);
		}
	for (i = 0; i < def->nvariables; i++)
		if (def->kind == DEFINITION_EVALUATION && def->variables[i].is_output)
			mark_node(graph, i);
	look_into_read(graph);
	for (i = 0; i < def->nvariables; i++)
	{
		VariableDef *variable = &def->variables[i];

		variable->is_read = graph->read[i];
		variable->refreshes = variable->is_read && variable->object_type != NULL &&
			!variable->is_constant && def->kind != DEFINITION_EVALUATION &&
			(def->api_version == 0 || def->api_version >= REFRESH_API_VERSION);
		graph->refreshes[i] = variable->refreshes;
		def->refreshes |= variable->refreshes;
	}
}

/* ------------------------------------------------------- order of defaults */

static int
node_read(GraphWalk *walk, int node, int n)
{
	const Definition *def = ((DefaultGraph *) walk->arg)->c->def;
	const Operand *operand = nth_reference(def, node, n);

	return operand == NULL ? WALK_END : node_of(def, operand);
}

/*
 * Orders the defaults, warns of circles, and notes which formulas and text templates are
 * computed from variables that refresh.
 */
static void
order_defaults(DefaultGraph *graph)
{
	GraphWalk	walk = {0};

	walk.nnodes = graph->total;
	walk.next = node_read;
	walk.circle = report_circle;
	walk.leave = leave_node;
	walk.arg = graph;
	orch_definition_walk_graph(&walk);
}

/* Everything that a node reads is known. */
static void
leave_node(GraphWalk *walk, int node)
{
	DefaultGraph *graph = walk->arg;
	Definition *def = graph->c->def;
	const Operand *operand;
	int			n;

	if (node < def->nvariables)
	{
		const VariableDef *variable = &def->variables[node];

		if (variable->default_value != NULL && variable->is_stored)
			def->defaults[def->ndefaults++] = node;
		return;
	}
	for (n = 0; (operand = nth_reference(def, node, n)) != NULL; n++)
	{
		int			next = node_of(def, operand);

		if (next >= 0 && graph->refreshes[next])
			graph->refreshes[node] = true;
	}
}

/*
 * The last node of the path reads one that is on the path already.  There is a variable
 * among those between: formulas alone were refused.
 */
static void
report_circle(GraphWalk *walk, const int *path, int depth, int node)
{
	DefaultGraph *graph = walk->arg;
	Definition *def = graph->c->def;

	while (path[depth] >= def->nvariables && path[depth] != node)
		depth--;
	if (path[depth] < def->nvariables)
		warning_at(graph->c, graph->nodes[path[depth]],
				   "the default of variable \"%s\" depends on itself, so a part of it is null when a run starts",
				   def->variables[path[depth]].name);
}

/* ------------------------------------------------------------------ stages */

/* OperandTest */
static bool
refreshes(const Definition *def, const Operand *operand, void *arg)
{
	int			node = node_of(def, operand);

	return node != WALK_NONE && ((DefaultGraph *) arg)->refreshes[node];
}

/*
 * Called last, for a definition without errors.
 */
void
orch_definition_order_defaults(Compiler *c, const DocNode *root)
{
	static const char *const kinds[] = {"constants", "variables"};
	Definition *def = c->def;
	DefaultGraph graph = {c};
	const DocNode *child;
	int			n = 0;
	int			i;

	if (def->nvariables == 0)
		return;
	graph.total = def->nvariables + def->nformulas + def->ntemplates;
	graph.nodes = palloc_extended(sizeof(DocNode *) * def->nvariables, MCXT_ALLOC_HUGE);
	graph.read = palloc_extended(graph.total, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	graph.refreshes = palloc_extended(graph.total, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	graph.todo = palloc_extended(sizeof(int) * graph.total, MCXT_ALLOC_HUGE);
	def->defaults = MemoryContextAllocExtended(c->context, sizeof(int) * def->nvariables,
											   MCXT_ALLOC_HUGE);
	for (i = 0; i < (int) lengthof(kinds); i++)
		for (child = root->first_child; child != NULL; child = child->next)
			if (orch_definition_is_named(child, kinds[i]))
				graph.nodes[n++] = child;
	find_readers(&graph);
	order_defaults(&graph);
	/* the stages that wait for the records of variables */
	for (i = 0; def->refreshes && i < def->nstages; i++)
		def->stages[i].reads_variables =
			orch_definition_stage_reads(def, &def->stages[i], refreshes, &graph);
	pfree(graph.nodes);
	pfree(graph.read);
	pfree(graph.refreshes);
	pfree(graph.todo);
}
