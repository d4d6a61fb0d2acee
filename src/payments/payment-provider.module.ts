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

/** The provider that `PAYMENT_PROVIDER` names; undefined for `none`. */
const paymentProvider = {
  provide: PaymentProvider,
  inject: [Settings, DataSource, PublicUrl],
  useFactory: async (
    settings: Settings,
    dataSource: DataSource,
    publicUrl: PublicUrl,
  ): Promise<PaymentProvider | undefined> => {
    if (paymentProviderOf(settings) !== 'sandbox') return undefined;
    const { SANDBOX_URL, SANDBOX_SECRET } = settings;
    const secret = SANDBOX_SECRET ?? (await ownSandboxSecret(dataSource));
    const installation = await installationName(dataSource);
    return new SandboxProvider(() => SANDBOX_URL ?? ownSandboxUrl(publicUrl), secret, installation);
  },
};

@Global()
@Module({
  imports: [AuthModule],
  providers: [PublicUrl, paymentProvider, SandboxServer],
  exports: [PublicUrl, paymentProvider],
})
export class PaymentProviderModule {}
