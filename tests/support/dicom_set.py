#!/usr/bin/env python3
"""What `robion export dicom` wrote, read by pydicom, against the plan.h5 that it is of.

  dicom_set.py plan PLAN.h5 RN.dcm [FIRST_BEAM]    spots, energies, ions, places, sums and devices
  dicom_set.py doses PLAN.h5 FOLDER                doses within half a step; references, types, geometry
  dicom_set.py beams PLAN.h5 FOLDER                doses of single beams, which add up to that of all
  dicom_set.py alone PLAN.h5 BEAM OUT.h5           the plan, spots of other beams without ions
  dicom_set.py stage COURSE.h5 STAGE OUT.h5        a fraction of the stage alone: dose, fractions, beams
  dicom_set.py same_dose A.h5 PATH B.h5 PATH       two doses, within 1e-5 of the highest
  dicom_set.py vary RN.dcm KIND OUT.dcm            the plan as others would write it, or as robion refuses it
  dicom_set.py change FILE.dcm OUT.dcm NAME=VALUE...    other values of attributes
  dicom_set.py cases A.h5 B.h5                     the same CT, and all masks of A in B
  dicom_set.py metrics A.csv B.csv TOLERANCE       the same rows, values within the tolerance (relative)
"""
import csv
import pathlib
import shutil
import sys

import h5py
import numpy
import pydicom

ION_PLAN = "1.2.840.10008.5.1.4.1.1.481.8"


def listed(value):
    """pydicom makes a number of a list of one."""
    return list(value) if isinstance(value, (list, pydicom.multival.MultiValue)) else [value]


def same(found, expected, what, tolerance=0.0):
    found, expected = numpy.atleast_1d(numpy.asarray(found, float)), numpy.atleast_1d(numpy.asarray(expected, float))
    assert found.shape == expected.shape, f"{what}: {found.shape} found, {expected.shape} expected"
    worst = numpy.max(numpy.abs(found - expected), initial=0)
    assert worst <= tolerance, f"{what}: off by {worst}, tolerance {tolerance}"


def check_points(beam, group):
    """Pairs of control points; returns rows x, y, energy, ions, width."""
    points, rows, total = beam.IonControlPointSequence, [], 0.0
    assert len(points) == beam.NumberOfControlPoints and len(points) % 2 == 0
    energies = [float(p.NominalBeamEnergy) for p in points]
    assert energies == sorted(energies, reverse=True), "layers from the deepest"
    for k, (first, second) in enumerate(zip(points[::2], points[1::2])):
        assert (first.ControlPointIndex, second.ControlPointIndex) == (2 * k, 2 * k + 1)
        assert first.NominalBeamEnergy == second.NominalBeamEnergy
        assert first.ScanSpotPositionMap == second.ScanSpotPositionMap
        assert not any(listed(second.ScanSpotMetersetWeights))
        weights, places = listed(first.ScanSpotMetersetWeights), listed(first.ScanSpotPositionMap)
        assert len(weights) == first.NumberOfScanSpotPositions and len(places) == 2 * len(weights)
        assert first.NumberOfPaintings == 1 and first.ScanSpotTuneID
        same(float(first.CumulativeMetersetWeight), total, "cumulative weight", 1e-14 * total)
        total += sum(weights)
        same(float(second.CumulativeMetersetWeight), total, "cumulative weight", 1e-14 * total)
        width = listed(first.ScanningSpotSize)
        assert width[0] == width[1]
        rows += [(*places[2 * i : 2 * i + 2], energies[2 * k], w, width[0]) for i, w in enumerate(weights)]
    same(float(beam.FinalCumulativeMetersetWeight), total, "final weight", 1e-14 * total)
    same(float(group.BeamMeterset), total, "meterset", 1e-14 * total)
    return numpy.array(rows)


