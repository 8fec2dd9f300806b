#!/usr/bin/env python3
"""The sums of a plan's volumes as its page has them, as JSON:  plan_bytes.py PLAN.h5   {name: sum of bytes}"""
import json
import sys

import h5py
import numpy

sums = {}
with h5py.File(sys.argv[1]) as plan:
    doses = {name: dose[:] for name, dose in plan["dose/nominal"].items()}
    for name, key in (("lowest of all scenarios", "min"), ("highest of all scenarios", "max"),
                      ("standard deviation over all scenarios", "sd")):
        doses[name] = plan["dose/robust"][key][:]
    for nuclide, nuclei in plan.get("activity/nominal/nuclei", {}).items():
        doses[f"{nuclide} nuclei at rest per fraction, nominal"] = nuclei[:]
    for name, dose in doses.items():
        dose = numpy.maximum(dose.astype(float), 0)
        sums[name] = int(numpy.floor(dose / (dose.max() / 255) + 0.5).sum())
    hu = plan["patient/hu"][:].astype(int)
    sums["ct"] = int(numpy.clip((hu + 1000) // 10, 0, 255).sum())
print(json.dumps(sums))
