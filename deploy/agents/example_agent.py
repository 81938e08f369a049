"""An agent of the crew: hears that orders are held, asks why, and says so. Needs `pip install nats-py[nkeys]`.

    NATS_SEED=SU... python deploy/agents/example_agent.py nats://127.0.0.1:4222
"""

import asyncio
import json
import os
import sys

import nats


async def main() -> None:
    url = sys.argv[1] if len(sys.argv) > 1 else "nats://127.0.0.1:4222"
    client = await nats.connect(url, name="example-agent", nkeys_seed_str=os.environ["NATS_SEED"])

    async def ask(subject: str, request: dict) -> dict:
        """Asks the order manager; the operations are in /asyncapi.json."""
        answer = await client.request(subject, json.dumps(request).encode(), timeout=5)
        if answer.headers and "Nats-Service-Error" in answer.headers:
            raise RuntimeError(answer.headers["Nats-Service-Error"])
        return json.loads(answer.data)

    facts = await client.subscribe("oms.pub.order.held")
    print("listening", flush=True)
    async for message in facts.messages:
        order_id = json.loads(message.data)["data"]["orderId"]
        order = await ask("svc.oms.read.orders.get", {"params": {"orderId": order_id}})
        print(f"{order['name']} is held: {', '.join(order['holdReasons'])}", flush=True)


asyncio.run(main())
