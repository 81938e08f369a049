/**
 * An agent of the crew: hears that orders are held, asks why, and says so. Run it with the seed that the crew got:
 *   NATS_SEED=SU... npx node deploy/agents/example-agent.ts nats://127.0.0.1:4222
 */
import { connect, nkeyAuthenticator, ServiceError, StringCodec } from 'nats';

const text = StringCodec();
const seed = new TextEncoder().encode(process.env.NATS_SEED);
const connection = await connect({
  servers: process.argv[2] ?? 'nats://127.0.0.1:4222',
  name: 'example-agent',
  authenticator: nkeyAuthenticator(seed),
  maxReconnectAttempts: -1,
});

/** Asks the order manager; the operations are in /asyncapi.json. */
async function ask(subject: string, request: object) {
  const answer = await connection.request(subject, text.encode(JSON.stringify(request)), { timeout: 5_000 });
  const refusal = ServiceError.toServiceError(answer);
  if (refusal !== null) throw refusal;
  return JSON.parse(text.decode(answer.data));
}

const facts = connection.subscribe('oms.pub.order.held');
process.once('SIGTERM', () => connection.drain());
console.log('listening');
for await (const message of facts) {
  const { data } = JSON.parse(text.decode(message.data));
  const order = await ask('svc.oms.read.orders.get', { params: { orderId: data.orderId } });
  console.log(`${order.name} is held: ${order.holdReasons.join(', ')}`);
}
