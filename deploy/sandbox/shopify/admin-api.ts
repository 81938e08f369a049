import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type DocumentNode,
  execute,
  FieldsOnCorrectTypeRule,
  GraphQLError,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  type ValidationRule,
  validate,
} from 'graphql';
import type { LiveSettings } from '../settings.ts';
import { createTokenBucket } from '../token-bucket.ts';
import { deniedFields } from './access-scopes.ts';
import { createMutations } from './mutations.ts';
import { createQueries, type SearchContext } from './queries.ts';
import { actualCost, requestedCost } from './query-cost.ts';
import type { Shop } from './shop.ts';
import type { Webhooks } from './webhooks.ts';

export const adminSchemaText: string = readFileSync(
  new URL('./admin-subset.graphql', import.meta.url),
  'utf8',
);
const schema = buildSchema(adminSchemaText);

const MAX_COST = 1_000;
/** Of each list in the variables. */
const MAX_INPUTS = 250;
/** What a typical call asks for; only shown where the real cost was never computed. */
const TYPICAL_COST = 10;
const BUCKET_SECONDS = 20;
/** Callers send a handful of texts over and over; this only guards against one that builds them. */
const MAX_CACHED = 500;

/** The same check as the library's, in the words of the real server. */
const undefinedFieldRule: ValidationRule = (context) => ({
  Field(node) {
    const type = context.getParentType();
    if (type == null || context.getFieldDef() != null) return;
    const extensions = { code: 'undefinedField', typeName: type.name, fieldName: node.name.value };
    const message = `Field '${node.name.value}' doesn't exist on type '${type.name}'`;
    context.reportError(new GraphQLError(message, { nodes: node, extensions }));
  },
});
const RULES = specifiedRules.map((rule) => (rule === FieldsOnCorrectTypeRule ? undefinedFieldRule : rule));

export interface AdminRequest {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly operationName: string | null;
}

/** An operation ready to run, or the errors why it will not. */
export type Prepared =
  | {
      readonly document: DocumentNode;
      readonly operation: OperationDefinitionNode;
      readonly rootFields: string[];
    }
  | { readonly errors: readonly GraphQLError[] };

export interface AdminApi {
  prepare(request: AdminRequest): Prepared;
  /** The JSON body of the answer, with `extensions.cost`. Nothing runs when it says THROTTLED. */
  run(request: AdminRequest, prepared: Prepared): Promise<object>;
  /** The answer of an empty bucket, also for a request that never reached the schema. */
  throttled(): object;
}

function readDocument(query: string): { document: DocumentNode } | { errors: readonly GraphQLError[] } {
  try {
    const document = parse(query);
    const errors = validate(schema, document, RULES);
    return errors.length === 0 ? { document } : { errors };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] };
    throw error;
  }
}

/** The length of the longest list in it. */
const longestIn = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0;
  return Math.max(Array.isArray(value) ? value.length : 0, ...Object.values(value).map(longestIn));
};

const rootFieldsOf = ({ selectionSet }: OperationDefinitionNode): string[] =>
  selectionSet.selections.flatMap((selection) =>
    selection.kind === Kind.FIELD ? [selection.name.value] : [],
  );

/** Shopify's Admin GraphQL over one shop, without HTTP. */
export function createAdminApi(shop: Shop, webhooks: Webhooks, settings: LiveSettings): AdminApi {
  const rootValue = { ...createQueries(shop, webhooks), ...createMutations(shop, webhooks) };
  const cache = new Map<string, ReturnType<typeof readDocument>>();
  const bucket = createTokenBucket(() => {
    const { shopifyPointsPerSecond } = settings.current();
    return { perSecond: shopifyPointsPerSecond, capacity: shopifyPointsPerSecond * BUCKET_SECONDS };
  });
  const cost = (requested: number, actual: number | null): object => ({
    requestedQueryCost: requested,
    actualQueryCost: actual,
    throttleStatus: {
      maximumAvailable: settings.current().shopifyPointsPerSecond * BUCKET_SECONDS,
      currentlyAvailable: Math.floor(bucket.level()),
      restoreRate: settings.current().shopifyPointsPerSecond,
    },
  });
  const throttled = (requested: number): object => ({
    errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }],
    extensions: { cost: cost(requested, null) },
  });
  const tooExpensive = (requested: number): object => ({
    errors: [
      {
        message: `Query cost is ${requested}, which exceeds the single query max cost limit (${MAX_COST}).`,
        extensions: { code: 'MAX_COST_EXCEEDED', cost: requested, maxCost: MAX_COST },
      },
    ],
  });

  const tooLong = (length: number, [field = '']: readonly string[]): object => ({
    errors: [
      {
        message: `The input array size of ${length} is greater than the maximum allowed of ${MAX_INPUTS}.`,
        path: [field, 'input'],
        extensions: { code: 'MAX_INPUT_SIZE_EXCEEDED' },
      },
    ],
  });

  return {
    throttled: () => throttled(TYPICAL_COST),
    prepare({ query, operationName }) {
      const read = cache.get(query) ?? readDocument(query);
      if (cache.size < MAX_CACHED) cache.set(query, read);
      if ('errors' in read) return read;
      const operation = getOperationAST(read.document, operationName);
      if (operation == null) return { errors: [new GraphQLError('An operation name is required')] };
      return { document: read.document, operation, rootFields: rootFieldsOf(operation) };
    },
    async run({ variables, operationName }, prepared) {
      if ('errors' in prepared) return { errors: prepared.errors };
      const { document, operation } = prepared;
      const requested = requestedCost(schema, document, operation, variables);
      if (requested > MAX_COST) return tooExpensive(requested);
      const longest = longestIn(variables);
      if (longest > MAX_INPUTS) return tooLong(longest, prepared.rootFields);
      if (!bucket.take(requested)) return throttled(requested);

      const search: object[] = [];
      const scopes = settings.current().shopifyScopes;
      const denied = deniedFields(prepared.rootFields, scopes);
      if (denied.length > 0) return { data: null, errors: denied };
      const contextValue: SearchContext = {
        scopes,
        searchRows: settings.current().shopifySearchRows,
        warn: (query, warnings) => search.push({ path: ['orders'], query, warnings }),
      };
      const result = await execute({
        schema,
        document,
        rootValue,
        contextValue,
        variableValues: variables,
        ...(operationName === null ? {} : { operationName }),
      });
      const isMutation = operation.operation === 'mutation';
      const actual = Math.min(
        requested,
        actualCost(result.data) + (isMutation ? prepared.rootFields.length * 9 : 0),
      );
      bucket.giveBack(requested - actual);
      const extensions = { cost: cost(requested, actual), ...(search.length > 0 ? { search } : {}) };
      return { ...result, extensions };
    },
  };
}
