import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { AppError } from '../../contracts/errors.ts';
import { addSupplier, namesOf } from './scaffold.ts';

const HELP = `npm run supplier:new NAME      adds a supplier that has to be filled in; NAME like big-buy`;

const [name, ...more] = process.argv.slice(2);
try {
  if (name === undefined || name.startsWith('-') || more.length > 0) {
    console.log(HELP);
    process.exitCode = name === '--help' ? 0 : 1;
  } else {
    const files = await addSupplier(process.cwd(), name);
    const { label } = namesOf(name);
    await promisify(execFile)('npx', [
      'biome',
      'check',
      '--vcs-enabled=false',
      '--write',
      ...files.filter((file) => file.endsWith('.ts')),
    ]);
    console.log(files.map((file) => `  ${file}`).join('\n'));
    console.log(`\nservices/suppliers/README.md says what to fill in. What is missing still:
  npx vitest run test/conformance -t '${label}'`);
  }
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
