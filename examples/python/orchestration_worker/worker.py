"""The loop of a worker: claims steps, carries them out in threads, reports their outcomes.

One connection reports and claims in the same call, and is notified; another one extends the
leases.  If a connection is lost, outcomes are kept and reported on the next one.
"""
from __future__ import annotations

import json
import logging
import os
import re
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Optional
from uuid import UUID

import psycopg
from psycopg.rows import DictRow, dict_row

from .errors import typed_errors

log = logging.getLogger(__name__)

CLAIM = "SELECT * FROM orchestration.complete_and_claim(%s::jsonb, %s, %s, %s, %s * interval '1 second')"
EXTEND = "SELECT step_id, held, reason FROM orchestration.extend_leases(%s::jsonb, %s * interval '1 second')"
LISTEN = """SELECT channel IS NOT NULL AS hears, extract(epoch FROM max_wait)::float8 AS seconds
  FROM orchestration.listen_for_steps(%s, %s) LIMIT 1"""
COLUMNS = ("run_id", "step_id", "lease_id", "topic", "action", "step_name", "inputs", "attempt", "run_as")
LOST = (psycopg.OperationalError, psycopg.InterfaceError)   # and serialization failures, deadlocks, timeouts
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")                # jsonb has no such character


class StepFailed(Exception):
    """An action raises it; with retry=False the step is not tried again, whatever its policy says."""

    def __init__(self, message: str, detail: Optional[str] = None, retry: bool = True) -> None:
        super().__init__(message)
        self.detail = detail
        self.retry = retry


@dataclass
class Step:
    """A claimed step."""
    run_id: UUID
    step_id: UUID
    lease_id: UUID
    topic: str
    action: str
    step_name: str
    inputs: dict[str, Any]
    attempt: int
    run_as: Optional[UUID]
    conninfo: str = field(repr=False)
    lost: threading.Event = field(default_factory=threading.Event, repr=False)  # set: the outcome will be refused
    completed: bool = field(default=False, repr=False)
    abandoned: bool = field(default=False, repr=False)      # transaction() lost the server: not a failure of the step
    _conn: Optional[psycopg.Connection[Any]] = field(default=None, repr=False)

    @property
    def lease(self) -> dict[str, str]:
        return {"step_id": str(self.step_id), "lease_id": str(self.lease_id)}

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """A transaction on a connection of its own, as the user of run_as if the step has one.

        For that the role of the worker needs SET on the parameter orchestration.user_id.  If the
        connection is lost, nothing is reported: after its lease the step can be claimed again.
        """
        conn: Optional[psycopg.Connection[Any]] = None
        try:
            conn = psycopg.connect(self.conninfo, client_encoding="UTF8", prepare_threshold=None, connect_timeout=10)
            if self.run_as is not None:
                conn.execute("SELECT set_config('orchestration.user_id', %s, true)", (str(self.run_as),))
            self._conn = conn
            yield conn
            conn.commit()
        except BaseException as error:
            self.completed = False      # rolled back, or nobody knows: then another report is refused
            self.abandoned = conn.broken if conn is not None else isinstance(error, LOST)
            raise
        finally:
            self._conn = None
            if conn is not None:
                conn.close()

    def complete(self, outputs: Optional[Mapping[str, Any]] = None) -> None:
        """Completes the step in transaction(): its writes happen exactly once."""
        if self._conn is None:
            raise RuntimeError("complete() belongs into transaction()")
        with typed_errors():
            row = self._conn.execute("SELECT accepted, reason FROM orchestration.complete_steps(%s::jsonb)",
                                     ("[%s]" % outcome_of(self, outputs),)).fetchone()
        if row is None or not row[0]:
            raise StepFailed("the outcome is refused: %s" % (row and row[1]))
        self.completed = True


def outcome_of(step: Step, outputs: Optional[Mapping[str, Any]]) -> str:
    """The outcome as JSON; raises what cannot be stored, so that it fails this step only."""
    if outputs is not None and not isinstance(outputs, Mapping):
        raise TypeError("an action returns a mapping or None, not %s" % type(outputs).__name__)
    text = json.dumps({**step.lease, "outputs": dict(outputs or {})}, ensure_ascii=False, allow_nan=False)
    text.encode("utf-8")
    if NUL.search(text):
        raise ValueError("an output has a NUL character")
    return text


def failure_of(step: Step, error: BaseException) -> str:
    detail = getattr(error, "detail", None) or type(error).__name__
    texts = {"message": str(error) or type(error).__name__, "detail": str(detail)}
    return json.dumps({**step.lease, "retry": getattr(error, "retry", True),
                       **{k: v.replace("\0", "").encode("utf-8", "replace").decode() for k, v in texts.items()}})


Action = Callable[[Step], Optional[Mapping[str, Any]]]


