/**
 * @file The kinds of value that a flag may take, each with its rule. A value that breaks the rule is
 * refused with the flag, the rule, what was found and an example that works.
 */

import { ArgumentError } from "../../core/errors.ts";
import { MOST_LISTED } from "../../core/limits.ts";
import { meantHint } from "../../core/nearest-name.ts";
import { shortened } from "../../core/shown.ts";

/**
 * Reads the text given to a flag, which is named with its command: "find: --from".
 * @throws ArgumentError beginning with that
 */
export interface ReadValue<T> {
  (text: string, flag: string): T;
  /** The words that it takes, where they are few. */
  readonly choices?: readonly string[];
  /** Whether it may begin as a flag of ours does. */
  readonly takesFlags?: true;
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A decimal number, nothing before or after it; NaN for all else. */
function toNumber(text: string): number {
  return DECIMAL.test(text.trim()) ? Number(text) : Number.NaN;
}

function refuse(flag: string, rule: string, found: string, example: string): never {
  throw new ArgumentError(
    `${flag} must be ${rule}; got "${shortened(found)}". For example: ${flag.split(" ").at(-1)} ${example}`,
  );
}

function numeric(
  rule: string,
  example: string,
  holds: (value: number) => boolean,
): ReadValue<number> {
  return (text, flag) => {
    const value = toNumber(text);
    return Number.isFinite(value) && holds(value) ? value : refuse(flag, rule, text, example);
  };
}

/** Learning rates and other numbers above zero. */
export const positive = (example: string) =>
  numeric("a positive number", example, (value) => value > 0);

export const nonNegative = (example: string) =>
  numeric("a number, 0 or more", example, (value) => value >= 0);

/** Counts, up to what is given or 2^53 - 1, beyond which they are not exact. */
export const positiveInteger =
  (example: string, most: number = Number.MAX_SAFE_INTEGER): ReadValue<number> =>
  (text, flag) => {
    const value = toNumber(text);
    if (Number.isSafeInteger(value) && value > 0 && value <= most) return value;
    const rule =
      value > most ? `a positive whole number, at most ${most}` : "a positive whole number";
    return refuse(flag, rule, text, example);
  };

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** "2G", "800M", "64K" or bytes; powers of 1,024. */
export const byteCount =
  (example: string): ReadValue<number> =>
  (text, flag) => {
    const [, number, unit = ""] = /^(\d+(?:\.\d+)?)([KMG]?)$/i.exec(text.trim()) ?? [];
    const bytes = Math.floor(Number(number ?? 0) * (UNITS[unit.toUpperCase()] ?? 0));
    if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
    return refuse(flag, "a number of bytes above 0, with K, M or G where wanted", text, example);
  };

/** Whole numbers, `least` or more. */
export const integerFrom = (least: number, example: string): ReadValue<number> =>
  numeric(
    `a whole number, ${least} or more`,
    example,
    (value) => Number.isSafeInteger(value) && value >= least,
  );

/** Of which one is in the middle. */
export const oddNumber = (example: string, most: number) =>
  numeric(
    `an odd whole number from 3 to ${most}`,
    example,
    (value) => Number.isSafeInteger(value) && value >= 3 && value <= most && value % 2 === 1,
  );

/** Seeds: a key of the random streams, 32 bits. */
export const seedNumber = numeric(
  "a whole number from 0 to 4294967295",
  "7",
  (value) => Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff,
);

/** Of a socket; 0: the system chooses. */
export const portNumber = numeric(
  "a whole number from 0 to 65535",
  "8080",
  (value) => Number.isInteger(value) && value >= 0 && value <= 65_535,
);

export const fractionBelowOne = (example: string) =>
  numeric("a number from 0 to below 1", example, (value) => value >= 0 && value < 1);

export const openFraction = (example: string) =>
  numeric("a number between 0 and 1", example, (value) => value > 0 && value < 1);

export const aboveOne = (example: string) =>
  numeric("a number above 1", example, (value) => value > 1);

/** One of a fixed list; the nearest is named where another word is given. */
export const oneOf = <const T extends string>(known: readonly T[]): ReadValue<T> =>
  Object.assign(
    (text: string, flag: string) => {
      if ((known as readonly string[]).includes(text)) return text as T;
      throw new ArgumentError(
        `${flag} must be one of ${known.join(", ")}; got "${shortened(text)}"${meantHint(text, known)}`,
      );
    },
    { choices: known },
  );

/**
 * The parts between commas; a comma within brackets belongs to a schedule.
 * @throws ArgumentError where there are more than a thousand
 */
function listed(text: string, flag: string): string[] {
  const parts: string[] = [];
  let [depth, from] = [0, 0];
  for (let i = 0; i <= text.length; i++) {
    if (text[i] === "(") depth += 1;
    if (text[i] === ")") depth = Math.max(0, depth - 1);
    if (i < text.length && (text[i] !== "," || depth > 0)) continue;
    parts.push(text.slice(from, i));
    from = i + 1;
    if (parts.length > MOST_LISTED)
      throw new ArgumentError(
        `${flag} must hold at most ${MOST_LISTED} names or values; it holds more`,
      );
  }
  return parts;
}

/** "features=0.1,classifier=1": names, and a number of 0 or more for each. */
export const scales =
  (example: string): ReadValue<readonly { readonly name: string; readonly scale: number }[]> =>
  (text, flag) =>
    listed(text, flag).map((part) => {
      const [name = "", number = "", ...rest] = part.split("=").map((word) => word.trim());
      const scale = toNumber(number);
      if (name === "" || rest.length > 0 || !Number.isFinite(scale) || scale < 0)
        return refuse(
          flag,
          "NAME=NUMBER, the number 0 or more, or several by commas",
          text,
          example,
        );
      return { name, scale };
    });

/** "layer3@5,layer2@10": modules, and the epochs from which on training is from them. */
export const unfreezings: ReadValue<
  readonly { readonly from: string; readonly epoch: number }[]
> = (text, flag) =>
  listed(text, flag).map((part) => {
    const [from = "", number = "", ...rest] = part.split("@").map((word) => word.trim());
    const epoch = toNumber(number);
    if (from === "" || rest.length > 0 || !Number.isSafeInteger(epoch) || epoch < 1)
      return refuse(
        flag,
        "MODULE@EPOCH, the epoch a whole number from 2, or several by commas",
        text,
        "layer3@5,layer2@10",
      );
    return { from, epoch };
  });

/** Any words but none. */
/** Flags of another program, which a value of ours may not begin as. */
export const foreignFlags: ReadValue<string> = Object.assign(
  (value: string, flag: string) => text(value, flag),
  { takesFlags: true as const },
);

/** Who runs the runs of a study. */
export const executorName: ReadValue<string> = (value, flag) => {
  if (value === "slurm" || isRedisAddress(value)) return value;
  throw new ArgumentError(
    `${flag} must be slurm, or the address of a Redis as redis://HOST:6379; got "${shortened(value)}"`,
  );
};

/** "redis://user:password@host:6379/0", or rediss:// where it is encrypted. */
export const isRedisAddress = (value: string): boolean =>
  /^rediss?:\/\/[^/\s]/.test(value) && URL.canParse(value);

export const redisAddress: ReadValue<string> = (value, flag) => {
  if (isRedisAddress(value)) return value;
  throw new ArgumentError(
    `${flag} must be the address of a Redis, as redis://HOST:6379; got "${shortened(value)}"`,
  );
};

export const text: ReadValue<string> = (value, flag) => {
  if (value.trim() === "") throw new ArgumentError(`${flag} must not be empty`);
  return value;
};

/** A file by whose ending it is told from a data set. */
export const jsonFile: ReadValue<string> = (value, flag) =>
  value.endsWith(".json") && value !== ".json"
    ? value
    : refuse(flag, "a file that ends in .json", value, "study.json");

/** "adam,sgd+clr": names with commas between. */
export const list =
  (example: string): ReadValue<string[]> =>
  (value, flag) => {
    const names = listed(value, flag).map((name) => name.trim());
    return names.includes("") ? refuse(flag, "names with commas between", value, example) : names;
  };

/** "216" updates, or "4e" epochs. */
export interface Span {
  readonly count: number;
  readonly unit: "updates" | "epochs";
}

export const span: ReadValue<Span> = (value, flag) => {
  const epochs = /e$/i.test(value);
  const count = toNumber(epochs ? value.slice(0, -1) : value);
  const valid = epochs
    ? count > 0 && Number.isFinite(count)
    : Number.isSafeInteger(count) && count > 0;
  if (!valid) refuse(flag, "a whole number of updates, or of epochs followed by e", value, "4e");
  return { count, unit: epochs ? "epochs" : "updates" };
};

const SECONDS = { s: 1, m: 60, h: 3600 } as const;

/** "90s", "20m" or "2h", in seconds. */
export const timeSpan: ReadValue<number> = (value, flag) => {
  const [, count = "", unit] = /^(.*)([smh])$/i.exec(value) ?? [];
  const seconds = unit
    ? toNumber(count) * SECONDS[unit.toLowerCase() as keyof typeof SECONDS]
    : Number.NaN;
  return seconds > 0 && Number.isFinite(seconds)
    ? seconds
    : refuse(flag, "a number of seconds, minutes or hours above 0", value, "20m");
};

/** Numbers between 0 and 1, separated by commas. */
export const fractions =
  (example: string): ReadValue<readonly number[]> =>
  (text, flag) =>
    list(example)(text, flag).map((item) => openFraction(example)(item, flag));

/** What `--prune` may be: a rule by which arms end at rungs, an epoch of the rule of single runs, or none of them. */
export type PruneRule = number | "halving" | "asha" | "median" | "none";

const PRUNE_RULES = ["halving", "asha", "median", "none"] as const;

export const pruneRule: ReadValue<PruneRule> = (text, flag) => {
  const named = PRUNE_RULES.find((name) => name === text);
  if (named) return named;
  const epoch = toNumber(text);
  if (Number.isSafeInteger(epoch) && epoch > 0) return epoch;
  return refuse(
    flag,
    `one of ${PRUNE_RULES.join(", ")}, or a positive whole number`,
    text,
    "halving",
  );
};
