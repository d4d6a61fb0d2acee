import type { Socket } from 'node:net';
import type { Response } from 'express';
import { networkOf } from './network';

/** Of one network: some thirty of the largest pages. */
const MOST_BYTES = 8 * 1_024 * 1_024;
/** Smaller answers are not counted: how many requests a network may make bounds them. */
const LARGE_BYTES = 4 * 1_024;

interface Network {
  name: string;
  bytes: number;
  /** The oldest first. */
  answers: Set<Answer>;
}

interface Answer {
  network: Network;
  socket: Socket;
  bytes: number;
}

const networks = new Map<string, Network>();
const bySocket = new WeakMap<Socket, Set<Answer>>();

/**
 * Counts an answer that was sent until the system has taken it, which depends on how fast the client reads. Where all
 * of a network are too large together, the connection ends that has not been read from for longest.
 */
export function countUnread(response: Response, bytes: number): void {
  const { socket, address } = response.req;
  if (bytes < LARGE_BYTES || socket.destroyed) return;
  const network = networkNamed(networkOf(address).address);
  const answer = { network, socket, bytes };
  network.bytes += bytes;
  network.answers.add(answer);
  answersOn(socket).add(answer);
  response.once('close', () => forget(answer));
  for (const { socket: oldest } of network.answers) {
    if (network.bytes <= MOST_BYTES) break;
    forgetAll(oldest);
    oldest.destroy();
  }
}

function networkNamed(name: string): Network {
  const network = networks.get(name) ?? { name, bytes: 0, answers: new Set() };
  networks.set(name, network);
  return network;
}

function answersOn(socket: Socket): Set<Answer> {
  let answers = bySocket.get(socket);
  if (!answers) {
    bySocket.set(socket, (answers = new Set()));
    // Node does not tell answers that wait for another on the same connection that it is gone.
    socket.once('close', () => forgetAll(socket));
  }
  return answers;
}

function forgetAll(socket: Socket): void {
  for (const answer of answersOn(socket)) forget(answer);
}

function forget(answer: Answer): void {
  const { network, socket, bytes } = answer;
  if (!network.answers.delete(answer)) return;
  answersOn(socket).delete(answer);
  network.bytes -= bytes;
  if (network.answers.size === 0) networks.delete(network.name);
}
