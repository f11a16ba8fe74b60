/*-------------------------------------------------------------------------
 *
 * engine_approval.c
 *	  What the engine does for runs of approvals alone: their submission, and their
 *	  recall.
 *
 * The rest follows from the statuses of run and work items (guard/approval.c).
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_approval.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "base/limit.h"
#include "base/system.h"
#include "base/uuid.h"
#include "engine/engine_int.h"
#include "record/principal.h"
#include "record/record.h"
#include "trail/log.h"

/*
 * The names of the inputs of an approval.  Source: approvals.md, section 1 (19).
 */
#define INPUT_RECORD	"recordId"
#define INPUT_SUBMITTER	"submitter"
#define INPUT_COMMENTS	"submissionComments"

static StaticPlan plan_discontinue_stage = {
	"UPDATE orchestration.stage_run s SET status = 'Discontinued',"
	" modified_at = orchestration.system_modstamp(), modified_by = NULL,"
	" ended_at = pg_catalog.clock_timestamp()"
	" WHERE s.run_id = $1 AND s.id = $2",
	2, {UUIDOID, UUIDOID}
};
/* what ended while the run was Suspended: the stage that would take it in is over */
static StaticPlan plan_drop_outcomes = {
	"UPDATE orchestration.step_run t SET pending = NULL"
	" WHERE t.run_id = $1 AND t.stage_run_id = $2 AND t.pending IS NOT NULL",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_resume_run = {
	"UPDATE orchestration.run SET status = 'InProgress' WHERE id = $1",
	1, {UUIDOID}
};
static StaticPlan plan_cancel_run = {
	"UPDATE orchestration.run SET status = 'Canceled' WHERE id = $1",
	1, {UUIDOID}
};

static char *input_text(RunState *rs, const char *name);
static const pg_uuid_t *find_submitter(RunState *rs, const pg_uuid_t *started_by,
									   Principal *principal);

/*
 * The text of an input; NULL if the definition has no such variable, or it has no value.
 */
static char *
input_text(RunState *rs, const char *name)
{
	int			i = orch_definition_variable_index(rs->def, name);

	return i < 0 ? NULL : orch_condition_value_text(rs->variables[i]);
}

/*
 * Who submitted: the user that the input names, else the user who started the run, else the
 * automated process user.
 */
static const pg_uuid_t *
find_submitter(RunState *rs, const pg_uuid_t *started_by, Principal *principal)
{
	char	   *name = input_text(rs, INPUT_SUBMITTER);

	if (name != NULL && orch_engine_find_assignee(ASSIGNEE_USER, name, principal))
		return &principal->id;
	return started_by != NULL ? started_by : &orch_automated_process;
}

/*
 * Write the submission of a new run.
 */
void
orch_engine_submit(RunState *rs, const pg_uuid_t *started_by)
{
	Principal	principal;
	const pg_uuid_t *submitter = find_submitter(rs, started_by, &principal);
	char	   *comments = input_text(rs, INPUT_COMMENTS);
	char	   *record_type = rs->record_type;
	char	   *record = rs->record_key;
	pg_uuid_t	id;
	WriteRow	row;

	if (record == NULL)
	{
		char	   *key = input_text(rs, INPUT_RECORD);

		/* among the records that the starter may read */
		if (key != NULL)
			record_type = orch_record_find_type(key, orch_engine_reader(rs), &record);
	}
	orch_uuid_generate(&id);
	orch_engine_begin_row(&row);
	orch_engine_put(&row, Anum_submission_run_id, UUIDPGetDatum(&rs->id));
	orch_engine_put(&row, Anum_submission_id, UUIDPGetDatum(&id));
	orch_engine_put(&row, Anum_submission_owner_id, UUIDPGetDatum(submitter));
	orch_engine_put(&row, Anum_submission_orchestration_id,
					UUIDPGetDatum(&rs->def->orchestration_id));
	orch_engine_put(&row, Anum_submission_submitted_by, UUIDPGetDatum(submitter));
	if (started_by != NULL)
		orch_engine_put(&row, Anum_submission_created_by, UUIDPGetDatum(started_by));
	orch_engine_put(&row, Anum_submission_sends_email,
					BoolGetDatum(!rs->def->sends_no_messages));
	if (comments != NULL)
	{
		int			length = pg_mbcharcliplen(comments, strlen(comments), MAX_APPROVAL_COMMENTS);

		orch_engine_put(&row, Anum_submission_comments,
						PointerGetDatum(cstring_to_text_with_len(comments, length)));
	}
	if (record_type != NULL)
	{
		orch_engine_put(&row, Anum_submission_related_record_type,
						CStringGetTextDatum(record_type));
		orch_engine_put(&row, Anum_submission_related_record_id,
						CStringGetTextDatum(record));
	}
	orch_engine_write(rs, WRITE_SUBMISSION, &row, 1);
}

void
orch_engine_recall(const pg_uuid_t *run_id, const char *comments)
{
	RunState   *rs;
	SystemContext saved;
	Datum		values[2];
	LogEntry	entry;
	Oid			actor = orch_frame_actor();

	orch_system_connect(&saved);
	rs = orch_engine_load_run(run_id);
	values[0] = UUIDPGetDatum(run_id);
	orch_engine_flush();
	if (rs->def == NULL || !rs->def->has_recall)
	{
		/* the guard cancels all that is open */
		orch_guard_execute(SCOPE_CASCADE, &plan_cancel_run, values, NULL, comments);
		orch_system_finish(&saved);
		orch_engine_drop_state(rs);
		return;
	}

	orch_engine_open_state(rs);
	orch_log_entry_init(&entry, LOG_RUN_RECALL_PATH, run_id);
	if (OidIsValid(actor))
		entry.actor = orch_principal_actor(actor);
	entry.comments = unconstify(char *, comments);
	values[1] = UUIDPGetDatum(&rs->stage_id);
	/*
	 * The guard discontinues the steps and closes the work items.  No stage is open if the
	 * run was suspended on its way to the next.
	 */
	if (rs->stage_open)
		orch_guard_execute(SCOPE_ENGINE, &plan_discontinue_stage, values, NULL, NULL);
	if (rs->status == RUN_SUSPENDED)
	{
		orch_guard_execute(SCOPE_TRUSTED, &plan_drop_outcomes, values, NULL, NULL);
		orch_guard_execute(SCOPE_TRUSTED, &plan_resume_run, values, NULL, NULL);
	}
	orch_log_append(&entry);
	/* a user's trigger may have changed the run meanwhile */
	orch_engine_reload(rs);
	if (!rs->stage_open)
		rs->next = rs->def->recall;
	orch_engine_advance(rs);
	orch_engine_close_state(rs);
	orch_system_finish(&saved);
	orch_engine_drop_state(rs);
}
