import { applyDecorators } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import type { Response } from 'express';
import { countUnread } from '../http/unread-answers';

/** Sends a document; where a browser keeps it, it has a name. */
export function sendDocument(response: Response, type: string, name: string, content: Uint8Array): void {
  // The deadline may have answered meanwhile.
  if (response.headersSent) return;
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Disposition', `inline; filename="${name}"`);
  response.setHeader('Content-Length', content.length);
  response.end(content);
  countUnread(response, content.length);
}

/** Documents an answer that is a document. */
export const ApiDocument = (type: string, description: string) =>
  applyDecorators(
    ApiOkResponse({ description, content: { [type]: { schema: { type: 'string', format: 'binary' } } } }),
  );