def check_beam(beam, group, own, shifter_mm):
    assert (beam.RadiationType, beam.RadiationMassNumber, beam.RadiationAtomicNumber) == ("ION", 12, 6)
    assert beam.RadiationChargeState == 6 and beam.ScanMode == "MODULATED" and beam.PrimaryDosimeterUnit == "NP"
    assert beam.TreatmentDeliveryType == "TREATMENT" and len(beam.VirtualSourceAxisDistances) == 2
    first = beam.IonControlPointSequence[0]
    same(float(first.GantryAngle), own.attrs["gantry_deg"], "gantry")
    same(float(first.PatientSupportAngle), own.attrs["couch_deg"], "couch")
    same([float(v) for v in first.IsocenterPosition], own.attrs["isocentre_mm"], "isocentre", 1e-9)
    assert beam.NumberOfRangeShifters == (shifter_mm > 0)
    if shifter_mm:
        setting = first.RangeShifterSettingsSequence[0]
        same(setting.RangeShifterWaterEquivalentThickness, shifter_mm, "range shifter")
        same(setting.IsocenterToRangeShifterDistance, own.attrs["range_shifter_to_isocentre_mm"], "its distance")
    rows = check_points(beam, group)
    column = [own[name][:] for name in ("x_mm", "y_mm", "energy_MeV_u", "particles", "spot_fwhm_mm")]
    expected = numpy.array([r for r in zip(*column) if r[3] > 0])
    expected = expected[numpy.argsort(-expected[:, 2], kind="stable")]
    for k, name in enumerate(("x", "y", "energy", "ions", "width")):
        digits = 1e-14 if name == "energy" else 6e-8
        same(rows[:, k], expected[:, k], name, digits * numpy.abs(expected[:, k]).max())


def plan(plan_file, file, first_beam=0):
    found, first_beam = pydicom.dcmread(file), int(first_beam)
    with h5py.File(plan_file) as own:
        assert found.SOPClassUID == ION_PLAN and found.PlanIntent == "RESEARCH" and found.ApprovalStatus == "UNAPPROVED"
        assert "not for clinical use" in found.RTPlanDescription
        assert str(found.SOPInstanceUID).startswith("2.25.")
        groups = found.FractionGroupSequence
        attributes = own[f"plan/beam_{first_beam}"].attrs
        fractions = attributes.get("stage_fractions", own.attrs["fractions"])
        assert len(groups) == 1 and groups[0].NumberOfFractionsPlanned == fractions
        dose = float(found.DoseReferenceSequence[0].TargetPrescriptionDose)
        same(dose, own.attrs["prescription_Gy_RBE_per_fraction"] * fractions, "prescription", 1e-9)
        assert found.PatientSetupSequence[0].PatientPosition == own["plan"].attrs["patient_position"].decode()
        referred = groups[0].ReferencedBeamSequence
        assert len(referred) == len(found.IonBeamSequence) == groups[0].NumberOfBeams
        for b, (beam, group) in enumerate(zip(found.IonBeamSequence, referred)):
            of = own[f"plan/beam_{first_beam + b}"]
            assert beam.BeamNumber == group.ReferencedBeamNumber == b + 1
            check_beam(beam, group, of, of.attrs["range_shifter_mm"])
    print("plan read back:", len(found.IonBeamSequence), "beams")


def doses(plan_file, folder):
    folder = pathlib.Path(folder)
    plans = {str(pydicom.dcmread(f).SOPInstanceUID) for f in folder.glob("RN*.dcm")}
    frames = {str(pydicom.dcmread(f, stop_before_pixels=True).FrameOfReferenceUID) for f in folder.glob("*.dcm")}
    studies = {str(pydicom.dcmread(f, stop_before_pixels=True).StudyInstanceUID) for f in folder.glob("*.dcm")}
    assert len(frames) == len(studies) == 1, "one study, one frame of reference"
    expected = {
        "rbe_weighted": ("nominal/rbe_weighted", "EFFECTIVE", "GY", True),
        "physical": ("nominal/physical", "PHYSICAL", "GY", True),
        "lowest": ("robust/min", "EFFECTIVE", "GY", True),
        "highest": ("robust/max", "EFFECTIVE", "GY", True),
        "letd": ("nominal/letd", "PHYSICAL", "RELATIVE", False),
    }
    files = {f.stem[3:]: pydicom.dcmread(f) for f in folder.glob("RD_*.dcm") if "beam" not in f.stem}
    assert set(files) in (set(expected), set(expected) - {"letd"}), sorted(files)
    with h5py.File(plan_file) as own:
        grid, fractions = own["grid"].attrs, own.attrs["fractions"]
        for name, found in files.items():
            path, kind, unit, of_course = expected[name]
            values = own["dose/" + path][:] * (fractions if of_course else 1)
            step = float(found.DoseGridScaling)
            same(found.pixel_array * step, values, name, 0.5001 * step)
            assert step * 65535 >= values.max() and step <= values.max() / 65535 * 1.00001 and len(str(found["DoseGridScaling"].value)) <= 16
            assert (found.DoseType, found.DoseUnits) == (kind, unit)
            assert found.DoseSummationType == ("PLAN" if len(plans) == 1 else "MULTI_PLAN")
            assert {str(i.ReferencedSOPInstanceUID) for i in found.ReferencedRTPlanSequence} == plans
            same([float(v) for v in found.ImagePositionPatient], grid["origin_mm"], "first voxel", 1e-9)
            same([float(v) for v in found.PixelSpacing], grid["spacing_mm"][1::-1], "spacing", 1e-9)
            same(found.GridFrameOffsetVector, numpy.arange(len(values)) * grid["spacing_mm"][2], "frames", 1e-9)
    print("doses read back:", ", ".join(sorted(files)))


