#include "method_parity.hpp"

#include "petlab/clip/safetensors.hpp"
#include "reference.hpp"

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>

namespace petlab::tests {
namespace {

constexpr double kTolerance = 1e-4;
/// Gradients of sums that cancel, as those of the keys' biases (whose true value is 0), are
/// rounding of their summands: a tensor whose values are all below this share of the step's largest
/// gradient is measured against that share. In fp32 both sides then agree to 1e-6 of the largest
/// gradient.
constexpr double kSmallGradient = 1e-2;
/// What parameters are moved by.
constexpr double kNoise = 0.05;

std::unique_ptr<MethodBench> moved_bench(const MethodCase& one) {
  auto bench = std::make_unique<MethodBench>(one);
  bench->move_parameters(kNoise);
  return bench;
}

std::string parameter_name(std::size_t adapter, const std::string& name) {
  return std::to_string(adapter) + "." + name;
}

void write_case(const MethodCase& one, const std::filesystem::path& folder) {
  const auto bench = moved_bench(one);
  const engine::Adapters& adapters = bench->adapters();
  std::vector<sdk::NamedTensor> inputs;
  for (std::size_t a = 0; a < adapters.parameters.size(); ++a)
    for (const sdk::NamedTensor& parameter : adapters.parameters[a])
      inputs.push_back({"adapter." + parameter_name(a, parameter.name), parameter.value.detach()});

  nlohmann::json tasks = nlohmann::json::array();
  for (std::size_t t = 0; t < bench_tasks().size(); ++t) {
    const engine::Task& task = bench_tasks()[t];
    tasks.push_back({{"name", task.name},
                     {"classes", task.classes},
                     {"adapters", adapters.arrangement.of_task[t]}});
    const BenchImages& images = bench_images(static_cast<std::int64_t>(t));
    inputs.push_back({"pixels." + std::to_string(t), images.pixels});
    inputs.push_back({"labels." + std::to_string(t), images.labels});
  }
  std::filesystem::create_directories(folder);
  clip::write_safetensors(inputs, folder / "inputs.safetensors");
  std::ofstream(folder / "case.json") << nlohmann::json{{"method", one.method},
                                                        {"options", bench->options().values()},
                                                        {"template", bench->text_template()},
                                                        {"adapters", adapters.adapters.size()},
                                                        {"tasks", tasks}};
}

}  // namespace

MethodFamily::MethodFamily(std::string name, std::vector<MethodCase> cases)
    : name_(std::move(name)), cases_(std::move(cases)) {}

void MethodFamily::run_reference() {
  if (!folder_.empty()) return;
  const auto folder = parity::fresh_folder("methods-" + name_ + "-" + program());
  for (const MethodCase& one : cases_)
    write_case(one, folder / one.name);
  parity::run_reference("../methods/reference/run.py",
                        {name_, bench_model().string(), folder.string()});
  folder_ = folder;
}

void MethodFamily::expect_step_equals_reference(const MethodCase& one) {
  run_reference();
  std::map<std::string, at::Tensor> expected;
  for (sdk::NamedTensor& tensor :
       clip::read_safetensors(folder_ / one.name / "expected.safetensors"))
    expected.emplace(tensor.name, tensor.value);

  const auto bench = moved_bench(one);
  const auto [logits, loss] = bench->step({0, 1, 2});
  double worst_logits = 0;
  for (std::size_t t = 0; t < logits.size(); ++t) {
    const at::Tensor& reference = expected.at("logits." + std::to_string(t));
    ASSERT_EQ(logits[t].sizes(), reference.sizes());
    const double difference = relative_difference(logits[t], reference);
    EXPECT_LE(difference, kTolerance) << "logits of task " << bench_tasks()[t].name;
    worst_logits = std::max(worst_logits, difference);
  }
  EXPECT_LE(relative_difference(loss, expected.at("loss")), kTolerance);

  double largest = 0;
  for (const auto& [name, value] : expected)
    if (name.starts_with("gradient."))
      largest = std::max(largest, value.abs().max().item<double>());
  if (loss.requires_grad()) loss.backward();
  double worst_gradient = 0;
  const auto& parameters = bench->adapters().parameters;
  for (std::size_t a = 0; a < parameters.size(); ++a) {
    for (const sdk::NamedTensor& parameter : parameters[a]) {
      const std::string name = parameter_name(a, parameter.name);
      const at::Tensor& reference = expected.at("gradient." + name);
      at::Tensor gradient = parameter.value.grad();
      if (!gradient.defined()) gradient = at::zeros_like(reference);
      const double difference = relative_difference(gradient, reference, kSmallGradient * largest);
      EXPECT_LE(difference, kTolerance) << "gradient of " << name;
      worst_gradient = std::max(worst_gradient, difference);
    }
  }
  std::cout << "  " << one.name << ": logits differ by " << worst_logits << ", gradients by "
            << worst_gradient << "\n";
}

}  // namespace petlab::tests
