import { readFileSync } from "node:fs";
import attackRows from "../bench/peers/attacks/config.json" with { type: "json" };
import smallestRows from "../bench/peers/minimal-norm/config.json" with { type: "json" };
import transferRows from "../bench/peers/transfer/config.json" with { type: "json" };

// What bench/peers has measured, by attack: how far each package's numbers are from ours where they are furthest.

/** One row of one comparison. */
interface Compared {
  readonly attack: string;
  readonly peer: string;
  /** Points of robust accuracy or mIoU between the two, in percent. */
  readonly points?: number;
  /** Or our number over the peer's: of the median size of perturbations, of the end-point error that is left. */
  readonly ratio?: number;
}

/** By the attack's name a text: "foolbox: 0.2 points (2 rows); torchattacks: 0.0 points (1 row)"; absent: held against no package. */
export function peerResults(): ReadonlyMap<string, string> {
  const all = [...attacks(), ...transfer(), ...smallest(), ...autoattack(), ...dense()];
  const texts = new Map<string, string>();
  for (const attack of new Set(all.map((c) => c.attack))) {
    const own = all.filter((c) => c.attack === attack);
    const peers = [...new Set(own.map((c) => c.peer))].sort();
    const text = (peer: string): string => {
      const rows = own.filter((c) => c.peer === peer);
      const points = rows.flatMap((c) => c.points ?? []);
      const ratios = rows.flatMap((c) => c.ratio ?? []).sort((a, b) => a - b);
      const [least, most] = [ratios[0]?.toFixed(2), ratios.at(-1)?.toFixed(2)];
      const counted = `${rows.length} row${rows.length === 1 ? "" : "s"}`;
      if (points.length > 0) return `${peer}: ${Math.max(...points).toFixed(1)} points (${counted})`;
      return `${peer}: ${least === most ? least : `${least} to ${most}`} times (${counted})`;
    };
    texts.set(attack, peers.map(text).join("; "));
  }
  return texts;
}

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../bench/peers/${name}/results.json`, import.meta.url), "utf8")) as T;
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
/** The attack that a command line of a configuration names. */
const attackIn = (flags: string): string => /--attack (\S+)/.exec(flags)![1]!;
/** Packages beside ours in a result. */
const beside = (found: object): string[] => Object.keys(found).filter((who) => who !== "faultline");

type Found = Readonly<Record<string, readonly number[]>>;
const pointsBetween = (found: Found, peer: string): number => Math.abs(mean(found.faultline!) - mean(found[peer]!));

function attacks(): Compared[] {
  const { rows } = read<{
    readonly rows: readonly { readonly network: string; readonly title: string; readonly found: Found }[];
  }>("attacks");
  return rows.flatMap(({ network, title, found }) => {
    const row = attackRows.rows.find((r) => r.network === network && r.title === title);
    if (!row) throw new Error(`bench/peers/attacks/results.json has "${network}, ${title}", which is not in config.json.`);
    return beside(found).map((peer) => ({ attack: attackIn(row.ours), peer, points: pointsBetween(found, peer) }));
  });
}

function transfer(): Compared[] {
  const { rows } = read<{ readonly rows: readonly { readonly title: string; readonly source_right: Found }[] }>("transfer");
  return rows.flatMap(({ title, source_right }) => {
    const row = transferRows.rows.find((r) => r.title === title)!;
    return beside(source_right).map((peer) => ({
      attack: attackIn(row.ours),
      peer,
      points: pointsBetween(source_right, peer),
    }));
  });
}

function smallest(): Compared[] {
  const { rows } = read<{
    readonly rows: readonly { readonly title: string; readonly median: Readonly<Record<string, number | null>> }[];
  }>("minimal-norm");
  return rows.flatMap(({ title, median }) => {
    const row = smallestRows.rows.find((r) => r.title === title)!;
    // No median where half of the digits were never broken.
    return beside(median).flatMap((peer) =>
      median.faultline == null || median[peer] == null
        ? []
        : [{ attack: attackIn(row.ours), peer, ratio: median.faultline / median[peer] }],
    );
  });
}

function autoattack(): Compared[] {
  const sides = ["ours", "peers"] as const;
  type Side = readonly { readonly name: string; readonly by: string; readonly images: number; readonly right: number }[];
  const rows = read<readonly Readonly<Record<(typeof sides)[number], Side>>[]>("autoattack");
  return rows.flatMap(({ ours, peers }) => {
    const name = ours[0]!.name.split(" ")[0]!;
    const share = (side: Side) => (100 * side.reduce((n, s) => n + s.right, 0)) / side.reduce((n, s) => n + s.images, 0);
    // "equal-starts" is APGD-T from the package's own starts.
    return [
      {
        attack: name === "equal-starts" ? "apgd-t" : name,
        peer: peers[0]!.by.split(" ")[0]!,
        points: Math.abs(share(ours) - share(peers)),
      },
    ];
  });
}

/** No package has these: the other side is bench/peers/dense/reference.py. */
function dense(): Compared[] {
  interface Side {
    readonly sea: readonly { readonly mIoU: number }[];
    readonly pcfa: readonly (readonly { readonly after: number }[])[];
  }
  const { ours, reference } = read<{ readonly ours: Side; readonly reference: Side }>("dense");
  const peer = "a reference of our own";
  const mIoU = (side: Side) => mean(side.sea.map((s) => s.mIoU));
  return [
    { attack: "sea", peer, points: Math.abs(mIoU(ours) - mIoU(reference)) },
    ...ours.pcfa.map((pairs, row) => ({
      attack: "pcfa",
      peer,
      ratio: mean(pairs.map((p) => p.after)) / mean(reference.pcfa[row]!.map((p) => p.after)),
    })),
  ];
}
