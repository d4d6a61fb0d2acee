import { ApiHideProperty, ApiProperty } from '@nestjs/swagger';
import { IsIn, ValidateIf } from 'class-validator';
import { ACCESS_TOKEN_SECONDS } from '../auth/access-tokens';
import { ApiInteger } from '../http/api-docs';
import { IgnoredText, OpaqueText } from '../http/fields';
import type { SessionView } from './sessions.repository';
import type { Tokens } from './sessions.service';

const GRANT_TYPES = ['password', 'refresh_token'] as const;

const NeededFor = (grantType: (typeof GRANT_TYPES)[number]) =>
  ValidateIf((request: TokenRequestDto) => request.grant_type === grantType);

/**
 * A token request of OAuth 2.0 (RFC 6749, sections 4.3.2 and 6). What OAuth clients send beside it is accepted, ignored
 * and left out of the documentation: there are neither clients nor scopes.
 */
export class TokenRequestDto {
  @IsIn(GRANT_TYPES, { message: 'must be password or refresh_token' })
  @ApiProperty({ enum: GRANT_TYPES, example: 'password' })
  grant_type: (typeof GRANT_TYPES)[number];

  /**
   * The e-mail, with `password`.
   * @example "ada@example.com"
   */
  @NeededFor('password')
  @OpaqueText(1, 255)
  username?: string;

  /**
   * With `username`.
   * @example "notes on the engine"
   */
  @NeededFor('password')
  @OpaqueText(1, 128)
  password?: string;

  /** With `refresh_token`, instead of `username` and `password`. */
  @NeededFor('refresh_token')
  @OpaqueText(1, 255)
  refresh_token?: string;

  @IgnoredText()
  @ApiHideProperty()
  scope?: string;

  @IgnoredText()
  @ApiHideProperty()
  client_id?: string;

  @IgnoredText()
  @ApiHideProperty()
  client_secret?: string;
}

const REFRESH_TOKEN = 'Yk3pXw0cJ8sVhT1rQmZ6nE4aGd7uLbFo2iKyRx9tC5A';

/** Requests that work after the sign-up of the documentation's example. */
export const TOKEN_REQUEST_EXAMPLES = {
  password: {
    summary: 'Sign in',
    value: { grant_type: 'password', username: 'ada@example.com', password: 'notes on the engine' },
  },
  refresh_token: {
    summary: 'Renew the tokens',
    value: { grant_type: 'refresh_token', refresh_token: REFRESH_TOKEN },
  },
};

/** A revocation request (RFC 7009). */
export class RevocationRequestDto {
  /** The refresh token, a used one too. */
  @OpaqueText(1, 2_000)
  @ApiProperty({ example: REFRESH_TOKEN })
  token: string;

  /** Ignored: access tokens end by themselves. */
  @IgnoredText()
  @ApiHideProperty()
  token_type_hint?: string;

  @IgnoredText()
  @ApiHideProperty()
  client_id?: string;

  @IgnoredText()
  @ApiHideProperty()
  client_secret?: string;
}

/** A change of the caller's password. */
export class ChangePasswordDto {
  /**
   * The password as it is.
   * @example "notes on the engine"
   */
  @OpaqueText(1, 128)
  current: string;

  /**
   * What it shall be.
   * @example "more notes on the engine"
   */
  @OpaqueText(12, 128)
  new: string;
}

/** A sign-in and all the tokens that came of it. */
export class SessionDto {
  /** @example "6f1c3a52-0d0e-4c5f-9a41-8c2f8f0f2f5e" */
  @ApiProperty({ format: 'uuid' })
  id: string;

  /**
   * When somebody signed in.
   * @example "2030-01-01T12:00:00.000Z"
   */
  created_at: Date;

  /**
   * When it last gave out tokens.
   * @example "2030-01-02T12:00:00.000Z"
   */
  last_used_at: Date;

  /**
   * When it ends by itself.
   * @example "2030-01-31T12:00:00.000Z"
   */
  expires_at: Date;

  /** Whether the access token of this request was issued in it. */
  current: boolean;
}

export class TokensDto {
  /**
   * Whose tokens they are.
   * @example 1
   */
  @ApiInteger()
  user_id: number;

  /**
   * Goes into the header `Authorization: Bearer …`.
   * @example "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
   */
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
  @ApiProperty({ example: REFRESH_TOKEN })
  refresh_token?: string;
}

export const toTokensDto = ({ userId, accessToken, refreshToken }: Tokens): TokensDto => ({
  user_id: userId,
  access_token: accessToken,
  token_type: 'Bearer',
  expires_in: ACCESS_TOKEN_SECONDS,
  ...(refreshToken !== undefined && { refresh_token: refreshToken }),
});

/** @param currentId the session of the request */
export const toSessionDto =
  (currentId: string | undefined) =>
  (session: SessionView): SessionDto => ({
    id: session.id,
    created_at: session.createdAt,
    last_used_at: session.lastUsedAt,
    expires_at: session.expiresAt,
    current: session.id === currentId,
  });
