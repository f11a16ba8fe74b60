/*-------------------------------------------------------------------------
 *
 * unlock.h
 *	  Whom the lock of an approval lets through to its record.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/unlock.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_UNLOCK_H
#define ORCH_UNLOCK_H

#include "postgres.h"

#include "access/access.h"

/*
 * Who may edit the record that work item w locks: nobody (null), or its assignee; of a
 * unanimous approval its members, also those that have answered.
 */
#define LOCK_EDITORS \
	"CASE WHEN w.assignee_can_edit THEN" \
	" ARRAY(SELECT m.assignee_id FROM orchestration.work_item m" \
	"        WHERE m.run_id = w.run_id" \
	"          AND (m.id = w.id AND NOT m.is_parent OR m.parent_id = w.id)) END"

/* Is one of these editors, not null, the user, or a group or queue of the user's? */
extern bool orch_record_lock_lets(AccessSet *set, Datum editors);

#endif							/* ORCH_UNLOCK_H */
