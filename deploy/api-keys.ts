import { Scope } from '../contracts/resources/api-key.ts';
import { addKey, listKeys, revokeKey } from '../services/store/api-keys.ts';
import { DATA_HELP, DATA_OPTION, openStoreForCommand, readOptions } from './local/open-for-command.ts';

const HELP = `npm run api-keys -- list                          names, scopes and dates; never the keys themselves
npm run api-keys -- add NAME --scope read         makes a key and shows it, this once; scopes: read, write, admin
npm run api-keys -- revoke NAME                   the key is refused everywhere within ten seconds

${DATA_HELP}`;

const stop = (message: string): never => {
  process.stderr.write(`${message}\n`);
  process.exit(1);
};

const { values, positionals } = readOptions({
  allowPositionals: true,
  options: { scope: { type: 'string', default: 'read' }, ...DATA_OPTION },
});
const [verb, name = ''] = positionals;
if (verb === undefined || !['list', 'add', 'revoke'].includes(verb)) stop(HELP);
if (verb !== 'list' && !/^[\w.-]{1,60}$/.test(name))
  stop('NAME must be 1 to 60 letters, digits, dots, dashes or underscores');
const scope = Scope.safeParse(values.scope);
if (!scope.success) stop('--scope must be read, write or admin');

const store = await openStoreForCommand({ data: values.data, maxConnections: 1, name: 'api-keys' });
try {
  if (verb === 'list') {
    for (const key of await listKeys(store)) {
      const end = key.revokedAt === null ? 'valid' : `revoked ${key.revokedAt}`;
      process.stdout.write(`${key.name}  ${key.scope}  made ${key.createdAt}  ${end}\n`);
    }
  } else if (verb === 'add') {
    const key = await addKey(store, name, scope.data ?? 'read');
    process.stdout.write(key === undefined ? '' : `${key}\n`);
    if (key === undefined) process.exitCode = 1;
    if (key === undefined) process.stderr.write(`there is a key named ${name} already: revoke it first\n`);
  } else if (!(await revokeKey(store, name))) {
    process.stderr.write(`there is no key named ${name}\n`);
    process.exitCode = 1;
  }
} finally {
  await store.close();
}
