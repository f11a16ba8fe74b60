import type { Client, ClientConfig } from 'pg';

/** An action throws it; with retry: false the step is not tried again, whatever its policy says. */
export class StepFailed extends Error {
  constructor(message: string, options?: { detail?: string; retry?: boolean });
  readonly detail?: string;
  readonly retry: boolean;
}

/** A claimed step. */
export class Step {
  readonly run_id: string;
  readonly step_id: string;
  readonly lease_id: string;
  readonly topic: string;
  readonly action: string;
  readonly step_name: string;
  readonly inputs: Record<string, unknown>;
  readonly attempt: number;
  /** id of the user as whom the action is to act */
  readonly run_as: string | null;
  readonly completed: boolean;
  /** transaction() lost the server: the step can be claimed again after its lease */
  readonly abandoned: boolean;
  readonly lease: { step_id: string; lease_id: string };
  /** aborted when the lease is lost: the outcome will be refused */
  readonly signal: AbortSignal;
  /** A transaction on a connection of its own, as the user of run_as if the step has one. */
  transaction<T>(work: (client: Client) => Promise<T>): Promise<T>;
  /** Completes the step in transaction(): its writes happen exactly once. */
  complete(outputs?: Outputs): Promise<void>;
}

export type Outputs = Record<string, unknown>;
/** Returns its outputs, or throws. */
export type Action = (step: Step) => Outputs | void | Promise<Outputs | void>;

export interface WorkerOptions {
  /** as for pg's Client; by default from the environment */
  connection?: ClientConfig;
  /** by default the names of the actions */
  topics?: string[];
  /** steps at the same time */
  batch?: number;
  /** seconds; leases are extended three times as often */
  lease?: number;
  /** seconds after which to look without a notification */
  poll?: number;
  name?: string;
  log?: (message: string) => void;
}

/** Carries out steps of topics until stop(), SIGTERM or SIGINT; a second signal ends it at once. */
export class Worker {
  constructor(actions: Record<string, Action>, options?: WorkerOptions);
  readonly name: string;
  readonly topics: string[];
  /** Rejects with the error of the first connection, and with errors that a new connection does not mend. */
  run(options?: { signals?: boolean }): Promise<void>;
  /** Claims no more; run() resolves when the claimed steps are done and reported. */
  stop(): void;
}

/** An error of the extension: SQLSTATE ORnnn. */
export class OrchestrationError extends Error {
  constructor(error: Error & { code?: string; detail?: string; hint?: string });
  readonly sqlstate: string;
  readonly detail?: string;
  readonly hint?: string;
}
/** OR0xx: the statuses do not allow it. */
export class StatusError extends OrchestrationError {}
/** OR001: a status cannot follow the one before. */
export class IllegalStatusChange extends StatusError {}
/** OR007: a run keeps the record locked. */
export class RecordLocked extends StatusError {}
/** OR1xx: a record, record type, user, group or queue does not exist. */
export class UnknownReference extends OrchestrationError {}
/** OR2xx: a definition is invalid, unknown or not active. */
export class DefinitionError extends OrchestrationError {}
/** OR3xx: what a run, a work item or a step asks for is not possible. */
export class RunError extends OrchestrationError {}
/** OR302: the work item is completed. */
export class WorkItemDone extends RunError {}
/** OR303: the worker does not hold the step any more. */
export class LeaseLost extends RunError {}
/** OR309: the idempotency key belongs to another start. */
export class KeyUsed extends RunError {}
/** OR4xx: a documented call refuses; the message begins with the documented code. */
export class CallError extends OrchestrationError {}

/** The error as an OrchestrationError, or itself if it is not the extension's. */
export function typed(error: unknown): unknown;
/** For catch(): throws typed(error). */
export function rethrow(error: unknown): never;
