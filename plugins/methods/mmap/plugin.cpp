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
    {.name = "preset",
     .type = OptionType::choice,
     .default_value = "balanced",
     .help = "what b, m, n and depth are where they are 0. balanced: b = 16, m = n = its root; "
             "rank-1: b = m = 16, n = 1; paper-0.09: b = 4, m = 2, n = 1, 9 layers",
     .choices = "balanced|rank-1|paper-0.09"},
    {.name = "b",
     .type = OptionType::integer,
     .default_value = "0",
     .help = "prompt tokens a layer, the same in both towers; 0: the preset's",
     .minimum = 0,
     .maximum = 1024},
    {.name = "m",  // recalled: "from K(d_l + d_v) to K + d_l + d_v" fits rank 1, which is m = b
     .type = OptionType::integer,
     .default_value = "0",
     .help = "rows of a source prompt, a divisor of b; 0: the preset's",
     .minimum = 0,
     .maximum = 1024},
    {.name = "n",  // recalled, as m: rank 1 is n = 1
     .type = OptionType::integer,
     .default_value = "0",
     .help = "columns of a source prompt, a divisor of both widths; 0: the preset's",
     .minimum = 0,
     .maximum = 65536},
    {.name = "depth",  // recalled that prompts are deep; their number of layers is chosen
     .type = OptionType::integer,
     .default_value = "0",
     .help = "prompted layers, from the first; 0: the preset's, for most all of each tower",
     .minimum = 0},
    {.name = "init",  // chosen: the paper does not say
     .type = OptionType::text,
     .default_value = "a photo of a",
     .help = "text whose token embeddings, over again until each prompt has one, are added to the "
             "first text layer's prompts, frozen; empty: none"},
    {.name = "init-adapters",  // measured: README.md
     .type = OptionType::choice,
     .default_value = "all",
     .help = "which of two concatenated adapters have the text of init; in a sum the first has it",
     .choices = "first|all"},
    {.name = "composition",  // chosen
     .type = OptionType::choice,
     .default_value = "concatenate",
     .help = "of a group's and a task's prompts: one behind the other, or their sum",
     .choices = "concatenate|add"},
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
     "text around the class name, {}; empty: \"{}.\" behind the words of init that no prompt "
     "stands for, or \"a photo of a {}.\" without text prompts"},
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
