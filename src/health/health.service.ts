import { Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { HealthCheckService, HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { DataSource } from 'typeorm';
import { secretFingerprint } from '../auth/secret-fingerprint';
import { Settings } from '../config/settings';
import { isDiskFull, isReadOnly } from '../database/database-error';
import { RedisHealth } from '../queue/redis-health';

export interface Readiness {
  isReady: boolean;
  /** What terminus found out, part by part. */
  report: object;
}

/**
 * Deletes no row, which PostgreSQL refuses all the same where it is read-only. Then has it keep more rows than fit into
 * memory, so that it writes to its disk. Both together take a few milliseconds.
 */
const WRITE = `DELETE FROM migrations WHERE false;
  SET LOCAL work_mem = '64kB'; SELECT count(*) FROM generate_series(1, 5000)`;

/** A readiness check waits no longer than this for the database. */
const PATIENCE_MS = 2_000;

/** How long an answer is good for. */
const FRESH_MS = 250;

/** Tells whether this process can do its work, and the reason if not. */
@Injectable()
export class HealthService {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicator: HealthIndicatorService,
    private readonly dataSource: DataSource,
    private readonly settings: Settings,
    private readonly modules: ModuleRef,
  ) {}

  private shared?: Promise<Readiness>;

  /** Found out once for all who ask at the same time, and for a moment after: asking must not load the database. */
  ready(): Promise<Readiness> {
    this.shared ??= this.examine().finally(
      () => void setTimeout(() => (this.shared = undefined), FRESH_MS).unref(),
    );
    return this.shared;
  }

  /**
   * The database must answer, take writes, have room on its disk and a schema that is up to date. Without Redis holds
   * still end on time: degraded, not down.
   */
  private async examine(): Promise<Readiness> {
    try {
      const report = await this.health.check([
        () => this.database(),
        () => this.migrations(),
        () => this.redis(),
        () => this.secrets(),
      ]);
      return { isReady: true, report };
    } catch (error) {
      return { isReady: false, report: (error as { getResponse(): object }).getResponse() };
    }
  }

  private async database(): Promise<HealthIndicatorResult> {
    const check = this.indicator.check('database');
    return await inTime(this.dataSource.query(WRITE)).then(
      () => check.up(),
      (error: unknown) => check.down(reasonOf(error)),
    );
  }

  private async migrations(): Promise<HealthIndicatorResult> {
    const check = this.indicator.check('migrations');
    return await inTime(this.dataSource.showMigrations()).then(
      (arePending) => (arePending ? check.down('pending') : check.up()),
      () => check.down('unknown'),
    );
  }

  /** Which secrets this process knows, in order: the first signs. For the one who rotates them. */
  private secrets(): HealthIndicatorResult {
    const secrets = this.settings.JWT_SECRET ?? [];
    return this.indicator.check('secrets').up({ fingerprints: secrets.map(secretFingerprint) });
  }

  private redis(): HealthIndicatorResult {
    const check = this.indicator.check('redis');
    if (this.settings.REDIS_URL === undefined) return check.up('not used');
    return this.modules.get(RedisHealth, { strict: false }).isSound
      ? check.up()
      : check.up('degraded: out of reach, holds are released by sweeping');
  }
}

function reasonOf(error: unknown): string {
  if (isDiskFull(error)) return 'its disk is full';
  return isReadOnly(error) ? 'read-only' : 'out of reach';
}

/** @throws when it takes too long */
async function inTime<Result>(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), PATIENCE_MS);
  });
  return await Promise.race([work, tooLong]).finally(() => clearTimeout(timer));
}
