import { readFileSync } from 'node:fs';

/** The page of Swagger UI. All of it comes from files: the security headers allow no script in a page. */
export const SWAGGER_UI_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tixxety API</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png" sizes="32x32">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<style>
body { margin: 0; background: #fafafa; }
/* There are no clients: nothing asks for their credentials. */
.auth-container div:has(> :is([for="password_type"], [for="client_id_password"], [for="client_secret_password"])) { display: none; }
</style>
</head>
<body>
<div id="swagger-ui"></div>
<noscript>Swagger UI needs JavaScript. <a href="/docs/errors">The errors</a> and <a href="/openapi.json">the document</a> don't.</noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/swagger-ui-init.js"></script>
</body>
</html>
`;

/**
 * Starts Swagger UI. The plugin keeps the tokens of this tab, so that a reload stays signed in until the access token
 * ends. (Swagger UI's own `persistAuthorization` would keep the password too, and for good.)
 */
const INIT = `'use strict';
const KEY = 'tixxety-sign-in';
const keepSignIn = () => ({
  statePlugins: {
    auth: {
      wrapActions: {
        authorizeOauth2: (authorize) => (payload) => {
          const { auth: { name, schema }, token, endsAt = Date.now() + token.expires_in * 1000 } = payload;
          sessionStorage.setItem(KEY, JSON.stringify({ auth: { name, schema }, token, endsAt }));
          return authorize(payload);
        },
        logout: (logout) => (names) => {
          sessionStorage.removeItem(KEY);
          return logout(names);
        },
      },
    },
  },
});
const ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [keepSignIn],
  onComplete: () => {
    const kept = JSON.parse(sessionStorage.getItem(KEY));
    if (kept && kept.endsAt > Date.now()) ui.authActions.authorizeOauth2(kept);
  },
});
`;

const JAVASCRIPT = 'text/javascript; charset=utf-8';
const fromPackage = (name: string) => readFileSync(require.resolve(`swagger-ui-dist/${name}`));

/** What the page loads from `/docs/`. */
export const SWAGGER_UI_ASSETS = [
  { name: 'swagger-ui.css', type: 'text/css; charset=utf-8', content: fromPackage('swagger-ui.css') },
  { name: 'swagger-ui-bundle.js', type: JAVASCRIPT, content: fromPackage('swagger-ui-bundle.js') },
  { name: 'swagger-ui-init.js', type: JAVASCRIPT, content: INIT },
  { name: 'favicon-32x32.png', type: 'image/png', content: fromPackage('favicon-32x32.png') },
];
