#!/usr/bin/env node
// A REST gateway before the documented calls: HTTP and JSON here, everything else in the database.
//
//     npm install && node gateway.js --tokens FILE [--host 127.0.0.1] [--port 8080] [--cert FILE --key FILE]
//
// Connects as libpq's environment says (PGHOST, PGUSER, ...), with one role whose only right is SET on
// orchestration.user_id.  A bearer token stands for a user; each request is one transaction as that user.
// The database decides what a request sees and changes.  SIGHUP reads the tokens again.  On SIGTERM or
// SIGINT the gateway answers the requests that it has, and ends.
'use strict';

const { createHash } = require('crypto');
const fs = require('fs');
const { parseArgs } = require('util');
const { Pool } = require('pg');

const DATA = '/services/data';
const [OLDEST, NEWEST] = [31, 67]; // API versions
const ORGANIZATION = '00D000000000000EAA'; // clients expect one
const MAX_BODY = 4 << 20; // bytes
const MAX_HEAD = 64 << 10; // bytes; a query, or 200 ids, comes in the URL

// All SQL.  The names of functions are those in this file; what a request says is a parameter, always.
const ACT = "SELECT orchestration_internal.is_user() FROM set_config('orchestration.user_id', $1, true)";
const ME = 'SELECT id, username, name, is_active FROM orchestration."user" WHERE id = orchestration.acting_user_id()';
const CALL = (name, values) => `SELECT orchestration.${name}(${values.map((_, i) => `$${i + 1}`)}) AS result`;

const refusal = (status, errorCode, message, errors = [{ message, errorCode, fields: [] }]) =>
  Object.assign(new Error(message), { status, errors });
// What other errors become, by SQLSTATE or name.  Their texts go to the log only.
const REFUSALS = [
  [/^22004/, 400, 'MISSING_ARGUMENT', 'A value is missing in the request'],
  [/^(22|54|(Syntax|Range)Error$|ERR_ENCODING)/, 400, 'JSON_PARSER_ERROR', 'A value in the request is malformed'],
  [/^42501/, 403, 'INSUFFICIENT_ACCESS', 'Insufficient access rights'],
  [/^57014/, 400, 'QUERY_TIMEOUT', 'The request was running for too long'],
  [/^(40|55P03)/, 400, 'UNABLE_TO_LOCK_ROW', 'Another request changes the record'],
  [/^(08|53|57P|E[A-Z]+$|Error$)/, 503, 'SERVER_UNAVAILABLE', 'The database does not answer'],
  [/^(NOT_FOUND|URIError)$/, 404, 'NOT_FOUND', 'The requested resource does not exist'],
  [/(?:)/, 500, 'UNKNOWN_EXCEPTION', 'An unexpected error occurred'],
];
const refusalOf = (state) => refusal(...REFUSALS.find(([pattern]) => pattern.test(state)).slice(1));
const notFound = () => refusalOf('NOT_FOUND');
// An error of a call has a SQLSTATE OR4xx, and the documented code before the first colon.
function toRefusal(error) {
  const [, code, message] = (/^OR4/.test(error.code) && /^(\w+): ([^]*)$/.exec(error.message)) || [];
  return code ? refusal(400, code, message) : error.status ? error : refusalOf(error.code ?? error.name);
}
// The errors of the only record of a call become those of the request.
function only([{ success, errors, ...result }]) {
  if (success) return { ...result, success, errors };
  const [{ statusCode: code, message, fields }] = errors;
  if (code === 'INVALID_TYPE' || (code === 'INVALID_CROSS_REFERENCE_KEY' && fields[0] === 'Id')) throw notFound();
  const status = code === 'ENTITY_IS_DELETED' ? 404 : /^INSUFFICIENT_ACCESS/.test(code) ? 403 : 400;
  throw refusal(status, code, message, errors.map((e) => ({ message: e.message, errorCode: e.statusCode, fields: e.fields })));
}
// the record in the body, of the object in the path; its key is in the path only
function record({ object, body }, key = '', value = undefined) {
  if (Object.keys(body ?? {}).some((name) => name.toLowerCase() === key.toLowerCase()))
    throw refusal(400, 'INVALID_FIELD', `The ${key} field should not be specified in the sobject data.`);
  return JSON.stringify([{ ...body, ...(key && { [key]: value }), attributes: { type: object } }]);
}
const create = async (request) => only(await request.call('create', record(request), false));
const update = async (request) => void only(await request.call('update', record(request, 'Id', request.id), false));
const upsert = async (request) => only(await request.call('upsert', request.field, record(request, request.field, request.value), false));
const removeMany = ({ call, params }) => call('delete', list(params.ids), params.allOrNone ?? false);
async function remove(request) {
  await retrieve({ ...request, params: { fields: 'Id' } }); // delete() takes ids of any object
  only(await request.call('delete', [request.id], false));
}
const saveMany = (name) => ({ call, field, body }) =>
  call(name, ...(field ? [field] : []), JSON.stringify(body?.records), body?.allOrNone ?? false);
