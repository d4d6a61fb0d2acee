import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional, ValidateIf } from 'class-validator';
import { ACCESS_TOKEN_SECONDS } from '../auth/access-tokens';
import { ApiInteger } from '../http/api-docs';
import { Text } from '../http/fields';
import type { Tokens } from './sessions.service';

const GRANT_TYPES = ['password', 'refresh_token'] as const;

const NeededFor = (grantType: (typeof GRANT_TYPES)[number]) =>
  ValidateIf((request: TokenRequestDto) => request.grant_type === grantType);

/** A token request of OAuth 2.0 (RFC 6749, sections 4.3.2 and 6). */
export class TokenRequestDto {
  @IsIn(GRANT_TYPES, { message: 'must be password or refresh_token' })
  @ApiProperty({ enum: GRANT_TYPES })
  grant_type: (typeof GRANT_TYPES)[number];

  /**
   * The e-mail, with `password`.
   * @example "ada@example.com"
   */
  @NeededFor('password')
  @Text(1, 255)
  username?: string;

  /** With `username`. */
  @NeededFor('password')
  @Text(1, 128)
  password?: string;

  /** Instead of `username` and `password`. */
  @NeededFor('refresh_token')
  @Text(1, 255)
  refresh_token?: string;

  /** Ignored: there are none. */
  @IsOptional()
  @Text(0, 255)
  scope?: string;

  /** Ignored: any client may ask. */
  @IsOptional()
  @Text(0, 255)
  client_id?: string;

  /** Ignored, like the client. */
  @IsOptional()
  @Text(0, 255)
  client_secret?: string;
}

/** A revocation request (RFC 7009). */
export class RevocationRequestDto {
  /** The refresh token, a used one too. */
  @Text(1, 2_000)
  token: string;

  /** Ignored: access tokens end by themselves. */
  @IsOptional()
  @Text(0, 255)
  token_type_hint?: string;
}

export class TokensDto {
  /** Goes into the header `Authorization: Bearer …`. */
  access_token: string;

  /** @example "Bearer" */
  token_type: string;

  /**
   * Seconds until the access token ends.
   * @example 900
   */
  @ApiInteger()
  expires_in: number;

  /** Good once, for new tokens; the second use ends the session. Only where there is a password. */
  refresh_token?: string;
}

export const toTokensDto = ({ accessToken, refreshToken }: Tokens): TokensDto => ({
  access_token: accessToken,
  token_type: 'Bearer',
  expires_in: ACCESS_TOKEN_SECONDS,
  ...(refreshToken !== undefined && { refresh_token: refreshToken }),
});
