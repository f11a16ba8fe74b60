/*-------------------------------------------------------------------------
 *
 * catalog.c
 *	  The extension's own objects in the system catalogs, looked up once.
 *
 * SQL enums and C enums meet only here: one table, indexed by the C enum, filled at
 * first use, and dropped as a whole by the invalidation callbacks (which read no
 * catalog).  Attribute numbers are constants for speed.  Filling the cache compares each
 * of them with the column's name, so that a library that does not fit the installed
 * tables raises an error instead of reading wrong columns.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/catalog.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/catalog.h"

#define SCHEMA_NAME "orchestration"
#define INTERNAL_SCHEMA_NAME "orchestration_internal"
#define MAX_LABELS	20

typedef struct EnumInfo
{
	const char *type_name;
	const char *labels[MAX_LABELS]; /* in the order of the C enum */
	Oid			type_oid;
	Oid			label_oids[MAX_LABELS];
} EnumInfo;

static EnumInfo enum_info[ENUM_LAST + 1] = {
	[ENUM_RUN_STATUS] = {"run_status", {"Canceled", "Completed", "Error",
	"InProgress", "Suspended"}},
	[ENUM_STAGE_STATUS] = {"stage_status", {"Completed", "Discontinued",
	"Error", "InProgress", "Suspended"}},
	[ENUM_STEP_STATUS] = {"step_status", {"Completed", "Discontinued", "Error",
	"InProgress", "NotStarted"}},
	[ENUM_STEP_TYPE] = {"step_type", {"InteractiveStep", "BackgroundStep",
	"AynchronousBackgroundStep"}},
	[ENUM_WORK_ITEM_STATUS] = {"work_item_status", {"Assigned", "Completed"}},
	[ENUM_SUBMISSION_STATUS] = {"approval_submission_status", {"Approved", "Canceled",
	"Errored", "InProgress", "Recalled", "Rejected", "Suspended"}},
	[ENUM_APPROVAL_STATUS] = {"approval_work_item_status", {"Approved", "Assigned",
	"Canceled", "Errored", "Recalled", "Rejected", "Withdrawn"}},
	[ENUM_APPROVAL_ACTION] = {"approval_action", {"Cancel", "Override", "Reassign",
	"Recall", "Review"}},
	[ENUM_PERFORMER_ROLE] = {"approval_performer_role", {"Admin", "Assignee", "Delegate",
	"Submitter", "System"}},
	[ENUM_APPROVAL_CHANNEL] = {"approval_channel", {"ApprovalRecord", "Email",
	"InvocableAction", "ScreenFlow", "Slack", "System"}},
	[ENUM_LOG_KIND] = {"log_kind", {"CancelInstance", "DiscontinueStage",
			"DiscontinueStep", "EndInstance", "EndStage", "EndStep",
			"EndWorkItem", "FailInstance", "FailStage", "FailStep",
			"ResumeInstance", "ReassignWorkItem", "RunRecallPath", "StartInstance",
			"StartStage", "StartStep", "StartWorkItem", "SuspendInstance",
	"SuspendStage", "MigrateInstance"}},
	[ENUM_ACTION_KIND] = {"action_kind", {"function", "worker", "screen"}},
	[ENUM_PRINCIPAL_KIND] = {"principal_kind", {"User", "Group", "Queue"}},
	[ENUM_SHARED_OBJECT] = {"shared_object", {"FlowOrchestrationInstance",
			"FlowOrchestrationStageInstance", "FlowOrchestrationStepInstance",
	"FlowOrchestrationWorkItem", "ApprovalSubmission", "ApprovalWorkItem"}},
	[ENUM_ACCESS_LEVEL] = {"access_level", {"Read", "Edit", "All"}},
	[ENUM_SHARING_MODEL] = {"sharing_model", {"Private", "Read", "ReadWrite"}},
	[ENUM_ROW_CAUSE] = {"row_cause", {"Manual", "Owner", "Rule"}},
	[ENUM_FEED_ITEM_TYPE] = {"feed_item_type", {"TextPost", "LinkPost",
	"CreatedRecordEvent", "TrackedChange"}},
	[ENUM_FEED_VISIBILITY] = {"feed_visibility", {"AllUsers", "InternalUsers"}}
};

