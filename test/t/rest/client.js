// client.js URL: examples/rest/gateway.js as jsforce uses it, for 016_rest.pl.  Prints a line of
// TAP for each test.  Nothing is adapted on the client's side: no field, path or header of our own.
'use strict';

const assert = require('assert');
const jsforce = require('jsforce');

const [url] = process.argv.slice(2);
const RUN = 'FlowOrchestrationInstance';
const SHARE = `${RUN}Share`;
const RULE = `${RUN}OwnerSharingRule`;
const NOBODY = '01a1fcc1-ef46-7bd9-8132-aead880d2434';

const as = (token, options = {}) => new jsforce.Connection({ instanceUrl: url, accessToken: token, version: '60.0', ...options });
const ann = as('ann-token');
const bea = as('bea-token');
const boss = as('boss-token');
const tests = [];
const test = (name, body) => tests.push([name, body]);
// the call is refused with the code, as the error's name too
const refused = async (promise, code, message = /./, status = undefined) => {
  const error = await Promise.resolve(promise).then(() => assert.fail('it is accepted'), (e) => e);
  assert.deepStrictEqual([error.errorCode, error.name], [code, code], error.stack);
  assert.match(error.message, message);
  return error;
};
const names = (records) => records.map((record) => record.Name).join(' ');
const names3 = 'A-001 A-002 A-003';
const run = async (name, conn = ann) => (await conn.sobject(RUN).findOne({ Name: name }, '*')) ?? assert.fail(`no ${name}`);

