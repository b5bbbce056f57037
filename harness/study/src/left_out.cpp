#include "petlab/study/left_out.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/base/text.hpp"
#include "petlab/engine/tasks.hpp"
#include "petlab/results/study_name.hpp"
#include "petlab/study/study_facts.hpp"

#include <algorithm>
#include <string>

namespace petlab::study {
namespace {

constexpr const char* kEach = "each";

Protocol without(Protocol study, const std::string& domain, const std::vector<std::string>& all) {
  study.dataset.leave_out = domain;
  study.dataset.domains = all;
  std::erase(study.dataset.domains, domain);
  // In front of what names a variant.
  study.name.insert(results::base_study(study.name).size(), "/without-" + domain);
  return study;
}

}  // namespace

std::vector<Protocol> left_out_studies(const Protocol& protocol) {
  const engine::DatasetSpec& dataset = protocol.dataset;
  // A plan that is read back names the other domains.
  const std::vector<std::string>& named = dataset.domains;
  const bool is_one_of_them =
      !named.empty() && dataset.leave_out != kEach &&
      std::find(named.begin(), named.end(), dataset.leave_out) == named.end();
  if (dataset.leave_out.empty() || is_one_of_them) return {protocol};
  const std::vector<std::string> all = engine::names_of(study_tasks(dataset));
  const auto said = protocol.origins.find("dataset.leave-out");
  const std::string where = said == protocol.origins.end() ? "" : said->second + ": ";
  if (all.size() < 2)
    base::throw_config_error(where + "leave-out needs at least two domains, the data set has " +
                             base::joined(all));
  std::vector<Protocol> studies;
  for (const std::string& domain : all)
    if (dataset.leave_out == kEach || dataset.leave_out == domain)
      studies.push_back(without(protocol, domain, all));
  if (studies.empty())
    base::throw_config_error(where + "the data set has no domain '" + dataset.leave_out + "'" +
                             base::did_you_mean(dataset.leave_out, all) + "; it has " +
                             base::joined(all) + "; each leaves out one after the other");
  return studies;
}

}  // namespace petlab::study
