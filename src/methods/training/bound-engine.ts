import type { Engine, Feeds, Program } from "../../engine/runtime/engine.js";

/**
 * An engine for graphs that take a network's weights as inputs: every program that it compiles is fed them by itself, as they stand when it runs, and does
 * not show these inputs. What compiles and runs graphs (any attack) needs to know nothing of a network in training.
 *
 * @param names the inputs. @param weights asked for at every run.
 */
export const boundEngine = (engine: Engine, names: readonly string[], weights: () => Feeds): Engine => ({
  info: engine.info,
  compile: async (model, options) => boundProgram(await engine.compile(model, options), new Set(names), weights),
  evaluate: engine.evaluate,
  upload: (t) => engine.upload(t),
  download: (t) => engine.download(t),
  dispose: async () => {},
  [Symbol.asyncDispose]: async () => {},
});

function boundProgram(program: Program, names: ReadonlySet<string>, weights: () => Feeds): Program {
  const own = program.inputs.filter(({ name }) => names.has(name)).map(({ name }) => name);
  return {
    inputs: program.inputs.filter(({ name }) => !names.has(name)),
    outputs: program.outputs,
    run: (feeds, options) => {
      const now = weights();
      return program.run({ ...feeds, ...Object.fromEntries(own.map((name) => [name, now[name]!])) }, options);
    },
    dispose: () => program.dispose(),
    [Symbol.dispose]: () => program.dispose(),
  };
}
