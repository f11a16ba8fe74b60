#!/usr/bin/python3
"""wake.py: a session that waits and a session that commits, in every interleaving.

The waiting session follows the answer of listen_for_steps(), or reads its inbox after
listen_for_work(); the other session starts runs, commits, rolls back, prepares.  Each pair of
scripts is played in every order of its statements, with a session that listens already and with
one that does not.  At the end the waiting client acts on its last answer: it claims at once, or
sleeps.  If a step or item is ready for it, it must have been notified, or have been asked to
look again within a moment.  A claim finds every ready step.

Expects a server in PGHOST, ..., and the extension in the database PGDATABASE.
Prints TAP.

SPDX-License-Identifier: PostgreSQL
"""
import itertools
import time

import psycopg

MOMENT = 0.1                    # seconds; an answer above is a sleep

PREPARE = """
SELECT orchestration.register_action('wake', 'worker'), orchestration.register_action('wake_form', 'screen');
CREATE ROLE wake_user;
SELECT orchestration.create_user('wake@example.com', 'Wake');
UPDATE orchestration.principal SET role_name = 'wake_user' WHERE name = 'Wake';
SELECT orchestration.deploy_orchestration('{"label": "Wake", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
    "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [
        {"name": "T", "label": "T", "actionName": "wake", "actionType": "stepBackground", "requiresAsyncProcessing": true},
        {"name": "U", "label": "U", "actionName": "wake_form", "actionType": "stepInteractive",
         "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "wake@example.com"}}]}]}]}'::jsonb, 'Wake'),
    orchestration.activate_orchestration('Wake');
"""

START = "SELECT orchestration.start_orchestration('Wake')"
LISTEN = "SELECT extract(epoch FROM max_wait)::float8 FROM orchestration.listen_for_steps('{wake,wake_other}', pg_backend_pid()) LIMIT 1"
CLAIM = "SELECT count(*) FROM orchestration.claim_steps('w', '{wake}', 1000, '1 hour')"
OTHER = "SELECT count(*) FROM orchestration.claim_steps('w', '{nothing}', 1000, '1 hour')"
WORK = "SELECT count(*) FROM orchestration.listen_for_work(pg_backend_pid())"
INBOX = "SELECT count(*) FROM orchestration.my_work_items(1000)"
REPEATABLE = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class"
AS_USER = "SET ROLE wake_user"

# statements that need no turn of their own form one turn
WORKERS = {
    "statement": [LISTEN],
    "after a claim": [CLAIM, LISTEN],
    "in a transaction": ["BEGIN", LISTEN, "COMMIT"],
    "in REPEATABLE READ": [REPEATABLE, LISTEN, "COMMIT"],
    "rolled back": ["BEGIN", LISTEN, "ROLLBACK"],
    "subtransaction rolled back": ["BEGIN; SAVEPOINT s", LISTEN, "ROLLBACK TO s", "COMMIT"],
    "advisory locks released": [LISTEN, "SELECT pg_advisory_unlock_all()"],
    "session discarded": ["DISCARD ALL", LISTEN],
    "unlisten in the same transaction": ["BEGIN; UNLISTEN *", LISTEN, "COMMIT"],
    "claim of another topic": [LISTEN, OTHER],
    "listens for work too": [LISTEN, "%s; %s; RESET ROLE" % (AS_USER, WORK)],
}
# the inbox is read last, so that the client knows its content at that time
PEOPLE = {
    "statement": [WORK, INBOX],
    "in a transaction": ["BEGIN", WORK, INBOX, "COMMIT"],
    "in REPEATABLE READ": ["BEGIN ISOLATION LEVEL REPEATABLE READ", WORK, INBOX, "COMMIT"],
    "steps are claimed": [WORK, INBOX, "RESET ROLE; %s; %s" % (CLAIM, AS_USER)],
    "advisory locks released": [WORK, INBOX, "SELECT pg_advisory_unlock_all()"],
    "session discarded": ["DISCARD ALL", AS_USER + "; " + WORK, INBOX],
}
COMMITTERS = {
    "statement": [START],
    "transaction": ["BEGIN; " + START, "COMMIT"],
    "rolled back": ["BEGIN; " + START, "ROLLBACK"],
    "subtransactions": ["BEGIN; SAVEPOINT s; %s; ROLLBACK TO s; %s" % (START, START), "COMMIT"],
    "prepared": ["BEGIN; " + START, "PREPARE TRANSACTION 'wake'", "COMMIT PREPARED 'wake'"],
    "prepared and rolled back": ["BEGIN; " + START, "PREPARE TRANSACTION 'wake'", "ROLLBACK PREPARED 'wake'"],
}