static const char *const relation_names[RELATION_LAST + 1] = {
	[RELATION_RUN] = "run",
	[RELATION_STAGE_RUN] = "stage_run",
	[RELATION_STEP_RUN] = "step_run",
	[RELATION_WORK_ITEM] = "work_item",
	[RELATION_RUN_LOG] = "run_log",
	[RELATION_ACTION] = "action",
	[RELATION_DEFINITION] = "orchestration_definition",
	[RELATION_VERSION] = "orchestration_version",
	[RELATION_RECORD_TYPE] = "record_type",
	[RELATION_PRINCIPAL] = "principal",
	[RELATION_MEMBERSHIP] = "membership",
	[RELATION_DEFAULT_ACCESS] = "default_access",
	[RELATION_OWNER_SHARING_RULE] = "owner_sharing_rule",
	[RELATION_SHARE_GRANT] = "share_grant",
	[RELATION_FIELD_TRACKING] = "field_tracking",
	[RELATION_FIELD_CHANGE] = "field_change",
	[RELATION_FEED_ITEM] = "feed_item",
	[RELATION_FEED_COMMENT] = "feed_comment",
	[RELATION_FEED_LIKE] = "feed_like",
	[RELATION_SOBJECT] = "sobject",
	[RELATION_SOBJECT_FIELD] = "sobject_field",
	[RELATION_SOBJECT_PICKLIST_VALUE] = "sobject_picklist_value",
	[RELATION_SOBJECT_CHILD_RELATIONSHIP] = "sobject_child_relationship",
	[RELATION_STEP_QUEUE] = "step_queue",
	[RELATION_SUBMISSION] = "submission",
	[RELATION_SUBMISSION_ITEM] = "submission_item",
	[RELATION_SUBMISSION_DETAIL] = "submission_detail",
	[RELATION_APPROVAL_DELEGATION] = "approval_delegation",
	[RELATION_MESSAGE] = "message",
	[RELATION_STEP_MESSAGE] = "step_message",
	[INDEX_PRINCIPAL_ID] = "principal_pkey",
	[INDEX_PRINCIPAL_ROLE_NAME] = "principal_role_name_key",
	[INDEX_MEMBERSHIP_GROUP] = "membership_pkey",
	[INDEX_MEMBERSHIP_MEMBER] = "membership_member_idx",
	[INDEX_OWNER_SHARING_RULE_TARGET] = "owner_sharing_rule_source_key",
	[INDEX_SHARE_GRANT_TARGET] = "share_grant_user_or_group_idx",
	[INDEX_RUN_ID] = "run_pkey",
	[INDEX_STAGE_RUN_ID] = "stage_run_id_idx",
	[INDEX_STEP_RUN_ID] = "step_run_id_idx",
	[INDEX_WORK_ITEM_ID] = "work_item_id_idx",
	[INDEX_SUBMISSION_ID] = "submission_id_idx",
	[INDEX_SUBMISSION_ITEM_ID] = "submission_item_id_idx",
	[INDEX_SUBMISSION_ITEM_SUBMISSION] = "submission_item_submission_idx",
	[INDEX_SUBMISSION_RUN] = "submission_run_key",
	[INDEX_SUBMISSION_ITEM_ASSIGNED_TO] = "submission_item_assigned_to_idx",
	[INDEX_APPROVAL_DELEGATION_TARGET] = "approval_delegation_target_idx",
	[INDEX_PRINCIPAL_DELEGATE] = "principal_delegated_approver_idx",
	[INDEX_PRINCIPAL_MANAGER] = "principal_manager_idx",
	[INDEX_RUN_OWNER] = "run_owner_idx",
	[INDEX_STAGE_RUN_OWNER] = "stage_run_owner_idx",
	[INDEX_STEP_RUN_OWNER] = "step_run_owner_idx",
	[INDEX_WORK_ITEM_OWNER] = "work_item_owner_idx",
	[INDEX_SUBMISSION_OWNER] = "submission_owner_idx",
	[INDEX_SUBMISSION_ITEM_OWNER] = "submission_item_owner_idx",
	[INDEX_STEP_QUEUE_AVAILABLE] = "step_queue_available_idx"
};

