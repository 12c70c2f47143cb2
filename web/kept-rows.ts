/**
 * @file Rows of a table that is shown again and again: of two hundred one has changed, and the others are left as they
 * are, with what is pressed in them and where the focus is.
 */

export interface KeptRow {
  readonly key: string;
  /** All that it shows: where that is as before so is the row. */
  readonly is: string;
  make(): HTMLElement;
}

export interface KeptRows {
  show(rows: readonly KeptRow[]): void;
}

interface Row {
  readonly is: string;
  readonly root: HTMLElement;
}

export function keptRows(body: HTMLElement): KeptRows {
  let rows = new Map<string, Row>();
  return {
    show(wanted) {
      const before = rows;
      rows = new Map(
        wanted.map(({ key, is, make }) => {
          const found = before.get(key);
          return [key, found?.is === is ? found : { is, root: make() }];
        }),
      );
      const focused = focusIn(before, rows);
      const now = [...rows.values()].map(({ root }) => root);
      if ([...before.keys()].join() !== [...rows.keys()].join()) body.replaceChildren(...now);
      else
        for (const [i, { root }] of [...before.values()].entries())
          if (root !== now[i] && now[i]) root.replaceWith(now[i]);
      focused();
    },
  };
}

/** Returns what puts the focus to where it is now, though the row be another. */
function focusIn(before: ReadonlyMap<string, Row>, after: ReadonlyMap<string, Row>): () => void {
  const partsOf = ({ root }: Row) => [...root.querySelectorAll<HTMLElement>("a, button, input")];
  const focus = document.activeElement as HTMLElement | null;
  const found = [...before].find(([, { root }]) => root.contains(focus));
  if (!found || !focus) return () => undefined;
  const [key, row] = found;
  const part = partsOf(row).indexOf(focus);
  return () => {
    const now = after.get(key);
    if (now && document.activeElement !== focus) partsOf(now)[part]?.focus();
  };
}
