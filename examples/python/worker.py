#!/usr/bin/python3
"""A worker for asynchronous steps, in Python with psycopg 3.

    worker.py [TOPIC...]

Connects as libpq's environment says.  Claims steps of the topics in batches, carries out
their actions in threads, keeps the leases alive meanwhile, and sleeps until it is notified,
or POLL seconds, when nothing is ready.  On SIGTERM or SIGINT it finishes what it has and
goes; a second one ends it at once.
"""
import os
import select
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg.types.json import Jsonb

POLL = float(os.environ.get("POLL", "5"))       # seconds; notifications come before
LEASE = float(os.environ.get("LEASE", "60"))    # seconds; extended three times as often
BATCH = int(os.environ.get("BATCH", "10"))      # steps at a time
NAME = "%s %d (python)" % (socket.gethostname(), os.getpid())


def slow(inputs):
    time.sleep(float(inputs["seconds"]))
    return {"slept": inputs["seconds"]}


# an action returns its outputs, or raises; final = True: then there is no retry
ACTIONS = {
    "Example_Double": lambda inputs: {"double": inputs["n"] * 2},
    "Example_Slow": slow,
}


def carry_out(step):
    result = {"step_id": str(step["step_id"]), "lease_id": str(step["lease_id"])}
    try:
        return {**result, "outputs": ACTIONS[step["action"]](step["inputs"])}
    except Exception as error:
        return {**result, "message": str(error), "detail": type(error).__name__,
                "retry": not getattr(error, "final", False)}


def keep_alive(conn, steps, done):
    """Extends the leases until the steps are done."""
    leases = Jsonb([{"step_id": str(s["step_id"]), "lease_id": str(s["lease_id"])} for s in steps])
    while not done.wait(LEASE / 3):
        for row in conn.execute(
                "SELECT step_id, held, reason FROM orchestration.extend_leases(%s, %s * interval '1 second')",
                (leases, LEASE)):
            if not row["held"]:
                print("step %(step_id)s: %(reason)s" % row, flush=True)


def main(topics):
    stopping = []
    wake, woken = socket.socketpair()

    def stop(number, frame):
        signal.signal(number, signal.SIG_DFL)
        stopping.append(number)
        wake.send(b"x")
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    options = dict(autocommit=True, client_encoding="UTF8", row_factory=psycopg.rows.dict_row)
    with psycopg.connect(**options) as conn, psycopg.connect(**options) as heart, \
            ThreadPoolExecutor(BATCH) as pool:
        print("%s works on %s" % (NAME, ", ".join(topics)), flush=True)
        results = []
        while not stopping:
            rows = conn.execute("SELECT * FROM orchestration.complete_and_claim(%s, %s, %s, %s, %s * interval '1 second')",
                                (Jsonb(results), NAME, topics, BATCH, LEASE)).fetchall()
            for row in [row for row in rows if row["accepted"] is False]:
                print("step %s: %s" % (row["step_id"], row["reason"]), flush=True)
            steps = [row for row in rows if row["accepted"] is None]
            results = []
            if steps:
                done = threading.Event()
                heartbeat = threading.Thread(target=keep_alive, args=(heart, steps, done))
                heartbeat.start()
                results = list(pool.map(carry_out, steps))
                done.set()
                heartbeat.join()
            else:
                due = conn.execute("SELECT orchestration.listen_for_steps(%s) AS due", (topics,)).fetchone()["due"]
                if not conn.pgconn.notifies():
                    select.select([conn.fileno(), woken], [], [], POLL if due is None else min(due, POLL))
        conn.execute("SELECT orchestration.complete_steps(%s)", (Jsonb([r for r in results if "outputs" in r]),))
        conn.execute("SELECT orchestration.fail_steps(%s)", (Jsonb([r for r in results if "message" in r]),))
    print("%s goes" % NAME, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(ACTIONS))
