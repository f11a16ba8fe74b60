#!/usr/bin/python3
"""latency.py: the time that a step waits, with one run at a time and no other load.

Expects a database made ready by queue_setup.sql in PGDATABASE.  LATENCY_RUNS (300) runs
of 3 stages x 2 asynchronous steps:

* start to first step: from sending start_orchestration() until a worker that sleeps until
  it is notified holds the steps;
* step to step, same worker: from sending complete_and_claim() for the steps of a stage
  until those of the next are there;
* step to step, another worker: from sending complete_steps() until a worker that sleeps
  holds them;
* the floor, same worker: from sending complete until the claimed steps are there.
"""
import os
import select
import threading
import time

import psycopg
from psycopg.types.json import Jsonb

RUNS = int(os.environ.get("LATENCY_RUNS", "300"))


def done(rows):
    return Jsonb([{"step_id": str(row[0]), "lease_id": str(row[1]), "outputs": {"done": True}} for row in rows])


class Sleeper(threading.Thread):
    """A worker that waits for a notification, claims, and records when it had the steps."""

    def __init__(self):
        super().__init__(daemon=True)
        self.conn = psycopg.connect(autocommit=True)
        self.ready = threading.Event()          # it is about to sleep
        self.got = threading.Event()
        self.start()

    def run(self):
        while True:
            due = self.conn.execute("SELECT extract(epoch FROM max_wait)::float8 FROM orchestration.listen_for_steps('{bench}', %s) LIMIT 1",
                                    (self.conn.info.backend_pid,)).fetchone()[0]
            self.ready.set()
            # a notification that came with the answer is no longer on the socket
            if (due is None or due > 0) and not self.conn.pgconn.notifies():
                select.select([self.conn.fileno()], [], [])
                self.conn.pgconn.consume_input()
                while self.conn.pgconn.notifies():
                    pass
            rows = self.conn.execute("SELECT step_id, lease_id FROM orchestration.claim_steps('s', '{bench}', 2)").fetchall()
            if rows:
                self.at = time.perf_counter()
                self.rows = rows
                self.ready.clear()
                self.got.set()

    def take(self):
        self.got.wait()
        self.got.clear()
        self.ready.wait()
        return self.rows


def show(name, times):
    times.sort()
    print("| %s | %.2f | %.2f |" % (name, 1000 * times[len(times) // 2], 1000 * times[len(times) * 99 // 100]))


def main():
    first, same, other, floor = [], [], [], []
    with psycopg.connect(autocommit=True) as conn:
        sleeper = Sleeper()
        sleeper.ready.wait()
        for n in range(RUNS):
            begin = time.perf_counter()
            conn.execute("SELECT orchestration.start_orchestration('Bench')")
            rows = sleeper.take()
            first.append(sleeper.at - begin)
            if n % 2:
                for _ in range(3):
                    begin = time.perf_counter()
                    answer = conn.execute("SELECT step_id, lease_id, accepted FROM orchestration.complete_and_claim(%s, 'w', '{bench}', 2)",
                                          (done(rows),)).fetchall()
                    rows = [row for row in answer if row[2] is None]
                    if rows:
                        same.append(time.perf_counter() - begin)
                # a sleeping worker may have been notified without need
                sleeper.ready.wait()
            else:
                for stage in range(3):
                    begin = time.perf_counter()
                    conn.execute("SELECT count(*) FROM orchestration.complete_steps(%s)", (done(rows),))
                    if stage < 2:
                        rows = sleeper.take()
                        other.append(sleeper.at - begin)
        for _ in range(RUNS // 2):
            conn.execute("SELECT floor.start(1)")
            rows = conn.execute("SELECT step_id, lease_id FROM floor.claim('w', 2)").fetchall()
            for _ in range(3):
                begin = time.perf_counter()
                conn.execute("SELECT count(*) FROM floor.complete(%s)", (done(rows),))
                rows = conn.execute("SELECT step_id, lease_id FROM floor.claim('w', 2)").fetchall()
                if rows:
                    floor.append(time.perf_counter() - begin)
    print("| One run at a time | p50, ms | p99, ms |")
    print("|---|---|---|")
    show("start to first step, of a worker that sleeps", first)
    show("step to step, the same worker, one call", same)
    show("step to step, another worker that sleeps", other)
    show("step to step, the floor, the same worker, two calls", floor)


if __name__ == "__main__":
    main()
