"""A worker for asynchronous steps of the PostgreSQL extension orchestration."""
from .errors import (CallError, DefinitionError, IllegalStatusChange, KeyUsed, LeaseLost, OrchestrationError, RecordLocked,
                     RunError, StatusError, UnknownReference, WorkItemDone, typed, typed_errors)
from .worker import Action, Step, StepFailed, Worker

__all__ = ["Action", "CallError", "DefinitionError", "IllegalStatusChange", "KeyUsed", "LeaseLost", "OrchestrationError",
           "RecordLocked", "RunError", "StatusError", "Step", "StepFailed", "UnknownReference", "WorkItemDone", "Worker",
           "typed", "typed_errors"]
