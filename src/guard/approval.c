/*-------------------------------------------------------------------------
 *
 * approval.c
 *	  Submissions follow their runs, approval work items their work items.
 *
 * A run of an ApprovalWorkflow has a submission, and each work item of its approval steps
 * an approval work item.  Their statuses say more than those of run and work item
 * (Rejected, Recalled, Withdrawn), but they change with them: so the triggers here fire
 * for every change of a run or work item of an approval, by any caller, and write what
 * follows.  Only two things do not follow: a review, which is stored before its work item
 * is completed, and a recall, which is stored before the run is moved.
 *
 * Nobody else writes these rows: approval_guard() refuses it, and holds rows that are
 * imported or restored against contract/neighbours.csv.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/guard/approval.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "base/catalog.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/system.h"
#include "base/uuid.h"
#include "guard/approval.h"
#include "guard/guard.h"
#include "guard/guard_int.h"
#include "guard/transition.h"
#include "record/principal.h"
#include "trail/history.h"

bool		orch_resume_approvals = false;

/* Did a member of the unanimous approval with this parent work item reject? */
#define REJECTED_BY_MEMBER(parent) \
	"EXISTS (SELECT FROM orchestration.work_item v" \
	"          JOIN orchestration.submission_item x" \
	"            ON x.run_id = v.run_id AND x.work_item_id = v.id" \
	"         WHERE v.run_id = $1 AND v.parent_id = " parent " AND x.status = 'Rejected')"

/* The row and the acting user are the first parameters of each. */
static StaticPlan plan_follow_run = {
	"UPDATE orchestration.submission s"
	"   SET status = CASE $3::orchestration.run_status"
	"       WHEN 'InProgress' THEN 'InProgress' WHEN 'Suspended' THEN 'Suspended'"
	"       WHEN 'Canceled' THEN 'Canceled' WHEN 'Error' THEN 'Errored'"
	"       ELSE CASE WHEN EXISTS (SELECT FROM orchestration.submission_item a"
	"                               WHERE a.run_id = $1 AND a.status = 'Rejected')"
	"                 THEN 'Rejected' ELSE 'Approved' END"
	"       END::orchestration.approval_submission_status,"
	"       modified_at = orchestration.system_modstamp(), modified_by = $2"
	" WHERE s.run_id = $1 AND s.status <> 'Recalled'",
	3, {UUIDOID, UUIDOID, TEXTOID}
};
static StaticPlan plan_new_item = {
	"INSERT INTO orchestration.submission_item (run_id, work_item_id, created_by,"
	"        submission_id, owner_id, orchestration_id, assigned_to, condition_name,"
	"        related_record_type, related_record_id, status)"
	" SELECT w.run_id, w.id, $2, s.id, s.owner_id, s.orchestration_id, w.assignee_id, w.label,"
	"        s.related_record_type, s.related_record_id, 'Assigned'"
	"   FROM orchestration.work_item w"
	"   JOIN orchestration.submission s ON s.run_id = w.run_id"
	"  WHERE w.run_id = $1 AND w.id = $3",
	3, {UUIDOID, UUIDOID, UUIDOID}
};
static StaticPlan plan_reassign = {
	"UPDATE orchestration.submission_item a SET assigned_to = $4,"
	"       modified_at = orchestration.system_modstamp(), modified_by = $2"
	" WHERE a.run_id = $1 AND a.work_item_id = $3 AND a.status = 'Assigned'",
	4, {UUIDOID, UUIDOID, UUIDOID, UUIDOID}
};

