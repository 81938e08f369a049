import { envelope } from '../../contracts/envelope.ts';
import { GAP_REPORTED, type GapReported } from '../../contracts/events/gap-reported.ts';
import { factSubject } from '../../contracts/subjects.ts';
import { commitAndPublish } from '../bus/commit-and-publish.ts';
import type { ShopPorts } from './shop-ports.ts';

/** How long the sweep remembers what it saw. */
const KEPT_DAYS = 30;

/**
 * Once for each day (UTC) that is over: compares what the catch-up saw with what the webhooks brought, as a row, which
 * the metrics read, and as an event for the crew. One round; any number of copies.
 */
export async function reportGap(ports: ShopPorts): Promise<'idle'> {
  const { store, bus, settings, log } = ports;
  const shop = settings.SHOPIFY_SHOP_URL;
  if (shop === undefined) return 'idle';
  await commitAndPublish(store, bus, async (sql, say) => {
    const [report] = await sql.query<GapReported>(
      `insert into gap_reports (shop, day, seen, by_webhook, only_by_sweep, missing, mean_delay_seconds)
       select $1, yesterday, count(s.order_id), count(w.order_id), count(s.order_id) - count(w.order_id),
              count(s.order_id) - count(o.id), (
                select avg(extract(epoch from received_at - triggered_at::timestamptz)) from webhooks
                 where source = 'shopify:' || $1 and triggered_at is not null
                   and received_at >= yesterday and received_at < yesterday + 1)
         from (select (now() at time zone 'UTC')::date - 1 as yesterday) d
         left join swept_orders s on s.shop = $1
              and s.first_seen_at >= yesterday at time zone 'UTC'
              and s.first_seen_at < (yesterday + 1) at time zone 'UTC'
         left join lateral (select order_id from webhooks where order_id = s.order_id limit 1) w on true
         left join orders o on o.id = s.order_id
        where not exists (select 1 from gap_reports g where g.shop = $1 and g.day = yesterday)
        group by yesterday
       on conflict do nothing
       returning shop, day::text as day, seen, by_webhook as "byWebhook", only_by_sweep as "onlyBySweep", missing,
                 mean_delay_seconds as "meanDelaySeconds"`,
      [shop],
    );
    if (report === undefined) return;
    await sql.run(`delete from swept_orders where first_seen_at < now() - $1::float8 * interval '1 day'`, [
      KEPT_DAYS,
    ]);
    log[report.missing > 0 ? 'warn' : 'info'](report, 'what the webhooks of the day brought');
    const messageId = `gap:${shop}:${report.day}`;
    const message = envelope({
      id: messageId,
      source: '/shopify',
      type: GAP_REPORTED,
      subject: shop,
      time: new Date().toISOString(),
      data: report,
    });
    say({ messageId, subject: factSubject(GAP_REPORTED), payload: JSON.stringify(message) });
  });
  return 'idle';
}
