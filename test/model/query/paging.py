"""paging.py: results of several pages, locators, deleted records, FOR VIEW.

SPDX-License-Identifier: PostgreSQL
"""
import re

import psycopg

from query import check, world


def more(session, locator):
    try:
        return check.load(session.execute("SELECT orchestration.query_more(%s)::text", (locator,)).fetchone()[0]), None
    except psycopg.Error as error:
        return None, error


def pages(session, soql, batch=200, deleted=False):
    """All pages of a query; what is wrong with them."""
    found, wrong = [], []
    result, error = check.run(session, soql, batch=batch, deleted=deleted)
    while True:
        if error:
            return found, wrong + [str(error)]
        wrong += check.form(result, nested=True)
        found.append(result)
        if result["totalSize"] != found[0]["totalSize"]:
            wrong.append("totalSize changes from %s to %s" % (found[0]["totalSize"], result["totalSize"]))
        if not result["done"] and len(result["records"]) > batch:
            wrong.append("%d records on a page" % len(result["records"]))
        if result["done"] or wrong:
            return found, wrong
        if not re.fullmatch(r"/services/data/v67\.0/query/01g[0-9a-f]{32}-%d" % (batch * len(found)), result["nextRecordsUrl"]):
            wrong.append(result["nextRecordsUrl"])
        result, error = more(session, result["nextRecordsUrl"].split("/")[-1] if len(found) % 2 else result["nextRecordsUrl"])


QUERIES = [
    "SELECT Id, Name, Owner.Name FROM @Run ORDER BY Name",
    "SELECT Id FROM @Run ORDER BY CurrentStage DESC NULLS LAST, Id",
    "SELECT Name, (SELECT Id FROM FlowOrchestrationStageInstances ORDER BY Position) FROM @Run ORDER BY Name DESC",
    "SELECT Id, Kind FROM @Log ORDER BY Timestamp, Id",
    "SELECT Id, OrchestrationInstance.Name FROM @Step WHERE Status != 'Error' ORDER BY Id",
    "SELECT Id FROM FlowOrchestrationInstanceHistory ORDER BY CreatedDate DESC",
    "SELECT Id, Name FROM @Run WHERE CreatedDate > 2023-06-01T00:00:00Z AND Status IN ('Error', 'Completed', 'Canceled') ORDER BY Name LIMIT 450",
]


