export interface TrainingKind {
  readonly name: string;
  readonly attack?: "fgsm" | "pgd";
  readonly epsilon?: string;
}

export interface DataConfig {
  readonly classes: number;
  readonly size: number;
  readonly training: number;
  readonly test: number;
  readonly robustness: { readonly epsilon: string; readonly steps: number };
}

export type DataName = "mnist";

export interface Config {
  readonly network: {
    readonly family: "resnet";
    readonly block: "basic";
    readonly blocks: readonly number[];
    readonly width: number;
    readonly stem: "cifar";
  };
  readonly data: Readonly<Record<DataName, DataConfig>>;
  readonly trainings: Readonly<Record<DataName, readonly TrainingKind[]>>;
  readonly training: {
    readonly steps: number;
    readonly batch: number;
    readonly learningRate: number;
    readonly weightDecay: number;
    readonly attackSteps: number;
    readonly share: number;
  };
  readonly criticality: { readonly reset: "framework"; readonly trials: number };
  readonly seeds: readonly number[];
}

/** What came of one training. */
export interface Row {
  readonly data: DataName;
  readonly training: TrainingKind;
  readonly seed: number;
  readonly seconds: number;
  readonly accuracy: number;
  /** Accuracy under PGD of the data's "robustness" setting. */
  readonly robust: number;
  /** Mean over layers. */
  readonly criticality: number;
  readonly layers: readonly { readonly name: string; readonly stage: string; readonly criticality: number }[];
}

export const labelOf = ({ name, epsilon }: TrainingKind): string => (epsilon ? `${name} ${epsilon}` : name);
