// The errors of the extension as classes, by SQLSTATE.
//
//     await client.query('SELECT orchestration.resume_run($1)', [run]).catch(rethrow);
//
// throws IllegalStatusChange where the server says OR001.  The error of pg is its cause.
'use strict';

class OrchestrationError extends Error {
  constructor(error) {
    super(error.message, { cause: error });
    this.name = this.constructor.name;
    this.sqlstate = error.code;
    this.detail = error.detail;
    this.hint = error.hint;
  }
}
class StatusError extends OrchestrationError {} // OR0xx: the statuses do not allow it
class IllegalStatusChange extends StatusError {} // OR001
class RecordLocked extends StatusError {} // OR007
class UnknownReference extends OrchestrationError {} // OR1xx: a record, record type, user, group or queue
class DefinitionError extends OrchestrationError {} // OR2xx: invalid, unknown or not active
class RunError extends OrchestrationError {} // OR3xx: what a run, a work item or a step asks for
class WorkItemDone extends RunError {} // OR302
class LeaseLost extends RunError {} // OR303
class KeyUsed extends RunError {} // OR309: the idempotency key belongs to another start
class CallError extends OrchestrationError {} // OR4xx: the message begins with the documented code

const CLASSES = {
  OR001: IllegalStatusChange, OR007: RecordLocked, OR302: WorkItemDone, OR303: LeaseLost, OR309: KeyUsed,
  OR0: StatusError, OR1: UnknownReference, OR2: DefinitionError, OR3: RunError, OR4: CallError, OR: OrchestrationError,
};

// the error as an OrchestrationError, or itself if it is not the extension's
function typed(error) {
  const state = typeof error?.code === 'string' && error.code.length === 5 ? error.code : '';
  const Found = [5, 3, 2].map((length) => CLASSES[state.slice(0, length)]).find(Boolean);
  return Found ? new Found(error) : error;
}
function rethrow(error) {
  throw typed(error);
}

module.exports = {
  OrchestrationError, StatusError, IllegalStatusChange, RecordLocked, UnknownReference, DefinitionError, RunError,
  WorkItemDone, LeaseLost, KeyUsed, CallError, typed, rethrow,
};