const list = (value) => (typeof value === 'string' ? value.split(',') : value); // text in a URL, an array in a body
const replicate = (name) => ({ call, object, params }) => call(name, object, params.start, params.end);
const describe = async ({ call, version, object }) => (await call('describe_sobjects', [object], version))[0];
const layout = ({ call, object, name, recordType }) => call('describe_layout', object, name, recordType && [recordType]);
const query = (deleted) => ({ call, version, batch, params }) => call('query', params.q ?? '', version, batch, deleted);
const retrieveMany = ({ call, object }, asked) => call('retrieve', list(asked?.fields), object, list(asked?.ids));
async function retrieve(request) {
  const fields = list(request.params.fields) ?? (await describe(request)).fields.map(({ name }) => name);
  const [found] = await request.call('retrieve', fields, request.object, [request.id]);
  if (!found) throw notFound();
  return found;
}
async function identity({ client, origin }) {
  const { id, username, name, is_active: active } = (await client.query(ME)).rows[0];
  const names = { username, preferred_username: username, name, display_name: name, active };
  return { id: `${origin}/id/${ORGANIZATION}/${id}`, sub: id, user_id: id, organization_id: ORGANIZATION, ...names };
}
async function resources(request) {
  const urls = ['composite', 'limits', 'query', 'queryAll', 'sobjects'].map((name) => [name, `${DATA}/v${request.version}/${name}`]);
  return Object.fromEntries([...urls, ['identity', (await identity(request)).id]]);
}
const versions = () => Array.from({ length: NEWEST - OLDEST + 1 }, (_, i) => `${OLDEST + i}.0`)
  .map((version) => ({ label: `Version ${version}`, url: `${DATA}/v${version}`, version }));

// The first path that fits counts.  Paths without a slash at the beginning follow the version.
const ROUTES = Object.entries({
  [DATA]: { GET: versions },
  '/services/oauth2/userinfo': { GET: identity },
  '/id/:organization/:user': { GET: identity },
  [`${DATA}/v:version`]: { GET: resources },
  limits: { GET: () => ({}) },
  query: { GET: query(false) },
  queryAll: { GET: query(true) },
  'query/:locator': { GET: ({ call, locator }) => call('query_more', locator) },
  sobjects: { GET: ({ call, version }) => call('describe_global', version) },
  'sobjects/:object': { GET: async (request) => ({ objectDescribe: await describe(request), recentItems: [] }), POST: create },
  'sobjects/:object/describe': { GET: describe },
  'sobjects/:object/describe/layouts': { GET: layout },
  'sobjects/:object/describe/layouts/:recordType': { GET: async (request) => (await layout(request)).layouts[0] },
  'sobjects/:object/describe/namedLayouts/:name': { GET: layout },
  'sobjects/:object/updated': { GET: replicate('get_updated') },
  'sobjects/:object/deleted': { GET: replicate('get_deleted') },
  'sobjects/:object/Id': { POST: create, PATCH: create }, // upsert without an id
  'sobjects/:object/:id': { GET: retrieve, PATCH: update, DELETE: remove },
  'sobjects/:object/:field/:value': { PATCH: upsert },
  'composite/sobjects': { POST: saveMany('create'), PATCH: saveMany('update'), DELETE: removeMany },
  'composite/sobjects/:object': { GET: (request) => retrieveMany(request, request.params), POST: (request) => retrieveMany(request, request.body) },
  'composite/sobjects/:object/:field': { PATCH: saveMany('upsert') },
}).map(([path, methods]) => {
  const whole = path[0] === '/' ? path : `${DATA}/v:version/${path}`;
  return [new RegExp(`^${whole.replace(/:(\w+)/g, '(?<$1>[^/]+)')}/?$`), methods];
});
function route(path) {
  const [pattern, methods] = ROUTES.find(([pattern]) => pattern.test(path)) ?? [];
  if (!pattern) throw notFound();
  const places = Object.fromEntries(Object.entries(pattern.exec(path).groups ?? {}).map(([name, part]) => [name, decodeURIComponent(part)]));
  const { version = `${NEWEST}.0` } = places;
  if (!/^\d\d\.0$/.test(version) || version < OLDEST || version > NEWEST) throw notFound();
  return { methods, places };
}

