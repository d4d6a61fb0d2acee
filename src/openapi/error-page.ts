import { STATUS_CODES } from 'node:http';
import { PROBLEMS } from '../problems/catalogue';
import type { ProblemKind } from '../problems/problem-kind';

const escape = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Text whose code stands between backticks, as HTML. */
const toHtml = (text: string) => escape(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

const entryOf = ([code, { status, title, detail, advice }]: [string, ProblemKind]) => `<section id="${code}">
<h2><a href="#${code}"><code>${code}</code></a> <span>${status} ${STATUS_CODES[status]}</span></h2>
<p><strong>${title}.</strong> ${toHtml(detail)}.</p>
<p><em>What to do:</em> ${toHtml(advice)}</p>
</section>`;

/** `/docs/errors`, where the `type` of every problem leads: each code, what it means and what a client does about it. */
export const ERROR_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tixxety API: errors</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<style>
:root { color-scheme: light dark; --line: light-dark(#d5d9e0, #3a4150); --soft: light-dark(#5b6472, #a5afbf); }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.55 system-ui, sans-serif; }
section { border-top: 1px solid var(--line); padding: 0.25rem 0.75rem; }
section:target { background: light-dark(#fff6d6, #3b3413); }
h2 { font-size: 1.05rem; }
h2 a { color: inherit; }
h2 span, em { color: var(--soft); font-style: normal; font-weight: 400; }
code { font-size: 0.92em; }
</style>
</head>
<body>
<h1>Errors of the Tixxety API</h1>
<p>Every refusal is <code>application/problem+json</code>
(<a href="https://www.rfc-editor.org/rfc/rfc9457">RFC 9457</a>). Programs branch on <code>code</code>, which never changes
its meaning; <code>detail</code> is for people; <code>request_id</code> finds the request in the log.
<a href="/docs">The API</a> · <a href="/openapi.json">openapi.json</a></p>
${Object.entries(PROBLEMS).map(entryOf).join('\n')}
</body>
</html>
`;
