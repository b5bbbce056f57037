#pragma once

#include "petlab/reports/report.hpp"
#include "petlab/results/run_store.hpp"
#include "table_model.hpp"

#include <string>
#include <vector>

/// Cross-domain: what the adapters of one task do on the domains of the others.
namespace petlab::reports {

/// Reads the evaluations of the study's runs with each task's adapters on all domains; of several
/// of one run and task the last. Rows that adapt nothing are left out. Does nothing for other
/// studies.
void add_cross_domain(const results::RunStore& store, Report& report);

/// A line for each task of each row whose tasks have adapters of their own, a column a domain, and
/// the mean over the domains of the others. Without rows for other studies.
TextTable make_cross_domain_table(const Report& report);

/// How to read it; empty without a table.
std::vector<std::string> make_cross_domain_legend(const Report& report);

/// The same as a CSV file: accuracies as fractions.
std::string cross_domain_csv(const Report& report);

}  // namespace petlab::reports
