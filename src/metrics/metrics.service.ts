import cluster from 'node:cluster';
import { timingSafeEqual, createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Registry } from 'prom-client';
import { Settings } from '../config/settings';
import { askFirstProcess } from './cluster-metrics';

/** Answers a scrape of Prometheus. */
@Injectable()
export class MetricsService {
  readonly contentType: string;

  constructor(
    private readonly registry: Registry,
    private readonly settings: Settings,
  ) {
    this.contentType = registry.contentType;
  }

  /**
   * Of several API processes behind one port, any answers for all.
   *
   * @returns every metric, in the text format of Prometheus
   */
  async scrape(): Promise<string> {
    return cluster.isWorker ? await askFirstProcess() : await this.registry.metrics();
  }

  /** Whether the header `Authorization` carries the `METRICS_TOKEN`. */
  isAllowed(authorization = ''): boolean {
    const { METRICS_TOKEN } = this.settings;
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    // By digests, which are of equal length as the comparison demands; what it takes tells nothing about the token.
    return METRICS_TOKEN && token ? timingSafeEqual(digest(token), digest(METRICS_TOKEN)) : false;
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest();
