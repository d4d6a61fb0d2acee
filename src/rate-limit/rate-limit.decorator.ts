import { SetMetadata } from '@nestjs/common';

export const CREDENTIALS = Symbol('credentials');

/** Marks a route that takes a password or a token that is as good as one: few calls by account and by address. */
export const Credentials = () => SetMetadata(CREDENTIALS, true);
