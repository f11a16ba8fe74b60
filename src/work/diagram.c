/*-------------------------------------------------------------------------
 *
 * diagram.c
 *	  run_diagram(), orchestration_diagram(): a run or a version as Mermaid, Graphviz or SVG.
 *
 * The diagram is the graph of the definition: its elements, with the steps of each stage, and
 * the connectors between them.  For a run it shows the status of each stage that the run
 * reached (the last time, if a loop reached it several times) and of each step, by a colour
 * and in words.  This file makes the graph; the others of this name draw it, see diagram.h.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/diagram.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "access/access.h"
#include "access/access_argument.h"
#include "access/access_name.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/system.h"
#include "base/uuid.h"
#include "definition/definition_int.h"
#include "guard/transition.h"
#include "record/principal.h"
#include "work/diagram.h"

/* see orch_access_require_permission() */
#define TO_DRAW "draw orchestrations"

#define NODE_START	0
#define NODE_END	1
#define NODE_STAGE(i)	(2 + (i))

static StaticPlan plan_run = {
	"SELECT version_id, status, name FROM orchestration.run WHERE id = $1", 1, {UUIDOID}
};
static StaticPlan plan_version = {
	"SELECT id FROM orchestration.orchestration_version WHERE id = $1", 1, {UUIDOID}
};
static StaticPlan plan_active = {
	"SELECT v.id FROM orchestration.orchestration_definition d"
	" JOIN orchestration.orchestration_version v"
	" ON v.orchestration_id = d.id AND v.version = d.active_version WHERE d.name = $1",
	1, {TEXTOID}
};
static StaticPlan plan_stages = {
	"SELECT name, status, id FROM orchestration.stage_run WHERE run_id = $1 ORDER BY position",
	1, {UUIDOID}
};
static StaticPlan plan_steps = {
	"SELECT DISTINCT ON (name) name, status, id FROM orchestration.step_run"
	" WHERE run_id = $1 ORDER BY name, id DESC",
	1, {UUIDOID}
};

static text *draw(Diagram *graph, const char *format, MemoryContext caller);
static char *checked_format(FunctionCallInfo fcinfo, int argno);
static Diagram *make_graph(const Definition *def);
static void make_stage(Diagram *graph, const Definition *def, int index);
static void add_edge(Diagram *graph, int from, const Definition *def, Connector to,
					 const char *label, bool is_fault);
static int	node_of(const Definition *def, Connector connector);
static char *shown(const char *label);
static char *step_kind(const Definition *def, const StepDef *step, bool parallel);
static void show_run(Diagram *graph, const Definition *def, const pg_uuid_t *run_id, Oid role);
static void show_stages(Diagram *graph, const Definition *def, Datum run_id, Oid role);
static void show_steps(Diagram *graph, const Definition *def, Datum run_id, Oid role);
static void refuse(const pg_uuid_t *id) pg_attribute_noreturn();

PG_FUNCTION_INFO_V1(orchestration_run_diagram);
PG_FUNCTION_INFO_V1(orchestration_orchestration_diagram);

/*
 * orchestration.run_diagram(run_id uuid, format text) returns text; also with run text
 *
 * Returns the graph of a run, or of an orchestration version, as "mermaid", "dot" or "svg"
 * (a document of its own).  The graph of a run shows the statuses of those stages and steps
 * that the caller sees.  The graph of a version needs the permission Manage Flow.
 * Raises: 22004 for null, 22023 for another format, OR101 for an id that is neither a run
 * nor a version that the caller sees and for a run that was imported without a version,
 * 42501 for a role that acts as no active user.
 * Source: ours.
 */
Datum
orchestration_run_diagram(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	MemoryContext caller = CurrentMemoryContext;
	pg_uuid_t  *id;
	pg_uuid_t	version_id;
	char	   *format;
	text	   *result;
	RecordAccess record;
	bool		is_run;
	const Definition *def;
	Diagram    *graph;
	Datum		value;
	bool		isnull;
	bool		manages;
	Oid			role = GetUserId();

	orch_require_arguments(fcinfo, 0, 2, "run_id and format");
	id = orch_argument_record(fcinfo, 0, OBJECT_RUN, NAMES_SEEN);
	format = checked_format(fcinfo, 1);
	manages = (orch_access_require_user(role)->permissions &
			   PERMISSION_MANAGE_DEFINITIONS) != 0;
	is_run = orch_access_read(OBJECT_RUN, id, &record);
	if (is_run ? !orch_access_sees(role, OBJECT_RUN, id) : !manages)
		refuse(id);

	orch_system_connect(&saved);
	value = UUIDPGetDatum(id);
	orch_plan_execute(is_run ? &plan_run : &plan_version, &value, NULL, true, 1);
	if (SPI_processed == 0)
		refuse(id);
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("%s was imported without a version", orch_label_run(id)),
				 orch_error_column(RELATION_RUN, "version_id")));
	version_id = *DatumGetUUIDP(value);
	def = orch_definition_get(&version_id);
	graph = make_graph(def);
	if (is_run)
		show_run(graph, def, id, role);
	result = draw(graph, format, caller);
	orch_system_finish(&saved);
	PG_RETURN_TEXT_P(result);
}

