/*-------------------------------------------------------------------------
 *
 * feed.c
 *	  Posts, comments and likes on runs, stages and steps: the Feed objects.
 *
 * Users who see a record can read its feed, post, comment and like.  An item or comment
 * can be deleted by its author and by users with Modify All Data.  Triggers keep the counts
 * of an item by updating its row, so that concurrent writers cannot make them wrong.
 * history.c writes the items that show changes of fields.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/call/feed.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "access/access.h"
#include "base/argument.h"
#include "base/catalog.h"
#include "base/errors.h"
#include "base/lock.h"
#include "base/system.h"
#include "base/uuid.h"
#include "call/caller.h"
#include "call/feed.h"
#include "guard/guard.h"
#include "record/principal.h"

/* contract/fields.csv */
#define MAX_BODY		10000
#define MAX_TITLE		255
#define MAX_URL			1000

static StaticPlan plan_post = {
	"INSERT INTO orchestration.feed_item (run_id, record_id, object, type, visibility,"
	" is_rich_text, created_by, body, link_url, title)"
	" VALUES ($1, $2, $3::orchestration.shared_object,"
	" $4::orchestration.feed_item_type, $5::orchestration.feed_visibility, $6, $7,"
	" $8, $9, $10) RETURNING id",
	10, {UUIDOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID, UUIDOID, TEXTOID,
	TEXTOID, TEXTOID}
};
static StaticPlan plan_item = {
	"SELECT object, record_id FROM orchestration.feed_item WHERE id = $1"
	" FOR KEY SHARE",
	1, {UUIDOID}
};
static StaticPlan plan_comment = {
	"INSERT INTO orchestration.feed_comment (run_id, feed_item_id, record_id, object,"
	" created_by, body)"
	" SELECT f.run_id, f.id, f.record_id, f.object, $2, $3"
	"   FROM orchestration.feed_item f WHERE f.id = $1 RETURNING id",
	3, {UUIDOID, UUIDOID, TEXTOID}
};
static StaticPlan plan_comment_item = {
	"SELECT feed_item_id, created_by FROM orchestration.feed_comment WHERE id = $1",
	1, {UUIDOID}
};
static StaticPlan plan_delete_comment = {
	"DELETE FROM orchestration.feed_comment WHERE id = $1", 1, {UUIDOID}
};
static StaticPlan plan_like = {
	"INSERT INTO orchestration.feed_like (run_id, feed_item_id, user_id, record_id, object)"
	" SELECT f.run_id, f.id, $2, f.record_id, f.object"
	"   FROM orchestration.feed_item f WHERE f.id = $1"
	" ON CONFLICT (run_id, feed_item_id, user_id) DO NOTHING",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_unlike = {
	"DELETE FROM orchestration.feed_like l USING orchestration.feed_item f"
	" WHERE f.id = $1 AND l.run_id = f.run_id AND l.feed_item_id = f.id AND l.user_id = $2",
	2, {UUIDOID, UUIDOID}
};
static StaticPlan plan_count_comment = {
	"UPDATE orchestration.feed_item SET comment_count = comment_count + $3,"
	" modified_at = GREATEST(modified_at, orchestration.system_modstamp())"
	" WHERE run_id = $1 AND id = $2",
	3, {UUIDOID, UUIDOID, INT4OID}
};
static StaticPlan plan_count_like = {
	"UPDATE orchestration.feed_item SET like_count = like_count + $3,"
	" modified_at = GREATEST(modified_at, orchestration.system_modstamp())"
	" WHERE run_id = $1 AND id = $2",
	3, {UUIDOID, UUIDOID, INT4OID}
};

static bool item_visible(Oid role, StaticPlan *plan, const pg_uuid_t *id);
static void require_item(Oid role, const pg_uuid_t *id);
static char *text_argument(FunctionCallInfo fcinfo, int n, const char *name, int max);
static bool may_delete(Oid role, const pg_uuid_t *author);
static void check_trigger(FunctionCallInfo fcinfo, const char *name);

/*
 * Does the role see the feed item?  plan selects its object and record; plan_item also
 * locks the item, so that it is not deleted.  Connected to SPI, in system context.
 */
static bool
item_visible(Oid role, StaticPlan *plan, const pg_uuid_t *id)
{
	Datum		value = UUIDPGetDatum(id);
	HeapTuple	tuple;
	TupleDesc	desc;
	SharedObject object;
	bool		isnull;

	orch_plan_execute_latest(plan, &value, NULL, 1);
	if (SPI_processed == 0)
		return false;
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	object = orch_access_object(DatumGetObjectId(SPI_getbinval(tuple, desc, 1, &isnull)));
	return orch_access_sees(role, object, DatumGetUUIDP(SPI_getbinval(tuple, desc, 2, &isnull)));
}

static void
require_item(Oid role, const pg_uuid_t *id)
{
	if (!item_visible(role, &plan_item, id))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("feed item %s does not exist", orch_uuid_text(id))));
}

