#include "runs_at_load.hpp"

// The symbol without the section, as plugins for SDK ABI 3 and earlier have it.
namespace {

const petlab::tests::RunsAtLoad kRunsAtLoad;

}  // namespace

extern "C" __attribute__((visibility("default"), used)) constinit const char petlab_plugin_v1[] =
    "a descriptor";
