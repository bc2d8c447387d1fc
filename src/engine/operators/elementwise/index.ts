import { Abs } from "./abs.js";
import { Acos } from "./acos.js";
import { Acosh } from "./acosh.js";
import { Add } from "./add.js";
import { Asin } from "./asin.js";
import { Asinh } from "./asinh.js";
import { Atan } from "./atan.js";
import { Atanh } from "./atanh.js";
import { Cast } from "./cast.js";
import { CastLike } from "./cast-like.js";
import { Ceil } from "./ceil.js";
import { Clip } from "./clip.js";
import { Cos } from "./cos.js";
import { Cosh } from "./cosh.js";
import { Div } from "./div.js";
import { Erf } from "./erf.js";
import { Exp } from "./exp.js";
import { Floor } from "./floor.js";
import { Log } from "./log.js";
import { Max } from "./max.js";
import { Mean } from "./mean.js";
import { Min } from "./min.js";
import { Mod } from "./mod.js";
import { Mul } from "./mul.js";
import { Neg } from "./neg.js";
import { Pow } from "./pow.js";
import { Reciprocal } from "./reciprocal.js";
import { Round } from "./round.js";
import { Sign } from "./sign.js";
import { Sin } from "./sin.js";
import { Sinh } from "./sinh.js";
import { Sqrt } from "./sqrt.js";
import { Sub } from "./sub.js";
import { Sum } from "./sum.js";
import { Tan } from "./tan.js";
import { Tanh } from "./tanh.js";

export { abs } from "./abs.js";
export { acos } from "./acos.js";
export { acosh } from "./acosh.js";
export { add } from "./add.js";
export { asin } from "./asin.js";
export { asinh } from "./asinh.js";
export { atan } from "./atan.js";
export { atanh } from "./atanh.js";
export { cast } from "./cast.js";
export { castLike } from "./cast-like.js";
export { ceil } from "./ceil.js";
export { clip } from "./clip.js";
export { cos } from "./cos.js";
export { cosh } from "./cosh.js";
export { div } from "./div.js";
export { erf } from "./erf.js";
export { exp } from "./exp.js";
export { floor } from "./floor.js";
export { log } from "./log.js";
export { max } from "./max.js";
export { mean } from "./mean.js";
export { min } from "./min.js";
export { mod } from "./mod.js";
export { mul } from "./mul.js";
export { neg } from "./neg.js";
export { pow } from "./pow.js";
export { reciprocal } from "./reciprocal.js";
export { round } from "./round.js";
export { sign } from "./sign.js";
export { sin } from "./sin.js";
export { sinh } from "./sinh.js";
export { sqrt } from "./sqrt.js";
export { sub } from "./sub.js";
export { sum } from "./sum.js";
export { tan } from "./tan.js";
export { tanh } from "./tanh.js";

export const elementwiseOperators = {
  Abs,
  Acos,
  Acosh,
  Add,
  Asin,
  Asinh,
  Atan,
  Atanh,
  CastLike,
  Cast,
  Ceil,
  Clip,
  Cos,
  Cosh,
  Div,
  Erf,
  Exp,
  Floor,
  Log,
  Max,
  Mean,
  Min,
  Mod,
  Mul,
  Neg,
  Pow,
  Reciprocal,
  Round,
  Sign,
  Sin,
  Sinh,
  Sqrt,
  Sub,
  Sum,
  Tan,
  Tanh,
};
