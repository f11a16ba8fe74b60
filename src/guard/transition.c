/*-------------------------------------------------------------------------
 *
 * transition.c
 *	  The status machine: which changes are legal, what may stand beside what.
 *
 * Two constant tables, row by row as in contract/transitions.csv and
 * contract/neighbours.csv.  They alone decide: the guard, verify() and the messages
 * read them.  A test compares both with the csv files through the SQL functions at
 * the end.
 *
 * Statuses are ints here: the C enum of their level.  Conditions that need more than
 * the statuses of parent and child are in guard_check.c.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/transition.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "guard/transition.h"

static const struct
{
	const char *name;
	EnumType	type;
}			levels[NUM_LEVELS] = {
	[LEVEL_RUN] = {"run", ENUM_RUN_STATUS},
	[LEVEL_STAGE] = {"stage", ENUM_STAGE_STATUS},
	[LEVEL_STEP] = {"step", ENUM_STEP_STATUS},
	[LEVEL_WORK_ITEM] = {"work_item", ENUM_WORK_ITEM_STATUS},
	[LEVEL_APPROVAL_SUBMISSION] = {"approval_submission", ENUM_SUBMISSION_STATUS},
	[LEVEL_APPROVAL_WORK_ITEM] = {"approval_work_item", ENUM_APPROVAL_STATUS}
};

/* contract/transitions.csv, lines 2 to 51 */
static const Transition transitions[] = {
	{LEVEL_RUN, STATUS_NEW, RUN_IN_PROGRESS, BY_ENGINE,
		"the orchestration is started",
	LOG_START_INSTANCE},
	{LEVEL_RUN, RUN_IN_PROGRESS, RUN_COMPLETED, BY_ENGINE,
		"its path ended",
	LOG_END_INSTANCE},
	{LEVEL_RUN, RUN_IN_PROGRESS, RUN_SUSPENDED, BY_USER,
		"Edit access",
	LOG_SUSPEND_INSTANCE},
	{LEVEL_RUN, RUN_IN_PROGRESS, RUN_CANCELED, BY_USER,
		"Edit access",
	LOG_CANCEL_INSTANCE},
	{LEVEL_RUN, RUN_IN_PROGRESS, RUN_ERROR, BY_ENGINE,
		"an error that no fault path handles",
	LOG_FAIL_INSTANCE},
	{LEVEL_RUN, RUN_SUSPENDED, RUN_IN_PROGRESS, BY_USER,
		"Edit access",
	LOG_RESUME_INSTANCE},
	{LEVEL_RUN, RUN_SUSPENDED, RUN_CANCELED, BY_USER,
		"Edit access",
	LOG_CANCEL_INSTANCE},
	{LEVEL_RUN, RUN_ERROR, RUN_IN_PROGRESS, BY_USER,
		"Edit access; the error is recoverable and at most 14 days old",
	LOG_RESUME_INSTANCE},
	{LEVEL_STAGE, STATUS_NEW, STAGE_IN_PROGRESS, BY_ENGINE,
		"the run is InProgress and has no other open stage",
	LOG_START_STAGE},
	{LEVEL_STAGE, STAGE_IN_PROGRESS, STAGE_COMPLETED, BY_ENGINE,
		"its exit condition is met",
	LOG_END_STAGE},
	{LEVEL_STAGE, STAGE_IN_PROGRESS, STAGE_SUSPENDED, BY_CASCADE,
		"the run is suspended",
	LOG_SUSPEND_STAGE},
	{LEVEL_STAGE, STAGE_IN_PROGRESS, STAGE_ERROR, BY_ENGINE,
		"the stage or a step in it or an action it called failed",
	LOG_FAIL_STAGE},
	{LEVEL_STAGE, STAGE_IN_PROGRESS, STAGE_DISCONTINUED, BY_CASCADE,
		"the run failed outside the stage, was canceled or was recalled",
	LOG_DISCONTINUE_STAGE},
	{LEVEL_STAGE, STAGE_SUSPENDED, STAGE_IN_PROGRESS, BY_CASCADE,
		"the run is resumed",
	LOG_START_STAGE},
	{LEVEL_STAGE, STAGE_SUSPENDED, STAGE_DISCONTINUED, BY_CASCADE,
		"the suspended run is canceled",
	LOG_DISCONTINUE_STAGE},
	{LEVEL_STAGE, STAGE_ERROR, STAGE_IN_PROGRESS, BY_CASCADE,
		"the failed run is resumed",
	LOG_START_STAGE},
	{LEVEL_STAGE, STAGE_COMPLETED, STAGE_DISCONTINUED, BY_CASCADE,
		"the run is in Error and this was the last stage to complete",
	LOG_DISCONTINUE_STAGE},
	{LEVEL_STEP, STATUS_NEW, STEP_NOT_STARTED, BY_ENGINE,
		"its stage is InProgress and its entry condition is not met",
	LOG_NONE},
	{LEVEL_STEP, STATUS_NEW, STEP_IN_PROGRESS, BY_ENGINE,
		"its stage is InProgress and its entry condition is met",
	LOG_START_STEP},
	{LEVEL_STEP, STEP_NOT_STARTED, STEP_IN_PROGRESS, BY_ENGINE,
		"its stage is InProgress and its entry condition is met",
	LOG_START_STEP},
	{LEVEL_STEP, STEP_IN_PROGRESS, STEP_COMPLETED, BY_ENGINE,
		"its action is done (and an interactive step's completion condition is met)",
	LOG_END_STEP},
	{LEVEL_STEP, STEP_IN_PROGRESS, STEP_ERROR, BY_ENGINE,
		"the step or its action failed",
	LOG_FAIL_STEP},
	{LEVEL_STEP, STEP_IN_PROGRESS, STEP_DISCONTINUED, BY_CASCADE,
		"its stage completed or failed; or the run failed or was canceled",
	LOG_DISCONTINUE_STEP},
	{LEVEL_STEP, STEP_COMPLETED, STEP_DISCONTINUED, BY_CASCADE,
		"its stage is Completed or the run is in Error (legal; the engine never does it)",
	LOG_DISCONTINUE_STEP},
	{LEVEL_STEP, STEP_ERROR, STEP_IN_PROGRESS, BY_CASCADE,
		"the failed run is resumed: the action runs again; an interactive step gets a new work item",
	LOG_START_STEP},
	{LEVEL_STEP, STEP_DISCONTINUED, STEP_IN_PROGRESS, BY_CASCADE,
		"the failed run is resumed and no output is pending",
	LOG_START_STEP},
	{LEVEL_STEP, STEP_DISCONTINUED, STEP_COMPLETED, BY_CASCADE,
		"the failed run is resumed and its pending output is a success",
	LOG_END_STEP},
	{LEVEL_STEP, STEP_DISCONTINUED, STEP_ERROR, BY_CASCADE,
		"the failed run is resumed and its pending output is a failure",
	LOG_FAIL_STEP},
	{LEVEL_WORK_ITEM, STATUS_NEW, WORK_ITEM_ASSIGNED, BY_ENGINE,
		"an interactive step starts",
	LOG_START_WORK_ITEM},
	{LEVEL_WORK_ITEM, WORK_ITEM_ASSIGNED, WORK_ITEM_ASSIGNED, BY_USER,
		"reassigned",
	LOG_REASSIGN_WORK_ITEM},
	{LEVEL_WORK_ITEM, WORK_ITEM_ASSIGNED, WORK_ITEM_COMPLETED, BY_ENGINE,
		"its assignee finished it; or its step ended in any other way",
	LOG_END_WORK_ITEM},
	{LEVEL_APPROVAL_SUBMISSION, STATUS_NEW, SUBMISSION_IN_PROGRESS, BY_ENGINE,
		"a run of an approval is started",
	LOG_NONE},
	{LEVEL_APPROVAL_SUBMISSION, SUBMISSION_IN_PROGRESS, SUBMISSION_APPROVED, BY_CASCADE,
		"the run is Completed and no work item was rejected",
	LOG_NONE},
	{LEVEL_APPROVAL_SUBMISSION, SUBMISSION_IN_PROGRESS, SUBMISSION_REJECTED, BY_CASCADE,
		"the run is Completed and a work item was rejected",
	LOG_NONE},
	{LEVEL_APPROVAL_SUBMISSION, SUBMISSION_IN_PROGRESS, SUBMISSION_SUSPENDED, BY_CASCADE,
		"the run is suspended",
	LOG_NONE},
	{LEVEL_APPROVAL_SUBMISSION, SUBMISSION_IN_PROGRESS, SUBMISSION_CANCELED, BY_CASCADE,
		"the run is canceled",
	LOG_NONE},
	{LEVEL_APPROVAL_SUBMISSION, SUBMISSION_IN_PROGRESS, SUBMISSION_RECALLED, BY_USER,
		"the submitter or Approval Admin",
	LOG_NONE},
	{LEVEL_APPROVAL_SUBMISSION, SUBMISSION_IN_PROGRESS, SUBMISSION_ERRORED, BY_CASCADE,
		"the run is in Error",
	LOG_NONE},
	{LEVEL_APPROVAL_SUBMISSION, SUBMISSION_SUSPENDED, SUBMISSION_IN_PROGRESS, BY_CASCADE,
		"the run is resumed",
	LOG_NONE},
	{LEVEL_APPROVAL_SUBMISSION, SUBMISSION_SUSPENDED, SUBMISSION_CANCELED, BY_CASCADE,
		"the suspended run is canceled",
	LOG_NONE},
	{LEVEL_APPROVAL_SUBMISSION, SUBMISSION_SUSPENDED, SUBMISSION_RECALLED, BY_USER,
		"the submitter or Approval Admin",
	LOG_NONE},
	{LEVEL_APPROVAL_SUBMISSION, SUBMISSION_ERRORED, SUBMISSION_IN_PROGRESS, BY_CASCADE,
		"the failed run is resumed (orchestration.resume_approvals)",
	LOG_NONE},
	{LEVEL_APPROVAL_WORK_ITEM, STATUS_NEW, APPROVAL_ASSIGNED, BY_ENGINE,
		"a work item of an approval step is made",
	LOG_NONE},
	{LEVEL_APPROVAL_WORK_ITEM, APPROVAL_ASSIGNED, APPROVAL_ASSIGNED, BY_USER,
		"reassigned",
	LOG_NONE},
	{LEVEL_APPROVAL_WORK_ITEM, APPROVAL_ASSIGNED, APPROVAL_APPROVED, BY_USER,
		"its assignee or a delegate or Approval Admin approves",
	LOG_NONE},
	{LEVEL_APPROVAL_WORK_ITEM, APPROVAL_ASSIGNED, APPROVAL_REJECTED, BY_USER,
		"its assignee or a delegate or Approval Admin rejects",
	LOG_NONE},
	{LEVEL_APPROVAL_WORK_ITEM, APPROVAL_ASSIGNED, APPROVAL_CANCELED, BY_CASCADE,
		"the run is canceled",
	LOG_NONE},
	{LEVEL_APPROVAL_WORK_ITEM, APPROVAL_ASSIGNED, APPROVAL_RECALLED, BY_CASCADE,
		"the submission is recalled",
	LOG_NONE},
	{LEVEL_APPROVAL_WORK_ITEM, APPROVAL_ASSIGNED, APPROVAL_ERRORED, BY_CASCADE,
		"its step or stage or the run is in Error",
	LOG_NONE},
	{LEVEL_APPROVAL_WORK_ITEM, APPROVAL_ASSIGNED, APPROVAL_WITHDRAWN, BY_CASCADE,
		"its step ended in any other way; or another member of a unanimous approval rejected",
	LOG_NONE}
};

