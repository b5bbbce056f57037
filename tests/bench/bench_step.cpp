// One run of petlab that stops between steps, for the benchmark beside Python peers:
//
//   bench_step SPEC.json
//
// A spec (works.py writes it) names method, tasks and sizes. The run is engine::execute_run() as a
// worker executes it; only where progress is reported the process waits for a line on standard
// input:
//
//   go N     goes on for N steps of training, or until N more test images are classified
//   flops    counts the operations of the next step
//   save F   writes the parameters to F (safetensors)
//   quit
//
// and answers each with a line of JSON. Before the first step it writes the parameters that the run
// starts from and its texts' tokens into the spec's file "start": the peers start from the same.
#include "petlab/base/error.hpp"
#include "petlab/clip/safetensors.hpp"
#include "petlab/engine/flop_counter.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/engine/setting_values.hpp"
#include "petlab/engine/sharing.hpp"
#include "petlab/kernels/cpu_level.hpp"
#include "petlab/kernels/threads.hpp"
#include "petlab/sdk/plugin.hpp"
#include "petlab/study/plugin_loader.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <nlohmann/json.hpp>
#include <torch/version.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace petlab::bench {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

void answer(const Json& json) {
  std::cout << json.dump() << std::endl;
}

/// VmHWM of this process in bytes.
std::int64_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoll(line.substr(6)) * 1024;
  return 0;
}

/// A method that remembers the parameters of the adapters it makes.
class Watched final : public sdk::Method {
 public:
  static inline sdk::MethodFactory inner = nullptr;
  static inline std::vector<std::vector<sdk::NamedTensor>> adapters;  ///< one list an adapter
  static inline std::string text_of_classes;

  explicit Watched(const sdk::Options& options) : method_(inner(options)) {
    text_of_classes = method_->text_template();
  }

  [[nodiscard]] std::string text_template() const override { return method_->text_template(); }
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override {
    auto adapter = method_->make_adapter(context);
    adapters.push_back(adapter->parameters());
    return adapter;
  }

 private:
  std::unique_ptr<sdk::Method> method_;
};

/// The parameters of at most `limit` values as they are now, "0.source": `source` of the first
/// adapter.
std::vector<sdk::NamedTensor> parameters_now(std::int64_t limit) {
  std::vector<sdk::NamedTensor> result;
  for (std::size_t i = 0; i < Watched::adapters.size(); ++i)
    for (const sdk::NamedTensor& one : Watched::adapters[i])
      if (one.value.numel() <= limit)
        result.push_back({std::to_string(i) + "." + one.name, one.value.detach().clone()});
  return result;
}

/// Waits for commands wherever a run reports that a step, or a batch of test images, is done.
class Commands final : public engine::Progress {
 public:
  Commands(Json spec, const clip::Backbone& backbone)
      : spec_(std::move(spec)), backbone_(backbone), phase_("start") {}

  void begin(std::string_view phase, std::int64_t) override {
    phase_ = phase;
    if (phase_ != spec_.at("phase").get<std::string>()) return;
    write_start();
    const engine::Arrangement arrangement =
        engine::arrange(engine::parse_sharing(spec_.at("sharing")), spec_.at("tasks"),
                        spec_.at("partition").get<sdk::Partition>());
    answer({{"ready", true},
            {"torch", TORCH_VERSION},
            {"threads", at::get_num_threads()},
            {"of_task", arrangement.of_task}});
    done_ = 0;
    wait(0);
  }

  void update(std::int64_t done, std::string_view detail) override {
    if (phase_ != spec_.at("phase").get<std::string>()) return;
    if (counting_.has_value()) {
      counting_.reset();
      answer({{"flops", flops_}});
      wait(done);
      return;
    }
    if (done < until_) return;
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    const std::size_t loss = detail.rfind("loss ");
    Json line = {{"seconds", seconds}, {"done", done - done_}, {"peak_bytes", peak_bytes()}};
    if (loss != std::string_view::npos)
      line["loss"] = std::stod(std::string(detail.substr(loss + 5)));
    answer(line);
    wait(done);
  }

  void note(std::string_view text) override { std::cerr << "bench_step: " << text << "\n"; }

 private:
  /// Returns when the run is to go on.
  void wait(std::int64_t done) {
    std::string command;
    while (std::cin >> command) {
      if (command == "go") {
        std::int64_t n = 0;
        std::cin >> n;
        done_ = done;
        until_ = done + n;
        start_ = Clock::now();
        return;
      }
      if (command == "flops") {
        counting_.emplace(flops_);
        return;
      }
      if (command == "save") {
        std::string file;
        std::cin >> file;
        clip::write_safetensors(parameters_now(limit()), file);
        answer({{"saved", file}});
      } else {
        break;
      }
    }
    std::cout.flush();
    std::_Exit(0);  // in the middle of a run, on purpose
  }

  /// Full fine-tuning has whole weights as parameters: large ones are left out of the files.
  [[nodiscard]] std::int64_t limit() const {
    return spec_.value("save_limit", std::numeric_limits<std::int64_t>::max());
  }

  void write_start() const {
    std::vector<sdk::NamedTensor> tensors = parameters_now(limit());
    std::vector<std::string> texts;
    for (const Json& name : spec_.at("classes")) {
      std::string text = Watched::text_of_classes;
      texts.push_back(text.replace(text.find("{}"), 2, name.get<std::string>()));
    }
    const auto tokens = backbone_.tokenizer().encode_batch(texts, backbone_.shape().context_length);
    tensors.push_back({"tokens.ids", tokens.ids});
    tensors.push_back({"tokens.eot", tokens.eot});
    clip::write_safetensors(tensors, spec_.at("start").get<std::string>());
  }

