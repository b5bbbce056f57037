#include "run/keep_adapters.hpp"

#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/engine/stored_adapters.hpp"

#include <filesystem>

namespace petlab::engine {
namespace {

std::string licence_note(const RunInputs& inputs, const results::RunRecord& record) {
  return "Trained by petlab with plugin " + record.plugin + " (" +
         (inputs.method_licence.empty() ? "licence not said" : inputs.method_licence) +
         "). What is trained from a backbone and images may be bound by their licences: see "
         "those "
         "of '" +
         record.backbone + "' and of the data set.";
}

[[noreturn]] void refuse(const base::Error& error) {
  throw base::Error(base::ErrorKind::store,
                    "its adapters cannot be kept: " + std::string(error.what()) +
                        " (--no-adapters leaves them out)");
}

}  // namespace

AdapterKeeper::AdapterKeeper(const AdapterPlace& place) : place_(place) {
  if (place_.file.empty()) return;
  try {
    const base::AtomicFile draft(place_.file, {.make_folders = true});
  } catch (const base::Error& error) {
    refuse(error);
  }
}

void AdapterKeeper::keep(const Adapters& adapters, const RunInputs& inputs,
                         const std::string& text_template, results::RunRecord& record,
                         FailureContext& where) const {
  if (place_.file.empty()) return;
  const StoredAdapters stored =
      take_adapters(adapters, inputs.tasks, inputs.method->task_dependent,
                    {.identity = record.identity.hash,
                     .method = record.method,
                     .plugin = record.plugin,
                     .plugin_version = record.plugin_version,
                     .options = record.options,
                     .sharing = record.sharing,
                     .seed = record.seed,
                     .text_template = text_template,
                     .precision = record.precision,
                     .backbone = record.backbone,
                     .backbone_weights = record.frozen_hash_after,
                     .backbone_settings = inputs.backbone->settings_hash(),
                     .licence = licence_note(inputs, record)},
                    where);
  const auto write = [&] { write_adapters(stored, place_.file); };
  try {
    if (place_.write_when_possible)
      place_.write_when_possible(write);
    else
      write();
    record.adapters_hash = base::sha256_of_file(place_.file);
    record.adapters_bytes = static_cast<std::int64_t>(std::filesystem::file_size(place_.file));
  } catch (const base::Error& error) {
    refuse(error);
  }
}

}  // namespace petlab::engine