/* The column of each attribute number in catalog.h. */
static const struct
{
	OrchRelation relation;
	AttrNumber	attnum;
	const char *name;
}			attributes[] = {
	{RELATION_RUN, Anum_run_id, "id"},
	{RELATION_RUN, Anum_run_owner_id, "owner_id"},
	{RELATION_RUN, Anum_run_orchestration_id, "orchestration_id"},
	{RELATION_RUN, Anum_run_version_id, "version_id"},
	{RELATION_RUN, Anum_run_created_at, "created_at"},
	{RELATION_RUN, Anum_run_created_by, "created_by"},
	{RELATION_RUN, Anum_run_name, "name"},
	{RELATION_RUN, Anum_run_orchestration_name, "orchestration_name"},
	{RELATION_RUN, Anum_run_orchestration_label, "orchestration_label"},
	{RELATION_RUN, Anum_run_triggering_record_type, "triggering_record_type"},
	{RELATION_RUN, Anum_run_triggering_record_id, "triggering_record_id"},
	{RELATION_RUN, Anum_run_idempotency_key, "idempotency_key"},
	{RELATION_RUN, Anum_run_idempotency_digest, "idempotency_digest"},
	{RELATION_RUN, Anum_run_interview_id, "interview_id"},
	{RELATION_RUN, Anum_run_status, "status"},
	{RELATION_RUN, Anum_run_error_recoverable, "error_recoverable"},
	{RELATION_RUN, Anum_run_modified_at, "modified_at"},
	{RELATION_RUN, Anum_run_modified_by, "modified_by"},
	{RELATION_RUN, Anum_run_modified_minute, "modified_minute"},
	{RELATION_RUN, Anum_run_ended_at, "ended_at"},
	{RELATION_RUN, Anum_run_current_stage, "current_stage"},
	{RELATION_RUN, Anum_run_variables, "variables"},
	{RELATION_RUN, Anum_run_error, "error"},
	{RELATION_RUN, Anum_run_is_approval, "is_approval"},
	{RELATION_STAGE_RUN, Anum_stage_run_run_id, "run_id"},
	{RELATION_STAGE_RUN, Anum_stage_run_id, "id"},
	{RELATION_STAGE_RUN, Anum_stage_run_owner_id, "owner_id"},
	{RELATION_STAGE_RUN, Anum_stage_run_orchestration_id, "orchestration_id"},
	{RELATION_STAGE_RUN, Anum_stage_run_created_at, "created_at"},
	{RELATION_STAGE_RUN, Anum_stage_run_name, "name"},
	{RELATION_STAGE_RUN, Anum_stage_run_label, "label"},
	{RELATION_STAGE_RUN, Anum_stage_run_position, "position"},
	{RELATION_STAGE_RUN, Anum_stage_run_status, "status"},
	{RELATION_STAGE_RUN, Anum_stage_run_modified_at, "modified_at"},
	{RELATION_STAGE_RUN, Anum_stage_run_modified_by, "modified_by"},
	{RELATION_STAGE_RUN, Anum_stage_run_modified_minute, "modified_minute"},
	{RELATION_STAGE_RUN, Anum_stage_run_ended_at, "ended_at"},
	{RELATION_STEP_RUN, Anum_step_run_run_id, "run_id"},
	{RELATION_STEP_RUN, Anum_step_run_id, "id"},
	{RELATION_STEP_RUN, Anum_step_run_owner_id, "owner_id"},
	{RELATION_STEP_RUN, Anum_step_run_orchestration_id, "orchestration_id"},
	{RELATION_STEP_RUN, Anum_step_run_stage_run_id, "stage_run_id"},
	{RELATION_STEP_RUN, Anum_step_run_created_at, "created_at"},
	{RELATION_STEP_RUN, Anum_step_run_attempt, "attempt"},
	{RELATION_STEP_RUN, Anum_step_run_step_type, "step_type"},
	{RELATION_STEP_RUN, Anum_step_run_name, "name"},
	{RELATION_STEP_RUN, Anum_step_run_label, "label"},
	{RELATION_STEP_RUN, Anum_step_run_description, "description"},
	{RELATION_STEP_RUN, Anum_step_run_status, "status"},
	{RELATION_STEP_RUN, Anum_step_run_modified_at, "modified_at"},
	{RELATION_STEP_RUN, Anum_step_run_modified_by, "modified_by"},
	{RELATION_STEP_RUN, Anum_step_run_modified_minute, "modified_minute"},
	{RELATION_STEP_RUN, Anum_step_run_started_at, "started_at"},
	{RELATION_STEP_RUN, Anum_step_run_ended_at, "ended_at"},
	{RELATION_STEP_RUN, Anum_step_run_outputs, "outputs"},
	{RELATION_STEP_RUN, Anum_step_run_lease_id, "lease_id"},
	{RELATION_STEP_QUEUE, Anum_step_queue_run_id, "run_id"},
	{RELATION_STEP_QUEUE, Anum_step_queue_step_run_id, "step_run_id"},
	{RELATION_STEP_QUEUE, Anum_step_queue_orchestration_id, "orchestration_id"},
	{RELATION_STEP_QUEUE, Anum_step_queue_available_at, "available_at"},
	{RELATION_STEP_QUEUE, Anum_step_queue_leased_until, "leased_until"},
	{RELATION_STEP_QUEUE, Anum_step_queue_attempt, "attempt"},
	{RELATION_STEP_QUEUE, Anum_step_queue_failures, "failures"},
	{RELATION_STEP_QUEUE, Anum_step_queue_lost, "lost"},
	{RELATION_STEP_QUEUE, Anum_step_queue_timeout, "timeout"},
	{RELATION_STEP_QUEUE, Anum_step_queue_run_as, "run_as"},
	{RELATION_STEP_QUEUE, Anum_step_queue_topic, "topic"},
	{RELATION_STEP_QUEUE, Anum_step_queue_step_name, "step_name"},
	{RELATION_STEP_QUEUE, Anum_step_queue_action, "action"},
	{RELATION_STEP_QUEUE, Anum_step_queue_inputs, "inputs"},
	{RELATION_WORK_ITEM, Anum_work_item_run_id, "run_id"},
	{RELATION_WORK_ITEM, Anum_work_item_id, "id"},
	{RELATION_WORK_ITEM, Anum_work_item_owner_id, "owner_id"},
	{RELATION_WORK_ITEM, Anum_work_item_orchestration_id, "orchestration_id"},
	{RELATION_WORK_ITEM, Anum_work_item_assignee_id, "assignee_id"},
	{RELATION_WORK_ITEM, Anum_work_item_step_run_id, "step_run_id"},
	{RELATION_WORK_ITEM, Anum_work_item_created_at, "created_at"},
	{RELATION_WORK_ITEM, Anum_work_item_name, "name"},
	{RELATION_WORK_ITEM, Anum_work_item_label, "label"},
	{RELATION_WORK_ITEM, Anum_work_item_description, "description"},
	{RELATION_WORK_ITEM, Anum_work_item_screen_flow, "screen_flow"},
	{RELATION_WORK_ITEM, Anum_work_item_screen_flow_inputs, "screen_flow_inputs"},
	{RELATION_WORK_ITEM, Anum_work_item_related_record_type, "related_record_type"},
	{RELATION_WORK_ITEM, Anum_work_item_related_record_id, "related_record_id"},
	{RELATION_WORK_ITEM, Anum_work_item_status, "status"},
	{RELATION_WORK_ITEM, Anum_work_item_assigned_at, "assigned_at"},
	{RELATION_WORK_ITEM, Anum_work_item_modified_at, "modified_at"},
	{RELATION_WORK_ITEM, Anum_work_item_modified_by, "modified_by"},
	{RELATION_WORK_ITEM, Anum_work_item_modified_minute, "modified_minute"},
	{RELATION_WORK_ITEM, Anum_work_item_due_at, "due_at"},
	{RELATION_WORK_ITEM, Anum_work_item_record_locked, "record_locked"},
	{RELATION_WORK_ITEM, Anum_work_item_assignee_can_edit, "assignee_can_edit"},
	{RELATION_WORK_ITEM, Anum_work_item_completed_at, "completed_at"},
	{RELATION_WORK_ITEM, Anum_work_item_completed_by, "completed_by"},
	{RELATION_WORK_ITEM, Anum_work_item_claimed_from, "claimed_from"},
	{RELATION_WORK_ITEM, Anum_work_item_is_approval, "is_approval"},
	{RELATION_WORK_ITEM, Anum_work_item_parent_id, "parent_id"},
	{RELATION_WORK_ITEM, Anum_work_item_is_parent, "is_parent"},
	{RELATION_STEP_MESSAGE, Anum_step_message_run_id, "run_id"},
	{RELATION_STEP_MESSAGE, Anum_step_message_step_run_id, "step_run_id"},
	{RELATION_STEP_MESSAGE, Anum_step_message_subject, "subject"},
	{RELATION_STEP_MESSAGE, Anum_step_message_body, "body"},
	{RELATION_STEP_MESSAGE, Anum_step_message_is_html, "is_html"},
	{RELATION_SUBMISSION, Anum_submission_run_id, "run_id"},
	{RELATION_SUBMISSION, Anum_submission_id, "id"},
	{RELATION_SUBMISSION, Anum_submission_owner_id, "owner_id"},
	{RELATION_SUBMISSION, Anum_submission_orchestration_id, "orchestration_id"},
	{RELATION_SUBMISSION, Anum_submission_created_by, "created_by"},
	{RELATION_SUBMISSION, Anum_submission_name, "name"},
	{RELATION_SUBMISSION, Anum_submission_submitted_by, "submitted_by"},
	{RELATION_SUBMISSION, Anum_submission_comments, "comments"},
	{RELATION_SUBMISSION, Anum_submission_sends_email, "sends_email"},
	{RELATION_SUBMISSION, Anum_submission_related_record_type, "related_record_type"},
	{RELATION_SUBMISSION, Anum_submission_related_record_id, "related_record_id"},
	{RELATION_SUBMISSION, Anum_submission_status, "status"},
	{RELATION_SUBMISSION, Anum_submission_modified_by, "modified_by"},
	{RELATION_SUBMISSION_ITEM, Anum_submission_item_run_id, "run_id"},
	{RELATION_SUBMISSION_ITEM, Anum_submission_item_id, "id"},
	{RELATION_SUBMISSION_ITEM, Anum_submission_item_owner_id, "owner_id"},
	{RELATION_SUBMISSION_ITEM, Anum_submission_item_orchestration_id, "orchestration_id"},
	{RELATION_SUBMISSION_ITEM, Anum_submission_item_submission_id, "submission_id"},
	{RELATION_SUBMISSION_ITEM, Anum_submission_item_work_item_id, "work_item_id"},
	{RELATION_SUBMISSION_ITEM, Anum_submission_item_name, "name"},
	{RELATION_SUBMISSION_ITEM, Anum_submission_item_assigned_to, "assigned_to"},
	{RELATION_SUBMISSION_ITEM, Anum_submission_item_status, "status"},
	{RELATION_SUBMISSION_ITEM, Anum_submission_item_reviewed_by, "reviewed_by"},
	{RELATION_SUBMISSION_ITEM, Anum_submission_item_comments, "comments"},
	{RELATION_SUBMISSION_ITEM, Anum_submission_item_modified_by, "modified_by"},
	{RELATION_APPROVAL_DELEGATION, Anum_approval_delegation_delegated_from, "delegated_from"},
	{RELATION_APPROVAL_DELEGATION, Anum_approval_delegation_delegated_to, "delegated_to"},
	{RELATION_APPROVAL_DELEGATION, Anum_approval_delegation_end_date, "end_date"},
	{RELATION_PRINCIPAL, Anum_principal_id, "id"},
	{RELATION_PRINCIPAL, Anum_principal_kind, "kind"},
	{RELATION_PRINCIPAL, Anum_principal_name, "name"},
	{RELATION_PRINCIPAL, Anum_principal_username, "username"},
	{RELATION_PRINCIPAL, Anum_principal_role_name, "role_name"},
	{RELATION_PRINCIPAL, Anum_principal_is_active, "is_active"},
	{RELATION_PRINCIPAL, Anum_principal_view_all_data, "view_all_data"},
	{RELATION_PRINCIPAL, Anum_principal_modify_all_data, "modify_all_data"},
	{RELATION_PRINCIPAL, Anum_principal_manage_runs, "manage_runs"},
	{RELATION_PRINCIPAL, Anum_principal_manage_definitions, "manage_definitions"},
	{RELATION_PRINCIPAL, Anum_principal_reassign_work_items, "reassign_work_items"},
	{RELATION_PRINCIPAL, Anum_principal_approval_admin, "approval_admin"},
	{RELATION_PRINCIPAL, Anum_principal_delegated_approver, "delegated_approver_id"},
	{RELATION_PRINCIPAL, Anum_principal_manager_id, "manager_id"},
	{RELATION_MEMBERSHIP, Anum_membership_group_id, "group_id"},
	{RELATION_MEMBERSHIP, Anum_membership_member_id, "member_id"},
	{RELATION_MEMBERSHIP, Anum_membership_member_kind, "member_kind"},
	{RELATION_DEFAULT_ACCESS, Anum_default_access_object, "object"},
	{RELATION_DEFAULT_ACCESS, Anum_default_access_sharing_model, "sharing_model"},
	{RELATION_OWNER_SHARING_RULE, Anum_owner_sharing_rule_object, "object"},
	{RELATION_OWNER_SHARING_RULE, Anum_owner_sharing_rule_access_level, "access_level"},
	{RELATION_OWNER_SHARING_RULE, Anum_owner_sharing_rule_user_or_group_id, "user_or_group_id"},
	{RELATION_OWNER_SHARING_RULE, Anum_owner_sharing_rule_group_id, "group_id"},
	{RELATION_OWNER_SHARING_RULE, Anum_owner_sharing_rule_orchestration_id, "orchestration_id"},
	{RELATION_SHARE_GRANT, Anum_share_grant_object, "object"},
	{RELATION_SHARE_GRANT, Anum_share_grant_record_id, "record_id"},
	{RELATION_SHARE_GRANT, Anum_share_grant_user_or_group_id, "user_or_group_id"},
	{RELATION_SHARE_GRANT, Anum_share_grant_access_level, "access_level"}
};

