/*-------------------------------------------------------------------------
 *
 * formula_number.c
 *	  Functions and operators of formulas: numbers.
 *
 * Null in any argument makes the result null.  CEILING rounds away from zero and FLOOR
 * towards it; MCEILING and MFLOOR are those of mathematics.  All four look at ROUNDED_DIGITS
 * digits (formula_arithmetic.c), so that 6 / 11 * 11 is 6.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/evaluate/formula_number.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "base/compat.h"
#include "base/errors.h"
#include "evaluate/document.h"
#include "evaluate/formula_argument.h"
#include "evaluate/formula_number.h"

/* A power beyond 10 to this is refused: computing it takes too long. */
#define MAX_POWER		64

/* mean radius of the earth, as the platform has it */
#define MILES_RADIUS		3958.761
#define KILOMETERS_RADIUS	6371.009

static double
double_of(Datum number)
{
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, number));
}

static JsonbValue *
double_value(double number)
{
	if (isnan(number) || isinf(number))
		return NULL;
	return orch_formula_number_value(DirectFunctionCall1(float8_numeric,
														 Float8GetDatum(number)));
}

/* Functions of one or two numbers that the type numeric has. */
static JsonbValue *
formula_numeric(EvalContext *cxt, const FormulaNode *node)
{
	static const struct
	{
		const char *name;
		PGFunction	function;
	}			calls[] = {
		{"*", numeric_mul}, {"/", numeric_div}, {"MOD", numeric_mod},
		{"ABS", numeric_abs}, {"NEGATIVE", numeric_uminus}, {"SQRT", numeric_sqrt},
		{"EXP", numeric_exp}, {"LN", numeric_ln}
	};
	Datum		numbers[2];
	int			i;

	for (i = 0; i < node->nargs; i++)
		if (!orch_formula_number_argument(cxt, node, i, &numbers[i]))
			return NULL;
	for (i = 0; i < (int) lengthof(calls); i++)
		if (strcmp(calls[i].name, node->function->name) == 0)
			return orch_formula_number_value(orch_formula_compute(node->function->name,
																  calls[i].function,
																  node->nargs, numbers));
	elog(ERROR, "unexpected function \"%s\"", node->function->name);
}

static JsonbValue *
formula_power(EvalContext *cxt, const FormulaNode *node)
{
	Datum		numbers[2];
	double		exponent;
	double		size;

	if (!orch_formula_number_argument(cxt, node, 0, &numbers[0]) ||
		!orch_formula_number_argument(cxt, node, 1, &numbers[1]))
		return NULL;
	exponent = log10(fabs(double_of(numbers[0])));
	size = exponent * double_of(numbers[1]);
	if (size > MAX_POWER && !isinf(exponent))
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("cannot evaluate ^ in a formula"),
				 errdetail("The power is greater than 10^%d.", MAX_POWER)));
	if (size < -MAX_POWER && !isinf(exponent))
		return orch_formula_integer_value(0);
	return orch_formula_number_value(orch_formula_compute("^", numeric_power, 2, numbers));
}

static JsonbValue *
formula_log(EvalContext *cxt, const FormulaNode *node)
{
	Datum		numbers[2] = {NumericGetDatum(int64_to_numeric(10))};

	if (!orch_formula_number_argument(cxt, node, 0, &numbers[1]))
		return NULL;
	return orch_formula_number_value(orch_formula_compute("LOG", numeric_log, 2, numbers));
}

/* CEILING, MCEILING, FLOOR, MFLOOR */
static JsonbValue *
formula_whole(EvalContext *cxt, const FormulaNode *node)
{
	const char *name = node->function->name;
	bool		mathematical = name[0] == 'M';
	Datum		number;

	if (!orch_formula_number_argument(cxt, node, 0, &number))
		return NULL;
	if (name[mathematical ? 1 : 0] == 'C')
		return orch_formula_number_value(orch_formula_round_up(number, !mathematical));
	return orch_formula_number_value(orch_formula_round_down(number, !mathematical));
}

