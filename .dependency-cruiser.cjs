/*
 * Imports run down one line: a place may import what stands below it, never what stands above or beside it. A new
 * file or folder of src/ takes its place here first.
 */
const LINE = [
  ['main'],
  ['cluster', 'greeting', 'shutdown-signal'],
  ['api', 'worker', 'uncaught-errors'],
  ['app.module', 'openapi', 'scanner'],
  ['app.controller', 'expiration', 'health', 'metrics', 'queue-dashboard', 'tracing'],
  // An order shows its tickets; a ticket of one is an order that inventory/ places.
  ['documents', 'payments'],
  ['orders'],
  ['tickets'],
  // A paid ticket shows its token. What a scan finds of a ticket, it reads in its own SQL.
  ['check-in'],
  ['events'],
  // An event is made with its types; who may change them is decided in their SQL.
  ['ticket-types'],
  ['event-access'],
  ['users'],
  ['rate-limit'],
  ['auth'],
  ['inventory'],
  ['idempotency'],
  ['jobs'],
  ['queue'],
  ['database'],
  ['http'],
  ['problems', 'logging', 'telemetry'],
  ['config'],
  ['app.dto', 'version', 'text'],
];
/** The folders with tables of their own; the others of them see only what they offer. */
const FEATURES = [
  'idempotency',
  'users',
  'events',
  'ticket-types',
  'check-in',
  'tickets',
  'orders',
  'inventory',
];

const pathOf = (...places) => `^src/(${places.join('|').replaceAll('.', '\\.')})(/|\\.ts$)`;
/** What Node is started with, and what a thread is. */
const ENTRIES = ['^src/main\\.ts$', '^src/documents/worker/worker\\.ts$'];
const SPEC = '\\.spec\\.ts$';

const downTheLine = LINE.flatMap((level, height) =>
  level.map((place) => ({
    name: `${place}-imports-downwards`,
    comment: `${place} imports what stands above or beside it on the line in .dependency-cruiser.cjs`,
    severity: 'error',
    from: { path: pathOf(place), pathNot: SPEC },
    to: { path: pathOf(...LINE.slice(0, height + 1).flat()), pathNot: pathOf(place) },
  })),
);

const betweenFeatures = FEATURES.flatMap((feature) => [
  {
    name: `${feature}-offers-its-service`,
    comment: `Only the service, the module, an entity (for a foreign key), a DTO, the states of tickets, orders and payments, or the claim of a key may be imported from ${feature}`,
    severity: 'error',
    from: { path: '^src/', pathNot: [pathOf(feature), SPEC] },
    to: {
      path: pathOf(feature),
      pathNot: [
        '\\.(service|module|entity|dto|decorator)\\.ts$',
        '/(ticket-status|order-status|payment-states|order-codes|held-order|key-claim|ticket-tokens|silent-devices)\\.ts$',
      ],
    },
  },
  {
    name: `${feature}-dto-is-for-controllers`,
    comment: 'DTOs are what HTTP speaks: only controllers and other DTOs import them from elsewhere',
    severity: 'error',
    from: { path: '^src/', pathNot: [pathOf(feature), '\\.(controller|dto)\\.ts$', SPEC] },
    to: { path: `^src/${feature}/.*\\.dto\\.ts$` },
  },
]);

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...downTheLine,
    ...betweenFeatures,
    {
      name: 'outbox-offers-its-service',
      comment: 'Rows of the outbox come from its service alone',
      severity: 'error',
      from: { path: '^src/', pathNot: [pathOf('jobs'), SPEC] },
      to: { path: '^src/jobs/(outbox\\.repository|outbox-message\\.entity|relay)\\.ts$' },
    },
    {
      name: 'sandbox-is-another-party',
      comment: 'The sandbox behind HTTP uses nothing of ours but the way to call a URL',
      severity: 'error',
      from: { path: '^src/payments/sandbox/server/', pathNot: SPEC },
      to: { path: '^src/', pathNot: ['^src/payments/sandbox/server/', '^src/http/http-call\\.ts$'] },
    },
    {
      name: 'stripe-stays-in-its-folder',
      comment: 'Only src/payments/stripe/ and its tests import the library of Stripe',
      severity: 'error',
      from: { path: '^(src|scripts|migrations)/', pathNot: '^src/payments/stripe/' },
      to: { path: '^node_modules/stripe/' },
    },
    {
      name: 'has-a-place-on-the-line',
      comment: 'Every file and folder of src/ has its place on the line in .dependency-cruiser.cjs',
      severity: 'error',
      from: {},
      to: { path: '^src/', pathNot: pathOf(...LINE.flat()) },
    },
    {
      name: 'no-cycles',
      comment: 'Neither of two files that import each other can be understood or tested alone',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'Nothing that runs imports this file',
      severity: 'error',
      from: { path: [...ENTRIES, '^ormconfig\\.ts$', '^(scripts|migrations)/'] },
      to: { path: '^src/', pathNot: [...ENTRIES, SPEC], reachable: false },
    },
    {
      name: 'source-stands-alone',
      comment: 'What is shipped imports neither tests nor scripts',
      severity: 'error',
      from: { path: '^(src|migrations)/|^ormconfig', pathNot: SPEC },
      to: { path: ['^(test|scripts)/', SPEC] },
    },
    {
      name: 'only-declared-packages',
      comment: 'A package that is not in package.json, or that does not resolve',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
    {
      name: 'no-development-packages',
      comment: 'A package that is missing in production, where devDependencies are not installed',
      severity: 'error',
      from: { path: '^(src|migrations|scripts)/|^ormconfig', pathNot: [SPEC, '^scripts/write-migration'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // The page of the scanner imports what its server serves.
    exclude: { path: '^(dist[^/]*|coverage|test/clients|src/scanner/page)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Types count: a file that needs another's types needs the other.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['main', 'types'],
    },
  },
};
