#!/usr/bin/python3
"""worker.py [TOPIC...]: a worker with three actions.

Connects as libpq's environment says (PGHOST, PGDATABASE, ...).  BATCH: steps at the same time;
LEASE and POLL: seconds.
"""
import logging
import os
import sys
import time

from orchestration_worker import Step, StepFailed, Worker


def double(step: Step):
    if "n" not in step.inputs:
        raise StepFailed("n is missing", retry=False)
    return {"double": step.inputs["n"] * 2}


def slow(step: Step):
    """Looks whether the step is still its own: the run may be canceled."""
    if step.lost.wait(float(step.inputs["seconds"])):
        raise StepFailed("stopped")
    return {"slept": step.inputs["seconds"]}


def record(step: Step):
    """Writes exactly once, as the user of run_as: the row and the outcome are committed together."""
    with step.transaction() as conn:
        conn.execute("INSERT INTO example_effect (step_id, acted_as) VALUES (%s, orchestration.acting_user_id())", (step.step_id,))
        time.sleep(float(step.inputs.get("seconds", 0)))
        step.complete({"recorded": True})


ACTIONS = {"Example_Double": double, "Example_Slow": slow, "Example_Record": record}

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    worker = Worker(ACTIONS, topics=sys.argv[1:] or None, batch=int(os.environ.get("BATCH", "10")),
                    lease=float(os.environ.get("LEASE", "60")), poll=float(os.environ.get("POLL", "30")))
    print("%s works on %s" % (worker.name, ", ".join(worker.topics)), flush=True)
    worker.run()
    print("%s goes" % worker.name, flush=True)
