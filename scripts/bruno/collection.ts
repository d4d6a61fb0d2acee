/** As much of an OpenAPI document as a collection is made of. */
export interface Document {
  info: { title: string };
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}
interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  tags: string[];
  security: object[];
  parameters: { name?: string; in?: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema; examples?: Record<string, { value: object }> }> };
}
interface Schema {
  $ref?: string;
  example?: unknown;
  default?: unknown;
  properties?: Record<string, Schema>;
  allOf?: Schema[];
}

/** What later requests need of the answer to one: the variable of Bruno, and where the body has it. */
const CAPTURED: Record<string, Record<string, string>> = {
  createUser: {
    access_token: 'body?.access_token',
    refresh_token: 'body?.refresh_token',
    user_id: 'body?.id',
    email: 'body?.email',
  },
  createTokens: { access_token: 'body?.access_token', refresh_token: 'body?.refresh_token' },
  listUserSessions: { session_id: 'body?.[0]?.id' },
  createEvent: { event_id: 'body?.id' },
  reserveTicket: { ticket_id: 'body?.id' },
  createTicketType: { ticket_type_id: 'body?.id' },
  createQuota: { quota_id: 'body?.id' },
  createCode: { code_id: 'body?.id' },
};

/** Where a request of the collection sends something else than the example: what was captured, or what is unique. */
const VARIABLES: Record<string, Record<string, string>> = {
  createUser: { email: '{{new_email}}' },
  createTokens: { username: '{{email}}' },
  revokeTokens: { token: '{{refresh_token}}' },
};

/** The order of a first run: what others need comes before them, what ends the session last. */
const FIRST = ['createUser', 'createTokens', 'createEvent', 'reserveTicket', 'payTicket', 'createTicketType', 'createQuota', 'createCode'];
const LAST = ['deleteCode', 'deleteTicketType', 'changePassword', 'revokeTokens', 'endSession'];

/** The files of a Bruno collection by their paths: a folder for each tag, a request for each operation. */
export function collectionOf(document: Document): Record<string, string> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  return {
    'bruno.json': `${JSON.stringify({ version: '1', name: document.info.title, type: 'collection' }, null, 2)}\n`,
    'collection.bru': blocks({ auth: 'mode: bearer', 'auth:bearer': 'token: {{access_token}}' }),
    'environments/local.bru': blocks({ vars: 'base_url: http://127.0.0.1:8000' }),
    'environments/production.bru': blocks({ vars: 'base_url: https://api.example.com' }),
    ...Object.fromEntries(
      document.tags.map(({ name }, i) => [
        `${name}/folder.bru`,
        blocks({ meta: `name: ${name}\nseq: ${i + 1}` }),
      ]),
    ),
    ...Object.fromEntries(
      operations.map((each) => [
        `${each.operation.tags[0]}/${each.operation.operationId}.bru`,
        requestOf(each, document),
      ]),
    ),
  };
}

function requestOf(
  { path, method, operation }: { path: string; method: string; operation: Operation },
  document: Document,
): string {
  const { operationId, summary, description, security, parameters, requestBody } = operation;
  const url = `{{base_url}}${path.replace(/\{(\w+)\}/g, ':$1')}`;
  const inPath = parameters.filter((each) => each.in === 'path').map(({ name }) => `${name}: {{${name}}}`);
  // With a tilde a parameter is offered, but not sent.
  const inQuery = parameters.filter((each) => each.in === 'query').map(({ name }) => `~${name}: `);
  const body = requestBody && { ...exampleOf(requestBody.content, document), ...VARIABLES[operationId] };
  const captured = Object.entries(CAPTURED[operationId] ?? {});
  return blocks({
    meta: `name: ${summary}\ntype: http\nseq: ${sequenceOf(operationId)}`,
    [method]: `url: ${url}\nbody: ${body ? 'json' : 'none'}\nauth: ${security.length > 0 ? 'inherit' : 'none'}`,
    'params:path': inPath.join('\n'),
    'params:query': inQuery.join('\n'),
    'body:json': body && JSON.stringify(withIds(body), null, 2).replace(/"(\{\{\w+_id\}\})"/g, '$1'),
    'script:pre-request':
      operationId === 'createUser' ? "bru.setVar('new_email', `ada.${Date.now()}@example.com`);" : undefined,
    'script:post-response': captured
      .map(([variable, field]) => `if (res.${field}) bru.setVar('${variable}', res.${field});`)
      .join('\n'),
    docs: [summary, description].filter(Boolean).join('\n\n'),
  });
}

/** Ids of the example become those that were captured. */
const withIds = (body: object) =>
  Object.fromEntries(
    Object.entries(body).map(([key, value]) => [key, key.endsWith('_id') ? `{{${key}}}` : value]),
  );

const sequenceOf = (id: string) =>
  FIRST.includes(id) ? FIRST.indexOf(id) + 1 : FIRST.length + 2 + LAST.indexOf(id);

/** The first example of a body, or the examples of its fields. */
function exampleOf(content: NonNullable<Operation['requestBody']>['content'], document: Document): object {
  const media = content['application/json'] ?? Object.values(content)[0];
  const [named] = Object.values(media?.examples ?? {});
  return named?.value ?? (sampleOf(media?.schema ?? {}, document) as object);
}

function sampleOf(schema: Schema, document: Document): unknown {
  const name = schema.$ref?.split('/').at(-1);
  const resolved = name === undefined ? schema : document.components.schemas[name];
  if (resolved?.example !== undefined) return resolved.example;
  if (resolved?.allOf?.[0]) return sampleOf(resolved.allOf[0], document);
  const fields = Object.entries(resolved?.properties ?? {}).map(([key, each]) => [
    key,
    sampleOf(each, document),
  ]);
  return fields.length > 0 ? Object.fromEntries(fields) : (resolved?.default ?? null);
}

/** Blocks in Bruno's language; those without content are left out. */
const blocks = (content: Record<string, string | undefined>) =>
  Object.entries(content)
    .filter((block): block is [string, string] => Boolean(block[1]))
    .map(([name, text]) => `${name} {\n${text.replace(/^(?=.)/gm, '  ')}\n}\n`)
    .join('\n');