typedef struct Neighbours
{
	Level		child;			/* of parent_of() */
	int			parent_status;
	int			child_status;
} Neighbours;

/* contract/neighbours.csv, lines 2 to 85 */
static const Neighbours neighbours[] = {
	{LEVEL_STAGE, RUN_IN_PROGRESS, STAGE_IN_PROGRESS},
	{LEVEL_STAGE, RUN_IN_PROGRESS, STAGE_COMPLETED},
	{LEVEL_STAGE, RUN_IN_PROGRESS, STAGE_ERROR},	/* its fault path was taken */
	{LEVEL_STAGE, RUN_IN_PROGRESS, STAGE_DISCONTINUED},	/* only if the run was recalled */
	{LEVEL_STAGE, RUN_SUSPENDED, STAGE_SUSPENDED},
	{LEVEL_STAGE, RUN_SUSPENDED, STAGE_COMPLETED},
	{LEVEL_STAGE, RUN_SUSPENDED, STAGE_ERROR},	/* its fault path was taken */
	{LEVEL_STAGE, RUN_SUSPENDED, STAGE_DISCONTINUED},	/* only if the run was recalled */
	{LEVEL_STAGE, RUN_COMPLETED, STAGE_COMPLETED},
	{LEVEL_STAGE, RUN_COMPLETED, STAGE_ERROR},	/* its fault path was taken */
	{LEVEL_STAGE, RUN_CANCELED, STAGE_COMPLETED},
	{LEVEL_STAGE, RUN_CANCELED, STAGE_DISCONTINUED},
	{LEVEL_STAGE, RUN_CANCELED, STAGE_ERROR},	/* its fault path was taken */
	{LEVEL_STAGE, RUN_ERROR, STAGE_COMPLETED},
	{LEVEL_STAGE, RUN_ERROR, STAGE_ERROR},
	{LEVEL_STAGE, RUN_ERROR, STAGE_DISCONTINUED},
	{LEVEL_STAGE, RUN_ERROR, STAGE_IN_PROGRESS},	/* a screen flow failed */
	{LEVEL_STEP, STAGE_IN_PROGRESS, STEP_NOT_STARTED},
	{LEVEL_STEP, STAGE_IN_PROGRESS, STEP_IN_PROGRESS},
	{LEVEL_STEP, STAGE_IN_PROGRESS, STEP_COMPLETED},
	{LEVEL_STEP, STAGE_IN_PROGRESS, STEP_DISCONTINUED},	/* only while the run is in Error */
	{LEVEL_STEP, STAGE_SUSPENDED, STEP_NOT_STARTED},
	{LEVEL_STEP, STAGE_SUSPENDED, STEP_IN_PROGRESS},
	{LEVEL_STEP, STAGE_SUSPENDED, STEP_COMPLETED},
	{LEVEL_STEP, STAGE_COMPLETED, STEP_NOT_STARTED},
	{LEVEL_STEP, STAGE_COMPLETED, STEP_COMPLETED},
	{LEVEL_STEP, STAGE_COMPLETED, STEP_DISCONTINUED},
	{LEVEL_STEP, STAGE_ERROR, STEP_NOT_STARTED},
	{LEVEL_STEP, STAGE_ERROR, STEP_COMPLETED},
	{LEVEL_STEP, STAGE_ERROR, STEP_DISCONTINUED},
	{LEVEL_STEP, STAGE_ERROR, STEP_ERROR},
	{LEVEL_STEP, STAGE_ERROR, STEP_IN_PROGRESS},	/* imported rows only: the reference's wording; the engine discontinues */
	{LEVEL_STEP, STAGE_DISCONTINUED, STEP_NOT_STARTED},
	{LEVEL_STEP, STAGE_DISCONTINUED, STEP_COMPLETED},
	{LEVEL_STEP, STAGE_DISCONTINUED, STEP_DISCONTINUED},
	{LEVEL_WORK_ITEM, STEP_IN_PROGRESS, WORK_ITEM_ASSIGNED},	/* interactive steps only */
	{LEVEL_WORK_ITEM, STEP_IN_PROGRESS, WORK_ITEM_COMPLETED},
	{LEVEL_WORK_ITEM, STEP_COMPLETED, WORK_ITEM_COMPLETED},
	{LEVEL_WORK_ITEM, STEP_DISCONTINUED, WORK_ITEM_COMPLETED},
	{LEVEL_WORK_ITEM, STEP_ERROR, WORK_ITEM_COMPLETED},
	{LEVEL_APPROVAL_SUBMISSION, RUN_IN_PROGRESS, SUBMISSION_IN_PROGRESS},
	{LEVEL_APPROVAL_SUBMISSION, RUN_IN_PROGRESS, SUBMISSION_RECALLED},	/* the recall path is on its way */
	{LEVEL_APPROVAL_SUBMISSION, RUN_SUSPENDED, SUBMISSION_SUSPENDED},
	{LEVEL_APPROVAL_SUBMISSION, RUN_SUSPENDED, SUBMISSION_RECALLED},	/* the recall path is on its way */
	{LEVEL_APPROVAL_SUBMISSION, RUN_COMPLETED, SUBMISSION_APPROVED},
	{LEVEL_APPROVAL_SUBMISSION, RUN_COMPLETED, SUBMISSION_REJECTED},
	{LEVEL_APPROVAL_SUBMISSION, RUN_CANCELED, SUBMISSION_CANCELED},
	{LEVEL_APPROVAL_SUBMISSION, RUN_CANCELED, SUBMISSION_RECALLED},
	{LEVEL_APPROVAL_SUBMISSION, RUN_ERROR, SUBMISSION_ERRORED},
	{LEVEL_APPROVAL_SUBMISSION, RUN_ERROR, SUBMISSION_RECALLED},	/* the recall path failed */
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_APPROVED, APPROVAL_APPROVED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_APPROVED, APPROVAL_ERRORED},	/* its fault path was taken */
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_APPROVED, APPROVAL_WITHDRAWN},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_CANCELED, APPROVAL_APPROVED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_CANCELED, APPROVAL_CANCELED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_CANCELED, APPROVAL_ERRORED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_CANCELED, APPROVAL_REJECTED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_CANCELED, APPROVAL_WITHDRAWN},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_ERRORED, APPROVAL_APPROVED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_ERRORED, APPROVAL_ASSIGNED},	/* a screen flow failed */
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_ERRORED, APPROVAL_ERRORED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_ERRORED, APPROVAL_REJECTED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_ERRORED, APPROVAL_WITHDRAWN},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_IN_PROGRESS, APPROVAL_APPROVED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_IN_PROGRESS, APPROVAL_ASSIGNED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_IN_PROGRESS, APPROVAL_ERRORED},	/* its fault path was taken */
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_IN_PROGRESS, APPROVAL_REJECTED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_IN_PROGRESS, APPROVAL_WITHDRAWN},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_RECALLED, APPROVAL_APPROVED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_RECALLED, APPROVAL_ASSIGNED},	/* of the recall path */
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_RECALLED, APPROVAL_CANCELED},	/* of the recall path */
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_RECALLED, APPROVAL_ERRORED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_RECALLED, APPROVAL_RECALLED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_RECALLED, APPROVAL_REJECTED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_RECALLED, APPROVAL_WITHDRAWN},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_REJECTED, APPROVAL_APPROVED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_REJECTED, APPROVAL_ERRORED},	/* its fault path was taken */
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_REJECTED, APPROVAL_REJECTED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_REJECTED, APPROVAL_WITHDRAWN},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_SUSPENDED, APPROVAL_APPROVED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_SUSPENDED, APPROVAL_ASSIGNED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_SUSPENDED, APPROVAL_ERRORED},	/* its fault path was taken */
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_SUSPENDED, APPROVAL_REJECTED},
	{LEVEL_APPROVAL_WORK_ITEM, SUBMISSION_SUSPENDED, APPROVAL_WITHDRAWN},
};

