#include "petlab/sdk/plugin.hpp"

#include "mmap.hpp"

#include <iterator>

namespace {

using petlab::sdk::MethodEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

// The paper's shapes and most of its settings are not known to petlab: "recalled" and "chosen" in
// the comments say which. README.md of this folder has the whole list.
constexpr OptionSpec kOptions[] = {
    {.name = "b",  // chosen: CoOp's length
     .type = OptionType::integer,
     .default_value = "16",
     .help = "prompt tokens a layer, the same in both towers",
     .minimum = 1,
     .maximum = 1024},
    {.name = "m",  // recalled: "from K(d_l + d_v) to K + d_l + d_v" fits rank 1, which is m = b
     .type = OptionType::integer,
     .default_value = "0",
     .help = "rows of a source prompt, a divisor of b; 0: b",
     .minimum = 0,
     .maximum = 1024},
    {.name = "n",  // recalled, as m: rank 1 is n = 1
     .type = OptionType::integer,
     .default_value = "1",
     .help = "columns of a source prompt, a divisor of both widths",
     .minimum = 1,
     .maximum = 65536},
    {.name = "depth",  // recalled that prompts are deep; their number of layers is chosen
     .type = OptionType::integer,
     .default_value = "0",
     .help = "prompted layers, from the first; 0: all of each tower",
     .minimum = 0},
    {.name = "modalities",
     .type = OptionType::choice,
     .default_value = "both",
     .help = "towers that get prompts",
     .choices = "both|text|vision"},
    {.name = "prompts",
     .type = OptionType::choice,
     .default_value = "kronecker",
     .help = "kronecker; source: scaling matrices stay as they start; independent: no source",
     .choices = "kronecker|source|independent"},
    {"share-k", OptionType::boolean, "false", "one scaling matrix a tower for all layers"},
    {.name = "p-std",  // recalled
     .type = OptionType::real,
     .default_value = "0.02",
     .help = "standard deviation of the source prompts at the start",
     .minimum = 0},
    {.name = "k-init",
     .type = OptionType::choice,
     .default_value = "normal",
     .help = "start of the scaling matrices",
     .choices = "normal|ones"},
    // Measured: README.md of this folder.
    {.name = "k-std",
     .type = OptionType::real,
     .default_value = "0.02",
     .help = "standard deviation of the scaling matrices at the start, for k-init normal",
     .minimum = 0},
    {"template", OptionType::text, "",
     "text around the class name, {}; empty: \"{}.\", or \"a photo of a {}.\" without text "
     "prompts"},
};

constexpr MethodEntry kMethods[] = {
    {.name = "mmap",
     .summary = "prompts of both towers from one source prompt by Kronecker products (MmAP)",
     .options = kOptions,
     .option_count = std::size(kOptions),
     // Recalled: SGD with 0.0035, which is also MaPLe's value. Momentum and weight decay unknown:
     // MaPLe's (Dassl's defaults).
     .training = {.optimizer = "sgd",
                  .learning_rate = 0.0035,
                  .weight_decay = 5e-4,
                  .momentum = 0.9,
                  .source = "MmAP paper, recalled (0.0035 as in MaPLe @69bce21); Dassl defaults"},
     .composable = true,
     .make = petlab::sdk::make_entry<petlab::sdk::Method, petlab::plugins::mmap::Mmap>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
