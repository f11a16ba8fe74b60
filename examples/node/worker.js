// The loop of a worker: claims steps, carries them out, reports their outcomes.
//
// One connection reports and claims in the same call, and is notified; another one extends the
// leases.  If a connection is lost, outcomes are kept and reported on the next one.
'use strict';

const os = require('os');
const { Client } = require('pg');
const { rethrow } = require('./errors');

const CLAIM = "SELECT * FROM orchestration.complete_and_claim($1::jsonb, $2, $3, $4, $5 * interval '1 second')";
const EXTEND = "SELECT step_id, held, reason FROM orchestration.extend_leases($1::jsonb, $2 * interval '1 second')";
const LISTEN = 'SELECT extract(epoch FROM max_wait)::float8 AS seconds FROM orchestration.listen_for_steps($1, $2) LIMIT 1';
const COMPLETE = 'SELECT accepted, reason FROM orchestration.complete_steps($1::jsonb)';
const ACT_AS = "SELECT set_config('orchestration.user_id', $1, true)";
// another connection may do: a SQLSTATE of connection, conflict, resources or operator, or an error of the socket
const LOST = /^(08|40|53|57|58|55P03)|^E[A-Z]+$/;
const GONE = /^(08|57P)/;
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const isLost = (error) => (error.code ? LOST.test(error.code) : Object.getPrototypeOf(error) === Error.prototype);

// An action throws it; with retry: false the step is not tried again, whatever its policy says.
class StepFailed extends Error {
  constructor(message, { detail, retry = true } = {}) {
    super(message);
    this.name = 'StepFailed';
    Object.assign(this, { detail, retry });
  }
}

// A claimed step.  signal is aborted when the lease is lost: the outcome will be refused.
class Step {
  #abort = new AbortController();
  #connection;
  #client = null;

  constructor(row, connection) {
    for (const name of ['run_id', 'step_id', 'lease_id', 'topic', 'action', 'step_name', 'inputs', 'attempt', 'run_as']) this[name] = row[name];
    this.completed = false;
    this.abandoned = false;
    this.#connection = connection;
  }

  get lease() {
    return { step_id: this.step_id, lease_id: this.lease_id };
  }

  get signal() {
    return this.#abort.signal;
  }

  lose(reason) {
    this.#abort.abort(new StepFailed(reason));
  }

