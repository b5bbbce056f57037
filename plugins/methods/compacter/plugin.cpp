#include "petlab/sdk/plugin.hpp"

#include "petlab/sdk/module_support.hpp"

#include <ATen/ops/kron.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/stack.h>

#include <cmath>
#include <iterator>
#include <utility>

namespace {

using namespace petlab::sdk;

constexpr char kName[] = "compacter";

/// A map [out, in] as the sum over i of A_i (x) (left_i right_i): Compacter, eq. 4 and 5,
/// transposed.
struct PhmMap {
  at::Tensor left;   ///< [n, out / n, rank]
  at::Tensor right;  ///< [n, rank, in / n]
};

at::Tensor weight_of(const PhmMap& map, const at::Tensor& rule) {
  const at::Tensor b = at::matmul(map.left, map.right);  // [n, out / n, in / n]
  at::Tensor sum;
  for (std::int64_t i = 0; i < rule.size(0); ++i) {
    const at::Tensor term = at::kron(rule.select(0, i), b.select(0, i));
    sum = sum.defined() ? sum + term : term;
  }
  return sum;
}

struct Module {
  TowerChanges BackboneChanges::* tower;
  Bottleneck bottleneck;  ///< without its two maps
  at::Tensor rule;        ///< [n, n, n]
  PhmMap down;
  PhmMap up;
};

class Builder {
 public:
  Builder(const Options& options, const AdapterContext& context)
      : options_(options),
        generator_(context.generator()),
        n_(options.integer("n")),
        rank_(options.integer("rank")),
        parameters_(device_of(context.backbone())) {}

  at::Tensor add_rule(const std::string& name) {
    return parameters_.add(name, draw_normal({n_, n_, n_}, options_.real("rule-std"), generator_));
  }

  PhmMap add_map(const std::string& name, std::int64_t in, std::int64_t out) {
    const auto glorot = [&](at::IntArrayRef sizes) {
      std::vector<at::Tensor> parts;
      for (std::int64_t i = 0; i < n_; ++i)
        parts.push_back(draw_glorot(sizes, std::sqrt(2.0), generator_));
      return at::stack(parts);
    };
    return {parameters_.add(name + ".left", glorot({out / n_, rank_})),
            parameters_.add(name + ".right", glorot({rank_, in / n_}))};
  }

  Module add_module(const TowerSite& tower, std::int64_t layer, BottleneckSite site,
                    std::int64_t hidden, const at::Tensor& shared_rule) {
    const std::string name =
        layer_name(tower, layer, site == BottleneckSite::after_mlp ? "mlp." : "attention.");
    const std::int64_t width = tower.shape->width;
    Module module{.tower = tower.changes, .bottleneck = {}, .rule = {}, .down = {}, .up = {}};
    module.rule = shared_rule.defined() ? shared_rule : add_rule(name + "rule");
    module.down = add_map(name + "down", width, hidden);
    module.up = add_map(name + "up", hidden, width);
    module.bottleneck.layer = layer;
    module.bottleneck.site = site;
    module.bottleneck.nonlinearity = parse_nonlinearity(options_.text("activation"));
    module.bottleneck.down_bias = parameters_.add(name + "down_bias", fp32_zeros({hidden}));
    module.bottleneck.up_bias = parameters_.add(name + "up_bias", fp32_zeros({width}));
    return module;
  }

  std::vector<NamedTensor> take() { return parameters_.take(); }

 private:
  const Options& options_;
  at::Generator& generator_;
  std::int64_t n_;
  std::int64_t rank_;
  ParameterList parameters_;
};

std::unique_ptr<Adapter> make_compacter(const Options& options, const AdapterContext& context) {
  const BackboneShape& shape = context.backbone().shape();
  const std::int64_t n = options.integer("n");
  Builder builder(options, context);
  const at::Tensor rule = options.boolean("shared-rule") ? builder.add_rule("rule") : at::Tensor();
  std::vector<Module> modules;
  for (const TowerSite& tower : chosen_towers(options.text("towers"), shape)) {
    const std::int64_t width = tower.shape->width;
    const std::int64_t hidden = width / options.integer("reduction");
    if (hidden == 0 || hidden % n != 0 || width % n != 0)
      throw Error(ErrorKind::config, "method 'compacter': option 'n' is " + std::to_string(n) +
                                         ", expected a divisor of the tower's width " +
                                         std::to_string(width) + " and of the bottleneck's " +
                                         std::to_string(hidden));
    for (const std::int64_t layer :
         parse_layers(options.text("layers"), tower.shape->layers, "method 'compacter'")) {
      if (options.text("sites") == "both")
        modules.push_back(
            builder.add_module(tower, layer, BottleneckSite::after_attention, hidden, rule));
      modules.push_back(builder.add_module(tower, layer, BottleneckSite::after_mlp, hidden, rule));
    }
  }
  return make_function_adapter(builder.take(), [modules](const ChangeRequest& /*request*/) {
    BackboneChanges changes;
    for (const Module& module : modules) {
      Bottleneck bottleneck = module.bottleneck;
      bottleneck.down = weight_of(module.down, module.rule);
      bottleneck.up = weight_of(module.up, module.rule);
      (changes.*module.tower).bottlenecks.push_back(bottleneck);
    }
    return changes;
  });
}

// Defaults: Compacter @e123daa, configs/compacter.json and hypercomplex/layers.py.
constexpr OptionSpec kOptions[] = {
    {.name = "n",
     .type = OptionType::integer,
     .default_value = "4",
     .help = "number of Kronecker terms and size of the A matrices",
     .minimum = 1,
     .maximum = 64},
    {.name = "rank",
     .type = OptionType::integer,
     .default_value = "1",
     .help = "rank of the B matrices",
     .minimum = 1,
     .maximum = 64},
    {.name = "reduction",
     .type = OptionType::integer,
     .default_value = "32",
     .help = "the bottleneck is this much narrower than the tower",
     .minimum = 1},
    {.name = "sites",
     .type = OptionType::choice,
     .default_value = "both",
     .help = "behind attention and MLP (both), or behind the MLP alone (Compacter++)",
     .choices = "both|mlp"},
    {"shared-rule", OptionType::boolean, "true",
     "one set of A matrices for all modules, or one for each"},
    {.name = "rule-std",
     .type = OptionType::real,
     .default_value = "0.0001",
     .help = "standard deviation of the A matrices' start",
     .minimum = 0},
    {.name = "activation",
     .type = OptionType::choice,
     .default_value = "gelu",
     .help = "nonlinearity between the two maps",
     .choices = "none|relu|gelu|quick-gelu"},
    kTowersOption,
    kLayersOption,
    kTemplateOption,
};

constexpr MethodEntry kMethods[] = {
    {.name = kName,
     .summary = "adapters whose maps are sums of Kronecker products (Compacter)",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "adamw",
                  .learning_rate = 3e-3,
                  .weight_decay = 0.0,
                  .momentum = 0.0,
                  .source = "Compacter repository @e123daa, configs/compacter.json"},
     .composable = true,
     .make = make_function_method<kName, make_compacter>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
