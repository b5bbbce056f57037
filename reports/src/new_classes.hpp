#pragma once

#include "petlab/reports/report.hpp"
#include "petlab/results/run_store.hpp"
#include "row_columns.hpp"

/// Base to new: what the adapters of a study on base classes do on the new classes of its data set.
namespace petlab::reports {

/// Reads the evaluations of the runs on the new classes. Where it cannot tell the study's tests
/// from others there is no number, but a note. Does nothing for other studies.
void add_new_classes(const results::RunStore& store, Report& report);

/// The columns "new" and "H".
void add_new_class_columns(RowColumns& columns, const Report& report);

}  // namespace petlab::reports
