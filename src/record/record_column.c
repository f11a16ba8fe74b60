/*-------------------------------------------------------------------------
 *
 * record_column.c
 *	  Which column of a table the name of a field or of a relationship means.
 *
 * Names in definitions are those of the platform: AnnualRevenue, Region__c, Account__r.
 * The columns are those of users' tables.  A run finds fields in the JSON of a row by
 * orch_condition_field(); this file applies the same rules to the columns themselves, for
 * reading, for activation and for scripts.
 *
 * Only the catalog is read.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/record_column.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "evaluate/condition.h"
#include "record/record_column.h"

/* How well a field name fits a column; the best is taken. */
typedef enum NameFit
{
	FIT_NONE,
	FIT_KEY,					/* "Id" and the key's only column */
	FIT_SNAKE_CASE,
	FIT_ANY_CASE,
	FIT_EXACT
} NameFit;

static NameFit field_fits(const char *field, const char *column);
static char *squash(const char *name, size_t length);
static char *relationship_base(const char *relationship);
static bool is_of_relationship(const char *base, const char *column);

/*
 * See orch_condition_field().  Owner:User names the target of a polymorphic relationship, too.
 */
static NameFit
field_fits(const char *field, const char *column)
{
	int			length = strcspn(field, ":");

	if ((int) strlen(column) == length)
	{
		if (strncmp(column, field, length) == 0)
			return FIT_EXACT;
		if (pg_strncasecmp(column, field, length) == 0)
			return FIT_ANY_CASE;
	}
	return strcmp(column, orch_condition_snake_case(field, length)) == 0 ?
		FIT_SNAKE_CASE : FIT_NONE;
}

Form_pg_attribute
orch_record_column(TupleDesc desc, const List *key_columns, const char *field)
{
	bool		is_id = pg_strcasecmp(field, "Id") == 0;
	Form_pg_attribute result = NULL;
	NameFit		best = FIT_NONE;
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		const char *column = NameStr(att->attname);
		NameFit		fit;

		if (att->attisdropped)
			continue;
		fit = field_fits(field, column);
		if (is_id && list_length(key_columns) > 1 && fit != FIT_EXACT)
			continue;
		if (fit == FIT_NONE && is_id && list_length(key_columns) == 1 &&
			strcmp(column, linitial(key_columns)) == 0)
			fit = FIT_KEY;
		/* names that differ in case only stand in byte order in an object */
		if (fit > best ||
			(fit == FIT_ANY_CASE && best == FIT_ANY_CASE &&
			 strcmp(column, NameStr(result->attname)) < 0))
		{
			best = fit;
			result = att;
		}
	}
	return result;
}

/* A name without regard to case and underscores. */
static char *
squash(const char *name, size_t length)
{
	char	   *result = pnstrdup(name, length);
	char	   *end = result;
	char	   *c;

	for (c = result; *c != '\0'; c++)
		if (*c != '_')
			*end++ = pg_tolower((unsigned char) *c);
	*end = '\0';
	return result;
}

/* The name of a relationship; a custom one, Rel__r, is the custom field Rel__c. */
static char *
relationship_base(const char *relationship)
{
	size_t		length = strcspn(relationship, ":");

	if (length > 3 && pg_strncasecmp(relationship + length - 3, "__r", 3) == 0)
		length -= 3;
	return squash(relationship, length);
}

/* Is a column that of a relationship?  Account is account, account_id or account_c. */
static bool
is_of_relationship(const char *base, const char *column)
{
	const char *name = squash(column, strlen(column));
	size_t		length = strlen(base);

	return strncmp(name, base, length) == 0 &&
		(name[length] == '\0' || strcmp(name + length, "id") == 0 ||
		 strcmp(name + length, "c") == 0);
}

bool
orch_record_path_reads(const List *path, const char *column)
{
	const char *first = linitial(path);

	return field_fits(first, column) != FIT_NONE ||
		(list_length(path) > 1 && is_of_relationship(relationship_base(first), column));
}

bool
orch_record_has_column(Oid relation, const List *path)
{
	Relation	rel = try_table_open(relation, AccessShareLock);
	TupleDesc	desc;
	bool		found = false;
	int			i;

	if (rel == NULL)
		return false;
	desc = RelationGetDescr(rel);
	for (i = 0; i < desc->natts && !found; i++)
		found = !TupleDescAttr(desc, i)->attisdropped &&
			orch_record_path_reads(path, NameStr(TupleDescAttr(desc, i)->attname));
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * Of several keys, the one with the fewest columns is taken, then the oldest.
 */
bool
orch_record_foreign_key(Oid relation, const char *relationship, RecordForeignKey *key)
{
	char	   *base = relationship_base(relationship);
	Relation	rel = try_table_open(relation, AccessShareLock);
	ForeignKeyCacheInfo *best = NULL;
	ListCell   *cell;

	if (rel == NULL)
		return false;
	foreach(cell, RelationGetFKeyList(rel))
	{
		ForeignKeyCacheInfo *candidate = lfirst(cell);
		bool		found = false;
		int			i;

		for (i = 0; i < candidate->nkeys && !found; i++)
			found = is_of_relationship(base,
									   NameStr(TupleDescAttr(RelationGetDescr(rel),
															 candidate->conkey[i] - 1)->attname));
		if (found && (best == NULL || candidate->nkeys < best->nkeys ||
					  (candidate->nkeys == best->nkeys && candidate->conoid < best->conoid)))
			best = candidate;
	}
	if (best != NULL)
	{
		key->target = best->confrelid;
		key->ncolumns = best->nkeys;
		memcpy(key->columns, best->conkey, sizeof(AttrNumber) * best->nkeys);
		memcpy(key->target_columns, best->confkey, sizeof(AttrNumber) * best->nkeys);
	}
	table_close(rel, NoLock);
	return best != NULL;
}
