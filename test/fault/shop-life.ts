import { orderIdOf } from '../../contracts/ids.ts';
import { SANDBOX_SHOP } from '../../deploy/local/sandbox-process.ts';
import { aShopOrder, type WantedArticle } from '../fixtures/shop-orders.ts';

/** What somebody does to an order after it was placed, so many milliseconds later. */
export interface Change {
  readonly kind: 'cancel' | 'refund' | 'edit';
  readonly afterMs: number;
}

/** One order of the run: what is bought, and what its customer thinks better of. Follows from seed and number. */
export interface Story {
  readonly number: number;
  readonly orderId: string;
  readonly shopOrderId: string;
  readonly articles: readonly WantedArticle[];
  readonly change: Change | null;
  /** For the sandbox shop. */
  readonly body: object;
}

/** The one that AliExpress sells; the others are bought at CJ, the tent and the bottle from other warehouses. */
const AT_ALIEXPRESS = 3;
const AT_CJ = [1, 2, 4, 5, 6, 7, 8];
const CHANGES = ['cancel', 'refund', 'edit'] as const;

/** Customers whose data is nowhere else in the run: a log that names one of them has told on them. */
export const PERSONAL = ['Robin Probe', '12 Test Lane', '@probe.example', '15035550100', 'Testville'];

/** Half of the orders are plain, a quarter is bought at both suppliers, and a quarter is changed. */
export function aStory(number: number, random: () => number): Story {
  const units = (): number => 1 + Math.floor(random() * 6);
  const pick = (): number => AT_CJ[Math.floor(random() * AT_CJ.length)] ?? 1;
  const [at, changed] = [random(), random()];
  const first = pick();
  const second = AT_CJ.filter((article) => article !== first)[Math.floor(random() * (AT_CJ.length - 1))] ?? 2;
  // Purchases in doubt of the same goods and units could not be told apart where nothing can be looked up.
  const rareUnits = 1 + (number % 29);
  const articles =
    at < 0.25
      ? [
          { article: AT_ALIEXPRESS, units: rareUnits },
          { article: first, units: units() },
        ]
      : at < 0.5
        ? [{ article: AT_ALIEXPRESS, units: rareUnits }]
        : at < 0.75
          ? [{ article: first, units: units() }]
          : [
              { article: first, units: units() },
              { article: second, units: units() },
            ];
  const kind = CHANGES[Math.floor(random() * CHANGES.length)];
  const change = changed < 0.2 && kind !== undefined ? { kind, afterMs: 6_000 * random() ** 2 } : null;
  const { id, body } = aShopOrder(number, articles);
  return {
    number,
    shopOrderId: id,
    orderId: orderIdOf(SANDBOX_SHOP, id),
    articles,
    change,
    body: { ...JSON.parse(body), updated_at: new Date().toISOString() },
  };
}

/** What the shop is told to do to the order. An edit takes one unit of the first line away, or all of it. */
export function changeIn(story: Story, { kind }: Change): object {
  if (kind === 'cancel') return { cancelled: true };
  if (kind === 'refund') return { financialStatus: 'REFUNDED' };
  const [first] = story.articles;
  const lineId = String(15_000_000_000_000 + Number(`${story.number}1`));
  return { quantities: { [lineId]: (first?.units ?? 1) - 1 } };
}
