import { Global, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuthModule } from '../auth/auth.module';
import { paymentProviderOf } from '../config/payment-settings';
import { Settings } from '../config/settings';
import { PublicUrl } from '../http/public-url';
import { installationName } from './our-metadata';
import { PaymentProvider } from './payment-provider';
import { ownSandboxSecret } from './sandbox/sandbox-secret';
import { ownSandboxUrl, SandboxServer } from './sandbox/sandbox-server';
import { SandboxProvider } from './sandbox/sandbox.provider';
import { StripeProvider, type StripeOptions } from './stripe/stripe.provider';

/** The provider that `PAYMENT_PROVIDER` names; undefined for `none`. */
export async function createPaymentProvider(
  settings: Settings,
  dataSource: DataSource,
  publicUrl: Pick<PublicUrl, 'get'>,
): Promise<PaymentProvider | undefined> {
  const name = paymentProviderOf(settings);
  if (name === 'none') return undefined;
  const installation = await installationName(dataSource);
  if (name === 'stripe') return await StripeProvider.create(stripeOptions(settings, installation));
  const { SANDBOX_URL, SANDBOX_SECRET } = settings;
  const secret = SANDBOX_SECRET ?? (await ownSandboxSecret(dataSource));
  return new SandboxProvider(() => SANDBOX_URL ?? ownSandboxUrl(publicUrl), secret, installation);
}

const paymentProvider = {
  provide: PaymentProvider,
  inject: [Settings, DataSource, PublicUrl],
  useFactory: createPaymentProvider,
};

const stripeOptions = (settings: Settings, installation: string): StripeOptions => ({
  secretKey: settings.STRIPE_SECRET_KEY ?? '',
  webhookSecrets: settings.STRIPE_WEBHOOK_SECRET ?? [],
  apiBase: settings.STRIPE_API_BASE,
  installation,
});

/** For the API, which begins payments, and for workers, which end them. */
@Global()
@Module({
  imports: [AuthModule],
  providers: [PublicUrl, paymentProvider, SandboxServer],
  exports: [PublicUrl, paymentProvider],
})
export class PaymentProviderModule {}
