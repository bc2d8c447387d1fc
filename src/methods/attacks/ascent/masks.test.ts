import { describe, expect, it } from "vitest";
import { lower } from "../../../engine/compile/lower.js";
import type { Graph, Value } from "../../../engine/graph/graph.js";
import { add, neg, relu } from "../../../engine/operators/index.js";
import { attacks } from "../catalogue/index.js";
import { type AttackDefinition, ascentOf, attackOf, checkAttack, ownParameters, type Parameters } from "../definition.js";
import { goldenFolder, goldenModel } from "../testing/golden-model.js";
import { stepGraph } from "./step-graph.js";

const ascents = Object.values<AttackDefinition>(attacks).filter((definition) => definition.ascent);
const tasks = ["segmentation", "classification", "restoration", "flow", "disparity"];

/** Of copies of the network that an attack has by default, as few as there can be. */
const few = (definition: AttackDefinition): Parameters =>
  Object.fromEntries(
    Object.keys(attackOf(definition, {}).parameters).flatMap((p) => (["variance", "scales"].includes(p) ? [[p, 2]] : [])),
  );

/** The identity by way of two ReLUs. */
const split = (x: Value): Value => add(relu(x), neg(relu(neg(x))));
const masks = (graph: Graph): number => graph.nodes.filter((n) => n.sweep === "reverse" && n.operator.name === "Where").length;

// A mask is a product, which is faster, only where the loss gives a cotangent that is proven finite: every loss must.
describe.skipIf(!goldenFolder)("a ReLU network's masks become products under every loss", () => {
  it.each(tasks.flatMap((task) => ascents.map((definition) => [task, definition.name, definition] as const)))(
    "%s, %s",
    async (task, _, definition) => {
      const { attacked } = await goldenModel(task);
      const { predict } = attacked.predictor;
      const predictor = {
        ...attacked.predictor,
        predict: (g: Graph, x: Readonly<Record<string, Value>>) => split(predict(g, x)),
      };
      const attack = attackOf(definition, ownParameters(definition, { epsilon: 0.03, steps: 5, ...few(definition) }));
      const refused = await checkAttack(attack, { task: attacked.task, goal: "untargeted" }).catch(
        (error: Error) => error.message,
      );
      if (refused) return expect(refused).toContain("moves pixels");
      const ascent = await ascentOf(attack);
      const graph = (of: typeof predictor) => stepGraph(ascent, { ...attacked, predictor: of });
      const [plain, relus] = [graph(attacked.predictor), graph(predictor)];
      expect(masks(relus)).toBeGreaterThanOrEqual(masks(plain) + 2);
      expect(masks(lower(relus, "cpu"))).toBe(masks(lower(plain, "cpu")));
    },
  );
});
