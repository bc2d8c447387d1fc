import { expect, it, vi } from "vitest";
import { connect, type WorkerEvents } from "./client.js";
import { EngineError } from "./engine.js";

/** A worker that starts, takes every later call, and answers none. */
function silentWorker() {
  const state = { held: false, events: undefined as WorkerEvents | undefined };
  const open = (events: WorkerEvents) => {
    state.events = events;
    return {
      send(request: { id: number; kind: string }) {
        if (request.kind === "start") {
          queueMicrotask(() =>
            events.reply({ id: request.id, answer: { runtime: "test 1.0", threads: 1, placesOutputs: false } }),
          );
        }
      },
      hold(pending: boolean) {
        state.held = pending;
      },
      terminate: async () => {},
    };
  };
  return { state, engine: connect(open, { provider: "cpu", threads: 1 }, {}, undefined) };
}

const death = new EngineError(
  "The engine's worker died (ERR_WORKER_OUT_OF_MEMORY); create a new engine, with smaller inputs if memory ran out.",
);

it("rejects every call with one sentence when the worker dies", async () => {
  const { state, engine: starting } = silentWorker();
  const engine = await starting;
  expect(state.held).toBe(false);
  const calls = [engine.compile(new Uint8Array(3)), engine.upload({ type: "float32", shape: [1], data: new Float32Array(1) })];
  const rejected = calls.map((call) => expect(call).rejects.toThrow(death));
  await vi.waitFor(() => expect(state.held).toBe(true));
  state.events!.died("ERR_WORKER_OUT_OF_MEMORY");
  await Promise.all([...rejected, expect(engine.evaluate(new Uint8Array(1))).rejects.toThrow(death)]);
  expect(state.held).toBe(false);
});

it("rejects the start itself when the worker dies in it", async () => {
  const open = (events: WorkerEvents) => ({
    send: () => queueMicrotask(() => events.died("exit code 1")),
    hold: () => {},
    terminate: async () => {},
  });
  await expect(connect(open, { provider: "cpu", threads: 1 }, {}, undefined)).rejects.toThrow(/died \(exit code 1\)/);
});

it("lets no late answer end the process while the worker is being terminated", async () => {
  const { state, engine: starting } = silentWorker();
  const engine = await starting;
  const call = engine.upload({ type: "float32", shape: [1], data: new Float32Array(1) });
  const rejected = expect(call).rejects.toThrow(EngineError);
  await vi.waitFor(() => expect(state.held).toBe(true));
  await engine.dispose();
  await rejected;
  state.held = true;
  state.events!.reply({ id: 2, answer: undefined as never });
  expect(state.held).toBe(true);
});
