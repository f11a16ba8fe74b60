#!/usr/bin/env node
// A worker for asynchronous steps, in Node with pg.
//
//     npm install && node worker.js [TOPIC...]
//
// Connects as libpq's environment says (PGHOST, PGDATABASE, ...).  Claims steps of
// the topics in batches, carries out their actions at the same time, keeps the leases
// alive meanwhile, and sleeps until it is notified, or POLL seconds, when nothing is
// ready.  On SIGTERM or SIGINT it finishes what it has and goes.
'use strict';

const os = require('os');
const { Client } = require('pg');

const POLL = Number(process.env.POLL || 5); // seconds; notifications come before
const LEASE = Number(process.env.LEASE || 60); // seconds; extended three times as often
const BATCH = Number(process.env.BATCH || 10); // steps at a time
const NAME = `${os.hostname()} ${process.pid} (node)`;

// an action returns its outputs, or throws: then the step is tried again, as its
// retry policy has it; an error with final = true is not
const ACTIONS = {
  Example_Double: (inputs) => ({ double: inputs.n * 2 }),
  Example_Slow: async (inputs) => {
    await new Promise((resolve) => setTimeout(resolve, inputs.seconds * 1000));
    return { slept: inputs.seconds };
  },
};

async function carryOut(step) {
  const result = { step_id: step.step_id, lease_id: step.lease_id };
  try {
    if (!ACTIONS[step.action]) throw new Error(`no action ${step.action}`);
    return { ...result, outputs: await ACTIONS[step.action](step.inputs) };
  } catch (error) {
    return { ...result, message: error.message, detail: error.name, retry: !error.final };
  }
}

// the leases are extended until the steps are done
async function carryOutAll(heart, steps) {
  const leases = JSON.stringify(steps.map(({ step_id, lease_id }) => ({ step_id, lease_id })));
  let beat = Promise.resolve();
  const timer = setInterval(() => {
    beat = heart
      .query("SELECT * FROM orchestration.extend_leases($1, $2 * interval '1 second')", [leases, LEASE])
      .then(({ rows }) => rows.filter((row) => !row.held).forEach((row) => console.log(`step ${row.step_id}: ${row.reason}`)))
      .catch((error) => console.error(error.message));
  }, (LEASE * 1000) / 3);
  const results = await Promise.all(steps.map(carryOut));
  clearInterval(timer);
  await beat;
  return results;
}

async function main(topics) {
  let stopping = false;
  let wake = () => {};
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.once(signal, () => {
      stopping = true;
      wake();
    });
  }
  const client = new Client();
  const heart = new Client();
  client.on('notification', () => wake());
  await Promise.all([client.connect(), heart.connect()]);
  console.log(`${NAME} works on ${topics.join(', ')}`);
  let results = [];
  while (!stopping) {
    // a notification may come before the wait begins
    const woken = new Promise((resolve) => (wake = resolve));
    const { rows } = await client.query(
      "SELECT * FROM orchestration.complete_and_claim($1, $2, $3, $4, $5 * interval '1 second')",
      [JSON.stringify(results), NAME, topics, BATCH, LEASE],
    );
    rows.filter((row) => row.accepted === false).forEach((row) => console.log(`step ${row.step_id}: ${row.reason}`));
    const steps = rows.filter((row) => row.accepted === null);
    results = [];
    if (steps.length > 0) {
      results = await carryOutAll(heart, steps);
    } else {
      const { due } = (await client.query('SELECT orchestration.listen_for_steps($1) AS due', [topics])).rows[0];
      const timer = setTimeout(() => wake(), (due === null ? POLL : Math.min(due, POLL)) * 1000);
      await woken;
      clearTimeout(timer);
    }
  }
  await client.query('SELECT orchestration.complete_steps($1)', [JSON.stringify(results.filter((r) => !r.message))]);
  await client.query('SELECT orchestration.fail_steps($1)', [JSON.stringify(results.filter((r) => r.message))]);
  await Promise.all([client.end(), heart.end()]);
  console.log(`${NAME} goes`);
}

main(process.argv.length > 2 ? process.argv.slice(2) : Object.keys(ACTIONS));
