#include "petlab/sdk/plugin.hpp"

#include "petlab/sdk/module_support.hpp"
#include "vmtl.hpp"

#include <iterator>

namespace {

using namespace petlab::sdk;

constexpr char kName[] = "vmtl";

constexpr OptionSpec real(const char* name, const char* value, const char* help,
                          double maximum = 1e9) {
  return {.name = name,
          .type = OptionType::real,
          .default_value = value,
          .help = help,
          .minimum = 0,
          .maximum = maximum};
}

// Defaults: VMTL @e20022d, train.py and model_vmtl.py. Its Gumbel-softmax cools every 1,000 rounds,
// here its temperature stays.
constexpr OptionSpec kOptions[] = {
    {.name = "n-latent",
     .type = OptionType::integer,
     .default_value = "512",
     .help = "size of the latent representation",
     .minimum = 1,
     .maximum = 65536},
    real("weight-kl", "0",
         "weight of the class weights' divergence from their prior, at the start"),
    real("weight-kl-growth", "0.000001", "what each task of every tenth step adds to it"),
    real("feature-kl", "0.0000001", "weight of the representations' divergence from their prior"),
    {.name = "temperature",
     .type = OptionType::real,
     .default_value = "1",
     .help = "temperature of the Gumbel-softmax",
     .minimum = 1e-3},
    real("dropout", "0", "share of the features' dimensions that a step leaves out", 0.99),
    real("feature-scale", "0", "length of the image feature; 0: root of its width"),
    kTemplateOption,
};

constexpr MethodEntry kMethods[] = {
    {.name = kName,
     .summary = "variational class weights on frozen features, priors from the other tasks (VMTL)",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "adamw",
                  .learning_rate = 1e-4,
                  .weight_decay = 5e-4,
                  .momentum = 0.0,
                  .source = "VMTL repository @e20022d, train.py; it uses Adam with L2"},
     .composable = false,
     .task_dependent = true,
     .make = make_function_method<kName, petlab::plugins::vmtl::make_vmtl>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
