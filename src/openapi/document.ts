import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { FOR_DEVICES_EXTENSION } from '../auth/device';
import { PUBLIC_EXTENSION } from '../auth/public';
import { PROBLEMS_EXTENSION } from '../http/api-docs';
import { CSV, CSV_EXTENSION } from '../http/csv';
import { TAG_EXTENSION } from '../http/entity-tag';
import { isKept } from '../idempotency/idempotency.service';
import { IDEMPOTENT_EXTENSION } from '../idempotency/idempotent.decorator';
import type { ProblemCode } from '../problems/catalogue';
import { VERSION } from '../version';
import { INTRODUCTION, SIGN_IN_DESCRIPTION, TAGS } from './introduction';
import { ProblemResponses, REPLAYED } from './problem-responses';

type Schema = Record<string, unknown>;
interface Operation {
  [PUBLIC_EXTENSION]?: boolean;
  [FOR_DEVICES_EXTENSION]?: boolean;
  [IDEMPOTENT_EXTENSION]?: boolean;
  [PROBLEMS_EXTENSION]?: ProblemCode[];
  [CSV_EXTENSION]?: boolean;
  [TAG_EXTENSION]?: boolean;
  security?: object[];
  parameters: object[];
  requestBody?: object;
  responses: Record<string, { description: string; headers?: object; content?: object }>;
}

/** The names of the security schemes. */
const SIGN_IN = 'sign_in';
const DEVICE = 'device';

/** What routes tell this document; none of it stays in there. */
const EXTENSIONS = [
  PUBLIC_EXTENSION,
  FOR_DEVICES_EXTENSION,
  IDEMPOTENT_EXTENSION,
  PROBLEMS_EXTENSION,
  CSV_EXTENSION,
  TAG_EXTENSION,
] as const;

/** What every operation may be refused with. */
const COMMON = [
  'validation_failed',
  'rate_limited',
  'internal_error',
  'service_unavailable',
] as const satisfies ProblemCode[];

/** The OpenAPI 3.1 document of the routes that the application has. */
export function createDocument(app: INestApplication): OpenAPIObject {
  const document = SwaggerModule.createDocument(app, describeApi());
  const problems = new ProblemResponses();
  for (const path of Object.values(document.paths)) {
    for (const [method, operation] of Object.entries(path) as [string, Operation][]) {
      const isIdempotent = operation[IDEMPOTENT_EXTENSION] ?? false;
      completeSecurity(operation);
      if (isIdempotent) documentKey(operation);
      if (operation[CSV_EXTENSION]) documentCsv(operation);
      if (operation[TAG_EXTENSION]) documentTag(operation);
      for (const response of Object.values(operation.responses)) response.description ||= 'OK';
      Object.assign(operation.responses, problems.of(codesOf(operation, method), isIdempotent));
      for (const extension of EXTENSIONS) operation[extension] = undefined;
    }
  }
  document.info.contact = { name: 'The operator of this server' };
  const { schemas, ...components } = document.components ?? {};
  document.components = {
    schemas: { ...schemas, ...problems.schemas },
    ...components,
    parameters: { IdempotencyKey: IDEMPOTENCY_KEY },
    headers: { ...problems.headers, ETag: TAG, IdempotentReplayed: IDEMPOTENT_REPLAYED },
    responses: problems.responses,
    examples: problems.examples,
  } as OpenAPIObject['components'];
  return toJsonSchema2020(document) as OpenAPIObject;
}

function describeApi() {
  const builder = new DocumentBuilder()
    .setTitle('Tixxety API')
    .setDescription(INTRODUCTION)
    .setVersion(VERSION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .setOpenAPIVersion('3.1.0')
    .addServer('/')
    .addOAuth2(
      {
        type: 'oauth2',
        description: SIGN_IN_DESCRIPTION,
        flows: { password: { tokenUrl: '/auth/token', refreshUrl: '/auth/token', scopes: {} } },
      },
      SIGN_IN,
    )
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        description: 'The token of a device, for the gate of its event alone.',
      },
      DEVICE,
    );
  for (const [name, description] of Object.entries(TAGS)) builder.addTag(name, description);
  return builder.build();
}

/** Says who may call, as the guard sees it. */
function completeSecurity(operation: Operation): void {
  operation.security = operation[PUBLIC_EXTENSION] ? [] : [{ [SIGN_IN]: [] }];
  if (operation[FOR_DEVICES_EXTENSION]) operation.security.push({ [DEVICE]: [] });
}

/** What the operation may be refused with: its own codes, and those that it shares with all of its kind. */
function codesOf(operation: Operation, method: string): ProblemCode[] {
  const codes: ProblemCode[] = [...(operation[PROBLEMS_EXTENSION] ?? []), ...COMMON];
  if (operation.security?.length) codes.push('unauthenticated');
  // A body is read before its route is known, also where the route takes none.
  if (method !== 'get') codes.push('malformed_json', 'body_too_large', 'unsupported_media_type');
  if (operation[IDEMPOTENT_EXTENSION]) codes.push('idempotency_in_progress', 'idempotency_key_reused');
  return codes;
}

/** Adds the `Idempotency-Key`. */
function documentKey(operation: Operation): void {
  operation.parameters.push({ $ref: '#/components/parameters/IdempotencyKey' });
  for (const [status, response] of Object.entries(operation.responses)) {
    if (isKept(Number(status))) response.headers = { ...response.headers, ...REPLAYED };
  }
}

/** Adds the `ETag` to the answer. */
function documentTag({ responses }: Operation): void {
  for (const [status, response] of Object.entries(responses))
    if (status.startsWith('2'))
      response.headers = { ...response.headers, ETag: { $ref: '#/components/headers/ETag' } };
}

/** Adds what is answered to `Accept: text/csv`. */
function documentCsv({ responses }: Operation): void {
  const { 200: page } = responses;
  if (page)
    page.content = { ...page.content, [CSV]: { schema: { type: 'string', description: 'Every row' } } };
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'Makes the request safe to send again: a new key, such as a UUID, for each thing to be done. For 24 hours the same ' +
    'caller, key, address and body get the first answer again, and nothing is done twice, whatever crashed in between. ' +
    'Spaces and the order of fields make no other body. A caller who is not signed in is known by the whole request. ' +
    'Input that does not validate, 401, 403, 429 and 5xx are not kept.',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
};

const IDEMPOTENT_REPLAYED = {
  description: '`true` where this is the first answer to the `Idempotency-Key` again; otherwise absent',
  schema: { type: 'string', enum: ['true'] },
};

const TAG = { description: 'Stands for the answer (RFC 9110)', schema: { type: 'string' } };

/** OpenAPI 3.1 speaks JSON Schema 2020-12, which says `type: [x, "null"]` where 3.0 and Nest say `nullable`. */
function toJsonSchema2020(node: unknown): unknown {
  if (Array.isArray(node)) return node.map((item) => toJsonSchema2020(item));
  if (node === null || typeof node !== 'object') return node;
  const { nullable, ...rest }: Schema = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, toJsonSchema2020(value)]),
  );
  return nullable === true ? { ...rest, type: [rest.type, 'null'] } : rest;
}
