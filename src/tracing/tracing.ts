import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe, type TracingChannel } from 'node:diagnostics_channel';
import type { OnApplicationShutdown } from '@nestjs/common';
import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type SpanOptions,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Request, Response } from 'express';
import type { DataSource, EntitySubscriberInterface } from 'typeorm';
import type { AfterQueryEvent } from 'typeorm/subscriber/event/QueryEvent.js';
import {
  batches,
  batchJoins,
  jobs,
  jobsToSend,
  statements,
  type Batch,
  type Job,
  type TracedStatement,
} from '../telemetry/channels';
import { isProbe, NO_ROUTE, routeOf } from '../http/request-outcome';
import { VERSION } from '../version';

/** The end of a process must not wait for a collector that does not answer. */
const EXPORT_LIMIT_MS = 2_000;

const DATABASE = { 'db.system.name': 'postgresql' };
const traceContext = new W3CTraceContextPropagator();

/** Makes spans of what the process tells of itself, and sends them to the collector at `endpoint`. */
export function startTracing(role: string, endpoint: string, dataSource: DataSource): OnApplicationShutdown {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
    timeoutMillis: EXPORT_LIMIT_MS,
  });
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': `tixxety-${role}`, 'service.version': VERSION }))
    .merge(detectResources({ detectors: [envDetector] }));
  const provider = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] });
  const tracer = provider.getTracer('tixxety', VERSION);

  /** The span that the running code works for. */
  const current = new AsyncLocalStorage<Span | undefined>();
  const startSpan = (name: string, options: SpanOptions, parent: Context = contextOf(current.getStore())) =>
    tracer.startSpan(name, options, parent);

  const stops = [
    traceRequests(),
    traceBatches(),
    traceWork<TracedStatement>(
      statements,
      ({ name, text }) =>
        // The sweeper's statements belong to no request.
        current.getStore() && startSpan(name ?? operationOf(text), statementOptions(text)),
    ),
    traceWork<Job>(jobs, ({ name, data }) =>
      startSpan(
        name,
        { kind: SpanKind.CONSUMER },
        traceContext.extract(ROOT_CONTEXT, data, defaultTextMapGetter),
      ),
    ),
    traceJobsToSend(),
    traceQueries(),
  ];

  return {
    onApplicationShutdown: async () => {
      for (const stop of stops) stop();
      await provider.shutdown().catch(() => undefined);
    },
  };

  /** From Node's own channel: what it sets also holds where the body arrives, which middleware can't reach. */
  function traceRequests(): () => void {
    const start = (message: unknown) => {
      const { request, response } = message as { request: Request; response: Response };
      const caller = traceContext.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter);
      const span = isProbe(request.url)
        ? undefined
        : startSpan(request.method, { kind: SpanKind.SERVER }, caller);
      // Also where there is none: the request before on this connection had one.
      current.enterWith(span);
      if (!span) return;
      const { traceId, spanId } = span.spanContext();
      request.trace = { trace_id: traceId, span_id: spanId };
      response.once('close', () => endRequest(span, request, response));
    };
    subscribe('http.server.request.start', start);
    return () => unsubscribe('http.server.request.start', start);
  }

  /** One statement serves many requests: its span belongs to the first and is linked with the others, both ways. */
  function traceBatches(): () => void {
    const callers = new WeakMap<object, Span>();
    const join = (request: unknown) => {
      const caller = current.getStore();
      if (caller) callers.set(request as object, caller);
    };
    subscribe(batchJoins.name, join);
    const stop = traceWork<Batch>(batches, ({ name, requests }) => {
      const [first, ...others] = requests.flatMap((request) => callers.get(request) ?? []);
      const links = others.map((other) => ({ context: other.spanContext() }));
      const attributes = { 'tixxety.batch.size': requests.length };
      const span = startSpan(`${name} batch`, { links, attributes }, contextOf(first));
      for (const other of others) other.addLink({ context: span.spanContext() });
      return span;
    });
    return () => {
      stop();
      unsubscribe(batchJoins.name, join);
    };
  }

  /** The job takes the context of the request along, so that the release of the hold continues its trace. */
  function traceJobsToSend(): () => void {
    const send = (data: unknown) =>
      traceContext.inject(contextOf(current.getStore()), data, defaultTextMapSetter);
    subscribe(jobsToSend.name, send);
    return () => unsubscribe(jobsToSend.name, send);
  }

  /** What TypeORM runs; it tells only afterwards. */
  function traceQueries(): () => void {
    const subscriber: EntitySubscriberInterface = {
      afterQuery: ({ query, executionTime = 0, error }: AfterQueryEvent) => {
        if (!current.getStore()) return;
        const startTime = Date.now() - executionTime;
        endSpan(startSpan(operationOf(query), { ...statementOptions(query), startTime }), error);
      },
    };
    dataSource.subscribers.push(subscriber);
    return () => dataSource.subscribers.splice(dataSource.subscribers.indexOf(subscriber), 1);
  }

  /** A span as long as what the channel tells of; what happens meanwhile belongs to it. */
  function traceWork<Message extends object>(
    channel: TracingChannel<unknown, Message>,
    start: (message: Message) => Span | undefined,
  ): () => void {
    const spans = new WeakMap<object, Span>();
    const end = (message: unknown) =>
      endSpan(spans.get(message as Message), (message as { error?: unknown }).error);
    channel.start.bindStore(current, (message) => {
      const span = start(message);
      if (span) spans.set(message, span);
      return span;
    });
    subscribe(channel.asyncEnd.name, end);
    return () => {
      channel.start.unbindStore(current);
      unsubscribe(channel.asyncEnd.name, end);
    };
  }
}

const contextOf = (span: Span | undefined) => (span ? trace.setSpan(ROOT_CONTEXT, span) : ROOT_CONTEXT);

const operationOf = (sql: string) => /\w+/.exec(sql)?.[0].toUpperCase() ?? 'SQL';

const statementOptions = (sql: string): SpanOptions => ({
  kind: SpanKind.CLIENT,
  // Only ever with placeholders: values are sent beside it.
  attributes: { ...DATABASE, 'db.query.text': sql.replace(/\s+/g, ' ').trim() },
});

function endRequest(span: Span, request: Request, response: Response): void {
  const route = routeOf(request);
  if (route !== NO_ROUTE) span.updateName(`${request.method} ${route}`).setAttribute('http.route', route);
  span.setAttributes({
    'http.request.method': request.method,
    'http.response.status_code': response.statusCode,
    'tixxety.request_id': request.id,
  });
  endSpan(span, response.statusCode >= 500 ? response.locals.error : undefined);
}

function endSpan(span: Span | undefined, error?: unknown): void {
  if (!span) return;
  if (error !== undefined) {
    span.recordException(error as Error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: (error as Error).message });
  }
  span.end();
}
