import { getQueueToken } from '@nestjs/bull';
import { Logger, type INestApplication } from '@nestjs/common';
import type { Queue } from 'bull';
import { pageHeaders } from '../http/security-headers';
import { EXPIRATION_QUEUE } from '../queue/job-types';
import { adminsOnly } from './admins-only';

const PATH = '/queues';

/** Serves bull-board, which shows the jobs and tries failed ones again, to admins. It is loaded only here. */
export async function serveQueueDashboard(app: INestApplication): Promise<void> {
  const { createBullBoard } = await import('@bull-board/api');
  const { BullAdapter } = await import('@bull-board/api/bullAdapter');
  const { ExpressAdapter } = await import('@bull-board/express');
  const queue = app.get<Queue>(getQueueToken(EXPIRATION_QUEUE), { strict: false });
  const adapter = new ExpressAdapter();
  adapter.setBasePath(PATH);
  createBullBoard({
    queues: [new BullAdapter(queue)],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Tixxety' } },
  });
  // Its own handler would show the stack.
  const logger = new Logger('QueueDashboard');
  adapter.setErrorHandler((error) => {
    logger.error(error);
    return { status: 500, body: { error: 'The queue is out of reach' } };
  });
  app.use(PATH, pageHeaders(), adminsOnly(app), adapter.getRouter());
}
