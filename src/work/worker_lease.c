/*-------------------------------------------------------------------------
 *
 * worker_lease.c
 *	  The leases of the background worker.
 *
 * The worker holds one lease at a time.  Whatever goes wrong between the claim of a step
 * and its outcome, the worker gives the lease back before it claims another step, and when
 * it exits.  Leases carry the pid of the worker, so that the next worker can tell leases
 * of dead workers.
 *
 * A session that keeps the row of a step locked must not keep the worker from other steps:
 * the worker puts such a lease aside and tries again.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/work/worker_lease.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "executor/spi.h"
#include "utils/uuid.h"

#include "definition/definition.h"
#include "work/worker_int.h"

/* Leases that are put aside because their rows are locked. */
#define MAX_LOCKED		32

/* Seconds until a step is tried again: the first time, and at most. */
#define CONFLICT_DELAY		0.02
#define MAX_CONFLICT_DELAY	10
#define TROUBLE_DELAY		1
#define MAX_TROUBLE_DELAY	300

typedef struct HeldLease
{
	bool		held;
	double		delay;			/* seconds until it may be claimed again */
	bool		lost;			/* counts as lost: the step ended the worker */
	pg_uuid_t	run_id;
	pg_uuid_t	step_id;
	pg_uuid_t	lease_id;
	int			attempt;
} HeldLease;

static HeldLease lease;
static HeldLease locked[MAX_LOCKED];
static int	nlocked = 0;

static StaticPlan plan_lost = {
	"UPDATE orchestration.step_queue q SET leased_until = pg_catalog.now()"
	" WHERE (q.run_id, q.step_run_id) IN ("
	"   SELECT o.run_id, o.step_run_id FROM orchestration.step_queue o"
	"    WHERE o.topic = '' AND o.worker LIKE '" WORKER_NAME " %'"
	"      AND o.leased_until > pg_catalog.now()"
	"      AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_get_activity(NULL) a"
	"           WHERE o.worker = '" WORKER_NAME " ' || a.pid AND a.backend_start <= o.claimed_at"
	"             AND a.backend_type = 'orchestration worker')"
	"    FOR UPDATE SKIP LOCKED)",
	0
};
static StaticPlan plan_lease_until = {
	"UPDATE orchestration.step_queue SET"
	" leased_until = claimed_at + pg_catalog.make_interval(secs => $4)"
	" WHERE run_id = $1 AND step_run_id = $2 AND lease_id = $3",
	4, {UUIDOID, UUIDOID, UUIDOID, FLOAT8OID}
};

/*
 * As if the step had not been claimed.  Not while its run is in Error (available_at is
 * infinite): then the outcome is pending, and the resume of the run begins the step again.
 */
static StaticPlan plan_give_back = {
	"UPDATE orchestration.step_queue q SET lease_id = NULL, leased_until = NULL,"
	" claimed_at = NULL, worker = NULL, available_at = CASE WHEN $4 = 0 THEN q.available_at ELSE"
	"   pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $4) END"
	" WHERE (q.run_id, q.step_run_id) IN ("
	"   SELECT o.run_id, o.step_run_id FROM orchestration.step_queue o"
	"    WHERE o.run_id = $1 AND o.step_run_id = $2 AND o.lease_id = $3"
	"      AND o.available_at < 'infinity' FOR UPDATE SKIP LOCKED)",
	4, {UUIDOID, UUIDOID, UUIDOID, FLOAT8OID}
};

/* The next claim records the attempt as lost or late. */
static StaticPlan plan_end_lease = {
	"UPDATE orchestration.step_queue q SET leased_until ="
	" LEAST(q.leased_until, pg_catalog.clock_timestamp())"
	" WHERE (q.run_id, q.step_run_id) IN ("
	"   SELECT o.run_id, o.step_run_id FROM orchestration.step_queue o"
	"    WHERE o.run_id = $1 AND o.step_run_id = $2 AND o.lease_id = $3"
	"    FOR UPDATE SKIP LOCKED)",
	3, {UUIDOID, UUIDOID, UUIDOID}
};
static StaticPlan plan_held = {
	"SELECT r.version_id FROM orchestration.step_queue q"
	" JOIN orchestration.run r ON r.id = q.run_id"
	" WHERE q.run_id = $1 AND q.step_run_id = $2 AND q.lease_id = $3",
	3, {UUIDOID, UUIDOID, UUIDOID}
};

static void lease_values(Datum *values);
static bool give_back(void);
static double backoff(double first, double most);

static void
lease_values(Datum *values)
{
	values[0] = UUIDPGetDatum(&lease.run_id);
	values[1] = UUIDPGetDatum(&lease.step_id);
	values[2] = UUIDPGetDatum(&lease.lease_id);
}

void
orch_worker_lease_take(const ClaimedStep *step)
{
	lease.held = true;
	lease.delay = 0;
	lease.lost = false;
	lease.run_id = step->run_id;
	lease.step_id = step->step_id;
	lease.lease_id = step->lease_id;
	lease.attempt = step->attempt;
}

