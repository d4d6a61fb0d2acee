import type { DataSource } from 'typeorm';
import { derive } from '../our-metadata';

/** The secret key of the sandbox that the API serves itself. */
export async function ownSandboxSecret(dataSource: DataSource): Promise<string> {
  return (await derive(dataSource, 'tixxety sandbox secret', 32)).toString('base64url');
}