/* Nobody decided: why was the work item closed? */
static StaticPlan plan_close = {
	"UPDATE orchestration.submission_item a"
	"   SET status = CASE WHEN " REJECTED_BY_MEMBER("w.parent_id") " THEN 'Withdrawn'"
	"       WHEN r.status = 'Canceled' THEN 'Canceled'"
	"       WHEN r.status = 'Error' OR g.status = 'Error' OR t.status = 'Error' THEN 'Errored'"
	"       ELSE 'Withdrawn' END::orchestration.approval_work_item_status,"
	"       modified_at = orchestration.system_modstamp(), modified_by = $2"
	"  FROM orchestration.run r, orchestration.work_item w, orchestration.step_run t, orchestration.stage_run g"
	" WHERE a.run_id = $1 AND a.work_item_id = $3 AND a.status = 'Assigned'"
	"   AND r.id = a.run_id AND w.run_id = a.run_id AND w.id = a.work_item_id"
	"   AND t.run_id = w.run_id AND t.id = w.step_run_id"
	"   AND g.run_id = t.run_id AND g.id = t.stage_run_id",
	3, {UUIDOID, UUIDOID, UUIDOID}
};
static StaticPlan plan_is_open = {
	"SELECT 1 FROM orchestration.submission_item a"
	" WHERE a.run_id = $1 AND a.work_item_id = $3 AND a.status = 'Assigned'",
	3, {UUIDOID, UUIDOID, UUIDOID}
};
static StaticPlan plan_review = {
	"UPDATE orchestration.submission_item a"
	"   SET status = $4::orchestration.approval_work_item_status, reviewed_by = $2,"
	"       reviewed_at = pg_catalog.clock_timestamp(), comments = $5,"
	"       modified_at = orchestration.system_modstamp(), modified_by = $2"
	" WHERE a.run_id = $1 AND a.work_item_id = $3 AND a.status = 'Assigned'",
	5, {UUIDOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID}
};
static StaticPlan plan_round_is_open = {
	"SELECT 1 FROM orchestration.work_item w"
	" WHERE w.run_id = $1 AND w.parent_id = $2 AND w.status = 'Assigned'"
	"   AND NOT " REJECTED_BY_MEMBER("$2"),
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_end_round = {
	"UPDATE orchestration.work_item w SET status = 'Completed'"
	" WHERE w.run_id = $1 AND (w.parent_id = $2 OR w.id = $2) AND w.status = 'Assigned'",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_recall = {
	"UPDATE orchestration.submission s SET status = 'Recalled',"
	"       modified_at = orchestration.system_modstamp(), modified_by = $2"
	" WHERE s.run_id = $1 AND s.status <> 'Recalled'",
	2, {UUIDOID, UUIDOID}
};

/* before the recall path makes others, which end as those of any stage */
static StaticPlan plan_recall_items = {
	"UPDATE orchestration.submission_item a SET status = 'Recalled',"
	"       modified_at = orchestration.system_modstamp(), modified_by = $2"
	" WHERE a.run_id = $1 AND a.status = 'Assigned'",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_is_recalled = {
	"SELECT 1 FROM orchestration.submission s"
	" WHERE s.run_id = $1 AND s.status = 'Recalled'",
	1, {UUIDOID}
};

/* $3 null: a deed with the whole submission */
static StaticPlan plan_detail = {
	"INSERT INTO orchestration.submission_detail (run_id, performed_by,"
	"        submission_item_id, submission_id, owner_id, orchestration_id, action,"
	"        performer_role, channel, context, comments)"
	" SELECT s.run_id, $2, a.id, s.id, s.owner_id, s.orchestration_id,"
	"        $4::orchestration.approval_action,"
	"        $5::orchestration.approval_performer_role,"
	"        $6::orchestration.approval_channel, $7, $8"
	"   FROM orchestration.submission s"
	"   LEFT JOIN orchestration.submission_item a"
	"          ON a.run_id = s.run_id AND a.work_item_id = $3"
	"  WHERE s.run_id = $1",
	8, {UUIDOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}
};
static StaticPlan plan_run_status = {
	"SELECT r.status FROM orchestration.run r WHERE r.id = $1",
	1, {UUIDOID}
};
static StaticPlan plan_submission_status = {
	"SELECT s.status FROM orchestration.submission s WHERE s.run_id = $1",
	1, {UUIDOID}
};

/* Where the columns are that both guarded tables have. */
typedef struct ApprovalColumns
{
	EnumType	type;			/* of the status */
	AttrNumber	status;
	AttrNumber	fixed[4];		/* up to a 0: columns that no update changes */
} ApprovalColumns;

static const ApprovalColumns columns[] = {
	{ENUM_SUBMISSION_STATUS, Anum_submission_status,
	{Anum_submission_owner_id, Anum_submission_orchestration_id}},
	{ENUM_APPROVAL_STATUS, Anum_submission_item_status,
		{Anum_submission_item_owner_id, Anum_submission_item_orchestration_id,
	Anum_submission_item_submission_id, Anum_submission_item_work_item_id}}
};

static TriggerData *trigger_data(FunctionCallInfo fcinfo, const char *name,
								 TriggerEvent timing, TriggerEvent event,
								 OrchRelation first, OrchRelation last);
static void execute(StaticPlan *plan, const pg_uuid_t *run_id, const pg_uuid_t *work_item_id,
					Datum fourth, Datum fifth);
static void add_detail(const pg_uuid_t *run_id, const pg_uuid_t *work_item_id,
					   const ApprovalDeed *deed, const char *context);
static const char *row_name(Level level, HeapTuple row, TupleDesc desc);
static bool is_parent(HeapTuple row, TupleDesc desc);
static void check_member(HeapTuple row, TupleDesc desc, bool same_assignee);
static void check_change(Level level, TriggerData *trigdata);
static void check_new(Level level, TriggerData *trigdata);

/*
 * What a row trigger was called with: at this time, for this event or an UPDATE, of one of
 * these tables.  Raises 39P01 otherwise.
 */
static TriggerData *
trigger_data(FunctionCallInfo fcinfo, const char *name, TriggerEvent timing,
			 TriggerEvent event, OrchRelation first, OrchRelation last)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	int			relation = first;

	if (CALLED_AS_TRIGGER(fcinfo) && TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) &&
		(trigdata->tg_event & TRIGGER_EVENT_TIMINGMASK) == timing &&
		(TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ||
		 (trigdata->tg_event & TRIGGER_EVENT_OPMASK) == event))
		while (relation <= (int) last)
			if (RelationGetRelid(trigdata->tg_relation) ==
				orch_catalog_relation((OrchRelation) relation++))
				return trigdata;
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("function \"%s\" was not called as its trigger", name)));
}

