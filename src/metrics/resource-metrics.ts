import { getQueueToken } from '@nestjs/bull';
import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { JobCounts, Queue } from 'bull';
import type { Pool } from 'pg';
import { Gauge, Registry } from 'prom-client';
import { DataSource } from 'typeorm';
import { Settings } from '../config/settings';
import type { TixxetyDataSource } from '../database/tixxety-data-source';
import { EXPIRATION_QUEUE } from '../queue/job-types';

/** A Redis that is connected but says nothing must not keep a scrape waiting. */
const QUEUE_LIMIT_MS = 1_000;

/** What this process leans on: its connections to PostgreSQL, Redis, and the queue in it. Read when scraped. */
@Injectable()
export class ResourceMetrics {
  constructor(
    private readonly registry: Registry,
    @Inject(DataSource) dataSource: TixxetyDataSource,
    settings: Settings,
    private readonly modules: ModuleRef,
  ) {
    this.watchPools({ main: dataSource.pool, lists: dataSource.lists.pool });
    if (settings.REDIS_URL !== undefined) this.watchQueue();
  }

  private watchPools(pools: Record<string, Pool>): void {
    new Gauge({
      name: 'tixxety_database_connections',
      help: 'Connections by pool, main or lists, and state, idle or busy',
      labelNames: ['pool', 'state'],
      registers: [this.registry],
      collect() {
        for (const [pool, { idleCount, totalCount }] of Object.entries(pools)) {
          this.set({ pool, state: 'idle' }, idleCount);
          this.set({ pool, state: 'busy' }, totalCount - idleCount);
        }
      },
    });
    new Gauge({
      name: 'tixxety_database_waiting',
      help: 'Statements that wait for a connection, by pool, main or lists',
      labelNames: ['pool'],
      registers: [this.registry],
      collect() {
        for (const [pool, { waitingCount }] of Object.entries(pools)) this.set({ pool }, waitingCount);
      },
    });
  }

  private watchQueue(): void {
    // There only where there is a Redis, hence not to be injected.
    const queue = () => this.modules.get<Queue>(getQueueToken(EXPIRATION_QUEUE), { strict: false });
    new Gauge({
      name: 'tixxety_redis_up',
      help: '1 while Redis answers this process, else 0: then holds are released by sweeping; absent without REDIS_URL',
      registers: [this.registry],
      collect() {
        this.set(queue().client.status === 'ready' ? 1 : 0);
      },
    });
    new Gauge({
      name: 'tixxety_queue_jobs',
      help: 'Jobs in the queue, by state; absent while Redis is out of reach',
      labelNames: ['state'],
      registers: [this.registry],
      async collect() {
        this.reset();
        for (const [state, number] of Object.entries(await countJobs(queue()))) this.set({ state }, number);
      },
    });
  }
}

async function countJobs(queue: Queue): Promise<Partial<JobCounts>> {
  if (queue.client.status !== 'ready') return {};
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<object>((resolve) => (timer = setTimeout(resolve, QUEUE_LIMIT_MS, {})));
  const counts = queue.getJobCounts().catch(() => ({}));
  return await Promise.race([counts, tooLong]).finally(() => clearTimeout(timer));
}
