#!/usr/bin/env python3
"""generate.py [--check]: the pages of doc/reference from the catalog's comments.

Run it with the connection settings of a database that has the extension.  It writes
functions.md, views.md, settings.md and errors.md beside itself; --check compares them
with the database instead and tells the differences.

Functions are grouped by what they are for (GROUPS).  A function that no group names and a
function, view or setting without a comment are errors, so that the reference stays whole.  The errors of a function are those of the
comment above its C body.
"""
import difflib
import glob
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
MADE = "<!-- made by doc/reference/generate.py from the catalog's comments -->\n"

GROUPS = [
    ("Definitions", "deploy_orchestration validate_orchestration activate_orchestration deactivate_orchestration"
     " delete_orchestration_version delete_orchestration orchestration_references orchestration_setup_script"
     " orchestration_diagram set_global evaluate_conditions evaluate_formula"),
    ("Actions and record types", "register_action unregister_action set_action_contract set_retry_policy allow_run_as_user"
     " register_record_type unregister_record_type record_type_problems record_exists record_key unlock_record"),
    ("Runs", "start_orchestration run_id suspend_run resume_run cancel_run reevaluate_run migrate_run migrate_runs"
     " retry_failed_runs dry_run"),
    ("Work items", "my_work_items claim_work_item release_work_item complete_work_item fail_work_item reassign_work_item"
     " set_due_date listen_for_work work_item_id"),
    ("Approvals", "review_approval override_approval recall_run set_delegated_approver create_approval_delegation"
     " delete_approval_delegation set_manager"),
    ("Messages", "next_messages message_sent message_failed listen_for_messages remind_assignees"),
    ("Workers", "claim_steps complete_steps fail_steps complete_and_claim extend_leases listen_for_steps run_queued_steps"
     " start_background_worker stop_background_worker"),
    ("Watching", "needs_attention run_tree run_timeline run_diagram run_report orchestration_report engine_stats engine_runs"
     " engine_queue rebuild_open_runs"
     " verify"),
    ("People and sharing", "create_user update_user create_group create_queue add_group_member remove_group_member"
     " acting_user_id acting_principal_ids share_record unshare_record set_default_access create_owner_sharing_rule"
     " create_orchestration_sharing_rule delete_sharing_rule explain_access user_record_access change_owner"),
    ("The documented calls", "describe_global describe_sobjects describe_layout query query_more explain_soql retrieve create"
     " update upsert delete get_updated get_deleted view_record reference_record set_layout"),
    ("History and feeds", "set_history_tracking set_feed_tracking post_to_feed comment_on_feed_item delete_feed_comment"
     " like_feed_item unlike_feed_item"),
    ("Operation", "purge_runs remove_expired advance_sequences latest_date_covered system_modstamp new_id legal_transitions"
     " legal_neighbours"),
]

FUNCTIONS = """
SELECT p.proname, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result, p.prosrc, l.lanname,
       obj_description(p.oid, 'pg_proc') AS comment, has_function_privilege('public', p.oid, 'EXECUTE') AS public,
       (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'c'
         WHERE c.oid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS fields
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_type t ON t.oid = p.prorettype
 WHERE p.pronamespace = 'orchestration'::regnamespace
 ORDER BY p.proname, p.pronargs, pg_get_function_arguments(p.oid) COLLATE "C" """

VIEWS = """
SELECT c.relname, obj_description(c.oid, 'pg_class') AS comment,
       (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
                                          'comment', col_description(c.oid, a.attnum)) ORDER BY a.attnum)
          FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
  FROM pg_class c WHERE c.relnamespace = 'orchestration'::regnamespace AND c.relkind = 'v' ORDER BY c.relname"""

SETTINGS = """
SELECT name, vartype, COALESCE(boot_val, '') AS boot_val, unit, min_val, max_val, enumvals, context, short_desc, extra_desc
  FROM pg_settings WHERE name LIKE 'orchestration.%' ORDER BY name"""

CONTEXTS = {"user": "any user, in the session", "superuser": "superusers and roles with SET on the parameter, in the session",
            "sighup": "the configuration file; a reload takes it over", "postmaster": "the configuration file, at the start of the server"}

problems = []


def rows(query):
    """The rows of a query as dictionaries."""
    script = ("LOAD 'orchestration';\nSET search_path = pg_catalog;\nSELECT COALESCE(json_agg(row_to_json(q)), '[]') FROM (%s) q" % query)
    result = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1"], input=script, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(result.stderr)
    return json.loads(result.stdout)


def heads():
    """The comment above the body of each SQL-callable C function, by its symbol, in one line."""
    found = {}
    for path in sorted(glob.glob(os.path.join(TOP, "src", "*", "*.c"))):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for match in re.finditer(r"/\*((?:(?!\*/).)*)\*/\nDatum\n(\w+)\(PG_FUNCTION_ARGS\)", text, re.S):
            found[match[2]] = re.sub(r"\s*\n \*\s*", " ", match[1]).strip()
    return found


def raises(head):
    """What the comment above a C body says after "Raises:"."""
    match = re.search(r"Raises: *(.*?)(?= Source:|$)", head)
    return match[1].strip().rstrip(".") if match else ""


def escape(text):
    """Text in a cell of a table."""
    return (text or "").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def plain_types(text):
    return (text.replace("timestamp with time zone", "timestamptz").replace("orchestration.", "").replace("pg_catalog.", "")
            .replace("::" + "text", "").replace("::interval", "").replace("::integer", ""))


