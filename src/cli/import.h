/* Formats of the verb import that are more than a file. */
#pragma once
#include "robion/cli.h"

/* import adc CASE.h5 IMAGE [options]: add maps of clonogens to a case file. */
enum { N_ADC_OPTIONS = 10 };
extern const Option adc_options[N_ADC_OPTIONS];
void ADCPresets(void);
PetscErrorCode ImportADC(const Arguments *arguments, const Command *command, Mistakes *mistakes);
