"""What the tables and pictures of both studies of range margins are made with (range-margins-head, range-margins-liver).

Everything is over the patients that have the plans in question, which the tables tell.
"""
import numpy

import drawing
import robion
from robion import heading, row

PUBLISHED_ARMS = "12C", "11C"
LEFT = "0", "0.5", "1", "2", "3.5"  # % of range
WITHOUT = "11C", "11C-left-0.5", "11C-left-1", "11C-left-2", "11C-left-3.5"
WITH = "11C", "11C-margin-0.5", "11C-margin-1", "11C-margin-2", "11C-margin"


class Margin:
    """A number of a plan, by which arms are compared: a metric, in one of the scenarios."""

    def __init__(self, name, structure, quantity, metric, scenario="median"):
        self.name, self.which = name, (structure, quantity, metric, scenario)

    def told(self, values):
        return f"{numpy.median(values):.3g}"


class Results(robion.Results):
    def paired(self, number, *arms):
        """Of the cases that have all the arms: their names, and [arm, case]."""
        of = [self.by_case(arm, *number.which) for arm in arms]
        cases = [case for case in self.cases if all(case in values for values in of)]
        return cases, numpy.array([[values[case] for case in cases] for values in of])

    def shares(self, arm, structure, metric):
        """{case: % of the scenarios that keep the goal}."""
        return {g["case"]: g["value"] for g in self.goals
                if (g["arm"], g["structure"], g["metric"], g["scenario"]) == (arm, structure, metric, "share")}

    def p(self, number):
        """Of Wilcoxon's signed rank test, 11C against 12C; nothing where there are too few pairs."""
        structure, quantity, metric, scenario = number.which
        if not (self.folder / "statistics.csv").exists():
            return "-"
        key = {"structure": structure, "quantity": quantity, "metric": metric, "scenario": scenario}
        for r in self.statistics:
            if {r["arm"], r["versus_arm"]} == set(PUBLISHED_ARMS) and all(r[k] == v for k, v in key.items()):
                return "-" if r["wilcoxon_p"] is None else f"{r['wilcoxon_p']:.2g}"
        return "-"


def tell_plans(results, of):
    arms = ", ".join(f"{arm} {sum(a == arm for _, a, _ in results.values)}" for arm in results.arms)
    print(f"\nPlans of {of} patients: {arms}. Digital patients: numbers stand beside the published ones, not for them.")


def tell_target(results):
    """95/95/95: D95 of at least 95 % in at least 95 % of the scenarios."""
    print("\nScenarios in which D95 of the CTV is at least 95 %, lowest of the patients, and patients with fewer than 95 %")
    heading("arm", "patients", "lowest, %", "below 95 %")
    for arm in results.arms:
        shares = results.shares(arm, "CTV", "D95")
        low = [f"{case} ({share:.0f})" for case, share in shares.items() if share < 95]
        if shares:
            row(arm, str(len(shares)), f"{min(shares.values()):.0f}", ", ".join(low) or "none")


def tell_comparison(results, numbers, published):
    """published: {name: text}."""
    print("\nMedians over the patients, 12C to 11C; P by Wilcoxon's signed rank test")
    heading("", "published", "patients", "12C", "11C", "lower with 11C", "P")
    for number in numbers:
        cases, (carbon, light) = results.paired(number, *PUBLISHED_ARMS)
        if cases:
            row(number.name, published.get(number.name, ""), str(len(cases)), number.told(carbon), number.told(light),
                f"{(light < carbon).sum()} of {len(cases)}", results.p(number))


def tell_relative_risks(results, outcomes):
    """outcomes: {name: structure}."""
    print("\nRelative risk NTCP(11C) / NTCP(12C), nominal; worst case against worst case")
    heading("patient", *outcomes)
    told = {}
    for name, structure in outcomes.items():
        for scenario in ("nominal", "max"):
            cases, (carbon, light) = results.paired(Margin(name, structure, "outcome", f"NTCP-{name}", scenario), *PUBLISHED_ARMS)
            for case, c, l in zip(cases, carbon, light):
                told.setdefault(case, {}).setdefault(name, []).append(f"{l / c:.2g}" if c > 0 else "-")
    for case, of in told.items():
        row(case, *("; ".join(of.get(name, ["-"])) for name in outcomes))


