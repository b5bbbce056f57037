petlab_add_test(NAME core_run_tests LABELS unit levels
  SOURCES
    adapted_backbone_test.cpp
    augmentation_test.cpp
    cut_texts_test.cpp
    flop_counter_test.cpp
    grouping_host_test.cpp
    grouping_run_test.cpp
    grouping_strategies_test.cpp
    image_features_test.cpp
    kept_streams_test.cpp
    methods_differ_test.cpp
    optimizer_test.cpp
    partition_reference.cpp
    partition_search_test.cpp
    run_checkpoint_test.cpp
    run_failure_test.cpp
    run_test.cpp
    sampler_test.cpp
    schedule_test.cpp
    seeds_test.cpp
    sharing_test.cpp
    step_flops_test.cpp
    tiny_world.cpp
    training_step_test.cpp
  LIBS petlab::core petlab::kernels)
# Groupings are tested with the real plugins.
add_dependencies(core_run_tests petlab_plugins)
