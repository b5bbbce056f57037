#include "tiny_world.hpp"

#include "petlab/engine/seeds.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace petlab::engine::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kImageSize = 16;
constexpr std::int64_t kTokens = 2;

enum class Towers { text, vision, both };

template <Towers towers>
class Prompts final : public sdk::Method {
 public:
  [[nodiscard]] std::string text_template() const override { return "a photo of a {}."; }
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override {
    const sdk::BackboneView& backbone = context.backbone();
    at::Generator& generator = context.generator();
    return std::make_unique<DeepPrompts>(backbone.shape(), generator);
  }

 private:
  class DeepPrompts final : public sdk::Adapter {
   public:
    DeepPrompts(const sdk::BackboneShape& shape, at::Generator& generator) {
      const auto draw = [&generator](const sdk::TowerShape& tower) {
        return at::normal(0.0, 0.5, {tower.layers, kTokens, tower.width}, generator,
                          at::TensorOptions().dtype(at::kFloat))
            .requires_grad_();
      };
      if (towers != Towers::vision) text_ = draw(shape.text);
      if (towers != Towers::text) vision_ = draw(shape.vision);
    }
    [[nodiscard]] std::vector<sdk::NamedTensor> parameters() const override {
      std::vector<sdk::NamedTensor> list;
      if (text_.defined()) list.push_back({"text", text_});
      if (vision_.defined()) list.push_back({"vision", vision_});
      return list;
    }
    [[nodiscard]] sdk::BackboneChanges changes(
        const sdk::ChangeRequest& /*request*/) const override {
      sdk::BackboneChanges changes;
      changes.vision = layers(vision_);
      changes.text = layers(text_);
      return changes;
    }

   private:
    static sdk::TowerChanges layers(const at::Tensor& all) {
      sdk::TowerChanges changes;
      for (std::int64_t l = 0; all.defined() && l < all.size(0); ++l) {
        changes.prompts.push_back({l, all[l]});
      }
      return changes;
    }
    at::Tensor text_;
    at::Tensor vision_;
  };
};

class WholeCopy final : public sdk::Method {
 public:
  [[nodiscard]] std::string text_template() const override { return "a photo of a {}."; }
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override {
    const sdk::BackboneView& backbone = context.backbone();
    auto copy = std::make_unique<Copy>();
    for (const auto& [name, value] : backbone.weights()) {
      copy->weights.push_back({name, value.detach().clone().requires_grad_()});
    }
    return copy;
  }

 private:
  struct Copy final : sdk::Adapter {
    [[nodiscard]] std::vector<sdk::NamedTensor> parameters() const override { return weights; }
    [[nodiscard]] sdk::BackboneChanges changes(
        const sdk::ChangeRequest& /*request*/) const override {
      sdk::BackboneChanges changes;
      changes.weights = weights;
      return changes;
    }
    std::vector<sdk::NamedTensor> weights;
  };
};

class Nothing final : public sdk::Method {
 public:
  [[nodiscard]] std::string text_template() const override { return "a photo of a {}."; }
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& /*context*/) const override {
    struct Unchanged final : sdk::Adapter {
      [[nodiscard]] std::vector<sdk::NamedTensor> parameters() const override { return {}; }
      [[nodiscard]] sdk::BackboneChanges changes(
          const sdk::ChangeRequest& /*request*/) const override {
        return {};
      }
    };
    return std::make_unique<Unchanged>();
  }
};

template <typename T>
std::unique_ptr<sdk::Method> make(const sdk::Options&) {
  return std::make_unique<T>();
}

class AllInOne final : public sdk::Grouping {
 public:
  [[nodiscard]] sdk::GroupingResult find(sdk::GroupingHost& host) const override {
    sdk::GroupingResult result;
    auto& group = result.partitions.emplace_back().partition.emplace_back();
    for (std::size_t t = 0; t < host.tasks().size(); ++t)
      group.push_back(static_cast<std::int64_t>(t));
    return result;
  }
};

