/**
 * @file A reader of Python's pickle format that can build numbers, text, tuples, lists and
 * dictionaries, and nothing else. Pickle is a program; in Python, a file may import and call
 * anything. Here a name (`GLOBAL`) means only what the caller's table says it means, calls
 * (`REDUCE`) go only to functions of that table, and every other instruction is refused by name.
 * Long because pickle has seventy instructions, and one place must show what each may do.
 * Source: the opcodes of CPython's Lib/pickletools.py, protocols 0 to 5.
 */

import { at } from "../core/at.ts";
import { WeightsError } from "../core/errors.ts";
import type { ByteReader } from "./byte-source.ts";
import { shownName } from "./limits.ts";
import {
  COST,
  type PickleBudget,
  PyDict,
  PyName,
  PySet,
  PyTuple,
  type PyValue,
} from "./pickle-values.ts";

export interface UnpickleOptions {
  /** Begins each message: the file. */
  readonly subject: string;
  /** What the file's pickles may build together. */
  readonly budget: PickleBudget;
  /** What "module.name" means; undefined refuses it. */
  resolve(name: string): PyName | undefined;
  /** Of one that is refused: what it is and what helps, where that is not to save the state_dict alone. */
  adviceFor?(name: string): string | undefined;
  /** What a persistent id stands for. */
  persistent?(id: PyValue): PyValue;
}

/** Containers may be nested; a program of nothing but brackets must not exhaust the stack. */
const MARK = Symbol("mark");
type Cell = PyValue | typeof MARK;

const text = new TextDecoder("utf-8", { fatal: true });
const latin1 = new TextDecoder("latin1");

/**
 * The value of the pickle at the reader's position, which is left behind its end.
 * @throws WeightsError for what is damaged, and for whatever is neither a number, text nor a container
 */