/*
 * orchestration.orchestration_diagram(orchestration text, version integer, format text) returns text
 *
 * Returns the graph of a version as run_diagram() does; with version null that of the active
 * version, or of the newest if none is active.
 * Raises: 22004 for null, 22023 for another format, 42501 without the permission Manage Flow
 * and for a role that acts as no active user, OR202 for an unknown orchestration, OR101 for an
 * unknown version.
 * Source: ours.
 */
Datum
orchestration_orchestration_diagram(PG_FUNCTION_ARGS)
{
	SystemContext saved;
	MemoryContext caller = CurrentMemoryContext;
	char	   *name;
	char	   *format;
	bool		any = PG_ARGISNULL(1);
	int32		version = any ? 0 : PG_GETARG_INT32(1);
	pg_uuid_t	version_id;
	text	   *result;
	bool		isnull;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("orchestration and format must not be null")));
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	format = checked_format(fcinfo, 2);
	orch_access_require_permission(GetUserId(), PERMISSION_MANAGE_DEFINITIONS,
								   TO_DRAW);

	orch_system_connect(&saved);
	SPI_processed = 0;
	if (any)
	{
		Datum		value = CStringGetTextDatum(name);

		orch_plan_execute(&plan_active, &value, NULL, false, 1);
	}
	if (SPI_processed > 0)
		version_id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0],
												  SPI_tuptable->tupdesc, 1, &isnull));
	else if (!orch_definition_find_version(name, any, version, &version_id, &version))
	{
		if (any || !orch_definition_find_version(name, true, 0, &version_id, &version))
			orch_definition_unknown(name);
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("orchestration \"%s\" has no version %d", name, PG_GETARG_INT32(1))));
	}
	result = draw(make_graph(orch_definition_get(&version_id)), format, caller);
	orch_system_finish(&saved);
	PG_RETURN_TEXT_P(result);
}

/* The graph in a format, in the memory context of the caller. */
static text *
draw(Diagram *graph, const char *format, MemoryContext caller)
{
	char	   *drawing = strcmp(format, "mermaid") == 0 ? orch_diagram_mermaid(graph) :
		strcmp(format, "dot") == 0 ? orch_diagram_dot(graph) : orch_diagram_svg(graph);
	MemoryContext own = MemoryContextSwitchTo(caller);
	text	   *result = cstring_to_text(drawing);

	MemoryContextSwitchTo(own);
	return result;
}

static char *
checked_format(FunctionCallInfo fcinfo, int argno)
{
	char	   *format = text_to_cstring(PG_GETARG_TEXT_PP(argno));

	if (strcmp(format, "mermaid") != 0 && strcmp(format, "dot") != 0 &&
		strcmp(format, "svg") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no format \"%s\"", format),
				 errhint("mermaid, dot and svg are.")));
	return format;
}

/* ------------------------------------------------------------------ graph */

static Diagram *
make_graph(const Definition *def)
{
	Diagram    *graph = palloc0(sizeof(Diagram));
	DiagramNode *nodes;
	int			n;
	int			i;
	int			j;

	graph->title = shown(def->label);
	graph->subtitle = psprintf("version %d", def->version);
	graph->nnodes = 2 + def->nstages + def->ndecisions + def->nassignments + def->nlookups;
	graph->nodes = nodes = palloc0(sizeof(DiagramNode) * graph->nnodes);
	graph->edges = palloc0(sizeof(DiagramEdge) *
						   (2 + 2 * def->nstages + def->noutcomes + def->ndecisions +
							def->nassignments + def->nlookups));
	nodes[NODE_START].label = "Start";
	nodes[NODE_START].is_drawn = true;
	nodes[NODE_END].label = "End";
	nodes[NODE_END].kind = DIAGRAM_END;
	add_edge(graph, NODE_START, def, def->start, NULL, false);
	if (def->has_recall)
		add_edge(graph, NODE_START, def, def->recall, "recalled", true);
	for (i = 0; i < def->nstages; i++)
		make_stage(graph, def, i);
	n = NODE_STAGE(def->nstages);
	for (i = 0; i < def->ndecisions; i++, n++)
	{
		const DecisionDef *decision = &def->decisions[i];

		nodes[n].kind = DIAGRAM_DECISION;
		nodes[n].label = shown(decision->label);
		for (j = decision->first_outcome; j < decision->first_outcome + decision->noutcomes; j++)
			add_edge(graph, n, def, def->outcomes[j].connector, def->outcomes[j].label, false);
		add_edge(graph, n, def, decision->default_connector,
				 decision->default_label != NULL ? decision->default_label : "else", false);
	}
	for (i = 0; i < def->nassignments; i++, n++)
	{
		nodes[n].kind = DIAGRAM_ASSIGNMENT;
		nodes[n].label = shown(def->assignments[i].label);
		add_edge(graph, n, def, def->assignments[i].connector, NULL, false);
	}
	for (i = 0; i < def->nlookups; i++, n++)
	{
		nodes[n].kind = DIAGRAM_LOOKUP;
		nodes[n].label = shown(def->lookups[i].label);
		add_edge(graph, n, def, def->lookups[i].connector, NULL, false);
	}
	for (i = 0; i < graph->nnodes; i++)
		if (i != NODE_END)
			nodes[i].is_drawn = true;
	return graph;
}

