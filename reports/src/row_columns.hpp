#pragma once

#include "column_list.hpp"
#include "petlab/reports/report.hpp"

#include <optional>
#include <string>
#include <utility>

/// Parts of the list of columns that row_table.cpp makes.
namespace petlab::reports {

using RowColumns = ColumnList<Row>;

/// A mean, its half-width and its n: the table's cell and three fields in CSV files. `get` gives a
/// row's Estimate, if it has one.
template <class Get>
void add_estimate(RowColumns& columns, ColumnOf<Row> mean, const std::string& half_width,
                  const std::string& n, Get get) {
  mean.value = [get](const Row& row) -> CsvValue {
    const std::optional<Estimate> estimate = get(row);
    return estimate ? CsvValue(estimate->mean) : CsvValue();
  };
  columns.push_back(std::move(mean));
  columns.push_back({.column = {.name = half_width}, .value = [get](const Row& row) -> CsvValue {
                       const std::optional<Estimate> estimate = get(row);
                       return estimate ? CsvValue(estimate->half_width) : CsvValue();
                     }});
  columns.push_back({.column = {.name = n}, .value = [get](const Row& row) -> CsvValue {
                       const std::optional<Estimate> estimate = get(row);
                       return estimate ? CsvValue(estimate->n) : CsvValue();
                     }});
}

/// The measures of measure_list(): in tables where they are asked for.
void add_measure_columns(RowColumns& columns, const Report& report);

/// Counted operations and memory: in tables where they are asked for.
void add_operation_columns(RowColumns& columns, const Report& report);

/// Learning rate, epochs, steps and batch, and whose budget they are.
void add_budget_columns(RowColumns& columns, const Report& report);

}  // namespace petlab::reports
