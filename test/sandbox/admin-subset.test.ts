import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import {
  buildClientSchema,
  buildSchema,
  type GraphQLNamedType,
  type IntrospectionQuery,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';
import { expect, test } from 'vitest';
import { adminSchemaText } from '../../deploy/sandbox/shopify/admin-api.ts';

/** Shopify's own dev tool carries the whole schema. */
const REAL = new URL('../../node_modules/@shopify/dev-mcp/dist/data/admin_2026-10.json.gz', import.meta.url);

/** One text per promise of a type: its fields with their arguments and types, its values. */
function promisesOf(type: GraphQLNamedType | undefined): Set<string> {
  const promises = new Set<string>();
  if (isObjectType(type) || isInterfaceType(type)) {
    for (const field of Object.values(type.getFields())) {
      promises.add(`${type.name}.${field.name}: ${field.type}`);
      for (const argument of field.args)
        promises.add(`${type.name}.${field.name}(${argument.name}: ${argument.type})`);
    }
  }
  if (isInputObjectType(type)) {
    for (const field of Object.values(type.getFields()))
      promises.add(`${type.name}.${field.name}: ${field.type}`);
  }
  if (isEnumType(type)) for (const { name } of type.getValues()) promises.add(`${type.name} ${name}`);
  return promises;
}

/** What a caller of the real one must give. */
function dutiesOf(type: GraphQLNamedType | undefined): string[] {
  if (isInputObjectType(type)) {
    return Object.values(type.getFields()).flatMap((field) =>
      isRequiredInputField(field) ? `${type.name}.${field.name}: ${field.type}` : [],
    );
  }
  return [];
}

test.skipIf(!existsSync(REAL))(
  'our part of the Admin schema says nothing that the real one of 2026-10 does not say',
  () => {
    const content: { data: IntrospectionQuery } = JSON.parse(gunzipSync(readFileSync(REAL)).toString('utf8'));
    const real = buildClientSchema(content.data);
    const ours = buildSchema(adminSchemaText);
    const invented: string[] = [];
    const forgotten: string[] = [];
    for (const type of Object.values(ours.getTypeMap())) {
      if (isIntrospectionType(type)) continue;
      const counterpart = real.getType(type.name);
      const known = promisesOf(counterpart);
      if (counterpart === undefined) invented.push(type.name);
      invented.push(...[...promisesOf(type)].filter((promise) => !known.has(promise)));
      forgotten.push(...dutiesOf(counterpart).filter((duty) => !promisesOf(type).has(duty)));
      if (isObjectType(type) && isObjectType(counterpart)) {
        for (const field of Object.values(type.getFields())) {
          const required = counterpart.getFields()[field.name]?.args.filter(isRequiredArgument) ?? [];
          for (const { name } of required) {
            if (!field.args.some((argument) => argument.name === name))
              forgotten.push(`${type.name}.${field.name}(${name})`);
          }
        }
      }
    }
    expect(invented).toEqual([]);
    expect(forgotten).toEqual([]);
  },
);
