import mustache from 'mustache';
import { z } from 'zod';

const AsyncApi = z.object({
  info: z.object({ title: z.string(), version: z.string(), description: z.string() }),
  channels: z.record(
    z.string(),
    z.object({
      address: z.string().nullable(),
      description: z.string(),
      messages: z.record(z.string(), z.unknown()),
    }),
  ),
  operations: z.record(z.string(), z.object({ action: z.enum(['send', 'receive']) })),
  components: z.object({
    messages: z.record(z.string(), z.object({ payload: z.unknown() })),
    schemas: z.record(z.string(), z.unknown()),
  }),
});

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}</title>
<link rel="icon" href="data:,">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2024; }
h2 { margin-top: 2.5rem; }
details { border-top: 1px solid #d9dde2; padding: .6rem 0; }
summary { cursor: pointer; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: #f4f6f8; padding: .8rem; overflow-x: auto; }
p { margin: .3rem 0; }
</style>
</head>
<body>
<h1>{{title}} {{version}}</h1>
<p>{{description}}</p>
<p>For programs: <a href="/asyncapi.json">/asyncapi.json</a> (AsyncAPI 3). Over HTTP: <a href="/docs">/docs</a>.
An agent in thirty lines: <code>deploy/agents/example-agent.ts</code>, the same in Python beside it.</p>
{{#groups}}
<h2>{{name}}</h2>
<p>{{text}}</p>
{{#channels}}
<details><summary><code>{{address}}</code></summary><p>{{description}}</p><pre>{{schema}}</pre></details>
{{/channels}}
{{/groups}}
</body>
</html>
`;

/** Which channels are of each kind. The subjects of news are the crew's own: only their ids have something in common. */
const KINDS = {
  fact: (_id: string, address: string) => address.startsWith('oms.pub.'),
  news: (id: string) => id.startsWith('news_'),
  operation: (_id: string, address: string) => address.startsWith('svc.oms.'),
} as const;

/** The AsyncAPI document for people: every subject with what it means and what its messages look like. */
export function toAgentsPage(document: unknown): string {
  const { info, channels, components } = AsyncApi.parse(document);
  const shown = (kind: keyof typeof KINDS) =>
    Object.entries(channels)
      .filter(([id, { address }]) => address !== null && KINDS[kind](id, address))
      .map(([id, { address, description }]) => {
        const { payload } = components.messages[kind === 'operation' ? `${id}_answer` : id] ?? {};
        return { address, description, schema: JSON.stringify(payload, null, 2) };
      });
  const request = JSON.stringify(components.messages.agent_request?.payload, null, 2);
  const groups = [
    {
      name: 'Facts to hear',
      text: 'CloudEvents in JSON; the schema shows the whole message.',
      channels: shown('fact'),
    },
    { name: 'News to tell', text: 'The schema shows the bare message.', channels: shown('news') },
    {
      name: 'Operations to ask for',
      text: 'Send the parts of the REST route as JSON; the schema shows the answer.',
      channels: [
        {
          address: 'every request',
          description: 'What the route does not need may be left out.',
          schema: request,
        },
        ...shown('operation'),
      ],
    },
    {
      name: 'Parts that they share',
      text: 'What the schemas above refer to by its name.',
      channels: Object.entries(components.schemas).map(([name, schema]) => ({
        address: name,
        description: '',
        schema: JSON.stringify(schema, null, 2),
      })),
    },
  ];
  return mustache.render(PAGE, { ...info, groups });
}
