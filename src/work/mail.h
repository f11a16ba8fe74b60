/*-------------------------------------------------------------------------
 *
 * mail.h
 *	  What a mailer calls.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/mail.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_MAIL_H
#define ORCH_MAIL_H

#include "postgres.h"

#include "utils/uuid.h"

/* Whom notify.c wakes when messages were written: no principal has this id. */
extern const pg_uuid_t orch_mail_principal;

/* Called once, by _PG_init(). */
extern void orch_mail_init(void);

#endif							/* ORCH_MAIL_H */
