import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { signatureHeadersOf } from '../../contracts/supplier-variables.ts';
import type { SupplierName } from '../../contracts/vocabulary.ts';
import { listenOn } from '../../deploy/sandbox/listen.ts';
import type { PushMessage } from '../../services/suppliers/adapter.ts';

export interface PushEar {
  readonly url: string;
  /** Oldest first; grows. */
  readonly heard: readonly PushMessage[];
  forget(): void;
}

/** Takes every push of the supplier with 200, as the gateway hands them on: raw bytes, and the headers it signs with. */
export async function aPushEar(
  supplier: SupplierName,
  whenOver: (close: () => void) => void,
): Promise<PushEar> {
  const handedOn = signatureHeadersOf(supplier);
  const heard: PushMessage[] = [];
  const server = createServer((request, response) => {
    buffer(request).then(
      (body) => {
        const headers = Object.entries(request.headers)
          .filter(([name]) => handedOn.includes(name))
          .map(([name, value]) => [name, String(value)] as const);
        heard.push({ headers: Object.fromEntries(headers), body });
        response.writeHead(200).end();
      },
      () => response.destroy(),
    );
  });
  const port = await listenOn(server, '127.0.0.1', 0);
  whenOver(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${port}/push`,
    heard,
    forget: () => {
      heard.length = 0;
    },
  };
}
