import type { Part } from './part';
import { crowded } from './parts/crowded';
import { denial } from './parts/denial';
import { expiry } from './parts/expiry';
import { growth } from './parts/growth';
import { guards } from './parts/guards';
import { hot } from './parts/hot';
import { keys } from './parts/keys';
import { lateness } from './parts/lateness';
import { memory } from './parts/memory';
import { nearby } from './parts/nearby';
import { orders } from './parts/orders';
import { paging } from './parts/paging';
import { pay } from './parts/pay';
import { processes } from './parts/processes';
import { queue } from './parts/queue';
import { siege } from './parts/siege';
import { snapshot } from './parts/snapshot';
import { spread } from './parts/spread';
import { stuck } from './parts/stuck';
import { till } from './parts/till';

/** In the order in which they run. */
export const PARTS: readonly Part[] = [
  hot,
  spread,
  processes,
  pay,
  guards,
  keys,
  orders,
  till,
  stuck,
  expiry,
  snapshot,
  lateness,
  queue,
  nearby,
  paging,
  crowded,
  siege,
  growth,
  memory,
  denial,
];
