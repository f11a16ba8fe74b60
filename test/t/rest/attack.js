// attack.js URL PID: what examples/rest/gateway.js answers to requests that no well-meaning client
// makes, for 016_rest.pl.  Prints a line of TAP for each test.  libpq's environment leads to the
// gateway's database, as a superuser.  The last test ends the gateway with this PID.
'use strict';

const assert = require('assert');
const http = require('http');
const net = require('net');
const { Client } = require('pg');

const [url, pid] = process.argv.slice(2);
const { hostname: host, port } = new URL(url);
const DATA = '/services/data/v60.0';
const RUN = `${DATA}/sobjects/FlowOrchestrationInstance`;
const NOBODY = '01a1fcc1-ef46-7bd9-8132-aead880d2434';
const JSON_TYPE = { 'content-type': 'application/json' };
const admin = new Client();
const tests = [];
const test = (name, body) => tests.push([name, body]);

// a request with the path as it is; resolves to {status, headers, text, body}
const send = (method, path, { headers = {}, body, token = 'ann-token', agent } = {}) => new Promise((resolve, reject) => {
  const request = http.request({ host, port, method, path, agent, headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers } }, (response) => {
    let text = '';
    response.on('data', (data) => (text += data)).on('error', reject)
      .on('end', () => resolve({ status: response.statusCode, headers: response.headers, text, body: text && JSON.parse(text) }));
  });
  request.on('error', reject);
  request.end(body);
});
// no answer has a word of SQL or of the server's
const LEAK = /orchestration\.|SELECT orch|pg_|syntax error|relation|function|at character|node_modules|gateway\.js|stack/i;
const expect = async (status, code, method, path, options) => {
  const { body, text, headers } = await send(method, path, options);
  assert.deepStrictEqual([body.length, body[0].errorCode, Object.keys(body[0])], [1, code, ['message', 'errorCode', 'fields']], text);
  assert.strictEqual((await send(method, path, options)).status, status, text);
  assert.doesNotMatch(text, LEAK);
  assert.match(headers['content-type'], /^application\/json/);
};
const quote = encodeURIComponent;
const terminate = () => admin.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'web' AND datname = current_database()");
// a busy machine may need a while
const until = async (check) => {
  for (const end = Date.now() + 60e3; ;) {
    try { return await check(); } catch (error) { if (Date.now() > end) throw error; }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const count = async () => (await send('GET', `${DATA}/query?q=${quote('SELECT COUNT() FROM FlowOrchestrationInstance')}`)).body.totalSize;

for (const path of ['/', '/services', '/services/data/', '/services/data/v60.0/nonsense', '/services/data/v60', '/services/data/60.0/limits', '/services/data/v60.0/query/a/b',
  '/services/data/v60.0/sobjects/A/b/c/d', '/services/data/v60.0//limits', '/services/data/v60.0/../v60.0/limits', '//services/data/v60.0/limits', '/services/data/v60.0/Limits',
  '/services/data/%76%36%30.0/limits', `${RUN}/%`, `${RUN}/%zz`, `${RUN}/%c3%28`, `${RUN}/%ff`, `${RUN}/${NOBODY}/`, '/services/data/v60.0/__proto__', '/constructor',
  `${DATA}/sobjects/__proto__/describe`, `${DATA}/sobjects/constructor/describe`, `${DATA}/sobjects/%00/describe`.replace('%00', 'x%20y'), `${DATA}/sobjects/${quote("x'; DROP TABLE y; --")}/describe`]) {
  if (path === '/services/data/') test(`GET ${path} is the list of versions`, async () => assert.strictEqual((await send('GET', path)).body.at(-1).version, '67.0'));
  else if (path.includes('%76')) test(`GET ${path}`, () => expect(404, 'NOT_FOUND', 'GET', path));
  else test(`GET ${path}: NOT_FOUND`, () => expect(404, 'NOT_FOUND', 'GET', path));
}
for (const version of ['v999.0', 'v20.0', 'v68.0', 'v60.1', 'v60.0.0', 'v-1.0', 'v6e1', 'v060.0', 'v', 'V60.0', 'vNaN', 'v%36%30.0x', "v60.0'--"]) {
  test(`version ${version}: NOT_FOUND`, () => expect(404, 'NOT_FOUND', 'GET', `/services/data/${version}/limits`));
}
for (const [method, path] of [['POST', `${DATA}/query`], ['PUT', `${RUN}/${NOBODY}`], ['DELETE', RUN], ['OPTIONS', DATA], ['PATCH', `${RUN}/describe`], ['DELETE', `${DATA}/sobjects`], ['GET', `${RUN}/Id/x`]]) {
  test(`${method} ${path}: METHOD_NOT_ALLOWED`, () => expect(405, 'METHOD_NOT_ALLOWED', method, path));
}
for (const method of ['constructor', 'toString', '__proto__']) {
  test(`the method ${method} is none`, () => new Promise((resolve, reject) => {
    const socket = net.connect(port, host, () => socket.end(`${method} ${DATA} HTTP/1.1\r\nHost: x\r\n\r\n`));
    socket.on('data', (data) => (/^HTTP\/1.1 4/.test(data) ? resolve() : reject(new Error(data)))).on('error', reject);
  }));
}
for (const token of [null, '', 'x', 'x y', '__proto__', 'constructor', "' OR 1=1 --", 'ann-token ', 'a'.repeat(10000)]) {
  test(`the token ${String(token).slice(0, 20)}: INVALID_SESSION_ID`, () =>
    (token === 'ann-token ' ? assert.doesNotReject(send('GET', DATA, { token })) : expect(401, 'INVALID_SESSION_ID', 'GET', `${DATA}/limits`, { token })));
}
test('other schemes of authorization', () => expect(401, 'INVALID_SESSION_ID', 'GET', `${DATA}/limits`, { token: null, headers: { authorization: 'Basic YW5uLXRva2Vu' } }));
test('a user id is no token', async () => expect(401, 'INVALID_SESSION_ID', 'GET', `${DATA}/limits`, { token: (await send('GET', '/services/oauth2/userinfo')).body.user_id }));
test('a token in the URL is none', () => expect(401, 'INVALID_SESSION_ID', 'GET', `${DATA}/limits?oauth_token=ann-token&access_token=ann-token`, { token: null }));

test('the newest version is that of the database', async () => {
  const { rows: [{ url: newest }] } = await admin.query("SELECT orchestration.describe_global()->'sobjects'->0->'urls'->>'sobject' AS url");
  assert.ok(newest.startsWith(`${(await send('GET', '/services/data')).body.at(-1).url}/`), newest);
});

// ---- injection
const EVIL = ["'", "''", "x'; DROP TABLE y; --", "' OR '1'='1", '$1', '$$', '\\', "\\'; SELECT 1; --", '"', '/*', '%', "x') UNION SELECT y FROM z --", '\u0000', '\ud800', '{}', '{a,b}', 'NULL', '🐎'];
for (const evil of EVIL) {
  const safe = evil === '\ud800' ? '%ed%a0%80' : quote(evil);
  const harmless = async (method, path, options) => {
    const { status, text } = await send(method, path, options);
    assert.ok(status >= 200 && status < 500, `${method} ${path}: ${status} ${text}`);
    assert.doesNotMatch(text.replaceAll(JSON.stringify(evil).slice(1, -1), ''), LEAK, `${method} ${path}: ${text}`);
  };
  test(`${JSON.stringify(evil)} in each place of the path and of the search`, async () => {
    for (const path of [`/sobjects/${safe}`, `/sobjects/${safe}/describe`, `/sobjects/${safe}/${safe}`, `/sobjects/FlowOrchestrationInstance/${safe}`, `/query/${safe}`, `/query?q=${safe}`, `/queryAll?q=${safe}`,
      `/query?q=${quote("SELECT Id FROM FlowOrchestrationInstance WHERE Name = '")}${safe}${quote("'")}`, `/query?q=${quote('SELECT ')}${safe}${quote(' FROM User')}`, `/query?q=SELECT+Id+FROM+${safe}`,
      `/sobjects/User/${NOBODY}?fields=${safe}`, `/sobjects/FlowOrchestrationInstance/updated?start=${safe}&end=${safe}`, `/sobjects/FlowOrchestrationInstance/deleted?start=2026-01-01T00:00:00Z&end=${safe}`,
      `/sobjects/FlowOrchestrationInstance/describe/layouts/${safe}`, `/sobjects/FlowOrchestrationInstance/describe/namedLayouts/${safe}`, `/composite/sobjects/User?ids=${safe}&fields=${safe}`, `/composite/sobjects/${safe}?ids=${safe}&fields=Id`]) {
      await harmless('GET', DATA + path);
    }
    for (const path of [`/sobjects/FlowOrchestrationInstance/${safe}`, `/sobjects/${safe}/${safe}`, `/composite/sobjects?ids=${safe}`, `/composite/sobjects?ids=${NOBODY}&allOrNone=${safe}`]) await harmless('DELETE', DATA + path);
  });
  test(`${JSON.stringify(evil)} in each place of the body`, async () => {
    const options = (body) => ({ headers: JSON_TYPE, body: JSON.stringify(body) });
    for (const path of [`/sobjects/FlowOrchestrationInstance/${NOBODY}`, `/sobjects/FlowOrchestrationInstanceShare/${safe}/x`, `/sobjects/FlowOrchestrationInstanceShare/Id/${safe}`]) await harmless('PATCH', DATA + path, options({ [evil]: evil, Status: evil }));
    await harmless('POST', `${DATA}/sobjects/FlowOrchestrationInstanceShare`, options({ ParentId: evil, UserOrGroupId: evil, AccessLevel: evil }));
    for (const method of ['POST', 'PATCH']) {
      await harmless(method, `${DATA}/composite/sobjects`, options({ records: [{ attributes: { type: evil }, Id: evil, [evil]: evil }] }));
      await harmless(method, `${DATA}/composite/sobjects`, options({ allOrNone: evil, records: [{ attributes: { type: 'User' }, Id: evil }] }));
    }
    await harmless('PATCH', `${DATA}/composite/sobjects/User/${safe}`, options({ records: [{ [evil]: evil }] }));
    await harmless('POST', `${DATA}/composite/sobjects/User`, options({ ids: [evil], fields: [evil] }));
    await harmless('POST', `${DATA}/composite/sobjects/${safe}`, options({ ids: [evil], fields: ['Id'] }));
  });
  if (!/[^\t -~]/.test(evil)) {
    test(`${JSON.stringify(evil)} in each header`, async () => {
      for (const name of ['sforce-query-options', 'sforce-call-options', 'accept', 'authorization', 'host', 'x-forwarded-for', 'orchestration.user_id']) await harmless('GET', `${DATA}`, { headers: { [name]: evil } });
      await harmless('GET', `${DATA}/query?q=SELECT+Id+FROM+User`, { headers: { 'Sforce-Query-Options': `batchSize=${evil}` } });
    });
  }
}
test('after all that the records are there', async () => assert.strictEqual(await count(), 650));
test('a batch size of 99 digits', () => expect(400, 'INVALID_BATCH_SIZE', 'GET', `${DATA}/query?q=SELECT+Id+FROM+User`, { headers: { 'Sforce-Query-Options': `batchSize=${'9'.repeat(99)}` } }));

// ---- bodies
for (const [name, body] of [['nothing', ''], ['half of JSON', '{"Status": '], ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])], ['deep nesting', '['.repeat(1e6)],
  ['a deep value', `{"Status": ${'['.repeat(1e5)}${']'.repeat(1e5)}}`], ['a zero byte', '{"Status": "\\u0000"}'], ['half of a surrogate pair', '{"Status": "\\ud800"}']]) {
  test(`a body of ${name}: JSON_PARSER_ERROR`, () => expect(400, 'JSON_PARSER_ERROR', 'PATCH', `${RUN}/${NOBODY}`, { headers: JSON_TYPE, body }));
}
for (const body of ['null', '1', '"x"', '[]', '[1]', 'true', '{}', '{"records": 1}', '{"records": {}}', '{"records": null}', '{"records": [null]}', '{"records": [1, "x", []]}', '{"ids": 1}', '{"ids": {}, "fields": {}}',
  '{"ids": [[["x"]]], "fields": ["Id"]}', '{"ids": [null], "fields": [null]}', '{"records": [], "allOrNone": {}}', '{"records": [], "allOrNone": 7}', '{"__proto__": {"records": []}}']) {
  test(`the body ${body} is refused or without effect`, async () => {
    for (const [method, path] of [['POST', RUN], ['PATCH', `${RUN}/${NOBODY}`], ['POST', `${DATA}/composite/sobjects`], ['PATCH', `${DATA}/composite/sobjects`], ['POST', `${DATA}/composite/sobjects/User`], ['PATCH', `${DATA}/composite/sobjects/User/Id`]]) {
      const { status, text } = await send(method, path, { headers: JSON_TYPE, body });
      assert.ok(status < 500, `${method} ${path}: ${status} ${text}`);
      assert.doesNotMatch(text, LEAK);
    }
  });
}
test('a huge body: REQUEST_SIZE_EXCEEDED', async () => {
  await expect(413, 'REQUEST_SIZE_EXCEEDED', 'PATCH', `${RUN}/${NOBODY}`, { headers: JSON_TYPE, body: `{"Status": "${'x'.repeat(20 << 20)}"}` });
});
test('a body without a length', () => new Promise((resolve, reject) => {
  const request = http.request({ host, port, method: 'PATCH', path: `${RUN}/${NOBODY}`, headers: { ...JSON_TYPE, authorization: 'Bearer ann-token', 'transfer-encoding': 'chunked' } },
    (response) => (response.statusCode === 404 ? resolve(response.resume()) : reject(new Error(response.statusCode))));
  request.on('error', reject);
  request.write('{"Status":');
  setTimeout(() => request.end('"Suspended"}'), 50);
}));
test('a body that breaks off', async () => {
  await new Promise((resolve) => {
    const socket = net.connect(port, host, () => {
      socket.write(`PATCH ${RUN}/${NOBODY} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ann-token\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"Status"`, () => setTimeout(() => resolve(socket.destroy()), 50));
    });
  });
  assert.strictEqual(await count(), 650);
});
test('a huge head is refused', async () => assert.strictEqual((await new Promise((resolve, reject) => http.get({ host, port, path: `/${'x'.repeat(1 << 17)}` }, (r) => resolve(r.resume())).on('error', reject))).statusCode, 431));
test('a query of 40,000 characters', async () => {
  const soql = `SELECT Id FROM FlowOrchestrationInstance WHERE Name IN (${Array.from({ length: 4000 }, (_, i) => `'A-${i}'`)})`;
  assert.strictEqual((await send('GET', `${DATA}/query?q=${soql.replaceAll(' ', '+').replaceAll("'", '%27')}`)).body.totalSize, 551);
});
for (const type of ['text/plain', 'application/xml', 'application/jsonx', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded']) {
  test(`Content-Type ${type}: UNSUPPORTED_MEDIA_TYPE`, () => expect(415, 'UNSUPPORTED_MEDIA_TYPE', 'PATCH', `${RUN}/${NOBODY}`, { headers: { 'content-type': type }, body: '{}' }));
}
test('no Content-Type: UNSUPPORTED_MEDIA_TYPE', () => expect(415, 'UNSUPPORTED_MEDIA_TYPE', 'POST', RUN, { body: '{}' }));
test('Accept: application/xml: NOT_ACCEPTABLE', () => expect(406, 'NOT_ACCEPTABLE', 'GET', `${DATA}/limits`, { headers: { accept: 'application/xml' } }));
for (const accept of ['*/*', 'application/json', 'text/html, application/*;q=0.8', 'application/json; charset=utf-8']) {
  test(`Accept: ${accept}`, async () => assert.strictEqual((await send('GET', `${DATA}/limits`, { headers: { accept } })).status, 200));
}
test('a missing argument', () => expect(400, 'MISSING_ARGUMENT', 'GET', `${RUN}/updated`));
test('a query that is missing', () => expect(400, 'MALFORMED_QUERY', 'GET', `${DATA}/query`));
test('an id in the body beside that in the path', () => expect(400, 'INVALID_FIELD', 'PATCH', `${RUN}/${NOBODY}`, { headers: JSON_TYPE, body: '{"id": "x", "Status": "Suspended"}' }));
test('statuses of writes', async () => {
  const { body: { records: [run] } } = await send('GET', `${DATA}/query?q=${quote("SELECT Id FROM FlowOrchestrationInstance WHERE Name = 'A-100'")}`);
  const { body: { user_id: UserOrGroupId } } = await send('GET', '/services/oauth2/userinfo', { token: 'bea-token' });
  assert.deepStrictEqual(await send('PATCH', `${RUN}/${run.Id}`, { headers: JSON_TYPE, body: '{"Status": "Suspended"}' }).then(({ status, text }) => [status, text]), [204, '']);
  const created = await send('POST', `${DATA}/sobjects/FlowOrchestrationInstanceShare`, { headers: JSON_TYPE, body: JSON.stringify({ ParentId: run.Id, UserOrGroupId, AccessLevel: 'Read' }) });
  assert.deepStrictEqual([created.status, Object.keys(created.body).sort()], [201, ['errors', 'id', 'success']]);
  const changed = await send('PATCH', `${DATA}/sobjects/FlowOrchestrationInstanceShare/Id/${created.body.id}`, { headers: JSON_TYPE, body: '{"AccessLevel": "Edit"}' });
  assert.deepStrictEqual([changed.status, changed.body.created], [200, false]);
  assert.strictEqual((await send('DELETE', `${DATA}/sobjects/FlowOrchestrationInstanceShare/${created.body.id}`)).status, 204);
  assert.strictEqual((await send('DELETE', `${DATA}/sobjects/FlowOrchestrationInstanceShare/${created.body.id}`)).status, 404);
});
test('a collection without allOrNone keeps what succeeds', async () => {
  const { body: { records } } = await send('GET', `${DATA}/query?q=${quote("SELECT Id FROM FlowOrchestrationInstance WHERE Name = 'A-101'")}`);
  const body = JSON.stringify({ records: [{ attributes: records[0].attributes, id: records[0].Id, Status: 'Suspended' }, { attributes: records[0].attributes, id: NOBODY, Status: 'Suspended' }] });
  assert.deepStrictEqual((await send('PATCH', `${DATA}/composite/sobjects`, { headers: JSON_TYPE, body })).body.map((result) => result.success), [true, false]);
});

// ---- many at a time, and trouble behind the gateway
test('50 requests at a time, of two users', async () => {
  const soql = quote('SELECT Owner.Name FROM FlowOrchestrationInstance LIMIT 1');
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => send('GET', `${DATA}/query?q=${soql}`, { token: i % 2 ? 'ann-token' : 'bea-token' })));
  answers.forEach(({ body }, i) => assert.strictEqual(body.records[0].Owner.Name, i % 2 ? 'Ann' : 'Bea'));
});
test('no connection keeps a user or a transaction', async () => {
  const { rows } = await admin.query("SELECT DISTINCT state FROM pg_stat_activity WHERE usename = 'web'");
  assert.deepStrictEqual(rows, [{ state: 'idle' }]);
});
test('an error of the server is told without its text', async () => {
  await admin.query('ALTER FUNCTION orchestration.query_more(text) RENAME TO query_more_away');
  await expect(500, 'UNKNOWN_EXCEPTION', 'GET', `${DATA}/query/x`).finally(() => admin.query('ALTER FUNCTION orchestration.query_more_away(text) RENAME TO query_more'));
  await expect(400, 'INVALID_QUERY_LOCATOR', 'GET', `${DATA}/query/x`);
});
test('a record that is locked', async () => {
  await admin.query("ALTER ROLE web SET lock_timeout = '100ms'");
  await terminate();
  const { body: { records: [{ Id }] } } = await send('GET', `${DATA}/query?q=${quote("SELECT Id FROM FlowOrchestrationInstance WHERE Name = 'A-102'")}`);
  await admin.query('BEGIN');
  await admin.query('SELECT 1 FROM orchestration.run WHERE id = $1 FOR UPDATE', [Id]);
  try {
    const { status, body } = await send('PATCH', `${RUN}/${Id}`, { headers: JSON_TYPE, body: '{"Status": "Suspended"}' });
    assert.deepStrictEqual([status, body[0].errorCode], [400, 'UNABLE_TO_LOCK_ROW']);
  } finally {
    await admin.query('ROLLBACK');
    await admin.query('ALTER ROLE web RESET lock_timeout');
    await terminate();
  }
});
test('a missing privilege', async () => {
  await admin.query('REVOKE EXECUTE ON FUNCTION orchestration.describe_global(numeric) FROM PUBLIC');
  await expect(403, 'INSUFFICIENT_ACCESS', 'GET', `${DATA}/sobjects`).finally(() => admin.query('GRANT EXECUTE ON FUNCTION orchestration.describe_global(numeric) TO PUBLIC'));
});
test('connections that are lost while they are in use', async () => {
  const answers = Promise.all(Array.from({ length: 30 }, () => send('GET', `${DATA}/query?q=${quote('SELECT Id, Name, Owner.Name, CreatedBy.Name FROM FlowOrchestrationInstance')}`)));
  for (let i = 0; i < 10; i++) await terminate();
  for (const { status, text } of await answers) {
    assert.ok(status === 200 || status === 503, `${status} ${text.slice(0, 200)}`);
    assert.doesNotMatch(text, LEAK);
  }
});
test('lost connections are made again', async () => {
  await terminate();
  await until(async () => assert.strictEqual(await count(), 650));
});
test('no database: SERVER_UNAVAILABLE, until it is back', async () => {
  await admin.query('ALTER ROLE web NOLOGIN');
  await terminate();
  await until(() => expect(503, 'SERVER_UNAVAILABLE', 'GET', `${DATA}/limits`)).finally(() => admin.query('ALTER ROLE web LOGIN'));
  await until(async () => assert.strictEqual(await count(), 650));
});
test('SIGTERM: requests that are there are answered, others are not accepted', async () => {
  const path = `${DATA}/query?q=${quote('SELECT Id, Name, Owner.Name, CreatedBy.Name FROM FlowOrchestrationInstance')}`;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
  const all = () => Array.from({ length: 20 }, () => send('GET', path, { agent }));
  // connections that are accepted; then requests on them, which the gateway has read when it answers a later one
  await Promise.all(all());
  const answers = all();
  for (let i = 0; i < 2; i++) await send('GET', '/nonsense');
  process.kill(pid, 'SIGTERM');
  assert.deepStrictEqual((await Promise.all(answers)).map(({ status }) => status), Array(20).fill(200));
  await until(() => assert.rejects(send('GET', path), /ECONNREFUSED/));
  agent.destroy();
});

(async () => {
  await admin.connect();
  for (const [name, body] of tests) {
    const plain = name.replace(/#/g, '\\#');
    try {
      await body();
      console.log(`ok - ${plain}`);
    } catch (error) {
      console.log(`not ok - ${plain}\n${String(error.stack).replace(/^/gm, '# ')}`);
    }
  }
  await admin.end();
  console.log(`1..${tests.length}`);
})();
