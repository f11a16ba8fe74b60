/*-------------------------------------------------------------------------
 *
 * approval.c
 *	  Calls on approvals: review, override, recall.
 *
 * A review is a work item that its assignee finishes with a decision.  complete_work_item()
 * comes here for such items, too: what a screen flow puts out says what the decision is.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/approval.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "access/access.h"
#include "access/access_argument.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/frame.h"
#include "base/limit.h"
#include "base/lock.h"
#include "base/system.h"
#include "base/uuid.h"
#include "engine/engine.h"
#include "evaluate/condition.h"
#include "guard/approval.h"
#include "guard/transition.h"
#include "record/principal.h"
#include "record/sobject.h"
#include "trail/history.h"
#include "trail/log.h"
#include "work/approval.h"
#include "work/work_item_call.h"

/* The outputs of a step that has a decision; the first two are those of the platform. */
#define OUTPUT_DECISION			"approvalDecision"
#define OUTPUT_COMMENTS			"approvalComments"
#define OUTPUT_SELECTED_ACTION	"selectedAction"
#define OUTPUT_SPECIFIED		"specifiedComments"

static const char *const decisions[] = {"Reject", "Approve"};

static StaticPlan plan_work_item_of = {
	"SELECT a.work_item_id FROM orchestration.submission_item a WHERE a.id = $1",
	1, {UUIDOID}
};
static StaticPlan plan_run_of = {
	"SELECT s.run_id FROM orchestration.submission s WHERE s.id = $1",
	1, {UUIDOID}
};
static StaticPlan plan_submission = {
	"SELECT s.status, r.status, r.name FROM orchestration.run r"
	" LEFT JOIN orchestration.submission s ON s.run_id = r.id WHERE r.id = $1",
	1, {UUIDOID}
};

static bool parse_decision(const char *text, const char *item);
static char *output_text(Jsonb *outputs, const char *name, const char *other,
						 const char *item);
static Jsonb *decided_outputs(Jsonb *outputs, bool approved, const char *comments);
static pg_uuid_t find_id(StaticPlan *plan, SharedObject object, const pg_uuid_t *id);
static bool read_submission(const pg_uuid_t *run_id, Datum *result);
static void decide(const ItemState *item, Oid role, bool approved, const ApprovalDeed *deed,
				   Jsonb *outputs, const char *key, bytea *digest);
static Datum review(FunctionCallInfo fcinfo, ApprovalAction action);

/*
 * Approve or Reject, in any case of letters.  Raises OR306 for anything else.
 */
static bool
parse_decision(const char *text, const char *item)
{
	int			i;

	for (i = 0; text != NULL && i < (int) lengthof(decisions); i++)
		if (pg_strcasecmp(text, decisions[i]) == 0)
			return i == 1;
	ereport(ERROR,
			(errcode(ERRCODE_ORCH_INVALID_INPUT),
			 text == NULL || text[0] == '\0' ?
			 errmsg("%s is an approval and needs a decision", item) :
			 errmsg("\"%s\" is no decision about %s", text, item),
			 errdetail("The decisions are Approve and Reject."),
			 orch_error_column(RELATION_SUBMISSION_ITEM, "status")));
}

/*
 * The text of an output, by either of two names; NULL if there is none.  Raises OR306 if it
 * is no text.
 */
static char *
output_text(Jsonb *outputs, const char *name, const char *other, const char *item)
{
	const char *names[2];
	int			i;

	names[0] = name;
	names[1] = other;
	for (i = 0; outputs != NULL && i < 2; i++)
	{
		JsonbValue *value = orch_condition_field(&outputs->root, names[i]);

		if (value == NULL || value->type == jbvNull)
			continue;
		if (value->type != jbvString)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_INVALID_INPUT),
					 errmsg("output \"%s\" of %s must be a text", names[i], item)));
		return pnstrdup(value->val.string.val, value->val.string.len);
	}
	return NULL;
}

/*
 * The outputs of the step: what was given, and the decision under every name that
 * definitions read.
 */
static Jsonb *
decided_outputs(Jsonb *outputs, bool approved, const char *comments)
{
	static const char *const ours[] = {
		OUTPUT_DECISION, OUTPUT_COMMENTS, OUTPUT_SELECTED_ACTION, OUTPUT_SPECIFIED
	};
	JsonbParseState *state = NULL;
	int			i;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (outputs != NULL)
	{
		JsonbIterator *it = JsonbIteratorInit(&outputs->root);
		JsonbIteratorToken token;
		JsonbValue	value;

		(void) JsonbIteratorNext(&it, &value, false);
		while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE &&
			   token != WJB_END_OBJECT)
		{
			CHECK_FOR_INTERRUPTS();
			pushJsonbValue(&state, token, &value);
		}
	}
	for (i = 0; i < (int) lengthof(ours); i++)
		if (i % 2 == 0)
			orch_json_put_text(&state, ours[i], decisions[approved]);
		else if (comments != NULL)
			orch_json_put_text(&state, ours[i], comments);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * The id that a plan finds for a record of the object, else the id itself; also for a record
 * that the caller does not see, so that no message names what belongs to it.
 */
