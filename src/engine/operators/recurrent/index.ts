import { GRU } from "./gru.js";
import { LSTM } from "./lstm.js";
import { RNN } from "./rnn.js";

export { type GruOptions, gru } from "./gru.js";
export { type LstmOptions, lstm } from "./lstm.js";
export { type RnnOptions, rnn } from "./rnn.js";

export const recurrentOperators = { GRU, LSTM, RNN };
