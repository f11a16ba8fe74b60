/*-------------------------------------------------------------------------
 *
 * catalog.h
 *	  The extension's own objects in the system catalogs: OIDs of its tables, types and
 *	  labels, attribute numbers, its owner.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/catalog.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_CATALOG_H
#define ORCH_CATALOG_H

#include "postgres.h"

#include "access/htup.h"
#include "access/tupdesc.h"

#include "base/orchestration.h"

/* The enum types; catalog.c has their names and labels. */
typedef enum EnumType
{
	ENUM_RUN_STATUS,
	ENUM_STAGE_STATUS,
	ENUM_STEP_STATUS,
	ENUM_STEP_TYPE,
	ENUM_WORK_ITEM_STATUS,
	ENUM_SUBMISSION_STATUS,
	ENUM_APPROVAL_STATUS,
	ENUM_APPROVAL_ACTION,
	ENUM_PERFORMER_ROLE,
	ENUM_APPROVAL_CHANNEL,
	ENUM_LOG_KIND,
	ENUM_ACTION_KIND,
	ENUM_PRINCIPAL_KIND,
	ENUM_SHARED_OBJECT,
	ENUM_ACCESS_LEVEL,
	ENUM_SHARING_MODEL,
	ENUM_ROW_CAUSE,
	ENUM_FEED_ITEM_TYPE,
	ENUM_FEED_VISIBILITY,
	ENUM_LAST = ENUM_FEED_VISIBILITY
} EnumType;

/* The tables and indexes that C code reads. */
typedef enum OrchRelation
{
	RELATION_RUN,
	RELATION_STAGE_RUN,
	RELATION_STEP_RUN,
	RELATION_WORK_ITEM,
	RELATION_RUN_LOG,
	RELATION_ACTION,
	RELATION_DEFINITION,
	RELATION_VERSION,
	RELATION_RECORD_TYPE,
	RELATION_PRINCIPAL,
	RELATION_MEMBERSHIP,
	RELATION_DEFAULT_ACCESS,
	RELATION_OWNER_SHARING_RULE,
	RELATION_SHARE_GRANT,
	RELATION_FIELD_TRACKING,
	RELATION_FIELD_CHANGE,
	RELATION_FEED_ITEM,
	RELATION_FEED_COMMENT,
	RELATION_FEED_LIKE,
	RELATION_SOBJECT,
	RELATION_SOBJECT_FIELD,
	RELATION_SOBJECT_PICKLIST_VALUE,
	RELATION_SOBJECT_CHILD_RELATIONSHIP,
	RELATION_STEP_QUEUE,
	RELATION_SUBMISSION,
	RELATION_SUBMISSION_ITEM,
	RELATION_SUBMISSION_DETAIL,
	RELATION_APPROVAL_DELEGATION,
	RELATION_MESSAGE,
	RELATION_STEP_MESSAGE,
	/* indexes that access.c and principal.c read */
	INDEX_PRINCIPAL_ID,
	INDEX_PRINCIPAL_ROLE_NAME,
	INDEX_MEMBERSHIP_GROUP,
	INDEX_MEMBERSHIP_MEMBER,
	INDEX_OWNER_SHARING_RULE_TARGET,
	INDEX_SHARE_GRANT_TARGET,
	INDEX_RUN_ID,
	INDEX_STAGE_RUN_ID,
	INDEX_STEP_RUN_ID,
	INDEX_WORK_ITEM_ID,
	INDEX_SUBMISSION_ID,
	INDEX_SUBMISSION_ITEM_ID,
	INDEX_SUBMISSION_ITEM_SUBMISSION,
	INDEX_SUBMISSION_RUN,
	INDEX_SUBMISSION_ITEM_ASSIGNED_TO,
	INDEX_APPROVAL_DELEGATION_TARGET,
	INDEX_PRINCIPAL_DELEGATE,
	INDEX_PRINCIPAL_MANAGER,
	/* these mark plans, see access_support.c */
	INDEX_RUN_OWNER,
	INDEX_STAGE_RUN_OWNER,
	INDEX_STEP_RUN_OWNER,
	INDEX_WORK_ITEM_OWNER,
	INDEX_SUBMISSION_OWNER,
	INDEX_SUBMISSION_ITEM_OWNER,
	INDEX_STEP_QUEUE_AVAILABLE,
	RELATION_LAST = INDEX_STEP_QUEUE_AVAILABLE
} OrchRelation;

