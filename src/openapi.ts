import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { PUBLIC_EXTENSION } from './auth/public';
import { problemResponse } from './common/api-docs';
import { PROBLEMS, type ProblemCode } from './common/problem';
import { VERSION } from './version';

type Schema = Record<string, unknown>;
interface Operation {
  [PUBLIC_EXTENSION]?: boolean;
  security?: object[];
  requestBody?: object;
  responses: Record<string, { description: string; content?: Record<string, { examples?: object }> }>;
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
  const own = Object.values(operation.responses).flatMap(({ content }) =>
    Object.keys(content?.['application/problem+json']?.examples ?? {}),
  );
  codes.unshift(...(own as ProblemCode[]));
  for (const { status } of codes.map((code) => PROBLEMS[code])) {
    operation.responses[status] = problemResponse(status, codes);
  }
  for (const response of Object.values(operation.responses)) response.description ||= 'OK';
}

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
