#!/usr/bin/env python3
"""Published figures beside ours, as Markdown (needs numpy, h5py, matplotlib):

    table.py results/range-margins-head [-o FOLDER]    also draws nerves.png, per patient, and left.png, over residual errors
"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import margins
import drawing
from margins import Margin, heading, row

NERVES = {"right": "OpticNrv_R", "left": "OpticNrv_L"}
NTCP = [Margin(f"NTCP {side}, {how}, %", structure, "outcome", f"NTCP-{side}", scenario)
        for how, scenario in (("median of the scenarios", "median"), ("worst case", "max")) for side, structure in NERVES.items()]
DOSE = [Margin(f"D0.03cc {side}, Gy(RBE) per fraction", structure, "rbe_weighted", "D0.03cc") for side, structure in NERVES.items()]
# Sokol et al.; the text has the pair of the left nerve the other way round
PUBLISHED = {NTCP[0].name: "7.6 to 3.5, P < 0.0001", NTCP[1].name: "2.5 to 1.1, P < 0.0001",
             NTCP[2].name: "highest 45.6 to 2.9", NTCP[3].name: "highest 53.2 to 20.4"}
BOTH = {"12C": "8 of 15", "11C": "2 of 15"}


def shares(results):
    """Fig 2B."""
    print("\nScenarios in which D0.03cc of the nerve is at most 2.46 Gy(RBE) per fraction, %: right, left")
    heading("patient", *results.arms)
    of = {arm: [results.shares(arm, nerve, "D0.03cc") for nerve in NERVES.values()] for arm in results.arms}
    for case in results.cases:
        row(case, *(", ".join(f"{side[case]:.0f}" if case in side else "-" for side in of[arm]) for arm in results.arms))
    print("\nPatients with both nerves over it in more than half of the scenarios")
    heading("arm", "published", "ours")
    for arm, sides in of.items():
        cases = [case for case in sides[0] if case in sides[1]]
        if cases:
            row(arm, BOTH.get(arm, ""), f"{sum(max(side[case] for side in sides) < 50 for case in cases)} of {len(cases)}")


def picture(results, folder):
    figure, axes = drawing.panels(2, 2, 5, 2.4, "Optic nerves of digital patients", margins.LEGEND)
    for column, (side, nerve) in enumerate(NERVES.items()):
        margins.bars(axes[0, column], results, lambda arm: results.shares(arm, nerve, "D0.03cc"),
                     f"{side}: scenarios with D0.03cc ≤ 2.46 Gy(RBE), %", limit=50)
        margins.bars(axes[1, column], results, lambda arm: results.by_case(arm, nerve, "outcome", f"NTCP-{side}", "max"),
                     f"{side}: NTCP, worst case, %")
    drawing.save(figure, folder, "nerves", "png")
    figure, axes = drawing.panels(1, 2, 4, 2.4, "How good PET must be", margins.LEFT_LEGEND)
    for a, number in zip(axes.flat, NTCP[2:]):
        margins.draw_left(a, results, number)
    drawing.save(figure, folder, "left", "png")


def main():
    arguments = drawing.parser_of(__doc__).parse_args()
    results = margins.Results(arguments.results)
    margins.tell_plans(results, 15)
    margins.tell_target(results)
    shares(results)
    margins.tell_comparison(results, NTCP + DOSE, PUBLISHED)
    margins.tell_relative_risks(results, NERVES)
    margins.tell_parts(results, NTCP + DOSE)
    margins.tell_left(results, NTCP + DOSE)
    picture(results, arguments.output)


if __name__ == "__main__":
    main()
