import { describe, expect, test } from 'vitest';
import { ProductPage, SupplierProduct } from '../../contracts/resources/supplier-product.ts';
import { SUPPLIER_VARIABLES, signatureHeadersOf } from '../../contracts/supplier-variables.ts';
import { SUPPLIERS } from '../../contracts/vocabulary.ts';
import type {
  ObservedStatus,
  OrderKey,
  PlacedOrder,
  PlaceRequest,
  Push,
} from '../../services/suppliers/adapter.ts';
import { eventually } from '../fixtures/eventually.ts';
import type { Misfortune } from './bench.ts';
import { BENCHES } from './benches.ts';
import { aKit, type Kit, refusal, refusedAs, soon } from './kit.ts';

const keyOf = ({ callerRef }: PlaceRequest, { supplierReference }: PlacedOrder): OrderKey => ({
  supplierReference,
  callerRef,
});

/** A push that is news; anything else fails the test. */
async function newsOf(kit: Kit, message: Parameters<Kit['adapter']['readPush']>[0]) {
  const push: Push = await kit.adapter.readPush(message);
  if (push.kind === 'news') return push;
  throw new Error(`readPush() must take a push that the supplier signed as news, not as ${push.kind}`);
}

/** Bought no more than once and paid no more than once, whatever was answered. */
async function expectBookedAtMostOnce(kit: Kit, callerRef: string): Promise<void> {
  const orders = await kit.living(callerRef);
  expect(orders.length, 'the supplier must have one order under our reference at most').toBeLessThanOrEqual(
    1,
  );
  for (const { paidCount } of orders)
    expect(paidCount, 'it must be paid once at most').toBeLessThanOrEqual(1);
}

/** Where every parcel says what it holds, that is what was ordered, line by line. */
function expectAllPiecesOnce({ lines = [] }: OrderKey, parcels: ObservedStatus['parcels']): void {
  if (parcels.some(({ units }) => units === undefined)) return;
  const packed = lines.map(({ lineId }) =>
    parcels.reduce((sum, { units }) => sum + (units?.[lineId] ?? 0), 0),
  );
  expect(packed, 'units of all parcels, by line').toEqual(lines.map(({ supplierUnits }) => supplierUnits));
}

const setups = SUPPLIERS.flatMap((supplier) => BENCHES[supplier]);

