/*-------------------------------------------------------------------------
 *
 * engine_message.c
 *	  The subject and body that a step's definition gives to its messages.
 *
 * They are evaluated when the step begins, with its other inputs, and stored beside the step:
 * the message of each assignment and reminder of its work item has them.
 *
 * The body is HTML if it is a text template that is not viewed as plain text.  The values of
 * references in it are texts, not markup: a record's field cannot bring a link or an image
 * into a mail that looks like the organization's.
 *
 * Portions Copyright (c) 2026, the orchestration authors
 * SPDX-License-Identifier: PostgreSQL
 *
 * src/engine/engine_message.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/errors.h"
#include "base/text_form.h"
#include "engine/engine_int.h"
#include "evaluate/formula.h"
#include "guard/message.h"

/* References in a body, with those of templates in it; bounds templates of templates. */
#define MAX_REFERENCES	1000

static bool is_html(RunState *rs, const Operand *operand);
static void append_html(RunState *rs, const TemplateDef *template, StringInfo result, int *left);
static void append_escaped(StringInfo result, const char *text);
static Datum clipped(const char *text, int max_chars);

static bool
is_html(RunState *rs, const Operand *operand)
{
	return operand->kind == OPERAND_TEMPLATE && rs->def->templates[operand->index].is_html;
}

static void
append_escaped(StringInfo result, const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text)
		{
			case '&':
				appendStringInfoString(result, "&amp;");
				break;
			case '<':
				appendStringInfoString(result, "&lt;");
				break;
			case '>':
				appendStringInfoString(result, "&gt;");
				break;
			case '"':
				appendStringInfoString(result, "&quot;");
				break;
			case '\'':
				appendStringInfoString(result, "&#39;");
				break;
			default:
				appendStringInfoCharMacro(result, *text);
		}
}

static void
append_html(RunState *rs, const TemplateDef *template, StringInfo result, int *left)
{
	ListCell   *cell;
	int			n = 0;

	check_stack_depth();
	appendStringInfoString(result, template->texts[n++]);
	foreach(cell, template->references)
	{
		Operand    *operand = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (--*left < 0)
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
					 errmsg("text template \"%s\" has more than %d references",
							template->name, MAX_REFERENCES)));
		if (is_html(rs, operand))
			append_html(rs, &rs->def->templates[operand->index], result, left);
		else
		{
			char	   *text = orch_condition_value_text(orch_condition_operand_value(&rs->eval,
																					  operand));

			if (text != NULL)
				append_escaped(result, text);
		}
		appendStringInfoString(result, template->texts[n++]);
		if (orch_formula_is_too_long(result->data, result->len))
			ereport(ERROR,
					(errcode(ERRCODE_ORCH_CANNOT_EVALUATE),
					 errmsg("text template \"%s\" makes too long a text", template->name)));
	}
}

/*
 * Evaluate the texts of a step; NULL: it has none, or nobody wants them.  Raises what the
 * evaluation of an input raises.
 */
StepMessage *
orch_engine_message(RunState *rs, const StepDef *def)
{
	StepMessage *message;

	if ((def->message_subject == NULL && def->message_body == NULL) ||
		rs->def->sends_no_messages ||
		!orch_message_wanted(def->is_approval && rs->def->kind == DEFINITION_APPROVAL))
		return NULL;
	message = palloc0(sizeof(StepMessage));
	if (def->message_subject != NULL)
	{
		char	   *text = orch_condition_value_text(orch_engine_value(rs, def->message_subject));

		if (text != NULL)
			message->subject = orch_text_one_line(text);
	}
	if (def->message_body != NULL && is_html(rs, def->message_body))
	{
		StringInfoData text;
		int			left = MAX_REFERENCES;

		initStringInfo(&text);
		orch_engine_begin_evaluation(rs);
		append_html(rs, &rs->def->templates[def->message_body->index], &text, &left);
		message->body = text.data;
		message->is_html = true;
	}
	else if (def->message_body != NULL)
		message->body = orch_condition_value_text(orch_engine_value(rs, def->message_body));
	return message;
}

static Datum
clipped(const char *text, int max_chars)
{
	return PointerGetDatum(cstring_to_text_with_len(text,
													pg_mbcharcliplen(text, strlen(text),
																	 max_chars)));
}

/*
 * Store the texts of a step, before its work item is written.  Blank ones are none.
 */
void
orch_engine_write_message(RunState *rs, const StepState *step, const StepMessage *message)
{
	static const char blanks[] = " \t\r\n\f\v";
	WriteRow	row;

	if (message == NULL)
		return;
	orch_engine_begin_row(&row);
	orch_engine_put(&row, Anum_step_message_run_id, UUIDPGetDatum(&rs->id));
	orch_engine_put(&row, Anum_step_message_step_run_id, UUIDPGetDatum(&step->id));
	if (message->subject != NULL && message->subject[strspn(message->subject, blanks)] != '\0')
		orch_engine_put(&row, Anum_step_message_subject,
						clipped(message->subject, MAX_MESSAGE_SUBJECT));
	if (message->body != NULL && message->body[strspn(message->body, blanks)] != '\0')
		orch_engine_put(&row, Anum_step_message_body,
						clipped(message->body, MAX_MESSAGE_BODY));
	orch_engine_put(&row, Anum_step_message_is_html, BoolGetDatum(message->is_html));
	orch_engine_write(rs, WRITE_STEP_MESSAGE, &row, 1);
}
