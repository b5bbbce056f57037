#include "petlab/sdk/plugin.hpp"

#include "hypernetworks.hpp"
#include "petlab/sdk/module_support.hpp"

#include <iterator>

namespace {

using namespace petlab::sdk;
using namespace petlab::plugins::hypernetworks;

constexpr char kHyperformer[] = "hyperformer";
constexpr char kPolyhistor[] = "polyhistor";

constexpr OptionSpec integer(const char* name, const char* value, const char* help) {
  return {.name = name,
          .type = OptionType::integer,
          .default_value = value,
          .help = help,
          .minimum = 1,
          .maximum = 4096};
}

constexpr OptionSpec kEmbedding = integer("embedding", "64", "size of each embedding");
constexpr OptionSpec kNetHidden =
    integer("net-hidden", "128", "hidden width of the network behind the embeddings");
constexpr OptionSpec kNetOut =
    integer("net-out", "64", "size of the code from which weights are made");
constexpr OptionSpec kReduction =
    integer("reduction", "32", "the bottleneck is this much narrower than the tower");
constexpr OptionSpec kSites{.name = "sites",
                            .type = OptionType::choice,
                            .default_value = "both",
                            .help = "behind attention and MLP (both), or behind the MLP alone",
                            .choices = "both|mlp"};
constexpr OptionSpec kActivation{.name = "activation",
                                 .type = OptionType::choice,
                                 .default_value = "gelu",
                                 .help = "nonlinearity between the two maps",
                                 .choices = "none|relu|gelu|quick-gelu"};
constexpr OptionSpec kInitStd{.name = "init-std",
                              .type = OptionType::real,
                              .default_value = "0.01",
                              .help = "standard deviation of all maps' start",
                              .minimum = 0};
constexpr OptionSpec kImageTowers{.name = "towers",
                                  .type = OptionType::choice,
                                  .default_value = "image",
                                  .help = "towers that are adapted",
                                  .choices = "both|image|text"};

// Defaults: HyperFormer @56b0f99, configs/hyperformer++.json and adapter_configuration.py.
constexpr OptionSpec kHyperformerOptions[] = {
    kEmbedding,
    kNetHidden,
    kNetOut,
    kReduction,
    kSites,
    kActivation,
    {.name = "norm",
     .type = OptionType::choice,
     .default_value = "after",
     .help = "place of the layer norm with made weights: in front of the module, behind it, none",
     .choices = "none|before|after"},
    kInitStd,
    kTowersOption,
    kTemplateOption};

// The sizes are HyperFormer's where the two share a part; rank and kernel are our choice.
constexpr OptionSpec kPolyhistorOptions[] = {
    kEmbedding,
    kNetHidden,
    kNetOut,
    kReduction,
    kSites,
    kActivation,
    integer("rank", "4", "rank of the templates"),
    integer("kernel", "4", "rows and columns of each layer's kernel"),
    kInitStd,
    kImageTowers,
    kTemplateOption};

constexpr MethodEntry kMethods[] = {
    {.name = kHyperformer,
     .summary = "a network makes each task's adapters from embeddings (HyperFormer++)",
     .options = kHyperformerOptions,
     .option_count = std::size(kHyperformerOptions),
     .training = {.optimizer = "adamw",
                  .learning_rate = 3e-4,
                  .weight_decay = 0.0,
                  .momentum = 0.0,
                  .source = "HyperFormer repository @56b0f99, configs/hyperformer++.json"},
     .composable = true,
     .task_dependent = true,
     .make = make_function_method<kHyperformer, make_hyperformer>},
    {.name = kPolyhistor,
     .summary = "low-rank task templates spread over the layers by kernels (Polyhistor)",
     .options = kPolyhistorOptions,
     .option_count = std::size(kPolyhistorOptions),
     .training = {.optimizer = "adamw",
                  .learning_rate = 3e-4,
                  .weight_decay = 0.0,
                  .momentum = 0.0,
                  .source = "as hyperformer, so that only the adapters differ; its own is unknown"},
     .composable = true,
     .task_dependent = true,
     .make = make_function_method<kPolyhistor, make_polyhistor>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
