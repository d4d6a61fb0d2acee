import { PROBLEMS } from '../../src/problems/catalogue';
import {
  ALSO,
  CONTRACT,
  COMMON,
  COMMON_WITH_BODY,
  CREATED,
  TAKING,
  FOR_DEVICES,
  PUBLIC,
  LISTS,
  INTEGER,
  ID_SCHEMAS,
} from '../support/contract';
import { startTestApi, type TestApi } from '../support/api';
import { withoutShared } from '../support/openapi';

/** What a client asks for on the condition that it has changed. */
const CACHEABLE = [
  'GET /events',
  'GET /events/{event_id}',
  'GET /events/{event_id}/ticket-types',
  'GET /events/{event_id}.ics',
  'GET /events/{event_id}/gate',
  'GET /.well-known/jwks.json',
];

interface Response {
  description: string;
  headers?: object;
  content?: Record<string, { schema: object; examples?: Record<string, { value: object }> }>;
}

interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  requestBody?: object;
  security: object[];
  parameters: { name: string; in: string; required: boolean; schema: object }[];
  responses: Record<string, Response>;
}

interface Document {
  openapi: string;
  info: { title: string; version: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: object };
}

describe('the documentation', () => {
  let api: TestApi;
  let document: Document;
  let operations: Record<string, Operation>;

  beforeAll(async () => {
    api = await startTestApi();
    const { status, headers, body } = await api.client.get<Document>('/openapi.json');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    document = withoutShared(body);
    operations = Object.fromEntries(
      Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation]),
      ),
    );
  });
  afterAll(() => api.stop());

  const operation = (name: string): Operation => {
    const found = operations[name];
    if (!found) throw new Error(`${name} is not documented`);
    return found;
  };

  it('is OpenAPI 3.1 of the Tixxety API', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d$/);
    expect(document.info).toMatchObject({
      title: 'Tixxety API',
      version: expect.stringMatching(/^\d+\.\d+/),
    });
  });

  it('has every route of the contract, and no other', () => {
    expect(Object.keys(operations).sort()).toEqual(Object.keys(CONTRACT).sort());
    const ids = Object.values(operations).map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(Object.keys(CONTRACT))('has the answers of %s', (name) => {
    const [success, ...refusals] = CONTRACT[name] ?? [];
    const { responses, requestBody, summary } = operation(name);
    expect(summary).toMatch(/./);
    // A plain 200 is filled in by Nest's plugin of the compiler, which is not at work here.
    const successes = Object.keys(responses).filter((status) => Number(status) < 300);
    expect(new Set([...successes, String(success)])).toEqual(
      new Set([success, ALSO[name] ?? success].map(String)),
    );
    const examples = Object.entries(responses).flatMap(([status, { content }]) =>
      Object.entries(content?.['application/problem+json']?.examples ?? {}).map(([code, { value }]) => {
        expect(value).toMatchObject({ code, status: Number(status), type: `/docs/errors#${code}` });
        return code;
      }),
    );
    expect(examples).toEqual(
      expect.arrayContaining([...refusals, ...COMMON, ...(name.startsWith('GET ') ? [] : COMMON_WITH_BODY)]),
    );
    expect(requestBody !== undefined).toBe(TAKING.includes(name));
  });

  it.each(Object.keys(CONTRACT))('says who may call %s', (name) => {
    const { security, responses } = operation(name);
    const others = FOR_DEVICES.includes(name) ? [{ device: [] }] : [];
    expect(security).toEqual(PUBLIC.includes(name) ? [] : [{ sign_in: [] }, ...others]);
    const refusals = responses['401']?.content?.['application/problem+json']?.examples ?? {};
    expect('unauthenticated' in refusals).toBe(!PUBLIC.includes(name));
  });

  it.each(CREATED)('has the Location of %s', (name) => {
    expect(Object.keys(operation(name).responses['201']?.headers ?? {})).toContain('Location');
  });

  it.each(Object.keys(CONTRACT))('says whether %s takes an Idempotency-Key', (name) => {
    const { parameters, responses } = operation(name);
    // The provider's events have a rule of their own.
    const takesKey = name.startsWith('POST ') && !name.startsWith('POST /payments/events');
    expect(parameters.some((parameter) => parameter.name === 'Idempotency-Key')).toBe(takesKey);
    const examples = (status: string) =>
      Object.keys(responses[status]?.content?.['application/problem+json']?.examples ?? {});
    expect(examples('409').includes('idempotency_in_progress')).toBe(takesKey);
    expect(examples('422').includes('idempotency_key_reused')).toBe(takesKey);
    for (const [status, { headers = {} }] of Object.entries(responses)) {
      const isKept = Number(status) < 300 || ['404', '409', '422'].includes(status);
      expect('Idempotent-Replayed' in headers).toBe(takesKey && isKept);
    }
  });

  it.each(LISTS)('has the Link of %s', (name) => {
    expect(Object.keys(operation(name).responses['200']?.headers ?? {})).toContain('Link');
  });

  it.each([
    'POST /events',
    'POST /events/{event_id}/list',
    'POST /events/{event_id}/unlist',
    'PATCH /events/{event_id}',
    ...CACHEABLE,
  ])('has the ETag of %s', (name) => {
    const answers = Object.entries(operation(name).responses).filter(([status]) => /^[23]/.test(status));
    for (const [status, { headers }] of answers)
      expect([status, headers]).toEqual([status, expect.objectContaining({ ETag: expect.anything() })]);
  });

  it('has the range of every id in a path', () => {
    for (const [name, { parameters }] of Object.entries(operations)) {
      const named = [...name.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const inPath = parameters.filter((parameter) => parameter.in === 'path');
      expect(inPath.map((parameter) => parameter.name)).toEqual(named);
      for (const { name: parameterName, required, schema } of inPath) {
        expect({ required, schema }).toMatchObject({
          required: true,
          schema: ID_SCHEMAS[parameterName] ?? INTEGER,
        });
      }
    }
  });

  it.each(Object.keys(CONTRACT))('is true: %s exists', async (name) => {
    const [method = '', path = ''] = name.split(' ');
    const { status, body } = await api.client.send(
      method,
      path.replace('{provider}', 'sandbox').replace(/\{\w+\}/, '999999'),
    );
    expect([200, 400, 404, 422]).toContain(status);
    expect(['route_not_found', 'method_not_allowed']).not.toContain(body.code);
  });

  it('has examples that sell an order for money', async () => {
    const { body } = await api.client.get('/openapi.json');
    const exampleOf = (path: string, name: string) =>
      body.paths[path].post.requestBody.content['application/json'].examples[name].value as object;
    const event = (await api.client.post('/events', exampleOf('/events', 'priced'))).body;
    const types = (await api.client.get(`/events/${event.id}/ticket-types`)).body;
    const { id: user_id } = await api.create.user();
    const order = await api.client.post('/orders', {
      ...exampleOf('/orders', 'two'),
      user_id,
      event_id: event.id,
      items: [{ ticket_type_id: types[0].id, quantity: 2 }],
    });
    const paid = await api.client.post(
      `/orders/${order.body.code}/payments`,
      exampleOf('/orders/{code}/payments', 'card'),
    );
    expect(paid).toMatchObject({
      status: 201,
      body: { status: 'succeeded', amount: 2_500, currency: 'EUR' },
    });
  });

  it('writes each refusal once, whatever operations share it', async () => {
    const { body } = await api.client.get('/openapi.json');
    const answers = Object.values(body.paths as Document['paths']).flatMap((methods) =>
      Object.values(methods).flatMap(({ responses }) => Object.entries(responses)),
    );
    const refusals = answers.filter(([status]) => Number(status) >= 400);
    for (const [, refusal] of refusals) expect(Object.keys(refusal)).toEqual(['$ref']);
    const used = new Set(refusals.map(([, refusal]) => (refusal as { $ref?: string }).$ref));
    expect(used.size).toBe(Object.keys(body.components.responses as object).length);
    expect(used.size).toBeLessThan(refusals.length / 3);
  });

  it('speaks of no client, since there are none, and still lets those sign in that send one', async () => {
    const { body } = await api.client.get('/openapi.json');
    expect(JSON.stringify(body)).not.toMatch(/client_(id|secret)/);
    const account = { email: 'client@example.com', password: 'correct horse battery' };
    await api.create.user(account);
    const { status } = await api.client.send('POST', '/auth/token', {
      headers: { Authorization: `Basic ${btoa('shop:secret')}` },
      body: new URLSearchParams({
        grant_type: 'password',
        username: account.email,
        password: account.password,
        scope: '',
        client_id: 'shop',
        client_secret: 'secret',
      }),
    });
    expect(status).toBe(200);
  });

  it('has no default in a body, which generators take for what must be sent, and PATCH does not set', () => {
    expect(JSON.stringify(document.components.schemas)).not.toContain('"default":');
  });

  it('is shown by Swagger UI', async () => {
    for (const path of ['/docs', '/docs/']) {
      const { status, headers, body } = await api.client.get<string>(path);
      expect({ status, type: headers.get('content-type') }).toEqual({
        status: 200,
        type: 'text/html; charset=utf-8',
      });
      expect(body).toContain('<title>Tixxety API</title>');
    }
    const page = await api.client.get<string>('/docs/');
    const assets = [...page.body.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, asset]) => asset ?? '');
    expect(assets).toEqual(
      expect.arrayContaining(['/docs/swagger-ui-bundle.js', '/docs/swagger-ui-init.js']),
    );
    for (const asset of assets) expect((await api.client.get(asset)).status).toBe(200);
  });

  it('says what each group of operations is, and leads to the errors', () => {
    const { info, tags } = document;
    const used = new Set(Object.values(operations).flatMap((each) => each.tags));
    expect(tags.map(({ name }) => name).sort()).toEqual([...used].sort());
    for (const { description } of tags) expect(description).toMatch(/\.$/);
    expect(info.description).toContain('](/docs/errors)');
    const links = [...info.description.matchAll(/\]\(\/docs#\/(\w+)\/(\w+)\)/g)];
    expect(links.length).toBeGreaterThan(3);
    for (const [, tag, id] of links) {
      expect(Object.values(operations)).toContainEqual(
        expect.objectContaining({ operationId: id, tags: [tag] }),
      );
    }
  });

  it('lists every code of an error where the type of a problem leads', async () => {
    const { body: problem } = await api.client.get('/events/999999');
    const [page, anchor] = String(problem.type).split('#') as [string, string];
    expect(anchor).toBe('event_not_found');
    const { status, headers, body } = await api.client.get<string>(page);
    expect({ status, type: headers.get('content-type') }).toEqual({
      status: 200,
      type: 'text/html; charset=utf-8',
    });
    expect([...body.matchAll(/id="(\w+)"/g)].map(([, id]) => id)).toEqual(Object.keys(PROBLEMS));
    const entry = body.slice(
      body.indexOf('id="hold_cool_down"'),
      body.indexOf('id="idempotency_in_progress"'),
    );
    expect(entry).toContain('429 Too Many Requests');
    expect(entry).toContain('What to do:</em> Wait for as long as <code>Retry-After</code> says');
    expect(body).not.toMatch(/<script|undefined|`/);
    const codes = Object.values(CONTRACT).flatMap(([, ...refusals]) => refusals);
    for (const code of [...codes, ...COMMON, ...COMMON_WITH_BODY, 'route_not_found', 'method_not_allowed']) {
      expect(body).toContain(`id="${code}"`);
    }
  });
});