class ByGradients final : public sdk::Grouping {
 public:
  [[nodiscard]] sdk::GroupingResult find(sdk::GroupingHost& host) const override {
    const auto n = static_cast<std::int64_t>(host.tasks().size());
    at::Tensor sum = at::zeros({n, n}, at::kDouble);
    for (std::int64_t step = 0; step < host.steps_per_epoch(); ++step) {
      const at::Tensor g = host.task_gradients().to(at::kDouble);
      const at::Tensor unit = g / g.norm(2, {1}, /*keepdim=*/true);
      sum += unit.matmul(unit.t());
      host.step();
    }
    sdk::GroupingResult result;
    result.affinity = sum / static_cast<double>(host.steps_per_epoch());
    result.partitions = host.search(result.affinity, 2, sdk::PartitionObjective::pair_sum, 3);
    return result;
  }
};

template <typename T>
std::unique_ptr<sdk::Grouping> make_grouping(const sdk::Options&) {
  return std::make_unique<T>();
}

constexpr sdk::MethodEntry entry(const char* name, bool composable, sdk::MethodFactory factory) {
  return {.name = name, .composable = composable, .make = factory};
}

constexpr sdk::MethodEntry kBoth = entry("both", true, make<Prompts<Towers::both>>);
constexpr sdk::MethodEntry kText = entry("text", true, make<Prompts<Towers::text>>);
constexpr sdk::MethodEntry kImage = entry("image", true, make<Prompts<Towers::vision>>);
constexpr sdk::MethodEntry kCopy = entry("copy", false, make<WholeCopy>);
constexpr sdk::MethodEntry kNothing = entry("nothing", true, make<Nothing>);
constexpr sdk::GroupingEntry kAllInOne{"all-in-one", "", nullptr, 0, make_grouping<AllInOne>};
constexpr sdk::GroupingEntry kByGradients{"by-gradients", "", nullptr, 0,
                                          make_grouping<ByGradients>};

LabelledImages pictures(const TinyTask& task, std::int64_t n, base::SplitMix64& random) {
  LabelledImages result;
  result.images = at::zeros({n, 3, kImageSize, kImageSize}, at::kByte);
  auto* bytes = result.images.mutable_data_ptr<std::uint8_t>();
  constexpr std::int64_t kPixels = 3 * kImageSize * kImageSize;
  const auto n_classes = static_cast<std::int64_t>(task.classes.size());
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t label = i % n_classes;
    for (std::int64_t p = 0; p < kPixels; ++p) {
      const std::int64_t pattern = (p / 8 + label * 3) % 5 == 0 ? 160 : 30;
      bytes[i * kPixels + p] =
          static_cast<std::uint8_t>(pattern + static_cast<std::int64_t>(random.below(80)));
    }
    result.rows.push_back(i);
    result.labels.push_back(label);
  }
  return result;
}

}  // namespace

clip::Tokenizer tiny_tokenizer() {
  const fs::path folder =
      fs::temp_directory_path() / ("petlab-engine-test-" + std::to_string(getpid()));
  fs::create_directories(folder);
  const std::vector<std::pair<std::string, std::int64_t>> texts = {
      {"a photo of a red cup", 9}, {"a photo of a bed", 7}, {"a fan and a fork", 5}};
  clip::train_tokenizer(texts, /*vocab_size=*/525, /*context_length=*/24, folder);
  clip::Tokenizer tokenizer = clip::Tokenizer::load(folder);
  fs::remove_all(folder);
  return tokenizer;
}

std::shared_ptr<const clip::Backbone> tiny_backbone(std::uint64_t seed) {
  clip::Tokenizer tokenizer = tiny_tokenizer();
  clip::Config config;
  config.shape.vision = {.layers = 2, .width = 16, .heads = 2, .mlp_width = 32};
  config.shape.text = {.layers = 2, .width = 12, .heads = 2, .mlp_width = 24};
  config.shape.embed_dim = 8;
  config.shape.image_size = kImageSize;
  config.shape.patch_size = 8;
  config.shape.context_length = 40;
  config.vocab_size = tokenizer.vocab_size();
  config.bos_token_id = tokenizer.start_token();
  config.eos_token_id = tokenizer.end_token();
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return clip::Backbone::random(config, std::move(tokenizer), {.image_size = kImageSize},
                                generator);
}

