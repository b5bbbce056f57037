#include "command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/kernels/cpu_level.hpp"
#include "petlab/sdk/abi.hpp"
#include "petlab/study/identity.hpp"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>

#include <exception>
#include <iostream>
#include <new>

namespace petlab::app {

const std::vector<Command>& commands() {
  static const std::vector<Command> all = {
      {"run", "run what a study is missing", run_study},
      {"plan", "check a study and list its runs", run_plan},
      {"reproduce", "the paper's tables: run what is missing, print, write a page", run_reproduce},
      {"report", "print and write the table of a study", run_report},
      {"merge", "join the stores of several machines", run_merge},
      {"export", "write the store's views as CSV files", run_export},
      {"verify", "compute a run once more and compare", run_verify},
      {"compare", "are two rows really different, and where", run_compare},
      {"plugins", "list plugins, with those that are refused and why", run_plugins},
      {"describe", "options and parameters of a method or grouping", run_describe},
      {"datasets", "list, build, check, split, fingerprint", run_datasets},
      {"clip", "look at a backbone, embed, classify", run_clip},
      {"pretrain", "train the embedded backbone anew", run_pretrain_command},
      {"worker", nullptr, run_worker},
  };
  return all;
}

namespace {

void print_help() {
  std::cout << "petlab: which way of adapting CLIP is best here, by how much, at what cost?\n\n"
               "petlab COMMAND [options]\n\n";
  for (const Command& command : commands())
    if (command.summary != nullptr)
      std::cout << "  " << command.name << std::string(12 - std::string(command.name).size(), ' ')
                << command.summary << "\n";
  std::cout
      << "\npetlab COMMAND --help says more, with examples. petlab --version prints versions.\n"
         "\nPETLAB_CPU=baseline, avx2, avx512 or amx in the environment limits the instruction "
         "sets\n"
         "that are used; without it, all that the machine offers are.\n"
         "\nExit codes: 0 done; 1 a run failed; 2 command line or protocol; 3 data set or\n"
         "backbone; 4 plugin; 5 results store; 6 device; 7 not a finite number; 70 an internal\n"
         "error; 130 interrupted.\n";
}

void print_version() {
  std::cout << "petlab " << study::program_version() << "\n"
            << "SDK ABI  " << sdk::kSdkAbi << "\n"
            << "LibTorch " << sdk::kTorchVersion << "\n"
            << "build    " << sdk::kBuildTag << "\n"
            << "CPU      " << kernels::to_string(kernels::cpu_level()) << " of "
            << kernels::to_string(kernels::machine_cpu_level()) << "\n"
            << "sources  " << study::host_source_hash() << " (" << study::host_source_state()
            << ")\n";
}

int dispatch(const Arguments& arguments) {
  const std::string name = arguments.empty() ? "help" : arguments.front();
  if (name == "help" && arguments.size() > 1) return dispatch({arguments[1], "--help"});
  if (name == "help" || name == "--help" || name == "-h") {
    print_help();
    return arguments.empty() ? kUsage : kOk;
  }
  if (name == "--version" || name == "version") {
    print_version();
    return kOk;
  }
  std::vector<std::string> known;
  for (const Command& command : commands()) {
    if (name == command.name) return command.run({arguments.begin() + 1, arguments.end()});
    if (command.summary != nullptr) known.emplace_back(command.name);
  }
  throw base::Error(base::ErrorKind::config,
                    "unknown command '" + name + "'" + base::did_you_mean(name, known));
}

int exit_code(base::ErrorKind kind) {
  switch (kind) {
    case base::ErrorKind::config:
      return kUsage;
    case base::ErrorKind::data:
      return kData;
    case base::ErrorKind::plugin:
      return kPlugin;
    case base::ErrorKind::numeric:
      return kNumeric;
    case base::ErrorKind::device:
      return kDevice;
    case base::ErrorKind::store:
      return kStore;
    case base::ErrorKind::internal:
      return kInternal;
  }
  return kInternal;
}

}  // namespace
}  // namespace petlab::app

int main(int argc, char** argv) {
  using namespace petlab;
  // Before any tensor: LibTorch fixes both pools at their first use.
  at::set_num_interop_threads(1);
  try {
    // A wrong PETLAB_CPU is refused by every command, before any work.
    (void)kernels::cpu_level();
    return app::dispatch({argv + 1, argv + argc});
  } catch (const base::Error& error) {
    std::cerr << "petlab: " << error.what() << "\n";
    return app::exit_code(error.kind());
  } catch (const std::bad_alloc&) {
    std::cerr << "petlab: out of memory\n";
    return app::kDevice;
  } catch (const c10::Error& error) {
    std::cerr << "petlab: LibTorch: " << error.what_without_backtrace() << "\n";
    return app::kInternal;
  } catch (const std::exception& error) {
    std::cerr << "petlab: " << error.what() << "\n";
    return app::kInternal;
  }
}
