import { ReadableStream } from 'node:stream/web';
import { z } from 'zod';
import { AppError } from '../../contracts/errors.ts';
import {
  ExportQuery,
  ImportQuery,
  type ImportReport,
  type MappingEntry,
  MappingFile,
} from '../../contracts/resources/product-mapping.ts';
import type { Bus } from '../../services/bus/bus.ts';
import type { Store } from '../../services/store/store.ts';
import { writeMappingCsv } from '../mapping-csv.ts';
import { type ReadMappings, readCsvMappings, readJsonMappings, toReport } from '../mapping-file.ts';
import { findMappings, storeMappings } from '../mapping-store.ts';
import { check, contentTypeOf, readJson, readQuery, readText, unsupportedType } from '../read-input.ts';
import type { Route } from '../route.ts';

const IMPORT_LIMIT_BYTES = 10_000_000;
const PAGE = 1_000;

/** All mappings in the order of their variants, a page at a time: a file may be larger than what fits at once. */
async function* pagesOf(store: Store): AsyncGenerator<MappingEntry[]> {
  for (let after = ''; ; ) {
    const found = await findMappings(store, { after }, PAGE);
    yield found.map(({ updatedAt: _, goneFromShopAt: _gone, ...entry }) => entry);
    if (found.length < PAGE) return;
    after = found.at(-1)?.variantId ?? after;
  }
}

/** The same with the first one read already: an answer that has begun cannot say any more that something is away. */
async function begun<Page>(pages: AsyncGenerator<Page>): Promise<AsyncGenerator<Page>> {
  const first = await pages.next();
  return (async function* () {
    if (first.done !== true) yield first.value;
    yield* pages;
  })();
}

async function* csvOf(pages: AsyncIterable<MappingEntry[]>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const page of pages) {
    yield Buffer.from(writeMappingCsv(page, isFirst));
    isFirst = false;
  }
}

async function* jsonOf(pages: AsyncIterable<MappingEntry[]>): AsyncGenerator<Uint8Array> {
  let separator = '{"mappings":[';
  for await (const page of pages) {
    for (const entry of page) {
      yield Buffer.from(`${separator}\n${JSON.stringify(entry)}`);
      separator = ',';
    }
  }
  yield Buffer.from(separator === ',' ? '\n]}\n' : `${separator}]}\n`);
}

function refuseProblems({ problems }: ImportReport): void {
  if (problems.length === 0) return;
  throw new AppError('body_invalid', 'nothing was imported: some rows are not as they must be', {
    retryable: false,
    fields: problems.map(({ row, field, problem }) => ({ path: `row ${row}: ${field}`, message: problem })),
  });
}

/** Mappings as files: what the export answers, the import takes back unchanged. */
export const mappingFileRoutes = (store: Store, bus: Bus): Route[] => [
  {
    method: 'POST',
    path: '/product-mappings/import',
    handle: async (event): Promise<ImportReport> => {
      const { dryRun } = readQuery(event, ImportQuery);
      const type = contentTypeOf(event);
      let read: ReadMappings;
      if (type === 'text/csv')
        read = readCsvMappings(check(z.string(), await readText(event, IMPORT_LIMIT_BYTES), 'body'));
      else if (type !== 'application/json') throw unsupportedType('text/csv or application/json');
      else read = readJsonMappings((await readJson(event, MappingFile, IMPORT_LIMIT_BYTES)).mappings);
      const report = toReport(read, dryRun);
      if (dryRun) return report;
      refuseProblems(report);
      await storeMappings(store, bus, read.entries);
      return report;
    },
  },
  {
    method: 'GET',
    path: '/product-mappings/export',
    handle: async (event): Promise<ReadableStream<Uint8Array>> => {
      const { format } = readQuery(event, ExportQuery);
      const pages = await begun(pagesOf(store));
      const asked = event.req.headers.get('accept')?.includes('text/csv') ? 'csv' : 'json';
      const isCsv = (format ?? asked) === 'csv';
      event.res.headers.set('content-type', isCsv ? 'text/csv; charset=utf-8' : 'application/json');
      const name = `product-mappings.${isCsv ? 'csv' : 'json'}`;
      event.res.headers.set('content-disposition', `attachment; filename="${name}"`);
      return ReadableStream.from(isCsv ? csvOf(pages) : jsonOf(pages));
    },
  },
];
