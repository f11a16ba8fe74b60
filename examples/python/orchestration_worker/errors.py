"""The errors of the extension as classes, by SQLSTATE.

    with typed_errors():
        conn.execute("SELECT orchestration.resume_run(%s)", (run,))

raises IllegalStatusChange where the server says OR001.  The error of psycopg is its __cause__.
"""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Optional

import psycopg


class OrchestrationError(Exception):
    """An error of the extension: SQLSTATE ORnnn."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__(error.diag.message_primary or str(error))
        self.sqlstate: Optional[str] = error.sqlstate
        self.detail: Optional[str] = error.diag.message_detail
        self.hint: Optional[str] = error.diag.message_hint


class StatusError(OrchestrationError):
    """OR0xx: the statuses do not allow it."""


class IllegalStatusChange(StatusError):
    """OR001: a status cannot follow the one before."""


class RecordLocked(StatusError):
    """OR007: a run keeps the record locked."""


class UnknownReference(OrchestrationError):
    """OR1xx: a record, record type, user, group or queue does not exist."""


class DefinitionError(OrchestrationError):
    """OR2xx: a definition is invalid, unknown or not active."""


class RunError(OrchestrationError):
    """OR3xx: what a run, a work item or a step asks for is not possible."""


class WorkItemDone(RunError):
    """OR302: the work item is completed."""


class LeaseLost(RunError):
    """OR303: the worker does not hold the step any more."""


class KeyUsed(RunError):
    """OR309: the idempotency key belongs to another start."""


class CallError(OrchestrationError):
    """OR4xx: a documented call refuses; the message begins with the documented code."""


_CLASSES: dict[str, type[OrchestrationError]] = {
    "OR001": IllegalStatusChange, "OR007": RecordLocked, "OR302": WorkItemDone, "OR303": LeaseLost, "OR309": KeyUsed,
    "OR0": StatusError, "OR1": UnknownReference, "OR2": DefinitionError, "OR3": RunError, "OR4": CallError,
    "OR": OrchestrationError}


def typed(error: psycopg.Error) -> Exception:
    """The error as an OrchestrationError, or itself if it is not the extension's."""
    for length in (5, 3, 2):
        found = _CLASSES.get((error.sqlstate or "")[:length])
        if found is not None:
            return found(error)
    return error


@contextmanager
def typed_errors() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        wanted = typed(error)
        if wanted is error:
            raise
        raise wanted from error
