import type { Socket } from 'node:net';
import type { Response } from 'express';
import { networkOf, sharesOf } from './network';

/** Of one address: some thirty of the largest pages. */
const MOST_BYTES = 8 * 1_024 * 1_024;
/** Smaller answers are not counted: how many requests a network may make bounds them. */
const LARGE_BYTES = 4 * 1_024;

/** An address, or a site of IPv6. */
interface Network {
  name: string;
  most: number;
  bytes: number;
  /** The oldest first. */
  answers: Set<Answer>;
}

interface Answer {
  networks: Network[];
  socket: Socket;
  bytes: number;
}

const known = new Map<string, Network>();
const bySocket = new WeakMap<Socket, Set<Answer>>();

/**
 * Counts an answer that was sent until the system has taken it, which depends on how fast the client reads. Where all
 * of a network are too large together, the connection ends that has not been read from for longest.
 */
export function countUnread(response: Response, bytes: number): void {
  const { socket, address } = response.req;
  if (bytes < LARGE_BYTES || socket.destroyed) return;
  const networks = sharesOf(networkOf(address), MOST_BYTES).map(networkNamed);
  const answer = { networks, socket, bytes };
  for (const network of networks) {
    network.bytes += bytes;
    network.answers.add(answer);
  }
  answersOn(socket).add(answer);
  response.once('close', () => forget(answer));
  networks.forEach(endOldest);
}

function networkNamed([name, most]: [string, number]): Network {
  const network = known.get(name) ?? { name, most, bytes: 0, answers: new Set() };
  known.set(name, network);
  return network;
}

function endOldest(network: Network): void {
  for (const { socket } of network.answers) {
    if (network.bytes <= network.most) break;
    forgetAll(socket);
    socket.destroy();
  }
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
  const { networks, socket, bytes } = answer;
  if (!answersOn(socket).delete(answer)) return;
  for (const network of networks) {
    network.answers.delete(answer);
    network.bytes -= bytes;
    if (network.answers.size === 0) known.delete(network.name);
  }
}