def test(tap, admin, sessions):
    for soql in QUERIES:
        wrong = []
        for person in ("sam", "vic", "nil", "super"):
            one, error = check.run(sessions[person], soql)
            found, problems = pages(sessions[person], soql)
            records = [r for page in found for r in page["records"]]
            wrong += ["as %s: %s" % (person, w) for w in problems] + ([] if error is None else [error])
            if not wrong and (records != one["records"] or found[0]["totalSize"] != one["totalSize"] or len(found) != max(1, -(-len(records) // 200))):
                wrong.append("as %s: %d pages with %d records, expected %d records" % (person, len(found), len(records), len(one["records"])))
        tap.ok(not wrong, "pages of 200: " + soql, wrong[:5])
    unordered(tap, sessions)
    offset(tap, sessions)
    sizes(tap, sessions)
    unshared(tap, admin, sessions)
    locators(tap, admin, sessions)
    deleted(tap, admin, sessions)
    views(tap, admin, sessions)


def unordered(tap, sessions):
    found, wrong = pages(sessions["vic"], "SELECT Id FROM @Run")
    ids = [r["Id"] for page in found for r in page["records"]]
    tap.ok(not wrong and len(ids) == len(set(ids)) == 900, "pages without ORDER BY have each record once", wrong + [len(ids), len(set(ids))])


def offset(tap, sessions):
    """reference.md, 5.6: first batch only, no cursor"""
    result, error = check.run(sessions["vic"], "SELECT Id FROM @Run ORDER BY Name OFFSET 100", batch=200)
    tap.ok(error is None and result["done"] and len(result["records"]) == 200 and "nextRecordsUrl" not in result, "OFFSET: one page, no locator", [error or result["totalSize"]])
    result, error = check.run(sessions["vic"], "SELECT Name, COUNT(Id) FROM User GROUP BY Name", batch=200)
    tap.ok(error is None and result["done"], "GROUP BY: one page")
    result, error = check.run(sessions["super"], "SELECT TriggeringRecordId, COUNT(Id) FROM @Run GROUP BY TriggeringRecordId", batch=200)
    tap.ok(error is not None and error.sqlstate == "OR404" and "EXCEEDED_ID_LIMIT" in str(error), "GROUP BY: more groups than fit a page are refused", [error])


def sizes(tap, sessions):
    for size, good in ((199, False), (200, True), (2000, True), (2001, False), (0, False), (-1, False)):
        result, error = check.run(sessions["sam"], "SELECT Id FROM @Run LIMIT 1", batch=size)
        tap.ok(error is None if good else not check.error_form(error, "INVALID_BATCH_SIZE"), "batch_size %d" % size, [error])


def unshared(tap, admin, sessions):
    """Records of the second page are unshared, deleted and changed between the pages."""
    shares = admin.execute("SELECT g.record_id, g.user_or_group_id FROM orchestration.share_grant g JOIN orchestration.run r ON r.id = g.record_id"
                           " WHERE g.user_or_group_id = public.who('sam') ORDER BY r.name").fetchall()
    soql = "SELECT Id, Name, Status FROM @Run ORDER BY Name"
    first, _ = check.run(sessions["sam"], soql, batch=200)
    whole, _ = check.run(sessions["sam"], soql)
    gone = [str(r) for r, _ in shares[:7]]
    for record, user in shares[:7]:
        admin.execute("SELECT orchestration.unshare_record(%s, %s)", (record, user))
    second, error = more(sessions["sam"], first["nextRecordsUrl"])
    expected = [r for r in whole["records"][200:] if r["Id"] not in gone]
    tap.ok(error is None and second["totalSize"] == 300 and second["done"] and second["records"] == expected and len(expected) == 93,
           "records that are unshared before their page are absent; totalSize stays", [error or len(second["records"])])
    again, error = more(sessions["sam"], first["nextRecordsUrl"])
    tap.ok(error is None and again == second, "a page can be read again")
    for record, user in shares[:7]:
        admin.execute("SELECT orchestration.share_record(%s, %s)", (record, user))
    third, error = more(sessions["sam"], first["nextRecordsUrl"])
    tap.ok(error is None and third["records"] == whole["records"][200:], "shared again, they are there again")


def locators(tap, admin, sessions):
    first, _ = check.run(sessions["sam"], "SELECT Id FROM @Run ORDER BY Name", batch=200)
    locator = first["nextRecordsUrl"].split("/")[-1]
    for person in ("vic", "nil", "super"):
        result, error = more(sessions[person], locator)
        tap.ok(not check.error_form(error, "INVALID_QUERY_LOCATOR"), "Sam's locator as %s" % person, [error])
    messages = set()
    forged = locator[:-6] + ("0" if locator[-6] != "0" else "1") + locator[-5:]
    for text in (forged, locator[:-1], locator + "0", locator.split("-")[0], locator.split("-")[0] + "-0", locator.split("-")[0] + "-199", locator.split("-")[0] + "-100",
                 locator.split("-")[0] + "-300", locator.split("-")[0] + "--200", locator.split("-")[0] + "-200 ", locator.split("-")[0] + "-99999999999999999999",
                 "", "01g", "x", "0r8xx00000000000000", "/", "01g" + "0" * 32 + "-200", locator.upper(), locator + "'", "'; DROP TABLE x", "é" * 50, "01g" + "f" * 100000, first["nextRecordsUrl"] + "/"):
        result, error = more(sessions["sam"], text)
        wrong = check.error_form(error, "INVALID_QUERY_LOCATOR")
        tap.ok(not wrong, "a locator that is none: %s" % text[:60], wrong)
        messages.add(str(error))
    tap.ok(len(messages) == 1, "one message for all", messages)
    result, error = more(sessions["sam"], locator)
    tap.ok(error is None, "the right one still works", [error])
    identity = "01g%s" % locator[3:].split("-")[0]
    admin.execute("UPDATE orchestration.query_locator SET created_at = created_at - interval '2 days' WHERE id = %s::uuid", (identity[3:],))
    result, error = more(sessions["sam"], locator)
    tap.ok(not check.error_form(error, "INVALID_QUERY_LOCATOR"), "a locator of two days ago", [error])
    admin.execute("SELECT * FROM orchestration.remove_expired()")
    left = admin.execute("SELECT (SELECT count(*) FROM orchestration.query_locator WHERE id = %s::uuid) + (SELECT count(*) FROM orchestration.query_locator_page WHERE locator_id = %s::uuid)",
                         (identity[3:],) * 2).fetchone()[0]
    tap.ok(left == 0, "remove_expired() removes it", [left])
    kept = [check.run(sessions["sam"], "SELECT Id FROM @Run ORDER BY Name", batch=200)[0]["nextRecordsUrl"] for _ in range(12)]
    states = [more(sessions["sam"], url)[1] is None for url in kept]
    tap.ok(states == [False] * 2 + [True] * 10, "a user has ten locators; the oldest make room", [states])
    before = admin.execute("SELECT count(*) FROM orchestration.query_locator").fetchone()[0]
    check.run(sessions["sam"], "SELECT Id FROM @Run LIMIT 200", batch=200)
    check.run(sessions["nil"], "SELECT Id FROM @Run", batch=200)
    tap.ok(admin.execute("SELECT count(*) FROM orchestration.query_locator").fetchone()[0] == before, "what fits one page keeps nothing")
    tap.ok(more(sessions["sam"], None)[1].sqlstate == "22004", "null")


def deleted(tap, admin, sessions):
    """queryAll: deleted runs, for those who saw them."""
    gone = {p: sorted(str(r[0]) for r in admin.execute("SELECT set_config('oracle.person', %s, false)", (p,)) and admin.execute("SELECT id FROM gone")) for p in world.PEOPLE}
    for person in world.PEOPLE:
        for soql, expected in (("SELECT Id, IsDeleted FROM @Run WHERE IsDeleted = true", gone[person]),
                               ("SELECT Id, IsDeleted FROM @Run WHERE IsDeleted = true AND LastModifiedDate = TODAY OR (IsDeleted = true AND LastModifiedDate = YESTERDAY)", None),
                               ("SELECT Id, IsDeleted, Name, Status, SystemModstamp FROM @Run WHERE IsDeleted != false AND Name = null", gone[person])):
            if expected is None:
                continue
            result, error = check.run(sessions[person], soql, deleted=True)
            found = error or sorted(r["Id"] for r in result["records"] if r["IsDeleted"] is True)
            tap.ok(found == expected, "as %s, with deleted records: %s" % (person, soql), [found, expected])
        result, error = check.run(sessions[person], "SELECT COUNT() FROM @Run", deleted=True)
        seen = admin.execute("SELECT count(*) FROM oracle.seen WHERE person = %s AND object = %s", (person, world.RUN)).fetchone()[0]
        tap.ok(error is None and result["totalSize"] == seen + len(gone[person]), "as %s: COUNT() with deleted records" % person, [error or result["totalSize"], seen])
        result, error = check.run(sessions[person], "SELECT COUNT() FROM @Run WHERE IsDeleted = true")
        tap.ok(error is None and result["totalSize"] == 0, "as %s: not without" % person)
    # more deleted log entries than fit a page
    ids = [r[0] for r in admin.execute("SELECT id FROM orchestration.run WHERE status IN ('Completed', 'Canceled') AND right(name, 8)::int BETWEEN 471 AND 700 ORDER BY name")]
    logs = admin.execute("SELECT count(*) FROM orchestration.run_log WHERE run_id = ANY(%s)", (ids,)).fetchone()[0]
    dead = admin.execute("SELECT count(*) FROM orchestration.tombstone WHERE object = %s", (world.LOG,)).fetchone()[0]
    admin.execute("BEGIN")
    admin.execute("DELETE FROM orchestration.run WHERE id = ANY(%s)", (ids,))
    admin.execute("COMMIT")
    found, wrong = pages(sessions["super"], "SELECT Id, IsDeleted FROM @Log WHERE IsDeleted = true", deleted=True) if logs > 100 else ([], [])
    fetched = sum(len(page["records"]) for page in found)
    found, more_wrong = pages(sessions["super"], "SELECT Id, IsDeleted, Kind FROM @Log ORDER BY IsDeleted DESC, Id", deleted=True)
    records = [r for page in found for r in page["records"]]
    tap.ok(not wrong and not more_wrong and fetched == logs + dead and len(records) == found[0]["totalSize"] and sum(r["IsDeleted"] for r in records) == logs + dead,
           "deleted log entries on all pages", wrong + more_wrong + [fetched, logs, dead, len(records)])
    world.see(admin)


def views(tap, admin, sessions):
    """FOR VIEW and FOR REFERENCE: as view_record() and reference_record()."""
    run = admin.execute("SELECT id FROM orchestration.run WHERE owner_id = public.who('sam') ORDER BY name LIMIT 1").fetchone()[0]
    seen = "SELECT viewed_at, referenced_at FROM orchestration.record_view WHERE record_id = %s AND user_id = public.who('sam')"
    admin.execute("DELETE FROM orchestration.record_view WHERE record_id = %s", (run,))
    result, error = check.run(sessions["sam"], "SELECT Id, LastViewedDate FROM @Run WHERE Id = '%s' FOR REFERENCE" % run)
    row = admin.execute(seen, (run,)).fetchone()
    tap.ok(error is None and row and row[0] is None and row[1] is not None, "FOR REFERENCE sets LastReferencedDate only", [error or row])
    result, error = check.run(sessions["sam"], "SELECT Id FROM @Run WHERE Id = '%s' FOR VIEW" % run)
    row = admin.execute(seen, (run,)).fetchone()
    tap.ok(error is None and row and row[0] and row[1], "FOR VIEW sets both", [error or row])
    result, error = check.run(sessions["sam"], "SELECT Id, LastViewedDate FROM @Run WHERE LastViewedDate = TODAY")
    tap.ok(error is None and str(run) in [r["Id"] for r in result["records"]], "a query finds it by LastViewedDate = TODAY", [error])
    others = admin.execute("SELECT count(*) FROM orchestration.record_view WHERE record_id = %s AND user_id <> public.who('sam')", (run,)).fetchone()[0]
    tap.ok(others == 0, "for that user alone")
    result, error = check.run(sessions["nil"], "SELECT Id FROM @Run WHERE Id = '%s' FOR VIEW" % run)
    tap.ok(error is None and result["totalSize"] == 0, "who does not see the record marks nothing", [error])
    for source in ("@Stage", "@Step", "@Item"):
        result, error = check.run(sessions["sam"], "SELECT Id FROM %s LIMIT 2 FOR VIEW" % source)
        tap.ok(error is None and result["totalSize"] == 2, "FOR VIEW of " + source, [error])
    first, error = check.run(sessions["vic"], "SELECT Id FROM @Run ORDER BY Name FOR VIEW", batch=200)
    viewed = "SELECT count(*) FROM orchestration.record_view WHERE user_id = public.who('vic') AND viewed_at IS NOT NULL"
    n = admin.execute(viewed).fetchone()[0]
    more(sessions["vic"], first["nextRecordsUrl"])
    tap.ok(n == 200 and admin.execute(viewed).fetchone()[0] == 400, "each page marks its own records", [n])
