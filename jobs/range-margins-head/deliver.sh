#!/usr/bin/env bash
# deliver.sh RESULTS: the plans of single-field.yaml in the true patient, whose stopping powers have no error, and how far dose and
# activity are shifted against the plan without error. Writes delivered-1.h5 and delivered-3.5.h5 into the results.
set -eu
robion=${ROBION:-build/robion}
study=$(dirname "$0")/single-field.yaml
plan() { echo "$1/cases/head-neck-6/$2/plan.h5"; }
for arm in 1 3.5; do
  "$robion" evaluate "$(plan "$1" $arm)" "$study" -o "$1/delivered-$arm.h5" --set hlut_scale_percent=0
  echo "stopping powers $arm % too high:"
  "$robion" shift "$(plan "$1" 0)" "$1/delivered-$arm.h5" --map nuclei/11C
  "$robion" shift "$(plan "$1" 0)" "$1/delivered-$arm.h5" --map image/after
done