static void
make_stage(Diagram *graph, const Definition *def, int index)
{
	const StageDef *stage = &def->stages[index];
	DiagramNode *node = &graph->nodes[NODE_STAGE(index)];
	int			nfirst = 0;		/* steps that start with the stage */
	int			i;

	node->kind = DIAGRAM_STAGE;
	node->label = shown(stage->label);
	for (i = stage->first_step; i < stage->first_step + stage->nsteps; i++)
		if (def->steps[i].nafter == 0 && def->steps[i].entry == NULL &&
			def->steps[i].entry_action == NULL)
			nfirst++;
	for (i = stage->first_step; i < stage->first_step + stage->nsteps; i++)
	{
		DiagramStep *step = palloc0(sizeof(DiagramStep));

		CHECK_FOR_INTERRUPTS();
		step->label = shown(def->steps[i].label);
		step->kind = step_kind(def, &def->steps[i], nfirst > 1);
		node->steps = lappend(node->steps, step);
	}
	add_edge(graph, NODE_STAGE(index), def, stage->connector, NULL, false);
	if (stage->has_fault)
		add_edge(graph, NODE_STAGE(index), def, stage->fault, "fault", true);
}

/* Edges are added node by node. */
static void
add_edge(Diagram *graph, int from, const Definition *def, Connector to, const char *label,
		 bool is_fault)
{
	DiagramEdge *edge = &graph->edges[graph->nedges];
	DiagramNode *node = &graph->nodes[from];

	CHECK_FOR_INTERRUPTS();
	if (node->nedges++ == 0)
		node->first_edge = graph->nedges;
	graph->nedges++;
	edge->from = from;
	edge->to = node_of(def, to);
	edge->label = label != NULL && label[0] != '\0' ? shown(label) : NULL;
	edge->is_fault = is_fault;
	graph->nodes[edge->to].is_drawn = true;
}

static int
node_of(const Definition *def, Connector connector)
{
	int			before = NODE_STAGE(def->nstages);

	switch (connector.kind)
	{
		case ELEMENT_END:
			return NODE_END;
		case ELEMENT_STAGE:
			return NODE_STAGE(connector.index);
		case ELEMENT_DECISION:
			return before + connector.index;
		case ELEMENT_ASSIGNMENT:
			return before + def->ndecisions + connector.index;
		case ELEMENT_LOOKUP:
			return before + def->ndecisions + def->nassignments + connector.index;
	}
	return NODE_END;
}

/* A label as diagrams show it: of bounded length. */
static char *
shown(const char *label)
{
	int			length = strlen(label);
	int			most = pg_mbcharcliplen(label, length, DIAGRAM_MAX_LABEL);

	return most == length ? pstrdup(label) :
		psprintf("%.*s...", pg_mbcharcliplen(label, length, DIAGRAM_MAX_LABEL - 3), label);
}

/*
 * What a step is and when it starts: "Approval by all, after Ask".  parallel: several steps
 * start with the stage.
 */
static char *
step_kind(const Definition *def, const StepDef *step, bool parallel)
{
	const char *type = step->is_approval ?
		(step->is_unanimous ? "Approval by all" : "Approval") :
		step->is_mulesoft ? "MuleSoft" :
		step->type == STEP_TYPE_INTERACTIVE ? "Interactive" :
		step->type == STEP_TYPE_BACKGROUND ? "Background" : "Asynchronous";

	if (step->nafter > 1)
		return psprintf("%s, after %s and %d more", type, shown(def->steps[step->after[0]].label),
						step->nafter - 1);
	if (step->nafter == 1)
		return psprintf("%s, after %s", type, shown(def->steps[step->after[0]].label));
	if (step->entry != NULL || step->entry_action != NULL)
		return psprintf("%s, on a condition", type);
	return psprintf(parallel ? "%s, parallel" : "%s", type);
}

