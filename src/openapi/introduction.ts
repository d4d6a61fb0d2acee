/** The introduction of the document, in Markdown; Swagger UI shows it above the operations. */
export const INTRODUCTION = `
Booking of event tickets: a reserved ticket holds its place for a while (two minutes unless the operator says otherwise)
and ends by itself unless it is paid.

### Two ways in

- **Sign up:** [\`POST /users\`](/docs#/users/createUser) as its example stands. The answer has an \`access_token\`.
- **Sign in:** [\`POST /auth/token\`](/docs#/auth/createTokens) with the e-mail and password of an account, such as the
  one of the example, or of the admin.

In Swagger UI, **Authorize** signs in and sends the token with every request; a reload stays signed in until the token
ends. Other clients send \`Authorization: Bearer …\`. After 15 minutes a token has ended: renew it with the
\`refresh_token\`. **The admin** may act for anyone. On the embedded database the first start makes one,
\`admin@tixxety.example\`, and prints its password once; otherwise it is the one of the operator's \`ADMIN_EMAIL\` and
\`ADMIN_PASSWORD\`.

### The journey

Sign up, [create an event](/docs#/events/createEvent) or [find one](/docs#/events/listEventsForYou),
[reserve a ticket](/docs#/tickets/reserveTicket), [pay](/docs#/tickets/payTicket) before its \`expires_at\`.

### Errors

Every refusal is \`application/problem+json\` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)). Branch on \`code\`;
the [error catalogue](/docs/errors) says what each means and what to do about it.

Some refusals can meet any request, and no operation lists them: 400 and 417 for what is no sound HTTP/1.1, 405 with
\`Allow\`, 408 and 431 for headers that come too slowly or are too large, and 503 \`overloaded\` where too much is asked
for at once.

### Headers of every answer

\`X-Request-Id\` names the request in the operator's log; one that the client sends is taken over. \`RateLimit\` and
\`RateLimit-Policy\` tell the requests that are left, wherever they are counted. \`Cache-Control\` is \`no-store\` where
nothing else is said. \`Vary\` names the headers that an answer depends on.

### Lists

A list is an array of at most \`limit\` rows. The \`Link\` header
([RFC 8288](https://www.rfc-editor.org/rfc/rfc8288)) leads to the next page, and is absent on the last one.

### Sending a request again

A POST with an \`Idempotency-Key\`, such as a new UUID for each thing to be done, can be sent again when its answer was
lost: nothing is done twice, and the first answer comes again.

### More

This document as JSON: [\`/openapi.json\`](/openapi.json), for client generators. In the source, \`README.md\` tells how
to start and set the service up, \`docs/API.md\` the rules and limits for clients, and \`docs/OPERATIONS.md\` how to
deploy, back up and repair it. [\`/health/ready\`](/health/ready) tells whether it works.
`.trim();

/** What the Authorize dialog of Swagger UI says. */
export const SIGN_IN_DESCRIPTION =
  'Sign in with the e-mail (as username) and the password of an account: one that you made with `POST /users`, or the ' +
  "admin's, which the first start on the embedded database prints once (`admin@tixxety.example`), and which the " +
  'operator sets with `ADMIN_EMAIL` and `ADMIN_PASSWORD` elsewhere. There are no clients and no scopes: leave them out.';

/** The groups of operations, in the order of the document. */
export const TAGS = {
  service: 'The service itself.',
  users: 'Accounts, and what is near them.',
  auth: 'Tokens: sign in with e-mail and password, renew, sign out.',
  events: 'Events with their places: sold, held and for sale.',
  orders: 'Orders: hold tickets of several types at once, all or none.',
  payments: 'Payments of orders: through the payment provider, free, or noted by the organizer; refunds.',
  tickets: 'Tickets: reserve a place, then pay for it or give it back before its hold ends.',
  documents: 'Tickets to be shown, printed, and put into a calendar.',
  gate: 'The gate of an event: devices, check-ins with or without a network, who comes.',
  'ticket-types': 'What an event sells: ticket types with their prices, quotas that they share, codes.',
};
