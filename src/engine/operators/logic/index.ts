import { And } from "./and.js";
import { BitShift } from "./bit-shift.js";
import { BitwiseAnd } from "./bitwise-and.js";
import { BitwiseNot } from "./bitwise-not.js";
import { BitwiseOr } from "./bitwise-or.js";
import { BitwiseXor } from "./bitwise-xor.js";
import { Equal } from "./equal.js";
import { Greater } from "./greater.js";
import { GreaterOrEqual } from "./greater-or-equal.js";
import { IsInf } from "./is-inf.js";
import { IsNaN } from "./is-nan.js";
import { Less } from "./less.js";
import { LessOrEqual } from "./less-or-equal.js";
import { Not } from "./not.js";
import { Or } from "./or.js";
import { Where } from "./where.js";
import { Xor } from "./xor.js";

export { and } from "./and.js";
export { bitShift } from "./bit-shift.js";
export { bitwiseAnd } from "./bitwise-and.js";
export { bitwiseNot } from "./bitwise-not.js";
export { bitwiseOr } from "./bitwise-or.js";
export { bitwiseXor } from "./bitwise-xor.js";
export { equal } from "./equal.js";
export { greater } from "./greater.js";
export { greaterOrEqual } from "./greater-or-equal.js";
export { isInf } from "./is-inf.js";
export { isNan } from "./is-nan.js";
export { less } from "./less.js";
export { lessOrEqual } from "./less-or-equal.js";
export { not } from "./not.js";
export { or } from "./or.js";
export { where } from "./where.js";
export { xor } from "./xor.js";

export const logicOperators = {
  And,
  BitShift,
  BitwiseAnd,
  BitwiseNot,
  BitwiseOr,
  BitwiseXor,
  Equal,
  GreaterOrEqual,
  Greater,
  IsInf,
  IsNaN,
  LessOrEqual,
  Less,
  Not,
  Or,
  Where,
  Xor,
};