def tell_parts(results, numbers):
    """Medians of four arms over the patients that have all, and how much of 12C to 11C the margin alone does to either ion."""
    arms = "12C", "12C-no-margin", "11C-margin", "11C"
    print("\nMargin apart from ion: medians over the patients with all four; part of the gain that 12C has without its margin")
    heading("", "patients", *arms, "margin's part, %")
    for number in numbers:
        cases, values = results.paired(number, *arms)
        if cases:
            gain, margin = (numpy.median(values[0] - values[i]) for i in (3, 1))
            row(number.name, str(len(cases)), *(number.told(v) for v in values), f"{100 * margin / gain:.0f}" if gain > 0 else "-")


def tell_left(results, numbers):
    """How good PET must be: how much of the gain 11C keeps under range errors that are left."""
    for arms, how in (WITHOUT, "without a margin"), (WITH, "with a margin for them"):
        print(f"\n11C planned {how}, under range errors that are left: medians over the patients with all; part of the gain over 12C "
              "that is kept, %; last the scenarios in which D95 of the CTV is at least 95 %, lowest of these patients")
        heading("", "patients", "12C", *(f"{percent} %" for percent in LEFT))
        for number in numbers:
            cases, values = results.paired(number, "12C", *arms)
            if cases:
                medians = numpy.median(values, axis=1)
                gain = medians[0] - medians[1]
                row(number.name, str(len(cases)), number.told(values[0]),
                    *(number.told(v) + (f" ({100 * (medians[0] - m) / gain:.0f})" if gain > 0 else "")
                      for v, m in zip(values[1:], medians[1:])))
        shares = [results.shares(arm, "CTV", "D95") for arm in ("12C", *arms)]
        cases = [case for case in shares[0] if all(case in of for of in shares)]
        if cases:
            row("CTV", str(len(cases)), *(f"{min(of[case] for case in cases):.0f}" for of in shares))


def draw_left(axes, results, number):
    """Medians over range errors that are left; 12C across."""
    for arms, line in (WITHOUT, "dashed"), (WITH, "solid"):
        cases, values = results.paired(number, "12C", *arms)
        if cases:
            medians = numpy.median(values, axis=1)
            axes.plot([float(percent) for percent in LEFT], medians[1:], color=drawing.COLOURS[1], linestyle=line, marker="o", markersize=3)
            axes.axhline(medians[0], color=drawing.COLOURS[0])
    axes.set(title=number.name, xlabel="range error that is left, %")
    axes.grid()


LEFT_LEGEND = {"12C": {"color": drawing.COLOURS[0]}, "11C without a margin": {"color": drawing.COLOURS[1], "linestyle": "dashed"},
               "11C with a margin for it": {"color": drawing.COLOURS[1]}}


def bars(axes, results, values_of, title, limit=None):
    """A pair of bars per patient."""
    cases = results.cases
    for k, arm in enumerate(PUBLISHED_ARMS):
        values = values_of(arm)
        axes.bar([i + 0.4 * (k - 0.5) for i, case in enumerate(cases) if case in values],
                 [values[case] for case in cases if case in values], 0.38, color=drawing.COLOURS[k])
    if limit is not None:
        axes.axhline(limit, color="gray", linestyle="dashed", linewidth=0.8)
    axes.set(title=title, xticks=range(len(cases)), xlabel="patient")
    axes.set_xticklabels([case.split("-")[-1] for case in cases])
    axes.grid(axis="y")


LEGEND = {arm: {"color": drawing.COLOURS[k], "linewidth": 5} for k, arm in enumerate(PUBLISHED_ARMS)}
