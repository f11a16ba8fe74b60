/*-------------------------------------------------------------------------
 *
 * catalog.h
 *	  What the extension looks like in the system catalogs: OIDs of its tables,
 *	  types and labels, attribute numbers, its owner.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/catalog.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_CATALOG_H
#define ORCH_CATALOG_H

#include "orchestration.h"

/* The enum types that C knows; the table in catalog.c has name and labels. */
typedef enum EnumType
{
	ENUM_RUN_STATUS,
	ENUM_STAGE_STATUS,
	ENUM_STEP_STATUS,
	ENUM_STEP_TYPE,
	ENUM_WORK_ITEM_STATUS,
	ENUM_LOG_KIND,
	ENUM_ACTION_KIND,
	ENUM_PRINCIPAL_KIND,
	ENUM_LAST = ENUM_PRINCIPAL_KIND
} EnumType;

/* The tables that C knows. */
typedef enum OrchRelation
{
	RELATION_RUN,
	RELATION_STAGE_RUN,
	RELATION_STEP_RUN,
	RELATION_WORK_ITEM,
	RELATION_RUN_LOG,
	RELATION_ACTION,
	RELATION_DEFINITION,
	RELATION_RECORD_TYPE,
	RELATION_PRINCIPAL,
	RELATION_LAST = RELATION_PRINCIPAL
} OrchRelation;

/* attribute numbers, checked against the catalog at first use */
#define Anum_run_id							1
#define Anum_run_version_id					2
#define Anum_run_owner_id					3
#define Anum_run_created_at					4
#define Anum_run_created_by					5
#define Anum_run_name						6
#define Anum_run_triggering_record_type		9
#define Anum_run_triggering_record_id		10
#define Anum_run_status						15
#define Anum_run_error_recoverable			16
#define Anum_run_modified_at				17
#define Anum_run_modified_by				18
#define Anum_run_ended_at					19
#define Anum_run_current_stage				20
#define Anum_run_error						22

#define Anum_stage_run_run_id				1
#define Anum_stage_run_id					2
#define Anum_stage_run_owner_id				3
#define Anum_stage_run_created_at			4
#define Anum_stage_run_name					6
#define Anum_stage_run_position				8
#define Anum_stage_run_status				9
#define Anum_stage_run_modified_at			10
#define Anum_stage_run_modified_by			11
#define Anum_stage_run_ended_at				12

#define Anum_step_run_run_id				1
#define Anum_step_run_id					2
#define Anum_step_run_stage_run_id			3
#define Anum_step_run_owner_id				4
#define Anum_step_run_step_type				7
#define Anum_step_run_name					8
#define Anum_step_run_status				11
#define Anum_step_run_modified_at			13
#define Anum_step_run_modified_by			14
#define Anum_step_run_started_at			15
#define Anum_step_run_ended_at				16

#define Anum_work_item_run_id				1
#define Anum_work_item_id					2
#define Anum_work_item_step_run_id			3
#define Anum_work_item_owner_id				4
#define Anum_work_item_created_at			5
#define Anum_work_item_name					7
#define Anum_work_item_related_record_type	12
#define Anum_work_item_related_record_id	13
#define Anum_work_item_status				16
#define Anum_work_item_assignee_id			17
#define Anum_work_item_assigned_at			18
#define Anum_work_item_modified_at			19
#define Anum_work_item_modified_by			20
#define Anum_work_item_completed_at			21
#define Anum_work_item_completed_by			22

extern void orch_catalog_init(void);
extern Oid	orch_catalog_owner(void);
extern Oid	orch_catalog_relation(OrchRelation relation);
extern Oid	orch_catalog_label_oid(EnumType type, int value);
extern int	orch_catalog_label_value(EnumType type, Oid label);
extern const char *orch_catalog_label(EnumType type, int value);

/*
 * Changes with every invalidation of the action, definition, record type and
 * principal tables; caches of their contents compare it.
 */
extern uint64 orch_catalog_generation(void);

#endif							/* ORCH_CATALOG_H */
