import type { INestApplication } from '@nestjs/common';
import { staticAnswer } from '../http/static-answer';
import { createDocument } from './document';
import { ERROR_PAGE } from './error-page';
import { SWAGGER_UI_ASSETS, SWAGGER_UI_PAGE } from './swagger-ui';

const HTML = 'text/html; charset=utf-8';
/** Swagger UI changes with a release only, and is the bulk of what a browser loads. */
const A_DAY = 'public, max-age=86400';

/** Serves Swagger UI at `/docs`, the document at `/openapi.json` and the error catalogue at `/docs/errors`. */
export function serveDocs(app: INestApplication): void {
  const server = app.getHttpAdapter();
  const document = JSON.stringify(createDocument(app));
  server.get('/openapi.json', staticAnswer('application/json; charset=utf-8', document));
  server.get('/docs', staticAnswer(HTML, SWAGGER_UI_PAGE));
  server.get('/docs/errors', staticAnswer(HTML, ERROR_PAGE));
  for (const { name, type, content } of SWAGGER_UI_ASSETS) {
    server.get(`/docs/${name}`, staticAnswer(type, content, A_DAY));
  }
}
