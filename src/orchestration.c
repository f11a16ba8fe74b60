/*-------------------------------------------------------------------------
 *
 * orchestration.c
 *	  Module magic, settings and the start of every module; nothing else.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/orchestration.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "fmgr.h"
#include "utils/guc.h"

#include "access.h"
#include "catalog.h"
#include "describe.h"
#include "engine.h"
#include "frame.h"
#include "principal.h"
#include "tombstone.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	DefineCustomIntVariable("orchestration.max_elements",
							"Elements that a run may enter without ever waiting.",
							"Bounds a loop of connectors; a run that exceeds it ends in Error.",
							&orch_max_elements, 1000, 1, INT_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	orch_principal_init();
	orch_access_support_init();
	orch_tombstone_init();
	MarkGUCPrefixReserved("orchestration");

	orch_catalog_init();
	orch_describe_init();
	orch_frame_init();
}
