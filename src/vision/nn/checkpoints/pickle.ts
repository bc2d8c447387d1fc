/**
 * A pickle machine that executes nothing: it knows the opcodes of protocols 2 to 5 that hold plain data, and it calls only the
 * functions its host lists by name. (Python's pickletools module documents each opcode.)
 *
 * It never recurses, so deep nesting is harmless; it reads every length before it believes it; and it makes at most `mostContainers`
 * lists, dicts, tuples, sets and objects, about 200 MB in the worst case, so that a small file cannot fill the memory.
 */
import { CheckpointError } from "./error.js";

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleGlobal
  | PickleObject;

/** Anything the host makes: a tensor, a storage, a value that is kept out of reach. */
export abstract class PickleObject {
  abstract readonly kind: string;
}

/** A name that the pickle refers to, and what calling it yields. */
export class PickleGlobal {
  constructor(
    readonly name: string,
    readonly call: (args: readonly PickleValue[]) => PickleValue,
  ) {}
}

export interface PickleHost {
  /** Resolves `module.name`, or throws a CheckpointError that names it. */
  global(name: string): PickleGlobal;
  /** Resolves a persistent id (for PyTorch: a storage). */
  persistent(id: PickleValue): PickleValue;
}

const mostContainers = 1_000_000;

const op = {
  mark: 0x28,
  stop: 0x2e,
  pop: 0x30,
  popMark: 0x31,
  dup: 0x32,
  binbytes: 0x42,
  shortBinbytes: 0x43,
  binfloat: 0x47,
  binint: 0x4a,
  binint1: 0x4b,
  binint2: 0x4d,
  none: 0x4e,
  binpersid: 0x51,
  reduce: 0x52,
  binunicode: 0x58,
  emptyList: 0x5d,
  append: 0x61,
  build: 0x62,
  global: 0x63,
  appends: 0x65,
  binget: 0x68,
  longBinget: 0x6a,
  binput: 0x71,
  longBinput: 0x72,
  setitem: 0x73,
  tuple: 0x74,
  setitems: 0x75,
  emptyDict: 0x7d,
  emptyTuple: 0x29,
  proto: 0x80,
  newobj: 0x81,
  tuple1: 0x85,
  tuple2: 0x86,
  tuple3: 0x87,
  newtrue: 0x88,
  newfalse: 0x89,
  long1: 0x8a,
  shortBinunicode: 0x8c,
  binunicode8: 0x8d,
  binbytes8: 0x8e,
  emptySet: 0x8f,
  additems: 0x90,
  frozenset: 0x91,
  stackGlobal: 0x93,
  memoize: 0x94,
  frame: 0x95,
} as const;

/**
 * Evaluates a pickle to plain values.
 *
 * @throws CheckpointError when the pickle ends early, uses an unknown opcode, misuses its stack, or makes too many values; and whatever
 *   the host throws for a name it does not know.
 */
export function unpickle(bytes: Uint8Array, host: PickleHost): PickleValue {
  return new Machine(bytes, host).run();
}

