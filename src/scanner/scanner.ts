import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import type { RequestHandler } from 'express';
import { staticAnswer } from '../http/static-answer';

const WASM = 'zxing-wasm/reader/zxing_reader.wasm';
const JAVASCRIPT = 'text/javascript; charset=utf-8';

/** All comes from this server, and nothing else is asked. WebAssembly is ZXing's, which finds the codes. */
const POLICY = [
  `default-src 'none'`,
  `script-src 'self' 'wasm-unsafe-eval'`,
  `style-src 'self'`,
  `img-src 'self'`,
  `connect-src 'self'`,
  `worker-src 'self'`,
  `manifest-src 'self'`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
  `require-trusted-types-for 'script'`,
  `trusted-types gate`,
].join('; ');

const HEADERS = {
  'Content-Security-Policy': POLICY,
  'Permissions-Policy': 'camera=(self), microphone=(), geolocation=(), payment=(), usb=()',
  'Cross-Origin-Opener-Policy': 'same-origin',
  // Beneath /gate/, it also answers for /gate.
  'Service-Worker-Allowed': '/gate',
};

/** Where the files of the page are: the build has copied them beside this file. */
const built = join(__dirname, 'page');
const PAGE = existsSync(built) ? built : join(__dirname, '../../../src/scanner/page');

const own = (name: string) => readFileSync(join(PAGE, name));
const fromPackage = (path: string) => readFileSync(require.resolve(path));

/** What the page is made of, by its address. */
const filesOf = (): Record<string, [type: string, content: Buffer]> => ({
  '/gate': ['text/html; charset=utf-8', own('index.html')],
  '/gate/gate.css': ['text/css; charset=utf-8', own('gate.css')],
  '/gate/icon.svg': ['image/svg+xml', own('icon.svg')],
  '/gate/manifest.webmanifest': ['application/manifest+json', own('manifest.webmanifest')],
  ...Object.fromEntries(
    ['app', 'camera', 'result', 'server', 'store', 'verdict'].map((name) => [
      `/gate/${name}.mjs`,
      [JAVASCRIPT, own(`${name}.mjs`)],
    ]),
  ),
  '/gate/ed25519.mjs': [JAVASCRIPT, fromPackage('@noble/ed25519')],
  '/gate/zxing.js': [
    JAVASCRIPT,
    readFileSync(join(dirname(require.resolve(WASM)), '../iife/reader/index.js')),
  ],
  '/gate/zxing_reader.wasm': ['application/wasm', fromPackage(WASM)],
});

/** Serves the scanner for the gate, a page that works without a network. */
export function serveScanner(app: INestApplication): void {
  const files = filesOf();
  const digest = createHash('sha256');
  for (const [type, content] of Object.values(files)) digest.update(type).update(content);
  // A service worker that differs in a byte replaces the one before, and what that one kept.
  const kept = `const VERSION = '${digest.digest('base64url').slice(0, 12)}';\nconst FILES = ${JSON.stringify(Object.keys(files))};\n`;
  const worker = Buffer.concat([Buffer.from(kept), own('service-worker.js')]);
  const setHeaders: RequestHandler = (_, response, next) => {
    response.set(HEADERS);
    next();
  };
  app.use('/gate', setHeaders);
  const server = app.getHttpAdapter();
  for (const [path, [type, content]] of Object.entries(files)) server.get(path, staticAnswer(type, content));
  server.get('/gate/service-worker.js', staticAnswer(JAVASCRIPT, worker));
}
