import type { AddressInfo } from 'node:net';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Settings } from '../config/settings';
import { urlOf } from './running-server';

/** What stands for every interface is no address to send anything to. */
const REACHABLE: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Where the API is reached: `PUBLIC_URL`, else where it listens. */
@Injectable()
export class PublicUrl {
  constructor(
    private readonly settings: Settings,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** Known once the API listens; a worker takes the API to be where the settings say. */
  get(): string {
    const { PUBLIC_URL, HOST, PORT } = this.settings;
    if (PUBLIC_URL !== undefined) return PUBLIC_URL;
    const { address, port } = this.listening() ?? { address: HOST, port: PORT };
    return urlOf({ address: REACHABLE[address] ?? address, port });
  }

  private listening(): AddressInfo | null {
    const adapter = this.adapterHost.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    const server = adapter?.getHttpServer() as { address(): AddressInfo | null } | undefined;
    return server?.address() ?? null;
  }
}
