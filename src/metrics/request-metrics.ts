import { Injectable } from '@nestjs/common';
import type { RequestHandler, Response } from 'express';
import { Counter, Histogram, Registry } from 'prom-client';

/** The route of requests that no route answers: their addresses are inventions and would be labels without end. */
const NO_ROUTE = 'none';
/** As nginx counts it: the client has gone before its answer. */
const CLIENT_GONE = 499;

/** How many requests, how quickly answered, and why refused. */
@Injectable()
export class RequestMetrics {
  private readonly durations: Histogram;
  private readonly problems: Counter;
  // Looking labels up and checking them costs more than counting.
  private readonly durationOf = new Map<string, Histogram.Internal<string>>();
  private readonly problemsOf = new Map<string, Counter.Internal>();

  constructor(registry: Registry) {
    this.durations = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from a request to the end of its answer, by route template; status 499: the client has gone before',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers: [registry],
    });
    this.problems = new Counter({
      name: 'http_problems_total',
      help: 'Requests refused or failed, by the code of the problem (/docs/errors)',
      labelNames: ['code'],
      registers: [registry],
    });
  }

  /** Counts each request once it is over. */
  readonly middleware: RequestHandler = (request, response, next) => {
    const start = performance.now();
    response.once('close', () => {
      const route = (request.route as { path: string } | undefined)?.path ?? NO_ROUTE;
      this.count(request.method, route, response, (performance.now() - start) / 1_000);
    });
    next();
  };

  private count(method: string, route: string, response: Response, seconds: number): void {
    const status = response.writableFinished ? response.statusCode : CLIENT_GONE;
    const key = `${method} ${route} ${status}`;
    let duration = this.durationOf.get(key);
    if (!duration)
      this.durationOf.set(key, (duration = this.durations.labels(method, route, String(status))));
    duration.observe(seconds);

    const code = response.locals.problem as string | undefined;
    if (code === undefined) return;
    let problems = this.problemsOf.get(code);
    if (!problems) this.problemsOf.set(code, (problems = this.problems.labels(code)));
    problems.inc();
  }
}