class Worker:
    """Carries out steps of topics until stop(), SIGTERM or SIGINT; a second signal ends it at once.

    actions: by name, each takes a Step and returns its outputs or raises.  topics: as claim_steps()
    takes them, by default the names of the actions.  batch: steps at the same time.  lease, poll:
    seconds; leases are extended three times as often, and without a notification the queue is looked
    at after poll seconds.
    """

    def __init__(self, actions: Mapping[str, Action], *, conninfo: str = "", topics: Optional[Iterable[str]] = None,
                 batch: int = 10, lease: float = 60, poll: float = 30, name: Optional[str] = None) -> None:
        self.actions = dict(actions)
        self.conninfo = conninfo
        self.topics = list(self.actions if topics is None else topics)
        self.batch, self.lease, self.poll = batch, lease, poll
        self.name = name or "%s %d (python)" % (socket.gethostname(), os.getpid())
        self._stopping = threading.Event()
        self._notified = False
        self._mutex = threading.Lock()              # of the next two
        self._running: dict[UUID, Step] = {}
        self._outcomes: list[str] = []              # that no answer of the server has acknowledged
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)

    def stop(self) -> None:
        """Claims no more; run() returns when the claimed steps are done and reported."""
        self._stopping.set()
        self._poke()

    def run(self, signals: bool = True) -> None:
        """Raises the error of the first connection, and errors that a new connection does not mend."""
        conn: Optional[psycopg.Connection[DictRow]] = self._connect()
        if signals:     # False: not in the main thread
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._on_signal)
        ended = threading.Event()
        threading.Thread(target=self._beat, args=(ended,), daemon=True).start()
        pause, give_up = 0.1, float("inf")
        try:
            with ThreadPoolExecutor(self.batch) as pool:
                while True:
                    try:
                        conn = conn or self._connect()
                        if self._turn(conn, pool):
                            return
                        pause = 0.1
                    except LOST as error:
                        log.warning("%s; connecting again", str(error).strip())
                        if conn is not None:
                            conn.close()
                            conn = None
                        if self._stopping.is_set():     # after a lease nobody would take the outcomes
                            give_up = min(give_up, time.monotonic() + self.lease)
                            if time.monotonic() > give_up:
                                raise
                        time.sleep(pause)
                        pause = min(pause * 2, 5)
        finally:
            ended.set()
            if conn is not None:
                conn.close()

    def _turn(self, conn: psycopg.Connection[DictRow], pool: ThreadPoolExecutor) -> bool:
        """Reports and claims, then waits; true: stopped, and everything is reported."""
        stopping = self._stopping.is_set()
        self._notified = False
        with self._mutex:
            outcomes, free = list(self._outcomes), self.batch - len(self._running)
        seconds: Optional[float] = None
        if outcomes or (free > 0 and not stopping):
            # no topics: nothing is claimed
            rows = conn.execute(CLAIM, ("[%s]" % ",".join(outcomes), self.name, [] if stopping else self.topics,
                                        free, self.lease)).fetchall()
            with self._mutex:
                del self._outcomes[:len(outcomes)]
            for row in rows:
                if row["accepted"] is None:
                    step = Step(**{name: row[name] for name in COLUMNS}, conninfo=self.conninfo)
                    free -= 1
                    with self._mutex:
                        self._running[step.step_id] = step
                    pool.submit(self._carry_out, step)
                elif row["reason"] is not None:
                    log.warning("step %s: %s", row["step_id"], row["reason"])
        if stopping:
            with self._mutex:
                if not self._running and not self._outcomes:
                    return True
        elif free > 0:
            answer = conn.execute(LISTEN, (self.topics, conn.info.backend_pid)).fetchone()
            assert answer is not None
            seconds = self.poll if answer["seconds"] is None else min(self.poll, answer["seconds"])
        self._wait(conn, seconds)
        return False

    def _wait(self, conn: psycopg.Connection[DictRow], seconds: Optional[float]) -> None:
        """Until a notification, an outcome, stop() or the end of the time."""
        if self._notified:      # it came with an answer
            return
        ready, _, _ = select.select([conn.fileno(), self._woken], [], [], seconds)
        if self._woken in ready:
            self._woken.recv(4096)
        if conn.fileno() in ready:
            conn.pgconn.consume_input()
            while conn.pgconn.notifies():
                pass

    def _carry_out(self, step: Step) -> None:
        try:
            if step.action not in self.actions:
                raise StepFailed("no action %s" % step.action)
            outputs = self.actions[step.action](step)
            outcome = "" if step.completed else outcome_of(step, outputs)
        except BaseException as error:      # of the action's code, whatever it is
            log.info("step %s: %r", step.step_id, error)
            outcome = "" if step.completed or step.abandoned else failure_of(step, error)
        with self._mutex:
            del self._running[step.step_id]
            if outcome:
                self._outcomes.append(outcome)
        self._poke()

    def _beat(self, ended: threading.Event) -> None:
        """Extends the leases of the running steps."""
        conn: Optional[psycopg.Connection[DictRow]] = None
        while not ended.wait(self.lease / 3):
            with self._mutex:
                running = dict(self._running)
            if not running:
                continue
            try:
                conn = conn or self._connect()
                for row in conn.execute(EXTEND, (json.dumps([step.lease for step in running.values()]), self.lease)):
                    if not row["held"]:
                        log.warning("step %s: %s", row["step_id"], row["reason"])
                        running[row["step_id"]].lost.set()
            except psycopg.Error as error:
                log.warning("the leases are not extended: %s", str(error).strip())
                if conn is not None:
                    conn.close()
                    conn = None
        if conn is not None:
            conn.close()

    def _connect(self) -> psycopg.Connection[DictRow]:
        conn = psycopg.connect(self.conninfo, autocommit=True, client_encoding="UTF8", row_factory=dict_row,
                               connect_timeout=10)
        conn.add_notify_handler(lambda notify: setattr(self, "_notified", True))
        answer = conn.execute("SELECT pg_backend_pid() AS pid").fetchone()
        if answer is None or answer["pid"] != conn.info.backend_pid:
            conn.prepare_threshold = None       # a pool: the next statement may be in another session
        return conn

    def _on_signal(self, number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        self.stop()

    def _poke(self) -> None:
        try:
            self._wake.send(b"x")
        except BlockingIOError:
            pass        # enough is there to wake it