/*
 * A text argument of at most max characters, NULL for null.
 */
static char *
text_argument(FunctionCallInfo fcinfo, int n, const char *name, int max)
{
	char	   *string;

	if (PG_ARGISNULL(n))
		return NULL;
	string = text_to_cstring(PG_GETARG_TEXT_PP(n));
	if (pg_mbstrlen(string) > max)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("%s is too long: %d characters, at most %d are allowed", name,
						pg_mbstrlen(string), max)));
	return string;
}

PG_FUNCTION_INFO_V1(orchestration_post_to_feed);

/*
 * orchestration.post_to_feed(record_id uuid, body text, link_url text, title text,
 *		visibility orchestration.feed_visibility, is_rich_text boolean) returns uuid
 *
 * Posts to the feed of a run, stage or step: a LinkPost if link_url is given, else a
 * TextPost.  Returns the id of the item.
 * Raises: 22004 for a null record_id, visibility or is_rich_text, and for neither body nor
 * link; 22023 for an empty body or a URL that is not http or https; 22001 for a text that
 * is too long; OR101 for a record that does not exist or that the caller does not see;
 * OR403 (INVALID_TYPE_FOR_OPERATION) for a work item; 42501 for a role that acts as no
 * active user.
 * Source: reference.md, 3.1; contract/fields.csv.
 */
Datum
orchestration_post_to_feed(PG_FUNCTION_ARGS)
{
	Oid			role = GetUserId();
	RecordAccess record;
	char	   *body = text_argument(fcinfo, 1, "body", MAX_BODY);
	char	   *url = text_argument(fcinfo, 2, "link_url", MAX_URL);
	char	   *title = text_argument(fcinfo, 3, "title", MAX_TITLE);
	SystemContext saved;
	Datum		values[10];
	char		nulls[10] = {' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
	pg_uuid_t	author;
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
	bool		isnull;

	orch_require_arguments(fcinfo, 0, 1, "record_id, visibility and is_rich_text");
	orch_require_arguments(fcinfo, 4, 2, "record_id, visibility and is_rich_text");
	if (body == NULL && url == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a post needs a body or a link")));
	if (body != NULL && body[strspn(body, " \t\r\n")] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("body must not be empty")));
	/* a page shows it as a link, which must not run a script */
	if (url != NULL && pg_strncasecmp(url, "http://", 7) != 0 &&
		pg_strncasecmp(url, "https://", 8) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("link_url must begin with http:// or https://")));

	if (!orch_caller_user_id(role, &author))
		nulls[6] = 'n';
	values[6] = UUIDPGetDatum(&author);
	orch_caller_require_visible(role, PG_GETARG_UUID_P(0), &record);
	if (record.object == OBJECT_WORK_ITEM)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_INVALID_OPERATION),
				 errmsg("INVALID_TYPE_FOR_OPERATION: entity type %s has no feed",
						orch_catalog_label(ENUM_SHARED_OBJECT, record.object)),
				 errhint("Post to its step or run.")));

	values[0] = UUIDPGetDatum(&record.run_id);
	values[1] = UUIDPGetDatum(&record.id);
	values[2] = CStringGetTextDatum(orch_catalog_label(ENUM_SHARED_OBJECT, record.object));
	values[3] = CStringGetTextDatum(url != NULL ? "LinkPost" : "TextPost");
	values[4] = CStringGetTextDatum(orch_catalog_label(ENUM_FEED_VISIBILITY,
													   orch_catalog_label_value(ENUM_FEED_VISIBILITY,
																				PG_GETARG_OID(4))));
	values[5] = PG_GETARG_DATUM(5);
	if (body != NULL)
		values[7] = CStringGetTextDatum(body);
	else
		nulls[7] = 'n';
	if (url != NULL)
		values[8] = CStringGetTextDatum(url);
	else
		nulls[8] = 'n';
	if (title != NULL)
		values[9] = CStringGetTextDatum(title);
	else
		nulls[9] = 'n';
	orch_system_connect(&saved);
	orch_caller_keep_run(&record);
	orch_plan_execute_latest(&plan_post, values, nulls, 0);
	*id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
									   &isnull));
	orch_system_finish(&saved);
	PG_RETURN_UUID_P(id);
}

PG_FUNCTION_INFO_V1(orchestration_comment_on_feed_item);

/*
 * orchestration.comment_on_feed_item(feed_item_id uuid, body text) returns uuid
 *
 * Comments on a feed item; returns the id of the comment.
 * Raises: 22004 for null, 22023 for an empty body, 22001 for a body that is too long,
 * OR101 for an item that does not exist or that the caller does not see, 42501 for a role
 * that acts as no active user.
 * Source: reference.md, 3.1.
 */