void
orch_worker_lease_forget(void)
{
	lease.held = false;
}

bool
orch_worker_lease_is_held(void)
{
	return lease.held;
}

void
orch_worker_lease_set_length(const ClaimedStep *step, double seconds)
{
	Datum		values[4];

	orch_spi_connect();
	values[0] = UUIDPGetDatum(&step->run_id);
	values[1] = UUIDPGetDatum(&step->step_id);
	values[2] = UUIDPGetDatum(&step->lease_id);
	values[3] = Float8GetDatum(seconds);
	orch_plan_execute(&plan_lease_until, values, NULL, false, 0);
	SPI_finish();
}

/* --------------------------------------------------------- is it still valid */

bool
orch_worker_lease_is_valid(void)
{
	Datum		values[3];
	bool		valid;

	orch_spi_connect();
	lease_values(values);
	orch_plan_execute(&plan_held, values, NULL, false, 1);
	valid = SPI_processed > 0;
	if (valid)
	{
		bool		isnull;
		Datum		version = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

		if (!isnull)
			(void) orch_definition_get(DatumGetUUIDP(version));
	}
	SPI_finish();
	return valid;
}

/*
 * If so, and the lease is not valid for this transaction, the function itself ended its
 * step, for example by canceling its run.  A snapshot of command 0 shows nothing that this
 * transaction did.
 */
bool
orch_worker_lease_is_valid_for_others(void)
{
	Datum		values[3];
	Snapshot	snapshot;
	bool		result;

	orch_spi_connect();
	lease_values(values);
	orch_plan_prepare(&plan_held);
	snapshot = GetLatestSnapshot();
	snapshot->curcid = FirstCommandId;
	if (SPI_execute_snapshot(plan_held.plan, values, NULL, snapshot, InvalidSnapshot,
							 true, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_snapshot failed");
	result = SPI_processed > 0;
	SPI_finish();
	return result;
}

/* ------------------------------------------------------------------- retries */

/*
 * Seconds until the step is tried again: longer after each attempt, and randomly varied,
 * so that steps that failed together are not tried again together.
 */
static double
backoff(double first, double most)
{
	double		delay = Min(first * pow(2, Min(Max(lease.attempt - 1, 0), 30)), most);

	return delay * (0.5 + pg_prng_double(&pg_global_prng_state));
}

void
orch_worker_lease_retry_now(void)
{
	lease.delay = 0;
}

void
orch_worker_lease_retry_after_conflict(void)
{
	lease.delay = backoff(CONFLICT_DELAY, MAX_CONFLICT_DELAY);
}

void
orch_worker_lease_retry_after_trouble(void)
{
	lease.delay = backoff(TROUBLE_DELAY, MAX_TROUBLE_DELAY);
}

/* --------------------------------------------------------------- giving back */

/*
 * Give the lease back.  False: a session has locked the row, because it takes the step out
 * of the queue or is idle in a transaction; the caller tries again.
 */
static bool
give_back(void)
{
	SystemContext saved;
	Datum		values[4];
	bool		given;

	worker_begin("orchestration: giving a lease back");
	orch_system_connect(&saved);
	lease_values(values);
	values[3] = Float8GetDatum(lease.delay);
	orch_plan_execute(lease.lost ? &plan_end_lease : &plan_give_back, values, NULL, false, 0);
	given = SPI_processed > 0;
	if (!given)
	{
		orch_plan_execute(&plan_end_lease, values, NULL, false, 0);
		given = SPI_processed > 0;
	}
	if (!given)
	{
		orch_plan_execute(&plan_held, values, NULL, true, 0);
		given = SPI_processed == 0;
	}
	orch_system_finish(&saved);
	worker_commit();
	return given;
}

void
orch_worker_lease_return(void)
{
	lease.held = !give_back();
	if (lease.held && nlocked < MAX_LOCKED)
	{
		locked[nlocked++] = lease;
		lease.held = false;
	}
}

void
orch_worker_lease_return_locked(void)
{
	int			i;

	for (i = nlocked - 1; i >= 0 && !lease.held; i--)
	{
		lease = locked[i];
		if (give_back())
			locked[i] = locked[--nlocked];
		lease.held = false;
	}
}

bool
orch_worker_lease_any_locked(void)
{
	return nlocked > 0;
}

void
orch_worker_lease_return_lost(void)
{
	worker_execute("orchestration: looking for leases of workers that are gone", &plan_lost);
}

/*
 * The worker exits in the middle of a step.  Unless the worker was stopped, the attempt
 * counts as lost, because the step may be what ends its workers.  Other workers need not
 * wait until the lease ends.
 */
void
orch_worker_lease_at_exit(bool stopping)
{
	if (!lease.held && nlocked == 0)
		return;
	AbortOutOfAnyTransaction();
	if (lease.held)
	{
		lease.lost = !stopping;
		lease.delay = 0;
		(void) give_back();
		lease.held = false;
	}
	orch_worker_lease_return_locked();
}
