import type { H3 } from 'h3';
import { simpleParser } from 'mailparser';
import type { Mail, Mailbox } from './mailbox.ts';

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (sign) => ESCAPES[sign] ?? sign);

const STYLE = `
body { margin: 0 auto; max-width: 960px; padding: 16px; font: 16px/1.5 system-ui, sans-serif; color: #1f2328 }
a { color: #1f4b99 } table { width: 100%; border-collapse: collapse }
th, td { padding: 8px 12px 8px 0; text-align: left; vertical-align: top; border-bottom: 1px solid #d8dee4 }
th { font-size: 14px; color: #57606a } .number, time { white-space: nowrap; color: #57606a }
pre { padding: 12px; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; background: #f4f5f7 }
iframe { width: 100%; height: 720px; border: 1px solid #d8dee4 }
`;

const page = (title: string, body: string): Response =>
  new Response(
    `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
${body}
</body>
</html>`,
    { headers: { 'content-type': 'text/html; charset=utf-8' } },
  );

const row = ({ to, subject, receivedAt }: Mail, number: number): string => `<tr>
<td class="number">${number}</td>
<td><time>${receivedAt.slice(11, 19)}</time></td>
<td>${escaped(to.join(', '))}</td>
<td><a href="/mails/${number}">${escaped(subject ?? '(no subject)')}</a></td>
</tr>`;

function list(mails: readonly Mail[]): Response {
  const rows = mails.map((mail, index) => row(mail, index + 1)).reverse();
  const table = `<table>
<tr><th>No.</th><th>UTC</th><th>To</th><th>Subject</th></tr>
${rows.join('\n')}
</table>`;
  return page(`${mails.length} mails`, rows.length === 0 ? '<p>No mail has come in yet.</p>' : table);
}

async function show(raw: Buffer, number: number): Promise<Response> {
  const { subject, text, headerLines } = await simpleParser(raw);
  const headers = headerLines.map(({ line }) => line).join('\n');
  return page(
    subject ?? '(no subject)',
    `<p><a href="/mails">All mails</a> · <a href="/control/mails/${number}">as it came in</a></p>
<iframe sandbox src="/mails/${number}/html" title="HTML part"></iframe>
<h2>Text</h2>
<pre>${escaped(text ?? '')}</pre>
<h2>Headers</h2>
<pre>${escaped(headers)}</pre>`,
  );
}

/** The mail's own HTML: no script runs in it, and nothing but pictures is fetched. */
async function htmlPart(raw: Buffer): Promise<Response> {
  const { html } = await simpleParser(raw, { skipImageLinks: true });
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy':
      "sandbox; default-src 'none'; img-src https: data:; style-src 'unsafe-inline'; frame-ancestors 'self'",
  };
  return new Response(html === false ? '<p>This mail has no HTML part.</p>' : html, { headers });
}

/** Adds `/mails`: what the mail server took, for a person to look at. */
export function addMailPage(app: H3, mailbox: Mailbox): void {
  const notFound = (): Response => new Response('no such mail', { status: 404 });
  app.get('/mails', () => list(mailbox.all()));
  app.get('/mails/:number', (event) => {
    const number = Number(event.context.params?.number);
    const raw = mailbox.raw(number);
    return raw === null ? notFound() : show(raw, number);
  });
  app.get('/mails/:number/html', (event) => {
    const raw = mailbox.raw(Number(event.context.params?.number));
    return raw === null ? notFound() : htmlPart(raw);
  });
}
