import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../contracts/errors.ts';
import { SERVICES } from '../../contracts/subjects.ts';

const TEMPLATES = fileURLToPath(new URL('templates', import.meta.url));

const refuse = (problem: string): never => {
  throw new AppError('message_invalid', problem, { retryable: false });
};

/** What commands, settings or the switch over all suppliers are called already. */
const OURS: readonly string[] = [...SERVICES, 'all', 'order-manager'];
/** No constant can be called so. */
const OF_THE_LANGUAGE =
  'arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof undefined var void while with yield'.split(
    ' ',
  );

const capital = (word: string): string => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;

/** The name in every form in which it is written somewhere. */
export function namesOf(folder: string) {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(folder))
    return refuse(
      `${JSON.stringify(folder)} is no name: small letters and digits, words joined by -, like big-buy`,
    );
  if (OURS.includes(folder) || OF_THE_LANGUAGE.includes(folder))
    return refuse(
      `${JSON.stringify(folder)} means something else here already: add a word, like ${folder}-shop`,
    );
  const words = folder.split('-');
  const pascal = words.map(capital).join('');
  const constant = words.join('_').toUpperCase();
  return {
    folder,
    name: words.join('_'),
    label: words.map(capital).join(' '),
    Pascal: pascal,
    camel: `${pascal.charAt(0).toLowerCase()}${pascal.slice(1)}`,
    CONSTANT: constant,
    ENV: constant,
  };
}
type Names = ReturnType<typeof namesOf>;

/** Text that goes before (or, with `after`, behind) the one place where `anchor` stands. */
interface Insertion {
  readonly file: string;
  readonly anchor: string;
  readonly text: (names: Names) => string;
  readonly isAfter?: boolean;
}

const INSERTIONS: readonly Insertion[] = [
  {
    file: 'contracts/vocabulary.ts',
    anchor: "export const SUPPLIERS = ['aliexpress', 'cj_dropshipping'",
    isAfter: true,
    text: ({ name }) => `, '${name}'`,
  },
  {
    file: 'contracts/settings.ts',
    anchor: '  SMTP_SERVER: host.optional(),\n',
    text: ({ ENV }) =>
      `  ${ENV}_API_KEY: text.optional(),
  ${ENV}_BASE_URL: origin.default('https://${ENV.toLowerCase().replaceAll('_', '-')}.invalid'),
  ${ENV}_MODE: mode.default('shadow'),
  ${ENV}_REQUESTS_PER_SECOND: z.coerce.number().min(0.1).max(100_000).default(1),
`,
  },
  {
    file: 'contracts/supplier-variables.ts',
    anchor: '} as const satisfies Record<SupplierName, SupplierVariables>;',
    text: ({ name, label, ENV }) =>
      `  ${name}: {
    label: '${label}',
    needs: ['${ENV}_API_KEY'],
    mayHave: [],
    mode: '${ENV}_MODE',
    requestsPerSecond: '${ENV}_REQUESTS_PER_SECOND',
    pushUrl: null,
    signatureHeaders: [],
  },
`,
  },
  {
    file: '.env.example',
    anchor: '\n# --- Mail ',
    text: ({ ENV }) =>
      `${ENV}_API_KEY=
${ENV}_BASE_URL=
${ENV}_MODE=shadow
# Of its contract.
${ENV}_REQUESTS_PER_SECOND=1
`,
  },
  {
    file: 'services/suppliers/registry.ts',
    anchor: "import { type PatientAdapter, withPolicy } from './policy.ts';\n",
    text: ({ camel, folder }) => `import { ${camel} } from './${folder}/registration.ts';\n`,
  },
  {
    file: 'services/suppliers/registry.ts',
    anchor: '  cj_dropshipping: cjDropshipping,\n',
    isAfter: true,
    text: ({ name, camel }) => (name === camel ? `  ${name},\n` : `  ${name}: ${camel},\n`),
  },
  {
    file: 'nats.conf',
    anchor: `"$JS.API.CONSUMER.MSG.NEXT.CMD.oms-cj_dropshipping", "$JS.ACK.CMD.oms-cj_dropshipping.>"\n`,
    isAfter: true,
    text: ({ name }) =>
      `          "oms.cmd.${name}.>", "$JS.API.CONSUMER.INFO.CMD.oms-${name}"
          "$JS.API.CONSUMER.MSG.NEXT.CMD.oms-${name}", "$JS.ACK.CMD.oms-${name}.>"
`,
  },
  {
    file: 'deploy/kubernetes/base/suppliers.yaml',
    anchor: "        consumer: oms-cj_dropshipping\n        lagThreshold: '200'\n",
    isAfter: true,
    text: ({ name }) =>
      `    - type: nats-jetstream
      metadata:
        natsServerMonitoringEndpoint: nats.order-manager.svc:8222
        account: OMS
        stream: CMD
        consumer: oms-${name}
        lagThreshold: '200'
`,
  },
  {
    file: 'test/conformance/benches.ts',
    anchor: "import { CJ_BENCHES } from './cj-dropshipping-bench.ts';\n",
    isAfter: true,
    text: ({ CONSTANT, folder }) => `import { ${CONSTANT}_BENCHES } from './${folder}-bench.ts';\n`,
  },
  {
    file: 'test/conformance/benches.ts',
    anchor: '  cj_dropshipping: CJ_BENCHES,\n',
    isAfter: true,
    text: ({ name, CONSTANT }) => `  ${name}: ${CONSTANT}_BENCHES,\n`,
  },
];

/** @throws AppError when the place is not there any more, or not the only one: then it has to be done by hand. */
function insert(source: string, { file, anchor, isAfter = false }: Insertion, text: string): string {
  const at = source.indexOf(anchor);
  if (at < 0 || source.indexOf(anchor, at + 1) >= 0)
    return refuse(
      `${file} has no single place after or before ${JSON.stringify(anchor.trim())}: nothing was written`,
    );
  const position = isAfter ? at + anchor.length : at;
  return source.slice(0, position) + text + source.slice(position);
}

const fill = (template: string, names: Names): string =>
  Object.entries(names).reduce((text, [key, value]) => text.replaceAll(`{{${key}}}`, value), template);

/**
 * Adds a supplier whose adapter says of each method that it is not filled in: its folder, its bench, and its place in
 * the tables. Everything is prepared before anything is written. Answers with the files, relative to `root`.
 * @throws AppError `message_invalid` in words for the person.
 */
export async function addSupplier(root: string, folder: string): Promise<string[]> {
  const names = namesOf(folder);
  const files = new Map<string, string>();
  for (const [path, template] of [
    [`services/suppliers/${folder}/${folder}.ts`, 'adapter.ts.txt'],
    [`services/suppliers/${folder}/registration.ts`, 'registration.ts.txt'],
    [`test/conformance/${folder}-bench.ts`, 'bench.ts.txt'],
  ] as const) {
    if (existsSync(join(root, path))) refuse(`${path} is there already`);
    files.set(path, fill(await readFile(join(TEMPLATES, template), 'utf8'), names));
  }
  for (const insertion of INSERTIONS) {
    const { file, text } = insertion;
    const source = files.get(file) ?? (await readFile(join(root, file), 'utf8'));
    files.set(file, insert(source, insertion, text(names)));
  }
  for (const [path, content] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return [...files.keys()];
}
