import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import type { ProblemCode } from '../problems/catalogue';
import { Problem, toAnswer } from '../problems/problem';
import { plainAddress } from './client-address';
import { requestLines } from './request-log';
import { NO_ROUTE } from './request-outcome';
import { SECURITY_HEADERS } from './security-headers';

/** By Node's name for the fault, with the statuses that Node answers by itself; every other fault is malformed. */
const CODES: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/**
 * Answers what Node refuses before it is a request that the application sees, which Node would do without a body:
 * what is no HTTP, is too large to be read, or comes too slowly. The connection is closed.
 *
 * @param count is told the code of each refusal; a worker has no use for it
 */
export function answerClientErrors(
  server: Server,
  logger: Logger,
  count: (code: string) => void = () => undefined,
): void {
  const log = requestLines(logger);
  server.on(
    'clientError',
    (error: NodeJS.ErrnoException, socket: Socket & { _httpMessage?: ServerResponse | null }) => {
      // In the middle of an answer, another one would be taken for a part of it.
      if (!socket.writable || socket._httpMessage?.headersSent) {
        socket.destroy(error);
        return;
      }
      const requestId = randomUUID();
      const { status, code, body } = toAnswer(
        new Problem(CODES[error.code ?? ''] ?? 'malformed_request'),
        requestId,
      );
      const address = plainAddress(socket.remoteAddress);
      log({
        request_id: requestId,
        route: NO_ROUTE,
        status,
        address,
        problem: code,
        reason: error.code,
      });
      count(code);
      const headers = {
        ...SECURITY_HEADERS,
        Connection: 'close',
        'Content-Type': 'application/problem+json; charset=utf-8',
        'Content-Length': Buffer.byteLength(body),
        'X-Request-Id': requestId,
      };
      const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      const text = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...head, '', body].join('\r\n');
      socket.end(text, () => socket.destroy());
    },
  );
}
