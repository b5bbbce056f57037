#include "petlab/base/error.hpp"
#include "petlab/study/protocol.hpp"
#include "petlab/study/worker.hpp"

#include <nlohmann/json.hpp>

// Job as JSON. Numbers that decide a result are written as JSON numbers, which nlohmann prints so
// that they read back as the same double.
namespace petlab::study {
namespace {

using nlohmann::json;

json training_json(const engine::Training& t) {
  return {{"epochs", t.epochs},
          {"batch", t.batch},
          {"optimizer", t.optimizer},
          {"learning_rate", t.learning_rate},
          {"weight_decay", t.weight_decay},
          {"momentum", t.momentum},
          {"schedule", static_cast<int>(t.schedule)},
          {"warmup_epochs", t.warmup_epochs},
          {"warmup_learning_rate", t.warmup_learning_rate},
          {"augmentation", static_cast<int>(t.augmentation)},
          {"task_loss", static_cast<int>(t.task_loss)},
          {"precision", t.precision}};
}

engine::Training parse_training(const json& j) {
  engine::Training t;
  j.at("epochs").get_to(t.epochs);
  j.at("batch").get_to(t.batch);
  j.at("optimizer").get_to(t.optimizer);
  j.at("learning_rate").get_to(t.learning_rate);
  j.at("weight_decay").get_to(t.weight_decay);
  j.at("momentum").get_to(t.momentum);
  t.schedule = static_cast<engine::Schedule>(j.at("schedule").get<int>());
  j.at("warmup_epochs").get_to(t.warmup_epochs);
  j.at("warmup_learning_rate").get_to(t.warmup_learning_rate);
  t.augmentation = static_cast<engine::Augmentation>(j.at("augmentation").get<int>());
  t.task_loss = static_cast<engine::TaskLoss>(j.at("task_loss").get<int>());
  j.at("precision").get_to(t.precision);
  return t;
}

json spec_json(const engine::RunSpec& s) {
  json j = {{"study", s.study},
            {"label", s.label},
            {"row", s.row},
            {"method", s.method},
            {"method_options", s.method_options},
            {"sharing", to_string(s.sharing)},
            {"seed", s.seed},
            {"training", training_json(s.training)},
            {"dataset",
             {{"name", s.dataset.name},
              {"root", s.dataset.root.string()},
              {"domains", s.dataset.domains},
              {"lists", s.dataset.lists.string()},
              {"split", s.dataset.split},
              {"train_fraction", s.dataset.train_fraction},
              {"train_shots", s.dataset.train_shots},
              {"split_list", s.dataset.split_list},
              {"split_base", s.dataset.split_base.string()},
              {"validation_fraction", s.dataset.validation_fraction},
              {"validation_shots", s.dataset.validation_shots},
              {"validation_list", s.dataset.validation_list}}},
            {"backbone", s.backbone.string()},
            {"allow_unknown_weights", s.allow_unknown_weights},
            {"device", s.device},
            {"cache_dir", s.cache_dir.string()},
            {"feature_store", s.feature_store},
            {"threads", s.threads},
            {"checkpoint_seconds", s.checkpoint_seconds}};
  if (s.grouping)
    j["grouping"] = {{"strategy", s.grouping->strategy}, {"options", s.grouping->options}};
  return j;
}

engine::DatasetSpec parse_dataset(const json& j) {
  engine::DatasetSpec d;
  j.at("name").get_to(d.name);
  d.root = j.at("root").get<std::string>();
  j.at("domains").get_to(d.domains);
  d.lists = j.at("lists").get<std::string>();
  j.at("split").get_to(d.split);
  j.at("train_fraction").get_to(d.train_fraction);
  j.at("train_shots").get_to(d.train_shots);
  j.at("split_list").get_to(d.split_list);
  d.split_base = j.at("split_base").get<std::string>();
  j.at("validation_fraction").get_to(d.validation_fraction);
  j.at("validation_shots").get_to(d.validation_shots);
  j.at("validation_list").get_to(d.validation_list);
  return d;
}

engine::RunSpec parse_spec(const json& j) {
  engine::RunSpec s;
  j.at("study").get_to(s.study);
  j.at("label").get_to(s.label);
  j.at("row").get_to(s.row);
  j.at("method").get_to(s.method);
  j.at("method_options").get_to(s.method_options);
  s.sharing = engine::parse_sharing(j.at("sharing").get<std::string>());
  j.at("seed").get_to(s.seed);
  s.training = parse_training(j.at("training"));
  s.dataset = parse_dataset(j.at("dataset"));
  s.backbone = j.at("backbone").get<std::string>();
  j.at("allow_unknown_weights").get_to(s.allow_unknown_weights);
  j.at("device").get_to(s.device);
  s.cache_dir = j.at("cache_dir").get<std::string>();
  j.at("feature_store").get_to(s.feature_store);
  j.at("threads").get_to(s.threads);
  j.at("checkpoint_seconds").get_to(s.checkpoint_seconds);
  if (j.contains("grouping"))
    s.grouping =
        engine::GroupingSpec{j["grouping"].at("strategy").get<std::string>(),
                             j["grouping"].at("options").get<std::map<std::string, std::string>>()};
  return s;
}

}  // namespace

std::string to_json(const WorkOrder& order) {
  std::vector<std::string> files;
  for (const auto& file : order.job.plugin_files)
    files.push_back(file.string());
  const json j = {
      {"spec", spec_json(order.job.spec)},
      {"identity", {{"hash", order.job.identity.hash}, {"parts", order.job.identity.parts}}},
      {"plugin", order.job.plugin},
      {"plugin_version", order.job.plugin_version},
      {"plugin_files", files},
      {"environment", order.job.environment},
      {"sheets",
       {{"train", order.job.sheets.train.string()},
        {"test", order.job.sheets.test.string()},
        {"train_hash", order.job.sheets.train_hash},
        {"test_hash", order.job.sheets.test_hash}}},
      {"store", order.store.string()},
      {"parent", order.parent}};
  return j.dump();
}

WorkOrder parse_work_order(const std::string& text) {
  try {
    const json j = json::parse(text);
    WorkOrder order;
    order.job.spec = parse_spec(j.at("spec"));
    j.at("identity").at("hash").get_to(order.job.identity.hash);
    j.at("identity").at("parts").get_to(order.job.identity.parts);
    j.at("plugin").get_to(order.job.plugin);
    j.at("plugin_version").get_to(order.job.plugin_version);
    for (const auto& file : j.at("plugin_files"))
      order.job.plugin_files.emplace_back(file.get<std::string>());
    j.at("environment").get_to(order.job.environment);
    const json& sheets = j.at("sheets");
    order.job.sheets = {sheets.at("train").get<std::string>(), sheets.at("test").get<std::string>(),
                        sheets.at("train_hash").get<std::string>(),
                        sheets.at("test_hash").get<std::string>()};
    order.store = j.at("store").get<std::string>();
    j.at("parent").get_to(order.parent);
    return order;
  } catch (const json::exception& error) {
    throw base::Error(base::ErrorKind::internal,
                      std::string("standard input holds no work order: ") + error.what());
  }
}

}  // namespace petlab::study