/* A submission belongs to its run, the others to the level above. */
static Level
parent_of(Level child)
{
	return child == LEVEL_APPROVAL_SUBMISSION ? LEVEL_RUN : (Level) (child - 1);
}

const char *
orch_transition_level_name(Level level)
{
	return level == LEVEL_WORK_ITEM ? "work item" :
		level == LEVEL_APPROVAL_SUBMISSION ? "approval submission" :
		level == LEVEL_APPROVAL_WORK_ITEM ? "approval work item" : levels[level].name;
}

const char *
orch_transition_status_name(Level level, int status)
{
	return status == STATUS_NEW ? "(new)" :
		orch_catalog_label(levels[level].type, status);
}

int
orch_transition_status_value(Level level, Oid label)
{
	return orch_catalog_label_value(levels[level].type, label);
}

/*
 * The transition, or NULL if the change is illegal.
 */
const Transition *
orch_transition_find(Level level, int from, int to)
{
	int			i;

	for (i = 0; i < (int) lengthof(transitions); i++)
		if (transitions[i].level == level && transitions[i].from == from &&
			transitions[i].to == to)
			return &transitions[i];
	return NULL;
}

/*
 * The legal targets of a status, as text for a message; empty if it is final.
 */
char *
orch_transition_targets(Level level, int from)
{
	StringInfoData result;
	int			i;

	initStringInfo(&result);
	for (i = 0; i < (int) lengthof(transitions); i++)
		if (transitions[i].level == level && transitions[i].from == from)
			appendStringInfo(&result, "%s%s", result.len > 0 ? ", " : "",
							 orch_transition_status_name(level,
														 transitions[i].to));
	return result.data;
}