export function unpickle(reader: ByteReader, options: UnpickleOptions): PyValue {
  const { subject, budget } = options;
  const stack: Cell[] = [];
  const memo: (PyValue | undefined)[] = [];
  let kept = 0;
  let instructions = 0;
  const damaged = (what: string): never => {
    throw new WeightsError(
      `${subject}: its pickle is damaged: ${what}; download or write it again`,
    );
  };
  const refuse = (
    what: string,
    advice = "lrscope reads tensors, numbers, text and containers only, and executes nothing. Save the state_dict alone: torch.save(model.state_dict(), path)",
  ): never => {
    throw new WeightsError(`${subject}: holds ${what}; ${advice}`);
  };
  const pop = (): PyValue => {
    const value = stack.pop();
    if (value === undefined || value === MARK)
      return damaged("it takes a value from an empty stack");
    return value as PyValue;
  };
  const top = (): PyValue => {
    const value = stack.at(-1);
    if (value === undefined || value === MARK) return damaged("it looks at an empty stack");
    return value as PyValue;
  };
  const popMark = (): PyValue[] => {
    const at = stack.lastIndexOf(MARK);
    if (at < 0) return damaged("it closes a bracket that was never opened");
    const items = stack.splice(at) as PyValue[];
    items.shift();
    return items;
  };
  const line = (): string => {
    const bytes: number[] = [];
    for (let byte = reader.byte(); byte !== 10; byte = reader.byte()) {
      if (bytes.length > 65536) damaged("a line of more than 65536 bytes");
      bytes.push(byte);
    }
    return latin1.decode(Uint8Array.from(bytes));
  };
  /** Called before so many bytes are read: the file has them, and may have them in memory. */
  const admit = (length: number, cost: number) => {
    reader.need(length);
    budget.spend(cost);
  };
  const utf8 = (length: number): string => {
    admit(length, COST.text(length));
    try {
      return text.decode(reader.bytes(length));
    } catch (error) {
      if (error instanceof WeightsError) throw error;
      return damaged("a text that is not UTF-8");
    }
  };
  const byteText = (length: number): string => {
    admit(length, COST.text(length));
    return latin1.decode(reader.bytes(length));
  };
  const bytesOf = (length: number): Uint8Array => {
    admit(length, COST.container + length);
    return reader.bytes(length).slice();
  };
  const get = (index: number): PyValue => {
    const value = memo[index];
    return value === undefined
      ? damaged(`it recalls number ${index}, which was never kept`)
      : value;
  };
  const keep = (index: number) => {
    // Writers number what they keep from 0 or 1 on.
    if (!(index >= 0 && index <= instructions))
      damaged(`it keeps number ${index} after ${instructions} instructions`);
    if (memo[index] === undefined) kept++;
    memo[index] = top();
  };
  const setItems = (target: PyValue, items: readonly PyValue[]) => {
    if (!(target instanceof PyDict)) return damaged("it puts entries into what is no dictionary");
    if (items.length % 2 !== 0) return damaged("a dictionary's key without a value");
    budget.spend((COST.entry * items.length) / 2);
    for (let i = 0; i < items.length; i += 2)
      target.entries.push([at(items, i, "items"), at(items, i + 1, "items")]);
  };
  const append = (target: PyValue, items: readonly PyValue[]) => {
    if (!Array.isArray(target)) return damaged("it appends to what is no list");
    budget.spend(COST.item * items.length);
    for (const item of items) target.push(item);
  };
  const container = <T extends PyValue>(value: T): T => {
    budget.spend(COST.container);
    return value;
  };
  const name = (module: PyValue, of: PyValue): PyName => {
    if (typeof module !== "string" || typeof of !== "string")
      return damaged("a name that is no text");
    const full = `${module}.${of}`;
    return options.resolve(full) ?? refuse(shownName(full), options.adviceFor?.(full));
  };
  const long = (length: number): number | bigint => {
    if (length > 16) return damaged(`an integer of ${length} bytes`);
    let value = 0n;
    const bytes = reader.bytes(length);
    for (const byte of bytes.slice().reverse()) value = (value << 8n) | BigInt(byte);
    if (length > 0 && at(bytes, -1, "bytes") & 0x80) value -= 1n << BigInt(8 * length);
    return plain(value);
  };
  const decimal = (digits: string): number | bigint => {
    if (!/^-?\d{1,40}L?$/.test(digits)) return damaged(`an integer ${shownName(digits)}`);
    return plain(BigInt(digits.replace("L", "")));
  };
  const persistent = (id: PyValue): PyValue =>
    options.persistent ? options.persistent(id) : refuse("a reference out of the file");

  for (;;) {
    const opcode = reader.byte();
    instructions++;
    budget.spend(COST.instruction);
    switch (opcode) {
      case 0x80: // PROTO
        if (reader.byte() > 5) damaged("a protocol above 5");
        break;
      case 0x95: // FRAME
        reader.unsigned64();
        break;
      case 0x2e: // STOP
        return pop();
      case 0x28: // MARK
        stack.push(MARK);
        break;
      case 0x30: // POP
        if (stack.pop() === undefined) damaged("it takes a value from an empty stack");
        break;
      case 0x31: // POP_MARK
        popMark();
        break;
      case 0x32: // DUP
        stack.push(top());
        break;
      case 0x4e: // NONE
        stack.push(null);
        break;
      case 0x88: // NEWTRUE
        stack.push(true);
        break;
      case 0x89: // NEWFALSE
        stack.push(false);
        break;
      case 0x49: {
        // INT, in which protocol 0 writes booleans too
        const digits = line();
        stack.push(digits === "01" ? true : digits === "00" ? false : decimal(digits));
        break;
      }
      case 0x4a: // BININT
        stack.push(reader.unsigned(4) | 0);
        break;
      case 0x4b: // BININT1
        stack.push(reader.unsigned(1));
        break;
      case 0x4d: // BININT2
        stack.push(reader.unsigned(2));
        break;
      case 0x4c: // LONG
        stack.push(decimal(line()));
        break;
      case 0x8a: // LONG1
        stack.push(long(reader.unsigned(1)));
        break;
      case 0x8b: // LONG4
        stack.push(long(reader.unsigned(4)));
        break;
      case 0x46: {
        // FLOAT
        const written = line();
        const value = Number(written);
        if (Number.isNaN(value) && written !== "nan") damaged("a number that is none");
        stack.push(value);
        break;
      }
      case 0x47: {
        // BINFLOAT, big-endian
        const bytes = reader.bytes(8);
        stack.push(new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, false));
        break;
      }
      case 0x53: {
        // STRING, in quotes
        const [, , quoted = "\\"] = /^(['"])(.*)\1$/s.exec(line()) ?? [];
        stack.push(quoted.includes("\\") ? damaged("a text that is not quoted plainly") : quoted);
        break;
      }
      case 0x54: // BINSTRING
        stack.push(byteText(reader.unsigned(4)));
        break;
      case 0x55: // SHORT_BINSTRING
        stack.push(byteText(reader.unsigned(1)));
        break;
      case 0x56: {
        // UNICODE
        const raw = line();
        budget.spend(COST.text(raw.length));
        if (raw.includes("\\")) damaged("a text with escapes");
        stack.push(raw);
        break;
      }
      case 0x58: // BINUNICODE
        stack.push(utf8(reader.unsigned(4)));
        break;
      case 0x8c: // SHORT_BINUNICODE
        stack.push(utf8(reader.unsigned(1)));
        break;
      case 0x8d: // BINUNICODE8
        stack.push(utf8(reader.unsigned64()));
        break;
      case 0x43: // SHORT_BINBYTES
        stack.push(bytesOf(reader.unsigned(1)));
        break;
      case 0x42: // BINBYTES
        stack.push(bytesOf(reader.unsigned(4)));
        break;
      case 0x8e: // BINBYTES8
        stack.push(bytesOf(reader.unsigned64()));
        break;
      case 0x5d: // EMPTY_LIST
        stack.push(container([]));
        break;
      case 0x29: // EMPTY_TUPLE
        stack.push(container(new PyTuple([])));
        break;
      case 0x7d: // EMPTY_DICT
        stack.push(container(new PyDict()));
        break;
      case 0x8f: // EMPTY_SET
        stack.push(container(new PySet()));
        break;
      case 0x6c: // LIST
        stack.push(container(popMark()));
        break;
      case 0x64: {
        // DICT
        const dictionary = container(new PyDict());
        setItems(dictionary, popMark());
        stack.push(dictionary);
        break;
      }
      case 0x74: // TUPLE
        stack.push(container(new PyTuple(popMark())));
        break;
      case 0x85: // TUPLE1
        stack.push(container(new PyTuple([pop()])));
        break;
      case 0x86: // TUPLE2
      case 0x87: {
        // TUPLE3
        const items = Array.from({ length: opcode - 0x84 }, pop).reverse();
        stack.push(container(new PyTuple(items)));
        break;
      }
      case 0x61: {
        // APPEND
        const item = pop();
        append(top(), [item]);
        break;
      }
      case 0x65: {
        // APPENDS
        const items = popMark();
        append(top(), items);
        break;
      }
      case 0x73: {
        // SETITEM
        const value = pop();
        const key = pop();
        setItems(top(), [key, value]);
        break;
      }
      case 0x75: {
        // SETITEMS
        const items = popMark();
        setItems(top(), items);
        break;
      }
      case 0x90: {
        // ADDITEMS
        const items = popMark();
        const set = top();
        if (!(set instanceof PySet)) return damaged("it adds members to what is no set");
        budget.spend(COST.item * items.length);
        for (const item of items) set.items.push(item);
        break;
      }
      case 0x70: // PUT
        keep(Number(decimal(line())));
        break;
      case 0x71: // BINPUT
        keep(reader.unsigned(1));
        break;
      case 0x72: // LONG_BINPUT
        keep(reader.unsigned(4));
        break;
      case 0x94: // MEMOIZE
        keep(kept);
        break;
      case 0x67: // GET
        stack.push(get(Number(decimal(line()))));
        break;
      case 0x68: // BINGET
        stack.push(get(reader.unsigned(1)));
        break;
      case 0x6a: // LONG_BINGET
        stack.push(get(reader.unsigned(4)));
        break;
      case 0x63: // GLOBAL
        stack.push(name(line(), line()));
        break;
      case 0x93: {
        // STACK_GLOBAL
        const of = pop();
        stack.push(name(pop(), of));
        break;
      }
      case 0x51: // BINPERSID
        stack.push(persistent(pop()));
        break;
      case 0x50: // PERSID
        stack.push(persistent(line()));
        break;
      case 0x52: {
        // REDUCE
        const args = pop();
        const callee = pop();
        if (!(callee instanceof PyName) || !(args instanceof PyTuple))
          return damaged("a call of what is no function");
        if (!callee.call) return refuse(`a call of ${shownName(callee.name)}`);
        // What is called may copy what it is given, and the same list may be given a thousand times.
        budget.spend(COST.container);
        for (const given of args.items)
          if (Array.isArray(given)) budget.spend(COST.entry * given.length);
        stack.push(callee.call(args.items));
        break;
      }
      case 0x62: {
        // BUILD: attributes of an object. A state_dict carries version numbers so; they say nothing here.
        pop();
        if (!(top() instanceof PyDict)) refuse("an object with attributes of its own");
        break;
      }
      default:
        refuse(
          REFUSED[opcode] ?? `an instruction 0x${opcode.toString(16)} that pickle does not have`,
        );
    }
  }
}

/** Instructions that make objects of classes or call what a registry names. */
const REFUSED: Readonly<Record<number, string>> = {
  105: "an object of a class (INST)",
  111: "an object of a class (OBJ)",
  129: "an object of a class (NEWOBJ)",
  146: "an object of a class (NEWOBJ_EX)",
  130: "a name of Python's extension registry (EXT1)",
  131: "a name of Python's extension registry (EXT2)",
  132: "a name of Python's extension registry (EXT4)",
  145: "a frozen set",
  150: "a byte array",
  151: "a buffer outside the file",
  152: "a buffer outside the file",
};

const plain = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;
