/*-------------------------------------------------------------------------
 *
 * gate.c
 *	  The gate between the extension and code that users own.
 *
 * Functions of actions and of conditions, and casts, domains and row policies of
 * registered tables, belong to users.  All of them run between orch_gate_enter() and
 * orch_gate_leave(), which keep two promises:
 *
 * The code of a role runs as that role and as no other.  In a session it is a
 * security-restricted operation, as PostgreSQL has them for materialized views and
 * index expressions: the server refuses temporary tables, held cursors, prepared
 * statements, LISTEN, SET ROLE, and deferred triggers, which would run at commit as
 * the caller.  The server does not refuse three things that reach beyond the call:
 * SET CONSTRAINTS, which fires deferred triggers of the caller as the owner of the
 * function; session-level advisory locks; objects other than tables in pg_temp,
 * where a type is found before the caller's.  Two hooks and a look at pg_depend do
 * that here.  In the background worker a function has a transaction of its own.  It
 * may defer triggers there, and make temporary tables: the gate fires the triggers
 * before it closes, so that they run as the owner and their error is the function's.
 *
 * Nothing of the session differs afterwards.  Settings are put back whether they were
 * set for the transaction or for the session; cursors that the code opened are
 * closed, and those of the caller cannot be read, moved or closed meanwhile.
 *
 * Code behind a registered table may only read: its transaction is read-only, so that
 * it cannot move a run while the engine is moving it.  Only while a planned query locks
 * rows the transaction is not read-only (orch_gate_permit_locks()).
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/gate.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "commands/async.h"
#include "commands/prepare.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "storage/lock.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "base/transaction.h"
#include "base/worker_slot.h"
#include "record/gate.h"

static ProcessUtility_hook_type previous_utility_hook = NULL;
static object_access_hook_type previous_access_hook = NULL;

/* A cursor of the caller, kept from code that runs; in TopTransactionContext. */
typedef struct HiddenCursor
{
	struct HiddenCursor *before;
	int			nest_level;
	int			guc_level;		/* of the gate that hides it */
	char		name[FLEXIBLE_ARRAY_MEMBER];
} HiddenCursor;

static HiddenCursor *hidden = NULL;

static bool foreign_code_runs(void);
static void refuse_utility(PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
						   ProcessUtilityContext context, ParamListInfo params,
						   QueryEnvironment *queryEnv, DestReceiver *dest,
						   QueryCompletion *qc);
static void refuse_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id,
						  void *arg);
static List *cursor_names(void);
static void hide_cursors(int guc_level);
static void show_cursors(int guc_level);
static void close_cursors(SubTransactionId since);
static void refuse_temporary_objects(void);
static void fire_deferred_triggers(void);
static void at_xact_end(bool committed);
static void at_subxact_end(int level, bool committed);

static const TransactionModule module = {
	.name = "gate",
	.at_end = at_xact_end,
	.at_subxact_end = at_subxact_end
};

/*
 * Called once, by _PG_init().
 */
void
orch_gate_init(void)
{
	orch_transaction_register(&module);
	previous_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = refuse_utility;
	previous_access_hook = object_access_hook;
	object_access_hook = refuse_access;
}

void
orch_gate_enter(Gate *gate, GateKind kind, Oid role)
{
	int			sec_context;

	gate->kind = kind;
	gate->read_only = XactReadOnly;
	gate->subid = GetCurrentSubTransactionId();
	gate->frame = orch_frame_push(kind == GATE_RECORD ? FRAME_RECORD : FRAME_ACTION,
								  InvalidOid, NULL);
	gate->guc_level = NewGUCNestLevel();
	if (kind != GATE_WORKER)
		hide_cursors(gate->guc_level);
	GetUserIdAndSecContext(&gate->user_id, &gate->sec_context);
	sec_context = gate->sec_context | SECURITY_LOCAL_USERID_CHANGE;
	if (kind != GATE_WORKER)
		sec_context |= SECURITY_RESTRICTED_OPERATION;
	if (kind == GATE_ACTION || kind == GATE_WORKER)
		sec_context &= ~SECURITY_NOFORCE_RLS;
	if (kind == GATE_RECORD)
		XactReadOnly = true;
	SetUserIdAndSecContext(role, sec_context);
}

void
orch_gate_enter_table(Gate *gate, Oid relation)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relation);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	orch_gate_enter(gate, GATE_RECORD, owner);
}