typedef struct CatalogCache
{
	bool		valid;			/* set last */
	Oid			owner;			/* of the schema, hence of the extension */
	Oid			schema;			/* of tables and of what users call */
	Oid			internal_schema;
	Oid			relations[RELATION_LAST + 1];
} CatalogCache;

static CatalogCache cache;
static uint64 generation = 1;
static uint64 invalidations = 0;	/* received, of any kind */
uint64		orch_catalog_sharing_generation = 1;
uint64		orch_catalog_share_generation = 1;
uint64		orch_catalog_sobject_generation = 1;

static void load_cache(void);
static void load_enum(EnumInfo *info, Oid schema);
static void invalidate_relation(Datum arg, Oid relid);
static void invalidate_all(Datum arg, int cacheid, uint32 hashvalue);
static void invalidate_roles(Datum arg, int cacheid, uint32 hashvalue);

/*
 * Registers the invalidation callbacks; called once, by _PG_init().
 */
void
orch_catalog_init(void)
{
	CacheRegisterRelcacheCallback(invalidate_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, invalidate_all, (Datum) 0);
	CacheRegisterSyscacheCallback(ENUMOID, invalidate_all, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, invalidate_roles, (Datum) 0);
}

/*
 * The role that owns the extension's schema.
 */
Oid
orch_catalog_owner(void)
{
	if (!cache.valid)
		load_cache();
	return cache.owner;
}

