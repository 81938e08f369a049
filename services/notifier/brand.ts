import { domainToASCII } from 'node:url';
import type { Settings } from '../../contracts/settings.ts';
import type { BrandView } from './mail-shape.ts';

const INK = '#1f2328';
const WHITE = '#ffffff';
/** Between text and its ground, as the accessibility guidelines (WCAG, level AA) ask for. */
const LEGIBLE = 4.5;

/** Relative luminance by WCAG. @param colour `#rrggbb`. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** From 1 (the same) to 21 (black on white). */
export function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** The bare address in `Shop <mail@shop.example>`. */
const addressIn = (from: string): string => /<([^<>]+)>\s*$/.exec(from)?.[1] ?? from;

/** Its domain as a header may bear it, for our Message-IDs. */
export const domainIn = (from: string): string =>
  domainToASCII(addressIn(from).split('@')[1] ?? '') || 'order-manager.invalid';

/** How the shop's mails look. A brand colour that nobody could read as a link is kept to the buttons. */
export function brandOf(settings: Settings): BrandView {
  const colour = settings.ORDER_MANAGER_BRAND_COLOR;
  return {
    brandName: settings.ORDER_MANAGER_BRAND_NAME || (settings.SHOPIFY_SHOP_URL?.split('.')[0] ?? 'Your shop'),
    logoUrl: settings.ORDER_MANAGER_LOGO_URL ?? '',
    buttonColor: colour,
    buttonTextColor: contrast(colour, WHITE) >= contrast(colour, INK) ? WHITE : INK,
    linkColor: contrast(colour, WHITE) >= LEGIBLE ? colour : INK,
    backgroundColor: settings.ORDER_MANAGER_BACKGROUND_COLOR,
    supportEmail: settings.ORDER_MANAGER_REPLY_TO ?? addressIn(settings.EMAIL_FROM ?? ''),
    footer: settings.ORDER_MANAGER_MAIL_FOOTER,
  };
}
