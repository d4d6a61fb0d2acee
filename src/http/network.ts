import { isIPv4 } from 'node:net';
import ipaddr, { IPv4, IPv6 } from 'ipaddr.js';
import { LRUCache } from 'lru-cache';

/** Where a request comes from, as limits tell callers apart. */
export interface Network {
  /** An IPv4 address, or the /64 of IPv6 that one customer has; `unknown` for what is no address. */
  address: string;
  /** The /48 that one customer of an IPv6 provider may have 65,536 such networks of. */
  site?: string;
}

/** A /48 gets so many times what one of its networks gets of connections, memory and turns: more would be all there is. */
const SHARES_PER_SITE = 2;

/** Under which names a network is counted, and how much each may have where an address has one share. */
export const sharesOf = ({ address, site }: Network, share: number): [name: string, most: number][] =>
  site === undefined
    ? [[address, share]]
    : [
        [address, share],
        [site, share * SHARES_PER_SITE],
      ];

/** Parsing an address takes as long as all other counting of a request, and connections carry many requests. */
const known = new LRUCache<string, Readonly<Network>>({ max: 10_000 });
/** Longer than every address; a proxy may pass on any text. */
const LONGEST_KNOWN = 64;

/**
 * The network of an address, as a socket or a proxy writes it: proxies put a port behind it, and IPv6 into brackets. All
 * that is no address counts as one network, else a client could make up another with every request.
 */
export function networkOf(text = ''): Readonly<Network> {
  if (isIPv4(text)) return { address: text };
  const found = known.get(text);
  if (found) return found;
  const network = parse(text);
  if (text.length <= LONGEST_KNOWN) known.set(text, network);
  return network;
}

function parse(text: string): Network {
  const [, bracketed, withPort] = /^(?:\[([^\]]*)\]|(\d[\d.]*))(?::\d{1,5})?$/.exec(text) ?? [];
  const address = bracketed ?? withPort ?? text;
  if (!IPv4.isValidFourPartDecimal(address) && !IPv6.isValid(address)) return { address: 'unknown' };
  const parsed = ipaddr.process(address);
  if (parsed instanceof IPv4) return { address: parsed.toString() };
  return { address: prefixOf(parsed, 4), site: prefixOf(parsed, 3) };
}

/** @param groups how many of the eight groups of 16 bits belong to the network */
const prefixOf = ({ parts }: IPv6, groups: number) =>
  `${parts
    .slice(0, groups)
    .map((part) => part.toString(16))
    .join(':')}::/${16 * groups}`;