  Json spec_;
  const clip::Backbone& backbone_;
  std::string phase_;
  std::int64_t done_ = 0;
  std::int64_t until_ = 0;
  Clock::time_point start_;
  double flops_ = 0.0;
  std::optional<engine::FlopScope> counting_;
};

std::map<std::string, std::string> resolved(const sdk::OptionSpec* options, std::uint64_t count,
                                            const Json& given, const std::string& owner) {
  return sdk::Options({options, count}, given.get<std::map<std::string, std::string>>(), owner)
      .values();
}

/// Pictures [tasks, n, 3, S, S] uint8 and labels [tasks, n] int64 of the spec's file.
engine::LabelledImages images_of(const std::vector<sdk::NamedTensor>& pictures, std::int64_t task,
                                 std::int64_t count) {
  const auto named = [&](const std::string& name) {
    for (const sdk::NamedTensor& tensor : pictures)
      if (tensor.name == name) return tensor.value[task].contiguous();
    throw base::Error(base::ErrorKind::data, "the file of pictures has no " + name);
  };
  engine::LabelledImages result;
  result.images = named("pixels");
  const at::Tensor labels = named("labels");
  const std::int64_t kept = result.images.size(0);
  // More test images than pictures: the same ones again.
  for (std::int64_t i = 0; i < count; ++i) {
    result.rows.push_back(i % kept);
    result.labels.push_back(labels.const_data_ptr<std::int64_t>()[i % kept]);
  }
  return result;
}

/// The value of an enumeration by its name.
template <class Enum>
Enum value(const Json& spec, const char* key) {
  return engine::choice_value<Enum>({key, spec.at(key).get<std::string>(), "", ""});
}

engine::RunSpec run_spec(const Json& spec) {
  engine::RunSpec run;
  run.study = "bench";
  run.label = spec.at("name");
  run.method = spec.at("method");
  run.sharing = engine::parse_sharing(spec.at("sharing"));
  run.threads = spec.at("threads");
  run.backbone = spec.at("model").get<std::string>();
  run.cache_dir = spec.value("cache", "");
  run.checkpoint_seconds = 1e9;
  run.training.epochs = spec.at("epochs");
  run.training.batch = spec.at("batch");
  run.training.optimizer = value<engine::OptimizerKind>(spec, "optimizer");
  run.training.learning_rate = spec.at("learning_rate");
  run.training.weight_decay = spec.at("weight_decay");
  run.training.momentum = spec.at("momentum");
  run.training.schedule = engine::Schedule::constant;
  run.training.warmup_epochs = 0;
  run.training.precision = value<engine::Precision>(spec, "precision");
  return run;
}

void run(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw base::Error(base::ErrorKind::config, "cannot read " + file);
  const Json spec = Json::parse(in);
  petlab::kernels::set_threads(spec.at("threads"));
  const study::PluginRegistry plugins(
      {.folders = {std::filesystem::path(PETLAB_BINARY_DIR) / "lib" / "petlab"}, .files = {}});
  const study::MethodRef method = plugins.method(spec.at("method"));
  sdk::MethodEntry watched = *method.entry;
  Watched::inner = watched.make;
  watched.make = sdk::make_entry<sdk::Method, Watched>;

  engine::RunSpec run = run_spec(spec);
  run.method_options =
      resolved(watched.options, watched.option_count, spec.at("options"), "method");
  engine::RunInputs inputs;
  inputs.method = &watched;
  if (engine::has_groups(run.sharing)) {
    const study::GroupingRef grouping = plugins.grouping("given");
    run.grouping = engine::GroupingSpec{
        "given", resolved(grouping.entry->options, grouping.entry->option_count,
                          Json{{"groups", spec.at("groups")}}, "grouping")};
    inputs.grouping = grouping.entry;
  }
  inputs.backbone = clip::Backbone::load(run.backbone);
  const auto pictures = clip::read_safetensors(spec.at("pictures").get<std::string>());
  const std::vector<std::string> tasks = spec.at("tasks");
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    inputs.tasks.push_back({tasks[t], spec.at("classes"),
                            images_of(pictures, static_cast<std::int64_t>(t), run.training.batch)});
  }
  inputs.load_test = [&] {
    std::vector<engine::LabelledImages> test;
    for (std::size_t t = 0; t < tasks.size(); ++t)
      test.push_back(images_of(pictures, static_cast<std::int64_t>(t), spec.at("test_images")));
    return test;
  };
  Commands commands(spec, *inputs.backbone);
  const results::RunRecord record = engine::execute_run(run, {}, inputs, commands);
  answer({{"over", true}, {"epochs", record.epochs.size()}});
}

}  // namespace
}  // namespace petlab::bench

int main(int argc, char** argv) {
  try {
    const petlab::kernels::CpuLevel level = petlab::kernels::cpu_level();
    if (argc != 2) {
      throw petlab::base::Error(petlab::base::ErrorKind::config,
                                "usage: bench_step SPEC.json, or bench_step --cpu-level");
    }
    if (std::string_view(argv[1]) == "--cpu-level") {
      // The level, and how the peers are held to it.
      nlohmann::json answer = {{"level", to_string(level)},
                               {"environment", nlohmann::json::object()}};
      if (level != petlab::kernels::machine_cpu_level())
        for (const auto& [name, value] : petlab::kernels::environment_of(level))
          answer["environment"][name] = value;
      std::cout << answer << "\n";
      return 0;
    }
    petlab::bench::run(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_step: " << error.what() << "\n";
    return 1;
  }
}
