import { services } from './services';

export default async function tearDown(): Promise<void> {
  await services.tearDown();
}
