#!/usr/bin/env python3
"""Published figures beside ours, as Markdown (needs numpy, h5py, matplotlib):

    table.py results/range-margins-liver [-o FOLDER]    also draws liver.png, per patient, and left.png, over residual errors
"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import margins
import drawing
from margins import Margin, heading, row

LIVER = "Liver-GTV"
MODELS = "burman", "dawson", "el-naqa-i", "el-naqa-ii", "pursley-i", "pursley-ii"
DOSE = [Margin(name, LIVER, "rbe_weighted_course", metric) for name, metric in
        (("Dmean, Gy(RBE)", "Dmean"), ("V5, %", "V5Gy"), ("V30, %", "V30Gy"))]
NTCP = [Margin(f"NTCP {model}, %", LIVER, "outcome", f"NTCP-{model}") for model in MODELS]
WORST = [Margin(f"NTCP {model}, worst case, %", LIVER, "outcome", f"NTCP-{model}", "max") for model in MODELS]
PUBLISHED = {number.name: "lower, P < 0.01" for number in DOSE + NTCP}  # Sokol et al.
PUBLISHED[WORST[1].name] = "below 2"


def critical_volume(results):
    print("\nD700cc, what the coolest 700 cm3 get at most, Gy(RBE) per fraction, worst case; published: met by all")
    heading("arm", "patients", "highest share of its limit", "missed by")
    for arm in results.arms:
        goals = [g for g in results.goals if (g["arm"], g["metric"]) == (arm, "DC700cc")]
        if goals:
            row(arm, str(len(goals)), f"{max(g['value'] / g['limit'] for g in goals):.2f}",
                ", ".join(g["case"] for g in goals if not g["met"]) or "none")


def floors(results):
    """Complications without any dose, below which no relative risk can lead."""
    plan = next(iter(results.plans.values()))
    print("\nNTCP without dose, %: " + ", ".join(f"{m} {plan[f'outcomes/{m}'].percent_without_dose:.4g}" for m in MODELS))


def picture(results, folder):
    figure, axes = drawing.panels(3, 3, 3.3, 2.2, "Healthy liver of digital patients, median over the scenarios", margins.LEGEND)
    for a, number in zip(axes.flat, DOSE + NTCP):
        margins.bars(a, results, lambda arm: results.by_case(arm, *number.which), number.name)
    drawing.save(figure, folder, "liver", "png")
    figure, axes = drawing.panels(1, 3, 3.3, 2.4, "How good PET must be", margins.LEFT_LEGEND)
    for a, number in zip(axes.flat, (DOSE[0], DOSE[2], WORST[0])):
        margins.draw_left(a, results, number)
    drawing.save(figure, folder, "left", "png")


def main():
    arguments = drawing.parser_of(__doc__).parse_args()
    results = margins.Results(arguments.results)
    margins.tell_plans(results, 10)
    margins.tell_target(results)
    margins.tell_comparison(results, DOSE + NTCP + WORST, PUBLISHED)
    critical_volume(results)
    floors(results)
    margins.tell_relative_risks(results, {model: LIVER for model in MODELS})
    margins.tell_parts(results, DOSE + NTCP)
    margins.tell_left(results, DOSE + WORST)
    picture(results, arguments.output)


if __name__ == "__main__":
    main()
