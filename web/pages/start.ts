/**
 * @file A study started from a form. Its fields are those of the schema by which a study's file is read, with the words
 * that the command line's help has for them; the command that would start the same stands beneath.
 */

import { hashOf, setState } from "../address.ts";
import { get, post } from "../api.ts";
import { element, fill, say } from "../element.ts";
import type { OpenPage } from "./page.ts";

/** As much of a JSON schema as the study's has. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
}

/** What everybody says, first; all others are under "More". */
const FIRST = ["kind", "source", "optimizers", "seeds", "epochs", "model"];
/** Of the file, or of code, which a page does not name. */
const ASIDE = ["$schema", "formatVersion", "files"];
const BEGUN: Readonly<Record<string, string>> = {
  kind: "compare",
  source: "synthetic",
  optimizers: "adam, sgd@0.1",
  seeds: "0, 1, 2",
  epochs: "10",
};

interface Field {
  readonly path: readonly string[];
  readonly row: HTMLElement;
  /** What stands in it; null: what it began with. */
  text(): string | null;
  /** undefined: nothing was said. @throws Error naming the field */
  read(): unknown;
}

export const openStart: OpenPage = async ({ state }) => {
  const schema = await get<Schema>("/api/study-schema");
  const fields = Object.entries(schema.properties ?? {})
    .filter(([name]) => !ASIDE.includes(name))
    .flatMap(([name, each]) => fieldsOf([name], each, state));
  const first = FIRST.flatMap((name) => fields.filter(({ path }) => path[0] === name));
  const more = fields.filter((field) => !first.includes(field));
  const command = element("pre", {
    tabindex: 0,
    role: "region",
    "aria-label": "The command that starts the same",
  });
  const problem = element("p", { class: "warn", role: "alert", hidden: true });
  const begin = element("button", { type: "submit" }, "Start");
  const refused = (error: unknown) => {
    problem.hidden = error === null;
    problem.textContent = error === null ? "" : (error as Error).message;
  };
  let asking = 0;
  const show = async () => {
    const mine = ++asking;
    try {
      const said = await post<{ command: string }>("/api/command", { study: studyOf(fields) });
      if (mine !== asking) return;
      fill(command, said.command);
      refused(null);
    } catch (error) {
      if (mine === asking) refused(error);
    }
  };
  const start = async () => {
    begin.disabled = true;
    say("Starting: data and network are opened…");
    try {
      const { id } = await post<{ id: string }>("/api/studies", { study: studyOf(fields) });
      location.hash = hashOf(["study", id]);
    } catch (error) {
      refused(error);
    } finally {
      begin.disabled = false;
      say("");
    }
  };
  const form = element(
    "form",
    {
      oninput: () => {
        setState(Object.fromEntries(fields.map(({ path, text }) => [path.join("."), text()])));
        void show();
      },
      onsubmit: (event) => {
        event.preventDefault();
        void start();
      },
    },
    first.map(({ row }) => row),
    element(
      "details",
      {},
      element("summary", {}, "More"),
      more.map(({ row }) => row),
    ),
    element("h2", {}, "The same as a command"),
    command,
    problem,
    element("div", { class: "bar" }, begin),
  );
  void show();
  return {
    title: "Start a study",
    root: element("div", {}, element("h1", {}, "Start a study"), form),
    close: () => undefined,
  };
};

/** One field, or those within it. */
function fieldsOf(path: readonly string[], schema: Schema, state: URLSearchParams): Field[] {
  if (schema.properties)
    return Object.entries(schema.properties).flatMap(([name, each]) =>
      fieldsOf([...path, name], each, state),
    );
  const name = path.join(".");
  const begun = state.get(name) ?? BEGUN[name] ?? "";
  const choices = schema.type === "boolean" ? [true, false] : schema.enum;
  const usual = schema.default === undefined ? "" : `default ${JSON.stringify(schema.default)}`;
  const help = schema.description;
  const described = { "aria-describedby": help === undefined ? null : `help-${name}` };
  const control = choices
    ? element(
        "select",
        { id: `field-${name}`, ...described },
        (schema.default !== undefined || begun === "") &&
          element("option", { value: "" }, usual || "not said"),
        choices.map((choice) =>
          element(
            "option",
            { value: String(choice), selected: String(choice) === begun },
            String(choice),
          ),
        ),
      )
    : element("input", {
        id: `field-${name}`,
        ...described,
        type: isNumber(schema) ? "number" : "text",
        step: schema.type === "integer" ? 1 : "any",
        min: schema.minimum ?? (schema.type === "integer" ? 1 : schema.exclusiveMinimum),
        max:
          schema.maximum !== undefined && schema.maximum < Number.MAX_SAFE_INTEGER
            ? schema.maximum
            : null,
        value: begun,
        placeholder: usual,
      });
  const row = element(
    "div",
    { class: "field" },
    element("label", { for: `field-${name}` }, name),
    control,
    help !== undefined && element("small", { id: `help-${name}` }, help),
  );
  const text = () => (control.value === (BEGUN[name] ?? "") ? null : control.value);
  return [{ path, row, text, read: () => readAs(schema, control.value.trim(), name) }];
}

const isNumber = ({ type }: Schema) => type === "number" || type === "integer";

function readAs(schema: Schema, text: string, name: string): unknown {
  if (text === "") return undefined;
  if (schema.type === "boolean") return text === "true";
  if (isNumber(schema)) return Number(text);
  if (schema.type === "array") {
    const number = schema.items !== undefined && isNumber(schema.items);
    return partsOf(text).map((part) => (number ? Number(part) : part));
  }
  if (schema.type === "string" || schema.enum) return text;
  // One of several forms, or an object: as JSON, or the word itself.
  try {
    return JSON.parse(text);
  } catch {
    if (/^[[{]/.test(text)) throw new Error(`${name}: is no JSON`);
    return text;
  }
}

/** The parts between commas; a comma within brackets belongs to an arm's settings. */
function partsOf(text: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const letter of text) {
    depth += letter === "(" ? 1 : letter === ")" ? -1 : 0;
    if (letter === "," && depth <= 0) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  return parts.map((part) => part.trim()).filter(Boolean);
}

function studyOf(fields: readonly Field[]): Record<string, unknown> {
  const study: Record<string, unknown> = { formatVersion: 2 };
  for (const { path, read } of fields) {
    const value = read();
    if (value === undefined) continue;
    const [name = "", inner] = path;
    if (inner === undefined) study[name] = value;
    else study[name] = { ...(study[name] as object | undefined), [path.slice(1).join(".")]: value };
  }
  return study;
}