// ---- query
test('query returns totalSize, done and records', async () => {
  const result = await ann.query(`SELECT Id, Name FROM ${RUN} ORDER BY Name LIMIT 3`);
  assert.deepStrictEqual([result.totalSize, result.done, names(result.records)], [3, true, names3]);
});
test('a record has attributes first, then the fields in the order of SELECT', async () => {
  const [record] = (await ann.query(`SELECT Status, Name, Id FROM ${RUN} ORDER BY Name LIMIT 1`)).records;
  assert.deepStrictEqual(Object.keys(record), ['attributes', 'Status', 'Name', 'Id']);
  assert.deepStrictEqual(record.attributes, { type: RUN, url: `/services/data/v60.0/sobjects/${RUN}/${record.Id}` });
});
test('the url of a record can be requested', async () => {
  const { attributes, Id } = await run('A-001');
  assert.strictEqual((await ann.request(attributes.url)).Id, Id);
});
test('dates have the form of the platform, and parse', async () => {
  const { CreatedDate } = await run('A-001');
  assert.match(CreatedDate, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
  assert.ok(Math.abs(Date.now() - jsforce.SfDate.parseDate(CreatedDate)) < 3600e3);
});
test('a query without records is done', async () => {
  const result = await ann.query(`SELECT Id FROM ${RUN} WHERE Name = 'none'`);
  assert.deepStrictEqual({ ...result }, { totalSize: 0, done: true, records: [] });
});
const paged = (options = {}) => ({ headers: { 'Sforce-Query-Options': 'batchSize=200' }, ...options });
test('autoFetch fetches all pages', async () => {
  const records = [];
  const query = ann.query(`SELECT Id, Name FROM ${RUN} ORDER BY Name`, paged({ autoFetch: true, maxFetch: 5000 }));
  query.on('record', (record) => records.push(record));
  await new Promise((resolve, reject) => query.on('end', resolve).on('error', reject).run());
  assert.deepStrictEqual([query.totalSize, query.totalFetched, records.length, records[649].Name], [650, 650, 650, 'A-650']);
  assert.strictEqual(new Set(records.map((record) => record.Id)).size, 650);
});
test('maxFetch ends it', async () => {
  const result = await ann.query(`SELECT Id FROM ${RUN}`, paged({ autoFetch: true, maxFetch: 350 }));
  assert.strictEqual(result.records.length, 350);
});
test('queryMore with nextRecordsUrl, and with the locator alone', async () => {
  const first = await ann.query(`SELECT Name FROM ${RUN} ORDER BY Name`, paged());
  assert.deepStrictEqual([first.done, first.totalSize, first.records.length], [false, 650, 200]);
  const second = await ann.queryMore(first.nextRecordsUrl, paged());
  assert.deepStrictEqual([second.done, second.totalSize, second.records[0].Name], [false, 650, 'A-201']);
  const third = await ann.queryMore(second.nextRecordsUrl.split('/').pop());
  assert.deepStrictEqual([third.done, third.records[0].Name], [false, 'A-401']);
  const last = await ann.queryMore(third.nextRecordsUrl);
  assert.deepStrictEqual([last.done, last.records.length, last.records[49].Name, last.nextRecordsUrl], [true, 50, 'A-650', undefined]);
});
test('the locator of another user is refused', async () => {
  const { nextRecordsUrl } = await ann.query(`SELECT Name FROM ${RUN}`, paged());
  await refused(bea.queryMore(nextRecordsUrl), 'INVALID_QUERY_LOCATOR');
  assert.strictEqual((await ann.queryMore(nextRecordsUrl)).records.length, 200);
});
test('a locator that is none is refused', () => refused(ann.queryMore('01gD0000002HU6KIAW-2000'), 'INVALID_QUERY_LOCATOR'));
test('a batch size that is too small is refused', () =>
  refused(ann.query(`SELECT Id FROM ${RUN}`, { headers: { 'Sforce-Query-Options': 'batchSize=10' } }), 'INVALID_BATCH_SIZE'));
test('a query is a stream of records', async () => {
  let count = 0;
  await new Promise((resolve, reject) => ann.query(`SELECT Id FROM ${RUN} LIMIT 450`, paged()).stream('record')
    .on('data', () => (count += 1)).on('end', resolve).on('error', reject));
  assert.strictEqual(count, 450);
});
test('a query is a stream of CSV', async () => {
  let text = '';
  await new Promise((resolve, reject) => ann.query(`SELECT Name, Status FROM ${RUN} ORDER BY Name LIMIT 2`).stream()
    .on('data', (data) => (text += data)).on('end', resolve).on('error', reject));
  assert.match(text, /^Name,Status\s+A-001,InProgress\s+A-002,InProgress\s*$/);
});
test('a Unicode text comes through as it is', async () => {
  const result = await ann.query(`SELECT Id FROM ${RUN} WHERE Name = 'žluť “🐎” + % & # ?'`);
  assert.strictEqual(result.totalSize, 0);
});
test('queryAll (scanAll) shows IsDeleted', async () => {
  const result = await ann.query(`SELECT Id, IsDeleted FROM ${RUN} WHERE IsDeleted = true`, { scanAll: true });
  assert.deepStrictEqual([result.totalSize, result.records[0].IsDeleted], [1, true]);
  assert.strictEqual((await ann.query(`SELECT Id FROM ${RUN} WHERE IsDeleted = true`)).totalSize, 0);
});
test('COUNT() and an aggregate', async () => {
  assert.deepStrictEqual({ ...(await ann.query(`SELECT COUNT() FROM ${RUN}`)) }, { totalSize: 650, done: true, records: [] });
  const { records } = await ann.query(`SELECT Status, COUNT(Id) n, MAX(Name) FROM ${RUN} GROUP BY Status`);
  assert.deepStrictEqual(records, [{ attributes: { type: 'AggregateResult' }, Status: 'InProgress', n: 650, expr0: 'A-650' }]);
});
test('relationships up and down', async () => {
  const { records: [step] } = await ann.query(`SELECT Name, OrchestrationInstance.Name, StageInstance.OrchestrationInstance.Owner.Name FROM FlowOrchestrationStepInstance WHERE OrchestrationInstance.Name = 'A-001' ORDER BY Name`);
  assert.strictEqual([step.Name, step.OrchestrationInstance.Name, step.StageInstance.OrchestrationInstance.Owner.Name].join(), 'Step1,A-001,Ann');
});

// ---- find
test('find() with *', async () => {
  const { fields } = await ann.describe(RUN);
  const [record] = await ann.sobject(RUN).find({ Name: 'A-001' }, '*');
  assert.deepStrictEqual(Object.keys(record), ['attributes', ...fields.map((field) => field.name)]);
});
test('find() with Owner.*', async () => {
  const [record] = await ann.sobject(RUN).find({ Name: 'A-001' }, 'Id, Owner.*');
  assert.deepStrictEqual([record.Owner.Name, record.Owner.Username, record.Owner.attributes.type], ['Ann', 'ann@x', 'User']);
});
test('find() with * of a parent with several types', async () => {
  const [item] = await ann.sobject('FlowOrchestrationWorkItem').find({ Label: 'Do Step1' }, 'Id, Assignee.*');
  assert.deepStrictEqual([item.Assignee.Name, item.Assignee.Type], ['Ann', 'User']);
});
for (const [name, conditions, count] of [
  ['a value', { Name: 'A-001' }, 1],
  ['a value in other case', { Name: 'a-001' }, 1],
  ['an array', { Name: ['A-001', 'A-002', 'B-1'] }, 2],
  ['$in', { Name: { $in: ['A-001', 'A-002'] } }, 2],
  ['$nin', { Name: { $nin: ['A-001', 'A-002'] } }, 648],
  ['$like', { Name: { $like: 'A-00%' } }, 9],
  ['$nlike', { Name: { $nlike: 'A-00%' } }, 641],
  ['$nlike beside another', { Status: 'InProgress', Name: { $nlike: 'A-00%' } }, 641],
  ['$ne', { Name: { $ne: 'A-001' } }, 649],
  ['$eq', { Name: { $eq: 'A-001' } }, 1],
  ['$gt', { Name: { $gt: 'A-649' } }, 1],
  ['$gte and a second field', { Name: { $gte: 'A-649' }, Status: 'InProgress' }, 2],
  ['$lt', { Name: { $lt: 'A-003' } }, 2],
  ['$lte', { Name: { $lte: 'A-003' } }, 3],
  ['$or', { $or: [{ Name: 'A-001' }, { Name: 'A-002' }] }, 2],
  ['$or beside another', { $or: [{ Name: 'A-001' }, { Name: 'A-002' }], Status: 'InProgress' }, 2],
  ['$and in $or', { $or: [{ Name: 'A-001', Status: 'InProgress' }, { Name: 'A-002', Status: 'Completed' }] }, 1],
  ['$not', { $not: { Name: 'A-001' } }, 649],
  ['$not beside another', { Status: 'InProgress', $not: { Name: 'A-001' } }, 649],
  ['null', { InterviewId: null }, 650],
  ['$ne null', { LastViewedDate: { $ne: null } }, 0],
  ['$exists', { Name: { $exists: true }, InterviewId: { $exists: false } }, 650],
  ['a boolean', { IsDeleted: false }, 650],
  ['a quote', { Name: "it's" }, 0],
  ['a parent', { 'Owner.Name': 'Ann', 'CreatedBy.Name': 'Automated Process' }, 650],
  ['a label that is none', { Status: 'No such status' }, 0],
  ['SfDate.TODAY', { CreatedDate: jsforce.SfDate.TODAY }, 650],
  ['SfDate.YESTERDAY', { CreatedDate: { $lte: jsforce.SfDate.YESTERDAY } }, 0],
  ['SfDate.LAST_N_DAYS', { CreatedDate: { $gte: jsforce.SfDate.LAST_N_DAYS(3) } }, 650],
  ['SfDate.THIS_FISCAL_YEAR', { CreatedDate: { $gte: jsforce.SfDate.THIS_FISCAL_YEAR } }, 650],
  ['toDateTimeLiteral()', { CreatedDate: { $gt: jsforce.Date.toDateTimeLiteral(new Date(Date.now() - 3600e3)) } }, 650],
  ['toDateTimeLiteral() of what a record says', { CreatedDate: { $lt: jsforce.Date.toDateTimeLiteral('2020-01-01T00:00:00.000+0000') } }, 0],
  ['a text', "Name LIKE 'A-00%' AND Status != 'Completed'", 9],
]) {
  test(`count() of conditions: ${name}`, async () => assert.strictEqual(await ann.sobject(RUN).count(conditions), count));
}
test('count() without conditions', async () => assert.strictEqual(await ann.sobject(RUN).count(), 650));
test('sort, limit, skip', async () => {
  const runs = ann.sobject(RUN);
  assert.strictEqual(names(await runs.find({}, 'Name').sort('-Name').limit(2)), 'A-650 A-649');
  assert.strictEqual(names(await runs.find({}, 'Name').sort({ Status: 1, Name: -1 }).skip(1).limit(2)), 'A-649 A-648');
  assert.strictEqual(names(await runs.find({}, 'Name', { sort: 'Name', limit: 3, offset: 0 })), names3);
  assert.strictEqual(names(await runs.find({}, 'Name').sort('CreatedDate DESC, Name ASC').limit(1)), 'A-001');
});
test('select() of fields of parents', async () => {
  const [record] = await ann.sobject(RUN).select({ Name: 1, Owner: { Name: 1, Username: 1 }, 'CreatedBy.Name': 1 }).where({ Name: 'A-007' });
  assert.deepStrictEqual([record.Name, record.Owner.Username, record.CreatedBy.Name], ['A-007', 'ann@x', 'Automated Process']);
});
test('findOne()', async () => {
  assert.strictEqual((await ann.sobject(RUN).findOne({ Name: 'A-002' }, 'Name')).Name, 'A-002');
  assert.strictEqual(await ann.sobject(RUN).findOne({ Name: 'none' }), null);
});
test('include() of children, their conditions, fields, sort and limit', async () => {
  const records = await ann.sobject(RUN).find({ Name: ['A-001', 'A-004'] }, 'Name').sort('Name')
    .include('FlowOrchestrationStageInstances').select('Name, Status').end()
    .include('FlowOrchestrationStepInstances', { Name: { $ne: 'Step2' } }, 'Id, Name, Owner.Name', { sort: '-Name', limit: 5 }).end();
  assert.deepStrictEqual(records.map((record) => [record.FlowOrchestrationStageInstances?.totalSize, record.FlowOrchestrationStepInstances?.totalSize]), [[1, 2], [undefined, undefined]]);
  assert.strictEqual(records[1].FlowOrchestrationStepInstances, null);
  assert.strictEqual(names(records[0].FlowOrchestrationStepInstances.records), 'Step3 Step1');
  assert.strictEqual(records[0].FlowOrchestrationStepInstances.records[0].Owner.Name, 'Ann');
});
test('include() with * and autoFetch', async () => {
  const [record] = await ann.sobject(RUN).find({ Name: 'A-001' }, 'Id').autoFetch(true).include('FlowOrchestrationStepInstances').select('*').end();
  const { fields } = await ann.describe('FlowOrchestrationStepInstance');
  assert.deepStrictEqual(Object.keys(record.FlowOrchestrationStepInstances.records[0]), ['attributes', ...fields.map((field) => field.name)]);
});
test('include() of more children than a page has', async () => {
  const query = () => ann.sobject(RUN).find({ Name: 'A-003' }, 'Id', paged()).include('FlowOrchestrationStepInstances').select('Id, Name').end().autoFetch(true);
  const [{ FlowOrchestrationStepInstances: steps }] = await query();
  assert.deepStrictEqual([steps.totalSize, steps.records.length, steps.done], [450, 450, true]);
});
test('a child relationship that is none', () =>
  assert.rejects(ann.sobject(RUN).find({}, 'Id').include('Nonsense').select('*').end().then(), /No child relationship/));

// ---- retrieve
test('retrieve() of one record has all fields', async () => {
  const { Id } = await run('A-001');
  const record = await ann.sobject(RUN).retrieve(Id);
  const { fields } = await ann.describe(RUN);
  assert.deepStrictEqual(Object.keys(record), ['attributes', ...fields.map((field) => field.name)]);
});
test('retrieve() with fields', async () => {
  const { Id } = await run('A-001');
  assert.deepStrictEqual(Object.keys(await ann.retrieve(RUN, Id, { fields: ['Status', 'Name'] })), ['attributes', 'Status', 'Name']);
});
test('retrieve() of many keeps their order, null for a missing one', async () => {
  const [one, two] = [await run('A-001'), await run('A-002')];
  const records = await ann.retrieve(RUN, [two.Id, NOBODY, one.Id, 'no id']);
  assert.deepStrictEqual(records.map((record) => record && record.Name), ['A-002', null, 'A-001', null]);
  assert.deepStrictEqual(Object.keys(records[0]), Object.keys(two));
});
test('retrieve() of many before collections (API 41.0) of objects that were there', async () => {
  const old = as('ann-token', { version: '41.0' });
  const { user_id: id } = await old.identity();
  assert.deepStrictEqual((await old.retrieve('User', [id, NOBODY])).map((user) => user && user.Name), ['Ann', null]);
});
test('a record that is not there: NOT_FOUND', () => refused(ann.retrieve(RUN, NOBODY), 'NOT_FOUND'));
test('a record of another user: NOT_FOUND', async () => refused(ann.retrieve(RUN, (await run('B-1', bea)).Id), 'NOT_FOUND'));
test('an id that is none: NOT_FOUND', () => refused(ann.retrieve(RUN, "x' OR '1'='1"), 'NOT_FOUND'));
test('an unknown object: NOT_FOUND', () => refused(ann.retrieve('Nonsense', NOBODY), 'NOT_FOUND'));
test('an unknown field: INVALID_FIELD', async () => refused(ann.retrieve(RUN, (await run('A-001')).Id, { fields: ['Nonsense'] }), 'INVALID_FIELD', /No such column 'Nonsense'/));

// ---- update
test('update() of one record', async () => {
  const { Id } = await run('A-010');
  assert.deepStrictEqual(await ann.sobject(RUN).update({ Id, Status: 'Suspended' }), { id: Id, success: true, errors: [] });
  const { Status, LastModifiedById } = await run('A-010');
  assert.deepStrictEqual([Status, LastModifiedById], ['Suspended', (await ann.identity()).user_id]);
});
test('update() of many: each for itself', async () => {
  const [one, two] = [await run('A-011'), await run('A-012')];
  const results = await ann.sobject(RUN).update([{ Id: one.Id, Status: 'Suspended' }, { Id: two.Id, Status: 'Nonsense' }, { Id: NOBODY, Status: 'Suspended' }]);
  assert.deepStrictEqual(results.map((result) => [result.success, result.errors[0]?.statusCode]),
    [[true, undefined], [false, 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST'], [false, 'INVALID_CROSS_REFERENCE_KEY']]);
  assert.deepStrictEqual(results[1].errors[0].fields, ['Status']);
  assert.strictEqual((await run('A-011')).Status, 'Suspended');
});
test('update() of many with allOrNone: all or none', async () => {
  const [one, two] = [await run('A-013'), await run('A-014')];
  const records = [{ Id: one.Id, Status: 'Suspended' }, { Id: two.Id, Status: 'Nonsense' }];
  const results = await ann.sobject(RUN).update(records, { allOrNone: true });
  assert.deepStrictEqual(results.map((result) => result.errors[0].statusCode), ['ALL_OR_NONE_OPERATION_ROLLED_BACK', 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST']);
  assert.strictEqual((await run('A-013')).Status, 'InProgress');
  assert.deepStrictEqual((await ann.sobject(RUN).update([records[0], { ...records[1], Status: 'Suspended' }], { allOrNone: true })).map((result) => result.success), [true, true]);
  assert.strictEqual((await run('A-014')).Status, 'Suspended');
});
test('update() of more than 200 records in chunks', async () => {
  const records = await ann.sobject(RUN).find({ Name: { $gte: 'A-300' } }, 'Id').limit(250);
  const all = records.map(({ Id }) => ({ Id, Status: 'Suspended' }));
  await refused(ann.sobject(RUN).update(all), 'EXCEEDED_ID_LIMIT');
  assert.strictEqual((await ann.sobject(RUN).update(all, { allowRecursive: true })).filter((result) => result.success).length, 250);
});
test('update() of a record as it was read', async () => {
  const { Id, attributes } = await run('A-015');
  assert.strictEqual((await ann.update(RUN, { attributes, Id, Status: 'Suspended' })).success, true);
});
test('update() of fields that cannot be written names them all', async () => {
  const error = await refused(ann.sobject(RUN).update({ Id: (await run('A-001')).Id, Name: 'x', CreatedDate: null }), 'INVALID_FIELD_FOR_INSERT_UPDATE', /Name/);
  assert.deepStrictEqual(error.data.fields.sort(), ['CreatedDate', 'Name']);
});
test('update() of an unknown field', async () => refused(ann.sobject(RUN).update({ Id: (await run('A-001')).Id, Nonsense: 1 }), 'INVALID_FIELD'));
test('update() of a bad value', async () => refused(ann.sobject(RUN).update({ Id: (await run('A-001')).Id, Status: 'Nonsense' }), 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', /Nonsense/));
test('update() to a status that may not follow', async () => refused(ann.sobject(RUN).update({ Id: (await run('A-001')).Id, Status: 'Completed' }), 'STATE_TRANSITION_NOT_ALLOWED'));
test('update() of a record that is not there: NOT_FOUND', () => refused(ann.sobject(RUN).update({ Id: NOBODY, Status: 'Suspended' }), 'NOT_FOUND'));
test('update() of an object that has no update', async () => {
  const [{ Id }] = await ann.sobject('FlowOrchestrationStageInstance').find({}, 'Id').limit(1);
  await refused(ann.sobject('FlowOrchestrationStageInstance').update({ Id, Status: 'Completed' }), 'INVALID_TYPE_FOR_OPERATION');
});
test('find().update() with an object and with a function', async () => {
  const results = await ann.sobject(RUN).find({ Name: ['A-020', 'A-021'] }, 'Id').update({ Status: 'Suspended' });
  assert.deepStrictEqual(results.map((result) => result.success), [true, true]);
  await ann.sobject(RUN).find({ Name: ['A-020', 'A-021'] }, 'Id, Name').update((record) => ({ Id: record.Id, Status: 'InProgress' }));
  assert.strictEqual(await ann.sobject(RUN).count({ Name: ['A-020', 'A-021'], Status: 'InProgress' }), 2);
});

// ---- create, upsert, destroy
let shared;
test('create() of a share: the other user sees the record', async () => {
  const { Id } = await run('A-030');
  const { user_id: UserOrGroupId } = await bea.identity();
  assert.strictEqual(await bea.sobject(RUN).count({ Name: 'A-030' }), 0);
  shared = await ann.sobject(SHARE).create({ ParentId: Id, UserOrGroupId, AccessLevel: 'Read' });
  assert.deepStrictEqual([shared.success, shared.errors, typeof shared.id], [true, [], 'string']);
  assert.strictEqual(await bea.sobject(RUN).count({ Name: 'A-030' }), 1);
});
test('a record that can be read only: INSUFFICIENT_ACCESS_OR_READONLY', async () =>
  refused(bea.sobject(RUN).update({ Id: (await run('A-030')).Id, Status: 'Suspended' }), 'INSUFFICIENT_ACCESS_OR_READONLY'));
test('upsert() of one by Id', async () => {
  assert.strictEqual((await ann.sobject(SHARE).upsert({ Id: shared.id, AccessLevel: 'Edit' }, 'Id')).success, true);
  assert.strictEqual((await bea.sobject(RUN).update({ Id: (await run('A-030')).Id, Status: 'Suspended' })).success, true);
});
test('record().retrieve(), update() and destroy()', async () => {
  const record = ann.sobject(SHARE).record(shared.id);
  assert.strictEqual((await record.retrieve()).AccessLevel, 'Edit');
  assert.strictEqual((await record.update({ AccessLevel: 'Read' })).success, true);
  assert.strictEqual((await record.retrieve({ fields: ['AccessLevel'] })).AccessLevel, 'Read');
  assert.deepStrictEqual(await record.destroy(), { id: shared.id, success: true, errors: [] });
  await refused(record.retrieve(), 'NOT_FOUND');
  await refused(record.destroy(), 'NOT_FOUND');
  assert.strictEqual(await bea.sobject(RUN).count({ Name: 'A-030' }), 0);
});
test('create() of many, destroy() of many', async () => {
  const { user_id: UserOrGroupId } = await bea.identity();
  const runs = await ann.sobject(RUN).find({ Name: ['A-031', 'A-032', 'A-033'] }, 'Id');
  const created = await ann.sobject(SHARE).create(runs.map(({ Id }) => ({ ParentId: Id, UserOrGroupId, AccessLevel: 'Read' })));
  assert.deepStrictEqual(created.map((result) => result.success), [true, true, true]);
  const ids = created.map((result) => result.id);
  assert.deepStrictEqual((await ann.sobject(SHARE).destroy([...ids.slice(1), NOBODY])).map((result) => result.success), [true, true, false]);
  assert.deepStrictEqual((await ann.sobject(SHARE).destroy([ids[0], NOBODY], { allOrNone: true })).map((result) => result.success), [false, false]);
  assert.strictEqual(await bea.sobject(RUN).count({ Name: 'A-031' }), 1);
});
test('find().destroy()', async () => {
  const results = await ann.sobject(SHARE).find({ 'Parent.Name': 'A-031', RowCause: 'Manual' }, 'Id').destroy();
  assert.deepStrictEqual(results.map((result) => result.success), [true]);
  assert.strictEqual(await bea.sobject(RUN).count({ Name: 'A-031' }), 0);
});
test('create() without required fields names them all', async () => {
  const error = await refused(ann.sobject(SHARE).create({}), 'REQUIRED_FIELD_MISSING');
  assert.deepStrictEqual(error.data.fields.sort(), ['AccessLevel', 'ParentId', 'UserOrGroupId']);
});
test('create() of an object that has no create', () => refused(ann.sobject(RUN).create({ Name: 'x' }), 'INVALID_TYPE_FOR_OPERATION'));
test('create() of an unknown object', () => refused(ann.sobject('Nonsense').create({ Name: 'x' }), 'NOT_FOUND'));
test('create(), upsert(), delete() of a sharing rule', async () => {
  const { Id: GroupId } = await boss.sobject('Group').findOne({ Name: 'Team' }, 'Id');
  const { user_id: UserOrGroupId } = await bea.identity();
  const { id } = await boss.sobject(RULE).create({ Name: 'Rule', DeveloperName: 'Rule', AccessLevel: 'Read', GroupId, UserOrGroupId });
  assert.strictEqual((await boss.sobject(RULE).retrieve(id)).Name, 'Rule');
  assert.strictEqual((await boss.sobject(RULE).upsert({ Name: 'Rule', AccessLevel: 'Edit' }, 'Name')).success, true);
  assert.strictEqual((await boss.sobject(RULE).retrieve(id)).AccessLevel, 'Edit');
  const results = await boss.sobject(RULE).upsert([{ Name: 'Rule', Description: 'one' }, { Name: 'Rule 2', DeveloperName: 'Rule_2', AccessLevel: 'Read', GroupId, UserOrGroupId: GroupId }], 'Name');
  assert.deepStrictEqual(results.map((result) => [result.success, result.created]), [[true, false], [true, true]]);
  assert.strictEqual((await boss.sobject(RULE).delete(id)).success, true);
  assert.strictEqual(await boss.sobject(RULE).count(), 1);
});
test('a sharing rule of a user without the right', () =>
  ann.sobject(RULE).create({ Name: 'Mine', DeveloperName: 'Mine', AccessLevel: 'Read', GroupId: NOBODY, UserOrGroupId: NOBODY })
    .then(() => assert.fail('it is accepted'), (error) => assert.match(error.errorCode, /^INSUFFICIENT_ACCESS/)));
test('upsert() by a field that identifies nothing', () => refused(ann.sobject(SHARE).upsert({ RowCause: 'Manual' }, 'RowCause'), 'INVALID_FIELD'));
test('delete() of an object that has no delete', async () => refused(ann.sobject(RUN).destroy((await run('A-001')).Id), 'INVALID_TYPE_FOR_OPERATION'));
test('delete() of an id of another object: NOT_FOUND', async () => refused(ann.sobject(SHARE).destroy((await run('A-001')).Id), 'NOT_FOUND'));

// ---- describe
test('describe()', async () => {
  const { name, fields, childRelationships, updateable, urls } = await ann.sobject(RUN).describe();
  assert.deepStrictEqual([name, updateable, urls.sobject], [RUN, true, `/services/data/v60.0/sobjects/${RUN}`]);
  assert.ok(fields.find((field) => field.name === 'Status').picklistValues.some(({ value, label, active }) => value === 'InProgress' && label && active));
  assert.ok(childRelationships.some((child) => child.relationshipName === 'FlowOrchestrationStepInstances'));
});
test('describe$() keeps it', async () => {
  let requests = 0;
  const conn = as('ann-token');
  const { request } = conn;
  conn.request = function (...args) { requests += 1; return request.apply(this, args); };
  assert.strictEqual((await conn.describe$(RUN)).name, (await conn.describe$(RUN)).name);
  assert.strictEqual(conn.describe$$(RUN).name, RUN);
  assert.strictEqual(requests, 1);
});
test('describe() of an unknown object: NOT_FOUND', () => refused(ann.describe('Nonsense'), 'NOT_FOUND'));
test('describe() before the object was there: NOT_FOUND', () => refused(as('ann-token', { version: '50.0' }).describe(RUN), 'NOT_FOUND'));
test('describeGlobal(), and each object in it', async () => {
  const { sobjects, encoding } = await ann.describeGlobal();
  assert.strictEqual(encoding, 'UTF-8');
  for (const { name } of sobjects) {
    assert.strictEqual((await ann.describe(name)).name, name);
  }
  assert.ok(sobjects.length > 15);
});
test('* of each object that can be queried', async () => {
  for (const { name, queryable } of (await ann.describeGlobal()).sobjects) {
    if (queryable) assert.ok(Array.isArray(await ann.sobject(name).find({}, '*').limit(2)), name);
  }
});
test('Parent.* of each reference that can be described', async () => {
  const { sobjects } = await ann.describeGlobal();
  const known = new Set(sobjects.map((object) => object.name));
  for (const { name } of sobjects.filter((object) => object.queryable)) {
    for (const { relationshipName, referenceTo } of (await ann.describe(name)).fields) {
      if (relationshipName && (referenceTo.length > 1 || known.has(referenceTo[0]))) {
        const query = ann.sobject(name).find({}, `Id, ${relationshipName}.*`).limit(1);
        assert.ok(Array.isArray(await query), `${name}.${relationshipName}`);
      }
    }
  }
});
test('include() of each child relationship', async () => {
  for (const { childSObject, relationshipName } of (await ann.describe(RUN)).childRelationships) {
    assert.strictEqual((await ann.sobject(RUN).find({ Name: 'A-001' }, 'Id').include(relationshipName).select('*').end()).length, 1, childSObject);
  }
});
test('layouts()', async () => {
  const { layouts, recordTypeMappings } = await ann.sobject(RUN).layouts();
  assert.ok(layouts[0].detailLayoutSections.length > 0 && recordTypeMappings.length > 0);
  const one = await ann.request(`/sobjects/${RUN}/describe/layouts/012000000000000AAA`);
  assert.strictEqual(one.detailLayoutSections.length, layouts[0].detailLayoutSections.length);
});
test('recent()', async () => assert.ok(Array.isArray(await ann.sobject(RUN).recent())));
test('updated()', async () => {
  const { ids, latestDateCovered } = await ann.sobject(RUN).updated(new Date(Date.now() - 3600e3), new Date(Date.now() + 120e3));
  assert.ok(ids.length >= 650 && latestDateCovered);
  assert.ok((await bea.sobject(RUN).updated(new Date(Date.now() - 3600e3).toISOString(), new Date(Date.now() + 120e3).toISOString())).ids.length < 10);
});
test('deleted()', async () => {
  const { deletedRecords } = await ann.sobject(RUN).deleted(new Date(Date.now() - 3600e3), new Date(Date.now() + 120e3));
  assert.strictEqual(deletedRecords.length, 1);
  assert.match(deletedRecords[0].deletedDate, /\+0000$/);
});
test('updated() from after until: INVALID_REPLICATION_DATE', () => refused(ann.sobject(RUN).updated(new Date(), new Date(0)), 'INVALID_REPLICATION_DATE'));
test('limits()', async () => assert.deepStrictEqual(await ann.limits(), {}));

// ---- who asks
test('identity()', async () => {
  const conn = as('ann-token');
  const { user_id: id, username, organization_id: organization } = await conn.identity();
  assert.deepStrictEqual([username, conn.userInfo.id, conn.userInfo.organizationId], ['ann@x', id, organization]);
  assert.strictEqual((await conn.identity()).user_id, id);
  assert.strictEqual((await conn.request('/services/oauth2/userinfo')).user_id, id);
});
test('two users see their own records', async () => {
  assert.deepStrictEqual([await ann.sobject(RUN).count(), await bea.sobject(RUN).count()], [650, 5]);
  assert.strictEqual(names(await bea.sobject(RUN).find({}, 'Name').sort('Name')), 'B-1 B-2 B-3 B-4 B-5');
  assert.strictEqual(await boss.sobject(RUN).count(), 655);
});
test('at the same time', async () => {
  const counts = await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 ? ann : bea).sobject(RUN).count()));
  assert.deepStrictEqual(counts, counts.map((_, i) => (i % 2 ? 650 : 5)));
});
test('an unknown token: INVALID_SESSION_ID', () => refused(as('nonsense').query(`SELECT Id FROM ${RUN}`), 'INVALID_SESSION_ID'));
test('no token: INVALID_SESSION_ID', () => refused(as(undefined).query(`SELECT Id FROM ${RUN}`), 'INVALID_SESSION_ID'));
test('a token of a user that is not active: INVALID_SESSION_ID', () => refused(as('gone-token').query(`SELECT Id FROM ${RUN}`), 'INVALID_SESSION_ID'));
test('a token of no user: INVALID_SESSION_ID', () => refused(as('nobody-token').query(`SELECT Id FROM ${RUN}`), 'INVALID_SESSION_ID'));

// ---- errors of queries
for (const [soql, code, message] of [
  ['SELECT', 'MALFORMED_QUERY', /ERROR at Row:1:Column:/],
  [`SELECT Id FROM ${RUN} WHERE`, 'MALFORMED_QUERY', /\^\nERROR at Row:1:Column:/],
  [`SELECT Id FROM ${RUN} WHERE Name = :name`, 'MALFORMED_QUERY', /Row:1/],
  [`SELECT Id FROM ${RUN} WHERE Name = 'a' AND Name = 'b' OR Name = 'c'`, 'MALFORMED_QUERY', /./],
  [`SELECT Id FROM ${RUN} FOR UPDATE`, 'MALFORMED_QUERY', /./],
  [`SELECT Id, (SELECT Id FROM Nonsense) FROM ${RUN}`, 'INVALID_TYPE', /Nonsense/],
  [`SELECT Nonsense FROM ${RUN}`, 'INVALID_FIELD', /No such column 'Nonsense' on entity 'FlowOrchestrationInstance'/],
  [`SELECT Nonsense.Id FROM ${RUN}`, 'INVALID_FIELD', /Didn't understand relationship 'Nonsense' in field path/],
  ['SELECT Id FROM Nonsense', 'INVALID_TYPE', /sObject type 'Nonsense' is not supported/],
  [`SELECT Id FROM ${RUN} WHERE Id = 'x'`, 'INVALID_QUERY_FILTER_OPERATOR', /./],
  [`SELECT Id FROM ${RUN} WHERE Id LIKE 'x%'`, 'INVALID_QUERY_FILTER_OPERATOR', /./],
  [`SELECT Id FROM ${RUN} LIMIT 1 OFFSET 2001`, 'NUMBER_OUTSIDE_VALID_RANGE', /2000/],
  [`SELECT Id FROM ${RUN} WHERE CreatedDate > 'yesterday'`, 'INVALID_FIELD', /./],
]) {
  test(`${soql}: ${code}`, () => refused(ann.query(soql), code, message));
}
test('$includes: a field is no multi-select picklist', () =>
  ann.sobject(RUN).count({ Name: { $includes: ['a'] } }).then(() => assert.fail('it is accepted'), (error) => console.log(`# ${error.errorCode}`)));

(async () => {
  for (const [name, body] of tests) {
    try {
      await body();
      console.log(`ok - ${name}`);
    } catch (error) {
      console.log(`not ok - ${name}\n${String(error.stack).replace(/^/gm, '# ')}`);
    }
  }
  console.log(`1..${tests.length}`);
})();
