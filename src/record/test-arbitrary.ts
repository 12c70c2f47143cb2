/** @file For tests: everything that a schema admits, drawn at random. A shape that is added is drawn too. */

import fc, { type Arbitrary } from "fast-check";
import { z } from "zod";

/** What of JSON Schema zod writes of our records. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
}

/** Values of the schema; rules that JSON Schema cannot say (refinements) are not looked at. */
export function admitted<T>(schema: z.ZodType<T>): Arbitrary<T> {
  return of(z.toJSONSchema(schema, { io: "output" }) as Schema) as Arbitrary<T>;
}

function of(schema: Schema): Arbitrary<unknown> {
  if ("const" in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const { type } = schema;
  const choices =
    schema.anyOf ??
    schema.oneOf ??
    (isList(type) ? type.map((one) => ({ ...schema, type: one })) : null);
  if (choices) return fc.oneof(...choices.map(of));
  switch (type) {
    case "object":
      return objectOf(schema);
    case "array":
      return fc.array(of(schema.items!), { minLength: schema.minItems ?? 0, maxLength: 3 });
    case "string":
      return schema.pattern ? fc.stringMatching(new RegExp(schema.pattern)) : fc.string();
    case "integer":
      return fc.integer({
        min: Math.max(schema.minimum ?? -1e9, (schema.exclusiveMinimum ?? -1e9) + 1, -1e9),
        max: Math.min(schema.maximum ?? 1e9, 1e9),
      });
    case "number":
      // JSON knows no -0.
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value || 0);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    default:
      throw new Error(`no values are drawn of ${JSON.stringify(schema)}`);
  }
}

const isList = (type: Schema["type"]): type is readonly string[] => Array.isArray(type);

function objectOf({ properties, required, additionalProperties }: Schema): Arbitrary<unknown> {
  if (!properties) {
    // A record leaves that key out when it is read, as it names no property.
    const key = fc.string().filter((name) => name !== "__proto__");
    return fc.dictionary(key, of(additionalProperties as Schema), { maxKeys: 3 });
  }
  const model = Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [name, of(property)]),
  );
  return fc.record(model, { requiredKeys: [...(required ?? [])], noNullPrototype: true });
}
