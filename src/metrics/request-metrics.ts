import { Injectable } from '@nestjs/common';
import type { RequestHandler, Response } from 'express';
import { Counter, Histogram, Registry } from 'prom-client';
import { routeOf, statusOf } from '../http/request-outcome';
import { PROBLEMS } from '../problems/catalogue';

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
    // A series that is there from the beginning lets `rate()` see the first refusal too.
    for (const code of Object.keys(PROBLEMS)) this.problems.inc({ code }, 0);
  }

  /** Counts each request once it is over. */
  readonly middleware: RequestHandler = (request, response, next) => {
    const start = performance.now();
    response.on('close', () => {
      this.count(request.method, routeOf(request), response, (performance.now() - start) / 1_000);
    });
    next();
  };

  /** Counts a refusal or failure. */
  readonly countProblem = (code: string): void => {
    let problems = this.problemsOf.get(code);
    if (!problems) this.problemsOf.set(code, (problems = this.problems.labels(code)));
    problems.inc();
  };

  private count(method: string, route: string, response: Response, seconds: number): void {
    const status = statusOf(response);
    const key = `${method} ${route} ${status}`;
    let duration = this.durationOf.get(key);
    if (!duration)
      this.durationOf.set(key, (duration = this.durations.labels(method, route, String(status))));
    duration.observe(seconds);

    const code = response.locals.problem as string | undefined;
    if (code !== undefined) this.countProblem(code);
  }
}
