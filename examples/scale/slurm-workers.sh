#!/usr/bin/env bash
# Workers of a queue as a Slurm array: each node takes cells until none has come for ten minutes. The coordinator runs where the results are to be:
#
#     npx faultline sweep plan.yaml --queue redis://head-node:6379 --out sweep
#     sbatch examples/scale/slurm-workers.sh redis://head-node:6379 /shared/plan-folder
#
#SBATCH --job-name=faultline-worker
#SBATCH --array=1-16
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --time=24:00:00
#SBATCH --output=faultline-worker-%A-%a.log
#SBATCH --signal=B:TERM@120

set -euo pipefail
# The program itself and not npx, so that it gets the signal. Slurm runs a copy of this script: the checkout is where sbatch was typed.
faultline=${FAULTLINE:-$SLURM_SUBMIT_DIR/bin/faultline.js}
queue=${1:?name the queue, redis://HOST:PORT}
root=${2:?name the folder that the plan lies in}

node "$faultline" worker --queue "$queue" --root "$root" --idle 600 \
  --workers "${SLURM_CPUS_PER_TASK:-1}" --work "${TMPDIR:-/tmp}/faultline-work" &
program=$!
trap 'kill -TERM "$program"' TERM
wait "$program" || wait "$program"
