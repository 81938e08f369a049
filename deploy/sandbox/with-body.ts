import type { H3Event } from 'h3';
import { z } from 'zod';
import { parseExactJson } from './exact-json.ts';

const badRequest = (detail: string): Response => Response.json({ error: detail }, { status: 400 });

/** Parses the body and hands it on; what is no JSON or not what is asked for is answered 400 with the reason. */
export async function withBody(event: H3Event, use: (body: unknown) => Response): Promise<Response> {
  try {
    return use(parseExactJson(await event.req.text()));
  } catch (error) {
    if (error instanceof z.ZodError) return badRequest(z.prettifyError(error));
    if (error instanceof SyntaxError) return badRequest('the body is not valid JSON');
    throw error;
  }
}
