#!/usr/bin/env bash
# A sweep as a Slurm array: each task does the i-th of n parts of the cells, into one directory that all nodes see.
#
#     sbatch examples/scale/slurm-array.sh plan.yaml /shared/sweep
#
# A task that was killed goes on where it was when the same line is given again. When all are done, the same sweep without --shard writes the report:
#
#     npx faultline sweep plan.yaml --out /shared/sweep
#
#SBATCH --job-name=faultline
#SBATCH --array=1-16
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --time=24:00:00
#SBATCH --output=faultline-%A-%a.log
# A signal two minutes before the time is up: what is in work is finished or kept.
#SBATCH --signal=B:TERM@120

set -euo pipefail
# The program itself and not npx, so that it gets the signal. Slurm runs a copy of this script: the checkout is where sbatch was typed.
faultline=${FAULTLINE:-$SLURM_SUBMIT_DIR/bin/faultline.js}
plan=${1:?name a plan}
out=${2:?name a directory that all nodes see}

# The shell waits in the background, or it would get the signal only after the program has ended.
node "$faultline" sweep "$plan" --out "$out" \
  --shard "$((SLURM_ARRAY_TASK_ID - SLURM_ARRAY_TASK_MIN + 1))/$SLURM_ARRAY_TASK_COUNT" \
  --workers "${SLURM_CPUS_PER_TASK:-1}" &
program=$!
trap 'kill -TERM "$program"' TERM
wait "$program" || wait "$program"
