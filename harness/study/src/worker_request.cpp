#include "petlab/base/error.hpp"
#include "petlab/engine/setting_table.hpp"
#include "petlab/study/worker.hpp"

#include <nlohmann/json.hpp>

// Job as JSON. Settings are written as the texts of their table, which read back as the same
// values.
namespace petlab::study {
namespace {

using nlohmann::json;

/// The table's settings by their keys, as texts.
json settings_json(const engine::RunSettings& settings) {
  json texts = json::object();
  for (const engine::SettingEntry& entry : engine::setting_table()) {
    const std::string text = entry.text(settings);
    if (!text.empty() && !(entry.is_optional && entry.is_default(settings)))
      texts[entry.key()] = text;
  }
  return texts;
}

void take_settings(engine::RunSettings& settings, const json& j) {
  const auto& texts = j.at("settings");
  const std::string base = j.at("split_base").get<std::string>();
  for (const engine::SettingEntry& entry : engine::setting_table())
    if (const auto text = texts.find(entry.key()); text != texts.end())
      entry.take(settings, {entry.key(), text->get<std::string>(), "the worker request", base});
}

json spec_json(const engine::RunSpec& s) {
  json j = {{"study", s.study},
            {"label", s.label},
            {"row", s.row},
            {"method", s.method},
            {"method_options", s.method_options},
            {"sharing", to_string(s.sharing)},
            {"seed", s.seed},
            {"settings", settings_json(s)},
            {"split_base", s.dataset.split_base.string()},
            {"cache_dir", s.cache_dir.string()},
            {"feature_store", s.feature_store},
            {"keep_adapters", s.keep_adapters},
            {"threads", s.threads},
            {"checkpoint_seconds", s.checkpoint_seconds}};
  if (s.grouping)
    j["grouping"] = {{"strategy", s.grouping->strategy}, {"options", s.grouping->options}};
  return j;
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
  take_settings(s, j);
  s.cache_dir = j.at("cache_dir").get<std::string>();
  j.at("feature_store").get_to(s.feature_store);
  j.at("keep_adapters").get_to(s.keep_adapters);
  j.at("threads").get_to(s.threads);
  j.at("checkpoint_seconds").get_to(s.checkpoint_seconds);
  if (j.contains("grouping"))
    s.grouping =
        engine::GroupingSpec{j["grouping"].at("strategy").get<std::string>(),
                             j["grouping"].at("options").get<std::map<std::string, std::string>>()};
  return s;
}

}  // namespace

std::string to_json(const WorkerRequest& order) {
  std::vector<std::string> files;
  for (const auto& file : order.job.plugin_files)
    files.push_back(file.string());
  json j = {{"spec", spec_json(order.job.spec)},
            {"identity", {{"hash", order.job.identity.hash}, {"parts", order.job.identity.parts}}},
            {"plugin", order.job.plugin},
            {"plugin_version", order.job.plugin_version},
            {"plugin_files", files},
            {"environment", order.job.environment},
            {"manifest",
             {{"train", order.job.manifest.train.string()},
              {"test", order.job.manifest.test.string()},
              {"train_hash", order.job.manifest.train_hash},
              {"test_hash", order.job.manifest.test_hash}}},
            {"store", order.store.string()},
            {"store_file", {order.store_file.device, order.store_file.inode}},
            {"parent", order.parent}};
  if (order.detached)
    j["detached"] = {{"checkpoints", order.detached->checkpoints.string()},
                     {"features", order.detached->features.string()}};
  if (order.ranks.size > 1)
    j["ranks"] = {{"rank", order.ranks.rank},
                  {"size", order.ranks.size},
                  {"address", order.ranks.address},
                  {"port", order.ranks.port},
                  {"key", order.ranks.key}};
  return j.dump();
}

WorkerRequest parse_worker_request(const std::string& text) {
  try {
    const json j = json::parse(text);
    WorkerRequest order;
    order.job.spec = parse_spec(j.at("spec"));
    j.at("identity").at("hash").get_to(order.job.identity.hash);
    j.at("identity").at("parts").get_to(order.job.identity.parts);
    j.at("plugin").get_to(order.job.plugin);
    j.at("plugin_version").get_to(order.job.plugin_version);
    for (const auto& file : j.at("plugin_files"))
      order.job.plugin_files.emplace_back(file.get<std::string>());
    j.at("environment").get_to(order.job.environment);
    const json& manifest = j.at("manifest");
    order.job.manifest = {
        manifest.at("train").get<std::string>(), manifest.at("test").get<std::string>(),
        manifest.at("train_hash").get<std::string>(), manifest.at("test_hash").get<std::string>()};
    order.store = j.at("store").get<std::string>();
    j.at("store_file").at(0).get_to(order.store_file.device);
    j.at("store_file").at(1).get_to(order.store_file.inode);
    j.at("parent").get_to(order.parent);
    if (j.contains("detached"))
      order.detached = DetachedRun{j["detached"].at("checkpoints").get<std::string>(),
                                   j["detached"].at("features").get<std::string>()};
    if (j.contains("ranks"))
      order.ranks = {j["ranks"].at("rank").get<int>(), j["ranks"].at("size").get<int>(),
                     j["ranks"].at("address").get<std::string>(),
                     j["ranks"].at("port").get<std::uint16_t>(),
                     j["ranks"].at("key").get<std::string>()};
    return order;
  } catch (const json::exception& error) {
    throw base::Error(base::ErrorKind::internal,
                      std::string("standard input holds no worker request: ") + error.what());
  }
}

}  // namespace petlab::study
