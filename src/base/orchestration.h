/*-------------------------------------------------------------------------
 *
 * orchestration.h
 *	  What every module of the extension shares: the C mirrors of the SQL enum
 *	  types, in the order of their labels.
 *
 * The bridge between the two is one table in catalog.c.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/orchestration.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_ORCHESTRATION_H
#define ORCH_ORCHESTRATION_H

#include "postgres.h"

typedef enum RunStatus
{
	RUN_CANCELED,
	RUN_COMPLETED,
	RUN_ERROR,
	RUN_IN_PROGRESS,
	RUN_SUSPENDED
} RunStatus;

typedef enum StageStatus
{
	STAGE_COMPLETED,
	STAGE_DISCONTINUED,
	STAGE_ERROR,
	STAGE_IN_PROGRESS,
	STAGE_SUSPENDED
} StageStatus;

typedef enum StepStatus
{
	STEP_COMPLETED,
	STEP_DISCONTINUED,
	STEP_ERROR,
	STEP_IN_PROGRESS,
	STEP_NOT_STARTED
} StepStatus;

typedef enum WorkItemStatus
{
	WORK_ITEM_ASSIGNED,
	WORK_ITEM_COMPLETED
} WorkItemStatus;

typedef enum SubmissionStatus
{
	SUBMISSION_APPROVED,
	SUBMISSION_CANCELED,
	SUBMISSION_ERRORED,
	SUBMISSION_IN_PROGRESS,
	SUBMISSION_RECALLED,
	SUBMISSION_REJECTED,
	SUBMISSION_SUSPENDED
} SubmissionStatus;

typedef enum ApprovalStatus
{
	APPROVAL_APPROVED,
	APPROVAL_ASSIGNED,
	APPROVAL_CANCELED,
	APPROVAL_ERRORED,
	APPROVAL_RECALLED,
	APPROVAL_REJECTED,
	APPROVAL_WITHDRAWN
} ApprovalStatus;

/* ApprovalSubmissionDetail: ActionName, ActionPerformerRole, ActionChannelName */
typedef enum ApprovalAction
{
	APPROVAL_ACTION_CANCEL,
	APPROVAL_ACTION_OVERRIDE,
	APPROVAL_ACTION_REASSIGN,
	APPROVAL_ACTION_RECALL,
	APPROVAL_ACTION_REVIEW
} ApprovalAction;

typedef enum PerformerRole
{
	PERFORMER_ADMIN,
	PERFORMER_ASSIGNEE,
	PERFORMER_DELEGATE,
	PERFORMER_SUBMITTER,
	PERFORMER_SYSTEM
} PerformerRole;

typedef enum ApprovalChannel
{
	CHANNEL_APPROVAL_RECORD,
	CHANNEL_EMAIL,
	CHANNEL_INVOCABLE_ACTION,
	CHANNEL_SCREEN_FLOW,
	CHANNEL_SLACK,
	CHANNEL_SYSTEM
} ApprovalChannel;

typedef enum LogKind
{
	LOG_CANCEL_INSTANCE,
	LOG_DISCONTINUE_STAGE,
	LOG_DISCONTINUE_STEP,
	LOG_END_INSTANCE,
	LOG_END_STAGE,
	LOG_END_STEP,
	LOG_END_WORK_ITEM,
	LOG_FAIL_INSTANCE,
	LOG_FAIL_STAGE,
	LOG_FAIL_STEP,
	LOG_RESUME_INSTANCE,
	LOG_REASSIGN_WORK_ITEM,
	LOG_RUN_RECALL_PATH,
	LOG_START_INSTANCE,
	LOG_START_STAGE,
	LOG_START_STEP,
	LOG_START_WORK_ITEM,
	LOG_SUSPEND_INSTANCE,
	LOG_SUSPEND_STAGE,
	LOG_MIGRATE_INSTANCE		/* ours */
} LogKind;

typedef enum ActionKind
{
	ACTION_FUNCTION,
	ACTION_WORKER,
	ACTION_SCREEN
} ActionKind;

typedef enum PrincipalKind
{
	PRINCIPAL_USER,
	PRINCIPAL_GROUP,
	PRINCIPAL_QUEUE
} PrincipalKind;

/*
 * The levels of a run, parents first; in the order of SharedObject.  The guard's triggers
 * are on the tables up to LEVEL_LAST; those of an approval follow them (approval.c).
 */
typedef enum Level
{
	LEVEL_RUN,
	LEVEL_STAGE,
	LEVEL_STEP,
	LEVEL_WORK_ITEM,
	LEVEL_LAST = LEVEL_WORK_ITEM,
	LEVEL_APPROVAL_SUBMISSION,
	LEVEL_APPROVAL_WORK_ITEM
} Level;

#define NUM_LEVELS (LEVEL_APPROVAL_WORK_ITEM + 1)

/*
 * Objects with sharing of their own; approval work items alone have that of their
 * submission.
 */
typedef enum SharedObject
{
	OBJECT_RUN,
	OBJECT_STAGE,
	OBJECT_STEP,
	OBJECT_WORK_ITEM,
	OBJECT_APPROVAL_SUBMISSION,
	OBJECT_APPROVAL_WORK_ITEM,
	OBJECT_LAST = OBJECT_APPROVAL_WORK_ITEM
} SharedObject;

#define NUM_OBJECTS (OBJECT_LAST + 1)

/* In the SQL enum ACCESS_READ is the first label. */
typedef enum AccessLevel
{
	ACCESS_NONE,
	ACCESS_READ,
	ACCESS_EDIT,
	ACCESS_ALL
} AccessLevel;

typedef enum SharingModel
{
	SHARING_PRIVATE,
	SHARING_READ,
	SHARING_READ_WRITE
} SharingModel;

#endif							/* ORCH_ORCHESTRATION_H */
