import { createInterface } from 'node:readline';
import { messageOf } from '../contracts/errors.ts';
import { isTelling, LEAST_CHARACTERS } from '../contracts/redact.ts';
import { searchPersonalData } from '../services/store/search-personal-data.ts';
import { DATA_OPTION, openStoreForCommand, readOptions } from './local/open-for-command.ts';

const stop = (message: string): never => {
  process.stderr.write(`${message}\n`);
  process.exit(2);
};

/**
 * npm run privacy:search: looks for what is known of a person in every column of the database that can hold text. The
 * values come from standard input, one a line, so that they stand in no history and no list of processes. Changes
 * nothing; exit code 1 when something is found, 2 when nothing is found and not everything could be looked for.
 * Without DB_CONNECTION_STRING it searches the local stack that runs; --data DIR says in which folder, if not .data/local.
 */
const { values: options } = readOptions({ options: DATA_OPTION }, 2);
const store = await openStoreForCommand({ data: options.data, maxConnections: 1, name: 'privacy-search' }, 2);
if (process.stdin.isTTY)
  process.stderr.write('mail address, name, street, telephone: one a line, then Ctrl-D\n');
const lines: string[] = [];
for await (const line of createInterface({ input: process.stdin })) lines.push(line.trim());
const values = lines.filter(isTelling);
if (values.length === 0)
  stop(`cannot search: give values of at least ${LEAST_CHARACTERS} characters, one a line`);

const findings = await store
  .transaction(async (sql) => {
    await sql.run('set transaction read only');
    return searchPersonalData(sql, values);
  })
  .catch((error: unknown) => stop(`cannot search: ${messageOf(error)}`));
await store.close();
for (const { column, rows } of findings) process.stdout.write(`${column}: ${rows} rows\n`);
process.stdout.write(
  `searched every column of text for ${values.length} values: ${findings.length === 0 ? 'nothing found' : 'found'}\n`,
);
// By their numbers: what stands in them is personal.
const tooShort = lines.flatMap((line, index) => (line === '' || isTelling(line) ? [] : [index + 1]));
if (findings.length > 0) process.exit(1);
if (tooShort.length > 0)
  stop(`not looked for, with less than ${LEAST_CHARACTERS} characters: line ${tooShort.join(', ')}`);
process.exit(0);
