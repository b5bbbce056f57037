#pragma once

#include <filesystem>
#include <string>

// Runs for TensorBoard and MLflow, by these programs' own packages in Python.
namespace petlab::app {

struct TrackerExport {
  std::string tracker;  ///< "tensorboard" or "mlflow"
  std::filesystem::path store;
  std::string place;  ///< a folder, for MLflow also a tracking URI
  std::string study;  ///< only its runs; "" for all
  std::string run;    ///< an identity: only this one; "" for all
};

/// Has results/petlab_trackers.py, which the program holds, write the finished runs: in a process
/// of its own with the interpreter that PETLAB_PYTHON names, else the python3 that PATH leads to.
/// Returns what it printed. Throws with one sentence: Error(config) where there is no such
/// interpreter, where it lacks a package, and where the place cannot be written; Error(store) where
/// the store cannot be read or lacks the study.
[[nodiscard]] std::string export_to_tracker(const TrackerExport& asked);

}  // namespace petlab::app