/* ROUND(number, digits), half away from zero; TRUNC(number, digits) */
static JsonbValue *
formula_round(EvalContext *cxt, const FormulaNode *node)
{
	Datum		number;
	int32		digits = 0;

	if (!orch_formula_number_argument(cxt, node, 0, &number) ||
		(node->nargs > 1 && !orch_formula_integer_argument(cxt, node, 1, &digits)))
		return NULL;
	return orch_formula_number_value(DirectFunctionCall2(node->function->name[0] == 'R' ?
														 numeric_round : numeric_trunc,
														 number, Int32GetDatum(digits)));
}

static JsonbValue *
formula_max(EvalContext *cxt, const FormulaNode *node)
{
	Datum		best;
	int			i;

	if (!orch_formula_number_argument(cxt, node, 0, &best))
		return NULL;
	for (i = 1; i < node->nargs; i++)
	{
		Datum		number;

		if (!orch_formula_number_argument(cxt, node, i, &number))
			return NULL;
		best = DirectFunctionCall2(node->function->name[1] == 'A' ?
								   numeric_larger : numeric_smaller, best, number);
	}
	return orch_formula_number_value(best);
}

static JsonbValue *
formula_pi(EvalContext *cxt, const FormulaNode *node)
{
	Numeric		number;

	(void) orch_document_number("3.14159265358979323846264338327950288420", &number);
	return orch_formula_number_value(NumericGetDatum(number));
}

/* SIN, COS, TAN, ASIN, ACOS, ATAN, in radians; ASIN and ACOS are null beyond 1 and -1 */
static JsonbValue *
formula_angle(EvalContext *cxt, const FormulaNode *node)
{
	static const struct
	{
		const char *name;
		double		(*function) (double);
	}			calls[] = {
		{"SIN", sin}, {"COS", cos}, {"TAN", tan},
		{"ASIN", asin}, {"ACOS", acos}, {"ATAN", atan}
	};
	Datum		number;
	int			i;

	if (!orch_formula_number_argument(cxt, node, 0, &number))
		return NULL;
	for (i = 0; i < (int) lengthof(calls); i++)
		if (strcmp(calls[i].name, node->function->name) == 0)
			return double_value(calls[i].function(double_of(number)));
	elog(ERROR, "unexpected function \"%s\"", node->function->name);
}

/* ATAN2(y, x) */
static JsonbValue *
formula_angle_of(EvalContext *cxt, const FormulaNode *node)
{
	Datum		y;
	Datum		x;

	if (!orch_formula_number_argument(cxt, node, 0, &y) ||
		!orch_formula_number_argument(cxt, node, 1, &x))
		return NULL;
	return double_value(atan2(double_of(y), double_of(x)));
}

/* -------------------------------------------------------------- locations */

static void
push_number(JsonbParseState **state, const char *name, Datum number)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, name);
	value.val.string.len = strlen(name);
	(void) pushJsonbValue(state, WJB_KEY, &value);
	value.type = jbvNumeric;
	value.val.numeric = DatumGetNumeric(number);
	(void) pushJsonbValue(state, WJB_VALUE, &value);
}

