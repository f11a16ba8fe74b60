// driver.js CALLS: the calls of callers.json with node-postgres: each parameter is sent without a type.
const fs = require('fs');
let Client;
try {
  ({ Client } = require('pg'));
} catch (error) {
  console.log(`skip ${error.message.split('\n')[0]}`);
  process.exit(0);
}
const value = (given) => (given !== null && typeof given === 'object' && !Array.isArray(given) && Object.keys(given).length === 1 ? Object.values(given)[0] : given);
(async () => {
  const client = new Client({ host: process.env.PGHOST, port: process.env.PGPORT, database: process.env.PGDATABASE, user: process.env.PGUSER });
  await client.connect();
  const calls = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
  for (let number = 0; number < calls.length; number += 1) {
    const [sql, parameters] = calls[number];
    try {
      // one after another: later calls need what earlier ones deployed
      // eslint-disable-next-line no-await-in-loop
      const { rows } = await client.query({ text: sql, rowMode: 'array' }, parameters.map(value));
      const result = rows[0][0];
      console.log(number, typeof result === 'boolean' ? (result ? 't' : 'f') : result === null ? 'null' : result);
    } catch (error) {
      console.log(number, 'error', error.message.split('\n')[0]);
    }
  }
  await client.end();
})();