/*
 * Is this one of the two schemas of the extension?  False, not an error, where the
 * extension is not installed.
 */
bool
orch_catalog_is_own_schema(Oid schema)
{
	if (cache.valid)
		return schema == cache.schema || schema == cache.internal_schema;
	return OidIsValid(schema) && (schema == get_namespace_oid(SCHEMA_NAME, true) ||
								  schema == get_namespace_oid(INTERNAL_SCHEMA_NAME, true));
}

Oid
orch_catalog_relation(OrchRelation relation)
{
	if (!cache.valid)
		load_cache();
	return cache.relations[relation];
}

Oid
orch_catalog_enum_type(EnumType type)
{
	if (!cache.valid)
		load_cache();
	return enum_info[type].type_oid;
}

/*
 * From the C enum to the OID of the label.
 */
Oid
orch_catalog_label_oid(EnumType type, int value)
{
	if (!cache.valid)
		load_cache();
	Assert(value >= 0 && value < MAX_LABELS);
	return enum_info[type].label_oids[value];
}

/*
 * From the OID of a label to the C enum.  Raises 0A000 for a label that the extension
 * does not have: a superuser has added it.
 */
int
orch_catalog_label_value(EnumType type, Oid label)
{
	EnumInfo   *info = &enum_info[type];
	int			i;

	if (!cache.valid)
		load_cache();
	for (i = 0; i < MAX_LABELS && info->labels[i] != NULL; i++)
		if (info->label_oids[i] == label)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("label %u of enum type %s.%s is not one of the extension's",
					label, SCHEMA_NAME, info->type_name),
			 errdetail("The type was altered after the extension was installed.")));
}

