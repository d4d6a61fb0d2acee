import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { PUBLIC_EXTENSION } from './auth/public';
import { problemResponse } from './http/api-docs';
import { PROBLEMS, type ProblemCode } from './problems/catalogue';
import { isKept } from './idempotency/idempotency.service';
import { IDEMPOTENT_EXTENSION } from './idempotency/idempotent.decorator';
import { VERSION } from './version';

type Schema = Record<string, unknown>;
interface Operation {
  [PUBLIC_EXTENSION]?: boolean;
  [IDEMPOTENT_EXTENSION]?: boolean;
  security?: object[];
  parameters: object[];
  requestBody?: object;
  responses: Record<string, OperationResponse>;
}
interface OperationResponse {
  description: string;
  headers?: object;
  content?: Record<string, { examples?: object }>;
}

/** The name of the security scheme. */
const SIGN_IN = 'sign_in';

const PROBLEM_SCHEMA: Schema = {
  type: 'object',
  description: 'Problem details (RFC 9457)',
  required: ['type', 'title', 'status', 'detail', 'code', 'request_id'],
  properties: {
    type: { type: 'string', format: 'uri-reference', description: 'Where the error catalogue explains it' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'A sentence for a person' },
    code: { type: 'string', enum: Object.keys(PROBLEMS), description: 'Stable, for programs' },
    request_id: { type: 'string' },
    errors: {
      type: 'array',
      description: 'What does not validate, part by part',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: {
          pointer: { type: 'string', description: 'JSON Pointer (RFC 6901) to the field or parameter' },
          detail: { type: 'string' },
        },
      },
    },
  },
};

/** Serves Swagger UI at `/docs`, the document at `/openapi.json` and the error catalogue at `/docs/errors`. */
export function serveDocs(app: INestApplication): void {
  const document = createDocument(app);
  const server = app.getHttpAdapter();
  server.get('/openapi.json', (_request: Request, response: Response) => response.json(document));
  server.get('/docs/errors', (_request: Request, response: Response) =>
    response.type('html').send(ERROR_CATALOGUE),
  );
  SwaggerModule.setup('docs', app, document, { customSiteTitle: 'Tixxety API', raw: false });
}

/** The OpenAPI 3.1 document of the routes that the application has. */
export function createDocument(app: INestApplication): OpenAPIObject {
  const description = new DocumentBuilder()
    .setTitle('Tixxety API')
    .setDescription(
      'Booking of event tickets: a reserved ticket holds its place for a while and ends by itself unless it is paid.',
    )
    .setVersion(VERSION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .setOpenAPIVersion('3.1.0')
    .addServer('/')
    .addOAuth2(
      {
        type: 'oauth2',
        description: 'Sign in with e-mail and password; leave the client empty.',
        flows: { password: { tokenUrl: '/auth/token', refreshUrl: '/auth/token', scopes: {} } },
      },
      SIGN_IN,
    )
    .addTag('service', 'The service itself')
    .addTag('auth', 'Signing in and out')
    .addTag('users', 'People who book')
    .addTag('events', 'What is booked')
    .addTag('tickets', 'The booking')
    .build();
  const document = SwaggerModule.createDocument(app, description);
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path) as Operation[]) {
      completeSecurity(operation);
      completeResponses(operation);
      completeKey(operation);
    }
  }
  delete document.info.contact; // Nest puts an empty one there
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: PROBLEM_SCHEMA },
  };
  return toJsonSchema2020(document) as OpenAPIObject;
}

/** Says who may call, as the guard sees it. */
function completeSecurity(operation: Operation): void {
  operation.security = operation[PUBLIC_EXTENSION] ? [] : [{ [SIGN_IN]: [] }];
  operation[PUBLIC_EXTENSION] = undefined;
}

/** Adds what every operation may be refused with. */
function completeResponses(operation: Operation): void {
  const codes: ProblemCode[] = ['validation_failed', 'rate_limited', 'internal_error', 'service_unavailable'];
  if (operation.security?.length) codes.push('unauthenticated');
  if (operation.requestBody) codes.push('malformed_json', 'body_too_large', 'unsupported_media_type');
  addProblems(operation, codes);
  for (const response of Object.values(operation.responses)) response.description ||= 'OK';
}

/** Adds the `Idempotency-Key` where the route takes one. */
function completeKey(operation: Operation): void {
  const isIdempotent = operation[IDEMPOTENT_EXTENSION];
  operation[IDEMPOTENT_EXTENSION] = undefined;
  if (!isIdempotent) return;
  operation.parameters.push(IDEMPOTENCY_KEY);
  addProblems(operation, ['idempotency_in_progress', 'idempotency_key_reused']);
  for (const [status, response] of Object.entries(operation.responses)) {
    if (isKept(Number(status))) response.headers = { ...response.headers, ...IDEMPOTENT_REPLAYED };
  }
}

/** Adds to what the operation may be refused with already. */
function addProblems({ responses }: Operation, codes: ProblemCode[]): void {
  const examples = Object.values(responses).map(
    ({ content }) => content?.['application/problem+json']?.examples,
  );
  const all = [...examples.flatMap((each) => Object.keys(each ?? {}) as ProblemCode[]), ...codes];
  for (const status of codes.map((code) => PROBLEMS[code].status))
    responses[status] = problemResponse(status, all);
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'Makes the request safe to send again: a new key, such as a UUID, for each thing to be done. For 24 hours the same ' +
    'caller, key, address and body get the first answer again, and nothing is done twice, whatever crashed in between. ' +
    'Spaces and the order of fields make no other body. A caller who is not signed in is known by the whole request. ' +
    'Input that does not validate, 401, 429 and 5xx are not kept.',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
};

const IDEMPOTENT_REPLAYED = {
  'Idempotent-Replayed': {
    description: '`true` where this is the first answer to the `Idempotency-Key` again; otherwise absent',
    schema: { type: 'string', enum: ['true'] },
  },
};

/** OpenAPI 3.1 speaks JSON Schema 2020-12, which says `type: [x, "null"]` where 3.0 and Nest say `nullable`. */
function toJsonSchema2020(node: unknown): unknown {
  if (Array.isArray(node)) return node.map((item) => toJsonSchema2020(item));
  if (node === null || typeof node !== 'object') return node;
  const { nullable, ...rest }: Schema = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, toJsonSchema2020(value)]),
  );
  return nullable === true ? { ...rest, type: [rest.type, 'null'] } : rest;
}

const ERROR_CATALOGUE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Tixxety API: errors</title>
<h1>Errors</h1>
<p>Every refusal is <code>application/problem+json</code>; programs branch on <code>code</code>.</p>
<dl>
${Object.entries(PROBLEMS)
  .map(
    ([code, { status, detail }]) =>
      `<dt id="${code}"><code>${code}</code> (${status})</dt><dd>${detail}</dd>`,
  )
  .join('\n')}
</dl>
</html>
`;