/** As `unpickle`, where more follows: `end` is where the pickle ended. */
export function unpickleNext(bytes: Uint8Array, host: PickleHost): { readonly value: PickleValue; readonly end: number } {
  const machine = new Machine(bytes, host);
  const value = machine.run();
  return { value, end: machine.at };
}

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #host: PickleHost;
  readonly #memo = new Map<number, PickleValue>();
  /** The values since the last mark, and the suspended ones before each mark. */
  #stack: PickleValue[] = [];
  readonly #suspended: PickleValue[][] = [];
  #at = 0;
  #containers = 0;

  constructor(bytes: Uint8Array, host: PickleHost) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#host = host;
  }

  /** How far the bytes are read. */
  get at(): number {
    return this.#at;
  }

  run(): PickleValue {
    for (;;) {
      const start = this.#at;
      const code = this.#unsigned(1);
      if (code === op.stop) return this.#pop();
      const value = this.#produce(code);
      if (value !== undefined) this.#stack.push(value);
      else this.#act(code, start);
    }
  }

  /** What an opcode puts on the stack; undefined when it is not of that kind. */
  #produce(code: number): PickleValue | undefined {
    switch (code) {
      case op.none:
        return null;
      case op.newtrue:
        return true;
      case op.newfalse:
        return false;
      case op.binint:
        return this.#view.getInt32(this.#take(4), true);
      case op.binint1:
        return this.#unsigned(1);
      case op.binint2:
        return this.#unsigned(2);
      case op.long1:
        return this.#long(this.#unsigned(1));
      case op.binfloat:
        return this.#view.getFloat64(this.#take(8), false);
      case op.shortBinunicode:
        return this.#text(this.#unsigned(1));
      case op.binunicode:
        return this.#text(this.#unsigned(4));
      case op.binunicode8:
        return this.#text(this.#unsigned(8));
      case op.shortBinbytes:
        return this.#raw(this.#unsigned(1));
      case op.binbytes:
        return this.#raw(this.#unsigned(4));
      case op.binbytes8:
        return this.#raw(this.#unsigned(8));
      case op.emptyTuple:
      case op.emptyList:
        return this.#counted([]);
      case op.emptyDict:
        return this.#counted(new Map());
      case op.emptySet:
        return this.#counted(new Set());
      case op.tuple:
        return this.#counted(this.#sinceMark());
      case op.tuple1:
      case op.tuple2:
      case op.tuple3:
        return this.#counted(this.#popMany(code - op.tuple1 + 1));
      case op.frozenset:
        return this.#counted(new Set(this.#sinceMark()));
      case op.dup:
        return this.#top();
      case op.binget:
        return this.#recall(this.#unsigned(1));
      case op.longBinget:
        return this.#recall(this.#unsigned(4));
      case op.global:
        return this.#host.global(`${this.#line()}.${this.#line()}`);
      case op.stackGlobal: {
        const [module, name] = this.#popMany(2);
        if (typeof module !== "string" || typeof name !== "string") throw this.#damaged("a name that is not text");
        return this.#host.global(`${module}.${name}`);
      }
      case op.reduce:
      case op.newobj: {
        const [callee, args] = this.#popMany(2);
        if (!(callee instanceof PickleGlobal) || !Array.isArray(args))
          throw this.#damaged("a call of something that is no function");
        return callee.call(this.#counted(args));
      }
      case op.binpersid:
        return this.#host.persistent(this.#counted(this.#pop()));
      default:
        return undefined;
    }
  }

  #act(code: number, start: number): void {
    switch (code) {
      case op.proto: {
        const version = this.#unsigned(1);
        if (version < 2 || version > 5)
          throw new CheckpointError(`Pickle protocol ${version} is not supported; save with protocol 2.`);
        break;
      }
      case op.frame:
        this.#take(8);
        break;
      case op.append:
        this.#extend(this.#popMany(1));
        break;
      case op.appends:
        this.#extend(this.#sinceMark());
        break;
      case op.setitem:
        this.#assign(this.#popMany(2));
        break;
      case op.setitems:
        this.#assign(this.#sinceMark());
        break;
      case op.additems:
        this.#include(this.#sinceMark());
        break;
      case op.mark:
        this.#suspended.push(this.#counted(this.#stack));
        this.#stack = [];
        break;
      case op.pop:
        if (this.#stack.length > 0) this.#pop();
        else this.#sinceMark();
        break;
      case op.popMark:
        this.#sinceMark();
        break;
      case op.binput:
        this.#memo.set(this.#unsigned(1), this.#top());
        break;
      case op.longBinput:
        this.#memo.set(this.#unsigned(4), this.#top());
        break;
      case op.memoize:
        this.#memo.set(this.#memo.size, this.#top());
        break;
      case op.build: {
        // The state of a dict is its attributes (a state dict's `_metadata`), of an object whatever its class makes of it: not data.
        this.#pop();
        const target = this.#top();
        if (!(target instanceof Map || target instanceof PickleObject)) throw this.#damaged("a state for a value that has none");
        break;
      }
      default:
        throw this.#damaged(`opcode 0x${code.toString(16)} at byte ${start}, which plain data does not need`);
    }
  }

  /** Moves past `length` bytes and gives where they start. */
  #take(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw this.#damaged(`${length} bytes at byte ${start}, but it ends before`);
    this.#at = start + length;
    return start;
  }

  #unsigned(width: 1 | 2 | 4 | 8): number {
    const at = this.#take(width);
    if (width === 1) return this.#view.getUint8(at);
    if (width === 2) return this.#view.getUint16(at, true);
    return width === 4 ? this.#view.getUint32(at, true) : Number(this.#view.getBigUint64(at, true));
  }

  /** A two's complement little-endian whole number, as a BigInt where a number would round it. */
  #long(width: number): number | bigint {
    const at = this.#take(width);
    let value = 0n;
    for (let i = width - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[at + i]!);
    const signed = BigInt.asIntN(8 * width, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  }

  #raw(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#counted(this.#bytes.subarray(at, at + length));
  }

  #text(length: number): string {
    return new TextDecoder().decode(this.#raw(length));
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0 || end - this.#at > 1000) throw this.#damaged("a name without an end");
    const text = this.#text(end - this.#at);
    this.#at = end + 1;
    return text;
  }

  #counted<T>(value: T): T {
    if (++this.#containers > mostContainers) {
      throw new CheckpointError(`The checkpoint's pickle makes more than ${mostContainers} values; save only the state dict.`);
    }
    return value;
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined) throw this.#damaged("an operation on an empty stack");
    return value;
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popMany(count: number): PickleValue[] {
    if (this.#stack.length < count) throw this.#damaged("an operation on an empty stack");
    return this.#stack.splice(-count);
  }

  #sinceMark(): PickleValue[] {
    const values = this.#stack;
    const before = this.#suspended.pop();
    if (!before) throw this.#damaged("an operation that lacks its mark");
    this.#stack = before;
    return values;
  }

  #recall(index: number): PickleValue {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#damaged(`a reference to memo ${index}, which is not set`);
    return value;
  }

  #extend(values: PickleValue[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#damaged("items for a value that is no list");
    for (const v of values) list.push(v);
  }

  #assign(pairs: PickleValue[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map) || pairs.length % 2 !== 0) throw this.#damaged("items for a value that is no dict");
    for (let i = 0; i < pairs.length; i += 2) dict.set(pairs[i]!, pairs[i + 1]!);
  }

  #include(values: PickleValue[]): void {
    const set = this.#top();
    if (!(set instanceof Set)) throw this.#damaged("items for a value that is no set");
    for (const v of values) set.add(v);
  }

  #damaged(what: string): CheckpointError {
    return new CheckpointError(`The checkpoint's pickle is damaged or not plain data: it has ${what}.`);
  }
}
