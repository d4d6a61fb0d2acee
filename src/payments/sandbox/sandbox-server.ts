import {
  Injectable,
  type BeforeApplicationShutdown,
  type INestApplication,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Request } from 'express';
import { AccessTokens } from '../../auth/access-tokens';
import { PublicUrl } from '../../http/public-url';
import { Sandbox } from './server/sandbox';
import { sandboxRouter } from './server/router';

const PATH = '/sandbox';

/** Where the sandbox is when the API serves it. */
export const ownSandboxUrl = (publicUrl: Pick<PublicUrl, 'get'>) => `${publicUrl.get()}${PATH}`;

/** The sandbox that an API process serves itself. It shares nothing with the rest but the process. */
@Injectable()
export class SandboxServer implements BeforeApplicationShutdown, OnApplicationShutdown {
  private sandbox?: Sandbox;

  constructor(
    private readonly publicUrl: PublicUrl,
    private readonly tokens: AccessTokens,
  ) {}

  /** Adds its routes. Admins stand for those who have an account at a provider's dashboard. */
  serve(app: INestApplication, databaseUrl: string, secret: string): void {
    this.sandbox = new Sandbox({
      databaseUrl,
      secret,
      url: () => ownSandboxUrl(this.publicUrl),
      eventsUrl: () => `${this.publicUrl.get()}/payments/events/sandbox`,
    });
    app.use(PATH, sandboxRouter(this.sandbox, this.isAdmin));
  }

  /** Its events come to this process, which would never be done with answering them. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.sandbox?.stopSending();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.sandbox?.stop();
  }

  private readonly isAdmin = ({ headers }: Request) => {
    const [, token] = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(headers.authorization ?? '') ?? [];
    return token !== undefined && this.tokens.verify(token)?.role === 'admin';
  };
}
