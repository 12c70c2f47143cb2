/**
 * @file The state of a page in its address: #/page/parts?name=value. It survives reloading, and can be sent to
 * others. What is at its default is left out.
 */

export interface Address {
  /** "studies", "study", ... and what of it. */
  readonly path: readonly string[];
  readonly state: URLSearchParams;
}

/** The address of a location's hash. */
export function addressOf(hash: string): Address {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?");
  return {
    path: path.split("/").filter(Boolean).map(decodeURIComponent),
    state: new URLSearchParams(search),
  };
}

export function hashOf(path: readonly string[], state: URLSearchParams = new URLSearchParams()) {
  const search = String(state);
  return `#/${path.map(encodeURIComponent).join("/")}${search ? `?${search}` : ""}`;
}

/** Changes parts of the state; null leaves one out, a list gives it several times. The page is not loaded again. */
export function setState(
  changes: Readonly<Record<string, string | readonly string[] | null>>,
): void {
  const { path, state } = addressOf(location.hash);
  for (const [name, value] of Object.entries(changes)) {
    state.delete(name);
    for (const each of typeof value === "string" ? [value] : (value ?? []))
      if (each !== "") state.append(name, each);
  }
  history.replaceState(null, "", hashOf(path, state));
}