def functions_page(functions, head_of):
    group_of = {name: title for title, names in GROUPS for name in names.split()}
    known = {f["proname"] for f in functions}
    for name in sorted(known - set(group_of)):
        problems.append("function %s() is in no group of GROUPS" % name)
    page = ["# Functions\n", MADE, "All functions are in the schema `orchestration`. **PUBLIC**: every role may call the function, which checks the"
            " rights of the user that the role acts as. **granted**: only the owner of the extension, until an administrator"
            " grants `EXECUTE`.\n",
            " · ".join("[%s](#%s)" % (title, anchor(title)) for title, names in GROUPS if known & set(names.split())) + "\n"]
    for title, names in GROUPS:
        here = [n for n in names.split() if n in known]
        if not here:
            continue
        page.append("## %s\n" % title)
        for name in here:
            page.append("### %s\n" % name)
            # the one whose errors the others refer to comes first
            for f in sorted((f for f in functions if f["proname"] == name),
                            key=lambda f: raises(head_of.get(f["prosrc"], "")).startswith("as ")):
                if not f["comment"]:
                    problems.append("function %s() has no comment" % name)
                page.append("```\n%s(%s) → %s\n```\n" % (name, plain_types(f["arguments"]), plain_types(f["result"])))
                page.append("%s. **%s**\n" % (escape(f["comment"]).rstrip("."), "PUBLIC" if f["public"] else "granted"))
                if f["fields"]:
                    page.append("Fields: %s.\n" % plain_types(f["fields"]))
                errors = raises(head_of.get(f["prosrc"], "")) if f["lanname"] == "c" else ""
                if errors and errors != "none":
                    page.append("Errors: %s.\n" % escape(errors))
    return "\n".join(page)


def anchor(title):
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def views_page(views):
    page = ["# Views\n", MADE, "Row security of the tables applies to whoever reads a view. Views of the documented objects have"
            " their documented fields; the type and the properties of a field are those of the reference.\n"]
    for view in views:
        if not view["comment"]:
            problems.append("view %s has no comment" % view["relname"])
        page.append("## %s\n\n%s.\n\n| column | type | |\n|---|---|---|" % (view["relname"], escape(view["comment"]).rstrip(".")))
        for column in view["columns"]:
            page.append("| %s | %s | %s |" % (column["name"], plain_types(column["type"]), escape(column["comment"])))
        page.append("")
    return "\n".join(page)


def settings_page(settings):
    page = ["# Settings\n", MADE, "| setting | default | values | set by | |\n|---|---|---|---|---|"]
    for s in settings:
        if not s["short_desc"]:
            problems.append("setting %s has no description" % s["name"])
        values = (" ".join(s["enumvals"]) if s["enumvals"] else "%s to %s" % (s["min_val"], s["max_val"])
                  if s["min_val"] is not None else "on, off" if s["vartype"] == "bool" else s["vartype"])
        page.append("| `%s` | %s%s | %s | %s | %s |" % (
            s["name"], s["boot_val"] or "empty", " " + s["unit"] if s["unit"] else "", values, CONTEXTS[s["context"]],
            escape(" ".join(filter(None, [s["short_desc"], s["extra_desc"]])))))
    return "\n".join(page) + "\n"


def errors_page(functions, head_of):
    with open(os.path.join(TOP, "src", "base", "errors.h"), encoding="utf-8") as file:
        text = file.read()
    codes = re.findall(r"/\*[\s*]+((?:(?!\*/).)*?)\s*\*/\n#define ERRCODE_ORCH_(\w+)\s+MAKE_SQLSTATE\('(.)','(.)','(.)','(.)','(.)'\)", text, re.S)
    if len(codes) != len(re.findall("MAKE_SQLSTATE", text)):
        problems.append("a SQLSTATE of errors.h has no comment above it")
    callers = {}
    for f in functions:
        for code in re.findall(r"OR\d{3}", raises(head_of.get(f["prosrc"], ""))):
            callers.setdefault(code, set()).add(f["proname"])
    page = ["# Errors\n", MADE, "SQLSTATEs of the extension. Other errors keep PostgreSQL's own codes, for example 42501 for a right that is"
            " missing. [Failures](../failures.md) says what to do.\n",
            "| SQLSTATE | name | meaning | raised by |\n|---|---|---|---|"]
    for meaning, name, *letters in codes:
        code = "".join(letters)
        page.append("| %s | %s | %s | %s |" % (code, name.lower(), escape(re.sub(r"\s*\n \*\s*", " ", meaning)),
                                               ", ".join("%s()" % n for n in sorted(callers.get(code, [])))))
    return "\n".join(page) + "\n"


def main():
    check = sys.argv[1:] == ["--check"]
    functions, head_of = rows(FUNCTIONS), heads()
    pages = {"functions.md": functions_page(functions, head_of), "views.md": views_page(rows(VIEWS)),
             "settings.md": settings_page(rows(SETTINGS)), "errors.md": errors_page(functions, head_of)}
    for name, text in pages.items():
        text = re.sub(r"\n{3,}", "\n\n", text.rstrip() + "\n")
        path = os.path.join(HERE, name)
        if not check:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            continue
        with open(path, encoding="utf-8") as file:
            problems.extend(difflib.unified_diff(file.read().splitlines(), text.splitlines(), name, "the database", lineterm="", n=0))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