Datum
orchestration_comment_on_feed_item(PG_FUNCTION_ARGS)
{
	Oid			role = GetUserId();
	char	   *body = text_argument(fcinfo, 1, "body", MAX_BODY);
	SystemContext saved;
	Datum		values[3];
	char		nulls[3] = {' ', ' ', ' '};
	pg_uuid_t	author;
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
	bool		isnull;

	orch_require_arguments(fcinfo, 0, 2, "feed_item_id and body");
	if (body[strspn(body, " \t\r\n")] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("body must not be empty")));
	if (!orch_caller_user_id(role, &author))
		nulls[1] = 'n';
	values[1] = UUIDPGetDatum(&author);
	values[0] = PG_GETARG_DATUM(0);
	values[2] = CStringGetTextDatum(body);
	orch_system_connect(&saved);
	require_item(role, PG_GETARG_UUID_P(0));
	orch_plan_execute_latest(&plan_comment, values, nulls, 0);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_RECORD_NOT_FOUND),
				 errmsg("feed item %s does not exist", orch_uuid_text(PG_GETARG_UUID_P(0)))));
	*id = *DatumGetUUIDP(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
									   &isnull));
	orch_system_finish(&saved);
	PG_RETURN_UUID_P(id);
}

/*
 * May the role delete an item or comment of this author (NULL: the automated process
 * user)?
 */
static bool
may_delete(Oid role, const pg_uuid_t *author)
{
	AccessSet  *set = orch_access_of_role(role);

	return orch_access_is_unlimited(set) ||
		(set->permissions & PERMISSION_MODIFY_ALL_DATA) != 0 ||
		(set->is_user && author != NULL && orch_uuid_equal(&set->user_id, author));
}

bool
orch_feed_delete(const pg_uuid_t *id)
{
	static StaticPlan plan_found = {
		"SELECT object, record_id, created_by, run_id"
		" FROM orchestration.feed_item WHERE id = $1",
		1, {UUIDOID}
	};
	static StaticPlan plan_delete = {
		"DELETE FROM orchestration.feed_item WHERE id = $1", 1, {UUIDOID}
	};
	Oid			role = GetUserId();
	Datum		value = UUIDPGetDatum(id);
	SystemContext saved;
	bool		found;

	(void) orch_access_require_user(role);
	orch_system_connect(&saved);
	found = item_visible(role, &plan_found, id);
	if (found)
	{
		HeapTuple	tuple = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		Datum		author = SPI_getbinval(tuple, desc, 3, &isnull);
		Datum		run;

		if (!may_delete(role, isnull ? NULL : DatumGetUUIDP(author)))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("user \"%s\" may not delete feed item %s",
							orch_principal_role_label(role), orch_uuid_text(id)),
					 errdetail("Only its author and users with the permission Modify All Data may delete it.")));
		/* the run first, in the order in which a purge of the run locks them */
		run = SPI_getbinval(tuple, desc, 4, &isnull);
		(void) orch_lock_run(DatumGetUUIDP(run), RUN_LOCK_KEEP);
		orch_plan_execute_latest(&plan_delete, &value, NULL, 0);
		found = SPI_processed > 0;
	}
	orch_system_finish(&saved);
	return found;
}

PG_FUNCTION_INFO_V1(orchestration_delete_feed_comment);

/*
 * orchestration.delete_feed_comment(comment_id uuid) returns boolean
 *
 * Deletes a comment.  Returns false if the comment does not exist or the caller does not
 * see it.
 * Raises: 22004 for null, 42501 for another user's comment without Modify All Data and for
 * a role that acts as no active user.
 * Source: reference.md, 3.1.
 */
Datum
orchestration_delete_feed_comment(PG_FUNCTION_ARGS)
{
	Oid			role = GetUserId();
	SystemContext saved;
	Datum		value;
	bool		found;

	orch_require_arguments(fcinfo, 0, 1, "comment_id");
	(void) orch_access_require_user(role);
	value = PG_GETARG_DATUM(0);
	orch_system_connect(&saved);
	orch_plan_execute_latest(&plan_comment_item, &value, NULL, 1);
	found = SPI_processed > 0;
	if (found)
	{
		HeapTuple	tuple = SPI_tuptable->vals[0];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;
		Datum		item = SPI_getbinval(tuple, desc, 1, &isnull);
		Datum		author = SPI_getbinval(tuple, desc, 2, &isnull);

		found = item_visible(role, &plan_item, DatumGetUUIDP(item));
		if (found && !may_delete(role, isnull ? NULL : DatumGetUUIDP(author)))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("user \"%s\" may not delete comment %s",
							orch_principal_role_label(role),
							orch_uuid_text(PG_GETARG_UUID_P(0))),
					 errdetail("Only its author and users with the permission Modify All Data may delete it.")));
		if (found)
		{
			orch_plan_execute_latest(&plan_delete_comment, &value, NULL, 0);
			found = SPI_processed > 0;
		}
	}
	orch_system_finish(&saved);
	PG_RETURN_BOOL(found);
}