void
orch_gate_permit_locks(const Gate *gate)
{
	Assert(gate->kind == GATE_RECORD);
	XactReadOnly = gate->read_only;
}

void
orch_gate_leave(const Gate *gate)
{
	if (gate->kind == GATE_WORKER)
		fire_deferred_triggers();
	if (gate->kind == GATE_ACTION || gate->kind == GATE_WORKER)
		close_cursors(gate->subid);
	if (gate->kind == GATE_WORKER)
	{
		Async_UnlistenAll();
		DropAllPreparedStatements();
		ResetSequenceCaches();
		ResetTempTableNamespace();
	}
	else if (gate->kind == GATE_ACTION)
		refuse_temporary_objects();
	show_cursors(gate->guc_level);

	/* false: also what was set for the session */
	AtEOXact_GUC(false, gate->guc_level);
	SetUserIdAndSecContext(gate->user_id, gate->sec_context);
	XactReadOnly = gate->read_only;
	orch_frame_pop(gate->frame);
}

bool
orch_gate_is_inside(void)
{
	Frame	   *frame;

	for (frame = orch_frame_top(); frame != NULL; frame = frame->outer)
		if (frame->kind == FRAME_ACTION || frame->kind == FRAME_RECORD)
			return true;
	return false;
}

void
orch_gate_refuse_inside(const char *what)
{
	if (orch_gate_is_inside())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("%s cannot be called by a function of an action", what),
				 errdetail("It would change the session that carries out the action.")));
}

void
orch_gate_reset_session(void)
{
	DropAllPreparedStatements();
	ResetSequenceCaches();
}

bool
orch_gate_reads(void)
{
	Frame	   *frame;

	for (frame = orch_frame_top(); frame != NULL; frame = frame->outer)
		if (frame->kind == FRAME_RECORD)
			return true;
	return false;
}

/*
 * Does code of a user run, and not the extension?
 */
static bool
foreign_code_runs(void)
{
	Frame	   *frame = orch_frame_top();

	return frame != NULL && (frame->kind == FRAME_ACTION || frame->kind == FRAME_RECORD);
}

/*
 * ProcessUtility_hook: SET CONSTRAINTS would fire deferred triggers that the caller
 * queued, as the owner of this function.
 */
static void
refuse_utility(PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
			   ProcessUtilityContext context, ParamListInfo params,
			   QueryEnvironment *queryEnv, DestReceiver *dest, QueryCompletion *qc)
{
	if (IsA(pstmt->utilityStmt, ConstraintsSetStmt) && foreign_code_runs())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a function of an action cannot execute %s", "SET CONSTRAINTS"),
				 errdetail("It would fire triggers that its caller deferred.")));
	if (previous_utility_hook != NULL)
		previous_utility_hook(pstmt, queryString, readOnlyTree, context, params, queryEnv,
							  dest, qc);
	else
		standard_ProcessUtility(pstmt, queryString, readOnlyTree, context, params, queryEnv,
								dest, qc);
}

/*
 * object_access_hook: session-level advisory locks outlive the call, and
 * pg_advisory_unlock_all() releases those of the session.  Also where the background
 * worker learns that an extension is dropped.
 */
static void
refuse_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (previous_access_hook != NULL)
		previous_access_hook(access, class_id, object_id, sub_id, arg);
	/* the extension may be going, and the background worker sleeps */
	if (access == OAT_DROP && class_id == ExtensionRelationId)
		orch_worker_wake();
	if (access == OAT_FUNCTION_EXECUTE &&
		object_id >= F_PG_ADVISORY_LOCK_INT8 && object_id <= F_PG_ADVISORY_UNLOCK_ALL &&
		foreign_code_runs())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a function of an action cannot take or release session-level advisory locks"),
				 errhint("Use %s, whose lock ends with the transaction.",
						 "pg_advisory_xact_lock()")));
}

/*
 * The names of all cursors, by the function behind the view pg_cursors: the server has
 * no other list of them.
 */