static pg_uuid_t
find_id(StaticPlan *plan, SharedObject object, const pg_uuid_t *id)
{
	Datum		value = UUIDPGetDatum(id);
	pg_uuid_t	found = *id;
	SystemContext saved;
	bool		isnull;

	if (!orch_access_sees(GetUserId(), object, id))
		return found;
	orch_system_connect(&saved);
	orch_plan_execute_latest(plan, &value, NULL, 1);
	if (SPI_processed > 0)
		found = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
											 &isnull));
	orch_system_finish(&saved);
	return found;
}

/*
 * The status of the submission of a run; false: an action, or a user's trigger, has deleted
 * the run.  Caller is in system context.
 */
static bool
read_submission(const pg_uuid_t *run_id, Datum *result)
{
	Datum		value = UUIDPGetDatum(run_id);
	bool		isnull;

	orch_plan_execute_latest(&plan_submission, &value, NULL, 1);
	if (SPI_processed == 0)
		return false;
	*result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return true;
}

/*
 * Store the decision, complete the work item and end its step, unless other members of a
 * unanimous approval still have to approve.
 */
static void
decide(const ItemState *item, Oid role, bool approved, const ApprovalDeed *deed,
	   Jsonb *outputs, const char *key, bytea *digest)
{
	orch_limit_comments(deed->comments);
	orch_approval_review(&item->run_id, &item->id, approved, deed);
	orch_work_item_finish(item, role, decided_outputs(outputs, approved, deed->comments),
						  deed->comments, key, digest);
}

void
orch_approval_finish(const ItemState *item, Oid role, Jsonb *outputs, const char *key,
					 bytea *digest)
{
	char	   *label = psprintf("work item %s", item->name);
	char	   *decision = output_text(outputs, OUTPUT_DECISION, OUTPUT_SELECTED_ACTION, label);
	char	   *other = output_text(outputs, OUTPUT_SELECTED_ACTION, OUTPUT_DECISION, label);
	bool		approved = parse_decision(decision, label);
	ApprovalDeed deed = {APPROVAL_ACTION_REVIEW,
		orch_access_performer(role, &item->assignee_id), CHANNEL_SCREEN_FLOW,
	output_text(outputs, OUTPUT_COMMENTS, OUTPUT_SPECIFIED, label)};

	if (parse_decision(other, label) != approved)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_INPUT),
				 errmsg("outputs \"%s\" and \"%s\" of %s are different decisions",
						OUTPUT_DECISION, OUTPUT_SELECTED_ACTION, label)));
	if (deed.role == PERFORMER_ADMIN)
		deed.action = APPROVAL_ACTION_OVERRIDE;
	decide(item, role, approved, &deed, outputs, key, digest);
}

/*
 * review_approval() and override_approval().
 */
static Datum
review(FunctionCallInfo fcinfo, ApprovalAction action)
{
	Oid			role = GetUserId();
	bool		override = action == APPROVAL_ACTION_OVERRIDE;
	char	   *decision = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	ApprovalDeed deed = {action, PERFORMER_ADMIN, CHANNEL_INVOCABLE_ACTION,
	PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2))};
	pg_uuid_t	id;
	ItemState	item;
	char	   *label;
	bool		approved;
	SystemContext saved;
	Frame	   *frame;
	bool		there;
	Datum		result;

	if (!PG_ARGISNULL(3))
		deed.channel = (ApprovalChannel) orch_catalog_label_value(ENUM_APPROVAL_CHANNEL,
																  PG_GETARG_OID(3));
	id = find_id(&plan_work_item_of, OBJECT_APPROVAL_WORK_ITEM,
				 orch_argument_record(fcinfo, 0, OBJECT_WORK_ITEM, NAMES_OR_APPROVAL));
	frame = orch_work_item_enter(&id, &saved, &item, override ? orch_access_require_override :
								 orch_access_require_work);
	label = psprintf("work item %s", item.name);
	if (!item.is_approval)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s is no approval", label),
				 errhint("Call orchestration.complete_work_item().")));
	approved = parse_decision(decision, label);
	if (!override)
		deed.role = orch_access_performer(role, &item.assignee_id);
	if (deed.role == PERFORMER_ADMIN)
		deed.action = APPROVAL_ACTION_OVERRIDE;
	decide(&item, role, approved, &deed, NULL, NULL, NULL);
	orch_log_flush();
	orch_history_flush();
	there = read_submission(&item.run_id, &result);
	orch_work_item_leave(frame, &saved);
	if (!there)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}

PG_FUNCTION_INFO_V1(orchestration_review_approval);

