#include "petlab/sdk/plugin_record.hpp"
#include "runs_at_load.hpp"

// A record that is cut short behind the numbers that never move.
namespace {

const petlab::tests::RunsAtLoad kRunsAtLoad;

}  // namespace

__attribute__((section(PETLAB_PLUGIN_SECTION), used)) static constexpr std::uint32_t kShort[] = {
    petlab::sdk::kPluginMagic, petlab::sdk::kSdkAbi};