static List *
cursor_names(void)
{
	LOCAL_FCINFO(fcinfo, 0);
	FmgrInfo	flinfo;
	ReturnSetInfo rsinfo;
	ExprContext *econtext = CreateStandaloneExprContext();
	TupleTableSlot *slot;
	List	   *names = NIL;

	memset(&rsinfo, 0, sizeof(rsinfo));
	rsinfo.type = T_ReturnSetInfo;
	rsinfo.econtext = econtext;
	rsinfo.allowedModes = SFRM_Materialize;
	rsinfo.returnMode = SFRM_Materialize;
	fmgr_info(F_PG_CURSOR, &flinfo);
	InitFunctionCallInfoData(*fcinfo, &flinfo, 0, InvalidOid, NULL, (Node *) &rsinfo);
	(void) FunctionCallInvoke(fcinfo);

	slot = MakeSingleTupleTableSlot(rsinfo.setDesc, &TTSOpsMinimalTuple);
	while (tuplestore_gettupleslot(rsinfo.setResult, true, false, slot))
	{
		bool		isnull;

		names = lappend(names, text_to_cstring(DatumGetTextPP(slot_getattr(slot, 1, &isnull))));
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(rsinfo.setResult);
	FreeExprContext(econtext, true);
	return names;
}

/*
 * Keep the caller's cursors from the code: the server neither runs nor drops a portal
 * that is active.
 */
static void
hide_cursors(int guc_level)
{
	ListCell   *cell;

	foreach(cell, cursor_names())
	{
		char	   *name = lfirst(cell);
		Portal		portal = GetPortalByName(name);
		HiddenCursor *cursor;

		if (!PortalIsValid(portal) || portal->status != PORTAL_READY)
			continue;
		cursor = MemoryContextAlloc(TopTransactionContext,
									offsetof(HiddenCursor, name) + strlen(name) + 1);
		cursor->before = hidden;
		cursor->nest_level = GetCurrentTransactionNestLevel();
		cursor->guc_level = guc_level;
		strcpy(cursor->name, name);
		hidden = cursor;
		portal->status = PORTAL_ACTIVE;
	}
}

/* Show the cursors that gates at or above this level hide. */
static void
show_cursors(int guc_level)
{
	while (hidden != NULL && hidden->guc_level >= guc_level)
	{
		Portal		portal = GetPortalByName(hidden->name);

		if (PortalIsValid(portal) && portal->status == PORTAL_ACTIVE)
			portal->status = PORTAL_READY;
		hidden = hidden->before;
	}
}

static void
at_subxact_end(int level, bool committed)
{
	while (!committed && hidden != NULL && hidden->nest_level >= level)
		show_cursors(hidden->guc_level);
}

static void
at_xact_end(bool committed)
{
	at_subxact_end(0, false);
}

/*
 * Close the cursors that were opened in this subtransaction or one below it; a portal
 * has the subtransaction that made it.
 */
static void
close_cursors(SubTransactionId since)
{
	ListCell   *cell;

	foreach(cell, cursor_names())
	{
		Portal		portal = GetPortalByName(lfirst(cell));

		if (PortalIsValid(portal) && portal->createSubid >= since &&
			portal->status != PORTAL_ACTIVE && !portal->portalPinned)
			PortalDrop(portal, false);
	}
}

/*
 * Refuse objects that the function created in pg_temp.  The server refuses tables there,
 * but not domains, types and functions, and the session finds a type in pg_temp before
 * any other.  The rows of pg_depend tell which transaction created them.
 */
static void
refuse_temporary_objects(void)
{
	Oid			temp_namespace;
	Oid			toast_namespace;
	TransactionId xid = GetCurrentTransactionIdIfAny();
	Relation	depend;
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	GetTempNamespaceState(&temp_namespace, &toast_namespace);
	if (!OidIsValid(temp_namespace) || !TransactionIdIsValid(xid))
		return;
	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyInit(&key[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(NamespaceRelationId));
	ScanKeyInit(&key[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(temp_namespace));
	CommandCounterIncrement();
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		TransactionId xmin = HeapTupleHeaderGetXmin(tuple->t_data);

		/* ids of subtransactions below this one are greater than its own */
		found = TransactionIdIsCurrentTransactionId(xmin) &&
			TransactionIdFollowsOrEquals(xmin, xid);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	if (found)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot create temporary objects within security-restricted operation")));
}

/*
 * In the transaction of the background worker only the function can have deferred
 * triggers.
 */
static void
fire_deferred_triggers(void)
{
	ConstraintsSetStmt *all = makeNode(ConstraintsSetStmt);

	AfterTriggerSetState(all);
}
