import type { Evidence } from './vocabulary.ts';

const MAIL = /[\w.+-]+@[\w-]+\.[\w.-]+/g;
/** Written as telephone numbers are: with a plus, or in groups. Ids and codes of suppliers stay readable. */
const PHONE = /\+\d[\d\s().-]{6,}\d|\(?\b\d{2,4}\)?(?:[\s.-]\d{2,4}){2,}\b/g;

const redactText = (text: string): string => text.replaceAll(MAIL, '(mail)').replaceAll(PHONE, '(phone)');

/** Evidence holds no personal data by contract; a supplier's own text may quote some all the same. */
export const redact = (evidence: Evidence): Evidence =>
  Object.fromEntries(
    Object.entries(evidence).map(([name, value]) => [
      name,
      typeof value === 'string' ? redactText(value) : value,
    ]),
  );