bool
orch_transition_neighbours(Level child, int parent_status, int child_status)
{
	int			i;

	for (i = 0; i < (int) lengthof(neighbours); i++)
		if (neighbours[i].child == child &&
			neighbours[i].parent_status == parent_status &&
			neighbours[i].child_status == child_status)
			return true;
	return false;
}

/*
 * The statuses that may stand beside a parent of this status, as text for a message.
 */
char *
orch_transition_neighbour_list(Level child, int parent_status)
{
	StringInfoData result;
	int			i;

	initStringInfo(&result);
	for (i = 0; i < (int) lengthof(neighbours); i++)
		if (neighbours[i].child == child &&
			neighbours[i].parent_status == parent_status)
			appendStringInfo(&result, "%s%s", result.len > 0 ? ", " : "",
							 orch_transition_status_name(child,
														 neighbours[i].child_status));
	return result.data;
}

PG_FUNCTION_INFO_V1(orchestration_legal_transitions);

/*
 * orchestration.legal_transitions() returns table (level text, from_status
 * text, to_status text, made_by text, condition text, log_kind text)
 *
 * The status machine: one row for each legal change; from_status is null for a row that
 * is created.
 * Raises: none.
 * Source: contract/transitions.csv.
 */
Datum
orchestration_legal_transitions(PG_FUNCTION_ARGS)
{
	static const char *const by_names[] = {"engine", "user", "cascade"};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int			i;

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < (int) lengthof(transitions); i++)
	{
		const Transition *row = &transitions[i];
		Datum		values[6];
		bool		nulls[6] = {false};

		values[0] = CStringGetTextDatum(levels[row->level].name);
		nulls[1] = row->from == STATUS_NEW;
		if (!nulls[1])
			values[1] = CStringGetTextDatum(orch_transition_status_name(row->level, row->from));
		values[2] = CStringGetTextDatum(orch_transition_status_name(row->level, row->to));
		values[3] = CStringGetTextDatum(by_names[row->by]);
		values[4] = CStringGetTextDatum(row->condition);
		nulls[5] = row->log_kind == LOG_NONE;
		if (!nulls[5])
			values[5] = CStringGetTextDatum(orch_catalog_label(ENUM_LOG_KIND, row->log_kind));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(orchestration_legal_neighbours);

/*
 * orchestration.legal_neighbours() returns table (parent text, parent_status
 * text, child text, child_status text)
 *
 * One row for each legal pair of statuses of a parent and its child.
 * Raises: none.
 * Source: contract/neighbours.csv.
 */
Datum
orchestration_legal_neighbours(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int			i;

	InitMaterializedSRF(fcinfo, 0);
	for (i = 0; i < (int) lengthof(neighbours); i++)
	{
		const Neighbours *row = &neighbours[i];
		Level		parent = parent_of(row->child);
		Datum		values[4];
		bool		nulls[4] = {false};

		values[0] = CStringGetTextDatum(levels[parent].name);
		values[1] = CStringGetTextDatum(orch_transition_status_name(parent, row->parent_status));
		values[2] = CStringGetTextDatum(levels[row->child].name);
		values[3] = CStringGetTextDatum(orch_transition_status_name(row->child, row->child_status));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
