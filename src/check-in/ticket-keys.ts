import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { importJWK, type CryptoKey, type JWK, type JWK_OKP_Public } from 'jose';
import { secretFingerprint } from '../auth/secret-fingerprint';
import { Settings } from '../config/settings';
import { Statements } from '../database/statements';
import { signerOf, type Signer } from './ed25519';
import { decryptKey } from './key-cipher';
import { keySecrets, newTicketKey } from './new-ticket-key';
import type { TicketKey } from './ticket-key.entity';
import { ADD_TICKET_KEY, LIST_TICKET_KEYS } from './ticket-keys.statements';

type KeyRow = Pick<TicketKey, 'kid' | 'publicKey' | 'encryptedPrivateKey' | 'secretFingerprint'>;

/** The public half of a key (RFC 8037), as devices get it. */
export interface PublicTicketKey extends JWK_OKP_Public {
  kty: 'OKP';
  kid: string;
  alg: string;
  use: string;
}

export interface SigningKey {
  kid: string;
  /** What its tokens begin with: their header, and a dot. */
  header: string;
  sign: Signer;
}

export const ALGORITHM = 'EdDSA';

/** Another process may have made a key, or retired one, since. */
const FRESH_MS = 1_000;

/** The keys that sign and verify tickets, as the database keeps them; the first is made when it is needed. */
@Injectable()
export class TicketKeys {
  private verifying = new Map<string, CryptoKey>();
  private signing?: SigningKey;
  private loadedAt = -Infinity;
  private loading?: Promise<void>;
  /** A key is never part of a transaction, which may be rolled back after it has signed. */
  private readonly outsideTransactions = AsyncLocalStorage.snapshot();

  constructor(
    private readonly statements: Statements,
    private readonly settings: Settings,
  ) {}

  /** The newest key whose private half this process can decrypt; a new one where there is none. */
  async toSign(): Promise<SigningKey> {
    await this.refresh();
    if (this.signing === undefined) {
      await this.outsideTransactions(() => this.statements.run(ADD_TICKET_KEY, newTicketKey(this.settings)));
      await this.load();
    }
    if (this.signing === undefined) throw new Error('No key for tickets can be kept');
    return this.signing;
  }

  /** The key that signs, where this process knows it already. */
  get signingNow(): SigningKey | undefined {
    return this.signing;
  }

  /** @returns undefined where there is no key of that name */
  async toVerify(kid: string): Promise<CryptoKey | undefined> {
    if (!this.verifying.has(kid)) await this.refresh();
    return this.verifying.get(kid);
  }

  /** The public halves of all keys, newest first, as the database has them now. */
  async published(): Promise<PublicTicketKey[]> {
    await this.toSign();
    return (await this.rows()).map(publicKeyOf);
  }

  private async refresh(): Promise<void> {
    if (performance.now() - this.loadedAt < FRESH_MS) return;
    this.loading ??= this.load().finally(() => (this.loading = undefined));
    await this.loading;
  }

  private async load(): Promise<void> {
    const rows = await this.rows();
    const { verifying } = this;
    const keys = rows.map(async (row) => {
      const key = verifying.get(row.kid) ?? (await cryptoKeyOf(publicKeyOf(row)));
      return [row.kid, key] as const;
    });
    this.verifying = new Map(await Promise.all(keys));
    const row = rows.find(
      ({ encryptedPrivateKey: kept, secretFingerprint: named }) => kept && this.knows(named),
    );
    if (row?.kid !== this.signing?.kid) this.signing = row && this.signingKeyOf(row);
    this.loadedAt = performance.now();
  }

  private rows(): Promise<KeyRow[]> {
    return this.outsideTransactions(() => this.statements.run<KeyRow>(LIST_TICKET_KEYS, []));
  }

  private knows(fingerprint: string): boolean {
    return keySecrets(this.settings).some((secret) => secretFingerprint(secret) === fingerprint);
  }

  private signingKeyOf(row: KeyRow): SigningKey {
    const { kid, encryptedPrivateKey, secretFingerprint: named } = row;
    const secret = keySecrets(this.settings).find((each) => secretFingerprint(each) === named) ?? '';
    const privateKey = decryptKey(encryptedPrivateKey as Buffer, kid, secret);
    return { kid, header: headerOf(kid), sign: signerOf(privateKey) };
  }
}

const headerOf = (kid: string) =>
  `${Buffer.from(JSON.stringify({ alg: ALGORITHM, kid })).toString('base64url')}.`;

async function cryptoKeyOf(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk);
  if (key instanceof Uint8Array) throw new Error('A secret of bytes signs no tickets');
  return key;
}

const publicKeyOf = ({ kid, publicKey }: KeyRow): PublicTicketKey => ({
  kty: 'OKP',
  crv: 'Ed25519',
  x: publicKey.toString('base64url'),
  kid,
  alg: ALGORITHM,
  use: 'sig',
});
