#!/usr/bin/env python3
"""Volumes that `robion export` wrote, read by the programs they are for, against plan.h5.

  read_volumes.py nibabel|vtk|xdmf PLAN.h5 DATASET FILE
  read_volumes.py teem PLAN.h5 DATASET HEADER RAW    as teem-unu has saved them again
"""
import os
import sys
import xml.etree.ElementTree as xml

import h5py
import numpy


def same(found, expected, what):
    found, expected = numpy.asarray(found, float), numpy.asarray(expected, float)
    assert found.shape == expected.shape and numpy.allclose(found, expected, rtol=0, atol=1e-5), (what, found, expected)


def nibabel(values, spacing, origin, file):
    import nibabel as nib

    image = nib.load(file)
    assert nib.aff2axcodes(image.affine) == ("L", "P", "S") and image.header.get_xyzt_units()[0] == "mm"
    lps = numpy.diag([-1, -1, 1, 1]) @ image.affine  # NIfTI is RAS
    same(lps[:3, 3], origin, "origin")
    same(lps[:3, :3], numpy.diag(spacing), "axes")
    assert numpy.array_equal(numpy.asarray(image.dataobj).transpose(2, 1, 0), values), "values"
    same(image.get_qform(), image.get_sform(), "both forms")


def vtk(values, spacing, origin, file):
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOImage import vtkMetaImageReader

    reader = vtkMetaImageReader()
    reader.SetFileName(file)
    reader.Update()
    image = reader.GetOutput()
    same(image.GetDimensions(), values.shape[::-1], "size")
    same(image.GetSpacing(), spacing, "spacing")
    same(image.GetOrigin(), origin, "origin")
    read = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(values.shape)
    assert numpy.array_equal(read, values), "values"


def xdmf(values, spacing, origin, file, dataset):
    """As the format is defined, by nothing but XML and HDF5: the libraries of Debian cannot be called from Python."""
    grid = xml.parse(file).getroot().find("Domain/Grid")
    nodes = [int(n) for n in grid.find("Topology").get("Dimensions").split()]
    assert grid.find("Topology").get("TopologyType") == "3DCoRectMesh" and nodes == [n + 1 for n in values.shape]
    corner, step = ([float(v) for v in item.text.split()] for item in grid.find("Geometry").findall("DataItem"))
    same(step, spacing[::-1], "spacing")
    same(numpy.add(corner, numpy.multiply(step, 0.5)), origin[::-1], "origin")
    (item,) = [a.find("DataItem") for a in grid.findall("Attribute") if a.find("DataItem").text.endswith(":/" + dataset)]
    assert [int(n) for n in item.get("Dimensions").split()] == list(values.shape)
    plan, path = item.text.split(":")
    with h5py.File(os.path.join(os.path.dirname(file), plan)) as read:
        assert numpy.array_equal(read[path][:], values), "values"


def teem(values, spacing, origin, file, raw):
    header = dict(line.split(": ", 1) for line in open(file, "rb").read().split(b"\n\n")[0].decode().splitlines() if ": " in line)
    vectors = [eval(v) for v in header["space directions"].split()]
    assert header["space"] == "left-posterior-superior"
    same(vectors, numpy.diag(spacing), "axes")
    same(eval(header["space origin"]), origin, "origin")
    assert numpy.array_equal(numpy.fromfile(raw, "<f4").reshape(values.shape), values), "values"


if __name__ == "__main__":
    kind, plan, dataset, *files = sys.argv[1:]
    with h5py.File(plan) as own:
        values, grid = own[dataset][:], own["grid"].attrs
        more = [dataset] if kind == "xdmf" else []
        globals()[kind](values, list(grid["spacing_mm"]), list(grid["origin_mm"]), *files, *more)
    print(kind, "reads", values.shape, "as they are")
