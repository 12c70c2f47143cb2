/** @file How far the trials of an experiment are, where several may run at a time. */

type TrialName = { readonly arm: string; readonly seed: number };

export interface TrialBoard {
  begin(trial: TrialName, index: number, trials: number): void;
  /** @returns the trial's place, and what all trials have done: in trials, and images a second */
  advance(
    trial: TrialName,
    part: number,
    imagesPerSecond: number,
  ): { index: number; trials: number; done: number; together: number };
  /** @returns whether none is under way, and none is to come */
  end(trial: TrialName): boolean;
}

/** Trials begin in the order of their places: those before the first one seen were done earlier. */
export function trialBoard(): TrialBoard {
  const parts: number[] = [];
  const underWay = new Map<string, { index: number; speed: number }>();
  let trials = 1;
  const key = ({ arm, seed }: TrialName) => `${seed} ${arm}`;
  return {
    begin(trial, index, all) {
      trials = all;
      for (let earlier = 0; earlier < index; earlier++) parts[earlier] ??= 1;
      parts[index] = 0;
      underWay.set(key(trial), { index, speed: 0 });
    },
    advance(trial, part, imagesPerSecond) {
      const entry = underWay.get(key(trial)) ?? { index: 0, speed: 0 };
      entry.speed = imagesPerSecond;
      parts[entry.index] = part;
      let together = 0;
      for (const { speed } of underWay.values()) together += speed;
      const done = parts.reduce((sum, value) => sum + value, 0);
      return { index: entry.index, trials, done, together: together || imagesPerSecond };
    },
    end(trial) {
      const entry = underWay.get(key(trial));
      if (entry) parts[entry.index] = 1;
      underWay.delete(key(trial));
      return underWay.size === 0 && parts.length >= trials;
    },
  };
}
