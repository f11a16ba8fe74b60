// errors.js: which class an error of the server becomes, one a line.
'use strict';

const { Client } = require('pg');
const { OrchestrationError, StatusError, RunError, rethrow } = require('.');

(async () => {
  const client = new Client();
  await client.connect();
  const run = (await client.query("SELECT id FROM orchestration.run WHERE status = 'Completed' LIMIT 1")).rows[0].id;
  const bool = (value) => (value ? 'True' : 'False');
  for (const [sql, value] of [['SELECT orchestration.resume_run($1)', run], ['SELECT orchestration.start_orchestration($1)', 'Nowhere'],
    ['SELECT orchestration.query($1)', 'nonsense'], ['SELECT 1 / $1::int', 0]]) {
    try {
      await client.query(sql, [value]).catch(rethrow);
      console.log('nothing');
    } catch (error) {
      if (error instanceof OrchestrationError) console.log(error.name, error.sqlstate, bool(error instanceof StatusError), bool(error instanceof RunError));
      else console.log('psycopg', error.code);
    }
  }
  await client.end();
})();
