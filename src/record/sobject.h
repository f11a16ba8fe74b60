/*-------------------------------------------------------------------------
 *
 * sobject.h
 *	  The documented objects as C sees them, and their records as JSON.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/record/sobject.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef ORCH_SOBJECT_H
#define ORCH_SOBJECT_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/jsonb.h"

/* objects.csv, column calls */
#define CALL_CREATE				0x001
#define CALL_DELETE				0x002
#define CALL_DESCRIBE_LAYOUT	0x004
#define CALL_DESCRIBE_SOBJECTS	0x008
#define CALL_GET_DELETED		0x010
#define CALL_GET_UPDATED		0x020
#define CALL_QUERY				0x040
#define CALL_RETRIEVE			0x080
#define CALL_UPDATE				0x100
#define CALL_UPSERT				0x200

/* fields.csv, column properties */
#define FIELD_AUTONUMBER		0x001
#define FIELD_CREATE			0x002
#define FIELD_DEFAULTED			0x004
#define FIELD_FILTER			0x008
#define FIELD_GROUP				0x010
#define FIELD_ID_LOOKUP			0x020
#define FIELD_NILLABLE			0x040
#define FIELD_RESTRICTED		0x080
#define FIELD_SORT				0x100
#define FIELD_UPDATE			0x200

/* fields.csv, column type */
typedef enum FieldType
{
	FIELD_ID,
	FIELD_REFERENCE,
	FIELD_BOOLEAN,
	FIELD_DATE_TIME,
	FIELD_STRING,
	FIELD_TEXTAREA,
	FIELD_PICKLIST,
	FIELD_INT,
	FIELD_LONG,
	FIELD_URL,
	FIELD_ANY
} FieldType;

typedef struct SObjectField
{
	char	   *name;
	char	   *column;
	char	   *label;
	FieldType	type;
	Oid			sql_type;		/* of the view's column */
	AttrNumber	attnum;			/* in the view */
	int			length;
	int			properties;		/* FIELD_... */
	int			since;			/* API version times ten */
	char	   *relationship;	/* or NULL */
	int			nrefers_to;
	char	  **refers_to;
	int			nvalues;		/* picklists */
	char	  **values;
	char	  **value_labels;
} SObjectField;

typedef enum Associate
{
	ASSOCIATE_NONE,
	ASSOCIATE_FEED,
	ASSOCIATE_HISTORY,
	ASSOCIATE_RULE,
	ASSOCIATE_SHARE
} Associate;

typedef struct SObject
{
	char	   *name;
	char	   *view;
	Oid			view_oid;
	char	   *label;
	char	   *label_plural;
	int			calls;			/* CALL_... */
	int			since;
	char	   *parent;			/* or NULL */
	Associate	associate;
	int			nfields;
	SObjectField *fields;
	int			nchildren;
	struct SObjectChild *children;
} SObject;

typedef struct SObjectChild
{
	char	   *object;
	char	   *field;
	char	   *relationship;
	bool		cascade_delete;
	int			since;
} SObjectChild;

/* Valid until the end of the transaction. */
extern int	orch_sobject_count(void);
extern const SObject *orch_sobject_at(int i);

extern void orch_sobject_init(void);

/* By name, in any case of letters; NULL if there is none. */
extern const SObject *orch_sobject_find(const char *name);
extern const SObjectField *orch_sobject_field(const SObject *object, const char *name);

/* The object of this name, which must support the call.  Raises OR401, OR403. */
extern const SObject *orch_sobject_get(const char *name, int call);

/* An argument api_version, times ten; newest if it is null.  Raises 22023. */
extern int	orch_sobject_version(FunctionCallInfo fcinfo, int argno, int newest);

extern const char *orch_sobject_call_name(int call);
extern const char *orch_sobject_type_name(FieldType type);
extern const char *orch_sobject_associate_name(const SObject *object);

/*
 * Has the object no index on its ids?  Its records are found by the time in the id
 * (orch_uuid_time_range()) against CreatedDate.
 */
extern bool orch_sobject_found_by_time(const SObject *object);

extern bool orch_sobject_is_view(Oid relid);
extern bool orch_sobject_readable(const SObject *object, const SObjectField *field, Oid role);
extern bool orch_sobject_writable(const SObject *object, const SObjectField *field,
								  Oid role, bool update);

extern bool orch_sobject_aggregatable(const SObjectField *field);

/*
 * A plan of the caller's, kept by its text; valid until the end of the transaction.  Caller is
 * connected to SPI.
 */
extern SPIPlanPtr orch_sobject_plan(const char *query, int nargs, Oid *argtypes);

/* Records as JSON; NULL values are written as null. */
extern void orch_json_key(JsonbParseState **state, const char *key);
extern void orch_json_text(JsonbParseState **state, JsonbIteratorToken token,
						   const char *text);
extern void orch_json_put_text(JsonbParseState **state, const char *key, const char *text);
extern void orch_json_put_bool(JsonbParseState **state, const char *key, bool value);
extern void orch_json_put_int(JsonbParseState **state, const char *key, int64 value);
extern void orch_json_put_empty_array(JsonbParseState **state, const char *key);
extern void orch_json_put_null(JsonbParseState **state, const char *key);

#endif							/* ORCH_SOBJECT_H */
