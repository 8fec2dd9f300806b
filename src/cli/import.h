/* Formats of the verb import that are more than a file. */
#pragma once
#include "robion/cli.h"

/* import adc CASE.h5 IMAGE [options]: add maps of clonogens to a case file. */
enum { N_ADC_OPTIONS = 10 };
extern const Option adc_options[N_ADC_OPTIONS];
void ADCPresets(void);
PetscErrorCode ImportADC(const Arguments *arguments, const Command *command, Mistakes *mistakes);

/* import dicom FOLDER... [options]: a case of a clinic's files. */
enum { N_DICOM_OPTIONS = 11, MOST_DICOM_FOLDERS = 64 };
extern const Option dicom_options[N_DICOM_OPTIONS];
PetscErrorCode ImportDicom(const Arguments *arguments, const Command *command, Mistakes *mistakes);