def beams(plan_file, folder):
    files = [pydicom.dcmread(f) for f in pathlib.Path(folder).glob("RD_*beam_*.dcm")]
    plans = {str(p.SOPInstanceUID): p for p in (pydicom.dcmread(f) for f in pathlib.Path(folder).glob("RN*.dcm"))}
    found = {}
    with h5py.File(plan_file) as own:
        doses, fractions, whole = own["dose/beams"], own.attrs["fractions"], own["dose/nominal/physical"][:]
        total = sum(d[:].astype(float) for d in doses.values())
        assert len(doses) == len(files) == sum(len(p.IonBeamSequence) for p in plans.values()) > 1
        same(total, whole, "sum of the beams", 2e-5 * len(doses) * whole.max())  # each is 0 below 1e-5 of what it may reach
        for file in files:
            (plan,), step = file.ReferencedRTPlanSequence, float(file.DoseGridScaling)
            (group,) = plan.ReferencedFractionGroupSequence
            (beam,) = group.ReferencedBeamSequence
            assert group.ReferencedFractionGroupNumber == 1
            assert (file.DoseSummationType, file.DoseType, file.DoseUnits) == ("BEAM", "PHYSICAL", "GY")
            (of,) = [b for b in plans[str(plan.ReferencedSOPInstanceUID)].IonBeamSequence if b.BeamNumber == beam.ReferencedBeamNumber]
            point = of.IonControlPointSequence[0]
            (name,) = [  # by place and spots
                n
                for n, b in own["plan"].items()
                if (b.attrs["gantry_deg"], b.attrs["couch_deg"]) == (float(point.GantryAngle), float(point.PatientSupportAngle))
                and abs(b["particles"][:].sum() / float(of.FinalCumulativeMetersetWeight) - 1) < 1e-6
            ]
            found[name] = file.pixel_array * step
            same(found[name], doses[name][:] * fractions, name, 0.5001 * step)
            assert found[name].max() > 0.1 * whole.max()
        assert set(found) == set(doses)
    print("doses of beams read back:", ", ".join(sorted(found)))


def alone(plan_file, beam, out):
    shutil.copyfile(plan_file, out)
    with h5py.File(out, "r+") as own:
        for name, of in own["plan"].items():
            if name != f"beam_{beam}":
                of["particles"][:] = 0


def stage(course, name, out):
    with h5py.File(course) as own, h5py.File(out) as found:
        of = [b for b, group in own["plan"].items() if group.attrs["stage"].decode() == name]
        fractions = own["plan"][of[0]].attrs["stage_fractions"]
        dose = sum(own["dose/beams"][b][:].astype(float) for b in of) * own.attrs["fractions"] / fractions
        assert found.attrs["fractions"] == fractions and len(found["plan"]) == len(of)
        assert found.attrs["arm"] == own.attrs["arm"] and "goals" not in found
        same(found["dose/nominal/physical"][:], dose, name, 2e-5 * (1 + len(of)) * dose.max())


def same_dose(a, path_a, b, path_b):
    with h5py.File(a) as one, h5py.File(b) as two:
        same(two[path_b][:], one[path_a][:], path_a, 1e-5 * one[path_a][:].max())