/*
 * Insert or delete the caller's like; returns whether there was anything to do.
 */
static Datum
like(FunctionCallInfo fcinfo, StaticPlan *plan)
{
	Oid			role = GetUserId();
	SystemContext saved;
	pg_uuid_t	user_id;
	Datum		values[2];
	bool		done;

	orch_require_arguments(fcinfo, 0, 1, "feed_item_id");
	(void) orch_caller_user_id(role, &user_id);
	values[1] = UUIDPGetDatum(&user_id);
	values[0] = PG_GETARG_DATUM(0);
	orch_system_connect(&saved);
	require_item(role, PG_GETARG_UUID_P(0));
	orch_plan_execute_latest(plan, values, NULL, 0);
	done = SPI_processed > 0;
	orch_system_finish(&saved);
	PG_RETURN_BOOL(done);
}

PG_FUNCTION_INFO_V1(orchestration_like_feed_item);

/*
 * orchestration.like_feed_item(feed_item_id uuid) returns boolean
 *
 * The caller likes a feed item.  Returns false if the caller liked it already.
 * Raises: 22004 for null, OR101 for an item that does not exist or that the caller does not
 * see, 42501 for a role that acts as no active user.
 * Source: reference.md, 3.1.
 */
Datum
orchestration_like_feed_item(PG_FUNCTION_ARGS)
{
	return like(fcinfo, &plan_like);
}

PG_FUNCTION_INFO_V1(orchestration_unlike_feed_item);

/*
 * orchestration.unlike_feed_item(feed_item_id uuid) returns boolean
 *
 * Removes the caller's like.  Returns false if the caller did not like the item.
 * Raises: as like_feed_item().
 * Source: reference.md, 3.1.
 */
Datum
orchestration_unlike_feed_item(PG_FUNCTION_ARGS)
{
	return like(fcinfo, &plan_unlike);
}

static void
check_trigger(FunctionCallInfo fcinfo, const char *name)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as a row trigger for INSERT or DELETE",
						name)));
}

PG_FUNCTION_INFO_V1(orchestration_feed_count);

/*
 * orchestration_internal.feed_count() returns trigger
 *
 * AFTER INSERT OR DELETE ROW of feed_comment and feed_like: updates the counts of the item.
 * Rows that COPY loads are not counted, because the restored items have their counts.
 * Returns null.
 * Raises: 39P01 if not called as that trigger, 40001 in REPEATABLE READ if another
 * transaction has changed the item since the snapshot.
 * Source: ours.
 */
Datum
orchestration_feed_count(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	row;
	SystemContext saved;
	Datum		values[3];
	bool		isnull;

	check_trigger(fcinfo, "feed_count");
	if (orch_guard_is_loading(RelationGetRelid(trigdata->tg_relation)))
		return PointerGetDatum(NULL);
	desc = RelationGetDescr(trigdata->tg_relation);
	row = trigdata->tg_trigtuple;
	values[0] = heap_getattr(row, SPI_fnumber(desc, "run_id"), desc, &isnull);
	values[1] = heap_getattr(row, SPI_fnumber(desc, "feed_item_id"), desc, &isnull);
	values[2] = Int32GetDatum(TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) ? 1 : -1);
	orch_system_connect(&saved);
	orch_plan_execute_latest(RelationGetRelid(trigdata->tg_relation) ==
							 orch_catalog_relation(RELATION_FEED_LIKE) ?
							 &plan_count_like : &plan_count_comment, values, NULL, 0);
	orch_system_finish(&saved);
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(orchestration_feed_change);

/*
 * orchestration_internal.feed_change() returns trigger
 *
 * INSTEAD OF DELETE ROW of the feed views: deletes the item as delete() does, so that DELETE
 * on a view is the only privilege needed.  Returns the row, or null if it is gone.
 * Raises: 39P01 if not called as that trigger, 42501 unless the caller is the author or has
 * Modify All Data.
 * Source: reference.md, 3.1, "Access".
 */
Datum
orchestration_feed_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	Datum		id;
	bool		isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_INSTEAD(trigdata->tg_event) ||
		!TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called as an INSTEAD OF DELETE trigger",
						"feed_change")));
	desc = RelationGetDescr(trigdata->tg_relation);
	id = heap_getattr(trigdata->tg_trigtuple, SPI_fnumber(desc, "id"), desc, &isnull);
	return PointerGetDatum(orch_feed_delete(DatumGetUUIDP(id)) ? trigdata->tg_trigtuple : NULL);
}
