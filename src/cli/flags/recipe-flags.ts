/** @file The flags of a recipe, made from its table of options: what is added there has its flag here. */

import { type Recipe, type RecipeFlag, recipeOptions } from "../../record/recipe.ts";
import {
  type Flag,
  optional,
  type SwitchFlag,
  toggle,
  untoggle,
  type ValueFlag,
  value,
} from "./define-command.ts";
import {
  fractionBelowOne,
  oneOf,
  positive,
  positiveInteger,
  type ReadValue,
  scales,
  text,
  unfreezings,
} from "./values.ts";

/** How a value of a kind is read; `example` is shown where it breaks the rule. */
function readerOf({ value: kind, example = "1", most }: RecipeFlag): ReadValue<unknown> {
  if (typeof kind !== "string") return oneOf(kind as readonly string[]);
  switch (kind) {
    case "count":
      return positiveInteger(example, most);
    case "positive":
      return positive(example);
    case "below one":
      return fractionBelowOne(example);
    case "scales":
      return scales(example);
    case "unfreezings":
      return unfreezings;
    default:
      return text;
  }
}

function flagOf(flag: RecipeFlag, fallback: unknown): Flag {
  if (flag.value === "switch") return fallback === true ? untoggle(flag.help) : toggle(flag.help);
  const { placeholder = "value", help, shown } = flag;
  const shape = {
    ...{ placeholder, help, read: readerOf(flag) },
    ...(shown === undefined ? {} : { shownFallback: shown }),
  };
  return fallback === undefined ? optional(shape) : value({ ...shape, fallback });
}

/** The flags of the options that such studies have, by camel-case name. */
function flagsOf(of: "every study" | "training"): Readonly<Record<string, Flag>> {
  return Object.fromEntries(
    recipeOptions
      .filter(([, option]) => option.of === of)
      .flatMap(([name, option]) => {
        const { flags, fallback, help = "" } = option;
        const own = flags ?? { [name]: { ...option, help } };
        return Object.entries(own).map(([key, flag]) => [key, flagOf(flag, fallback)]);
      }),
  );
}

type Named<K extends keyof Recipe> = {
  readonly [Name in K]: Recipe[Name] extends boolean ? SwitchFlag : ValueFlag<Recipe[Name]>;
};

/** Of every study; those that other commands have too are known by name. */
export const recipeFlags = flagsOf("every study") as Named<"batch" | "precision">;

/** Of studies that train: a range test has no use for them. */
export const trainingRecipeFlags = flagsOf("training");