class Waiting:
    """The session that waits, and the knowledge of its client."""

    def __init__(self):
        self.conn = psycopg.connect(autocommit=True, prepare_threshold=None)
        self.conn.add_notify_handler(lambda notify: self.notes.append(notify.channel))
        self.notes = []

    def begin(self, people):
        """As a pool resets a connection for its next client."""
        self.conn.execute("DISCARD ALL")
        self.people = people
        self.notes.clear()
        self.answer = 0         # of listen_for_steps(): claim at once
        self.seen = 0           # in the inbox
        if people:
            self.conn.execute(AS_USER)

    def do(self, statement):
        # a claim, or reading the inbox, answers the notifications before it
        if statement in (LISTEN, INBOX):
            self.notes.clear()
        result = self.conn.execute(statement)
        if statement == LISTEN:
            self.answer = result.fetchone()[0]
        elif statement == CLAIM:
            self.answer = 0     # it calls listen_for_steps() before it sleeps
        elif statement == INBOX:
            self.seen = result.fetchone()[0]

    def is_woken(self):
        until = time.monotonic() + 1
        while not self.notes and time.monotonic() < until:
            self.conn.execute("SELECT 1")
            time.sleep(0.0005)
        return bool(self.notes)


def interleavings(a, b):
    """All orders of the turns of the two sessions."""
    for places in itertools.combinations(range(a + b), a):
        yield [place in places for place in range(a + b)]


def play(mine, theirs, order, listens_already, people, waiting, admin, other):
    """One interleaving; returns the fault, or None."""
    waiting.begin(people)
    if listens_already:
        for statement in ([WORK, INBOX] if people else [LISTEN]):
            waiting.do(statement)
    steps, others = iter(mine), iter(theirs)
    for own in order:
        if own:
            waiting.do(next(steps))
        else:
            other.execute(next(others))
    # is a step or item ready for the client?
    ready = admin.execute("SELECT count(*) FROM orchestration.step_queue WHERE lease_id IS NULL").fetchone()[0]
    items = admin.execute("SELECT count(*) FROM orchestration.work_item WHERE status = 'Assigned'").fetchone()[0]
    wrong = None
    if people:
        if items > waiting.seen and not waiting.is_woken():
            wrong = "%d items, %d seen, not notified" % (items, waiting.seen)
    elif ready:
        if (waiting.answer is None or waiting.answer > MOMENT) and not waiting.is_woken():
            wrong = "%d steps ready, told to wait %s s, not notified" % (ready, waiting.answer)
        else:
            found = waiting.conn.execute(CLAIM).fetchone()[0]
            if found != ready:
                wrong = "%d steps ready, %d claimed" % (ready, found)
    admin.execute("SELECT orchestration.cancel_run(id) FROM orchestration.run WHERE status = 'InProgress'")
    return wrong


def main():
    number = 0
    with psycopg.connect(autocommit=True) as admin, psycopg.connect(autocommit=True) as other:
        admin.execute(PREPARE)
        waiting = Waiting()
        cases = [(people, name, mine) for people, scripts in ((False, WORKERS), (True, PEOPLE))
                 for name, mine in scripts.items()]
        for people, name, mine in cases:
            number += 1
            played, wrong = 0, []
            for committer, theirs in COMMITTERS.items():
                for order in interleavings(len(mine), len(theirs)):
                    for already in (False, True):
                        if played % 10 == 0:
                            admin.execute("DELETE FROM orchestration.run")
                        problem = play(mine, theirs, order, already, people, waiting, admin, other)
                        played += 1
                        if problem:
                            wrong.append("%s, %s, %s: %s" % (
                                committer, "".join("LC"[not own] for own in order),
                                "listens already" if already else "fresh", problem))
            print("%s %d - %s, %s: %d interleavings" % (
                "not ok" if wrong else "ok", number, "a person" if people else "a worker", name, played), flush=True)
            for line in wrong[:5]:
                print("# " + line)
            if wrong:
                print("# %d of %d" % (len(wrong), played))
        number += 1
        broken = admin.execute("SELECT count(*) FROM orchestration.verify()").fetchone()[0]
        print("%s %d - verify() is empty" % ("not ok" if broken else "ok", number))
    print("1..%d" % number)


if __name__ == "__main__":
    main()
