import type { RunningServer } from './http/running-server';
import { VERSION } from './version';

/** Where the journey goes by itself. */
const DEFAULT_URL = 'http://127.0.0.1:8000';

/** What a person at the terminal wants to know of an API that has started. */
export const apiGreeting = ({ url, admin }: RunningServer) => `
Tixxety ${VERSION}
  API    ${url}
  Docs   ${url}/docs${admin ? adminGreeting(admin) : ''}
  Try    npm run journey${url === DEFAULT_URL ? '' : ` -- ${url}`}
`;

const adminGreeting = ({ ADMIN_EMAIL, ADMIN_PASSWORD, file }: NonNullable<RunningServer['admin']>) => `
  Admin  ${ADMIN_EMAIL}, password ${ADMIN_PASSWORD} (made for this database; also in ${file})`;

/** The same of a worker. */
export const workerGreeting = ({ url }: RunningServer) => `
Tixxety ${VERSION} worker
  Health  ${url}/health/ready
`;