/*
 * Execute a plan above in a scope of its own; work_item_id may be NULL, and the others 0.
 */
static void
execute(StaticPlan *plan, const pg_uuid_t *run_id, const pg_uuid_t *work_item_id,
		Datum fourth, Datum fifth)
{
	Datum		values[5];
	char		nulls[5] = {' ', ' ', ' ', ' ', ' '};

	values[0] = UUIDPGetDatum(run_id);
	orch_principal_set_acting(orch_frame_actor(), &values[1], &nulls[1]);
	values[2] = UUIDPGetDatum(work_item_id);
	values[3] = fourth;
	values[4] = fifth;
	if (plan->nargs > 4 && fifth == (Datum) 0)
		nulls[4] = 'n';
	orch_guard_execute(SCOPE_CASCADE, plan, values, nulls, NULL);
}

static void
add_detail(const pg_uuid_t *run_id, const pg_uuid_t *work_item_id, const ApprovalDeed *deed,
		   const char *context)
{
	Datum		values[8];
	char		nulls[8] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};

	values[0] = UUIDPGetDatum(run_id);
	orch_principal_set_acting(orch_frame_actor(), &values[1], &nulls[1]);
	values[2] = UUIDPGetDatum(work_item_id);
	values[3] = CStringGetTextDatum(orch_catalog_label(ENUM_APPROVAL_ACTION, deed->action));
	values[4] = CStringGetTextDatum(orch_catalog_label(ENUM_PERFORMER_ROLE, deed->role));
	values[5] = CStringGetTextDatum(orch_catalog_label(ENUM_APPROVAL_CHANNEL, deed->channel));
	if (work_item_id == NULL)
		nulls[2] = 'n';
	if (context == NULL)
		nulls[6] = 'n';
	else
		values[6] = CStringGetTextDatum(context);
	if (deed->comments == NULL)
		nulls[7] = 'n';
	else
		values[7] = CStringGetTextDatum(deed->comments);
	orch_guard_execute(SCOPE_CASCADE, &plan_detail, values, nulls, NULL);
}