/*
 * orchestration.review_approval(work_item_id uuid, decision text, comments text,
 *		channel orchestration.approval_channel) returns orchestration.approval_submission_status;
 *		also with work_item text
 *
 * Approves or rejects (decision: Approve or Reject) what a work item of an approval asks
 * for; its id or name, or that of its approval work item.  Returns the status that the submission
 * has then; null: an action of the run has deleted it.
 * Raises: 22004 for a null id, OR101 and 42501 as complete_work_item(), OR302 if the item is
 * Completed, OR306 for another decision, 55000 for a work item that is no approval, 22001
 * for comments of more than 32,000 characters.
 * Source: contract/transitions.csv, level approval_work_item.
 */
Datum
orchestration_review_approval(PG_FUNCTION_ARGS)
{
	return review(fcinfo, APPROVAL_ACTION_REVIEW);
}

PG_FUNCTION_INFO_V1(orchestration_override_approval);

/*
 * orchestration.override_approval(work_item_id uuid, decision text, comments text,
 *		channel orchestration.approval_channel) returns orchestration.approval_submission_status;
 *		also with work_item text
 *
 * review_approval() for an approval administrator, instead of the assignee.
 * Raises: as review_approval(), 42501 without the permission Approval Admin.
 * Source: contract/transitions.csv, level approval_work_item.
 */
Datum
orchestration_override_approval(PG_FUNCTION_ARGS)
{
	return review(fcinfo, APPROVAL_ACTION_OVERRIDE);
}

PG_FUNCTION_INFO_V1(orchestration_recall_run);

/*
 * orchestration.recall_run(run_id uuid, comments text) returns boolean; also with run text
 *
 * Recalls an approval, by the id or name of its run or of its submission: the submission and
 * its open work items become Recalled, and the run goes on along its recall path; without one,
 * or when that has ended, it is Canceled.  Returns false if it was recalled already.
 * Raises: 22004 for a null run_id, OR101 for a run that does not exist or that the caller
 * did not submit and does not see, 42501 unless the caller submitted it or has the
 * permission Approval Admin, OR001 if it is neither InProgress nor Suspended, 55000 for a run
 * that is no approval, 22001 as review_approval().
 * Source: contract/transitions.csv, level approval_submission; contract/lifecycle.md,
 * "Approvals".
 */
Datum
orchestration_recall_run(PG_FUNCTION_ARGS)
{
	Oid			role = GetUserId();
	char	   *comments = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	ApprovalDeed deed = {APPROVAL_ACTION_RECALL, PERFORMER_ADMIN, CHANNEL_INVOCABLE_ACTION,
	comments};
	pg_uuid_t	run_id;
	SystemContext saved;
	Frame	   *frame;
	Datum		value;
	RunStatus	status;
	SubmissionStatus submitted;
	char	   *name;
	bool		recalled;

	orch_limit_comments(comments);
	run_id = find_id(&plan_run_of, OBJECT_APPROVAL_SUBMISSION,
					 orch_argument_record(fcinfo, 0, OBJECT_RUN, NAMES_OR_APPROVAL));
	orch_access_require_recall(role, &run_id, &deed.role);
	frame = orch_frame_push(FRAME_CALL, role, NULL);
	orch_system_connect(&saved);
	(void) orch_lock_run(&run_id, RUN_LOCK_MOVE);
	orch_access_require_recall(role, &run_id, &deed.role);
	value = UUIDPGetDatum(&run_id);
	orch_plan_execute_latest(&plan_submission, &value, NULL, 1);
	/* locked: it is there */
	name = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3);
	if (heap_attisnull(SPI_tuptable->vals[0], 1, SPI_tuptable->tupdesc))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("run %s is no approval", name),
				 errhint("Call orchestration.cancel_run().")));
	submitted = (SubmissionStatus) orch_catalog_label_column(ENUM_SUBMISSION_STATUS,
															 SPI_tuptable->vals[0],
															 SPI_tuptable->tupdesc, 1);
	status = (RunStatus) orch_catalog_label_column(ENUM_RUN_STATUS, SPI_tuptable->vals[0],
												   SPI_tuptable->tupdesc, 2);
	recalled = submitted == SUBMISSION_RECALLED;
	if (!recalled && status != RUN_IN_PROGRESS && status != RUN_SUSPENDED)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_ILLEGAL_STATUS_CHANGE),
				 errmsg("run %s cannot be recalled: its submission is %s", name,
						orch_transition_status_name(LEVEL_APPROVAL_SUBMISSION, submitted)),
				 errdetail("An approval can be recalled while it is InProgress or Suspended."),
				 orch_error_column(RELATION_SUBMISSION, "status")));
	if (!recalled)
	{
		orch_approval_recall(&run_id, &deed);
		orch_engine_recall(&run_id, comments);
		orch_log_flush();
		orch_history_flush();
	}
	orch_system_finish(&saved);
	orch_frame_pop(frame);
	PG_RETURN_BOOL(!recalled);
}
