import type { Request } from 'express';

/** An IPv4 address as a socket that speaks IPv6 tells it. */
const MAPPED = '::ffff:';

/** The address, with one of IPv4 always in its own form; empty where the connection is gone already. */
export const plainAddress = (address = '') =>
  address.startsWith(MAPPED) && address.includes('.') ? address.slice(MAPPED.length) : address;

/**
 * Where a request comes from, as far as `TRUST_PROXY` believes what proxies say of it. (Express takes its time over that
 * even where none says anything.)
 */
export const clientAddress = (request: Request): string =>
  plainAddress(request.headers['x-forwarded-for'] === undefined ? request.socket.remoteAddress : request.ip);