/* ------------------------------------------------------------------- calls */

void
orch_approval_review(const pg_uuid_t *run_id, const pg_uuid_t *work_item_id, bool approved,
					 const ApprovalDeed *deed)
{
	ApprovalDeed said = *deed;

	execute(&plan_review, run_id, work_item_id,
			CStringGetTextDatum(orch_catalog_label(ENUM_APPROVAL_STATUS, approved ?
												   APPROVAL_APPROVED : APPROVAL_REJECTED)),
			deed->comments == NULL ? (Datum) 0 : CStringGetTextDatum(deed->comments));
	/* the comments are the work item's */
	said.comments = NULL;
	add_detail(run_id, work_item_id, &said, NULL);
}

bool
orch_approval_end_round(const pg_uuid_t *run_id, const pg_uuid_t *parent_id)
{
	Datum		values[2];

	values[0] = UUIDPGetDatum(run_id);
	values[1] = UUIDPGetDatum(parent_id);
	orch_plan_execute_latest(&plan_round_is_open, values, NULL, 1);
	if (SPI_processed > 0)
		return false;
	orch_guard_execute(SCOPE_TRUSTED, &plan_end_round, values, NULL, NULL);
	return true;
}

void
orch_approval_refuse_parent(const char *label, const pg_uuid_t *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s is answered by the members of a unanimous approval", label),
			 errdetail("Each member has a work item, and the last answer completes this one."),
			 errhint("Call orchestration.review_approval() for the work item whose parent_work_item_id is %s.",
					 orch_uuid_text(id))));
}

void
orch_approval_recall(const pg_uuid_t *run_id, const ApprovalDeed *deed)
{
	execute(&plan_recall, run_id, NULL, (Datum) 0, (Datum) 0);
	execute(&plan_recall_items, run_id, NULL, (Datum) 0, (Datum) 0);
	add_detail(run_id, NULL, deed, NULL);
}

bool
orch_approval_is_recalled(const pg_uuid_t *run_id)
{
	Datum		value = UUIDPGetDatum(run_id);

	orch_plan_execute_latest(&plan_is_recalled, &value, NULL, 1);
	return SPI_processed > 0;
}

/* ---------------------------------------------------------------- triggers */

PG_FUNCTION_INFO_V1(orchestration_approval_run);

/*
 * orchestration_internal.approval_run() returns trigger
 *
 * AFTER UPDATE ROW of run, for a run of an approval whose status changed: its submission
 * follows, and a cancellation gets its detail.  Returns null.
 * Raises: 39P01 when not called as that trigger.
 * Source: contract/transitions.csv, level approval_submission.
 */
Datum
orchestration_approval_run(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_data(fcinfo, "approval_run", TRIGGER_EVENT_AFTER,
										 TRIGGER_EVENT_UPDATE, RELATION_RUN, RELATION_RUN);
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	int			status = orch_guard_row_status(LEVEL_RUN, trigdata->tg_newtuple, desc);
	pg_uuid_t  *run_id = orch_guard_row_uuid(trigdata->tg_newtuple, desc, Anum_run_id);
	char	   *comments = orch_guard_scope_says(SCOPE_COMMENTS);
	bool		own = orch_guard_by_extension();
	Datum		values[3];
	char		nulls[3] = {' ', ' ', ' '};
	SystemContext saved;

	values[0] = UUIDPGetDatum(run_id);
	orch_principal_set_acting(orch_frame_actor(), &values[1], &nulls[1]);
	values[2] = CStringGetTextDatum(orch_transition_status_name(LEVEL_RUN, status));
	orch_system_connect(&saved);
	orch_guard_execute(SCOPE_CASCADE, &plan_follow_run, values, nulls, NULL);
	/* a recall ends like this, too; not when a user cancels the recall path */
	if (status == RUN_CANCELED && (SPI_processed > 0 || !own))
	{
		bool		system = !OidIsValid(orch_frame_actor());
		ApprovalDeed deed = {APPROVAL_ACTION_CANCEL,
			system ? PERFORMER_SYSTEM : PERFORMER_ADMIN,
			system ? CHANNEL_SYSTEM : CHANNEL_INVOCABLE_ACTION, comments};

		add_detail(run_id, NULL, &deed, NULL);
	}
	orch_system_finish(&saved);
	return PointerGetDatum(NULL);
}