const char *
orch_catalog_label(EnumType type, int value)
{
	Assert(value >= 0 && value < MAX_LABELS);
	return enum_info[type].labels[value];
}

int
orch_catalog_label_column(EnumType type, HeapTuple tuple, TupleDesc desc, int column)
{
	bool		isnull;
	Datum		label = heap_getattr(tuple, column, desc, &isnull);

	Assert(!isnull);
	return orch_catalog_label_value(type, DatumGetObjectId(label));
}

uint64
orch_catalog_generation(void)
{
	if (!cache.valid)
		load_cache();
	return generation;
}

/*
 * Fills the cache.  Each look-up may accept invalidations, so that earlier look-ups may
 * be out of date.  The cache is valid only if no invalidation of any kind arrived: which
 * table one concerns is not known before the cache is filled.  Otherwise it serves this
 * caller, for whom the state at the beginning of the call is good enough, and the next
 * call fills it again.  Repeating it here would never end with debug_discard_caches,
 * where each look-up drops everything.
 */
static void
load_cache(void)
{
	uint64		seen = invalidations;
	Oid			schema = get_namespace_oid(SCHEMA_NAME, true);
	HeapTuple	tuple;
	int			i;

	if (!OidIsValid(schema))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("extension \"orchestration\" is not installed in this database"),
				 errhint("Run CREATE EXTENSION orchestration.")));

	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for schema %u", schema);
	cache.owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	cache.schema = schema;
	cache.internal_schema = get_namespace_oid(INTERNAL_SCHEMA_NAME, false);

	for (i = 0; i <= RELATION_LAST; i++)
	{
		Oid			relid = get_relname_relid(relation_names[i], schema);

		if (!OidIsValid(relid))
			elog(ERROR, "relation %s.%s does not exist", SCHEMA_NAME,
				 relation_names[i]);
		if (relid != cache.relations[i])
		{
			/* the extension was created again: drop caches of its rows */
			cache.relations[i] = relid;
			orch_catalog_sharing_generation++;
			orch_catalog_share_generation++;
			orch_catalog_sobject_generation++;
		}
	}
	for (i = 0; i < (int) lengthof(attributes); i++)
	{
		Oid			relid = cache.relations[attributes[i].relation];
		char	   *name = get_attname(relid, attributes[i].attnum, true);

		if (name == NULL || strcmp(name, attributes[i].name) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the loaded library does not fit the installed version of extension \"orchestration\""),
					 errdetail("Column %d of table %s.%s is not \"%s\".",
							   attributes[i].attnum, SCHEMA_NAME,
							   relation_names[attributes[i].relation],
							   attributes[i].name),
					 errhint("Run ALTER EXTENSION orchestration UPDATE, or install the library of that version.")));
	}
	for (i = 0; i <= ENUM_LAST; i++)
		load_enum(&enum_info[i], schema);

	generation++;
	cache.valid = invalidations == seen;
}

