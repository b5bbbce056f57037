#include "petlab/engine/sharing.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/engine/adapter_checks.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/engine/seeds.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <set>
#include <unordered_set>
#include <utility>

namespace petlab::engine {
namespace {

bool composes(Sharing sharing) {
  return sharing == Sharing::grouped_specific || sharing == Sharing::joint_specific;
}

std::string group_name(const std::vector<std::int64_t>& group,
                       const std::vector<std::string>& tasks) {
  std::string name;
  for (const std::int64_t task : group) {
    name += (name.empty() ? "" : "+") + tasks.at(static_cast<std::size_t>(task));
  }
  return name;
}

/// What one owner's adapter is made for.
class OwnerContext final : public sdk::AdapterContext {
 public:
  OwnerContext(const AdapterSource& source, const Arrangement& arrangement, std::size_t owner,
               at::Generator generator)
      : source_(source), generator_(std::move(generator)) {
    for (std::size_t t = 0; t < source.tasks.size(); ++t) {
      const auto& composed = arrangement.of_task.at(t);
      for (std::size_t place = 0; place < composed.size(); ++place) {
        if (composed[place] != owner) continue;
        place_ = static_cast<std::int64_t>(place);
        places_.push_back(t);
        tasks_.push_back({source.tasks[t].name, source.tasks[t].classes});
      }
    }
  }

  [[nodiscard]] const sdk::BackboneView& backbone() const override { return source_.backbone; }
  [[nodiscard]] at::Generator& generator() const override { return generator_; }
  [[nodiscard]] std::int64_t place() const override { return place_; }
  [[nodiscard]] const std::vector<sdk::TaskView>& tasks() const override { return tasks_; }
  [[nodiscard]] sdk::LabelledFeatures training_features(std::int64_t task) const override {
    return source_.training_features(places_.at(static_cast<std::size_t>(task)));
  }

 private:
  const AdapterSource& source_;
  mutable at::Generator generator_;
  std::int64_t place_ = 0;
  std::vector<sdk::TaskView> tasks_;
  std::vector<std::size_t> places_;  ///< of tasks_ among the run's tasks
};

/// visit(owner, parameter) for each parameter, a tensor that several adapters have at the first.
template <typename Visit>
void visit_trainable(const Adapters& adapters, const Visit& visit) {
  std::unordered_set<const c10::TensorImpl*> seen;
  for (std::size_t a = 0; a < adapters.parameters.size(); ++a)
    for (const sdk::NamedTensor& parameter : adapters.parameters[a])
      if (seen.insert(parameter.value.unsafeGetTensorImpl()).second)
        visit(adapters.arrangement.owners[a], parameter);
}

}  // namespace

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::shared:
      return "shared";
    case Scope::group:
      return "group";
    case Scope::task:
      return "task";
  }
  return "";
}

bool has_groups(Sharing sharing) {
  return sharing == Sharing::grouped || sharing == Sharing::grouped_specific;
}

void check_sharing(const sdk::MethodEntry& method, Sharing sharing) {
  if (composes(sharing) && !method.composable) {
    throw base::Error(base::ErrorKind::config,
                      "method '" + std::string(method.name) + "' cannot be used with sharing '" +
                          to_string(sharing) + "': two of its adapters cannot be composed");
  }
}

Arrangement arrange(Sharing sharing, const std::vector<std::string>& tasks,
                    const sdk::Partition& partition) {
  Arrangement result;
  result.of_task.resize(tasks.size());
  if (sharing == Sharing::joint || sharing == Sharing::joint_specific) {
    result.owners.push_back({Scope::shared, "", ""});
    for (auto& used : result.of_task)
      used.push_back(0);
  }
  if (has_groups(sharing)) {
    for (const auto& group : partition) {
      for (const std::int64_t task : group) {
        result.of_task.at(static_cast<std::size_t>(task)).push_back(result.owners.size());
      }
      const std::size_t number = result.owners.size() + 1;
      result.owners.push_back({Scope::group, group_name(group, tasks), std::to_string(number)});
    }
  }
  if (sharing == Sharing::per_task || composes(sharing)) {
    for (std::size_t task = 0; task < tasks.size(); ++task) {
      result.of_task[task].push_back(result.owners.size());
      result.owners.push_back({Scope::task, tasks[task], tasks[task]});
    }
  }
  return result;
}

std::vector<at::Tensor> Adapters::trainable() const {
  std::vector<at::Tensor> result;
  visit_trainable(*this, [&](const Owner&, const sdk::NamedTensor& parameter) {
    result.push_back(parameter.value);
  });
  return result;
}

std::vector<double> Adapters::rate_factors(const Training& training) const {
  std::vector<double> result;
  std::set<std::string> unused, names;
  for (const auto& [pattern, factor] : training.rate_by_parameter)
    unused.insert(pattern);
  visit_trainable(*this, [&](const Owner& owner, const sdk::NamedTensor& parameter) {
    double factor = 1.0;
    if (const auto scope = training.rate_by_scope.find(std::string(to_string(owner.scope)));
        scope != training.rate_by_scope.end())
      factor *= scope->second;
    for (const auto& [pattern, of_pattern] : training.rate_by_parameter) {
      if (fnmatch(pattern.c_str(), parameter.name.c_str(), 0) != 0) continue;
      factor *= of_pattern;
      unused.erase(pattern);
    }
    names.insert(parameter.name);
    result.push_back(factor);
  });
  if (!unused.empty() && !names.empty())
    throw base::Error(base::ErrorKind::config,
                      "rate-by-parameter has '" + *unused.begin() +
                          "', which fits none of the adapters' parameters: " +
                          base::joined({names.begin(), names.end()}));
  return result;
}

Adapters make_adapters(const sdk::Method& method, const std::string& method_name,
                       const AdapterSource& source, Arrangement arrangement, std::uint64_t seed,
                       FailureContext& where) {
  const AdapterChecks checks(method_name, source.backbone);
  Adapters result;
  for (std::size_t o = 0; o < arrangement.owners.size(); ++o) {
    const Owner& owner = arrangement.owners[o];
    const OwnerContext context(source, arrangement, o,
                               at::detail::createCPUGenerator(derive_seed(
                                   seed, {"adapter", to_string(owner.scope), owner.seed_name})));
    auto adapter = where.in_plugin("make_adapter()", [&] { return method.make_adapter(context); });
    if (adapter == nullptr) {
      throw base::Error(base::ErrorKind::plugin, "method '" + method_name + "' made no adapter");
    }
    auto parameters = where.in_plugin("parameters()", [&] { return adapter->parameters(); });
    checks.check_parameters(parameters);
    result.adapters.push_back(std::move(adapter));
    result.parameters.push_back(std::move(parameters));
  }
  result.arrangement = std::move(arrangement);
  return result;
}

void check_same_parameters(const Adapters& adapters, const std::string& method_name,
                           FailureContext& where) {
  for (std::size_t a = 0; a < adapters.adapters.size(); ++a) {
    const auto now =
        where.in_plugin("parameters()", [&] { return adapters.adapters[a]->parameters(); });
    const std::vector<sdk::NamedTensor>& first = adapters.parameters[a];
    const bool is_same =
        std::equal(first.begin(), first.end(), now.begin(), now.end(),
                   [](const sdk::NamedTensor& one, const sdk::NamedTensor& other) {
                     return one.name == other.name && one.value.is_same(other.value);
                   });
    if (!is_same)
      throw base::Error(base::ErrorKind::plugin,
                        "method '" + method_name +
                            "' has other parameters than when its adapters were made, which are "
                            "the ones that are trained");
  }
}

}  // namespace petlab::engine