static bool
is_parent(HeapTuple row, TupleDesc desc)
{
	bool		isnull;

	return DatumGetBool(heap_getattr(row, Anum_work_item_is_parent, desc, &isnull));
}

/*
 * Users change nothing in the parent work item of a unanimous approval, and every member
 * answers: no other user can be made a member.
 */
static void
check_member(HeapTuple row, TupleDesc desc, bool same_assignee)
{
	const char *label = orch_guard_row_label(LEVEL_WORK_ITEM, row, desc);

	if (is_parent(row, desc))
		orch_approval_refuse_parent(label, orch_guard_row_uuid(row, desc, Anum_work_item_id));
	if (!same_assignee && orch_guard_row_uuid(row, desc, Anum_work_item_parent_id) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_IMMUTABLE),
				 errmsg("%s cannot be reassigned", label),
				 errdetail("A unanimous approval needs the answer of each member."),
				 errhint("An approval administrator can answer for the assignee: orchestration.override_approval().")));
}

PG_FUNCTION_INFO_V1(orchestration_approval_item);

/*
 * orchestration_internal.approval_item() returns trigger
 *
 * AFTER INSERT OR UPDATE ROW of work_item, for a work item of an approval step that is new
 * or whose status or assignee changed: its approval work item follows.  Returns null.
 * Raises: OR306 when a user completes the work item without a decision, OR005 when a user
 * reassigns that of a member of a unanimous approval, 55000 when a user changes its parent,
 * 39P01 when not called as that trigger.
 * Source: contract/transitions.csv, level approval_work_item.
 */
Datum
orchestration_approval_item(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_data(fcinfo, "approval_item", TRIGGER_EVENT_AFTER,
										 TRIGGER_EVENT_INSERT, RELATION_WORK_ITEM,
										 RELATION_WORK_ITEM);
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	HeapTuple	row = update ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	pg_uuid_t  *run_id = orch_guard_row_uuid(row, desc, Anum_work_item_run_id);
	pg_uuid_t  *id = orch_guard_row_uuid(row, desc, Anum_work_item_id);
	pg_uuid_t  *assignee = orch_guard_row_uuid(row, desc, Anum_work_item_assignee_id);
	char	   *comments = orch_guard_scope_says(SCOPE_COMMENTS);
	bool		own = orch_guard_by_extension();
	SystemContext saved;

	/* a restore brings the rows that belong to it */
	if (!update && orch_guard_is_loading(RelationGetRelid(trigdata->tg_relation)))
		return PointerGetDatum(NULL);
	if (update && !own)
		check_member(row, desc, orch_uuid_equal(assignee,
												orch_guard_row_uuid(trigdata->tg_trigtuple, desc,
																	Anum_work_item_assignee_id)));
	if (is_parent(row, desc))
		return PointerGetDatum(NULL);
	orch_system_connect(&saved);
	if (!update)
		execute(&plan_new_item, run_id, id, (Datum) 0, (Datum) 0);
	else if (orch_guard_row_status(LEVEL_WORK_ITEM, row, desc) == WORK_ITEM_COMPLETED)
	{
		if (!own)
		{
			execute(&plan_is_open, run_id, id, (Datum) 0, (Datum) 0);
			if (SPI_processed > 0)
				ereport(ERROR,
						(errcode(ERRCODE_ORCH_INVALID_INPUT),
						 errmsg("%s is an approval and needs a decision",
								orch_guard_row_label(LEVEL_WORK_ITEM, row, desc)),
						 errdetail("The decisions are Approve and Reject."),
						 errhint("Call orchestration.review_approval().")));
		}
		execute(&plan_close, run_id, id, (Datum) 0, (Datum) 0);
	}
	else
	{
		pg_uuid_t  *was = orch_guard_row_uuid(trigdata->tg_trigtuple, desc,
											  Anum_work_item_assignee_id);
		ApprovalDeed deed = {APPROVAL_ACTION_REASSIGN, PERFORMER_ADMIN,
			CHANNEL_INVOCABLE_ACTION, comments};
		const pg_uuid_t *user = orch_principal_acting_id(orch_frame_actor());

		if (!OidIsValid(orch_frame_actor()))
		{
			deed.role = PERFORMER_SYSTEM;
			deed.channel = CHANNEL_SYSTEM;
		}
		else if (user != NULL && (orch_uuid_equal(user, assignee) || orch_uuid_equal(user, was)))
			deed.role = PERFORMER_ASSIGNEE;
		execute(&plan_reassign, run_id, id, UUIDPGetDatum(assignee), (Datum) 0);
		add_detail(run_id, id, &deed,
				   psprintf("Reassigned from User Id - %s", orch_uuid_text(was)));
	}
	orch_system_finish(&saved);
	return PointerGetDatum(NULL);
}

