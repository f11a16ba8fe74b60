#!/usr/bin/env node
// worker.js [TOPIC...]: a worker with three actions.
//
// Connects as libpq's environment says (PGHOST, PGDATABASE, ...).  BATCH: steps at the same time;
// LEASE and POLL: seconds.
'use strict';

const { setTimeout: sleep } = require('timers/promises');
const { Worker, StepFailed } = require('..');

const ACTIONS = {
  Example_Double: ({ inputs }) => {
    if (!('n' in inputs)) throw new StepFailed('n is missing', { retry: false });
    return { double: inputs.n * 2 };
  },
  // ends when the step is not its own any more: the run may be canceled
  Example_Slow: async ({ inputs, signal }) => {
    await sleep(inputs.seconds * 1000, null, { signal });
    return { slept: inputs.seconds };
  },
  // writes exactly once, as the user of run_as: the row and the outcome are committed together
  Example_Record: (step) =>
    step.transaction(async (client) => {
      await client.query('INSERT INTO example_effect (step_id, acted_as) VALUES ($1, orchestration.acting_user_id())', [step.step_id]);
      await sleep((step.inputs.seconds ?? 0) * 1000);
      await step.complete({ recorded: true });
    }),
};

const { env, argv } = process;
const worker = new Worker(ACTIONS, {
  topics: argv.length > 2 ? argv.slice(2) : Object.keys(ACTIONS),
  batch: Number(env.BATCH ?? 10),
  lease: Number(env.LEASE ?? 60),
  poll: Number(env.POLL ?? 30),
});
console.log(`${worker.name} works on ${worker.topics.join(', ')}`);
worker.run().then(
  () => console.log(`${worker.name} goes`),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