/* attribute numbers, checked against the catalog at first use */
#define Anum_run_id							1
#define Anum_run_owner_id					2
#define Anum_run_orchestration_id			3
#define Anum_run_version_id					4
#define Anum_run_created_at					5
#define Anum_run_created_by					6
#define Anum_run_name						7
#define Anum_run_orchestration_name			8
#define Anum_run_orchestration_label		9
#define Anum_run_triggering_record_type		10
#define Anum_run_triggering_record_id		11
#define Anum_run_idempotency_key			12
#define Anum_run_interview_id				13
#define Anum_run_status						14
#define Anum_run_error_recoverable			15
#define Anum_run_modified_at				16
#define Anum_run_modified_by				17
#define Anum_run_ended_at					18
#define Anum_run_current_stage				19
#define Anum_run_variables					20
#define Anum_run_error						21
#define Anum_run_modified_minute			22
#define Anum_run_idempotency_digest			23
#define Anum_run_is_approval				24
#define Natts_run							24

#define Anum_stage_run_run_id				1
#define Anum_stage_run_id					2
#define Anum_stage_run_owner_id				3
#define Anum_stage_run_orchestration_id		4
#define Anum_stage_run_created_at			5
#define Anum_stage_run_name					7
#define Anum_stage_run_label				8
#define Anum_stage_run_position				9
#define Anum_stage_run_status				10
#define Anum_stage_run_modified_at			11
#define Anum_stage_run_modified_by			12
#define Anum_stage_run_ended_at				13
#define Anum_stage_run_modified_minute		15
#define Natts_stage_run						15

#define Anum_step_run_run_id				1
#define Anum_step_run_id					2
#define Anum_step_run_owner_id				3
#define Anum_step_run_orchestration_id		4
#define Anum_step_run_stage_run_id			5
#define Anum_step_run_created_at			6
#define Anum_step_run_step_type				8
#define Anum_step_run_name					9
#define Anum_step_run_label					10
#define Anum_step_run_description			11
#define Anum_step_run_status				12
#define Anum_step_run_attempt				13
#define Anum_step_run_modified_at			14
#define Anum_step_run_modified_by			15
#define Anum_step_run_started_at			16
#define Anum_step_run_ended_at				17
#define Anum_step_run_outputs				18
#define Anum_step_run_lease_id				21
#define Anum_step_run_modified_minute		22
#define Natts_step_run						22

#define Anum_step_queue_run_id				1
#define Anum_step_queue_step_run_id			2
#define Anum_step_queue_orchestration_id	3
#define Anum_step_queue_available_at		4
#define Anum_step_queue_leased_until		6
#define Anum_step_queue_attempt				8
#define Anum_step_queue_failures			9
#define Anum_step_queue_lost				10
#define Anum_step_queue_timeout				11
#define Anum_step_queue_run_as				12
#define Anum_step_queue_topic				14
#define Anum_step_queue_step_name			15
#define Anum_step_queue_action				16
#define Anum_step_queue_inputs				17
#define Natts_step_queue					17

#define Anum_work_item_run_id				1
#define Anum_work_item_id					2
#define Anum_work_item_owner_id				3
#define Anum_work_item_orchestration_id		4
#define Anum_work_item_assignee_id			5
#define Anum_work_item_step_run_id			6
#define Anum_work_item_created_at			7
#define Anum_work_item_name					9
#define Anum_work_item_label				10
#define Anum_work_item_description			11
#define Anum_work_item_screen_flow			12
#define Anum_work_item_screen_flow_inputs	13
#define Anum_work_item_related_record_type	14
#define Anum_work_item_related_record_id	15
#define Anum_work_item_status				16
#define Anum_work_item_assigned_at			17
#define Anum_work_item_modified_at			18
#define Anum_work_item_modified_by			19
#define Anum_work_item_completed_at			20
#define Anum_work_item_completed_by			21
#define Anum_work_item_modified_minute		23
#define Anum_work_item_due_at				24
#define Anum_work_item_claimed_from			25
#define Anum_work_item_record_locked		26
#define Anum_work_item_assignee_can_edit	27
#define Anum_work_item_is_approval			29
#define Anum_work_item_parent_id			30
#define Anum_work_item_is_parent			31