describe.each(setups)('$name', (setup) => {
  const kitTest = (name: string, run: (kit: Kit) => Promise<void>): void =>
    test(name, async () => run(await aKit(setup)));

  describe('goods', () => {
    kitTest('a search gives a page in the normal form, with the product of the bench in it', async (kit) => {
      const { adapter, bench } = kit;
      const wanted = { query: bench.searchWords, page: 1, limit: 10, countryCode: 'US' };
      const page = ProductPage.parse(await adapter.search(wanted, soon()));
      const ids = page.items.map(({ id }) => id);
      expect(ids, 'search() must find the product').toContain(bench.articles[0].supplierProductId);
      expect(new Set(page.items.map(({ supplier }) => supplier))).toEqual(new Set([adapter.name]));
      const nothing = await adapter.search({ ...wanted, query: 'zeppelin hangar' }, soon());
      expect(nothing.items, 'a search that finds nothing is an empty page, no error').toEqual([]);
    });

    kitTest('a product comes in the normal form, with the variant that is bought', async (kit) => {
      const { adapter, bench } = kit;
      const [{ supplierProductId, supplierVariantId }] = bench.articles;
      const found = await adapter.product({ supplierProductId, countryCode: 'US' }, soon());
      const product = SupplierProduct.parse(found);
      expect(product).toMatchObject({ supplier: adapter.name, id: supplierProductId });
      const variants = product.variants.map(({ id }) => id);
      expect(variants, 'variants must have the ids that quote() and place() take').toContain(
        supplierVariantId,
      );
      expect(product.shippingOptions.length, 'shipping options to the country').toBeGreaterThan(0);
    });

    kitTest('a product that does not exist is not found', async ({ adapter, bench }) => {
      const wanted = { supplierProductId: bench.unknownProductId, countryCode: 'US' };
      await refusedAs('product() of an unknown id', adapter.product(wanted, soon()), 'not_found');
    });

    kitTest('a quote names goods, ways to ship from the cheapest on, and each article', async (kit) => {
      const { options, goodsMinor, currency, articles } = await kit.quote();
      expect(goodsMinor, 'goodsMinor in minor units').toBeGreaterThan(0);
      expect(currency).toMatch(/^[A-Z]{3}$/);
      expect(options.map(({ shippingMethod }) => shippingMethod)).toContain(kit.bench.shippingMethod);
      const costs = options.map(({ costMinor }) => costMinor);
      expect(costs, 'options must be sorted by cost').toEqual([...costs].sort((a, b) => a - b));
      const [{ supplierVariantId, units }] = kit.bench.articles;
      const now = articles.get(supplierVariantId);
      expect(now, 'articles must hold every variant of the request').toBeDefined();
      // Of a price with more decimals than the currency each is rounded by itself.
      expect(((now?.unitPriceMinor ?? 0) - 0.5) * units).toBeLessThanOrEqual(goodsMinor);
    });

    kitTest('stock that is gone is refused by the quote', async (kit) => {
      await kit.bench.change(kit.bench.articles[0], { stock: 0 });
      await refusedAs('quote() without stock', kit.quote(), 'unavailable');
    });

    kitTest('a sound recipient is found sound without asking anybody', async ({ adapter, bench }) => {
      expect(adapter.checkRecipient(bench.recipient).problems).toEqual([]);
      const nameless = adapter.checkRecipient({ ...bench.recipient, name: '', address1: '' });
      expect(nameless.problems.map(({ reason }) => reason)).toContain('address_invalid');
      expect(JSON.stringify(nameless.problems), 'problems repeat nothing of the recipient').not.toContain(
        bench.recipient.phone,
      );
    });
  });

  describe('placing', () => {
    kitTest(
      'creates one order, unpaid or paid as the capability says, that can be read again',
      async (kit) => {
        const { adapter } = kit;
        const request = await kit.request();
        const placed = await adapter.place(request, soon());
        const paidCount = adapter.capabilities.payment === 'with_order' ? 1 : 0;
        expect(await kit.bench.book(request.callerRef)).toEqual([{ isCancelled: false, paidCount }]);
        expect(placed.isPaid, 'isPaid must say what happened').toBe(paidCount === 1);
        const found = await adapter.read(placed.supplierReference, soon());
        const currencies = [placed.currency, found?.currency];
        expect(currencies, 'amounts are kept as of the quoted currency').toEqual([
          request.currency,
          request.currency,
        ]);
        expect(found).toMatchObject({ supplierReference: placed.supplierReference, isCancelled: false });
        const units = found?.articles.reduce((sum, article) => sum + article.units, 0);
        expect(units, 'read() must name all units').toBe(
          request.lines.reduce((sum, line) => sum + line.units, 0),
        );
        expect(found?.amountMinor, 'read() must name the amount').toBeLessThanOrEqual(request.ceilingMinor);
      },
    );

    kitTest('the same reference again buys nothing more, in every reading of the supplier', async (kit) => {
      for (const [reading, turn] of Object.entries(kit.bench.repetitions)) {
        await turn();
        const request = await kit.request();
        const first = await kit.adapter.place(request, soon());
        const again = await kit.adapter.place(request, soon()).catch((error: unknown) => error);
        if (again instanceof Error)
          await refusedAs(
            `the same order again (it ${reading})`,
            Promise.reject(again),
            'duplicate_reference',
          );
        else expect(again).toMatchObject({ supplierReference: first.supplierReference });
        await expectBookedAtMostOnce(kit, request.callerRef);
      }
    });

    const afterTheEffect: readonly Misfortune[] = ['error_after', 'no_answer_after', 'garbage'];
    for (const misfortune of afterTheEffect) {
      kitTest(
        `accepted, but the answer is lost (${misfortune}): doubt, and its way out finds it`,
        async (kit) => {
          const { adapter, bench } = kit;
          const request = await kit.request();
          await bench.spoil('place', misfortune);
          await refusedAs('place() without a verdict', adapter.place(request, soon()), 'unknown_outcome');
          expect(await kit.living(request.callerRef)).toHaveLength(1);
          const { looksUpByReference, repeatableForMs } = adapter.capabilities;
          if (looksUpByReference) {
            const found = await adapter.lookUp(request.callerRef, soon());
            expect(found).toMatchObject([{ callerRef: request.callerRef, isCancelled: false }]);
          } else if (repeatableForMs !== null) {
            await adapter
              .place(request, soon())
              .catch((error: unknown) =>
                refusedAs('the repetition', Promise.reject(error), 'duplicate_reference'),
              );
          }
          await expectBookedAtMostOnce(kit, request.callerRef);
        },
      );
    }

    const beforeTheEffect: readonly Misfortune[] = ['error_before', 'no_answer_before'];
    for (const misfortune of beforeTheEffect) {
      kitTest(`nothing happened, and nobody says so (${misfortune}): doubt all the same`, async (kit) => {
        const request = await kit.request();
        await kit.bench.spoil('place', misfortune);
        await refusedAs('place() without a verdict', kit.adapter.place(request, soon()), 'unknown_outcome');
        expect(await kit.bench.book(request.callerRef)).toEqual([]);
        if (!kit.adapter.capabilities.looksUpByReference) return;
        expect(await kit.adapter.lookUp(request.callerRef, soon()), 'absent is an empty list').toEqual([]);
      });
    }

    kitTest('too many calls: put off, and nothing was bought', async (kit) => {
      const request = await kit.request();
      await kit.bench.spoil('place', 'rate_limit');
      await refusedAs('place() while it is too fast', kit.adapter.place(request, soon()), 'throttled');
      expect(await kit.bench.book(request.callerRef)).toEqual([]);
    });

    kitTest('a clear no is a refusal that keeps the customer out of its evidence', async (kit) => {
      const request = await kit.request({ shippingMethod: 'Pigeon Express' });
      const error = await refusedAs(
        'place() with a way of shipping that there is not',
        kit.adapter.place(request, soon()),
        'not_shippable',
        'invalid_input',
      );
      expect(await kit.bench.book(request.callerRef)).toEqual([]);
      const said = JSON.stringify([error.message, error.evidence]);
      for (const personal of [request.recipient.name, request.recipient.email, request.recipient.address1])
        expect(said, 'evidence is stored and shown: nothing personal').not.toContain(personal);
    });

    kitTest('a price that has risen is not paid', async (kit) => {
      const { adapter } = kit;
      const request = await kit.request();
      await kit.bench.change(kit.bench.articles[0], { priceMinor: 9_900 });
      const placed = await adapter
        .place(request, soon())
        .catch((error: unknown) =>
          refusedAs('place() above its ceiling', Promise.reject(error), 'price_changed'),
        );
      for (const { paidCount } of await kit.bench.book(request.callerRef))
        expect(paidCount, 'nothing above the ceiling may be paid').toBe(0);
      if (placed instanceof Error) {
        expect(placed.evidence, 'nothing was sent, and the evidence says so').toMatchObject({ sent: false });
        return;
      }
      const due = await adapter.preparePayment(keyOf(request, placed), soon());
      expect(due.amountMinor, 'preparePayment() must name what it costs now').toBeGreaterThan(
        request.ceilingMinor,
      );
    });

    kitTest('stock that went after the quote is refused before anything is paid', async (kit) => {
      const { adapter } = kit;
      const request = await kit.request();
      await kit.bench.change(kit.bench.articles[0], { stock: 0 });
      const buying = adapter
        .place(request, soon())
        .then((placed) => adapter.preparePayment(keyOf(request, placed), soon()));
      await refusedAs('a purchase without stock', buying, 'unavailable');
      for (const { paidCount } of await kit.bench.book(request.callerRef)) expect(paidCount).toBe(0);
    });
  });

  describe('the account', () => {
    kitTest('a token that dies between two calls is renewed unseen, and buys once', async (kit) => {
      const request = await kit.request();
      await kit.bench.expireToken();
      await kit.adapter.place(request, soon());
      await kit.bench.expireToken();
      await kit.quote();
      expect(await kit.living(request.callerRef)).toHaveLength(1);
    });

    kitTest(
      'reads: too fast is throttled; garbage, a server error and no answer are transient',
      async (kit) => {
        await kit.quote();
        await kit.bench.spoil('quote', 'rate_limit');
        await refusedAs('quote() while it is too fast', kit.quote(), 'throttled');
        for (const misfortune of ['garbage', 'error_before', 'no_answer_before'] as const) {
          await kit.bench.spoil('quote', misfortune);
          await refusedAs(`quote() with ${misfortune}`, kit.quote(), 'transient');
        }
      },
    );

    kitTest('the end of the quota is throttled, and all copies are told until when', async (kit) => {
      await kit.quote();
      await kit.bench.endQuota();
      await refusedAs('quote() without quota', kit.quote(), 'throttled');
      const until = kit.quotaReports
        .flatMap(({ pausedUntil, budgetPausedUntil }) => pausedUntil ?? budgetPausedUntil ?? [])
        .at(-1);
      expect(until, 'report() must be told a pausedUntil or a budgetPausedUntil').toBeDefined();
      expect(Date.parse(until ?? '')).toBeGreaterThan(Date.now());
    });
  });

  describe('paying', () => {
    kitTest('what is due is said before, and one payment pays it', async (kit) => {
      const { adapter } = kit;
      const { payment } = adapter.capabilities;
      if (payment !== 'by_call') {
        const order = await kit.paidOrder();
        await refusedAs(
          'pay() of a supplier that no call pays',
          adapter.pay(order.supplierReference, soon()),
          'permanent',
        );
        expect(await adapter.preparePayment(order, soon())).toMatchObject({ state: 'paid' });
        return;
      }
      const request = await kit.request();
      const order = keyOf(request, await adapter.place(request, soon()));
      const due = await adapter.preparePayment(order, soon());
      expect(due).toMatchObject({ state: 'due', currency: request.currency });
      expect(due.amountMinor, 'preparePayment() must name the amount').toBeLessThanOrEqual(
        request.ceilingMinor,
      );
      expect(await adapter.preparePayment(order, soon()), 'safe to repeat').toMatchObject({ state: 'due' });
      await adapter.pay(order.supplierReference, soon());
      expect(await kit.living(order.callerRef)).toEqual([{ isCancelled: false, paidCount: 1 }]);
      expect(await adapter.preparePayment(order, soon())).toMatchObject({ state: 'paid' });
    });

    kitTest('a payment without an answer is doubt, and the next look knows', async (kit) => {
      const { adapter } = kit;
      if (adapter.capabilities.payment !== 'by_call') return;
      const request = await kit.request();
      const order = keyOf(request, await adapter.place(request, soon()));
      await adapter.preparePayment(order, soon());
      await kit.bench.spoil('pay', 'no_answer_after');
      await refusedAs(
        'pay() without an answer',
        adapter.pay(order.supplierReference, soon()),
        'unknown_outcome',
      );
      expect(await adapter.preparePayment(order, soon())).toMatchObject({ state: 'paid' });
      await expectBookedAtMostOnce(kit, order.callerRef);
    });

    kitTest('too little money is funds, and nothing is paid', async (kit) => {
      const { adapter } = kit;
      if (adapter.capabilities.payment !== 'by_call') return;
      const request = await kit.request();
      const order = keyOf(request, await adapter.place(request, soon()));
      await kit.bench.emptyBalance();
      await adapter.preparePayment(order, soon());
      await refusedAs('pay() without money', adapter.pay(order.supplierReference, soon()), 'funds');
      expect(await kit.living(order.callerRef)).toEqual([{ isCancelled: false, paidCount: 0 }]);
    });
  });

  describe('cancelling', () => {
    kitTest(
      'before the point of no return it succeeds where the supplier can, and else is refused',
      async (kit) => {
        const { adapter } = kit;
        const request = await kit.request();
        const order = keyOf(request, await adapter.place(request, soon()));
        const cancelling = adapter.cancel(order, soon());
        if (!adapter.capabilities.cancelsBeforePayment) {
          await refusedAs('cancel() of a supplier that cannot', cancelling, 'permanent');
          expect(await kit.living(order.callerRef)).toHaveLength(1);
          return;
        }
        await cancelling;
        expect(await kit.living(order.callerRef), 'the order must be given up').toEqual([]);
      },
    );

    kitTest('after it, it is refused and the order stays bought', async (kit) => {
      const order = await kit.paidOrder();
      const error = await refusal('cancel() of a paid order', kit.adapter.cancel(order, soon()));
      expect(error.retryable, 'a clear no is not to be tried again').toBe(false);
      expect(await kit.living(order.callerRef)).toEqual([{ isCancelled: false, paidCount: 1 }]);
    });
  });

  describe('looking', () => {
    kitTest('a reference is looked up where the supplier can, and else refused', async (kit) => {
      const { adapter } = kit;
      const since = new Date(Date.now() - 120_000).toISOString();
      const request = await kit.request();
      const { supplierReference } = await adapter.place(request, soon());
      const looking = adapter.lookUp(request.callerRef, soon());
      if (!adapter.capabilities.looksUpByReference) {
        await refusedAs('lookUp() of a supplier that cannot', looking, 'permanent');
        return;
      }
      expect(await looking).toMatchObject([{ supplierReference, callerRef: request.callerRef }]);
      for (let others = 0; others < 3; others += 1) await adapter.place(await kit.request(), soon());
      expect(
        await adapter.lookUp(request.callerRef, soon(), since),
        'whatever else was made since then',
      ).toMatchObject([{ supplierReference }]);
    });

    kitTest('a new order that is not shown yet is no order that is not there', async (kit) => {
      const { adapter } = kit;
      await kit.bench.hideNewOrders(true);
      const request = await kit.request();
      const placed = await adapter.place(request, soon());
      const order = keyOf(request, placed);
      expect(placed.supplierReference).not.toBe('');
      expect(await adapter.read(order.supplierReference, soon())).toBeNull();
      expect(await adapter.status([order], soon()), 'an order that is not shown is left out').toEqual(
        new Map(),
      );
      await refusedAs(
        'preparePayment() before it is shown',
        adapter.preparePayment(order, soon()),
        'transient',
      );
      if (adapter.capabilities.looksUpByReference)
        expect(await adapter.lookUp(order.callerRef, soon())).toEqual([]);
    });

    kitTest('every paid order gets its status by its own reference, up to a whole batch', async (kit) => {
      const { adapter } = kit;
      const orders = [await kit.paidOrder(), await kit.paidOrder()].slice(
        0,
        adapter.capabilities.statusBatchSize,
      );
      const seen = await adapter.status(orders, soon());
      expect([...seen.keys()].sort()).toEqual(
        orders.map(({ supplierReference }) => supplierReference).sort(),
      );
      for (const { status } of seen.values()) expect(status).toBe('processing');
    });

    kitTest(
      'a status that nobody documented is taken for no other, and hides no other order',
      async (kit) => {
        const { adapter } = kit;
        const [odd, sound] = [await kit.paidOrder(), await kit.paidOrder()];
        await kit.bench.showOddStatus(odd);
        const seen = new Map([
          ...(await adapter.status([odd], soon())),
          ...(await adapter.status(
            adapter.capabilities.statusBatchSize > 1 ? [odd, sound] : [sound],
            soon(),
          )),
        ]);
        expect(seen.get(sound.supplierReference)?.status).toBe('processing');
        expect(seen.get(odd.supplierReference)?.status ?? null).toBeNull();
      },
    );

    kitTest('a shipped order shows its parcel, a delivered one that it has arrived', async (kit) => {
      for (const pace of ['shipped', 'delivered'] as const) {
        await kit.bench.setPace(pace);
        const order = await kit.paidOrder();
        const seen = await eventually(async () => {
          const now = (await kit.adapter.status([order], soon())).get(order.supplierReference);
          expect(now?.status, `status() of a ${pace} order`).toBe(pace);
          return now;
        });
        expect(seen?.parcels, 'one parcel').toHaveLength(1);
        expect(seen?.parcels[0]?.trackingNumber, 'with its tracking number').not.toBe('');
      }
    });

    kitTest('an order that was split shows both parcels and stays one order', async (kit) => {
      const { adapter } = kit;
      await kit.bench.splitParcels();
      await kit.bench.setPace('delivered');
      const order = await kit.paidOrder();
      const seen = await eventually(async () => {
        const now = (await adapter.status([order], soon())).get(order.supplierReference);
        expect(now?.parcels, 'status() must show both parcels').toHaveLength(2);
        return now;
      });
      expect(new Set(seen?.parcels.map(({ trackingNumber }) => trackingNumber)).size).toBe(2);
      expectAllPiecesOnce(order, seen?.parcels ?? []);
      if (!adapter.capabilities.looksUpByReference) return;
      const found = await adapter.lookUp(order.callerRef, soon());
      expect(found, 'parts of a split order are no second purchase').toHaveLength(1);
    });

    kitTest(
      'two lines of one article in two parcels: each piece counts once, or none is said',
      async (kit) => {
        const { adapter, bench } = kit;
        await bench.splitParcels();
        await bench.setPace('delivered');
        const lines = [1, 2].map((units) => ({ ...bench.articles[0], units, lineId: `line-${units}` }));
        const order = await kit.paidOrder({ lines, ceilingMinor: 10_000_000 });
        const seen = await eventually(async () => {
          const now = (await adapter.status([order], soon())).get(order.supplierReference);
          expect(now?.parcels, 'status() must show both parcels').toHaveLength(2);
          return now;
        });
        expectAllPiecesOnce(order, seen?.parcels ?? []);
      },
    );
  });

  describe('pushes', () => {
    const hasPushes = async (kit: Kit): Promise<boolean> => {
      const { name, capabilities } = kit.adapter;
      if (capabilities.pushes !== 'none')
        expect(signatureHeadersOf(name), 'signatureHeaders of SUPPLIER_VARIABLES').not.toEqual([]);
      if (capabilities.pushes === 'by_call') {
        expect(
          SUPPLIER_VARIABLES[name].pushUrl,
          'pushUrl of SUPPLIER_VARIABLES: else nobody registers',
        ).not.toBe(null);
        return true;
      }
      const registering = kit.adapter.registerPush('https://shop.example/push', soon());
      await refusedAs('registerPush() of a supplier that has no such call', registering, 'permanent');
      return capabilities.pushes === 'by_hand';
    };

    kitTest('a signed push is news about our order', async (kit) => {
      if (!(await hasPushes(kit))) return;
      const heard = await kit.pushes();
      const order = await kit.paidOrder();
      await eventually(async () => {
        const news = await Promise.all(heard.map((message) => newsOf(kit, message)));
        const references = news.flatMap((push) => push.references);
        const { supplierReference, callerRef } = order;
        const ours = references.some((name) => name === supplierReference || name === callerRef);
        expect(ours, 'references must name the order').toBe(true);
      });
    });

    kitTest('a forged push is recognised: other bytes, another key, no signature', async (kit) => {
      if (!(await hasPushes(kit))) return;
      const heard = await kit.pushes();
      await kit.paidOrder();
      await eventually(async () => expect(heard).not.toEqual([]));
      const [message] = heard;
      if (message === undefined) return;
      const forgeries = [
        { ...message, body: Buffer.concat([message.body, Buffer.from(' ')]) },
        kit.bench.signedByAnother(message),
      ];
      for (const forgery of forgeries)
        expect(await kit.adapter.readPush(forgery)).toEqual({ kind: 'forged' });
      // Suppliers may try an address without one; nothing is believed all the same.
      const { kind } = await kit.adapter.readPush({ ...message, headers: {} });
      expect(['forged', 'probe']).toContain(kind);
    });

    kitTest('a doubled push has one id, different pushes have different ones', async (kit) => {
      if (!(await hasPushes(kit))) return;
      const heard = await kit.pushes('doubled');
      await kit.paidOrder();
      await eventually(async () => {
        const ids = await Promise.all(heard.map(async (message) => (await newsOf(kit, message)).messageId));
        const bodies = new Set(heard.map(({ body }) => Buffer.from(body).toString()));
        expect(ids.length, 'pushes that came twice').toBeGreaterThanOrEqual(2 * bodies.size);
        expect(bodies.size).toBeGreaterThan(1);
        expect(new Set(ids).size, 'messageId must be the same for every repetition').toBe(bodies.size);
      });
    });

    kitTest('pushes out of order lead to the truth, which is read', async (kit) => {
      if (!(await hasPushes(kit))) return;
      const heard = await kit.pushes('swapped');
      await kit.bench.setPace('delivered');
      const order = await kit.paidOrder();
      await eventually(async () => expect(heard.length).toBeGreaterThan(1));
      for (const message of heard) await newsOf(kit, message);
      const { status } = (await kit.adapter.status([order], soon())).get(order.supplierReference) ?? {};
      expect(status, 'status() tells the truth, whichever push came last').toBe('delivered');
    });

    kitTest('a try of the address is a probe', async (kit) => {
      if (!(await hasPushes(kit)) || kit.bench.probe === null) return;
      expect(await kit.adapter.readPush(kit.bench.probe)).toEqual({ kind: 'probe' });
    });
  });
});
