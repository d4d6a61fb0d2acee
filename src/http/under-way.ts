import type { Socket } from 'node:net';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Response } from 'express';

/** Of each connection, the answers that are not over. */
const bySocket = new WeakMap<Socket, Set<Response>>();

/**
 * Lets an answer be over no later than its connection: Node tells an answer that waits for another on the same connection
 * nothing of its end, and whatever waits for its `close` would wait for ever.
 *
 * @returns how many answers are under way on the connection, with this one
 */
export function beginAnswer(response: Response): number {
  const responses = answersOn(response.req.socket);
  responses.add(response);
  response.on('close', () => responses.delete(response));
  return responses.size;
}

function answersOn(socket: Socket): Set<Response> {
  let responses = bySocket.get(socket);
  if (!responses) {
    const left = (responses = new Set());
    bySocket.set(socket, left);
    // By the next turn of the event loop Node has told all those that it tells.
    socket.once('close', () => setImmediate(() => left.forEach(close)));
  }
  return responses;
}

function close(response: Response): void {
  response.destroy();
  response.emit('close');
}

/** Aborted once nobody waits for the answer any more: the client has gone, or has one, be it from the deadline. */
export function goneSignal(response: Response): AbortSignal {
  if (response.destroyed) return AbortSignal.abort();
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}

/** Hands `goneSignal` to a handler. */
export const Gone = createParamDecorator((_: unknown, context: ExecutionContext) =>
  goneSignal(context.switchToHttp().getResponse<Response>()),
);