def vary(file, kind, out):
    d = pydicom.dcmread(file)
    beams = d.IonBeamSequence
    if kind == "mu":  # a hundredth of a million ions each
        for beam, group in zip(beams, d.FractionGroupSequence[0].ReferencedBeamSequence):
            beam.PrimaryDosimeterUnit = "MU"
            group.BeamMeterset = format(float(group.BeamMeterset) / 1e4, ".10g")
    elif kind == "proton":
        beams[0].RadiationType = "PROTON"
        for beam in beams:
            del beam.RadiationMassNumber, beam.RadiationAtomicNumber, beam.RadiationChargeState
    elif kind == "helium":
        for beam in beams:
            beam.RadiationMassNumber, beam.RadiationAtomicNumber, beam.RadiationChargeState = 4, 2, 2
    elif kind == "uniform":
        beams[1].ScanMode = "UNIFORM"
    elif kind == "photons":
        d.SOPClassUID = d.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.481.5"
    elif kind == "groups":
        d.FractionGroupSequence.append(d.FractionGroupSequence[0])
    elif kind == "sums":
        beams[0].FinalCumulativeMetersetWeight = format(1.001 * float(beams[0].FinalCumulativeMetersetWeight), ".10g")
    elif kind == "lengths":
        point = beams[0].IonControlPointSequence[0]
        point.ScanSpotPositionMap = listed(point.ScanSpotPositionMap)[:-2]
    elif kind == "no-energy":
        del beams[0].IonControlPointSequence[0].NominalBeamEnergy
    elif kind == "no-meterset":
        del d.FractionGroupSequence[0].ReferencedBeamSequence[1].BeamMeterset
    elif kind == "shifter":
        for k, thickness in ((0, 30), (4, 20)):
            item = pydicom.Dataset()
            item.ReferencedRangeShifterNumber, item.RangeShifterSetting = 1, "IN"
            item.IsocenterToRangeShifterDistance, item.RangeShifterWaterEquivalentThickness = 300, thickness
            beams[0].IonControlPointSequence[k].RangeShifterSettingsSequence = [item]
    elif kind == "tilted":
        beams[0].IonControlPointSequence[0].TableTopPitchAngle = 3
    elif kind == "far-energy":
        for point in beams[0].IonControlPointSequence[:2]:
            point.NominalBeamEnergy = 5000
    elif kind == "other":
        # single points, weights of one layer doubled by their scale, sums left out, a set-up beam before, numbers as they come,
        # energies and sizes told once, one width, range shifter out
        setup = pydicom.Dataset()
        setup.BeamNumber, setup.TreatmentDeliveryType, setup.RadiationType = 99, "SETUP", "PHOTON"
        for number, beam in zip((7, 3), beams):
            beam.BeamNumber = number
            points = beam.IonControlPointSequence[::2]
            for k, point in enumerate(points):
                point.CumulativeMetersetWeight = None
                point.ScanningSpotSize = float(point.ScanningSpotSize[0])
                point.ScanSpotMetersetWeights = [w / 1024 for w in listed(point.ScanSpotMetersetWeights)]
                if k:
                    del point.ScanningSpotSize
            beam.IonControlPointSequence, beam.NumberOfControlPoints = points, len(points)
            del beam.FinalCumulativeMetersetWeight
        referred = d.FractionGroupSequence[0].ReferencedBeamSequence
        referred[0].ReferencedBeamNumber, referred[1].ReferencedBeamNumber = 7, 3
        referred.reverse()
        beams.insert(0, setup)
    else:
        sys.exit(f"no kind {kind}")
    d.save_as(out)


def change(file, out, *values):
    d = pydicom.dcmread(file)
    for value in values:
        setattr(d, *value.split("=", 1))
    d.save_as(out)


def cases(a, b):
    with h5py.File(a) as one, h5py.File(b) as two:
        assert numpy.array_equal(one["ct/hu"][:], two["ct/hu"][:]), "CT"
        for name in ("spacing_mm", "origin_mm"):
            same(two["ct/hu"].attrs[name], one["ct/hu"].attrs[name], name, 1e-9)
        assert set(one["structures"]) <= set(two["structures"]), (sorted(one["structures"]), sorted(two["structures"]))
        for name, mask in one["structures"].items():
            assert numpy.array_equal(mask[:] != 0, two["structures"][name][:] != 0), name
            assert mask.attrs["role"] == two["structures"][name].attrs["role"], name
        print("the same CT and", len(one["structures"]), "masks")


def metrics(a, b, tolerance):
    one, two = ([r for r in csv.reader(open(f, newline=""))] for f in (a, b))
    assert len(one) == len(two) > 10
    highest = {}  # of a metric in any scenario: index is a difference of two
    for r in one[1:]:
        highest[tuple(r[5:8])] = max(abs(float(r[8])), highest.get(tuple(r[5:8]), 0))
    for r, s in zip(one[1:], two[1:]):
        assert r[4:8] == s[4:8] and r[9] == s[9], (r, s)
        x, y = float(r[8]), float(s[8])
        assert abs(x - y) <= float(tolerance) * highest[tuple(r[5:8])], (r, s)
    print(len(one) - 1, "rows within", tolerance)


if __name__ == "__main__":
    {f.__name__: f for f in (plan, doses, beams, alone, stage, same_dose, vary, change, cases, metrics)}[sys.argv[1]](*sys.argv[2:])
