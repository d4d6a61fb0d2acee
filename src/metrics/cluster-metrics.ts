import cluster from 'node:cluster';
import { AggregatorRegistry, type Registry } from 'prom-client';

/*
 * API processes that share a port share a scrape too: Prometheus reaches one of them, which asks the first process,
 * which asks them all. Each marks its series with a label of its own; added up, they would fall whenever a process
 * ends, and Prometheus would take that for a restart of all.
 */

const QUESTION = 'tixxety:metrics?';
const ANSWER = 'tixxety:metrics!';

interface Answer {
  type: typeof ANSWER;
  id: number;
  metrics?: string;
}

/** In the first process: answers for all. */
export function gatherMetrics(): void {
  const aggregator = new AggregatorRegistry();
  cluster.on('message', (worker, { type, id }: { type?: string; id: number }) => {
    if (type !== QUESTION) return;
    const answer = (metrics?: string) => {
      if (worker.isConnected()) worker.send({ type: ANSWER, id, metrics } satisfies Answer);
    };
    aggregator.clusterMetrics().then(answer, () => answer());
  });
}

/** In each of the others: offers its metrics to the first. */
export function offerMetrics(registry: Registry): void {
  registry.setDefaultLabels({ process: String(cluster.worker?.id) });
  AggregatorRegistry.setRegistries(registry);
  // What answers the questions is installed by the first one that is made.
  new AggregatorRegistry();
}

let questions = 0;
let asked: Promise<string> | undefined;

/**
 * The metrics of all API processes. Scrapes that come at once share an answer.
 *
 * @throws when one of them does not answer within five seconds
 */
export function askFirstProcess(): Promise<string> {
  return (asked ??= ask().finally(() => (asked = undefined)));
}

async function ask(): Promise<string> {
  const id = ++questions;
  return await new Promise((resolve, reject) => {
    const listen = (message: Partial<Answer>) => {
      if (message.type !== ANSWER || message.id !== id) return;
      process.off('message', listen);
      if (message.metrics === undefined) reject(new Error('an API process does not answer'));
      else resolve(message.metrics);
    };
    process.on('message', listen);
    process.send?.({ type: QUESTION, id });
  });
}
