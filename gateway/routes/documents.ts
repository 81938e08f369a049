import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { HTTPResponse } from 'h3';
import { AppError } from '../../contracts/errors.ts';
import { toAgentsPage } from '../documents/agents-page.ts';
import { toAsyncApi } from '../documents/asyncapi.ts';
import { NAMED_CONTRACTS } from '../documents/named-contracts.ts';
import { toOpenApi } from '../documents/openapi.ts';
import { ROUTE_DOCS } from '../documents/route-docs.ts';
import { readParam } from '../read-input.ts';
import type { Route } from '../route.ts';

const require = createRequire(import.meta.url);
const VIEWER = dirname(require.resolve('swagger-ui-dist/package.json'));

/** The files of the viewer that are served, and as what; nothing else of the package can be asked for. */
const FILES = new Map([
  ['swagger-ui-bundle.js', 'text/javascript'],
  ['swagger-ui.css', 'text/css'],
]);
const START = `window.ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
`;
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Order Manager: API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<p style="font-family: system-ui; text-align: center">Over NATS, for other agents: <a href="/docs/agents">/docs/agents</a></p>
<div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

/** Scripts from here alone, and no request to anywhere else: the page works without a network. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const page = (body: string | Uint8Array<ArrayBuffer>, type: string): HTTPResponse =>
  new HTTPResponse(body, {
    headers: { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': POLICY },
  });

/** The description of all routes, its own among them, and a page to read and try it. They say nothing about any order. */
export function documentRoutes(others: readonly Route[]): Route[] {
  const routes: Route[] = [
    { method: 'GET', path: '/openapi.json', isOpen: true, handle: () => document },
    { method: 'GET', path: '/asyncapi.json', isOpen: true, handle: () => forAgents },
    { method: 'GET', path: '/docs', isOpen: true, handle: () => page(PAGE, 'text/html') },
    {
      method: 'GET',
      path: '/docs/:file',
      isOpen: true,
      handle: async (event) => {
        const file = readParam(event, 'file');
        if (file === 'agents') return page(agentsPage, 'text/html');
        if (file === 'start.js') return page(START, 'text/javascript');
        const type = FILES.get(file);
        if (type === undefined)
          throw new AppError('not_found', 'there is no such file', { retryable: false });
        return page(new Uint8Array(await readFile(join(VIEWER, file))), type);
      },
    },
  ];
  const document = toOpenApi([...others, ...routes], { docs: ROUTE_DOCS, named: NAMED_CONTRACTS });
  const forAgents = toAsyncApi(others, { docs: ROUTE_DOCS, named: NAMED_CONTRACTS });
  const agentsPage = toAgentsPage(forAgents);
  return routes;
}