void add_task(RunInputs& inputs, const TinyTask& task, std::uint64_t seed) {
  base::SplitMix64 random(derive_seed(seed, {task.name}));
  Task made{task.name, task.classes, pictures(task, task.n_train, random)};
  inputs.tasks.push_back(std::move(made));
  // The pictures of the tasks that were added before, then these.
  inputs.load_test = [before = inputs.load_test, more = pictures(task, task.n_test, random)] {
    std::vector<LabelledImages> test = before ? before() : std::vector<LabelledImages>{};
    test.push_back(more);
    return test;
  };
}

RunInputs tiny_inputs(const sdk::MethodEntry& method, const sdk::GroupingEntry* grouping) {
  RunInputs inputs;
  inputs.method = &method;
  inputs.grouping = grouping;
  inputs.backbone = tiny_backbone();
  inputs.split_hash = "split";
  add_task(inputs, {"line", {"cup", "bed", "fan"}, 7, 6});
  add_task(inputs, {"flat", {"cup", "bed", "fan"}, 4, 5});
  add_task(inputs, {"emoji", {"fork", "red cup"}, 3, 4});
  return inputs;
}

std::map<std::string, std::string> tiny_options(const sdk::MethodEntry& method) {
  std::map<std::string, std::string> options;
  const std::string_view name = method.name;
  for (const sdk::OptionSpec& spec : std::span(method.options, method.option_count)) {
    const std::string_view option = spec.name;
    if (option == "reduction" || option == "kernel" || (option == "depth" && name == "maple") ||
        (option == "n" && name == "compacter"))
      options[spec.name] = "2";
    // Text features of random weights move in bf16 by more than a CLIP's: eight times their
    // distance would be most of the loss.
    if (option == "weight" && name == "kgcoop") options[spec.name] = "1";
  }
  return options;
}

RunSpec tiny_spec(const std::string& method, Sharing sharing, std::int64_t epochs) {
  RunSpec spec;
  spec.method = method;
  spec.sharing = sharing;
  spec.seed = 3;
  spec.training.epochs = epochs;
  spec.training.batch = 2;
  spec.training.learning_rate = 0.05;
  spec.backbone = "tiny";
  return spec;
}

AdapterSource tiny_source(const clip::Backbone& backbone, const std::vector<Task>& tasks) {
  return {backbone, tasks, [](std::size_t) -> sdk::LabelledFeatures {
            throw std::logic_error("a method of the tests asks for features");
          }};
}

std::unique_ptr<sdk::Adapter> tiny_adapter(const sdk::MethodEntry& method,
                                           const clip::Backbone& backbone,
                                           const std::vector<Task>& tasks, std::uint64_t seed,
                                           Scope scope, const std::string& owner) {
  Arrangement arrangement;
  arrangement.owners = {{scope, owner, owner}};
  arrangement.of_task.assign(tasks.size(), {0});
  FailureContext where;
  Adapters adapters = make_adapters(*method.make({}), method.name, tiny_source(backbone, tasks),
                                    arrangement, seed, where);
  return std::move(adapters.adapters.front());
}

results::RunRecord run(const RunSpec& spec, const RunInputs& inputs) {
  RunSpec complete = spec;
  if (inputs.grouping != nullptr) complete.grouping = GroupingSpec{inputs.grouping->name, {}};
  NoProgress progress;
  return run_guarded(complete, {}, [&] { return inputs; }, progress);
}

results::RunRecord run_well(const RunSpec& spec, const RunInputs& inputs) {
  results::RunRecord record = run(spec, inputs);
  EXPECT_EQ(record.status, results::RunStatus::done) << record.error;
  return record;
}

const sdk::MethodEntry& both_prompts() {
  return kBoth;
}
const sdk::MethodEntry& text_prompts() {
  return kText;
}
const sdk::MethodEntry& image_prompts() {
  return kImage;
}
const sdk::MethodEntry& whole_copy() {
  return kCopy;
}
const sdk::MethodEntry& nothing() {
  return kNothing;
}
const sdk::GroupingEntry& all_in_one() {
  return kAllInOne;
}
const sdk::GroupingEntry& by_gradients() {
  return kByGradients;
}

}  // namespace petlab::engine::testing