#define Anum_submission_run_id				1
#define Anum_submission_id					2
#define Anum_submission_owner_id			3
#define Anum_submission_orchestration_id	4
#define Anum_submission_created_by			6
#define Anum_submission_name				7
#define Anum_submission_submitted_by		8
#define Anum_submission_comments			9
#define Anum_submission_sends_email		10
#define Anum_submission_related_record_type	11
#define Anum_submission_related_record_id	12
#define Anum_submission_status				13
#define Anum_submission_modified_by			15

#define Anum_submission_item_run_id				1
#define Anum_submission_item_id					2
#define Anum_submission_item_owner_id			3
#define Anum_submission_item_orchestration_id	4
#define Anum_submission_item_submission_id		5
#define Anum_submission_item_work_item_id		6
#define Anum_submission_item_name				9
#define Anum_submission_item_assigned_to			10
#define Anum_submission_item_status				14
#define Anum_submission_item_reviewed_by			15
#define Anum_submission_item_comments			17
#define Anum_submission_item_modified_by			19

#define Anum_step_message_run_id			1
#define Anum_step_message_step_run_id		2
#define Anum_step_message_subject			3
#define Anum_step_message_body				4
#define Anum_step_message_is_html			5

#define Anum_approval_delegation_delegated_from		2
#define Anum_approval_delegation_delegated_to		3
#define Anum_approval_delegation_end_date			4

#define Anum_principal_id					1
#define Anum_principal_kind					2
#define Anum_principal_name					3
#define Anum_principal_username				4
#define Anum_principal_role_name			6
#define Anum_principal_is_active			7
#define Anum_principal_view_all_data		8
#define Anum_principal_modify_all_data		9
#define Anum_principal_manage_runs			10
#define Anum_principal_manage_definitions	11
#define Anum_principal_reassign_work_items	12
#define Anum_principal_approval_admin		15
#define Anum_principal_delegated_approver	16
#define Anum_principal_manager_id			17

#define Anum_membership_group_id			1
#define Anum_membership_member_id			2
#define Anum_membership_member_kind		3

#define Anum_default_access_object			1
#define Anum_default_access_sharing_model	2

#define Anum_owner_sharing_rule_object		2
#define Anum_owner_sharing_rule_access_level	3
#define Anum_owner_sharing_rule_user_or_group_id	4
#define Anum_owner_sharing_rule_group_id	5
#define Anum_owner_sharing_rule_orchestration_id	6

#define Anum_share_grant_object				3
#define Anum_share_grant_record_id			4
#define Anum_share_grant_user_or_group_id	5
#define Anum_share_grant_access_level		6

extern void orch_catalog_init(void);
extern Oid	orch_catalog_owner(void);
extern bool orch_catalog_is_own_schema(Oid schema);
extern Oid	orch_catalog_relation(OrchRelation relation);
extern Oid	orch_catalog_enum_type(EnumType type);
extern Oid	orch_catalog_label_oid(EnumType type, int value);
extern int	orch_catalog_label_value(EnumType type, Oid label);
extern const char *orch_catalog_label(EnumType type, int value);

/* The C value of an enum column that is not null; columns count from 1. */
extern int	orch_catalog_label_column(EnumType type, HeapTuple tuple, TupleDesc desc,
									  int column);

/*
 * Changes with every invalidation of the tables above.  A cache of their rows compares
 * it with the generation in which it was filled.
 */
extern uint64 orch_catalog_generation(void);

/*
 * Change when rows change that decide on access: the first with principals,
 * memberships, rules, defaults and roles, the second with manual shares.  Never 0.
 */
extern uint64 orch_catalog_sharing_generation;
extern uint64 orch_catalog_share_generation;

/* Changes when the description of the documented objects may have changed. */
extern uint64 orch_catalog_sobject_generation;

#endif							/* ORCH_CATALOG_H */
