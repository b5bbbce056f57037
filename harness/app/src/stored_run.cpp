#include "stored_run.hpp"

#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/private_folder.hpp"
#include "petlab/base/text.hpp"
#include "petlab/engine/stored_adapters.hpp"
#include "study_command.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <unordered_set>

namespace petlab::app {
namespace {

std::string shape_text(const at::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes();
  return text.str();
}

void print_tensors(std::ostream& out, const std::vector<sdk::NamedTensor>& tensors) {
  constexpr std::size_t kShown = 24;  // full copies have hundreds
  for (std::size_t i = 0; i < std::min(tensors.size(), kShown); ++i)
    out << "    " << std::left << std::setw(48) << tensors[i].name << " "
        << shape_text(tensors[i].value) << "\n";
  if (tensors.size() > kShown) out << "    and " << tensors.size() - kShown << " tensors more\n";
}

/// Tensors of the changes that are not the parameters themselves: what follows from them, and what
/// is kept beside them (remembered examples, statistics).
std::vector<sdk::NamedTensor> made_tensors(const engine::StoredAdapter& adapter) {
  std::unordered_set<const void*> seen;
  for (const sdk::NamedTensor& parameter : adapter.parameters)
    seen.insert(parameter.value.unsafeGetTensorImpl());
  std::vector<sdk::NamedTensor> made;
  for (const sdk::BackboneChanges& changes : adapter.changes) {
    const auto add = [&](const std::string& name, const at::Tensor& tensor) {
      if (tensor.defined() && seen.insert(tensor.unsafeGetTensorImpl()).second)
        made.push_back({name, tensor});
    };
    sdk::visit_parts(changes, [&](const auto& part) {
      const std::string kind = part.kKind;
      sdk::visit_tensors(part, [&](const at::Tensor& tensor, const sdk::TensorSpec& spec) {
        add(kind + ": " + spec.name, tensor);
      });
    });
    for (const sdk::NamedTensor& weight : changes.weights)
      add(weight.name, weight.value);
  }
  return made;
}

std::int64_t values_of(const std::vector<sdk::NamedTensor>& tensors) {
  std::int64_t values = 0;
  for (const sdk::NamedTensor& tensor : tensors)
    values += tensor.value.numel();
  return values;
}

/// A protocol in a store is read as one in a file.
template <class Read>
study::Protocol read_as_file(const std::string& protocol, const Read& read) {
  const base::PrivateFolder scratch("petlab-study");
  const std::filesystem::path file = scratch.path() / "study.ini";
  base::write_file(file, protocol, {.durability = base::Durability::process});
  return read(file);
}

}  // namespace

results::RunRecord find_run(const results::RunStore& store, const std::string& prefix,
                            const std::string& cannot) {
  const auto found = store.find_runs(prefix);
  if (found.empty())
    base::throw_config_error(
        store.path().string() + " holds no run '" + prefix +
        "'; expected the beginning of an identity, as petlab plan and the report print it");
  if (found.size() > 1)
    base::throw_config_error("'" + prefix + "' begins " + std::to_string(found.size()) +
                             " runs of " + store.path().string() + "; give more of it");
  results::RunRecord run = *store.load(found.front());
  if (run.status != results::RunStatus::done)
    base::throw_config_error("run " + prefix + " failed (" + run.error + "); only finished runs " +
                             cannot);
  return run;
}

PlannedRun find_plan(const results::RunStore& store, const results::RunRecord& run) {
  for (const std::string& name : store.studies()) {
    const auto study = store.study(name);
    for (const results::PlannedRun& planned : study->plan)
      if (planned.hash == run.identity.hash) return {*study, planned};
  }
  base::throw_config_error(
      "no study of " + store.path().string() + " plans run " + base::short_hash(run.identity.hash) +
      ", so what it ran on is not known; run its study once more with this store");
}

study::Protocol protocol_of(const PlannedRun& planned, const Parsed& options) {
  return read_as_file(planned.study.protocol, [&](const std::filesystem::path& file) {
    return read_study({file}, options);
  });
}

study::Protocol stored_protocol(const std::string& protocol,
                                const std::vector<study::Setting>& overrides) {
  return read_as_file(protocol, [&](const std::filesystem::path& file) {
    return study::read_protocol(file, overrides);
  });
}

void describe_adapters(std::ostream& out, const engine::StoredAdapters& adapters,
                       const std::filesystem::path& file, std::int64_t bytes) {
  const engine::AdapterFacts& facts = adapters.facts;
  out << "run      " << facts.identity << "\nmethod   " << facts.method << ", plugin "
      << facts.plugin << " " << facts.plugin_version << ", sharing " << facts.sharing << ", seed "
      << facts.seed << ", " << facts.precision << "\nbackbone " << facts.backbone << ", weights "
      << base::short_hash(facts.backbone_weights) << "\ntexts    "
      << base::escaped(facts.text_template) << "\nfile     " << base::printable(file) << ", "
      << grouped_digits(bytes) << " bytes\nlicence  " << base::escaped(facts.licence)
      << "\noptions\n";
  for (const auto& [name, value] : facts.options)
    out << "    " << name << " = " << base::escaped(value) << "\n";
  for (std::size_t a = 0; a < adapters.adapters.size(); ++a) {
    const engine::StoredAdapter& adapter = adapters.adapters[a];
    std::vector<std::string> tasks;
    for (const std::size_t task : adapters.tasks_of(a))
      tasks.push_back(adapters.tasks[task].name);
    out << "adapter " << base::escaped(engine::owner_text(adapter.owner)) << ", of tasks "
        << base::escaped(base::joined(tasks)) << ": "
        << grouped_digits(values_of(adapter.parameters)) << " trained values\n";
    print_tensors(out, adapter.parameters);
    const std::vector<sdk::NamedTensor> made = made_tensors(adapter);
    if (made.empty()) continue;
    out << "  and what classifying needs besides them: " << grouped_digits(values_of(made))
        << " values\n";
    print_tensors(out, made);
  }
  for (const engine::StoredTask& task : adapters.tasks)
    out << "task " << base::escaped(task.name) << ": " << task.classes.size()
        << " classes: " << base::escaped(base::joined(task.classes)) << "\n";
}

}  // namespace petlab::app