async function readBody(request) {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type']))
    throw refusal(415, 'UNSUPPORTED_MEDIA_TYPE', 'The Content-Type must be application/json');
  const chunks = [];
  let size = 0; // a body that is too large is read to its end, or the client would not read the answer
  for await (const chunk of request) if ((size += chunk.length) <= MAX_BODY) chunks.push(chunk);
  if (size > MAX_BODY) throw refusal(413, 'REQUEST_SIZE_EXCEEDED', `At most ${MAX_BODY} bytes can be sent`);
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
}
// one transaction as the user
async function transaction(pool, user, work) {
  const client = await pool.connect().catch((error) => { throw Object.assign(error, { code: '08000' }); });
  try {
    await client.query('BEGIN');
    if (!(await client.query(ACT, [user])).rows[0].is_user) throw refusal(401, 'INVALID_SESSION_ID', 'The user is not active');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}
async function answer(pool, users, request, protocol) {
  const { method, headers } = request;
  const [path, search] = request.url.split(/\?([^]*)/);
  const { methods, places } = route(path);
  if (!methods[method]) throw refusal(405, 'METHOD_NOT_ALLOWED', `HTTP Method '${method}' not allowed. Allowed are ${Object.keys(methods)}`);
  const token = /^(?:Bearer|OAuth) (\S+)$/.exec(headers.authorization)?.[1] ?? '';
  const user = users.get(createHash('sha256').update(token).digest('hex'));
  if (!user) throw refusal(401, 'INVALID_SESSION_ID', 'Session expired or invalid');
  if (!/json|[*]\/[*]|application\/[*]/i.test(headers.accept ?? '*/*')) throw refusal(406, 'NOT_ACCEPTABLE', 'There is only application/json');
  const body = /^P/.test(method) ? await readBody(request) : undefined;
  const batch = Math.min(/batchSize\s*=\s*(\d+)/i.exec(headers['sforce-query-options'])?.[1] ?? 2000, 1e9);
  const given = { batch, body, params: Object.fromEntries(new URLSearchParams(search)), origin: `${protocol}://${headers.host}` };
  return transaction(pool, user, (client) => {
    const call = async (name, ...values) => (await client.query(CALL(name, values), values)).rows[0].result;
    return methods[method]({ ...places, ...given, client, call });
  }).catch((error) => { throw error.code === 'OR401' && places.object ? notFound() : error });
}
const option = (value) => ({ type: 'string', default: value });
const { values: options } = parseArgs({ options: { tokens: option(), host: option('127.0.0.1'), port: option('8080'), cert: option(), key: option() } });
const readTokens = () => new Map(Object.entries(JSON.parse(fs.readFileSync(options.tokens))));
const protocol = options.cert ? 'https' : 'http';
const tls = options.cert && { cert: fs.readFileSync(options.cert), key: fs.readFileSync(options.key) };
let users = readTokens();
const log = (error) => console.error(error.message);
const pool = new Pool({ connectionTimeoutMillis: 10e3, statement_timeout: 120e3 });
pool.on('error', log).on('connect', (client) => client.on('error', log)); // lost connections, idle and in use
const server = require(protocol).createServer({ ...tls, maxHeaderSize: MAX_HEAD }, async (request, response) => {
  const head = { 'content-type': 'application/json;charset=UTF-8', 'cache-control': 'no-store' };
  let status, result;
  try {
    result = await answer(pool, users, request, protocol);
    status = result === undefined ? 204 : result.success && result.created !== false ? 201 : 200; // nothing; a saved record
  } catch (error) {
    ({ status, errors: result } = toRefusal(error));
    if (status >= 500) console.error(error);
  }
  if (!server.listening) head.connection = 'close';
  response.writeHead(status, head).end(result && JSON.stringify(result));
  console.error(new Date().toISOString(), request.method, request.url.split('?')[0].slice(0, 200), status);
});
server.listen(options.port, options.host, () => console.log(`listens on ${protocol}://${options.host}:${server.address().port}`));
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => server.close(() => pool.end()));
process.on('SIGHUP', () => { try { users = readTokens(); } catch (error) { log(error); } });
