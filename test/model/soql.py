#!/usr/bin/python3
"""soql.py: query() against SQL by hand, for four people.

query/world.py makes the records and decides, by itself, who sees which; query/table.py has the
queries, with SQL over the storage tables or with the error; query/matrix.py generates more from
the contract.  Every query is executed as Sam (300 runs, by ownership, rules, groups and shares),
as Vic (View All Data), as Nil (nothing) and as a superuser.

Expects a fresh database with the extension.  Prints TAP.

SPDX-License-Identifier: PostgreSQL
"""
import re
import sys

from query import check, matrix, paging, rights, table, world


def explained(tap, session):
    """explain_soql(): nothing of the text stands in the SQL but names of the catalog."""
    wrong = []
    for soql, _ in table.CASES:
        sql = session.execute("SELECT orchestration.explain_soql(%s)", (check.full(soql),)).fetchone()[0]
        marked = re.sub(r"'(\\.|[^'\\])*'", "'zzqq'", check.full(soql))
        sql_of_marked = "" if marked == check.full(soql) or "Id" in soql and re.search(r"Id\W*(=|!=|IN|NOT IN)", soql) else \
            session.execute("SELECT orchestration.explain_soql(%s)", (marked,)).fetchone()[0]
        if "zzqq" in sql_of_marked or not re.match(r"SELECT ", sql):
            wrong.append("%s: %s" % (soql, sql))
    tap.ok(not wrong, "explain_soql(): values are parameters", wrong[:5])


def main():
    tap = check.Tap()
    admin = world.build()
    sessions = {p: world.connect(p) for p in world.PEOPLE}
    counts = dict(admin.execute("SELECT person, count(*) FROM oracle.seen WHERE object = %s GROUP BY person", (world.RUN,)).fetchall())
    tap.ok(counts == {"sam": 300, "vic": 900, "super": 900}, "Sam sees 300 runs, Vic and a superuser 900, Nil none", [counts])
    tap.ok(len(table.CASES) + len(table.ERRORS) >= 300, "%d queries with a result, %d with an error" % (len(table.CASES), len(table.ERRORS)))
    for soql, sql in table.CASES:
        wrong = []
        for person in world.PEOPLE:
            admin.execute("SELECT set_config('oracle.person', %s, false)", (person,))
            expected = admin.execute(sql).fetchall()
            result, error = check.run(sessions[person], soql)
            found = ["%s %s" % (error.sqlstate, error)] if error else check.compare(result, soql, expected)
            wrong += ["as %s: %s" % (person, w) for w in found]
        tap.ok(not wrong, soql, wrong)
    for soql, code, part in table.ERRORS:
        wrong = []
        for person in world.PEOPLE:
            result, error = check.run(sessions[person], soql)
            wrong += ["as %s: %s" % (person, w) for w in check.error_form(error, code, part)]
        tap.ok(not wrong, "%s: %s" % (code, soql), wrong)
    explained(tap, sessions["sam"])
    matrix.test(tap, admin, sessions)
    paging.test(tap, admin, sessions)
    rights.test(tap, admin, sessions)
    for session in sessions.values():
        session.close()
    world.drop_roles(admin)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
