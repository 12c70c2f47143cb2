/**
 * @file Text that leaves the machine, without the machine's paths: records and reports are sent to others,
 * and a foreign error's message or stack names home folders, disks and projects.
 */

/** A folder that is known. */
export interface KnownFolder {
  readonly path: string;
  /** Stands for the folder itself. */
  readonly name: string;
  /** Stands before a path within it; absent where of such a path only the last part may be told. */
  readonly prefix?: string;
}

/** Below the root or a drive. */
const ABSOLUTE = /^(?:\/|[A-Za-z]:[\\/]|\\\\)[^\\/]/;
/** Where a path begins: file:, a drive, a share, or the root. */
const START = String.raw`(?:file:\/{1,3}(?:[A-Za-z]:[\\/])?|[A-Za-z]:[\\/]|\\\\|\/)`;
/** In quotes or brackets a path may hold spaces. */
const QUOTED = new RegExp(String.raw`(["'\x60])(${START}(?:(?!\1)[^\n])*)\1`, "g");
const BRACKETED = new RegExp(String.raw`\((${START}[^\n]*?)((?::\d+){0,2})\)(?=$|[\s,;.:)])`, "gm");
/** The place of a frame of a stack. */
const FRAME = new RegExp(String.raw`(^\s*at (?:async )?)(${START}[^\n]*?)((?::\d+){1,2})$`, "gm");
/** Of the network: such paths are not this machine's. */
const URLS = String.raw`\b(?:https?|ftp|wss?|ssh|git|s3|data):[^\s"'\x60<>]*`;
const WORD = String.raw`[^\s"'\x60<>|]`;
/**
 * Anywhere else. A few words may stand in a folder's name, where another separator follows and nothing that
 * ends a phrase lies between. What goes before keeps relative paths, fractions and markup whole.
 */
const BARE = String.raw`(?<![\w.~%/\\<>-])${START}${WORD}*(?:(?<![,:;)\]])(?: (?!${START})[^\s"'\x60<>|,:;()\\/]+){1,6}[\\/]${WORD}*)*`;
const URL_OR_BARE = new RegExp(`(${URLS})|${BARE}`, "gi");

/**
 * Paths within a known folder that has a prefix become that and what follows; of all others, the last part
 * is left. POSIX and Windows paths and file URLs, whether they are quoted, in brackets, in a stack or alone.
 */
export function withoutPaths(text: string, folders: readonly KnownFolder[] = []): string {
  let said = text;
  for (const { pattern, name, prefix } of patternsOf(folders))
    said = said.replace(pattern, (_, separator: string | undefined) =>
      separator === undefined ? name : (prefix ?? "/"),
    );
  return said
    .replace(QUOTED, (_, quote: string, path: string) => `${quote}${lastPart(path)}${quote}`)
    .replace(BRACKETED, (_, path: string, place: string) => `(${lastPart(path)}${place})`)
    .replace(FRAME, (_, at: string, path: string, place: string) => at + lastPart(path) + place)
    .replace(URL_OR_BARE, (found, url: string | undefined) => {
      if (url !== undefined) return found;
      const end = /(?::\d+){0,2}[.,:;)\]}]*$/.exec(found)?.[0] ?? "";
      return lastPart(found.slice(0, found.length - end.length)) + end;
    });
}

/** "/" stays what it is: it names no folder of anybody's. */
function lastPart(path: string): string {
  const parts = path.replace(/^(file:|[A-Za-z]:(?=[\\/]))/, "").split(/[\\/]+/);
  return parts.findLast((part) => part !== "") ?? "/";
}

/** The longest first, as one may lie within another; each as it is, as a URL, and with backslashes doubled. */
function patternsOf(folders: readonly KnownFolder[]) {
  const spelled = folders.flatMap(({ path, ...said }) => {
    const bare = path.replace(/[\\/]+$/, "");
    // The root and a drive are in every path; a relative one says nothing of the machine.
    if (!ABSOLUTE.test(bare) || bare.length < 2) return [];
    const forward = bare.replaceAll("\\", "/");
    const spellings = [bare, forward, encodeURI(forward), bare.replaceAll("\\", "\\\\")];
    return [...new Set(spellings)].map((spelling) => ({ spelling, ...said }));
  });
  return spelled
    .sort((a, b) => b.spelling.length - a.spelling.length)
    .map(({ spelling, ...said }) => ({
      ...said,
      pattern: new RegExp(
        String.raw`(?<![\w.~%-])(?:file:\/\/\/?)?${escaped(spelling)}(?:([\\/]+)|(?![\w.%-]))`,
        // File systems of Windows and macOS do not tell cases apart.
        "gi",
      ),
    }));
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
