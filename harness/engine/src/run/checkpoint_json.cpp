#include "run/checkpoint_json.hpp"

#include <utility>

namespace petlab::engine {
namespace {

using nlohmann::json;

template <class Value>
json optional_to_json(const std::optional<Value>& value) {
  return value ? json(*value) : json(nullptr);
}

template <class Value>
std::optional<Value> optional_from_json(const json& from) {
  return from.is_null() ? std::nullopt : std::optional<Value>(from.get<Value>());
}

json grouping_to_json(const results::GroupingRecord& grouping) {
  json runners_up = json::array();
  for (const results::ScoredPartition& next : grouping.runners_up)
    runners_up.push_back({{"partition", next.partition}, {"score", next.score}});
  return {{"strategy", grouping.strategy}, {"tasks", grouping.tasks},
          {"affinity", grouping.affinity}, {"partition", grouping.partition},
          {"score", grouping.score},       {"runners_up", std::move(runners_up)},
          {"seconds", grouping.seconds}};
}

results::GroupingRecord grouping_from_json(const json& from) {
  results::GroupingRecord grouping;
  from.at("strategy").get_to(grouping.strategy);
  from.at("tasks").get_to(grouping.tasks);
  from.at("affinity").get_to(grouping.affinity);
  from.at("partition").get_to(grouping.partition);
  from.at("score").get_to(grouping.score);
  from.at("seconds").get_to(grouping.seconds);
  for (const json& next : from.at("runners_up"))
    grouping.runners_up.push_back(
        {next.at("partition").get<results::Partition>(), next.at("score").get<double>()});
  return grouping;
}

json epoch_to_json(const results::EpochRecord& epoch) {
  return {{"epoch", epoch.epoch},     {"loss", epoch.loss},
          {"seconds", epoch.seconds}, {"learning_rate", epoch.learning_rate},
          {"phase", epoch.phase},     {"steps", epoch.steps},
          {"images", epoch.images}};
}

results::EpochRecord epoch_from_json(const json& from) {
  results::EpochRecord epoch;
  from.at("epoch").get_to(epoch.epoch);
  from.at("loss").get_to(epoch.loss);
  from.at("learning_rate").get_to(epoch.learning_rate);
  from.at("seconds").get_to(epoch.seconds);
  from.at("phase").get_to(epoch.phase);
  from.at("steps").get_to(epoch.steps);
  from.at("images").get_to(epoch.images);
  return epoch;
}

}  // namespace

json cost_to_json(const results::PhaseCost& cost) {
  return {{"phase", cost.phase},
          {"seconds", cost.seconds},
          {"images", cost.images},
          {"peak_host_bytes", cost.peak_host_bytes},
          {"peak_device_bytes", optional_to_json(cost.peak_device_bytes)},
          {"flops", optional_to_json(cost.flops)}};
}

results::PhaseCost cost_from_json(const json& from) {
  results::PhaseCost cost;
  from.at("phase").get_to(cost.phase);
  from.at("seconds").get_to(cost.seconds);
  from.at("images").get_to(cost.images);
  from.at("peak_host_bytes").get_to(cost.peak_host_bytes);
  cost.peak_device_bytes = optional_from_json<std::int64_t>(from.at("peak_device_bytes"));
  cost.flops = optional_from_json<double>(from.at("flops"));
  return cost;
}

json record_to_json(const results::RunRecord& record) {
  json costs = json::array();
  for (const results::PhaseCost& cost : record.costs)
    costs.push_back(cost_to_json(cost));
  json epochs = json::array();
  for (const results::EpochRecord& epoch : record.epochs)
    epochs.push_back(epoch_to_json(epoch));
  return {{"started", record.started},
          {"resumed", record.resumed},
          {"step_flops", optional_to_json(record.step_flops)},
          {"costs", std::move(costs)},
          {"epochs", std::move(epochs)},
          {"grouping", record.grouping ? grouping_to_json(*record.grouping) : json(nullptr)}};
}

void record_from_json(const json& from, results::RunRecord& record) {
  from.at("started").get_to(record.started);
  from.at("resumed").get_to(record.resumed);
  record.step_flops = optional_from_json<double>(from.at("step_flops"));
  for (const json& cost : from.at("costs"))
    record.costs.push_back(cost_from_json(cost));
  for (const json& epoch : from.at("epochs"))
    record.epochs.push_back(epoch_from_json(epoch));
  if (!from.at("grouping").is_null()) record.grouping = grouping_from_json(from.at("grouping"));
}

json position_to_json(const TrainingPosition& position) {
  return {{"epoch", position.epoch},         {"step", position.step},
          {"images", position.images},       {"loss_sum", position.loss_sum},
          {"last_loss", position.last_loss}, {"epoch_seconds", position.epoch_seconds}};
}

TrainingPosition position_from_json(const json& from) {
  TrainingPosition position;
  from.at("epoch").get_to(position.epoch);
  from.at("step").get_to(position.step);
  from.at("images").get_to(position.images);
  from.at("loss_sum").get_to(position.loss_sum);
  from.at("last_loss").get_to(position.last_loss);
  from.at("epoch_seconds").get_to(position.epoch_seconds);
  return position;
}

}  // namespace petlab::engine
