#pragma once

#include "petlab/reports/report.hpp"
#include "petlab/results/run_store.hpp"
#include "row_columns.hpp"

/// Cross-data-set transfer: accuracy on data sets that the runs were not trained on.
namespace petlab::reports {

/// Reads the evaluations of the study's runs on the data sets that it names, with the adapters that
/// all tasks share, or the mean over the adapters of each task. A name that stands for several data
/// sets or splits in the store has no number, but a note. Does nothing for other studies.
void add_transfer(const results::RunStore& store, Report& report);

/// A column a data set.
void add_transfer_columns(RowColumns& columns, const Report& report);

}  // namespace petlab::reports