static void
load_enum(EnumInfo *info, Oid schema)
{
	int			i;

	info->type_oid = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
									 CStringGetDatum(info->type_name),
									 ObjectIdGetDatum(schema));
	if (!OidIsValid(info->type_oid))
		elog(ERROR, "type %s.%s does not exist", SCHEMA_NAME, info->type_name);
	for (i = 0; i < MAX_LABELS && info->labels[i] != NULL; i++)
	{
		info->label_oids[i] = GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid,
											  ObjectIdGetDatum(info->type_oid),
											  CStringGetDatum(info->labels[i]));
		if (!OidIsValid(info->label_oids[i]))
			elog(ERROR, "enum type %s.%s has no label \"%s\"", SCHEMA_NAME,
				 info->type_name, info->labels[i]);
	}
}

/*
 * Relcache callback: a table changed, or (InvalidOid) any table may have.  For tables
 * whose rows are cached, a trigger sends such an invalidation when rows change.
 */
static void
invalidate_relation(Datum arg, Oid relid)
{
	int			i;

	invalidations++;
	if (relid == InvalidOid)
	{
		cache.valid = false;
		orch_catalog_sharing_generation++;
		orch_catalog_share_generation++;
		orch_catalog_sobject_generation++;
		return;
	}

	/* the tables' OIDs stay right while the cache is invalid */
	if (relid == cache.relations[RELATION_SHARE_GRANT])
	{
		/* shares change often, so they invalidate nothing else */
		orch_catalog_share_generation++;
		return;
	}
	if (relid == cache.relations[RELATION_PRINCIPAL] ||
		relid == cache.relations[RELATION_MEMBERSHIP] ||
		relid == cache.relations[RELATION_OWNER_SHARING_RULE] ||
		relid == cache.relations[RELATION_APPROVAL_DELEGATION] ||
		relid == cache.relations[RELATION_DEFAULT_ACCESS])
		orch_catalog_sharing_generation++;
	if (relid == cache.relations[RELATION_SOBJECT] ||
		relid == cache.relations[RELATION_SOBJECT_FIELD] ||
		relid == cache.relations[RELATION_SOBJECT_PICKLIST_VALUE] ||
		relid == cache.relations[RELATION_SOBJECT_CHILD_RELATIONSHIP] ||
		relid == cache.relations[RELATION_RECORD_TYPE])
		orch_catalog_sobject_generation++;
	if (!cache.valid)
		return;
	for (i = 0; i <= RELATION_LAST; i++)
	{
		if (cache.relations[i] == relid)
		{
			cache.valid = false;
			return;
		}
	}
}

static void
invalidate_all(Datum arg, int cacheid, uint32 hashvalue)
{
	invalidations++;
	cache.valid = false;
}

/*
 * A role was renamed, dropped or created: users are mapped to roles by name.
 */
static void
invalidate_roles(Datum arg, int cacheid, uint32 hashvalue)
{
	orch_catalog_sharing_generation++;
}

PG_FUNCTION_INFO_V1(orchestration_invalidate_cache);

/*
 * orchestration_internal.invalidate_cache() returns trigger
 *
 * AFTER ROW and AFTER TRUNCATE trigger of the tables whose rows sessions cache.  Every
 * session drops its cache of them: this session at once, others when it commits.  It is
 * a row trigger, ENABLE ALWAYS, because rows that arrive by logical replication fire no
 * others.  Returns null.
 * Raises: 39P01 if not called as a trigger.
 * Source: ours.
 */
Datum
orchestration_invalidate_cache(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager",
						"invalidate_cache")));
	CacheInvalidateRelcache(trigdata->tg_relation);
	return PointerGetDatum(NULL);
}