/* ------------------------------------------------------------------- guard */

static const char *
row_name(Level level, HeapTuple row, TupleDesc desc)
{
	char	   *name = orch_guard_row_text(row, desc, level == LEVEL_APPROVAL_SUBMISSION ?
										   Anum_submission_name :
										   Anum_submission_item_name);

	return psprintf("%s %s", orch_transition_level_name(level), name);
}

/*
 * An update is the extension's own, keeps what the row belongs to, and makes a legal
 * transition.
 */
static void
check_change(Level level, TriggerData *trigdata)
{
	const ApprovalColumns *col = &columns[level - LEVEL_APPROVAL_SUBMISSION];
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	old = trigdata->tg_trigtuple;
	HeapTuple	new = trigdata->tg_newtuple;
	int			from = orch_catalog_label_column(col->type, old, desc, col->status);
	int			to = orch_catalog_label_column(col->type, new, desc, col->status);
	int			i;

	if (!orch_guard_by_extension())
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_IMMUTABLE),
				 errmsg("%s cannot be changed", row_name(level, old, desc)),
				 errdetail("It follows its run and the decisions of its reviewers."),
				 errhint("Call orchestration.review_approval(), recall_run() or cancel_run().")));
	for (i = 0; i < (int) lengthof(col->fixed) && col->fixed[i] != 0; i++)
	{
		pg_uuid_t  *was = orch_guard_row_uuid(old, desc, col->fixed[i]);
		pg_uuid_t  *is = orch_guard_row_uuid(new, desc, col->fixed[i]);

		if ((was == NULL) != (is == NULL) || (was != NULL && !orch_uuid_equal(was, is)))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_IMMUTABLE),
					 errmsg("column \"%s\" of %s cannot be changed",
							NameStr(TupleDescAttr(desc, col->fixed[i] - 1)->attname),
							row_name(level, old, desc)),
					 errtablecol(trigdata->tg_relation, col->fixed[i])));
	}
	if (from != to && orch_transition_find(level, from, to) == NULL)
	{
		char	   *targets = orch_transition_targets(level, from);

		ereport(ERROR,
				(errcode(ERRCODE_ORCH_ILLEGAL_STATUS_CHANGE),
				 errmsg("%s cannot change from %s to %s", row_name(level, old, desc),
						orch_transition_status_name(level, from),
						orch_transition_status_name(level, to)),
				 targets[0] == '\0' ?
				 errdetail("%s is final.", orch_transition_status_name(level, from)) :
				 errdetail("From %s it can change to: %s.",
						   orch_transition_status_name(level, from), targets),
				 errtablecol(trigdata->tg_relation, col->status)));
	}
}

/*
 * A row that is imported or restored may stand beside its parent.
 */