/* The same error if the record does not exist and if the caller does not see it. */
static void
refuse(const pg_uuid_t *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
			 errmsg("there is no run or orchestration version %s", orch_uuid_text(id)),
			 orch_error_column(RELATION_RUN, "id")));
}

/* --------------------------------------------------------------- statuses */

static Shade
stage_shade(StageStatus status)
{
	switch (status)
	{
		case STAGE_COMPLETED:
			return SHADE_COMPLETED;
		case STAGE_ERROR:
			return SHADE_ERROR;
		case STAGE_SUSPENDED:
			return SHADE_SUSPENDED;
		case STAGE_DISCONTINUED:
			return SHADE_DISCONTINUED;
		case STAGE_IN_PROGRESS:
			return SHADE_UNDER_WAY;
	}
	return SHADE_PLAIN;
}

static Shade
step_shade(StepStatus status)
{
	switch (status)
	{
		case STEP_COMPLETED:
			return SHADE_COMPLETED;
		case STEP_ERROR:
			return SHADE_ERROR;
		case STEP_DISCONTINUED:
			return SHADE_DISCONTINUED;
		case STEP_IN_PROGRESS:
			return SHADE_UNDER_WAY;
		case STEP_NOT_STARTED:
			return SHADE_PLAIN;
	}
	return SHADE_PLAIN;
}

/*
 * Add the statuses of the run, its stages and its steps.
 */
static void
show_run(Diagram *graph, const Definition *def, const pg_uuid_t *run_id, Oid role)
{
	Datum		value = UUIDPGetDatum(run_id);
	RunStatus	status;

	orch_plan_execute(&plan_run, &value, NULL, true, 1);
	status = (RunStatus) orch_catalog_label_column(ENUM_RUN_STATUS, SPI_tuptable->vals[0],
												   SPI_tuptable->tupdesc, 2);
	graph->status = orch_transition_status_name(LEVEL_RUN, status);
	graph->subtitle = psprintf("run %s: %s",
							   SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3),
							   graph->status);
	graph->nodes[NODE_START].shade = SHADE_COMPLETED;
	if (status == RUN_COMPLETED)
		graph->nodes[NODE_END].shade = SHADE_COMPLETED;
	show_stages(graph, def, value, role);
	show_steps(graph, def, value, role);
}

/*
 * Stages and steps are shared apart from their run, whose graph the user sees: only those
 * that the user sees count.
 */
static void
show_stages(Diagram *graph, const Definition *def, Datum run_id, Oid role)
{
	SPITupleTable *rows;
	uint64		nrows;
	uint64		i;
	bool		isnull;

	orch_plan_execute(&plan_stages, &run_id, NULL, true, 0);
	rows = SPI_tuptable;
	nrows = SPI_processed;
	for (i = 0; i < nrows; i++)
	{
		HeapTuple	tuple = rows->vals[i];
		int			index = orch_definition_stage_index(def,
														SPI_getvalue(tuple, rows->tupdesc, 1));
		DiagramNode *node;
		StageStatus status;

		CHECK_FOR_INTERRUPTS();
		if (index < 0 ||
			!orch_access_sees(role, OBJECT_STAGE,
							  DatumGetUUIDP(SPI_getbinval(tuple, rows->tupdesc, 3, &isnull))))
			continue;
		node = &graph->nodes[NODE_STAGE(index)];
		status = (StageStatus) orch_catalog_label_column(ENUM_STAGE_STATUS, tuple,
														 rows->tupdesc, 2);
		node->shade = stage_shade(status);
		node->status = orch_transition_status_name(LEVEL_STAGE, status);
		node->times++;
	}
}

static void
show_steps(Diagram *graph, const Definition *def, Datum run_id, Oid role)
{
	SPITupleTable *rows;
	uint64		nrows;
	uint64		i;
	bool		isnull;

	orch_plan_execute(&plan_steps, &run_id, NULL, true, 0);
	rows = SPI_tuptable;
	nrows = SPI_processed;
	for (i = 0; i < nrows; i++)
	{
		HeapTuple	tuple = rows->vals[i];
		int			index = orch_definition_step_index(def,
													   SPI_getvalue(tuple, rows->tupdesc, 1));
		int			stage = index >= 0 ? def->steps[index].stage : -1;
		DiagramStep *step;

		CHECK_FOR_INTERRUPTS();
		if (index < 0 ||
			!orch_access_sees(role, OBJECT_STEP,
							  DatumGetUUIDP(SPI_getbinval(tuple, rows->tupdesc, 3, &isnull))))
			continue;
		step = list_nth(graph->nodes[NODE_STAGE(stage)].steps,
						index - def->stages[stage].first_step);
		step->shade = step_shade((StepStatus) orch_catalog_label_column(ENUM_STEP_STATUS, tuple,
																		rows->tupdesc, 2));
		step->status = SPI_getvalue(tuple, rows->tupdesc, 2);
	}
}
