// types.ts: what must compile with the types of examples/node, and what must not.
import { Worker, Step, StepFailed, KeyUsed, OrchestrationError, rethrow, typed, type Action, type Outputs } from './index';

const action: Action = async (step: Step): Promise<Outputs> => {
  const run: string = step.run_id;
  const user: string | null = step.run_as;
  step.signal.throwIfAborted();
  return { run, user, count: await step.transaction(async (client) => (await client.query('SELECT 1')).rowCount) };
};
const nothing: Action = () => {};
const worker = new Worker({ action, nothing }, { topics: ['a'], batch: 2, lease: 1.5, poll: 3, connection: { host: 'x' } });
worker.run({ signals: false }).then(() => worker.stop()).catch(rethrow);
const error = typed(new Error('x'));
if (error instanceof KeyUsed) console.log(error.sqlstate, error.hint ?? '');
if (error instanceof OrchestrationError) console.log(error.detail);
throw new StepFailed('no', { retry: false, detail: 'd' });
// @ts-expect-error outputs are an object
const wrong: Action = () => 1;
// @ts-expect-error there is no such option
new Worker({}, { leese: 1 });
