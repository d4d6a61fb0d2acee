import { ApiProperty } from '@nestjs/swagger';
import type { PublicTicketKey } from './ticket-keys';

/** The public half of a key: a JSON Web Key (RFC 7517, RFC 8037). */
export class TicketKeyDto implements PublicTicketKey {
  /** @example "aZ3" */
  kid: string;

  @ApiProperty({ type: String, enum: ['OKP'] })
  kty: 'OKP';

  /** @example "Ed25519" */
  crv: string;

  /** @example "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" */
  x: string;

  /** @example "EdDSA" */
  alg: string;

  /** @example "sig" */
  use: string;
}

export class TicketKeysDto {
  /** Newest first: the first signs, the others have signed. */
  @ApiProperty({ type: [TicketKeyDto] })
  keys: TicketKeyDto[];
}
