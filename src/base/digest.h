/*-------------------------------------------------------------------------
 *
 * digest.h
 *	  Digests of requests that are made with an idempotency key.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/base/digest.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_DIGEST_H
#define ORCH_DIGEST_H

#include "postgres.h"

#include "utils/jsonb.h"

/*
 * SHA-256 of what a request names and gives, either of them or NULL.  Equal values of jsonb
 * give equal digests; so do NULL and an empty object.
 */
extern bytea *orch_digest_request(const char *name, Jsonb *values);

/* Are a stored digest and this one the same?  true if none was stored. */
extern bool orch_digest_matches(Datum stored, bool isnull, bytea *digest);

#endif							/* ORCH_DIGEST_H */
