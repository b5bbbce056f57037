#include "planned_parts.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/engine/image_features.hpp"
#include "petlab/results/named_values.hpp"
#include "petlab/study/identity.hpp"

namespace petlab::study {

const std::string& identity_part(const results::RunIdentity& identity, const std::string& name) {
  if (const std::string* value = results::find_value(identity.parts, name)) return *value;
  throw base::Error(base::ErrorKind::internal, "the run's identity has no part '" + name + "'");
}

void check_unchanged(const std::string& what, const std::string& found,
                     const std::string& planned) {
  if (found != planned)
    throw base::Error(base::ErrorKind::data, what + " changed since the study was planned (" +
                                                 base::short_hash(found) + ", planned " +
                                                 base::short_hash(planned) + "); start it again");
}

std::string pictures_key(const engine::DatasetSpec& spec) {
  std::string key = spec.name + "\n" + spec.root.string() + "\n" + spec.lists.string() + "\n" +
                    spec.class_names.string() + "\n" +
                    (spec.leave_out_foreign ? "leave-out" : "refuse") + "\n" +
                    datasets::to_string(spec.classes);
  for (const std::string& domain : spec.domains)
    key += "\n" + domain;
  return key;
}

results::NamedValues planned_environment(const StudyFacts& facts, const SplitOf& split) {
  results::NamedValues environment = {{results::environment::kSources, host_source_state()},
                                      {results::environment::kPetlabVersion, program_version()}};
  if (const auto notes = facts.notes.find(split);
      notes != facts.notes.end() && !notes->second.empty())
    environment.emplace_back(results::environment::kDataNotes, base::joined(notes->second, "\n"));
  if (!facts.class_names.empty())
    environment.emplace_back(results::environment::kClassNames, facts.class_names);
  if (!facts.all_classes.empty())
    environment.emplace_back(results::environment::kAllClasses, facts.all_classes);
  return environment;
}

engine::FeatureStorePlace feature_place(const Job& job) {
  engine::FeatureStorePlace place;
  if (job.spec.feature_store) place.folder = job.spec.cache_dir / "features";
  for (const char* part : {"dataset.fingerprint", "backbone.weights", "backbone.settings",
                           "host.sources", "torch.version"})
    place.key += std::string(part) + " " + identity_part(job.identity, part) + "\n";
  return place;
}

}  // namespace petlab::study