/* GEOLOCATION(latitude, longitude): a record with these fields, for DISTANCE */
static JsonbValue *
formula_geolocation(EvalContext *cxt, const FormulaNode *node)
{
	Datum		latitude;
	Datum		longitude;
	JsonbParseState *state = NULL;

	if (!orch_formula_number_argument(cxt, node, 0, &latitude) ||
		!orch_formula_number_argument(cxt, node, 1, &longitude))
		return NULL;
	if (fabs(double_of(latitude)) > 90 || fabs(double_of(longitude)) > 180)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("cannot evaluate GEOLOCATION in a formula"),
				 errdetail("A latitude is from -90 to 90, a longitude from -180 to 180.")));
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_number(&state, "latitude", latitude);
	push_number(&state, "longitude", longitude);
	return orch_condition_jsonb_value(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* The coordinates of an argument in radians; false for null. */
static bool
location_argument(EvalContext *cxt, const FormulaNode *node, int n, double *latitude,
				  double *longitude)
{
	static const char *const fields[2] = {"latitude", "longitude"};
	double	   *results[2] = {latitude, longitude};
	JsonbValue *value = orch_formula_argument(cxt, node, n);
	int			i;

	if (value == NULL)
		return false;
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		orch_formula_wrong_argument(node, n, value, "a location: GEOLOCATION(...)");
	for (i = 0; i < 2; i++)
	{
		JsonbValue *number = orch_condition_field(value->val.binary.data, fields[i]);

		if (orch_condition_not_null(number) == NULL)
			return false;
		if (number->type != jbvNumeric)
			orch_formula_wrong_argument(node, n, value, "a location: GEOLOCATION(...)");
		*results[i] = double_of(NumericGetDatum(number->val.numeric)) * M_PI / 180;
	}
	return true;
}

/* DISTANCE(location, location, unit), along the surface; unit: 'mi' or 'km' */
static JsonbValue *
formula_distance(EvalContext *cxt, const FormulaNode *node)
{
	double		latitude[2];
	double		longitude[2];
	double		square;
	char	   *unit;

	if (!location_argument(cxt, node, 0, &latitude[0], &longitude[0]) ||
		!location_argument(cxt, node, 1, &latitude[1], &longitude[1]) ||
		!orch_formula_text_argument(cxt, node, 2, &unit))
		return NULL;
	if (strcmp(unit, "mi") != 0 && strcmp(unit, "km") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
				 errmsg("cannot evaluate DISTANCE in a formula"),
				 errdetail("Its unit is neither 'mi' nor 'km'.")));
	square = pow(sin((latitude[1] - latitude[0]) / 2), 2) +
		cos(latitude[0]) * cos(latitude[1]) * pow(sin((longitude[1] - longitude[0]) / 2), 2);
	return double_value((*unit == 'm' ? MILES_RADIUS : KILOMETERS_RADIUS) * 2 *
						asin(Min(1, sqrt(square))));
}

const FormulaFunction orch_formula_number_functions[] = {
	{"*", 2, 2, "n", VALUE_NUMBER, -1, formula_numeric},
	{"/", 2, 2, "n", VALUE_NUMBER, -1, formula_numeric},
	{"^", 2, 2, "n", VALUE_NUMBER, -1, formula_power},
	{"NEGATIVE", 1, 1, "n", VALUE_NUMBER, -1, formula_numeric},

	{"ABS", 1, 1, "n", VALUE_NUMBER, -1, formula_numeric},
	{"ACOS", 1, 1, "n", VALUE_NUMBER, -1, formula_angle},
	{"ASIN", 1, 1, "n", VALUE_NUMBER, -1, formula_angle},
	{"ATAN", 1, 1, "n", VALUE_NUMBER, -1, formula_angle},
	{"ATAN2", 2, 2, "n", VALUE_NUMBER, -1, formula_angle_of},
	{"CEILING", 1, 1, "n", VALUE_NUMBER, -1, formula_whole},
	{"COS", 1, 1, "n", VALUE_NUMBER, -1, formula_angle},
	{"DISTANCE", 3, 3, "aat", VALUE_NUMBER, -1, formula_distance},
	{"EXP", 1, 1, "n", VALUE_NUMBER, -1, formula_numeric},
	{"FLOOR", 1, 1, "n", VALUE_NUMBER, -1, formula_whole},
	{"GEOLOCATION", 2, 2, "n", VALUE_RECORD, -1, formula_geolocation},
	{"LN", 1, 1, "n", VALUE_NUMBER, -1, formula_numeric},
	{"LOG", 1, 1, "n", VALUE_NUMBER, -1, formula_log},
	{"MAX", 1, -1, "n", VALUE_NUMBER, -1, formula_max},
	{"MCEILING", 1, 1, "n", VALUE_NUMBER, -1, formula_whole},
	{"MFLOOR", 1, 1, "n", VALUE_NUMBER, -1, formula_whole},
	{"MIN", 1, -1, "n", VALUE_NUMBER, -1, formula_max},
	{"MOD", 2, 2, "n", VALUE_NUMBER, -1, formula_numeric},
	{"PI", 0, 0, "a", VALUE_NUMBER, -1, formula_pi},
	{"ROUND", 2, 2, "n", VALUE_NUMBER, -1, formula_round},
	{"SIN", 1, 1, "n", VALUE_NUMBER, -1, formula_angle},
	{"SQRT", 1, 1, "n", VALUE_NUMBER, -1, formula_numeric},
	{"TAN", 1, 1, "n", VALUE_NUMBER, -1, formula_angle},
	{"TRUNC", 1, 2, "n", VALUE_NUMBER, -1, formula_round},
	{NULL}
};
