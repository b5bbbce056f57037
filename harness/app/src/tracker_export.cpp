#include "tracker_export.hpp"

#include "embedded_files.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/command_output.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/private_folder.hpp"

#include <cstdlib>
#include <cstring>
#include <vector>

namespace petlab::app {
namespace {

/// What the program ends with where a sentence on standard error says all.
constexpr int kSaidWhy = 2, kStoreIsWrong = 5;

std::string interpreter() {
  const char* named = std::getenv("PETLAB_PYTHON");
  return named != nullptr && *named != '\0' ? named : "python3";
}

std::string without_last_breaks(std::string text) {
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text;
}

}  // namespace

std::string export_to_tracker(const TrackerExport& asked) {
  const base::PrivateFolder scratch("petlab-trackers");
  const base::WriteOptions process{.durability = base::Durability::process};
  base::write_file(scratch.path() / "petlab_results.py", embedded::petlab_results, process);
  base::write_file(scratch.path() / "petlab_trackers.py", embedded::petlab_trackers, process);
  std::vector<std::string> command = {interpreter(),
                                      (scratch.path() / "petlab_trackers.py").string()};
  if (!asked.study.empty()) command.push_back("--study=" + asked.study);
  if (!asked.run.empty()) command.push_back("--run=" + asked.run);
  for (const std::string& text :
       {std::string("--"), asked.tracker, asked.store.string(), asked.place})
    command.push_back(text);
  const base::CommandOutput output = base::run_command(command);
  if (output.start_error != 0)
    base::throw_config_error("cannot start '" + command.front() + "' (" +
                             std::strerror(output.start_error) +
                             "), which writes for TensorBoard and MLflow: install Python 3.9 or "
                             "later, or name an interpreter with PETLAB_PYTHON");
  const std::string why = without_last_breaks(output.err);
  if (output.code == kSaidWhy) base::throw_config_error(why);
  if (output.code == kStoreIsWrong) throw base::Error(base::ErrorKind::store, why);
  if (output.code != 0)
    throw base::Error(base::ErrorKind::internal, "'" + command.front() + "' ended with " +
                                                     std::to_string(output.code) + ":\n" + why);
  return without_last_breaks(output.out) + "\n";
}

}  // namespace petlab::app