  // A transaction on a connection of its own, as the user of run_as if the step has one.  For that
  // the role of the worker needs SET on the parameter orchestration.user_id.  If the connection is
  // lost, nothing is reported: after its lease the step can be claimed again.
  async transaction(work) {
    const client = new Client({ connectionTimeoutMillis: 10e3, ...this.#connection });
    let connected = false;
    client.on('error', () => (connected = false));
    try {
      await client.connect();
      connected = true;
      await client.query('BEGIN');
      if (this.run_as !== null) await client.query(ACT_AS, [this.run_as]);
      this.#client = client;
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      this.completed = false; // rolled back, or nobody knows: then another report is refused
      this.abandoned = !connected || GONE.test(error?.code);
      throw error;
    } finally {
      this.#client = null;
      client.end().catch(() => {});
    }
  }

  // Completes the step in transaction(): its writes happen exactly once.
  async complete(outputs) {
    if (!this.#client) throw new Error('complete() belongs into transaction()');
    const { rows } = await this.#client.query(COMPLETE, [`[${outcomeOf(this, outputs)}]`]).catch(rethrow);
    if (!rows[0]?.accepted) throw new StepFailed(`the outcome is refused: ${rows[0]?.reason}`);
    this.completed = true;
  }
}

// the outcome as JSON; throws what cannot be stored, so that it fails this step only
function outcomeOf(step, outputs = {}) {
  if (outputs === null || typeof outputs !== 'object' || Array.isArray(outputs)) throw new TypeError('an action returns an object or nothing');
  const text = JSON.stringify({ ...step.lease, outputs });
  // jsonb has no NUL, and no half of a surrogate pair
  if (/(?<!\\)(?:\\\\)*\\u(0000|d[89a-f])/.test(text)) throw new TypeError('an output has a character that jsonb cannot store');
  return text;
}
function failureOf(step, error) {
  const plain = (value) => String(value).replace(/\0/g, '').toWellFormed?.() ?? String(value).replace(/[\0\ud800-\udfff]/g, '');
  const { message, detail, name, retry = true } = error instanceof Error ? error : { message: error };
  return JSON.stringify({ ...step.lease, message: plain(message || name || 'failed'), detail: plain(detail ?? name ?? ''), retry: retry !== false });
}

// Carries out steps of topics until stop(), SIGTERM or SIGINT; a second signal ends it at once.
class Worker {
  #stopping = false;
  #notified = false;
  #running = new Map(); // steps by id
  #outcomes = []; // that no answer of the server has acknowledged
  #poke = () => {};

  constructor(actions, { connection = {}, topics = Object.keys(actions), batch = 10, lease = 60, poll = 30, name, log = console.error } = {}) {
    Object.assign(this, { actions, connection, topics, batch, lease, poll, log });
    this.name = name ?? `${os.hostname()} ${process.pid} (node)`;
  }

  // Claims no more; run() resolves when the claimed steps are done and reported.
  stop() {
    this.#stopping = true;
    this.#poke();
  }

  // Rejects with the error of the first connection, and with errors that a new connection does not mend.
  async run({ signals = true } = {}) {
    let client = await this.#connect();
    const onSignal = () => this.stop();
    if (signals) for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, onSignal);
    const heart = this.#beat();
    let pause = 100;
    let giveUp = Infinity;
    try {
      for (;;) {
        try {
          client ??= await this.#connect();
          if (await this.#turn(client)) return;
          pause = 100;
        } catch (error) {
          if (!isLost(error)) throw error;
          this.log(`${error.message}; connecting again`);
          client?.end().catch(() => {});
          client = null;
          if (this.#stopping) {
            giveUp = Math.min(giveUp, Date.now() + this.lease * 1000); // after a lease nobody would take the outcomes
            if (Date.now() > giveUp) throw error;
          }
          await sleep(pause);
          pause = Math.min(pause * 2, 5000);
        }
      }
    } finally {
      heart.end();
      client?.end().catch(() => {});
      for (const signal of ['SIGTERM', 'SIGINT']) process.removeListener(signal, onSignal);
    }
  }

  // Reports and claims, then waits; true: stopped, and everything is reported.
  async #turn(client) {
    this.#notified = false;
    const woken = new Promise((resolve) => (this.#poke = resolve));
    const stopping = this.#stopping;
    const outcomes = [...this.#outcomes];
    let free = this.batch - this.#running.size;
    let seconds = null;
    if (outcomes.length > 0 || (free > 0 && !stopping)) {
      // no topics: nothing is claimed
      const values = [`[${outcomes}]`, this.name, stopping ? [] : this.topics, free, this.lease];
      const { rows } = await client.query(CLAIM, values);
      this.#outcomes.splice(0, outcomes.length);
      for (const row of rows) {
        if (row.accepted === null) {
          free -= 1;
          this.#carryOut(new Step(row, this.connection));
        } else if (row.reason !== null) this.log(`step ${row.step_id}: ${row.reason}`);
      }
    }
    if (stopping) {
      if (this.#running.size === 0 && this.#outcomes.length === 0) return true;
    } else if (free > 0) {
      ({ seconds } = (await client.query(LISTEN, [this.topics, client.processID])).rows[0]);
      seconds = Math.min(seconds ?? this.poll, this.poll);
    }
    // until a notification, an outcome, stop(), the loss of the connection or the end of the time
    if (!this.#notified && this.#outcomes.length === 0) {
      const timer = seconds === null ? null : setTimeout(() => this.#poke(), seconds * 1000);
      await woken;
      clearTimeout(timer);
    }
    if (client.lost) throw client.lost;
    return false;
  }

  async #carryOut(step) {
    this.#running.set(step.step_id, step);
    let outcome;
    try {
      await null; // the action's code runs after all are claimed
      if (!Object.hasOwn(this.actions, step.action)) throw new StepFailed(`no action ${step.action}`);
      const outputs = await this.actions[step.action](step);
      outcome = step.completed ? null : outcomeOf(step, outputs);
    } catch (error) {
      outcome = step.completed || step.abandoned ? null : failureOf(step, error);
    }
    this.#running.delete(step.step_id);
    if (outcome !== null) this.#outcomes.push(outcome);
    this.#poke();
  }

  // extends the leases of the running steps
  #beat() {
    let client = null;
    let beating = Promise.resolve();
    const beat = async () => {
      if (this.#running.size === 0) return;
      try {
        client ??= await this.#connect();
        const leases = JSON.stringify([...this.#running.values()].map((step) => step.lease));
        for (const row of (await client.query(EXTEND, [leases, this.lease])).rows) {
          if (row.held) continue;
          this.log(`step ${row.step_id}: ${row.reason}`);
          this.#running.get(row.step_id)?.lose(row.reason);
        }
      } catch (error) {
        this.log(`the leases are not extended: ${error.message}`);
        client?.end().catch(() => {});
        client = null;
      }
    };
    const timer = setInterval(() => (beating = beating.then(beat)), (this.lease * 1000) / 3);
    return {
      end: () => {
        clearInterval(timer);
        beating.then(() => client?.end()).catch(() => {});
      },
    };
  }

  async #connect() {
    const client = new Client({ connectionTimeoutMillis: 10e3, ...this.connection });
    client.on('notification', () => {
      this.#notified = true;
      this.#poke();
    });
    const lose = (error) => {
      client.lost = error ?? Object.assign(new Error('the connection is lost'), { code: '08006' });
      this.#poke();
    };
    client.on('error', lose).on('end', lose);
    await client.connect();
    return client;
  }
}

module.exports = { Worker, Step, StepFailed };
