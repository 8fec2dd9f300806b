#!/usr/bin/env bash
# import dicom: slices in every encoding are the same voxels; what the command line tells and writes.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

set=$(realpath "${ROBION_REFERENCE:-../shared}")/dicom/thigh_sarcoma_sts015
"$ROBION" info 2>/dev/null | grep -q '^dicom.*missing' && built= || built=yes
if [ -z "$built" ]; then
  check "without DCMTK the verb says what to install" expect_text "libdcmtk-dev" "$ROBION" import dicom tests --dry-run
  skip "encodings" "no DCMTK in this build"
elif ! [ -d "$set" ] || ! command -v dcmcjpeg >/dev/null || ! command -v h5diff >/dev/null; then
  skip "encodings" "no ../shared/dicom, dcmtk or h5diff here"
else
  mkdir "$WORK/as"
  find "$set/CT" -name '*.dcm' | sort | head -n 57 | awk 'NR % 8 == 1' | while read -r f; do cp "$f" "$WORK/as/"; done

  # encode NAME COMMAND...: every slice, converted, imported; its voxels are those of the slices as they are.
  encode() {
    local name=$1 f
    shift
    mkdir "$WORK/$name"
    for f in "$WORK"/as/*; do "$@" "$f" "$WORK/$name/$(basename "$f")" || return 1; done
    "$ROBION" import dicom "$WORK/$name" --resample -o "$WORK/$name.h5" && h5diff "$WORK/as.h5" "$WORK/$name.h5" /ct/hu
  }
  check "slices as they are" "$ROBION" import dicom "$WORK/as" --resample -o "$WORK/as.h5"
  check "JPEG lossless" encode jpeg dcmcjpeg +e1
  check "JPEG-LS" encode jpegls dcmcjpls
  check "RLE" encode rle dcmcrle
  check "explicit little endian" encode explicit dcmconv +te
  check "big endian" encode big dcmconv +tb
  check "deflated" encode deflated dcmconv +td
  check "implicit" encode implicit dcmconv +ti
  cat >"$WORK/j2k.py" <<'PYTHON'
import io, sys
import numpy as np, pydicom
from PIL import Image
from pydicom.encaps import encapsulate
d = pydicom.dcmread(sys.argv[1])
out = io.BytesIO()
Image.fromarray(d.pixel_array.astype(np.int16).view(np.uint16)).save(out, "JPEG2000", irreversible=False, no_jp2=True)
d.PixelData = encapsulate([out.getvalue()])
d["PixelData"].is_undefined_length = True
d.file_meta.TransferSyntaxUID = pydicom.uid.JPEG2000Lossless
d.is_little_endian, d.is_implicit_VR = True, False
d.save_as(sys.argv[2])
PYTHON
  if python3 -c 'import pydicom, PIL.features as f, sys; sys.exit(not f.check("jpg_2000"))' 2>/dev/null; then
    check "JPEG 2000" encode j2k python3 "$WORK/j2k.py"
  else
    skip "JPEG 2000" "no pydicom or Pillow with it here"
  fi

  check "a dry run tells" expect_text "GTV_Mass_CT +target +88.44 cm3" "$ROBION" import dicom "$set" --dry-run -o "$WORK/dry.h5"
  check "and writes nothing" test ! -e "$WORK/dry.h5"
  check "an unknown structure is refused" expect_exit 2 "$ROBION" import dicom "$set" --dry-run --target GTV
  check "and the nearest named" expect_text "option --target: no structure GTV found" \
    "$ROBION" import dicom "$set" --dry-run --target GTV
  check "uneven slices are refused" expect_exit 4 "$ROBION" import dicom "$set/CT/$(ls "$set/CT" | head -n 1)" -o "$WORK/x.h5"
fi
