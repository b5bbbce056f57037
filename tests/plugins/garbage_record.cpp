#include "petlab/sdk/plugin_record.hpp"
#include "runs_at_load.hpp"

// The section, with something else in it.
namespace {

const petlab::tests::RunsAtLoad kRunsAtLoad;

}  // namespace

__attribute__((section(PETLAB_PLUGIN_SECTION), used)) static constexpr char kGarbage[] =
    "This is no record of a plugin, though it is of some length.";