static void
check_new(Level level, TriggerData *trigdata)
{
	const ApprovalColumns *col = &columns[level - LEVEL_APPROVAL_SUBMISSION];
	Level		parent = level == LEVEL_APPROVAL_SUBMISSION ? LEVEL_RUN :
		LEVEL_APPROVAL_SUBMISSION;
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	row = trigdata->tg_trigtuple;
	Datum		value = UUIDPGetDatum(orch_guard_row_uuid(row, desc, 1));
	int			status = orch_catalog_label_column(col->type, row, desc, col->status);
	int			parent_status;
	SystemContext saved;

	orch_system_connect(&saved);
	orch_plan_execute_latest(level == LEVEL_APPROVAL_SUBMISSION ? &plan_run_status :
							 &plan_submission_status, &value, NULL, 1);
	/* none: the foreign key says so */
	if (SPI_processed > 0)
	{
		parent_status = orch_catalog_label_column(parent == LEVEL_RUN ? ENUM_RUN_STATUS :
												  ENUM_SUBMISSION_STATUS,
												  SPI_tuptable->vals[0],
												  SPI_tuptable->tupdesc, 1);
		if (!orch_transition_neighbours(level, parent_status, status))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_ILLEGAL_NEIGHBOUR),
					 errmsg("%s cannot be %s beside a %s that is %s",
							row_name(level, row, desc),
							orch_transition_status_name(level, status),
							orch_transition_level_name(parent),
							orch_transition_status_name(parent, parent_status)),
					 errdetail("It may be: %s.",
							   orch_transition_neighbour_list(level, parent_status))));
	}
	orch_system_finish(&saved);
}

PG_FUNCTION_INFO_V1(orchestration_approval_guard);

/*
 * orchestration_internal.approval_guard() returns trigger
 *
 * AFTER INSERT OR UPDATE ROW of submission and submission_item: the verdict on
 * the change, and its history.  Returns null.
 * Raises: OR005 for an update that is not the extension's own or that moves the row to
 * another parent, OR001 for an illegal change of status, OR002 for a row that may not
 * stand beside its parent, 39P01 when not called as that trigger.
 * Source: contract/transitions.csv, contract/neighbours.csv.
 */
Datum
orchestration_approval_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_data(fcinfo, "approval_guard", TRIGGER_EVENT_AFTER,
										 TRIGGER_EVENT_INSERT, RELATION_SUBMISSION,
										 RELATION_SUBMISSION_ITEM);
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	Oid			relid = RelationGetRelid(trigdata->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	bool		own = orch_guard_by_extension();
	Level		level = relid == orch_catalog_relation(RELATION_SUBMISSION) ?
		LEVEL_APPROVAL_SUBMISSION : LEVEL_APPROVAL_WORK_ITEM;

	if (update)
		check_change(level, trigdata);
	else if (!own)
		check_new(level, trigdata);
	orch_history_note(level, update ? trigdata->tg_trigtuple : NULL,
					  update ? trigdata->tg_newtuple : trigdata->tg_trigtuple, desc, own,
					  !update && orch_guard_is_loading(relid));
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(orchestration_approval_keep);

/*
 * orchestration_internal.approval_keep() returns trigger
 *
 * BEFORE DELETE ROW of submission, submission_item and
 * submission_detail, and BEFORE UPDATE ROW of the latter: rows go with their run,
 * and a detail is not changed.  Returns the row.
 * Raises: OR005 otherwise, 39P01 when not called as that trigger.
 * Source: ours.
 */
Datum
orchestration_approval_keep(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = trigger_data(fcinfo, "approval_keep", TRIGGER_EVENT_BEFORE,
										 TRIGGER_EVENT_DELETE, RELATION_SUBMISSION,
										 RELATION_SUBMISSION_DETAIL);
	Datum		value = UUIDPGetDatum(orch_guard_row_uuid(trigdata->tg_trigtuple,
														  RelationGetDescr(trigdata->tg_relation),
														  1));
	SystemContext saved;
	bool		exists;

	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_run_status, &value, NULL, 1);
	exists = SPI_processed > 0;
	orch_system_finish(&saved);
	if (exists || TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_IMMUTABLE),
				 errmsg("a row of table \"%s\" cannot be %s",
						RelationGetRelationName(trigdata->tg_relation),
						TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? "changed" : "deleted"),
				 errdetail("It is deleted with its run.")));
	return PointerGetDatum(trigdata->tg_trigtuple);
}
